//! Sparse matrices for `faer`, whose solvers take them.

use ::faer::sparse::{SparseRowMat, SymbolicSparseRowMat};

use crate::sparse_matrix::SparseMatrix;

/// Nothing is copied.
///
/// # Panics
/// When the matrix was changed so that its columns do not ascend in every row, or its lengths do not fit.
///
/// ```
/// use faer::linalg::solvers::Solve;
/// use faer::sparse::SparseRowMat;
///
/// // One step of Newton's method, from (3, 4), finds the minimum of a quadratic function.
/// let f = |x: &[tape::Var]| (x[0] - 1.0).powi(2) + (x[0] + x[1]).powi(2);
/// let (_, gradient, hessian) = tape::Program::trace(f, &[3.0, 4.0])?.sparse_hessian(&[3.0, 4.0])?;
/// let hessian = SparseRowMat::from(hessian);
/// # #[cfg(any())] // This crate's own tests are built without faer's solvers.
/// let step = hessian.sp_cholesky(faer::Side::Lower)?.solve(faer::Col::from_iter(gradient));
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
