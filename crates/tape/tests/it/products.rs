//! What solvers ask of a program: products of the Jacobian, and second derivatives of a weighted sum of outputs.

use proptest::prelude::*;
use tape::{Error, Function, Program, Var, Workspace};

/// f = x²y + e^z, g₀ = x·y·z − 1, g₁ = ln x, which is −∞ at 0.
fn outputs(x: &[Var]) -> [Var; 3] {
    [x[0] * x[0] * x[1] + x[2].exp(), x[0] * x[1] * x[2] - 1.0, x[0].ln()]
}

fn program() -> Program {
    Program::trace(outputs, &[1.0; 3]).unwrap()
}

#[test]
fn products_are_those_of_the_jacobian() {
    let (program, x) = (program(), [0.5, -2.0, 0.25]);
    let (values, jacobian) = program.jacobian(&x).unwrap();
    let (v, w) = ([1.0, -3.0, 0.5], [2.0, 0.0, -1.0]);
    let (of_columns, product) = program.jacobian_vector(&x, &v).unwrap();
    let (of_rows, row) = program.vector_jacobian(&x, &w).unwrap();
    assert_eq!((&of_columns, &of_rows), (&values, &values));
    for output in 0..3 {
        let expected: f64 = jacobian.row(output).iter().zip(v).map(|(a, v)| a * v).sum();
        assert!((product[output] - expected).abs() < 1e-14, "{product:?}");
    }
    for (input, entry) in row.iter().enumerate() {
        let expected: f64 = w.iter().enumerate().map(|(i, w)| w * jacobian.row(i)[input]).sum();
        assert!((entry - expected).abs() < 1e-14, "{row:?}");
    }
}

#[test]
fn an_output_without_a_weight_may_be_infinite() {
    let x = [0.0, -2.0, 0.25];
    let (values, gradient, hessian) = program().weighted_hessian(&x, &[1.0, 2.0, 0.0]).unwrap();
    assert_eq!(values[2], f64::NEG_INFINITY);
    assert_eq!(gradient, [-1.0, 0.0, 0.25_f64.exp()]);
    assert_eq!(hessian.row(0), [-4.0, 0.5, -4.0]);
}

#[test]
fn a_lagrangian_keeps_its_places_whatever_its_multipliers() {
    let program = program();
    for w in [[1.0, 2.0, 3.0], [0.0, 0.0, 1.0], [0.0; 3]] {
        let x = [0.5, -2.0, 0.25];
        let dense = program.weighted_hessian(&x, &w).unwrap();
        let sparse = program.weighted_sparse_hessian(&x, &w).unwrap();
        assert_eq!((dense.0, dense.1), (sparse.0, sparse.1));
        assert_eq!(sparse.2.to_dense(), dense.2);
        assert_eq!(sparse.2.data.len(), 8);
    }
}

#[test]
fn a_program_at_a_point_answers_as_the_program() {
    let (program, w) = (program(), [2.0, 0.0, -1.0]);
    for x in [[0.5, -2.0, 0.25], [0.0, 1.0, 2.0]] {
        let at = program.at(&x).unwrap();
        assert_eq!(at.point(), x);
        for _ in 0..2 {
            assert_eq!(at.values(), program.values(&x).unwrap());
            let same =
                |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same(&at.jacobian().data, &program.jacobian(&x).unwrap().1.data));
            assert!(same(&at.sparse_jacobian().data, &program.sparse_jacobian(&x).unwrap().1.data));
            let (_, gradient, hessian) = program.weighted_hessian(&x, &w).unwrap();
            assert!(same(&at.vector_jacobian(&w).unwrap(), &gradient));
            assert!(same(&at.weighted_hessian(&w).unwrap().data, &hessian.data));
            let sparse = program.weighted_sparse_hessian(&x, &w).unwrap().2;
            assert!(same(&at.weighted_sparse_hessian(&w).unwrap().data, &sparse.data));
        }
        assert!(matches!(at.value(), Err(Error::Outputs { outputs: 3, .. })));
        assert!(matches!(at.gradient(), Err(Error::Outputs { .. })));
        assert!(matches!(at.hessian(), Err(Error::Outputs { .. })));
        assert!(matches!(at.sparse_hessian(), Err(Error::Outputs { .. })));
        assert!(matches!(at.vector_jacobian(&[1.0]), Err(Error::Length { .. })));
    }
}

#[test]
fn a_program_at_a_point_of_another_path_or_where_nothing_is_finite() {
    let branch = |x: &[Var]| if x[0] < 1.0 { x[0] } else { x[0] * x[1] };
    let program = Program::trace(branch, &[2.0, 3.0]).unwrap();
    assert!(matches!(program.at(&[0.0, 1.0]), Err(Error::Diverged { .. })));
    assert!(matches!(program.at(&[0.0]), Err(Error::Length { .. })));
    // A recorded derivative, whose quick form does not serve where something is not finite.
    let slope = |x: &[Var]| tape::gradient(|x| x[0].ln() * x[1], x).1[0];
    let program = Program::trace(slope, &[2.0, 3.0]).unwrap();
    for x in [[2.0, 3.0], [0.0, 3.0], [0.0, 0.0], [f64::INFINITY, 1.0]] {
        let at = program.at(&x).unwrap();
        let (value, gradient, hessian) = program.hessian(&x).unwrap();
        let bits = |x: &[f64]| -> Vec<u64> { x.iter().map(|x| x.to_bits()).collect() };
        assert_eq!(at.value().unwrap().to_bits(), value.to_bits());
        assert_eq!(bits(&at.gradient().unwrap()), bits(&gradient));
        assert_eq!(bits(&at.hessian().unwrap().data), bits(&hessian.data));
        assert_eq!(bits(&at.sparse_hessian().unwrap().to_dense().data), bits(&hessian.data));
    }
}

#[test]
fn a_function_takes_the_path_of_the_point() {
    let f = Function::new(|x: &[Var]| if x[0] < 0.0 { [-x[0], x[1]] } else { [x[0] * x[1], x[1]] });
    assert_eq!(f.jacobian_vector(&[2.0, 3.0], &[1.0, 1.0]).unwrap().1, [5.0, 1.0]);
    assert_eq!(f.vector_jacobian(&[-2.0, 3.0], &[1.0, 1.0]).unwrap().1, [-1.0, 1.0]);
    let (_, gradient, hessian) = f.weighted_hessian(&[2.0, 3.0], &[2.0, 5.0]).unwrap();
    assert_eq!((gradient, hessian.data), (vec![6.0, 9.0], vec![0.0, 2.0, 2.0, 0.0]));
    assert_eq!(f.paths(), 2);
}

#[test]
fn lengths_that_do_not_fit_are_errors_and_leave_everything() {
    let (program, x, mut workspace) = (program(), [0.5; 3], Workspace::default());
    let (mut values, mut product) = ([7.0; 3], [7.0; 2]);
    let is_length = |result: Result<(), Error>| matches!(result, Err(Error::Length { .. }));
    assert!(is_length(program.values_into(&x, &mut workspace, &mut values[..2])));
    assert!(is_length(program.values_into(&x[..2], &mut workspace, &mut values)));
    assert!(is_length(program.jacobian_vector(&x, &x[..2]).map(drop)));
    assert!(is_length(program.jacobian_vector_into(
        &x,
        &x,
        &mut workspace,
        &mut values,
        &mut product
    )));
    assert!(is_length(program.vector_jacobian(&x, &[1.0]).map(drop)));
    assert!(is_length(program.vector_jacobian_into(
        &x,
        &x,
        &mut workspace,
        &mut values,
        &mut product
    )));
    assert!(is_length(program.weighted_hessian(&x, &[1.0]).map(drop)));
    assert!(is_length(program.weighted_sparse_hessian(&x, &[1.0; 4]).map(drop)));
    assert_eq!((values, product), ([7.0; 3], [7.0; 2]));
}

#[test]
fn another_path_is_an_error() {
    let f = |x: &[Var]| if x[0] < 1.0 { [x[0], x[0] * x[0]] } else { [x[0], -x[0]] };
    let program = Program::trace(f, &[0.5]).unwrap();
    let is_diverged = |result: Result<(), Error>| result.unwrap_err().is_diverged();
    assert!(is_diverged(program.values_into(&[2.0], &mut Workspace::default(), &mut [0.0; 2])));
    assert!(is_diverged(program.jacobian_vector(&[2.0], &[1.0]).map(drop)));
    assert!(is_diverged(program.vector_jacobian(&[2.0], &[1.0; 2]).map(drop)));
    assert!(is_diverged(program.weighted_hessian(&[2.0], &[1.0; 2]).map(drop)));
}

proptest! {
    /// (wᵀJ)·v = w·(J·v).
    #[test]
    fn the_two_products_agree(
        x in prop::array::uniform3(0.1..3.0),
        v in prop::array::uniform3(-2.0..2.0),
        w in prop::array::uniform3(-2.0..2.0),
    ) {
        let program = program();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let forwards = dot(&w, &program.jacobian_vector(&x, &v).unwrap().1);
        let backwards = dot(&program.vector_jacobian(&x, &w).unwrap().1, &v);
        prop_assert!((forwards - backwards).abs() < 1e-11, "{} and {}", forwards, backwards);
    }
}
