//! What can go wrong with a message, and what to do about it.

use std::collections::TryReserveError;

use serde_json::Error as JsonError;

/// Why a message got no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the line is not a message of the protocol: {0}")]
    Message(JsonError),
    #[error("a message of kind \"{kind}\" needs a \"{field}\"")]
    Missing { kind: String, field: &'static str },
    #[error("there is no module \"{name}\"; there are {known}")]
    Module { name: String, known: String },
    #[error("module \"{module}\" has no function \"{name}\"; it has {known}")]
    Function { module: &'static str, name: String, known: String },
    #[error("the input cannot be read: {0}")]
    Input(JsonError),
    #[error("the input's {what} must be {expected}, not {given}")]
    Value { what: &'static str, expected: &'static str, given: String },
    #[error("the input's {what} must have {expected} items, not {given}")]
    Length { what: &'static str, expected: usize, given: usize },
    #[error("the input's {what} names item {index}, but there are {count}")]
    Index { what: &'static str, index: i64, count: usize },
    #[error("the input is too large: {0}")]
    Room(#[from] TryReserveError),
    #[error("{0}")]
    Derivative(#[from] tape::Error),
    #[error("the output cannot be written: {0}")]
    Output(JsonError),
}

/// An error unless `given` is what the rest of the input calls for.
pub(crate) fn check_length(
    what: &'static str,
    expected: usize,
    given: usize,
) -> Result<(), Failure> {
    if given == expected { Ok(()) } else { Err(Failure::Length { what, expected, given }) }
}

/// An error where a size is 0 that must not be.
pub(crate) fn check_some(what: &'static str, count: usize) -> Result<(), Failure> {
    if count > 0 {
        return Ok(());
    }
    Err(Failure::Value { what, expected: "at least 1", given: count.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: Result<(), Failure>, expected: &str) {
        assert_eq!(result.err().map_or(String::new(), |failure| failure.to_string()), expected);
    }

    #[test]
    fn a_length_that_is_called_for_is_no_failure() {
        check(check_length("x", 3, 3), "");
    }

    #[test]
    fn a_length_that_is_not_says_which_is() {
        check(check_length("x", 3, 4), "the input's x must have 3 items, not 4");
    }

    #[test]
    fn something_is_no_failure() {
        check(check_some("n", 1), "");
    }

    #[test]
    fn nothing_is_a_failure() {
        check(check_some("n", 0), "the input's n must be at least 1, not 0");
    }
}
