//! The tests of `nn` against its public interface, in one binary.

mod bad_input;
mod building;
mod explanation;
mod gradient;
mod report;
mod training;
