//! Embeddings: what is looked up, how the table is learnt, and what is refused.

use core::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nn::{
    Autosave, Checkpoint, Clip, Dense, Dropout, Embedding, Error, Event, Initializer, LayerNorm,
    Loss, Network, Optimizer, Precision, Settings, Trainer,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tape::Matrix;

use crate::trainer::Rows;

/// Rows of a number, one of three categories or an unknown one, and a number that is one of two categories.
fn rows(count: usize) -> Rows {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut inputs = Vec::new();
    let mut targets = Vec::new();
    for row in 0..count {
        let (number, three, two) = (random.random_range(-1.0..1.0), row % 4, row % 2);
        inputs.extend([number, three as f64, two as f64]);
        targets.push(number * (three as f64 - 1.0) + two as f64);
    }
    Rows {
        inputs: Matrix { rows: count, columns: 3, data: inputs },
        targets: Matrix { rows: count, columns: 1, data: targets },
    }
}

fn embedded(first: Embedding, second: Embedding) -> Network {
    let builder = Network::builder(3).layer(first).layer(second);
    let builder = builder.layer(Dense::new(4, "tanh".parse().unwrap()));
    builder.layer(Dense::linear(1)).seed(3).build().unwrap()
}

fn network() -> Network {
    embedded(Embedding::new(2, 2).of_input(2), Embedding::new(3, 3).of_input(1))
}

fn trainer(settings: Settings) -> Trainer {
    Trainer::new(network(), Loss::MeanSquared, settings).unwrap()
}

#[test]
fn what_is_looked_up_stands_in_the_place_of_the_index() {
    let layers = |weights: &[f64]| {
        let sum = Dense::linear(1).initializer(Initializer::Constant(1.0)).without_bias();
        let network = Network::builder(3).layer(Embedding::new(1, 2).of_input(1));
        let mut network = network.layer(sum).build().unwrap();
        network.set_parameter("layer1.weight", &[0.1, 0.2, 0.3, 0.4]).unwrap();
        network.set_parameter("layer2.weight", weights).unwrap();
        network
    };
    let row = [7.0, 1.0, 9.0];
    for (place, expected) in [7.0, 0.3, 0.4, 9.0].into_iter().enumerate() {
        let mut weights = [0.0; 4];
        weights[place] = 1.0;
        assert_eq!(layers(&weights).predict(&row).unwrap(), [expected]);
    }
}

#[test]
fn embeddings_may_come_in_any_order() {
    let other = embedded(Embedding::new(3, 3).of_input(1), Embedding::new(2, 2).of_input(4));
    let own = network();
    let mut same = other.clone();
    let names = ["layer1.weight", "layer2.weight"];
    for (from, to) in names.into_iter().zip(names.into_iter().rev()) {
        same.set_parameter(to, own.parameters()[from].values()).unwrap();
    }
    for name in ["layer3.weight", "layer3.bias", "layer4.weight", "layer4.bias"] {
        same.set_parameter(name, own.parameters()[name].values()).unwrap();
    }
    let rows = rows(8).inputs;
    assert_eq!(own.predict_rows(&rows).unwrap(), same.predict_rows(&rows).unwrap());
}

#[test]
fn rows_together_are_predicted_as_each_alone() {
    let (network, inputs) = (network(), rows(9).inputs);
    let together = network.predict_rows(&inputs).unwrap();
    for row in 0..9 {
        let alone = network.predict(inputs.row(row)).unwrap()[0];
        assert!((together[(row, 0)] - alone).abs() < 1e-12);
    }
}

#[test]
fn derivatives_of_tables_are_what_differences_say() {
    let (mut network, rows) = (network(), rows(10));
    let loss = |network: &Network| {
        network.gradient(Loss::MeanSquared, &rows.inputs, &rows.targets).unwrap()
    };
    let (_, gradient) = loss(&network);
    for name in ["layer1.weight", "layer2.weight", "layer3.weight"] {
        let values = network.parameters()[name].values().to_vec();
        for (place, derivative) in gradient[name].values().iter().enumerate() {
            let mut moved = |by: f64| {
                let mut values = values.clone();
                values[place] += by;
                network.set_parameter(name, &values).unwrap();
                loss(&network).0
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((difference - derivative).abs() < 1e-8, "{name}[{place}]: {difference}");
        }
        network.set_parameter(name, &values).unwrap();
    }
}

#[test]
fn the_unknown_starts_from_0() {
    let network = network();
    assert_eq!(network.parameters()["layer1.weight"].values()[4..], [0.0; 2]);
    assert!(network.parameters()["layer1.weight"].values()[..4].iter().all(|&x| x != 0.0));
}

#[test]
fn a_step_leaves_alone_what_its_rows_do_not_look_up() {
    let mut rows = rows(8);
    for optimizer in crate::parts::OPTIMIZERS {
        let settings =
            Settings { optimizer, epochs: 1, batch: 8, l2: 0.1, rate: 0.01, ..Settings::default() };
        let mut trainer = trainer(settings);
        trainer.train(rows.samples()).unwrap();
        // The second epoch is without the category 2.
        let before = trainer.last().parameters()["layer2.weight"].values().to_vec();
        rows.inputs.data.chunks_mut(3).for_each(|row| row[1] = row[1].min(1.0));
        trainer.set_epochs(2);
        trainer.train(rows.samples()).unwrap();
        let after = trainer.last().parameters()["layer2.weight"].values();
        assert_eq!(before[6..], after[6..], "{optimizer:?}");
        assert!(before[..6].iter().zip(after).all(|(a, b)| a != b), "{optimizer:?}");
        rows = self::rows(8);
    }
}

#[test]
fn training_learns_what_only_a_category_tells() {
    let rows = rows(64);
    let settings = Settings { epochs: 1000, rate: 0.01, ..Settings::default() };
    let mut trainer = trainer(settings);
    trainer.train(rows.samples()).unwrap();
    let loss = trainer.score(rows.samples()).unwrap().loss;
    assert!(loss < 0.01, "{loss}");
}

#[test]
fn a_training_with_embeddings_resumes_to_the_bit() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows(50));
    let settings = |epochs| Settings { epochs, l2: 1e-3, batch: 16, ..Settings::default() };
    for optimizer in crate::parts::OPTIMIZERS {
        let settings = |epochs| Settings { optimizer, ..settings(epochs) };
        let mut whole = trainer(settings(6));
        whole.train(rows.samples()).unwrap();
        let path = folder.path().join("run");
        let mut first = trainer(settings(2));
        first.train(rows.samples()).unwrap();
        first.save(&path).unwrap();
        let checkpoint = Checkpoint::read(&path).unwrap();
        let mut second = checkpoint.resume(network(), Loss::MeanSquared).unwrap();
        second.set_epochs(6);
        second.train(rows.samples()).unwrap();
        assert!(whole.last().has_parameters_of(second.last()), "{optimizer:?}");
        assert_eq!(whole.history(), second.history(), "{optimizer:?}");
    }
}

#[test]
fn a_training_is_not_resumed_with_an_embedding_of_another_size() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), rows(8));
    let path = folder.path().join("run");
    let mut first = trainer(Settings { epochs: 1, ..Settings::default() });
    first.train(rows.samples()).unwrap();
    first.save(&path).unwrap();
    let other = embedded(Embedding::new(2, 2).of_input(2), Embedding::new(4, 3).of_input(1));
    let error = Trainer::load(other, Loss::MeanSquared, &path).unwrap_err().to_string();
    assert!(error.contains("of another network"), "{error}");
}

#[test]
fn a_step_that_leaves_the_finite_numbers_is_taken_back_in_the_table_too() {
    let mut rows = rows(8);
    rows.targets.data.iter_mut().for_each(|target| *target *= 1e3);
    let settings = Settings {
        optimizer: Optimizer::Plain,
        rate: f64::MAX,
        epochs: 1,
        batch: 8,
        ..Settings::default()
    };
    let mut trainer = trainer(settings);
    let error = trainer.train(rows.samples()).unwrap_err();
    assert!(matches!(error, Error::NonFinite(_)), "{error}");
    assert!(trainer.last().has_parameters_of(&network()));
}

#[track_caller]
fn refused(builder: nn::NetworkBuilder, what: &str) {
    let error = builder.layer(Dense::linear(1)).build().unwrap_err().to_string();
    assert!(error.contains(what), "{error}");
}

#[test]
fn an_embedding_without_an_index_is_refused() {
    let two = || Network::builder(2).layer(Embedding::new(3, 2));
    refused(two().layer(Embedding::new(3, 2).of_input(1)), "layer2 is an embedding that cannot");
    refused(two().layer(Embedding::new(3, 2).of_input(1)), "was looked up by another layer");
    refused(two().layer(Embedding::new(3, 2).of_input(3)), "there is no such input");
    let normed = Network::builder(2).layer(LayerNorm);
    refused(normed.layer(Embedding::new(3, 2)), "another kind of layer is before it");
    refused(Network::builder(2).layer(Embedding::new(3, 0)), "layer1.weight is empty");
    refused(Network::builder(2).layer(Embedding::new(usize::MAX, 2)), "is too large");
    assert!(two().layer(Embedding::new(3, 2).of_input(2)).build().is_ok());
}

#[test]
fn what_is_no_index_is_refused_with_its_row() {
    let network = network();
    for index in [-1.0, 0.5, 4.0, f64::NAN, f64::INFINITY] {
        let mut rows = rows(3);
        rows.inputs.data[4] = index;
        let refused = |error: Error| {
            assert!(
                matches!(error, Error::NoIndex { row: 1, input: 1, most: 3, .. }),
                "{index}: {error}"
            );
        };
        refused(network.predict_rows(&rows.inputs).unwrap_err());
        let loss = Loss::MeanSquared;
        refused(network.gradient(loss, &rows.inputs, &rows.targets).unwrap_err());
        refused(trainer(Settings::default()).train(rows.samples()).unwrap_err());
        let alone = network.predict(rows.inputs.row(1)).unwrap_err();
        assert!(matches!(alone, Error::NoIndex { row: 0, .. }), "{alone}");
    }
}

/// A training of everything that draws, looks up or rounds; saved as it goes, by a caller that panics in the midst of an epoch;
/// and resumed on another number of threads.
#[test]
fn all_that_a_training_can_have_resumes_to_the_bit_after_a_callback_that_panics() {
    let network = || {
        let builder = Network::builder(3).layer(Embedding::new(2, 2).of_input(2));
        let builder = builder.layer(Embedding::new(3, 3).of_input(1)).layer(LayerNorm);
        let builder = builder.layer(Dense::new(8, "gelu".parse().unwrap()));
        let builder = builder.layer(Dropout::new(0.25)).layer(Dense::linear(1));
        builder.seed(3).build().unwrap()
    };
    let (rows, validation) = (rows(400), rows(30));
    let settings = |optimizer| Settings {
        optimizer,
        epochs: 9,
        batch: 150,
        l2: 1e-3,
        clip: Some(Clip::Norm(0.5)),
        patience: Some(50),
        precision: Precision::Single,
        rate: 0.01,
        ..Settings::default()
    };
    let weights = || Some((0..400).map(|row| 1.0 + f64::from(row % 3)).collect());
    for optimizer in crate::parts::OPTIMIZERS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let new = || {
            let mut trainer =
                Trainer::new(network(), Loss::MeanSquared, settings(optimizer)).unwrap();
            trainer.set_weights(weights()).unwrap();
            trainer
        };
        let train = |trainer: &mut Trainer, last: (usize, usize)| {
            let watch = |event| {
                let at =
                    matches!(event, Event::Batch { epoch, number, .. } if (epoch, number) == last);
                assert!(!at, "on purpose");
                ControlFlow::Continue(())
            };
            trainer.train_watched(rows.samples(), Some(validation.samples()), watch).unwrap();
        };
        let mut whole = new();
        train(&mut whole, (0, 0));
        let mut broken = new();
        broken.autosave(&path, Autosave { epochs: 1, ..Autosave::default() }).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| train(&mut broken, (5, 2))));
        assert!(panicked.is_err());
        drop(broken);
        let mut resumed = Trainer::load(network(), Loss::MeanSquared, &path).unwrap();
        assert_eq!(resumed.history().len(), 4);
        resumed.set_weights(weights()).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        pool.install(|| train(&mut resumed, (0, 0)));
        assert_eq!(whole.history(), resumed.history(), "{optimizer:?}");
        assert!(whole.last().has_parameters_of(resumed.last()), "{optimizer:?}");
        assert!(whole.network().has_parameters_of(&resumed.network()), "{optimizer:?}");
    }
}
