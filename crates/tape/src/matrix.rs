//! A dense matrix as plain data, for Jacobians and Hessians.

use core::fmt::{self, Display};
use core::ops::{Index, IndexMut};

use crate::error::Error;
use crate::real::Real;

/// A matrix in row-major order: entry (i, j) is `data[i * columns + j]`, and `matrix[(i, j)]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "UncheckedMatrix<T>"))]
pub struct Matrix<T = f64> {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// The entries, row after row: `rows * columns` of them.
    pub data: Vec<T>,
}

impl<T> Matrix<T> {
    /// The matrix of these entries, row after row: the fields, checked.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not `rows * columns` of them.
    ///
    /// ```
    /// let matrix = tape::Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(matrix[(1, 0)], 4.0);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn new(rows: usize, columns: usize, data: Vec<T>) -> Result<Self, Error> {
        if rows.checked_mul(columns) == Some(data.len()) {
            Ok(Self { rows, columns, data })
        } else {
            Err(Error::Shape { rows, columns, given: data.len() })
        }
    }

    /// [`Matrix::new`], by the name that says in which order the entries stand.
    ///
    /// # Errors
    /// As [`Matrix::new`].
    ///
    /// ```
    /// let matrix = tape::Matrix::from_rows(2, 2, vec![1.0, 2.0,
    ///                                                 3.0, 4.0])?;
    /// assert_eq!(matrix.row(1), [3.0, 4.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn from_rows(rows: usize, columns: usize, data: Vec<T>) -> Result<Self, Error> {
        Self::new(rows, columns, data)
    }

    /// The matrix whose entry in row i and column j is `entry(i, j)`.
    ///
    /// ```
    /// let identity = tape::Matrix::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.0 });
    /// assert_eq!(identity.data, [1.0, 0.0,
    ///                            0.0, 1.0]);
    /// ```
    pub fn from_fn(rows: usize, columns: usize, mut entry: impl FnMut(usize, usize) -> T) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            data.extend((0..columns).map(|column| entry(row, column)));
        }
        Self { rows, columns, data }
    }

    /// The rows in order, each a slice of `columns` entries.
    ///
    /// ```
    /// let matrix = tape::Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?;
    /// assert!(matrix.rows_iter().eq([[1.0, 2.0], [3.0, 4.0]]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn rows_iter(&self) -> impl ExactSizeIterator<Item = &[T]> + '_ {
        (0..self.rows).map(|row| self.row(row))
    }

    /// A column's entries, from the first row to the last.
    ///
    /// # Panics
    /// When there is no such column.
    ///
    /// ```
    /// let matrix = tape::Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?;
    /// assert!(matrix.column(1).eq(&[2.0, 4.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn column(&self, column: usize) -> impl ExactSizeIterator<Item = &T> + '_ {
        assert!(column < self.columns, "column {column} of a matrix of {} columns", self.columns);
        (0..self.rows).map(move |row| &self.data[row * self.columns + column])
    }

    /// The matrix with rows and columns exchanged.
    ///
    /// ```
    /// let matrix = tape::Matrix::from_fn(2, 3, |i, j| (i, j));
    /// assert_eq!(matrix.transpose()[(2, 1)], (1, 2));
    /// ```
    pub fn transpose(&self) -> Self
    where
        T: Clone,
    {
        Self::from_fn(self.columns, self.rows, |row, column| self[(column, row)].clone())
    }

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

impl<T: Real> Matrix<T> {
    /// The product with a vector: `rows` numbers.
    ///
    /// # Panics
    /// When the vector has not `columns` numbers.
    ///
    /// ```
    /// let matrix = tape::Matrix::from_rows(2, 2, vec![1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(matrix.mul_vector(&[1.0, 10.0]), [21.0, 43.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn mul_vector(&self, vector: &[T]) -> Vec<T> {
        assert!(
            vector.len() == self.columns,
            "mul_vector of a {}×{} matrix with {} numbers",
            self.rows,
            self.columns,
            vector.len()
        );
        self.rows_iter().map(|row| T::dot(row, vector)).collect()
    }
}

/// A line for each row, its entries right-aligned. A precision applies to each.
///
/// ```
/// let matrix = tape::Matrix::new(2, 2, vec![1.0, -2.5, 30.0, 4.0])?;
/// assert_eq!(matrix.to_string(), "   1  -2.5\n  30     4");
/// assert_eq!(format!("{matrix:.1}"), " 1.0  -2.5\n30.0   4.0");
/// # Ok::<(), tape::Error>(())
/// ```
impl<T: Display> Display for Matrix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |entry: &T| match f.precision() {
            Some(precision) => format!("{entry:.precision$}"),
            None => entry.to_string(),
        };
        let entries: Vec<String> = self.data.iter().map(text).collect();
        let width = entries.iter().map(|entry| entry.chars().count()).max().unwrap_or(0);
        for (index, entry) in entries.iter().enumerate() {
            let is_first = index % self.columns == 0;
            let between = if index == 0 {
                ""
            } else if is_first {
                "\n"
            } else {
                "  "
            };
            write!(f, "{between}{entry:>width$}")?;
        }
        Ok(())
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

/// A matrix as it is written, before its size is checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(rename = "Matrix")]
struct UncheckedMatrix<T> {
    rows: usize,
    columns: usize,
    data: Vec<T>,
}

#[cfg(feature = "serde")]
impl<T> TryFrom<UncheckedMatrix<T>> for Matrix<T> {
    type Error = Error;

    fn try_from(matrix: UncheckedMatrix<T>) -> Result<Self, Error> {
        Self::new(matrix.rows, matrix.columns, matrix.data)
    }
}
