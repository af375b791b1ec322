//! The rows of a batch, computed a chunk at a time: as many rows as the code has lanes.

use core::ops::Range;

use crate::error::Error;
use crate::guard::Guard;
use crate::lanes::Lanes;
use crate::number::Number;
use crate::program::batch::rows::Input;
use crate::program::code::schedule::{schedule_rows, schedule_together};
use crate::program::code::{Code, NONE};
use crate::program::graph::Graph;
use crate::program::machine::Replay;
use crate::program::machine::element::{Element, LANES};
use crate::program::machine::slots::Slots;
use crate::program::machine::tangent::Plain;

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
pub(super) enum Taken<'a> {
    Consecutive(Range<usize>),
    Listed(&'a [usize]),
}

impl Taken<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Consecutive(rows) => rows.len(),
            Self::Listed(rows) => rows.len(),
        }
    }

    pub(super) fn row(&self, lane: usize) -> usize {
        match self {
            Self::Consecutive(rows) => rows.start + lane,
            Self::Listed(rows) => rows[lane],
        }
    }
}

/// The code of a row, for several rows at a time.
pub(super) struct RowCode {
    pub(super) code: Code,
    /// How many rows are computed together. When it is 1, a row is long, and it is its own like operations that are.
    pub(super) lanes: usize,
    /// The slots before this one are the same for all rows.
    shared: usize,
    /// The first slot of a row's own inputs; before it stands what comes from the shared part.
    first: usize,
}

/// For which derivatives code is made: which inputs get adjoints, and what its numbers are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The outputs alone.
    Outputs,
    /// What comes from the shared part; a number's adjoint is the sum over the rows.
    Sum,
    /// The same in single precision.
    Single,
    /// The same on numbers with a tangent in one direction.
    Tangent,
    /// On numbers with tangents in several directions.
    Tangents,
    /// What comes from the shared part, for each row by itself.
    SharedByRow,
    /// The numbers of a row.
    Row,
}

impl Purpose {
    pub(super) const COUNT: usize = 7;

    fn wants(self, input: usize, crossing: usize) -> bool {
        match self {
            Self::Outputs => false,
            Self::Row => input >= crossing,
            _ => input < crossing,
        }
    }

    /// Where there are several.
    fn fewest_lanes(self) -> usize {
        1 << (256 / self.bytes_of_a_number()).ilog2()
    }

    fn bytes_of_a_number(self) -> usize {
        match self {
            Self::Single => size_of::<f32>(),
            Self::Tangent => size_of::<Plain<f64>>(),
            Self::Tangents => size_of::<Plain<Lanes<LANES>>>(),
            _ => size_of::<f64>(),
        }
    }
}

impl RowCode {
    /// The code of a row's graph whose first `crossing` inputs come from the shared part, and of which so many are summed
    /// together; of a long row for one at a time.
    pub(super) fn new(
        graph: &Graph,
        crossing: usize,
        purpose: Purpose,
        lanes_of_sum: usize,
    ) -> Result<Self, Error> {
        let wants = |input: usize| purpose.wants(input, crossing);
        if lanes_of_sum == 1 {
            return Ok(Self {
                code: schedule_together(graph, wants)?,
                lanes: 1,
                shared: crossing,
                first: crossing,
            });
        }
        // What has an adjoint for each row has a slot for each row.
        let shared = if purpose == Purpose::SharedByRow { 0 } else { crossing };
        let lanes = if purpose == Purpose::Sum {
            lanes_of_sum
        } else {
            let narrow = schedule_rows(graph, shared, wants, 1)?;
            lanes_for(&narrow, shared, purpose).max(purpose.fewest_lanes())
        };
        let code = schedule_rows(graph, shared, wants, lanes as u32)?;
        let first = shared + (crossing - shared) * lanes;
        Ok(Self { code, lanes, shared, first })
    }

    /// How many rows are summed together: 1 where a row by itself has so many numbers that many rows would leave even the
    /// third-level cache.
    pub(super) fn lanes_of_sum(graph: &Graph, crossing: usize) -> Result<usize, Error> {
        let narrow = schedule_rows(graph, crossing, |input| input < crossing, 1)?;
        Ok(lanes_for(&narrow, crossing, Purpose::Sum).max(1))
    }

    /// Puts in their slots what comes from the shared part.
    pub(super) fn share<E: Element>(&self, slots: &mut Slots<E>, crossing: &[E]) {
        let each = self.first.checked_div(crossing.len()).unwrap_or(1);
        if each == 1 {
            slots.values[..crossing.len()].copy_from_slice(crossing);
            return;
        }
        for (slots, &number) in slots.values[..self.first].chunks_exact_mut(each).zip(crossing) {
            slots.fill(number);
        }
    }

    /// The values of an output in the first `count` lanes.
    pub(super) fn outputs_of<E: Element>(
        &self,
        slots: &Slots<E>,
        output: usize,
        count: usize,
    ) -> impl Iterator<Item = f64> {
        let first = self.code.outputs[output].value;
        let step = usize::from(self.is_row(first));
        (0..count).map(move |lane| slots.values[first as usize + lane * step].value())
    }

    /// Takes 1 in the first `count` lanes of an output back to the inputs, whose adjoints it adds to.
    pub(super) fn propagate<E: Element>(
        &self,
        slots: &mut Slots<E>,
        output: usize,
        count: usize,
        by_the_rules: bool,
    ) {
        let output = self.code.outputs[output];
        let is_row = self.is_row(output.value);
        if by_the_rules {
            slots.clear_adjoints_from(self.code.inputs);
            if E::Exact::DEPTH > 0 {
                Replay::of_rows(&self.code, slots, self.limit(count)).compute_by_the_rules();
            }
        }
        if output.adjoint != NONE {
            for lane in 0..count {
                let lane = if is_row { lane } else { 0 };
                slots.adjoints[output.adjoint as usize + lane] += E::from_f64(1.0);
            }
        }
        Replay::of_rows(&self.code, slots, self.limit(count)).propagate(by_the_rules);
    }

    /// The slots of the adjoints that code for each row by itself has: of each the first, and whether there is one for each lane.
    pub(super) fn wanted(&self, purpose: Purpose, width: usize) -> Vec<usize> {
        let (first, count) = match purpose {
            Purpose::Row => (self.first, width),
            _ => (0, self.first / self.lanes),
        };
        (0..count).map(|input| first + input * self.lanes).collect()
    }

    /// The derivatives of an output of every row by itself: `each` gets lane, input and derivative.
    pub(super) fn sweep_each(
        &self,
        slots: &mut Slots<f64>,
        output: usize,
        count: usize,
        wanted: &[usize],
        mut each: impl FnMut(usize, usize, f64),
    ) {
        let mut by_the_rules = false;
        loop {
            self.propagate(slots, output, count, by_the_rules);
            let all_finite = self.outputs_of(slots, output, count).all(f64::is_finite)
                && wanted.iter().all(|&first| {
                    slots.adjoints[first..][..count].iter().all(|adjoint| adjoint.is_finite())
                });
            if all_finite || by_the_rules {
                break;
            }
            slots.clear_adjoints(self.code.inputs);
            by_the_rules = true;
        }
        for (input, &first) in wanted.iter().enumerate() {
            for (lane, &adjoint) in slots.adjoints[first..][..count].iter().enumerate() {
                each(lane, input, adjoint);
            }
        }
        slots.clear_adjoints(self.code.inputs);
    }

    /// Computes the rows at these positions, as many as there are lanes at a time, and hands on each chunk: which rows it
    /// has. Rows whose guards do not hold are left, and returned.
    pub(super) fn chunks<E: Element>(
        &self,
        slots: &mut Slots<E>,
        input: &Input<'_>,
        pending: &Pending,
        positions: Range<usize>,
        mut each: impl FnMut(&mut Slots<E>, Taken<'_>),
    ) -> Vec<usize> {
        let mut left = Vec::new();
        let end = positions.end;
        for start in positions.step_by(self.lanes) {
            let chunk = start..end.min(start + self.lanes);
            let count = chunk.len();
            self.load(slots, input, pending, chunk.clone());
            Replay::of_rows(&self.code, slots, self.limit(count)).compute();
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
            Replay::of_rows(&self.code, slots, self.limit(rows.len())).compute();
            each(slots, Taken::Listed(&rows));
        }
        left
    }

    /// Puts the rows at these positions into their lanes, a line of the cache of each column at a time.
    fn load<E: Element>(
        &self,
        slots: &mut Slots<E>,
        input: &Input<'_>,
        pending: &Pending,
        positions: Range<usize>,
    ) {
        const ROWS: usize = 8;
        let (start, width) = (positions.start, input.width);
        let block = match pending {
            Pending::All(_) => input.rows.block(start, positions.len(), width),
            Pending::These(_) => None,
        };
        if let (Some(column), 1) = (block, width) {
            for (slot, &x) in slots.values[self.first..].iter_mut().zip(column) {
                *slot = E::from_f64(x);
            }
            return;
        }
        let row = |lane: usize| match block {
            Some(block) => &block[lane * width..][..width],
            None => input.row(pending.index(start + lane)),
        };
        let mut lane = 0;
        while lane + ROWS <= positions.len() {
            self.load_rows::<ROWS, E>(slots, lane, core::array::from_fn(|next| row(lane + next)));
            lane += ROWS;
        }
        (lane..positions.len()).for_each(|lane| self.load_row(slots, lane, row(lane)));
    }

    /// How many instances of a step are to be computed for this many rows.
    pub(super) fn limit(&self, rows: usize) -> usize {
        if self.lanes > 1 { rows } else { usize::MAX }
    }

    /// Puts a row into its lane: a slot of each column.
    fn load_row<E: Element>(&self, slots: &mut Slots<E>, lane: usize, row: &[f64]) {
        self.load_rows(slots, lane, [row]);
    }

    /// Puts rows into lanes that follow each other.
    fn load_rows<const N: usize, E: Element>(
        &self,
        slots: &mut Slots<E>,
        lane: usize,
        rows: [&[f64]; N],
    ) {
        let width = rows[0].len();
        let rows = rows.map(|row| &row[..width]);
        let columns = &mut slots.values[self.first..][..width * self.lanes];
        for position in 0..width {
            let slots = &mut columns[position * self.lanes + lane..][..N];
            for (slot, row) in slots.iter_mut().zip(&rows) {
                *slot = E::from_f64(row[position]);
            }
        }
    }

    fn guards_hold<E: Element>(&self, slots: &Slots<E>, lane: usize) -> bool {
        self.code.guards.iter().all(|guard| self.guard_holds(slots, guard, lane))
    }

    /// The same of the first `count` lanes: guard by guard, so that each is looked at once.
    fn all_guards_hold<E: Element>(&self, slots: &Slots<E>, count: usize) -> bool {
        let holds = |guard| (0..count).all(|lane| self.guard_holds(slots, guard, lane));
        self.code.guards.iter().all(holds)
    }

    #[inline]
    fn guard_holds<E: Element>(&self, slots: &Slots<E>, guard: &Guard<u32>, lane: usize) -> bool {
        let [a, b] = guard.operands.map(|slot| {
            slots.values[slot as usize + if self.is_row(slot) { lane } else { 0 }].value()
        });
        guard.holds(a, b)
    }

    /// Whether all numbers are finite that the code takes to be so, in the first `count` lanes.
    fn all_finite<E: Element>(&self, slots: &Slots<E>, count: usize) -> bool {
        self.code.finite.iter().all(|&slot| {
            let count = if self.is_row(slot) { count } else { 1 };
            let numbers = &slots.values[slot as usize..][..count];
            // x·0 is NaN where x is not finite. A sum is one comparison at the end; in several ways, a loop of vectors.
            let mut sums = [0.0; 8];
            let (chunks, rest) = numbers.as_chunks::<8>();
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x.value() * 0.0;
                }
            }
            sums.iter().sum::<f64>() == 0.0 && rest.iter().all(|x| x.value().is_finite())
        })
    }

    /// The same of one lane.
    fn is_finite<E: Element>(&self, slots: &Slots<E>, lane: usize) -> bool {
        self.code.finite.iter().all(|&slot| {
            let lane = if self.is_row(slot) { lane } else { 0 };
            slots.values[slot as usize + lane].value().is_finite()
        })
    }

    /// Whether a value slot is the first of a row's many.
    pub(super) fn is_row(&self, slot: u32) -> bool {
        let constants = self.code.inputs..self.code.inputs + self.code.constants.len();
        slot as usize >= self.shared && !constants.contains(&(slot as usize))
    }
}

/// As many lanes as keep a row's numbers in the second-level cache; a power of two. 0 where not even one row's do.
fn lanes_for(narrow: &Code, shared: usize, purpose: Purpose) -> usize {
    /// Bytes: what processors have had for years, or more.
    const CACHE: usize = 512 << 10;
    // What all rows share is there once. A row's own numbers have slots for adjoints even where nobody touches them.
    let untouched = if purpose == Purpose::Row { shared } else { narrow.inputs };
    let values = narrow.values - shared - narrow.constants.len();
    let of_a_row = values + narrow.adjoints.saturating_sub(untouched);
    match CACHE / (of_a_row.max(1) * purpose.bytes_of_a_number()) {
        0 => 0,
        fitting => 1 << fitting.clamp(purpose.fewest_lanes(), 256).ilog2(),
    }
}
