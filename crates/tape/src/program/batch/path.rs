//! A path through a batch's function: the code of its two parts, run on rows that take it.

use core::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::guard::Guard;
use crate::outputs::Outputs;
use crate::program::batch::rows::Input;
use crate::program::code::schedule::{schedule, schedule_rows, schedule_together};
use crate::program::code::{Code, NONE};
use crate::program::graph::Graph;
use crate::program::graph::hoist::hoist;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::{optimize_from_sums, optimize_until_sums};
use crate::program::graph::simplify::Rewrites;
use crate::program::graph::trace::{Extent, trace};
use crate::program::machine::Replay;
use crate::program::machine::slots::{Pool, Slots};
use crate::var::Var;

/// The rows that are to be computed.
pub(super) enum Pending {
    /// All, so many.
    All(usize),
    These(Vec<usize>),
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(count) => *count,
            Self::These(rows) => rows.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of the row at a position.
    pub(super) fn index(&self, position: usize) -> usize {
        match self {
            Self::All(_) => position,
            Self::These(rows) => rows[position],
        }
    }

    pub(super) fn first(&self) -> Option<usize> {
        (!self.is_empty()).then(|| self.index(0))
    }

    pub(super) fn without_first(self) -> Self {
        Self::These((1..self.len()).map(|position| self.index(position)).collect())
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
            Self::Consecutive(rows) => rows.len(),
            Self::Listed(rows) => rows.len(),
        }
    }

    fn row(&self, lane: usize) -> usize {
        match self {
            Self::Consecutive(rows) => rows.start + lane,
            Self::Listed(rows) => rows[lane],
        }
    }
}

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
#[derive(Default)]
pub(super) struct Sum {
    pub(super) value: f64,
    pub(super) adjoints: Vec<f64>,
    pub(super) left: Vec<usize>,
}

/// A path through the function, as the code of its two parts.
pub(super) struct Path {
    shared: Code,
    row: Code,
    /// How many numbers go from the shared part to the rows.
    crossing: usize,
    /// How many rows are computed together. When it is 1, a row is long, and it is its own like operations that are.
    lanes: usize,
    /// How many rows make a task for one thread.
    task: usize,
    slots: Pool<f64>,
    row_slots: Pool<f64>,
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
            schedule_together(&row, |input| input < crossing)?
        };
        Ok(Self {
            shared: schedule(&shared, |_| true)?,
            row: code,
            crossing,
            lanes,
            task: rows_of_a_task(lanes, row.len()),
            slots: Pool::default(),
            row_slots: Pool::default(),
            exact: None,
        })
    }

    pub(super) fn outputs(&self) -> usize {
        self.row.outputs.len()
    }

    pub(super) fn rows_at_a_time(&self) -> usize {
        self.lanes
    }

    /// Computes the shared part, and then the rows, by `work`, which returns those that are left. Where the shared part does
    /// not take this path, all are.
    pub(super) fn after_shared(
        &self,
        shared: &[f64],
        pending: Pending,
        work: impl FnOnce(&mut Replay<'_, f64>, &Pending) -> Vec<usize>,
    ) -> Pending {
        self.slots.with(&self.shared, |slots| {
            let mut replay = Replay::new(&self.shared, slots);
            replay.at(shared.iter().copied());
            match replay.broken(|x| x) {
                Some(_) => pending,
                None => Pending::These(work(&mut replay, &pending)),
            }
        })
    }

    /// Sums over the rows, task by task. Tasks are always the same, and their sums are added in order, so that the result
    /// does not depend on who computes them.
    pub(super) fn sum(&self, crossing: &[f64], input: &Input<'_>, pending: &Pending) -> Sum {
        let run = |task: Range<usize>| {
            self.row_slots
                .with(&self.row, |slots| self.sum_of_task(slots, crossing, input, pending, task))
        };
        let mut sum = Sum { adjoints: vec![0.0; self.crossing], ..Sum::default() };
        let tasks = self.tasks(pending.len());
        for wave in tasks.chunks(TASKS_AT_A_TIME) {
            for part in each_task(wave.to_vec(), run) {
                sum.value += part.value;
                for (adjoint, part) in sum.adjoints.iter_mut().zip(part.adjoints) {
                    *adjoint += part;
                }
                sum.left.extend(part.left);
            }
        }
        sum
    }

    fn sum_of_task(
        &self,
        slots: &mut Slots<f64>,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
    ) -> Sum {
        slots.values[..self.crossing].copy_from_slice(crossing);
        let mut sum = self.swept(slots, input, pending, task.clone(), false);
        if !sum.value.is_finite() || sum.adjoints.iter().any(|adjoint| !adjoint.is_finite()) {
            let by_the_rules = self.swept(slots, input, pending, task, true);
            sum.adjoints = by_the_rules.adjoints;
        }
        sum
    }

    /// The sum of a task, swept plainly or by the rules for what is not finite.
    fn swept(
        &self,
        slots: &mut Slots<f64>,
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
        by_the_rules: bool,
    ) -> Sum {
        let output = self.row.outputs[0];
        let is_row = self.is_row(output.value);
        let mut value = 0.0;
        let left = self.chunks(slots, input, pending, task, |slots, taken| {
            for lane in 0..taken.len() {
                let lane = if is_row { lane } else { 0 };
                value += slots.values[output.value as usize + lane];
                if output.adjoint != NONE {
                    slots.adjoints[output.adjoint as usize + lane] += 1.0;
                }
            }
            Replay::of_rows(&self.row, slots, self.limit(taken.len())).propagate(by_the_rules);
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
    ) -> Vec<usize> {
        let columns = self.outputs();
        if columns == 0 {
            return Vec::new();
        }
        let tasks = self.tasks(pending.len());
        if let Pending::These(_) = pending {
            // The rows of a task lie anywhere: their outputs are put in their places afterwards.
            let run = |task: Range<usize>| {
                let (mut rows, mut values) = (Vec::new(), Vec::new());
                let left = self.map_task(crossing, input, pending, task, |taken, outputs| {
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
            return all_left;
        }
        let tasks: Vec<(Range<usize>, &mut [f64])> =
            tasks.into_iter().zip(data.chunks_mut(self.task * columns)).collect();
        let run = |(task, data): (Range<usize>, &mut [f64])| {
            let start = task.start;
            self.map_task(crossing, input, pending, task, |taken, outputs| match taken {
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
        each_task(tasks, run).concat()
    }

    /// Computes a task's outputs, a chunk at a time: `each` gets its rows, and what reads their outputs.
    fn map_task(
        &self,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
        mut each: impl FnMut(&Taken<'_>, ChunkOutputs<'_>),
    ) -> Vec<usize> {
        let outputs = self.row.outputs.iter();
        let places: Vec<(usize, bool)> =
            outputs.map(|output| (output.value as usize, self.is_row(output.value))).collect();
        self.row_slots.with(&self.row, |slots| {
            slots.values[..self.crossing].copy_from_slice(crossing);
            self.chunks(slots, input, pending, task, |slots, taken| {
                each(&taken, ChunkOutputs { places: &places, values: &slots.values });
            })
        })
    }

    /// The positions of pending rows, a task at a time.
    fn tasks(&self, count: usize) -> Vec<Range<usize>> {
        let starts = (0..count).step_by(self.task);
        starts.map(|start| start..count.min(start + self.task)).collect()
    }

    /// Computes the rows at these positions, as many as there are lanes at a time, and hands on each chunk: which rows it
    /// has. Rows whose guards do not hold are left, and returned.
    fn chunks(
        &self,
        slots: &mut Slots<f64>,
        input: &Input<'_>,
        pending: &Pending,
        positions: Range<usize>,
        mut each: impl FnMut(&mut Slots<f64>, Taken<'_>),
    ) -> Vec<usize> {
        let mut left = Vec::new();
        let end = positions.end;
        for start in positions.step_by(self.lanes) {
            let chunk = start..end.min(start + self.lanes);
            let count = chunk.len();
            self.load(slots, input, pending, chunk.clone());
            Replay::of_rows(&self.row, slots, self.limit(count)).compute();
            if self.all_finite(slots, count) && self.all_guards_hold(slots, count) {
                match pending {
                    Pending::All(_) => each(slots, Taken::Consecutive(chunk)),
                    Pending::These(rows) => each(slots, Taken::Listed(&rows[chunk])),
                }
                continue;
            }
            let holds =
                |lane: &usize| self.is_finite(slots, *lane) && self.guards_hold(slots, *lane);
            let (holding, lost): (Vec<usize>, Vec<usize>) = (0..count).partition(holds);
            left.extend(lost.iter().map(|lane| pending.index(start + lane)));
            if holding.is_empty() {
                continue;
            }
            let rows: Vec<usize> = holding.iter().map(|lane| pending.index(start + lane)).collect();
            for (lane, &row) in rows.iter().enumerate() {
                self.load_row(slots, lane, input.row(row));
            }
            Replay::of_rows(&self.row, slots, self.limit(rows.len())).compute();
            each(slots, Taken::Listed(&rows));
        }
        left
    }

    /// Puts the rows at these positions into their lanes.
    fn load(
        &self,
        slots: &mut Slots<f64>,
        input: &Input<'_>,
        pending: &Pending,
        positions: Range<usize>,
    ) {
        let block = match pending {
            Pending::All(_) => input.rows.block(positions.start, positions.len(), input.width),
            Pending::These(_) => None,
        };
        match block {
            Some(block) => self.load_block(slots, block, input.width, positions.len()),
            None => positions.enumerate().for_each(|(lane, position)| {
                self.load_row(slots, lane, input.row(pending.index(position)));
            }),
        }
    }

    /// How many instances of a step are to be computed for this many rows.
    fn limit(&self, rows: usize) -> usize {
        if self.lanes > 1 { rows } else { usize::MAX }
    }

    /// Puts a row into its lane: a slot of each column.
    fn load_row(&self, slots: &mut Slots<f64>, lane: usize, row: &[f64]) {
        let columns = slots.values[self.crossing..].chunks_exact_mut(self.lanes);
        for (column, &x) in columns.zip(row) {
            column[lane] = x;
        }
    }

    /// [`Path::load_row`] of neighbouring rows, which become columns a few at a time: so many that what is not in line stays
    /// in the cache.
    fn load_block(&self, slots: &mut Slots<f64>, block: &[f64], width: usize, count: usize) {
        const ROWS: usize = 8;
        for first in (0..count).step_by(ROWS) {
            let rows = ROWS.min(count - first);
            let columns = slots.values[self.crossing..].chunks_exact_mut(self.lanes);
            for (position, column) in columns.take(width).enumerate() {
                let from = block[first * width + position..].iter().step_by(width);
                for (slot, &x) in column[first..][..rows].iter_mut().zip(from) {
                    *slot = x;
                }
            }
        }
    }

    fn guards_hold(&self, slots: &Slots<f64>, lane: usize) -> bool {
        self.row.guards.iter().all(|guard| self.guard_holds(slots, guard, lane))
    }

    /// The same of the first `count` lanes: guard by guard, so that each is looked at once.
    fn all_guards_hold(&self, slots: &Slots<f64>, count: usize) -> bool {
        let holds = |guard| (0..count).all(|lane| self.guard_holds(slots, guard, lane));
        self.row.guards.iter().all(holds)
    }

    #[inline]
    fn guard_holds(&self, slots: &Slots<f64>, guard: &Guard<u32>, lane: usize) -> bool {
        let [a, b] = guard
            .operands
            .map(|slot| slots.values[slot as usize + if self.is_row(slot) { lane } else { 0 }]);
        guard.holds(a, b)
    }

    /// Whether all numbers are finite that the code takes to be so, in the first `count` lanes.
    fn all_finite(&self, slots: &Slots<f64>, count: usize) -> bool {
        self.row.finite.iter().all(|&slot| {
            let count = if self.is_row(slot) { count } else { 1 };
            let numbers = &slots.values[slot as usize..][..count];
            // x·0 is NaN where x is not finite. A sum is one comparison at the end; in several ways, a loop of vectors.
            let mut sums = [0.0; 8];
            let (chunks, rest) = numbers.as_chunks::<8>();
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x * 0.0;
                }
            }
            sums.iter().sum::<f64>() == 0.0 && rest.iter().all(|x| x.is_finite())
        })
    }

    /// The same of one lane.
    fn is_finite(&self, slots: &Slots<f64>, lane: usize) -> bool {
        self.row.finite.iter().all(|&slot| {
            let lane = if self.is_row(slot) { lane } else { 0 };
            slots.values[slot as usize + lane].is_finite()
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
    let fitting = CACHE / (slots.max(1) * size_of::<f64>());
    if fitting == 0 { 1 } else { 1 << fitting.clamp(FEWEST, 256).ilog2() }
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
