//! The protocol: a message, a response.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::eval::{MODULES, Module};
use crate::failure::Failure;
use crate::measure::{Evaluation, Timing};

/// A message of the eval's. What a kind does not use is ignored, as the protocol may grow.
#[derive(Deserialize)]
struct Message<'a> {
    id: Value,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    module: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// What is answered.
#[derive(Debug, Default, Serialize)]
#[serde(default)]
pub(crate) struct Response {
    id: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timings: Vec<Timing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The response to one line. Whatever is wrong with it becomes an unsuccessful response: the session goes on.
pub(crate) fn answer(line: &[u8]) -> Response {
    let message: Message<'_> = match serde_json::from_slice(line) {
        Ok(message) => message,
        Err(error) => return failed(id_of(line), &Failure::Message(error)),
    };
    let id = message.id.clone();
    match &*message.kind {
        "start" => Response { id, tool: Some("wengert"), ..Response::default() },
        "define" => match module(&message) {
            Ok(_) => Response { id, success: Some(true), ..Response::default() },
            Err(failure) => failed(id, &failure),
        },
        "evaluate" => match evaluate(&message) {
            Ok(Evaluation { output, timings }) => Response {
                id,
                success: Some(true),
                output: Some(output),
                timings,
                ..Response::default()
            },
            Err(failure) => failed(id, &failure),
        },
        _ => Response { id, ..Response::default() },
    }
}

fn failed(id: Value, failure: &Failure) -> Response {
    Response { id, success: Some(false), error: Some(failure.to_string()), ..Response::default() }
}

/// The identifier of a line that is no message, if it has one.
fn id_of(line: &[u8]) -> Value {
    let fields: Result<Value, _> = serde_json::from_slice(line);
    fields.ok().and_then(|fields| fields.get("id").cloned()).unwrap_or(Value::Null)
}

fn module(message: &Message<'_>) -> Result<&'static Module, Failure> {
    let name = field(message, "module", message.module.as_deref())?;
    MODULES.iter().find(|module| module.name == name).ok_or_else(|| {
        let known = listed(MODULES.iter().map(|module| module.name));
        Failure::Module { name: name.to_owned(), known }
    })
}

fn evaluate(message: &Message<'_>) -> Result<Evaluation, Failure> {
    let module = module(message)?;
    let name = field(message, "function", message.function.as_deref())?;
    let input = field(message, "input", message.input)?;
    let function = module.functions.iter().find(|(known, _)| *known == name);
    let (_, function) = function.ok_or_else(|| {
        let known = listed(module.functions.iter().map(|(known, _)| *known));
        Failure::Function { module: module.name, name: name.to_owned(), known }
    })?;
    function(input)
}

fn field<T>(message: &Message<'_>, field: &'static str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::Missing { kind: message.kind.clone().into_owned(), field })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}
