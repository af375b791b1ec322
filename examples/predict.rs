//! Uses a model that `train` has saved on new rows: answers as CSV.
//!
//! ```text
//! cargo run --release --example predict -- target/train/iris.model examples/data/iris.csv
//! ```

#[path = "support/end.rs"]
mod end;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use nn::data::Table;
use nn::{Answers, Destination, Model, Target};

use crate::end::end;

/// Reads a model and a table with its inputs as columns, by name; writes an answer for each row.
#[derive(Parser)]
struct Options {
    /// The model: PATH of PATH.safetensors
    model: PathBuf,
    /// The rows: CSV with a header, plain or gzip, or Parquet with the feature `parquet`; other columns than the model's inputs are left out
    file: PathBuf,
    /// Where to write, instead of the standard output
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    end(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let out = options.out.as_ref().map(Destination::new).transpose()?;
    let model = Model::load(&options.model)?;
    let table =
        Table::read(&options.file).with_context(|| format!("in {}", options.file.display()))?;
    let rows = model.columns.apply(&table).with_context(|| {
        format!("{} has not the columns that the model takes", options.file.display())
    })?;
    for note in &rows.notes {
        eprintln!("{note}");
    }
    let answers = model.answers(rows.inputs)?;
    match out {
        Some(place) => {
            let mut text = Vec::new();
            write_answers(&mut text, &model, &answers)?;
            place.write(&text)?;
        }
        None => write_answers(io::stdout().lock(), &model, &answers).map_err(io::Error::from)?,
    }
    Ok(())
}

/// Of classes the label and the probability of each; of numbers the numbers.
fn write_answers(out: impl Write, model: &Model, answers: &Answers) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    match (answers, &model.target) {
        (Answers::Classes(chosen, probabilities), Target::Classes { name, classes }) => {
            let header = classes.labels().map(|label| format!("p({label})"));
            writer.write_record([name.clone()].into_iter().chain(header))?;
            for (row, &class) in chosen.iter().enumerate() {
                let shares = probabilities.row(row).iter().map(|share| format!("{share:.6}"));
                writer.write_record([classes.label(class).to_owned()].into_iter().chain(shares))?;
            }
        }
        (Answers::Numbers(numbers), Target::Numbers { names, .. }) => {
            writer.write_record(names)?;
            for row in 0..numbers.rows {
                writer.write_record(numbers.row(row).iter().map(ToString::to_string))?;
            }
        }
        _ => unreachable!("a model answers as its target says"),
    }
    writer.flush()?;
    Ok(())
}
