//! Several numbers side by side as one: a function is recorded, or evaluated, once for all of them.

use core::fmt::{self, Display};
use core::iter::{Product, Sum};
use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::by_reference::{by_reference, nested};
use crate::dual::Dual;
use crate::number::{Number, all_lanes};
use crate::op::Op;
use crate::real::Real;
use crate::table::for_each_method;
use crate::var::Var;
use crate::vector;

/// N numbers, called lanes, on which every operation works lane by lane.
///
/// A `Var<Lanes<N>>` differentiates a function at N points with one recording and one sweep: nodes are found, checked
/// and walked once for N points, and the arithmetic runs in the processor's vector registers.
///
/// Each lane is what the same computation on `f64` gives, as if its neighbours were not there: also where it is
/// infinite or NaN, at kinks, and in what a dead branch receives. Only functions like `exp` are computed by the
/// crate's own vector routines, which differ from `std`'s in the last place or two, but not from one processor to
/// another.
///
/// Lanes have no order and no equality that would yield one answer, hence neither `PartialOrd` nor `PartialEq`: a
/// function that branches on its arguments cannot be called with them. What can be said with `max`, `min`, `abs`,
/// `clamp` and [`select`](crate::select) can. Where one plain number is wanted (an exponent of `powi`, say), it is the
/// first lane's.
///
/// There are 64 lanes at most; 4 or 8 are a good choice.
///
/// ```
/// use tape::{Lanes, Real};
///
/// fn f<T: Real>(x: &[T]) -> T {
///     x[0] * x[1] + x[0].sqrt()
/// }
/// // The points (1, 5), (4, 6), (9, 7) and (16, 8).
/// let x = [Lanes([1.0, 4.0, 9.0, 16.0]), Lanes([5.0, 6.0, 7.0, 8.0])];
/// let (value, gradient) = tape::gradient(f, &x);
/// assert_eq!(value.0, [6.0, 26.0, 66.0, 132.0]);
/// assert_eq!(gradient[0].0, [5.5, 6.25, 7.0 + 1.0 / 6.0, 8.125]);
/// assert_eq!(gradient[1].0, [1.0, 4.0, 9.0, 16.0]);
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Lanes<const N: usize>(pub [f64; N]);

impl<const N: usize> Lanes<N> {
    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(number: f64) -> Self {
        Self([number; N])
    }

    /// The numbers.
    #[inline(always)]
    pub fn lanes(self) -> [f64; N] {
        self.0
    }

    #[inline(always)]
    fn each(mut self, f: impl Fn(f64) -> f64) -> Self {
        for x in &mut self.0 {
            *x = f(*x);
        }
        self
    }

    #[inline(always)]
    fn each_2(mut self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        for (x, y) in self.0.iter_mut().zip(other.0) {
            *x = f(*x, y);
        }
        self
    }

    /// The lanes in which a condition holds.
    #[inline(always)]
    fn mask(self, condition: impl Fn(f64) -> bool) -> u64 {
        let mut mask = 0;
        for (lane, &x) in self.0.iter().enumerate() {
            mask |= u64::from(condition(x)) << lane;
        }
        mask
    }

    /// Whether a condition holds in any lane. A loop, here and in the above: an iterator's `fold` may be left out of line.
    #[inline(always)]
    fn any(self, condition: impl Fn(f64) -> bool) -> bool {
        let mut any = false;
        for x in self.0 {
            any |= condition(x);
        }
        any
    }
}

impl<const N: usize> From<[f64; N]> for Lanes<N> {
    fn from(lanes: [f64; N]) -> Self {
        Self(lanes)
    }
}

/// The same number in every lane.
impl<const N: usize> From<f64> for Lanes<N> {
    fn from(number: f64) -> Self {
        Self::splat(number)
    }
}

/// `[1, 2.5, 3]`; the format applies to each lane.
impl<const N: usize> Display for Lanes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (lane, x) in self.0.iter().enumerate() {
            f.write_str(if lane == 0 { "" } else { ", " })?;
            Display::fmt(x, f)?;
        }
        f.write_str("]")
    }
}

macro_rules! define_lanes {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        /// The operations of the table, also as inherent methods: no trait need be imported, and importing several that
        /// have methods of the same names is never ambiguous.
        impl<const N: usize> Lanes<N> {
            $(
                $(#[$doc_1])*
                #[inline]
                pub fn $name_1(self) -> Self {
                    let mut value = self;
                    if vector::is_one_instruction(Op::$op_1) || !vector::map_1(Op::$op_1, &self.0, &mut value.0) {
                        value = self.each(<f64 as Real>::$name_1);
                    }
                    value
                }
            )*
            $(
                $(#[$doc_i])*
                #[inline]
                pub fn $name_i(self, n: $index) -> Self {
                    self.each(|x| <f64 as Real>::$name_i(x, n))
                }
            )*
            $(
                $(#[$doc_2])*
                #[inline]
                pub fn $name_2(self, $b_2: Self) -> Self {
                    let mut value = self;
                    if !vector::map_2(Op::$op_2, &self.0, &$b_2.0, &mut value.0) {
                        value = self.each_2($b_2, <f64 as Real>::$name_2);
                    }
                    value
                }
            )*
            $(
                $(#[$doc_3])*
                #[inline]
                pub fn $name_3(self, $b_3: Self, $c_3: Self) -> Self {
                    Self(core::array::from_fn(|lane| {
                        <f64 as Real>::$name_3(self.0[lane], $b_3.0[lane], $c_3.0[lane])
                    }))
                }
            )*
        }

        impl<const N: usize> Real for Lanes<N> {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                Self::splat(value)
            }

            #[inline(always)]
            fn primal(self) -> f64 {
                self.0[0]
            }

            $(#[inline(always)] fn $name_1(self) -> Self { Lanes::$name_1(self) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { Lanes::$name_i(self, n) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { Lanes::$name_2(self, $b_2) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { Lanes::$name_3(self, $b_3, $c_3) })*
        }
    };
}
for_each_method!(define_lanes);

impl<const N: usize> Number for Lanes<N> {
    const DEPTH: usize = 0;
    const LANES: usize = {
        assert!(N >= 1 && N <= 64, "a number has 1 to 64 lanes");
        N
    };

    #[inline(always)]
    fn innermost(self) -> f64 {
        self.0[0]
    }

    #[inline]
    fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        terms.reduce(|sum, term| sum + term).unwrap_or(Self::splat(0.0))
    }

    #[inline]
    fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self {
        Self::sum_of(pairs.map(|(a, b)| a * b))
    }

    fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self {
        let squares = Self::sum_of(components.clone().map(|x| x * x));
        let mut norm = squares.sqrt();
        // As on `f64`: elsewhere the squares over- or underflowed, or lost digits.
        let safe = f64::MIN_POSITIVE / f64::EPSILON..f64::INFINITY;
        for (lane, norm) in norm.0.iter_mut().enumerate() {
            if !(safe.contains(&squares.0[lane]) && squares.0[lane] > safe.start) {
                *norm = f64::norm_of(components.clone().map(|x| x.0[lane]));
            }
        }
        norm
    }

    fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        let largest = terms.clone().fold(Self::splat(f64::NEG_INFINITY), Self::max);
        let sum = Self::sum_of(terms.clone().map(|x| (x - largest).exp()));
        let mut value = largest + sum.ln();
        for (lane, value) in value.0.iter_mut().enumerate() {
            if largest.0[lane].is_infinite() {
                *value = f64::log_sum_exp_of(terms.clone().map(|x| x.0[lane]));
            }
        }
        value
    }

    #[inline(always)]
    fn step(op: Op, x: Self, y: Self) -> Self {
        x.each_2(y, |x, y| op.step(x, y))
    }

    #[inline(always)]
    fn pick(condition: Self, a: Self, b: Self) -> Self {
        Self(core::array::from_fn(
            |lane| {
                if condition.0[lane] > 0.0 { a.0[lane] } else { b.0[lane] }
            },
        ))
    }

    #[inline(always)]
    fn decided(self) -> Option<bool> {
        let (mut any, mut all) = (false, true);
        for x in self.0 {
            any |= x > 0.0;
            all &= x > 0.0;
        }
        (any == all).then_some(any)
    }

    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool)] // no branch in a loop of vectors
    fn chain(partial: Self, derivative: Self) -> Self {
        // The product of a finite number and 0 keeps its sign, as by itself.
        partial.each_2(derivative, |partial, derivative| {
            let product = partial * derivative;
            let is_0_by_rule = product.is_nan() & ((partial == 0.0) | (derivative == 0.0));
            if is_0_by_rule { 0.0 } else { product }
        })
    }

    #[inline(always)]
    fn cofactor(x: Self, y: Self, product: Self) -> Self {
        if product.is_nan_in_a_lane() { cofactor_by_lanes(x, y, product) } else { y }
    }

    #[inline(always)]
    fn with_partial(
        op: Op,
        x: Self,
        value: impl FnOnce(Self) -> Self,
        partial: impl FnOnce(Self, Self) -> Self,
    ) -> (Self, Self) {
        let (mut y, mut of_x) = (x, x);
        if vector::map_with_partial(op, &x.0, &mut y.0, &mut of_x.0) {
            return (y, of_x);
        }
        let y = value(x);
        (y, partial(x, y))
    }

    #[inline(always)]
    fn partial_of(op: Op, x: Self, y: Self, partial: impl FnOnce(Self, Self) -> Self) -> Self {
        let mut of_x = x;
        if vector::map_partial(op, &x.0, &y.0, &mut of_x.0) { of_x } else { partial(x, y) }
    }

    #[inline(always)]
    fn tip(_: Self, _: Self) -> Self {
        Self::splat(0.0)
    }

    #[inline]
    fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self {
        let larger = |a: f64, b: f64| if a.is_nan() || a >= b { a } else { b };
        let largest = numbers.reduce(|a, b| a.each_2(b, larger));
        largest.unwrap_or(Self::splat(f64::NEG_INFINITY))
    }

    #[inline(always)]
    fn weight(self, largest: Self) -> Self {
        let difference =
            self.each_2(
                largest,
                |x, largest| {
                    if x == largest && x.is_infinite() { 0.0 } else { x - largest }
                },
            );
        difference.exp()
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        self
    }

    #[inline(always)]
    fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
        let mut mask = 0;
        for (lane, (&x, &y)) in x.0.iter().zip(&y.0).enumerate() {
            mask |= u64::from(condition(x, y)) << lane;
        }
        mask
    }

    #[inline(always)]
    fn is_nan_in_a_lane(self) -> bool {
        self.any(f64::is_nan)
    }

    #[inline(always)]
    fn vanishing_lanes(self) -> u64 {
        self.mask(|x| x == 0.0)
    }

    #[inline(always)]
    fn vanishes(self) -> bool {
        self.vanishing_lanes() == all_lanes::<Self>()
    }

    #[inline(always)]
    fn is_zero_or_infinite(self) -> bool {
        // Two conditions of which either is a comparison of vectors: x·0 is NaN where x is not finite.
        self.any(|x| x == 0.0) | self.any(|x| (x * 0.0).is_nan())
    }

    #[inline(always)]
    fn is_the_constant(self, value: f64) -> bool {
        !self.any(|x| x != value)
    }

    #[inline(always)]
    fn is_a_finite_factor(self) -> bool {
        !self.is_zero_or_infinite()
    }
}

/// [`Number::cofactor`] where the product is NaN in some lanes.
#[cold]
#[inline(never)]
fn cofactor_by_lanes<const N: usize>(x: Lanes<N>, y: Lanes<N>, product: Lanes<N>) -> Lanes<N> {
    Lanes(core::array::from_fn(|lane| f64::cofactor(x.0[lane], y.0[lane], product.0[lane])))
}

impl<const N: usize> Neg for Lanes<N> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.each(|x| -x)
    }
}

impl<const N: usize> Neg for &Lanes<N> {
    type Output = Lanes<N>;

    #[inline(always)]
    fn neg(self) -> Lanes<N> {
        -*self
    }
}

/// An operator between lanes, and with a plain number on either side.
macro_rules! operate {
    ($($Trait:ident $name:ident $Assign:ident $assign:ident $symbol:tt;)*) => {$(
        impl<const N: usize> $Trait for Lanes<N> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.each_2(other, |x, y| x $symbol y)
            }
        }

        impl<const N: usize> $Trait<f64> for Lanes<N> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, number: f64) -> Self {
                self.each(|x| x $symbol number)
            }
        }

        impl<const N: usize> $Trait<Lanes<N>> for f64 {
            type Output = Lanes<N>;

            #[inline(always)]
            fn $name(self, lanes: Lanes<N>) -> Lanes<N> {
                lanes.each(|x| self $symbol x)
            }
        }

        by_reference!([const N: usize] Lanes<N>, Lanes<N>; $Trait $name $symbol);
        by_reference!([const N: usize] Lanes<N>, f64; $Trait $name $symbol);
        by_reference!([const N: usize] f64, Lanes<N>; $Trait $name $symbol);
        nested!($Trait $name $symbol; [const N: usize] Var(Lanes<N>), [const N: usize] Dual(Lanes<N>));

        operate!(@assign $Assign $assign $symbol; Lanes<N>, f64, &Lanes<N>, &f64);
    )*};
    (@assign $Assign:ident $assign:ident $symbol:tt; $($Right:ty),*) => {$(
        impl<const N: usize> $Assign<$Right> for Lanes<N> {
            #[inline(always)]
            fn $assign(&mut self, other: $Right) {
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

/// As `f64`'s: the empty sum is −0.
impl<const N: usize> Sum for Lanes<N> {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.reduce(|sum, term| sum + term).unwrap_or(Self::splat(-0.0))
    }
}

impl<'a, const N: usize> Sum<&'a Self> for Lanes<N> {
    fn sum<I: Iterator<Item = &'a Self>>(terms: I) -> Self {
        terms.copied().sum()
    }
}

impl<const N: usize> Product for Lanes<N> {
    fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
        factors.reduce(|product, factor| product * factor).unwrap_or(Self::splat(1.0))
    }
}

impl<'a, const N: usize> Product<&'a Self> for Lanes<N> {
    fn product<I: Iterator<Item = &'a Self>>(factors: I) -> Self {
        factors.copied().product()
    }
}
