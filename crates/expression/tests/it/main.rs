//! The tests of the crate, through its public interface.

mod error;
mod hostile;
mod property;
mod record;
mod text;
mod value;
