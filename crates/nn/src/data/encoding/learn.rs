//! How a column's encoding is learnt from its cells.

use core::cmp::Reverse;
use core::ops::Range;

use indexmap::IndexMap;

use super::super::cell::{day_format, days, is_gap, is_gap_among_numbers, moment, number, yes_no};
use super::super::{Classes, ColumnSettings, Flaw};
use super::{Comma, Encoding, Why};
use crate::Embedding;

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
    pub(in super::super) has_comma: bool,
    /// What [`ColumnSettings::embed`] says of the column, if anything.
    pub(in super::super) embedded: Option<&'a (String, Option<usize>)>,
}

impl Encoding {
    /// What a column is to be taken for; or the rows of the cells that keep it from being numbers.
    pub(in super::super) fn learn(
        cells: &Cells<'_>,
        settings: &ColumnSettings,
    ) -> Result<Self, Vec<(usize, Flaw)>> {
        let is_blank = |cell: &str| settings.is_gap(cell) || is_gap_among_numbers(cell);
        if cells.is_text || cells.all.iter().all(|cell| is_blank(cell)) {
            return Ok(Self::category(cells, settings));
        }
        let present = || cells.all.iter().copied().filter(|cell| !is_blank(cell));
        let comma = if cells.has_comma { Comma::of(present(), cells.delimiter) } else { None };
        let (numbers, slips) = numbers_and_slips(&cells.all, comma, is_blank);
        if !slips.is_empty() && present().count() >= (NUMBERS_PER_SLIP + 1) * slips.len() {
            let flaw = |row: usize| (row, Flaw::NotANumber(cells.all[row].to_owned()));
            return Err(slips.into_iter().map(flaw).collect());
        }
        if slips.is_empty() {
            let text = |row: usize| cells.all[row].to_owned();
            return Self::of_numbers(&numbers, cells.rows, comma, text);
        }
        let learnt = || cells.rows.iter().map(|&row| cells.all[row]).filter(|cell| !is_blank(cell));
        let gaps = cells.rows.iter().any(|&row| is_blank(cells.all[row]));
        if present().all(|cell| yes_no(cell).is_some()) {
            return Ok(Self::of_answers(learnt().filter_map(yes_no), gaps));
        }
        if let Some(format) = day_format(present) {
            let moments = learnt().filter_map(|cell| moment(cell, &format)).map(days).collect();
            return Ok(Self::of_amounts(moments, gaps, |fill| Self::Day { format, fill, gaps }));
        }
        Ok(Self::category(cells, settings))
    }

    /// The encoding of numbers, among which NaN is a gap; or the rows of those that are infinite, and their text.
    pub(in super::super) fn of_numbers(
        all: &[f64],
        rows: &[usize],
        comma: Option<Comma>,
        text: impl Fn(usize) -> String,
    ) -> Result<Self, Vec<(usize, Flaw)>> {
        let infinite = |(row, number): (usize, &f64)| number.is_infinite().then_some(row);
        let flaws: Vec<_> = all.iter().enumerate().filter_map(infinite).collect();
        if !flaws.is_empty() {
            return Err(flaws.into_iter().map(|row| (row, Flaw::NotFinite(text(row)))).collect());
        }
        let gaps = rows.iter().any(|&row| all[row].is_nan());
        let learnt = rows.iter().map(|&row| all[row]);
        let numbers: Vec<f64> = learnt.filter(|number| !number.is_nan()).collect();
        let number = |fill| Self::Number { comma, fill, gaps };
        // One that is the same everywhere does no harm, and may be a pixel of a picture.
        Ok(match numbers.first() {
            Some(&first) if numbers.iter().all(|&other| other == first) => number(first),
            _ => Self::of_amounts(numbers, gaps, number),
        })
    }

    /// The encoding of yes and no.
    pub(in super::super) fn of_answers(answers: impl Iterator<Item = bool>, gaps: bool) -> Self {
        let answers: Vec<f64> = answers.map(|yes| f64::from(u8::from(yes))).collect();
        let yes = answers.iter().sum::<f64>() * 2.0 > answers.len() as f64;
        Self::of_amounts(answers, gaps, |_| Self::YesNo { fill: yes, gaps })
    }

    /// The encoding that is made with the median, unless there is nothing to learn.
    pub(in super::super) fn of_amounts(
        mut amounts: Vec<f64>,
        gaps: bool,
        make: impl FnOnce(f64) -> Self,
    ) -> Self {
        let least = amounts.iter().copied().min_by(f64::total_cmp);
        let most = amounts.iter().copied().max_by(f64::total_cmp);
        let (Some(least), Some(most)) = (least, most) else {
            return Self::LeftOut { why: Why::Empty };
        };
        if least == most && !gaps {
            return Self::LeftOut { why: Why::Constant };
        }
        let middle = amounts.len() / 2;
        let is_odd = amounts.len() % 2 == 1;
        let (below, &mut upper, _) = amounts.select_nth_unstable_by(middle, f64::total_cmp);
        let lower = || below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
        make(if is_odd { upper } else { f64::midpoint(lower(), upper) })
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
        let mut repeated = counts.values().filter(|&&count| count > 1).count();
        if repeated == 0 {
            repeated = different;
        }
        let classes = |places: Range<usize>| {
            let labels = counts.get_range(places).into_iter().flatten().map(|(cell, _)| *cell);
            Classes::of(labels)
        };
        let is_many = settings.embed_many && repeated > settings.categories;
        if cells.embedded.is_some() || is_many {
            let categories = classes(0..repeated).expect("at least one category is kept");
            let usual = || Embedding::usual_dimensions(categories.len());
            let dimensions = cells.embedded.and_then(|(_, said)| *said).unwrap_or_else(usual);
            return Self::Index {
                rare: classes(repeated..different).ok(),
                categories,
                dimensions,
                gaps,
            };
        }
        let kept = repeated.min(settings.categories.max(1));
        let categories = classes(0..kept).expect("at least one category is kept");
        Self::Category { others: different - categories.len(), categories, gaps }
    }
}

/// The number of each cell, NaN for a gap, and the rows of the cells that are none. Of too many of these to be slips, and of
/// the numbers then, only some.
fn numbers_and_slips(
    cells: &[&str],
    comma: Option<Comma>,
    is_blank: impl Fn(&str) -> bool,
) -> (Vec<f64>, Vec<usize>) {
    let mut numbers = Vec::with_capacity(cells.len());
    let mut slips = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        // A gap is no number, but for texts that are said to be gaps.
        let number = if is_blank(cell) { Some(f64::NAN) } else { number(cell, comma) };
        if number.is_none() {
            slips.push(row);
            if slips.len() * (NUMBERS_PER_SLIP + 1) > cells.len() {
                break;
            }
        }
        numbers.push(number.unwrap_or(f64::NAN));
    }
    (numbers, slips)
}

impl ColumnSettings {
    pub(in super::super) fn is_gap(&self, cell: &str) -> bool {
        is_gap(cell) || self.gaps.iter().any(|gap| gap == cell)
    }
}
