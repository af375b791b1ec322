//! How a column's encoding is learnt from its cells.

use core::cmp::Reverse;

use indexmap::IndexMap;

use super::super::cell::{day_format, days, is_gap, is_gap_among_numbers, moment, number, yes_no};
use super::super::{Classes, ColumnSettings, Flaw};
use super::{Comma, Encoding, Why};

/// A number column may have so many numbers for each cell that is none: the cell is a slip then, and no text.
const NUMBERS_PER_SLIP: usize = 10;

/// The cells of a column.
pub(in super::super) struct Cells<'a> {
    /// Those of all rows: they tell of what kind the column is.
    pub(in super::super) all: Vec<&'a str>,
    /// The rows to learn from.
    pub(in super::super) rows: &'a [usize],
    pub(in super::super) delimiter: u8,
    pub(in super::super) is_text: bool,
}

impl Encoding {
    /// What a column is to be taken for; or the rows of the cells that keep it from being numbers.
    pub(in super::super) fn learn(
        cells: &Cells<'_>,
        settings: &ColumnSettings,
    ) -> Result<Self, Vec<(usize, Flaw)>> {
        let is_blank = |cell: &str| settings.is_gap(cell) || is_gap_among_numbers(cell);
        let present: Vec<&str> = cells.all.iter().copied().filter(|cell| !is_blank(cell)).collect();
        if cells.is_text || present.is_empty() {
            return Ok(Self::category(cells, settings));
        }
        let comma = Comma::of(present.iter().copied(), cells.delimiter);
        let numbers = present.iter().filter(|cell| number(cell, comma).is_some()).count();
        let slips = present.len() - numbers;
        if slips > 0 && numbers >= NUMBERS_PER_SLIP * slips {
            let is_slip = |cell: &str| !is_blank(cell) && number(cell, comma).is_none();
            let all = cells.all.iter().enumerate();
            let slips = all.filter(|(_, cell)| is_slip(cell));
            return Err(slips
                .map(|(row, cell)| (row, Flaw::NotANumber((*cell).to_owned())))
                .collect());
        }
        let learnt = || cells.rows.iter().map(|&row| cells.all[row]).filter(|cell| !is_blank(cell));
        let gaps = cells.rows.iter().any(|&row| is_blank(cells.all[row]));
        if slips == 0 {
            let infinite = |cell: &&str| number(cell, comma).is_some_and(f64::is_infinite);
            if present.iter().any(infinite) {
                let all = cells.all.iter().enumerate();
                let bad = all.filter(|(_, cell)| infinite(cell));
                return Err(bad
                    .map(|(row, cell)| (row, Flaw::NotFinite((*cell).to_owned())))
                    .collect());
            }
            let numbers: Vec<f64> = learnt().filter_map(|cell| number(cell, comma)).collect();
            let number = |fill| Self::Number { comma, fill, gaps };
            // One that is the same everywhere does no harm, and may be a pixel of a picture.
            return Ok(match numbers.first() {
                Some(&first) if numbers.iter().all(|&other| other == first) => number(first),
                _ => Self::of_amounts(numbers, gaps, number),
            });
        }
        if present.iter().all(|cell| yes_no(cell).is_some()) {
            let answers: Vec<f64> =
                learnt().filter_map(yes_no).map(|yes| f64::from(u8::from(yes))).collect();
            let yes = answers.iter().sum::<f64>() * 2.0 > answers.len() as f64;
            return Ok(Self::of_amounts(answers, gaps, |_| Self::YesNo { fill: yes, gaps }));
        }
        if let Some(format) = day_format(&present) {
            let moments = learnt().filter_map(|cell| moment(cell, &format)).map(days).collect();
            return Ok(Self::of_amounts(moments, gaps, |fill| Self::Day { format, fill, gaps }));
        }
        Ok(Self::category(cells, settings))
    }

    /// The encoding that is made with the median, unless there is nothing to learn.
    fn of_amounts(mut amounts: Vec<f64>, gaps: bool, make: impl FnOnce(f64) -> Self) -> Self {
        amounts.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (amounts.first(), amounts.last()) else {
            return Self::LeftOut { why: Why::Empty };
        };
        if least == most && !gaps {
            return Self::LeftOut { why: Why::Constant };
        }
        let middle = amounts.len() / 2;
        let median = if amounts.len() % 2 == 1 {
            amounts[middle]
        } else {
            f64::midpoint(amounts[middle - 1], amounts[middle])
        };
        make(median)
    }

    fn category(cells: &Cells<'_>, settings: &ColumnSettings) -> Self {
        let mut counts: IndexMap<&str, usize> = IndexMap::new();
        let mut gaps = false;
        for &row in cells.rows {
            match cells.all[row] {
                cell if settings.is_gap(cell) => gaps = true,
                cell => *counts.entry(cell).or_default() += 1,
            }
        }
        let (different, present) = (counts.len(), counts.values().sum::<usize>());
        if different == 0 {
            return Self::LeftOut { why: Why::Empty };
        }
        if different == 1 && !gaps {
            return Self::LeftOut { why: Why::Constant };
        }
        if different * 2 > present && different > 2 && !cells.is_text {
            return Self::LeftOut { why: Why::Unrepeated };
        }
        // What is in one row only tells nothing about other rows.
        counts.sort_by_key(|_, count| Reverse(*count));
        let repeated = counts.iter().filter(|&(_, &count)| count > 1);
        let mut kept: Vec<&str> =
            repeated.take(settings.categories).map(|(cell, _)| *cell).collect();
        if kept.is_empty() {
            kept = counts.keys().copied().take(settings.categories).collect();
        }
        let categories = Classes::of(kept).expect("at least one category is kept");
        Self::Category { others: different - categories.len(), categories, gaps }
    }
}

impl ColumnSettings {
    pub(in super::super) fn is_gap(&self, cell: &str) -> bool {
        is_gap(cell) || self.gaps.iter().any(|gap| gap == cell)
    }
}
