//! The project's own tables are what their README says.

use std::path::{Path, PathBuf};

use nn::data::{Table, Task};

use super::sizes;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(name)
}

#[test]
fn the_digits_are_1797_rows_of_64_pixels_in_10_classes() {
    let table = Table::read(file("digits.csv.gz")).unwrap();
    assert_eq!(table.task("digit").unwrap(), Task::Classify);
    let (digits, classes) = table.classification("digit").unwrap();
    assert_eq!((digits.inputs.rows, digits.inputs.columns), (1797, 64));
    assert_eq!(digits.input_names.first().unwrap(), "pixel0");
    assert_eq!(digits.input_names.last().unwrap(), "pixel63");
    assert_eq!(classes.labels().collect::<String>(), "0123456789");
    assert_eq!(sizes(&digits), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert!(digits.inputs.data.iter().all(|grey| (0.0..=16.0).contains(grey)));
    assert_eq!(digits.inputs.row(0)[..6], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]);
}

#[test]
fn a_fifth_of_the_digits_is_360_rows_and_leaves_1437() {
    let (digits, _) = Table::read(file("digits.csv.gz")).unwrap().classification("digit").unwrap();
    let (training, test) = digits.split_stratified(0.2, 1).unwrap();
    assert_eq!((training.len(), test.len()), (1437, 360));
    for (of_class, of_test) in sizes(&digits).into_iter().zip(sizes(&test)) {
        assert!((of_test as f64 - 0.2 * of_class as f64).abs() < 1.0);
    }
}

#[test]
fn the_irises_are_150_rows_of_4_measurements_in_3_classes() {
    let table = Table::read(file("iris.csv")).unwrap();
    assert_eq!(table.task("species").unwrap(), Task::Classify);
    assert_eq!(table.task("petal length").unwrap(), Task::Regress);
    let (irises, classes) = table.classification("species").unwrap();
    assert_eq!((irises.inputs.rows, irises.inputs.columns), (150, 4));
    assert_eq!(irises.input_names, ["sepal length", "sepal width", "petal length", "petal width"]);
    assert_eq!(irises.target_names, ["setosa", "versicolor", "virginica"]);
    assert!(classes.labels().eq(["setosa", "versicolor", "virginica"]));
    assert_eq!(sizes(&irises), [50, 50, 50]);
    assert_eq!(sizes(&irises.split_stratified(0.2, 1).unwrap().1), [10, 10, 10]);
}
