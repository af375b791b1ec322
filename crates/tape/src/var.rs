//! A recorded variable: a plain number that knows its place in a list.
#![allow(unsafe_code, reason = "recording goes through the pointer that the registry holds")]

use core::fmt::{self, Debug, Display};
use core::iter::repeat_n;
use core::marker::PhantomData;
use core::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use crate::kinks;
use crate::list::stop::{Arguments, Erased, Stop};
use crate::list::{Edge, Node, Storage};
use crate::number::Number;
use crate::op::Op;
use crate::partial;
use crate::real::operation::Handle;
use crate::real::{self, Real};
use crate::registry::{self, CONSTANT};
use crate::table::for_each_method;

/// A number recorded on a [`Tape`](crate::Tape), or a constant.
///
/// A `Var` is a value, an index and its tape's number: 16 bytes for `f64`, `Copy`, without lifetime. Every operation on
/// variables appends a node to their tape, which the thread finds by its number. Operations among constants are not
/// recorded.
///
/// It can be sent to other threads, but only read there: a tape records on the thread that made it.
///
/// # Panics
/// An operation panics, in release builds too, when its variables are on different tapes, or on a tape that has been
/// cleared, dropped, or made by another thread. The message names the case.
///
/// ```
/// use tape::{Tape, Var};
///
/// let tape = Tape::new();
/// let x = tape.var(2.0);
/// let y: Var = 3.0 * x * x + Var::constant(1.0);
/// assert_eq!(y.value(), 13.0);
/// assert_eq!(tape.sweep(y).wrt(x), 12.0);
/// ```
#[derive(Clone, Copy)]
pub struct Var<T = f64> {
    pub(crate) value: T,
    /// The tape's number in the upper half, the index in the lower. As one integer beside the value it makes a `Var` a
    /// pair of scalars, which the compiler passes in registers; as two, every copy through memory waits for the stores.
    place: u64,
    /// A tape's number stands for the type of its numbers, so a `Var` is of this type only: it is invariant.
    ///
    /// ```compile_fail
    /// fn shortened<'a>(x: tape::Var<&'static f64>) -> tape::Var<&'a f64> { x }
    /// ```
    /// ```
    /// fn unchanged<'a>(x: tape::Var<&'a f64>) -> tape::Var<&'a f64> { x }
    /// ```
    _kind: PhantomData<fn(T) -> T>,
}

impl<T: Real> Var<T> {
    /// A number that is on no tape; its derivative is 0.
    #[inline(always)]
    pub fn constant(value: T) -> Self {
        Self::at(value, CONSTANT, 0)
    }

    #[inline(always)]
    pub(crate) fn at(value: T, tape: u32, index: u32) -> Self {
        let place = u64::from(tape) << 32 | u64::from(index);
        Self { value, place, _kind: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn index(self) -> u32 {
        self.place as u32
    }

    #[inline(always)]
    pub(crate) fn tape(self) -> u32 {
        (self.place >> 32) as u32
    }

    /// Several constants: of an array, an array.
    ///
    /// ```
    /// let [a, b] = tape::Var::constants([1.5, 2.5]);
    /// assert!(a.is_constant() && b.is_constant());
    /// ```
    pub fn constants<const N: usize>(values: [T; N]) -> [Self; N] {
        values.map(Self::constant)
    }

    /// Constants for the numbers of a slice, as [`Tape::vars_from`](crate::Tape::vars_from) makes variables.
    ///
    /// ```
    /// // A function of variables, evaluated without recording.
    /// let f = |x: &[tape::Var]| x[0] * x[1];
    /// assert_eq!(f(&tape::Var::constants_from(&[2.0, 3.0])).value(), 6.0);
    /// ```
    pub fn constants_from(values: &[T]) -> Vec<Self> {
        values.iter().copied().map(Self::constant).collect()
    }

    /// The number itself.
    ///
    /// While a program is traced, a plain number that is handed out becomes a guard: the program is for this number only,
    /// and another one gives [`Error::Diverged`](crate::Error::Diverged). A branch is better made by comparing variables, a
    /// constant by [`stop_gradient`](crate::stop_gradient).
    #[inline(always)]
    pub fn value(self) -> T {
        if T::DEPTH == 0 {
            self.note_bits();
        }
        self.value
    }

    /// Whether this is a constant, on no tape.
    #[inline(always)]
    pub fn is_constant(self) -> bool {
        self.tape() == CONSTANT
    }

    #[inline(always)]
    pub(crate) fn edge(self, partial: impl FnOnce() -> T) -> Edge<T> {
        let partial = if self.is_constant() { self.value } else { partial() };
        Edge { partial, argument: self.index() }
    }

    /// Records an operation with one variable argument, and a constant kept in the spare slot.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn record_1(
        self,
        op: Op,
        value: T,
        partial: impl FnOnce() -> T,
        constant: T,
    ) -> Self {
        record(self.tape(), op, value, (partial(), self.index()), (constant, 0))
    }

    /// Records an operation of a constant and a variable, in this order.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn record_constant_first(
        self,
        op: Op,
        value: T,
        constant: T,
        partial: impl FnOnce() -> T,
    ) -> Self {
        record(self.tape(), op, value, (constant, 0), (partial(), self.index()))
    }

    /// Records an operation of two numbers, each a variable or a constant.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn record_2(
        self,
        other: Self,
        op: Op,
        value: T,
        partial_0: impl FnOnce() -> T,
        partial_1: impl FnOnce() -> T,
    ) -> Self {
        if self.tape() == other.tape() {
            record(
                self.tape(),
                op,
                value,
                (partial_0(), self.index()),
                (partial_1(), other.index()),
            )
        } else if other.is_constant() {
            self.record_1(op, value, partial_0, other.value)
        } else if self.is_constant() {
            other.record_constant_first(op, value, self.value, partial_1)
        } else {
            foreign(self, other)
        }
    }

    /// Records an operation of any number of arguments, each with its partial; a spare slot gets `filler`.
    #[inline]
    #[track_caller]
    pub(crate) fn record_all(
        op: Op,
        value: T,
        mut arguments: impl Iterator<Item = (Self, T)> + Clone,
        filler: T,
    ) -> Self {
        let all = arguments.clone().map(|(argument, _)| argument);
        let spare = (Self::constant(filler), filler);
        let pairs =
            core::iter::from_fn(|| Some([arguments.next()?, arguments.next().unwrap_or(spare)]));
        Self::record_pairs(op, value, all, pairs)
    }

    /// The list of the tape that all of these variables are on, if it was used lately and none is constant or stale.
    #[inline(always)]
    fn shared_list(
        variables: impl Iterator<Item = Self>,
        tape: u32,
    ) -> Option<NonNull<Storage<T>>> {
        let list = registry::cached::<T>(tape)?;
        // A place minus that of the tape's start is the index, or huge.
        let start = u64::from(tape) << 32;
        let furthest = variables
            .fold(0, |furthest: u64, variable| furthest.max(variable.place.wrapping_sub(start)));
        // SAFETY: as in `record`.
        (furthest < u64::from(unsafe { list.as_ref() }.len())).then_some(list)
    }

    /// [`Real::dot`] of slices of variables only, with a finite result: no case has to be told from another.
    #[inline]
    fn dot_of_variables(a: &[Self], b: &[Self]) -> Option<Self> {
        let tape = a.first()?.tape();
        // Of numbers that may be recorded themselves, a partial is more than the other factor.
        if T::DEPTH > 0 {
            return None;
        }
        let list = Self::shared_list(a.iter().chain(b).copied(), tape)?;
        let value = T::dot_of(a.iter().zip(b).map(|(a, b)| (a.value, b.value)));
        if value.is_nan_in_a_lane() {
            return None;
        }
        let b = &b[..a.len()];
        let pair = |i: usize| ([b[i].value, a[i].value], [a[i].index(), b[i].index()]);
        // SAFETY: as in `record`, since computing the value ran no code of others; `pair` only reads slices.
        let index = unsafe { list.as_ref().push_pairs(Op::Dot, a.len(), pair) };
        Some(Self::at(value, tape, index))
    }

    /// [`Real::sum`] of a slice of variables only.
    #[inline]
    fn sum_of_variables(terms: &[Self]) -> Option<Self> {
        let tape = terms.first()?.tape();
        let list = Self::shared_list(terms.iter().copied(), tape)?;
        let value = T::sum_of(terms.iter().map(|term| term.value));
        let one = T::from_f64(1.0);
        let pair = |i: usize| {
            let first = terms[2 * i].index();
            match terms.get(2 * i + 1) {
                Some(second) => ([one, one], [first, second.index()]),
                None => ([one, T::from_f64(-0.0)], [first, 0]),
            }
        };
        // SAFETY: as in `dot_of_variables`.
        let index = unsafe { list.as_ref().push_pairs(Op::Sum, terms.len().div_ceil(2), pair) };
        Some(Self::at(value, tape, index))
    }

    /// [`Real::weighted_sum`] of a slice of variables only.
    #[inline(always)]
    fn weighted_sum_of_variables(weights: &[f64], terms: &[Self]) -> Option<Self> {
        let tape = terms.first()?.tape();
        let list = Self::shared_list(terms.iter().copied(), tape)?;
        let weights = &weights[..terms.len()];
        let value = Self::weighted_value(weights, terms);
        let pair = |i: usize| {
            let first = T::from_f64(weights[2 * i]);
            match terms.get(2 * i + 1) {
                Some(term) => {
                    let second = T::from_f64(weights[2 * i + 1]);
                    ([first, second], [terms[2 * i].index(), term.index()])
                }
                None => ([first, T::from_f64(-0.0)], [terms[2 * i].index(), 0]),
            }
        };
        let count = terms.len().div_ceil(2);
        // SAFETY: as in `dot_of_variables`.
        let index = unsafe { list.as_ref().push_pairs(Op::WeightedSum, count, pair) };
        Some(Self::at(value, tape, index))
    }

    /// A constant term is recorded as its product with its weight.
    #[track_caller]
    fn weighted_sum_of_any(weights: &[f64], terms: &[Self]) -> Self {
        let arguments = weights.iter().zip(terms).map(|(&weight, &term)| {
            let weight = T::from_f64(weight);
            if term.is_constant() {
                (Self::constant(weight * term.value), weight)
            } else {
                (term, weight)
            }
        });
        let value = Self::weighted_value(weights, terms);
        Self::record_all(Op::WeightedSum, value, arguments, T::from_f64(-0.0))
    }

    #[inline]
    fn weighted_value(weights: &[f64], terms: &[Self]) -> T {
        let products = weights.iter().zip(terms).map(|(&weight, x)| T::from_f64(weight) * x.value);
        products.reduce(|sum, product| sum + product).unwrap_or(T::from_f64(0.0))
    }

    /// Records an operation whose arguments come in pairs. `all` gives the arguments once more.
    #[inline]
    #[track_caller]
    fn record_pairs(
        op: Op,
        value: T,
        mut all: impl Iterator<Item = Self> + Clone,
        pairs: impl Iterator<Item = [(Self, T); 2]>,
    ) -> Self {
        let Some(first) = all.clone().find(|argument| !argument.is_constant()) else {
            return Self::constant(value);
        };
        let tape = first.tape();
        let Some(list) = registry::look_up::<T>(tape) else {
            find(first);
            unreachable!("a variable whose list is not found is no constant");
        };
        // SAFETY: as in `record`.
        let len = unsafe { list.as_ref() }.len();
        // The arguments are checked as they are written: they are in the cache then.
        let mut all_own = true;
        let mut edge = |(argument, partial): (Self, T)| {
            let own = argument.tape() == tape && argument.index() < len;
            all_own &= own | argument.is_constant();
            let Edge { partial, argument } = argument.edge(|| partial);
            // What is not the list's own is not even there until it is taken back.
            Edge { partial, argument: if own { argument } else { 0 } }
        };
        let mut begun = Begun::<T> { tape, start: len, len, _kind: PhantomData };
        for [a, b] in pairs {
            begun.push([edge(a), edge(b)]);
        }
        if !all_own {
            drop(begun);
            explain_strange(&mut all);
        }
        Self::at(value, tape, begun.finish(op))
    }
}

impl<T: Real> Var<T> {
    /// Records an operation of one's own at inputs that stand in several places, and returns its results.
    #[track_caller]
    pub(crate) fn record_applied<H: Handle>(operation: &H, x: &[&[Self]]) -> Vec<Self> {
        let values = Self::values_to_apply(x);
        let outputs = operation.outputs(values.len());
        let mut results: Rc<[T]> = repeat_n(T::from_f64(f64::NAN), outputs).collect();
        T::apply(operation, &values, Rc::get_mut(&mut results).expect("it is new"));
        // A handle is cloned, which runs no code of others.
        Self::push_applied(Arc::new(operation.clone()), x, values, &results)
    }

    /// The numbers of an operation's arguments.
    #[track_caller]
    fn values_to_apply(x: &[&[Self]]) -> Rc<[T]> {
        let arguments = x.iter().flat_map(|part| part.iter().copied());
        // SAFETY: as in `record`.
        let gone = list_of(arguments).map(|(_, list)| unsafe { list.as_ref() }.take_gone());
        // From here on, code of others runs.
        drop(gone);
        if let [x] = x {
            return x.iter().map(|x| x.value).collect();
        }
        let count = x.iter().map(|part| part.len()).sum();
        let mut values: Rc<[T]> = repeat_n(T::from_f64(0.0), count).collect();
        let mut rest = Rc::get_mut(&mut values).expect("it is new");
        for part in x {
            let (values, after) = rest.split_at_mut(part.len());
            rest = after;
            values.iter_mut().zip(*part).for_each(|(value, x)| *value = x.value);
        }
        values
    }

    #[track_caller]
    fn push_applied(
        operation: Arc<dyn Erased<T>>,
        x: &[&[Self]],
        values: Rc<[T]>,
        y: &Rc<[T]>,
    ) -> Vec<Self> {
        let inputs = x.iter().flat_map(|part| part.iter().copied());
        let Some((tape, list)) = list_of(inputs.clone()) else {
            return y.iter().map(|&result| Self::constant(result)).collect();
        };
        // SAFETY: as in `record`.
        let list = unsafe { list.as_ref() };
        let arguments: Arguments = inputs.map(Self::index).collect();
        // Where they are all the results of another operation, they stand there.
        let x = arguments.as_range().and_then(|range| list.results_at(range)).unwrap_or(values);
        let first = list.push_stop(Stop { operation, first: 0, arguments, x, y: Rc::clone(y) });
        let results = y.iter().zip(first..);
        results.map(|(&result, index)| Self::at(result, tape, index)).collect()
    }
}

/// An operation of several nodes that is being recorded. Until it is finished, its nodes are not an operation; should
/// what gives the arguments panic (as it may, where partials are recorded variables), they are taken back.
///
/// The list is looked up again for every node, because an iterator has been asked for it.
struct Begun<T: Real> {
    tape: u32,
    /// The length of the list before, and as it should be.
    start: u32,
    len: u32,
    _kind: PhantomData<T>,
}

impl<T: Real> Begun<T> {
    #[inline]
    #[track_caller]
    fn push(&mut self, [first, second]: [Edge<T>; 2]) {
        let partials = [first.partial, second.partial];
        let arguments = [first.argument | Node::<T>::JOINED, second.argument];
        // SAFETY: as in `record`.
        let list = unsafe { self.list().as_ref() };
        list.push(Op::Part, Node { partials, arguments });
        self.len += 1;
    }

    /// Makes the last node the operation's end, and returns its index.
    #[inline]
    #[track_caller]
    fn finish(mut self, op: Op) -> u32 {
        assert!(self.len > self.start, "an operation has at least one argument");
        // SAFETY: as in `record`.
        let last = unsafe { self.list().as_ref() }.finish(op);
        self.start = self.len;
        last
    }

    #[inline]
    #[track_caller]
    fn list(&self) -> NonNull<Storage<T>> {
        match registry::look_up::<T>(self.tape) {
            // SAFETY: as in `record`.
            Some(list) if unsafe { list.as_ref() }.len() == self.len => list,
            _ => changed(self.tape),
        }
    }
}

impl<T: Real> Drop for Begun<T> {
    #[inline]
    fn drop(&mut self) {
        if self.start == self.len {
            return;
        }
        if let Some(list) = registry::look_up::<T>(self.tape) {
            // SAFETY: as in `record`.
            let list = unsafe { list.as_ref() };
            list.truncate(self.start.max(list.floor()));
        }
    }
}

/// Appends a node to a tape: two partials (or constants), each with the index of its argument (or 0).
///
/// The parts of the node are passed on their own, not as a [`Node`]: they stay in registers up to the one place that
/// writes them.
///
/// A debug build keeps it one function: some fifty instructions in every operator would make it compile for minutes.
#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
#[track_caller]
fn record<T: Real>(tape: u32, op: Op, value: T, first: (T, u32), second: (T, u32)) -> Var<T> {
    if let Some(list) = registry::cached::<T>(tape) {
        // SAFETY: the registry's lists live until their tape is dropped, and this is of use no longer than until code of
        // others may run: an iterator, a closure, or, where something panics, the panic hook.
        let list = unsafe { list.as_ref() };
        if first.1.max(second.1) < list.len() && list.has_room() {
            let node = Node { partials: [first.0, second.0], arguments: [first.1, second.1] };
            // SAFETY: there is room, as just seen.
            let index = unsafe { list.push_unchecked(op, node) };
            return Var::at(value, tape, index);
        }
    }
    record_slowly(tape, op, value, first.0, first.1, second.0, second.1)
}

/// [`record`] where the list was not used lately, or must grow, or there is none.
#[cold]
#[inline(never)]
#[track_caller]
fn record_slowly<T: Real>(
    tape: u32,
    op: Op,
    value: T,
    partial_0: T,
    argument_0: u32,
    partial_1: T,
    argument_1: u32,
) -> Var<T> {
    let highest = Var::at(value, tape, argument_0.max(argument_1));
    let Some(list) = find(highest) else {
        return Var::constant(value);
    };
    // SAFETY: as in `record`.
    let list = unsafe { list.as_ref() };
    if highest.index() >= list.len() {
        rewound(highest, list.len());
    }
    let node = Node { partials: [partial_0, partial_1], arguments: [argument_0, argument_1] };
    Var::at(value, tape, list.push(op, node))
}

/// The tape and list that the variables among `arguments` share; `None` where all are constants.
#[track_caller]
pub(crate) fn list_of<T: Real>(
    arguments: impl Iterator<Item = Var<T>>,
) -> Option<(u32, NonNull<Storage<T>>)> {
    let mut last: Option<Var<T>> = None;
    let mut highest: Option<Var<T>> = None;
    for argument in arguments.filter(|argument| !argument.is_constant()) {
        if let Some(last) = last
            && last.tape() != argument.tape()
        {
            foreign(last, argument);
        }
        last = Some(argument);
        if highest.is_none_or(|highest| argument.index() > highest.index()) {
            highest = Some(argument);
        }
    }
    let highest = highest?;
    let list = match registry::cached::<T>(highest.tape()) {
        Some(list) => list,
        None => find(highest)?,
    };
    // SAFETY: as in `record`.
    let len = unsafe { list.as_ref() }.len();
    if highest.index() >= len {
        rewound(highest, len);
    }
    Some((highest.tape(), list))
}

/// The list of a variable; `None` for a constant.
#[cold]
#[inline(never)]
#[track_caller]
fn find<T: Real>(variable: Var<T>) -> Option<NonNull<Storage<T>>> {
    if variable.is_constant() {
        return None;
    }
    let list = registry::find(variable.tape());
    if list.is_none() {
        let why = registry::explain_missing(variable.tape());
        panic!("variable v{} cannot be used here: {why}", variable.index());
    }
    list
}

/// Panics for the first of the variables that is not on the tape of those before it.
#[cold]
#[track_caller]
fn explain_strange<T: Real>(arguments: &mut dyn Iterator<Item = Var<T>>) -> ! {
    list_of(arguments);
    unreachable!("one of the variables is on another tape, or stale");
}

#[cold]
#[inline(never)]
#[track_caller]
fn foreign<T: Real>(a: Var<T>, b: Var<T>) -> ! {
    for variable in [a, b] {
        if registry::find::<T>(variable.tape()).is_none() {
            let why = registry::explain_missing(variable.tape());
            panic!("variable v{} cannot be used here: {why}", variable.index());
        }
    }
    panic!(
        "variables {a:?} and {b:?} are on different tapes ({} and {}): one operation takes variables of one tape; \
         pass the value of one as a number if its derivative is not wanted",
        a.tape(),
        b.tape()
    );
}

#[cold]
#[inline(never)]
#[track_caller]
fn changed(tape: u32) -> ! {
    panic!(
        "an operation on tape {tape} takes its arguments from an iterator, which has itself recorded there, or rewound, \
         cleared or dropped the tape: collect the arguments first"
    );
}

#[cold]
#[inline(never)]
#[track_caller]
fn rewound<T: Real>(variable: Var<T>, len: u32) -> ! {
    panic!(
        "variable v{} cannot be used here: tape {} has been rewound to a mark before it was recorded \
         ({} nodes are left)",
        variable.index(),
        variable.tape(),
        len - 1
    );
}

impl<T: Real> From<T> for Var<T> {
    fn from(value: T) -> Self {
        Self::constant(value)
    }
}

impl<T: Real> Display for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.value, f)
    }
}

/// The value, and the index in its list: `2.5 (v3)`.
impl<T: Real> Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_constant() {
            write!(f, "{:?} (constant)", self.value)
        } else {
            write!(f, "{:?} (v{})", self.value, self.index())
        }
    }
}

macro_rules! define_var {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        /// The operations of the table, also as inherent methods: no trait need be imported, and importing several that
        /// have methods of the same names is never ambiguous.
        impl<T: Real> Var<T> {
            $(
                $(#[$doc_1])*
                #[inline(always)]
                #[track_caller]
                pub fn $name_1(self) -> Self {
                    let (value, partial) =
                        T::with_partial(Op::$op_1, self.value, T::$name_1, partial::$name_1::of_0);
                    self.record_1(Op::$op_1, value, || partial, T::from_f64(0.0))
                }
            )*
            $(
                $(#[$doc_i])*
                #[inline(always)]
                #[track_caller]
                pub fn $name_i(self, n: $index) -> Self {
                    let value = self.value.$name_i(n);
                    let index = T::from_f64(f64::from(n));
                    self.record_1(Op::$op_i, value, || partial::$name_i::of_0(self.value, n, value), index)
                }
            )*
            $(
                $(#[$doc_2])*
                #[inline(always)]
                #[track_caller]
                pub fn $name_2(self, $b_2: Self) -> Self {
                    let (x, y) = (self.value, $b_2.value);
                    let value = x.$name_2(y);
                    self.record_2(
                        $b_2,
                        Op::$op_2,
                        value,
                        || partial::$name_2::of_0(x, y, value),
                        || partial::$name_2::of_1(x, y, value),
                    )
                }
            )*
            $(
                $(#[$doc_3])*
                #[inline]
                #[track_caller]
                pub fn $name_3(self, $b_3: Self, $c_3: Self) -> Self {
                    let (x, y, z) = (self.value, $b_3.value, $c_3.value);
                    let value = x.$name_3(y, z);
                    let arguments = [
                        (self, partial::$name_3::of_0(x, y, z, value)),
                        ($b_3, partial::$name_3::of_1(x, y, z, value)),
                        ($c_3, partial::$name_3::of_2(x, y, z, value)),
                    ];
                    Self::record_all(Op::$op_3, value, arguments.into_iter(), T::from_f64(0.0))
                }
            )*
        }

        impl<T: Real> Real for Var<T> {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                Self::constant(T::from_f64(value))
            }

            #[inline(always)]
            fn primal(self) -> f64 {
                self.note_bits();
                self.innermost()
            }

            $(#[inline(always)] #[track_caller] fn $name_1(self) -> Self { Var::$name_1(self) })*
            $(#[inline(always)] #[track_caller] fn $name_i(self, n: $index) -> Self { Var::$name_i(self, n) })*
            $(#[inline(always)] #[track_caller] fn $name_2(self, $b_2: Self) -> Self { Var::$name_2(self, $b_2) })*
            $(#[inline(always)] #[track_caller] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { Var::$name_3(self, $b_3, $c_3) })*

            #[track_caller]
            fn sum(terms: &[Self]) -> Self {
                match Self::sum_of_variables(terms) {
                    Some(sum) => sum,
                    None => Self::sum_of(terms.iter().copied()),
                }
            }

            #[inline]
            #[track_caller]
            fn weighted_sum(weights: &[f64], terms: &[Self]) -> Self {
                real::assert_equal_lengths("weighted_sum", weights.len(), terms.len());
                match Self::weighted_sum_of_variables(weights, terms) {
                    Some(sum) => sum,
                    None => Self::weighted_sum_of_any(weights, terms),
                }
            }

            #[track_caller]
            fn dot(a: &[Self], b: &[Self]) -> Self {
                real::assert_equal_lengths("dot", a.len(), b.len());
                match Self::dot_of_variables(a, b) {
                    Some(dot) => dot,
                    None => Self::dot_of(a.iter().copied().zip(b.iter().copied())),
                }
            }

            #[track_caller]
            fn sum_over<I>(
                items: impl IntoIterator<Item = I>,
                term: impl FnMut(I) -> Self,
            ) -> Self {
                Self::sum_over_items(items, term)
            }
        }
    };
}
for_each_method!(define_var);

impl<T: Real> Number for Var<T> {
    const DEPTH: usize = T::DEPTH + 1;
    const LANES: usize = T::LANES;
    #[inline(always)]
    fn innermost(self) -> f64 {
        self.value.innermost()
    }

    #[track_caller]
    fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        let value = T::sum_of(terms.clone().map(|term| term.value));
        let one = T::from_f64(1.0);
        Self::record_all(Op::Sum, value, terms.map(|term| (term, one)), T::from_f64(-0.0))
    }

    #[track_caller]
    fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self {
        let value = T::dot_of(pairs.clone().map(|(a, b)| (a.value, b.value)));
        let all = pairs.clone().flat_map(|(a, b)| [a, b]);
        let with_partials = pairs.map(|(a, b)| {
            let product = a.value * b.value;
            [
                (a, partial::mul::of_0(a.value, b.value, product)),
                (b, partial::mul::of_1(a.value, b.value, product)),
            ]
        });
        Self::record_pairs(Op::Dot, value, all, with_partials)
    }

    #[track_caller]
    fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self {
        let value = T::norm_of(components.clone().map(|x| x.value));
        let tip = kinks::norm_tip(components.clone().map(|x| x.value), value);
        let arguments = components.map(|x| (x, kinks::norm_partial(x.value, value, tip)));
        Self::record_all(Op::Norm, value, arguments, T::from_f64(0.0))
    }

    #[track_caller]
    fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        let (value, weights) = kinks::log_sum_exp_weights(terms.clone().map(|term| term.value));
        let arguments = terms.zip(weights.iter().copied());
        Self::record_all(Op::LogSumExp, value, arguments, T::from_f64(f64::NEG_INFINITY))
    }

    /// What is traced is recorded: a replay takes the step anew.
    #[inline(always)]
    fn step(op: Op, x: Self, y: Self) -> Self {
        let value = T::step(op, x.value, y.value);
        if !(x.is_traced() || y.is_traced()) {
            return Self::constant(value);
        }
        let zero = || T::from_f64(0.0);
        x.record_2(y, op, value, zero, zero)
    }

    #[inline]
    #[track_caller]
    fn pick(condition: Self, a: Self, b: Self) -> Self {
        let value = T::pick(condition.value, a.value, b.value);
        let partials = kinks::select_partials(condition.value);
        let arguments = [(condition, partials[0]), (a, partials[1]), (b, partials[2])];
        Self::record_all(Op::Select, value, arguments.into_iter(), T::from_f64(0.0))
    }

    #[inline(always)]
    fn decided(self) -> Option<bool> {
        if self.is_constant() { self.value.decided() } else { None }
    }

    /// A product, recorded as one of the chain rule where a replay may find 0·∞.
    #[inline]
    #[track_caller]
    fn chain(partial: Self, derivative: Self) -> Self {
        if partial.vanishes() || derivative.vanishes() {
            return Self::from_f64(0.0);
        }
        for (factor, other) in [(partial, derivative), (derivative, partial)] {
            if factor.is_the_constant(1.0) {
                return other;
            }
            if factor.is_the_constant(-1.0) {
                return -other;
            }
            if factor.is_a_finite_factor() {
                return partial * derivative;
            }
        }
        let value = T::chain(partial.value, derivative.value);
        partial.record_2(derivative, Op::Chain, value, || derivative.value, || partial.value)
    }

    #[inline]
    #[track_caller]
    fn cofactor(x: Self, y: Self, product: Self) -> Self {
        let value = T::cofactor(x.value, y.value, product.value);
        let may_differ = (x.is_traced() || y.is_traced())
            && !x.is_a_finite_factor()
            && !y.is_a_finite_factor()
            && (x.place != y.place || x.is_constant());
        if may_differ {
            let (zero, one) = (|| T::from_f64(0.0), || T::from_f64(1.0));
            return x.record_2(y, Op::Cofactor, value, zero, one);
        }
        Self { value, ..y }
    }

    #[inline]
    #[track_caller]
    fn tip(x: Self, length: Self) -> Self {
        let value = T::tip(x.value, length.value);
        if x.is_constant() {
            return Self::constant(value);
        }
        let partial = || kinks::tip_partial(length.value);
        x.record_2(length, Op::Tip, value, partial, || T::from_f64(0.0))
    }

    #[track_caller]
    fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self {
        let value = T::largest_of(numbers.clone().map(|x| x.value));
        if !numbers.clone().any(Self::is_traced) {
            return Self::constant(value);
        }
        let zero = T::from_f64(0.0);
        Self::record_all(
            Op::Largest,
            value,
            numbers.map(|x| (x, zero)),
            T::from_f64(f64::NEG_INFINITY),
        )
    }

    #[inline]
    #[track_caller]
    fn weight(self, largest: Self) -> Self {
        let value = self.value.weight(largest.value);
        self.record_2(largest, Op::Weight, value, || value, || T::from_f64(0.0))
    }

    #[inline]
    #[track_caller]
    fn stop_gradient(self) -> Self {
        let value = self.value.stop_gradient();
        if self.is_traced() {
            let zero = || T::from_f64(0.0);
            return self.record_1(Op::StopGradient, value, zero, T::from_f64(0.0));
        }
        Self::constant(value)
    }

    #[inline(always)]
    fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
        T::lanes_where(x.value, y.value, condition)
    }

    #[inline(always)]
    fn vanishing_lanes(self) -> u64 {
        if self.is_constant() { self.value.vanishing_lanes() } else { 0 }
    }

    #[inline(always)]
    fn vanishes(self) -> bool {
        self.is_constant() && self.value.vanishes()
    }

    #[inline(always)]
    fn is_the_constant(self, value: f64) -> bool {
        self.is_constant() && self.value.is_the_constant(value)
    }

    #[inline(always)]
    fn is_a_finite_factor(self) -> bool {
        self.is_constant() && self.value.is_a_finite_factor()
    }

    /// The first contribution takes the place of the constant 0 that adjoints start from.
    #[inline(always)]
    #[track_caller]
    fn accumulate(&mut self, contribution: Self) {
        if self.vanishes() {
            *self = contribution;
        } else {
            *self += contribution;
        }
    }

    #[inline(always)]
    fn note_sign(self) {
        self.note_own_sign();
        self.value.note_sign();
    }

    #[inline(always)]
    fn note_integer(self) {
        self.note_own_integer();
        self.value.note_integer();
    }

    #[inline(always)]
    fn note_bits(self) {
        self.note_own_bits();
        self.value.note_bits();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::tape::Tape;

    /// A sum whose iterator does something before it gives its third term. The tape is as good as before afterwards,
    /// if it is still there.
    fn sum_beside(action: impl Fn(&mut Option<Tape>)) -> String {
        let mut tape = Some(Tape::new());
        let terms = tape.as_ref().map_or(Vec::new(), |tape| tape.vars_from(&[1.0; 6]));
        let shared = core::cell::RefCell::new(&mut tape);
        // The value is computed first, from a copy of the iterator.
        let copies = core::cell::Cell::new(0);
        let sum = || {
            copies.set(0);
            Var::sum_of(terms.iter().copied().inspect(|_| {
                copies.set(copies.get() + 1);
                if copies.get() == 6 + 1 + 2 + 1 {
                    action(&mut shared.borrow_mut());
                }
            }))
        };
        let message = match catch_unwind(AssertUnwindSafe(sum)) {
            Ok(sum) => format!("{sum}"),
            Err(payload) => {
                payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "of its own".to_owned())
            }
        };
        if let Some(tape) = tape {
            let x = tape.var(3.0);
            assert_eq!(tape.sweep(x).wrt(terms[0]), 0.0);
            assert_eq!(tape.sweep(x * terms[0]).wrt(terms[0]), 3.0);
        }
        message
    }

    #[test]
    fn an_iterator_that_does_nothing_else_gives_a_sum() {
        assert_eq!(sum_beside(|_| ()), "6");
    }

    #[test]
    fn an_iterator_of_a_sum_that_drops_the_tape_is_detected() {
        assert!(sum_beside(|tape| *tape = None).contains("collect the arguments first"));
    }

    #[test]
    fn an_iterator_of_a_sum_that_records_on_the_tape_is_detected() {
        let record = |tape: &mut Option<Tape>| {
            for _ in 0..3000 {
                let _ = tape.as_ref().map(|tape| tape.var(1.0));
            }
        };
        assert!(sum_beside(record).contains("collect the arguments first"));
    }

    #[test]
    fn an_iterator_of_a_sum_that_panics_leaves_no_part_of_it() {
        assert_eq!(sum_beside(|_| panic!()), "of its own");
    }
}
