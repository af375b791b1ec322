//! Networks on top of the tape: chains, their training, and explanations of their gradients.
//!
//! A [`Chain`] is the smallest network that shows all of backpropagation: one number per node, one weight per edge.
//! The chain A→B→C→D computes B = ab·A, C = bc·B and D = cd·C, and one reverse sweep gives the derivative of its loss
//! with respect to every weight, each reusing what the one before it has computed.
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
//! The crate is meant for learning and for small fits. It has no vector-valued layers: a network whose nodes are whole
//! vectors is better written directly on `tape`, as a function of its parameters.

mod activation;
mod builder;
mod chain;
pub mod data;
mod error;
mod explanation;
pub mod metrics;
mod parameters;
mod training;

pub use activation::Activation;
pub use builder::Builder;
pub use chain::{Chain, Sample};
pub use error::{Diverged, Error};
pub use explanation::{Explanation, Factor, Step, Term};
pub use parameters::Parameters;
pub use training::{Batch, Epoch, Optimizer, Stop, Trained, Training};
