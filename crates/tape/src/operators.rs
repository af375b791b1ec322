//! `+ − × ÷ %` for variables and duals: with each other, with numbers on either side, by reference, assigning, summed.

use core::cmp::Ordering;
use core::iter::{Product, Sum};
use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::by_reference::{by_reference, nested};
use crate::dual::Dual;
use crate::guard::Comparison;
use crate::op::Op;
use crate::partial;
use crate::real::Real;
use crate::var::Var;

impl<T: Real> Neg for Var<T> {
    type Output = Self;

    #[inline(always)]
    #[track_caller]
    fn neg(self) -> Self {
        let value = -self.value;
        self.record_1(Op::Neg, value, || partial::neg::of_0(self.value, value), T::from_f64(0.0))
    }
}

impl<T: Real> Neg for Dual<T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

/// An operator between two `Var`s or two `Dual`s, and with their inner number on the right.
macro_rules! operate {
    ($($Trait:ident $name:ident $op:ident $symbol:tt)*) => {$(
        impl<T: Real> $Trait for Var<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn $name(self, other: Self) -> Self {
                let (x, y) = (self.value, other.value);
                let value = x $symbol y;
                self.record_2(
                    other,
                    Op::$op,
                    value,
                    #[inline(always)]
                    || partial::$name::of_0(x, y, value),
                    #[inline(always)]
                    || partial::$name::of_1(x, y, value),
                )
            }
        }

        impl<T: Real> $Trait<T> for Var<T> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn $name(self, number: T) -> Self {
                let value = self.value $symbol number;
                self.record_1(Op::$op, value, || partial::$name::of_0(self.value, number, value), number)
            }
        }

        impl<T: Real> $Trait for Dual<T> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                let (x, y) = (self.value, other.value);
                let value = x $symbol y;
                if matches!(Op::$op, Op::Div) {
                    return Dual { value, tangent: tangent_of_quotient(value, self.tangent, y, other.tangent) };
                }
                let tangent = T::chain(partial::$name::of_0(x, y, value), self.tangent)
                    + T::chain(partial::$name::of_1(x, y, value), other.tangent);
                Dual { value, tangent }
            }
        }

        impl<T: Real> $Trait<T> for Dual<T> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, number: T) -> Self {
                let value = self.value $symbol number;
                Dual { value, tangent: T::chain(partial::$name::of_0(self.value, number, value), self.tangent) }
            }
        }

        number_first!($Trait $name $op $symbol);
        nested!(
            $Trait $name $symbol;
            [T: Real] Var(Var<T>), [T: Real] Var(Dual<T>), [T: Real] Dual(Var<T>), [T: Real] Dual(Dual<T>)
        );
        for_both!($Trait $name $symbol; Var, Dual);
    )*};
}

/// (x′ − z·y′)/y, the tangent of z = x/y. The partial z/y could overflow where its product with y′ does not.
#[inline(always)]
fn tangent_of_quotient<T: Real>(quotient: T, dividend: T, divisor: T, of_divisor: T) -> T {
    let sum = dividend - T::chain(quotient, of_divisor);
    // Where nothing changes, nothing is divided, whatever the divisor is: an exact 0 wins in the chain rule.
    let is_still = T::step(Op::IsEqual, sum, T::from_f64(0.0));
    T::choose(is_still, || T::chain(divisor.recip(), sum), || sum / divisor)
}

/// A plain `f64` before the operator.
///
/// An `f32` cannot stand there: were there two kinds of number that can, the type of `3.0 * x` would be open for an `x`
/// whose type is not written down, and `let x = tape.var(2.0)` is no rare beginning.
macro_rules! number_first {
    ($Trait:ident $name:ident $op:ident $symbol:tt) => {
        impl $Trait<Var<f64>> for f64 {
            type Output = Var<f64>;

            #[inline(always)]
            #[track_caller]
            fn $name(self, variable: Var<f64>) -> Var<f64> {
                let value = self $symbol variable.value;
                variable.record_constant_first(
                    Op::$op,
                    value,
                    self,
                    || partial::$name::of_1(self, variable.value, value),
                )
            }
        }

        impl $Trait<Dual<f64>> for f64 {
            type Output = Dual<f64>;

            #[inline(always)]
            fn $name(self, dual: Dual<f64>) -> Dual<f64> {
                Dual::constant(self) $symbol dual
            }
        }

        by_reference!([] f64, Var<f64>; $Trait $name $symbol);
        by_reference!([] f64, Dual<f64>; $Trait $name $symbol);
    };
}

/// The forms by reference and the assigning forms.
macro_rules! for_both {
    ($Trait:ident $name:ident $symbol:tt; $($Type:ident),*) => {$(
        by_reference!([T: Real] $Type<T>, $Type<T>; $Trait $name $symbol);
        by_reference!([T: Real] $Type<T>, T; $Trait $name $symbol);
    )*};
}

operate! {
    Add add Add +
    Sub sub Sub -
    Mul mul Mul *
    Div div Div /
    Rem rem Rem %
}

macro_rules! assign {
    ($($Trait:ident $name:ident $symbol:tt)*) => {$(
        assign!(@right $Trait $name $symbol; Var: Var<T>, T, &Var<T>, &T; Dual: Dual<T>, T, &Dual<T>, &T);
    )*};
    (@right $Trait:ident $name:ident $symbol:tt; $($Left:ident: $($Right:ty),*);*) => {$($(
        impl<T: Real> $Trait<$Right> for $Left<T> {
            #[inline(always)]
            #[track_caller]
            fn $name(&mut self, other: $Right) {
                *self = *self $symbol other;
            }
        }
    )*)*};
}

assign! {
    AddAssign add_assign +
    SubAssign sub_assign -
    MulAssign mul_assign *
    DivAssign div_assign /
    RemAssign rem_assign %
}

macro_rules! number_like {
    ($($Type:ident)*) => {$(
        impl<T: Real> Neg for &$Type<T> {
            type Output = $Type<T>;

            #[inline(always)]
            #[track_caller]
            fn neg(self) -> $Type<T> {
                -*self
            }
        }

        /// As `f64`'s: the empty sum is −0.
        impl<T: Real> Sum for $Type<T> {
            #[track_caller]
            fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
                terms.reduce(|sum, term| sum + term).unwrap_or(Self::from_f64(-0.0))
            }
        }

        impl<'a, T: Real> Sum<&'a Self> for $Type<T> {
            #[track_caller]
            fn sum<I: Iterator<Item = &'a Self>>(terms: I) -> Self {
                terms.copied().sum()
            }
        }

        impl<T: Real> Product for $Type<T> {
            #[track_caller]
            fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
                factors.reduce(|product, factor| product * factor).unwrap_or(Self::from_f64(1.0))
            }
        }

        impl<'a, T: Real> Product<&'a Self> for $Type<T> {
            #[track_caller]
            fn product<I: Iterator<Item = &'a Self>>(factors: I) -> Self {
                factors.copied().product()
            }
        }
    )*};
}
number_like!(Var Dual);

/// By value: derivatives are not compared.
impl<T: Real + PartialEq> PartialEq for Dual<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// By value: derivatives are not compared.
impl<T: Real + PartialOrd> PartialOrd for Dual<T> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

/// By value: derivatives are not compared. While a program is traced, every comparison becomes a guard.
impl<T: Real + PartialEq> PartialEq for Var<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let equal = self.value == other.value;
        self.note(other, Comparison::Equal, i8::from(equal));
        equal
    }
}

macro_rules! compare_variables {
    ($($name:ident $symbol:tt $Comparison:ident;)*) => {
        /// By value: derivatives are not compared. While a program is traced, every comparison becomes a guard.
        impl<T: Real + PartialOrd> PartialOrd for Var<T> {
            #[inline(always)]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                let order = self.value.partial_cmp(&other.value);
                self.note(other, Comparison::Order, order.map_or(2, |order| order as i8));
                order
            }

            $(
                #[inline(always)]
                fn $name(&self, other: &Self) -> bool {
                    let holds = self.value $symbol other.value;
                    self.note(other, Comparison::$Comparison, i8::from(holds));
                    holds
                }
            )*
        }
    };
}
compare_variables! {
    lt < Less;
    le <= LessOrEqual;
    gt > Greater;
    ge >= GreaterOrEqual;
}

macro_rules! compare_with_number {
    ($($Type:ident)*) => {$(
        /// By value, with a constant.
        impl<T: Real + PartialEq> PartialEq<f64> for $Type<T> {
            #[inline(always)]
            fn eq(&self, other: &f64) -> bool {
                *self == Self::from_f64(*other)
            }
        }

        /// By value, with a constant.
        impl<T: Real + PartialOrd> PartialOrd<f64> for $Type<T> {
            #[inline(always)]
            fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
                self.partial_cmp(&Self::from_f64(*other))
            }

            #[inline(always)]
            fn lt(&self, other: &f64) -> bool {
                *self < Self::from_f64(*other)
            }

            #[inline(always)]
            fn le(&self, other: &f64) -> bool {
                *self <= Self::from_f64(*other)
            }

            #[inline(always)]
            fn gt(&self, other: &f64) -> bool {
                *self > Self::from_f64(*other)
            }

            #[inline(always)]
            fn ge(&self, other: &f64) -> bool {
                *self >= Self::from_f64(*other)
            }
        }

        /// By value, of a constant.
        impl<T: Real + PartialEq> PartialEq<$Type<T>> for f64 {
            #[inline(always)]
            fn eq(&self, other: &$Type<T>) -> bool {
                $Type::from_f64(*self) == *other
            }
        }

        /// By value, of a constant.
        impl<T: Real + PartialOrd> PartialOrd<$Type<T>> for f64 {
            #[inline(always)]
            fn partial_cmp(&self, other: &$Type<T>) -> Option<Ordering> {
                $Type::from_f64(*self).partial_cmp(other)
            }

            #[inline(always)]
            fn lt(&self, other: &$Type<T>) -> bool {
                $Type::from_f64(*self) < *other
            }

            #[inline(always)]
            fn le(&self, other: &$Type<T>) -> bool {
                $Type::from_f64(*self) <= *other
            }

            #[inline(always)]
            fn gt(&self, other: &$Type<T>) -> bool {
                $Type::from_f64(*self) > *other
            }

            #[inline(always)]
            fn ge(&self, other: &$Type<T>) -> bool {
                $Type::from_f64(*self) >= *other
            }
        }
    )*};
}
compare_with_number!(Var Dual);
