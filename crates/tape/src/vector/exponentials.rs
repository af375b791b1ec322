//! e to a power and what is made of it: exponentials, hyperbolic functions, the activations of neural networks.
//!
//! x = n·ln 2 + r with |r| ≤ ½·ln 2, so eˣ = 2ⁿ·eʳ; eʳ by a polynomial that interpolates at Chebyshev's points.

use core::f64::consts::{LN_2, LOG2_E};

use super::arithmetic::{
    LN_2_HIGH, LN_2_LOW, bounded, fast_two_sum, polynomial, power_of_2, rounded, scaled,
};
use super::logarithms::ln_1p_of_sum;
use crate::special::{INV_SQRT_2PI, squared};

/// Beyond these exponents eˣ and its kin have long been 0 and ∞.
const LOWEST: f64 = -760.0;
const HIGHEST: f64 = 712.0;

/// (eʳ − 1 − r)/r² for |r| ≤ ½·ln 2, to 2⁻⁶¹ of eʳ.
const EXP: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_7,
    0.041_666_666_666_666_67,
    0.008_333_333_333_326_141,
    0.001_388_888_888_888_375_2,
    0.000_198_412_698_748_010_46,
    2.480_158_732_553_376e-5,
    2.755_725_542_504_374_5e-6,
    2.755_727_366_084_684e-7,
    2.510_520_666_647_184e-8,
    2.091_467_958_547_083e-9,
];

/// (2ʳ − 1 − r·ln 2)/r² for |r| ≤ ½, to 2⁻⁶¹ of 2ʳ.
const EXP2: [f64; 11] = [
    0.240_226_506_959_100_72,
    0.055_504_108_664_821_6,
    0.009_618_129_107_628_479,
    0.001_333_355_814_641_693_6,
    0.000_154_035_303_933_759_14,
    1.525_273_382_983_612e-5,
    1.321_548_680_290_393_1e-6,
    1.017_806_244_584_577_4e-7,
    7.054_899_956_372_649e-9,
    4.454_960_598_186_518_6e-10,
    2.572_508_057_683_636e-11,
];

/// (sinh x − x)/x³ in x² for |x| ≤ 1, to 2⁻⁷¹.
const SINH: [f64; 8] = [
    0.166_666_666_666_666_66,
    0.008_333_333_333_333_333,
    0.000_198_412_698_412_697_73,
    2.755_731_922_404_034e-6,
    2.505_210_836_405_804e-8,
    1.605_904_839_635_056_2e-10,
    7.646_625_361_656_657e-13,
    2.844_526_416_989_528_5e-15,
];

/// A number as (high + low)·2ⁿ.
pub(super) struct Parts {
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) n: f64,
}

/// n, r and what r lacks of x − n·ln 2.
#[inline(always)]
fn reduced(x: f64) -> (f64, f64, f64) {
    let n = rounded(x * LOG2_E);
    // Exact: the two agree in their first digits.
    let high = x - n * LN_2_HIGH;
    let low = n * LN_2_LOW;
    let r = high - low;
    (n, r, (high - r) - low)
}

/// eˣ, with some ten bits more than a number has.
#[inline(always)]
pub(super) fn exp_parts(x: f64) -> Parts {
    let (n, r, rest) = reduced(x);
    let (high, low) = fast_two_sum(1.0, r);
    let beyond = r * r * polynomial(r, EXP) + (low + rest);
    let (high, low) = fast_two_sum(high, beyond);
    Parts { high, low, n }
}

/// eˣ − 1 likewise; and eˣ itself.
#[inline(always)]
fn exp_m1_parts(x: f64) -> (Parts, f64) {
    let (n, r, rest) = reduced(x);
    // 2ⁿ·eʳ − 1 = 2ⁿ·((1 − 2⁻ⁿ) + (eʳ − 1)). In halves, as 2⁻¹⁰²⁴ is no normal number.
    let half = rounded(0.5 * n);
    let offset = 1.0 - power_of_2(-half) * power_of_2(half - n);
    let (sum, low) = fast_two_sum(offset, r);
    let of_power = r * r * polynomial(r, EXP);
    let beyond = of_power + (low + rest);
    let (high, low) = fast_two_sum(sum, beyond);
    (Parts { high, low, n }, scaled(1.0 + (r + (of_power + rest)), n))
}

#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let (n, r, rest) = reduced(bounded(x, LOWEST, HIGHEST));
    scaled(1.0 + (r + (r * r * polynomial(r, EXP) + rest)), n)
}

#[inline(always)]
pub(super) fn exp2(x: f64) -> f64 {
    let x = bounded(x, -1080.0, 1025.0);
    let n = rounded(x);
    let r = x - n;
    scaled(1.0 + (r * LN_2 + r * r * polynomial(r, EXP2)), n)
}

#[inline(always)]
pub(super) fn exp_m1(x: f64) -> f64 {
    let (parts, _) = exp_m1_parts(bounded(x, -60.0, HIGHEST));
    scaled(parts.high, parts.n).copysign(x)
}

/// By its series near 0, where the difference of exponentials would cancel.
#[inline(always)]
pub(super) fn sinh(x: f64) -> f64 {
    let square = x * x;
    let near = x + x * square * polynomial(square, SINH);
    let (grown, shrunk, low) = halves_of_exponentials(x);
    let far = (grown + (low - shrunk)).copysign(x);
    if x.abs() < 1.0 { near } else { far }
}

#[inline(always)]
pub(super) fn cosh(x: f64) -> f64 {
    let (grown, shrunk, low) = halves_of_exponentials(x);
    grown + (low + shrunk)
}

/// e^|x|/2, e^−|x|/2, and what the first lacks.
#[inline(always)]
fn halves_of_exponentials(x: f64) -> (f64, f64, f64) {
    let parts = exp_parts(bounded(x.abs(), 0.0, HIGHEST));
    let n = parts.n - 1.0;
    let grown = scaled(parts.high, n);
    // Of the tail only what can be seen beside the other part: above 2⁵¹² nothing can.
    let low = if n < 500.0 { scaled(parts.low, n) } else { 0.0 };
    let shrunk = scaled(1.0 / parts.high, -2.0 - n);
    // 1/(high + low) to first order.
    (grown, shrunk - shrunk * parts.low, low)
}

#[inline(always)]
pub(super) fn tanh(x: f64) -> f64 {
    tanh_with_partial(x).0
}

/// m/(2 − m) with m = 1 − e and e = e^−2|x|; and 1 − y² of this y. As 1 + |y| = 2/(1 + e), that is e·(1 + |y|)².
#[inline(always)]
pub(super) fn tanh_with_partial(x: f64) -> (f64, f64) {
    let size = x.abs();
    let (parts, e) = exp_m1_parts(bounded(-2.0 * size, LOWEST, 0.0));
    let scale = -power_of_2(parts.n);
    let (high, low) = (scale * parts.high, scale * parts.low);
    let (divisor, divisor_low) = fast_two_sum(2.0, -high);
    let quotient = high / divisor;
    // 1/(2 − m) is half of 1 + m/(2 − m), near enough for a correction.
    let correction = (low - quotient * (divisor_low - low)) * (0.5 + 0.5 * quotient);
    // From 30 on it has long been 1, and the parts overflow.
    let value = if size > 30.0 { 1.0 } else { quotient + correction };
    let sum = 1.0 + value;
    (value.copysign(x), e * (sum * sum))
}

/// 1 − y² of y = tanh x, likewise.
#[inline(always)]
pub(super) fn tanh_partial(x: f64, y: f64) -> f64 {
    let sum = 1.0 + y.abs();
    exp(-2.0 * x.abs()) * (sum * sum)
}

/// A factor times the logistic function, from e = e^−|x|: 1/(1 + e), or e/(1 + e) where x < 0. Scaled last, a subnormal
/// result keeps the digits it has. And e.
#[inline(always)]
fn times_sigmoid(factor: f64, x: f64) -> (f64, f64) {
    let parts = exp_parts(bounded(-x.abs(), LOWEST, 0.0));
    let (e, e_low) = (scaled(parts.high, parts.n), scaled(parts.low, parts.n));
    let (divisor, low) = fast_two_sum(1.0, e);
    let divisor_low = low + e_low;
    let negative = x < 0.0;
    let numerator = factor * if negative { parts.high } else { 1.0 };
    let numerator_low = factor * if negative { parts.low } else { 0.0 };
    let quotient = numerator / divisor;
    // 1/divisor lies between ½ and 1, and a correction needs no more of it than 1 − ½·e.
    let low = (numerator_low - quotient * divisor_low) * (1.0 - 0.5 * e);
    (scaled(quotient + low, if negative { parts.n } else { 0.0 }), e)
}

#[inline(always)]
pub(super) fn sigmoid(x: f64) -> f64 {
    times_sigmoid(1.0, x).0
}

/// y and y·(1 − y), which is e·b² with e = e^−|x| and b = 1/(1 + e), the larger of y and 1 − y.
#[inline(always)]
pub(super) fn sigmoid_with_partial(x: f64) -> (f64, f64) {
    let (value, e) = times_sigmoid(1.0, x);
    let larger = if x < 0.0 { 1.0 - value } else { value };
    (value, e * (larger * larger))
}

/// y·(1 − y) of y = sigmoid x, likewise.
#[inline(always)]
pub(super) fn sigmoid_partial(x: f64, y: f64) -> f64 {
    let larger = if x < 0.0 { 1.0 - y } else { y };
    exp(-x.abs()) * (larger * larger)
}

/// e/(1 + e)² from e = e^−|x|.
#[inline(always)]
pub(super) fn logistic_density(x: f64) -> f64 {
    let parts = exp_parts(bounded(-x.abs(), LOWEST, 0.0));
    let (divisor, low) = fast_two_sum(1.0, scaled(parts.high, parts.n));
    let divisor_low = low + scaled(parts.low, parts.n);
    let quotient = parts.high / (divisor * divisor);
    let correction = parts.low / parts.high - 2.0 * divisor_low / divisor;
    scaled(quotient + quotient * correction, parts.n)
}

/// e^(−x²): as the scalar function, with the rounding of the square taken out.
#[inline(always)]
pub(super) fn gauss(x: f64) -> f64 {
    let (square, low) = squared(x);
    let value = exp(-square);
    let corrected = value - value * low;
    if square > 800.0 { 0.0 } else { corrected }
}

#[inline(always)]
pub(super) fn normal_density(x: f64) -> f64 {
    let (square, low) = squared(x);
    let value = exp(-0.5 * square);
    let corrected = INV_SQRT_2PI * (value - value * (0.5 * low));
    if square > 1600.0 { 0.0 } else { corrected }
}

#[inline(always)]
pub(super) fn silu(x: f64) -> f64 {
    // Where the logistic function is 0 and 1; it keeps ∞ out of the product.
    let inside = bounded(x, -1e3, 1e3);
    let value = times_sigmoid(inside, inside).0.copysign(x);
    if x > 1e3 { x } else { value }
}

/// max(x, 0) + ln(1 + e^−|x|).
#[inline(always)]
pub(super) fn softplus(x: f64) -> f64 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + ln_1p_of_exp(-x.abs())
}

/// max(a, b) + ln(1 + e^−|a−b|); the caller looks after infinities.
#[inline(always)]
pub(super) fn log_add_exp(a: f64, b: f64) -> f64 {
    (if a > b { a } else { b }) + ln_1p_of_exp(-(a - b).abs())
}

/// ln(1 + eˣ) for x ≤ 0.
#[inline(always)]
fn ln_1p_of_exp(x: f64) -> f64 {
    let parts = exp_parts(bounded(x, LOWEST, 0.0));
    ln_1p_of_sum(scaled(parts.high, parts.n), scaled(parts.low, parts.n))
}
