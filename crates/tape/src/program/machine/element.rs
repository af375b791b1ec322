//! The numbers that the machine computes with, and their plain arithmetic.
//!
//! The engine's rules for what is not finite (an exact 0 wins over ∞ in the chain rule; 0·∞ has no derivative) cost
//! comparisons in every product. The machine leaves them out: it multiplies plainly, notices where something is not
//! finite, and starts again by the rules ([`careful`](super::careful)). A plain number's arithmetic is plain already;
//! of a number with a tangent, it is that of [`Plain`](super::tangent::Plain).

use core::cell::Cell;
use core::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::lanes::Lanes;
use crate::list::stop::Called;
use crate::number::Number;
use crate::op::Op;
use crate::real::Real;
use crate::vector;

/// A number that the machine computes with: `f64`, a number with a tangent, or one of these in several directions.
///
/// All directions start at one point, so their values are the same: a function of the table is computed once for all.
pub(crate) trait Element:
    Copy
    + Send
    + Sync
    + 'static
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    /// One direction of it as a number that keeps the engine's rules; the table of operations is for it.
    type Exact: Called;
    /// Several numbers that pass through a function together, so that it can be a vector function.
    type Chunk: Real;
    /// How many; 1 where a number is not put together with others.
    const CHUNK: usize = 1;
    const DIRECTIONS: usize = 1;
    const ZERO: Self;
    /// Whether it is one number or two, whose loops are worth a version for every kind of operand.
    const IS_THIN: bool = true;
    /// Whether a tile of dot products fits into the processor's registers.
    const HAS_TILES: bool = false;
    /// Whether it is an `f32`, of which registers hold twice as many.
    const IS_SINGLE: bool = false;

    fn from_f64(number: f64) -> Self;
    /// The number whose directions these are, each asked once, in their order.
    fn from_directions(number: impl FnMut(usize) -> Self::Exact) -> Self;
    fn direction(&self, direction: usize) -> Self::Exact;
    /// The number itself, without a direction: what a guard sees.
    fn value(self) -> f64;
    /// Whether everything in it is finite.
    fn is_finite(self) -> bool;

    /// A function of one number, by its value and its partial, which is computed from the argument and the value.
    fn map_1(self, value: impl Fn(f64) -> f64, partial: impl Fn(f64, f64) -> f64) -> Self;
    /// Sine and cosine, which cost little more than one of them.
    #[inline(always)]
    fn sin_cos(self) -> [Self; 2] {
        let (sin, cos) = self.value().sin_cos();
        [self.map_1(|_| sin, |_, _| cos), self.map_1(|_| cos, |_, _| -sin)]
    }
    /// An operation of the table, by its arguments.
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Self) -> Self;
    /// The partials of an operation of the table, with what they are in each direction.
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Self,
        value: Self,
    ) -> [Self; MOST];
    /// The norm of components, and the largest of numbers.
    fn norm_of(components: impl Iterator<Item = Self> + Clone) -> Self;
    fn largest_of(numbers: impl Iterator<Item = Self> + Clone) -> Self;

    /// A chunk from the numbers at positions 0 to `CHUNK` − 1; positions from `count` on repeat the last one.
    fn gather(count: usize, number: impl Fn(usize) -> Self) -> Self::Chunk;
    /// The number at a position of a chunk.
    fn part(chunk: &Self::Chunk, position: usize) -> Self;

    /// Computes a function of many numbers that lie in a row; false, and nothing done, where there is no better way than
    /// by chunks.
    fn map(_: Op, _: &[Cell<Self>], _: &[Cell<Self>]) -> bool {
        false
    }

    /// Adds weight·partial of such a function to the adjoints, from its arguments and values; likewise.
    fn propagate(
        _: Op,
        _: [&[Cell<Self>]; 2],
        _weights: &[Cell<Self>],
        _adjoints: &[Cell<Self>],
    ) -> bool {
        false
    }
}

/// The most arguments that a function of the table has.
pub(crate) const MOST: usize = 3;

/// How many directions, or outputs, one sweep takes.
pub(crate) const LANES: usize = 8;

/// How many rows of a batch pass through a function together.
const ROWS: usize = 32;

impl Element for f64 {
    type Exact = f64;
    type Chunk = Lanes<ROWS>;
    const CHUNK: usize = ROWS;
    const ZERO: f64 = 0.0;
    const HAS_TILES: bool = true;

    #[inline(always)]
    fn from_f64(number: f64) -> f64 {
        number
    }

    #[inline(always)]
    fn from_directions(mut number: impl FnMut(usize) -> f64) -> f64 {
        number(0)
    }

    #[inline(always)]
    fn direction(&self, _: usize) -> f64 {
        *self
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }

    #[inline(always)]
    fn map_1(self, value: impl Fn(f64) -> f64, _: impl Fn(f64, f64) -> f64) -> f64 {
        value(self)
    }

    #[inline(always)]
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> f64) -> f64 {
        with(arity, argument, |arguments| op.evaluate(arguments))
    }

    #[inline(always)]
    fn partials(op: Op, arity: usize, argument: impl Fn(usize) -> f64, value: f64) -> [f64; MOST] {
        with(arity, argument, |arguments| op.partials(arguments, value))
    }

    #[inline(always)]
    fn norm_of(components: impl Iterator<Item = f64> + Clone) -> f64 {
        Number::norm_of(components)
    }

    #[inline(always)]
    fn largest_of(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
        Number::largest_of(numbers)
    }

    #[inline(always)]
    fn gather(count: usize, number: impl Fn(usize) -> f64) -> Lanes<ROWS> {
        let mut chunk = [0.0; ROWS];
        if count == ROWS {
            for (position, slot) in chunk.iter_mut().enumerate() {
                *slot = number(position);
            }
        } else {
            for (position, slot) in chunk.iter_mut().enumerate() {
                *slot = number(position.min(count - 1));
            }
        }
        Lanes(chunk)
    }

    #[inline(always)]
    fn part(chunk: &Lanes<ROWS>, position: usize) -> f64 {
        chunk.0[position]
    }

    fn map(op: Op, from: &[Cell<f64>], to: &[Cell<f64>]) -> bool {
        const MOST: usize = 256;
        let (mut x, mut y) = ([0.0; MOST], [0.0; MOST]);
        for (from, to) in from.chunks(MOST).zip(to.chunks(MOST)) {
            let (x, y) = (&mut x[..from.len()], &mut y[..from.len()]);
            for (x, from) in x.iter_mut().zip(from) {
                *x = from.get();
            }
            if !vector::map_1(op, x, y) {
                return false;
            }
            for (to, &y) in to.iter().zip(&*y) {
                to.set(y);
            }
        }
        true
    }
}

/// Numbers that go through a function one by one.
macro_rules! one_by_one {
    () => {
        type Chunk = Self::Exact;

        #[inline(always)]
        fn gather(_: usize, number: impl Fn(usize) -> Self) -> Self::Chunk {
            number(0).direction(0)
        }

        #[inline(always)]
        fn part(chunk: &Self::Chunk, _: usize) -> Self {
            Self::from_directions(|_| *chunk)
        }
    };
}
pub(crate) use one_by_one;

/// The numbers of a sweep back from several outputs: of a value, all lanes are the same; of an adjoint, each is an
/// output's.
impl Element for Lanes<LANES> {
    type Exact = f64;
    const DIRECTIONS: usize = LANES;
    const ZERO: Self = Lanes([0.0; LANES]);
    const IS_THIN: bool = false;
    one_by_one!();

    #[inline(always)]
    fn from_f64(number: f64) -> Self {
        Self::splat(number)
    }

    #[inline(always)]
    fn from_directions(number: impl FnMut(usize) -> f64) -> Self {
        Lanes(core::array::from_fn(number))
    }

    #[inline(always)]
    fn direction(&self, direction: usize) -> f64 {
        self.0[direction]
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.0[0]
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.0.iter().fold(true, |all, x| all & x.is_finite())
    }

    #[inline(always)]
    fn map_1(self, value: impl Fn(f64) -> f64, _: impl Fn(f64, f64) -> f64) -> Self {
        Self::splat(value(self.0[0]))
    }

    #[inline(always)]
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> Self) -> Self {
        Self::splat(with(arity, |position| argument(position).0[0], |x| op.evaluate(x)))
    }

    #[inline(always)]
    fn partials(
        op: Op,
        arity: usize,
        argument: impl Fn(usize) -> Self,
        value: Self,
    ) -> [Self; MOST] {
        let argument = |position| argument(position).0[0];
        with(arity, argument, |x| op.partials(x, value.0[0])).map(Self::splat)
    }

    fn norm_of(components: impl Iterator<Item = Self> + Clone) -> Self {
        Self::splat(Number::norm_of(components.map(|x| x.0[0])))
    }

    fn largest_of(numbers: impl Iterator<Item = Self> + Clone) -> Self {
        Self::splat(Number::largest_of(numbers.map(|x| x.0[0])))
    }
}

/// Hands a function its arguments.
#[inline(always)]
pub(crate) fn with<T: Real, R>(
    arity: usize,
    argument: impl Fn(usize) -> T,
    function: impl FnOnce(&[T]) -> R,
) -> R {
    let mut arguments = [T::from_f64(0.0); MOST];
    let arguments = &mut arguments[..arity];
    for (position, slot) in arguments.iter_mut().enumerate() {
        *slot = argument(position);
    }
    function(arguments)
}
