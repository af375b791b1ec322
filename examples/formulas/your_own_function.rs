//! Differentiates a function of your own, the Black–Scholes price of a call option, and property-tests its gradient.
//!
//! Goal: write a function once and have its value, gradient and Hessian-vector product, and a test that the gradient is
//! right. Prerequisite: the example `gradient`. Run it with `cargo run --release --example your_own_function`, and its
//! test, as you would write it for your own function, with `cargo test --example your_own_function`.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tape::Real;
use tape::check::{self, Verdict};

/// Strike price of the option.
const STRIKE: f64 = 100.0;

/// What the price depends on, in this order.
const NAMES: [&str; 4] = ["spot", "volatility", "rate", "years"];

/// The price of a European call: spot·Φ(d₁) − strike·e^(−rate·years)·Φ(d₂).
///
/// Written for any `Real`, it runs on `f64` and on everything that differentiates.
fn price<T: Real>(x: &[T]) -> T {
    let [spot, volatility, rate, years] = [x[0], x[1], x[2], x[3]];
    let strike = T::from_f64(STRIKE);
    let half = T::from_f64(0.5);
    let deviation = volatility * years.sqrt();
    let d1 = ((spot / strike).ln() + (rate + half * volatility * volatility) * years) / deviation;
    let d2 = d1 - deviation;
    spot * normal(d1) - strike * (-rate * years).exp() * normal(d2)
}

/// Φ(x), the normal distribution function.
fn normal<T: Real>(x: T) -> T {
    T::from_f64(0.5) * (-x * T::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erfc()
}

fn main() {
    let market = [100.0, 0.2, 0.05, 1.0];
    for (name, x) in NAMES.iter().zip(market) {
        println!("{name} = {x}");
    }

    println!("\n1. The value, on plain numbers");
    println!("price = {}", price(&market));

    println!("\n2. Its gradient, by one sweep");
    let (value, gradient) = tape::gradient(price, &market);
    assert_eq!(value, price(&market), "differentiating does not change the value");
    for (name, derivative) in NAMES.iter().zip(&gradient) {
        println!("∂price/∂{name} = {derivative}");
    }
    println!("(traders say delta, vega, rho; the textbook's delta Φ(d₁) = {})", normal(0.35_f64));

    println!("\n3. How the gradient changes with the spot price: the Hessian times (1, 0, 0, 0)");
    let (_, _, product) = tape::hessian_vector(price, &market, &[1.0, 0.0, 0.0, 0.0]);
    for (name, derivative) in NAMES.iter().zip(product) {
        println!("∂²price/∂spot∂{name} = {derivative}");
    }

    println!("\n4. A property test: the gradient agrees with numeric derivatives");
    println!("at the market above: {}", check::gradient(price, &market));
    let tested = test_everywhere(|market| check::gradient(price, market));
    println!(
        "at 100 random markets: {}",
        tested.map_or_else(|failure| failure, |()| "pass".into())
    );

    println!("\n5. The same test of a gradient derived by hand, with a mistake in it");
    let tested = test_everywhere(|market| check::gradient_of(price, &by_hand(market), market));
    println!("{}", tested.map_or_else(|failure| failure, |()| "pass".into()));
    println!("(the simplest market that proptest found; vega lacks √years, which is ½ there)");
}

/// Holds a gradient against numeric derivatives at random markets; the failure is told with the simplest market.
fn test_everywhere(verdict: impl Fn(&[f64]) -> Verdict) -> Result<(), String> {
    // The same markets at every run, so that the output is the same.
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let tested = TestRunner::new_with_rng(config, random).run(&markets(), |market| {
        let verdict = verdict(&market);
        if verdict.is_mismatch() { Err(TestCaseError::fail(verdict.to_string())) } else { Ok(()) }
    });
    tested.map_err(|error| match error {
        TestError::Fail(why, market) => format!("at {market:?}: {why}"),
        TestError::Abort(why) => why.to_string(),
    })
}

/// Markets that occur. The price is smooth there; a kink would be reported as unchecked, not as a failure.
fn markets() -> impl Strategy<Value = [f64; 4]> {
    (80.0..125.0, 0.2..0.6, 0.0..0.1, 0.25..4.0)
        .prop_map(|(spot, volatility, rate, years)| [spot, volatility, rate, years])
}

/// Delta, vega, rho and theta from a textbook; vega lacks its factor √years.
fn by_hand(market: &[f64]) -> [f64; 4] {
    let &[spot, volatility, rate, years] = market else { unreachable!("a market is four numbers") };
    let deviation = volatility * years.sqrt();
    let d1 = ((spot / STRIKE).ln() + (rate + volatility * volatility / 2.0) * years) / deviation;
    let d2 = d1 - deviation;
    let density = (-d1 * d1 / 2.0).exp() / (2.0 * core::f64::consts::PI).sqrt();
    let discounted = STRIKE * (-rate * years).exp() * normal(d2);
    [
        normal(d1),
        spot * density,
        years * discounted,
        spot * density * volatility / (2.0 * years.sqrt()) + rate * discounted,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn the_gradient_of_the_price_is_right(market in markets()) {
            check::assert_gradient(price, &market);
        }
    }
}
