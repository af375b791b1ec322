//! Reverse-mode automatic differentiation on a Wengert list.
#![doc = include_str!("../README.md")]

mod adjoints;
mod by_reference;
pub mod check;
mod derivative;
mod dual;
mod error;
mod formula;
mod guard;
mod instructions;
mod interop;
mod kinks;
mod lanes;
mod list;
mod matrix;
mod number;
mod op;
mod operators;
mod partial;
mod pattern;
mod program;
mod real;
mod registry;
pub mod rotation;
mod show;
mod sparse_matrix;
mod special;
mod sweep;
mod table;
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
#[cfg(any(feature = "nalgebra-034", feature = "nalgebra-035"))]
pub use interop::nalgebra_scalars;
pub use lanes::Lanes;
pub use matrix::Matrix;
pub use op::Op;
pub use pattern::Pattern;
pub use program::batch::Batch;
pub use program::batch::rows::Rows;
pub use program::function::Function;
pub use program::stages::Stage;
pub use program::{Outputs, Program, Rewrites, Workspace};
pub use real::{Real, dot, log_sum_exp, norm, select, stop_gradient, sum, sum_over, weighted_sum};
pub use show::dot::Dot;
pub use show::text::Show;
pub use sparse_matrix::SparseMatrix;
pub use tape::{Mark, Tape, custom};
pub use var::Var;
