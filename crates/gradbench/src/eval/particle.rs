//! `particle`: the control that makes a charged particle hit the origin. Its path is that of the gradient of a potential,
//! and the control is found by descent: a derivative inside a derivative.

use core::marker::PhantomData;

use serde::Deserialize;

use super::Module;
use crate::descent::{Forward, Mode, Number, Objective, Over, Reverse, argmin};
use crate::failure::Failure;
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "particle",
    functions: &[
        ("ff", |input| {
            measure(input, Ok, |input: &mut Input, _| control::<Forward, Forward>(input))
        }),
        ("fr", |input| {
            measure(input, Ok, |input: &mut Input, _| control::<Forward, Reverse>(input))
        }),
        ("rf", |input| {
            measure(input, Ok, |input: &mut Input, _| control::<Reverse, Forward>(input))
        }),
        ("rr", |input| {
            measure(input, Ok, |input: &mut Input, _| control::<Reverse, Reverse>(input))
        }),
    ],
};

#[derive(Deserialize)]
struct Input {
    w: f64,
}

/// The control, with its derivative by one mode, and that of the potential by the other.
fn control<Outer: Mode, Inner: Mode>(input: &Input) -> Result<f64, Failure> {
    let miss = Miss::<Inner>(PhantomData);
    if !miss.at(&[input.w]).is_finite() {
        let (what, expected) = ("w", "a control with which the particle comes down");
        return Err(Failure::Value { what, expected, given: input.w.to_string() });
    }
    Ok(argmin::<Outer, f64>(&miss, &[input.w])[0])
}

/// How far from the origin, squared, the particle crosses the axis, as a function of the control; ∞ where it has not come
/// down in time.
struct Miss<Inner>(PhantomData<Inner>);

/// How many steps the particle is given. Without control it takes 353.
const STEPS: usize = 10_000;

impl<Inner: Mode> Objective<f64> for Miss<Inner> {
    fn at<N: Over<f64>>(&self, w: &[N]) -> N {
        let number = N::from_f64;
        let potential =
            Potential([[number(10.0), number(10.0) - w[0]], [number(10.0), number(0.0)]]);
        let step = number(0.1);
        let mut place = [number(0.0), number(8.0)];
        let mut velocity = [number(0.75), number(0.0)];
        for _ in 0..STEPS {
            let slope = Inner::gradient(&potential, &place);
            place = [place[0] + step * velocity[0], place[1] + step * velocity[1]];
            if place[1] <= number(0.0) {
                let rest = -place[1] / velocity[1];
                let crossing = place[0] + rest * velocity[0];
                return crossing * crossing;
            }
            velocity = [velocity[0] - step * slope[0], velocity[1] - step * slope[1]];
        }
        number(f64::INFINITY)
    }
}

/// Σ 1/‖x − charge‖.
struct Potential<T>([[T; 2]; 2]);

impl<T: Number> Objective<T> for Potential<T> {
    fn at<N: Over<T>>(&self, x: &[N]) -> N {
        let [a, b] = self.0.map(|[px, py]| {
            let (dx, dy) = (x[0] - N::constant(px), x[1] - N::constant(py));
            (dx * dx + dy * dy).sqrt().recip()
        });
        a + b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What GradBench expects of the start 0.
    const PUBLISHED: f64 = 0.207_191_874_648_611_6;

    #[track_caller]
    fn check<Outer: Mode, Inner: Mode>() {
        let control = control::<Outer, Inner>(&Input { w: 0.0 }).unwrap();
        assert!((control - PUBLISHED).abs() <= 1e-12, "{control}, not {PUBLISHED}");
    }

    #[test]
    fn forward_over_forward_finds_the_published_control() {
        check::<Forward, Forward>();
    }

    #[test]
    fn forward_over_reverse_finds_the_published_control() {
        check::<Forward, Reverse>();
    }

    #[test]
    fn reverse_over_forward_finds_the_published_control() {
        check::<Reverse, Forward>();
    }

    #[test]
    fn reverse_over_reverse_finds_the_published_control() {
        check::<Reverse, Reverse>();
    }

    #[test]
    fn a_particle_that_never_comes_down_is_a_failure() {
        for w in [-100.0, 15.0, 1e300] {
            let failure = control::<Reverse, Reverse>(&Input { w }).unwrap_err().to_string();
            let expected =
                "the input's w must be a control with which the particle comes down, not";
            assert!(failure.starts_with(expected), "{failure}");
        }
    }

    fn miss(w: f64) -> f64 {
        Miss::<Forward>(PhantomData).at(&[w])
    }

    #[test]
    fn with_the_published_control_the_particle_hits_the_origin() {
        assert!(miss(PUBLISHED) < 1e-8, "{}", miss(PUBLISHED));
    }

    #[test]
    fn without_control_it_misses() {
        assert!(miss(0.0) > 0.1, "{}", miss(0.0));
    }

    #[test]
    fn the_potential_is_the_sum_of_reciprocal_distances() {
        // 1/5 of (3, 4), and 1/10 of (6, 8).
        let potential = Potential([[3.0, 4.0], [6.0, 8.0]]);
        assert_eq!(potential.at(&[0.0, 0.0]), 0.2 + 0.1);
    }

    #[test]
    fn the_potential_falls_away_from_a_charge() {
        // −x/‖x‖³ for (0, 2) from a charge at (0, 0) and for (0, 1) from one at (0, 1).
        let potential = Potential([[0.0, 0.0], [0.0, 1.0]]);
        assert_eq!(Reverse::gradient(&potential, &[0.0, 2.0]), [0.0, -0.25 - 1.0]);
    }
}
