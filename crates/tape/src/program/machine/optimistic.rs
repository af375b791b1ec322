//! A number whose products are plain products: what the fast sweeps compute with.
//!
//! The engine's rules for what is not finite (an exact 0 wins over ∞ in the chain rule; 0·∞ has no derivative) cost
//! comparisons in every product. This wrapper leaves them out. It differs from the wrapped number only where something
//! is infinite or NaN, which the machine notices: see [`interpret`](super::interpret).

use core::fmt::{self, Display};
use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::number::Number;
use crate::op::Op;
use crate::real::Real;
use crate::table::for_each_method;

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Optimistic<T>(pub(crate) T);

impl<T: Display> Display for Optimistic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl<T: Real> Neg for Optimistic<T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

macro_rules! operate {
    ($($Trait:ident $name:ident $Assign:ident $assign:ident $symbol:tt;)*) => {$(
        impl<T: Real> $Trait for Optimistic<T> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Self(self.0 $symbol other.0)
            }
        }

        impl<T: Real> $Assign for Optimistic<T> {
            #[inline(always)]
            fn $assign(&mut self, other: Self) {
                *self = *self $symbol other;
            }
        }
    )*};
}
operate! {
    Add add AddAssign add_assign +;
    Sub sub SubAssign sub_assign -;
    Mul mul MulAssign mul_assign *;
    Div div DivAssign div_assign /;
    Rem rem RemAssign rem_assign %;
}

macro_rules! define_optimistic {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        impl<T: Real> Real for Optimistic<T> {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                Self(T::from_f64(value))
            }

            #[inline(always)]
            fn primal(self) -> f64 {
                self.0.primal()
            }

            $(#[inline(always)] fn $name_1(self) -> Self { Self(self.0.$name_1()) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { Self(self.0.$name_i(n)) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { Self(self.0.$name_2($b_2.0)) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { Self(self.0.$name_3($b_3.0, $c_3.0)) })*
        }
    };
}
for_each_method!(define_optimistic);

impl<T: Real> Number for Optimistic<T> {
    const DEPTH: usize = T::DEPTH;
    const LANES: usize = T::LANES;
    #[inline(always)]
    fn innermost(self) -> f64 {
        self.0.innermost()
    }

    fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        Self(T::sum_of(terms.map(|term| term.0)))
    }

    fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self {
        Self(T::dot_of(pairs.map(|(a, b)| (a.0, b.0))))
    }

    fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self {
        Self(T::norm_of(components.map(|component| component.0)))
    }

    fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        Self(T::log_sum_exp_of(terms.map(|term| term.0)))
    }

    #[inline(always)]
    fn step(op: Op, x: Self, y: Self) -> Self {
        Self(T::step(op, x.0, y.0))
    }

    #[inline(always)]
    fn pick(condition: Self, a: Self, b: Self) -> Self {
        Self(T::pick(condition.0, a.0, b.0))
    }

    #[inline(always)]
    fn decided(self) -> Option<bool> {
        self.0.decided()
    }

    #[inline(always)]
    fn chain(partial: Self, derivative: Self) -> Self {
        partial * derivative
    }

    #[inline(always)]
    fn cofactor(_: Self, y: Self, _: Self) -> Self {
        y
    }

    #[inline(always)]
    fn with_partial(
        op: Op,
        x: Self,
        value: impl FnOnce(Self) -> Self,
        partial: impl FnOnce(Self, Self) -> Self,
    ) -> (Self, Self) {
        let (y, of_x) =
            T::with_partial(op, x.0, |x| value(Self(x)).0, |x, y| partial(Self(x), Self(y)).0);
        (Self(y), Self(of_x))
    }

    #[inline(always)]
    fn recorded_chain(partial: Self, derivative: Self) -> Self {
        Self(T::recorded_chain(partial.0, derivative.0))
    }

    #[inline(always)]
    fn recorded_cofactor(x: Self, y: Self) -> Self {
        Self(T::recorded_cofactor(x.0, y.0))
    }

    #[inline(always)]
    fn tip(x: Self, length: Self) -> Self {
        Self(T::tip(x.0, length.0))
    }

    fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self {
        Self(T::largest_of(numbers.map(|number| number.0)))
    }

    #[inline(always)]
    fn weight(self, largest: Self) -> Self {
        Self(self.0.weight(largest.0))
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        Self(self.0.stop_gradient())
    }

    #[inline(always)]
    fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
        T::lanes_where(x.0, y.0, condition)
    }

    #[inline(always)]
    fn vanishing_lanes(self) -> u64 {
        self.0.vanishing_lanes()
    }

    #[inline(always)]
    fn vanishes(self) -> bool {
        self.0.vanishes()
    }

    #[inline(always)]
    fn is_the_constant(self, value: f64) -> bool {
        self.0.is_the_constant(value)
    }

    #[inline(always)]
    fn is_a_finite_factor(self) -> bool {
        self.0.is_a_finite_factor()
    }
}
