//! How a sweep is done.

/// How functions like `exp` are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Functions {
    /// As `f64`'s own: a replay gives the bits of the function that was traced.
    Scalar,
    /// As vector functions, many numbers together.
    Vector,
}

/// What a sweep is done with, and how far.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) functions: Functions,
    /// No step computes more instances than this: of a batch, the rows that there are.
    pub(crate) limit: usize,
}
