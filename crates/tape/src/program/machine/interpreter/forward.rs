//! The forward sweep: a step's results from its operands.

use core::cell::Cell;

use super::Machine;
use super::operand::{Operand, span_length};
use crate::op::Op;
use crate::partial;
use crate::program::code::{Shape, Step};
use crate::program::machine::element::Element;
use crate::program::machine::manner::Functions;

impl<E: Element> Machine<'_, E> {
    /// Computes the results of a step.
    ///
    /// Arithmetic has loops of its own. Functions go through the table: there are too many of them to be compiled into
    /// loops for every element and every set of instructions.
    #[inline(always)]
    pub(super) fn compute(&self, step: &Step) {
        let is_scalar = self.functions == Functions::Scalar;
        match step.op {
            Op::Neg => self.compute_1(step, |x| -x),
            Op::Add => self.compute_2(step, |x, y| x + y),
            Op::Sub => self.compute_2(step, |x, y| x - y),
            Op::Mul => self.compute_2(step, |x, y| x * y),
            Op::Div => self.compute_2(step, |x, y| x / y),
            Op::Sum => self.compute_sum(step),
            Op::Dot => self.compute_dot(step),
            Op::Largest | Op::Norm => self.compute_slices(step),
            // A call for each number would cost as much again as these; a row's come in chunks.
            Op::Exp if is_scalar => {
                self.compute_1(step, |x| x.map_1(f64::exp, partial::exp::of_0));
            }
            Op::Ln if is_scalar => {
                self.compute_1(step, |x| x.map_1(f64::ln, partial::ln::of_0));
            }
            Op::Sqrt if is_scalar => {
                self.compute_1(step, |x| x.map_1(f64::sqrt, partial::sqrt::of_0));
            }
            Op::Recip if is_scalar => {
                self.compute_1(step, |x| x.map_1(f64::recip, partial::recip::of_0));
            }
            _ => self.compute_function(step),
        }
    }

    #[inline(always)]
    fn compute_1(&self, step: &Step, f: impl Fn(E) -> E) {
        let results = self.results(step);
        match self.operand(step, 0) {
            Operand::Run(x) if E::IS_THIN => {
                for (result, x) in results.iter().zip(x) {
                    result.set(f(x.get()));
                }
            }
            x => {
                for (instance, result) in results.iter().enumerate() {
                    result.set(f(x.at(instance).get()));
                }
            }
        }
    }

    #[inline(always)]
    fn compute_2(&self, step: &Step, f: impl Fn(E, E) -> E) {
        let results = self.results(step);
        each_pair(self.operand(step, 0), self.operand(step, 1), results, |result, x, y| {
            result.set(f(x, y));
        });
    }

    #[inline(always)]
    fn compute_sum(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        let results = self.results(step);
        match step.shape {
            Shape::Single => {
                let mut sum = self.single(&columns[0]);
                for column in &columns[1..] {
                    sum += self.single(column);
                }
                results[0].set(sum);
            }
            Shape::Span => {
                let span = self.values_of(&columns[0], span_length(step));
                let mut sum = span.at(0).get();
                for item in 1..step.arity as usize {
                    sum += span.at(item).get();
                }
                results[0].set(sum);
            }
            Shape::Runs if E::HAS_TILES => self.sum_in_tiles(step),
            _ => {
                for (position, column) in columns.iter().enumerate() {
                    let operand = self.values_of(column, results.len());
                    let first = position == 0;
                    for (instance, result) in results.iter().enumerate() {
                        let term = operand.at(instance).get();
                        result.set(if first { term } else { result.get() + term });
                    }
                }
            }
        }
    }

    /// Operations on slices that are no sums: instance by instance, the operands where they lie.
    #[inline(never)]
    fn compute_slices(&self, step: &Step) {
        let of_slice = |operands: &dyn Fn(usize) -> E| {
            let operands = (0..step.arity as usize).map(operands);
            match step.op {
                Op::Norm => E::norm_of(operands),
                _ => E::largest_of(operands),
            }
        };
        if step.shape == Shape::Span {
            let span = self.values_of(&self.column(step, 0), span_length(step));
            self.results(step)[0].set(of_slice(&|item| span.at(item).get()));
            return;
        }
        for (instance, result) in self.results(step).iter().enumerate() {
            result.set(of_slice(&|position| self.value(step, position, instance)));
        }
    }
}

/// Two operands and the result, instance by instance: what kinds of operands they are is asked once.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index into several slices of one length")]
pub(super) fn each_pair<E: Element>(
    x: Operand<'_, E>,
    y: Operand<'_, E>,
    results: &[Cell<E>],
    each: impl Fn(&Cell<E>, E, E),
) {
    let count = results.len();
    match (x, y) {
        (Operand::Run(x), Operand::Run(y)) if E::IS_THIN => {
            let (x, y) = (&x[..count], &y[..count]);
            for instance in 0..count {
                each(&results[instance], x[instance].get(), y[instance].get());
            }
        }
        (Operand::Same(x), Operand::Run(y)) if E::IS_THIN => {
            let (x, y) = (x.get(), &y[..count]);
            for instance in 0..count {
                each(&results[instance], x, y[instance].get());
            }
        }
        (Operand::Run(x), Operand::Same(y)) if E::IS_THIN => {
            let (x, y) = (&x[..count], y.get());
            for instance in 0..count {
                each(&results[instance], x[instance].get(), y);
            }
        }
        (x, y) => {
            for (instance, result) in results.iter().enumerate() {
                each(result, x.at(instance).get(), y.at(instance).get());
            }
        }
    }
}
