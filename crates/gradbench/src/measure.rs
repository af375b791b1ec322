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

#[cfg(test)]
mod tests {
    use super::*;

    type Prepare = fn(Input) -> Result<u32, Failure>;
    type Evaluate = fn(&mut u32, Vec<u32>) -> Result<Vec<u32>, Failure>;

    #[derive(Deserialize)]
    struct Input {
        x: u32,
    }

    /// Ready to count from the input on.
    const PREPARE: Prepare = |input| Ok(input.x);

    /// Counts on, and adds the number to the output of the time before.
    const COUNT: Evaluate = |next, mut room| {
        room.push(*next);
        *next += 1;
        Ok(room)
    };

    fn refuse() -> Failure {
        Failure::Length { what: "x", expected: 1, given: 2 }
    }

    fn measured(
        input: &str,
        prepare: Prepare,
        evaluate: Evaluate,
    ) -> Result<(String, Vec<Timing>), String> {
        let input: &RawValue = serde_json::from_str(input).unwrap();
        measure(input, prepare, evaluate)
            .map(|Evaluation { output, timings }| (output.get().to_owned(), timings))
            .map_err(|failure| failure.to_string())
    }

    #[track_caller]
    fn check_output(input: &str, expected: &str) {
        assert_eq!(measured(input, PREPARE, COUNT).unwrap().0, expected);
    }

    #[track_caller]
    fn check_names(input: &str, expected: &[&str]) {
        let (_, timings) = measured(input, PREPARE, COUNT).unwrap();
        assert!(timings.iter().map(|timing| timing.name).eq(expected.iter().copied()));
    }

    #[track_caller]
    fn check_failure(input: &str, prepare: Prepare, evaluate: Evaluate, expected: &str) {
        let error = measured(input, prepare, evaluate).unwrap_err();
        assert!(error.starts_with(expected), "{error}, not {expected}");
    }

    #[test]
    fn a_function_is_evaluated_once_unless_more_is_asked_for() {
        check_output(r#"{"x": 5}"#, "[5]");
    }

    #[test]
    fn it_is_evaluated_as_often_as_is_asked_for() {
        check_names(r#"{"x": 5, "min_runs": 3}"#, &["prepare", "evaluate", "evaluate", "evaluate"]);
    }

    #[test]
    fn what_was_prepared_and_the_output_go_from_one_evaluation_to_the_next() {
        check_output(r#"{"x": 5, "min_runs": 3}"#, "[5,6,7]");
    }

    #[test]
    fn it_is_evaluated_until_the_time_is_over() {
        let (_, timings) = measured(r#"{"x": 5, "min_seconds": 0.001}"#, PREPARE, COUNT).unwrap();
        let evaluations = timings[1..].iter().map(|timing| timing.nanoseconds);
        assert!(evaluations.sum::<u64>() >= 1_000_000);
    }

    #[test]
    fn it_is_not_evaluated_after_the_time_is_over() {
        let (_, mut timings) =
            measured(r#"{"x": 5, "min_seconds": 0.001}"#, PREPARE, COUNT).unwrap();
        timings.pop();
        let evaluations = timings[1..].iter().map(|timing| timing.nanoseconds);
        assert!(evaluations.sum::<u64>() <= 1_000_000);
    }

    #[test]
    fn no_runs_at_all_are_an_error() {
        check_failure(
            r#"{"x": 5, "min_runs": 0}"#,
            PREPARE,
            COUNT,
            "the input's min_runs must be at least 1, not 0",
        );
    }

    #[test]
    fn an_input_without_what_is_needed_is_an_error() {
        check_failure("{}", PREPARE, COUNT, "the input cannot be read: missing field `x`");
    }

    #[test]
    fn an_error_while_preparing_is_passed_on() {
        check_failure(r#"{"x": 5}"#, |_| Err(refuse()), COUNT, &refuse().to_string());
    }

    #[test]
    fn an_error_while_evaluating_is_passed_on() {
        check_failure(r#"{"x": 5}"#, PREPARE, |_, _| Err(refuse()), &refuse().to_string());
    }

    #[test]
    fn an_input_that_says_nothing_of_runs_may_be_a_number() {
        let input: &RawValue = serde_json::from_str("3").unwrap();
        assert_eq!(measure_once(input, |x: &u32| x + 1).unwrap().output.get(), "4");
    }
}
