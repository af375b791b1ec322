//! Sparse matrices for `faer`, whose solvers take them.

use ::faer::sparse::{SparseRowMat, SymbolicSparseRowMat};

use crate::sparse_matrix::SparseMatrix;

/// Nothing is copied.
///
/// # Panics
/// When the matrix was changed so that its columns do not ascend in every row, or its lengths do not fit.
///
/// ```
/// use faer::sparse::SparseRowMat;
///
/// let f = |x: &[tape::Var]| (x[0] - 1.0).powi(2) + (x[0] + x[1]).powi(2);
/// let (_, _, hessian) = tape::Program::trace(f, &[3.0, 4.0])?.sparse_hessian(&[3.0, 4.0])?;
/// // With faer's own feature `sparse-linalg`, `hessian.sp_cholesky(Side::Lower)` decomposes it.
/// let hessian = SparseRowMat::from(hessian);
/// assert_eq!(hessian.get(0, 0), Some(&4.0));
/// assert_eq!(hessian.get(1, 1), Some(&2.0));
/// # Ok::<(), tape::Error>(())
/// ```
impl From<SparseMatrix> for SparseRowMat<usize, f64> {
    #[track_caller]
    fn from(matrix: SparseMatrix) -> Self {
        let SparseMatrix { rows, columns, starts, indices, data } = matrix;
        Self::new(SymbolicSparseRowMat::new_checked(rows, columns, starts, None, indices), data)
    }
}
