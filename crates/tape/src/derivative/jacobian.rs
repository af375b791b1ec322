//! The Jacobian of a function of several outputs: one recording, one sweep per output.

use crate::derivative::gradient::Kept;
use crate::matrix::Matrix;
use crate::outputs::Outputs;
use crate::real::Real;
use crate::var::Var;

/// The values of `f` at `x`, and its Jacobian: a row for each output, a column for each input.
///
/// `f` returns one variable, an array of them, or a `Vec` ([`Outputs`]); it is recorded once and swept once per output.
/// For a function of few inputs and many outputs, forward mode ([`Dual`](crate::Dual), one evaluation per input) is
/// cheaper.
///
/// # Panics
/// When `f` returns a variable of another tape, or itself panics.
///
/// ```
/// // Polar to Cartesian coordinates.
/// let f = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
/// let (values, jacobian) = tape::jacobian(f, &[2.0, 0.0]);
/// assert_eq!(values, [2.0, 0.0]);
/// assert_eq!(jacobian.data, [1.0, 0.0,
///                            0.0, 2.0]);
/// ```
#[track_caller]
pub fn jacobian<T: Real, R: Outputs<T>>(
    f: impl FnOnce(&[Var<T>]) -> R,
    x: &[T],
) -> (Vec<T>, Matrix<T>) {
    let kept = Kept::<T>::take();
    kept.tape.clear();
    let outputs = f(&kept.tape.vars_from(x)).into_outputs();
    let mut data = Vec::with_capacity(outputs.len() * x.len());
    for &output in &outputs {
        kept.tape.derivatives_into(output, x.len(), &mut data);
    }
    kept.put_back();
    let values = outputs.iter().map(|output| output.value).collect();
    (values, Matrix { rows: outputs.len(), columns: x.len(), data })
}
