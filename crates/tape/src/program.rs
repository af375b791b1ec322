//! Programs: a function traced once, made ready to run many times.

pub(crate) mod at;
pub(crate) mod batch;
mod bytes;
mod code;
mod derivatives;
pub(crate) mod function;
pub(crate) mod graph;
pub(crate) mod machine;
mod plans;
mod show;
pub(crate) mod stages;
#[cfg(test)]
mod tests;

use core::fmt::{self, Debug};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, check_length};
use crate::outputs::Outputs;
use crate::program::code::Code;
use crate::program::code::schedule::schedule;
use crate::program::graph::Graph;
use crate::program::graph::builder::Passes;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::{optimize, optimize_from_sums};
pub use crate::program::graph::simplify::Rewrites;
use crate::program::graph::trace::{Extent, Trace, trace};
use crate::program::machine::slots::{Pool, Slots};
use crate::program::machine::tangent::Plain;
use crate::program::machine::{Broken, Replay};
use crate::program::plans::{Directions, Sparse};
use crate::var::Var;

/// A function traced at one point and made ready to run at many: optimised, replayed without recording.
///
/// Tracing runs the function once on variables. What depends on constants only is computed, what is computed twice is
/// computed once, chains of additions become one operation, and what no output needs is left out; then operations that
/// are alike and independent of each other become one step with vector instructions. None of this changes a value: a
/// replay gives the same bits as the function itself on `f64`. (Derivatives are sums, in another order than a
/// [`Tape`](crate::Tape)'s, and may differ in the last digits.)
///
/// **Branches.** A comparison of variables during tracing becomes a *guard*. A replay in which a guard comes out
/// otherwise gives [`Error::Diverged`], never a wrong number; [`Function`](crate::Function) then traces the new path by
/// itself. `max`, `min`, `abs`, `clamp` and [`select`](crate::select) are operations and need no guard. A plain
/// number that the function got by [`Var::value`] becomes a guard too: the program is for that number only.
///
/// ```
/// use tape::Program;
///
/// let rosenbrock = |x: &[tape::Var]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
/// let program = Program::trace(rosenbrock, &[0.0, 0.0])?;
/// assert_eq!(program.value(&[1.0, 2.0])?, 100.0);
/// assert_eq!(program.gradient(&[1.0, 2.0])?, (100.0, vec![-400.0, 200.0]));
/// # Ok::<(), tape::Error>(())
/// ```
pub struct Program {
    /// What tells a workspace whose it is.
    number: u64,
    recorded: Recorded,
    /// What bytes, patterns and texts are made from.
    graph: Graph,
    /// The graph's, or what is quicker and holds where everything is finite.
    code: Code,
    /// The program whose code is the graph's, where that of this one is not.
    exact: Option<Box<OnceLock<Arc<Program>>>>,
    operations: usize,
    slots: Pool<f64>,
    directions: Directions,
    sparse: Sparse,
}

/// What the trace was before the passes.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    nodes: usize,
}

/// Room for the numbers of one replay: see [`Program::gradient_into`].
///
/// A workspace fits any program: it is made ready for one when it is first used with it.
#[derive(Default)]
pub struct Workspace {
    program: u64,
    slots: Option<Slots<f64>>,
    duals: Option<Slots<Plain<f64>>>,
}

impl Workspace {
    /// Forgets what was of another program.
    fn enter(&mut self, program: u64) {
        if self.program != program {
            *self = Self { program, ..Self::default() };
        }
    }
}

impl Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots =
            self.slots.as_ref().map_or(0, |slots| slots.values.len() + slots.adjoints.len());
        f.debug_struct("Workspace").field("slots", &slots).finish_non_exhaustive()
    }
}

impl Program {
    /// Traces `f` at `x`: a function of variables that returns one [`Var`], an array of them, or a `Vec`.
    ///
    /// # Errors
    /// [`Error::Opaque`] where `f` uses a custom operation, [`Error::Foreign`] where it returns a variable of another
    /// tape, [`Error::TooLarge`] where its passes or its code need more than 32-bit indices reach.
    ///
    /// # Panics
    /// When `f` panics, or records more than a tape holds, 2³¹ − 1 nodes.
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let program = tape::Program::trace(polar, &[1.0, 1.0])?;
    /// assert_eq!(program.values(&[2.0, 0.0])?, [2.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn trace<R: Outputs>(f: impl FnOnce(&[Var]) -> R, x: &[f64]) -> Result<Self, Error> {
        Self::trace_with(Rewrites::Exact, f, x)
    }

    /// [`Program::trace`] with a choice of the algebraic rewrites.
    ///
    /// # Errors
    /// As [`Program::trace`].
    ///
    /// # Panics
    /// When `f` panics.
    #[track_caller]
    pub fn trace_with<R: Outputs>(
        rewrites: Rewrites,
        f: impl FnOnce(&[Var]) -> R,
        x: &[f64],
    ) -> Result<Self, Error> {
        let passes = Passes::NumberValues(rewrites);
        let Trace { graph, nodes } = trace(f, x, Extent::Needed, passes)?;
        Self::from_graph(optimize_from_sums(graph), rewrites, Recorded { nodes })
    }

    fn from_graph(graph: Graph, rewrites: Rewrites, recorded: Recorded) -> Result<Self, Error> {
        let Some(lowered) = lower(&graph) else {
            return Self::of_graph(graph, recorded);
        };
        let lowered = optimize(&lowered, rewrites);
        let code = schedule(&lowered, |_| true)?;
        let operations = lowered.operations();
        Ok(Self::new(graph, code, Some(Box::default()), operations, recorded))
    }

    /// The program whose code is the graph's own.
    fn of_graph(graph: Graph, recorded: Recorded) -> Result<Self, Error> {
        let code = schedule(&graph, |_| true)?;
        let operations = graph.operations();
        Ok(Self::new(graph, code, None, operations, recorded))
    }

    fn new(
        graph: Graph,
        code: Code,
        exact: Option<Box<OnceLock<Arc<Self>>>>,
        operations: usize,
        recorded: Recorded,
    ) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (slots, directions, sparse) = Default::default();
        Self { number, recorded, graph, code, exact, operations, slots, directions, sparse }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.graph.inputs()
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.graph.outputs.len()
    }

    /// The number of guards: comparisons that a replay checks.
    pub fn guards(&self) -> usize {
        self.graph.guards.len()
    }

    /// The number of operations that a replay computes.
    pub fn len(&self) -> usize {
        self.operations
    }

    /// Whether a replay computes nothing: every output is an input or a constant.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The output at `x`.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Outputs`] where there is not exactly one, and [`Error::Diverged`].
    pub fn value(&self, x: &[f64]) -> Result<f64, Error> {
        self.check_one_output("value", "call values")?;
        self.replay(x, |_, replay| replay.output(0))
    }

    /// The outputs at `x`.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Diverged`].
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        self.replay(x, |_, replay| replay.outputs().collect())
    }

    /// The output at `x` and its gradient: `x.len()` partial derivatives.
    ///
    /// # Errors
    /// As [`Program::value`].
    pub fn gradient(&self, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        self.check_one_output("gradient", "call jacobian")?;
        let (_, value, gradient) = self.with_gradient(x)?;
        Ok((value, gradient))
    }

    /// [`Program::gradient`] into room that the caller keeps: nothing is allocated, but by the workspace's first use; and,
    /// of a recorded derivative, by the first point at which something is not finite.
    ///
    /// # Errors
    /// As [`Program::value`]; also [`Error::Length`] where `gradient` is not as long as `x`. It is unchanged then.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[1], &[1.0, 1.0])?;
    /// let mut workspace = tape::Workspace::default();
    /// let mut gradient = [0.0; 2];
    /// for i in 0..100 {
    ///     let x = [f64::from(i), 2.0];
    ///     let value = program.gradient_into(&x, &mut workspace, &mut gradient)?;
    ///     assert_eq!((value, gradient), (2.0 * x[0], [2.0, x[0]]));
    /// }
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn gradient_into(
        &self,
        x: &[f64],
        workspace: &mut Workspace,
        gradient: &mut [f64],
    ) -> Result<f64, Error> {
        self.check_one_output("gradient", "call jacobian")?;
        check_length("the gradient", self.inputs(), gradient.len())?;
        self.replay_in(x, workspace, |_, replay| gradient_of(replay, gradient))
    }

    fn check_one_output(&self, call: &'static str, instead: &'static str) -> Result<(), Error> {
        match self.outputs() {
            1 => Ok(()),
            outputs => Err(Error::Outputs { call, outputs, instead }),
        }
    }

    /// The output at `x` and its gradient, and the program that computed them: this one, or the exact one.
    fn with_gradient(&self, x: &[f64]) -> Result<(&Self, f64, Vec<f64>), Error> {
        let mut gradient = vec![0.0; self.inputs()];
        let (program, value) =
            self.replay(x, |program, replay| (program, gradient_of(replay, &mut gradient)))?;
        Ok((program, value, gradient))
    }

    /// Computes all values at `x`, and hands them on with the program that they are of: this one, or the exact one.
    fn replay<'a, R>(
        &'a self,
        x: &[f64],
        use_values: impl FnOnce(&'a Self, &mut Replay<'_, f64>) -> R,
    ) -> Result<R, Error> {
        check_length("the point", self.inputs(), x.len())?;
        let mut use_values = Some(use_values);
        let mut of = |program: &'a Self| {
            program.slots.with(&program.code, |slots| {
                let mut replay = Replay::new(&program.code, slots);
                replay.at(x.iter().copied());
                match replay.broken() {
                    None => Ok(use_values.take().map(|take| take(program, &mut replay))),
                    Some(Broken::NotFinite) => Ok(None),
                    Some(Broken::Guard(guard, compared)) => Err(program.diverged(guard, compared)),
                }
            })
        };
        if let Some(result) = of(self)? {
            return Ok(result);
        }
        let result = of(self.exact())?;
        Ok(result.unwrap_or_else(|| unreachable!("what is exact holds for every number")))
    }

    /// [`Program::replay`] in a workspace's slots; of a recorded derivative that meets ∞ or NaN, in others.
    fn replay_in<R>(
        &self,
        x: &[f64],
        workspace: &mut Workspace,
        use_values: impl FnOnce(&Self, &mut Replay<'_, f64>) -> R,
    ) -> Result<R, Error> {
        check_length("the point", self.inputs(), x.len())?;
        workspace.enter(self.number);
        let slots = workspace.slots.get_or_insert_with(|| Slots::new(&self.code));
        let mut replay = Replay::new(&self.code, slots);
        replay.at(x.iter().copied());
        match replay.broken() {
            None => Ok(use_values(self, &mut replay)),
            Some(Broken::NotFinite) => {
                self.exact().replay(x, |exact, replay| use_values(exact, replay))
            }
            Some(Broken::Guard(guard, compared)) => Err(self.diverged(guard, compared)),
        }
    }

    /// The program for numbers that are not finite, made when it is first needed.
    #[cold]
    fn exact(&self) -> &Arc<Self> {
        let Some(exact) = &self.exact else { unreachable!("the code is the graph's own") };
        exact.get_or_init(|| {
            let exact = Self::of_graph(self.graph.clone(), self.recorded);
            Arc::new(exact.expect("a graph whose lowered form has a schedule has one too"))
        })
    }

    #[cold]
    fn diverged(&self, guard: usize, [a, b]: [f64; 2]) -> Error {
        Error::Diverged { guard, condition: self.condition(guard), a, b }
    }
}

/// A program of its own: it shares nothing with the first one that a replay would wait for.
impl Clone for Program {
    fn clone(&self) -> Self {
        let exact = self.exact.as_ref().map(|_| Box::default());
        Self::new(self.graph.clone(), self.code.clone(), exact, self.operations, self.recorded)
    }
}

/// The output and its gradient, after a replay.
fn gradient_of(replay: &mut Replay<'_, f64>, gradient: &mut [f64]) -> f64 {
    let value = replay.output(0);
    replay.sweep(&[(0, 1.0)], |input, derivative| gradient[input] = derivative);
    value
}
