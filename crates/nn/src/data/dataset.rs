//! Inputs and targets, row by row: what a network learns from.

use tape::Matrix;

use super::Error;
use crate::Samples;

/// Rows of inputs, each with its row of targets.
///
/// The fields are open so that they can be standardised in place. What [`Dataset::new`] checks is expected to hold
/// afterwards too: as many rows of targets as of inputs, a name per column.
///
/// ```
/// use nn::data::Dataset;
/// use tape::Matrix;
///
/// let inputs = Matrix { rows: 3, columns: 2, data: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] };
/// let targets = Matrix { rows: 3, columns: 1, data: vec![1.0, 5.0, 9.0] };
/// let dataset = Dataset::new(inputs, targets)?.named(["x", "y"], ["sum"])?;
///
/// assert_eq!(dataset.len(), 3);
/// assert_eq!(dataset.rows(&[2, 0]).targets.data, [9.0, 1.0]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// A row per example, a column per input.
    pub inputs: Matrix<f64>,
    /// A row per example; a column per target, or per class: 1 for the example's class and 0 for the others (one-hot).
    pub targets: Matrix<f64>,
    /// The names of the inputs, as many as there are columns.
    pub input_names: Vec<String>,
    /// The names of the targets, or the labels of the classes, as many as there are columns.
    pub target_names: Vec<String>,
}

impl Dataset {
    /// Numbers that are in memory already. The columns are named `input1`, `input2`, … and `target1`, `target2`, …
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NoNumbers`], [`Error::RowCount`] and [`Error::NotFinite`].
    pub fn new(inputs: Matrix<f64>, targets: Matrix<f64>) -> Result<Self, Error> {
        check("the inputs", &inputs)?;
        check("the targets", &targets)?;
        same_rows("inputs", inputs.rows, "targets", targets.rows)?;
        let numbered = |name, count| (1..=count).map(|number| format!("{name}{number}")).collect();
        Ok(Self {
            input_names: numbered("input", inputs.columns),
            target_names: numbered("target", targets.columns),
            inputs,
            targets,
        })
    }

    /// With these names of the columns.
    ///
    /// # Errors
    /// [`Error::NameCount`] when there are more or fewer names than columns.
    pub fn named<S: Into<String>, T: Into<String>>(
        mut self,
        inputs: impl IntoIterator<Item = S>,
        targets: impl IntoIterator<Item = T>,
    ) -> Result<Self, Error> {
        self.input_names = inputs.into_iter().map(Into::into).collect();
        self.target_names = targets.into_iter().map(Into::into).collect();
        for (what, names, columns) in [
            ("inputs", self.input_names.len(), self.inputs.columns),
            ("targets", self.target_names.len(), self.targets.columns),
        ] {
            if names != columns {
                return Err(Error::NameCount { what, names, columns });
            }
        }
        Ok(self)
    }

    /// Both, as a training takes them.
    pub fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, targets: &self.targets }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.inputs.rows
    }

    /// Whether there are no rows, as after [`Dataset::rows`] of nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of these numbers, counted from 0, in this order. A number may be given more than once.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self {
            inputs: chosen(&self.inputs, rows),
            targets: chosen(&self.targets, rows),
            input_names: self.input_names.clone(),
            target_names: self.target_names.clone(),
        }
    }
}

#[track_caller]
fn chosen(matrix: &Matrix<f64>, rows: &[usize]) -> Matrix<f64> {
    let mut data = Vec::with_capacity(rows.len() * matrix.columns);
    for &row in rows {
        data.extend_from_slice(matrix.row(row));
    }
    Matrix { rows: rows.len(), columns: matrix.columns, data }
}

/// That the matrix is whole, has numbers, and that they are finite.
pub(crate) fn check(what: &'static str, matrix: &Matrix<f64>) -> Result<(), Error> {
    let &Matrix { rows, columns, ref data } = matrix;
    if rows.checked_mul(columns) != Some(data.len()) {
        return Err(Error::Shape { what, rows, columns, length: data.len() });
    }
    if data.is_empty() {
        return Err(Error::NoNumbers { what, rows, columns });
    }
    match data.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(place) => Err(Error::NotFinite {
            what,
            row: place / columns,
            column: place % columns,
            value: data[place],
        }),
    }
}

pub(crate) fn same_rows(
    what: &'static str,
    first: usize,
    other: &'static str,
    second: usize,
) -> Result<(), Error> {
    if first == second { Ok(()) } else { Err(Error::RowCount { what, first, other, second }) }
}
