//! Optimisers, clipping, schedules and losses against what PyTorch did: `tests/pytorch/record.py` recorded it.

use nn::{Clip, Descent, Loss, Optimizer, Schedule, add_l2};
use serde::Deserialize;
use tape::Var;

#[derive(Deserialize)]
struct Recorded {
    optimizers: Vec<Steps>,
    clips: Vec<Clipped>,
    schedules: Vec<Planned>,
    losses: Vec<OneLoss>,
}

#[derive(Deserialize)]
struct Steps {
    optimizer: Optimizer,
    l2: f64,
    #[serde(flatten)]
    trajectory: Trajectory,
}

#[derive(Deserialize)]
struct Clipped {
    clip: Clip,
    #[serde(flatten)]
    trajectory: Trajectory,
}

#[derive(Deserialize)]
struct Trajectory {
    rate: f64,
    start: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    parameters: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Planned {
    schedule: Schedule,
    steps_per_epoch: usize,
    rates: Vec<f64>,
}

#[derive(Deserialize)]
struct OneLoss {
    loss: String,
    outputs: Vec<f64>,
    targets: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("../pytorch/recorded.json")).unwrap()
}

impl Trajectory {
    /// Takes the steps of the trajectory from its start, and compares each. `prepare` changes the derivatives.
    fn follow(&self, optimizer: Optimizer, prepare: impl Fn(&[f64], &mut [f64])) {
        let mut parameters = self.start.clone();
        let mut descent = Descent::new(optimizer, parameters.len()).unwrap();
        for (step, (gradient, expected)) in self.gradients.iter().zip(&self.parameters).enumerate()
        {
            let mut gradient = gradient.clone();
            prepare(&parameters, &mut gradient);
            descent.step(self.rate, &mut parameters, &gradient);
            for (found, expected) in parameters.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-13 * expected.abs().max(1.0),
                    "{optimizer:?}, step {step}: {found} against {expected}"
                );
            }
        }
        assert_eq!(descent.steps(), self.gradients.len() as u64);
    }
}

#[test]
fn optimizers_take_pytorchs_steps() {
    let all = recorded().optimizers;
    assert_eq!(all.len(), 11);
    for Steps { optimizer, l2, trajectory } in all {
        trajectory.follow(optimizer, |parameters, gradient| {
            add_l2(l2, parameters, gradient);
        });
    }
}

#[test]
fn clipping_is_pytorchs() {
    let all = recorded().clips;
    assert_eq!(all.len(), 3);
    for Clipped { clip, trajectory } in all {
        trajectory.follow(Optimizer::Plain, |_, gradient| {
            clip.apply(gradient);
        });
    }
}

#[test]
fn schedules_are_pytorchs() {
    let all = recorded().schedules;
    assert_eq!(all.len(), 5);
    for Planned { schedule, steps_per_epoch, rates } in all {
        let epochs = rates.len() / steps_per_epoch;
        for (step, expected) in rates.iter().enumerate() {
            let found = schedule.factor(step, steps_per_epoch, epochs);
            assert!((found - expected).abs() < 1e-14, "{schedule:?}, {step}: {found}, {expected}");
        }
    }
}

#[test]
fn losses_and_their_gradients_are_pytorchs_even_for_logits_of_1000() {
    let all = recorded().losses;
    assert_eq!(all.len(), 90);
    for OneLoss { loss, outputs, targets, value, gradient } in all {
        let which: Loss = loss.parse().unwrap();
        assert_eq!(which.to_string(), loss);
        let near = |found: f64, expected: f64| {
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs().max(1.0),
                "{loss} of {outputs:?} and {targets:?}: {found} against {expected}"
            );
        };
        near(which.apply(&outputs, &targets), value);
        let with_targets = |y: &[Var]| {
            let targets: Vec<Var> = targets.iter().map(|&t| Var::constant(t)).collect();
            which.apply(y, &targets)
        };
        let (_, found) = tape::gradient(with_targets, &outputs);
        for (found, expected) in found.iter().zip(&gradient) {
            near(*found, *expected);
        }
    }
}
