//! How a table's file is written, where a user knows better than what is read off it.

/// What is known of a CSV file; a Parquet file says it all itself. The default is nothing: [`Table`](super::Table) says what is read off the file then.
///
/// ```
/// use nn::data::{Format, Table};
///
/// let names = Format { header: Some(false), ..Format::default() };
/// let table = Table::from_reader_as("Ada,1\nKurt,2\n".as_bytes(), names)?;
/// assert_eq!(table.columns(), ["column1", "column2"]);
///
/// let bars = Format { delimiter: Some(b'|'), ..Format::default() };
/// let table = Table::from_reader_as("x|y,z\n1|2\n".as_bytes(), bars)?;
/// assert_eq!(table.columns(), ["x", "y,z"]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// What stands between cells: an ASCII character.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns.
    pub header: Option<bool>,
}
