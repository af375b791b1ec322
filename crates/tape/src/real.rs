//! The trait that lets one function run on plain numbers, duals, lanes and recorded variables.

pub(crate) mod operation;

use core::fmt::{Debug, Display};

use crate::number::Number;
use crate::real::operation::Apply;
use crate::special;
use crate::table::{for_each_method, for_each_op};

macro_rules! define_real {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        /// A real number to differentiate through: `f64`, `f32`, [`Lanes`](crate::Lanes), [`Dual`](crate::Dual),
        /// [`Var`](crate::Var), and any nesting of them.
        ///
        /// A function written once as `fn f<T: Real>(x: &[T]) -> T` can be evaluated, differentiated in forward or
        /// reverse mode, and differentiated again. The methods are named as on `f64`, and on `f64` they *are* those of
        /// `f64`: every type's value is bit-identical to the plain computation. (That of `Lanes` only in what `std`
        /// rounds correctly; functions like `exp` are the crate's own there.)
        ///
        /// `Real` asks for no order, because some reals have none (`Lanes`, which are several numbers at once). A function that branches
        /// says `T: Real + PartialOrd`; `max`, `min`, `abs`, `clamp` and [`select`](crate::select) need no branch.
        ///
        /// ```
        /// use tape::Real;
        ///
        /// fn energy<T: Real>(x: &[T]) -> T {
        ///     T::from_f64(0.5) * T::dot(x, x) + x[0].sin()
        /// }
        /// assert_eq!(energy(&[3.0_f64, 4.0]), 12.5 + 3.0_f64.sin());
        ///
        /// let (value, gradient) = tape::gradient(|x| energy(x), &[3.0, 4.0]);
        /// assert_eq!(value, energy(&[3.0, 4.0]));
        /// assert_eq!(gradient, [3.0 + 3.0_f64.cos(), 4.0]);
        /// ```
        ///
        /// The trait is sealed: there are no other numbers than those of this crate. An operation of one's own is a function
        /// over `Real`, or, where it brings its own derivative, an [`Operation`](crate::Operation).
        pub trait Real: Number + Apply + Debug + Display + Send + Sync {
            /// The constant `value`; its derivative is 0.
            fn from_f64(value: f64) -> Self;

            /// The innermost plain number (of several lanes, the first). It carries no derivative.
            ///
            /// While a program is traced, a number that is handed out becomes a guard: the program is for this number only.
            fn primal(self) -> f64;

            /// `a` where `condition > 0`, otherwise `b` (also where the condition is NaN). See [`select`](crate::select).
            #[inline(always)]
            #[track_caller]
            fn select(condition: Self, a: Self, b: Self) -> Self {
                Self::pick(condition, a, b)
            }

            $($(#[$doc_1])* fn $name_1(self) -> Self;)*
            $($(#[$doc_i])* fn $name_i(self, n: $index) -> Self;)*
            $($(#[$doc_2])* fn $name_2(self, $b_2: Self) -> Self;)*
            $($(#[$doc_3])* fn $name_3(self, $b_3: Self, $c_3: Self) -> Self;)*

            /// x₀ + x₁ + …, added from the left; 0 for no terms. See [`sum`](crate::sum).
            #[track_caller]
            fn sum(terms: &[Self]) -> Self {
                Self::sum_of(terms.iter().copied())
            }

            /// w₀·x₀ + w₁·x₁ + …, added from the left; 0 for no terms. See [`weighted_sum`](crate::weighted_sum).
            ///
            /// # Panics
            /// When the lengths differ.
            #[track_caller]
            fn weighted_sum(weights: &[f64], terms: &[Self]) -> Self {
                assert_equal_lengths("weighted_sum", weights.len(), terms.len());
                let products = weights.iter().zip(terms).map(|(&weight, &x)| Self::from_f64(weight) * x);
                products.reduce(|sum, product| sum + product).unwrap_or(Self::from_f64(0.0))
            }

            /// a₀·b₀ + a₁·b₁ + …, added from the left; 0 for no terms. See [`dot`](crate::dot).
            ///
            /// # Panics
            /// When the lengths differ.
            #[track_caller]
            fn dot(a: &[Self], b: &[Self]) -> Self {
                assert_equal_lengths("dot", a.len(), b.len());
                Self::dot_of(a.iter().copied().zip(b.iter().copied()))
            }

            /// √(x₀² + x₁² + …), without overflow; 0 for no components. The derivative at the origin is 0.
            /// See [`norm`](crate::norm).
            #[track_caller]
            fn norm(components: &[Self]) -> Self {
                Self::norm_of(components.iter().copied())
            }

            /// ln(e^x₀ + e^x₁ + …), without overflow; −∞ for no terms. See [`log_sum_exp`](crate::log_sum_exp).
            #[track_caller]
            fn log_sum_exp(terms: &[Self]) -> Self {
                Self::log_sum_exp_of(terms.iter().copied())
            }

            /// Σ term(item), added from the left; 0 for no items. See [`sum_over`](crate::sum_over).
            #[track_caller]
            fn sum_over<I>(
                items: impl IntoIterator<Item = I>,
                term: impl FnMut(I) -> Self,
            ) -> Self {
                let terms = items.into_iter().map(term);
                terms.reduce(|sum, term| sum + term).unwrap_or(Self::from_f64(0.0))
            }
        }
    };
}
for_each_method!(define_real);

#[track_caller]
pub(crate) fn assert_equal_lengths(call: &str, a: usize, b: usize) {
    assert!(a == b, "{call} of {a} numbers with {b}: both slices must have the same length");
}

macro_rules! value {
    (std $float:ident $name:ident ($($argument:ident),*)) => { $float::$name($($argument),*) };
    (special $float:ident $name:ident ($x:ident)) => { special::$name(f64::from($x)) as $float };
    (special $float:ident $name:ident ($x:ident, index $n:ident)) => { special::$name($n, f64::from($x)) as $float };
    (special $float:ident $name:ident ($x:ident, $y:ident)) => { special::$name(f64::from($x), f64::from($y)) as $float };
    (std $float:ident $name:ident ($x:ident, index $n:ident)) => { $float::$name($x, $n) };
}

macro_rules! implement_for_float {
    (
        [$float:ident]
        operator_1 { $($_o1:tt)* }
        operator_2 { $($_o2:tt)* }
        function_1 { $($(#[$_d1:meta])* $home_1:ident $name_1:ident $_v1:ident [$_r1:expr] |$_x1:ident, $_y1:ident| $_p1:expr;)* }
        indexed { $($(#[$_di:meta])* $home_i:ident $name_i:ident $_vi:ident($index:ty) [$_ri:expr] |$_xi:ident, $_ni:ident, $_yi:ident| $_pi:expr;)* }
        function_2 { $($(#[$_d2:meta])* $home_2:ident $name_2:ident $_v2:ident($b_2:ident) [$($_r2:expr),*] |$($_x2:ident),*| ($($_p2:expr),*);)* }
        function_3 { $($(#[$_d3:meta])* $home_3:ident $name_3:ident $_v3:ident($b_3:ident, $c_3:ident) [$($_r3:expr),*] |$($_x3:ident),*| ($($_p3:expr),*);)* }
    ) => {
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion, trivial_numeric_casts, reason = "one body serves f32 and f64")]
        impl Real for $float {
            #[inline(always)]
            fn from_f64(value: f64) -> Self { value as $float }

            #[inline(always)]
            fn primal(self) -> f64 { f64::from(self) }

            $(#[inline(always)] fn $name_1(self) -> Self { let x = self; value!($home_1 $float $name_1 (x)) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { let x = self; value!($home_i $float $name_i (x, index n)) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { let x = self; value!($home_2 $float $name_2 (x, $b_2)) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { let x = self; value!($home_3 $float $name_3 (x, $b_3, $c_3)) })*
        }
    };
}
for_each_op!(implement_for_float, f64);
for_each_op!(implement_for_float, f32);

/// x₀ + x₁ + …, added from the left, recorded as one operation of n/2 nodes; 0 for no terms.
///
/// ```
/// assert_eq!(tape::sum(&[1.0, 2.0, 3.0]), 6.0);
/// ```
#[track_caller]
pub fn sum<T: Real>(terms: &[T]) -> T {
    T::sum(terms)
}

/// w₀·x₀ + w₁·x₁ + … with plain weights, added from the left, recorded as one operation of n/2 nodes; 0 for no terms.
///
/// # Panics
/// When the lengths differ.
///
/// ```
/// // A polynomial's value at 2, and its derivatives with respect to the coefficients.
/// let powers = [1.0, 2.0, 4.0];
/// let f = |c: &[tape::Var]| tape::weighted_sum(&powers, c);
/// assert_eq!(tape::gradient(f, &[3.0, -1.0, 0.5]), (3.0, vec![1.0, 2.0, 4.0]));
/// ```
#[track_caller]
#[inline]
pub fn weighted_sum<T: Real>(weights: &[f64], terms: &[T]) -> T {
    T::weighted_sum(weights, terms)
}

/// a₀·b₀ + a₁·b₁ + …, added from the left, recorded as one operation of n nodes; 0 for no terms.
///
/// # Panics
/// When the lengths differ.
///
/// ```
/// let (value, gradient) = tape::gradient(|x| tape::dot(&x[..2], &x[2..]), &[1.0, 2.0, 3.0, 4.0]);
/// assert_eq!((value, gradient), (11.0, vec![3.0, 4.0, 1.0, 2.0]));
/// ```
#[track_caller]
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    T::dot(a, b)
}

/// √(x₀² + x₁² + …), without overflow, recorded as one operation of n/2 nodes; 0 for no components.
///
/// The derivative at the origin is 0.
///
/// ```
/// assert_eq!(tape::gradient(|x| tape::norm(x), &[3.0, 4.0]), (5.0, vec![0.6, 0.8]));
/// ```
#[track_caller]
pub fn norm<T: Real>(components: &[T]) -> T {
    T::norm(components)
}

/// ln(e^x₀ + e^x₁ + …), without overflow, recorded as one operation of n/2 nodes; −∞ for no terms.
///
/// ```
/// let (value, gradient) = tape::gradient(|x| tape::log_sum_exp(x), &[1000.0, 1000.0]);
/// assert_eq!(value, 1000.0 + 2.0_f64.ln());
/// assert_eq!(gradient, [0.5, 0.5]);
/// ```
#[track_caller]
pub fn log_sum_exp<T: Real>(terms: &[T]) -> T {
    T::log_sum_exp(terms)
}

/// Σ term(item), added from the left; 0 for no items.
///
/// On variables each term is swept as soon as it is recorded, and rewound, as by [`Tape::sum_over`](crate::Tape::sum_over),
/// which see: the list stays short however many items there are. (The first term stays on the list.) Variables that
/// `term` records must not be kept.
///
/// ```
/// use tape::Real;
///
/// fn squares<T: Real>(slope: T, data: &[(f64, f64)]) -> T {
///     tape::sum_over(data, |&(x, y)| {
///         let residual = slope * T::from_f64(x) - T::from_f64(y);
///         residual * residual
///     })
/// }
/// let data = [(1.0, 3.0), (2.0, 5.0)];
/// let (value, gradient) = tape::gradient(|x| squares(x[0], &data), &[2.0]);
/// assert_eq!((value, gradient), (2.0, vec![-6.0]));
/// ```
#[track_caller]
pub fn sum_over<T: Real, I>(items: impl IntoIterator<Item = I>, term: impl FnMut(I) -> T) -> T {
    T::sum_over(items, term)
}

/// `a` where `condition > 0`, otherwise `b` (also where the condition is NaN): an operation, not a branch.
///
/// Both arguments are evaluated, but only the chosen one receives an adjoint. A singular derivative in the other
/// does no harm:
///
/// ```
/// use tape::Real;
/// // √x for positive x, 0 elsewhere. At 0, the derivative of √x is ∞; it is never multiplied by anything.
/// let root_or_zero = |x: &[tape::Var]| tape::select(x[0], x[0].sqrt(), 0.0.into());
/// assert_eq!(tape::gradient(root_or_zero, &[0.0]), (0.0, vec![0.0]));
/// assert_eq!(tape::gradient(root_or_zero, &[4.0]), (2.0, vec![0.25]));
/// ```
#[track_caller]
pub fn select<T: Real>(condition: T, a: T, b: T) -> T {
    T::select(condition, a, b)
}

/// The number as a constant: its derivative is 0, of every order.
///
/// It is an operation. A program that is traced replays the number, and goes on taking it as a constant.
///
/// ```
/// use tape::{Program, Real};
///
/// // x·c with c = x² taken as a constant: the derivative is c.
/// let f = |x: &[tape::Var]| x[0] * tape::stop_gradient(x[0] * x[0]);
/// assert_eq!(tape::gradient(f, &[3.0]), (27.0, vec![9.0]));
/// assert_eq!(Program::trace(f, &[1.0])?.gradient(&[3.0])?, (27.0, vec![9.0]));
/// # Ok::<(), tape::Error>(())
/// ```
#[track_caller]
pub fn stop_gradient<T: Real>(x: T) -> T {
    x.stop_gradient()
}
