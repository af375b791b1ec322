//! Neural networks on the tape: a small one to look inside, and dense ones to train on data.
//!
//! A [`Chain`] is the smallest network that shows all of backpropagation: one number per node, one weight per edge.
//! The chain A→B→C→D computes B = ab·A, C = bc·B and D = cd·C. One reverse sweep gives the derivative of its loss with
//! respect to every weight. Each derivative reuses what the one before it computed.
//!
//! ```
//! use nn::{Chain, Sample};
//!
//! let chain = Chain::new();                              // A→B→C→D, every weight 1: it answers 3 with 3
//! let sample = Sample { input: 3.0, target: 17.0 };
//!
//! let (loss, gradient) = chain.gradient(&[sample])?;
//! assert_eq!(loss, 196.0);                               // (3 − 17)²
//! assert_eq!(gradient.weights["ab"], -84.0);             // 2·(3 − 17) · 1 · 1 · 3
//!
//! println!("{}", chain.explain(sample)?);                // the same as chain-rule products
//! # Ok::<(), nn::Error>(())
//! ```
//!
//! A [`Network`] has layers of many numbers: [`Dense`] layers and your own functions ([`Own`]). A [`Trainer`] takes rows of
//! data in mini-batches. [`data`] reads, splits and scales tables. A [`Model`] is a trained network on disk.
//!
//! ```
//! use nn::data::{Standardizer, Table};
//! use nn::{Dense, Loss, Network, Settings, Trainer};
//!
//! let flowers = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/iris.csv");
//! let (data, _) = Table::read(flowers)?.classification("species")?;
//! let (mut training, mut test) = data.split_stratified(0.2, 1)?;
//! let standardizer = Standardizer::learn(&training.inputs)?;
//! standardizer.apply(&mut training.inputs)?;
//! standardizer.apply(&mut test.inputs)?;
//!
//! let network = Network::builder(4)
//!     .layer(Dense::new(16, "tanh".parse()?))
//!     .layer(Dense::linear(3))                           // a logit for each of the three species
//!     .build()?;
//! let settings = Settings { rate: 0.01, epochs: 50, ..Settings::default() };
//! let mut trainer = Trainer::new(network, Loss::CrossEntropy, settings)?;
//! trainer.train(training.samples())?;
//! assert!(trainer.score(test.samples())?.accuracy > Some(0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **How it computes.** The loss of one row is a plain function. It is traced once into a [`tape::Batch`], which runs on as many
//! rows at a time as fit the cache, on all threads. No derivative is written by hand.
//!
//! **When to look elsewhere.** There are no convolutions, no attention and no GPU kernels. The crate is made for dense layers of
//! up to about 100,000 parameters.

mod activation;
mod architecture;
mod autosave;
pub mod chain;
mod checkpoint;
pub mod data;
mod destination;
mod embedding;
mod error;
mod file;
mod fingerprint;
mod history;
mod initializer;
mod layer;
mod loss;
pub mod metrics;
mod model;
mod network;
mod objective;
mod optimizer;
#[cfg(feature = "plot")]
pub mod plot;
mod precision;
pub mod report;
mod schedule;
mod setting;
#[cfg(feature = "terminal")]
pub mod terminal;
mod traceable;
mod trainer;
mod weights;

pub use activation::Activation;
pub use autosave::Autosave;
pub use chain::error::Diverged;
pub use chain::{
    Batch, Builder, Chain, Epoch, Explanation, Factor, Parameters, Recorded, Sample, Snapshot,
    Step, Stop, Term, Trained, Training,
};
pub use checkpoint::Checkpoint;
pub use destination::Destination;
pub use embedding::{Embedding, embedding};
pub use error::{Error, NonFinite};
pub use file::FileError;
pub use fingerprint::Fingerprint;
pub use initializer::Initializer;
pub use layer::{Dense, Dropout, Layer, LayerNorm, Own, dense, layer_norm};
pub use loss::Loss;
pub use model::{Answers, Model, Target};
pub use network::{Network, NetworkBuilder, Parameter};
pub use objective::Objective;
pub use optimizer::{Clip, Descent, Optimizer, add_l2};
pub use precision::{Precision, UnknownPrecision};
pub use schedule::{Decay, Schedule};
pub use setting::InvalidSetting;
pub use trainer::{Event, Record, Samples, Score, Settings, Trainer};
pub use weights::balanced_weights;
