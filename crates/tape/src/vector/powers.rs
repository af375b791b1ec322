//! Powers and roots.

use super::arithmetic::{
    LN_2_HIGH, LN_2_LOW, bounded, fast_two_sum, polynomial, power_of_2, rounded, scaled,
    two_product, upper_half,
};
use super::exponentials::exp_parts;
use super::logarithms::decomposed;

/// (2·artanh s − 2s − ⅔s³)/s⁵ in s² for |s| ≤ 3 − 2√2, to 2⁻⁶⁹ of the logarithm.
const LOG: [f64; 8] = [
    0.4,
    0.285_714_285_714_293_64,
    0.222_222_222_216_558_85,
    0.181_818_183_353_928_02,
    0.153_845_949_625_184_3,
    0.133_348_046_938_473_1,
    0.117_062_363_394_912_06,
    0.117_231_786_238_765_18,
];
const TWO_THIRDS: f64 = 2.0 / 3.0;
const TWO_THIRDS_LOW: f64 = 3.700_743_415_417_188e-17;

/// ∛(1 + f) for 1 + f between √½ and √2, to 2⁻²⁴.
const CBRT: [f64; 8] = [
    1.000_000_004_561_482_5,
    0.333_333_870_164_593_5,
    -0.111_112_905_992_639_27,
    0.061_683_800_426_726_9,
    -0.041_030_373_998_661_13,
    0.031_060_907_228_199_67,
    -0.026_068_497_671_410_76,
    0.015_118_422_408_565_774,
];
const CBRT_2: f64 = 1.259_921_049_894_873_2;
const CBRT_HALF: f64 = 0.793_700_525_984_099_8;

/// The bases and exponents of the special cases: a base that is not positive and normal, a huge exponent.
#[inline(always)]
pub(super) fn powf_is_left_out(x: f64, y: f64) -> bool {
    !((f64::MIN_POSITIVE..f64::INFINITY).contains(&x) && y.abs() < 1e18)
}

/// exp(y·ln x), with the logarithm and the product in two parts: the exponential makes of their absolute error a
/// relative one.
#[inline(always)]
pub(super) fn powf(x: f64, y: f64) -> f64 {
    let (log, log_low) = ln_parts(x);
    let (product, error) = two_product(y, log);
    // A product that is out of bounds may bring any tail; one within them, one of less than 2⁻⁴².
    let tail = bounded(error + y * log_low, -1e-12, 1e-12);
    let parts = exp_parts(bounded(product, -760.0, 712.0));
    scaled(parts.high + (parts.low + tail * parts.high), parts.n)
}

/// ln x of a normal number, to some 66 bits.
#[inline(always)]
fn ln_parts(x: f64) -> (f64, f64) {
    let (k, m) = decomposed(x);
    let f = m - 1.0;
    // s = f/(2 + f)
    let (divisor, divisor_low) = fast_two_sum(2.0, f);
    let reciprocal = 1.0 / divisor;
    let s = f * reciprocal;
    let (product, error) = two_product(s, divisor);
    let s_low = (((f - product) - error) - s * divisor_low) * reciprocal;
    let (z, z_low) = two_product(s, s);
    let z_low = z_low + 2.0 * s * s_low;
    // ln(1 + f) = 2s + s·z·(⅔ + z·q)
    let (c, c_low) = fast_two_sum(TWO_THIRDS, z * polynomial(z, LOG) + TWO_THIRDS_LOW);
    let (t, t_low) = two_product(z, c);
    let t_low = t_low + (z * c_low + z_low * c);
    let (u, u_low) = two_product(s, t);
    let u_low = u_low + (s * t_low + s_low * t);
    let (sum, low) = fast_two_sum(k * LN_2_HIGH, 2.0 * s);
    let (sum, lower) = fast_two_sum(sum, u);
    fast_two_sum(sum, low + lower + (u_low + 2.0 * s_low + k * LN_2_LOW))
}

/// A polynomial's 24 bits, and one step of Halley's iteration (as fdlibm's) from their first 26.
#[inline(always)]
pub(super) fn cbrt(x: f64) -> f64 {
    let (k, m) = decomposed(x.abs());
    let thirds = rounded(k * (1.0 / 3.0));
    let rest = k - 3.0 * thirds;
    let factor = if rest > 0.0 { CBRT_2 } else { 1.0 };
    let factor = if rest < 0.0 { CBRT_HALF } else { factor };
    // The square of the first 26 bits is exact.
    let root = upper_half(polynomial(m - 1.0, CBRT) * factor);
    let quotient = m * power_of_2(rest) / (root * root);
    let root = root + root * ((quotient - root) / (root + root + quotient));
    let value = (root * power_of_2(thirds)).copysign(x);
    // ∞ and NaN stay what they are, and so does 0.
    if x.abs() < f64::INFINITY && x != 0.0 { value } else { x }
}

#[inline(always)]
pub(super) fn hypot_is_left_out(a: f64, b: f64) -> bool {
    let longer = if a.abs() > b.abs() { a.abs() } else { b.abs() };
    !(1e-130..=1e130).contains(&longer) || a.is_nan()
}

/// The root halves what the squares and their sum lost.
#[inline(always)]
pub(super) fn hypot(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}
