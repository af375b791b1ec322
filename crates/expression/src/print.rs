//! An expression written back as text, with the fewest parentheses.

use core::fmt::{self, Display, Formatter};

use tape::Op;

use crate::expression::{Expression, Step};
use crate::function::arity;
use crate::operator::{Infix, Level};

/// What is still to be written.
enum Part {
    /// The part of the expression that ends with this step, in parentheses if it binds less tightly than the level.
    Tree(usize, Level),
    Text(&'static str),
    Integer(i64),
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let starts = starts(&self.steps);
        // The next part to be written is the last one.
        let mut parts = vec![Part::Tree(self.steps.len() - 1, Level::Sum)];
        while let Some(part) = parts.pop() {
            match part {
                Part::Text(text) => formatter.write_str(text)?,
                Part::Integer(value) => write!(formatter, "{value}")?,
                Part::Tree(end, least) if level(self.steps[end]) < least => {
                    parts.extend([Part::Text(")"), Part::Tree(end, Level::Sum), Part::Text("(")]);
                }
                Part::Tree(end, _) => match self.steps[end] {
                    Step::Integer(value) => write!(formatter, "{value}")?,
                    // With its point or exponent: `x^2.0` is not `x^2`.
                    Step::Number(value) => write!(formatter, "{value:?}")?,
                    Step::Constant(constant) => formatter.write_str(constant.name)?,
                    Step::Variable(place) => formatter.write_str(&self.variables.keys()[place])?,
                    Step::Powi(n) => parts.extend([
                        Part::Integer(n.into()),
                        Part::Text("^"),
                        Part::Tree(end - 1, Level::Whole),
                    ]),
                    Step::Polygamma(n) => parts.extend([
                        Part::Text(")"),
                        Part::Integer(n.into()),
                        Part::Text(", "),
                        Part::Tree(end - 1, Level::Sum),
                        Part::Text("("),
                        Part::Text(Op::Polygamma.name()),
                    ]),
                    Step::Apply(op) => push_application(op, end, &starts, &mut parts),
                },
            }
        }
        Ok(())
    }
}

/// Pushes the parts of an operation whose step is `end`, from the last to the first.
fn push_application(op: Op, end: usize, starts: &[usize], parts: &mut Vec<Part>) {
    let last = end - 1;
    if op == Op::Neg {
        parts.extend([Part::Tree(last, Level::Sign), Part::Text("-")]);
    } else if let Some(infix) = Infix::from_op(op) {
        parts.extend([
            Part::Tree(last, infix.right),
            Part::Text(infix.symbol),
            Part::Tree(starts[last] - 1, infix.left),
        ]);
    } else {
        parts.push(Part::Text(")"));
        let mut argument = last;
        for place in (0..arity(op)).rev() {
            parts.push(Part::Tree(argument, Level::Sum));
            if place > 0 {
                parts.push(Part::Text(", "));
                argument = starts[argument] - 1;
            }
        }
        parts.extend([Part::Text("("), Part::Text(op.name())]);
    }
}

fn level(step: Step) -> Level {
    match step {
        Step::Powi(_) => Level::Power,
        Step::Apply(Op::Neg) => Level::Sign,
        Step::Apply(op) => Infix::from_op(op).map_or(Level::Whole, |infix| infix.level),
        _ => Level::Whole,
    }
}

/// For each step, the first step of the part of the expression that ends with it.
fn starts(steps: &[Step]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(steps.len());
    for (end, step) in steps.iter().enumerate() {
        let mut start = end;
        for _ in 0..step.arity() {
            start = starts[start - 1];
        }
        starts.push(start);
    }
    starts
}
