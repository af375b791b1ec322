//! A trained network with everything needed to use it on new rows: columns, scales, classes. One file on disk.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tape::Matrix;

use crate::architecture::Architecture;
use crate::data::{Classes, Columns, Standardizer};
use crate::error::{length, whole};
use crate::file::{self, FileError, Format};
use crate::{Destination, Error, Network};

/// A trained network and what its numbers mean.
///
/// ```
/// use nn::data::{Classes, Columns, Standardizer};
/// use nn::{Answers, Dense, Model, Network, Target};
/// use tape::Matrix;
///
/// let rows = Matrix { rows: 2, columns: 1, data: vec![1.0, 3.0] };
/// let mut network = Network::builder(1).layer(Dense::linear(1)).build()?;
/// network.set_parameter("layer1.weight", &[5.0])?;
/// let model = Model {
///     network,
///     inputs: vec!["length".to_owned()],
///     columns: Columns::numbers(["length"]),
///     standardizer: Standardizer::learn(&rows)?,
///     target: Target::Numbers {
///         names: vec!["mass".to_owned()],
///         standardizer: Standardizer::learn(&rows)?,
///         log: false,
///     },
/// };
/// // 4 is (4 − 2)/1 in units of the spread; times 5, and back again.
/// let answers = model.answers(Matrix { rows: 1, columns: 1, data: vec![4.0] })?;
/// assert_eq!(answers, Answers::Numbers(Matrix { rows: 1, columns: 1, data: vec![12.0] }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// The names of its inputs, in order.
    pub inputs: Vec<String>,
    /// How the inputs come from the columns of a table.
    pub columns: Columns,
    /// The scaling of the inputs.
    pub standardizer: Standardizer,
    /// What it predicts.
    pub target: Target,
}

/// What a model predicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// One of several classes: the network has a logit for each.
    Classes {
        /// The name of the column.
        name: String,
        /// What they are called.
        classes: Classes,
    },
    /// Numbers.
    Numbers {
        /// The names of the columns.
        names: Vec<String>,
        /// How they, or their logarithms, became what the network learnt.
        standardizer: Standardizer,
        /// Whether the network learnt their natural logarithms.
        #[serde(default)]
        log: bool,
    },
}

/// A model's predictions for rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// For each row the place of its most probable class, and the probability of each class (rows × classes).
    Classes(Vec<usize>, Matrix<f64>),
    /// For each row its numbers, in their own units.
    Numbers(Matrix<f64>),
}

/// Everything but the parameters.
#[derive(Serialize, Deserialize)]
struct Description {
    network: Architecture,
    inputs: Vec<String>,
    columns: Columns,
    standardizer: Standardizer,
    target: Target,
}

const FORMAT: Format = Format { name: "wengert model", version: 2 };

impl Model {
    /// The predictions for rows as they come: `rows` × inputs, in their own units.
    ///
    /// # Errors
    /// [`Error::Shape`] where rows have not as many numbers as there are inputs; [`Error::NonFiniteInput`] for numbers
    /// that are not finite.
    pub fn answers(&self, mut rows: Matrix<f64>) -> Result<Answers, Error> {
        length("the columns of the rows", self.inputs.len(), rows.columns)?;
        whole("the rows", &rows)?;
        if let Some(place) = rows.data.iter().position(|number| !number.is_finite()) {
            let (row, column) = (place / rows.columns, self.inputs[place % rows.columns].clone());
            return Err(Error::NonFiniteInput { row, column, value: rows.data[place] });
        }
        let misfit_of_inputs = misfit("the scales of the inputs", rows.columns, &self.standardizer);
        self.standardizer.apply(&mut rows).map_err(|_| misfit_of_inputs)?;
        let mut outputs = self.network.predict_rows(&rows)?;
        match &self.target {
            Target::Classes { .. } => {
                let chosen =
                    (0..outputs.rows).map(|row| Classes::most_likely(outputs.row(row))).collect();
                let width = outputs.columns.max(1);
                outputs.data.chunks_exact_mut(width).for_each(softmax);
                Ok(Answers::Classes(chosen, outputs))
            }
            Target::Numbers { standardizer, log, .. } => {
                let misfit_of_outputs =
                    misfit("the scales of the outputs", outputs.columns, standardizer);
                standardizer.invert(&mut outputs).map_err(|_| misfit_of_outputs)?;
                if *log {
                    outputs.data.iter_mut().for_each(|number| *number = number.exp());
                }
                Ok(Answers::Numbers(outputs))
            }
        }
    }

    /// Writes the model to `PATH.safetensors`: its parameters, as PyTorch would name them, and in the metadata everything
    /// else. It takes the place of one that was there as a whole, or leaves it as it is.
    ///
    /// # Errors
    /// [`FileError`]; of a network with a layer that is a function, [`FileError::OwnLayer`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = file::path_of(path.as_ref());
        self.architecture(&path)?;
        self.save_to(&Destination::new(path)?)
    }

    /// The place of a model with this path, tried before there is one.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn destination(path: impl AsRef<Path>) -> Result<Destination, FileError> {
        Destination::new(file::path_of(path.as_ref()))
    }

    /// As [`save`](Self::save), to a place that was tried before.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_to(&self, destination: &Destination) -> Result<(), FileError> {
        let all = self.network.parameters().iter();
        let tensors = all
            .map(|(name, own)| (name.clone(), (own.shape().to_vec(), own.values().to_vec())))
            .collect::<IndexMap<_, _>>();
        let description = Description {
            network: self.architecture(destination.path())?,
            inputs: self.inputs.clone(),
            columns: self.columns.clone(),
            standardizer: self.standardizer.clone(),
            target: self.target.clone(),
        };
        file::write(destination, &FORMAT, &description, &tensors)
    }

    /// The layers, if a file can hold them.
    fn architecture(&self, path: &Path) -> Result<Architecture, FileError> {
        let architecture = Architecture::of(&self.network);
        architecture.layers(path)?;
        Ok(architecture)
    }

    /// Reads a model.
    ///
    /// # Errors
    /// [`FileError`]: what cannot be read or is damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = file::path_of(path.as_ref());
        let (description, tensors) = file::read::<Description>(&path, &FORMAT)?;
        let network = description.network.build(&path, &tensors)?;
        let Description { inputs, columns, standardizer, target, .. } = description;
        let outputs = match &target {
            Target::Classes { classes, .. } => classes.len(),
            Target::Numbers { names, .. } => names.len(),
        };
        if (inputs.len(), outputs) != (network.inputs(), network.outputs()) {
            let what = format!(
                "it names {} inputs and {outputs} outputs of a network with {} and {}",
                inputs.len(),
                network.inputs(),
                network.outputs()
            );
            return Err(FileError::Damaged { path, what });
        }
        if columns.width() != inputs.len() {
            let (found, expected) = (columns.width(), inputs.len());
            let what = format!("its columns give {found} numbers to {expected} inputs");
            return Err(FileError::Damaged { path, what });
        }
        let categories = |input| network.lookups().categories(input);
        let mut looked_up = columns.embeddings().into_iter();
        if !looked_up.all(|own| categories(own.input()) == Some(own.categories())) {
            let what = "its columns and its network look up other categories".to_owned();
            return Err(FileError::Damaged { path, what });
        }
        Ok(Self { network, inputs, columns, standardizer, target })
    }
}

/// What is wrong with scales that do not fit.
fn misfit(what: &str, expected: usize, scales: &Standardizer) -> Error {
    Error::Shape { what: what.to_owned(), expected, found: scales.columns() }
}

/// eˣ over their sum, the largest taken off first so that nothing overflows.
fn softmax(logits: &mut [f64]) {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - most).exp();
        sum += *logit;
    }
    for probability in logits {
        *probability /= sum;
    }
}
