//! Every rule of the tables holds, and is applied.

use std::collections::HashSet;

use super::random::SPECIAL;
use super::{agree, duals, same_bits};
use crate::program::graph::builder::{Passes, rebuilt};
use crate::program::graph::drop_dead_code::drop_dead_code;
use crate::program::graph::simplify::{EXACT, Pattern, RELAXED, Rewrites, parse};
use crate::program::graph::{Graph, Id};

/// The graph of a pattern, its letters the inputs.
fn graph_of(text: &str, power: f64) -> Graph {
    let mut graph = Graph::new(LETTERS.len());
    let root = push(&mut graph, &parse(text), power);
    graph.outputs = vec![root];
    graph
}

const LETTERS: [char; 3] = ['x', 'y', 'c'];

/// Appends a pattern as it is written: nothing is folded.
fn push(graph: &mut Graph, pattern: &Pattern, power: f64) -> Id {
    match pattern {
        Pattern::Any('2') => graph.constant(power),
        Pattern::Any(letter) => {
            let input = LETTERS.iter().position(|other| other == letter);
            Id(input.expect("a letter of LETTERS") as u32)
        }
        Pattern::Constant(value) => graph.constant(*value),
        Pattern::Operation(op, operands) => {
            let operands: Vec<Id> =
                operands.iter().map(|operand| push(graph, operand, power)).collect();
            graph.push(*op, &operands)
        }
    }
}

#[test]
fn exact_rules_change_neither_values_nor_derivatives() {
    for &(left, right) in EXACT {
        for power in [2.0, 0.5, -8.0, 2.0_f64.powi(1000), 2.0_f64.powi(-1000)] {
            let [before, after] = [left, right].map(|text| graph_of(text, power));
            for x in SPECIAL {
                for y in SPECIAL {
                    for c in [1.0, -1.0, f64::NAN] {
                        let x = [x, y, c];
                        for input in 0..x.len() {
                            let [a, b] = [&before, &after]
                                .map(|graph| duals(graph, &x, input)[graph.outputs[0].index()]);
                            assert!(
                                same_bits(a.value, b.value),
                                "{left} is {}, and {right} is {} at {x:?}",
                                a.value,
                                b.value
                            );
                            assert!(
                                agree(a.tangent, b.tangent, a.tangent.abs(), 1e-14),
                                "∂{left} is {:e}, and ∂{right} is {:e} at {x:?}",
                                a.tangent,
                                b.tangent
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn relaxed_rules_hold_for_ordinary_numbers() {
    for &(left, right) in RELAXED {
        let [before, after] = [left, right].map(|text| graph_of(text, 2.0));
        for x in [0.3, 0.7, 1.0, 2.5] {
            for y in [0.4, 1.0, 1.7] {
                let x = [x, y, 1.0];
                for input in 0..x.len() {
                    let [a, b] = [&before, &after]
                        .map(|graph| duals(graph, &x, input)[graph.outputs[0].index()]);
                    let is_same = agree(a.value, b.value, a.value.abs().max(1.0), 1e-15)
                        && agree(a.tangent, b.tangent, a.tangent.abs().max(1.0), 1e-14);
                    assert!(is_same, "{left} is {a}, and {right} is {b} at {x:?}");
                }
            }
        }
    }
}

/// What each pattern becomes, written with inputs in place of letters.
#[derive(Default)]
struct Theorems {
    applied: HashSet<String>,
}

impl Theorems {
    #[track_caller]
    fn check(&mut self, rewrites: Rewrites, left: &str, right: &str) {
        let [before, expected] = [left, right].map(|text| graph_of(&lettered(text), 2.0));
        let simplified = drop_dead_code(&rebuilt(&before, Passes::Simplify(rewrites)));
        assert_eq!(simplified.to_string(), expected.to_string(), "{left} → {right}");
        self.applied.insert(left.to_owned());
    }
}

/// Letters get the question marks of the tables.
fn lettered(text: &str) -> String {
    let word = |word: &str| match word.trim_end_matches(')') {
        "x" | "y" | "c" => format!("?{word}"),
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_exact_rule_is_applied() {
    let mut theorems = Theorems::default();
    let mut check = |left, right| theorems.check(Rewrites::Exact, left, right);
    check("(mul x 1)", "x");
    check("(mul 1 x)", "x");
    check("(mul x -1)", "(neg x)");
    check("(mul -1 x)", "(neg x)");
    check("(div x 1)", "x");
    check("(div x -1)", "(neg x)");
    check("(div 1 x)", "(recip x)");
    check("(div x 4)", "(mul x 0.25)");
    check("(add x -0)", "x");
    check("(add -0 x)", "x");
    check("(sub x 0)", "x");
    check("(sub -0 x)", "(neg x)");
    check("(neg (neg x))", "x");
    check("(add x (neg y))", "(sub x y)");
    check("(add (neg x) y)", "(sub y x)");
    check("(sub x (neg y))", "(add x y)");
    check("(mul (neg x) (neg y))", "(mul x y)");
    check("(div (neg x) (neg y))", "(div x y)");
    check("(abs (neg x))", "(abs x)");
    check("(abs (abs x))", "(abs x)");
    check("(floor (floor x))", "(floor x)");
    check("(ceil (ceil x))", "(ceil x)");
    check("(round (round x))", "(round x)");
    check("(trunc (trunc x))", "(trunc x)");
    check("(relu (relu x))", "(relu x)");
    check("(max x x)", "x");
    check("(min x x)", "x");
    check("(select c x x)", "x");
    check("(powi x 1)", "x");
    check("(powi x 2)", "(mul x x)");
    check("(powi x -1)", "(recip x)");
    check("(powf x 1)", "x");
    check("(chain x 1)", "x");
    check("(chain 1 x)", "x");
    check("(chain x -1)", "(neg x)");
    check("(chain -1 x)", "(neg x)");
    check("(cofactor x x)", "x");
    assert_all_applied(EXACT, &theorems);

    // And what must stay as it is.
    check_unchanged("(add x 0)");
    check_unchanged("(sub 0 x)");
    check_unchanged("(mul x 0)");
    check_unchanged("(chain x 0)");
    check_unchanged("(cofactor x y)");
    check_unchanged("(sub x x)");
    check_unchanged("(div x x)");
    check_unchanged("(div x 3)");
    check_unchanged("(max x y)");
    check_unchanged("(powi x 3)");
    check_unchanged("(powf x 2)");
    check_unchanged("(exp (ln x))");
}

#[test]
fn every_relaxed_rule_is_applied() {
    let mut theorems = Theorems::default();
    let mut check = |left, right| theorems.check(Rewrites::Relaxed, left, right);
    check("(add x 0)", "x");
    check("(add 0 x)", "x");
    check("(sub 0 x)", "(neg x)");
    check("(sub x x)", "0");
    check("(mul x 0)", "0");
    check("(mul 0 x)", "0");
    check("(chain x 0)", "0");
    check("(chain 0 x)", "0");
    check("(div x x)", "1");
    check("(powf x 2)", "(mul x x)");
    check("(powf x 0.5)", "(sqrt x)");
    check("(powf x -1)", "(recip x)");
    check("(exp (ln x))", "x");
    check("(ln (exp x))", "x");
    check("(mul (sqrt x) (sqrt x))", "x");
    check("(mul (exp x) (exp y))", "(exp (add x y))");
    check("(neg (sub x y))", "(sub y x)");
    assert_all_applied(RELAXED, &theorems);
}

/// The theorems name the rules by their left sides; a power of two is one of them.
#[track_caller]
fn assert_all_applied(table: &[(&str, &str)], theorems: &Theorems) {
    for (left, _) in table {
        let named = left.replace("?2", "4").replace('?', "");
        assert!(theorems.applied.contains(&named), "no theorem for the rule {left}");
    }
}

#[track_caller]
fn check_unchanged(text: &str) {
    Theorems::default().check(Rewrites::Exact, text, text);
}
