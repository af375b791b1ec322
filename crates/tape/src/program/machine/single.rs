//! Single precision: the numbers of a batch that computes its rows on `f32`.
//!
//! Arithmetic and dot products are done on `f32`, in vectors of twice as many numbers; functions on `f64`, and rounded once.

use core::cell::Cell;

use crate::lanes::Lanes;
use crate::op::Op;
use crate::program::machine::element::{Element, MOST};
use crate::vector;
use crate::vector::single;

/// How many rows pass through a function together.
const ROWS: usize = 32;

/// How many numbers of a row of slots are copied out for a function.
const AT_ONCE: usize = 256;

impl Element for f32 {
    type Exact = f64;
    type Chunk = Lanes<ROWS>;
    const CHUNK: usize = ROWS;
    const ZERO: f32 = 0.0;
    const HAS_TILES: bool = true;
    const IS_SINGLE: bool = true;

    #[inline(always)]
    fn from_f64(number: f64) -> f32 {
        number as f32
    }

    #[inline(always)]
    fn from_directions(mut number: impl FnMut(usize) -> f64) -> f32 {
        number(0) as f32
    }

    #[inline(always)]
    fn direction(&self, _: usize) -> f64 {
        (*self).into()
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }

    #[inline(always)]
    fn map_1(self, value: impl Fn(f64) -> f64, _: impl Fn(f64, f64) -> f64) -> f32 {
        value(self.into()) as f32
    }

    #[inline(always)]
    fn evaluate(op: Op, arity: usize, argument: impl Fn(usize) -> f32) -> f32 {
        f64::evaluate(op, arity, |position| argument(position).into()) as f32
    }

    #[inline(always)]
    fn partials(op: Op, arity: usize, argument: impl Fn(usize) -> f32, value: f32) -> [f32; MOST] {
        let partials = f64::partials(op, arity, |position| argument(position).into(), value.into());
        partials.map(|partial| partial as f32)
    }

    #[inline(always)]
    fn norm_of(components: impl Iterator<Item = f32> + Clone) -> f32 {
        f64::norm_of(components.map(f64::from)) as f32
    }

    #[inline(always)]
    fn largest_of(numbers: impl Iterator<Item = f32> + Clone) -> f32 {
        f64::largest_of(numbers.map(f64::from)) as f32
    }

    #[inline(always)]
    fn gather(count: usize, number: impl Fn(usize) -> f32) -> Lanes<ROWS> {
        f64::gather(count, |position| number(position).into())
    }

    #[inline(always)]
    fn part(chunk: &Lanes<ROWS>, position: usize) -> f32 {
        chunk.0[position] as f32
    }

    fn map(op: Op, from: &[Cell<f32>], to: &[Cell<f32>]) -> bool {
        let (mut x, mut y) = ([0.0; AT_ONCE], [0.0; AT_ONCE]);
        for (from, to) in from.chunks(AT_ONCE).zip(to.chunks(AT_ONCE)) {
            let (x, y) = (&mut x[..from.len()], &mut y[..from.len()]);
            copy(from, x);
            if !single::map_1(op, x, y) && !through_double(op, x, y) {
                return false;
            }
            for (to, &y) in to.iter().zip(&*y) {
                to.set(y);
            }
        }
        true
    }

    fn propagate(
        op: Op,
        [x, y]: [&[Cell<f32>]; 2],
        weights: &[Cell<f32>],
        adjoints: &[Cell<f32>],
    ) -> bool {
        let [mut of_x, mut of_y, mut partials] = [[0.0; AT_ONCE]; 3];
        for start in (0..weights.len()).step_by(AT_ONCE) {
            let count = (weights.len() - start).min(AT_ONCE);
            let (of_x, of_y, partials) =
                (&mut of_x[..count], &mut of_y[..count], &mut partials[..count]);
            copy(&x[start..], of_x);
            copy(&y[start..], of_y);
            if !single::map_partial(op, of_x, of_y, partials) {
                return false;
            }
            let cells = weights[start..].iter().zip(&adjoints[start..]);
            for ((weight, adjoint), &partial) in cells.zip(&*partials) {
                adjoint.set(adjoint.get() + weight.get() * partial);
            }
        }
        true
    }
}

#[inline(always)]
fn copy(from: &[Cell<f32>], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.get();
    }
}

/// By the vector function on `f64`; false, and nothing done, where there is none.
fn through_double(op: Op, x: &[f32], y: &mut [f32]) -> bool {
    let (mut wide_x, mut wide_y) = ([0.0; AT_ONCE], [0.0; AT_ONCE]);
    let (wide_x, wide_y) = (&mut wide_x[..x.len()], &mut wide_y[..x.len()]);
    for (wide, &x) in wide_x.iter_mut().zip(x) {
        *wide = x.into();
    }
    if !vector::map_1(op, wide_x, wide_y) {
        return false;
    }
    for (y, &wide) in y.iter_mut().zip(&*wide_y) {
        *y = wide as f32;
    }
    true
}
