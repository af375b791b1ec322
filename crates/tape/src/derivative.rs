//! Derivatives of a function in one call: gradient, Jacobian, Hessian, dense and sparse.

pub(crate) mod gradient;
pub(crate) mod hessian;
pub(crate) mod jacobian;
