//! Safe code cannot reach undefined behaviour: what tries to ends in a panic with a message, or does no harm.
//!
//! To be run under valgrind and the address sanitizer too, which see more than an assertion does: ARCHITECTURE.md has the
//! commands.
#![forbid(unsafe_code)]

mod destructors;
mod operations;
mod panic_hook;
mod panics;
mod printing;
mod random;
mod rewinding;
mod sequences;
mod sum_over;
mod threads;
