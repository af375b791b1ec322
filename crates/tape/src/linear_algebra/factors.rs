//! Matrices as products of simple ones, on plain numbers: by loops, and where they are large and of `f64`, by `faer`.
//!
//! Operations keep none of these: they factor again where they are asked again. All matrices are row by row.

mod cholesky;
mod lu;
mod qr;
mod symmetric_eigen;

pub(super) use cholesky::{cholesky, cholesky_forward, cholesky_reverse};
pub(super) use lu::{Lu, swap_rows};
pub(super) use qr::Qr;
pub(super) use symmetric_eigen::symmetric_eigen;

use crate::real::Real;

/// From so many rows on, `faer` is quicker than a loop.
#[cfg(feature = "linear-algebra")]
const LARGE: usize = 24;

/// Of a matrix, its lower or its upper triangle, which may be transposed, and whose diagonal may be taken for ones.
#[derive(Clone, Copy)]
pub(super) struct Triangular<'a, T> {
    entries: &'a [T],
    n: usize,
    /// The distance of two rows among the entries.
    stride: usize,
    is_upper: bool,
    is_transposed: bool,
    has_ones: bool,
}

impl<'a, T: Real> Triangular<'a, T> {
    pub(super) fn lower(entries: &'a [T], n: usize) -> Self {
        let [is_upper, is_transposed, has_ones] = [false; 3];
        Self { entries, n, stride: n, is_upper, is_transposed, has_ones }
    }

    pub(super) fn upper(entries: &'a [T], n: usize) -> Self {
        Self { is_upper: true, ..Self::lower(entries, n) }
    }

    pub(super) fn with_ones(self) -> Self {
        Self { has_ones: true, ..self }
    }

    pub(super) fn transpose(self) -> Self {
        Self { is_transposed: !self.is_transposed, ..self }
    }

    /// Solves in place for all columns of b.
    pub(super) fn solve(self, b: &mut [T], columns: usize) {
        if columns == 0 {
            return;
        }
        #[cfg(feature = "linear-algebra")]
        if self.n >= LARGE
            && let (Some(entries), Some(numbers)) =
                (crate::operation::as_f64(self.entries), crate::operation::as_f64(b))
        {
            let solved = self.solved_by_faer(entries, numbers.to_vec(), columns);
            b.iter_mut().zip(solved).for_each(|(b, solved)| *b = T::from_f64(solved));
            return;
        }
        if self.is_transposed {
            self.solve_by_rows(b, columns);
        } else {
            self.solve_by_sums(b, columns);
        }
    }

    /// The rows in the order in which they are solved.
    fn order(&self) -> impl Iterator<Item = usize> + use<T> {
        let (n, is_backwards) = (self.n, self.is_upper != self.is_transposed);
        (0..n).map(move |step| if is_backwards { n - 1 - step } else { step })
    }

    /// Each row less its product with those solved before: the entries are read row by row.
    fn solve_by_sums(&self, b: &mut [T], columns: usize) {
        for row in self.order() {
            let entries = &self.entries[row * self.stride..][..self.n];
            let before = if self.is_upper { row + 1..self.n } else { 0..row };
            for k in before {
                subtract_row(b, [row, k], columns, entries[k]);
            }
            if !self.has_ones {
                b[row * columns..][..columns].iter_mut().for_each(|b| *b /= entries[row]);
            }
        }
    }

    /// Each row, once solved, is taken from those after it: the entries of the transposed are read row by row, too.
    fn solve_by_rows(&self, b: &mut [T], columns: usize) {
        for row in self.order() {
            let entries = &self.entries[row * self.stride..][..self.n];
            if !self.has_ones {
                b[row * columns..][..columns].iter_mut().for_each(|b| *b /= entries[row]);
            }
            let after = if self.is_upper { row + 1..self.n } else { 0..row };
            for k in after {
                subtract_row(b, [k, row], columns, entries[k]);
            }
        }
    }

    #[cfg(feature = "linear-algebra")]
    fn solved_by_faer(&self, entries: &[f64], mut b: Vec<f64>, columns: usize) -> Vec<f64> {
        use faer::linalg::triangular_solve as by;
        use faer::{MatMut, MatRef, Par};
        let entries = MatRef::from_row_major_slice(entries, self.n, self.n);
        let to = MatMut::from_row_major_slice_mut(&mut b, self.n, columns);
        let entries =
            if self.is_transposed { entries.transpose() } else { entries.as_dyn_stride() };
        match (self.is_upper != self.is_transposed, self.has_ones) {
            (false, false) => by::solve_lower_triangular_in_place(entries, to, Par::Seq),
            (false, true) => by::solve_unit_lower_triangular_in_place(entries, to, Par::Seq),
            (true, false) => by::solve_upper_triangular_in_place(entries, to, Par::Seq),
            (true, true) => by::solve_unit_upper_triangular_in_place(entries, to, Par::Seq),
        }
        b
    }
}

/// Takes a multiple of row `from` from row `to`.
fn subtract_row<T: Real>(b: &mut [T], [to, from]: [usize; 2], columns: usize, factor: T) {
    let [to, from] = b
        .get_disjoint_mut([to * columns..(to + 1) * columns, from * columns..(from + 1) * columns])
        .expect("two rows");
    to.iter_mut().zip(from).for_each(|(to, from)| *to -= factor * *from);
}
