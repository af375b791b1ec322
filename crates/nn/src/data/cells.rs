//! The cells of a table, column by column, as a file holds them.

use core::fmt::Write;
use core::ops::Range;
use std::sync::OnceLock;

use super::cell::{SECONDS, seconds_of, written_moment};

/// All columns of a file, each as many cells, without the header.
#[derive(Debug)]
pub(super) struct Cells {
    /// The names as the file gives them, empty where it gives none.
    pub(super) names: Vec<String>,
    /// Whether the file names its columns.
    pub(super) header: bool,
    pub(super) columns: Vec<Column>,
    pub(super) places: Places,
    /// What stands between the cells.
    pub(super) delimiter: u8,
}

/// Where each row begins.
#[derive(Debug)]
#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "a CSV file has lines"))]
pub(super) enum Places {
    /// The lines of a text, from 1. Lines are more than rows where cells contain line breaks.
    Lines(Lines),
    /// The file has no lines: so many rows.
    Rows(usize),
}

/// The lines of rows, by runs of rows without a line between them: the first row of each run, and its line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    runs: Vec<(usize, usize)>,
    len: usize,
}

impl Lines {
    pub(super) fn push(&mut self, line: usize) {
        let next = self.runs.last().map(|&(row, first)| first + (self.len - row));
        if next != Some(line) {
            self.runs.push((self.len, line));
        }
        self.len += 1;
    }

    /// Those of the rows that come next, where lines are counted from this one.
    pub(super) fn append(&mut self, next: &Self, first_line: usize) {
        for &(row, line) in &next.runs {
            self.runs.push((self.len + row, first_line + line));
        }
        self.len += next.len;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn at(&self, row: usize) -> usize {
        let run = self.runs.partition_point(|&(first, _)| first <= row) - 1;
        self.runs[run].1 + (row - self.runs[run].0)
    }
}

impl Cells {
    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        match &self.places {
            Places::Lines(lines) => lines.len,
            Places::Rows(count) => *count,
        }
    }

    /// The line in which a row begins; where there are no lines, its number. Both are counted from 1.
    pub(super) fn line(&self, row: usize) -> usize {
        match &self.places {
            Places::Lines(lines) => lines.at(row),
            Places::Rows(_) => row + 1,
        }
    }
}

/// A column: its values, and its cells as text.
#[derive(Debug)]
pub(super) struct Column {
    values: Values,
    texts: OnceLock<Texts>,
}

/// What the cells of a column are.
#[derive(Debug)]
#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "a CSV file has texts only"))]
pub(super) enum Values {
    /// Text, whatever it may mean.
    Texts,
    /// Numbers; NaN is a gap.
    Numbers(Vec<f64>),
    Answers(Vec<Option<bool>>),
    /// Seconds since the beginning of 1970; the least number is a gap.
    Moments(Vec<i64>),
    /// Several values a cell, in so many rows: all are taken as gaps. It is a list, a group, or the like.
    Nested(&'static str, usize),
}

/// A cell that is more than text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Gap,
    Number(f64),
    Answer(bool),
    Moment(i64),
}

impl Value {
    /// One number for each value; NaN for a gap. Those of columns of one kind differ.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Gap => f64::NAN,
            Self::Number(number) => number,
            Self::Answer(yes) => f64::from(u8::from(yes)),
            // Exact for more than a hundred million years.
            Self::Moment(seconds) => seconds as f64,
        }
    }
}

impl Values {
    /// What all its cells are.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Texts => "texts",
            Self::Numbers(_) => "numbers",
            Self::Answers(_) => "answers",
            Self::Moments(_) => "moments",
            Self::Nested(kind, _) => kind,
        }
    }

    /// The cell of a row.
    ///
    /// # Panics
    /// When the column is of texts.
    pub(super) fn at(&self, row: usize) -> Value {
        match self {
            Self::Numbers(numbers) if numbers[row].is_nan() => Value::Gap,
            Self::Numbers(numbers) => Value::Number(numbers[row]),
            Self::Answers(answers) => answers[row].map_or(Value::Gap, Value::Answer),
            Self::Moments(moments) if moments[row] == NO_MOMENT => Value::Gap,
            Self::Moments(moments) => Value::Moment(moments[row]),
            Self::Nested(..) => Value::Gap,
            Self::Texts => unreachable!("texts are read as such"),
        }
    }
}

/// Values that are said to be gaps.
#[derive(Debug, Default)]
pub(super) struct SaidGaps {
    numbers: Vec<f64>,
    moments: Vec<i64>,
}

impl SaidGaps {
    pub(super) fn new(texts: &[String]) -> Self {
        let numbers = texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self { numbers, moments: texts.iter().filter_map(|text| seconds_of(text)).collect() }
    }

    /// A value, or a gap where it is said to be one.
    pub(super) fn seen(&self, value: Value) -> Value {
        match value {
            Value::Number(number) if self.numbers.contains(&number) => Value::Gap,
            Value::Moment(moment) if self.moments.contains(&moment) => Value::Gap,
            value => value,
        }
    }
}

/// A gap among moments.
pub(super) const NO_MOMENT: i64 = i64::MIN;

impl Column {
    #[cfg(feature = "parquet")]
    pub(super) fn new(values: Values) -> Self {
        Self { values, texts: OnceLock::new() }
    }

    pub(super) fn of_texts(texts: Texts) -> Self {
        Self { values: Values::Texts, texts: OnceLock::from(texts) }
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    /// The cells as a CSV file would have them. They are written when they are asked for first.
    pub(super) fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| match &self.values {
            Values::Texts => unreachable!("a column of texts has them"),
            Values::Numbers(numbers) => Texts::written(numbers, |&number, text| {
                if !number.is_nan() {
                    // The fewest digits that tell it from all others.
                    write!(text, "{number}").expect("a string takes all text");
                }
            }),
            Values::Answers(answers) => Texts::written(answers, |answer, text| {
                text.push_str(answer.map_or("", |yes| if yes { "true" } else { "false" }));
            }),
            Values::Moments(moments) => {
                let has_time = has_time(moments);
                Texts::written(moments, |&moment, text| {
                    if moment != NO_MOMENT {
                        text.push_str(&written_moment(moment, has_time));
                    }
                })
            }
            Values::Nested(_, rows) => Texts::written(&vec![(); *rows], |(), _| {}),
        })
    }
}

/// Whether any moment is within a day: one that is not is a date.
pub(super) fn has_time(moments: &[i64]) -> bool {
    moments.iter().any(|&moment| moment != NO_MOMENT && moment.rem_euclid(SECONDS) != 0)
}

/// Cells of text, without the spaces around them, in pieces: each has those of a part of the file.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pieces: Vec<Piece>,
    /// The first row of each piece.
    firsts: Vec<usize>,
    len: usize,
}

/// All text stands in one string, so that a cell costs its text and 4 bytes.
#[derive(Debug, Default)]
pub(super) struct Piece {
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<u32>,
}

impl Piece {
    pub(super) fn push(&mut self, cell: &str) {
        self.push_with(|text| text.push_str(cell));
    }

    /// Whether a text can be added, so that all can be counted by `u32`.
    #[cfg(feature = "parquet")]
    pub(super) fn has_room(&self, cell: &str) -> bool {
        u32::try_from(self.text.len() + cell.len()).is_ok()
    }

    fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len() as u32);
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn cell(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start as usize..self.ends[row] as usize]
    }
}

impl Texts {
    pub(super) fn push(&mut self, piece: Piece) {
        if !piece.ends.is_empty() {
            self.firsts.push(self.len);
            self.len += piece.ends.len();
            self.pieces.push(piece);
        }
    }

    fn written<T>(values: &[T], write: impl Fn(&T, &mut String)) -> Self {
        // A value is written in fewer than a thousand bytes, so that no piece is too long.
        const ROWS: usize = 1 << 20;
        let mut texts = Self::default();
        for values in values.chunks(ROWS) {
            let mut piece = Piece::default();
            for value in values {
                piece.push_with(|text| write(value, text));
            }
            texts.push(piece);
        }
        texts
    }

    /// Whether any cell has this character.
    pub(super) fn contains(&self, character: char) -> bool {
        self.pieces.iter().any(|piece| piece.text.contains(character))
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { texts: self, piece: None, rows: 0..0 }
    }
}

/// Cells one after the other: the piece of the last one is known.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    texts: &'a Texts,
    piece: Option<&'a Piece>,
    rows: Range<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) fn at(&mut self, row: usize) -> &'a str {
        match self.piece {
            Some(piece) if self.rows.contains(&row) => piece.cell(row - self.rows.start),
            _ => self.found(row).cell(row - self.rows.start),
        }
    }

    fn found(&mut self, row: usize) -> &'a Piece {
        let place = self.texts.firsts.partition_point(|&first| first <= row) - 1;
        let (first, piece) = (self.texts.firsts[place], &self.texts.pieces[place]);
        self.piece = Some(piece);
        self.rows = first..first + piece.ends.len();
        piece
    }
}
