//! Which columns of a sparse matrix can be found together: those of one colour take one sweep.
//!
//! A sweep gives the product of the matrix with one direction. Where no two columns of a direction have an entry in the
//! same row, the entries of all of them stand apart in the product. To need few directions is a matter of colouring a
//! graph (Gebremedhin, Manne and Pothen, "What color is your Jacobian? Graph coloring for computing derivatives", SIAM
//! Review 47, 2005): see [`jacobian`] and [`hessian`]. To colour with the fewest colours is hard; greedy colouring in a
//! good order comes near.
//!
//! Every colouring takes time proportional to the number of entries times, at worst, a few colours: none searches the
//! neighbours of neighbours, of which a vertex with many makes many.

mod color_set;
pub(crate) mod hessian;
pub(crate) mod jacobian;
pub(crate) mod substitution;

pub(crate) use crate::program::graph::coloring::color_set::NONE;

/// Groups of columns (or rows), and where the matrix's entries are found in the products with them.
#[derive(Debug, Default)]
pub(crate) struct Coloring {
    /// The colour of each column (row); [`NONE`] where it has no entries.
    pub(crate) color_of: Vec<u32>,
    /// For each colour, the entries found in its product, by their places in it.
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

/// The number of colours used.
fn count(colors: &[u32]) -> usize {
    colors.iter().filter(|&&color| color != NONE).max().map_or(0, |&last| last as usize + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::hessian::Symmetric;
    use super::jacobian::Grouping;
    use super::*;
    use crate::pattern::Pattern;

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
        let mut found = vec![0; pattern.len()];
        check_apart(pattern, coloring, by_rows, is_symmetric, &mut found);
        assert!(found.iter().all(|&times| times == 1), "{found:?} of {pattern:?}");
    }

    /// Every entry that is read is the number of its place; how often each is read is counted.
    fn check_apart(
        pattern: &Pattern,
        coloring: &Coloring,
        by_rows: bool,
        is_symmetric: bool,
        found: &mut [usize],
    ) {
        let entries: Vec<(usize, usize)> = pattern.iter().collect();
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

    /// The numbers of colours for reading directly, and, where they are fewer, for substitution.
    fn check_hessian(pattern: &Pattern) -> (usize, usize) {
        let symmetric = Symmetric::of_hessian(pattern, |colors| colors);
        let direct = &symmetric.direct;
        check_stars(pattern, &direct.color_of);
        check_reads(pattern, direct, false, true);
        if let Some(substituted) = &symmetric.substituted {
            let mut data = vec![0.0; pattern.len()];
            let coloring = &substituted.coloring;
            for (color, reads) in coloring.reads.iter().enumerate() {
                let mut product = vec![0.0; pattern.rows()];
                for (row, column) in pattern.iter() {
                    if coloring.color_of[column] as usize == color {
                        product[row] += number(row, column, true);
                    }
                }
                for read in reads {
                    data[read.entry] = product[read.place];
                    data[read.mirror] = product[read.place];
                }
            }
            assert!(substituted.substitute(pattern, &mut data));
            // Of integers, differences are exact.
            let numbers = pattern.iter().map(|(row, column)| number(row, column, true));
            assert_eq!(data, numbers.collect::<Vec<_>>(), "{pattern:?}");
            assert!(coloring.colors() < direct.colors());
        }
        (direct.colors(), symmetric.colors())
    }

    fn check_jacobian(pattern: &Pattern) -> [usize; 2] {
        let grouping = Grouping::of_jacobian(pattern, |columns, rows| columns + rows);
        let of_one_kind = [[1, 1000], [1000, 1]].map(|[of_column, of_row]| {
            let cost = |columns, rows| of_column * columns + of_row * rows;
            Grouping::of_jacobian(pattern, cost).colors()
        });
        assert!(of_one_kind.iter().all(|&colors| grouping.colors() <= colors), "{pattern:?}");
        let Grouping { columns, rows } = grouping;
        let mut found = vec![0; pattern.len()];
        for (coloring, by_rows) in [(&columns, false), (&rows, true)] {
            check_apart(pattern, coloring, by_rows, false, &mut found);
        }
        assert!(found.iter().all(|&times| times == 1), "{found:?} of {pattern:?}");
        [columns.colors(), rows.colors()]
    }

    #[test]
    fn a_band_takes_one_color_more_than_it_has_entries_on_a_side() {
        for (width, by_stars) in [(1, 3), (2, 5), (3, 7)] {
            let band = symmetric(50, |i, j| i.abs_diff(j) <= width);
            assert_eq!(check_hessian(&band), (by_stars, width + 1));
        }
    }

    #[test]
    fn an_arrow_takes_2_colors_wherever_it_points() {
        for hub in [0, 20, 49] {
            assert_eq!(check_hessian(&symmetric(50, |i, j| i == j || j == hub)), (2, 2));
        }
    }

    #[test]
    fn an_arrow_without_a_diagonal_takes_2_colors() {
        assert_eq!(check_hessian(&symmetric(50, |i, j| j == 49 && i != 49)), (2, 2));
    }

    #[test]
    fn two_arrows_take_3_colors() {
        for hubs in [[0, 1], [48, 49], [0, 49]] {
            assert_eq!(check_hessian(&symmetric(50, |i, j| i == j || hubs.contains(&j))), (3, 3));
        }
    }

    #[test]
    fn a_band_with_an_arrow_takes_one_color_more() {
        let is_place = |i: usize, j: usize| i.abs_diff(j) <= 1 || j == 20;
        assert_eq!(check_hessian(&symmetric(50, is_place)), (4, 3));
    }

    #[test]
    fn a_dense_hessian_takes_as_many_colors_as_columns() {
        assert_eq!(check_hessian(&symmetric(9, |_, _| true)), (9, 9));
        assert_eq!(check_hessian(&symmetric(200, |_, _| true)), (200, 200));
    }

    #[test]
    fn a_diagonal_hessian_takes_1_color_and_an_empty_one_none() {
        assert_eq!(check_hessian(&symmetric(9, |i, j| i == j)), (1, 1));
        assert_eq!(check_hessian(&symmetric(9, |_, _| false)), (0, 0));
        assert_eq!(check_hessian(&symmetric(0, |_, _| false)), (0, 0));
    }

    #[test]
    fn the_grid_of_a_five_point_stencil_takes_few_colors() {
        let side = 12;
        let is_near = |i: usize, j: usize| {
            let (a, b) = ((i / side, i % side), (j / side, j % side));
            a.0.abs_diff(b.0) + a.1.abs_diff(b.1) <= 1
        };
        let (direct, substituted) = check_hessian(&symmetric(side * side, is_near));
        assert!(direct <= 6 && substituted <= 4, "{direct}, {substituted}");
    }

    #[test]
    fn substitution_is_for_what_costs_less() {
        let band = symmetric(50, |i, j| i.abs_diff(j) <= 1);
        assert!(Symmetric::of_hessian(&band, |colors| colors.max(3)).substituted.is_none());
    }

    #[test]
    fn an_arrow_of_100_000_vertices_is_coloured_in_no_time() {
        let n = 100_000;
        let rows = (0..n).map(|i| if i == n - 1 { (0..n).collect() } else { vec![i, n - 1] });
        let arrow = Pattern::from_rows(n, rows);
        assert_eq!(Symmetric::of_hessian(&arrow, |colors| colors).colors(), 2);
        assert_eq!(Grouping::of_jacobian(&arrow, |columns, rows| columns + rows).colors(), 3);
    }

    #[test]
    fn a_tall_jacobian_of_bands_is_grouped_by_columns() {
        let places = (0..40).flat_map(|i| (0..3).map(move |k| (i, (i / 2 + k).min(21)))).collect();
        assert_eq!(check_jacobian(&pattern(40, 22, &places)), [3, 0]);
    }

    #[test]
    fn a_jacobian_with_a_dense_row_is_grouped_by_rows() {
        let mut places: Places = (0..40).map(|i| (i, i)).collect();
        places.extend((0..40).map(|j| (7, j)));
        assert_eq!(check_jacobian(&pattern(40, 40, &places)), [0, 2]);
    }

    #[test]
    fn a_jacobian_with_a_dense_column_is_grouped_by_columns() {
        let mut places: Places = (0..40).map(|i| (i, i)).collect();
        places.extend((0..40).map(|i| (i, 7)));
        assert_eq!(check_jacobian(&pattern(40, 40, &places)), [2, 0]);
    }

    #[test]
    fn of_a_jacobian_with_dense_rows_and_columns_either_are_peeled() {
        let is_place = |i: usize, j: usize, rows, columns| i == j || i < rows || j < columns;
        for (rows, columns) in [(1, 1), (3, 2), (2, 3)] {
            let places = (0..40).flat_map(|i| (0..40).map(move |j| (i, j)));
            let places = places.filter(|&(i, j)| is_place(i, j, rows, columns)).collect();
            let colors = check_jacobian(&pattern(40, 40, &places));
            assert_eq!(colors[0] + colors[1], rows + columns + 1, "{colors:?}");
        }
    }

    /// The colours of a square Jacobian, columns' and rows'.
    fn of_square(n: usize, is_place: impl Fn(usize, usize) -> bool) -> [usize; 2] {
        let places = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        check_jacobian(&pattern(n, n, &places.filter(|&(i, j)| is_place(i, j)).collect()))
    }

    #[test]
    fn a_band_with_dense_rows_and_columns_takes_a_color_for_each_and_its_own() {
        for (rows, columns) in [(1, 1), (3, 2), (2, 5)] {
            let is_dense = |i, j| i < rows || j % 20 == 7 && j / 20 < columns;
            let colors = of_square(100, |i: usize, j| is_dense(i, j) || i.abs_diff(j) <= 1);
            assert_eq!(colors[0] + colors[1], rows + columns + 3, "{colors:?}");
        }
    }

    #[test]
    fn a_block_arrow_takes_a_block_and_its_borders() {
        let is_place = |i: usize, j: usize| i / 5 == j / 5 || i >= 76 || j >= 77;
        let colors = of_square(80, is_place);
        assert_eq!(colors[0] + colors[1], 5 + 4 + 3, "{colors:?}");
    }

    /// [H Aᵀ; A 0], with two constraints of all variables.
    #[test]
    fn the_conditions_of_an_optimum_take_few_colors() {
        let is_place = |i: usize, j: usize| match (i.max(j), i.min(j)) {
            (high, low) if high < 60 => high - low <= 1,
            (high, low) if low < 60 => high >= 80 || (high - 60) == low / 3,
            _ => false,
        };
        let colors = of_square(82, is_place);
        assert!(colors[0] + colors[1] <= 11, "{colors:?}");
    }

    /// Dense rows in the upper half of the columns, dense columns in the upper half of the rows, and what is dense in turn
    /// among the others: neither rows alone nor columns alone can be peeled.
    #[test]
    fn lines_of_both_kinds_are_peeled_in_turn() {
        let is_place = |i: usize, j: usize| {
            i == j || i == 0 && j >= 30 || j == 1 && i >= 30 || i == 2 && j < 30 || j == 3 && i < 30
        };
        let colors = of_square(60, is_place);
        assert!(colors[0] + colors[1] <= 5, "{colors:?}");
    }

    /// A row of 6 columns, each of 6 more rows, each of 6 more columns.
    #[test]
    fn a_tree_of_rows_and_columns_takes_2_colors_of_each() {
        let of_first = (0..6).map(|column| (0, column));
        let of_rows = (0..36).map(|k| (1 + k, k / 6));
        let of_columns = (0..216).map(|k| (1 + k / 6, 6 + k));
        let places = of_first.chain(of_rows).chain(of_columns).collect();
        let colors = check_jacobian(&pattern(37, 222, &places));
        assert!(colors[0] + colors[1] <= 4, "{colors:?}");
    }

    #[test]
    fn the_cheaper_kind_of_product_is_taken() {
        let band =
            pattern(9, 9, &(0..9).flat_map(|i| (i..9.min(i + 2)).map(move |j| (i, j))).collect());
        let colors = |cost: fn(usize, usize) -> usize| {
            let Grouping { columns, rows } = Grouping::of_jacobian(&band, cost);
            [columns.colors(), rows.colors()]
        };
        assert_eq!(colors(|columns, rows| columns + 2 * rows), [2, 0]);
        assert_eq!(colors(|columns, rows| 2 * columns + rows), [0, 2]);
    }

    #[test]
    fn a_jacobian_below_the_diagonal_takes_as_many_colors_as_columns() {
        let places = (0..200).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
        assert_eq!(check_jacobian(&pattern(200, 200, &places)), [200, 0]);
    }

    #[test]
    fn an_empty_jacobian_takes_no_colors() {
        for (rows, columns) in [(0, 0), (0, 3), (3, 0), (3, 4)] {
            assert_eq!(check_jacobian(&pattern(rows, columns, &Places::new())), [0, 0]);
        }
    }

    #[cfg(feature = "proptest")]
    mod random {
        use proptest::collection::btree_set;
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn every_entry_of_a_hessian_is_found(
                (n, places) in (1..24_usize).prop_flat_map(|n| (Just(n), btree_set((0..n, 0..n), 0..3 * n)))
            ) {
                let places: Places = places;
                check_hessian(&symmetric(n, |i, j| places.contains(&(i, j))));
            }

            /// With a few places in rows and columns that are nearly dense.
            #[test]
            fn every_entry_of_a_jacobian_with_dense_lines_stands_apart(
                (rows, columns, places) in (8..30_usize, 8..30_usize)
                    .prop_flat_map(|(m, n)| (Just(m), Just(n), btree_set((0..m, 0..n), 0..m + n))),
                gaps in btree_set((0..30_usize, 0..30_usize), 0..20),
                dense in (0..3_usize, 0..3_usize),
            ) {
                let lines = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
                let lines = lines.filter(|place| (place.0 < dense.0 || place.1 < dense.1) && !gaps.contains(place));
                check_jacobian(&pattern(rows, columns, &lines.chain(places).collect()));
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
