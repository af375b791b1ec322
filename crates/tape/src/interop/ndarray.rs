//! Variables and duals as elements of `ndarray`'s arrays.
//!
//! Most of what `ndarray` asks of an element (`LinalgScalar` for `dot`, `Zero` for `sum`, `Float` for `std`) follows from
//! the operators and from `num_traits`. Left is the permission to stand on the right of an operator.

use ::ndarray::ScalarOperand;

use crate::dual::Dual;
use crate::real::Real;
use crate::var::Var;

/// A variable on the right of an array of variables: `&a * x`.
///
/// ```
/// use ndarray::{Array1, array};
/// use tape::{Tape, Var};
///
/// let tape = Tape::new();
/// let x = tape.var(3.0);
/// let a: Array1<Var> = array![1.0, 2.0].mapv(Var::constant);
/// let y = (&a * x * 2.0).sum();
/// assert_eq!(y.value(), 18.0);
/// assert_eq!(tape.sweep(y).wrt(x), 6.0);
/// ```
impl<T: Real> ScalarOperand for Var<T> {}

/// A dual on the right of an array of duals, as for [`Var`].
impl<T: Real> ScalarOperand for Dual<T> {}
