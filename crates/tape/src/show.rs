//! The list made visible: as a table, and as a graph.

pub(crate) mod dot;
pub(crate) mod text;

use core::fmt::Write;

use crate::list::List;
use crate::list::recorded::{Group, Operand, replay};
use crate::op::Op;
use crate::real::Real;

/// One operation, ready to be printed.
pub(crate) struct Row<T> {
    pub(crate) index: usize,
    pub(crate) op: Op,
    /// The operation with its arguments: `v1 * v2`, `sin(v3)`.
    pub(crate) operation: String,
    pub(crate) value: T,
    /// The variable arguments and the partials with respect to them.
    pub(crate) partials: Vec<(usize, T)>,
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
    let values = replay(list, &[], |number| number, |_, value| Ok(value), |_, _, _| {});
    let Ok(values) = values else { unreachable!("values of opaque operations are kept") };
    let groups = Group::all(list).take_while(|group| group.last <= end);
    for group in groups.filter(|group| wanted(group.last)) {
        let partials = group.operands().filter_map(|operand| match operand {
            Operand::Node { index, partial } => Some((index, partial)),
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

fn operation<T: Real>(group: &Group<'_, T>) -> String {
    let mut arguments: Vec<String> = group
        .operands()
        .map(|operand| match operand {
            Operand::Node { index, .. } => format!("v{index}"),
            Operand::Constant(constant) => constant.to_string(),
        })
        .collect();
    let name = group.op.symbol().unwrap_or(group.op.name());
    match (group.op, arguments.as_slice()) {
        (Op::Input, _) => name.to_owned(),
        (Op::Neg, [x]) => format!("-{x}"),
        (op, [x, y]) if op.symbol().is_some() => format!("{x} {name} {y}"),
        _ => {
            let more = arguments.len().saturating_sub(ARGUMENTS_SHOWN);
            arguments.truncate(ARGUMENTS_SHOWN);
            if more > 0 {
                arguments.push(format!("… {more} more"));
            }
            format!("{name}({})", arguments.join(", "))
        }
    }
}

/// The partials as text: `∂v1 = 3, ∂v2 = 2`.
pub(crate) fn partials_text<T: Real>(row: &Row<T>) -> String {
    let mut text = String::new();
    for (position, (index, partial)) in row.partials.iter().take(ARGUMENTS_SHOWN).enumerate() {
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
