//! Functions of `f32` over slices: computed on `f64`, to some 30 bits, and rounded once.
//!
//! So a value is within 0.52 units in the last place of the true one. A polynomial of 30 bits is half as long as one of 53,
//! and with twice the digits at hand nothing needs a second part.

use core::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};
use core::marker::PhantomData;

use super::arithmetic::{bounded, polynomial, power_of_2, rounded};
use super::logarithms::{decomposed, unless_special};
use crate::instructions::{Work, dispatch};
use crate::op::Op;
use crate::special::INV_SQRT_2PI;

/// The functions that have a short form, and partials from the argument and the value.
macro_rules! for_each_core {
    ($then:ident) => {
        $then! {
            values {
                Neg |x| -x;
                Abs |x| x.abs();
                Recip |x| 1.0 / x;
                Sqrt |x| x.sqrt();
                Relu |x| if x < 0.0 { 0.0 } else { x };
                Exp |x| exp(x);
                ExpM1 |x| exp_m1(x);
                Ln |x| ln(x);
                Ln1p |x| ln_1p(x);
                Tanh |x| tanh(x);
                Sigmoid |x| sigmoid(x);
                LogisticDensity |x| logistic_density(x);
                Softplus |x| softplus(x);
                Silu |x| silu(x);
                Gelu |x| gelu(x);
                Erf |x| erf(x);
                Erfc |x| erfc(x);
                Gauss |x| exp(-x * x);
                NormalDensity |x| INV_SQRT_2PI * exp(-0.5 * x * x);
            }
            partials {
                Relu |x, _y| if x > 0.0 { 1.0 } else { 0.0 };
                Tanh |x, y| tanh_partial(x, y);
                Sigmoid |x, _y| logistic_density(x);
                Softplus |x, _y| sigmoid(x);
                Silu |x, _y| silu_partial(x);
                Gelu |x, _y| gelu_partial(x);
            }
        }
    };
}

trait Core {
    fn value(x: f64) -> f64;
}

trait CorePartial {
    fn partial(x: f64, y: f64) -> f64;
}

macro_rules! define {
    (
        values { $($op:ident |$x:ident| $value:expr;)* }
        partials { $($op_p:ident |$x_p:ident, $y_p:ident| $partial:expr;)* }
    ) => {
        $(
            struct $op;
            impl Core for $op {
                #[inline(always)]
                fn value($x: f64) -> f64 { $value }
            }
        )*
        $(
            impl CorePartial for $op_p {
                #[inline(always)]
                fn partial($x_p: f64, $y_p: f64) -> f64 { $partial }
            }
        )*

        /// y[i] = op(x[i]); false, and nothing done, where the operation has no short form.
        pub(crate) fn map_1(op: Op, x: &[f32], y: &mut [f32]) -> bool {
            match op {
                $(Op::$op => run::<$op>(x, y),)*
                _ => return false,
            }
            true
        }

        /// The derivative of op at x[i], where y[i] = op(x[i]); likewise.
        pub(crate) fn map_partial(op: Op, x: &[f32], y: &[f32], partials: &mut [f32]) -> bool {
            match op {
                $(Op::$op_p => run_partial::<$op_p>(x, y, partials),)*
                _ => return false,
            }
            true
        }

        /// The operations that [`map_1`] knows.
        #[cfg(test)]
        const OPS: &[Op] = &[$(Op::$op),*];

        /// [`map_1`] as it is compiled for every processor.
        #[cfg(test)]
        fn map_1_portably(op: Op, x: &[f32], y: &mut [f32]) {
            match op {
                $(Op::$op => Loop::<$op>(x, y, PhantomData).run(),)*
                _ => {}
            }
        }
    };
}
for_each_core!(define);

struct Loop<'a, C>(&'a [f32], &'a mut [f32], PhantomData<C>);

impl<C: Core> Work for Loop<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.1.iter_mut().zip(self.0) {
            *y = C::value(x.into()) as f32;
        }
    }
}

#[inline(never)]
fn run<C: Core>(x: &[f32], y: &mut [f32]) {
    dispatch(Loop::<C>(x, y, PhantomData));
}

struct LoopPartial<'a, C>(&'a [f32], &'a [f32], &'a mut [f32], PhantomData<C>);

impl<C: CorePartial> Work for LoopPartial<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((partial, &x), &y) in self.2.iter_mut().zip(self.0).zip(self.1) {
            *partial = C::partial(x.into(), y.into()) as f32;
        }
    }
}

#[inline(never)]
fn run_partial<C: CorePartial>(x: &[f32], y: &[f32], partials: &mut [f32]) {
    dispatch(LoopPartial::<C>(x, y, partials, PhantomData));
}

/// (eʳ − 1 − r)/r² for |r| ≤ ½·ln 2, to 2⁻³² of eʳ.
const EXP: [f64; 6] = [
    0.500_000_001_345_772_7,
    0.166_666_666_816_142_56,
    0.041_666_465_006_045_06,
    0.008_333_310_934_448_869,
    0.001_393_364_103_198_670_1,
    0.000_198_909_808_697_503_07,
];

/// (2·artanh s − 2s)/s³ in s² for |s| ≤ 3 − 2√2, to 2⁻³⁵ of 2·artanh s.
const LOG: [f64; 4] = [
    0.666_666_665_544_970_9,
    0.400_001_218_398_061_24,
    0.285_508_208_159_606_65,
    0.233_304_672_163_038_35,
];

/// (1 + 2z)·e^(z²)·erfc z in (z − 4)/(z + 4) for 0 ≤ z ≤ 10.1, to 2⁻³⁰ (the form is that of Shepherd and Laframboise 1981).
const ERFC: [f64; 12] = [
    1.232_995_118_478_153_1,
    -0.139_621_132_196_630_4,
    0.015_379_665_629_863_665,
    0.068_097_920_456_559_34,
    -0.101_038_558_257_154_44,
    0.093_719_549_823_537_02,
    -0.066_350_287_004_216_61,
    0.037_235_528_121_767_36,
    -0.016_025_416_886_807_742,
    0.005_010_903_007_745_404,
    -0.001_170_704_906_971_007_5,
    -0.000_652_951_785_539_741_7,
];

/// erf(x)/x in x² for x² ≤ ½, to 2⁻³⁰.
const ERF: [f64; 6] = [
    1.128_379_166_330_162_6,
    -0.376_126_278_724_771_8,
    0.112_835_331_201_554_71,
    -0.026_843_900_137_657_084,
    0.005_136_527_572_365_847,
    -0.000_693_352_766_530_901_8,
];

/// Beyond these exponents eˣ has long been 0 and ∞ on `f32`.
const LOWEST: f64 = -150.0;
const HIGHEST: f64 = 130.0;

#[inline(always)]
fn exp(x: f64) -> f64 {
    let x = bounded(x, LOWEST, HIGHEST);
    let n = rounded(x * LOG2_E);
    let r = x - n * LN_2;
    (1.0 + (r + r * r * polynomial(r, EXP))) * power_of_2(n)
}

/// By its series near 0, where the difference would keep few digits.
#[inline(always)]
fn exp_m1(x: f64) -> f64 {
    const SERIES: [f64; 6] = [1.0, 1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0];
    if x.abs() < 0.0625 { x * polynomial(x, SERIES) } else { exp(x) - 1.0 }
}

#[inline(always)]
fn ln(x: f64) -> f64 {
    let (k, m) = decomposed(x);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    unless_special(k * LN_2 + (2.0 * s + s * z * polynomial(z, LOG)), x)
}

/// By its series where 1 + x would not keep the digits of x.
#[inline(always)]
fn ln_1p(x: f64) -> f64 {
    if x.abs() < 1e-5 { x - 0.5 * x * x } else { ln(1.0 + x) }
}

/// (1 − e)/(1 + e) with e = e^−2|x|; by its series near 0.
#[inline(always)]
fn tanh(x: f64) -> f64 {
    const SERIES: [f64; 4] = [1.0, -1.0 / 3.0, 2.0 / 15.0, -17.0 / 315.0];
    let e = exp(-2.0 * x.abs());
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    if x.abs() < 0.0625 { x * polynomial(x * x, SERIES) } else { far }
}

/// 1 − y². As 1 + |y| = 2/(1 + e), that is e·(1 + |y|)².
#[inline(always)]
fn tanh_partial(x: f64, y: f64) -> f64 {
    let sum = 1.0 + y.abs();
    exp(-2.0 * x.abs()) * (sum * sum)
}

#[inline(always)]
fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

#[inline(always)]
fn logistic_density(x: f64) -> f64 {
    let e = exp(-x.abs());
    let sum = 1.0 + e;
    e / (sum * sum)
}

/// max(x, 0) + ln(1 + e^−|x|).
#[inline(always)]
fn softplus(x: f64) -> f64 {
    (if x < 0.0 { 0.0 } else { x }) + ln_1p(exp(-x.abs()))
}

#[inline(always)]
fn silu(x: f64) -> f64 {
    // Where the logistic function has long been 0; it keeps −∞ out of the product.
    let x = if x < -200.0 { -200.0 } else { x };
    x * sigmoid(x)
}

/// s + x·s·(1 − s) with s = sigmoid x.
#[inline(always)]
fn silu_partial(x: f64) -> f64 {
    let x = bounded(x, -200.0, 200.0);
    sigmoid(x) + x * logistic_density(x)
}

/// erfc z for z ≥ 0.
#[inline(always)]
fn erfc_of_positive(z: f64) -> f64 {
    // Where it has long been 0.
    let z = if z > 15.0 { 15.0 } else { z };
    exp(-z * z) * polynomial((z - 4.0) / (z + 4.0), ERFC) / (1.0 + 2.0 * z)
}

#[inline(always)]
fn erfc(x: f64) -> f64 {
    let tail = erfc_of_positive(x.abs());
    if x < 0.0 { 2.0 - tail } else { tail }
}

/// By its series near 0, where the difference would keep few digits.
#[inline(always)]
fn erf(x: f64) -> f64 {
    let square = x * x;
    let far = (1.0 - erfc_of_positive(x.abs())).copysign(x);
    if square < 0.5 { x * polynomial(square, ERF) } else { far }
}

/// x·Φ(x), where Φ(x) = erfc(−x/√2)/2 is the normal distribution function.
#[inline(always)]
fn gelu(x: f64) -> f64 {
    let x = if x < -20.0 { -20.0 } else { x };
    0.5 * x * erfc(-x * FRAC_1_SQRT_2)
}

/// Φ(x) + x·φ(x).
#[inline(always)]
fn gelu_partial(x: f64) -> f64 {
    let x = bounded(x, -20.0, 20.0);
    0.5 * erfc(-x * FRAC_1_SQRT_2) + x * (INV_SQRT_2PI * exp(-0.5 * x * x))
}

#[cfg(test)]
mod tests;
