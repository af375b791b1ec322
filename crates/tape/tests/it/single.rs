//! A batch in single precision gives what it gives in double precision, as far as the digits of `f32` go.

use tape::{Batch, Error, Op, Outputs, Var};

use crate::batch::{long, rows};
use crate::engines::agree;

/// The sums in single precision are those in double precision: the value within so many times its size, the derivatives
/// within so many times the norm of all.
#[track_caller]
fn check(f: impl Fn(&[Var], &[Var]) -> Var, shared: &[f64], rows: &[Vec<f64>], tolerance: f64) {
    let double = Batch::trace(&f, shared, &rows[0]).unwrap();
    let single = Batch::trace(&f, shared, &rows[0]).unwrap().in_single_precision();
    let (expected, expected_gradient) = double.gradient(shared, rows).unwrap();
    let (value, gradient) = single.gradient(shared, rows).unwrap();
    assert!(agree(value, expected, expected.abs(), tolerance), "{value:e}, not {expected:e}");
    let norm = tape::norm(&expected_gradient);
    for (&a, &b) in gradient.iter().zip(&expected_gradient) {
        assert!(agree(a, b, norm, tolerance), "{gradient:?}, not {expected_gradient:?}");
    }
    assert_eq!(single.value(shared, rows).unwrap().to_bits(), value.to_bits());
}

#[test]
fn every_operation_keeps_the_digits_of_f32() {
    for &op in Op::ALL {
        let is_indexed = ["powi", "polygamma"].contains(&op.name());
        let f = |shared: &[Var], row: &[Var]| {
            let argument = |i: usize| match (is_indexed, i) {
                (true, 1) => Var::constant(3.0),
                _ => row[i] + shared[i],
            };
            op.apply(&(0..row.len()).map(argument).collect::<Vec<_>>())
        };
        let ranges = op.ranges();
        let point = |unit: Vec<f64>| -> Vec<f64> {
            let place = |(unit, range): (f64, &core::ops::Range<f64>)| {
                f64::from(
                    (f64::midpoint(range.start, range.end)
                        + unit * 0.49 * (range.end - range.start)) as f32,
                )
            };
            unit.into_iter().zip(ranges).map(place).collect()
        };
        for row in rows(40, ranges.len()).into_iter().map(point) {
            let shared = vec![0.0; ranges.len()];
            check(f, &shared, &[row.clone(), row.clone(), row], 3e-6);
        }
    }
}

/// Two layers and a cross-entropy.
fn network(shared: &[Var], row: &[Var]) -> Var {
    let (first, rest) = shared.split_at(48);
    let hidden: Vec<Var> = first.chunks(8).map(|w| tape::dot(w, &row[..8]).tanh()).collect();
    let outputs: Vec<Var> =
        rest.chunks(7).map(|w| tape::dot(&w[..6], &hidden) + w[6]).map(Var::gelu).collect();
    tape::log_sum_exp(&outputs) - outputs[1]
}

fn network_parameters() -> Vec<f64> {
    rows(1, 48 + 21).remove(0)
}

#[test]
fn every_number_of_rows() {
    for count in [1, 7, 8, 31, 32, 33, 63, 64, 65, 97, 128, 257, 1_000] {
        check(network, &network_parameters(), &rows(count, 8), 2e-6);
    }
}

#[test]
fn rows_too_long_to_be_run_together() {
    check(long, &[0.5, 0.1], &rows(3, 2), 1e-5);
}

#[test]
fn many_rows_cost_no_digits() {
    // A sum in single precision stops growing, or loses half its digits: 0.1 is no f32.
    let f = |shared: &[Var], row: &[Var]| shared[0] * row[0];
    let count = 2_000_000;
    let batch = Batch::trace(f, &[1.0], &[0.0]).unwrap().in_single_precision();
    let (value, gradient) = batch.gradient(&[1.0], vec![0.1; count].as_slice()).unwrap();
    let expected = count as f64 * f64::from(0.1_f32);
    assert!(agree(value, expected, expected, 1e-9), "{value}");
    assert!(agree(gradient[0], expected, expected, 3e-7), "{gradient:?}");
}

#[test]
fn rows_that_take_several_paths() {
    let f = |shared: &[Var], row: &[Var]| {
        if row[0] * shared[0] > 0.3 { row[0].exp() * shared[1] } else { shared[0].sin() * row[0] }
    };
    check(f, &[0.7, 1.1], &rows(300, 1), 1e-6);
}

#[test]
fn a_comparison_that_single_precision_decides_otherwise_is_computed_in_double() {
    // 1 + 1e-9 is 1 in single precision.
    let f = |shared: &[Var], row: &[Var]| {
        if row[0] + row[1] > 1.0 { shared[0] * 2.0 } else { shared[0] * 3.0 }
    };
    let batch = Batch::trace(f, &[1.5], &[1.0, 1.0]).unwrap().in_single_precision();
    let (value, gradient) = batch.gradient(&[1.5], [[1.0, 1e-9], [0.0, 0.0]]).unwrap();
    assert_eq!((value, gradient), (7.5, vec![5.0]));
}

#[test]
fn what_leaves_the_range_of_f32_is_infinite() {
    let f = |shared: &[Var], row: &[Var]| (shared[0] * row[0]).exp();
    let batch = Batch::trace(f, &[1.0], &[1.0]).unwrap();
    let rows = [[1.0], [100.0]];
    assert!(batch.gradient(&[1.0], rows).unwrap().0.is_finite());
    let single = batch.in_single_precision();
    assert_eq!(single.gradient(&[1.0], rows).unwrap(), (f64::INFINITY, vec![f64::INFINITY]));
    assert_eq!(single.value(&[1.0], rows).unwrap(), f64::INFINITY);
}

#[test]
fn nan_in_a_dead_branch_does_no_harm() {
    let f = |shared: &[Var], row: &[Var]| {
        tape::select(row[0], (shared[0] * row[0]).sqrt(), shared[0] * row[0])
    };
    let batch = Batch::trace(f, &[1.0], &[1.0]).unwrap().in_single_precision();
    assert_eq!(batch.gradient(&[1.0], [[4.0], [-2.0]]).unwrap(), (0.0, vec![-1.0]));
}

#[test]
fn other_methods_stay_in_double_precision() {
    fn of<R: Outputs>(f: impl Fn(&[Var], &[Var]) -> R, is_single: bool) -> Vec<f64> {
        let batch = Batch::trace(f, &[0.1], &[0.3]).unwrap();
        let batch = if is_single { batch.in_single_precision() } else { batch };
        batch.map(&[0.1], [0.3, 0.7]).unwrap().data
    }
    let f = |shared: &[Var], row: &[Var]| shared[0] * row[0];
    assert_eq!(of(f, true), of(f, false));
}

#[test]
fn wrong_lengths_are_told() {
    let f = |shared: &[Var], row: &[Var]| shared[0] * row[0];
    let batch = Batch::trace(f, &[0.1], &[0.3]).unwrap().in_single_precision();
    assert!(matches!(batch.gradient(&[0.1, 0.2], [0.3]), Err(Error::Length { .. })));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let parameters = network_parameters();
    let many = rows(4_003, 8);
    let in_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let batch = Batch::trace(network, &parameters, &many[0]).unwrap();
            let (value, gradient) =
                batch.in_single_precision().gradient(&parameters, &many).unwrap();
            [value].into_iter().chain(gradient).map(f64::to_bits).collect::<Vec<u64>>()
        })
    };
    let alone = in_threads(1);
    for threads in [2, 3, 8] {
        assert_eq!(in_threads(threads), alone, "{threads} threads");
    }
}
