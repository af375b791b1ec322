//! Trains a network on rows of data: the loop over epochs and mini-batches, when it stops, and what is kept.

mod event;
mod settings;

use core::ops::{ControlFlow, Range};
use std::sync::Arc;

use indexmap::IndexMap;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use tape::Matrix;

use crate::autosave::Autosaver;
use crate::data::largest;
use crate::embedding::Lookups;
use crate::error::{LOSS, NonFinite, length};
use crate::fingerprint::{Fingerprint, Press};
use crate::network::{LookedUp, Parts, RowLoss};
pub use crate::trainer::event::{Event, Record, Score};
pub use crate::trainer::settings::Settings;
use crate::{Descent, Error, Network, Objective, Precision, Stop, add_l2, weights};

/// Samples to train on or to score: one row of inputs and one row of targets each.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// What goes in: a column for each input of the network.
    pub inputs: &'a Matrix<f64>,
    /// What should come out.
    pub targets: &'a Matrix<f64>,
}

/// A training in progress: a network, and everything needed to continue.
///
/// **Deterministic**: the same network, rows and settings give the same bits, whatever the number of threads, in single
/// precision too.
///
/// ```
/// use nn::{Dense, Loss, Network, Optimizer, Samples, Settings, Trainer};
/// use tape::Matrix;
///
/// // y = 2x − 1
/// let x = [-1.0, 0.0, 1.0, 2.0];
/// let inputs = Matrix { rows: 4, columns: 1, data: x.to_vec() };
/// let targets = Matrix { rows: 4, columns: 1, data: x.map(|x| 2.0 * x - 1.0).to_vec() };
///
/// let network = Network::builder(1).layer(Dense::linear(1)).build()?;
/// let settings = Settings { optimizer: Optimizer::Plain, rate: 0.2, batch: 4, epochs: 200, ..Settings::default() };
/// let mut trainer = Trainer::new(network, Loss::MeanSquared, settings)?;
/// trainer.train(Samples { inputs: &inputs, targets: &targets })?;
/// let y = trainer.network().predict(&[10.0])?[0];
/// assert!((y - 19.0).abs() < 1e-9);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trainer {
    /// With the parameters after the last whole epoch.
    pub(crate) network: Network,
    pub(crate) objective: Objective,
    pub(crate) settings: Settings,
    pub(crate) descent: Descent,
    pub(crate) history: Vec<Record>,
    pub(crate) best: Option<Best>,
    /// The epoch of the lowest loss so far, and that loss, for patience.
    lowest: Option<(usize, f64)>,
    /// What the caller wants to know again.
    pub(crate) facts: IndexMap<String, String>,
    /// What it has learnt from.
    pub(crate) rows: Option<RowsOf>,
    /// Whether it comes from a file and has not gone on yet: then it must be with those rows.
    is_resumed: bool,
    /// How much each row counts, if not all the same.
    weights: Option<Vec<f64>>,
    pub(crate) autosaver: Autosaver,
}

/// The rows of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowsOf {
    training: Fingerprint,
    weights: Option<Fingerprint>,
    validation: Option<Fingerprint>,
}

impl RowsOf {
    fn new(
        training: Samples<'_>,
        validation: Option<Samples<'_>>,
        weights: Option<&[f64]>,
    ) -> Self {
        let print = |Samples { inputs, targets }: Samples<'_>| {
            let mut press = Press::default();
            for matrix in [inputs, targets] {
                press.count(matrix.columns);
                press.numbers(&matrix.data);
            }
            press.finish()
        };
        let of_weights = |weights: &[f64]| {
            let mut press = Press::default();
            press.numbers(weights);
            press.finish()
        };
        Self {
            training: print(training),
            weights: weights.map(of_weights),
            validation: validation.map(print),
        }
    }
}

/// The lowest validation loss, and the parameters that gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Best {
    pub(crate) epoch: usize,
    pub(crate) loss: f64,
    pub(crate) parameters: Vec<f64>,
}

impl Trainer {
    /// A training that starts from the network as it is.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::InvalidSetting).
    pub fn new(
        network: Network,
        objective: impl Into<Objective>,
        settings: Settings,
    ) -> Result<Self, Error> {
        settings.check()?;
        let objective = objective.into();
        if let Some(loss) = objective.loss() {
            loss.check()?;
        }
        let descent = Descent::new(settings.optimizer, network.size())?;
        Ok(Self {
            network,
            objective,
            settings,
            descent,
            history: Vec::new(),
            best: None,
            lowest: None,
            facts: IndexMap::new(),
            rows: None,
            is_resumed: false,
            weights: None,
            autosaver: Autosaver::default(),
        })
    }

    /// A training that goes on from where another stood.
    pub(crate) fn resume(
        self,
        descent: Descent,
        history: Vec<Record>,
        best: Option<Best>,
        rows: Option<RowsOf>,
    ) -> Self {
        let mut trainer = Self { descent, best, rows, is_resumed: true, ..self };
        for record in &history {
            trainer.note(record);
        }
        trainer.history = history;
        trainer
    }

    /// The network with the best parameters so far: those of the lowest validation loss, or, without validation rows,
    /// those after the last epoch.
    pub fn network(&self) -> Network {
        let mut network = self.network.clone();
        if let Some(best) = &self.best {
            network.set_flat(&best.parameters);
        }
        network
    }

    /// The network after the last whole epoch, from which the training goes on.
    pub fn last(&self) -> &Network {
        &self.network
    }

    /// The epoch whose parameters [`network`](Self::network) has, from 1; 0 before the first.
    pub fn best_epoch(&self) -> usize {
        self.best.as_ref().map_or(self.history.len(), |best| best.epoch)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes how many epochs there are at most, those that are done included. With a schedule that looks at their
    /// number (the cosine), this changes the rates that follow.
    pub fn set_epochs(&mut self, epochs: usize) {
        self.settings.epochs = epochs;
    }

    /// Changes [`Settings::patience`].
    pub fn set_patience(&mut self, patience: Option<usize>) {
        self.settings.patience = patience;
    }

    /// Gives each of the rows to learn from a weight, or takes them away: the loss of a step is then Σ(weight·loss)/Σ(weight)
    /// over its rows, so a row of weight 2 counts as two rows. [`balanced_weights`](crate::balanced_weights) makes classes
    /// count the same. Scores, as those of validation rows, are without weights.
    ///
    /// Weights are rows' numbers, so they are not saved: whoever resumes gives them again, and is refused where they differ.
    ///
    /// # Errors
    /// [`Error::InvalidWeight`] for one that is not finite and greater than 0.
    pub fn set_weights(&mut self, weights: Option<Vec<f64>>) -> Result<(), Error> {
        weights.as_deref().map_or(Ok(()), weights::check)?;
        self.weights = weights;
        Ok(())
    }

    /// What was noted by [`set_facts`](Self::set_facts).
    pub fn facts(&self) -> &IndexMap<String, String> {
        &self.facts
    }

    /// Notes what the training is of, in place of what was noted before: the table, how it was split, the columns, …. It
    /// is saved with the training, and [`Checkpoint::facts`](crate::Checkpoint::facts) gives it back, for whoever resumes
    /// to compare. (That the rows are the same is checked in any case.)
    pub fn set_facts<K: Into<String>, V: Into<String>>(
        &mut self,
        facts: impl IntoIterator<Item = (K, V)>,
    ) {
        self.facts = facts.into_iter().map(|(name, fact)| (name.into(), fact.into())).collect();
    }

    /// Every epoch so far.
    pub fn history(&self) -> &[Record] {
        &self.history
    }

    /// Trains until all epochs are done, or patience is over.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::NoSamples`] for rows that do not fit, [`Error::NonFiniteRow`] for numbers in them;
    /// [`Error::NonFinite`] when a loss, a derivative or a parameter leaves the finite numbers, after which the network
    /// has the parameters before that step; [`Error::OtherRows`] when a training that comes from a file meets other rows
    /// than it has learnt from; [`Error::NotSaved`] when a training that [saves itself](Self::autosave) cannot.
    pub fn train(&mut self, samples: Samples<'_>) -> Result<Stop, Error> {
        self.train_watched(samples, None, |_| ControlFlow::Continue(()))
    }

    /// As [`train`](Self::train), judging each epoch by validation rows if there are any, and telling `watch` after each
    /// step and each epoch where the training stands.
    ///
    /// When `watch` breaks off in the middle of an epoch, the steps of that epoch are taken back: what a training holds is
    /// always the end of an epoch, so that it can be resumed to the bit.
    ///
    /// # Errors
    /// As [`train`](Self::train).
    pub fn train_watched(
        &mut self,
        samples: Samples<'_>,
        validation: Option<Samples<'_>>,
        mut watch: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Stop, Error> {
        self.check(samples)?;
        if let Some(validation) = validation {
            self.check(validation)?;
        }
        if let Some(weights) = &self.weights {
            length("the weights of the rows", samples.inputs.rows, weights.len())?;
        }
        self.meet(RowsOf::new(samples, validation, self.weights.as_deref()))?;
        let Samples { inputs, targets } = samples;
        let numbers = self.network.rows(&self.objective, inputs, targets)?;
        let width = inputs.columns + targets.columns;
        let masks = self.network.dropouts().len();
        let parts = Parts { weight: usize::from(self.weights.is_some()), masks };
        let mut first = Vec::new();
        let lookups = self.network.lookups();
        lookups.look_up(&self.network.flat()[..lookups.size()], &numbers[..width], &mut first);
        first.resize(first.len() + parts.weight + parts.masks, 1.0);
        let mut gradient = self.network.row_loss(&self.objective, &first, parts)?;
        if self.settings.precision == Precision::Single {
            gradient = gradient.in_single_precision();
        }
        let rows = Rows { count: inputs.rows, width, numbers, gradient };
        loop {
            if self.history.len() >= self.settings.epochs {
                return self.end(Stop::Epochs);
            }
            if self.settings.patience.is_some_and(|patience| self.epochs_in_vain() >= patience) {
                return self.end(Stop::Patience);
            }
            let before = self.descent.clone();
            let epoch = self.epoch(&rows, &mut watch);
            let (loss, rate) = match epoch {
                Ok(ControlFlow::Continue(done)) => done,
                Ok(ControlFlow::Break(())) => {
                    self.descent = before;
                    return self.end(Stop::Callback);
                }
                Err(error) => {
                    self.descent = before;
                    return Err(error);
                }
            };
            let training = self.settings.score_training.then_some(samples);
            let record = Record {
                epoch: self.history.len() + 1,
                rate,
                loss,
                training: training.map(|own| self.score_last(own)).transpose()?,
                validation: validation.map(|other| self.score_last(other)).transpose()?,
            };
            self.history.push(record);
            self.note(&record);
            self.offer(&record);
            let is_over = watch(Event::Epoch(record)).is_break()
                || self.save_when_due().is_some_and(|event| watch(event).is_break());
            if is_over {
                return self.end(Stop::Callback);
            }
        }
    }

    /// Notes the rows that it learns from, unless it comes from a file and these are others.
    fn meet(&mut self, rows: RowsOf) -> Result<(), Error> {
        if let (true, Some(own)) = (self.is_resumed, self.rows) {
            let differs = |what| Err(Error::OtherRows { what });
            if own.training != rows.training {
                return differs("rows to learn from");
            }
            if own.weights != rows.weights {
                return differs("weights of the rows");
            }
            if own.validation != rows.validation {
                return differs("validation rows");
            }
        }
        self.is_resumed = false;
        self.rows = Some(rows);
        Ok(())
    }

    /// The steps of one epoch: their mean loss, and the rate of the last. The network has the new parameters only if the
    /// epoch comes to its end, or those before a step that was not finite.
    fn epoch(
        &mut self,
        rows: &Rows,
        watch: &mut impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), (f64, f64)>, Error> {
        let Settings { batch, schedule, epochs, rate, .. } = self.settings;
        let (done, steps) = (self.history.len(), rows.count.div_ceil(batch));
        let (mut sum, mut last_rate) = (0.0, 0.0);
        let lookups = Arc::clone(self.network.lookups());
        let mut parameters = self.network.flat();
        let mut derivatives = vec![0.0; parameters.len()];
        let (mut before, mut touched) = (Vec::new(), Vec::new());
        let mut chosen_rows = Vec::new();
        let (mut masks, mut total_of_all) = (self.masks(), 0.0);
        for (number, chosen) in self.order(rows.count).chunks(batch).enumerate() {
            chosen_rows.clear();
            let mut total = 0.0;
            let given = chosen.iter().map(|&row| rows.row(row));
            touch(&lookups, given.clone(), parameters.len(), &mut touched);
            for (&row, numbers) in chosen.iter().zip(given.clone()) {
                lookups.look_up(&parameters[..lookups.size()], numbers, &mut chosen_rows);
                let weight = self.weights.as_ref().map(|weights| weights[row]);
                chosen_rows.extend(weight);
                total += weight.unwrap_or(1.0);
                chosen_rows
                    .extend(self.network.dropouts().iter().map(|dropout| dropout.draw(&mut masks)));
            }
            total_of_all += total;
            for range in &touched {
                derivatives[range.clone()].fill(0.0);
            }
            let looked_up = LookedUp { lookups: &lookups, given, numbers: &chosen_rows, total };
            let loss = looked_up.mean_gradient(&rows.gradient, &parameters, &mut derivatives)?;
            last_rate = rate * schedule.factor(done * steps + number, steps, epochs);
            before.clear();
            for range in &touched {
                before.extend_from_slice(&parameters[range.clone()]);
            }
            if let Err(what) =
                self.step(last_rate, loss, &mut parameters, &mut derivatives, &touched)
            {
                put_back(&before, &touched, &mut parameters);
                self.network.set_flat(&parameters);
                return Err(self.non_finite(what, done + 1, number + 1, loss));
            }
            sum += loss * total;
            let event = Event::Batch { epoch: done + 1, number: number + 1, count: steps, loss };
            if watch(event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.network.set_flat(&parameters);
        Ok(ControlFlow::Continue((sum / total_of_all, last_rate)))
    }

    /// How the best network so far does on rows.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NoSamples`], [`Error::NonFiniteRow`].
    pub fn score(&self, samples: Samples<'_>) -> Result<Score, Error> {
        self.check(samples)?;
        score(&self.network(), &self.objective, samples)
    }

    fn score_last(&self, samples: Samples<'_>) -> Result<Score, Error> {
        score(&self.network, &self.objective, samples)
    }

    /// Whether inputs and targets fit, and are finite.
    fn check(&self, Samples { inputs, targets }: Samples<'_>) -> Result<(), Error> {
        self.network.check_rows(&self.objective, inputs, targets)?;
        for row in 0..inputs.rows {
            let mut numbers = inputs.row(row).iter().chain(targets.row(row));
            if let Some(&value) = numbers.find(|number| !number.is_finite()) {
                return Err(Error::NonFiniteRow { row, value });
            }
        }
        Ok(())
    }

    /// The order of the rows in the next epoch: a matter of the seed and the epoch alone, so that a resumed training has
    /// the same.
    fn order(&self, rows: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        random.set_stream(self.history.len() as u64);
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut random);
        order
    }

    /// What draws the next epoch's dropouts: a matter of the seed and the epoch alone, too.
    fn masks(&self) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        random.set_stream(1 << 63 | self.history.len() as u64);
        random
    }

    /// One step, unless something in it is not finite: then the parameters are to be dropped.
    fn step(
        &mut self,
        rate: f64,
        loss: f64,
        parameters: &mut [f64],
        derivatives: &mut [f64],
        touched: &[Range<usize>],
    ) -> Result<(), NotFinite> {
        let first = |numbers: &[f64]| {
            touched.iter().find_map(|range| {
                let place = numbers[range.clone()].iter().position(|number| !number.is_finite())?;
                Some(range.start + place)
            })
        };
        if let Some(place) = first(derivatives) {
            return Err(NotFinite::Derivative(place));
        }
        if !loss.is_finite() {
            return Err(NotFinite::Loss);
        }
        if self.settings.l2 > 0.0 {
            for range in touched.iter().cloned() {
                add_l2(self.settings.l2, &parameters[range.clone()], &mut derivatives[range]);
            }
        }
        if let Some(clip) = self.settings.clip {
            clip.apply(derivatives);
        }
        self.descent.step_in(rate, parameters, derivatives, touched.iter().cloned());
        first(parameters).map_or(Ok(()), |place| Err(NotFinite::Parameter(place)))
    }

    fn non_finite(&self, what: NotFinite, epoch: usize, batch: usize, loss: f64) -> Error {
        let (what, place) = match what {
            NotFinite::Loss => {
                let sizes: Vec<f64> = self.network.flat().iter().map(|x| x.abs()).collect();
                (LOSS, largest(&sizes))
            }
            NotFinite::Derivative(place) => ("a derivative", place),
            NotFinite::Parameter(place) => ("a parameter", place),
        };
        let parameter = self.network.parameter_at(place).unwrap_or_default().to_owned();
        let Settings { rate, precision, .. } = self.settings;
        let found = NonFinite { what, epoch, batch, parameter, loss, rate, precision };
        Error::NonFinite(Box::new(found))
    }

    /// Keeps the parameters of the lowest validation loss.
    fn offer(&mut self, record: &Record) {
        let Some(Score { loss, .. }) = record.validation else { return };
        if loss.is_finite() && self.best.as_ref().is_none_or(|best| loss < best.loss) {
            let (epoch, parameters) = (record.epoch, self.network.flat());
            self.best = Some(Best { epoch, loss, parameters });
        }
    }

    /// Notes the epoch of the lowest loss.
    fn note(&mut self, record: &Record) {
        let loss = record.validation.map_or(record.loss, |score| score.loss);
        if self.lowest.is_none_or(|(_, lowest)| loss < lowest) {
            self.lowest = Some((record.epoch, loss));
        }
    }

    /// How many epochs have passed since the lowest loss.
    fn epochs_in_vain(&self) -> usize {
        self.history.len() - self.lowest.map_or(0, |(epoch, _)| epoch)
    }
}

/// What a training learns from: inputs and targets side by side, row by row, and the loss of a row.
struct Rows {
    count: usize,
    width: usize,
    numbers: Vec<f64>,
    gradient: RowLoss,
}

impl Rows {
    /// The inputs and targets of a row.
    fn row(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.width..][..self.width]
    }
}

/// The parameters that a step changes: of the tables what its rows look up, and all others. Their derivatives elsewhere are
/// 0.
fn touch<'a>(
    lookups: &Lookups,
    rows: impl Iterator<Item = &'a [f64]>,
    parameters: usize,
    touched: &mut Vec<Range<usize>>,
) {
    touched.clear();
    touched.extend(rows.flat_map(|row| lookups.ranges(row)));
    touched.sort_unstable_by_key(|range| range.start);
    touched.dedup();
    touched.push(lookups.size()..parameters);
}

fn put_back(before: &[f64], touched: &[Range<usize>], parameters: &mut [f64]) {
    let mut rest = before;
    for range in touched.iter().cloned() {
        let (own, others) = rest.split_at(range.len());
        parameters[range].copy_from_slice(own);
        rest = others;
    }
}

/// What of a step is not finite, and where.
#[derive(Clone, Copy)]
enum NotFinite {
    Loss,
    Derivative(usize),
    Parameter(usize),
}

/// How a network does on rows that fit it.
fn score(network: &Network, objective: &Objective, samples: Samples<'_>) -> Result<Score, Error> {
    let outputs = network.predict_rows(samples.inputs)?;
    let (mut loss, mut right, mut judged) = (0.0, 0_usize, 0_usize);
    for row in 0..outputs.rows {
        let (outputs, targets) = (outputs.row(row), samples.targets.row(row));
        loss += objective.value(outputs, targets);
        if let Some(is_right) = objective.is_right(outputs, targets) {
            judged += 1;
            right += usize::from(is_right);
        }
    }
    let accuracy = (judged > 0).then(|| right as f64 / judged as f64);
    Ok(Score { loss: loss / outputs.rows as f64, accuracy })
}
