//! Optimisers, clipping, schedules, losses and layers against what PyTorch did: `tests/pytorch/record.py` recorded it.

use std::collections::HashMap;

use nn::{
    Clip, Dense, Descent, Dropout, Embedding, Layer, LayerNorm, Loss, Network, Optimizer, Samples,
    Schedule, Settings, Trainer, add_l2,
};
use serde::Deserialize;
use tape::{Matrix, Var};

#[derive(Deserialize)]
struct Recorded {
    optimizers: Vec<Steps>,
    clips: Vec<Clipped>,
    schedules: Vec<Planned>,
    losses: Vec<OneLoss>,
    layer_norms: Vec<Trained>,
    class_weights: Vec<Trained>,
    embeddings: Vec<Trained>,
    dropouts: Vec<Dropped>,
}

type Parameters = HashMap<String, Vec<f64>>;

/// Steps of a network, each on all rows.
#[derive(Deserialize)]
struct Trained {
    optimizer: Optimizer,
    rate: f64,
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
    /// Of the rows, if there are any.
    weights: Option<Vec<f64>>,
    start: Parameters,
    after: Vec<Parameters>,
}

#[derive(Deserialize)]
struct Dropped {
    share: f64,
    weights: Vec<Vec<f64>>,
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

fn network(inputs: usize, layers: impl IntoIterator<Item = Layer>, start: &Parameters) -> Network {
    let builder = Network::builder(inputs);
    let mut network = layers.into_iter().fold(builder, nn::NetworkBuilder::layer).build().unwrap();
    assert_eq!(network.parameters().len(), start.len());
    for (name, values) in start {
        network.set_parameter(name, values).unwrap();
    }
    network
}

fn matrix(rows: &[Vec<f64>]) -> Matrix<f64> {
    Matrix { rows: rows.len(), columns: rows[0].len(), data: rows.concat() }
}

impl Trained {
    /// Trains such a network, an epoch for each step, and compares all parameters after each.
    fn follow(&self, loss: Loss, layers: impl IntoIterator<Item = Layer>) {
        let (inputs, targets) = (matrix(&self.inputs), matrix(&self.targets));
        let settings = Settings {
            optimizer: self.optimizer,
            rate: self.rate,
            batch: inputs.rows,
            epochs: 0,
            ..Settings::default()
        };
        let network = network(inputs.columns, layers, &self.start);
        let mut trainer = Trainer::new(network, loss, settings).unwrap();
        trainer.set_weights(self.weights.clone()).unwrap();
        for (step, expected) in (1..).zip(&self.after) {
            trainer.set_epochs(step);
            trainer.train(Samples { inputs: &inputs, targets: &targets }).unwrap();
            for (name, parameter) in trainer.last().parameters() {
                for (found, expected) in parameter.values().iter().zip(&expected[name]) {
                    assert!(
                        (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                        "{:?}, step {step}, {name}: {found} against {expected}",
                        self.optimizer
                    );
                }
            }
        }
    }
}

fn tanh(outputs: usize) -> Layer {
    Dense::new(outputs, "tanh".parse().unwrap()).into()
}

#[test]
fn networks_with_a_layer_norm_take_pytorchs_steps() {
    let all = recorded().layer_norms;
    assert_eq!(all.len(), 2);
    for steps in all {
        steps.follow(Loss::MeanSquared, [tanh(4), LayerNorm.into(), Dense::linear(2).into()]);
    }
}

#[test]
fn rows_weighted_by_class_take_the_steps_of_pytorchs_class_weights() {
    let all = recorded().class_weights;
    assert_eq!(all.len(), 2);
    for steps in all {
        steps.follow(Loss::CrossEntropy, [tanh(4), Dense::linear(3).into()]);
    }
}

#[test]
fn embeddings_take_pytorchs_steps_by_sgd_and_sparse_adam() {
    let all = recorded().embeddings;
    assert_eq!(all.len(), 2);
    for steps in all {
        steps.follow(Loss::MeanSquared, [Embedding::new(4, 2).into(), Dense::linear(2).into()]);
    }
}

#[test]
fn what_is_dropped_and_what_is_left_are_pytorchs() {
    let all = recorded().dropouts;
    assert_eq!(all.len(), 3);
    let inputs = matrix(&[vec![3.0, -0.7]]);
    let targets = matrix(&[vec![-0.5]]);
    for Dropped { share, weights: expected } in all {
        let mut seen = vec![Vec::new(); 2];
        for seed in 0..100 {
            let layers = [Dropout::new(share).into(), Dense::linear(1).without_bias().into()];
            let start = Parameters::from([("layer2.weight".to_owned(), vec![0.0, 0.0])]);
            let settings = Settings {
                optimizer: Optimizer::Plain,
                rate: 1.0,
                epochs: 1,
                seed,
                ..Settings::default()
            };
            let network = network(2, layers, &start);
            let mut trainer = Trainer::new(network, Loss::MeanSquared, settings).unwrap();
            trainer.train(Samples { inputs: &inputs, targets: &targets }).unwrap();
            let weights = trainer.last().parameters()["layer2.weight"].values();
            seen.iter_mut().zip(weights).for_each(|(seen, &weight)| seen.push(weight));
        }
        for (seen, expected) in seen.iter_mut().zip(&expected) {
            seen.sort_by(f64::total_cmp);
            seen.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
            let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            assert!(
                seen.len() == expected.len() && seen.iter().zip(expected).all(is_near),
                "a share of {share}: {seen:?} against {expected:?}"
            );
        }
    }
}
