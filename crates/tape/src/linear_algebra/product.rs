//! The product of two matrices.

use core::ops::Mul;

use super::{kernels, told_by_its_size, transposed};
use crate::matrix::Matrix;
use crate::operation::{applied_to, as_f64};
use crate::real::Real;
use crate::real::operation::Operation;
use crate::var::Var;

/// C = A·B.
///
/// The adjoints are A̅ = C̅·Bᵀ and B̅ = Aᵀ·C̅ (Giles, "Collected matrix derivative results for forward and reverse mode
/// algorithmic differentiation", 2008, section 2.2.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) columns: usize,
}
told_by_its_size!(Product { rows, inner, columns });

/// The product of two matrices, row by row.
#[track_caller]
pub(super) fn product<T: Real>(a: &[T], b: &[T], [rows, inner, columns]: [usize; 3]) -> Vec<T> {
    applied_to(&Product { rows, inner, columns }, &[a, b])
}

impl Product {
    fn factors<'a, T>(&self, x: &'a [T]) -> (&'a [T], &'a [T]) {
        x.split_at(self.rows * self.inner)
    }

    /// The factors, if they are of `f64`.
    fn plain<'a, T: Real>(&self, x: &'a [T]) -> Option<[kernels::Factor<'a>; 2]> {
        let (a, b) = self.factors(as_f64(x)?);
        Some([
            kernels::Factor::new(a, self.rows, self.inner),
            kernels::Factor::new(b, self.inner, self.columns),
        ])
    }
}

impl Operation for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn inputs(&self) -> Option<usize> {
        Some((self.rows + self.columns) * self.inner)
    }

    fn outputs(&self, _: usize) -> usize {
        self.rows * self.columns
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let Self { inner, columns, .. } = *self;
        if let (Some(factors), Some(y)) = (self.plain(x), T::as_f64s_mut(y)) {
            kernels::multiply(y, factors, false);
            return;
        }
        let (a, b) = self.factors(x);
        let b = transposed(b, inner, columns);
        for (row, y) in y.chunks_exact_mut(columns.max(1)).enumerate() {
            for (column, y) in y.iter_mut().enumerate() {
                *y = T::dot(&a[row * inner..][..inner], &b[column * inner..][..inner]);
            }
        }
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let Self { rows, inner, columns } = *self;
        let (into_a, into_b) = into.split_at_mut(rows * inner);
        if let (Some([a, b]), Some(adjoint)) = (self.plain(x), as_f64(adjoint))
            && let (Some(into_a), Some(into_b)) = (T::as_f64s_mut(into_a), T::as_f64s_mut(into_b))
        {
            let adjoint = kernels::Factor::new(adjoint, rows, columns);
            kernels::multiply(into_a, [adjoint, b.transpose()], false);
            kernels::multiply(into_b, [a.transpose(), adjoint], false);
            return;
        }
        let (a, b) = self.factors(x);
        let transposes = (transposed(a, rows, inner), transposed(b, inner, columns));
        into_a.copy_from_slice(&product(adjoint, &transposes.1, [rows, columns, inner]));
        into_b.copy_from_slice(&product(&transposes.0, adjoint, [inner, rows, columns]));
    }

    /// C′ = A′·B + A·B′.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let size = [self.rows, self.inner, self.columns];
        if let (Some([a, b]), Some([da, db])) = (self.plain(x), self.plain(dx))
            && let (Some(y), Some(dy)) = (T::as_f64s_mut(y), T::as_f64s_mut(dy))
        {
            kernels::multiply(y, [a, b], false);
            kernels::multiply(dy, [da, b], false);
            kernels::multiply(dy, [a, db], true);
            return;
        }
        let ((a, b), (da, db)) = (self.factors(x), self.factors(dx));
        y.copy_from_slice(&product(a, b, size));
        let (first, second) = (product(da, b, size), product(a, db, size));
        dy.iter_mut().zip(first.into_iter().zip(second)).for_each(|(dy, (a, b))| *dy = a + b);
    }
}

impl<T: Real> Matrix<T> {
    #[track_caller]
    fn times(&self, other: &Self) -> Self {
        assert!(
            self.columns == other.rows,
            "the product of a {}×{} and a {}×{} matrix: the columns of the first must be as many as the rows of the second",
            self.rows,
            self.columns,
            other.rows,
            other.columns
        );
        let size = [self.rows, self.columns, other.columns];
        Self { rows: size[0], columns: size[2], data: product(&self.data, &other.data, size) }
    }
}

/// The product of two matrices: one operation, whatever the size.
///
/// # Panics
/// When the columns of the first are not as many as the rows of the second.
///
/// ```
/// use tape::{Matrix, Var};
///
/// // The sum of the entries of A·B, by those of A.
/// let b = Matrix::from_rows(2, 2, vec![1.0, 2.0, 3.0, 4.0])?;
/// let f = |a: &[Var]| {
///     let a = Matrix::from_rows(2, 2, a.to_vec()).unwrap();
///     tape::sum(&(&a * &b).data)
/// };
/// assert_eq!(tape::gradient(f, &[1.0, 0.0, 0.0, 1.0]), (10.0, vec![3.0, 7.0, 3.0, 7.0]));
/// # Ok::<(), tape::Error>(())
/// ```
impl<T: Real> Mul for &Matrix<T> {
    type Output = Matrix<T>;

    #[track_caller]
    fn mul(self, other: &Matrix<T>) -> Matrix<T> {
        self.times(other)
    }
}

/// As that of two matrices of variables.
impl<T: Real> Mul<&Matrix<T>> for &Matrix<Var<T>> {
    type Output = Matrix<Var<T>>;

    #[track_caller]
    fn mul(self, other: &Matrix<T>) -> Matrix<Var<T>> {
        self.times(&other.constant())
    }
}

/// As that of two matrices of variables.
impl<T: Real> Mul<&Matrix<Var<T>>> for &Matrix<T> {
    type Output = Matrix<Var<T>>;

    #[track_caller]
    fn mul(self, other: &Matrix<Var<T>>) -> Matrix<Var<T>> {
        self.constant().times(other)
    }
}

impl<T: Real> Matrix<T> {
    /// The matrix as constants.
    ///
    /// ```
    /// let matrix = tape::Matrix::from_rows(1, 2, vec![1.0, 2.0])?.constant();
    /// assert!(matrix.data.iter().all(|entry| entry.is_constant()));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn constant(&self) -> Matrix<Var<T>> {
        let Self { rows, columns, ref data } = *self;
        Matrix { rows, columns, data: Var::constants_from(data) }
    }
}
