//! Operations of one's own at work: applied to numbers of every type, kept on lists and in programs, and differentiated.
//!
//! A type of number knows two things of an operation: its value, and its product of a vector with the Jacobian. Both are
//! operations again ([`ReverseOf`]; forward mode is [`ForwardOf`]), so each type hands them to the type that it is made of, and
//! on plain numbers, or their duals, the user's methods are called. So what is recorded further out is one operation too.

use core::any::TypeId;
use core::fmt::{self, Debug};
use core::mem::size_of;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use smallvec::{SmallVec, smallvec};

use crate::derivative::gradient::Kept;
use crate::dual::Dual;
use crate::lanes::Lanes;
#[cfg(feature = "linear-algebra")]
use crate::linear_algebra;
use crate::list::stop::{Applied, Erased};
use crate::real::Real;
use crate::real::operation::{Apply, Handle, Identity, Operation};
use crate::var::Var;

/// The outputs of an operation of one's own at `x`: one recorded operation with as many results.
///
/// `operation` is a reference to a static, or to an [`Arc`], since lists and programs keep it.
///
/// # Panics
/// When the operation takes another number of inputs, variables of different tapes are among `x`, or stale ones; or when the
/// operation itself panics.
///
/// ```
/// use std::sync::Arc;
/// use tape::{Operation, Real};
///
/// /// The value of a polynomial, whose coefficients are plain numbers.
/// struct Polynomial(Vec<f64>);
///
/// impl Operation for Polynomial {
///     fn name(&self) -> &str {
///         "polynomial"
///     }
///     fn outputs(&self, _: usize) -> usize {
///         1
///     }
///     fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
///         let horner = |value: T, &c: &f64| value * x[0] + T::from_f64(c);
///         y[0] = self.0.iter().rev().fold(T::from_f64(0.0), horner);
///     }
///     fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
///         let powers = self.0.iter().enumerate().skip(1).rev();
///         let horner = |value: T, (power, &c): (usize, &f64)| value * x[0] + T::from_f64(power as f64 * c);
///         into[0] = adjoint[0] * powers.fold(T::from_f64(0.0), horner);
///     }
/// }
///
/// let polynomial = Arc::new(Polynomial(vec![1.0, 2.0, 3.0]));
/// assert_eq!(tape::apply(&polynomial, &[2.0]), [17.0]);
/// let f = |x: &[tape::Var]| tape::apply(&polynomial, x)[0].sin();
/// assert_eq!(tape::gradient(f, &[2.0]).1, [14.0 * 17.0_f64.cos()]);
/// ```
#[track_caller]
pub fn apply<T: Real>(operation: impl Shared, x: &[T]) -> Vec<T> {
    applied(&operation.handle(), x)
}

/// [`apply`] by a handle.
#[track_caller]
pub(crate) fn applied<T: Real>(operation: &impl Handle, x: &[T]) -> Vec<T> {
    applied_to(operation, &[x])
}

/// [`applied`] to inputs that stand in several places.
#[track_caller]
pub(crate) fn applied_to<T: Real>(operation: &impl Handle, x: &[&[T]]) -> Vec<T> {
    if let Some(inputs) = operation.inputs() {
        let given = x.iter().map(|part| part.len()).sum();
        if inputs != given {
            refuse_inputs(operation.name(), inputs, given);
        }
    }
    T::applied(operation, x)
}

/// What [`Apply::applied`] is for numbers that record nothing.
#[track_caller]
pub(crate) fn applied_at_once<T: Real>(operation: &impl Handle, x: &[&[T]]) -> Vec<T> {
    let joined;
    let x = match x {
        [x] => x,
        parts => {
            joined = one_after_the_other(parts);
            &*joined
        }
    };
    let mut y = vec![T::from_f64(f64::NAN); operation.outputs(x.len())];
    T::apply(operation, x, &mut y);
    y
}

/// The numbers as plain `f64`, if that is what they are: so an operation of one's own can hand them to a kernel.
///
/// ```
/// use tape::Real;
///
/// fn sum<T: Real>(x: &[T]) -> T {
///     match tape::as_f64(x) {
///         Some(x) => T::from_f64(x.iter().sum()),
///         None => T::sum(x),
///     }
/// }
/// assert_eq!(sum(&[1.0, 2.0]), 3.0);
/// ```
pub fn as_f64<T: Real>(numbers: &[T]) -> Option<&[f64]> {
    T::as_f64s(numbers)
}

/// What [`apply`] takes: a reference to a static [`Operation`], or to an [`Arc`] of one. It is sealed.
pub trait Shared: sealed::Shared {}

impl<S: sealed::Shared> Shared for S {}

mod sealed {
    use super::Handle;

    pub trait Shared {
        type Handle: Handle;
        fn handle(self) -> Self::Handle;
    }
}

/// A handle of an operation that lives for ever.
pub struct Static<O: 'static>(&'static O);

/// A handle of an operation that is shared.
pub struct Counted<O>(Arc<O>);

impl<O: Operation> sealed::Shared for &'static O {
    type Handle = Static<O>;

    fn handle(self) -> Static<O> {
        Static(self)
    }
}

impl<O: Operation> sealed::Shared for &Arc<O> {
    type Handle = Counted<O>;

    fn handle(self) -> Counted<O> {
        Counted(Arc::clone(self))
    }
}

/// Methods of an operation that are those of another one.
macro_rules! as_the_one_inside {
    () => {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn inputs(&self) -> Option<usize> {
            self.0.inputs()
        }

        fn outputs(&self, inputs: usize) -> usize {
            self.0.outputs(inputs)
        }

        fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
            self.0.value(x, y);
        }

        fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
            self.0.reverse(x, y, adjoint, into);
        }

        fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
            self.0.forward(x, dx, y, dy);
        }

        fn dependencies(&self, output: usize) -> Option<Vec<usize>> {
            self.0.dependencies(output)
        }
    };
}

impl<O: Operation> Operation for Static<O> {
    as_the_one_inside!();
}

impl<O: Operation> Operation for Counted<O> {
    as_the_one_inside!();
}

impl<O> Clone for Static<O> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<O> Clone for Counted<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The operation at this address. One that has no size has nothing that could tell it from another of its type.
fn identity_at<O: 'static>(operation: *const O) -> Identity {
    let address = if size_of::<O>() == 0 { 0 } else { operation.addr() };
    Identity { kind: TypeId::of::<O>(), which: [address, 0, 0, 0] }
}

impl<O: Operation> Handle for Static<O> {
    fn identity(&self) -> Identity {
        identity_at(self.0)
    }
}

impl<O: Operation> Handle for Counted<O> {
    fn identity(&self) -> Identity {
        identity_at(Arc::as_ptr(&self.0))
    }
}

/// From the inputs, outputs and adjoints of an operation, one after the other: the adjoints of its inputs.
#[derive(Clone)]
pub(crate) struct ReverseOf<H> {
    of: H,
    inputs: usize,
    name: OnceLock<Box<str>>,
}

/// From the inputs of an operation and their tangents: its outputs and theirs.
#[derive(Clone)]
pub(crate) struct ForwardOf<H> {
    of: H,
    name: OnceLock<Box<str>>,
}

impl<H: Handle> ReverseOf<H> {
    pub(crate) fn new(of: &H, inputs: usize) -> Self {
        Self { of: of.clone(), inputs, name: OnceLock::new() }
    }
}

impl<H: Handle> ForwardOf<H> {
    pub(crate) fn new(of: &H) -> Self {
        Self { of: of.clone(), name: OnceLock::new() }
    }
}

impl<H: Handle> Operation for ReverseOf<H> {
    fn name(&self) -> &str {
        self.name.get_or_init(|| format!("reverse of {}", self.of.name()).into())
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.inputs + 2 * self.of.outputs(self.inputs))
    }

    fn outputs(&self, _: usize) -> usize {
        self.inputs
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (x, rest) = x.split_at(self.inputs);
        let (of_x, adjoint) = rest.split_at(rest.len() / 2);
        y.fill(T::from_f64(0.0));
        self.of.reverse(x, of_x, adjoint, y);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        by_recording(self, x, adjoint, into);
    }
}

impl<H: Handle> Operation for ForwardOf<H> {
    fn name(&self) -> &str {
        self.name.get_or_init(|| format!("forward of {}", self.of.name()).into())
    }

    fn inputs(&self) -> Option<usize> {
        self.of.inputs().map(|inputs| 2 * inputs)
    }

    fn outputs(&self, inputs: usize) -> usize {
        2 * self.of.outputs(inputs / 2)
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (x, dx) = x.split_at(x.len() / 2);
        let (y, dy) = y.split_at_mut(y.len() / 2);
        dy.fill(T::from_f64(0.0));
        self.of.forward(x, dx, y, dy);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        by_recording(self, x, adjoint, into);
    }
}

impl<H: Handle> Handle for ReverseOf<H> {
    fn identity(&self) -> Identity {
        Identity { kind: TypeId::of::<Self>(), ..self.of.identity() }
    }

    fn written(&self) -> String {
        format!("{REVERSE} {} {OF}{}", self.inputs, self.of.written())
    }
}

impl<H: Handle> Handle for ForwardOf<H> {
    fn identity(&self) -> Identity {
        Identity { kind: TypeId::of::<Self>(), ..self.of.identity() }
    }

    fn written(&self) -> String {
        format!("{FORWARD} {OF}{}", self.of.written())
    }
}

/// How the name of a derivative begins in bytes: `reverse 3 of spline`, where the operation has 3 inputs.
const REVERSE: &str = "reverse";
const FORWARD: &str = "forward";
const OF: &str = "of ";

/// Operations of one's own by their names, for [`Program::from_bytes_with`](crate::Program::from_bytes_with).
///
/// An operation's derivatives, as they occur in programs of traced derivatives, are there with it, up to the second.
///
/// ```
/// use tape::{Operation, Operations, Program, Real};
///
/// struct Cube;
/// impl Operation for Cube {
///     fn name(&self) -> &str {
///         "cube"
///     }
///     fn outputs(&self, _: usize) -> usize {
///         1
///     }
///     fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
///         y[0] = x[0] * x[0] * x[0];
///     }
///     fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
///         into[0] = adjoint[0] * T::from_f64(3.0) * x[0] * x[0];
///     }
/// }
///
/// let program = Program::trace(|x| tape::apply(&Cube, x)[0], &[1.0])?;
/// let bytes = program.to_bytes();
/// assert_eq!(Program::from_bytes(&bytes).unwrap_err().to_string(),
///     "these bytes call an operation \"cube\" that is not known here: give it by Program::from_bytes_with \
///      (those of matrices are known with the feature linear-algebra)");
/// let read = Program::from_bytes_with(&bytes, &Operations::new().with(&Cube))?;
/// assert_eq!(read.gradient(&[2.0])?, (8.0, vec![12.0]));
/// # Ok::<(), tape::Error>(())
/// ```
#[derive(Default)]
pub struct Operations {
    by_name: HashMap<String, Box<dyn Derivatives>>,
}

impl Operations {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this one, in place of one that had its name.
    #[must_use]
    pub fn with(mut self, operation: impl Shared) -> Self {
        let handle = operation.handle();
        self.by_name.insert(Operation::name(&handle).to_owned(), Box::new(handle));
        self
    }

    /// The operation that bytes call so.
    pub(crate) fn find(&self, written: &str) -> Option<Arc<dyn Erased<f64>>> {
        let mut derivatives: SmallVec<[Derivative; 2]> = SmallVec::new();
        let mut name = written;
        loop {
            if let Some(operation) = self.by_name.get(name) {
                return operation.derived(&derivatives);
            }
            let (first, rest) = name.split_once(' ')?;
            let (derivative, rest) = match first {
                FORWARD => (Derivative::Forward, rest),
                REVERSE => {
                    let (inputs, rest) = rest.split_once(' ')?;
                    (Derivative::Reverse(inputs.parse::<u32>().ok()? as usize), rest)
                }
                #[cfg(feature = "linear-algebra")]
                _ => return linear_algebra::by_name(name)?.derived(&derivatives),
                #[cfg(not(feature = "linear-algebra"))]
                _ => return None,
            };
            derivatives.push(derivative);
            name = rest.strip_prefix(OF)?;
        }
    }
}

impl Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Derivative {
    /// Of so many inputs.
    Reverse(usize),
    Forward,
}

/// An operation and its derivatives.
pub(crate) trait Derivatives: Send + Sync {
    /// The first of these derivatives, of the second one, of the operation; `None` where there are too many.
    fn derived(&self, derivatives: &[Derivative]) -> Option<Arc<dyn Erased<f64>>>;
}

impl<H: Handle> Derivatives for H {
    fn derived(&self, derivatives: &[Derivative]) -> Option<Arc<dyn Erased<f64>>> {
        use Derivative::{Forward, Reverse};
        Some(match *derivatives {
            [] => Arc::new(self.clone()),
            [Reverse(n)] => Arc::new(reverse_of(self, n)?),
            [Forward] => Arc::new(ForwardOf::new(self)),
            [Reverse(m), Reverse(n)] => Arc::new(reverse_of(&reverse_of(self, n)?, m)?),
            [Reverse(m), Forward] => Arc::new(reverse_of(&ForwardOf::new(self), m)?),
            [Forward, Reverse(n)] => Arc::new(ForwardOf::new(&reverse_of(self, n)?)),
            [Forward, Forward] => Arc::new(ForwardOf::new(&ForwardOf::new(self))),
            _ => return None,
        })
    }
}

/// The reverse of an operation, unless it takes another number of inputs: bytes may say anything.
fn reverse_of<H: Handle>(operation: &H, inputs: usize) -> Option<ReverseOf<H>> {
    let is_right = Operation::inputs(operation).is_none_or(|takes| takes == inputs);
    is_right.then(|| ReverseOf::new(operation, inputs))
}

/// The adjoints of an operation's inputs from a recording of its value.
fn by_recording<T: Real>(operation: &impl Operation, x: &[T], adjoint: &[T], into: &mut [T]) {
    recording(x, adjoint, into, &mut |x, y| operation.value(x, y));
}

/// Computes the outputs of an operation.
type Value<'a, T> = dyn FnMut(&[Var<T>], &mut [Var<T>]) + 'a;

/// What [`by_recording`] does, for all operations: this is compiled once for a type of number.
fn recording<T: Real>(x: &[T], adjoint: &[T], into: &mut [T], value: &mut Value<'_, T>) {
    let kept = Kept::<T>::take();
    kept.tape.clear();
    let inputs = kept.tape.vars_from(x);
    let mut outputs = vec![Var::constant(T::from_f64(f64::NAN)); adjoint.len()];
    value(&inputs, &mut outputs);
    let seeds: SmallVec<[(Var<T>, T); 8]> =
        outputs.into_iter().zip(adjoint.iter().copied()).collect();
    let adjoints = kept.tape.sweep_seeded(&seeds);
    for (into, input) in into.iter_mut().zip(inputs) {
        *into = adjoints.wrt(input);
    }
    drop(adjoints);
    kept.put_back();
}

impl<T: Real, H: Handle> Applied<T> for H {
    fn value(&self, x: &[T], y: &mut [T]) {
        T::apply(self, x, y);
    }

    fn reverse(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        T::apply_reverse(self, x, y, adjoint, into);
    }
}

impl<T: Real, H: Handle> Erased<T> for H {
    fn name(&self) -> &str {
        Operation::name(self)
    }

    fn written(&self) -> String {
        Handle::written(self)
    }

    fn inputs(&self) -> Option<usize> {
        Operation::inputs(self)
    }

    fn outputs(&self, inputs: usize) -> usize {
        Operation::outputs(self, inputs)
    }

    fn identity(&self) -> Identity {
        Handle::identity(self)
    }

    fn dependencies(&self, output: usize) -> Option<Vec<usize>> {
        Operation::dependencies(self, output)
    }
}

macro_rules! apply_itself {
    ($float:ident, |$numbers:ident| $as_f64s:expr) => {
        impl Apply for $float {
            fn as_f64s($numbers: &[Self]) -> Option<&[f64]> {
                $as_f64s
            }

            fn as_f64s_mut($numbers: &mut [Self]) -> Option<&mut [f64]> {
                $as_f64s
            }

            fn apply<H: Handle>(operation: &H, x: &[Self], y: &mut [Self]) {
                operation.value(x, y);
            }

            fn apply_reverse<H: Handle>(
                operation: &H,
                x: &[Self],
                y: &[Self],
                adjoint: &[Self],
                into: &mut [Self],
            ) {
                operation.reverse(x, y, adjoint, into);
            }
        }
    };
}
apply_itself!(f64, |numbers| Some(numbers));
apply_itself!(f32, |_numbers| None);

/// What the sweep does with an operation, as an operation.
fn apply_reverse_of<T: Real, H: Handle>(operation: &H, [x, y, adjoint]: [&[T]; 3], into: &mut [T]) {
    T::apply(&ReverseOf::new(operation, x.len()), &one_after_the_other(&[x, y, adjoint]), into);
}

// What is not of an operation stands in functions of its own, which are compiled once for all operations.

fn one_after_the_other<T: Copy>(parts: &[&[T]]) -> Vec<T> {
    parts.concat()
}

#[cold]
#[track_caller]
fn refuse_inputs(name: &str, takes: usize, given: usize) -> ! {
    panic!("apply: {given} numbers given to the operation {name:?}, which takes {takes}")
}

/// The values, then the tangents.
fn parts_of<T: Real>(duals: &[Dual<T>]) -> SmallVec<[T; 8]> {
    let mut parts = SmallVec::with_capacity(2 * duals.len());
    parts.extend(duals.iter().map(|dual| dual.value));
    parts.extend(duals.iter().map(|dual| dual.tangent));
    parts
}

fn join_parts<T: Real>(parts: &[T], duals: &mut [Dual<T>]) {
    let (values, tangents) = parts.split_at(duals.len());
    for (dual, (&value, &tangent)) in duals.iter_mut().zip(values.iter().zip(tangents)) {
        *dual = Dual { value, tangent };
    }
}

/// Numbers with their tangents, and room for as many outputs.
pub(crate) fn duals_of<T: Real>(x: &[T], dx: &[T], outputs: usize) -> [Vec<Dual<T>>; 2] {
    let x = x.iter().zip(dx).map(|(&x, &dx)| Dual::new(x, dx)).collect();
    [x, vec![Dual::constant(T::from_f64(f64::NAN)); outputs]]
}

pub(crate) fn split_duals<T: Real>(duals: &[Dual<T>], y: &mut [T], dy: &mut [T]) {
    for ((y, dy), dual) in y.iter_mut().zip(dy).zip(duals) {
        (*y, *dy) = (dual.value, dual.tangent);
    }
}

impl<T: Real> Apply for Dual<T> {
    fn apply<H: Handle>(operation: &H, x: &[Self], y: &mut [Self]) {
        let mut outputs: SmallVec<[T; 8]> = smallvec![T::from_f64(f64::NAN); 2 * y.len()];
        T::apply(&ForwardOf::new(operation), &parts_of(x), &mut outputs);
        join_parts(&outputs, y);
    }

    fn apply_reverse<H: Handle>(
        operation: &H,
        x: &[Self],
        y: &[Self],
        adjoint: &[Self],
        into: &mut [Self],
    ) {
        apply_reverse_of(operation, [x, y, adjoint], into);
    }
}

/// A lane at a time: each may decide otherwise.
impl<const N: usize> Apply for Lanes<N> {
    fn apply<H: Handle>(operation: &H, x: &[Self], y: &mut [Self]) {
        let mut inputs: SmallVec<[f64; 8]> = smallvec![0.0; x.len()];
        let mut outputs: SmallVec<[f64; 8]> = smallvec![0.0; y.len()];
        for lane in 0..N {
            for (input, x) in inputs.iter_mut().zip(x) {
                *input = x.0[lane];
            }
            outputs.fill(f64::NAN);
            operation.value(&inputs, &mut outputs);
            for (y, &output) in y.iter_mut().zip(&outputs) {
                y.0[lane] = output;
            }
        }
    }

    fn apply_reverse<H: Handle>(
        operation: &H,
        x: &[Self],
        y: &[Self],
        adjoint: &[Self],
        into: &mut [Self],
    ) {
        let lane_of = |numbers: &[Self], lane: usize| -> SmallVec<[f64; 8]> {
            numbers.iter().map(|number| number.0[lane]).collect()
        };
        for lane in 0..N {
            let adjoint = lane_of(adjoint, lane);
            if adjoint.iter().all(|&adjoint| adjoint == 0.0) {
                continue;
            }
            let mut contributions: SmallVec<[f64; 8]> = smallvec![0.0; into.len()];
            operation.reverse(&lane_of(x, lane), &lane_of(y, lane), &adjoint, &mut contributions);
            for (into, contribution) in into.iter_mut().zip(contributions) {
                into.0[lane] = contribution;
            }
        }
    }
}

impl<T: Real> Apply for Var<T> {
    #[track_caller]
    fn apply<H: Handle>(operation: &H, x: &[Self], y: &mut [Self]) {
        y.copy_from_slice(&Var::record_applied(operation, &[x]));
    }

    #[track_caller]
    fn applied<H: Handle>(operation: &H, x: &[&[Self]]) -> Vec<Self> {
        Var::record_applied(operation, x)
    }

    #[track_caller]
    fn apply_reverse<H: Handle>(
        operation: &H,
        x: &[Self],
        y: &[Self],
        adjoint: &[Self],
        into: &mut [Self],
    ) {
        apply_reverse_of(operation, [x, y, adjoint], into);
    }
}
