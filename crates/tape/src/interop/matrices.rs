//! Dense matrices from and to those of other crates.

use crate::matrix::Matrix;

#[cfg(feature = "faer")]
mod of_faer {
    use ::faer::Mat;

    use super::Matrix;

    impl From<Matrix> for Mat<f64> {
        fn from(matrix: Matrix) -> Self {
            Self::from_fn(matrix.rows, matrix.columns, |row, column| matrix[(row, column)])
        }
    }

    impl From<Mat<f64>> for Matrix {
        fn from(matrix: Mat<f64>) -> Self {
            Self::from_fn(matrix.nrows(), matrix.ncols(), |row, column| matrix[(row, column)])
        }
    }
}

#[cfg(feature = "ndarray")]
mod of_ndarray {
    use ::ndarray::Array2;

    use super::Matrix;

    /// Nothing is copied.
    ///
    /// # Panics
    /// When the matrix was changed so that its entries are not `rows * columns`.
    impl<T> From<Matrix<T>> for Array2<T> {
        #[track_caller]
        fn from(matrix: Matrix<T>) -> Self {
            let Matrix { rows, columns, data } = matrix;
            let entries = data.len();
            Self::from_shape_vec((rows, columns), data).unwrap_or_else(|_| {
                panic!("a matrix of {rows} rows and {columns} columns has {entries} entries")
            })
        }
    }

    impl<T: Clone> From<Array2<T>> for Matrix<T> {
        fn from(array: Array2<T>) -> Self {
            let (rows, columns) = array.dim();
            Self { rows, columns, data: array.iter().cloned().collect() }
        }
    }
}

#[cfg(any(feature = "nalgebra-034", feature = "nalgebra-035"))]
macro_rules! of_nalgebra {
    ($name:ident, $nalgebra:ident) => {
        mod $name {
            use ::$nalgebra::{DMatrix, Scalar};

            use super::Matrix;

            impl<T: Scalar> From<Matrix<T>> for DMatrix<T> {
                fn from(matrix: Matrix<T>) -> Self {
                    Self::from_row_slice(matrix.rows, matrix.columns, &matrix.data)
                }
            }

            impl<T: Scalar> From<DMatrix<T>> for Matrix<T> {
                fn from(matrix: DMatrix<T>) -> Self {
                    Self::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
                        matrix[(row, column)].clone()
                    })
                }
            }
        }
    };
}
#[cfg(feature = "nalgebra-034")]
of_nalgebra!(of_nalgebra_034, nalgebra_034);
#[cfg(feature = "nalgebra-035")]
of_nalgebra!(of_nalgebra_035, nalgebra);
