//! Colours of a Hessian's columns: of a symmetric matrix, an entry or its mirror image is enough.
//!
//! The columns are the vertices of a graph, and the entries beside the diagonal its edges. In a *star colouring* no path of
//! four vertices has two colours only; then one of the two places of every entry stands apart.

use crate::pattern::Pattern;
use crate::program::graph::coloring::color_set::{ByColor, ColorSet, Forbidden, NONE};
use crate::program::graph::coloring::substitution::{Substitution, acyclic_colors, at_least};
use crate::program::graph::coloring::{Coloring, Read, count};

/// How the entries of a symmetric matrix are found.
#[derive(Debug)]
pub(crate) struct Symmetric {
    /// Each in one product.
    pub(crate) direct: Coloring,
    /// By substitution, where that takes less.
    pub(crate) substituted: Option<Substitution>,
}

impl Symmetric {
    /// Colours for a pattern; `cost` is what the products with so many colours take.
    pub(crate) fn of_hessian(pattern: &Pattern, cost: impl Fn(usize) -> usize) -> Self {
        let orders = Orders::of(pattern);
        let stars = if orders.at_least == orders.vertices {
            each_its_own(pattern)
        } else {
            orders.fewest(|order, limit| star_colors(pattern, order, limit), usize::MAX)
        };
        let mirrors = mirrors(pattern);
        let is_better = |colors: usize| cost(colors) < cost(count(&stars));
        let limit = (0..count(&stars)).rev().find(|&colors| is_better(colors)).unwrap_or(0);
        let is_small = u32::try_from(pattern.len()).is_ok();
        let colors = if is_small && limit > 0 && orders.at_least <= limit {
            orders.fewest(|order, limit| acyclic_colors(pattern, order, limit), limit)
        } else {
            Vec::new()
        };
        let substituted = (!colors.is_empty()).then(|| Substitution::of(pattern, &mirrors, colors));
        Self { direct: read_directly(pattern, &mirrors, stars), substituted }
    }

    /// The number of products that are taken, where everything is finite.
    pub(crate) fn colors(&self) -> usize {
        self.substituted.as_ref().map_or(&self.direct, |substituted| &substituted.coloring).colors()
    }
}

/// Orders in which vertices are coloured.
struct Orders {
    smallest_last: Vec<usize>,
    /// What is banded is best coloured in its own order.
    natural: Vec<usize>,
    /// The number of those that have a colour.
    vertices: usize,
    /// A number of colours that every colouring takes. (A star colouring is acyclic, too.)
    at_least: usize,
}

impl Orders {
    fn of(pattern: &Pattern) -> Self {
        let natural: Vec<usize> = (0..pattern.rows()).collect();
        let smallest_last = smallest_last(pattern);
        let vertices = natural.iter().filter(|&&vertex| !pattern.row(vertex).is_empty()).count();
        let at_least = at_least(pattern, &smallest_last);
        Self { smallest_last, natural, vertices, at_least }
    }

    /// The colours, by an order and a limit, in the better order; none where both go beyond the limit.
    fn fewest(
        &self,
        color: impl Fn(&[usize], usize) -> Option<Vec<u32>>,
        limit: usize,
    ) -> Vec<u32> {
        let first = color(&self.smallest_last, limit);
        let limit = first.as_ref().map_or(limit, |colors| count(colors).saturating_sub(1));
        let second = if limit < self.at_least { None } else { color(&self.natural, limit) };
        second.or(first).unwrap_or_default()
    }
}

/// A colour for each vertex, where all are neighbours.
fn each_its_own(pattern: &Pattern) -> Vec<u32> {
    let mut colors = 0..;
    let mut color = |vertex| if pattern.row(vertex).is_empty() { None } else { colors.next() };
    (0..pattern.rows()).map(|vertex| color(vertex).unwrap_or(NONE)).collect()
}

/// The vertices in an order in which each has few neighbours before it: the one with the fewest is taken away, and comes
/// last, again and again (Matula and Beck, "Smallest-last ordering", 1983).
fn smallest_last(pattern: &Pattern) -> Vec<usize> {
    let n = pattern.rows();
    let mut degrees: Vec<usize> = (0..n).map(|vertex| pattern.row(vertex).len()).collect();
    let mut of_degree: Vec<Vec<u32>> = vec![Vec::new(); pattern.longest_row() + 1];
    for vertex in (0..n).rev() {
        of_degree[degrees[vertex]].push(vertex as u32);
    }
    let mut order = Vec::with_capacity(n);
    let mut is_taken = vec![false; n];
    let mut degree = 0;
    while degree < of_degree.len() {
        let Some(vertex) = of_degree[degree].pop() else {
            degree += 1;
            continue;
        };
        let vertex = vertex as usize;
        // A vertex stands in the list of every degree that it has had.
        if is_taken[vertex] || degrees[vertex] != degree {
            continue;
        }
        is_taken[vertex] = true;
        order.push(vertex);
        for &neighbour in pattern.row(vertex) {
            if !is_taken[neighbour] {
                degrees[neighbour] -= 1;
                of_degree[degrees[neighbour]].push(neighbour as u32);
            }
        }
        degree = degree.saturating_sub(1);
    }
    order.reverse();
    order
}

/// A star colouring, greedily in this order. `None` beyond `limit` colours.
///
/// It is algorithm 4.1 of "What color is your Jacobian?", with the searches of neighbours' neighbours replaced by what
/// is noted for each vertex, so that a vertex with many neighbours does no harm.
fn star_colors(pattern: &Pattern, order: &[usize], limit: usize) -> Option<Vec<u32>> {
    /// There are several neighbours.
    const OTHERS: u32 = NONE - 1;
    /// What is noted for a vertex.
    #[derive(Default)]
    struct Vertex {
        /// The colours of its neighbours, noted while it has none itself; they are different.
        around: ColorSet,
        /// The colours of those neighbours that have other neighbours of the vertex's own colour: a path that comes to
        /// the vertex through such a hub would take two colours if it went on in the hub's.
        hubs: ColorSet,
        /// For each colour around it, the neighbour that has it, or [`OTHERS`].
        stars: ByColor,
    }
    let n = pattern.rows();
    let mut colors = vec![NONE; n];
    let mut forbidden = Forbidden::default();
    let mut vertices: Vec<Vertex> = Vec::new();
    vertices.resize_with(n, Vertex::default);
    for &vertex in order {
        if pattern.row(vertex).is_empty() {
            continue;
        }
        let neighbours = || pattern.row(vertex).iter().copied().filter(|&other| other != vertex);
        forbidden.begin(vertex);
        for neighbour in neighbours() {
            if colors[neighbour] == NONE {
                forbidden.forbid_all(&vertices[neighbour].around);
            } else {
                forbidden.forbid(colors[neighbour]);
                forbidden.forbid_all(&vertices[neighbour].hubs);
            }
        }
        let color = forbidden.first_allowed();
        if color as usize >= limit {
            return None;
        }
        colors[vertex] = color;
        vertices[vertex].around = ColorSet::default();
        for neighbour in neighbours() {
            let theirs = colors[neighbour];
            if theirs == NONE {
                vertices[neighbour].around.add(color);
                continue;
            }
            vertices[vertex].stars.add(theirs, neighbour as u32);
            let Some(star) = vertices[neighbour].stars.get_mut(color) else {
                vertices[neighbour].stars.add(color, vertex as u32);
                continue;
            };
            let first = core::mem::replace(star, OTHERS);
            if first != OTHERS {
                vertices[first as usize].hubs.add(theirs);
            }
            vertices[vertex].hubs.add(theirs);
        }
    }
    Some(colors)
}

/// For each entry of a symmetric pattern, the one on the other side of the diagonal.
fn mirrors(pattern: &Pattern) -> Vec<usize> {
    // Row after row, the mirror images in any one row come from left to right.
    let mut next = pattern.starts().to_vec();
    let mirror = |&column: &usize| {
        next[column] += 1;
        next[column] - 1
    };
    pattern.indices().iter().map(mirror).collect()
}

/// Finds for every entry of a symmetric matrix the product in which it, or its mirror image, stands apart.
fn read_directly(pattern: &Pattern, mirrors: &[usize], colors: Vec<u32>) -> Coloring {
    let mut coloring = Coloring::new(colors);
    // How many of a row's columns have each colour, and for which row (counted from 1) that was counted.
    let mut tally = vec![(0, 0_usize); coloring.colors()];
    let mut is_alone = vec![false; pattern.len()];
    for row in 0..pattern.rows() {
        for &column in pattern.row(row) {
            let (counted_for, columns) = &mut tally[coloring.color_of[column] as usize];
            *columns = if *counted_for == row + 1 { *columns + 1 } else { 1 };
            *counted_for = row + 1;
        }
        let is_alone = &mut is_alone[pattern.starts()[row]..];
        for (&column, is_alone) in pattern.row(row).iter().zip(is_alone) {
            *is_alone = tally[coloring.color_of[column] as usize].1 == 1;
        }
    }
    for (entry, (row, column)) in pattern.iter().enumerate() {
        let mirror = mirrors[entry];
        debug_assert!(is_alone[entry] || is_alone[mirror]);
        if if row <= column { is_alone[entry] } else { !is_alone[mirror] } {
            let color = coloring.color_of[column] as usize;
            coloring.reads[color].push(Read { place: row, entry, mirror });
        }
    }
    coloring
}
