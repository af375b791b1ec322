//! Tensors and JSON on disk: written beside their place and then put there, read with errors that name the file.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{} is damaged or no file of ours: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        what: String,
    },
    /// It is of another network or objective.
    #[error("{} is of another {what}: it has {found}, and {expected} was given", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// `network` or `objective`.
        what: &'static str,
        /// What is in it.
        found: String,
        /// What was given.
        expected: String,
    },
    /// The two files were not written by one save.
    #[error(
        "{} and {} are of different epochs: use the two files of one save",
        tensors.display(),
        state.display()
    )]
    OfTwoEpochs {
        /// The file with the tensors.
        tensors: PathBuf,
        /// The file with everything else.
        state: PathBuf,
    },
    /// A network with a layer that is a function cannot be made from a file.
    #[error(
        "{} is of a network with a layer that is a function, which no file can hold: build the network and give it \
         its parameters",
        path.display()
    )]
    OwnLayer {
        /// The file.
        path: PathBuf,
    },
}

/// Shapes and numbers by name.
pub(crate) type Tensors = IndexMap<String, (Vec<usize>, Vec<f64>)>;

const MARK: &str = "mark";

/// Writes tensors, with a mark to know them by.
pub(crate) fn write_tensors(path: &Path, tensors: &Tensors, mark: &str) -> Result<(), FileError> {
    let bytes: Vec<(&str, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (name.as_str(), &shape[..], values.iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let damaged = |error: safetensors::SafeTensorError| FileError::Damaged {
        path: path.to_owned(),
        what: error.to_string(),
    };
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F64, shape.to_vec(), bytes).map(|view| (*name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(damaged)?;
    let metadata = HashMap::from([(MARK.to_owned(), mark.to_owned())]);
    let whole = safetensors::serialize(views, Some(metadata)).map_err(damaged)?;
    write(path, &whole)
}

/// The tensors of a file, and their mark.
pub(crate) fn read_tensors(path: &Path) -> Result<(Tensors, String), FileError> {
    let bytes = read(path)?;
    let damaged = |what: String| FileError::Damaged { path: path.to_owned(), what };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mark = metadata.metadata().as_ref().and_then(|all| all.get(MARK)).cloned();
    let all = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut tensors = Tensors::new();
    for (name, view) in all.iter() {
        if view.dtype() != Dtype::F64 {
            return Err(damaged(format!("{name} is of type {:?}, not F64", view.dtype())));
        }
        let (numbers, _) = view.data().as_chunks::<8>();
        let values = numbers.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
        tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
    }
    Ok((tensors, mark.unwrap_or_default()))
}

/// The numbers of a tensor that must be there, have this shape, and be finite.
pub(crate) fn tensor<'a>(
    path: &Path,
    tensors: &'a Tensors,
    name: &str,
    shape: &[usize],
) -> Result<&'a [f64], FileError> {
    let damaged = |what: String| Err(FileError::Damaged { path: path.to_owned(), what });
    let Some((found, values)) = tensors.get(name) else {
        return damaged(format!("there is no tensor {name:?}"));
    };
    if found != shape {
        return damaged(format!("{name} has shape {found:?}, where the network has {shape:?}"));
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return damaged(format!("there is {value} in {name}"));
    }
    Ok(values)
}

pub(crate) fn write_json(path: &Path, state: &impl Serialize) -> Result<(), FileError> {
    let mut text = serde_json::to_vec_pretty(state)
        .map_err(|error| FileError::Write { path: path.to_owned(), source: error.into() })?;
    text.push(b'\n');
    write(path, &text)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    serde_json::from_slice(&read(path)?)
        .map_err(|error| FileError::Damaged { path: path.to_owned(), what: error.to_string() })
}

/// An error of the crate as one of a file's contents.
pub(crate) fn inside(path: &Path, error: &Error) -> FileError {
    FileError::Damaged { path: path.to_owned(), what: error.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

/// Writes a file beside its place, and then puts it there: what was there before is whole until then.
fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // What is left of the attempt is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
        FileError::Write { path: path.to_owned(), source }
    })
}
