//! How well a model does, beside what needs no network.

use core::fmt;
use std::io::Write;

use anyhow::Result;
use nn::data::Dataset;
use nn::metrics::{Confusion, calibration_error, log_loss, r_squared, roc_auc};
use nn::terminal::Trials;
use nn::{Answers, Event, Model, Settings, Target};
use tape::Matrix;

use crate::rows::{Data, Source};
use crate::{Options, epochs};

/// How a model does on rows that it may not have seen.
pub(crate) enum Tested {
    /// The classes, and what the probabilities are worth.
    Classes(Confusion, Probabilities),
    /// Targets and predictions, and R², if the targets vary.
    Numbers(Vec<(f64, f64)>, Option<f64>),
}

impl Tested {
    pub(crate) fn new(model: &Model, data: &Dataset) -> Result<Self> {
        Ok(match (model.answers(data.inputs.clone())?, &model.target) {
            (Answers::Classes(_, probabilities), Target::Classes { classes, .. }) => {
                let confusion = Confusion::of_scores(classes, &data.targets, &probabilities)?;
                Self::Classes(confusion, Probabilities::new(&data.targets, &probabilities)?)
            }
            (Answers::Numbers(numbers), _) => {
                let pairs = data.targets.data.iter().copied().zip(numbers.data.iter().copied());
                Self::Numbers(pairs.collect(), r_squared(&data.targets, &numbers)?[0])
            }
            (Answers::Classes(..), Target::Numbers { .. }) => {
                unreachable!("a model answers as its target says")
            }
        })
    }

    /// `accuracy: 97.22 %` or `R²: 0.9312`.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Classes(confusion, _) => {
                format!("accuracy: {:.2} %", 100.0 * confusion.accuracy().unwrap_or(f64::NAN))
            }
            Self::Numbers(_, Some(share)) => format!("R²: {share:.4}"),
            Self::Numbers(_, None) => "R²: none, the targets are all the same".to_owned(),
        }
    }

    /// The share of the line.
    pub(crate) fn score(&self) -> Option<f64> {
        match self {
            Self::Classes(confusion, _) => confusion.accuracy(),
            Self::Numbers(_, share) => *share,
        }
    }

    pub(crate) fn details(&self) -> String {
        match self {
            Self::Classes(confusion, probabilities) => {
                format!(
                    "Test rows by class, the predicted one in columns:\n\n{confusion}\n\
                     balanced accuracy {}, F1 {} (means over the classes)\n{probabilities}\n",
                    shown(confusion.balanced_accuracy()),
                    shown(confusion.macro_f1())
                )
            }
            Self::Numbers(pairs, _) => {
                let count = pairs.len() as f64;
                let mean = |f: fn(f64) -> f64| {
                    pairs.iter().map(|(target, prediction)| f(prediction - target)).sum::<f64>()
                        / count
                };
                format!(
                    "Test rows: root of the mean squared error {:.6}, mean absolute error {:.6}",
                    mean(|error| error * error).sqrt(),
                    mean(f64::abs)
                )
            }
        }
    }
}

/// What probabilities of classes are worth.
pub(crate) struct Probabilities {
    log_loss: f64,
    /// The mean over the classes that can be judged.
    roc_auc: Option<f64>,
    calibration_error: f64,
}

impl Probabilities {
    const BINS: usize = 10;

    fn new(targets: &Matrix<f64>, probabilities: &Matrix<f64>) -> Result<Self> {
        let areas: Vec<f64> = roc_auc(targets, probabilities)?.into_iter().flatten().collect();
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        Ok(Self {
            log_loss: log_loss(targets, probabilities)?,
            roc_auc: (!areas.is_empty()).then_some(mean),
            calibration_error: calibration_error(targets, probabilities, Self::BINS)?,
        })
    }
}

impl fmt::Display for Probabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log_loss, roc_auc, calibration_error } = self;
        write!(
            f,
            "probabilities: log loss {log_loss:.4}, ROC AUC {}, calibration error {calibration_error:.4}",
            shown(*roc_auc)
        )
    }
}

fn shown(score: Option<f64>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{score:.4}"))
}

/// The scores of networks that learnt from all but one part of the rows, each tested on that part.
pub(crate) fn write_folds(
    out: &mut impl Write,
    options: &Options,
    source: &Source,
    count: usize,
) -> Result<()> {
    let mut scores = Vec::with_capacity(count);
    let folds = source.folds(count, options.seed)?;
    let trainings = folds.iter().map(|parts| epochs::trials(options, parts.training.len()) + 1);
    let mut shown = Trials::new(trainings.sum());
    for (number, parts) in (1..).zip(folds) {
        let name = format!("fold {number} of {count}");
        let data = source.data(options, &parts)?;
        let before = format!("{name}, ");
        let epochs = epochs::by_folds(options, source, &parts, &mut shown, &before)?;
        let options = &options.stopping(&data, epochs);
        let test = data.test.as_ref().expect("a fold has test rows");
        shown.begin(name, options.epochs());
        let tested = Tested::new(&trained(options, &data, |event| shown.show(event))?, test)?;
        shown.aside(|| writeln!(out, "fold {number}: {} rows, {}", test.len(), tested.line()))?;
        scores.extend(tested.score());
    }
    shown.finish();
    let (mean, error) = mean_and_error(&scores);
    writeln!(out, "folds: mean {mean:.4}, standard error {error:.4}\n")?;
    Ok(())
}

/// What is learnt from these rows.
fn trained(options: &Options, data: &Data, show: impl Fn(&Event)) -> Result<Model> {
    let settings = Settings { score_training: false, ..options.settings() };
    Ok(data.model(&data.trained(options, settings, show)?))
}

fn mean_and_error(scores: &[f64]) -> (f64, f64) {
    let count = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}

/// What the test says of the simplest answer, and of a model without hidden layers.
pub(crate) fn write_baselines(out: &mut impl Write, options: &Options, data: &Data) -> Result<()> {
    let Some(test) = &data.test else { return Ok(()) };
    let (name, simplest) = match &data.target {
        Target::Classes { classes, .. } => {
            let shares = column_means(&data.training.targets);
            let rows = Matrix::from_fn(test.len(), classes.len(), |_, class| shares[class]);
            let probabilities = Probabilities::new(&test.targets, &rows)?;
            let confusion = Confusion::of_scores(classes, &test.targets, &rows)?;
            ("the most frequent class", Tested::Classes(confusion, probabilities))
        }
        Target::Numbers { .. } => {
            let mean = column_means(&data.training.targets)[0];
            let guesses = Matrix::from_fn(test.len(), 1, |_, _| mean);
            let pairs = test.targets.data.iter().map(|&target| (target, mean)).collect();
            ("the mean", Tested::Numbers(pairs, r_squared(&test.targets, &guesses)?[0]))
        }
    };
    writeln!(out, "always {name}: {}", simplest.line())?;
    if options.hidden != "none" {
        let options = &Options { hidden: "none".to_owned(), rate: LINEAR_RATE, ..options.clone() };
        let linear = trained(options, data, |_| {})?;
        writeln!(out, "linear model: {}", Tested::new(&linear, test)?.line())?;
    }
    Ok(())
}

/// A linear model takes longer steps well.
const LINEAR_RATE: f64 = 0.01;

fn column_means(matrix: &Matrix<f64>) -> Vec<f64> {
    let mean = |column: usize| {
        matrix.data.iter().skip(column).step_by(matrix.columns).sum::<f64>() / matrix.rows as f64
    };
    (0..matrix.columns).map(mean).collect()
}
