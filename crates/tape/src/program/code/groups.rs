//! Which operations are computed in one step.
//!
//! Two nodes have the same *form* when they compute the same expression of the same inputs, up to the values of
//! constants: the terms of a sum over data do. A node joins the first group of its form, where that form is frequent,
//! or of its operation on operands of the same kind, that comes after the groups of all its operands; if there is none,
//! it begins a new one. So the loops of a function become groups, whichever way they were nested, in the order in which their
//! first nodes were recorded. A group's results lie in a row of slots. Where its operands lie in rows too, a group is a step;
//! otherwise it falls into as few steps as it takes for them to be rows (the first element of a loop is often a special
//! case).

use core::ops::Range;

use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

use crate::program::code::NONE;
use crate::program::graph::number_values::{Key, Table, mix};
use crate::program::graph::{Graph, Id, Node};

/// So few instances are a step each.
const FEW: usize = 8;

/// Nodes of a frequent form, at least this many, are a group.
const FREQUENT: u32 = 8;

/// The groups of a code to be, whose members do not depend on each other.
pub(super) struct Groups {
    /// The operations, group by group, in each in their order.
    members: Vec<Id>,
    /// Where each group's members begin, and where the last one's end.
    starts: Vec<u32>,
    /// The group of every node, or [`NONE`].
    group_of: Vec<u32>,
    /// In a batch: each group has one member, computed for this many rows; and the inputs that are rows.
    pub(super) rows: Option<Rows>,
    /// Fewer instances than this are a step each.
    pub(super) fewest: usize,
}

/// How the rows of a batch are laid out.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) count: u32,
    /// The number of inputs before the first one that is a row; all after it are.
    pub(super) shared: usize,
}

impl Groups {
    /// Every operation by itself, computed for so many rows.
    pub(super) fn of_one_each(graph: &Graph, rows: Rows) -> Self {
        let mut group_of = vec![NONE; graph.len()];
        let members: Vec<Id> = graph.ids().filter(|&id| graph.op(id).is_some()).collect();
        for (group, member) in members.iter().enumerate() {
            group_of[member.index()] = group as u32;
        }
        let starts = (0..=members.len() as u32).collect();
        Self { members, starts, group_of, rows: Some(rows), fewest: 1 }
    }

    /// Operations that are alike and independent of each other.
    pub(super) fn of_like_operations(graph: &Graph, active: &[bool]) -> Self {
        let (group_of, sizes) = grouped(graph, active);
        // A counting sort.
        let mut starts = Vec::with_capacity(sizes.len() + 1);
        let mut end = 0;
        for size in sizes {
            starts.push(end);
            end += size;
        }
        starts.push(end);
        let mut members = vec![Id(0); end as usize];
        let mut next = starts.clone();
        for id in graph.ids() {
            let group = group_of[id.index()];
            if group != NONE {
                members[next[group as usize] as usize] = id;
                next[group as usize] += 1;
            }
        }
        Self { members, starts, group_of, rows: None, fewest: FEW }
    }

    /// The same, but groups that are too small for a step fall apart, and of their members each is followed by the operation that
    /// uses it, where nothing else does and nothing else is missing: so a machine with an accumulator has much at hand.
    pub(super) fn in_chains(self, graph: &Graph, sole_users: &[u32]) -> Self {
        let mut chains = Self {
            members: Vec::with_capacity(self.members.len()),
            starts: Vec::with_capacity(self.starts.len()),
            group_of: vec![NONE; self.group_of.len()],
            ..self
        };
        let spanned = self.spanned(graph);
        let falls_apart = |group: usize| {
            let members = self.members(group);
            members.len() < FEW && !spanned.contains(&(group as u32))
        };
        for group in 0..self.len() {
            if !falls_apart(group) {
                chains.push(self.members(group));
                continue;
            }
            for &member in self.members(group) {
                let mut next = Some(member);
                while let Some(id) = next.filter(|&id| !chains.has(id)) {
                    chains.push(&[id]);
                    let user = sole_users[id.index()];
                    let is_ready = |user: &Id| {
                        let is_there = |&id: &Id| graph.op(id).is_none() || chains.has(id);
                        self.group_of(*user).is_some_and(falls_apart)
                            && graph.operands(*user).iter().all(is_there)
                    };
                    next = (user != NONE).then_some(Id(user)).filter(is_ready);
                }
            }
        }
        chains.starts.push(chains.members.len() as u32);
        chains
    }

    /// Appends a group, whose end is not yet among the starts.
    fn push(&mut self, members: &[Id]) {
        let group = self.starts.len() as u32;
        self.starts.push(self.members.len() as u32);
        self.members.extend(members);
        for member in members {
            self.group_of[member.index()] = group;
        }
    }

    fn has(&self, id: Id) -> bool {
        self.group_of[id.index()] != NONE
    }

    /// The groups too small for a step whose results, being a row, are the operands of one operation.
    fn spanned(&self, graph: &Graph) -> FxHashSet<u32> {
        const WORTHWHILE: usize = 4;
        let mut spanned = FxHashSet::default();
        for id in graph.ids() {
            let operands = graph.operands(id);
            if operands.len() < WORTHWHILE {
                continue;
            }
            for operand in operands {
                if let Some(group) = self.group_of(*operand)
                    && (WORTHWHILE..FEW).contains(&self.members(group).len())
                {
                    spanned.insert(group as u32);
                }
            }
        }
        spanned
    }

    /// The same, however few instances a step has.
    pub(super) fn whole(self) -> Self {
        Self { fewest: 1, ..self }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn members(&self, group: usize) -> &[Id] {
        &self.members[self.starts[group] as usize..self.starts[group + 1] as usize]
    }

    /// The group of a node that is an operation.
    pub(super) fn group_of(&self, id: Id) -> Option<usize> {
        let group = self.group_of[id.index()];
        (group != NONE).then_some(group as usize)
    }

    /// The place of every node in its group; empty where no group is large enough for that to matter.
    pub(super) fn offsets(&self) -> Vec<u32> {
        if (0..self.len()).all(|group| self.members(group).len() < WORTHWHILE) {
            return Vec::new();
        }
        let mut offsets = vec![0; self.group_of.len()];
        for group in 0..self.len() {
            for (offset, member) in self.members(group).iter().enumerate() {
                offsets[member.index()] = offset as u32;
            }
        }
        offsets
    }

    fn place(&self, graph: &Graph, offsets: &[u32], id: Id) -> Place {
        match graph.node(id) {
            Node::Input(position) => Place::Among(NONE, position),
            Node::Constant(_) => Place::Constant,
            Node::Operation { .. } => Place::Among(self.group_of[id.index()], offsets[id.index()]),
        }
    }

    /// The ranges of a group's members whose operands lie in rows, and, between these, the others.
    pub(super) fn segments(
        &self,
        graph: &Graph,
        offsets: &[u32],
        group: usize,
    ) -> SmallVec<[Range<usize>; 1]> {
        let members = self.members(group);
        if members.len() < WORTHWHILE {
            return smallvec![0..members.len()];
        }
        let strides = |first: Id, second: Id| -> Option<SmallVec<[Stride; 4]>> {
            let operands = graph.operands(first).iter().zip(graph.operands(second));
            let place = |id: Id| self.place(graph, offsets, id);
            operands.map(|(&a, &b)| place(a).stride_to(place(b))).collect()
        };
        let mut segments = SmallVec::new();
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

/// A row that is shorter does not pay for a step of its own.
const WORTHWHILE: usize = 8;

/// Where an operand lies, before there are slots.
#[derive(Clone, Copy)]
enum Place {
    /// Anywhere: constants get their slots as they are needed.
    Constant,
    /// Among the inputs ([`NONE`]), or in a group, at this offset.
    Among(u32, u32),
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

/// The group of every node, or [`NONE`]; and how many members each has.
fn grouped(graph: &Graph, active: &[bool]) -> (Vec<u32>, Vec<u32>) {
    let list_of = lists(graph, active);
    // The groups of a list, in order.
    let mut groups_of: Vec<Vec<u32>> = Vec::new();
    let mut sizes: Vec<u32> = Vec::new();
    let mut group_of: Vec<u32> = vec![NONE; graph.len()];
    for id in graph.ids() {
        let list = list_of[id.index()];
        if list == NONE {
            continue;
        }
        let list = list as usize;
        if groups_of.len() <= list {
            groups_of.resize_with(list + 1, Vec::new);
        }
        let groups = &mut groups_of[list];
        let groups_before = graph.operands(id).iter().map(|operand| group_of[operand.index()]);
        let after = groups_before.filter(|&group| group != NONE).max();
        let is_before = |group: &u32| after.is_some_and(|after| *group <= after);
        // In code that goes on and on, none comes after: asked first, since it is asked most often.
        let found = match groups.last() {
            Some(last) if !is_before(last) => Some(groups[groups.partition_point(is_before)]),
            _ => None,
        };
        let group = found.unwrap_or_else(|| {
            groups.push(sizes.len() as u32);
            sizes.push(0);
            sizes.len() as u32 - 1
        });
        sizes[group as usize] += 1;
        group_of[id.index()] = group;
    }
    (group_of, sizes)
}

/// Of every operation, the number of the list that it looks for its group in: that of its form where that is frequent, or
/// of operations like it. [`NONE`] of other nodes.
fn lists(graph: &Graph, active: &[bool]) -> Vec<u32> {
    let form_of = forms(graph, active);
    let mut frequency = vec![0_u32; graph.len()];
    for &form in &form_of {
        frequency[form as usize] += 1;
    }
    // From here on, of a form the number of its list.
    let mut list_of = vec![NONE; graph.len()];
    let mut alike = Table::with_room(64);
    let mut count = 0;
    for id in graph.ids().filter(|&id| graph.op(id).is_some()) {
        let form = form_of[id.index()];
        let first = if frequency[form as usize] >= FREQUENT {
            form
        } else {
            let is_same = |other: u32| are_alike(graph, active, Id(other), id);
            let key = |id| Key { near: None, hash: hash_alike(graph, active, Id(id)) };
            alike.find_or_insert(key(id.0), id.0, is_same, key).unwrap_or(id.0)
        };
        if first == id.0 {
            list_of[first as usize] = count;
            count += 1;
        } else {
            list_of[id.index()] = list_of[first as usize];
        }
    }
    list_of
}

/// Of every node, the first one of the same form.
fn forms(graph: &Graph, active: &[bool]) -> Vec<u32> {
    let mut form_of: Vec<u32> = Vec::with_capacity(graph.len());
    let mut forms = Table::with_room(graph.len());
    let mut constant = None;
    for id in graph.ids() {
        let form = match graph.node(id) {
            Node::Input(_) => id.0,
            Node::Constant(_) => *constant.get_or_insert(id.0),
            Node::Operation { .. } => {
                let key = |id: u32| {
                    let start = hash_operation(graph, active, Id(id));
                    let forms = graph.operands(Id(id)).iter().map(|o| form_of[o.index()]);
                    let hash = forms.clone().fold(start, |hash, form| mix(hash, form.into()));
                    Key { near: forms.max(), hash }
                };
                let is_same = |other: u32| {
                    let operands = graph.operands(Id(other)).iter().zip(graph.operands(id));
                    are_of_one_operation(graph, active, Id(other), id)
                        && operands
                            .into_iter()
                            .all(|(a, b)| form_of[a.index()] == form_of[b.index()])
                };
                forms.find_or_insert(key(id.0), id.0, is_same, key).unwrap_or(id.0)
            }
        };
        form_of.push(form);
    }
    form_of
}

/// The bits of an integer argument, which all instances of a step share; 0 where there is none.
fn exponent(graph: &Graph, id: Id) -> u64 {
    let integer = graph.op(id).filter(|op| op.takes_integer());
    integer.and_then(|_| graph.constant_value(graph.operands(id)[1])).map_or(0, f64::to_bits)
}

fn hash_operation(graph: &Graph, active: &[bool], id: Id) -> u64 {
    let op = graph.op(id).map_or(0, |op| 2 * op as u64);
    mix(exponent(graph, id), op + u64::from(active[id.index()]))
}

fn are_of_one_operation(graph: &Graph, active: &[bool], a: Id, b: Id) -> bool {
    graph.op(a) == graph.op(b)
        && active[a.index()] == active[b.index()]
        && graph.operands(a).len() == graph.operands(b).len()
        && exponent(graph, a) == exponent(graph, b)
}

/// What an operand is, by a number: two statements of a loop are told apart by it.
fn kind_of_operand(graph: &Graph, id: Id) -> u64 {
    match graph.node(id) {
        Node::Input(_) => 0,
        Node::Constant(_) => 1,
        Node::Operation { op, .. } => 2 + op as u64,
    }
}

/// Of more operands than this, only how many there are is looked at.
const LOOKED_AT: usize = 16;

fn hash_alike(graph: &Graph, active: &[bool], id: Id) -> u64 {
    let (start, operands) = (hash_operation(graph, active, id), graph.operands(id));
    if operands.len() > LOOKED_AT {
        return mix(start, operands.len() as u64);
    }
    operands.iter().fold(start, |hash, &operand| mix(hash, kind_of_operand(graph, operand)))
}

/// Whether two nodes are one operation on operands of the same kinds.
fn are_alike(graph: &Graph, active: &[bool], a: Id, b: Id) -> bool {
    let kind = |id: &Id| kind_of_operand(graph, *id);
    let operands = graph.operands(a).iter().zip(graph.operands(b));
    are_of_one_operation(graph, active, a, b)
        && (operands.len() > LOOKED_AT || operands.into_iter().all(|(a, b)| kind(a) == kind(b)))
}
