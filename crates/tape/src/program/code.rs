//! Code: a graph made ready for the machine, as steps on ranges of slots.
//!
//! There are two arrays of slots, for values and for adjoints. The inputs have the first slots of both, in order; the
//! constants follow among the values; the last adjoint slot is the sink, for what flows to numbers that need no adjoint.
//! A step's results have slots in a row.
//!
//! **Invariants**, which the machine's checked accesses turn into panics where they do not hold:
//! 1. The slots that a step writes are none of those that it reads.
//! 2. A value that the reverse sweep reads keeps its slot to the end.
//! 3. An adjoint slot is 0 before something is added to it: between sweeps, those of the inputs and outputs are.

mod assign_slots;
mod births;
mod constants;
mod emit;
mod groups;
pub(crate) mod links;
pub(crate) mod schedule;

use core::fmt::{self, Debug};
use core::ops::Range;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::guard::Guard;
use crate::list::stop::Erased;
use crate::op::Op;
use crate::program::code::links::{LinkRange, Links};

/// Stands for "no slot": an output or operand that has no adjoint.
pub(crate) const NONE: u32 = u32::MAX;

/// So many operands that lie in a row, of one operation on many, are worth a loop.
const SPAN: usize = 4;

#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) inputs: usize,
    /// The constants, in the order of their slots.
    pub(crate) constants: Vec<f64>,
    /// The order of steps and singles.
    pub(crate) runs: Vec<Run>,
    /// Steps of several instances, or of one whose operands are a row.
    pub(crate) steps: Vec<Step>,
    /// The other steps of one instance, and what they are run as.
    pub(crate) singles: Vec<Single>,
    pub(crate) links: Links,
    /// Calls of operations of one's own.
    pub(crate) calls: Vec<Call>,
    pub(crate) columns: Vec<Column>,
    /// The slots of listed columns, of values and of adjoints.
    pub(crate) listed: Vec<u32>,
    /// The numbers of slots.
    pub(crate) values: usize,
    pub(crate) adjoints: usize,
    pub(crate) outputs: Vec<Output>,
    /// Guards on value slots.
    pub(crate) guards: Vec<Guard<u32>>,
    /// Value slots that must be finite, or the code does not hold: see [`lower`](crate::program::graph::lower).
    pub(crate) finite: Vec<u32>,
}

/// Where an output is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) value: u32,
    /// [`NONE`] where it depends on no input that has an adjoint.
    pub(crate) adjoint: u32,
}

/// One operation on `count` instances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) shape: Shape,
    pub(crate) count: u32,
    /// The first of the slots of the results.
    pub(crate) value: u32,
    /// The first of the slots of their adjoints, or [`NONE`].
    pub(crate) adjoint: u32,
    /// The first of the columns of its operands.
    pub(crate) first: u32,
    /// The number of operands.
    pub(crate) arity: u32,
    /// Whether the reverse sweep clears its adjoints: something is added to what has these slots next.
    pub(crate) clears: bool,
}

/// Steps that follow each other, by their positions.
#[derive(Clone, Debug)]
pub(crate) enum Run {
    Steps(Range<usize>),
    /// Steps of one instance, and the links that do the same. (Code whose functions are computed by vectors has none.)
    Singles {
        singles: Range<usize>,
        links: Option<LinkRange>,
    },
    /// A call, by its position.
    Call(usize),
}

/// A call of an operation of one's own, for `count` instances: of each result, one slot after the other.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Arc<dyn Erased<f64>>,
    pub(crate) count: u32,
    /// The first of the slots of the results, and of their adjoints, or [`NONE`].
    pub(crate) value: u32,
    pub(crate) adjoint: u32,
    pub(crate) outputs: u32,
    /// The first of the columns of its operands, and how many there are.
    pub(crate) first: u32,
    pub(crate) inputs: u32,
}

/// As the graph's.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

impl Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{} → {}]", self.operation.name(), self.inputs, self.outputs)
    }
}

/// A step of one instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single {
    pub(crate) op: Op,
    pub(crate) arity: u32,
    /// The slots of the result, and of its adjoint, or [`NONE`].
    pub(crate) value: u32,
    pub(crate) adjoint: u32,
    /// The first of the columns of its operands.
    pub(crate) first: u32,
}

/// An operand of all instances of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) kind: Kind,
    /// The (first) slot of the value; of a listed column, where its slots stand in [`Code::listed`].
    pub(crate) value: u32,
    /// The same of the adjoint, or [`NONE`].
    pub(crate) adjoint: u32,
    /// Whether this is the first contribution to the adjoints, and so is stored and not added.
    pub(crate) is_stored: bool,
}

impl Column {
    fn new(kind: Kind, value: u32, adjoint: u32) -> Self {
        Self { kind, value, adjoint, is_stored: false }
    }
}

/// Which slots a column takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same slot for every instance.
    Same,
    /// Slots in a row, one for each instance.
    Run,
    /// Slots that are listed.
    Listed,
}

/// What the columns of a sum or dot product have in common, so that its inner loop asks no questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One instance: every column is one slot.
    Single,
    /// One instance whose many operands are a row of slots, which is the one column. (Two of a dot product, after that
    /// of a number to which it is added.)
    Span,
    /// Of a dot product: every pair is a column of one slot and a column of a row of slots.
    SameByRun,
    /// Every column is a row of slots.
    Runs,
    /// Anything else.
    Mixed,
}

impl Code {
    pub(crate) fn columns_of(&self, step: &Step) -> &[Column] {
        let columns = match step.shape {
            Shape::Span if step.op == Op::Dot => 2 + step.arity as usize % 2,
            Shape::Span => 1,
            _ => step.arity as usize,
        };
        &self.columns[step.first as usize..][..columns]
    }
}

impl Single {
    /// The same as any other step.
    pub(crate) fn as_step(&self) -> Step {
        let Self { op, arity, value, adjoint, first } = *self;
        Step { op, shape: Shape::Single, count: 1, value, adjoint, first, arity, clears: true }
    }
}
