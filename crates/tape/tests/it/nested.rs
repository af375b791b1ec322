//! Derivatives inside derivatives: no mode confuses the variables of one level with those of another.

use tape::{Dual, Real, Tape, Var};

/// To this many parts of the expected number, or of 1.
#[track_caller]
fn check(actual: f64, expected: f64) {
    let is_expected = (actual - expected).abs() <= 1e-13 * expected.abs().max(1.0);
    assert!(is_expected, "{actual}, not {expected}");
}

/// df/dx by reverse mode.
fn reverse<T: Real>(f: impl FnOnce(Var<T>) -> Var<T>, x: T) -> T {
    tape::gradient(|x| f(x[0]), &[x]).1[0]
}

/// df/dx by forward mode.
fn forward<T: Real>(f: impl FnOnce(Dual<T>) -> Dual<T>, x: T) -> T {
    f(Dual::new(x, T::from_f64(1.0))).tangent
}

/// d/dx (x · d/dy (x + y)) is 1; a system that confuses the levels says 2.
mod the_classic_is_1 {
    use super::*;

    #[test]
    fn reverse_in_reverse() {
        check(
            reverse(|x: Var| x * reverse(|y| y + Var::constant(x), Var::constant(1.0)), 1.0),
            1.0,
        );
    }

    #[test]
    fn forward_in_reverse() {
        check(
            reverse(|x: Var| x * forward(|y| y + Dual::constant(x), Var::constant(1.0)), 1.0),
            1.0,
        );
    }

    #[test]
    fn reverse_in_forward() {
        check(
            forward(|x: Dual| x * reverse(|y| y + Var::constant(x), Dual::constant(1.0)), 1.0),
            1.0,
        );
    }

    #[test]
    fn forward_in_forward() {
        check(
            forward(|x: Dual| x * forward(|y| y + Dual::constant(x), Dual::constant(1.0)), 1.0),
            1.0,
        );
    }
}

/// A function with known derivatives: x³·e^(2x).
fn f<T: Real>(x: T) -> T {
    x.powi(3) * (T::from_f64(2.0) * x).exp()
}

const X: f64 = 0.7;

/// By the product rule: e^(2x) · Σ binomial(n, k) · (x³)⁽ᵏ⁾ · 2ⁿ⁻ᵏ.
fn derivative_of_f(order: i32) -> f64 {
    let of_cube = [X.powi(3), 3.0 * X.powi(2), 6.0 * X, 6.0];
    let mut binomial = 1.0;
    let mut sum = 0.0;
    for (k, of_cube) in (0..=order.min(3)).zip(of_cube) {
        sum += binomial * of_cube * 2_f64.powi(order - k);
        binomial *= f64::from(order - k) / f64::from(k + 1);
    }
    sum * (2.0 * X).exp()
}

#[test]
fn first_derivatives() {
    check(reverse(f, X), derivative_of_f(1));
    check(forward(f, X), derivative_of_f(1));
}

#[test]
fn second_derivatives_in_all_mode_pairs() {
    check(reverse(|x| reverse(f, x), X), derivative_of_f(2));
    check(reverse(|x| forward(f, x), X), derivative_of_f(2));
    check(forward(|x| reverse(f, x), X), derivative_of_f(2));
    check(forward(|x| forward(f, x), X), derivative_of_f(2));
}

/// The sweep skips adjoints that are 0; one that is 0 here and not nearby has a derivative, and must not be skipped.
#[test]
fn an_adjoint_that_is_0_at_the_point_only_still_counts() {
    fn f<T: Real>(x: T) -> T {
        x * x.sin()
    }
    check(reverse(|x| reverse(f, x), 0.0), 2.0);
    check(reverse(|x| forward(f, x), 0.0), 2.0);
    check(forward(|x| reverse(f, x), 0.0), 2.0);
    check(forward(|x| forward(f, x), 0.0), 2.0);
    check(tape::hessian(|x| f(x[0]), &[0.0]).2[(0, 0)], 2.0);
}

#[test]
fn third_derivatives_in_all_mode_triples() {
    let expected = derivative_of_f(3);
    check(reverse(|x| reverse(|x| reverse(f, x), x), X), expected);
    check(reverse(|x| reverse(|x| forward(f, x), x), X), expected);
    check(reverse(|x| forward(|x| reverse(f, x), x), X), expected);
    check(reverse(|x| forward(|x| forward(f, x), x), X), expected);
    check(forward(|x| reverse(|x| reverse(f, x), x), X), expected);
    check(forward(|x| reverse(|x| forward(f, x), x), X), expected);
    check(forward(|x| forward(|x| reverse(f, x), x), X), expected);
    check(forward(|x| forward(|x| forward(f, x), x), X), expected);
}

#[test]
fn fourth_derivatives() {
    let expected = derivative_of_f(4);
    check(reverse(|x| reverse(|x| reverse(|x| reverse(f, x), x), x), X), expected);
    check(forward(|x| forward(|x| forward(|x| forward(f, x), x), x), X), expected);
    check(reverse(|x| forward(|x| reverse(|x| forward(f, x), x), x), X), expected);
}

#[test]
fn an_inner_point_may_be_an_outer_variable() {
    // d/dx (d/dy (x·y²) at y = x³) = d/dx 2x⁴ = 8x³.
    let inner = |x: Var| reverse(|y| Var::constant(x) * y * y, x * x * x);
    check(reverse(inner, 2.0), 64.0);
}

#[test]
fn outer_variables_recorded_while_an_inner_tape_lives_are_good() {
    let outer = Tape::new();
    let x = outer.var(3.0);
    let inner = Tape::<Var>::new();
    let y = inner.var(x);
    let z = x * x;
    let w = y * y * z;
    let derivative = inner.sweep(w).wrt(y);
    let v = derivative * x;
    // 2·x·x²·x = 2x⁴.
    check(v.value(), 162.0);
    check(outer.sweep(v).wrt(x), 216.0);
}

/// Rosenbrock's function, with its Hessian worked by hand.
fn rosenbrock<T: Real>(x: &[T]) -> T {
    let (a, b) = (T::from_f64(1.0) - x[0], x[1] - x[0] * x[0]);
    a * a + T::from_f64(100.0) * b * b
}

#[test]
fn the_hessian_of_rosenbrock_s_function() {
    let (x, y) = (-1.2, 1.5);
    let (value, gradient, hessian) = tape::hessian(rosenbrock, &[x, y]);
    check(value, rosenbrock(&[x, y]));
    check(gradient[0], -2.0 * (1.0 - x) - 400.0 * x * (y - x * x));
    check(gradient[1], 200.0 * (y - x * x));
    assert_eq!((hessian.rows, hessian.columns), (2, 2));
    check(hessian[(0, 0)], 2.0 - 400.0 * (y - 3.0 * x * x));
    check(hessian[(0, 1)], -400.0 * x);
    check(hessian[(1, 0)], -400.0 * x);
    check(hessian[(1, 1)], 200.0);
}

#[test]
fn the_hessian_vector_product_of_rosenbrock_s_function() {
    let (x, y) = (-1.2, 1.5);
    let (_, gradient, product) = tape::hessian_vector(rosenbrock, &[x, y], &[2.0, -3.0]);
    check(gradient[1], 200.0 * (y - x * x));
    check(product[0], 2.0 * (2.0 - 400.0 * (y - 3.0 * x * x)) + 3.0 * 400.0 * x);
    check(product[1], -2.0 * 400.0 * x - 3.0 * 200.0);
}

#[test]
fn the_hessian_of_half_a_squared_norm_is_the_identity() {
    let f = |x: &[Var]| 0.5 * tape::dot(x, x);
    let (_, _, hessian) = tape::hessian(f, &[1.0, -2.0, 3.0]);
    assert_eq!(hessian.data, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn the_hessian_of_a_norm_is_a_projection_by_its_length() {
    let (_, _, hessian) = tape::hessian(|x| tape::norm(x), &[3.0, 4.0]);
    for (actual, expected) in hessian.data.iter().zip([0.128, -0.096, -0.096, 0.072]) {
        check(*actual, expected);
    }
}

#[test]
fn the_hessian_of_log_sum_exp_is_the_covariance_of_its_weights() {
    let (_, weights, hessian) = tape::hessian(|x| tape::log_sum_exp(x), &[0.5, 1.0, -2.0]);
    for i in 0..3 {
        for j in 0..3 {
            let diagonal = if i == j { weights[i] } else { 0.0 };
            check(hessian[(i, j)], diagonal - weights[i] * weights[j]);
        }
    }
}

#[test]
fn a_hessian_of_a_function_of_nothing_is_empty() {
    let (value, gradient, hessian) = tape::hessian(|_: &[Var]| Var::constant(3.0), &[]);
    assert_eq!((value, gradient.len(), hessian.data.len()), (3.0, 0, 0));
}

#[test]
fn a_hessian_of_a_constant_is_0() {
    let (_, gradient, hessian) = tape::hessian(|_| Var::constant(3.0), &[1.0, 2.0]);
    assert_eq!((gradient, hessian.data), (vec![0.0; 2], vec![0.0; 4]));
}

#[test]
fn a_hessian_of_an_input_is_0() {
    let (_, gradient, hessian) = tape::hessian(|x| x[1], &[1.0, 2.0]);
    assert_eq!((gradient, hessian.data), (vec![0.0, 1.0], vec![0.0; 4]));
}

#[test]
fn a_hessian_nests() {
    // The trace of the Hessian of x³·y is 6xy; its gradient is (6y, 6x).
    let trace = |x: &[Var]| {
        let (_, _, hessian) = tape::hessian(|x: &[Var<Var>]| x[0].powi(3) * x[1], x);
        hessian[(0, 0)] + hessian[(1, 1)]
    };
    let (value, gradient) = tape::gradient(trace, &[2.0, 5.0]);
    check(value, 60.0);
    check(gradient[0], 30.0);
    check(gradient[1], 12.0);
}

#[test]
fn hessians_are_those_of_reverse_in_reverse() {
    let f = |x: &[f64]| {
        let (_, _, hessian) = tape::hessian(composite, x);
        hessian.data
    };
    let by_nesting = |x: &[f64]| {
        let row = |i: usize| {
            tape::gradient(|x: &[Var]| tape::gradient(|x: &[Var<Var>]| composite(x), x).1[i], x).1
        };
        (0..x.len()).flat_map(row).collect::<Vec<f64>>()
    };
    let x = [0.4, 1.3, 0.8];
    for (actual, expected) in f(&x).into_iter().zip(by_nesting(&x)) {
        check(actual, expected);
    }
}

/// One of everything that takes more than one node.
fn composite<T: Real>(x: &[T]) -> T {
    let y = x[0].mul_add(x[1], x[2]).clamp(T::from_f64(-5.0), x[1] * T::from_f64(4.0));
    let z = T::select(x[0], T::norm(x), x[1]) + T::log_sum_exp(&[y, x[0], x[0]]);
    z * T::sum(&[x[0], y, z]) + T::dot(&[x[0], z], &[y, y]) + x[1].powf(x[2]) - (z / y).hypot(x[0])
}
