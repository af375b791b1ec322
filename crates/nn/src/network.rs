//! A network of layers: its named parameters, what it computes, and how it is built.

use core::fmt;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tape::{Matrix, Rows, Var};

use crate::embedding::Lookups;
use crate::error::{length, whole};
use crate::layer::Layer;
use crate::objective::constants;
use crate::{Dropout, Error, Objective, traceable};

/// A sequence of layers with named parameters. Each layer takes the outputs of the one before.
///
/// The layers are numbered from 1, and parameters are named after them: `layer1.weight`, `layer1.bias`, ….
///
/// ```
/// use nn::{Dense, Network};
///
/// let mut network = Network::builder(2)
///     .layer(Dense::new(3, "tanh".parse()?))
///     .layer(Dense::linear(1))
///     .seed(7)
///     .build()?;
/// assert_eq!(network.parameters()["layer1.weight"].shape(), [3, 2]);
///
/// network.set_parameter("layer2.weight", &[0.0, 0.0, 0.0])?;
/// network.set_parameter("layer2.bias", &[1.5])?;
/// assert_eq!(network.predict(&[1.0, 2.0])?, [1.5]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Network {
    inputs: usize,
    outputs: usize,
    layers: Arc<[Layer]>,
    parameters: IndexMap<String, Parameter>,
    /// The dropout layers, each as often as it has inputs.
    dropouts: Arc<[Dropout]>,
    /// What the embeddings look up.
    lookups: Arc<Lookups>,
    /// The program of its outputs, made when it is first needed. It holds no parameter.
    traced: OnceLock<Arc<Outputs>>,
}

/// A function of parameters and a row.
pub(crate) type OfRow<R> = Box<dyn Fn(&[Var], &[Var]) -> R + Send + Sync>;
type Outputs = tape::Batch<OfRow<Vec<Var>>>;
pub(crate) type RowLoss = tape::Batch<OfRow<Var>>;

/// The most numbers that a parameter may have: what the tape can index.
const MOST: usize = (1 << 31) - 1;

/// A named array of numbers: a parameter of a network, or the derivatives with respect to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Parameter {
    /// Its extent in each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its numbers, the last dimension running fastest.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// Builds a [`Network`]. [`NetworkBuilder::build`] checks everything.
#[derive(Clone, Debug)]
pub struct NetworkBuilder {
    inputs: usize,
    layers: Vec<Layer>,
    seed: u64,
}

impl NetworkBuilder {
    /// Adds a layer after those that there are.
    pub fn layer(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Determines the parameters to start from, the same on every machine. Without it the seed is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The network.
    ///
    /// # Errors
    /// [`Error::NoLayers`]; [`Error::Empty`] where the inputs, a layer or a parameter have no numbers, and
    /// [`Error::TooLarge`] where they have too many;
    /// [`Error::ParameterName`] for a name of a parameter that is empty, has a dot in it, or is there twice in its layer;
    /// [`Error::NotTraceable`] for a function that reads a number by `value()`, or depends on more than its arguments;
    /// [`Error::Misplaced`] for an [`Embedding`](crate::Embedding) after another layer, or without an input to look up;
    /// what [`Initializer`](crate::Initializer)s refuse.
    pub fn build(self) -> Result<Network, Error> {
        if self.layers.is_empty() {
            return Err(Error::NoLayers);
        }
        not_empty("the input", self.inputs)?;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let (mut parameters, mut dropouts) = (IndexMap::new(), Vec::new());
        let mut width = self.inputs;
        for (number, layer) in (1..).zip(&self.layers) {
            let mut own = Vec::new();
            let known = layer.parameters(width);
            let outputs = layer.outputs(width);
            not_empty(format!("layer{number}"), outputs.unwrap_or(1))?;
            if let Layer::Dropout(dropout) = layer {
                dropout.check()?;
                dropouts.extend(core::iter::repeat_n(*dropout, width));
            }
            for (name, shape, initializer) in known {
                let name = format!("layer{number}.{name}");
                let is_valid = name.matches('.').count() == 1 && !name.ends_with('.');
                if !is_valid || parameters.contains_key(&name) {
                    return Err(Error::ParameterName { name });
                }
                initializer.check()?;
                let product = |count: usize, &extent: &usize| {
                    count.checked_mul(extent).filter(|&n| n <= MOST)
                };
                let Some(count) = shape.iter().try_fold(1, product) else {
                    return Err(Error::TooLarge { name, shape, most: MOST });
                };
                not_empty(&name, count)?;
                // A vector has one input for each of its numbers, and so has a single number.
                let outputs = shape.first().copied().unwrap_or(1);
                let inputs = if shape.len() > 1 { count / outputs } else { 1 };
                let mut values = initializer.draw(&mut random, inputs, outputs, count);
                if let Layer::Embedding(embedding) = layer {
                    values[count - embedding.dimensions()..].fill(0.0);
                }
                own.extend(constants(&values));
                parameters.insert(name, Parameter { shape, values });
            }
            width = match outputs {
                None => {
                    let zeros = vec![Var::constant(0.0); width];
                    let outputs = layer.apply(&own, &zeros).len();
                    traceable::check(
                        || format!("layer{number}"),
                        own.len() + width,
                        |x| layer.apply(&x[..own.len()], &x[own.len()..]),
                    )?;
                    not_empty(format!("layer{number}"), outputs)?
                }
                Some(outputs) => outputs,
            };
        }
        let lookups = self.lookups()?;
        Ok(Network {
            inputs: self.inputs,
            outputs: width,
            layers: self.layers.into(),
            parameters,
            dropouts: dropouts.into(),
            lookups: lookups.into(),
            traced: OnceLock::new(),
        })
    }

    /// What the embeddings look up: they are the first layers.
    fn lookups(&self) -> Result<Lookups, Error> {
        let of_layer = |(number, layer): (usize, &Layer)| match layer {
            Layer::Embedding(embedding) => Some((number, *embedding)),
            _ => None,
        };
        let mut numbered = (1..).zip(&self.layers);
        let first: Vec<_> = numbered.by_ref().map_while(of_layer).collect();
        if let Some((number, _)) = numbered.find_map(of_layer) {
            let why = "another kind of layer is before it";
            return Err(Error::Misplaced { layer: format!("layer{number}"), why });
        }
        Lookups::new(self.inputs, first)
    }
}

fn not_empty(what: impl Into<String>, count: usize) -> Result<usize, Error> {
    if count == 0 { Err(Error::Empty { what: what.into() }) } else { Ok(count) }
}

impl Network {
    /// A network for rows of this many numbers.
    pub fn builder(inputs: usize) -> NetworkBuilder {
        NetworkBuilder { inputs, layers: Vec::new(), seed: 0 }
    }

    /// How many numbers go in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many numbers come out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The parameters by name, first layer to last.
    pub fn parameters(&self) -> &IndexMap<String, Parameter> {
        &self.parameters
    }

    /// The number of numbers in all parameters together.
    pub fn size(&self) -> usize {
        self.parameters.values().map(|parameter| parameter.values.len()).sum()
    }

    /// Replaces the numbers of a parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`]; [`Error::Shape`] where there are more or fewer numbers than it has;
    /// [`Error::NonFiniteParameter`].
    pub fn set_parameter(&mut self, name: &str, values: &[f64]) -> Result<(), Error> {
        let Some(parameter) = self.parameters.get_mut(name) else {
            let known = self.parameters.keys().cloned().collect();
            return Err(Error::UnknownParameter { name: name.to_owned(), known });
        };
        length(name, parameter.values.len(), values.len())?;
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::NonFiniteParameter { name: name.to_owned(), value });
        }
        parameter.values.copy_from_slice(values);
        Ok(())
    }

    /// The outputs for one row, to the last bit what plain `f64` gives.
    ///
    /// # Errors
    /// [`Error::Shape`] where the row has not as many numbers as the network has inputs; [`Error::NoIndex`] where an
    /// [`Embedding`](crate::Embedding) cannot look one up.
    pub fn predict(&self, row: &[f64]) -> Result<Vec<f64>, Error> {
        length("the row", self.inputs, row.len())?;
        self.lookups.check([row].into_iter())?;
        let parameters = self.flat();
        let (tables, parameters) = parameters.split_at(self.lookups.size());
        let row = self.look_up(tables, row);
        let outputs = apply(&self.layers, &constants(parameters), &constants(&row), &[]);
        Ok(outputs.iter().map(|output| output.value()).collect())
    }

    /// The outputs for many rows at once, a row for each. They go through the vector functions of [`tape::Batch`], which
    /// may differ from [`predict`](Self::predict) in the last places.
    ///
    /// # Errors
    /// [`Error::Engine`] where rows have not as many numbers as the network has inputs; [`Error::NoIndex`] where an
    /// [`Embedding`](crate::Embedding) cannot look one up.
    pub fn predict_rows(&self, rows: impl Rows + Sync) -> Result<Matrix<f64>, Error> {
        let all = self.flat();
        let (tables, parameters) = all.split_at(self.lookups.size());
        let traced = if let Some(traced) = self.traced.get() {
            Arc::clone(traced)
        } else {
            let layers = Arc::clone(&self.layers);
            let outputs: OfRow<Vec<Var>> =
                Box::new(move |parameters, row| apply(&layers, parameters, row, &[]));
            let row = self.look_up(tables, &vec![0.0; self.inputs]);
            let traced = Arc::new(Outputs::trace(outputs, parameters, &row)?);
            Arc::clone(self.traced.get_or_init(|| traced))
        };
        if self.lookups.is_empty() {
            return Ok(traced.map(parameters, rows)?);
        }
        let given = (0..rows.count(self.inputs)?).map(|row| rows.row(row, self.inputs));
        self.lookups.check(given.clone())?;
        let mut all = Vec::with_capacity(given.len() * traced.width());
        given.for_each(|row| self.lookups.look_up(tables, row, &mut all));
        Ok(traced.map(parameters, &all[..])?)
    }

    /// The mean loss over rows, and its derivatives with respect to every parameter, by name. `inputs` and `targets` have
    /// a row for each.
    ///
    /// # Errors
    /// [`Error::Shape`] where rows, inputs or outputs do not match; [`Error::NoSamples`] without rows; [`Error::NoIndex`]
    /// where an [`Embedding`](crate::Embedding) cannot look up an input.
    ///
    /// ```
    /// use nn::{Dense, Loss, Network};
    /// use tape::Matrix;
    ///
    /// let mut network = Network::builder(1).layer(Dense::linear(1)).build()?;
    /// network.set_parameter("layer1.weight", &[2.0])?;
    /// let inputs = Matrix { rows: 1, columns: 1, data: vec![3.0] };
    /// let targets = Matrix { rows: 1, columns: 1, data: vec![7.0] };
    /// let (loss, gradient) = network.gradient(Loss::MeanSquared, &inputs, &targets)?;
    /// assert_eq!(loss, 1.0);                                    // (2·3 − 7)²
    /// assert_eq!(gradient["layer1.weight"].values(), [-6.0]);   // 2·(6 − 7)·3
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn gradient(
        &self,
        objective: impl Into<Objective>,
        inputs: &Matrix<f64>,
        targets: &Matrix<f64>,
    ) -> Result<(f64, IndexMap<String, Parameter>), Error> {
        let objective = objective.into();
        let rows = self.rows(&objective, inputs, targets)?;
        let parameters = self.flat();
        let (tables, _) = parameters.split_at(self.lookups.size());
        let given = || rows.chunks_exact(self.inputs + targets.columns);
        let mut looked_up = Vec::new();
        given().for_each(|row| self.lookups.look_up(tables, row, &mut looked_up));
        let row = &looked_up[..self.lookups.width() + targets.columns];
        let batch = self.row_loss(&objective, row, Parts { weight: 0, masks: 0 })?;
        let mut derivatives = vec![0.0; parameters.len()];
        let (numbers, total) = (&looked_up[..], inputs.rows as f64);
        let rows = LookedUp { lookups: &self.lookups, given: given(), numbers, total };
        let loss = rows.mean_gradient(&batch, &parameters, &mut derivatives)?;
        let mut gradient = self.parameters.clone();
        write_flat(&mut gradient, &derivatives);
        Ok((loss, gradient))
    }

    /// What the embeddings look up.
    pub(crate) fn lookups(&self) -> &Arc<Lookups> {
        &self.lookups
    }

    /// A row of inputs as the other layers take it.
    fn look_up(&self, tables: &[f64], row: &[f64]) -> Vec<f64> {
        let mut looked_up = Vec::with_capacity(self.lookups.width());
        self.lookups.look_up(tables, row, &mut looked_up);
        looked_up
    }

    /// The layers that drop inputs while the network trains, one for each such input.
    pub(crate) fn dropouts(&self) -> &[Dropout] {
        &self.dropouts
    }

    /// The loss of a row of inputs, looked up, and targets, and what of [`Parts`] comes after them, traced.
    pub(crate) fn row_loss(
        &self,
        objective: &Objective,
        row: &[f64],
        parts: Parts,
    ) -> Result<RowLoss, Error> {
        let inputs = self.lookups.width();
        let targets = row.len() - inputs - parts.weight - parts.masks;
        if objective.loss().is_none() {
            // Targets may be read: they are no function of the parameters.
            let targets = constants(&row[inputs..][..targets]);
            let loss = |outputs: &[Var]| vec![objective.apply(outputs, &targets)];
            traceable::check(
                || format!("the objective {:?}", objective.name()),
                self.outputs,
                loss,
            )?;
        }
        let (layers, objective) = (Arc::clone(&self.layers), objective.clone());
        let loss: OfRow<Var> = Box::new(move |parameters, row| {
            let (row, rest) = row.split_at(inputs);
            let (targets, rest) = rest.split_at(targets);
            let (weight, masks) = rest.split_at(parts.weight);
            let loss = objective.apply(&apply(&layers, parameters, row, masks), targets);
            weight.first().map_or(loss, |&weight| weight * loss)
        });
        let parameters = self.flat();
        Ok(RowLoss::trace(loss, &parameters[self.lookups.size()..], row)?)
    }

    /// Whether inputs and targets fit. What an objective of the user's wants as targets is its own matter.
    pub(crate) fn check_rows(
        &self,
        objective: &Objective,
        inputs: &Matrix<f64>,
        targets: &Matrix<f64>,
    ) -> Result<(), Error> {
        whole("the inputs", inputs)?;
        whole("the targets", targets)?;
        length("the columns of the inputs", self.inputs, inputs.columns)?;
        length("the rows of the targets", inputs.rows, targets.rows)?;
        if objective.loss().is_some() {
            length("the columns of the targets", self.outputs, targets.columns)?;
        }
        if inputs.rows == 0 {
            return Err(Error::NoSamples);
        }
        self.lookups.check(inputs.rows_iter())
    }

    /// Inputs and targets side by side, row by row, if they fit.
    pub(crate) fn rows(
        &self,
        objective: &Objective,
        inputs: &Matrix<f64>,
        targets: &Matrix<f64>,
    ) -> Result<Vec<f64>, Error> {
        self.check_rows(objective, inputs, targets)?;
        let mut rows = Vec::with_capacity(inputs.data.len() + targets.data.len());
        for row in 0..inputs.rows {
            rows.extend_from_slice(inputs.row(row));
            rows.extend_from_slice(targets.row(row));
        }
        Ok(rows)
    }

    /// Whether all parameters have the same names and bits. (Networks are not compared as a whole: what functions their
    /// layers apply cannot be.)
    pub fn has_parameters_of(&self, other: &Self) -> bool {
        let bits = |network: &Self| network.flat().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        self.parameters.keys().eq(other.parameters.keys()) && bits(self) == bits(other)
    }

    /// The numbers of all parameters, one after the other.
    pub(crate) fn flat(&self) -> Vec<f64> {
        self.parameters.values().flat_map(|parameter| &parameter.values).copied().collect()
    }

    /// Sets all parameters, one after the other.
    pub(crate) fn set_flat(&mut self, values: &[f64]) {
        write_flat(&mut self.parameters, values);
    }

    /// The name of the parameter that has the number at this place of [`flat`](Self::flat).
    pub(crate) fn parameter_at(&self, mut place: usize) -> Option<&str> {
        for (name, parameter) in &self.parameters {
            match place.checked_sub(parameter.values.len()) {
                None => return Some(name),
                Some(rest) => place = rest,
            }
        }
        None
    }
}

/// What comes after a row's inputs and targets while it is trained on: how many numbers of each.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// How much the row counts: 1 or none.
    pub(crate) weight: usize,
    /// What the inputs of dropout layers are multiplied by.
    pub(crate) masks: usize,
}

/// Rows to learn from.
pub(crate) struct LookedUp<'a, G> {
    pub(crate) lookups: &'a Lookups,
    /// The rows as they were before the look-ups.
    pub(crate) given: G,
    /// The rows after them, one after the other.
    pub(crate) numbers: &'a [f64],
    /// Their number, or the sum of their weights.
    pub(crate) total: f64,
}

impl<'a, G: Iterator<Item = &'a [f64]>> LookedUp<'_, G> {
    /// Their mean loss, and its derivatives: those of the tables are added to what is there.
    pub(crate) fn mean_gradient(
        self,
        row_loss: &RowLoss,
        parameters: &[f64],
        derivatives: &mut [f64],
    ) -> Result<f64, Error> {
        let Self { lookups, given, numbers, total } = self;
        let (_, parameters) = parameters.split_at(lookups.size());
        let (of_tables, derivatives) = derivatives.split_at_mut(lookups.size());
        let loss = row_loss.gradient_into(parameters, numbers, derivatives)?;
        for derivative in derivatives {
            *derivative /= total;
        }
        if !lookups.is_empty() {
            let (_, by_rows) = row_loss.gradients(parameters, numbers)?;
            for (row, by_row) in given.zip(by_rows.rows_iter()) {
                lookups.add(row, by_row, total, of_tables);
            }
        }
        Ok(loss / total)
    }
}

fn write_flat(parameters: &mut IndexMap<String, Parameter>, mut values: &[f64]) {
    for parameter in parameters.values_mut() {
        let (own, rest) = values.split_at(parameter.values.len());
        parameter.values.copy_from_slice(own);
        values = rest;
    }
}

/// The outputs of the last layer for a row that is looked up. `parameters` are those of all layers but embeddings, one
/// after the other; `masks` what the inputs of
/// dropout layers are multiplied by, likewise, and empty where the network does not train.
fn apply(layers: &[Layer], mut parameters: &[Var], row: &[Var], mut masks: &[Var]) -> Vec<Var> {
    let mut values = row.to_vec();
    for layer in layers.iter().filter(|layer| !matches!(layer, Layer::Embedding(_))) {
        let shapes = layer.parameters(values.len());
        let count = shapes.iter().map(|(_, shape, _)| shape.iter().product::<usize>()).sum();
        let (own, rest) = parameters.split_at(count);
        parameters = rest;
        if matches!(layer, Layer::Dropout(_)) && !masks.is_empty() {
            let (own, rest) = masks.split_at(values.len());
            values = values.iter().zip(own).map(|(&value, &mask)| value * mask).collect();
            masks = rest;
        } else {
            values = layer.apply(own, &values);
        }
    }
    values
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("inputs", &self.inputs)
            .field("layers", &self.layers)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// Its layers and sizes, a line each.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} inputs", self.inputs)?;
        for (number, layer) in (1..).zip(self.layers.iter()) {
            write!(f, "\nlayer{number}: {layer}")?;
        }
        write!(f, "\n{} parameters", self.size())
    }
}
