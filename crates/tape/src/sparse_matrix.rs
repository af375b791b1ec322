//! A sparse matrix as plain data, for Jacobians and Hessians of many variables.

use crate::matrix::Matrix;
#[cfg(feature = "serde")]
use crate::pattern;
use crate::pattern::Pattern;

/// A matrix of which only some entries are kept, row after row (compressed sparse rows, CSR).
///
/// The entries of row i are `data[starts[i]..starts[i + 1]]`, and they stand in the columns
/// `indices[starts[i]..starts[i + 1]]`, which ascend. A kept entry may happen to be 0.
///
/// With the crate's feature `faer` or `sprs`, the matrix becomes one of these crates by `into()`.
///
/// ```
/// let f = |x: &[tape::Var]| x[0] * x[1] + x[2].powi(2);
/// let program = tape::Program::trace(f, &[1.0; 3])?;
/// let (_, _, hessian) = program.sparse_hessian(&[1.0, 2.0, 3.0])?;
/// assert_eq!(hessian.starts, [0, 1, 2, 3]);
/// assert_eq!(hessian.indices, [1, 0, 2]);
/// assert_eq!(hessian.data, [1.0, 1.0, 2.0]);
/// # Ok::<(), tape::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "UncheckedSparseMatrix"))]
pub struct SparseMatrix {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// Where each row begins in `indices` and `data`, and after the last one their length: `rows + 1` numbers.
    pub starts: Vec<usize>,
    /// The column of each entry.
    pub indices: Vec<usize>,
    /// The entries.
    pub data: Vec<f64>,
}

impl SparseMatrix {
    /// A matrix with these entries in a pattern's places.
    pub(crate) fn new(pattern: &Pattern, data: Vec<f64>) -> Self {
        Self {
            rows: pattern.rows(),
            columns: pattern.columns(),
            starts: pattern.starts().to_vec(),
            indices: pattern.indices().to_vec(),
            data,
        }
    }

    /// The number of entries that are kept.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether no entry is kept.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The entry in this place: 0 where none is kept.
    ///
    /// # Panics
    /// When there is no such entry.
    #[track_caller]
    pub fn get(&self, row: usize, column: usize) -> f64 {
        let (rows, columns) = (self.rows, self.columns);
        assert!(
            row < rows && column < columns,
            "entry ({row}, {column}) of a {rows}×{columns} matrix"
        );
        let range = self.starts[row]..self.starts[row + 1];
        match self.indices[range.clone()].binary_search(&column) {
            Ok(position) => self.data[range.start + position],
            Err(_) => 0.0,
        }
    }

    /// The kept entries of a row, each with its column, from left to right.
    ///
    /// # Panics
    /// When there is no such row.
    ///
    /// ```
    /// let f = |x: &[tape::Var]| [x[0] * x[2], x[1]];
    /// let (_, jacobian) = tape::Program::trace(f, &[1.0; 3])?.sparse_jacobian(&[3.0, 4.0, 5.0])?;
    /// assert!(jacobian.row(0).eq([(0, 5.0), (2, 3.0)]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        assert!(row < self.rows, "row {row} of a matrix of {} rows", self.rows);
        let range = self.starts[row]..self.starts[row + 1];
        self.indices[range.clone()].iter().copied().zip(self.data[range].iter().copied())
    }

    /// The matrix with all its entries.
    ///
    /// ```
    /// let f = |x: &[tape::Var]| [x[0] * x[2], x[1]];
    /// let (_, jacobian) = tape::Program::trace(f, &[1.0; 3])?.sparse_jacobian(&[3.0, 4.0, 5.0])?;
    /// assert_eq!(jacobian.to_dense().data, [5.0, 0.0, 3.0,
    ///                                       0.0, 1.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn to_dense(&self) -> Matrix<f64> {
        let (rows, columns) = (self.rows, self.columns);
        let mut dense = Matrix { rows, columns, data: vec![0.0; rows * columns] };
        for row in 0..rows {
            for (column, entry) in self.row(row) {
                dense[(row, column)] = entry;
            }
        }
        dense
    }

    /// The product of the matrix with a vector of as many numbers as it has columns.
    ///
    /// # Panics
    /// When the vector has another length.
    ///
    /// ```
    /// let f = |x: &[tape::Var]| x[0] * x[1] + x[1].powi(3);
    /// let (_, _, hessian) = tape::Program::trace(f, &[1.0; 2])?.sparse_hessian(&[2.0, 3.0])?;
    /// assert_eq!(hessian.mul_vector(&[1.0, 10.0]), [10.0, 181.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn mul_vector(&self, vector: &[f64]) -> Vec<f64> {
        assert!(
            vector.len() == self.columns,
            "a vector of {} numbers, for a matrix of {} columns",
            vector.len(),
            self.columns
        );
        let product = |row| self.row(row).fold(0.0, |sum, (i, entry)| sum + entry * vector[i]);
        (0..self.rows).map(product).collect()
    }
}

/// A matrix as it is written, before its places are checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(rename = "SparseMatrix")]
struct UncheckedSparseMatrix {
    rows: usize,
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<usize>,
    data: Vec<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<UncheckedSparseMatrix> for SparseMatrix {
    type Error = &'static str;

    fn try_from(matrix: UncheckedSparseMatrix) -> Result<Self, &'static str> {
        let UncheckedSparseMatrix { rows, columns, starts, indices, data } = matrix;
        pattern::check_rows(columns, &starts, &indices)?;
        if starts.len() - 1 != rows {
            return Err("there is not one start for each row");
        }
        if data.len() != indices.len() {
            return Err("there is not one entry for each place");
        }
        Ok(Self { rows, columns, starts, indices, data })
    }
}
