//! What is read from a Parquet file: the cells that a CSV file would have.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use nn::data::{ColumnSettings, Columns, Error, Table};
use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::message;

/// The cells of a column; none for a gap.
enum Cells<'a> {
    Answers(&'a [Option<bool>]),
    Whole32(&'a [Option<i32>]),
    Whole64(&'a [Option<i64>]),
    Whole96(&'a [Option<[u32; 3]>]),
    Floats(&'a [Option<f32>]),
    Doubles(&'a [Option<f64>]),
    Texts(&'a [Option<&'a str>]),
    Bytes(&'a [Option<&'a [u8]>]),
    Fixed(&'a [Option<&'a [u8]>]),
}

/// A file of one row group for each of these.
fn file(fields: &str, groups: &[&[Cells<'_>]], compression: Compression) -> Vec<u8> {
    file_with(fields, groups, WriterProperties::builder().set_compression(compression).build())
}

fn file_with(fields: &str, groups: &[&[Cells<'_>]], properties: WriterProperties) -> Vec<u8> {
    let schema = parse_message_type(&format!("message table {{ {fields} }}")).unwrap();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
    for columns in groups {
        let mut group = writer.next_row_group().unwrap();
        for cells in *columns {
            write(&mut group, cells);
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn write(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, cells: &Cells<'_>) {
    let bytes = |cell: &[u8]| ByteArray::from(cell.to_vec());
    let whole96 = |&[low, high, day]: &[u32; 3]| {
        let mut whole = Int96::new();
        whole.set_data(low, high, day);
        whole
    };
    match cells {
        Cells::Answers(cells) => write_as::<BoolType, _>(group, cells, |&cell| cell),
        Cells::Whole32(cells) => write_as::<Int32Type, _>(group, cells, |&cell| cell),
        Cells::Whole64(cells) => write_as::<Int64Type, _>(group, cells, |&cell| cell),
        Cells::Whole96(cells) => write_as::<Int96Type, _>(group, cells, whole96),
        Cells::Floats(cells) => write_as::<FloatType, _>(group, cells, |&cell| cell),
        Cells::Doubles(cells) => write_as::<DoubleType, _>(group, cells, |&cell| cell),
        Cells::Texts(cells) => write_as::<ByteArrayType, _>(group, cells, |&cell| cell.into()),
        Cells::Bytes(cells) => write_as::<ByteArrayType, _>(group, cells, |cell| bytes(cell)),
        Cells::Fixed(cells) => write_as::<FixedLenByteArrayType, _>(group, cells, |cell| {
            FixedLenByteArray::from(bytes(cell))
        }),
    }
}

fn write_as<T: DataType, C>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    cells: &[Option<C>],
    value: impl Fn(&C) -> T::T,
) {
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<T::T> = cells.iter().flatten().map(value).collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
}

fn table(bytes: &[u8]) -> Table {
    Table::from_reader(bytes).unwrap()
}

fn cells(table: &Table, column: &str) -> Vec<String> {
    table.cells(column).unwrap().map(str::to_owned).collect()
}

/// The cells of a single column of this type, as a CSV file would have them.
fn check(field: &str, given: Cells<'_>, expected: &[&str]) {
    let bytes = file(&format!("optional {field};"), &[&[given]], Compression::UNCOMPRESSED);
    assert_eq!(cells(&table(&bytes), "x"), expected, "{field}");
}

// --- kinds ---

#[test]
fn numbers_of_every_width_are_numbers() {
    let whole = [Some(-1), None, Some(7)];
    check("int32 x", Cells::Whole32(&whole), &["-1", "", "7"]);
    check("int32 x (INTEGER(8, true))", Cells::Whole32(&whole), &["-1", "", "7"]);
    check("int32 x (INTEGER(32, false))", Cells::Whole32(&whole), &["4294967295", "", "7"]);
    let long = [Some(-1), Some(1 << 53)];
    check("int64 x", Cells::Whole64(&long), &["-1", "9007199254740992"]);
    check("int64 x (INTEGER(64, false))", Cells::Whole64(&long[1..]), &["9007199254740992"]);
    check("float x", Cells::Floats(&[Some(0.5), Some(f32::NAN)]), &["0.5", ""]);
    check("double x", Cells::Doubles(&[Some(0.1), Some(-1e-3), None]), &["0.1", "-0.001", ""]);
    let half: [Option<&[u8]>; 3] = [Some(&[0, 0x3e]), Some(&[1, 0]), Some(&[0, 0xc0])];
    let expected = ["1.5", "0.00000005960464477539063", "-2"];
    check("fixed_len_byte_array(2) x (FLOAT16)", Cells::Fixed(&half), &expected);
}

#[test]
fn decimals_are_the_numbers_that_they_are_written_as() {
    let expected = ["12.34", "-0.05", ""];
    let whole = [Some(1234), Some(-5), None];
    check("int32 x (DECIMAL(9, 2))", Cells::Whole32(&whole), &expected);
    let long = [Some(1234), Some(-5), None];
    check("int64 x (DECIMAL(18, 2))", Cells::Whole64(&long), &expected);
    let bytes: [Option<&[u8]>; 3] = [Some(&[4, 0xd2]), Some(&[0xff, 0xfb]), None];
    check("binary x (DECIMAL(38, 2))", Cells::Bytes(&bytes), &expected);
    check("fixed_len_byte_array(2) x (DECIMAL(4, 2))", Cells::Fixed(&bytes), &expected);
    // More digits than a number of 53 bits has.
    check("int64 x (DECIMAL(18, 17))", Cells::Whole64(&[Some(100_000_000_000_000_001)]), &["1"]);
}

#[test]
fn booleans_are_yes_or_no() {
    check("boolean x", Cells::Answers(&[Some(true), None, Some(false)]), &["true", "", "false"]);
}

#[test]
fn dates_and_moments_are_written_as_most_programs_write_them() {
    check(
        "int32 x (DATE)",
        Cells::Whole32(&[Some(18_383), Some(-1), None]),
        &["2020-05-01", "1969-12-31", ""],
    );
    let second = 1_588_327_200;
    let timed = ["2020-05-01 10:00:00", ""];
    for (unit, per_second) in [("MILLIS", 1_000), ("MICROS", 1_000_000), ("NANOS", 1_000_000_000)] {
        let field = format!("int64 x (TIMESTAMP({unit}, true))");
        check(&field, Cells::Whole64(&[Some(second * per_second), None]), &timed);
    }
    check("int64 x (TIMESTAMP_MILLIS)", Cells::Whole64(&[Some(second * 1000), None]), &timed);
    // As Spark writes it: nanoseconds of the day in two halves, and the Julian day.
    let nanos = 36_000_000_000_000_u64;
    let whole = [nanos as u32, (nanos >> 32) as u32, 2_458_971];
    check("int96 x", Cells::Whole96(&[Some(whole), None]), &timed);
    // Moments at midnight are dates: pandas has no others.
    let midnights = [Some(86_400_000), Some(0)];
    let expected = ["1970-01-02", "1970-01-01"];
    check("int64 x (TIMESTAMP(MILLIS, false))", Cells::Whole64(&midnights), &expected);
    check("int32 x (TIME(MILLIS, true))", Cells::Whole32(&[Some(37_230_000)]), &["10:20:30"]);
}

#[test]
fn texts_are_texts_without_the_spaces_around_them() {
    let texts = [Some("a"), Some(" Köln "), None, Some("a")];
    check("binary x (STRING)", Cells::Texts(&texts), &["a", "Köln", "", "a"]);
    check("binary x (ENUM)", Cells::Texts(&texts), &["a", "Köln", "", "a"]);
    check("binary x", Cells::Texts(&texts), &["a", "Köln", "", "a"]);
    let uuid: [Option<&[u8]>; 1] = [Some(b"0123456789abcdef")];
    let expected = ["30313233-3435-3637-3839-616263646566"];
    check("fixed_len_byte_array(16) x (UUID)", Cells::Fixed(&uuid), &expected);
}

#[test]
fn every_compression_that_people_have_is_read() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(parquet::basic::GzipLevel::default()),
        Compression::ZSTD(parquet::basic::ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        let group: &[Cells<'_>] = &[Cells::Doubles(&[Some(1.5), Some(2.5)])];
        let bytes = file("optional double x;", &[group, group], compression);
        assert_eq!(cells(&table(&bytes), "x"), ["1.5", "2.5", "1.5", "2.5"], "{compression}");
    }
}

// --- beside a CSV file ---

const FIELDS: &str = "optional double mass; optional int32 count; optional binary city (STRING); \
                      optional int32 since (DATE); optional boolean member;";

/// The same table as a Parquet and as a CSV file.
fn twins() -> (Table, Table) {
    let rows = 0..500;
    let gap = |row: i32| row % 7 == 3;
    let mass = |row: i32| (!gap(row)).then(|| f64::from(row).sqrt());
    let mass: Vec<Option<f64>> = rows.clone().map(mass).collect();
    let count: Vec<Option<i32>> = rows.clone().map(|row| Some(row * row % 31)).collect();
    let cities = ["Rome", "Oslo", "Köln"];
    let city: Vec<Option<&str>> = rows
        .clone()
        .map(|row| (!gap(row + 1)).then(|| cities[row.unsigned_abs() as usize % 3]))
        .collect();
    let since: Vec<Option<i32>> = rows.clone().map(|row| Some(11 * row)).collect();
    let member: Vec<Option<bool>> =
        rows.map(|row| (!gap(row + 2)).then_some(row % 3 == 0)).collect();
    let group: &[Cells<'_>] = &[
        Cells::Doubles(&mass),
        Cells::Whole32(&count),
        Cells::Texts(&city),
        Cells::Whole32(&since),
        Cells::Answers(&member),
    ];
    let parquet = table(&file(FIELDS, &[group], Compression::SNAPPY));
    let names = parquet.columns().to_vec();
    let columns: Vec<Vec<String>> = names.iter().map(|name| cells(&parquet, name)).collect();
    let line = |row: usize| columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>();
    let lines = (0..columns[0].len()).map(|row| line(row).join(",") + "\n");
    let text = names.join(",") + "\n" + &lines.collect::<String>();
    (parquet, Table::from_reader(text.as_bytes()).unwrap())
}

#[test]
fn columns_are_what_those_of_a_csv_file_are() {
    let (parquet, csv) = twins();
    let settings = ColumnSettings::default();
    for rows in [(0..500).collect::<Vec<usize>>(), (100..300).rev().step_by(3).collect()] {
        let learnt = Columns::learn(&parquet, &rows, &settings).unwrap();
        assert_eq!(learnt, Columns::learn(&csv, &rows, &settings).unwrap());
        assert_eq!(learnt.apply(&parquet).unwrap(), learnt.apply(&csv).unwrap());
        let (some, others) = (parquet.rows(&rows), csv.rows(&rows));
        assert_eq!(learnt.apply(&some).unwrap(), learnt.apply(&others).unwrap());
    }
}

#[test]
fn targets_are_what_those_of_a_csv_file_are() {
    let (parquet, csv) = twins();
    for column in ["mass", "count", "city", "since", "member"] {
        assert_eq!(parquet.task(column).unwrap(), csv.task(column).unwrap(), "{column}");
        let whole = parquet.whole_rows(&[column], &[]).unwrap();
        assert_eq!(whole, csv.whole_rows(&[column], &[]).unwrap(), "{column}");
        let (parquet, csv) = (parquet.rows(&whole), csv.rows(&whole));
        assert_eq!(parquet.classes(column).ok(), csv.classes(column).ok(), "{column}");
        assert_eq!(parquet.amounts(column).ok(), csv.amounts(column).ok(), "{column}");
    }
}

/// A column of moments `since`, in seconds, and a column `y` that is of use.
fn moments(seconds: &[i64]) -> Table {
    let since: Vec<Option<i64>> = seconds.iter().map(|second| Some(second * 1000)).collect();
    let y: Vec<Option<f64>> = (0..seconds.len()).map(|row| Some(row as f64)).collect();
    let cells: &[Cells<'_>] = &[Cells::Whole64(&since), Cells::Doubles(&y)];
    let fields = "optional int64 since (TIMESTAMP(MILLIS, true)); optional double y;";
    table(&file(fields, &[cells], Compression::UNCOMPRESSED))
}

#[test]
fn moments_are_those_of_a_csv_file_with_a_t_before_the_time() {
    let parquet = moments(&[129_600, 1_588_327_200, -1]);
    let texts = ["1970-01-02 12:00:00", "2020-05-01 10:00:00.5", "1969-12-31 23:59:59"];
    let written = |sign: &str, end: &str| {
        let line =
            |(row, text): (usize, &&str)| format!("{}{end},{row}\n", text.replace(' ', sign));
        let text = "since,y\n".to_owned() + &texts.iter().enumerate().map(line).collect::<String>();
        Table::from_reader(text.as_bytes()).unwrap()
    };
    let tables = [written("T", ""), written(" ", ""), written("T", "Z"), parquet];
    let all = [0, 1, 2];
    for (learnt_from, table) in tables.iter().enumerate() {
        let columns = Columns::learn(table, &all, &ColumnSettings::default()).unwrap();
        let expected = columns.apply(table).unwrap();
        assert_eq!(expected.inputs[(1, 0)], 1_588_327_200.0 / 86_400.0);
        for (given, other) in tables.iter().enumerate() {
            assert_eq!(columns.apply(other).unwrap(), expected, "{given} after {learnt_from}");
        }
    }
}

#[test]
fn a_moment_with_a_t_that_is_said_to_be_a_gap_is_one() {
    let gaps = vec!["1900-01-01T00:00:01".to_owned()];
    let settings = ColumnSettings { gaps, ..ColumnSettings::default() };
    let parquet = moments(&[129_600, 1_588_327_200, -2_208_988_799]);
    let columns = Columns::learn(&parquet, &[0, 1, 2], &settings).unwrap();
    let last = columns.width() - 2;
    let inputs = columns.apply(&parquet).unwrap().inputs;
    assert_eq!([inputs[(0, last)], inputs[(1, last)], inputs[(2, last)]], [0.0, 0.0, 1.0]);
}

#[test]
fn a_time_where_the_training_had_days_is_refused() {
    let columns = learnt("since,y\n2020-05-01,1\n2020-06-01,2\n2020-07-01,3\n");
    assert_eq!(columns.apply(&moments(&[86_400])).unwrap().inputs.data[0], 1.0);
    let error = message(columns.apply(&moments(&[86_401])));
    let expected = "row 1, column \"since\": \"1970-01-02 00:00:01\" is no date written %Y-%m-%d";
    assert!(error.starts_with(expected), "{error}");
}

fn learnt(text: &str) -> Columns {
    let table = Table::from_reader(text.as_bytes()).unwrap();
    let rows: Vec<usize> = (0..table.len()).collect();
    Columns::learn(&table, &rows, &ColumnSettings::default()).unwrap()
}

#[test]
fn a_value_that_is_said_to_be_a_gap_is_one() {
    let group: &[Cells<'_>] = &[
        Cells::Doubles(&[Some(1.0), Some(-999.0), Some(3.0)]),
        Cells::Whole32(&[Some(10), Some(20), Some(-25_567)]),
    ];
    let fields = "optional double x; optional int32 day (DATE);";
    let table = table(&file(fields, &[group], Compression::UNCOMPRESSED));
    let gaps = vec!["-999".to_owned(), "1900-01-01".to_owned()];
    let settings = ColumnSettings { gaps, ..ColumnSettings::default() };
    let columns = Columns::learn(&table, &[0, 1, 2], &settings).unwrap();
    let inputs = columns.apply(&table).unwrap().inputs;
    assert_eq!(inputs.row(1)[..3], [2.0, 1.0, 20.0]);
    assert_eq!((inputs[(2, 2)], inputs[(2, 7)]), (15.0, 1.0));
}

#[test]
fn the_names_of_rows_that_pandas_keeps_are_left_out() {
    let group: &[Cells<'_>] = &[
        Cells::Doubles(&[Some(1.0), Some(2.0), Some(4.0)]),
        Cells::Whole64(&[Some(7), Some(3), Some(5)]),
    ];
    let fields = "optional double x; optional int64 __index_level_0__;";
    let table = table(&file(fields, &[group], Compression::UNCOMPRESSED));
    let columns = Columns::learn(&table, &[0, 1, 2], &ColumnSettings::default()).unwrap();
    let said: Vec<String> = columns.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["x: number", "__index_level_0__: left out: it counts the rows"]);
}

#[test]
fn a_fingerprint_is_of_the_cells() {
    let of = |number: f64, compression| {
        let cells: &[Cells<'_>] = &[Cells::Doubles(&[Some(number), None])];
        table(&file("optional double x;", &[cells], compression)).fingerprint()
    };
    let one = of(1.0, Compression::UNCOMPRESSED);
    assert_eq!(one, of(1.0, Compression::SNAPPY));
    assert_ne!(one, of(1.5, Compression::UNCOMPRESSED));
}

// --- what cannot be read ---

#[test]
fn a_column_of_several_values_a_cell_is_refused_when_it_is_used() {
    let fields = "optional double y; optional group tags (LIST) { repeated group list { optional double element; } }";
    let schema = parse_message_type(&format!("message table {{ {fields} }}")).unwrap();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    write(&mut group, &Cells::Doubles(&[Some(1.0), Some(2.0)]));
    let mut column = group.next_column().unwrap().unwrap();
    let levels = (&[3, 3, 0][..], &[0, 1, 0][..]);
    column.typed::<DoubleType>().write_batch(&[1.0, 2.0], Some(levels.0), Some(levels.1)).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let table = table(&writer.into_inner().unwrap());
    assert_eq!(table.columns(), ["y", "tags"]);
    let expected = "column \"tags\" is a list of values: leave it out, or write each of its values to a column of its own";
    let settings = ColumnSettings::default();
    assert_eq!(message(Columns::learn(&table, &[0, 1], &settings)), expected);
    assert_eq!(message(table.cells("tags").map(drop)), expected);
    assert_eq!(message(table.numbers(&["y", "tags"])), expected);
    let rest = table.drop(&["tags"]).unwrap();
    assert_eq!(rest.numbers(&["y"]).unwrap().data, [1.0, 2.0]);
    Columns::learn(&rest, &[0, 1], &settings).unwrap();
}

#[test]
fn a_cell_that_cannot_be_used_is_named_by_its_row() {
    let cells: &[Cells<'_>] = &[Cells::Doubles(&[Some(1.0), Some(f64::INFINITY), Some(2.0)])];
    let table = table(&file("optional double x;", &[cells], Compression::UNCOMPRESSED));
    let error = message(Columns::learn(&table, &[0, 1, 2], &ColumnSettings::default()));
    assert!(error.starts_with("row 2, column \"x\": \"inf\" is not finite\n"), "{error}");
}

#[test]
fn a_file_that_only_has_the_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    fs::write(&path, "x,y\n1,2\n").unwrap();
    let error = Table::read(&path).unwrap_err();
    assert!(matches!(error, Error::Parquet { .. }), "{error}");
    let said =
        format!("cannot read {:?} as Parquet: damaged or cut off (", path.display().to_string());
    assert!(error.to_string().starts_with(&said), "{error}");
}

#[test]
fn a_text_that_begins_like_a_parquet_file_is_a_text() {
    assert_eq!(Table::from_reader("PAR1,y\n1,2\n".as_bytes()).unwrap().columns(), ["PAR1", "y"]);
}

#[test]
fn a_file_without_rows_is_empty() {
    let bytes = file("optional double x;", &[], Compression::UNCOMPRESSED);
    assert!(matches!(Table::from_reader(bytes.as_slice()), Err(Error::Empty)));
}

/// A small file with a page of each kind.
fn small() -> Vec<u8> {
    let group: &[Cells<'_>] = &[
        Cells::Doubles(&[Some(1.5), None, Some(2.5)]),
        Cells::Whole32(&[Some(1), Some(2), Some(2)]),
        Cells::Texts(&[Some("a"), Some("b"), None]),
        Cells::Whole32(&[Some(1), None, Some(3)]),
        Cells::Answers(&[Some(true), Some(false), None]),
    ];
    file(FIELDS, &[group, group], Compression::SNAPPY)
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let bytes = small();
    for length in 4..bytes.len() {
        let error = Table::from_reader(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::Parquet { .. }), "{length}: {error}");
    }
}

#[test]
fn damaged_bytes_are_read_or_refused() {
    let bytes = small();
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut refused = 0;
    for _ in 0..10_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random(3) {
            let place = random(bytes.len());
            damaged[place] = random(256) as u8;
        }
        match Table::from_reader(damaged.as_slice()) {
            Ok(table) => assert_eq!(cells(&table, "1").len(), table.len()),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn a_file_with_a_changed_bit_is_read_or_refused() {
    let text = "optional binary city (STRING)";
    for (version, has_dictionary, text) in [
        (WriterVersion::PARQUET_1_0, true, text),
        (WriterVersion::PARQUET_2_0, true, text),
        (WriterVersion::PARQUET_1_0, false, "required binary city (STRING)"),
    ] {
        let properties = WriterProperties::builder().set_writer_version(version);
        let properties = properties.set_dictionary_enabled(has_dictionary).build();
        let cells: &[Cells<'_>] = &[
            Cells::Doubles(&[Some(1.5), None, Some(2.5)]),
            Cells::Texts(&[Some("a"), Some("b"), Some("a")]),
            Cells::Answers(&[Some(true), Some(false), None]),
        ];
        let fields = format!("optional double x; {text}; optional boolean member;");
        let bytes = file_with(&fields, &[cells, cells], properties);
        let mut refused = 0;
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            refused += usize::from(Table::from_reader(damaged.as_slice()).is_err());
        }
        assert!(refused > 1_000, "{refused}");
    }
}

/// The decoder's panics are caught, but the program's hook would print them.
#[test]
fn damaged_files_are_refused_in_silence() {
    for test in
        ["damaged_bytes_are_read_or_refused", "a_file_with_a_changed_bit_is_read_or_refused"]
    {
        let arguments = ["--exact", &format!("data::parquet::{test}"), "--nocapture"];
        let mut command = Command::new(std::env::current_exe().unwrap());
        let run = command.args(arguments).env("RUST_BACKTRACE", "0").output().unwrap();
        let said = String::from_utf8(run.stdout).unwrap();
        assert!(said.contains("1 passed"), "{said}");
        assert_eq!(String::from_utf8(run.stderr).unwrap(), "", "{test}");
    }
}
