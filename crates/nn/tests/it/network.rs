//! Networks of layers: what is built, what is computed, and its derivatives.

use nn::{Activation, Dense, Error, Initializer, Loss, Network, Objective, Own, dense};
use proptest::prelude::*;
use tape::{Dual, Matrix, Op, Real, Var, check};

fn activation(name: &str) -> Activation {
    name.parse().expect("an activation")
}

fn matrix(rows: &[&[f64]]) -> Matrix<f64> {
    Matrix { rows: rows.len(), columns: rows[0].len(), data: rows.concat() }
}

#[test]
fn parameters_are_named_after_their_layers() {
    let network = Network::builder(4)
        .layer(Dense::new(3, activation("tanh")))
        .layer(Dense::linear(2).without_bias())
        .build()
        .unwrap();
    let shapes: Vec<(&str, &[usize])> =
        network.parameters().iter().map(|(name, own)| (name.as_str(), own.shape())).collect();
    assert_eq!(
        shapes,
        [("layer1.weight", &[3, 4][..]), ("layer1.bias", &[3]), ("layer2.weight", &[2, 3])]
    );
    assert_eq!((network.inputs(), network.outputs(), network.size()), (4, 2, 21));
    assert_eq!(
        network.to_string(),
        "4 inputs\nlayer1: dense, 3 outputs, tanh\nlayer2: dense, 2 outputs, identity\n21 parameters"
    );
}

#[test]
fn a_seed_determines_the_parameters() {
    let build = |seed| {
        let layer = Dense::new(5, activation("relu"));
        Network::builder(3).layer(layer).seed(seed).build().unwrap()
    };
    assert!(build(1).has_parameters_of(&build(1)));
    assert!(!build(1).has_parameters_of(&build(2)));
    assert!(build(1).parameters()["layer1.bias"].values().iter().all(|&bias| bias == 0.0));
}

#[test]
fn a_prediction_is_that_of_plain_numbers_to_the_bit() {
    let (first, last) = (Dense::new(7, activation("tanh")), Dense::linear(3));
    let network = Network::builder(5).layer(first).layer(last).seed(3).build().unwrap();
    let row = [0.3, -1.2, 0.0, 4.0, 1e-3];
    let values = |name: &str| network.parameters()[name].values();
    let hidden =
        dense(values("layer1.weight"), Some(values("layer1.bias")), &row, activation("tanh"));
    let expected =
        dense(values("layer2.weight"), Some(values("layer2.bias")), &hidden, Activation::Identity);
    assert_eq!(network.predict(&row).unwrap(), expected);
    let many = network.predict_rows([row; 5]).unwrap();
    for place in 0..15 {
        assert!((many.data[place] - expected[place % 3]).abs() < 1e-14);
    }
}

/// The loss of a network with one hidden layer, for any type of number: the parameters in the network's order.
fn loss_of<T: Real>(
    [inputs, hidden, outputs]: [usize; 3],
    activation: Activation,
    loss: Loss,
    parameters: &[T],
    row: &[f64],
    targets: &[f64],
) -> T {
    let numbers = |row: &[f64]| row.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
    let (w1, rest) = parameters.split_at(inputs * hidden);
    let (b1, rest) = rest.split_at(hidden);
    let (w2, b2) = rest.split_at(hidden * outputs);
    let between = dense(w1, Some(b1), &numbers(row), activation);
    loss.apply(&dense(w2, Some(b2), &between, Activation::Identity), &numbers(targets))
}

fn activations() -> Vec<Activation> {
    let all = Op::ALL.iter().filter(|operation| operation.arity() == Some(1));
    all.filter_map(|&operation| Activation::new(operation).ok()).collect()
}

const LOSSES: [Loss; 5] = [
    Loss::MeanSquared,
    Loss::MeanAbsolute,
    Loss::Huber { delta: 0.7 },
    Loss::CrossEntropy,
    Loss::BinaryCrossEntropy,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The batch's derivatives against forward mode and against numeric ones, for every activation and loss.
    #[test]
    fn a_networks_gradient_is_that_of_dual_numbers_and_of_differences(
        which in any::<prop::sample::Index>(),
        loss in prop::sample::select(&LOSSES[..]),
        seed in any::<u64>(),
        row in prop::collection::vec(0.1..0.9, 3),
        class in 0..2_usize,
    ) {
        let all = activations();
        let activation = all[which.index(all.len())];
        let widths = [3, 4, 2];
        let network = Network::builder(3)
            .layer(Dense::new(4, activation).initializer(Initializer::GlorotUniform))
            .layer(Dense::linear(2))
            .seed(seed)
            .build()
            .unwrap();
        let targets = [[1.0, 0.0], [0.0, 1.0]][class];
        let flat: Vec<f64> =
            network.parameters().values().flat_map(nn::Parameter::values).copied().collect();
        let value = loss_of(widths, activation, loss, &flat, &row, &targets);
        // Outside of an activation's domain there is nothing to differentiate.
        prop_assume!(value.is_finite());

        let (batch_value, gradient) =
            network.gradient(loss, &matrix(&[&row]), &matrix(&[&targets])).unwrap();
        prop_assert!((batch_value - value).abs() <= 1e-12 * value.abs().max(1.0));
        let gradient: Vec<f64> = gradient.values().flat_map(nn::Parameter::values).copied().collect();
        for (place, derivative) in gradient.into_iter().enumerate() {
            let duals: Vec<Dual> = flat
                .iter()
                .enumerate()
                .map(|(other, &x)| Dual::new(x, if other == place { 1.0 } else { 0.0 }))
                .collect();
            let tangent = loss_of(widths, activation, loss, &duals, &row, &targets).tangent;
            if tangent.is_finite() {
                prop_assert!(
                    (derivative - tangent).abs() <= 1e-10 * tangent.abs().max(1.0),
                    "{activation}, {loss}: {derivative} against {tangent}"
                );
            }
        }
        let verdict = check::gradient(
            |parameters: &[Var]| loss_of(widths, activation, loss, parameters, &row, &targets),
            &flat,
        );
        prop_assert!(!matches!(verdict, check::Verdict::Mismatch { .. }), "{verdict:?}");
    }
}

#[test]
fn a_mean_over_rows_is_the_mean_of_the_rows_gradients() {
    let network =
        Network::builder(2).layer(Dense::new(3, activation("tanh"))).layer(Dense::linear(1));
    let network = network.seed(5).build().unwrap();
    let (inputs, targets) = (matrix(&[&[0.1, 0.2], &[1.0, -1.0], &[0.5, 2.0]]), [1.0, 2.0, -1.0]);
    let of = |rows: &[usize]| {
        let rows_of = rows.iter().map(|&row| inputs.row(row)).collect::<Vec<_>>();
        let own = Matrix {
            rows: rows.len(),
            columns: 1,
            data: rows.iter().map(|&row| targets[row]).collect(),
        };
        network.gradient(Loss::MeanSquared, &matrix(&rows_of), &own).unwrap()
    };
    let (all, gradient) = of(&[0, 1, 2]);
    let singles = [of(&[0]), of(&[1]), of(&[2])];
    let mean: f64 = singles.iter().map(|(loss, _)| loss / 3.0).sum();
    assert!((all - mean).abs() < 1e-14);
    for (name, parameter) in &gradient {
        for (place, &derivative) in parameter.values().iter().enumerate() {
            let mean: f64 = singles.iter().map(|(_, own)| own[name].values()[place] / 3.0).sum();
            assert!((derivative - mean).abs() < 1e-13, "{name}");
        }
    }
}

/// A dense layer as a user would write it.
fn own_dense<T: Real>(parameters: &[T], inputs: &[T]) -> Vec<T> {
    let (weights, biases) = parameters.split_at(2 * inputs.len());
    let rows = weights.chunks_exact(inputs.len());
    rows.zip(biases).map(|(row, &bias)| (T::dot(row, inputs) + bias).tanh()).collect()
}

#[test]
fn a_layer_and_a_loss_of_the_users_own_are_like_those_of_the_crate() {
    let known = Network::builder(3).layer(Dense::new(2, activation("tanh"))).seed(1).build();
    let own = Own::new(own_dense).parameter("weight", &[2, 3], Initializer::Zeros).parameter(
        "bias",
        &[2],
        Initializer::Zeros,
    );
    let mut network = Network::builder(3).layer(own).build().unwrap();
    let known = known.unwrap();
    for (name, parameter) in known.parameters() {
        network.set_parameter(name, parameter.values()).unwrap();
    }
    assert_eq!(network.outputs(), 2);
    let squares = Objective::new("squares", |outputs: &[Var], targets: &[Var]| {
        let squares: Vec<Var> =
            outputs.iter().zip(targets).map(|(&y, &t)| (y - t) * (y - t)).collect();
        tape::sum(&squares) / 2.0
    });
    let (inputs, targets) = (matrix(&[&[1.0, 2.0, 3.0]]), matrix(&[&[0.5, -0.5]]));
    let (loss, gradient) = network.gradient(squares, &inputs, &targets).unwrap();
    let (expected, of_known) = known.gradient(Loss::MeanSquared, &inputs, &targets).unwrap();
    assert!((loss - expected).abs() < 1e-15);
    for (name, parameter) in &of_known {
        for (own, other) in gradient[name].values().iter().zip(parameter.values()) {
            assert!((own - other).abs() < 1e-14, "{name}");
        }
    }
}

#[test]
fn a_parameter_may_be_a_single_number() {
    let scaled = Own::new(|parameters: &[Var], inputs: &[Var]| vec![parameters[0] * inputs[0]]);
    let scaled = scaled.parameter("scale", &[], Initializer::Constant(3.0));
    let network = Network::builder(1).layer(scaled).build().unwrap();
    assert!(network.parameters()["layer1.scale"].shape().is_empty());
    assert_eq!(network.predict(&[2.0]).unwrap(), [6.0]);
}

#[test]
fn a_layer_may_branch_on_its_numbers() {
    let bent = Own::new(|_: &[Var], inputs: &[Var]| {
        vec![if inputs[0] > 1.0 { inputs[0] * 10.0 } else { -inputs[0] }]
    });
    let network = Network::builder(1).layer(bent).build().unwrap();
    let outputs = network.predict_rows([[0.5], [2.0], [0.25], [3.0]]).unwrap();
    assert_eq!(outputs.data, [-0.5, 20.0, -0.25, 30.0]);
}

#[test]
fn what_cannot_be_built_says_why() {
    let says = |network: Result<Network, Error>, text: &str| {
        assert_eq!(network.unwrap_err().to_string(), text);
    };
    says(Network::builder(3).build(), "a network needs at least one layer");
    says(
        Network::builder(0).layer(Dense::linear(1)).build(),
        "the input is empty: it needs at least one number",
    );
    says(
        Network::builder(2).layer(Dense::linear(3)).layer(Dense::linear(0)).build(),
        "layer2 is empty: it needs at least one number",
    );
    says(
        Network::builder(1 << 40).layer(Dense::linear(1 << 30)).build(),
        "layer1.weight of shape [1073741824, 1099511627776] is too large: a parameter has at most 2147483647 numbers",
    );
    let own = || Own::new(|_: &[Var], inputs: &[Var]| inputs.to_vec());
    says(
        Network::builder(2).layer(own().parameter("a", &[2, 0], Initializer::Zeros)).build(),
        "layer1.a is empty: it needs at least one number",
    );
    for name in ["", "a.b"] {
        says(
            Network::builder(2).layer(own().parameter(name, &[2], Initializer::Zeros)).build(),
            &format!(
                "{:?} cannot name a parameter: each of a layer needs a name of its own, not empty and without a dot",
                format!("layer1.{name}")
            ),
        );
    }
    let twice = own().parameter("a", &[1], Initializer::Zeros);
    let twice = twice.parameter("a", &[2], Initializer::Zeros);
    assert!(matches!(
        Network::builder(2).layer(twice).build(),
        Err(Error::ParameterName { name }) if name == "layer1.a"
    ));
    says(
        Network::builder(2).layer(Own::new(|_: &[Var], _: &[Var]| Vec::new())).build(),
        "layer1 is empty: it needs at least one number",
    );
}

#[test]
fn numbers_that_do_not_fit_are_refused_and_nothing_changes() {
    let mut network = Network::builder(2).layer(Dense::linear(1)).seed(1).build().unwrap();
    let before = network.clone();
    let says = |error: Error, text: &str| assert_eq!(error.to_string(), text);
    says(
        network.set_parameter("layer2.weight", &[1.0]).unwrap_err(),
        "the network has no parameter \"layer2.weight\": it has layer1.weight, layer1.bias",
    );
    says(
        network.set_parameter("layer1.weight", &[1.0]).unwrap_err(),
        "layer1.weight: 2 expected, 1 given",
    );
    says(
        network.set_parameter("layer1.bias", &[f64::NAN]).unwrap_err(),
        "layer1.bias cannot be NaN: weights and biases are finite",
    );
    assert!(network.has_parameters_of(&before));
    says(network.predict(&[1.0]).unwrap_err(), "the row: 2 expected, 1 given");
    assert!(matches!(network.predict_rows([[1.0]]), Err(Error::Engine(_))));
    let gradient = |inputs: &[&[f64]], targets: &[&[f64]]| {
        network.gradient(Loss::MeanSquared, &matrix(inputs), &matrix(targets)).unwrap_err()
    };
    says(gradient(&[&[1.0]], &[&[1.0]]), "the columns of the inputs: 2 expected, 1 given");
    says(
        gradient(&[&[1.0, 2.0]], &[&[1.0], &[2.0]]),
        "the rows of the targets: 1 expected, 2 given",
    );
    says(
        gradient(&[&[1.0, 2.0]], &[&[1.0, 2.0]]),
        "the columns of the targets: 1 expected, 2 given",
    );
    let none = Matrix { rows: 0, columns: 2, data: Vec::new() };
    let no_targets = Matrix { rows: 0, columns: 1, data: Vec::new() };
    assert_eq!(network.gradient(Loss::MeanSquared, &none, &no_targets), Err(Error::NoSamples));
}

/// What is wrong with a network of one layer, this function of one parameter and two inputs.
fn refusal(
    function: impl Fn(&[Var], &[Var]) -> Vec<Var> + Send + Sync + 'static,
) -> Option<String> {
    let own = Own::new(function).parameter("scale", &[1], Initializer::Constant(1.0));
    match Network::builder(2).layer(Dense::linear(2)).layer(own).build() {
        Ok(_) => None,
        Err(error @ Error::NotTraceable { .. }) => Some(error.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_layer_that_reads_a_number_is_refused() {
    let reads = "layer2 cannot be traced: it takes a number out of a variable";
    let said = refusal(|p, x| vec![p[0] * x[0].value() + x[1]]).unwrap();
    assert!(said.starts_with(reads), "{said}");
    let said = refusal(|p, x| vec![x[0] * p[0].value()]).unwrap();
    assert!(said.starts_with(reads), "{said}");
    let said = refusal(|p, x| vec![if x[0].value() > 0.5 { p[0] } else { x[1] }]).unwrap();
    assert!(said.starts_with(reads), "{said}");
}

#[test]
fn a_layer_that_changes_from_call_to_call_is_refused() {
    use core::sync::atomic::{AtomicU32, Ordering};
    let calls = AtomicU32::new(0);
    let count = move |p: &[Var], x: &[Var]| {
        vec![x[1], p[0] * x[0] * f64::from(calls.fetch_add(1, Ordering::Relaxed))]
    };
    let said = refusal(count).unwrap();
    assert!(said.contains("it gives other numbers than its trace"), "{said}");
}

#[test]
fn a_layer_may_branch_and_be_undefined_somewhere() {
    assert_eq!(refusal(|p, x| vec![if x[0] > 0.0 { p[0] * x[0] } else { 0.0 * x[1] }]), None);
    assert_eq!(refusal(|p, x| vec![if x[0] == 1.0 { p[0] } else { x[1] }]), None);
    assert_eq!(refusal(|p, x| vec![(-p[0]).sqrt(), x[0].ln(), x[0].floor() + x[1].signum()]), None);
}

#[test]
fn an_objective_may_read_targets_and_not_outputs() {
    let network = Network::builder(1).layer(Dense::linear(2)).build().unwrap();
    let one = |data: Vec<f64>| Matrix { rows: 1, columns: data.len(), data };
    let of_class = |outputs: &[Var], targets: &[Var]| {
        let logits = tape::log_sum_exp(outputs);
        #[expect(clippy::cast_sign_loss, reason = "a class")]
        let class = targets[0].value() as usize;
        logits - outputs[class]
    };
    let objective = Objective::new("of a class", of_class);
    assert!(network.gradient(objective, &one(vec![0.5]), &one(vec![1.0])).is_ok());
    let reads =
        Objective::new("reads", |outputs: &[Var], _: &[Var]| outputs[0] * outputs[1].value());
    let error = network.gradient(reads, &one(vec![0.5]), &one(vec![1.0])).unwrap_err();
    assert!(error.to_string().starts_with("the objective \"reads\" cannot be traced"), "{error}");
}
