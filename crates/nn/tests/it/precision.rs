//! Trainings in single precision: what they reach, what they hold to, and what they say where numbers are too large.

use core::ops::ControlFlow;

use nn::{Error, Event, Loss, Network, Precision, Settings, Trainer};
use tape::Matrix;

use crate::trainer::{Rows, rows, small_network, trainer};

const SINGLE: Settings = Settings {
    optimizer: nn::Optimizer::ADAM,
    rate: 0.02,
    schedule: nn::Schedule { warm_up: 0.0, decay: nn::Decay::Constant },
    epochs: 6,
    batch: 16,
    l2: 0.0,
    clip: None,
    seed: 3,
    patience: None,
    precision: Precision::Single,
    score_training: false,
};

#[test]
fn single_and_double_precision_reach_the_same_accuracy() {
    let classes = |Rows { inputs, targets }: Rows| {
        let data = targets.data.iter().map(|&y| f64::from(u8::from(y > 0.0))).collect();
        Rows { inputs, targets: Matrix { data, ..targets } }
    };
    let (training, test) = (classes(rows(400, 1)), classes(rows(400, 2)));
    let train = |precision| {
        let settings = Settings { precision, epochs: 60, ..SINGLE };
        let mut trainer =
            Trainer::new(small_network(), Loss::BinaryCrossEntropy, settings).unwrap();
        trainer.train(training.samples()).unwrap();
        let score = trainer.score(test.samples()).unwrap();
        (score.accuracy.unwrap(), trainer.network())
    };
    let [(double, first), (single, second)] = [Precision::Double, Precision::Single].map(train);
    assert!(double > 0.93 && (single - double).abs() < 0.01, "{single}, and {double}");
    assert!(!first.has_parameters_of(&second), "both are in double precision");
}

#[test]
fn a_resumed_training_is_the_uninterrupted_one_to_the_bit() {
    let rows = rows(50, 11);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut whole = trainer(SINGLE);
    whole.train(rows.samples()).unwrap();
    let mut resumed = trainer(SINGLE);
    for _ in 0..SINGLE.epochs {
        let watch = |event| match event {
            Event::Epoch(_) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        resumed.train_watched(rows.samples(), None, watch).unwrap();
        resumed.save(&path).unwrap();
        resumed = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
    }
    assert_eq!(resumed.settings().precision, Precision::Single);
    assert_eq!(whole.history(), resumed.history());
    assert!(whole.last().has_parameters_of(resumed.last()));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let rows = rows(4_000, 3);
    let run = || {
        let mut trainer = trainer(Settings { batch: 2_000, ..SINGLE });
        trainer.train(rows.samples()).unwrap();
        trainer
    };
    let alone = run();
    for threads in 1..4 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(alone.last().has_parameters_of(pool.install(run).last()), "{threads} threads");
    }
}

#[test]
fn a_loss_that_only_single_precision_cannot_hold_is_said_to_be_one() {
    let mut rows = rows(4, 1);
    rows.targets.data[2] = 1e25;
    let train = |precision| {
        let network: Network = small_network();
        let settings = Settings { precision, epochs: 1, ..SINGLE };
        Trainer::new(network, Loss::MeanSquared, settings).unwrap().train(rows.samples())
    };
    assert!(train(Precision::Double).is_ok());
    let error = train(Precision::Single).unwrap_err();
    assert!(matches!(error, Error::NonFinite(_)), "{error:?}");
    assert!(error.to_string().contains("; double precision may help"), "{error}");
}

#[test]
fn settings_of_before_there_was_a_choice_are_of_double_precision() {
    let mut written = serde_json::to_value(SINGLE).unwrap();
    assert_eq!(written["precision"], "single");
    written.as_object_mut().unwrap().remove("precision");
    let read: Settings = serde_json::from_value(written).unwrap();
    assert_eq!(read, Settings { precision: Precision::Double, ..SINGLE });
}

#[test]
fn precisions_are_read_as_they_are_written() {
    for precision in [Precision::Double, Precision::Single] {
        assert_eq!(precision.to_string().parse(), Ok(precision));
    }
    let error = "half".parse::<Precision>().unwrap_err().to_string();
    assert_eq!(error, "\"half\" is no precision: there are double and single");
}
