//! The Wengert list as a graph for Graphviz.

use core::fmt::{self, Display};

use crate::adjoints::Adjoints;
use crate::op::Op;
use crate::real::Real;
use crate::show::{Row, number, rows};
use crate::tape::Tape;
use crate::var::Var;

/// Prints the list up to a variable as a graph: see [`Tape::dot`].
#[derive(Debug)]
#[must_use = "nothing is printed until it is displayed"]
pub struct Dot<'a, T: Real = f64> {
    tape: &'a Tape<T>,
    output: Var<T>,
    adjoints: Adjoints<T>,
}

impl<T: Real> Tape<T> {
    /// What `output` depends on, in the language of Graphviz: a box for each node with its operation, value and
    /// adjoint, an edge for each argument with its partial.
    ///
    /// `dot -Tsvg` draws it.
    ///
    /// # Panics
    /// When `output` is on another tape, or stale.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let x = tape.var(2.0);
    /// let graph = tape.dot(x * x).to_string();
    /// assert!(graph.starts_with("digraph"));
    /// assert!(graph.contains("v1 -> v2"));
    /// ```
    #[track_caller]
    pub fn dot(&self, output: Var<T>) -> Dot<'_, T> {
        Dot { tape: self, output, adjoints: self.sweep(output) }
    }
}

impl<T: Real> Display for Dot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.output.index() as usize;
        let mut operations: Vec<Row<T>> = Vec::new();
        self.tape.with_list(|list| rows(list, end, |_| true, |row| operations.push(row)));
        // From the last to the first: an operation is drawn when one that is drawn depends on it.
        let mut drawn = vec![false; end + 1];
        drawn[end] = end > 0;
        for row in operations.iter().rev() {
            if drawn[row.index] {
                row.partials.iter().for_each(|(argument, _)| drawn[*argument] = true);
            }
        }
        writeln!(f, "digraph list {{")?;
        writeln!(f, "    rankdir = BT;")?;
        writeln!(f, "    node [shape = box, fontname = \"monospace\"];")?;
        for row in operations.iter().filter(|row| drawn[row.index]) {
            let Row { index, operation, .. } = row;
            let (value, adjoint) = (number(row.value), number(self.adjoints.at(*index)));
            let style = if row.op == Op::Input { ", style = rounded" } else { "" };
            writeln!(
                f,
                "    v{index} [label = \"v{index} = {operation}\\nvalue {value}\\nadjoint {adjoint}\"{style}];"
            )?;
            for (argument, partial) in &row.partials {
                let label = partial.map_or(String::new(), number);
                writeln!(f, "    v{argument} -> v{index} [label = \"{label}\"];")?;
            }
        }
        writeln!(f, "}}")
    }
}
