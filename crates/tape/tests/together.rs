//! Parts together: recorded derivatives in bytes, on threads, in batches, and beside a trace that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tape::{Batch, Function, Program, Var};

fn masked_root(x: &[Var<Var>]) -> Var<Var> {
    tape::select(x[0], x[0].sqrt(), Var::from_f64(0.0)) + x[1].abs()
}

fn gradient(x: &[Var]) -> Vec<Var> {
    tape::gradient(masked_root, x).1
}

fn is_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Points at which the quick form of the recorded gradient does not serve, and others.
const POINTS: [[f64; 2]; 6] = [
    [4.0, 1.0],
    [-1.0, -2.0],
    [0.0, 0.0],
    [f64::INFINITY, 3.0],
    [f64::NAN, -1.0],
    [-0.0, f64::NEG_INFINITY],
];

fn direct(x: &[f64]) -> Vec<f64> {
    let f = |x: &[Var]| tape::select(x[0], x[0].sqrt(), Var::from_f64(0.0)) + x[1].abs();
    tape::gradient(f, x).1
}

#[test]
fn a_recorded_gradient_from_bytes_serves_all_points_on_all_threads_at_once() {
    let program = Program::trace(gradient, &[1.0, 1.0]).unwrap();
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let program = &program;
            scope.spawn(move || {
                for turn in 0..60 {
                    let x = POINTS[(first + turn) % POINTS.len()];
                    let got = program.values(&x).unwrap();
                    assert!(got.iter().zip(direct(&x)).all(|(&a, b)| is_same(a, b)), "{x:?}");
                }
            });
        }
    });
}

#[test]
fn rows_that_are_not_finite_leave_their_neighbours_alone() {
    let of_row = |_: &[Var], row: &[Var]| gradient(row);
    let batch = Batch::trace(of_row, &[], &[1.0, 1.0]).unwrap();
    let rows: Vec<[f64; 2]> = POINTS.iter().cycle().take(700).copied().collect();
    let got = batch.map(&[], &rows).unwrap().data;
    for (x, got) in rows.iter().zip(got.chunks_exact(2)) {
        assert!(got.iter().zip(direct(x)).all(|(&a, b)| is_same(a, b)), "{got:?} at {x:?}");
    }
}

#[test]
fn a_trace_inside_that_panics_leaves_the_outer_one_its_comparisons() {
    let f = Function::new(|x: &[Var]| {
        let inner =
            || Program::trace(|y| if x[0] > y[0] { panic!("inside") } else { y[0] }, &[0.5]);
        let panicked = catch_unwind(AssertUnwindSafe(inner)).is_err();
        let factor = if x[0] > 2.0 { 5.0 } else { 3.0 };
        x[0] * factor + if panicked { 100.0 } else { 0.0 }
    });
    for (x, right) in [(3.0, 115.0), (1.0, 103.0), (0.25, 0.75), (3.0, 115.0), (2.5, 112.5)] {
        assert_eq!(f.value(&[x]).unwrap(), right, "at {x}");
    }
}
