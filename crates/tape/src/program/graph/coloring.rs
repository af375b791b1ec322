//! Which columns of a sparse matrix can be found together: those of one colour take one sweep.
//!
//! A sweep gives the product of the matrix with one direction. Where no two columns of a direction have an entry in the
//! same row, the entries of all of them stand apart in the product. To need few directions is a matter of colouring a
//! graph (Gebremedhin, Manne and Pothen, "What color is your Jacobian? Graph coloring for computing derivatives", SIAM
//! Review 47, 2005): a Jacobian's columns at distance two, and a symmetric Hessian's so that no path of four vertices has
//! two colours only, a *star colouring*; then one of the two places of every entry stands apart. To colour with the
//! fewest colours is hard; greedy colouring in a good order comes near.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::pattern::Pattern;

/// Groups of columns (or rows), and where the matrix's entries are found in the products with them.
#[derive(Debug, Default)]
pub(crate) struct Coloring {
    /// The colour of each column (row); [`NONE`] where it has no entries.
    pub(crate) color_of: Vec<u32>,
    /// For each colour, the entries found in its product.
    pub(crate) reads: Vec<Vec<Read>>,
}

/// An entry of a matrix, and its place in a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) place: usize,
    pub(crate) entry: usize,
    /// Of a symmetric matrix, the entry on the other side of the diagonal; else the same one.
    pub(crate) mirror: usize,
}

/// No colour.
pub(crate) const NONE: u32 = u32::MAX;

impl Coloring {
    /// The number of colours.
    pub(crate) fn colors(&self) -> usize {
        self.reads.len()
    }

    fn new(color_of: Vec<u32>) -> Self {
        let colors = color_of.iter().filter(|&&color| color != NONE).max();
        let reads = vec![Vec::new(); colors.map_or(0, |&last| last as usize + 1)];
        Self { color_of, reads }
    }
}

/// What the colours of a Jacobian are of.
#[derive(Debug)]
pub(crate) enum Grouping {
    /// Of inputs: a colour's product is found forwards.
    Columns(Coloring),
    /// Of outputs: a colour's product is found backwards.
    Rows(Coloring),
}

impl Grouping {
    /// Colours the columns or the rows, whichever takes fewer colours; columns where they take as many.
    pub(crate) fn of_jacobian(pattern: &Pattern) -> Self {
        let transposed = pattern.transposed();
        // A row's entries need as many colours. The way that may need fewer is tried first, and the other one only
        // while it can do better: colouring in vain may take long.
        let (at_least, at_least_by_rows) = (pattern.longest_row(), transposed.longest_row());
        let by_columns = |limit| color_apart(pattern, &transposed, limit);
        let by_rows = |limit| color_apart(&transposed, pattern, limit);
        let no_limit = u32::MAX as usize - 1;
        let (columns, rows) = if at_least <= at_least_by_rows {
            let columns = by_columns(no_limit);
            let limit = columns.as_ref().map_or(no_limit, |c| count(c).saturating_sub(1));
            let rows = if at_least_by_rows <= limit { by_rows(limit) } else { None };
            (columns, rows)
        } else {
            let rows = by_rows(no_limit);
            let limit = rows.as_ref().map_or(no_limit, |colors| count(colors));
            let columns = if at_least <= limit { by_columns(limit) } else { None };
            (columns, rows)
        };
        let count = |colors: &Option<Vec<u32>>| colors.as_ref().map_or(usize::MAX, |c| count(c));
        if count(&columns) <= count(&rows) {
            let mut coloring = Coloring::new(columns.unwrap_or_default());
            for (entry, (row, column)) in pattern.iter().enumerate() {
                let color = coloring.color_of[column];
                coloring.reads[color as usize].push(Read { place: row, entry, mirror: entry });
            }
            Self::Columns(coloring)
        } else {
            let mut coloring = Coloring::new(rows.unwrap_or_default());
            for (entry, (row, column)) in pattern.iter().enumerate() {
                let color = coloring.color_of[row];
                coloring.reads[color as usize].push(Read { place: column, entry, mirror: entry });
            }
            Self::Rows(coloring)
        }
    }

    pub(crate) fn coloring(&self) -> &Coloring {
        match self {
            Self::Columns(coloring) | Self::Rows(coloring) => coloring,
        }
    }
}

/// A star colouring of a symmetric pattern, and where each entry is found directly.
pub(crate) fn star_coloring(pattern: &Pattern) -> Coloring {
    let no_limit = u32::MAX as usize - 1;
    let by_degree = color_stars(pattern, &smallest_last(pattern), no_limit).unwrap_or_default();
    let limit = count(&by_degree).saturating_sub(1);
    // What is banded is best coloured in its own order.
    let natural: Vec<usize> = (0..pattern.rows()).collect();
    let colors = color_stars(pattern, &natural, limit).unwrap_or(by_degree);
    recover(pattern, Coloring::new(colors))
}

/// The number of colours used.
fn count(colors: &[u32]) -> usize {
    colors.iter().filter(|&&color| color != NONE).max().map_or(0, |&last| last as usize + 1)
}

/// Colours that a vertex cannot have. All are allowed again when the next vertex is begun.
#[derive(Default)]
struct Forbidden {
    vertex: usize,
    /// The last vertex (counted from 1) for which each colour was forbidden.
    by: Vec<usize>,
}

impl Forbidden {
    fn begin(&mut self, vertex: usize) {
        self.vertex = vertex + 1;
    }

    fn forbid(&mut self, color: u32) {
        let color = color as usize;
        if color >= self.by.len() {
            self.by.resize(color + 1, 0);
        }
        self.by[color] = self.vertex;
    }

    fn first_allowed(&self) -> u32 {
        self.by.iter().position(|&by| by != self.vertex).unwrap_or(self.by.len()) as u32
    }
}

/// Colours the columns so that no two in a row have the same colour: in their order, and the longest first, of which the
/// better is taken. `None` beyond `limit` colours.
fn color_apart(pattern: &Pattern, transposed: &Pattern, limit: usize) -> Option<Vec<u32>> {
    let natural: Vec<usize> = (0..pattern.columns()).collect();
    let mut longest_first = natural.clone();
    longest_first.sort_by_key(|&column| core::cmp::Reverse(transposed.row(column).len()));

    let colors = color_apart_in_order(pattern, transposed, &natural, limit);
    let limit = colors.as_ref().map_or(limit, |colors| count(colors).saturating_sub(1));
    if limit < pattern.longest_row() {
        return colors;
    }
    color_apart_in_order(pattern, transposed, &longest_first, limit).or(colors)
}

fn color_apart_in_order(
    pattern: &Pattern,
    transposed: &Pattern,
    order: &[usize],
    limit: usize,
) -> Option<Vec<u32>> {
    let mut colors = vec![NONE; pattern.columns()];
    let mut forbidden = Forbidden::default();
    for &column in order {
        if transposed.row(column).is_empty() {
            continue;
        }
        forbidden.begin(column);
        for &row in transposed.row(column) {
            for &other in pattern.row(row) {
                if colors[other] != NONE {
                    forbidden.forbid(colors[other]);
                }
            }
        }
        let color = forbidden.first_allowed();
        if color as usize >= limit {
            return None;
        }
        colors[column] = color;
    }
    Some(colors)
}

/// The vertices in an order in which each has few neighbours before it: the one with the fewest is taken away, and comes
/// last, again and again (Matula and Beck, "Smallest-last ordering", 1983).
fn smallest_last(pattern: &Pattern) -> Vec<usize> {
    let n = pattern.rows();
    let mut degrees: Vec<usize> = (0..n).map(|vertex| pattern.row(vertex).len()).collect();
    let mut of_degree: Vec<Vec<usize>> = vec![Vec::new(); pattern.longest_row() + 1];
    for vertex in (0..n).rev() {
        of_degree[degrees[vertex]].push(vertex);
    }
    let mut order = Vec::with_capacity(n);
    let mut is_taken = vec![false; n];
    let mut degree = 0;
    while degree < of_degree.len() {
        let Some(vertex) = of_degree[degree].pop() else {
            degree += 1;
            continue;
        };
        // A vertex stands in the list of every degree that it has had.
        if is_taken[vertex] || degrees[vertex] != degree {
            continue;
        }
        is_taken[vertex] = true;
        order.push(vertex);
        for &neighbour in pattern.row(vertex) {
            if !is_taken[neighbour] {
                degrees[neighbour] -= 1;
                of_degree[degrees[neighbour]].push(neighbour);
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
fn color_stars(pattern: &Pattern, order: &[usize], limit: usize) -> Option<Vec<u32>> {
    let n = pattern.rows();
    let mut colors = vec![NONE; n];
    let mut forbidden = Forbidden::default();
    // The colours of each vertex's neighbours, noted while it has none itself; they are different.
    let mut around: Vec<SmallVec<[u32; 4]>> = vec![SmallVec::new(); n];
    // The colours of those neighbours that have other neighbours of the vertex's own colour: a path that comes to the
    // vertex through such a hub would take two colours if it went on in the hub's.
    let mut hubs: Vec<SmallVec<[u32; 4]>> = vec![SmallVec::new(); n];
    // For a vertex and a colour: the first of its neighbours that have it, and whether there are others.
    let mut stars: HashMap<(usize, u32), (usize, bool)> = HashMap::new();
    for &vertex in order {
        if pattern.row(vertex).is_empty() {
            continue;
        }
        let neighbours = || pattern.row(vertex).iter().copied().filter(|&other| other != vertex);
        forbidden.begin(vertex);
        for neighbour in neighbours() {
            if colors[neighbour] == NONE {
                around[neighbour].iter().for_each(|&color| forbidden.forbid(color));
            } else {
                forbidden.forbid(colors[neighbour]);
                hubs[neighbour].iter().for_each(|&color| forbidden.forbid(color));
            }
        }
        let color = forbidden.first_allowed();
        if color as usize >= limit {
            return None;
        }
        colors[vertex] = color;
        for neighbour in neighbours() {
            let theirs = colors[neighbour];
            if theirs == NONE {
                around[neighbour].push(color);
                continue;
            }
            stars.insert((vertex, theirs), (neighbour, false));
            let (first, has_others) = stars.entry((neighbour, color)).or_insert((vertex, false));
            if *first != vertex {
                if !core::mem::replace(has_others, true) {
                    hubs[*first].push(theirs);
                }
                hubs[vertex].push(theirs);
            }
        }
    }
    Some(colors)
}

/// Finds for every entry of a symmetric matrix the product in which it, or its mirror image, stands apart.
fn recover(pattern: &Pattern, mut coloring: Coloring) -> Coloring {
    let starts = pattern.starts();
    // How many of a row's columns have each colour, and for which row (counted from 1) that was counted.
    let mut tally = vec![(0, 0_usize); coloring.colors()];
    let mut is_alone = vec![false; pattern.len()];
    for row in 0..pattern.rows() {
        for &column in pattern.row(row) {
            let (counted_for, columns) = &mut tally[coloring.color_of[column] as usize];
            *columns = if *counted_for == row + 1 { *columns + 1 } else { 1 };
            *counted_for = row + 1;
        }
        for (&column, is_alone) in pattern.row(row).iter().zip(&mut is_alone[starts[row]..]) {
            *is_alone = tally[coloring.color_of[column] as usize].1 == 1;
        }
    }
    // Row after row, the mirror images in any one row come from left to right.
    let mut next = starts.to_vec();
    for (entry, (row, column)) in pattern.iter().enumerate() {
        let mirror = next[column];
        next[column] += 1;
        if row > column {
            continue;
        }
        let (place, other) = if is_alone[entry] { (row, column) } else { (column, row) };
        debug_assert!(is_alone[entry] || is_alone[mirror]);
        let color = coloring.color_of[other] as usize;
        coloring.reads[color].push(Read { place, entry, mirror });
    }
    coloring
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Places = BTreeSet<(usize, usize)>;

    fn pattern(rows: usize, columns: usize, places: &Places) -> Pattern {
        let row = |row| places.range((row, 0)..(row + 1, 0)).map(|&(_, column)| column);
        Pattern::from_rows(columns, (0..rows).map(row))
    }

    fn symmetric(n: usize, is_place: impl Fn(usize, usize) -> bool) -> Pattern {
        let places = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        let places = places.filter(|&(i, j)| is_place(i, j) || is_place(j, i));
        pattern(n, n, &places.collect())
    }

    /// Numbers in the places, all different, or the same on both sides of the diagonal.
    fn number(row: usize, column: usize, is_symmetric: bool) -> f64 {
        let (row, column) =
            if is_symmetric && column < row { (column, row) } else { (row, column) };
        (1 + row * 1000 + column) as f64
    }

    /// Every entry is read once, and is the number of its place, not a sum of several.
    fn check_reads(pattern: &Pattern, coloring: &Coloring, by_rows: bool, is_symmetric: bool) {
        let entries: Vec<(usize, usize)> = pattern.iter().collect();
        let mut found = vec![0; pattern.len()];
        for (color, reads) in coloring.reads.iter().enumerate() {
            let mut product = vec![0.0; pattern.rows().max(pattern.columns())];
            for (row, column) in pattern.iter() {
                let (place, group) = if by_rows { (column, row) } else { (row, column) };
                if coloring.color_of[group] as usize == color {
                    product[place] += number(row, column, is_symmetric);
                }
            }
            for read in reads {
                let (row, column) = entries[read.entry];
                let mirror = if is_symmetric { (column, row) } else { (row, column) };
                assert_eq!(entries[read.mirror], mirror);
                assert_eq!(product[read.place], number(row, column, is_symmetric), "{pattern:?}");
                found[read.entry] += 1;
                found[read.mirror] += usize::from(read.mirror != read.entry);
            }
        }
        assert!(found.iter().all(|&times| times == 1), "{found:?} of {pattern:?}");
    }

    /// Neighbours differ, and no path of four vertices has two colours.
    fn check_stars(pattern: &Pattern, colors: &[u32]) {
        let neighbours = |v: usize| pattern.row(v).iter().copied().filter(move |&w| w != v);
        for a in 0..pattern.rows() {
            for b in neighbours(a) {
                assert_ne!(colors[a], colors[b], "neighbours {a} and {b} of {pattern:?}");
                for c in neighbours(b).filter(|&c| c != a) {
                    for d in neighbours(c).filter(|&d| d != b && d != a) {
                        let two = colors[a] == colors[c] && colors[b] == colors[d];
                        assert!(!two, "the path {a} {b} {c} {d} of {pattern:?}");
                    }
                }
            }
        }
    }

    fn check_hessian(pattern: &Pattern) -> usize {
        let coloring = star_coloring(pattern);
        check_stars(pattern, &coloring.color_of);
        check_reads(pattern, &coloring, false, true);
        coloring.colors()
    }

    fn check_jacobian(pattern: &Pattern) -> usize {
        let grouping = Grouping::of_jacobian(pattern);
        let by_rows = matches!(grouping, Grouping::Rows(_));
        check_reads(pattern, grouping.coloring(), by_rows, false);
        grouping.coloring().colors()
    }

    #[test]
    fn a_tridiagonal_hessian_takes_3_colors() {
        assert_eq!(check_hessian(&symmetric(50, |i, j| i.abs_diff(j) <= 1)), 3);
    }

    #[test]
    fn an_arrow_takes_2_colors_wherever_it_points() {
        for hub in [0, 20, 49] {
            assert_eq!(check_hessian(&symmetric(50, |i, j| i == j || j == hub)), 2);
        }
    }

    #[test]
    fn an_arrow_without_a_diagonal_takes_2_colors() {
        assert_eq!(check_hessian(&symmetric(50, |i, j| j == 49 && i != 49)), 2);
    }

    #[test]
    fn two_arrows_take_3_colors() {
        for hubs in [[0, 1], [48, 49], [0, 49]] {
            assert_eq!(check_hessian(&symmetric(50, |i, j| i == j || hubs.contains(&j))), 3);
        }
    }

    #[test]
    fn a_dense_hessian_takes_as_many_colors_as_columns() {
        assert_eq!(check_hessian(&symmetric(9, |_, _| true)), 9);
    }

    #[test]
    fn a_diagonal_hessian_takes_1_color_and_an_empty_one_none() {
        assert_eq!(check_hessian(&symmetric(9, |i, j| i == j)), 1);
        assert_eq!(check_hessian(&symmetric(9, |_, _| false)), 0);
        assert_eq!(check_hessian(&symmetric(0, |_, _| false)), 0);
    }

    #[test]
    fn the_grid_of_a_five_point_stencil_takes_few_colors() {
        let side = 12;
        let is_near = |i: usize, j: usize| {
            let (a, b) = ((i / side, i % side), (j / side, j % side));
            a.0.abs_diff(b.0) + a.1.abs_diff(b.1) <= 1
        };
        assert!(check_hessian(&symmetric(side * side, is_near)) <= 6);
    }

    #[test]
    fn an_arrow_of_100_000_vertices_is_coloured_in_no_time() {
        let n = 100_000;
        let rows = (0..n).map(|i| if i == n - 1 { (0..n).collect() } else { vec![i, n - 1] });
        assert_eq!(star_coloring(&Pattern::from_rows(n, rows)).colors(), 2);
    }

    #[test]
    fn a_tall_jacobian_of_bands_is_grouped_by_columns() {
        let places = (0..40).flat_map(|i| (0..3).map(move |k| (i, (i / 2 + k).min(21)))).collect();
        assert_eq!(check_jacobian(&pattern(40, 22, &places)), 3);
    }

    #[test]
    fn a_jacobian_with_a_dense_row_is_grouped_by_rows() {
        let mut places: Places = (0..40).map(|i| (i, i)).collect();
        places.extend((0..40).map(|j| (7, j)));
        let pattern = pattern(40, 40, &places);
        assert!(matches!(Grouping::of_jacobian(&pattern), Grouping::Rows(_)));
        assert_eq!(check_jacobian(&pattern), 2);
    }

    #[test]
    fn a_jacobian_with_a_dense_column_is_grouped_by_columns() {
        let mut places: Places = (0..40).map(|i| (i, i)).collect();
        places.extend((0..40).map(|i| (i, 7)));
        assert_eq!(check_jacobian(&pattern(40, 40, &places)), 2);
    }

    #[test]
    fn an_empty_jacobian_takes_no_colors() {
        for (rows, columns) in [(0, 0), (0, 3), (3, 0), (3, 4)] {
            assert_eq!(check_jacobian(&pattern(rows, columns, &Places::new())), 0);
        }
    }

    #[cfg(feature = "proptest")]
    mod random {
        use proptest::collection::btree_set;
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn star_colorings_have_no_path_of_two_colors(
                (n, places) in (1..24_usize).prop_flat_map(|n| (Just(n), btree_set((0..n, 0..n), 0..3 * n)))
            ) {
                let places: Places = places;
                check_hessian(&symmetric(n, |i, j| places.contains(&(i, j))));
            }

            #[test]
            fn every_entry_of_a_jacobian_stands_apart(
                (rows, columns, places) in (1..20_usize, 1..20_usize)
                    .prop_flat_map(|(m, n)| (Just(m), Just(n), btree_set((0..m, 0..n), 0..2 * (m + n))))
            ) {
                check_jacobian(&pattern(rows, columns, &places));
            }
        }
    }
}
