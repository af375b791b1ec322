//! Tables of numbers made ready for a network: read, checked, split and standardised.
//!
//! From a file to a network:
//!
//! 1. `Table::read` reads a CSV file and keeps its cells as text. (Feature `csv`, on by default.)
//! 2. `Table::classification` or `Table::regression` names the target and gives a [`Dataset`]: numbers in, numbers out.
//! 3. [`Dataset::split_stratified`] or [`Dataset::split`] holds back a part of the rows for testing.
//! 4. [`Standardizer::learn`] learns mean and standard deviation from the training part only, and is applied to both.
//!
//! Numbers that are in memory already start at step 3, with [`Dataset::new`]. A table that has more than numbers, such as texts,
//! dates and gaps, is split by the numbers of its rows ([`split_rows`], [`split_rows_by_class`]), and [`Columns`] makes numbers
//! of it.
//!
#![cfg_attr(feature = "csv", doc = "```")]
#![cfg_attr(not(feature = "csv"), doc = "```ignore")]
//! use nn::data::{Standardizer, Table};
//!
//! let file = "length,width,kind\n5,3,bee\n6,2,wasp\n4,3,bee\n7,2,wasp\n5,4,bee\n6,1,wasp\n";
//! let (insects, classes) = Table::from_reader(file.as_bytes())?.classification("kind")?;
//! assert_eq!(classes.labels().collect::<Vec<_>>(), ["bee", "wasp"]);
//!
//! let (mut training, mut test) = insects.split_stratified(1.0 / 3.0, 17)?;
//! assert_eq!((training.len(), test.len()), (4, 2));
//!
//! let standardizer = Standardizer::learn(&training.inputs)?;
//! standardizer.apply(&mut training.inputs)?;
//! standardizer.apply(&mut test.inputs)?;
//! # Ok::<(), nn::data::Error>(())
//! ```

#[cfg(feature = "csv")]
mod cell;
#[cfg(feature = "csv")]
mod cells;
mod classes;
mod columns;
mod dataset;
mod encoding;
mod error;
#[cfg(feature = "csv")]
mod format;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "csv")]
mod read;
mod split;
mod standardizer;
#[cfg(feature = "csv")]
mod table;

pub use classes::Classes;
pub(crate) use classes::largest;
pub use columns::{Column, Columns};
#[cfg(feature = "csv")]
pub use columns::{ColumnSettings, Encoded, Note};
pub use dataset::Dataset;
pub(crate) use dataset::{check, same_rows};
pub use encoding::{Comma, Encoding, Why};
pub use error::{BadCell, Error, Flaw, Listing, RaggedRow};
#[cfg(feature = "csv")]
pub use format::Format;
pub use split::{split_rows, split_rows_by_class};
pub use standardizer::Standardizer;
#[cfg(feature = "csv")]
pub use table::{Table, Task};
