//! Where a replay's numbers stand, and the pool of what finished replays leave to the next ones.

use std::sync::Mutex;

use crate::program::code::Code;
use crate::program::machine::element::Element;

/// The slots that a sweep works on.
#[derive(Default)]
pub(crate) struct Slots<E: Element> {
    pub(crate) values: Vec<E>,
    pub(crate) adjoints: Vec<E>,
    /// What a call takes and gives.
    pub(crate) of_calls: Vec<E::Exact>,
}

impl<E: Element> Slots<E> {
    /// Slots for this code, its constants in their places.
    pub(crate) fn new(code: &Code) -> Self {
        let mut values = vec![E::ZERO; code.values];
        for (slot, &constant) in values[code.inputs..].iter_mut().zip(&code.constants) {
            *slot = E::from_f64(constant);
        }
        Self { values, adjoints: vec![E::ZERO; code.adjoints], of_calls: Vec::new() }
    }

    /// Clears all adjoints from a slot on: a sweep by the rules adds everywhere.
    pub(crate) fn clear_adjoints_from(&mut self, first: usize) {
        self.adjoints[first..].fill(E::ZERO);
    }

    /// Clears the adjoints that a sweep leaves: those of the inputs, and the sink.
    pub(crate) fn clear_adjoints(&mut self, inputs: usize) {
        self.adjoints[..inputs].fill(E::ZERO);
        if let Some(sink) = self.adjoints.last_mut() {
            *sink = E::ZERO;
        }
    }
}

/// Slots of finished replays, for the next ones.
pub(crate) struct Pool<E: Element>(Mutex<Vec<Slots<E>>>);

impl<E: Element> Default for Pool<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E: Element> Pool<E> {
    /// Runs `work` on slots for the code. After a panic they are dropped.
    pub(crate) fn with<R>(&self, code: &Code, work: impl FnOnce(&mut Slots<E>) -> R) -> R {
        let mut slots = self.take(code);
        let result = work(&mut slots);
        self.give(slots);
        result
    }

    /// Slots for the code, to be given back when they are not needed any more.
    pub(crate) fn take(&self, code: &Code) -> Slots<E> {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        kept.unwrap_or_else(|| Slots::new(code))
    }

    /// Takes back slots that no sweep is in.
    pub(crate) fn give(&self, slots: Slots<E>) {
        if let Ok(mut kept) = self.0.lock() {
            kept.push(slots);
        }
    }
}
