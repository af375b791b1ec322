//! `llsq`: a polynomial fitted to a step, ½·Σᵢ (sign tᵢ − Σⱼ xⱼ·tᵢʲ)² for n points tᵢ from −1 to 1.

use serde::Deserialize;
use tape::{Batch, Lanes, Real, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, assert_some};
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
    assert_some("x", input.x.len())?;
    assert_some("n", input.n)?;
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
        let rows: Vec<[f64; 2]> = (0..self.fit.n).map(|i| row(i, self.fit.n)).collect();
        Ok(self.term.gradient(&self.fit.x, &rows)?.1)
    }
}
