//! Sparse matrices for `sprs`.

use ::sprs::CsMat;

use crate::sparse_matrix::SparseMatrix;

/// Nothing is copied.
///
/// # Panics
/// When the matrix was changed so that its columns do not ascend in every row, or its lengths do not fit.
///
/// ```
/// use sprs::CsMat;
///
/// let f = |x: &[tape::Var]| x[0] * x[1] + x[1].powi(3);
/// let (_, _, hessian) = tape::Program::trace(f, &[1.0; 2])?.sparse_hessian(&[2.0, 3.0])?;
/// let hessian = CsMat::from(hessian);
/// assert!(hessian.is_csr());
/// assert_eq!(hessian.get(1, 1), Some(&18.0));
/// # Ok::<(), tape::Error>(())
/// ```
impl From<SparseMatrix> for CsMat<f64> {
    #[track_caller]
    fn from(matrix: SparseMatrix) -> Self {
        let SparseMatrix { rows, columns, starts, indices, data } = matrix;
        Self::new((rows, columns), starts, indices, data)
    }
}
