//! The list made visible: as a table, and as a graph.

pub(crate) mod dot;
pub(crate) mod text;

use core::fmt::Write;

use crate::list::List;
use crate::list::recorded::{Group, Operand, replay};
use crate::list::stop::ListStop;
use crate::op::Op;
use crate::real::Real;

/// One operation, ready to be printed.
pub(crate) struct Row<T> {
    pub(crate) index: usize,
    pub(crate) op: Op,
    /// The operation with its arguments: `v1 * v2`, `sin(v3)`.
    pub(crate) operation: String,
    pub(crate) value: T,
    /// The variable arguments and the partials with respect to them, as far as these are shown.
    pub(crate) partials: Vec<(usize, Option<T>)>,
}

/// The most arguments that are written out.
const ARGUMENTS_SHOWN: usize = 6;

/// Calls `each` with the row of every operation up to node `end` that `wanted` picks.
pub(crate) fn rows<T: Real>(
    list: &List<T>,
    end: usize,
    wanted: impl Fn(usize) -> bool,
    mut each: impl FnMut(Row<T>),
) {
    let values = replay(
        list,
        &[],
        |number| number,
        |_, value| Ok(value),
        |stop, _| stop.y.to_vec(),
        |_, _, _| {},
    );
    let Ok(values) = values else { unreachable!("values of opaque operations are kept") };
    let groups = Group::all(list).take_while(|group| group.last <= end);
    for group in groups.filter(|group| wanted(group.last)) {
        if group.op == Op::Result
            && let Some(stop) = list.stop_before(group.last + 1)
        {
            each(row_of_result(&stop, group.last));
            continue;
        }
        let partials = group.operands().filter_map(|operand| match operand {
            Operand::Node { index, partial } => Some((index, Some(partial))),
            Operand::Constant(_) => None,
        });
        each(Row {
            index: group.last,
            op: group.op,
            operation: operation(&group),
            value: values[group.last],
            partials: partials.collect(),
        });
    }
}

/// A result of an operation of one's own: `name(v1, v2)[3]`, without the place where it is the only one. Its partials take a
/// sweep of the operation, and are shown where that has few arguments.
fn row_of_result<T: Real>(stop: &ListStop<T>, index: usize) -> Row<T> {
    let place = index - stop.results().start;
    let arguments = stop.arguments.iter().zip(&*stop.x).map(|(argument, &x)| match argument {
        0 => Operand::Constant(x),
        index => Operand::Node { index: index as usize, partial: x },
    });
    let mut operation = call(stop.operation.name(), texts(arguments));
    if stop.y.len() > 1 {
        let _ = write!(operation, "[{place}]");
    }
    let partials = (stop.x.len() <= ARGUMENTS_SHOWN).then(|| {
        let mut seeds = vec![T::from_f64(0.0); stop.y.len()];
        seeds[place] = T::from_f64(1.0);
        let mut partials = vec![T::from_f64(0.0); stop.x.len()];
        stop.operation.reverse(&stop.x, &stop.y, &seeds, &mut partials);
        partials
    });
    let mut of_arguments: Vec<(usize, Option<T>)> = Vec::new();
    for (position, argument) in stop.arguments.iter().enumerate() {
        if argument != 0 {
            let partial = partials.as_ref().map(|partials| partials[position]);
            of_arguments.push((argument as usize, partial));
        }
    }
    Row { index, op: Op::Result, operation, value: stop.y[place], partials: of_arguments }
}

fn texts<T: Real>(operands: impl Iterator<Item = Operand<T>>) -> Vec<String> {
    let text = |operand: Operand<T>| match operand {
        Operand::Node { index, .. } => format!("v{index}"),
        Operand::Constant(constant) => constant.to_string(),
    };
    operands.map(text).collect()
}

/// A function's name and its arguments, the first few of them.
fn call(name: &str, mut arguments: Vec<String>) -> String {
    let more = arguments.len().saturating_sub(ARGUMENTS_SHOWN);
    arguments.truncate(ARGUMENTS_SHOWN);
    if more > 0 {
        arguments.push(format!("… {more} more"));
    }
    format!("{name}({})", arguments.join(", "))
}

fn operation<T: Real>(group: &Group<'_, T>) -> String {
    let arguments = texts(group.operands());
    let name = group.op.symbol().unwrap_or(group.op.name());
    match (group.op, arguments.as_slice()) {
        (Op::Input, _) => name.to_owned(),
        (Op::Neg, [x]) => format!("-{x}"),
        (op, [x, y]) if op.symbol().is_some() => format!("{x} {name} {y}"),
        _ => call(name, arguments),
    }
}

/// The partials as text: `∂v1 = 3, ∂v2 = 2`.
pub(crate) fn partials_text<T: Real>(row: &Row<T>) -> String {
    let mut text = String::new();
    for (position, (index, partial)) in row.partials.iter().take(ARGUMENTS_SHOWN).enumerate() {
        let Some(partial) = partial else { return text };
        let comma = if position == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}∂v{index} = {}", number(*partial));
    }
    if row.partials.len() > ARGUMENTS_SHOWN {
        text.push_str(", …");
    }
    text
}

/// A number with up to seven significant digits; several lanes as they display themselves.
pub(crate) fn number<T: Real>(number: T) -> String {
    if T::LANES > 1 {
        return number.to_string();
    }
    let x = number.innermost();
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let digits = format!("{x:.6e}");
    let Some((mantissa, exponent)) = digits.split_once('e') else { return digits };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..12).contains(&exponent) {
        let decimals = usize::try_from(6 - exponent).unwrap_or(0);
        let fixed = format!("{x:.decimals$}");
        if fixed.contains('.') {
            fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            fixed
        }
    } else {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        format!("{mantissa}e{exponent}")
    }
}
