//! The Wengert list as an aligned table.

use core::fmt::{self, Display, Write};

use crate::adjoints::Adjoints;
use crate::real::Real;
use crate::show::{number, partials_text, rows};
use crate::tape::Tape;
use crate::var::Var;

/// Prints the list up to a variable: see [`Tape::show`].
#[derive(Debug)]
#[must_use = "nothing is printed until it is displayed"]
pub struct Show<'a, T: Real = f64> {
    tape: &'a Tape<T>,
    output: Var<T>,
    adjoints: Adjoints<T>,
    limit: usize,
}

impl<T: Real> Tape<T> {
    /// The list up to `output` as a table: index, operation, value, partials, and the adjoint by a sweep from `output`.
    ///
    /// A list of more than 200 operations is shown in part, its first and last hundred; [`Show::limit`] changes that.
    ///
    /// # Panics
    /// When `output` is on another tape, or stale.
    ///
    /// ```
    /// let tape = tape::Tape::new();
    /// let [x, y] = tape.vars([2.0, 3.0]);
    /// let table = tape.show(x * y + 1.0).to_string();
    /// assert_eq!(table, "\
    /// node  operation  value  partials          adjoint
    /// v1    input          2                          3
    /// v2    input          3                          2
    /// v3    v1 * v2        6  ∂v1 = 3, ∂v2 = 2        1
    /// v4    v3 + 1         7  ∂v3 = 1                 1
    /// ");
    /// ```
    #[track_caller]
    pub fn show(&self, output: Var<T>) -> Show<'_, T> {
        Show { tape: self, output, adjoints: self.sweep(output), limit: 200 }
    }
}

impl<T: Real> Show<'_, T> {
    /// Shows at most this many operations: half of them the first, half the last.
    pub fn limit(mut self, operations: usize) -> Self {
        self.limit = operations;
        self
    }
}

const HEADER: [&str; 5] = ["node", "operation", "value", "partials", "adjoint"];
/// The columns that hold numbers are aligned on their right.
const RIGHT: [bool; 5] = [false, false, true, false, true];

impl<T: Real> Display for Show<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.output.index() as usize;
        let (head, tail) = (self.limit.div_ceil(2), end.saturating_sub(self.limit / 2));
        let mut table = vec![HEADER.map(str::to_owned)];
        let mut left_out = 0;
        self.tape.with_list(|list| {
            left_out = end - (1..=end).filter(|&index| index <= head || index > tail).count();
            rows(
                list,
                end,
                |index| index <= head || index > tail,
                |row| {
                    table.push([
                        format!("v{}", row.index),
                        row.operation.clone(),
                        number(row.value),
                        partials_text(&row),
                        number(self.adjoints.at(row.index)),
                    ]);
                },
            );
        });
        let width =
            |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 5] = core::array::from_fn(width);
        for (position, row) in table.iter().enumerate() {
            if left_out > 0 && position == head + 1 {
                writeln!(f, "…     {left_out} nodes more")?;
            }
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = " ".repeat(widths[column] - cell.chars().count());
                let (before, after) =
                    if RIGHT[column] { (padding, String::new()) } else { (String::new(), padding) };
                let _ = write!(line, "{before}{cell}{after}  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
