//! How a training remembers the options that it was started with, and holds to them when it is resumed.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, ensure};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use nn::Checkpoint;

/// Options that say where to write and when: they are not remembered.
const PASSING: [&str; 8] =
    ["file", "out", "report", "plot", "plot_fit", "resume", "save_epochs", "save_seconds"];

/// Options that say when to stop: they are remembered, and may change.
const CHANGING: [&str; 2] = ["epochs", "patience"];

/// The options by name, `--rate` and `0.001`, as a training notes them.
pub(crate) fn facts(command: &Command, matches: &ArgMatches) -> Vec<(String, String)> {
    let noted = |arg: &Arg| Some((name(arg), text(arg, matches)?));
    remembered(command).filter_map(noted).collect()
}

/// The arguments with those that the checkpoint remembers before them, unless they are given.
///
/// # Errors
/// An option is given that the checkpoint has otherwise.
pub(crate) fn arguments(
    command: &Command,
    matches: &ArgMatches,
    checkpoint: &Checkpoint,
    place: &Path,
) -> Result<Vec<OsString>> {
    let mut given = std::env::args_os();
    let mut arguments: Vec<OsString> = given.by_ref().take(1).collect();
    let mut contradictions = Vec::new();
    for arg in remembered(command) {
        let name = name(arg);
        // An option that there was not yet is what it is without being given.
        let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into());
        let noted = checkpoint.facts().get(&name).or(default.as_ref());
        if matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine) {
            let now = text(arg, matches).unwrap_or_default();
            let may_change = CHANGING.contains(&arg.get_id().as_str());
            if !may_change && noted.is_none_or(|noted| !is_same(noted, &now)) {
                let then = noted.map_or("not given", String::as_str);
                contradictions.push(format!("{name} is {then} there, and {now} is given"));
            }
        } else if let Some(noted) = noted {
            if arg.get_action().takes_values() {
                arguments.push(format!("{name}={noted}").into());
            } else if noted == "true" {
                arguments.push(name.into());
            }
        }
    }
    ensure!(
        contradictions.is_empty(),
        "--resume goes on with the training in {}, which these options contradict: {}; leave them out, or train anew \
         without --resume",
        place.display(),
        contradictions.join("; ")
    );
    arguments.extend(given);
    Ok(arguments)
}

fn remembered(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_passing = |arg: &&Arg| PASSING.contains(&arg.get_id().as_str());
    // Help and the like have a value that no match knows.
    let is_value = |arg: &&Arg| arg.get_action().takes_values() || is_flag(arg);
    command.get_arguments().filter(move |arg| !is_passing(arg) && is_value(arg))
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), clap::ArgAction::SetTrue | clap::ArgAction::SetFalse)
}

fn name(arg: &Arg) -> String {
    format!("--{}", arg.get_long().unwrap_or(arg.get_id().as_str()))
}

/// The value, with commas between if there are several; `None` where there is none.
fn text(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = arg.get_id().as_str();
    if is_flag(arg) {
        return Some(matches.get_flag(id).to_string());
    }
    let values = matches.get_raw(id)?.map(|value| value.to_string_lossy());
    Some(values.collect::<Vec<_>>().join(","))
}

/// `0.001` and `1e-3` are the same.
fn is_same(a: &str, b: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    a == b || number(a).is_some_and(|a| number(b) == Some(a))
}
