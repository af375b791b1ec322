//! What is computed on `f64`: with the feature `linear-algebra` by `faer`, on one thread; else by plain loops.

/// The product of two matrices, all row by row.
pub(super) fn product(a: &[f64], b: &[f64], [rows, inner, columns]: [usize; 3]) -> Vec<f64> {
    let mut product = vec![0.0; rows * columns];
    #[cfg(feature = "linear-algebra")]
    {
        use faer::{Accum, MatMut, MatRef, Par};
        let a = MatRef::from_row_major_slice(a, rows, inner);
        let b = MatRef::from_row_major_slice(b, inner, columns);
        let to = MatMut::from_row_major_slice_mut(&mut product, rows, columns);
        faer::linalg::matmul::matmul(to, Accum::Replace, a, b, 1.0, Par::Seq);
    }
    #[cfg(not(feature = "linear-algebra"))]
    for (row, product) in product.chunks_exact_mut(columns.max(1)).enumerate() {
        for (k, factor) in a[row * inner..][..inner].iter().enumerate() {
            for (entry, b) in product.iter_mut().zip(&b[k * columns..][..columns]) {
                *entry += factor * b;
            }
        }
    }
    product
}
