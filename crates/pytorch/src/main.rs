//! Trains the same networks on the same rows here and in PyTorch, in turns, and compares.
//!
//! ```text
//! python3 -m venv venv && venv/bin/pip install -r crates/pytorch/requirements.txt
//! cargo run --release -p pytorch-comparison -- --python venv/bin/python
//! cargo run --release -p pytorch-comparison -- --python venv/bin/python --compile --rounds 1
//! ```
//!
//! Digits, 64 inputs, hidden layers of relu, 10 logits, cross-entropy, Adam; two threads here, and there one or two,
//! whichever a trial shows to be faster. Each round trains every case anew with another seed, first here, then there, each
//! PyTorch case in a process of its own. A ratio is that of the minima in the same precision, there to here.

use core::ops::ControlFlow;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use nn::data::{Classes, Dataset, Standardizer, Table};
use nn::{
    Chain, Dense, Event, Loss, Network, Optimizer, Precision, Sample, Settings, Trainer, Training,
};
use serde::{Deserialize, Serialize};
use tape::Matrix;

/// Compares the time for an epoch, here and in PyTorch.
#[derive(Parser)]
struct Options {
    /// A Python that has torch
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// How many times every case is trained
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many epochs a training has
    #[arg(long, default_value_t = 60)]
    epochs: usize,
    /// How many of them, the last ones, are timed
    #[arg(long, default_value_t = 30)]
    timed: usize,
    /// `torch.compile` too, which takes most of a minute for each training
    #[arg(long)]
    compile: bool,
}

const HIDDEN: [&[usize]; 2] = [&[32], &[64, 64]];
const BATCHES: [usize; 2] = [32, 256];

const PRECISIONS: [Precision; 2] = [Precision::Double, Precision::Single];

/// What PyTorch is run with: the type of number, and how.
const MODES: [(&str, &str); 3] =
    [("float32", "eager"), ("float64", "eager"), ("float32", "compile")];

fn main() -> Result<()> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    let rows = Digits::read()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("digits.json");
    serde_json::to_writer(BufWriter::new(File::create(&data)?), &rows)?;
    let modes = if options.compile { &MODES[..] } else { &MODES[..2] };

    println!(
        "Milliseconds for an epoch of {} digits: median (minimum); accuracy of",
        rows.inputs.len()
    );
    println!(
        "{} test digits, mean of {} trainings of {} epochs\n",
        rows.test_inputs.len(),
        options.rounds,
        options.epochs
    );
    print_heading(&["hidden", "batch", "here, f64", "here, f32", "f64 : f32"], modes);
    for hidden in HIDDEN {
        for batch in BATCHES {
            let mut ours = [Timed::default(), Timed::default()];
            let mut theirs = vec![Timed::default(); modes.len()];
            for round in 0..options.rounds {
                for (own, precision) in ours.iter_mut().zip(PRECISIONS) {
                    own.add(train(&options, &rows, hidden, batch, precision, round as u64)?);
                }
                for (own, &(dtype, mode)) in theirs.iter_mut().zip(modes) {
                    let arguments = [
                        "network".to_owned(),
                        data.display().to_string(),
                        widths(hidden),
                        batch.to_string(),
                        dtype.to_owned(),
                        mode.to_owned(),
                        options.epochs.to_string(),
                        options.timed.to_string(),
                        round.to_string(),
                    ];
                    own.add(pytorch(&options.python, &arguments)?);
                }
            }
            let [double, single] = &ours;
            let gain = double.least() / single.least();
            print!(
                "| {} | {batch} | {} | {} | {gain:.2}× |",
                widths(hidden),
                double.cell(),
                single.cell()
            );
            for (own, &(dtype, _)) in theirs.iter().zip(modes) {
                let same = if dtype == "float32" { single } else { double };
                print!(" {} | {:.2}× |", own.cell(), own.least() / same.least());
            }
            println!();
        }
    }

    println!(
        "\nThe chain A→B→C→D with a sine and biases, three samples, Adam: microseconds for a step\n"
    );
    print_heading(&["here, f64"], modes);
    let mut ours = Timed::default();
    let mut theirs = vec![Timed::default(); modes.len()];
    for _ in 0..options.rounds {
        ours.add(train_chain()?);
        for (own, &(dtype, mode)) in theirs.iter_mut().zip(modes) {
            let arguments = ["chain", dtype, mode, "2000"].map(str::to_owned);
            own.add(pytorch(&options.python, &arguments)?);
        }
    }
    print!("| {:.3} |", 1e6 * ours.median());
    for own in &theirs {
        print!(" {:.1} | {:.0}× |", 1e6 * own.median(), own.median() / ours.median());
    }
    println!();
    Ok(())
}

/// The heading of a table: of these columns, and of two for each way to run PyTorch.
fn print_heading(columns: &[&str], modes: &[(&str, &str)]) {
    print!("| {} |", columns.join(" | "));
    for (dtype, mode) in modes {
        print!(" PyTorch {dtype}, {mode} | ratio |");
    }
    println!("\n|{}", "---|".repeat(columns.len() + 2 * modes.len()));
}

fn widths(hidden: &[usize]) -> String {
    hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The rows as both sides take them: scaled by what the training rows show.
#[derive(Serialize)]
struct Digits {
    inputs: Vec<Vec<f64>>,
    classes: Vec<usize>,
    test_inputs: Vec<Vec<f64>>,
    test_classes: Vec<usize>,
    #[serde(skip)]
    training: Dataset,
    #[serde(skip)]
    test: Dataset,
}

impl Digits {
    fn read() -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/digits.csv.gz");
        let (all, _) = Table::read(path)?.classification("digit")?;
        let (mut training, mut test) = all.split_stratified(0.2, 1)?;
        let standardizer = Standardizer::learn(&training.inputs)?;
        standardizer.apply(&mut training.inputs)?;
        standardizer.apply(&mut test.inputs)?;
        let rows =
            |matrix: &Matrix<f64>| (0..matrix.rows).map(|row| matrix.row(row).to_vec()).collect();
        let classes = |matrix: &Matrix<f64>| {
            (0..matrix.rows).map(|row| Classes::most_likely(matrix.row(row))).collect()
        };
        Ok(Self {
            inputs: rows(&training.inputs),
            classes: classes(&training.targets),
            test_inputs: rows(&test.inputs),
            test_classes: classes(&test.targets),
            training,
            test,
        })
    }
}

/// What one training gave: seconds for each timed epoch, and the accuracy.
#[derive(Deserialize)]
struct Trained {
    seconds: Vec<f64>,
    accuracy: f64,
}

/// What several gave.
#[derive(Clone, Default)]
struct Timed {
    seconds: Vec<f64>,
    accuracies: Vec<f64>,
}

impl Timed {
    fn add(&mut self, trained: Trained) {
        self.seconds.extend(trained.seconds);
        self.seconds.sort_by(f64::total_cmp);
        self.accuracies.push(trained.accuracy);
    }

    fn median(&self) -> f64 {
        self.seconds[self.seconds.len() / 2]
    }

    fn least(&self) -> f64 {
        self.seconds[0]
    }

    /// `2.50 (2.40); 97.8 %`.
    fn cell(&self) -> String {
        let accuracy = self.accuracies.iter().sum::<f64>() / self.accuracies.len() as f64;
        let (median, least) = (1e3 * self.median(), 1e3 * self.least());
        format!("{median:.2} ({least:.2}); {:.1} %", 100.0 * accuracy)
    }
}

fn train(
    options: &Options,
    rows: &Digits,
    hidden: &[usize],
    batch: usize,
    precision: Precision,
    seed: u64,
) -> Result<Trained> {
    let mut builder = Network::builder(rows.training.inputs.columns).seed(seed);
    for &width in hidden {
        builder = builder.layer(Dense::new(width, "relu".parse()?));
    }
    let network = builder.layer(Dense::linear(rows.training.targets.columns)).build()?;
    let settings =
        Settings { batch, seed, precision, epochs: options.epochs, ..Settings::default() };
    let mut trainer = Trainer::new(network, Loss::CrossEntropy, settings)?;
    let mut seconds = Vec::new();
    let mut start = Instant::now();
    trainer.train_watched(rows.training.samples(), None, |event| {
        if matches!(event, Event::Epoch(_)) {
            seconds.push(start.elapsed().as_secs_f64());
            start = Instant::now();
        }
        ControlFlow::Continue(())
    })?;
    seconds.drain(..options.epochs.saturating_sub(options.timed));
    let accuracy = trainer.score(rows.test.samples())?.accuracy.unwrap_or_default();
    Ok(Trained { seconds, accuracy })
}

fn train_chain() -> Result<Trained> {
    const STEPS: usize = 50_000;
    let samples = [(3.0, 17.0), (10.0, 200.0), (7.0, -17.0)].map(Sample::from);
    let builder = Chain::builder().biases().activation("B", "sin".parse()?).seed(1);
    let training = Training { optimizer: Optimizer::ADAM, epochs: STEPS, ..Training::default() };
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let mut chain = builder.clone().build()?;
        let start = Instant::now();
        chain.train(&samples, &training)?;
        seconds.push(start.elapsed().as_secs_f64() / STEPS as f64);
    }
    Ok(Trained { seconds, accuracy: 0.0 })
}

/// Runs PyTorch's side in a process of its own.
fn pytorch(python: &Path, arguments: &[String]) -> Result<Trained> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("train.py");
    let output = Command::new(python).arg(script).args(arguments).output().with_context(|| {
        format!("cannot run {}: give --python a Python that has torch", python.display())
    })?;
    if !output.status.success() {
        bail!(
            "PyTorch's side failed (pip install -r crates/pytorch/requirements.txt?):\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("PyTorch's side said {line:?}"))
}
