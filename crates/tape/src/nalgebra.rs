//! Variables and duals as scalars of `nalgebra`: its matrices, decompositions and geometry differentiate.

use ::nalgebra::{ComplexField, RealField, SimdValue};
use approx::{AbsDiffEq, RelativeEq, UlpsEq};
use num_traits::{Float, One, Zero};
use simba::scalar::{Field, SubsetOf};

use crate::dual::Dual;
use crate::program::guard::Comparison;
use crate::real::Real;
use crate::var::Var;

/// Trait methods that do what the inherent method of the same name does.
macro_rules! delegate {
    ($(fn $name:ident($receiver:ident $(, $argument:ident: $Argument:ty)*) -> $Result:ty;)*) => {$(
        #[inline]
        #[track_caller]
        fn $name($receiver $(, $argument: $Argument)*) -> $Result {
            Self::$name($receiver $(, $argument)*)
        }
    )*};
}

macro_rules! constants {
    ($($name:ident)*) => {$(
        #[inline]
        fn $name() -> Self {
            Self::constant(<T as RealField>::$name())
        }
    )*};
}

/// A plain float as a subset of the numbers with derivatives.
///
/// Every number counts as a member: the way back gives its value, and drops the derivative. (`nalgebra` reads numbers
/// this way where it needs an integer, such as the count of squarings in a matrix exponential.)
macro_rules! include_float {
    ($Type:ident: $($float:ident)*) => {$(
        impl<T: Real> SubsetOf<$Type<T>> for $float {
            #[inline]
            fn to_superset(&self) -> $Type<T> {
                $Type::from_f64(f64::from(*self))
            }

            #[inline]
            #[allow(clippy::cast_lossless, trivial_numeric_casts, reason = "one body serves f32 and f64")]
            fn from_superset_unchecked(element: &$Type<T>) -> Self {
                element.primal() as $float
            }

            #[inline]
            fn is_in_subset(_: &$Type<T>) -> bool {
                true
            }
        }
    )*};
}

macro_rules! implement {
    ($($Type:ident)*) => {$(
        include_float! { $Type: f32 f64 }

        impl<T: Real> SubsetOf<Self> for $Type<T> {
            #[inline]
            fn to_superset(&self) -> Self {
                *self
            }

            #[inline]
            fn from_superset_unchecked(element: &Self) -> Self {
                *element
            }

            #[inline]
            fn is_in_subset(_: &Self) -> bool {
                true
            }
        }

        /// One lane.
        #[allow(unsafe_code, reason = "the trait declares the functions unsafe; the bodies are safe for every index")]
        impl<T: Real> SimdValue for $Type<T> {
            const LANES: usize = 1;
            type Element = Self;
            type SimdBool = bool;

            #[inline(always)]
            fn splat(number: Self) -> Self {
                number
            }

            #[inline(always)]
            fn extract(&self, _: usize) -> Self {
                *self
            }

            #[inline(always)]
            unsafe fn extract_unchecked(&self, _: usize) -> Self {
                *self
            }

            #[inline(always)]
            fn replace(&mut self, _: usize, number: Self) {
                *self = number;
            }

            #[inline(always)]
            unsafe fn replace_unchecked(&mut self, _: usize, number: Self) {
                *self = number;
            }

            #[inline(always)]
            fn select(self, condition: bool, other: Self) -> Self {
                if condition { self } else { other }
            }
        }

        /// By value: derivatives are not compared.
        impl<T: Real + AbsDiffEq<Epsilon = T>> AbsDiffEq for $Type<T> {
            type Epsilon = Self;

            fn default_epsilon() -> Self {
                Self::constant(T::default_epsilon())
            }

            fn abs_diff_eq(&self, other: &Self, epsilon: Self) -> bool {
                self.note_abs_diff(*other, epsilon);
                self.value.abs_diff_eq(&other.value, epsilon.value)
            }
        }

        /// By value: derivatives are not compared.
        impl<T: Real + RelativeEq<Epsilon = T>> RelativeEq for $Type<T> {
            fn default_max_relative() -> Self {
                Self::constant(T::default_max_relative())
            }

            fn relative_eq(&self, other: &Self, epsilon: Self, max_relative: Self) -> bool {
                self.note_relative(*other, epsilon, max_relative);
                self.value.relative_eq(&other.value, epsilon.value, max_relative.value)
            }
        }

        /// By value: derivatives are not compared.
        impl<T: Real + UlpsEq<Epsilon = T>> UlpsEq for $Type<T> {
            fn default_max_ulps() -> u32 {
                T::default_max_ulps()
            }

            fn ulps_eq(&self, other: &Self, epsilon: Self, max_ulps: u32) -> bool {
                self.note_bits();
                other.note_bits();
                epsilon.note_bits();
                self.value.ulps_eq(&other.value, epsilon.value, max_ulps)
            }
        }

        impl<T: Real + Float + RealField> Field for $Type<T> {}

        /// A real number as a complex one, as `f64` is: the imaginary part is 0, the modulus |x|.
        ///
        /// Decompositions without iteration (Cholesky, LU, QR) differentiate to every order. Eigen- and singular values
        /// come from iterations that end when the value has converged: take first derivatives of them only.
        ///
        /// ```
        /// use nalgebra::{Matrix2, Vector2};
        /// use tape::Var;
        ///
        /// // xᵀA⁻¹x for A = diag(2, 4), differentiated with respect to x: 2A⁻¹x.
        /// let (value, gradient) = tape::gradient(
        ///     |x: &[Var]| {
        ///         let x = Vector2::from_column_slice(x);
        ///         let a = Matrix2::from_diagonal(&Vector2::new(2.0, 4.0)).map(Var::constant);
        ///         x.dot(&a.cholesky().unwrap().solve(&x))
        ///     },
        ///     &[1.0, 2.0],
        /// );
        /// assert!((value - 1.5).abs() < 1e-15);
        /// assert!((gradient[0] - 1.0).abs() < 1e-15 && (gradient[1] - 1.0).abs() < 1e-15);
        /// ```
        impl<T: Real + Float + RealField> ComplexField for $Type<T> {
            type RealField = Self;

            delegate! {
                fn floor(self) -> Self;
                fn ceil(self) -> Self;
                fn round(self) -> Self;
                fn trunc(self) -> Self;
                fn fract(self) -> Self;
                fn mul_add(self, factor: Self, summand: Self) -> Self;
                fn abs(self) -> Self;
                fn signum(self) -> Self;
                fn hypot(self, other: Self) -> Self;
                fn recip(self) -> Self;
                fn sin(self) -> Self;
                fn cos(self) -> Self;
                fn sin_cos(self) -> (Self, Self);
                fn tan(self) -> Self;
                fn asin(self) -> Self;
                fn acos(self) -> Self;
                fn atan(self) -> Self;
                fn sinh(self) -> Self;
                fn cosh(self) -> Self;
                fn tanh(self) -> Self;
                fn asinh(self) -> Self;
                fn acosh(self) -> Self;
                fn atanh(self) -> Self;
                fn log(self, base: Self) -> Self;
                fn log2(self) -> Self;
                fn log10(self) -> Self;
                fn ln(self) -> Self;
                fn ln_1p(self) -> Self;
                fn sqrt(self) -> Self;
                fn cbrt(self) -> Self;
                fn exp(self) -> Self;
                fn exp2(self) -> Self;
                fn exp_m1(self) -> Self;
                fn powi(self, exponent: i32) -> Self;
                fn powf(self, exponent: Self) -> Self;
            }

            #[inline]
            fn is_finite(&self) -> bool {
                Self::is_finite(*self)
            }

            #[inline]
            fn from_real(number: Self) -> Self {
                number
            }

            #[inline]
            fn real(self) -> Self {
                self
            }

            #[inline]
            fn imaginary(self) -> Self {
                Self::zero()
            }

            #[inline]
            fn conjugate(self) -> Self {
                self
            }

            #[inline]
            #[track_caller]
            fn modulus(self) -> Self {
                self.abs()
            }

            #[inline]
            #[track_caller]
            fn modulus_squared(self) -> Self {
                self * self
            }

            #[inline]
            #[track_caller]
            fn norm1(self) -> Self {
                self.abs()
            }

            /// 0 or π.
            #[inline]
            fn argument(self) -> Self {
                if self >= 0.0 { Self::zero() } else { Self::pi() }
            }

            /// The modulus and the sign. At 0 the modulus has derivative 1, where `abs` has 0: the product of the two
            /// then has the derivative of x.
            #[inline]
            #[track_caller]
            fn to_exp(self) -> (Self, Self) {
                if self >= 0.0 { (self, Self::one()) } else { (-self, -Self::one()) }
            }

            #[inline]
            #[track_caller]
            fn scale(self, factor: Self) -> Self {
                self * factor
            }

            #[inline]
            #[track_caller]
            fn unscale(self, factor: Self) -> Self {
                self / factor
            }

            #[inline]
            #[track_caller]
            fn powc(self, exponent: Self) -> Self {
                self.powf(exponent)
            }

            #[inline]
            #[track_caller]
            fn try_sqrt(self) -> Option<Self> {
                (self >= 0.0).then(|| self.sqrt())
            }
        }

        impl<T: Real + Float + RealField> RealField for $Type<T> {
            delegate! {
                fn copysign(self, sign: Self) -> Self;
                fn max(self, other: Self) -> Self;
                fn min(self, other: Self) -> Self;
                fn clamp(self, lower: Self, upper: Self) -> Self;
                fn atan2(self, other: Self) -> Self;
            }

            #[inline]
            fn is_sign_positive(&self) -> bool {
                Self::is_sign_positive(*self)
            }

            #[inline]
            fn is_sign_negative(&self) -> bool {
                Self::is_sign_negative(*self)
            }

            #[inline]
            fn min_value() -> Option<Self> {
                <T as RealField>::min_value().map(Self::constant)
            }

            #[inline]
            fn max_value() -> Option<Self> {
                <T as RealField>::max_value().map(Self::constant)
            }

            constants! {
                pi two_pi frac_pi_2 frac_pi_3 frac_pi_4 frac_pi_6 frac_pi_8 frac_1_pi frac_2_pi frac_2_sqrt_pi
                e log2_e log10_e ln_2 ln_10
            }
        }
    )*};
}
implement!(Var Dual);

/// The comparisons that the traits of `approx` make, for a program that is traced.
impl<T: Real> Var<T> {
    fn note_abs_diff(self, other: Self, epsilon: Self) {
        if [self, other, epsilon].iter().any(|number| number.is_traced()) {
            (self - other).abs().ask(Comparison::LessOrEqual, epsilon);
        }
    }

    fn note_relative(self, other: Self, epsilon: Self, max_relative: Self) {
        if [self, other, epsilon, max_relative].iter().any(|number| number.is_traced()) {
            let infinity = Self::from_f64(f64::INFINITY);
            self.ask(Comparison::Equal, other);
            self.abs().ask(Comparison::Equal, infinity);
            other.abs().ask(Comparison::Equal, infinity);
            self.note_abs_diff(other, epsilon);
            self.note_abs_diff(other, self.abs().max(other.abs()) * max_relative);
        }
    }
}

/// The dual of a traced variable has asked the variable itself.
#[allow(clippy::unused_self, reason = "as on `Var`")]
impl<T: Real> Dual<T> {
    fn note_abs_diff(self, _other: Self, _epsilon: Self) {}

    fn note_relative(self, _other: Self, _epsilon: Self, _max_relative: Self) {}
}
