//! From the bytes of a CSV file, plain or in gzip, to its cells.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

use super::cell::number;
use super::cells::{Cells, Column, Places};
use super::{Comma, Error, Format};
use records::{Broken, Record, Records, Rows, Shape};

mod records;

/// What a text in UTF-8 may begin with.
const MARK: char = '\u{feff}';

/// Reads all cells; `name` is what an error calls the source.
pub(super) fn read(mut reader: impl Read, name: &str, format: Format) -> Result<Cells, Error> {
    let mut bytes = Vec::new();
    let failed = |reason| Error::Read { name: name.to_owned(), reason };
    reader.read_to_end(&mut bytes).map_err(failed)?;
    if is_parquet(&bytes) {
        return read_parquet(bytes, name);
    }
    read_text(&text(bytes)?, name, format)
}

/// Whether bytes begin as a Parquet file does. A text goes on with a character that can be seen, or a line ends.
fn is_parquet(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| *byte >= b' ' || b"\n\r\t".contains(byte);
    bytes.strip_prefix(b"PAR1").is_some_and(|rest| !rest.first().is_some_and(is_text))
}

#[cfg(feature = "parquet")]
pub(super) use super::parquet::read as read_parquet;

/// Refuses the file.
#[cfg(not(feature = "parquet"))]
pub(super) fn read_parquet(_: Vec<u8>, name: &str) -> Result<Cells, Error> {
    Err(Error::NoParquet { name: name.to_owned() })
}

fn read_text(text: &str, name: &str, format: Format) -> Result<Cells, Error> {
    let Preamble { rows: offset, delimiter: said } = Preamble::of(text);
    let delimiter = format.delimiter.or(said).unwrap_or_else(|| delimiter(&text[offset..]));
    if !delimiter.is_ascii() {
        let reason = io::Error::other("the delimiter is no ASCII character");
        return Err(Error::Read { name: name.to_owned(), reason });
    }
    // A second byte-order mark, as a program writes it that joins files.
    let offset = offset + if text[offset..].starts_with(MARK) { MARK.len_utf8() } else { 0 };
    let mut records = Records::new(text, true, offset, delimiter);
    let first_line = 1 + line_count(&text[..offset]);
    let failed = |broken: Broken| broken.error(first_line, name);
    let mut first = Line::next(&mut records, text, None).map_err(failed)?.ok_or(Error::Empty)?;
    let second = Line::next(&mut records, text, Some(first.cells.len())).map_err(failed)?;
    // Where the second line is read again among the rows.
    let (rest, line) = second.as_ref().map_or((text.len(), 0), |line| (line.start, line.number));
    if let Some(second) = &second
        && second.cells.len() == first.cells.len() + 1
        && first.cells.iter().all(|cell| Kind::of(cell) == Kind::Text)
    {
        // R writes no name above the names of the rows.
        first.cells.insert(0, String::new());
    }
    let shape = Shape { delimiter, width: first.cells.len() };
    let mut rows = Rows::new(shape);
    let second = second.filter(|second| second.cells.len() == shape.width);
    let header = format.header.unwrap_or_else(|| is_header(&first.cells, second.as_ref()));
    if !header {
        rows.push(&first.cells, first_line + first.number);
    }
    rows.read(text, rest, first_line + line, shape, name)?;
    if rows.lines.len() == 0 {
        return Err(Error::OnlyHeader { line: first_line + first.number });
    }
    let names = if header { first.cells } else { vec![String::new(); shape.width] };
    let columns = rows.columns.into_iter().map(Column::of_texts).collect();
    Ok(Cells { names, header, columns, places: Places::Lines(rows.lines), delimiter })
}

/// One of the first lines, which tell how the others are to be taken.
struct Line {
    cells: Vec<String>,
    /// Where it begins, and how many lines of the rows end before it.
    start: usize,
    number: usize,
}

impl Line {
    fn next(
        records: &mut Records<'_>,
        text: &str,
        width: Option<usize>,
    ) -> Result<Option<Self>, Broken> {
        let mut record = Record::default();
        while records.read(&mut record)? {
            if !record.is_passed_over(text, width) {
                record.check_end()?;
                let cells = record.cells(text).map(str::to_owned).collect();
                return Ok(Some(Self { cells, start: record.start, number: record.line }));
            }
        }
        Ok(None)
    }

    /// Whether it is text and then whole numbers that rise, such as years.
    fn is_counting(cells: &[String]) -> bool {
        let cells_left = cells.iter().skip_while(|cell| Kind::of(cell) == Kind::Text);
        let rest: Vec<&String> = cells_left.collect();
        let numbers: Option<Vec<i64>> = rest.iter().map(|cell| cell.parse().ok()).collect();
        let rises = |numbers: &[i64]| numbers.windows(2).all(|pair| pair[0] < pair[1]);
        rest.len() > 1 && rest.len() < cells.len() && numbers.is_some_and(|numbers| rises(&numbers))
    }
}

/// Whether the first line names the columns: see [`Table`](super::Table) for the rule.
fn is_header(first: &[String], second: Option<&Line>) -> bool {
    let kinds =
        |cells: &[String]| -> Vec<Kind> { cells.iter().map(|cell| Kind::of(cell)).collect() };
    let first_kinds = kinds(first);
    let Some(Line { cells: second, .. }) = second else {
        return first_kinds.iter().any(|kind| *kind != Kind::Number);
    };
    if Line::is_counting(first) && !Line::is_counting(second) {
        return true;
    }
    let named = |(column, (first, second)): (usize, (&Kind, &Kind))| {
        let name = *first == Kind::Text || (*first == Kind::Empty && column == 0);
        name && *second == Kind::Number
    };
    first_kinds.iter().all(|kind| *kind != Kind::Number)
        || first_kinds.iter().zip(&kinds(second)).enumerate().any(named)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Empty,
    Number,
    Text,
}

impl Kind {
    fn of(cell: &str) -> Self {
        let is_number = |comma| number(cell, Some(comma)).is_some();
        match cell.parse::<f64>() {
            Ok(_) => Self::Number,
            Err(_) if cell.is_empty() => Self::Empty,
            Err(_) if is_number(Comma::Decimal) || is_number(Comma::Thousands) => Self::Number,
            Err(_) => Self::Text,
        }
    }
}

/// What stands above the first row: comments, and the line `sep=;` that spreadsheets write and read.
struct Preamble {
    /// Where the rows begin, in bytes.
    rows: usize,
    delimiter: Option<u8>,
}

impl Preamble {
    fn of(text: &str) -> Self {
        let (mut rows, mut delimiter) = (0, None);
        for line in text.split_inclusive(['\n', '\r']) {
            let content = line.trim_matches(['\n', '\r', ' ']);
            if let Some(&[byte]) = content.strip_prefix("sep=").map(str::as_bytes) {
                delimiter = Some(byte);
            } else if content.starts_with('#') {
                let next = text[rows + line.len()..].trim_start();
                if is_comment_of_names(content, next.lines().next().unwrap_or_default()) {
                    return Self {
                        rows: rows + line.len() - line.trim_start().len() + 1,
                        delimiter,
                    };
                }
            } else if !content.is_empty() {
                break;
            }
            rows += line.len();
        }
        Self { rows: if rows == text.len() { 0 } else { rows }, delimiter }
    }
}

/// Whether a line that begins with `#` names the columns of the next, as `numpy.savetxt` writes it.
fn is_comment_of_names(line: &str, next: &str) -> bool {
    let delimiter = delimiter(line);
    let count = |line: &str| line.bytes().filter(|&byte| byte == delimiter).count();
    !next.starts_with('#') && count(line) > 0 && count(line) == count(next)
}

/// The whole text, unpacked where it begins as gzip does, without a byte-order mark.
fn text(mut bytes: Vec<u8>) -> Result<String, Error> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        let decoded = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked);
        decoded.map_err(|reason| Error::Gzip { reason })?;
        bytes = unpacked;
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Error::NotText { line: good.split(|&byte| byte == b'\n').count() }
    })?;
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}

/// A comma where the first line that is not blank has one outside of quotes; else a semicolon, a tab, or a bar.
fn delimiter(text: &str) -> u8 {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).map(bare);
    let first = lines.next().unwrap_or_default();
    let has = |delimiter: &u8| first.contains(delimiter);
    let found: Vec<u8> = [b',', b';', b'\t', b'|'].into_iter().filter(has).collect();
    match found[..] {
        [] => b',',
        [only] => only,
        // Commas inside of numbers, or of names, are not as many in every line.
        [first_found, ..] => {
            let some: Vec<Vec<u8>> = lines.take(20).collect();
            let count = |line: &[u8], delimiter| line.split(|&byte| byte == delimiter).count();
            let is_even = |delimiter: &&u8| {
                some.iter().all(|line| count(line, **delimiter) == count(&first, **delimiter))
            };
            found.iter().find(is_even).copied().unwrap_or(first_found)
        }
    }
}

/// The bytes of a line outside of quotes.
fn bare(line: &str) -> Vec<u8> {
    let mut quoted = false;
    let outside = |&byte: &u8| {
        quoted ^= byte == b'"';
        !quoted
    };
    line.bytes().filter(outside).collect()
}

/// How many lines end in a text: in \n, \r\n or \r.
fn line_count(text: &str) -> usize {
    let ends = |end: &str| text.matches(end).count();
    ends("\n") + ends("\r") - ends("\r\n")
}

/// The cell without the spaces around it; and without its quotes, where these come after a space and so are left to us.
fn stripped(cell: &str) -> &str {
    let is_visible = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_visible(cell.as_bytes().first()) && is_visible(cell.as_bytes().last()) {
        return cell;
    }
    let trimmed = cell.trim();
    let quoted = || trimmed.strip_prefix('"')?.strip_suffix('"');
    if cell.starts_with([' ', '\t']) { quoted().map_or(trimmed, str::trim) } else { trimmed }
}
