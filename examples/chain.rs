//! Trains the network A→B→C→D so that D is 17 when A is 3, 200 when A is 10 and −17 when A is 7.
//!
//! Run it with `cargo run --release --example chain`, and with `-- --help` for its options. It trains the chain twice:
//! without biases and activations by plain gradient descent, which cannot pass through these points and comes to rest at
//! the least-squares optimum; then with biases and one sine, which can. Before and after, it explains the gradient of the
//! first sample, a step over all samples, and why the mean of derivatives is 0 where they are not.

#[path = "support/end.rs"]
mod end;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use nn::chain::{Error, WORDS};
use nn::report::ChainReport;
use nn::{Builder, Chain, Recorded, Sample, Stop, Trained, Training, plot};

use crate::end::end;

const SAMPLES: [(f64, f64); 3] = [(3.0, 17.0), (10.0, 200.0), (7.0, -17.0)];

/// Up to how many samples the derivatives of each are printed side by side.
const LISTED: usize = 8;

/// How far a prediction may be from its target.
const WITHIN: f64 = 0.01;

/// What one sweep saves: n edges without biases.
const WHY_CHEAP: &str = "\
Why one sweep: the multiplications for the derivatives of all n weights
    edges, n   one sweep, 2n − 1   each on its own, n(n + 1)/2
           3                   5                             6
          25                  49                           325
       2,500               4,999                     3,126,250
However long the chain, an edge costs the sweep two multiplications: one for its weight, one to hand the product on.";

/// Trains a chain network, one number per node and one weight per edge, and explains its gradient.
#[derive(Parser)]
#[command(allow_negative_numbers = true)]
struct Options {
    /// How many nodes (named A, B, C, …), or their names with commas between
    #[arg(long, default_value = "4")]
    nodes: String,
    /// Size of a step [default: 0.01 for adam, 0.00001 for plain, 0.000001 for momentum]
    #[arg(long)]
    rate: Option<f64>,
    /// How many times to go through the samples at most
    #[arg(long, default_value_t = 20_000)]
    epochs: usize,
    /// Determines the weights to start from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to make steps from derivatives [default: plain for the chain of four without biases, on its own samples; else
    /// adam, whose steps fit more chains and samples]
    #[arg(long, value_enum)]
    optimizer: Option<Optimizer>,
    /// Samples to learn instead of 3,17 10,200 7,-17: a line each, input and target with a comma between
    #[arg(long, value_name = "FILE.csv")]
    data: Option<PathBuf>,
    /// Where to write a page that plays backpropagation step by step, at every stage of both trainings
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Where to draw the loss and the fit of the second training
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Optimizer {
    Plain,
    Momentum,
    Adam,
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    options.plot.as_deref().map_or(Ok(()), plot::check)?;
    let samples = match &options.data {
        Some(path) => read_samples(path)?,
        None => SAMPLES.map(Sample::from).to_vec(),
    };
    let builder = named_nodes(&options.nodes)?.seed(options.seed);
    let linear = builder.clone().build()?;
    let names: Vec<String> = linear.nodes().map(str::to_owned).collect();

    writeln!(out, "The chain {} learns", names.join("→"))?;
    for Sample { input, target } in &samples {
        writeln!(out, "  {} = {target} when {} = {input}", names[names.len() - 1], names[0])?;
    }
    writeln!(out, "\nThe words")?;
    for (word, meaning) in WORDS {
        writeln!(out, "  {word}: {meaning}")?;
    }

    heading(out, "1. Without biases and activations")?;
    let training = linear_training(options);
    let (linear, linear_recorded) = train(out, options, linear, &samples, training)?;
    explain_linear_limit(out, &linear, &samples)?;

    heading(out, "2. With biases, and a sine at the first node after the input")?;
    let mut builder = builder.biases();
    if names.len() > 2 {
        builder = builder.activation(&names[1], "sin".parse()?);
        explain_sine(out, &names, &samples)?;
    } else {
        writeln!(
            out,
            "Two nodes leave none for a sine: the chain with a bias is a straight line."
        )?;
    }
    let training = sine_training(options, &samples);
    let (chain, recorded) = train(out, options, builder.build()?, &samples, training)?;
    let error = largest_error(&chain, &samples);
    let verdict = if error <= WITHIN { "Reached" } else { "Not reached" };
    writeln!(out, "{verdict}: every target within {WITHIN} (largest error {error:.2e})")?;

    if let Some(path) = &options.report {
        let page = ChainReport::new(format!("The chain {}", names.join("→")))
            .training("without biases and activations", &linear, &samples, &linear_recorded)?
            .training("with biases and a sine", &chain, &samples, &recorded)?;
        std::fs::write(path, page.to_html())
            .with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(out, "The report is in {}: open it in a browser", path.display())?;
    }
    if let Some(path) = &options.plot {
        plot::training(path, &chain, &samples, &recorded.trained.history)?;
        writeln!(out, "Loss and fit are drawn in {}", path.display())?;
    }
    Ok(())
}

/// Without an exact solution to aim at, the training ends when the loss falls no more.
fn linear_training(options: &Options) -> Training {
    let is_built_in = options.nodes == "4" && options.data.is_none();
    let optimizer = if is_built_in { Optimizer::Plain } else { Optimizer::Adam };
    Training { patience: Some(2_000), ..options.training(optimizer) }
}

/// The mean of the squares is at least the largest square over their number.
fn sine_training(options: &Options, samples: &[Sample]) -> Training {
    let tolerance = WITHIN * WITHIN / samples.len() as f64;
    Training { tolerance, ..options.training(Optimizer::Adam) }
}

impl Options {
    fn training(&self, default: Optimizer) -> Training {
        let (optimizer, rate) = match self.optimizer.unwrap_or(default) {
            Optimizer::Plain => (nn::Optimizer::Plain, 1e-5),
            Optimizer::Momentum => (nn::Optimizer::MOMENTUM, 1e-6),
            Optimizer::Adam => (nn::Optimizer::ADAM, 0.01),
        };
        let rate = self.rate.unwrap_or(rate);
        Training { optimizer, rate, epochs: self.epochs, ..Training::default() }
    }
}

/// Trains the chain between two explanations of its gradient.
fn train(
    out: &mut impl Write,
    options: &Options,
    mut chain: Chain,
    samples: &[Sample],
    training: Training,
) -> Result<(Chain, Recorded)> {
    writeln!(out, "Before training (seed {}): {:.6}\n", options.seed, chain.parameters())?;
    let explanation = chain.explain(samples[0])?;
    writeln!(out, "{explanation}\n")?;
    if chain.biases().is_empty() {
        writeln!(out, "{WHY_CHEAP}\n")?;
    }
    write_check(out, &chain, samples[0])?;
    if samples.len() <= LISTED {
        let step = chain.explain_step(samples, training.optimizer, training.rate)?;
        writeln!(out, "\n{step}\n")?;
    }

    let start = Instant::now();
    let recorded = train_with_progress(&mut chain, samples, &training)?;
    let trained = &recorded.trained;
    report(out, &training, trained, start)?;

    let epoch = trained.best_epoch();
    let which = if epoch == trained.epochs() { ", the last one" } else { "" };
    writeln!(
        out,
        "After training: the parameters of epoch {epoch}{which}, where the error was lowest"
    )?;
    writeln!(out, "  {:.6}\n", chain.parameters())?;
    writeln!(out, "{}\n", chain.explain(samples[0])?)?;
    write_check(out, &chain, samples[0])?;
    writeln!(out)?;
    write_means(out, &chain, samples, &training, trained.stop)?;
    write_predictions(out, &chain, samples)?;
    Ok((chain, recorded))
}

/// What a small change of the first weight does, beside what its derivative says; small enough for the two to agree.
fn write_check(out: &mut impl Write, chain: &Chain, sample: Sample) -> Result<()> {
    let edge = chain.weights().keys().next().map_or("", String::as_str);
    let first = chain.nudge(sample, edge, 0.01)?;
    writeln!(out, "A check that anyone can do\n  {first}")?;
    match chain.agreeing_nudge(sample, edge)? {
        Some(_) if first.agrees() => {
            writeln!(out, "  {}", chain.nudge(sample, edge, 0.0001)?)?;
        }
        Some(agreeing) => {
            writeln!(
                out,
                "  {agreeing}\n0.01 is too far: the curve of the loss bends, and there the derivative no longer holds. {} is the \
                 largest power of ten\nat which the two differ by less than a hundredth.",
                agreeing.by
            )?;
        }
        None => {
            writeln!(
                out,
                "The two differ, at smaller sizes too: the derivative is 0, or so near that the bend of the curve, or rounding, \
                 outweighs it."
            )?;
        }
    }
    Ok(())
}

/// Why single derivatives are not 0 when the training ends.
fn write_means(
    out: &mut impl Write,
    chain: &Chain,
    samples: &[Sample],
    training: &Training,
    stop: Stop,
) -> Result<()> {
    if samples.len() > LISTED {
        return Ok(());
    }
    let step = chain.explain_step(samples, training.optimizer, training.rate)?;
    writeln!(out, "The derivatives of all samples\n\n{}", step.means())?;
    let ended = format!("The training ended because {}.", why(stop));
    let sentence = if step.rests() {
        "Each sample alone would still move the weights, but they pull in different directions: the mean is 0, or nearly.\n\
         So no step makes the mean error smaller, and the training has come to rest."
            .to_owned()
    } else if step.cancels() {
        format!(
            "Each sample alone would still move the weights, but they pull in different directions: the mean is small beside \
             them.\nIt is not 0 yet. {ended}"
        )
    } else if step.mean.values().all(|mean| mean == 0.0) {
        format!("Every mean is 0: no step changes the weights any more. {ended}")
    } else {
        format!(
            "Not every mean is 0: a step that is small enough would still make the error smaller. {ended}"
        )
    };
    writeln!(out, "{sentence}\n")?;
    Ok(())
}

/// The bar shows on a terminal only.
fn train_with_progress(
    chain: &mut Chain,
    samples: &[Sample],
    training: &Training,
) -> Result<Recorded> {
    let style = ProgressStyle::with_template("{wide_bar} epoch {pos} of {len}, loss {msg}")?;
    let bar = ProgressBar::new(training.epochs as u64).with_style(style);
    let recorded = chain.train_recorded(samples, training, |epoch| {
        if epoch.number.is_multiple_of(100) {
            bar.set_message(format!("{:.4e}", epoch.loss));
            bar.set_position(epoch.number as u64);
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    recorded.map_err(|error| match error {
        Error::Diverged(diverged) => {
            anyhow!("{diverged}\nThe last finite weights: {}", diverged.last_finite)
        }
        error => error.into(),
    })
}

/// The loss at the start, after 1, 10, 100, … epochs, where it is lowest, and in the end.
fn report(
    out: &mut impl Write,
    training: &Training,
    trained: &Trained,
    start: Instant,
) -> Result<()> {
    writeln!(out, "{:>8}  mean squared error", "epoch")?;
    let powers = (0..).map(|power| 10_usize.pow(power));
    let powers = powers.take_while(|&epoch| epoch < trained.epochs());
    let epochs: BTreeSet<usize> =
        powers.chain([0, trained.best_epoch(), trained.epochs()]).collect();
    for epoch in epochs {
        writeln!(out, "{epoch:>8}  {:.6}", trained.history[epoch])?;
    }
    let since = match (trained.stop, training.patience) {
        (Stop::Patience, Some(epochs)) => format!(" (no lower one in {epochs} epochs)"),
        _ => String::new(),
    };
    let (epochs, seconds) = (trained.epochs(), start.elapsed().as_secs_f64());
    writeln!(
        out,
        "Stopped after {epochs} epochs ({seconds:.3} s): {}{since}.\n",
        why(trained.stop)
    )?;
    Ok(())
}

fn why(stop: Stop) -> &'static str {
    match stop {
        Stop::Tolerance => "the error is small enough",
        Stop::Patience => "the error falls no more",
        Stop::Epochs => "all epochs are done",
        Stop::Callback => "it was asked to",
    }
}

fn write_predictions(out: &mut impl Write, chain: &Chain, samples: &[Sample]) -> Result<()> {
    writeln!(out, "{:>12} {:>12} {:>14} {:>14}", "input", "target", "prediction", "error")?;
    for &Sample { input, target } in samples {
        let prediction = chain.predict(input);
        let error = prediction - target;
        writeln!(out, "{input:>12} {target:>12} {prediction:>14.6} {error:>14.6}")?;
    }
    writeln!(out)?;
    Ok(())
}

/// Why a chain without biases and activations stops where it does: it is the line D = (ab·bc·cd)·A, and the mean of
/// (w·A − D)² is smallest at w = Σ A·D / Σ A².
fn explain_linear_limit(out: &mut impl Write, chain: &Chain, samples: &[Sample]) -> Result<()> {
    let edges: Vec<&str> = chain.weights().keys().map(String::as_str).collect();
    let product: f64 = chain.weights().values().product();
    let loss = chain.loss(samples)?;

    let mean =
        |f: &dyn Fn(&Sample) -> f64| samples.iter().map(f).sum::<f64>() / samples.len() as f64;
    let square = mean(&|s| s.input * s.input);
    if square == 0.0 {
        writeln!(out, "Every input is 0, and so is every prediction, whatever the weights.")?;
        return Ok(());
    }
    let best = mean(&|s| s.input * s.target) / square;
    let least = mean(&|s| (best * s.input - s.target).powi(2));
    writeln!(out, "Product of the weights: {product:.10}")?;
    writeln!(out, "Least-squares optimum:  {best:.10}")?;
    writeln!(out, "Mean squared error:     {loss:.10}")?;
    writeln!(out, "The least there is:     {least:.10}\n")?;

    let names: Vec<&str> = chain.nodes().collect();
    let (input, output) = (names[0], names[names.len() - 1]);
    let product = if edges.len() > 4 {
        format!("{}·…·{}", edges[0], edges[edges.len() - 1])
    } else {
        edges.join("·")
    };
    let ratios = samples.iter().filter(|s| s.input != 0.0);
    let ratios: Vec<String> = ratios.map(|s| format!("{:.4}", s.target / s.input)).collect();
    writeln!(
        out,
        "Without biases and activations {output} = ({product})·{input}, a straight line through the origin:"
    )?;
    writeln!(
        out,
        "{output}/{input} is the same for every sample. The targets ask for {}.",
        ratios.join(", ")
    )?;
    let verdict = if least > 1e-12 * mean(&|s| s.target * s.target) {
        "No weights can pass through these points: a linear chain can only come as near as least squares."
    } else {
        "These points lie on such a line."
    };
    writeln!(out, "{verdict}")?;
    Ok(())
}

fn explain_sine(out: &mut impl Write, names: &[String], samples: &[Sample]) -> Result<()> {
    let (input, output) = (&names[0], &names[names.len() - 1]);
    let first = &names[1];
    writeln!(
        out,
        "\
Each node is one number, so {output} is a function within a function of {input}. Of monotone ones (tanh, sigmoid,
relu, softplus, with any weights and biases) such a {output} could only rise or only fall with {input}. The sine
at {first} turns, smoothly and again and again, so that {output} can do both{}.
What {output} is between the samples is another matter: they do not determine it.
",
        if is_monotone(samples) { "" } else { ", as the targets do" }
    )?;
    Ok(())
}

fn is_monotone(samples: &[Sample]) -> bool {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| a.input.total_cmp(&b.input));
    sorted.is_sorted_by(|a, b| a.target <= b.target)
        || sorted.is_sorted_by(|a, b| a.target >= b.target)
}

fn largest_error(chain: &Chain, samples: &[Sample]) -> f64 {
    samples.iter().map(|s| (chain.predict(s.input) - s.target).abs()).fold(0.0, f64::max)
}

fn heading(out: &mut impl Write, text: &str) -> Result<()> {
    writeln!(out, "\n{text}\n{}\n", "─".repeat(text.chars().count()))?;
    Ok(())
}

/// `4` means A, B, C and D; `in,hidden,out` means these.
fn named_nodes(nodes: &str) -> Result<Builder> {
    match nodes.parse::<usize>() {
        Ok(count) => Ok(Chain::builder().letters(count)?),
        Err(_) => Ok(Chain::builder().nodes(nodes.split(',').map(str::trim))),
    }
}

/// A line per sample: input and target. A first line that is no pair of numbers is a heading.
fn read_samples(path: &Path) -> Result<Vec<Sample>> {
    let in_file = || format!("in {}", path.display());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let mut samples = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.with_context(in_file)?;
        match sample(&record) {
            Ok(sample) => samples.push(sample),
            Err(_) if index == 0 && is_heading(&record) => {}
            Err(error) => return Err(error).with_context(in_file),
        }
    }
    if samples.is_empty() {
        bail!("no samples in {}", path.display());
    }
    Ok(samples)
}

fn sample(record: &csv::StringRecord) -> Result<Sample> {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != 2 {
        bail!("line {line} has {} fields: input and target make 2", record.len());
    }
    let number = |field: &str| {
        field.parse::<f64>().map_err(|_| anyhow!("line {line}: {field:?} is not a number"))
    };
    Ok(Sample { input: number(&record[0])?, target: number(&record[1])? })
}

fn is_heading(record: &csv::StringRecord) -> bool {
    record.len() == 2 && record.iter().all(|field| field.parse::<f64>().is_err())
}
