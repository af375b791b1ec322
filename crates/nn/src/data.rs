//! From a file to numbers that a network can learn from: tables, datasets, classes, scales, splits.
//!
//! ```
//! use nn::data::{Standardizer, Table};
//!
//! let text = "length,width,kind\n1.0,2.0,oak\n1.5,2.5,oak\n8.0,1.0,elm\n7.5,0.5,elm\n";
//! let table = Table::from_reader(text.as_bytes())?;
//! let (data, classes) = table.classification("kind")?;
//! assert_eq!(classes.labels(), ["elm", "oak"]);
//! assert_eq!(data.targets().row(0), [0.0, 1.0]);            // oak
//!
//! let (rest, test) = data.split(0.5, 1)?;                   // of each class its share
//! let scales = Standardizer::learn(rest.inputs())?;         // of the training part only
//! let mut inputs = test.inputs().clone();
//! scales.apply(&mut inputs)?;
//! # Ok::<(), nn::data::Error>(())
//! ```

mod classes;
mod dataset;
mod error;
mod standardizer;
mod table;

pub use classes::{Classes, Task};
pub use dataset::Dataset;
pub use error::{BadCell, Error};
pub use standardizer::Standardizer;
pub use table::Table;
