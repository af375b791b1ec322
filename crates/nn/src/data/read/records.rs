//! The rows of a CSV text, cut in parts that are read at the same time.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr2, memchr3};
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::super::cells::{Lines, Piece, Texts};
use super::super::{Error, Listing, RaggedRow};
use super::stripped;

/// About how long a part is, in bytes.
const PART: usize = 1 << 20;

/// How many bytes of a part there are for each column at least: a piece of a column costs something in itself.
const BYTES_PER_COLUMN: usize = 1 << 10;

/// How many bytes a part may have, so that its cells can be counted by `u32`.
const LONGEST: usize = u32::MAX as usize;

/// A row as it is read.
#[derive(Default)]
pub(super) struct Record {
    /// Where it stands in the text.
    pub(super) start: usize,
    end: usize,
    /// Where its cells end: in the row itself, with delimiters between them, or in what stood in quotes.
    ends: Vec<usize>,
    unquoted: Option<String>,
    /// How many lines of the text end before it.
    pub(super) line: usize,
    is_unclosed: bool,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn source<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }

    /// Its cells without the spaces around them.
    pub(super) fn cells<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let (all, between) = match &self.unquoted {
            Some(unquoted) => (unquoted.as_str(), 0),
            None => (self.source(text), 1),
        };
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = &all[start..end];
            start = end + between;
            stripped(cell)
        })
    }

    /// That it does not swallow what follows.
    pub(super) fn check_end(&self) -> Result<(), Broken> {
        if self.is_unclosed { Err(Broken::UnclosedQuote(self.line)) } else { Ok(()) }
    }

    /// Whether it is no row: a blank line, or a comment. Among rows of so many cells, a comment is known by having others.
    pub(super) fn is_passed_over(&self, text: &str, width: Option<usize>) -> bool {
        let source = self.source(text);
        let is_comment = || width.is_some_and(|width| width != self.len());
        self.len() == 1 && source.trim().is_empty() || source.starts_with('#') && is_comment()
    }
}

/// Why a part cannot be read.
pub(super) enum Broken {
    /// It breaks off in a row.
    Torn,
    /// A quote opened in the last row, after so many lines, swallows lines up to the end of the file.
    UnclosedQuote(usize),
    /// It is longer than [`LONGEST`].
    TooLong,
}

impl Broken {
    /// Of what follows so many lines.
    pub(super) fn error(self, line: usize, name: &str) -> Error {
        match self {
            Self::UnclosedQuote(more) => Error::UnclosedQuote { line: line + more },
            Self::Torn | Self::TooLong => {
                let reason = std::io::Error::other("a row is longer than 4 GiB");
                Error::Read { name: name.to_owned(), reason }
            }
        }
    }
}

/// Reads rows one after the other.
pub(super) struct Records<'a> {
    text: &'a str,
    /// Whether the text ends where the file does.
    is_whole: bool,
    delimiter: u8,
    core: Reader,
    position: usize,
    /// How many lines have ended since the first position.
    line: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, is_whole: bool, position: usize, delimiter: u8) -> Self {
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        // It looks for a byte-order mark in what it reads first.
        core.read_record(b"\n", &mut [0], &mut [0]);
        Self { text, is_whole, delimiter, core, position, line: 0 }
    }

    /// Where the next row begins, or the text ends.
    fn position(&mut self) -> usize {
        let (bytes, start) = (self.text.as_bytes(), self.position);
        while matches!(bytes.get(self.position), Some(b'\n' | b'\r')) {
            self.position += 1;
        }
        self.count_lines(start);
        self.position
    }

    /// Counts the lines from there to the position. A line ends in \n, \r\n or \r.
    fn count_lines(&mut self, start: usize) {
        let bytes = self.text.as_bytes();
        for place in start..self.position {
            let is_end = match bytes[place] {
                b'\n' => true,
                b'\r' => bytes.get(place + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += usize::from(is_end);
        }
    }

    /// Reads the next row; false where there is none.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, Broken> {
        let (start, bytes) = (self.position(), self.text.as_bytes());
        if start == bytes.len() {
            return if self.is_whole { Ok(false) } else { Err(Broken::Torn) };
        }
        (record.start, record.line) = (start, self.line);
        let special = memchr3(b'\n', b'\r', b'"', &bytes[start..]).map(|distance| start + distance);
        let is_line = special.is_none_or(|place| bytes[place] != b'"');
        if !is_line || matches!(self.delimiter, b'\n' | b'\r' | b'"') {
            return self.read_quoted(record);
        }
        if special.is_none() && !self.is_whole {
            return Err(Broken::Torn);
        }
        self.position = special.unwrap_or(bytes.len());
        record.end = self.position;
        (record.unquoted, record.is_unclosed) = (None, false);
        record.ends.clear();
        for (place, &byte) in bytes[start..record.end].iter().enumerate() {
            if byte == self.delimiter {
                record.ends.push(place);
            }
        }
        record.ends.push(record.end - start);
        Ok(true)
    }

    /// The row at the position, of which cells may stand in quotes.
    fn read_quoted(&mut self, record: &mut Record) -> Result<bool, Broken> {
        let bytes = self.text.as_bytes();
        let mut unquoted = record.unquoted.take().unwrap_or_default().into_bytes();
        unquoted.resize(unquoted.capacity().max(64), 0);
        record.ends.resize(record.ends.capacity().max(8), 0);
        let (mut written, mut ended) = (0, 0);
        loop {
            let input = &bytes[self.position..];
            if input.is_empty() && !self.is_whole {
                return Err(Broken::Torn);
            }
            let (result, read, more, ends) =
                self.core.read_record(input, &mut unquoted[written..], &mut record.ends[ended..]);
            self.position += read;
            written += more;
            ended += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => unquoted.resize(2 * unquoted.len(), 0),
                ReadRecordResult::OutputEndsFull => record.ends.resize(2 * record.ends.len(), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        unquoted.truncate(written);
        record.ends.truncate(ended);
        record.end = self.position;
        // An ASCII character is taken out of UTF-8, which leaves UTF-8.
        record.unquoted = Some(String::from_utf8(unquoted).map_err(|_| Broken::Torn)?);
        self.count_lines(record.start);
        let is_last = record.end == self.text.len() && self.is_whole;
        record.is_unclosed = is_last && is_unclosed(record.source(self.text));
        Ok(true)
    }
}

/// Whether a quote opened in the last row swallows lines up to the end of the file.
fn is_unclosed(source: &str) -> bool {
    let swallows_lines = source.trim_end().contains(['\r', '\n']);
    swallows_lines && source.matches('"').count() % 2 == 1
}

/// What is known of the rows before they are read.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) delimiter: u8,
    pub(super) width: usize,
}

/// The rows of a part of the text.
struct Part {
    start: usize,
    /// Where the next row begins.
    end: usize,
    pieces: Vec<Piece>,
    /// Where its rows begin, and how many lines end in it.
    lines: Lines,
    line_count: usize,
    ragged: Listing<RaggedRow>,
}

impl Part {
    /// The rows that begin between `start`, where one begins, and `end`.
    fn read(records: &mut Records<'_>, end: usize, shape: Shape) -> Result<Self, Broken> {
        let expected = shape.width;
        let mut part = Self {
            start: records.position,
            end: 0,
            pieces: (0..expected).map(|_| Piece::default()).collect(),
            lines: Lines::default(),
            line_count: 0,
            ragged: Listing::new(),
        };
        let mut record = Record::default();
        while records.position() < end && records.read(&mut record)? {
            if record.is_passed_over(records.text, Some(expected)) {
                continue;
            }
            record.check_end()?;
            if record.end - part.start > LONGEST {
                return Err(Broken::TooLong);
            }
            if record.len() == expected {
                part.lines.push(record.line);
                let cells = record.cells(records.text);
                part.pieces.iter_mut().zip(cells).for_each(|(piece, cell)| piece.push(cell));
            } else {
                part.ragged.add(|| RaggedRow { line: record.line, cells: record.len(), expected });
            }
        }
        if records.position == records.text.len() && !records.is_whole {
            return Err(Broken::Torn);
        }
        (part.end, part.line_count) = (records.position, records.line);
        part.pieces.iter_mut().for_each(Piece::shrink);
        Ok(part)
    }
}

/// All rows of a text.
pub(super) struct Rows {
    pub(super) columns: Vec<Texts>,
    pub(super) lines: Lines,
}

impl Rows {
    pub(super) fn new(shape: Shape) -> Self {
        let columns = (0..shape.width).map(|_| Texts::default()).collect();
        Self { columns, lines: Lines::default() }
    }

    /// A row of these cells.
    pub(super) fn push(&mut self, cells: &[String], line: usize) {
        self.lines.push(line);
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            let mut piece = Piece::default();
            piece.push(cell);
            column.push(piece);
        }
    }

    /// Reads the rows from `start` to the end of the text, where `line` is the number of the line that begins there.
    ///
    /// Where a part begins is guessed: after the end of a line, which may lie within quotes. The part before it tells
    /// whether that was right, for it ends where a row begins; if not, the part is read again.
    pub(super) fn read(
        &mut self,
        text: &str,
        start: usize,
        mut line: usize,
        shape: Shape,
        name: &str,
    ) -> Result<(), Error> {
        let size = PART.max(shape.width.saturating_mul(BYTES_PER_COLUMN)).min(LONGEST / 4);
        let starts = guessed_starts(text.as_bytes(), start, size);
        let guess = |(&start, &end): (&usize, &usize)| {
            // A wrong guess may take everything that follows for one cell in quotes.
            let far = (end + size..text.len()).find(|&place| text.is_char_boundary(place));
            let part = &text[..far.unwrap_or(text.len())];
            Part::read(&mut Records::new(part, far.is_none(), start, shape.delimiter), end, shape)
        };
        let ends = &starts[1..];
        #[cfg(feature = "rayon")]
        let parts: Vec<_> = starts.par_iter().zip(ends).map(guess).collect();
        #[cfg(not(feature = "rayon"))]
        let parts: Vec<_> = starts.iter().zip(ends).map(guess).collect();
        let mut ragged = Listing::new();
        let mut position = start;
        for (part, &end) in parts.into_iter().zip(ends) {
            let part = match part {
                Ok(part) if part.start == position => part,
                _ => {
                    let mut records = Records::new(text, true, position, shape.delimiter);
                    Part::read(&mut records, end, shape).map_err(|error| error.error(line, name))?
                }
            };
            position = part.end;
            self.lines.append(&part.lines, line);
            for (column, piece) in self.columns.iter_mut().zip(part.pieces) {
                column.push(piece);
            }
            ragged.append(part.ragged, |row| RaggedRow { line: row.line + line, ..row });
            line += part.line_count;
        }
        if ragged.count == 0 { Ok(()) } else { Err(Error::RaggedRows(ragged)) }
    }
}

/// Where parts of about this size may begin, and where the last one ends.
fn guessed_starts(text: &[u8], start: usize, size: usize) -> Vec<usize> {
    let mut starts = vec![start];
    let mut last = start;
    while last + size < text.len() {
        let Some(distance) = memchr2(b'\n', b'\r', &text[last + size..]) else { break };
        let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
        last += size + distance;
        last += text[last..].iter().take_while(|byte| is_break(byte)).count();
        if last < text.len() {
            starts.push(last);
        }
    }
    starts.push(text.len());
    starts
}
