//! `kmeans`: the cost of a clustering, Σᵢ minⱼ ‖pᵢ − cⱼ‖², and the step of Newton's method with respect to the centroids.

use serde::Deserialize;
use tape::{Batch, Real, Rewrites, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, assert_length, assert_some};
use crate::measure::measure;
use crate::rows::Rows;

pub(super) const MODULE: Module = Module {
    name: "kmeans",
    functions: &[
        ("cost", |input| measure(input, Clustering::new, |clustering, _| Ok(clustering.cost()))),
        ("dir", |input| measure(input, Prepared::new, |prepared, _| prepared.direction())),
    ],
};

#[derive(Deserialize)]
struct Input {
    points: Rows,
    centroids: Rows,
}

struct Clustering {
    points: Rows,
    centroids: Rows,
}

impl Clustering {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { points, centroids } = input;
        assert_some("points", points.data.len())?;
        assert_some("centroids", centroids.count())?;
        assert_length("centroids", points.columns, centroids.columns)?;
        Ok(Self { points, centroids })
    }

    fn cost(&self) -> f64 {
        let mut cost = 0.0;
        self.each_nearest(|_, _, distance| cost += distance);
        cost
    }

    /// Calls `each` with every point's index, its nearest centroid's, and their distance squared.
    fn each_nearest(&self, mut each: impl FnMut(usize, usize, f64)) {
        let count = self.centroids.count();
        let columns = transposed(&self.centroids);
        let mut distances = vec![0.0; count];
        vectorised(
            #[inline(always)]
            || {
                for (i, point) in self.points.iter().enumerate() {
                    distances.fill(0.0);
                    for (column, &x) in columns.chunks_exact(count).zip(point) {
                        for (distance, &c) in distances.iter_mut().zip(column) {
                            *distance += square(x - c);
                        }
                    }
                    let (nearest, distance) = least(&distances);
                    each(i, nearest, distance);
                }
            },
        );
    }
}

#[inline(always)]
fn square<T: Real>(x: T) -> T {
    x * x
}

/// ‖p − c‖².
fn squared_distance<T: Real>(p: &[T], c: &[T]) -> T {
    let differences: Vec<T> = p.iter().zip(c).map(|(&p, &c)| p - c).collect();
    T::dot(&differences, &differences)
}

/// The columns one after the other, so that many centroids are compared at a time.
fn transposed(rows: &Rows) -> Vec<f64> {
    (0..rows.columns).flat_map(|column| rows.iter().map(move |row| row[column])).collect()
}

/// The first of the least numbers, and its index.
#[inline(always)]
fn least(numbers: &[f64]) -> (usize, f64) {
    let least = numbers.iter().fold(f64::INFINITY, |least, &x| if x < least { x } else { least });
    (numbers.iter().position(|&x| x == least).unwrap_or(0), least)
}

type Derivatives = Box<dyn Fn(&[Var], &[Var]) -> Vec<Var> + Sync>;

/// The derivatives of one distance, traced.
struct Prepared {
    clustering: Clustering,
    /// From a point and its centroid to the gradient with respect to the centroid, and the Hessian's diagonal.
    derivatives: Batch<Derivatives>,
    pairs: Vec<f64>,
    terms: Vec<f64>,
    nearest: Vec<usize>,
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let clustering = Clustering::new(input)?;
        let (count, d) = (clustering.points.count(), clustering.points.columns);
        let derivatives: Derivatives = Box::new(move |_, pair| {
            let (point, centroid) = pair.split_at(d);
            let point: Vec<Var<Var>> = point.iter().map(|&x| Var::constant(x)).collect();
            // A Hessian that is diagonal is its product with ones.
            let ones = vec![Var::constant(1.0); d];
            let distance = |c: &[Var<Var>]| squared_distance(&point, c);
            let (_, gradient, diagonal) = tape::hessian_vector(distance, centroid, &ones);
            [gradient, diagonal].concat()
        });
        let derivatives =
            Batch::trace_with(Rewrites::Relaxed, derivatives, &[], &vec![0.0; 2 * d])?;
        let room = vec![0.0; count * 2 * d];
        Ok(Self {
            clustering,
            derivatives,
            pairs: room.clone(),
            terms: room,
            nearest: vec![0; count],
        })
    }

    /// The gradient divided by the Hessian's diagonal.
    fn direction(&mut self) -> Result<Rows, Failure> {
        let Self { clustering, derivatives, pairs, terms, nearest } = self;
        let Clustering { points, centroids } = &*clustering;
        let d = points.columns;
        clustering.each_nearest(|i, centroid, _| {
            nearest[i] = centroid;
            let (point, place) = pairs[i * 2 * d..][..2 * d].split_at_mut(d);
            point.copy_from_slice(points.row(i));
            place.copy_from_slice(centroids.row(centroid));
        });
        derivatives.map_into(&[], &**pairs, terms)?;
        let mut sums = vec![0.0; centroids.count() * 2 * d];
        for (term, &centroid) in terms.chunks_exact(2 * d).zip(&*nearest) {
            let sums = &mut sums[centroid * 2 * d..][..2 * d];
            sums.iter_mut().zip(term).for_each(|(sum, part)| *sum += part);
        }
        let direction = sums.chunks_exact(2 * d).flat_map(|sums| {
            let (gradient, diagonal) = sums.split_at(d);
            gradient.iter().zip(diagonal).map(|(gradient, diagonal)| gradient / diagonal)
        });
        Ok(Rows::new(d, direction.collect()))
    }
}
