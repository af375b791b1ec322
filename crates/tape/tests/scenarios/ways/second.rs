//! Ways to a Hessian.

use tape::{Batch, Dual, Error, Function, Lanes, Program, Tape, Var, Workspace};

use crate::table::Scenario;
use crate::ways::first::{
    rows, shifted, shifts, traced_among_others, traced_dual, traced_gradient,
};
use crate::ways::{Answer, beside_others, seeded, unit, with_eight_more};

fn of(value: f64, gradient: Vec<f64>, hessian: Vec<f64>) -> Result<Answer, Error> {
    let (value, gradient, hessian) = (Some(value), Some(gradient), Some(hessian));
    Ok(Answer { value, gradient, hessian, ..Answer::default() })
}

fn of_derivatives(gradient: Vec<f64>, hessian: Vec<f64>) -> Result<Answer, Error> {
    Ok(Answer { gradient: Some(gradient), hessian: Some(hessian), ..Answer::default() })
}

fn of_hessian(hessian: Vec<f64>) -> Result<Answer, Error> {
    Ok(Answer { hessian: Some(hessian), ..Answer::default() })
}

pub(super) fn hessian(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient, hessian) = tape::hessian(|x: &[Var]| s.f.evaluate(x), &s.x);
    of(value, gradient, hessian.data)
}

pub(super) fn hessian_vector(s: &Scenario) -> Result<Answer, Error> {
    let product = |i| tape::hessian_vector(|x: &[Var]| s.f.evaluate(x), &s.x, &unit(s.x.len(), i));
    let (value, gradient, _) = product(0);
    of(value, gradient, (0..s.x.len()).flat_map(|i| product(i).2).collect())
}

pub(super) fn hessian_of_lanes(s: &Scenario) -> Result<Answer, Error> {
    let lane = 1;
    let f = |x: &[Var<Lanes<4>>]| s.f.evaluate(x);
    let (value, gradient, hessian) = tape::hessian(f, &beside_others(s, lane));
    let of_lane = |numbers: Vec<Lanes<4>>| numbers.iter().map(|number| number.0[lane]).collect();
    of(value.0[lane], of_lane(gradient), of_lane(hessian.data))
}

/// The gradient is recorded on another tape, and each of its entries swept.
pub(super) fn var_var(s: &Scenario) -> Result<Answer, Error> {
    let outer = Tape::new();
    let x: Vec<Var> = outer.vars_from(&s.x);
    let (value, gradient) = tape::gradient(|x: &[Var<Var>]| s.f.evaluate(x), &x);
    let row = |&derivative: &Var| {
        let adjoints = outer.sweep(derivative);
        x.iter().map(|&x| adjoints.wrt(x)).collect::<Vec<_>>()
    };
    let hessian = gradient.iter().flat_map(row).collect();
    of(value.value(), gradient.iter().map(|derivative| derivative.value()).collect(), hessian)
}

pub(super) fn dual_dual(s: &Scenario) -> Result<Answer, Error> {
    let n = s.x.len();
    let along = |i, j| -> Dual<Dual> {
        let inner = seeded(&s.x, j);
        s.f.evaluate(&seeded(&inner, i))
    };
    let hessian = (0..n * n).map(|place| along(place / n, place % n).tangent.tangent).collect();
    let gradient = (0..n).map(|i| along(i, 0).tangent.value).collect();
    of(along(0, 0).value.value, gradient, hessian)
}

pub(super) fn dual_var(s: &Scenario) -> Result<Answer, Error> {
    let outer = Tape::new();
    let x: Vec<Var> = outer.vars_from(&s.x);
    let mut hessian = Vec::new();
    let mut gradient = Vec::new();
    let mut value = 0.0;
    for i in 0..x.len() {
        let along: Dual<Var> = s.f.evaluate(&seeded(&x, i));
        let adjoints = outer.sweep(along.tangent);
        value = along.value.value();
        gradient.push(along.tangent.value());
        hessian.extend(x.iter().map(|&x| adjoints.wrt(x)));
    }
    of(value, gradient, hessian)
}

pub(super) fn var_dual(s: &Scenario) -> Result<Answer, Error> {
    let f = |x: &[Var<Dual>]| s.f.evaluate(x);
    let (mut hessian, mut gradient) = (Vec::new(), Vec::new());
    let mut plain = 0.0;
    for i in 0..s.x.len() {
        let (value, derivatives) = tape::gradient(f, &seeded(&s.x, i));
        plain = value.value;
        gradient = derivatives.iter().map(|derivative| derivative.value).collect();
        hessian.extend(derivatives.iter().map(|derivative| derivative.tangent));
    }
    of(plain, gradient, hessian)
}

fn traced(s: &Scenario) -> Result<Program, Error> {
    Program::trace(|x: &[Var]| s.f.evaluate(x), &s.other)
}

pub(super) fn program_hessian(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient, hessian) = traced(s)?.hessian(&s.x)?;
    of(value, gradient, hessian.data)
}

pub(super) fn program_weighted_hessian(s: &Scenario) -> Result<Answer, Error> {
    let program = traced_among_others(s)?;
    let (values, gradient, hessian) = program.weighted_hessian(&s.x, &[0.0, 1.0, 0.0])?;
    of(values[1], gradient, hessian.data)
}

pub(super) fn program_weighted_sparse_hessian(s: &Scenario) -> Result<Answer, Error> {
    let program = traced_among_others(s)?;
    let (values, gradient, hessian) = program.weighted_sparse_hessian(&s.x, &[0.0, 1.0, 0.0])?;
    of(values[1], gradient, hessian.to_dense().data)
}

pub(super) fn program_of_eight_columns(s: &Scenario) -> Result<Answer, Error> {
    let n = s.x.len();
    let more = |x: &[Var]| s.f.evaluate(&x[..n]) - tape::dot(&x[n..], &x[n..]);
    let program = Program::trace(more, &with_eight_more(&s.other))?;
    let (value, gradient, hessian) = program.hessian(&with_eight_more(&s.x))?;
    let rows = (0..n).flat_map(|row| hessian.row(row)[..n].to_vec());
    of(value, gradient[..n].to_vec(), rows.collect())
}

pub(super) fn program_sparse_hessian(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient, hessian) = traced(s)?.sparse_hessian(&s.x)?;
    of(value, gradient, hessian.to_dense().data)
}

pub(super) fn program_hessian_vector(s: &Scenario) -> Result<Answer, Error> {
    let program = traced(s)?;
    let (value, gradient, _) = program.hessian_vector(&s.x, &unit(s.x.len(), 0))?;
    let mut hessian = Vec::new();
    for i in 0..s.x.len() {
        hessian.extend(program.hessian_vector(&s.x, &unit(s.x.len(), i))?.2);
    }
    of(value, gradient, hessian)
}

pub(super) fn function_hessian(s: &Scenario) -> Result<Answer, Error> {
    let function = Function::new(|x: &[Var]| s.f.evaluate(x));
    function.hessian(&s.other)?;
    let (value, gradient, hessian) = function.hessian(&s.x)?;
    of(value, gradient, hessian.data)
}

pub(super) fn jacobian_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| traced_gradient(s, x), &s.other)?;
    let (gradient, hessian) = program.jacobian(&s.x)?;
    of_derivatives(gradient, hessian.data)
}

pub(super) fn sparse_jacobian_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| traced_gradient(s, x), &s.other)?;
    let (gradient, hessian) = program.sparse_jacobian(&s.x)?;
    of_derivatives(gradient, hessian.to_dense().data)
}

pub(super) fn jacobian_of_dual(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| traced_dual(s, x), &s.other)?;
    let (gradient, hessian) = program.jacobian(&s.x)?;
    of_derivatives(gradient, hessian.data)
}

pub(super) fn function_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let function = Function::new(|x: &[Var]| traced_gradient(s, x));
    function.jacobian(&s.other)?;
    let (gradient, hessian) = function.jacobian(&s.x)?;
    of_derivatives(gradient, hessian.data)
}

/// By replay on dual numbers.
pub(super) fn traced_hessian(s: &Scenario, x: &[Var]) -> Vec<Var> {
    tape::hessian(|x: &[Var<Var>]| s.f.evaluate(x), x).2.data
}

/// By a tape of a tape.
pub(super) fn traced_nested_gradients(s: &Scenario, x: &[Var]) -> Vec<Var> {
    let gradient = |x: &[Var<Var>]| tape::gradient(|x: &[Var<Var<Var>>]| s.f.evaluate(x), x).1;
    tape::jacobian(gradient, x).1.data
}

pub(super) fn program_of_hessian(s: &Scenario) -> Result<Answer, Error> {
    of_hessian(Program::trace(|x| traced_hessian(s, x), &s.other)?.values(&s.x)?)
}

pub(super) fn program_of_nested_gradients(s: &Scenario) -> Result<Answer, Error> {
    of_hessian(Program::trace(|x| traced_nested_gradients(s, x), &s.other)?.values(&s.x)?)
}

pub(super) fn batch_map_of_hessian(s: &Scenario) -> Result<Answer, Error> {
    let hessian = |_: &[Var], row: &[Var]| traced_hessian(s, row);
    let batch = Batch::trace(hessian, &[], &s.other)?;
    of_hessian(batch.map(&[], rows(s))?.row(1).to_vec())
}

pub(super) fn program_hessian_into(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| s.f.evaluate(x), &s.other)?;
    let n = s.x.len();
    let (mut workspace, mut gradient, mut hessian) =
        (Workspace::default(), vec![0.0; n], vec![0.0; n * n]);
    program.hessian_into(&s.other, &mut workspace, &mut gradient, &mut hessian)?;
    let value = program.hessian_into(&s.x, &mut workspace, &mut gradient, &mut hessian)?;
    of(value, gradient, hessian)
}

pub(super) fn program_at(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| s.f.evaluate(x), &s.other)?;
    let at = program.at(&s.x)?;
    of(at.values()[0], at.jacobian().data, at.hessian()?.data)
}

pub(super) fn batch_hessian(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(shifted(s), &shifts(s), &s.other)?;
    let (value, gradient, hessian) = batch.hessian(&shifts(s), [&s.x[..]])?;
    of(value, gradient, hessian.data)
}

pub(super) fn batch_hessian_of_shared(s: &Scenario) -> Result<Answer, Error> {
    let f = |shared: &[Var], _: &[Var]| s.f.evaluate(shared);
    let batch = Batch::trace(f, &s.other, &[0.0])?;
    let (value, gradient, hessian) = batch.hessian(&s.x, [[0.0]])?;
    of(value, gradient, hessian.data)
}

pub(super) fn batch_hessian_vector(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(shifted(s), &shifts(s), &s.other)?;
    let product = |i| batch.hessian_vector(&shifts(s), [&s.x[..]], &unit(s.x.len(), i));
    let (value, gradient, mut hessian) = product(0)?;
    for i in 1..s.x.len() {
        hessian.extend(product(i)?.2);
    }
    of(value, gradient, hessian)
}

pub(super) fn batch_map_of_nested_gradients(s: &Scenario) -> Result<Answer, Error> {
    let hessian = |_: &[Var], row: &[Var]| traced_nested_gradients(s, row);
    let batch = Batch::trace(hessian, &[], &s.other)?;
    of_hessian(batch.map(&[], rows(s))?.row(1).to_vec())
}

fn penalty(s: &Scenario, x: &[Var]) -> Var {
    let gradient = traced_gradient(s, x);
    tape::dot(&gradient, &gradient)
}

pub(super) fn program_of_penalty(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| penalty(s, x), &s.other)?;
    let (_, gradient) = program.gradient(&s.x)?;
    Ok(Answer { penalty: Some(gradient), ..Answer::default() })
}

/// −0 changes no number, not even 0.
pub(super) fn batch_of_penalty(s: &Scenario) -> Result<Answer, Error> {
    let shifted = |shared: &[Var], row: &[Var]| {
        let point: Vec<Var> = shared.iter().zip(row).map(|(&shift, &x)| x + shift).collect();
        penalty(s, &point)
    };
    let shifts = vec![-0.0; s.x.len()];
    let batch = Batch::trace(shifted, &shifts, &s.other)?;
    let (_, gradient) = batch.gradient(&shifts, [&s.x[..]])?;
    Ok(Answer { penalty: Some(gradient), ..Answer::default() })
}
