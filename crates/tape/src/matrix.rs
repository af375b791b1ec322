//! A dense matrix as plain data, for Jacobians and Hessians.

use core::ops::{Index, IndexMut};

/// A matrix in row-major order: entry (i, j) is `data[i * columns + j]`, and `matrix[(i, j)]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "crate::interop::serde::UncheckedMatrix<T>"))]
pub struct Matrix<T = f64> {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// The entries, row after row: `rows * columns` of them.
    pub data: Vec<T>,
}

impl<T> Matrix<T> {
    /// A row as a slice of `columns` numbers.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn row(&self, row: usize) -> &[T] {
        assert!(row < self.rows, "row {row} of a matrix of {} rows", self.rows);
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    #[track_caller]
    fn position(&self, (row, column): (usize, usize)) -> usize {
        let (rows, columns) = (self.rows, self.columns);
        assert!(
            row < rows && column < columns,
            "entry ({row}, {column}) of a {rows}×{columns} matrix"
        );
        row * columns + column
    }
}

/// # Panics
/// When there is no such entry.
impl<T> Index<(usize, usize)> for Matrix<T> {
    type Output = T;

    #[track_caller]
    fn index(&self, entry: (usize, usize)) -> &T {
        &self.data[self.position(entry)]
    }
}

/// # Panics
/// When there is no such entry.
impl<T> IndexMut<(usize, usize)> for Matrix<T> {
    #[track_caller]
    fn index_mut(&mut self, entry: (usize, usize)) -> &mut T {
        let position = self.position(entry);
        &mut self.data[position]
    }
}
