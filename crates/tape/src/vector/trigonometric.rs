//! Sine, cosine and tangent of arguments up to [`LARGEST`], by reduction modulo π/2 (Cody and Waite).

use core::f64::consts::FRAC_2_PI;

use super::arithmetic::{fast_two_sum, low_bits, polynomial, rounded, two_product, two_sum};

/// Beyond it the parts of π/2 do not suffice; the bound keeps the number of quarter turns below 2¹⁶.
pub(super) const LARGEST: f64 = 1e5;

/// π/2 in three parts: 37 bits, 37 bits, and 53 bits.
const QUARTER_1: f64 = 1.570_796_326_792_333_3;
const QUARTER_2: f64 = 2.563_344_151_583_955_8e-12;
const QUARTER_3: f64 = 1.056_299_906_698_742_8e-23;

/// (sin x − x)/x³ in x² for |x| ≤ π/4, to 2⁻⁶⁶.
const SIN: [f64; 7] = [
    -0.166_666_666_666_666_66,
    0.008_333_333_333_333_331,
    -0.000_198_412_698_412_650_4,
    2.755_731_921_932_058e-6,
    -2.505_210_622_599_44e-8,
    1.605_853_059_664_595_3e-10,
    -7.586_636_882_825_159e-13,
];

/// (cos x − 1 + ½x²)/x⁴ in x² for |x| ≤ π/4, to 2⁻⁷¹.
const COS: [f64; 7] = [
    0.041_666_666_666_666_664,
    -0.001_388_888_888_888_888_7,
    2.480_158_730_158_463_2e-5,
    -2.755_731_922_139_249e-7,
    2.087_675_578_749_260_4e-9,
    -1.147_046_031_920_951_1e-11,
    4.745_838_412_531_023e-14,
];

/// Whether the argument is outside the range of this module: too large, infinite or NaN.
#[inline(always)]
pub(super) fn is_far(x: f64) -> bool {
    x.is_nan() || x.abs() > LARGEST
}

/// The sine and the cosine of the rest, each as a number and what it lacks, and the quarter turns in the low bits.
struct Turned {
    sin: (f64, f64),
    cos: (f64, f64),
    quarters: u64,
}

#[inline(always)]
fn turned(x: f64) -> Turned {
    let n = rounded(x * FRAC_2_PI);
    // Exact: n has 16 bits, and the difference is small.
    let first = x - n * QUARTER_1;
    let (second, error) = two_sum(first, -(n * QUARTER_2));
    let (y, low) = two_sum(second, -(n * QUARTER_3));
    let low = low + error;
    let square = y * y;
    let half = 0.5 * square;
    let cube = y * square;
    let sine_rest = cube * polynomial(square, SIN) + (low - half * low);
    let (cosine, cosine_low) = fast_two_sum(1.0, -half);
    let cosine_rest = square * square * polynomial(square, COS) + (cosine_low - y * low);
    Turned { sin: (y, sine_rest), cos: (cosine, cosine_rest), quarters: low_bits(n) }
}

/// The sign that the quarter turns give: bit 1 of their number.
#[inline(always)]
fn signed(x: f64, quarters: u64) -> f64 {
    f64::from_bits(x.to_bits() ^ ((quarters & 2) << 62))
}

#[inline(always)]
pub(super) fn sin(x: f64) -> f64 {
    let turned = turned(x);
    let (high, low) = if turned.quarters & 1 == 0 { turned.sin } else { turned.cos };
    let value = signed(high + low, turned.quarters);
    if x == 0.0 { x } else { value }
}

#[inline(always)]
pub(super) fn cos(x: f64) -> f64 {
    let turned = turned(x);
    let (high, low) = if turned.quarters & 1 == 0 { turned.cos } else { turned.sin };
    signed(high + low, turned.quarters.wrapping_add(1))
}

/// The quotient, corrected by its remainder.
#[inline(always)]
pub(super) fn tan(x: f64) -> f64 {
    let turned = turned(x);
    let even = turned.quarters & 1 == 0;
    let (sine, sine_low) = fast_two_sum(turned.sin.0, turned.sin.1);
    let (cosine, cosine_low) = fast_two_sum(turned.cos.0, turned.cos.1);
    let numerator = if even { sine } else { -cosine };
    let numerator_low = if even { sine_low } else { -cosine_low };
    let divisor = if even { cosine } else { sine };
    let divisor_low = if even { cosine_low } else { sine_low };
    let reciprocal = 1.0 / divisor;
    let quotient = numerator * reciprocal;
    let (product, error) = two_product(quotient, divisor);
    let remainder = ((numerator - product) - error) + (numerator_low - quotient * divisor_low);
    let value = quotient + remainder * reciprocal;
    // What is tiny is its own tangent; its remainder would underflow.
    if x.abs() < 1e-8 { x } else { value }
}
