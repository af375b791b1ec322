//! Models on disk: what is saved answers the same when it is read again, and damaged files are refused.

use std::fs;

use nn::data::{Classes, Columns, Standardizer};
use nn::{Answers, Dense, Error, FileError, Initializer, Model, Network, Own, Target};
use tape::{Matrix, Var};

fn matrix(rows: usize, data: &[f64]) -> Matrix<f64> {
    Matrix { rows, columns: data.len() / rows, data: data.to_vec() }
}

fn network(outputs: usize) -> Network {
    let hidden = Dense::new(3, "tanh".parse().unwrap());
    Network::builder(2).layer(hidden).layer(Dense::linear(outputs)).seed(5).build().unwrap()
}

fn of_classes() -> Model {
    Model {
        network: network(3),
        inputs: vec!["a".to_owned(), "b".to_owned()],
        columns: Columns::numbers(["a", "b"]),
        standardizer: Standardizer::learn(&matrix(2, &[1.0, 2.0, 3.0, 10.0])).unwrap(),
        target: Target::Classes {
            name: "kind".to_owned(),
            classes: Classes::of(["x", "y", "z"]).unwrap(),
        },
    }
}

fn of_numbers() -> Model {
    let target = Target::Numbers {
        names: vec!["y".to_owned()],
        standardizer: Standardizer::learn(&matrix(2, &[100.0, 300.0])).unwrap(),
        log: false,
    };
    Model { network: network(1), target, ..of_classes() }
}

#[test]
fn a_model_answers_the_same_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let rows = || matrix(3, &[1.0, 2.0, -3.0, 0.1, 1.0 / 3.0, 1e-9]);
    for (name, model) in [("classes", of_classes()), ("numbers", of_numbers())] {
        model.save(folder.path().join(name)).unwrap();
        let read = Model::load(folder.path().join(name)).unwrap();
        assert_eq!(read.answers(rows()).unwrap(), model.answers(rows()).unwrap());
        assert!(read.network.has_parameters_of(&model.network));
        assert_eq!((&read.inputs, &read.target), (&model.inputs, &model.target));
        assert_eq!(read.columns, model.columns);
    }
}

#[test]
fn answers_are_the_networks_on_scaled_rows() {
    let model = of_numbers();
    let Answers::Numbers(answers) = model.answers(matrix(1, &[3.0, 2.0])).unwrap() else {
        panic!("numbers are wanted")
    };
    // (3 − 2)/1 and (2 − 6)/4; back by ·100 and + 200.
    let output = model.network.predict(&[1.0, -1.0]).unwrap()[0];
    assert!((answers.data[0] - (output * 100.0 + 200.0)).abs() < 1e-12);

    let model = of_classes();
    let Answers::Classes(chosen, shares) = model.answers(matrix(1, &[3.0, 2.0])).unwrap() else {
        panic!("classes are wanted")
    };
    let logits = model.network.predict(&[1.0, -1.0]).unwrap();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    for (share, logit) in shares.data.iter().zip(&logits) {
        assert!((share - logit.exp() / sum).abs() < 1e-14);
    }
    assert!(logits.iter().all(|&logit| logit <= logits[chosen[0]]));
}

#[test]
fn probabilities_of_logits_of_any_size_are_finite() {
    let mut model = of_classes();
    model.network.set_parameter("layer2.bias", &[1000.0, 0.0, -1000.0]).unwrap();
    let answers = model.answers(matrix(1, &[3.0, 2.0])).unwrap();
    assert_eq!(answers, Answers::Classes(vec![0], matrix(1, &[1.0, 0.0, 0.0])));
}

#[test]
fn rows_of_another_width_are_refused() {
    let error = of_classes().answers(matrix(1, &[1.0])).unwrap_err();
    assert_eq!(error.to_string(), "the columns of the rows: 2 expected, 1 given");
    let narrow = Standardizer::learn(&matrix(2, &[1.0, 2.0])).unwrap();
    let error = Model { standardizer: narrow, ..of_classes() }.answers(matrix(1, &[1.0, 2.0]));
    assert!(matches!(error, Err(Error::Shape { expected: 2, found: 1, .. })));
}

#[test]
fn logarithms_are_taken_back() {
    let mut model = of_numbers();
    let rows = || matrix(1, &[3.0, 2.0]);
    let Answers::Numbers(plain) = model.answers(rows()).unwrap() else { panic!("numbers") };
    let Target::Numbers { log, .. } = &mut model.target else { panic!("numbers") };
    *log = true;
    let Answers::Numbers(answers) = model.answers(rows()).unwrap() else { panic!("numbers") };
    assert_eq!(answers.data[0], plain.data[0].exp());
}

#[test]
fn a_layer_that_is_a_function_cannot_be_saved() {
    let own = Own::new(|_: &[Var], inputs: &[Var]| inputs.to_vec());
    let own = own.parameter("unused", &[1], Initializer::Zeros);
    let network = Network::builder(2).layer(own).layer(Dense::linear(3)).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = Model { network, ..of_classes() }.save(folder.path().join("own")).unwrap_err();
    assert!(matches!(error, FileError::OwnLayer { .. }));
    assert!(error.to_string().contains("which no file can hold"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn numbers_that_are_not_finite_are_refused_with_row_and_column() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = of_classes().answers(matrix(2, &[1.0, 2.0, 3.0, value])).unwrap_err();
        assert!(matches!(&error, Error::NonFiniteInput { row: 1, column, .. } if column == "b"));
        let expected = format!("row 1 (counted from 0), column \"b\", has {value}");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn a_matrix_that_its_numbers_do_not_fill_is_refused() {
    let missing = || Matrix { rows: 3, columns: 2, data: vec![1.0; 4] };
    let more = || Matrix { rows: 1, columns: 2, data: vec![1.0; 4] };
    let huge = || Matrix { rows: usize::MAX, columns: 2, data: vec![1.0; 4] };
    for rows in [missing(), more(), huge()] {
        assert!(of_classes().network.predict_rows(&rows).is_err());
        let error = of_classes().answers(rows).unwrap_err();
        assert!(matches!(error, Error::Shape { found: 4, .. }), "{error}");
    }
    let error = of_classes().answers(missing()).unwrap_err();
    assert_eq!(error.to_string(), "the numbers of the rows: 6 expected, 4 given");
    let error = network(1).gradient(nn::Loss::MeanSquared, &missing(), &matrix(3, &[0.0; 3]));
    assert!(matches!(error, Err(Error::Shape { .. })));
    let error = network(1).gradient(nn::Loss::MeanSquared, &matrix(3, &[0.0; 6]), &missing());
    assert!(matches!(error, Err(Error::Shape { .. })));
}

#[test]
fn damaged_models_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    of_classes().save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for place in [0, 9, 200, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let error = Model::load(&path).unwrap_err();
        assert!(matches!(error, FileError::Damaged { .. }), "{place}: {error:?}");
    }
    fs::write(&path, b"short").unwrap();
    assert!(matches!(Model::load(&path), Err(FileError::Damaged { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(Model::load(&path), Err(FileError::Read { .. })));
}

#[test]
fn descriptions_that_make_no_sense_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let refused = |model: Model, what: &str| {
        model.save(&path).unwrap();
        let error = Model::load(&path).unwrap_err();
        assert!(matches!(error, FileError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    let one_name = Model { inputs: vec!["a".to_owned()], ..of_classes() };
    refused(one_name, "it names 1 inputs and 3 outputs of a network with 2 and 3");
    let other_target = Model { target: of_numbers().target, ..of_classes() };
    refused(other_target, "it names 2 inputs and 1 outputs of a network with 2 and 3");
    let three_columns = Model { columns: Columns::numbers(["a", "b", "c"]), ..of_classes() };
    refused(three_columns, "its columns give 3 numbers to 2 inputs");
}
