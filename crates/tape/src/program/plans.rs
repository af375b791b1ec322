//! What a program keeps for its derivatives: room for replays in several directions, patterns and colourings.

use std::sync::OnceLock;

use crate::lanes::Lanes;
use crate::pattern::Pattern;
use crate::program::graph::coloring::hessian::Symmetric;
use crate::program::graph::coloring::jacobian::Grouping;
use crate::program::machine::element::LANES;
use crate::program::machine::slots::Pool;
use crate::program::machine::tangent::Plain;

/// Slots for products with one direction, or with several.
#[derive(Default)]
pub(super) struct Directions {
    /// With several rows' sum, backwards.
    pub(super) rows: Pool<Lanes<LANES>>,
    pub(super) one: Pool<Plain<f64>>,
    pub(super) several: Pool<Plain<Lanes<LANES>>>,
}

/// What sparse derivatives take, found when they are first asked for.
#[derive(Default)]
pub(super) struct Sparse {
    pub(super) jacobian: OnceLock<Pattern>,
    pub(super) grouping: OnceLock<Grouping>,
    pub(super) hessian: OnceLock<Pattern>,
    pub(super) symmetric: OnceLock<Symmetric>,
}
