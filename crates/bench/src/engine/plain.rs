//! Plain `f64`: the kernel's value without a gradient, the measure of all others.

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, implement_elementary, implement_number};

implement_number!(f64, constant: |_, value| value, |x| value: x, exp: f64::exp(x), ln: f64::ln(x));
implement_elementary!(f64, f64; lacks: &[], |x| recip: x.recip(), positive_part: x.max(0.0), erf: libm::erf(x));

#[derive(Default)]
pub struct Plain;

impl Engine for Plain {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        // The inputs must not be known to the compiler: it would hoist work out of the timed loop.
        let inputs = std::hint::black_box(kernel.inputs());
        Outcome { value: kernel.evaluate(&OneByOne, inputs), gradient: Vec::new(), nodes: None }
    }
}
