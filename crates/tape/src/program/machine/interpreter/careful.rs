//! The sweeps by the engine's rules for numbers that are not finite: slower, instance by instance.

use core::cell::Cell;

use super::Machine;
use super::operand::Operand;
use crate::kinks;
use crate::number::Number;
use crate::op::Op;
use crate::partial;
use crate::program::code::{Column, Kind, NONE, Shape, Step};
use crate::program::machine::element::Element;
use crate::real::Real;

impl<'a, E: Element> Machine<'a, E> {
    /// The slot of an operand of one instance, if it has one.
    fn cell(
        &self,
        step: &Step,
        position: usize,
        instance: usize,
        slots: &'a [Cell<E>],
        start: impl Fn(Column) -> u32,
    ) -> Option<&'a Cell<E>> {
        if step.shape != Shape::Span {
            let column = self.column(step, position);
            let operand =
                || Operand::new(self.code, slots, column.kind, start(column), self.count(step));
            return (start(column) != NONE).then(|| operand().at(instance));
        }
        let per_item = if step.op == Op::Dot { 2 } else { 1 };
        let leading = step.arity as usize % per_item;
        let (column, item) = match position.checked_sub(leading) {
            Some(position) => (leading + position % per_item, position / per_item),
            None => (0, 0),
        };
        let column = self.column(step, column);
        (start(column) != NONE).then(|| match column.kind {
            Kind::Same => &slots[start(column) as usize],
            _ if position < leading => &slots[start(column) as usize],
            _ => &slots[start(column) as usize + item],
        })
    }

    /// As [`Machine::compute`]: a tangent that is exactly 0 stays 0, whatever the partial is.
    pub(super) fn compute_carefully(&self, step: &Step) {
        const FEW: usize = 8;
        let arity = step.arity as usize;
        let (mut few, mut many) = ([E::ZERO.exact(); FEW], Vec::new());
        let arguments = if arity <= FEW {
            &mut few[..arity]
        } else {
            many.resize(arity, E::ZERO.exact());
            &mut many[..]
        };
        for (instance, result) in self.results(step).iter().enumerate() {
            for (position, argument) in arguments.iter_mut().enumerate() {
                let cell = self.cell(step, position, instance, self.values, |column| column.value);
                if let Some(cell) = cell {
                    *argument = cell.get().exact();
                }
            }
            result.set(E::from_exact(step.op.evaluate(arguments)));
        }
    }

    /// As [`Machine::propagate`]: an adjoint or a partial that is exactly 0 contributes nothing, whatever the other is.
    pub(super) fn propagate_carefully(&self, step: &Step) {
        let arity = step.arity as usize;
        for (instance, weight) in self.weights(step).iter().enumerate() {
            let adjoint = weight.replace(E::ZERO).exact();
            if adjoint.vanishes() {
                continue;
            }
            let argument = |position: usize| {
                self.cell(step, position, instance, self.values, |column| column.value)
                    .map_or(adjoint, |cell| cell.get().exact())
            };
            let give = |position: usize, partial: E::Exact| {
                if let Some(cell) =
                    self.cell(step, position, instance, self.adjoints, |column| column.adjoint)
                {
                    cell.set(E::from_exact(cell.get().exact() + E::Exact::chain(partial, adjoint)));
                }
            };
            match step.op {
                Op::Sum => (0..arity).for_each(|position| give(position, E::Exact::from_f64(1.0))),
                Op::Dot => {
                    let leading = arity % 2;
                    if leading == 1 {
                        give(0, E::Exact::from_f64(1.0));
                    }
                    for position in (leading..arity).step_by(2) {
                        let (a, b) = (argument(position), argument(position + 1));
                        give(position, partial::mul::of_0(a, b, a * b));
                        give(position + 1, partial::mul::of_1(a, b, a * b));
                    }
                }
                Op::Norm => {
                    let norm = self.results(step)[instance].get().exact();
                    let tip = kinks::norm_tip((0..arity).map(argument), norm);
                    for position in 0..arity {
                        give(position, kinks::norm_partial(argument(position), norm, tip));
                    }
                }
                Op::Largest => {}
                op => {
                    let mut arguments = [adjoint; 3];
                    let arguments = &mut arguments[..arity];
                    for (position, slot) in arguments.iter_mut().enumerate() {
                        *slot = argument(position);
                    }
                    // The slot of a product may have been given away; computing it again is as good.
                    let value = match op {
                        Op::Mul => arguments[0] * arguments[1],
                        _ => self.results(step)[instance].get().exact(),
                    };
                    let partials = op.partials(arguments, value);
                    (0..arity).for_each(|position| give(position, partials[position]));
                }
            }
        }
    }
}
