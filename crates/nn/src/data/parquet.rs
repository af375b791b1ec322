//! From the bytes of a Parquet file to its cells.

use core::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::basic::{
    Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit, Type,
};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, Type as Field};
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::Error;
use super::cell::SECONDS;
use super::cells::{Cells, Column, NO_MOMENT, Piece, Places, Texts, Values};

/// How many cells are decoded at a time.
const BATCH: usize = 1 << 14;

/// For how many cells room is made before they are seen: a damaged file may claim more than memory has.
const ROOM: usize = 1 << 24;

/// Reads all cells; `name` is what an error calls the file.
pub(super) fn read(bytes: Vec<u8>, name: &str) -> Result<Cells, Error> {
    let failed = |place: Option<String>, reason: String| Error::Parquet {
        name: name.to_owned(),
        place: place.map_or_else(String::new, |place| format!(" in {place}")),
        reason,
    };
    let open = || SerializedFileReader::new(Bytes::from(bytes)).map_err(|error| error.to_string());
    let file = unharmed(open).map_err(|reason| failed(None, reason))?;
    let metadata = file.metadata();
    let groups = metadata.row_groups().iter();
    let rows = groups.map(|group| usize::try_from(group.num_rows()).unwrap_or(0)).sum();
    let schema = metadata.file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields();
    if rows == 0 || fields.is_empty() {
        return Err(Error::Empty);
    }
    let mut first_leaves = vec![usize::MAX; fields.len()];
    for leaf in (0..schema.num_columns()).rev() {
        first_leaves[schema.get_column_root_idx(leaf)] = leaf;
    }
    let read = |(field, &leaf): (&std::sync::Arc<Field>, &usize)| {
        let kind = match Kind::of_field(field) {
            Kind::Nested(kind) => return Ok(Column::new(Values::Nested(kind, rows))),
            Kind::Flat => Kind::of(&schema.column(leaf)),
            kind => kind,
        };
        let mut cells = Decoded::new(kind, rows);
        for group in 0..metadata.num_row_groups() {
            let place = || Some(format!("row group {group}, column {:?}", field.name()));
            let chunk = metadata.row_group(group).column(leaf);
            if let compression @ (Compression::BROTLI(_) | Compression::LZO) = chunk.compression() {
                return Err(Error::ParquetCompression {
                    column: field.name().to_owned(),
                    compression: compression.to_string().to_lowercase(),
                });
            }
            let rows = usize::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
            let length = chunk.compressed_size();
            let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
            unharmed(|| {
                if start < 0 || length < 0 {
                    return Err("it says that it begins or ends before the file".to_owned());
                }
                let group = file.get_row_group(group).map_err(|error| error.to_string())?;
                let pages =
                    group.get_column_page_reader(leaf).map_err(|error| error.to_string())?;
                let column = schema.column(leaf);
                let pages = Pages { inner: pages, column: column.clone(), has_dictionary: false };
                cells.read(get_column_reader(column, Box::new(pages)), rows)
            })
            .map_err(|reason| failed(place(), reason))?;
        }
        Ok(cells.column(rows))
    };
    #[cfg(feature = "rayon")]
    let columns: Vec<Result<Column, Error>> =
        fields.par_iter().zip(&first_leaves).map(read).collect();
    #[cfg(not(feature = "rayon"))]
    let columns: Vec<Result<Column, Error>> = fields.iter().zip(&first_leaves).map(read).collect();
    Ok(Cells {
        names: fields.iter().map(|field| field.name().trim().to_owned()).collect(),
        header: true,
        columns: columns.into_iter().collect::<Result<_, Error>>()?,
        places: Places::Rows(rows),
        delimiter: b',',
    })
}

/// The result, and an error where the decoder panics, which it may on damaged data.
///
/// [`Pages`] keeps it from the panics that are known of the usual encodings: plain, by dictionary and by runs. Of others,
/// those by differences among them, and of plain texts of which the levels say that there are more, the program's hook still
/// prints a line. That stays: the hook is one for all threads, and a library that replaces it could keep a panic elsewhere
/// from being seen.
fn unharmed<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("its parts contradict each other".to_owned()))
}

/// The pages of a column; an error in place of one that the decoder is known to panic at.
struct Pages {
    inner: Box<dyn PageReader>,
    column: ColumnDescPtr,
    has_dictionary: bool,
}

impl Pages {
    /// Levels of the first version and their length are not looked at: the decoder does so itself.
    fn check(&mut self, page: &Page) -> Result<(), &'static str> {
        let bytes = page.buffer();
        let is_text = self.column.physical_type() == Type::BYTE_ARRAY;
        let is_plain = page.encoding() == Encoding::PLAIN;
        // How many bytes stand before the values, and how many values there must be.
        let (levels, least) = match page {
            Page::DictionaryPage { num_values, .. } => {
                self.has_dictionary = true;
                if is_text && count_texts(bytes).is_none_or(|count| count < *num_values as usize) {
                    return Err("its dictionary is cut off");
                }
                return Ok(());
            }
            Page::DataPage { num_values, .. } if self.column.max_def_level() == 0 => {
                (0, *num_values)
            }
            Page::DataPage { def_level_encoding: Encoding::RLE, .. } => match bytes.get(..4) {
                Some(&[a, b, c, d]) => (4 + u32::from_le_bytes([a, b, c, d]) as usize, 0),
                _ => return Ok(()),
            },
            Page::DataPage { .. } => return Ok(()),
            Page::DataPageV2 {
                num_values,
                num_nulls,
                def_levels_byte_len: own,
                rep_levels_byte_len: others,
                ..
            } => {
                let levels = *own as usize + *others as usize;
                if levels > bytes.len() {
                    return Err("a page is shorter than its levels");
                }
                (levels, num_values.saturating_sub(*num_nulls))
            }
        };
        let is_of_dictionary =
            matches!(page.encoding(), Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
        if is_of_dictionary && !self.has_dictionary {
            return Err("its values are of a dictionary, and there is none");
        }
        let texts = bytes.get(levels..).unwrap_or_default();
        if is_text && is_plain && count_texts(texts).is_none_or(|count| count < least as usize) {
            return Err("its texts are cut off");
        }
        Ok(())
    }
}

/// How many texts there are, each after its length; none where one is cut off.
fn count_texts(mut bytes: &[u8]) -> Option<usize> {
    let mut count = 0;
    while let Some((&length, rest)) = bytes.split_first_chunk() {
        bytes = rest.get(u32::from_le_bytes(length) as usize..)?;
        count += 1;
    }
    bytes.is_empty().then_some(count)
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> parquet::errors::Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        let checked = page.as_ref().map_or(Ok(()), |page| self.check(page));
        checked.map_err(|reason| ParquetError::General(reason.to_owned()))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> parquet::errors::Result<bool> {
        self.inner.at_record_boundary()
    }
}

impl Iterator for Pages {
    type Item = parquet::errors::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

/// How the values of a column are to be taken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One value a cell: its type says how it is taken.
    Flat,
    /// No value that has a place in a table.
    Nested(&'static str),
    Number,
    Unsigned,
    /// A number of so many digits after the point.
    Decimal(i32),
    Half,
    Answer,
    /// Days since the beginning of 1970.
    Day,
    /// So many of a second since the beginning of 1970.
    Moment(i64),
    /// So many of a second since the beginning of the day.
    Time(i64),
    /// Bytes that are said to be text; those that are not said to be may be.
    Text,
    Bytes,
    Uuid,
}

impl Kind {
    fn of_field(field: &Field) -> Self {
        let info = field.get_basic_info();
        let logical = info.logical_type_ref();
        let is_list = matches!(logical, Some(LogicalType::List))
            || info.converted_type() == ConvertedType::LIST
            || info.has_repetition() && info.repetition() == Repetition::REPEATED;
        let is_map = matches!(logical, Some(LogicalType::Map))
            || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
        match () {
            () if is_list => Self::Nested("a list of values"),
            () if is_map => Self::Nested("a map of values"),
            () if field.is_group() => Self::Nested("a group of fields"),
            () => Self::Flat,
        }
    }

    fn of(column: &ColumnDescriptor) -> Self {
        let per_second = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        match column.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => return Self::Decimal(decimal.scale),
            Some(LogicalType::Date) => return Self::Day,
            Some(LogicalType::Timestamp(moment)) => return Self::Moment(per_second(&moment.unit)),
            Some(LogicalType::Time(time)) => return Self::Time(per_second(&time.unit)),
            Some(LogicalType::Integer(whole)) if !whole.is_signed => return Self::Unsigned,
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => return Self::Text,
            Some(LogicalType::Uuid) => return Self::Uuid,
            Some(LogicalType::Float16) => return Self::Half,
            _ => {}
        }
        match column.converted_type() {
            ConvertedType::DECIMAL => return Self::Decimal(column.type_scale()),
            ConvertedType::DATE => return Self::Day,
            ConvertedType::TIMESTAMP_MILLIS => return Self::Moment(1_000),
            ConvertedType::TIMESTAMP_MICROS => return Self::Moment(1_000_000),
            ConvertedType::TIME_MILLIS => return Self::Time(1_000),
            ConvertedType::TIME_MICROS => return Self::Time(1_000_000),
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => return Self::Unsigned,
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => return Self::Text,
            _ => {}
        }
        match column.physical_type() {
            Type::BOOLEAN => Self::Answer,
            Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE => Self::Number,
            Type::INT96 => Self::Moment(1),
            Type::BYTE_ARRAY => Self::Bytes,
            Type::FIXED_LEN_BYTE_ARRAY => Self::Nested("bytes"),
        }
    }
}

/// The cells of a column, as far as they are decoded.
struct Decoded {
    kind: Kind,
    values: Values,
    texts: Texts,
    piece: Piece,
}

impl Decoded {
    fn new(kind: Kind, rows: usize) -> Self {
        let room = rows.min(ROOM);
        let values = match kind {
            Kind::Number | Kind::Unsigned | Kind::Decimal(_) | Kind::Half => {
                Values::Numbers(Vec::with_capacity(room))
            }
            Kind::Answer => Values::Answers(Vec::with_capacity(room)),
            Kind::Day | Kind::Moment(_) => Values::Moments(Vec::with_capacity(room)),
            Kind::Text | Kind::Bytes | Kind::Uuid | Kind::Time(_) => Values::Texts,
            Kind::Nested(kind) => Values::Nested(kind, rows),
            Kind::Flat => unreachable!("its type says how it is taken"),
        };
        Self { kind, values, texts: Texts::default(), piece: Piece::default() }
    }

    fn column(mut self, rows: usize) -> Column {
        match self.values {
            Values::Texts if self.kind == Kind::Nested("bytes") => {
                Column::new(Values::Nested("bytes", rows))
            }
            Values::Texts => {
                self.end_piece();
                Column::of_texts(self.texts)
            }
            values => Column::new(values),
        }
    }

    /// The cells of a row group.
    fn read(&mut self, reader: ColumnReader, rows: usize) -> Result<(), String> {
        let kind = self.kind;
        match reader {
            _ if matches!(kind, Kind::Nested(_)) => Ok(()),
            ColumnReader::BoolColumnReader(reader) => {
                each(reader, rows, |value| self.push(value.copied().map(Cell::Answer)))
            }
            ColumnReader::Int32ColumnReader(reader) => each(reader, rows, |value| {
                let whole = |value: i32| match kind {
                    Kind::Unsigned => i64::from(value.cast_unsigned()),
                    _ => i64::from(value),
                };
                self.push(value.map(|&value| Cell::Whole(whole(value))))
            }),
            ColumnReader::Int64ColumnReader(reader) => each(reader, rows, |value| {
                let cell = |value: i64| match kind {
                    Kind::Unsigned => Cell::Number(value.cast_unsigned() as f64),
                    _ => Cell::Whole(value),
                };
                self.push(value.copied().map(cell))
            }),
            ColumnReader::Int96ColumnReader(reader) => each(reader, rows, |value| {
                self.push(value.map(|value| Cell::Whole(value.to_seconds())))
            }),
            ColumnReader::FloatColumnReader(reader) => each(reader, rows, |value| {
                self.push(value.map(|&value| Cell::Number(f64::from(value))))
            }),
            ColumnReader::DoubleColumnReader(reader) => {
                each(reader, rows, |value| self.push(value.copied().map(Cell::Number)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => each(reader, rows, |value| {
                self.push(value.map(|value: &ByteArray| Cell::Bytes(value.data())))
            }),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => each(reader, rows, |value| {
                self.push(value.map(|value: &FixedLenByteArray| Cell::Bytes(value.data())))
            }),
        }
    }

    #[inline]
    fn push(&mut self, cell: Option<Cell<'_>>) -> Result<(), String> {
        match (&mut self.values, cell) {
            (Values::Numbers(numbers), None) => numbers.push(f64::NAN),
            (Values::Numbers(numbers), Some(cell)) => numbers.push(cell.number(self.kind)?),
            (Values::Answers(answers), None) => answers.push(None),
            (Values::Answers(answers), Some(Cell::Answer(yes))) => answers.push(Some(yes)),
            (Values::Moments(moments), None) => moments.push(NO_MOMENT),
            (Values::Moments(moments), Some(Cell::Whole(count))) => moments.push(match self.kind {
                Kind::Day => count * SECONDS,
                Kind::Moment(per_second) => count.div_euclid(per_second),
                _ => return Err(contradiction()),
            }),
            (Values::Texts, None) => self.push_text(""),
            (Values::Texts, Some(Cell::Bytes(bytes))) if self.kind == Kind::Uuid => {
                self.push_text(&uuid(bytes));
            }
            (Values::Texts, Some(Cell::Bytes(bytes))) => {
                match (core::str::from_utf8(bytes), self.kind) {
                    (Ok(text), _) => self.push_text(text.trim()),
                    (Err(_), Kind::Text) => return Err("a text is not UTF-8".to_owned()),
                    (Err(_), _) => self.kind = Kind::Nested("bytes"),
                }
            }
            (Values::Texts, Some(Cell::Whole(count))) => {
                let Kind::Time(per_second) = self.kind else { return Err(contradiction()) };
                let seconds = count.div_euclid(per_second);
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                self.push_text(&format!("{hours:02}:{minutes:02}:{:02}", seconds % 60));
            }
            _ => return Err(contradiction()),
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        if !self.piece.has_room(text) {
            self.end_piece();
        }
        self.piece.push(text);
    }

    fn end_piece(&mut self) {
        let mut piece = core::mem::take(&mut self.piece);
        piece.shrink();
        self.texts.push(piece);
    }
}

fn contradiction() -> String {
    "its values are not of the type that it says".to_owned()
}

/// A value as it is stored.
enum Cell<'a> {
    Answer(bool),
    Whole(i64),
    Number(f64),
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    /// The number that a file of text would have, read from there.
    fn number(self, kind: Kind) -> Result<f64, String> {
        match (self, kind) {
            (Self::Number(number), _) => Ok(number),
            (Self::Whole(whole), Kind::Decimal(scale)) => decimal(i128::from(whole), scale),
            (Self::Whole(whole), _) => Ok(whole as f64),
            (Self::Bytes(&[low, high]), Kind::Half) => Ok(half(u16::from_le_bytes([low, high]))),
            (Self::Bytes(bytes), Kind::Decimal(scale)) => match bytes {
                [] => decimal(0, scale),
                _ if bytes.len() > 16 => Err("a decimal has more than 38 digits".to_owned()),
                [first, ..] => {
                    let sign = if first & 0x80 == 0 { 0_i128 } else { -1 };
                    let whole = bytes.iter().fold(sign, |all, &byte| all << 8 | i128::from(byte));
                    decimal(whole, scale)
                }
            },
            _ => Err(contradiction()),
        }
    }
}

/// `whole`·10⁻ˢ, rounded once.
fn decimal(whole: i128, scale: i32) -> Result<f64, String> {
    // Both are exact in `f64`, and so is their quotient rounded once.
    const EXACT: i128 = 1 << 53;
    if (0..=22).contains(&scale) && (-EXACT..=EXACT).contains(&whole) {
        return Ok(whole as f64 / 10_f64.powi(scale));
    }
    format!("{whole}e{}", -i64::from(scale)).parse().map_err(|_| contradiction())
}

/// A number of 16 bits: sign, 5 bits of exponent, 10 of mantissa.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

fn uuid(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        // A text takes whatever is written.
        let _ = write!(digits, "{byte:02x}");
    }
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| digits.get(group).unwrap_or(""));
    groups.join("-")
}

/// Passes so many cells of a column on, one by one; none for a gap.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    mut pass: impl FnMut(Option<&T::T>) -> Result<(), String>,
) -> Result<(), String> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        levels.clear();
        values.clear();
        let (read, ..) = reader
            .read_records(left.min(BATCH), Some(&mut levels), None, &mut values)
            .map_err(|error| error.to_string())?;
        if read == 0 {
            return Err(format!("row {} and those that follow are missing", rows - left));
        }
        let mut present = values.iter();
        if levels.is_empty() {
            present.try_for_each(|value| pass(Some(value)))?;
        }
        for &level in &levels {
            pass(if level == 0 { None } else { Some(present.next().ok_or_else(contradiction)?) })?;
        }
        left -= read;
    }
    Ok(())
}
