//! The reverse sweep: the adjoints of a step's results go to its operands.

use super::Machine;
use super::accumulate::{accumulate, accumulate_both, accumulate_products};
use super::operand::{Operand, span_length};
use crate::op::Op;
use crate::program::code::{Shape, Step};
use crate::program::machine::element::Element;

impl<E: Element> Machine<'_, E> {
    /// Hands the adjoints of a step's results to its operands, and clears them.
    #[inline(always)]
    pub(super) fn propagate(&self, step: &Step) {
        match step.op {
            Op::Add | Op::Sum => self.propagate_linear(step, |_, weight| weight),
            Op::Sub => {
                self.propagate_linear(step, |position, w| if position == 0 { w } else { -w });
            }
            Op::Neg => self.propagate_linear(step, |_, weight| -weight),
            Op::Mul => self.propagate_product(step),
            Op::Dot => self.propagate_dot(step),
            Op::Norm => self.propagate_norm(step),
            Op::Sqrt => self.propagate_result(step, |weight, y| weight * (E::from_f64(0.5) / y)),
            Op::Div => self.propagate_quotient(step),
            // −w·y², factor by factor: the square may overflow where the product does not.
            Op::Recip => self.propagate_result(step, |weight, y| -(weight * y) * y),
            // Of a weight, e^x of a difference, the partial is that of e^x.
            Op::Exp | Op::Weight => self.propagate_result(step, |weight, y| weight * y),
            // A constant, as far as derivatives go.
            Op::Largest => {}
            _ => self.propagate_function(step),
        }
        if step.clears {
            self.clear(step);
        }
    }

    /// Of operations whose partials are 1 or −1.
    #[inline(always)]
    fn propagate_linear(&self, step: &Step, contribution: impl Fn(usize, E) -> E) {
        let weights = self.weights(step);
        if step.shape == Shape::Span {
            let (length, weight) = (span_length(step), weights[0].get());
            if let Some(adjoint) = self.adjoints_of(&self.column(step, 0), length) {
                accumulate(adjoint, length, |_| contribution(0, weight));
            }
            return;
        }
        for position in 0..step.arity as usize {
            if let Some(adjoint) = self.adjoint(step, position) {
                accumulate(adjoint, weights.len(), |instance| {
                    contribution(position, weights[instance].get())
                });
            }
        }
    }

    /// Of a product: to each factor goes the weight times the other one.
    #[inline(always)]
    fn propagate_product(&self, step: &Step) {
        let weights = self.weights(step);
        let operands = (self.operand(step, 0), self.operand(step, 1));
        let adjoints = (self.adjoint(step, 0), self.adjoint(step, 1));
        if E::IS_THIN
            && let ((Operand::Run(x), Operand::Run(y)), (Some(to_x), Some(to_y))) =
                (operands, adjoints)
        {
            match (to_x, to_y) {
                (Operand::Run(to_x), Operand::Run(to_y)) => {
                    return accumulate_both::<false, E>(weights, [x, y], [to_x, to_y]);
                }
                // What is stored to is no part of what was added to before.
                (Operand::Run(to_x), Operand::Stored(to_y)) => {
                    return accumulate_both::<true, E>(weights, [x, y], [to_x, to_y]);
                }
                _ => {}
            }
        }
        for (to, from) in [(0, 1), (1, 0)] {
            if let Some(adjoint) = self.adjoint(step, to) {
                accumulate_products(adjoint, weights, self.operand(step, from));
            }
        }
    }

    /// Of a quotient z = x/y: to x goes w/y, to y −w·z/y.
    #[inline(always)]
    fn propagate_quotient(&self, step: &Step) {
        let weights = self.weights(step);
        let results = &self.results(step)[..weights.len()];
        let (one, y) = (E::from_f64(1.0), self.operand(step, 1));
        if let Some(adjoint) = self.adjoint(step, 0) {
            accumulate(adjoint, weights.len(), |instance| {
                weights[instance].get() * (one / y.at(instance).get())
            });
        }
        if let Some(adjoint) = self.adjoint(step, 1) {
            accumulate(adjoint, weights.len(), |instance| {
                let partial = -results[instance].get() / y.at(instance).get();
                weights[instance].get() * partial
            });
        }
    }

    /// Of a function of one number whose contribution is computed from the weight and the result.
    #[inline(always)]
    fn propagate_result(&self, step: &Step, contribution: impl Fn(E, E) -> E) {
        let Some(adjoint) = self.adjoint(step, 0) else { return };
        let weights = self.weights(step);
        let results = &self.results(step)[..weights.len()];
        accumulate(adjoint, weights.len(), |instance| {
            contribution(weights[instance].get(), results[instance].get())
        });
    }

    /// At the origin the quotient is NaN: the careful way knows more.
    #[inline(never)]
    fn propagate_norm(&self, step: &Step) {
        let (weights, results) = (self.weights(step), self.results(step));
        if step.shape == Shape::Span {
            let (column, length) = (self.column(step, 0), span_length(step));
            let (weight, norm) = (weights[0].get(), results[0].get());
            let x = self.values_of(&column, length);
            if let Some(adjoint) = self.adjoints_of(&column, length) {
                accumulate(adjoint, length, |item| weight * (x.at(item).get() / norm));
            }
            return;
        }
        for position in 0..step.arity as usize {
            let Some(adjoint) = self.adjoint(step, position) else { continue };
            let x = self.operand(step, position);
            accumulate(adjoint, weights.len(), |instance| {
                weights[instance].get() * (x.at(instance).get() / results[instance].get())
            });
        }
    }
}
