//! `lse`: ln Σ exp xᵢ, without overflow.

use serde::Deserialize;
use tape::{Batch, Real, Rewrites, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, check_some};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "lse",
    functions: &[
        ("primal", |input| measure(input, checked, |x, _| Ok(primal(x)))),
        ("gradient", |input| measure(input, Prepared::new, Prepared::gradient)),
    ],
};

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
}

fn checked(input: Input) -> Result<Vec<f64>, Failure> {
    check_some("x", input.x.len())?;
    Ok(input.x)
}

fn primal(x: &[f64]) -> f64 {
    let largest = largest(x);
    logarithm(x.iter().map(|&x| term(x, largest)).sum(), largest)
}

/// exp(x − a): a term of the sum.
#[inline(always)]
fn term<T: Real>(x: T, largest: T) -> T {
    (x - largest).exp()
}

/// ln s + a.
fn logarithm<T: Real>(sum: T, largest: T) -> T {
    sum.ln() + largest
}

/// The derivatives through the largest number cancel: it is a constant.
fn largest(x: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let mut ways = [f64::NEG_INFINITY; 16];
            let chunks = x.chunks_exact(ways.len());
            let rest = chunks.remainder();
            for chunk in chunks {
                for (way, &x) in ways.iter_mut().zip(chunk) {
                    *way = if x > *way { x } else { *way };
                }
            }
            ways.iter().chain(rest).fold(f64::NEG_INFINITY, |a, &x| a.max(x))
        },
    )
}

type Derivatives = fn(&[Var], &[Var]) -> [Var; 2];

/// A term of the sum and its derivative, traced.
struct Prepared {
    x: Vec<f64>,
    derivatives: Batch<Derivatives>,
    /// The terms, each with its derivative.
    terms: Vec<f64>,
}

fn term_and_derivative(shared: &[Var], row: &[Var]) -> [Var; 2] {
    let largest = Var::constant(shared[0]);
    let (value, gradient) = tape::gradient(|x| term(x[0], largest), row);
    [value, gradient[0]]
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let x = checked(input)?;
        let derivatives: Derivatives = term_and_derivative;
        let derivatives = Batch::trace_with(Rewrites::Relaxed, derivatives, &[0.0], &[0.0])?;
        Ok(Self { terms: vec![0.0; 2 * x.len()], x, derivatives })
    }

    fn gradient(&mut self, room: Vec<f64>) -> Result<Vec<f64>, Failure> {
        let Self { x, derivatives, terms } = self;
        let largest = largest(x);
        derivatives.map_into(&[largest], &**x, terms)?;
        let sum = sum_of_firsts(terms);
        let (_, by_sum) = tape::gradient(|s| logarithm(s[0], Var::constant(largest)), &[sum]);
        let mut gradient = room;
        gradient.clear();
        gradient.extend(terms.chunks_exact(2).map(|term| by_sum[0] * term[1]));
        Ok(gradient)
    }
}

/// The sum of the first of every two numbers, in four interleaved sums: one would wait for itself.
fn sum_of_firsts(pairs: &[f64]) -> f64 {
    let mut ways = [0.0; 4];
    let chunks = pairs.chunks_exact(2 * ways.len());
    let rest: f64 = chunks.remainder().iter().step_by(2).sum();
    for chunk in chunks {
        for (way, pair) in ways.iter_mut().zip(chunk.chunks_exact(2)) {
            *way += pair[0];
        }
    }
    ways.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    fn gradient(x: &[f64]) -> Vec<f64> {
        Prepared::new(Input { x: x.to_vec() }).unwrap().gradient(Vec::new()).unwrap()
    }

    #[test]
    fn one_number_is_its_own() {
        assert_eq!(primal(&[-3.0]), -3.0);
    }

    #[test]
    fn exponentials_are_summed() {
        // e⁰ + e^(ln 3) = 4.
        assert_close(&[primal(&[0.0, 3.0_f64.ln()])], &[4.0_f64.ln()]);
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        // ln(2·e¹⁰⁰⁰) = 1000 + ln 2.
        assert_close(&[primal(&[1000.0, 1000.0])], &[1000.0 + 2.0_f64.ln()]);
    }

    #[test]
    fn small_numbers_do_not_underflow() {
        // ln(2·e⁻¹⁰⁰⁰) = −1000 + ln 2.
        assert_close(&[primal(&[-1000.0, -1000.0])], &[2.0_f64.ln() - 1000.0]);
    }

    #[test]
    fn derivatives_are_shares_of_the_sum() {
        // 1 and 3 of 4.
        assert_close(&gradient(&[0.0, 3.0_f64.ln()]), &[0.25, 0.75]);
    }

    #[test]
    fn shares_of_large_numbers_do_not_overflow() {
        assert_close(&gradient(&[1e300, 1e300, -1e300]), &[0.5, 0.5, 0.0]);
    }

    #[test]
    fn the_largest_is_found_wherever_it_is() {
        for place in 0..37 {
            let mut x = vec![-2.0; 37];
            x[place] = -1.0;
            assert_eq!(largest(&x), -1.0, "at {place}");
        }
    }

    #[test]
    fn the_primal_is_the_engines_log_sum_exp() {
        let x = numbers(100);
        assert_close(&[primal(&x)], &[f64::log_sum_exp(&x)]);
    }

    #[track_caller]
    fn check_gradient(count: usize) {
        let x: Vec<f64> = numbers(count).iter().map(|x| 5.0 * x).collect();
        let plain = |x: &[tape::Dual]| Real::sum_over(x, |x| x.exp()).ln();
        assert_close(&gradient(&x), &oracle::gradient(plain, &x));
    }

    #[test]
    fn the_gradient_of_few_numbers_is_that_of_duals() {
        check_gradient(3);
    }

    #[test]
    fn the_gradient_of_interleaved_sums_and_a_rest_is_that_of_duals() {
        check_gradient(39);
    }

    #[test]
    fn the_gradient_of_many_numbers_is_that_of_duals() {
        check_gradient(1000);
    }
}
