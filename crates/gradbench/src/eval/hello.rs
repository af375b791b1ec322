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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_of_3_is_9() {
        assert_eq!(square(3.0), 9.0);
    }

    #[test]
    fn its_derivative_at_3_is_6() {
        assert_eq!(double(3.0), 6.0);
    }
}
