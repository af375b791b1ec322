//! The report pages: their numbers are the engine's, whatever they are given they show as text, and they load nothing.

use std::ops::ControlFlow;

use nn::chain::Error;
use nn::report::{
    ChainReport, Chart, Confusion, Curve, FormulaReport, HeatMap, Names, Scale, TrainingReport,
    Units,
};
use nn::{Chain, Recorded, Sample, Snapshot, Training};
use serde_json::Value;

mod browser;

const SAMPLES: [(f64, f64); 3] = [(3.0, 17.0), (10.0, 200.0), (7.0, -17.0)];

fn samples() -> Vec<Sample> {
    SAMPLES.map(Sample::from).to_vec()
}

/// The chain of four with every bias and a sine, as the example trains it.
fn with_sine() -> Chain {
    let builder = Chain::builder().biases().activation("B", "sin".parse().unwrap());
    builder.seed(1).build().unwrap()
}

fn recorded(chain: &mut Chain, epochs: usize) -> Recorded {
    let training = Training { epochs, ..Training::default() };
    chain.train_recorded(&samples(), &training, |_| ControlFlow::Continue(())).unwrap()
}

fn page(mut chain: Chain, epochs: usize) -> String {
    let recorded = recorded(&mut chain, epochs);
    let report = ChainReport::new("A chain").training("Adam", &chain, &samples(), &recorded);
    report.unwrap().to_html()
}

fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"id="data">"#).unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

/// The chain as it was at a snapshot.
fn at(chain: &Chain, snapshot: &Snapshot) -> Chain {
    let mut chain = chain.clone();
    for (edge, &weight) in &snapshot.parameters.weights {
        chain.set_weight(edge, weight).unwrap();
    }
    for (node, &bias) in &snapshot.parameters.biases {
        chain.set_bias(node, bias).unwrap();
    }
    chain
}

#[test]
fn the_page_s_data_hold_the_engine_s_numbers_for_every_snapshot_and_sample() {
    let mut chain = with_sine();
    let recorded = recorded(&mut chain, 50);
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let data = data(&report.to_html());
    let snapshots = data[0]["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), recorded.snapshots.len());
    for (shown, snapshot) in snapshots.iter().zip(&recorded.snapshots) {
        let chain = at(&chain, snapshot);
        assert_eq!(shown["epoch"], snapshot.epoch);
        assert_eq!(shown["loss"], chain.loss(&samples()).unwrap());
        for (numbers, sample) in shown["numbers"].as_array().unwrap().iter().zip(samples()) {
            let (loss, gradient) = chain.gradient(&[sample]).unwrap();
            assert_eq!(numbers["values"].as_array().unwrap().last().unwrap(), loss);
            for (index, derivative) in gradient.values().enumerate() {
                assert_eq!(numbers["adjoints"][index + 1], derivative);
            }
        }
    }
}

#[test]
fn the_snapshots_of_the_first_epoch_the_last_and_that_of_the_lowest_loss_are_kept() {
    let mut chain = with_sine();
    // Steps so large that the loss goes up and down.
    let training = Training { epochs: 1_003, rate: 0.5, ..Training::default() };
    let watch = |_| ControlFlow::Continue(());
    let recorded = chain.train_recorded(&samples(), &training, watch).unwrap();
    let last = recorded.snapshots.last().unwrap();
    assert_eq!(last.epoch, 1_003);
    assert_eq!(last.loss, recorded.trained.history[1_003]);
    assert!(last.loss > recorded.trained.loss, "the last epoch is not the best one");

    let is_kept = |snapshot: &Snapshot| snapshot.parameters == *chain.parameters();
    assert!(recorded.snapshots.iter().any(is_kept));
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let data = data(&report.to_html());
    let kept = usize::try_from(data[0]["kept"].as_u64().unwrap()).unwrap();
    assert_eq!(data[0]["snapshots"][kept]["loss"], recorded.trained.loss);
    assert_eq!(data[0]["snapshots"][0]["epoch"], 0);
}

#[test]
fn the_page_s_step_is_that_of_the_training() {
    let mut chain = with_sine();
    let recorded = recorded(&mut chain, 50);
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let data = data(&report.to_html());
    let shown = data[0]["snapshots"].as_array().unwrap();
    let mut consecutive = 0;
    for (index, snapshot) in recorded.snapshots.iter().enumerate() {
        let chain = at(&chain, snapshot);
        let (_, mean) = chain.gradient(&samples()).unwrap();
        assert_eq!(shown[index]["mean"], serde_json::json!(mean.values().collect::<Vec<_>>()));
        let Some(next) = recorded.snapshots.get(index + 1) else {
            assert!(shown[index]["step"].is_null(), "no step follows the last epoch");
            continue;
        };
        if next.epoch == snapshot.epoch + 1 {
            consecutive += 1;
            let after: Vec<f64> = next.parameters.values().collect();
            assert_eq!(shown[index]["step"]["after"], serde_json::json!(after));
            assert_eq!(shown[index]["step"]["loss"], next.loss);
        }
    }
    assert!(consecutive > 5);
}

#[test]
fn a_plain_step_is_rate_times_the_mean_of_the_samples_derivatives() {
    let mut chain = Chain::builder().seed(1).build().unwrap();
    let training = Training { optimizer: nn::Optimizer::Plain, rate: 1e-5, ..Training::default() };
    let training = Training { epochs: 3_000, ..training };
    let watch = |_| ControlFlow::Continue(());
    let recorded = chain.train_recorded(&samples(), &training, watch).unwrap();
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let data = data(&report.to_html());
    assert_eq!(data[0]["rate"], 1e-5);
    let number = |value: &Value| value.as_f64().unwrap();
    let first = &data[0]["snapshots"][0];
    for index in 0..3 {
        let before = number(&first["numbers"][0]["values"][index + 1]);
        let after = number(&first["step"]["after"][index]);
        assert_eq!(after, before - 1e-5 * number(&first["mean"][index]));
        let each = (0..3).map(|sample| number(&first["numbers"][sample]["adjoints"][index + 1]));
        let mean = each.sum::<f64>() / 3.0;
        assert!((mean - number(&first["mean"][index])).abs() < 1e-12 * mean.abs());
    }
    assert_eq!(first["cancels"], false);
    let kept = usize::try_from(data[0]["kept"].as_u64().unwrap()).unwrap();
    assert_eq!(data[0]["snapshots"][kept]["cancels"], true, "at rest the derivatives cancel");
    assert_eq!(data[0]["snapshots"][kept]["rests"], true);

    // On the way there they nearly cancel, and a step still helps.
    let on_the_way = |shown: &&Value| shown["cancels"] == true && shown["rests"] == false;
    let snapshots = data[0]["snapshots"].as_array().unwrap();
    let helped: Vec<f64> =
        snapshots.iter().filter(on_the_way).map(|shown| number(&shown["step"]["fall"])).collect();
    assert!(helped.iter().any(|&fall| fall > 1e-6), "{helped:?}");
    for shown in snapshots.iter().filter(|shown| shown["rests"] == true) {
        assert!(shown["step"].is_null() || number(&shown["step"]["fall"]) <= 0.0, "{shown}");
    }
}

#[test]
fn the_check_of_a_derivative_is_so_small_that_it_agrees() {
    let mut chain = with_sine();
    let recorded = recorded(&mut chain, 3_000);
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let data = data(&report.to_html());
    let number = |value: &Value| value.as_f64().unwrap();
    let mut smaller = 0;
    for snapshot in data[0]["snapshots"].as_array().unwrap() {
        for numbers in snapshot["numbers"].as_array().unwrap() {
            for nudge in numbers["nudges"].as_array().unwrap() {
                let checks = nudge["checks"].as_array().unwrap();
                let check = checks.last().unwrap();
                let [by, change, predicted] = [0, 2, 3].map(|place| number(&check[place]));
                let agrees = (change - predicted).abs() <= 0.01 * predicted.abs();
                assert_eq!(nudge["agrees"], agrees, "{nudge}");
                assert!(agrees || checks.len() == 1, "{nudge}");
                assert_eq!(number(&checks[0][0]), 0.01);
                smaller += usize::from(by < 0.01 && agrees);
            }
        }
    }
    assert!(smaller > 50, "where L is almost 0 it bends most: {smaller}");
    let last = &data[0]["snapshots"].as_array().unwrap().last().unwrap()["numbers"];
    assert_eq!(last[0]["nudges"][0]["agrees"], true);
}

#[test]
fn a_page_says_which_epoch_s_parameters_are_kept() {
    let mut chain = with_sine();
    let training = Training { epochs: 1_003, rate: 0.5, ..Training::default() };
    let watch = |_| ControlFlow::Continue(());
    let recorded = chain.train_recorded(&samples(), &training, watch).unwrap();
    let best = recorded.trained.best_epoch();
    assert!(best < 1_003);
    let report = ChainReport::new("").training("", &chain, &samples(), &recorded).unwrap();
    let html = report.to_html();
    let kept = format!("after epoch {best}: the training keeps the parameters of that epoch");
    assert!(html.contains(&kept), "{kept}");
    let data = data(&html);
    let kept = usize::try_from(data[0]["kept"].as_u64().unwrap()).unwrap();
    assert_eq!(data[0]["snapshots"][kept]["epoch"], best);
}

#[test]
fn a_page_says_where_the_sweep_adds() {
    let html = page(with_sine(), 5);
    assert!(html.contains("So the sweep only multiplies, and adds where a number goes in twice"));
    // v1 to v6 are the parameters, v7 to v13 the nodes, v14 is D − target.
    let twice =
        "L = v14 · v14 hands two products back to v14, and the adjoint of v14 is their sum.";
    assert_eq!(data(&html)[0]["twice"], twice);
}

#[test]
fn a_page_explains_the_words_that_it_uses() {
    let html = page(with_sine(), 5);
    for word in ["node, edge, weight", "bias, activation", "loss, mean squared error", "gradient"] {
        assert!(html.contains(&format!("<dt>{word}</dt>")), "{word}");
    }
}

#[test]
fn forward_mode_and_the_check_come_to_the_sweep_s_derivative() {
    let data = data(&page(with_sine(), 5));
    let number = |value: &Value| value.as_f64().unwrap();
    for numbers in data[0]["snapshots"][0]["numbers"].as_array().unwrap() {
        let swept = number(&numbers["adjoints"][1]);
        let forward = number(numbers["tangents"].as_array().unwrap().last().unwrap());
        assert!((forward - swept).abs() <= 1e-13 * swept.abs(), "{forward} is not {swept}");
        let check = &numbers["nudges"][0]["checks"][0];
        assert_eq!(number(&check[3]), 0.01 * swept);
        let change = number(&check[2]);
        assert!((change - 0.01 * swept).abs() < 0.1 * change.abs(), "{change}");
    }
    assert_eq!(data[0]["multiplications"], serde_json::json!([8, 12]));
}

#[test]
fn recording_changes_nothing_about_a_training() {
    let (mut watched, mut plain) = (with_sine(), with_sine());
    let training = Training { epochs: 100, ..Training::default() };
    let recorded = recorded(&mut watched, 100);
    assert_eq!(plain.train(&samples(), &training).unwrap(), recorded.trained);
    assert_eq!(plain, watched);
}

#[test]
fn a_chain_of_two_nodes_and_one_of_twenty_six_have_pages() {
    for (letters, steps) in [(2, 5), (26, 1 + 26 + 1 + 25 + 24)] {
        let chain = Chain::builder().letters(letters).unwrap().build().unwrap();
        let data = data(&page(chain, 20));
        assert_eq!(data[0]["steps"].as_array().unwrap().len(), steps);
    }
}

#[test]
fn twenty_six_nodes_cost_49_multiplications_where_products_on_their_own_cost_325() {
    let chain = Chain::builder().letters(26).unwrap().build().unwrap();
    let data = data(&page(chain, 5));
    let last = data[0]["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["done"], &last["alone"]), (&49.into(), &325.into()));
    assert_eq!(last["reused"], 25);
}

#[test]
fn the_page_of_a_long_chain_stays_small() {
    let chain = Chain::builder().letters(26).unwrap().biases().build().unwrap();
    let size = page(chain, 20_000).len();
    assert!(size < 1_500_000, "{size} bytes");
}

#[test]
fn hostile_text_is_shown_as_text() {
    const HOSTILE: &str = "</script><b onclick=\"x\">&";
    let mut chain = with_sine();
    let recorded = recorded(&mut chain, 5);
    let report =
        ChainReport::new(HOSTILE).training(HOSTILE, &chain, &samples(), &recorded).unwrap();
    check_harmless(&report.to_html());
    assert_eq!(data(&report.to_html())[0]["name"], HOSTILE);

    let text = || HOSTILE.to_owned();
    let report = TrainingReport::new(HOSTILE)
        .summary(HOSTILE, HOSTILE)
        .chart(Chart {
            title: text(),
            label: text(),
            scale: Scale::Log,
            curves: vec![Curve { name: text(), first: 0, values: vec![1.0, 2.0] }],
        })
        .confusion(Confusion { classes: vec![text()], counts: vec![1] })
        .unwrap()
        .weights(HeatMap { name: text(), rows: 1, columns: 1, values: vec![1.0], units: None })
        .unwrap()
        .note(HOSTILE);
    check_harmless(&report.to_html());
}

fn check_harmless(page: &str) {
    assert!(!page.contains("<b onclick"), "markup got through");
    assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
}

#[test]
fn a_page_refers_to_nothing_outside_of_itself() {
    for page in [page(with_sine(), 5), formula_report().to_html(), training_report().to_html()] {
        let namespace = "http://www.w3.org/2000/svg";
        let without_namespace = page.replace(namespace, "");
        for reference in ["http:", "https:", "//cdn", " src=", " href=", "@import", "fetch("] {
            assert!(!without_namespace.contains(reference), "{reference}");
        }
        assert!(page.contains("default-src 'none'"), "the page's policy forbids all loading");
    }
}

#[test]
fn a_training_without_snapshots_or_samples_has_no_page() {
    let mut chain = with_sine();
    let mut recorded = recorded(&mut chain, 5);
    let with = |samples: &[Sample], recorded: &Recorded| {
        ChainReport::new("").training("", &chain, samples, recorded).unwrap_err()
    };
    assert_eq!(with(&[], &recorded), Error::NoSamples);
    recorded.snapshots.clear();
    assert_eq!(with(&samples(), &recorded), Error::NoSnapshots);
}

#[test]
fn snapshots_of_another_chain_are_refused() {
    let mut other = Chain::new();
    let recorded = recorded(&mut other, 5);
    let report = ChainReport::new("").training("", &with_sine(), &samples(), &recorded);
    assert_eq!(report.unwrap_err(), Error::ForeignSnapshot { epoch: 0 });
}

#[test]
fn a_page_without_a_training_says_so() {
    assert!(ChainReport::new("Empty").to_html().contains("There is no training to show."));
}

#[test]
fn a_chart_without_values_says_so() {
    let curves = vec![Curve { name: String::new(), first: 1, values: vec![f64::NAN] }];
    let (title, label) = (String::new(), String::new());
    let chart = Chart { title, label, scale: Scale::Linear, curves };
    assert!(
        TrainingReport::new("").chart(chart).to_html().contains("There are no values to draw.")
    );
}

#[test]
fn values_that_do_not_fill_a_shape_are_refused() {
    let confusion = Confusion { classes: vec!["a".to_owned(), "b".to_owned()], counts: vec![1; 3] };
    let error = TrainingReport::new("").confusion(confusion).unwrap_err();
    assert_eq!(error.to_string(), "the confusion matrix of 2 classes needs 4 values, got 3");

    let mut weights = HeatMap {
        name: "layer1.weight".to_owned(),
        rows: 2,
        columns: 3,
        values: vec![0.0; 5],
        units: None,
    };
    let error = TrainingReport::new("").weights(weights.clone()).unwrap_err();
    assert_eq!(error.to_string(), r#"the heat map "layer1.weight" of 2 × 3 needs 6 values, got 5"#);
    weights.values.push(0.0);
    weights.units = Some(Units::Rows);
    let error = TrainingReport::new("").weights(weights).unwrap_err();
    assert!(matches!(error, nn::Error::NotSquare { inputs: 3, .. }), "{error}");
}

#[test]
fn a_heat_map_s_names_stand_beside_it_and_fit_it_or_are_refused() {
    let map = || HeatMap {
        name: "w".to_owned(),
        rows: 1,
        columns: 2,
        values: vec![0.5, -0.5],
        units: None,
    };
    let columns = |names: &[&str]| Names {
        columns: names.iter().map(|&name| name.to_owned()).collect(),
        ..Names::default()
    };
    let named = TrainingReport::new("").named_weights(map(), columns(&["age", "<b>"])).unwrap();
    assert!(named.to_html().contains(r#"<th scope="col">age</th><th scope="col">&lt;b&gt;</th>"#));
    let error = TrainingReport::new("").named_weights(map(), columns(&["age"])).unwrap_err();
    let expected = r#"the list of column names of the heat map "w" needs 2 values, got 1"#;
    assert_eq!(error.to_string(), expected);
}

#[test]
fn large_and_empty_weights_have_a_picture_or_a_word() {
    let weights = |rows, columns, value| HeatMap {
        name: "w".to_owned(),
        rows,
        columns,
        values: vec![value; rows * columns],
        units: None,
    };
    let html = |weights| TrainingReport::new("").weights(weights).unwrap().to_html();
    assert!(html(weights(1_000, 100, 1.0)).contains("Only the first 163 rows and 100 columns"));
    assert!(html(weights(1, 100_000, 1.0)).contains("Only the first 1 rows and 16384 columns"));
    assert!(html(weights(0, 0, 1.0)).contains("There are no finite weights to draw."));
    assert!(html(weights(3, 3, f64::NAN)).contains("There are no finite weights to draw."));
    assert!(html(weights(3, 3, 0.0)).contains("3 rows and 3 columns, from 0 to 0"));
}

/// x·y + sin(x), where x is used twice.
fn formula_report() -> FormulaReport {
    let mut report = FormulaReport::new("x*y + sin(x)");
    let x = report.input("x", 2.0);
    let y = report.input("y", 3.0);
    let product = report.operation("x · y", &[x, y], |v| v[0] * v[1]);
    let sine = report.operation("sin(x)", &[x], |v| v[0].sin());
    report.operation("v3 + v4", &[product, sine], |v| v[0] + v[1]);
    report
}

#[test]
fn a_formula_s_adjoints_are_sums_of_what_its_uses_hand_back() {
    let html = formula_report().to_html();
    let data: Value = data(&html);
    let derivative = 3.0 + 2.0_f64.cos();
    assert_eq!(data["adjoints"], serde_json::json!([derivative, 2.0, 1.0, 1.0, 1.0]));
    let handed: Vec<&Value> = data["sweep"].as_array().unwrap().iter().collect();
    assert_eq!(handed.len(), 5, "one product for each argument of each operation");
    let to_x: Vec<&&Value> = handed.iter().filter(|handed| handed["to"] == 0).collect();
    assert_eq!(to_x[0]["before"], Value::Null);
    assert_eq!(to_x[1]["before"], to_x[0]["product"]);
    assert_eq!(to_x[1]["after"], derivative);
    assert!(data["shared"].as_str().unwrap().starts_with("x is used 2 times. "));
}

#[test]
fn forward_mode_of_a_formula_takes_a_pass_for_each_input() {
    let data = data(&formula_report().to_html());
    let derivative = 3.0 + 2.0_f64.cos();
    // x: 3 + cos 2, and y: 2. Products with the 1 at the start are not counted.
    let passes = &data["passes"];
    assert_eq!(
        passes[0]["tangents"],
        serde_json::json!([1.0, 0.0, 3.0, 2.0_f64.cos(), derivative])
    );
    assert_eq!(passes[1]["tangents"], serde_json::json!([0.0, 1.0, 2.0, 0.0, 2.0]));
    assert_eq!(
        (&passes[0]["multiplications"], &passes[1]["multiplications"]),
        (&2.into(), &1.into())
    );
    assert_eq!(data["multiplications"], 3);
}

#[test]
fn a_formula_without_operations_or_with_too_many_says_so() {
    let mut report = FormulaReport::new("x");
    let mut result = report.input("x", 1.0);
    assert!(report.to_html().contains("There is no operation to show."));
    for _ in 0..=FormulaReport::MOST {
        result = report.operation("-x", &[result], |v| -v[0]);
    }
    assert!(report.to_html().contains("301 operations. That is too many"));
}

/// A page with everything on it.
fn training_report() -> TrainingReport {
    let classes = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let wave = |i: usize| (i as f64 * 0.37).sin();
    let curve = |name: &str, scale: f64| Curve {
        name: name.to_owned(),
        first: 0,
        values: (0..80).map(|epoch| scale * (-0.06 * f64::from(epoch)).exp() + 0.01).collect(),
    };
    let accuracy = |name: &str, lag: f64| Curve {
        name: name.to_owned(),
        first: 0,
        values: (0..80).map(|epoch| 1.0 - lag * (-0.05 * f64::from(epoch)).exp()).collect(),
    };
    let mut counts = vec![0; 100];
    for class in 0..10 {
        counts[class * 11] = 30 + class;
        counts[class * 10 + (class + 3) % 10] = class % 4;
    }
    TrainingReport::new("Handwritten digits")
        .summary("network", "64 → 16 tanh → 10 softmax")
        .summary("parameters", "1,210")
        .summary("accuracy", "95.8 %")
        .summary("time", "1.8 s")
        .chart(Chart {
            title: "Loss".to_owned(),
            label: "cross-entropy".to_owned(),
            scale: Scale::Log,
            curves: vec![curve("training", 2.3), curve("validation", 2.5)],
        })
        .chart(Chart {
            title: "Accuracy".to_owned(),
            label: "share that is right".to_owned(),
            scale: Scale::Linear,
            curves: vec![accuracy("training", 0.9), accuracy("validation", 0.92)],
        })
        .confusion(Confusion { classes: classes.map(str::to_owned).to_vec(), counts })
        .unwrap()
        .predictions((0..200).map(|i| (wave(i), wave(i) + 0.1 * wave(7 * i))))
        .weights(HeatMap {
            name: "layer1.weight".to_owned(),
            rows: 16,
            columns: 64,
            values: (0..1024).map(|i| wave(i) * wave(i / 64 + i)).collect(),
            units: Some(Units::Rows),
        })
        .unwrap()
        .named_weights(
            HeatMap {
                name: "layer2.weight".to_owned(),
                rows: 10,
                columns: 16,
                values: (0..160).map(wave).collect(),
                units: None,
            },
            Names {
                rows: classes.map(str::to_owned).to_vec(),
                columns: (1..=16).map(|unit| format!("unit {unit}")).collect(),
            },
        )
        .unwrap()
        .note("A fifth of the samples was kept for validation.")
}
