//! `saddle`: the saddle point of ‖x‖² − ‖y‖², as the least of a greatest: a descent inside a descent.

use std::marker::PhantomData;

use serde::Deserialize;

use super::Module;
use crate::descent::{Forward, Mode, Number, Objective, Over, Reverse, argmax, argmin};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "saddle",
    functions: &[
        ("ff", |input| {
            measure(input, Ok, |input: &mut Input, _| Ok(saddle::<Forward, Forward>(input)))
        }),
        ("fr", |input| {
            measure(input, Ok, |input: &mut Input, _| Ok(saddle::<Forward, Reverse>(input)))
        }),
        ("rf", |input| {
            measure(input, Ok, |input: &mut Input, _| Ok(saddle::<Reverse, Forward>(input)))
        }),
        ("rr", |input| {
            measure(input, Ok, |input: &mut Input, _| Ok(saddle::<Reverse, Reverse>(input)))
        }),
    ],
};

#[derive(Deserialize)]
struct Input {
    start: [f64; 2],
}

/// x, which makes the greatest value least, and y, which makes the value greatest there.
fn saddle<Outer: Mode, Inner: Mode>(input: &Input) -> [f64; 4] {
    let x = argmin::<Outer, f64>(&Greatest::<Inner>(input.start, PhantomData), &input.start);
    let y = argmax::<Outer, f64>(&Difference([x[0], x[1]]), &input.start);
    [x[0], x[1], y[0], y[1]]
}

/// max over y of ‖x‖² − ‖y‖², as a function of x; y starts at the given point.
struct Greatest<Inner>([f64; 2], PhantomData<Inner>);

impl<Inner: Mode> Objective<f64> for Greatest<Inner> {
    fn at<N: Over<f64>>(&self, x: &[N]) -> N {
        let difference = Difference([x[0], x[1]]);
        difference.at(&argmax::<Inner, N>(&difference, &self.0.map(N::from_f64)))
    }
}

/// ‖x‖² − ‖y‖², as a function of y.
struct Difference<T>([T; 2]);

impl<T: Number> Objective<T> for Difference<T> {
    fn at<N: Over<T>>(&self, y: &[N]) -> N {
        let [x1, x2] = self.0.map(N::constant);
        (x1 * x1 + x2 * x2) - (y[0] * y[0] + y[1] * y[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What GradBench expects of the start (1, 1), in all four places.
    const PUBLISHED: f64 = 8.246_324_826_140_356e-6;

    #[track_caller]
    fn check<Outer: Mode, Inner: Mode>() {
        for place in saddle::<Outer, Inner>(&Input { start: [1.0, 1.0] }) {
            assert!((place - PUBLISHED).abs() <= 1e-12 * PUBLISHED, "{place}, not {PUBLISHED}");
        }
    }

    #[test]
    fn forward_over_forward_finds_the_published_point() {
        check::<Forward, Forward>();
    }

    #[test]
    fn forward_over_reverse_finds_the_published_point() {
        check::<Forward, Reverse>();
    }

    #[test]
    fn reverse_over_forward_finds_the_published_point() {
        check::<Reverse, Forward>();
    }

    #[test]
    fn reverse_over_reverse_finds_the_published_point() {
        check::<Reverse, Reverse>();
    }

    #[test]
    fn a_descent_from_the_saddle_point_stays_there() {
        assert_eq!(saddle::<Reverse, Reverse>(&Input { start: [0.0, 0.0] }), [0.0; 4]);
    }

    #[test]
    fn squares_of_x_count_for_it_and_squares_of_y_against_it() {
        // (1 + 4) − (9 + 16).
        assert_eq!(Difference([1.0, 2.0]).at(&[3.0, 4.0]), -20.0);
    }

    #[test]
    fn the_greatest_value_is_where_y_vanishes() {
        // The descent ends 10⁻⁵ short of it.
        let greatest = Greatest::<Forward>([1.0, 1.0], PhantomData).at(&[3.0, 4.0]);
        assert!((greatest - 25.0).abs() < 1e-9, "{greatest}");
    }
}
