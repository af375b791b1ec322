//! Tests of what stands between a trace and a replay: passes, rules, slots, the machine, bytes.
//!
//! All of them run on [random graphs](random), with one oracle: [`Graph::evaluate`], on `f64` and on dual numbers.

mod births;
mod bytes;
mod golden;
mod links;
mod machine;
mod passes;
mod random;
mod reads;
mod rules;

use crate::dual::Dual;
use crate::guard::Comparison;
use crate::kinks;
use crate::op::Op;
use crate::partial;
use crate::program::graph::Graph;

/// Equal to the bit, or both NaN: which NaN it is depends on the order of a sum's operands.
fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Equal but for rounding of terms as large as `scale`.
fn agree(a: f64, b: f64, scale: f64, tolerance: f64) -> bool {
    // What is below the normal numbers has lost its last digits.
    same_bits(a, b) || (a - b).abs() <= tolerance * scale + f64::MIN_POSITIVE
}

/// The values of all nodes with their derivatives along one input.
fn duals(graph: &Graph, x: &[f64], input: usize) -> Vec<Dual> {
    let seed = |i| if i == input { 1.0 } else { 0.0 };
    let x: Vec<Dual> = x.iter().enumerate().map(|(i, &x)| Dual::new(x, seed(i))).collect();
    graph.evaluate(&x)
}

/// Of every node, the sum of |contribution| over all paths from an input: rounding errors are relative to it. It is not
/// finite where a partial on the way is not.
fn scales(graph: &Graph, x: &[f64], input: usize) -> Vec<f64> {
    let values = graph.evaluate(x);
    let mut scales: Vec<f64> = Vec::with_capacity(graph.len());
    for id in graph.ids() {
        let Some(op) = graph.op(id) else {
            scales.push(f64::from(u8::from(id.index() == input && input < graph.inputs())));
            continue;
        };
        let operands = graph.operands(id);
        let arguments: Vec<f64> = operands.iter().map(|id| values[id.index()]).collect();
        let partials = partials(op, &arguments, values[id.index()]);
        let reached = operands.iter().zip(partials).map(|(id, partial)| match scales[id.index()] {
            0.0 => 0.0,
            scale => scale * partial.abs(),
        });
        scales.push(reached.sum());
    }
    scales
}

fn partials(op: Op, arguments: &[f64], value: f64) -> Vec<f64> {
    match op {
        Op::Sum => vec![1.0; arguments.len()],
        Op::Dot => {
            let (start, pairs) = arguments.split_at(arguments.len() % 2);
            let of_pair = |pair: &[f64]| {
                let (a, b) = (pair[0], pair[1]);
                [partial::mul::of_0(a, b, a * b), partial::mul::of_1(a, b, a * b)]
            };
            start.iter().map(|_| 1.0).chain(pairs.chunks_exact(2).flat_map(of_pair)).collect()
        }
        Op::Norm => arguments.iter().map(|&x| kinks::norm_partial(x, value, 0.0)).collect(),
        Op::Largest => vec![0.0; arguments.len()],
        op => op.partials(arguments, value)[..arguments.len()].to_vec(),
    }
}

/// Whether all guards hold. (The sign of NaN is nobody's to promise.)
fn hold(graph: &Graph, values: &[f64]) -> bool {
    graph.guards.iter().all(|guard| {
        let [a, b] = guard.operands.map(|id| values[id.index()]);
        guard.holds(a, b) || (guard.comparison == Comparison::IsNegative && a.is_nan())
    })
}
