//! What a traced function is after each pass, for people who want to see.

use core::fmt::{self, Display};

use crate::error::Error;
use crate::outputs::Outputs;
use crate::program::Program;
use crate::program::graph::Graph;
use crate::program::graph::builder::Passes;
use crate::program::graph::lower::lower;
use crate::program::graph::passes::each_pass;
use crate::program::graph::simplify::Rewrites;
use crate::program::graph::trace::{Extent, trace};
use crate::var::Var;

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
        let graph = trace(f, x, Extent::All, Passes::None)?.graph;
        let mut stages = vec![("trace", graph)];
        let optimize = |stages: &mut Vec<(&'static str, Graph)>| {
            let passed = each_pass(&stages[stages.len() - 1].1, rewrites);
            stages.extend(passed);
        };
        optimize(&mut stages);
        if let Some(graph) = lower(&stages[stages.len() - 1].1) {
            stages.push(("lower", graph));
            optimize(&mut stages);
        }
        Ok(stages.into_iter().map(|(name, graph)| Stage { name, graph }).collect())
    }
}
