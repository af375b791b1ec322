//! The interpreter: runs code step by step. A step is one operation on `count` instances at once, so that the cost of
//! choosing it is shared, and its loops are what compilers make vector instructions of.
//!
//! What stands in a hot loop here and in its rooms is written as a loop, or in functions that are always inlined: iterators
//! and `array::from_fn` may be left out of line, and do not get the instructions that were chosen at run time then.

mod accumulate;
mod calls;
mod careful;
mod dot;
mod forward;
mod functions;
mod links;
mod operand;
mod reverse;

use core::cell::Cell;
use core::ops::Range;

use crate::instructions::{Work, dispatch};
use crate::program::code::links::LinkRange;
use crate::program::code::{Code, NONE, Run, Step};
use crate::program::machine::element::Element;
use crate::program::machine::manner::{Functions, Manner};
use crate::program::machine::slots::Slots;

/// A sweep in progress: the slots as cells, since a step's ranges lie anywhere among each other.
struct Machine<'a, E: Element> {
    code: &'a Code,
    functions: Functions,
    /// No step computes more instances than this: of a batch, the rows that there are.
    limit: usize,
    values: &'a [Cell<E>],
    adjoints: &'a [Cell<E>],
    of_calls: &'a Cell<Vec<E::Exact>>,
}

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    fn new(code: &'a Code, slots: &'a mut Slots<E>, manner: Manner) -> Self {
        let Manner { functions, limit } = manner;
        let values = Cell::from_mut(slots.values.as_mut_slice()).as_slice_of_cells();
        let adjoints = Cell::from_mut(slots.adjoints.as_mut_slice()).as_slice_of_cells();
        Self {
            code,
            functions,
            limit,
            values,
            adjoints,
            of_calls: Cell::from_mut(&mut slots.of_calls),
        }
    }
}

impl<E: Element> Machine<'_, E> {
    /// The links of code that is nothing else. They need not enter the large function that has the loops of steps.
    fn only_links(&self) -> Option<&LinkRange> {
        match &*self.code.runs {
            [Run::Singles { links, .. }] if self.functions == Functions::Scalar => links.as_ref(),
            _ => None,
        }
    }

    #[inline(always)]
    fn compute_all(&self) {
        for run in &self.code.runs {
            match run {
                Run::Singles { links: Some(links), .. } if self.functions == Functions::Scalar => {
                    self.compute_links(links);
                }
                Run::Steps(run) => {
                    for step in &self.code.steps[run.clone()] {
                        self.compute(step);
                    }
                }
                Run::Call(call) => self.compute_own(&self.code.calls[*call]),
                Run::Singles { singles, .. } => self.compute_singles_as_steps(singles),
            }
        }
    }

    #[inline(always)]
    fn propagate_all(&self) {
        for run in self.code.runs.iter().rev() {
            match run {
                Run::Singles { links: Some(links), .. } if self.functions == Functions::Scalar => {
                    self.propagate_links(links);
                }
                Run::Steps(run) => {
                    let steps = self.code.steps[run.clone()].iter().rev();
                    for step in steps.filter(|step| step.adjoint != NONE) {
                        self.propagate(step);
                    }
                }
                Run::Call(call) => self.propagate_own(&self.code.calls[*call]),
                Run::Singles { singles, .. } => self.propagate_singles_as_steps(singles),
            }
        }
    }

    fn compute_singles_as_steps(&self, run: &Range<usize>) {
        for single in &self.code.singles[run.clone()] {
            self.compute_alone(&single.as_step());
        }
    }

    fn propagate_singles_as_steps(&self, run: &Range<usize>) {
        for single in self.code.singles[run.clone()].iter().rev() {
            if single.adjoint != NONE {
                self.propagate_alone(&single.as_step());
            }
        }
    }

    /// A step of one instance gains nothing by special instructions.
    #[inline(never)]
    fn compute_alone(&self, step: &Step) {
        self.compute(step);
    }

    #[inline(never)]
    fn propagate_alone(&self, step: &Step) {
        self.propagate(step);
    }
}

/// Computes all values from the inputs and constants, with the best instructions that the processor has.
pub(crate) fn forward<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    struct Forward<'a, E: Element>(Machine<'a, E>);
    impl<E: Element> Work for Forward<'_, E> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.0.compute_all();
        }
    }
    let machine = Machine::new(code, slots, manner);
    match machine.only_links() {
        Some(links) => machine.compute_links(links),
        None => dispatch(Forward(machine)),
    }
}

/// Takes the adjoints of the outputs back to the inputs, by plain multiplication. All other adjoints, but the sink, are 0
/// again after it.
pub(crate) fn reverse<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    struct Reverse<'a, E: Element>(Machine<'a, E>);
    impl<E: Element> Work for Reverse<'_, E> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.0.propagate_all();
        }
    }
    let machine = Machine::new(code, slots, manner);
    match machine.only_links() {
        Some(links) => machine.propagate_links(links),
        None => dispatch(Reverse(machine)),
    }
}

/// [`forward`] by the engine's rules for what is not finite: of a number with tangents, which [`forward`] multiplies plainly
/// too.
pub(crate) fn forward_carefully<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    let machine = Machine::new(code, slots, manner);
    for run in &code.runs {
        match run {
            Run::Steps(run) => {
                code.steps[run.clone()].iter().for_each(|step| machine.compute_carefully(step));
            }
            Run::Singles { singles, .. } => {
                let singles = code.singles[singles.clone()].iter();
                singles.for_each(|single| machine.compute_carefully(&single.as_step()));
            }
            Run::Call(call) => machine.compute_own(&code.calls[*call]),
        }
    }
}

/// [`reverse`] by the engine's rules for what is not finite.
pub(crate) fn reverse_carefully<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    let machine = Machine::new(code, slots, manner);
    let propagate = |step: &Step| {
        if step.adjoint != NONE {
            machine.propagate_carefully(step);
        }
    };
    for run in code.runs.iter().rev() {
        match run {
            Run::Steps(run) => code.steps[run.clone()].iter().rev().for_each(propagate),
            Run::Singles { singles, .. } => {
                let singles = code.singles[singles.clone()].iter().rev();
                singles.for_each(|single| propagate(&single.as_step()));
            }
            Run::Call(call) => machine.propagate_own(&code.calls[*call]),
        }
    }
}
