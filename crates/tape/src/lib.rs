//! Reverse-mode automatic differentiation on a Wengert list.
#![doc = include_str!("../README.md")]

mod adjoints;
pub mod check;
mod derivative;
mod dual;
mod error;
#[cfg(feature = "faer")]
mod faer;
mod formula;
mod kinks;
mod lanes;
mod list;
mod matrix;
#[cfg(any(feature = "nalgebra-034", feature = "nalgebra-035"))]
pub mod nalgebra_scalars;
#[cfg(feature = "ndarray")]
mod ndarray;
mod number;
mod numeric_traits;
mod op;
mod operators;
mod pattern;
mod program;
mod real;
mod registry;
pub mod rotation;
#[cfg(feature = "serde")]
mod serde;
mod show;
mod sparse_matrix;
mod special;
#[cfg(feature = "sprs")]
mod sprs;
mod sweep;
mod tails;
mod tape;
mod var;
mod vector;

pub use adjoints::Adjoints;
pub use derivative::gradient::gradient;
pub use derivative::hessian::{hessian, hessian_vector};
pub use derivative::jacobian::jacobian;
pub use dual::Dual;
pub use error::Error;
pub use lanes::Lanes;
pub use matrix::Matrix;
pub use op::Op;
pub use pattern::Pattern;
pub use program::batch::{Batch, Rows};
pub use program::function::Function;
pub use program::passes::Stage;
pub use program::{Outputs, Program, Rewrites, Workspace};
pub use real::{Real, dot, log_sum_exp, norm, select, stop_gradient, sum, sum_over, weighted_sum};
pub use show::dot::Dot;
pub use show::text::Show;
pub use sparse_matrix::SparseMatrix;
pub use tape::{Mark, Tape, custom};
pub use var::Var;
