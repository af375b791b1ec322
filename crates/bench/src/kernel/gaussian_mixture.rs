//! The log posterior of a Gaussian mixture with a Wishart prior: `ADBench`'s and GradBench's `gmm`.
//!
//! Component k has the weight exp αₖ / Σ exp α, the mean μₖ, and the precision Qₖᵀ·Qₖ, where Qₖ is lower triangular
//! with the diagonal exp qₖ. For n points xᵢ of d numbers,
//!
//! log p = Σᵢ lseₖ(αₖ + Σ qₖ − ½‖Qₖ(xᵢ − μₖ)‖²) − n·(lse α + d/2·ln 2π)
//!       + Σₖ (m·Σ qₖ − ½γ²‖Qₖ‖²) + K·(ν·d·ln(γ/√2) − ln Γ(d; ν/2)),  ν = d + m + 1.

use std::f64::consts::{PI, TAU};

use rand::Rng;
use rand_distr::StandardNormal;

use super::{Kernel, generator};
use crate::number::{Number, Reduce};

/// The log posterior with respect to α (K), μ (K × d), and Q's parameters (K × d(d + 1)/2).
///
/// The parameters of one Q are its rows from top to bottom, each from the left to the diagonal, the diagonal as its
/// logarithm.
pub struct GaussianMixture {
    dimension: usize,
    components: usize,
    points: Vec<f64>,
    parameters: Vec<f64>,
}

/// The prior's additional degrees of freedom, m.
const DEGREES_OF_FREEDOM: usize = 0;
/// The prior's precision, γ.
const GAMMA: f64 = 1.0;

impl GaussianMixture {
    /// `count` points of `dimension` numbers from a normal distribution, `components` components around them.
    pub fn new(dimension: usize, components: usize, count: usize) -> Self {
        let mut generator = generator();
        let mut normal = |count: usize| -> Vec<f64> {
            (&mut generator).sample_iter(StandardNormal).take(count).collect()
        };
        let triangle = dimension * (dimension + 1) / 2;
        Self {
            dimension,
            components,
            points: normal(count * dimension),
            parameters: normal(components * (1 + dimension + triangle)),
        }
    }

    fn components<'a, N: Number>(
        &self,
        reduce: &impl Reduce<N>,
        x: &'a [N],
    ) -> Vec<Component<'a, N>> {
        let d = self.dimension;
        let (alphas, x) = x.split_at(self.components);
        let (means, factors) = x.split_at(self.components * d);
        alphas
            .iter()
            .zip(means.chunks_exact(d))
            .zip(factors.chunks_exact(d * (d + 1) / 2))
            .map(|((&alpha, mean), factor)| Component::new(reduce, alpha, mean, factor))
            .collect()
    }

    /// The terms that no point moves.
    fn shared<N: Number>(
        &self,
        reduce: &impl Reduce<N>,
        alphas: &[N],
        components: &[Component<N>],
    ) -> N {
        let count = (self.points.len() / self.dimension) as f64;
        let priors: Vec<N> =
            components.iter().map(|component| component.log_prior(reduce)).collect();
        reduce.log_sum_exp(alphas).scale(-count) + reduce.sum(&priors).offset(self.constant())
    }

    /// The terms that no parameter moves.
    fn constant(&self) -> f64 {
        let d = self.dimension as f64;
        let degrees = d + DEGREES_OF_FREEDOM as f64 + 1.0;
        let prior = degrees * d * (GAMMA / 2.0_f64.sqrt()).ln()
            - ln_multivariate_gamma(degrees / 2.0, self.dimension);
        let count = (self.points.len() / self.dimension) as f64;
        self.components as f64 * prior - count * d / 2.0 * TAU.ln()
    }
}

impl Kernel for GaussianMixture {
    fn inputs(&self) -> &[f64] {
        &self.parameters
    }

    fn rows(&self) -> Option<(&[f64], usize)> {
        Some((&self.points, self.dimension))
    }

    /// A point's likelihood, and its share of what is the same for all.
    fn term<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N], row: &[N]) -> N {
        let d = self.dimension;
        let components = self.components(reduce, x);
        let mut centred = vec![x[0]; d];
        let mut whitened = vec![x[0]; d];
        let mut exponents = vec![x[0]; self.components];
        for (exponent, component) in exponents.iter_mut().zip(&components) {
            for ((centred, &mean), &x) in centred.iter_mut().zip(component.mean).zip(row) {
                *centred = mean - x;
            }
            *exponent = component.exponent_of(reduce, &centred, &mut whitened);
        }
        let count = (self.points.len() / d) as f64;
        reduce.log_sum_exp(&exponents)
            + self.shared(reduce, &x[..self.components], &components).scale(1.0 / count)
    }

    fn evaluate<N: Number>(&self, reduce: &impl Reduce<N>, x: &[N]) -> N {
        let d = self.dimension;
        let components = self.components(reduce, x);
        let mut centred = vec![x[0]; d];
        let mut whitened = vec![x[0]; d];
        let mut exponents = vec![x[0]; self.components];
        let count = self.points.len() / d;
        let likelihood = reduce.sum_over(count, |point| {
            let point = &self.points[point * d..][..d];
            for (exponent, component) in exponents.iter_mut().zip(&components) {
                *exponent = component.exponent(reduce, point, &mut centred, &mut whitened);
            }
            reduce.log_sum_exp(&exponents)
        });

        likelihood + self.shared(reduce, &x[..self.components], &components)
    }
}

/// What the points share of one component.
struct Component<'a, N> {
    mean: &'a [N],
    /// Q, its rows in one piece.
    factor: Vec<N>,
    /// Σ q, the logarithm of Q's determinant.
    ln_determinant: N,
    /// α + Σ q.
    weight: N,
}

impl<'a, N: Number> Component<'a, N> {
    fn new(reduce: &impl Reduce<N>, alpha: N, mean: &'a [N], parameters: &[N]) -> Self {
        let mut factor = parameters.to_vec();
        let mut logarithms = mean.to_vec();
        for (row, logarithm) in logarithms.iter_mut().enumerate() {
            let diagonal = row_start(row + 1) - 1;
            *logarithm = parameters[diagonal];
            factor[diagonal] = parameters[diagonal].exp();
        }
        let ln_determinant = reduce.sum(&logarithms);
        Self { mean, factor, ln_determinant, weight: alpha + ln_determinant }
    }

    /// α + Σ q − ½‖Q(x − μ)‖²; the two slices are room to work in.
    fn exponent(
        &self,
        reduce: &impl Reduce<N>,
        point: &[f64],
        centred: &mut [N],
        whitened: &mut [N],
    ) -> N {
        for ((centred, &x), mean) in centred.iter_mut().zip(point).zip(self.mean) {
            // μ − x serves as well: only its square counts.
            *centred = mean.offset(-x);
        }
        self.exponent_of(reduce, centred, whitened)
    }

    /// The same of a point from which μ has been subtracted.
    fn exponent_of(&self, reduce: &impl Reduce<N>, centred: &[N], whitened: &mut [N]) -> N {
        for (row, whitened) in whitened.iter_mut().enumerate() {
            let factors = &self.factor[row_start(row)..row_start(row + 1)];
            *whitened = reduce.dot(factors, &centred[..=row]);
        }
        reduce.add_weighted(self.weight, &[-0.5], &[reduce.dot(whitened, whitened)])
    }

    /// m·Σ q − ½γ²‖Q‖².
    fn log_prior(&self, reduce: &impl Reduce<N>) -> N {
        let squares = reduce.dot(&self.factor, &self.factor).scale(-0.5 * GAMMA * GAMMA);
        reduce.add_weighted(squares, &[DEGREES_OF_FREEDOM as f64], &[self.ln_determinant])
    }
}

/// Where a row of a packed lower triangle starts.
fn row_start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// ln Γ(p; a) = p(p − 1)/4·ln π + Σⱼ ln Γ(a − j/2), j from 0 to p − 1.
fn ln_multivariate_gamma(a: f64, p: usize) -> f64 {
    let gammas: f64 = (0..p).map(|j| libm::lgamma(a - j as f64 / 2.0)).sum();
    (p * (p - 1)) as f64 / 4.0 * PI.ln() + gammas
}
