//! Learning columns from a table, and applying them to one.

use core::fmt;

use tape::Matrix;

use super::super::encoding::{Cells, Taken};
use super::super::{BadCell, Comma, Encoding, Error, Listing, Table, Why};
use super::{Column, Columns};

/// How columns are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSettings {
    /// The columns whose cells are names of categories, even if they look like numbers or never come twice: by name or
    /// position, as [`Table`] finds them.
    pub text: Vec<String>,
    /// Texts that mean a gap, beside the empty cell, `NA`, `N/A`, `NaN`, `null` and `?`, and among numbers and dates `-`,
    /// `.` and `none`.
    pub gaps: Vec<String>,
    /// How many categories of a column have a number of their own at most; the rarer ones share one.
    pub categories: usize,
}

impl Default for ColumnSettings {
    fn default() -> Self {
        Self { text: Vec::new(), gaps: Vec::new(), categories: 50 }
    }
}

/// A table as numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// A row per row of the table, a column per name of [`Columns::names`].
    pub inputs: Matrix<f64>,
    /// What a user should know of it.
    pub notes: Vec<Note>,
}

/// Cells that were not as in the training, and were taken all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The column's name.
    pub column: String,
    /// How many gaps were filled in a column that had none in the training.
    pub filled: usize,
    /// How many cells are of no category that the training had.
    pub unknown: usize,
    /// The first such text.
    pub example: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells =
            |count| if count == 1 { "1 cell is".to_owned() } else { format!("{count} cells are") };
        write!(f, "column {:?}: ", self.column)?;
        if self.filled > 0 {
            write!(f, "{} empty, which none was in the training: filled", cells(self.filled))?;
        }
        if self.filled > 0 && self.unknown > 0 {
            f.write_str("; ")?;
        }
        if self.unknown > 0 {
            let example = &self.example;
            write!(
                f,
                "{} of no category that the training had ({example:?})",
                cells(self.unknown)
            )?;
        }
        Ok(())
    }
}

impl Columns {
    /// What each column of a table is taken for: its kind by all rows, its categories, medians and gaps by `rows`, those to
    /// learn from, counted from 0. The table has no targets in it any more: see [`Table::drop`].
    ///
    /// # Errors
    /// [`Error::BadCells`] for a column of numbers with a few cells that are none; [`Error::NoUsableInputs`] when every
    /// column is left out; [`Error::UnknownColumn`] and [`Error::ColumnTwice`] for the columns that are said to be text.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn learn(table: &Table, rows: &[usize], settings: &ColumnSettings) -> Result<Self, Error> {
        let said = table.positions(&settings.text)?;
        let mut bad = Listing::new();
        let mut columns = Vec::with_capacity(table.columns().len());
        for (position, name) in table.columns().iter().enumerate() {
            let all: Vec<&str> = table.cells_at(position).collect();
            let is_text = said.contains(&position);
            let numbering = (!is_text).then(|| row_labels(table, position, &all)).flatten();
            let encoding = if let Some(why) = numbering {
                Encoding::LeftOut { why }
            } else {
                let cells = Cells { all, rows, delimiter: table.delimiter(), is_text };
                match Encoding::learn(&cells, settings) {
                    Ok(encoding) => encoding,
                    Err(flaws) => {
                        for (row, flaw) in flaws {
                            bad.add(|| BadCell {
                                line: table.line(row),
                                column: name.clone(),
                                flaw,
                            });
                        }
                        continue;
                    }
                }
            };
            columns.push(Column { name: name.clone(), encoding });
        }
        if bad.count > 0 {
            return Err(Error::BadCells(bad));
        }
        let columns = Self { columns, gaps: settings.gaps.clone() };
        if columns.width() == 0 {
            let columns = columns.columns.iter().map(ToString::to_string).collect();
            return Err(Error::NoUsableInputs { columns });
        }
        Ok(columns)
    }

    /// The numbers of a table, which may have other columns, and its columns in another order. Without a header it has the
    /// same columns in the same order.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::ColumnCount`]; [`Error::BadCells`] for cells that are not what their column was
    /// taken for.
    pub fn apply(&self, table: &Table) -> Result<Encoded, Error> {
        let positions = self.places(table)?;
        let (rows, width) = (table.len(), self.width());
        let mut inputs = Matrix { rows, columns: width, data: vec![0.0; rows * width] };
        let (mut notes, mut bad) = (Vec::new(), Listing::new());
        let mut first = 0;
        for (column, position) in self.columns.iter().zip(positions) {
            let (own, Some(position)) = (column.encoding.width(), position) else { continue };
            let name = &column.name;
            let mut encoding = column.encoding.clone();
            // Where the training had no comma, this table says what its own mean.
            if let Encoding::Number { comma: comma @ None, .. } = &mut encoding {
                *comma = Comma::of(table.cells_at(position), table.delimiter());
            }
            let mut note =
                Note { column: name.clone(), filled: 0, unknown: 0, example: String::new() };
            for (row, cell) in table.cells_at(position).enumerate() {
                let numbers = &mut inputs.data[row * width + first..][..own];
                match encoding.write(cell, &self.gaps, numbers) {
                    Ok(Taken::AsItIs) => {}
                    Ok(Taken::Filled) => note.filled += 1,
                    Ok(Taken::Unknown) => {
                        if note.unknown == 0 {
                            cell.clone_into(&mut note.example);
                        }
                        note.unknown += 1;
                    }
                    Err(flaw) => {
                        bad.add(|| BadCell { line: table.line(row), column: name.clone(), flaw });
                    }
                }
            }
            if note.filled + note.unknown > 0 {
                notes.push(note);
            }
            first += own;
        }
        if bad.count == 0 { Ok(Encoded { inputs, notes }) } else { Err(Error::BadCells(bad)) }
    }

    /// Where each column stands in a table; none where it is left out.
    fn places(&self, table: &Table) -> Result<Vec<Option<usize>>, Error> {
        let count = self.columns.len();
        let by_name = |column: &Column| match table.place(&column.name) {
            _ if column.encoding.width() == 0 => Ok(None),
            Some(place) => Ok(Some(place)),
            None => Err(table.unknown(&column.name)),
        };
        if table.has_header() {
            return self.columns.iter().map(by_name).collect();
        }
        let used = || self.columns.iter().filter(|column| column.encoding.width() > 0);
        match table.columns().len() {
            given if given == count => Ok((0..count).map(Some).collect()),
            // Numbered names are the same in the table of the training, which had no header either.
            _ if used().all(|column| table.place(&column.name).is_some()) => {
                self.columns.iter().map(by_name).collect()
            }
            given => Err(Error::ColumnCount { expected: count, given }),
        }
    }
}

/// Whether a column does no more than tell the rows apart: it counts them, or it is a first column without a name and no
/// cell comes twice.
fn row_labels(table: &Table, position: usize, cells: &[&str]) -> Option<Why> {
    const NAMES: [&str; 6] = ["unnamed: 0", "rownames", "row_names", "row.names", "index", "id"];
    let is_nameless = table.is_first(position) && table.is_nameless(position);
    let is_called_so =
        || NAMES.iter().any(|name| table.columns()[position].eq_ignore_ascii_case(name));
    if !is_nameless && !is_called_so() || table.columns().len() < 2 || cells.len() < 3 {
        return None;
    }
    let counts_from = |start: usize| {
        let mut counted = cells.iter().zip(start..);
        counted.all(|(cell, number)| cell.parse() == Ok(number))
    };
    if counts_from(0) || counts_from(1) {
        return Some(Why::RowNumbers);
    }
    if !is_nameless || !table.has_header() {
        return None;
    }
    let is_whole = |cell: &&str| cell.parse::<u64>().is_ok();
    let is_number = |cell: &&str| cell.parse::<f64>().is_ok();
    let different = cells.iter().collect::<std::collections::HashSet<_>>().len();
    match different == cells.len() {
        true if cells.iter().all(is_whole) => Some(Why::RowNumbers),
        true if !cells.iter().all(is_number) => Some(Why::RowNames),
        _ => None,
    }
}
