//! The constants of a code, and their slots.

use std::collections::hash_map::Entry;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::program::code::{Kind, NONE};
use crate::program::graph::{Graph, Id};

/// The constants' slots. Those of a column that differ lie in a row; equal rows are one.
#[derive(Default)]
pub(super) struct Constants {
    first: u32,
    pub(super) values: Vec<f64>,
    singles: FxHashMap<u64, u32>,
    rows: FxHashMap<Vec<u64>, u32>,
}

impl Constants {
    /// None yet; their slots begin here.
    pub(super) fn from(first: u32) -> Self {
        let singles = FxHashMap::with_capacity_and_hasher(16, FxBuildHasher);
        Self { first, singles, ..Self::default() }
    }

    pub(super) fn end(&self) -> u32 {
        self.first + self.values.len() as u32
    }

    /// The bits of a column that consists of constants.
    fn bits(graph: &Graph, members: &[Id], position: usize) -> Option<Vec<u64>> {
        let bits =
            |&member: &Id| graph.constant_value(graph.operands(member)[position]).map(f64::to_bits);
        bits(&members[0])?;
        members.iter().map(bits).collect()
    }

    pub(super) fn note_column(&mut self, graph: &Graph, members: &[Id], position: usize) {
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

    pub(super) fn note_single(&mut self, graph: &Graph, id: Id) {
        if let Some(value) = graph.constant_value(id) {
            self.note(value);
        }
    }

    /// The slot of a constant by itself.
    pub(super) fn note(&mut self, value: f64) -> u32 {
        let end = self.end();
        match self.singles.entry(value.to_bits()) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(vacant) => {
                self.values.push(value);
                *vacant.insert(end)
            }
        }
    }

    pub(super) fn single(&self, value: f64) -> u32 {
        self.singles.get(&value.to_bits()).copied().unwrap_or(NONE)
    }

    /// Kind and first slot of a column of constants.
    pub(super) fn column(
        &self,
        graph: &Graph,
        members: &[Id],
        position: usize,
    ) -> Option<(Kind, u32)> {
        let bits = Self::bits(graph, members, position)?;
        if bits.iter().all(|&other| other == bits[0]) {
            Some((Kind::Same, self.single(f64::from_bits(bits[0]))))
        } else {
            self.rows.get(&bits).map(|&row| (Kind::Run, row))
        }
    }
}
