//! What is done entry by entry.

use core::ops::{Add, Sub};

use crate::matrix::Matrix;
use crate::real::Real;

impl<T> Matrix<T> {
    /// The matrix with a function of every entry.
    ///
    /// ```
    /// let matrix = tape::Matrix::from_rows(1, 2, vec![1.0, 4.0])?;
    /// assert_eq!(matrix.map(|entry: &f64| entry.sqrt()).data, [1.0, 2.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn map<U>(&self, function: impl FnMut(&T) -> U) -> Matrix<U> {
        let data = self.data.iter().map(function).collect();
        Matrix { rows: self.rows, columns: self.columns, data }
    }
}

macro_rules! entry_by_entry {
    ($($(#[$doc:meta])* $Trait:ident $name:ident $symbol:tt $what:literal;)*) => {$(
        $(#[$doc])*
        impl<T: Real> $Trait for &Matrix<T> {
            type Output = Matrix<T>;

            #[track_caller]
            fn $name(self, other: &Matrix<T>) -> Matrix<T> {
                assert!(
                    (self.rows, self.columns) == (other.rows, other.columns),
                    "the {} of a {}×{} and a {}×{} matrix: both must have the same size",
                    $what, self.rows, self.columns, other.rows, other.columns
                );
                let entries = self.data.iter().zip(&other.data);
                let data = entries.map(|(&a, &b)| a $symbol b).collect();
                Matrix { rows: self.rows, columns: self.columns, data }
            }
        }
    )*};
}
entry_by_entry! {
    /// # Panics
    /// When the sizes differ.
    Add add + "sum";
    /// # Panics
    /// When the sizes differ.
    Sub sub - "difference";
}
