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
fn a_model_of_version_1_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    for model in [of_classes(), of_numbers()] {
        model.save(&path).unwrap();
        let json = path.with_extension("json");
        let text = fs::read_to_string(&json).unwrap();
        let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
        old["version"] = 1.into();
        old.as_object_mut().unwrap().remove("columns").unwrap();
        if let Some(numbers) = old["target"].get_mut("numbers") {
            numbers.as_object_mut().unwrap().remove("log").unwrap();
        }
        fs::write(&json, old.to_string()).unwrap();
        let read = Model::load(&path).unwrap();
        assert_eq!((&read.columns, &read.target), (&model.columns, &model.target));
        let rows = || matrix(1, &[1.0, 2.0]);
        assert_eq!(read.answers(rows()).unwrap(), model.answers(rows()).unwrap());
    }
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
fn damaged_models_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    of_classes().save(&path).unwrap();
    let json = path.with_extension("json");
    let text = fs::read_to_string(&json).unwrap();
    let refused = |from: &str, to: &str, what: &str| {
        assert!(text.contains(from), "{from} in {text}");
        fs::write(&json, text.replacen(from, to, 1)).unwrap();
        let error = Model::load(&path).unwrap_err();
        assert!(matches!(error, FileError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    refused("wengert model", "wengert training", "it is \"wengert training\" of version 2");
    refused("\"version\": 2", "\"version\": 9", "of version 9");
    refused("\"inputs\": 2", "\"inputs\": 3", "layer1.weight has shape [3, 2]");
    refused("\"a\",\n    ", "", "it names 1 inputs and 3 outputs of a network with 2 and 3");
    refused("\"number\"", "\"left-out\"", "");
    refused("\"gaps\": false", "\"gaps\": true", "its columns give 3 numbers to 2 inputs");
    refused("\"z\"", "\"y\"", "class");
    refused("\"outputs\": 3", "\"outputs\": 4", "layer1.weight has shape [3, 2]");
    refused("\"outputs\": 3", "\"outputs\": 1000000000000", "layer1.weight has shape [3, 2]");
    refused("\"tanh\"", "\"powf\"", "is no activation");
    fs::write(&json, &text).unwrap();
    fs::write(path.with_extension("safetensors"), b"short").unwrap();
    assert!(matches!(Model::load(&path), Err(FileError::Damaged { .. })));
    fs::remove_file(path.with_extension("safetensors")).unwrap();
    assert!(matches!(Model::load(&path), Err(FileError::Read { .. })));
}
