//! Derivatives at kinks and singular points: parts of formulas that decide, each by steps that are recorded.

use crate::formula::Formula;
use crate::op::Op;

/// −1, 0 or 1, and NaN for NaN: the derivative of |x|.
#[inline(always)]
pub(crate) fn sign<T: Formula>(x: T) -> T {
    let zero = T::from_f64(0.0);
    T::choose(x.is_equal(zero), || zero, || x.signum())
}

/// The derivative of max(x, y) with respect to x: 1 for the argument that wins, ½ at a tie; an argument that is NaN loses,
/// and two share.
#[inline(always)]
pub(crate) fn share_of_larger<T: Formula>(x: T, y: T) -> T {
    T::step(Op::ShareOfLarger, x, y)
}

/// The same of min(x, y).
#[inline(always)]
pub(crate) fn share_of_smaller<T: Formula>(x: T, y: T) -> T {
    T::step(Op::ShareOfLarger, -x, -y)
}

/// 1 where the number is above the other or equals it.
#[inline(always)]
pub(crate) fn is_at_least<T: Formula>(x: T, y: T) -> T {
    x.is_greater(y) + x.is_equal(y)
}

/// 1 where both conditions hold.
#[inline(always)]
pub(crate) fn both<T: Formula>(a: T, b: T) -> T {
    T::choose(a, || b, || T::from_f64(0.0))
}

/// 1 where the number is ∞ or −∞.
#[inline(always)]
pub(crate) fn is_infinite<T: Formula>(x: T) -> T {
    x.abs().is_equal(T::from_f64(f64::INFINITY))
}

/// The partial of hypot(x, y) with respect to x. At the origin it is 0, and has no derivative.
#[inline(always)]
pub(crate) fn hypot_partial<T: Formula>(x: T, y: T, length: T) -> T {
    let at_origin = length.is_equal(T::from_f64(0.0));
    T::choose(at_origin, || T::tip(x, length) + T::tip(y, length), || direction(x, y, length))
}

/// x/√(x² + y²), for a length that is not 0. Beside a small y it is close to ±1, and its derivative as a quotient cancels.
#[inline(always)]
pub(crate) fn direction<T: Formula>(x: T, y: T, length: T) -> T {
    let quotient = x / length;
    if !T::HAS_DERIVATIVES {
        return quotient;
    }
    let is_steep = x.abs().is_greater(y.abs() * T::from_f64(4.0));
    let by_slope = || {
        let slope = y / x;
        let size = (slope * slope + T::from_f64(1.0)).sqrt().recip();
        quotient.with_derivatives_of(x.signum() * size)
    };
    T::choose(is_steep, by_slope, || quotient)
}

/// a/(x² + y²), without overflow, and 0 at the origin: the derivatives of `atan2`.
#[inline(always)]
pub(crate) fn over_squared_length<T: Formula>(a: T, x: T, y: T) -> T {
    let length = x.hypot(y);
    let at_origin = length.is_equal(T::from_f64(0.0));
    T::choose(at_origin, || T::tip(x, length) + T::tip(y, length), || a / length / length)
}

/// The partials of `select`: the chosen argument's is 1.
#[inline(always)]
pub(crate) fn select_partials<T: Formula>(condition: T) -> [T; 3] {
    let first = condition.is_greater(T::from_f64(0.0));
    [T::from_f64(0.0), first, T::from_f64(1.0) - first]
}

/// x − y; 0 where both are the same infinity.
#[inline(always)]
pub(crate) fn difference<T: Formula>(x: T, y: T) -> T {
    let same_infinity = both(x.is_equal(y), is_infinite(x));
    T::choose(same_infinity, || T::from_f64(0.0), || x - y)
}

/// The partials of a clamped number, its lower and its upper bound. A bound that is met takes all.
#[inline(always)]
pub(crate) fn clamp_partials<T: Formula>(x: T, lower: T, upper: T) -> [T; 3] {
    let one = T::from_f64(1.0);
    let at_lower = is_at_least(lower, x);
    let at_upper = is_at_least(x, upper) * (one - at_lower);
    [one - at_lower - at_upper, at_lower, at_upper]
}

/// The partial of a tip: NaN at the tip, elsewhere 0.
#[inline(always)]
pub(crate) fn tip_partial<T: Formula>(length: T) -> T {
    let zero = T::from_f64(0.0);
    T::choose(length.is_equal(zero), || T::from_f64(f64::NAN), || zero)
}

/// What all partials of a norm share: at the origin they are 0, and have no derivative.
#[inline]
pub(crate) fn norm_tip<T: Formula>(components: impl Iterator<Item = T>, norm: T) -> T {
    let zero = T::from_f64(0.0);
    let tip = || components.fold(zero, |sum, x| sum + T::tip(x, norm));
    T::choose(norm.is_equal(zero), tip, || zero)
}

/// The partial of a norm with respect to one of its components.
#[inline]
pub(crate) fn norm_partial<T: Formula>(component: T, norm: T, tip: T) -> T {
    T::choose(norm.is_equal(T::from_f64(0.0)), || tip, || component / norm)
}

/// ln Σ e^xᵢ, and its partials: each term's weight e^xᵢ/Σ e^xⱼ.
///
/// The largest term is taken out as a constant: the result does not depend on it, so neither does a derivative. Of several
/// infinite terms, each has the same weight.
pub(crate) fn log_sum_exp_weights<T: Formula>(
    terms: impl Iterator<Item = T> + Clone,
) -> (T, Vec<T>) {
    let largest = T::largest_of(terms.clone());
    let mut weights: Vec<T> = terms.map(|x| x.weight(largest)).collect();
    let sum = T::sum(&weights);
    for weight in &mut weights {
        *weight = *weight / sum;
    }
    (largest + sum.ln(), weights)
}
