//! The sweep's gradient against two simpler oracles: the chain rule written by hand, and central differences.

use nn::{Chain, Sample};
use proptest::prelude::*;

const SAMPLES: [Sample; 3] = [
    Sample { input: 3.0, target: 17.0 },
    Sample { input: 10.0, target: 200.0 },
    Sample { input: 7.0, target: -17.0 },
];

#[track_caller]
fn assert_close(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * a.abs().max(b.abs()).max(1e-3), "{a} is not {b}");
}

/// Without bias and activation ∂L/∂w is the mean of 2·(D − target) · A · (the product of all other weights).
fn by_hand(weights: &[f64], samples: &[Sample]) -> Vec<f64> {
    let product_without = |edge: usize| -> f64 {
        weights.iter().enumerate().filter(|&(other, _)| other != edge).map(|(_, w)| w).product()
    };
    let product: f64 = weights.iter().product();
    let common: f64 =
        samples.iter().map(|s| 2.0 * (product * s.input - s.target) * s.input).sum::<f64>();
    (0..weights.len()).map(|edge| common / samples.len() as f64 * product_without(edge)).collect()
}

/// Central differences of the loss by every weight, then by every bias.
fn by_differences(chain: &Chain, samples: &[Sample]) -> Vec<f64> {
    let difference = |value: f64, set: &dyn Fn(&mut Chain, f64)| {
        let step = 6e-6 * value.abs().max(1.0);
        let loss_at = |value| {
            let mut moved = chain.clone();
            set(&mut moved, value);
            moved.loss(samples).unwrap()
        };
        (loss_at(value + step) - loss_at(value - step)) / ((value + step) - (value - step))
    };
    let weights = chain.weights().iter().map(|(edge, &value)| {
        difference(value, &|moved, value| moved.set_weight(edge, value).unwrap())
    });
    let biases = chain.biases().iter().map(|(node, &value)| {
        difference(value, &|moved, value| moved.set_bias(node, value).unwrap())
    });
    weights.chain(biases).collect()
}

#[test]
fn the_issue_s_chain_has_the_gradient_of_its_chain_rule() {
    let (loss, gradient) = Chain::new().gradient(&SAMPLES[..1]).unwrap();
    assert_eq!(loss, 196.0);
    assert_eq!(gradient.to_string(), "ab = -84, bc = -84, cd = -84");
}

#[test]
fn the_gradient_is_the_mean_over_the_samples() {
    let chain = Chain::builder().seed(3).build().unwrap();
    let (_, all) = chain.gradient(&SAMPLES).unwrap();
    let mean =
        SAMPLES.map(|s| chain.gradient(&[s]).unwrap().1.weights["bc"]).iter().sum::<f64>() / 3.0;
    assert_close(all.weights["bc"], mean, 1e-14);
}

#[test]
fn the_loss_that_comes_with_the_gradient_is_the_loss() {
    let chain = Chain::builder().biases().seed(3).build().unwrap();
    assert_eq!(chain.gradient(&SAMPLES).unwrap().0, chain.loss(&SAMPLES).unwrap());
}

#[test]
fn the_gradient_has_the_parameters_names_in_their_order() {
    let chain = Chain::builder().bias("D").bias("B").build().unwrap();
    let (_, gradient) = chain.gradient(&SAMPLES).unwrap();
    assert!(gradient.weights.keys().eq(chain.weights().keys()));
    assert!(gradient.biases.keys().eq(["B", "D"]));
}

fn name(index: usize) -> String {
    format!("n{index}")
}

fn a_sample() -> impl Strategy<Value = Sample> {
    (-3.0..3.0, -3.0..3.0).prop_map(Sample::from)
}

proptest! {
    #[test]
    fn the_gradient_of_any_linear_chain_is_the_product_written_by_hand(
        weights in prop::collection::vec(-1.5..1.5, 1..30),
        samples in prop::collection::vec(a_sample(), 1..5),
    ) {
        let mut chain = Chain::builder().nodes((0..=weights.len()).map(name)).build().unwrap();
        for (edge, &weight) in chain.clone().weights().keys().zip(&weights) {
            chain.set_weight(edge, weight).unwrap();
        }
        let (_, gradient) = chain.gradient(&samples).unwrap();
        for (exact, by_hand) in gradient.values().zip(by_hand(&weights, &samples)) {
            assert_close(exact, by_hand, 1e-11);
        }
    }

    #[test]
    fn the_gradient_of_any_smooth_chain_is_that_of_central_differences(
        activations in prop::collection::vec(
            prop::sample::select(vec!["identity", "tanh", "sigmoid", "softplus", "sin", "silu"]), 1..8),
        seed in any::<u64>(),
        bias in -1.0..1.0,
        samples in prop::collection::vec(a_sample(), 1..5),
    ) {
        let mut builder = Chain::builder().nodes((0..=activations.len()).map(name)).biases().seed(seed);
        for (index, activation) in activations.iter().enumerate() {
            builder = builder.activation(name(index + 1), activation.parse().unwrap());
        }
        let mut chain = builder.build().unwrap();
        chain.set_bias("n1", bias).unwrap();
        let (_, gradient) = chain.gradient(&samples).unwrap();
        for (exact, numeric) in gradient.values().zip(by_differences(&chain, &samples)) {
            assert_close(exact, numeric, 1e-5);
        }
    }
}
