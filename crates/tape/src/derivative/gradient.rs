//! The gradient of a function, by one sweep over a tape that the thread keeps.

use core::any::{Any, TypeId};
use core::cell::RefCell;

use crate::real::Real;
use crate::tape::Tape;
use crate::var::Var;

/// The value of `f` at `x` and its gradient: `x.len()` partial derivatives.
///
/// It costs a small multiple of one evaluation of `f`, whatever the number of inputs. The tape is kept by the thread
/// and used again, so that after the first call only the result is allocated; calls may nest, also through `T`.
///
/// # Panics
/// When `f` returns a variable of another tape, or itself panics.
///
/// ```
/// let (value, gradient) = tape::gradient(|x| x[0] * x[1] + x[0].sin(), &[2.0, 3.0]);
/// assert_eq!(value, 6.0 + 2.0_f64.sin());
/// assert_eq!(gradient, [3.0 + 2.0_f64.cos(), 2.0]);
/// ```
#[track_caller]
pub fn gradient<T: Real>(f: impl FnOnce(&[Var<T>]) -> Var<T>, x: &[T]) -> (T, Vec<T>) {
    let mut kept = Kept::<T>::take();
    let mut gradient = Vec::with_capacity(x.len());
    let value = kept.tape.gradient_into(&mut kept.inputs, f, x, &mut gradient);
    kept.put_back();
    (value, gradient)
}

/// A tape with its buffer of inputs, waiting for the thread's next one-shot call.
pub(crate) struct Kept<T: Real> {
    pub(crate) tape: Tape<T>,
    pub(crate) inputs: Vec<Var<T>>,
}

thread_local! {
    /// Kept tapes by their element type; several of a type when calls nested.
    static KEPT: RefCell<Vec<(TypeId, Box<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

impl<T: Real> Kept<T> {
    /// The thread's tape, or another where that is in use.
    #[allow(clippy::unnecessary_box_returns, reason = "the box is what is kept")]
    pub(crate) fn take() -> Box<Self> {
        let kept = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            let found = kept.iter().rposition(|(element, _)| *element == TypeId::of::<T>())?;
            kept.swap_remove(found).1.downcast().ok()
        });
        let fresh = || Box::new(Self { tape: Tape::new(), inputs: Vec::new() });
        kept.ok().flatten().unwrap_or_else(fresh)
    }

    /// Keeps the tape for the next call. (After a panic it is dropped instead.)
    pub(crate) fn put_back(self: Box<Self>) {
        // While the thread ends there is no next call, and the tape is dropped.
        let _ = KEPT.try_with(|kept| kept.borrow_mut().push((TypeId::of::<T>(), self)));
    }
}
