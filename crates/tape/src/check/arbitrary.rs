//! Random expressions over all operations of the table, for property tests; a failing one shrinks to a readable one.
//!
//! A property that every gradient must have is tested on functions that nobody thought of:
//!
//! ```
//! use proptest::prelude::*;
//! use tape::check;
//! use tape::check::arbitrary::{expression, points};
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig::with_cases(64))]
//!     # /*
//!     #[test]
//!     # */
//!     fn the_gradient_agrees_with_numeric_derivatives(
//!         expression in expression(3, 10),
//!         x in points(3),
//!     ) {
//!         let f = |x: &[tape::Var]| expression.evaluate(x);
//!         // Singular operations, such as √(x − x), rightly have a gradient of NaN.
//!         prop_assume!(tape::gradient(f, &x).1.iter().all(|g| g.is_finite()));
//!         let verdict = check::gradient(f, &x);
//!         prop_assert!(!verdict.is_mismatch(), "{verdict}");
//!     }
//! }
//! # the_gradient_agrees_with_numeric_derivatives();
//! ```
//!
//! If, say, the derivative of `tanh` were wrong, the test would end with an input as short as
//! `expression = tanh(x0), x = [1.0, 1.0, 1.0]`.

use core::fmt::{self, Debug, Display};

use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::TestRunner;
use proptest::{collection, sample};

use crate::op::Op;
use crate::real::Real;

/// A function of several numbers, built from the operations of the table.
///
/// Its `Display` (and `Debug`, which proptest prints) is its formula, as in `sin(x0) * max(x1, 2.5)`. A result that is
/// used more than once is written once, before the formula: `let a0 = exp(x0); a0 * a0`.
#[derive(Clone, PartialEq)]
pub struct Expression {
    /// Every node is used, and none before it is defined; the last one is the result.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Variable(usize),
    Constant(f64),
    /// As many of the arguments, indices of nodes, as the operation takes.
    Operation(Op, [usize; 3]),
}

/// A strategy for expressions in `x0`, `x1`, … of as many variables, with 1 to `operations` operations.
///
/// All operations of [`Op::ALL`] are equally likely. Their arguments are variables, constants from the range on which
/// the operation is tested, and earlier results, which may be used several times. Arguments that have no derivative
/// (the exponent of `powi`, the order of `polygamma`) and the bounds of `clamp` are constants.
///
/// A failing expression shrinks to parts of itself: operations give way to their arguments, arguments to `x0`, and
/// what operations and constants remain to simpler ones.
///
/// Many random expressions are not defined at many points: about a quarter are infinite or NaN.
///
/// # Panics
/// When there are no variables, or no operations.
///
/// ```
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
/// use tape::check::arbitrary::expression;
///
/// let mut runner = TestRunner::deterministic();
/// let expression = expression(2, 5).new_tree(&mut runner).unwrap().current();
/// let at_a_point: f64 = expression.evaluate(&[0.5, 2.0]);
/// println!("{expression} is {at_a_point} there");
/// ```
pub fn expression(
    variables: usize,
    operations: usize,
) -> impl Strategy<Value = Expression> + Clone {
    Shrinking { random: random_expression(variables, operations) }
}

fn random_expression(
    variables: usize,
    operations: usize,
) -> impl Strategy<Value = Expression> + Clone {
    assert!(
        variables > 0 && operations > 0,
        "an expression has at least one variable and one operation"
    );
    // An operation usually works on the one before it, so that most of them matter to the result.
    let first = argument(variables, 6);
    let other = argument(variables, 2);
    let step = (sample::select(Op::ALL), [first, other.clone(), other]);
    collection::vec(step, 1..=operations).prop_map(move |steps| Expression::new(variables, &steps))
}

/// Expressions shrink by their own structure, which that of the strategies they are made with does not follow.
#[derive(Clone, Debug)]
struct Shrinking<S> {
    random: S,
}

impl<S: Strategy<Value = Expression>> Strategy for Shrinking<S> {
    type Tree = Shrink;
    type Value = Expression;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let failing = self.random.new_tree(runner)?.current();
        Ok(Shrink { failing, candidate: None, next: Edit { node: 0, kind: 0 }, has_shrunk: false })
    }
}

/// The search for a simpler expression that fails: one edit after the other is tried, until a round changes nothing.
#[derive(Debug)]
struct Shrink {
    failing: Expression,
    candidate: Option<Expression>,
    next: Edit,
    has_shrunk: bool,
}

impl ValueTree for Shrink {
    type Value = Expression;

    fn current(&self) -> Expression {
        self.candidate.as_ref().unwrap_or(&self.failing).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(candidate) = self.candidate.take() {
            self.failing = candidate;
            self.has_shrunk = true;
        }
        self.complicate()
    }

    fn complicate(&mut self) -> bool {
        loop {
            if self.next.node >= self.failing.nodes.len() {
                if !core::mem::take(&mut self.has_shrunk) {
                    self.candidate = None;
                    return false;
                }
                self.next = Edit { node: 0, kind: 0 };
            }
            let edit = self.next;
            self.next = edit.next();
            self.candidate = self.failing.edited(edit);
            if self.candidate.is_some() {
                return true;
            }
        }
    }
}

/// A strategy for `variables` numbers between −3 and 3, not too close to 0.
///
/// They shrink to 1 and other simple numbers.
pub fn points(variables: usize) -> impl Strategy<Value = Vec<f64>> + Clone {
    let simple = sample::select(vec![1.0, 2.0, 0.5, 3.0, 1.5, 2.5, 0.25, 0.1]);
    let size = prop_oneof![1 => simple, 3 => 0.01..3.0];
    let number =
        (size, any::<bool>()).prop_map(|(size, negative)| if negative { -size } else { size });
    collection::vec(number, variables)
}

/// An argument before its operation and place are known.
#[derive(Clone, Copy, Debug)]
enum Argument {
    Variable(usize),
    /// In tenths; brought into the operation's range.
    Constant(i32),
    /// Counted backwards from the last result.
    Result(usize),
}

/// A strategy for arguments, of which `results` in `results + 4` are earlier results.
fn argument(variables: usize, results: u32) -> BoxedStrategy<Argument> {
    prop_oneof![
        3 => (0..variables).prop_map(Argument::Variable),
        1 => (-100..=100).prop_map(Argument::Constant),
        results => (0_usize..4).prop_map(Argument::Result),
    ]
    .boxed()
}

impl Expression {
    fn new(variables: usize, steps: &[(Op, [Argument; 3])]) -> Self {
        let mut nodes: Vec<Node> = (0..variables).map(Node::Variable).collect();
        let mut results: Vec<usize> = Vec::new();
        for (op, choices) in steps {
            let mut arguments = [0; 3];
            for (place, &choice) in choices.iter().enumerate().take(arity(*op)) {
                arguments[place] = match choice {
                    Argument::Variable(variable) if !takes_constant(*op, place) => variable,
                    Argument::Result(back) if !takes_constant(*op, place) => match results.len() {
                        0 => back % variables,
                        count => results[count - 1 - back % count],
                    },
                    _ => {
                        nodes.push(Node::Constant(constant(*op, place, choice)));
                        nodes.len() - 1
                    }
                };
            }
            nodes.push(Node::Operation(*op, arguments));
            results.push(nodes.len() - 1);
        }
        Self { nodes }.without_unused()
    }

    /// A simpler expression, if the edit applies and makes it simpler.
    fn edited(&self, edit: Edit) -> Option<Self> {
        let Edit { node: index, kind } = edit;
        let mut nodes = self.nodes.clone();
        match (Edit::KINDS[kind], nodes[index]) {
            (EditKind::Result, Node::Operation(..)) if index + 1 < nodes.len() => {
                nodes.truncate(index + 1);
            }
            (EditKind::Argument(place), Node::Operation(op, arguments)) if place < arity(op) => {
                let argument = arguments[place];
                if index + 1 == nodes.len() {
                    nodes.truncate(argument + 1);
                }
                for node in nodes.iter_mut().skip(index) {
                    if let Node::Operation(_, arguments) = node {
                        arguments
                            .iter_mut()
                            .filter(|it| **it == index)
                            .for_each(|it| *it = argument);
                    }
                }
            }
            (EditKind::FirstVariable, node)
                if node != Node::Variable(0) && !self.must_be_constant(index) =>
            {
                nodes[index] = Node::Variable(0);
            }
            (EditKind::Operation, Node::Operation(op, arguments)) => {
                let simplest =
                    [Op::Neg, Op::Add].into_iter().find(|it| it.arity() == op.arity())?;
                if op == simplest {
                    return None;
                }
                nodes[index] = Node::Operation(simplest, arguments);
            }
            (EditKind::One, Node::Constant(constant))
                if constant != 1.0 && !self.must_be_constant(index) =>
            {
                nodes[index] = Node::Constant(1.0);
            }
            (EditKind::Integer, Node::Constant(constant)) if constant != constant.trunc() => {
                nodes[index] = Node::Constant(constant.trunc());
            }
            _ => return None,
        }
        Some(Self { nodes }.without_unused())
    }

    fn must_be_constant(&self, index: usize) -> bool {
        self.nodes.iter().any(|node| match node {
            Node::Operation(op, arguments) => {
                (0..arity(*op)).any(|i| arguments[i] == index && takes_constant(*op, i))
            }
            _ => false,
        })
    }

    /// Keeps what the result depends on.
    fn without_unused(self) -> Self {
        let uses = self.uses();
        let mut nodes = Vec::new();
        let mut moved = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().filter(|&(index, _)| uses[index] > 0) {
            moved[index] = nodes.len();
            nodes.push(match *node {
                Node::Operation(op, arguments) => {
                    Node::Operation(op, arguments.map(|argument| moved[argument]))
                }
                leaf => leaf,
            });
        }
        Self { nodes }
    }

    /// How often each node is used by nodes that the result depends on; once for the result itself.
    fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        uses[self.nodes.len() - 1] = 1;
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if uses[index] > 0 {
                node.arguments().iter().for_each(|&argument| uses[argument] += 1);
            }
        }
        uses
    }

    /// The number of operations.
    pub fn operations(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Operation(..))).count()
    }

    /// The value at `x`, in any kind of number: on `f64` the plain value, on `Var` a recording.
    ///
    /// # Panics
    /// When `x` has fewer numbers than the expression has variables.
    pub fn evaluate<T: Real>(&self, x: &[T]) -> T {
        let mut values: Vec<T> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            values.push(match node {
                Node::Variable(variable) => x[*variable],
                Node::Constant(constant) => T::from_f64(*constant),
                Node::Operation(op, arguments) => {
                    let arguments = arguments.map(|argument| values[argument]);
                    op.apply(&arguments[..arity(*op)])
                }
            });
        }
        values[values.len() - 1]
    }
}

impl Node {
    fn arguments(&self) -> &[usize] {
        match self {
            Self::Operation(op, arguments) => &arguments[..arity(*op)],
            _ => &[],
        }
    }
}

/// A way to simplify an expression at one of its nodes.
#[derive(Clone, Copy, Debug)]
struct Edit {
    node: usize,
    kind: usize,
}

#[derive(Clone, Copy)]
enum EditKind {
    /// The operation becomes the result of the whole expression.
    Result,
    /// One of its arguments takes the operation's place.
    Argument(usize),
    /// `x0` takes its place.
    FirstVariable,
    /// The simplest operation with as many arguments takes its place.
    Operation,
    /// The constant becomes 1.
    One,
    /// The constant loses its decimals.
    Integer,
}

impl Edit {
    const KINDS: [EditKind; 8] = [
        EditKind::Result,
        EditKind::FirstVariable,
        EditKind::Argument(0),
        EditKind::Argument(1),
        EditKind::Argument(2),
        EditKind::Operation,
        EditKind::One,
        EditKind::Integer,
    ];

    /// The next kind at this node, or the first kind at the next node.
    fn next(self) -> Self {
        if self.kind + 1 < Self::KINDS.len() {
            Self { kind: self.kind + 1, ..self }
        } else {
            Self { node: self.node + 1, kind: 0 }
        }
    }
}

/// The number of arguments of a row of the table, the only operations of an expression.
fn arity(op: Op) -> usize {
    op.arity().expect("a row of the table has a fixed number of arguments")
}

/// Whether an argument has no derivative, or must be in order with another.
fn takes_constant(op: Op, place: usize) -> bool {
    matches!(op, Op::Powi | Op::Polygamma | Op::Clamp) && place > 0
}

/// A constant with one decimal, in the range on which the argument is tested.
fn constant(op: Op, place: usize, choice: Argument) -> f64 {
    let tenths = match choice {
        Argument::Constant(tenths) => tenths,
        Argument::Variable(number) | Argument::Result(number) => {
            10 * i32::try_from(number).unwrap_or(0)
        }
    };
    let range = &op.ranges()[place];
    let number = (f64::from(tenths) / 10.0).clamp(range.start, range.end);
    if matches!(op, Op::Powi | Op::Polygamma) { number.trunc() } else { number }
}

/// How tightly a text binds: sums, products, signs, and everything else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Loose,
    Sum,
    Product,
    Sign,
    Tight,
}

/// What is still to be written, the next last: formulas nest too deeply to recurse over.
enum Piece {
    Text(&'static str),
    Node { index: usize, at_least: Binding },
}

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = self.uses();
        let mut names: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut count = 0;
        let last = self.nodes.len() - 1;
        for (index, node) in self.nodes.iter().enumerate() {
            if index < last && uses[index] > 1 && matches!(node, Node::Operation(..)) {
                write!(f, "let a{count} = ")?;
                self.write_formula(f, index, &names)?;
                write!(f, "; ")?;
                names[index] = Some(count);
                count += 1;
            }
        }
        self.write_formula(f, last, &names)
    }
}

impl Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Expression {
    fn write_formula(
        &self,
        f: &mut fmt::Formatter<'_>,
        root: usize,
        names: &[Option<usize>],
    ) -> fmt::Result {
        let mut pieces = vec![Piece::Node { index: root, at_least: Binding::Loose }];
        while let Some(piece) = pieces.pop() {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Node { index, at_least } => match (names[index], self.nodes[index]) {
                    (Some(name), _) => write!(f, "a{name}")?,
                    (_, Node::Variable(variable)) => write!(f, "x{variable}")?,
                    (_, Node::Constant(constant))
                        if constant < 0.0 && at_least == Binding::Tight =>
                    {
                        write!(f, "({constant})")?;
                    }
                    (_, Node::Constant(constant)) => write!(f, "{constant}")?,
                    (_, Node::Operation(op, arguments)) => {
                        push_operation(&mut pieces, op, &arguments[..arity(op)], at_least);
                    }
                },
            }
        }
        Ok(())
    }
}

fn push_operation(pieces: &mut Vec<Piece>, op: Op, arguments: &[usize], at_least: Binding) {
    let own = match op {
        Op::Add | Op::Sub => Binding::Sum,
        Op::Mul | Op::Div | Op::Rem => Binding::Product,
        Op::Neg => Binding::Sign,
        _ => Binding::Tight,
    };
    let start = pieces.len();
    match (op.symbol(), arguments) {
        (Some(symbol), &[x]) => {
            pieces.push(Piece::Text(symbol));
            pieces.push(Piece::Node { index: x, at_least: Binding::Tight });
        }
        (Some(symbol), &[x, y]) => {
            let after = if own == Binding::Sum { Binding::Product } else { Binding::Sign };
            pieces.push(Piece::Node { index: x, at_least: own });
            pieces.extend([" ", symbol, " "].map(Piece::Text));
            pieces.push(Piece::Node { index: y, at_least: after });
        }
        _ => {
            pieces.extend([op.name(), "("].map(Piece::Text));
            for (place, &argument) in arguments.iter().enumerate() {
                pieces.push(Piece::Text(if place == 0 { "" } else { ", " }));
                pieces.push(Piece::Node { index: argument, at_least: Binding::Loose });
            }
            pieces.push(Piece::Text(")"));
        }
    }
    if own < at_least {
        pieces.insert(start, Piece::Text("("));
        pieces.push(Piece::Text(")"));
    }
    pieces[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: usize = 0;
    const Y: usize = 1;

    /// The text of an expression of the nodes x0, x1, −2.5 and, from number 3 on, `operations`; the last is the result.
    #[track_caller]
    fn check(operations: &[(Op, [usize; 3])], wanted: &str) {
        let variables = [Node::Variable(0), Node::Variable(1), Node::Constant(-2.5)];
        let operations = operations.iter().map(|&(op, arguments)| Node::Operation(op, arguments));
        let nodes = variables.into_iter().chain(operations).collect();
        assert_eq!(Expression { nodes }.without_unused().to_string(), wanted);
    }

    #[test]
    fn operators_have_parentheses_where_they_need_them() {
        check(&[(Op::Add, [X, Y, 0]), (Op::Mul, [3, X, 0])], "(x0 + x1) * x0");
        check(&[(Op::Mul, [X, Y, 0]), (Op::Add, [3, X, 0])], "x0 * x1 + x0");
        check(&[(Op::Sub, [X, Y, 0]), (Op::Sub, [X, 3, 0])], "x0 - (x0 - x1)");
        check(&[(Op::Sub, [X, Y, 0]), (Op::Sub, [3, X, 0])], "x0 - x1 - x0");
        check(&[(Op::Div, [X, Y, 0]), (Op::Div, [X, 3, 0])], "x0 / (x0 / x1)");
        check(&[(Op::Neg, [X, 0, 0]), (Op::Neg, [3, 0, 0])], "-(-x0)");
        check(&[(Op::Neg, [2, 0, 0])], "-(-2.5)");
        check(&[(Op::Add, [X, Y, 0]), (Op::Neg, [3, 0, 0])], "-(x0 + x1)");
        check(&[(Op::Add, [X, 2, 0]), (Op::Max, [3, 2, 0])], "max(x0 + -2.5, -2.5)");
    }

    #[test]
    fn a_result_that_is_used_twice_has_a_name() {
        let operations = [(Op::Exp, [X, 0, 0]), (Op::Mul, [3, 3, 0]), (Op::Sub, [4, 3, 0])];
        check(&operations, "let a0 = exp(x0); a0 * a0 - a0");
    }

    #[test]
    fn what_the_result_does_not_need_is_left_out() {
        check(&[(Op::Exp, [X, 0, 0]), (Op::Sin, [Y, 0, 0])], "sin(x1)");
    }

    #[test]
    fn a_long_chain_is_written_and_evaluated_without_recursion() {
        let mut nodes = vec![Node::Variable(0)];
        nodes.extend((0..200_000).map(|argument| Node::Operation(Op::Neg, [argument, 0, 0])));
        let chain = Expression { nodes };
        assert_eq!(chain.evaluate(&[2.0]), 2.0);
        assert!(chain.to_string().contains("(-(-x0))"));
    }
}
