//! A function with branches, made as quick as a program: it keeps a program for each path that has been taken.

use core::fmt::{self, Debug};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::outputs::Outputs;
use crate::program::machine::slots::Slots;
use crate::program::machine::{Broken, Replay};
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
/// **What it costs.** A point on the path of the call before takes one replay. Otherwise each replay of a path that
/// does not fit tells where the point leaves it, so that only the paths that go the right way there are tried next,
/// those used last first: where n paths part like a balanced tree, about log₂ n replays instead of n. Tracing takes
/// as long as 30 to 200 replays. Of the paths, those used last are kept, [`limit`](Self::limit) of them; a
/// function that takes another path nearly everywhere, like one that sorts many numbers, is better recorded by
/// [`gradient`](crate::gradient()).
///
/// Calls need no `&mut`, and may come from several threads at once: no lock is held while tracing and replaying.
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

/// The programs of the paths that points have taken.
pub(crate) struct Known {
    limit: usize,
    /// Those used last come first.
    paths: Mutex<Vec<Arc<Program>>>,
    /// The one of the call before, unless another thread has it just now.
    latest: Mutex<Option<Latest>>,
    traced: AtomicU64,
    /// Not counting those of the latest path.
    replayed: AtomicU64,
}

/// A path with all that a replay takes: a call that takes it once more has nothing to look for, and nothing to count together
/// with other threads.
struct Latest {
    path: Arc<Program>,
    slots: Slots<f64>,
    replayed: u64,
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
        self.known.limit = limit;
        self.known.forget_latest();
        self.known.paths().truncate(limit);
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
        self.known.limit
    }

    /// How many times the function has been traced. Where this keeps growing, the limit is too low, or there are too
    /// many paths for tracing to pay.
    pub fn traced(&self) -> u64 {
        self.known.traced.load(Ordering::Relaxed)
    }

    /// How often a path has been tried, by one replay: at least once for each call.
    pub fn replayed(&self) -> u64 {
        self.known.replayed()
    }
}

impl Default for Known {
    fn default() -> Self {
        const LIMIT: usize = 64;
        let (traced, replayed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { limit: LIMIT, paths: Mutex::default(), latest: Mutex::default(), traced, replayed }
    }
}

impl Known {
    /// Computes with the program whose path `x` takes, a new one if need be, and its values there.
    #[track_caller]
    pub(crate) fn at<T>(
        &self,
        x: &[f64],
        trace: impl FnOnce() -> Result<Program, Error>,
        mut compute: impl FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(result) = self.known_at(x, &mut compute) {
            return result;
        }
        self.traced.fetch_add(1, Ordering::Relaxed);
        let traced = Arc::new(trace()?);
        match self.try_path(&traced, x, &mut compute) {
            Attempt::Fits(result) => {
                self.keep(traced);
                result
            }
            Attempt::Leaves(_) => Err(Error::Unsteady { row: None }),
        }
    }

    /// Computes with the known program whose path `x` takes, if there is one.
    pub(crate) fn known_at<T>(
        &self,
        x: &[f64],
        mut compute: impl FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let mut latest = self.take_latest(x.len()).or_else(|| self.first(x.len()))?;
        latest.replayed += 1;
        let attempt = match replay_at(&latest.path, &mut latest.slots, x, &mut compute) {
            Some(attempt) => attempt,
            None => self.try_path(latest.path.exact(), x, &mut compute),
        };
        match attempt {
            Attempt::Fits(result) => {
                self.put_latest(latest);
                Some(result)
            }
            Attempt::Leaves(divergence) => {
                let left = self.give_back(latest);
                self.search(x, left, divergence, compute)
            }
        }
    }

    /// Computes with another known path, given where `x` leaves the first.
    fn search<T>(
        &self,
        x: &[f64],
        mut left: Arc<Program>,
        mut divergence: Divergence,
        mut compute: impl FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let mut candidates: Vec<Arc<Program>> = self.paths().clone();
        candidates.retain(|path| path.inputs() == x.len());
        let mut common = 0;
        loop {
            candidates.retain(|path| path.goes_along(&left, common, divergence));
            let next = Arc::clone(candidates.first()?);
            match self.try_path(&next, x, &mut compute) {
                Attempt::Fits(result) => {
                    self.prefer(&next);
                    return Some(result);
                }
                Attempt::Leaves(later) => {
                    // A function asks the same questions up to where two paths part, so that this guard is a later one;
                    // but what is asked twice is checked once, and that may differ.
                    common = divergence.guard.min(later.guard);
                    divergence = later;
                    left = next;
                }
            }
        }
    }

    /// Replays a path, and computes where `x` takes it.
    fn try_path<T>(
        &self,
        path: &Arc<Program>,
        x: &[f64],
        compute: &mut Compute<'_, T>,
    ) -> Attempt<T> {
        self.replayed.fetch_add(1, Ordering::Relaxed);
        let attempt = path.slots.with(&path.code, |slots| replay_at(path, slots, x, compute));
        attempt.unwrap_or_else(|| self.try_path(path.exact(), x, compute))
    }

    /// The list holds nothing that a panic could leave half done.
    pub(crate) fn paths(&self) -> MutexGuard<'_, Vec<Arc<Program>>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of the call before, if it is one for this many inputs.
    fn take_latest(&self, inputs: usize) -> Option<Latest> {
        let mut latest = self.latest();
        latest.take_if(|latest| latest.path.inputs() == inputs)
    }

    /// The path for this many inputs that was used last; it comes first now.
    fn first(&self, inputs: usize) -> Option<Latest> {
        let mut paths = self.paths();
        let position = paths.iter().position(|path| path.inputs() == inputs)?;
        paths[..=position].rotate_right(1);
        let path = Arc::clone(&paths[0]);
        drop(paths);
        Some(Latest { slots: path.slots.take(&path.code), path, replayed: 0 })
    }

    /// Keeps a path for the next call, unless another thread has been quicker.
    fn put_latest(&self, path: Latest) {
        let mut latest = self.latest();
        let spare = if latest.is_none() { latest.replace(path) } else { Some(path) };
        drop(latest);
        if let Some(spare) = spare {
            self.give_back(spare);
        }
    }

    /// Makes another path the latest one at the next call.
    fn forget_latest(&self) {
        let latest = self.latest().take();
        if let Some(latest) = latest {
            self.give_back(latest);
        }
    }

    /// The path, whose slots go back to it.
    fn give_back(&self, latest: Latest) -> Arc<Program> {
        let Latest { path, slots, replayed } = latest;
        self.replayed.fetch_add(replayed, Ordering::Relaxed);
        path.slots.give(slots);
        path
    }

    fn latest(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replayed(&self) -> u64 {
        let latest = self.latest().as_ref().map_or(0, |latest| latest.replayed);
        self.replayed.load(Ordering::Relaxed) + latest
    }

    /// Puts a known path first, if it has not been dropped meanwhile.
    fn prefer(&self, path: &Arc<Program>) {
        self.forget_latest();
        let mut paths = self.paths();
        if let Some(position) = paths.iter().position(|other| Arc::ptr_eq(other, path)) {
            paths[..=position].rotate_right(1);
        }
    }

    /// Puts a new path first. Where another thread has traced the same one meanwhile, that is dropped.
    fn keep(&self, path: Arc<Program>) {
        self.forget_latest();
        let mut paths = self.paths();
        paths.retain(|other| other.graph != path.graph);
        paths.insert(0, path);
        paths.truncate(self.limit);
    }
}

/// Computes with a program and its values at a point.
type Compute<'a, T> = dyn FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error> + 'a;

/// Replays a path, and computes where `x` takes it. [`None`] where it has to be replayed by its exact form.
fn replay_at<T>(
    path: &Arc<Program>,
    slots: &mut Slots<f64>,
    x: &[f64],
    compute: &mut Compute<'_, T>,
) -> Option<Attempt<T>> {
    let mut replay = Replay::new(&path.code, slots);
    replay.at(x.iter().copied());
    match replay.broken() {
        None => Some(Attempt::Fits(compute(path, &mut replay))),
        Some(Broken::Guard(guard, compared)) => {
            Some(Attempt::Leaves(Divergence { guard, compared }))
        }
        Some(Broken::NotFinite) => None,
    }
}

enum Attempt<T> {
    Fits(Result<T, Error>),
    Leaves(Divergence),
}

/// Where a point leaves a path: the first guard that does not hold, and what it compares.
#[derive(Clone, Copy)]
struct Divergence {
    guard: usize,
    compared: [f64; 2],
}

impl Program {
    /// Whether this path is that of `other` up to where the point leaves it, and goes on as the point does. Guards before
    /// `common` are known to agree.
    fn goes_along(&self, other: &Self, common: usize, divergence: Divergence) -> bool {
        let Divergence { guard, compared } = divergence;
        let (own, others) = (&self.code.guards, &other.code.guards);
        let is_like = |at: usize| own[at].comparison == others[at].comparison;
        if own.len() <= guard || !is_like(guard) {
            return false;
        }
        let is_same = |own: Option<f64>, other: Option<f64>| match (own, other) {
            // −0 and 0 compare alike.
            (Some(own), Some(other)) => own == other || own.is_nan() && other.is_nan(),
            (own, other) => own.is_some() == other.is_some(),
        };
        let agrees = |at: usize| {
            let [a, b] = self.compared_constants(at);
            let [other_a, other_b] = other.compared_constants(at);
            is_like(at)
                && own[at].outcome == others[at].outcome
                && is_same(a, other_a)
                && is_same(b, other_b)
        };
        // An integer part is compared with the one that it had, another constant on each path.
        let [a, b] = self.compared_constants(guard);
        own[guard].holds(a.unwrap_or(compared[0]), b.unwrap_or(compared[1]))
            && (common..guard).all(agrees)
    }

    /// The operands of a guard that are constants.
    fn compared_constants(&self, guard: usize) -> [Option<f64>; 2] {
        self.code.guards[guard].operands.map(|slot| {
            let constant = (slot as usize).checked_sub(self.code.inputs)?;
            self.code.constants.get(constant).copied()
        })
    }
}
