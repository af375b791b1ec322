//! Gradient descent whose gradients come from either mode, and which can itself be differentiated.

use tape::{Dual, Real, Var};

/// A number that descents compare.
pub(crate) trait Number: Real + PartialOrd {}

impl<T: Real + PartialOrd> Number for T {}

/// A number that extends `T`: what does not depend on the variables enters as a constant.
pub(crate) trait Over<T>: Number {
    fn constant(value: T) -> Self;
}

impl<T: Number> Over<T> for Var<T> {
    fn constant(value: T) -> Self {
        Var::constant(value)
    }
}

impl<T: Number> Over<T> for Dual<T> {
    fn constant(value: T) -> Self {
        Dual::constant(value)
    }
}

impl<T: Number> Over<T> for T {
    fn constant(value: T) -> Self {
        value
    }
}

/// A function whose parameters, if it has any, are numbers `T`.
pub(crate) trait Objective<T: Number> {
    fn at<N: Over<T>>(&self, x: &[N]) -> N;
}

/// A mode of automatic differentiation.
pub(crate) trait Mode {
    fn gradient<T: Number>(f: &impl Objective<T>, x: &[T]) -> Vec<T>;
}

/// One evaluation on dual numbers for each variable.
pub(crate) struct Forward;

impl Mode for Forward {
    fn gradient<T: Number>(f: &impl Objective<T>, x: &[T]) -> Vec<T> {
        let [zero, one] = [0.0, 1.0].map(T::from_f64);
        let mut point: Vec<Dual<T>> = x.iter().map(|&x| Dual::new(x, zero)).collect();
        let mut derivative = |i: usize| {
            point[i].tangent = one;
            let derivative = f.at(&point).tangent;
            point[i].tangent = zero;
            derivative
        };
        (0..x.len()).map(&mut derivative).collect()
    }
}

/// One recording and one reverse sweep.
pub(crate) struct Reverse;

impl Mode for Reverse {
    fn gradient<T: Number>(f: &impl Objective<T>, x: &[T]) -> Vec<T> {
        tape::gradient(|x| f.at(x), x).1
    }
}

/// −f.
struct Negated<'a, F>(&'a F);

impl<T: Number, F: Objective<T>> Objective<T> for Negated<'_, F> {
    fn at<N: Over<T>>(&self, x: &[N]) -> N {
        -self.0.at(x)
    }
}

/// The point that makes `f` least, by gradient descent from `start`.
///
/// The step width starts at 10⁻⁵. It doubles after ten steps downhill in a row, and is halved by a step that would lead
/// uphill. The descent ends where the gradient, or a step, is no longer than 10⁻⁵, or is not a number.
pub(crate) fn argmin<M: Mode, T: Number>(f: &impl Objective<T>, start: &[T]) -> Vec<T> {
    const SHORT: f64 = 1e-5;
    let mut x = start.to_vec();
    let mut least = f.at(&x);
    let mut gradient = M::gradient(f, &x);
    let mut width = SHORT;
    let mut downhill = 0;
    while length(&gradient) > SHORT {
        if downhill == 10 {
            width *= 2.0;
            downhill = 0;
            continue;
        }
        let step: Vec<T> = gradient.iter().map(|&g| T::from_f64(width) * g).collect();
        let length = length(&step);
        if length <= SHORT || length.is_nan() {
            break;
        }
        let next: Vec<T> = x.iter().zip(step).map(|(&x, step)| x - step).collect();
        let value = f.at(&next);
        if value < least {
            (x, least) = (next, value);
            gradient = M::gradient(f, &x);
            downhill += 1;
        } else {
            width /= 2.0;
            downhill = 0;
        }
    }
    x
}

/// The point that makes `f` greatest, in the same way.
pub(crate) fn argmax<M: Mode, T: Number>(f: &impl Objective<T>, start: &[T]) -> Vec<T> {
    argmin::<M, T>(&Negated(f), start)
}

/// Lengths only decide when to stop: they carry no derivative.
fn length<T: Real>(x: &[T]) -> f64 {
    x.iter().map(|x| x.primal() * x.primal()).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::assert_close;

    /// (x − 3)² + 2·(y + 1)², with its least value at (3, −1).
    struct Bowl;

    impl Objective<f64> for Bowl {
        fn at<N: Over<f64>>(&self, x: &[N]) -> N {
            let (a, b) = (x[0] - N::constant(3.0), x[1] + N::constant(1.0));
            a * a + N::constant(2.0) * b * b
        }
    }

    /// (x − p)² for a parameter p.
    struct Parabola<T>(T);

    impl<T: Number> Objective<T> for Parabola<T> {
        fn at<N: Over<T>>(&self, x: &[N]) -> N {
            let a = x[0] - N::constant(self.0);
            a * a
        }
    }

    #[test]
    fn the_forward_gradient_is_by_hand() {
        // 2·(1 − 3) and 4·(2 + 1).
        assert_eq!(Forward::gradient(&Bowl, &[1.0, 2.0]), [-4.0, 12.0]);
    }

    #[test]
    fn the_reverse_gradient_is_by_hand() {
        assert_eq!(Reverse::gradient(&Bowl, &[1.0, 2.0]), [-4.0, 12.0]);
    }

    #[track_caller]
    fn assert_near(given: &[f64], expected: &[f64]) {
        for (given, expected) in given.iter().zip(expected) {
            assert!((given - expected).abs() < 1e-5, "{given}, not {expected}");
        }
    }

    #[test]
    fn the_least_of_a_bowl_is_at_its_bottom() {
        assert_near(&argmin::<Reverse, f64>(&Bowl, &[0.0, 0.0]), &[3.0, -1.0]);
    }

    #[test]
    fn both_modes_descend_alike() {
        let [forward, reverse] = [
            argmin::<Forward, f64>(&Bowl, &[0.0, 0.0]),
            argmin::<Reverse, f64>(&Bowl, &[0.0, 0.0]),
        ];
        assert_close(&forward, &reverse);
    }

    #[test]
    fn the_greatest_of_an_upturned_bowl_is_at_its_top() {
        assert_near(&argmax::<Reverse, f64>(&Negated(&Bowl), &[0.0, 0.0]), &[3.0, -1.0]);
    }

    #[test]
    fn a_descent_from_the_bottom_stays_there() {
        assert_eq!(argmin::<Reverse, f64>(&Bowl, &[3.0, -1.0]), [3.0, -1.0]);
    }

    /// What is left of x − p after the steps that were taken is the same multiple of it everywhere.
    #[test]
    fn the_bottom_moves_with_its_parameter() {
        let p = Dual::new(0.5, 1.0);
        let bottom = argmin::<Forward, Dual>(&Parabola(p), &[Dual::constant(0.0)])[0];
        // x = p − p·ρ has the derivative 1 − ρ = x/p by p.
        assert_close(&[bottom.tangent], &[bottom.value / 0.5]);
    }

    #[test]
    fn a_descent_whose_steps_are_no_numbers_ends() {
        // (10³⁰⁸ − 3)² and its gradient overflow.
        assert_eq!(argmin::<Reverse, f64>(&Bowl, &[1e308, -1.0])[0], 1e308);
    }

    #[test]
    fn lengths_are_euclidean() {
        assert_eq!(length(&[3.0, 4.0]), 5.0);
    }
}
