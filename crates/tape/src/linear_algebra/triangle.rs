//! Triangular matrices: packed as their lower triangle, and solved with.

use super::product::product;
use super::{factors, told_by_its_size, transposed};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::applied_to;
use crate::real::Real;
use crate::real::operation::Operation;

/// How many entries the lower triangle of a matrix of so many rows has.
pub(super) fn packed_len(n: usize) -> usize {
    n * (n + 1) / 2
}

/// The lower triangle of a square matrix, row by row.
pub(super) fn packed<T: Copy>(matrix: &[T], n: usize) -> Vec<T> {
    let mut packed = Vec::with_capacity(packed_len(n));
    for row in 0..n {
        packed.extend_from_slice(&matrix[row * n..][..=row]);
    }
    packed
}

/// The square matrix with this lower triangle, and 0 above.
pub(super) fn unpacked<T: Real>(packed: &[T], n: usize) -> Vec<T> {
    let mut matrix = vec![T::from_f64(0.0); n * n];
    let mut rest = packed;
    for row in 0..n {
        let (entries, after) = rest.split_at(row + 1);
        matrix[row * n..][..=row].copy_from_slice(entries);
        rest = after;
    }
    matrix
}

/// The symmetric matrix with this lower triangle.
pub(super) fn expanded<T: Copy>(lower: &[T], n: usize) -> Vec<T> {
    Matrix::from_fn(n, n, |i, j| lower[packed_len(i.max(j)) + i.min(j)]).data
}

/// L·X = B, or Lᵀ·X = B, with the lower triangle of L, and B row by row.
///
/// The adjoints are B̅ = L⁻ᵀ·X̅ and L̅ = −B̅·Xᵀ, of which the lower triangle counts; transposed, B̅ = L⁻¹·X̅ and L̅ = −X·B̅ᵀ
/// (Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, section 2.2.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct SolveLower {
    pub(super) n: usize,
    pub(super) columns: usize,
    /// Not 0 for Lᵀ.
    pub(super) transposed: usize,
}
told_by_its_size!(SolveLower { n, columns, transposed });

/// The solution X of L·X = B, or of Lᵀ·X = B, with the lower triangle of L.
pub(super) fn solve_lower<T: Real>(
    l: &[T],
    b: &[T],
    [n, columns]: [usize; 2],
    is_transposed: bool,
) -> Vec<T> {
    let operation = SolveLower { n, columns, transposed: usize::from(is_transposed) };
    applied_to(&operation, &[l, b])
}

impl SolveLower {
    fn split<'a, T>(&self, x: &'a [T]) -> (&'a [T], &'a [T]) {
        x.split_at(packed_len(self.n))
    }

    fn solve<T: Real>(&self, l: &[T], b: &[T], is_transposed: bool) -> Vec<T> {
        solve_lower(l, b, [self.n, self.columns], is_transposed)
    }
}

impl Operation for SolveLower {
    fn name(&self) -> &'static str {
        "solve_lower"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n) + self.n * self.columns)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.columns
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let Self { n, columns, transposed } = *self;
        let (l, b) = self.split(x);
        let l = unpacked(l, n);
        let triangle = factors::Triangular::lower(&l, n);
        let triangle = if transposed == 0 { triangle } else { triangle.transpose() };
        y.copy_from_slice(b);
        triangle.solve(y, columns);
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let Self { n, columns, transposed: is_transposed } = *self;
        let of_b = self.solve(self.split(x).0, adjoint, is_transposed == 0);
        let (first, second) = if is_transposed == 0 { (&*of_b, y) } else { (y, &*of_b) };
        let minus: Vec<T> = first.iter().map(|&entry| -entry).collect();
        let of_l = product(&minus, &transposed(second, n, columns), [n, columns, n]);
        let (into_l, into_b) = into.split_at_mut(packed_len(n));
        into_l.copy_from_slice(&packed(&of_l, n));
        into_b.copy_from_slice(&of_b);
    }

    /// X′ = L⁻¹·(B′ − L′·X).
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let Self { n, columns, transposed: is_transposed } = *self;
        let ((l, b), (dl, db)) = (self.split(x), self.split(dx));
        y.copy_from_slice(&self.solve(l, b, is_transposed != 0));
        let dl = unpacked(dl, n);
        let dl = if is_transposed == 0 { dl } else { transposed(&dl, n, n) };
        let moved = product(&dl, y, [n, n, columns]);
        let rest: Vec<T> = db.iter().zip(moved).map(|(&db, moved)| db - moved).collect();
        dy.copy_from_slice(&self.solve(l, &rest, is_transposed != 0));
    }
}

/// Which triangle of a matrix a solution is by, and whether it is transposed first. See [`Matrix::solve_triangular`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Triangle {
    /// The diagonal and what is below it: L·X = B.
    Lower,
    /// The same, transposed: Lᵀ·X = B.
    LowerTransposed,
    /// The diagonal and what is above it: U·X = B.
    Upper,
    /// The same, transposed: Uᵀ·X = B.
    UpperTransposed,
}

impl<T: Real> Matrix<T> {
    /// The solution x of T·x = b, where T is a triangle of this matrix. The other entries are not read.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::Dimensions`] where `b` has not as many numbers as the matrix has rows;
    /// [`Error::Singular`] where an entry on the diagonal is 0 or NaN, in any lane. A program that is replayed where one is 0
    /// gives ∞ or NaN.
    ///
    /// ```
    /// use tape::{Matrix, Triangle};
    ///
    /// let matrix = Matrix::from_rows(2, 2, vec![2.0, 1.0,
    ///                                           1.0, 4.0])?;
    /// assert_eq!(matrix.solve_triangular(&[2.0, 9.0], Triangle::Lower)?, [1.0, 2.0]);
    /// assert_eq!(matrix.solve_triangular(&[4.0, 8.0], Triangle::Upper)?, [1.0, 2.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_triangular(&self, b: &[T], triangle: Triangle) -> Result<Vec<T>, Error> {
        self.solved_by_triangle("solve_triangular", b, [b.len(), 1], triangle)
    }

    /// [`Matrix::solve_triangular`] for every column of `b`.
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// use tape::{Matrix, Triangle};
    ///
    /// let matrix = Matrix::from_rows(2, 2, vec![2.0, 0.0, 1.0, 4.0])?;
    /// let b = Matrix::from_rows(2, 2, vec![2.0, 4.0, 9.0, 2.0])?;
    /// assert_eq!(matrix.solve_triangular_matrix(&b, Triangle::Lower)?.data, [1.0, 2.0, 2.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_triangular_matrix(&self, b: &Self, triangle: Triangle) -> Result<Self, Error> {
        let size = [b.rows, b.columns];
        let data = self.solved_by_triangle("solve_triangular_matrix", &b.data, size, triangle)?;
        Ok(Self { data, ..*b })
    }

    #[track_caller]
    fn solved_by_triangle(
        &self,
        call: &'static str,
        b: &[T],
        [rows, columns]: [usize; 2],
        triangle: Triangle,
    ) -> Result<Vec<T>, Error> {
        let n = self.square(call)?;
        super::check_rows(call, n, rows)?;
        let is_lost = |&pivot: &usize| super::is_lost_in_a_lane(self.data[pivot * n + pivot]);
        if let Some(pivot) = (0..n).find(is_lost) {
            return Err(Error::Singular { call, pivot });
        }
        let (lower, is_transposed) = match triangle {
            Triangle::Lower => (packed(&self.data, n), false),
            Triangle::LowerTransposed => (packed(&self.data, n), true),
            Triangle::Upper => (packed(&transposed(&self.data, n, n), n), true),
            Triangle::UpperTransposed => (packed(&transposed(&self.data, n, n), n), false),
        };
        Ok(solve_lower(&lower, b, [n, columns], is_transposed))
    }

    /// The Frobenius norm: the root of the sum of the squares of the entries. Its derivative at the matrix of zeros is 0.
    ///
    /// ```
    /// let matrix = tape::Matrix::from_rows(2, 2, vec![1.0, 2.0, 2.0, 4.0])?;
    /// assert_eq!(matrix.norm(), 5.0);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn norm(&self) -> T {
        T::norm(&self.data)
    }
}
