//! What crosses crates: what the examples print, and what they leave behind.

mod examples;
mod interruptions;
