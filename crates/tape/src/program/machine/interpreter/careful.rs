//! The sweeps by the engine's rules for numbers that are not finite: slower, instance by instance.

use core::cell::Cell;

use super::Machine;
use super::operand::Operand;
use crate::kinks;
use crate::number::Number;
use crate::op::Op;
use crate::partial;
use crate::program::code::{Column, Kind, NONE, Shape, Step};
use crate::program::machine::element::{Element, LANES, MOST};
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
        let (mut few, mut many) = ([E::Exact::from_f64(0.0); FEW], Vec::new());
        let arguments = if arity <= FEW {
            &mut few[..arity]
        } else {
            many.resize(arity, E::Exact::from_f64(0.0));
            &mut many[..]
        };
        for (instance, result) in self.results(step).iter().enumerate() {
            result.set(E::from_directions(|direction| {
                for (position, argument) in arguments.iter_mut().enumerate() {
                    if let Some(x) = self.value_in(step, position, instance, direction) {
                        *argument = x;
                    }
                }
                step.op.evaluate(arguments)
            }));
        }
    }

    /// An operand of one instance in one direction, if it has a slot.
    fn value_in(
        &self,
        step: &Step,
        position: usize,
        instance: usize,
        direction: usize,
    ) -> Option<E::Exact> {
        let cell = self.cell(step, position, instance, self.values, |column| column.value)?;
        Some(cell.get().direction(direction))
    }

    /// As [`Machine::propagate`]: an adjoint or a partial that is exactly 0 contributes nothing, whatever the other is.
    pub(super) fn propagate_carefully(&self, step: &Step) {
        for (instance, weight) in self.weights(step).iter().enumerate() {
            let weight = weight.replace(E::ZERO);
            if (0..E::DIRECTIONS).all(|direction| weight.direction(direction).vanishes()) {
                continue;
            }
            self.propagate_instance(step, instance, weight);
        }
    }

    fn propagate_instance(&self, step: &Step, instance: usize, weight: E) {
        let arity = step.arity as usize;
        let argument = |position: usize, direction: usize| {
            self.value_in(step, position, instance, direction)
                .unwrap_or_else(|| weight.direction(direction))
        };
        let result = |direction: usize| self.results(step)[instance].get().direction(direction);
        // Adds to an operand's adjoint in every direction.
        let give = |position: usize, partial: &dyn Fn(usize) -> E::Exact| {
            if let Some(cell) =
                self.cell(step, position, instance, self.adjoints, |column| column.adjoint)
            {
                let adjoint = cell.get();
                cell.set(E::from_directions(|direction| {
                    let contribution =
                        E::Exact::chain(partial(direction), weight.direction(direction));
                    adjoint.direction(direction) + contribution
                }));
            }
        };
        let one = |_| E::Exact::from_f64(1.0);
        match step.op {
            Op::Sum => (0..arity).for_each(|position| give(position, &one)),
            Op::Dot => {
                let leading = arity % 2;
                if leading == 1 {
                    give(0, &one);
                }
                for position in (leading..arity).step_by(2) {
                    let factors =
                        |direction| [position, position + 1].map(|p| argument(p, direction));
                    give(position, &|direction| {
                        let [a, b] = factors(direction);
                        partial::mul::of_0(a, b, a * b)
                    });
                    give(position + 1, &|direction| {
                        let [a, b] = factors(direction);
                        partial::mul::of_1(a, b, a * b)
                    });
                }
            }
            Op::Norm => {
                let mut tips = [E::Exact::from_f64(0.0); LANES];
                for (direction, tip) in tips[..E::DIRECTIONS].iter_mut().enumerate() {
                    let components = (0..arity).map(|position| argument(position, direction));
                    *tip = kinks::norm_tip(components, result(direction));
                }
                for position in 0..arity {
                    give(position, &|direction| {
                        let component = argument(position, direction);
                        kinks::norm_partial(component, result(direction), tips[direction])
                    });
                }
            }
            Op::Largest => {}
            op => {
                let mut partials = [[E::Exact::from_f64(0.0); MOST]; LANES];
                for (direction, partials) in partials[..E::DIRECTIONS].iter_mut().enumerate() {
                    let mut arguments = [E::Exact::from_f64(0.0); MOST];
                    let arguments = &mut arguments[..arity];
                    for (position, slot) in arguments.iter_mut().enumerate() {
                        *slot = argument(position, direction);
                    }
                    // The slot of a product may have been given away; computing it again is as good.
                    let value = match op {
                        Op::Mul => arguments[0] * arguments[1],
                        _ => result(direction),
                    };
                    *partials = op.partials(arguments, value);
                }
                let of = |position| move |direction: usize| partials[direction][position];
                (0..arity).for_each(|position| give(position, &of(position)));
            }
        }
    }
}
