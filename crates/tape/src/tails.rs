//! Derivatives where the shortest formula loses digits, over- or underflows: parts of formulas that take another form there.
//!
//! A form is chosen so that its own derivative, by the chain rule, keeps its digits too. The shortest one stands last: it
//! serves ordinary arguments.

use crate::formula::Formula;
use crate::kinks::{both, difference, is_at_least};

/// 1 − x², also of an x close to ±1. (The product of 1 − x and 1 + x serves everywhere, but its derivative cancels at 0.)
#[inline(always)]
pub(crate) fn one_minus_square<T: Formula>(x: T) -> T {
    let one = T::from_f64(1.0);
    if !T::HAS_DERIVATIVES {
        return (one - x) * (one + x);
    }
    let square = x * x;
    T::choose(square.is_greater(T::from_f64(0.25)), || (one - x) * (one + x), || one - square)
}

/// 1/(1 + x²). From 1e9 on the 1 no longer counts, and the square may overflow.
#[inline(always)]
pub(crate) fn atan<T: Formula>(x: T) -> T {
    let square = x * x;
    T::choose(
        square.is_greater(T::from_f64(1e18)),
        || {
            let reciprocal = x.recip();
            reciprocal * reciprocal
        },
        || (square + T::from_f64(1.0)).recip(),
    )
}

/// 1/√(x² − 1), likewise.
#[inline(always)]
pub(crate) fn acosh<T: Formula>(x: T) -> T {
    let one = T::from_f64(1.0);
    T::choose(
        x.is_greater(T::from_f64(1e9)),
        || x.recip(),
        || ((x - one) * (x + one)).sqrt().recip(),
    )
}

/// 1/(3y²) for y = ∛x. As the square of 1/y, its derivative at 0 is infinite too.
#[inline(always)]
pub(crate) fn cbrt<T: Formula>(y: T) -> T {
    let reciprocal = y.recip();
    reciprocal * reciprocal / T::from_f64(3.0)
}

/// 1 − y² for y = tanh x. Where y is close to ±1 it says little about the difference; but as 1 + |y| = 2/(1 + e) and
/// 1 − |y| = 2·e/(1 + e) with e = e^−2|x|, their product is e·(1 + |y|)².
#[inline(always)]
pub(crate) fn tanh<T: Formula>(x: T, y: T) -> T {
    let square = y * y;
    let tail = || {
        let sum = T::from_f64(1.0) + y.abs();
        (x.abs() * T::from_f64(-2.0)).exp() * (sum * sum)
    };
    T::choose(square.is_greater(T::from_f64(0.625)), tail, || T::from_f64(1.0) - square)
}

/// y·(1 − y) for y = sigmoid x. Where y is close to 1, it says little about the difference, which is y·e⁻ˣ; and close to
/// ½, where the derivative of this is 0, little about how close.
#[inline(always)]
pub(crate) fn sigmoid<T: Formula>(x: T, y: T) -> T {
    let ordinary = || {
        let product = y * (T::from_f64(1.0) - y);
        if !T::HAS_DERIVATIVES {
            return product;
        }
        let is_near = T::from_f64(0.0625).is_greater(x.abs());
        let near = || product.with_derivatives_of(x.logistic_density());
        T::choose(is_near, near, || product)
    };
    T::choose(y.is_greater(T::from_f64(0.85)), || y * y * (-x).exp(), ordinary)
}

/// s + x·s·(1 − s) for s = sigmoid x and y = x·s.
#[inline(always)]
pub(crate) fn silu<T: Formula>(x: T, y: T) -> T {
    let one = T::from_f64(1.0);
    let s = x.sigmoid();
    let rest = || T::choose(x.is_greater(T::from_f64(4.0)), || (-x).sigmoid(), || one - s);
    // Before the product could be ∞·0.
    T::choose(x.is_greater(T::from_f64(1e3)), || one, || s + y * rest())
}

/// Φ(x) + x·φ(x) for the normal distribution Φ and its density φ.
#[inline(always)]
pub(crate) fn gelu<T: Formula>(x: T) -> T {
    let half = T::from_f64(0.5);
    let distribution = half * (-x * T::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erfc();
    distribution + within_bell(x, || x * x.normal_density())
}

/// 0 where e^(−x²) and e^(−x²/2) have long been 0, and their product with x may be ∞·0.
#[inline(always)]
pub(crate) fn within_bell<T: Formula>(x: T, otherwise: impl FnOnce() -> T) -> T {
    T::choose((x * x).is_greater(T::from_f64(1600.0)), || T::from_f64(0.0), otherwise)
}

/// n·xⁿ⁻¹. Repeated multiplication rounds more often the larger n is.
#[inline(always)]
pub(crate) fn powi<T: Formula>(x: T, n: i32) -> T {
    let factor = T::from_f64(f64::from(n));
    match n {
        0 => T::from_f64(0.0),
        -12..=12 => factor * x.powi(n - 1),
        // The sign apart: n − 1 as a number of less precision may be even where it is odd.
        _ => {
            let size = factor * x.abs().powf(T::from_f64(f64::from(n) - 1.0));
            if n % 2 == 0 { size * x.signum() } else { size }
        }
    }
}

/// y·xʸ⁻¹ for z = xʸ. At 0⁰ it is 0, and has no derivative; nor has it one with respect to y at 0¹.
#[inline(always)]
pub(crate) fn powf_base<T: Formula>(x: T, y: T, z: T) -> T {
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    // Below ½, and where 1 hardly counts, the difference y − 1 is rounded; but z/x neither overflows nor loses digits where
    // xʸ⁻¹ does not. (Elsewhere its derivative would cancel.) Only of 0 and ∞ it may be NaN.
    let by_power = || y * x.powf(y - one);
    let is_exact = both(is_at_least(y, T::from_f64(0.5)), T::from_f64(1e6).is_greater(y));
    let by_quotient = || {
        let quotient = y * z / x;
        T::choose(quotient.is_equal(quotient), || quotient, by_power)
    };
    let product = T::choose(is_exact, by_power, by_quotient);
    let of_zero = || {
        let at_one = || T::choose(y.is_equal(one), || product + T::tip(y, x), || product);
        T::choose(y.is_equal(zero), || T::tip(y, y), at_one)
    };
    T::choose(x.is_equal(zero), of_zero, || product)
}

/// z·ln x for z = xʸ. At x = 0 it is 0 for y ≥ 0; for y ≤ 1 it has no derivative with respect to x there.
#[inline(always)]
pub(crate) fn powf_exponent<T: Formula>(x: T, y: T, z: T) -> T {
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    let of_zero = || T::choose(y.is_greater(one), || zero, || T::tip(x, x) + T::tip(y, y));
    let is_zero = both(x.is_equal(zero), is_at_least(y, zero));
    T::choose(is_zero, of_zero, || z * x.ln())
}

/// eˣ/(eˣ + eʸ). An exponential makes a relative error of what the difference x − y lacks.
#[inline(always)]
pub(crate) fn share_of_exponential<T: Formula>(x: T, y: T) -> T {
    let difference = difference(x, y);
    let share = difference.sigmoid();
    let size = difference.abs();
    let is_far = both(size.is_greater(T::from_f64(8.0)), T::from_f64(800.0).is_greater(size));
    let corrected = || {
        let (x, y) = (x.stop_gradient(), y.stop_gradient());
        let rounded = x - y;
        let of_y = x - rounded;
        let rest = (x - (rounded + of_y)) + (of_y - y);
        share + difference.logistic_density() * rest
    };
    T::choose(is_far, corrected, || share)
}
