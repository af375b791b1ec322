//! The layers of a network as a file describes them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::file::{self, FileError, Tensors};
use crate::{Dense, Dropout, Embedding, Layer, LayerNorm, Network};

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
    LayerNorm(LayerNorm),
    Dropout(Dropout),
    Embedding(Embedding),
    /// A user's function, which no file can hold.
    Own,
}

impl Architecture {
    pub(crate) fn of(network: &Network) -> Self {
        let layers = network.layers().iter().map(|layer| match layer {
            Layer::Dense(dense) => LayerKind::Dense(*dense),
            Layer::LayerNorm(norm) => LayerKind::LayerNorm(*norm),
            Layer::Dropout(dropout) => LayerKind::Dropout(*dropout),
            Layer::Embedding(embedding) => LayerKind::Embedding(*embedding),
            Layer::Own(_) => LayerKind::Own,
        });
        Self { inputs: network.inputs(), layers: layers.collect() }
    }

    /// The layers, if all of them are plain data.
    pub(crate) fn layers(&self, path: &Path) -> Result<Vec<Layer>, FileError> {
        let data = |layer: &LayerKind| match layer {
            LayerKind::Dense(dense) => Ok((*dense).into()),
            LayerKind::LayerNorm(norm) => Ok((*norm).into()),
            LayerKind::Dropout(dropout) => Ok((*dropout).into()),
            LayerKind::Embedding(embedding) => Ok((*embedding).into()),
            LayerKind::Own => Err(FileError::OwnLayer { path: path.to_owned() }),
        };
        self.layers.iter().map(data).collect()
    }

    /// A network of these layers with these parameters. `path` is where they come from.
    pub(crate) fn build(&self, path: &Path, tensors: &Tensors) -> Result<Network, FileError> {
        let mut builder = Network::builder(self.inputs);
        let mut inputs = self.inputs;
        for (number, layer) in (1..).zip(self.layers(path)?) {
            // Before a network of a damaged file's size is made: the numbers must be there.
            for (name, shape, _) in layer.parameters(inputs) {
                file::tensor(path, tensors, &format!("layer{number}.{name}"), &shape)?;
            }
            inputs = layer.outputs(inputs).unwrap_or(inputs);
            builder = builder.layer(layer);
        }
        let mut network = builder.build().map_err(|error| file::inside(path, &error))?;
        let mut values = Vec::with_capacity(network.size());
        for (name, parameter) in network.parameters() {
            values.extend(file::tensor(path, tensors, name, parameter.shape())?);
        }
        network.set_flat(&values);
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(outputs: &str, weights: &[f64]) -> String {
        let layer = serde_json::to_string(&LayerKind::Dense(Dense::linear(2))).unwrap();
        let layer = layer.replace("\"outputs\":2", &format!("\"outputs\":{outputs}"));
        let text = format!("{{\"inputs\":1,\"layers\":[{layer}]}}");
        let tensors = [("layer1.weight", vec![2, 1], weights), ("layer1.bias", vec![2], &[0.0; 2])];
        let tensors = tensors
            .into_iter()
            .map(|(name, shape, values)| (name.to_owned(), (shape, values.to_vec())))
            .collect();
        let architecture: Architecture = serde_json::from_str(&text).unwrap();
        architecture.build(Path::new("file"), &tensors).unwrap_err().to_string()
    }

    #[test]
    fn a_network_of_another_size_than_its_numbers_is_refused_before_it_is_made() {
        let error = error_of("1000000000000", &[1.0, 2.0]);
        assert!(error.contains("layer1.weight has shape [2, 1], where the network has"), "{error}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let error = error_of("2", &[1.0, f64::NAN]);
        assert!(error.contains("there is NaN in layer1.weight"), "{error}");
    }
}
