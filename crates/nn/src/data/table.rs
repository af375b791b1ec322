//! A table as a CSV file has it: columns with names, cells of text, each knowing its line.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tape::Matrix;

use crate::data::{BadCell, Classes, Dataset, Error};

/// Rows of cells under named columns. Cells are text until numbers are asked for.
///
/// **What is read**: CSV, plain or compressed by gzip (known by its first bytes), in UTF-8. The separator is a comma, or,
/// where the first line has none, a semicolon or a tab. The first line is a header unless every cell of it is a number; without
/// one, and where a name is empty, columns are called `column1`, `column2`, …. Blank lines are left out, spaces around
/// cells too.
///
/// **Columns** are asked for by name; or by position, from 1, or from the end, from −1. A name wins over a position.
///
/// ```
/// use nn::data::Table;
///
/// let table = Table::from_reader("x;y\n1;2\n3;oops\n".as_bytes())?;
/// assert_eq!(table.columns(), ["x", "y"]);
/// assert_eq!(table.numbers(&["1"])?.data, [1.0, 3.0]);
/// assert_eq!(
///     table.numbers(&["-1"]).unwrap_err().to_string(),
///     "line 3, column \"y\": \"oops\" is not a number"
/// );
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    /// Row after row.
    cells: Vec<String>,
    /// The line in the file of each row.
    lines: Vec<u64>,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`], and [`Error::In`] with what [`from_reader`](Self::from_reader) says.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file =
            File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::from_reader(file)
            .map_err(|source| Error::In { path: path.to_owned(), source: Box::new(source) })
    }

    /// Reads a table, plain or compressed.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::Cells`], [`Error::DuplicateColumn`], [`Error::NoRows`].
    pub fn from_reader(reader: impl Read) -> Result<Self, Error> {
        let mut reader = BufReader::new(reader);
        let unreadable = |error: io::Error| Error::Unreadable(error.to_string());
        let is_gzip = reader.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let mut text = Vec::new();
        if is_gzip {
            MultiGzDecoder::new(reader).read_to_end(&mut text).map_err(unreadable)?;
        } else {
            reader.read_to_end(&mut text).map_err(unreadable)?;
        }
        Self::parse(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text))
    }

    fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .trim(csv::Trim::All)
            .delimiter(separator(text))
            .flexible(true)
            .from_reader(text);
        let mut table = Self { columns: Vec::new(), cells: Vec::new(), lines: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(|error| Error::Unreadable(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            // A line of spaces is a blank line too.
            if record.len() == 1 && record[0].is_empty() && table.columns.len() != 1 {
                continue;
            }
            if table.columns.is_empty() {
                let is_header = record.iter().any(|cell| cell.parse::<f64>().is_err());
                table.columns = names(&record, is_header)?;
                if is_header {
                    continue;
                }
            }
            let (expected, found) = (table.columns.len(), record.len());
            if found != expected {
                return Err(Error::Cells { line, expected, found });
            }
            table.cells.extend(record.iter().map(str::to_owned));
            table.lines.push(line);
        }
        if table.lines.is_empty() { Err(Error::NoRows) } else { Ok(table) }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The table with these columns only, in this order.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`]; [`Error::DuplicateColumn`] for one that is asked for twice.
    pub fn select(&self, columns: &[impl AsRef<str>]) -> Result<Self, Error> {
        Ok(self.with(&self.positions(columns)?))
    }

    /// The table without these columns.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    pub fn drop(&self, columns: &[impl AsRef<str>]) -> Result<Self, Error> {
        let dropped = columns.iter().map(|name| self.position(name.as_ref()));
        let dropped: HashSet<usize> = dropped.collect::<Result<_, _>>()?;
        let kept: Vec<usize> =
            (0..self.columns.len()).filter(|position| !dropped.contains(position)).collect();
        Ok(self.with(&kept))
    }

    /// The numbers of these columns, a row for each row.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::DuplicateColumn`]; [`Error::NotNumbers`] with every cell that is empty, no
    /// number, or not finite, the first ten with line and column.
    pub fn numbers(&self, columns: &[impl AsRef<str>]) -> Result<Matrix<f64>, Error> {
        const LISTED: usize = 10;
        let positions = self.positions(columns)?;
        let mut data = Vec::with_capacity(self.rows() * positions.len());
        let (mut cells, mut more) = (Vec::new(), 0);
        for (row, &line) in self.lines.iter().enumerate() {
            for &position in &positions {
                let text = self.cell(row, position);
                match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => data.push(number),
                    _ if cells.len() < LISTED => cells.push(BadCell {
                        line,
                        column: self.columns[position].clone(),
                        text: text.to_owned(),
                    }),
                    _ => more += 1,
                }
            }
        }
        if cells.is_empty() {
            Ok(Matrix { rows: self.rows(), columns: positions.len(), data })
        } else {
            Err(Error::NotNumbers { cells, more })
        }
    }

    /// The cells of a column, as they stand in the file.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    pub fn texts(&self, column: &str) -> Result<Vec<&str>, Error> {
        let position = self.position(column)?;
        Ok((0..self.rows()).map(|row| self.cell(row, position)).collect())
    }

    /// The name of a column, asked for by name or position.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    pub fn name_of(&self, column: &str) -> Result<&str, Error> {
        Ok(&self.columns[self.position(column)?])
    }

    /// All columns but the target as inputs, and the target as classes: a column for each, 1 in that of the row's.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::NoInputs`], what [`Classes::of`] and [`numbers`](Self::numbers) say, and
    /// [`Error::NotNumbers`] where the target is empty.
    pub fn classification(&self, target: &str) -> Result<(Dataset, Classes), Error> {
        let target = self.name_of(target)?.to_owned();
        let labels = self.texts(&target)?;
        let is_empty = |row: &usize| labels[*row].is_empty();
        let empty: Vec<BadCell> = (0..self.rows())
            .filter(is_empty)
            .map(|row| BadCell {
                line: self.lines[row],
                column: target.clone(),
                text: String::new(),
            })
            .collect();
        if !empty.is_empty() {
            return Err(Error::NotNumbers { cells: empty, more: 0 });
        }
        let classes = Classes::of(&target, &labels)?;
        let mut data = Vec::with_capacity(labels.len() * classes.len());
        for label in labels {
            data.extend(classes.one_hot(classes.index(label)?));
        }
        let targets = Matrix { rows: self.rows(), columns: classes.len(), data };
        let data = self.dataset(&[&target], targets, classes.labels().to_vec())?;
        Ok((data, classes))
    }

    /// All columns but the targets as inputs, and the targets as numbers.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], [`Error::DuplicateColumn`], [`Error::NoInputs`], [`Error::NotNumbers`].
    pub fn regression(&self, targets: &[impl AsRef<str>]) -> Result<Dataset, Error> {
        let names = self.positions(targets)?.into_iter().map(|at| self.columns[at].clone());
        let names: Vec<String> = names.collect();
        self.dataset(&names, self.numbers(&names)?, names.clone())
    }

    fn dataset(
        &self,
        targets: &[impl AsRef<str>],
        values: Matrix<f64>,
        target_names: Vec<String>,
    ) -> Result<Dataset, Error> {
        let inputs = self.drop(targets)?;
        if inputs.columns.is_empty() {
            return Err(Error::NoInputs);
        }
        let data = Dataset::new(inputs.numbers(&inputs.columns)?, values)?;
        Ok(data.named(inputs.columns, target_names))
    }

    fn cell(&self, row: usize, position: usize) -> &str {
        &self.cells[row * self.columns.len() + position]
    }

    fn with(&self, positions: &[usize]) -> Self {
        let cells = (0..self.rows())
            .flat_map(|row| positions.iter().map(move |&at| self.cell(row, at).to_owned()));
        Self {
            columns: positions.iter().map(|&at| self.columns[at].clone()).collect(),
            cells: cells.collect(),
            lines: self.lines.clone(),
        }
    }

    fn positions(&self, columns: &[impl AsRef<str>]) -> Result<Vec<usize>, Error> {
        let mut positions = Vec::with_capacity(columns.len());
        for name in columns {
            let position = self.position(name.as_ref())?;
            if positions.contains(&position) {
                return Err(Error::DuplicateColumn { name: self.columns[position].clone() });
            }
            positions.push(position);
        }
        Ok(positions)
    }

    fn position(&self, name: &str) -> Result<usize, Error> {
        let count = self.columns.len();
        let by_number = || match name.parse::<isize>().ok()? {
            from_start @ 1.. => Some(from_start.unsigned_abs() - 1).filter(|&at| at < count),
            0 => None,
            from_end => count.checked_sub(from_end.unsigned_abs()),
        };
        let by_name = self.columns.iter().position(|column| column == name);
        by_name.or_else(by_number).ok_or_else(|| {
            let alike = |column: &&String| strsim::jaro_winkler(column, name);
            let near = self.columns.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
            let near = near.filter(|column| alike(column) > 0.8).cloned();
            Error::UnknownColumn { name: name.to_owned(), near, columns: self.columns.clone() }
        })
    }
}

/// A comma, or what the first line has instead.
fn separator(text: &[u8]) -> u8 {
    let first = text.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let first = first.unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|byte| first.contains(byte)).unwrap_or(b',')
}

/// The names of the columns, unique.
fn names(record: &csv::StringRecord, is_header: bool) -> Result<Vec<String>, Error> {
    let mut known = HashMap::new();
    let mut names = Vec::with_capacity(record.len());
    for (number, cell) in (1..).zip(record) {
        let name = match cell {
            name if is_header && !name.is_empty() => name.to_owned(),
            _ => format!("column{number}"),
        };
        if known.insert(name.clone(), number).is_some() {
            return Err(Error::DuplicateColumn { name });
        }
        names.push(name);
    }
    Ok(names)
}
