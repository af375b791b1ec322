//! The code of groups: their steps on slots.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::Error;
use crate::guard::Comparison;
use crate::op::Op;
use crate::program::code::assign_slots::{Life, assign_adjoints, assign_values};
use crate::program::code::births::find_births;
use crate::program::code::constants::Constants;
use crate::program::code::groups::Groups;
use crate::program::code::links::{LinkWriter, Operand, takes_at_hand};
use crate::program::code::schedule::{Reads, reads};
use crate::program::code::{
    Call, Code, Column, Kind, NONE, Output, Run, SPAN, Shape, Single, Step,
};
use crate::program::graph::{Graph, Id, Node};

/// Writes the code of groups in order.
///
/// The [`sole_users`](super::schedule) are for links, which code whose functions are not scalar has not.
pub(super) fn emit(
    graph: &Graph,
    active: &[bool],
    groups: &Groups,
    sole_users: Option<Vec<u32>>,
) -> Result<Code, Error> {
    Emitter::new(graph, active, groups, sole_users)?.emit()
}

struct Emitter<'a> {
    graph: &'a Graph,
    active: &'a [bool],
    groups: &'a Groups,
    /// The members of every step: a group, and the first and the end of a range of its members.
    steps: Vec<[u32; 3]>,
    constants: Constants,
    /// The slots of every node's value and adjoint (constants aside).
    values: Vec<u32>,
    adjoints: Vec<u32>,
    /// Of every node, the one operation that uses it; where links are wanted.
    sole_users: Option<Vec<u32>>,
    links: LinkWriter,
    /// The node whose step was written last, if that was a step of one instance.
    before: Option<Id>,
    code: Code,
}

impl<'a> Emitter<'a> {
    fn new(
        graph: &'a Graph,
        active: &'a [bool],
        groups: &'a Groups,
        sole_users: Option<Vec<u32>>,
    ) -> Result<Self, Error> {
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
        let mut constants = Constants::from(inputs);
        let offsets = groups.offsets();
        let mut steps = Vec::with_capacity(groups.len());
        for group in 0..groups.len() {
            let members = groups.members(group);
            if graph.call(members[0]).is_some() {
                for &operand in graph.operands(members[0]) {
                    constants.note_single(graph, operand);
                }
                steps.push([group as u32, 0, members.len() as u32]);
                continue;
            }
            if groups.are_a_step_each(members) {
                for (first, &member) in members.iter().enumerate() {
                    for &operand in graph.operands(member) {
                        // Of most constants it is known at a glance that they have been noted.
                        let slot = &mut values[operand.index()];
                        if let (NONE, Some(value)) = (*slot, graph.constant_value(operand)) {
                            *slot = constants.note(value);
                        }
                    }
                    steps.push([group as u32, first as u32, first as u32 + 1]);
                }
                continue;
            }
            for segment in groups.segments(graph, &offsets, group) {
                let width = if segment.len() < groups.fewest { 1 } else { segment.len() };
                for first in segment.step_by(width) {
                    let end = first + width;
                    for position in 0..graph.operands(members[first]).len() {
                        constants.note_column(graph, &members[first..end], position);
                    }
                    steps.push([group as u32, first as u32, end as u32]);
                }
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            constants.note_single(graph, id);
        }
        let code = Code { inputs: inputs as usize, ..Code::default() };
        let (before, links) = (None, LinkWriter::default());
        Ok(Self {
            graph,
            active,
            groups,
            steps,
            constants,
            values,
            adjoints,
            sole_users,
            links,
            before,
            code,
        })
    }

    fn emit(mut self) -> Result<Code, Error> {
        self.assign_slots()?;
        let (graph, groups) = (self.graph, self.groups);
        let steps = core::mem::take(&mut self.steps);
        let arity = |[group, first, _]: &[u32; 3]| {
            graph.operands(groups.members(*group as usize)[*first as usize]).len()
        };
        self.code.columns.reserve_exact(steps.iter().map(arity).sum());
        let is_one = |step: &&[u32; 3]| step[2] - step[1] == 1;
        let singles = steps.iter().filter(is_one).count();
        self.code.singles.reserve_exact(singles);
        if self.sole_users.is_some() {
            self.links.reserve(singles);
        }
        for [group, first, end] in steps {
            self.push_step(&groups.members(group as usize)[first as usize..end as usize]);
        }
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
        self.code.links = self.links.finish(self.code.values, self.code.adjoints);
        find_births(&mut self.code, groups.rows.map_or(1, |rows| rows.count as usize));
        Ok(self.code)
    }

    /// How many instances these members stand for.
    fn width(&self, members: &[Id]) -> u32 {
        self.groups.rows.map_or(members.len() as u32, |rows| rows.count)
    }

    /// How many slots the results of a group take.
    fn slots(&self, members: &[Id]) -> u32 {
        if self.graph.call(members[0]).is_none() {
            return self.width(members);
        }
        self.groups.rows.map_or(1, |rows| rows.count) * (members.len() as u32 - 1)
    }

    fn assign_slots(&mut self) -> Result<(), Error> {
        let (graph, groups) = (self.graph, self.groups);
        let count = groups.len();
        too_large("groups", count)?;
        let mut lives: Vec<Life> = Vec::with_capacity(count);
        let mut adjoint_lives: Vec<Option<Life>> = Vec::with_capacity(count);
        for group in 0..count {
            let members = groups.members(group);
            let width = self.slots(members);
            let mut life = Life { width, last_use: group as u32, is_kept: false };
            let is_active = members.iter().any(|member| self.active[member.index()]);
            let reads = graph.op(members[0]).map_or(Reads { operands: true, result: true }, reads);
            adjoint_lives.push(is_active.then_some(life));
            life.is_kept = is_active && reads.result;
            lives.push(life);
            for &member in members {
                for (position, &operand) in graph.operands(member).iter().enumerate() {
                    let Some(from) = groups.group_of(operand) else { continue };
                    let life = &mut lives[from];
                    life.last_use = group as u32;
                    if !is_active {
                        continue;
                    }
                    life.is_kept |=
                        reads.operands && !life.is_kept && !self.is_scaled(member, position);
                    if let Some(life) = &mut adjoint_lives[from] {
                        life.last_use = group as u32;
                    }
                }
            }
        }
        let by_guards = graph.guards.iter().flat_map(|guard| guard.operands);
        for id in graph.outputs.iter().copied().chain(by_guards) {
            if let Some(group) = groups.group_of(id) {
                lives[group].is_kept = true;
            }
        }
        for &id in &graph.outputs {
            if let Some(group) = groups.group_of(id)
                && let Some(life) = &mut adjoint_lives[group]
            {
                life.last_use = count as u32;
            }
        }
        let (values, value_count) = assign_values(self.constants.end(), &lives);
        drop(lives);
        let (adjoints, adjoint_count) = assign_adjoints(self.code.inputs as u32, &adjoint_lives);
        drop(adjoint_lives);
        too_large("slots", value_count as usize)?;
        too_large("slots", adjoint_count as usize)?;
        let per_member = groups.rows.map_or(1, |rows| rows.count as usize);
        for group in 0..count {
            let members = groups.members(group);
            // A call has no slot, its results have.
            let before = usize::from(graph.call(members[0]).is_some());
            for (place, member) in members.iter().enumerate() {
                let offset = place.saturating_sub(before) * per_member;
                self.values[member.index()] = values[group] + offset as u32;
                let adjoint = adjoints[group];
                self.adjoints[member.index()] =
                    if adjoint == NONE { NONE } else { adjoint + offset as u32 };
            }
        }
        for id in graph.ids() {
            let slot = &mut self.values[id.index()];
            if let (NONE, Some(value)) = (*slot, graph.constant_value(id)) {
                *slot = self.constants.single(value);
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

    /// The slot of a node's value; of a constant, that of a constant by itself, or [`NONE`] where it has only a place in a row.
    fn value_slot(&self, id: Id) -> u32 {
        self.values[id.index()]
    }

    /// The slot of a node's adjoint, or [`NONE`].
    #[inline]
    fn adjoint_slot(&self, id: Id) -> u32 {
        if self.active[id.index()] { self.adjoints[id.index()] } else { NONE }
    }

    fn push_step(&mut self, members: &[Id]) {
        let Some(op) = self.graph.op(members[0]) else { return self.push_call(members) };
        let first = self.code.columns.len();
        let operands = self.graph.operands(members[0]);
        let arity = operands.len();
        if members.len() == 1 && self.groups.rows.is_none() {
            for &id in operands {
                let (value, adjoint) = (self.value_slot(id), self.adjoint_slot(id));
                self.code.columns.push(Column::new(Kind::Same, value, adjoint));
            }
        } else {
            for position in 0..arity {
                let column = self.column(members, position);
                self.code.columns.push(column);
            }
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
        let value = self.values[members[0].index()];
        let adjoint = if is_active { self.adjoints[members[0].index()] } else { NONE };
        let (first, arity) = (first as u32, arity as u32);
        if shape == Shape::Single {
            let single = Single { op, arity, value, adjoint, first };
            self.push_single(single, members[0]);
        } else {
            self.push_wide(Step { op, shape, count, value, adjoint, first, arity, clears: true });
        }
    }

    /// A call and its results.
    fn push_call(&mut self, members: &[Id]) {
        let Some(call) = self.graph.call(members[0]) else { return };
        let first = self.code.columns.len() as u32;
        for position in 0..call.inputs {
            let id = self.graph.operands(members[0])[position];
            let is_row = self.groups.rows.is_some_and(|rows| self.is_row(id, rows.shared));
            let kind = if is_row { Kind::Run } else { Kind::Same };
            self.code.columns.push(Column::new(kind, self.value_slot(id), self.adjoint_slot(id)));
        }
        let is_active = members.iter().any(|member| self.active[member.index()]);
        let place = self.code.calls.len();
        self.code.calls.push(Call {
            operation: Arc::clone(&call.operation),
            count: self.groups.rows.map_or(1, |rows| rows.count),
            value: self.values[members[0].index()],
            adjoint: if is_active { self.adjoints[members[0].index()] } else { NONE },
            outputs: call.outputs as u32,
            first,
            inputs: call.inputs as u32,
        });
        self.code.runs.push(Run::Call(place));
        self.before = None;
    }

    /// Of a batch, whether a node's number is another in each row.
    fn is_row(&self, id: Id, shared: usize) -> bool {
        match self.graph.node(id) {
            Node::Input(position) => position as usize >= shared,
            Node::Constant(_) => false,
            Node::Operation { .. } | Node::Call { .. } | Node::Result { .. } => true,
        }
    }

    fn push_wide(&mut self, step: Step) {
        let code = &mut self.code;
        let place = code.steps.len();
        code.steps.push(step);
        match code.runs.last_mut() {
            Some(Run::Steps(run)) => run.end += 1,
            _ => code.runs.push(Run::Steps(place..place + 1)),
        }
        self.before = None;
    }

    fn push_single(&mut self, single: Single, member: Id) {
        let place = self.code.singles.len();
        self.code.singles.push(single);
        if !matches!(self.code.runs.last(), Some(Run::Singles { .. })) {
            let links = self.sole_users.is_some().then(|| self.links.place());
            self.code.runs.push(Run::Singles { singles: place..place, links });
        }
        let operands =
            self.sole_users.as_ref().map(|users| self.operands_at_hand(single.op, member, users));
        if let Some(Run::Singles { singles, links }) = self.code.runs.last_mut() {
            singles.end += 1;
            if let (Some(links), Some(operands)) = (links, operands) {
                self.links.push(&single, &operands, links);
            }
        }
        self.before = Some(member);
    }

    /// The operands of a step of one instance.
    fn operands_at_hand(&self, op: Op, member: Id, sole_users: &[u32]) -> SmallVec<[Operand; 4]> {
        let operands = self.graph.operands(member);
        let is_active = self.active[member.index()];
        // What the step before computed, if this one can take it from there.
        let at_hand = self.before.filter(|before| {
            let mut positions = (0..operands.len()).filter(|&at| operands[at] == *before);
            let takes = |position| takes_at_hand(op, operands.len(), position);
            let is_taken = positions.next().is_some_and(takes)
                && (positions.next().is_none() || op == Op::Mul);
            is_taken
                && self.active[before.index()] == is_active
                && (!is_active || sole_users[before.index()] == member.0)
        });
        let operand = |&id: &Id| Operand {
            value: self.value_slot(id),
            adjoint: self.adjoint_slot(id),
            constant: self.graph.constant_value(id),
            is_at_hand: at_hand == Some(id),
        };
        operands.iter().map(operand).collect()
    }

    /// The operands at this position of all members, of which there are several, or many rows.
    fn column(&mut self, members: &[Id], position: usize) -> Column {
        let graph = self.graph;
        let operand = |member: Id| graph.operands(member)[position];
        if let Some(rows) = self.groups.rows {
            let id = operand(members[0]);
            let is_row = self.is_row(id, rows.shared);
            let adjoint = self.adjoint_slot(id);
            let kind = if is_row { Kind::Run } else { Kind::Same };
            return Column::new(kind, self.value_slot(id), adjoint);
        }
        if let Some((kind, value)) = self.constants.column(graph, members, position) {
            return Column::new(kind, value, NONE);
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
        let of_adjoints = if active == 0 { None } else { kind_of(adjoints.iter().copied()) };
        let kind = match (kind_of(values.iter().copied()), of_adjoints) {
            (Some(kind), _) if active == 0 => Some(kind),
            (a, b) if a == b => a,
            _ => None,
        };
        if let Some(kind) = kind {
            return Column::new(kind, values[0], if active == 0 { NONE } else { adjoints[0] });
        }
        let mut list = |slots: Vec<u32>| {
            let start = self.code.listed.len() as u32;
            self.code.listed.extend(slots);
            start
        };
        let value = list(values);
        let adjoint = if active == 0 { NONE } else { list(adjoints) };
        Column::new(Kind::Listed, value, adjoint)
    }
}

/// Whether slots are one and the same, or a row.
#[allow(clippy::needless_pass_by_value, reason = "an iterator")]
fn kind_of(slots: impl Iterator<Item = u32> + Clone) -> Option<Kind> {
    let pairs = || slots.clone().zip(slots.clone().skip(1));
    if pairs().all(|(a, b)| a == b) {
        Some(Kind::Same)
    } else {
        pairs().all(|(a, b)| a.wrapping_add(1) == b).then_some(Kind::Run)
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
    let per_item = if op == Op::Dot { 2 } else { 1 };
    if !matches!(op, Op::Sum | Op::Dot | Op::Largest | Op::Norm) || columns.len() < SPAN * per_item
    {
        return None;
    }
    let (start, items) = columns.split_at(columns.len() % per_item);
    let mut spans = SmallVec::from_slice(start);
    for part in 0..per_item {
        let part = || items.iter().skip(part).step_by(per_item);
        let mut adjoints = part().map(|column| column.adjoint);
        let first = part().next()?;
        let kind = kind_of(part().map(|column| column.value))?;
        if first.adjoint == NONE {
            adjoints.all(|adjoint| adjoint == NONE).then_some(())?;
        } else if kind_of(adjoints) != Some(kind) {
            return None;
        }
        spans.push(Column { kind, ..*first });
    }
    Some(spans)
}

pub(super) fn too_large(what: &'static str, size: usize) -> Result<u32, Error> {
    let fits = u32::try_from(size).ok().filter(|&size| size < NONE - 1);
    fits.ok_or(Error::TooLarge { what, size })
}
