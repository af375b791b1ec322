//! Derivatives of a program: dense, sparse, and the products with directions that both are read from.

mod dense;
pub(super) mod directions;
mod products;
mod sparse;
