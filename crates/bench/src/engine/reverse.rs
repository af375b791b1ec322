//! reverse: one tape, cleared before each run.

use reverse::{Gradient, Var};

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{Number, OneByOne};

impl Number for Var<'_> {
    #[inline]
    fn constant(beside: Self, value: f64) -> Self {
        beside.tape.add_var(value)
    }
    #[inline]
    fn value(self) -> f64 {
        self.val
    }
    #[inline]
    fn scale(self, factor: f64) -> Self {
        self * factor
    }
    #[inline]
    fn offset(self, constant: f64) -> Self {
        self + constant
    }
    #[inline]
    fn exp(self) -> Self {
        Var::exp(&self)
    }
    #[inline]
    fn ln(self) -> Self {
        Var::ln(&self)
    }
}

#[derive(Default)]
pub struct Reverse {
    tape: reverse::Tape,
}

impl Engine for Reverse {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        self.tape.clear();
        let x = self.tape.add_vars(kernel.inputs());
        let result = kernel.evaluate(&OneByOne, &x);
        let gradient = result.grad().wrt(&x);
        Outcome { value: result.val, gradient, nodes: Some(self.tape.len()) }
    }
}
