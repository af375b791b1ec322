//! Random graphs over every operation that a program can have, and points at which to compare them.

use core::fmt::{self, Debug};

use proptest::prelude::*;
use proptest::{collection, sample};

use crate::guard::{Comparison, Guard, Outcome};
use crate::op::Op;
use crate::program::graph::{Graph, Id};

/// This many cases, or more where the environment asks for it.
pub(super) fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { cases: default.cases.max(cases), ..default }
}

/// Numbers at which operations have corners: zeros, infinities, powers of two, the ends of the range.
pub(super) const SPECIAL: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    0.5,
    -0.25,
    8.0,
    3.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MAX,
    -f64::MAX,
    f64::MIN_POSITIVE,
    5e-324,
    -1e-310,
    1e-160,
    1e160,
    0.1,
    -1.5,
];

/// A random graph, and a point at which all its guards hold.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) graph: Graph,
    pub(super) x: Vec<f64>,
}

impl Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:?}:\n{}", self.x, self.graph)
    }
}

/// An operation before its operands are known.
#[derive(Clone, Debug)]
struct Draft {
    op: Op,
    operands: Vec<Operand>,
}

#[derive(Clone, Copy, Debug)]
enum Operand {
    /// A node this many before the last one.
    Back(usize),
    Constant(f64),
}

/// Graphs of up to this many operations, of one output or several, with guards.
pub(super) fn cases(operations: usize) -> impl Strategy<Value = Case> {
    let drafts = collection::vec(draft(), 1..=operations);
    let outputs = collection::vec(0_usize..12, 1..5);
    let comparison = sample::select(&[
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Equal,
        Comparison::Order,
        Comparison::IsNegative,
    ]);
    let guards = collection::vec((comparison, 0_usize..30, 0_usize..30), 0..3);
    (points(1..5), drafts, outputs, guards).prop_map(|(x, drafts, outputs, guards)| {
        let mut graph = Graph::new(x.len());
        for draft in drafts {
            push(&mut graph, &draft, &x);
        }
        graph.outputs = outputs.into_iter().map(|back| id(&graph, back)).collect();
        let values = graph.evaluate(&x);
        for (comparison, a, b) in guards {
            let operands = [id(&graph, a), id(&graph, b)];
            let [a, b] = operands.map(|id| values[id.index()]);
            graph.guards.push(Guard { comparison, operands, outcome: comparison.of(a, b) });
        }
        Case { graph, x }
    })
}

/// A number of numbers, some of them special.
pub(super) fn points(count: core::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    collection::vec(number(), count)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![2 => -3.0..3.0, 1 => sample::select(SPECIAL.to_vec())]
}

fn draft() -> impl Strategy<Value = Draft> {
    // Few graphs of functions alone have a value that is a number.
    let arithmetic = vec![Op::Neg, Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Sum, Op::Dot];
    let op = prop_oneof![
        sample::select(arithmetic),
        sample::select(Op::of_programs().collect::<Vec<_>>()),
    ];
    let operand = prop_oneof![
        6 => (0_usize..12).prop_map(Operand::Back),
        1 => number().prop_map(Operand::Constant),
        1 => sample::select(SPECIAL[..8].to_vec()).prop_map(Operand::Constant),
    ];
    (op, collection::vec(operand, 1..=11)).prop_map(|(op, operands)| Draft { op, operands })
}

fn push(graph: &mut Graph, draft: &Draft, x: &[f64]) {
    let fewest = (1..=3).find(|&count| draft.op.takes(count)).unwrap_or(1);
    let most = (1..=draft.operands.len()).rfind(|&count| draft.op.takes(count));
    let drawn = draft.operands.iter().cycle().take(most.unwrap_or(fewest));
    let mut operands: Vec<Id> = drawn
        .map(|operand| match *operand {
            Operand::Back(back) => id(graph, back),
            Operand::Constant(value) => graph.constant(value),
        })
        .collect();
    if draft.op.takes_integer() {
        operands[1] = match draft.operands[draft.operands.len() - 1] {
            Operand::Back(back) => graph.constant(back as f64 - 4.0),
            Operand::Constant(value) => graph.constant(value),
        };
    }
    if draft.op == Op::Clamp {
        // As a trace does: beyond its guard, a clamp between bounds in the wrong order has no derivative.
        let values = graph.evaluate(x);
        if values[operands[1].index()] <= values[operands[2].index()] {
            let (comparison, outcome) = (Comparison::LessOrEqual, Outcome(1));
            let operands = [operands[1], operands[2]];
            graph.guards.push(Guard { comparison, operands, outcome });
        } else {
            operands[1] = graph.constant(-1.0);
            operands[2] = graph.constant(1.0);
        }
    }
    graph.push(draft.op, &operands);
}

fn id(graph: &Graph, back: usize) -> Id {
    Id((graph.len() - 1 - back % graph.len()) as u32)
}
