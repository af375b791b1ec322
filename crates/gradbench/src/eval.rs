//! The evals: what GradBench asks for, a module each.

mod ba;
mod det;
mod gmm;
mod hello;
mod ht;
mod kmeans;
mod llsq;
mod lse;
mod lstm;
mod ode;
mod particle;
mod saddle;

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::measure::Evaluation;

/// A module of GradBench's, and its functions.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) functions: &'static [(&'static str, Function)],
}

/// Reads an input and evaluates the function on it.
type Function = fn(&RawValue) -> Result<Evaluation, Failure>;

/// All modules, by name.
pub(crate) const MODULES: &[Module] = &[
    ba::MODULE,
    det::MODULE,
    gmm::MODULE,
    hello::MODULE,
    ht::MODULE,
    kmeans::MODULE,
    llsq::MODULE,
    lse::MODULE,
    lstm::MODULE,
    ode::MODULE,
    particle::MODULE,
    saddle::MODULE,
];

/// Runs `work`, compiled for the best vector instructions that the processor has.
///
/// What is to profit must be inlined into `work`.
#[inline(always)]
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
