//! How a program of this folder ends. Each includes this file as a module.

use std::io;
use std::process::ExitCode;

/// Success, or an error on the standard error output. A reader of the output that has gone, as `head` does, is no error.
pub(crate) fn end(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Err(error) if !is_broken_pipe(&error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
