//! Gradient descent comes down to the optimum, stops for the reason it says, and survives its own divergence.

use core::ops::ControlFlow;

use nn::chain::Error;
use nn::{Batch, Chain, Diverged, Optimizer, Sample, Stop, Trained, Training};

const SAMPLES: [Sample; 3] = [
    Sample { input: 3.0, target: 17.0 },
    Sample { input: 10.0, target: 200.0 },
    Sample { input: 7.0, target: -17.0 },
];

/// On the line D = 12·A + 1, which a chain with a bias can follow.
const LINE: [Sample; 3] = [
    Sample { input: -1.0, target: -11.0 },
    Sample { input: 0.5, target: 7.0 },
    Sample { input: 1.0, target: 13.0 },
];

fn linear() -> Chain {
    Chain::builder().seed(1).build().unwrap()
}

fn with_bias() -> Chain {
    Chain::builder().bias("D").seed(1).build().unwrap()
}

fn plain() -> Training {
    Training { optimizer: Optimizer::Plain, rate: 1e-4, epochs: 1_000, ..Training::default() }
}

#[track_caller]
fn check_least_squares(training: &Training) {
    let mut chain = linear();
    let trained = chain.train(&SAMPLES, training).unwrap();
    let product: f64 = chain.weights().values().product();
    let relative = (product / (1932.0 / 158.0) - 1.0).abs();
    assert!(relative < 1e-6, "the product is {product}");
    // Σ target² − (Σ A·target)²/Σ A², over 3.
    let least = (40_578.0 - 1932.0 * 1932.0 / 158.0) / 3.0;
    assert!((trained.loss / least - 1.0).abs() < 1e-12, "the loss is {}", trained.loss);
}

#[test]
fn plain_descent_reaches_the_least_squares_product() {
    check_least_squares(&plain());
}

#[test]
fn momentum_reaches_the_least_squares_product() {
    check_least_squares(&Training { optimizer: Optimizer::MOMENTUM, rate: 1e-5, ..plain() });
}

#[test]
fn adam_reaches_the_least_squares_product() {
    check_least_squares(&Training::default());
}

#[track_caller]
fn check_line(training: &Training) {
    let trained = with_bias().train(&LINE, training).unwrap();
    assert_eq!(trained.stop, Stop::Tolerance, "the loss is {}", trained.loss);
}

#[test]
fn stochastic_descent_reaches_a_line_through_all_samples() {
    let batch = Batch::Stochastic { seed: 5 };
    check_line(&Training { batch, rate: 1e-3, epochs: 20_000, tolerance: 1e-12, ..plain() });
}

#[test]
fn stochastic_adam_reaches_a_line_through_all_samples() {
    let batch = Batch::Stochastic { seed: 5 };
    check_line(&Training { batch, tolerance: 1e-6, ..Training::default() });
}

#[test]
fn the_first_plain_step_is_the_rate_times_the_derivative() {
    let mut chain = linear();
    let (_, gradient) = chain.gradient(&SAMPLES).unwrap();
    let expected = chain.weights()["bc"] - 1e-6 * gradient.weights["bc"];
    chain.train(&SAMPLES, &Training { rate: 1e-6, epochs: 1, ..plain() }).unwrap();
    assert_eq!(chain.weights()["bc"], expected);
}

#[test]
fn momentum_adds_a_share_of_the_last_step() {
    let momentum = Training { optimizer: Optimizer::MOMENTUM, rate: 1e-6, epochs: 1, ..plain() };
    let mut chain = linear();
    let (_, first) = chain.gradient(&SAMPLES).unwrap();
    chain.train(&SAMPLES, &momentum).unwrap();
    let (_, second) = chain.gradient(&SAMPLES).unwrap();
    let velocity = 0.9 * first.weights["bc"] + second.weights["bc"];
    let expected = chain.weights()["bc"] - 1e-6 * velocity;

    let mut chain = linear();
    chain.train(&SAMPLES, &Training { epochs: 2, ..momentum }).unwrap();
    assert_eq!(chain.weights()["bc"], expected);
}

#[test]
fn the_first_adam_step_is_one_rate_against_the_derivative_s_sign() {
    let mut chain = linear();
    let (_, gradient) = chain.gradient(&SAMPLES).unwrap();
    let expected = chain.weights()["bc"] - 0.01 * gradient.weights["bc"].signum();
    chain.train(&SAMPLES, &Training { epochs: 1, ..Training::default() }).unwrap();
    assert!((chain.weights()["bc"] - expected).abs() < 1e-9);
}

#[test]
fn the_history_of_small_plain_steps_never_rises() {
    let trained =
        linear().train(&SAMPLES, &Training { rate: 1e-5, epochs: 200, ..plain() }).unwrap();
    assert!(trained.history.is_sorted_by(|earlier, later| earlier > later));
}

#[test]
fn the_history_runs_from_the_start_to_the_last_epoch() {
    let start = linear().loss(&SAMPLES).unwrap();
    let trained = linear().train(&SAMPLES, &Training { epochs: 5, ..plain() }).unwrap();
    assert_eq!(trained.history.len(), 6);
    assert_eq!(trained.history[0], start);
    assert_eq!(trained.epochs(), 5);
}

#[test]
fn the_chain_keeps_the_parameters_of_the_lowest_loss() {
    let mut chain = linear();
    let trained =
        chain.train(&SAMPLES, &Training { rate: 0.5, epochs: 300, ..Training::default() }).unwrap();
    assert!(trained.history.iter().all(|&loss| loss >= trained.loss));
    assert_eq!(chain.loss(&SAMPLES).unwrap(), trained.loss);
}

fn stop(training: &Training) -> Trained {
    linear().train(&SAMPLES, training).unwrap()
}

#[test]
fn it_stops_when_all_epochs_are_done() {
    assert_eq!(stop(&Training { epochs: 5, ..plain() }).stop, Stop::Epochs);
}

#[test]
fn no_epochs_change_nothing() {
    let mut chain = linear();
    let trained = chain.train(&SAMPLES, &Training { epochs: 0, ..plain() }).unwrap();
    assert_eq!((trained.epochs(), trained.stop), (0, Stop::Epochs));
    assert_eq!(chain, linear());
}

#[test]
fn it_stops_as_soon_as_the_loss_is_at_the_tolerance() {
    let trained = stop(&Training { tolerance: 6_000.0, ..plain() });
    assert_eq!(trained.stop, Stop::Tolerance);
    let (last, before) = trained.history.split_last().unwrap();
    assert!(*last <= 6_000.0 && before.iter().all(|&loss| loss > 6_000.0));
}

#[test]
fn it_stops_early_when_the_loss_falls_no_more() {
    let trained = stop(&Training { patience: Some(20), epochs: 1_000_000, ..plain() });
    assert_eq!(trained.stop, Stop::Patience);
    let best = trained.history.iter().position(|&loss| loss == trained.loss).unwrap();
    assert_eq!(trained.epochs() - best, 20);
}

#[test]
fn the_callback_sees_the_start_and_every_epoch_and_can_stop() {
    let mut seen = Vec::new();
    let trained = linear()
        .train_watched(&SAMPLES, &plain(), |epoch| {
            seen.push((epoch.number, epoch.loss));
            if epoch.number == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(trained.stop, Stop::Callback);
    assert!(seen.into_iter().eq(trained.history.into_iter().enumerate()));
}

#[test]
fn the_same_seed_trains_the_same() {
    let training = Training { batch: Batch::Stochastic { seed: 9 }, epochs: 50, ..plain() };
    assert_eq!(stop(&training), stop(&training));
}

#[test]
fn another_order_of_the_samples_trains_otherwise() {
    let seeded = |seed| Training { batch: Batch::Stochastic { seed }, epochs: 50, ..plain() };
    assert_ne!(stop(&seeded(9)).history, stop(&seeded(10)).history);
}

fn diverged(chain: &mut Chain) -> Diverged {
    let training = Training { rate: 0.01, ..plain() };
    match chain.train(&SAMPLES, &training) {
        Err(Error::Diverged(diverged)) => *diverged,
        other => panic!("it did not diverge: {other:?}"),
    }
}

#[test]
fn too_large_a_rate_is_an_error_that_says_so() {
    let message = diverged(&mut linear()).to_string();
    assert!(message.starts_with("the training diverged: the loss is "), "{message}");
    assert!(message.ends_with("try a rate below 0.01"), "{message}");
}

#[test]
fn a_diverged_training_returns_the_last_finite_weights_and_leaves_them_in_the_chain() {
    let mut chain = linear();
    let diverged = diverged(&mut chain);
    assert!(diverged.last_finite.values().all(f64::is_finite));
    assert_eq!(*chain.parameters(), diverged.last_finite);
}

#[test]
fn a_diverged_training_returns_the_history_up_to_the_last_finite_loss() {
    let mut chain = linear();
    let diverged = diverged(&mut chain);
    assert_eq!(diverged.history.len(), diverged.epoch);
    assert_eq!(diverged.history.last().copied(), chain.loss(&SAMPLES).ok());
}

#[test]
fn a_sine_lets_the_chain_pass_through_points_that_fall_and_rise() {
    let builder = Chain::builder().biases().activation("B", "sin".parse().unwrap());
    let mut chain = builder.seed(1).build().unwrap();
    chain.train(&SAMPLES, &Training { tolerance: 1e-5, ..Training::default() }).unwrap();
    for sample in SAMPLES {
        assert!((chain.predict(sample.input) - sample.target).abs() < 0.01, "{sample:?}");
    }
}
