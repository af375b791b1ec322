//! P·A = L·U: a permutation of the rows, ones on the diagonal of L.

use super::Triangular;
use crate::real::Real;

/// By partial pivoting: in each column, the entry of largest size.
pub(crate) struct Lu<T> {
    n: usize,
    /// L below the diagonal, U on it and above.
    entries: Vec<T>,
    /// Row i of P·A is this row of A.
    rows: Vec<usize>,
    is_odd: bool,
}

impl<T: Real> Lu<T> {
    pub(crate) fn of(a: &[T], n: usize) -> Self {
        #[cfg(feature = "linear-algebra")]
        if n >= super::LARGE
            && let Some(a) = crate::operation::as_f64(a)
        {
            return Self::by_faer(a, n);
        }
        let mut this = Self { n, entries: a.to_vec(), rows: (0..n).collect(), is_odd: false };
        for k in 0..n {
            this.eliminate(k);
        }
        this
    }

    fn eliminate(&mut self, k: usize) {
        let n = self.n;
        let size_at = |row: usize| self.entries[row * n + k].innermost().abs();
        let largest =
            (k + 1..n).fold(k, |best, row| if size_at(row) > size_at(best) { row } else { best });
        if largest != k {
            swap_rows(&mut self.entries, [k, largest], n);
            self.rows.swap(k, largest);
            self.is_odd = !self.is_odd;
        }
        let pivot = self.entries[k * n + k];
        for row in k + 1..n {
            let factor = self.entries[row * n + k] / pivot;
            let (above, below) = self.entries.split_at_mut(row * n);
            let (of_pivot, entries) = (&above[k * n..][k + 1..n], &mut below[k + 1..n]);
            entries.iter_mut().zip(of_pivot).for_each(|(entry, &pivot)| *entry -= factor * pivot);
            below[k] = factor;
        }
    }

    #[cfg(feature = "linear-algebra")]
    fn by_faer(a: &[f64], n: usize) -> Self {
        use faer::dyn_stack::{MemBuffer, MemStack};
        use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
        use faer::{MatMut, Par, Spec};
        let mut entries = super::super::transposed(a, n, n);
        let (mut rows, mut places) = (vec![0_usize; n], vec![0_usize; n]);
        let mut buffer =
            MemBuffer::new(lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Spec::default()));
        let (info, _) = lu_in_place(
            MatMut::from_column_major_slice_mut(&mut entries, n, n),
            &mut rows,
            &mut places,
            Par::Seq,
            MemStack::new(&mut buffer),
            Spec::default(),
        );
        let is_odd = info.transposition_count % 2 == 1;
        let entries = super::super::transposed(&entries, n, n);
        let entries = entries.into_iter().map(T::from_f64).collect();
        Self { n, entries, rows, is_odd }
    }

    /// The pivots: the diagonal of U.
    pub(crate) fn pivots(&self) -> impl Iterator<Item = T> + '_ {
        self.entries.iter().step_by(self.n + 1).copied()
    }

    /// The first pivot that is 0 or NaN.
    pub(crate) fn lost_pivot(&self) -> Option<usize> {
        self.pivots().position(|pivot| super::super::is_lost(pivot.innermost()))
    }

    /// A⁻¹·B; NaN where a pivot is lost.
    pub(crate) fn solve(&self, b: &[T], columns: usize) -> Vec<T> {
        if self.lost_pivot().is_some() {
            return vec![T::from_f64(f64::NAN); b.len()];
        }
        let row_of = |&row: &usize| b[row * columns..][..columns].iter().copied();
        let mut x: Vec<T> = self.rows.iter().flat_map(row_of).collect();
        Triangular::lower(&self.entries, self.n).with_ones().solve(&mut x, columns);
        Triangular::upper(&self.entries, self.n).solve(&mut x, columns);
        x
    }

    /// The product of the pivots, with the sign of the permutation.
    pub(crate) fn determinant(&self) -> T {
        let sign = T::from_f64(if self.is_odd { -1.0 } else { 1.0 });
        self.pivots().fold(sign, |product, pivot| product * pivot)
    }
}

pub(crate) fn swap_rows<T: Copy>(entries: &mut [T], [a, b]: [usize; 2], n: usize) {
    if a != b {
        let rows = entries.get_disjoint_mut([a * n..(a + 1) * n, b * n..(b + 1) * n]);
        let [a, b] = rows.expect("two rows");
        a.swap_with_slice(b);
    }
}
