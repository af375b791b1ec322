//! A system of differential equations in the steps of the classical Runge–Kutta method: cmpad's `an_ode`,
//! GradBench's `ode`.

use super::{Kernel, uniform};
use crate::number::{Number, Reduce};

/// y₀′ = x₀ and yᵢ′ = xᵢ·yᵢ₋₁ with y(0) = 0, at time 2, with respect to x.
///
/// The result is the sum of all yᵢ. GradBench takes the last yᵢ, but an influence travels four places a step: with 100
/// steps it never gets from the first to the last of 1000, and the gradient is zero for any x.
pub struct RungeKutta {
    rates: Vec<f64>,
    steps: u16,
}

const END: f64 = 2.0;

impl RungeKutta {
    /// `equations` equations with uniform rates x, in `steps` steps.
    pub fn new(equations: usize, steps: u16) -> Self {
        Self { rates: uniform(equations), steps }
    }
}

impl Kernel for RungeKutta {
    fn inputs(&self) -> &[f64] {
        &self.rates
    }

    fn evaluate<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N]) -> N {
        let h = END / f64::from(self.steps);
        let weights = [h / 6.0, h / 3.0, h / 3.0, h / 6.0];
        let mut y = vec![N::constant(x[0], 0.0); x.len()];
        let mut between = y.clone();
        let mut slopes = [y.clone(), y.clone(), y.clone(), y.clone()];
        for _ in 0..self.steps {
            slope(x, &y, &mut slopes[0]);
            for (stage, part) in [(1, h / 2.0), (2, h / 2.0), (3, h)] {
                for ((between, &y), &k) in between.iter_mut().zip(&y).zip(&slopes[stage - 1]) {
                    *between = reduce.add_weighted(y, &[part], &[k]);
                }
                slope(x, &between, &mut slopes[stage]);
            }
            let [k1, k2, k3, k4] = &slopes;
            for ((((y, &k1), &k2), &k3), &k4) in y.iter_mut().zip(k1).zip(k2).zip(k3).zip(k4) {
                *y = reduce.add_weighted(*y, &weights, &[k1, k2, k3, k4]);
            }
        }
        reduce.sum(&y)
    }
}

/// y′ at y.
fn slope<N: Number>(x: &[N], y: &[N], slope: &mut [N]) {
    slope[0] = x[0];
    for ((slope, &x), &y) in slope[1..].iter_mut().zip(&x[1..]).zip(y) {
        *slope = x * y;
    }
}
