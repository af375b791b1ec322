//! The passes in the order in which each finds most, and what a function is after each of them.

use core::fmt::{self, Display};

use crate::error::Error;
use crate::program::Program;
use crate::program::graph::Graph;
use crate::program::graph::collect_sums::collect_sums;
use crate::program::graph::drop_dead_code::drop_dead_code;
use crate::program::graph::fold_constants::fold_constants;
use crate::program::graph::lower::lower;
use crate::program::graph::number_values::number_values;
use crate::program::graph::simplify::{Rewrites, simplify};
use crate::program::graph::trace::{Extent, Outputs, trace};
use crate::var::Var;

/// A rewriting of the graph that keeps its values.
struct Pass {
    name: &'static str,
    run: fn(&Graph, Rewrites) -> Graph,
}

const FOLD_CONSTANTS: Pass = Pass { name: "fold constants", run: |graph, _| fold_constants(graph) };
const SIMPLIFY: Pass = Pass { name: "simplify", run: simplify };
const NUMBER_VALUES: Pass = Pass { name: "number values", run: |graph, _| number_values(graph) };
const DROP_DEAD_CODE: Pass = Pass { name: "drop dead code", run: |graph, _| drop_dead_code(graph) };
const COLLECT_SUMS: Pass = Pass { name: "collect sums", run: |graph, _| collect_sums(graph) };

/// What is done before chains of additions are collected.
const UNTIL_SUMS: [Pass; 4] = [FOLD_CONSTANTS, SIMPLIFY, NUMBER_VALUES, DROP_DEAD_CODE];
/// The rest. Sums have new constants, and leave behind what they are made of.
const FROM_SUMS: [Pass; 3] = [COLLECT_SUMS, NUMBER_VALUES, DROP_DEAD_CODE];

/// All passes.
pub(crate) fn optimize(graph: &Graph, rewrites: Rewrites) -> Graph {
    optimize_from_sums(&optimize_until_sums(graph, rewrites))
}

/// The passes before chains of additions are collected.
pub(crate) fn optimize_until_sums(graph: &Graph, rewrites: Rewrites) -> Graph {
    run(&UNTIL_SUMS, graph, rewrites)
}

/// The passes from the collection of chains of additions on.
pub(crate) fn optimize_from_sums(graph: &Graph) -> Graph {
    run(&FROM_SUMS, graph, Rewrites::Exact)
}

fn run(passes: &[Pass], graph: &Graph, rewrites: Rewrites) -> Graph {
    let [first, rest @ ..] = passes else { return graph.clone() };
    rest.iter().fold((first.run)(graph, rewrites), |graph, pass| (pass.run)(&graph, rewrites))
}

/// A traced function as it is before the first pass, or after one of them: see [`Program::stages`].
///
/// Its display is written as a [`Program`]'s.
#[derive(Clone, Debug)]
pub struct Stage {
    name: &'static str,
    graph: Graph,
}

impl Stage {
    /// The pass that gave it, as in `"fold constants"`; of the first stage `"trace"`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of operations.
    pub fn operations(&self) -> usize {
        self.graph.operations()
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.graph, f)
    }
}

impl Program {
    /// What [`Program::trace_with`] makes of `f`, pass by pass: first the function as it was recorded, last the program.
    ///
    /// It is for people who want to see what became of their function; a program itself does not keep it. Where the function
    /// is a derivative that was recorded, `"lower"` leaves out its rules for ∞ and NaN, and the passes run once more; a
    /// replay that meets what is not finite runs what stood before.
    ///
    /// # Errors
    /// As [`Program::trace`].
    ///
    /// # Panics
    /// When `f` panics.
    ///
    /// ```
    /// use tape::{Program, Rewrites};
    ///
    /// let stages = Program::stages(Rewrites::Exact, |x| x[0] * x[0] / 2.0 + x[0] * x[0], &[1.0])?;
    /// assert_eq!(stages[0].to_string(), "\
    /// v0 = x0 * x0
    /// v1 = v0 / 2
    /// v2 = x0 * x0
    /// v3 = v1 + v2
    /// return v3
    /// ");
    /// let last = stages.last().unwrap();
    /// assert_eq!((last.name(), last.operations()), ("drop dead code", 2));
    /// assert_eq!(last.to_string(), "\
    /// v0 = x0 * x0
    /// v1 = v0 + v0 * 0.5
    /// return v1
    /// ");
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn stages<R: Outputs>(
        rewrites: Rewrites,
        f: impl FnOnce(&[Var]) -> R,
        x: &[f64],
    ) -> Result<Vec<Stage>, Error> {
        let graph = trace(f, x, Extent::All)?.graph;
        let mut stages = vec![Stage { name: "trace", graph }];
        run_all(&mut stages, rewrites);
        if let Some(graph) = lower(&stages[stages.len() - 1].graph) {
            stages.push(Stage { name: "lower", graph });
            run_all(&mut stages, rewrites);
        }
        Ok(stages)
    }
}

/// Appends what the last stage becomes by each pass.
fn run_all(stages: &mut Vec<Stage>, rewrites: Rewrites) {
    for pass in UNTIL_SUMS.iter().chain(&FROM_SUMS) {
        let graph = (pass.run)(&stages[stages.len() - 1].graph, rewrites);
        stages.push(Stage { name: pass.name, graph });
    }
}
