//! The machine: what runs code. [`Replay`] is the one seam between code and whatever runs it.
//!
//! **Replays are optimistic.** The engine's rules are that an adjoint or a partial that is exactly 0 wins over ∞ and
//! NaN, and that a product 0·∞ has no derivative. Both differ from plain multiplication only where a number is not
//! finite; plain multiplication then gives NaN, or came from a value that is NaN already, and hands it on. So a replay
//! multiplies plainly, and where a result is not finite, it runs again by the rules.

pub(crate) mod element;
mod interpreter;
mod manner;
mod single;
pub(crate) mod slots;
pub(crate) mod tangent;

use crate::number::Number;
use crate::program::code::{Code, NONE};
use crate::program::machine::element::Element;
use crate::program::machine::manner::{Functions, Manner};
use crate::program::machine::slots::Slots;

/// Why the values of a replay are not those of the function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Broken {
    /// They need not be: something is not finite that the code takes to be so.
    NotFinite,
    /// A guard, by its position, does not hold: what it compares.
    Guard(usize, [f64; 2]),
}

/// A replay of code in slots: the values at a point, whether they are the function's, and derivatives of the outputs.
///
/// Between uses the adjoints of inputs and outputs are 0.
pub(crate) struct Replay<'a, E: Element> {
    code: &'a Code,
    slots: &'a mut Slots<E>,
    manner: Manner,
}

impl<'a, E: Element> Replay<'a, E> {
    /// A replay of all instances of every step.
    pub(crate) fn new(code: &'a Code, slots: &'a mut Slots<E>) -> Self {
        Self { code, slots, manner: Manner { functions: Functions::Scalar, limit: usize::MAX } }
    }

    /// A replay of rows: of steps with more instances than `limit`, only so many are computed.
    pub(crate) fn of_rows(code: &'a Code, slots: &'a mut Slots<E>, limit: usize) -> Self {
        Self { code, slots, manner: Manner { functions: Functions::Vector, limit } }
    }

    /// Computes all values at a point, whether they are the function's or not.
    pub(crate) fn at(&mut self, point: impl IntoIterator<Item = E>) {
        for (slot, x) in self.slots.values[..self.code.inputs].iter_mut().zip(point) {
            *slot = x;
        }
        self.compute();
    }

    /// Computes all values from the inputs that stand in their slots.
    pub(crate) fn compute(&mut self) {
        interpreter::forward(self.code, self.slots, self.manner);
    }

    /// The same by the engine's rules for what is not finite.
    pub(crate) fn compute_by_the_rules(&mut self) {
        interpreter::forward_carefully(self.code, self.slots, self.manner);
    }

    /// Why the values are not the function's, if so.
    pub(crate) fn broken(&self) -> Option<Broken> {
        let value = |slot: u32| self.slots.values[slot as usize].value();
        if self.code.finite.iter().any(|&slot| !value(slot).is_finite()) {
            return Some(Broken::NotFinite);
        }
        let compared = self.code.guards.iter().map(|guard| guard.operands.map(value));
        let mut broken = self.code.guards.iter().zip(compared).enumerate();
        let (guard, (_, compared)) = broken.find(|(_, (guard, [a, b]))| !guard.holds(*a, *b))?;
        Some(Broken::Guard(guard, compared))
    }

    pub(crate) fn output(&self, output: usize) -> E {
        self.slots.values[self.code.outputs[output].value as usize]
    }

    pub(crate) fn outputs(&self) -> impl ExactSizeIterator<Item = E> + '_ {
        self.code.outputs.iter().map(|output| self.slots.values[output.value as usize])
    }

    /// The derivatives of Σ seed·output with respect to every input, after [`Replay::at`].
    pub(crate) fn sweep(&mut self, seeds: &[(usize, E)], mut each: impl FnMut(usize, E)) {
        self.swept(seeds, |derivatives| {
            for (input, &derivative) in derivatives.iter().enumerate() {
                each(input, derivative);
            }
        });
    }

    /// The same, all at once.
    pub(crate) fn swept(&mut self, seeds: &[(usize, E)], use_them: impl FnOnce(&[E])) {
        self.seed(seeds);
        interpreter::reverse(self.code, self.slots, self.manner);
        let inputs = self.code.inputs;
        let all_finite = seeds.iter().all(|&(output, _)| self.output(output).is_finite())
            && self.slots.adjoints[..inputs].iter().all(|adjoint| adjoint.is_finite());
        if !all_finite {
            self.slots.clear_adjoints_from(0);
            if E::Exact::DEPTH > 0 {
                self.compute_by_the_rules();
            }
            self.seed(seeds);
            interpreter::reverse_carefully(self.code, self.slots, self.manner);
        }
        use_them(&self.slots.adjoints[..inputs]);
        self.slots.clear_adjoints(inputs);
    }

    /// Takes the adjoints that stand in the slots back to the inputs, where they stay; by the engine's rules for what is not
    /// finite, or without.
    pub(crate) fn propagate(&mut self, by_the_rules: bool) {
        if by_the_rules {
            interpreter::reverse_carefully(self.code, self.slots, self.manner);
        } else {
            interpreter::reverse(self.code, self.slots, self.manner);
        }
    }

    fn seed(&mut self, seeds: &[(usize, E)]) {
        for &(output, seed) in seeds {
            let adjoint = self.code.outputs[output].adjoint;
            if adjoint != NONE {
                self.slots.adjoints[adjoint as usize] += seed;
            }
        }
    }
}
