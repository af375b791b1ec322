//! Colours of a Jacobian's columns and rows.
//!
//! Most Jacobians have short rows, or short columns, and one kind of direction finds them in few products. An arrow has
//! neither: its long row demands a colour for every column, its long column one for every row. But without that row, two
//! colours of columns do, and the row takes one product backwards (Coleman and Verma, "The efficient computation of sparse
//! Jacobian matrices using automatic differentiation", SIAM J. Sci. Comput. 19, 1998). So a few of the longest rows may be
//! peeled off, and the rest found by columns; or a few of the longest columns, and the rest found by rows.

use core::cmp::Reverse;

use crate::pattern::Pattern;
use crate::program::graph::coloring::color_set::{ColorSet, Forbidden, NONE};
use crate::program::graph::coloring::{Coloring, Read, count};

/// How the entries of a Jacobian are found: each in one product, of columns or of rows.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    /// Groups of inputs: a colour's product is found forwards.
    pub(crate) columns: Coloring,
    /// Groups of outputs: a colour's product is found backwards.
    pub(crate) rows: Coloring,
}

impl Grouping {
    /// The colouring with the fewest colours that is found; by columns alone, or else by rows alone, where it takes as many.
    pub(crate) fn of_jacobian(pattern: &Pattern) -> Self {
        let transposed = pattern.transposed();
        let both = Both { rows: pattern, columns: &transposed };
        // What may need the fewest is tried first, and the others only while they can do better: colouring in vain may
        // take long.
        let mut ways = vec![both.by_columns(), both.by_rows()];
        ways.extend(both.peel_rows());
        ways.extend(both.peel_columns());
        let mut order: Vec<usize> = (0..ways.len()).collect();
        order.sort_by_key(|&way| ways[way].at_least);
        let mut best: Option<(usize, usize, Colors)> = None;
        for way in order {
            let limit = match &best {
                None => usize::MAX,
                // An earlier way is better where it takes as many.
                Some((count, of, _)) => (count + usize::from(way < *of)).saturating_sub(1),
            };
            let colors = both.color(&ways[way], limit);
            if let Some(colors) = colors.filter(|_| best.as_ref().is_none_or(|best| best.0 > 0)) {
                best = Some((colors.count(), way, colors));
            }
        }
        best.map_or_else(Self::default, |(_, way, colors)| both.grouping(&ways[way], colors))
    }

    /// The number of colours.
    pub(crate) fn colors(&self) -> usize {
        self.columns.colors() + self.rows.colors()
    }
}

/// A Jacobian's places, by rows and by columns.
struct Both<'a> {
    rows: &'a Pattern,
    columns: &'a Pattern,
}

/// Which rows are found backwards, by themselves; all other entries are found forwards, by columns. Or which columns are
/// found forwards, and all other entries backwards.
struct Way {
    /// Whether what is `chosen` are rows, not columns.
    is_of_rows: bool,
    chosen: Vec<bool>,
    /// It takes at least so many colours.
    at_least: usize,
}

/// The colours of the columns and the rows.
struct Colors {
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl Colors {
    fn count(&self) -> usize {
        count(&self.columns) + count(&self.rows)
    }
}

impl Both<'_> {
    fn by_columns(&self) -> Way {
        let chosen = vec![false; self.rows.rows()];
        Way { is_of_rows: true, chosen, at_least: self.rows.longest_row() }
    }

    fn by_rows(&self) -> Way {
        let chosen = vec![false; self.columns.rows()];
        Way { is_of_rows: false, chosen, at_least: self.columns.longest_row() }
    }

    fn peel_rows(&self) -> Option<Way> {
        let (chosen, at_least) = peel(self.rows)?;
        Some(Way { is_of_rows: true, chosen, at_least })
    }

    fn peel_columns(&self) -> Option<Way> {
        let (chosen, at_least) = peel(self.columns)?;
        Some(Way { is_of_rows: false, chosen, at_least })
    }

    /// The colours of a way, at most so many.
    fn color(&self, way: &Way, limit: usize) -> Option<Colors> {
        if way.at_least > limit {
            return None;
        }
        // Lines are what is chosen among; those across are the others.
        let (lines, across) =
            if way.is_of_rows { (self.rows, self.columns) } else { (self.columns, self.rows) };
        let chosen = color_apart(lines, |line| way.chosen[line], |_| true, limit)?;
        let left = limit - count(&chosen);
        let others = color_apart(across, |_| true, |line| !way.chosen[line], left)?;
        let (rows, columns) = if way.is_of_rows { (chosen, others) } else { (others, chosen) };
        Some(Colors { columns, rows })
    }

    /// Where each entry is read.
    fn grouping(&self, way: &Way, colors: Colors) -> Grouping {
        let mut columns = Coloring::new(colors.columns);
        let mut rows = Coloring::new(colors.rows);
        for (entry, (row, column)) in self.rows.iter().enumerate() {
            let is_chosen = way.chosen[if way.is_of_rows { row } else { column }];
            if is_chosen == way.is_of_rows {
                let color = rows.color_of[row] as usize;
                rows.reads[color].push(Read { place: column, entry, mirror: entry });
            } else {
                let color = columns.color_of[column] as usize;
                columns.reads[color].push(Read { place: row, entry, mirror: entry });
            }
        }
        Grouping { columns, rows }
    }
}

/// Which of the longest lines are best found by themselves, and how many colours that takes at least: as many as these have
/// places in one line across, and as the longest of the others has places. `None` where there is nothing to gain.
fn peel(lines: &Pattern) -> Option<(Vec<bool>, usize)> {
    let mut longest_first: Vec<usize> = (0..lines.rows()).collect();
    longest_first.sort_by_key(|&line| Reverse(lines.row(line).len()));
    let mut places = vec![0; lines.columns()];
    let mut most = 0;
    let (mut peeled, mut at_least) = (0, lines.longest_row());
    for (before, pair) in longest_first.windows(2).enumerate() {
        let [line, next] = [pair[0], pair[1]];
        for &across in lines.row(line) {
            places[across] += 1;
            most = most.max(places[across]);
        }
        let colors = most + lines.row(next).len();
        if colors < at_least {
            (peeled, at_least) = (before + 1, colors);
        }
    }
    let mut chosen = vec![false; lines.rows()];
    for &line in &longest_first[..peeled] {
        chosen[line] = true;
    }
    (peeled > 0).then_some((chosen, at_least))
}

/// Colours those lines that are wanted, so that no two of a colour meet in a line across that counts: in their order, and
/// the longest first, of which the better is taken. `None` beyond `limit` colours.
fn color_apart(
    lines: &Pattern,
    is_wanted: impl Fn(usize) -> bool,
    counts: impl Fn(usize) -> bool,
    limit: usize,
) -> Option<Vec<u32>> {
    let across = |line: usize| lines.row(line).iter().copied().filter(|&across| counts(across));
    let mut places = vec![0; lines.columns()];
    let mut order: Vec<usize> = (0..lines.rows()).filter(|&line| is_wanted(line)).collect();
    order.retain(|&line| {
        across(line).for_each(|across| places[across] += 1);
        across(line).next().is_some()
    });
    let at_least = places.iter().copied().max().unwrap_or(0);
    if at_least > limit {
        return None;
    }
    // All meet in one line.
    if at_least == order.len() {
        let mut colors = vec![NONE; lines.rows()];
        order.iter().zip(0..).for_each(|(&line, color)| colors[line] = color);
        return Some(colors);
    }
    let in_order = |order: &[usize], limit: usize| {
        let mut colors = vec![NONE; lines.rows()];
        let mut forbidden = Forbidden::default();
        let mut met: Vec<ColorSet> = Vec::new();
        met.resize_with(lines.columns(), ColorSet::default);
        for &line in order {
            forbidden.begin(line);
            across(line).for_each(|across| forbidden.forbid_all(&met[across]));
            let color = forbidden.first_allowed();
            if color as usize >= limit {
                return None;
            }
            colors[line] = color;
            across(line).for_each(|across| met[across].add(color));
        }
        Some(colors)
    };
    let colors = in_order(&order, limit);
    let limit = colors.as_ref().map_or(limit, |colors| count(colors).saturating_sub(1));
    if limit < at_least {
        return colors;
    }
    order.sort_by_key(|&line| Reverse(across(line).count()));
    in_order(&order, limit).or(colors)
}
