//! The parts of a training by themselves: losses and activations by all oracles, initialisers, schedules, optimisers.

use nn::{Activation, Clip, Decay, Descent, Error, Initializer, Loss, Optimizer, Schedule, dense};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tape::{Dual, Op, Real, Var, check};

/// The derivative in each direction by dual numbers against that by the tape, and against differences.
fn agrees(
    what: &str,
    by_tape: impl Fn(&[Var]) -> Var,
    by_duals: impl Fn(&[Dual]) -> Dual,
    x: &[f64],
) -> Result<(), TestCaseError> {
    let (_, gradient) = tape::gradient(&by_tape, x);
    for (place, derivative) in gradient.into_iter().enumerate() {
        let duals: Vec<Dual> = (0..x.len())
            .map(|other| Dual::new(x[other], if other == place { 1.0 } else { 0.0 }))
            .collect();
        let tangent = by_duals(&duals).tangent;
        prop_assert!(
            derivative == tangent
                || derivative.is_nan() && tangent.is_nan()
                || (derivative - tangent).abs() <= 1e-12 * tangent.abs().max(1.0),
            "{what} at {x:?}: {derivative} against {tangent}"
        );
    }
    let verdict = check::gradient(&by_tape, x);
    prop_assert!(
        !matches!(verdict, check::Verdict::Mismatch { .. }),
        "{what} at {x:?}: {verdict:?}"
    );
    Ok(())
}

fn loss_at<T: Real>(loss: Loss, x: &[T]) -> T {
    let (outputs, targets) = x.split_at(x.len() / 2);
    loss.apply(outputs, targets)
}

proptest! {
    #[test]
    fn every_loss_has_its_derivatives(
        y in prop::collection::vec(-5.0..5.0, 4),
        t in prop::collection::vec(0.0..1.0, 4),
        scale in prop::sample::select(vec![1.0, 100.0]),
    ) {
        let x: Vec<f64> = y.iter().map(|y| y * scale).chain(t).collect();
        for loss in [
            Loss::MeanSquared,
            Loss::MeanAbsolute,
            Loss::Huber { delta: 0.5 },
            Loss::Huber { delta: 3.0 },
            Loss::CrossEntropy,
            Loss::BinaryCrossEntropy,
        ] {
            agrees(&loss.to_string(), |x| loss_at(loss, x), |x| loss_at(loss, x), &x)?;
        }
    }

    #[test]
    fn every_activation_of_a_weighted_sum_has_its_derivatives(
        weights in prop::collection::vec(-1.5..1.5, 3),
        bias in -1.0..1.0,
        row in prop::collection::vec(-2.0..2.0, 3),
    ) {
        let x = [&weights[..], &[bias]].concat();
        for &operation in Op::ALL.iter().filter(|operation| operation.arity() == 1) {
            let activation = Activation::new(operation).unwrap();
            let (of_vars, of_duals) = (row.clone(), row.clone());
            agrees(
                operation.name(),
                |x| node(activation, x, &of_vars),
                |x| node(activation, x, &of_duals),
                &x,
            )?;
        }
    }
}

fn node<T: Real>(activation: Activation, x: &[T], row: &[f64]) -> T {
    let row: Vec<T> = row.iter().map(|&x| T::from_f64(x)).collect();
    let (weights, bias) = x.split_at(row.len());
    dense(weights, Some(bias), &row, activation)[0]
}

#[test]
fn the_kinks_of_losses_have_the_middle_derivative() {
    let (_, absolute) = tape::gradient(|x| loss_at(Loss::MeanAbsolute, x), &[2.0, 2.0]);
    assert_eq!(absolute, [0.0, 0.0]);
    for (error, expected) in [(0.5, 0.5), (1.0, 1.0), (-1.0, -1.0), (40.0, 1.0), (-7.0, -1.0)] {
        let huber = Loss::Huber { delta: 1.0 };
        assert_eq!(tape::gradient(|x| loss_at(huber, x), &[error, 0.0]).1[0], expected);
    }
}

#[test]
fn a_loss_knows_its_name_again() {
    for name in
        ["mean-squared", "mean-absolute", "huber:0.5", "cross-entropy", "binary-cross-entropy"]
    {
        assert_eq!(name.parse::<Loss>().unwrap().to_string(), name);
    }
    assert_eq!("huber".parse::<Loss>().unwrap(), Loss::Huber { delta: 1.0 });
    let error = "hinge".parse::<Loss>().unwrap_err().to_string();
    assert!(error.contains("\"hinge\" is no loss") && error.contains("huber:DELTA"), "{error}");
    assert!(matches!("huber:-1".parse::<Loss>(), Err(Error::InvalidSetting { .. })));
    assert!(matches!("huber:x".parse::<Loss>(), Err(Error::UnknownLoss { .. })));
}

#[test]
#[should_panic(expected = "outputs and targets of a loss")]
fn a_loss_of_unequal_slices_is_misuse() {
    Loss::MeanSquared.apply(&[1.0, 2.0], &[1.0]);
}

#[test]
fn initial_numbers_have_the_variance_of_their_source() {
    const COUNT: usize = 200_000;
    let (inputs, outputs) = (30, 70);
    for (initializer, variance, bound) in [
        (Initializer::GlorotUniform, 2.0 / 100.0, Some((6.0_f64 / 100.0).sqrt())),
        (Initializer::GlorotNormal, 2.0 / 100.0, None),
        (Initializer::HeUniform, 2.0 / 30.0, Some((6.0_f64 / 30.0).sqrt())),
        (Initializer::HeNormal, 2.0 / 30.0, None),
    ] {
        let draw = |seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            initializer.draw(&mut random, inputs, outputs, COUNT)
        };
        let drawn = draw(1);
        let mean = drawn.iter().sum::<f64>() / COUNT as f64;
        let found = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / COUNT as f64;
        // Five deviations of the mean and of the variance of so many draws.
        assert!(mean.abs() < 5.0 * (variance / COUNT as f64).sqrt(), "{initializer:?}: {mean}");
        assert!((found / variance - 1.0).abs() < 0.016, "{initializer:?}: {found}");
        if let Some(bound) = bound {
            assert!(drawn.iter().all(|x| x.abs() <= bound));
            assert!(drawn.iter().any(|x| x.abs() > 0.99 * bound));
        }
        assert!(draw(1) == drawn && draw(2) != drawn, "{initializer:?}");
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    assert_eq!(Initializer::Zeros.draw(&mut random, 1, 1, 2), [0.0, 0.0]);
    assert_eq!(Initializer::Constant(2.5).draw(&mut random, 1, 1, 2), [2.5, 2.5]);
}

#[test]
fn an_activation_has_the_initializer_that_suits_it() {
    let of = |name: &str| Initializer::for_activation(name.parse().unwrap());
    assert_eq!(of("relu"), Initializer::HeUniform);
    assert_eq!(of("gelu"), Initializer::HeUniform);
    assert_eq!(of("tanh"), Initializer::GlorotUniform);
    assert_eq!(of("identity"), Initializer::GlorotUniform);
}

#[test]
fn a_warm_up_rises_by_steps_and_the_decay_counts_from_its_end() {
    let schedule = Schedule { warm_up: 1.5, decay: Decay::Step { every: 1, factor: 0.5 } };
    let factors: Vec<f64> = (0..16).map(|step| schedule.factor(step, 4, 4)).collect();
    let rise = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|step| step / 6.0);
    assert_eq!(factors[..6], rise);
    assert_eq!(factors[6..], [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
    let cosine = Schedule { warm_up: 0.0, decay: Decay::Cosine { floor: 0.0 } };
    assert_eq!(cosine.factor(0, 1, 10), 1.0);
    assert!((cosine.factor(5, 1, 10) - 0.5).abs() < 1e-15);
    assert_eq!(cosine.factor(99, 1, 10), 0.0, "beyond the end it stays at the floor");
}

#[test]
fn an_optimizer_goes_on_from_what_it_remembers_to_the_bit() {
    for optimizer in [
        Optimizer::Plain,
        Optimizer::MOMENTUM,
        Optimizer::NESTEROV,
        Optimizer::RMS_PROP,
        Optimizer::ADAM,
        Optimizer::ADAM_W,
    ] {
        let (mut p, mut q) = ([1.0, -2.0], [1.0, -2.0]);
        let mut whole = Descent::new(optimizer, 2).unwrap();
        let mut parts = Descent::new(optimizer, 2).unwrap();
        for step in 0..10 {
            let gradient = [f64::from(step).sin(), 0.1 * f64::from(step)];
            whole.step(0.1, &mut p, &gradient);
            parts.step(0.1, &mut q, &gradient);
            let moments = parts.moments().map(<[f64]>::to_vec);
            parts = Descent::restore(optimizer, 2, parts.steps(), moments).unwrap();
        }
        assert_eq!(p, q, "{optimizer:?}");
    }
    let short = Descent::restore(Optimizer::ADAM, 2, 1, [vec![0.0; 2], vec![0.0; 1]]);
    assert_eq!(short.unwrap_err().to_string(), "the optimiser's squares: 2 expected, 1 given");
}

#[test]
fn settings_of_optimizers_are_checked() {
    for (optimizer, text) in [
        (Optimizer::Momentum { decay: 1.0 }, "the momentum's decay cannot be 1"),
        (Optimizer::Nesterov { decay: -0.1 }, "the decay of Nesterov's momentum cannot be -0.1"),
        (
            Optimizer::RmsProp { square_decay: 0.9, epsilon: 0.0 },
            "RMSProp's epsilon cannot be 0: it must be finite and greater than 0",
        ),
        (
            Optimizer::Adam { mean_decay: f64::NAN, square_decay: 0.9, epsilon: 1e-8 },
            "Adam's decay of the mean cannot be NaN",
        ),
        (
            Optimizer::AdamW {
                mean_decay: 0.9,
                square_decay: 0.9,
                epsilon: 1e-8,
                weight_decay: -1.0,
            },
            "AdamW's decay of the weights cannot be -1",
        ),
    ] {
        let error = Descent::new(optimizer, 1).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
#[should_panic(expected = "derivatives of an optimiser that was made for 2")]
fn a_step_with_too_few_derivatives_is_misuse() {
    Descent::new(Optimizer::Plain, 2).unwrap().step(0.1, &mut [1.0, 2.0], &[1.0]);
}

#[test]
fn a_gradient_below_the_bound_is_left_as_it_is() {
    let mut gradient = [0.3, -0.4];
    assert_eq!(Clip::Norm(1.0).apply(&mut gradient), 0.5);
    Clip::Value(0.5).apply(&mut gradient);
    assert_eq!(gradient, [0.3, -0.4]);
}
