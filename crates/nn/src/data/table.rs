//! A CSV or Parquet file as columns, from which numbers and classes are taken.

use core::iter;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use tape::Matrix;

use super::cell::{is_gap, is_gap_among_numbers, number};
use super::cells::{Cells, Column, Places, Values};
use super::read::{read, read_parquet};
use super::{BadCell, Classes, Comma, Dataset, Error, Flaw, Format, Listing};
use crate::Fingerprint;
use crate::fingerprint::Press;

/// What pandas calls the names of rows in a Parquet file.
const PANDAS_INDEX: &str = "__index_level_0__";

/// How many numbers a matrix of classes may have: 512 MiB.
const MOST: usize = 1 << 26;

/// The cells of a file: CSV, plain or in gzip; or Parquet, with the feature `parquet`.
///
/// **What is read.** Of CSV, UTF-8, with or without a byte-order mark; lines that end in `\n`, `\r\n` or `\r`; cells in quotes
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
/// **Parquet.** A file whose name ends in `.parquet`, or that begins with the bytes `PAR1`. It has names, and no lines: errors
/// say the row, from 1. Its cells are what a CSV file would have: numbers of every width and decimals; booleans as `true` and
/// `false`; dates as `2020-05-17`, and moments with ` 10:00:00` if any is not at midnight, in whole seconds and without a time
/// zone; texts, and bytes that are UTF-8; nothing for a null or NaN. A number of 32 bits has its exact value. A column of
/// lists, maps, groups or other bytes is refused when it is used ([`Error::Nested`]).
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
    cells: Arc<Cells>,
    names: Vec<String>,
    /// The place of each name among them.
    by_name: HashMap<String, usize>,
    /// Where each column stands in the file.
    places: Vec<usize>,
    /// Which rows of the file these are, if not all.
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
    /// Reads a CSV file, plain or in gzip, or a Parquet file.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Gzip`], [`Error::NotText`], [`Error::Empty`], [`Error::OnlyHeader`],
    /// [`Error::UnclosedQuote`], [`Error::RaggedRows`] and [`Error::DuplicateName`]; of Parquet [`Error::Parquet`] and
    /// [`Error::ParquetCompression`], and without the feature [`Error::NoParquet`].
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
        let is_parquet = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
        let cells = if is_parquet {
            fs::read(path)
                .map_err(|reason| Error::Read { name: name.clone(), reason })
                .and_then(|bytes| read_parquet(bytes, &name))
        } else {
            File::open(path)
                .map_err(|reason| Error::Read { name: name.clone(), reason })
                .and_then(|file| read(file, &name, format))
        };
        Self::from_cells(cells?)
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
        Self::from_cells(read(reader, "the table", format)?)
    }

    fn from_cells(cells: Cells) -> Result<Self, Error> {
        let mut names = IndexMap::new();
        for (column, name) in cells.names.iter().enumerate() {
            let numbered = || format!("column{}", column + 1);
            let name = if name.is_empty() { numbered() } else { name.clone() };
            if let Some(first) = names.insert(name.clone(), column) {
                return Err(Error::DuplicateName { name, first: first + 1, second: column + 1 });
            }
        }
        let (names, places) = names.into_iter().unzip();
        Ok(Self::new(Arc::new(cells), names, places, None))
    }

    fn new(
        cells: Arc<Cells>,
        names: Vec<String>,
        places: Vec<usize>,
        rows: Option<Arc<[usize]>>,
    ) -> Self {
        let by_name = names.iter().cloned().zip(0..).collect();
        Self { cells, names, by_name, places, rows }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// Whether the names come from the first line.
    pub fn has_header(&self) -> bool {
        self.cells.header
    }

    /// How many rows there are, without the header: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always a row")]
    pub fn len(&self) -> usize {
        self.rows.as_ref().map_or_else(|| self.cells.len(), |rows| rows.len())
    }

    /// The line of the file in which a row begins, or its number where the file has no lines; counted from 1.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn line(&self, row: usize) -> usize {
        self.cells.line(self.row_of(row))
    }

    /// How an error names a row: `line 3`, or `row 2` where the file has no lines. Both are counted from 1.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn place_of(&self, row: usize) -> String {
        format!("{} {}", if self.has_lines() { "line" } else { "row" }, self.line(row))
    }

    fn has_lines(&self) -> bool {
        matches!(self.cells.places, Places::Lines(_))
    }

    /// A table of these rows only, counted from 0, in this order.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self { rows: Some(rows.iter().map(|&row| self.row_of(row)).collect()), ..self.clone() }
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
            self.check_flat(position)?;
            let is_said = |cell: &str| gaps.iter().any(|gap| gap == cell);
            let blank = |cell: &str| is_said(cell) || is_gap_among_numbers(cell);
            let comma = self.comma(position);
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
    /// file writes them (compression, delimiter, quotes) does not matter; but a number in a Parquet file is another cell than
    /// its text in a CSV file.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut press = Press::default();
        for column in 0..self.names.len() {
            press.text(&self.names[column]);
            let values = self.column(column).values();
            if matches!(values, Values::Texts) {
                self.cells_at(column).for_each(|cell| press.text(cell));
            } else {
                press.text(values.kind());
                let numbers = (0..self.len()).map(|row| values.at(self.row_of(row)).number());
                press.numbers(&numbers.collect::<Vec<f64>>());
            }
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
    /// [`Error::UnknownColumn`] and [`Error::Nested`].
    pub fn cells(&self, column: &str) -> Result<impl ExactSizeIterator<Item = &str>, Error> {
        let position = self.position(column)?;
        self.check_flat(position)?;
        Ok(self.cells_at(position))
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
        let comma = self.comma(position);
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
        if !self.has_header() {
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
        positions.iter().try_for_each(|&position| self.check_flat(position))?;
        let mut columns: Vec<_> =
            positions.iter().map(|&position| self.column(position).texts().cursor()).collect();
        for row in 0..self.len() {
            let place = self.row_of(row);
            for (cells, &position) in columns.iter_mut().zip(positions) {
                if let Some(flaw) = flaw(cells.at(place)) {
                    bad.add(|| self.bad_cell(row, &self.names[position], flaw));
                }
            }
        }
        if bad.count == 0 { Ok(()) } else { Err(Error::BadCells(bad)) }
    }

    /// Which row of the file a row is.
    #[track_caller]
    pub(super) fn row_of(&self, row: usize) -> usize {
        match &self.rows {
            Some(rows) => rows[row],
            None if row < self.cells.len() => row,
            None => panic!("row {row} of {}, counted from 0", self.cells.len()),
        }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.cells.delimiter
    }

    /// Whether the file gives a column no name, or one that says so.
    pub(super) fn is_nameless(&self, position: usize) -> bool {
        matches!(self.cells.names[self.places[position]].as_str(), "" | PANDAS_INDEX)
    }

    /// Whether a column stands where names of rows without a name do: in the first place, or as pandas keeps them.
    pub(super) fn labels_rows(&self, position: usize) -> bool {
        let is_pandas = self.cells.names[self.places[position]] == PANDAS_INDEX;
        is_pandas || self.places[position] == 0 && self.is_nameless(position)
    }

    /// Whether a cell of a column has a comma.
    pub(super) fn has_comma(&self, position: usize) -> bool {
        let column = self.column(position);
        matches!(column.values(), Values::Texts) && column.texts().contains(',')
    }

    /// What a comma means in a column, if it has one.
    pub(super) fn comma(&self, position: usize) -> Option<Comma> {
        let comma = || Comma::of(self.cells_at(position), self.delimiter());
        self.has_comma(position).then(comma).flatten()
    }

    /// A cell that cannot be used.
    pub(super) fn bad_cell(&self, row: usize, column: &str, flaw: Flaw) -> BadCell {
        BadCell { line: self.line(row), is_row: !self.has_lines(), column: column.to_owned(), flaw }
    }

    /// That a column has one value a cell.
    pub(super) fn check_flat(&self, position: usize) -> Result<(), Error> {
        match self.column(position).values() {
            Values::Nested(kind, _) => {
                Err(Error::Nested { column: self.names[position].clone(), kind })
            }
            _ => Ok(()),
        }
    }

    /// A column, with all rows of the file.
    pub(super) fn column(&self, position: usize) -> &Column {
        &self.cells.columns[self.places[position]]
    }

    pub(super) fn cells_at(&self, position: usize) -> impl ExactSizeIterator<Item = &str> {
        let mut texts = self.column(position).texts().cursor();
        (0..self.len()).map(move |row| texts.at(self.row_of(row)))
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
        Self::new(Arc::clone(&self.cells), names, places, self.rows.clone())
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
