//! The table of the functions: a row for each, and what the ratios are on the whole and at worst.

use comfy_table::presets::ASCII_MARKDOWN;

use crate::report;

/// What is measured of each function.
#[derive(Clone, Copy, PartialEq)]
pub enum Column {
    Plain,
    ByHand,
    OneShot,
    Replay,
    Trace,
    Echidna,
    Xad,
    Aad,
    Tpt,
    Reverse,
    EchidnaReplay,
}

/// The peers that record anew.
const RECORDERS: [Column; 5] =
    [Column::Echidna, Column::Xad, Column::Aad, Column::Tpt, Column::Reverse];

impl Column {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain f64",
            Self::ByHand => "by hand",
            Self::OneShot => "one-shot",
            Self::Replay => "replay",
            Self::Trace => "trace, in one-shots",
            Self::Echidna => "echidna 0.15 grad",
            Self::Xad => "xad-rs 1.0.0",
            Self::Aad => "aad 0.9",
            Self::Tpt => "tpt-math-autodiff-rev 0.2",
            Self::Reverse => "reverse 0.2.2",
            Self::EchidnaReplay => "echidna 0.15 replay",
        }
    }
}

pub enum Cell {
    /// Nanoseconds.
    Time(f64),
    /// Why there is nothing.
    Missing(String),
}

pub struct Row {
    name: &'static str,
    operations: usize,
    cells: Vec<(Column, Cell)>,
}

impl Row {
    pub fn new(name: &'static str, operations: usize) -> Self {
        Self { name, operations, cells: Vec::new() }
    }

    pub fn set(&mut self, column: Column, cell: Cell) {
        self.cells.push((column, cell));
    }

    /// Keeps the shorter time of each cell.
    pub fn keep_faster(&mut self, other: &Self) {
        for (column, cell) in &mut self.cells {
            if let (Cell::Time(time), Some(again)) = (cell, other.time(*column)) {
                *time = time.min(again);
            }
        }
    }

    fn cell(&self, column: Column) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.0 == column).map(|cell| &cell.1)
    }

    fn time(&self, column: Column) -> Option<f64> {
        match self.cell(column)? {
            Cell::Time(time) => Some(*time),
            Cell::Missing(_) => None,
        }
    }

    fn ratio(&self, a: Column, b: Column) -> Option<f64> {
        Some(self.time(a)? / self.time(b)?)
    }

    fn text(&self, column: Column) -> String {
        match self.cell(column) {
            Some(Cell::Missing(why)) => why.clone(),
            Some(Cell::Time(time)) if column == Column::Trace => {
                let one_shot = self.time(Column::OneShot).unwrap_or(f64::NAN);
                format!("{:.0}", time / one_shot)
            }
            Some(Cell::Time(time)) => nanoseconds(*time),
            None => String::new(),
        }
    }
}

type Of = dyn Fn(&Row) -> Option<f64>;

/// A ratio of two times.
struct Ratio {
    name: String,
    of: Box<Of>,
    /// Whether it is ours to another's, so that less is better.
    is_ours: bool,
}

impl Ratio {
    /// Our time to another's.
    fn ours(ours: Column, other: Column) -> Self {
        let name = format!("{} / {}", ours.name(), other.name());
        Self { name, of: Box::new(move |row| row.ratio(ours, other)), is_ours: true }
    }

    /// A peer's time to ours.
    fn peers(peer: Column, ours: Column) -> Self {
        let name = format!("{} / {}", peer.name(), ours.name());
        Self { name, of: Box::new(move |row| row.ratio(peer, ours)), is_ours: false }
    }

    /// That of the fastest peer that records anew.
    fn best_recorder() -> Self {
        let best = |row: &Row| {
            let ratios = RECORDERS.iter().filter_map(|&peer| row.ratio(peer, Column::OneShot));
            ratios.min_by(f64::total_cmp)
        };
        let name = "best peer / one-shot".to_owned();
        Self { name, of: Box::new(best), is_ours: false }
    }

    /// In bold where we are the slower one.
    fn text(&self, ratio: f64) -> String {
        let lost = if self.is_ours { ratio > 1.0 } else { ratio < 1.0 };
        if lost { format!("**{ratio:.2}**") } else { format!("{ratio:.2}") }
    }

    fn geometric_mean(&self, rows: &[Row]) -> Option<f64> {
        let logarithms: Vec<f64> = rows.iter().filter_map(&self.of).map(f64::ln).collect();
        let sum: f64 = logarithms.iter().sum();
        (!logarithms.is_empty()).then(|| (sum / logarithms.len() as f64).exp())
    }

    /// The function where it is worst for us.
    fn worst<'a>(&self, rows: &'a [Row]) -> Option<(f64, &'a str)> {
        let ratios = rows.iter().filter_map(|row| Some(((self.of)(row)?, row.name)));
        ratios.max_by(|a, b| {
            let order = a.0.total_cmp(&b.0);
            if self.is_ours { order } else { order.reverse() }
        })
    }
}

/// Both tables in Markdown.
pub fn of_functions(rows: &[Row]) -> String {
    use Column::{ByHand, Echidna, EchidnaReplay, OneShot, Plain, Replay, Trace};
    let measured = |column: &Column| rows.iter().any(|row| row.cell(*column).is_some());
    let recorders: Vec<Column> = RECORDERS.into_iter().filter(measured).collect();
    let mut columns = vec![Plain, ByHand, OneShot, Replay, Trace];
    columns.extend(&recorders);
    columns.push(EchidnaReplay);
    let mut ratios = vec![
        Ratio::ours(Replay, OneShot),
        Ratio::ours(Replay, Plain),
        Ratio::ours(Replay, ByHand),
        Ratio::best_recorder(),
        Ratio::peers(EchidnaReplay, Replay),
    ];

    let mut header = vec!["function".to_owned(), "operations".to_owned()];
    header.extend(columns.iter().map(|column| column.name().to_owned()));
    header.extend(ratios.iter().map(|ratio| ratio.name.clone()));
    let mut lines: Vec<Vec<String>> =
        rows.iter()
            .map(|row| {
                let mut line = vec![row.name.to_owned(), report::thousands(row.operations)];
                line.extend(columns.iter().map(|&column| row.text(column)));
                line.extend(ratios.iter().map(|ratio| {
                    (ratio.of)(row).map(|value| ratio.text(value)).unwrap_or_default()
                }));
                line
            })
            .collect();
    let mut last = vec!["geometric mean".to_owned()];
    last.extend((0..=columns.len()).map(|_| String::new()));
    last.extend(
        ratios.iter().map(|ratio| {
            ratio.geometric_mean(rows).map(|mean| ratio.text(mean)).unwrap_or_default()
        }),
    );
    lines.push(last);
    let functions = report::table(ASCII_MARKDOWN, header, lines);

    ratios.push(Ratio::ours(OneShot, Plain));
    ratios.push(Ratio::ours(Trace, OneShot));
    ratios.extend(recorders.iter().map(|&peer| Ratio::peers(peer, OneShot)));
    ratios.extend(
        recorders.iter().filter(|&&peer| peer != Echidna).map(|&peer| Ratio::peers(peer, Replay)),
    );
    let lines = ratios.iter().filter_map(|ratio| {
        let (worst, name) = ratio.worst(rows)?;
        let mean = ratio.geometric_mean(rows)?;
        Some(vec![ratio.name.clone(), ratio.text(mean), ratio.text(worst), name.to_owned()])
    });
    let header = ["ratio", "geometric mean", "worst", "where"].map(str::to_owned).to_vec();
    let summary = report::table(ASCII_MARKDOWN, header, lines);
    format!("{functions}\n\n{summary}")
}

pub fn nanoseconds(time: f64) -> String {
    if time < 100.0 { format!("{time:.1}") } else { report::rounded(time) }
}
