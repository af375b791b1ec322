//! Everything that can be wrong with a table or a data set, each with what to do about it.

use core::fmt;
use std::io;

use thiserror::Error;

/// What is wrong with a table, a data set, a split or a standardisation.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not there, may not be read, or breaks off.
    #[error("cannot read {name}: {reason}")]
    Read {
        /// The file, or "the table" where no file is known.
        name: String,
        /// What the system answers.
        reason: io::Error,
    },
    /// A gzip file that does not unpack.
    #[error("the gzip data is damaged or cut off ({reason}): copy or compress the file again")]
    Gzip {
        /// What the decoder answers.
        reason: io::Error,
    },
    /// A Parquet file, where nothing can read it.
    #[error(
        "{name} is a Parquet file, and this program was built without the feature `parquet`: build it with \
         `--features parquet`, or save the table as CSV"
    )]
    NoParquet {
        /// The file, or "the table" where no file is known.
        name: String,
    },
    /// A Parquet file that is damaged, cut off, or none at all.
    #[error(
        "cannot read {name} as Parquet: damaged or cut off{place} ({reason}): copy or write the file again"
    )]
    Parquet {
        /// The file, or "the table" where no file is known.
        name: String,
        /// The row group, from 0, and the column, as ` in row group 0, column "x"`; empty where that is not known.
        place: String,
        /// What the decoder answers.
        reason: String,
    },
    /// A Parquet file whose compression hardly any program has.
    #[error(
        "column {column:?} is compressed by {compression}: write the file with zstd, snappy, gzip or lz4"
    )]
    ParquetCompression {
        /// The column's name.
        column: String,
        /// What packs its data.
        compression: String,
    },
    /// Bytes that are no UTF-8: another encoding, or no text at all.
    #[error("line {line} is not UTF-8 text: save the table as CSV in UTF-8")]
    NotText {
        /// The first such line, from 1.
        line: usize,
    },
    /// A file without anything in it.
    #[error("the table is empty: it needs a line for each row")]
    Empty,
    /// A header above nothing.
    #[error("the table has a header (line {line}) and no rows under it")]
    OnlyHeader {
        /// The header's line, from 1.
        line: usize,
    },
    /// A quoted cell without an end, which swallows the lines after it.
    #[error("a quoted cell of line {line} has no closing quote")]
    UnclosedQuote {
        /// Where its row begins, from 1.
        line: usize,
    },
    /// Rows with more or fewer cells than the first line.
    #[error(
        "{0}\na cell that contains the delimiter stands in quotes; an empty cell still has its delimiter"
    )]
    RaggedRows(Listing<RaggedRow>),
    /// Two columns of one name.
    #[error("columns {first} and {second} are both named {name:?}: give each a name of its own")]
    DuplicateName {
        /// The name that appears twice.
        name: String,
        /// The first column of that name, from 1.
        first: usize,
        /// The second one, from 1.
        second: usize,
    },
    /// A column asked for that is not there.
    #[error("there is no column {name:?}: {}", suggestion(near.as_deref(), columns))]
    UnknownColumn {
        /// The name or position as given.
        name: String,
        /// The column whose name is like it, if any.
        near: Option<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// A column with several values a cell.
    #[error(
        "column {column:?} is {kind}: leave it out, or write each of its values to a column of its own"
    )]
    Nested {
        /// The column's name.
        column: String,
        /// What it is: a list, a group of fields, bytes.
        kind: &'static str,
    },
    /// A column asked for twice.
    #[error("column {name:?} is asked for twice")]
    ColumnTwice {
        /// The column's name.
        name: String,
    },
    /// Cells that are empty, or no numbers, or not finite.
    #[error("{0}\ncorrect this in the file, or leave out the lines or the columns")]
    BadCells(Listing<BadCell>),
    /// No column was named as the target.
    #[error("no target: name at least one column")]
    NoTarget,
    /// Every column is a target.
    #[error("every column is a target: leave at least one as input")]
    NoInputs,
    /// A class column of fractions.
    #[error(
        "column {column:?} cannot be a class: it holds numbers that are not whole, such as {value}; predict it as a number"
    )]
    FractionalClass {
        /// The column's name.
        column: String,
        /// The first such number.
        value: f64,
    },
    /// A class column with (nearly) a class for each row.
    #[error(
        "column {column:?} cannot be a class: it has {classes} different values in {rows} rows; predict it as a number, or choose another target"
    )]
    TooManyClasses {
        /// The column's name.
        column: String,
        /// How many different values it has.
        classes: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A class column with the same value everywhere.
    #[error("column {column:?} is {label:?} in every row: there is nothing to tell apart")]
    OneClass {
        /// The column's name.
        column: String,
        /// Its only value.
        label: String,
    },
    /// Classes without a label, or with the same label twice.
    #[error(
        "the labels of classes are at least one and all different: these are {count}, of which {distinct} different"
    )]
    InvalidClasses {
        /// How many labels were given.
        count: usize,
        /// How many of them are different.
        distinct: usize,
    },
    /// A matrix whose data do not fill it.
    #[error("{what} are said to be {rows}×{columns} and hold {length} numbers")]
    Shape {
        /// The inputs, or the targets.
        what: &'static str,
        /// The number of rows as given.
        rows: usize,
        /// The number of columns as given.
        columns: usize,
        /// How many numbers there are.
        length: usize,
    },
    /// A matrix without rows or without columns.
    #[error("{what} are {rows}×{columns}: give at least one row and one column")]
    NoNumbers {
        /// The inputs, or the targets.
        what: &'static str,
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        columns: usize,
    },
    /// Inputs and targets, or targets and predictions, of different lengths.
    #[error(
        "row counts differ, {first} of {what} and {second} of {other}: each row needs its counterpart"
    )]
    RowCount {
        /// What the first rows are.
        what: &'static str,
        /// How many there are.
        first: usize,
        /// What the second rows are.
        other: &'static str,
        /// How many there are.
        second: usize,
    },
    /// More or fewer names than columns.
    #[error(
        "the number of names for the {what} is {names} and must be {columns}: each column has one"
    )]
    NameCount {
        /// The inputs, or the targets.
        what: &'static str,
        /// How many names were given.
        names: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// An infinite number, or NaN.
    #[error(
        "entry ({row}, {column}) of {what} is {value}: every number must be finite (rows and columns are counted from 0)"
    )]
    NotFinite {
        /// The inputs, or the targets.
        what: &'static str,
        /// Its row, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
        /// The number.
        value: f64,
    },
    /// A matrix with more or fewer columns than there were before, or than there are classes.
    #[error(
        "the number of columns is {given} and must be {expected}: give the same columns, in the same order"
    )]
    ColumnCount {
        /// How many columns are expected.
        expected: usize,
        /// How many there are.
        given: usize,
    },
    /// Means or standard deviations that no data can have, from a file that was changed by hand.
    #[error(
        "these are no means and standard deviations: as many of each, all finite, deviations greater than 0"
    )]
    InvalidStandardizer,
    /// A part of the rows outside the open interval from 0 to 1.
    #[error(
        "the part cannot be {fraction} of the rows: give a fraction between 0 and 1, such as 0.2"
    )]
    Fraction {
        /// The fraction as given.
        fraction: f64,
    },
    /// A split that leaves one side without rows.
    #[error(
        "with {fraction} of the rows ({rows} in all) one part is empty: give more rows, or another fraction"
    )]
    EmptyPart {
        /// The fraction as given.
        fraction: f64,
        /// How many rows there are.
        rows: usize,
    },
    /// A stratified split of targets that name no class.
    #[error(
        "row {row} of the targets (counted from 0) is not one-hot: split a regression without strata"
    )]
    NotOneHot {
        /// The first such row, from 0.
        row: usize,
    },
    /// A class that cannot be in both parts.
    #[error(
        "class {class:?} has a single row, and each part of a split needs one: add rows of it, or take it out"
    )]
    SingleRow {
        /// The class.
        class: String,
    },
    /// A part with fewer rows than there are classes.
    #[error(
        "a part of {part} cannot hold a row of each of {classes} classes: give more rows, or another fraction"
    )]
    FewerRowsThanClasses {
        /// How many rows the smaller part would have.
        part: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// Every input was left out.
    #[error(
        "no column is of use as input:\n{}\ngive a table with a column of numbers, of dates, or of texts that come again",
        columns.join("\n")
    )]
    NoUsableInputs {
        /// Each column, and why it was left out.
        columns: Vec<String>,
    },
    /// A matrix that no memory should be asked for.
    #[error(
        "{what} would be {rows}×{columns} numbers, more than {most}: give fewer rows, or a target of fewer classes"
    )]
    TooLarge {
        /// The inputs, or the targets.
        what: &'static str,
        /// How many rows there would be.
        rows: usize,
        /// How many columns.
        columns: usize,
        /// How many numbers there may be.
        most: usize,
    },
    /// A class of which there is no such number.
    #[error("there is no class {index}: {count} classes are counted from 0")]
    UnknownClass {
        /// The class as given.
        index: usize,
        /// How many classes there are.
        count: usize,
    },
}

/// A row with another number of cells than the first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaggedRow {
    /// Where the row begins in the file, from 1.
    pub line: usize,
    /// How many cells it has.
    pub cells: usize,
    /// How many the first line has.
    pub expected: usize,
}

impl fmt::Display for RaggedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, cells, expected } = self;
        let noun = if *cells == 1 { "cell" } else { "cells" };
        write!(f, "line {line} has {cells} {noun} where the first line has {expected}")
    }
}

/// A cell that cannot be used, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The line in which its row begins, or its row, where the file has no lines; both from 1.
    pub line: usize,
    /// Whether that is a row.
    pub is_row: bool,
    /// Its column's name.
    pub column: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing in it, or spaces only.
    Empty,
    /// Text where a number is needed.
    NotANumber(String),
    /// Infinity, NaN, or a number beyond the range of `f64`.
    NotFinite(String),
    /// A word in a column of yes and no.
    NotYesNo(String),
    /// A text in a column of dates.
    NotADay {
        /// The text.
        text: String,
        /// How the others are written, as `strftime` says it.
        format: String,
    },
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.is_row { "row" } else { "line" };
        write!(f, "{unit} {}, column {:?}", self.line, self.column)?;
        match &self.flaw {
            Flaw::Empty => write!(f, " is empty"),
            Flaw::NotYesNo(text) => write!(f, ": {:?} is neither yes nor no", shortened(text)),
            Flaw::NotADay { text, format } => {
                write!(f, ": {:?} is no date written {format}", shortened(text))
            }
            Flaw::NotFinite(text) => write!(f, ": {:?} is not finite", shortened(text)),
            Flaw::NotANumber(text) if text.replace(',', ".").parse::<f64>().is_ok() => {
                write!(f, ": {text:?} is not a number (its decimal sign must be a point)")
            }
            Flaw::NotANumber(text) => write!(f, ": {:?} is not a number", shortened(text)),
        }
    }
}

/// The first few of many findings, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// The first ones, at most [`Listing::LIMIT`].
    pub first: Vec<T>,
    /// How many there are in all.
    pub count: usize,
}

impl<T> Listing<T> {
    /// How many findings are kept.
    pub const LIMIT: usize = 10;

    #[cfg(feature = "csv")]
    pub(crate) fn new() -> Self {
        Self { first: Vec::new(), count: 0 }
    }

    /// Counts a finding, and makes and keeps it where there is room.
    #[cfg(feature = "csv")]
    pub(crate) fn add(&mut self, finding: impl FnOnce() -> T) {
        self.count += 1;
        if self.first.len() < Self::LIMIT {
            self.first.push(finding());
        }
    }

    /// Counts the findings of another listing, and keeps them changed so where there is room.
    #[cfg(feature = "csv")]
    pub(crate) fn append(&mut self, other: Self, change: impl Fn(T) -> T) {
        self.count += other.count;
        let room = Self::LIMIT - self.first.len();
        self.first.extend(other.first.into_iter().take(room).map(change));
    }
}

/// A line each, and how many more there are.
impl<T: fmt::Display> fmt::Display for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, finding) in self.first.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{finding}")?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// A cell's text as a message can show it.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn suggestion(near: Option<&str>, columns: &[String]) -> String {
    const SHOWN: usize = 10;
    if let Some(near) = near {
        return format!("did you mean {near:?}?");
    }
    let shown: Vec<String> = columns.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "the columns are {}{more}; by position they are 1 to {count}, or -1 to -{count} from the end",
        shown.join(", "),
        count = columns.len()
    )
}
