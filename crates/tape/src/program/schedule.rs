//! From a graph to code: instances of one operation are found that can be computed in one step, steps are ordered, and
//! slots given to their results.
//!
//! Two nodes have the same *form* when they compute the same expression of the same inputs, up to the values of
//! constants: the terms of a sum over data do. Nodes of a form that is frequent make one step, whose operands then lie
//! side by side as well. What is left is grouped by operation and *depth*, the length of the longest path from an
//! input. Neither can depend on another node of its group.

use core::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use indexmap::{IndexMap, IndexSet};
use smallvec::SmallVec;

use crate::error::Error;
use crate::op::Op;
use crate::program::assign_slots::{Life, assign_adjoints, assign_values};
use crate::program::code::{Code, Column, Kind, NONE, Output, Shape, Step};
use crate::program::graph::{Graph, Id, Node};

/// The code of a graph. Inputs that `wanted` does not pick get no adjoints.
///
/// # Errors
/// When 32-bit slots do not suffice.
pub(crate) fn schedule(graph: &Graph, wanted: impl Fn(usize) -> bool) -> Result<Code, Error> {
    let reaching = graph.needed_by(graph.outputs.iter().copied());
    let mut active = graph.depending_on(wanted);
    for (active, reaching) in active.iter_mut().zip(reaching) {
        *active &= reaching;
    }
    let steps = order(graph, &groups(graph, &active));
    let step_of = step_of(graph, &steps);
    emit(graph, &active, &Steps { members: steps, step_of, rows: None })
}

/// Nodes of a frequent form, at least this many, are a step.
const FREQUENT: usize = 8;

/// What two nodes of the same form agree in.
#[derive(PartialEq, Eq, Hash)]
enum Form {
    Input(u32),
    Constant,
    Operation { op: Op, exponent: u64, active: bool, operands: SmallVec<[u32; 3]> },
}

/// What the other nodes are grouped by.
#[derive(PartialEq, Eq, Hash)]
struct Likeness {
    op: Op,
    arity: usize,
    exponent: u64,
    depth: u32,
    active: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Form(u32),
    Likeness(Likeness),
}

/// The operations of the graph, in groups whose members do not depend on each other.
fn groups(graph: &Graph, active: &[bool]) -> Vec<Vec<Id>> {
    let mut forms: IndexSet<Form> = IndexSet::new();
    let mut frequency: Vec<usize> = Vec::new();
    let mut form_of: Vec<u32> = Vec::with_capacity(graph.len());
    let mut depth: Vec<u32> = Vec::with_capacity(graph.len());
    for id in graph.ids() {
        let operands = graph.operands(id);
        let form = match graph.node(id) {
            Node::Input(position) => Form::Input(position),
            Node::Constant(_) => Form::Constant,
            Node::Operation { op, .. } => Form::Operation {
                op,
                exponent: exponent(graph, id),
                active: active[id.index()],
                operands: operands.iter().map(|operand| form_of[operand.index()]).collect(),
            },
        };
        let (form, is_fresh) = forms.insert_full(form);
        if is_fresh {
            frequency.push(0);
        }
        frequency[form] += 1;
        form_of.push(form as u32);
        let deepest = operands.iter().map(|operand| depth[operand.index()]).max();
        depth.push(deepest.map_or(0, |deepest| deepest + 1));
    }
    let mut groups: IndexMap<Key, Vec<Id>> = IndexMap::new();
    for id in graph.ids() {
        let Some(op) = graph.op(id) else { continue };
        let form = form_of[id.index()];
        let key = if frequency[form as usize] >= FREQUENT {
            Key::Form(form)
        } else {
            Key::Likeness(Likeness {
                op,
                arity: graph.operands(id).len(),
                exponent: exponent(graph, id),
                depth: depth[id.index()],
                active: active[id.index()],
            })
        };
        groups.entry(key).or_default().push(id);
    }
    groups.into_values().collect()
}

/// The bits of an integer argument, which all instances of a step share; 0 where there is none.
fn exponent(graph: &Graph, id: Id) -> u64 {
    let integer = graph.op(id).filter(|op| op.takes_integer());
    integer.and_then(|_| graph.constant_value(graph.operands(id)[1])).map_or(0, f64::to_bits)
}

/// The groups in an order in which they can be computed: of those that can, the one that was recorded first.
fn order(graph: &Graph, groups: &[Vec<Id>]) -> Vec<Vec<Id>> {
    let group_of = step_of(graph, groups);
    let mut users: Vec<Vec<u32>> = vec![Vec::new(); groups.len()];
    let mut waiting = vec![0_usize; groups.len()];
    for (group, members) in groups.iter().enumerate() {
        for operand in members.iter().flat_map(|&member| graph.operands(member)) {
            if let Some(from) = group_of[operand.index()] {
                let users = &mut users[from as usize];
                if users.last() != Some(&(group as u32)) {
                    users.push(group as u32);
                    waiting[group] += 1;
                }
            }
        }
    }
    let place = |group: usize| Reverse((groups[group][0], group));
    let mut ready: BinaryHeap<Reverse<(Id, usize)>> =
        (0..groups.len()).filter(|&group| waiting[group] == 0).map(place).collect();
    let mut ordered = Vec::with_capacity(groups.len());
    while let Some(Reverse((_, group))) = ready.pop() {
        for &user in &users[group] {
            waiting[user as usize] -= 1;
            if waiting[user as usize] == 0 {
                ready.push(place(user as usize));
            }
        }
        ordered.push(groups[group].clone());
    }
    debug_assert_eq!(ordered.len(), groups.len(), "groups depend on each other in a circle");
    ordered
}

/// Which step computes a node; none computes inputs and constants.
fn step_of(graph: &Graph, steps: &[Vec<Id>]) -> Vec<Option<u32>> {
    let mut step_of = vec![None; graph.len()];
    for (step, members) in steps.iter().enumerate() {
        for member in members {
            step_of[member.index()] = Some(step as u32);
        }
    }
    step_of
}

/// The steps of a code to be: their members, in order.
pub(crate) struct Steps {
    pub(crate) members: Vec<Vec<Id>>,
    pub(crate) step_of: Vec<Option<u32>>,
    /// In a batch: each step has one member, computed for this many rows; and the inputs that are rows.
    pub(crate) rows: Option<Rows>,
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
        Op::Neg | Op::Add | Op::Sub | Op::Sum | Op::Largest => (false, false),
        Op::Signum | Op::Floor | Op::Ceil | Op::Round | Op::Trunc => (false, false),
        Op::Mul | Op::Dot | Op::Select => (true, false),
        Op::Exp
        | Op::Exp2
        | Op::Tan
        | Op::Tanh
        | Op::Sqrt
        | Op::Cbrt
        | Op::Recip
        | Op::Sigmoid
        | Op::Weight => (false, true),
        _ => (true, true),
    };
    Reads { operands, result }
}

/// Writes the code of steps in order.
pub(crate) fn emit(graph: &Graph, active: &[bool], steps: &Steps) -> Result<Code, Error> {
    Emitter::new(graph, active, steps)?.emit()
}

struct Emitter<'a> {
    graph: &'a Graph,
    active: &'a [bool],
    steps: &'a Steps,
    constants: Constants,
    /// The slots of every node's value and adjoint (constants aside).
    values: Vec<u32>,
    adjoints: Vec<u32>,
    code: Code,
}

impl<'a> Emitter<'a> {
    fn new(graph: &'a Graph, active: &'a [bool], steps: &'a Steps) -> Result<Self, Error> {
        let width_of_inputs = |position: usize| match steps.rows {
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
        for members in &steps.members {
            for position in 0..graph.operands(members[0]).len() {
                constants.note_column(graph, members, position);
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            constants.note_single(graph, id);
        }
        let code = Code { inputs: inputs as usize, ..Code::default() };
        Ok(Self { graph, active, steps, constants, values, adjoints, code })
    }

    fn emit(mut self) -> Result<Code, Error> {
        self.assign_slots()?;
        for (step, members) in self.steps.members.iter().enumerate() {
            self.push_step(step, members);
        }
        let graph = self.graph;
        let output = |id: &Id| Output {
            value: self.value_slot(*id),
            adjoint: if self.active[id.index()] { self.adjoints[id.index()] } else { NONE },
        };
        self.code.outputs = graph.outputs.iter().map(output).collect();
        self.code.guards =
            graph.guards.iter().map(|guard| guard.map(|id| self.value_slot(id))).collect();
        self.code.constants = self.constants.values;
        Ok(self.code)
    }

    fn width(&self, step: usize) -> u32 {
        self.steps.rows.map_or(self.steps.members[step].len() as u32, |rows| rows.count)
    }

    fn assign_slots(&mut self) -> Result<(), Error> {
        let graph = self.graph;
        let count = self.steps.members.len();
        let mut lives: Vec<Life> = (0..count)
            .map(|step| Life { width: self.width(step), last_use: step, is_kept: false })
            .collect();
        let mut adjoint_lives: Vec<Option<Life>> = vec![None; count];
        for (step, members) in self.steps.members.iter().enumerate() {
            let is_active = members.iter().any(|member| self.active[member.index()]);
            let reads = graph.op(members[0]).map_or(Reads { operands: true, result: true }, reads);
            if is_active {
                adjoint_lives[step] = Some(lives[step]);
                lives[step].is_kept |= reads.result;
            }
            for operand in members.iter().flat_map(|&member| graph.operands(member)) {
                if let Some(from) = self.steps.step_of[operand.index()] {
                    let from = from as usize;
                    lives[from].last_use = lives[from].last_use.max(step);
                    lives[from].is_kept |= is_active && reads.operands;
                    if let (true, Some(life)) = (is_active, &mut adjoint_lives[from]) {
                        life.last_use = life.last_use.max(step);
                    }
                }
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            if let Some(step) = self.steps.step_of[id.index()] {
                lives[step as usize].is_kept = true;
            }
        }
        for id in &graph.outputs {
            if let Some(step) = self.steps.step_of[id.index()] {
                if let Some(life) = &mut adjoint_lives[step as usize] {
                    life.last_use = count;
                }
            }
        }
        let (values, value_count) = assign_values(self.constants.end(), &lives);
        let (adjoints, adjoint_count) = assign_adjoints(self.code.inputs as u32, &adjoint_lives);
        too_large("slots", value_count as usize)?;
        too_large("slots", adjoint_count as usize)?;
        for (step, members) in self.steps.members.iter().enumerate() {
            for (offset, member) in members.iter().enumerate() {
                self.values[member.index()] = values[step] + offset as u32;
                self.adjoints[member.index()] =
                    adjoints[step].map_or(NONE, |slot| slot + offset as u32);
            }
        }
        self.code.values = value_count as usize;
        // And the sink.
        self.code.adjoints = adjoint_count as usize + 1;
        Ok(())
    }

    /// The slot of a node's value; of a constant, that of a constant by itself.
    fn value_slot(&self, id: Id) -> u32 {
        match self.graph.constant_value(id) {
            Some(value) => self.constants.single(value),
            None => self.values[id.index()],
        }
    }

    fn push_step(&mut self, step: usize, members: &[Id]) {
        let Some(op) = self.graph.op(members[0]) else { return };
        let first = self.code.columns.len();
        let arity = self.graph.operands(members[0]).len();
        for position in 0..arity {
            let column = self.column(members, position);
            self.code.columns.push(column);
        }
        let count = self.width(step);
        let columns = &mut self.code.columns[first..];
        let shape = shape_of(op, count, columns);
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
        if let Some(rows) = self.steps.rows {
            let id = operand(members[0]);
            let is_row = match graph.node(id) {
                Node::Input(position) => position as usize >= rows.shared,
                Node::Constant(_) => false,
                Node::Operation { .. } => true,
            };
            let adjoint = if self.active[id.index()] { self.adjoints[id.index()] } else { NONE };
            let kind = if is_row { Kind::Run } else { Kind::Same };
            return Column { kind, value: self.value_slot(id), adjoint };
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

fn too_large(what: &'static str, size: usize) -> Result<u32, Error> {
    let fits = u32::try_from(size).ok().filter(|&size| size < NONE - 1);
    fits.ok_or(Error::TooLarge { what, size })
}

/// The constants' slots. Those of a column that differ lie in a row; equal rows are one.
#[derive(Default)]
struct Constants {
    first: u32,
    values: Vec<f64>,
    singles: HashMap<u64, u32>,
    rows: HashMap<Vec<u64>, u32>,
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
        match Self::bits(graph, members, position) {
            Some(bits) if bits.iter().any(|&other| other != bits[0]) => {
                let end = self.end();
                if let std::collections::hash_map::Entry::Vacant(vacant) = self.rows.entry(bits) {
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
            if let std::collections::hash_map::Entry::Vacant(vacant) =
                self.singles.entry(value.to_bits())
            {
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
