//! The binary answers every line with one line, whatever it is asked.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The responses to these lines, in one session.
fn session(lines: &[&str]) -> Vec<Value> {
    session_with(&[], lines)
}

fn session_with(arguments: &[&str], lines: &[&str]) -> Vec<Value> {
    session_of_bytes(arguments, lines.join("\n").as_bytes())
}

fn session_of_bytes(arguments: &[&str], lines: &[u8]) -> Vec<Value> {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_gradbench"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(lines).unwrap();
    let output = tool.wait_with_output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    let responses = String::from_utf8(output.stdout).unwrap();
    responses.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether the response, without its timings, is this.
#[track_caller]
fn assert_response(mut response: Value, expected: &Value) {
    response.as_object_mut().unwrap().remove("timings");
    assert_eq!(response, *expected);
}

#[track_caller]
fn check(line: &str, expected: &Value) {
    let [response] = session(&[line]).try_into().unwrap();
    assert_response(response, expected);
}

const GOOD: &str =
    r#"{"id": "good", "kind": "evaluate", "module": "hello", "function": "square", "input": 3.0}"#;

/// The line is refused with this id and this error, and the session goes on.
#[track_caller]
fn check_refused(line: &[u8], id: &Value, error: &str) {
    let lines = [line, b"\n", GOOD.as_bytes()].concat();
    let [refusal, good] = session_of_bytes(&[], &lines).try_into().unwrap();
    assert_eq!(good["output"], 9.0);
    let given = refusal["error"].as_str().unwrap();
    assert!(given.contains(error), "{given:?}, not {error:?}");
    assert_eq!(refusal, json!({ "id": id, "success": false, "error": given }));
}

fn evaluate(module: &str, function: &str, input: &Value) -> String {
    let kind = "evaluate";
    json!({ "id": 7, "kind": kind, "module": module, "function": function, "input": input })
        .to_string()
}

/// All functions of the module refuse the input with this error.
#[track_caller]
fn check_refused_by(module: &str, input: &Value, error: &str) {
    for function in functions(module) {
        check_refused(evaluate(module, function, input).as_bytes(), &json!(7), error);
    }
}

/// The input with another value at a pointer into it.
fn with(mut input: Value, pointer: &str, value: Value) -> Value {
    *input.pointer_mut(pointer).unwrap() = value;
    input
}

fn functions(module: &str) -> &'static [&'static str] {
    match module {
        "hello" => &["square", "double"],
        "kmeans" => &["cost", "dir"],
        "ba" | "gmm" | "ht" | "lstm" => &["objective", "jacobian"],
        "det" | "llsq" | "lse" | "ode" => &["primal", "gradient"],
        "particle" | "saddle" => &["ff", "fr", "rf", "rr"],
        _ => unreachable!("a module of GradBench's"),
    }
}

/// A small input that the module's functions take.
fn input(module: &str) -> Value {
    match module {
        "ba" => json!({
            "n": 2, "m": 3, "p": 5, "cam": [0.1, 0.2, 0.3, 1.0, 2.0, 3.0, 2.0, 0.5, 0.6, 0.1, 0.2],
            "x": [1.5, -0.5, 9.0], "w": 0.5, "feat": [0.25, 0.75],
        }),
        "det" => json!({ "A": [1.0, 2.0, 3.0, 4.0], "ell": 2 }),
        "gmm" => json!({
            "d": 2, "k": 2, "n": 3, "x": [[0.5, 1.0], [2.0, -1.0], [0.0, 0.0]], "m": 1, "gamma": 1.5,
            "alpha": [0.5, 0.25], "mu": [[0.0, 1.0], [1.0, 0.0]], "q": [[0.5, -0.5], [0.0, 0.25]],
            "l": [[0.5], [-1.0]],
        }),
        "hello" => json!(3.0),
        "ht" => {
            let weights: Vec<f64> = (0..22).map(|bone| 0.25 * f64::from(bone % 3)).collect();
            let identity = json!([
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 0.0],
                [0.0, 0.0, 0.0, 1.0]
            ]);
            json!({
                "theta": vec![0.1; 26],
                "data": {
                    "model": {
                        "bone_count": 22,
                        "bone_names": vec!["bone"; 22],
                        "parents": (-1..21).collect::<Vec<_>>(),
                        "base_relatives": vec![&identity; 22],
                        "inverse_base_absolutes": vec![&identity; 22],
                        "base_positions": [[1.0, 2.0, 3.0, 1.0], [3.0, 1.0, 2.0, 1.0]],
                        "weights": [weights, weights],
                        "triangles": [[0, 1, 0]],
                        "is_mirrored": false,
                    },
                    "correspondences": [0],
                    "points": [[1.0, 0.0, 0.0]],
                },
                "us": [[0.5, 0.25]],
            })
        }
        "kmeans" => {
            json!({ "points": [[0.0], [3.0], [10.0]], "centroids": [[1.0], [9.0]] })
        }
        "llsq" => json!({ "x": [0.5, 0.25, 2.0], "n": 20 }),
        "lse" => json!({ "x": [0.5, 2.0, -1.0] }),
        "lstm" => json!({
            "main_params": [[0.5, -1.0, 0.25, 2.0], [0.1, 0.2, 0.3, 0.4]],
            "extra_params": [[1.0], [0.5], [-0.5]], "state": [[0.1], [0.2]],
            "sequence": [[1.0], [0.0], [1.0]],
        }),
        "ode" => json!({ "x": [1.0, 2.0, 3.0], "s": 2 }),
        "particle" => json!({ "w": 0.0 }),
        "saddle" => json!({ "start": [1.0, 1.0] }),
        _ => unreachable!("a module of GradBench's"),
    }
}

#[test]
fn a_session_is_started_defined_evaluated_and_analysed() {
    let responses = session(&[
        r#"{"id": 0, "kind": "start", "eval": "hello"}"#,
        r#"{"id": 1, "kind": "define", "module": "hello"}"#,
        r#"{"id": 2, "kind": "evaluate", "module": "hello", "function": "square", "input": 3.0, "description": "3"}"#,
        r#"{"id": 3, "kind": "analysis", "of": 2, "valid": true}"#,
        r#"{"id": 4, "kind": "evaluate", "module": "hello", "function": "double", "input": 9.0}"#,
        r#"{"id": 5, "kind": "analysis", "of": 4, "valid": false, "error": "no"}"#,
    ]);
    let expected = [
        json!({ "id": 0, "tool": "wengert" }),
        json!({ "id": 1, "success": true }),
        json!({ "id": 2, "success": true, "output": 9.0 }),
        json!({ "id": 3 }),
        json!({ "id": 4, "success": true, "output": 18.0 }),
        json!({ "id": 5 }),
    ];
    assert_eq!(responses.len(), expected.len());
    for (response, expected) in responses.into_iter().zip(&expected) {
        assert_response(response, expected);
    }
}

#[test]
fn a_session_without_lines_has_no_responses() {
    assert!(session(&[]).is_empty());
}

#[test]
fn blank_lines_are_not_answered() {
    let responses = session(&["", "  ", r#"{"id": 1, "kind": "start"}"#, "\t", "\r", ""]);
    assert_eq!(responses.len(), 1);
}

#[test]
fn a_line_may_end_as_on_windows() {
    check("{\"id\": 1, \"kind\": \"stop\"}\r", &json!({ "id": 1 }));
}

#[test]
fn fields_may_come_in_any_order() {
    check(
        r#"{"input": 3.0, "function": "square", "module": "hello", "kind": "evaluate", "id": 1}"#,
        &json!({ "id": 1, "success": true, "output": 9.0 }),
    );
}

#[test]
fn names_may_be_written_with_escapes() {
    check(
        r#"{"id": 1, "kind": "defin\u0065", "module": "hell\u006f"}"#,
        &json!({ "id": 1, "success": true }),
    );
}

#[test]
fn a_message_of_an_unknown_kind_is_acknowledged() {
    check(r#"{"id": 1, "kind": "pause", "module": "hello"}"#, &json!({ "id": 1 }));
}

#[track_caller]
fn check_id(id: &str) {
    let line = format!(r#"{{"id": {id}, "kind": "pause"}}"#);
    let [response] = session(&[&line]).try_into().unwrap();
    assert_eq!(response["id"].to_string(), id);
}

#[test]
fn an_id_of_64_bits_is_echoed() {
    check_id("18446744073709551615");
}

#[test]
fn a_negative_id_is_echoed() {
    check_id("-3");
}

#[test]
fn an_id_in_words_is_echoed() {
    check_id(r#""the \"first\"""#);
}

#[test]
fn a_module_that_is_known_is_defined() {
    for module in MODULES {
        let line = json!({ "id": 1, "kind": "define", "module": module }).to_string();
        check(&line, &json!({ "id": 1, "success": true }));
    }
}

#[test]
fn an_unknown_module_is_not_defined() {
    check_refused(
        br#"{"id": 1, "kind": "define", "module": "foo"}"#,
        &json!(1),
        r#"there is no module "foo"; there are "ba", "det", "gmm", "hello", "ht", "kmeans", "llsq", "lse", "lstm", "ode", "particle", "saddle""#,
    );
}

#[test]
fn an_unknown_module_is_not_evaluated() {
    check_refused(
        br#"{"id": 1, "kind": "evaluate", "module": "foo", "function": "square", "input": 3.0}"#,
        &json!(1),
        r#"there is no module "foo""#,
    );
}

#[test]
fn an_unknown_function_is_not_evaluated() {
    check_refused(
        br#"{"id": 1, "kind": "evaluate", "module": "hello", "function": "cube", "input": 3.0}"#,
        &json!(1),
        r#"module "hello" has no function "cube"; it has "square", "double""#,
    );
}

#[test]
fn a_definition_needs_a_module() {
    check_refused(br#"{"id": 1, "kind": "define"}"#, &json!(1), r#""define" needs a "module""#);
}

#[test]
fn an_evaluation_needs_a_module() {
    check_refused(
        br#"{"id": 1, "kind": "evaluate", "function": "square", "input": 3.0}"#,
        &json!(1),
        r#""evaluate" needs a "module""#,
    );
}

#[test]
fn an_evaluation_needs_a_function() {
    check_refused(
        br#"{"id": 1, "kind": "evaluate", "module": "hello", "input": 3.0}"#,
        &json!(1),
        r#""evaluate" needs a "function""#,
    );
}

#[test]
fn an_evaluation_needs_an_input() {
    check_refused(
        br#"{"id": 1, "kind": "evaluate", "module": "hello", "function": "square"}"#,
        &json!(1),
        r#""evaluate" needs a "input""#,
    );
}

#[test]
fn a_line_that_is_no_json_is_no_message() {
    check_refused(b"square 3", &Value::Null, "the line is not a message of the protocol");
}

#[test]
fn a_line_that_is_no_text_is_no_message() {
    check_refused(b"\xff\xfe", &Value::Null, "the line is not a message of the protocol");
}

#[test]
fn a_line_that_breaks_off_is_no_message() {
    check_refused(br#"{"id": 1, "kind": "#, &Value::Null, "EOF while parsing");
}

#[test]
fn a_line_nested_deeply_is_no_message() {
    check_refused(&b"[".repeat(100_000), &Value::Null, "the line is not a message of the protocol");
}

#[test]
fn an_array_is_no_message() {
    check_refused(b"[]", &Value::Null, "the line is not a message of the protocol");
}

#[test]
fn a_message_needs_an_id() {
    check_refused(br#"{"kind": "start"}"#, &Value::Null, "missing field `id`");
}

#[test]
fn a_message_needs_a_kind() {
    check_refused(br#"{"id": 1}"#, &json!(1), "missing field `kind`");
}

#[test]
fn a_message_whose_kind_is_a_number_is_refused_by_its_id() {
    check_refused(br#"{"id": 1, "kind": 2}"#, &json!(1), "invalid type: integer `2`");
}

const MODULES: [&str; 12] = [
    "ba", "det", "gmm", "hello", "ht", "kmeans", "llsq", "lse", "lstm", "ode", "particle", "saddle",
];

/// The outputs for all functions of all modules, with so many runs.
fn outputs(arguments: &[&str], runs: u64) -> Vec<Value> {
    let mut lines = Vec::new();
    for module in MODULES {
        for function in functions(module) {
            let mut input = input(module);
            if let Some(fields) = input.as_object_mut() {
                fields.insert("min_runs".to_owned(), runs.into());
            }
            lines.push(evaluate(module, function, &input));
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let outputs: Vec<Value> = session_with(arguments, &lines)
        .into_iter()
        .map(|response| response.get("output").cloned().unwrap_or(response))
        .collect();
    assert_eq!(outputs.len(), 2 * 10 + 4 * 2);
    outputs
}

#[test]
fn every_function_gives_the_same_again() {
    assert_eq!(outputs(&[], 1), outputs(&[], 3));
}

#[test]
fn every_function_gives_the_same_on_all_cores() {
    assert_eq!(outputs(&[], 1), outputs(&["--multithreaded"], 1));
}

#[track_caller]
fn check_output(module: &str, function: &str, expected: &Value) {
    let line = evaluate(module, function, &input(module));
    check(&line, &json!({ "id": 7, "success": true, "output": expected }));
}

#[test]
fn the_output_of_a_primal_is_a_number() {
    // 1·4 − 2·3.
    check_output("det", "primal", &json!(-2.0));
}

#[test]
fn the_output_of_a_gradient_is_an_array() {
    check_output("det", "gradient", &json!([4.0, -3.0, -2.0, 1.0]));
}

#[test]
fn the_output_of_a_direction_is_an_array_of_rows() {
    check_output("kmeans", "dir", &json!([[-0.5], [-1.0]]));
}

/// The numbers of nanoseconds of `prepare` and of every `evaluate`, which come after it.
fn timings(input: &Value) -> (u64, Vec<u64>) {
    let [response] = session(&[&evaluate("llsq", "gradient", input)]).try_into().unwrap();
    let timings = response["timings"].as_array().unwrap();
    let nanoseconds = |timing: &Value, name: &str| {
        assert_eq!(timing["name"], name);
        assert_eq!(timing.as_object().unwrap().len(), 2);
        timing["nanoseconds"].as_u64().unwrap()
    };
    let evaluations = timings[1..].iter().map(|timing| nanoseconds(timing, "evaluate"));
    (nanoseconds(&timings[0], "prepare"), evaluations.collect())
}

#[test]
fn preparing_takes_time_of_its_own() {
    let (prepare, _) = timings(&input("llsq"));
    assert!(prepare > 0);
}

#[test]
fn a_function_runs_once_where_nothing_is_said_of_runs() {
    assert_eq!(timings(&input("llsq")).1.len(), 1);
}

#[test]
fn a_function_runs_as_often_as_it_must() {
    let input = json!({ "x": [1.0], "n": 20, "min_runs": 5, "min_seconds": 0 });
    assert_eq!(timings(&input).1.len(), 5);
}

#[test]
fn a_function_runs_as_long_as_it_must() {
    let input = json!({ "x": [1.0], "n": 2000, "min_runs": 1, "min_seconds": 0.02 });
    let (_, evaluations) = timings(&input);
    let (_, all_but_the_last) = evaluations.split_last().unwrap();
    let [total, before] = [&evaluations, all_but_the_last].map(|part| part.iter().sum::<u64>());
    assert!(before <= 20_000_000 && 20_000_000 <= total, "{before} and {total} nanoseconds");
}

#[test]
fn a_function_runs_as_often_as_it_must_though_its_time_is_over() {
    let input = json!({ "x": [1.0], "n": 20, "min_runs": 5, "min_seconds": 1e-9 });
    assert_eq!(timings(&input).1.len(), 5);
}

#[test]
fn an_answer_without_runs_has_timings_too() {
    let [response] = session(&[GOOD]).try_into().unwrap();
    assert_eq!(response["timings"].as_array().unwrap().len(), 2);
}

#[test]
fn no_runs_are_refused() {
    let input = json!({ "x": [1.0], "n": 20, "min_runs": 0 });
    check_refused_by("llsq", &input, "the input's min_runs must be at least 1, not 0");
}

#[test]
fn less_than_no_runs_are_refused() {
    let input = json!({ "x": [1.0], "n": 20, "min_runs": -1 });
    check_refused_by("llsq", &input, "invalid value: integer `-1`, expected u64");
}

#[test]
fn an_input_of_the_wrong_type_is_refused() {
    check_refused_by("hello", &json!("three"), r#"invalid type: string "three", expected f64"#);
}

#[test]
fn an_input_that_is_no_object_is_refused() {
    check_refused_by("lse", &json!(3.0), "the input cannot be read");
}

#[test]
fn an_input_with_a_field_missing_is_refused() {
    check_refused_by("llsq", &json!({ "x": [1.0] }), "missing field `n`");
}

#[test]
fn a_number_that_is_too_large_is_refused() {
    check_refused(
        br#"{"id": 7, "kind": "evaluate", "module": "hello", "function": "square", "input": 1e999}"#,
        &json!(7),
        "number out of range",
    );
}

#[test]
fn ba_needs_cameras() {
    let input = with(input("ba"), "/n", json!(0));
    check_refused_by("ba", &input, "the input's n must be from 1 to 10^8, not 0");
}

#[test]
fn ba_needs_points() {
    let input = with(input("ba"), "/m", json!(0));
    check_refused_by("ba", &input, "the input's m must be from 1 to 10^8, not 0");
}

#[test]
fn ba_needs_observations() {
    let input = with(input("ba"), "/p", json!(0));
    check_refused_by("ba", &input, "the input's p must be from 1 to 10^8, not 0");
}

#[test]
fn ba_takes_no_more_cameras_than_it_can_count() {
    let input = with(input("ba"), "/n", json!(u64::MAX));
    check_refused_by(
        "ba",
        &input,
        "the input's n must be from 1 to 10^8, not 18446744073709551615",
    );
}

#[test]
fn ba_takes_no_more_observations_than_it_can_count() {
    let input = with(input("ba"), "/p", json!(100_000_001));
    check_refused_by("ba", &input, "the input's p must be from 1 to 10^8, not 100000001");
}

#[test]
fn ba_needs_eleven_numbers_of_a_camera() {
    let input = with(input("ba"), "/cam", json!([1.0]));
    check_refused_by("ba", &input, "the input's cam must have 11 items, not 1");
}

#[test]
fn ba_needs_three_numbers_of_a_point() {
    let input = with(input("ba"), "/x", json!([1.0, 2.0, 3.0, 4.0]));
    check_refused_by("ba", &input, "the input's x must have 3 items, not 4");
}

#[test]
fn ba_needs_two_numbers_of_a_feature() {
    let input = with(input("ba"), "/feat", json!([]));
    check_refused_by("ba", &input, "the input's feat must have 2 items, not 0");
}

#[test]
fn det_needs_rows() {
    check_refused_by("det", &json!({ "A": [], "ell": 0 }), "the input's ell must be at least 1");
}

#[test]
fn det_needs_a_square() {
    let input = json!({ "A": [1.0, 2.0, 3.0], "ell": 2 });
    check_refused_by("det", &input, "the input's A must have 4 items, not 3");
}

#[test]
fn det_takes_no_matrix_whose_expansion_never_ends() {
    let input = json!({ "A": vec![0.0; 441], "ell": 21 });
    check_refused_by(
        "det",
        &input,
        "the input's ell must be at most 20: the expansion has ell! terms, not 21",
    );
}

#[test]
fn gmm_needs_dimensions() {
    let input = with(input("gmm"), "/d", json!(0));
    check_refused_by("gmm", &input, "the input's d must be at least 1, not 0");
}

#[test]
fn gmm_needs_components() {
    let input = with(input("gmm"), "/k", json!(0));
    check_refused_by("gmm", &input, "the input's k must be at least 1, not 0");
}

#[test]
fn gmm_needs_points() {
    let input = with(with(input("gmm"), "/n", json!(0)), "/x", json!([]));
    check_refused_by("gmm", &input, "the input's n must be at least 1, not 0");
}

#[test]
fn gmm_needs_as_many_points_as_it_says() {
    let input = with(input("gmm"), "/n", json!(4));
    check_refused_by("gmm", &input, "the input's x must have 4 items, not 3");
}

#[test]
fn gmm_needs_as_many_dimensions_as_it_says() {
    let input = with(input("gmm"), "/d", json!(1_000_000_000_000_u64));
    check_refused_by("gmm", &input, "the input's x must have 1000000000000 items, not 2");
}

#[test]
fn gmm_needs_points_of_one_length() {
    let input = with(input("gmm"), "/x/1", json!([2.0]));
    check_refused_by("gmm", &input, "row 1 has 1 numbers, but row 0 has 2");
}

#[test]
fn gmm_needs_a_weight_of_each_component() {
    let input = with(input("gmm"), "/alpha", json!([1.0]));
    check_refused_by("gmm", &input, "the input's alpha must have 2 items, not 1");
}

#[test]
fn gmm_needs_a_mean_of_each_component() {
    let input = with(input("gmm"), "/mu", json!([[1.0, 2.0]]));
    check_refused_by("gmm", &input, "the input's mu must have 2 items, not 1");
}

#[test]
fn gmm_needs_a_diagonal_in_all_dimensions() {
    let input = with(input("gmm"), "/q", json!([[1.0], [2.0]]));
    check_refused_by("gmm", &input, "the input's q must have 2 items, not 1");
}

#[test]
fn gmm_needs_a_triangle_below_the_diagonal() {
    let input = with(input("gmm"), "/l", json!([[], []]));
    check_refused_by("gmm", &input, "the input's l must have 2 items, not 0");
}

#[test]
fn gmm_takes_no_negative_freedom() {
    let input = with(input("gmm"), "/m", json!(-1));
    check_refused_by("gmm", &input, "invalid value: integer `-1`, expected u32");
}

#[test]
fn ht_needs_26_parameters() {
    let input = with(input("ht"), "/theta", json!([1.0]));
    check_refused_by("ht", &input, "the input's theta must have 26 items, not 1");
}

#[test]
fn ht_needs_the_bones_of_a_hand() {
    let input = with(input("ht"), "/data/model/bone_names", json!(["wrist"]));
    check_refused_by("ht", &input, "the input's bone_names must be a hand of five fingers, not 1");
}

#[test]
fn ht_needs_a_parent_of_each_bone() {
    let input = with(input("ht"), "/data/model/parents", json!([-1]));
    check_refused_by("ht", &input, "the input's parents must have 22 items, not 1");
}

#[test]
fn ht_needs_parents_before_their_children() {
    let input = with(input("ht"), "/data/model/parents/3", json!(3));
    check_refused_by("ht", &input, "the input's parents names item 3, but there are 3");
}

#[test]
fn ht_needs_parents_that_exist() {
    let input = with(input("ht"), "/data/model/parents/3", json!(-2));
    check_refused_by("ht", &input, "the input's parents names item -2, but there are 3");
}

#[test]
fn ht_needs_a_place_of_each_bone() {
    let input = with(input("ht"), "/data/model/base_relatives", json!([]));
    check_refused_by("ht", &input, "the input's base_relatives must have 22 items, not 0");
}

#[test]
fn ht_needs_places_of_four_rows() {
    let input = with(input("ht"), "/data/model/base_relatives/5", json!([[1.0, 0.0, 0.0, 0.0]]));
    check_refused_by("ht", &input, "the input's base_relatives must have 4 items, not 1");
}

#[test]
fn ht_needs_inverses_of_four_columns() {
    let rows = json!([[1.0], [0.0], [0.0], [0.0]]);
    let input = with(input("ht"), "/data/model/inverse_base_absolutes/5", rows);
    check_refused_by("ht", &input, "the input's inverse_base_absolutes must have 4 items, not 1");
}

#[test]
fn ht_needs_vertices_of_four_numbers() {
    let input = with(input("ht"), "/data/model/base_positions", json!([[1.0, 2.0], [1.0, 2.0]]));
    check_refused_by("ht", &input, "the input's base_positions must have 4 items, not 2");
}

#[test]
fn ht_needs_vertices() {
    let input = with(input("ht"), "/data/model/base_positions", json!([]));
    check_refused_by("ht", &input, "the input's base_positions must have 4 items, not 0");
}

#[test]
fn ht_needs_weights_of_all_vertices() {
    let input = with(input("ht"), "/data/model/weights", json!([vec![1.0; 22]]));
    check_refused_by("ht", &input, "the input's weights must have 2 items, not 1");
}

#[test]
fn ht_needs_correspondences() {
    let input = with(input("ht"), "/data/correspondences", json!([]));
    check_refused_by("ht", &input, "the input's correspondences must be at least 1, not 0");
}

#[test]
fn ht_needs_points_of_three_numbers() {
    let input = with(input("ht"), "/data/points", json!([[1.0, 2.0]]));
    check_refused_by("ht", &input, "the input's points must have 3 items, not 2");
}

#[test]
fn ht_needs_coordinates_of_all_correspondences() {
    let input = with(input("ht"), "/us", json!([[0.5, 0.25], [0.5, 0.25]]));
    check_refused_by("ht", &input, "the input's us must have 1 items, not 2");
}

#[test]
fn ht_needs_triangles_that_exist() {
    let input = with(input("ht"), "/data/correspondences", json!([1]));
    check_refused_by("ht", &input, "the input's correspondences names item 1, but there are 1");
}

#[test]
fn ht_needs_corners_that_exist() {
    let input = with(input("ht"), "/data/model/triangles/0/1", json!(2));
    check_refused_by("ht", &input, "the input's vertices names item 2, but there are 2");
}

#[test]
fn ht_needs_vertices_that_exist() {
    let input = with(with(input("ht"), "/us", json!([])), "/data/correspondences", json!([-1]));
    check_refused_by("ht", &input, "the input's vertices names item -1, but there are 2");
}

#[test]
fn kmeans_needs_points() {
    let input = json!({ "points": [], "centroids": [[1.0]] });
    check_refused_by("kmeans", &input, "the input's points must be at least 1, not 0");
}

#[test]
fn kmeans_needs_points_of_at_least_one_number() {
    let input = json!({ "points": [[], []], "centroids": [[]] });
    check_refused_by("kmeans", &input, "the input's points must be at least 1, not 0");
}

#[test]
fn kmeans_needs_centroids() {
    let input = json!({ "points": [[1.0]], "centroids": [] });
    check_refused_by("kmeans", &input, "the input's centroids must be at least 1, not 0");
}

#[test]
fn kmeans_needs_centroids_as_long_as_points() {
    let input = json!({ "points": [[1.0, 2.0]], "centroids": [[1.0]] });
    check_refused_by("kmeans", &input, "the input's centroids must have 2 items, not 1");
}

#[test]
fn kmeans_needs_points_of_one_length() {
    let input = json!({ "points": [[1.0], [1.0, 2.0]], "centroids": [[1.0]] });
    check_refused_by("kmeans", &input, "row 1 has 2 numbers, but row 0 has 1");
}

#[test]
fn llsq_needs_coefficients() {
    let input = json!({ "x": [], "n": 3 });
    check_refused_by("llsq", &input, "the input's x must be at least 1, not 0");
}

#[test]
fn llsq_needs_two_ends() {
    let input = json!({ "x": [1.0], "n": 1 });
    check_refused_by("llsq", &input, "the input's n must be at least 2, not 1");
}

#[test]
fn llsq_takes_no_part_of_a_point() {
    let input = json!({ "x": [1.0], "n": 2.5 });
    check_refused_by("llsq", &input, "invalid type: floating point `2.5`, expected usize");
}

#[test]
fn llsq_takes_no_more_points_than_there_is_room_for() {
    let line = evaluate("llsq", "gradient", &json!({ "x": [1.0], "n": u64::MAX }));
    check_refused(line.as_bytes(), &json!(7), "the input is too large");
}

#[test]
fn lse_needs_numbers() {
    check_refused_by("lse", &json!({ "x": [] }), "the input's x must be at least 1, not 0");
}

#[test]
fn lse_takes_no_nulls() {
    check_refused_by("lse", &json!({ "x": [null] }), "invalid type: null, expected f64");
}

#[test]
fn lstm_needs_a_character_after_the_first() {
    let input = with(input("lstm"), "/sequence", json!([[1.0]]));
    check_refused_by("lstm", &input, "the input's sequence must be at least 2 characters, not 1");
}

#[test]
fn lstm_needs_characters_of_at_least_one_number() {
    let input = with(input("lstm"), "/sequence", json!([[], []]));
    check_refused_by("lstm", &input, "the input's sequence must be at least 1, not 0");
}

#[test]
fn lstm_needs_layers() {
    let input = with(input("lstm"), "/main_params", json!([]));
    check_refused_by("lstm", &input, "the input's main_params must be at least 1, not 0");
}

#[test]
fn lstm_needs_whole_layers() {
    let input = with(input("lstm"), "/main_params", json!(vec![[0.0; 4]; 3]));
    check_refused_by("lstm", &input, "the input's main_params must have 2 items, not 3");
}

#[test]
fn lstm_needs_four_gates() {
    let input = with(input("lstm"), "/main_params", json!(vec![[0.0; 3]; 2]));
    check_refused_by("lstm", &input, "the input's main_params must have 4 items, not 3");
}

#[test]
fn lstm_needs_three_rows_around_the_layers() {
    let input = with(input("lstm"), "/extra_params", json!([[1.0]]));
    check_refused_by("lstm", &input, "the input's extra_params must have 3 items, not 1");
}

#[test]
fn lstm_needs_a_state_of_all_layers() {
    let input = with(input("lstm"), "/state", json!([[1.0]]));
    check_refused_by("lstm", &input, "the input's state must have 2 items, not 1");
}

#[test]
fn lstm_needs_characters_of_one_length() {
    let input = with(input("lstm"), "/sequence/1", json!([0.0, 1.0]));
    check_refused_by("lstm", &input, "row 1 has 2 numbers, but row 0 has 1");
}

#[test]
fn ode_needs_functions() {
    let input = json!({ "x": [], "s": 1 });
    check_refused_by("ode", &input, "the input's x must be at least 1, not 0");
}

#[test]
fn ode_needs_steps() {
    let input = json!({ "x": [1.0], "s": 0 });
    check_refused_by("ode", &input, "the input's s must be at least 1, not 0");
}

#[test]
fn ode_records_no_more_steps_than_a_tape_holds() {
    let line = evaluate("ode", "gradient", &json!({ "x": [1.0, 2.0], "s": 50_000_001 }));
    check_refused(
        line.as_bytes(),
        &json!(7),
        "the input's s, times the length of x, must be at most 10^8, not 100000002",
    );
}

#[test]
fn particle_needs_a_control() {
    check_refused_by("particle", &json!({}), "missing field `w`");
}

#[test]
fn saddle_needs_two_numbers() {
    check_refused_by("saddle", &json!({ "start": [1.0] }), "invalid length 1");
}

#[test]
fn saddle_takes_no_third_number() {
    check_refused_by("saddle", &json!({ "start": [1.0, 2.0, 3.0] }), "trailing characters");
}

#[test]
fn a_start_that_overflows_is_answered() {
    let input = json!({ "start": [1e308, 1e308] });
    for function in functions("saddle") {
        let [response] = session(&[&evaluate("saddle", function, &input)]).try_into().unwrap();
        assert_eq!(response["success"], true);
    }
}
