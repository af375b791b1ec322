//! The machine that runs code: a forward sweep computes values, a reverse sweep adjoints, step by step.
//!
//! A step is one operation on `count` instances at once, so that the cost of choosing it is shared, and its loops are
//! what compilers make vector instructions of. The machine is generic in the number: `f64` replays to the bit,
//! `Lanes<1>` takes the vector functions, `Dual` gives second derivatives.
//!
//! **The sweeps are optimistic.** The engine's rules are that an adjoint or a partial that is exactly 0 wins over ∞ and
//! NaN, and that a product 0·∞ has no derivative. Both differ from plain multiplication only where a number is not
//! finite; plain multiplication then gives NaN, or came from a value that is NaN already, and hands it on. So the
//! machine multiplies plainly ([`Optimistic`]), and where a result is not finite, the reverse sweep runs again by the
//! rules ([`careful`]).

mod careful;
pub(crate) mod optimistic;

use core::cell::Cell;
use core::ops::Range;

use smallvec::SmallVec;

use crate::dual::Dual;
use crate::kinks;
use crate::lanes::Lanes;
use crate::op::Op;
use crate::partial;
use crate::program::code::{Code, Column, Kind, NONE, Shape, Step};
use crate::program::machine::optimistic::Optimistic;
use crate::real::Real;
use crate::vector;

/// A number that the machine computes with.
pub(crate) trait Element: Real {
    /// The number that keeps the engine's rules.
    type Exact: Real;
    /// Several numbers that pass through a function together, so that it can be a vector function.
    type Chunk: Real;
    /// How many.
    const CHUNK: usize;
    /// Whether it is one number or two, whose loops are worth a version for every kind of operand. A number of many
    /// lanes is a vector by itself.
    const IS_THIN: bool = Self::LANES == 1;

    fn from_exact(number: Self::Exact) -> Self;
    fn exact(self) -> Self::Exact;
    /// A chunk from the numbers at positions 0 to `CHUNK` − 1; positions from `count` on repeat the last one.
    fn gather(count: usize, number: impl Fn(usize) -> Self) -> Self::Chunk;
    /// The number at a position of a chunk.
    fn part(chunk: &Self::Chunk, position: usize) -> Self;
    /// Whether everything in it is finite.
    fn is_finite(self) -> bool;

    /// Computes a function of many numbers that lie in a row; false, and nothing done, where there is no better way than
    /// by chunks.
    #[inline(always)]
    fn map(_: Op, _: &[Cell<Self>], _: &[Cell<Self>]) -> bool {
        false
    }
}

macro_rules! conversions {
    (|$x:ident| $from_exact:expr, $exact:expr, $is_finite:expr) => {
        #[inline(always)]
        fn from_exact($x: Self::Exact) -> Self {
            $from_exact
        }

        #[inline(always)]
        fn exact(self) -> Self::Exact {
            let $x = self;
            $exact
        }

        #[inline(always)]
        fn is_finite(self) -> bool {
            let $x = self;
            $is_finite
        }
    };
}

/// Numbers that are their own chunks.
macro_rules! single {
    ($($Type:ty, $Exact:ty, |$x:ident| $from_exact:expr, $exact:expr, $is_finite:expr;)*) => {$(
        impl Element for $Type {
            type Exact = $Exact;
            type Chunk = Self;
            const CHUNK: usize = 1;

            conversions!(|$x| $from_exact, $exact, $is_finite);

            #[inline(always)]
            fn gather(_: usize, number: impl Fn(usize) -> Self) -> Self {
                number(0)
            }

            #[inline(always)]
            fn part(chunk: &Self, _: usize) -> Self {
                *chunk
            }
        }
    )*};
}
single! {
    Optimistic<f64>, f64, |x| Optimistic(x), x.0, x.0.is_finite();
    Optimistic<Lanes<8>>, Lanes<8>, |x| Optimistic(x), x.0, all_finite(&x.0.0);
    Dual<Optimistic<f64>>, Dual, |x| dual(x), exact_dual(x), Element::is_finite(x.value) && Element::is_finite(x.tangent);
    Dual<Optimistic<Lanes<8>>>, Dual<Lanes<8>>, |x| dual(x), exact_dual(x), Element::is_finite(x.value) && Element::is_finite(x.tangent);
}

#[inline(always)]
fn dual<T: Real>(exact: Dual<T>) -> Dual<Optimistic<T>> {
    Dual::new(Optimistic(exact.value), Optimistic(exact.tangent))
}

#[inline(always)]
fn exact_dual<T: Real>(dual: Dual<Optimistic<T>>) -> Dual<T> {
    Dual::new(dual.value.0, dual.tangent.0)
}

#[inline(always)]
fn all_finite(lanes: &[f64]) -> bool {
    lanes.iter().fold(true, |all, x| all & x.is_finite())
}

/// How many rows of a batch pass through a function together.
const ROWS: usize = 32;

/// A number of one of many rows, which takes the vector functions together with its neighbours.
impl Element for Optimistic<Lanes<1>> {
    type Exact = Lanes<1>;
    type Chunk = Optimistic<Lanes<ROWS>>;
    const CHUNK: usize = ROWS;

    conversions!(|x| Optimistic(x), x.0, x.0.0[0].is_finite());

    #[inline(always)]
    fn gather(count: usize, number: impl Fn(usize) -> Self) -> Self::Chunk {
        let mut chunk = [0.0; ROWS];
        if count == ROWS {
            for (position, slot) in chunk.iter_mut().enumerate() {
                *slot = number(position).0.0[0];
            }
        } else {
            for (position, slot) in chunk.iter_mut().enumerate() {
                *slot = number(position.min(count - 1)).0.0[0];
            }
        }
        Optimistic(Lanes(chunk))
    }

    #[inline(always)]
    fn part(chunk: &Self::Chunk, position: usize) -> Self {
        Optimistic(Lanes([chunk.0.0[position]]))
    }

    fn map(op: Op, from: &[Cell<Self>], to: &[Cell<Self>]) -> bool {
        const MOST: usize = 256;
        let (mut x, mut y) = ([0.0; MOST], [0.0; MOST]);
        for (from, to) in from.chunks(MOST).zip(to.chunks(MOST)) {
            let (x, y) = (&mut x[..from.len()], &mut y[..from.len()]);
            for (x, from) in x.iter_mut().zip(from) {
                *x = from.get().0.0[0];
            }
            if !vector::map_1(op, x, y) {
                return false;
            }
            for (to, &y) in to.iter().zip(&*y) {
                to.set(Optimistic(Lanes([y])));
            }
        }
        true
    }
}

/// The slots that a sweep works on.
pub(crate) struct Slots<E> {
    pub(crate) values: Vec<E>,
    pub(crate) adjoints: Vec<E>,
}

impl<E: Element> Slots<E> {
    /// Slots for this code, its constants in their places.
    pub(crate) fn new(code: &Code) -> Self {
        let zero = E::from_f64(0.0);
        let mut values = vec![zero; code.values];
        for (slot, &constant) in values[code.inputs..].iter_mut().zip(&code.constants) {
            *slot = E::from_f64(constant);
        }
        Self { values, adjoints: vec![zero; code.adjoints] }
    }
}

/// Computes all values, with the best instructions that the processor has. Of steps with more instances than `limit`, only
/// so many are computed.
pub(crate) fn compute<E: Element>(code: &Code, values: &mut [E], limit: usize) {
    struct Forward<'a, E>(&'a Code, &'a mut [E], usize);
    impl<E: Element> pulp::NullaryFnOnce for Forward<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            forward(self.0, self.1, self.2);
        }
    }
    pulp::Arch::new().dispatch(Forward(code, values, limit));
}

/// Which rules a reverse sweep follows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Products are plain.
    Optimistic,
    /// An exact 0 wins over what is not finite.
    Careful,
}

/// Takes the adjoints that have been set back to the inputs, after [`compute`]. All adjoints but the inputs' and the sink
/// are 0 after it.
pub(crate) fn propagate<E: Element>(code: &Code, slots: &mut Slots<E>, limit: usize, mode: Mode) {
    struct Reverse<'a, E>(&'a Code, &'a mut Slots<E>, usize);
    impl<E: Element> pulp::NullaryFnOnce for Reverse<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            reverse(self.0, &mut self.1.values, &mut self.1.adjoints, self.2);
        }
    }
    match mode {
        Mode::Optimistic => pulp::Arch::new().dispatch(Reverse(code, slots, limit)),
        Mode::Careful => reverse_carefully(code, &mut slots.values, &mut slots.adjoints, limit),
    }
}

/// The derivatives of Σ seed·output with respect to every input, after [`compute`]. All adjoints are 0 before it and after.
pub(crate) fn sweep<E: Element>(
    code: &Code,
    slots: &mut Slots<E>,
    seeds: &[(usize, E)],
    mut each: impl FnMut(usize, E),
) {
    seed(code, slots, seeds);
    propagate(code, slots, usize::MAX, Mode::Optimistic);
    let is_finite = |slot: u32| slots.values[slot as usize].is_finite();
    let mut all_finite = seeds.iter().all(|&(output, _)| is_finite(code.outputs[output].value));
    all_finite &= slots.adjoints[..code.inputs].iter().all(|adjoint| adjoint.is_finite());
    if !all_finite {
        clear(code, slots);
        if E::DEPTH > 0 {
            compute_carefully(code, &mut slots.values);
        }
        seed(code, slots, seeds);
        propagate(code, slots, usize::MAX, Mode::Careful);
    }
    for (input, &adjoint) in slots.adjoints[..code.inputs].iter().enumerate() {
        each(input, adjoint);
    }
    clear(code, slots);
}

fn seed<E: Element>(code: &Code, slots: &mut Slots<E>, seeds: &[(usize, E)]) {
    for &(output, seed) in seeds {
        let adjoint = code.outputs[output].adjoint;
        if adjoint != NONE {
            slots.adjoints[adjoint as usize] += seed;
        }
    }
}

/// Clears the adjoints that a sweep leaves: those of the inputs, and the sink.
fn clear<E: Element>(code: &Code, slots: &mut Slots<E>) {
    let zero = E::from_f64(0.0);
    slots.adjoints[..code.inputs].fill(zero);
    if let Some(sink) = slots.adjoints.last_mut() {
        *sink = zero;
    }
}

/// The operand of every instance: views of a column's slots.
#[derive(Clone, Copy)]
enum Operand<'a, E> {
    Same(&'a Cell<E>),
    Run(&'a [Cell<E>]),
    Listed(&'a [Cell<E>], &'a [u32]),
}

impl<'a, E: Copy> Operand<'a, E> {
    #[inline(always)]
    fn new(code: &'a Code, slots: &'a [Cell<E>], kind: Kind, start: u32, count: usize) -> Self {
        let start = start as usize;
        match kind {
            Kind::Same => Operand::Same(&slots[start]),
            Kind::Run => Operand::Run(&slots[start..][..count]),
            Kind::Listed => Operand::Listed(slots, &code.listed[start..][..count]),
        }
    }

    #[inline(always)]
    fn at(&self, instance: usize) -> &'a Cell<E> {
        match self {
            Operand::Same(cell) => cell,
            Operand::Run(cells) => &cells[instance],
            Operand::Listed(slots, listed) => &slots[listed[instance] as usize],
        }
    }
}

/// A sweep in progress: the slots as cells, since a step's ranges lie anywhere among each other.
struct Machine<'a, E> {
    code: &'a Code,
    /// No step computes more instances than this: of a batch, the rows that there are.
    limit: usize,
    values: &'a [Cell<E>],
    adjoints: &'a [Cell<E>],
}

/// Computes all values from the inputs and constants.
#[inline(always)]
fn forward<E: Element>(code: &Code, values: &mut [E], limit: usize) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let machine = Machine { code, limit, values, adjoints: &[] };
    for step in &code.steps {
        machine.compute(step);
    }
}

/// Takes the adjoints of the outputs back to the inputs, by plain multiplication. All other adjoints are 0 again after it.
#[inline(always)]
fn reverse<E: Element>(code: &Code, values: &mut [E], adjoints: &mut [E], limit: usize) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let adjoints = Cell::from_mut(adjoints).as_slice_of_cells();
    let machine = Machine { code, limit, values, adjoints };
    for step in code.steps.iter().rev() {
        if step.adjoint != NONE {
            machine.propagate(step);
        }
    }
}

/// [`compute`] by the engine's rules for what is not finite: of a number with tangents, which [`compute`] multiplies
/// plainly too.
fn compute_carefully<E: Element>(code: &Code, values: &mut [E]) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let machine = Machine { code, limit: usize::MAX, values, adjoints: &[] };
    for step in &code.steps {
        machine.compute_carefully(step);
    }
}

/// [`reverse`] by the engine's rules for what is not finite.
fn reverse_carefully<E: Element>(code: &Code, values: &mut [E], adjoints: &mut [E], limit: usize) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let adjoints = Cell::from_mut(adjoints).as_slice_of_cells();
    let machine = Machine { code, limit, values, adjoints };
    for step in code.steps.iter().rev() {
        if step.adjoint != NONE {
            machine.propagate_carefully(step);
        }
    }
}

/// How many instances of a dot product are kept in registers at a time, and how many of the rest.
const TILE: usize = 32;
const SMALL_TILE: usize = 8;

impl<E: Element> Machine<'_, E> {
    /// Computes the results of a step.
    ///
    /// Arithmetic has loops of its own. Functions go through the table, a chunk at a time: there are too many of them to
    /// be compiled into loops for every element and every set of instructions.
    #[inline(always)]
    fn compute(&self, step: &Step) {
        match step.op {
            Op::Neg => self.compute_1(step, |x| -x),
            Op::Add => self.compute_2(step, |x, y| x + y),
            Op::Sub => self.compute_2(step, |x, y| x - y),
            Op::Mul => self.compute_2(step, |x, y| x * y),
            Op::Div => self.compute_2(step, |x, y| x / y),
            Op::Sum => self.compute_sum(step),
            Op::Dot => self.compute_dot(step),
            // A call for each number would cost as much again as these; a row's come in chunks.
            Op::Exp if E::CHUNK == 1 => self.compute_1(step, E::exp),
            Op::Ln if E::CHUNK == 1 => self.compute_1(step, E::ln),
            Op::Sqrt if E::CHUNK == 1 => self.compute_1(step, E::sqrt),
            Op::Recip if E::CHUNK == 1 => self.compute_1(step, E::recip),
            Op::Largest | Op::Norm => self.compute_slices(step),
            _ => self.compute_chunks(step),
        }
    }

    /// Hands the adjoints of a step's results to its operands, and clears them.
    #[inline(always)]
    fn propagate(&self, step: &Step) {
        match step.op {
            Op::Add | Op::Sum => self.propagate_linear(step, |_, w| w),
            Op::Sub => {
                self.propagate_linear(step, |position, w| if position == 0 { w } else { -w });
            }
            Op::Neg => self.propagate_linear(step, |_, w| -w),
            Op::Mul => {
                self.propagate_2(step, 0, partial::mul::of_0);
                self.propagate_2(step, 1, partial::mul::of_1);
                self.clear(step);
            }
            Op::Dot => self.propagate_dot(step),
            Op::Norm => self.propagate_norm(step),
            Op::Sqrt => self.propagate_result(step, partial::sqrt::of_0),
            Op::Recip => self.propagate_recip(step),
            // Of a weight, e^x of a difference, the partial is that of e^x.
            Op::Exp | Op::Weight => self.propagate_result(step, partial::exp::of_0),
            // Networks are made of these, and their partials take an exponential.
            Op::Tanh => self.propagate_1(step, partial::tanh::of_0),
            Op::Sigmoid => self.propagate_1(step, partial::sigmoid::of_0),
            // A constant, as far as derivatives go.
            Op::Largest => self.clear(step),
            _ => self.propagate_chunks(step),
        }
    }
}

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    fn count(&self, step: &Step) -> usize {
        (step.count as usize).min(self.limit)
    }

    #[inline(always)]
    fn column(&self, step: &Step, position: usize) -> Column {
        self.code.columns[step.first as usize + position]
    }

    /// The values of an operand.
    #[inline(always)]
    fn operand(&self, step: &Step, position: usize) -> Operand<'a, E> {
        let column = self.column(step, position);
        Operand::new(self.code, self.values, column.kind, column.value, self.count(step))
    }

    /// The adjoints of an operand, if it has any.
    #[inline(always)]
    fn adjoint(&self, step: &Step, position: usize) -> Option<Operand<'a, E>> {
        let column = self.column(step, position);
        (column.adjoint != NONE).then(|| {
            Operand::new(self.code, self.adjoints, column.kind, column.adjoint, self.count(step))
        })
    }

    #[inline(always)]
    fn value(&self, step: &Step, position: usize, instance: usize) -> E {
        self.operand(step, position).at(instance).get()
    }

    #[inline(always)]
    fn results(&self, step: &Step) -> &'a [Cell<E>] {
        &self.values[step.value as usize..][..self.count(step)]
    }

    /// The adjoints of the results.
    #[inline(always)]
    fn weights(&self, step: &Step) -> &'a [Cell<E>] {
        &self.adjoints[step.adjoint as usize..][..self.count(step)]
    }

    #[inline(always)]
    fn clear(&self, step: &Step) {
        for cell in self.weights(step) {
            cell.set(E::from_f64(0.0));
        }
    }

    #[inline(always)]
    fn compute_1(&self, step: &Step, f: impl Fn(E) -> E) {
        let results = self.results(step);
        match self.operand(step, 0) {
            Operand::Run(x) if E::IS_THIN => {
                for (result, x) in results.iter().zip(x) {
                    result.set(f(x.get()));
                }
            }
            x => {
                for (instance, result) in results.iter().enumerate() {
                    result.set(f(x.at(instance).get()));
                }
            }
        }
    }

    #[inline(always)]
    fn compute_2(&self, step: &Step, f: impl Fn(E, E) -> E) {
        let results = self.results(step);
        match (self.operand(step, 0), self.operand(step, 1)) {
            (Operand::Run(x), Operand::Run(y)) if E::IS_THIN => {
                for ((result, x), y) in results.iter().zip(x).zip(y) {
                    result.set(f(x.get(), y.get()));
                }
            }
            (Operand::Same(x), Operand::Run(y)) if E::IS_THIN => {
                let x = x.get();
                for (result, y) in results.iter().zip(y) {
                    result.set(f(x, y.get()));
                }
            }
            (Operand::Run(x), Operand::Same(y)) if E::IS_THIN => {
                let y = y.get();
                for (result, x) in results.iter().zip(x) {
                    result.set(f(x.get(), y));
                }
            }
            (x, y) => {
                for (instance, result) in results.iter().enumerate() {
                    result.set(f(x.at(instance).get(), y.at(instance).get()));
                }
            }
        }
    }

    /// A chunk of an operand, of a result or of its adjoint, from instance `start` on.
    #[inline(always)]
    fn gather(operand: &Operand<'_, E>, start: usize, count: usize) -> E::Chunk {
        E::gather(count, |position| operand.at(start + position).get())
    }

    /// Computes a function of the table, chunk by chunk.
    #[inline(never)]
    fn compute_chunks(&self, step: &Step) {
        let results = self.results(step);
        if step.arity == 1
            && let Operand::Run(x) = self.operand(step, 0)
            && E::map(step.op, x, results)
        {
            return;
        }
        let operands = self.operands(step);
        let mut arguments: SmallVec<[E::Chunk; 3]> = SmallVec::new();
        let mut start = 0;
        while start < results.len() {
            let count = (results.len() - start).min(E::CHUNK);
            arguments.clear();
            arguments.extend(operands.iter().map(|operand| Self::gather(operand, start, count)));
            let chunk = step.op.evaluate(&arguments);
            for (position, result) in results[start..][..count].iter().enumerate() {
                result.set(E::part(&chunk, position));
            }
            start += count;
        }
    }

    fn operands(&self, step: &Step) -> SmallVec<[Operand<'a, E>; 3]> {
        (0..step.arity as usize).map(|position| self.operand(step, position)).collect()
    }

    /// The one column of a span.
    #[inline(always)]
    fn span(
        &self,
        step: &Step,
        slots: &'a [Cell<E>],
        column: Column,
        start: u32,
    ) -> Operand<'a, E> {
        let length = if step.op == Op::Dot { step.arity / 2 } else { step.arity };
        Operand::new(self.code, slots, column.kind, start, length as usize)
    }

    /// Operations on slices that are no sums: instance by instance, the operands where they lie.
    #[inline(never)]
    fn compute_slices(&self, step: &Step) {
        let of_slice = |operands: &dyn Fn(usize) -> E| {
            let operands = (0..step.arity as usize).map(operands);
            match step.op {
                Op::Norm => E::norm_of(operands),
                _ => E::largest_of(operands),
            }
        };
        if step.shape == Shape::Span {
            let column = self.column(step, 0);
            let span = self.span(step, self.values, column, column.value);
            self.results(step)[0].set(of_slice(&|item| span.at(item).get()));
            return;
        }
        for (instance, result) in self.results(step).iter().enumerate() {
            result.set(of_slice(&|position| self.value(step, position, instance)));
        }
    }

    #[inline(always)]
    fn compute_sum(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        let results = self.results(step);
        if step.shape == Shape::Single {
            let value = |column: &Column| self.values[column.value as usize].get();
            let mut sum = value(&columns[0]);
            for column in &columns[1..] {
                sum += value(column);
            }
            results[0].set(sum);
            return;
        }
        if step.shape == Shape::Span {
            let span = self.span(step, self.values, columns[0], columns[0].value);
            let mut sum = span.at(0).get();
            for item in 1..step.arity as usize {
                sum += span.at(item).get();
            }
            results[0].set(sum);
            return;
        }
        for (position, column) in columns.iter().enumerate() {
            let operand =
                Operand::new(self.code, self.values, column.kind, column.value, results.len());
            let first = position == 0;
            for (instance, result) in results.iter().enumerate() {
                let term = operand.at(instance).get();
                result.set(if first { term } else { result.get() + term });
            }
        }
    }

    #[inline(always)]
    fn compute_dot(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        let (start, pairs) = columns.split_at(step.arity as usize % 2);
        let value = |column: &Column| self.values[column.value as usize].get();
        let results = self.results(step);
        match step.shape {
            Shape::Span => {
                let [x, y] = [pairs[0], pairs[1]]
                    .map(|column| self.span(step, self.values, column, column.value));
                let product = |item: usize| x.at(item).get() * y.at(item).get();
                let length = step.arity as usize / 2;
                results[0].set(match start {
                    [start] => added_to(value(start), 0..length, product),
                    _ => added_to(product(0), 1..length, product),
                });
            }
            Shape::Single => {
                let product = |item: usize| value(&pairs[2 * item]) * value(&pairs[2 * item + 1]);
                results[0].set(match start {
                    [start] => added_to(value(start), 0..pairs.len() / 2, product),
                    _ => added_to(product(0), 1..pairs.len() / 2, product),
                });
            }
            Shape::SameByRun if E::IS_THIN => {
                self.dot_in_tiles(step, start, pairs, |slot, _, _| {
                    let x = self.values[slot].get();
                    move |_| x
                });
            }
            Shape::Runs if E::IS_THIN => {
                self.dot_in_tiles(step, start, pairs, |slot, first, count| {
                    let x = &self.values[slot + first..][..count];
                    move |position: usize| x[position].get()
                });
            }
            _ => {
                // Product by product: what kinds of operands they have is asked once for all instances.
                let count = results.len();
                let operand = |column: &Column| {
                    Operand::new(self.code, self.values, column.kind, column.value, count)
                };
                let (x, y) = (operand(&pairs[0]), operand(&pairs[1]));
                match start.first().map(operand) {
                    Some(Operand::Run(start)) if E::IS_THIN => {
                        let start = &start[..count];
                        each_product(x, y, count, |instance, product| {
                            results[instance].set(start[instance].get() + product);
                        });
                    }
                    Some(start) => each_product(x, y, count, |instance, product| {
                        results[instance].set(start.at(instance).get() + product);
                    }),
                    None => each_product(x, y, count, |instance, product| {
                        results[instance].set(product);
                    }),
                }
                let rest = &pairs[2..];
                for pair in rest.chunks_exact(2) {
                    let (x, y) = (operand(&pair[0]), operand(&pair[1]));
                    each_product(x, y, count, |instance, product| {
                        results[instance].set(results[instance].get() + product);
                    });
                }
            }
        }
    }

    /// Dot products whose second factors are rows of slots, a tile of instances at a time. `factor` gives the first factor
    /// of a pair: from its slot, the first instance of the tile, and their number.
    #[inline(always)]
    fn dot_in_tiles<X: Fn(usize) -> E>(
        &self,
        step: &Step,
        start: &[Column],
        pairs: &[Column],
        factor: impl Fn(usize, usize, usize) -> X,
    ) {
        let count = self.count(step);
        let mut first = 0;
        while first + TILE <= count {
            self.dot_tile::<TILE, X>(step, start, pairs, first, &factor);
            first += TILE;
        }
        while first + SMALL_TILE <= count {
            self.dot_tile::<SMALL_TILE, X>(step, start, pairs, first, &factor);
            first += SMALL_TILE;
        }
        while first < count {
            self.dot_tile::<1, X>(step, start, pairs, first, &factor);
            first += 1;
        }
    }

    /// One tile. Every index into the sums is known to the compiler, so that they stay in registers.
    #[inline(always)]
    fn dot_tile<const N: usize, X: Fn(usize) -> E>(
        &self,
        step: &Step,
        start: &[Column],
        pairs: &[Column],
        first: usize,
        factor: &impl Fn(usize, usize, usize) -> X,
    ) {
        // The first product is not added to 0: that would lose the sign of −0.
        let (mut sums, rest): ([E; N], _) = match start {
            [start] if start.kind == Kind::Run => (self.tile_at(start, first), pairs),
            [start] => {
                let start =
                    Operand::new(self.code, self.values, start.kind, start.value, self.count(step));
                (tile(|position| start.at(first + position).get()), pairs)
            }
            _ => {
                let (x, y): (_, [E; N]) =
                    (factor(pairs[0].value as usize, first, N), self.tile_at(&pairs[1], first));
                (tile(|position| x(position) * y[position]), &pairs[2..])
            }
        };
        for pair in rest.chunks_exact(2) {
            let x = factor(pair[0].value as usize, first, N);
            let y: [E; N] = self.tile_at(&pair[1], first);
            for position in 0..N {
                sums[position] += x(position) * y[position];
            }
        }
        let results = &self.results(step)[first..][..N];
        for position in 0..N {
            results[position].set(sums[position]);
        }
    }

    /// The values of a row of slots, from an instance on.
    #[inline(always)]
    fn tile_at<const N: usize>(&self, column: &Column, first: usize) -> [E; N] {
        let cells = &self.values[column.value as usize + first..][..N];
        tile(|position| cells[position].get())
    }

    /// Adds to an operand's adjoints what `contribution` says for each instance.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "what it adds to are the machine's adjoints")]
    #[allow(clippy::needless_range_loop, reason = "one index into several slices of one length")]
    fn accumulate(&self, adjoint: Operand<'_, E>, count: usize, contribution: impl Fn(usize) -> E) {
        if !E::IS_THIN {
            for instance in 0..count {
                let cell = adjoint.at(instance);
                cell.set(cell.get() + contribution(instance));
            }
            return;
        }
        // The slices that the contributions read are cut to `count` as well: their bounds are checked once, not in the loop.
        match adjoint {
            Operand::Same(adjoint) if count == 1 => adjoint.set(adjoint.get() + contribution(0)),
            Operand::Same(adjoint) => adjoint.set(adjoint.get() + sum_of(count, contribution)),
            Operand::Run(adjoints) => {
                let adjoints = &adjoints[..count];
                for instance in 0..count {
                    let adjoint = &adjoints[instance];
                    adjoint.set(adjoint.get() + contribution(instance));
                }
            }
            Operand::Listed(slots, listed) => {
                let listed = &listed[..count];
                for instance in 0..count {
                    let adjoint = &slots[listed[instance] as usize];
                    adjoint.set(adjoint.get() + contribution(instance));
                }
            }
        }
    }

    /// Of operations whose partials are 1 or −1.
    #[inline(always)]
    fn propagate_linear(&self, step: &Step, contribution: impl Fn(usize, E) -> E) {
        let count = self.count(step);
        let weights = &self.weights(step)[..count];
        if step.shape == Shape::Span {
            let weight = weights[0].get();
            self.accumulate_span(step, self.column(step, 0), |_| weight);
            return self.clear(step);
        }
        for position in 0..step.arity as usize {
            if let Some(adjoint) = self.adjoint(step, position) {
                self.accumulate(adjoint, count, |instance| {
                    contribution(position, weights[instance].get())
                });
            }
        }
        self.clear(step);
    }

    /// [`Machine::accumulate`] over the operands of a span.
    #[inline(always)]
    fn accumulate_span(&self, step: &Step, column: Column, contribution: impl Fn(usize) -> E) {
        if column.adjoint != NONE {
            let length = if step.op == Op::Dot { step.arity / 2 } else { step.arity } as usize;
            self.accumulate(
                self.span(step, self.adjoints, column, column.adjoint),
                length,
                contribution,
            );
        }
    }

    /// Of an operation on two numbers, to one of them.
    #[inline(always)]
    fn propagate_2(&self, step: &Step, position: usize, partial: impl Fn(E, E, E) -> E) {
        let Some(adjoint) = self.adjoint(step, position) else { return };
        let count = self.count(step);
        let weights = &self.weights(step)[..count];
        let results = &self.results(step)[..count];
        let (x, y) = (self.operand(step, 0), self.operand(step, 1));
        match (x, y) {
            (Operand::Run(x), Operand::Run(y)) if E::IS_THIN => {
                self.accumulate(adjoint, count, |instance| {
                    weights[instance].get()
                        * partial(x[instance].get(), y[instance].get(), results[instance].get())
                });
            }
            (Operand::Same(x), Operand::Run(y)) if E::IS_THIN => {
                self.accumulate(adjoint, count, |instance| {
                    weights[instance].get()
                        * partial(x.get(), y[instance].get(), results[instance].get())
                });
            }
            (Operand::Run(x), Operand::Same(y)) if E::IS_THIN => {
                self.accumulate(adjoint, count, |instance| {
                    weights[instance].get()
                        * partial(x[instance].get(), y.get(), results[instance].get())
                });
            }
            (x, y) => self.accumulate(adjoint, count, |instance| {
                weights[instance].get()
                    * partial(x.at(instance).get(), y.at(instance).get(), results[instance].get())
            }),
        }
    }

    /// Of a function of one number whose partial is computed from the result alone.
    #[inline(always)]
    fn propagate_result(&self, step: &Step, partial: impl Fn(E, E) -> E) {
        if let Some(adjoint) = self.adjoint(step, 0) {
            let count = self.count(step);
            let weights = &self.weights(step)[..count];
            let results = &self.results(step)[..count];
            self.accumulate(adjoint, count, |instance| {
                let result = results[instance].get();
                weights[instance].get() * partial(result, result)
            });
        }
        self.clear(step);
    }

    /// −w·y², factor by factor: the square may overflow where the product does not.
    #[inline(always)]
    fn propagate_recip(&self, step: &Step) {
        if let Some(adjoint) = self.adjoint(step, 0) {
            let count = self.count(step);
            let weights = &self.weights(step)[..count];
            let results = &self.results(step)[..count];
            self.accumulate(adjoint, count, |instance| {
                let result = results[instance].get();
                -(weights[instance].get() * result) * result
            });
        }
        self.clear(step);
    }

    /// Of a function of one argument: as the next, in the loop's own set of instructions.
    #[inline(always)]
    fn propagate_1(&self, step: &Step, partial: impl Fn(E::Chunk, E::Chunk) -> E::Chunk) {
        if let Some(adjoint) = self.adjoint(step, 0) {
            let argument = self.operand(step, 0);
            let (weights, results) = (self.weights(step), self.results(step));
            let mut start = 0;
            while start < weights.len() {
                let count = (weights.len() - start).min(E::CHUNK);
                let x = Self::gather(&argument, start, count);
                let y = E::gather(count, |position| results[start + position].get());
                let partials = partial(x, y);
                for (position, weight) in weights[start..][..count].iter().enumerate() {
                    let cell = adjoint.at(start + position);
                    cell.set(cell.get() + weight.get() * E::part(&partials, position));
                }
                start += count;
            }
        }
        self.clear(step);
    }

    /// Of a function of the table: the partials are computed chunk by chunk.
    #[inline(never)]
    fn propagate_chunks(&self, step: &Step) {
        let operands = self.operands(step);
        let adjoints: SmallVec<[Option<Operand<'_, E>>; 3]> =
            (0..step.arity as usize).map(|position| self.adjoint(step, position)).collect();
        let (weights, results) = (self.weights(step), self.results(step));
        let mut arguments: SmallVec<[E::Chunk; 3]> = SmallVec::new();
        let mut start = 0;
        while start < weights.len() {
            let count = (weights.len() - start).min(E::CHUNK);
            let chunk_of = |cells: &[Cell<E>]| {
                E::gather(count, |position| cells[(start + position).min(cells.len() - 1)].get())
            };
            arguments.clear();
            arguments.extend(operands.iter().map(|operand| Self::gather(operand, start, count)));
            let weight = chunk_of(weights);
            let partials = step.op.partials(&arguments, chunk_of(results));
            for (adjoint, partial) in adjoints.iter().zip(partials) {
                let Some(adjoint) = adjoint else { continue };
                let contribution = weight * partial;
                for position in 0..count {
                    let cell = adjoint.at(start + position);
                    cell.set(cell.get() + E::part(&contribution, position));
                }
            }
            start += count;
        }
        self.clear(step);
    }

    #[inline(always)]
    fn propagate_dot(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        let (start, pairs) = columns.split_at(step.arity as usize % 2);
        let count = self.count(step);
        let weights = &self.weights(step)[..count];
        if !start.is_empty()
            && let Some(adjoint) = self.adjoint(step, 0)
        {
            self.accumulate(adjoint, count, |instance| weights[instance].get());
        }
        match step.shape {
            Shape::Span => {
                let weight = weights[0].get();
                for (to, from) in [(pairs[0], pairs[1]), (pairs[1], pairs[0])] {
                    match self.span(step, self.values, from, from.value) {
                        Operand::Run(from) => {
                            self.accumulate_span(step, to, |item| weight * from[item].get());
                        }
                        from => self.accumulate_span(step, to, |item| weight * from.at(item).get()),
                    }
                }
            }
            Shape::Single => {
                let weight = weights[0].get();
                for pair in pairs.chunks_exact(2) {
                    for (to, from) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                        if to.adjoint != NONE {
                            let adjoint = &self.adjoints[to.adjoint as usize];
                            adjoint.set(
                                adjoint.get() + weight * self.values[from.value as usize].get(),
                            );
                        }
                    }
                }
            }
            Shape::SameByRun if E::IS_THIN => {
                let mut first = 0;
                while first + TILE <= count {
                    self.propagate_tile::<TILE>(step, pairs, first);
                    first += TILE;
                }
                while first + SMALL_TILE <= count {
                    self.propagate_tile::<SMALL_TILE>(step, pairs, first);
                    first += SMALL_TILE;
                }
                while first < count {
                    self.propagate_tile::<1>(step, pairs, first);
                    first += 1;
                }
            }
            _ => {
                for pair in pairs.chunks_exact(2) {
                    for (to, from) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                        if to.adjoint == NONE {
                            continue;
                        }
                        let adjoint =
                            Operand::new(self.code, self.adjoints, to.kind, to.adjoint, count);
                        match Operand::new(self.code, self.values, from.kind, from.value, count) {
                            Operand::Run(from) if E::IS_THIN => {
                                self.accumulate(adjoint, count, |instance| {
                                    weights[instance].get() * from[instance].get()
                                });
                            }
                            Operand::Same(from) if E::IS_THIN => {
                                let from = from.get();
                                self.accumulate(adjoint, count, |instance| {
                                    weights[instance].get() * from
                                });
                            }
                            from => self.accumulate(adjoint, count, |instance| {
                                weights[instance].get() * from.at(instance).get()
                            }),
                        }
                    }
                }
            }
        }
        self.clear(step);
    }

    /// A tile of the instances of dot products of shared factors by rows: a shared factor gets a sum, a row a row.
    #[inline(always)]
    fn propagate_tile<const N: usize>(&self, step: &Step, pairs: &[Column], first: usize) {
        let cells = &self.weights(step)[first..][..N];
        let weights: [E; N] = tile(|position| cells[position].get());
        for pair in pairs.chunks_exact(2) {
            if pair[0].adjoint != NONE {
                let y = &self.values[pair[1].value as usize + first..][..N];
                let adjoint = &self.adjoints[pair[0].adjoint as usize];
                let sum = if N == 1 {
                    weights[0] * y[0].get()
                } else {
                    sum_of(N, |position| weights[position] * y[position].get())
                };
                adjoint.set(adjoint.get() + sum);
            }
            if pair[1].adjoint != NONE {
                let x = self.values[pair[0].value as usize].get();
                let adjoints = &self.adjoints[pair[1].adjoint as usize + first..][..N];
                for position in 0..N {
                    adjoints[position].set(adjoints[position].get() + weights[position] * x);
                }
            }
        }
    }

    #[inline(never)]
    fn propagate_norm(&self, step: &Step) {
        let (weights, results) = (self.weights(step), self.results(step));
        if step.shape == Shape::Span {
            let (weight, norm, column) = (weights[0].get(), results[0].get(), self.column(step, 0));
            let x = self.span(step, self.values, column, column.value);
            let components = (0..step.arity as usize).map(|item| x.at(item).get());
            let tip = kinks::norm_tip(components, norm);
            self.accumulate_span(step, column, |item| {
                weight * kinks::norm_partial(x.at(item).get(), norm, tip)
            });
            return self.clear(step);
        }
        let tip = |instance: usize| {
            let components =
                (0..step.arity as usize).map(|position| self.value(step, position, instance));
            kinks::norm_tip(components, results[instance].get())
        };
        for position in 0..step.arity as usize {
            let Some(adjoint) = self.adjoint(step, position) else { continue };
            let x = self.operand(step, position);
            self.accumulate(adjoint, weights.len(), |instance| {
                let (x, norm) = (x.at(instance).get(), results[instance].get());
                weights[instance].get() * kinks::norm_partial(x, norm, tip(instance))
            });
        }
        self.clear(step);
    }
}

/// A tile of numbers, by position.
///
/// What stands in a hot loop here is written as a loop, or in functions that are always inlined: iterators and
/// `array::from_fn` may be left out of line, and do not get the instructions that were chosen at run time then.
#[inline(always)]
fn tile<E: Element, const N: usize>(number: impl Fn(usize) -> E) -> [E; N] {
    let mut tile = [E::from_f64(0.0); N];
    for (position, slot) in tile.iter_mut().enumerate() {
        *slot = number(position);
    }
    tile
}

/// start + term(first) + term(first + 1) + …
#[inline(always)]
fn added_to<E: Element>(start: E, items: Range<usize>, term: impl Fn(usize) -> E) -> E {
    let mut sum = start;
    for item in items {
        sum += term(item);
    }
    sum
}

/// The products of two operands, instance by instance.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index into several slices of one length")]
fn each_product<E: Element>(
    x: Operand<'_, E>,
    y: Operand<'_, E>,
    count: usize,
    each: impl Fn(usize, E),
) {
    match (x, y) {
        (Operand::Run(x), Operand::Run(y)) if E::IS_THIN => {
            let (x, y) = (&x[..count], &y[..count]);
            for instance in 0..count {
                each(instance, x[instance].get() * y[instance].get());
            }
        }
        (Operand::Same(x), Operand::Run(y)) if E::IS_THIN => {
            let (x, y) = (x.get(), &y[..count]);
            for instance in 0..count {
                each(instance, x * y[instance].get());
            }
        }
        (Operand::Run(x), Operand::Same(y)) if E::IS_THIN => {
            let (x, y) = (&x[..count], y.get());
            for instance in 0..count {
                each(instance, x[instance].get() * y);
            }
        }
        (x, y) => {
            for instance in 0..count {
                each(instance, x.at(instance).get() * y.at(instance).get());
            }
        }
    }
}

/// term(0) + … + term(count − 1), in eight interleaved sums, whose order does not depend on the instructions used.
#[inline(always)]
fn sum_of<E: Element>(count: usize, term: impl Fn(usize) -> E) -> E {
    const WAYS: usize = 8;
    let zero = E::from_f64(0.0);
    let mut sums = [zero; WAYS];
    let whole = count - count % WAYS;
    let mut first = 0;
    while first < whole {
        for (way, sum) in sums.iter_mut().enumerate() {
            *sum += term(first + way);
        }
        first += WAYS;
    }
    for (way, sum) in sums[..count - whole].iter_mut().enumerate() {
        *sum += term(whole + way);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
