//! The distances of all points from all components, as one operation: of plain numbers by products of matrices.

use core::ops::Range;
use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::reborrow::{Reborrow, ReborrowMut};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use tape::{Operation, Real, as_f64};

use super::{Components, Sizes};
use crate::rows::Rows;

/// ‖Qₖ(xᵢ − μₖ)‖² for each component and each point, from all μ, the diagonals of all Q, and all l.
///
/// With D for the rows xᵢ − μₖ and W = D·Qᵀ, the adjoints are W̅ = 2·y̅∘W, Q̅ = W̅ᵀ·D and μ̅ = −Σᵢ (W̅·Q)ᵢ.
pub(super) struct Distances {
    pub(super) sizes: Sizes,
    pub(super) points: Arc<Rows>,
}

/// What the inputs are made of, and the adjoints of the inputs.
struct Parts<S> {
    mu: S,
    diagonal: S,
    l: S,
}

impl Sizes {
    fn numbers(self) -> usize {
        self.components * self.dimension
    }
}

impl Distances {
    fn parts<'a, T>(&self, x: &'a [T]) -> Parts<&'a [T]> {
        let (mu, rest) = x.split_at(self.sizes.numbers());
        let (diagonal, l) = rest.split_at(self.sizes.numbers());
        Parts { mu, diagonal, l }
    }
}

/// So many points are done at a time: their numbers stay in a processor's cache.
const POINTS: usize = 192;

/// Room for a component in plain numbers.
struct Plain {
    /// Q, with zeros above its diagonal.
    q: Mat<f64>,
    /// A column for each point of a block.
    centred: Mat<f64>,
    whitened: Mat<f64>,
}

impl Plain {
    fn new(d: usize) -> Self {
        let [centred, whitened] = [(); 2].map(|()| Mat::zeros(d, POINTS));
        Self { q: Mat::zeros(d, d), centred, whitened }
    }
}

impl Distances {
    fn each_component<R: Send>(&self, compute: impl Fn(usize, &mut Plain) -> R + Sync) -> Vec<R> {
        let room = || Plain::new(self.sizes.dimension);
        let components = (0..self.sizes.components).into_par_iter();
        components.map_init(room, |room, k| compute(k, room)).collect()
    }

    /// Makes Q, and for each block of points D and W; hands them on with the positions of the points.
    fn each_block(
        &self,
        x: &[f64],
        k: usize,
        room: &mut Plain,
        mut use_block: impl FnMut(Range<usize>, MatRef<'_, f64>, MatMut<'_, f64>),
    ) {
        let d = self.sizes.dimension;
        let Parts { mu, diagonal, l } = self.parts(x);
        let (mu, diagonal) = (&mu[k * d..][..d], &diagonal[k * d..][..d]);
        let mut below = &l[k * self.sizes.below()..];
        let Plain { q, centred, whitened } = room;
        for i in 0..d {
            let (column, rest) = below.split_at(d - 1 - i);
            below = rest;
            q[(i, i)] = diagonal[i];
            q.col_mut(i).iter_mut().skip(i + 1).zip(column).for_each(|(to, &l)| *to = l);
        }
        let count = self.points.count();
        for first in (0..count).step_by(POINTS) {
            let block = first..count.min(first + POINTS);
            let mut centred = centred.as_mut().subcols_mut(0, block.len());
            let mut whitened = whitened.as_mut().subcols_mut(0, block.len());
            for (j, i) in block.clone().enumerate() {
                let numbers = self.points.row(i).iter().zip(mu);
                let column = centred.rb_mut().col_mut(j);
                column.iter_mut().zip(numbers).for_each(|(to, (x, mu))| *to = x - mu);
            }
            let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            let (to, one) = (whitened.rb_mut(), Accum::Replace);
            triangular::matmul(to, whole, one, &*q, lower, centred.rb(), whole, 1.0, Par::Seq);
            use_block(block, centred.rb(), whitened);
        }
    }

    fn value_of(&self, x: &[f64], k: usize, room: &mut Plain) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.points.count());
        self.each_block(x, k, room, |_, _, whitened| {
            values.extend(whitened.rb().col_iter().map(|column| column.squared_norm_l2()));
        });
        values
    }

    /// The adjoints of μ, the diagonal and l of a component.
    fn reverse_of(
        &self,
        x: &[f64],
        adjoint: &[f64],
        k: usize,
        room: &mut Plain,
    ) -> Parts<Vec<f64>> {
        let d = self.sizes.dimension;
        let (mut sum, mut of_q) = (vec![0.0; d], Mat::zeros(d, d));
        self.each_block(x, k, room, |block, centred, mut whitened| {
            for (j, &adjoint) in adjoint[block].iter().enumerate() {
                let column = whitened.rb_mut().col_mut(j);
                for (sum, entry) in sum.iter_mut().zip(column.iter_mut()) {
                    *entry *= 2.0 * adjoint;
                    *sum += *entry;
                }
            }
            let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            let (to, more, centred) = (of_q.as_mut(), Accum::Add, centred.transpose());
            triangular::matmul(to, lower, more, whitened, whole, centred, whole, 1.0, Par::Seq);
        });
        let mut mu = vec![0.0; d];
        let to = MatMut::from_column_major_slice_mut(&mut mu, d, 1);
        let sum = MatRef::from_column_major_slice(&sum, d, 1);
        matmul(to, Accum::Replace, room.q.transpose(), sum, -1.0, Par::Seq);
        let diagonal = (0..d).map(|i| of_q[(i, i)]).collect();
        let below = (0..d).flat_map(|i| (i + 1..d).map(move |row| (row, i)));
        Parts { mu, diagonal, l: below.map(|at| of_q[at]).collect() }
    }
}

impl Operation for Distances {
    fn name(&self) -> &'static str {
        "distances"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.sizes.components * (2 * self.sizes.dimension + self.sizes.below()))
    }

    fn outputs(&self, _: usize) -> usize {
        self.sizes.components * self.points.count()
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let count = self.points.count();
        if let Some(x) = as_f64(x) {
            let of_components: Vec<Vec<f64>> =
                self.each_component(|k, room| self.value_of(x, k, room));
            let values = of_components.into_iter().flatten();
            y.iter_mut().zip(values).for_each(|(y, value)| *y = T::from_f64(value));
            return;
        }
        let Parts { mu, diagonal, l } = self.parts(x);
        let shared = Components { sizes: self.sizes, mu, l, diagonal };
        let mut room = super::Room::new(self.sizes);
        for (k, y) in y.chunks_exact_mut(count).enumerate() {
            for (y, point) in y.iter_mut().zip(self.points.iter()) {
                let point: Vec<T> = point.iter().map(|&x| T::from_f64(x)).collect();
                *y = shared.distance(&point, k, &mut room);
            }
        }
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let d = self.sizes.dimension;
        let (below, count) = (self.sizes.below(), self.points.count());
        let (into_mu, rest) = into.split_at_mut(self.sizes.numbers());
        let (into_diagonal, into_l) = rest.split_at_mut(self.sizes.numbers());
        if let (Some(x), Some(adjoint)) = (as_f64(x), as_f64(adjoint)) {
            let of_components = self.each_component(|k, room| {
                self.reverse_of(x, &adjoint[k * count..][..count], k, room)
            });
            for (k, Parts { mu, diagonal, l }) in of_components.into_iter().enumerate() {
                let put = |into: &mut [T], numbers: Vec<f64>| {
                    into.iter_mut().zip(numbers).for_each(|(to, x)| *to = T::from_f64(x));
                };
                put(&mut into_mu[k * d..], mu);
                put(&mut into_diagonal[k * d..], diagonal);
                put(&mut into_l[k * below..], l);
            }
            return;
        }
        let Parts { mu, diagonal, l } = self.parts(x);
        let shared = Components { sizes: self.sizes, mu, l, diagonal };
        let mut room = super::Room::new(self.sizes);
        for (k, adjoints) in adjoint.chunks_exact(count).enumerate() {
            let (diagonal, l) = (&diagonal[k * d..][..d], &l[k * below..][..below]);
            for (&adjoint, point) in adjoints.iter().zip(self.points.iter()) {
                let point: Vec<T> = point.iter().map(|&x| T::from_f64(x)).collect();
                shared.distance(&point, k, &mut room);
                let mut of_l = 0;
                for i in 0..d {
                    let by = |j: usize| adjoint * T::from_f64(2.0) * room.whitened[j];
                    into_diagonal[k * d + i] += by(i) * room.centred[i];
                    let mut of_centred = by(i) * diagonal[i];
                    for j in i + 1..d {
                        into_l[k * below + of_l] += by(j) * room.centred[i];
                        of_centred += by(j) * l[of_l];
                        of_l += 1;
                    }
                    into_mu[k * d + i] -= of_centred;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;

    #[test]
    fn the_operation_has_the_derivatives_of_its_value() {
        let sizes = Sizes { dimension: 3, components: 2 };
        let points =
            Arc::new(Rows::new(3, oracle::numbers(12).into_iter().map(f64::sin).collect()));
        let inputs = 2 * (3 + 3 + 3);
        let x: Vec<f64> = (0..inputs).map(|i| (f64::from(i) * 1.7).cos()).collect();
        let distances = Arc::new(Distances { sizes, points });
        assert!(tape::check::operation(&distances, &x).is_pass());
    }
}
