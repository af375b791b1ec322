//! Functions of the table: their values, and their partials, number by number or a chunk at a time.

use super::Machine;
use super::operand::Operand;
use crate::program::code::Step;
use crate::program::machine::element::{Element, MOST};
use crate::program::machine::manner::Functions;
use crate::real::Real;

impl<E: Element> Machine<'_, E> {
    /// Computes a function of the table.
    #[inline(never)]
    pub(super) fn compute_function(&self, step: &Step) {
        if E::CHUNK > 1 && self.functions == Functions::Vector {
            let is_done = step.arity == 1
                && match self.operand(step, 0) {
                    Operand::Run(x) => E::map(step.op, x, self.results(step)),
                    _ => false,
                };
            if !is_done {
                self.compute_chunks(step);
            }
            return;
        }
        let (arity, operands) = (step.arity as usize, self.operands_of_function(step));
        for (instance, result) in self.results(step).iter().enumerate() {
            let argument = |position: usize| operands[position].at(instance).get();
            result.set(E::evaluate(step.op, arity, argument));
        }
    }

    /// Hands the adjoints of a function's results to its operands.
    #[inline(never)]
    pub(super) fn propagate_function(&self, step: &Step) {
        if E::CHUNK > 1 && self.functions == Functions::Vector {
            return self.propagate_chunks(step);
        }
        let (arity, results) = (step.arity as usize, self.results(step));
        let operands = self.operands_of_function(step);
        let adjoints: [_; MOST] =
            core::array::from_fn(|position| self.adjoint(step, position.min(arity - 1)));
        for (instance, weight) in self.weights(step).iter().enumerate() {
            let value = results[instance].get();
            let argument = |position: usize| operands[position].at(instance).get();
            let partials = E::partials(step.op, arity, argument, value);
            for (adjoint, partial) in adjoints[..arity].iter().zip(&partials) {
                if let Some(adjoint) = adjoint {
                    let cell = adjoint.at(instance);
                    cell.set(cell.get() + weight.get() * *partial);
                }
            }
        }
    }

    /// The operands; from the last one on, that again.
    #[inline(always)]
    fn operands_of_function(&self, step: &Step) -> [Operand<'_, E>; MOST] {
        let last = step.arity as usize - 1;
        core::array::from_fn(|position| self.operand(step, position.min(last)))
    }

    fn compute_chunks(&self, step: &Step) {
        let results = self.results(step);
        let mut arguments = [E::Chunk::from_f64(0.0); MOST];
        for start in (0..results.len()).step_by(E::CHUNK) {
            let count = (results.len() - start).min(E::CHUNK);
            let arguments = &mut arguments[..step.arity as usize];
            self.gather(step, start, count, arguments);
            let chunk = step.op.evaluate(arguments);
            for (position, result) in results[start..][..count].iter().enumerate() {
                result.set(E::part(&chunk, position));
            }
        }
    }

    fn propagate_chunks(&self, step: &Step) {
        let (weights, results) = (self.weights(step), self.results(step));
        if step.arity == 1
            && let (Operand::Run(x), Some(Operand::Run(adjoints))) =
                (self.operand(step, 0), self.adjoint(step, 0))
            && E::propagate(step.op, [x, results], weights, adjoints)
        {
            return;
        }
        let mut arguments = [E::Chunk::from_f64(0.0); MOST];
        for start in (0..weights.len()).step_by(E::CHUNK) {
            let count = (weights.len() - start).min(E::CHUNK);
            let arguments = &mut arguments[..step.arity as usize];
            self.gather(step, start, count, arguments);
            let value = E::gather(count, |position| results[start + position].get());
            let partials = step.op.partials(arguments, value);
            for (position, partials) in partials[..step.arity as usize].iter().enumerate() {
                let Some(adjoint) = self.adjoint(step, position) else { continue };
                for lane in 0..count {
                    let cell = adjoint.at(start + lane);
                    let weight = weights[start + lane].get();
                    cell.set(cell.get() + weight * E::part(partials, lane));
                }
            }
        }
    }

    /// A chunk of every operand, from instance `start` on.
    #[inline(always)]
    fn gather(&self, step: &Step, start: usize, count: usize, arguments: &mut [E::Chunk]) {
        for (position, argument) in arguments.iter_mut().enumerate() {
            let operand = self.operand(step, position);
            *argument = E::gather(count, |lane| operand.at(start + lane).get());
        }
    }
}
