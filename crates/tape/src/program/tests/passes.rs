//! Every pass keeps values to the bit and derivatives but for rounding, whatever the graph and the point.

use proptest::prelude::*;

use super::random::{cases, config, points};
use super::{agree, duals, hold, same_bits, scales};
use crate::program::graph::Graph;
use crate::program::graph::builder::{Builder, Passes, rebuilt, rebuilt_by};
use crate::program::graph::collect_sums::collect_sums;
use crate::program::graph::drop_dead_code::drop_dead_code;
use crate::program::graph::hoist::hoist;
use crate::program::graph::passes::optimize;
use crate::program::graph::simplify::Rewrites;

/// Both graphs have the same outputs and derivatives at `x`, and their guards hold or fail together.
fn check(name: &str, before: &Graph, after: &Graph, x: &[f64]) -> Result<(), TestCaseError> {
    prop_assert!(after.validate().is_ok(), "{name}: {:?}\n{after}", after.validate());
    prop_assert_eq!(before.inputs(), after.inputs());
    prop_assert_eq!(before.outputs.len(), after.outputs.len());
    let values = [before.evaluate(x), after.evaluate(x)];
    let text = || format!("{name} at {x:?}\n{before}\nbecame\n{after}");
    for (a, b) in before.outputs.iter().zip(&after.outputs) {
        let [a, b] = [values[0][a.index()], values[1][b.index()]];
        prop_assert!(same_bits(a, b), "value {:e} became {:e}: {}", a, b, text());
    }
    prop_assert_eq!(hold(before, &values[0]), hold(after, &values[1]), "guards: {}", text());
    if !hold(before, &values[0]) {
        return Ok(());
    }
    for input in 0..x.len() {
        let tangents = [duals(before, x, input), duals(after, x, input)];
        let scales = scales(before, x, input);
        for (a, b) in before.outputs.iter().zip(&after.outputs) {
            let scale = scales[a.index()];
            let [a, b] = [tangents[0][a.index()].tangent, tangents[1][b.index()].tangent];
            prop_assert!(
                !scale.is_finite() || agree(a, b, scale.max(UNDERFLOW), 1e-14),
                "∂/∂x{input} {:e} became {:e} (scale {:e}): {}",
                a,
                b,
                scale,
                text()
            );
        }
    }
    Ok(())
}

/// Where the contributions are smaller, one of them may be a product of which a factor became 0 or lost its digits.
const UNDERFLOW: f64 = 1e-140;

type Pass = (&'static str, fn(&Graph) -> Graph);

const PASSES: [Pass; 6] = [
    ("fold_constants", |graph| rebuilt(graph, Passes::FoldConstants)),
    ("simplify", |graph| rebuilt(graph, Passes::Simplify(Rewrites::Exact))),
    ("number_values", |graph| rebuilt_by(graph, Builder::only_numbering(graph.inputs()))),
    ("drop_dead_code", drop_dead_code),
    ("collect_sums", collect_sums),
    ("all passes", |graph| optimize(graph, Rewrites::Exact)),
];

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn every_pass_keeps_values_and_derivatives(case in cases(25), other in points(4..5)) {
        for (name, pass) in PASSES {
            let after = pass(&case.graph);
            check(name, &case.graph, &after, &case.x)?;
            check(name, &case.graph, &after, &other[..case.x.len()])?;
        }
    }

    #[test]
    fn what_is_hoisted_and_the_rest_make_the_whole(case in cases(25), shared in 0_usize..5, other in points(4..5)) {
        let graph = &case.graph;
        let shared = shared.min(graph.inputs());
        let hoisted = hoist(graph, shared);
        prop_assert!(hoisted.shared.validate().is_ok() && hoisted.row.validate().is_ok());
        for x in [&case.x[..], &other[..case.x.len()]] {
            for input in 0..x.len() {
                let whole = duals(graph, x, input);
                let of_shared = duals(&hoisted.shared, &x[..shared], input);
                let crossing = hoisted.shared.outputs.iter().map(|id| of_shared[id.index()]);
                let row: Vec<_> = crossing.chain(graph.ids().map(|id| whole[id.index()]).take(x.len()).skip(shared)).collect();
                let of_row = hoisted.row.evaluate(&row);
                for (a, b) in graph.outputs.iter().zip(&hoisted.row.outputs) {
                    let [a, b] = [whole[a.index()], of_row[b.index()]];
                    prop_assert!(same_bits(a.value, b.value) && same_bits(a.tangent, b.tangent), "{a} became {b}:\n{graph}");
                }
                let values = |duals: &[crate::Dual]| duals.iter().map(|dual| dual.value).collect::<Vec<_>>();
                prop_assert_eq!(
                    hold(graph, &values(&whole)),
                    hold(&hoisted.shared, &values(&of_shared)) && hold(&hoisted.row, &values(&of_row))
                );
            }
        }
    }

    #[test]
    fn random_graphs_are_valid(case in cases(25)) {
        prop_assert!(case.graph.validate().is_ok());
    }
}
