//! `ode`: y₀′ = x₀ and yᵢ′ = xᵢ·yᵢ₋₁ with y(0) = 0, to time 2 in steps of the classical Runge–Kutta method.

use serde::Deserialize;
use tape::{Program, Real, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, check_some};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "ode",
    functions: &[
        ("primal", |input| measure(input, checked, |system, _| Ok(primal(system)))),
        ("gradient", |input| measure(input, Prepared::new, |prepared, _| prepared.gradient())),
    ],
};

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
    s: u32,
}

fn checked(input: Input) -> Result<Input, Failure> {
    check_some("x", input.x.len())?;
    check_some("s", input.s as usize)?;
    Ok(input)
}

fn primal(system: &Input) -> Vec<f64> {
    vectorised(
        #[inline(always)]
        || solution(&system.x, system.s),
    )
}

/// y at time 2.
#[inline(always)]
fn solution<T: Real>(x: &[T], steps: u32) -> Vec<T> {
    let h = 2.0 / f64::from(steps);
    let [half, whole, sixth, third] = [h / 2.0, h, h / 6.0, h / 3.0].map(T::from_f64);
    let zeros = || vec![T::from_f64(0.0); x.len()];
    let (mut y, mut between) = (zeros(), zeros());
    let [mut k1, mut k2, mut k3, mut k4] = [zeros(), zeros(), zeros(), zeros()];
    for _ in 0..steps {
        slope(x, &y, &mut k1);
        advance(&y, half, &k1, &mut between);
        slope(x, &between, &mut k2);
        advance(&y, half, &k2, &mut between);
        slope(x, &between, &mut k3);
        advance(&y, whole, &k3, &mut between);
        slope(x, &between, &mut k4);
        for ((((y, &k1), &k2), &k3), &k4) in y.iter_mut().zip(&k1).zip(&k2).zip(&k3).zip(&k4) {
            *y = *y + sixth * k1 + third * k2 + third * k3 + sixth * k4;
        }
    }
    y
}

/// y′ at y.
#[inline(always)]
fn slope<T: Real>(x: &[T], y: &[T], slope: &mut [T]) {
    slope[0] = x[0];
    for ((slope, &x), &y) in slope[1..].iter_mut().zip(&x[1..]).zip(y) {
        *slope = x * y;
    }
}

/// y after some time at this slope.
#[inline(always)]
fn advance<T: Real>(y: &[T], time: T, slope: &[T], result: &mut [T]) {
    for ((result, &y), &slope) in result.iter_mut().zip(y).zip(slope) {
        *result = y + time * slope;
    }
}

/// The last yᵢ, traced; what it does not depend on is not part of the program.
struct Prepared {
    x: Vec<f64>,
    last: Program,
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { x, s } = checked(input)?;
        check_recordable(&x, s)?;
        let last = Program::trace(|x: &[Var]| solution(x, s)[x.len() - 1], &x)?;
        Ok(Self { x, last })
    }

    fn gradient(&self) -> Result<Vec<f64>, Failure> {
        Ok(self.last.gradient(&self.x)?.1)
    }
}

/// An error where all steps are more than a tape holds: a variable's step takes 18 of its 2³¹ nodes.
fn check_recordable(x: &[f64], steps: u32) -> Result<(), Failure> {
    const MOST: usize = 100_000_000;
    let given = x.len().saturating_mul(steps as usize);
    if given <= MOST {
        return Ok(());
    }
    let (what, expected) = ("s, times the length of x,", "at most 10^8");
    Err(Failure::Value { what, expected, given: given.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    fn gradient(x: &[f64], s: u32) -> Vec<f64> {
        Prepared::new(Input { x: x.to_vec(), s }).unwrap().gradient().unwrap()
    }

    /// The method is exact for powers of t up to the fourth.
    #[test]
    fn one_step_finds_the_first_four_functions() {
        // yᵢ = x₀⋯xᵢ·tⁱ⁺¹/(i + 1)! at t = 2: 1·2, 2·4/2, 6·8/6, 24·16/24.
        let y = primal(&Input { x: vec![1.0, 2.0, 3.0, 4.0], s: 1 });
        assert_close(&y, &[2.0, 4.0, 8.0, 16.0]);
    }

    #[test]
    fn three_steps_find_them_too() {
        let y = primal(&Input { x: vec![1.0, 2.0, 3.0, 4.0], s: 3 });
        assert_close(&y, &[2.0, 4.0, 8.0, 16.0]);
    }

    #[test]
    fn many_steps_come_close_to_the_sixth_function() {
        // 1·2⁶/6!.
        let y = primal(&Input { x: vec![1.0; 6], s: 1000 });
        assert!((y[5] - 64.0 / 720.0).abs() < 1e-12, "{}", y[5]);
    }

    #[test]
    fn derivatives_of_a_product_are_it_without_a_factor() {
        // y₃ = x₀·x₁·x₂·x₃·2/3 at (1, 2, 3, 4).
        assert_close(&gradient(&[1.0, 2.0, 3.0, 4.0], 2), &[16.0, 8.0, 16.0 / 3.0, 4.0]);
    }

    #[test]
    fn the_gradient_is_that_of_duals() {
        let x = numbers(9);
        let expected = oracle::gradient(|x| solution(x, 7)[8], &x);
        assert_close(&gradient(&x, 7), &expected);
    }

    #[test]
    fn the_most_steps_that_are_allowed_can_be_recorded() {
        let tape = tape::Tape::new();
        let x = tape.vars_from(&numbers(10));
        let y = solution(&x, 10);
        assert!(y[9].value() != 0.0 && tape.len() <= 18 * 10 * 10, "{} nodes", tape.len());
    }
}
