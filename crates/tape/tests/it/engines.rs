//! One suite for every engine: the same function, point and derivative, whichever way it is computed.
//!
//! The kinks and singular points are the conventions that tape's README lists; each is one line here.

use tape::{Batch, Dual, Lanes, Program, Real, Tape, Var};

/// A function of several numbers, written once for all engines.
pub(crate) trait Function {
    fn at<T: Real>(&self, x: &[T]) -> T;
}

/// A [`Function`] as an object: the engines are compiled once, not once for each function.
pub(crate) trait AnyFunction {
    fn f64(&self, x: &[f64]) -> f64;
    fn var(&self, x: &[Var]) -> Var;
    fn dual(&self, x: &[Dual]) -> Dual;
    fn var_var(&self, x: &[Var<Var>]) -> Var<Var>;
    fn var_dual(&self, x: &[Var<Dual>]) -> Var<Dual>;
    fn dual_var(&self, x: &[Dual<Var>]) -> Dual<Var>;
    fn var_lanes_1(&self, x: &[Var<Lanes<1>>]) -> Var<Lanes<1>>;
    fn var_lanes_4(&self, x: &[Var<Lanes<4>>]) -> Var<Lanes<4>>;
    fn var_lanes_8(&self, x: &[Var<Lanes<8>>]) -> Var<Lanes<8>>;
    fn dual_lanes_1(&self, x: &[Dual<Lanes<1>>]) -> Dual<Lanes<1>>;
    fn dual_lanes_4(&self, x: &[Dual<Lanes<4>>]) -> Dual<Lanes<4>>;
}

impl<F: Function> AnyFunction for F {
    fn f64(&self, x: &[f64]) -> f64 {
        self.at(x)
    }

    fn var(&self, x: &[Var]) -> Var {
        self.at(x)
    }

    fn dual(&self, x: &[Dual]) -> Dual {
        self.at(x)
    }

    fn var_var(&self, x: &[Var<Var>]) -> Var<Var> {
        self.at(x)
    }

    fn var_dual(&self, x: &[Var<Dual>]) -> Var<Dual> {
        self.at(x)
    }

    fn dual_var(&self, x: &[Dual<Var>]) -> Dual<Var> {
        self.at(x)
    }

    fn var_lanes_1(&self, x: &[Var<Lanes<1>>]) -> Var<Lanes<1>> {
        self.at(x)
    }

    fn var_lanes_4(&self, x: &[Var<Lanes<4>>]) -> Var<Lanes<4>> {
        self.at(x)
    }

    fn var_lanes_8(&self, x: &[Var<Lanes<8>>]) -> Var<Lanes<8>> {
        self.at(x)
    }

    fn dual_lanes_1(&self, x: &[Dual<Lanes<1>>]) -> Dual<Lanes<1>> {
        self.at(x)
    }

    fn dual_lanes_4(&self, x: &[Dual<Lanes<4>>]) -> Dual<Lanes<4>> {
        self.at(x)
    }
}

/// Computes the value and the gradient of a function.
pub(crate) type Compute = fn(&dyn AnyFunction, &[f64]) -> (f64, Vec<f64>);

/// One of the ways to a derivative.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) compute: Compute,
    /// How far, in parts of its size, the value of one operation may be from that of `f64`; 0 for not at all.
    pub(crate) tolerance: f64,
    /// Forward mode, which keeps no list, in the same arithmetic.
    pub(crate) oracle: Compute,
    /// Whether every operation has the oracle's value to the bit: a long program may amplify a difference without bound.
    pub(crate) repeats_oracle: bool,
}

const fn exact(name: &'static str, compute: Compute) -> Engine {
    Engine { name, compute, tolerance: 0.0, oracle: forward, repeats_oracle: true }
}

/// Functions like `exp` differ from `std`'s in the last places.
const fn of_lanes(name: &'static str, compute: Compute) -> Engine {
    Engine {
        name,
        compute,
        tolerance: 4.0 * f64::EPSILON,
        oracle: forward_in_1_lane,
        repeats_oracle: true,
    }
}

/// The same, but constants are computed by `std`'s functions, when the program is made.
const fn of_lanes_but_constants(name: &'static str, compute: Compute) -> Engine {
    Engine { repeats_oracle: false, ..of_lanes(name, compute) }
}

/// To test an engine, add a row.
pub(crate) const ENGINES: [Engine; 16] = [
    exact("Var", reverse),
    exact("Dual", forward),
    exact("Var<Var>", reverse_in_reverse),
    exact("Var<Dual>", reverse_in_forward),
    exact("Dual<Var>", forward_in_reverse),
    exact("replay of a Hessian", hessian),
    exact("Program", program),
    exact("Program on Dual", program_on_dual),
    exact("Jacobian of a Program", jacobian_of_program),
    of_lanes_but_constants("Batch", batch),
    of_lanes("Var<Lanes<1>>", |f, x| reverse_in_lanes(|x| f.var_lanes_1(x), x, 0)),
    of_lanes("Var<Lanes<4>>", |f, x| reverse_in_lanes(|x| f.var_lanes_4(x), x, 2)),
    of_lanes("Var<Lanes<8>>", |f, x| reverse_in_lanes(|x| f.var_lanes_8(x), x, 7)),
    of_lanes("replay of a Hessian of Lanes<4>", |f, x| {
        hessian_in_lanes(|x| f.var_lanes_4(x), x, 1)
    }),
    of_lanes("Dual<Lanes<1>>", forward_in_1_lane),
    of_lanes("Dual<Lanes<4>>", |f, x| forward_in_lanes(|x| f.dual_lanes_4(x), x, 3)),
];

fn reverse(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    tape::gradient(|x| f.var(x), x)
}

pub(crate) fn forward(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let gradient = (0..x.len()).map(|i| f.dual(&seeded(x, i)).tangent).collect();
    (f.dual(&seeded(x, 0)).value, gradient)
}

fn reverse_in_reverse(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let outer = Tape::new();
    let (value, gradient) = tape::gradient(|x| f.var_var(x), &outer.vars_from(x));
    (value.value(), gradient.iter().map(|derivative| derivative.value()).collect())
}

fn reverse_in_forward(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let (value, gradient) = tape::gradient(|x| f.var_dual(x), &seeded(x, 0));
    (value.value, gradient.iter().map(|derivative| derivative.value).collect())
}

fn forward_in_reverse(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let outer = Tape::new();
    let x = outer.vars_from(x);
    let gradient = (0..x.len()).map(|i| f.dual_var(&seeded(&x, i)).tangent.value()).collect();
    (f.dual_var(&seeded(&x, 0)).value.value(), gradient)
}

fn hessian(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let (value, gradient, _) = tape::hessian(|x| f.var(x), x);
    (value, gradient)
}

fn traced(f: &dyn AnyFunction, x: &[f64]) -> Program {
    Program::trace(|x| f.var(x), x).expect("the suite's functions can be traced")
}

fn program(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    traced(f, x).gradient(x).expect("a replay at the traced point takes the same path")
}

fn program_on_dual(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let product = traced(f, x).hessian_vector(x, &vec![0.0; x.len()]);
    let (value, gradient, _) = product.expect("a replay at the traced point takes the same path");
    (value, gradient)
}

/// Two outputs of one function, and a constant: for few inputs, forward mode.
fn jacobian_of_program(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let program = Program::trace(|x| vec![f.var(x), Var::constant(1.0), f.var(x)], x).unwrap();
    let (values, jacobian) = program.jacobian(x).unwrap();
    (values[2], jacobian.row(2).to_vec())
}

/// The point is a row; the derivatives are with respect to what is shared and added to it, which is 0.
fn batch(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    let shifted = |shared: &[Var], row: &[Var]| {
        let point: Vec<Var> = shared.iter().zip(row).map(|(&shift, &x)| x + shift).collect();
        f.var(&point)
    };
    let shared = vec![0.0; x.len()];
    let batch = Batch::trace(shifted, &shared, x).unwrap();
    batch.gradient(&shared, [x]).unwrap()
}

fn reverse_in_lanes<const N: usize>(
    f: impl Fn(&[Var<Lanes<N>>]) -> Var<Lanes<N>>,
    x: &[f64],
    lane: usize,
) -> (f64, Vec<f64>) {
    let (value, gradient) = tape::gradient(f, &beside_others(x, lane));
    (value.0[lane], gradient.iter().map(|derivative| derivative.0[lane]).collect())
}

fn hessian_in_lanes<const N: usize>(
    f: impl Fn(&[Var<Lanes<N>>]) -> Var<Lanes<N>>,
    x: &[f64],
    lane: usize,
) -> (f64, Vec<f64>) {
    let (value, gradient, _) = tape::hessian(f, &beside_others(x, lane));
    (value.0[lane], gradient.iter().map(|derivative| derivative.0[lane]).collect())
}

fn forward_in_lanes<const N: usize>(
    f: impl Fn(&[Dual<Lanes<N>>]) -> Dual<Lanes<N>>,
    x: &[f64],
    lane: usize,
) -> (f64, Vec<f64>) {
    let x = beside_others(x, lane);
    let gradient = (0..x.len()).map(|i| f(&seeded(&x, i)).tangent.0[lane]).collect();
    (f(&seeded(&x, 0)).value.0[lane], gradient)
}

fn forward_in_1_lane(f: &dyn AnyFunction, x: &[f64]) -> (f64, Vec<f64>) {
    forward_in_lanes(|x| f.dual_lanes_1(x), x, 0)
}

/// The point in one lane, and in the others points that go other ways: larger, smaller, at the origin, at infinity.
fn beside_others<const N: usize>(x: &[f64], lane: usize) -> Vec<Lanes<N>> {
    let others = |x: f64| [2.0 * x, 0.0, x * 1e-3, f64::INFINITY.copysign(x), -0.0, x, 1e300 * x];
    let with_others = |&x: &f64| {
        let mut others = others(x).into_iter();
        Lanes(core::array::from_fn(|i| if i == lane { x } else { others.next().unwrap() }))
    };
    x.iter().map(with_others).collect()
}

/// The point with tangent 1 in this direction.
fn seeded<T: Real>(x: &[T], direction: usize) -> Vec<Dual<T>> {
    let unit = |i| T::from_f64(if i == direction { 1.0 } else { 0.0 });
    x.iter().enumerate().map(|(i, &x)| Dual::new(x, unit(i))).collect()
}

/// Equal to this many parts of `scale`; ∞ equals ∞, and NaN NaN.
pub(crate) fn agree(a: f64, b: f64, scale: f64, tolerance: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * scale
}

pub(crate) fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

impl Engine {
    /// Whether a value of one operation may stand for that of `f64`. Where a result cancels (the logarithm of a sum near
    /// 1), its accuracy is relative to the arguments, at most 1.
    pub(crate) fn accepts(&self, value: f64, plain: f64, x: &[f64]) -> bool {
        let largest = x.iter().fold(0.0, |largest: f64, x| largest.max(x.abs())).min(1.0);
        let scale = plain.abs().max(largest);
        same_bits(value, plain)
            || (self.tolerance > 0.0 && agree(value, plain, scale, self.tolerance))
    }
}

/// Every engine gives the value of plain `f64`, and this gradient.
#[track_caller]
fn check(f: &dyn AnyFunction, x: &[f64], expected: &[f64]) {
    let plain = f.f64(x);
    for engine in ENGINES {
        let name = engine.name;
        let (value, gradient) = (engine.compute)(f, x);
        assert!(engine.accepts(value, plain, x), "{name}: value {value:e} at {x:?}, not {plain:e}");
        let pairs = || gradient.iter().zip(expected);
        let is_expected =
            gradient.len() == expected.len() && pairs().all(|(&a, &b)| agree(a, b, b.abs(), 1e-14));
        assert!(is_expected, "{name}: gradient {gradient:?} at {x:?}, not {expected:?}");
    }
}

/// Each line is a test: name, function of `x`, point, gradient there.
macro_rules! theorems {
    ($($name:ident: |$x:ident| $f:expr, at $point:expr, is $gradient:expr;)*) => {$(
        #[test]
        fn $name() {
            struct F;
            impl Function for F {
                fn at<T: Real>(&self, $x: &[T]) -> T { $f }
            }
            check(&F, &$point, &$gradient);
        }
    )*};
}

fn number<T: Real>(value: f64) -> T {
    T::from_f64(value)
}

const INFINITY: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[rustfmt::skip]
theorems! {
    // Smooth points, worked by hand.
    a_product:                 |x| x[0] * x[1],                           at [3.0, 5.0],       is [5.0, 3.0];
    a_square_is_one_variable_twice: |x| x[0] * x[0],                      at [3.0],            is [6.0];
    a_quotient:                |x| x[0] / x[1],                           at [3.0, 2.0],       is [0.5, -0.75];
    a_difference_of_itself:    |x| x[0] - x[0],                           at [3.0],            is [0.0];
    a_chain:                   |x| (x[0] * number(2.0)).exp().ln().sqrt(), at [2.0],           is [0.5];
    a_shared_intermediate:     |x| { let y = x[0] * x[1]; y * y + y },    at [3.0, 2.0],       is [26.0, 39.0];
    an_unused_input:           |x| x[1].sin(),                            at [1.0, 0.0],       is [0.0, 1.0];
    an_input_itself:           |x| x[1],                                  at [1.0, 2.0],       is [0.0, 1.0];
    a_constant:                |_x| number::<T>(4.0).sqrt(),              at [1.0],            is [0.0];
    a_constant_of_no_inputs:   |_x| number(4.0),                          at [],               is [];
    a_sum_of_a_slice:          |x| T::sum(x),                             at [1.0, 2.0, 3.0],  is [1.0, 1.0, 1.0];
    a_sum_of_nothing:          |x| x[0] + T::sum(&[]),                    at [1.0],            is [1.0];
    a_sum_with_a_repeated_term: |x| T::sum(&[x[0], x[0], x[0]]),          at [1.0],            is [3.0];
    a_dot_with_itself:         |x| T::dot(x, x),                          at [1.0, 2.0, 3.0],  is [2.0, 4.0, 6.0];
    a_dot_with_constants:      |x| T::dot(&[x[0], number(5.0)], &[number(4.0), x[0]]), at [1.0], is [9.0];
    a_norm:                    |x| T::norm(x),                            at [3.0, 4.0],       is [0.6, 0.8];
    a_norm_of_large_numbers:   |x| T::norm(x),                            at [3e200, 4e200],   is [0.6, 0.8];
    a_norm_of_small_numbers:   |x| T::norm(x),                            at [3e-200, 4e-200], is [0.6, 0.8];
    a_log_sum_exp_of_equals:   |x| T::log_sum_exp(x),                     at [1e3, 1e3],       is [0.5, 0.5];
    a_log_sum_exp_of_one_term: |x| T::log_sum_exp(x),                     at [-1e3],           is [1.0];
    a_log_add_exp_of_equals:   |x| x[0].log_add_exp(x[1]),                at [1e3, 1e3],       is [0.5, 0.5];
    a_fused_product_and_sum:   |x| x[0].mul_add(x[1], x[2]),              at [2.0, 3.0, 4.0],  is [3.0, 2.0, 1.0];
    a_negative_integer_power:  |x| x[0].powi(-2),                         at [2.0],            is [-0.25];
    a_power_of_two_variables:  |x| x[0].powf(x[1]),                       at [1.0, 3.0],       is [3.0, 0.0];
    a_select_of_the_first:     |x| T::select(x[0], x[1], x[2]),           at [1.0, 2.0, 3.0],  is [0.0, 1.0, 0.0];
    a_select_of_the_second:    |x| T::select(x[0], x[1], x[2]),           at [0.0, 2.0, 3.0],  is [0.0, 0.0, 1.0];
    a_select_by_nan:           |x| T::select(x[0], x[1], x[2]),           at [NAN, 2.0, 3.0],  is [0.0, 0.0, 1.0];

    // Kinks.
    abs_at_0:                  |x| x[0].abs(),                            at [0.0],            is [0.0];
    abs_at_minus_0:            |x| x[0].abs(),                            at [-0.0],           is [0.0];
    signum_at_0:               |x| x[0].signum(),                         at [0.0],            is [0.0];
    relu_at_0:                 |x| x[0].relu(),                           at [0.0],            is [0.0];
    floor_between_integers:    |x| x[0].floor(),                          at [1.5],            is [0.0];
    floor_at_an_integer:       |x| x[0].floor(),                          at [2.0],            is [0.0];
    ceil_between_integers:     |x| x[0].ceil(),                           at [1.5],            is [0.0];
    ceil_at_an_integer:        |x| x[0].ceil(),                           at [2.0],            is [0.0];
    round_at_a_half:           |x| x[0].round(),                          at [2.5],            is [0.0];
    round_at_an_integer:       |x| x[0].round(),                          at [2.0],            is [0.0];
    trunc_at_0:                |x| x[0].trunc(),                          at [0.0],            is [0.0];
    trunc_at_an_integer:       |x| x[0].trunc(),                          at [2.0],            is [0.0];
    max_at_a_tie:              |x| x[0].max(x[1]),                        at [2.0, 2.0],       is [0.5, 0.5];
    min_at_a_tie:              |x| x[0].min(x[1]),                        at [2.0, 2.0],       is [0.5, 0.5];
    max_of_a_variable_and_itself: |x| x[0].max(x[0]),                     at [2.0],            is [1.0];
    max_at_a_tie_with_a_constant: |x| x[0].max(number(2.0)),              at [2.0],            is [0.5];
    max_of_nan_and_1:          |x| x[0].max(x[1]),                        at [NAN, 1.0],       is [0.0, 1.0];
    max_of_1_and_nan:          |x| x[0].max(x[1]),                        at [1.0, NAN],       is [1.0, 0.0];
    min_of_nan_and_1:          |x| x[0].min(x[1]),                        at [NAN, 1.0],       is [0.0, 1.0];
    min_of_1_and_nan:          |x| x[0].min(x[1]),                        at [1.0, NAN],       is [1.0, 0.0];
    clamp_at_the_lower_bound:  |x| x[0].clamp(number(1.0), number(3.0)),  at [1.0],            is [0.0];
    clamp_at_the_upper_bound:  |x| x[0].clamp(number(1.0), number(3.0)),  at [3.0],            is [0.0];
    clamp_below_the_bounds:    |x| x[0].clamp(number(1.0), number(3.0)),  at [0.0],            is [0.0];
    clamp_above_the_bounds:    |x| x[0].clamp(number(1.0), number(3.0)),  at [4.0],            is [0.0];
    clamp_between_the_bounds:  |x| x[0].clamp(x[1], x[2]),                at [2.0, 1.0, 3.0],  is [1.0, 0.0, 0.0];
    clamp_below_gives_the_lower_bound: |x| x[0].clamp(x[1], x[2]),        at [0.0, 1.0, 3.0],  is [0.0, 1.0, 0.0];
    clamp_above_gives_the_upper_bound: |x| x[0].clamp(x[1], x[2]),        at [4.0, 1.0, 3.0],  is [0.0, 0.0, 1.0];
    hypot_at_the_origin:       |x| x[0].hypot(x[1]),                      at [0.0, 0.0],       is [0.0, 0.0];
    norm_at_the_origin:        |x| T::norm(x),                            at [0.0, 0.0, 0.0],  is [0.0, 0.0, 0.0];
    atan2_at_the_origin:       |x| x[0].atan2(x[1]),                      at [0.0, 0.0],       is [0.0, 0.0];

    // Singular points.
    sqrt_at_0:                 |x| x[0].sqrt(),                           at [0.0],            is [INFINITY];
    sqrt_at_minus_1:           |x| x[0].sqrt(),                           at [-1.0],           is [NAN];
    cbrt_at_0:                 |x| x[0].cbrt(),                           at [0.0],            is [INFINITY];
    ln_at_0:                   |x| x[0].ln(),                             at [0.0],            is [INFINITY];
    ln_at_minus_1:             |x| x[0].ln(),                             at [-1.0],           is [-1.0];
    ln_1p_at_minus_1:          |x| x[0].ln_1p(),                          at [-1.0],           is [INFINITY];
    asin_at_1:                 |x| x[0].asin(),                           at [1.0],            is [INFINITY];
    acos_at_1:                 |x| x[0].acos(),                           at [1.0],            is [-INFINITY];
    acosh_at_1:                |x| x[0].acosh(),                          at [1.0],            is [INFINITY];
    atanh_at_1:                |x| x[0].atanh(),                          at [1.0],            is [INFINITY];
    recip_at_0:                |x| x[0].recip(),                          at [0.0],            is [-INFINITY];
    one_by_x_at_0:             |x| number::<T>(1.0) / x[0],               at [0.0],            is [-INFINITY];
    zero_by_zero:              |x| x[0] / x[1],                           at [0.0, 0.0],       is [INFINITY, NAN];
    powf_of_0_to_0:            |x| x[0].powf(x[1]),                       at [0.0, 0.0],       is [0.0, 0.0];
    powf_of_0_to_1:            |x| x[0].powf(x[1]),                       at [0.0, 1.0],       is [1.0, 0.0];
    powf_of_0_to_2:            |x| x[0].powf(x[1]),                       at [0.0, 2.0],       is [0.0, 0.0];
    powf_of_0_to_a_half:       |x| x[0].powf(x[1]),                       at [0.0, 0.5],       is [INFINITY, 0.0];
    powf_of_0_to_minus_1:      |x| x[0].powf(x[1]),                       at [0.0, -1.0],      is [-INFINITY, -INFINITY];
    powf_of_minus_2_to_3:      |x| x[0].powf(x[1]),                       at [-2.0, 3.0],      is [12.0, NAN];
    powf_of_minus_2_to_the_constant_3: |x| x[0].powf(number(3.0)),        at [-2.0],           is [12.0];
    powf_of_0_to_the_constant_1: |x| x[0].powf(number(1.0)),              at [0.0],            is [1.0];
    powf_of_the_constant_0_to_2: |x| number::<T>(0.0).powf(x[0]),         at [2.0],            is [0.0];
    powi_of_0_to_0:            |x| x[0].powi(0),                          at [0.0],            is [0.0];
    powi_of_0_to_1:            |x| x[0].powi(1),                          at [0.0],            is [1.0];
    powi_of_0_to_2:            |x| x[0].powi(2),                          at [0.0],            is [0.0];
    log_add_exp_of_infinity_and_1: |x| x[0].log_add_exp(x[1]),            at [INFINITY, 1.0],  is [1.0, 0.0];
    log_sum_exp_of_infinity_and_1: |x| T::log_sum_exp(x),                 at [INFINITY, 1.0],  is [1.0, 0.0];
    x_ln_x_at_0:               |x| x[0] * x[0].ln(),                      at [0.0],            is [NAN];
    x_ln_x_at_0_by_dot:        |x| T::dot(&[x[0]], &[x[0].ln()]),         at [0.0],            is [NAN];
    a_dead_branch_that_is_singular: |x| T::select(x[0], x[0].sqrt(), number(0.0)), at [0.0],   is [0.0];
    a_root_of_a_dead_unit:     |x| x[0].relu().sqrt(),                    at [-1.0],           is [0.0];
    a_root_of_a_step:          |x| x[0].floor().sqrt(),                   at [0.5],            is [0.0];
    a_dead_branch_that_is_nan: |x| T::select(x[0], x[1], x[0].ln() * x[0]), at [1.0, 2.0],     is [0.0, 1.0];
    a_dead_branch_behind_a_max: |x| x[0].sqrt().max(x[1]),                at [0.0, 1.0],       is [0.0, 1.0];
}
