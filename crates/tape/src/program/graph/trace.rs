//! From a function to its graph: the function is recorded on a tape, its comparisons beside it.

use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::derivative::gradient::Kept;
use crate::error::Error;
use crate::guard::{Comparison, Guard, Outcome};
use crate::list::packed::{Packer, Piece};
use crate::list::recorded::{Group, Operand};
use crate::list::stop::ListStop;
use crate::list::{List, Node as ListNode};
use crate::number::Number;
use crate::op::Op;
use crate::outputs::Outputs;
use crate::program::graph::builder::{Builder, Passes};
use crate::program::graph::{Call, Graph, Id};
use crate::real::Real;
use crate::real::operation::Identity;
use crate::var::Var;

/// An operand of a comparison: its index in the traced list (0 for a constant), and its value.
#[derive(Clone, Copy, Debug)]
struct Place {
    index: u32,
    value: f64,
}

thread_local! {
    /// The number of the tape that is traced on this thread, of nested traces the innermost one's; 0 for none.
    static TRACED: Cell<u32> = const { Cell::new(0) };
    /// How many traces are nested.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The comparisons that were made, by trace. It has no destructor, so that a thread can trace at any time in its life;
    /// between traces it holds no memory.
    static TRACES: ManuallyDrop<RefCell<Vec<Noted>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// The comparisons of numbers on one tape.
struct Noted {
    tape: u32,
    guards: Vec<Guard<Place>>,
}

/// While it lives, comparisons on one tape are noted. Traces nest: a function that is traced may trace another one, and
/// compare its own variables there.
struct Tracing {
    outer: u32,
}

impl Tracing {
    fn begin(tape: u32) -> Self {
        let noted = Noted { tape, guards: Vec::new() };
        TRACES.with(|traces| traces.borrow_mut().push(noted));
        DEPTH.set(DEPTH.get() + 1);
        Self { outer: TRACED.replace(tape) }
    }

    /// Those of the innermost trace.
    fn guards() -> Vec<Guard<Place>> {
        let of_innermost = |traces: &mut Vec<Noted>| {
            traces.last_mut().map(|noted| core::mem::take(&mut noted.guards))
        };
        TRACES.with(|traces| of_innermost(&mut traces.borrow_mut())).unwrap_or_default()
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        TRACED.set(self.outer);
        DEPTH.set(DEPTH.get() - 1);
        TRACES.with(|traces| {
            let mut traces = traces.borrow_mut();
            traces.pop();
            if traces.is_empty() {
                *traces = Vec::new();
            }
        });
    }
}

impl<T: Real> Var<T> {
    /// Whether the tape of this variable is traced: what is decided by its number must be noted or recorded.
    #[inline(always)]
    pub(crate) fn is_traced(self) -> bool {
        let traced = TRACED.get();
        traced != 0 && (self.tape() == traced || self.is_traced_further_out())
    }

    #[inline(always)]
    fn is_traced_further_out(self) -> bool {
        DEPTH.get() > 1 && !self.is_constant() && is_traced_anywhere(self.tape())
    }

    /// Notes a comparison if one of the two is on a tape that is traced.
    #[inline(always)]
    pub(crate) fn note(&self, other: &Self, comparison: Comparison, outcome: i8) {
        if TRACED.get() != 0 && (self.is_traced() || other.is_traced()) {
            let [a, b] = [self, other].map(|var| (var.tape(), var.index(), var.innermost()));
            note([a, b], comparison, Outcome(outcome));
        }
    }

    /// [`Number::note_sign`] of this variable itself.
    #[inline(always)]
    pub(crate) fn note_own_sign(self) {
        self.ask(Comparison::IsNegative, self);
    }

    /// [`Number::note_integer`] of this variable itself.
    #[inline(always)]
    pub(crate) fn note_own_integer(self) {
        if self.is_traced() {
            self.trunc().note_number();
        }
    }

    /// [`Number::note_bits`] of this variable itself: any other number takes another path.
    #[inline(always)]
    pub(crate) fn note_own_bits(self) {
        if self.is_traced() {
            self.note_number();
            self.note_own_sign();
        }
    }

    /// Notes a comparison without an answer that the function sees.
    pub(crate) fn ask(self, comparison: Comparison, other: Self) {
        self.note(&other, comparison, comparison.of(self.innermost(), other.innermost()).0);
    }

    #[cold]
    fn note_number(self) {
        let itself = if self.innermost().is_nan() { self } else { Self::constant(self.value) };
        self.ask(Comparison::Equal, itself);
    }
}

#[cold]
fn is_traced_anywhere(tape: u32) -> bool {
    TRACES.with(|traces| traces.borrow().iter().any(|noted| noted.tape == tape))
}

/// A number that was compared: its tape, its place there, and its value.
type Compared = (u32, u32, f64);

/// Notes a comparison of two numbers with every trace that knows one of them. To a trace, a number of another tape is a
/// constant.
///
/// Where that is a variable of a trace further in, the program made there replays without asking again: it is for this
/// number only, and so is the outer one.
#[cold]
fn note(operands: [Compared; 2], comparison: Comparison, outcome: Outcome) {
    TRACES.with(|traces| {
        let mut traces = traces.borrow_mut();
        let mut rest = traces.as_mut_slice();
        while let [Noted { tape, guards }, further_in @ ..] = rest {
            let place = |(of, index, value): Compared| Place {
                index: if of == *tape { index } else { 0 },
                value,
            };
            if operands.iter().any(|operand| operand.0 == *tape) {
                let operands = operands.map(place);
                guards.push(Guard { comparison, operands, outcome });
            }
            for (own, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
                if own.0 == *tape && further_in.iter().any(|noted| noted.tape == other.0) {
                    let number = Place { index: 0, value: own.2 };
                    let itself = if own.2.is_nan() { place(own) } else { number };
                    let outcome = Outcome(i8::from(!own.2.is_nan()));
                    let operands = [place(own), itself];
                    guards.push(Guard { comparison: Comparison::Equal, operands, outcome });
                }
            }
            rest = further_in;
        }
    });
}

/// Which part of what was recorded becomes the graph.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Extent {
    /// What outputs and guards need. The rest is left on the list, where it takes the least room.
    Needed,
    /// Everything, to be looked at.
    All,
}

/// What was recorded, as a graph.
pub(crate) struct Trace {
    pub(crate) graph: Graph,
    /// How many nodes were recorded.
    pub(crate) nodes: usize,
}

/// Records `f` at `x` and makes a graph of it, by these passes.
///
/// # Errors
/// When an operation cannot be replayed, an output is on another tape, or there are too many nodes.
#[track_caller]
pub(crate) fn trace<R: Outputs>(
    f: impl FnOnce(&[Var]) -> R,
    x: &[f64],
    extent: Extent,
    passes: Passes,
) -> Result<Trace, Error> {
    let mut f = Some(f);
    let mut outputs = |inputs: &[Var]| f.take().expect("it is called once")(inputs).into_outputs();
    trace_outputs(&mut outputs, x, extent, passes)
}

/// [`trace`], compiled once for all functions.
#[track_caller]
fn trace_outputs(
    f: &mut dyn FnMut(&[Var]) -> Vec<Var>,
    x: &[f64],
    extent: Extent,
    passes: Passes,
) -> Result<Trace, Error> {
    let kept = Kept::<f64>::take();
    kept.tape.clear();
    kept.tape.set_tracing(true);
    let pieces = Rc::new(RefCell::new(Pieces::default()));
    let packed = Rc::clone(&pieces);
    let pack = move |nodes: &[ListNode<f64>], ops: &[Op], stops| {
        packed.borrow_mut().push(nodes, ops, stops);
    };
    kept.tape.hand_on(PIECE, Box::new(pack));
    let inputs = kept.tape.vars_from(x);
    let number = kept.tape.with_rest(|list| list.number);
    let tracing = Tracing::begin(number);
    let outputs = f(&inputs);
    let guards = Tracing::guards();
    drop(tracing);
    kept.tape.set_tracing(false);
    let packed = pieces.take().packed;
    let nodes = kept.tape.len();
    let foreign = |variable: &Var| !variable.is_constant() && variable.tape() != number;
    let foreign = outputs.iter().position(foreign);
    for variable in &outputs[..foreign.unwrap_or(outputs.len())] {
        kept.tape.assert_own(*variable, "the traced function's output");
    }
    let trace = match foreign {
        Some(output) => Err(Error::Foreign { output }),
        None => kept.tape.with_rest(|rest| {
            let whole = Whole { packed, rest };
            let needed = match extent {
                Extent::Needed => whole.needed(&outputs, &guards),
                Extent::All => Marks::all(nodes + 1),
            };
            whole.into_graph(x.len(), &outputs, &guards, &needed, passes)
        }),
    };
    kept.tape.keep();
    kept.put_back();
    Ok(Trace { graph: trace?, nodes })
}

/// So many recorded nodes are packed at a time. They fit in a processor's cache.
const PIECE: u32 = if cfg!(test) { 16 } else { 1 << 15 };

/// What is packed while a function is recorded.
#[derive(Default)]
struct Pieces {
    packer: Packer,
    packed: Vec<Packed>,
}

struct Packed {
    piece: Piece,
    stops: Vec<Rc<ListStop<f64>>>,
    /// Whether an operation is looked at though nothing depends on it.
    has_needed: bool,
}

impl Pieces {
    fn push(&mut self, nodes: &[ListNode<f64>], ops: &[Op], stops: Vec<Rc<ListStop<f64>>>) {
        let first = self.packed.last().map_or(0, |Packed { piece, .. }| piece.first + piece.count);
        let piece = self.packer.pack(first, nodes, ops);
        self.packed.push(Packed { piece, stops, has_needed: ops.iter().copied().any(is_needed) });
    }
}

/// An operation that brings a guard of its own, or cannot be replayed.
#[inline]
fn is_needed(op: Op) -> bool {
    matches!(op, Op::Clamp | Op::Custom | Op::SumOver)
}

/// What was recorded: pieces, and what is on the list after them.
struct Whole<'a> {
    packed: Vec<Packed>,
    rest: &'a List<'a, f64>,
}

impl Whole<'_> {
    /// Which nodes the outputs and guards depend on; with them those that bring a guard of their own or cannot be replayed.
    fn needed(&self, outputs: &[Var], guards: &[Guard<Place>]) -> Marks {
        let (rest, last) = (self.rest, self.rest.nodes().len());
        let mut needed = Marks::none(rest.first as usize + last);
        for output in outputs {
            needed.mark(output.index() as usize);
        }
        for place in guards.iter().flat_map(|guard| guard.operands) {
            needed.mark(place.index as usize);
        }
        needed.mark_arguments(rest.first, rest.nodes(), rest.ops(), &rest.stops());
        let (mut nodes, mut ops) = (Vec::new(), Vec::new());
        for Packed { piece, stops, has_needed } in self.packed.iter().rev() {
            if *has_needed || needed.are_any(piece) {
                piece.unpack(&mut nodes, &mut ops);
                needed.mark_arguments(piece.first, &nodes, &ops, stops);
            }
        }
        needed
    }

    fn into_graph(
        self,
        inputs: usize,
        outputs: &[Var],
        guards: &[Guard<Place>],
        needed: &Marks,
        passes: Passes,
    ) -> Result<Graph, Error> {
        let builder = Builder::new(inputs, passes, needed.count());
        let places = Places::new(self.rest.first as usize + self.rest.nodes().len());
        let mut maker = Maker {
            builder,
            places,
            operands: Vec::new(),
            bounds: Vec::new(),
            calls: FxHashMap::default(),
        };
        let (mut nodes, mut ops) = (Vec::new(), Vec::new());
        for Packed { piece, stops, .. } in self.packed {
            if needed.are_any(&piece) {
                piece.unpack(&mut nodes, &mut ops);
                maker.add(Group::of(piece.first, &nodes, &ops), &stops, inputs, needed)?;
            }
        }
        drop((nodes, ops));
        let rest = Group::of(self.rest.first, self.rest.nodes(), self.rest.ops());
        maker.add(rest, &self.rest.stops(), inputs, needed)?;
        Ok(maker.finish(outputs, guards))
    }
}

/// A set of recorded nodes.
struct Marks(Vec<u64>);

impl Marks {
    fn none(nodes: usize) -> Self {
        Self(vec![0; nodes / 64 + 1])
    }

    fn all(nodes: usize) -> Self {
        Self(vec![u64::MAX; nodes / 64 + 1])
    }

    #[inline]
    fn mark(&mut self, node: usize) {
        self.0[node / 64] |= 1 << (node % 64);
    }

    #[inline]
    fn is_marked(&self, node: usize) -> bool {
        self.0[node / 64] >> (node % 64) & 1 != 0
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether one near the piece or in it is marked.
    fn are_any(&self, piece: &Piece) -> bool {
        let (first, end) = (piece.first as usize, (piece.first + piece.count) as usize);
        self.0[first / 64..end.div_ceil(64)].iter().any(|word| *word != 0)
    }

    /// Marks the arguments of those that are marked, from the last to the first.
    fn mark_arguments(
        &mut self,
        first: u32,
        nodes: &[ListNode<f64>],
        ops: &[Op],
        mut stops: &[Rc<ListStop<f64>>],
    ) {
        let mut are_needed = false;
        let mut marked = None;
        for (place, (node, op)) in nodes.iter().zip(ops).enumerate().rev() {
            let index = first as usize + place;
            if *op == Op::Result {
                while let [before @ .., last] = stops
                    && last.results().start > index
                {
                    stops = before;
                }
                // The first result stands for all. Any of them marks all arguments, once.
                if let (true, Some(stop)) = (self.is_marked(index), stops.last())
                    && marked.replace(stop.first) != Some(stop.first)
                {
                    self.mark(stop.first as usize);
                    for argument in stop.arguments.iter() {
                        self.mark(argument as usize);
                    }
                }
                are_needed = false;
                continue;
            }
            // The nodes of one operation follow each other, and the last one stands for it.
            if *op != Op::Part {
                are_needed = self.is_marked(index) || is_needed(*op);
            }
            if are_needed {
                self.mark(index);
                for argument in node.indices() {
                    self.mark(argument);
                }
            }
        }
    }
}

/// The node that each recorded one has become. Pages of it are there where there is one.
struct Places {
    nodes: usize,
    pages: Vec<Vec<Id>>,
}

impl Places {
    const PAGE: usize = 1 << 12;

    fn new(nodes: usize) -> Self {
        Self { nodes, pages: vec![Vec::new(); nodes.div_ceil(Self::PAGE)] }
    }

    #[inline]
    fn get(&self, node: usize) -> Id {
        self.pages[node / Self::PAGE][node % Self::PAGE]
    }

    #[inline]
    fn set(&mut self, node: usize, id: Id) {
        let (page, place) = (node / Self::PAGE, node % Self::PAGE);
        if self.pages[page].is_empty() {
            self.add(page);
        }
        self.pages[page][place] = id;
    }

    #[cold]
    fn add(&mut self, page: usize) {
        self.pages[page] = vec![Id(0); Self::PAGE.min(self.nodes - page * Self::PAGE)];
    }
}

/// The graph so far, and the node that each entry of the list has become.
struct Maker {
    builder: Builder,
    places: Places,
    /// Of the operation in hand.
    operands: Vec<Id>,
    /// The guards of operations that bring their own.
    bounds: Vec<Guard<Id>>,
    /// The operations of one's own that have occurred, with the numbers of their inputs and outputs.
    calls: FxHashMap<(Identity, usize, usize), u32>,
}

impl Maker {
    /// The operations that are needed of those that come next.
    fn add<'a>(
        &mut self,
        groups: impl Iterator<Item = Group<'a, f64>>,
        stops: &[Rc<ListStop<f64>>],
        inputs: usize,
        needed: &Marks,
    ) -> Result<(), Error> {
        let mut stops = stops.iter().peekable();
        for group in groups.filter(|group| needed.is_marked(group.last)) {
            let id = match group.op {
                Op::Result => {
                    while stops.next_if(|stop| stop.results().end <= group.last).is_some() {}
                    if let Some(stop) = stops.next_if(|stop| stop.results().start == group.last) {
                        self.call(stop);
                    }
                    continue;
                }
                Op::Input if group.last <= inputs => Id(group.last as u32 - 1),
                Op::Input => self.builder.constant(group.kept_value()),
                Op::Custom | Op::SumOver => {
                    return Err(Error::Opaque { op: group.op.name(), index: group.last });
                }
                Op::WeightedSum => self.weighted_sum(&group),
                Op::LogSumExp => self.log_sum_exp(&group),
                op => self.operation(op, &group),
            };
            self.places.set(group.last, id);
            let size = self.builder.graph().len();
            if size >= u32::MAX as usize / 2 {
                return Err(Error::TooLarge { what: "nodes", size });
            }
        }
        Ok(())
    }

    /// A call, and the places of its results.
    fn call(&mut self, stop: &ListStop<f64>) {
        let (inputs, outputs) = (stop.x.len(), stop.y.len());
        let new = || Call { operation: Arc::clone(&stop.operation), inputs, outputs };
        let key = (stop.operation.identity(), inputs, outputs);
        let call = *self.calls.entry(key).or_insert_with(|| self.builder.note_call(new()));
        let operands = stop.arguments.iter().zip(&*stop.x).map(|(argument, &x)| match argument {
            0 => self.builder.constant(x),
            index => self.places.get(index as usize),
        });
        let operands: Vec<Id> = operands.collect();
        let Id(id) = self.builder.push_call(call, &operands);
        for (result, id) in stop.results().zip(id + 1..) {
            self.places.set(result, Id(id));
        }
    }

    #[inline]
    fn operation(&mut self, op: Op, group: &Group<'_, f64>) -> Id {
        // As most are.
        if let (1, Some(count @ 1..=2)) = (group.len(), op.arity()) {
            let [a, b] = group.first_operands();
            let a = self.operand(a);
            if count == 1 {
                return self.builder.push(op, &[a]);
            }
            let b = self.operand(b);
            return self.builder.push(op, &[a, b]);
        }
        self.take_operands(group);
        if op == Op::Clamp {
            let operands = [self.operands[1], self.operands[2]];
            let (comparison, outcome) = (Comparison::LessOrEqual, Outcome(1));
            self.bounds.push(Guard { comparison, operands, outcome });
        }
        self.builder.push(op, &self.operands)
    }

    fn finish(self, outputs: &[Var], guards: &[Guard<Place>]) -> Graph {
        let Self { mut builder, places, bounds, .. } = self;
        let mut name = |place: Place| match place.index {
            0 => builder.constant(place.value),
            index => places.get(index as usize),
        };
        let outputs =
            outputs.iter().map(|output| name(Place { index: output.index(), value: output.value }));
        let outputs = outputs.collect();
        let asked: Vec<Guard<Id>> = guards.iter().map(|guard| guard.map(&mut name)).collect();
        let mut graph = builder.finish();
        graph.outputs = outputs;
        // What the function asked comes first, in the order in which it asked: two paths have the guards in common up to
        // where they part.
        graph.guards = asked;
        graph.guards.extend(bounds);
        graph
    }

    #[inline]
    fn operand(&mut self, operand: Operand<f64>) -> Id {
        match operand {
            Operand::Node { index, .. } => self.places.get(index),
            Operand::Constant(constant) => self.builder.constant(constant),
        }
    }

    fn take_operands(&mut self, group: &Group<'_, f64>) {
        self.operands.clear();
        for operand in group.operands() {
            let operand = self.operand(operand);
            self.operands.push(operand);
        }
    }

    /// Products of weights and terms, added to the first term where that has weight 1. A constant term was recorded
    /// as its product with its weight.
    fn weighted_sum(&mut self, group: &Group<'_, f64>) -> Id {
        let mut operands = Vec::new();
        for (position, operand) in group.operands().enumerate() {
            let (weight, term) = match operand {
                Operand::Node { index, partial } => (partial, self.places.get(index)),
                Operand::Constant(constant) => (1.0, self.builder.constant(constant)),
            };
            if position > 0 || weight != 1.0 {
                operands.push(self.builder.constant(weight));
            }
            operands.push(term);
        }
        match operands[..] {
            [term] => term,
            [weight, term] => self.builder.push(Op::Mul, &[weight, term]),
            _ => self.builder.push(Op::Dot, &operands),
        }
    }

    /// m + ln Σ e^(xᵢ − m), where m is the largest term, taken as a constant.
    fn log_sum_exp(&mut self, group: &Group<'_, f64>) -> Id {
        self.take_operands(group);
        let builder = &mut self.builder;
        let largest = builder.push(Op::Largest, &self.operands);
        let weights: Vec<Id> =
            self.operands.iter().map(|&term| builder.push(Op::Weight, &[term, largest])).collect();
        let sum = builder.push(Op::Sum, &weights);
        let logarithm = builder.push(Op::Ln, &[sum]);
        builder.push(Op::Add, &[largest, logarithm])
    }
}
