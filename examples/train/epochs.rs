//! How many epochs a small table is good for: what the folds of its training rows say.

use anyhow::Result;
use nn::terminal::Trials;
use nn::{Record, Settings};

use crate::rows::{Parts, Source};
use crate::{Options, ScheduleName};

/// Up to how many rows the folds are tried. More rows can spare some that judge each epoch.
pub(crate) const SMALL: usize = 1_000;

const FOLDS: usize = 5;

/// With fewer rows the folds are drawn more than once, up to four times.
const MANY_ENOUGH: usize = 400;

/// A loss below this is as good as 0.
const LEAST: f64 = 1e-12;

/// With fewer rows there is nothing to learn from a fold.
const FEWEST: usize = 10;

/// How many trainings on parts of so many rows tell how many epochs are best. None where that is not tried, because there are
/// many rows, or other options say when to stop.
pub(crate) fn trials(options: &Options, rows: usize) -> usize {
    // A rate that falls is made for the number of epochs that was asked for.
    let falls = options.schedule != ScheduleName::Constant;
    let is_said = falls
        || options.epochs.is_some()
        || options.validation.is_some()
        || options.patience.is_some();
    if is_said || !(FEWEST..=SMALL).contains(&rows) {
        return 0;
    }
    FOLDS * (MANY_ENOUGH / rows).clamp(1, 4)
}

/// The number of epochs after which the geometric mean of the losses on rows that were not learnt from is lowest, over as
/// many trainings as there are folds, each without its fold. None where [`trials`] says that none are made. `shown` shows
/// them, each after this text.
pub(crate) fn by_folds(
    options: &Options,
    source: &Source,
    parts: &Parts,
    shown: &mut Trials,
    before: &str,
) -> Result<Option<usize>> {
    let count = trials(options, parts.training.len());
    if count == 0 {
        return Ok(None);
    }
    let mut sums = vec![0.0; options.epochs()];
    for again in 0..count / FOLDS {
        let seed = options.seed.wrapping_add(1_000 * again as u64);
        let folds = source.folds_of(&parts.training, FOLDS, seed)?;
        for (number, parts) in (again * FOLDS + 1..).zip(&folds) {
            let name = format!("{before}trial {number} of {count}");
            let losses = judged_losses(options, source, parts, shown, name)?;
            // The sum of logarithms: a fold with an outlier has no more weight than any other.
            sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss.max(LEAST).ln());
        }
    }
    let lowest = sums.iter().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(lowest.map(|(epoch, _)| epoch + 1))
}

/// The loss after each epoch on the rows that were not learnt from.
fn judged_losses(
    options: &Options,
    source: &Source,
    parts: &Parts,
    shown: &mut Trials,
    name: String,
) -> Result<Vec<f64>> {
    let data = source.data_judged(options, &parts.training, &parts.test)?;
    let settings = Settings { score_training: false, patience: None, ..options.settings() };
    let loss = |record: &Record| record.validation.map_or(f64::NAN, |score| score.loss);
    shown.begin(name, settings.epochs);
    let trainer = data.trained(options, settings, |event| shown.show(event))?;
    Ok(trainer.history().iter().map(loss).collect())
}
