//! Logarithms: x = 2ᵏ·(1 + f) with 1 + f between √½ and √2, and ln(1 + f) by a polynomial in s = f/(2 + f).
//!
//! The arrangement of the terms, which keeps each rounding small beside the sum, is that of fdlibm's `e_log.c`.

use super::arithmetic::{LN_2_HIGH, LN_2_LOW, fast_two_sum, polynomial, upper_half};

/// (2·artanh s − 2s)/s³ in s² for |s| ≤ 3 − 2√2, to 2⁻⁶³.
const LOG: [f64; 8] = [
    0.666_666_666_666_666_6,
    0.400_000_000_000_008_8,
    0.285_714_285_708_032_3,
    0.222_222_223_918_004_7,
    0.181_817_956_308_847_53,
    0.153_862_402_058_134_78,
    0.132_687_596_685_606_12,
    0.130_867_670_099_481_75,
];

/// 1/ln 2 and 1/ln 10; the first parts have 27 bits.
const LOG2_E_HIGH: f64 = 1.442_695_036_530_494_7;
const LOG2_E_LOW: f64 = 4.358_468_717_418_518_4e-9;
const LOG10_E_HIGH: f64 = 0.434_294_480_830_431;
const LOG10_E_LOW: f64 = 1.072_820_843_154_058_5e-9;

/// log₁₀ 2; the first part has 42 bits.
const LOG10_2_HIGH: f64 = 0.301_029_995_663_952_83;
const LOG10_2_LOW: f64 = 2.836_339_455_104_496_4e-14;

const ONE: u64 = 1.0_f64.to_bits();
const SQRT_HALF: u64 = core::f64::consts::FRAC_1_SQRT_2.to_bits();
const MANTISSA: u64 = (1 << 52) - 1;
const TWO_52: f64 = 4_503_599_627_370_496.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// k and 1 + f of a positive number, normal or not.
#[inline(always)]
pub(super) fn decomposed(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let bias = if subnormal { TWO_52 + 1023.0 + 54.0 } else { TWO_52 + 1023.0 };
    let shifted = (if subnormal { x * TWO_54 } else { x }).to_bits().wrapping_add(ONE - SQRT_HALF);
    // The exponent as the last digits of a number of 2⁵² and more.
    let k = f64::from_bits(TWO_52.to_bits() | (shifted >> 52)) - bias;
    (k, f64::from_bits((shifted & MANTISSA) + SQRT_HALF))
}

/// ½f², and what ln(1 + f) is more than f − ½f².
#[inline(always)]
fn square_and_rest(f: f64) -> (f64, f64) {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    (half_square, s * (half_square + z * polynomial(z, LOG)))
}

/// What a logarithm is where its argument is not positive and finite.
#[inline(always)]
pub(super) fn unless_special(value: f64, x: f64) -> f64 {
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    let value = if x < 0.0 { f64::NAN } else { value };
    // ∞ and NaN stay what they are.
    if x < f64::INFINITY { value } else { x }
}

#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    let (k, m) = decomposed(x);
    let f = m - 1.0;
    let (half_square, rest) = square_and_rest(f);
    let value = k * LN_2_HIGH - ((half_square - (rest + k * LN_2_LOW)) - f);
    unless_special(value, x)
}

/// k + log(1 + f)/log(base), the last product in two parts.
#[inline(always)]
fn in_base(f: f64, whole: f64, whole_low: f64, high: f64, low: f64) -> f64 {
    let (half_square, rest) = square_and_rest(f);
    let first = upper_half(f - half_square);
    let second = ((f - first) - half_square) + rest;
    let (sum, error) = fast_two_sum(whole, first * high);
    sum + (error + (whole_low + ((first + second) * low + second * high)))
}

#[inline(always)]
pub(super) fn log2(x: f64) -> f64 {
    let (k, m) = decomposed(x);
    unless_special(in_base(m - 1.0, k, 0.0, LOG2_E_HIGH, LOG2_E_LOW), x)
}

#[inline(always)]
pub(super) fn log10(x: f64) -> f64 {
    let (k, m) = decomposed(x);
    let (whole, whole_low) = (k * LOG10_2_HIGH, k * LOG10_2_LOW);
    unless_special(in_base(m - 1.0, whole, whole_low, LOG10_E_HIGH, LOG10_E_LOW), x)
}

#[inline(always)]
pub(super) fn ln_1p(x: f64) -> f64 {
    let value = ln_1p_of_sum(x, 0.0).copysign(x);
    let value = if x < -1.0 { f64::NAN } else { value };
    let value = if x == -1.0 { f64::NEG_INFINITY } else { value };
    if x < f64::INFINITY { value } else { x }
}

/// ln(1 + x + t) for x > −1 and a tiny t.
#[inline(always)]
pub(super) fn ln_1p_of_sum(x: f64, tail: f64) -> f64 {
    let u = 1.0 + x;
    let lost = if x < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let (k, m) = decomposed(u);
    let near = k == 0.0;
    let f = if near { x } else { m - 1.0 };
    let lost = (if near { tail } else { lost + tail }) / u;
    let (half_square, rest) = square_and_rest(f);
    k * LN_2_HIGH - ((half_square - (rest + (k * LN_2_LOW + lost))) - f)
}
