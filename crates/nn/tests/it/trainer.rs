//! Training a network: what it reaches, what it tells, when it stops, and what it keeps.

use core::ops::ControlFlow;

use nn::{
    Clip, Decay, Dense, Error, Event, Loss, Network, NonFinite, Objective, Optimizer, Record,
    Samples, Schedule, Settings, Stop, Trainer,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tape::{Matrix, Var};

/// Rows of inputs and targets.
pub(crate) struct Rows {
    pub(crate) inputs: Matrix<f64>,
    pub(crate) targets: Matrix<f64>,
}

impl Rows {
    pub(crate) fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, targets: &self.targets }
    }
}

/// Rows drawn by a seed, their target some smooth function of two numbers, with a little noise.
pub(crate) fn rows(count: usize, seed: u64) -> Rows {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let inputs: Vec<f64> = (0..2 * count).map(|_| random.random_range(-1.0..1.0)).collect();
    let target = |row: &[f64]| (2.0 * row[0]).sin() - row[0] * row[1];
    let targets =
        inputs.chunks(2).map(|row| target(row) + random.random_range(-0.05..0.05)).collect();
    Rows {
        inputs: Matrix { rows: count, columns: 2, data: inputs },
        targets: Matrix { rows: count, columns: 1, data: targets },
    }
}

pub(crate) fn small_network() -> Network {
    let hidden = Dense::new(6, "tanh".parse().unwrap());
    Network::builder(2).layer(hidden).layer(Dense::linear(1)).seed(4).build().unwrap()
}

pub(crate) fn trainer(settings: Settings) -> Trainer {
    Trainer::new(small_network(), Loss::MeanSquared, settings).unwrap()
}

fn line() -> Network {
    Network::builder(2).layer(Dense::linear(1)).seed(1).build().unwrap()
}

/// The least-squares solution by the normal equations of a design with a column of ones: weights, then bias.
fn normal_equations(rows: &Rows) -> Vec<f64> {
    let count = rows.inputs.rows;
    let design: Vec<[f64; 3]> =
        (0..count).map(|row| [rows.inputs[(row, 0)], rows.inputs[(row, 1)], 1.0]).collect();
    let mut system = [[0.0; 4]; 3];
    for (x, &target) in design.iter().zip(&rows.targets.data) {
        for i in 0..3 {
            for j in 0..3 {
                system[i][j] += x[i] * x[j];
            }
            system[i][3] += x[i] * target;
        }
    }
    for pivot in 0..3 {
        let own = system[pivot];
        for (row, other) in system.iter_mut().enumerate() {
            if row != pivot {
                let factor = other[pivot] / own[pivot];
                other.iter_mut().zip(own).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    (0..3).map(|i| system[i][3] / system[i][i]).collect()
}

#[test]
fn linear_regression_reaches_the_normal_equations() {
    let rows = rows(200, 1);
    let expected = normal_equations(&rows);
    for (optimizer, rate, batch) in [
        (Optimizer::Plain, 0.3, 200),
        (Optimizer::MOMENTUM, 0.1, 200),
        (Optimizer::NESTEROV, 0.1, 200),
    ] {
        let settings = Settings { optimizer, rate, batch, epochs: 2_000, ..Settings::default() };
        let mut trainer = Trainer::new(line(), Loss::MeanSquared, settings).unwrap();
        trainer.train(rows.samples()).unwrap();
        let network = trainer.network();
        let found: Vec<f64> =
            network.parameters().values().flat_map(nn::Parameter::values).copied().collect();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-8, "{optimizer:?}: {found} against {expected}");
        }
    }
}

#[test]
fn every_optimizer_brings_the_loss_down() {
    let rows = rows(120, 2);
    for (optimizer, rate) in [
        (Optimizer::Plain, 0.1),
        (Optimizer::MOMENTUM, 0.05),
        (Optimizer::NESTEROV, 0.05),
        (Optimizer::RMS_PROP, 0.01),
        (Optimizer::ADAM, 0.01),
        (Optimizer::ADAM_W, 0.01),
    ] {
        let mut trainer = trainer(Settings { optimizer, rate, epochs: 150, ..Settings::default() });
        trainer.train(rows.samples()).unwrap();
        let loss = trainer.score(rows.samples()).unwrap().loss;
        assert!(loss < 0.02, "{optimizer:?}: {loss}");
    }
}

#[test]
fn a_training_is_the_same_whatever_the_number_of_threads() {
    let rows = rows(4_000, 3);
    let settings = Settings { batch: 2_000, epochs: 4, seed: 9, ..Settings::default() };
    let run = || {
        let mut trainer = trainer(settings);
        trainer.train(rows.samples()).unwrap();
        trainer
    };
    let alone = run();
    for threads in 1..4 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let other = pool.install(run);
        assert!(alone.last().has_parameters_of(other.last()), "{threads} threads");
        assert_eq!(alone.history(), other.history());
    }
    let mut other = trainer(Settings { seed: 10, ..settings });
    other.train(rows.samples()).unwrap();
    assert!(!alone.last().has_parameters_of(other.last()), "another seed, another order");
}

#[test]
fn patience_stops_and_the_best_parameters_stay() {
    let (rows, validation) = (rows(20, 5), rows(200, 6));
    let settings =
        Settings { rate: 0.05, batch: 5, epochs: 5_000, patience: Some(30), ..Settings::default() };
    let mut trainer = trainer(settings);
    let stop = trainer
        .train_watched(rows.samples(), Some(validation.samples()), |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(stop, Stop::Patience);
    let loss = |record: &Record| record.validation.unwrap().loss;
    let lowest = trainer.history().iter().map(loss).fold(f64::INFINITY, f64::min);
    assert_eq!(trainer.best_epoch() + 30, trainer.history().len());
    assert_eq!(loss(&trainer.history()[trainer.best_epoch() - 1]), lowest);
    assert_eq!(trainer.score(validation.samples()).unwrap().loss, lowest);
    assert!(!trainer.network().has_parameters_of(trainer.last()));
}

#[test]
fn the_watch_hears_of_every_batch_and_every_epoch_and_can_stop() {
    let rows = rows(10, 7);
    let mut trainer = trainer(Settings { batch: 4, epochs: 5, ..Settings::default() });
    let mut heard = Vec::new();
    let stop = trainer
        .train_watched(rows.samples(), None, |event| {
            heard.push(match event {
                Event::Batch { epoch, number, count, .. } => (epoch, number, count),
                Event::Epoch(record) => (record.epoch, 0, 0),
                _ => unreachable!(),
            });
            if heard.len() == 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(stop, Stop::Callback);
    let epoch = |epoch| [(epoch, 1, 3), (epoch, 2, 3), (epoch, 3, 3), (epoch, 0, 0)];
    assert_eq!(heard, [epoch(1), epoch(2)].concat());
    assert_eq!(trainer.history().len(), 2);
    assert_eq!(trainer.train(rows.samples()).unwrap(), Stop::Epochs);
    assert_eq!(trainer.history().len(), 5);
}

#[test]
fn breaking_off_in_an_epoch_takes_its_steps_back() {
    let rows = rows(40, 8);
    let settings = Settings { batch: 8, epochs: 6, ..Settings::default() };
    let mut whole = trainer(settings);
    whole.train(rows.samples()).unwrap();
    let mut broken = trainer(settings);
    for batch in [3, 7, 14, 29] {
        let mut count = 0;
        let stop = broken.train_watched(rows.samples(), None, |event| {
            count += usize::from(matches!(event, Event::Batch { .. }));
            if count == batch { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(stop.is_ok());
    }
    broken.train(rows.samples()).unwrap();
    assert!(whole.last().has_parameters_of(broken.last()));
    assert_eq!(whole.history(), broken.history());
}

#[test]
fn a_schedule_sets_the_rate_of_every_step() {
    let rows = rows(8, 1);
    let decay = Decay::Step { every: 2, factor: 0.5 };
    let settings = Settings {
        rate: 0.1,
        schedule: Schedule { warm_up: 0.0, decay },
        epochs: 5,
        ..Settings::default()
    };
    let mut trainer = trainer(settings);
    trainer.train(rows.samples()).unwrap();
    let rates: Vec<f64> = trainer.history().iter().map(|record| record.rate).collect();
    assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025]);
}

#[test]
fn every_epoch_goes_through_all_rows_once_in_an_order_of_its_own() {
    let rows = rows(30, 13);
    // The steps are too small to change a loss, so that a loss tells which row it is.
    let settings = Settings {
        optimizer: Optimizer::Plain,
        rate: 1e-300,
        batch: 1,
        epochs: 3,
        ..Settings::default()
    };
    let mut losses = vec![Vec::new(); 3];
    trainer(settings)
        .train_watched(rows.samples(), None, |event| {
            if let Event::Batch { epoch, loss, .. } = event {
                losses[epoch - 1].push(loss);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(losses[0] != losses[1] && losses[1] != losses[2] && losses[0] != losses[2]);
    for own in &mut losses {
        own.sort_by(f64::total_cmp);
    }
    assert_eq!(losses[0], losses[1]);
    assert_eq!(losses[1], losses[2]);
    losses[0].dedup();
    assert_eq!(losses[0].len(), 30);
}

#[test]
fn a_validation_loss_that_is_not_finite_is_never_the_best() {
    let (rows, mut validation) = (rows(10, 5), rows(4, 6));
    validation.targets.data[0] = 1e200;
    let mut trainer = trainer(Settings { epochs: 3, ..Settings::default() });
    let stop = trainer
        .train_watched(rows.samples(), Some(validation.samples()), |_| ControlFlow::Continue(()));
    assert_eq!(stop, Ok(Stop::Epochs));
    assert_eq!(trainer.history()[0].validation.unwrap().loss, f64::INFINITY);
    assert_eq!(trainer.best_epoch(), 3);
    assert!(trainer.network().has_parameters_of(trainer.last()));
}

/// One step of plain descent from known parameters, by hand.
fn one_step(settings: Settings) -> Vec<f64> {
    let mut network = Network::builder(1).layer(Dense::linear(1)).build().unwrap();
    network.set_parameter("layer1.weight", &[2.0]).unwrap();
    network.set_parameter("layer1.bias", &[1.0]).unwrap();
    let one = |x| Matrix { rows: 1, columns: 1, data: vec![x] };
    let settings =
        Settings { optimizer: Optimizer::Plain, rate: 0.1, epochs: 1, batch: 1, ..settings };
    let mut trainer = Trainer::new(network, Loss::MeanSquared, settings).unwrap();
    // (2·3 + 1 − 5)² has the derivatives 12 and 4.
    trainer.train(Samples { inputs: &one(3.0), targets: &one(5.0) }).unwrap();
    trainer.last().parameters().values().flat_map(nn::Parameter::values).copied().collect()
}

fn assert_near(found: &[f64], expected: [f64; 2]) {
    assert!(
        found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14),
        "{found:?} against {expected:?}"
    );
}

#[test]
fn the_penalty_adds_its_derivative() {
    assert_near(&one_step(Settings::default()), [0.8, 0.6]);
    // 12 + 0.5·2 and 4 + 0.5·1.
    assert_near(&one_step(Settings { l2: 0.5, ..Settings::default() }), [0.7, 0.55]);
}

#[test]
fn clipping_bounds_the_derivatives_of_a_step() {
    let norm = 160.0_f64.sqrt();
    // PyTorch divides by the norm plus 1e-6, so it does not reach the bound to the last digit.
    let by_norm = one_step(Settings { clip: Some(Clip::Norm(1.0)), ..Settings::default() });
    for (found, derivative, start) in [(by_norm[0], 12.0, 2.0), (by_norm[1], 4.0, 1.0)] {
        assert!((found - (start - 0.1 * derivative / norm)).abs() < 1e-6);
    }
    assert_near(
        &one_step(Settings { clip: Some(Clip::Value(5.0)), ..Settings::default() }),
        [1.5, 0.6],
    );
}

#[test]
fn a_training_that_runs_away_says_where_and_keeps_what_was_finite() {
    let rows = rows(40, 9);
    let settings = Settings {
        optimizer: Optimizer::Plain,
        rate: 1e200,
        batch: 8,
        epochs: 50,
        ..Settings::default()
    };
    let mut trainer = trainer(settings);
    let mut steps = 0;
    let error = trainer.train_watched(rows.samples(), None, |event| {
        steps += usize::from(matches!(event, Event::Batch { .. }));
        ControlFlow::Continue(())
    });
    let Err(Error::NonFinite(error)) = error else { panic!("{error:?}") };
    let NonFinite { epoch, batch, parameter, rate, .. } = &*error;
    assert_eq!(((epoch - 1) * 5 + batch - 1, *rate), (steps, 1e200));
    assert!(steps > 0, "the first step is finite");
    assert!(trainer.last().parameters().contains_key(parameter), "{parameter}");
    assert!(error.to_string().contains(&format!("in epoch {epoch}, batch {batch}")));
    let network = trainer.network();
    let kept = network.parameters().values().flat_map(nn::Parameter::values);
    assert!(kept.clone().all(|value| value.is_finite()));
    assert!(!network.has_parameters_of(&small_network()), "the step before has been kept");
}

#[test]
fn a_loss_without_derivatives_that_is_not_finite_is_found_too() {
    let infinite = Objective::new("infinite", |_: &[Var], _: &[Var]| Var::constant(f64::INFINITY));
    let mut trainer = Trainer::new(small_network(), infinite, Settings::default()).unwrap();
    let error = trainer.train(rows(4, 1).samples()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the training left the finite numbers in epoch 1, batch 1: the loss is not finite, while the largest number \
         is in layer1.weight (loss inf); the network keeps its parameters from before; try a rate below 0.001, or clip \
         the derivatives"
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |settings: Settings, what: &str| {
        let error = Trainer::new(small_network(), Loss::MeanSquared, settings).unwrap_err();
        assert!(matches!(error, Error::InvalidSetting { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    };
    let defaults = Settings::default;
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(Settings { rate, ..defaults() }, "the rate cannot be");
    }
    refused(Settings { batch: 0, ..defaults() }, "the size of a batch cannot be 0");
    refused(Settings { l2: -1.0, ..defaults() }, "the L2 penalty cannot be -1");
    refused(Settings { clip: Some(Clip::Norm(0.0)), ..defaults() }, "cannot be 0");
    let decay = Decay::Step { every: 0, factor: 0.5 };
    refused(Settings { schedule: Schedule { warm_up: 0.0, decay }, ..defaults() }, "cannot be 0");
    let huber = Trainer::new(small_network(), Loss::Huber { delta: -1.0 }, defaults());
    assert!(matches!(huber, Err(Error::InvalidSetting { .. })));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut trainer = trainer(Settings::default());
    let good = rows(4, 1);
    let one = Matrix { rows: 4, columns: 1, data: vec![0.0; 4] };
    let three = Matrix { rows: 3, columns: 1, data: vec![0.0; 3] };
    let error = |inputs, targets| Samples { inputs, targets };
    let refused = [
        (error(&one, &good.targets), "the columns of the inputs: 2 expected, 1 given"),
        (error(&good.inputs, &three), "the rows of the targets: 4 expected, 3 given"),
        (error(&good.inputs, &good.inputs), "the columns of the targets: 1 expected, 2 given"),
    ];
    for (samples, text) in refused {
        assert_eq!(trainer.train(samples).unwrap_err().to_string(), text);
        assert_eq!(trainer.score(samples).unwrap_err().to_string(), text);
    }
    let mut inputs = good.inputs.clone();
    inputs[(2, 1)] = f64::NAN;
    assert_eq!(
        trainer.train(error(&inputs, &good.targets)).unwrap_err().to_string(),
        "row 2 (counted from 0) has NaN in it: inputs and targets must be finite"
    );
    assert!(trainer.history().is_empty());
}

#[test]
fn accuracy_is_the_share_of_rows_whose_class_is_right() {
    let identity = |outputs: usize| {
        let mut network =
            Network::builder(outputs).layer(Dense::linear(outputs).without_bias()).build().unwrap();
        let weights: Vec<f64> = (0..outputs * outputs)
            .map(|place| if place % (outputs + 1) == 0 { 1.0 } else { 0.0 })
            .collect();
        network.set_parameter("layer1.weight", &weights).unwrap();
        network
    };
    let score = |network, loss, inputs: Matrix<f64>, targets: Matrix<f64>| {
        let trainer = Trainer::new(network, loss, Settings::default()).unwrap();
        trainer.score(Samples { inputs: &inputs, targets: &targets }).unwrap().accuracy
    };
    let matrix = |rows, columns, data: &[f64]| Matrix { rows, columns, data: data.to_vec() };
    let logits = matrix(2, 3, &[1.0, 3.0, 2.0, 0.0, -1.0, 5.0]);
    let classes = matrix(2, 3, &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(score(identity(3), Loss::CrossEntropy, logits, classes), Some(0.5));
    let (logits, yes) =
        (matrix(4, 1, &[1.0, -2.0, 3.0, -0.5]), matrix(4, 1, &[1.0, 0.0, 1.0, 1.0]));
    let (same, numbers) = (logits.clone(), yes.clone());
    assert_eq!(score(identity(1), Loss::BinaryCrossEntropy, logits, yes), Some(0.75));
    assert_eq!(score(identity(1), Loss::MeanSquared, same, numbers), None);
}
