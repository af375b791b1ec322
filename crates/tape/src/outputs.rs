//! What a function of several variables may return.

use crate::real::Real;
use crate::var::Var;

/// What a function that is differentiated or traced may return: one variable, an array of them, or a `Vec`.
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
