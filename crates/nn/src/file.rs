//! What trainings and models are on disk: one file in the format safetensors, with a description in JSON as its metadata.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fingerprint::{Fingerprint, Press};
use crate::{Destination, Error};

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system answers.
        reason: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system answers.
        reason: io::Error,
    },
    /// Another training, or another program, is about to write it.
    #[error(
        "{} is in use: another training writes there; wait for its end, or choose another place",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
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

/// One of the kinds of file.
pub(crate) struct Format {
    /// What a file of this kind calls itself.
    pub(crate) name: &'static str,
    /// Other versions are refused.
    pub(crate) version: u32,
}

/// The value under the format's name in the metadata.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// Of the description and all tensors, so that damage shows.
    fingerprint: Fingerprint,
    description: Box<RawValue>,
}

/// What a name stands for on disk: `NAME.safetensors`. An ending that says so is left out first.
pub(crate) fn path_of(name: &Path) -> PathBuf {
    let is_ours = |ending: &std::ffi::OsStr| ending == "safetensors" || ending == "json";
    let stem =
        if name.extension().is_some_and(is_ours) { name.with_extension("") } else { name.into() };
    let mut path = stem.into_os_string();
    path.push(".safetensors");
    PathBuf::from(path)
}

/// Writes a description and tensors.
pub(crate) fn write(
    destination: &Destination,
    format: &Format,
    description: &impl Serialize,
    tensors: &Tensors,
) -> Result<(), FileError> {
    let failed = |what: String| FileError::Write {
        path: destination.path().to_owned(),
        reason: io::Error::other(what),
    };
    let description = serde_json::value::to_raw_value(description);
    let description = description.map_err(|error| failed(error.to_string()))?;
    let fingerprint = fingerprint(description.get(), tensors);
    let header = Header { version: format.version, fingerprint, description };
    let header = serde_json::to_string(&header).map_err(|error| failed(error.to_string()))?;
    let bytes: Vec<(&str, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (name.as_str(), &shape[..], values.iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F64, shape.to_vec(), bytes).map(|view| (*name, view))
        })
        .collect::<Result<Vec<_>, _>>();
    let metadata = HashMap::from([(format.name.to_owned(), header)]);
    let whole = views.and_then(|views| safetensors::serialize(views, Some(metadata)));
    destination.write(&whole.map_err(|error| failed(error.to_string()))?)
}

/// Reads a description and tensors, as they were written together.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    format: &Format,
) -> Result<(T, Tensors), FileError> {
    let damaged = |what: String| FileError::Damaged { path: path.to_owned(), what };
    let bytes =
        fs::read(path).map_err(|reason| FileError::Read { path: path.to_owned(), reason })?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let header = header(metadata.metadata().as_ref(), format).map_err(damaged)?;
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
    if fingerprint(header.description.get(), &tensors) != header.fingerprint {
        return Err(damaged("its content is not what was written".to_owned()));
    }
    let description = serde_json::from_str(header.description.get());
    Ok((description.map_err(|error| damaged(error.to_string()))?, tensors))
}

/// The header of a file of this format, or what is wrong with it.
fn header(metadata: Option<&HashMap<String, String>>, format: &Format) -> Result<Header, String> {
    let Format { name, version } = format;
    let entry = |key: &str| metadata.and_then(|all| all.get(key));
    let Some(header) = entry(name) else {
        // Version 1 kept the description in a file of its own, and here no more than a mark.
        return Err(if entry("mark").is_some() {
            format!("it is of version 1, this reads version {version}: train again")
        } else {
            let found: Vec<_> = metadata.into_iter().flat_map(HashMap::keys).cloned().collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            format!("it is no {name}: it calls itself {found}")
        });
    };
    let header: Header = serde_json::from_str(header).map_err(|error| error.to_string())?;
    if header.version == *version {
        Ok(header)
    } else {
        Err(format!("it is of version {}, this reads version {version}", header.version))
    }
}

fn fingerprint(description: &str, tensors: &Tensors) -> Fingerprint {
    let mut press = Press::default();
    press.text(description);
    // In the order of their names: a file has one of its own.
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort_unstable();
    for name in names {
        let (shape, values) = &tensors[name];
        press.text(name);
        press.count(shape.len());
        for &extent in shape {
            press.count(extent);
        }
        press.numbers(values);
    }
    press.finish()
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

/// An error of the crate as one of a file's contents.
pub(crate) fn inside(path: &Path, error: &Error) -> FileError {
    FileError::Damaged { path: path.to_owned(), what: error.to_string() }
}
