//! echidna: `grad`, which keeps its tape in a pool of the thread; and its bytecode tape, recorded once and replayed.

use std::cell::Cell;

use echidna::{BReverse, BytecodeTape, Scalar};
use num_traits::Float;

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, implement_elementary, implement_number};

pub type Recorded = echidna::Reverse<f64>;
pub type Replayed = BReverse<f64>;

implement_number!(Recorded, constant: |_, value| Recorded::constant(value), |x| value: Scalar::value(&x), exp: Float::exp(x), ln: Float::ln(x));
implement_number!(Replayed, constant: |_, value| Replayed::constant(value), |x| value: Scalar::value(&x), exp: Float::exp(x), ln: Float::ln(x));
implement_elementary!(
    Recorded, Float;
    lacks: &["erf"],
    |x| recip: Float::recip(x), positive_part: Float::max(x, Recorded::constant(0.0))
);
implement_elementary!(
    Replayed, Float;
    lacks: &["erf"],
    |x| recip: Float::recip(x), positive_part: Float::max(x, Replayed::constant(0.0))
);

/// The value and the gradient of `f`, recorded anew.
pub fn gradient(f: impl Fn(&[Recorded]) -> Recorded, x: &[f64]) -> (f64, Vec<f64>) {
    let value = Cell::new(0.0);
    let gradient = echidna::grad(
        |x: &[Recorded]| {
            let result = f(x);
            value.set(Scalar::value(&result));
            result
        },
        x,
    );
    (value.get(), gradient)
}

#[derive(Default)]
pub struct Echidna;

impl Engine for Echidna {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let (value, nodes) = (Cell::new(0.0), Cell::new(0));
        let gradient = echidna::grad(
            |x: &[Recorded]| {
                let result = kernel.evaluate(&OneByOne, x);
                value.set(Scalar::value(&result));
                nodes.set(result.index() as usize + 1);
                result
            },
            kernel.inputs(),
        );
        Outcome { value: value.get(), gradient, nodes: Some(nodes.get()) }
    }
}

/// A function, recorded once, with the room that replays need.
pub struct Recording {
    tape: BytecodeTape<f64>,
    adjoints: Vec<f64>,
}

impl Recording {
    pub fn new(f: impl FnOnce(&[Replayed]) -> Replayed, x: &[f64]) -> Self {
        Self { tape: echidna::record(f, x).0, adjoints: Vec::new() }
    }

    /// The value and the gradient, replayed.
    pub fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let gradient = self.tape.gradient_with_buf(x, &mut self.adjoints);
        (self.tape.output_value(), gradient)
    }
}

#[derive(Default)]
pub struct EchidnaReplay(Option<Recording>);

impl Engine for EchidnaReplay {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let recording = self.0.get_or_insert_with(|| {
            Recording::new(|x: &[Replayed]| kernel.evaluate(&OneByOne, x), kernel.inputs())
        });
        let (value, gradient) = recording.gradient(kernel.inputs());
        Outcome { value, gradient, nodes: Some(recording.tape.num_ops()) }
    }
}
