//! What can be wrong with a table, and with what is asked of it.

use core::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What is wrong with a table, or with what is asked of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is wrong in a file.
    #[error("in {}: {source}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What.
        source: Box<Error>,
    },
    /// The input is no CSV: not UTF-8, or damaged compression.
    #[error("cannot read the table: {0}")]
    Unreadable(String),
    /// A line has more or fewer cells than the first.
    #[error("line {line} has {found} cells where the first line has {expected}")]
    Cells {
        /// The line in the file, from 1.
        line: u64,
        /// How many cells it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// No rows.
    #[error("the table has no rows")]
    NoRows,
    /// Two columns of one name.
    #[error("two columns have the name {name:?}: rename one in the first line")]
    DuplicateColumn {
        /// The name that appears again.
        name: String,
    },
    /// A column that is not in the table.
    #[error("there is no column {name:?}: {}", known_columns(near.as_deref(), columns))]
    UnknownColumn {
        /// The name as given.
        name: String,
        /// The name most like it, if one is.
        near: Option<String>,
        /// All names.
        columns: Vec<String>,
    },
    /// Cells that are no finite numbers.
    #[error("{}", listed(cells, *more))]
    NotNumbers {
        /// The first of them, line by line.
        cells: Vec<BadCell>,
        /// How many there are beyond these.
        more: usize,
    },
    /// A target without inputs beside it.
    #[error("the table has no columns beside the target: there is nothing to learn from")]
    NoInputs,
    /// A target with one class.
    #[error("every row has the class {label:?}: there is nothing to tell apart")]
    OneClass {
        /// It.
        label: String,
    },
    /// A target with about as many classes as rows.
    #[error(
        "the column {column:?} has {classes} different values in {rows} rows: these are no classes; \
         is it a number to predict (--task regress)?"
    )]
    TooManyClasses {
        /// The target.
        column: String,
        /// How many different values it has.
        classes: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A label that is not one of the classes.
    #[error("there is no class {label:?}: there are {}", known.join(", "))]
    UnknownClass {
        /// The label as given.
        label: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Inputs, targets or columns that do not match.
    #[error("{what}: {expected} expected, {found} given")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An infinite number, or NaN.
    #[error(
        "{what} have {value} in row {row}, column {column} (counted from 0): numbers must be finite"
    )]
    NonFinite {
        /// `the inputs` or `the targets`.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The number.
        value: f64,
    },
    /// A share of the rows that is no share.
    #[error("a part cannot be {fraction} of the rows: give a number between 0 and 1")]
    Fraction {
        /// As given.
        fraction: f64,
    },
    /// A split that leaves a part without rows.
    #[error("{fraction} of {rows} rows leaves one part empty")]
    EmptyPart {
        /// The share.
        fraction: f64,
        /// The rows to split.
        rows: usize,
    },
}

fn known_columns(near: Option<&str>, columns: &[String]) -> String {
    const MOST: usize = 12;
    match near {
        Some(near) => format!("do you mean {near:?}?"),
        None if columns.len() <= MOST => format!("there are {}", columns.join(", ")),
        None => format!("there are {}, … ({} in all)", columns[..MOST].join(", "), columns.len()),
    }
}

/// A cell that is no finite number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The line in the file, from 1.
    pub line: u64,
    /// The column's name.
    pub column: String,
    /// What stands there.
    pub text: String,
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, text } = self;
        write!(f, "line {line}, column {column:?}")?;
        match text.parse::<f64>() {
            _ if text.is_empty() => f.write_str(" is empty"),
            Ok(number) => write!(f, ": {number} is not finite"),
            Err(_) => write!(f, ": {text:?} is not a number"),
        }
    }
}

fn listed(cells: &[BadCell], more: usize) -> String {
    let mut text = cells.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    if more > 0 {
        text += "\nand ";
        text += &more.to_string();
        text += " more cells";
    }
    text
}
