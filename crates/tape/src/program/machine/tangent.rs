//! Numbers with a tangent, in one direction or in several, and their plain arithmetic.

use core::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::dual::Dual;
use crate::lanes::Lanes;
use crate::number::Number;
use crate::op::Op;
use crate::program::code::schedule::reads;
use crate::program::machine::element::{Element, LANES, MOST, one_by_one, with};

/// A number with a tangent in one or several directions, whose products are plain products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<T> {
    pub(crate) value: f64,
    pub(crate) tangent: T,
}

impl Plain<f64> {
    #[inline(always)]
    fn from_dual(Dual { value, tangent }: Dual<f64>) -> Self {
        Self { value, tangent }
    }
}

impl<T: Tangent> Element for Plain<T> {
    type Exact = Dual<f64>;
    const DIRECTIONS: usize = T::DIRECTIONS;
    const ZERO: Self = Self { value: 0.0, tangent: T::ZERO };
    const IS_THIN: bool = T::IS_THIN;
    one_by_one!();

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self { value, tangent: T::ZERO }
    }

    #[inline(always)]
    fn from_directions(mut number: impl FnMut(usize) -> Dual<f64>) -> Self {
        let mut value = 0.0;
        let tangent = T::from_directions(|direction| {
            let number = number(direction);
            value = number.value;
            number.tangent
        });
        Self { value, tangent }
    }

    #[inline(always)]
    fn direction(&self, direction: usize) -> Dual<f64> {
        Dual::new(self.value, self.tangent.direction(direction))
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.value
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }

    #[inline(always)]
    fn map_1(self, value: impl Fn(f64) -> f64, partial: impl Fn(f64, f64) -> f64) -> Self {
        let y = value(self.value);
        Self { value: y, tangent: self.tangent.scaled(partial(self.value, y)) }
    }

    #[inline(always)]
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Self) -> Self {
        Tangent::evaluate(op, arity, argument)
    }

    #[inline(always)]
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Self,
        value: Self,
    ) -> [Self; MOST] {
        Tangent::partials(op, arity, argument, value)
    }

    #[inline(always)]
    fn norm_of(components: impl Iterator<Item = Self> + Clone) -> Self {
        Tangent::norm_of(components)
    }

    fn largest_of(numbers: impl Iterator<Item = Self> + Clone) -> Self {
        Self::from_f64(Number::largest_of(numbers.map(|x| x.value)))
    }
}

impl<T: Tangent> Neg for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { value: -self.value, tangent: -self.tangent }
    }
}

impl<T: Tangent> Add for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<T: Tangent> AddAssign for Plain<T> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Tangent> Sub for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<T: Tangent> Mul for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = self.tangent.scaled(other.value) + other.tangent.scaled(self.value);
        Self { value: self.value * other.value, tangent }
    }
}

/// (x′ − z·y′)/y, the tangent of z = x/y. The partial z/y could overflow where its product with y′ does not.
impl<T: Tangent> Div for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, tangent: (self.tangent - other.tangent.scaled(value)).divided(other.value) }
    }
}

/// The tangent of a number: in one direction, or in several.
pub(crate) trait Tangent: Element<Exact = f64> {
    fn scaled(self, by: f64) -> Self;
    fn divided(self, by: f64) -> Self;
    fn is_zero(&self) -> bool;

    /// [`Element::evaluate`] of numbers with such a tangent, and the others.
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Plain<Self>) -> Plain<Self>;
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Plain<Self>,
        value: Plain<Self>,
    ) -> [Plain<Self>; MOST];
    fn norm_of(components: impl Iterator<Item = Plain<Self>> + Clone) -> Plain<Self>;
}

/// One direction: as dual numbers.
impl Tangent for f64 {
    #[inline(always)]
    fn scaled(self, by: f64) -> f64 {
        by * self
    }

    #[inline(always)]
    fn divided(self, by: f64) -> f64 {
        self / by
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        *self == 0.0
    }

    #[inline(always)]
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Plain<f64>) -> Plain<f64> {
        let argument = |position| argument(position).direction(0);
        Plain::from_dual(with(arity, argument, |x| op.evaluate(x)))
    }

    #[inline(always)]
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Plain<f64>,
        value: Plain<f64>,
    ) -> [Plain<f64>; MOST] {
        let argument = |position| argument(position).direction(0);
        with(arity, argument, |x| op.partials(x, value.direction(0))).map(Plain::from_dual)
    }

    fn norm_of(components: impl Iterator<Item = Plain<f64>> + Clone) -> Plain<f64> {
        Plain::from_dual(Number::norm_of(components.map(|x| x.direction(0))))
    }
}

/// Several directions: what depends on the point alone is computed once.
impl Tangent for Lanes<LANES> {
    #[inline(always)]
    fn scaled(self, by: f64) -> Self {
        self * by
    }

    #[inline(always)]
    fn divided(self, by: f64) -> Self {
        self / by
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.0.iter().all(|&x| x == 0.0)
    }

    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Plain<Self>) -> Plain<Self> {
        let (numbers, tangents) = Self::apart(arity, argument);
        let (numbers, tangents) = (&numbers[..arity], &tangents[..arity]);
        let value = op.evaluate(numbers);
        let tangent = Self::along_all(tangents, &op.partials(numbers, value));
        Plain { value, tangent }
    }

    /// A partial's derivative in a direction is the sum of its partials, the second ones, times what the arguments have
    /// there; or, of one that is computed from the value alone, its derivative by the value times what that has.
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Plain<Self>,
        value: Plain<Self>,
    ) -> [Plain<Self>; MOST] {
        let (numbers, tangents) = Self::apart(arity, argument);
        let (numbers, tangents) = (&numbers[..arity], &tangents[..arity]);
        let first = op.partials(numbers, value.value);
        let reads = reads(op);
        if !reads.operands {
            // The arguments' slots may hold something else by now.
            let value_alone = Dual::new(value.value, if reads.result { 1.0 } else { 0.0 });
            let partials = with(arity, |_| Dual::constant(0.0), |x| op.partials(x, value_alone));
            let by_value = partials.map(|partial| partial.tangent);
            let tangent = |of: usize| {
                if by_value[of] == 0.0 { Self::ZERO } else { value.tangent.scaled(by_value[of]) }
            };
            return core::array::from_fn(|of| Plain { value: first[of], tangent: tangent(of) });
        }
        // Of each partial, by each argument.
        let mut second = [[0.0; MOST]; MOST];
        for (by, tangent) in tangents.iter().enumerate() {
            if tangent.is_zero() {
                continue;
            }
            let unit =
                |position| Dual::new(numbers[position], if position == by { 1.0 } else { 0.0 });
            let value = Dual::new(value.value, first[by]);
            let partials = with(arity, unit, |arguments| op.partials(arguments, value));
            for (second, partial) in second.iter_mut().zip(partials) {
                second[by] = partial.tangent;
            }
        }
        let mut partials = first.map(Plain::from_f64);
        for (partial, second) in partials[..arity].iter_mut().zip(&second) {
            partial.tangent = Self::along_all(tangents, second);
        }
        partials
    }

    /// At the origin the tangent is NaN, as the quotient is: the careful way knows more.
    fn norm_of(components: impl Iterator<Item = Plain<Self>> + Clone) -> Plain<Self> {
        let value: f64 = Number::norm_of(components.clone().map(|x| x.value));
        let tangent = components.fold(Self::ZERO, |sum, x| sum + x.tangent.scaled(x.value / value));
        Plain { value, tangent }
    }
}

impl Lanes<LANES> {
    /// The values of arguments, and their tangents.
    #[inline(always)]
    fn apart(arity: usize, argument: impl Fn(usize) -> Plain<Self>) -> ([f64; MOST], [Self; MOST]) {
        let (mut numbers, mut tangents) = ([0.0; MOST], [Self::ZERO; MOST]);
        for position in 0..arity {
            let Plain { value, tangent } = argument(position);
            (numbers[position], tangents[position]) = (value, tangent);
        }
        (numbers, tangents)
    }

    /// Σ factor·tangent; a tangent that is 0 has no part in it, whatever its factor.
    #[inline(always)]
    fn along_all(tangents: &[Self], factors: &[f64]) -> Self {
        let mut sum = Self::ZERO;
        for (tangent, &factor) in tangents.iter().zip(factors) {
            if !tangent.is_zero() {
                sum += tangent.scaled(factor);
            }
        }
        sum
    }
}
