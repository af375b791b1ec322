//! The traits of `num_traits`, so that generic numerical code runs on variables and duals unchanged.
//!
//! Every method records what the table of operations has for it. What a float has beyond the table (`fract`,
//! `copysign`, …) is put together from the table's operations, and is an inherent method as on `f64`.

use core::num::FpCategory;
use core::panic::Location;

use num_traits::{
    Bounded, Euclid, Float, FloatConst, FromPrimitive, Inv, MulAdd, MulAddAssign, Num, NumCast,
    One, Pow, Signed, ToPrimitive, Zero,
};

use crate::dual::Dual;
use crate::number::Number;
use crate::real::Real;
use crate::var::Var;

/// Trait methods that do what the inherent method of the same name does.
macro_rules! delegate {
    ($(fn $name:ident($receiver:ident $(, $argument:ident: $Argument:ty)*) -> $Result:ty;)*) => {$(
        #[inline(always)]
        #[track_caller]
        fn $name($receiver $(, $argument: $Argument)*) -> $Result {
            Self::$name($receiver $(, $argument)*)
        }
    )*};
}

/// Trait functions without arguments whose result is the inner type's, as a constant.
macro_rules! constants {
    ($Trait:ident: $($name:ident)*) => {$(
        #[inline(always)]
        fn $name() -> Self {
            Self::constant(<T as $Trait>::$name())
        }
    )*};
}

/// Trait functions that make a number from a primitive one.
macro_rules! from_primitive {
    ($($name:ident $Primitive:ident)*) => {$(
        #[inline(always)]
        fn $name(number: $Primitive) -> Option<Self> {
            <T as FromPrimitive>::$name(number).map(Self::constant)
        }
    )*};
}

/// Trait methods that read the innermost number: `note` says what a program that is traced remembers of it.
macro_rules! to_primitive {
    ($note:ident: $($name:ident $Primitive:ident)*) => {$(
        #[inline(always)]
        fn $name(&self) -> Option<$Primitive> {
            let number = self.value.$name();
            self.$note();
            number
        }
    )*};
}

/// Whether this is code that asks for zero in order to leave out a product with it, and otherwise would compute it.
///
/// It cannot be told by the number. If every variable of value 0 counted as not zero, nalgebra would divide by it: the
/// singular values and eigenvalues of a diagonal matrix, and all it computes with Householder reflections of a zero
/// column, would be NaN, and a singular matrix would have an inverse of infinities instead of none.
fn leaves_out_products(caller: &Location<'_>) -> bool {
    /// In nalgebra: α·x·c + β·y, A·x + β·y, the bias of a reflection, sparse sums and entries. In ndarray: α·A·B + β·C.
    const FILES: [(&str, &str); 7] = [
        ("nalgebra", "blas.rs"),
        ("nalgebra", "blas_uninit.rs"),
        ("nalgebra", "componentwise.rs"),
        ("nalgebra", "reflection.rs"),
        ("nalgebra", "cs_matrix_conversion.rs"),
        ("nalgebra", "cs_matrix_ops.rs"),
        ("ndarray", "impl_linalg.rs"),
    ];
    let file = caller.file();
    FILES.iter().any(|(library, name)| file.ends_with(name) && file.contains(library))
}

macro_rules! integer_powers {
    ($Type:ident: $($Exponent:ident)*) => {$(
        impl<T: Real> Pow<$Exponent> for $Type<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn pow(self, exponent: $Exponent) -> Self {
                self.powi(exponent.into())
            }
        }
    )*};
}

macro_rules! implement {
    ($($Type:ident)*) => {$(
        impl<T: Real> $Type<T> {
            /// The constant `value`; its derivative is 0.
            ///
            /// It is inherent because both `Real` and `num_traits::FromPrimitive` have a function of this name.
            #[inline(always)]
            pub fn from_f64(value: f64) -> Self {
                Self::constant(T::from_f64(value))
            }
        }

        /// What `f64` has beyond the table of operations: put together from the table's operations, so with derivatives
        /// of every order.
        ///
        /// ```
        /// use tape::Dual;
        /// let x = Dual::new(-2.25, 1.0);
        /// assert_eq!((x.fract().value, x.fract().tangent), (-0.25, 1.0));
        /// let y = x.copysign(Dual::constant(1.0));
        /// assert_eq!((y.value, y.tangent), (2.25, -1.0));
        /// ```
        impl<T: Real + Float> $Type<T> {
            /// x less its integer part, with the sign of x. The derivative is 1 everywhere.
            #[inline]
            #[track_caller]
            pub fn fract(self) -> Self {
                self - self.trunc()
            }

            /// Sine and cosine of an angle in radians.
            #[inline]
            #[track_caller]
            pub fn sin_cos(self) -> (Self, Self) {
                (self.sin(), self.cos())
            }

            /// An angle in radians, in degrees.
            #[inline]
            #[track_caller]
            pub fn to_degrees(self) -> Self {
                self * T::one().to_degrees()
            }

            /// An angle in degrees, in radians.
            #[inline]
            #[track_caller]
            pub fn to_radians(self) -> Self {
                self * T::one().to_radians()
            }

            /// |x| with the sign of another number. The derivative is the ratio of the signs, and 0 at 0, as that of
            /// |x| is.
            #[inline]
            #[track_caller]
            pub fn copysign(self, sign: Self) -> Self {
                let magnitude = self.abs();
                if !sign.is_nan() {
                    magnitude * sign.signum()
                } else if sign.is_sign_negative() {
                    -magnitude
                } else {
                    magnitude
                }
            }

            /// The integer n for which x − n·divisor is in [0, |divisor|). The derivative is 0.
            #[inline]
            #[track_caller]
            pub fn div_euclid(self, divisor: Self) -> Self {
                let quotient = (self / divisor).trunc();
                if self % divisor >= 0.0 {
                    quotient
                } else if divisor > 0.0 {
                    quotient - T::one()
                } else {
                    quotient + T::one()
                }
            }

            /// x − n·divisor, in [0, |divisor|), with the integer n of `div_euclid`.
            #[inline]
            #[track_caller]
            pub fn rem_euclid(self, divisor: Self) -> Self {
                let remainder = self % divisor;
                if remainder < 0.0 { remainder + divisor.abs() } else { remainder }
            }

            /// Whether the value is NaN.
            #[inline]
            #[allow(clippy::eq_op, reason = "NaN alone is not equal to itself; a traced comparison is a guard")]
            pub fn is_nan(self) -> bool {
                self != self
            }

            /// Whether the value is ∞ or −∞.
            #[inline]
            pub fn is_infinite(self) -> bool {
                !self.is_finite() && !self.is_nan()
            }

            /// Whether the value is neither infinite nor NaN.
            #[inline]
            pub fn is_finite(self) -> bool {
                self > f64::NEG_INFINITY && self < f64::INFINITY
            }

            /// Whether the value's sign bit is clear: of +0 too.
            #[inline]
            pub fn is_sign_positive(self) -> bool {
                !self.is_sign_negative()
            }

            /// Whether the value's sign bit is set: of −0 too.
            #[inline]
            pub fn is_sign_negative(self) -> bool {
                let is_negative = self.value.is_sign_negative();
                self.note_sign();
                is_negative
            }
        }

        impl<T: Real + PartialEq> Zero for $Type<T> {
            #[inline(always)]
            fn zero() -> Self {
                Self::from_f64(0.0)
            }

            /// By value: a variable that happens to be 0 is zero, so that code branches as it does on plain numbers, and
            /// takes no logarithm of it, divides by no such pivot.
            ///
            /// The linear algebra of nalgebra and ndarray also asks whether a factor is zero in order to leave out what
            /// it multiplies, as βy in αAx + βy. There a variable counts as zero only if its derivatives vanish too:
            /// left out, the derivative with respect to β would be lost. They are told by the file that asks.
            #[inline(always)]
            #[track_caller]
            fn is_zero(&self) -> bool {
                if leaves_out_products(Location::caller()) { self.vanishes() } else { *self == 0.0 }
            }
        }

        impl<T: Real + PartialEq> One for $Type<T> {
            #[inline(always)]
            fn one() -> Self {
                Self::from_f64(1.0)
            }

            /// By value.
            #[inline(always)]
            fn is_one(&self) -> bool {
                *self == 1.0
            }
        }

        impl<T: Real + Num> Num for $Type<T> {
            type FromStrRadixErr = T::FromStrRadixErr;

            fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
                T::from_str_radix(text, radix).map(Self::constant)
            }
        }

        impl<T: Real + Bounded> Bounded for $Type<T> {
            constants! { Bounded: min_value max_value }
        }

        /// A primitive number carries no derivative: converting to one is where differentiation ends. While a program is
        /// traced it becomes a guard: the program is for numbers with the same integer part, or, if the number is
        /// converted to a float, for this number alone.
        impl<T: Real + ToPrimitive> ToPrimitive for $Type<T> {
            to_primitive! { note_integer: to_i64 i64 to_u64 u64 to_i128 i128 to_u128 u128 }
            to_primitive! { note_bits: to_f32 f32 to_f64 f64 }
        }

        impl<T: Real + FromPrimitive> FromPrimitive for $Type<T> {
            from_primitive! {
                from_i8 i8 from_i16 i16 from_i32 i32 from_i64 i64 from_i128 i128 from_isize isize
                from_u8 u8 from_u16 u16 from_u32 u32 from_u64 u64 from_u128 u128 from_usize usize
                from_f32 f32 from_f64 f64
            }
        }

        /// A constant, whatever it is made from: `ToPrimitive` gives no derivative to take over.
        impl<T: Real + NumCast> NumCast for $Type<T> {
            fn from<N: ToPrimitive>(number: N) -> Option<Self> {
                <T as NumCast>::from(number).map(Self::constant)
            }
        }

        impl<T: Real + Float + Signed> Signed for $Type<T> {
            #[inline(always)]
            #[track_caller]
            fn abs(&self) -> Self {
                Self::abs(*self)
            }

            #[inline(always)]
            #[track_caller]
            fn abs_sub(&self, other: &Self) -> Self {
                Float::abs_sub(*self, *other)
            }

            #[inline(always)]
            #[track_caller]
            fn signum(&self) -> Self {
                Self::signum(*self)
            }

            #[inline(always)]
            fn is_positive(&self) -> bool {
                self.is_sign_positive()
            }

            #[inline(always)]
            fn is_negative(&self) -> bool {
                self.is_sign_negative()
            }
        }

        impl<T: Real + Float> Float for $Type<T> {
            constants! {
                Float: nan infinity neg_infinity neg_zero min_value min_positive_value epsilon max_value
            }

            delegate! {
                fn is_nan(self) -> bool;
                fn is_infinite(self) -> bool;
                fn is_finite(self) -> bool;
                fn is_sign_positive(self) -> bool;
                fn is_sign_negative(self) -> bool;
                fn floor(self) -> Self;
                fn ceil(self) -> Self;
                fn round(self) -> Self;
                fn trunc(self) -> Self;
                fn fract(self) -> Self;
                fn abs(self) -> Self;
                fn signum(self) -> Self;
                fn copysign(self, sign: Self) -> Self;
                fn mul_add(self, factor: Self, summand: Self) -> Self;
                fn recip(self) -> Self;
                fn powi(self, exponent: i32) -> Self;
                fn powf(self, exponent: Self) -> Self;
                fn sqrt(self) -> Self;
                fn cbrt(self) -> Self;
                fn exp(self) -> Self;
                fn exp2(self) -> Self;
                fn exp_m1(self) -> Self;
                fn ln(self) -> Self;
                fn ln_1p(self) -> Self;
                fn log(self, base: Self) -> Self;
                fn log2(self) -> Self;
                fn log10(self) -> Self;
                fn to_degrees(self) -> Self;
                fn to_radians(self) -> Self;
                fn max(self, other: Self) -> Self;
                fn min(self, other: Self) -> Self;
                fn clamp(self, lower: Self, upper: Self) -> Self;
                fn hypot(self, other: Self) -> Self;
                fn sin(self) -> Self;
                fn cos(self) -> Self;
                fn tan(self) -> Self;
                fn sin_cos(self) -> (Self, Self);
                fn asin(self) -> Self;
                fn acos(self) -> Self;
                fn atan(self) -> Self;
                fn atan2(self, other: Self) -> Self;
                fn sinh(self) -> Self;
                fn cosh(self) -> Self;
                fn tanh(self) -> Self;
                fn asinh(self) -> Self;
                fn acosh(self) -> Self;
                fn atanh(self) -> Self;
            }

            /// self − other where that is positive, else 0. The derivatives are 0 where the two are equal.
            #[track_caller]
            fn abs_sub(self, other: Self) -> Self {
                if self <= other { Self::zero() } else { self - other }
            }

            fn is_normal(self) -> bool {
                self.classify() == FpCategory::Normal
            }

            fn is_subnormal(self) -> bool {
                self.classify() == FpCategory::Subnormal
            }

            /// By comparisons, so that a program notices them.
            fn classify(self) -> FpCategory {
                let smallest = Self::min_positive_value();
                if self.is_nan() {
                    FpCategory::Nan
                } else if !self.is_finite() {
                    FpCategory::Infinite
                } else if self.is_zero() {
                    FpCategory::Zero
                } else if self < smallest && self > -smallest {
                    FpCategory::Subnormal
                } else {
                    FpCategory::Normal
                }
            }

            fn integer_decode(self) -> (u64, i16, i8) {
                let decoded = self.value.integer_decode();
                self.note_bits();
                decoded
            }
        }

        impl<T: Real + FloatConst> FloatConst for $Type<T> {
            constants! {
                FloatConst: E FRAC_1_PI FRAC_1_SQRT_2 FRAC_2_PI FRAC_2_SQRT_PI FRAC_PI_2 FRAC_PI_3 FRAC_PI_4 FRAC_PI_6
                FRAC_PI_8 LN_10 LN_2 LOG10_2 LOG10_E LOG2_10 LOG2_E PI SQRT_2 TAU
            }
        }

        impl<T: Real> Inv for $Type<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn inv(self) -> Self {
                self.recip()
            }
        }

        impl<T: Real> MulAdd for $Type<T> {
            type Output = Self;

            delegate! { fn mul_add(self, factor: Self, summand: Self) -> Self; }
        }

        impl<T: Real> MulAddAssign for $Type<T> {
            #[inline(always)]
            #[track_caller]
            fn mul_add_assign(&mut self, factor: Self, summand: Self) {
                *self = self.mul_add(factor, summand);
            }
        }

        impl<T: Real + Float> Euclid for $Type<T> {
            #[inline]
            #[track_caller]
            fn div_euclid(&self, divisor: &Self) -> Self {
                Self::div_euclid(*self, *divisor)
            }

            #[inline]
            #[track_caller]
            fn rem_euclid(&self, divisor: &Self) -> Self {
                Self::rem_euclid(*self, *divisor)
            }
        }

        impl<T: Real> Pow<Self> for $Type<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn pow(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
        }

        impl<T: Real> Pow<T> for $Type<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn pow(self, exponent: T) -> Self {
                self.powf(Self::constant(exponent))
            }
        }

        integer_powers! { $Type: i8 u8 i16 u16 i32 }
    )*};
}
implement!(Var Dual);
