//! Singular values, by the eigenvalues of [0 A; Aᵀ 0], which are the singular values, their opposites, and zeros.

use super::symmetric_eigen::{check_finite, eigen};
use super::triangle::packed_len;
use crate::error::Error;
use crate::matrix::Matrix;
use crate::real::Real;

/// The singular value decomposition A = U·Σ·Vᵀ, by [`Matrix::svd`].
#[derive(Clone, Debug)]
pub struct Svd<T = f64> {
    left: Matrix<T>,
    values: Vec<T>,
    right: Matrix<T>,
}

impl<T: Real> Svd<T> {
    /// U: a column of as many numbers as the matrix has rows for each singular value.
    pub fn left(&self) -> &Matrix<T> {
        &self.left
    }

    /// The singular values, the largest first: as many as the matrix has rows or columns, whichever are fewer.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// V: a column of as many numbers as the matrix has columns for each singular value. (Not its transpose.)
    pub fn right(&self) -> &Matrix<T> {
        &self.right
    }
}

impl<T: Real> Matrix<T> {
    /// The singular values, the largest first; their sum is the nuclear norm, the first is the norm by which a matrix
    /// stretches.
    ///
    /// Of functions that do not depend on the order, such as that sum, first derivatives are right where singular values are
    /// equal, and second ones as of [`Matrix::symmetric_eigen`]. A singular value that is 0 but for rounding is 0, and so are
    /// its derivatives, as those of |x| at 0.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where a number is NaN or ∞, in any lane. A program that is replayed at such a matrix gives NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// // The nuclear norm, at a matrix whose singular values are equal.
    /// let f = |a: &[Var]| {
    ///     let a = Matrix::from_rows(2, 2, a.to_vec()).unwrap();
    ///     tape::sum(&a.singular_values().unwrap())
    /// };
    /// let (value, gradient) = tape::gradient(f, &[3.0, 0.0, 0.0, 3.0]);
    /// assert!((value - 6.0).abs() < 1e-14);
    /// assert!(gradient.iter().zip([1.0, 0.0, 0.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-14));
    /// ```
    #[track_caller]
    pub fn singular_values(&self) -> Result<Vec<T>, Error> {
        Ok(self.decomposed("singular_values")?.0)
    }

    /// The singular value decomposition A = U·Σ·Vᵀ, with as many singular values as A has rows or columns, whichever are fewer.
    ///
    /// The largest entry of each pair of vectors, one above the other, is above 0. Derivatives of the vectors are NaN where their
    /// singular values are equal. For the polar factor U·Vᵀ, [`Matrix::symmetric_sqrt`] is right there, too.
    ///
    /// # Errors
    /// [`Error::NotFinite`] as of [`Matrix::singular_values`]; [`Error::Singular`] where a singular value is 0 but for rounding,
    /// in any lane: its vectors could be any. A program that is replayed at such a matrix gives NaN for them.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// // The entry at (0, 1) of the polar factor U·Vᵀ.
    /// let f = |a: &[Var]| {
    ///     let svd = Matrix::from_rows(3, 3, a.to_vec()).unwrap().svd().unwrap();
    ///     tape::dot(svd.left().row(0), svd.right().row(1))
    /// };
    /// let gradient = tape::gradient(f, &[3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]).1;
    /// let right = [0.0, 0.2, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, 0.0];
    /// assert!(gradient.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-14));
    /// ```
    #[track_caller]
    pub fn svd(&self) -> Result<Svd<T>, Error> {
        let call = "svd";
        let Self { rows, columns, .. } = *self;
        let size = rows + columns;
        let (values, vectors) = self.decomposed(call)?;
        let is_zero = |value: &T| T::lanes_where(*value, *value, |value, _| value == 0.0) != 0;
        if let Some(pivot) = values.iter().position(is_zero) {
            return Err(Error::Singular { call, pivot });
        }
        // A program may be replayed where a singular value is 0.
        let [root, nan] = [core::f64::consts::SQRT_2, f64::NAN].map(T::from_f64);
        let scale: Vec<T> = values.iter().map(|&value| T::select(value, root, nan)).collect();
        let entry = |i: usize, k: usize| vectors[i * size + size - 1 - k] * scale[k];
        let left = Self::from_fn(rows, values.len(), entry);
        let right = Self::from_fn(columns, values.len(), |j, k| entry(rows + j, k));
        Ok(Svd { left, values, right })
    }

    /// The singular values, and the eigenvectors.
    #[track_caller]
    fn decomposed(&self, call: &'static str) -> Result<(Vec<T>, Vec<T>), Error> {
        let Self { rows, columns, ref data } = *self;
        let size = rows + columns;
        let mut lower = vec![T::from_f64(0.0); packed_len(size)];
        for (row, entries) in data.chunks_exact(columns.max(1)).enumerate() {
            for (column, &entry) in entries.iter().enumerate() {
                lower[packed_len(rows + column) + row] = entry;
            }
        }
        let (values, vectors) = eigen(&lower, size);
        if values.first().is_some_and(|value| value.is_nan_in_a_lane()) {
            check_finite(call, data)?;
        }
        let Some(&largest) = values.last() else { return Ok((values, vectors)) };
        let rounding = largest.stop_gradient() * T::from_f64(size as f64 * super::epsilon::<T>());
        let count = rows.min(columns);
        let unless_zero = |&value: &T| T::select(value - rounding, value, T::from_f64(0.0));
        Ok((values.iter().rev().take(count).map(unless_zero).collect(), vectors))
    }
}
