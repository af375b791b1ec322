//! `kmeans`: the cost of a clustering, Σᵢ minⱼ ‖pᵢ − cⱼ‖², and the step of Newton's method with respect to the centroids.

use serde::Deserialize;
use tape::{Batch, Lanes, Real, Rewrites, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, check_length, check_some};
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
        check_some("points", points.data.len())?;
        check_some("centroids", centroids.count())?;
        check_length("centroids", points.columns, centroids.columns)?;
        Ok(Self { points, centroids })
    }

    fn cost(&self) -> f64 {
        let mut cost = 0.0;
        self.each_nearest(|_, _, distance| cost += distance);
        cost
    }

    /// Calls `each` with every point's index, its nearest centroid's, and their distance squared. Of several that are
    /// nearest it is the first.
    fn each_nearest(&self, mut each: impl FnMut(usize, usize, f64)) {
        let blocks = blocks_of(&self.centroids);
        vectorised(
            #[inline(always)]
            || {
                for (i, point) in self.points.iter().enumerate() {
                    let (nearest, distance) = nearest(point, &blocks);
                    each(i, nearest, distance);
                }
            },
        );
    }
}

/// ‖p − c‖².
#[inline(always)]
fn squared_distance<T: Real>(p: impl Iterator<Item = T>, c: &[T]) -> T {
    let mut sum = T::from_f64(0.0);
    for (p, &c) in p.zip(c) {
        let difference = p - c;
        sum += difference * difference;
    }
    sum
}

const LANES: usize = 4;

/// The centroids, four side by side; those that are missing in the last block are infinitely far away.
fn blocks_of(centroids: &Rows) -> Vec<Vec<Lanes<LANES>>> {
    let number = |index: usize, axis: usize| {
        if index < centroids.count() { centroids.row(index)[axis] } else { f64::INFINITY }
    };
    let block = |first: usize| {
        let axes = 0..centroids.columns;
        axes.map(|axis| Lanes(core::array::from_fn(|lane| number(first + lane, axis)))).collect()
    };
    (0..centroids.count()).step_by(LANES).map(block).collect()
}

/// The nearest centroid, and its distance squared.
#[inline(always)]
fn nearest(point: &[f64], blocks: &[Vec<Lanes<LANES>>]) -> (usize, f64) {
    let mut least = [f64::INFINITY; LANES];
    let mut block_of_least = [0_u64; LANES];
    for (index, block) in (0..).zip(blocks) {
        let distances = squared_distance(point.iter().map(|&x| Lanes::splat(x)), block).0;
        for lane in 0..LANES {
            let is_less = distances[lane] < least[lane];
            least[lane] = if is_less { distances[lane] } else { least[lane] };
            block_of_least[lane] = if is_less { index } else { block_of_least[lane] };
        }
    }
    let mut nearest = (0, f64::INFINITY);
    for (lane, (distance, block)) in least.into_iter().zip(block_of_least).enumerate() {
        let index = block as usize * LANES + lane;
        if distance < nearest.1 || (distance == nearest.1 && index < nearest.0) {
            nearest = (index, distance);
        }
    }
    nearest
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
            let distance = |c: &[Var<Var>]| squared_distance(point.iter().copied(), c);
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

#[cfg(test)]
mod tests {
    use tape::Dual;

    use super::*;
    use crate::descent::Number;
    use crate::oracle::{self, assert_close, rows};

    fn input(points: &[Vec<f64>], centroids: &[Vec<f64>]) -> Input {
        oracle::read(serde_json::json!({ "points": points, "centroids": centroids }))
    }

    fn cost(points: &[Vec<f64>], centroids: &[Vec<f64>]) -> f64 {
        Clustering::new(input(points, centroids)).unwrap().cost()
    }

    fn direction(points: &[Vec<f64>], centroids: &[Vec<f64>]) -> Vec<f64> {
        Prepared::new(input(points, centroids)).unwrap().direction().unwrap().data
    }

    /// The cost as it is written, with the centroids one after the other.
    fn objective<T: Number>(points: &[Vec<f64>], centroids: &[T]) -> T {
        T::sum_over(points, |point| {
            let distances = centroids
                .chunks(point.len())
                .map(|centroid| squared_distance(point.iter().map(|&x| T::from_f64(x)), centroid));
            distances.reduce(|a, b| if b < a { b } else { a }).unwrap()
        })
    }

    /// Two clusters on a line: 0 and 3 about 1, 10 about 9.
    fn line() -> [Vec<Vec<f64>>; 2] {
        [vec![vec![0.0], vec![3.0], vec![10.0]], vec![vec![1.0], vec![9.0]]]
    }

    #[test]
    fn every_point_costs_its_least_squared_distance() {
        // 1² + 2² + 1².
        let [points, centroids] = line();
        assert_eq!(cost(&points, &centroids), 6.0);
    }

    #[test]
    fn the_direction_is_from_the_mean_to_the_centroid() {
        // 1 − (0 + 3)/2 and 9 − 10.
        let [points, centroids] = line();
        assert_eq!(direction(&points, &centroids), [-0.5, -1.0]);
    }

    #[test]
    fn distances_are_squared_over_all_axes() {
        // 3² + 4².
        assert_eq!(cost(&[vec![0.0, 0.0]], &[vec![3.0, 4.0]]), 25.0);
    }

    #[track_caller]
    fn check_nearest(centroids: &[f64], expected: usize) {
        let centroids = Rows::new(1, centroids.to_vec());
        assert_eq!(nearest(&[0.0], &blocks_of(&centroids)), (expected, 1.0));
    }

    #[test]
    fn the_nearest_may_be_in_the_last_block() {
        let mut centroids = [2.0; 2 * LANES + 1];
        centroids[2 * LANES] = 1.0;
        check_nearest(&centroids, 2 * LANES);
    }

    #[test]
    fn of_two_that_are_nearest_in_a_block_it_is_the_first() {
        check_nearest(&[2.0, 1.0, -1.0], 1);
    }

    #[test]
    fn of_two_that_are_nearest_in_a_lane_it_is_the_first() {
        let mut centroids = [2.0; 2 * LANES];
        (centroids[1], centroids[1 + LANES]) = (1.0, -1.0);
        check_nearest(&centroids, 1);
    }

    #[test]
    fn of_two_that_are_nearest_in_different_blocks_it_is_the_first() {
        let mut centroids = [2.0; 2 * LANES];
        (centroids[1], centroids[LANES]) = (1.0, -1.0);
        check_nearest(&centroids, 1);
    }

    /// Enough points that each of the centroids is the nearest of some.
    fn clouds() -> [Vec<Vec<f64>>; 2] {
        let points = rows(100, 3);
        let centroids = points[..11].iter().map(|point| point.iter().map(|x| 0.9 * x).collect());
        let centroids = centroids.collect();
        [points, centroids]
    }

    #[test]
    fn the_cost_is_the_objective() {
        let [points, centroids] = clouds();
        assert_close(&[cost(&points, &centroids)], &[objective(&points, &centroids.concat())]);
    }

    #[test]
    fn the_direction_is_that_of_duals_of_duals() {
        let [points, centroids] = clouds();
        let place = centroids.concat();
        let quotient = |i: usize| {
            let seeded = |(j, &x): (usize, &f64)| {
                let tangent = f64::from(u8::from(j == i));
                Dual::new(Dual::new(x, tangent), Dual::constant(tangent))
            };
            let place: Vec<Dual<Dual>> = place.iter().enumerate().map(seeded).collect();
            let derivative = objective(&points, &place).tangent;
            derivative.value / derivative.tangent
        };
        let expected: Vec<f64> = (0..place.len()).map(quotient).collect();
        assert_close(&direction(&points, &centroids), &expected);
    }
}
