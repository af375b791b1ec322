//! The tape: owner of a Wengert list, on which variables record themselves and which is swept for derivatives.
#![allow(
    unsafe_code,
    reason = "a tape reads its list through the pointer that the registry shares"
)]

use core::fmt::{self, Debug};
use core::marker::PhantomData;
use core::ops::Range;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use smallvec::SmallVec;

use crate::adjoints::Adjoints;
use crate::list::{Edge, List, Node, Receiver, Storage};
use crate::op::Op;
use crate::real::Real;
use crate::registry;
use crate::sweep::{sweep, sweep_with_stops};
use crate::var::{Var, list_of};

/// A Wengert list: every operation on its variables, in order, with its partials.
///
/// A tape stays usable after a sweep: sweep again, from another output, or record on. It grows as operations are
/// recorded (25 bytes for one of up to two `f64` arguments) and keeps its memory when cleared.
///
/// A tape belongs to the thread that made it. Its variables are plain numbers and do not borrow it; using one after its
/// tape is cleared or dropped is detected (see [`Var`]).
///
/// ```
/// let tape = tape::Tape::new();
/// let [x, y] = tape.vars([2.0, 3.0]);
/// let z = x * y + x.sin();
/// let adjoints = tape.sweep(z);
/// assert_eq!(adjoints.wrt(x), 3.0 + 2.0_f64.cos());
/// assert_eq!(adjoints.wrt(y), 2.0);
/// ```
pub struct Tape<T: Real = f64> {
    list: NonNull<Storage<T>>,
    /// A tape is neither `Send` nor `Sync`, since its thread's registry points to its list, and of this type of number
    /// only.
    _kind: PhantomData<*mut T>,
}

/// What panics leaves a list as it was, or with more operations at its end.
impl<T: Real> UnwindSafe for Tape<T> {}
impl<T: Real> RefUnwindSafe for Tape<T> {}

/// A place in a list to [`Tape::rewind`] to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    tape: u32,
    len: u32,
}

impl<T: Real> Tape<T> {
    /// An empty tape. `Tape::new()` is of `f64` where nothing else is said; `Tape::<f32>::new()` is of `f32`.
    pub fn new() -> Self {
        Self { list: registry::create(), _kind: PhantomData }
    }

    #[inline(always)]
    fn list(&self) -> &Storage<T> {
        // SAFETY: the list lives as long as the tape, which is borrowed, and there are only shared references to it.
        unsafe { self.list.as_ref() }
    }

    /// An independent variable.
    #[inline]
    pub fn var(&self, value: T) -> Var<T> {
        let zero = T::from_f64(0.0);
        let list = self.list();
        let index = list.push(Op::Input, Node { partials: [value, zero], arguments: [0, 0] });
        Var::at(value, list.number(), index)
    }

    /// Independent variables, as an array.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let [a, b] = tape.vars([1.0, 2.0]);
    /// assert_eq!((a + b).value(), 3.0);
    /// ```
    pub fn vars<const N: usize>(&self, values: [T; N]) -> [Var<T>; N] {
        values.map(|value| self.var(value))
    }

    /// Independent variables for the numbers of a slice.
    pub fn vars_from(&self, values: &[T]) -> Vec<Var<T>> {
        values.iter().map(|&value| self.var(value)).collect()
    }

    /// The number of nodes: independent variables and recorded operations.
    ///
    /// An operation of n > 2 arguments takes ⌈n/2⌉ nodes.
    pub fn len(&self) -> usize {
        self.list().len() as usize - 1
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all nodes and keeps the memory. Former variables are stale: using one panics.
    ///
    /// # Panics
    /// When called by the closure or iterator of a `sum_over` on this tape, or by an operation that it sweeps.
    #[track_caller]
    pub fn clear(&self) {
        let list = self.list();
        assert!(
            list.floor() == 0,
            "clear: tape {} is in use by a sum_over or a sweep that has called this: clear it when that has returned",
            list.number()
        );
        registry::renumber(list);
        list.clear();
    }

    /// The place that the list has reached, to [`rewind`](Tape::rewind) to.
    #[must_use = "a mark does nothing until the tape is rewound to it"]
    pub fn mark(&self) -> Mark {
        let list = self.list();
        Mark { tape: list.number(), len: list.len() }
    }

    /// Forgets what was recorded after `mark` and keeps the memory.
    ///
    /// Variables recorded before the mark stay good. One recorded after it must not be used any more: that panics as
    /// long as its place in the list is empty, and goes unseen once the place has been taken by another operation.
    ///
    /// # Panics
    /// When the mark is of another tape, of before a `clear`, or lies behind the end of the list, or inside an operation
    /// recorded since the list was shorter; or when the closure or iterator of a `sum_over` on this tape rewinds it to a
    /// mark made before.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let x = tape.var(2.0);
    /// let mark = tape.mark();
    /// for _ in 0..1000 {
    ///     let derivative = tape.sweep(x * x).wrt(x);
    ///     assert_eq!(derivative, 4.0);
    ///     tape.rewind(mark);
    /// }
    /// assert_eq!(tape.len(), 1);
    /// ```
    #[track_caller]
    pub fn rewind(&self, mark: Mark) {
        let list = self.list();
        assert!(
            mark.tape == list.number(),
            "rewind: the mark was made on tape {}, or before it was cleared; this is tape {}",
            mark.tape,
            list.number()
        );
        assert!(
            mark.len <= list.len(),
            "rewind: the mark lies at node {}, but the list has been rewound to {} nodes since",
            mark.len - 1,
            list.len() - 1
        );
        assert!(
            mark.len >= list.floor(),
            "rewind: tape {} is in use by a sum_over or a sweep that has called this, and the mark was made before: rewind to it \
             when that has returned",
            list.number()
        );
        assert!(
            list.is_whole(mark.len),
            "rewind: the mark lies inside an operation that was recorded after the list had been rewound to before the \
             mark: such a mark is gone"
        );
        list.truncate(mark.len);
    }

    /// One reverse sweep from `output`, seeded with 1: the derivatives of `output` with respect to every node.
    ///
    /// # Panics
    /// When `output` is on another tape, or stale. (A constant is on every tape; its derivatives are 0.)
    #[track_caller]
    #[must_use = "a sweep changes nothing but the adjoints that it returns"]
    pub fn sweep(&self, output: Var<T>) -> Adjoints<T> {
        self.sweep_seeded(&[(output, T::from_f64(1.0))])
    }

    /// One reverse sweep from several outputs, each with its seed: the derivatives of Σ seedᵢ·outputᵢ.
    ///
    /// # Panics
    /// As [`Tape::sweep`].
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let x = tape.var(3.0);
    /// let (y, z) = (x * x, 2.0 * x);
    /// let adjoints = tape.sweep_seeded(&[(y, 1.0), (z, 0.5)]);
    /// assert_eq!(adjoints.wrt(x), 6.0 + 0.5 * 2.0);
    /// ```
    #[track_caller]
    #[must_use = "a sweep changes nothing but the adjoints that it returns"]
    pub fn sweep_seeded(&self, seeds: &[(Var<T>, T)]) -> Adjoints<T> {
        for &(output, _) in seeds {
            self.assert_own(output, "sweep");
        }
        let end = seeds.iter().map(|(output, _)| output.index() as usize + 1).max().unwrap_or(1);
        let mut adjoints = scratch(self.list(), self.list().len() as usize);
        for &(output, seed) in seeds {
            adjoints[output.index() as usize] += seed;
        }
        self.list().hold(|list| sweep_list::<T, false>(list, &mut adjoints, 1..end));
        Adjoints::new(self.list().number(), adjoints)
    }

    /// A user's own operation: `value`, with the given partial for each argument.
    ///
    /// Only these partials are known, at this point. So derivatives of higher order take them as constants in nested tapes; a
    /// Hessian, which replays the list, refuses a custom operation; and so do programs and batches. An
    /// [`Operation`](crate::Operation) can be in all of them.
    ///
    /// # Panics
    /// When there are not as many partials as arguments, or an argument is on another tape or stale.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let [x, y] = tape.vars([3.0, 4.0]);
    /// let r = tape.custom(&[x, y], 5.0, &[0.6, 0.8]); // √(x² + y²)
    /// assert_eq!(tape.sweep(2.0 * r).wrt(y), 1.6);
    /// ```
    #[track_caller]
    pub fn custom(&self, arguments: &[Var<T>], value: T, partials: &[T]) -> Var<T> {
        custom_on(self.list(), arguments, value, partials)
    }

    /// Σ term(item): each term is swept as soon as it is recorded, and rewound.
    ///
    /// The list never grows beyond one term, so that it stays in the processor's cache, however many terms there are.
    /// What remains is one operation whose arguments are the variables, recorded before the call, on which the terms
    /// depend. Values are added from the left.
    ///
    /// Variables that `term` records must not be kept: they are rewound.
    ///
    /// `items` and `term` may record on the tape, sweep it and sum over it. They may rewind it to marks that were made
    /// meanwhile, but not clear it.
    ///
    /// # Panics
    /// When a term is a variable of another tape, or stale.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let [slope, offset] = tape.vars([2.0, 1.0]);
    /// let data = [(0.0, 1.5), (1.0, 2.0), (2.0, 6.0)];
    /// let loss = tape.sum_over(data, |(x, y)| {
    ///     let residual = slope * x + offset - y;
    ///     residual * residual
    /// });
    /// assert_eq!(loss.value(), 0.25 + 1.0 + 1.0);
    /// let adjoints = tape.sweep(loss);
    /// assert_eq!((adjoints.wrt(slope), adjoints.wrt(offset)), (-2.0, -1.0));
    /// ```
    #[track_caller]
    pub fn sum_over<I>(
        &self,
        items: impl IntoIterator<Item = I>,
        term: impl FnMut(I) -> Var<T>,
    ) -> Var<T> {
        let items = items.into_iter();
        let terms = items.size_hint().0;
        sum_over_on(self.list().number(), None, items, terms, term)
    }

    /// Panics unless `variable` is a constant or on this tape.
    #[inline]
    #[track_caller]
    pub(crate) fn assert_own(&self, variable: Var<T>, call: &str) {
        assert_own(self.list(), variable, call);
    }

    /// The gradient of `f` at `x` by one sweep, on this tape, which is cleared before. `inputs` is a buffer.
    #[track_caller]
    pub(crate) fn gradient_into(
        &self,
        inputs: &mut Vec<Var<T>>,
        f: impl FnOnce(&[Var<T>]) -> Var<T>,
        x: &[T],
        gradient: &mut Vec<T>,
    ) -> T {
        self.clear();
        inputs.clear();
        inputs.extend(x.iter().map(|&x| self.var(x)));
        let output = f(inputs);
        self.derivatives_into(output, x.len(), gradient);
        output.value
    }

    /// Appends the derivatives of `output` with respect to the first `inputs` nodes, by one sweep that leaves its
    /// buffer ready for the next.
    #[track_caller]
    pub(crate) fn derivatives_into(&self, output: Var<T>, inputs: usize, derivatives: &mut Vec<T>) {
        self.assert_own(output, "the function's result");
        let zero = T::from_f64(0.0);
        let list = self.list();
        let mut adjoints = scratch(list, list.len() as usize);
        adjoints[output.index() as usize] += T::from_f64(1.0);
        let end = output.index() as usize + 1;
        list.hold(|list| {
            sweep_list::<T, true>(list, &mut adjoints, inputs + 1..end.max(inputs + 1));
        });
        derivatives.extend_from_slice(&adjoints[1..=inputs]);
        adjoints[..=inputs].fill(zero);
        list.keep_scratch(adjoints);
    }

    /// A look at the list, for printing and replay.
    pub(crate) fn with_list<R>(&self, look: impl FnOnce(&List<T>) -> R) -> R {
        self.list().hold(look)
    }

    /// A look at what has not been handed on: see [`Tape::hand_on`].
    pub(crate) fn with_rest<R>(&self, look: impl FnOnce(&List<T>) -> R) -> R {
        self.list().hold_rest(look)
    }

    /// From now on, whenever the list has so many nodes, they are handed on, and are gone.
    pub(crate) fn hand_on(&self, piece: u32, receiver: Receiver<T>) {
        self.list().hand_on(piece, receiver);
    }

    /// The list stays as a whole from now on; it is cleared if a part is gone.
    pub(crate) fn keep(&self) {
        self.list().keep();
        if self.list().has_handed_on() {
            self.clear();
        }
    }

    /// While set, `sum_over` records its terms like any other operation.
    pub(crate) fn set_tracing(&self, tracing: bool) {
        self.list().set_tracing(tracing);
    }
}

/// [`Tape::custom`] without the tape, which the arguments know: for functions that are handed variables only, like
/// those given to [`gradient`](crate::gradient). Of constants it makes a constant.
///
/// # Panics
/// As [`Tape::custom`].
///
/// ```
/// let cube = |x: tape::Var| tape::custom(&[x], x.value().powi(3), &[3.0 * x.value() * x.value()]);
/// assert_eq!(tape::gradient(|x| cube(x[0]) + x[1], &[2.0, 1.0]), (9.0, vec![12.0, 1.0]));
/// ```
#[track_caller]
pub fn custom<T: Real>(arguments: &[Var<T>], value: T, partials: &[T]) -> Var<T> {
    let Some((_, list)) = list_of(arguments.iter().copied()) else {
        return Var::constant(value);
    };
    // SAFETY: the registry's lists live until their tape is dropped, and no code of others runs during this call.
    custom_on(unsafe { list.as_ref() }, arguments, value, partials)
}

#[track_caller]
fn custom_on<T: Real>(list: &Storage<T>, arguments: &[Var<T>], value: T, partials: &[T]) -> Var<T> {
    assert!(
        arguments.len() == partials.len(),
        "custom: {} arguments, but {} partials: give one partial for each argument",
        arguments.len(),
        partials.len()
    );
    for &argument in arguments {
        assert_own(list, argument, "custom");
    }
    let argument = |i: usize| arguments[i].edge(|| partials[i]);
    record_known(list, Op::Custom, value, arguments.len(), argument)
}

/// Records an operation of which only the value and the partials are known. The caller has seen that the arguments are
/// on this list.
fn record_known<T: Real>(
    list: &Storage<T>,
    op: Op,
    value: T,
    arguments: usize,
    argument: impl Fn(usize) -> Edge<T>,
) -> Var<T> {
    let zero = T::from_f64(0.0);
    // A full last node would leave no slot for the value, which printing needs.
    let count = arguments / 2 + 1;
    let slot = |i: usize| match i {
        i if i < arguments => argument(i),
        i if i == 2 * count - 1 => Edge { partial: value, argument: 0 },
        _ => Edge { partial: zero, argument: 0 },
    };
    let pair = |i: usize| {
        let (first, second) = (slot(2 * i), slot(2 * i + 1));
        ([first.partial, second.partial], [first.argument, second.argument])
    };
    // SAFETY: the closures of both callers only read slices.
    let index = unsafe { list.push_pairs(op, count, pair) };
    Var::at(value, list.number(), index)
}

/// The reverse sweep over a part of a list.
#[inline]
fn sweep_list<T: Real, const CONSUME: bool>(
    list: &List<'_, T>,
    adjoints: &mut [T],
    range: Range<usize>,
) {
    if !list.has_stops() {
        return sweep::<T, CONSUME>(list.nodes(), adjoints, range);
    }
    let stop_before = |index| list.stop_before(index);
    sweep_with_stops::<T, _, CONSUME>(list.nodes(), stop_before, adjoints, range);
}

/// A buffer of zeros, one for each of the first `len` nodes.
fn scratch<T: Real>(list: &Storage<T>, len: usize) -> Vec<T> {
    let mut buffer = list.take_scratch();
    buffer.resize(len.max(1), T::from_f64(0.0));
    buffer
}

#[inline]
#[track_caller]
fn assert_own<T: Real>(list: &Storage<T>, variable: Var<T>, call: &str) {
    let own = variable.tape() == list.number() && variable.index() < list.len();
    if !own && !variable.is_constant() {
        explain_foreign(list.number(), variable, call);
    }
}

#[cold]
#[track_caller]
fn explain_foreign<T: Real>(number: u32, variable: Var<T>, call: &str) -> ! {
    // `list_of` panics with the reason when the variable is stale; otherwise it is on another tape.
    list_of([variable].into_iter());
    panic!(
        "{call}: variable {variable:?} is on tape {}, and this is tape {number}: call it on the tape that recorded \
         the variable",
        variable.tape()
    );
}

impl<T: Real> Var<T> {
    /// [`sum_over`](crate::sum_over) on variables: the first term that is recorded names the tape.
    #[track_caller]
    pub(crate) fn sum_over_items<I>(
        items: impl IntoIterator<Item = I>,
        mut term: impl FnMut(I) -> Self,
    ) -> Self {
        let mut items = items.into_iter();
        let mut sum: Option<Self> = None;
        while sum.is_none_or(Self::is_constant) {
            let Some(item) = items.next() else { break };
            let next = term(item);
            sum = Some(sum.map_or(next, |sum| sum + next));
        }
        let terms = items.size_hint().0;
        match sum.and_then(|sum| list_of([sum].into_iter())) {
            Some((tape, _)) => sum_over_on(tape, sum, items, terms, term),
            None => sum.unwrap_or(Self::from_f64(0.0)),
        }
    }
}

/// [`Tape::sum_over`] on the tape with this number, of about `terms` items, and of a first term that has been recorded
/// already.
///
/// The list is looked up again whenever code of others has run: an iterator, a closure, their destructors.
#[track_caller]
fn sum_over_on<T: Real, I>(
    tape: u32,
    first: Option<Var<T>>,
    mut items: impl Iterator<Item = I>,
    terms: usize,
    mut term: impl FnMut(I) -> Var<T>,
) -> Var<T> {
    // Should a term panic, this goes before `items` and `term`, whose destructors may do as they like then.
    let summing = Summing::<T>::begin(tape);
    if summing.list().is_tracing() {
        let mut recorded: Vec<Var<T>> = first.into_iter().collect();
        for item in items.by_ref() {
            recorded.push(term(item));
        }
        drop((items, term, summing));
        return Var::sum(&recorded);
    }
    let base = summing.base as usize;
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    let mut value = first.map(Var::value);
    let mut adjoints = scratch(summing.list(), base);
    let mut touched = Touched::new(base, terms);
    if let Some(first) = first {
        adjoints[first.index() as usize] += one;
        touched.note_one(first.index() as usize);
    }
    for item in items.by_ref() {
        let output = term(item);
        let list = summing.list();
        assert_own(list, output, "sum_over");
        value = Some(value.map_or(output.value, |sum| sum + output.value));
        let len = list.len() as usize;
        if adjoints.len() < len {
            adjoints.resize(len, zero);
        }
        adjoints[output.index() as usize] += one;
        let end = (output.index() as usize + 1).max(base);
        list.hold(|list| {
            sweep_list::<T, true>(list, &mut adjoints, base..end);
            touched.note(list, base..end, output.index());
        });
        list.truncate(summing.base);
    }
    // What they own may use the tape a last time.
    drop((items, term));
    let list = summing.list();
    adjoints[0] = zero;
    let value = value.unwrap_or(zero);
    let arguments = touched.indices(&adjoints);
    let edge = |i: usize| {
        let argument = arguments[i];
        Edge { partial: adjoints[argument as usize], argument }
    };
    let sum = match arguments.len() {
        0 => Var::constant(value),
        count => record_known(list, Op::SumOver, value, count, edge),
    };
    for &argument in &arguments {
        adjoints[argument as usize] = zero;
    }
    list.keep_scratch(adjoints);
    sum
}

/// A `sum_over` at work on a tape: what was recorded before it stays.
struct Summing<T: Real> {
    tape: u32,
    /// The length of the list before.
    base: u32,
    /// The list's floor before.
    floor: u32,
    _kind: PhantomData<T>,
}

impl<T: Real> Summing<T> {
    #[track_caller]
    fn begin(tape: u32) -> Self {
        let list = summed_list::<T>(tape);
        // SAFETY: as in `custom`.
        let list = unsafe { list.as_ref() };
        Self { tape, base: list.len(), floor: list.raise_floor(), _kind: PhantomData }
    }

    /// The list, to be used until code of others runs.
    #[inline]
    #[track_caller]
    fn list(&self) -> &Storage<T> {
        // SAFETY: the list has just been found, and whoever calls this lets go of it before code of others runs.
        unsafe { summed_list::<T>(self.tape).as_ref() }
    }
}

impl<T: Real> Drop for Summing<T> {
    fn drop(&mut self) {
        if let Some(list) = registry::look_up::<T>(self.tape) {
            // SAFETY: as in `custom`.
            unsafe { list.as_ref() }.set_floor(self.floor);
        }
    }
}

#[inline]
#[track_caller]
fn summed_list<T: Real>(tape: u32) -> NonNull<Storage<T>> {
    match registry::look_up(tape) {
        Some(list) => list,
        None => panic!(
            "sum_over: tape {tape} has been dropped by the closure or the iterator that was given: it must outlive \
             the sum"
        ),
    }
}

/// The earlier variables that the terms of a [`Tape::sum_over`] depend on.
enum Touched {
    /// The list was short before: every earlier variable is looked at in the end.
    All(usize),
    /// The list was long: the indices below `base` are collected as they occur.
    Collected { base: usize, seen: Vec<bool>, indices: Vec<u32> },
}

impl Touched {
    /// Collecting costs time with every term, looking at all costs time once.
    fn new(base: usize, terms: usize) -> Self {
        const NODES_PER_TERM: usize = 64;
        if base / NODES_PER_TERM <= terms.saturating_add(16) {
            Self::All(base)
        } else {
            Self::Collected { base, seen: Vec::new(), indices: Vec::new() }
        }
    }

    /// Notes the arguments of one term, which was recorded there, and whose result is `output`.
    fn note<T: Real>(&mut self, list: &List<'_, T>, range: Range<usize>, output: u32) {
        if matches!(self, Self::All(_)) {
            return;
        }
        self.note_one(output as usize);
        for argument in list.nodes()[range.clone()].iter().flat_map(Node::indices) {
            self.note_one(argument);
        }
        let mut end = range.end;
        while let Some(stop) =
            list.stop_before(end).filter(|stop| stop.results().start >= range.start)
        {
            stop.arguments.iter().for_each(|argument| self.note_one(argument as usize));
            end = stop.results().start;
        }
    }

    fn note_one(&mut self, argument: usize) {
        let Self::Collected { base, seen, indices } = self else { return };
        if !(1..*base).contains(&argument) {
            return;
        }
        if seen.len() <= argument {
            seen.resize(argument + 1, false);
        }
        if !core::mem::replace(&mut seen[argument], true) {
            indices.push(argument as u32);
        }
    }

    /// The touched variables in order.
    fn indices<T: Real>(self, adjoints: &[T]) -> SmallVec<[u32; 32]> {
        match self {
            Self::All(base) => {
                (1..base).filter(|&i| !adjoints[i].vanishes()).map(|i| i as u32).collect()
            }
            Self::Collected { indices, .. } => {
                let mut indices = SmallVec::from_vec(indices);
                indices.sort_unstable();
                indices
            }
        }
    }
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("number", &self.list().number())
            .field("len", &self.len())
            .finish()
    }
}

impl<T: Real> Drop for Tape<T> {
    fn drop(&mut self) {
        // SAFETY: `new` has created it, and nothing borrows the tape, through which alone a reference is held for longer
        // than no code of others runs.
        unsafe { registry::remove(self.list) };
    }
}
