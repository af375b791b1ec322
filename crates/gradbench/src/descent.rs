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
/// uphill. The descent ends where the gradient, or a step, is no longer than 10⁻⁵.
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
        if length(&step) <= SHORT {
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
