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
mod links;
mod operand;
mod reverse;

use core::cell::Cell;
use core::ops::Range;

use crate::instructions::{Work, dispatch};
use crate::program::code::{Code, NONE, Run, Step};
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

/// Steps with the instructions that were chosen at run time.
struct Compute<'m, 'a, E>(&'m Machine<'a, E>, &'m [Step]);

impl<E: Element> Work for Compute<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for step in self.1 {
            self.0.compute(step);
        }
    }
}

struct Propagate<'m, 'a, E>(&'m Machine<'a, E>, &'m [Step]);

impl<E: Element> Work for Propagate<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for step in self.1.iter().rev().filter(|step| step.adjoint != NONE) {
            self.0.propagate(step);
        }
    }
}

impl<E: Element> Machine<'_, E> {
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
    let machine = Machine::new(code, slots, manner);
    for run in &code.runs {
        match run {
            Run::Singles { links: Some(links), .. } if machine.functions == Functions::Scalar => {
                machine.compute_links(links);
            }
            Run::Steps(run) => dispatch(Compute(&machine, &code.steps[run.clone()])),
            Run::Singles { singles, .. } => machine.compute_singles_as_steps(singles),
        }
    }
}

/// Takes the adjoints of the outputs back to the inputs, by plain multiplication. All other adjoints, but the sink, are 0
/// again after it.
pub(crate) fn reverse<E: Element>(code: &Code, slots: &mut Slots<E>, manner: Manner) {
    let machine = Machine::new(code, slots, manner);
    for run in code.runs.iter().rev() {
        match run {
            Run::Singles { links: Some(links), .. } if machine.functions == Functions::Scalar => {
                machine.propagate_links(links);
            }
            Run::Steps(run) => dispatch(Propagate(&machine, &code.steps[run.clone()])),
            Run::Singles { singles, .. } => machine.propagate_singles_as_steps(singles),
        }
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
        }
    }
}
