//! An operation with many results on a list: the sweep stops before it, and asks it for the adjoints of its arguments.
//!
//! Its results are nodes without arguments, in a row.

use core::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::dual::Dual;
use crate::real::Real;
use crate::real::operation::Identity;

/// An operation of one's own on numbers of one type.
pub(crate) trait Applied<T>: Send + Sync {
    /// The outputs, which are NaN before.
    fn value(&self, x: &[T], y: &mut [T]);

    /// The adjoints of the inputs, which are 0 before.
    fn reverse(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]);
}

/// An operation of one's own on the numbers of a list, and on those with a tangent, on which the list is replayed.
pub(crate) trait Erased<T>: Applied<T> + Applied<Dual<T>> {
    fn name(&self) -> &str;
    /// What bytes call it.
    fn written(&self) -> String;
    /// How many inputs it takes, if that is fixed; and how many outputs it has for so many inputs.
    fn inputs(&self) -> Option<usize>;
    fn outputs(&self, inputs: usize) -> usize;
    fn identity(&self) -> Identity;
    fn dependencies(&self, output: usize) -> Option<Vec<usize>>;
}

/// A number on which a program can call an operation: its own, and those with a tangent.
pub(crate) trait Called: Real {
    fn call(operation: &dyn Erased<f64>, x: &[Self], y: &mut [Self]);
    fn call_reverse(
        operation: &dyn Erased<f64>,
        x: &[Self],
        y: &[Self],
        adjoint: &[Self],
        into: &mut [Self],
    );
}

macro_rules! called {
    ($number:ty) => {
        impl Called for $number {
            #[inline]
            fn call(operation: &dyn Erased<f64>, x: &[Self], y: &mut [Self]) {
                Applied::<Self>::value(operation, x, y);
            }

            #[inline]
            fn call_reverse(
                operation: &dyn Erased<f64>,
                x: &[Self],
                y: &[Self],
                adjoint: &[Self],
                into: &mut [Self],
            ) {
                Applied::<Self>::reverse(operation, x, y, adjoint, into);
            }
        }
    };
}
called!(f64);
called!(Dual<f64>);

/// The tests' oracle of second derivatives evaluates graphs without calls on them.
#[cfg(test)]
impl Called for Dual<Dual<f64>> {
    fn call(operation: &dyn Erased<f64>, _: &[Self], _: &mut [Self]) {
        unreachable!("{} is called on second derivatives", operation.name());
    }

    fn call_reverse(
        operation: &dyn Erased<f64>,
        _: &[Self],
        _: &[Self],
        _: &[Self],
        _: &mut [Self],
    ) {
        unreachable!("{} is called on second derivatives", operation.name());
    }
}

/// A recorded operation. `O` is what it is kept as: `dyn Erased<T>` on a list.
pub(crate) struct Stop<T, O: ?Sized> {
    pub(crate) operation: Arc<O>,
    /// The index of the first result.
    pub(crate) first: u32,
    pub(crate) arguments: Arguments,
    /// The numbers of the arguments, constants among them, and of the results.
    pub(crate) x: Rc<[T]>,
    pub(crate) y: Rc<[T]>,
}

/// The indices of arguments, 0 for a constant: as runs, since those of matrices are the results of other operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arguments(Box<[Run]>);

/// Indices that follow each other, or as many constants.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    first: u32,
    count: u32,
}

impl FromIterator<u32> for Arguments {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        let mut runs: SmallVec<[Run; 4]> = SmallVec::new();
        for index in indices {
            match runs.last_mut() {
                Some(Run { first: 0, count }) if index == 0 => *count += 1,
                Some(Run { first, count }) if *first != 0 && *first + *count == index => {
                    *count += 1;
                }
                _ => runs.push(Run { first: index, count: 1 }),
            }
        }
        Self(runs.into_boxed_slice())
    }
}

impl Arguments {
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let is_constant = |run: &Run| run.first == 0;
        let index =
            move |run: &Run, place: u32| if is_constant(run) { 0 } else { run.first + place };
        self.0.iter().flat_map(move |run| (0..run.count).map(move |place| index(run, place)))
    }

    fn runs(&self) -> &[Run] {
        &self.0
    }

    /// All of them, where they follow each other.
    pub(crate) fn as_range(&self) -> Option<Range<usize>> {
        match *self.0 {
            [Run { first, count }] if first != 0 => Some(first as usize..(first + count) as usize),
            _ => None,
        }
    }
}

/// A stop as it stands on a list.
pub(crate) type ListStop<T> = Stop<T, dyn Erased<T>>;

impl<T: Real, O: ?Sized> Stop<T, O> {
    /// The indices of the results.
    pub(crate) fn results(&self) -> Range<usize> {
        self.first as usize..self.first as usize + self.y.len()
    }
}

impl<T: Real, O: Applied<T> + ?Sized> Stop<T, O> {
    /// Passes the adjoints of the results on to the arguments. Nothing is done where all are 0.
    pub(crate) fn pass_on<const CONSUME: bool>(&self, adjoints: &mut [T]) {
        let zero = T::from_f64(0.0);
        // A buffer ends where the sweep begins, which may be at one of the results.
        let slots = self.first as usize..self.results().end.min(adjoints.len());
        if !adjoints[slots.clone()].iter().all(|slot| slot.vanishes()) {
            self.hand_over(adjoints, slots.clone());
        }
        if CONSUME {
            adjoints[slots].fill(zero);
        }
    }

    fn hand_over(&self, adjoints: &mut [T], slots: Range<usize>) {
        let zero = T::from_f64(0.0);
        let mut into: SmallVec<[T; 8]> = smallvec![zero; self.x.len()];
        if slots.len() == self.y.len() {
            self.operation.reverse(&self.x, &self.y, &adjoints[slots], &mut into);
        } else {
            let mut of_results = adjoints[slots].to_vec();
            of_results.resize(self.y.len(), zero);
            self.operation.reverse(&self.x, &self.y, &of_results, &mut into);
        }
        let mut rest = &*into;
        for run in self.arguments.runs() {
            let (contributions, after) = rest.split_at(run.count as usize);
            rest = after;
            if run.first == 0 {
                continue;
            }
            let slots = &mut adjoints[run.first as usize..][..contributions.len()];
            for (slot, &contribution) in slots.iter_mut().zip(contributions) {
                if !contribution.vanishes() {
                    slot.accumulate(contribution);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_indices_in_order() {
        for indices in [&[][..], &[0], &[5], &[1, 2, 3], &[0, 0, 1, 2, 2, 3], &[7, 8, 0, 9, 0, 0]] {
            let arguments: Arguments = indices.iter().copied().collect();
            assert!(arguments.iter().eq(indices.iter().copied()), "{indices:?}");
        }
        let range = |indices: &[u32]| indices.iter().copied().collect::<Arguments>().as_range();
        assert_eq!(range(&[4, 5, 6]), Some(4..7));
        assert_eq!(range(&[0, 0]), None);
        assert_eq!(range(&[4, 6]), None);
    }
}
