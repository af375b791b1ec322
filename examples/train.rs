//! Trains a network of dense layers on any table, and writes the model and a page that shows how it went.
//!
//! ```text
//! cargo run --release --example train                                        # the digits that come with the project
//! cargo run --release --example train -- examples/data/iris.csv --target species
//! cargo run --release --example train -- FILE.csv --target price --task regress --hidden 32,32 --epochs 200
//! ```
//!
//! The table is CSV, plain or in gzip; with `--features parquet` after `--release` also Parquet.
//!
//! A line for each column says what it was taken for: a number, a date, a text of so many categories. A share of the rows,
//! drawn by the seed, is kept for the test; categories, medians and scales are learnt from the rest. Of up to 1,000 rows,
//! trials on parts of them find how many epochs are best; of more, some judge each epoch, and the best parameters are kept.
//! Ctrl-C stops and keeps what is best so far; the exit code is 130 then. The training saves itself every few seconds, and
//! `--resume` goes on from there. `predict` uses the model on other rows.

#[path = "support/end.rs"]
mod end;
#[path = "train/epochs.rs"]
mod epochs;
#[path = "train/outputs.rs"]
mod outputs;
#[path = "train/resume.rs"]
mod resume;
#[path = "train/rows.rs"]
mod rows;
#[path = "train/scores.rs"]
mod scores;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use nn::data::{Dataset, Table};
use nn::report::{Chart, Curve, HeatMap, Names, Scale, TrainingReport, Units};
use nn::terminal::{INTERRUPTED, Interrupt, Progress, Trials, is_shown};
use nn::{
    Activation, Autosave, Checkpoint, Clip, Decay, Dense, Initializer, Layer, Network,
    NetworkBuilder, Optimizer, Precision, Record, Schedule, Score, Settings, Stop, Target, Trainer,
    plot,
};

use crate::end::end;
use crate::outputs::Outputs;
use crate::rows::{Data, Source};
use crate::scores::Tested;

/// Trains a network of dense layers on a table, tests it on rows that it has not seen, and writes model and report.
#[derive(Clone, Parser)]
#[command(allow_negative_numbers = true)]
struct Options {
    /// The table: CSV, plain or gzip; or Parquet, with the feature `parquet` [default: the digits that come with the project]
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
    /// How many categories of a column have an input of their own at most; those of a column with more are embedded: each
    /// stands for a few numbers that are learnt
    #[arg(long, default_value_t = 50)]
    categories: usize,
    /// Columns of categories to embed, however few there are, with commas between, and how many numbers a category stands
    /// for [default: the fourth root of how many there are, of columns with more than --categories]; "none" embeds
    /// nothing: where there are more categories, the rarer ones count as one
    #[arg(long, value_delimiter = ',', value_name = "COLUMN[:DIM]")]
    embed: Vec<String>,
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
    /// How many times to go through the rows [default: 200; fewer where trials, or rows that judge, find no more to gain]
    #[arg(long)]
    epochs: Option<usize>,
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
    /// How many digits to compute steps with, double or single: single is faster where rows and layers are wide
    #[arg(long, default_value = "double")]
    precision: Precision,
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
    /// Save the training after so many epochs
    #[arg(long, value_name = "COUNT", default_value_t = Autosave::default().epochs)]
    save_epochs: usize,
    /// Save the training after so many seconds, at the end of an epoch
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    save_seconds: Duration,
    /// Go on from the checkpoint in the folder that the last run of this name has left, with its options
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
    match run(&mut io::stdout().lock()) {
        Ok(Ended::Interrupted) => ExitCode::from(INTERRUPTED),
        result => end(result.map(|_| ())),
    }
}

/// How a training ended that met no error.
enum Ended {
    Done,
    Interrupted,
}

fn run(out: &mut impl Write) -> Result<Ended> {
    let start = Start::of_command_line()?;
    let Start { options, file, checkpoint, .. } = &start;
    for path in options.plot.iter().chain(&options.plot_fit) {
        plot::check(path)?;
    }
    let in_file = || format!("in {}", file.display());
    let (table, fingerprint) = start.table(out)?;
    let mut outputs = Outputs::new(options, file)?;
    let source = Source::new(options, &table, out).with_context(in_file)?;
    check_plot_fit(options, &source)?;
    if let Some(count) = options.folds {
        scores::write_folds(out, options, &source, count)?;
    }
    let (data, epochs) = data(options, &source, checkpoint.as_ref(), out).with_context(in_file)?;
    let options = &options.stopping(&data, epochs);
    let network = network(options, &data)?;
    // From here on Ctrl-C ends the run as a run is ended.
    let interrupt = Interrupt::listen()?;
    data.write_columns(out)?;
    write_summary(out, options, &data, &network)?;
    if let (Some(epochs), None) = (epochs, checkpoint) {
        writeln!(
            out,
            "{epochs} epochs did best on parts of the rows to learn from, left out in turn.\n"
        )?;
    }

    let mut trainer = start.trainer(options, network, &data, fingerprint, out)?;
    let began = Instant::now();
    let (stop, unsaved) = match train(&mut trainer, &data, &interrupt) {
        Ok(stop) => (Some(stop), None),
        Err(error @ nn::Error::NotSaved { .. }) => (None, Some(error)),
        Err(error) => return Err(error.into()),
    };
    let seconds = began.elapsed().as_secs_f64();
    let ended = if stop == Some(Stop::Callback) { Ended::Interrupted } else { Ended::Done };
    let epochs = trainer.history().len();
    if epochs == 0 {
        writeln!(out, "No epoch is done, and nothing is written.")?;
        return Ok(ended);
    }

    // First what a failure to write must not take away, then the files, then failures; that nobody reads the output any
    // more keeps no file from being written.
    let mut text = Vec::new();
    write_history(&mut text, &trainer)?;
    let why = stop.map_or("it cannot be saved", why);
    writeln!(text, "\nStopped after {epochs} epochs ({seconds:.2} s): {why}.")?;
    let model = data.model(&trainer);
    let training = Tested::new(&model, &data.training)?;
    let test = data.test.as_ref().map(|rows| Tested::new(&model, rows)).transpose()?;
    if let Some(test) = &test {
        writeln!(text, "\n{}", test.details())?;
    }
    writeln!(text, "training {}", training.line())?;
    if let Some(test) = &test {
        writeln!(text, "test {}", test.line())?;
    }
    scores::write_baselines(&mut text, options, &data)?;
    writeln!(text)?;
    let printed = out.write_all(&text).and_then(|()| out.flush());

    outputs.write_model(&model);
    let page = report(file, &data, &trainer, test.as_ref(), &training, seconds)?;
    outputs.write_page(&page.to_html());
    // Before the first epoch there is no mean over an epoch.
    let losses = trainer.history().iter().map(|record| record.loss);
    outputs.write_plot(&[f64::NAN].into_iter().chain(losses).collect::<Vec<_>>())?;
    if let Some(Tested::Numbers(pairs, _)) = &test {
        outputs.write_plot_fit(pairs)?;
    }
    outputs.end(unsaved, out)?;
    printed?;
    let model = options.place(file, ".model");
    writeln!(
        out,
        "\nFor other rows: cargo run --release --example predict -- {} ROWS.csv",
        model.display()
    )?;
    Ok(ended)
}

/// That there is something to plot, before anything is trained for it.
fn check_plot_fit(options: &Options, source: &Source) -> Result<()> {
    if options.plot_fit.is_some() {
        ensure!(
            !source.has_classes(),
            "--plot-fit is for numbers; classes have a confusion matrix"
        );
        let is_tested = options.test_share() != Some(0.0);
        ensure!(is_tested, "--plot-fit shows the test rows, and there are none: --test SHARE|FILE");
    }
    Ok(())
}

/// What of a training's facts is the table's fingerprint.
const TABLE: &str = "table";

/// What a run starts from: the options, those of the checkpoint among them when it resumes one.
struct Start {
    options: Options,
    file: PathBuf,
    facts: Vec<(String, String)>,
    checkpoint: Option<Checkpoint>,
}

impl Start {
    fn of_command_line() -> Result<Self> {
        let command = Options::command();
        let mut matches = command.clone().get_matches();
        let mut options = Options::from_arg_matches(&matches)?;
        let file = options.file.clone().unwrap_or_else(shipped_digits);
        let place = options.checkpoint(&file);
        let checkpoint = options.resume.then(|| Checkpoint::read(&place)).transpose()?;
        if let Some(checkpoint) = &checkpoint {
            let arguments = resume::arguments(&command, &matches, checkpoint, &place)?;
            matches = command.clone().try_get_matches_from(arguments).with_context(|| {
                format!("the training in {} has other options", place.display())
            })?;
            options = Options::from_arg_matches(&matches)?;
        }
        Ok(Self { options, file, facts: resume::facts(&command, &matches), checkpoint })
    }

    /// The table and its fingerprint, which must be that of the training that goes on.
    fn table(&self, out: &mut impl Write) -> Result<(Table, String)> {
        let in_file = || format!("in {}", self.file.display());
        let table = self.options.read(&self.file)?;
        writeln!(
            out,
            "{}: {} rows, {} columns",
            self.file.display(),
            table.len(),
            table.columns().len()
        )?;
        if !table.has_header() {
            writeln!(out, "It has no header: the columns are called column1, column2, …")?;
        }
        let table = table.drop(&self.options.drop).with_context(in_file)?;
        let fingerprint = table.fingerprint().to_string();
        if let Some(checkpoint) = &self.checkpoint {
            ensure!(
                checkpoint.facts().get(TABLE) == Some(&fingerprint),
                "{} is not the table that the training in {} has learnt from; train anew without --resume",
                self.file.display(),
                self.options.checkpoint(&self.file).display()
            );
        }
        Ok((table, fingerprint))
    }

    /// The training: another one, or that of the checkpoint.
    fn trainer(
        &self,
        options: &Options,
        network: Network,
        data: &Data,
        fingerprint: String,
        out: &mut impl Write,
    ) -> Result<Trainer> {
        let place = options.checkpoint(&self.file);
        let mut trainer = match &self.checkpoint {
            Some(checkpoint) => {
                let mut trainer = checkpoint.clone().resume(network, data.loss())?;
                trainer.set_epochs(options.epochs());
                trainer.set_patience(options.patience);
                writeln!(out, "Goes on after epoch {}.\n", trainer.history().len())?;
                trainer
            }
            None => Trainer::new(network, data.loss(), options.settings())?,
        };
        trainer.set_facts(self.facts.iter().cloned().chain([(TABLE.to_owned(), fingerprint)]));
        if let (None, Ok(other)) = (&self.checkpoint, Checkpoint::read(&place)) {
            let (done, epochs) = (other.epochs(), other.settings().epochs);
            if done < epochs {
                writeln!(
                    out,
                    "Replaces a training after epoch {done} of {epochs}: --resume goes on.\n"
                )?;
            }
        }
        trainer.autosave(place, options.autosave())?;
        Ok(trainer)
    }
}

impl Options {
    /// The place of what the training of a table leaves behind.
    fn place(&self, file: &Path, ending: &str) -> PathBuf {
        self.out.join(format!("{}{ending}", name_of(file)))
    }

    fn checkpoint(&self, file: &Path) -> PathBuf {
        self.place(file, ".checkpoint")
    }

    /// How many epochs a training was to have when it began, which trials may have found; none where their number is given.
    fn epochs_of(&self, checkpoint: &Checkpoint) -> Option<usize> {
        self.epochs.is_none().then(|| checkpoint.settings().epochs)
    }

    fn epochs(&self) -> usize {
        self.epochs.unwrap_or(200)
    }

    /// The share of the rows that is kept for the test; none where a file has the test rows.
    fn test_share(&self) -> Option<f64> {
        let default = if self.folds.is_some() { 0.0 } else { 0.2 };
        self.test.as_ref().map_or(Some(default), |text| text.parse().ok())
    }

    fn autosave(&self) -> Autosave {
        Autosave { epochs: self.save_epochs, time: self.save_seconds }
    }
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

/// The rows in their parts, and how many epochs they are good for, if that was tried.
fn data(
    options: &Options,
    source: &Source,
    checkpoint: Option<&Checkpoint>,
    out: &mut impl Write,
) -> Result<(Data, Option<usize>)> {
    let share = options.test_share();
    let parts = source.split(share.unwrap_or(0.0), options.seed)?;
    let mut data = source.data(options, &parts)?;
    if let (None, Some(file)) = (share, &options.test) {
        data.test_on(options, Path::new(file), out)?;
    }
    let epochs = if let Some(checkpoint) = checkpoint {
        options.epochs_of(checkpoint)
    } else {
        let mut shown = Trials::new(epochs::trials(options, parts.training.len()));
        let epochs = epochs::by_folds(options, source, &parts, &mut shown, "")?;
        shown.finish();
        epochs
    };
    Ok((data, epochs))
}

fn network(options: &Options, data: &Data) -> Result<Network> {
    let builder = Network::builder(data.learnt.inputs.columns).seed(options.seed);
    let mut builder = data.embeddings().into_iter().fold(builder, NetworkBuilder::layer);
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
            epochs: epochs.or(self.epochs),
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
                        Decay::Step { every: (self.epochs() / 5).max(1), factor: 0.5 }
                    }
                    ScheduleName::Cosine => Decay::Cosine { floor: 0.01 },
                },
            },
            epochs: self.epochs(),
            batch: self.batch,
            l2: self.l2,
            clip: self.clip.map(Clip::Norm),
            seed: self.seed,
            patience: self.patience,
            precision: self.precision,
            score_training: true,
        }
    }
}

fn train(trainer: &mut Trainer, data: &Data, interrupt: &Interrupt) -> Result<Stop, nn::Error> {
    let progress = Progress::new(trainer.settings().epochs);
    let stop = trainer.train_watched(
        data.learnt.samples(),
        data.judged.as_ref().map(Dataset::samples),
        |event| {
            progress.show(&event);
            interrupt.flow()
        },
    );
    progress.finish();
    stop
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
    let inputs = data.names_looked_up();
    let outputs: Vec<String> = match &data.target {
        Target::Classes { classes, .. } => classes.labels().map(str::to_owned).collect(),
        Target::Numbers { names, .. } => names.clone(),
    };
    let last = format!("layer{}.weight", network.layers().len());
    let is_table = |layer: &&Layer| matches!(layer, Layer::Embedding(_));
    let tables = network.layers().iter().filter(is_table).count();
    let first = format!("layer{}.weight", tables + 1);
    // A table of categories has too many rows to look at.
    for (name, parameter) in network.parameters().iter().skip(tables) {
        let &[rows, columns] = parameter.shape() else { continue };
        let is_first = *name == first;
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
            columns: fitting(&inputs, is_first, columns),
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
