//! Trainings on disk: resumed to the bit, and refused with a reason where the files are not whole.

use core::ops::ControlFlow;
use std::fs;
use std::path::Path;

use nn::{Decay, Dense, FileError, Initializer, Loss, Network, Own, Schedule, Settings, Trainer};
use tape::Var;

use crate::parts::OPTIMIZERS;
use crate::trainer::{rows, small_network, trainer};

#[test]
fn a_resumed_training_is_the_uninterrupted_one_to_the_bit() {
    let (rows, validation) = (rows(50, 11), rows(20, 12));
    let folder = tempfile::tempdir().unwrap();
    let schedule = Schedule { warm_up: 1.5, decay: Decay::Cosine { floor: 0.1 } };
    for optimizer in OPTIMIZERS {
        let settings = Settings {
            optimizer,
            schedule,
            rate: 0.02,
            batch: 16,
            epochs: 7,
            l2: 1e-3,
            seed: 3,
            ..Settings::default()
        };
        let train = |trainer: &mut Trainer, until: usize| {
            trainer
                .train_watched(rows.samples(), Some(validation.samples()), |event| match event {
                    nn::Event::Epoch(record) if record.epoch == until => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                })
                .unwrap();
        };
        let mut whole = trainer(settings);
        train(&mut whole, 7);
        let path = folder.path().join("run");
        let mut resumed = trainer(settings);
        for epoch in 1..=7 {
            train(&mut resumed, epoch);
            resumed.save(&path).unwrap();
            resumed = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        }
        assert_eq!(whole.history(), resumed.history(), "{optimizer:?}");
        assert!(whole.last().has_parameters_of(resumed.last()), "{optimizer:?}");
        assert!(whole.network().has_parameters_of(&resumed.network()), "{optimizer:?}");
        assert_eq!(
            (whole.best_epoch(), whole.settings()),
            (resumed.best_epoch(), resumed.settings())
        );
    }
}

#[test]
fn a_network_with_a_layer_of_the_users_own_resumes_too() {
    let build = || {
        let own = Own::new(|parameters: &[Var], inputs: &[Var]| vec![parameters[0] * inputs[0]]);
        let own = own.parameter("scale", &[1], Initializer::Constant(0.5));
        Network::builder(2).layer(own).build().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(10, 1);
    let settings = Settings { epochs: 2, ..Settings::default() };
    let mut first = Trainer::new(build(), Loss::MeanSquared, settings).unwrap();
    first.train(rows.samples()).unwrap();
    first.save(folder.path().join("own.json")).unwrap();
    assert!(folder.path().join("own.safetensors").exists(), "an ending is left out");
    let second = Trainer::load(build(), Loss::MeanSquared, folder.path().join("own")).unwrap();
    assert!(first.last().has_parameters_of(second.last()));
}

#[test]
fn a_validation_loss_that_is_not_finite_is_saved_too() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, mut validation) = (rows(10, 5), rows(4, 6));
    validation.targets.data[0] = 1e200;
    let mut first = trainer(Settings { epochs: 2, ..Settings::default() });
    first
        .train_watched(rows.samples(), Some(validation.samples()), |_| ControlFlow::Continue(()))
        .unwrap();
    first.save(folder.path().join("run")).unwrap();
    let second =
        Trainer::load(small_network(), Loss::MeanSquared, folder.path().join("run")).unwrap();
    assert_eq!(first.history()[1].validation.unwrap().loss, f64::INFINITY);
    assert_eq!(first.history(), second.history());
}

/// A saved training, to be damaged.
fn saved(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("run");
    let mut trainer = trainer(Settings { epochs: 2, ..Settings::default() });
    trainer.train(rows(10, 1).samples()).unwrap();
    trainer.save(&path).unwrap();
    path
}

fn error_of(path: &Path) -> FileError {
    Trainer::load(small_network(), Loss::MeanSquared, path).unwrap_err()
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing");
    let error = error_of(&path);
    assert!(matches!(&error, FileError::Read { path, .. } if path.ends_with("nothing.json")));
    let error = trainer(Settings::default()).save(folder.path().join("no/such")).unwrap_err();
    assert!(matches!(error, FileError::Write { .. }), "{error}");
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let (json, tensors) = (path.with_extension("json"), path.with_extension("safetensors"));
    let (text, bytes) = (fs::read_to_string(&json).unwrap(), fs::read(&tensors).unwrap());
    let damaged = |text: &str, what: &str| {
        fs::write(&json, text).unwrap();
        let error = error_of(&path);
        assert!(matches!(error, FileError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    damaged("{", "EOF");
    damaged("[]", "invalid");
    damaged(&text.replace("wengert training", "something"), "it is no wengert training");
    damaged(&text.replace("\"version\": 1", "\"version\": 2"), "it is of version 2");
    damaged(
        &text.replace("\"epoch\": 2,\n  \"steps\"", "\"epoch\": 1,\n  \"steps\""),
        "2 records of 1",
    );
    damaged(&text.replace("\"batch\": 32", "\"batch\": 0"), "the size of a batch cannot be 0");
    fs::write(&json, &text).unwrap();

    for length in [0, 4, 9, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&tensors, &bytes[..length]).unwrap();
        assert!(matches!(error_of(&path), FileError::Damaged { .. }), "{length} bytes");
    }
    let mut nan = bytes.clone();
    let last = nan.len() - 8;
    nan[last..].copy_from_slice(&f64::NAN.to_le_bytes());
    fs::write(&tensors, &nan).unwrap();
    let error = error_of(&path);
    assert!(error.to_string().contains("there is NaN in"), "{error}");
    fs::write(&tensors, &bytes).unwrap();
    assert!(Trainer::load(small_network(), Loss::MeanSquared, &path).is_ok());
}

#[test]
fn files_of_another_network_objective_or_epoch_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let wider = Network::builder(2).layer(Dense::linear(1)).build().unwrap();
    let error = Trainer::load(wider, Loss::MeanSquared, &path).unwrap_err();
    assert!(matches!(error, FileError::Differs { what: "network", .. }), "{error}");
    let error = Trainer::load(small_network(), Loss::MeanAbsolute, &path).unwrap_err();
    assert!(matches!(error, FileError::Differs { what: "objective", .. }), "{error}");

    let json = fs::read(path.with_extension("json")).unwrap();
    let mut later = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
    later.set_epochs(3);
    later.train(rows(10, 1).samples()).unwrap();
    later.save(&path).unwrap();
    fs::write(path.with_extension("json"), json).unwrap();
    let error = error_of(&path);
    assert!(matches!(error, FileError::OfTwoEpochs { .. }), "{error}");
}
