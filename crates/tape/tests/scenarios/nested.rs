//! Traces inside traces: what an inner one asks of an outer variable is a guard of the outer one, at any depth.

use tape::{Batch, Error, Function, Program, Real, Var};

/// A program traced at one point gives the right value at another or refuses; a function gives it in any order.
#[track_caller]
fn check(f: impl Fn(&[Var]) -> Var, traced_at: f64, asked_at: f64, right: f64) {
    let program = Program::trace(&f, &[traced_at]).expect("the function can be traced");
    match program.value(&[asked_at]) {
        Ok(value) => assert_eq!(value, right, "by a program traced at {traced_at}"),
        Err(error) => assert!(matches!(error, Error::Diverged { .. }), "{error}"),
    }
    let function = Function::new(&f);
    function.value(&[traced_at]).expect("the function can be traced");
    assert_eq!(function.value(&[asked_at]), Ok(right), "by a function called at {traced_at}");
    assert_eq!(f(&[Var::constant(asked_at)]).value(), right, "by the function itself");
}

#[test]
fn an_inner_program_that_compares_an_outer_variable() {
    let f = |x: &[Var]| {
        let inner = |y: &[Var]| if x[0] > 0.0 { y[0] * 2.0 } else { y[0] * 3.0 };
        let inner = Program::trace(inner, &[1.0]).unwrap();
        x[0] * inner.value(&[1.0]).unwrap()
    };
    check(f, 1.0, -1.0, -3.0);
    check(f, -1.0, 2.0, 4.0);
}

#[test]
fn an_inner_program_that_compares_a_number_computed_from_an_outer_variable() {
    let f = |x: &[Var]| {
        let square = x[0] * x[0];
        let inner = |y: &[Var]| if square < 4.0 { y[0] } else { y[0] * y[0] };
        let inner = Program::trace(inner, &[3.0]).unwrap();
        square * inner.value(&[3.0]).unwrap()
    };
    check(f, 1.0, 3.0, 81.0);
    check(f, 3.0, -1.0, 3.0);
}

#[test]
fn a_program_in_a_program_in_a_program() {
    let f = |x: &[Var]| {
        let middle = |y: &[Var]| {
            let inner = |z: &[Var]| match (x[0] > 0.0, y[0] > 10.0) {
                (true, true) => z[0] * 2.0,
                (true, false) => z[0] * 3.0,
                (false, true) => z[0] * 5.0,
                (false, false) => z[0] * 7.0,
            };
            let inner = Program::trace(inner, &[1.0]).unwrap();
            y[0] * inner.value(&[1.0]).unwrap()
        };
        let middle = Function::new(middle);
        middle.value(&[1.0]).unwrap();
        x[0] * (middle.value(&[1.0]).unwrap() + middle.value(&[20.0]).unwrap())
    };
    check(f, 1.0, -1.0, -107.0);
    check(f, -1.0, 2.0, 86.0);
}

#[test]
fn an_inner_function_keeps_a_path_of_the_outer_variable() {
    let f = |x: &[Var]| {
        let inner = Function::new(|y: &[Var]| if x[0] > y[0] { y[0] * 2.0 } else { y[0] * 3.0 });
        let sum: f64 = [0.0, 1.0, 2.0].iter().map(|&y| inner.value(&[y]).unwrap()).sum();
        x[0] * sum
    };
    check(f, 3.0, 1.5, 12.0);
    check(f, 1.5, -1.0, -9.0);
}

#[test]
fn an_inner_batch_that_compares_an_outer_variable() {
    let f = |x: &[Var]| {
        let inner =
            |_: &[Var], row: &[Var]| if x[0] > row[0] { row[0] * 2.0 } else { row[0] * 3.0 };
        let batch = Batch::trace(inner, &[], &[1.0]).unwrap();
        x[0] * batch.map(&[], [[1.0], [2.0]]).unwrap().data.iter().sum::<f64>()
    };
    check(f, 3.0, 1.5, 12.0);
    check(f, 1.5, -1.0, -9.0);
}

#[test]
fn an_inner_gradient_that_compares_an_outer_variable() {
    let f = |x: &[Var]| {
        let inner = |y: &[Var]| if x[0] > 0.0 { y[0] * y[0] } else { y[0] * 3.0 };
        x[0] * tape::gradient(inner, &[2.0]).1[0]
    };
    check(f, 1.0, -1.0, -3.0);
    check(f, -1.0, 1.0, 4.0);
}

#[test]
fn an_inner_gradient_of_nested_variables_that_compares_them() {
    let f = |x: &[Var]| {
        let inner = |y: &[Var<Var>]| if y[0] > 0.0 { y[0] * y[0] } else { y[0] * 3.0 };
        tape::gradient(inner, x).1[0]
    };
    check(f, 1.0, -1.0, 3.0);
    check(f, -1.0, 1.0, 2.0);
}

#[test]
fn a_plain_number_taken_from_an_outer_variable_inside_an_inner_trace() {
    let f = |x: &[Var]| {
        let inner = |y: &[Var]| y[0] * x[0].primal();
        let inner = Program::trace(inner, &[1.0]).unwrap();
        x[0] * inner.value(&[1.0]).unwrap()
    };
    check(f, 1.0, -2.0, 4.0);
}

#[test]
fn a_plain_number_taken_by_value() {
    let f = |x: &[Var]| if x[0].value() > 0.0 { x[0] * 2.0 } else { x[0] * 3.0 };
    check(f, 1.0, -1.0, -3.0);
    check(f, -1.0, 1.0, 2.0);
}

#[test]
fn an_inner_hessian_whose_value_decides() {
    let f = |x: &[Var]| {
        let cube = |y: &[Var<Var>]| y[0] * y[0] * y[0];
        let curvature = tape::hessian(cube, x).2.data[0];
        if curvature > 0.0 { x[0] } else { curvature }
    };
    check(f, 1.0, -1.0, -6.0);
    check(f, -1.0, 2.0, 2.0);
}
