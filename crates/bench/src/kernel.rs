//! The functions that every engine differentiates, each written once.

mod determinant;
mod gaussian_mixture;
mod least_squares;
mod log_sum_exp;
mod runge_kutta;

pub use determinant::Determinant;
pub use gaussian_mixture::GaussianMixture;
pub use least_squares::LeastSquares;
pub use log_sum_exp::LogSumExp;
pub use runge_kutta::RungeKutta;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::number::{Number, Reduce};

/// A function of many numbers with one result, and the point to differentiate it at.
pub trait Kernel {
    /// The point.
    fn inputs(&self) -> &[f64];
    /// The function.
    fn evaluate<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N]) -> N;

    /// Of a function that is a sum over rows of data: the rows, in one piece, and how many numbers each has.
    fn rows(&self) -> Option<(&[f64], usize)> {
        None
    }

    /// The term of one row.
    fn term<N: Number>(&self, _reduce: &impl Reduce<N>, _x: &[N], _row: &[N]) -> N {
        unimplemented!("the function is no sum over rows")
    }
}

/// The generator behind every kernel's data: the same numbers in every run.
pub fn generator() -> StdRng {
    StdRng::seed_from_u64(31_337)
}

/// `count` numbers, uniform in [0, 1).
fn uniform(count: usize) -> Vec<f64> {
    use rand::Rng;
    generator().random_iter().take(count).collect()
}
