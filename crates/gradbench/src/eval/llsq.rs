//! `llsq`: a polynomial fitted to a step, ½·Σᵢ (sign tᵢ − Σⱼ xⱼ·tᵢʲ)² for n points tᵢ from −1 to 1.

use serde::Deserialize;
use tape::{Batch, Lanes, Real, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, check_some};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "llsq",
    functions: &[
        ("primal", |input| measure(input, checked, |fit, _| Ok(primal(fit)))),
        ("gradient", |input| measure(input, Prepared::new, |prepared, _| prepared.gradient())),
    ],
};

#[derive(Deserialize)]
struct Input {
    x: Vec<f64>,
    n: usize,
}

fn checked(input: Input) -> Result<Input, Failure> {
    check_some("x", input.x.len())?;
    if input.n < 2 {
        let (what, given) = ("n", input.n.to_string());
        return Err(Failure::Value { what, expected: "at least 2", given });
    }
    Ok(input)
}

/// tᵢ and its sign.
#[inline(always)]
fn row(i: usize, n: usize) -> [f64; 2] {
    let t = 2.0 * i as f64 / (n as f64 - 1.0) - 1.0;
    [
        t,
        if t > 0.0 {
            1.0
        } else if t < 0.0 {
            -1.0
        } else {
            0.0
        },
    ]
}

/// ½·(sign t − Σⱼ xⱼ·tʲ)².
#[inline(always)]
fn term<T: Real>(x: &[T], t: T, sign: T) -> T {
    let mut power = T::from_f64(1.0);
    let mut value = T::from_f64(0.0);
    for &x in x {
        value += x * power;
        power *= t;
    }
    let residual = sign - value;
    T::from_f64(0.5) * residual * residual
}

fn primal(fit: &Input) -> f64 {
    const LANES: usize = 16;
    vectorised(
        #[inline(always)]
        || {
            let whole = fit.n - fit.n % LANES;
            let mut sum = 0.0;
            let x: Vec<Lanes<LANES>> = fit.x.iter().map(|&x| Lanes::splat(x)).collect();
            for first in (0..whole).step_by(LANES) {
                let rows: [[f64; 2]; LANES] = core::array::from_fn(|lane| row(first + lane, fit.n));
                let [t, sign] = [0, 1].map(|part| Lanes(rows.map(|row| row[part])));
                sum += term(&x, t, sign).0.iter().sum::<f64>();
            }
            for i in whole..fit.n {
                let [t, sign] = row(i, fit.n);
                sum += term(&fit.x, t, sign);
            }
            sum
        },
    )
}

type Term = fn(&[Var], &[Var]) -> Var;

/// The term of one point, traced; it depends on the number of coefficients only.
struct Prepared {
    fit: Input,
    term: Batch<Term>,
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let fit = checked(input)?;
        let of_row: Term = |x, row| term(x, row[0], row[1]);
        let term = Batch::trace(of_row, &fit.x, &[0.5, 1.0])?;
        Ok(Self { fit, term })
    }

    fn gradient(&self) -> Result<Vec<f64>, Failure> {
        let n = self.fit.n;
        let mut rows = Vec::new();
        rows.try_reserve_exact(n)?;
        rows.extend((0..n).map(|i| row(i, n)));
        Ok(self.term.gradient(&self.fit.x, &rows)?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    /// The sum as it is written.
    fn objective<T: Real>(x: &[T], n: usize) -> T {
        T::sum_over(0..n, |i| {
            let [t, sign] = row(i, n).map(T::from_f64);
            term(x, t, sign)
        })
    }

    fn gradient(x: &[f64], n: usize) -> Vec<f64> {
        Prepared::new(Input { x: x.to_vec(), n }).unwrap().gradient().unwrap()
    }

    #[test]
    fn a_constant_is_half_a_square_away_from_a_step() {
        // The residuals at t = −1 and 1 are −1 − 1 and 1 − 1: ½·(4 + 0).
        assert_eq!(primal(&Input { x: vec![1.0], n: 2 }), 2.0);
    }

    #[test]
    fn the_step_is_0_in_the_middle() {
        // The residuals at t = −1, 0 and 1 are −1 − 2, 0 − 2 and 1 − 2: ½·(9 + 4 + 1).
        assert_eq!(primal(&Input { x: vec![2.0], n: 3 }), 7.0);
    }

    #[test]
    fn the_gradient_points_away_from_the_step() {
        // The residuals r at t = −1, 0 and 1 are −1, 0 and 1: −Σ r = 0 and −Σ r·t = −2.
        assert_eq!(gradient(&[0.0, 0.0], 3), [0.0, -2.0]);
    }

    #[test]
    fn coefficients_are_of_rising_powers() {
        // At t = −1 and 1, x₀ + x₁·t + x₂·t² with (5, 3, 1) is 3 and 9: ½·(4² + 8²).
        assert_eq!(primal(&Input { x: vec![5.0, 3.0, 1.0], n: 2 }), 40.0);
    }

    #[track_caller]
    fn check_primal(n: usize) {
        let x = numbers(5);
        assert_close(&[primal(&Input { x: x.clone(), n })], &[objective(&x, n)]);
    }

    #[test]
    fn fewer_points_than_lanes_are_summed() {
        check_primal(15);
    }

    #[test]
    fn as_many_points_as_lanes_are_summed() {
        check_primal(16);
    }

    #[test]
    fn points_beyond_the_lanes_are_summed() {
        check_primal(37);
    }

    #[track_caller]
    fn check_gradient(n: usize) {
        let x = numbers(6);
        assert_close(&gradient(&x, n), &oracle::gradient(|x| objective(x, n), &x));
    }

    #[test]
    fn the_gradient_of_few_points_is_that_of_duals() {
        check_gradient(3);
    }

    #[test]
    fn the_gradient_of_many_points_is_that_of_duals() {
        check_gradient(1001);
    }
}
