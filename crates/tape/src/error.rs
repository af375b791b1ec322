//! What can go wrong when tracing, replaying and reading programs.

use std::borrow::Cow;

/// Why a program could not be made or run. The message says what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice does not have the length that the program was traced with.
    #[error(
        "{what}: {given} numbers given, but the program takes {expected}; pass as many as it was traced with"
    )]
    Length {
        /// What the slice is: "the point", "the direction", …
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        given: usize,
    },
    /// A call for one output, on a program that has another number of them.
    #[error("{call} is of a program with one output, and this one has {outputs}; {instead}")]
    Outputs {
        /// The method that was called.
        call: &'static str,
        /// How many outputs the program has.
        outputs: usize,
        /// What to call instead.
        instead: &'static str,
    },
    /// A comparison came out otherwise than while tracing: the program is not of this path through the function.
    #[error(
        "the function takes another path here: guard {guard}, `{condition}`, does not hold for {a} and {b}; trace it \
         anew at this point, or use tape::Function, which does so by itself"
    )]
    Diverged {
        /// The guard's position among the program's guards.
        guard: usize,
        /// The guard as the program's display writes it.
        condition: String,
        /// The first number compared.
        a: f64,
        /// The second.
        b: f64,
    },
    /// An operation whose value cannot be computed at another point.
    #[error(
        "operation {op} (node v{index}) cannot be traced: only its value and partials at one point are known; write \
         it with the operations of tape::Real"
    )]
    Opaque {
        /// The operation's name.
        op: &'static str,
        /// Its index in the list.
        index: usize,
    },
    /// An output that was recorded on another tape than the one that is traced.
    #[error(
        "output {output} of the traced function is a variable of another tape; compute it from the arguments"
    )]
    Foreign {
        /// The output's position.
        output: usize,
    },
    /// The program is larger than 32-bit indices reach.
    #[error(
        "the program needs {size} {what}, more than 2^32 - 2; split it, or use Batch for sums over data"
    )]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        size: usize,
    },
    /// A function that, traced at a point, does not take the traced path at that point.
    #[error(
        "{}the function takes another path each time it is traced there; it must depend on nothing but its arguments",
        .row.map_or_else(String::new, |row| format!("row {row}: "))
    )]
    Unsteady {
        /// The row it was traced for, of a [`Batch`](crate::Batch).
        row: Option<usize>,
    },
    /// Bytes that are no program.
    #[error("these bytes are no program that this version reads: {fault}")]
    Malformed {
        /// What is wrong with them.
        fault: Cow<'static, str>,
    },
}
