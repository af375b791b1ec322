//! One function on one input: prepared once, evaluated as often as was asked for, both timed.

use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Failure;

/// What an evaluation gives.
pub(crate) struct Evaluation {
    pub(crate) output: Box<RawValue>,
    pub(crate) timings: Vec<Timing>,
}

/// How long a part of the work took.
#[derive(Debug, Serialize)]
pub(crate) struct Timing {
    name: &'static str,
    nanoseconds: u64,
}

/// How often a function is to be evaluated: at least `min_runs` times, and until it took `min_seconds` in all.
#[derive(Deserialize)]
struct Runs {
    #[serde(default = "once")]
    min_runs: u64,
    #[serde(default)]
    min_seconds: f64,
}

fn once() -> u64 {
    1
}

/// Reads the input, prepares, evaluates, and writes the last output.
///
/// Reading and writing are not timed. `prepare` is timed by itself, as in GradBench's other tools; what it hands to
/// `evaluate` may hold what follows from the input's shape (a traced program, a sparsity pattern, room to work in), but
/// nothing that was computed from its numbers. `evaluate` is handed the output of the time before, for its room only.
pub(crate) fn measure<I: DeserializeOwned, P, O: Serialize + Default>(
    input: &RawValue,
    prepare: impl FnOnce(I) -> Result<P, Failure>,
    evaluate: impl FnMut(&mut P, O) -> Result<O, Failure>,
) -> Result<Evaluation, Failure> {
    let runs: Runs = serde_json::from_str(input.get()).map_err(Failure::Input)?;
    if runs.min_runs == 0 {
        let (what, given) = ("min_runs", runs.min_runs.to_string());
        return Err(Failure::Value { what, expected: "at least 1", given });
    }
    repeat(runs, input, prepare, evaluate)
}

/// [`measure`] of a function whose input says nothing of runs: it is evaluated once.
pub(crate) fn measure_once<I: DeserializeOwned, O: Serialize + Default>(
    input: &RawValue,
    evaluate: impl Fn(&I) -> O,
) -> Result<Evaluation, Failure> {
    let once = Runs { min_runs: 1, min_seconds: 0.0 };
    repeat(once, input, Ok, |input, _| Ok(evaluate(input)))
}

fn repeat<I: DeserializeOwned, P, O: Serialize + Default>(
    Runs { min_runs, min_seconds }: Runs,
    input: &RawValue,
    prepare: impl FnOnce(I) -> Result<P, Failure>,
    mut evaluate: impl FnMut(&mut P, O) -> Result<O, Failure>,
) -> Result<Evaluation, Failure> {
    let read = serde_json::from_str(input.get()).map_err(Failure::Input)?;

    let (prepared, prepare) = timed("prepare", || prepare(read));
    let (mut prepared, mut timings) = (prepared?, vec![prepare]);
    let mut seconds = 0.0;
    let mut output = O::default();
    loop {
        let (result, timing) = timed("evaluate", || evaluate(&mut prepared, output));
        output = result?;
        seconds += timing.nanoseconds as f64 * 1e-9;
        timings.push(timing);
        if timings.len() as u64 > min_runs && seconds >= min_seconds {
            let output = to_raw_value(&output).map_err(Failure::Output)?;
            return Ok(Evaluation { output, timings });
        }
    }
}

/// What `work` gives, and how long it took.
pub(crate) fn timed<R>(name: &'static str, work: impl FnOnce() -> R) -> (R, Timing) {
    let start = Instant::now();
    let result = work();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    (result, Timing { name, nanoseconds })
}
