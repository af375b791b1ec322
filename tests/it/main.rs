//! What crosses crates: what the examples print.

mod examples;
