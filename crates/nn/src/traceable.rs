//! Whether a function that a user wrote does what its trace does: a trace of it runs on rows that it has never seen.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tape::{Program, Var};

use crate::Error;
use crate::objective::constants;

/// Compares a function of this many numbers with its trace, beside the point where it was traced.
///
/// The point is drawn, so that no branch of a sensible function lies just there, and each number is then taken to its
/// neighbour. What the trace refuses there is a function that has read a number: any other is another path to it. What it
/// computes otherwise depends on more than its arguments. (What cannot be traced at all is told by whoever needs the
/// trace.)
pub(crate) fn check(
    what: impl FnOnce() -> String,
    count: usize,
    function: impl Fn(&[Var]) -> Vec<Var>,
) -> Result<(), Error> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let point: Vec<f64> = (0..count).map(|_| random.random_range(0.1..0.9)).collect();
    let Ok(program) = Program::trace(&function, &point) else { return Ok(()) };
    let beside: Vec<f64> = point.iter().map(|number| number.next_up()).collect();
    let traced = match program.values(&beside) {
        Ok(values) => values,
        Err(error) if error.is_diverged() => {
            return Err(Error::NotTraceable { what: what(), why: READS });
        }
        Err(_) => return Ok(()),
    };
    let plain = function(&constants(&beside));
    let is_same = |(plain, &traced): (&Var, &f64)| {
        let plain = plain.value();
        plain == traced
            || (plain.is_nan() && traced.is_nan())
            || (plain - traced).abs() <= 1e-9 * plain.abs().max(traced.abs())
    };
    if plain.len() == traced.len() && plain.iter().zip(&traced).all(is_same) {
        Ok(())
    } else {
        Err(Error::NotTraceable { what: what(), why: CHANGES })
    }
}

const READS: &str = "it takes a number out of a variable, by `value()` or the like, so its trace holds for that number \
                     alone; compute with the variables, and choose between them by comparing them or by tape::select";
const CHANGES: &str = "it gives other numbers than its trace, so it depends on more than its parameters and inputs, as on \
                       random numbers or a count of its own";
