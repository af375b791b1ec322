//! The rows: scenarios, each a function, a point, another point to trace at, and the right numbers.

mod branches;
mod compositions;
mod figures;
mod kinks;
mod masks;
mod own;
mod singular;
mod slices;

use tape::{Op, Tape, Var};

use crate::expression::{Expression, Symbol};
use crate::function::{AnyFunction, Branches, Branching, OfOp};

/// A function at a point, with what is right there.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) f: Box<dyn AnyFunction>,
    /// Whether it compares its numbers: a program of one path may refuse the other, and lanes are passed over.
    pub(crate) branches: bool,
    pub(crate) x: Vec<f64>,
    /// Where it is traced, or called first. The other side of a kink, where there is one.
    pub(crate) other: Vec<f64>,
    /// What `f64` gives must be this, where it is known.
    pub(crate) value: Option<f64>,
    /// Without it, ways need only agree with each other; likewise the next two.
    pub(crate) gradient: Option<Vec<f64>>,
    /// Row by row.
    pub(crate) hessian: Option<Vec<f64>>,
    /// All third derivatives, the first index slowest; ways of third order run only where they are known.
    pub(crate) third: Option<Vec<f64>>,
    /// Second derivatives may be NaN instead of right, but nothing else.
    pub(crate) may_be_nan: bool,
    /// Relative to the right number, or to `scale` where that is larger.
    pub(crate) tolerance: f64,
    /// The size of the terms that cancel in the right numbers; 0 where none do.
    pub(crate) scale: f64,
    /// Where a documented convention leaves second derivatives out, ways of the first order are all.
    pub(crate) only_first: bool,
    /// Documented exceptions: the way, and the reason.
    pub(crate) exceptions: Vec<(&'static str, &'static str)>,
}

/// All scenarios.
pub(crate) fn all() -> Vec<Scenario> {
    let kinds = [
        figures::operations(),
        kinks::scenarios(),
        masks::scenarios(),
        singular::scenarios(),
        slices::scenarios(),
        own::scenarios(),
        branches::scenarios(),
        compositions::scenarios(),
    ];
    kinds.into_iter().flatten().collect()
}

/// A scenario of a function without branches, written with symbols.
fn row<const N: usize>(
    name: &str,
    f: impl FnOnce(&[Symbol]) -> Symbol,
    x: [f64; N],
    traced_at: [f64; N],
) -> Scenario {
    generic(name, Expression::of(f, N), x, traced_at)
}

/// A scenario of a function of any type of number.
fn generic<const N: usize>(
    name: &str,
    f: impl AnyFunction + 'static,
    x: [f64; N],
    traced_at: [f64; N],
) -> Scenario {
    Scenario {
        name: name.to_owned(),
        f: Box::new(f),
        branches: false,
        x: x.to_vec(),
        other: traced_at.to_vec(),
        value: None,
        gradient: None,
        hessian: None,
        third: None,
        may_be_nan: false,
        tolerance: 1e-14,
        scale: 0.0,
        only_first: false,
        exceptions: Vec::new(),
    }
}

/// A scenario of an operation by its name.
fn op<const N: usize>(name: &str, x: [f64; N], traced_at: [f64; N]) -> Scenario {
    let op = Op::from_name(name).unwrap_or_else(|| panic!("no operation is called {name}"));
    generic(&format!("{name} at {x:?}, traced at {traced_at:?}"), OfOp(op), x, traced_at)
}

/// A scenario of a function that compares its numbers.
fn branching<const N: usize>(
    name: &str,
    f: Branches<impl Branching + 'static>,
    x: [f64; N],
    traced_at: [f64; N],
) -> Scenario {
    Scenario { branches: true, ..generic(name, f, x, traced_at) }
}

impl Scenario {
    /// What is right by hand.
    fn is(mut self, value: f64, gradient: impl AsRef<[f64]>) -> Self {
        self.value = Some(value);
        self.gradient = Some(gradient.as_ref().to_vec());
        self
    }

    fn hessian(mut self, entries: impl AsRef<[f64]>) -> Self {
        self.hessian = Some(entries.as_ref().to_vec());
        self
    }

    fn third(mut self, entries: impl AsRef<[f64]>) -> Self {
        self.third = Some(entries.as_ref().to_vec());
        self
    }

    fn or_nan(self) -> Self {
        Self { may_be_nan: true, ..self }
    }

    fn only_first(self) -> Self {
        Self { only_first: true, ..self }
    }

    fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    fn scale(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    fn except(mut self, way: &'static str, reason: &'static str) -> Self {
        self.exceptions.push((way, reason));
        self
    }

    /// The list that the function makes at its point, as text.
    pub(crate) fn recorded(&self) -> String {
        let tape = Tape::new();
        let x: Vec<Var> = tape.vars_from(&self.x);
        tape.show(self.f.evaluate(&x)).to_string()
    }
}
