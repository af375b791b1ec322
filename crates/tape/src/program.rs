//! Programs: a function traced once, made ready to run many times.

pub(crate) mod batch;
mod bytes;
mod code;
mod coloring;
pub(crate) mod function;
pub(crate) mod graph;
pub(crate) mod machine;
mod show;
mod sparse;
#[cfg(test)]
mod tests;

use core::fmt::{self, Debug};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::dual::Dual;
use crate::error::Error;
use crate::lanes::Lanes;
use crate::matrix::Matrix;
use crate::var::Var;

use crate::program::code::Code;
use crate::program::code::schedule::schedule;
use crate::program::graph::Graph;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::optimize;
pub use crate::program::graph::simplify::Rewrites;
pub use crate::program::graph::trace::Outputs;
use crate::program::graph::trace::{Extent, Trace, trace};
use crate::program::machine::optimistic::Optimistic;
use crate::program::machine::{Element, Slots, compute, sweep};
use crate::program::sparse::Sparse;

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
    kept: Kept<Plain>,
    kept_duals: Kept<Dual<Plain>>,
    sparse: Sparse,
}

/// What the trace was before the passes.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    nodes: usize,
}

/// The number of a scalar replay.
type Plain = Optimistic<f64>;

/// Room for the numbers of one replay: see [`Program::gradient_into`].
///
/// A workspace fits any program: it is made ready for one when it is first used with it.
#[derive(Default)]
pub struct Workspace {
    program: u64,
    slots: Option<Slots<Plain>>,
    duals: Option<Slots<Dual<Plain>>>,
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

/// Slots of finished replays, for the next ones.
struct Kept<E>(Mutex<Vec<Slots<E>>>);

impl<E> Default for Kept<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E: Element> Kept<E> {
    /// Runs `work` on slots for the code. After a panic they are dropped.
    fn with<R>(&self, code: &Code, work: impl FnOnce(&mut Slots<E>) -> R) -> R {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        let mut slots = kept.unwrap_or_else(|| Slots::new(code));
        let result = work(&mut slots);
        if let Ok(mut kept) = self.0.lock() {
            kept.push(slots);
        }
        result
    }
}

impl Program {
    /// Traces `f` at `x`: a function of variables that returns one [`Var`], an array of them, or a `Vec`.
    ///
    /// # Errors
    /// [`Error::Opaque`] where `f` uses a custom operation, [`Error::Foreign`] where it returns a variable of another
    /// tape, [`Error::TooLarge`] beyond 2³¹ operations.
    ///
    /// # Panics
    /// When `f` panics.
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
        let Trace { graph, nodes } = trace(f, x, Extent::Needed)?;
        Self::from_graph(optimize(&graph, rewrites), rewrites, Recorded { nodes })
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
        let (kept, kept_duals, sparse) = (Kept::default(), Kept::default(), Sparse::default());
        Self { number, recorded, graph, code, exact, operations, kept, kept_duals, sparse }
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
        self.assert_one_output("value", "call values")?;
        self.replay(x, |program, slots| program.output(slots, 0))
    }

    /// The outputs at `x`.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Diverged`].
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        self.replay(x, |program, slots| program.outputs_in(slots))
    }

    /// The output at `x` and its gradient: `x.len()` partial derivatives.
    ///
    /// # Errors
    /// As [`Program::value`].
    pub fn gradient(&self, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        self.assert_one_output("gradient", "call jacobian")?;
        let mut gradient = vec![0.0; self.inputs()];
        let value = self.replay(x, |program, slots| program.gradient_of(slots, &mut gradient))?;
        Ok((value, gradient))
    }

    /// [`Program::gradient`] into room that the caller keeps: nothing is allocated, but by the workspace's first use.
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
        self.assert_one_output("gradient", "call jacobian")?;
        assert_length("the gradient", self.inputs(), gradient.len())?;
        assert_length("the point", self.inputs(), x.len())?;
        workspace.enter(self.number);
        let slots = workspace.slots.get_or_insert_with(|| Slots::new(&self.code));
        self.compute_at(slots, x);
        match self.check(|slot| slots.values[slot as usize].0) {
            Check::Holds => Ok(self.gradient_of(slots, gradient)),
            Check::NotFinite(exact) => {
                exact.replay(x, |program, slots| program.gradient_of(slots, gradient))
            }
            Check::Broken(guard, compared) => Err(self.diverged(guard, compared)),
        }
    }

    /// The output and its gradient, after a replay.
    fn gradient_of(&self, slots: &mut Slots<Plain>, gradient: &mut [f64]) -> f64 {
        let value = self.output(slots, 0);
        self.derivatives(slots, 0, gradient);
        value
    }

    /// The outputs at `x`, and their Jacobian: a row for each output, a column for each input.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Diverged`].
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let (values, jacobian) = tape::Program::trace(polar, &[1.0, 1.0])?.jacobian(&[2.0, 0.0])?;
    /// assert_eq!(values, [2.0, 0.0]);
    /// assert_eq!(jacobian.data, [1.0, 0.0,
    ///                            0.0, 2.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian(&self, x: &[f64]) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        let (rows, columns) = (self.outputs(), self.inputs());
        let mut data = vec![0.0; rows * columns];
        let (program, values) = self.replay(x, |program, slots| {
            let values = program.outputs_in(slots);
            if columns >= rows && rows < LANES && columns > 0 {
                for (output, row) in data.chunks_exact_mut(columns).enumerate() {
                    program.derivatives(slots, output, row);
                }
            }
            (program, values)
        })?;
        if columns < rows {
            program.forward_jacobian(x, &mut data);
        } else if rows >= LANES {
            program.reverse_jacobian(x, &mut data);
        }
        Ok((values, Matrix { rows, columns, data }))
    }

    /// A sweep for every few outputs, after one replay.
    fn reverse_jacobian(&self, x: &[f64], data: &mut [f64]) {
        let columns = self.inputs();
        let mut slots: Slots<Optimistic<Lanes<LANES>>> = Slots::new(&self.code);
        for (slot, &x) in slots.values.iter_mut().zip(x) {
            *slot = Optimistic(Lanes::splat(x));
        }
        compute(&self.code, &mut slots.values, usize::MAX);
        for first in (0..self.outputs()).step_by(LANES) {
            let outputs = first..self.outputs().min(first + LANES);
            let seeds: Vec<_> =
                outputs.clone().map(|output| (output, Optimistic(unit(output - first)))).collect();
            sweep(&self.code, &mut slots, &seeds, |input, derivatives| {
                for (output, derivative) in outputs.clone().zip(derivatives.0.0) {
                    data[output * columns + input] = derivative;
                }
            });
        }
    }

    /// A replay on dual numbers for every few inputs.
    fn forward_jacobian(&self, x: &[f64], data: &mut [f64]) {
        let columns = self.inputs();
        let mut slots: Slots<DualLanes> = Slots::new(&self.code);
        for first in (0..columns).step_by(LANES) {
            let lanes = LANES.min(columns - first);
            let point = seeded(x, |input| input.checked_sub(first).filter(|&lane| lane < lanes));
            slots.values[..columns].copy_from_slice(&point);
            compute(&self.code, &mut slots.values, usize::MAX);
            let outputs = self.code.outputs.iter();
            let mut outputs: Vec<DualLanes> =
                outputs.map(|output| slots.values[output.value as usize]).collect();
            if !outputs.iter().all(|output| output.is_finite()) {
                outputs = self.outputs_by_the_rules(&point);
            }
            for (output, row) in outputs.iter().zip(data.chunks_exact_mut(columns)) {
                row[first..][..lanes].copy_from_slice(&output.tangent.0.0[..lanes]);
            }
        }
    }

    /// The outputs by the engine's rules for what is not finite.
    fn outputs_by_the_rules<E: Element>(&self, point: &[E]) -> Vec<E> {
        let point: Vec<E::Exact> = point.iter().map(|number| number.exact()).collect();
        let values = self.graph.evaluate(&point);
        self.graph.outputs.iter().map(|output| E::from_exact(values[output.index()])).collect()
    }

    /// The output at `x`, its gradient, and the product of its Hessian with `v`: a replay on dual numbers and a sweep.
    ///
    /// # Errors
    /// As [`Program::value`]; also [`Error::Length`] where `v` is not as long as `x`.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[0] * x[1], &[1.0, 1.0])?;
    /// let (_, _, product) = program.hessian_vector(&[3.0, 2.0], &[1.0, 1.0])?;
    /// assert_eq!(product, [10.0, 6.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_vector(&self, x: &[f64], v: &[f64]) -> Result<(f64, Vec<f64>, Vec<f64>), Error> {
        let (mut gradient, mut product) = (vec![0.0; self.inputs()], vec![0.0; self.inputs()]);
        let value = self.hessian_vector_kept(x, v, &mut gradient, &mut product)?;
        Ok((value, gradient, product))
    }

    /// [`Program::hessian_vector`] into room that the caller keeps: nothing is allocated, but by the workspace's first use.
    ///
    /// # Errors
    /// As [`Program::hessian_vector`]; also [`Error::Length`] where `gradient` or `product` is not as long as `x`.
    pub fn hessian_vector_into(
        &self,
        x: &[f64],
        v: &[f64],
        workspace: &mut Workspace,
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        workspace.enter(self.number);
        let slots = workspace.duals.get_or_insert_with(|| Slots::new(&self.code));
        self.hessian_vector_in(slots, x, v, gradient, product)
    }

    /// In slots that the program keeps.
    fn hessian_vector_kept(
        &self,
        x: &[f64],
        v: &[f64],
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        self.kept_duals
            .with(&self.code, |slots| self.hessian_vector_in(slots, x, v, gradient, product))
    }

    fn hessian_vector_in(
        &self,
        slots: &mut Slots<Dual<Plain>>,
        x: &[f64],
        v: &[f64],
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        self.assert_one_output("hessian_vector", "trace one output at a time")?;
        assert_length("the point", self.inputs(), x.len())?;
        assert_length("the direction", self.inputs(), v.len())?;
        assert_length("the gradient", self.inputs(), gradient.len())?;
        assert_length("the product", self.inputs(), product.len())?;
        for ((slot, &x), &v) in slots.values.iter_mut().zip(x).zip(v) {
            *slot = Dual::new(Optimistic(x), Optimistic(v));
        }
        compute(&self.code, &mut slots.values, usize::MAX);
        match self.check(|slot| slots.values[slot as usize].value.0) {
            Check::Holds => {}
            Check::NotFinite(exact) => return exact.hessian_vector_kept(x, v, gradient, product),
            Check::Broken(guard, compared) => return Err(self.diverged(guard, compared)),
        }
        let value = slots.values[self.code.outputs[0].value as usize].value.0;
        let one = Dual::constant(Optimistic(1.0));
        sweep(&self.code, slots, &[(0, one)], |input, derivative: Dual<Plain>| {
            gradient[input] = derivative.value.0;
            product[input] = derivative.tangent.0;
        });
        Ok(value)
    }

    /// The output at `x`, its gradient, and its Hessian: a symmetric matrix of `x.len()` rows and columns.
    ///
    /// It takes a replay on dual numbers and a sweep for every eight inputs. Where the Hessian is sparse,
    /// [`Program::sparse_hessian`] takes fewer.
    ///
    /// # Errors
    /// As [`Program::value`].
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[0] * x[1], &[1.0, 1.0])?;
    /// let (_, _, hessian) = program.hessian(&[3.0, 2.0])?;
    /// assert_eq!(hessian.data, [4.0, 6.0,
    ///                           6.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian(&self, x: &[f64]) -> Result<(f64, Vec<f64>, Matrix<f64>), Error> {
        let n = self.inputs();
        let (program, value, gradient) = self.with_gradient(x)?;
        let mut data = vec![0.0; n * n];
        let mut slots: Slots<DualLanes> = Slots::new(&program.code);
        for first in (0..n).step_by(LANES) {
            let lanes = LANES.min(n - first);
            let point = seeded(x, |input| input.checked_sub(first).filter(|&lane| lane < lanes));
            slots.values[..n].copy_from_slice(&point);
            compute(&program.code, &mut slots.values, usize::MAX);
            let one = Dual::from_f64(1.0);
            sweep(&program.code, &mut slots, &[(0, one)], |input, derivatives: DualLanes| {
                let tangents = derivatives.tangent.0.0;
                for (lane, &tangent) in tangents[..lanes].iter().enumerate() {
                    data[(first + lane) * n + input] = tangent;
                }
            });
        }
        Ok((value, gradient, Matrix { rows: n, columns: n, data }))
    }

    fn assert_one_output(&self, call: &'static str, instead: &'static str) -> Result<(), Error> {
        match self.outputs() {
            1 => Ok(()),
            outputs => Err(Error::Outputs { call, outputs, instead }),
        }
    }

    /// The output at `x` and its gradient, and the program that computed them: this one, or the exact one.
    fn with_gradient(&self, x: &[f64]) -> Result<(&Self, f64, Vec<f64>), Error> {
        self.assert_one_output("gradient", "call jacobian")?;
        let mut gradient = vec![0.0; self.inputs()];
        let (program, value) =
            self.replay(x, |program, slots| (program, program.gradient_of(slots, &mut gradient)))?;
        Ok((program, value, gradient))
    }

    /// Computes all values at `x`, and hands them on with the program that they are of: this one, or the exact one.
    fn replay<'a, R>(
        &'a self,
        x: &[f64],
        use_values: impl FnOnce(&'a Self, &mut Slots<Plain>) -> R,
    ) -> Result<R, Error> {
        assert_length("the point", self.inputs(), x.len())?;
        let mut use_values = Some(use_values);
        let mut of = |program: &'a Self| {
            program.kept.with(&program.code, |slots| {
                program.compute_at(slots, x);
                match program.check(|slot| slots.values[slot as usize].0) {
                    Check::Holds => Ok(use_values.take().map(|take| take(program, slots))),
                    Check::NotFinite(_) => Ok(None),
                    Check::Broken(guard, compared) => Err(program.diverged(guard, compared)),
                }
            })
        };
        if let Some(result) = of(self)? {
            return Ok(result);
        }
        let result = of(self.exact())?;
        Ok(result.unwrap_or_else(|| unreachable!("what is exact holds for every number")))
    }

    /// Computes all values at a point of the right length, whether the guards hold or not.
    fn compute_at(&self, slots: &mut Slots<Plain>, x: &[f64]) {
        for (slot, &x) in slots.values.iter_mut().zip(x) {
            *slot = Optimistic(x);
        }
        compute(&self.code, &mut slots.values, usize::MAX);
    }

    /// Whether the values are those of the function.
    fn check(&self, value: impl Fn(u32) -> f64) -> Check<'_> {
        if self.code.finite.iter().any(|&slot| !value(slot).is_finite()) {
            return Check::NotFinite(self.exact());
        }
        let mut compared = self.code.guards.iter().map(|guard| guard.operands.map(&value));
        let broken = |(guard, [a, b]): &(usize, [f64; 2])| !self.code.guards[*guard].holds(*a, *b);
        match compared.by_ref().enumerate().find(broken) {
            None => Check::Holds,
            Some((guard, compared)) => Check::Broken(guard, compared),
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

    fn outputs_in(&self, slots: &Slots<Plain>) -> Vec<f64> {
        (0..self.outputs()).map(|output| self.output(slots, output)).collect()
    }

    fn output(&self, slots: &Slots<Plain>, output: usize) -> f64 {
        slots.values[self.code.outputs[output].value as usize].0
    }

    /// The derivatives of an output with respect to the inputs, after a replay.
    fn derivatives(&self, slots: &mut Slots<Plain>, output: usize, derivatives: &mut [f64]) {
        sweep(&self.code, slots, &[(output, Optimistic(1.0))], |input, derivative| {
            derivatives[input] = derivative.0;
        });
    }
}

/// Whether the values of a replay are those of the function.
enum Check<'a> {
    Holds,
    /// They need not be: something is not finite, and this program computes them by the rules for that.
    NotFinite(&'a Arc<Program>),
    /// They are not: the guard, and what it compares.
    Broken(usize, [f64; 2]),
}

/// How many directions, or outputs, one sweep takes.
const LANES: usize = 8;

/// A number with its derivatives in several directions.
type DualLanes = Dual<Optimistic<Lanes<LANES>>>;

/// The point, each input with tangent 1 in its lane, if it has one.
fn seeded(x: &[f64], lane: impl Fn(usize) -> Option<usize>) -> Vec<DualLanes> {
    let dual = |(input, &x): (usize, &f64)| {
        let tangent = lane(input).map_or(Lanes::splat(0.0), unit);
        Dual::new(Optimistic(Lanes::splat(x)), Optimistic(tangent))
    };
    x.iter().enumerate().map(dual).collect()
}

/// 1 in one lane, 0 in the others.
fn unit(lane: usize) -> Lanes<LANES> {
    Lanes(core::array::from_fn(|other| if other == lane { 1.0 } else { 0.0 }))
}

fn assert_length(what: &'static str, expected: usize, given: usize) -> Result<(), Error> {
    if given == expected { Ok(()) } else { Err(Error::Length { what, expected, given }) }
}
