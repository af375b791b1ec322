//! echidna: `grad`, which keeps its tape in a pool of the thread; and its bytecode tape, recorded once and replayed.

use std::cell::Cell;

use echidna::{BReverse, BytecodeTape, Scalar};
use num_traits::Float;

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, implement_number};

type Recorded = echidna::Reverse<f64>;
type Replayed = BReverse<f64>;

implement_number!(Recorded, constant: Recorded::constant, |x| value: Scalar::value(&x), exp: Float::exp(x), ln: Float::ln(x));
implement_number!(Replayed, constant: Replayed::constant, |x| value: Scalar::value(&x), exp: Float::exp(x), ln: Float::ln(x));

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

#[derive(Default)]
pub struct EchidnaReplay {
    tape: Option<BytecodeTape<f64>>,
    adjoints: Vec<f64>,
}

impl Engine for EchidnaReplay {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let tape = self.tape.get_or_insert_with(|| {
            echidna::record(|x: &[Replayed]| kernel.evaluate(&OneByOne, x), kernel.inputs()).0
        });
        let gradient = tape.gradient_with_buf(kernel.inputs(), &mut self.adjoints);
        Outcome { value: tape.output_value(), gradient, nodes: Some(tape.num_ops()) }
    }
}
