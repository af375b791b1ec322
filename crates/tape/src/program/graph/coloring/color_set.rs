//! Sets of colours, and what a vertex knows of each: short lists at most vertices, tables at those that meet many colours.

use smallvec::SmallVec;

/// No colour.
pub(crate) const NONE: u32 = u32::MAX;

/// So many colours are kept as a list.
const FEW: usize = 32;

/// A set of colours.
pub(super) enum ColorSet {
    Few(SmallVec<[u32; 4]>),
    /// A bit for each colour.
    Many(Vec<u64>),
}

impl Default for ColorSet {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl ColorSet {
    /// Adds a colour that is not there yet.
    pub(super) fn add(&mut self, color: u32) {
        match self {
            Self::Few(list) if list.len() < FEW => list.push(color),
            Self::Few(list) => {
                let mut bits = Vec::new();
                list.iter().chain([&color]).for_each(|&color| set_bit(&mut bits, color));
                *self = Self::Many(bits);
            }
            Self::Many(bits) => set_bit(bits, color),
        }
    }
}

fn set_bit(bits: &mut Vec<u64>, color: u32) {
    let (word, bit) = (color as usize / 64, color % 64);
    if word >= bits.len() {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << bit;
}

/// A number for each of some colours.
pub(super) enum ByColor {
    Few(SmallVec<[(u32, u32); 2]>),
    /// A place for each colour; [`NONE`] stands for no number.
    Many(Vec<u32>),
}

impl Default for ByColor {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl ByColor {
    pub(super) fn get(&self, color: u32) -> Option<u32> {
        match self {
            Self::Few(list) => list.iter().find(|(of, _)| *of == color).map(|&(_, number)| number),
            Self::Many(table) => {
                table.get(color as usize).copied().filter(|&number| number != NONE)
            }
        }
    }

    pub(super) fn get_mut(&mut self, color: u32) -> Option<&mut u32> {
        match self {
            Self::Few(list) => {
                list.iter_mut().find(|(of, _)| *of == color).map(|(_, number)| number)
            }
            Self::Many(table) => table.get_mut(color as usize).filter(|number| **number != NONE),
        }
    }

    /// Adds the number of a colour that has none yet.
    pub(super) fn add(&mut self, color: u32, number: u32) {
        match self {
            Self::Few(list) if list.len() < FEW => list.push((color, number)),
            Self::Few(list) => {
                let mut table = Vec::new();
                list.iter().chain([&(color, number)]).for_each(|&pair| set(&mut table, pair));
                *self = Self::Many(table);
            }
            Self::Many(table) => set(table, (color, number)),
        }
    }

    /// Every colour that has a number, with it.
    pub(super) fn each(&self, mut visit: impl FnMut(u32, u32)) {
        match self {
            Self::Few(list) => list.iter().for_each(|&(color, number)| visit(color, number)),
            Self::Many(table) => {
                for (color, &number) in table.iter().enumerate().filter(|(_, n)| **n != NONE) {
                    visit(color as u32, number);
                }
            }
        }
    }
}

fn set(table: &mut Vec<u32>, (color, number): (u32, u32)) {
    let place = color as usize;
    if place >= table.len() {
        table.resize(place + 1, NONE);
    }
    table[place] = number;
}

/// Colours that a vertex cannot have. All are allowed again when the next vertex is begun.
#[derive(Default)]
pub(super) struct Forbidden {
    vertex: usize,
    /// The last vertex (counted from 1) for which each colour was forbidden.
    by: Vec<usize>,
    /// Those of large sets.
    bits: Vec<u64>,
}

impl Forbidden {
    pub(super) fn begin(&mut self, vertex: usize) {
        self.vertex = vertex + 1;
        self.bits.clear();
    }

    pub(super) fn forbid(&mut self, color: u32) {
        let color = color as usize;
        if color >= self.by.len() {
            self.by.resize(color + 1, 0);
        }
        self.by[color] = self.vertex;
    }

    pub(super) fn forbid_all(&mut self, colors: &ColorSet) {
        match colors {
            ColorSet::Few(list) => list.iter().for_each(|&color| self.forbid(color)),
            ColorSet::Many(bits) => {
                if self.bits.len() < bits.len() {
                    self.bits.resize(bits.len(), 0);
                }
                for (forbidden, bits) in self.bits.iter_mut().zip(bits) {
                    *forbidden |= bits;
                }
            }
        }
    }

    pub(super) fn first_allowed(&self) -> u32 {
        let is_in_bits = |color: usize| {
            self.bits.get(color / 64).is_some_and(|word| word >> (color % 64) & 1 == 1)
        };
        let is_allowed = |color: &usize| {
            self.by.get(*color).is_none_or(|&by| by != self.vertex) && !is_in_bits(*color)
        };
        // One of these is: as many are known to be forbidden at most.
        let most = self.by.len().max(64 * self.bits.len());
        (0..most).find(is_allowed).unwrap_or(most) as u32
    }
}
