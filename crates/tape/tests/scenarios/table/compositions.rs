//! Functions as people write them: densities, losses, networks, chains.

use crate::expression::{Symbol, log_sum_exp};
use crate::table::{Scenario, row};

const OVERFLOW: &str = "the partial of a reciprocal overflows on a list";

#[rustfmt::skip]
pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        row("tanh of a product", |x| (x[0] * x[1]).tanh(), [3.0, 4.0], [0.1, 0.2]).figures().within(2e-14),
        row("tanh of a small product", |x| (x[0] * x[1]).tanh(), [0.3, -0.4], [0.0, 0.0]).figures(),
        row("log density of a normal", |x| normal(x), [1.5, 0.5, 2.0], [0.0, 0.0, 1.0]).figures().scale(1.0),
        row("log density of a narrow normal", |x| normal(x), [1.5, 0.5, 1e-3], [0.0, 0.0, 1.0]).figures(),
        row("log density of a gamma", |x| x[1] * x[2].ln() - x[1].ln_gamma() + (x[1] - 1.0) * x[0].ln() - x[2] * x[0], [2.5, 1.75, 0.5], [1.0, 1.0, 1.0]).figures().scale(1.0),
        row("log density of a beta", |x| (x[1] - 1.0) * x[0].ln() + (x[2] - 1.0) * (-x[0]).ln_1p() + (x[1] + x[2]).ln_gamma() - x[1].ln_gamma() - x[2].ln_gamma(), [0.25, 0.5, 3.0], [0.5, 1.0, 1.0]).figures().scale(1.0),
        row("log density of a Student t", |x| student(x), [1.5, 4.0], [0.0, 1.0]).figures().scale(1.0),
        row("log density of a Poisson", |x| 3.0 * x[0].ln() - x[0] - 6.0_f64.ln(), [2.5], [1.0]).figures().scale(1.0),
        row("cross entropy of three logits", |x| log_sum_exp(x) - x[0], [1.0, 2.0, 0.5], [0.0, 0.0, 0.0]).figures().scale(1.0),
        row("cross entropy of sure logits", |x| log_sum_exp(x) - x[0], [60.0, 0.0, -10.0], [0.0, 1.0, 2.0]).figures().scale(60.0),
        row("cross entropy of huge logits", |x| log_sum_exp(x) - x[0], [800.0, 801.0], [0.0, 1.0]).figures().scale(800.0),
        row("the first of a softmax", |x| (x[0] - log_sum_exp(x)).exp(), [1.0, 2.0, 0.5], [0.0, 0.0, 50.0]).figures(),
        row("ln of the normal distribution function at 1", |x| ln_normal_cdf(x[0]), [1.0], [0.0]).figures(),
        row("ln of the normal distribution function at -5", |x| ln_normal_cdf(x[0]), [-5.0], [1.0]).figures().within(1e-13),
        row("ln of the normal distribution function at -30", |x| ln_normal_cdf(x[0]), [-30.0], [1.0]).figures().within(1e-11).except("Var<f32>", "erfc(21) is below the smallest f32")
            // A node keeps the partial −1/x² of the reciprocal, which overflows; dual numbers and programs multiply step by step.
            .except("Var<Var>", OVERFLOW).except("Dual<Var>", OVERFLOW)
            .except("Program of a Jacobian of a gradient", OVERFLOW).except("Batch::map of a Jacobian of a gradient", OVERFLOW),
        row("a chain of hypots", |x| x[0].hypot(x[1]).hypot(x[2]), [3.0, 4.0, 12.0], [0.0; 3]).figures(),
        row("a chain of hypots of large numbers", |x| x[0].hypot(x[1]).hypot(x[2]), [3e100, 4e100, 12e100], [1.0; 3]).figures(),
        row("a chain of hypots of small numbers", |x| x[0].hypot(x[1]).hypot(x[2]), [3e-100, 4e-100, 12e-100], [1.0; 3]).figures(),
        row("quadratic form", |x| x[0] * x[0] + 3.0 * x[0] * x[1] - 2.0 * x[1] * x[1], [1.5, -2.0], [0.0; 2]).figures(),
        row("Rosenbrock's valley", |x| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2), [-1.25, 1.5], [1.0; 2]).figures(),
        row("logistic loss of a wrong sure answer", |x| (-x[0] * x[1]).softplus(), [-8.0, 5.0], [1.0; 2]).figures(),
        row("logistic loss of a right sure answer", |x| (-x[0] * x[1]).softplus(), [8.0, 5.0], [1.0; 2]).figures().within(1e-13),
        row("x to the x", |x| x[0].powf(x[0]), [1.5], [0.0]).figures(),
        row("x to the 1/x", |x| x[0].powf(x[0].recip()), [2.5], [1.0]).figures().scale(0.1),
        row("a power of a power", |x| x[0].powf(x[1]).powf(x[2]), [1.5, 2.5, -0.5], [1.0, 0.0, 0.0]).figures(),
        row("Black-Scholes call", |x| call(x), [100.0, 105.0, 0.25], [1.0, 1.0, 1.0]).figures().scale(1.0).within(1e-13),
        row("angle between two vectors", |x| (x[0] * x[3] - x[1] * x[2]).atan2(x[0] * x[2] + x[1] * x[3]), [1.0, 2.0, -1.0, 0.5], [0.0; 4]).figures().scale(1.0),
        row("distance in polar coordinates", |x| (x[0].powi(2) + x[1].powi(2) - 2.0 * x[0] * x[1] * x[2].cos()).sqrt(), [2.0, 3.0, 0.75], [1.0; 3]).figures().scale(1.0),
        row("continued fraction", |x| (x[0] + (x[1] + x[0].recip()).recip()).recip(), [1.5, 0.5], [1.0; 2]).figures(),
        row("iterated square roots", |x| (x[0] + (x[1] + x[0].sqrt()).sqrt()).sqrt(), [2.0, 3.0], [1.0; 2]).figures(),
        row("iterated sines", |x| (x[0] + (x[0] + x[0].sin()).sin()).sin(), [0.75], [0.0]).figures().scale(1.0),
        row("sine and cosine of one number", |x| x[0].sin() * x[0].cos(), [0.75], [0.0]).is(0.49874749330202717, [0.0707372016677029]).hessian([-1.994989973208109]),
        row("sine and cosine of one product", |x| (x[0] * x[1]).sin() * x[0] + 2.0 * (x[0] * x[1]).cos(), [0.5, 2.0], [1.0, 0.0]).is(1.501340104140228, [-1.9841106485555497, -0.7063954083408616]).hessian([-3.844151193088352, -2.643979767887881, -2.643979767887881, -0.375335026035057]),
        row("mish", |x| x[0] * x[0].softplus().tanh(), [-1.5], [1.0]).figures().scale(0.1),
        row("two layers of tanh", |x| (0.5 * (x[0] - 2.0 * x[1]).tanh() - 1.5 * (0.25 * x[0] + x[1]).tanh()).tanh(), [0.5, -0.75], [0.0; 2]).figures(),
        row("entropy of a sigmoid", |x| { let (p, q) = (x[0].sigmoid(), (-x[0]).sigmoid()); -p * p.ln() - q * q.ln() }, [1.5], [0.0]).figures().scale(0.5),
        row("volume of a lens", |x| (0.5 * x[0]).acos() - 0.5 * x[0] * (1.0 - 0.25 * x[0] * x[0]).sqrt(), [0.75], [0.0]).figures(),
        row("a product of seven", |x| [0, 1, 2, 0, 1, 2, 0].iter().map(|&i| x[i]).reduce(|a, b| a * b).unwrap(), [1.5, -0.5, 2.0], [0.0; 3]).figures(),
        row("Horner's scheme", |x| [2.0, -3.0, 0.5, -1.0].iter().fold(Symbol::from(0.0), |sum, &a| sum * x[0] + a), [1.5], [0.0]).figures().scale(1.0),
        row("erfc of a ratio", |x| (x[0] / x[1]).erfc(), [6.0, 0.5], [1.0; 2]).figures().within(1e-13),
        row("ln of a gamma function by recurrence", |x| x[0].ln_gamma() + x[0].ln() - (x[0] + 1.0).ln_gamma(), [2.5], [1.0]).scale(1.0).figures(),
        row("powi of a curved base", |x| x[0].sin().powi(7), [0.75], [0.0]).figures(),
        row("exp2 of log2", |x| (x[1] * x[0].log2()).exp2(), [3.0, 0.5], [1.0; 2]).figures(),
        row("asinh of sinh", |x| (x[0].sinh() * x[1]).asinh(), [2.0, 1.5], [0.0; 2]).figures().within(1e-13),
        row("acosh of a hyperbola", |x| (1.0 + x[0].powi(2) + x[1].powi(2)).acosh(), [0.5, 0.25], [0.0; 2]).figures().within(1e-13),
        row("Gaussian of a quotient", |x| (-(x[0] / x[1]).powi(2)).exp(), [3.0, 0.75], [1.0; 2]).figures(),
        row("a variable unused", |x| x[1].sin(), [1.0, 0.0], [0.0, 1.0]).is(0.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("a variable itself", |x| x[1], [1.0, 2.0], [0.0; 2]).is(2.0, [0.0, 1.0]).hessian([0.0; 4]),
        row("a constant", |x| { let _ = x; Symbol::from(4.0).sqrt() }, [1.0], [0.0]).is(2.0, [0.0]).hessian([0.0]),
        row("a number less itself", |x| x[0] - x[0], [3.0], [1.0]).is(0.0, [0.0]).hessian([0.0]),
        row("a number by itself", |x| x[0] / x[0], [3.0], [1.0]).is(1.0, [0.0]).hessian([0.0]).scale(0.1),
        row("a shared intermediate", |x| { let y = x[0] * x[1]; y * y + y }, [3.0, 2.0], [0.0; 2]).is(42.0, [26.0, 39.0]).hessian([8.0, 25.0, 25.0, 18.0]),
        row("compound assignments", |x| { let mut y = x[0]; y += x[1]; y *= x[0]; y -= 1.0; y /= x[1]; y }, [2.0, 4.0], [1.0; 2]).is(2.75, [2.0, -0.1875]).hessian([0.5, -0.25, -0.25, 0.09375]),
    ]
}

fn normal(x: &[Symbol]) -> Symbol {
    let z = (x[0] - x[1]) / x[2];
    -0.5 * z * z - x[2].ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
}

fn student(x: &[Symbol]) -> Symbol {
    let half_next = 0.5 * (x[1] + 1.0);
    half_next.ln_gamma()
        - (0.5 * x[1]).ln_gamma()
        - 0.5 * (x[1] * std::f64::consts::PI).ln()
        - half_next * (x[0] * x[0] / x[1]).ln_1p()
}

fn normal_cdf(x: Symbol) -> Symbol {
    0.5 * (-x * std::f64::consts::FRAC_1_SQRT_2).erfc()
}

fn ln_normal_cdf(x: Symbol) -> Symbol {
    normal_cdf(x).ln()
}

/// Of spot, strike and volatility, for one year without interest.
fn call(x: &[Symbol]) -> Symbol {
    let half_variance = 0.5 * x[2] * x[2];
    let d1 = ((x[0] / x[1]).ln() + half_variance) / x[2];
    x[0] * normal_cdf(d1) - x[1] * normal_cdf(d1 - x[2])
}
