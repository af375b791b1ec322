//! What a derivative's formula may use of a number.
//!
//! A program is a function of its inputs, also where a derivative was traced into it. So a formula decides nothing by a
//! number's value: it has no way to read one. It takes a [step](Formula::is_greater) of the number, which is recorded
//! where the number is, and [chooses](Formula::choose) by that.

use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::number::Number;
use crate::op::Op;
use crate::real::Real;
use crate::table::for_each_method;

macro_rules! define_formula {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        /// A number of which a formula sees only operations that are recorded with it.
        #[allow(dead_code, reason = "whatever the table has may be used in a formula")]
        pub(crate) trait Formula:
            Copy + Neg<Output = Self> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
        {
            /// Whether the number carries derivatives, or is recorded: otherwise only a formula's value counts.
            const HAS_DERIVATIVES: bool;

            fn from_f64(value: f64) -> Self;
            $(fn $name_1(self) -> Self;)*
            $(fn $name_i(self, n: $index) -> Self;)*
            $(fn $name_2(self, $b_2: Self) -> Self;)*
            $(fn $name_3(self, $b_3: Self, $c_3: Self) -> Self;)*
            fn sum(terms: &[Self]) -> Self;

            /// A step of two numbers, by its operation.
            fn step(op: Op, x: Self, y: Self) -> Self;
            /// `a` where the condition is above 0, elsewhere `b`; only what is needed is computed.
            fn choose(condition: Self, a: impl FnOnce() -> Self, b: impl FnOnce() -> Self) -> Self;
            /// See [`Number::cofactor`].
            fn cofactor(x: Self, y: Self, product: Self) -> Self;
            /// See [`Number::tip`].
            fn tip(x: Self, length: Self) -> Self;
            /// See [`Number::largest_of`].
            fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self;
            /// See [`Number::weight`].
            fn weight(self, largest: Self) -> Self;
            /// The number as a constant.
            fn stop_gradient(self) -> Self;

            /// This number with the derivatives of another, finite one, which is the same but for rounding.
            #[inline(always)]
            fn with_derivatives_of(self, other: Self) -> Self {
                self.stop_gradient() + (other - other.stop_gradient())
            }

            /// 1 where this number is above the other, elsewhere (at NaN too) 0; its derivative is 0.
            #[inline(always)]
            fn is_greater(self, other: Self) -> Self {
                Self::step(Op::IsGreater, self, other)
            }

            /// 1 where the two numbers are equal, elsewhere (at NaN too) 0; its derivative is 0.
            #[inline(always)]
            fn is_equal(self, other: Self) -> Self {
                Self::step(Op::IsEqual, self, other)
            }
        }

        impl<T: Real> Formula for T {
            const HAS_DERIVATIVES: bool = T::DEPTH > 0;

            #[inline(always)]
            fn from_f64(value: f64) -> Self { <T as Real>::from_f64(value) }
            $(#[inline(always)] fn $name_1(self) -> Self { Real::$name_1(self) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { Real::$name_i(self, n) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { Real::$name_2(self, $b_2) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { Real::$name_3(self, $b_3, $c_3) })*
            #[inline(always)]
            fn sum(terms: &[Self]) -> Self { <T as Real>::sum(terms) }
            #[inline(always)]
            fn step(op: Op, x: Self, y: Self) -> Self { <T as Number>::step(op, x, y) }
            #[inline(always)]
            fn choose(condition: Self, a: impl FnOnce() -> Self, b: impl FnOnce() -> Self) -> Self {
                <T as Number>::choose(condition, a, b)
            }
            #[inline(always)]
            fn cofactor(x: Self, y: Self, product: Self) -> Self { <T as Number>::cofactor(x, y, product) }
            #[inline(always)]
            fn tip(x: Self, length: Self) -> Self { <T as Number>::tip(x, length) }
            #[inline(always)]
            fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self { <T as Number>::largest_of(numbers) }
            #[inline(always)]
            fn weight(self, largest: Self) -> Self { <T as Number>::weight(self, largest) }
            #[inline(always)]
            fn stop_gradient(self) -> Self { <T as Number>::stop_gradient(self) }
        }
    };
}
for_each_method!(define_formula);
