//! What the columns of a table are taken for, and the numbers that their cells become.

use nn::data::{
    ColumnSettings, Columns, Comma, Encoding, Error, Flaw, Format, Standardizer, Table, Why,
};
use tape::Matrix;

use super::message;

fn table(text: &str) -> Table {
    Table::from_reader(text.as_bytes()).unwrap()
}

/// What is learnt from all rows.
fn learn(text: &str, settings: &ColumnSettings) -> Result<Columns, Error> {
    let table = table(text);
    Columns::learn(&table, &(0..table.len()).collect::<Vec<_>>(), settings)
}

fn learnt(text: &str) -> Columns {
    learn(text, &ColumnSettings::default()).unwrap()
}

/// The column `x` under a second one that is of use: its cells, what it is taken for, and the numbers of each cell.
fn check(cells: &[&str], said: &str, numbers: &[&[f64]]) {
    check_from(cells, &(0..cells.len()).collect::<Vec<_>>(), said, numbers);
}

/// The same where only these rows are learnt from.
fn check_from(cells: &[&str], rows: &[usize], said: &str, numbers: &[&[f64]]) {
    let text = column(cells);
    let columns = Columns::learn(&table(&text), rows, &ColumnSettings::default()).unwrap();
    assert_eq!(columns.iter().nth(1).unwrap().encoding.to_string(), said, "{cells:?}");
    let encoded = columns.apply(&table(&text)).unwrap().inputs;
    for (row, numbers) in numbers.iter().enumerate() {
        assert_eq!(encoded.row(row)[1..], **numbers, "{}", cells[row]);
    }
}

fn column(cells: &[&str]) -> String {
    let line = |(row, cell): (usize, &&str)| format!("{},\"{cell}\"\n", row * row);
    format!("other,x\n{}", cells.iter().enumerate().map(line).collect::<String>())
}

// --- numbers ---

#[test]
fn numbers_are_numbers() {
    check(&["1", "-2.5", "1e3"], "number", &[&[1.0], &[-2.5], &[1000.0]]);
}

#[test]
fn commas_between_thousands_percent_and_currencies_are_read() {
    let said = "number, commas stand between thousands";
    check(&["1,234.50", "-1,000", "7"], said, &[&[1234.5], &[-1000.0], &[7.0]]);
    check(&["12 %", "50%", "0.5"], "number", &[&[0.12], &[0.5], &[0.5]]);
    check(&["$7", "-$1.5", "2 €"], "number", &[&[7.0], &[-1.5], &[2.0]]);
}

#[test]
fn a_comma_is_what_the_cells_of_its_column_say() {
    // In a file with commas between cells, 1,500 is in thousands unless another cell of the column cannot be.
    let said = "number, the comma is the decimal sign";
    check(&["1,500", "2,75", "1.234,5"], said, &[&[1.5], &[2.75], &[1234.5]]);
    check(&["0,125", "1,500"], said, &[&[0.125], &[1.5]]);
    let comma = |text: &str| match learnt(text).iter().next().unwrap().encoding {
        Encoding::Number { comma, .. } => comma,
        ref other => panic!("{other}"),
    };
    assert_eq!(comma("x;y\n1,500;1\n2,500;2\n"), Some(Comma::Decimal));
    assert_eq!(comma("x;y\n1,500.0;1\n2,500;2\n"), Some(Comma::Thousands));
    assert_eq!(comma("x;y\n1.5;1\n2.5;2\n"), None);
}

#[test]
fn the_comma_of_the_training_holds_for_other_files() {
    let columns = learnt("x;y\n1,5;1\n2,25;2\n");
    let encoded = columns.apply(&table("x,y\n\"1,500\",7\n")).unwrap();
    assert_eq!(encoded.inputs.data, [1.5, 7.0]);
    let error = columns.apply(&table("x,y\n\"1,500.25\",7\n")).unwrap_err();
    assert!(matches!(error, Error::BadCells(_)), "{error}");
}

#[test]
fn a_training_without_commas_leaves_them_to_the_other_file() {
    let columns = learnt("x,y\n1.5,1\n2.5,2\n");
    let inputs = |text: &str| columns.apply(&table(text)).unwrap().inputs.data;
    assert_eq!(inputs("x;y\n1,234;7\n"), [1.234, 7.0]);
    assert_eq!(inputs("x,y\n\"1,234\",7\n"), [1234.0, 7.0]);
}

// --- gaps ---

#[test]
fn a_gap_among_numbers_is_filled_with_the_median_and_marked() {
    for gap in ["", "NA", "n/a", "NaN", "?", "-", "−", "null", "None", "."] {
        let said = "number; gaps are filled with 2.5 and marked";
        check(&["1", gap, "2", "3", "100"], said, &[&[1.0, 0.0], &[2.5, 1.0], &[2.0, 0.0]]);
    }
}

#[test]
fn medians_and_gaps_are_those_of_the_training_rows() {
    let cells = ["1", "2", "9", "50", ""];
    check_from(&cells, &[0, 1, 2], "number", &[&[1.0], &[2.0], &[9.0], &[50.0], &[2.0]]);
}

#[test]
fn a_gap_that_the_training_had_not_is_filled_and_said() {
    let encoded = learnt("x,y\n1,1\n2,2\n9,3\n").apply(&table("y,x\n1,\n2,NA\n")).unwrap();
    assert_eq!(encoded.inputs.data, [2.0, 1.0, 2.0, 2.0]);
    assert_eq!(
        encoded.notes[0].to_string(),
        "column \"x\": 2 cells are empty, which none was in the training: filled"
    );
}

#[test]
fn a_text_that_is_said_to_be_a_gap_is_one() {
    let settings = ColumnSettings { gaps: vec!["oops".into()], ..ColumnSettings::default() };
    let columns = learn("x,y\n1,1\noops,2\n3,5\n", &settings).unwrap();
    let encoded = columns.apply(&table("x,y\noops,1\n")).unwrap();
    assert_eq!(encoded.inputs.data, [2.0, 1.0, 1.0]);
}

#[test]
fn rows_without_gaps_are_found() {
    let table = table("x,y,z\n1,-,a\n2,3,?\n4,5,-\n,6,b\n");
    assert_eq!(table.whole_rows(&["x"], &[]).unwrap(), [0, 1, 2]);
    // Among numbers - is a gap, and among texts it is a text.
    assert_eq!(table.whole_rows(&["y"], &[]).unwrap(), [1, 2, 3]);
    assert_eq!(table.whole_rows(&["z"], &[]).unwrap(), [0, 2, 3]);
    assert_eq!(table.whole_rows(&["x", "y", "z"], &[]).unwrap(), [2]);
    assert_eq!(table.whole_rows(&["z"], &["b".into()]).unwrap(), [0, 2]);
    let rest = table.rows(&[3, 0]);
    assert_eq!(rest.cells("y").unwrap().collect::<Vec<_>>(), ["6", "-"]);
    assert_eq!((rest.len(), rest.line(0)), (2, 5));
    assert_eq!(rest.rows(&[1]).line(0), 2);
}

#[test]
fn a_few_words_among_numbers_are_slips() {
    let mut cells = vec!["1"; 20];
    cells[7] = "oops";
    let error = message(learn(&column(&cells), &ColumnSettings::default()));
    assert!(error.starts_with("line 9, column \"x\": \"oops\" is not a number"), "{error}");
    cells[8] = "-inf";
    cells[7] = "1";
    let error = message(learn(&column(&cells), &ColumnSettings::default()));
    assert!(error.starts_with("line 10, column \"x\": \"-inf\" is not finite"), "{error}");
}

// --- yes or no ---

#[test]
fn yes_is_one_and_no_is_nothing() {
    check(&["yes", "No", "YES"], "yes or no", &[&[1.0], &[0.0], &[1.0]]);
    check(&["true", "FALSE"], "yes or no", &[&[1.0], &[0.0]]);
    let said = "yes or no; gaps are filled with yes and marked";
    check(&["y", "n", "", "y"], said, &[&[1.0, 0.0], &[0.0, 0.0], &[1.0, 1.0]]);
    let columns = learnt("x,y\nyes,1\nno,2\n");
    assert_eq!(
        message(columns.apply(&table("x,y\nmaybe,1\n"))),
        "line 2, column \"x\": \"maybe\" is neither yes nor no\n\
         correct this in the file, or leave out the lines or the columns"
    );
}

// --- days ---

#[test]
fn a_day_is_a_number_of_days_and_its_place_in_the_year_and_the_week() {
    // A Thursday, a week and a year later.
    let cells = ["1970-01-01", "1970-01-08", "1971-01-01"];
    let columns = learnt(&column(&cells));
    assert_eq!(columns.names()[1..4], ["x", "x (sine of the year)", "x (cosine of the year)"]);
    let encoded = columns.apply(&table(&column(&cells))).unwrap().inputs;
    assert_eq!(encoded.row(0)[1..], [0.0, 0.0, 1.0, 0.0, 1.0]);
    assert_eq!(encoded.row(1)[1], 7.0);
    assert!(encoded.row(1)[4].abs() < 1e-12 && encoded.row(1)[5] > 0.999);
    assert_eq!(encoded.row(2)[1], 365.0);
    assert!(encoded.row(2)[2].abs() < 0.01 && encoded.row(2)[3] > 0.999);
}

#[test]
fn days_are_read_as_people_write_them() {
    // Each is 366 days after 1970 began, and half a day where there is a time.
    for (cell, days) in [
        ("1971-01-02", 366.0),
        ("1971/1/2", 366.0),
        ("2.1.1971", 366.0),
        ("1/2/1971", 366.0),
        ("01/02/71", 366.0),
        ("Jan 2 1971", 366.0),
        ("January 2, 1971", 366.0),
        ("2-Jan-1971", 366.0),
        ("1971-01-02T12:00:00Z", 366.5),
        ("1971-01-02 12:00", 366.5),
        ("1/2/1971 12:00 PM", 366.5),
    ] {
        let columns = learnt(&column(&[cell, &cell.replace('7', "8")]));
        let row = columns.apply(&table(&column(&[cell]))).unwrap().inputs;
        assert_eq!(row.data[1], days, "{cell}: {}", columns.iter().nth(1).unwrap());
    }
    // The day stands first where a cell leaves no choice.
    let columns = learnt(&column(&["1/2/1970", "13/2/1970"]));
    assert_eq!(columns.apply(&table(&column(&["2/1/1970"]))).unwrap().inputs.data[1], 1.0);
    // A month is its first day.
    let columns = learnt(&column(&["1970-02", "1970-03"]));
    assert_eq!(columns.apply(&table(&column(&["1970-02"]))).unwrap().inputs.data[1], 31.0);
}

#[test]
fn a_time_may_follow_a_t_or_a_space_whichever_the_training_had() {
    for (learnt_from, given) in [
        (["1970-01-02 12:00:00", "1970-03-01 00:00:00"], "1970-01-02T12:00:00"),
        (["1970-01-02T12:00:00", "1970-03-01T00:00:00"], "1970-01-02 12:00:00"),
        (["1970-01-02 12:00:00", "1970-03-01 00:00:00"], "1970-01-02T12:00:00.250Z"),
        (["1970-01-02T12:00:00.25Z", "1970-03-01T00:00:00Z"], "1970-01-02 12:00:00"),
        (["1970-01-02 12:00", "1970-03-01 00:00"], "1970-01-02T12:00"),
        (["2.1.1970 12:00", "31.1.1970 00:00"], "2.1.1970T12:00"),
        (["1/2/1970T12:00 PM", "1/31/1970T1:00 AM"], "1/2/1970 12:00 PM"),
    ] {
        let columns = learnt(&column(&learnt_from));
        let numbers = |cell| columns.apply(&table(&column(&[cell]))).map(|encoded| encoded.inputs);
        assert_eq!(numbers(given).unwrap().data[1], 1.5, "{given}");
        assert_eq!(numbers(given).unwrap(), numbers(learnt_from[0]).unwrap(), "{given}");
    }
}

#[test]
fn a_moment_that_is_said_to_be_a_gap_is_one_after_a_t_or_a_space() {
    let settings =
        ColumnSettings { gaps: vec!["1900-01-01 00:00:00".into()], ..ColumnSettings::default() };
    let cells = ["1970-01-02 12:00:00", "1970-01-03 12:00:00", "1900-01-01 00:00:00"];
    let columns = learn(&column(&cells), &settings).unwrap();
    let of = |cell| columns.apply(&table(&column(&[cell]))).unwrap().inputs;
    assert_eq!(of("1900-01-01T00:00:00")[(0, 1)], 2.0);
    assert_eq!(of("1900-01-01T00:00:00"), of("1900-01-01 00:00:00"));
}

#[test]
fn texts_that_look_like_moments_are_told_apart_by_a_t() {
    let cells = ["1970-01-02 12:00:00", "1970-01-02T12:00:00"].repeat(2);
    let columns = learnt(&column(&cells));
    let said = "text, 2 categories: 1970-01-02 12:00:00, 1970-01-02T12:00:00";
    assert_eq!(columns.iter().nth(1).unwrap().encoding.to_string(), said);
    let encoded = columns.apply(&table(&column(&cells[..2]))).unwrap().inputs;
    assert_eq!(
        (&encoded.row(0)[1..], &encoded.row(1)[1..]),
        (&[1.0, 0.0, 0.0][..], &[0.0, 1.0, 0.0][..])
    );
    let columns = learn(
        &column(&["1970-01-02T12:00", "x"].repeat(2)),
        &ColumnSettings { gaps: vec!["x y".into()], ..ColumnSettings::default() },
    )
    .unwrap();
    let encoded = columns.apply(&table(&column(&["1970-01-02 12:00", "xTy"]))).unwrap();
    assert_eq!(encoded.notes[0].unknown, 2);
}

#[test]
fn a_text_among_days_is_refused_later() {
    let columns = learnt("x,y\n1971-01-02,1\n1971-01-03,2\n");
    let error = columns.apply(&table("x,y\nsoon,1\n")).unwrap_err();
    let Error::BadCells(cells) = &error else { panic!("{error}") };
    let format = "%Y-%m-%d".to_owned();
    assert_eq!(cells.first[0].flaw, Flaw::NotADay { text: "soon".into(), format });
}

// --- texts ---

#[test]
fn a_text_has_a_column_for_each_category_and_one_for_all_others() {
    let said = "text, 2 categories: a, b";
    check(&["b", "a", "b", "a"], said, &[&[0.0, 1.0, 0.0], &[1.0, 0.0, 0.0]]);
    let columns = learnt(&column(&["b", "a", "b", "a"]));
    assert_eq!(columns.names(), ["other", "x=a", "x=b", "x=(other)"]);
}

#[test]
fn a_gap_among_texts_is_no_category() {
    let said = "text, 2 categories: a, b; gaps are marked";
    let cells = ["b", "a", "?", "a", "b"];
    check(&cells, said, &[&[0.0, 1.0, 0.0, 0.0], &[1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0]]);
    // Signs are texts.
    check(&["+", "-", "+", "-"], "text, 2 categories: +, -", &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0]]);
}

#[test]
fn categories_are_those_of_the_training_rows_and_others_are_said() {
    let cells = ["a", "b", "a", "b", "c", "d"];
    let said = "text, 2 categories: a, b";
    let other = [0.0, 0.0, 1.0];
    check_from(&cells, &[0, 1, 2, 3], said, &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0]]);
    let table = table(&column(&cells));
    let columns = Columns::learn(&table, &[0, 1, 2, 3], &ColumnSettings::default()).unwrap();
    let encoded = columns.apply(&table).unwrap();
    assert_eq!(
        (&encoded.inputs.row(4)[1..], &encoded.inputs.row(5)[1..]),
        (&other[..], &other[..])
    );
    assert_eq!(
        encoded.notes[0].to_string(),
        "column \"x\": 2 cells are of no category that the training had (\"c\")"
    );
}

#[test]
fn rare_categories_share_a_column() {
    // Two are in one row each; with room for one, it is the first of the two that are in most.
    let cells = ["a", "b", "a", "c", "b", "a", "d", "b"];
    check(
        &cells,
        "text, 2 categories: a, b; 2 rare ones count as one",
        &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[1.0, 0.0, 0.0], &[0.0, 0.0, 1.0]],
    );
    let settings = ColumnSettings { categories: 1, ..ColumnSettings::default() };
    let columns = learn(&column(&cells), &settings).unwrap();
    let encoding = columns.iter().nth(1).unwrap().encoding.to_string();
    assert_eq!(encoding, "text, 1 category: a; 3 rare ones count as one");
    // One more that is not known may be as rare as these, and is nothing to speak of.
    assert!(columns.apply(&table("other,x\n1,z\n")).unwrap().notes.is_empty());
}

#[test]
fn numbers_are_categories_where_it_is_said() {
    let settings = ColumnSettings { text: vec!["zip".into()], ..ColumnSettings::default() };
    let columns = learn("zip,y\n10115,1\n80331,2\n10115,3\n80331,7\n", &settings).unwrap();
    assert_eq!(columns.iter().next().unwrap().to_string(), "zip: text, 2 categories: 10115, 80331");
    let settings = ColumnSettings { text: vec!["zap".into()], ..ColumnSettings::default() };
    assert!(matches!(learn("zip,y\n1,1\n2,2\n", &settings), Err(Error::UnknownColumn { .. })));
}

// --- what is left out ---

fn check_left_out(text: &str, why: Why) {
    let columns = learnt(text);
    assert_eq!(columns.iter().next().unwrap().encoding, Encoding::LeftOut { why }, "{text:?}");
    let width = columns.names().len();
    assert_eq!(columns.apply(&table(text)).unwrap().inputs.columns, width);
}

#[test]
fn a_nameless_first_column_that_counts_the_rows_is_left_out() {
    check_left_out(",x\n0,5\n1,7\n2,9\n", Why::RowNumbers);
    check_left_out("\"\",x\n1,5\n2,7\n3,9\n", Why::RowNumbers);
    // Rows of a larger table.
    check_left_out(",x\n17,5\n4,7\n90,9\n", Why::RowNumbers);
    check_left_out("0,5\n1,7\n2,9\n", Why::RowNumbers);
    check_left_out("rownames,x\n1,5\n2,7\n3,9\n", Why::RowNumbers);
    check_left_out(",x\nFiat,5\nFord,7\nOpel,9\n", Why::RowNames);
    // R writes nothing above the names of the rows.
    check_left_out("x,y\n1,5,1\n2,7,0\n3,9,2\n", Why::RowNumbers);
}

#[test]
fn a_first_column_that_is_more_than_a_count_stays() {
    for text in [
        "year,x\n1,5\n2,7\n3,9\n",
        ",x\n0.5,5\n1.5,7\n2.5,9\n",
        ",x\n1,5\n1,7\n2,9\n",
        "id,x\n5,1\n9,2\n7,3\n",
    ] {
        assert_eq!(learnt(text).width(), 2, "{text:?}");
    }
}

#[test]
fn a_column_that_tells_nothing_is_left_out() {
    check_left_out("name,y\nAda,1\nKurt,2\nEmmy,3\n", Why::Unrepeated);
    check_left_out("place,y\nhere,1\nhere,2\n", Why::Constant);
    check_left_out("note,y\n,1\nNA,2\n", Why::Empty);
    // A number that does not change may be a pixel.
    assert_eq!(learnt("x,y\n0,1\n0,2\n").width(), 2);
}

#[test]
fn a_table_without_any_use_says_why() {
    assert_eq!(
        message(learn("name,place\nAda,here\nKurt,here\nEmmy,here\n", &ColumnSettings::default())),
        "no column is of use as input:\n\
         name: left out: text that hardly ever comes twice\n\
         place: left out: it is the same in every row to learn from\n\
         give a table with a column of numbers, of dates, or of texts that come again"
    );
}

// --- other tables ---

#[test]
fn columns_are_found_by_name_and_without_a_header_by_place() {
    let columns = learnt(",x,kind\n0,1.5,a\n1,2.5,b\n2,3.5,a\n3,4,b\n");
    let numbers = [1.5, 0.0, 1.0, 0.0];
    let apply = |text: &str| {
        let format = Format { header: Some(!text.starts_with('7')), ..Format::default() };
        columns.apply(&Table::from_reader_as(text.as_bytes(), format).unwrap())
    };
    assert_eq!(apply("kind,more,x\nb,0,1.5\n").unwrap().inputs.data, numbers);
    assert_eq!(apply("7,1.5,b\n").unwrap().inputs.data, numbers);
    assert!(matches!(apply("7,1.5\n"), Err(Error::ColumnCount { expected: 3, given: 2 })));
    assert!(matches!(apply("kind,more\nb,0\n"), Err(Error::UnknownColumn { .. })));
}

#[test]
fn columns_come_back_from_json() {
    let file =
        "a,b,c,d\n\"1,234.5\",yes,1970-01-01,u\n,no,1970-02-01,v\n7,no,NA,u\n8,yes,1970-01-04,v\n";
    let columns = learnt(file);
    let text = serde_json::to_string(&columns).unwrap();
    let read: Columns = serde_json::from_str(&text).unwrap();
    assert_eq!(read, columns);
    assert_eq!(read.apply(&table(file)).unwrap(), columns.apply(&table(file)).unwrap());
    for (from, to) in [("number", "letter"), ("\"u\"", "\"v\""), ("thousands", "dozens")] {
        assert!(text.contains(from), "{text}");
        assert!(serde_json::from_str::<Columns>(&text.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn only_amounts_are_scaled() {
    let text = "x,kind,since\n1,a,1970-01-01\n3,b,1970-01-03\n1,a,1970-01-03\n3,b,1970-01-01\n";
    let columns = learnt(text);
    let inputs = columns.apply(&table(text)).unwrap().inputs;
    let all = Standardizer::learn(&inputs).unwrap();
    let scales = columns.standardizer(&all);
    assert_eq!(scales.means(), [2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(scales.scales().iter().all(|&scale| scale == 1.0));
}

// --- numbers far outside ---

fn one_column(numbers: &[f64]) -> Matrix<f64> {
    Matrix { rows: numbers.len(), columns: 1, data: numbers.to_vec() }
}

/// From −1 to 1 in scales, with a margin of one.
fn bounded() -> Standardizer {
    let seen = one_column(&[10.0, 30.0]);
    Standardizer::learn(&seen).unwrap().bounded(&seen, 1.0).unwrap()
}

#[track_caller]
fn check_bounded(number: f64, expected: f64) {
    let mut numbers = one_column(&[number]);
    bounded().apply(&mut numbers).unwrap();
    assert_eq!(numbers.data, [expected]);
}

#[test]
fn a_number_far_outside_is_taken_to_the_bound_and_others_stay() {
    check_bounded(20.0, 0.0);
    check_bounded(39.0, 1.9);
    check_bounded(41.0, 2.0);
    check_bounded(1e300, 2.0);
    check_bounded(-1e300, -2.0);
}

#[test]
fn what_is_no_amount_has_no_bound() {
    let table = table("city,x\nOslo,1\nRome,5\nOslo,3\nRome,2\n");
    let embed = vec![("city".to_owned(), None)];
    let settings = ColumnSettings { embed, ..ColumnSettings::default() };
    let columns = Columns::learn(&table, &[0, 1, 2, 3], &settings).unwrap();
    let inputs = columns.apply(&table).unwrap().inputs;
    let standardizer = columns.standardizer(&Standardizer::learn(&inputs).unwrap());
    let mut far = Matrix { rows: 1, columns: 2, data: vec![100.0, 100.0] };
    standardizer.bounded(&inputs, 1.0).unwrap().apply(&mut far).unwrap();
    assert_eq!(far.data[0], 100.0);
    assert!(far.data[1] < 4.0);
}

#[test]
fn bounds_are_written_and_read() {
    let text = serde_json::to_string(&bounded()).unwrap();
    assert_eq!(serde_json::from_str::<Standardizer>(&text).unwrap(), bounded());
    // One without bounds is written as it always was.
    let text = r#"{"means":[20.0],"scales":[10.0]}"#;
    let plain = serde_json::from_str::<Standardizer>(text).unwrap();
    assert_eq!(serde_json::to_string(&plain).unwrap(), text);
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for bounds in ["[[2.0,-2.0]]", "[[0.0,1.0],[0.0,1.0]]"] {
        let text = format!(r#"{{"means":[20.0],"scales":[10.0],"bounds":{bounds}}}"#);
        let error = serde_json::from_str::<Standardizer>(&text).unwrap_err().to_string();
        assert!(error.contains(&Error::InvalidStandardizer.to_string()), "{error}");
    }
}
