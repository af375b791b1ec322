//! A path through a batch's function: the code of its two parts, run on rows that take it.

mod single;

use core::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::lanes::Lanes;
use crate::outputs::Outputs;
use crate::program::batch::chunks::{Pending, Purpose, RowCode, Taken};
use crate::program::batch::rows::Input;
use crate::program::code::Code;
use crate::program::code::schedule::schedule;
use crate::program::graph::Graph;
use crate::program::graph::builder::Passes;
use crate::program::graph::drop_dead_code::drop_dead_code;
use crate::program::graph::hoist::hoist;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::{optimize_from_sums, optimize_until_sums};
use crate::program::graph::simplify::Rewrites;
use crate::program::graph::trace::{Extent, trace};
use crate::program::machine::Replay;
use crate::program::machine::element::{Element, LANES};
use crate::program::machine::slots::{Pool, Slots};
use crate::program::machine::tangent::Plain;
use crate::var::Var;

/// The outputs of a chunk of rows: of each its slot, and whether that is the first of a row of slots.
struct ChunkOutputs<'a> {
    places: &'a [(usize, bool)],
    values: &'a [f64],
}

impl ChunkOutputs<'_> {
    /// Writes them row by row.
    fn read(self, block: &mut [f64]) {
        for (lane, row) in block.chunks_exact_mut(self.places.len()).enumerate() {
            for (to, &(slot, is_row)) in row.iter_mut().zip(self.places) {
                *to = self.values[slot + if is_row { lane } else { 0 }];
            }
        }
    }
}

/// What a sum over rows gives: the value, the adjoints of what comes from the shared part, and the rows that are left.
pub(super) struct Sum<E> {
    pub(super) value: f64,
    pub(super) adjoints: Vec<E>,
    pub(super) left: Vec<usize>,
}

/// The derivatives of every output of every row by itself: those of a row stand together.
#[derive(Default)]
struct RowDerivatives {
    rows: Vec<usize>,
    values: Vec<f64>,
    /// For each value, those by the inputs that have adjoints.
    derivatives: Vec<f64>,
    left: Vec<usize>,
}

/// Slots for the two parts.
struct Rooms<E: Element> {
    shared: Pool<E>,
    row: Pool<E>,
}

impl<E: Element> Default for Rooms<E> {
    fn default() -> Self {
        Self { shared: Pool::default(), row: Pool::default() }
    }
}

/// The numbers that outputs can be summed in, over the rows.
pub(super) trait Summed: Element {
    const PURPOSE: Purpose;
    #[allow(private_interfaces, reason = "nothing outside asks")]
    fn rooms(path: &Path) -> &Rooms<Self>;
}

macro_rules! summed {
    ($($Number:ty: $Purpose:ident in $rooms:ident;)*) => {$(
        impl Summed for $Number {
            const PURPOSE: Purpose = Purpose::$Purpose;

            #[allow(private_interfaces, reason = "nothing outside asks")]
            fn rooms(path: &Path) -> &Rooms<Self> {
                &path.$rooms
            }
        }
    )*};
}
summed! {
    f64: Sum in plain;
    Plain<f64>: Tangent in tangent;
    Plain<Lanes<LANES>>: Tangents in tangents;
}

/// A path through the function, as the code of its two parts.
pub(super) struct Path {
    shared: Code,
    /// Of what comes from the shared part, and then the numbers of a row.
    row: Graph,
    /// Its code for each purpose, made when it is first needed.
    row_codes: [OnceLock<RowCode>; Purpose::COUNT],
    /// How many numbers go from the shared part to the rows.
    crossing: usize,
    /// How many rows are summed together.
    lanes: usize,
    /// How many rows make a task for one thread.
    task: usize,
    plain: Rooms<f64>,
    tangent: Rooms<Plain<f64>>,
    tangents: Rooms<Plain<Lanes<LANES>>>,
    single: Pool<f32>,
    outputs: Pool<f64>,
    by_rows: [Pool<f64>; 2],
    /// The path's graph, and the path that keeps its rules for what is not finite, where this one does not.
    exact: Option<(Graph, OnceLock<Arc<Path>>)>,
}

impl Path {
    pub(super) fn trace<R: Outputs>(
        rewrites: Rewrites,
        f: impl Fn(&[Var], &[Var]) -> R,
        shared: &[f64],
        row: &[f64],
    ) -> Result<Self, Error> {
        let point = [shared, row].concat();
        let f = |x: &[Var]| f(&x[..shared.len()], &x[shared.len()..]);
        let passes = Passes::NumberValues(rewrites);
        let graph = drop_dead_code(&trace(f, &point, Extent::Needed, passes)?.graph);
        let Some(lowered) = lower(&graph) else {
            return Self::of_graph(&graph, shared.len());
        };
        let lowered = optimize_until_sums(&lowered, rewrites);
        let exact = Some((graph, OnceLock::new()));
        Ok(Self { exact, ..Self::of_graph(&lowered, shared.len())? })
    }

    /// The path for numbers that are not finite, made when it is first needed. `None` where this one serves them too.
    pub(super) fn exact(&self) -> Option<&Path> {
        let (graph, exact) = self.exact.as_ref()?;
        let make = || {
            let exact = Self::of_graph(graph, self.shared.inputs);
            Arc::new(exact.expect("a graph whose lowered form has a schedule has one too"))
        };
        Some(exact.get_or_init(make))
    }

    fn of_graph(graph: &Graph, shared: usize) -> Result<Self, Error> {
        let hoisted = hoist(graph, shared);
        let (shared, row) = (optimize_from_sums(hoisted.shared), optimize_from_sums(hoisted.row));
        let crossing = shared.outputs.len();
        let lanes = RowCode::lanes_of_sum(&row, crossing)?;
        Ok(Self {
            shared: schedule(&shared, |_| true)?,
            crossing,
            lanes,
            task: rows_of_a_task(lanes, row.operations()),
            row,
            row_codes: Default::default(),
            plain: Rooms::default(),
            tangent: Rooms::default(),
            tangents: Rooms::default(),
            single: Pool::default(),
            outputs: Pool::default(),
            by_rows: Default::default(),
            exact: None,
        })
    }

    pub(super) fn outputs(&self) -> usize {
        self.row.outputs.len()
    }

    pub(super) fn rows_at_a_time(&self) -> usize {
        self.lanes
    }

    /// The row's code, made if need be.
    fn row_code(&self, purpose: Purpose) -> Result<&RowCode, Error> {
        let kept = &self.row_codes[purpose as usize];
        if let Some(code) = kept.get() {
            return Ok(code);
        }
        let code = RowCode::new(&self.row, self.crossing, purpose, self.lanes)?;
        Ok(kept.get_or_init(|| code))
    }

    /// Computes the shared part, and then the rows, by `work`, which gets what goes from the one to the others and returns the
    /// rows that are left. Where the shared part does not take this path, all are.
    pub(super) fn after_shared<E: Summed>(
        &self,
        shared: impl Iterator<Item = E>,
        pending: Pending,
        work: impl FnOnce(&mut Replay<'_, E>, &[E], &Pending) -> Result<Vec<usize>, Error>,
    ) -> Result<Pending, Error> {
        E::rooms(self).shared.with(&self.shared, |slots| {
            let mut replay = Replay::new(&self.shared, slots);
            replay.at(shared);
            if replay.broken().is_some() {
                return Ok(pending);
            }
            let crossing: Vec<E> = replay.outputs().collect();
            Ok(Pending::These(work(&mut replay, &crossing, &pending)?))
        })
    }

    /// The sum of the output over the rows. Without derivatives: the adjoints are empty.
    pub(super) fn value(
        &self,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
    ) -> Result<Sum<f64>, Error> {
        let row = self.row_code(Purpose::Outputs)?;
        Ok(sum_of_tasks(0, &self.tasks(pending.len()), |task| {
            self.outputs.with(&row.code, |slots| {
                row.share(slots, crossing);
                let mut value = 0.0;
                let left = row.chunks(slots, input, pending, task, |slots, taken| {
                    value = row.outputs_of(slots, 0, taken.len()).fold(value, |sum, y| sum + y);
                });
                Sum { value, adjoints: Vec::new(), left }
            })
        }))
    }

    /// The sum of the output over the rows, swept back to what comes from the shared part.
    pub(super) fn sum<E: Summed>(
        &self,
        crossing: &[E],
        input: &Input<'_>,
        pending: &Pending,
    ) -> Result<Sum<E>, Error> {
        let row = self.row_code(E::PURPOSE)?;
        Ok(sum_of_tasks(self.crossing, &self.tasks(pending.len()), |task| {
            E::rooms(self).row.with(&row.code, |slots| {
                row.share(slots, crossing);
                let mut sum = self.swept(row, slots, input, pending, task.clone(), false);
                let are_finite =
                    |adjoints: &[E]| adjoints.iter().all(|adjoint| adjoint.is_finite());
                if !sum.value.is_finite() || !are_finite(&sum.adjoints) {
                    let by_the_rules = self.swept(row, slots, input, pending, task, true);
                    sum.adjoints = by_the_rules.adjoints;
                }
                sum
            })
        }))
    }

    /// The sum of a task, swept plainly or by the rules for what is not finite.
    fn swept<E: Element>(
        &self,
        row: &RowCode,
        slots: &mut Slots<E>,
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
        by_the_rules: bool,
    ) -> Sum<E> {
        let mut value = 0.0;
        let left = row.chunks(slots, input, pending, task, |slots, taken| {
            value = row.outputs_of(slots, 0, taken.len()).fold(value, |sum, y| sum + y);
            row.propagate(slots, 0, taken.len(), by_the_rules);
        });
        let adjoints = slots.adjoints[..self.crossing].to_vec();
        slots.clear_adjoints(self.crossing);
        Sum { value, adjoints, left }
    }

    /// Computes the outputs of the rows, task by task, and returns the rows that are left.
    pub(super) fn map(
        &self,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        data: &mut [f64],
    ) -> Result<Vec<usize>, Error> {
        let columns = self.outputs();
        if columns == 0 {
            return Ok(Vec::new());
        }
        let row = self.row_code(Purpose::Outputs)?;
        let tasks = self.tasks(pending.len());
        if let Pending::These(_) = pending {
            // The rows of a task lie anywhere: their outputs are put in their places afterwards.
            let run = |task: Range<usize>| {
                let (mut rows, mut values) = (Vec::new(), Vec::new());
                let left = self.map_task(row, crossing, input, pending, task, |taken, outputs| {
                    let start = values.len();
                    values.resize(start + taken.len() * columns, 0.0);
                    outputs.read(&mut values[start..]);
                    rows.extend((0..taken.len()).map(|lane| taken.row(lane)));
                });
                (rows, values, left)
            };
            let mut all_left = Vec::new();
            for wave in tasks.chunks(TASKS_AT_A_TIME) {
                for (rows, values, left) in each_task(wave.to_vec(), run) {
                    for (row, values) in rows.into_iter().zip(values.chunks_exact(columns)) {
                        data[row * columns..][..columns].copy_from_slice(values);
                    }
                    all_left.extend(left);
                }
            }
            return Ok(all_left);
        }
        let tasks: Vec<(Range<usize>, &mut [f64])> =
            tasks.into_iter().zip(data.chunks_mut(self.task * columns)).collect();
        let run = |(task, data): (Range<usize>, &mut [f64])| {
            let start = task.start;
            self.map_task(row, crossing, input, pending, task, |taken, outputs| match taken {
                Taken::Consecutive(rows) => {
                    let block = (rows.start - start) * columns..(rows.end - start) * columns;
                    outputs.read(&mut data[block]);
                }
                Taken::Listed(rows) => {
                    let mut block = vec![0.0; rows.len() * columns];
                    outputs.read(&mut block);
                    for (row, values) in rows.iter().zip(block.chunks_exact(columns)) {
                        data[(row - start) * columns..][..columns].copy_from_slice(values);
                    }
                }
            })
        };
        Ok(each_task(tasks, run).concat())
    }

    /// Computes a task's outputs, a chunk at a time: `each` gets its rows, and what reads their outputs.
    fn map_task(
        &self,
        row: &RowCode,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
        mut each: impl FnMut(&Taken<'_>, ChunkOutputs<'_>),
    ) -> Vec<usize> {
        let outputs = row.code.outputs.iter();
        let places: Vec<(usize, bool)> =
            outputs.map(|output| (output.value as usize, row.is_row(output.value))).collect();
        self.outputs.with(&row.code, |slots| {
            row.share(slots, crossing);
            row.chunks(slots, input, pending, task, |slots, taken| {
                each(&taken, ChunkOutputs { places: &places, values: &slots.values });
            })
        })
    }

    /// The derivatives of every output of the rows, each row by itself: by what comes from the shared part, or by the numbers
    /// of the row. `each` gets a row, an output of it, its value, and the derivatives; what is left is returned.
    pub(super) fn by_rows(
        &self,
        purpose: Purpose,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        mut each: impl FnMut(usize, usize, f64, &[f64]),
    ) -> Result<Vec<usize>, Error> {
        let (outputs, row) = (self.outputs(), self.row_code(purpose)?);
        let inputs = row.wanted(purpose, input.width);
        let pool = &self.by_rows[usize::from(purpose == Purpose::Row)];
        let run = |task: Range<usize>| {
            pool.with(&row.code, |slots| {
                row.share(slots, crossing);
                let mut found = RowDerivatives::default();
                let left = row.chunks(slots, input, pending, task, |slots, taken| {
                    let (start, count) = (found.rows.len() * outputs, taken.len());
                    found.rows.extend((0..count).map(|lane| taken.row(lane)));
                    found.values.resize(start + count * outputs, 0.0);
                    found.derivatives.resize((start + count * outputs) * inputs.len(), 0.0);
                    for output in 0..outputs {
                        let values = found.values[start..].iter_mut().skip(output).step_by(outputs);
                        values
                            .zip(row.outputs_of(slots, output, count))
                            .for_each(|(to, y)| *to = y);
                        let to = &mut found.derivatives[start * inputs.len()..];
                        row.sweep_each(slots, output, count, &inputs, |lane, input, derivative| {
                            to[(lane * outputs + output) * inputs.len() + input] = derivative;
                        });
                    }
                });
                found.left = left;
                found
            })
        };
        let mut left = Vec::new();
        for wave in self.tasks(pending.len()).chunks(TASKS_AT_A_TIME) {
            for found in each_task(wave.to_vec(), run) {
                for (position, &value) in found.values.iter().enumerate() {
                    let derivatives = &found.derivatives[position * inputs.len()..][..inputs.len()];
                    each(found.rows[position / outputs], position % outputs, value, derivatives);
                }
                left.extend(found.left);
            }
        }
        Ok(left)
    }

    /// The positions of pending rows, a task at a time.
    fn tasks(&self, count: usize) -> Vec<Range<usize>> {
        tasks_of(self.task, count)
    }
}

/// Sums over the rows, task by task. Tasks are always the same, and their sums are added in order, so that the result
/// does not depend on who computes them.
fn sum_of_tasks<E: Element>(
    adjoints: usize,
    tasks: &[Range<usize>],
    run: impl Fn(Range<usize>) -> Sum<E> + Send + Sync,
) -> Sum<E> {
    let mut sum = Sum { value: 0.0, adjoints: vec![E::ZERO; adjoints], left: Vec::new() };
    for wave in tasks.chunks(TASKS_AT_A_TIME) {
        for part in each_task(wave.to_vec(), &run) {
            sum.value += part.value;
            for (adjoint, part) in sum.adjoints.iter_mut().zip(part.adjoints) {
                *adjoint += part;
            }
            sum.left.extend(part.left);
        }
    }
    sum
}

/// So many positions, in tasks of this size.
fn tasks_of(size: usize, count: usize) -> Vec<Range<usize>> {
    (0..count).step_by(size).map(|start| start..count.min(start + size)).collect()
}

/// Enough work that handing it to a thread does not matter.
fn rows_of_a_task(lanes: usize, operations: usize) -> usize {
    const OPERATIONS: usize = 100_000;
    (OPERATIONS / operations.max(1)).next_multiple_of(lanes).max(lanes)
}

/// The sums of this many tasks are held at a time.
const TASKS_AT_A_TIME: usize = 256;

/// Runs the tasks, and gives what they give in their order.
#[cfg(feature = "rayon")]
fn each_task<T: Send, R: Send>(tasks: Vec<T>, run: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    use rayon::prelude::*;
    tasks.into_par_iter().map(run).collect()
}

#[cfg(not(feature = "rayon"))]
fn each_task<T, R>(tasks: Vec<T>, run: impl Fn(T) -> R) -> Vec<R> {
    tasks.into_iter().map(run).collect()
}
