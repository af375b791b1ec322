//! Code that is generic over `num_traits` runs on variables and duals: same values as plain numbers, right derivatives.

use std::iter::Sum;
use std::num::FpCategory;

use num_traits::{
    Euclid, Float, FloatConst, FromPrimitive, Inv, MulAdd, Num, NumCast, One, Pow, Signed,
    ToPrimitive, Zero,
};
use tape::{Dual, Real, Tape, Var};

const NUMBERS: [f64; 16] = [
    0.0,
    -0.0,
    0.3,
    -0.3,
    0.5,
    1.0,
    -1.0,
    1.5,
    -2.25,
    7.0,
    1e-310,
    -1e300,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A number's bits, where NaN is NaN.
trait Bits {
    fn bits(self) -> Vec<u64>;
}

impl Bits for f64 {
    fn bits(self) -> Vec<u64> {
        vec![if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() }]
    }
}

impl Bits for Var {
    fn bits(self) -> Vec<u64> {
        self.value().bits()
    }
}

impl Bits for Dual {
    fn bits(self) -> Vec<u64> {
        self.value.bits()
    }
}

impl<T: Bits> Bits for (T, T) {
    fn bits(self) -> Vec<u64> {
        [self.0.bits(), self.1.bits()].concat()
    }
}

macro_rules! bits_as_debug {
    ($($Type:ty),*) => {$(
        impl Bits for $Type {
            fn bits(self) -> Vec<u64> {
                format!("{self:?}").bytes().map(Into::into).collect()
            }
        }
    )*};
}
bits_as_debug! { bool, FpCategory, (u64, i16, i8) }

/// Holds methods of a trait against those of `f64`, for all [`NUMBERS`].
macro_rules! check_values {
    ($tape:ident; $($Trait:ident::$name:ident($($other:ident),*);)*) => {$(
        for x in NUMBERS {
            check_values!(@ $tape $Trait $name x $($other)*);
        }
    )*};
    (@ $tape:ident $Trait:ident $name:ident $x:ident) => {
        let expected = $Trait::$name($x).bits();
        assert_eq!($Trait::$name($tape.var($x)).bits(), expected, "{} of {}", stringify!($name), $x);
        assert_eq!($Trait::$name(Dual::new($x, 1.0)).bits(), expected, "{} of {}", stringify!($name), $x);
    };
    (@ $tape:ident $Trait:ident $name:ident $x:ident $y:ident) => {
        for $y in NUMBERS {
            let expected = $Trait::$name($x, $y).bits();
            let recorded = $Trait::$name($tape.var($x), $tape.var($y));
            assert_eq!(recorded.bits(), expected, "{} of {}, {}", stringify!($name), $x, $y);
            let dual = $Trait::$name(Dual::new($x, 1.0), Dual::new($y, 1.0));
            assert_eq!(dual.bits(), expected, "{} of {}, {}", stringify!($name), $x, $y);
        }
    };
}

#[test]
fn methods_of_float_have_the_values_of_plain_numbers() {
    let tape = Tape::new();
    check_values! { tape;
        Float::is_nan(); Float::is_infinite(); Float::is_finite(); Float::is_normal(); Float::is_subnormal();
        Float::classify(); Float::is_sign_positive(); Float::is_sign_negative(); Float::integer_decode();
        Float::floor(); Float::ceil(); Float::round(); Float::trunc(); Float::fract(); Float::abs(); Float::signum();
        Float::recip(); Float::sqrt(); Float::cbrt(); Float::exp(); Float::exp2(); Float::exp_m1();
        Float::ln(); Float::ln_1p(); Float::log2(); Float::log10(); Float::to_degrees(); Float::to_radians();
        Float::sin(); Float::cos(); Float::tan(); Float::sin_cos(); Float::asin(); Float::acos(); Float::atan();
        Float::sinh(); Float::cosh(); Float::tanh(); Float::asinh(); Float::acosh(); Float::atanh();
        Float::powf(y); Float::log(y); Float::max(y); Float::min(y); Float::abs_sub(y); Float::hypot(y);
        Float::atan2(y); Float::copysign(y);
    }
}

#[test]
fn methods_of_the_other_traits_have_the_values_of_plain_numbers() {
    let tape = Tape::new();
    check_values! { tape; Inv::inv(); Pow::pow(y); }
    for x in NUMBERS {
        let (var, dual) = (tape.var(x), Dual::new(x, 1.0));
        assert_eq!(Signed::abs(&var).bits(), Signed::abs(&x).bits());
        assert_eq!(Signed::signum(&dual).bits(), Signed::signum(&x).bits());
        assert_eq!(
            (Signed::is_positive(&var), Signed::is_negative(&dual)),
            (Signed::is_positive(&x), Signed::is_negative(&x))
        );
        assert_eq!((var.is_zero(), dual.is_one()), (x.is_zero(), x.is_one()));
        assert_eq!(
            (var.to_i64(), dual.to_u8(), var.to_f32().map(f32::to_bits)),
            (x.to_i64(), x.to_u8(), x.to_f32().map(f32::to_bits))
        );
        for y in NUMBERS {
            let (a, b) = (tape.var(y), Dual::new(y, 1.0));
            assert_eq!(
                Euclid::div_euclid(&var, &a).bits(),
                Euclid::div_euclid(&x, &y).bits(),
                "{x} div {y}"
            );
            assert_eq!(
                Euclid::rem_euclid(&dual, &b).bits(),
                Euclid::rem_euclid(&x, &y).bits(),
                "{x} rem {y}"
            );
            assert_eq!(Signed::abs_sub(&var, &a).bits(), Signed::abs_sub(&x, &y).bits());
            assert_eq!(MulAdd::mul_add(dual, b, b).bits(), MulAdd::mul_add(x, y, y).bits());
        }
    }
}

#[test]
fn constants_are_those_of_the_inner_number() {
    assert_eq!(<Var as Float>::epsilon(), f64::EPSILON);
    assert_eq!(<Dual<f32> as Float>::epsilon().value, f32::EPSILON);
    assert_eq!(Var::<f32>::PI().value(), std::f32::consts::PI);
    assert_eq!(Dual::<Var>::LOG2_10().value.value(), std::f64::consts::LOG2_10);
    assert!(Var::<f64>::PI().is_constant());
    assert_eq!(<Var as NumCast>::from(7_u8).unwrap(), 7.0);
    assert_eq!(<Var as FromPrimitive>::from_i32(-3).unwrap(), -3.0);
    assert_eq!(Var::<f64>::from_str_radix("101", 2).unwrap(), 5.0);
}

#[test]
fn f32_is_converted_to_degrees_as_f32() {
    for x in [0.1_f32, 1.0, 3.0, 1e3] {
        assert_eq!(Var::constant(x).to_degrees().value().to_bits(), x.to_degrees().to_bits());
        assert_eq!(Dual::constant(x).to_radians().value.to_bits(), x.to_radians().to_bits());
    }
}

/// Holds ∂f/∂x at both modes against numeric derivatives and a known one.
fn check_derivative(
    reverse: impl Fn(Var) -> Var,
    forward: impl Fn(Dual) -> Dual,
    x: f64,
    expected: f64,
) {
    let f = |x: &[Var]| reverse(x[0]);
    assert_eq!(tape::gradient(f, &[x]).1, [expected]);
    assert!(tape::check::assert_gradient(f, &[x]).is_pass());
    assert_eq!(forward(Dual::new(x, 1.0)).tangent, expected);
}

macro_rules! check_derivative {
    ($f:expr, $x:expr, $expected:expr) => {
        check_derivative($f, $f, $x, $expected)
    };
}

#[test]
fn derivative_of_copysign_is_the_ratio_of_the_signs() {
    check_derivative!(|x| x.copysign(3.0.into()), 2.0, 1.0);
    check_derivative!(|x| x.copysign(3.0.into()), -2.0, -1.0);
    check_derivative!(|x| x.copysign((-0.0).into()), 2.0, -1.0);
    check_derivative!(|x| x.copysign((-3.0).into()), -2.0, 1.0);
}

#[test]
fn derivative_of_fract_is_1() {
    check_derivative!(|x| x.fract(), -2.25, 1.0);
}

#[test]
fn derivative_of_abs_sub_is_that_of_the_larger_side() {
    check_derivative!(|x| Float::abs_sub(x, 1.0.into()), 3.0, 1.0);
    check_derivative!(|x| Float::abs_sub(x, 1.0.into()), -3.0, 0.0);
}

#[test]
fn derivative_of_to_degrees_is_the_ratio_of_the_units() {
    check_derivative!(|x| x.to_degrees(), 1.3, 180.0 / std::f64::consts::PI);
    check_derivative!(|x| x.to_radians(), 70.0, std::f64::consts::PI / 180.0);
}

#[test]
fn derivative_of_an_angle_does_not_change_when_it_is_wrapped() {
    check_derivative!(|x| x.rem_euclid(3.0.into()), -7.5, 1.0);
    check_derivative!(|x| x.div_euclid(3.0.into()), -7.5, 0.0);
}

#[test]
fn sums_of_generic_floats_differentiate() {
    fn softmax_entropy<T: Float + Sum>(x: &[T]) -> T {
        let largest = x.iter().copied().fold(T::neg_infinity(), T::max);
        let total: T = x.iter().map(|&x| (x - largest).exp()).sum();
        x.iter().map(|&x| (x - largest).exp() / total).map(|p| -p * p.ln()).sum()
    }
    let x = [0.3, -1.2, 2.0];
    let (value, gradient) = tape::gradient(softmax_entropy, &x);
    assert_eq!(value, softmax_entropy(&x));
    assert!(tape::check::assert_gradient(softmax_entropy, &x).is_pass());
    let tangent =
        softmax_entropy(&[Dual::constant(x[0]), Dual::new(x[1], 1.0), Dual::constant(x[2])])
            .tangent;
    assert!((tangent - gradient[1]).abs() < 1e-15);
}

/// Compiles only if no method is ambiguous while both traits are imported.
#[test]
fn real_and_float_can_be_imported_together() {
    macro_rules! every_method {
        ($x:ident, $one:expr) => {
            (
                [
                    $x.sin(),
                    $x.cos(),
                    $x.tan(),
                    $x.asin(),
                    $x.acos(),
                    $x.atan(),
                    $x.sinh(),
                    $x.cosh(),
                    $x.tanh(),
                    $x.asinh(),
                    $x.acosh(),
                    $x.atanh(),
                    $x.exp(),
                    $x.exp2(),
                    $x.exp_m1(),
                    $x.ln(),
                    $x.ln_1p(),
                    $x.log2(),
                    $x.log10(),
                    $x.sqrt(),
                    $x.cbrt(),
                    $x.recip(),
                    $x.abs(),
                    $x.signum(),
                    $x.floor(),
                    $x.ceil(),
                    $x.round(),
                    $x.trunc(),
                    $x.fract(),
                    $x.to_degrees(),
                    $x.to_radians(),
                    $x.powi(2),
                    $x.powf($one),
                    $x.log($one),
                    $x.atan2($one),
                    $x.max($one),
                    $x.min($one),
                    $x.hypot($one),
                    $x.copysign($one),
                    $x.clamp($one, $one),
                    $x.mul_add($one, $one),
                    $x.sin_cos().0,
                    $x.rem_euclid($one),
                ],
                [
                    $x.is_nan(),
                    $x.is_finite(),
                    $x.is_infinite(),
                    $x.is_sign_negative(),
                    $x.is_sign_positive(),
                ],
            )
        };
    }
    fn both<T: Real + Float>(x: T) -> T {
        Real::sin(x) + Float::cos(x)
    }
    let tape = Tape::new();
    let (x, dual) = (tape.var(0.5), Dual::new(0.5, 1.0));
    let nested = Dual::constant(Var::from_f64(0.5));
    let (numbers, questions) = every_method!(x, Var::from_f64(1.0));
    let (duals, same_questions) = every_method!(dual, Dual::from_f64(1.0));
    let (of_nested, _) = every_method!(nested, Dual::from_f64(1.0));
    assert_eq!(questions, same_questions);
    for ((number, dual), nested) in numbers.into_iter().zip(duals).zip(of_nested) {
        assert_eq!(number.bits(), dual.bits());
        assert_eq!(number.bits(), nested.value.bits());
    }
    assert_eq!(both(x), 0.5_f64.sin() + 0.5_f64.cos());
}

#[test]
fn zero_is_told_by_value() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    assert!((x - 1.0).is_zero() && x.is_one());
    assert!(<Var as Zero>::zero().is_constant() && <Var as One>::one().is_constant());
}
