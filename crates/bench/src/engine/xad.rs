//! xad-rs: `compute_gradient_rev_with` on a retained tape; and the same with its fused reductions.

use xad_rs::{AReal, Real, Tape, compute_gradient_rev_with, math};

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{
    OneByOne, Reduce, add_weighted_by, implement_elementary, implement_number, largest,
};

pub type Active = AReal<f64>;

implement_number!(Active, constant: |_, value| Active::new(value), |x| value: Active::value(&x), exp: Real::exp(&x), ln: Real::ln(&x));
implement_elementary!(
    Active, Real by &;
    lacks: &[],
    |x| recip: 1.0 / x, positive_part: Real::max(&x, &Active::new(0.0)), erf: Real::erf(&x)
);

fn run<K: Kernel>(tape: &mut Tape<f64>, kernel: &K, reduce: &impl Reduce<Active>) -> Outcome {
    let (value, gradient) =
        compute_gradient_rev_with(tape, kernel.inputs(), |x| kernel.evaluate(reduce, x));
    Outcome { value, gradient, nodes: Some(tape.num_statements()) }
}

pub struct Xad(Tape<f64>);

impl Default for Xad {
    fn default() -> Self {
        Self(Tape::new(true))
    }
}

impl Engine for Xad {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        run(&mut self.0, kernel, &OneByOne)
    }
}

pub struct XadFused(Tape<f64>);

impl Default for XadFused {
    fn default() -> Self {
        Self(Tape::new(true))
    }
}

impl Engine for XadFused {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        run(&mut self.0, kernel, &Fused)
    }
}

/// One statement for a whole sum.
struct Fused;

impl Reduce<Active> for Fused {
    fn sum(&self, terms: &[Active]) -> Active {
        math::ad::sum(terms)
    }

    fn dot(&self, a: &[Active], b: &[Active]) -> Active {
        math::ad::dot(a, b)
    }

    fn add_weighted(&self, start: Active, weights: &[f64], terms: &[Active]) -> Active {
        add_weighted_by(math::ad::weighted_sum, start, weights, terms)
    }

    fn log_sum_exp(&self, terms: &[Active]) -> Active {
        let largest = largest(terms);
        let exponentials: Vec<Active> =
            terms.iter().map(|&term| Real::exp(&(term - largest))).collect();
        math::ad::ln(&math::ad::sum(&exponentials)) + largest
    }
}
