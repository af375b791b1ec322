//! tpt-math-autodiff-rev: one tape, cleared before each run.

use tpt_math_autodiff_rev::{GradientTape, Variable};

use crate::number::{implement_elementary, implement_number};

pub use tpt_math_autodiff_rev::Variable as Active;

implement_number!(Variable<'_>, constant: |beside, value| beside.tape().constant(value), |x| value: Variable::value(&x), exp: Variable::exp(x), ln: Variable::ln(x));

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
