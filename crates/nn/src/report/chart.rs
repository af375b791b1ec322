//! Charts as SVG within a page: frame, ticks and curves. Colours and line widths are the stylesheet's.

use core::fmt::Write;

use super::axis::Axis;
use super::markup::{escape, figure};

/// Size of a chart in its own units, which are about a pixel on a phone.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 236.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// How many styles of line the stylesheet has.
pub(super) const STYLES: usize = 4;

/// The axes of a chart, and what is drawn between them.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// What the chart shows, for those who do not see it.
    pub(super) description: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// SVG between the axes.
    pub(super) content: String,
}

impl Plot {
    pub(super) fn x(&self, value: f64) -> f64 {
        round(LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT))
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        // Far outside of the frame is as good as further outside.
        let place = self.y.place(value).clamp(-2.0, 3.0);
        round(HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM))
    }

    /// Adds a curve in one of the stylesheet's styles.
    pub(super) fn curve(&mut self, style: usize, points: &[(f64, f64)]) {
        let path = self.path(points);
        let style = style % STYLES;
        let _ = write!(self.content, r#"<path class="curve curve-{style}" d="{path}"/>"#);
    }

    /// The `d` of a path through the points; where one is not finite the line is broken.
    ///
    /// Of the points that fall into one column only the first, the lowest, the highest and the last are kept.
    pub(super) fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for part in points.split(|(_, y)| !y.is_finite()) {
            let places: Vec<_> = part.iter().map(|&(x, y)| (self.x(x), self.y(y))).collect();
            let mut draws = false;
            for column in places.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
                for (x, y) in outline(column) {
                    let command = if draws { 'L' } else { 'M' };
                    let _ = write!(path, "{command}{x} {y}");
                    draws = true;
                }
            }
        }
        path
    }

    /// The SVG element. `id` is unique in its page.
    pub(super) fn svg(&self, id: &str) -> String {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut grid = String::new();
        for (value, text) in self.x.ticks() {
            let x = self.x(value);
            let _ = write!(
                grid,
                r#"<path class="grid" d="M{x} {TOP}V{bottom}"/><text x="{x}" y="{}" text-anchor="middle">{text}</text>"#,
                bottom + 16.0
            );
        }
        for (value, text) in self.y.ticks() {
            let y = self.y(value);
            let _ = write!(
                grid,
                r#"<path class="grid" d="M{LEFT} {y}H{right}"/><text x="{}" y="{}" text-anchor="end">{text}</text>"#,
                LEFT - 6.0,
                y + 4.0
            );
        }
        format!(
            r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-title {id}-text"><title id="{id}-title">{title}</title><desc id="{id}-text">{text}</desc><clipPath id="{id}-clip"><path d="M{start} 4H{WIDTH}V{low}H{start}z"/></clipPath>{grid}<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/><text class="label" x="{right}" y="{xlabel}" text-anchor="end">{x}</text><text class="label" x="11" y="{middle}" text-anchor="middle" transform="rotate(-90 11 {middle})">{y}</text><g clip-path="url(#{id}-clip)">{content}</g></svg>"#,
            title = escape(&self.title),
            text = escape(&self.description),
            start = LEFT - 6.0,
            low = bottom + 6.0,
            xlabel = HEIGHT - 6.0,
            middle = f64::midpoint(TOP, bottom),
            x = escape(&self.x.label),
            y = escape(&self.y.label),
            content = self.content,
        )
    }
}

/// A table of numbers behind a heading that opens it: a chart for those who want its numbers, or do not see it.
pub(super) fn numbers(columns: &[&str], rows: &[Vec<f64>]) -> String {
    const MOST: usize = 60;
    let every = rows.len().div_ceil(MOST).max(1);
    let mut table = String::new();
    for column in columns {
        let _ = write!(table, r#"<th scope="col">{}</th>"#, escape(column));
    }
    let mut body = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index % every != 0 && index + 1 != rows.len() {
            continue;
        }
        body.push_str("<tr>");
        for (column, value) in row.iter().enumerate() {
            let text = figure(*value);
            let cell = if column == 0 { "th scope=\"row\"" } else { "td" };
            let end = if column == 0 { "th" } else { "td" };
            let _ = write!(body, r#"<{cell} data-value="{value}">{text}</{end}>"#);
        }
        body.push_str("</tr>");
    }
    let part = if every > 1 { format!(" (one row in {every})") } else { String::new() };
    format!(
        r#"<details class="numbers"><summary>Numbers{part}</summary><div class="scroll" tabindex="0" role="region" aria-label="Numbers of the chart"><table><thead><tr>{table}</tr></thead><tbody>{body}</tbody></table></div></details>"#
    )
}

/// The first, the lowest, the highest and the last point, in their order.
fn outline(column: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let height = |&a: &usize, &b: &usize| column[a].1.total_cmp(&column[b].1);
    let indices = || 0..column.len();
    let mut kept = vec![0, column.len() - 1];
    kept.extend(indices().min_by(height));
    kept.extend(indices().max_by(height));
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| column[index]).collect()
}

/// A tenth of a unit is finer than a screen shows.
fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}
