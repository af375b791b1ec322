//! The contestants: one file each, with the way of use that its documentation recommends.

pub mod aad;
mod ad_trait;
pub mod echidna;
mod plain;
mod program;
pub mod reverse;
mod tape;
pub mod tpt;
#[cfg(feature = "xad")]
pub mod xad;

pub use ad_trait::AdTrait;
pub use echidna::{Echidna, EchidnaReplay};
pub use plain::Plain;
pub use program::{Replay, batch};
pub use reverse::Reverse;
pub use tape::{Tape, TapeFused};
#[cfg(feature = "xad")]
pub use xad::{Xad, XadFused};

use crate::kernel::Kernel;

/// A way to evaluate a kernel with its gradient. It keeps its tape from one call to the next where it can.
pub trait Engine {
    /// Evaluates the kernel and its gradient at the kernel's inputs.
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome;
}

/// What one run gives.
pub struct Outcome {
    pub value: f64,
    /// Empty for plain `f64`, which has none.
    pub gradient: Vec<f64>,
    /// How many nodes, the inputs included, were on the tape at the end.
    pub nodes: Option<usize>,
}
