//! This project's crate: a tape cleared before each run; and the same with its operations on slices.

use tape::{Real, Var};

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, Reduce, add_weighted_by, implement_number};

implement_number!(Var, constant: Var::constant, |x| value: Var::value(x), exp: Var::exp(x), ln: Var::ln(x));

fn run<K: Kernel>(tape: &tape::Tape, kernel: &K, reduce: &impl Reduce<Var>) -> Outcome {
    tape.clear();
    let x = tape.vars_from(kernel.inputs());
    let result = kernel.evaluate(reduce, &x);
    let adjoints = tape.sweep(result);
    Outcome {
        value: result.value(),
        gradient: x.iter().map(|&x| adjoints.wrt(x)).collect(),
        nodes: Some(tape.len()),
    }
}

#[derive(Default)]
pub struct Tape {
    tape: tape::Tape,
}

impl Engine for Tape {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        run(&self.tape, kernel, &OneByOne)
    }
}

#[derive(Default)]
pub struct TapeFused {
    tape: tape::Tape,
}

impl Engine for TapeFused {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        run(&self.tape, kernel, &Fused { tape: &self.tape })
    }
}

/// Sums as one operation of few nodes, and sums of independent terms swept term by term.
struct Fused<'a> {
    tape: &'a tape::Tape,
}

impl Reduce<Var> for Fused<'_> {
    fn sum(&self, terms: &[Var]) -> Var {
        Real::sum(terms)
    }

    fn dot(&self, a: &[Var], b: &[Var]) -> Var {
        Real::dot(a, b)
    }

    fn add_weighted(&self, start: Var, weights: &[f64], terms: &[Var]) -> Var {
        if let (&[weight], &[term]) = (weights, terms) {
            // Two nodes of a sum and a product are no more than those of a custom operation.
            return start + weight * term;
        }
        let weighted_sum = |weights: &[f64], terms: &[Var]| {
            let value = weights.iter().zip(terms).map(|(weight, term)| weight * term.value()).sum();
            self.tape.custom(terms, value, weights)
        };
        add_weighted_by(weighted_sum, start, weights, terms)
    }

    fn log_sum_exp(&self, terms: &[Var]) -> Var {
        Real::log_sum_exp(terms)
    }

    fn sum_over(&self, count: usize, term: impl FnMut(usize) -> Var) -> Var {
        self.tape.sum_over(0..count, term)
    }
}
