//! What can go wrong when making matrices, and when tracing, replaying and reading programs.

use core::fmt::{self, Display};
use std::borrow::Cow;

/// Why a program could not be made or run, or a matrix not made. The message says what to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A slice does not have the length that the program was traced with.
    Length {
        /// What the slice is: "the point", "the direction", …
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        given: usize,
    },
    /// Entries that do not make a matrix of the given size.
    Shape {
        /// How many rows the matrix was to have.
        rows: usize,
        /// How many columns.
        columns: usize,
        /// How many entries were given.
        given: usize,
    },
    /// A matrix that is not square, where one must be.
    NotSquare {
        /// The method that was called.
        call: &'static str,
        /// How many rows the matrix has.
        rows: usize,
        /// How many columns.
        columns: usize,
    },
    /// A right-hand side that has not as many rows as the matrix.
    Dimensions {
        /// The method that was called.
        call: &'static str,
        /// How many rows the matrix has.
        expected: usize,
        /// How many the right-hand side has.
        given: usize,
    },
    /// A matrix without an inverse, or with columns that depend on each other.
    Singular {
        /// The method that was called.
        call: &'static str,
        /// The first column, from 0 on, in which elimination finds no pivot: it depends on those before it, or is NaN.
        pivot: usize,
    },
    /// A matrix that has no Cholesky factor.
    NotPositiveDefinite {
        /// The first row, from 0 on, whose pivot is not above 0.
        pivot: usize,
    },
    /// A matrix with a number that is NaN or ∞, where none may be.
    NotFinite {
        /// The method that was called.
        call: &'static str,
    },
    /// A symmetric matrix with an eigenvalue below 0, where none may be.
    NegativeEigenvalue {
        /// The method that was called.
        call: &'static str,
        /// The smallest eigenvalue.
        eigenvalue: f64,
    },
    /// A call for one output, on a program that has another number of them.
    Outputs {
        /// The method that was called.
        call: &'static str,
        /// How many outputs the program has.
        outputs: usize,
        /// What to call instead.
        instead: &'static str,
    },
    /// A comparison came out otherwise than while tracing: the program is not of this path through the function.
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
    Opaque {
        /// The operation's name.
        op: &'static str,
        /// Its index in the list.
        index: usize,
    },
    /// An output that was recorded on another tape than the one that is traced.
    Foreign {
        /// The output's position.
        output: usize,
    },
    /// The program is larger than 32-bit indices reach.
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        size: usize,
    },
    /// A function that, traced at a point, does not take the traced path at that point.
    Unsteady {
        /// The row it was traced for, of a [`Batch`](crate::Batch).
        row: Option<usize>,
    },
    /// Bytes of a program that calls an operation which the reader was not given.
    UnknownOperation {
        /// The operation's name.
        name: String,
    },
    /// Bytes that are no program.
    Malformed {
        /// What is wrong with them.
        fault: Cow<'static, str>,
    },
}

impl Error {
    /// Whether a guard did not hold: at this point the function takes another path than the program.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| if x[0] > 0.0 { x[0] } else { -x[0] }, &[1.0])?;
    /// assert!(program.value(&[-1.0]).is_err_and(|error| error.is_diverged()));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn is_diverged(&self) -> bool {
        matches!(self, Self::Diverged { .. })
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, expected, given } => write!(
                f,
                "{what}: {given} numbers given, but the program takes {expected}; pass as many as it was traced with"
            ),
            Self::Shape { rows, columns, given } => {
                write!(
                    f,
                    "{given} entries do not make a matrix of {rows} rows and {columns} columns"
                )
            }
            Self::NotSquare { call, rows, columns } => {
                write!(f, "{call} of a {rows}×{columns} matrix: it must be square")
            }
            Self::Dimensions { call, expected, given } => write!(
                f,
                "{call} of a matrix with {expected} rows, and a right-hand side with {given}: they must be as many"
            ),
            Self::Singular { call, pivot } => write!(
                f,
                "{call}: the matrix is singular: its column {pivot} (the first is 0) depends on those before it, or a number is NaN"
            ),
            Self::NotPositiveDefinite { pivot } => write!(
                f,
                "cholesky: the matrix is not positive definite: the pivot of row {pivot} (the first is 0) is not above 0"
            ),
            Self::NotFinite { call } => {
                write!(f, "{call}: a number of the matrix is NaN or infinite")
            }
            Self::NegativeEigenvalue { call, eigenvalue } => {
                write!(f, "{call}: the matrix has the negative eigenvalue {eigenvalue}")
            }
            Self::Outputs { call, outputs, instead } => {
                write!(
                    f,
                    "{call} is of a program with one output, and this one has {outputs}; {instead}"
                )
            }
            Self::Diverged { guard, condition, a, b } => write!(
                f,
                "the function takes another path here: guard {guard}, `{condition}`, does not hold for {a} and {b}; \
                 trace it anew at this point, or use tape::Function, which does so by itself"
            ),
            Self::Opaque { op, index } => write!(
                f,
                "operation {op} (node v{index}) cannot be traced: only its value and partials at one point are known; \
                 write it with the operations of tape::Real, or as a tape::Operation"
            ),
            Self::Foreign { output } => write!(
                f,
                "output {output} of the traced function is a variable of another tape; compute it from the arguments"
            ),
            Self::TooLarge { what, size } => write!(
                f,
                "the program needs {size} {what}, more than 32-bit indices reach; split it, or use Batch for sums over data"
            ),
            Self::Unsteady { row } => {
                if let Some(row) = row {
                    write!(f, "row {row}: ")?;
                }
                f.write_str(
                    "the function takes another path each time it is traced there; it must depend on nothing but its \
                     arguments",
                )
            }
            Self::UnknownOperation { name } => write!(
                f,
                "these bytes call an operation {name:?} that is not known here: give it by Program::from_bytes_with \
                 (those of matrices are known with the feature linear-algebra)"
            ),
            Self::Malformed { fault } => {
                write!(f, "these bytes are no program that this version reads: {fault}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Refuses a slice of another length than the program takes.
pub(crate) fn check_length(what: &'static str, expected: usize, given: usize) -> Result<(), Error> {
    if given == expected { Ok(()) } else { Err(Error::Length { what, expected, given }) }
}
