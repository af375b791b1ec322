//! Takes derivatives inside derivatives: a classic trap, Taylor coefficients, and a root found by Newton's method.
//!
//! Goal: see that derivatives nest, in any combination of forward and reverse mode, and what that is good for.
//! Prerequisite: the example `your_own_function`. Run it with `cargo run --release --example nested`.

use tape::{Dual, Real, Var};

fn main() {
    confusion();
    taylor();
    kepler();
}

/// d/dx (x · d/dy (x + y)) is 1: the inner derivative is the constant 1. A library that mixes up the inner and the outer
/// derivative takes x for y and says 2.
fn confusion() {
    println!("1. d/dx (x · d/dy (x + y)) at x = 2, which is 1");
    println!("   outer reverse, inner reverse: {}", outer_reverse(|x| x * inner_reverse(x)));
    println!("   outer reverse, inner forward: {}", outer_reverse(|x| x * inner_forward(x)));
    println!("   outer forward, inner reverse: {}", outer_forward(|x| x * inner_reverse(x)));
    println!("   outer forward, inner forward: {}", outer_forward(|x| x * inner_forward(x)));
}

fn outer_reverse(f: impl Fn(Var) -> Var) -> f64 {
    let (_, gradient) = tape::gradient(|x| f(x[0]), &[2.0]);
    gradient[0]
}

fn outer_forward(f: impl Fn(Dual) -> Dual) -> f64 {
    f(independent(2.0)).tangent
}

/// d/dy (x + y) at y = 1, on a tape whose numbers are of the type of x. There x is a constant.
fn inner_reverse<T: Real>(x: T) -> T {
    let sum = |y: &[Var<T>]| Var::constant(x) + y[0];
    let (_, gradient) = tape::gradient(sum, &[T::from_f64(1.0)]);
    gradient[0]
}

/// The same, by a dual number whose parts are of the type of x.
fn inner_forward<T: Real>(x: T) -> T {
    (Dual::constant(x) + independent(T::from_f64(1.0))).tangent
}

/// The number to differentiate with respect to: its derivative is 1.
fn independent<T: Real>(value: T) -> Dual<T> {
    Dual::new(value, T::from_f64(1.0))
}

/// Three dual numbers, one inside the other, carry derivatives up to the third.
fn taylor() {
    println!(
        "\n2. tan x = c₀ + c₁·x + c₂·x² + c₃·x³ + …, where cₙ is the n-th derivative at 0 over n!"
    );
    let tan = independent(independent(independent(0.0))).tan();
    let first = tan.tangent;
    let second = first.tangent;
    let third = second.tangent;
    let coefficients = [tan.value.value.value, first.value.value, second.value / 2.0, third / 6.0];
    for (n, coefficient) in coefficients.iter().enumerate() {
        println!("   c{n} = {coefficient}");
    }
    println!("   The textbook has 0, 1, 0, 1/3.");
}

/// Where a planet is: Newton's method asks for one derivative in every step, and the place it finds is differentiated
/// again, with respect to the time and the shape of the orbit.
fn kepler() {
    let (anomaly, eccentricity) = (1.0, 0.5);
    println!("\n3. Kepler's equation E − e·sin E = M at M = {anomaly}, e = {eccentricity}");
    let (e, gradient) = tape::gradient(|x| solve_kepler(x[0], x[1]), &[anomaly, eccentricity]);
    println!("   E = {e}");
    println!("   E − e·sin E = {}", e - eccentricity * e.sin());

    let slope = 1.0 - eccentricity * e.cos();
    println!("   by sweeping over Newton's steps, and by the implicit function theorem:");
    println!("   ∂E/∂M = {:.12}   1/(1 − e·cos E)     = {:.12}", gradient[0], 1.0 / slope);
    println!("   ∂E/∂e = {:.12}   sin E/(1 − e·cos E) = {:.12}", gradient[1], e.sin() / slope);
}

fn solve_kepler<T: Real>(anomaly: T, eccentricity: T) -> T {
    let residual =
        |e: Dual<T>| e - Dual::constant(eccentricity) * e.sin() - Dual::constant(anomaly);
    newton(residual, anomaly)
}

/// A root of `f`, by Newton's method with a derivative in forward mode.
fn newton<T: Real>(f: impl Fn(Dual<T>) -> Dual<T>, start: T) -> T {
    // A step that no longer changes the value may still change its derivative: the number of steps is fixed.
    const STEPS: usize = 10;
    let mut x = start;
    for _ in 0..STEPS {
        let Dual { value, tangent } = f(independent(x));
        x -= value / tangent;
    }
    x
}
