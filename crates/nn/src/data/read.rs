//! From the bytes of a CSV file, plain or in gzip, to its lines of cells.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::cell::number;
use super::{Comma, Error, Format, Listing, RaggedRow};

/// The lines of a table, each as many cells: text without the spaces around it.
///
/// All text stands in one string, so that a cell costs its text and 8 bytes.
#[derive(Debug)]
pub(super) struct Lines {
    text: String,
    /// Where each cell ends in the text, line after line.
    ends: Vec<usize>,
    /// Where each line begins in the file, from 1. Lines of a file are more where cells contain line breaks.
    numbers: Vec<usize>,
    width: usize,
    delimiter: u8,
}

impl Lines {
    /// What stands between cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// How many cells each line has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn number(&self, line: usize) -> usize {
        self.numbers[line]
    }

    pub(super) fn cell(&self, line: usize, column: usize) -> &str {
        let cell = line * self.width + column;
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        &self.text[start..self.ends[cell]]
    }

    /// Whether the first line names the columns: see [`Table`](super::Table) for the rule.
    pub(super) fn has_header(&self) -> bool {
        if self.is_counting(0) && self.len() > 1 && !self.is_counting(1) {
            return true;
        }
        let kinds = |line| (0..self.width).map(move |column| Kind::of(self.cell(line, column)));
        if self.len() == 1 {
            return kinds(0).any(|kind| kind != Kind::Number);
        }
        let named = |(column, (first, second))| {
            let name = first == Kind::Text || (first == Kind::Empty && column == 0);
            name && second == Kind::Number
        };
        kinds(0).all(|kind| kind != Kind::Number) || kinds(0).zip(kinds(1)).enumerate().any(named)
    }

    /// Whether the first cells of a line, so many, are all text.
    fn is_text(&self, line: usize, width: usize) -> bool {
        let cell = |column: usize| {
            let end = line * width + column;
            &self.text[if end == 0 { 0 } else { self.ends[end - 1] }..self.ends[end]]
        };
        (0..width).all(|column| Kind::of(cell(column)) == Kind::Text)
    }

    /// An empty cell before all others.
    fn begin_with_empty(&mut self) {
        self.ends.insert(0, 0);
    }

    /// Whether a line is text and then whole numbers that rise, such as years.
    fn is_counting(&self, line: usize) -> bool {
        let cells = (0..self.width).map(|column| self.cell(line, column));
        let rest: Vec<&str> = cells.skip_while(|cell| Kind::of(cell) == Kind::Text).collect();
        let numbers: Option<Vec<i64>> = rest.iter().map(|cell| cell.parse().ok()).collect();
        let rises = |numbers: &[i64]| numbers.windows(2).all(|pair| pair[0] < pair[1]);
        rest.len() > 1 && rest.len() < self.width && numbers.is_some_and(|numbers| rises(&numbers))
    }

    fn push(&mut self, number: usize, cells: &csv::StringRecord) {
        self.numbers.push(number);
        for cell in cells {
            self.text.push_str(stripped(cell));
            self.ends.push(self.text.len());
        }
    }
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

/// Reads all lines; `name` is what an error calls the source.
pub(super) fn read(reader: impl Read, name: &str, format: Format) -> Result<Lines, Error> {
    let text = text(reader, name)?;
    let Preamble { rows: offset, delimiter: said } = Preamble::of(&text);
    let delimiter = format.delimiter.or(said).unwrap_or_else(|| delimiter(&text[offset..]));
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(&text.as_bytes()[offset..]);
    let mut record = csv::StringRecord::new();
    let (text_of_cells, ends, numbers) = (String::new(), Vec::new(), Vec::new());
    let mut lines = Lines { text: text_of_cells, ends, numbers, width: 0, delimiter };
    let mut widths = Vec::new();
    let mut place = Place { line: 1, byte: 0 };
    loop {
        let start = offset + records.position().byte() as usize;
        let failed =
            |error: csv::Error| Error::Read { name: name.to_owned(), reason: error.into() };
        if !records.read_record(&mut record).map_err(failed)? {
            break;
        }
        // The reader leaves the end of a line, and blank lines, to the record that comes next.
        let start = start + leading_breaks(&text[start..]);
        let source = &text[start..offset + records.position().byte() as usize];
        place.advance(&text, start);
        if record.len() == 1 && source.trim().is_empty() {
            continue;
        }
        // Among the rows, a comment is known by having other cells than they have.
        if source.starts_with('#') && widths.first().is_some_and(|&width| width != record.len()) {
            continue;
        }
        if start + source.len() == text.len() && is_unclosed(source) {
            return Err(Error::UnclosedQuote { line: place.line });
        }
        if widths.len() == 1 && record.len() == widths[0] + 1 && lines.is_text(0, widths[0]) {
            // R writes no name above the names of the rows.
            lines.begin_with_empty();
            widths[0] += 1;
        }
        lines.push(place.line, &record);
        widths.push(record.len());
    }
    lines.width = *widths.first().ok_or(Error::Empty)?;
    check_widths(&lines, &widths)?;
    Ok(lines)
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
                if is_header(content, next.lines().next().unwrap_or_default()) {
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
fn is_header(line: &str, next: &str) -> bool {
    let delimiter = delimiter(line);
    let count = |line: &str| line.bytes().filter(|&byte| byte == delimiter).count();
    !next.starts_with('#') && count(line) > 0 && count(line) == count(next)
}

fn check_widths(lines: &Lines, widths: &[usize]) -> Result<(), Error> {
    let expected = lines.width;
    let mut ragged = Listing::new();
    for (&cells, &line) in widths.iter().zip(&lines.numbers) {
        if cells != expected {
            ragged.add(|| RaggedRow { line, cells, expected });
        }
    }
    if ragged.count == 0 { Ok(()) } else { Err(Error::RaggedRows(ragged)) }
}

/// The whole text, unpacked where it begins as gzip does, without a byte-order mark.
fn text(mut reader: impl Read, name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let failed = |reason| Error::Read { name: name.to_owned(), reason };
    reader.read_to_end(&mut bytes).map_err(failed)?;
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
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
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

/// Where in the file a line begins.
struct Place {
    line: usize,
    byte: usize,
}

impl Place {
    fn advance(&mut self, text: &str, byte: usize) {
        let passed = &text[self.byte..byte];
        let ends = |end: &str| passed.matches(end).count();
        // A line ends in \n, \r\n or \r. No \r\n is cut in two, for breaks are passed as a whole.
        self.line += ends("\n") + ends("\r") - ends("\r\n");
        self.byte = byte;
    }
}

fn leading_breaks(text: &str) -> usize {
    text.len() - text.trim_start_matches(['\r', '\n']).len()
}

/// Whether a quote opened in the last row swallows lines up to the end of the file.
fn is_unclosed(source: &str) -> bool {
    let swallows_lines = source.trim_end().contains(['\r', '\n']);
    swallows_lines && source.matches('"').count() % 2 == 1
}

/// The cell without the spaces around it; and without its quotes, where these come after a space and so are left to us.
fn stripped(cell: &str) -> &str {
    let trimmed = cell.trim();
    let quoted = || trimmed.strip_prefix('"')?.strip_suffix('"');
    if cell.starts_with([' ', '\t']) { quoted().map_or(trimmed, str::trim) } else { trimmed }
}
