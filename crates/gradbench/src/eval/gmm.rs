//! `gmm`: the log posterior of a Gaussian mixture with a Wishart prior.
//!
//! Component k has the weight exp αₖ / Σ exp α, the mean μₖ, and the precision matrix Qₖᵀ·Qₖ, where Qₖ is lower
//! triangular with the diagonal exp qₖ and lₖ below it, column by column. For N points xᵢ of D numbers,
//!
//! ```text
//! log p = Σᵢ lseₖ(αₖ + Σ qₖ − ½‖Qₖ(xᵢ − μₖ)‖²) − N·(lse α + D/2·ln 2π)
//!       + Σₖ (m·Σ qₖ − ½γ²‖Qₖ‖²) + K·(ν·D·ln(γ/√2) − ln Γ_D(ν/2)),  ν = D + m + 1.
//! ```

mod distances;

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tape::{Batch, Program, Real, Var, apply};

use distances::Distances;

use super::{Module, vectorised};
use crate::failure::{Failure, check_length, check_some};
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

/// From so many dimensions on, products of matrices are quicker.
const LARGE: usize = 16;

struct Mixture {
    sizes: Sizes,
    points: Arc<Rows>,
    /// The distances as one operation, where products of matrices are quicker than a row after the other.
    distances: Option<Arc<Distances>>,
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
        check_some("d", d)?;
        check_some("k", k)?;
        check_some("n", n)?;
        let sizes = Sizes { dimension: d, components: k };
        x.check_size("x", n, d)?;
        check_length("alpha", k, alpha.len())?;
        mu.check_size("mu", k, d)?;
        q.check_size("q", k, d)?;
        l.check_size("l", k, sizes.below())?;
        let parameters = [alpha, mu.data, q.data, l.data].concat();
        let points = Arc::new(x);
        let distances = || Arc::new(Distances { sizes, points: Arc::clone(&points) });
        let distances = (d >= LARGE).then(distances);
        Ok(Self { sizes, points, distances, freedom: f64::from(m), gamma, parameters })
    }

    fn objective(&self) -> f64 {
        if let Some(distances) = &self.distances {
            return posterior_by_blocks(self, distances, &self.parameters);
        }
        vectorised(
            #[inline(always)]
            || {
                let [_, mu, _, l] = self.sizes.split(&self.parameters);
                let [diagonal, weights] = diagonal_and_weights(self.sizes, &self.parameters);
                let mixture = Components { sizes: self.sizes, mu, l, diagonal: &diagonal };
                let mut room = Room::new(self.sizes);
                let of_point = |point| mixture.log_likelihood(&weights, point, &mut room);
                let likelihood: f64 = self.points.iter().map(of_point).sum();
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

/// ln Γₚ(a) = p(p − 1)/4·ln π + Σⱼ ln Γ(a − j/2), j from 0 to p − 1.
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
    diagonal: &'a [T],
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

impl<T: Real> Components<'_, T> {
    /// ‖Qₖ(x − μₖ)‖².
    #[inline(always)]
    fn distance(&self, point: &[T], k: usize, room: &mut Room<T>) -> T {
        let Room { centred, whitened, .. } = room;
        let d = self.sizes.dimension;
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
        squared_norm(whitened)
    }

    /// lseₖ(αₖ + Σ qₖ − ½‖Qₖ(x − μₖ)‖²).
    #[inline(always)]
    fn log_likelihood(&self, weights: &[T], point: &[T], room: &mut Room<T>) -> T {
        for (k, &weight) in weights.iter().enumerate() {
            room.exponents[k] = weight - T::from_f64(0.5) * self.distance(point, k, room);
        }
        T::log_sum_exp(&room.exponents)
    }
}

/// exp q, and α + Σ q for each component.
#[inline(always)]
fn diagonal_and_weights<T: Real>(sizes: Sizes, parameters: &[T]) -> [Vec<T>; 2] {
    let [alpha, _, q, _] = sizes.split(parameters);
    let sums = q.chunks_exact(sizes.dimension).map(T::sum);
    let weights = alpha.iter().zip(sums).map(|(&alpha, sum)| alpha + sum).collect();
    [q.iter().map(|&q| q.exp()).collect(), weights]
}

/// The likelihood of a point.
#[inline(always)]
fn log_likelihood<T: Real>(sizes: Sizes, parameters: &[T], point: &[T]) -> T {
    let [diagonal, weights] = diagonal_and_weights(sizes, parameters);
    let [_, mu, _, l] = sizes.split(parameters);
    let components = Components { sizes, mu, l, diagonal: &diagonal };
    components.log_likelihood(&weights, point, &mut Room::new(sizes))
}

/// The posterior, with the distances as one operation.
fn posterior_by_blocks<T: Real>(
    mixture: &Mixture,
    distances: &Arc<Distances>,
    parameters: &[T],
) -> T {
    let [diagonal, weights] = diagonal_and_weights(mixture.sizes, parameters);
    let [_, mu, _, l] = mixture.sizes.split(parameters);
    let distances = apply(distances, &[mu, &diagonal, l].concat());
    let count = mixture.points.count();
    let likelihood = |i: usize| {
        let exponent =
            |(k, &weight): (usize, &T)| weight - T::from_f64(0.5) * distances[k * count + i];
        T::log_sum_exp(&weights.iter().enumerate().map(exponent).collect::<Vec<T>>())
    };
    T::sum(&(0..count).map(likelihood).collect::<Vec<T>>()) + mixture.log_prior(parameters)
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

struct Prepared {
    mixture: Mixture,
    traced: Traced,
}

/// What was traced depends on the sizes only, and where the distances are in it, on the points.
enum Traced {
    /// The likelihood of a point.
    ByRows(Batch<Likelihood>),
    /// The posterior.
    ByBlocks(Program),
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let mixture = Mixture::new(input)?;
        let sizes = mixture.sizes;
        let traced = if let Some(distances) = &mixture.distances {
            let posterior = |x: &[Var]| posterior_by_blocks(&mixture, distances, x);
            Traced::ByBlocks(Program::trace(posterior, &mixture.parameters)?)
        } else {
            let likelihood: Likelihood =
                Box::new(move |parameters, point| log_likelihood(sizes, parameters, point));
            Traced::ByRows(Batch::trace(likelihood, &mixture.parameters, mixture.points.row(0))?)
        };
        Ok(Self { mixture, traced })
    }

    fn jacobian(&self) -> Result<Gradient, Failure> {
        let Mixture { sizes, points, parameters, .. } = &self.mixture;
        let gradient = match &self.traced {
            Traced::ByRows(likelihood) => {
                let (_, mut gradient) = likelihood.gradient(parameters, &*points.data)?;
                let (_, prior) = tape::gradient(|x| self.mixture.log_prior(x), parameters);
                gradient.iter_mut().zip(prior).for_each(|(sum, part)| *sum += part);
                gradient
            }
            Traced::ByBlocks(posterior) => posterior.gradient(parameters)?.1,
        };
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, to_value};

    use super::*;
    use crate::oracle::{self, assert_close, numbers, rows};

    /// One point at 1, one component at 0 of the precision 1.
    fn smallest() -> Input {
        oracle::read(json!({
            "d": 1, "k": 1, "n": 1, "x": [[1.0]], "m": 3, "gamma": 2.0,
            "alpha": [0.5], "mu": [[0.0]], "q": [[0.0]], "l": [[]],
        }))
    }

    fn input([d, k, n]: [usize; 3]) -> Input {
        oracle::read(json!({
            "d": d, "k": k, "n": n, "x": rows(n, d), "m": 2, "gamma": 1.5,
            "alpha": numbers(k), "mu": rows(k, d), "q": rows(k, d),
            "l": if d == 1 { vec![vec![]; k] } else { rows(k, d * (d - 1) / 2) },
        }))
    }

    fn objective(input: Input) -> f64 {
        Mixture::new(input).unwrap().objective()
    }

    fn gradient(input: Input) -> Value {
        to_value(Prepared::new(input).unwrap().jacobian().unwrap()).unwrap()
    }

    fn flattened(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(items) => items.iter().flat_map(flattened).collect(),
            number => vec![number.as_f64().unwrap()],
        }
    }

    #[test]
    fn the_posterior_of_one_point_is_by_hand() {
        // Likelihood: −½·1² − ½·ln 2π, as the only weight is 1. Prior, with ν = 5: −½·2²·1² + 5·ln(2/√2) − ln Γ(5/2),
        // where Γ(5/2) = ¾·√π.
        let likelihood = -0.5 - 0.5 * TAU.ln();
        let prior = -2.0 + 5.0 * 2.0_f64.sqrt().ln() - (0.75 * PI.sqrt()).ln();
        assert_close(&[objective(smallest())], &[likelihood + prior]);
    }

    #[test]
    fn the_gradient_of_one_point_is_by_hand() {
        // By α: 1 − 1. By μ: x − μ. By q: 1 − (x − μ)² of the likelihood and m − γ² of the prior.
        let expected = json!({ "alpha": [0.0], "mu": [[1.0]], "q": [[-1.0]], "l": [[]] });
        assert_eq!(gradient(smallest()), expected);
    }

    #[test]
    fn the_gradient_below_the_diagonal_is_by_hand() {
        // Q(x − μ) = (1, 2·1 + 1) for x − μ = (1, 1): by l: −3·1 of the likelihood and −γ²·2 = −8 of the prior.
        let input = json!({
            "d": 2, "k": 1, "n": 1, "x": [[1.0, 1.0]], "m": 0, "gamma": 2.0,
            "alpha": [0.0], "mu": [[0.0, 0.0]], "q": [[0.0, 0.0]], "l": [[2.0]],
        });
        assert_eq!(gradient(oracle::read(input))["l"], json!([[-11.0]]));
    }

    /// p(x) of the normal distribution with this mean and the precision Qᵀ·Q.
    fn normal_density(x: &[f64], mean: &[f64], q: &[Vec<f64>]) -> f64 {
        let square: f64 = q
            .iter()
            .map(|row| {
                let terms = row.iter().zip(x).zip(mean).map(|((q, x), mean)| q * (x - mean));
                terms.sum::<f64>().powi(2)
            })
            .sum();
        let determinant: f64 = (0..x.len()).map(|i| q[i][i]).product();
        (-0.5 * square).exp() * determinant / TAU.powf(x.len() as f64 / 2.0)
    }

    /// p(Qᵀ·Q) of the three-dimensional Wishart distribution with n degrees of freedom and the scale 1/γ².
    fn wishart_density(q: &[Vec<f64>], n: f64, gamma: f64) -> f64 {
        let p = 3.0;
        let determinant: f64 = (0..3).map(|i| q[i][i] * q[i][i]).product();
        let trace: f64 = q.iter().flatten().map(|x| x * x).sum();
        let gammas = [0.0, 0.5, 1.0].map(|j| libm::tgamma(n / 2.0 - j));
        let multivariate_gamma = PI.powf(p * (p - 1.0) / 4.0) * gammas.iter().product::<f64>();
        determinant.powf((n - p - 1.0) / 2.0) * (-0.5 * gamma * gamma * trace).exp()
            / (2.0_f64.powf(n * p / 2.0) * gamma.powf(-n * p) * multivariate_gamma)
    }

    /// Π p(x)·Π p(Σ⁻¹), by the densities themselves.
    #[test]
    fn the_objective_is_the_logarithm_of_the_densities_product() {
        let Input { x, m, gamma, alpha, mu, q, l, .. } = input([3, 2, 4]);
        let matrix = |k: usize| {
            let ([a, b, c], [l1, l2, l3]) = (q.row(k), l.row(k)) else { unreachable!() };
            [vec![a.exp(), 0.0, 0.0], vec![*l1, b.exp(), 0.0], vec![*l2, *l3, c.exp()]]
        };
        let sum: f64 = alpha.iter().map(|alpha| alpha.exp()).sum();
        let weighted =
            |x: &[f64], k: usize| alpha[k].exp() / sum * normal_density(x, mu.row(k), &matrix(k));
        let likelihood: f64 = x.iter().map(|x| weighted(x, 0) + weighted(x, 1)).product();
        let degrees = 3.0 + f64::from(m) + 1.0;
        let priors = [0, 1].map(|k| wishart_density(&matrix(k), degrees, gamma));
        let expected = (likelihood * priors[0] * priors[1]).ln();
        assert_close(&[objective(input([3, 2, 4]))], &[expected]);
    }

    #[track_caller]
    fn check_gradient(sizes: [usize; 3]) {
        let mixture = Mixture::new(input(sizes)).unwrap();
        let posterior = |parameters: &[tape::Dual]| {
            let likelihood = Real::sum_over(mixture.points.iter(), |point| {
                let point: Vec<tape::Dual> = point.iter().map(|&x| x.into()).collect();
                log_likelihood(mixture.sizes, parameters, &point)
            });
            likelihood + mixture.log_prior(parameters)
        };
        let gradient = gradient(input(sizes));
        let parts = ["alpha", "mu", "q", "l"].map(|part| flattened(&gradient[part]));
        assert_close(&parts.concat(), &oracle::gradient(posterior, &mixture.parameters));
    }

    #[test]
    fn the_gradient_in_one_dimension_is_that_of_duals() {
        check_gradient([1, 3, 5]);
    }

    #[test]
    fn the_gradient_in_two_dimensions_is_that_of_duals() {
        check_gradient([2, 3, 5]);
    }

    #[test]
    fn the_gradient_in_four_dimensions_is_that_of_duals() {
        check_gradient([4, 2, 20]);
    }

    #[test]
    fn the_gradient_by_blocks_is_that_of_duals() {
        check_gradient([16, 3, 5]);
        check_gradient([19, 1, 30]);
    }

    #[test]
    fn the_objective_by_blocks_is_that_by_rows() {
        let mixture = Mixture::new(input([17, 3, 9])).unwrap();
        let by_rows = mixture.points.iter();
        let by_rows =
            by_rows.map(|point| log_likelihood(mixture.sizes, &mixture.parameters, point));
        let expected = by_rows.sum::<f64>() + mixture.log_prior(&mixture.parameters);
        assert_close(&[mixture.objective()], &[expected]);
    }

    #[test]
    fn the_gradient_of_one_component_is_that_of_duals() {
        check_gradient([3, 1, 7]);
    }

    #[test]
    fn the_gradient_has_the_shape_of_the_parameters() {
        let gradient = gradient(input([3, 2, 1]));
        let sizes = ["alpha", "mu", "q", "l"].map(|part| gradient[part].as_array().unwrap().len());
        assert_eq!(sizes, [2, 2, 2, 2]);
    }
}
