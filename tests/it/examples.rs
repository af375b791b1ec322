//! What the examples print, and that they refuse bad input with a message instead of a panic.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Cargo builds the examples before it runs the tests of their package, into the folder beside the tests' own.
pub(crate) fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary =
        profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.exists(),
        "{} is not built: run `cargo test`, without `--test`",
        binary.display()
    );
    binary
}

pub(crate) fn run(example: &str, arguments: &[&str]) -> Output {
    Command::new(binary(example)).args(arguments).env("RUST_BACKTRACE", "0").output().unwrap()
}

#[track_caller]
pub(crate) fn output_of(example: &str, arguments: &[&str]) -> String {
    let output = run(example, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example} {arguments:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The example prints this, among other things.
#[track_caller]
fn check(example: &str, arguments: &[&str], expected: &str) {
    let output = output_of(example, arguments);
    assert!(
        output.contains(expected),
        "{example} {arguments:?} does not print {expected:?}:\n{output}"
    );
}

/// The example prints this number behind this label, to 1e-6 relative.
#[track_caller]
fn check_number(example: &str, arguments: &[&str], label: &str, expected: f64) {
    let output = output_of(example, arguments);
    let behind = output.split_once(label).map(|(_, behind)| behind.split_whitespace().next());
    let number = behind.flatten().and_then(|number| number.parse::<f64>().ok());
    let is_expected = number.is_some_and(|number| (number / expected - 1.0).abs() < 1e-6);
    assert!(is_expected, "{example} prints {number:?} behind {label:?}, not {expected}:\n{output}");
}

/// The example fails, says this, and does not panic.
#[track_caller]
pub(crate) fn check_refusal(example: &str, arguments: &[&str], expected: &str) {
    let output = run(example, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{example} accepts {arguments:?}");
    assert!(errors.contains(expected), "{example} does not say {expected:?}:\n{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

/// A file for `--data` with this text.
pub(crate) fn data(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn chain_reaches_the_least_squares_product() {
    check_number("chain", &[], "Product of the weights:", 1932.0 / 158.0);
}

#[test]
fn chain_reaches_the_least_squares_error() {
    let least = (40_578.0 - 1932.0 * 1932.0 / 158.0) / 3.0;
    check_number("chain", &[], "Mean squared error:", least);
}

#[test]
fn chain_says_that_a_linear_chain_cannot_pass_through_the_points() {
    check("chain", &[], "No weights can pass through these points");
}

#[test]
fn chain_says_why_a_linear_chain_cannot() {
    check("chain", &[], "D = (ab·bc·cd)·A, a straight line through the origin");
}

#[test]
fn chain_reaches_the_targets_with_bias_and_sine() {
    check("chain", &[], "Reached: every target within 0.01");
}

#[test]
fn chain_reaches_the_targets_from_twenty_seeds() {
    for seed in 0..20 {
        check("chain", &["--seed", &seed.to_string()], "Reached: every target within 0.01");
    }
}

#[test]
fn chain_reaches_the_targets_with_momentum() {
    check("chain", &["--optimizer", "momentum"], "Reached: every target within 0.01");
}

#[test]
fn chain_reaches_the_least_squares_product_with_plain_descent() {
    check_number("chain", &["--optimizer", "plain"], "Product of the weights:", 1932.0 / 158.0);
}

#[test]
fn chain_says_what_its_words_mean() {
    check("chain", &[], "adjoint: The derivative of the loss L with respect to a node");
}

#[test]
fn chain_makes_the_step_of_plain_descent_with_numbers() {
    let step = "ab ← ab - rate·∂L/∂ab = 0.902486 - 0.00001 × 1177.06 = 0.890715";
    check("chain", &[], step);
    let after =
        "the parameters of epoch 1, the last one, where the error was lowest\n  ab = 0.890715";
    check("chain", &["--epochs", "1"], after);
}

#[test]
fn chain_says_what_adam_does_in_place_of_the_plain_step() {
    check("chain", &["--optimizer", "adam"], "ab ← 0.902486 + 0.01 = 0.912486");
    check("chain", &[], "Divided they give 1 or -1, so every parameter moves by the rate, 0.01");
}

#[test]
fn chain_says_why_single_derivatives_are_not_0_at_rest() {
    check("chain", &[], "they pull in different directions: the mean is 0");
}

#[test]
fn chain_does_not_call_it_rest_while_a_step_still_helps() {
    let output = output_of("chain", &["--epochs", "395"]);
    assert!(output.contains("the mean is small beside them.\nIt is not 0 yet."), "{output}");
    assert!(!output.contains("come to rest"), "{output}");
}

#[test]
fn chain_says_why_the_second_training_ends_before_it_rests() {
    check(
        "chain",
        &[],
        "Not every mean is 0: a step that is small enough would still make the error",
    );
}

#[test]
fn chain_says_which_epoch_its_parameters_are_of() {
    let output = output_of("chain", &[]);
    assert!(output.contains("the error falls no more (no lower one in 2000 epochs)."), "{output}");
    let kept = "After training: the parameters of epoch 511, where the error was lowest\n  ab = ";
    assert!(output.contains(kept), "{output}");
    assert!(output.contains("\n     511  5651.265823\n"), "its error is in the table: {output}");
}

#[test]
fn chain_says_what_the_sweep_saves_in_long_chains() {
    check("chain", &[], "2,500               4,999                     3,126,250");
}

#[test]
fn chain_explains_the_arrow_of_a_step() {
    check("chain", &[], "← means: becomes. ∂L/∂ab stands for the mean over the samples");
}

#[test]
fn chain_offers_a_check_that_anyone_can_do() {
    check("chain", &[], "the derivative says 0.01 × 99.652 = 0.99652");
    // In the end L is almost 0, and its curve bends within 0.01.
    check("chain", &[], "the derivative says 0.0000001 × 0.781657 = 7.81657e-8");
    check("chain", &[], "0.01 is too far: the curve of the loss bends");
}

#[test]
fn chain_explains_the_gradient_as_products() {
    check("chain", &[], "∂L/∂ab = [∂L/∂D·∂D/∂C·∂C/∂B]·∂B/∂ab = [");
}

#[test]
fn chain_trains_twenty_six_nodes() {
    check_number("chain", &["--nodes", "26"], "Product of the weights:", 1932.0 / 158.0);
}

#[test]
fn chain_takes_names() {
    check("chain", &["--nodes", "in,hidden,out"], "out = 200 when in = 10");
}

#[test]
fn chain_shows_what_it_can_do() {
    check("chain", &["--help"], "--optimizer <OPTIMIZER>");
}

#[test]
fn chain_reads_samples_below_a_heading() {
    let file = data("line.csv", "# doubles\nA, D\n1, 2\n2, 4\n");
    check("chain", &["--data", &file], "These points lie on such a line.");
}

#[test]
fn chain_refuses_one_node() {
    check_refusal("chain", &["--nodes", "1"], "a chain needs at least 2 nodes, got 1");
}

#[test]
fn chain_refuses_the_same_name_twice() {
    check_refusal("chain", &["--nodes", "A,B,A"], r#"two nodes have the name "A""#);
}

#[test]
fn chain_refuses_a_negative_rate() {
    check_refusal("chain", &["--rate", "-1"], "the rate cannot be -1");
}

#[test]
fn chain_refuses_an_unknown_optimizer() {
    check_refusal("chain", &["--optimizer", "newton"], "[possible values: plain, momentum, adam]");
}

#[test]
fn chain_returns_the_last_finite_weights_of_a_training_that_diverges() {
    check_refusal(
        "chain",
        &["--optimizer", "plain", "--rate", "1"],
        "try a rate below 1\nThe last finite weights: ab = ",
    );
}

#[test]
fn chain_refuses_a_file_that_is_not_there() {
    check_refusal("chain", &["--data", "nowhere.csv"], "cannot open nowhere.csv");
}

#[test]
fn chain_refuses_a_file_without_samples() {
    check_refusal("chain", &["--data", &data("empty.csv", "A,D\n")], "no samples in ");
}

#[test]
fn chain_names_the_line_of_what_is_no_number() {
    let file = data("word.csv", "1,2\n3,four\n");
    check_refusal("chain", &["--data", &file], r#"line 2: "four" is not a number"#);
}

#[test]
fn chain_names_the_line_of_what_is_no_pair() {
    check_refusal("chain", &["--data", &data("triple.csv", "1,2\n1,2,3\n")], "line: 2");
}

#[test]
fn alphabet_says_that_25_of_26_factors_are_known() {
    check("alphabet", &[], "a product of 26 factors, of which 25 are known");
}

#[test]
fn alphabet_gives_the_derivative_of_the_first_edge() {
    check("alphabet", &[], "= [-22] × 3 = -66");
}

#[test]
fn alphabet_s_work_grows_linearly_with_reuse_and_quadratically_without() {
    let output = output_of("alphabet", &[]);
    let last = output.lines().find(|line| line.starts_with("  26,000")).unwrap();
    assert!(last.contains("51,997  ×10.0") && last.contains("337,987,000 ×100.0"), "{last}");
}

const GRADIENT_EXAMPLE: [&str; 3] = ["x*y + sin(x)", "x=2", "y=3"];

#[test]
fn gradient_prints_the_value() {
    check_number("gradient", &GRADIENT_EXAMPLE, "value =", 6.0 + 2.0_f64.sin());
}

#[test]
fn gradient_prints_the_point() {
    check("gradient", &GRADIENT_EXAMPLE, "at x = 2, y = 3\n");
}

#[test]
fn gradient_prints_a_derivative_for_each_variable() {
    check_number("gradient", &GRADIENT_EXAMPLE, "∂f/∂x =", 3.0 + 2.0_f64.cos());
    check_number("gradient", &GRADIENT_EXAMPLE, "∂f/∂y =", 2.0);
}

#[test]
fn gradient_prints_the_list_with_adjoints() {
    check("gradient", &GRADIENT_EXAMPLE, "v3    v1 * v2            6  ∂v1 = 3, ∂v2 = 2         1");
}

#[test]
fn gradient_agrees_with_numeric_derivatives() {
    check("gradient", &GRADIENT_EXAMPLE, "Against numeric derivatives: pass");
}

#[test]
fn gradient_says_that_a_kink_has_no_numeric_derivative() {
    check("gradient", &["abs(x)", "x=0"], "unchecked: component 0: a kink");
}

#[test]
fn gradient_prints_the_hessian_when_asked() {
    check("gradient", &["x^2*y", "x=3", "y=2", "--hessian"], "for each of x, y\n4  6\n6  0\n");
}

#[test]
fn gradient_prints_nothing_but_the_graph_when_asked() {
    let graph = output_of("gradient", &["x*y", "x=2", "y=3", "--dot"]);
    assert!(graph.starts_with("digraph") && graph.ends_with("}\n"), "{graph}");
}

#[test]
fn gradient_writes_a_page_that_plays_the_formula() {
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gradient.html");
    let path = page.to_str().unwrap();
    let formula = "(x·y + sin(x))² × |y − x| + 2";
    check("gradient", &[formula, "x=2", "y=3", "--report", path], "open it in a browser");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains(r#""shared":"x is used 3 times, y is used 2 times. "#));
    assert!(html.contains(r#""operation":"v9 + 2""#), "a number stands in its operation");
}

#[test]
fn gradient_refuses_a_page_of_too_many_operations() {
    let formula = vec!["x"; 400].join("*");
    let expected = "the formula has 399 operations: a page shows 300 at most";
    check_refusal("gradient", &[&formula, "x=1", "--report", "long.html"], expected);
}

#[test]
fn gradient_without_arguments_shows_how_to_give_some() {
    check("gradient", &[], r#"Try your own formula: -- "x*y + sin(x)" x=2 y=3"#);
}

#[test]
fn gradient_takes_a_formula_that_begins_with_a_sign() {
    check_number("gradient", &["-x^2", "x=3"], "∂f/∂x =", -6.0);
}

#[test]
fn gradient_takes_constants_as_values() {
    check_number("gradient", &["sin(x)", "x=pi/3"], "∂f/∂x =", 0.5);
}

#[test]
fn gradient_of_a_constant_has_nothing_to_differentiate() {
    check("gradient", &["2^10"], "value = 1024\nThe formula has no variables");
}

#[test]
fn gradient_ends_with_exit_code_2_when_the_formula_is_wrong() {
    assert_eq!(run("gradient", &["x +", "x=1"]).status.code(), Some(1));
}

#[test]
fn gradient_points_at_what_it_cannot_read() {
    check_refusal("gradient", &["x + sni(x)", "x=1"], "    ^^^ did you mean `sin`?");
}

#[test]
fn gradient_says_which_value_is_missing() {
    check_refusal("gradient", &["x*y", "x=1"], "no value is given for y: add y=…");
}

#[test]
fn gradient_says_which_variable_is_unknown() {
    check_refusal(
        "gradient",
        &["x*y", "x=1", "y=1", "z=1"],
        "`z` is not a variable of the formula: its variables are x, y",
    );
}

#[test]
fn gradient_says_which_value_is_given_twice() {
    check_refusal("gradient", &["x", "x=1", "x=2"], "`x` is given two values");
}

#[test]
fn gradient_says_which_value_is_no_number() {
    check_refusal("gradient", &["x", "x=y"], "the value of `x`: `y` has no value here");
}

#[test]
fn your_own_function_prices_the_option_of_the_textbook() {
    check_number("your_own_function", &[], "price =", 10.450_583_572_185_565);
}

#[test]
fn your_own_function_prints_delta_and_gamma() {
    let (delta, gamma) = (0.636_830_651_175_619_1, 0.018_762_017_345_846_9);
    check_number("your_own_function", &[], "∂price/∂spot =", delta);
    check_number("your_own_function", &[], "∂²price/∂spot∂spot =", gamma);
}

#[test]
fn your_own_function_passes_its_property_test() {
    check("your_own_function", &[], "at 100 random markets: pass");
}

#[test]
fn your_own_function_finds_the_mistake_in_a_gradient_by_hand() {
    check("your_own_function", &[], "at [80.0, 0.2, 0.0, 0.25]: mismatch: component 1 is 2.9557");
}

#[test]
fn nested_derivatives_are_not_confused_in_any_pair_of_modes() {
    for outer in ["reverse", "forward"] {
        for inner in ["reverse", "forward"] {
            check_number("nested", &[], &format!("outer {outer}, inner {inner}:"), 1.0);
        }
    }
}

#[test]
fn nested_prints_the_third_taylor_coefficient_of_the_tangent() {
    check_number("nested", &[], "c3 =", 1.0 / 3.0);
}

#[test]
fn nested_differentiates_newton_s_method_as_the_implicit_function_theorem_does() {
    let e = 1.498_701_133_517_848_4_f64;
    check_number("nested", &[], "∂E/∂M =", 1.0 / (1.0 - 0.5 * e.cos()));
    check_number("nested", &[], "∂E/∂e =", e.sin() / (1.0 - 0.5 * e.cos()));
}

#[test]
fn custom_operation_reads_a_table() {
    check_number("custom_operation", &[], "with respect to h:", 200.0 * (0.9093 - 1.007));
}

#[test]
fn custom_operation_differentiates_a_root() {
    check("custom_operation", &[], "with respect to a: 0.0769230769 (numerically 0.0769230769)");
    check("custom_operation", &[], "with respect to b: -0.1538461538 (numerically -0.1538461538)");
}

#[test]
fn own_operation_passes_its_check_and_is_right_elsewhere() {
    check("own_operation", &[], "verdict: pass");
    check("own_operation", &[], "guards: 0");
    check("own_operation", &[], "the same as recorded anew: true");
    check("own_operation", &[], "the hill is 1.200000 km high");
}

/// As scikit-learn's regression by Gaussian processes finds them, with a constant, a squared exponential and white noise.
#[test]
fn gaussian_process_finds_the_hyperparameters_of_lake_huron() {
    check("gaussian_process", &[], "ln likelihood: -105.455266");
    check("gaussian_process", &[], "signal, feet   1.1978");
    check("gaussian_process", &[], "length, years  1.7031");
    check("gaussian_process", &[], "noise, feet    0.3224");
    check("gaussian_process", &[], "1973.0  579.793  0.705");
}

/// As Durbin and Koopman publish them; the smoothed levels by a program of our own in another language.
#[test]
fn kalman_finds_the_variances_of_the_nile() {
    check("kalman", &[], "ln likelihood: -632.5456");
    check("kalman", &[], "variance of a measurement: 15098.5; of what is new: 1469.18");
    check("kalman", &[], "smoothed level in 1921: 829.55");
    check("kalman", &[], "smoothed level in 1921: 839.30");
}

#[test]
fn custom_operation_agrees_with_numeric_derivatives() {
    assert_eq!(output_of("custom_operation", &[]).matches("verdict: pass").count(), 2);
}

#[test]
fn hessian_finds_the_entries_of_a_seven_point_stencil() {
    // Each height and its neighbours to the right, below, and below on the left, both ways.
    let entries = 12 * 12 + 2 * (12 * 11 + 11 * 12 + 11 * 11);
    let label = "Entries that can be other than 0:";
    check_number("hessian", &["--size", "12"], label, f64::from(entries));
}

#[test]
fn hessian_shows_the_pattern() {
    check("hessian", &["--size", "2"], "\n███·\n████\n████\n·███\n");
    check("hessian", &[], "Of a film of 5 × 5 heights:\n██···█···");
}

#[test]
fn hessian_comes_nearer_to_scherk_s_surface_with_the_square_of_the_step() {
    let distance = |size: &str| -> f64 {
        let output = output_of("hessian", &["--size", size]);
        let behind = output.split_once("Largest distance to Scherk's surface: ").unwrap().1;
        behind.split_whitespace().next().unwrap().parse().unwrap()
    };
    let ratio = distance("7") / distance("15");
    assert!((3.0..5.0).contains(&ratio), "{ratio}");
}

#[test]
fn hessian_draws_a_square_for_each_entry() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pattern.svg");
    check("hessian", &["--size", "3", "--picture", path.to_str().unwrap()], "is drawn in");
    let drawing = std::fs::read_to_string(path).unwrap();
    let entries = 3 * 3 + 2 * (3 * 2 + 2 * 3 + 2 * 2);
    // And the paper.
    assert_eq!(drawing.matches("<rect").count(), entries + 1);
}

#[test]
fn hessian_refuses_a_drawing_in_no_folder() {
    check_refusal("hessian", &["--size", "2", "--picture", "/nowhere/a.svg"], "cannot draw");
}

#[test]
fn hessian_refuses_a_film_of_no_heights() {
    check_refusal("hessian", &["--size", "0"], "0 is not in 1..=300");
}

#[test]
fn branches_prints_where_a_program_diverges() {
    check(
        "branches",
        &[],
        "At 100,000: the function takes another path here: guard 1, `x0 <= 60000`",
    );
}

#[test]
fn branches_prints_the_rates_on_either_side_of_a_bracket() {
    let output = output_of("branches", &[]);
    let rate = |income: &str| {
        let line = output.lines().find(|line| line.trim_start().starts_with(income)).unwrap();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_eq!((rate("60000 "), rate("60000.01 ")), ("0.2".into(), "0.4".into()));
}

#[test]
fn branches_traces_each_bracket_once() {
    check_number("branches", &[], "Paths kept:", 4.0);
}

#[test]
fn branches_differentiates_newton_s_method_on_every_path() {
    let output = output_of("branches", &["--times", "500"]);
    let second = output.split_once("Newton's method").unwrap().1;
    let number = |label: &str| -> f64 {
        let behind = second.split_once(label).unwrap().1;
        let number = behind.split_whitespace().next().unwrap();
        number.trim_end_matches(',').parse().unwrap()
    };
    assert!(number("implicit function theorem:") < 1e-9, "{output}");
    assert!(number("Paths kept:") > 2.0 && number("Paths kept:") < 20.0, "{output}");
    assert_eq!(number("Paths kept:"), number("traced:"), "{output}");
}

#[test]
fn branches_refuses_an_orbit_that_is_not_closed() {
    check_refusal("branches", &["--eccentricity", "1"], "an ellipse has an eccentricity from 0");
}

#[test]
fn fit_finds_the_true_parameters() {
    let output = output_of("fit", &["--rows", "20000"]);
    let off = output
        .lines()
        .filter_map(|line| line.split_once("true "))
        .map(|(_, behind)| behind.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap().abs());
    let off: Vec<f64> = off.collect();
    assert!(off.len() == 5 && off.iter().all(|&off| off < 4.0), "{output}");
}

#[test]
fn fit_without_noise_is_exact() {
    check("fit", &["--rows", "1000", "--noise", "0"], "0.500000");
}

#[test]
fn fit_reads_measurements_and_draws_the_residuals() {
    let line = |i: i32| {
        let x = 0.1 * f64::from(i);
        format!("{x},{}\n", 2.0 * (-2.0 * (x - 1.0).powi(2)).exp() + 0.5)
    };
    let file = data("peak.csv", &format!("x,y\n{}", (-20..40).map(line).collect::<String>()));
    let plot = data("peak.svg", "");
    let output = output_of("fit", &["--data", &file, "--plot", &plot]);
    let center = output.lines().find(|line| line.starts_with("center")).unwrap();
    assert!(center.contains("1.000000"), "{output}");
    let plot = std::fs::read_to_string(plot).unwrap();
    assert!(plot.starts_with("<svg") && plot.matches("<circle").count() == 60, "{plot}");
}

#[test]
fn fit_refuses_too_few_measurements() {
    check_refusal("fit", &["--rows", "5"], "5 measurements do not determine 5 parameters");
}

#[test]
fn fit_names_the_line_of_what_is_no_measurement() {
    let file = data("measured.csv", "x,y\n1,2\n3,four\n");
    check_refusal("fit", &["--data", &file], "line 3: two numbers are wanted");
}

#[test]
fn minimize_reaches_the_optimum_both_ways() {
    let output = output_of("minimize", &[]);
    let numbers = |label: &str| -> Vec<f64> {
        let behind = output.lines().filter_map(|line| line.trim_start().strip_prefix(label));
        behind.map(|number| number.trim().parse().unwrap()).collect()
    };
    let (values, distances) = (numbers("final value:"), numbers("largest distance from 1:"));
    assert!(values.len() == 2 && values.iter().all(|&value| value < 1e-8), "{output}");
    assert!(distances.len() == 2 && distances.iter().all(|&far| far < 1e-8), "{output}");
    assert_eq!(numbers("Hessian products:")[0], 0.0, "{output}");
}

#[test]
fn minimize_refuses_one_dimension() {
    check_refusal("minimize", &["--dimensions", "1"], "takes at least 2 variables");
}

/// A new folder for what an example writes.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn shipped(name: &str) -> String {
    format!("{}/examples/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn chain_writes_a_report_and_a_plot() {
    let folder = folder("chain-report");
    let [page, plot] = ["chain.html", "chain.svg"].map(|name| folder.join(name));
    let arguments =
        ["--report", page.to_str().unwrap(), "--plot", plot.to_str().unwrap(), "--epochs", "500"];
    check("chain", &arguments, "open it in a browser");
    assert!(std::fs::read_to_string(page).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(std::fs::read_to_string(plot).unwrap().starts_with("<svg"));
}

#[test]
fn chain_refuses_a_plot_that_is_no_svg_before_it_trains() {
    check_refusal("chain", &["--plot", "loss.png"], "loss.png does not end in .svg");
}

/// The number behind this label, on a line of its own.
#[track_caller]
pub(crate) fn number_of_line(output: &str, label: &str) -> f64 {
    let number = output.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
    let number = number.and_then(|text| text.trim_end_matches(" %").parse().ok());
    number.unwrap_or_else(|| panic!("no line {label:?} with a number:\n{output}"))
}

#[test]
fn train_reads_most_digits_right_and_writes_model_report_and_checkpoint() {
    let folder = folder("train-digits");
    let output = output_of("train", &["--out", folder.to_str().unwrap(), "--epochs", "60"]);
    let rows = "Rows:   1293 to learn from, 144 to judge each epoch, 360 for the test (seed 1)";
    assert!(output.contains(rows), "{output}");
    let accuracy = number_of_line(&output, "test accuracy:");
    assert!(accuracy >= 97.0, "{accuracy} %");
    let page = std::fs::read_to_string(folder.join("digits.html")).unwrap();
    assert!(page.contains(&format!("accuracy: {accuracy:.2} %")));
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let expected = ["digits.checkpoint.safetensors", "digits.html", "digits.model.safetensors"];
    assert_eq!(files, expected);
}

#[test]
fn predict_uses_what_train_has_saved() {
    let folder = folder("train-iris");
    let out = folder.to_str().unwrap();
    let output = output_of("train", &[&shipped("iris.csv"), "--target", "species", "--out", out]);
    let accuracy = number_of_line(&output, "test accuracy:");
    assert!(accuracy >= 95.0, "{accuracy} %");

    let model = folder.join("iris.model");
    let answers = output_of("predict", &[model.to_str().unwrap(), &shipped("iris.csv")]);
    let lines: Vec<&str> = answers.lines().collect();
    assert_eq!(lines[0], "species,p(setosa),p(versicolor),p(virginica)");
    assert_eq!(lines.len(), 151);
    let file = std::fs::read_to_string(shipped("iris.csv")).unwrap();
    let species = |line: &str| line.rsplit(',').next().unwrap().to_owned();
    let right = lines[1..]
        .iter()
        .zip(file.lines().skip(1))
        .filter(|(answer, row)| answer.starts_with(&species(row)))
        .count();
    assert!(right >= 142, "{right} of 150");

    // In another order, with more columns, and with one too few.
    let other = data(
        "iris-other.csv",
        "petal width,note,petal length,sepal width,sepal length\n0.2,a,1.4,3.5,5.1\n",
    );
    check("predict", &[model.to_str().unwrap(), &other], "\nsetosa,");
    let fewer = data("iris-fewer.csv", "petal length,sepal width,sepal length\n1.4,3.5,5.1\n");
    check_refusal("predict", &[model.to_str().unwrap(), &fewer], "petal width");
    check_refusal("predict", &["no/such.model", &fewer], "cannot read no/such.model.safetensors");
}

/// y = 3a − 2b + 1 on a grid.
pub(crate) fn plane(name: &str) -> String {
    let row = |place: i32| {
        let (a, b) = (place % 10, place / 10);
        format!("{a},{b},{}\n", 3 * a - 2 * b + 1)
    };
    data(name, &format!("a,b,y\n{}", (0..100).map(row).collect::<String>()))
}

#[test]
fn train_fits_numbers() {
    let folder = folder("train-plane");
    let [out, plot] =
        [folder.clone(), folder.join("fit.svg")].map(|path| path.display().to_string());
    let file = plane("plane.csv");
    let arguments = [
        &file,
        "--target",
        "y",
        "--task",
        "regress",
        "--hidden",
        "none",
        "--optimizer",
        "momentum",
        "--rate",
        "0.05",
        "--l2",
        "0",
        "--out",
        &out,
        "--plot-fit",
        &plot,
        "--validation",
        "0.1",
        "--patience",
        "50",
    ];
    let output = output_of("train", &arguments);
    assert!(number_of_line(&output, "test R²:") > 0.9999, "{output}");
    assert!(std::fs::read_to_string(plot).unwrap().starts_with("<svg"));
}

#[test]
fn train_goes_on_from_its_checkpoint() {
    let run = |name: &str, parts: &[&[&str]]| {
        let folder = folder(name);
        let file = plane(&format!("{name}.csv"));
        for part in parts {
            let out = folder.display().to_string();
            let first = [&file[..], "--target", "y", "--task", "regress", "--out", &out];
            output_of("train", &[&first[..], part].concat());
        }
        std::fs::read(folder.join(format!("{name}.checkpoint.safetensors"))).unwrap()
    };
    let whole = run("whole", &[&["--epochs", "12"]]);
    let parts = run("parts", &[&["--epochs", "5"], &["--epochs", "12", "--resume"]]);
    assert!(whole == parts, "the parameters differ");
}

#[test]
fn train_holds_to_the_precision_it_was_started_with() {
    let out = folder("train-single").display().to_string();
    let file = plane("single.csv");
    let first = [&file[..], "--target", "y", "--out", &out];
    output_of("train", &[&first[..], &["--epochs", "2", "--precision", "single"]].concat());
    output_of("train", &[&first[..], &["--epochs", "3", "--resume"]].concat());
    let other = [&first[..], &["--epochs", "4", "--resume", "--precision", "double"]].concat();
    check_refusal("train", &other, "--precision is single there, and double is given");
    let unknown = [&first[..], &["--precision", "half"]].concat();
    check_refusal("train", &unknown, "\"half\" is no precision: there are double and single");
}

/// Forty people: row numbers without a name, a text, a gap here and there, a date, an amount with a comma, a yes or no.
fn people(name: &str, seed: usize) -> String {
    let row = |row: usize| {
        let place = row * 7 + seed;
        let town = ["Ulm", "Bonn", "Kiel"][place % 3];
        let age = if row % 9 == 4 { "NA".to_owned() } else { (20 + place % 50).to_string() };
        let (month, member) = (1 + place % 12, if place.is_multiple_of(2) { "yes" } else { "no" });
        let pay = 1000 + 300 * (place % 3) + 200 * (place % 2) + row;
        let (thousands, rest) = (pay / 1000, pay % 1000);
        format!("{row},{town},{age},2020-{month:02}-01,{member},\"{thousands},{rest:03}\"\n")
    };
    data(name, &format!(",town,age,since,member,pay\n{}", (0..40).map(row).collect::<String>()))
}

#[test]
fn train_and_predict_take_tables_as_people_have_them() {
    let out = folder("train-people").display().to_string();
    let file = people("people.csv", 0);
    let other = people("others.csv", 5);
    let output = output_of("train", &[&file, "--test", &other, "--out", &out]);
    for line in [
        "  column1: left out: it counts the rows",
        "  town: text, 3 categories: Bonn, Kiel, Ulm",
        "  age: number; gaps are filled with ",
        "  since: date, written %Y-%m-%d, with its place in the year, week",
        "  member: yes or no",
        "Rows:   40 to learn from, 40 for the test",
        "always the mean: R²: ",
        "linear model: R²: ",
    ] {
        assert!(output.contains(line), "{line:?} in\n{output}");
    }
    assert!(number_of_line(&output, "test R²:") > 0.9, "{output}");

    let model = format!("{out}/people.model");
    let rows = data(
        "strangers.csv",
        "member,town,since,age\nyes,Ulm,2020-03-01,\nno,Rome,2020-04-01,30\n",
    );
    let answers = output_of("predict", &[&model, &rows]);
    assert_eq!(answers.lines().count(), 3, "{answers}");
    let soon = data("soon.csv", "member,town,since,age\nyes,Ulm,soon,30\n");
    let refused = "line 2, column \"since\": \"soon\" is no date written %Y-%m-%d";
    check_refusal("predict", &[&model, &soon], refused);
}

/// 120 streets, each in four rows, and what each adds to y.
fn streets(name: &str) -> String {
    let row = |row: usize| {
        let (street, x) = (row % 120, row / 120);
        format!("street {street},{x},{}\n", (street * 37) % 11 + x)
    };
    data(name, &format!("street,x,y\n{}", (0..480).map(row).collect::<String>()))
}

#[test]
fn train_embeds_columns_of_many_categories() {
    let out = folder("train-streets").display().to_string();
    let file = streets("streets.csv");
    let options = [&file, "--task", "regress", "--out", &out, "--epochs", "200", "--rate", "0.01"];
    let output = output_of("train", &options);
    let said = "numbers that are learnt";
    assert!(output.contains(&format!("each stands for 4 {said}")), "{output}");
    assert!(number_of_line(&output, "test R²:") > 0.8, "{output}");
    let rows = data("roads.csv", "street,x\nstreet 7,1\nno street,2\n");
    let model = format!("{out}/streets.model");
    assert_eq!(output_of("predict", &[&model, &rows]).lines().count(), 3);

    let output = output_of("train", &[&options[..], &["--embed", "street:2"]].concat());
    assert!(output.contains(&format!("each stands for 2 {said}")), "{output}");
    let output = output_of("train", &[&options[..], &["--embed", "none"]].concat());
    assert!(output.contains("rare ones count as one") && !output.contains(said), "{output}");
    let refused = "a category stands for at least one number";
    check_refusal("train", &[&file, "--embed", "street:0"], refused);
}

#[test]
fn train_leaves_out_rows_with_gaps_where_it_is_asked() {
    let out = folder("train-whole").display().to_string();
    let file = people("whole.csv", 0);
    let output = output_of("train", &[&file, "--drop-rows", "--test", "0", "--out", &out]);
    assert!(output.contains("Left out: 4 rows with a gap."), "{output}");
    assert!(output.contains("Rows:   36 to learn from, 0 for the test"), "{output}");
    assert!(output.contains("  age: number\n"), "{output}");
    assert!(!output.contains("test R²:"), "{output}");
}

#[test]
fn train_tests_on_folds() {
    let out = folder("train-folds").display().to_string();
    let file = people("folds.csv", 0);
    let arguments = [&file, "--folds", "4", "--log", "--epochs", "100", "--out", &out];
    let output = output_of("train", &arguments);
    assert_eq!(output.lines().filter(|line| line.starts_with("fold ")).count(), 4, "{output}");
    assert!(output.contains("fold 4: 10 rows, R²: "), "{output}");
    assert!(output.contains("folds: mean 0."), "{output}");
    assert!(output.contains("Rows:   40 to learn from, 0 for the test"), "{output}");
}

#[test]
fn train_shows_trials_and_folds_on_a_terminal_only() {
    let out = folder("train-trials").display().to_string();
    let output = run("train", &[&people("trials.csv", 0), "--folds", "2", "--log", "--out", &out]);
    let [said, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(said.contains("epochs did best on parts of the rows"), "{said}");
    assert!(!said.contains("trial 1 of") && !said.contains("fold 1 of 2"), "{said}");
    assert!(errors.lines().all(|line| line.starts_with("epoch ")), "{errors}");
}

#[test]
fn train_refuses_bad_tables_and_options() {
    let iris = shipped("iris.csv");
    check_refusal("train", &["no-such.csv"], "no-such.csv");
    check_refusal("train", &[&iris, "--target", "specie"], "species");
    // One word among twenty numbers is a slip, and the message says what may be done.
    let row = |row: usize| format!("{row},{},{row}\n", if row == 1 { "oops" } else { "7" });
    let bad = data("bad.csv", &format!("a,b,y\n{}", (0..20).map(row).collect::<String>()));
    let slip = "line 3, column \"b\": \"oops\" is not a number";
    check_refusal("train", &[&bad, "--task", "regress"], slip);
    check_refusal("train", &[&bad, "--task", "regress"], "--gap TEXT");
    check_refusal("train", &[&iris, "--delimiter", "ab"], "give one ASCII character");
    check_refusal("train", &[&iris, "--folds", "1"], "--folds 1: give at least 2");
    check_refusal("train", &[&iris, "--log"], "\"setosa\" is not a number");
    check_refusal("train", &[&plane("nothing.csv"), "--log"], "has no logarithm");
    check_refusal("train", &[&iris, "--test", "1.5"], "1.5");
    check_refusal("train", &[&iris, "--test", "-0.2"], "-0.2");
    check_refusal("train", &[&iris, "--test", "no-such.csv"], "no-such.csv");
    check_refusal("train", &[&iris, "--rate", "0"], "the rate cannot be 0");
    check_refusal("train", &[&iris, "--hidden", "8,x"], "--hidden \"x\"");
    check_refusal("train", &[&iris, "--activation", "powf"], "is no activation");
    check_refusal("train", &[&iris, "--plot", "loss.png"], "loss.png does not end in .svg");
    check_refusal("train", &[&iris, "--plot-fit", "fit.svg", "--epochs", "1"], "is for numbers");
    let untested = plane("untested.csv");
    let arguments = [untested.as_str(), "--plot-fit", "fit.svg", "--test", "0"];
    check_refusal("train", &arguments, "--test SHARE");
}

#[test]
fn train_refuses_a_plot_before_it_trains_for_it() {
    let output = run("train", &[&shipped("iris.csv"), "--plot-fit", "fit.svg", "--folds", "3"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && !text.contains("fold 1"), "{text}");
}

#[test]
fn train_that_runs_away_says_where() {
    let out = folder("train-away").display().to_string();
    let arguments = [
        &plane("away.csv"),
        "--task",
        "regress",
        "--hidden",
        "none",
        "--optimizer",
        "plain",
        "--rate",
        "1e300",
        "--out",
        &out,
    ];
    check_refusal("train", &arguments, "the training left the finite numbers in epoch 1, batch");
}
