//! What is left when a training is interrupted, killed, contradicted, or has no room to write.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nn::data::Table;
use nn::{Checkpoint, Model};

use crate::examples::{
    binary, check_refusal, data, folder, number_of_line, output_of, plane, run, shipped,
};

/// The plane's table, and the arguments to learn it into a folder of this name.
fn learning(name: &str) -> (PathBuf, [String; 5]) {
    let folder = folder(name);
    let (file, out) = (plane(&format!("{name}.csv")), folder.display().to_string());
    (folder, [file, "--task".into(), "regress".into(), "--out".into(), out])
}

fn with<'a>(arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

/// Starts to train, and waits until the error output has a line that begins like this.
fn started(arguments: &[&str], line: &str) -> Child {
    let mut child = Command::new(binary("train"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(errors.any(|found| found.starts_with(line)), "{arguments:?}");
    // It goes on writing there.
    std::thread::spawn(move || errors.for_each(drop));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The training's checkpoint as it is after this many epochs in one go.
fn undisturbed(name: &str, options: &[&str], epochs: usize) -> Vec<u8> {
    let (folder, arguments) = learning(name);
    let epochs = epochs.to_string();
    output_of("train", &with(&arguments, &[options, &["--epochs", &epochs]].concat()));
    fs::read(folder.join(format!("{name}.checkpoint.safetensors"))).unwrap()
}

#[test]
fn train_refuses_options_that_contradict_its_checkpoint() {
    let (_, arguments) = learning("contradicted");
    let arguments = |more: &[&'static str]| -> Vec<String> {
        with(&arguments, more).into_iter().map(str::to_owned).collect()
    };
    let options = ["--epochs", "3", "--rate", "0.01", "--clip", "5", "--target", "y"];
    output_of("train", &with(&arguments(&options), &[]));
    for (option, value, said) in [
        ("--seed", "2", "--seed is 1 there, and 2 is given"),
        ("--rate", "0.02", "--rate is 0.01 there, and 0.02 is given"),
        ("--batch", "16", "--batch is 32 there, and 16 is given"),
        ("--l2", "0", "--l2 is 0.001 there, and 0 is given"),
        ("--clip", "6", "--clip is 5 there, and 6 is given"),
        ("--test", "0.3", "--test is not given there, and 0.3 is given"),
        ("--validation", "0.1", "--validation is "),
        ("--target", "a", "--target is y there, and a is given"),
        ("--drop", "a", "--drop is not given there, and a is given"),
        ("--hidden", "8", "--hidden is 64 there, and 8 is given"),
        ("--activation", "tanh", "--activation is relu there, and tanh is given"),
        ("--optimizer", "plain", "--optimizer is adam there, and plain is given"),
    ] {
        check_refusal("train", &with(&arguments(&["--resume"]), &[option, value]), said);
    }
    // All of them are said, and what is the same is none.
    let two = ["--resume", "--seed", "5", "--rate", "1e-2", "--batch", "8"];
    let said = "--batch is 32 there, and 8 is given; --seed is 1 there, and 5 is given; leave them";
    check_refusal("train", &with(&arguments(&two), &[]), said);
}

#[test]
fn train_goes_on_with_the_options_that_it_began_with() {
    let options = ["--rate", "0.02", "--hidden", "5", "--seed", "3", "--batch", "7"];
    let (folder, arguments) = learning("remembered");
    output_of("train", &with(&arguments, &[&options[..], &["--epochs", "4"]].concat()));
    let [file, _, _, out_option, out] = &arguments;
    let output = output_of("train", &[file, out_option, out, "--resume", "--epochs", "9"]);
    assert!(output.contains("Goes on after epoch 4."), "{output}");
    let resumed = fs::read(folder.join("remembered.checkpoint.safetensors")).unwrap();
    assert!(resumed == undisturbed("not-resumed", &options, 9));
    // Without a number of epochs it is that of before.
    let output = output_of("train", &[file, out_option, out, "--resume"]);
    assert!(output.contains("Stopped after 9 epochs"), "{output}");
}

#[test]
fn train_refuses_a_table_that_has_changed() {
    let (_, arguments) = learning("changed");
    output_of("train", &with(&arguments, &["--epochs", "2"]));
    let text = fs::read_to_string(&arguments[0]).unwrap();
    fs::write(&arguments[0], text.replacen("3,4,", "3,4.5,", 1)).unwrap();
    let said = "is not the table that the training in";
    check_refusal("train", &with(&arguments, &["--resume", "--epochs", "4"]), said);
}

#[test]
fn train_that_is_interrupted_in_its_first_epoch_leaves_everything_as_it_was() {
    for name in ["-INT", "-TERM"] {
        let folder = folder("first-epoch");
        let out = folder.display().to_string();
        output_of("train", &["--out", &out, "--epochs", "2", "--hidden", "8"]);
        let file = |ending: &str| fs::read(folder.join(format!("digits.{ending}"))).unwrap();
        let files = || ["model.safetensors", "checkpoint.safetensors", "html"].map(file);
        let before = files();

        let long = ["--out", &out, "--hidden", "512,512", "--batch", "1", "--save-epochs", "1"];
        let mut child =
            Command::new(binary("train")).args(long).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with("parameters")));
        signal(&child, name);
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
        assert!(rest.iter().any(|line| line.contains("nothing is written")), "{rest:?}");
        assert!(files() == before);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }
}

#[test]
fn train_that_is_asked_to_stop_keeps_what_it_has_and_goes_on_to_the_bit() {
    let (folder, arguments) = learning("asked");
    let path = folder.join("asked.checkpoint");
    let child = started(&with(&arguments, &["--epochs", "1000000"]), "epoch 5 of");
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("it was interrupted"), "{text}");
    assert!(number_of_line(&text, "test R²:") < 1.0);
    Model::load(folder.join("asked.model")).unwrap();

    let epochs = Checkpoint::read(&path).unwrap().epochs();
    assert!(epochs >= 5);
    let more = (epochs + 3).to_string();
    output_of("train", &with(&arguments, &["--resume", "--epochs", &more]));
    let resumed = fs::read(path.with_extension("checkpoint.safetensors")).unwrap();
    assert!(resumed == undisturbed("not-asked", &[], epochs + 3));
}

#[test]
fn train_that_is_killed_goes_on_to_the_bit() {
    let (folder, arguments) = learning("killed");
    let path = folder.join("killed.checkpoint.safetensors");
    for kill in 1..=5 {
        let resume: &[&str] = if path.exists() { &["--resume"] } else { &[] };
        let options = [&["--epochs", "1000000", "--save-epochs", "1"], resume].concat();
        let next = format!("epoch {} of", [1, 20, 50, 100, 200][kill - 1]);
        let mut child = started(&with(&arguments, &options), &next);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let epochs = Checkpoint::read(&path).unwrap().epochs();
    assert!(epochs >= 199, "{epochs}");
    let more = (epochs + 1).to_string();
    output_of("train", &with(&arguments, &["--resume", "--epochs", &more]));
    assert!(fs::read(path).unwrap() == undisturbed("not-killed", &[], epochs + 1));
}

/// A table as people have them: a text, a date, gaps, and amounts whose ratios count.
fn mixed(name: &str) -> String {
    let line = |row: u32| {
        let city = ["Rome", "Oslo", "Köln", ""][row as usize % 4];
        let mass = if row % 5 == 2 { "NA".to_owned() } else { (row * 37 % 101).to_string() };
        let (month, day) = (1 + row % 12, 1 + row % 28);
        let price = 100 + 300 * (row % 4) + 40 * month + row * 37 % 101;
        format!("{city},2021-{month:02}-{day:02},{mass},{price}\n")
    };
    data(name, &format!("city,since,mass,price\n{}", (0..60).map(line).collect::<String>()))
}

#[test]
fn train_of_a_mixed_table_that_is_killed_goes_on_to_the_bit() {
    let file = mixed("mixed.csv");
    let learn = |folder: &Path, more: &[&str]| -> Vec<String> {
        let out = folder.display().to_string();
        let arguments = [file.as_str(), "--log", "--out", &out, "--save-epochs", "1"];
        arguments.iter().chain(more).map(ToString::to_string).collect()
    };
    let (killed, whole) = (folder("mixed-killed"), folder("mixed-whole"));
    let mut child = started(&with(&learn(&killed, &[]), &[]), "epoch 5 of");
    child.kill().unwrap();
    child.wait().unwrap();
    output_of("train", &with(&learn(&killed, &["--resume"]), &[]));
    output_of("train", &with(&learn(&whole, &[]), &[]));
    let model = |folder: &Path| fs::read(folder.join("mixed.model.safetensors")).unwrap();
    assert!(model(&killed) == model(&whole));

    // What the training never had is said, and has a column of its own.
    let rows = data("mixed-rows.csv", "mass,since,city\n7,2021-05-17,Paris\n,2021-05-18,Oslo\n");
    let model = killed.join("mixed.model");
    let output = run("predict", &[&model.display().to_string(), &rows]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let said = "column \"city\": 1 cell is of no category that the training had (\"Paris\")\n";
    assert_eq!(errors, said);
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    let columns = Model::load(model).unwrap().columns;
    let inputs = columns.apply(&Table::read(rows).unwrap()).unwrap().inputs;
    let other = columns.names().iter().position(|name| name == "city=(other)").unwrap();
    assert_eq!([inputs[(0, other)], inputs[(1, other)]], [1.0, 0.0]);
}

#[test]
fn two_trainings_into_one_folder_are_kept_apart() {
    let (folder, arguments) = learning("shared");
    let first = started(&with(&arguments, &["--epochs", "1000000"]), "epoch 1 of");
    let second = run("train", &with(&arguments, &["--epochs", "3"]));
    signal(&first, "-TERM");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
    let errors = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success());
    assert!(errors.contains("is in use: another training writes there"), "{errors}");
    assert!(!errors.contains("epoch 1 of"), "{errors}");
    let epochs = Checkpoint::read(folder.join("shared.checkpoint")).unwrap().settings().epochs;
    assert_eq!(epochs, 1_000_000);
}

/// It ends with this error, once, before it has trained an epoch.
#[track_caller]
fn refused_at_once(arguments: &[&str], said: &str) {
    let output = run("train", arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(errors.matches(said).count(), 1, "{errors}");
    assert!(!errors.contains("epoch 1 of"), "{errors}");
}

#[test]
fn train_tries_all_places_before_its_first_epoch() {
    let (folder, arguments) = learning("places");
    let inside = |name: &str| folder.join(name).display().to_string();
    for (option, place) in
        [("--report", "no/page.html"), ("--plot", "no/loss.svg"), ("--plot-fit", "no/fit.svg")]
    {
        refused_at_once(&with(&arguments, &[option, &inside(place)]), "there is no folder");
    }
    for name in ["places.model.safetensors", "places.checkpoint.safetensors", "places.html"] {
        fs::create_dir(inside(name)).unwrap();
        refused_at_once(&with(&arguments, &[]), "there is a folder of this name");
        fs::remove_dir(inside(name)).unwrap();
        fs::write(inside(name), "kept").unwrap();
        let mut permissions = fs::metadata(inside(name)).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(inside(name), permissions).unwrap();
        refused_at_once(&with(&arguments, &[]), "the file that is there is read-only");
        assert_eq!(fs::read_to_string(inside(name)).unwrap(), "kept");
        fs::remove_file(inside(name)).unwrap();
    }
    fs::write(inside("file"), "").unwrap();
    let [file, ..] = &arguments;
    refused_at_once(&[file, "--out", &inside("file")], "cannot make the folder");
}

/// Trains where no file may become larger than a few hundred bytes: what a full disk does.
fn without_room(arguments: &[&str]) -> Output {
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    Command::new("sh").args(["-c", script]).arg(binary("train")).args(arguments).output().unwrap()
}

#[test]
fn train_that_has_no_room_to_write_tells_its_scores_and_loses_nothing() {
    let (folder, arguments) = learning("full");
    output_of("train", &with(&arguments, &["--epochs", "3"]));
    let file = |ending: &str| fs::read(folder.join(format!("full.{ending}"))).unwrap();
    let files = || ["model.safetensors", "checkpoint.safetensors", "html"].map(file);
    let before = files();
    let output = without_room(&with(&arguments, &["--epochs", "5", "--save-epochs", "2"]));
    let (text, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(number_of_line(&text, "test R²:") < 1.0);
    for said in [
        "cannot save after epoch 2",
        "error: the training is done up to epoch 5, but not saved: cannot write",
        "; cannot write",
        "full.model.safetensors",
    ] {
        assert!(errors.contains(said), "{said:?} in {errors}");
    }
    assert!(files() == before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    // The checkpoint of before goes on.
    output_of("train", &with(&arguments, &["--resume", "--epochs", "5"]));
}

#[cfg(target_os = "linux")]
#[test]
fn train_writes_the_others_where_one_place_is_full() {
    let (folder, arguments) = learning("one-full");
    let output = run("train", &with(&arguments, &["--epochs", "3", "--report", "/dev/full"]));
    let (text, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(number_of_line(&text, "test R²:") < 1.0);
    assert!(errors.contains("cannot write /dev/full"), "{errors}");
    assert_eq!(errors.matches("os error").count(), 1, "{errors}");
    Model::load(folder.join("one-full.model")).unwrap();
}

#[test]
fn train_writes_its_model_though_nobody_reads_what_it_prints() {
    let (folder, arguments) = learning("unread");
    let mut child = Command::new(binary("train"))
        .args(with(&arguments, &["--epochs", "40"]))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("parameters")));
    drop(lines);
    assert!(child.wait().unwrap().success());
    Model::load(folder.join("unread.model")).unwrap();
}

#[test]
fn train_without_an_epoch_writes_no_model() {
    let (folder, arguments) = learning("no-epoch");
    let output = output_of("train", &with(&arguments, &["--epochs", "0"]));
    assert!(output.contains("No epoch is done, and nothing is written."), "{output}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn predict_tries_its_place_first_and_replaces_answers_as_a_whole() {
    let folder = folder("predicted");
    let out = folder.display().to_string();
    let iris = shipped("iris.csv");
    output_of("train", &[&iris, "--target", "species", "--out", &out, "--epochs", "2"]);
    let model = folder.join("iris.model").display().to_string();
    let answers = folder.join("answers.csv").display().to_string();
    let missing = folder.join("no/answers.csv").display().to_string();
    check_refusal("predict", &[&model, &iris, "--out", &missing], "there is no folder");
    output_of("predict", &[&model, &iris, "--out", &answers]);
    assert_eq!(fs::read_to_string(&answers).unwrap().lines().count(), 151);
    let short = data("short-iris.csv", "petal length,sepal width\n1.4,3.5\n");
    check_refusal("predict", &[&model, &short, "--out", &answers], "short-iris.csv");
    assert_eq!(fs::read_to_string(&answers).unwrap().lines().count(), 151);
    assert!(!Path::new(&format!("{answers}.lock")).exists());
}
