//! Trains a network of dense layers on any table, and writes the model and a page that shows how it went.
//!
//! ```text
//! cargo run --release --example train                                        # the digits that come with the project
//! cargo run --release --example train -- examples/data/iris.csv --target species
//! cargo run --release --example train -- FILE.csv --target price --task regress --hidden 32,32 --epochs 200
//! ```
//!
//! A line for each column says what it was taken for: a number, a date, a text of so many categories. A share of the rows,
//! drawn by the seed, is kept for the test; categories, medians and scales are learnt from the rest. Of up to 1,000 rows,
//! trials on parts of them find how many epochs are best; of more, some judge each epoch, and the best parameters are kept.
//! Ctrl-C stops and keeps what is best so far. `predict` uses the model on other rows.

#[path = "support/end.rs"]
mod end;
#[path = "train/epochs.rs"]
mod epochs;
#[path = "train/rows.rs"]
mod rows;
#[path = "train/scores.rs"]
mod scores;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use nn::data::Dataset;
use nn::report::{Chart, Curve, HeatMap, Names, Scale, TrainingReport, Units};
use nn::terminal::{Interrupt, Progress, is_shown};
use nn::{
    Activation, Clip, Decay, Dense, Initializer, Network, Optimizer, Record, Schedule, Score,
    Settings, Stop, Target, Trainer, plot,
};

use crate::end::end;
use crate::rows::{Data, Source};
use crate::scores::Tested;

/// Trains a network of dense layers on a table, tests it on rows that it has not seen, and writes model and report.
#[derive(Clone, Parser)]
#[command(allow_negative_numbers = true)]
struct Options {
    /// The table: CSV, plain or gzip [default: the digits that come with the project]
    file: Option<PathBuf>,
    /// Whether the first line names the columns [default: it does, unless it looks like the rows]
    #[arg(long, value_enum)]
    header: Option<Answer>,
    /// What stands between cells, or "tab" [default: what the first lines show]
    #[arg(long)]
    delimiter: Option<String>,
    /// The column to predict: its name, its number from 1, or from the end (-1 is the last)
    #[arg(long, default_value = "-1")]
    target: String,
    /// Columns to leave out, with commas between
    #[arg(long, value_delimiter = ',')]
    drop: Vec<String>,
    /// Columns whose cells are names of categories, even if they look like numbers, with commas between
    #[arg(long, value_delimiter = ',')]
    text: Vec<String>,
    /// How many categories of a column are told apart at most; the rarer ones count as one
    #[arg(long, default_value_t = 50)]
    categories: usize,
    /// More texts that mean a gap, with commas between
    #[arg(long, value_delimiter = ',')]
    gap: Vec<String>,
    /// Leave out rows with a gap, instead of filling and marking it
    #[arg(long)]
    drop_rows: bool,
    /// What the target is [default: classes if it is text or few whole numbers, otherwise numbers]
    #[arg(long, value_enum)]
    task: Option<TaskName>,
    /// Learn the logarithm of the target, for numbers whose ratios count
    #[arg(long)]
    log: bool,
    /// The widths of the hidden layers, with commas between; "none" for none
    #[arg(long, default_value = "64")]
    hidden: String,
    /// What hidden layers apply: relu, tanh, sigmoid, gelu, silu, …
    #[arg(long, default_value = "relu")]
    activation: Activation,
    /// How many times to go through the rows at most; fewer where trials, or rows that judge, find no more to gain
    #[arg(long, default_value_t = 200)]
    epochs: usize,
    /// How many rows make a step
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// How to make steps from derivatives
    #[arg(long, value_enum, default_value = "adam")]
    optimizer: OptimizerName,
    /// Size of a step
    #[arg(long, default_value_t = 0.001)]
    rate: f64,
    /// How the rate changes
    #[arg(long, value_enum, default_value = "constant")]
    schedule: ScheduleName,
    /// Epochs in which the rate rises to its full size
    #[arg(long, default_value_t = 0.0)]
    warm_up: f64,
    /// λ of the penalty λ/2·Σp² on all parameters
    #[arg(long, default_value_t = 0.001)]
    l2: f64,
    /// The longest gradient that is not shortened
    #[arg(long)]
    clip: Option<f64>,
    /// Determines the test rows, the start and the order of the rows
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of the rows that is kept for the test, or a file of other rows [default: 0.2]
    #[arg(long, value_name = "SHARE|FILE")]
    test: Option<String>,
    /// Test on as many parts of the rows in turn, each with a network that learnt from the others
    #[arg(long, value_name = "COUNT")]
    folds: Option<usize>,
    /// Share of the training rows that judges each epoch [default: 0.1; of up to 1,000 rows 0, and trials on parts of them
    /// find how many epochs are best]
    #[arg(long)]
    validation: Option<f64>,
    /// Stop after so many epochs without a lower loss, on the validation rows if there are any [default: 10 to 50 with
    /// the default share of them]
    #[arg(long)]
    patience: Option<usize>,
    /// The folder for the model and the report
    #[arg(long, default_value = "target/train")]
    out: PathBuf,
    /// The report page [default: NAME.html in the folder]
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// A plot of the loss
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// A plot of predictions by targets, for numbers
    #[arg(long, value_name = "FILE.svg")]
    plot_fit: Option<PathBuf>,
    /// Go on from the checkpoint in the folder that the last run of this name has left
    #[arg(long)]
    resume: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum TaskName {
    Classify,
    Regress,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Answer {
    Yes,
    No,
}

#[derive(Clone, Copy, ValueEnum)]
enum OptimizerName {
    Plain,
    Momentum,
    Nesterov,
    RmsProp,
    Adam,
    AdamW,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ScheduleName {
    Constant,
    /// Half the rate every fifth part of the epochs
    Step,
    /// Down to a hundredth along half a cosine
    Cosine,
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    for path in options.plot.iter().chain(&options.plot_fit) {
        plot::check(path)?;
    }
    let file = options.file.clone().unwrap_or_else(shipped_digits);
    let in_file = || format!("in {}", file.display());
    let table = options.read(&file)?;
    writeln!(out, "{}: {} rows, {} columns", file.display(), table.len(), table.columns().len())?;
    if !table.has_header() {
        writeln!(out, "It has no header: the columns are called column1, column2, …")?;
    }
    let table = table.drop(&options.drop).with_context(in_file)?;
    let source = Source::new(options, &table, out).with_context(in_file)?;
    if let Some(count) = options.folds {
        scores::write_folds(out, options, &source, count)?;
    }
    let (data, epochs) = data(options, &source, out).with_context(in_file)?;
    let options = &options.stopping(&data, epochs);
    let is_classes = matches!(data.target, Target::Classes { .. });
    ensure!(
        !(is_classes && options.plot_fit.is_some()),
        "--plot-fit is for numbers; classes have a confusion matrix"
    );
    let network = network(options, &data)?;
    data.write_columns(out)?;
    write_summary(out, options, &data, &network)?;
    if let Some(epochs) = epochs {
        writeln!(
            out,
            "{epochs} epochs did best on parts of the rows to learn from, left out in turn.\n"
        )?;
    }

    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the folder {}", options.out.display()))?;
    let place = |ending: &str| options.out.join(format!("{}{ending}", name_of(&file)));
    let checkpoint = place(".checkpoint");
    let mut trainer = if options.resume {
        let mut trainer = Trainer::load(network, data.loss(), &checkpoint)?;
        trainer.set_epochs(options.epochs);
        writeln!(out, "Goes on after epoch {}.\n", trainer.history().len())?;
        trainer
    } else {
        Trainer::new(network, data.loss(), options.settings())?
    };
    let start = Instant::now();
    let stop = train(&mut trainer, &data)?;
    let seconds = start.elapsed().as_secs_f64();
    trainer.save(&checkpoint)?;
    write_history(out, &trainer)?;
    let epochs = trainer.history().len();
    writeln!(out, "\nStopped after {epochs} epochs ({seconds:.2} s): {}.", why(stop))?;

    let model = data.model(&trainer);
    let training = Tested::new(&model, &data.training)?;
    let test = data.test.as_ref().map(|rows| Tested::new(&model, rows)).transpose()?;
    if let Some(test) = &test {
        writeln!(out, "\n{}", test.details())?;
    }
    writeln!(out, "training {}", training.line())?;
    if let Some(test) = &test {
        writeln!(out, "test {}", test.line())?;
    }
    scores::write_baselines(out, options, &data)?;
    writeln!(out)?;

    model.save(place(".model"))?;
    let page = options.report.clone().unwrap_or_else(|| place(".html"));
    let report = report(&file, &data, &trainer, test.as_ref(), &training, seconds)?;
    fs::write(&page, report.to_html())
        .with_context(|| format!("cannot write {}", page.display()))?;
    let model = place(".model");
    writeln!(out, "Model:  {0}.safetensors, {0}.json", model.display())?;
    writeln!(out, "Report: {}", page.display())?;
    if let Some(path) = &options.plot {
        // Before the first epoch there is no mean over an epoch.
        let losses = trainer.history().iter().map(|record| record.loss);
        let losses: Vec<f64> = [f64::NAN].into_iter().chain(losses).collect();
        plot::write(path, &plot::loss(&losses)?)?;
        writeln!(out, "Plot:   {}", path.display())?;
    }
    if let (Some(path), Some(Tested::Numbers(pairs, _))) = (&options.plot_fit, &test) {
        plot::write(path, &plot::predictions(pairs)?)?;
        writeln!(out, "Plot:   {}", path.display())?;
    }
    writeln!(
        out,
        "\nFor other rows: cargo run --release --example predict -- {} ROWS.csv",
        model.display()
    )?;
    Ok(())
}

/// The rows in their parts, and how many epochs they are good for, if that was tried.
fn data(options: &Options, source: &Source, out: &mut impl Write) -> Result<(Data, Option<usize>)> {
    let default = if options.folds.is_some() { 0.0 } else { 0.2 };
    let share = options.test.as_ref().map_or(Some(default), |text| text.parse().ok());
    let parts = source.split(share.unwrap_or(0.0), options.seed)?;
    let mut data = source.data(options, &parts)?;
    if let (None, Some(file)) = (share, &options.test) {
        data.test_on(options, Path::new(file), out)?;
    }
    Ok((data, epochs::by_folds(options, source, &parts)?))
}

fn network(options: &Options, data: &Data) -> Result<Network> {
    let mut builder = Network::builder(data.learnt.inputs.columns).seed(options.seed);
    if options.hidden != "none" {
        for width in options.hidden.split(',') {
            let width = width.trim().parse().with_context(|| {
                format!("--hidden {width:?}: give widths with commas between, or none")
            })?;
            let layer = Dense::new(width, options.activation);
            builder = builder.layer(layer.initializer(Initializer::GlorotUniform));
        }
    }
    // All 0: it begins by guessing, the mean of numbers or each class alike, and not by saying something worse.
    let last = Dense::linear(data.learnt.targets.columns).initializer(Initializer::Zeros);
    Ok(builder.layer(last).build()?)
}

impl Options {
    /// With when to stop, where no option says it: after as many epochs as were found to be good, or when the rows that
    /// judge find nothing better.
    fn stopping(&self, data: &Data, epochs: Option<usize>) -> Self {
        let is_judged = data.judged.is_some() && self.validation.is_none();
        // Of fewer rows an epoch has fewer steps, and more of them pass before a next one is better.
        let patience = (100_000 / data.learnt.len()).clamp(10, 50);
        Self {
            epochs: epochs.unwrap_or(self.epochs),
            patience: self.patience.or(is_judged.then_some(patience)),
            ..self.clone()
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            optimizer: match self.optimizer {
                OptimizerName::Plain => Optimizer::Plain,
                OptimizerName::Momentum => Optimizer::MOMENTUM,
                OptimizerName::Nesterov => Optimizer::NESTEROV,
                OptimizerName::RmsProp => Optimizer::RMS_PROP,
                OptimizerName::Adam => Optimizer::ADAM,
                OptimizerName::AdamW => Optimizer::ADAM_W,
            },
            rate: self.rate,
            schedule: Schedule {
                warm_up: self.warm_up,
                decay: match self.schedule {
                    ScheduleName::Constant => Decay::Constant,
                    ScheduleName::Step => {
                        Decay::Step { every: (self.epochs / 5).max(1), factor: 0.5 }
                    }
                    ScheduleName::Cosine => Decay::Cosine { floor: 0.01 },
                },
            },
            epochs: self.epochs,
            batch: self.batch,
            l2: self.l2,
            clip: self.clip.map(Clip::Norm),
            seed: self.seed,
            patience: self.patience,
            score_training: true,
        }
    }
}

fn train(trainer: &mut Trainer, data: &Data) -> Result<Stop> {
    let progress = Progress::new(trainer.settings().epochs);
    let interrupt = Interrupt::listen()?;
    let stop = trainer.train_watched(
        data.learnt.samples(),
        data.judged.as_ref().map(Dataset::samples),
        |event| {
            progress.show(&event);
            interrupt.flow()
        },
    );
    progress.finish();
    Ok(stop?)
}

fn why(stop: Stop) -> &'static str {
    match stop {
        Stop::Patience => "the loss falls no more",
        Stop::Callback => "it was interrupted",
        _ => "all epochs are done",
    }
}

fn write_summary(
    out: &mut impl Write,
    options: &Options,
    data: &Data,
    network: &Network,
) -> Result<()> {
    let what = match &data.target {
        Target::Classes { classes, .. } => format!("{} classes", classes.len()),
        Target::Numbers { .. } => "a number".to_owned(),
    };
    let (learnt, judged) = (data.learnt.len(), data.judged.as_ref().map_or(0, Dataset::len));
    let judged = if judged > 0 { format!(", {judged} to judge each epoch") } else { String::new() };
    writeln!(out, "Target: {}, {what}", data.target_name())?;
    writeln!(
        out,
        "Rows:   {learnt} to learn from{judged}, {} for the test (seed {})",
        data.test.as_ref().map_or(0, Dataset::len),
        options.seed
    )?;
    writeln!(out, "Loss:   {}\n\n{network}\n", data.loss())?;
    Ok(())
}

/// Some of the epochs, as a table: of each the mean loss, and how the network does after it.
fn write_history(out: &mut impl Write, trainer: &Trainer) -> Result<()> {
    let history = trainer.history();
    let has_validation = history.iter().any(|record| record.validation.is_some());
    let columns = |score: Option<Score>| match score {
        Some(Score { loss, accuracy: Some(share) }) => {
            format!("{loss:>12.6}  {:>8.2} %", 100.0 * share)
        }
        Some(Score { loss, accuracy: None }) => format!("{loss:>12.6}"),
        None => String::new(),
    };
    let has_accuracy = accuracies(history, |record| record.training).is_some();
    let accuracy = if has_accuracy { "    accuracy" } else { "" };
    write!(out, "{:>7}  {:>10}  {:>12}{accuracy}", "epoch", "rate", "training")?;
    writeln!(
        out,
        "{}",
        if has_validation { format!("    validation{accuracy}") } else { String::new() }
    )?;
    for record in history.iter().filter(|record| is_shown(record.epoch, history.len())) {
        let Record { epoch, rate, training, validation, .. } = *record;
        write!(out, "{epoch:>7}  {rate:>10.3e}  {}", columns(training))?;
        writeln!(out, "  {}", columns(validation))?;
    }
    if has_validation {
        writeln!(out, "The parameters kept are those of epoch {}.", trainer.best_epoch())?;
    }
    Ok(())
}

/// Which score of an epoch; and its values over all epochs.
type Which = fn(&Record) -> Option<Score>;
type Values = fn(&[Record], Which) -> Option<Vec<f64>>;

/// The accuracy after every epoch, of the training or of the validation rows, if it is a matter of classes.
fn accuracies(history: &[Record], of: Which) -> Option<Vec<f64>> {
    let accuracy = |record: &Record| of(record).and_then(|score| score.accuracy);
    history.iter().map(accuracy).collect()
}

/// The loss after every epoch, of the training or of the validation rows.
fn losses(history: &[Record], of: Which) -> Option<Vec<f64>> {
    history.iter().map(|record| of(record).map(|score| score.loss)).collect()
}

fn report(
    file: &Path,
    data: &Data,
    trainer: &Trainer,
    test: Option<&Tested>,
    training: &Tested,
    seconds: f64,
) -> Result<TrainingReport> {
    let network = trainer.network();
    let layers: Vec<String> = network.layers().iter().map(ToString::to_string).collect();
    let history = trainer.history();
    let mut report = TrainingReport::new(format!("{} → {}", name_of(file), data.target_name()))
        .summary("test", test.map_or_else(|| "none".to_owned(), Tested::line))
        .summary("training", training.line())
        .summary(
            "rows",
            format!(
                "{} training, {} test",
                data.training.len(),
                data.test.as_ref().map_or(0, Dataset::len)
            ),
        )
        .summary("network", format!("{} inputs, {}", network.inputs(), layers.join("; ")))
        .summary("parameters", network.size().to_string())
        .summary("epochs", format!("{} in {seconds:.2} s", history.len()));
    let curves = |of: Values| -> Vec<Curve> {
        let training = of(history, |record| record.training).map(|values| ("training", values));
        let validation =
            of(history, |record| record.validation).map(|values| ("validation", values));
        let named = [training, validation].into_iter().flatten();
        named.map(|(name, values)| Curve { name: name.to_owned(), first: 1, values }).collect()
    };
    report = report.chart(Chart {
        title: "Loss".to_owned(),
        label: data.loss().to_string(),
        scale: Scale::Log,
        curves: curves(losses),
    });
    let accuracies = curves(accuracies);
    if !accuracies.is_empty() {
        report = report.chart(Chart {
            title: "Accuracy".to_owned(),
            label: "share of the rows".to_owned(),
            scale: Scale::Linear,
            curves: accuracies,
        });
    }
    match test.unwrap_or(training) {
        Tested::Classes(confusion, _) => report = report.confusion(confusion.into())?,
        Tested::Numbers(pairs, _) => report = report.predictions(pairs.iter().copied()),
    }
    let inputs = &data.training.input_names;
    let outputs: Vec<String> = match &data.target {
        Target::Classes { classes, .. } => classes.labels().map(str::to_owned).collect(),
        Target::Numbers { names, .. } => names.clone(),
    };
    let last = format!("layer{}.weight", network.layers().len());
    for (name, parameter) in network.parameters() {
        let &[rows, columns] = parameter.shape() else { continue };
        let is_first = name == "layer1.weight";
        let is_image = is_first && columns >= 16 && columns.isqrt().pow(2) == columns;
        let heat_map = HeatMap {
            name: name.clone(),
            rows,
            columns,
            values: parameter.values().to_vec(),
            units: is_image.then_some(Units::Rows),
        };
        let fitting = |names: &[String], is_theirs: bool, count: usize| {
            if is_theirs && names.len() == count { names.to_vec() } else { Vec::new() }
        };
        let names = Names {
            rows: fitting(&outputs, *name == last, rows),
            columns: fitting(inputs, is_first, columns),
        };
        report = report.named_weights(heat_map, names)?;
    }
    Ok(report.note(format!(
        "Inputs are scaled to mean 0 and deviation 1 by what the training rows showed. Seed {}.",
        trainer.settings().seed
    )))
}

fn shipped_digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits.csv.gz")
}

/// The file's name up to its first dot.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or_default();
    if stem.is_empty() { "table".to_owned() } else { stem.to_owned() }
}
