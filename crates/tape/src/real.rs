//! The trait that lets one function run on plain numbers, duals, lanes and recorded variables.

use core::fmt::{Debug, Display};
use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::op::for_each_op;
use crate::special;

/// 1/√(2π), the height of the normal density at 0.
pub(crate) const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

macro_rules! define_real {
    (
        []
        operator_1 { $($_o1:tt)* }
        operator_2 { $($_o2:tt)* }
        function_1 { $($(#[$doc_1:meta])* $home_1:ident $name_1:ident $_v1:ident [$_r1:expr] |$_x1:ident, $_y1:ident| $_p1:expr;)* }
        indexed { $($(#[$doc_i:meta])* $home_i:ident $name_i:ident $_vi:ident($index:ty) [$_ri:expr] |$_xi:ident, $_ni:ident, $_yi:ident| $_pi:expr;)* }
        function_2 { $($(#[$doc_2:meta])* $home_2:ident $name_2:ident $_v2:ident($b_2:ident) [$($_r2:expr),*] |$($_x2:ident),*| ($($_p2:expr),*);)* }
        function_3 { $($(#[$doc_3:meta])* $home_3:ident $name_3:ident $_v3:ident($b_3:ident, $c_3:ident) [$($_r3:expr),*] |$($_x3:ident),*| ($($_p3:expr),*);)* }
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
        pub trait Real:
            Copy + Debug + Display + Send + Sync + 'static
            + Neg<Output = Self>
            + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Rem<Output = Self>
            + AddAssign + SubAssign + MulAssign + DivAssign + RemAssign
        {
            /// How many types this one is nested in: 0 for plain numbers.
            #[doc(hidden)]
            const DEPTH: usize;

            /// How many numbers this one stands for; each is computed as if the others were not there.
            #[doc(hidden)]
            const LANES: usize = 1;

            /// The constant `value`; its derivative is 0.
            fn from_f64(value: f64) -> Self;

            /// The innermost plain number (of several lanes, the first). It carries no derivative.
            fn primal(self) -> f64;

            /// `a` where `condition > 0`, otherwise `b` (also where the condition is NaN). See [`select`](crate::select).
            fn select(condition: Self, a: Self, b: Self) -> Self;

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

            #[doc(hidden)]
            fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self;
            #[doc(hidden)]
            fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self;
            #[doc(hidden)]
            fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self;
            #[doc(hidden)]
            fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self;

            /// A function that is constant between its jumps, of each innermost number; its derivative is 0.
            #[doc(hidden)]
            fn piecewise(self, f: impl Fn(f64) -> f64) -> Self {
                Self::from_f64(f(self.primal()))
            }

            /// [`Real::piecewise`] of two numbers.
            #[doc(hidden)]
            fn piecewise_2(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
                Self::from_f64(f(self.primal(), other.primal()))
            }

            /// The lanes in which a condition holds for the innermost numbers: a bit each, the first lane's the lowest.
            #[doc(hidden)]
            #[inline(always)]
            fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
                u64::from(condition(x.primal(), y.primal()))
            }

            /// The lanes in which this number is an exact 0 whose derivatives of every order are 0 too.
            #[doc(hidden)]
            fn vanishing_lanes(self) -> u64;

            /// This number, with the constant `value` in these lanes.
            #[doc(hidden)]
            fn filled(self, lanes: u64, value: f64) -> Self;

            /// 0 where the condition holds for `x` and `y`, elsewhere the given number.
            #[doc(hidden)]
            #[inline]
            fn zero_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool, otherwise: impl FnOnce() -> Self) -> Self {
                if Self::LANES == 1 {
                    return if condition(x.primal(), y.primal()) { Self::from_f64(0.0) } else { otherwise() };
                }
                match Self::lanes_where(x, y, condition) {
                    0 => otherwise(),
                    lanes if lanes == all_lanes::<Self>() => Self::from_f64(0.0),
                    lanes => otherwise().filled(lanes, 0.0),
                }
            }

            /// This number less the largest of several, taken as a constant: where both are ∞ or −∞, they are equal.
            #[doc(hidden)]
            fn minus_largest(self, largest: Self) -> Self {
                let both_infinite = |x: f64, largest: f64| x == largest && x.is_infinite();
                Self::zero_where(self, largest, both_infinite, || self - largest)
            }

            /// This number, but NaN where `product` = x·y came out as the indeterminate 0·∞: such a product has no
            /// derivative, and x·ln x at 0 must not pretend to one.
            #[doc(hidden)]
            #[inline(always)]
            fn unless_indeterminate(self, x: Self, y: Self, product: Self) -> Self {
                if Self::LANES == 1 {
                    return if product.primal().is_nan() { nan_if_indeterminate(self, x, y) } else { self };
                }
                if product.is_nan_in_a_lane() { nan_where_indeterminate(self, x, y, product) } else { self }
            }

            /// Whether the innermost number is NaN, in any lane.
            #[doc(hidden)]
            #[inline(always)]
            fn is_nan_in_a_lane(self) -> bool {
                Self::lanes_where(self, self, |x, _| x.is_nan()) != 0
            }

            /// Whether this number is an exact 0 whose derivatives of every order are 0 too, in every lane.
            #[doc(hidden)]
            fn vanishes(self) -> bool;

            /// Whether this number [vanishes](Real::vanishes), or is ∞ or NaN, in any lane.
            #[doc(hidden)]
            #[inline(always)]
            fn is_zero_or_infinite(self) -> bool {
                if Self::LANES == 1 {
                    return self.vanishes() || !self.primal().is_finite();
                }
                self.vanishing_lanes() | Self::lanes_where(self, self, |x, _| !x.is_finite()) != 0
            }

            /// partial·derivative by the chain rule: where one of the two [vanishes](Real::vanishes), so does the product,
            /// even if the other is ∞ or NaN.
            #[doc(hidden)]
            #[inline(always)]
            fn chain(partial: Self, derivative: Self) -> Self {
                if partial.vanishes() || derivative.vanishes() {
                    return Self::from_f64(0.0);
                }
                let product = partial * derivative;
                if Self::LANES == 1 {
                    return product;
                }
                match partial.vanishing_lanes() | derivative.vanishing_lanes() {
                    0 => product,
                    lanes => product.filled(lanes, 0.0),
                }
            }
        }
    };
}
for_each_op!(define_real);

#[cold]
fn nan_if_indeterminate<T: Real>(partial: T, x: T, y: T) -> T {
    let from_numbers = !x.primal().is_nan() && !y.primal().is_nan();
    if from_numbers { T::from_f64(f64::NAN) } else { partial }
}

/// The same lane by lane.
#[cold]
fn nan_where_indeterminate<T: Real>(partial: T, x: T, y: T, product: T) -> T {
    let from_nan = T::lanes_where(x, y, |x, y| x.is_nan() || y.is_nan());
    match T::lanes_where(product, product, |product, _| product.is_nan()) & !from_nan {
        0 => partial,
        lanes => partial.filled(lanes, f64::NAN),
    }
}

/// A bit for each lane.
#[inline(always)]
pub(crate) const fn all_lanes<T: Real>() -> u64 {
    u64::MAX >> (64 - T::LANES)
}

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
            const DEPTH: usize = 0;

            #[inline(always)]
            fn from_f64(value: f64) -> Self { value as $float }

            #[inline(always)]
            fn primal(self) -> f64 { f64::from(self) }

            #[inline(always)]
            fn select(condition: Self, a: Self, b: Self) -> Self { if condition > 0.0 { a } else { b } }

            $(#[inline(always)] fn $name_1(self) -> Self { let x = self; value!($home_1 $float $name_1 (x)) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { let x = self; value!($home_i $float $name_i (x, index n)) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { let x = self; value!($home_2 $float $name_2 (x, $b_2)) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { let x = self; value!($home_3 $float $name_3 (x, $b_3, $c_3)) })*

            #[inline]
            fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
                terms.reduce(|sum, term| sum + term).unwrap_or(0.0)
            }

            #[inline]
            fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self {
                Self::sum_of(pairs.map(|(a, b)| a * b))
            }

            fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self {
                let squares = Self::sum_of(components.clone().map(|x| x * x));
                // The squares neither overflowed nor lost digits to underflow.
                if squares.is_finite() && squares > Self::MIN_POSITIVE / Self::EPSILON {
                    return squares.sqrt();
                }
                let largest = components.clone().fold(0.0, |largest: Self, x| largest.max(x.abs()));
                if largest == 0.0 || largest.is_infinite() || squares.is_nan() {
                    return if squares.is_nan() { Self::NAN } else { largest };
                }
                largest * Self::sum_of(components.map(|x| (x / largest) * (x / largest))).sqrt()
            }

            fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
                let largest = terms.clone().fold(Self::NEG_INFINITY, Self::max);
                if largest.is_infinite() {
                    return if terms.clone().any(Self::is_nan) { Self::NAN } else { largest };
                }
                largest + Self::sum_of(terms.map(|x| (x - largest).exp())).ln()
            }

            #[inline(always)]
            fn vanishing_lanes(self) -> u64 { u64::from(self == 0.0) }

            #[inline(always)]
            fn filled(self, lanes: u64, value: f64) -> Self { if lanes == 0 { self } else { Self::from_f64(value) } }

            #[inline(always)]
            fn vanishes(self) -> bool { self == 0.0 }

            // One comparison: without the sign bit, 0 is the smallest pattern and those of ∞ and NaN are the largest.
            #[inline(always)]
            fn is_zero_or_infinite(self) -> bool {
                (self.to_bits() << 1).wrapping_sub(1) >= ($float::INFINITY.to_bits() << 1) - 1
            }
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

/// The partials of a norm with respect to its components.
#[inline]
pub(crate) fn norm_partial<T: Real>(component: T, norm: T) -> T {
    T::zero_where(norm, norm, |norm, _| norm == 0.0, || component / norm)
}

/// ln Σ e^xᵢ, and its partials: each term's weight e^xᵢ/Σ e^xⱼ.
///
/// The largest term is taken out as a constant: the result does not depend on it, so neither does a derivative.
pub(crate) fn log_sum_exp_weights<T: Real>(terms: impl Iterator<Item = T> + Clone) -> (T, Vec<T>) {
    let largest = terms.clone().map(|x| x.piecewise(|x| x)).reduce(T::max);
    let largest = largest.unwrap_or(T::from_f64(f64::NEG_INFINITY));
    let infinite = T::lanes_where(largest, largest, |largest, _| largest.is_infinite());
    if infinite == 0 {
        return finite_log_sum_exp_weights(terms, largest);
    }
    // No term is finite and large enough to count beside the infinite ones, which share the weight.
    let value = T::log_sum_exp_of(terms.clone());
    let is_infinite = |x: T| x.piecewise_2(largest, |x, largest| f64::from(u8::from(x == largest)));
    let count = terms.clone().map(is_infinite).fold(T::from_f64(0.0), |sum, x| sum + x);
    let mut weights: Vec<T> = terms.clone().map(|x| is_infinite(x) / count).collect();
    if infinite != all_lanes::<T>() {
        let (_, finite) = finite_log_sum_exp_weights(terms, largest);
        for (weight, finite) in weights.iter_mut().zip(finite) {
            *weight = weight.filled(!infinite, 0.0) + finite.filled(infinite, 0.0);
        }
    }
    (value, weights)
}

fn finite_log_sum_exp_weights<T: Real>(terms: impl Iterator<Item = T>, largest: T) -> (T, Vec<T>) {
    let mut weights: Vec<T> = terms.map(|x| (x - largest).exp()).collect();
    let sum = T::sum(&weights);
    for weight in &mut weights {
        *weight /= sum;
    }
    (largest + sum.ln(), weights)
}

/// −1, 0 or 1, and NaN for NaN: the derivative of |x|.
pub(crate) fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// The derivative of max(x, y) with respect to x.
pub(crate) fn share_of_larger(x: f64, y: f64) -> f64 {
    share(x, y, x > y)
}

/// The derivative of min(x, y) with respect to x.
pub(crate) fn share_of_smaller(x: f64, y: f64) -> f64 {
    share(x, y, x < y)
}

/// 1 for the argument that wins, ½ at a tie; an argument that is NaN loses, and two share.
fn share(x: f64, y: f64, wins: bool) -> f64 {
    if x == y || (x.is_nan() && y.is_nan()) {
        0.5
    } else if wins || y.is_nan() {
        1.0
    } else {
        0.0
    }
}

/// a/(x² + y²), without overflow, and 0 at the origin: the derivatives of `atan2`.
pub(crate) fn over_squared_length<T: Real>(a: T, x: T, y: T) -> T {
    T::zero_where(
        x,
        y,
        |x, y| x == 0.0 && y == 0.0,
        || {
            let length = x.hypot(y);
            a / length / length
        },
    )
}
