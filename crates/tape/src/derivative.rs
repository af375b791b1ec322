//! Derivatives of a function in one call: gradient, Jacobian, Hessian.

pub(crate) mod gradient;
pub(crate) mod hessian;
pub(crate) mod jacobian;
pub(crate) mod replay;
