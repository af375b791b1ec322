//! Angles from sine, cosine and tangent, and the inverse of the hyperbolic sine.

use core::f64::consts::{FRAC_PI_2, FRAC_PI_4};

use super::arithmetic::{fast_two_sum, polynomial, two_product, two_sum, upper_half};
use super::logarithms::ln_1p_of_sum;

/// What `f64`'s π/4 lacks. The nearest `f64` ends in three zeros, so that its multiples up to π are exact.
const FRAC_PI_4_LOW: f64 = 3.061_616_997_868_383e-17;

/// tan(π/8) and tan(3π/8).
const TAN_EIGHTH: f64 = 0.414_213_562_373_095_03;
const TAN_THREE_EIGHTHS: f64 = 2.414_213_562_373_095;

/// (arctan x − x)/x³ in x² for |x| ≤ tan(π/8), to 2⁻⁶².
const ATAN: [f64; 12] = [
    -0.333_333_333_333_333_3,
    0.199_999_999_999_998_04,
    -0.142_857_142_856_597_79,
    0.111_111_111_051_505_88,
    -0.090_909_087_532_591_12,
    0.076_922_963_680_422_96,
    -0.066_664_247_602_005_2,
    0.058_789_275_544_738_07,
    -0.052_304_436_406_869_48,
    0.045_515_447_340_221_615,
    -0.034_569_315_063_326_09,
    0.016_284_375_050_043_393,
];

/// (arcsin x − x)/x³ in x² for |x| ≤ ½, to 2⁻⁵⁷.
const ASIN: [f64; 13] = [
    0.166_666_666_666_666_69,
    0.074_999_999_999_984_33,
    0.044_642_857_146_355_43,
    0.030_381_944_138_531_247,
    0.022_372_172_942_149_89,
    0.017_352_392_720_869_973,
    0.013_971_212_973_552_933,
    0.011_479_177_415_184_906,
    0.010_322_814_350_185_78,
    0.005_457_506_718_640_358,
    0.017_400_879_442_694_02,
    -0.014_851_887_071_247_204,
    0.028_757_851_367_421_566,
];

/// quarter·π/4 + arctan(t + rest), where |t| ≤ tan(π/8).
#[inline(always)]
fn turned_atan(eighths: f64, t: f64, rest: f64) -> f64 {
    let square = t * t;
    let beyond = t * square * polynomial(square, ATAN) + rest;
    let (sum, error) = fast_two_sum(eighths * FRAC_PI_4, t);
    sum + (error + (beyond + eighths * FRAC_PI_4_LOW))
}

#[inline(always)]
pub(super) fn atan(x: f64) -> f64 {
    let size = x.abs();
    let (middle, large) = (size > TAN_EIGHTH, size > TAN_THREE_EIGHTHS);
    let numerator = if middle { size - 1.0 } else { size };
    let numerator = if large { -1.0 } else { numerator };
    let divisor = if middle { size + 1.0 } else { 1.0 };
    let divisor = if large { size } else { divisor };
    let eighths = if middle { 1.0 } else { 0.0 };
    let eighths = if large { 2.0 } else { eighths };
    turned_atan(eighths, numerator / divisor, 0.0).copysign(x)
}

/// Sizes between which no square, quotient or remainder of two numbers over- or underflows.
const SMALLEST: f64 = 1e-130;
const LARGEST: f64 = 1e130;

#[inline(always)]
fn is_extreme(x: f64) -> bool {
    !(SMALLEST..=LARGEST).contains(&x.abs())
}

#[inline(always)]
pub(super) fn atan2_is_left_out(y: f64, x: f64) -> bool {
    is_extreme(y) || is_extreme(x)
}

#[inline(always)]
pub(super) fn atan2(y: f64, x: f64) -> f64 {
    let (rise, run) = (y.abs(), x.abs());
    let steep = rise > run;
    let (shorter, longer) = if steep { (run, rise) } else { (rise, run) };
    let middle = shorter > TAN_EIGHTH * longer;
    let (difference, difference_low) = two_sum(shorter, -longer);
    let (sum, sum_low) = fast_two_sum(longer, shorter);
    let numerator = if middle { difference } else { shorter };
    let numerator_low = if middle { difference_low } else { 0.0 };
    let divisor = if middle { sum } else { longer };
    let divisor_low = if middle { sum_low } else { 0.0 };
    let (t, rest) = quotient(numerator, numerator_low, divisor, divisor_low);
    // The angle to the nearer axis, and from there on or back.
    let eighths = if middle { 1.0 } else { 0.0 };
    let negative = x < 0.0;
    let sign = if steep == negative { 1.0 } else { -1.0 };
    let turns = if negative { 4.0 } else { 0.0 };
    let turns = if steep { 2.0 } else { turns };
    turned_atan(turns + sign * eighths, sign * t, sign * rest).copysign(y)
}

/// The quotient of two numbers, each with what it lacks, and what the quotient lacks.
#[inline(always)]
fn quotient(numerator: f64, numerator_low: f64, divisor: f64, divisor_low: f64) -> (f64, f64) {
    let reciprocal = 1.0 / divisor;
    let quotient = numerator * reciprocal;
    let (product, error) = two_product(quotient, divisor);
    let remainder = ((numerator - product) - error) + (numerator_low - quotient * divisor_low);
    (quotient, remainder * reciprocal)
}

/// √z in two parts, where z is 0 or of a size whose square is a number.
#[inline(always)]
fn root(z: f64) -> (f64, f64) {
    let root = z.sqrt();
    let high = upper_half(root);
    // The tiny summand is for z = 0.
    (high, (z - high * high) / (root + high + f64::MIN_POSITIVE))
}

/// From ½ on by arcsin x = π/2 − 2·arcsin √((1 − x)/2).
#[inline(always)]
pub(super) fn asin(x: f64) -> f64 {
    let size = x.abs();
    let small = size < 0.5;
    let z = if small { size * size } else { 0.5 * (1.0 - size) };
    let beyond = z * polynomial(z, ASIN);
    let (high, low) = root(z);
    let rest = 2.0 * ((high + low) * beyond + low) - 2.0 * FRAC_PI_4_LOW;
    let far = FRAC_PI_4 - (rest - (FRAC_PI_4 - 2.0 * high));
    let near = size + size * beyond;
    (if small { near } else { far }).copysign(x)
}

#[inline(always)]
pub(super) fn acos(x: f64) -> f64 {
    let size = x.abs();
    let small = size < 0.5;
    let z = if small { size * size } else { 0.5 * (1.0 - size) };
    let beyond = z * polynomial(z, ASIN);
    let near = FRAC_PI_2 - (x - (2.0 * FRAC_PI_4_LOW - x * beyond));
    let (high, low) = root(z);
    let half = high + ((high + low) * beyond + low);
    let other = 2.0 * (FRAC_PI_2 - (high + (((high + low) * beyond + low) - 2.0 * FRAC_PI_4_LOW)));
    let far = if x < 0.0 { other } else { 2.0 * half };
    if small { near } else { far }
}

/// ln(|x| + √(x² + 1)), as ln(1 + |x| + x²/(1 + √(x² + 1))).
#[inline(always)]
pub(super) fn asinh(x: f64) -> f64 {
    let size = x.abs();
    let square = size * size;
    let excess = square / (1.0 + (square + 1.0).sqrt());
    let (sum, rest) = fast_two_sum(size, excess);
    ln_1p_of_sum(sum, rest).copysign(x)
}

/// Where the square may overflow.
#[inline(always)]
pub(super) fn is_large(x: f64) -> bool {
    x.is_nan() || x.abs() > LARGEST
}
