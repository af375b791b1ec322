//! `hello`: x² and its derivative, to see that the protocol works.

use tape::Real;

use super::Module;
use crate::measure::measure_once;

pub(super) const MODULE: Module = Module {
    name: "hello",
    functions: &[
        ("square", |input| measure_once(input, |&x: &f64| square(x))),
        ("double", |input| measure_once(input, |&x: &f64| double(x))),
    ],
};

fn square<T: Real>(x: T) -> T {
    x * x
}

fn double(x: f64) -> f64 {
    let (_, gradient) = tape::gradient(|x| square(x[0]), &[x]);
    gradient[0]
}
