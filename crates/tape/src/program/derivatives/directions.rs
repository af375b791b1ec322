//! Products of derivatives with directions, several directions at a time: what dense and sparse derivatives are read from.
//!
//! A direction is a colour: the sum of the unit vectors of some inputs, or outputs. Of a dense matrix, every column or row
//! is a colour by itself.

use core::ops::Range;

use smallvec::SmallVec;

use crate::lanes::Lanes;
use crate::program::Program;
use crate::program::code::Code;
use crate::program::graph::Id;
use crate::program::graph::coloring::{Coloring, Read};
use crate::program::machine::Replay;
use crate::program::machine::element::{Element, LANES};
use crate::program::machine::slots::Pool;
use crate::program::machine::tangent::{Plain, Tangent};

/// Which inputs or outputs each direction has, and where the entries of a matrix are found in the products.
pub(super) trait Plan {
    fn colors(&self) -> usize;
    /// The colour of an input or output, if it has one.
    fn color_of(&self, position: usize) -> Option<usize>;
    /// Takes the entries that are found in the products with these colours: numbers by their place, and by the colour's position
    /// among these.
    fn read(&self, colors: Range<usize>, product: impl Fn(usize, usize) -> f64, data: &mut [f64]);
}

impl Plan for Coloring {
    fn colors(&self) -> usize {
        self.reads.len()
    }

    fn color_of(&self, position: usize) -> Option<usize> {
        // What has no entries has a colour beyond all.
        Some(self.color_of[position] as usize)
    }

    /// Some places at a time are read for every colour: so each product passes through the cache once.
    fn read(&self, colors: Range<usize>, product: impl Fn(usize, usize) -> f64, data: &mut [f64]) {
        const PLACES: usize = 256;
        let reads = self.reads[colors].iter().map(Vec::as_slice);
        let mut left: SmallVec<[&[Read]; LANES]> = reads.collect();
        let mut end = PLACES;
        while left.iter().any(|reads| !reads.is_empty()) {
            for (position, reads) in left.iter_mut().enumerate() {
                while let [read, others @ ..] = *reads
                    && read.place < end
                {
                    let entry = product(read.place, position);
                    data[read.entry] = entry;
                    data[read.mirror] = entry;
                    *reads = others;
                }
            }
            end += PLACES;
        }
    }
}

/// Every row, or column, of a dense matrix by itself.
pub(super) struct Each {
    pub(super) colors: usize,
    /// The length of a product.
    pub(super) length: usize,
    /// How far apart in the data the entries of two colours are, and of two places in a product.
    pub(super) strides: [usize; 2],
}

impl Plan for Each {
    fn colors(&self) -> usize {
        self.colors
    }

    fn color_of(&self, position: usize) -> Option<usize> {
        Some(position)
    }

    fn read(&self, colors: Range<usize>, product: impl Fn(usize, usize) -> f64, data: &mut [f64]) {
        let [of_color, of_place] = self.strides;
        for (position, color) in colors.enumerate() {
            for place in 0..self.length {
                data[color * of_color + place * of_place] = product(place, position);
            }
        }
    }
}

/// What a product with a direction is of.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// The outputs' tangents.
    Jacobian,
    /// The tangents of the gradient of Σ weight·output, after a sweep.
    Hessian(&'a [(usize, f64)]),
}

/// The weights of the only output of a function.
pub(in crate::program) const ONE_OUTPUT: &[(usize, f64)] = &[(0, 1.0)];

/// So few colours go through the machine one by one.
pub(super) const FEW: usize = 3;

/// The colours that go through the machine together.
struct Group<'a, P> {
    plan: &'a P,
    colors: Range<usize>,
}

/// How many of so many colours go through the machine together with others, as many at a time as a number has lanes. A few
/// that are left over go one by one: that takes less memory, and less time than lanes that carry nothing.
fn together<E: Element>(count: usize, code: &Code) -> usize {
    let rest = count % LANES;
    let few = match few::<E>(code) {
        LANES.. => return 0,
        // Beside others that take lanes, fewer than where there are no others.
        few if count > LANES => few - 1,
        few => few,
    };
    if rest <= few { count - rest } else { count }
}

/// So many colours at most go one by one. Where the slots do not stay in the cache, what counts is how many bytes pass
/// through the memory: as many as those of several numbers of one direction each. Where the slots of so many lanes would
/// take too much of the memory, all colours go one by one.
fn few<E: Element>(code: &Code) -> usize {
    /// Bytes: half of what processors have had as second-level cache for years.
    const CACHE: usize = 512 << 10;
    const MEMORY: usize = 512 << 20;
    match (code.values + code.adjoints) * size_of::<E>() {
        ..CACHE => FEW,
        CACHE..MEMORY => size_of::<E>().div_ceil(size_of::<E::Exact>()),
        MEMORY.. => LANES,
    }
}

/// What the products with so many colours cost, in units of one: those that are computed together cost about as much as the
/// fewest that are.
fn cost<E: Element>(count: usize, code: &Code) -> usize {
    let together = together::<E>(count, code);
    together.div_ceil(LANES) * (few::<E>(code) + 1) + (count - together)
}

/// What the products of a Hessian with so many colours cost.
pub(super) fn cost_of_columns(count: usize, code: &Code) -> usize {
    cost::<Plain<Lanes<LANES>>>(count, code)
}

/// What the products of a Jacobian with so many colours of columns and of rows cost. One of a column, a replay on dual numbers,
/// takes about as long as one of a row, a sweep.
pub(super) fn cost_of_jacobian(columns: usize, rows: usize, code: &Code) -> usize {
    cost_of_columns(columns, code) + cost::<Lanes<LANES>>(rows, code)
}

impl<'a, P: Plan> Group<'a, P> {
    fn all<E: Element>(plan: &'a P, code: &Code) -> impl Iterator<Item = Self> {
        let count = plan.colors();
        let together = together::<E>(count, code);
        let several = (0..together).step_by(LANES).map(move |c| c..together.min(c + LANES));
        let single = (together..count).map(|color| color..color + 1);
        several.chain(single).map(move |colors| Self { plan, colors })
    }

    fn is_single(&self) -> bool {
        self.colors.len() == 1
    }

    /// 1 in the lane of its colour, for an input or output that has one in the group.
    fn seed<T: Tangent>(&self, position: usize) -> Option<T> {
        let color = self.plan.color_of(position)?;
        self.colors.contains(&color).then(|| {
            let of_color = color - self.colors.start;
            T::from_directions(|lane| if lane == of_color { 1.0 } else { 0.0 })
        })
    }

    /// The point, with a colour's direction in each lane.
    fn point<T: Tangent>(&self, x: &[f64]) -> impl Iterator<Item = Plain<T>> {
        let tangent = |input| self.seed(input).unwrap_or(T::ZERO);
        x.iter().enumerate().map(move |(input, &value)| Plain { value, tangent: tangent(input) })
    }

    /// Takes the entries that are found in the products.
    fn read<T: Tangent>(&self, data: &mut [f64], product: impl Fn(usize) -> T) {
        self.plan.read(self.colors.clone(), |place, lane| product(place).direction(lane), data);
    }
}

impl Program {
    /// Finds the entries of the Jacobian in the directions of rows, after a replay: of single colours by sweeps of it, of the
    /// others by a replay on lanes.
    pub(super) fn groups_of_rows<P: Plan>(
        &self,
        replay: &mut Replay<'_, f64>,
        x: &[f64],
        plan: &P,
        data: &mut [f64],
    ) {
        let groups = || Group::all::<Lanes<LANES>>(plan, &self.code);
        for group in groups().filter(Group::is_single) {
            self.product_of_rows(replay, &group, data);
        }
        let mut groups = groups().filter(|group| !group.is_single()).peekable();
        if groups.peek().is_none() {
            return;
        }
        self.directions.rows.with(&self.code, |slots| {
            let mut replay = Replay::new(&self.code, slots);
            replay.at(x.iter().map(|&x| Lanes::splat(x)));
            for group in groups {
                self.product_of_rows(&mut replay, &group, data);
            }
        });
    }

    fn product_of_rows<T: Tangent, P: Plan>(
        &self,
        replay: &mut Replay<'_, T>,
        group: &Group<'_, P>,
        data: &mut [f64],
    ) {
        let outputs = (0..self.outputs()).filter_map(|output| Some((output, group.seed(output)?)));
        let seeds: SmallVec<[(usize, T); LANES]> = outputs.collect();
        replay.swept(&seeds, |product| group.read(data, |input| product[input]));
    }

    /// Finds the entries of a derivative in the directions of columns.
    pub(super) fn groups_of_columns<P: Plan>(
        &self,
        of: Of<'_>,
        x: &[f64],
        plan: &P,
        data: &mut [f64],
    ) {
        for group in Group::all::<Plain<Lanes<LANES>>>(plan, &self.code) {
            if group.is_single() {
                self.product_of_columns(&self.directions.one, of, x, &group, data);
            } else {
                self.product_of_columns(&self.directions.several, of, x, &group, data);
            }
        }
    }

    fn product_of_columns<T: Tangent, P: Plan>(
        &self,
        pool: &Pool<Plain<T>>,
        of: Of<'_>,
        x: &[f64],
        group: &Group<'_, P>,
        data: &mut [f64],
    ) {
        pool.with(&self.code, |slots| {
            let mut replay = Replay::new(&self.code, slots);
            replay.at(group.point(x));
            match of {
                Of::Jacobian if replay.outputs().all(Element::is_finite) => {
                    group.read(data, |output| replay.output(output).tangent);
                }
                Of::Jacobian => {
                    let point: Vec<Plain<T>> = group.point(x).collect();
                    let outputs = self.outputs_by_the_rules(&point);
                    group.read(data, |output| outputs[output].tangent);
                }
                Of::Hessian(weights) => {
                    let seed = |&(output, weight)| (output, Plain::from_f64(weight));
                    let seeds: SmallVec<[(usize, Plain<T>); LANES]> =
                        weights.iter().map(seed).collect();
                    replay.swept(&seeds, |product| {
                        group.read(data, |input| product[input].tangent);
                    });
                }
            }
        });
    }

    /// The outputs by the engine's rules for what is not finite.
    pub(super) fn outputs_by_the_rules<E: Element>(&self, point: &[E]) -> Vec<E> {
        let each = (0..E::DIRECTIONS).map(|direction| {
            let point: Vec<E::Exact> = point.iter().map(|x| x.direction(direction)).collect();
            self.graph.evaluate(&point)
        });
        let each: Vec<Vec<E::Exact>> = each.collect();
        let output = |id: &Id| E::from_directions(|direction| each[direction][id.index()]);
        self.graph.outputs.iter().map(output).collect()
    }
}
