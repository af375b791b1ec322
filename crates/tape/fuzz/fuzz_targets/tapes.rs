//! Sequences of operations on tapes: right numbers or a panic, and never a touch of memory that is not theirs.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/soundness/panics.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod panics;
#[path = "../../tests/soundness/sequences.rs"]
mod sequences;

fuzz_target!(|bytes: &[u8]| sequences::run(bytes));
