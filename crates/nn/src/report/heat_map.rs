//! Weights as colours: a matrix as one picture, and each unit's weights as a picture of its own.

use core::fmt::Write;
use std::collections::BTreeMap;

use super::markup::{escape, figure};
use crate::Error;

/// How many weights one map draws, and how many units.
const MOST_WEIGHTS: usize = 16_384;
const MOST_UNITS: usize = 64;
/// How many weights are listed as numbers.
const MOST_NUMBERS: usize = 1_024;
/// How wide the square of a weight is at most, in pixels.
const SQUARE: usize = 24;
/// Steps of colour on each side of 0.
const LEVELS: i32 = 12;

/// A matrix of weights to be drawn as colours, from negative through 0 to positive.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// What it is: `layer1.weight`.
    pub name: String,
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// Row by row.
    pub values: Vec<f64>,
    /// Whether the inputs form a square image, so that each unit's weights are drawn as one; and which are a unit's.
    pub units: Option<Units>,
}

/// Which weights of a matrix belong to one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Those of a row: outputs × inputs.
    Rows,
    /// Those of a column: inputs × outputs.
    Columns,
}

/// What the rows and columns of a heat map are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// One for each row, or none.
    pub rows: Vec<String>,
    /// One for each column, or none.
    pub columns: Vec<String>,
}

impl Names {
    pub(super) fn check(&self, map: &HeatMap) -> Result<(), Error> {
        let fits = |what: &str, names: &[String], wanted: usize| {
            if names.is_empty() || names.len() == wanted {
                return Ok(());
            }
            let part = format!("the list of {what} names of the heat map {:?}", map.name);
            Err(Error::ReportSize { part, wanted, got: names.len() })
        };
        fits("row", &self.rows, map.rows)?;
        fits("column", &self.columns, map.columns)
    }
}

impl HeatMap {
    pub(super) fn check(&self) -> Result<(), Error> {
        let part = || format!("the heat map {:?} of {} × {}", self.name, self.rows, self.columns);
        let (wanted, got) = (self.rows.saturating_mul(self.columns), self.values.len());
        if got != wanted {
            return Err(Error::ReportSize { part: part(), wanted, got });
        }
        match self.units {
            Some(units) if self.inputs(units).isqrt().pow(2) != self.inputs(units) => {
                Err(Error::NotSquare { part: part(), inputs: self.inputs(units) })
            }
            _ => Ok(()),
        }
    }

    fn inputs(&self, units: Units) -> usize {
        match units {
            Units::Rows => self.columns,
            Units::Columns => self.rows,
        }
    }

    pub(super) fn section(&self, names: &Names) -> String {
        let name = escape(&self.name);
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let [low, high] = finite()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
        if low > high {
            return format!(
                r#"<section class="panel"><h2>{name}</h2><p>There are no finite weights to draw.</p></section>"#
            );
        }
        let most = low.abs().max(high.abs());
        let shown = (MOST_WEIGHTS / self.columns).clamp(1, self.rows);
        let drawn_columns = self.columns.min(MOST_WEIGHTS);
        let left_out = if shown < self.rows || drawn_columns < self.columns {
            format!(
                "<p class=\"note\">Only the first {shown} rows and {drawn_columns} columns are drawn.</p>"
            )
        } else {
            String::new()
        };
        let label = format!(
            "{name}: {} rows and {} columns, from {} to {}",
            self.rows,
            self.columns,
            figure(low),
            figure(high)
        );
        let map = picture(&label, shown, drawn_columns, most, |row, column| {
            self.values[row * self.columns + column]
        });
        let map = if names.rows.is_empty() && names.columns.is_empty() {
            map
        } else {
            named(&map, names, shown, drawn_columns)
        };
        format!(
            r#"<section class="panel"><h2>{name}</h2>{map}{left_out}{scale}{units}{table}</section>"#,
            scale = scale(most),
            units = self.units.map_or(String::new(), |units| self.unit_pictures(units, most)),
            table = self.table(names),
        )
    }

    fn unit_pictures(&self, units: Units, most: f64) -> String {
        let inputs = self.inputs(units);
        let count = self.values.len() / inputs;
        let side = inputs.isqrt();
        let mut pictures = String::new();
        for unit in 0..count.min(MOST_UNITS) {
            let weight = |input: usize| match units {
                Units::Rows => self.values[unit * self.columns + input],
                Units::Columns => self.values[input * self.columns + unit],
            };
            let label = format!("weights of unit {}", unit + 1);
            let picture =
                picture(&label, side, side, most, |row, column| weight(row * side + column));
            let _ = write!(pictures, "<li>{picture}{}</li>", unit + 1);
        }
        let left_out = if count > MOST_UNITS {
            format!(" Only the first {MOST_UNITS} of {count} are drawn.")
        } else {
            String::new()
        };
        format!(
            r#"<h3>Each unit's weights on the {side} × {side} inputs</h3><ul class="units">{pictures}</ul><p class="note">Drawn where the inputs lie in the image.{left_out}</p>"#
        )
    }

    fn table(&self, names: &Names) -> String {
        if self.values.len() > MOST_NUMBERS {
            return String::new();
        }
        let mut body = String::new();
        if !names.columns.is_empty() {
            body.push_str("<tr><td></td>");
            for name in &names.columns {
                let _ = write!(body, r#"<th scope="col">{}</th>"#, escape(name));
            }
            body.push_str("</tr>");
        }
        for (index, row) in self.values.chunks_exact(self.columns).enumerate() {
            let name = names.rows.get(index).map_or((index + 1).to_string(), |name| escape(name));
            let _ = write!(body, r#"<tr><th scope="row">{name}</th>"#);
            for value in row {
                let _ = write!(body, r#"<td data-value="{value}">{}</td>"#, figure(*value));
            }
            body.push_str("</tr>");
        }
        format!(
            r#"<details class="numbers"><summary>Numbers</summary><div class="scroll matrix" tabindex="0" role="region" aria-label="Numbers of the weights"><table><tbody>{body}</tbody></table></div></details>"#
        )
    }
}

/// The picture between the names of its rows, to the left, and of its columns, upright below. Where the squares are small only
/// every second, third, … name stands there, so that they can be read.
fn named(map: &str, names: &Names, rows: usize, columns: usize) -> String {
    // On a phone; wider screens have room to spare.
    const WIDTH: usize = 300;
    const LINE: usize = 13;
    // So many rows are drawn as high as their names; more are squares.
    const FEW: usize = 40;
    let square = (WIDTH / columns).clamp(1, SQUARE);
    let is_few = !names.rows.is_empty() && rows <= FEW;
    let least = if is_few { rows * LINE } else { 0 };
    let list = |names: &[String], count: usize, every: usize| {
        let mut list = String::new();
        for (index, name) in names.iter().take(count).enumerate() {
            let text = if index % every == 0 { escape(name) } else { String::new() };
            let _ = write!(list, r#"<span data-may-cut="">{text}</span>"#);
        }
        list
    };
    format!(
        r#"<div class="named" style="max-width: calc({width}px + 8rem); --least: {least}px"><div class="names rows" aria-hidden="true">{}</div>{map}<div class="names columns" aria-hidden="true" style="max-width: {width}px">{}</div></div>"#,
        list(&names.rows, rows, if is_few { 1 } else { LINE.div_ceil(square) }),
        list(&names.columns, columns, LINE.div_ceil(square)),
        width = columns.saturating_mul(SQUARE),
    )
}

/// Squares of one unit, those of a colour in one path.
fn picture(
    label: &str,
    rows: usize,
    columns: usize,
    most: f64,
    value: impl Fn(usize, usize) -> f64,
) -> String {
    let mut paths: BTreeMap<i32, String> = BTreeMap::new();
    for row in 0..rows {
        for column in 0..columns {
            if let Some(level) = level(value(row, column), most) {
                let path = paths.entry(level).or_default();
                let _ = write!(path, "M{column} {row}h1v1h-1z");
            }
        }
    }
    let mut drawing = String::new();
    for (level, path) in paths {
        let _ = write!(drawing, r#"<path {} d="{path}"/>"#, fill(level));
    }
    // Small matrices need not fill the page.
    let width = columns.saturating_mul(SQUARE);
    format!(
        r#"<svg class="heat" viewBox="0 0 {columns} {rows}" preserveAspectRatio="none" style="max-width: {width}px" role="img" aria-label="{label}">{drawing}<path class="frame" d="M0 0H{columns}V{rows}H0z"/></svg>"#
    )
}

/// The step of colour, negative for negative values. Nothing for what is not finite.
fn level(value: f64, most: f64) -> Option<i32> {
    let share = if most == 0.0 { 0.0 } else { value / most };
    value.is_finite().then(|| (share * f64::from(LEVELS)).round() as i32)
}

/// The colour comes from the stylesheet's two ends, so that it fits light and dark pages.
fn fill(level: i32) -> String {
    let end = if level < 0 { "low" } else { "high" };
    let opacity = f64::from(level.abs()) / f64::from(LEVELS);
    format!(r#"style="fill: var(--{end}); fill-opacity: {opacity:.2}""#)
}

fn scale(most: f64) -> String {
    let mut bar = String::new();
    for level in -LEVELS..=LEVELS {
        let _ = write!(bar, r#"<path {} d="M{} 0h1v1h-1z"/>"#, fill(level), level + LEVELS);
    }
    // Three digits are enough for a legend, and the nearest number to them exists.
    let most = figure(format!("{most:.2e}").parse().unwrap_or(most));
    format!(
        r#"<p class="scale"><span>−{most}</span><svg viewBox="0 0 {} 1" preserveAspectRatio="none" aria-hidden="true">{bar}</svg><span>+{most}</span></p>"#,
        2 * LEVELS + 1
    )
}
