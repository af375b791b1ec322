//! A function with branches, made as quick as a program: it keeps a program for each path that has been taken.

mod known;
mod points;
mod recent;

use core::fmt::{self, Debug};
use std::sync::Arc;

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::outputs::Outputs;
pub(crate) use crate::program::function::known::Known;
use crate::program::machine::Replay;
use crate::program::{Program, gradient_of};
use crate::var::Var;

/// A function of any number of variables, traced by itself: once for each path through its branches.
///
/// A [`Program`] is one path through a function. This keeps the programs of all paths that points have taken so far:
/// a call replays the one whose path fits its point, and where none does, the function is traced there and the new
/// path is kept. The numbers are those of the function itself: a program whose guards do not all hold is not used.
///
/// **What guards see**: every comparison of variables, with each other or with a number (`<`, `<=`, `>`, `>=`, `==`,
/// `!=`, `partial_cmp`, and so sorting), `is_nan`, `is_finite`, `is_sign_negative`, `is_zero`, `classify`, and the
/// other questions of the traits of `num-traits` and `nalgebra`; also the integer that a variable is converted to, and the
/// plain number that [`Var::value`] or `to_f64` gives: a path on which one was handed out is for that number only, and
/// every other point is traced anew. A function that a traced one traces or differentiates hands its comparisons on.
/// `max`, `min`, `abs`, `clamp`, `floor` and [`select`](crate::select) are operations, which take any point on one path.
///
/// **What they cannot see**: what a function reads that is none of its arguments. It must not depend on that, or a replay
/// gives what was right while tracing.
///
/// **What it costs.** First the path of the call before is tried; of a function of up to eight inputs, that of the nearest
/// among the last 32 points. If it fits, a call takes one replay. Otherwise each replay of a path that
/// does not fit tells where the point leaves it, so that only the paths that go the right way there are tried next,
/// those used last first: where n paths part like a balanced tree, about log₂ n replays instead of n. Tracing takes
/// as long as 30 to 200 replays. Of the paths, those used last are kept, [`limit`](Self::limit) of them; a
/// function that takes another path nearly everywhere, like one that sorts many numbers, is better recorded by
/// [`gradient`](crate::gradient()).
///
/// Calls need no `&mut`, and may come from several threads at once: none waits for another's replay or trace, but what is
/// traced is kept when the others' replays are over.
///
/// ```
/// // Newton's method: how many steps it takes depends on the number.
/// let root = tape::Function::new(|x: &[tape::Var]| {
///     let mut root = x[0];
///     while (root * root - x[0]).abs() > 1e-12 * x[0] {
///         root = 0.5 * (root + x[0] / root);
///     }
///     root
/// });
/// for x in [2.0, 4.0, 4.1, 100.0] {
///     let (value, gradient) = root.gradient(&[x])?;
///     assert!((value - x.sqrt()).abs() < 1e-9);
///     assert!((gradient[0] - 0.5 / x.sqrt()).abs() < 1e-9);
/// }
/// assert!(root.paths() < 4, "4 and 4.1 take as many steps");
/// # Ok::<(), tape::Error>(())
/// ```
pub struct Function<F> {
    f: F,
    known: Known,
}

impl<F> Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("paths", &self.paths())
            .field("limit", &self.limit())
            .field("traced", &self.traced())
            .field("replayed", &self.replayed())
            .finish_non_exhaustive()
    }
}

impl<F, R> Function<F>
where
    F: Fn(&[Var]) -> R,
    R: Outputs,
{
    /// Takes a function of variables that returns one [`Var`], an array of them, or a `Vec`. It is traced when it is
    /// first called.
    pub fn new(f: F) -> Self {
        Self { f, known: Known::default() }
    }

    /// The function with room for this many paths, instead of 64. With none, every call traces.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.known.set_limit(limit);
        self
    }

    /// The output at `x`.
    ///
    /// # Errors
    /// [`Error::Outputs`] where there is not exactly one output; and where `x` takes a new path, the errors of
    /// [`Program::trace`], and [`Error::Unsteady`] where the function takes another path each time it is traced.
    ///
    /// # Panics
    /// When the function panics.
    ///
    /// ```
    /// let tax = tape::Function::new(|x: &[tape::Var]| {
    ///     if x[0] < 10_000.0 { 0.1 * x[0] } else { 1_000.0 + 0.3 * (x[0] - 10_000.0) }
    /// });
    /// assert_eq!(tax.value(&[5_000.0])?, 500.0);
    /// assert_eq!(tax.value(&[20_000.0])?, 4_000.0);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn value(&self, x: &[f64]) -> Result<f64, Error> {
        self.at(x, |program, replay| {
            program.check_one_output("value", "call values")?;
            Ok(replay.output(0))
        })
    }

    /// The outputs at `x`.
    ///
    /// # Errors
    /// As [`Function::value`], for any number of outputs.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        self.at(x, |_, replay| Ok(replay.outputs().collect()))
    }

    /// The output at `x` and its gradient: `x.len()` partial derivatives.
    ///
    /// # Errors
    /// As [`Function::value`].
    ///
    /// # Panics
    /// When the function panics.
    ///
    /// ```
    /// let larger = tape::Function::new(|x: &[tape::Var]| if x[0] > x[1] { x[0] } else { x[1] });
    /// assert_eq!(larger.gradient(&[3.0, 2.0])?, (3.0, vec![1.0, 0.0]));
    /// assert_eq!(larger.gradient(&[3.0, 4.0])?, (4.0, vec![0.0, 1.0]));
    /// assert_eq!(larger.paths(), 2);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn gradient(&self, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let mut gradient = vec![0.0; x.len()];
        let value = self.gradient_into(x, &mut gradient)?;
        Ok((value, gradient))
    }

    /// [`Function::gradient`] into room that the caller keeps: nothing is allocated on a path that was taken before.
    ///
    /// # Errors
    /// As [`Function::value`]; also [`Error::Length`] where `gradient` is not as long as `x`. It is unchanged then.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn gradient_into(&self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Error> {
        self.at(x, |program, replay| {
            program.check_one_output("gradient", "call jacobian")?;
            check_length("the gradient", program.inputs(), gradient.len())?;
            Ok(gradient_of(replay, gradient))
        })
    }

    /// The outputs at `x`, and their Jacobian: a row for each output, a column for each input.
    ///
    /// # Errors
    /// As [`Function::value`], for any number of outputs.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn jacobian(&self, x: &[f64]) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        self.at(x, |program, _| program.jacobian(x))
    }

    /// The output at `x`, its gradient, and its Hessian, which are those of the path: a jump between two contributes
    /// nothing.
    ///
    /// # Errors
    /// As [`Function::value`].
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn hessian(&self, x: &[f64]) -> Result<(f64, Vec<f64>, Matrix<f64>), Error> {
        self.at(x, |program, _| program.hessian(x))
    }

    /// The output at `x`, its gradient, and the product of its Hessian with `v`.
    ///
    /// # Errors
    /// As [`Function::value`]; also [`Error::Length`] where `v` is not as long as `x`.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn hessian_vector(&self, x: &[f64], v: &[f64]) -> Result<(f64, Vec<f64>, Vec<f64>), Error> {
        self.at(x, |program, _| program.hessian_vector(x, v))
    }

    /// The outputs at `x`, and the product of their Jacobian with a direction: [`Program::jacobian_vector`].
    ///
    /// # Errors
    /// As [`Function::values`]; also [`Error::Length`] where `v` is not as long as `x`.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn jacobian_vector(&self, x: &[f64], v: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        self.at(x, |program, _| program.jacobian_vector(x, v))
    }

    /// The outputs at `x`, and the product of a row of weights with their Jacobian: [`Program::vector_jacobian`].
    ///
    /// # Errors
    /// As [`Function::values`]; also [`Error::Length`] where `w` has not a weight for each output.
    ///
    /// # Panics
    /// When the function panics.
    #[track_caller]
    pub fn vector_jacobian(&self, x: &[f64], w: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        self.at(x, |program, _| program.vector_jacobian(x, w))
    }

    /// The outputs at `x`, and the gradient and the Hessian of their weighted sum: [`Program::weighted_hessian`].
    ///
    /// # Errors
    /// As [`Function::vector_jacobian`].
    ///
    /// # Panics
    /// When the function panics.
    #[allow(clippy::type_complexity, reason = "as of `hessian`: values, gradient, Hessian")]
    #[track_caller]
    pub fn weighted_hessian(
        &self,
        x: &[f64],
        w: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>, Matrix<f64>), Error> {
        self.at(x, |program, _| program.weighted_hessian(x, w))
    }

    /// The program whose path `x` takes, for what only a [`Program`] can do.
    ///
    /// # Errors
    /// As [`Function::values`].
    ///
    /// # Panics
    /// When the function panics.
    ///
    /// ```
    /// let f = tape::Function::new(|x: &[tape::Var]| if x[0] < 0.0 { -x[0] } else { x[0].sqrt() });
    /// assert_eq!(f.program(&[4.0])?.to_string(), "v0 = sqrt(x0)\nguard not x0 < 0\nreturn v0\n");
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn program(&self, x: &[f64]) -> Result<Arc<Program>, Error> {
        self.at(x, |program, _| Ok(Arc::clone(program)))
    }

    #[track_caller]
    fn at<T>(
        &self,
        x: &[f64],
        compute: impl FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.known.at(x, || Program::trace(&self.f, x), compute)
    }
}

impl<F> Function<F> {
    /// The number of paths that are kept.
    pub fn paths(&self) -> usize {
        self.known.paths().len()
    }

    /// The largest number of paths that are kept. Beyond it, the path that was not used for longest is dropped.
    pub fn limit(&self) -> usize {
        self.known.limit()
    }

    /// How many times the function has been traced. Where this keeps growing, the limit is too low, or there are too
    /// many paths for tracing to pay.
    pub fn traced(&self) -> u64 {
        self.known.traced()
    }

    /// How often a path has been tried, by one replay: at least once for each call.
    pub fn replayed(&self) -> u64 {
        self.known.replayed()
    }
}
