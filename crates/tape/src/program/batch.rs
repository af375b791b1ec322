//! A loss per row of data, its parameters shared by all rows: the program of a row, run on many rows at once.

use core::fmt::{self, Debug};
use core::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::Error;
use crate::guard::Guard;
use crate::lanes::Lanes;
use crate::matrix::Matrix;
use crate::program::code::schedule::{schedule, schedule_rows};
use crate::program::code::{Code, NONE};
use crate::program::function::Known;
use crate::program::graph::Graph;
use crate::program::graph::hoist::hoist;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::{optimize_from_sums, optimize_until_sums};
use crate::program::graph::simplify::Rewrites;
use crate::program::graph::trace::{Extent, Outputs, trace};
use crate::program::machine::optimistic::Optimistic;
use crate::program::machine::{Mode, Slots, compute, propagate, sweep};
use crate::program::{Kept, Plain, Program, assert_length};
use crate::real::Real;
use crate::var::Var;

/// Rows of data: anything that has a slice of numbers for each row.
///
/// Arrays and vectors of arrays, of vectors and of slices are, and a [`Matrix`]; a plain slice of numbers is taken row
/// by row.
pub trait Rows {
    /// The number of rows, when each has `width` numbers.
    ///
    /// # Errors
    /// [`Error::Length`] when the numbers do not make whole rows.
    fn count(&self, width: usize) -> Result<usize, Error>;

    /// The numbers of a row.
    fn row(&self, index: usize, width: usize) -> &[f64];

    /// The numbers of `count` rows from `first` on, one row after the other, if that is how they lie in memory.
    fn block(&self, _first: usize, _count: usize, _width: usize) -> Option<&[f64]> {
        None
    }
}

impl Rows for [f64] {
    fn count(&self, width: usize) -> Result<usize, Error> {
        let whole = self.len().checked_div(width).unwrap_or(0);
        assert_length("the rows", whole * width, self.len())?;
        Ok(whole)
    }

    #[inline]
    fn row(&self, index: usize, width: usize) -> &[f64] {
        &self[index * width..][..width]
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        Some(&self[first * width..][..count * width])
    }
}

impl Rows for Matrix<f64> {
    fn count(&self, width: usize) -> Result<usize, Error> {
        assert_length("a row", width, self.columns)?;
        Ok(self.rows)
    }

    fn row(&self, index: usize, _: usize) -> &[f64] {
        self.row(index)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        self.data.block(first, count, width)
    }
}

macro_rules! rows_of_slices {
    ($([$($generics:tt)*] $Row:ty $(, $as_block:expr)?;)*) => {$(
        impl<$($generics)*> Rows for [$Row] {
            fn count(&self, width: usize) -> Result<usize, Error> {
                self.iter().try_for_each(|row| assert_length("a row", width, row.len()))?;
                Ok(self.len())
            }

            fn row(&self, index: usize, _: usize) -> &[f64] {
                &self[index]
            }

            $(fn block(&self, first: usize, count: usize, _: usize) -> Option<&[f64]> {
                let as_block: fn(&[$Row]) -> &[f64] = $as_block;
                Some(as_block(&self[first..][..count]))
            })?
        }
    )*};
}
rows_of_slices! {
    [const N: usize] [f64; N], <[[f64; N]]>::as_flattened;
    [] Vec<f64>;
    ['a] &'a [f64];
}

impl<R: Rows + ?Sized> Rows for &R {
    fn count(&self, width: usize) -> Result<usize, Error> {
        (**self).count(width)
    }

    fn row(&self, index: usize, width: usize) -> &[f64] {
        (**self).row(index, width)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        (**self).block(first, count, width)
    }
}

impl<T> Rows for Vec<T>
where
    [T]: Rows,
{
    fn count(&self, width: usize) -> Result<usize, Error> {
        self.as_slice().count(width)
    }

    fn row(&self, index: usize, width: usize) -> &[f64] {
        self.as_slice().row(index, width)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        self.as_slice().block(first, count, width)
    }
}

impl<T, const N: usize> Rows for [T; N]
where
    [T]: Rows,
{
    fn count(&self, width: usize) -> Result<usize, Error> {
        self.as_slice().count(width)
    }

    fn row(&self, index: usize, width: usize) -> &[f64] {
        self.as_slice().row(index, width)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        self.as_slice().block(first, count, width)
    }
}

/// A function of shared inputs and of a row of data, traced once and run on many rows together.
///
/// What depends on the shared inputs only is computed once, and its adjoints, added up over the rows, are swept once. The
/// rest runs on many rows at a time, as many as keep the numbers in the processor's cache, with vector instructions that
/// are chosen at run time; its functions (`exp`, `ln`, …) are vector functions, within 2 units in the last place of the
/// true value. Derivatives with respect to the rows are not computed.
///
/// Rows that take another path through the function than the traced one are traced anew and run together with their
/// like. (A row for which the last digit of a vector function decides a comparison is computed by itself.)
///
/// With the feature `rayon`, rows are shared among threads. The result does not depend on how many there are.
///
/// ```
/// // Σ (a·x + b − y)² over the rows (x, y).
/// let squares = |shared: &[tape::Var], row: &[tape::Var]| {
///     let residual = shared[0] * row[0] + shared[1] - row[1];
///     residual * residual
/// };
/// let rows = [[0.0, 1.5], [1.0, 2.0], [2.0, 6.0]];
/// let batch = tape::Batch::trace(squares, &[2.0, 1.0], &rows[0])?;
/// let (loss, gradient) = batch.gradient(&[2.0, 1.0], &rows)?;
/// assert_eq!((loss, gradient), (2.25, vec![-2.0, -1.0]));
/// # Ok::<(), tape::Error>(())
/// ```
pub struct Batch<F> {
    f: F,
    rewrites: Rewrites,
    shared: usize,
    width: usize,
    outputs: usize,
    paths: Mutex<Vec<Arc<Path>>>,
    /// The paths of rows that take another one with vector functions than with `std`'s, which traced it: a comparison
    /// there is so close that the last digit decides it. These rows are computed one by one, as the trace was.
    odd: Known,
}

/// What [`Batch::by_path`] has computed.
enum Task<'a> {
    /// The rows that are pending, or all; those that do not take the path are left.
    Rows(&'a Path, Option<Vec<usize>>),
    /// One row, by a program of the shared inputs and the row.
    Row(&'a Program, usize, &'a [f64]),
}

impl<F> Debug for Batch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.known_paths();
        f.debug_struct("Batch")
            .field("shared", &self.shared)
            .field("row", &self.width)
            .field("paths", &paths.len())
            .field("rows at a time", &paths.first().map(|path| path.lanes))
            .finish_non_exhaustive()
    }
}

/// The number of a row.
type Row = Optimistic<Lanes<1>>;

/// A path through the function, as the code of its two parts.
struct Path {
    shared: Code,
    row: Code,
    /// How many numbers go from the shared part to the rows.
    crossing: usize,
    /// How many rows are computed together. When it is 1, a row is long, and it is its own like operations that are.
    lanes: usize,
    /// How many rows make a task for one thread.
    task: usize,
    kept: Kept<Plain>,
    kept_rows: Kept<Row>,
    /// The path's graph, and the path that keeps its rules for what is not finite, where this one does not.
    exact: Option<(Graph, OnceLock<Arc<Path>>)>,
}

/// Computes a task of a batch of so many rows, and returns the rows that are left; `None` for all.
type Run<'a> = dyn FnMut(Task<'_>, usize) -> Result<Option<Vec<usize>>, Error> + 'a;

/// The paths that are kept: beyond these, a path is traced for the call that needs it, and forgotten.
const MOST_PATHS: usize = 64;

impl<F, R> Batch<F>
where
    F: Fn(&[Var], &[Var]) -> R,
    R: Outputs,
{
    /// Traces `f` for shared inputs and one row.
    ///
    /// # Errors
    /// As [`Program::trace`](crate::Program::trace).
    ///
    /// # Panics
    /// When `f` panics.
    #[track_caller]
    pub fn trace(f: F, shared: &[f64], row: &[f64]) -> Result<Self, Error> {
        Self::trace_with(Rewrites::Exact, f, shared, row)
    }

    /// [`Batch::trace`] with a choice of the algebraic rewrites.
    ///
    /// # Errors
    /// As [`Batch::trace`].
    ///
    /// # Panics
    /// When `f` panics.
    #[track_caller]
    pub fn trace_with(
        rewrites: Rewrites,
        f: F,
        shared: &[f64],
        row: &[f64],
    ) -> Result<Self, Error> {
        let path = Path::trace(rewrites, &f, shared, row)?;
        let outputs = path.row.outputs.len();
        let paths = Mutex::new(vec![Arc::new(path)]);
        let (shared, width, odd) = (shared.len(), row.len(), Known::default());
        Ok(Self { f, rewrites, shared, width, outputs, paths, odd })
    }

    /// The sum of the output over all rows, and its gradient with respect to the shared inputs.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Outputs`] where there is not exactly one output, and what tracing another path gives.
    pub fn gradient(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
    ) -> Result<(f64, Vec<f64>), Error> {
        if self.outputs != 1 {
            let (call, instead) = ("Batch::gradient", "return one number, or call map");
            return Err(Error::Outputs { call, outputs: self.outputs, instead });
        }
        let mut value = 0.0;
        let mut gradient = vec![0.0; shared.len()];
        self.by_path(shared, &rows, |task, all| {
            let (path, pending) = match task {
                Task::Rows(path, pending) => (path, pending),
                Task::Row(program, _, x) => {
                    let (of_row, gradient_of_row) = program.gradient(x)?;
                    value += of_row;
                    gradient.iter_mut().zip(gradient_of_row).for_each(|(sum, part)| *sum += part);
                    return Ok(None);
                }
            };
            Ok(path.kept.with(&path.shared, |slots| {
                if !path.prepare(slots, shared) {
                    return pending;
                }
                let (sum, adjoints, left) =
                    path.sum(slots, &rows, self.width, pending.as_deref(), all);
                value += sum;
                let seeds: Vec<(usize, Plain)> = adjoints
                    .iter()
                    .enumerate()
                    .map(|(output, &seed)| (output, Optimistic(seed)))
                    .collect();
                sweep(&path.shared, slots, &seeds, |input, derivative: Plain| {
                    gradient[input] += derivative.0;
                });
                Some(left)
            }))
        })?;
        Ok((value, gradient))
    }

    /// The outputs of every row: a matrix with a row for each.
    ///
    /// The outputs may be derivatives: a function that differentiates another by its row, inside `f`, is traced like any
    /// other. So a gradient, a Jacobian or a Hessian of every row is a map too; [`Rewrites::Relaxed`] then leaves out the
    /// zeros that its sweep began with.
    ///
    /// # Errors
    /// [`Error::Length`], and what tracing another path gives.
    ///
    /// ```
    /// let line = |shared: &[tape::Var], row: &[tape::Var]| shared[0] * row[0] + shared[1];
    /// let batch = tape::Batch::trace(line, &[0.0, 0.0], &[0.0])?;
    /// assert_eq!(batch.map(&[2.0, 1.0], &[0.0, 1.0, 2.0])?.data, [1.0, 3.0, 5.0]);
    ///
    /// // The gradient of x·y² in every row (x, y).
    /// let gradient = |_: &[tape::Var], row: &[tape::Var]| tape::gradient(|r| r[0] * r[1] * r[1], row).1;
    /// let batch = tape::Batch::trace(gradient, &[], &[1.0, 1.0])?;
    /// assert_eq!(batch.map(&[], &[[2.0, 3.0], [5.0, 1.0]])?.data, [9.0, 12.0,
    ///                                                              1.0, 10.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn map(&self, shared: &[f64], rows: impl Rows + Sync) -> Result<Matrix<f64>, Error> {
        let count = rows.count(self.width)?;
        let mut data = vec![0.0; count * self.outputs];
        self.map_into(shared, rows, &mut data)?;
        Ok(Matrix { rows: count, columns: self.outputs, data })
    }

    /// [`Batch::map`] into room that the caller keeps: the outputs of the first row, of the second, and so on.
    ///
    /// # Errors
    /// As [`Batch::map`]; also [`Error::Length`] where `outputs` has not room for exactly all of them.
    pub fn map_into(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
        outputs: &mut [f64],
    ) -> Result<(), Error> {
        let count = rows.count(self.width)?;
        assert_length("the outputs", count * self.outputs, outputs.len())?;
        self.by_path(shared, &rows, |task, all| {
            let (path, pending) = match task {
                Task::Rows(path, pending) => (path, pending),
                Task::Row(program, row, x) => {
                    let of_row = &mut outputs[row * self.outputs..][..self.outputs];
                    of_row.copy_from_slice(&program.values(x)?);
                    return Ok(None);
                }
            };
            Ok(path.kept.with(&path.shared, |slots| {
                if !path.prepare(slots, shared) {
                    return pending;
                }
                Some(path.map(slots, &rows, self.width, pending.as_deref(), all, outputs))
            }))
        })
    }

    /// Offers the rows to one path after the other, each what the ones before have left.
    fn by_path(
        &self,
        shared: &[f64],
        rows: &impl Rows,
        mut run: impl FnMut(Task<'_>, usize) -> Result<Option<Vec<usize>>, Error>,
    ) -> Result<(), Error> {
        assert_length("the shared inputs", self.shared, shared.len())?;
        let all = rows.count(self.width)?;
        let mut pending: Option<Vec<usize>> = None;
        // What is not finite is left by a path as well, and goes to the path that has rules for it.
        let run_path = |run: &mut Run<'_>, path: &Path, pending: Option<Vec<usize>>| {
            let left = run(Task::Rows(path, pending), all)?;
            match path.exact() {
                Some(exact) if left.as_ref().is_none_or(|left| !left.is_empty()) => {
                    run(Task::Rows(exact, left), all)
                }
                _ => Ok(left),
            }
        };
        for path in self.known_paths() {
            pending = run_path(&mut run, &path, pending)?;
            if pending.as_ref().is_some_and(Vec::is_empty) {
                return Ok(());
            }
        }
        let mut pending = pending.unwrap_or_else(|| (0..all).collect());
        let point = |row: usize| [shared, rows.row(row, self.width)].concat();
        if !self.odd.paths().is_empty() {
            let mut left = Vec::new();
            for row in pending {
                let x = point(row);
                let alone =
                    self.odd.known_at(&x, |program, _| run(Task::Row(program, row, &x), all));
                match alone {
                    Some(result) => drop(result?),
                    None => left.push(row),
                }
            }
            pending = left;
        }
        while let Some(&first) = pending.first() {
            let path =
                Arc::new(Path::trace(self.rewrites, &self.f, shared, rows.row(first, self.width))?);
            let before = pending.len();
            let mut left = run_path(&mut run, &path, Some(pending))?.unwrap_or_default();
            if left.len() < before
                && let Ok(mut paths) = self.paths.lock()
                && paths.len() < MOST_PATHS
            {
                paths.push(path);
            }
            if left.first() == Some(&first) {
                let x = point(first);
                let trace =
                    || Program::trace(|x| (self.f)(&x[..shared.len()], &x[shared.len()..]), &x);
                let alone =
                    self.odd.at(&x, trace, |program, _| run(Task::Row(program, first, &x), all));
                alone.map_err(|error| match error {
                    Error::Unsteady { .. } => Error::Unsteady { row: Some(first) },
                    error => error,
                })?;
                left.remove(0);
            }
            pending = left;
        }
        Ok(())
    }
}

impl<F> Batch<F> {
    /// The number of paths through the function that are known, each traced once. At most 64 are kept.
    pub fn paths(&self) -> usize {
        self.known_paths().len()
    }

    fn known_paths(&self) -> Vec<Arc<Path>> {
        self.paths.lock().map(|paths| paths.clone()).unwrap_or_default()
    }
}

/// The rows that are to be computed: all, or those that are pending.
struct Chosen<'a, R> {
    rows: &'a R,
    width: usize,
    pending: Option<&'a [usize]>,
}

impl<R: Rows> Chosen<'_, R> {
    /// The index of the row at a position.
    fn index(&self, position: usize) -> usize {
        self.pending.map_or(position, |pending| pending[position])
    }

    fn row(&self, position: usize) -> &[f64] {
        self.rows.row(self.index(position), self.width)
    }

    /// The numbers of the rows at these positions, where they lie in one piece.
    fn block(&self, positions: Range<usize>) -> Option<&[f64]> {
        if self.pending.is_some() {
            return None;
        }
        self.rows.block(positions.start, positions.len(), self.width)
    }
}

/// Which rows a chunk has, in the order of its lanes.
enum Taken<'a> {
    Consecutive(Range<usize>),
    Listed(&'a [usize]),
}

impl Taken<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Consecutive(indices) => indices.len(),
            Self::Listed(indices) => indices.len(),
        }
    }
}

/// What one task gives.
struct Sum {
    value: f64,
    adjoints: Vec<f64>,
    left: Vec<usize>,
}

impl Path {
    fn trace<R: Outputs>(
        rewrites: Rewrites,
        f: impl Fn(&[Var], &[Var]) -> R,
        shared: &[f64],
        row: &[f64],
    ) -> Result<Self, Error> {
        let point = [shared, row].concat();
        let f = |x: &[Var]| f(&x[..shared.len()], &x[shared.len()..]);
        let graph = trace(f, &point, Extent::Needed)?.graph;
        let graph = optimize_until_sums(&graph, rewrites);
        let Some(lowered) = lower(&graph) else {
            return Self::of_graph(&graph, shared.len());
        };
        let lowered = optimize_until_sums(&lowered, rewrites);
        let exact = Some((graph, OnceLock::new()));
        Ok(Self { exact, ..Self::of_graph(&lowered, shared.len())? })
    }

    /// The path for numbers that are not finite, made when it is first needed. `None` where this one serves them too.
    fn exact(&self) -> Option<&Path> {
        let (graph, exact) = self.exact.as_ref()?;
        let make = || {
            let exact = Self::of_graph(graph, self.shared.inputs);
            Arc::new(exact.expect("a graph whose lowered form has a schedule has one too"))
        };
        Some(exact.get_or_init(make))
    }

    fn of_graph(graph: &Graph, shared: usize) -> Result<Self, Error> {
        let hoisted = hoist(graph, shared);
        let (shared, row) = (optimize_from_sums(&hoisted.shared), optimize_from_sums(&hoisted.row));
        let crossing = shared.outputs.len();
        let narrow = schedule_rows(&row, crossing, 1)?;
        // What all rows share is there once.
        let of_a_row = narrow.values - crossing - narrow.constants.len()
            + narrow.adjoints.saturating_sub(crossing);
        let lanes = lanes_for(of_a_row);
        let code = if lanes > 1 {
            schedule_rows(&row, crossing, lanes as u32)?
        } else {
            schedule(&row, |input| input < crossing)?
        };
        Ok(Self {
            shared: schedule(&shared, |_| true)?,
            row: code,
            crossing,
            lanes,
            task: rows_of_a_task(lanes, row.len()),
            kept: Kept::default(),
            kept_rows: Kept::default(),
            exact: None,
        })
    }

    /// Computes the shared part. False where one of its guards does not hold.
    fn prepare(&self, slots: &mut Slots<Plain>, shared: &[f64]) -> bool {
        for (slot, &x) in slots.values.iter_mut().zip(shared) {
            *slot = Optimistic(x);
        }
        compute(&self.shared, &mut slots.values, usize::MAX);
        let is_finite = |slot: &u32| slots.values[*slot as usize].0.is_finite();
        self.shared.finite.iter().all(is_finite)
            && self.shared.guards.iter().all(|guard| {
                let [a, b] = guard.operands.map(|slot| slots.values[slot as usize].0);
                guard.holds(a, b)
            })
    }

    /// Sums over the rows in `pending` (`None`: all), task by task. Tasks are always the same, and their sums are added in
    /// order, so that the result does not depend on who computes them.
    fn sum(
        &self,
        shared: &Slots<Plain>,
        rows: &(impl Rows + Sync),
        width: usize,
        pending: Option<&[usize]>,
        all: usize,
    ) -> (f64, Vec<f64>, Vec<usize>) {
        let count = pending.map_or(all, <[usize]>::len);
        let tasks: Vec<Range<usize>> = (0..count)
            .step_by(self.task)
            .map(|start| start..count.min(start + self.task))
            .collect();
        let crossing: Vec<f64> = self
            .shared
            .outputs
            .iter()
            .map(|output| shared.values[output.value as usize].0)
            .collect();
        let chosen = Chosen { rows, width, pending };
        let run = |task: &Range<usize>| {
            self.kept_rows
                .with(&self.row, |slots| self.run_task(slots, &crossing, &chosen, task.clone()))
        };
        let (mut value, mut adjoints, mut left) = (0.0, vec![0.0; self.crossing], Vec::new());
        for wave in tasks.chunks(TASKS_AT_A_TIME) {
            for sum in each_task(wave, &run) {
                value += sum.value;
                for (adjoint, part) in adjoints.iter_mut().zip(sum.adjoints) {
                    *adjoint += part;
                }
                left.extend(sum.left);
            }
        }
        (value, adjoints, left)
    }

    fn run_task(
        &self,
        slots: &mut Slots<Row>,
        crossing: &[f64],
        chosen: &Chosen<'_, impl Rows>,
        task: Range<usize>,
    ) -> Sum {
        let mut sum = Sum { value: 0.0, adjoints: Vec::new(), left: Vec::new() };
        Self::enter(slots, crossing);
        let mut rest = |slots: &mut Slots<Row>, mode: Mode| {
            (sum.value, sum.left) = (0.0, Vec::new());
            self.chunks(slots, chosen, task.clone(), &mut sum.left, |slots, taken| {
                let count = taken.len();
                let output = self.row.outputs[0];
                let is_row = self.is_row(output.value);
                for lane in 0..count {
                    sum.value +=
                        slots.values[output.value as usize + if is_row { lane } else { 0 }].0.0[0];
                    if output.adjoint != NONE {
                        slots.adjoints[output.adjoint as usize + if is_row { lane } else { 0 }] +=
                            Row::from_f64(1.0);
                    }
                }
                propagate(&self.row, slots, self.limit(count), mode);
            });
            sum.value
        };
        let value = rest(slots, Mode::Optimistic);
        let adjoints = |slots: &mut Slots<Row>| -> Vec<f64> {
            let taken = slots.adjoints[..self.crossing].iter_mut();
            let taken =
                taken.map(|slot| core::mem::replace(slot, Row::from_f64(0.0)).0.0[0]).collect();
            if let Some(sink) = slots.adjoints.last_mut() {
                *sink = Row::from_f64(0.0);
            }
            taken
        };
        sum.adjoints = adjoints(slots);
        if !value.is_finite() || sum.adjoints.iter().any(|adjoint| !adjoint.is_finite()) {
            rest(slots, Mode::Careful);
            sum.adjoints = adjoints(slots);
        }
        sum
    }

    fn map(
        &self,
        shared: &Slots<Plain>,
        rows: &impl Rows,
        width: usize,
        pending: Option<&[usize]>,
        all: usize,
        data: &mut [f64],
    ) -> Vec<usize> {
        let crossing: Vec<f64> = self
            .shared
            .outputs
            .iter()
            .map(|output| shared.values[output.value as usize].0)
            .collect();
        let outputs: Vec<(usize, bool)> = self
            .row
            .outputs
            .iter()
            .map(|output| (output.value as usize, self.is_row(output.value)))
            .collect();
        let mut left = Vec::new();
        self.kept_rows.with(&self.row, |slots| {
            Self::enter(slots, &crossing);
            let count = pending.map_or(all, <[usize]>::len);
            let chosen = Chosen { rows, width, pending };
            self.chunks(slots, &chosen, 0..count, &mut left, |slots, taken| match taken {
                Taken::Consecutive(indices) => {
                    let range = indices.start * outputs.len()..indices.end * outputs.len();
                    let rows = data[range].chunks_exact_mut(outputs.len().max(1));
                    for (lane, row) in rows.enumerate() {
                        for (to, &(slot, is_row)) in row.iter_mut().zip(&outputs) {
                            *to = slots.values[slot + if is_row { lane } else { 0 }].0.0[0];
                        }
                    }
                }
                Taken::Listed(indices) => {
                    for (lane, &index) in indices.iter().enumerate() {
                        let row = &mut data[index * outputs.len()..][..outputs.len()];
                        for (to, &(slot, is_row)) in row.iter_mut().zip(&outputs) {
                            *to = slots.values[slot + if is_row { lane } else { 0 }].0.0[0];
                        }
                    }
                }
            });
        });
        left
    }

    /// Puts the shared numbers where the rows find them.
    fn enter(slots: &mut Slots<Row>, crossing: &[f64]) {
        for (slot, &x) in slots.values.iter_mut().zip(crossing) {
            *slot = Optimistic(Lanes([x]));
        }
    }

    /// Computes the rows at these positions, as many as there are lanes at a time, and hands on each chunk: which rows it
    /// has. Rows whose guards do not hold are left.
    fn chunks(
        &self,
        slots: &mut Slots<Row>,
        chosen: &Chosen<'_, impl Rows>,
        positions: Range<usize>,
        left: &mut Vec<usize>,
        mut each: impl FnMut(&mut Slots<Row>, Taken<'_>),
    ) {
        let mut holding: Vec<usize> = Vec::new();
        let mut indices: Vec<usize> = Vec::new();
        for start in positions.clone().step_by(self.lanes) {
            let chunk = start..positions.end.min(start + self.lanes);
            match chosen.block(chunk.clone()) {
                Some(block) => self.load_block(slots, block, chosen.width, chunk.len()),
                None => chunk.clone().enumerate().for_each(|(lane, position)| {
                    self.load(slots, lane, chosen.row(position));
                }),
            }
            compute(&self.row, &mut slots.values, self.limit(chunk.len()));
            holding.clear();
            let all_hold =
                self.all_finite(slots, chunk.len()) && self.all_guards_hold(slots, chunk.len());
            if !all_hold {
                let holds =
                    |&lane: &usize| self.is_finite(slots, lane) && self.guards_hold(slots, lane);
                holding.extend((0..chunk.len()).filter(holds));
            }
            if all_hold {
                match chosen.pending {
                    None => each(slots, Taken::Consecutive(chunk)),
                    Some(pending) => each(slots, Taken::Listed(&pending[chunk])),
                }
                continue;
            }
            let lost = (0..chunk.len()).filter(|lane| !holding.contains(lane));
            left.extend(lost.map(|lane| chosen.index(start + lane)));
            if holding.is_empty() {
                continue;
            }
            indices.clear();
            for (lane, &from) in holding.iter().enumerate() {
                self.load(slots, lane, chosen.row(start + from));
                indices.push(chosen.index(start + from));
            }
            compute(&self.row, &mut slots.values, self.limit(indices.len()));
            each(slots, Taken::Listed(&indices));
        }
    }

    /// How many instances of a step are to be computed for this many rows.
    fn limit(&self, rows: usize) -> usize {
        if self.lanes > 1 { rows } else { usize::MAX }
    }

    /// Puts a row into its lane: a slot of each column.
    fn load(&self, slots: &mut Slots<Row>, lane: usize, row: &[f64]) {
        let columns = slots.values[self.crossing..].chunks_exact_mut(self.lanes);
        for (column, &x) in columns.zip(row) {
            column[lane] = Optimistic(Lanes([x]));
        }
    }

    /// [`Path::load`] of neighbouring rows, which become columns a few at a time: so many that what is not in line stays
    /// in the cache.
    fn load_block(&self, slots: &mut Slots<Row>, block: &[f64], width: usize, count: usize) {
        const ROWS: usize = 8;
        for first in (0..count).step_by(ROWS) {
            let rows = ROWS.min(count - first);
            let columns = slots.values[self.crossing..].chunks_exact_mut(self.lanes);
            for (position, column) in columns.take(width).enumerate() {
                let from = block[first * width + position..].iter().step_by(width);
                for (slot, &x) in column[first..][..rows].iter_mut().zip(from) {
                    *slot = Optimistic(Lanes([x]));
                }
            }
        }
    }

    fn guards_hold(&self, slots: &Slots<Row>, lane: usize) -> bool {
        self.row.guards.iter().all(|guard| self.guard_holds(slots, guard, lane))
    }

    /// The same of the first `count` lanes: guard by guard, so that each is looked at once.
    fn all_guards_hold(&self, slots: &Slots<Row>, count: usize) -> bool {
        let holds = |guard| (0..count).all(|lane| self.guard_holds(slots, guard, lane));
        self.row.guards.iter().all(holds)
    }

    #[inline]
    fn guard_holds(&self, slots: &Slots<Row>, guard: &Guard<u32>, lane: usize) -> bool {
        let [a, b] = guard.operands.map(|slot| {
            slots.values[slot as usize + if self.is_row(slot) { lane } else { 0 }].0.0[0]
        });
        guard.holds(a, b)
    }

    /// Whether all numbers are finite that the code takes to be so, in the first `count` lanes.
    fn all_finite(&self, slots: &Slots<Row>, count: usize) -> bool {
        self.row.finite.iter().all(|&slot| {
            let count = if self.is_row(slot) { count } else { 1 };
            let numbers = &slots.values[slot as usize..][..count];
            // x·0 is NaN where x is not finite. A sum is one comparison at the end; in several ways, a loop of vectors.
            let mut sums = [0.0; 8];
            let (chunks, rest) = numbers.as_chunks::<8>();
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x.0.0[0] * 0.0;
                }
            }
            sums.iter().sum::<f64>() == 0.0 && rest.iter().all(|x| x.0.0[0].is_finite())
        })
    }

    /// The same of one lane.
    fn is_finite(&self, slots: &Slots<Row>, lane: usize) -> bool {
        self.row.finite.iter().all(|&slot| {
            let lane = if self.is_row(slot) { lane } else { 0 };
            slots.values[slot as usize + lane].0.0[0].is_finite()
        })
    }

    /// Whether a value slot is the first of a row's many.
    fn is_row(&self, slot: u32) -> bool {
        let constants = self.row.inputs..self.row.inputs + self.row.constants.len();
        slot as usize >= self.crossing && !constants.contains(&(slot as usize))
    }
}

/// As many lanes as keep a row's numbers in the second-level cache; a power of two. 1 where a row by itself has so many
/// that many rows would leave even the third level.
fn lanes_for(slots: usize) -> usize {
    /// Bytes: what processors have had for years, or more.
    const CACHE: usize = 512 << 10;
    const FEWEST: usize = 32;
    let fitting = CACHE / (slots.max(1) * size_of::<Row>());
    if fitting == 0 { 1 } else { 1 << fitting.clamp(FEWEST, 256).ilog2() }
}

/// Enough work that handing it to a thread does not matter.
fn rows_of_a_task(lanes: usize, operations: usize) -> usize {
    const OPERATIONS: usize = 100_000;
    (OPERATIONS / operations.max(1)).next_multiple_of(lanes).max(lanes)
}

/// The sums of this many tasks are held at a time.
const TASKS_AT_A_TIME: usize = 256;

#[cfg(feature = "rayon")]
fn each_task(tasks: &[Range<usize>], run: &(impl Fn(&Range<usize>) -> Sum + Sync)) -> Vec<Sum> {
    use rayon::prelude::*;
    tasks.par_iter().map(run).collect()
}

#[cfg(not(feature = "rayon"))]
fn each_task(tasks: &[Range<usize>], run: &impl Fn(&Range<usize>) -> Sum) -> Vec<Sum> {
    tasks.iter().map(run).collect()
}
