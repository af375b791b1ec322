//! What a training reports: its epochs, and how it does on rows.

use std::io;

use serde::{Deserialize, Serialize};

/// The result of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1.
    pub epoch: usize,
    /// The rate of its last step.
    pub rate: f64,
    /// The mean loss over its rows, each with the parameters that its batch met; without the L2 penalty.
    pub loss: f64,
    /// How the network does after it on its own rows, if [`Settings::score_training`](crate::Settings::score_training) asks.
    pub training: Option<Score>,
    /// How the network does after it on the validation rows, if there are any.
    pub validation: Option<Score>,
}

/// A network's score on rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean loss.
    #[serde(with = "any_number")]
    pub loss: f64,
    /// The share of rows whose class is right, where the loss is about classes.
    pub accuracy: Option<f64>,
}

/// JSON has no infinite numbers and no NaN, but a loss on unseen rows can be one. It is written as text then.
mod any_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands on a reference")]
    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        let written = if number.is_finite() {
            Written::Number(*number)
        } else {
            Written::Text(number.to_string())
        };
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

/// What a training reports while it runs. The callback's answer can end it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A step is done.
    Batch {
        /// The epoch that it belongs to, from 1.
        epoch: usize,
        /// Its number in the epoch, from 1.
        number: usize,
        /// How many an epoch has.
        count: usize,
        /// The mean loss of its rows.
        loss: f64,
    },
    /// An epoch is done.
    Epoch(Record),
    /// The training has saved itself: see [`Trainer::autosave`](crate::Trainer::autosave).
    Saved {
        /// The epoch that it stands after.
        epoch: usize,
    },
    /// The training could not save itself. It goes on, and tries again.
    NotSaved {
        /// The epoch that it stands after.
        epoch: usize,
        /// What the system answers.
        reason: io::ErrorKind,
    },
}
