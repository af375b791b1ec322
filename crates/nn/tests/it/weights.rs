//! Weights of rows: a row of weight 2 counts as two.

use nn::{Error, Loss, Optimizer, Settings, Trainer, balanced_weights};
use tape::Matrix;

use crate::trainer::{Rows, rows, small_network};

fn trained(rows: &Rows, batch: usize, weights: Option<Vec<f64>>) -> Trainer {
    let optimizer = Optimizer::Plain;
    let settings = Settings { optimizer, batch, epochs: 5, rate: 0.1, ..Settings::default() };
    let mut trainer = Trainer::new(small_network(), Loss::MeanSquared, settings).unwrap();
    trainer.set_weights(weights).unwrap();
    trainer.train(rows.samples()).unwrap();
    trainer
}

fn parameters(trainer: &Trainer) -> Vec<f64> {
    trainer.last().parameters().values().flat_map(|own| own.values().to_vec()).collect()
}

#[test]
fn a_row_of_weight_3_counts_as_three_rows() {
    let mut repeated = rows(4, 1);
    for _ in 0..2 {
        let [a, b] = [repeated.inputs[(1, 0)], repeated.inputs[(1, 1)]];
        repeated.inputs.data.extend([a, b]);
        repeated.targets.data.push(repeated.targets.data[1]);
    }
    repeated.inputs.rows = 6;
    repeated.targets.rows = 6;
    let weighted = trained(&rows(4, 1), 100, Some(vec![1.0, 3.0, 1.0, 1.0]));
    let repeated = trained(&repeated, 100, None);
    for (a, b) in parameters(&weighted).iter().zip(parameters(&repeated)) {
        assert!((a - b).abs() < 1e-12, "{a} and {b}");
    }
    for (a, b) in weighted.history().iter().zip(repeated.history()) {
        assert!((a.loss - b.loss).abs() < 1e-12);
    }
}

#[test]
fn equal_weights_are_as_none() {
    let rows = rows(20, 1);
    let weighted = trained(&rows, 8, Some(vec![1.0; 20]));
    assert_eq!(parameters(&weighted), parameters(&trained(&rows, 8, None)));
    for (a, b) in
        parameters(&trained(&rows, 8, Some(vec![0.3; 20]))).iter().zip(parameters(&weighted))
    {
        assert!((a - b).abs() < 1e-12, "only their ratios count");
    }
}

#[test]
fn weights_that_make_no_sense_are_refused() {
    let mut trainer = trained(&rows(4, 1), 8, None);
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = trainer.set_weights(Some(vec![1.0, value])).unwrap_err();
        assert!(matches!(error, Error::InvalidWeight { row: 1, .. }), "{error}");
    }
    trainer.set_weights(Some(vec![1.0; 3])).unwrap();
    let error = trainer.train(rows(4, 1).samples()).unwrap_err();
    assert_eq!(error.to_string(), "the weights of the rows: 4 expected, 3 given");
}

#[test]
fn a_resumed_training_has_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let weights = |last| Some(vec![1.0, 2.0, 3.0, last]);
    trained(&rows(4, 1), 8, weights(4.0)).save(&path).unwrap();
    for (again, is_right) in [(weights(4.0), true), (weights(5.0), false), (None, false)] {
        let mut resumed = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        resumed.set_epochs(6);
        resumed.set_weights(again).unwrap();
        let result = resumed.train(rows(4, 1).samples());
        assert_eq!(result.is_ok(), is_right, "{result:?}");
        assert!(
            is_right || matches!(result, Err(Error::OtherRows { what: "weights of the rows" }))
        );
    }
}

#[test]
fn balanced_weights_give_each_class_the_same() {
    let data = [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]].concat();
    let weights = balanced_weights(&Matrix { rows: 4, columns: 3, data }).unwrap();
    assert!((weights[..3].iter().sum::<f64>() - weights[3]).abs() < 1e-15);
    assert!((weights.iter().sum::<f64>() - 4.0).abs() < 1e-15);
    let of = |rows, columns| balanced_weights(&Matrix { rows, columns, data: vec![] });
    assert_eq!(of(0, 2), Ok(vec![]));
    assert!(matches!(of(3, 2), Err(Error::Shape { .. })));
    assert!(matches!(of(3, 0), Err(Error::Empty { .. })));
}
