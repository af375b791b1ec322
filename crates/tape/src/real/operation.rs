//! Operations of one's own: what a user writes, and how each type of number applies one.

use core::any::TypeId;

use crate::operation::{applied_at_once, duals_of, split_duals};
use crate::real::Real;

/// An operation of one's own: any number of inputs and outputs, a value, and the product of a vector with its Jacobian,
/// written once over [`Real`].
///
/// It is used by [`apply`](crate::apply), on numbers of every type. On variables it is recorded as one operation with many
/// results; programs and batches call it, and Hessians and nested derivatives differentiate `value` and `reverse`.
/// [`check::operation`](crate::check::operation) tests one.
///
/// Inside its methods an operation may do what no other function of variables may: look at a number by
/// [`primal`](Real::primal) and decide by it, search a table, iterate until something converges. It is asked again at every
/// point, so nothing that it decided is forgotten. (Of [`Lanes`](crate::Lanes) it is called for one lane after the other.)
/// It must depend on nothing but `x` and what it holds itself, and that must not change.
///
/// ```
/// use tape::{Operation, Real};
///
/// /// x·y and x/y together.
/// struct ProductAndQuotient;
///
/// impl Operation for ProductAndQuotient {
///     fn name(&self) -> &str {
///         "product_and_quotient"
///     }
///
///     fn outputs(&self, _inputs: usize) -> usize {
///         2
///     }
///
///     fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
///         y[0] = x[0] * x[1];
///         y[1] = x[0] / x[1];
///     }
///
///     fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
///         into[0] = adjoint[0] * x[1] + adjoint[1] / x[1];
///         into[1] = adjoint[0] * x[0] - adjoint[1] * y[1] / x[1];
///     }
/// }
///
/// let f = |x: &[tape::Var]| {
///     let results = tape::apply(&ProductAndQuotient, x);
///     results[0] + results[1]
/// };
/// assert_eq!(tape::gradient(f, &[3.0, 2.0]), (7.5, vec![2.5, 2.25]));
/// // The Hessian, and a program.
/// let (_, _, hessian) = tape::hessian(f, &[3.0, 2.0]);
/// assert_eq!(hessian.data, [0.0, 0.75, 0.75, 0.75]);
/// assert_eq!(tape::Program::trace(f, &[1.0, 1.0])?.gradient(&[3.0, 2.0])?, (7.5, vec![2.5, 2.25]));
/// # Ok::<(), tape::Error>(())
/// ```
pub trait Operation: Send + Sync + 'static {
    /// What lists, graphs and programs call it, and the name by which bytes are read back: one for every operation that
    /// computes something else.
    fn name(&self) -> &str;

    /// How many inputs it takes; `None` where any number is right.
    fn inputs(&self) -> Option<usize> {
        None
    }

    /// How many outputs it has for so many inputs.
    fn outputs(&self, inputs: usize) -> usize;

    /// Computes the outputs `y` from the inputs `x`. What it does not write is NaN.
    fn value<T: Real>(&self, x: &[T], y: &mut [T]);

    /// From the adjoint of every output, those of the inputs: `into[i]` = Σⱼ `adjoint[j]`·∂yⱼ/∂xᵢ, with `y` as
    /// [`value`](Operation::value) has computed it. What it does not write is 0.
    ///
    /// It is called where an adjoint is not 0.
    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]);

    /// The outputs and their tangents: `dy[j]` = Σᵢ `dx[i]`·∂yⱼ/∂xᵢ. Where this is not written, [`value`](Operation::value) is
    /// computed on dual numbers.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let [x, mut duals] = duals_of(x, dx, y.len());
        self.value(&x, &mut duals);
        split_duals(&duals, y, dy);
    }

    /// The positions of the inputs on which an output can depend, for sparse derivatives. Where this is not written, it depends
    /// on all (`None`).
    fn dependencies(&self, output: usize) -> Option<Vec<usize>> {
        let _ = output;
        None
    }
}

/// An operation that can be kept: on a list, in a program.
pub trait Handle: Operation + Clone {
    /// Equal for two handles only if they compute the same.
    fn identity(&self) -> Identity;

    /// What bytes call it.
    fn written(&self) -> String {
        self.name().to_owned()
    }
}

/// See [`Handle::identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub kind: TypeId,
    pub which: [usize; 4],
}

/// How a type of number applies an operation.
pub trait Apply: Sized {
    /// The numbers, if they are of `f64`.
    fn as_f64s(numbers: &[Self]) -> Option<&[f64]> {
        let _ = numbers;
        None
    }

    /// The same, to be written to.
    fn as_f64s_mut(numbers: &mut [Self]) -> Option<&mut [f64]> {
        let _ = numbers;
        None
    }

    /// The outputs, which are NaN before.
    #[track_caller]
    fn apply<H: Handle>(operation: &H, x: &[Self], y: &mut [Self]);

    /// The outputs at inputs that stand in several places.
    #[track_caller]
    fn applied<H: Handle>(operation: &H, x: &[&[Self]]) -> Vec<Self>
    where
        Self: Real,
    {
        applied_at_once(operation, x)
    }

    /// The adjoints of the inputs, which are 0 before.
    #[track_caller]
    fn apply_reverse<H: Handle>(
        operation: &H,
        x: &[Self],
        y: &[Self],
        adjoint: &[Self],
        into: &mut [Self],
    );
}
