//! What a function of several variables may return.

use crate::real::Real;
use crate::var::Var;

/// What a function that is differentiated or traced may return: one variable, an array of them, or a `Vec`.
///
/// ```
/// use tape::{Outputs, Var, jacobian};
///
/// /// The sum of a row of the Jacobian, for each output.
/// fn row_sums<R: Outputs>(f: impl FnOnce(&[Var]) -> R, x: &[f64]) -> Vec<f64> {
///     jacobian(f, x).1.rows_iter().map(|row| row.iter().sum()).collect()
/// }
/// assert_eq!(row_sums(|x| x[0] * x[1], &[2.0, 3.0]), [5.0]);
/// assert_eq!(row_sums(|x| [x[0] * x[1], x[1] * 4.0], &[2.0, 3.0]), [5.0, 4.0]);
/// assert_eq!(row_sums(|x| x.to_vec(), &[2.0, 3.0]), [1.0, 1.0]);
/// ```
pub trait Outputs<T: Real = f64> {
    /// The outputs in order.
    fn into_outputs(self) -> Vec<Var<T>>;
}

impl<T: Real> Outputs<T> for Var<T> {
    fn into_outputs(self) -> Vec<Var<T>> {
        vec![self]
    }
}

impl<T: Real> Outputs<T> for Vec<Var<T>> {
    fn into_outputs(self) -> Vec<Var<T>> {
        self
    }
}

impl<T: Real, const N: usize> Outputs<T> for [Var<T>; N] {
    fn into_outputs(self) -> Vec<Var<T>> {
        self.into()
    }
}
