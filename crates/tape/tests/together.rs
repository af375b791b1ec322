//! Parts together: recorded derivatives in bytes, on threads, in batches, and beside a trace that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use tape::{Batch, Dual, Error, Function, Lanes, Program, Real, Rows, Var};

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

/// Zeros of both signs and ∞ in the chain rule, to second order, by each number inside the other.
#[test]
fn lanes_inside_duals_and_variables_keep_the_signs_of_zeros() {
    fn all<T: Real>(x: &[T]) -> [T; 4] {
        let product = x[0] * x[1];
        [x[1].sqrt(), product, product * x[1], product.max(x[0])]
    }
    fn forward<T: Real>(x: &[T], directions: [f64; 2]) -> Vec<T> {
        let at = |i: usize| {
            let direction = T::from_f64(directions[i]);
            Dual::new(Dual::new(x[i], direction), Dual::constant(direction))
        };
        let second = |y: Dual<Dual<T>>| [y.value.tangent, y.tangent.value, y.tangent.tangent];
        all(&[at(0), at(1)]).into_iter().flat_map(second).collect()
    }
    fn mixed<T: Real>(x: &[T], directions: [f64; 2]) -> Vec<T> {
        let directions = directions.map(T::from_f64);
        let x: Vec<Dual<T>> = x.iter().zip(directions).map(|(&x, d)| Dual::new(x, d)).collect();
        let of = |output| {
            let gradient = tape::gradient(|x: &[Var<Dual<T>>]| all(x)[output], &x).1;
            gradient.into_iter().flat_map(|derivative| [derivative.value, derivative.tangent])
        };
        (0..4).flat_map(of).collect()
    }
    let special = [0.0, -0.0, 1.5, -2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300];
    for shift in 0..special.len() {
        let x = Lanes(special);
        let y = Lanes(core::array::from_fn(|lane| special[(lane + shift) % special.len()]));
        for directions in [[-0.0, -0.0], [1.0, -0.0], [-0.0, 1.0], [0.0, -1.0]] {
            let mut together = forward(&[x, y], directions);
            together.extend(mixed(&[x, y], directions));
            for lane in 0..special.len() {
                let point = [x.0[lane], y.0[lane]];
                let mut alone = forward(&point, directions);
                alone.extend(mixed(&point, directions));
                for (place, (a, b)) in alone.iter().zip(&together).enumerate() {
                    let b = b.0[lane];
                    let is_same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                    assert!(
                        is_same,
                        "[{place}] at {point:?} along {directions:?}: {b:e} in a lane, {a:e} alone"
                    );
                }
            }
        }
    }
}

/// Rows that take several paths, over many tasks: each row's outputs stand in its place, whoever computed them.
#[test]
fn a_map_over_many_tasks_and_paths_puts_every_row_in_its_place() {
    fn of_row(shared: &[Var], row: &[Var]) -> [Var; 2] {
        let x = row[0] * shared[0];
        if x > 1.0 {
            [x.sqrt(), tape::gradient(|y: &[Var<Var>]| y[0].sqrt() * y[0], &[row[1]]).1[0]]
        } else if x > 0.0 {
            [x * x, row[1]]
        } else {
            [x - 1.0, row[1].abs()]
        }
    }
    let rows: Vec<[f64; 2]> = (0..120_000)
        .map(|i| {
            let second = if i % 977 == 0 { f64::INFINITY } else { f64::from(i % 13) };
            [f64::from(i % 7) * 0.5 - if i % 5000 == 0 { 9.0 } else { 0.2 }, second]
        })
        .collect();
    let shared = [1.25];
    let by_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let batch = Batch::trace(of_row, &shared, &rows[1]).unwrap();
        let first = pool.install(|| batch.map(&shared, &rows)).unwrap();
        assert_eq!(batch.paths(), 3);
        let again = pool.install(|| batch.map(&shared, &rows)).unwrap();
        assert!(first.data.iter().zip(&again.data).all(|(&a, &b)| is_same(a, b)));
        first
    };
    let [one, three] = [1, 3].map(by_threads);
    assert!(one.data.iter().zip(&three.data).all(|(a, b)| a.to_bits() == b.to_bits()));
    for (row, got) in rows.iter().zip(one.rows_iter()) {
        let right = of_row(&shared.map(Var::constant), &row.map(Var::constant));
        for (got, right) in got.iter().zip(right.map(Var::value)) {
            let is_close = is_same(*got, right) || (got - right).abs() <= 1e-15 * right.abs();
            assert!(is_close, "{got:e}, not {right:e}, at {row:?}");
        }
    }
}

/// Rows whose reading panics at one of them.
struct Trap {
    rows: Vec<[f64; 2]>,
    at: Option<usize>,
}

impl Rows for Trap {
    fn count(&self, _: usize) -> Result<usize, Error> {
        Ok(self.rows.len())
    }

    fn row(&self, index: usize, _: usize) -> &[f64] {
        assert!(self.at != Some(index), "trapped");
        &self.rows[index]
    }
}

#[test]
fn rows_that_panic_while_they_are_read_on_threads_leave_the_batch_as_it_was() {
    let of_row = |shared: &[Var], row: &[Var]| (shared[0] * row[0] + row[1]).powi(2);
    let rows: Vec<[f64; 2]> = (0..50_000).map(|i| [f64::from(i % 11), 1.0]).collect();
    let batch = Batch::trace(of_row, &[2.0], &rows[0]).unwrap();
    let mut trap = Trap { rows, at: None };
    let right = (batch.gradient(&[3.0], &trap).unwrap(), batch.map(&[3.0], &trap).unwrap());
    for at in [0, 31, 32, 40_000] {
        trap.at = Some(at);
        let attempts: [&dyn Fn() -> bool; 2] =
            [&|| batch.gradient(&[3.0], &trap).is_ok(), &|| batch.map(&[3.0], &trap).is_ok()];
        for attempt in attempts {
            assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err());
        }
        trap.at = None;
        let after = (batch.gradient(&[3.0], &trap).unwrap(), batch.map(&[3.0], &trap).unwrap());
        assert_eq!(after, right);
    }
}

/// Dense derivatives take their directions one by one, in lanes, or both; at any number of them, and where the quick form of
/// a recorded derivative does not serve, they are those of the function itself.
#[test]
fn dense_derivatives_are_right_at_every_number_of_directions() {
    fn f<T: Real>(x: &[T]) -> T {
        let pairs = x.windows(2).map(|x| (x[0] * x[1]).sin() + x[0] * x[0].abs() * x[1]);
        pairs.fold(x[0] * x[0], |sum, term| sum + term)
    }
    fn recorded(x: &[Var]) -> Vec<Var> {
        tape::gradient(|x: &[Var<Var>]| f(x), x).1
    }
    let close = |a: f64, b: f64| is_same(a, b) || (a - b).abs() <= 1e-13 * (1.0 + b.abs());
    for n in 1..=19 {
        let start: Vec<f64> = (0..n).map(|i| 0.3 + f64::from(i) * 0.1).collect();
        let (program, gradient) =
            (Program::trace(f, &start).unwrap(), Program::trace(recorded, &start).unwrap());
        for special in [0.7, 0.0, -1.0, f64::INFINITY] {
            let mut x = start.clone();
            x[start.len() / 2] = special;
            let right = tape::hessian(f, &x).2;
            let hessian = program.hessian(&x).unwrap().2;
            let jacobian = gradient.jacobian(&x).unwrap().1;
            for (place, &right) in right.data.iter().enumerate() {
                let [a, b] = [hessian.data[place], jacobian.data[place]];
                // Of ∞ every way may have its own NaN.
                let is_right =
                    if special.is_finite() { close(a, right) && close(b, right) } else { true };
                assert!(is_right, "n = {n}, [{place}] at {special}: {a:e}, {b:e}, not {right:e}");
            }
            for (a, b) in hessian.data.iter().zip(&program.clone().hessian(&x).unwrap().2.data) {
                assert!(is_same(*a, *b));
            }
        }
    }
}

/// A Lagrangian of a recorded gradient: sines and cosines of one number, kinks, and more inputs than go one by one.
#[test]
fn a_lagrangian_of_a_recorded_gradient_by_bytes_and_on_threads() {
    fn f<T: Real>(x: &[T]) -> T {
        let turns = x.windows(2).map(|x| (x[0] * x[1]).sin() + (x[0] * x[1]).cos() * x[0].abs());
        turns.fold(x[0].sin() * x[0].cos(), |sum, term| sum + term)
    }
    fn recorded(x: &[Var]) -> Vec<Var> {
        tape::gradient(|x: &[Var<Var>]| f(x), x).1
    }
    let n = 9;
    let start: Vec<f64> = (0..n).map(|i| 0.4 + f64::from(i) * 0.05).collect();
    let program = Program::trace(recorded, &start).unwrap();
    let read = Program::from_bytes(&program.to_bytes()).unwrap();
    let weights: Vec<f64> = (0..n).map(|i| f64::from(i % 3) - 1.0).collect();
    let ask = |shift: f64| {
        // On the other side of every kink, and on one.
        let mut x: Vec<f64> = start.iter().map(|x| shift - x).collect();
        x[4] = 0.0;
        let right = tape::hessian(
            |x: &[Var]| {
                let gradient = tape::gradient(|x: &[Var<Var>]| f(x), x).1;
                gradient.iter().zip(&weights).fold(0.0.into(), |sum: Var, (&g, &w)| sum + g * w)
            },
            &x,
        );
        for program in [&program, &read] {
            let (_, gradient, dense) = program.weighted_hessian(&x, &weights).unwrap();
            let (_, again, sparse) = program.weighted_sparse_hessian(&x, &weights).unwrap();
            let row = program.vector_jacobian(&x, &weights).unwrap().1;
            let all = gradient.iter().chain(&dense.data);
            for (a, b) in all.zip(right.1.iter().chain(&right.2.data)) {
                assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a:e}, not {b:e} at {x:?}");
            }
            for (a, b) in sparse.to_dense().data.iter().zip(&dense.data) {
                assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a:e}, not {b:e} at {x:?}");
            }
            assert_eq!((&gradient, &gradient), (&again, &row));
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (0..5).for_each(|i| ask(0.1 * f64::from(thread * 5 + i))));
        }
    });
}

/// Rows so long that each is run by itself, of several chains side by side, whose like operations stay together; a derivative of
/// every row; and rows that are not finite.
#[test]
fn derivatives_of_long_rows_of_several_chains() {
    fn chains<T: Real>(x: &[T], shared: T) -> T {
        let mut state = [x[0], x[1], x[0] - x[1], shared];
        for _ in 0..3_000 {
            let [a, b, c, d] = state;
            state = [b.sin() * d, c.cos() + a, d.tanh() - b, a.sigmoid() * shared];
        }
        state[0] + state[1] * state[2] - state[3]
    }
    let of_row = |shared: &[Var], row: &[Var]| {
        let outer = shared[0];
        tape::gradient(|x: &[Var<Var>]| chains(x, Var::constant(outer)), row).1
    };
    let batch = Batch::trace(of_row, &[0.5], &[0.1, 0.2]).unwrap();
    let rows = [[0.3, -0.4], [f64::INFINITY, 0.1], [1.5, 0.0], [f64::NAN, 0.0], [-0.7, 0.2]];
    let mapped = batch.map(&[0.8], rows).unwrap();
    for (row, found) in rows.iter().zip(mapped.data.chunks_exact(2)) {
        let right = tape::gradient(|x: &[Var]| chains(x, Var::constant(0.8)), row).1;
        for (&a, &b) in found.iter().zip(&right) {
            assert!(is_same(a, b) || (a - b).abs() <= 1e-9 * (1e-3 + b.abs()), "{a:e}, not {b:e}");
        }
    }
}

/// A function that panics at some points, asked by threads for products in turns: later answers are right.
#[test]
fn products_of_a_function_that_panics_on_some_threads() {
    let f = |x: &[Var]| {
        if x[0] < 0.0 {
            assert!(x[1] > 0.0, "a point that the function refuses");
            [x[0].cos() * x[1].sin(), x[1].cos()]
        } else {
            [x[0].sin() * x[1], x[0].cos()]
        }
    };
    let function = Function::new(f);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let function = &function;
            scope.spawn(move || {
                for i in 0..20 {
                    let x = [f64::from((i + thread) % 5) - 2.0, f64::from(i % 3) - 1.0];
                    let refused = x[0] < 0.0 && x[1] <= 0.0;
                    let ask = || function.vector_jacobian(&x, &[1.0, 2.0]).unwrap();
                    let Ok((_, row)) = catch_unwind(AssertUnwindSafe(ask)) else {
                        assert!(refused, "{x:?}");
                        continue;
                    };
                    assert!(!refused, "{x:?}");
                    let right = if x[0] < 0.0 {
                        [-x[0].sin() * x[1].sin(), x[0].cos() * x[1].cos() - 2.0 * x[1].sin()]
                    } else {
                        [x[0].cos() * x[1] - 2.0 * x[0].sin(), x[0].sin()]
                    };
                    for (a, b) in row.iter().zip(right) {
                        assert!((a - b).abs() < 1e-15, "{row:?}, not {right:?}");
                    }
                    let along = function.jacobian_vector(&x, &[1.0, 0.0]).unwrap().1;
                    assert!((along[0] + 2.0 * along[1] - right[0]).abs() < 1e-15);
                }
            });
        }
    });
}

/// A recorded gradient whose rules for what is not finite matter in some rows, inside a batch, differentiated again: each row by
/// itself, and twice in sum.
#[test]
fn a_batch_of_a_recorded_gradient_is_differentiated_again_row_by_row() {
    let f = |shared: &[Var], row: &[Var]| {
        let inner = |x: &[Var<Var>]| {
            let [a, b] = [x[0], x[1]].map(|x| x * Var::constant(row[0]));
            (a.abs() + Var::constant(row[1])).ln() * b + (a * b).sin()
        };
        let (_, slopes) = tape::gradient(inner, shared);
        tape::dot(&slopes, &slopes)
    };
    let shared = [0.7, -1.3];
    let special = [0.0, -0.0, f64::INFINITY, f64::NAN, 1e300];
    let rows: Vec<[f64; 2]> = (0..300)
        .map(|i| match i % 40 {
            7 => [special[i / 40 % 5], 0.0],
            8 => [0.5, special[i / 40 % 5]],
            _ => [0.01 * i as f64 - 1.2, 1.0 + 0.1 * i as f64],
        })
        .collect();
    let batch = Batch::trace(f, &shared, &[1.0, 2.0]).unwrap();
    let program = Program::trace(|x| f(&x[..2], &x[2..]), &[0.7, -1.3, 1.0, 2.0]).unwrap();
    let close = |a: f64, b: f64| is_same(a, b) || (a - b).abs() <= 1e-11 * b.abs().max(1.0);
    let (values, jacobian) = batch.jacobian(&shared, &rows).unwrap();
    let (same_values, gradients) = batch.gradients(&shared, &rows).unwrap();
    assert!(values.iter().zip(&same_values).all(|(&a, &b)| is_same(a, b)));
    let mut finite = Vec::new();
    for (row, numbers) in rows.iter().enumerate() {
        let point = [&shared[..], numbers].concat();
        let at = program.at(&point).unwrap();
        let expected = at.gradient().unwrap();
        let found = [jacobian.row(row), gradients.row(row)].concat();
        assert!(close(values[row], at.value().unwrap()), "{numbers:?}");
        let agree = found.iter().zip(&expected).all(|(&a, &b)| close(a, b));
        assert!(agree, "{numbers:?}: {found:?}, not {expected:?}");
        let hessian = at.hessian().unwrap();
        if at.value().unwrap().is_finite() && hessian.data.iter().all(|x| x.is_finite()) {
            finite.push((*numbers, hessian));
        }
    }
    assert!((250..300).contains(&finite.len()), "{}", finite.len());
    let (rows, hessians): (Vec<_>, Vec<_>) = finite.into_iter().unzip();
    let (_, _, hessian) = batch.hessian(&shared, &rows).unwrap();
    for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (sum, size) = hessians.iter().fold((0.0, 0.0), |(sum, size), hessian| {
            (sum + hessian[(i, j)], size + hessian[(i, j)].abs())
        });
        assert!((hessian[(i, j)] - sum).abs() <= 1e-11 * size, "{} {sum}", hessian[(i, j)]);
    }
}

/// More paths than a batch keeps, known and traced for the call alike.
#[test]
fn gradients_of_rows_that_take_more_paths_than_are_kept() {
    let f = |shared: &[Var], row: &[Var]| {
        let mut y = shared[0] * row[0];
        let mut steps = 0;
        while y > 1.0 {
            y = (y - 1.0) * shared[1];
            steps += 1;
        }
        [y * y * f64::from(steps + 1), row[0] * shared[1]]
    };
    let shared = [1.0, 0.999];
    let rows: Vec<[f64; 1]> = (0..400).map(|i| [0.37 * f64::from(i * 7 % 400)]).collect();
    let batch = Batch::trace(f, &shared, &rows[0]).unwrap();
    let function = Function::new(|x: &[Var]| f(&x[..2], &x[2..])).with_limit(400);
    for _ in 0..2 {
        let (values, jacobian) = batch.jacobian(&shared, &rows).unwrap();
        let (_, gradients) = batch.gradients(&shared, &rows).unwrap();
        for (row, numbers) in rows.iter().enumerate() {
            let point = [&shared[..], numbers].concat();
            let (expected, by_all) = function.jacobian(&point).unwrap();
            for (output, &expected) in expected.iter().enumerate() {
                let place = 2 * row + output;
                assert!(is_same(values[place], expected));
                let found = [jacobian.row(place), gradients.row(place)].concat();
                for (&a, &b) in found.iter().zip(by_all.row(output)) {
                    assert!((a - b).abs() <= 1e-11 * b.abs(), "{found:?} {:?}", by_all.row(output));
                }
            }
        }
    }
    assert_eq!(batch.paths(), 64);
}

/// A program at a point, asked on several threads, each with a point of its own, while others ask the program itself.
#[test]
fn programs_at_points_on_several_threads() {
    let outputs = |x: &[Var]| {
        let slopes = tape::gradient(|x| (x[0] * x[1]).sin() * x[2] + x[3].powi(3), x).1;
        [slopes[0] * slopes[3], slopes[1] + x[2], x.iter().copied().sum()]
    };
    let program = Program::trace(outputs, &[0.5; 4]).unwrap();
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let program = &program;
            scope.spawn(move || {
                for i in 0..50 {
                    let x: Vec<f64> = (0..4).map(|k| f64::from(i * 4 + k + thread) * 0.1).collect();
                    let (at, other) = (program.at(&x).unwrap(), program.at(&[1.0; 4]).unwrap());
                    let w = [1.0, f64::from(thread) - 2.0, 0.5];
                    let (values, gradient, hessian) = program.weighted_hessian(&x, &w).unwrap();
                    assert_eq!(at.values(), values);
                    assert_eq!(at.vector_jacobian(&w).unwrap(), gradient);
                    assert_eq!(at.weighted_hessian(&w).unwrap(), hessian);
                    assert_eq!(at.jacobian(), program.jacobian(&x).unwrap().1);
                    assert_eq!(other.jacobian(), program.jacobian(&[1.0; 4]).unwrap().1);
                    let sparse = at.weighted_sparse_hessian(&w).unwrap();
                    assert_eq!(sparse, program.weighted_sparse_hessian(&x, &w).unwrap().2);
                }
            });
        }
    });
}

/// The Hessian of ‖gradient‖² of a chain: a recorded derivative, a colouring by substitution, and points at which one does not do:
/// at a kink, where entries are ∞, and where scales lie far apart.
#[test]
fn a_chain_of_recorded_gradients_by_substitution_is_the_dense_hessian() {
    const LINKS: usize = 24;
    let chain = |x: &[Var<Var>]| {
        x.windows(2).fold(Var::from_f64(0.0), |sum: Var<Var>, x| {
            sum + (x[0] * x[1]).sin() + (x[0] - x[1]).abs() * x[0] + (x[1] * x[1]).sqrt()
        })
    };
    let penalty = |x: &[Var]| {
        let (_, slopes) = tape::gradient(chain, x);
        tape::dot(&slopes, &slopes)
    };
    let traced_at: Vec<f64> = (0..LINKS).map(|i| 0.3 + 0.1 * i as f64).collect();
    let program = Program::trace(penalty, &traced_at).unwrap();
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    assert!(program.hessian_colors().unwrap() < LINKS / 2);
    let smooth: Vec<f64> = (0..LINKS).map(|i| (i as f64 * 1.7).sin() + 0.01).collect();
    let at = |place: usize, number: f64| {
        let mut x = smooth.clone();
        x[place] = number;
        x
    };
    let kink = at(7, smooth[8]);
    let far: Vec<f64> = (0..24).map(|i| 10_f64.powi(i % 9 - 4)).collect();
    let points = [smooth.clone(), kink, at(11, 0.0), at(3, f64::INFINITY), at(5, f64::NAN), far];
    for x in points {
        let (_, of_dense, dense) = program.hessian(&x).unwrap();
        let (_, gradient, sparse) = program.sparse_hessian(&x).unwrap();
        assert!(gradient.iter().zip(&of_dense).all(|(&a, &b)| is_same(a, b)), "{x:?}");
        let sparse = sparse.to_dense();
        for i in 0..LINKS {
            let largest = |row: usize| dense.row(row).iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for j in 0..LINKS {
                let (a, b) = (sparse[(i, j)], dense[(i, j)]);
                // Outside the pattern the dense Hessian has 0, or NaN where 0 met ∞.
                let is_outside = !program.hessian_sparsity().unwrap().row(i).contains(&j);
                let close = (a - b).abs() <= 1e-8 * largest(i).min(largest(j));
                assert!(is_outside || is_same(a, b) || close, "({i}, {j}): {a}, not {b}, at {x:?}");
            }
        }
    }
}

/// Rows that panic while they are read, on any thread, leave a batch as it was, whatever it is asked for.
#[test]
fn rows_that_panic_leave_every_kind_of_a_batchs_code_as_it_was() {
    struct Panicking(usize);
    impl Rows for Panicking {
        fn count(&self, _: usize) -> Result<usize, Error> {
            Ok(5_000)
        }
        fn row(&self, index: usize, _: usize) -> &[f64] {
            assert!(index != self.0, "this row cannot be read");
            &[0.5, 2.0]
        }
    }
    let f = |shared: &[Var], row: &[Var]| (shared[0] * row[0]).exp() * row[1] + shared[1] * row[1];
    let (shared, rows) = ([0.3, -0.2], vec![[0.5, 2.0]; 5_000]);
    let batch = Batch::trace(f, &shared, &rows[0]).unwrap();
    let ask = |batch: &Batch<_>, rows: &(dyn Rows + Sync)| {
        let value = batch.value(&shared, rows).unwrap();
        let (_, gradient) = batch.gradient(&shared, rows).unwrap();
        let (_, jacobian) = batch.jacobian(&shared, rows).unwrap();
        let (_, gradients) = batch.gradients(&shared, rows).unwrap();
        let (_, _, hessian) = batch.hessian(&shared, rows).unwrap();
        let (_, _, product) = batch.hessian_vector(&shared, rows, &[1.0, 2.0]).unwrap();
        [vec![value], gradient, jacobian.data, gradients.data, hessian.data, product]
    };
    let expected = ask(&batch, &rows);
    for broken in [0, 17, 4_999] {
        let rows = Panicking(broken);
        let calls: [&dyn Fn(); 6] = [
            &|| drop(batch.value(&shared, &rows)),
            &|| drop(batch.gradient(&shared, &rows)),
            &|| drop(batch.jacobian(&shared, &rows)),
            &|| drop(batch.gradients(&shared, &rows)),
            &|| drop(batch.hessian(&shared, &rows)),
            &|| drop(batch.hessian_vector(&shared, &rows, &[1.0, 2.0])),
        ];
        for call in calls {
            assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        }
    }
    assert_eq!(ask(&batch, &vec![[0.5, 2.0]; 5_000]), expected);
}

/// What is recorded twice meets in a rule (max(x, x), x − x, a choice between equals) while the graph is made: asked at kinks, in a
/// batch and twice over, derivatives stay those of a recording.
#[test]
fn what_is_recorded_twice_meets_in_rules_and_keeps_its_derivatives() {
    let twice = |x: &[Var], row: f64| {
        let term = |x: &[Var]| (x[0] * row + x[1]).abs() * x[1];
        let (a, b, c, d) = (term(x), term(x), term(x), term(x));
        let chosen = tape::select(x[0] - x[1], (a / b).atan(), (c / d).atan());
        a.max(b) * chosen + c.min(d) + (a - c) * x[0] + tape::select(x[0], b, d) * x[1]
    };
    let program = Program::trace(|x| twice(x, 2.0), &[0.4, 0.9]).unwrap();
    let relaxed = tape::Rewrites::Relaxed;
    let loose = Program::trace_with(relaxed, |x| twice(x, 2.0), &[0.4, 0.9]).unwrap();
    assert!(loose.len() < program.len());
    let on_rows = |x: &[Var], row: &[Var]| {
        let term = |x: &[Var]| (x[0] * row[0] + x[1]).abs() * x[1];
        let (a, b) = (term(x), term(x));
        a.max(b) + a.min(b) + tape::select(x[0], a, b)
    };
    let batch = Batch::trace_with(relaxed, on_rows, &[0.4, 0.9], &[2.0]).unwrap();
    for x in [[0.4, 0.9], [0.9, 0.4], [-0.5, 1.0], [-0.25, 0.5], [0.7, 0.7], [1.5, -3.0]] {
        let (value, gradient, hessian) = tape::hessian(|x| twice(x, 2.0), &x);
        let close = |a: f64, b: f64| is_same(a, b) || (a - b).abs() <= 1e-12 * b.abs().max(1.0);
        for program in [&program, &loose] {
            let at = program.at(&x);
            let (found, slopes, curves) = program.hessian(&x).unwrap();
            // Where a term is 0, its quotient by itself is no number, but 1 by the relaxed rules.
            if value.is_nan() {
                assert!(found.is_nan() || std::ptr::eq(program, &raw const loose), "{x:?}");
                continue;
            }
            assert!(close(found, value) && close(at.unwrap().value().unwrap(), value), "{x:?}");
            assert!(slopes.iter().zip(&gradient).all(|(&a, &b)| close(a, b)), "{x:?} {slopes:?}");
            let agree = curves.data.iter().zip(&hessian.data).all(|(&a, &b)| close(a, b));
            assert!(agree, "{x:?} {curves:?}, not {hessian:?}");
        }
        let row = [Var::constant(2.0)];
        let (value, gradient, hessian) = tape::hessian(|x| on_rows(x, &row), &x);
        let (found, slopes, curves) = batch.hessian(&x, [[2.0], [2.0]]).unwrap();
        assert!(close(found, 2.0 * value), "{x:?}");
        assert!(slopes.iter().zip(&gradient).all(|(&a, &b)| close(a, 2.0 * b)), "{x:?}");
        assert!(curves.data.iter().zip(&hessian.data).all(|(&a, &b)| close(a, 2.0 * b)), "{x:?}");
    }
}

/// Operations that are handed on by the one before them, sums below and beyond the length that is one loop, factors of ±1, and a
/// kink where the product of both numbers is 2.
fn handed_on<T: Real>(x: &[T], terms: usize) -> T {
    let (a, b, number) = (x[0], x[1], T::from_f64);
    let quotient = ((a * b - number(2.0)).relu() / b - a) * number(-1.0);
    let square = (quotient * quotient - b).exp();
    let all: Vec<T> =
        (0..terms).map(|i| a * number([0.7, 1.0, 2.0][i % 3]) - b * number(i as f64)).collect();
    let signs: Vec<f64> = (0..terms).map(|i| [1.0, -1.0, 0.5][i % 3]).collect();
    let sum = tape::weighted_sum(&signs, &all) * square + tape::norm(&all);
    let mut rest = (sum.abs() + number(1.0)).recip();
    for &term in &all {
        rest = term - rest * b;
    }
    (rest.sin() * rest.cos() / a).sqrt() + tape::log_sum_exp(&all) + rest
}

#[test]
fn sums_of_any_length_and_what_is_handed_on_are_right_by_every_way() {
    // At a = 0 a quotient is not finite; the root of a negative number is NaN.
    let points = [[1.0, 2.0], [2.0, 1.5], [0.5, 0.7], [-0.3, 1.1], [0.0, 1.0], [1e200, 1e-200]];
    for terms in 1..=15 {
        let f = move |x: &[Var]| handed_on(x, terms);
        let program = Program::trace(f, &[1.3, 2.2]).unwrap();
        let program = Program::from_bytes(&program.to_bytes()).unwrap();
        let of_gradient = |x: &[Var]| tape::gradient(|x| handed_on(x, terms), x).1;
        let traced = Program::trace(of_gradient, &[0.9, 1.2]).unwrap();
        let batch = Batch::trace(|_: &[Var], row: &[Var]| f(row), &[], &[1.3, 2.2]).unwrap();
        let by_rows = batch.gradients(&[], points).unwrap().1;
        for (row, x) in points.iter().enumerate() {
            let (value, gradient, hessian) = tape::hessian(f, x);
            let check = |way: &str, found: &[f64], expected: &[f64]| {
                let size = expected.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
                for (&a, &b) in found.iter().zip(expected) {
                    let is_close = is_same(a, b) || (a - b).abs() <= 1e-11 * size;
                    assert!(is_close, "{terms} terms, {way} at {x:?}: {found:?}, not {expected:?}");
                }
            };
            let (replayed, replayed_gradient, replayed_hessian) = program.hessian(x).unwrap();
            assert!(is_same(replayed, value), "{terms} terms at {x:?}: {replayed}, not {value}");
            check("gradient", &program.gradient(x).unwrap().1, &gradient);
            check("gradient beside the Hessian", &replayed_gradient, &gradient);
            check("gradient of rows", by_rows.row(row), &gradient);
            check("gradient traced elsewhere", &traced.values(x).unwrap(), &gradient);
            check("Hessian", &replayed_hessian.data, &hessian.data);
            check(
                "Jacobian of a traced gradient",
                &traced.jacobian(x).unwrap().1.data,
                &hessian.data,
            );
        }
    }
}

/// A function that is longer than what is recorded in one piece, with a branch and a trace in its middle.
fn long(shared: &[Var], x: &[Var]) -> Var {
    let mut y = x[0];
    for step in 0..15_000 {
        y = (y * shared[0] + x[1] * f64::from(step % 5)).sin();
        if step == 9_000 {
            if y > x[2] {
                y *= 2.0;
            }
            let square = Program::trace(|x| x[0] * x[0], &[2.0]).unwrap();
            y *= square.value(&[3.0]).unwrap();
        }
    }
    y * x[2]
}

#[test]
fn long_functions_are_the_same_in_batches_and_on_threads_whose_neighbour_panics() {
    let shared = [0.9];
    let rows: Vec<[f64; 3]> =
        (0..40).map(|i| [0.1 * f64::from(i), 0.3, if i % 2 == 0 { -2.0 } else { 2.0 }]).collect();
    let batch = Batch::trace(long, &shared, &rows[0]).unwrap();
    let (values, gradients) = batch.gradients(&shared, &rows).unwrap();
    let expected: Vec<(f64, Vec<f64>)> = rows
        .iter()
        .map(|row| tape::gradient(|x| long(&x[..1], &x[1..]), &[&shared[..], row].concat()))
        .collect();
    for (row, (value, gradient)) in expected.iter().enumerate() {
        assert!((values[row] - value).abs() <= 1e-9, "{} {value}", values[row]);
        for (a, b) in gradients.row(row).iter().zip(&gradient[1..]) {
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} {b}");
        }
    }
    let function = Function::new(|x: &[Var]| {
        let y = long(&x[..1], &x[1..]);
        assert!(x[0] < 1.0, "on purpose");
        y
    });
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (function, rows, expected) = (&function, &rows, &expected);
            scope.spawn(move || {
                for turn in 0..rows.len() {
                    let row = (10 * first + turn) % rows.len();
                    let x = [&shared[..], &rows[row]].concat();
                    let (value, gradient) = function.gradient(&x).unwrap();
                    assert_eq!(value.to_bits(), expected[row].0.to_bits());
                    for (a, b) in gradient.iter().zip(&expected[row].1) {
                        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} {b}");
                    }
                    if turn % 8 == 0 {
                        let other = [1.1, 0.2, 0.3, 0.4];
                        assert!(catch_unwind(|| function.gradient(&other)).is_err());
                    }
                }
            });
        }
    });
    assert_eq!(function.paths(), 2);
    assert!(function.replayed() >= 4 * 40, "{}", function.replayed());
}

/// The latest path of a function is with one thread at a time; others look for theirs.
#[test]
fn a_function_whose_use_of_values_panics_goes_on_from_the_path_it_was_on() {
    let function = Function::new(|x: &[Var]| if x[0] > 0.0 { x[0].sqrt() } else { x[0] * x[1] });
    let (on, other) = ([4.0, 1.0], [-2.0, 3.0]);
    for _ in 0..3 {
        assert_eq!(function.gradient(&on).unwrap(), (2.0, vec![0.25, 0.0]));
        let mut short = [7.0];
        assert!(matches!(function.gradient_into(&on, &mut short), Err(Error::Length { .. })));
        assert!(short == [7.0]);
        assert_eq!(function.gradient(&other).unwrap(), (-6.0, vec![3.0, -2.0]));
        assert_eq!(function.hessian(&on).unwrap().2.data, [-1.0 / 32.0, 0.0, 0.0, 0.0]);
        // At 0 the root's path is left; and NaN takes the other one, whose exact form is asked.
        assert!(function.gradient(&[f64::NAN, 1.0]).unwrap().0.is_nan());
        assert_eq!(function.value(&[f64::INFINITY, 1.0]).unwrap(), f64::INFINITY);
    }
    assert_eq!((function.paths(), function.traced()), (2, 2));
}

/// Terms that a sum adds up as they come, products whose adjoints are stored, and a root that rows of either sign take to NaN.
fn wide(shared: &[Var], row: &[Var]) -> Var {
    let mut path = shared[0];
    let terms = row.iter().map(|&x| {
        path *= (x * shared[1]).exp();
        path * x
    });
    let terms: Vec<Var> = terms.collect();
    tape::sum(&terms) * shared[0].sqrt() + (row[0] + shared[2]).sqrt() * tape::dot(row, &terms)
}

/// What a chunk of rows leaves in the slots of the next, of fewer or more rows, must not matter: nor what a sweep by the rules
/// for NaN leaves.
#[test]
fn sums_of_many_and_few_rows_in_turn_are_those_of_fresh_batches() {
    let row = |i: usize| -> Vec<f64> { (0..40).map(|j| ((i * 40 + j) as f64).sin()).collect() };
    let finite: Vec<Vec<f64>> = (0..300).map(row).collect();
    let mut with_nan = finite.clone();
    with_nan[7][0] = -9.0;
    with_nan[200][3] = f64::INFINITY;
    let shared = [0.8, 0.1, 2.0];
    for is_single in [false, true] {
        let batch = || {
            let batch = Batch::trace(wide, &shared, &finite[0]).unwrap();
            if is_single { batch.in_single_precision() } else { batch }
        };
        let kept = batch();
        for rows in
            [&finite[..], &finite[..3], &with_nan, &finite[..9], &with_nan[..10], &finite[..]]
        {
            let bits = |(value, gradient): (f64, Vec<f64>)| -> Vec<u64> {
                let all = gradient.into_iter().chain([value]);
                all.map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect()
            };
            let found = bits(kept.gradient(&shared, rows).unwrap());
            let expected = bits(batch().gradient(&shared, rows).unwrap());
            assert_eq!(found, expected, "{} rows, single: {is_single}", rows.len());
            let products = |batch: &Batch<_>| {
                let (value, gradient, product) =
                    batch.hessian_vector(&shared, rows, &[1.0, -0.5, 2.0]).unwrap();
                (bits((value, gradient)), bits((0.0, product)))
            };
            assert_eq!(products(&kept), products(&batch()), "{} rows", rows.len());
        }
    }
}

/// Sines and cosines of one number: of few numbers and of many, one of a pair without a derivative, and a branch that
/// compares them.
fn turned<T: Real + PartialOrd>(x: &[T], count: usize) -> T {
    let mut angle = x[0];
    let mut sum = x[1];
    for i in 0..count {
        angle += x[1] * T::from_f64(0.1 * i as f64);
        let (sin, cos) = (angle.sin(), angle.cos());
        sum += match i % 4 {
            0 => sin * cos,
            1 => sin / (cos * cos + T::from_f64(1.0)),
            2 => cos.stop_gradient() * sin,
            _ => cos * angle.tan(),
        };
    }
    let (cos, sin) = (sum.cos(), sum.sin());
    if sin > cos { sin * sum } else { cos - sin }
}

#[test]
fn sines_beside_cosines_are_right_nested_traced_elsewhere_and_in_batches() {
    for count in [1, 2, 3, 7, 9, 40] {
        let function = Function::new(move |x: &[Var]| turned(x, count));
        let of_gradient =
            Function::new(move |x: &[Var]| tape::gradient(|x: &[Var<Var>]| turned(x, count), x).1);
        let batch =
            Batch::trace(|_: &[Var], row: &[Var]| turned(row, count), &[], &[0.3, 0.4]).unwrap();
        let points: Vec<[f64; 2]> =
            (0..30).map(|i| [0.37 * f64::from(i) - 5.0, 1.3 - 0.11 * f64::from(i)]).collect();
        let (values, gradients) = batch.gradients(&[], &points).unwrap();
        for (row, x) in points.iter().enumerate() {
            let (value, gradient, hessian) = tape::hessian(|x| turned(x, count), x);
            let close = |found: &[f64], expected: &[f64], tolerance: f64| {
                let size = expected.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
                let all = found.iter().zip(expected);
                assert!(
                    all.into_iter().all(|(a, b)| (a - b).abs() <= tolerance * size),
                    "{count} at {x:?}: {found:?}, not {expected:?}"
                );
            };
            let (replayed, replayed_gradient, replayed_hessian) = function.hessian(x).unwrap();
            assert_eq!(replayed.to_bits(), value.to_bits(), "{count} at {x:?}");
            close(&replayed_gradient, &gradient, 1e-11);
            close(&replayed_hessian.data, &hessian.data, 1e-9);
            close(&of_gradient.values(x).unwrap(), &gradient, 1e-11);
            close(&of_gradient.jacobian(x).unwrap().1.data, &hessian.data, 1e-9);
            close(&[values[row]], &[value], 1e-10);
            close(gradients.row(row), &gradient, 1e-9);
        }
    }
}

type Plain = fn(&[Var]) -> Var;

static COUNTING: LazyLock<Function<Plain>> =
    LazyLock::new(|| Function::new(counting as Plain).with_limit(10));

/// A path for each whole number that the first input may be above, of which one panics; from 5 on, what the function itself gives
/// half the way is a factor.
fn counting(x: &[Var]) -> Var {
    let (mut count, mut sum) = (0, x[1]);
    while x[0] >= f64::from(count + 1) {
        count += 1;
        sum = (sum * x[1] + x[0]).sqrt();
    }
    assert!(count != 13, "on purpose");
    if count > 4 { sum * COUNTING.value(&[f64::from(count / 2), 0.5]).unwrap() } else { sum }
}

/// More paths than have their slots at hand, and than are kept; on several threads, some of whose traces panic.
#[test]
fn a_function_of_more_paths_than_are_kept_calls_itself_beside_traces_that_panic() {
    std::thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || {
                for turn in 0..300 {
                    let x = [f64::from((7 * turn + 5 * first) % 20) + 0.5, 0.7];
                    if x[0] == 13.5 {
                        assert!(catch_unwind(|| COUNTING.gradient(&x)).is_err());
                        continue;
                    }
                    let (value, gradient) = COUNTING.gradient(&x).unwrap();
                    let (expected, expected_gradient) = tape::gradient(counting, &x);
                    assert_eq!(value.to_bits(), expected.to_bits(), "{x:?}");
                    for (a, b) in gradient.iter().zip(&expected_gradient) {
                        assert!(
                            (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                            "{a}, not {b}, at {x:?}"
                        );
                    }
                }
            });
        }
    });
    assert_eq!(COUNTING.paths(), 10);
    let before = COUNTING.traced();
    for _ in 0..5 {
        assert!(COUNTING.value(&[2.5, 0.7]).is_ok());
    }
    assert!(COUNTING.traced() <= before + 1);
}

/// A band with dense rows and dense columns, and gradients recorded in it; its first row has a root.
fn bordered(x: &[Var]) -> Vec<Var> {
    let count = x.len();
    let mut outputs: Vec<Var> = (2..count)
        .map(|i| {
            let near =
                move |y: &[Var<Var>]| (y[0] * y[1]).sin() * y[2] + (y[1] * y[0] * y[3]).exp();
            let next = 2 + (i - 1) % (count - 2);
            tape::gradient(near, &[x[i], x[next], x[0], x[1]]).1[0]
        })
        .collect();
    let squares: Vec<Var> = x.iter().map(|&x| x * x).collect();
    outputs.push(tape::sum(&squares) * x[5]);
    outputs.push(x[7].sqrt() * x[8] + tape::log_sum_exp(x));
    outputs
}

/// An entry that is infinite, or NaN, must not reach those that share a product with it.
#[test]
fn columns_and_rows_together_are_the_dense_jacobian_at_kinks_and_from_bytes() {
    let at: Vec<f64> = (0..40).map(|i| 0.3 + 0.02 * f64::from(i)).collect();
    let program = Program::trace(bordered, &at).unwrap();
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    assert_eq!(program.jacobian_colors(), 6);
    let function = Function::new(bordered);
    let mut points = vec![at.clone(); 5];
    points[1][7] = 0.0;
    points[2][7] = -1.0;
    points[3][9] = 1e200;
    points[4].iter_mut().for_each(|x| *x = -*x * 0.5);
    std::thread::scope(|scope| {
        for x in &points {
            let (program, function) = (&program, &function);
            scope.spawn(move || {
                let (values, dense) = tape::jacobian(bordered, x);
                let kept = function.program(x).unwrap();
                for program in [program, &kept] {
                    let (found, sparse) = program.sparse_jacobian(x).unwrap();
                    assert!(found.iter().zip(&values).all(|(&a, &b)| is_same(a, b)), "{x:?}");
                    let sparse = sparse.to_dense();
                    for (place, (&a, &b)) in sparse.data.iter().zip(&dense.data).enumerate() {
                        let is_close = is_same(a, b) || (a - b).abs() <= 1e-12 * b.abs().max(1.0);
                        assert!(is_close, "{a}, not {b}, at {} {}", place / 40, place % 40);
                    }
                }
            });
        }
    });
}
