//! The explanation's text, and that its numbers are the sweep's.

use nn::{Chain, Explanation, Sample};
use proptest::prelude::*;

const SAMPLE: Sample = Sample { input: 3.0, target: 17.0 };

/// Weights whose products can be checked by hand.
fn by_hand() -> Chain {
    let mut chain = Chain::new();
    for (edge, weight) in [("ab", 2.0), ("bc", -1.0), ("cd", 0.5)] {
        chain.set_weight(edge, weight).unwrap();
    }
    chain
}

#[test]
fn a_linear_chain_is_explained_in_symbols_and_numbers() {
    let golden = "\
Forward
  A = 3
  B = ab·A          = 2 × 3      = 6
  C = bc·B          = -1 × 6     = -6
  D = cd·C          = 0.5 × (-6) = -3
  L = (D - target)² = (-3 - 17)² = 400

Partials
  ∂L/∂D  = 2·(D - target) = -40
  ∂D/∂cd = C              = -6
  ∂D/∂C  = cd             = 0.5
  ∂C/∂bc = B              = 6
  ∂C/∂B  = bc             = -1
  ∂B/∂ab = A              = 3

Backward, last edge to first
  ∂L/∂cd = ∂L/∂D·∂D/∂cd               = -40 × (-6)            = 240
  ∂L/∂bc = [∂L/∂D·∂D/∂C]·∂C/∂bc       = [-40 × 0.5 = -20] × 6 = -120
  ∂L/∂ab = [∂L/∂D·∂D/∂C·∂C/∂B]·∂B/∂ab = [-20 × (-1) = 20] × 3 = 60

[ ] is the adjoint of the node at the edge's end. It is not computed again. It is that of the line before, times one factor.
Each × under Backward is one multiplication: 5. Each derivative multiplied out on its own: 6.";
    assert_eq!(by_hand().explain(SAMPLE).unwrap().to_string(), golden);
}

#[test]
fn bias_and_activation_are_explained_too() {
    let builder = Chain::builder().nodes(["input", "hidden", "output"]).biases();
    let mut chain = builder.activation("hidden", "relu".parse().unwrap()).build().unwrap();
    chain.set_bias("hidden", -2.0).unwrap();
    chain.set_bias("output", 0.25).unwrap();
    let golden = "\
Forward
  input  = 3
  hidden = relu((input->hidden)·input + hidden₀) = relu(1 × 3 + (-2)) = 1
  output = (hidden->output)·hidden + output₀     = 1 × 1 + 0.25       = 1.25
  L      = (output - target)²                    = (1.25 - 17)²       = 248.062

Partials
  ∂L/∂output                = 2·(output - target)                          = -31.5
  ∂output/∂(hidden->output) = hidden                                       = 1
  ∂output/∂output₀          = 1                                            = 1
  ∂output/∂hidden           = (hidden->output)                             = 1
  ∂hidden/∂(input->hidden)  = relu′((input->hidden)·input + hidden₀)·input = 3
  ∂hidden/∂hidden₀          = relu′((input->hidden)·input + hidden₀)       = 1

relu′ is the slope of relu at the number in parentheses.

Backward, last edge to first
  ∂L/∂(hidden->output) = ∂L/∂output·∂output/∂(hidden->output)                  = -31.5 × 1               = -31.5
  ∂L/∂output₀          = [∂L/∂output]·∂output/∂output₀                         = [-31.5] × 1             = -31.5
  ∂L/∂(input->hidden)  = [∂L/∂output·∂output/∂hidden]·∂hidden/∂(input->hidden) = [-31.5 × 1 = -31.5] × 3 = -94.5
  ∂L/∂hidden₀          = [∂L/∂output·∂output/∂hidden]·∂hidden/∂hidden₀         = [-31.5] × 1             = -31.5

[ ] is the adjoint of the node at the edge's end. It is not computed again. In the line of a weight it is that of the line before, times one factor. In the line of a bias, such as ∂L/∂output₀, it is the same as in the line before.
Each × under Backward is one multiplication: 5. Each derivative multiplied out on its own: 6.";
    assert_eq!(chain.explain(SAMPLE).unwrap().to_string(), golden);
}

/// As the brackets say: a weight's is that of the line before times a factor, a bias's the same.
#[test]
fn a_bracket_is_that_of_the_line_before_times_a_factor_or_for_a_bias_the_same() {
    let chain = Chain::builder().letters(5).unwrap().biases().seed(3).build().unwrap();
    let explanation = chain.explain(SAMPLE).unwrap();
    for two in explanation.terms.windows(2) {
        let is_bias = two[1].symbol.ends_with('₀');
        let factor = if is_bias { 1.0 } else { explanation.path[two[0].path_factors].value };
        assert_eq!(two[1].adjoint, two[0].adjoint * factor, "{}", two[1].symbol);
    }
    let text = explanation.to_string();
    assert!(text.contains("such as ∂L/∂e₀, it is the same as in the line before."), "{text}");
}

#[test]
fn the_slope_of_the_sine_is_explained_where_it_is_used() {
    let chain = Chain::builder().activation("B", "sin".parse().unwrap()).build().unwrap();
    let text = chain.explain(SAMPLE).unwrap().to_string();
    let slope =
        "sin′ is the slope of the sine at the number in parentheses: its cosine, in radians";
    assert_eq!(text.matches(slope).count(), 1, "{text}");
    assert!(!by_hand().explain(SAMPLE).unwrap().to_string().contains('′'));
}

fn alphabet() -> Explanation {
    Chain::builder().letters(26).unwrap().build().unwrap().explain(SAMPLE).unwrap()
}

#[test]
fn the_first_edge_of_the_alphabet_has_26_factors_of_which_25_are_reused() {
    let explanation = alphabet();
    let first = explanation.terms.last().unwrap();
    assert_eq!((first.symbol.as_str(), first.factors()), ("∂Loss/∂ab", 26));
    assert_eq!(first.reused_factors, 25);
}

#[test]
fn the_alphabet_s_long_products_are_cut_in_the_middle() {
    let backward = alphabet().backward();
    let first = backward.lines().last().unwrap();
    assert_eq!(
        first,
        "  ∂Loss/∂ab = [∂Loss/∂Z·∂Z/∂Y·…·∂C/∂B]·∂B/∂ab     = [-28 × 1 = -28] × 3 = -84"
    );
}

#[test]
fn every_multiplication_sign_of_the_backward_pass_is_one_that_is_counted() {
    let builder = Chain::builder().letters(6).unwrap();
    for chain in [builder.clone().build().unwrap(), builder.biases().build().unwrap()] {
        let explanation = chain.explain(SAMPLE).unwrap();
        let signs = explanation.backward().matches(" × ").count();
        assert_eq!(explanation.multiplications().sweep, signs);
    }
}

#[test]
fn n_edges_take_2n_minus_1_multiplications_by_the_sweep_and_n_times_n_plus_1_over_2_alone() {
    for n in 1..26 {
        let chain = Chain::builder().letters(n + 1).unwrap().build().unwrap();
        let count = chain.explain(SAMPLE).unwrap().multiplications();
        assert_eq!((count.sweep, count.alone), (2 * n - 1, n * (n + 1) / 2));
    }
}

#[test]
fn the_loss_is_called_l_unless_a_node_is() {
    assert!(by_hand().explain(SAMPLE).unwrap().forward().contains("L = (D - target)²"));
    assert!(alphabet().forward().contains("Loss = (Z - target)²"));
}

#[test]
fn a_negative_number_stands_in_parentheses_behind_a_sign() {
    let forward = by_hand().explain(Sample { input: -3.0, target: -17.0 }).unwrap().forward();
    assert!(forward.contains("2 × (-3)"), "{forward}");
    assert!(forward.contains("(3 - (-17))²"), "{forward}");
}

#[test]
fn a_chain_of_a_thousand_words_is_explained() {
    let names = (0..1_000).map(|i| format!("n{i}"));
    let chain = Chain::builder().nodes(names).build().unwrap();
    assert_eq!(chain.explain(SAMPLE).unwrap().backward().lines().count(), 999);
}

proptest! {
    #[test]
    fn the_printed_factors_multiply_to_the_sweep_s_derivatives(
        seed in any::<u64>(),
        activation in prop::sample::select(vec!["identity", "tanh", "sin", "silu", "softplus"]),
        sample in (-3.0..3.0, -3.0..3.0).prop_map(Sample::from),
    ) {
        let builder = Chain::builder().letters(7).unwrap().biases().seed(seed);
        let chain = builder.activation("C", activation.parse().unwrap()).build().unwrap();
        let explanation = chain.explain(sample).unwrap();
        let (loss, gradient) = chain.gradient(&[sample]).unwrap();

        assert_eq!(explanation.loss, loss);
        for term in &explanation.terms {
            let path = &explanation.path[..term.path_factors];
            let product = path.iter().map(|factor| factor.value).product::<f64>() * term.own.value;
            assert!((product - term.derivative).abs() <= 1e-13 * product.abs());
        }
        let mut explained: Vec<f64> = explanation.terms.iter().map(|term| term.derivative).collect();
        let mut swept: Vec<f64> = gradient.values().collect();
        explained.sort_by(f64::total_cmp);
        swept.sort_by(f64::total_cmp);
        assert_eq!(explained, swept);
    }
}
