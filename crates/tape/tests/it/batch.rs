//! `Batch` gives the sum of what the function gives for each row, whatever paths the rows take.

use proptest::prelude::*;
use tape::{Batch, Error, Matrix, Rewrites, Var};

use crate::branches::{Branching, INPUTS, branching, point};
use crate::engines::agree;

/// The plain sum over the rows, one recording for each.
fn plain_sum(
    f: impl Fn(&[Var], &[Var]) -> Var,
    shared: &[f64],
    rows: &[Vec<f64>],
) -> (f64, Vec<f64>) {
    let (mut sum, mut sums) = (0.0, vec![0.0; shared.len()]);
    for row in rows {
        let x = [shared, row].concat();
        let (value, gradient) = tape::gradient(|x| f(&x[..shared.len()], &x[shared.len()..]), &x);
        sum += value;
        sums.iter_mut().zip(gradient).for_each(|(sum, derivative)| *sum += derivative);
    }
    (sum, sums)
}

/// The batch gives the plain sum, with so many paths; a second time too, when all paths are known.
#[track_caller]
fn check(
    f: impl Fn(&[Var], &[Var]) -> Var,
    shared: &[f64],
    rows: &[Vec<f64>],
    paths: usize,
) -> (f64, Vec<f64>) {
    let batch = Batch::trace(&f, shared, &rows[0]).unwrap();
    let (expected, expected_gradient) = plain_sum(&f, shared, rows);
    let (value, gradient) = batch.gradient(shared, rows).unwrap();
    assert!(agree(value, expected, expected.abs(), 1e-13), "{value:e}, not {expected:e}");
    for (&a, &b) in gradient.iter().zip(&expected_gradient) {
        assert!(agree(a, b, b.abs(), 1e-12), "{gradient:?}, not {expected_gradient:?}");
    }
    assert_eq!(batch.paths(), paths);
    let again = batch.gradient(shared, rows).unwrap();
    let bits = |(value, gradient): &(f64, Vec<f64>)| -> Vec<u64> {
        [*value].iter().chain(gradient).map(|number| number.to_bits()).collect()
    };
    assert!(value.is_nan() || bits(&again) == bits(&(value, gradient.clone())));
    (value, gradient)
}

/// Rows of this width, from a generator of equally spread numbers in (−1, 1).
pub(crate) fn rows(count: usize, width: usize) -> Vec<Vec<f64>> {
    let number = |i: usize| (i as f64 * 0.618_033_988_749_895).fract() * 2.0 - 1.0;
    (0..count).map(|row| (0..width).map(|i| number(1 + row * width + i)).collect()).collect()
}

/// σ(a·x + b)·c − y, squared, with functions that have vector forms.
fn smooth(shared: &[Var], row: &[Var]) -> Var {
    let hidden = (shared[0] * row[0] + shared[1]).tanh() + (shared[1] * row[1]).exp();
    let residual = hidden * shared[2].exp() - row[1];
    residual * residual
}

#[test]
fn every_number_of_rows() {
    for count in [1, 2, 3, 15, 16, 17, 100, 255, 256, 257, 1000, 5001] {
        check(smooth, &[0.3, -0.2, 0.1], &rows(count, 2), 1);
    }
}

#[test]
fn no_rows() {
    let batch = Batch::trace(smooth, &[0.3, -0.2, 0.1], &[0.0, 0.0]).unwrap();
    let none: [[f64; 2]; 0] = [];
    assert_eq!(batch.gradient(&[0.3, -0.2, 0.1], none).unwrap(), (0.0, vec![0.0; 3]));
    let mapped = batch.map(&[0.3, -0.2, 0.1], none).unwrap();
    assert_eq!((mapped.rows, mapped.columns, mapped.data.len()), (0, 1, 0));
}

#[test]
fn a_row_with_nan_makes_the_sum_nan() {
    let mut rows = rows(300, 2);
    rows[77][0] = f64::NAN;
    let (value, gradient) = check(smooth, &[0.3, -0.2, 0.1], &rows, 1);
    assert!(value.is_nan() && gradient.iter().all(|derivative| derivative.is_nan()));
}

#[test]
fn a_row_with_infinity() {
    let mut rows = rows(300, 2);
    // tanh saturates: the value stays finite, and its derivative is 0 · ∞ where the row comes in.
    rows[77][0] = f64::INFINITY;
    check(smooth, &[0.3, -0.2, 0.1], &rows, 1);
    let linear = |shared: &[Var], row: &[Var]| shared[0] * row[0] + shared[1];
    let (value, gradient) = check(linear, &[2.0, 1.0], &rows, 1);
    assert_eq!((value, gradient[0], gradient[1]), (f64::INFINITY, f64::INFINITY, 300.0));
    rows[99][0] = f64::NEG_INFINITY;
    let (value, gradient) = check(linear, &[2.0, 1.0], &rows, 1);
    assert!(value.is_nan() && gradient[0].is_nan() && gradient[1] == 300.0);
}

#[test]
fn nan_in_a_dead_branch_does_no_harm() {
    // √ of a negative number, and its derivative at 0, stand in the branch that is not selected.
    let f = |shared: &[Var], row: &[Var]| {
        tape::select(row[0], (shared[0] * row[0]).sqrt() * shared[1], shared[1] * row[0])
    };
    let mut rows = rows(300, 1);
    rows[10][0] = 0.0;
    let (value, gradient) = check(f, &[2.0, 0.5], &rows, 1);
    assert!(value.is_finite() && gradient.iter().all(|derivative| derivative.is_finite()));
    // Nor does a NaN among the data.
    let f = |shared: &[Var], row: &[Var]| tape::select(row[0], shared[0] * row[1], shared[1]);
    let data: Vec<Vec<f64>> =
        (0..100).map(|i| if i % 3 == 0 { vec![0.0, f64::NAN] } else { vec![1.0, 2.0] }).collect();
    let (value, gradient) = check(f, &[2.0, 0.5], &data, 1);
    assert_eq!((value, gradient), (281.0, vec![132.0, 34.0]));
}

/// A price with several brackets: a path for each.
fn brackets(shared: &[Var], row: &[Var]) -> Var {
    let x = row[0] * shared[0];
    if x < -0.5 {
        shared[1] * x
    } else if x < 0.0 {
        shared[1].exp() * x * x
    } else if x < 0.25 {
        shared[2].sin()
    } else if x < 0.75 {
        x / (shared[2] + 2.0)
    } else {
        x.powi(3)
    }
}

#[test]
fn rows_that_take_several_paths() {
    let shared = [1.0, 0.5, 0.7];
    for paths in 1..=5 {
        let bound = [-1.0, -0.5, 0.0, 0.25, 0.75, 1.0][paths];
        let mut rows = rows(1003, 1);
        rows.retain(|row| row[0] < bound);
        check(brackets, &shared, &rows, paths);
    }
}

#[test]
fn the_order_of_rows_changes_only_rounding() {
    let shared = [1.0, 0.5, 0.7];
    let mut rows = rows(1003, 1);
    let (value, gradient) = check(brackets, &shared, &rows, 5);
    for _ in 0..3 {
        rows.reverse();
        rows.rotate_left(123);
        let (other, other_gradient) = check(brackets, &shared, &rows, 5);
        assert!(agree(value, other, value.abs(), 1e-12));
        let pairs = gradient.iter().zip(&other_gradient);
        pairs.for_each(|(&a, &b)| assert!(agree(a, b, a.abs(), 1e-12)));
    }
}

#[test]
fn a_guard_on_shared_inputs_only() {
    let f = |shared: &[Var], row: &[Var]| {
        if shared[0] > 0.0 { shared[0] * row[0] } else { shared[1] * row[0] * row[0] }
    };
    let rows = rows(100, 1);
    let batch = Batch::trace(f, &[1.0, 2.0], &[0.5]).unwrap();
    for (shared, paths) in [([1.0, 2.0], 1), ([-1.0, 2.0], 2), ([3.0, 2.0], 2)] {
        let (value, gradient) = batch.gradient(&shared, &rows).unwrap();
        let (expected, expected_gradient) = plain_sum(f, &shared, &rows);
        assert!(agree(value, expected, expected.abs(), 1e-13));
        let pairs = gradient.iter().zip(&expected_gradient);
        pairs.for_each(|(&a, &b)| assert!(agree(a, b, b.abs(), 1e-12)));
        assert_eq!(batch.paths(), paths);
    }
}

#[test]
fn parameters_that_reach_only_some_rows() {
    let f = |shared: &[Var], row: &[Var]| {
        if row[0] > 0.0 { shared[0] * row[1] } else { shared[1] * row[1] }
    };
    let rows = [vec![1.0, 2.0], vec![-1.0, 3.0], vec![1.0, 5.0], vec![-1.0, 7.0]];
    let (value, gradient) = check(f, &[10.0, 100.0], &rows, 2);
    assert_eq!((value, gradient), (1070.0, vec![7.0, 10.0]));
}

#[test]
fn losses_of_shared_inputs_only_of_rows_only_and_constant() {
    let rows = rows(37, 1);
    check(|shared, _| shared[0] * shared[1], &[2.0, 3.0], &rows, 1);
    check(|_, row| row[0] * row[0], &[2.0, 3.0], &rows, 1);
    check(|_, row| row[0], &[2.0, 3.0], &rows, 1);
    check(|shared, _| shared[1], &[2.0, 3.0], &rows, 1);
    let (value, gradient) = check(|_, _| Var::constant(0.5), &[2.0, 3.0], &rows, 1);
    assert_eq!((value, gradient), (18.5, vec![0.0, 0.0]));
}

#[test]
fn no_shared_inputs() {
    let (value, gradient) = check(|_, row| row[0] * row[0], &[], &[vec![2.0], vec![3.0]], 1);
    assert_eq!((value, gradient), (13.0, vec![]));
}

#[test]
fn a_map_of_several_outputs() {
    let f = |shared: &[Var], row: &[Var]| {
        if row[0] < 0.5 {
            [shared[0] * row[0], shared[1], row[0]]
        } else {
            [row[0], shared[0] + shared[1], Var::constant(7.0)]
        }
    };
    let batch = Batch::trace(f, &[1.0, 1.0], &[0.0]).unwrap();
    let xs: Vec<f64> = (0..300).map(|i| f64::from(i * 7 % 10) / 10.0).collect();
    let mapped = batch.map(&[2.0, 3.0], &xs).unwrap();
    assert_eq!((mapped.rows, mapped.columns, batch.paths()), (300, 3, 2));
    for (i, &x) in xs.iter().enumerate() {
        let expected = if x < 0.5 { [2.0 * x, 3.0, x] } else { [x, 5.0, 7.0] };
        assert_eq!(mapped.row(i), expected, "row {i}");
    }
}

#[test]
fn a_map_into_room_is_the_map() {
    let f = |shared: &[Var], row: &[Var]| [shared[0] * row[0], row[1].exp(), shared[0]];
    let batch = Batch::trace(f, &[2.0], &[0.0, 0.0]).unwrap();
    for count in [0, 1, 7, 8, 9, 300] {
        let rows = rows(count, 2);
        let mut room = vec![f64::NAN; 3 * count];
        batch.map_into(&[2.0], &rows, &mut room).unwrap();
        assert_eq!(room, batch.map(&[2.0], &rows).unwrap().data);
        // The same rows in one piece.
        assert_eq!(room, batch.map(&[2.0], rows.concat()).unwrap().data);
    }
    let error = batch.map_into(&[2.0], [[1.0, 2.0]], &mut [0.0; 4]).unwrap_err();
    assert_eq!(error, Error::Length { what: "the outputs", expected: 3, given: 4 });
}

#[test]
fn a_map_keeps_rows_of_several_paths_apart() {
    let f = |_: &[Var], row: &[Var]| {
        if row[0] > 0.0 { [row[0] * row[0], row[0]] } else { [-row[0], row[0]] }
    };
    let batch = Batch::trace(f, &[], &[1.0]).unwrap();
    let rows: Vec<f64> = rows(500, 1).concat();
    let expected: Vec<f64> =
        rows.iter().flat_map(|&x| [if x > 0.0 { x * x } else { -x }, x]).collect();
    assert_eq!(batch.map(&[], &*rows).unwrap().data, expected);
    assert_eq!(batch.paths(), 2);
}

#[test]
fn a_derivative_of_every_row_is_a_map() {
    // The Jacobian of (x·sin y, x + y).
    let jacobian = |_: &[Var], row: &[Var]| {
        tape::jacobian(|r| vec![r[0] * r[1].sin(), r[0] + r[1]], row).1.data
    };
    let rows = rows(40, 2);
    for rewrites in [Rewrites::Exact, Rewrites::Relaxed] {
        let batch = Batch::trace_with(rewrites, jacobian, &[], &[1.0, 1.0]).unwrap();
        let mapped = batch.map(&[], &rows).unwrap();
        for (row, of_row) in rows.iter().zip(mapped.data.chunks_exact(4)) {
            let expected = [row[1].sin(), row[0] * row[1].cos(), 1.0, 1.0];
            for (&a, b) in of_row.iter().zip(expected) {
                assert!(agree(a, b, 1.0, 1e-15), "{of_row:?}, not {expected:?}");
            }
        }
    }
}

/// What every row gives by itself: its outputs, and their derivatives by the shared inputs and by the row.
fn by_hand(
    f: impl Fn(&[Var], &[Var]) -> Vec<Var>,
    shared: &[f64],
    rows: &[Vec<f64>],
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut values, mut by_shared, mut by_row) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let split = |x: &[Var]| f(&x[..shared.len()], &x[shared.len()..]);
        let (outputs, jacobian) = tape::jacobian(split, &[shared, row].concat());
        values.extend(outputs);
        for output in 0..jacobian.rows {
            let (of_shared, of_row) = jacobian.row(output).split_at(shared.len());
            by_shared.extend(of_shared);
            by_row.extend(of_row);
        }
    }
    (values, by_shared, by_row)
}

#[track_caller]
fn check_by_rows(
    f: impl Fn(&[Var], &[Var]) -> Vec<Var>,
    shared: &[f64],
    rows: &[Vec<f64>],
    paths: usize,
) {
    let (values, by_shared, by_row) = by_hand(&f, shared, rows);
    let batch = Batch::trace(&f, shared, &rows[0]).unwrap();
    let (of_jacobian, jacobian) = batch.jacobian(shared, rows).unwrap();
    let (of_gradients, gradients) = batch.gradients(shared, rows).unwrap();
    assert_eq!(batch.paths(), paths);
    assert_eq!((jacobian.rows, jacobian.columns), (values.len(), shared.len()));
    assert_eq!((gradients.rows, gradients.columns), (values.len(), rows[0].len()));
    for (found, expected) in [
        (of_jacobian, &values),
        (of_gradients, &values),
        (jacobian.data, &by_shared),
        (gradients.data, &by_row),
    ] {
        for (position, (&a, &b)) in found.iter().zip(expected).enumerate() {
            assert!(agree(a, b, b.abs(), 1e-12), "{a}, not {b}, at {position} of {}", found.len());
        }
    }
}

#[test]
fn derivatives_of_every_row_by_itself() {
    let two = |shared: &[Var], row: &[Var]| vec![smooth(shared, row), shared[0] * shared[2].exp()];
    for count in [1, 31, 32, 33, 257, 1000] {
        check_by_rows(two, &[0.3, -0.2, 0.1], &rows(count, 2), 1);
    }
    let paths = |shared: &[Var], row: &[Var]| vec![brackets(shared, row), row[0] * shared[0]];
    check_by_rows(paths, &[1.0, 0.5, 0.7], &rows(1000, 1), 5);
    let constants = |_: &[Var], row: &[Var]| vec![Var::constant(3.0), row[0]];
    check_by_rows(constants, &[1.0, 2.0], &rows(40, 1), 1);
    check_by_rows(|shared, row| vec![long(shared, row)], &[0.9, 0.1], &rows(3, 2), 1);
}

/// A row that is not finite spoils its own derivatives only.
#[test]
fn a_row_with_nan_spoils_its_own_derivatives_only() {
    let mut rows = rows(100, 2);
    rows[42][0] = f64::NAN;
    rows[77][0] = f64::INFINITY;
    check_by_rows(|shared, row| vec![smooth(shared, row)], &[0.3, -0.2, 0.1], &rows, 1);
}

/// The plain sum of second derivatives, one recording for each row.
#[track_caller]
fn check_hessian(
    f: impl Fn(&[Var], &[Var]) -> Var,
    shared: &[f64],
    rows: &[Vec<f64>],
    paths: usize,
) {
    let n = shared.len();
    let mut expected = vec![0.0; n * n];
    for row in rows {
        let row: Vec<Var> = row.iter().map(|&x| Var::constant(x)).collect();
        let (_, _, hessian) = tape::hessian(|x| f(x, &row), shared);
        expected.iter_mut().zip(hessian.data).for_each(|(sum, part)| *sum += part);
    }
    let batch = Batch::trace(&f, shared, &rows[0]).unwrap();
    let (value, gradient) = batch.gradient(shared, rows).unwrap();
    assert_eq!(batch.value(shared, rows).unwrap().to_bits(), value.to_bits());
    let (of_hessian, gradient_of_hessian, hessian) = batch.hessian(shared, rows).unwrap();
    let v: Vec<f64> = (0..n).map(|i| 0.5 - i as f64).collect();
    let (of_product, gradient_of_product, product) =
        batch.hessian_vector(shared, rows, &v).unwrap();
    assert_eq!(batch.paths(), paths);
    let close = |a: f64, b: f64, size: f64| assert!(agree(a, b, size, 1e-11), "{a}, not {b}");
    close(of_hessian, value, value.abs());
    close(of_product, value, value.abs());
    for i in 0..n {
        close(gradient_of_hessian[i], gradient[i], gradient[i].abs());
        close(gradient_of_product[i], gradient[i], gradient[i].abs());
        let along = |j: usize| expected[i * n + j] * v[j];
        close(product[i], (0..n).map(along).sum(), (0..n).map(|j| along(j).abs()).sum());
    }
    for (&a, &b) in hessian.data.iter().zip(&expected) {
        close(a, b, b.abs());
    }
}

fn wide(shared: &[Var], row: &[Var]) -> Var {
    let sum = shared.windows(2).fold(row[0] * shared[0], |sum, x| sum + x[0] * x[1].sin() * row[0]);
    if row[0] > 0.0 { sum.exp() } else { sum * sum * shared[10] }
}

#[test]
fn second_derivatives_are_the_sum_of_those_of_the_rows() {
    for count in [1, 2, 15, 16, 17, 300] {
        check_hessian(smooth, &[0.3, -0.2, 0.1], &rows(count, 2), 1);
    }
    // More than eight columns; paths.
    let shared: Vec<f64> = (0..11).map(|i| 0.1 * f64::from(i) - 0.4).collect();
    check_hessian(brackets, &[1.0, 0.5, 0.7], &rows(1000, 1), 5);
    check_hessian(long, &[0.9, 0.1], &rows(2, 2), 1);
    check_hessian(wide, &shared, &rows(200, 1), 2);
}

#[test]
fn many_shared_inputs_do_not_make_a_row_long() {
    let f =
        |shared: &[Var], row: &[Var]| tape::sum(shared).sin() * row[0] + tape::dot(shared, shared);
    let batch = Batch::trace(f, &vec![0.5; 100_000], &[1.0]).unwrap();
    assert!(format!("{batch:?}").contains("rows at a time: Some(256)"), "{batch:?}");
}

/// xₙ of xᵢ₊₁ = a·sin xᵢ + b, so long that a row is run by itself.
pub(crate) fn long(shared: &[Var], row: &[Var]) -> Var {
    let mut x = row[0];
    for _ in 0..40_000 {
        x = shared[0] * x.sin() + shared[1] + row[1];
    }
    x
}

#[test]
fn rows_too_long_to_be_run_together() {
    let batch = Batch::trace(long, &[0.9, 0.1], &[0.0, 0.0]).unwrap();
    assert!(format!("{batch:?}").contains("rows at a time: Some(1)"), "{batch:?}");
    check(long, &[0.9, 0.1], &rows(3, 2), 1);
}

/// Chains, whose operations are run one by one, between loops of like operations, which are run together.
fn long_and_wide(shared: &[Var], row: &[Var]) -> Var {
    let mut x = row[0];
    for stretch in 0..4 {
        for _ in 0..10_000 {
            x = shared[0] * x.sin() + shared[1] + row[1];
        }
        let terms: Vec<Var> = (0..50)
            .map(|i| (x * f64::from(i + stretch) * 0.01 + shared[1]).exp() * shared[0])
            .collect();
        x += tape::sum(&terms) * 0.01;
    }
    x
}

#[test]
fn long_rows_in_which_operations_come_together_and_by_themselves() {
    let batch = Batch::trace(long_and_wide, &[0.9, 0.1], &[0.0, 0.0]).unwrap();
    assert!(format!("{batch:?}").contains("rows at a time: Some(1)"), "{batch:?}");
    check(long_and_wide, &[0.9, 0.1], &rows(3, 2), 1);
}

#[test]
fn rows_of_every_type() {
    let f = |shared: &[Var], row: &[Var]| shared[0] * row[0] + shared[1] * row[1];
    let batch = Batch::trace(f, &[1.0, 1.0], &[0.0, 0.0]).unwrap();
    let flat = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let arrays = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let vectors: Vec<Vec<f64>> = arrays.iter().map(|row| row.to_vec()).collect();
    let slices: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
    let matrix = Matrix { rows: 3, columns: 2, data: flat.to_vec() };
    let expected = (2.0 * 9.0 + 12.0, vec![9.0, 12.0]);
    let shared = [2.0, 1.0];
    assert_eq!(batch.gradient(&shared, flat.as_slice()).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, flat).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, flat.to_vec()).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, arrays).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, arrays.as_slice()).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, arrays.to_vec()).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, &vectors).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, vectors.as_slice()).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, &slices).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, &matrix).unwrap(), expected);
    assert_eq!(batch.gradient(&shared, matrix).unwrap(), expected);
}

#[test]
fn wrong_lengths_are_told() {
    let batch = Batch::trace(smooth, &[0.3, -0.2, 0.1], &[0.0, 0.0]).unwrap();
    let shared = [0.3, -0.2, 0.1];
    let is_length = |error: Error, what: &str, expected: usize, given: usize| {
        let is = matches!(error, Error::Length { what: w, expected: e, given: g }
            if w == what && e == expected && g == given);
        assert!(is, "{error:?}");
    };
    is_length(batch.gradient(&[0.3], [[0.0, 0.0]]).unwrap_err(), "the shared inputs", 3, 1);
    is_length(batch.gradient(&shared, [[0.0]]).unwrap_err(), "a row", 2, 1);
    is_length(batch.map(&shared, [0.0, 1.0, 2.0]).unwrap_err(), "the rows", 2, 3);
    let ragged = vec![vec![0.0, 1.0], vec![0.0, 1.0, 2.0]];
    is_length(batch.gradient(&shared, &ragged).unwrap_err(), "a row", 2, 3);
    let matrix = Matrix { rows: 1, columns: 3, data: vec![0.0; 3] };
    is_length(batch.map(&shared, &matrix).unwrap_err(), "a row", 2, 3);
}

#[test]
fn a_gradient_of_several_outputs_is_refused() {
    let pair = |shared: &[Var], row: &[Var]| [shared[0], row[0]];
    let batch = Batch::trace(pair, &[1.0], &[1.0]).unwrap();
    let refused = batch.gradient(&[1.0], [[1.0]]);
    assert!(matches!(refused, Err(Error::Outputs { outputs: 2, .. })));
}

#[test]
fn a_loop_until_nothing_changes_is_steady() {
    // The vector functions differ from those of the trace in the last digit: whether the last step changes it does too.
    let f = |shared: &[Var], row: &[Var]| {
        let mut x = row[0];
        for _ in 0..200 {
            let next = (shared[0] * x).exp() * row[1];
            if next == x {
                break;
            }
            x = next;
        }
        x
    };
    let rows: Vec<Vec<f64>> =
        rows(500, 2).iter().map(|row| vec![0.0, 1.0 + row[1] / 2.0]).collect();
    let batch = Batch::trace(f, &[-0.3], &rows[0]).unwrap();
    let (value, gradient) = batch.gradient(&[-0.3], &rows).unwrap();
    let (expected, expected_gradient) = plain_sum(f, &[-0.3], &rows);
    assert!(agree(value, expected, expected.abs(), 1e-13), "{value:e}, not {expected:e}");
    let [a, b] = [gradient[0], expected_gradient[0]];
    assert!(agree(a, b, b.abs(), 1e-12), "{a:e}, not {b:e}");
    let mapped = batch.map(&[-0.3], &rows).unwrap();
    assert!(agree(mapped.data.iter().sum(), expected, expected.abs(), 1e-13));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let shared = [1.0, 0.5, 0.7];
    let many = rows(40_003, 2);
    let in_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let batch = Batch::trace(smooth, &shared, &many[0]).unwrap();
            let branched = Batch::trace(brackets, &shared, &many[0]).unwrap();
            let results = [
                batch.gradient(&shared, &many).unwrap(),
                branched.gradient(&shared, &many).unwrap(),
            ];
            let numbers = results
                .iter()
                .flat_map(|(value, gradient)| [*value].into_iter().chain(gradient.clone()));
            numbers.map(f64::to_bits).collect::<Vec<u64>>()
        })
    };
    let alone = in_threads(1);
    for threads in [2, 3, 8] {
        assert_eq!(in_threads(threads), alone, "{threads} threads");
    }
}

/// How many of the inputs are shared.
const SHARED: usize = 2;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_of_branches_is_the_plain_sum(
        random in branching(10, true),
        shared in prop::array::uniform2(-3.0..3.0),
        data in prop::collection::vec(point().prop_map(|x| x[2]), 1..70),
    ) {
        let f = |shared: &[Var], row: &[Var]| random.at(&[shared, row].concat());
        let batch = Batch::trace(f, &shared, &data[..1]).unwrap();
        for _ in 0..2 {
            let (value, gradient) = batch.gradient(&shared, data.as_slice()).unwrap();
            check_sum(&random, shared, &data, value, &gradient)?;
        }
        let mapped = batch.map(&shared, data.as_slice()).unwrap();
        for (&x, &value) in data.iter().zip(&mapped.data) {
            prop_assert!(crate::engines::same_bits(value, random.at(&[shared[0], shared[1], x][..])));
        }
    }
}

fn check_sum(
    random: &Branching,
    shared: [f64; SHARED],
    data: &[f64],
    value: f64,
    gradient: &[f64],
) -> Result<(), TestCaseError> {
    let (mut sum, mut size) = (0.0, 0.0);
    let (mut sums, mut scales) = ([0.0; SHARED], [0.0; INPUTS]);
    for &x in data {
        let x = [shared[0], shared[1], x];
        let (value, gradient) = tape::gradient(|x| random.at(x), &x);
        (sum, size) = (sum + value, size + value.abs());
        (0..SHARED).for_each(|i| sums[i] += gradient[i]);
        let of_row = random.scales(&x);
        scales.iter_mut().zip(of_row).for_each(|(scale, of_row)| *scale += of_row);
    }
    prop_assert!(agree(value, sum, size, 1e-13), "{:e}, not {:e}", value, sum);
    for i in 0..SHARED {
        prop_assert!(
            !scales[i].is_finite() || agree(gradient[i], sums[i], scales[i], 1e-12),
            "{:?}, not {:?} (scales {:?})",
            gradient,
            sums,
            scales
        );
    }
    Ok(())
}
