//! Learning columns from a table, and applying them to one.

use core::fmt;
use core::ops::Range;

#[cfg(feature = "rayon")]
use rayon::prelude::*;
use tape::Matrix;

use super::super::cell::{DAY, TIMED, days_of};
use super::super::cells::{SaidGaps, Value, Values, has_time};
use super::super::encoding::{Cells, Taken};
use super::super::{BadCell, Encoding, Error, Flaw, Listing, Table, Why};
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
    /// Columns of categories that an [`Embedding`](crate::Embedding) is to look up, however many there are, each with how
    /// many numbers a category stands for, if not [as many as is usual](crate::Embedding::usual_dimensions).
    pub embed: Vec<(String, Option<usize>)>,
    /// Whether that is so of every column with more categories than `categories`: none of them has to share then.
    /// [`Columns::embeddings`] are the layers that such columns ask for.
    pub embed_many: bool,
}

impl Default for ColumnSettings {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            gaps: Vec::new(),
            categories: 50,
            embed: Vec::new(),
            embed_many: false,
        }
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
    /// column is left out; [`Error::UnknownColumn`] and [`Error::ColumnTwice`] for the columns that are said to be text, or to be embedded.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn learn(table: &Table, rows: &[usize], settings: &ColumnSettings) -> Result<Self, Error> {
        let said = table.positions(&settings.text)?;
        let positions: Vec<usize> = (0..table.columns().len()).collect();
        positions.iter().try_for_each(|&position| table.check_flat(position))?;
        let names: Vec<&String> = settings.embed.iter().map(|(name, _)| name).collect();
        let embedded = table.positions(&names)?;
        let learn = |&position: &usize| {
            let embed = embedded.iter().position(|&embedded| embedded == position);
            let embedded = embed.map(|place| &settings.embed[place]);
            let is_text = said.contains(&position) || embedded.is_some();
            learn_column(table, position, rows, settings, is_text, embedded)
        };
        #[cfg(feature = "rayon")]
        let encodings: Vec<_> = positions.par_iter().map(learn).collect();
        #[cfg(not(feature = "rayon"))]
        let encodings: Vec<_> = positions.iter().map(learn).collect();
        let mut bad = Listing::new();
        let mut columns = Vec::with_capacity(positions.len());
        for (name, encoding) in table.columns().iter().zip(encodings) {
            match encoding {
                Ok(encoding) => columns.push(Column { name: name.clone(), encoding }),
                Err(flaws) => {
                    for (row, flaw) in flaws {
                        bad.add(|| table.bad_cell(row, name, flaw));
                    }
                }
            }
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
        let (rows, width) = (table.len(), self.width());
        let mut inputs = Matrix { rows, columns: width, data: vec![0.0; rows * width] };
        let mut taken = Vec::new();
        let mut first = 0;
        for (column, position) in self.columns.iter().zip(self.places(table)?) {
            if let (own @ 1.., Some(position)) = (column.encoding.width(), position) {
                table.check_flat(position)?;
                let mut encoding = column.encoding.clone();
                // Where the training had no comma, this table says what its own mean.
                if let Encoding::Number { comma: comma @ None, .. } = &mut encoding {
                    *comma = table.comma(position);
                }
                taken.push(TakenColumn { name: &column.name, encoding, position, first, own });
                first += own;
            }
        }
        let said = SaidGaps::new(&self.gaps);
        let take = |(block, numbers): (usize, &mut [f64])| -> Vec<Found> {
            let rows = block * BLOCK..block * BLOCK + numbers.len() / width;
            let found = |(place, column): (usize, &TakenColumn<'_>)| {
                column.take(place, table, rows.clone(), &self.gaps, &said, numbers)
            };
            taken.iter().enumerate().filter_map(found).collect()
        };
        let size = BLOCK * width.max(1);
        #[cfg(feature = "rayon")]
        let found: Vec<Vec<Found>> =
            inputs.data.par_chunks_mut(size).enumerate().map(take).collect();
        #[cfg(not(feature = "rayon"))]
        let found: Vec<Vec<Found>> = inputs.data.chunks_mut(size).enumerate().map(take).collect();
        // Column by column, and in each from the first row to the last.
        let mut found: Vec<Found> = found.into_iter().flatten().collect();
        found.sort_by_key(|found| found.place);
        let (mut notes, mut bad) = (Vec::new(), Listing::new());
        for one in found.chunk_by_mut(|a, b| a.place == b.place) {
            let mut note = Note::new(taken[one[0].place].name);
            for Found { note: more, bad: cells, .. } in one {
                if note.unknown == 0 {
                    note.example = core::mem::take(&mut more.example);
                }
                note.filled += more.filled;
                note.unknown += more.unknown;
                bad.append(core::mem::replace(cells, Listing::new()), |cell| cell);
            }
            if note.filled + note.unknown > 0 {
                notes.push(note);
            }
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

/// How many rows are taken at a time: their numbers stay near the processor while one column after the other is written.
const BLOCK: usize = 2048;

/// A column that becomes numbers: where it stands in a table, and where its numbers stand in a row.
struct TakenColumn<'a> {
    name: &'a str,
    encoding: Encoding,
    position: usize,
    first: usize,
    own: usize,
}

/// What was not as in the training in some rows of the column at this place.
struct Found {
    place: usize,
    note: Note,
    bad: Listing<BadCell>,
}

impl TakenColumn<'_> {
    /// Writes the numbers of these rows.
    fn take(
        &self,
        place: usize,
        table: &Table,
        rows: Range<usize>,
        gaps: &[String],
        said: &SaidGaps,
        numbers: &mut [f64],
    ) -> Option<Found> {
        let mut found = Found { place, note: Note::new(self.name), bad: Listing::new() };
        let width = numbers.len() / rows.len();
        let column = table.column(self.position);
        let values = column.values();
        let mut texts = (!self.encoding.takes(values)).then(|| column.texts().cursor());
        for (row, numbers) in rows.zip(numbers.chunks_exact_mut(width)) {
            let numbers = &mut numbers[self.first..][..self.own];
            let at = table.row_of(row);
            let cell = texts.as_mut().map(|texts| texts.at(at));
            let taken = match cell {
                Some(cell) => self.encoding.write(cell, gaps, numbers),
                None => self.encoding.write_value(said.seen(values.at(at)), numbers),
            };
            match taken {
                Ok(Taken::AsItIs) => {}
                Ok(Taken::Filled) => found.note.filled += 1,
                Ok(Taken::Unknown) => {
                    if found.note.unknown == 0 {
                        cell.unwrap_or_default().clone_into(&mut found.note.example);
                    }
                    found.note.unknown += 1;
                }
                Err(flaw) => found.bad.add(|| table.bad_cell(row, self.name, flaw)),
            }
        }
        (found.note.filled + found.note.unknown + found.bad.count > 0).then_some(found)
    }
}

impl Note {
    fn new(column: &str) -> Self {
        Self { column: column.to_owned(), filled: 0, unknown: 0, example: String::new() }
    }
}

/// What a column is to be taken for; or the rows of the cells that keep it from that.
fn learn_column(
    table: &Table,
    position: usize,
    rows: &[usize],
    settings: &ColumnSettings,
    is_text: bool,
    embedded: Option<&(String, Option<usize>)>,
) -> Result<Encoding, Vec<(usize, Flaw)>> {
    let values = table.column(position).values();
    if is_text || matches!(values, Values::Texts) || table.is_nameless(position) {
        let all: Vec<&str> = table.cells_at(position).collect();
        let numbering = (!is_text).then(|| row_labels(table, position, &all)).flatten();
        if let Some(why) = numbering {
            return Ok(Encoding::LeftOut { why });
        }
        if matches!(values, Values::Texts) || is_text {
            let has_comma = table.has_comma(position);
            let delimiter = table.delimiter();
            let cells = Cells { all, rows, delimiter, is_text, has_comma, embedded };
            return Encoding::learn(&cells, settings);
        }
    }
    let said = SaidGaps::new(&settings.gaps);
    let at = |row: usize| said.seen(values.at(table.row_of(row)));
    let gaps = rows.iter().any(|&row| at(row) == Value::Gap);
    let all = || (0..table.len()).map(at);
    match values {
        Values::Numbers(_) if is_counting(table, position, all) => {
            Ok(Encoding::LeftOut { why: Why::RowNumbers })
        }
        _ if all().all(|value| value == Value::Gap) => Ok(Encoding::LeftOut { why: Why::Empty }),
        Values::Answers(_) => {
            let answers = rows.iter().filter_map(|&row| match at(row) {
                Value::Answer(yes) => Some(yes),
                _ => None,
            });
            Ok(Encoding::of_answers(answers, gaps))
        }
        Values::Moments(moments) => {
            let days = rows.iter().filter_map(|&row| match at(row) {
                Value::Moment(moment) => Some(days_of(moment)),
                _ => None,
            });
            let format = if has_time(moments) { TIMED } else { DAY }.to_owned();
            let day = |fill| Encoding::Day { format, fill, gaps };
            Ok(Encoding::of_amounts(days.collect(), gaps, day))
        }
        _ => {
            let numbers: Vec<f64> = all().map(Value::number).collect();
            Encoding::of_numbers(&numbers, rows, None, |row| numbers[row].to_string())
        }
    }
}

/// Whether a column of numbers that is called as the numbers of rows are counts them, from 0 or from 1.
fn is_counting<I: Iterator<Item = Value>>(
    table: &Table,
    position: usize,
    values: impl Fn() -> I,
) -> bool {
    let counts_from = |start: usize| {
        let mut counted = values().zip(start..);
        counted.all(|(value, number)| value == Value::Number(number as f64))
    };
    is_called_as_rows(table, position) && (counts_from(0) || counts_from(1))
}

/// Whether a column has a name that is given to the numbers of rows, and is not the only one of a few rows.
fn is_called_as_rows(table: &Table, position: usize) -> bool {
    const NAMES: [&str; 6] = ["unnamed: 0", "rownames", "row_names", "row.names", "index", "id"];
    let name = &table.columns()[position];
    NAMES.iter().any(|other| name.eq_ignore_ascii_case(other)) && has_many(table)
}

/// Whether there is more than a column of a few rows.
fn has_many(table: &Table) -> bool {
    table.columns().len() >= 2 && table.len() >= 3
}

/// Whether a column does no more than tell the rows apart: it counts them, or it is a first column without a name and no
/// cell comes twice.
fn row_labels(table: &Table, position: usize, cells: &[&str]) -> Option<Why> {
    let is_nameless = table.labels_rows(position) && has_many(table);
    if !is_nameless && !is_called_as_rows(table, position) {
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
