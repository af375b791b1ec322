//! `gmm`: the log posterior of a Gaussian mixture with a Wishart prior.
//!
//! Component k has the weight exp αₖ / Σ exp α, the mean μₖ, and the precision matrix Qₖᵀ·Qₖ, where Qₖ is lower
//! triangular with the diagonal exp qₖ and lₖ below it, column by column. For N points xᵢ of D numbers,
//!
//! log p = Σᵢ lseₖ(αₖ + Σ qₖ − ½‖Qₖ(xᵢ − μₖ)‖²) − N·(lse α + D/2·ln 2π)
//!       + Σₖ (m·Σ qₖ − ½γ²‖Qₖ‖²) + K·(ν·D·ln(γ/√2) − ln Γ_D(ν/2)),  ν = D + m + 1.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};
use tape::{Batch, Real, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, assert_length, assert_some};
use crate::measure::measure;
use crate::rows::Rows;

pub(super) const MODULE: Module = Module {
    name: "gmm",
    functions: &[
        ("objective", |input| measure(input, Mixture::new, |mixture, _| Ok(mixture.objective()))),
        ("jacobian", |input| measure(input, Prepared::new, |prepared, _| prepared.jacobian())),
    ],
};

#[derive(Deserialize)]
struct Input {
    d: usize,
    k: usize,
    n: usize,
    x: Rows,
    m: u32,
    gamma: f64,
    alpha: Vec<f64>,
    mu: Rows,
    q: Rows,
    l: Rows,
}

#[derive(Default, Serialize)]
struct Gradient {
    alpha: Vec<f64>,
    mu: Rows,
    q: Rows,
    /// In one dimension, rows of nothing.
    l: Vec<Vec<f64>>,
}

struct Mixture {
    sizes: Sizes,
    points: Rows,
    /// Additional degrees of freedom of the prior, m.
    freedom: f64,
    /// Precision of the prior, γ.
    gamma: f64,
    /// α, μ, q, l, one after the other.
    parameters: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Sizes {
    dimension: usize,
    components: usize,
}

impl Sizes {
    /// How many numbers of a Q are below its diagonal.
    fn below(self) -> usize {
        self.dimension * (self.dimension - 1) / 2
    }

    /// α, μ, q and l.
    #[inline(always)]
    fn split<T>(self, parameters: &[T]) -> [&[T]; 4] {
        let (alpha, rest) = parameters.split_at(self.components);
        let (mu, rest) = rest.split_at(self.components * self.dimension);
        let (q, l) = rest.split_at(self.components * self.dimension);
        [alpha, mu, q, l]
    }
}

impl Mixture {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { d, k, n, x, m, gamma, alpha, mu, q, l } = input;
        assert_some("d", d)?;
        assert_some("k", k)?;
        assert_some("n", n)?;
        let sizes = Sizes { dimension: d, components: k };
        x.assert_size("x", n, d)?;
        assert_length("alpha", k, alpha.len())?;
        mu.assert_size("mu", k, d)?;
        q.assert_size("q", k, d)?;
        l.assert_size("l", k, sizes.below())?;
        let parameters = [alpha, mu.data, q.data, l.data].concat();
        Ok(Self { sizes, points: x, freedom: f64::from(m), gamma, parameters })
    }

    fn objective(&self) -> f64 {
        vectorised(
            #[inline(always)]
            || {
                let mixture = Components::new(self.sizes, &self.parameters);
                let mut room = Room::new(self.sizes);
                let likelihood: f64 =
                    self.points.iter().map(|point| mixture.log_likelihood(point, &mut room)).sum();
                likelihood + self.log_prior(&self.parameters)
            },
        )
    }

    /// What the points do not enter: the prior, and the weights' common denominator.
    fn log_prior<T: Real>(&self, parameters: &[T]) -> T {
        let [alpha, _, q, l] = self.sizes.split(parameters);
        let number = T::from_f64;
        let diagonal: Vec<T> = q.iter().map(|&q| q.exp()).collect();
        let squares = T::dot(&diagonal, &diagonal) + T::dot(l, l);
        let (d, count) = (self.sizes.dimension as f64, self.points.count() as f64);
        let degrees = d + self.freedom + 1.0;
        let normaliser = degrees * d * (self.gamma.ln() - 0.5 * 2.0_f64.ln())
            - ln_multivariate_gamma(degrees / 2.0, self.sizes.dimension);
        let constant = self.sizes.components as f64 * normaliser - count * d / 2.0 * TAU.ln();
        number(constant) - number(count) * T::log_sum_exp(alpha) + number(self.freedom) * T::sum(q)
            - number(0.5 * self.gamma * self.gamma) * squares
    }
}

/// ln Γ_p(a) = p(p − 1)/4·ln π + Σⱼ ln Γ(a − j/2), j from 0 to p − 1.
fn ln_multivariate_gamma(a: f64, p: usize) -> f64 {
    let gammas: f64 = (0..p).map(|j| libm::lgamma(a - j as f64 / 2.0)).sum();
    (p * (p - 1)) as f64 / 4.0 * PI.ln() + gammas
}

/// What all points share.
struct Components<'a, T> {
    sizes: Sizes,
    mu: &'a [T],
    l: &'a [T],
    /// exp q.
    diagonal: Vec<T>,
    /// α + Σ q.
    weights: Vec<T>,
}

/// Room for the numbers of one point.
struct Room<T> {
    centred: Vec<T>,
    whitened: Vec<T>,
    exponents: Vec<T>,
}

impl<T: Real> Room<T> {
    fn new(sizes: Sizes) -> Self {
        let zeros = |count| vec![T::from_f64(0.0); count];
        Self {
            centred: zeros(sizes.dimension),
            whitened: zeros(sizes.dimension),
            exponents: zeros(sizes.components),
        }
    }
}

impl<'a, T: Real> Components<'a, T> {
    #[inline(always)]
    fn new(sizes: Sizes, parameters: &'a [T]) -> Self {
        let [alpha, mu, q, l] = sizes.split(parameters);
        let diagonal = q.iter().map(|&q| q.exp()).collect();
        let sums = q.chunks_exact(sizes.dimension).map(T::sum);
        let weights = alpha.iter().zip(sums).map(|(&alpha, sum)| alpha + sum).collect();
        Self { sizes, mu, l, diagonal, weights }
    }

    /// lseₖ(αₖ + Σ qₖ − ½‖Qₖ(x − μₖ)‖²).
    #[inline(always)]
    fn log_likelihood(&self, point: &[T], room: &mut Room<T>) -> T {
        let Room { centred, whitened, exponents } = room;
        let d = self.sizes.dimension;
        let half = T::from_f64(0.5);
        for (k, exponent) in exponents.iter_mut().enumerate() {
            for ((centred, &x), &mu) in centred.iter_mut().zip(point).zip(&self.mu[k * d..][..d]) {
                *centred = x - mu;
            }
            for ((whitened, &x), &diagonal) in
                whitened.iter_mut().zip(&*centred).zip(&self.diagonal[k * d..][..d])
            {
                *whitened = diagonal * x;
            }
            let mut below = &self.l[k * self.sizes.below()..];
            for (i, &x) in centred.iter().enumerate() {
                let (column, rest) = below.split_at(d - 1 - i);
                below = rest;
                for (whitened, &l) in whitened[i + 1..].iter_mut().zip(column) {
                    *whitened += l * x;
                }
            }
            *exponent = self.weights[k] - half * squared_norm(whitened);
        }
        T::log_sum_exp(exponents)
    }
}

/// ‖x‖², written as a loop, to be compiled with the instructions of where it stands.
#[inline(always)]
fn squared_norm<T: Real>(x: &[T]) -> T {
    let mut sum = x[0] * x[0];
    for &x in &x[1..] {
        sum += x * x;
    }
    sum
}

type Likelihood = Box<dyn Fn(&[Var], &[Var]) -> Var + Sync>;

/// The likelihood of a point, traced; it depends on the sizes only.
struct Prepared {
    mixture: Mixture,
    likelihood: Batch<Likelihood>,
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let mixture = Mixture::new(input)?;
        let sizes = mixture.sizes;
        let likelihood: Likelihood = Box::new(move |parameters, point| {
            Components::new(sizes, parameters).log_likelihood(point, &mut Room::new(sizes))
        });
        let likelihood = Batch::trace(likelihood, &mixture.parameters, mixture.points.row(0))?;
        Ok(Self { mixture, likelihood })
    }

    fn jacobian(&self) -> Result<Gradient, Failure> {
        let Mixture { sizes, points, parameters, .. } = &self.mixture;
        let (_, mut gradient) = self.likelihood.gradient(parameters, &*points.data)?;
        let (_, prior) = tape::gradient(|x| self.mixture.log_prior(x), parameters);
        gradient.iter_mut().zip(prior).for_each(|(sum, part)| *sum += part);
        let [alpha, mu, q, l] = sizes.split(&gradient);
        let below = sizes.below();
        Ok(Gradient {
            alpha: alpha.to_vec(),
            mu: Rows::new(sizes.dimension, mu.to_vec()),
            q: Rows::new(sizes.dimension, q.to_vec()),
            l: (0..sizes.components).map(|k| l[k * below..][..below].to_vec()).collect(),
        })
    }
}
