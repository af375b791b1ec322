//! A training on disk: all that it takes to resume it to the bit, in one file.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::file::{self, FileError, Format, Tensors};
use crate::history;
use crate::trainer::{Best, RowsOf};
use crate::{Descent, Destination, Error, Network, Objective, Settings, Trainer};

/// A training that was saved, as it was read. [`resume`](Self::resume) makes a [`Trainer`] of it.
///
/// It can be looked at before there is a network: [`settings`](Self::settings) and [`facts`](Self::facts) tell what the
/// training is of.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    description: Description,
    tensors: Tensors,
}

/// Everything but the numbers of parameters, moments and history.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Description {
    objective: String,
    settings: Settings,
    network: Architecture,
    facts: IndexMap<String, String>,
    /// What it has learnt from.
    rows: Option<RowsOf>,
    epoch: usize,
    steps: u64,
    best: Option<BestEpoch>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct BestEpoch {
    epoch: usize,
    loss: f64,
}

const FORMAT: Format = Format { name: "wengert training", version: 2 };

const HISTORY: &str = "history";

impl Checkpoint {
    /// Reads what [`Trainer::save`] or [`Trainer::autosave`] has written.
    ///
    /// # Errors
    /// [`FileError`]: what cannot be read, is damaged, or is of another version.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = file::path_of(path.as_ref());
        let (description, tensors) = file::read(&path, &FORMAT)?;
        Ok(Self { path, description, tensors })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.description.settings
    }

    /// What was noted about the training: see [`Trainer::set_facts`].
    pub fn facts(&self) -> &IndexMap<String, String> {
        &self.description.facts
    }

    /// How many epochs were done.
    pub fn epochs(&self) -> usize {
        self.description.epoch
    }

    /// The training, for a network with the same layers (its own parameters do not matter) and the same objective. It goes
    /// on with the rows that it has learnt from, and refuses others.
    ///
    /// # Errors
    /// [`FileError`]: what is damaged, or of another network or objective.
    pub fn resume(
        self,
        network: Network,
        objective: impl Into<Objective>,
    ) -> Result<Trainer, FileError> {
        let Self { path, description, tensors } = self;
        let objective = objective.into();
        let differs = |what, found: String, expected: String| {
            let path = path.clone();
            Err(FileError::Differs { path, what, found, expected })
        };
        if description.objective != objective.name() {
            return differs("objective", description.objective, objective.name().to_owned());
        }
        if description.network != Architecture::of(&network) {
            let (found, expected) = (&description.network, Architecture::of(&network));
            return differs("network", format!("{found:?}"), format!("{expected:?}"));
        }
        let damaged = |what: String| FileError::Damaged { path: path.clone(), what };
        let inside = |error: Error| file::inside(&path, &error);
        let history = match tensors.get(HISTORY) {
            Some((_, numbers)) => history::unpack(numbers).map_err(damaged)?,
            None => Vec::new(),
        };
        if history.len() != description.epoch {
            let records = history.len();
            return Err(damaged(format!(
                "it has {records} records of {} epochs",
                description.epoch
            )));
        }

        let settings = description.settings;
        let mut trainer = Trainer::new(network, objective, settings).map_err(inside)?;
        let gather = |prefix: &str| -> Result<Vec<f64>, FileError> {
            let mut values = Vec::with_capacity(trainer.network.size());
            for (name, parameter) in trainer.network.parameters() {
                let name = format!("{prefix}{name}");
                values.extend(file::tensor(&path, &tensors, &name, parameter.shape())?);
            }
            Ok(values)
        };
        let moments = |prefix: &str| {
            let is_there = tensors.keys().any(|name| name.starts_with(prefix));
            if is_there { gather(prefix) } else { Ok(Vec::new()) }
        };
        let of_descent = [moments("means.")?, moments("squares.")?];
        let size = trainer.network.size();
        let descent = Descent::restore(settings.optimizer, size, description.steps, of_descent);
        let descent = descent.map_err(inside)?;
        let best = match description.best {
            Some(BestEpoch { epoch, loss }) => {
                Some(Best { epoch, loss, parameters: gather("best.")? })
            }
            None => None,
        };
        let parameters = gather("")?;
        trainer.network.set_flat(&parameters);
        trainer.set_facts(description.facts);
        Ok(trainer.resume(descent, history, best, description.rows))
    }
}

impl Trainer {
    /// Writes the training to `PATH.safetensors`: parameters, the best ones, the optimiser's moments, the history, and in
    /// the metadata everything else. The file takes the place of one that was there as a whole, or leaves it as it is,
    /// whenever the program or the machine stops.
    ///
    /// [`autosave`](Self::autosave) does this while it trains.
    ///
    /// # Errors
    /// [`FileError`], with the path.
    ///
    /// ```
    /// use nn::{Dense, Loss, Network, Samples, Settings, Trainer};
    /// use tape::Matrix;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let inputs = Matrix { rows: 3, columns: 1, data: vec![0.0, 1.0, 2.0] };
    /// let samples = Samples { inputs: &inputs, targets: &inputs };
    /// let network = Network::builder(1).layer(Dense::linear(1)).build()?;
    /// let settings = |epochs| Settings { epochs, ..Settings::default() };
    ///
    /// let mut first = Trainer::new(network.clone(), Loss::MeanSquared, settings(3))?;
    /// first.train(samples)?;
    /// first.save(folder.path().join("run"))?;
    ///
    /// let mut second = Trainer::load(network.clone(), Loss::MeanSquared, folder.path().join("run"))?;
    /// second.set_epochs(5);
    /// second.train(samples)?;
    ///
    /// let mut whole = Trainer::new(network, Loss::MeanSquared, settings(5))?;
    /// whole.train(samples)?;
    /// assert!(second.last().has_parameters_of(whole.last()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = file::path_of(path.as_ref());
        match self.autosaver.destination_at(&path) {
            Some(own) => self.save_to(own),
            None => self.save_to(&Destination::new(path)?),
        }
    }

    pub(crate) fn save_to(&self, destination: &Destination) -> Result<(), FileError> {
        let mut all: Tensors = IndexMap::new();
        let mut add = |prefix: &str, values: &[f64]| {
            let mut rest = values;
            for (name, parameter) in self.network.parameters() {
                let (own, others) = rest.split_at(parameter.values().len());
                all.insert(format!("{prefix}{name}"), (parameter.shape().to_vec(), own.to_vec()));
                rest = others;
            }
        };
        add("", &self.network.flat());
        if let Some(best) = &self.best {
            add("best.", &best.parameters);
        }
        let [means, squares] = self.descent.moments();
        for (prefix, moments) in [("means.", means), ("squares.", squares)] {
            if !moments.is_empty() {
                add(prefix, moments);
            }
        }
        if !self.history.is_empty() {
            let (shape, numbers) = history::pack(&self.history);
            all.insert(HISTORY.to_owned(), (shape.to_vec(), numbers));
        }
        let best = self.best.as_ref();
        let description = Description {
            objective: self.objective.name().to_owned(),
            settings: self.settings,
            network: Architecture::of(&self.network),
            facts: self.facts.clone(),
            rows: self.rows,
            epoch: self.history.len(),
            steps: self.descent.steps(),
            best: best.map(|best| BestEpoch { epoch: best.epoch, loss: best.loss }),
        };
        file::write(destination, &FORMAT, &description, &all)
    }

    /// Reads a training that was saved, for a network with the same layers (its own parameters do not matter) and the
    /// same objective: [`Checkpoint::read`], then [`Checkpoint::resume`].
    ///
    /// # Errors
    /// [`FileError`]: what cannot be read, is damaged, or is of another network or objective.
    pub fn load(
        network: Network,
        objective: impl Into<Objective>,
        path: impl AsRef<Path>,
    ) -> Result<Self, FileError> {
        Checkpoint::read(path)?.resume(network, objective)
    }
}
