//! Ways to third derivatives.

use tape::{Dual, Error, Program, Tape, Var};

use crate::table::Scenario;
use crate::ways::first::traced_gradient;
use crate::ways::second::traced_hessian;
use crate::ways::{Answer, seeded};

fn of(third: Vec<f64>) -> Result<Answer, Error> {
    Ok(Answer { third: Some(third), ..Answer::default() })
}

pub(super) fn dual_dual_dual(s: &Scenario) -> Result<Answer, Error> {
    let n = s.x.len();
    let along = |i, j, k| -> Dual<Dual<Dual>> {
        let inner = seeded(&s.x, k);
        let middle = seeded(&inner, j);
        s.f.evaluate(&seeded(&middle, i))
    };
    let places = (0..n * n * n).map(|place| (place / n / n, place / n % n, place % n));
    of(places.map(|(i, j, k)| along(i, j, k).tangent.tangent.tangent).collect())
}

/// The Hessian is recorded on another tape, and each of its entries swept.
pub(super) fn var_var_var(s: &Scenario) -> Result<Answer, Error> {
    let outer = Tape::new();
    let x: Vec<Var> = outer.vars_from(&s.x);
    let gradient = |x: &[Var<Var>]| tape::gradient(|x: &[Var<Var<Var>>]| s.f.evaluate(x), x).1;
    let (_, hessian) = tape::jacobian(gradient, &x);
    let row = |&entry: &Var| {
        let adjoints = outer.sweep(entry);
        x.iter().map(|&x| adjoints.wrt(x)).collect::<Vec<_>>()
    };
    of(hessian.data.iter().flat_map(row).collect())
}

pub(super) fn jacobian_of_hessian(s: &Scenario) -> Result<Answer, Error> {
    of(Program::trace(|x| traced_hessian(s, x), &s.other)?.jacobian(&s.x)?.1.data)
}

pub(super) fn hessian_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let mut third = Vec::new();
    for i in 0..s.x.len() {
        let derivative = Program::trace(|x| traced_gradient(s, x)[i], &s.other)?;
        third.extend(derivative.hessian(&s.x)?.2.data);
    }
    of(third)
}
