//! A training on disk: tensors in safetensors, everything else in JSON beside it, so that it resumes to the bit.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::file::{self, FileError, Tensors};
use crate::trainer::Best;
use crate::{Dense, Descent, Error, Layer, Network, Objective, Record, Settings, Trainer};

/// The content of the JSON file.
#[derive(Serialize, Deserialize)]
struct State {
    format: String,
    version: u32,
    objective: String,
    settings: Settings,
    network: Architecture,
    epoch: usize,
    steps: u64,
    best: Option<BestEpoch>,
    history: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct BestEpoch {
    epoch: usize,
    loss: f64,
}

const FORMAT: &str = "wengert training";
const VERSION: u32 = 1;

/// The layers of a network as plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Architecture {
    inputs: usize,
    layers: Vec<LayerKind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LayerKind {
    Dense(Dense),
    /// A user's function, which no file can hold.
    Own,
}

impl Architecture {
    pub(crate) fn of(network: &Network) -> Self {
        let layers = network.layers().iter().map(|layer| match layer {
            Layer::Dense(dense) => LayerKind::Dense(*dense),
            Layer::Own(_) => LayerKind::Own,
        });
        Self { inputs: network.inputs(), layers: layers.collect() }
    }

    /// The layers, if all of them are plain data.
    pub(crate) fn dense_layers(&self, path: &Path) -> Result<Vec<Dense>, FileError> {
        let dense = |layer: &LayerKind| match layer {
            LayerKind::Dense(dense) => Ok(*dense),
            LayerKind::Own => Err(FileError::OwnLayer { path: path.to_owned() }),
        };
        self.layers.iter().map(dense).collect()
    }

    /// A network of these layers with these parameters. `path` is where the layers come from, and `tensors_path` the
    /// parameters.
    pub(crate) fn build(
        &self,
        path: &Path,
        tensors_path: &Path,
        tensors: &Tensors,
    ) -> Result<Network, FileError> {
        let mut builder = Network::builder(self.inputs);
        let mut inputs = self.inputs;
        for (number, layer) in (1..).zip(self.dense_layers(path)?) {
            // Before a network of a damaged file's size is made: the numbers must be there.
            let (name, shape) = (format!("layer{number}.weight"), [layer.outputs(), inputs]);
            file::tensor(tensors_path, tensors, &name, &shape)?;
            inputs = layer.outputs();
            builder = builder.layer(layer);
        }
        let mut network = builder.build().map_err(|error| file::inside(path, &error))?;
        let mut values = Vec::with_capacity(network.size());
        for (name, parameter) in network.parameters() {
            values.extend(file::tensor(tensors_path, tensors, name, parameter.shape())?);
        }
        network.set_flat(&values);
        Ok(network)
    }
}

/// The two files of a name: `NAME.safetensors` and `NAME.json`. An ending that is one of the two is left out first.
pub(crate) fn paths(path: &Path) -> (PathBuf, PathBuf) {
    let is_ours = |ending: &std::ffi::OsStr| ending == "safetensors" || ending == "json";
    let stem = if path.extension().is_some_and(is_ours) {
        path.with_extension("")
    } else {
        path.to_owned()
    };
    let with = |ending: &str| {
        let mut name = stem.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    (with(".safetensors"), with(".json"))
}

impl Trainer {
    /// Writes the training to `PATH.safetensors` (parameters, the best ones, the optimiser's moments) and `PATH.json`
    /// (everything else). Each file is written beside its place first and then put there, so that one that was there
    /// before is whole until the other is.
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
        let (tensors, state) = paths(path.as_ref());
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
        let best = self.best.as_ref();
        let of_state = State {
            format: FORMAT.to_owned(),
            version: VERSION,
            objective: self.objective.name().to_owned(),
            settings: self.settings,
            network: Architecture::of(&self.network),
            epoch: self.history.len(),
            steps: self.descent.steps(),
            best: best.map(|best| BestEpoch { epoch: best.epoch, loss: best.loss }),
            history: self.history.clone(),
        };
        file::write_tensors(&tensors, &all, &epoch_mark(of_state.epoch))?;
        file::write_json(&state, &of_state)
    }

    /// Reads a training that was saved, for a network with the same layers (its own parameters do not matter) and the
    /// same objective.
    ///
    /// # Errors
    /// [`FileError`]: what cannot be read, is damaged, or is of another network or objective.
    pub fn load(
        network: Network,
        objective: impl Into<Objective>,
        path: impl AsRef<Path>,
    ) -> Result<Self, FileError> {
        let (tensors_path, state_path) = paths(path.as_ref());
        let state: State = file::read_json(&state_path)?;
        let damaged = |what: String| FileError::Damaged { path: state_path.clone(), what };
        if state.format != FORMAT {
            return Err(damaged(format!("it is no {FORMAT}, but {:?}", state.format)));
        }
        if state.version != VERSION {
            let version = state.version;
            return Err(damaged(format!("it is of version {version}, this is version {VERSION}")));
        }
        let objective = objective.into();
        let differs = |what, found: String, expected: String| {
            let path = state_path.clone();
            Err(FileError::Differs { path, what, found, expected })
        };
        if state.objective != objective.name() {
            return differs("objective", state.objective, objective.name().to_owned());
        }
        if state.network != Architecture::of(&network) {
            let (found, expected) = (&state.network, Architecture::of(&network));
            return differs("network", format!("{found:?}"), format!("{expected:?}"));
        }
        if state.history.len() != state.epoch {
            let records = state.history.len();
            return Err(damaged(format!("it has {records} records of {} epochs", state.epoch)));
        }
        let (tensors, mark) = file::read_tensors(&tensors_path)?;
        if mark != epoch_mark(state.epoch) {
            return Err(FileError::OfTwoEpochs { tensors: tensors_path, state: state_path });
        }

        let inside = |error: Error| file::inside(&state_path, &error);
        let settings = state.settings;
        let mut trainer = Self::new(network, objective, settings).map_err(inside)?;
        let gather = |prefix: &str| -> Result<Vec<f64>, FileError> {
            let mut values = Vec::with_capacity(trainer.network.size());
            for (name, parameter) in trainer.network.parameters() {
                let name = format!("{prefix}{name}");
                values.extend(file::tensor(&tensors_path, &tensors, &name, parameter.shape())?);
            }
            Ok(values)
        };
        let moments = |prefix: &str| {
            let is_there = tensors.keys().any(|name| name.starts_with(prefix));
            if is_there { gather(prefix) } else { Ok(Vec::new()) }
        };
        let of_descent = [moments("means.")?, moments("squares.")?];
        let size = trainer.network.size();
        let descent = Descent::restore(settings.optimizer, size, state.steps, of_descent);
        let descent = descent.map_err(inside)?;
        let best = match state.best {
            Some(BestEpoch { epoch, loss }) => {
                Some(Best { epoch, loss, parameters: gather("best.")? })
            }
            None => None,
        };
        let parameters = gather("")?;
        trainer.network.set_flat(&parameters);
        Ok(trainer.resume(descent, state.history, best))
    }

    /// Changes how many epochs there are at most, those that are done included. With a schedule that looks at their
    /// number (the cosine), this changes the rates that follow.
    pub fn set_epochs(&mut self, epochs: usize) {
        self.settings.epochs = epochs;
    }
}

/// Stands in the tensors' file as well, so that files of two trainings are told apart.
fn epoch_mark(epoch: usize) -> String {
    format!("epoch {epoch}")
}
