//! The private half of [`Real`](crate::Real): what the engine asks of a number, and users of the crate do not.
//!
//! As a supertrait that nobody outside can name, it also seals it.

use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::op::Op;

/// What the engine asks of a [`Real`](crate::Real).
pub trait Number:
    Copy
    + Sized
    + 'static
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Rem<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + RemAssign
{
    /// How many types this one is nested in: 0 for plain numbers.
    const DEPTH: usize;

    /// How many numbers this one stands for; each is computed as if the others were not there.
    const LANES: usize = 1;

    /// The innermost number of the first lane, for the engine's own eyes: no guard is noted.
    fn innermost(self) -> f64;

    /// [`Real::sum`](crate::Real::sum) of an iterator's numbers; 0 for none.
    fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self;
    /// [`Real::dot`](crate::Real::dot) of an iterator's pairs.
    fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self;
    /// [`Real::norm`](crate::Real::norm) of an iterator's numbers.
    fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self;
    /// [`Real::log_sum_exp`](crate::Real::log_sum_exp) of an iterator's numbers.
    fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self;

    /// The value of a step of two numbers ([`Op::step`]): constant between its jumps, its derivative 0. While a number is
    /// traced, the step is recorded, and replayed with the number.
    fn step(op: Op, x: Self, y: Self) -> Self;

    /// Whether a step's outcome, as a condition, holds: `None` where that differs from lane to lane, or from replay to
    /// replay.
    fn decided(self) -> Option<bool>;

    /// [`Real::select`](crate::Real::select).
    #[track_caller]
    fn pick(condition: Self, a: Self, b: Self) -> Self;

    /// `a` where the condition holds (is above 0), elsewhere `b`; only what is needed is computed.
    #[inline(always)]
    fn choose(condition: Self, a: impl FnOnce() -> Self, b: impl FnOnce() -> Self) -> Self {
        match condition.decided() {
            Some(true) => a(),
            Some(false) => b(),
            None => Self::pick(condition, a(), b()),
        }
    }

    /// partial·derivative by the chain rule: where one of the two is exactly 0, so is the product, even if the other is ∞ or
    /// NaN.
    fn chain(partial: Self, derivative: Self) -> Self;

    /// The partial of `product` = x·y with respect to x: y. But NaN where the product came out as the indeterminate 0·∞:
    /// it has no derivative, and x·ln x at 0 must not pretend to one.
    fn cofactor(x: Self, y: Self, product: Self) -> Self;

    /// [`Number::chain`] as an operation of its own, whose value keeps the rules whatever the number leaves out.
    #[inline(always)]
    fn recorded_chain(partial: Self, derivative: Self) -> Self {
        Self::chain(partial, derivative)
    }

    /// [`Number::cofactor`] as an operation of its own.
    #[inline(always)]
    fn recorded_cofactor(x: Self, y: Self) -> Self {
        Self::cofactor(x, y, x * y)
    }

    /// A function of one number, and its partial from the argument and the value; together where that is cheaper.
    #[inline(always)]
    fn with_partial(
        _: Op,
        x: Self,
        value: impl FnOnce(Self) -> Self,
        partial: impl FnOnce(Self, Self) -> Self,
    ) -> (Self, Self) {
        let y = value(x);
        (y, partial(x, y))
    }

    /// The partial of a function of one number, from the argument and the value.
    #[inline(always)]
    fn partial_of(_: Op, x: Self, y: Self, partial: impl FnOnce(Self, Self) -> Self) -> Self {
        partial(x, y)
    }

    /// 0, whose derivative with respect to x does not exist where `length` is 0: what a function's first derivative is at
    /// the tip of a cone.
    fn tip(x: Self, length: Self) -> Self;

    /// The largest of several numbers, taken as a constant; NaN where one is, −∞ for none.
    fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self;

    /// e to the difference of this number and [`Number::largest_of`] several; 1 where both are ∞, or both −∞.
    fn weight(self, largest: Self) -> Self;

    /// This number as a constant.
    fn stop_gradient(self) -> Self;

    /// The lanes in which a condition holds for the innermost numbers: a bit each, the first lane's the lowest. A formula
    /// must not ask it: see [`Number::step`].
    #[inline(always)]
    fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
        u64::from(condition(x.innermost(), y.innermost()))
    }

    /// Whether the innermost number is NaN, in any lane.
    #[inline(always)]
    fn is_nan_in_a_lane(self) -> bool {
        Self::lanes_where(self, self, |x, _| x.is_nan()) != 0
    }

    /// The lanes in which this number is an exact 0 whose derivatives of every order are 0 too.
    fn vanishing_lanes(self) -> u64;

    /// Whether this number is an exact 0 whose derivatives of every order are 0 too, in every lane.
    fn vanishes(self) -> bool;

    /// Whether this number [vanishes](Number::vanishes), or is ∞ or NaN, in any lane.
    #[inline(always)]
    fn is_zero_or_infinite(self) -> bool {
        if Self::LANES == 1 {
            return self.vanishes() || !self.innermost().is_finite();
        }
        self.vanishing_lanes() | Self::lanes_where(self, self, |x, _| !x.is_finite()) != 0
    }

    /// Whether this is the same constant in every lane, its derivatives 0.
    fn is_the_constant(self, value: f64) -> bool;

    /// Whether this is a constant that is finite and not 0 in every lane, its derivatives 0.
    fn is_a_finite_factor(self) -> bool;

    /// Adds a contribution to an adjoint.
    #[inline(always)]
    fn accumulate(&mut self, contribution: Self) {
        *self += contribution;
    }

    /// Notes, while the number is traced, that its sign bit was asked for.
    #[inline(always)]
    fn note_sign(self) {}

    /// Notes, while the number is traced, that its integer part was asked for.
    #[inline(always)]
    fn note_integer(self) {}

    /// Notes, while the number is traced, that the number itself was handed out.
    #[inline(always)]
    fn note_bits(self) {}
}

macro_rules! implement_for_float {
    ($float:ident) => {
        impl Number for $float {
            const DEPTH: usize = 0;

            #[inline(always)]
            #[allow(clippy::useless_conversion, reason = "one body serves f32 and f64")]
            fn innermost(self) -> f64 {
                f64::from(self)
            }

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
            #[allow(clippy::useless_conversion, reason = "one body serves f32 and f64")]
            fn step(op: Op, x: Self, y: Self) -> Self {
                op.step(f64::from(x), f64::from(y)) as Self
            }

            #[inline(always)]
            fn pick(condition: Self, a: Self, b: Self) -> Self {
                if condition > 0.0 { a } else { b }
            }

            #[inline(always)]
            fn decided(self) -> Option<bool> {
                Some(self > 0.0)
            }

            #[inline(always)]
            fn chain(partial: Self, derivative: Self) -> Self {
                let product = partial * derivative;
                if product.is_nan() && (partial == 0.0 || derivative == 0.0) {
                    return 0.0;
                }
                product
            }

            #[inline(always)]
            fn cofactor(x: Self, y: Self, product: Self) -> Self {
                if product.is_nan() {
                    cofactor_of_nan(f64::from(x), f64::from(y)) as Self
                } else {
                    y
                }
            }

            #[inline(always)]
            fn tip(_: Self, _: Self) -> Self {
                0.0
            }

            #[inline]
            fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self {
                let larger = |a: Self, b: Self| if a.is_nan() || a >= b { a } else { b };
                numbers.reduce(larger).unwrap_or(Self::NEG_INFINITY)
            }

            #[inline(always)]
            fn weight(self, largest: Self) -> Self {
                let both_infinite = self == largest && self.is_infinite();
                if both_infinite { 1.0 } else { (self - largest).exp() }
            }

            #[inline(always)]
            fn stop_gradient(self) -> Self {
                self
            }

            #[inline(always)]
            fn vanishing_lanes(self) -> u64 {
                u64::from(self == 0.0)
            }

            #[inline(always)]
            fn vanishes(self) -> bool {
                self == 0.0
            }

            // One comparison: without the sign bit, 0 is the smallest pattern and those of ∞ and NaN are the largest.
            #[inline(always)]
            fn is_zero_or_infinite(self) -> bool {
                (self.to_bits() << 1).wrapping_sub(1) >= ($float::INFINITY.to_bits() << 1) - 1
            }

            #[inline(always)]
            fn is_the_constant(self, value: f64) -> bool {
                f64::from(self) == value
            }

            #[inline(always)]
            fn is_a_finite_factor(self) -> bool {
                !self.is_zero_or_infinite()
            }
        }
    };
}
implement_for_float!(f64);
implement_for_float!(f32);

/// The partial of x·y with respect to x where the product is NaN: NaN itself if neither factor is.
#[cold]
fn cofactor_of_nan(x: f64, y: f64) -> f64 {
    if (x * y).is_nan() && !x.is_nan() { f64::NAN } else { y }
}

/// A bit for each lane.
#[inline(always)]
pub(crate) const fn all_lanes<T: Number>() -> u64 {
    u64::MAX >> (64 - T::LANES)
}
