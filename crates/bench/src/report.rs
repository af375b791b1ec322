//! The results as tables.

use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, Table};

use crate::contest::{Entry, Results, Role, Style};

/// One kernel: a row for each engine.
pub fn of_kernel(results: &Results) -> String {
    let title = format!("{}: {} inputs, {} rounds", results.kernel, results.inputs, results.rounds);
    let rows = results.entries.iter().map(|entry| {
        vec![
            entry.name.to_owned(),
            microseconds(entry.fastest),
            microseconds(entry.median),
            times(times_plain(results, entry)),
            times(speedup(results, entry)),
            entry.nodes.map(thousands).unwrap_or_default(),
        ]
    });
    let header = ["engine", "min µs", "median µs", "time / plain", "best peer / time", "nodes"];
    format!("{title}\n{}\n", table(NOTHING, header.map(str::to_owned).to_vec(), rows))
}

/// All kernels in one: a row for each engine.
pub fn geometric_means(all: &[Results]) -> String {
    let everywhere = |entry: &&Entry| all.iter().all(|results| results.entry(entry.name).is_some());
    let rows = all[0].entries.iter().filter(everywhere).map(|entry| {
        let mean = |ratio: fn(&Results, &Entry) -> Option<f64>| {
            geometric_mean(all.iter().map(|results| ratio(results, results.entry(entry.name)?)))
        };
        vec![entry.name.to_owned(), times(mean(times_plain)), times(mean(speedup))]
    });
    let header = ["engine", "time / plain", "best peer / time"].map(str::to_owned).to_vec();
    format!(
        "Geometric mean over {} kernels, of the minima\n{}",
        all.len(),
        table(NOTHING, header, rows)
    )
}

/// All kernels in Markdown: a row for each kernel, a column for each engine, the best peer in bold, and the ratios of the
/// best peer to ours.
pub fn markdown(all: &[Results]) -> String {
    let names: Vec<&str> = all[0].entries.iter().map(|entry| entry.name).collect();
    let is_ours = |entry: &&Entry| matches!(entry.role, Role::Ours(_));
    let ours: Vec<&str> = all[0].entries.iter().filter(is_ours).map(|entry| entry.name).collect();
    let mut header = vec!["µs per gradient".to_owned()];
    header.extend(names.iter().map(|&name| name.to_owned()));
    header.extend(ours.iter().map(|name| format!("best peer / {name}")));

    let mut rows: Vec<Vec<String>> =
        all.iter()
            .map(|results| {
                let best = results.best_peer(Style::Fused).map(|peer| peer.name);
                let mut row = vec![results.kernel.to_owned()];
                row.extend(names.iter().map(|&name| {
                    let time = results.entry(name).map(|entry| microseconds(entry.fastest));
                    let time = time.unwrap_or_default();
                    if best == Some(name) { format!("**{time}**") } else { time }
                }));
                row.extend(ours.iter().map(|name| {
                    times(results.entry(name).and_then(|entry| speedup(results, entry)))
                }));
                row
            })
            .collect();

    let mut means = vec!["geometric mean".to_owned()];
    means.extend(names.iter().map(|_| String::new()));
    means.extend(ours.iter().map(|name| {
        times(geometric_mean(all.iter().map(|results| speedup(results, results.entry(name)?))))
    }));
    rows.push(means);
    table(ASCII_MARKDOWN, header, rows).to_string()
}

/// How many times plain `f64` the engine takes.
fn times_plain(results: &Results, entry: &Entry) -> Option<f64> {
    let plain = results.entries.iter().find(|entry| entry.role == Role::Primal)?;
    Some(entry.fastest / plain.fastest)
}

/// How many times faster than the best peer of its style the engine is.
fn speedup(results: &Results, entry: &Entry) -> Option<f64> {
    let (Role::Ours(style) | Role::Peer(style)) = entry.role else { return None };
    Some(results.best_peer(style)?.fastest / entry.fastest)
}

/// Nothing where a ratio is missing.
fn geometric_mean(ratios: impl ExactSizeIterator<Item = Option<f64>>) -> Option<f64> {
    let count = ratios.len() as f64;
    let logarithms = ratios.map(|ratio| ratio.map(f64::ln)).sum::<Option<f64>>()?;
    Some((logarithms / count).exp())
}

fn times(ratio: Option<f64>) -> String {
    ratio.map(|ratio| format!("{ratio:.2}×")).unwrap_or_default()
}

fn microseconds(seconds: f64) -> String {
    rounded(seconds * 1e6)
}

/// A positive number without its decimals.
pub fn rounded(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is rounded")]
    let whole = number.round() as usize;
    thousands(whole)
}

/// 1234567 as 1,234,567.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let mut text = digits[..first].to_owned();
    for group in digits.as_bytes()[first..].chunks(3) {
        text.push(',');
        text.extend(group.iter().map(|&digit| char::from(digit)));
    }
    text
}

pub fn table(
    preset: &str,
    header: Vec<String>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Table {
    let mut table = Table::new();
    table.load_preset(preset).set_header(header).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
