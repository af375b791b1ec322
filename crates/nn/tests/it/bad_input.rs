//! Each mistake has its typed error, and its message says what to do.

use nn::chain::Error;
use nn::{Activation, Chain, Optimizer, Sample, Training};

fn check<T: core::fmt::Debug, E: core::error::Error>(
    result: Result<T, E>,
    is_expected: fn(&E) -> bool,
    message: &str,
) {
    let error = result.unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    assert_eq!(error.to_string(), message);
}

fn named(names: &[&str]) -> Result<Chain, Error> {
    Chain::builder().nodes(names.iter().copied()).build()
}

fn trained_with(training: Training) -> Result<nn::Trained, Error> {
    Chain::new().train(&[Sample { input: 3.0, target: 17.0 }], &training)
}

#[test]
fn no_names() {
    check(
        named(&[]),
        |error| *error == Error::TooFewNodes { count: 0 },
        "a chain needs at least 2 nodes, got 0",
    );
}

#[test]
fn one_name() {
    check(
        named(&["A"]),
        |error| *error == Error::TooFewNodes { count: 1 },
        "a chain needs at least 2 nodes, got 1",
    );
}

#[test]
fn the_same_name_twice() {
    check(
        named(&["A", "B", "B"]),
        |error| *error == Error::DuplicateName { name: "B".into() },
        r#"two nodes have the name "B": each node needs one of its own"#,
    );
}

#[test]
fn the_inputs_name_again() {
    check(
        named(&["A", "B", "A"]),
        |error| *error == Error::DuplicateName { name: "A".into() },
        r#"two nodes have the name "A": each node needs one of its own"#,
    );
}

#[test]
fn names_that_formulas_could_not_show() {
    for name in ["", " ", "1", "_a", "a b", "a->b", "b₀", "a\n"] {
        check(
            named(&["A", name]),
            |error| matches!(error, Error::InvalidName { .. }),
            &format!(
                "{name:?} cannot name a node: a name is a letter, followed by letters, digits and underscores"
            ),
        );
    }
}

#[test]
fn more_letters_than_there_are() {
    check(
        Chain::builder().letters(27),
        |error| *error == Error::TooManyLetters { count: 27 },
        "there are only 26 letters: give 27 nodes names of their own",
    );
}

#[test]
fn a_bias_of_a_node_that_is_not_there() {
    check(
        Chain::builder().bias("E").build(),
        |error| *error == Error::UnknownNode { name: "E".into() },
        r#"the chain has no node "E""#,
    );
}

#[test]
fn an_activation_of_the_input() {
    check(
        Chain::builder().activation("A", Activation::Identity).build(),
        |error| *error == Error::InputNode { name: "A".into() },
        r#""A" is the input: it takes the sample as it is, without bias or activation"#,
    );
}

#[test]
fn an_activation_that_is_no_operation() {
    check(
        "than".parse::<Activation>(),
        |error| matches!(error, nn::Error::UnknownActivation { .. }),
        r#""than" is no activation: it is `identity` or an operation with one argument (tanh, sigmoid, relu, softplus, …)"#,
    );
}

#[test]
fn an_activation_of_two_arguments() {
    assert!(matches!(Activation::new(tape::Op::Powf), Err(nn::Error::UnknownActivation { .. })));
}

#[test]
fn an_edge_that_is_not_there() {
    check(
        Chain::new().set_weight("ac", 1.0),
        |error| matches!(error, Error::UnknownEdge { .. }),
        r#"the chain has no edge "ac": its edges run from "ab" to "cd""#,
    );
}

#[test]
fn a_bias_that_was_not_asked_for() {
    check(
        Chain::new().set_bias("B", 1.0),
        |error| *error == Error::NoBias { node: "B".into() },
        r#""B" has no bias: ask the builder for it"#,
    );
}

#[test]
fn a_weight_that_is_not_finite() {
    check(
        Chain::new().set_weight("ab", f64::INFINITY),
        |error| matches!(error, Error::NonFiniteParameter { .. }),
        "ab cannot be inf: weights and biases are finite",
    );
}

#[test]
fn no_samples() {
    let message = "no samples: give at least one";
    check(Chain::new().loss(&[]), |error| *error == Error::NoSamples, message);
    check(Chain::new().gradient(&[]), |error| *error == Error::NoSamples, message);
    check(
        Chain::new().train(&[], &Training::default()),
        |error| *error == Error::NoSamples,
        message,
    );
}

#[test]
fn a_sample_that_is_not_finite() {
    let good = Sample { input: 3.0, target: 17.0 };
    let bad = Sample { input: 10.0, target: f64::NAN };
    let message = "sample 1 (counted from 0) has input 10 and target NaN: both must be finite";
    let is_expected = |error: &Error| matches!(error, Error::NonFiniteSample { index: 1, .. });
    check(Chain::new().loss(&[good, bad]), is_expected, message);
    check(Chain::new().gradient(&[good, bad]), is_expected, message);
    check(Chain::new().train(&[good, bad], &Training::default()), is_expected, message);
    assert!(matches!(Chain::new().explain(bad), Err(Error::NonFiniteSample { index: 0, .. })));
}

#[test]
fn a_rate_that_is_no_positive_number() {
    for rate in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        check(
            trained_with(Training { rate, ..Training::default() }),
            |error| matches!(error, Error::InvalidSetting { .. }),
            &format!("the rate cannot be {rate}: it must be finite and greater than 0"),
        );
    }
}

#[test]
fn a_tolerance_below_0() {
    check(
        trained_with(Training { tolerance: -1.0, ..Training::default() }),
        |error| matches!(error, Error::InvalidSetting { .. }),
        "the tolerance cannot be -1: it must be at least 0",
    );
}

#[test]
fn a_momentum_that_never_fades() {
    check(
        trained_with(Training {
            optimizer: Optimizer::Momentum { decay: 1.0 },
            ..Training::default()
        }),
        |error| matches!(error, Error::InvalidSetting { .. }),
        "the momentum's decay cannot be 1: it must be at least 0 and below 1",
    );
}

#[test]
fn an_adam_that_divides_by_0() {
    check(
        trained_with(Training {
            optimizer: Optimizer::Adam { mean_decay: 0.9, square_decay: 0.999, epsilon: 0.0 },
            ..Training::default()
        }),
        |error| matches!(error, Error::InvalidSetting { .. }),
        "Adam's epsilon cannot be 0: it must be finite and greater than 0",
    );
}

#[test]
fn a_start_whose_loss_overflows() {
    let mut chain = Chain::new();
    chain.set_weight("ab", 1e200).unwrap();
    check(
        chain.train(&[Sample { input: 3.0, target: 17.0 }], &Training::default()),
        |error| matches!(error, Error::NonFiniteStart { .. }),
        "the loss is inf before the first step: scale the weights or the samples down",
    );
}
