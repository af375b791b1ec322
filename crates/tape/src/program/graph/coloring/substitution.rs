//! A Hessian's entries by substitution: fewer products, of which some entries are differences.
//!
//! In an *acyclic colouring* no cycle has two colours only, so the edges between any two colours are a forest. At a leaf of
//! a tree, the entry of its edge stands apart in the product with the other colour. What is known is subtracted, the edge is
//! taken away, and leaves are left again, until every entry is known (Coleman and Cai, "The cyclic coloring problem and
//! estimation of sparse Hessian matrices", 1986; Gebremedhin, Tarafdar, Manne and Pothen, "New acyclic and star coloring
//! algorithms with application to computing Hessians", SIAM J. Sci. Comput. 29, 2007). A band of b entries on each side of
//! the diagonal takes b + 1 products so, and up to 2b + 1 where every entry is read.
//!
//! A difference is rounded, and what is not finite would spread: see [`Substitution::substitute`].

use std::collections::VecDeque;

use crate::pattern::Pattern;
use crate::program::graph::coloring::color_set::{ByColor, Forbidden, NONE};
use crate::program::graph::coloring::{Coloring, Read};

/// An acyclic colouring, and how entries are found by it.
#[derive(Debug)]
pub(crate) struct Substitution {
    /// Of an entry that is a difference, the number that the others are subtracted from is read.
    pub(crate) coloring: Coloring,
    /// In the order in which the differences are taken.
    differences: Vec<Difference>,
    /// What they subtract, one after the other.
    subtracted: Vec<u32>,
}

/// An entry from whose number others are subtracted.
#[derive(Debug)]
struct Difference {
    entry: u32,
    mirror: u32,
    /// Where in [`Substitution::subtracted`] its own end. They begin where those of the one before it end.
    end: u32,
}

impl Substitution {
    /// How the entries are found by an acyclic colouring. There are no more of them than `u32` counts.
    pub(super) fn of(pattern: &Pattern, mirrors: &[usize], colors: Vec<u32>) -> Self {
        let mut bundles = Bundles::of(pattern, &colors);
        let mut coloring = Coloring::new(colors);
        let (mut differences, mut subtracted) = (Vec::new(), Vec::new());
        let (mut is_known, mut is_read) = (vec![false; pattern.len()], vec![false; pattern.len()]);
        // Leaves of all trees at once, so that no number passes through more differences than half a tree is long.
        let mut leaves: VecDeque<usize> = (0..bundles.left.len()).collect();
        leaves.retain(|&bundle| bundles.left[bundle] == 1);
        while let Some(bundle) = leaves.pop_front() {
            // The other end of the edge may have been a leaf, too.
            if bundles.left[bundle] == 0 {
                continue;
            }
            let entry = bundles.last[bundle];
            let mirror = mirrors[entry];
            let row = pattern.indices()[mirror];
            is_read[entry] = true;
            let before = subtracted.len();
            let places = pattern.starts()[row]..pattern.starts()[row + 1];
            let known = places.filter(|&p| bundles.of[p] as usize == bundle && is_known[p]);
            subtracted.extend(known.map(|place| place as u32));
            if subtracted.len() > before {
                let (entry, mirror, end) = (entry as u32, mirror as u32, subtracted.len() as u32);
                differences.push(Difference { entry, mirror, end });
            }
            (is_known[entry], is_known[mirror]) = (true, true);
            bundles.take(entry);
            bundles.take(mirror);
            let other = bundles.of[mirror] as usize;
            if entry != mirror && bundles.left[other] == 1 {
                leaves.push_back(other);
            }
        }
        debug_assert!(is_known.iter().all(|&is_known| is_known), "a cycle has two colours");
        for (entry, (row, column)) in pattern.iter().enumerate().filter(|&(e, _)| is_read[e]) {
            let read = Read { place: row, entry, mirror: mirrors[entry] };
            coloring.reads[coloring.color_of[column] as usize].push(read);
        }
        Self { coloring, differences, subtracted }
    }

    /// Takes the differences, where the numbers that they are taken of have been read. Returns whether the entries are as
    /// good as if they had been read: all of them finite, and none off by more than 2⁻³⁰ of the largest entry in its row, or
    /// in its column, whichever of the two is smaller. (That is a bound; what chance makes of so many roundings is mostly far
    /// below.) Otherwise they are to be read directly.
    pub(crate) fn substitute(&self, pattern: &Pattern, data: &mut [f64]) -> bool {
        const LARGEST_ERROR: f64 = 1.0 / (1 << 30) as f64;
        if self.differences.is_empty() {
            return true;
        }
        // Of each entry that is a difference, the sum of the magnitudes that went into it: each may be off by half a unit in
        // its last place. An entry that was read is as good as any.
        let mut magnitudes = vec![0.0_f64; data.len()];
        let mut start = 0;
        for &Difference { entry, mirror, end } in &self.differences {
            let [entry, mirror, end] = [entry, mirror, end].map(|place| place as usize);
            let (mut number, mut magnitude) = (data[entry], data[entry].abs());
            for &other in &self.subtracted[start..end] {
                let other = other as usize;
                number -= data[other];
                magnitude += data[other].abs().max(magnitudes[other]);
            }
            (data[entry], data[mirror]) = (number, number);
            (magnitudes[entry], magnitudes[mirror]) = (magnitude, magnitude);
            start = end;
        }
        let rows = || pattern.starts().windows(2).map(|bounds| bounds[0]..bounds[1]);
        let largest: Vec<f64> = rows().map(|row| largest(&data[row])).collect();
        rows().zip(&largest).all(|(row, &of_row)| {
            let mut entries = pattern.indices()[row.clone()].iter().zip(&magnitudes[row]);
            entries.all(|(&column, magnitude)| {
                let scale = of_row.min(largest[column]);
                // Where something is not finite, neither is its magnitude, and this is false.
                magnitude * f64::EPSILON <= LARGEST_ERROR * scale
            })
        })
    }
}

/// The largest magnitude of the finite ones among numbers.
fn largest(numbers: &[f64]) -> f64 {
    let magnitudes = numbers.iter().map(|number| number.abs()).filter(|number| number.is_finite());
    magnitudes.fold(0.0, f64::max)
}

/// The entries of each row in columns of each colour.
struct Bundles {
    /// The bundle of each entry.
    of: Vec<u32>,
    /// How many of a bundle's entries are not known yet.
    left: Vec<u32>,
    /// The exclusive or of these: the last one, where one is left.
    last: Vec<usize>,
}

impl Bundles {
    fn of(pattern: &Pattern, colors: &[u32]) -> Self {
        let mut bundles =
            Self { of: Vec::with_capacity(pattern.len()), left: Vec::new(), last: Vec::new() };
        // The bundle of each colour, and for which row (counted from 1) that is.
        let mut by_color: Vec<(usize, u32)> = Vec::new();
        for (entry, (row, column)) in pattern.iter().enumerate() {
            let color = colors[column] as usize;
            if color >= by_color.len() {
                by_color.resize(color + 1, (0, 0));
            }
            if by_color[color].0 != row + 1 {
                by_color[color] = (row + 1, bundles.left.len() as u32);
                bundles.left.push(0);
                bundles.last.push(0);
            }
            let bundle = by_color[color].1;
            bundles.of.push(bundle);
            bundles.left[bundle as usize] += 1;
            bundles.last[bundle as usize] ^= entry;
        }
        bundles
    }

    /// Takes an entry away from its bundle, if it is still there. (An entry on the diagonal is its own mirror image.)
    fn take(&mut self, entry: usize) {
        let bundle = self.of[entry] as usize;
        if self.left[bundle] > 0 {
            self.left[bundle] -= 1;
            self.last[bundle] ^= entry;
        }
    }
}

/// A number of colours that every acyclic colouring takes.
///
/// Between any two of k colours there is a forest, which has fewer edges than vertices. So n vertices have at most
/// (k − 1)·n − k·(k − 1)/2 edges, and so do those of any part of the graph: here, the first ones in an order.
pub(super) fn at_least(pattern: &Pattern, order: &[usize]) -> usize {
    let mut is_there = vec![false; pattern.rows()];
    let (mut colors, mut edges) = (usize::from(!pattern.is_empty()), 0);
    for (before, &vertex) in order.iter().enumerate() {
        edges += pattern.row(vertex).iter().filter(|&&other| is_there[other]).count();
        is_there[vertex] = true;
        while (colors.max(1) - 1) * (before + 1) < edges + colors * (colors.max(1) - 1) / 2 {
            colors += 1;
        }
    }
    colors
}

/// An acyclic colouring, greedily in this order. `None` beyond `limit` colours, and where it would take long.
///
/// A vertex must not have a colour in which two of its neighbours, themselves of one colour, are joined already: by a tree
/// of their colour and this one. Which trees come together at a vertex is noted there, so that a vertex with many
/// neighbours does no harm.
pub(super) fn acyclic_colors(pattern: &Pattern, order: &[usize], limit: usize) -> Option<Vec<u32>> {
    /// Trees that may be looked at, for each entry.
    const EFFORT: usize = 256;
    let n = pattern.rows();
    let mut effort = EFFORT * pattern.len();
    let mut colors = vec![NONE; n];
    let mut forbidden = Forbidden::default();
    // At each vertex, the tree of its own colour and of each colour around it.
    let mut around: Vec<ByColor> = Vec::new();
    around.resize_with(n, ByColor::default);
    let mut trees = Trees::default();
    // For which vertex (counted from 1) each tree was last met.
    let mut met: Vec<u32> = Vec::new();
    for &vertex in order {
        if pattern.row(vertex).is_empty() {
            continue;
        }
        let neighbours = || pattern.row(vertex).iter().copied().filter(|&other| other != vertex);
        let mark = vertex as u32 + 1;
        forbidden.begin(vertex);
        for neighbour in neighbours().filter(|&other| colors[other] != NONE) {
            forbidden.forbid(colors[neighbour]);
            around[neighbour].each(|color, tree| {
                effort = effort.saturating_sub(1);
                let tree = trees.root(tree);
                if core::mem::replace(&mut met[tree as usize], mark) == mark {
                    forbidden.forbid(color);
                }
            });
        }
        let color = forbidden.first_allowed();
        if color as usize >= limit || effort == 0 {
            return None;
        }
        colors[vertex] = color;
        for neighbour in neighbours().filter(|&other| colors[other] != NONE) {
            let theirs = colors[neighbour];
            let tree = around[neighbour].get(color).unwrap_or_else(|| {
                let tree = trees.plant();
                met.push(0);
                around[neighbour].add(color, tree);
                tree
            });
            match around[vertex].get(theirs) {
                Some(own) => trees.join(own, tree),
                None => around[vertex].add(theirs, tree),
            }
        }
    }
    Some(colors)
}

/// Disjoint sets of edges.
#[derive(Default)]
struct Trees {
    parents: Vec<u32>,
}

impl Trees {
    fn plant(&mut self) -> u32 {
        let tree = self.parents.len() as u32;
        self.parents.push(tree);
        tree
    }

    fn root(&mut self, mut tree: u32) -> u32 {
        while self.parents[tree as usize] != tree {
            // Halves the way for the next ones.
            self.parents[tree as usize] = self.parents[self.parents[tree as usize] as usize];
            tree = self.parents[tree as usize];
        }
        tree
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}
