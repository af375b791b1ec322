//! Differentiates a formula given on the command line, and shows how the gradient comes about.
//!
//! Goal: value, gradient, the Wengert list that one sweep goes through, and a check against numeric derivatives.
//! Prerequisite: none. Run it with `cargo run --release --example gradient -- "x*y + sin(x)" x=2 y=3`; with `--hessian`
//! for second derivatives, with `--report FILE.html` for a page that plays the sweep, with `--dot` for a drawing (`… --dot | dot -Tsvg > list.svg`). The language of formulas is
//! described by the crate `expression`.

#[path = "../support/end.rs"]
mod end;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use expression::{EvaluateError, Expression};
use indexmap::IndexMap;
use nn::report::{FormulaReport, Recordable};
use tape::{Tape, Var, check};

use crate::end::end;

const DEFAULT: [&str; 3] = ["x*y + sin(x)", "x=2", "y=3"];

/// Value, gradient and Wengert list of a formula.
#[derive(Parser)]
struct Options {
    /// The formula, such as "x*y + sin(x)"
    #[arg(allow_hyphen_values = true)]
    formula: Option<String>,
    /// A value for each variable, such as x=2 or angle=pi/3
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Print the list as a graph for Graphviz, and nothing else
    #[arg(long)]
    dot: bool,
    /// Where to write a page that plays the list forward and back, and shows where adjoints add up
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print the matrix of second derivatives too
    #[arg(long)]
    hessian: bool,
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let [formula, values @ ..] = DEFAULT.map(str::to_owned);
    let (formula, values) = match &options.formula {
        Some(formula) => (formula, options.values.as_slice()),
        None => (&formula, values.as_slice()),
    };
    let expression = Expression::parse(formula)?;
    let point = Point::read(&expression, values)?;
    // What is wrong with the values themselves is said once, here.
    expression.evaluate(&point.values)?;

    let tape = Tape::new();
    let output = expression.evaluate(&tape.vars_from(&point.values))?;
    if options.dot {
        write!(out, "{}", tape.dot(output))?;
        return Ok(());
    }
    if options.formula.is_none() {
        let [formula, values @ ..] = DEFAULT;
        writeln!(out, "Try your own formula: -- \"{formula}\" {}\n", values.join(" "))?;
    }
    write_gradient(out, &expression, &point)?;
    if point.names.is_empty() {
        writeln!(out, "The formula has no variables: there is nothing to differentiate.")?;
        return Ok(());
    }
    write_list(out, &tape, output, &point)?;
    write_check(out, &expression, &point)?;
    if options.hessian {
        write_hessian(out, &expression, &point)?;
    }
    if let Some(path) = &options.report {
        write_report(path, &expression, &point)?;
        writeln!(out, "\nThe report is in {}: open it in a browser", path.display())?;
    }
    Ok(())
}

/// A value for each variable of an expression, in their order.
struct Point {
    names: Vec<String>,
    values: Vec<f64>,
}

impl Point {
    fn read(expression: &Expression, texts: &[String]) -> Result<Self> {
        let names: Vec<String> = expression.variables().keys().cloned().collect();
        let mut given: IndexMap<&str, f64> = IndexMap::new();
        for text in texts {
            let (name, value) = text.split_once('=').with_context(|| {
                format!("`{text}` gives no variable a value: write NAME=VALUE, such as x=2")
            })?;
            let name = name.trim();
            if !expression.variables().contains_key(name) {
                let known = match names.as_slice() {
                    [] => "it has none".to_owned(),
                    names => format!("its variables are {}", names.join(", ")),
                };
                bail!("`{name}` is not a variable of the formula: {known}");
            }
            let value = number(value).with_context(|| format!("the value of `{name}`"))?;
            ensure!(given.insert(name, value).is_none(), "`{name}` is given two values");
        }
        let missing: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !given.contains_key(name)).collect();
        if !missing.is_empty() {
            bail!("no value is given for {}: add {}=…", missing.join(", "), missing.join("=… "));
        }
        let values = names.iter().map(|name| given[name.as_str()]).collect();
        Ok(Self { names, values })
    }

    fn names_with(&self, mut text: impl FnMut(usize, &str) -> String) -> String {
        let texts = self.names.iter().enumerate().map(|(index, name)| text(index, name));
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// A number, or a formula without variables.
fn number(text: &str) -> Result<f64> {
    let expression = Expression::parse(text)?;
    if let Some(name) = expression.variables().keys().next() {
        bail!("`{name}` has no value here: give a number");
    }
    Ok(expression.evaluate(&[])?)
}

/// The expression as a function. Beside the given point it may have no value, which is NaN.
fn function(expression: &Expression) -> impl Fn(&[Var]) -> Var {
    |x| expression.evaluate(x).unwrap_or(Var::constant(f64::NAN))
}

fn write_gradient(out: &mut impl Write, expression: &Expression, point: &Point) -> Result<()> {
    let at = point.names_with(|index, name| format!("{name} = {}", point.values[index]));
    let (value, gradient) = tape::gradient(function(expression), &point.values);
    writeln!(out, "f = {expression}")?;
    if !at.is_empty() {
        writeln!(out, "at {at}")?;
    }
    writeln!(out, "\nvalue = {value}")?;
    for (name, derivative) in point.names.iter().zip(gradient) {
        writeln!(out, "∂f/∂{name} = {derivative}")?;
    }
    Ok(())
}

fn write_list(out: &mut impl Write, tape: &Tape, output: Var, point: &Point) -> Result<()> {
    writeln!(out, "\nThe Wengert list, with the adjoints of one reverse sweep")?;
    write!(out, "{}", tape.show(output))?;
    let inputs = point.names_with(|index, name| format!("v{} is {name}", index + 1));
    writeln!(out, "({inputs})")?;
    Ok(())
}

fn write_check(out: &mut impl Write, expression: &Expression, point: &Point) -> Result<()> {
    let report = check::report(function(expression), &point.values);
    writeln!(out, "\nAgainst numeric derivatives: {}", report.verdict())?;
    write!(out, "{report}")?;
    let inputs = point.names_with(|index, name| format!("{index} is {name}"));
    writeln!(out, "({inputs})")?;
    Ok(())
}

fn write_hessian(out: &mut impl Write, expression: &Expression, point: &Point) -> Result<()> {
    let (_, _, hessian) = tape::hessian(function(expression), &point.values);
    writeln!(out, "\nHessian, a row and a column for each of {}", point.names.join(", "))?;
    let cells: Vec<String> = hessian.data.iter().map(ToString::to_string).collect();
    let width = cells.iter().map(String::len).max().unwrap_or(0);
    for row in cells.chunks(hessian.columns) {
        let row: Vec<String> = row.iter().map(|cell| format!("{cell:>width$}")).collect();
        writeln!(out, "{}", row.join("  "))?;
    }
    Ok(())
}

/// An argument of an operation: a number that stands in the formula, or what is recorded.
#[derive(Clone, Copy)]
enum Operand {
    Number(f64),
    Recorded(Recordable),
}

fn write_report(path: &Path, expression: &Expression, point: &Point) -> Result<()> {
    let mut report = FormulaReport::new(expression.to_string());
    let inputs: Vec<Operand> = point
        .names
        .iter()
        .zip(&point.values)
        .map(|(name, &value)| Operand::Recorded(report.input(name, value)))
        .collect();
    let mut operations = 0;
    expression.fold(&inputs, Operand::Number, |operation, arguments| {
        let recorded: Vec<Recordable> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Operand::Number(_) => None,
                Operand::Recorded(recorded) => Some(*recorded),
            })
            .collect();
        let names: Vec<String> = arguments
            .iter()
            .map(|argument| match argument {
                Operand::Number(value) => value.to_string(),
                Operand::Recorded(recorded) => report.name(*recorded).to_owned(),
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Numbers stand for themselves; variables take the places of what is recorded.
        let apply = |variables: &[Var]| {
            let mut variables = variables.iter();
            let values = arguments.iter().map(|argument| match argument {
                Operand::Number(value) => Var::constant(*value),
                Operand::Recorded(_) => *variables.next().expect("one for each that is recorded"),
            });
            operation.apply(&values.collect::<Vec<_>>())
        };
        if recorded.is_empty() {
            return Ok(Operand::Number(apply(&[])?.value()));
        }
        operations += 1;
        let apply = |variables: &[Var]| apply(variables).unwrap_or(Var::constant(f64::NAN));
        Ok::<_, EvaluateError>(Operand::Recorded(report.operation(
            &operation.show(&names),
            &recorded,
            apply,
        )))
    })?;
    ensure!(
        operations <= FormulaReport::MOST,
        "the formula has {operations} operations: a page shows {} at most",
        FormulaReport::MOST
    );
    std::fs::write(path, report.to_html())
        .with_context(|| format!("cannot write {}", path.display()))
}
