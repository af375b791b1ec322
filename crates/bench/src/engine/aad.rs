//! aad: a tape for each gradient, because it has no way to clear one.

use aad::{Tape, Variable};

use crate::number::{implement_elementary, implement_number};

pub type Active<'t> = Variable<'t, f64>;

implement_number!(Active<'_>, constant: |_, value| Variable::constant(value), |x| value: Active::value(&x), exp: Active::exp(x), ln: Active::ln(x));
implement_elementary!(
    Active<'_>, Active;
    lacks: &["erf"],
    |x| recip: Active::recip(x), positive_part: if x.value() > 0.0 { x } else { Variable::constant(0.0) }
);

/// The value and the gradient of `f`, recorded anew.
///
/// # Panics
/// When the result is a constant.
pub fn gradient(f: impl for<'t> Fn(&[Active<'t>]) -> Active<'t>, x: &[f64]) -> (f64, Vec<f64>) {
    let tape = Tape::new();
    let x: Vec<Active> = tape.create_variables_iter(x).collect();
    let result = f(&x);
    let gradients = result.compute_gradients().expect("the result is no constant");
    let gradient = gradients.get_gradients_iter(&x).collect::<Result<_, _>>();
    (result.value(), gradient.expect("the inputs are variables"))
}
