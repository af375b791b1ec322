//! A polynomial fitted to a step by least squares: cmpad's `llsq_obj`, GradBench's `llsq`.

use super::{Kernel, uniform};
use crate::number::{Number, Reduce};

/// ½·Σᵢ (sign tᵢ − Σⱼ xⱼ·tᵢʲ)² for n points tᵢ from −1 to 1, with respect to the m coefficients xⱼ.
pub struct LeastSquares {
    points: usize,
    coefficients: Vec<f64>,
    /// The points and their steps, for those who take them as rows.
    rows: Vec<f64>,
}

impl LeastSquares {
    /// The fit at `points` points, of a polynomial with uniform coefficients.
    pub fn new(points: usize, coefficients: usize) -> Self {
        let mut fit = Self { points, coefficients: uniform(coefficients), rows: Vec::new() };
        fit.rows = (0..points)
            .flat_map(|point| [fit.position(point), step(fit.position(point))])
            .collect();
        fit
    }

    fn position(&self, point: usize) -> f64 {
        2.0 * point as f64 / (self.points - 1) as f64 - 1.0
    }
}

impl Kernel for LeastSquares {
    fn inputs(&self) -> &[f64] {
        &self.coefficients
    }

    fn rows(&self) -> Option<(&[f64], usize)> {
        Some((&self.rows, 2))
    }

    /// By the powers of t, as the function itself.
    fn term<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N], row: &[N]) -> N {
        let &[t, step] = row else { unreachable!("a row is a point and its step") };
        let mut powers = vec![t];
        for _ in 2..x.len() {
            powers.push(powers[powers.len() - 1] * t);
        }
        let residual = x[0] + reduce.dot(&x[1..], &powers) - step;
        (residual * residual).scale(0.5)
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
            let residual = reduce.add_weighted(x[0], &powers, &x[1..]).offset(-step(t));
            residual * residual
        });
        squares.scale(0.5)
    }
}

/// The sign of t, which is fitted.
fn step(t: f64) -> f64 {
    if t == 0.0 { 0.0 } else { t.signum() }
}
