//! The pages in a real browser, stepped through as a reader would: what stands on them is what the engine computes.
//!
//! `crates/nn/tests/browser/read.mjs` works the page and prints what it read. With `SCREENSHOTS` set to a folder it leaves pictures
//! there.

use std::path::{Path, PathBuf};
use std::process::Command;

use nn::report::ChainReport;
use nn::{Chain, Recorded, Sample};
use serde_json::Value;
use tape::{Tape, Var};

use super::{at, recorded, samples, training_report, with_sine};

#[test]
#[ignore = "needs Chromium: .ci/run runs it"]
fn the_chain_s_page_shows_at_every_step_what_the_engine_computes() {
    let alphabet = Chain::builder().letters(26).unwrap().seed(5).build().unwrap();
    let mut chains = [Chain::builder().seed(1).build().unwrap(), alphabet, with_sine()];
    let recordings = chains.each_mut().map(|chain| recorded(chain, 3_000));
    let mut report = ChainReport::new("The chain A→B→C→D");
    let names = ["without biases and activations", "26 nodes", "with biases and a sine"];
    for ((name, chain), recorded) in names.iter().zip(&chains).zip(&recordings) {
        report = report.training(name, chain, &samples(), recorded).unwrap();
    }

    let found = read("chain", &report.to_html());
    check_page(&found);
    let readings = found["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 3 * (3 + 2), "three epochs of the first sample, one of the others");
    for reading in readings {
        let index = index(&reading["training"]);
        check_reading(reading, &chains[index], &recordings[index]);
    }

    let last = readings.last().unwrap()["steps"].as_array().unwrap().len() - 1;
    let keyboard = &found["keyboard"];
    assert_eq!(keyboard["end"], last);
    assert_eq!(keyboard["focus"], "next", "a step to the end leaves the focus where it is");
    assert_eq!(keyboard["left"], last - 1);
    assert_eq!(keyboard["home"], 0);
    assert_eq!(keyboard["right"], 1);
    assert_eq!(keyboard["tab"], "last");
    assert_ne!(keyboard["outline"], "none", "the focus is visible");
    let playing = &found["playing"];
    assert_eq!(
        [&playing["before"], &playing["during"], &playing["after"]],
        ["Play", "Pause", "Play"]
    );
    assert!(playing["reached"].as_u64().unwrap() >= 2);

    check_played(&found);
    assert_eq!(found["opens"], serde_json::json!({ "training": "0", "epoch": 0, "step": 0 }));

    check_texts(found["texts"].as_array().unwrap(), &recordings);

    let names: Vec<&str> = found["controls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|control| control["name"].as_str().unwrap())
        .collect();
    for name in
        ["Training", "Sample", "Epoch", "Step", "Play", "Step forward", "Step back", "Speed"]
    {
        assert!(names.contains(&name), "no control is named {name}: {names:?}");
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run runs it"]
fn the_formula_s_page_adds_up_what_each_use_hands_back() {
    let found = read("formula", &super::formula_report().to_html());
    check_page(&found);
    check_played(&found);
    // x·y + sin(x) at 2 and 3: x is used twice.
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 3.0]);
    let sine = x.sin();
    let result = x * y + sine;
    let adjoints = tape.sweep(result);
    let steps = found["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    let shown = |name: &str| last["rows"].as_array().unwrap().iter().find(|r| r["name"] == name);
    assert_eq!(shown("x").unwrap()["adjoint"], adjoints.wrt(x));
    assert_eq!(shown("y").unwrap()["adjoint"], adjoints.wrt(y));
    assert_eq!(shown("v4").unwrap()["value"], sine.value());
    assert_eq!(shown("f").unwrap()["value"], result.value());
    assert_eq!(last["gradient"][0], adjoints.wrt(x));
    assert_eq!(last["gradient"][1], adjoints.wrt(y));
    assert_eq!(last["forward"], adjoints.wrt(x));
    let is_sum =
        |step: &&Value| step["now"].as_str().unwrap().contains("Something was there already");
    let sums: Vec<&Value> = steps.iter().filter(is_sum).collect();
    assert_eq!(sums.len(), 1);
    assert_eq!(sums[0]["sum"], 2.0_f64.cos() + 3.0);
}

#[test]
#[ignore = "needs Chromium: .ci/run runs it"]
fn the_training_s_page_shows_its_numbers() {
    let found = read("training", &training_report().to_html());
    check_page(&found);
    let values: Vec<f64> =
        found["values"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    for expected in [39.0, 2.3 + 0.01, (0.37_f64).sin()] {
        assert!(values.contains(&expected), "{expected} is not on the page");
    }
}

/// What stands below the stepper at epoch 0, at the lowest loss and at the last epoch of each training.
fn check_texts(texts: &[Value], recordings: &[Recorded]) {
    let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    assert_eq!(texts.len(), 3 * recordings.len());
    for (shown, recorded) in texts.chunks(3).zip(recordings) {
        let [first, best, last] = shown else { unreachable!() };
        let (best_epoch, epochs) = (recorded.trained.best_epoch(), recorded.trained.epochs());
        assert_eq!([&first["epoch"], &best["epoch"]], [0, best_epoch]);
        assert_eq!(text(first, "weightsOf"), "before the training");
        assert_eq!(text(best, "weightsOf"), format!("after epoch {best_epoch}"));
        assert!(text(first, "rule").contains("1 or −1, so every parameter moves by the rate"));
        assert!(text(first, "reading").starts_with("← means: becomes."));
        let keeps = if best_epoch == epochs {
            "It keeps these parameters".to_owned()
        } else {
            format!("It keeps the parameters of epoch {best_epoch}")
        };
        assert!(text(last, "end").contains(&keeps), "{last}");
        for shown in shown {
            let [change, predicted] = ["change", "predicted"].map(|n| shown[n].as_f64().unwrap());
            let agrees = (change - predicted).abs() <= 0.01 * predicted.abs();
            assert_eq!(agrees, !text(shown, "why").starts_with("The two differ"), "{shown}");
            assert!(text(shown, "twice").contains("hands two products back"));
        }
    }
    // In the end the losses with a sine are so near 0 that 0.01 is too far.
    assert!(text(texts.last().unwrap(), "why").contains("the curve of L bends"), "{texts:?}");
}

/// What is true of every page that plays: its speed can be chosen, on paper stands all of the calculation, and on a phone the
/// sentence of the step stays in sight.
fn check_played(found: &Value) {
    assert_eq!(found["sentence"], serde_json::json!([true, true, true, true]));
    assert_eq!(found["speed"], serde_json::json!({ "1": 1, "2": 2, "4": 4 }));
    assert_eq!(found["print"]["empty"], 0, "every value is on the paper");
    for step in found["print"]["steps"].as_array().unwrap() {
        assert_eq!(*step, 0, "after printing the page is where it was");
    }
}

/// What is true of every page: nothing went wrong, nothing was loaded, everything has a name and can be read.
fn check_page(found: &Value) {
    let empty = Value::Array(Vec::new());
    assert_eq!(found["errors"], empty);
    assert_eq!(found["requests"], empty, "the page loads nothing");
    assert_eq!(found["contrast"]["light"], empty, "text below 4.5 to 1");
    assert_eq!(found["contrast"]["dark"], empty, "text below 4.5 to 1 in dark mode");
    assert_eq!(found["pageWidth"], 360, "no scrolling sideways on a phone");
    assert_eq!(found["pageWidthDesktop"], 1280);
    assert_eq!(found["cut"], empty, "nothing is cut at 390 px");
    assert_eq!(found["print"]["cut"], empty, "nothing is cut on paper");
    assert_eq!(found["print"]["controls"], empty, "nothing on paper asks to be pressed");
    for control in found["controls"].as_array().unwrap() {
        assert_ne!(control["name"], "", "a {} without a name", control["role"]);
    }
}

fn check_reading(reading: &Value, chain: &Chain, recorded: &Recorded) {
    let snapshot = recorded
        .snapshots
        .iter()
        .find(|snapshot| reading["epoch"] == snapshot.epoch)
        .expect("the page shows epochs that were recorded");
    assert_eq!(reading["loss"], snapshot.loss);
    let chain = at(chain, snapshot);
    let sample = samples()[index(&reading["sample"])];
    for (shown, sample) in reading["predictions"].as_array().unwrap().iter().zip(samples()) {
        assert_eq!(shown, chain.predict(sample.input));
    }

    let explanation = chain.explain(sample).unwrap();
    let (values, adjoints) = swept(&chain, sample);
    let mut terms = explanation.terms.iter();
    let mut filled = 0;
    let steps = reading["steps"].as_array().unwrap();
    for (position, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], position);
        let rows = step["rows"].as_array().unwrap();
        assert_eq!(rows.len(), values.len() + 1, "a row for each variable, and one for the input");
        let mut shown = 0;
        for (row, (value, adjoint)) in rows[1..].iter().zip(values.iter().zip(&adjoints)) {
            assert!(row["value"].is_null() || row["value"] == *value, "{row}: {value}");
            assert!(row["adjoint"].is_null() || row["adjoint"] == *adjoint, "{row}: {adjoint}");
            shown += usize::from(!row["value"].is_null()) + usize::from(!row["adjoint"].is_null());
        }
        assert!(position == 0 || shown > filled, "step {position} fills in something");
        filled = shown;
        let current = rows.iter().filter(|row| row["current"] == true).count();
        assert_eq!(current, usize::from(position > 0), "one row is the current one");

        let symbols = step["symbols"].as_str().unwrap_or_default();
        let now = step["now"].as_str().unwrap();
        let is_derivative = terms
            .as_slice()
            .first()
            .is_some_and(|term| symbols.starts_with(&format!("{} = ", term.symbol)));
        if is_derivative {
            let term = terms.next().unwrap();
            assert_eq!(step["result"], term.derivative);
            assert_eq!(step["counts"]["reused"], term.reused_factors);
            assert_eq!(symbols.matches('·').count(), term.path_factors, "{symbols}");
            assert_eq!(step["reused"].is_null(), term.reused_factors == 0);
            let last = step["gradient"].as_array().unwrap().last().unwrap();
            assert_eq!(last["symbol"], term.symbol);
            assert_eq!(last["factors"], term.factors());
            assert_eq!(last["value"], term.derivative);
            assert!(now.starts_with(&format!("Reverse: {} = ", term.symbol)), "{now}");
        } else if let Some(forward) = explanation.steps.get(position.wrapping_sub(1)) {
            let start = format!("Forward: {} = {} = ", forward.node, forward.formula);
            assert!(now.starts_with(&start), "{now}");
        }
    }
    assert!(terms.next().is_none(), "every derivative has its step");
    assert_eq!(filled, 2 * values.len(), "in the end everything has its value and adjoint");
    let gradient = steps.last().unwrap()["gradient"].as_array().unwrap();
    assert_eq!(gradient.len(), explanation.terms.len());
}

/// Values and adjoints of everything recorded, straight from the tape and without the chain's own formulas.
fn swept(chain: &Chain, sample: Sample) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let weights: Vec<Var> = chain.weights().values().map(|&weight| tape.var(weight)).collect();
    let biases: Vec<Var> = chain.biases().values().map(|&bias| tape.var(bias)).collect();
    let mut all: Vec<Var> = weights.iter().chain(&biases).copied().collect();
    let mut value = Var::constant(sample.input);
    for (position, &weight) in weights.iter().enumerate() {
        value = weight * value;
        all.push(value);
        if let Some(&bias) = biases.get(position) {
            value += bias;
            all.push(value);
            if position == 0 {
                value = value.sin();
                all.push(value);
            }
        }
    }
    let error = value - sample.target;
    let loss = error * error;
    all.extend([error, loss]);
    let adjoints = tape.sweep(loss);
    let of = |f: &dyn Fn(Var) -> f64| all.iter().map(|&variable| f(variable)).collect();
    (of(&|variable| variable.value()), of(&|variable| adjoints.wrt(variable)))
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn read(kind: &str, page: &str) -> Value {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{kind}.html"));
    std::fs::write(&file, page).unwrap();
    let browser = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let screenshots = std::env::var_os("SCREENSHOTS").map(PathBuf::from);
    let output = Command::new("node")
        .arg(browser.join("read.mjs"))
        .arg(kind)
        .arg(&file)
        .args(screenshots)
        .output()
        .expect("node is installed, and `npm ci --prefix crates/nn/tests/browser` has been run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
