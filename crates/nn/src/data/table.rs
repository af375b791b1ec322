//! A CSV file as columns of text, from which numbers and classes are taken.

use core::iter;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use tape::Matrix;

use super::cell::{is_gap, is_gap_among_numbers, number};
use super::read::{Lines, read};
use super::{BadCell, Classes, Comma, Dataset, Error, Flaw, Format, Listing};
use crate::Fingerprint;
use crate::fingerprint::Press;

/// How many numbers a matrix of classes may have: 512 MiB.
const MOST: usize = 1 << 26;

/// The cells of a CSV file, plain or in gzip, as text.
///
/// **What is read.** UTF-8, with or without a byte-order mark; lines that end in `\n`, `\r\n` or `\r`; cells in quotes
/// (`"a, b"`), also with line breaks. Blank lines and spaces around cells are passed over, and so are comments: lines that
/// begin with `#`, above the rows, and among them where they have not the cells of a row. A file that begins with the bytes
/// `1f 8b` is unpacked as gzip, whatever its name.
///
/// **Delimiter.** What a first line like `sep=;` says. Otherwise, of comma, semicolon, tab and bar, the first that the first
/// line has outside of quotes, and all of the next lines as often; or simply the first that it has.
///
/// **Header.** The first line names the columns unless it is data itself. It is data when each of its cells is a
/// number; or when it holds numbers and the line under it does not speak against it, which it does with a number under
/// a text or under an empty first cell, or where texts and then numbers that rise, such as years, stand above other
/// numbers. Columns without a name are `column1`, `column2`, …, counted from 1. Where each line has one cell more than the
/// first, which is all text, the first column has no name, as R writes the names of rows.
///
/// A [`Format`] says what these rules guess wrong.
///
///
/// **Choosing columns.** By name; or by position, counted from 1 (`"1"`), or from the end (`"-1"`, the last). A name
/// wins over a position.
///
/// Whether a cell is a number is asked when its column is used: see [`Table::numbers`], and [`Columns`](super::Columns) for
/// columns that are something else.
///
/// ```
/// use nn::data::Table;
///
/// let table = Table::from_reader("x,y,kind\n1,2,a\n3,4,b\n".as_bytes())?;
/// assert_eq!(table.columns(), ["x", "y", "kind"]);
/// assert_eq!(table.len(), 2);
/// assert_eq!(table.numbers(&["y", "1"])?.data, [2.0, 1.0, 4.0, 3.0]);
///
/// let error = table.numbers(&["-1"]).unwrap_err();
/// assert!(error.to_string().starts_with(r#"line 2, column "kind": "a" is not a number"#));
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    lines: Arc<Lines>,
    header: bool,
    names: Vec<String>,
    /// The place of each name among them.
    by_name: HashMap<String, usize>,
    /// Where each column stands in the lines.
    places: Vec<usize>,
    /// Which lines the rows are, if not all but the header.
    rows: Option<Arc<[usize]>>,
}

/// What a network is to do with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Tell classes apart.
    Classify,
    /// Predict numbers.
    Regress,
}

impl Table {
    /// Reads a CSV file, plain or in gzip.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Gzip`], [`Error::NotText`], [`Error::Empty`], [`Error::OnlyHeader`],
    /// [`Error::UnclosedQuote`], [`Error::RaggedRows`] and [`Error::DuplicateName`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::read_as(path, Format::default())
    }

    /// As [`Table::read`], of a file that is written as `format` says.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_as(path: impl AsRef<Path>, format: Format) -> Result<Self, Error> {
        let path = path.as_ref();
        let name = format!("{:?}", path.display().to_string());
        match File::open(path) {
            Ok(file) => Self::from_lines(read(file, &name, format)?, format),
            Err(reason) => Err(Error::Read { name, reason }),
        }
    }

    /// Reads what would stand in such a file.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_reader(reader: impl Read) -> Result<Self, Error> {
        Self::from_reader_as(reader, Format::default())
    }

    /// As [`Table::from_reader`], where what stands there is written as `format` says.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_reader_as(reader: impl Read, format: Format) -> Result<Self, Error> {
        Self::from_lines(read(reader, "the table", format)?, format)
    }

    fn from_lines(lines: Lines, format: Format) -> Result<Self, Error> {
        let header = format.header.unwrap_or_else(|| lines.has_header());
        if header && lines.len() == 1 {
            return Err(Error::OnlyHeader { line: lines.number(0) });
        }
        let mut names = IndexMap::new();
        for column in 0..lines.width() {
            let name = match lines.cell(0, column) {
                name if header && !name.is_empty() => name.to_owned(),
                _ => format!("column{}", column + 1),
            };
            if let Some(first) = names.insert(name.clone(), column) {
                return Err(Error::DuplicateName { name, first: first + 1, second: column + 1 });
            }
        }
        let (names, places) = names.into_iter().unzip();
        Ok(Self::new(Arc::new(lines), header, names, places, None))
    }

    fn new(
        lines: Arc<Lines>,
        header: bool,
        names: Vec<String>,
        places: Vec<usize>,
        rows: Option<Arc<[usize]>>,
    ) -> Self {
        let by_name = names.iter().cloned().zip(0..).collect();
        Self { lines, header, names, by_name, places, rows }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// Whether the names come from the first line.
    pub fn has_header(&self) -> bool {
        self.header
    }

    /// How many rows there are, without the header: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always a row")]
    pub fn len(&self) -> usize {
        self.rows.as_ref().map_or(self.lines.len() - usize::from(self.header), |rows| rows.len())
    }

    /// The line of the file in which a row begins, counted from 1.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn line(&self, row: usize) -> usize {
        self.lines.number(self.line_of(row))
    }

    /// A table of these rows only, counted from 0, in this order.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self { rows: Some(rows.iter().map(|&row| self.line_of(row)).collect()), ..self.clone() }
    }

    /// The rows, counted from 0, that have no gap in these columns: no empty cell, no `NA`, `N/A`, `NaN`, `null` or `?`, and
    /// none of `gaps`; among numbers no `-`, `.` or `none` either.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] and [`Error::ColumnTwice`].
    pub fn whole_rows<C: AsRef<str>>(
        &self,
        columns: &[C],
        gaps: &[String],
    ) -> Result<Vec<usize>, Error> {
        let mut is_whole = vec![true; self.len()];
        for position in self.positions(columns)? {
            let is_said = |cell: &str| gaps.iter().any(|gap| gap == cell);
            let blank = |cell: &str| is_said(cell) || is_gap_among_numbers(cell);
            let comma = Comma::of(self.cells_at(position), self.delimiter());
            let is_numeric =
                self.cells_at(position).all(|cell| blank(cell) || number(cell, comma).is_some());
            for (cell, is_whole) in self.cells_at(position).zip(&mut is_whole) {
                let is_gap = if is_numeric { blank(cell) } else { is_said(cell) || is_gap(cell) };
                *is_whole &= !is_gap;
            }
        }
        Ok((0..self.len()).filter(|&row| is_whole[row]).collect())
    }

    /// What tells the table apart from one with other cells, other names, or another order of rows or columns. How the
    /// file writes them (compression, delimiter, quotes) does not matter.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut press = Press::default();
        for column in 0..self.names.len() {
            press.text(&self.names[column]);
            self.cells_at(column).for_each(|cell| press.text(cell));
        }
        press.finish()
    }

    /// The place of a column among [`Table::columns`], from 0.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], with a name that is like it, or all names.
    pub fn position(&self, column: &str) -> Result<usize, Error> {
        let column = column.trim();
        let count = self.names.len();
        let by_name = || self.place(column);
        let by_number = || {
            let number: isize = column.parse().ok()?;
            let distance = number.unsigned_abs();
            let place =
                if number < 0 { count.checked_sub(distance)? } else { distance.checked_sub(1)? };
            (place < count).then_some(place)
        };
        by_name().or_else(by_number).ok_or_else(|| self.unknown(column))
    }

    /// The cells of a column.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    pub fn cells(&self, column: &str) -> Result<impl ExactSizeIterator<Item = &str>, Error> {
        Ok(self.cells_at(self.position(column)?))
    }

    /// A table of these columns only, in this order.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] and [`Error::ColumnTwice`].
    pub fn select<C: AsRef<str>>(&self, columns: &[C]) -> Result<Self, Error> {
        Ok(self.of_positions(&self.positions(columns)?))
    }

    /// A table without these columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] and [`Error::ColumnTwice`].
    pub fn drop<C: AsRef<str>>(&self, columns: &[C]) -> Result<Self, Error> {
        Ok(self.of_positions(&self.others(&self.positions(columns)?)))
    }

    /// The numbers of these columns: a row per row of the table.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`]; [`Error::BadCells`] with the places of all cells that are empty, no numbers, or not
    /// finite.
    pub fn numbers<C: AsRef<str>>(&self, columns: &[C]) -> Result<Matrix<f64>, Error> {
        let positions: Result<Vec<usize>, Error> =
            columns.iter().map(|column| self.position(column.as_ref())).collect();
        self.numbers_at(&positions?)
    }

    /// The numbers of a column that writes them as people do: also as `1,234.50`, as `1.234,50` where a comma is the
    /// decimal sign (which the column's cells and the delimiter tell), as `12 %`, which is 0.12, or as `$7`.
    ///
    /// # Errors
    /// As [`Table::numbers`].
    pub fn amounts(&self, column: &str) -> Result<Matrix<f64>, Error> {
        let position = self.position(column)?;
        let comma = Comma::of(self.cells_at(position), self.delimiter());
        self.matrix(&[position], |cell| number(cell, comma))
    }

    /// The inputs of a network that was trained on another table, whose inputs had these names.
    ///
    /// A table with a header must have columns of exactly these names, in any order and among others. One without is
    /// taken as it is when it has as many columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::ColumnCount`] and [`Error::BadCells`].
    pub fn inputs<C: AsRef<str>>(&self, names: &[C]) -> Result<Matrix<f64>, Error> {
        if !self.header {
            let (expected, given) = (names.len(), self.names.len());
            if given != expected {
                return Err(Error::ColumnCount { expected, given });
            }
            return self.numbers_at(&(0..given).collect::<Vec<_>>());
        }
        let place = |name: &str| self.place(name).ok_or_else(|| self.unknown(name));
        let positions: Result<Vec<usize>, Error> =
            names.iter().map(|name| place(name.as_ref())).collect();
        self.numbers_at(&positions?)
    }

    /// Classes from one column, numbers from all others.
    ///
    /// The targets are one-hot, a column per class in the order of [`Classes`].
    ///
    /// # Errors
    /// [`Error::UnknownColumn`]; [`Error::NoInputs`]; [`Error::BadCells`]; and for a target that names no classes
    /// [`Error::FractionalClass`], [`Error::OneClass`] and [`Error::TooManyClasses`] (more than 2, and more than half as
    /// many as rows).
    pub fn classification(&self, target: &str) -> Result<(Dataset, Classes), Error> {
        let target = self.position(target)?;
        let (classes, indices) = self.classes_at(target)?;
        let targets = classes.one_hot(&indices)?;
        let dataset = self.dataset(&[target], targets, classes.labels())?;
        Ok((dataset, classes))
    }

    /// The classes of a column, and the class of each row.
    ///
    /// # Errors
    /// Of a column that names no classes, as [`Table::classification`].
    pub fn classes(&self, target: &str) -> Result<(Classes, Vec<usize>), Error> {
        self.classes_at(self.position(target)?)
    }

    /// Numbers from these columns as targets, numbers from all others as inputs.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::ColumnTwice`], [`Error::NoTarget`], [`Error::NoInputs`] and
    /// [`Error::BadCells`].
    pub fn regression<C: AsRef<str>>(&self, targets: &[C]) -> Result<Dataset, Error> {
        let positions = self.positions(targets)?;
        if positions.is_empty() {
            return Err(Error::NoTarget);
        }
        let names = positions.iter().map(|&position| self.names[position].as_str());
        self.dataset(&positions, self.numbers_at(&positions)?, names)
    }

    /// What a target looks like, for a user who does not say it.
    ///
    /// Classes, when half of its cells or more are text; or when it has at least 2 different values, at most one for every
    /// second row and at most 20 in all, and all its numbers are whole. Otherwise numbers.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    pub fn task(&self, target: &str) -> Result<Task, Error> {
        const FEW: usize = 20;
        let cells = || self.cells(target);
        let comma = Comma::of(cells()?, self.delimiter());
        let numbers: Vec<f64> = cells()?.filter_map(|cell| number(cell, comma)).collect();
        let distinct = Classes::of(cells()?)?.len();
        let mostly_text = numbers.len() <= self.len() / 2;
        let few_whole = distinct <= FEW && numbers.iter().all(|number| number.fract() == 0.0);
        let recurring = (2..=self.len() / 2).contains(&distinct);
        Ok(if mostly_text || recurring && few_whole { Task::Classify } else { Task::Regress })
    }

    /// The classes of a column, and the class of each row.
    fn classes_at(&self, target: usize) -> Result<(Classes, Vec<usize>), Error> {
        let column = &self.names[target];
        let cells = || self.cells_at(target);
        let numeric = cells().all(|cell| cell.parse::<f64>().is_ok());
        if numeric {
            let numbers = self.numbers_at(&[target])?.data;
            if let Some(&value) = numbers.iter().find(|number| number.fract() != 0.0) {
                return Err(Error::FractionalClass { column: column.clone(), value });
            }
        }
        self.check_cells(&[target], |cell| cell.is_empty().then_some(Flaw::Empty))?;
        let classes = Classes::of(cells())?;
        match classes.len() {
            1 => {
                Err(Error::OneClass { column: column.clone(), label: classes.label(0).to_owned() })
            }
            count if count > 2 && count > self.len() / 2 => Err(Error::TooManyClasses {
                column: column.clone(),
                classes: count,
                rows: self.len(),
            }),
            count if count.saturating_mul(self.len()) > MOST => Err(Error::TooLarge {
                what: "the classes of the rows",
                rows: self.len(),
                columns: count,
                most: MOST,
            }),
            _ => {
                let index = |label| classes.index(label).expect("every label is a class");
                let indices = cells().map(index).collect();
                Ok((classes, indices))
            }
        }
    }

    fn dataset<'a>(
        &self,
        target: &[usize],
        targets: Matrix<f64>,
        target_names: impl Iterator<Item = &'a str>,
    ) -> Result<Dataset, Error> {
        let inputs = self.others(target);
        if inputs.is_empty() {
            return Err(Error::NoInputs);
        }
        let names = inputs.iter().map(|&position| self.names[position].as_str());
        Dataset::new(self.numbers_at(&inputs)?, targets)?.named(names, target_names)
    }

    fn numbers_at(&self, positions: &[usize]) -> Result<Matrix<f64>, Error> {
        self.matrix(positions, |cell| cell.parse().ok())
    }

    fn matrix(
        &self,
        positions: &[usize],
        number: impl Fn(&str) -> Option<f64>,
    ) -> Result<Matrix<f64>, Error> {
        let mut data = Vec::with_capacity(self.len() * positions.len());
        self.check_cells(positions, |cell| match number(cell) {
            Some(number) if number.is_finite() => {
                data.push(number);
                None
            }
            Some(_) => Some(Flaw::NotFinite(cell.to_owned())),
            None if cell.is_empty() => Some(Flaw::Empty),
            None => Some(Flaw::NotANumber(cell.to_owned())),
        })?;
        Ok(Matrix { rows: self.len(), columns: positions.len(), data })
    }

    /// Goes through the cells of these columns, row by row, and lists what `flaw` finds.
    fn check_cells(
        &self,
        positions: &[usize],
        mut flaw: impl FnMut(&str) -> Option<Flaw>,
    ) -> Result<(), Error> {
        let mut bad = Listing::new();
        for row in 0..self.len() {
            for &position in positions {
                if let Some(flaw) = flaw(self.cell(row, position)) {
                    let column = || self.names[position].clone();
                    bad.add(|| BadCell { line: self.line(row), column: column(), flaw });
                }
            }
        }
        if bad.count == 0 { Ok(()) } else { Err(Error::BadCells(bad)) }
    }

    fn cell(&self, row: usize, position: usize) -> &str {
        self.lines.cell(self.line_of(row), self.places[position])
    }

    /// Where a row stands among the lines.
    #[track_caller]
    fn line_of(&self, row: usize) -> usize {
        self.rows.as_ref().map_or(row + usize::from(self.header), |rows| rows[row])
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.lines.delimiter()
    }

    /// Whether a column is the first of the file.
    pub(super) fn is_first(&self, position: usize) -> bool {
        self.places[position] == 0
    }

    /// Whether the file gives a column no name.
    pub(super) fn is_nameless(&self, position: usize) -> bool {
        !self.header || self.lines.cell(0, self.places[position]).is_empty()
    }

    pub(super) fn cells_at(&self, position: usize) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(move |row| self.cell(row, position))
    }

    pub(super) fn positions<C: AsRef<str>>(&self, columns: &[C]) -> Result<Vec<usize>, Error> {
        let mut positions = Vec::with_capacity(columns.len());
        let mut seen = HashSet::new();
        for column in columns {
            let position = self.position(column.as_ref())?;
            if !seen.insert(position) {
                return Err(Error::ColumnTwice { name: self.names[position].clone() });
            }
            positions.push(position);
        }
        Ok(positions)
    }

    fn others(&self, positions: &[usize]) -> Vec<usize> {
        let positions: HashSet<usize> = positions.iter().copied().collect();
        (0..self.names.len()).filter(|position| !positions.contains(position)).collect()
    }

    fn of_positions(&self, positions: &[usize]) -> Self {
        let names = positions.iter().map(|&position| self.names[position].clone()).collect();
        let places = positions.iter().map(|&position| self.places[position]).collect();
        Self::new(Arc::clone(&self.lines), self.header, names, places, self.rows.clone())
    }

    pub(super) fn unknown(&self, column: &str) -> Error {
        // Two slips, or one in a short name; capitals are none.
        let slips = (column.chars().count() / 3).min(2);
        let distance =
            |name: &str| strsim::damerau_levenshtein(&column.to_lowercase(), &name.to_lowercase());
        let near = iter::zip(self.names.iter().map(|name| distance(name)), &self.names)
            .filter(|&(distance, _)| distance <= slips)
            .min_by_key(|&(distance, _)| distance);
        Error::UnknownColumn {
            name: column.to_owned(),
            near: near.map(|(_, name)| name.clone()),
            columns: self.names.clone(),
        }
    }
}
