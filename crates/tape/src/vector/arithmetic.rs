//! What the vector functions are built from: polynomials, exact sums and products, integers kept in the bits of floats.
//!
//! Nothing here branches, and nothing is fused: a result does not depend on the processor's instructions.

/// 1.5·2⁵². What is added to it is rounded to an integer, which then stands in its lowest bits.
///
/// AVX2 has no instruction between `f64` and 64-bit integers; an addition it has.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// The bias of an exponent.
const BIAS: u64 = 1023;

/// ln 2 in two parts: the first has 42 bits, so that its product with an exponent is exact.
pub(crate) const LN_2_HIGH: f64 = 0.693_147_180_559_890_3;
pub(crate) const LN_2_LOW: f64 = 5.497_923_018_708_371e-14;

/// c₀ + c₁·x + c₂·x² + …, as the even and the odd terms by Horner's rule: two chains of half the length run abreast.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let square = x * x;
    let (mut last, mut other) = (coefficients[N - 1], coefficients[N - 2]);
    let mut done = N - 2;
    while done >= 2 {
        last = last * square + coefficients[done - 1];
        other = other * square + coefficients[done - 2];
        done -= 2;
    }
    if done == 1 {
        last = last * square + coefficients[0];
        last + x * other
    } else {
        other + x * last
    }
}

/// The nearest integer, of a number below 2⁵¹ in size.
#[inline(always)]
pub(crate) fn rounded(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// An integer's two's complement in the lowest bits; the higher ones are noise.
#[inline(always)]
pub(crate) fn low_bits(integer: f64) -> u64 {
    (integer + ROUNDER).to_bits()
}

/// 2ⁿ for an integer n from −1022 to 1023.
#[inline(always)]
pub(crate) fn power_of_2(n: f64) -> f64 {
    f64::from_bits(low_bits(n).wrapping_add(BIAS) << 52)
}

/// x·2ⁿ for an integer n from −2044 to 2046, rounded at most once, where the result is subnormal.
#[inline(always)]
pub(crate) fn scaled(x: f64, n: f64) -> f64 {
    let half = rounded(0.5 * n);
    x * power_of_2(half) * power_of_2(n - half)
}

/// `x`, or the bound it lies beyond; NaN stays NaN, whose bits no bound can make a number.
#[inline(always)]
pub(crate) fn bounded(x: f64, lower: f64, upper: f64) -> f64 {
    let x = if x < lower { lower } else { x };
    if x > upper { upper } else { x }
}

/// The sum rounded, and what the rounding took, where |a| ≥ |b| or a = 0.
#[inline(always)]
pub(crate) fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The sum rounded, and what the rounding took.
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The first 26 significant bits: products of two such numbers are exact.
#[inline(always)]
pub(crate) fn upper_half(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !0x7FF_FFFF)
}

/// The product rounded, and what the rounding took (Dekker 1971), where nothing over- or underflows.
#[inline(always)]
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (a_high, b_high) = (upper_half(a), upper_half(b));
    let (a_low, b_low) = (a - a_high, b - b_high);
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}
