//! Calls of operations of one's own: their numbers are taken out of the slots and put back, an instance and a direction at a
//! time. What they compute keeps the engine's rules by itself.

use core::cell::Cell;

use super::Machine;
use crate::list::stop::Called;
use crate::number::Number;
use crate::program::code::{Call, Column, NONE};
use crate::program::machine::element::Element;
use crate::real::Real;

impl<'a, E: Element> Machine<'a, E> {
    /// Computes the results of a call.
    #[inline(never)]
    pub(super) fn compute_own(&self, call: &Call) {
        let (inputs, outputs) = (call.inputs as usize, call.outputs as usize);
        let mut numbers = self.of_calls.take();
        let nan = E::Exact::from_f64(f64::NAN);
        numbers.resize(inputs + E::DIRECTIONS * outputs, nan);
        let (x, y) = numbers.split_at_mut(inputs);
        for instance in 0..self.instances(call) {
            y.fill(nan);
            for (direction, y) in y.chunks_exact_mut(outputs).enumerate() {
                self.take(call, instance, direction, x);
                E::Exact::call(&*call.operation, x, y);
            }
            for output in 0..outputs {
                result(call, self.values, call.value, instance, output)
                    .set(E::from_directions(|direction| y[direction * outputs + output]));
            }
        }
        self.of_calls.set(numbers);
    }

    /// Hands the adjoints of a call's results to its operands, and clears them.
    #[inline(never)]
    pub(super) fn propagate_own(&self, call: &Call) {
        if call.adjoint == NONE {
            return;
        }
        let (inputs, outputs) = (call.inputs as usize, call.outputs as usize);
        let zero = E::Exact::from_f64(0.0);
        let mut numbers = self.of_calls.take();
        numbers.clear();
        numbers.resize(inputs + 2 * outputs + E::DIRECTIONS * inputs, zero);
        let (x, rest) = numbers.split_at_mut(inputs);
        let (y, rest) = rest.split_at_mut(outputs);
        let (adjoint, into) = rest.split_at_mut(outputs);
        for instance in 0..self.instances(call) {
            let mut all_vanish = true;
            into.fill(zero);
            for direction in 0..E::DIRECTIONS {
                let mut vanish = true;
                for (output, adjoint) in adjoint.iter_mut().enumerate() {
                    let cell = result(call, self.adjoints, call.adjoint, instance, output);
                    *adjoint = cell.get().direction(direction);
                    vanish &= adjoint.vanishes();
                }
                if vanish {
                    continue;
                }
                all_vanish = false;
                self.take(call, instance, direction, x);
                for (output, y) in y.iter_mut().enumerate() {
                    let cell = result(call, self.values, call.value, instance, output);
                    *y = cell.get().direction(direction);
                }
                let into = &mut into[direction * inputs..][..inputs];
                E::Exact::call_reverse(&*call.operation, x, y, adjoint, into);
            }
            for output in 0..outputs {
                result(call, self.adjoints, call.adjoint, instance, output).set(E::ZERO);
            }
            if all_vanish {
                continue;
            }
            for (position, column) in self.columns(call).iter().enumerate() {
                if let Some(adjoint) = self.adjoints_of(column, call.count as usize) {
                    let cell = adjoint.at(instance);
                    let mut sum = cell.get();
                    sum += E::from_directions(|direction| into[direction * inputs + position]);
                    cell.set(sum);
                }
            }
        }
        self.of_calls.set(numbers);
    }

    fn instances(&self, call: &Call) -> usize {
        (call.count as usize).min(self.limit)
    }

    fn columns(&self, call: &Call) -> &'a [Column] {
        &self.code.columns[call.first as usize..][..call.inputs as usize]
    }

    /// The operands of an instance in a direction.
    fn take(&self, call: &Call, instance: usize, direction: usize, x: &mut [E::Exact]) {
        for (x, column) in x.iter_mut().zip(self.columns(call)) {
            *x =
                self.values_of(column, call.count as usize).at(instance).get().direction(direction);
        }
    }
}

/// The slot of a result of an instance, or of its adjoint.
fn result<'a, E>(
    call: &Call,
    slots: &'a [Cell<E>],
    first: u32,
    instance: usize,
    output: usize,
) -> &'a Cell<E> {
    &slots[first as usize + output * call.count as usize + instance]
}
