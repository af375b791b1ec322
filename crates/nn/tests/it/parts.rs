//! The parts of a training by themselves: losses and activations by all oracles, initialisers, schedules, optimisers.

use nn::{Activation, Clip, Decay, Descent, Error, Initializer, Loss, Optimizer, Schedule, dense};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tape::{Dual, Op, Real, Var, check};

/// Every optimiser, with its usual constants.
pub(crate) const OPTIMIZERS: [Optimizer; 6] = [
    Optimizer::Plain,
    Optimizer::MOMENTUM,
    Optimizer::NESTEROV,
    Optimizer::RMS_PROP,
    Optimizer::ADAM,
    Optimizer::ADAM_W,
];

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
        for &operation in Op::ALL.iter().filter(|operation| operation.arity() == Some(1)) {
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
fn a_sure_and_right_logit_keeps_the_digits_of_its_loss() {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs();
    for size in [0.1_f64, 1.0, 20.0, 36.0, 100.0, 700.0] {
        for (logit, target) in [(size, 1.0), (-size, 0.0)] {
            let x = [logit, target];
            let (value, gradient) = tape::gradient(|x| loss_at(Loss::BinaryCrossEntropy, x), &x);
            assert!(close(value, (-size).exp().ln_1p()), "{logit}, {target}: {value}");
            let wrong = -logit.signum() / (1.0 + size.exp());
            assert!(close(gradient[0], wrong), "{logit}, {target}: {}", gradient[0]);
        }
    }
}

#[test]
fn a_logit_of_0_has_the_derivative_one_half_less_the_target() {
    for target in [0.0, 0.3, 1.0] {
        let x = [0.0, target];
        let (value, gradient) = tape::gradient(|x| loss_at(Loss::BinaryCrossEntropy, x), &x);
        assert!((value - 2.0_f64.ln()).abs() < 1e-15);
        assert_eq!(gradient[0], 0.5 - target);
    }
}

proptest! {
    #[test]
    fn a_loss_of_a_row_replays_in_lanes_as_it_was_recorded(
        rows in prop::collection::vec(prop::collection::vec(-40.0..40.0, 3), 1..20),
        scale in 0.5..2.0,
    ) {
        // The engine must not have to choose a path: one program serves all rows, whatever their signs.
        let losses =
            [Loss::MeanSquared, Loss::MeanAbsolute, Loss::Huber { delta: 1.0 }, Loss::CrossEntropy, Loss::BinaryCrossEntropy];
        for loss in losses {
            let targets = [1.0, 0.0, 0.0];
            let of_row = |shared: &[Var], row: &[Var]| {
                let outputs: Vec<Var> = row.iter().map(|&x| shared[0] * x).collect();
                loss.apply(&outputs, &targets.map(Var::constant))
            };
            let batch = tape::Batch::trace(of_row, &[scale], &rows[0]).unwrap();
            let (value, gradient) = batch.gradient(&[scale], &rows.concat()[..]).unwrap();
            let one_by_one = |shared: &[Var]| {
                rows.iter().map(|row| {
                    let row: Vec<Var> = row.iter().map(|&x| Var::constant(x)).collect();
                    of_row(shared, &row)
                }).sum::<Var>()
            };
            let (expected, slope) = tape::gradient(one_by_one, &[scale]);
            prop_assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{loss}");
            prop_assert!((gradient[0] - slope[0]).abs() <= 1e-12 * expected.abs().max(slope[0].abs()).max(1.0), "{loss}");
        }
    }
}

#[test]
#[should_panic(expected = "a loss of no outputs")]
fn a_loss_of_no_outputs_is_misuse() {
    Loss::MeanSquared.apply::<f64>(&[], &[]);
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
        // The fourth moment tells the distributions apart: that of uniform numbers is 1.8 variances squared, of normal ones 3.
        let fourth = drawn.iter().map(|x| (x - mean).powi(4)).sum::<f64>() / COUNT as f64;
        let expected = if bound.is_some() { 1.8 } else { 3.0 };
        let found = fourth / (variance * variance);
        assert!((found - expected).abs() < 0.11, "{initializer:?}: {found}");
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
fn a_seed_has_the_same_numbers_on_every_machine() {
    let draw =
        |initializer: Initializer| initializer.draw(&mut ChaCha8Rng::seed_from_u64(1), 3, 2, 4);
    assert_eq!(
        draw(Initializer::GlorotUniform),
        [
            -0.213_643_206_763_633_71,
            -0.919_333_232_463_248_3,
            0.211_552_757_019_201_12,
            -0.614_929_034_424_993_9
        ]
    );
    assert_eq!(
        draw(Initializer::HeNormal),
        [
            -0.191_751_820_351_842_93,
            -1.151_927_828_861_197_2,
            0.271_916_737_320_871_85,
            -0.920_000_851_356_042_9
        ]
    );
}

#[test]
#[should_panic(expected = "an initialiser for a layer without inputs")]
fn an_initializer_without_inputs_is_misuse() {
    Initializer::HeNormal.draw(&mut ChaCha8Rng::seed_from_u64(1), 0, 1, 1);
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
fn settings_of_schedules_are_checked() {
    let step = |every, factor| Schedule { warm_up: 0.0, decay: Decay::Step { every, factor } };
    let cosine = |floor| Schedule { warm_up: 0.0, decay: Decay::Cosine { floor } };
    let warm = |warm_up| Schedule { warm_up, ..Schedule::default() };
    let factor = "the factor of a step of the rate cannot be";
    for (schedule, text) in [
        (warm(-1.0), "the warm-up cannot be -1: it must be finite and at least 0".to_owned()),
        (warm(f64::INFINITY), "the warm-up cannot be inf".to_owned()),
        (warm(f64::NAN), "the warm-up cannot be NaN".to_owned()),
        (
            step(0, 0.5),
            "the epochs of a step of the rate cannot be 0: it must be at least 1".into(),
        ),
        (step(1, 0.0), format!("{factor} 0: it must be above 0 and at most 1")),
        (step(1, 1.5), format!("{factor} 1.5")),
        (step(1, f64::NAN), format!("{factor} NaN")),
        (cosine(-0.1), "the cosine's floor cannot be -0.1: it must be between 0 and 1".into()),
        (cosine(1.1), "the cosine's floor cannot be 1.1".into()),
        (cosine(f64::NAN), "the cosine's floor cannot be NaN".into()),
    ] {
        let error = schedule.check().unwrap_err().to_string();
        assert!(error.starts_with(&text), "{error}");
    }
    for good in [warm(0.5), step(1, 1.0), cosine(0.0), cosine(1.0)] {
        assert_eq!(good.check(), Ok(()), "{good:?}");
    }
}

proptest! {
    #[test]
    fn a_factor_is_above_0_and_at_most_1_and_never_rises_after_the_warm_up(
        warm_up in prop::sample::select(vec![0.0, 0.3, 1.0, 2.5, 7.0]),
        decay in prop::sample::select(vec![
            Decay::Constant,
            Decay::Step { every: 2, factor: 0.7 },
            Decay::Cosine { floor: 0.05 },
        ]),
        steps_per_epoch in 1_usize..12,
        epochs in 1_usize..12,
    ) {
        let schedule = Schedule { warm_up, decay };
        let factors: Vec<f64> = (0..steps_per_epoch * epochs)
            .map(|step| schedule.factor(step, steps_per_epoch, epochs))
            .collect();
        prop_assert!(factors.iter().all(|&factor| factor > 0.0 && factor <= 1.0), "{factors:?}");
        let warm = (warm_up * steps_per_epoch as f64).ceil();
        for (step, pair) in factors.windows(2).enumerate() {
            let rising = ((step + 1) as f64) < warm;
            prop_assert!(if rising { pair[0] < pair[1] } else { pair[0] >= pair[1] }, "{step}: {factors:?}");
        }
    }
}

#[test]
fn an_optimizer_goes_on_from_what_it_remembers_to_the_bit() {
    for optimizer in OPTIMIZERS {
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
    let short = Descent::restore(Optimizer::ADAM, 2, 1, [vec![0.0; 1], vec![0.0; 2]]);
    assert_eq!(short.unwrap_err().to_string(), "the optimiser's means: 2 expected, 1 given");
    let foreign = Descent::restore(Optimizer::Plain, 1, 1, [vec![0.0], vec![]]);
    assert_eq!(foreign.unwrap_err().to_string(), "the optimiser's means: 0 expected, 1 given");
    let short = Descent::restore(Optimizer::ADAM, 2, 1, [vec![0.0; 2], vec![0.0; 1]]);
    assert_eq!(short.unwrap_err().to_string(), "the optimiser's squares: 2 expected, 1 given");
}

#[test]
fn a_count_of_steps_at_its_end_stays_there() {
    let moments = [vec![1.0], vec![4.0]];
    let mut descent = Descent::restore(Optimizer::ADAM, 1, u64::MAX, moments).unwrap();
    let mut p = [1.0];
    descent.step(0.1, &mut p, &[1.0]);
    assert_eq!(descent.steps(), u64::MAX);
    // After so many steps nothing is left of the bias: m = 1, v = 0.999·4 + 0.001.
    assert!((p[0] - (1.0 - 0.1 / 3.997_f64.sqrt())).abs() < 1e-9, "{}", p[0]);
}

#[test]
fn settings_of_optimizers_are_checked() {
    let adam = Optimizer::Adam { mean_decay: 0.9, square_decay: 1.0, epsilon: 1e-8 };
    let infinite = Optimizer::Adam { mean_decay: 0.9, square_decay: 0.9, epsilon: f64::INFINITY };
    for (optimizer, text) in [
        (adam, "Adam's decay of the square cannot be 1: it must be at least 0 and below 1"),
        (infinite, "Adam's epsilon cannot be inf"),
        (
            Optimizer::RmsProp { square_decay: 1.0, epsilon: 1e-8 },
            "RMSProp's decay of the square cannot be 1",
        ),
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
#[should_panic(expected = "parameters of an optimiser that was made for 2")]
fn a_step_with_too_few_parameters_is_misuse() {
    Descent::new(Optimizer::Plain, 2).unwrap().step(0.1, &mut [1.0], &[1.0, 2.0]);
}

#[test]
#[should_panic(expected = "parameters and derivatives")]
fn a_penalty_with_too_few_derivatives_is_misuse() {
    nn::add_l2(0.1, &[1.0, 2.0], &mut [1.0]);
}

proptest! {
    #[test]
    fn the_penalty_has_the_derivative_that_is_added(
        lambda in 0.0..2.0,
        p in prop::collection::vec(-3.0..3.0, 1..6),
    ) {
        let penalty = |p: &[Var]| Var::from(0.5 * lambda) * tape::dot(p, p);
        let (value, gradient) = tape::gradient(penalty, &p);
        let mut added = vec![0.0; p.len()];
        let found = nn::add_l2(lambda, &p, &mut added);
        prop_assert!((found - value).abs() <= 1e-14 * value.max(1.0));
        for (a, b) in added.iter().zip(&gradient) {
            prop_assert!((a - b).abs() <= 1e-14 * b.abs().max(1.0));
        }
    }
}

#[test]
fn exploding_derivatives_are_clipped_to_the_bound_and_keep_their_direction() {
    let mut gradient = [3e200, -4e200];
    let norm = Clip::Norm(5.0).apply(&mut gradient);
    assert!((norm / 5e200 - 1.0).abs() < 1e-14, "{norm}");
    assert!((gradient[0] - 3.0).abs() < 1e-14 && (gradient[1] + 4.0).abs() < 1e-14, "{gradient:?}");
}

#[test]
fn bounds_of_clipping_are_checked() {
    for bad in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let range = "it must be finite and greater than 0";
        let norm = Clip::Norm(bad).check().unwrap_err().to_string();
        assert_eq!(norm, format!("the norm to clip to cannot be {bad}: {range}"));
        let value = Clip::Value(bad).check().unwrap_err().to_string();
        assert_eq!(value, format!("the value to clip to cannot be {bad}: {range}"));
    }
}

#[test]
#[should_panic(expected = "the norm to clip to cannot be -1")]
fn to_clip_to_a_negative_norm_is_misuse() {
    Clip::Norm(-1.0).apply(&mut [1.0]);
}

#[test]
fn a_gradient_below_the_bound_is_left_as_it_is() {
    let mut gradient = [0.3, -0.4];
    assert_eq!(Clip::Norm(1.0).apply(&mut gradient), 0.5);
    Clip::Value(0.5).apply(&mut gradient);
    assert_eq!(gradient, [0.3, -0.4]);
}
