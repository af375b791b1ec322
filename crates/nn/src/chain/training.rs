//! Gradient descent on a chain: its settings, the loop, and what it reports.

use core::ops::ControlFlow;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::chain::error::{Diverged, Error};
use crate::chain::{Chain, Sample, check_samples};
use crate::setting::{positive, setting};
use crate::{Descent, Optimizer};

mod recording;

pub use recording::{Recorded, Snapshot};

/// How to train a chain. The default is Adam on the whole batch, 0.01 a step, for at most 10,000 epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// How a step follows from the derivatives.
    pub optimizer: Optimizer,
    /// Size of a step: a factor of the derivatives for plain descent and momentum; about the change of each parameter
    /// per step for Adam. Greater than 0.
    pub rate: f64,
    /// The largest number of passes over the samples.
    pub epochs: usize,
    /// How many samples make one step.
    pub batch: Batch,
    /// Training stops at this loss. At least 0.
    pub tolerance: f64,
    /// If set, training stops after this many epochs without a new lowest loss.
    pub patience: Option<usize>,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::ADAM,
            rate: 0.01,
            epochs: 10_000,
            batch: Batch::Full,
            tolerance: 0.0,
            patience: None,
        }
    }
}

/// How many samples make one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// All: one step an epoch.
    Full,
    /// One: a step a sample, in an order drawn anew each epoch, the same for the same seed on every machine.
    Stochastic {
        /// Determines the order.
        seed: u64,
    },
}

/// The progress of a training, passed to its callback once before the first epoch and once after each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// How many epochs are done.
    pub number: usize,
    /// The loss over all samples.
    pub loss: f64,
}

/// The result of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The lowest loss in the history. The chain has the parameters that gave it.
    pub loss: f64,
    /// The loss over all samples before the first epoch and after each one.
    pub history: Vec<f64>,
    /// Why the training ended.
    pub stop: Stop,
}

impl Trained {
    /// How many epochs were done.
    pub fn epochs(&self) -> usize {
        self.history.len() - 1
    }

    /// After which epoch the chain had its parameters: the first one with the lowest loss.
    pub fn best_epoch(&self) -> usize {
        self.history.iter().position(|&loss| loss == self.loss).unwrap_or(self.epochs())
    }
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The loss came down to the tolerance.
    Tolerance,
    /// The loss did not fall for as many epochs as patience allowed.
    Patience,
    /// All epochs were done.
    Epochs,
    /// The callback ended it.
    Callback,
}

impl Chain {
    /// Trains by gradient descent, and keeps the weights and biases with the lowest loss.
    ///
    /// Starts from the parameters as they are: see [`Builder::seed`](crate::Builder::seed) and [`Chain::restart`].
    ///
    /// # Errors
    /// [`Error::NoSamples`], [`Error::NonFiniteSample`], [`Error::InvalidSetting`] and [`Error::NonFiniteStart`], after
    /// which the chain is as before; [`Error::Diverged`] when the loss or a parameter leaves the finite numbers, after
    /// which the chain has the last finite ones. (A loss that only rises is in the history, and is no error.)
    ///
    /// ```
    /// use nn::{Chain, Optimizer, Sample, Stop, Training};
    ///
    /// let doubles = [(1.0, 2.0), (3.0, 6.0)].map(Sample::from);
    /// let mut chain = Chain::builder().letters(2)?.build()?;
    ///
    /// let training = Training { optimizer: Optimizer::Plain, rate: 0.1, tolerance: 1e-20, ..Training::default() };
    /// let trained = chain.train(&doubles, &training)?;
    /// assert_eq!(trained.stop, Stop::Tolerance);
    /// assert!((chain.weights()["ab"] - 2.0).abs() < 1e-9);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn train(&mut self, samples: &[Sample], training: &Training) -> Result<Trained, Error> {
        self.train_watched(samples, training, |_| ControlFlow::Continue(()))
    }

    /// As [`Chain::train`], telling `watch` where the training stands, before the first epoch and after each one. It can
    /// end the training.
    ///
    /// # Errors
    /// As [`Chain::train`].
    pub fn train_watched(
        &mut self,
        samples: &[Sample],
        training: &Training,
        mut watch: impl FnMut(Epoch) -> ControlFlow<()>,
    ) -> Result<Trained, Error> {
        self.descend(samples, training, |epoch, _| watch(epoch))
    }

    /// As [`Chain::train_watched`]; `watch` is given the parameters too, weights before biases.
    fn descend(
        &mut self,
        samples: &[Sample],
        training: &Training,
        mut watch: impl FnMut(Epoch, &[f64]) -> ControlFlow<()>,
    ) -> Result<Trained, Error> {
        check_samples(samples)?;
        training.check()?;

        let mut parameters = self.flat_parameters();
        let loss = self.loss_at(&parameters, samples);
        if !loss.is_finite() {
            return Err(Error::NonFiniteStart { loss });
        }
        let mut history = vec![loss];
        let mut best = Best { loss, epoch: 0, parameters: parameters.clone() };
        let mut batches = Batches::new(samples, training.batch);
        let mut descent = Descent::new(training.optimizer, parameters.len())?;

        let stop = loop {
            let number = history.len() - 1;
            let watched = watch(Epoch { number, loss: history[number] }, &parameters);
            if let Some(stop) = training.stop(number, &best, watched) {
                break stop;
            }
            let before = parameters.clone();
            for batch in batches.next_epoch() {
                let (_, derivatives) = self.gradient_at(&parameters, batch);
                descent.step(training.rate, &mut parameters, &derivatives);
            }
            let loss = self.loss_at(&parameters, samples);
            if !loss.is_finite() || parameters.iter().any(|parameter| !parameter.is_finite()) {
                self.parameters = self.parameters.with_values(&before);
                return Err(Error::Diverged(Box::new(Diverged {
                    epoch: number + 1,
                    loss,
                    rate: training.rate,
                    last_finite: self.parameters.clone(),
                    history,
                })));
            }
            history.push(loss);
            best.offer(loss, number + 1, &parameters);
        };
        self.parameters = self.parameters.with_values(&best.parameters);
        Ok(Trained { loss: best.loss, history, stop })
    }
}

impl Training {
    fn check(&self) -> Result<(), Error> {
        positive("the rate", self.rate)?;
        setting("the tolerance", self.tolerance, |value| value >= 0.0, "at least 0")?;
        Ok(self.optimizer.check()?)
    }

    fn stop(&self, epoch: usize, best: &Best, watched: ControlFlow<()>) -> Option<Stop> {
        if best.loss <= self.tolerance {
            Some(Stop::Tolerance)
        } else if watched.is_break() {
            Some(Stop::Callback)
        } else if epoch >= self.epochs {
            Some(Stop::Epochs)
        } else if self.patience.is_some_and(|patience| epoch - best.epoch >= patience) {
            Some(Stop::Patience)
        } else {
            None
        }
    }
}

/// The lowest loss met and where.
struct Best {
    loss: f64,
    epoch: usize,
    parameters: Vec<f64>,
}

impl Best {
    fn offer(&mut self, loss: f64, epoch: usize, parameters: &[f64]) {
        if loss < self.loss {
            self.loss = loss;
            self.epoch = epoch;
            self.parameters.copy_from_slice(parameters);
        }
    }
}

/// The samples, cut into the batches of an epoch.
struct Batches {
    samples: Vec<Sample>,
    size: usize,
    order: Option<ChaCha8Rng>,
}

impl Batches {
    fn new(samples: &[Sample], batch: Batch) -> Self {
        let (size, order) = match batch {
            Batch::Full => (samples.len(), None),
            Batch::Stochastic { seed } => (1, Some(ChaCha8Rng::seed_from_u64(seed))),
        };
        Self { samples: samples.to_vec(), size, order }
    }

    fn next_epoch(&mut self) -> impl Iterator<Item = &[Sample]> {
        if let Some(random) = &mut self.order {
            self.samples.shuffle(random);
        }
        self.samples.chunks(self.size)
    }
}
