//! Trainings on disk: resumed to the bit, and refused with a reason where the files are not whole.

use core::ops::ControlFlow;
use std::fs;
use std::path::Path;

use nn::{
    Checkpoint, Decay, Dense, Error, FileError, Initializer, Loss, Model, Network, Own, Schedule,
    Settings, Trainer,
};
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
    first.save(folder.path().join("own.safetensors")).unwrap();
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
    assert!(
        matches!(&error, FileError::Read { path, .. } if path.ends_with("nothing.safetensors"))
    );
    let error = trainer(Settings::default()).save(folder.path().join("no/such")).unwrap_err();
    assert!(matches!(error, FileError::Write { .. }), "{error}");
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let file = path.with_extension("safetensors");
    let bytes = fs::read(&file).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).unwrap();
        let error = error_of(&path);
        assert!(matches!(error, FileError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    for length in [0, 4, 9, bytes.len() / 2, bytes.len() - 1] {
        refused(&bytes[..length], "damaged");
    }
    let version = bytes.windows(12).position(|some| some == br#"version\":2,"#).unwrap();
    let mut later = bytes.clone();
    later[version + 10] = b'3';
    refused(&later, "it is of version 3, this reads version 2");
    // A bit of anything that follows the header, and of its description.
    let description = bytes.windows(9).position(|some| some == b"objective").unwrap();
    for place in [description + 1, bytes.len() / 2, bytes.len() - 800, bytes.len() - 8] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        refused(&damaged, "");
    }
    fs::write(&file, &bytes).unwrap();
    assert!(Trainer::load(small_network(), Loss::MeanSquared, &path).is_ok());
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Model::load(saved(folder.path())).unwrap_err();
    let expected = "it is no wengert model: it calls itself wengert training";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn trainings_of_version_1_are_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let header = r#"{"__metadata__":{"mark":"epoch 2"}}"#;
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&length, header.as_bytes()].concat()).unwrap();
    let error = error_of(&path).to_string();
    assert!(error.contains("it is of version 1, this reads version 2: train again"), "{error}");
}

#[test]
fn files_of_another_network_or_objective_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let wider = Network::builder(2).layer(Dense::linear(1)).build().unwrap();
    let error = Trainer::load(wider, Loss::MeanSquared, &path).unwrap_err();
    assert!(matches!(error, FileError::Differs { what: "network", .. }), "{error}");
    let error = Trainer::load(small_network(), Loss::MeanAbsolute, &path).unwrap_err();
    assert!(matches!(error, FileError::Differs { what: "objective", .. }), "{error}");
}

#[test]
fn a_resumed_training_refuses_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let resumed = || {
        let mut trainer = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        trainer.set_epochs(3);
        trainer
    };
    let refused = |what: &str, result: Result<nn::Stop, Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::OtherRows { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    let mut other = rows(10, 1);
    other.targets.data[9] += 1e-12;
    refused("the rows to learn from are not those", resumed().train(other.samples()));
    let (same, validation) = (rows(10, 1), rows(4, 2));
    let watch = |_: nn::Event| ControlFlow::Continue(());
    let with_validation =
        resumed().train_watched(same.samples(), Some(validation.samples()), watch);
    refused("the validation rows are not those", with_validation);

    let mut trainer = resumed();
    trainer.train(same.samples()).unwrap();
    // What goes on in memory is its owner's matter.
    trainer.set_epochs(4);
    trainer.train(other.samples()).unwrap();
    assert_eq!(trainer.history().len(), 4);
}

#[test]
fn facts_and_settings_are_there_before_the_network_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let settings = Settings { epochs: 2, seed: 9, l2: 0.25, ..Settings::default() };
    let mut trainer = trainer(settings);
    trainer.set_facts([("table", "a"), ("columns", "b, c")]);
    trainer.train(rows(10, 1).samples()).unwrap();
    trainer.save(&path).unwrap();
    let checkpoint = Checkpoint::read(&path).unwrap();
    assert_eq!((*checkpoint.settings(), checkpoint.epochs()), (settings, 2));
    let resumed = checkpoint.clone().resume(small_network(), Loss::MeanSquared).unwrap();
    for facts in [checkpoint.facts(), resumed.facts()] {
        assert!(
            facts.iter().eq([(&"table".into(), &"a".into()), (&"columns".into(), &"b, c".into())])
        );
    }
}
