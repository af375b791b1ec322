//! The machine that runs code: a forward sweep computes values, a reverse sweep adjoints, step by step.
//!
//! A step is one operation on `count` instances at once, so that the cost of choosing it is shared, and its loops are
//! what compilers make vector instructions of. The machine is generic in the number: `f64` replays to the bit,
//! `Lanes<1>` takes the vector functions, `Dual` gives second derivatives.
//!
//! **The reverse sweep is optimistic.** The engine's rules are that an adjoint or a partial that is exactly 0 wins over
//! ∞ and NaN, and that a product 0·∞ has no derivative. Both differ from plain multiplication only where a number is
//! not finite; plain multiplication then gives NaN, or came from a value that is NaN already, and hands it on. So the
//! fast sweep multiplies plainly, and where a result is not finite, the sweep runs again by the rules ([`careful`]).

mod careful;

use core::array;
use core::cell::Cell;

use crate::lanes::Lanes;
use crate::op::{Op, for_each_op, partial};
use crate::program::code::{Code, Column, Kind, NONE, Shape, Step};
use crate::real::{self, Real};

/// A number that the machine computes with.
pub(crate) trait Element: Real {
    /// Several numbers that pass through a function together, so that it can be a vector function.
    type Chunk: Real;
    /// How many.
    const CHUNK: usize;

    /// A chunk from the numbers at positions 0 to `CHUNK` − 1; positions from `count` on repeat the last one.
    fn gather(count: usize, number: impl Fn(usize) -> Self) -> Self::Chunk;
    /// The number at a position of a chunk.
    fn part(chunk: &Self::Chunk, position: usize) -> Self;
    /// Whether everything in it is finite.
    fn is_finite(self) -> bool;
}

/// A number that is its own chunk.
macro_rules! single {
    ($Type:ty, |$x:ident| $is_finite:expr) => {
        impl Element for $Type {
            type Chunk = Self;
            const CHUNK: usize = 1;

            #[inline(always)]
            fn gather(_: usize, number: impl Fn(usize) -> Self) -> Self {
                number(0)
            }

            #[inline(always)]
            fn part(chunk: &Self, _: usize) -> Self {
                *chunk
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                let $x = self;
                $is_finite
            }
        }
    };
}
pub(crate) use single;
single!(f64, |x| f64::is_finite(x));
single!(crate::Dual, |x| x.value.is_finite() && x.tangent.is_finite());
single!(crate::Dual<Lanes<4>>, |x| all_finite(x.value) && all_finite(x.tangent));
single!(crate::Dual<Lanes<8>>, |x| all_finite(x.value) && all_finite(x.tangent));

#[inline(always)]
fn all_finite<const N: usize>(lanes: Lanes<N>) -> bool {
    lanes.0.iter().fold(true, |all, x| all & x.is_finite())
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
    values: &'a [Cell<E>],
    adjoints: &'a [Cell<E>],
}

/// Computes all values from the inputs and constants.
#[inline(always)]
pub(crate) fn forward<E: Element>(code: &Code, values: &mut [E]) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let machine = Machine { code, values, adjoints: &[] };
    for step in &code.steps {
        machine.compute(step);
    }
}

/// Takes the adjoints of the outputs back to the inputs, by plain multiplication. All other adjoints are 0 again after it.
#[inline(always)]
pub(crate) fn reverse<E: Element>(code: &Code, values: &mut [E], adjoints: &mut [E]) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let adjoints = Cell::from_mut(adjoints).as_slice_of_cells();
    let machine = Machine { code, values, adjoints };
    for step in code.steps.iter().rev() {
        if step.adjoint != NONE {
            machine.propagate(step);
        }
    }
}

/// [`reverse`] by the engine's rules for what is not finite.
pub(crate) fn reverse_carefully<E: Element>(code: &Code, values: &mut [E], adjoints: &mut [E]) {
    let values = Cell::from_mut(values).as_slice_of_cells();
    let adjoints = Cell::from_mut(adjoints).as_slice_of_cells();
    let machine = Machine { code, values, adjoints };
    for step in code.steps.iter().rev() {
        if step.adjoint != NONE {
            machine.propagate_carefully(step);
        }
    }
}

/// How many numbers of a dot product or a sum are kept in registers at a time.
const TILE: usize = 16;

macro_rules! define_machine {
    (
        []
        operator_1 { $($name_o1:ident $op_o1:ident $symbol_o1:literal [$_r_o1:expr] |$_x_o1:ident, $_y_o1:ident| $_p_o1:expr;)* }
        operator_2 { $($name_o2:ident $op_o2:ident $symbol_o2:tt [$($_r_o2:expr),*] |$_x_o2:ident, $_y_o2:ident, $_z_o2:ident| ($_p_o2:expr, $_q_o2:expr);)* }
        function_1 { $($(#[$_doc_1:meta])* $_home_1:ident $name_1:ident $op_1:ident [$_r_1:expr] |$_x_1:ident, $_y_1:ident| $_p_1:expr;)* }
        indexed { $($(#[$_doc_i:meta])* $_home_i:ident $name_i:ident $op_i:ident($index:ty) [$_r_i:expr] |$_x_i:ident, $_n_i:ident, $_y_i:ident| $_p_i:expr;)* }
        function_2 { $($(#[$_doc_2:meta])* $_home_2:ident $name_2:ident $op_2:ident($_b_2:ident) [$($_r_2:expr),*] |$($_x_2:ident),*| ($($_p_2:expr),*);)* }
        function_3 { $($(#[$_doc_3:meta])* $_home_3:ident $name_3:ident $op_3:ident($_b_3:ident, $_c_3:ident) [$($_r_3:expr),*] |$($_x_3:ident),*| ($($_p_3:expr),*);)* }
    ) => {
        impl<E: Element> Machine<'_, E> {
            /// Computes the results of a step.
            #[inline(always)]
            #[allow(clippy::cast_sign_loss, reason = "as in `Op::apply`")]
            fn compute(&self, step: &Step) {
                match step.op {
                    $(Op::$op_o1 => self.compute_1(step, |x| -x),)*
                    $(Op::$op_o2 => self.compute_2(step, |x, y| x $symbol_o2 y),)*
                    $(Op::$op_1 => self.chunks(step, |[x]| E::Chunk::$name_1(x)),)*
                    $(Op::$op_i => {
                        let n = self.value(step, 1, 0).primal() as $index;
                        self.chunks(step, |[x]| E::Chunk::$name_i(x, n));
                    })*
                    $(Op::$op_2 => self.chunks(step, |[x, y]| E::Chunk::$name_2(x, y)),)*
                    Op::Clamp => self.chunks(step, |[x, y, z]| Op::Clamp.evaluate(&[x, y, z])),
                    Op::MulAdd => self.chunks(step, |[x, y, z]| E::Chunk::mul_add(x, y, z)),
                    Op::Select => self.chunks(step, |[c, a, b]| E::Chunk::select(c, a, b)),
                    Op::Weight => self.chunks(step, |[x, largest]| Op::Weight.evaluate(&[x, largest])),
                    Op::Sum => self.compute_sum(step),
                    Op::Dot => self.compute_dot(step),
                    Op::Largest | Op::Norm => self.compute_slices(step),
                    Op::Input | Op::Part | Op::LogSumExp | Op::WeightedSum | Op::Custom | Op::SumOver => {
                        unreachable!("{:?} is in no program", step.op)
                    }
                }
            }

            /// Hands the adjoints of a step's results to its operands, and clears them.
            #[inline(always)]
            #[allow(clippy::cast_sign_loss, reason = "as in `Op::apply`")]
            fn propagate(&self, step: &Step) {
                match step.op {
                    Op::Add => self.propagate_linear(step, |_, w| w),
                    Op::Sub => self.propagate_linear(step, |p, w| if p == 0 { w } else { -w }),
                    Op::Neg => self.propagate_linear(step, |_, w| -w),
                    Op::Sum => self.propagate_linear(step, |_, w| w),
                    // The row's partials, where the product is determinate: see the module's text.
                    Op::Mul => {
                        self.propagate_2(step, 0, |_, y, _| y);
                        self.propagate_2(step, 1, |x, _, _| x);
                        self.clear(step);
                    }
                    Op::Div => {
                        self.propagate_2(step, 0, partial::div::of_0);
                        self.propagate_2(step, 1, partial::div::of_1);
                        self.clear(step);
                    }
                    Op::Rem => self.propagate_chunks(step, |[x, y], z| [partial::rem::of_0(x, y, z), partial::rem::of_1(x, y, z)]),
                    $(Op::$op_1 => self.propagate_chunks(step, |[x], y| [partial::$name_1::of_0(x, y)]),)*
                    $(Op::$op_i => {
                        let n = self.value(step, 1, 0).primal() as $index;
                        self.propagate_chunks(step, |[x], y| [partial::$name_i::of_0(x, n, y)]);
                    })*
                    $(Op::$op_2 => self.propagate_chunks(step, |[x, y], z| {
                        [partial::$name_2::of_0(x, y, z), partial::$name_2::of_1(x, y, z)]
                    }),)*
                    $(Op::$op_3 => self.propagate_chunks(step, |[x, y, z], w| [
                        partial::$name_3::of_0(x, y, z, w),
                        partial::$name_3::of_1(x, y, z, w),
                        partial::$name_3::of_2(x, y, z, w),
                    ]),)*
                    Op::Select => self.propagate_chunks(step, |[c, _, _], _| partial::select(c)),
                    Op::Weight => self.propagate_chunks(step, |[_], y| [y]),
                    Op::Dot => self.propagate_dot(step),
                    Op::Norm => self.propagate_norm(step),
                    // A constant, as far as derivatives go.
                    Op::Largest => self.clear(step),
                    Op::Input | Op::Part | Op::LogSumExp | Op::WeightedSum | Op::Custom | Op::SumOver => {
                        unreachable!("{:?} is in no program", step.op)
                    }
                }
            }
        }
    };
}
for_each_op!(define_machine);

impl<'a, E: Element> Machine<'a, E> {
    #[inline(always)]
    fn column(&self, step: &Step, position: usize) -> Column {
        self.code.columns[step.first as usize + position]
    }

    /// The values of an operand.
    #[inline(always)]
    fn operand(&self, step: &Step, position: usize) -> Operand<'a, E> {
        let column = self.column(step, position);
        Operand::new(self.code, self.values, column.kind, column.value, step.count as usize)
    }

    /// The adjoints of an operand, if it has any.
    #[inline(always)]
    fn adjoint(&self, step: &Step, position: usize) -> Option<Operand<'a, E>> {
        let column = self.column(step, position);
        (column.adjoint != NONE).then(|| {
            Operand::new(self.code, self.adjoints, column.kind, column.adjoint, step.count as usize)
        })
    }

    #[inline(always)]
    fn value(&self, step: &Step, position: usize, instance: usize) -> E {
        self.operand(step, position).at(instance).get()
    }

    #[inline(always)]
    fn results(&self, step: &Step) -> &'a [Cell<E>] {
        &self.values[step.value as usize..][..step.count as usize]
    }

    /// The adjoints of the results.
    #[inline(always)]
    fn weights(&self, step: &Step) -> &'a [Cell<E>] {
        &self.adjoints[step.adjoint as usize..][..step.count as usize]
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
            Operand::Run(x) => {
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
            (Operand::Run(x), Operand::Run(y)) => {
                for ((result, x), y) in results.iter().zip(x).zip(y) {
                    result.set(f(x.get(), y.get()));
                }
            }
            (Operand::Same(x), Operand::Run(y)) => {
                let x = x.get();
                for (result, y) in results.iter().zip(y) {
                    result.set(f(x, y.get()));
                }
            }
            (Operand::Run(x), Operand::Same(y)) => {
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

    /// Computes a function of the first `A` operands, chunk by chunk.
    #[inline(always)]
    fn chunks<const A: usize>(&self, step: &Step, f: impl Fn([E::Chunk; A]) -> E::Chunk) {
        let operands: [Operand<'_, E>; A] = array::from_fn(|position| self.operand(step, position));
        let results = self.results(step);
        let mut start = 0;
        while start < results.len() {
            let count = (results.len() - start).min(E::CHUNK);
            let chunk = f(operands.map(|operand| Self::gather(&operand, start, count)));
            for (position, result) in results[start..][..count].iter().enumerate() {
                result.set(E::part(&chunk, position));
            }
            start += count;
        }
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

    /// Operations on slices that are no sums: instance by instance.
    fn compute_slices(&self, step: &Step) {
        if step.shape == Shape::Span {
            let column = self.column(step, 0);
            let span = self.span(step, self.values, column, column.value);
            let operands: Vec<E> =
                (0..step.arity as usize).map(|item| span.at(item).get()).collect();
            self.results(step)[0].set(step.op.evaluate(&operands));
            return;
        }
        let mut operands: Vec<E> = Vec::with_capacity(step.arity as usize);
        for (instance, result) in self.results(step).iter().enumerate() {
            operands.clear();
            operands.extend(
                (0..step.arity as usize).map(|position| self.value(step, position, instance)),
            );
            result.set(step.op.evaluate(&operands));
        }
    }

    #[inline(always)]
    fn compute_sum(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        let results = self.results(step);
        if step.shape == Shape::Single {
            let values = columns.iter().map(|column| self.values[column.value as usize].get());
            if let Some(sum) = values.reduce(|sum, term| sum + term) {
                results[0].set(sum);
            }
            return;
        }
        if step.shape == Shape::Span {
            let span = self.span(step, self.values, columns[0], columns[0].value);
            let sum = (1..step.arity as usize)
                .fold(span.at(0).get(), |sum, item| sum + span.at(item).get());
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
                let products =
                    (0..step.arity as usize / 2).map(|item| x.at(item).get() * y.at(item).get());
                if let Some(sum) =
                    start.iter().map(value).chain(products).reduce(|sum, term| sum + term)
                {
                    results[0].set(sum);
                }
            }
            Shape::Single => {
                let products = pairs.chunks_exact(2).map(|pair| value(&pair[0]) * value(&pair[1]));
                if let Some(sum) =
                    start.iter().map(value).chain(products).reduce(|sum, term| sum + term)
                {
                    results[0].set(sum);
                }
            }
            Shape::SameByRun => {
                let x = |pair: &[Column], _: usize| {
                    let x = value(&pair[0]);
                    move |_: usize| x
                };
                self.dot_in_tiles(step, start, pairs, x);
            }
            Shape::Runs => {
                let x = |pair: &[Column], first: usize| {
                    let x = &self.values[pair[0].value as usize + first..]
                        [..TILE.min(results.len() - first)];
                    move |position: usize| x[position].get()
                };
                self.dot_in_tiles(step, start, pairs, x);
            }
            Shape::Mixed => {
                for (instance, result) in results.iter().enumerate() {
                    let at = |column: &Column| {
                        Operand::new(
                            self.code,
                            self.values,
                            column.kind,
                            column.value,
                            results.len(),
                        )
                        .at(instance)
                        .get()
                    };
                    let products = pairs.chunks_exact(2).map(|pair| at(&pair[0]) * at(&pair[1]));
                    if let Some(sum) =
                        start.iter().map(at).chain(products).reduce(|sum, term| sum + term)
                    {
                        result.set(sum);
                    }
                }
            }
        }
    }

    /// Dot products whose second factors are rows of slots, a tile of instances at a time: their sums stay in registers.
    #[inline(always)]
    fn dot_in_tiles<X: Fn(usize) -> E>(
        &self,
        step: &Step,
        start: &[Column],
        pairs: &[Column],
        first_factor: impl Fn(&[Column], usize) -> X,
    ) {
        let results = self.results(step);
        let mut first = 0;
        while first < results.len() {
            let count = TILE.min(results.len() - first);
            let mut sums = [E::from_f64(0.0); TILE];
            let mut rest = pairs;
            if let [start] = start {
                let start =
                    Operand::new(self.code, self.values, start.kind, start.value, results.len());
                for (position, sum) in sums[..count].iter_mut().enumerate() {
                    *sum = start.at(first + position).get();
                }
            } else {
                // The first product is not added to 0: that would lose the sign of −0.
                let x = first_factor(&pairs[..2], first);
                let y = &self.values[pairs[1].value as usize + first..][..count];
                for (position, (sum, y)) in sums.iter_mut().zip(y).enumerate() {
                    *sum = x(position) * y.get();
                }
                rest = &pairs[2..];
            }
            for pair in rest.chunks_exact(2) {
                let x = first_factor(pair, first);
                let y = &self.values[pair[1].value as usize + first..][..count];
                if let Ok(y) = <&[Cell<E>; TILE]>::try_from(y) {
                    for position in 0..TILE {
                        sums[position] += x(position) * y[position].get();
                    }
                } else {
                    for (position, (sum, y)) in sums.iter_mut().zip(y).enumerate() {
                        *sum += x(position) * y.get();
                    }
                }
            }
            for (result, &sum) in results[first..][..count].iter().zip(&sums) {
                result.set(sum);
            }
            first += count;
        }
    }

    /// Adds to an operand's adjoints what `contribution` says for each instance.
    #[inline(always)]
    fn accumulate(&self, adjoint: Operand<'_, E>, count: usize, contribution: impl Fn(usize) -> E) {
        match adjoint {
            Operand::Same(adjoint) if count == 1 => adjoint.set(adjoint.get() + contribution(0)),
            Operand::Same(adjoint) => adjoint.set(adjoint.get() + sum_of(count, contribution)),
            Operand::Run(adjoints) => {
                for (instance, adjoint) in adjoints.iter().enumerate() {
                    adjoint.set(adjoint.get() + contribution(instance));
                }
            }
            Operand::Listed(slots, listed) => {
                for (instance, &slot) in listed.iter().enumerate() {
                    let adjoint = &slots[slot as usize];
                    adjoint.set(adjoint.get() + contribution(instance));
                }
            }
        }
    }

    /// Of operations whose partials are 1 or −1.
    #[inline(always)]
    fn propagate_linear(&self, step: &Step, contribution: impl Fn(usize, E) -> E) {
        let weights = self.weights(step);
        if step.shape == Shape::Span {
            let weight = weights[0].get();
            self.accumulate_span(step, self.column(step, 0), |_| weight);
            return self.clear(step);
        }
        for position in 0..step.arity as usize {
            if let Some(adjoint) = self.adjoint(step, position) {
                self.accumulate(adjoint, weights.len(), |instance| {
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
        let (weights, results) = (self.weights(step), self.results(step));
        let (x, y) = (self.operand(step, 0), self.operand(step, 1));
        match (x, y) {
            (Operand::Run(x), Operand::Run(y)) => {
                self.accumulate(adjoint, weights.len(), |instance| {
                    weights[instance].get()
                        * partial(x[instance].get(), y[instance].get(), results[instance].get())
                })
            }
            (Operand::Same(x), Operand::Run(y)) => {
                self.accumulate(adjoint, weights.len(), |instance| {
                    weights[instance].get()
                        * partial(x.get(), y[instance].get(), results[instance].get())
                })
            }
            (Operand::Run(x), Operand::Same(y)) => {
                self.accumulate(adjoint, weights.len(), |instance| {
                    weights[instance].get()
                        * partial(x[instance].get(), y.get(), results[instance].get())
                })
            }
            (x, y) => self.accumulate(adjoint, weights.len(), |instance| {
                weights[instance].get()
                    * partial(x.at(instance).get(), y.at(instance).get(), results[instance].get())
            }),
        }
    }

    /// Of any function of the first `A` operands: the partials are computed chunk by chunk.
    #[inline(always)]
    fn propagate_chunks<const A: usize>(
        &self,
        step: &Step,
        partials: impl Fn([E::Chunk; A], E::Chunk) -> [E::Chunk; A],
    ) {
        let operands: [Operand<'_, E>; A] = array::from_fn(|position| self.operand(step, position));
        let adjoints: [Option<Operand<'_, E>>; A] =
            array::from_fn(|position| self.adjoint(step, position));
        let (weights, results) = (self.weights(step), self.results(step));
        if E::CHUNK == 1 {
            for (position, adjoint) in adjoints.into_iter().enumerate() {
                let Some(adjoint) = adjoint else { continue };
                self.accumulate(adjoint, weights.len(), |instance| {
                    let one = |number: E| E::gather(1, |_| number);
                    let arguments = operands.map(|operand| one(operand.at(instance).get()));
                    let partials = partials(arguments, one(results[instance].get()));
                    weights[instance].get() * E::part(&partials[position], 0)
                });
            }
            return self.clear(step);
        }
        let mut start = 0;
        while start < weights.len() {
            let count = (weights.len() - start).min(E::CHUNK);
            let arguments = operands.map(|operand| Self::gather(&operand, start, count));
            let value = E::gather(count, |position| {
                results[(start + position).min(results.len() - 1)].get()
            });
            let weight = E::gather(count, |position| {
                weights[(start + position).min(results.len() - 1)].get()
            });
            let partials = partials(arguments, value);
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
        let weights = self.weights(step);
        let count = weights.len();
        if !start.is_empty() {
            if let Some(adjoint) = self.adjoint(step, 0) {
                self.accumulate(adjoint, count, |instance| weights[instance].get());
            }
        }
        match step.shape {
            Shape::Span => {
                let weight = weights[0].get();
                for (to, from) in [(pairs[0], pairs[1]), (pairs[1], pairs[0])] {
                    match self.span(step, self.values, from, from.value) {
                        Operand::Run(from) => {
                            self.accumulate_span(step, to, |item| weight * from[item].get())
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
            Shape::SameByRun => {
                for first in (0..count).step_by(TILE) {
                    let tile = TILE.min(count - first);
                    let mut kept = [E::from_f64(0.0); TILE];
                    for (kept, weight) in kept.iter_mut().zip(&weights[first..][..tile]) {
                        *kept = weight.get();
                    }
                    for pair in pairs.chunks_exact(2) {
                        self.propagate_same_by_run(pair, &kept, first, tile);
                    }
                }
            }
            Shape::Runs | Shape::Mixed => {
                for pair in pairs.chunks_exact(2) {
                    for (to, from) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                        if to.adjoint == NONE {
                            continue;
                        }
                        let adjoint =
                            Operand::new(self.code, self.adjoints, to.kind, to.adjoint, count);
                        match Operand::new(self.code, self.values, from.kind, from.value, count) {
                            Operand::Run(from) => self.accumulate(adjoint, count, |instance| {
                                weights[instance].get() * from[instance].get()
                            }),
                            Operand::Same(from) => {
                                let from = from.get();
                                self.accumulate(adjoint, count, |instance| {
                                    weights[instance].get() * from
                                });
                            }
                            from @ Operand::Listed(..) => {
                                self.accumulate(adjoint, count, |instance| {
                                    weights[instance].get() * from.at(instance).get()
                                })
                            }
                        }
                    }
                }
            }
        }
        self.clear(step);
    }

    /// One pair of a dot product, a tile of instances: the shared factor gets a sum, the other one a row.
    #[inline(always)]
    fn propagate_same_by_run(
        &self,
        pair: &[Column],
        weights: &[E; TILE],
        first: usize,
        tile: usize,
    ) {
        let y = &self.values[pair[1].value as usize + first..][..tile];
        if pair[0].adjoint != NONE {
            let adjoint = &self.adjoints[pair[0].adjoint as usize];
            let sum = if let Ok(y) = <&[Cell<E>; TILE]>::try_from(y) {
                sum_of(TILE, |position| weights[position] * y[position].get())
            } else {
                sum_of(tile, |position| weights[position] * y[position].get())
            };
            adjoint.set(adjoint.get() + sum);
        }
        if pair[1].adjoint != NONE {
            let x = self.values[pair[0].value as usize].get();
            let adjoints = &self.adjoints[pair[1].adjoint as usize + first..][..tile];
            if let Ok(adjoints) = <&[Cell<E>; TILE]>::try_from(adjoints) {
                for position in 0..TILE {
                    adjoints[position].set(adjoints[position].get() + weights[position] * x);
                }
            } else {
                for (adjoint, &weight) in adjoints.iter().zip(weights) {
                    adjoint.set(adjoint.get() + weight * x);
                }
            }
        }
    }

    #[inline(always)]
    fn propagate_norm(&self, step: &Step) {
        let (weights, results) = (self.weights(step), self.results(step));
        if step.shape == Shape::Span {
            let (weight, norm, column) = (weights[0].get(), results[0].get(), self.column(step, 0));
            let x = self.span(step, self.values, column, column.value);
            self.accumulate_span(step, column, |item| {
                weight * real::norm_partial(x.at(item).get(), norm)
            });
            return self.clear(step);
        }
        for position in 0..step.arity as usize {
            let Some(adjoint) = self.adjoint(step, position) else { continue };
            let x = self.operand(step, position);
            self.accumulate(adjoint, weights.len(), |instance| {
                weights[instance].get()
                    * real::norm_partial(x.at(instance).get(), results[instance].get())
            });
        }
        self.clear(step);
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
    for (way, sum) in sums.iter_mut().take(count - whole).enumerate() {
        *sum += term(whole + way);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
