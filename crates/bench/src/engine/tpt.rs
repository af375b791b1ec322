//! tpt-math-autodiff-rev: one tape, cleared before each run.

use tpt_math_autodiff_rev::{GradientTape, Variable};

use crate::number::{Number, implement_elementary};

pub use tpt_math_autodiff_rev::Variable as Active;

impl Number for Variable<'_> {
    #[inline]
    fn constant(beside: Self, value: f64) -> Self {
        beside.tape().constant(value)
    }
    #[inline]
    fn value(self) -> f64 {
        Variable::value(&self)
    }
    #[inline]
    fn scale(self, factor: f64) -> Self {
        self * factor
    }
    #[inline]
    fn offset(self, constant: f64) -> Self {
        self + constant
    }
    #[inline]
    fn exp(self) -> Self {
        Variable::exp(self)
    }
    #[inline]
    fn ln(self) -> Self {
        Variable::ln(self)
    }
}

implement_elementary!(
    Variable<'_>, Variable;
    lacks: &["erf"],
    |x| recip: Variable::recip(x), positive_part: if Variable::value(&x) > 0.0 { x } else { x.tape().constant(0.0) }
);

/// The value and the gradient of `f`, recorded anew on the tape.
pub fn gradient(
    tape: &mut GradientTape,
    f: impl for<'t> Fn(&[Variable<'t>]) -> Variable<'t>,
    x: &[f64],
) -> (f64, Vec<f64>) {
    tape.clear();
    let x = tape.vars(x);
    let result = f(&x);
    (Variable::value(&result), tape.gradient(result, &x))
}
