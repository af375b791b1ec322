//! Pages that explain a training: one HTML file each, readable offline, with every number from the engine.
//!
//! A [`ChainReport`] plays backpropagation step by step on a trained chain, a [`FormulaReport`] on any formula. A [`TrainingReport`] shows the training of
//! any network, from plain numbers. All are self-contained: style, script and data are in the file, and
//! its content security policy forbids it to load anything.

mod axis;
mod chain;
mod chart;
mod confusion;
mod formula;
mod heat_map;
mod list;
mod markup;
mod page;
mod player;
mod stepper;
mod training;

pub use chain::ChainReport;
pub use confusion::Confusion;
pub use formula::{FormulaReport, Recordable};
pub use heat_map::{HeatMap, Names, Units};
pub use training::{Chart, Curve, Scale, TrainingReport};
