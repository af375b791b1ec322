//! The reverse sweep: one pass over the list, from the output to the inputs, that accumulates adjoints.
//!
//! No operation is named here: a node carries its partials.
#![allow(
    unsafe_code,
    reason = "two bounds checks per node in the hottest loop: docs/measurements.md has what a node costs"
)]

use core::ops::Range;

use std::rc::Rc;

use crate::instructions::{Work, dispatch};
use crate::list::Node;
use crate::list::stop::{Applied, Stop};
use crate::real::Real;

/// [`sweep`] over a list that has operations with results of their own: from one to the next, last first. `stop_before` gives
/// the last of them that has a result before an index.
#[inline]
pub(crate) fn sweep_with_stops<T: Real, O: Applied<T> + ?Sized, const CONSUME: bool>(
    nodes: &[Node<T>],
    stop_before: impl Fn(usize) -> Option<Rc<Stop<T, O>>>,
    adjoints: &mut [T],
    range: Range<usize>,
) {
    let mut end = range.end;
    while let Some(stop) = stop_before(end).filter(|stop| stop.results().start >= range.start) {
        let results = stop.results();
        if results.end < end {
            sweep::<T, CONSUME>(nodes, adjoints, results.end..end);
        }
        stop.pass_on::<CONSUME>(adjoints);
        end = results.start;
    }
    sweep::<T, CONSUME>(nodes, adjoints, range.start..end);
}

/// Sweeps over the nodes in `range`, last first: each passes its adjoint, times its partials, on to its arguments.
///
/// A node whose adjoint is exactly 0 is skipped. That makes dead branches safe (0·∞ never arises) and cheap; its price
/// is one well-predicted branch per node, and that a NaN or ∞ partial behind a 0 adjoint goes unseen. In the same way
/// an exact 0 as a partial wins over an adjoint that is ∞ or NaN.
///
/// With `CONSUME`, the adjoints of the swept nodes are 0 again afterwards: the buffer is ready for the next sweep
/// without being filled anew.
#[inline]
pub(crate) fn sweep<T: Real, const CONSUME: bool>(
    nodes: &[Node<T>],
    adjoints: &mut [T],
    range: Range<usize>,
) {
    struct Sweep<'a, T, const CONSUME: bool>(&'a [Node<T>], &'a mut [T], Range<usize>);
    impl<T: Real, const CONSUME: bool> Work for Sweep<'_, T, CONSUME> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            walk::<T, CONSUME>(self.0, self.1, self.2);
        }
    }
    if T::LANES > 1 {
        dispatch(Sweep::<T, CONSUME>(nodes, adjoints, range));
    } else {
        walk::<T, CONSUME>(nodes, adjoints, range);
    }
}

/// The sweep itself. Of lanes it is compiled for several sets of instructions.
#[inline(always)]
fn walk<T: Real, const CONSUME: bool>(nodes: &[Node<T>], adjoints: &mut [T], range: Range<usize>) {
    let zero = T::from_f64(0.0);
    let adjoints = &mut adjoints[..range.end];
    let mut adjoint = zero;
    for index in range.clone().rev() {
        let node = &nodes[index];
        if !node.is_joined() {
            adjoint = adjoints[index];
            if CONSUME {
                adjoints[index] = zero;
            }
        }
        let [first, second] = node.indices();
        if adjoint.is_zero_or_infinite() {
            if !adjoint.vanishes() {
                pass_on_infinite(node, adjoint, adjoints);
            }
            continue;
        }
        // SAFETY: an argument's index is smaller than its node's (`list`, invariant 2), which is below `range.end`,
        // the length of `adjoints`.
        unsafe {
            adjoints.get_unchecked_mut(first).accumulate(product(node.partials[0], adjoint));
            // Half of all nodes have one argument. What they would send to the sink, one after the other, would make
            // each wait for the one before.
            if second != 0 {
                adjoints.get_unchecked_mut(second).accumulate(product(node.partials[1], adjoint));
            }
        }
    }
}

/// partial·adjoint, neither of which is infinite where the adjoint is a plain number. A number that carries derivatives of
/// its own may be 0 without vanishing.
#[inline(always)]
fn product<T: Real>(partial: T, adjoint: T) -> T {
    if T::DEPTH == 0 { partial * adjoint } else { T::chain(partial, adjoint) }
}

/// An infinite or NaN adjoint goes only where the partial is not exactly 0; and of several lanes, each adjoint that is
/// exactly 0 stays 0 whatever the partial.
#[cold]
#[inline(never)]
fn pass_on_infinite<T: Real>(node: &Node<T>, adjoint: T, adjoints: &mut [T]) {
    for (argument, partial) in node.indices().into_iter().zip(node.partials) {
        if !partial.vanishes() {
            adjoints[argument].accumulate(T::chain(partial, adjoint));
        }
    }
}
