//! What the partials of an operation are said not to read may hold anything when the sweep comes.

use proptest::prelude::*;

use super::random::config;
use super::same_bits;
use crate::op::Op;
use crate::program::code::NONE;
use crate::program::code::schedule::{reads, schedule};
use crate::program::graph::{Graph, Id};
use crate::program::machine::Replay;
use crate::program::machine::slots::Slots;

/// The adjoints of an operation's operands after a sweep whose values were spoilt first, as far as they are said to be
/// unread.
fn adjoints(op: Op, operands: &[f64], poison: Option<f64>, by_the_rules: bool) -> Vec<f64> {
    let is_integer = |position| op.takes_integer() && position == 1;
    let mut graph = Graph::new(operands.len());
    let ids: Vec<Id> = (0..operands.len())
        .map(|position| {
            if is_integer(position) {
                graph.constant(operands[position])
            } else {
                Id(position as u32)
            }
        })
        .collect();
    let result = graph.push(op, &ids);
    graph.outputs = vec![result];
    let code = schedule(&graph, |_| true).unwrap();
    let mut slots: Slots<f64> = Slots::new(&code);
    Replay::new(&code, &mut slots).at(operands.iter().copied());
    if let Some(poison) = poison {
        let reads = reads(op);
        if !reads.operands {
            slots.values[..operands.len()].fill(poison);
        }
        if !reads.result {
            slots.values[code.outputs[0].value as usize] = poison;
        }
    }
    assert_ne!(code.outputs[0].adjoint, NONE);
    slots.adjoints[code.outputs[0].adjoint as usize] = 1.5;
    Replay::new(&code, &mut slots).propagate(by_the_rules);
    slots.adjoints[..operands.len()].to_vec()
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn what_is_not_read_does_not_matter(
        numbers in prop::collection::vec(0.0_f64..1.0, 1..12),
        poison in prop::sample::select(vec![f64::NAN, f64::INFINITY, 0.0, -1e300, 12345.0]),
    ) {
        for op in Op::of_programs().filter(|op| !op.is_flat()) {
            let fewest = (1..=3).find(|&count| op.takes(count)).unwrap();
            let most = (1..=numbers.len()).rfind(|&count| op.takes(count)).unwrap_or(fewest);
            let numbers = numbers.iter().cycle().take(most);
            let operands: Vec<f64> = numbers
                .enumerate()
                .map(|(position, number)| {
                    let range = op.ranges().get(position).cloned().unwrap_or(-10.0..10.0);
                    range.start + (range.end - range.start) * number
                })
                .collect();
            for by_the_rules in [false, true] {
                let clean = adjoints(op, &operands, None, by_the_rules);
                let poisoned = adjoints(op, &operands, Some(poison), by_the_rules);
                let is_same = clean.iter().zip(&poisoned).all(|(&a, &b)| same_bits(a, b));
                prop_assert!(is_same, "{op:?} of {operands:?}: {clean:?} became {poisoned:?}");
            }
        }
    }
}
