//! What a sweep returns: the derivative of its output with respect to every node.

use core::ops::Index;

use crate::real::Real;
use crate::registry::{self, CONSTANT};
use crate::var::Var;

/// The adjoints of all nodes of a list: ∂output/∂node.
///
/// They do not borrow the tape, and stay readable when it is cleared.
///
/// ```
/// let tape = tape::Tape::new();
/// let x = tape.var(3.0);
/// let square = x * x;
/// let y = square.exp();
/// let adjoints = tape.sweep(y);
/// assert_eq!(adjoints[square], 9.0_f64.exp());      // of an intermediate
/// assert_eq!(adjoints.wrt(x), 6.0 * 9.0_f64.exp());
/// ```
#[derive(Clone, Debug)]
pub struct Adjoints<T: Real = f64> {
    tape: u32,
    of_nodes: Vec<T>,
    zero: T,
}

impl<T: Real> Adjoints<T> {
    pub(crate) fn new(tape: u32, adjoints: Vec<T>) -> Self {
        Self { tape, of_nodes: adjoints, zero: T::from_f64(0.0) }
    }

    /// The derivative of the swept output with respect to `variable`.
    ///
    /// It is 0 for a constant, and for what was recorded after the sweep.
    ///
    /// # Panics
    /// When `variable` is on another tape.
    #[inline]
    #[track_caller]
    pub fn wrt(&self, variable: Var<T>) -> T {
        self[variable]
    }

    /// The derivatives with respect to several variables: a gradient, or a part of one.
    ///
    /// # Panics
    /// As [`Adjoints::wrt`].
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let x = tape.vars_from(&[1.0, 2.0, 3.0]);
    /// let adjoints = tape.sweep(x[0] * x[1] * x[2]);
    /// assert_eq!(adjoints.wrt_all(&x), [6.0, 3.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn wrt_all(&self, variables: &[Var<T>]) -> Vec<T> {
        let mut derivatives = Vec::with_capacity(variables.len());
        for &variable in variables {
            derivatives.push(self.wrt(variable));
        }
        derivatives
    }

    pub(crate) fn at(&self, index: usize) -> T {
        self.of_nodes.get(index).copied().unwrap_or(self.zero)
    }
}

/// Gives the buffer back to its tape, for the next sweep: fresh memory costs more than clearing used memory.
impl<T: Real> Drop for Adjoints<T> {
    fn drop(&mut self) {
        registry::give_back_scratch(self.tape, core::mem::take(&mut self.of_nodes));
    }
}

impl<T: Real> Index<Var<T>> for Adjoints<T> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, variable: Var<T>) -> &T {
        if variable.tape() == self.tape {
            self.of_nodes.get(variable.index() as usize).unwrap_or(&self.zero)
        } else if variable.tape() == CONSTANT {
            &self.zero
        } else {
            foreign(variable, self.tape)
        }
    }
}

#[cold]
#[track_caller]
fn foreign<T: Real>(variable: Var<T>, tape: u32) -> ! {
    let what = if registry::find::<T>(variable.tape()).is_some() {
        format!("it is on tape {}", variable.tape())
    } else {
        registry::explain_missing(variable.tape())
    };
    panic!("adjoints of tape {tape} have none for variable {variable:?}: {what}");
}
