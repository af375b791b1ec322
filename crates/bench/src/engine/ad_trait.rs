//! `ad_trait`: its reverse-mode number on the thread's computation graph, which keeps its memory when reset.
//!
//! The graph is driven as `FunctionEngine` with `ReverseAD` drives it, without the matrix that this builds of the result.

use ad_trait::AD;
use ad_trait::nalgebra::ComplexField;
use ad_trait::reverse_ad::adr::{GlobalComputationGraph, adr};

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{Number, OneByOne};

impl Number for adr {
    #[inline]
    fn constant(_: Self, value: f64) -> Self {
        AD::constant(value)
    }
    #[inline]
    fn value(self) -> f64 {
        adr::value(&self)
    }
    #[inline]
    fn scale(self, factor: f64) -> Self {
        AD::mul_scalar(factor, self)
    }
    #[inline]
    fn offset(self, constant: f64) -> Self {
        AD::add_scalar(constant, self)
    }
    #[inline]
    fn exp(self) -> Self {
        ComplexField::exp(self)
    }
    #[inline]
    fn ln(self) -> Self {
        ComplexField::ln(self)
    }
}

#[derive(Default)]
pub struct AdTrait;

impl Engine for AdTrait {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        GlobalComputationGraph::get().reset();
        let x: Vec<adr> =
            kernel.inputs().iter().map(|&input| adr::new_variable(input, false)).collect();
        let result = kernel.evaluate(&OneByOne, &x);
        let adjoints = result.get_backwards_mode_grad();
        Outcome {
            value: result.value(),
            gradient: x.iter().map(|x| adjoints.wrt(x)).collect(),
            nodes: Some(GlobalComputationGraph::get().num_nodes()),
        }
    }
}
