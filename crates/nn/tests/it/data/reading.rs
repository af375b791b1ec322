//! What is read from a CSV file, and what is said about one that cannot be used.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use nn::data::{Error, Flaw, Format, Table, Task};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{column, labels, message};

fn table(text: &str) -> Table {
    Table::from_reader(text.as_bytes()).unwrap()
}

/// The cells line by line, under the names: `x y/1 2/3 4`.
fn shown(table: &Table) -> String {
    let columns: Vec<Vec<&str>> =
        table.columns().iter().map(|name| table.cells(name).unwrap().collect()).collect();
    let row = |row: usize| columns.iter().map(|column| column[row]).collect::<Vec<_>>().join(" ");
    core::iter::once(table.columns().join(" "))
        .chain((0..table.len()).map(row))
        .collect::<Vec<_>>()
        .join("/")
}

fn check(text: &str, expected: &str) {
    assert_eq!(shown(&table(text)), expected, "{text:?}");
}

fn check_error(text: &str, expected: &str) {
    assert_eq!(message(Table::from_reader(text.as_bytes())), expected);
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const X_Y: &str = "x y/1 2/3 4";

// --- what is read ---

#[test]
fn the_end_of_a_line_is_any() {
    for text in ["x,y\n1,2\n3,4\n", "x,y\r\n1,2\r\n3,4\r\n", "x,y\r1,2\r3,4\r", "x,y\n1,2\n3,4"] {
        check(text, X_Y);
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    check("\u{feff}x,y\n1,2\n3,4\n", X_Y);
    check("\u{feff}\"x\",y\n1,2\n3,4\n", X_Y);
}

#[test]
fn blank_lines_and_spaces_are_passed_over() {
    check("\n  \nx , y\n\n 1,2 \n \n\t3\t,4\n\n\n", X_Y);
}

#[test]
fn a_cell_may_stand_in_quotes() {
    check("\"x\",\"y\"\n\"1\",2\n3,\"4\"\n", X_Y);
    check("a\n\"b, \"\"c\"\"\"\n", "a/b, \"c\"");
    check("a,b\n1, \"2\"\n", "a b/1 2");
    check("a\n\"b\nc\"\n", "a/b\nc");
}

#[test]
fn an_empty_cell_in_quotes_is_a_row() {
    check("a\n\"\"\nb\n", "a//b");
}

#[test]
fn the_delimiter_is_in_the_first_line() {
    check("x;y\n1;2\n3;4\n", X_Y);
    check("x\ty\n1\t2\n3\t4\n", X_Y);
    check("\"x,1\";y\n1;2\n", "x,1 y/1 2");
    check("x;1,y\n1,2\n", "x;1 y/1 2");
    check("\n \nx\ty\n1\t2\n", "x y/1 2");
    // A line of delimiters is no blank line.
    check("x\ty\n\t\n1\t2\n", "x y/ /1 2");
    check("x,y\n,\n1,2\n", "x y/ /1 2");
}

#[test]
fn gzip_is_known_by_its_first_bytes() {
    let text = "x,y\n1,2\n3,4\n";
    assert_eq!(shown(&Table::from_reader(packed(text).as_slice()).unwrap()), X_Y);
    // As `cat a.gz b.gz` makes it.
    let joined = [packed("x,y\n1,2\n"), packed("3,4\n")].concat();
    assert_eq!(shown(&Table::from_reader(joined.as_slice()).unwrap()), X_Y);
}

#[test]
fn a_first_line_of_numbers_is_data() {
    let numbers = table("1,2\n3,4\n");
    assert!(!numbers.has_header());
    assert_eq!(shown(&numbers), "column1 column2/1 2/3 4");
    check("1,2\n", "column1 column2/1 2");
}

#[test]
fn a_first_line_like_the_second_is_data() {
    check("5.1,setosa\n4.9,setosa\n", "column1 column2/5.1 setosa/4.9 setosa");
    check("1,,3\n4,5,6\n", "column1 column2 column3/1  3/4 5 6");
}

#[test]
fn a_first_line_of_text_is_a_header() {
    assert!(table("a,b\nc,d\n").has_header());
    check("a,b\nc,d\n", "a b/c d");
    check("150,4,setosa\n5.1,3.5,0\n", "150 4 setosa/5.1 3.5 0");
}

#[test]
fn a_column_without_a_name_is_numbered() {
    check("x,,z\n1,2,3\n", "x column2 z/1 2 3");
    check(",0,1\n0,2.5,3.5\n", "column1 0 1/0 2.5 3.5");
}

#[test]
fn years_above_numbers_are_a_header() {
    check("land,1990,1991\nA,5,4\n", "land 1990 1991/A 5 4");
    check("land,code,1990,1991\nA,a,5,4\n", "land code 1990 1991/A a 5 4");
    // Rows that rise one as the other are rows.
    check("A,5,6\nB,7,8\n", "column1 column2 column3/A 5 6/B 7 8");
}

#[test]
fn a_header_is_one_where_it_is_said() {
    let as_said = |text: &str, header| {
        let format = Format { header: Some(header), ..Format::default() };
        shown(&Table::from_reader_as(text.as_bytes(), format).unwrap())
    };
    assert_eq!(as_said("a,b\nc,d\n", false), "column1 column2/a b/c d");
    assert_eq!(as_said("1,2\n3,4\n", true), "1 2/3 4");
}

#[test]
fn the_delimiter_is_what_is_said() {
    let format = Format { delimiter: Some(b'|'), ..Format::default() };
    let table = Table::from_reader_as("x,1|y\n3|4\n".as_bytes(), format).unwrap();
    assert_eq!(shown(&table), "x,1 y/3 4");
    check("sep=;\nx,1;y,2\n3;4\n", "x,1 y,2/3 4");
    check("sep=|\r\nx|y\r\n3|4\r\n", "x y/3 4");
}

#[test]
fn the_delimiter_is_in_every_line_as_often() {
    check("Länge, cm;y\n1,5;2\n3;4\n", "Länge, cm y/1,5 2/3 4");
    check("1,5;2,5\n3;4,5\n", "column1 column2/1,5 2,5/3 4,5");
    check("x|y\n1|2\n", "x y/1 2");
}

#[test]
fn comments_are_passed_over() {
    check("# made by hand\n# twice\nx,y\n1,2\n3,4\n", X_Y);
    check("x,y\n1,2\n# a remark\n3,4\n", X_Y);
    // Lines are counted as an editor counts them.
    assert_eq!(table("# one\n\nx\n1\n").line(0), 4);
    // A row may begin with the sign, and so may the names.
    check("x,y\n1,2\n#3,4\n", "x y/1 2/#3 4");
    check("# x,y\n1,2\n3,4\n", X_Y);
    check("#x\n1\n", "column1/1");
}

#[test]
fn names_of_rows_may_have_no_name() {
    check("x,y\na,1,2\nb,3,4\n", "column1 x y/a 1 2/b 3 4");
    // Numbers are no names that lack one.
    assert!(matches!(Table::from_reader("1,2\n3,4,5\n".as_bytes()), Err(Error::RaggedRows(_))));
}

// --- what cannot be read ---

#[test]
fn a_file_that_is_not_there() {
    assert_eq!(
        message(Table::read("no/such.csv")),
        r#"cannot read "no/such.csv": No such file or directory (os error 2)"#
    );
}

#[test]
fn a_directory() {
    let error = message(Table::read(env!("CARGO_MANIFEST_DIR")));
    assert!(error.starts_with("cannot read \""), "{error}");
    assert!(error.ends_with("Is a directory (os error 21)"), "{error}");
}

#[test]
fn nothing() {
    for text in ["", "\n\n", "  \n", "\u{feff}"] {
        check_error(text, "the table is empty: it needs a line for each row");
    }
}

#[test]
fn a_header_alone() {
    check_error("\nx,y\n", "the table has a header (line 2) and no rows under it");
    check_error("\u{feff}\n\nx,y\n", "the table has a header (line 3) and no rows under it");
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(
        message(Table::from_reader(&b"x\n1\n\xff\n"[..])),
        "line 3 is not UTF-8 text: save the table as CSV in UTF-8"
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_needs_the_feature() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.PARQUET");
    std::fs::write(&path, "x\n1\n").unwrap();
    let said = "is a Parquet file, and this program was built without the feature `parquet`: build it with";
    for error in [message(Table::from_reader(&b"PAR1\x15\x04"[..])), message(Table::read(path))] {
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_gzip_file_that_is_cut_off() {
    let packed = packed("x,y\n1,2\n3,4\n");
    for length in 2..packed.len() {
        let error = message(Table::from_reader(&packed[..length]));
        assert!(error.starts_with("the gzip data is damaged or cut off ("), "{error}");
        assert!(error.ends_with("): copy or compress the file again"), "{error}");
    }
}

#[test]
fn a_gzip_file_with_a_wrong_sum() {
    let mut packed = packed("x,y\n1,2\n3,4\n");
    let sum = packed.len() - 8;
    packed[sum] ^= 1;
    assert!(matches!(Table::from_reader(packed.as_slice()), Err(Error::Gzip { .. })));
}

#[test]
fn rows_of_other_lengths() {
    check_error(
        "x,y\n1,2\n\n3\n4,5,6\n",
        "line 4 has 1 cell where the first line has 2\nline 5 has 3 cells where the first line has 2\n\
         a cell that contains the delimiter stands in quotes; an empty cell still has its delimiter",
    );
}

#[test]
fn a_large_table_is_read_in_parts_as_in_one() {
    // Cells with line breaks and quotes lie where the parts are cut; the last one is bad, in a line that is known.
    let cell = |row: usize| format!("{row},\"a\n1,\"\"b\n{}\"\r\n", "x,y\n".repeat(row % 5));
    let rows: usize = 200_000;
    let mut text = "id,text\n".to_owned();
    (0..rows).for_each(|row| text.push_str(&cell(row)));
    assert!(text.len() > 4 << 20);
    let table = table(&text);
    assert_eq!(table.len(), rows);
    let mut line = 2;
    for (row, (id, long)) in
        table.cells("id").unwrap().zip(table.cells("text").unwrap()).enumerate()
    {
        assert_eq!((id.parse(), table.line(row)), (Ok(row), line));
        assert_eq!(long, format!("a\n1,\"b\n{}", "x,y\n".repeat(row % 5)).trim());
        line += 3 + row % 5;
    }
    let error = message(Table::from_reader((text + "1,2,3\n").as_bytes()));
    assert!(error.starts_with(&format!("line {line} has 3 cells where")), "{error}");
}

#[test]
fn a_quote_without_an_end() {
    check_error("x,y\n1,2\n3,\"4\n5,6\n", "a quoted cell of line 3 has no closing quote");
    // A quote inside a cell is only a character.
    check("x,y\n1,5\"\n2,6\"\n", "x y/1 5\"/2 6\"");
}

#[test]
fn two_columns_of_one_name() {
    check_error(
        "x,y,x\n1,2,3\n",
        r#"columns 1 and 3 are both named "x": give each a name of its own"#,
    );
}

// --- columns ---

#[test]
fn a_column_is_chosen_by_name_or_place() {
    let table = table("x,y,z\n1,2,3\n");
    for (column, expected) in [("y", 2.0), ("1", 1.0), ("3", 3.0), ("-1", 3.0), ("-3", 1.0)] {
        assert_eq!(table.numbers(&[column]).unwrap().data, [expected], "{column}");
    }
}

#[test]
fn a_name_wins_over_a_place() {
    let table = table("2,x\n30,40\n5,6\n");
    assert!(table.has_header());
    assert_eq!(table.numbers(&["2"]).unwrap().data, [30.0, 5.0]);
}

#[test]
fn a_column_that_is_not_there() {
    let table = table("petal length,y\n1,2\n");
    assert_eq!(
        message(table.numbers(&["Petal Lenght"])),
        r#"there is no column "Petal Lenght": did you mean "petal length"?"#
    );
    for column in ["species", "0", "3", "-3", "", "99999999999999999999"] {
        assert_eq!(
            message(table.numbers(&[column])),
            format!(
                "there is no column {column:?}: the columns are \"petal length\", \"y\"; by position they are 1 to 2, or -1 to -2 from the end"
            )
        );
    }
}

#[test]
fn of_many_columns_the_first_are_named() {
    let line = vec!["0"; 64].join(",");
    let error = message(table(&line).numbers(&["digit"]));
    assert!(error.contains(r#""column10" and 54 more; by position"#), "{error}");
}

#[test]
fn columns_are_selected_and_dropped() {
    let table = table("x,y,z\n1,2,3\n");
    assert_eq!(shown(&table.select(&["z", "1"]).unwrap()), "z x/3 1");
    assert_eq!(shown(&table.drop(&["y"]).unwrap()), "x z/1 3");
    assert_eq!(shown(&table.drop(&["y"]).unwrap().select(&["-1"]).unwrap()), "z/3");
    assert_eq!(message(table.select(&["x", "1"])), r#"column "x" is asked for twice"#);
}

#[test]
fn rows_for_a_trained_network_are_found_by_name() {
    let names = ["x", "2"];
    assert_eq!(table("2,y,x\n1,b,3\n4,b,6\n").inputs(&names).unwrap().data, [3.0, 1.0, 6.0, 4.0]);
    // "2" is a name here, and never the second column.
    assert!(matches!(table("y,x\n1,3\n").inputs(&names), Err(Error::UnknownColumn { .. })));
    assert_eq!(table("7,8\n").inputs(&names).unwrap().data, [7.0, 8.0]);
    assert!(matches!(
        table("7,8,9\n").inputs(&names),
        Err(Error::ColumnCount { expected: 2, given: 3 })
    ));
}

#[test]
fn very_many_columns_are_found_in_time() {
    // Names, dropping and choosing each look a column up once; 80,000·80,000 look-ups would take a minute.
    let count = 80_000;
    let names: Vec<String> = (0..count).map(|number| format!("n{number}")).collect();
    let text = format!("{}\n{}\n", names.join(","), vec!["1"; count].join(","));
    let table = table(&text);
    assert_eq!(table.numbers(&names).unwrap().columns, count);
    assert_eq!(table.inputs(&names).unwrap().columns, count);
    assert_eq!(table.drop(&names[1..]).unwrap().columns(), ["n0"]);
    assert_eq!(table.select(&names).unwrap().columns().len(), count);
}

// --- cells ---

#[test]
fn a_cell_that_is_no_number_is_named_with_its_place() {
    let correct = "\ncorrect this in the file, or leave out the lines or the columns";
    for (cell, flaw) in [
        ("abc", ": \"abc\" is not a number"),
        ("NA", ": \"NA\" is not a number"),
        ("", " is empty"),
        ("  ", " is empty"),
        ("NaN", ": \"NaN\" is not finite"),
        ("-inf", ": \"-inf\" is not finite"),
        ("1e999", ": \"1e999\" is not finite"),
        ("\"1,5\"", ": \"1,5\" is not a number (its decimal sign must be a point)"),
    ] {
        let table = table(&format!("x,petal length\n\n1,2\n3,{cell}\n"));
        let expected = format!("line 4, column \"petal length\"{flaw}{correct}");
        assert_eq!(message(table.numbers(&["x", "petal length"])), expected);
        assert_eq!(table.numbers(&["x"]).unwrap(), column(&[1.0, 3.0]));
    }
}

#[test]
fn a_line_is_counted_as_an_editor_counts_it() {
    for text in [
        "x\n\"1\n\"\n\n?\n",
        "x\r\n\"1\r\n\"\r\n\r\n?\r\n",
        "x\r\"1\r\"\r\r?\r",
        "x\r\n\"1\n\"\r\n\r\n?",
    ] {
        let error = table(text).numbers(&["x"]).unwrap_err();
        let Error::BadCells(cells) = &error else { panic!("{error}") };
        assert_eq!(cells.first[0].line, 5, "{text:?}");
    }
}

#[test]
fn all_bad_cells_are_counted_and_the_first_shown() {
    let text = format!("x,y\n{}", "?,1\n".repeat(12));
    let error = table(&text).numbers(&["x", "y"]).unwrap_err();
    let Error::BadCells(cells) = &error else { panic!("{error}") };
    assert_eq!((cells.first.len(), cells.count), (10, 12));
    assert_eq!(cells.first[9].line, 11);
    assert_eq!(cells.first[9].flaw, Flaw::NotANumber("?".into()));
    assert!(
        error.to_string().contains("line 11, column \"x\": \"?\" is not a number\nand 2 more\n")
    );
}

#[test]
fn a_long_cell_is_shortened() {
    let error = message(table(&format!("x\n{}\n", "ä".repeat(50))).numbers(&["x"]));
    assert!(error.contains(&format!("\"{}…\" is not", "ä".repeat(40))), "{error}");
}

// --- targets ---

#[test]
fn a_classification_has_one_hot_targets() {
    let (dataset, classes) =
        table("x,kind,y\n1,b,2\n3,a,4\n5,b,6\n").classification("kind").unwrap();
    assert_eq!(labels(&classes), ["a", "b"]);
    assert_eq!(dataset.inputs.data, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(dataset.input_names, ["x", "y"]);
    assert_eq!(dataset.targets.data, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(dataset.target_names, ["a", "b"]);
}

#[test]
fn a_regression_may_have_several_targets() {
    let dataset = table("x,y,z\n1,2,3\n4,5,6\n").regression(&["z", "x"]).unwrap();
    assert_eq!(dataset.inputs, column(&[2.0, 5.0]));
    assert_eq!(dataset.targets.data, [3.0, 1.0, 6.0, 4.0]);
    assert_eq!(dataset.target_names, ["z", "x"]);
}

#[test]
fn an_input_that_is_no_number_is_named() {
    assert_eq!(
        message(table("x,y\na,1\n2,2\n").regression(&["y"])),
        "line 2, column \"x\": \"a\" is not a number\ncorrect this in the file, or leave out the lines or the columns"
    );
}

#[test]
fn a_target_without_inputs() {
    let expected = "every column is a target: leave at least one as input";
    assert_eq!(message(table("y\n1\n1\n2\n").regression(&["y"])), expected);
    assert_eq!(message(table("y\n1\n1\n2\n").classification("y")), expected);
    assert_eq!(
        message(table("y\n1\n").regression::<&str>(&[])),
        "no target: name at least one column"
    );
}

#[test]
fn fractions_are_no_classes() {
    assert_eq!(
        message(table("x,y\n1,2\n1,2.5\n").classification("y")),
        r#"column "y" cannot be a class: it holds numbers that are not whole, such as 2.5; predict it as a number"#
    );
}

#[test]
fn too_many_values_are_no_classes() {
    assert_eq!(
        message(table("x,y\n1,1\n1,2\n1,3\n1,3\n").classification("y")),
        r#"column "y" cannot be a class: it has 3 different values in 4 rows; predict it as a number, or choose another target"#
    );
    assert!(table("x,y\n1,a\n1,b\n").classification("y").is_ok());
}

#[test]
fn more_classes_than_memory_are_refused() {
    let line = |row: usize| format!("1,c{}\n", row / 2);
    let text: String = core::iter::once("x,y\n".to_owned()).chain((0..100_000).map(line)).collect();
    assert_eq!(
        message(table(&text).classification("y")),
        "the classes of the rows would be 100000×50000 numbers, more than 67108864: give fewer rows, or a target of \
         fewer classes"
    );
}

#[test]
fn numbers_of_a_target_are_read_as_people_write_them() {
    let text = "y,x\n\"1,234.5\",1\n50 %,2\n$3,4\n";
    assert_eq!(table(text).amounts("y").unwrap(), column(&[1234.5, 0.5, 3.0]));
    assert_eq!(table("y;x\n1,5;1\n2;2\n").amounts("y").unwrap(), column(&[1.5, 2.0]));
    assert!(matches!(table("y,x\n1,1\n-,2\n").amounts("y"), Err(Error::BadCells(_))));
}

#[test]
fn one_value_is_no_classification() {
    assert_eq!(
        message(table("x,y\n1,a\n1,a\n").classification("y")),
        r#"column "y" is "a" in every row: there is nothing to tell apart"#
    );
}

#[test]
fn a_class_needs_a_label() {
    assert_eq!(
        message(table("x,y\n1,a\n1,\n").classification("y")),
        "line 3, column \"y\" is empty\ncorrect this in the file, or leave out the lines or the columns"
    );
    // Among numbers this is a number that is none; among names it may be a name.
    assert!(matches!(table("x,y\n1,1\n1,nan\n").classification("y"), Err(Error::BadCells(_))));
    assert!(table("x,y\n1,Ann\n1,Nan\n").classification("y").is_ok());
}

#[test]
fn the_task_is_guessed_from_the_target() {
    let check = |cells: &[&str], expected| {
        let text = format!("x,y\n0,{}\n", cells.join("\n0,"));
        assert_eq!(table(&text).task("y").unwrap(), expected, "{cells:?}");
    };
    check(&["a", "b", "a", "b"], Task::Classify);
    check(&["0", "1", "1.0", "0"], Task::Classify);
    check(&["0.5", "1", "0.5", "1"], Task::Regress);
    check(&["1", "2", "3", "3"], Task::Regress);
    check(&["7", "7", "7"], Task::Regress);
    // Twice the numbers up to 20: 20 values are few, 21 are not.
    let twice = |count: u32| -> Vec<String> {
        (0..count).chain(0..count).map(|number| number.to_string()).collect()
    };
    for (count, expected) in [(20, Task::Classify), (21, Task::Regress)] {
        check(&twice(count).iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
    check(&["a", "b", "c"], Task::Classify);
    check(&["\"1,000\"", "\"2,500\"", "\"1,000\"", "1.5"], Task::Regress);
    // A mark for what is missing does not make text of numbers.
    check(&["1.5", "1.5", "2.5", "2.5", "?", "?"], Task::Regress);
}

// --- any input ---

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        use_all(&bytes);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in r#"[ab019.,;\t"\r\n \u{feff}é-]{0,60}"#) {
        use_all(text.as_bytes());
    }

    #[test]
    fn no_damage_to_gzip_makes_the_reader_panic(place in 0..40_usize, byte: u8) {
        let mut packed = packed("x,y\n1,2\n3,4\n");
        let place = place % packed.len();
        packed[place] = byte;
        use_all(&packed);
    }

    #[test]
    fn every_number_comes_back(rows in vec((any::<f64>(), any::<f64>()), 1..30)) {
        let rows: Vec<_> = rows.into_iter().filter(|row| row.0.is_finite() && row.1.is_finite()).collect();
        prop_assume!(!rows.is_empty());
        let lines: Vec<String> = rows.iter().map(|(x, y)| format!("{x:e},{y}")).collect();
        let text = lines.join("\n");
        let numbers: Vec<f64> = rows.iter().flat_map(|&(x, y)| [x, y]).collect();
        prop_assert_eq!(table(&text).numbers(&["1", "2"]).unwrap().data, numbers);
    }
}

/// Asks for everything there is; errors are fine.
fn use_all(bytes: &[u8]) {
    let Ok(table) = Table::from_reader(bytes) else { return };
    assert!(table.len() > 0);
    for (place, column) in table.columns().iter().enumerate() {
        assert_eq!(table.position(column).unwrap(), place);
        assert_eq!(table.cells(column).unwrap().len(), table.len());
        let _ = table.numbers(&[column]);
        let _ = table.classification(column);
        let _ = table.regression(&[column]);
        let _ = table.task(column).unwrap();
    }
}
