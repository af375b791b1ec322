//! Right numbers that are computed, not typed: `figures/figures.txt`, which `figures/figures.py` writes.

use tape::Op;

use crate::function::{AnyFunction, OfInteger, OfOp};
use crate::table::{Scenario, generic};

const FIGURES: &str = include_str!("../figures/figures.txt");

/// The lines as columns, by their first words.
fn lines() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    FIGURES.lines().map(|line| {
        let mut columns = line.split(" | ");
        (columns.next().expect("a line has columns"), columns.collect())
    })
}

fn numbers(column: &str) -> Vec<f64> {
    let number = |word: &str| word.parse().expect("figures are numbers");
    column.split_whitespace().map(number).collect()
}

/// Operations over the whole range of their arguments: each line that begins with "op".
pub(super) fn operations() -> Vec<Scenario> {
    let of_operations =
        lines().filter_map(|(name, columns)| Some((name.strip_prefix("op ")?, columns)));
    of_operations.map(|(name, columns)| operation(name, &columns)).collect()
}

fn operation(name: &str, columns: &[&str]) -> Scenario {
    let (method, integer) = name.split_once(' ').map_or((name, None), |(method, integer)| {
        (method, Some(integer.parse().expect("the second word is an integer")))
    });
    let op = Op::from_name(method).expect("figures are of operations");
    let f: Box<dyn AnyFunction> = match integer {
        Some(integer) => Box::new(OfInteger(op, integer)),
        None => Box::new(OfOp(op)),
    };
    let (x, other) = (numbers(columns[0]), numbers(columns[1]));
    Scenario {
        name: format!("{name} at {x:?}"),
        f,
        x,
        other,
        scale: numbers(columns[2])[0],
        ..generic("", OfOp(op), [], []).with_figures(&columns[3..])
    }
}

impl Scenario {
    /// What is right by the line of the same name.
    pub(super) fn figures(self) -> Self {
        let found = lines().find(|(name, _)| *name == self.name);
        let (_, columns) = found.unwrap_or_else(|| panic!("no figures of \"{}\"", self.name));
        assert_eq!(numbers(columns[0]), self.x, "{}: the point of its figures", self.name);
        self.with_figures(&columns[1..])
    }

    fn with_figures(self, columns: &[&str]) -> Self {
        let order = |n: usize| columns.get(n).map(|column| numbers(column));
        Self {
            value: order(0).map(|values| values[0]),
            gradient: order(1),
            hessian: order(2),
            third: order(3),
            ..self
        }
    }
}
