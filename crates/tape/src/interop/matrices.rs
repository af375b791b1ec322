//! Dense matrices from and to those of other crates.

use crate::matrix::Matrix;

#[cfg(feature = "faer")]
mod of_faer {
    use ::faer::Mat;

    use super::Matrix;

    /// Its entries are copied: faer keeps columns together.
    ///
    /// # Panics
    /// When the matrix was changed so that its entries are fewer than `rows * columns`.
    ///
    /// ```
    /// let (_, _, hessian) = tape::hessian(|x| x[0] * x[0] * x[1], &[3.0, 2.0]);
    /// let hessian = faer::Mat::from(hessian);
    /// assert_eq!(hessian[(0, 1)], 6.0);
    /// assert_eq!(tape::Matrix::from(hessian).row(0), [4.0, 6.0]);
    /// ```
    impl From<Matrix> for Mat<f64> {
        fn from(matrix: Matrix) -> Self {
            Self::from_fn(matrix.rows, matrix.columns, |row, column| matrix[(row, column)])
        }
    }

    /// Its entries are copied, row after row.
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
    ///
    /// ```
    /// use ndarray::{Array2, array};
    ///
    /// let (_, jacobian) = tape::jacobian(|x| [x[0] * x[1], x[1]], &[3.0, 4.0]);
    /// let jacobian = Array2::from(jacobian);
    /// assert_eq!(jacobian.dot(&array![1.0, 10.0]), array![34.0, 10.0]);
    /// assert_eq!(tape::Matrix::from(jacobian).row(0), [4.0, 3.0]);
    /// ```
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

    /// Its entries are copied row after row, in whatever order the array keeps them.
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

            /// Its entries are copied: nalgebra keeps columns together.
            ///
            /// # Panics
            /// When the matrix was changed so that its entries are not `rows * columns`.
            impl<T: Scalar> From<Matrix<T>> for DMatrix<T> {
                fn from(matrix: Matrix<T>) -> Self {
                    Self::from_row_slice(matrix.rows, matrix.columns, &matrix.data)
                }
            }

            /// Its entries are copied, row after row.
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
