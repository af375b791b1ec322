//! What a chain is called, where it starts and what it predicts.

use nn::{Chain, Parameters};

fn check_edges(nodes: &[&str], edges: &[&str]) {
    let chain = Chain::builder().nodes(nodes.iter().copied()).build().unwrap();
    assert!(chain.weights().keys().eq(edges), "{:?}", chain.weights());
}

#[test]
fn the_default_is_a_b_c_d_with_every_weight_1() {
    let chain = Chain::new();
    assert!(chain.nodes().eq(["A", "B", "C", "D"]));
    assert_eq!(chain.parameters().to_string(), "ab = 1, bc = 1, cd = 1");
}

#[test]
fn letters_name_an_edge_without_separator() {
    check_edges(&["A", "B", "C", "D"], &["ab", "bc", "cd"]);
}

#[test]
fn letters_of_other_alphabets_do_too() {
    check_edges(&["Ω", "Σ", "я"], &["ωσ", "σя"]);
}

#[test]
fn words_name_an_edge_with_an_arrow() {
    check_edges(&["input", "h1", "output"], &["input->h1", "h1->output"]);
}

#[test]
fn letters_that_differ_in_case_only_keep_their_case() {
    check_edges(&["A", "b", "a", "B"], &["A->b", "b->a", "a->B"]);
}

#[test]
fn twenty_six_letters_have_twenty_five_edges() {
    let chain = Chain::builder().letters(26).unwrap().build().unwrap();
    assert_eq!(chain.weights().len(), 25);
    assert_eq!(chain.weights().last(), Some((&"yz".to_owned(), &1.0)));
}

#[test]
fn a_chain_of_ten_thousand_words_is_a_chain() {
    let names = (0..10_000).map(|i| format!("n{i}"));
    let chain = Chain::builder().nodes(names).build().unwrap();
    assert_eq!(chain.predict(0.25), 0.25);
}

#[test]
fn only_nodes_asked_for_have_a_bias() {
    let chain = Chain::builder().bias("C").build().unwrap();
    assert!(chain.biases().keys().eq(["C"]));
}

#[test]
fn biases_can_be_had_everywhere_but_at_the_input() {
    let chain = Chain::builder().biases().build().unwrap();
    assert!(chain.biases().keys().eq(["B", "C", "D"]));
}

#[test]
fn a_node_is_its_activation_of_weight_times_source_plus_bias() {
    let tanh = "tanh".parse().unwrap();
    let builder = Chain::builder().letters(2).unwrap().bias("B").activation("B", tanh);
    let mut chain = builder.build().unwrap();
    chain.set_weight("ab", 0.5).unwrap();
    chain.set_bias("B", -0.25).unwrap();
    assert_eq!(chain.predict(3.0), (0.5_f64 * 3.0 - 0.25).tanh());
}

fn start(seed: u64) -> Parameters {
    Chain::builder().biases().seed(seed).build().unwrap().parameters().clone()
}

#[test]
fn the_same_seed_starts_the_same() {
    assert_eq!(start(7), start(7));
}

#[test]
fn another_seed_starts_elsewhere() {
    assert_ne!(start(7), start(8));
}

/// The numbers are part of the contract: a seed means the same start on every machine and in every version.
#[test]
fn a_seed_means_the_same_start_everywhere() {
    assert_eq!(
        start(7).to_string(),
        "ab = 0.6577960970206194, bc = -1.2042761280364565, cd = 1.101259015284284, b₀ = 0, c₀ = 0, d₀ = 0"
    );
}

#[test]
fn drawn_weights_are_between_a_half_and_three_halves_in_magnitude() {
    let chain = Chain::builder().nodes((0..1000).map(|i| format!("n{i}"))).seed(1).build().unwrap();
    assert!(chain.weights().values().all(|weight| (0.5..1.5).contains(&weight.abs())));
}

#[test]
fn a_restart_is_a_start_with_that_seed() {
    let mut chain = Chain::builder().biases().build().unwrap();
    chain.set_bias("D", 3.0).unwrap();
    chain.restart(7);
    assert_eq!(*chain.parameters(), start(7));
}
