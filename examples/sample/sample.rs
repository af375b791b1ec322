//! Draws from two posterior distributions with the No-U-Turn sampler, and compares the means with exact ones.
//!
//! Goal: write a log density as a formula, and give its gradient to a sampler. A `Program` computes both; the crate `nuts-rs` makes
//! the moves. Four chains run in threads of their own and share the program.
//! Run it with `cargo run --release --example sample`, and with `-- --help` for its options.
//!
//! The models are the eight schools of Rubin (1981), which every sampler is tried on, and a logistic regression on Fisher's iris
//! data. The exact means come from quadrature, by `reference.py` beside this file.

#[path = "../support/end.rs"]
mod end;

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::Parser;
use nuts_rs::{
    Chain, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings,
};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use tape::{Program, Var, Workspace};

use crate::end::end;

/// Draws from two posterior distributions, and compares the means with exact ones.
#[derive(Parser)]
struct Options {
    /// Draws of each of the four chains
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..))]
    draws: u32,
    /// Draws before those, in which the sampler finds its step; they are not counted
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..))]
    tune: u32,
    /// Determines the draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const CHAINS: u64 = 4;

/// Estimated effect of coaching on a test in eight schools, and the standard error of the estimate.
const SCHOOLS: [[f64; 2]; 8] = [
    [28.0, 15.0],
    [8.0, 10.0],
    [-3.0, 16.0],
    [7.0, 11.0],
    [-1.0, 9.0],
    [1.0, 11.0],
    [18.0, 10.0],
    [12.0, 18.0],
];

/// effectⱼ ~ N(θⱼ, errorⱼ) with θⱼ = μ + τ·ηⱼ and the priors μ ~ N(0, 5), τ ~ half-Cauchy(5), ηⱼ ~ N(0, 1).
///
/// The inputs are μ, ln τ, η₁ … η₈, all of them unbounded. The last term is ln dτ/d(ln τ).
fn eight_schools(x: &[Var]) -> Var {
    let (mu, log_tau, eta) = (x[0], x[1], &x[2..]);
    let tau = log_tau.exp();
    let school = |(&[effect, error], &eta): (&[f64; 2], &Var)| {
        log_normal((effect - mu - tau * eta) / error) + log_normal(eta)
    };
    let schools: Vec<Var> = SCHOOLS.iter().zip(eta).map(school).collect();
    tape::sum(&schools) + log_normal(mu / 5.0) - (tau / 5.0).powi(2).ln_1p() + log_tau
}

/// Up to a constant.
fn log_normal(z: Var) -> Var {
    -0.5 * z * z
}

/// 1 with probability sigmoid(β·x), where x is 1 and four measurements, and the prior of each βᵢ is N(0, 2.5).
fn logistic_regression(beta: &[Var], flowers: &[([f64; 5], bool)]) -> Var {
    let flower = |(x, is_virginica): &([f64; 5], bool)| {
        let score = tape::weighted_sum(x, beta);
        if *is_virginica { -(-score).softplus() } else { -score.softplus() }
    };
    let flowers: Vec<Var> = flowers.iter().map(flower).collect();
    let prior: Vec<Var> = beta.iter().map(|&beta| log_normal(beta / 2.5)).collect();
    tape::sum(&flowers) + tape::sum(&prior)
}

/// A distribution, and what we want to know of it.
struct Posterior {
    title: &'static str,
    program: Program,
    /// From a point that was drawn to the quantities of interest.
    quantities: fn(&[f64]) -> Vec<f64>,
    names: &'static [&'static str],
    /// Exact means and standard deviations, by `reference.py`.
    exact: &'static [[f64; 2]],
}

/// The reference draws of posteriordb (`eight_schools-eight_schools_noncentered`) have the means μ = 4.41 ± 0.03 and
/// τ = 3.60 ± 0.03.
fn schools() -> Result<Posterior> {
    Ok(Posterior {
        title: "Eight schools, not centred",
        program: Program::trace(eight_schools, &[0.0; 10])?,
        quantities: |x| {
            let (mu, tau) = (x[0], x[1].exp());
            [mu, tau].into_iter().chain(x[2..].iter().map(|eta| mu + tau * eta)).collect()
        },
        names: &[
            "mu", "tau", "theta 1", "theta 2", "theta 3", "theta 4", "theta 5", "theta 6",
            "theta 7", "theta 8",
        ],
        exact: &[
            [4.396_821, 3.317_704],
            [3.597_705, 3.219_958],
            [6.211_884, 5.593_126],
            [4.940_178, 4.674_268],
            [3.927_004, 5.262_615],
            [4.757_098, 4.780_297],
            [3.615_477, 4.657_453],
            [4.042_613, 4.826_866],
            [6.296_724, 5.077_849],
            [4.854_253, 5.290_801],
        ],
    })
}

fn irises() -> Result<Posterior> {
    let flowers = read_flowers()?;
    Ok(Posterior {
        title: "Iris virginica or versicolor",
        program: Program::trace(|beta| logistic_regression(beta, &flowers), &[0.0; 5])?,
        quantities: <[f64]>::to_vec,
        names: &["intercept", "sepal length", "sepal width", "petal length", "petal width"],
        exact: &[
            [0.068_18, 0.576_11],
            [-0.957_33, 0.916_51],
            [-1.163_77, 0.692_92],
            [4.547_70, 1.413_26],
            [4.336_98, 1.328_37],
        ],
    })
}

/// The measurements less their mean, in standard deviations, behind a 1; and whether it is a virginica. Setosas are left out.
fn read_flowers() -> Result<Vec<([f64; 5], bool)>> {
    let mut reader = csv::Reader::from_reader(include_bytes!("../data/iris.csv").as_slice());
    let mut flowers = Vec::new();
    for row in reader.deserialize() {
        let ([a, b, c, d], species): ([f64; 4], String) = row?;
        if species != "setosa" {
            flowers.push(([1.0, a, b, c, d], species == "virginica"));
        }
    }
    for i in 1..5 {
        let column: Vec<f64> = flowers.iter().map(|flower| flower.0[i]).collect();
        let mean = mean(&column);
        let deviation = covariance(&column, 0).sqrt();
        for flower in &mut flowers {
            flower.0[i] = (flower.0[i] - mean) / deviation;
        }
    }
    Ok(flowers)
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    for posterior in [schools()?, irises()?] {
        let clock = Instant::now();
        let sampled = sample(&posterior, options)?;
        let seconds = clock.elapsed().as_secs_f64();
        writeln!(out, "{}: {CHAINS} chains of {} draws", posterior.title, options.draws)?;
        let (gradients, divergences) = (sampled.gradients, sampled.divergences);
        writeln!(out, "{gradients} gradients in {seconds:.2} s, {divergences} divergences\n")?;
        show(&posterior, &sampled, out)?;
    }
    Ok(())
}

fn show(posterior: &Posterior, sampled: &Sampled, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "                  mean        sd      MCSE  effective    R-hat  exact mean  off by"
    )?;
    let mut agreeing = 0;
    for (i, (name, [exact, _])) in posterior.names.iter().zip(posterior.exact).enumerate() {
        let Summary { mean, deviation, effective, r_hat, error } = summarize(&sampled.chains(i));
        let off = (mean - exact) / error;
        agreeing += usize::from(off.abs() <= TOLERANCE);
        writeln!(
            out,
            "{name:<13}{mean:>9.4}{deviation:>10.4}{error:>10.4}{effective:>11.0}{r_hat:>9.4}{exact:>12.4}{off:>+8.1}"
        )?;
    }
    let all = posterior.names.len();
    Ok(writeln!(out, "{agreeing} of {all} means are within {TOLERANCE} MCSE of the exact ones.\n")?)
}

/// How many Monte-Carlo standard errors a mean may be off.
const TOLERANCE: f64 = 4.0;

/// What the chains drew, in the order they drew it.
#[derive(Default)]
struct Sampled {
    /// For each chain, for each draw, the quantities.
    draws: Vec<Vec<Vec<f64>>>,
    gradients: u64,
    divergences: u64,
}

impl Sampled {
    /// One quantity in each chain.
    fn chains(&self, quantity: usize) -> Vec<Vec<f64>> {
        let of = |chain: &Vec<Vec<f64>>| chain.iter().map(|draw| draw[quantity]).collect();
        self.draws.iter().map(of).collect()
    }
}

/// Runs each chain in a thread.
fn sample(posterior: &Posterior, options: &Options) -> Result<Sampled> {
    let chains: Vec<Result<Sampled>> = thread::scope(|scope| {
        let start = |chain| scope.spawn(move || sample_chain(posterior, options, chain));
        let threads: Vec<_> = (0..CHAINS).map(start).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Sampled>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a chain panicked")))
        };
        threads.into_iter().map(join).collect()
    });
    let mut all = Sampled::default();
    for chain in chains {
        let chain = chain?;
        all.draws.extend(chain.draws);
        all.gradients += chain.gradients;
        all.divergences += chain.divergences;
    }
    Ok(all)
}

fn sample_chain(posterior: &Posterior, options: &Options, chain: u64) -> Result<Sampled> {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    random.set_stream(chain);
    let density = Density { program: &posterior.program, workspace: Workspace::default() };
    let mut settings = DiagNutsSettings {
        num_tune: options.tune.into(),
        num_draws: options.draws.into(),
        ..DiagNutsSettings::default()
    };
    // Short steps, for the eight schools are curved where τ is near 0.
    settings.adapt_options.step_size_settings.target_accept = 0.95;
    let start: Vec<f64> = (0..density.dim()).map(|_| random.random_range(-2.0..2.0)).collect();
    let mut sampler = settings.new_chain(chain, CpuMath::new(density), &mut random)?;
    sampler.set_position(&start)?;
    let mut sampled = Sampled { draws: vec![vec![]], ..Sampled::default() };
    for draw in 0..options.tune + options.draws {
        let (x, progress) = sampler.draw()?;
        sampled.gradients += progress.num_gradients;
        if draw >= options.tune {
            sampled.draws[0].push((posterior.quantities)(&x));
            sampled.divergences += u64::from(progress.diverging);
        }
    }
    Ok(sampled)
}

/// A program as the sampler wants it.
struct Density<'a> {
    program: &'a Program,
    workspace: Workspace,
}

impl CpuLogpFunc for Density<'_> {
    type LogpError = Failure;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.program.inputs()
    }

    fn logp(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Failure> {
        Ok(self.program.gradient_into(x, &mut self.workspace, gradient)?)
    }

    fn expand_vector<R: Rng + ?Sized>(
        &mut self,
        _: &mut R,
        x: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(x.to_vec())
    }
}

impl HasDims for Density<'_> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".into(), self.program.inputs() as u64)])
    }
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Failure(#[from] tape::Error);

impl LogpError for Failure {
    fn is_recoverable(&self) -> bool {
        false
    }
}

struct Summary {
    mean: f64,
    deviation: f64,
    /// As many independent draws would give as good a mean.
    effective: f64,
    /// Near 1 where the chains agree with one another.
    r_hat: f64,
    /// The standard error of the mean, for the draws are finitely many.
    error: f64,
}

/// By the formulas of Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization: an
/// improved R̂", 2021, section 3, without ranks. Each chain counts as two, its halves, so that a drift shows.
fn summarize(chains: &[Vec<f64>]) -> Summary {
    let halves: Vec<&[f64]> =
        chains.iter().flat_map(|chain| chain.chunks_exact(chain.len() / 2).take(2)).collect();
    let n = halves[0].len() as f64;
    let means: Vec<f64> = halves.iter().map(|half| mean(half)).collect();
    let unbiased = n / (n - 1.0);
    let covariance_at = |lag: usize| {
        unbiased * mean(&halves.iter().map(|half| covariance(half, lag)).collect::<Vec<_>>())
    };
    let within = covariance_at(0);
    let between = covariance(&means, 0) * means.len() as f64 / (means.len() as f64 - 1.0);
    let variance = within / unbiased + between;

    // Geyer, 1992: the sums of autocorrelations at lags 2t and 2t + 1 are positive and fall.
    let correlation = |lag: usize| 1.0 - (within - covariance_at(lag)) / variance;
    let (mut time, mut last) = (-1.0, f64::INFINITY);
    for lag in (0..halves[0].len() - 1).step_by(2) {
        let pair = correlation(lag) + correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        last = pair.min(last);
        time += 2.0 * last;
    }
    let draws = n * halves.len() as f64;
    let effective = (draws / time).min(draws * draws.log10());
    Summary {
        mean: mean(&means),
        deviation: variance.sqrt(),
        effective,
        r_hat: (variance / within).sqrt(),
        error: (variance / effective).sqrt(),
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Of the numbers with those that come `lag` later; divided by their count, as is usual.
fn covariance(x: &[f64], lag: usize) -> f64 {
    let mean = mean(x);
    let products = x.iter().zip(&x[lag..]).map(|(a, b)| (a - mean) * (b - mean));
    products.sum::<f64>() / x.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(posterior: &Posterior) {
        let options = Options { draws: 5_000, tune: 1_000, seed: 1 };
        let sampled = sample(posterior, &options).unwrap();
        for (i, (name, [mean, deviation])) in
            posterior.names.iter().zip(posterior.exact).enumerate()
        {
            let summary = summarize(&sampled.chains(i));
            let off = (summary.mean - mean) / summary.error;
            assert!(off.abs() <= TOLERANCE, "{name}: the mean is off by {off} standard errors");
            assert!((summary.deviation / deviation - 1.0).abs() < 0.1, "{name}");
            assert!(summary.r_hat < 1.01, "{name}");
        }
    }

    #[test]
    fn the_means_of_the_eight_schools_are_the_exact_ones() {
        check(&schools().unwrap());
    }

    #[test]
    fn the_means_of_the_logistic_regression_are_the_exact_ones() {
        check(&irises().unwrap());
    }

    /// Means and their standard errors of posteriordb's `eight_schools-eight_schools_noncentered`, for μ, τ, θ₁ … θ₈.
    #[test]
    fn the_exact_means_are_the_published_ones() {
        let published = [
            [4.4105, 0.0330],
            [3.6021, 0.0319],
            [6.1505, 0.0557],
            [4.9396, 0.0462],
            [3.9059, 0.0542],
            [4.7960, 0.0475],
            [3.6144, 0.0461],
            [4.0511, 0.0485],
            [6.3172, 0.0499],
            [4.8840, 0.0543],
        ];
        for ([exact, _], [mean, error]) in schools().unwrap().exact.iter().zip(published) {
            assert!((exact - mean).abs() < TOLERANCE * error, "{exact}, but {mean} is published");
        }
    }

    /// xₜ₊₁ = ρ·xₜ + noise has the autocorrelation ρˡᵃᵍ.
    fn autoregressive(rho: f64, shift: f64, stream: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        random.set_stream(stream);
        let mut x = 0.0;
        let next = |_| {
            x = rho * x + random.random_range(-1.0..1.0);
            x + shift
        };
        (0..10_000).map(next).collect()
    }

    #[test]
    fn correlated_draws_count_less() {
        let rho = 0.8;
        let chains: Vec<Vec<f64>> = (0..4).map(|chain| autoregressive(rho, 0.0, chain)).collect();
        let expected = 40_000.0 * (1.0 - rho) / (1.0 + rho);
        let Summary { effective, .. } = summarize(&chains);
        assert!((effective / expected - 1.0).abs() < 0.15, "{effective}, not {expected}");
    }

    #[test]
    fn chains_that_disagree_have_a_large_r_hat() {
        let chains = [autoregressive(0.5, 0.0, 0), autoregressive(0.5, 1.0, 1)];
        assert!(summarize(&chains).r_hat > 1.1);
    }
}
