//! reverse: one tape, cleared before each run.

use reverse::{Gradient, Var};

pub use reverse::Var as Active;

use super::{Engine, Outcome};
use crate::kernel::Kernel;
use crate::number::{OneByOne, implement_elementary, implement_number};

implement_number!(Var<'_>, constant: |beside, value| beside.tape.add_var(value), |x| value: x.val, exp: Var::exp(&x), ln: Var::ln(&x));

implement_elementary!(
    Var<'_>, Var by &;
    lacks: &["erf"],
    |x| recip: Var::recip(&x), positive_part: if x.val > 0.0 { x } else { x.tape.add_var(0.0) }
);

/// The value and the gradient of `f`, recorded anew on the tape.
pub fn gradient(
    tape: &mut reverse::Tape,
    f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>,
    x: &[f64],
) -> (f64, Vec<f64>) {
    tape.clear();
    let x = tape.add_vars(x);
    let result = f(&x);
    (result.val, result.grad().wrt(&x))
}

#[derive(Default)]
pub struct Reverse {
    tape: reverse::Tape,
}

impl Engine for Reverse {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        self.tape.clear();
        let x = self.tape.add_vars(kernel.inputs());
        let result = kernel.evaluate(&OneByOne, &x);
        let gradient = result.grad().wrt(&x);
        Outcome { value: result.val, gradient, nodes: Some(self.tape.len()) }
    }
}
