//! Steps of one instance, one after the other: without what a loop over instances has to ask first.

use core::cell::Cell;

use super::Machine;
use crate::op::Op;
use crate::partial;
use crate::program::code::{Column, NONE, Single};
use crate::program::machine::element::Element;

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    pub(super) fn compute_single(&self, single: &Single) {
        let x = || self.values[single.operands[0] as usize].get();
        let y = || self.values[single.operands[1] as usize].get();
        let value = match single.op {
            Op::Neg => -x(),
            Op::Add => x() + y(),
            Op::Sub => x() - y(),
            Op::Mul => x() * y(),
            Op::Div => x() / y(),
            Op::Exp => x().map_1(f64::exp, partial::exp::of_0),
            Op::Ln => x().map_1(f64::ln, partial::ln::of_0),
            Op::Sqrt => x().map_1(f64::sqrt, partial::sqrt::of_0),
            Op::Recip => x().map_1(f64::recip, partial::recip::of_0),
            Op::Sin => x().map_1(f64::sin, partial::sin::of_0),
            Op::Cos => x().map_1(f64::cos, partial::cos::of_0),
            Op::Sum => self.sum_of_single(single),
            Op::Dot => self.dot_of_single(single),
            _ => self.function_of_single(single),
        };
        self.values[single.value as usize].set(value);
    }

    #[inline(always)]
    fn columns_of(&self, single: &Single) -> &'a [Column] {
        &self.code.columns[single.first as usize..][..single.arity as usize]
    }

    #[inline(always)]
    fn sum_of_single(&self, single: &Single) -> E {
        let columns = self.columns_of(single);
        let mut sum = self.single(&columns[0]);
        for column in &columns[1..] {
            sum += self.single(column);
        }
        sum
    }

    #[inline(always)]
    fn dot_of_single(&self, single: &Single) -> E {
        let columns = self.columns_of(single);
        let product = |pair: &[Column]| self.single(&pair[0]) * self.single(&pair[1]);
        // The first product is not added to 0: that would lose the sign of −0.
        let (mut sum, rest) = match columns.len() % 2 {
            1 => (self.single(&columns[0]), &columns[1..]),
            _ => (product(&columns[..2]), &columns[2..]),
        };
        for pair in rest.chunks_exact(2) {
            sum += product(pair);
        }
        sum
    }

    #[inline(never)]
    fn function_of_single(&self, single: &Single) -> E {
        let columns = self.columns_of(single);
        let argument = |position: usize| self.single(&columns[position]);
        match single.op {
            Op::Norm => E::norm_of(columns.iter().map(|column| self.single(column))),
            Op::Largest => E::largest_of(columns.iter().map(|column| self.single(column))),
            op => E::evaluate(op, columns.len(), argument),
        }
    }

    /// As [`Machine::propagate`].
    #[inline(always)]
    pub(super) fn propagate_single(&self, single: &Single) {
        let weight = self.adjoints[single.adjoint as usize].replace(E::ZERO);
        let x = || self.values[single.operands[0] as usize].get();
        let y = || self.values[single.operands[1] as usize].get();
        let result = || self.values[single.value as usize].get();
        let give = |position: usize, contribution: E| {
            let adjoint = &self.adjoints[single.adjoints[position] as usize];
            adjoint.set(adjoint.get() + contribution);
        };
        match single.op {
            Op::Neg => give(0, -weight),
            Op::Add => {
                give(0, weight);
                give(1, weight);
            }
            Op::Sub => {
                give(0, weight);
                give(1, -weight);
            }
            Op::Mul => {
                let (x, y) = (x(), y());
                give(0, weight * y);
                give(1, weight * x);
            }
            Op::Div => {
                let y = y();
                give(0, weight * (E::from_f64(1.0) / y));
                give(1, weight * (-result() / y));
            }
            Op::Sqrt => give(0, weight * (E::from_f64(0.5) / result())),
            Op::Recip => give(0, -(weight * result()) * result()),
            Op::Exp | Op::Weight => give(0, weight * result()),
            Op::Ln => give(0, weight * (E::from_f64(1.0) / x())),
            Op::Sin => {
                let cosine = if single.operands[1] == NONE {
                    x().map_1(f64::cos, partial::cos::of_0)
                } else {
                    y()
                };
                give(0, weight * cosine);
            }
            Op::Cos => {
                let sine = if single.operands[1] == NONE {
                    x().map_1(f64::sin, partial::sin::of_0)
                } else {
                    y()
                };
                give(0, weight * -sine);
            }
            Op::Sum => {
                for column in self.columns_of(single) {
                    self.give(column, weight);
                }
            }
            Op::Dot => {
                let columns = self.columns_of(single);
                let (start, pairs) = columns.split_at(columns.len() % 2);
                for column in start {
                    self.give(column, weight);
                }
                for pair in pairs.chunks_exact(2) {
                    self.give(&pair[0], weight * self.single(&pair[1]));
                    self.give(&pair[1], weight * self.single(&pair[0]));
                }
            }
            Op::Largest => {}
            _ => self.propagate_function_of_single(single, weight),
        }
    }

    #[inline(always)]
    fn give(&self, column: &Column, contribution: E) {
        if column.adjoint != NONE {
            let adjoint: &Cell<E> = &self.adjoints[column.adjoint as usize];
            adjoint.set(adjoint.get() + contribution);
        }
    }

    #[inline(never)]
    fn propagate_function_of_single(&self, single: &Single, weight: E) {
        let columns = self.columns_of(single);
        let value = self.values[single.value as usize].get();
        if single.op == Op::Norm {
            for column in columns {
                self.give(column, weight * (self.single(column) / value));
            }
            return;
        }
        let argument = |position: usize| self.single(&columns[position]);
        let partials = E::partials(single.op, columns.len(), argument, value);
        for (column, partial) in columns.iter().zip(partials) {
            self.give(column, weight * partial);
        }
    }
}
