//! Ways to a gradient.

use tape::{Batch, Dual, Error, Function, Lanes, Program, Tape, Var, Workspace};

use crate::own;
use crate::table::Scenario;
use crate::ways::{Answer, beside_others, seeded, unit, with_eight_more};

fn of(value: f64, gradient: Vec<f64>) -> Result<Answer, Error> {
    Ok(Answer { value: Some(value), gradient: Some(gradient), ..Answer::default() })
}

fn of_gradient(gradient: Vec<f64>) -> Result<Answer, Error> {
    Ok(Answer { gradient: Some(gradient), ..Answer::default() })
}

pub(super) fn sweep(s: &Scenario) -> Result<Answer, Error> {
    let tape = Tape::new();
    let x: Vec<Var> = tape.vars_from(&s.x);
    let y = s.f.evaluate(&x);
    let adjoints = tape.sweep(y);
    of(y.value(), x.iter().map(|&x| adjoints.wrt(x)).collect())
}

pub(super) fn gradient(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient) = tape::gradient(|x: &[Var]| s.f.evaluate(x), &s.x);
    of(value, gradient)
}

pub(super) fn jacobian(s: &Scenario) -> Result<Answer, Error> {
    let two = |x: &[Var]| vec![x[0] + 1.0, s.f.evaluate(x)];
    let (values, jacobian) = tape::jacobian(two, &s.x);
    of(values[1], jacobian.row(1).to_vec())
}

/// Half of the seed twice.
pub(super) fn sweep_seeded(s: &Scenario) -> Result<Answer, Error> {
    let tape = Tape::new();
    let x: Vec<Var> = tape.vars_from(&s.x);
    let y = s.f.evaluate(&x);
    let adjoints = tape.sweep_seeded(&[(y, 0.5), (x[0] + 1.0, 0.0), (y, 0.5)]);
    of(y.value(), x.iter().map(|&x| adjoints.wrt(x)).collect())
}

pub(super) fn dual(s: &Scenario) -> Result<Answer, Error> {
    let along = |i| -> Dual { s.f.evaluate(&seeded(&s.x, i)) };
    of(along(0).value, (0..s.x.len()).map(|i| along(i).tangent).collect())
}

pub(super) fn var_lanes(s: &Scenario, lane: usize) -> Result<Answer, Error> {
    let f = |x: &[Var<Lanes<4>>]| s.f.evaluate(x);
    let (value, gradient) = tape::gradient(f, &beside_others(s, lane));
    of(value.0[lane], gradient.iter().map(|derivative| derivative.0[lane]).collect())
}

pub(super) fn dual_lanes(s: &Scenario, lane: usize) -> Result<Answer, Error> {
    let x = beside_others(s, lane);
    let along = |i| -> Dual<Lanes<4>> { s.f.evaluate(&seeded(&x, i)) };
    of(along(0).value.0[lane], (0..x.len()).map(|i| along(i).tangent.0[lane]).collect())
}

/// A number that is recorded, without value or derivative, whatever `x` is.
fn recorded_nothing(x: Var) -> Var {
    tape::select(Var::constant(0.0), x, Var::constant(-0.0))
}

pub(super) fn sum_over_first(s: &Scenario) -> Result<Answer, Error> {
    let sum = |x: &[Var]| {
        tape::sum_over([true, false], |is_term| {
            if is_term { s.f.evaluate(x) } else { recorded_nothing(x[0]) }
        })
    };
    let (value, gradient) = tape::gradient(sum, &s.x);
    of(value, gradient)
}

pub(super) fn sum_over_later(s: &Scenario) -> Result<Answer, Error> {
    let sum = |x: &[Var]| {
        tape::sum_over([false, true, false], |is_term| {
            if is_term { s.f.evaluate(x) } else { recorded_nothing(x[0]) }
        })
    };
    let (value, gradient) = tape::gradient(sum, &s.x);
    of(value, gradient)
}

/// As one factor of a product, so that its adjoint is not 1.
pub(super) fn sum_over_of_a_tape(s: &Scenario) -> Result<Answer, Error> {
    let tape = Tape::new();
    let x: Vec<Var> = tape.vars_from(&s.x);
    let sum = tape.sum_over([()], |()| s.f.evaluate(&x));
    let adjoints = tape.sweep_seeded(&[(sum, 2.0)]);
    of(sum.value(), x.iter().map(|&x| 0.5 * adjoints.wrt(x)).collect())
}

/// Whether the point is one of `f32`, and what is right within its range.
pub(super) fn fits_single(s: &Scenario) -> bool {
    let is_normal = |x: &f64| *x == 0.0 || !x.is_finite() || (1e-37..1e37).contains(&x.abs());
    let gradient = s.gradient.as_deref().unwrap_or(&[]);
    let value = s.value.unwrap_or(0.0);
    s.x.iter().all(|&x| same(x) || x.is_nan())
        && s.x.iter().chain(gradient).chain([&value]).all(is_normal)
}

#[allow(clippy::float_cmp, reason = "whether rounding changes nothing")]
fn same(x: f64) -> bool {
    f64::from(x as f32) == x
}

pub(super) fn single(s: &Scenario) -> Result<Answer, Error> {
    let x: Vec<f32> = s.x.iter().map(|&x| x as f32).collect();
    let (value, gradient) = tape::gradient(|x: &[Var<f32>]| s.f.evaluate(x), &x);
    of(value.into(), gradient.into_iter().map(f64::from).collect())
}

fn traced(s: &Scenario) -> Result<Program, Error> {
    Program::trace(|x: &[Var]| s.f.evaluate(x), &s.other)
}

pub(super) fn program_gradient(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient) = traced(s)?.gradient(&s.x)?;
    of(value, gradient)
}

/// Beside two other outputs: for few inputs, forward mode.
pub(super) fn program_jacobian(s: &Scenario) -> Result<Answer, Error> {
    let three = |x: &[Var]| vec![x[0] + 1.0, s.f.evaluate(x), x[0] + 2.0];
    let (values, jacobian) = Program::trace(three, &s.other)?.jacobian(&s.x)?;
    of(values[1], jacobian.row(1).to_vec())
}

/// The function among two others, so that there are weights to choose.
pub(super) fn traced_among_others(s: &Scenario) -> Result<Program, Error> {
    Program::trace(|x: &[Var]| [x[0] + 1.0, s.f.evaluate(x), x[0] + 2.0], &s.other)
}

pub(super) fn program_values_into(s: &Scenario) -> Result<Answer, Error> {
    let (mut workspace, mut values) = (Workspace::default(), [0.0; 3]);
    let program = traced_among_others(s)?;
    program.values_into(&s.other, &mut workspace, &mut values)?;
    program.values_into(&s.x, &mut workspace, &mut values)?;
    Ok(Answer { value: Some(values[1]), ..Answer::default() })
}

pub(super) fn program_jacobian_vector(s: &Scenario) -> Result<Answer, Error> {
    let program = traced_among_others(s)?;
    let (mut workspace, mut values, mut product) = (Workspace::default(), [0.0; 3], [0.0; 3]);
    let mut gradient = Vec::new();
    for i in 0..s.x.len() {
        let v = unit(s.x.len(), i);
        gradient.push(program.jacobian_vector(&s.x, &v)?.1[1]);
        program.jacobian_vector_into(&s.x, &v, &mut workspace, &mut values, &mut product)?;
        assert!(product[1].to_bits() == gradient[i].to_bits() || product[1].is_nan());
    }
    of(values[1], gradient)
}

pub(super) fn program_vector_jacobian(s: &Scenario) -> Result<Answer, Error> {
    let (values, product) = traced_among_others(s)?.vector_jacobian(&s.x, &[0.0, 1.0, 0.0])?;
    of(values[1], product)
}

pub(super) fn program_vector_jacobian_into(s: &Scenario) -> Result<Answer, Error> {
    let (mut workspace, mut values) = (Workspace::default(), [0.0; 3]);
    let mut product = vec![0.0; s.x.len()];
    let weights = [0.0, 1.0, 0.0];
    let program = traced_among_others(s)?;
    for x in [&s.other, &s.x] {
        program.vector_jacobian_into(x, &weights, &mut workspace, &mut values, &mut product)?;
    }
    of(values[1], product)
}

pub(super) fn program_of_eight_rows(s: &Scenario) -> Result<Answer, Error> {
    let n = s.x.len();
    let eight = |x: &[Var]| {
        let mut outputs = x[n..].to_vec();
        outputs[3] = s.f.evaluate(&x[..n]);
        outputs
    };
    let program = Program::trace(eight, &with_eight_more(&s.other))?;
    let (values, jacobian) = program.jacobian(&with_eight_more(&s.x))?;
    of(values[3], jacobian.row(3)[..n].to_vec())
}

pub(super) fn program_of_eight_columns(s: &Scenario) -> Result<Answer, Error> {
    let n = s.x.len();
    let many = |x: &[Var]| {
        let others = x.iter().map(|&x| x * 2.0);
        [s.f.evaluate(&x[..n]), x[n] + 1.0].into_iter().chain(others).collect::<Vec<Var>>()
    };
    let program = Program::trace(many, &with_eight_more(&s.other))?;
    let (values, jacobian) = program.jacobian(&with_eight_more(&s.x))?;
    of(values[0], jacobian.row(0)[..n].to_vec())
}

pub(super) fn program_sparse_jacobian(s: &Scenario) -> Result<Answer, Error> {
    let (values, jacobian) = traced(s)?.sparse_jacobian(&s.x)?;
    of(values[0], jacobian.to_dense().data)
}

pub(super) fn program_of_bytes(s: &Scenario) -> Result<Answer, Error> {
    let (value, gradient) = own::read(&traced(s)?.to_bytes())?.gradient(&s.x)?;
    of(value, gradient)
}

pub(super) fn function_gradient(s: &Scenario) -> Result<Answer, Error> {
    let function = Function::new(|x: &[Var]| s.f.evaluate(x));
    function.gradient(&s.other)?;
    let (value, gradient) = function.gradient(&s.x)?;
    of(value, gradient)
}

pub(super) fn function_jacobian(s: &Scenario) -> Result<Answer, Error> {
    let function = Function::new(|x: &[Var]| [x[0] + 1.0, s.f.evaluate(x)]);
    function.jacobian(&s.other)?;
    let (values, jacobian) = function.jacobian(&s.x)?;
    of(values[1], jacobian.row(1).to_vec())
}

pub(super) fn batch_shared(s: &Scenario) -> Result<Answer, Error> {
    let f = |shared: &[Var], _: &[Var]| s.f.evaluate(shared);
    let batch = Batch::trace(f, &s.other, &[0.0])?;
    let (value, gradient) = batch.gradient(&s.x, [[0.0]])?;
    of(value, gradient)
}

/// The function of a row that is shifted.
pub(super) fn shifted(s: &Scenario) -> impl Fn(&[Var], &[Var]) -> Var + use<'_> {
    |shifts, row| {
        let point: Vec<Var> = shifts.iter().zip(row).map(|(&shift, &x)| x + shift).collect();
        s.f.evaluate(&point)
    }
}

/// −0 changes no number, not even 0.
pub(super) fn shifts(s: &Scenario) -> Vec<f64> {
    vec![-0.0; s.x.len()]
}

pub(super) fn batch_row(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(shifted(s), &shifts(s), &s.other)?;
    let (value, gradient) = batch.gradient(&shifts(s), [&s.x[..]])?;
    of(value, gradient)
}

pub(super) fn batch_value(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(shifted(s), &shifts(s), &s.other)?;
    let value = batch.value(&shifts(s), [&s.x[..]])?;
    Ok(Answer { value: Some(value), ..Answer::default() })
}

pub(super) fn batch_jacobian(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(shifted(s), &shifts(s), &s.other)?;
    let (values, jacobian) = batch.jacobian(&shifts(s), rows(s))?;
    of(values[1], jacobian.row(1).to_vec())
}

pub(super) fn batch_jacobian_of_shared(s: &Scenario) -> Result<Answer, Error> {
    let f = |shared: &[Var], row: &[Var]| [row[0], s.f.evaluate(shared)];
    let batch = Batch::trace(f, &s.other, &[0.0])?;
    let (values, jacobian) = batch.jacobian(&s.x, [[1.0], [2.0]])?;
    of(values[3], jacobian.row(3).to_vec())
}

pub(super) fn batch_gradients(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(|_: &[Var], row: &[Var]| s.f.evaluate(row), &[], &s.other)?;
    let (values, gradients) = batch.gradients(&[], rows(s))?;
    of(values[1], gradients.row(1).to_vec())
}

/// The rows of a batch: the point between two others.
pub(super) fn rows(s: &Scenario) -> [&[f64]; 3] {
    [&s.other, &s.x, &s.other]
}

pub(super) fn batch_map(s: &Scenario) -> Result<Answer, Error> {
    let batch = Batch::trace(|_: &[Var], row: &[Var]| s.f.evaluate(row), &[], &s.other)?;
    let values = batch.map(&[], rows(s))?;
    Ok(Answer { value: Some(values[(1, 0)]), ..Answer::default() })
}

/// The gradient on variables: what is traced to have it in a program.
pub(super) fn traced_gradient(s: &Scenario, x: &[Var]) -> Vec<Var> {
    tape::gradient(|x: &[Var<Var>]| s.f.evaluate(x), x).1
}

pub(super) fn batch_map_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let gradient = |_: &[Var], row: &[Var]| traced_gradient(s, row);
    let batch = Batch::trace(gradient, &[], &s.other)?;
    of_gradient(batch.map(&[], rows(s))?.row(1).to_vec())
}

pub(super) fn batch_map_of_dual(s: &Scenario) -> Result<Answer, Error> {
    let gradient = |_: &[Var], row: &[Var]| traced_dual(s, row);
    let batch = Batch::trace(gradient, &[], &s.other)?;
    of_gradient(batch.map(&[], rows(s))?.row(1).to_vec())
}

/// The same by forward mode.
pub(super) fn traced_dual(s: &Scenario, x: &[Var]) -> Vec<Var> {
    let along = |i| -> Dual<Var> { s.f.evaluate(&seeded(x, i)) };
    (0..x.len()).map(|i| along(i).tangent).collect()
}

pub(super) fn program_jacobian_into(s: &Scenario) -> Result<Answer, Error> {
    let f = |x: &[Var]| [x[0], s.f.evaluate(x)];
    let program = Program::trace(f, &s.other)?;
    let (mut workspace, mut values) = (Workspace::default(), [0.0; 2]);
    let mut jacobian = vec![0.0; 2 * s.x.len()];
    program.jacobian_into(&s.other, &mut workspace, &mut values, &mut jacobian)?;
    program.jacobian_into(&s.x, &mut workspace, &mut values, &mut jacobian)?;
    of(values[1], jacobian.split_off(s.x.len()))
}

pub(super) fn program_at(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| s.f.evaluate(x), &s.other)?;
    let at = program.at(&s.x)?;
    // The second sweep is from the same values.
    at.jacobian();
    of(at.value()?, at.gradient()?)
}

pub(super) fn program_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    of_gradient(Program::trace(|x| traced_gradient(s, x), &s.other)?.values(&s.x)?)
}

pub(super) fn program_of_gradient_by_bytes(s: &Scenario) -> Result<Answer, Error> {
    let program = Program::trace(|x| traced_gradient(s, x), &s.other)?;
    of_gradient(own::read(&program.to_bytes())?.values(&s.x)?)
}

pub(super) fn program_of_dual(s: &Scenario) -> Result<Answer, Error> {
    of_gradient(Program::trace(|x| traced_dual(s, x), &s.other)?.values(&s.x)?)
}

pub(super) fn function_of_gradient(s: &Scenario) -> Result<Answer, Error> {
    let function = Function::new(|x: &[Var]| traced_gradient(s, x));
    function.values(&s.other)?;
    of_gradient(function.values(&s.x)?)
}
