//! Colours of a Jacobian's columns and rows.
//!
//! Most Jacobians have short rows, or short columns, and one kind of direction finds them in few products. An arrow has
//! neither: its long row demands a colour for every column, its long column one for every row. But without that row, two
//! colours of columns do, and the row takes one product backwards. To colour both is *star bicolouring* (Coleman and Verma,
//! "The efficient computation of sparse Jacobian matrices using automatic differentiation", SIAM J. Sci. Comput. 19, 1998;
//! Gebremedhin, Manne and Pothen, "What color is your Jacobian?", SIAM Review 47, 2005, section 6).
//!
//! Here it takes an order of all rows and columns, which are called lines. One after the other is taken away, with what is left of
//! its entries: they are read in its product. A line of which nothing is left needs none. All columns first, or all rows: that
//! is a colouring of one kind. All columns but after a few long rows: these are peeled off. Orders that mix more are found
//! from their ends: see [`Both::peel`].

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
    /// The cheapest colouring that is found, of those that cost the same the one with the fewest colours; by columns alone,
    /// or else by rows alone, where these do. `cost` is what so many colours of columns and of rows take.
    pub(crate) fn of_jacobian(pattern: &Pattern, cost: impl Fn(usize, usize) -> usize) -> Self {
        /// Places that are looked at before the best way so far is good enough: for each of the pattern's, or anyway.
        const EFFORT: [usize; 2] = [4, 1 << 24];
        let transposed = pattern.transposed();
        let both = Both { rows: pattern, columns: &transposed };
        let price = |[columns, rows]: [usize; 2]| {
            (cost(columns, rows), columns + rows, if columns > 0 { rows } else { 0 })
        };
        let mut ways = vec![both.by_columns(), both.by_rows()];
        ways.extend(both.peel_rows(price));
        ways.extend(both.peel_columns(price));
        ways.extend(both.mixtures(price));
        // What may need the fewest is tried first, and the others only while they can do better: colouring in vain may
        // take long.
        let mut order: Vec<usize> = (0..ways.len()).collect();
        order.sort_by_key(|&way| price(ways[way].at_least));
        let mut best: Option<(Price, usize, Colors)> = None;
        let (mut effort, most) = (0, EFFORT[1].max(EFFORT[0] * pattern.len()));
        for longest_first in [false, true] {
            for &way in &order {
                if best.is_some() && effort > most {
                    break;
                }
                let is_better = |colors: [usize; 2]| {
                    // An earlier way is better where it takes as many.
                    let beats = |(least, of, _): &(Price, usize, Colors)| {
                        (price(colors), way) < (*least, *of)
                    };
                    best.as_ref().is_none_or(beats)
                };
                let colors = both.color(&ways[way], longest_first, is_better, &mut effort);
                if let Some(colors) = colors {
                    best = Some((price(colors.counts()), way, colors));
                }
            }
        }
        best.map_or_else(Self::default, |(_, way, colors)| both.grouping(&ways[way], colors))
    }

    /// The number of colours.
    pub(crate) fn colors(&self) -> usize {
        self.columns.colors() + self.rows.colors()
    }
}

/// What colours cost, how many there are, and, of a mixture, how many of rows, which may take longer: less is better.
type Price = (usize, usize, usize);

/// A Jacobian's places, by rows and by columns.
struct Both<'a> {
    rows: &'a Pattern,
    columns: &'a Pattern,
}

/// An order in which lines are taken away.
struct Way {
    /// When each row is, and each column: earlier ones have smaller numbers, and two that have the same are of one kind.
    row_at: Vec<u32>,
    column_at: Vec<u32>,
    /// It takes at least so many colours of columns, and of rows.
    at_least: [usize; 2],
}

/// The colours of the columns and the rows.
struct Colors {
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl Colors {
    fn counts(&self) -> [usize; 2] {
        [count(&self.columns), count(&self.rows)]
    }
}

/// A row or a column.
#[derive(Clone, Copy)]
enum Line {
    Row(u32),
    Column(u32),
}

impl Both<'_> {
    fn by_columns(&self) -> Way {
        Way {
            row_at: vec![1; self.rows.rows()],
            column_at: vec![0; self.columns.rows()],
            at_least: [self.rows.longest_row(), 0],
        }
    }

    fn by_rows(&self) -> Way {
        Way {
            row_at: vec![0; self.rows.rows()],
            column_at: vec![1; self.columns.rows()],
            at_least: [0, self.columns.longest_row()],
        }
    }

    /// Some of the longest rows first, then all columns.
    fn peel_rows(&self, price: impl Fn([usize; 2]) -> Price) -> Option<Way> {
        let least = |of_peeled, of_others| price([of_others, of_peeled]);
        let (peeled, [of_peeled, of_others]) = longest_apart(self.rows, least)?;
        let row_at = peeled.iter().map(|&is_peeled| if is_peeled { 0 } else { 2 }).collect();
        let column_at = vec![1; self.columns.rows()];
        Some(Way { row_at, column_at, at_least: [of_others, of_peeled] })
    }

    /// Some of the longest columns first, then all rows.
    fn peel_columns(&self, price: impl Fn([usize; 2]) -> Price) -> Option<Way> {
        let least = |of_peeled, of_others| price([of_peeled, of_others]);
        let (peeled, at_least) = longest_apart(self.columns, least)?;
        let column_at = peeled.iter().map(|&is_peeled| if is_peeled { 0 } else { 2 }).collect();
        Some(Way { row_at: vec![1; self.rows.rows()], column_at, at_least })
    }

    /// Ways of which each may be cheaper than the one before, and all than columns or rows alone: the last two that are found.
    fn mixtures(&self, price: impl Fn([usize; 2]) -> Price) -> Vec<Way> {
        /// Places that are looked at for each of the pattern's, and its lines.
        const EFFORT: usize = 12;
        let lines = self.rows.rows() + self.columns.rows();
        let mut effort = EFFORT * (self.rows.len() + lines);
        let longest = self.rows.longest_row();
        let mut least = price([longest, 0]).min(price([0, self.columns.longest_row()]));
        let mut ways: Vec<Way> = Vec::new();
        let mut try_one = |of_columns: usize, least: &mut Price| {
            let is_worth = |of_rows| price([of_columns, of_rows]) < *least;
            if effort == 0 || !is_worth(1) {
                return false;
            }
            let Some(way) = self.peel(of_columns, is_worth, &mut effort) else { return false };
            *least = price(way.at_least);
            ways.push(way);
            true
        };
        // Every number of colours of columns would do; two for each power of 2 come near, and then the next ones.
        let powers = (0..usize::BITS - 1).map(|power| 1_usize << power);
        let grid = powers.flat_map(|n| [n, n + n / 2]).take_while(|&n| n < longest);
        let mut center = None;
        for n in grid {
            if try_one(n, &mut least) {
                center = Some(n);
            }
        }
        if let Some(center) = center {
            let mut below = (1..center).rev();
            while below.next().is_some_and(|n| try_one(n, &mut least)) {}
            let mut above = center + 1..longest;
            while above.next().is_some_and(|n| try_one(n, &mut least)) {}
        }
        ways.split_off(ways.len().saturating_sub(2))
    }

    /// The way from its end: rows with at most `of_columns` places left are taken away, and columns with as few as that
    /// allows, until none is left. In the order that is the reverse of this, the columns that come before a row are those in
    /// which it has a place then, and so many colours tell them apart; the columns likewise. (Coleman and Verma's "minimum
    /// nonzero count ordering", for every number of colours of columns that is tried.)
    ///
    /// `None` where that is not worth it, or finding it takes long.
    fn peel(
        &self,
        of_columns: usize,
        is_worth: impl Fn(usize) -> bool,
        effort: &mut usize,
    ) -> Option<Way> {
        let degrees = |lines: &Pattern| -> Vec<u32> {
            lines.starts().windows(2).map(|bounds| (bounds[1] - bounds[0]) as u32).collect()
        };
        let (rows, columns) = (self.rows.rows(), self.columns.rows());
        let longest = self.columns.longest_row();
        let most = (1..=longest).take_while(|&n| is_worth(n)).last()?;
        *effort = effort.saturating_sub(rows + columns);
        let (mut row_left, mut column_left) = (degrees(self.rows), degrees(self.columns));
        let (mut row_at, mut column_at) = (vec![NONE; rows], vec![NONE; columns]);
        let mut ready_rows: Vec<usize> = Vec::new();
        ready_rows.extend((0..rows).filter(|&row| row_left[row] as usize <= of_columns));
        // The columns that so many places have been left of.
        let mut with_left: Vec<Vec<u32>> = vec![Vec::new(); most + 1];
        for (column, &left) in (0..).zip(&column_left) {
            if let Some(list) = with_left.get_mut(left as usize) {
                list.push(column);
            }
        }
        let (mut of_rows, mut taken, mut step) = (0, 0, 0);
        let mut ready_columns = core::mem::take(&mut with_left[0]);
        while taken < rows + columns {
            if !ready_rows.is_empty() {
                taken += ready_rows.len();
                for row in core::mem::take(&mut ready_rows) {
                    row_at[row] = step;
                    *effort = effort.saturating_sub(self.rows.row(row).len());
                    for &column in self.rows.row(row) {
                        if column_at[column] != NONE {
                            continue;
                        }
                        column_left[column] -= 1;
                        let left = column_left[column] as usize;
                        if left == of_rows {
                            ready_columns.push(column as u32);
                        } else if left <= most {
                            with_left[left].push(column as u32);
                        }
                    }
                }
                step += 1;
            } else if !ready_columns.is_empty() {
                taken += ready_columns.len();
                for column in core::mem::take(&mut ready_columns) {
                    let column = column as usize;
                    column_at[column] = step;
                    *effort = effort.saturating_sub(self.columns.row(column).len());
                    for &row in self.columns.row(column) {
                        if row_at[row] == NONE {
                            row_left[row] -= 1;
                            if row_left[row] as usize == of_columns {
                                ready_rows.push(row);
                            }
                        }
                    }
                }
                step += 1;
            } else {
                of_rows += 1;
                if of_rows > most || *effort == 0 {
                    return None;
                }
                ready_columns = core::mem::take(&mut with_left[of_rows]);
                ready_columns.retain(|&column| {
                    let column = column as usize;
                    column_at[column] == NONE && column_left[column] as usize == of_rows
                });
            }
        }
        for at in row_at.iter_mut().chain(&mut column_at) {
            *at = step - *at;
        }
        Some(Way { row_at, column_at, at_least: [of_columns, of_rows] })
    }

    /// The colours of a way, while so many columns' and rows' are better than what there is.
    fn color(
        &self,
        way: &Way,
        longest_first: bool,
        is_better: impl Fn([usize; 2]) -> bool,
        effort: &mut usize,
    ) -> Option<Colors> {
        if !is_better(way.at_least) {
            return None;
        }
        if let Some(colors) = self.each_its_own(way) {
            return is_better(colors.counts()).then_some(colors);
        }
        let mut colors =
            Colors { columns: vec![NONE; self.columns.rows()], rows: vec![NONE; self.rows.rows()] };
        let (mut of_columns, mut of_rows) =
            (Sieve::new(self.columns, self.rows), Sieve::new(self.rows, self.columns));
        for line in self.order(way, longest_first) {
            match line {
                Line::Column(column) => {
                    let is_left = |row: usize| way.row_at[row] > way.column_at[column as usize];
                    of_columns.take(column as usize, is_left, &mut colors.columns);
                }
                Line::Row(row) => {
                    let is_left = |column| way.column_at[column] > way.row_at[row as usize];
                    of_rows.take(row as usize, is_left, &mut colors.rows);
                }
            }
            if !is_better([of_columns.colors, of_rows.colors]) {
                return None;
            }
            // At each place across stand a few colours, the more the more there are.
            *effort += self.length(line) * (1 + (of_columns.colors + of_rows.colors) / 16);
        }
        Some(colors)
    }

    /// The lines in a way's order; among those that are taken at the same time, the longest first.
    fn order(&self, way: &Way, longest_first: bool) -> Vec<Line> {
        let rows = (0..self.rows.rows() as u32).map(Line::Row);
        let columns = (0..self.columns.rows() as u32).map(Line::Column);
        let lines = || columns.clone().chain(rows.clone());
        let at = |line: Line| match line {
            Line::Row(row) => way.row_at[row as usize],
            Line::Column(column) => way.column_at[column as usize],
        };
        // A counting sort.
        let mut next = vec![0; 2 + lines().map(at).max().unwrap_or(0) as usize];
        lines().for_each(|line| next[at(line) as usize + 1] += 1);
        for at in 1..next.len() {
            next[at] += next[at - 1];
        }
        let mut order = vec![Line::Row(0); next[next.len() - 1]];
        for line in lines() {
            let place = &mut next[at(line) as usize];
            order[*place] = line;
            *place += 1;
        }
        if longest_first {
            order.sort_by_key(|&line| (at(line), Reverse(self.length(line))));
        }
        order
    }

    fn length(&self, line: Line) -> usize {
        match line {
            Line::Row(row) => self.rows.row(row as usize).len(),
            Line::Column(column) => self.columns.row(column as usize).len(),
        }
    }

    /// The colours of a way that takes lines of one kind, where all of them meet in one line across.
    fn each_its_own(&self, way: &Way) -> Option<Colors> {
        let (lines, other, most) = match way.at_least {
            [most, 0] => (self.columns, self.rows, most),
            [0, most] => (self.rows, self.columns, most),
            _ => return None,
        };
        let is_used = |&line: &usize| !lines.row(line).is_empty();
        if (0..lines.rows()).filter(is_used).count() != most {
            return None;
        }
        let mut colors = vec![NONE; lines.rows()];
        (0..lines.rows()).filter(is_used).zip(0..).for_each(|(line, color)| colors[line] = color);
        let none = vec![NONE; other.rows()];
        Some(if way.at_least[1] == 0 {
            Colors { columns: colors, rows: none }
        } else {
            Colors { columns: none, rows: colors }
        })
    }

    /// Where each entry is read.
    fn grouping(&self, way: &Way, colors: Colors) -> Grouping {
        let mut columns = Coloring::new(colors.columns);
        let mut rows = Coloring::new(colors.rows);
        for (entry, (row, column)) in self.rows.iter().enumerate() {
            if way.row_at[row] > way.column_at[column] {
                let color = columns.color_of[column] as usize;
                columns.reads[color].push(Read { place: row, entry, mirror: entry });
            }
        }
        // By columns, which are the places.
        let mut next = self.rows.starts().to_vec();
        for (column, row) in self.columns.iter() {
            let entry = next[row];
            next[row] += 1;
            if way.row_at[row] < way.column_at[column] {
                let color = rows.color_of[row] as usize;
                rows.reads[color].push(Read { place: column, entry, mirror: entry });
            }
        }
        Grouping { columns, rows }
    }
}

/// Which of the longest lines are best taken first, and how many colours they and those across take at least: as many as these
/// lines have places in one line across, and as the longest of the others has places. `None` where there is nothing to gain.
fn longest_apart(
    lines: &Pattern,
    price: impl Fn(usize, usize) -> Price,
) -> Option<(Vec<bool>, [usize; 2])> {
    let mut longest_first: Vec<usize> = (0..lines.rows()).collect();
    longest_first.sort_by_key(|&line| Reverse(lines.row(line).len()));
    let mut places = vec![0; lines.columns()];
    let mut most = 0;
    let (mut peeled, mut at_least) = (0, [0, lines.longest_row()]);
    for (before, pair) in longest_first.windows(2).enumerate() {
        let [line, next] = [pair[0], pair[1]];
        for &across in lines.row(line) {
            places[across] += 1;
            most = most.max(places[across]);
        }
        let colors = [most, lines.row(next).len()];
        if price(colors[0], colors[1]) < price(at_least[0], at_least[1]) {
            (peeled, at_least) = (before + 1, colors);
        }
    }
    let mut chosen = vec![false; lines.rows()];
    for &line in &longest_first[..peeled] {
        chosen[line] = true;
    }
    (peeled > 0).then_some((chosen, at_least))
}

/// Colours lines of one kind, one after the other.
struct Sieve<'a> {
    lines: &'a Pattern,
    forbidden: Forbidden,
    /// The colours of those lines that were coloured while a line across was left.
    met: Vec<ColorSet>,
    /// How many there are.
    colors: usize,
}

impl<'a> Sieve<'a> {
    fn new(lines: &'a Pattern, across: &Pattern) -> Self {
        let mut met = Vec::new();
        met.resize_with(across.rows(), ColorSet::default);
        Self { lines, forbidden: Forbidden::default(), met, colors: 0 }
    }

    /// Takes a line away. It has a colour if there is a line across that is left. Others of this colour must not meet it there,
    /// whenever they are taken; nor must it meet those that read an entry in a line across that is gone.
    fn take(&mut self, line: usize, is_left: impl Fn(usize) -> bool, colors: &mut [u32]) {
        let across = self.lines.row(line);
        if !across.iter().any(|&across| is_left(across)) {
            return;
        }
        self.forbidden.begin(line);
        for &across in across {
            self.forbidden.forbid_all(&self.met[across]);
        }
        let color = self.forbidden.first_allowed();
        colors[line] = color;
        self.colors = self.colors.max(color as usize + 1);
        for &across in across.iter().filter(|&&across| is_left(across)) {
            self.met[across].add(color);
        }
    }
}
