//! Which entries of a matrix can be other than 0: the shape of a sparse Jacobian or Hessian.

use core::fmt::{self, Debug, Display};

/// The places of a sparse matrix that hold numbers, row after row.
///
/// [`Program::jacobian_sparsity`](crate::Program::jacobian_sparsity) and
/// [`Program::hessian_sparsity`](crate::Program::hessian_sparsity) give it for derivatives. Its `Display` is a small
/// picture.
///
/// ```
/// // A chain: each variable meets its neighbours only.
/// let f = |x: &[tape::Var]| tape::sum(&[x[0] * x[1], x[1] * x[2], x[2] * x[3]]);
/// let program = tape::Program::trace(f, &[1.0; 4])?;
/// let pattern = program.hessian_sparsity()?;
/// assert_eq!(pattern.row(1), [0, 2]);
/// assert_eq!(pattern.to_string(), "\
/// ·█··
/// █·█·
/// ·█·█
/// ··█·");
/// # Ok::<(), tape::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "UncheckedPattern"))]
pub struct Pattern {
    columns: usize,
    /// Where each row begins in `indices`, and after the last one their number.
    starts: Vec<usize>,
    /// The columns of each row's places, ascending.
    indices: Vec<usize>,
}

impl Pattern {
    /// The pattern whose rows take these columns, ascending.
    pub(crate) fn from_rows<R: IntoIterator<Item = usize>>(
        columns: usize,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut pattern = Self { columns, starts: vec![0], indices: Vec::new() };
        for row in rows {
            pattern.indices.extend(row);
            pattern.starts.push(pattern.indices.len());
        }
        debug_assert!((0..pattern.rows()).all(|row| pattern.row(row).is_sorted_by(|a, b| a < b)));
        pattern
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of places.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The columns of a row's places, ascending.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn row(&self, row: usize) -> &[usize] {
        assert!(row < self.rows(), "row {row} of a pattern of {} rows", self.rows());
        &self.indices[self.starts[row]..self.starts[row + 1]]
    }

    /// Whether the place (`row`, `column`) is one of the pattern's.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn contains(&self, row: usize, column: usize) -> bool {
        self.row(row).binary_search(&column).is_ok()
    }

    /// The places as (row, column), row after row, each from left to right.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| [x[1], x[0] * x[1]], &[1.0, 1.0])?;
    /// let places: Vec<_> = program.jacobian_sparsity().iter().collect();
    /// assert_eq!(places, [(0, 1), (1, 0), (1, 1)]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.rows()).flat_map(|row| self.row(row).iter().map(move |&column| (row, column)))
    }

    /// Where each row begins, and after the last one the number of places.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The columns of all places.
    pub(crate) fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The largest number of places in a row.
    pub(crate) fn longest_row(&self) -> usize {
        self.starts.windows(2).map(|bounds| bounds[1] - bounds[0]).max().unwrap_or(0)
    }

    /// The pattern with rows and columns exchanged.
    pub(crate) fn transposed(&self) -> Self {
        let mut starts = vec![0; self.columns + 1];
        for &column in &self.indices {
            starts[column + 1] += 1;
        }
        for column in 0..self.columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut indices = vec![0; self.len()];
        for (row, column) in self.iter() {
            indices[next[column]] = row;
            next[column] += 1;
        }
        Self { columns: self.rows(), starts, indices }
    }
}

/// The most rows and columns of a picture.
const PICTURE: usize = 64;

/// A character for each place: `█`, and `·` for those that are always 0. Of a large matrix each character stands for a
/// block, `█` where one of its places is the pattern's.
impl Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = self.rows().max(self.columns).div_ceil(PICTURE).max(1);
        let mut line = vec![false; self.columns.div_ceil(block)];
        for first in (0..self.rows()).step_by(block) {
            line.fill(false);
            for row in first..(first + block).min(self.rows()) {
                for &column in self.row(row) {
                    line[column / block] = true;
                }
            }
            f.write_str(if first == 0 { "" } else { "\n" })?;
            for &is_place in &line {
                f.write_str(if is_place { "█" } else { "·" })?;
            }
        }
        Ok(())
    }
}

impl Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} places of a {}×{} matrix", self.len(), self.rows(), self.columns)?;
        if self.rows().max(self.columns) <= PICTURE { write!(f, "\n{self}") } else { Ok(()) }
    }
}

/// A pattern as it is written, before it is checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(rename = "Pattern")]
struct UncheckedPattern {
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<usize>,
}

#[cfg(feature = "serde")]
impl TryFrom<UncheckedPattern> for Pattern {
    type Error = &'static str;

    fn try_from(pattern: UncheckedPattern) -> Result<Self, &'static str> {
        let UncheckedPattern { columns, starts, indices } = pattern;
        check_rows(columns, &starts, &indices)?;
        Ok(Self { columns, starts, indices })
    }
}

/// Whether these are compressed rows of a matrix: what reading one relies on, whoever wrote it.
#[cfg(feature = "serde")]
pub(crate) fn check_rows(
    columns: usize,
    starts: &[usize],
    indices: &[usize],
) -> Result<(), &'static str> {
    if starts.first() != Some(&0) || starts.last() != Some(&indices.len()) || !starts.is_sorted() {
        return Err("the rows' starts do not ascend from 0 to the number of places");
    }
    let rows = || starts.windows(2).map(|bounds| &indices[bounds[0]..bounds[1]]);
    if !rows().all(|row| row.is_sorted_by(|a, b| a < b)) {
        return Err("the columns of a row do not ascend");
    }
    if indices.iter().any(|&column| column >= columns) {
        return Err("a place lies beyond the last column");
    }
    Ok(())
}
