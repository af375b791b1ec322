//! Dot products, forwards and backwards: a way for each [`Shape`] of their columns; and sums, a tile at a time as they are.
//!
//! The operands are a number to start from, if their count is odd, and pairs of factors.

use super::Machine;
use super::accumulate::{
    WAYS, accumulate, accumulate_products, added_to, interleaved, sum_of, total,
};
use super::forward::each_pair;
use super::operand::span_length;
use crate::program::code::{Column, Kind, NONE, Shape, Step};
use crate::program::machine::element::Element;

/// How many instances are kept in registers at a time, and how many of the rest.
const TILE: usize = 32;
/// Of numbers of half the size.
const SINGLE_TILE: usize = 64;
const SMALL_TILE: usize = 8;

/// The adjoints of so few pairs are taken pair by pair.
const FEW: usize = 2;

/// How many shared factors get their sums together.
const BLOCK: usize = 16;

/// Works on all instances, a tile at a time and the rest one by one: from an instance on, on N of them.
macro_rules! in_tiles {
    ($count:expr, |$first:ident| $work:expr) => {
        let (count, mut $first) = ($count, 0);
        while E::IS_SINGLE && $first + SINGLE_TILE <= count {
            const N: usize = SINGLE_TILE;
            $work;
            $first += N;
        }
        while $first + TILE <= count {
            const N: usize = TILE;
            $work;
            $first += N;
        }
        while $first + SMALL_TILE <= count {
            const N: usize = SMALL_TILE;
            $work;
            $first += N;
        }
        while $first < count {
            const N: usize = 1;
            $work;
            $first += N;
        }
    };
}

/// The columns of a dot product.
#[derive(Clone, Copy)]
struct Factors<'a> {
    start: Option<&'a Column>,
    pairs: &'a [Column],
}

impl<'a> Factors<'a> {
    fn each(self) -> impl Iterator<Item = (&'a Column, &'a Column)> {
        self.pairs.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))
    }
}

impl<E: Element> Machine<'_, E> {
    #[inline(always)]
    fn factors(&self, step: &Step) -> Factors<'_> {
        let (start, pairs) = self.code.columns_of(step).split_at(step.arity as usize % 2);
        Factors { start: start.first(), pairs }
    }

    #[inline(always)]
    pub(super) fn compute_dot(&self, step: &Step) {
        let factors = self.factors(step);
        match step.shape {
            Shape::Span => self.dot_of_spans(step, factors),
            Shape::Single => self.dot_of_singles(step, factors),
            Shape::SameByRun if E::HAS_TILES => {
                self.dot_in_tiles(step, factors, |column, _, _| {
                    let x = self.single(column);
                    move |_| x
                });
            }
            Shape::Runs if E::HAS_TILES => {
                self.dot_in_tiles(step, factors, |column, first, count| {
                    let x = &self.values[column.value as usize + first..][..count];
                    move |position: usize| x[position].get()
                });
            }
            _ => self.dot_by_products(step, factors),
        }
    }

    #[inline(always)]
    fn dot_of_spans(&self, step: &Step, Factors { start, pairs }: Factors<'_>) {
        let length = span_length(step);
        let (x, y) = (self.values_of(&pairs[0], length), self.values_of(&pairs[1], length));
        let product = |item: usize| x.at(item).get() * y.at(item).get();
        // The first product is not added to 0: that would lose the sign of −0.
        self.results(step)[0].set(match start {
            Some(start) => added_to(self.single(start), 0..length, product),
            None => added_to(product(0), 1..length, product),
        });
    }

    #[inline(always)]
    fn dot_of_singles(&self, step: &Step, Factors { start, pairs }: Factors<'_>) {
        let length = pairs.len() / 2;
        let product = |item| self.single(&pairs[2 * item]) * self.single(&pairs[2 * item + 1]);
        self.results(step)[0].set(match start {
            Some(start) => added_to(self.single(start), 0..length, product),
            None => added_to(product(0), 1..length, product),
        });
    }

    /// Product by product: what kinds of operands they have is asked once for all instances.
    #[inline(always)]
    fn dot_by_products(&self, step: &Step, factors: Factors<'_>) {
        let results = self.results(step);
        let count = results.len();
        let mut is_begun = false;
        if let Some(start) = factors.start {
            let start = self.values_of(start, count);
            for (instance, result) in results.iter().enumerate() {
                result.set(start.at(instance).get());
            }
            is_begun = true;
        }
        for (x, y) in factors.each() {
            let (x, y) = (self.values_of(x, count), self.values_of(y, count));
            if is_begun {
                each_pair(x, y, results, |result, x, y| result.set(result.get() + x * y));
            } else {
                each_pair(x, y, results, |result, x, y| result.set(x * y));
            }
            is_begun = true;
        }
    }

    /// Dot products whose second factors are rows of slots, a tile of instances at a time. `factor` gives the first factor
    /// of a pair: from its column, the first instance of the tile, and their number.
    #[inline(always)]
    fn dot_in_tiles<X: Fn(usize) -> E>(
        &self,
        step: &Step,
        factors: Factors<'_>,
        factor: impl Fn(&Column, usize, usize) -> X,
    ) {
        in_tiles!(self.count(step), |first| self.dot_tile::<N, X>(step, factors, first, &factor));
    }

    /// One tile. Every index into the sums is known to the compiler, so that they stay in registers.
    #[inline(always)]
    fn dot_tile<const N: usize, X: Fn(usize) -> E>(
        &self,
        step: &Step,
        Factors { start, pairs }: Factors<'_>,
        first: usize,
        factor: &impl Fn(&Column, usize, usize) -> X,
    ) {
        let (mut sums, rest): ([E; N], _) = match start {
            Some(start) if start.kind == Kind::Run => (self.tile_at(start, first), pairs),
            Some(start) => {
                let start = self.values_of(start, self.count(step));
                (tile(|position| start.at(first + position).get()), pairs)
            }
            None => {
                let (x, y): (_, [E; N]) =
                    (factor(&pairs[0], first, N), self.tile_at(&pairs[1], first));
                (tile(|position| x(position) * y[position]), &pairs[2..])
            }
        };
        for pair in rest.chunks_exact(2) {
            let x = factor(&pair[0], first, N);
            let y: [E; N] = self.tile_at(&pair[1], first);
            for position in 0..N {
                sums[position] += x(position) * y[position];
            }
        }
        let results = &self.results(step)[first..][..N];
        for position in 0..N {
            results[position].set(sums[position]);
        }
    }

    /// A sum whose terms are rows of slots.
    #[inline(always)]
    pub(super) fn sum_in_tiles(&self, step: &Step) {
        let columns = self.code.columns_of(step);
        in_tiles!(self.count(step), |first| self.sum_tile::<N>(step, columns, first));
    }

    #[inline(always)]
    fn sum_tile<const N: usize>(&self, step: &Step, columns: &[Column], first: usize) {
        let mut sums: [E; N] = self.tile_at(&columns[0], first);
        for column in &columns[1..] {
            let terms: [E; N] = self.tile_at(column, first);
            for position in 0..N {
                sums[position] += terms[position];
            }
        }
        let results = &self.results(step)[first..][..N];
        for position in 0..N {
            results[position].set(sums[position]);
        }
    }

    /// The values of a row of slots, from an instance on.
    #[inline(always)]
    fn tile_at<const N: usize>(&self, column: &Column, first: usize) -> [E; N] {
        let cells = &self.values[column.value as usize + first..][..N];
        tile(|position| cells[position].get())
    }

    #[inline(always)]
    pub(super) fn propagate_dot(&self, step: &Step) {
        let factors = self.factors(step);
        let weights = self.weights(step);
        let count = weights.len();
        if let Some(start) = factors.start
            && let Some(adjoint) = self.adjoints_of(start, count)
        {
            accumulate(adjoint, count, |instance| weights[instance].get());
        }
        match step.shape {
            Shape::Span => self.propagate_spans(step, factors),
            Shape::Single => self.propagate_singles(step, factors),
            // A tile saves reading the weights for each pair, and adds up the shared factors' sums tile by tile.
            Shape::SameByRun if E::HAS_TILES && factors.pairs.len() > 2 * FEW => {
                self.propagate_in_tiles(step, factors);
            }
            _ => {
                for (x, y) in factors.each() {
                    for (to, from) in [(x, y), (y, x)] {
                        if let Some(adjoint) = self.adjoints_of(to, count) {
                            accumulate_products(adjoint, weights, self.values_of(from, count));
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn propagate_spans(&self, step: &Step, Factors { pairs, .. }: Factors<'_>) {
        let (length, weight) = (span_length(step), self.weights(step)[0].get());
        for (to, from) in [(&pairs[0], &pairs[1]), (&pairs[1], &pairs[0])] {
            if let Some(adjoint) = self.adjoints_of(to, length) {
                let from = self.values_of(from, length);
                accumulate(adjoint, length, |item| weight * from.at(item).get());
            }
        }
    }

    #[inline(always)]
    fn propagate_singles(&self, step: &Step, factors: Factors<'_>) {
        let weight = self.weights(step)[0].get();
        for (x, y) in factors.each() {
            for (to, from) in [(x, y), (y, x)] {
                if to.adjoint != NONE {
                    let adjoint = &self.adjoints[to.adjoint as usize];
                    adjoint.set(adjoint.get() + weight * self.single(from));
                }
            }
        }
    }

    /// Adds to the adjoints of shared factors, by way of a few memory cells: the sums of a tile and their total in one
    /// expression would be compiled to vectors of two numbers.
    #[inline(always)]
    fn propagate_to_shared<const N: usize>(
        &self,
        weights: &[E; N],
        pairs: &[Column],
        first: usize,
    ) {
        let mut sums = [[E::ZERO; WAYS]; BLOCK];
        for (pair, sums) in pairs.chunks_exact(2).zip(&mut sums) {
            if pair[0].adjoint != NONE {
                let y = &self.values[pair[1].value as usize + first..][..N];
                *sums = interleaved(N, |position| weights[position] * y[position].get());
            }
        }
        for (pair, sums) in pairs.chunks_exact(2).zip(&sums) {
            if pair[0].adjoint != NONE {
                let adjoint = &self.adjoints[pair[0].adjoint as usize];
                adjoint.set(adjoint.get() + total(*sums));
            }
        }
    }

    #[inline(always)]
    fn propagate_in_tiles(&self, step: &Step, factors: Factors<'_>) {
        in_tiles!(self.count(step), |first| self.propagate_tile::<N>(step, factors, first));
    }

    /// A tile of the instances of dot products of shared factors by rows: a shared factor gets a sum, a row a row.
    #[inline(always)]
    fn propagate_tile<const N: usize>(&self, step: &Step, factors: Factors<'_>, first: usize) {
        let cells = &self.weights(step)[first..][..N];
        let weights: [E; N] = tile(|position| cells[position].get());
        if N >= TILE {
            for pairs in factors.pairs.chunks(2 * BLOCK) {
                self.propagate_to_shared(&weights, pairs, first);
            }
        }
        for (x, y) in factors.each() {
            if N < TILE && x.adjoint != NONE {
                let y = &self.values[y.value as usize + first..][..N];
                let adjoint = &self.adjoints[x.adjoint as usize];
                let sum = if N == 1 {
                    weights[0] * y[0].get()
                } else {
                    sum_of(N, |position| weights[position] * y[position].get())
                };
                adjoint.set(adjoint.get() + sum);
            }
            if y.adjoint != NONE {
                let (x, is_stored) = (self.single(x), y.is_stored);
                let adjoints = &self.adjoints[y.adjoint as usize + first..][..N];
                if is_stored {
                    for position in 0..N {
                        adjoints[position].set(weights[position] * x);
                    }
                } else {
                    for position in 0..N {
                        adjoints[position].set(adjoints[position].get() + weights[position] * x);
                    }
                }
            }
        }
    }
}

/// A tile of numbers, by position.
#[inline(always)]
fn tile<E: Element, const N: usize>(number: impl Fn(usize) -> E) -> [E; N] {
    let mut tile = [E::ZERO; N];
    for (position, slot) in tile.iter_mut().enumerate() {
        *slot = number(position);
    }
    tile
}
