//! `hello`: x² and its derivative, to see that the protocol works.

use tape::Real;

use super::Module;
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "hello",
    functions: &[
        ("square", |input| measure(input, Ok, |&mut x: &mut f64, _| Ok(square(x)))),
        ("double", |input| measure(input, Ok, |&mut x: &mut f64, _| Ok(double(x)))),
    ],
};

fn square<T: Real>(x: T) -> T {
    x * x
}

fn double(x: f64) -> f64 {
    let (_, gradient) = tape::gradient(|x| square(x[0]), &[x]);
    gradient[0]
}
