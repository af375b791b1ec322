//! Adding to adjoints, and sums whose order does not depend on the instructions.

use core::cell::Cell;
use core::ops::Range;

use super::operand::Operand;
use crate::program::machine::element::Element;

/// Adds to an operand's adjoints what `contribution` says for each instance.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index into several slices of one length")]
pub(super) fn accumulate<E: Element>(
    adjoint: Operand<'_, E>,
    count: usize,
    contribution: impl Fn(usize) -> E,
) {
    // The slices that the contributions read are cut to `count` as well: their bounds are checked once, not in the loop.
    match adjoint {
        Operand::Same(adjoint) if E::IS_THIN && count > 1 => {
            adjoint.set(adjoint.get() + sum_of(count, contribution));
        }
        Operand::Run(adjoints) if E::IS_THIN => {
            let adjoints = &adjoints[..count];
            for instance in 0..count {
                let adjoint = &adjoints[instance];
                adjoint.set(adjoint.get() + contribution(instance));
            }
        }
        Operand::Stored(adjoints) => {
            let adjoints = &adjoints[..count];
            for instance in 0..count {
                adjoints[instance].set(contribution(instance));
            }
        }
        adjoint => {
            for instance in 0..count {
                let cell = adjoint.at(instance);
                cell.set(cell.get() + contribution(instance));
            }
        }
    }
}

/// Adds weight·factor to an operand's adjoints.
#[inline(always)]
pub(super) fn accumulate_products<E: Element>(
    adjoint: Operand<'_, E>,
    weights: &[Cell<E>],
    factor: Operand<'_, E>,
) {
    let count = weights.len();
    match factor {
        Operand::Run(factor) if E::IS_THIN => {
            let factor = &factor[..count];
            accumulate(adjoint, count, |instance| weights[instance].get() * factor[instance].get());
        }
        Operand::Same(factor) if E::IS_THIN => {
            let factor = factor.get();
            accumulate(adjoint, count, |instance| weights[instance].get() * factor);
        }
        factor => {
            accumulate(adjoint, count, |instance| {
                weights[instance].get() * factor.at(instance).get()
            });
        }
    }
}

/// Adds weight·y to an operand's adjoints, and weight·x to those of the other, or stores these.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index into several slices of one length")]
pub(super) fn accumulate_both<const IS_STORED: bool, E: Element>(
    weights: &[Cell<E>],
    [x, y]: [&[Cell<E>]; 2],
    [to_x, to_y]: [&[Cell<E>]; 2],
) {
    let count = weights.len();
    let (x, y, to_x, to_y) = (&x[..count], &y[..count], &to_x[..count], &to_y[..count]);
    for instance in 0..count {
        let weight = weights[instance].get();
        let [of_x, of_y] = [weight * y[instance].get(), weight * x[instance].get()];
        to_x[instance].set(to_x[instance].get() + of_x);
        to_y[instance].set(if IS_STORED { of_y } else { to_y[instance].get() + of_y });
    }
}

/// start + term(first) + term(first + 1) + …
#[inline(always)]
pub(super) fn added_to<E: Element>(start: E, items: Range<usize>, term: impl Fn(usize) -> E) -> E {
    let mut sum = start;
    for item in items {
        sum += term(item);
    }
    sum
}

/// term(0) + … + term(count − 1), in eight interleaved sums, whose order does not depend on the instructions used.
#[inline(always)]
pub(super) fn sum_of<E: Element>(count: usize, term: impl Fn(usize) -> E) -> E {
    total(interleaved(count, term))
}

pub(super) const WAYS: usize = 8;

/// The interleaved sums.
#[inline(always)]
pub(super) fn interleaved<E: Element>(count: usize, term: impl Fn(usize) -> E) -> [E; WAYS] {
    let mut sums = [E::ZERO; WAYS];
    let whole = count - count % WAYS;
    let mut first = 0;
    while first < whole {
        for (way, sum) in sums.iter_mut().enumerate() {
            *sum += term(first + way);
        }
        first += WAYS;
    }
    for (way, sum) in sums[..count - whole].iter_mut().enumerate() {
        *sum += term(whole + way);
    }
    sums
}

/// Their sum.
#[inline(always)]
pub(super) fn total<E: Element>([a, b, c, d, e, f, g, h]: [E; WAYS]) -> E {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
