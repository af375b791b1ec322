//! The logarithm of a sum of exponentials: GradBench's `lse`.

use super::{Kernel, uniform};
use crate::number::{Number, Reduce};

/// ln Σ exp xᵢ.
pub struct LogSumExp {
    terms: Vec<f64>,
}

impl LogSumExp {
    /// `count` uniform terms.
    pub fn new(count: usize) -> Self {
        Self { terms: uniform(count) }
    }
}

impl Kernel for LogSumExp {
    fn inputs(&self) -> &[f64] {
        &self.terms
    }

    fn evaluate<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N]) -> N {
        reduce.log_sum_exp(x)
    }
}
