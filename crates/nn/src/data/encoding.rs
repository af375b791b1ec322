//! What a column of a table was taken for, and how its cells become the numbers that a network takes.

#[cfg(feature = "csv")]
use core::f64::consts::TAU;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::Classes;
#[cfg(feature = "csv")]
pub(super) use apply::Taken;
#[cfg(feature = "csv")]
pub(super) use learn::Cells;

#[cfg(feature = "csv")]
mod apply;
#[cfg(feature = "csv")]
mod learn;

/// What a column was taken for, with what its training rows have taught: learnt once, kept in the model, applied to any
/// table.
///
/// A gap is filled (by the median, or by the more frequent answer), and a number of its own says 1 where it was, if there
/// are gaps in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// The number that stands there.
    Number {
        /// What a comma means, if the training had one.
        comma: Option<Comma>,
        /// What fills a gap: the median of the training rows.
        fill: f64,
        /// Whether gaps are marked.
        gaps: bool,
    },
    /// 1 for yes, 0 for no.
    YesNo {
        /// What fills a gap: the more frequent answer.
        fill: bool,
        /// Whether gaps are marked.
        gaps: bool,
    },
    /// The days since 1970 began, and where the day lies in its year and its week; where the time lies in its day, if the
    /// cells have one. The three circles have a sine and a cosine each.
    Day {
        /// How the cells are written, as `strftime` says it. Other tables may have a T for the space between day and
        /// time, or a space for the T.
        format: String,
        /// What fills a gap: the median of the training rows, in days.
        fill: f64,
        /// Whether gaps are marked.
        gaps: bool,
    },
    /// 1 in the column of the cell's category, 0 in those of the others; one more column is for all that is no category:
    /// what is rare, and what the training rows did not have. A gap is 0 in all of them.
    Category {
        /// The categories that have a column: those in most training rows.
        categories: Classes,
        /// How many more the training rows had.
        others: usize,
        /// Whether gaps are marked.
        gaps: bool,
    },
    /// The place of the cell's category in the order of the categories, for an [`Embedding`](crate::Embedding) to look up;
    /// the next place is for all that is no category: what is rare, what the training rows did not have, and gaps.
    Index {
        /// The categories that have a place.
        categories: Classes,
        /// How many numbers each is to stand for.
        dimensions: usize,
        /// More that the training rows had.
        rare: Option<Classes>,
        /// Whether gaps are marked.
        gaps: bool,
    },
    /// No number at all.
    LeftOut {
        /// Why.
        why: Why,
    },
}

/// What a comma in a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comma {
    /// `1.234,5`: the decimal sign.
    Decimal,
    /// `1,234.5`: between thousands.
    Thousands,
}

/// Why a column is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Why {
    /// It counts the rows.
    RowNumbers,
    /// It has no name and names each row.
    RowNames,
    /// It is the same in all training rows.
    Constant,
    /// It is empty in all training rows.
    Empty,
    /// It is text that hardly ever comes twice: names, remarks, keys.
    Unrepeated,
}

impl Encoding {
    /// Of how many numbers a cell is made.
    pub fn width(&self) -> usize {
        let own = match self {
            Self::Number { .. } | Self::YesNo { .. } | Self::Index { .. } => 1,
            Self::Day { format, .. } => circles(format).len() * 2 + 1,
            Self::Category { categories, .. } => categories.len() + 1,
            Self::LeftOut { .. } => 0,
        };
        own + usize::from(self.marks_gaps())
    }

    /// Whether the last of these numbers is 1 where there was a gap.
    pub fn marks_gaps(&self) -> bool {
        match *self {
            Self::Number { gaps, .. }
            | Self::YesNo { gaps, .. }
            | Self::Day { gaps, .. }
            | Self::Category { gaps, .. }
            | Self::Index { gaps, .. } => gaps,
            Self::LeftOut { .. } => false,
        }
    }

    /// What these numbers are called, in a column of this name.
    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let mut names = match self {
            Self::Number { .. } | Self::YesNo { .. } | Self::Index { .. } => {
                vec![column.to_owned()]
            }
            Self::Day { format, .. } => {
                let circle = |(name, _): &(&str, f64)| {
                    ["sine", "cosine"].map(|of| format!("{column} ({of} of the {name})"))
                };
                let circles = circles(format).iter().flat_map(circle);
                [column.to_owned()].into_iter().chain(circles).collect()
            }
            Self::Category { categories, .. } => {
                let names = categories.labels().chain(["(other)"]);
                names.map(|category| format!("{column}={category}")).collect()
            }
            Self::LeftOut { .. } => Vec::new(),
        };
        if self.marks_gaps() {
            names.push(format!("{column} (gap)"));
        }
        names
    }

    /// Which of these numbers are amounts, whose scale means nothing: not 0 or 1.
    pub(super) fn amounts(&self) -> Vec<bool> {
        let mut amounts = vec![false; self.width()];
        if let (Self::Number { .. } | Self::Day { .. }, Some(first)) = (self, amounts.first_mut()) {
            *first = true;
        }
        amounts
    }
}

/// The numbers of a day: the days themselves, and the sine and cosine of each circle.
#[cfg(feature = "csv")]
pub(super) fn parts_of_day(days: f64, format: &str) -> impl Iterator<Item = f64> {
    let parts = move |&(_, length): &(&str, f64)| {
        let angle = TAU * (days / length).rem_euclid(1.0);
        [angle.sin(), angle.cos()]
    };
    [days].into_iter().chain(circles(format).iter().flat_map(parts))
}

/// What comes again, and after how many days.
fn circles(format: &str) -> &'static [(&'static str, f64)] {
    const ALL: [(&str, f64); 3] = [("year", 365.2425), ("week", 7.0), ("day", 1.0)];
    if format.contains("%M") { &ALL } else { &ALL[..2] }
}

/// `number`, `text, 2 categories: female, male`, `left out: it counts the rows`.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = |f: &mut fmt::Formatter<'_>, fill: &str| {
            if self.marks_gaps() {
                write!(f, "; gaps are filled with {fill} and marked")?;
            }
            Ok(())
        };
        match self {
            Self::Number { comma, fill, .. } => {
                f.write_str("number")?;
                match comma {
                    Some(Comma::Decimal) => f.write_str(", the comma is the decimal sign")?,
                    Some(Comma::Thousands) => f.write_str(", commas stand between thousands")?,
                    None => {}
                }
                marked(f, &rounded(*fill))
            }
            Self::YesNo { fill, .. } => {
                f.write_str("yes or no")?;
                marked(f, if *fill { "yes" } else { "no" })
            }
            Self::Day { format, .. } => {
                let names: Vec<&str> = circles(format).iter().map(|(name, _)| *name).collect();
                write!(f, "date, written {format}, with its place in the {}", names.join(", "))?;
                marked(f, "the median")
            }
            Self::Category { categories, others, .. } => {
                write_categories(f, categories)?;
                if *others > 0 {
                    write!(f, "; {others} rare ones count as one")?;
                }
                if self.marks_gaps() { f.write_str("; gaps are marked") } else { Ok(()) }
            }
            Self::Index { categories, dimensions, rare, .. } => {
                write_categories(f, categories)?;
                let plural = if *dimensions == 1 { "" } else { "s" };
                write!(f, "; each stands for {dimensions} number{plural} that are learnt")?;
                if let Some(rare) = rare {
                    write!(f, "; {} rare ones count as one", rare.len())?;
                }
                if self.marks_gaps() { f.write_str("; gaps are marked") } else { Ok(()) }
            }
            Self::LeftOut { why } => write!(f, "left out: {why}"),
        }
    }
}

/// `text, 2 categories: female, male`.
fn write_categories(f: &mut fmt::Formatter<'_>, categories: &Classes) -> fmt::Result {
    const SHOWN: usize = 6;
    let shown: Vec<&str> = categories.labels().take(SHOWN).collect();
    let noun = if categories.len() == 1 { "category" } else { "categories" };
    write!(f, "text, {} {noun}: {}", categories.len(), shown.join(", "))?;
    if categories.len() > SHOWN { f.write_str(", …") } else { Ok(()) }
}

/// A number with six digits, as a line for people shows it.
fn rounded(number: f64) -> String {
    format!("{number:.5e}")
        .parse::<f64>()
        .map_or_else(|_| number.to_string(), |six| six.to_string())
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RowNumbers => "it counts the rows",
            Self::RowNames => "it has no name and names each row",
            Self::Constant => "it is the same in every row to learn from",
            Self::Empty => "it is empty in every row to learn from",
            Self::Unrepeated => "text that hardly ever comes twice",
        })
    }
}
