//! This project's crate: its one-call gradient; and the same with its operations on slices.

use tape::{Real, Var};

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, Reduce, add_weighted_by, implement_elementary, implement_number};

implement_number!(Var, constant: |_, value| Var::constant(value), |x| value: Var::value(x), exp: Var::exp(x), ln: Var::ln(x));
implement_elementary!(
    Var, Real;
    lacks: &[],
    |x| recip: Real::recip(x), positive_part: Real::relu(x), erf: Real::erf(x), |bound| is_within: Real::abs(x) < bound
);

/// One call of [`tape::gradient`], on the tape that the thread keeps.
fn run<K: Kernel>(kernel: &K, reduce: &impl Reduce<Var>) -> Outcome {
    let (value, gradient) = tape::gradient(|x| kernel.evaluate(reduce, x), kernel.inputs());
    Outcome { value, gradient, nodes: None }
}

/// The nodes that a kernel leaves on a tape.
fn nodes<K: Kernel>(kernel: &K, reduce: &impl Reduce<Var>) -> usize {
    let tape = tape::Tape::new();
    kernel.evaluate(reduce, &tape.vars_from(kernel.inputs()));
    tape.len()
}

#[derive(Default)]
pub struct Tape {
    nodes: Option<usize>,
}

impl Engine for Tape {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let nodes = *self.nodes.get_or_insert_with(|| nodes(kernel, &OneByOne));
        Outcome { nodes: Some(nodes), ..run(kernel, &OneByOne) }
    }
}

#[derive(Default)]
pub struct TapeFused {
    nodes: Option<usize>,
}

impl Engine for TapeFused {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let nodes = *self.nodes.get_or_insert_with(|| nodes(kernel, &Fused));
        Outcome { nodes: Some(nodes), ..run(kernel, &Fused) }
    }
}

/// Sums as one operation of few nodes, and sums of independent terms swept term by term.
pub(super) struct Fused;

impl Reduce<Var> for Fused {
    fn sum(&self, terms: &[Var]) -> Var {
        Real::sum(terms)
    }

    fn dot(&self, a: &[Var], b: &[Var]) -> Var {
        Real::dot(a, b)
    }

    fn add_weighted(&self, start: Var, weights: &[f64], terms: &[Var]) -> Var {
        add_weighted_by(tape::weighted_sum, start, weights, terms)
    }

    fn log_sum_exp(&self, terms: &[Var]) -> Var {
        Real::log_sum_exp(terms)
    }

    fn sum_over(&self, count: usize, term: impl FnMut(usize) -> Var) -> Var {
        tape::sum_over(0..count, term)
    }
}
