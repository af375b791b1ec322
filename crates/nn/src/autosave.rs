//! A training that saves itself while it runs.

use core::time::Duration;
use std::path::Path;
use std::time::Instant;

use crate::file::{self, FileError};
use crate::{Destination, Error, Event, Stop, Trainer};

/// When a training saves itself: at the end of an epoch, as soon as the one or the other has passed since the last time.
///
/// The default is every 100 epochs and every 5 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autosave {
    /// So many epochs. (0 is as 1.)
    pub epochs: usize,
    /// So much time. [`Duration::ZERO`] is after each epoch, [`Duration::MAX`] never.
    pub time: Duration,
}

impl Default for Autosave {
    fn default() -> Self {
        Self { epochs: 100, time: Duration::from_secs(5) }
    }
}

/// What a [`Trainer`] saves itself by, if it does. A copy of a training does not save itself: there would be two of one
/// place.
#[derive(Debug, Default)]
pub(crate) struct Autosaver(Option<Active>);

#[derive(Debug)]
struct Active {
    destination: Destination,
    when: Autosave,
    /// The epoch up to which nothing is lost.
    saved: usize,
    /// The epoch and the time of the last attempt.
    tried: (usize, Instant),
}

impl Clone for Autosaver {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Autosaver {
    /// The place, if it is this one.
    pub(crate) fn destination_at(&self, path: &Path) -> Option<&Destination> {
        self.0.as_ref().map(|active| &active.destination).filter(|own| own.is_at(path))
    }
}

impl Active {
    fn is_due(&self, epoch: usize) -> bool {
        let (tried, time) = self.tried;
        epoch - tried >= self.when.epochs.max(1) || time.elapsed() >= self.when.time
    }
}

impl Trainer {
    /// Saves the training to `PATH.safetensors` while it runs, as by [`save`](Self::save), and when it ends; so a program
    /// that is killed loses no more than what has passed since. The place is tried at once, and no other training can
    /// save to it while this one lives.
    ///
    /// What cannot be saved while it runs is told as [`Event::NotSaved`] and tried again; at the end it is
    /// [`Error::NotSaved`].
    ///
    /// # Errors
    /// [`FileError::Write`] where the place is none for a file; [`FileError::InUse`] where another training saves to it.
    ///
    /// ```
    /// use nn::{Autosave, Checkpoint, Dense, Loss, Network, Samples, Settings, Trainer};
    /// use tape::Matrix;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("run");
    /// let x = Matrix { rows: 3, columns: 1, data: vec![0.0, 1.0, 2.0] };
    /// let network = Network::builder(1).layer(Dense::linear(1)).build()?;
    /// let settings = Settings { epochs: 30, ..Settings::default() };
    ///
    /// let mut trainer = Trainer::new(network, Loss::MeanSquared, settings)?;
    /// trainer.autosave(&path, Autosave::default())?;
    /// trainer.train(Samples { inputs: &x, targets: &x })?;
    /// assert_eq!(Checkpoint::read(&path)?.epochs(), 30);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn autosave(&mut self, path: impl AsRef<Path>, when: Autosave) -> Result<(), FileError> {
        // One that was there before gives its place free first: it may be the same.
        self.autosaver = Autosaver::default();
        let destination = Destination::new(file::path_of(path.as_ref()))?;
        let epoch = self.history.len();
        let tried = (epoch, Instant::now());
        self.autosaver = Autosaver(Some(Active { destination, when, saved: epoch, tried }));
        Ok(())
    }

    /// Saves the training if it is time to.
    pub(crate) fn save_when_due(&mut self) -> Option<Event> {
        let epoch = self.history.len();
        let is_due = self.autosaver.0.as_ref().is_some_and(|active| active.is_due(epoch));
        is_due.then(|| match self.save_itself() {
            Ok(()) => Event::Saved { epoch },
            Err(FileError::Write { reason, .. }) => {
                Event::NotSaved { epoch, reason: reason.kind() }
            }
            Err(_) => Event::NotSaved { epoch, reason: std::io::ErrorKind::Other },
        })
    }

    /// Saves what is not saved yet, at the end of a training.
    pub(crate) fn end(&mut self, stop: Stop) -> Result<Stop, Error> {
        let epoch = self.history.len();
        if self.autosaver.0.as_ref().is_some_and(|active| active.saved != epoch) {
            let reason = |error: FileError| error.to_string();
            self.save_itself().map_err(|error| Error::NotSaved { epoch, reason: reason(error) })?;
        }
        Ok(stop)
    }

    fn save_itself(&mut self) -> Result<(), FileError> {
        let Some(active) = &self.autosaver.0 else { return Ok(()) };
        let epoch = self.history.len();
        let result = self.save_to(&active.destination);
        if let Some(active) = &mut self.autosaver.0 {
            active.tried = (epoch, Instant::now());
            if result.is_ok() {
                active.saved = epoch;
            }
        }
        result
    }
}
