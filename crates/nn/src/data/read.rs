//! From the bytes of a CSV file, plain or in gzip, to its lines of cells.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::{Error, Listing, RaggedRow};

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
}

impl Lines {
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
        match cell.parse::<f64>() {
            Ok(_) => Self::Number,
            Err(_) if cell.is_empty() => Self::Empty,
            Err(_) => Self::Text,
        }
    }
}

/// Reads all lines; `name` is what an error calls the source.
pub(super) fn read(reader: impl Read, name: &str) -> Result<Lines, Error> {
    let text = text(reader, name)?;
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines = Lines { text: String::new(), ends: Vec::new(), numbers: Vec::new(), width: 0 };
    let mut widths = Vec::new();
    let mut place = Place { line: 1, byte: 0 };
    loop {
        let start = records.position().byte() as usize;
        let failed =
            |error: csv::Error| Error::Read { name: name.to_owned(), reason: error.into() };
        if !records.read_record(&mut record).map_err(failed)? {
            break;
        }
        // The reader leaves the end of a line, and blank lines, to the record that comes next.
        let start = start + leading_breaks(&text[start..]);
        let source = &text[start..records.position().byte() as usize];
        place.advance(&text, start);
        if record.len() == 1 && source.trim().is_empty() {
            continue;
        }
        if start + source.len() == text.len() && is_unclosed(source) {
            return Err(Error::UnclosedQuote { line: place.line });
        }
        lines.push(place.line, &record);
        widths.push(record.len());
    }
    lines.width = *widths.first().ok_or(Error::Empty)?;
    check_widths(&lines, &widths)?;
    Ok(lines)
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

/// A comma where the first line that is not blank has one outside of quotes; else a semicolon; else a tab.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let mut quoted = false;
    let bare: Vec<u8> = line
        .bytes()
        .filter(|&byte| {
            quoted ^= byte == b'"';
            !quoted
        })
        .collect();
    [b',', b';', b'\t'].into_iter().find(|delimiter| bare.contains(delimiter)).unwrap_or(b',')
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
