//! The interpreter: runs code step by step. A step is one operation on `count` instances at once, so that the cost of
//! choosing it is shared, and its loops are what compilers make vector instructions of.
//!
//! What stands in a hot loop here and in its rooms is written as a loop, or in functions that are always inlined: iterators
//! and `array::from_fn` may be left out of line, and do not get the instructions that were chosen at run time then.

mod accumulate;
mod careful;
mod dot;
mod forward;
mod functions;
mod operand;
mod reverse;
mod single;

use core::cell::Cell;

use crate::instructions::{Work, dispatch};
use crate::program::code::{Code, NONE, Run, Single};
use crate::program::machine::element::Element;
use crate::program::machine::manner::{Functions, Manner};
use crate::program::machine::slots::Slots;

/// A sweep in progress: the slots as cells, since a step's ranges lie anywhere among each other.
struct Machine<'a, E> {
    code: &'a Code,
    functions: Functions,
    /// No step computes more instances than this: of a batch, the rows that there are.
    limit: usize,
    values: &'a [Cell<E>],
    adjoints: &'a [Cell<E>],
}

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    fn new(code: &'a Code, slots: &'a mut Slots<E>, manner: Manner) -> Self {
        let Manner { functions, limit } = manner;
        let values = Cell::from_mut(slots.values.as_mut_slice()).as_slice_of_cells();
        let adjoints = Cell::from_mut(slots.adjoints.as_mut_slice()).as_slice_of_cells();
        Self { code, functions, limit, values, adjoints }
    }
}

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    fn compute_all(&self) {
        for run in &self.code.runs {
            if let Some(singles) = self.singles(run) {
                for single in singles {
                    self.compute_single(single);
                }
            } else {
                for step in &self.code.steps[run.steps.clone()] {
                    self.compute(step);
                }
            }
        }
    }

    #[inline(always)]
    fn propagate_all(&self) {
        for run in self.code.runs.iter().rev() {
            if let Some(singles) = self.singles(run) {
                for single in singles.iter().rev().filter(|single| single.adjoint != NONE) {
                    self.propagate_single(single);
                }
            } else {
                let steps = self.code.steps[run.steps.clone()].iter().rev();
                for step in steps.filter(|step| step.adjoint != NONE) {
                    self.propagate(step);
                }
            }
        }
    }

    /// The steps of a run as singles, where they are run so. Those have no vector functions.
    #[inline(always)]
    fn singles(&self, run: &Run) -> Option<&'a [Single]> {
        let singles = run.singles.clone().filter(|_| self.functions == Functions::Scalar)?;
        Some(&self.code.singles[singles])
    }
}

/// Computes all values from the inputs and constants, with the best instructions that the processor has.
pub(crate) fn forward<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    struct Forward<'a, E>(Machine<'a, E>);
    impl<E: Element> Work for Forward<'_, E> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.0.compute_all();
        }
    }
    dispatch(Forward(Machine::new(code, slots, manner)));
}

/// Takes the adjoints of the outputs back to the inputs, by plain multiplication. All other adjoints, but the sink, are 0
/// again after it.
pub(crate) fn reverse<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    struct Reverse<'a, E>(Machine<'a, E>);
    impl<E: Element> Work for Reverse<'_, E> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.0.propagate_all();
        }
    }
    dispatch(Reverse(Machine::new(code, slots, manner)));
}

/// [`forward`] by the engine's rules for what is not finite: of a number with tangents, which [`forward`] multiplies plainly
/// too.
pub(crate) fn forward_carefully<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    let machine = Machine::new(code, slots, manner);
    for step in &code.steps {
        machine.compute_carefully(step);
    }
}

/// [`reverse`] by the engine's rules for what is not finite.
pub(crate) fn reverse_carefully<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    let machine = Machine::new(code, slots, manner);
    for step in code.steps.iter().rev() {
        if step.adjoint != NONE {
            machine.propagate_carefully(step);
        }
    }
}
