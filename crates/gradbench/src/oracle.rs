//! What the tests compare with: dual numbers, one direction at a time, and how close is close enough.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tape::Dual;

/// An input, read as a message's is.
pub(crate) fn read<I: DeserializeOwned>(input: Value) -> I {
    serde_json::from_value(input).expect("the input of a test can be read")
}

/// So many numbers in (−1, 1), none like another: multiples of the golden ratio by squares, without their whole parts.
pub(crate) fn numbers(count: usize) -> Vec<f64> {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    (1..=count).map(|i| ((i * i) as f64 * GOLDEN).fract() * 2.0 - 1.0).collect()
}

/// [`numbers`] in rows.
pub(crate) fn rows(count: usize, columns: usize) -> Vec<Vec<f64>> {
    numbers(count * columns).chunks(columns).map(<[f64]>::to_vec).collect()
}

/// The derivatives of all outputs, a row each.
pub(crate) fn jacobian(f: impl Fn(&[Dual]) -> Vec<Dual>, x: &[f64]) -> Vec<f64> {
    let column = |direction: usize| -> Vec<f64> {
        let seeded = |(i, &x): (usize, &f64)| Dual::new(x, f64::from(u8::from(i == direction)));
        let point: Vec<Dual> = x.iter().enumerate().map(seeded).collect();
        f(&point).iter().map(|output| output.tangent).collect()
    };
    let columns: Vec<Vec<f64>> = (0..x.len()).map(column).collect();
    let outputs = 0..columns[0].len();
    outputs.flat_map(|output| columns.iter().map(move |column| column[output])).collect()
}

/// The derivatives of the only output.
pub(crate) fn gradient(f: impl Fn(&[Dual]) -> Dual, x: &[f64]) -> Vec<f64> {
    jacobian(|x| vec![f(x)], x)
}

/// All numbers agree to 11 digits; where terms cancelled, to what is left of the largest number's.
#[track_caller]
pub(crate) fn assert_close(given: &[f64], expected: &[f64]) {
    assert_eq!(given.len(), expected.len(), "{given:?}, not {expected:?}");
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (i, (given, expected)) in given.iter().zip(expected).enumerate() {
        let allowed = 1e-11 * expected.abs() + 1e-14 * largest;
        assert!((given - expected).abs() <= allowed, "number {i} is {given}, not {expected}");
    }
}
