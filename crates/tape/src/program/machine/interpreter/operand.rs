//! Views of a step's slots: its operands, results, and their adjoints, instance by instance.

use core::cell::Cell;

use super::Machine;
use crate::op::Op;
use crate::program::code::{Code, Column, Kind, NONE, Step};
use crate::program::machine::element::Element;

/// The operand of every instance: views of a column's slots.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a, E> {
    Same(&'a Cell<E>),
    Run(&'a [Cell<E>]),
    Listed(&'a [Cell<E>], &'a [u32]),
    /// Of adjoints: a run whose slots hold nothing yet.
    Stored(&'a [Cell<E>]),
}

impl<'a, E: Copy> Operand<'a, E> {
    #[inline(always)]
    pub(super) fn new(
        code: &'a Code,
        slots: &'a [Cell<E>],
        kind: Kind,
        start: u32,
        count: usize,
    ) -> Self {
        let start = start as usize;
        match kind {
            Kind::Same => Operand::Same(&slots[start]),
            Kind::Run => Operand::Run(&slots[start..][..count]),
            Kind::Listed => Operand::Listed(slots, &code.listed[start..][..count]),
        }
    }

    #[inline(always)]
    pub(super) fn at(&self, instance: usize) -> &'a Cell<E> {
        match self {
            Operand::Same(cell) => cell,
            Operand::Run(cells) | Operand::Stored(cells) => &cells[instance],
            Operand::Listed(slots, listed) => &slots[listed[instance] as usize],
        }
    }
}

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    pub(super) fn count(&self, step: &Step) -> usize {
        (step.count as usize).min(self.limit)
    }

    #[inline(always)]
    pub(super) fn column(&self, step: &Step, position: usize) -> Column {
        self.code.columns[step.first as usize + position]
    }

    /// The values of a column's slots.
    #[inline(always)]
    pub(super) fn values_of(&self, column: &Column, count: usize) -> Operand<'a, E> {
        Operand::new(self.code, self.values, column.kind, column.value, count)
    }

    /// The adjoints of a column's slots, if it has any.
    #[inline(always)]
    pub(super) fn adjoints_of(&self, column: &Column, count: usize) -> Option<Operand<'a, E>> {
        if column.adjoint == NONE {
            return None;
        }
        if column.is_stored {
            return Some(Operand::Stored(&self.adjoints[column.adjoint as usize..][..count]));
        }
        Some(Operand::new(self.code, self.adjoints, column.kind, column.adjoint, count))
    }

    /// The values of an operand.
    #[inline(always)]
    pub(super) fn operand(&self, step: &Step, position: usize) -> Operand<'a, E> {
        self.values_of(&self.column(step, position), self.count(step))
    }

    /// The adjoints of an operand, if it has any.
    #[inline(always)]
    pub(super) fn adjoint(&self, step: &Step, position: usize) -> Option<Operand<'a, E>> {
        self.adjoints_of(&self.column(step, position), self.count(step))
    }

    #[inline(always)]
    pub(super) fn value(&self, step: &Step, position: usize, instance: usize) -> E {
        self.operand(step, position).at(instance).get()
    }

    /// The value of a column of one slot.
    #[inline(always)]
    pub(super) fn single(&self, column: &Column) -> E {
        self.values[column.value as usize].get()
    }

    #[inline(always)]
    pub(super) fn results(&self, step: &Step) -> &'a [Cell<E>] {
        &self.values[step.value as usize..][..self.count(step)]
    }

    /// The adjoints of the results.
    #[inline(always)]
    pub(super) fn weights(&self, step: &Step) -> &'a [Cell<E>] {
        &self.adjoints[step.adjoint as usize..][..self.count(step)]
    }

    #[inline(always)]
    pub(super) fn clear(&self, step: &Step) {
        for cell in self.weights(step) {
            cell.set(E::ZERO);
        }
    }
}

/// How many operands a span has: of a dot product, a factor's.
#[inline(always)]
pub(super) fn span_length(step: &Step) -> usize {
    (if step.op == Op::Dot { step.arity / 2 } else { step.arity }) as usize
}
