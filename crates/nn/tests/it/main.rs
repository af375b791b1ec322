//! The tests of `nn` against its public interface, in one binary.

mod bad_input;
mod building;
mod data;
mod explanation;
mod gradient;
mod training;
