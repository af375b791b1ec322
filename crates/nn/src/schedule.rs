//! How the learning rate changes during training.

use core::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::setting::{InvalidSetting, not_negative, setting};

/// A factor of the rate for every step: a linear warm-up, then a decay.
///
/// ```
/// use nn::{Decay, Schedule};
///
/// let schedule = Schedule { warm_up: 0.0, decay: Decay::Step { every: 10, factor: 0.5 } };
/// let steps_per_epoch = 100;
/// assert_eq!(schedule.factor(999, steps_per_epoch, 40), 1.0);      // epoch 9, counted from 0
/// assert_eq!(schedule.factor(1000, steps_per_epoch, 40), 0.5);     // epoch 10
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// In how many epochs the factor rises from 0 to 1, linearly with the steps. At least 0.
    pub warm_up: f64,
    /// What comes after it.
    pub decay: Decay,
}

/// How the factor falls. It changes once an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// It stays 1.
    #[default]
    Constant,
    /// It is multiplied by `factor` after every so many epochs (PyTorch's `StepLR`).
    Step {
        /// In epochs: at least 1.
        every: usize,
        /// Greater than 0, at most 1.
        factor: f64,
    },
    /// It falls along half a cosine from 1 to `floor`, which it would reach after the last epoch (PyTorch's
    /// `CosineAnnealingLR`; Loshchilov and Hutter 2017, equation 5).
    Cosine {
        /// At least 0, at most 1.
        floor: f64,
    },
}

impl Schedule {
    /// The factor for a step, counted from 0 over all epochs.
    pub fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let warm_up = self.warm_up * steps_per_epoch as f64;
        let position = step as f64;
        if position + 1.0 < warm_up {
            return (position + 1.0) / warm_up;
        }
        // The decay counts whole epochs from the end of the warm-up.
        let since = (position - warm_up.ceil()).max(0.0);
        let epoch = (since / steps_per_epoch.max(1) as f64).floor();
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Step { every, factor } => factor.powf((epoch / every as f64).floor()),
            Decay::Cosine { floor } => {
                let whole = (epochs as f64 - self.warm_up).max(1.0);
                let share = (epoch / whole).min(1.0);
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * share).cos())
            }
        }
    }

    /// Checks the settings. The factors of a schedule that is refused mean nothing.
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn check(&self) -> Result<(), InvalidSetting> {
        not_negative("the warm-up", self.warm_up)?;
        match self.decay {
            Decay::Constant => Ok(()),
            Decay::Step { every, factor } => {
                setting(
                    "the epochs of a step of the rate",
                    every as f64,
                    |x| x >= 1.0,
                    "at least 1",
                )?;
                let accepts = |factor: f64| factor > 0.0 && factor <= 1.0;
                setting(
                    "the factor of a step of the rate",
                    factor,
                    accepts,
                    "above 0 and at most 1",
                )
            }
            Decay::Cosine { floor } => {
                let accepts = |floor: f64| (0.0..=1.0).contains(&floor);
                setting("the cosine's floor", floor, accepts, "between 0 and 1")
            }
        }
    }
}
