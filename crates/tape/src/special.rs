//! Special functions on plain `f64`: the values of the operations that `std` does not have.
//!
//! Error and log-gamma functions come from `libm`; the rest is here because no kept library reaches
//! a few units in the last place over the whole domain. Formula numbers are those of the Digital
//! Library of Mathematical Functions (<https://dlmf.nist.gov>).

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// Logistic function 1/(1 + e⁻ˣ).
///
/// The exponential is that of −|x|, so it never overflows, and a tiny result keeps all its digits.
pub(crate) fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// ln(1 + eˣ), as max(x, 0) + ln(1 + e^−|x|).
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// ln(eᵃ + eᵇ), as max(a, b) + ln(1 + e^−|a−b|).
pub(crate) fn log_add_exp(a: f64, b: f64) -> f64 {
    if a == b {
        // Two equal infinities have no difference.
        return a + LN_2;
    }
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

/// max(x, 0), and unlike `f64::max` NaN at NaN.
pub(crate) fn relu(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

/// x·sigmoid(x).
pub(crate) fn silu(x: f64) -> f64 {
    // Below −746 the sigmoid is 0; the bound keeps −∞·0 from being NaN.
    x.max(-1e3) * sigmoid(x)
}

/// x·Φ(x), where Φ(x) = erfc(−x/√2)/2 is the normal distribution function.
pub(crate) fn gelu(x: f64) -> f64 {
    /// 1/√2 less the nearest `f64`.
    const FRAC_1_SQRT_2_LOW: f64 = -4.833_646_656_726_457e-17;

    // Below −39 erfc is 0; the bound keeps −∞·0 from being NaN.
    let x = if x < -40.0 { -40.0 } else { x };
    let z = -x * FRAC_1_SQRT_2;
    let value = 0.5 * x * erfc(z);
    if z < 1.0 {
        return value;
    }
    // In the tail erfc multiplies the relative rounding error of z by 2z², so that error is taken
    // out to first order. For −erfc′/erfc any value between the bounds z + √(z² + 4/π) and
    // z + √(z² + 2) will do (DLMF 7.8.2).
    let error = (-x).mul_add(FRAC_1_SQRT_2, -z) - x * FRAC_1_SQRT_2_LOW;
    value - value * error * (z + (z * z + 1.5).sqrt())
}

/// Density of the logistic distribution, e⁻ˣ/(1 + e⁻ˣ)².
pub(crate) fn logistic_density(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let sum = 1.0 + e;
    e / (sum * sum)
}

/// e^(−x²).
pub(crate) fn gauss(x: f64) -> f64 {
    let (square, low) = squared(x);
    if square > 800.0 {
        return 0.0;
    }
    let value = (-square).exp();
    value - value * low
}

/// The density of the normal distribution, e^(−x²/2)/√(2π).
pub(crate) fn normal_density(x: f64) -> f64 {
    let (square, low) = squared(x);
    if square > 1600.0 {
        return 0.0;
    }
    let value = (-0.5 * square).exp();
    INV_SQRT_2PI * (value - value * (0.5 * low))
}

/// 1/√(2π), the height of the normal density.
pub(crate) const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// x² rounded, and what that lacks: an exponential makes of it a relative error (Dekker 1971).
#[inline(always)]
pub(crate) fn squared(x: f64) -> (f64, f64) {
    const HIGH_BITS: u64 = !0 << 27;

    let square = x * x;
    let high = f64::from_bits(x.to_bits() & HIGH_BITS);
    let low = x - high;
    (square, ((high * high - square) + 2.0 * high * low) + low * low)
}

/// Error function.
pub(crate) fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// 1 − erf(x), without cancellation in the tail.
pub(crate) fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// ln|Γ(x)|: ∞ at 0, at the negative integers and at both infinities, as in C.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = Γ′(x)/Γ(x): ∓∞ at ±0, NaN at the negative integers (the two sides disagree) and at −∞.
pub(crate) fn digamma(x: f64) -> f64 {
    polygamma(0, x)
}

/// ψ⁽ⁿ⁾(x), the n-th derivative of [`digamma`], for n ≤ 170; NaN beyond, where n! overflows.
///
/// At a pole it is the infinity on which both sides agree (odd n), otherwise ∓∞ at ±0 and NaN at
/// the negative integers; at −∞ it is NaN.
pub(crate) fn polygamma(n: u32, x: f64) -> f64 {
    if n > MAX_ORDER {
        return f64::NAN;
    }
    if x > 0.0 {
        return polygamma_of_positive(n, x);
    }
    // The offset from the nearest pole is exact.
    let offset = x - x.round();
    if offset == 0.0 {
        return match (n.is_multiple_of(2), x == 0.0) {
            (false, _) => f64::INFINITY,
            (true, true) => f64::INFINITY.copysign(-x),
            (true, false) => f64::NAN,
        };
    }
    match n {
        0 => digamma_of_negative(x, offset),
        1 => {
            // Reflection (DLMF 5.15.6); the cotangent's derivative is π²/sin².
            let root = PI / sine_of_pi(offset);
            root * root - polygamma_size(1, 1.0 - x)
        }
        _ => polygamma_of_negative(n, x, offset),
    }
}

/// The largest n whose factorial is finite.
const MAX_ORDER: u32 = 170;

/// π less the nearest `f64`.
const PI_LOW: f64 = 1.224_646_799_147_353_2e-16;

/// π·x rounded, and what that lacks.
fn times_pi(x: f64) -> (f64, f64) {
    let product = x * PI;
    (product, x.mul_add(PI, -product) + x * PI_LOW)
}

/// sin(πx) for |x| ≤ ½.
fn sine_of_pi(x: f64) -> f64 {
    let (angle, low) = times_pi(x);
    angle.sin() + low * angle.cos()
}

/// π·cot(πx) for 0 < |x| ≤ ½.
fn cotangent_of_pi(x: f64) -> f64 {
    // Beyond ¼ the tangent of the complement is the cotangent, and accurate at its zeros ±½.
    if x.abs() < 0.25 {
        let (angle, low) = times_pi(x);
        let tangent = angle.tan();
        PI / (tangent + low * (1.0 + tangent * tangent))
    } else {
        let (angle, low) = times_pi(0.5_f64.copysign(x) - x);
        let tangent = angle.tan();
        PI * (tangent + low * (1.0 + tangent * tangent))
    }
}

/// ψ(x) for x < 0 by reflection (DLMF 5.5.4).
fn digamma_of_negative(x: f64, offset: f64) -> f64 {
    // What the reflected argument lacks counts beside a zero. Three terms of ψ′ are enough for it.
    let reflected = 1.0 - x;
    let rounding = (1.0 - reflected) - x;
    let r = 1.0 / reflected;
    let slope = r + r * r * (0.5 + r / 6.0);
    digamma_of_positive(reflected) + slope * rounding - cotangent_of_pi(offset)
}

/// ψ⁽ⁿ⁾(x) for x < 0 and n > 1.
fn polygamma_of_negative(n: u32, x: f64, offset: f64) -> f64 {
    // The distances from the nearest pole and from the next one, which was rounded.
    let nearest = offset.abs();
    let next = 1.0 - nearest;
    let rounding = (1.0 - next) - nearest;
    if n.is_multiple_of(2) && f64::from(n + 1) * (next / nearest).ln() < 1.0 {
        // Half way between two poles what they contribute cancels: reflection (DLMF 5.15.6).
        let reflected = 1.0 - x;
        let correction = 1.0 - f64::from(n + 1) * ((1.0 - reflected) - x) / reflected;
        return -polygamma_size(n, reflected) * correction - cotangent_derivative(n, offset);
    }
    // By all its poles: −(−1)ⁿ·n!·Σ 1/(x + k)ⁿ⁺¹ (DLMF 5.15.1). Those on the side of the next pole, and those beyond
    // the nearest one, are ψ⁽ⁿ⁾ of the distances; on the positive side they end at 0.
    let to_next = polygamma_size(n, next) * (1.0 - f64::from(n + 1) * rounding / next);
    let beyond = polygamma_size(n, 1.0 + nearest);
    let missing = polygamma_size(n, 1.0 - x);
    let (below, above) = if offset < 0.0 { (to_next, beyond) } else { (beyond, to_next) };
    let above = above - missing;
    let nearest = Power::of_order(n).over(nearest);
    if n.is_multiple_of(2) {
        above - below - nearest.copysign(offset)
    } else {
        nearest + below + above
    }
}

/// The n-th derivative of π·cot(πx) for 0 < |x| ≤ ½ and even n.
///
/// As c = cot(πx) has c′ = −π(1 + c²), it is πⁿ⁺¹·qₙ(c) with q₀(c) = c, qₙ = (1 + c²)·qₙ₋₁′. These polynomials have
/// integers as coefficients, none negative.
fn cotangent_derivative(n: u32, x: f64) -> f64 {
    let n = n as usize;
    let mut q = [0.0; MAX_ORDER as usize + 3];
    q[1] = 1.0;
    for m in 1..=n {
        let mut from_below = 0.0;
        for k in 0..=m + 1 {
            let coefficient = (k + 1) as f64 * q[k + 1] + from_below;
            from_below = k as f64 * q[k];
            q[k] = coefficient;
        }
    }
    let cotangent = cotangent_of_pi(x) / PI;
    let value = q[..=n + 1].iter().rev().fold(0.0, |sum, a| sum * cotangent + a);
    let power = (n + 1) as f64;
    PI.powf(power) * (1.0 + power * (PI_LOW / PI)) * value
}

/// Steps of the recurrence; the asymptotic series serve from this argument (plus the order) on.
const SHIFT: u32 = 10;

/// B₂, B₄, … B₂₀ (DLMF 24.2). From there on the first term left out is below 1e-17 of the sum.
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174_611.0 / 330.0,
];

/// ψ⁽ⁿ⁾(x) for x > 0.
fn polygamma_of_positive(n: u32, x: f64) -> f64 {
    if n == 0 {
        digamma_of_positive(x)
    } else if n.is_multiple_of(2) {
        -polygamma_size(n, x)
    } else {
        polygamma_size(n, x)
    }
}

/// x₀ (DLMF 5.4(iii)) as the nearest `f64`, and what that lacks.
const ZERO: f64 = 1.461_632_144_968_362_2;
const ZERO_LOW: f64 = 9.549_995_429_965_697e-17;
const SHIFTED_ZERO: f64 = ZERO + SHIFT as f64;

/// ψ(x) for x > 0: asymptotic series from [`SHIFT`] on, below it the difference to the zero x₀.
///
/// Since ψ(x₀) = 0, the recurrence ψ(x) = ψ(x + m) − Σ 1/(x + k) (DLMF 5.5.2) less itself at x₀ is
/// ψ(x) = (x − x₀)·Σ 1/((x + k)(x₀ + k)) + ψ(x + m) − ψ(x₀ + m), 0 ≤ k < m.
/// Every term has x − x₀ as a factor and its sign, so nothing cancels, not even close to the zero.
fn digamma_of_positive(x: f64) -> f64 {
    let shift = f64::from(SHIFT);
    if x >= shift {
        return x.ln() - gap_to_logarithm(x);
    }
    let distance = (x - ZERO) - ZERO_LOW;
    let sum: f64 = (0..SHIFT).rev().map(f64::from).map(|k| 1.0 / ((x + k) * (ZERO + k))).sum();
    let slope = slope_of_gap(x + shift);
    distance * (sum - slope) + (distance / SHIFTED_ZERO).ln_1p()
}

/// ln x − ψ(x) for x ≥ [`SHIFT`] by its asymptotic series 1/(2x) + Σ B₂ₖ/(2k·x²ᵏ) (DLMF 5.11.2).
fn gap_to_logarithm(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let sum = GAP.iter().rev().fold(0.0, |sum, coefficient| (sum + coefficient) * square);
    0.5 / x + sum
}

/// (g(x) − g(x₀ + m))/(x − x₀ − m) for g = [`gap_to_logarithm`], by differences of each step of its series.
fn slope_of_gap(x: f64) -> f64 {
    /// The square's reciprocal, and the sum before each step of Horner's scheme.
    const SQUARE: f64 = 1.0 / (SHIFTED_ZERO * SHIFTED_ZERO);
    const SUMS: [f64; BERNOULLI.len()] = {
        let mut sums = GAP;
        let mut k = BERNOULLI.len() - 1;
        while k > 0 {
            sums[k - 1] += sums[k] * SQUARE;
            k -= 1;
        }
        sums
    };

    let square = 1.0 / (x * x);
    let slope_of_square = -(x + SHIFTED_ZERO) * square * SQUARE;
    let slope = SUMS.iter().rev().fold(0.0, |slope, sum| slope * square + sum * slope_of_square);
    slope - 0.5 / (x * SHIFTED_ZERO)
}

/// The coefficients B₂ₖ/2k.
const GAP: [f64; BERNOULLI.len()] = {
    let mut coefficients = BERNOULLI;
    let mut k = 0;
    while k < coefficients.len() {
        coefficients[k] /= (2 * (k + 1)) as f64;
        k += 1;
    }
    coefficients
};

/// |ψ⁽ⁿ⁾(x)| for x > 0 and n > 0: recurrence (DLMF 5.15.5), then asymptotic series (5.15.9).
fn polygamma_size(n: u32, x: f64) -> f64 {
    const FEW: u32 = 2;

    if n <= FEW {
        polygamma_by_steps::<{ (FEW + SHIFT) as usize }>(n, x)
    } else {
        polygamma_by_steps::<{ (MAX_ORDER + SHIFT) as usize }>(n, x)
    }
}

/// The same by at most `STEPS` of the recurrence.
fn polygamma_by_steps<const STEPS: usize>(n: u32, x: f64) -> f64 {
    // Where a term no longer counts beside the first, neither does the rest. They are added from the smallest.
    let mut terms = [0.0; STEPS];
    let power = Power::of_order(n);
    let mut count = 0;
    let mut shifted = x;
    while shifted < f64::from(n + SHIFT) {
        terms[count] = power.over(shifted);
        let counts = terms[count] > 1e-19 * terms[0];
        count += 1;
        if !counts {
            return terms[..count].iter().rev().sum();
        }
        shifted = x + count as f64;
    }
    // The series' common factor is (n−1)!/xⁿ; the rest has the rising factorial of n over (2k)!.
    let order = f64::from(n);
    let square = 1.0 / (shifted * shifted);
    let mut series = 0.5 * order / shifted;
    let mut ratio = 1.0;
    let mut j = 0.0;
    for bernoulli in BERNOULLI {
        ratio *= (order + j) * (order + j + 1.0) / ((j + 1.0) * (j + 2.0)) * square;
        series += bernoulli * ratio;
        j += 2.0;
    }
    let factor = Power::of_order(n - 1).over(shifted);
    terms[..count].iter().rev().fold(factor + factor * series, |sum, term| sum + term)
}

/// n!/xⁿ⁺¹ for one n.
struct Power {
    n: u32,
    factorial: f64,
}

impl Power {
    fn of_order(n: u32) -> Self {
        // The product as a sum of two numbers, rounded once in the end.
        let (mut high, mut low) = (1.0, 0.0);
        for k in (2..=n).map(f64::from) {
            let product = high * k;
            low = low * k + if n > 20 { f64::mul_add(high, k, -product) } else { 0.0 };
            high = product;
        }
        Self { n, factorial: high + low }
    }

    fn over(&self, x: f64) -> f64 {
        match self.n {
            0 => 1.0 / x,
            1 => 1.0 / (x * x),
            2 => 2.0 / (x * x * x),
            // By the significand, so that no part overflows where the quotient does not.
            n => {
                let power = i32::try_from(n + 1).expect("orders end at 170");
                let (significand, exponent) = libm::frexp(x);
                let scaled = self.factorial * (2.0 * significand).powf(-f64::from(power));
                libm::ldexp(scaled, -power * (exponent - 1))
            }
        }
    }
}

#[cfg(test)]
// The references stand as mpmath prints them: 20 digits, of which `f64` keeps what it can, and ln 2
// among them by chance.
#[allow(clippy::excessive_precision, clippy::unreadable_literal, clippy::approx_constant)]
#[rustfmt::skip]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    /// Bound on the relative error, 4.5 units in the last place.
    const FEW_ULPS: f64 = 1e-15;

    fn check(f: impl Fn(f64) -> f64, tolerance: f64, references: &[(f64, f64)]) {
        for &(x, expected) in references {
            let value = f(x);
            let bound = tolerance * expected.abs();
            assert!((value - expected).abs() <= bound, "f({x:?}) = {value:?}, not {expected:?}");
        }
    }

    fn check_absolute(f: impl Fn(f64) -> f64, tolerance: f64, references: &[(f64, f64)]) {
        for &(x, expected) in references {
            let value = f(x);
            let error = (value - expected).abs();
            assert!(error <= tolerance, "f({x:?}) = {value:?}, not {expected:?}");
        }
    }

    /// Equal to the bit (so −0 is not 0), or both NaN.
    fn check_exact(f: impl Fn(f64) -> f64, expectations: &[(f64, f64)]) {
        for &(x, expected) in expectations {
            let value = f(x);
            let same = value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan();
            assert!(same, "f({x:?}) = {value:?}, not {expected:?}");
        }
    }

    #[test]
    fn sigmoid_is_accurate_in_both_tails() {
        check(sigmoid, FEW_ULPS, &[
            (-708.0, 3.3075530036384079962e-308), (-300.0, 5.1482002224120137812e-131),
            (-50.0, 1.928749847963917783e-22),    (-36.5, 1.4068617124461465693e-16),
            (-20.0, 2.0611536181902035814e-9),    (-10.0, 4.5397868702434394505e-5),
            (-5.0, 0.0066928509242848555594),     (-2.0, 0.11920292202211755594),
            (-1.0, 0.26894142136999512075),       (-0.5, 0.37754066879814543536),
            (-0.1, 0.47502081252106001252),       (-1e-9, 0.49999999975),
            (0.0, 0.5),                           (1e-300, 0.5),
            (1e-9, 0.50000000025),                (0.1, 0.52497918747893998748),
            (0.5, 0.62245933120185456464),        (1.0, 0.73105857863000487925),
            (2.0, 0.88079707797788244406),        (5.0, 0.99330714907571514444),
            (10.0, 0.99995460213129756561),       (20.0, 0.99999999793884638181),
            (36.0, 0.99999999999999976805),
        ]);
    }

    #[test]
    fn sigmoid_underflows_gradually_and_has_limits() {
        check(sigmoid, 0.01, &[(-740.0, 4.1887398800480489395e-322)]);
        check_exact(sigmoid, &[(-1e308, 0.0), (1e308, 1.0), (-INF, 0.0), (INF, 1.0), (NAN, NAN)]);
    }

    #[test]
    fn softplus_is_accurate_from_underflow_to_the_identity() {
        check(softplus, FEW_ULPS, &[
            (-708.0, 3.3075530036384079962e-308), (-300.0, 5.1482002224120137812e-131),
            (-50.0, 1.928749847963917783e-22),    (-36.5, 1.4068617124461466683e-16),
            (-20.0, 2.0611536203143807032e-9),    (-10.0, 4.5398899216864646769e-5),
            (-5.0, 0.0067153484891180686164),     (-2.0, 0.12692801104297249644),
            (-1.0, 0.31326168751822283405),       (-0.5, 0.47407698418010668087),
            (-0.1, 0.64439666007357089219),       (-1e-9, 0.69314718005994530954),
            (0.0, 0.69314718055994530942),        (1e-300, 0.69314718055994530942),
            (1e-9, 0.69314718105994530954),       (0.1, 0.74439666007357089774),
            (0.5, 0.97407698418010668087),        (1.0, 1.313261687518222834),
            (2.0, 2.1269280110429724964),         (5.0, 5.0067153484891180686),
            (10.0, 10.000045398899216865),        (20.0, 20.00000000206115362),
            (36.0, 36.000000000000000232),        (50.0, 50.0),
            (700.0, 700.0),
        ]);
    }

    #[test]
    fn softplus_never_overflows() {
        check_exact(softplus, &[
            (-1e308, 0.0), (1e308, 1e308), (-INF, 0.0), (INF, INF), (NAN, NAN),
        ]);
    }

    #[test]
    fn relu_keeps_positive_numbers_and_nan() {
        check_exact(relu, &[
            (-INF, 0.0), (-2.0, 0.0), (0.0, 0.0), (3.0, 3.0), (INF, INF), (NAN, NAN),
        ]);
    }

    #[test]
    fn silu_is_accurate_in_the_negative_tail() {
        check(silu, FEW_ULPS, &[
            (-708.0, -2.3417475265759928613e-305), (-300.0, -1.5444600667236041343e-128),
            (-50.0, -9.6437492398195889151e-21),   (-36.5, -5.135045250428434978e-15),
            (-20.0, -4.1223072363804071629e-8),    (-10.0, -0.00045397868702434394505),
            (-5.0, -0.033464254621424277797),      (-2.0, -0.23840584404423511188),
            (-1.25, -0.27837517353163606625),      (-1.0, -0.26894142136999512075),
            (-0.5, -0.18877033439907271768),       (-0.1, -0.047502081252106003889),
            (-1e-9, -4.9999999975000003114e-10),   (1e-300, 5.0000000000000001253e-301),
            (1e-9, 5.0000000025000003114e-10),     (0.1, 0.052497918747894001663),
            (0.5, 0.31122966560092728232),         (1.0, 0.73105857863000487925),
            (2.0, 1.7615941559557648881),          (5.0, 4.9665357453785757222),
            (10.0, 9.9995460213129756561),         (20.0, 19.999999958776927636),
            (36.0, 35.99999999999999165),          (50.0, 50.0),
            (700.0, 700.0),
        ]);
    }

    #[test]
    fn silu_has_limits() {
        check_exact(silu, &[
            (-0.0, -0.0), (0.0, 0.0), (-1e308, -0.0), (1e308, 1e308),
            (-INF, -0.0), (INF, INF), (NAN, NAN),
        ]);
    }

    #[test]
    fn gelu_is_accurate_in_the_negative_tail() {
        check(gelu, FEW_ULPS, &[
            (-37.5, -1.7270073785932330664e-306),  (-36.45, -1.2537663267683435879e-289),
            (-30.1, -7.2922283261371342291e-198),  (-25.3, -4.0407012795127655989e-140),
            (-20.7, -3.5849333895708572431e-94),   (-15.3, -5.8489322899723791139e-52),
            (-12.3, -5.5703095560753054431e-34),   (-10.0, -7.619853024160526066e-23),
            (-8.1, -2.2258471078425649823e-15),    (-6.3, -9.375837797102569537e-10),
            (-5.0, -1.4332578593959695584e-6),     (-4.1, -8.4695778341441751741e-5),
            (-3.0, -0.00404969409489028358),       (-2.2, -0.030587584529696931959),
            (-1.5, -0.10021080190328709901),       (-1.0, -0.15865525393145705141),
            (-0.75, -0.1699705142826511495),       (-0.5, -0.15426876936299344818),
            (-0.1, -0.046017216272297104188),      (-1e-9, -4.9999999960105775074e-10),
            (1e-300, 5.0000000000000001253e-301),  (1e-9, 5.0000000039894231154e-10),
            (0.1, 0.053982783727702901364),        (0.5, 0.34573123063700655182),
            (1.0, 0.84134474606854294859),         (1.7, 1.6242387133104767833),
            (2.5, 2.4844758366855596621),          (4.0, 3.9998733150326675203),
            (6.5, 6.499999999738959962),           (9.0, 8.999999999999999999),
            (40.0, 40.0),
        ]);
    }

    #[test]
    fn gelu_has_limits() {
        check_exact(gelu, &[
            (-0.0, -0.0), (0.0, 0.0), (-1e308, -0.0), (1e308, 1e308),
            (-INF, -0.0), (INF, INF), (NAN, NAN),
        ]);
    }

    #[test]
    fn log_add_exp_is_accurate_and_symmetric() {
        for &(a, b, expected) in &[
            (0.0, 0.0, 0.69314718055994530942),
            (1.0, 2.0, 2.313261687518222834),
            (2.0, 1.0, 2.313261687518222834),
            (-1.0, 1.0, 1.1269280110429724964),
            (-1000.0, -1000.5, -999.52592301581989332),
            (1000.0, 1000.5, 1000.9740769841801067),
            (1000.0, -1000.0, 1000.0),
            (0.1, 0.3, 0.89813886938159183608),
            (-5.0, -5.0, -4.3068528194400546906),
            (3.0, -3.0, 3.0024756851377304495),
            (-0.2, 40.0, 40.000000000000000003),
            (100.0, 64.0, 100.00000000000000023),
            (-700.0, -690.0, -689.99995460110078314),
            (100000.0, 99999.9, 100000.64439666007081),
            (-1000000.0, -1000000.5, -999999.52592301581989),
            (1e-300, -1e-300, 0.69314718055994530942),
            (-40.0, -1e-17, -5.7516457447084116866e-18),
            (7.5, 7.25, 8.0759394198788435622),
        ] {
            check(|a| log_add_exp(a, b), FEW_ULPS, &[(a, expected)]);
            check(|b| log_add_exp(a, b), FEW_ULPS, &[(b, expected)]);
        }
    }

    #[test]
    fn log_add_exp_has_limits() {
        check_exact(|a| log_add_exp(a, -INF), &[(-INF, -INF), (1.0, 1.0), (INF, INF), (NAN, NAN)]);
        check_exact(|a| log_add_exp(a, INF), &[(-INF, INF), (1.0, INF), (INF, INF), (NAN, NAN)]);
        check_exact(|a| log_add_exp(a, 1.0), &[(-1e308, 1.0), (1e308, 1e308), (NAN, NAN)]);
        check_exact(|a| log_add_exp(a, NAN), &[(-INF, NAN), (1.0, NAN), (INF, NAN)]);
    }

    #[test]
    fn gauss_is_accurate_down_to_underflow() {
        check(gauss, FEW_ULPS, &[
            (0.0, 1.0),                         (1e-300, 1.0),
            (1e-9, 0.999999999999999999),       (0.1, 0.99004983374916805247),
            (-0.7, 0.61262639418441610708),     (1.3, 0.18451952399298924632),
            (-3.3, 1.8643742331516852273e-5),   (5.1, 5.058252742843811565e-12),
            (-9.7, 1.371614910949372526e-41),   (15.9, 1.6069857662045863014e-110),
            (20.3, 1.075441898981675502e-179),  (-26.3, 4.0072811391938848515e-301),
            (26.6, 5.1356614243578191545e-308),
        ]);
    }

    #[test]
    fn normal_density_is_accurate_down_to_underflow() {
        check(normal_density, FEW_ULPS, &[
            (0.0, 0.39894228040143267794),      (1e-300, 0.39894228040143267794),
            (1e-9, 0.39894228040143267774),     (0.1, 0.39695254747701176529),
            (-0.7, 0.31225393336676126681),     (1.3, 0.17136859204780734707),
            (-3.3, 0.0017225689390536811513),   (5.1, 8.9724351623833444213e-7),
            (-9.7, 1.4774954927042670104e-21),  (15.9, 5.0572693043754032983e-56),
            (-20.3, 1.3082885546815290281e-90), (30.7, 8.7459490160240639233e-206),
            (37.5, 1.7282337322841052208e-306),
        ]);
    }

    #[test]
    fn densities_have_limits() {
        for density in [gauss, normal_density, logistic_density] {
            check_exact(density, &[(1e308, 0.0), (-INF, 0.0), (INF, 0.0), (NAN, NAN)]);
        }
    }

    #[test]
    fn erf_is_accurate() {
        check(erf, FEW_ULPS, &[
            (-6.5, -0.99999999999999999996),      (-2.9, -0.99995890212190054114),
            (-1.25, -0.92290012825645823014),     (-0.84375, -0.76722566123234163346),
            (-0.1, -0.1124629160182848984),       (1e-300, 1.1283791670955126022e-300),
            (1e-17, 1.1283791670955126546e-17),   (1e-9, 1.1283791670955126438e-9),
            (0.001, 0.0011283787909692364034),    (0.05, 0.056371977797016626955),
            (0.2, 0.22270258921047846618),        (0.5, 0.52049987781304653768),
            (0.8, 0.74210096470766051259),        (0.9, 0.79690821242283213966),
            (1.0, 0.84270079294971486934),        (1.2, 0.91031397822963536837),
            (1.3, 0.93400794494065244585),        (1.5, 0.96610514647531072707),
            (1.8, 0.98909050163573071615),        (2.0, 0.99532226501895273416),
            (2.5, 0.99959304798255504106),        (3.0, 0.99997790950300141456),
            (4.0, 0.99999998458274209972),        (5.0, 0.99999999999846254021),
            (5.9, 0.9999999999999999281),
        ]);
    }

    #[test]
    fn erf_is_odd_and_has_limits() {
        check_exact(erf, &[
            (0.0, 0.0), (-0.0, -0.0), (-1e308, -1.0), (-INF, -1.0), (INF, 1.0), (NAN, NAN),
        ]);
    }

    #[test]
    fn erfc_is_accurate_down_to_underflow() {
        check(erfc, FEW_ULPS, &[
            (-6.5, 2.0),                        (-2.0, 1.9953222650189527342),
            (-0.9, 1.7969082124228321397),      (-0.3, 1.3286267594591274162),
            (-1e-9, 1.0000000011283791671),     (1e-300, 1.0),
            (1e-9, 0.9999999988716208329),      (0.01, 0.98871658444415038285),
            (0.2, 0.77729741078952153382),      (0.25, 0.72367360983176306701),
            (0.4, 0.57160764495333152355),      (0.6, 0.39614390915207409492),
            (0.84, 0.23485728854500548266),     (1.0, 0.15729920705028513066),
            (1.24, 0.07949481570097033229),     (1.5, 0.033894853524689272933),
            (2.0, 0.0046777349810472658379),    (2.8, 7.501319466545910313e-5),
            (3.0, 2.2090496998585441373e-5),    (4.0, 1.5417257900280018852e-8),
            (5.0, 1.5374597944280348502e-12),   (6.5, 3.8421483271206474699e-20),
            (8.0, 1.122429717298292708e-29),    (10.0, 2.088487583762544757e-45),
            (13.0, 1.7395573154667245218e-75),  (17.0, 1.0212280150942608811e-127),
            (20.0, 5.3958656116079009289e-176), (23.0, 4.4412659480880572441e-232),
            (25.0, 8.300172571196522752e-274),  (26.0, 5.6631924088561428465e-296),
            (26.5, 2.2109076642637342759e-307),
        ]);
    }

    #[test]
    fn erfc_has_limits() {
        check_exact(erfc, &[
            (0.0, 1.0), (30.0, 0.0), (1e308, 0.0), (-INF, 2.0), (INF, 0.0), (NAN, NAN),
        ]);
    }

    #[test]
    fn ln_gamma_is_accurate_close_to_its_zeros_too() {
        check(ln_gamma, FEW_ULPS, &[
            (1e-300, 690.77552789821370518),        (1e-20, 46.051701859880913735),
            (1e-5, 11.512919692895825626),          (0.1, 2.252712651734205902),
            (0.5, 0.57236494292470008707),          (0.9, 0.066376239734742954426),
            (0.999999, 5.7721648738556523794e-7),   (1.000001, -5.7721484238741466506e-7),
            (1.1, -0.049872441259839761785),        (1.25, -0.098271836421813161464),
            (1.46, -0.12148500100400742945),        (1.75, -0.084401121020485555958),
            (1.9999999, -4.2278430309861298194e-8), (2.0000001, 4.2278436665324979232e-8),
            (2.1, 0.045437738544485179002),         (2.5, 0.28468287047291915963),
            (3.0, 0.69314718055994530942),          (4.5, 2.4537365708424422205),
            (6.0, 4.7874917427820459942),           (7.9, 8.3242658680088096349),
            (8.1, 8.727388263432039799),            (12.0, 17.502307845873885839),
            (100.0, 359.13420536957539878),         (1234.5, 7550.5509010778948957),
            (1000000.0, 12815504.56914761166),      (1e18, 4.0446531673892822293e19),
            (1e100, 2.2925850929940457206e102),     (1e305, 7.0128845336318389096e307),
            (-1e-300, 690.77552789821370518),       (-1e-9, 20.72326583752362676),
            (-0.25, 1.5895753125511859903),         (-0.5, 1.2655121234846453965),
            (-1.0000001, 16.118095608096032302),    (-1.5, 0.86004701537648101451),
            (-2.2, 0.79071867367571222217),         (-3.7, -1.379739904965824496),
            (-10.5, -15.147270590717841146),        (-99.9, -360.95932024616306776),
            (-12345.75, -103968.52798293226037),
        ]);
    }

    #[test]
    fn ln_gamma_is_infinite_at_its_poles() {
        check_exact(ln_gamma, &[
            (1.0, 0.0), (2.0, 0.0), (0.0, INF), (-0.0, INF), (-1.0, INF), (-2.0, INF),
            (-1e300, INF), (1e308, INF), (INF, INF), (-INF, INF), (NAN, NAN),
        ]);
    }

    #[test]
    fn digamma_is_accurate() {
        check(digamma, FEW_ULPS, &[
            (1e-300, -9.9999999999999997494e299),       (1e-20, -1.0000000000000000549e20),
            (1e-5, -100000.57719921567289),             (0.01, -100.56088545786867242),
            (0.1, -10.423754940411076232),              (0.25, -4.2274535333762654081),
            (0.5, -1.9635100260214234794),              (0.75, -1.0858608797864721696),
            (1.0, -0.57721566490153286061),             (1.2, -0.28903989659218835183),
            (1.4, -0.061384544585116236801),            (1.5, 0.036489973978576520559),
            (1.6, 0.12604745277347632815),              (2.0, 0.42278433509846713939),
            (2.5, 0.70315664064524318723),              (3.0, 0.92278433509846713939),
            (4.5, 1.3888709263595289015),               (7.0, 1.8727843350984671394),
            (9.999, 2.2516474172057353142),             (10.0, 2.2517525890667211076),
            (10.001, 2.2518577498778718695),            (12.5, 2.4851956512749120482),
            (30.0, 3.3844381326855248766),              (1000.0, 6.9072551956488120521),
            (100000000.0, 18.420680738952365464),       (1e100, 230.25850929940456842),
            (1e308, 709.19620864216607069),             (-1e-300, 9.9999999999999997494e299),
            (-1e-5, 99999.422767885629412),             (-0.1, 9.2450730500529480423),
            (-0.25, 2.9141391202135278304),             (-0.4, 0.95938078610680936572),
            (-0.49, 0.12582880236703662539),            (-0.5, 0.036489973978576520559),
            (-0.75, -2.8941202000429320748),            (-1.0000001, 10000000.41694539884),
            (-1.75, -2.3226916286143606462),            (-2.5, 1.1031566406452431872),
            (-3.2, 5.6353702211726443926),              (-9.9, -7.3266375728475796796),
            (-20.5, 3.0446168825125246309),             (-1000.25, 10.050097693066705875),
            (-1000000000000.25, 30.772613769519091447),
        ]);
    }

    #[test]
    fn digamma_is_accurate_beside_its_positive_zero() {
        check(digamma, FEW_ULPS, &[
            (1.4616321449683622, -9.2412655217294275168e-17),
            (1.4616321449683625, 1.2245374622004069031e-16),
            (1.46163214496, -8.0919610908162137446e-12),
            (1.461632145, 3.0614931929298836974e-11),
            (1.461, -0.00061188613768651121694),
            (1.462, 0.00035590320380104276334),
            (1.45, -0.011316422586445887658),
            (1.47, 0.0080664890113648684423),
        ]);
    }

    #[test]
    fn digamma_is_absolutely_accurate_at_its_negative_zeros() {
        check_absolute(digamma, 1e-15, &[
            (-0.504083008264455, 4.0429657172224963392e-15),
            (-1.573498473162391, -6.4658805047957279269e-15),
            (-2.610720868444145, -5.8896533582754912002e-15),
            (-3.635293366436901, -6.3548838940646862505e-16),
            (-9.702672540001863, 4.9392568690863821965e-15),
        ]);
    }

    #[test]
    fn digamma_at_a_pole_has_the_sign_of_its_side_where_zero_has_one() {
        check_exact(digamma, &[
            (0.0, -INF), (-0.0, INF), (-1.0, NAN), (-2.0, NAN), (-1e300, NAN),
            (5e-324, -INF), (-5e-324, INF), (INF, INF), (-INF, NAN), (NAN, NAN),
        ]);
    }

    #[test]
    fn polygamma_is_accurate_at_every_order() {
        for &(n, x, expected) in &[
            (1, 1e-50, 9.9999999999999998477e99),      (1, 0.001, 1000001.6425331958273),
            (1, 0.25, 17.197329154507110739),          (1, 1.0, 1.6449340668482264365),
            (1, 1.5, 0.93480220054467930942),          (1, 2.5, 0.49035775610023486497),
            (1, 6.0, 0.18132295573711532536),          (1, 10.9, 0.096080001122669783564),
            (1, 14.0, 0.074040268664010336838),        (1, 40.0, 0.025315103841291028158),
            (1, 100000.0, 1.0000050000166666667e-5),   (1, 1e60, 1.0000000000000000506e-60),
            (1, -1e-9, 9.9999999999999987708e17),      (1, -0.5, 8.9348022005446793094),
            (1, -1.25, 19.181879647671606498),         (1, -2.9, 103.06378142648573135),
            (1, -7.5, 9.7447662821704325968),          (1, -30.125, 67.361224241892141011),
            (1, -1000.3, 15.078414502249116676),       (2, 1e-50, -1.9999999999999999543e150),
            (2, 0.001, -2000000002.3976321648),        (2, 0.25, -129.32773993753692033),
            (2, 1.0, -2.4041138063191885708),          (2, 1.5, -0.8287966442343199956),
            (2, 2.5, -0.236204051641727403),           (2, 6.0, -0.032789732245114496725),
            (2, 10.9, -0.0092243061194504352828),      (2, 14.0, -0.0054794656903124876914),
            (2, 40.0, -0.00064082027183529858776),     (2, 100000.0, -1.00001000005e-10),
            (2, 1e60, -1.0000000000000001012e-120),    (2, -1e-9, 1.9999999999999996263e27),
            (2, -0.4375, 11.898982529475510204),       (2, -1.25, 123.72136678366236037),
            (2, -2.9, -1998.7443812761604056),         (2, -7.5, -0.015564511795903923324),
            (2, -30.125, 1022.2933249460923764),       (2, -1000.3, 68.837542716168410391),
            (3, 1e-50, 5.9999999999999998172e200),     (3, 0.001, 6000000000006.4686145),
            (3, 0.25, 1538.782144009188396),           (3, 1.0, 6.4939394022668291491),
            (3, 1.5, 1.4090910340024372364),           (3, 2.5, 0.22390584881725205126),
            (3, 6.0, 0.011827828192755075022),         (3, 10.9, 0.0017698390503350299292),
            (3, 14.0, 0.00081066470123150869369),      (3, 40.0, 3.2441400151563500322e-5),
            (3, 100000.0, 2.0000300002e-15),           (3, 1e60, 2.0000000000000003037e-180),
            (3, -1e-9, 5.9999999999999985052e36),      (3, -0.5, 193.40909103400243724),
            (3, -1.25, 1558.2209125348505998),         (3, -2.9, 60014.203057742923402),
            (3, -7.5, 194.81430592764459208),          (3, -30.125, 24591.002254966056837),
            (3, -1000.3, 769.0209143319250598),        (4, 1e-50, -2.3999999999999999086e251),
            (4, 0.001, -2.4000000000000022267e16),     (4, 0.25, -24584.375388637933734),
            (4, 1.0, -24.886266123440878232),          (4, 1.5, -3.4742498266672251905),
            (4, 2.5, -0.31375599950673136338),         (4, 6.0, -0.006383191342112799854),
            (4, 10.9, -0.0005089749311570144253),      (4, 14.0, -0.00017982045557484172154),
            (4, 40.0, -2.4633778392772126783e-6),      (4, 100000.0, -6.0001200009999999999e-20),
            (4, 1e60, -6.0000000000000012147e-240),    (4, -1e-9, 2.3999999999999992526e46),
            (4, -0.4375, 1068.2993708990917411),       (4, -1.25, 24481.063714184582527),
            (4, -2.9, -2399973.876716334131),          (4, -7.5, -0.0014461249646771969638),
            (4, -30.125, 786397.99250009921231),       (4, -1000.3, 9738.7603018614906091),
            (8, 0.3, -2048472046.8178866113),          (8, 12.0, -1.6110901962769791827e-5),
            (8, -1.5, -11.146030731869932468),         (8, -3.25, 10569114259.560384127),
            (15, 0.5, 8.5699749372666517252e16),       (15, -2.4, 3.0493019733861885195e18),
            (16, 20.0, -2.9049916225782692231e-9),     (16, -0.75, -3.5945079045721319321e23),
            (50, 3.0, -1.4121832832993647947e40),      (50, 100.0, -7.7321936280747278883e-38),
            (100, 150.0, -3.1458780214419867432e-62),  (100, -0.25, 5.9987778449433916243e218),
            (170, 2.0, -2.4246705428834071928e255),    (170, 500.0, -7.5369073770483293185e-155),
            (120, -1.3, 1.240857831804960225e262),     (50, 20.0, -0.014745157490906249425),
            (170, 60.0, -666.05674452742874424),
        ] {
            check(|x| polygamma(n, x), FEW_ULPS, &[(x, expected)]);
        }
    }

    #[test]
    fn polygamma_of_order_0_is_digamma() {
        check_exact(|x| polygamma(0, x), &[(0.7, digamma(0.7)), (-0.7, digamma(-0.7))]);
    }

    #[test]
    fn polygamma_of_odd_order_is_infinite_at_its_poles() {
        check_exact(|x| polygamma(1, x), &[
            (0.0, INF), (-0.0, INF), (-1.0, INF), (-1e300, INF), (1e-200, INF), (-5e-324, INF),
            (INF, 0.0), (-INF, NAN), (NAN, NAN),
        ]);
    }

    #[test]
    fn polygamma_of_even_order_has_a_sign_at_zero_only() {
        check_exact(|x| polygamma(2, x), &[
            (0.0, -INF), (-0.0, INF), (-1.0, NAN), (-1e300, NAN), (1e-200, -INF), (-5e-324, INF),
            (INF, -0.0), (-INF, NAN), (NAN, NAN),
        ]);
    }

    #[test]
    fn polygamma_beyond_the_last_finite_factorial_is_nan() {
        check_exact(|x| polygamma(171, x), &[(1.0, NAN), (-0.5, NAN)]);
        check_exact(|x| polygamma(u32::MAX, x), &[(1.0, NAN), (-1.0, NAN)]);
    }
}
