//! Data sets in memory: classes, splits, standardisation and measures.

use nn::data::{Classes, Dataset, Error, Standardizer, split_rows, split_rows_by_class};
use nn::metrics::{
    CalibrationBin, Confusion, brier_score, calibration, calibration_error, log_loss, r_squared,
    roc_auc,
};
use proptest::collection::vec;
use proptest::prelude::*;
use tape::Matrix;

#[cfg(feature = "csv")]
mod columns;
#[cfg(feature = "csv")]
mod embedded;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "csv")]
mod reading;
#[cfg(feature = "csv")]
mod shipped;

fn matrix(rows: usize, columns: usize, data: &[f64]) -> Matrix<f64> {
    Matrix { rows, columns, data: data.to_vec() }
}

fn column(data: &[f64]) -> Matrix<f64> {
    matrix(data.len(), 1, data)
}

/// A data set of one input, the row's number, and of these classes.
fn classified(classes: &[usize]) -> Dataset {
    let count = classes.iter().max().unwrap() + 1;
    let names = Classes::of(
        (0..count).map(|class| class.to_string()).collect::<Vec<_>>().iter().map(String::as_str),
    )
    .unwrap();
    let inputs = column(&(0..classes.len()).map(|row| row as f64).collect::<Vec<_>>());
    Dataset::new(inputs, names.one_hot(classes).unwrap()).unwrap()
}

/// Of each class a run of so many rows.
fn runs(sizes: &[usize]) -> Vec<usize> {
    sizes.iter().enumerate().flat_map(|(class, &size)| vec![class; size]).collect()
}

/// How many rows of each class there are.
fn sizes(dataset: &Dataset) -> Vec<usize> {
    let count =
        |class| (0..dataset.len()).filter(|&row| dataset.targets[(row, class)] == 1.0).count();
    (0..dataset.targets.columns).map(count).collect()
}

fn message<T: core::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

fn labels(classes: &Classes) -> Vec<&str> {
    classes.labels().collect()
}

// --- data sets ---

#[test]
fn every_row_of_inputs_needs_its_targets() {
    assert_eq!(
        message(Dataset::new(column(&[1.0, 2.0]), column(&[1.0]))),
        "row counts differ, 2 of inputs and 1 of targets: each row needs its counterpart"
    );
}

#[test]
fn a_matrix_must_be_full() {
    assert_eq!(
        message(Dataset::new(matrix(2, 2, &[1.0, 2.0, 3.0]), column(&[1.0, 2.0]))),
        "the inputs are said to be 2×2 and hold 3 numbers"
    );
    let huge = Matrix { rows: usize::MAX, columns: 2, data: vec![0.0; 2] };
    assert!(matches!(Dataset::new(huge, column(&[1.0])), Err(Error::Shape { .. })));
}

#[test]
fn a_data_set_has_rows_and_columns() {
    assert_eq!(
        message(Dataset::new(matrix(0, 2, &[]), matrix(0, 1, &[]))),
        "the inputs are 0×2: give at least one row and one column"
    );
    assert_eq!(
        message(Dataset::new(column(&[1.0]), matrix(1, 0, &[]))),
        "the targets are 1×0: give at least one row and one column"
    );
}

#[test]
fn every_number_is_finite() {
    assert_eq!(
        message(Dataset::new(
            matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN]),
            column(&[1.0, 2.0])
        )),
        "entry (1, 2) of the inputs is NaN: every number must be finite (rows and columns are counted from 0)"
    );
    assert_eq!(
        message(Dataset::new(column(&[1.0, 2.0]), column(&[f64::INFINITY, 2.0]))),
        "entry (0, 0) of the targets is inf: every number must be finite (rows and columns are counted from 0)"
    );
}

#[test]
fn every_column_has_a_name() {
    let dataset = Dataset::new(matrix(1, 2, &[1.0, 2.0]), column(&[3.0])).unwrap();
    assert_eq!(dataset.input_names, ["input1", "input2"]);
    assert_eq!(dataset.target_names, ["target1"]);
    assert_eq!(
        message(dataset.named(["x"], ["y"])),
        "the number of names for the inputs is 1 and must be 2: each column has one"
    );
}

// --- classes ---

#[test]
fn labels_that_are_numbers_are_in_numeric_order() {
    assert_eq!(labels(&Classes::of(["10", "9", "-1"]).unwrap()), ["-1", "9", "10"]);
}

#[test]
fn other_labels_are_in_alphabetical_order() {
    assert_eq!(labels(&Classes::of(["b", "10", "9", "a", "b"]).unwrap()), ["10", "9", "a", "b"]);
}

#[test]
fn a_number_is_its_value_and_not_its_spelling() {
    let classes = Classes::of(["0", "0.0", "-0", " 0 ", "1e0"]).unwrap();
    assert_eq!(labels(&classes), ["0", "1"]);
    assert_eq!(classes.index("1.00"), Some(1));
    assert_eq!(classes.index("2"), None);
}

#[test]
fn there_is_no_class_without_a_label() {
    assert_eq!(
        message(Classes::of([])),
        "the labels of classes are at least one and all different: these are 0, of which 0 different"
    );
}

#[test]
fn classes_keep_their_order_in_a_file() {
    let classes = Classes::of(["10", "9"]).unwrap();
    let json = serde_json::to_string(&classes).unwrap();
    assert_eq!(json, r#"["9","10"]"#);
    assert_eq!(serde_json::from_str::<Classes>(&json).unwrap(), classes);
    let reversed: Classes = serde_json::from_str(r#"["b","a"]"#).unwrap();
    assert_eq!(labels(&reversed), ["b", "a"]);
}

#[test]
fn a_file_whose_classes_are_not_distinct_is_refused() {
    let error = serde_json::from_str::<Classes>(r#"["1","1.0"]"#).unwrap_err().to_string();
    assert!(error.starts_with("the labels of classes are at least one and all different: these are 2, of which 1 different"), "{error}");
    assert!(serde_json::from_str::<Classes>("[]").is_err());
}

#[test]
fn a_class_that_is_not_there_has_no_row() {
    assert_eq!(
        message(Classes::of(["a", "b"]).unwrap().one_hot(&[0, 2])),
        "there is no class 2: 2 classes are counted from 0"
    );
}

#[test]
fn the_first_of_equal_scores_is_the_likeliest() {
    assert_eq!(Classes::most_likely(&[0.1, 0.4, 0.4]), 1);
    assert_eq!(Classes::most_likely(&[f64::NAN, -2.0, -1.0]), 2);
}

proptest! {
    #[test]
    fn one_hot_rows_give_their_classes_back(indices in vec(0..5_usize, 1..40)) {
        let classes = Classes::of(["a", "b", "c", "d", "e"]).unwrap();
        let rows = classes.one_hot(&indices).unwrap();
        let back: Vec<usize> = (0..rows.rows).map(|row| Classes::most_likely(rows.row(row))).collect();
        prop_assert_eq!(&back, &indices);
        prop_assert!((0..rows.rows).all(|row| rows.row(row).iter().sum::<f64>() == 1.0));
        prop_assert!((0..5).all(|class| classes.index(classes.label(class)) == Some(class)));
    }
}

// --- splits ---

#[test]
fn the_part_is_rounded_up() {
    let of = |rows: usize, fraction| classified(&vec![0; rows]).split(fraction, 1).unwrap().1.len();
    assert_eq!(of(1797, 0.2), 360);
    assert_eq!(of(5, 0.2), 1);
    assert_eq!(of(11, 0.2), 3);
    // In `f64` this product is 7.000000000000001.
    assert_eq!(of(100, 0.07), 7);
}

#[test]
fn a_seed_draws_the_same_rows_on_every_machine() {
    let (_, part) = classified(&runs(&[10, 10])).split(0.3, 17).unwrap();
    assert_eq!(part.inputs.data, [4.0, 5.0, 7.0, 9.0, 10.0, 16.0]);
    let (_, part) = classified(&runs(&[10, 10])).split_stratified(0.3, 17).unwrap();
    assert_eq!(part.inputs.data, [4.0, 6.0, 7.0, 10.0, 18.0, 19.0]);
}

#[test]
fn another_seed_draws_other_rows() {
    let dataset = classified(&runs(&[20, 20]));
    let part = |seed| dataset.split_stratified(0.5, seed).unwrap().1;
    assert_ne!(part(1), part(2));
}

#[test]
fn every_class_gives_its_share() {
    let (rest, part) = classified(&runs(&[10, 20, 30])).split_stratified(0.2, 3).unwrap();
    assert_eq!(sizes(&part), [2, 4, 6]);
    assert_eq!(sizes(&rest), [8, 16, 24]);
}

#[test]
fn what_rounding_takes_is_given_by_those_that_lost_most() {
    // Shares of 2.5, 3.25 and 1.25: 7 rows in all, of which the first class gives the one that is missing.
    let (_, part) = classified(&runs(&[10, 13, 5])).split_stratified(0.25, 3).unwrap();
    assert_eq!(sizes(&part), [3, 3, 1]);
}

#[test]
fn a_small_class_is_in_both_parts() {
    let dataset = classified(&runs(&[100, 2]));
    let (rest, part) = dataset.split_stratified(0.1, 3).unwrap();
    assert_eq!((sizes(&rest), sizes(&part)), (vec![90, 1], vec![10, 1]));
    let (rest, part) = dataset.split_stratified(0.9, 3).unwrap();
    assert_eq!((sizes(&rest), sizes(&part)), (vec![9, 1], vec![91, 1]));
}

#[test]
fn a_large_class_makes_room_for_small_ones() {
    let dataset = classified(&runs(&[100, 2, 2]));
    assert_eq!(sizes(&dataset.split_stratified(0.1, 3).unwrap().1), [9, 1, 1]);
    assert_eq!(sizes(&dataset.split_stratified(0.9, 3).unwrap().1), [92, 1, 1]);
    // Shares of 10 and 5.5: the second class has lost half a row already.
    let dataset = classified(&runs(&[100, 55, 2, 2, 2]));
    assert_eq!(sizes(&dataset.split_stratified(0.1, 3).unwrap().1), [9, 5, 1, 1, 1]);
}

#[test]
fn a_fraction_lies_between_0_and_1() {
    let dataset = classified(&runs(&[5, 5]));
    for fraction in [0.0, 1.0, -0.2, 1.2, f64::NAN, f64::INFINITY] {
        let expected = format!(
            "the part cannot be {fraction} of the rows: give a fraction between 0 and 1, such as 0.2"
        );
        assert_eq!(message(dataset.split(fraction, 1)), expected);
        assert_eq!(message(dataset.split_stratified(fraction, 1)), expected);
    }
}

#[test]
fn no_part_is_empty() {
    assert_eq!(
        message(classified(&[0, 0]).split(0.9, 1)),
        "with 0.9 of the rows (2 in all) one part is empty: give more rows, or another fraction"
    );
    assert!(matches!(classified(&[0, 0]).rows(&[]).split(0.5, 1), Err(Error::EmptyPart { .. })));
}

#[test]
fn a_class_of_one_row_cannot_be_in_both_parts() {
    assert_eq!(
        message(
            classified(&[0, 0, 1, 0]).named(["x"], ["a", "b"]).unwrap().split_stratified(0.5, 1)
        ),
        r#"class "b" has a single row, and each part of a split needs one: add rows of it, or take it out"#
    );
}

#[test]
fn a_part_has_room_for_every_class() {
    assert_eq!(
        message(classified(&runs(&[4, 4, 4])).split_stratified(0.1, 1)),
        "a part of 2 cannot hold a row of each of 3 classes: give more rows, or another fraction"
    );
}

#[test]
fn only_one_hot_targets_have_strata() {
    for targets in [[0.0, 0.0], [1.0, 1.0], [1.0, 2.0], [0.5, 0.5], [-1.0, 0.0]] {
        let mut dataset = classified(&[0, 1, 1]);
        dataset.targets.data[4..].copy_from_slice(&targets);
        assert_eq!(
            message(dataset.split_stratified(0.5, 1)),
            "row 2 of the targets (counted from 0) is not one-hot: split a regression without strata"
        );
    }
}

#[test]
fn a_class_without_rows_is_in_no_part() {
    let (rest, part) = classified(&[0, 2, 0, 2]).split_stratified(0.5, 1).unwrap();
    assert_eq!((sizes(&rest), sizes(&part)), (vec![1, 0, 1], vec![1, 0, 1]));
}

proptest! {
    #[test]
    fn a_split_is_a_partition_in_order(
        mut classes in vec(0..4_usize, 10..80),
        fraction in 0.05..0.95,
        seed: u64,
    ) {
        // Two of each, so that there is a stratified split.
        classes.extend([0, 1, 2, 3, 0, 1, 2, 3]);
        let dataset = classified(&classes);
        let splits = [dataset.split(fraction, seed), dataset.split_stratified(fraction, seed)];
        for (rest, part) in splits.into_iter().flatten() {
            let mut rows = [rest.inputs.data.clone(), part.inputs.data.clone()].concat();
            for side in [&rest, &part] {
                prop_assert!(side.inputs.data.is_sorted());
                // Targets stay with their inputs.
                for row in 0..side.len() {
                    let input = side.inputs[(row, 0)];
                    let original = dataset.inputs.data.iter().position(|&other| other == input);
                    let class = classes[original.unwrap()];
                    prop_assert_eq!(Classes::most_likely(side.targets.row(row)), class);
                }
            }
            rows.sort_by(f64::total_cmp);
            prop_assert_eq!(rows, dataset.inputs.data.clone());
            let exact = fraction * classes.len() as f64;
            prop_assert!((part.len() as f64 - exact - 0.5).abs() < 0.500_001);
        }
    }

    #[test]
    fn no_share_is_off_by_a_row(sizes_of in vec(30..90_usize, 2..8), fraction in 0.1..0.9, seed: u64) {
        let (_, part) = classified(&runs(&sizes_of)).split_stratified(fraction, seed).unwrap();
        for (&size, share) in sizes_of.iter().zip(sizes(&part)) {
            prop_assert!((fraction * size as f64 - share as f64).abs() < 1.0);
        }
    }
}

// --- standardisation ---

#[test]
fn a_standardised_column_has_mean_0_and_deviation_1() {
    let mut numbers = matrix(4, 2, &[1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 6.0, 60.0]);
    let standardizer = Standardizer::learn(&numbers).unwrap();
    assert_eq!(standardizer.means(), [3.0, 30.0]);
    assert_eq!(standardizer.scales(), [3.5_f64.sqrt(), 350.0_f64.sqrt()]);
    standardizer.apply(&mut numbers).unwrap();
    for column in 0..2 {
        let entries: Vec<f64> = (0..4).map(|row| numbers[(row, column)]).collect();
        assert!(entries.iter().sum::<f64>().abs() < 1e-15);
        assert!((entries.iter().map(|entry| entry * entry).sum::<f64>() - 4.0).abs() < 1e-14);
    }
}

#[test]
fn a_constant_column_is_only_shifted() {
    // The mean of seven times 0.1 is not 0.1 when they are summed up.
    let mut numbers = column(&[0.1; 7]);
    let standardizer = Standardizer::learn(&numbers).unwrap();
    assert_eq!((standardizer.means(), standardizer.scales()), (&[0.1][..], &[1.0][..]));
    standardizer.apply(&mut numbers).unwrap();
    assert_eq!(numbers.data, [0.0; 7]);
    assert_eq!(Standardizer::learn(&column(&[0.0; 3])).unwrap().scales(), [1.0]);
}

#[test]
fn the_last_place_is_no_information() {
    let standardizer = Standardizer::learn(&column(&[0.3, 0.1 + 0.2, 0.3, 0.3])).unwrap();
    assert_eq!(standardizer.scales(), [1.0]);
}

#[test]
fn a_large_offset_costs_no_digits() {
    let standardizer = Standardizer::learn(&column(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0])).unwrap();
    assert_eq!(standardizer.means(), [1e9 + 2.0]);
    assert!((standardizer.scales()[0] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-15);
}

#[test]
fn a_mean_is_exact_where_the_sum_is_not() {
    // The sum of these needs 60 bits.
    let numbers: Vec<f64> = (0..1000).map(|number| 1e15 + f64::from(number)).collect();
    let standardizer = Standardizer::learn(&column(&numbers)).unwrap();
    assert_eq!(standardizer.means(), [1e15 + 499.5]);
    assert!((standardizer.scales()[0] - (999_999.0_f64 / 12.0).sqrt()).abs() < 1e-10);
}

#[test]
fn numbers_at_the_ends_of_the_range_have_a_scale() {
    for large in [f64::MAX, 1e200, 1e-200, f64::MIN_POSITIVE, 5e-324] {
        let mut numbers = column(&[large, -large]);
        Standardizer::learn(&numbers).unwrap().apply(&mut numbers).unwrap();
        assert_eq!(numbers.data, [1.0, -1.0], "{large:e}");
    }
}

#[test]
fn no_scale_is_0() {
    // Half of the smallest number there is.
    let standardizer = Standardizer::learn(&column(&[0.0, 5e-324])).unwrap();
    assert_eq!(standardizer.scales(), [1.0]);
}

#[test]
fn what_was_learnt_fits_matrices_of_as_many_columns() {
    let standardizer = Standardizer::learn(&matrix(1, 2, &[1.0, 2.0])).unwrap();
    let expected =
        "the number of columns is 1 and must be 2: give the same columns, in the same order";
    let mut other = column(&[1.0, 2.0]);
    assert_eq!(message(standardizer.apply(&mut other)), expected);
    assert_eq!(message(standardizer.invert(&mut other)), expected);
    assert_eq!(other.data, [1.0, 2.0]);
}

#[test]
fn nothing_is_learnt_from_nothing() {
    assert_eq!(
        message(Standardizer::learn(&matrix(0, 2, &[]))),
        "the numbers to learn from are 0×2: give at least one row and one column"
    );
    assert!(matches!(Standardizer::learn(&column(&[f64::NAN])), Err(Error::NotFinite { .. })));
}

#[test]
fn a_file_whose_scales_cannot_be_is_refused() {
    let good = r#"{"means":[1.5],"scales":[2.0]}"#;
    let standardizer: Standardizer = serde_json::from_str(good).unwrap();
    assert_eq!(serde_json::to_string(&standardizer).unwrap(), good);
    for bad in [
        r#"{"means":[1.5],"scales":[0.0]}"#,
        r#"{"means":[1.5],"scales":[-1.0]}"#,
        r#"{"means":[1.5],"scales":[]}"#,
        r#"{"means":[],"scales":[]}"#,
    ] {
        let error = serde_json::from_str::<Standardizer>(bad).unwrap_err().to_string();
        assert!(error.starts_with("these are no means and standard deviations"), "{error}");
    }
}

proptest! {
    #[test]
    fn inverting_gives_the_numbers_back(data in vec(-1e6..1e6_f64, 2..60)) {
        let mut numbers = matrix(data.len() / 2, 2, &data[..data.len() / 2 * 2]);
        let original = numbers.clone();
        let standardizer = Standardizer::learn(&numbers).unwrap();
        standardizer.apply(&mut numbers).unwrap();
        standardizer.invert(&mut numbers).unwrap();
        for (number, original) in numbers.data.iter().zip(&original.data) {
            prop_assert!((number - original).abs() <= 1e-9);
        }
    }
}

// --- measures ---

#[test]
fn a_confusion_matrix_is_aligned() {
    let classes = Classes::of(["setosa", "versicolor", "x"]).unwrap();
    let truth = [0, 0, 1, 1, 1, 1];
    let predicted = [0, 0, 1, 1, 0, 1];
    let confusion = Confusion::new(&classes, &truth, &predicted).unwrap();
    assert_eq!(
        confusion.to_string(),
        "\
true \\ predicted  setosa  versicolor  x  recall
setosa                 2           0  0  100.0%
versicolor             1           3  0   75.0%
x                      0           0  0       -
precision          66.7%      100.0%  -   83.3%
"
    );
    assert_eq!((confusion.correct(), confusion.total(), confusion.count(1, 0)), (5, 6, 1));
    assert_eq!((confusion.precision(2), confusion.recall(2)), (None, None));
}

#[test]
fn a_confusion_of_scores_takes_the_likeliest() {
    let classes = Classes::of(["a", "b"]).unwrap();
    let targets = classes.one_hot(&[0, 1]).unwrap();
    let scores = matrix(2, 2, &[0.9, 0.1, 0.6, 0.4]);
    let confusion = Confusion::of_scores(&classes, &targets, &scores).unwrap();
    assert_eq!(confusion, Confusion::new(&classes, &[0, 1], &[0, 0]).unwrap());
    assert_eq!(
        message(Confusion::of_scores(&classes, &targets, &column(&[1.0, 2.0]))),
        "the number of columns is 1 and must be 2: give the same columns, in the same order"
    );
}

#[test]
fn a_confusion_needs_a_prediction_for_each_row() {
    let classes = Classes::of(["a", "b"]).unwrap();
    assert_eq!(
        message(Confusion::new(&classes, &[0, 1], &[0])),
        "row counts differ, 2 of targets and 1 of predictions: each row needs its counterpart"
    );
    assert!(matches!(
        Confusion::new(&classes, &[0], &[2]),
        Err(Error::UnknownClass { index: 2, count: 2 })
    ));
}

#[test]
fn r_squared_of_a_mean_is_0_and_of_worse_is_less() {
    let targets = matrix(3, 2, &[1.0, 5.0, 2.0, 5.0, 3.0, 5.0]);
    let predictions = matrix(3, 2, &[3.0, 5.0, 2.0, 5.0, 1.0, 5.0]);
    // Σ(target − prediction)² is 8, Σ(target − mean)² is 2; the second target is constant.
    assert_eq!(r_squared(&targets, &predictions).unwrap(), [Some(-3.0), None]);
    assert!(matches!(
        r_squared(&targets, &column(&[1.0, 2.0, 3.0])),
        Err(Error::ColumnCount { .. })
    ));
    assert!(matches!(
        r_squared(&column(&[1.0]), &column(&[1.0, 2.0])),
        Err(Error::RowCount { .. })
    ));
}

// --- splits of row numbers ---

#[test]
fn row_numbers_are_split_as_data_sets_are() {
    let classes = runs(&[7, 5, 9]);
    let dataset = classified(&classes);
    let same = |parts: (Vec<usize>, Vec<usize>), split: (Dataset, Dataset)| {
        assert_eq!(dataset.rows(&parts.0), split.0);
        assert_eq!(dataset.rows(&parts.1), split.1);
    };
    same(split_rows(21, 0.3, 5).unwrap(), dataset.split(0.3, 5).unwrap());
    same(split_rows_by_class(&classes, 0.3, 5).unwrap(), dataset.split_stratified(0.3, 5).unwrap());
}

#[test]
fn a_class_too_small_for_two_parts_is_in_the_rest() {
    let classes = runs(&[1, 8, 1, 2]);
    for seed in 0..20 {
        let (rest, part) = split_rows_by_class(&classes, 0.25, seed).unwrap();
        assert_eq!((rest.len(), part.len()), (9, 3));
        for class in 0..4 {
            assert!(rest.iter().any(|&row| classes[row] == class), "class {class}, seed {seed}");
        }
    }
    // Four classes leave three rows for no rest.
    let error = split_rows_by_class(&runs(&[1, 1, 1, 2]), 0.4, 1).unwrap_err();
    assert!(matches!(error, Error::FewerRowsThanClasses { part: 3, classes: 4 }), "{error}");
}

// --- scores of classes, against scikit-learn's ---

fn eight_rows() -> (Classes, Matrix<f64>, Matrix<f64>) {
    let classes = Classes::of(["a", "b", "c"]).unwrap();
    let targets = classes.one_hot(&[0, 0, 1, 1, 2, 2, 2, 1]).unwrap();
    #[rustfmt::skip]
    let probabilities = [
        0.7, 0.2, 0.1,  0.4, 0.5, 0.1,  0.1, 0.8, 0.1,  0.3, 0.3, 0.4,
        0.05, 0.15, 0.8,  0.2, 0.2, 0.6,  0.5, 0.3, 0.2,  0.2, 0.6, 0.2,
    ];
    (classes, targets, matrix(8, 3, &probabilities))
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-14, "{found} for {expected}");
}

#[test]
fn f1_and_balanced_accuracy_are_scikit_learns() {
    let (classes, targets, probabilities) = eight_rows();
    let confusion = Confusion::of_scores(&classes, &targets, &probabilities).unwrap();
    for (class, expected) in [0.5, 2.0 / 3.0, 2.0 / 3.0].into_iter().enumerate() {
        assert_near(confusion.f1(class).unwrap(), expected);
    }
    assert_near(confusion.macro_f1().unwrap(), 0.611_111_111_111_111);
    assert_near(confusion.balanced_accuracy().unwrap(), 0.611_111_111_111_111);
}

#[test]
fn classes_without_rows_do_not_count() {
    let classes = Classes::of(["a", "b", "c"]).unwrap();
    let confusion = Confusion::new(&classes, &[0, 0, 1], &[0, 1, 1]).unwrap();
    assert_eq!((confusion.f1(2), confusion.recall(2)), (None, None));
    assert_eq!(confusion.macro_f1(), Some(2.0 / 3.0));
    assert_eq!(confusion.balanced_accuracy(), Some(0.75));
    let none = Confusion::new(&classes, &[], &[]).unwrap();
    assert_eq!((none.macro_f1(), none.balanced_accuracy()), (None, None));
}

#[test]
fn scores_of_probabilities_are_scikit_learns() {
    let (_, targets, probabilities) = eight_rows();
    assert_near(log_loss(&targets, &probabilities).unwrap(), 0.694_289_342_841_665_5);
    assert_near(brier_score(&targets, &probabilities).unwrap(), 0.385_625);
    let areas = roc_auc(&targets, &probabilities).unwrap();
    for (area, expected) in areas.into_iter().zip([11.0 / 12.0, 0.9, 0.9]) {
        assert_near(area.unwrap(), expected);
    }
    let bins = calibration(&targets, &probabilities, 1, 5).unwrap();
    let expected =
        [(3, 0.183_333_333_333_333_33, 0.0), (2, 0.3, 0.5), (2, 0.55, 0.5), (1, 0.8, 1.0)];
    assert_eq!(bins.len(), expected.len());
    for (bin, (rows, predicted, observed)) in bins.into_iter().zip(expected) {
        let CalibrationBin { rows: found, .. } = bin;
        assert_eq!(found, rows);
        assert_near(bin.predicted, predicted);
        assert_near(bin.observed, observed);
    }
}

#[test]
fn equal_scores_are_half_an_order() {
    let targets = column(&[0.0, 1.0, 0.0, 1.0, 1.0]);
    let areas = roc_auc(&targets, &column(&[0.5, 0.5, 0.2, 0.9, 0.2])).unwrap();
    assert_near(areas[0].unwrap(), 2.0 / 3.0);
    assert_eq!(roc_auc(&column(&[1.0, 1.0]), &column(&[0.5, 0.2])).unwrap(), [None]);
}

#[test]
fn the_calibration_error_is_a_mean_over_the_rows() {
    // Three rows at 0.9 of which two are right, one at 0.6 that is wrong.
    let targets = matrix(4, 2, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    let probabilities = matrix(4, 2, &[0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.6, 0.4]);
    let expected = (3.0 * (0.9 - 2.0 / 3.0) + 0.6) / 4.0;
    assert_near(calibration_error(&targets, &probabilities, 10).unwrap(), expected);
}

#[test]
fn probabilities_without_their_targets_are_refused() {
    let (_, targets, probabilities) = eight_rows();
    let fewer = matrix(4, 3, &probabilities.data[..12]);
    assert!(matches!(log_loss(&targets, &fewer), Err(Error::RowCount { .. })));
    let narrow = matrix(8, 1, &[0.5; 8]);
    assert!(matches!(roc_auc(&targets, &narrow), Err(Error::ColumnCount { .. })));
    assert!(matches!(
        calibration(&targets, &probabilities, 3, 5),
        Err(Error::UnknownClass { index: 3, count: 3 })
    ));
}
