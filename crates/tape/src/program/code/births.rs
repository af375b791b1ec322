//! Pass: which adjoints need not be 0 before something is added to them.
//!
//! The first contribution to an adjoint, which comes from the last step that uses it, can be stored where it fills whole rows
//! of slots. An adjoint whose slots are stored to next, whatever they hold, need not be cleared when it dies.

use crate::op::Op;
use crate::program::code::{Code, Column, Kind, NONE, Run, Shape, Step};

/// What is in a slot: an adjoint that lives; or none so far in this sweep; or one that has died and was cleared. Any other
/// number is the step whose adjoint died here.
const ALIVE: u32 = NONE;
const UNTOUCHED: u32 = NONE - 1;
const CLEARED: u32 = NONE - 2;

/// Marks the columns whose adjoints are stored, and the steps that must clear their own. An output has this many slots.
pub(super) fn find_births(code: &mut Code, width: usize) {
    if code.steps.is_empty() && code.calls.is_empty() {
        return;
    }
    let mut births = Births {
        slots: vec![UNTOUCHED; code.adjoints],
        clean_at_start: vec![false; code.adjoints],
        clears: vec![false; code.steps.len()],
    };
    let sink = code.adjoints - 1;
    births.slots[..code.inputs].fill(ALIVE);
    births.slots[sink] = ALIVE;
    for output in &code.outputs {
        let first = output.adjoint as usize;
        if output.adjoint != NONE && first >= code.inputs {
            (first..first + width).for_each(|slot| births.add_to(slot));
        }
    }
    let mut stored = Vec::new();
    for run in code.runs.iter().rev() {
        match run {
            Run::Steps(steps) => {
                for place in steps.clone().rev() {
                    births.walk(code, place, &mut stored);
                }
            }
            Run::Call(call) => {
                let call = &code.calls[*call];
                if call.adjoint != NONE {
                    let columns = &code.columns[call.first as usize..][..call.inputs as usize];
                    births.add_to_all(code, columns, call.count as usize);
                    let first = call.adjoint as usize;
                    let slots = first..first + (call.count * call.outputs) as usize;
                    slots.for_each(|slot| births.end(slot, CLEARED));
                }
            }
            Run::Singles { singles, .. } => {
                for single in code.singles[singles.clone()].iter().rev() {
                    if single.adjoint != NONE {
                        let columns = &code.columns[single.first as usize..];
                        births.add_to_all(code, &columns[..single.arity as usize], 1);
                        births.end(single.adjoint as usize, CLEARED);
                    }
                }
            }
        }
    }
    for (&last, _) in births.slots.iter().zip(&births.clean_at_start).filter(|(_, clean)| **clean) {
        if last < CLEARED {
            births.clears[last as usize] = true;
        }
    }
    for (step, clears) in code.steps.iter_mut().zip(births.clears) {
        step.clears = clears;
    }
    for column in stored {
        code.columns[column].is_stored = true;
    }
}

/// The slots during a reverse sweep.
struct Births {
    slots: Vec<u32>,
    /// The slots in which the first adjoint of a sweep is added to.
    clean_at_start: Vec<bool>,
    /// Of every step, whether something is added to the next adjoint in one of its slots.
    clears: Vec<bool>,
}

impl Births {
    /// A step's contributions, and then the death of its adjoints. Notes the columns that can be stored.
    fn walk(&mut self, code: &Code, place: usize, stored: &mut Vec<usize>) {
        let step = &code.steps[place];
        if step.adjoint == NONE {
            return;
        }
        let columns = code.columns_of(step);
        if step.shape == Shape::Span {
            let per_item = if step.op == Op::Dot { 2 } else { 1 };
            self.add_to_all(code, columns, step.arity as usize / per_item);
        } else {
            for (position, column) in columns.iter().enumerate() {
                let first = column.adjoint as usize;
                let slots = first..first + step.count as usize;
                let is_row = column.adjoint != NONE && column.kind == Kind::Run;
                if is_row && gives_in_order(step) && are_free(&self.slots[slots.clone()]) {
                    self.slots[slots].fill(ALIVE);
                    stored.push(step.first as usize + position);
                } else {
                    self.add_to_all(code, core::slice::from_ref(column), step.count as usize);
                }
            }
        }
        let first = step.adjoint as usize;
        (first..first + step.count as usize).for_each(|slot| self.end(slot, place as u32));
    }

    /// Something may be added to the adjoints of columns of at most so many slots.
    fn add_to_all(&mut self, code: &Code, columns: &[Column], count: usize) {
        for column in columns.iter().filter(|column| column.adjoint != NONE) {
            let first = column.adjoint as usize;
            match column.kind {
                Kind::Same => self.add_to(first),
                Kind::Run => (first..first + count).for_each(|slot| self.add_to(slot)),
                Kind::Listed => {
                    let slots = &code.listed[first..][..count];
                    for &slot in slots {
                        self.add_to(slot as usize);
                    }
                }
            }
        }
    }

    /// Something may be added in a slot: if it is the first, the slot must be 0 before.
    fn add_to(&mut self, slot: usize) {
        match core::mem::replace(&mut self.slots[slot], ALIVE) {
            ALIVE | CLEARED => {}
            UNTOUCHED => self.clean_at_start[slot] = true,
            step => self.clears[step as usize] = true,
        }
    }

    /// An adjoint dies. If nothing was added to it, it must be 0.
    fn end(&mut self, slot: usize, death: u32) {
        self.add_to(slot);
        self.slots[slot] = death;
    }
}

/// Whether no adjoint lives in any of the slots.
fn are_free(slots: &[u32]) -> bool {
    slots.iter().all(|&slot| slot != ALIVE)
}

/// Whether a step contributes to each of its columns, to one after the other.
fn gives_in_order(step: &Step) -> bool {
    matches!(
        step.op,
        Op::Neg
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Sum
            | Op::Dot
            | Op::Exp
            | Op::Sqrt
            | Op::Recip
    )
}
