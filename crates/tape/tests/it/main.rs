//! The integration tests as one binary: a module for each thing a reader looks for.

mod batch;
mod branches;
mod engines;
mod function;
mod lanes;
mod linear_algebra;
mod long_chain;
mod matrices;
mod misuse;
mod nested;
mod numeric_traits;
mod operation;
mod operations;
mod products;
mod random_programs;
mod single;
mod sizes;
mod sparse;
mod tape;
