//! The page of a chain: backpropagation to step through, at every stage of its training.

use core::fmt::Write;
use std::collections::BTreeSet;

use serde::Serialize;

use super::axis::{Axis, Spacing};
use super::chart::{Plot, numbers};
use super::markup::{escape, figure, fill, json};
use super::page::{self, page};
use super::player::{CONTROLS, PLAYER};
use super::stepper::{Numbers, Script};
use crate::chain::error::Error;
use crate::chain::step::{cancel, first_step, rest, rule};
use crate::chain::{Batch, WORDS, check_samples};
use crate::{Chain, Optimizer, Parameters, Recorded, Sample, Snapshot, Trained, Training};

const BODY: &str = include_str!("chain.html");
const CODE: &str = include_str!("chain.js");

/// How many samples can be stepped through.
const SAMPLES: usize = 8;
/// How many samples the table of predictions lists, and the chart beside it shows.
const PREDICTIONS: usize = 100;
/// About how many numbers of the list one training may put on the page.
const NUMBERS: usize = 8_000;
/// At how many inputs the fitted curve is computed.
const CURVE: u32 = 240;

/// A page on which backpropagation through a chain is played step by step, at every stage of one or more trainings.
///
/// It draws the network with its weights and the Wengert list beside it, and walks through the forward pass node by
/// node and the reverse sweep edge by edge, each derivative as a chain-rule product in symbols and numbers with the
/// reused part marked. Below stand what the multiplications grow to, the step that the training makes by the derivatives, a
/// check of a derivative, and forward mode beside reverse mode. The page opens at the first training, before its first
/// epoch. The epoch and the sample can be chosen; the loss curve and the fit follow. Every number is the
/// engine's: the page's script only shows them.
///
/// The page is one HTML file that loads nothing else. It holds the first 8 samples, and fewer snapshots the longer the
/// chain is: at least 12.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use nn::report::ChainReport;
/// use nn::{Chain, Sample, Training};
///
/// let samples = [(3.0, 17.0), (10.0, 200.0)].map(Sample::from);
/// let mut chain = Chain::new();
/// let training = Training { epochs: 100, ..Training::default() };
/// let recorded = chain.train_recorded(&samples, &training, |_| ControlFlow::Continue(()))?;
///
/// let html = ChainReport::new("A line").training("Adam", &chain, &samples, &recorded)?.to_html();
/// assert!(html.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChainReport {
    title: String,
    /// Escaped for a script element.
    trainings: Vec<String>,
    /// What each training shows besides the stepper.
    results: String,
}

/// One training, as the page's script reads it.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    #[serde(flatten)]
    script: Script,
    samples: Vec<[f64; 2]>,
    snapshots: Vec<SnapshotData>,
    /// Which of them has the lowest loss.
    kept: usize,
    /// How a step follows from the derivatives, in words.
    rule: String,
    /// What the first step is.
    first: Option<String>,
    /// What a step takes from a parameter, with `{}` for the derivative.
    taken: &'static str,
    /// The rate, where a step is rate × derivative.
    rate: Option<f64>,
    /// How many samples the mean is of.
    of: usize,
}

#[derive(Serialize)]
struct SnapshotData {
    epoch: usize,
    loss: f64,
    /// Where the loss curve is at this epoch.
    mark: [f64; 2],
    /// The fitted curve.
    curve: String,
    /// For each listed sample the prediction, the error, and the height at which it is drawn.
    predictions: Vec<[f64; 3]>,
    /// By sample.
    numbers: Vec<Numbers>,
    /// The derivatives of the mean of the samples' losses, by parameter.
    mean: Vec<f64>,
    /// Whether the samples' derivatives are large beside their mean, and so large that no step helps any more.
    cancels: bool,
    rests: bool,
    /// What the training made of it.
    step: Option<StepData>,
}

/// An epoch's step, by parameter.
#[derive(Serialize)]
struct StepData {
    after: Vec<f64>,
    change: Vec<f64>,
    loss: f64,
    /// How much smaller that is than before.
    fall: f64,
}

impl ChainReport {
    /// A page without a training so far.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), trainings: Vec::new(), results: String::new() }
    }

    /// Adds a training, to be chosen on the page by its name.
    ///
    /// # Errors
    /// [`Error::NoSamples`], [`Error::NonFiniteSample`]; [`Error::NoSnapshots`]; [`Error::ForeignSnapshot`] when the
    /// snapshots are those of another chain.
    pub fn training(
        mut self,
        name: &str,
        chain: &Chain,
        samples: &[Sample],
        recorded: &Recorded,
    ) -> Result<Self, Error> {
        check_samples(samples)?;
        let stepped = &samples[..samples.len().min(SAMPLES)];
        let script = Script::new(chain, samples[0])?;
        let most = (NUMBERS / (Numbers::count(&script) * stepped.len())).clamp(12, 40);
        let chains: Vec<(&Snapshot, Chain)> = thinned(&recorded.snapshots, most)
            .map(|snapshot| Ok((snapshot, at_snapshot(chain, snapshot)?)))
            .collect::<Result<_, Error>>()?;
        let lowest = lowest(chains.iter().map(|(snapshot, _)| *snapshot));
        let kept = lowest.ok_or(Error::NoSnapshots)?;

        let index = self.trainings.len();
        let loss = loss_plot(recorded);
        let listed = &samples[..samples.len().min(PREDICTIONS)];
        let fit = fit_plot(chain, listed);
        let snapshots = chains.iter().map(|(snapshot, chain)| {
            let prediction = |sample: &Sample| {
                let prediction = chain.predict(sample.input);
                [prediction, prediction - sample.target, fit.y(prediction)]
            };
            let derivatives = stepped.iter().map(|&sample| Ok(chain.gradient(&[sample])?.1));
            let derivatives: Vec<Parameters> = derivatives.collect::<Result<_, Error>>()?;
            let (_, mean) = chain.gradient(samples)?;
            let step = snapshot.next.as_ref().map(|next| step(chain, next, samples)).transpose()?;
            let after = step.as_ref().map_or(snapshot.loss, |step| step.loss);
            Ok(SnapshotData {
                epoch: snapshot.epoch,
                loss: snapshot.loss,
                mark: [loss.x(snapshot.epoch as f64), loss.y(snapshot.loss)],
                curve: fit.path(&curve(chain, &fit.x)),
                predictions: listed.iter().map(prediction).collect(),
                numbers: stepped
                    .iter()
                    .map(|&sample| Numbers::new(chain, sample))
                    .collect::<Result<_, _>>()?,
                cancels: cancel(&derivatives, &mean),
                rests: rest(&derivatives, &mean, [snapshot.loss, after]),
                mean: mean.values().collect(),
                step,
            })
        });
        let snapshots = snapshots.collect::<Result<_, Error>>()?;
        self.results.push_str(&results(index, &loss, &fit, recorded, samples, &script));
        self.trainings.push(json(&Data {
            name,
            script,
            samples: stepped.iter().map(|sample| [sample.input, sample.target]).collect(),
            snapshots,
            kept,
            rule: rule_of(&recorded.training, samples.len()),
            first: first_of(&recorded.training),
            taken: taken(recorded.training.optimizer),
            rate: is_plain(&recorded.training).then_some(recorded.training.rate),
            of: samples.len(),
        }));
        Ok(self)
    }

    /// The page. Without a training it says so.
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        if self.trainings.is_empty() {
            let body = format!("<main><h1>{title}</h1><p>There is no training to show.</p></main>");
            return page(&self.title, &body, None);
        }
        let parts = [
            ("title", title.as_str()),
            ("words", &words()),
            ("player", CONTROLS),
            ("growth", &growth()),
            ("results", &self.results),
        ];
        let data = format!("[{}]", self.trainings.join(","));
        let code = format!("{PLAYER}{CODE}");
        page(&self.title, &fill(BODY, &parts), Some(page::Script { data: &data, code: &code }))
    }
}

/// What the words mean, a sentence each.
fn words() -> String {
    let word = |(word, meaning): &(&str, &str)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(word), escape(meaning))
    };
    WORDS.iter().map(word).collect()
}

/// How the multiplications grow with the chain, a row for each length.
fn growth() -> String {
    let row = |edges: u64| {
        let (sweep, alone) = (2 * edges - 1, edges * (edges + 1) / 2);
        format!(
            r#"<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>"#,
            grouped(edges),
            grouped(sweep),
            grouped(alone)
        )
    };
    [3, 25, 250, 2_500].map(row).concat()
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn step(chain: &Chain, next: &Parameters, samples: &[Sample]) -> Result<StepData, Error> {
    let before = chain.parameters();
    let moved = Chain { parameters: next.clone(), ..chain.clone() };
    let (before_loss, loss) = (chain.loss(samples)?, moved.loss(samples)?);
    Ok(StepData {
        after: next.values().collect(),
        change: next.values().zip(before.values()).map(|(after, before)| after - before).collect(),
        loss,
        fall: before_loss - loss,
    })
}

/// Whether an epoch is one step of rate × derivative.
fn is_plain(training: &Training) -> bool {
    training.optimizer == Optimizer::Plain && training.batch == Batch::Full
}

fn taken(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::Plain => "rate · mean {}",
        Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => {
            "rate · (mean {} + a part of the steps before)"
        }
        Optimizer::RmsProp { .. } => "rate · mean {} ÷ its usual size",
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } => {
            "rate · running mean of mean {} ÷ its usual size"
        }
    }
}

fn rule_of(training: &Training, samples: usize) -> String {
    let rule = rule(training.optimizer, training.rate);
    match training.batch {
        Batch::Full => rule,
        Batch::Stochastic { .. } => format!(
            "{rule} This training makes a step after each sample, by that sample's derivative alone: {samples} steps an \
             epoch, which together have led to what stands here."
        ),
    }
}

/// An epoch of stochastic steps has no one first step to show.
fn first_of(training: &Training) -> Option<String> {
    let is_full = training.batch == Batch::Full;
    let first = first_step(training.optimizer, training.rate).filter(|_| is_full)?;
    Some(first.replace("-1", "−1"))
}

fn at_snapshot(chain: &Chain, snapshot: &Snapshot) -> Result<Chain, Error> {
    let parameters = &snapshot.parameters;
    let is_alike = chain.weights().keys().eq(parameters.weights.keys())
        && chain.biases().keys().eq(parameters.biases.keys());
    if !is_alike {
        return Err(Error::ForeignSnapshot { epoch: snapshot.epoch });
    }
    Ok(Chain { parameters: parameters.clone(), ..chain.clone() })
}

/// About so many of the snapshots, evenly; the first, the last and that of the lowest loss among them.
fn thinned(snapshots: &[Snapshot], most: usize) -> impl Iterator<Item = &Snapshot> {
    let count = snapshots.len().min(most);
    let last = snapshots.len().saturating_sub(1);
    let mut indices: BTreeSet<usize> = (0..count).map(|i| i * last / (count - 1).max(1)).collect();
    indices.extend(lowest(snapshots.iter()));
    indices.into_iter().map(|index| &snapshots[index])
}

/// The place of the snapshot with the lowest loss; the first one if there are several, as a training keeps it.
fn lowest<'a>(snapshots: impl Iterator<Item = &'a Snapshot>) -> Option<usize> {
    let by_loss = snapshots.enumerate();
    by_loss.min_by(|(_, a), (_, b)| a.loss.total_cmp(&b.loss)).map(|(index, _)| index)
}

fn loss_plot(recorded: &Recorded) -> Plot {
    let history = &recorded.trained.history;
    let epochs = (0..history.len()).map(|epoch| epoch as f64);
    let mut plot = Plot {
        title: "Loss by epoch".to_owned(),
        description: format!(
            "A curve on logarithmic axes: from {} before the first epoch to {} after {}. The lowest is {}.",
            figure(history[0]),
            figure(history[history.len() - 1]),
            history.len() - 1,
            figure(recorded.trained.loss)
        ),
        x: Axis::over("epoch", Spacing::Count, epochs.clone()),
        y: Axis::over("mean squared error", Spacing::Log, history.iter().copied()),
        content: String::new(),
    };
    plot.curve(0, &epochs.zip(history.iter().copied()).collect::<Vec<_>>());
    plot.content.push_str(r#"<path class="epoch-line"/><circle class="epoch-mark" r="5"/>"#);
    plot
}

/// Targets and predictions by input. The curve and the predictions move with the epoch: the script places them.
fn fit_plot(trained: &Chain, samples: &[Sample]) -> Plot {
    let inputs = samples.iter().map(|sample| sample.input);
    let outputs = samples.iter().flat_map(|s| [s.target, trained.predict(s.input)]);
    let names: Vec<&str> = trained.nodes().collect();
    let mut plot = Plot {
        title: "Predictions and targets".to_owned(),
        description: "The curve is what the chain predicts at the chosen epoch; circles are targets, crosses are the \
                      predictions at the same inputs. The table has the numbers."
            .to_owned(),
        x: Axis::over(names[0], Spacing::Linear, inputs).with_margin(0.08),
        y: Axis::over(names[names.len() - 1], Spacing::Linear, outputs).with_margin(0.15),
        content: r#"<path class="curve curve-0" data-fit=""/>"#.to_owned(),
    };
    for sample in samples {
        let (x, y) = (plot.x(sample.input), plot.y(sample.target));
        let _ = write!(
            plot.content,
            r#"<circle class="target" cx="{x}" cy="{y}" r="5.5"/><path class="prediction" d="M-4 -4L4 4M-4 4L4 -4" data-x="{x}"/>"#
        );
    }
    plot
}

fn curve(chain: &Chain, inputs: &Axis) -> Vec<(f64, f64)> {
    let [low, high] = inputs.ends();
    let at = |i: u32| low + (high - low) * f64::from(i) / f64::from(CURVE);
    (0..=CURVE).map(|i| (at(i), chain.predict(at(i)))).collect()
}

/// Which epoch's parameters the training keeps.
fn kept(trained: &Trained) -> String {
    let (best, epochs) = (trained.best_epoch(), trained.epochs());
    if best == epochs {
        return format!(
            "The training ended after epoch {epochs}, where the loss is lowest, and keeps its parameters."
        );
    }
    format!(
        "The training ended after epoch {epochs}. The loss is lowest after epoch {best}: the training keeps the parameters of \
         that epoch, not those of the last."
    )
}

/// Loss, fit and predictions of one training, as the script finds them by their classes.
fn results(
    index: usize,
    loss: &Plot,
    fit: &Plot,
    recorded: &Recorded,
    samples: &[Sample],
    script: &Script,
) -> String {
    let history: Vec<Vec<f64>> = recorded
        .snapshots
        .iter()
        .map(|snapshot| vec![snapshot.epoch as f64, snapshot.loss])
        .collect();
    let mut rows = String::new();
    for &Sample { input, target } in samples.iter().take(PREDICTIONS) {
        let _ = write!(
            rows,
            r#"<tr><th scope="row" data-value="{input}">{}</th><td data-value="{target}">{}</td><td class="predicted"></td><td class="error"></td></tr>"#,
            figure(input),
            figure(target)
        );
    }
    let left_out = match samples.len().saturating_sub(PREDICTIONS) {
        0 => String::new(),
        more => format!("<p class=\"note\">{more} samples more are not listed.</p>"),
    };
    format!(
        r#"<div class="results" data-training="{index}" hidden>
<section class="panel"><h2>Loss</h2>{loss}<p class="note">{kept} The mark is the chosen epoch. Both axes are logarithmic.</p>{history}</section>
<section class="panel"><h2>Predictions against targets</h2>{fit}
<ul class="legend"><li><svg viewBox="0 0 24 12" aria-hidden="true"><path class="curve curve-0" d="M1 6H23"/></svg>the chain</li><li><svg viewBox="0 0 24 12" aria-hidden="true"><circle class="target" cx="12" cy="6" r="5"/></svg>target</li><li><svg viewBox="0 0 24 12" aria-hidden="true"><path class="prediction" d="M8 2L16 10M8 10L16 2"/></svg>prediction</li></ul>
<div class="scroll" tabindex="0" role="region" aria-label="Predictions and targets"><table class="predictions"><thead><tr><th scope="col">{first}</th><th scope="col">target</th><th scope="col">predicted {last}</th><th scope="col">error</th></tr></thead><tbody>{rows}</tbody></table></div>{left_out}</section>
</div>
"#,
        loss = loss.svg(&format!("loss-{index}")),
        kept = kept(&recorded.trained),
        history = numbers(&["epoch", "mean squared error"], &history),
        fit = fit.svg(&format!("fit-{index}")),
        first = escape(&script.nodes[0]),
        last = escape(&script.nodes[script.nodes.len() - 1]),
    )
}
