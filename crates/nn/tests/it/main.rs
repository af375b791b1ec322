//! The tests of `nn` against its public interface, in one binary.

mod bad_input;
mod building;
mod checkpoint;
mod data;
mod embedding;
mod explanation;
mod gradient;
mod layers;
mod model;
mod network;
mod parts;
mod precision;
mod pytorch;
mod report;
mod saving;
mod trainer;
mod training;
mod weights;
