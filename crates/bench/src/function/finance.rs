//! A price.

use num_traits::Float;

use super::constant as c;

/// A European call by Black and Scholes, with the normal distribution of Abramowitz and Stegun 26.2.17.
pub fn black_scholes<T: Float>(x: &[T]) -> T {
    let (spot, strike, rate, volatility, time) = (x[0], x[1], x[2], x[3], x[4]);
    let deviation = volatility * time.sqrt();
    let d1 = ((spot / strike).ln() + (rate + volatility * volatility * c(0.5)) * time) / deviation;
    let d2 = d1 - deviation;
    spot * normal(d1) - strike * (-rate * time).exp() * normal(d2)
}

fn normal<T: Float>(x: T) -> T {
    let u = (c::<T>(1.0) + c::<T>(0.231_641_9) * x).recip();
    let coefficients = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_53];
    let polynomial = coefficients.into_iter().fold(c::<T>(0.0), |sum, a| sum * u + c(a)) * u;
    c::<T>(1.0) - polynomial * (x * x * c(-0.5)).exp() * c(0.398_942_280_401_432_7)
}
