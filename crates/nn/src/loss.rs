//! The losses: how far the outputs for a row are from its targets, for any type of number.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use tape::Real;

use crate::Error;
use crate::setting::{InvalidSetting, positive};

/// What training minimises: a number for the outputs y and the targets t of one row. Over many rows it is their mean.
///
/// Except for the cross-entropy, it is a mean over the outputs too, as PyTorch's losses of these names are.
///
/// ```
/// use nn::Loss;
///
/// assert_eq!(Loss::MeanSquared.apply(&[1.0, 4.0], &[1.0, 2.0]), 2.0);
/// // Of two logits that are alike, each class has the probability ½.
/// let loss: f64 = Loss::CrossEntropy.apply(&[7.0, 7.0], &[1.0, 0.0]);
/// assert!((loss - 2.0_f64.ln()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Loss {
    /// The mean of (y − t)².
    MeanSquared,
    /// The mean of |y − t|, whose derivative at y = t is 0.
    MeanAbsolute,
    /// The mean of ½(y − t)² where |y − t| ≤ δ, of δ·(|y − t| − ½δ) elsewhere (Huber 1964): squares near the target, so
    /// that outliers do not weigh as much as squares would make them.
    Huber {
        /// δ, greater than 0.
        delta: f64,
    },
    /// ln Σ exp(y) − Σ t·y for logits y and probabilities t of classes: the cross-entropy of t and softmax(y), where t
    /// adds up to 1.
    CrossEntropy,
    /// The mean of ln(1 + exp(y)) − t·y for logits y and probabilities t, each output judged by itself.
    BinaryCrossEntropy,
}

impl Loss {
    /// The loss of one row.
    ///
    /// Logits of any size are fine: what would overflow in the formulas is taken out beforehand.
    ///
    /// # Panics
    /// When there are not as many targets as outputs, or none; for what [`check`](Self::check) refuses.
    #[track_caller]
    pub fn apply<T: Real>(self, outputs: &[T], targets: &[T]) -> T {
        assert_eq!(outputs.len(), targets.len(), "outputs and targets of a loss");
        assert!(!outputs.is_empty(), "a loss of no outputs");
        let pairs = || outputs.iter().zip(targets);
        let mean = |terms: Vec<T>| T::sum(&terms) / T::from_f64(outputs.len() as f64);
        match self {
            Self::MeanSquared => mean(
                pairs()
                    .map(|(&y, &t)| {
                        let error = y - t;
                        error * error
                    })
                    .collect(),
            ),
            Self::MeanAbsolute => mean(pairs().map(|(&y, &t)| (y - t).abs()).collect()),
            Self::Huber { delta } => mean(pairs().map(|(&y, &t)| huber(y - t, delta)).collect()),
            // The target's logit is taken off before the sum, not after: of large logits the difference would keep few digits.
            Self::CrossEntropy => {
                let target = T::dot(targets, outputs);
                let differences: Vec<T> = outputs.iter().map(|&y| y - target).collect();
                T::log_sum_exp(&differences)
            }
            Self::BinaryCrossEntropy => {
                mean(pairs().map(|(&y, &t)| binary_cross_entropy(y, t)).collect())
            }
        }
    }

    /// Whether its setting makes sense.
    ///
    /// # Errors
    /// [`InvalidSetting`] for a δ that is not finite and greater than 0.
    pub fn check(self) -> Result<(), InvalidSetting> {
        let Self::Huber { delta } = self else { return Ok(()) };
        positive("Huber's delta", delta)
    }
}

/// With c the error held between −δ and δ: c·(e − ½c), which is ½e² inside and δ·(|e| − ½δ) outside, without a branch. The
/// derivative is c, because ∂/∂c is e − c, which is 0 inside, and outside c does not move.
fn huber<T: Real>(error: T, delta: f64) -> T {
    let held = error.clamp(T::from_f64(-delta), T::from_f64(delta));
    held * (error - T::from_f64(0.5) * held)
}

/// ln(1 + e^y) − t·y, as ln(1 + e^−|y|) + max(y, 0) − t·y: for a logit that is sure and right the last two cancel exactly
/// (y − y or 0 − 0), and the first keeps its digits. The derivative does so too. Each `select` has the derivative of one of
/// its sides at 0, so that theirs add up to ½ − t there, which |y| and max would not.
fn binary_cross_entropy<T: Real>(y: T, t: T) -> T {
    let minus_size = T::select(y, -y, y);
    let linear = T::select(y, (T::from_f64(1.0) - t) * y, -t * y);
    minus_size.softplus() + linear
}

const NAMES: [(Loss, &str); 4] = [
    (Loss::MeanSquared, "mean-squared"),
    (Loss::MeanAbsolute, "mean-absolute"),
    (Loss::CrossEntropy, "cross-entropy"),
    (Loss::BinaryCrossEntropy, "binary-cross-entropy"),
];

/// `mean-squared`, `mean-absolute`, `huber:1`, `cross-entropy`, `binary-cross-entropy`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Huber { delta } => write!(f, "huber:{delta}"),
            known => {
                f.pad(NAMES.iter().find(|(loss, _)| loss == known).map_or("", |(_, name)| name))
            }
        }
    }
}

/// The inverse of `Display`; `huber` alone has δ = 1.
impl FromStr for Loss {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some((loss, _)) = NAMES.iter().find(|(_, name)| *name == text) {
            return Ok(*loss);
        }
        let delta = match text.strip_prefix("huber") {
            Some("") => Some(1.0),
            Some(rest) => rest.strip_prefix(':').and_then(|delta| delta.parse().ok()),
            None => None,
        };
        let Some(delta) = delta else {
            return Err(Error::UnknownLoss { name: text.to_owned() });
        };
        let loss = Self::Huber { delta };
        loss.check()?;
        Ok(loss)
    }
}
