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

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

use crate::op::Op;
use crate::program::code::{NONE, SPAN};
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
        let mut starts = Vec::with_capacity(graph.len() + 1);
        let mut members: Vec<Id> = Vec::with_capacity(graph.len());
        for id in graph.ids() {
            match graph.node(id) {
                Node::Input(_) | Node::Constant(_) => continue,
                Node::Operation { .. } | Node::Call { .. } => starts.push(members.len() as u32),
                // It is in the group of its call.
                Node::Result { .. } => {}
            }
            group_of[id.index()] = starts.len() as u32 - 1;
            members.push(id);
        }
        starts.push(members.len() as u32);
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
    /// uses it, where nothing else does and nothing else is missing: so a machine with an accumulator has much at hand. A sine
    /// and a cosine of one number stand together.
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
            members.len() < FEW
                && !spanned.contains(&(group as u32))
                && graph.op(members[0]).is_some()
        };
        let partners = partners(graph);
        for group in 0..self.len() {
            if !falls_apart(group) {
                chains.push(self.members(group));
                continue;
            }
            for &member in self.members(group) {
                let mut next = Some(member);
                while let Some(id) = next.filter(|&id| !chains.has(id)) {
                    let falls_apart_too = |&id: &Id| self.group_of(id).is_some_and(falls_apart);
                    let partner = partners.get(&id).copied().filter(falls_apart_too);
                    if let Some(partner) = partner.filter(|&partner| !chains.has(partner)) {
                        chains.push(&[partner]);
                    }
                    chains.push(&[id]);
                    let user = sole_users[id.index()];
                    let is_ready = |user: &Id| {
                        let is_there = |&id: &Id| !self.has(id) || chains.has(id);
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
        let mut spanned = FxHashSet::default();
        for id in graph.ids() {
            let operands = graph.operands(id);
            if operands.len() < SPAN {
                continue;
            }
            for operand in operands {
                if let Some(group) = self.group_of(*operand)
                    && (SPAN..FEW).contains(&self.members(group).len())
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

    /// Whether members of a group are a step each, wherever their operands lie.
    pub(super) fn are_a_step_each(&self, members: &[Id]) -> bool {
        const { assert!(FEW <= WORTHWHILE, "so few members are in no row") }
        members.len() < self.fewest || members.len() == 1
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
            Node::Operation { .. } | Node::Call { .. } | Node::Result { .. } => {
                Place::Among(self.group_of[id.index()], offsets[id.index()])
            }
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
    let mut lists = Lists::new(graph, active);
    // The groups of a list, in order, and the last of them.
    let mut groups_of: Vec<SmallVec<[u32; 4]>> = Vec::with_capacity(16);
    let mut last_of: Vec<u32> = Vec::with_capacity(16);
    let mut sizes: Vec<u32> = Vec::with_capacity(64);
    let mut group_of: Vec<u32> = vec![NONE; graph.len()];
    for id in graph.ids() {
        let op = match graph.node(id) {
            Node::Operation { op, .. } => op,
            // A call is a group with its results.
            Node::Call { .. } => {
                group_of[id.index()] = sizes.len() as u32;
                sizes.push(1);
                continue;
            }
            Node::Result { .. } => {
                let group = sizes.len() - 1;
                group_of[id.index()] = group as u32;
                sizes[group] += 1;
                continue;
            }
            Node::Input(_) | Node::Constant(_) => continue,
        };
        let operands = graph.operands(id);
        let list = lists.list_of(id, op, operands) as usize;
        // The groups of the operands come before this one, which is no operand's: no group has the number NONE.
        let first_after = |operand: &Id| group_of[operand.index()].wrapping_add(1);
        let first_after = operands.iter().map(first_after).max().unwrap_or(0);
        if list == groups_of.len() {
            groups_of.push(SmallVec::new());
            last_of.push(NONE);
        }
        // In code that goes on and on, none comes after: asked first, since it is asked most often.
        let group = if last_of[list] == NONE || last_of[list] < first_after {
            let group = sizes.len() as u32;
            groups_of[list].push(group);
            last_of[list] = group;
            sizes.push(0);
            group
        } else {
            let groups = &groups_of[list];
            groups[groups.partition_point(|&group| group < first_after)]
        };
        sizes[group as usize] += 1;
        group_of[id.index()] = group;
    }
    (group_of, sizes)
}

/// The lists that operations look for their groups in: one of every form that is frequent, and of operations that are alike.
struct Lists<'a> {
    graph: &'a Graph,
    active: &'a [bool],
    form_of: Vec<u32>,
    frequency: Vec<u32>,
    /// What every node is: two statements of a loop are told apart by what their operands are.
    kinds: Vec<u8>,
    /// The list of every form that is frequent, at its first node, and that of the first of operations alike.
    list_of: Vec<u32>,
    /// The lists of operations alike, by all there is to know of them in a word.
    alike: FxHashMap<u64, u32>,
    /// The first of those that are not told by a word.
    others: Table,
    count: u32,
}

impl<'a> Lists<'a> {
    fn new(graph: &'a Graph, active: &'a [bool]) -> Self {
        let form_of = forms(graph, active);
        let mut frequency = vec![0_u32; graph.len()];
        for &form in &form_of {
            frequency[form as usize] += 1;
        }
        let kinds = graph.ids().map(|id| kind(graph.node(id))).collect();
        Self {
            graph,
            active,
            form_of,
            frequency,
            kinds,
            list_of: vec![NONE; graph.len()],
            alike: FxHashMap::with_capacity_and_hasher(32, FxBuildHasher),
            others: Table::with_room(16),
            count: 0,
        }
    }

    /// The number of an operation's list; of lists that have not been asked for, the next.
    #[inline]
    fn list_of(&mut self, id: Id, op: Op, operands: &[Id]) -> u32 {
        let mut next = self.count;
        let form = self.form_of[id.index()];
        let list = if self.frequency[form as usize] >= FREQUENT {
            let list = &mut self.list_of[form as usize];
            if form == id.0 {
                *list = next;
            }
            *list
        } else if operands.len() <= IN_A_WORD && !op.takes_integer() {
            let active = u64::from(self.active[id.index()]);
            let word = operands.len() as u64 | active << 7 | (op as u64) << 8;
            let kind = |operand: &Id| u64::from(self.kinds[operand.index()]);
            let word = operands.iter().rev().fold(0, |word, o| word << 8 | kind(o)) << 16 | word;
            *self.alike.entry(word).or_insert(next)
        } else {
            let (graph, active, kinds) = (self.graph, self.active, &self.kinds);
            let is_same = |other: u32| are_alike(graph, active, kinds, Id(other), id);
            let key = |id| Key { near: None, hash: hash_alike(graph, active, kinds, Id(id)) };
            let former = self.others.find_or_insert(key(id.0), id.0, is_same, key);
            if former.is_none() {
                self.list_of[id.index()] = next;
            }
            former.map_or(next, |first| self.list_of[first as usize])
        };
        if list == next {
            next += 1;
        }
        self.count = next;
        list
    }
}

/// Of every node, the first one of the same form.
fn forms(graph: &Graph, active: &[bool]) -> Vec<u32> {
    let mut form_of: Vec<u32> = Vec::with_capacity(graph.len());
    let mut forms = Table::with_room(graph.len());
    let mut constant = None;
    for id in graph.ids() {
        let form = match graph.node(id) {
            Node::Input(_) | Node::Call { .. } | Node::Result { .. } => id.0,
            Node::Constant(_) => *constant.get_or_insert(id.0),
            Node::Operation { .. } => {
                let form = |operand: &Id| form_of[operand.index()];
                let key = |id: u32| {
                    let start = hash_operation(graph, active, Id(id));
                    let (hash, near) = match graph.operands(Id(id)) {
                        [a] => (mix(start, form(a).into()), form(a)),
                        [a, b] => {
                            let (a, b) = (form(a), form(b));
                            (mix(mix(start, a.into()), b.into()), a.max(b))
                        }
                        operands => operands
                            .iter()
                            .map(form)
                            .fold((start, 0), |(hash, near), f| (mix(hash, f.into()), near.max(f))),
                    };
                    Key { near: Some(near), hash }
                };
                let is_same = |other: u32| {
                    let operands = graph.operands(Id(other)).iter().zip(graph.operands(id));
                    are_of_one_operation(graph, active, Id(other), id)
                        && operands.into_iter().all(|(a, b)| form(a) == form(b))
                };
                forms.find_or_insert(key(id.0), id.0, is_same, key).unwrap_or(id.0)
            }
        };
        form_of.push(form);
    }
    form_of
}

/// Of every sine whose cosine is there, the cosine; and the other way round.
fn partners(graph: &Graph) -> FxHashMap<Id, Id> {
    let mut sines_and_cosines: FxHashMap<Id, [Option<Id>; 2]> = FxHashMap::default();
    for id in graph.ids() {
        let place = match graph.op(id) {
            Some(Op::Sin) => 0,
            Some(Op::Cos) => 1,
            _ => continue,
        };
        sines_and_cosines.entry(graph.operands(id)[0]).or_default()[place] = Some(id);
    }
    let pairs = sines_and_cosines.into_values();
    let pairs = pairs.filter_map(|[sine, cosine]| Some([sine?, cosine?]));
    pairs.flat_map(|[sine, cosine]| [(sine, cosine), (cosine, sine)]).collect()
}

/// The bits of an integer argument, which all instances of a step share; 0 where there is none.
#[inline]
fn exponent(graph: &Graph, id: Id) -> u64 {
    match graph.op(id) {
        Some(op) if op.takes_integer() => {
            graph.constant_value(graph.operands(id)[1]).map_or(0, f64::to_bits)
        }
        _ => 0,
    }
}

#[inline]
fn hash_operation(graph: &Graph, active: &[bool], id: Id) -> u64 {
    let Some(op) = graph.op(id) else { return 0 };
    let hash = 2 * op as u64 + u64::from(active[id.index()]);
    if op.takes_integer() { mix(exponent(graph, id), hash) } else { hash }
}

#[inline]
fn are_of_one_operation(graph: &Graph, active: &[bool], a: Id, b: Id) -> bool {
    graph.op(a) == graph.op(b)
        && active[a.index()] == active[b.index()]
        && graph.operands(a).len() == graph.operands(b).len()
        && exponent(graph, a) == exponent(graph, b)
}

/// What a node is, by a number.
#[inline]
fn kind(node: Node) -> u8 {
    match node {
        Node::Input(_) => 0,
        Node::Constant(_) => 1,
        Node::Call { .. } | Node::Result { .. } => 2 + Op::Result as u8,
        Node::Operation { op, .. } => 2 + op as u8,
    }
}

/// Of so many operands at most, the kinds fit in a word, beside the operation.
const IN_A_WORD: usize = 6;

/// Of more operands than this, only how many there are is looked at.
const LOOKED_AT: usize = 16;

fn hash_alike(graph: &Graph, active: &[bool], kinds: &[u8], id: Id) -> u64 {
    let (start, operands) = (hash_operation(graph, active, id), graph.operands(id));
    if operands.len() > LOOKED_AT {
        return mix(start, operands.len() as u64);
    }
    operands.iter().fold(start, |hash, operand| mix(hash, kinds[operand.index()].into()))
}

/// Whether two nodes are one operation on operands of the same kinds.
fn are_alike(graph: &Graph, active: &[bool], kinds: &[u8], a: Id, b: Id) -> bool {
    let kind = |id: &Id| kinds[id.index()];
    let operands = graph.operands(a).iter().zip(graph.operands(b));
    are_of_one_operation(graph, active, a, b)
        && (operands.len() > LOOKED_AT || operands.into_iter().all(|(a, b)| kind(a) == kind(b)))
}
