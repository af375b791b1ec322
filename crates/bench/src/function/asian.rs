//! Asian options on simulated paths: a sum over many wide, cheap rows, by a [`Batch`] and by everybody else row by row.

use std::hint::black_box;
use std::ops::Mul;

use comfy_table::presets::ASCII_MARKDOWN;
use rand::Rng;
use rand_distr::StandardNormal;
use tape::{Batch, Program, Var, Workspace};
use tpt_math_autodiff_rev::GradientTape;

use super::sum;
use super::table::nanoseconds;
use super::turns::Turns;
use crate::engine::echidna::{self, Recording};
#[cfg(feature = "xad")]
use crate::engine::xad;
use crate::engine::{aad, reverse, tpt};
use crate::kernel::generator;
use crate::number::Elementary;
use crate::report;

const PATHS: usize = 1_000;
const STEPS: usize = 252;
const DAYS: f64 = STEPS as f64;
/// Spot, rate, volatility, and strike; a year to expiry.
const SHARED: [f64; 4] = [100.0, 0.03, 0.2, 98.0];

/// A draw: a number of the engine, or a plain constant.
trait Draw<T>: Copy {
    fn times(self, x: T) -> T;
}

impl<T: Elementary, D: Copy> Draw<T> for D
where
    T: Mul<D, Output = T>,
{
    fn times(self, x: T) -> T {
        x * self
    }
}

/// A kind of mean.
trait Mean {
    /// The discounted payoff of a call on the mean of 252 daily prices.
    fn payoff<T: Elementary>(shared: &[T], draws: &[impl Draw<T>]) -> T;
    /// The same on plain numbers, with its derivatives added to the gradient.
    fn by_hand(shared: &[f64], draws: &[f64], gradient: &mut [f64]) -> f64;
}

/// One exponential for each price.
struct Arithmetic;

impl Mean for Arithmetic {
    fn payoff<T: Elementary>(shared: &[T], draws: &[impl Draw<T>]) -> T {
        let (drift, deviation) = daily(shared);
        let mut price = shared[0];
        let total = sum(draws.iter().map(|&draw| {
            price = price * (draw.times(deviation) + drift).exp();
            price
        }));
        payoff(shared, total * (1.0 / DAYS))
    }

    fn by_hand(shared: &[f64], draws: &[f64], gradient: &mut [f64]) -> f64 {
        let (drift, deviation) = daily(shared);
        let (mut price, mut day, mut walk) = (shared[0], 0.0, 0.0);
        let (mut total, mut of_drift, mut of_deviation) = (0.0, 0.0, 0.0);
        for draw in draws {
            price *= (deviation * draw + drift).exp();
            day += 1.0;
            walk += draw;
            total += price;
            of_drift += price * day;
            of_deviation += price * walk;
        }
        payoff_by_hand(shared, [total, of_drift, of_deviation], gradient)
    }
}

/// One exponential in all.
struct Geometric;

impl Mean for Geometric {
    fn payoff<T: Elementary>(shared: &[T], draws: &[impl Draw<T>]) -> T {
        let (drift, deviation) = daily(shared);
        let mut log = shared[0].ln();
        let total = sum(draws.iter().map(|&draw| {
            log = log + (draw.times(deviation) + drift);
            log
        }));
        payoff(shared, (total * (1.0 / DAYS)).exp())
    }

    /// The mean's logarithm is linear in drift and deviation.
    fn by_hand(shared: &[f64], draws: &[f64], gradient: &mut [f64]) -> f64 {
        let (drift, deviation) = daily(shared);
        let (mut walk, mut walks) = (0.0, 0.0);
        for draw in draws {
            walk += draw;
            walks += walk;
        }
        let days = DAYS * (DAYS + 1.0) / 2.0;
        let mean = shared[0] * ((drift * days + deviation * walks) / DAYS).exp();
        payoff_by_hand(shared, [mean * DAYS, mean * days, mean * walks], gradient)
    }
}

/// The drift and the deviation of a day's logarithm.
fn daily<T: Elementary>(shared: &[T]) -> (T, T) {
    let (rate, volatility) = (shared[1], shared[2]);
    ((rate - volatility * volatility * 0.5) * (1.0 / DAYS), volatility * (1.0 / DAYS).sqrt())
}

fn payoff<T: Elementary>(shared: &[T], mean: T) -> T {
    (-shared[1]).exp() * (mean - shared[3]).positive_part()
}

/// From the sum of the prices and its derivatives by drift and deviation.
fn payoff_by_hand(
    shared: &[f64],
    [total, of_drift, of_deviation]: [f64; 3],
    gradient: &mut [f64],
) -> f64 {
    let &[spot, rate, volatility, strike] = shared else { panic!("four inputs") };
    let mean = total / DAYS;
    if mean <= strike {
        return 0.0;
    }
    let discount = (-rate).exp();
    let value = discount * (mean - strike);
    gradient[0] += discount * mean / spot;
    gradient[1] += discount * of_drift / (DAYS * DAYS) - value;
    gradient[2] += discount * (of_deviation / DAYS.sqrt() - of_drift * volatility / DAYS) / DAYS;
    gradient[3] -= discount;
    value
}

/// The table: a row for each engine, two columns for each kind of mean.
pub fn table(rounds: usize) -> String {
    let draws: Vec<f64> = generator().sample_iter(StandardNormal).take(PATHS * STEPS).collect();
    let rounds = rounds.min(20);
    let arithmetic = measure::<Arithmetic>("arithmetic mean", &draws, rounds);
    let geometric = measure::<Geometric>("geometric mean", &draws, rounds);
    let plain = (arithmetic[0].1, geometric[0].1);
    let lines = arithmetic.into_iter().zip(geometric).map(|((name, a), (_, g))| {
        let cells = |time: f64, plain: f64| {
            [nanoseconds(time / PATHS as f64), format!("{:.2}", time / plain)]
        };
        let [time_a, ratio_a] = cells(a, plain.0);
        let [time_g, ratio_g] = cells(g, plain.1);
        vec![name.to_owned(), time_a, ratio_a, time_g, ratio_g]
    });
    let header =
        ["Asian option, ns a path", "arithmetic mean", "/ plain", "geometric mean", "/ plain"];
    report::table(ASCII_MARKDOWN, header.map(str::to_owned).to_vec(), lines).to_string()
}

/// The nanoseconds that each engine takes for all paths, plain numbers first.
fn measure<M: Mean>(name: &str, draws: &[f64], rounds: usize) -> Vec<(&'static str, f64)> {
    let shared = || black_box(&SHARED[..]);
    let batch = Batch::trace(|x: &[Var], row: &[Var]| M::payoff(x, row), &SHARED, &draws[..STEPS]);
    let batch = batch.expect("a path can be traced");
    let gradient = || batch.gradient(shared(), draws).expect("there is one path");
    let mut turns = Turns::new(name, gradient());

    let plain = || draws.chunks_exact(STEPS).map(|row| M::payoff(shared(), row)).sum::<f64>();
    turns.check_value(plain());
    turns.enter("plain f64", || {
        black_box(plain());
    });
    turns.enter_gradient("by hand", || {
        let mut gradient = vec![0.0; SHARED.len()];
        let rows = draws.chunks_exact(STEPS);
        (rows.map(|row| M::by_hand(shared(), row, &mut gradient)).sum(), gradient)
    });
    let value = || batch.value(shared(), draws).expect("there is one path");
    turns.check_value(value());
    turns.enter("`Batch::value`", move || {
        black_box(value());
    });
    turns.enter_gradient("`Batch::gradient`", gradient);
    turns.enter_gradient("one-shot, `sum_over`", || {
        let rows = draws.chunks_exact(STEPS);
        tape::gradient(|x| tape::sum_over(rows.clone(), |row| M::payoff(x, row)), shared())
    });
    let mut point = [&SHARED, &draws[..STEPS]].concat();
    let program = Program::trace(|x: &[Var]| M::payoff(&x[..4], &x[4..]), &point);
    let program = program.expect("a path can be traced");
    let (mut workspace, mut of_point) = (Workspace::default(), vec![0.0; point.len()]);
    turns.enter_gradient("replay, path by path", move || {
        path_by_path(draws, |row| {
            point[SHARED.len()..].copy_from_slice(row);
            let value = program.gradient_into(&point, &mut workspace, &mut of_point);
            (value.expect("there is one path"), of_point[..SHARED.len()].to_vec())
        })
    });

    turns.enter_gradient("echidna 0.15 grad", || {
        path_by_path(draws, |row| echidna::gradient(|x| M::payoff(x, row), shared()))
    });
    let mut point = [&SHARED, &draws[..STEPS]].concat();
    let mut recording =
        Recording::new(|x: &[echidna::Replayed]| M::payoff(&x[..4], &x[4..]), &point);
    turns.enter_gradient("echidna 0.15 replay", move || {
        path_by_path(draws, |row| {
            point[SHARED.len()..].copy_from_slice(row);
            recording.gradient(&point)
        })
    });
    #[cfg(feature = "xad")]
    {
        let mut tape = xad_rs::Tape::new(true);
        turns.enter_gradient("xad-rs 1.0.0", move || {
            path_by_path(draws, |row| {
                let payoff = |x: &[xad::Active]| M::payoff(x, row);
                xad_rs::compute_gradient_rev_with(&mut tape, shared(), payoff)
            })
        });
    }
    turns.enter_gradient("aad 0.9", || {
        path_by_path(draws, |row| aad::gradient(|x| M::payoff(x, row), shared()))
    });
    let mut tape = GradientTape::new();
    turns.enter_gradient("tpt-math-autodiff-rev 0.2", move || {
        path_by_path(draws, |row| tpt::gradient(&mut tape, |x| M::payoff(x, row), shared()))
    });
    let mut tape = ::reverse::Tape::new();
    turns.enter_gradient("reverse 0.2.2", move || {
        path_by_path(draws, |row| reverse::gradient(&mut tape, |x| M::payoff(x, row), shared()))
    });
    turns.hold(rounds)
}

/// The sum over all paths of a value and the first derivatives of a gradient: those by the shared inputs.
fn path_by_path(draws: &[f64], mut path: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> (f64, Vec<f64>) {
    let mut sum = (0.0, vec![0.0; SHARED.len()]);
    for row in draws.chunks_exact(STEPS) {
        let (value, gradient) = path(row);
        sum.0 += value;
        for (sum, slope) in sum.1.iter_mut().zip(gradient) {
            *sum += slope;
        }
    }
    sum
}
