//! Variables and duals as scalars of `nalgebra`: its matrices, decompositions and geometry differentiate.
//!
//! The feature `nalgebra-035` is for nalgebra 0.35, `nalgebra-034` for 0.34; `nalgebra` is the latest of them. Both can be
//! switched on together. There is nothing to import: [`Var`] and [`Dual`] are `RealField` and
//! `ComplexField`.
//!
//! # How far derivatives are right
//!
//! Values are those of `f64` to the bit. nalgebra was written for plain numbers: where it leaves out work because a number
//! is 0 or below ε, or ends an iteration when the values have converged, derivatives can be lost. What the tests hold
//! against numeric derivatives, at ordinary points and at diagonal, identity, triangular, zero and singular ones
//! (`tests/nalgebra/table.rs`):
//!
//! | right, first and second derivatives | right to first order | not right |
//! |---|---|---|
//! | products, `dot`, `cross`, `kronecker`, `trace`, `pow`, `mean`, `variance`, `convolve_full` | | |
//! | `gemm`, `gemm_tr`, `gemv`, `gemv_tr`, `sygemv`, `ger`, `syger`, `axpy`, `axcpy`, `cmpy`, `quadform`, for α or β of 0 too | | |
//! | `norm`, `normalize`, `angle`; `norm_squared` | | `norm` at the origin (its convention is 0); `angle` of parallel vectors: NaN |
//! | `determinant`, `try_inverse`; `lu`, `full_piv_lu`, `cholesky`, `udu`, `qr`, `col_piv_qr`: factors, `solve`, `determinant`, `inverse`; `solve_lower_triangular` | | `try_inverse` and `solve` of a singular matrix: `None`, as for `f64` |
//! | `exp` | | |
//! | `hessenberg`, `symmetric_tridiagonalize`, `bidiagonalize` of full matrices | | the same where a column is 0 already, as in a diagonal matrix |
//! | `symmetric_eigen`: functions of the matrix by values and vectors (√A) where no eigenvalue is repeated and the matrix is not diagonal | eigenvalues, of diagonal matrices too | the same at diagonal and block-diagonal matrices |
//! | `svd`: polar factor, `pseudo_inverse` of full matrices | singular values, of diagonal matrices too | polar factor, `pseudo_inverse` at diagonal matrices |
//! | `schur`: real eigenvalues of full matrices | the same at diagonal matrices | at triangular matrices, for the entries below the diagonal |
//! | `Rotation2`, `UnitComplex`; `from_euler_angles`, `euler_angles`, `Rotation3::scaled_axis`, `UnitQuaternion::from_axis_angle`, `from_rotation_matrix`, products, `inverse`, `try_slerp`; `Isometry3`, `Similarity3`, `Perspective3`, `look_at_rh`, `face_towards`, `rotation_between` | | |
//! | `Rotation3::new`, `Rotation3::from_axis_angle`, `UnitQuaternion::new`, `from_scaled_axis`, `UnitQuaternion::scaled_axis`, at a turn | | the same at no turn: 0; `Rotation3::new` at turns of 10⁻⁹ to ten digits only |
//!
//! Beside `symmetric_eigen` and `svd` stand [`Matrix::symmetric_eigen`](crate::Matrix::symmetric_eigen),
//! [`Matrix::singular_values`](crate::Matrix::singular_values) and [`Matrix::svd`](crate::Matrix::svd), which are right at
//! diagonal matrices too; for √A and the polar factor where eigenvalues or singular values are equal,
//! [`Matrix::symmetric_sqrt`](crate::Matrix::symmetric_sqrt). A matrix comes from nalgebra by `Matrix::from`. Beside `schur`
//! stands nothing yet.
//!
//! Beside the last row stand [`rotation::turn`](crate::rotation::turn), [`rotation::quaternion`](crate::rotation::quaternion)
//! and [`rotation::rotation_vector`](crate::rotation::rotation_vector), which are right everywhere.
//!
//! # Programs
//!
//! Where nalgebra reads a plain number (`try_convert`, the count of squarings in `exp`) while a program is traced, the
//! program notes a guard: [`Function`](crate::Function) traces again where the number is another.

use approx::{AbsDiffEq, RelativeEq, UlpsEq};

use crate::dual::Dual;
use crate::guard::Comparison;
use crate::number::Number;
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
/// this way where it needs an integer, such as the count of squarings in a matrix exponential.) While a program is
/// traced it becomes a guard: the program is for this number alone.
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
                element.note_bits();
                element.innermost() as $float
            }

            #[inline]
            fn is_in_subset(_: &$Type<T>) -> bool {
                true
            }
        }
    )*};
}

macro_rules! implement {
    ($nalgebra:ident: $($Type:ident)*) => {$(
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

        impl<T: Real + Float + RealField> Field for $Type<T> {}

        /// A real number as a complex one, as `f64` is: the imaginary part is 0, the modulus |x|.
        ///
        /// How far the derivatives of nalgebra's functions are right stands in a table in
        /// [`nalgebra_scalars`](crate::interop::nalgebra_scalars).
        ///
        /// ```
        #[doc = concat!("# use ", stringify!($nalgebra), " as nalgebra;")]
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

/// The traits as one version of nalgebra has them.
macro_rules! version {
    ($feature:literal $module:ident: $nalgebra:ident $simba:ident) => {
        #[cfg(feature = $feature)]
        mod $module {
            use ::$nalgebra::{ComplexField, RealField, SimdValue};
            use ::$simba::scalar::{Field, SubsetOf};
            use num_traits::{Float, One, Zero};

            use crate::dual::Dual;
            use crate::number::Number;
            use crate::real::Real;
            use crate::var::Var;

            implement! { $nalgebra: Var Dual }
        }
    };
}
version! { "nalgebra-034" version_034: nalgebra_034 simba_09 }
version! { "nalgebra-035" version_035: nalgebra simba }

/// The traits of `approx`, which all versions share.
macro_rules! implement_approx {
    ($($Type:ident)*) => {$(
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
    )*};
}
implement_approx!(Var Dual);

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
