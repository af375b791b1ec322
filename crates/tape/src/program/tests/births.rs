//! Adjoints that are stored and not added to, and so not cleared.

use crate::op::Op;
use crate::program::Program;
use crate::program::batch::Batch;
use crate::program::code::Step;
use crate::real::sum;
use crate::var::Var;

const COUNT: usize = 20;

/// Σ √(x²): a row of squares, a row of roots, and a sum, which is of one instance.
fn roots(x: &[Var]) -> Var {
    sum(&x.iter().map(|&x| (x * x).sqrt()).collect::<Vec<_>>())
}

fn program() -> Program {
    Program::trace(roots, &[1.0; COUNT]).expect("a program")
}

fn steps(program: &Program, op: Op) -> impl Iterator<Item = &Step> {
    program.code.steps.iter().filter(move |step| step.op == op)
}

#[test]
fn an_adjoint_that_is_stored_next_is_not_cleared() {
    let program = program();
    assert!(steps(&program, Op::Mul).all(|step| !step.clears));
}

#[test]
fn an_adjoint_that_is_added_to_next_is_cleared() {
    let program = program();
    assert!(steps(&program, Op::Sqrt).all(|step| step.clears));
}

#[test]
fn a_sweep_leaves_nothing_to_the_next_one() {
    let program = program();
    let first = program.gradient(&[2.0; COUNT]).expect("a gradient");
    assert_eq!(program.gradient(&[2.0; COUNT]), Ok(first));
}

#[test]
fn a_sweep_leaves_nothing_to_one_by_the_rules() {
    let swept = program();
    swept.gradient(&[2.0; COUNT]).expect("a gradient");
    let mut point = [3.0; COUNT];
    point[7] = 0.0;
    let expected = format!("{:?}", program().gradient(&point));
    assert_eq!(format!("{:?}", swept.gradient(&point)), expected);
}

#[test]
fn many_rows_leave_nothing_to_few() {
    let root = |shared: &[Var], row: &[Var]| (shared[0] * row[0] * row[1]).sqrt() * shared[1];
    let batch = || Batch::trace(root, &[1.0, 1.0], &[1.0, 1.0]).expect("a batch");
    let used = batch();
    used.gradient(&[2.0, 3.0], [[5.0, 7.0]; 300]).expect("a gradient");
    let few = [[1.0, 2.0]; 3];
    assert_eq!(used.gradient(&[2.0, 3.0], few), batch().gradient(&[2.0, 3.0], few));
}
