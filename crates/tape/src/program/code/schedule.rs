//! From a graph to code: instances of one operation are found that can be computed in one step, and slots given to
//! their results.
//!
//! Two nodes have the same *form* when they compute the same expression of the same inputs, up to the values of
//! constants: the terms of a sum over data do. A node joins the first group of its form, where that form is frequent,
//! or of its operation on operands of the same kind, that comes after the groups of all its operands; if there is none,
//! it begins a new one. So
//! the loops of a function become groups, whichever way they were nested, in the order in which their first nodes were
//! recorded. A group's results lie in a row of slots. Where its operands lie in rows too, a group is a step; otherwise it
//! falls into as few steps as it takes for them to be rows (the first element of a loop is often a special case).

use core::ops::Range;
use std::collections::hash_map::Entry;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use crate::error::Error;
use crate::guard::Comparison;
use crate::op::Op;
use crate::program::code::assign_slots::{Life, assign_adjoints, assign_values};
use crate::program::code::{Code, Column, Kind, NONE, Output, Shape, Step};
use crate::program::graph::{Graph, Id, Node};

/// The code of a graph. Inputs that `wanted` does not pick get no adjoints.
///
/// # Errors
/// When 32-bit slots do not suffice.
pub(crate) fn schedule(graph: &Graph, wanted: impl Fn(usize) -> bool) -> Result<Code, Error> {
    let active = active(graph, wanted);
    emit(graph, &active, &group(graph, &active))
}

/// As [`schedule`], for a machine that computes functions by vectors: small groups stay together.
///
/// # Errors
/// As [`schedule`].
pub(crate) fn schedule_together(
    graph: &Graph,
    wanted: impl Fn(usize) -> bool,
) -> Result<Code, Error> {
    let active = active(graph, wanted);
    emit(graph, &active, &Groups { fewest: 1, ..group(graph, &active) })
}

/// The nodes that need adjoints: on a way from an input that is wanted to an output.
fn active(graph: &Graph, wanted: impl Fn(usize) -> bool) -> Vec<bool> {
    let reaching = graph.needed_by(graph.outputs.iter().copied());
    let mut active = graph.varying_with(wanted);
    for (active, reaching) in active.iter_mut().zip(reaching) {
        *active &= reaching;
    }
    active
}

/// The code of a row's graph, whose first `shared` inputs are the same for all rows, for `lanes` rows at a time. Inputs
/// that `wanted` does not pick get no adjoints.
///
/// # Errors
/// When 32-bit slots do not suffice.
pub(crate) fn schedule_rows(
    graph: &Graph,
    shared: usize,
    wanted: impl Fn(usize) -> bool,
    lanes: u32,
) -> Result<Code, Error> {
    let active = active(graph, wanted);
    let members: Vec<Vec<Id>> =
        graph.ids().filter(|&id| graph.op(id).is_some()).map(|id| vec![id]).collect();
    let mut group_of = vec![None; graph.len()];
    for (group, members) in members.iter().enumerate() {
        group_of[members[0].index()] = Some(group as u32);
    }
    let rows = Some(Rows { count: lanes, shared });
    emit(graph, &active, &Groups { members, group_of, rows, fewest: 1 })
}

/// So few instances are a step each.
const FEW: usize = 8;

/// Nodes of a frequent form, at least this many, are a group.
const FREQUENT: usize = 8;

/// What two nodes of the same form agree in.
#[derive(PartialEq, Eq, Hash)]
enum Form {
    Input(u32),
    Constant,
    Operation { op: Op, exponent: u64, active: bool, operands: SmallVec<[u32; 3]> },
}

/// What the nodes of a group agree in.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Form(u32),
    Operation { op: Op, exponent: u64, active: bool, operands: SmallVec<[Source; 3]> },
}

/// What an operand is: two statements of a loop are told apart by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Input,
    Constant,
    Operation(Op),
    /// An operand of a long operation, which is not looked at.
    Any,
}

impl Source {
    fn of(graph: &Graph, id: Id) -> Self {
        match graph.node(id) {
            Node::Input(_) => Self::Input,
            Node::Constant(_) => Self::Constant,
            Node::Operation { op, .. } => Self::Operation(op),
        }
    }

    /// Those of an operation's operands: of more than a few, only how many there are.
    fn all(graph: &Graph, operands: &[Id]) -> SmallVec<[Self; 3]> {
        const LOOKED_AT: usize = 16;
        if operands.len() > LOOKED_AT {
            return smallvec::smallvec![Self::Any; operands.len()];
        }
        operands.iter().map(|&operand| Self::of(graph, operand)).collect()
    }
}

/// The number of every node's form, and how many nodes have each.
fn forms(graph: &Graph, active: &[bool]) -> (Vec<u32>, Vec<usize>) {
    let mut forms: IndexSet<Form, FxBuildHasher> = IndexSet::default();
    let mut frequency: Vec<usize> = Vec::new();
    let mut form_of: Vec<u32> = Vec::with_capacity(graph.len());
    for id in graph.ids() {
        let form = match graph.node(id) {
            Node::Input(position) => Form::Input(position),
            Node::Constant(_) => Form::Constant,
            Node::Operation { op, .. } => Form::Operation {
                op,
                exponent: exponent(graph, id),
                active: active[id.index()],
                operands: graph.operands(id).iter().map(|o| form_of[o.index()]).collect(),
            },
        };
        let (form, is_fresh) = forms.insert_full(form);
        if is_fresh {
            frequency.push(0);
        }
        frequency[form] += 1;
        form_of.push(form as u32);
    }
    (form_of, frequency)
}

/// The operations of the graph in groups whose members do not depend on each other.
fn group(graph: &Graph, active: &[bool]) -> Groups {
    let (form_of, frequency) = forms(graph, active);
    // The groups of a key, in order.
    let mut groups_of: FxHashMap<Key, Vec<u32>> = FxHashMap::default();
    let mut members: Vec<Vec<Id>> = Vec::new();
    let mut group_of: Vec<Option<u32>> = vec![None; graph.len()];
    for id in graph.ids() {
        let Some(op) = graph.op(id) else { continue };
        let operands = graph.operands(id);
        let form = form_of[id.index()];
        let key = if frequency[form as usize] >= FREQUENT {
            Key::Form(form)
        } else {
            let (exponent, operands) = (exponent(graph, id), Source::all(graph, operands));
            Key::Operation { op, exponent, active: active[id.index()], operands }
        };
        let after = operands.iter().filter_map(|operand| group_of[operand.index()]).max();
        let groups = groups_of.entry(key).or_default();
        let first = groups.partition_point(|&group| after.is_some_and(|after| group <= after));
        let group = groups.get(first).copied().unwrap_or_else(|| {
            groups.push(members.len() as u32);
            members.push(Vec::new());
            members.len() as u32 - 1
        });
        members[group as usize].push(id);
        group_of[id.index()] = Some(group);
    }
    Groups { members, group_of, rows: None, fewest: FEW }
}

/// The bits of an integer argument, which all instances of a step share; 0 where there is none.
fn exponent(graph: &Graph, id: Id) -> u64 {
    let integer = graph.op(id).filter(|op| op.takes_integer());
    integer.and_then(|_| graph.constant_value(graph.operands(id)[1])).map_or(0, f64::to_bits)
}

/// The groups of a code to be: their members, in order.
pub(crate) struct Groups {
    pub(crate) members: Vec<Vec<Id>>,
    pub(crate) group_of: Vec<Option<u32>>,
    /// In a batch: each group has one member, computed for this many rows; and the inputs that are rows.
    pub(crate) rows: Option<Rows>,
    /// Fewer instances than this are a step each.
    pub(crate) fewest: usize,
}

/// Where an operand lies, before there are slots.
#[derive(Clone, Copy)]
enum Place {
    /// Anywhere: constants get their slots as they are needed.
    Constant,
    /// Among the inputs (`None`), or in a group, at this offset.
    Among(Option<u32>, u32),
}

/// How an operand's place moves on from one member to the next.
#[derive(Clone, Copy, PartialEq)]
enum Stride {
    Constant,
    None,
    One,
}

impl Place {
    fn stride_to(self, next: Place) -> Option<Stride> {
        match (self, next) {
            (Place::Constant, Place::Constant) => Some(Stride::Constant),
            (Place::Among(a, from), Place::Among(b, to)) if a == b && from == to => {
                Some(Stride::None)
            }
            (Place::Among(a, from), Place::Among(b, to)) if a == b && from + 1 == to => {
                Some(Stride::One)
            }
            _ => None,
        }
    }
}

impl Groups {
    /// The place of every node.
    fn places(&self, graph: &Graph) -> Vec<Place> {
        let mut places: Vec<Place> = graph
            .ids()
            .map(|id| match graph.node(id) {
                Node::Input(position) => Place::Among(None, position),
                _ => Place::Constant,
            })
            .collect();
        for (group, members) in self.members.iter().enumerate() {
            for (offset, member) in members.iter().enumerate() {
                places[member.index()] = Place::Among(Some(group as u32), offset as u32);
            }
        }
        places
    }

    /// The ranges of a group's members whose operands lie in rows, and, between these, the others.
    fn segments(&self, graph: &Graph, places: &[Place], group: usize) -> Vec<Range<usize>> {
        /// A row that is shorter does not pay for a step of its own.
        const WORTHWHILE: usize = 8;
        let members = &self.members[group];
        if members.len() < WORTHWHILE {
            return core::iter::once(0..members.len()).collect();
        }
        let strides = |first: Id, second: Id| -> Option<SmallVec<[Stride; 4]>> {
            let operands = graph.operands(first).iter().zip(graph.operands(second));
            operands.map(|(a, b)| places[a.index()].stride_to(places[b.index()])).collect()
        };
        let mut segments: Vec<Range<usize>> = Vec::new();
        let mut others = 0;
        let mut start = 0;
        while start < members.len() {
            let mut end = start + 1;
            if let Some(first) = members.get(end).and_then(|&next| strides(members[start], next)) {
                end += 1;
                while end < members.len()
                    && strides(members[end - 1], members[end]).as_ref() == Some(&first)
                {
                    end += 1;
                }
            }
            if end - start >= WORTHWHILE {
                segments.extend((others < start).then_some(others..start));
                segments.push(start..end);
                others = end;
                start = end;
            } else {
                // The last member may be the first of the next row.
                start = (end - 1).max(start + 1);
            }
        }
        segments.extend((others < members.len()).then_some(others..members.len()));
        segments
    }
}

/// How the rows of a batch are laid out.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: u32,
    /// The number of inputs before the first one that is a row; all after it are.
    pub(crate) shared: usize,
}

/// Which values the reverse sweep reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) operands: bool,
    pub(crate) result: bool,
}

/// What the partials of an operation are computed from. A test poisons what is not.
pub(crate) fn reads(op: Op) -> Reads {
    let (operands, result) = match op {
        Op::Neg | Op::Add | Op::Sub | Op::Sum | Op::Cofactor => (false, false),
        op if op.is_flat() => (false, false),
        Op::Mul | Op::Dot | Op::Select | Op::Chain | Op::Tip => (true, false),
        Op::Exp | Op::Exp2 | Op::Tan | Op::Sqrt | Op::Cbrt | Op::Recip | Op::Weight => {
            (false, true)
        }
        _ => (true, true),
    };
    Reads { operands, result }
}

/// Writes the code of groups in order.
pub(crate) fn emit(graph: &Graph, active: &[bool], groups: &Groups) -> Result<Code, Error> {
    Emitter::new(graph, active, groups)?.emit()
}

struct Emitter<'a> {
    graph: &'a Graph,
    active: &'a [bool],
    groups: &'a Groups,
    /// The members of every step, as ranges of groups.
    steps: Vec<(usize, Range<usize>)>,
    constants: Constants,
    /// The slots of every node's value and adjoint (constants aside).
    values: Vec<u32>,
    adjoints: Vec<u32>,
    code: Code,
}

impl<'a> Emitter<'a> {
    fn new(graph: &'a Graph, active: &'a [bool], groups: &'a Groups) -> Result<Self, Error> {
        let width_of_inputs = |position: usize| match groups.rows {
            Some(rows) if position >= rows.shared => rows.count,
            _ => 1,
        };
        let mut end = 0_u64;
        let mut values = vec![NONE; graph.len()];
        for (position, slot) in values.iter_mut().enumerate().take(graph.inputs()) {
            *slot = end as u32;
            end += u64::from(width_of_inputs(position));
        }
        let adjoints = values.clone();
        let inputs = too_large("slots of inputs", end as usize)?;
        let mut constants = Constants { first: inputs, ..Constants::default() };
        let places = groups.places(graph);
        let mut steps = Vec::new();
        for (group, members) in groups.members.iter().enumerate() {
            for segment in groups.segments(graph, &places, group) {
                let width = if segment.len() < groups.fewest { 1 } else { segment.len() };
                for first in segment.clone().step_by(width) {
                    let segment = first..first + width;
                    let members = &members[segment.clone()];
                    for position in 0..graph.operands(members[0]).len() {
                        constants.note_column(graph, members, position);
                    }
                    steps.push((group, segment));
                }
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            constants.note_single(graph, id);
        }
        let code = Code { inputs: inputs as usize, ..Code::default() };
        Ok(Self { graph, active, groups, steps, constants, values, adjoints, code })
    }

    fn emit(mut self) -> Result<Code, Error> {
        self.assign_slots()?;
        let groups = self.groups;
        for (group, segment) in core::mem::take(&mut self.steps) {
            self.push_step(&groups.members[group][segment]);
        }
        let graph = self.graph;
        let output =
            |id: &Id| Output { value: self.value_slot(*id), adjoint: self.adjoint_slot(*id) };
        let outputs = graph.outputs.iter().map(output).collect();
        self.code.outputs = outputs;
        for guard in &graph.guards {
            let guard = guard.map(|id| self.value_slot(id));
            match guard.comparison {
                Comparison::IsFinite => self.code.finite.push(guard.operands[0]),
                _ => self.code.guards.push(guard),
            }
        }
        self.code.constants = self.constants.values;
        self.code.find_runs();
        Ok(self.code)
    }

    /// How many instances these members stand for.
    fn width(&self, members: &[Id]) -> u32 {
        self.groups.rows.map_or(members.len() as u32, |rows| rows.count)
    }

    fn assign_slots(&mut self) -> Result<(), Error> {
        let graph = self.graph;
        let count = self.groups.members.len();
        let mut lives: Vec<Life> = (0..count)
            .map(|group| Life {
                width: self.width(&self.groups.members[group]),
                last_use: group,
                is_kept: false,
            })
            .collect();
        let mut adjoint_lives: Vec<Option<Life>> = vec![None; count];
        for (group, members) in self.groups.members.iter().enumerate() {
            let is_active = members.iter().any(|member| self.active[member.index()]);
            let reads = graph.op(members[0]).map_or(Reads { operands: true, result: true }, reads);
            if is_active {
                adjoint_lives[group] = Some(lives[group]);
                lives[group].is_kept |= reads.result;
            }
            let operands = members.iter().flat_map(|&member| {
                let operands = graph.operands(member).iter().enumerate();
                operands.map(move |(position, operand)| (member, position, operand))
            });
            for (member, position, operand) in operands {
                if let Some(from) = self.groups.group_of[operand.index()] {
                    let from = from as usize;
                    lives[from].last_use = lives[from].last_use.max(group);
                    lives[from].is_kept |=
                        is_active && reads.operands && !self.is_scaled(member, position);
                    if let (true, Some(life)) = (is_active, &mut adjoint_lives[from]) {
                        life.last_use = life.last_use.max(group);
                    }
                }
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            if let Some(group) = self.groups.group_of[id.index()] {
                lives[group as usize].is_kept = true;
            }
        }
        for id in &graph.outputs {
            if let Some(group) = self.groups.group_of[id.index()]
                && let Some(life) = &mut adjoint_lives[group as usize]
            {
                life.last_use = count;
            }
        }
        let (values, value_count) = assign_values(self.constants.end(), &lives);
        let (adjoints, adjoint_count) = assign_adjoints(self.code.inputs as u32, &adjoint_lives);
        too_large("slots", value_count as usize)?;
        too_large("slots", adjoint_count as usize)?;
        for (group, members) in self.groups.members.iter().enumerate() {
            for (offset, member) in members.iter().enumerate() {
                self.values[member.index()] = values[group] + offset as u32;
                self.adjoints[member.index()] =
                    adjoints[group].map_or(NONE, |slot| slot + offset as u32);
            }
        }
        self.code.values = value_count as usize;
        // And the sink.
        self.code.adjoints = adjoint_count as usize + 1;
        Ok(())
    }

    /// Whether an operand is a factor beside a constant: that partial is the constant, and the operand itself is a partial
    /// of nothing. (A constant 0 or ∞ is not counted: such a product may be indeterminate.)
    fn is_scaled(&self, member: Id, position: usize) -> bool {
        let operands = self.graph.operands(member);
        let partner = match self.graph.op(member) {
            Some(Op::Mul) => operands[1 - position],
            Some(Op::Dot) => {
                let leading = operands.len() % 2;
                match position.checked_sub(leading) {
                    Some(position) => operands[leading + (position ^ 1)],
                    None => return true,
                }
            }
            _ => return false,
        };
        self.graph.constant_value(partner).is_some_and(|factor| factor.is_finite() && factor != 0.0)
    }

    /// The slot of a node's value; of a constant, that of a constant by itself.
    fn value_slot(&self, id: Id) -> u32 {
        match self.graph.constant_value(id) {
            Some(value) => self.constants.single(value),
            None => self.values[id.index()],
        }
    }

    /// The slot of a node's adjoint, or [`NONE`].
    fn adjoint_slot(&self, id: Id) -> u32 {
        if self.active[id.index()] { self.adjoints[id.index()] } else { NONE }
    }

    fn push_step(&mut self, members: &[Id]) {
        let Some(op) = self.graph.op(members[0]) else { return };
        let first = self.code.columns.len();
        let arity = self.graph.operands(members[0]).len();
        for position in 0..arity {
            let column = self.column(members, position);
            self.code.columns.push(column);
        }
        let count = self.width(members);
        let mut shape = shape_of(op, count, &mut self.code.columns[first..]);
        if shape == Shape::Single
            && self.groups.rows.is_none()
            && let Some(spans) = spans(op, &self.code.columns[first..])
        {
            self.code.columns.truncate(first);
            self.code.columns.extend(spans);
            shape = Shape::Span;
        }
        let is_active = members.iter().any(|member| self.active[member.index()]);
        self.code.steps.push(Step {
            op,
            shape,
            count,
            value: self.values[members[0].index()],
            adjoint: if is_active { self.adjoints[members[0].index()] } else { NONE },
            first: first as u32,
            arity: arity as u32,
        });
    }

    /// The operands at this position of all members.
    fn column(&mut self, members: &[Id], position: usize) -> Column {
        let graph = self.graph;
        let operand = |member: Id| graph.operands(member)[position];
        if let Some(rows) = self.groups.rows {
            let id = operand(members[0]);
            let is_row = match graph.node(id) {
                Node::Input(position) => position as usize >= rows.shared,
                Node::Constant(_) => false,
                Node::Operation { .. } => true,
            };
            let adjoint = self.adjoint_slot(id);
            let kind = if is_row { Kind::Run } else { Kind::Same };
            return Column { kind, value: self.value_slot(id), adjoint };
        }
        if let &[member] = members {
            let id = operand(member);
            let (value, adjoint) = (self.value_slot(id), self.adjoint_slot(id));
            return Column { kind: Kind::Same, value, adjoint };
        }
        if let Some((kind, value)) = self.constants.column(graph, members, position) {
            return Column { kind, value, adjoint: NONE };
        }
        let values: Vec<u32> =
            members.iter().map(|&member| self.value_slot(operand(member))).collect();
        let sink = self.code.adjoints as u32 - 1;
        let is_active = |member: &&Id| self.active[operand(**member).index()];
        let active = members.iter().filter(is_active).count();
        let adjoints: Vec<u32> =
            members
                .iter()
                .map(|member| {
                    if is_active(&member) { self.adjoints[operand(*member).index()] } else { sink }
                })
                .collect();
        let of_adjoints = if active == 0 { None } else { kind_of(&adjoints) };
        let kind = match (kind_of(&values), of_adjoints) {
            (Some(kind), _) if active == 0 => Some(kind),
            (a, b) if a == b => a,
            _ => None,
        };
        if let Some(kind) = kind {
            return Column {
                kind,
                value: values[0],
                adjoint: if active == 0 { NONE } else { adjoints[0] },
            };
        }
        let mut list = |slots: Vec<u32>| {
            let start = self.code.listed.len() as u32;
            self.code.listed.extend(slots);
            start
        };
        let value = list(values);
        let adjoint = if active == 0 { NONE } else { list(adjoints) };
        Column { kind: Kind::Listed, value, adjoint }
    }
}

/// Whether slots are one and the same, or a row.
fn kind_of(slots: &[u32]) -> Option<Kind> {
    let pairs = || slots.windows(2);
    if pairs().all(|pair| pair[0] == pair[1]) {
        Some(Kind::Same)
    } else {
        pairs().all(|pair| pair[0].wrapping_add(1) == pair[1]).then_some(Kind::Run)
    }
}

/// The shape of a step; factors change places where that makes it a better one.
fn shape_of(op: Op, count: u32, columns: &mut [Column]) -> Shape {
    if count == 1 && columns.iter().all(|column| column.kind == Kind::Same) {
        return Shape::Single;
    }
    if op != Op::Dot {
        let all_runs = columns.iter().all(|column| column.kind == Kind::Run);
        return if all_runs { Shape::Runs } else { Shape::Mixed };
    }
    let leading = columns.len() % 2;
    let pairs = &mut columns[leading..];
    for pair in pairs.chunks_exact_mut(2) {
        if (pair[0].kind, pair[1].kind) == (Kind::Run, Kind::Same) {
            pair.swap(0, 1);
        }
    }
    let all =
        |kinds: [Kind; 2]| pairs.chunks_exact(2).all(|pair| [pair[0].kind, pair[1].kind] == kinds);
    if all([Kind::Same, Kind::Run]) {
        Shape::SameByRun
    } else if all([Kind::Run, Kind::Run]) {
        Shape::Runs
    } else {
        Shape::Mixed
    }
}

/// The columns of an operation on many operands that lie in a row: the row as one column. A dot product has two, and a
/// third before them if there is something that it is added to.
fn spans(op: Op, columns: &[Column]) -> Option<SmallVec<[Column; 3]>> {
    const WORTHWHILE: usize = 4;
    let per_item = if op == Op::Dot { 2 } else { 1 };
    if !matches!(op, Op::Sum | Op::Dot | Op::Largest | Op::Norm)
        || columns.len() < WORTHWHILE * per_item
    {
        return None;
    }
    let (start, items) = columns.split_at(columns.len() % per_item);
    let mut spans = SmallVec::from_slice(start);
    for part in 0..per_item {
        let part = || items.iter().skip(part).step_by(per_item);
        let values: Vec<u32> = part().map(|column| column.value).collect();
        let adjoints: Vec<u32> = part().map(|column| column.adjoint).collect();
        let first = part().next()?;
        let kind = kind_of(&values)?;
        if first.adjoint == NONE {
            adjoints.iter().all(|&adjoint| adjoint == NONE).then_some(())?;
        } else if kind_of(&adjoints) != Some(kind) {
            return None;
        }
        spans.push(Column { kind, ..*first });
    }
    Some(spans)
}

fn too_large(what: &'static str, size: usize) -> Result<u32, Error> {
    let fits = u32::try_from(size).ok().filter(|&size| size < NONE - 1);
    fits.ok_or(Error::TooLarge { what, size })
}

/// The constants' slots. Those of a column that differ lie in a row; equal rows are one.
#[derive(Default)]
struct Constants {
    first: u32,
    values: Vec<f64>,
    singles: FxHashMap<u64, u32>,
    rows: FxHashMap<Vec<u64>, u32>,
}

impl Constants {
    fn end(&self) -> u32 {
        self.first + self.values.len() as u32
    }

    /// The bits of a column that consists of constants.
    fn bits(graph: &Graph, members: &[Id], position: usize) -> Option<Vec<u64>> {
        let bits =
            |&member: &Id| graph.constant_value(graph.operands(member)[position]).map(f64::to_bits);
        bits(&members[0])?;
        members.iter().map(bits).collect()
    }

    fn note_column(&mut self, graph: &Graph, members: &[Id], position: usize) {
        if let &[member] = members {
            return self.note_single(graph, graph.operands(member)[position]);
        }
        match Self::bits(graph, members, position) {
            Some(bits) if bits.iter().any(|&other| other != bits[0]) => {
                let end = self.end();
                if let Entry::Vacant(vacant) = self.rows.entry(bits) {
                    self.values.extend(vacant.key().iter().map(|&bits| f64::from_bits(bits)));
                    vacant.insert(end);
                }
            }
            _ => {
                for &member in members {
                    self.note_single(graph, graph.operands(member)[position]);
                }
            }
        }
    }

    fn note_single(&mut self, graph: &Graph, id: Id) {
        if let Some(value) = graph.constant_value(id) {
            let end = self.end();
            if let Entry::Vacant(vacant) = self.singles.entry(value.to_bits()) {
                vacant.insert(end);
                self.values.push(value);
            }
        }
    }

    fn single(&self, value: f64) -> u32 {
        self.singles.get(&value.to_bits()).copied().unwrap_or(NONE)
    }

    /// Kind and first slot of a column of constants.
    fn column(&self, graph: &Graph, members: &[Id], position: usize) -> Option<(Kind, u32)> {
        let bits = Self::bits(graph, members, position)?;
        if bits.iter().all(|&other| other == bits[0]) {
            Some((Kind::Same, self.single(f64::from_bits(bits[0]))))
        } else {
            self.rows.get(&bits).map(|&row| (Kind::Run, row))
        }
    }
}
