//! How a cell becomes numbers.

use super::super::Flaw;
use super::super::cell::{
    days, days_of, has_time, is_gap, is_gap_among_numbers, is_spelled_alike, moment_alike, number,
    written_moment, yes_no,
};
use super::super::cells::{Value, Values};
use super::{Encoding, parts_of_day};

/// How a cell was taken.
#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum Taken {
    AsItIs,
    /// It is a gap, and nothing marks gaps.
    Filled,
    /// It is no category that the training had.
    Unknown,
}

impl Encoding {
    /// Writes a cell's numbers over zeros, as many as [`Encoding::width`] says. `gaps` are the texts that mean a gap here.
    pub(in super::super) fn write(
        &self,
        cell: &str,
        gaps: &[String],
        numbers: &mut [f64],
    ) -> Result<Taken, Flaw> {
        let is_said = match self {
            Self::Day { .. } => gaps.iter().any(|gap| is_spelled_alike(gap, cell)),
            _ => gaps.iter().any(|gap| gap == cell),
        };
        let is_gap = match self {
            Self::Category { .. } | Self::Index { .. } => is_said || is_gap(cell),
            _ => is_said || is_gap_among_numbers(cell),
        };
        if is_gap && self.marks_gaps() {
            numbers[self.width() - 1] = 1.0;
        }
        let number_of = |yes: bool| f64::from(u8::from(yes));
        match self {
            Self::Number { fill, .. } if is_gap => numbers[0] = *fill,
            Self::Number { comma, .. } => match number(cell, *comma) {
                Some(number) if number.is_finite() => numbers[0] = number,
                Some(_) => return Err(Flaw::NotFinite(cell.to_owned())),
                None => return Err(Flaw::NotANumber(cell.to_owned())),
            },
            Self::YesNo { fill, .. } if is_gap => numbers[0] = number_of(*fill),
            Self::YesNo { .. } => {
                numbers[0] =
                    number_of(yes_no(cell).ok_or_else(|| Flaw::NotYesNo(cell.to_owned()))?);
            }
            Self::Day { format, fill, .. } => {
                let days = if is_gap {
                    *fill
                } else {
                    let not_a_day =
                        || Flaw::NotADay { text: cell.to_owned(), format: format.clone() };
                    days(moment_alike(cell, format).ok_or_else(not_a_day)?)
                };
                for (number, part) in numbers.iter_mut().zip(parts_of_day(days, format)) {
                    *number = part;
                }
            }
            Self::Category { .. } if is_gap => {}
            Self::Category { categories, others, .. } => {
                let place = categories.index(cell);
                numbers[place.unwrap_or(categories.len())] = 1.0;
                // Where the training had rare ones, this may be one of them.
                if place.is_none() && *others == 0 {
                    return Ok(Taken::Unknown);
                }
            }
            Self::Index { categories, .. } if is_gap => numbers[0] = categories.len() as f64,
            Self::Index { categories, rare, .. } => {
                let place = categories.index(cell);
                numbers[0] = place.unwrap_or(categories.len()) as f64;
                let is_rare = || rare.as_ref().is_some_and(|rare| rare.index(cell).is_some());
                if place.is_none() && !is_rare() {
                    return Ok(Taken::Unknown);
                }
            }
            Self::LeftOut { .. } => {}
        }
        Ok(if is_gap && !self.marks_gaps() { Taken::Filled } else { Taken::AsItIs })
    }

    /// Whether these cells are taken as the values that they are, and not as text.
    pub(in super::super) fn takes(&self, values: &Values) -> bool {
        matches!(
            (self, values),
            (Self::Number { .. }, Values::Numbers(_))
                | (Self::YesNo { .. }, Values::Answers(_))
                | (Self::Day { .. }, Values::Moments(_))
        )
    }

    /// Writes a value that is taken as it is, as [`Encoding::write`] does the text of it.
    pub(in super::super) fn write_value(
        &self,
        value: Value,
        numbers: &mut [f64],
    ) -> Result<Taken, Flaw> {
        match (self, value) {
            (_, Value::Number(number)) if !number.is_finite() => {
                return Err(Flaw::NotFinite(number.to_string()));
            }
            (_, Value::Number(number)) => numbers[0] = number,
            (_, Value::Answer(yes)) => numbers[0] = f64::from(u8::from(yes)),
            (Self::Day { format, .. }, Value::Moment(moment)) => {
                let days = days_of(moment);
                if days.fract() != 0.0 && !has_time(format) {
                    let text = written_moment(moment, true);
                    return Err(Flaw::NotADay { text, format: format.clone() });
                }
                for (number, part) in numbers.iter_mut().zip(parts_of_day(days, format)) {
                    *number = part;
                }
            }
            (_, Value::Moment(_)) => unreachable!("only days are taken from moments"),
            (_, Value::Gap) => return self.write("", &[], numbers),
        }
        Ok(Taken::AsItIs)
    }
}
