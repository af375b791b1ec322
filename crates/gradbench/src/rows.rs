//! Matrices as they come and go: an array of rows.

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::failure::{Failure, assert_length};

/// A matrix, row after row in one piece. In JSON it is an array of arrays of the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: usize,
    pub(crate) data: Vec<f64>,
}

impl Rows {
    /// # Panics
    /// When the numbers do not make whole rows.
    pub(crate) fn new(columns: usize, data: Vec<f64>) -> Self {
        assert!(columns > 0 && data.len().is_multiple_of(columns), "rows of {columns} numbers");
        Self { columns, data }
    }

    /// The number of rows.
    pub(crate) fn count(&self) -> usize {
        self.data.len().checked_div(self.columns).unwrap_or(0)
    }

    pub(crate) fn row(&self, index: usize) -> &[f64] {
        &self.data[index * self.columns..][..self.columns]
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.data.chunks_exact(self.columns.max(1))
    }

    /// An error unless the matrix has these sizes. A matrix of 0 columns has any number of rows.
    pub(crate) fn assert_size(
        &self,
        what: &'static str,
        rows: usize,
        columns: usize,
    ) -> Result<(), Failure> {
        if columns == 0 && self.data.is_empty() {
            return Ok(());
        }
        assert_length(what, rows, self.count())?;
        assert_length(what, columns, self.columns)
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.count()))?;
        self.iter().try_for_each(|row| rows.serialize_element(row))?;
        rows.end()
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows: Vec<Vec<f64>> = Vec::deserialize(deserializer)?;
        let columns = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().position(|row| row.len() != columns) {
            let given = rows[row].len();
            return Err(D::Error::custom(format_args!(
                "row {row} has {given} numbers, but row 0 has {columns}"
            )));
        }
        Ok(Self { columns, data: rows.concat() })
    }
}
