//! Matrices as they come and go: an array of rows.

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::failure::{Failure, check_length};

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
    pub(crate) fn check_size(
        &self,
        what: &'static str,
        rows: usize,
        columns: usize,
    ) -> Result<(), Failure> {
        if columns == 0 && self.data.is_empty() {
            return Ok(());
        }
        check_length(what, rows, self.count())?;
        check_length(what, columns, self.columns)
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

#[cfg(test)]
mod tests {
    use serde_json::{from_str, to_string};

    use super::*;

    #[test]
    fn an_array_of_arrays_is_read() {
        let rows: Rows = from_str("[[1, 2, 3], [4, 5, 6]]").unwrap();
        assert_eq!(rows, Rows::new(3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    }

    #[test]
    fn what_was_read_is_written() {
        let text = "[[1.0,2.0],[3.0,0.1]]";
        assert_eq!(to_string(&from_str::<Rows>(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn no_rows_are_written_as_no_rows() {
        assert_eq!(to_string(&Rows::default()).unwrap(), "[]");
    }

    #[test]
    fn rows_of_different_lengths_are_an_error() {
        let error = from_str::<Rows>("[[1, 2], [3, 4], [5]]").unwrap_err();
        assert!(error.to_string().starts_with("row 2 has 1 numbers, but row 0 has 2"), "{error}");
    }

    #[test]
    fn a_row_of_words_is_an_error() {
        assert!(from_str::<Rows>("[[\"a\"]]").is_err());
    }

    #[test]
    fn six_numbers_make_two_rows_of_three() {
        assert_eq!(Rows::new(3, vec![0.0; 6]).count(), 2);
    }

    #[test]
    #[should_panic(expected = "rows of 4 numbers")]
    fn six_numbers_do_not_make_rows_of_four() {
        Rows::new(4, vec![0.0; 6]);
    }

    #[test]
    fn rows_of_nothing_are_none() {
        assert_eq!(from_str::<Rows>("[[], []]").unwrap().count(), 0);
    }

    #[test]
    fn a_row_is_found_by_its_index() {
        assert_eq!(Rows::new(2, vec![1.0, 2.0, 3.0, 4.0]).row(1), [3.0, 4.0]);
    }

    #[test]
    fn rows_come_in_order() {
        let rows = Rows::new(2, vec![1.0, 2.0, 3.0, 4.0]);
        assert!(rows.iter().eq([[1.0, 2.0], [3.0, 4.0]]));
    }

    #[track_caller]
    fn check_size(text: &str, rows: usize, columns: usize, expected: &str) {
        let matrix: Rows = from_str(text).unwrap();
        let failure = matrix.check_size("A", rows, columns).err();
        assert_eq!(failure.map_or(String::new(), |failure| failure.to_string()), expected);
    }

    #[test]
    fn a_matrix_of_the_right_size_is_right() {
        check_size("[[1, 2, 3], [4, 5, 6]]", 2, 3, "");
    }

    #[test]
    fn a_matrix_with_a_row_too_few_is_not() {
        check_size("[[1, 2, 3]]", 2, 3, "the input's A must have 2 items, not 1");
    }

    #[test]
    fn a_matrix_with_a_column_too_few_is_not() {
        check_size("[[1, 2], [4, 5]]", 2, 3, "the input's A must have 3 items, not 2");
    }

    #[test]
    fn a_matrix_without_columns_has_any_number_of_rows() {
        check_size("[[], []]", 5, 0, "");
    }

    #[test]
    fn a_matrix_that_should_have_no_columns_must_not_have_any() {
        check_size("[[1]]", 1, 0, "the input's A must have 0 items, not 1");
    }
}
