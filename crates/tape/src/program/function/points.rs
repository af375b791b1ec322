//! The last points with the paths that they took: the path of the nearest one is a good guess for the next.

use smallvec::SmallVec;

use crate::program::function::recent::PATHS;

/// So many points are remembered,
const POINTS: usize = 32;

/// of functions of at most so many inputs: of more, a distance says little, and costs much.
const INPUTS: usize = 8;

/// The bits of a place.
const PLACE: u32 = PATHS as u32 - 1;
const _: () = assert!(PATHS.is_power_of_two());

#[derive(Default)]
pub(super) struct Points {
    inputs: SmallVec<[Input; 1]>,
    /// The places of the paths.
    places: [u32; POINTS],
    /// How many points there have been.
    count: usize,
}

/// What one input was at the points.
struct Input {
    x: [f64; POINTS],
    /// The same, less the least one, in terms of the range: so that each input counts alike in a distance. A point that is none
    /// has NaN.
    scaled: [f32; POINTS],
    least: f64,
    scale: f64,
}

impl Points {
    /// The place of the path that the nearest point took.
    #[inline]
    pub(super) fn nearest(&self, x: &[f64]) -> Option<usize> {
        if self.count == 0 || self.inputs.len() != x.len() {
            return None;
        }
        let mut distances = [0.0; POINTS];
        for (input, &x) in self.inputs.iter().zip(x) {
            let x = input.scaled(x);
            for (distance, other) in distances.iter_mut().zip(&input.scaled) {
                *distance += (other - x) * (other - x);
            }
        }
        // As integers, numbers of one sign stand in the same order. The last bits have room for the place.
        let mut nearest = i32::MAX;
        for (distance, &place) in distances.iter().zip(&self.places) {
            let distance = distance.to_bits() & !PLACE | place;
            nearest = nearest.min(distance.cast_signed());
        }
        let is_one = nearest < f32::INFINITY.to_bits().cast_signed();
        is_one.then_some((nearest.cast_unsigned() & PLACE) as usize)
    }

    /// Remembers a point in the place of the oldest one.
    pub(super) fn push(&mut self, place: usize, x: &[f64]) {
        if x.len() > INPUTS {
            return;
        }
        if self.inputs.len() != x.len() {
            let inputs = x.iter().map(|&least| Input {
                x: [least; POINTS],
                scaled: [f32::NAN; POINTS],
                least,
                scale: 0.0,
            });
            *self = Self { inputs: inputs.collect(), places: [0; POINTS], count: 0 };
        }
        let at = self.count % POINTS;
        self.places[at] = place as u32;
        self.count += 1;
        let is_time_to_scale = self.count.is_power_of_two() || self.count.is_multiple_of(POINTS);
        for (input, &x) in self.inputs.iter_mut().zip(x) {
            input.x[at] = x;
            input.scaled[at] = input.scaled(x);
            if is_time_to_scale {
                input.scale();
            }
        }
    }

    /// Forgets the points that took the path in a place.
    pub(super) fn forget(&mut self, place: usize) {
        for at in (0..POINTS).filter(|&at| self.places[at] as usize == place) {
            self.inputs.iter_mut().for_each(|input| input.scaled[at] = f32::NAN);
        }
    }
}

impl Input {
    #[inline]
    fn scaled(&self, x: f64) -> f32 {
        ((x - self.least) * self.scale) as f32
    }

    /// Takes the input by its range.
    fn scale(&mut self) {
        self.least = self.x.iter().copied().fold(f64::INFINITY, f64::min);
        let range = self.x.iter().copied().fold(f64::NEG_INFINITY, f64::max) - self.least;
        self.scale = if range > 0.0 && range.recip().is_finite() { range.recip() } else { 0.0 };
        for at in 0..POINTS {
            if !self.scaled[at].is_nan() {
                self.scaled[at] = self.scaled(self.x[at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Points;

    #[test]
    fn the_nearest_of_the_last_points_is_found() {
        let mut points = Points::default();
        assert_eq!(points.nearest(&[1.0]), None);
        for i in 0..100 {
            points.push(i % 8, &[i as f64]);
        }
        assert_eq!(points.nearest(&[95.2]), Some(95 % 8));
        assert_eq!(points.nearest(&[f64::NAN]), None);
        assert_eq!(points.nearest(&[1.0, 2.0]), None);
    }

    #[test]
    fn inputs_count_by_their_ranges() {
        let mut points = Points::default();
        for i in 0..64 {
            points.push(i % 2, &[1e6 * i as f64, 1e-6 * (i % 2) as f64]);
        }
        assert_eq!(points.nearest(&[50.1e6, 1e-6]), Some(1));
        assert_eq!(points.nearest(&[50.9e6, 0.0]), Some(0));
    }

    #[test]
    fn what_is_forgotten_is_not_found() {
        let mut points = Points::default();
        points.push(3, &[0.0]);
        points.push(4, &[1.0]);
        points.forget(4);
        points.push(3, &[0.5]);
        assert_eq!(points.nearest(&[1.0]), Some(3));
    }
}
