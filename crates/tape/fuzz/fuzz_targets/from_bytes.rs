//! Any bytes: an error or a program, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tape_fuzz::{body, exercise, sealed};

fuzz_target!(|bytes: &[u8]| {
    exercise(bytes);
    exercise(&sealed(body(bytes)));
});
