//! Operations of one's own for scenarios: with several results, with a decision inside, and one that calls another.

use tape::{Error, Operation, Operations, Program, Real};

/// One of the operations, as rows of the table name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Own {
    Three,
    Steps,
    Calling,
}

impl Own {
    pub(crate) fn apply<T: Real>(self, x: &[T]) -> Vec<T> {
        match self {
            Self::Three => tape::apply(&Three, x),
            Self::Steps => tape::apply(&Steps, x),
            Self::Calling => tape::apply(&Calling, x),
        }
    }

    pub(crate) fn inputs(self) -> usize {
        if self == Self::Steps { 1 } else { 2 }
    }

    pub(crate) fn outputs(self) -> usize {
        if self == Self::Three { 3 } else { 1 }
    }
}

/// A program from bytes, which may call them.
pub(crate) fn read(bytes: &[u8]) -> Result<Program, Error> {
    let operations = Operations::new().with(&Three).with(&Steps).with(&Calling);
    Program::from_bytes_with(bytes, &operations)
}

/// x·y, sin x, and e^y.
struct Three;

impl Operation for Three {
    fn name(&self) -> &'static str {
        "three"
    }

    fn outputs(&self, _: usize) -> usize {
        3
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y.copy_from_slice(&[x[0] * x[1], x[0].sin(), x[1].exp()]);
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        into[0] = adjoint[0] * x[1] + adjoint[1] * x[0].cos();
        into[1] = adjoint[0] * x[0] + adjoint[2] * y[2];
    }
}

/// k·t² for x = k + t, where k is an integer: it looks at the number.
struct Steps;

impl Steps {
    fn cell<T: Real>(x: T) -> [T; 2] {
        let cell = T::from_f64(x.primal().floor());
        [cell, x - cell]
    }
}

impl Operation for Steps {
    fn name(&self) -> &'static str {
        "steps"
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let [cell, t] = Self::cell(x[0]);
        y[0] = cell * t * t;
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let [cell, t] = Self::cell(x[0]);
        into[0] = adjoint[0] * (cell + cell) * t;
    }
}

/// sin(x)·y, by another operation.
struct Calling;

impl Operation for Calling {
    fn name(&self) -> &'static str {
        "calling"
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let sine = tape::apply(&Three, x)[1];
        y[0] = tape::apply(&Three, &[sine, x[1]])[0];
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let slope = x[0].cos() * x[1];
        into[0] = tape::apply(&Three, &[adjoint[0], slope])[0];
        into[1] = adjoint[0] * tape::apply(&Three, x)[1];
    }
}
