//! The numbers that the machine computes with, and their plain arithmetic.
//!
//! The engine's rules for what is not finite (an exact 0 wins over ∞ in the chain rule; 0·∞ has no derivative) cost
//! comparisons in every product. The machine leaves them out: it multiplies plainly, notices where something is not
//! finite, and starts again by the rules ([`careful`](super::careful)). A plain number's arithmetic is plain already;
//! of a number with a tangent, it is that of [`Plain`].

use core::cell::Cell;
use core::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::dual::Dual;
use crate::lanes::Lanes;
use crate::op::Op;
use crate::real::Real;
use crate::vector;

/// A number that the machine computes with: `f64`, eight lanes, or one of these with a tangent.
pub(crate) trait Element:
    Copy
    + Send
    + 'static
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    /// The number that keeps the engine's rules; the table of operations is for it.
    type Exact: Real;
    /// Several numbers that pass through a function together, so that it can be a vector function.
    type Chunk: Real;
    /// How many; 1 where a number is a vector by itself.
    const CHUNK: usize;
    const ZERO: Self;
    /// Whether it is one number or two, whose loops are worth a version for every kind of operand.
    const IS_THIN: bool;
    /// Whether a tile of dot products fits into the processor's registers.
    const HAS_TILES: bool = false;

    fn from_f64(number: f64) -> Self;
    fn from_exact(number: Self::Exact) -> Self;
    fn exact(self) -> Self::Exact;
    /// Whether everything in it is finite.
    fn is_finite(self) -> bool;
    /// A chunk from the numbers at positions 0 to `CHUNK` − 1; positions from `count` on repeat the last one.
    fn gather(count: usize, number: impl Fn(usize) -> Self) -> Self::Chunk;
    /// The number at a position of a chunk.
    fn part(chunk: &Self::Chunk, position: usize) -> Self;

    /// Computes a function of many numbers that lie in a row; false, and nothing done, where there is no better way than
    /// by chunks.
    fn map(_: Op, _: &[Cell<Self>], _: &[Cell<Self>]) -> bool {
        false
    }
}

/// How many rows of a batch pass through a function together.
const ROWS: usize = 32;

impl Element for f64 {
    type Exact = f64;
    type Chunk = Lanes<ROWS>;
    const CHUNK: usize = ROWS;
    const ZERO: f64 = 0.0;
    const IS_THIN: bool = true;
    const HAS_TILES: bool = true;

    #[inline(always)]
    fn from_f64(number: f64) -> f64 {
        number
    }

    #[inline(always)]
    fn from_exact(number: f64) -> f64 {
        number
    }

    #[inline(always)]
    fn exact(self) -> f64 {
        self
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
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

/// How many directions, or outputs, one sweep takes.
pub(crate) const LANES: usize = 8;

/// Numbers that are their own chunks.
macro_rules! its_own_chunk {
    () => {
        type Chunk = Self::Exact;
        const CHUNK: usize = 1;

        #[inline(always)]
        fn gather(_: usize, number: impl Fn(usize) -> Self) -> Self::Chunk {
            number(0).exact()
        }

        #[inline(always)]
        fn part(chunk: &Self::Chunk, _: usize) -> Self {
            Self::from_exact(*chunk)
        }
    };
}

impl Element for Lanes<LANES> {
    type Exact = Self;
    const ZERO: Self = Lanes([0.0; LANES]);
    const IS_THIN: bool = false;
    its_own_chunk!();

    #[inline(always)]
    fn from_f64(number: f64) -> Self {
        Self::splat(number)
    }

    #[inline(always)]
    fn from_exact(number: Self) -> Self {
        number
    }

    #[inline(always)]
    fn exact(self) -> Self {
        self
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.0.iter().fold(true, |all, x| all & x.is_finite())
    }
}

/// A number with a tangent, whose products are plain products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<T> {
    pub(crate) value: T,
    pub(crate) tangent: T,
}

impl<T: Element + Real> Element for Plain<T> {
    type Exact = Dual<T>;
    const ZERO: Self = Self { value: T::ZERO, tangent: T::ZERO };
    const IS_THIN: bool = T::IS_THIN;
    its_own_chunk!();

    #[inline(always)]
    fn from_f64(number: f64) -> Self {
        Self { value: Element::from_f64(number), tangent: T::ZERO }
    }

    #[inline(always)]
    fn from_exact(Dual { value, tangent }: Dual<T>) -> Self {
        Self { value, tangent }
    }

    #[inline(always)]
    fn exact(self) -> Dual<T> {
        Dual::new(self.value, self.tangent)
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }
}

impl<T: Element> Neg for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { value: -self.value, tangent: -self.tangent }
    }
}

impl<T: Element> Add for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<T: Element> AddAssign for Plain<T> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Element> Sub for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<T: Element> Mul for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = other.value * self.tangent + self.value * other.tangent;
        Self { value: self.value * other.value, tangent }
    }
}

/// (x′ − z·y′)/y, the tangent of z = x/y. The partial z/y could overflow where its product with y′ does not.
impl<T: Element> Div for Plain<T> {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, tangent: (self.tangent - value * other.tangent) / other.value }
    }
}
