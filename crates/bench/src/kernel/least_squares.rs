//! A polynomial fitted to a step by least squares: cmpad's `llsq_obj`, GradBench's `llsq`.

use super::{Kernel, uniform};
use crate::number::{Number, Reduce};

/// ½·Σᵢ (sign tᵢ − Σⱼ xⱼ·tᵢʲ)² for n points tᵢ from −1 to 1, with respect to the m coefficients xⱼ.
pub struct LeastSquares {
    points: usize,
    coefficients: Vec<f64>,
}

impl LeastSquares {
    /// The fit at `points` points, of a polynomial with uniform coefficients.
    pub fn new(points: usize, coefficients: usize) -> Self {
        Self { points, coefficients: uniform(coefficients) }
    }

    fn position(&self, point: usize) -> f64 {
        2.0 * point as f64 / (self.points - 1) as f64 - 1.0
    }
}

impl Kernel for LeastSquares {
    fn inputs(&self) -> &[f64] {
        &self.coefficients
    }

    fn evaluate<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N]) -> N {
        let mut powers = vec![0.0; x.len() - 1];
        let squares = reduce.sum_over(self.points, |point| {
            let t = self.position(point);
            let mut power = 1.0;
            for slot in &mut powers {
                power *= t;
                *slot = power;
            }
            let step = if t == 0.0 { 0.0 } else { t.signum() };
            let residual = reduce.add_weighted(x[0], &powers, &x[1..]).offset(-step);
            residual * residual
        });
        squares.scale(0.5)
    }
}
