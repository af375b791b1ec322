//! How to train.

use serde::{Deserialize, Serialize};

use crate::setting::{InvalidSetting, not_negative, positive, setting};
use crate::{Clip, Optimizer, Precision, Schedule};

/// How to train a network. The default is Adam, a rate of 0.001, batches of 32, 100 epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How a step follows from the derivatives.
    pub optimizer: Optimizer,
    /// Size of a step before the schedule: greater than 0.
    pub rate: f64,
    /// How the rate changes.
    pub schedule: Schedule,
    /// How many times the rows are gone through at most, those before a resumption included.
    pub epochs: usize,
    /// How many rows make a step: at least 1. The last step of an epoch has what is left.
    pub batch: usize,
    /// λ of the penalty λ/2·Σp² over all parameters, whose derivative λ·p is added to each derivative (PyTorch's
    /// `weight_decay` of every optimiser but AdamW): at least 0.
    pub l2: f64,
    /// What bounds the derivatives before a step, if anything.
    pub clip: Option<Clip>,
    /// Determines the order of the rows in each epoch.
    pub seed: u64,
    /// After how many epochs without a lower validation loss to stop early, if ever. (Without validation rows it is the
    /// training loss that counts.)
    pub patience: Option<usize>,
    /// How many digits losses and derivatives are computed with.
    #[serde(default)]
    pub precision: Precision,
    /// Whether each epoch ends with a look at all its rows again, for [`Record::training`](crate::Record::training): that costs a third of it.
    pub score_training: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::ADAM,
            rate: 0.001,
            schedule: Schedule::default(),
            epochs: 100,
            batch: 32,
            l2: 0.0,
            clip: None,
            seed: 0,
            patience: None,
            precision: Precision::default(),
            score_training: false,
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        positive("the rate", self.rate)?;
        setting("the size of a batch", self.batch as f64, |value| value >= 1.0, "at least 1")?;
        not_negative("the L2 penalty", self.l2)?;
        self.schedule.check()?;
        self.clip.map_or(Ok(()), Clip::check)
    }
}
