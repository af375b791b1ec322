//! Prices: the formula of Black and Scholes, and kernels of the kind that suites of adjoint differentiation in finance
//! measure (a path and a calibration of Heston's model, SABR, valuation adjustments, the LIBOR market model).

use std::sync::LazyLock;

use rand::Rng;
use rand_distr::StandardNormal;

use super::complex::Complex;
use super::sum;
use crate::kernel::generator;
use crate::number::Elementary;

/// A European call by Black and Scholes, with the normal distribution of Abramowitz and Stegun 26.2.17.
pub fn black_scholes<T: Elementary>(x: &[T]) -> T {
    price_of_call(x, normal)
}

/// The same with the normal distribution by the error function: Φ(x) = (1 + erf(x/√2))/2.
pub fn black_scholes_by_erf<T: Elementary>(x: &[T]) -> T {
    price_of_call(x, |x| ((x * core::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5)
}

fn price_of_call<T: Elementary>(x: &[T], normal: impl Fn(T) -> T) -> T {
    let (spot, strike, rate, volatility, time) = (x[0], x[1], x[2], x[3], x[4]);
    let deviation = volatility * time.sqrt();
    let d1 = ((spot / strike).ln() + (rate + volatility * volatility * 0.5) * time) / deviation;
    let d2 = d1 - deviation;
    spot * normal(d1) - strike * (-rate * time).exp() * normal(d2)
}

/// The coefficients of Abramowitz and Stegun 26.2.17, the highest power first; the last is of no power.
pub const POLYNOMIAL: [f64; 6] =
    [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_53, 0.0];
/// The factor p of the same formula.
pub const P: f64 = 0.231_641_9;
/// 1/√2π.
pub const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;

fn normal<T: Elementary>(x: T) -> T {
    let u = (x * P + 1.0).recip();
    let start = u * POLYNOMIAL[0] + POLYNOMIAL[1];
    let polynomial = POLYNOMIAL[2..5].iter().fold(start, |sum, &a| sum * u + a) * u;
    (polynomial * (x * x * -0.5).exp() * DENSITY_AT_0).subtract_from(1.0)
}

/// The discounted payoff of a call along one path of Heston's model (Heston 1993), by spot, rate, time, first and long-run
/// variance, speed of reversion, volatility of the variance, and correlation. The Euler method, with full truncation (Lord,
/// Koekkoek and van Dijk 2010): a negative variance moves nothing.
pub fn heston_path<T: Elementary>(x: &[T]) -> T {
    let &[spot, rate, time, variance, long_run, speed, volatility, correlation] = x else {
        panic!("eight inputs");
    };
    let step = time / HESTON_STEPS as f64;
    let other = (correlation * correlation).subtract_from(1.0).sqrt();
    let (mut log, mut variance) = (spot.ln(), variance);
    for draw in HESTON_DRAWS.chunks_exact(2) {
        let positive = variance.positive_part();
        let deviation = (positive * step).sqrt();
        log = log + (rate - positive * 0.5) * step + deviation * draw[0];
        let noise = correlation * draw[0] + other * draw[1];
        variance = variance + speed * (long_run - positive) * step + volatility * deviation * noise;
    }
    (-rate * time).exp() * (log.exp() - 100.0).positive_part()
}

const HESTON_STEPS: usize = 252;
static HESTON_DRAWS: LazyLock<Vec<f64>> = LazyLock::new(|| normal_draws(2 * HESTON_STEPS));

/// The sum of the squared errors of sixteen calls in Heston's model: eight strikes, two times to expiry. By speed of reversion,
/// long-run variance, volatility of the variance, correlation, and first variance.
///
/// The price is Lewis's integral (2001), with forward f and k = ln(f/K):
/// C = e^(−rt)·(f − √(f·K)/π · ∫₀^∞ Re(e^(iuk)·φ(u − i/2)) / (u² + 1/4) du).
/// The characteristic function φ is written as in Albrecher, Mayer, Schoutens and Tistaert (2007), so that no logarithm leaves
/// its branch. With u = sinh(s)/2, du/(u² + 1/4) is 2/cosh(s) ds, and the midpoints of 32 steps in s give prices to
/// 0.0001.
pub fn heston_calibration<T: Elementary>(x: &[T]) -> T {
    let nodes: [(f64, f64); HESTON_NODES] = core::array::from_fn(|i| {
        let s = HESTON_WIDTH * (i as f64 + 0.5);
        (0.5 * s.sinh(), HESTON_WIDTH * 2.0 / s.cosh())
    });
    sum(HESTON_QUOTES.iter().flat_map(|&(time, ref quotes)| {
        let forward = 100.0 * (HESTON_RATE * time).exp();
        let transforms = nodes.map(|(u, weight)| (u, heston_transform(x, u, time) * weight));
        quotes.iter().zip(HESTON_STRIKES).map(move |(&quote, strike)| {
            let k = (forward / strike).ln();
            let integral = sum(transforms
                .iter()
                .map(|&(u, phi)| phi.real * (u * k).cos() - phi.imaginary * (u * k).sin()));
            let scale = (forward * strike).sqrt() / core::f64::consts::PI;
            let price = (integral * scale).subtract_from(forward) * (-HESTON_RATE * time).exp();
            (price - quote) * (price - quote)
        })
    }))
}

/// φ(u − i/2) of ln(S/f) at the time to expiry.
///
/// With p = κ − ρσ(1/2 + iu), d = √(p² + σ²(u² + 1/4)) and g = (p − d)/(p + d), it is the exponential of
/// κθ/σ²·((p − d)·t − 2·ln((1 − g·e^(−dt))/(1 − g))) + v/σ²·(p − d)·(1 − e^(−dt))/(1 − g·e^(−dt)).
fn heston_transform<T: Elementary>(x: &[T], u: f64, time: f64) -> Complex<T> {
    let &[speed, long_run, volatility, correlation, variance] = x else { panic!("five inputs") };
    let slope = correlation * volatility;
    let p = Complex { real: speed - slope * 0.5, imaginary: slope * -u };
    let square = volatility * volatility;
    let d = (p * p).plus(square * (u * u + 0.25)).sqrt();
    let (difference, g) = (p - d, (p - d) / (p + d));
    let decay = (d * -time).exp();
    let (now, then) = (g.one_minus(), (g * decay).one_minus());
    let mean = difference * time - (then.ln() - now.ln()) * 2.0;
    let first = difference * decay.one_minus() / then;
    (mean.times(speed * long_run / square) + first.times(variance / square)).exp()
}

const HESTON_NODES: usize = 32;
const HESTON_WIDTH: f64 = 0.16;
const HESTON_RATE: f64 = 0.02;
const HESTON_STRIKES: [f64; 8] = [75.0, 82.0, 89.0, 96.0, 103.0, 110.0, 117.0, 124.0];
/// Times to expiry and prices, to the cent, of the model at κ = 2, θ = 0.05, σ = 0.4, ρ = −0.6, v = 0.04.
const HESTON_QUOTES: [(f64, [f64; 8]); 2] = [
    (0.5, [26.09, 19.65, 13.71, 8.58, 4.62, 2.05, 0.75, 0.23]),
    (2.0, [30.42, 25.06, 20.17, 15.83, 12.09, 8.97, 6.47, 4.53]),
];

/// The sum of the squared errors of 55 implied volatilities in the SABR model, by its α, ρ and ν at five times to expiry, with
/// β = 1/2: equation (2.17a) of Hagan, Kumar, Lesniewski and Woodward (2002), eleven strikes each.
pub fn sabr_calibration<T: Elementary>(x: &[T]) -> T {
    sum(x.chunks_exact(3).zip(SABR_TIMES).flat_map(|(parameters, time)| {
        (0..11_i32).map(move |strike| {
            // No strike is at the money, where the formula divides 0 by 0.
            let moneyness = 0.1 * f64::from(strike) - 0.55;
            let error = sabr_volatility(parameters, -moneyness, time) - sabr_quote(moneyness, time);
            error * error
        })
    }))
}

/// The implied volatility, by l = ln(f/K).
fn sabr_volatility<T: Elementary>(parameters: &[T], l: f64, time: f64) -> T {
    let (alpha, rho, nu) = (parameters[0], parameters[1], parameters[2]);
    let (c, c2) = (1.0 - SABR_BETA, (1.0 - SABR_BETA) * (1.0 - SABR_BETA));
    // (f·K)^((1 − β)/2), with K = f·e^(−l).
    let power = SABR_FORWARD.powf(c) * (-0.5 * c * l).exp();
    let z = nu / alpha * (power * l);
    let root = (rho * z * -2.0 + z * z + 1.0).sqrt();
    let chi = ((root + z - rho) / rho.subtract_from(1.0)).ln();
    let correction = alpha * alpha * (c2 / 24.0 / (power * power))
        + rho * nu * alpha * (SABR_BETA / 4.0 / power)
        + (rho * rho * -3.0 + 2.0) * nu * nu * (1.0 / 24.0);
    let curvature = 1.0 + c2 / 24.0 * l * l + c2 * c2 / 1920.0 * l * l * l * l;
    alpha / (power * curvature) * (z / chi) * (correction * time + 1.0)
}

const SABR_BETA: f64 = 0.5;
const SABR_FORWARD: f64 = 0.03;
const SABR_TIMES: [f64; 5] = [0.25, 1.0, 2.0, 5.0, 10.0];

/// A smile with a skew, flatter for a later expiry.
fn sabr_quote(moneyness: f64, time: f64) -> f64 {
    0.22 - 0.09 * moneyness / (1.0 + 0.2 * time) + 0.11 * moneyness * moneyness
}

/// Credit, debit and funding valuation adjustment of six interest rate swaps over ten years (Gregory, "The xVA Challenge"),
/// by ten zero rates, ten default intensities of the counterparty and ten of one's own, eight funding spreads, and speed of
/// reversion and volatility of the short rate.
///
/// The short rate is that of Hull and White (1990); every half year, the mean is over four paths. A date's exposure is taken
/// under that date's own forward measure, in which the distance x of the short rate from its forward has mean 0, and is
/// discounted by the curve. A bond from t to T is worth P(0,T)/P(0,t)·exp(−B·(x + B·y/2)), with B = (1 − e^(−a(T−t)))/a and
/// the variance y = σ²·(1 − e^(−2at))/2a of x.
pub fn valuation_adjustments<T: Elementary>(x: &[T]) -> T {
    const LOSS: f64 = 0.6;
    let (zero_rates, intensities) = (&x[..10], &x[10..20]);
    let (own_intensities, spreads) = (&x[20..30], &x[30..38]);
    let (reversion, volatility) = (x[38], x[39]);
    let date = |index: usize| XVA_PERIOD * (index + 1) as f64;

    let discounts: [T; XVA_DATES] =
        core::array::from_fn(|i| (interpolate(&XVA_PILLARS, zero_rates, date(i)) * -date(i)).exp());
    let survivals = survival(intensities);
    let own_survivals = survival(own_intensities);
    // B of 1, 2, … periods; the factor by which x decays in a period, and the variance that it gains.
    let decays: [T; XVA_DATES] = core::array::from_fn(|i| (reversion * -date(i)).exp());
    let bonds: [T; XVA_DATES] = core::array::from_fn(|i| decays[i].subtract_from(1.0) / reversion);
    let square = volatility * volatility / (reversion * 2.0);
    let variance = |decay: T| (decay * decay).subtract_from(1.0) * square;
    let deviation = variance(decays[0]).sqrt();
    let mut paths = [T::constant(reversion, 0.0); XVA_PATHS];

    let mut previous: Option<(T, T)> = None;
    sum((0..XVA_DATES).map(|now| {
        let half_variance = variance(decays[now]) * 0.5;
        let forwards: [T; XVA_DATES] = core::array::from_fn(|later| {
            if later > now { discounts[later] / discounts[now] } else { discounts[now] }
        });
        let values: [T; XVA_PATHS] = core::array::from_fn(|path| {
            let draw = XVA_DRAWS[now * XVA_PATHS + path];
            paths[path] = paths[path] * decays[0] + deviation * draw;
            value_of_swaps(now, &forwards, &bonds, paths[path], half_variance)
        });
        let exposure = sum(values.iter().map(|value| value.positive_part()));
        let own_exposure = sum(values.iter().map(|&value| (-value).positive_part()));
        let (survives, own_survives) = (survivals[now], own_survivals[now]);
        let (defaults, own_defaults) = match previous.replace((survives, own_survives)) {
            Some((before, own_before)) => (before - survives, own_before - own_survives),
            None => (survives.subtract_from(1.0), own_survives.subtract_from(1.0)),
        };
        let spread = interpolate(&XVA_SPREAD_PILLARS, spreads, date(now));
        let credit = exposure * defaults * LOSS - own_exposure * own_defaults * LOSS;
        let funding = exposure * spread * XVA_PERIOD * survives * own_survives;
        (credit + funding) * discounts[now] * (1.0 / XVA_PATHS as f64)
    }))
}

/// The swaps' value after the payment of a date: who pays the fixed rate has N·(1 − P(t,Tₘ) − K·Σ τ·P(t,Tⱼ)).
fn value_of_swaps<T: Elementary>(
    now: usize,
    forwards: &[T],
    bonds: &[T],
    rate: T,
    half_variance: T,
) -> T {
    let mut value = T::constant(rate, 0.0);
    let mut annuity: Option<T> = None;
    for later in now + 1..XVA_DATES {
        let b = bonds[later - now - 1];
        let bond = forwards[later] * (-(b * (rate + b * half_variance))).exp();
        let payment = bond * XVA_PERIOD;
        let annuity = *annuity.insert(annuity.map_or(payment, |annuity| annuity + payment));
        for &(last, fixed, notional) in &XVA_SWAPS {
            if last == later {
                value = value + (bond + annuity * fixed).subtract_from(1.0) * notional;
            }
        }
    }
    value
}

/// The probabilities to survive until each date, with one intensity a year.
fn survival<T: Elementary>(intensities: &[T]) -> [T; XVA_DATES] {
    let mut before: Option<T> = None;
    core::array::from_fn(|i| {
        let hazard = intensities[i / 2] * XVA_PERIOD;
        let hazard = *before.insert(before.map_or(hazard, |before| before + hazard));
        (-hazard).exp()
    })
}

/// The value at a time, on straight lines between pillars, and constant outside of them.
fn interpolate<T: Elementary>(pillars: &[f64], values: &[T], time: f64) -> T {
    let after = pillars.partition_point(|&pillar| pillar < time);
    if after == 0 || after == pillars.len() {
        return values[after.min(pillars.len() - 1)];
    }
    let weight = (time - pillars[after - 1]) / (pillars[after] - pillars[after - 1]);
    values[after - 1] * (1.0 - weight) + values[after] * weight
}

const XVA_DATES: usize = 20;
const XVA_PATHS: usize = 4;
const XVA_PERIOD: f64 = 0.5;
const XVA_PILLARS: [f64; 10] = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.5, 10.0];
const XVA_SPREAD_PILLARS: [f64; 8] = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0];
/// The last date, the fixed rate, and the notional, which is negative where the fixed rate is received.
const XVA_SWAPS: [(usize, f64, f64); 6] = [
    (3, 0.021, 0.8),
    (5, 0.024, -0.5),
    (9, 0.025, 1.0),
    (13, 0.028, -0.7),
    (16, 0.027, 0.6),
    (19, 0.029, 1.2),
];
static XVA_DRAWS: LazyLock<Vec<f64>> = LazyLock::new(|| normal_draws(XVA_DATES * XVA_PATHS));

/// A path of the LIBOR market model with one factor, and what fifteen payer swaptions pay on it, by 80 forward rates and 80
/// volatilities: the test of Giles and Glasserman, "Smoking adjoints" (2006), with the sizes of Giles, "Monte Carlo evaluation
/// of sensitivities in computational finance" (2007). A swaption's notional is 100, and all expire after 40 periods.
pub fn libor_swaptions<T: Elementary>(x: &[T]) -> T {
    let (start, volatilities) = x.split_at(LIBOR_RATES);
    let mut rates: [T; LIBOR_RATES] = core::array::from_fn(|i| start[i]);
    for (step, draw) in LIBOR_DRAWS.iter().enumerate() {
        let shock = LIBOR_PERIOD.sqrt() * draw;
        let mut drift: Option<T> = None;
        for (rate, &volatility) in rates[step + 1..].iter_mut().zip(volatilities) {
            let scaled = volatility * LIBOR_PERIOD;
            let term = scaled * *rate / (*rate * LIBOR_PERIOD + 1.0);
            let drift = *drift.insert(drift.map_or(term, |drift| drift + term));
            *rate = *rate * (scaled * drift + volatility * (scaled * -0.5 + shock)).exp();
        }
    }
    let growth = |rate: T| rate * LIBOR_PERIOD + 1.0;
    let (before, after) = rates.split_at(LIBOR_DRAWS.len());
    let mut bond = growth(after[0]).recip();
    let mut bonds = bond;
    let mut paid: Option<T> = None;
    for (index, &rate) in after.iter().enumerate() {
        if index > 0 {
            bond = bond / growth(rate);
            bonds = bonds + bond;
        }
        for strike in strikes_at(index + 1) {
            let swaption =
                (bond + bonds * (LIBOR_PERIOD * strike)).subtract_from(1.0).positive_part() * 100.0;
            paid = Some(paid.map_or(swaption, |paid| paid + swaption));
        }
    }
    before.iter().fold(paid.expect("fifteen swaptions"), |value, &rate| value / growth(rate))
}

/// The strikes of the swaptions on a swap of so many periods.
pub fn strikes_at(periods: usize) -> &'static [f64] {
    if LIBOR_MATURITIES.contains(&periods) { &LIBOR_STRIKES } else { &[] }
}

pub const LIBOR_RATES: usize = 80;
/// A quarter of a year.
pub const LIBOR_PERIOD: f64 = 0.25;
const LIBOR_MATURITIES: [usize; 5] = [4, 8, 20, 28, 40];
const LIBOR_STRIKES: [f64; 3] = [0.045, 0.05, 0.055];
pub static LIBOR_DRAWS: LazyLock<Vec<f64>> = LazyLock::new(|| normal_draws(40));

/// So many draws from the standard normal distribution.
fn normal_draws(count: usize) -> Vec<f64> {
    generator().sample_iter(StandardNormal).take(count).collect()
}
