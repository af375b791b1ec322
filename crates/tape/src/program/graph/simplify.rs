//! Pass: algebraic rewrites, as a table.

use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::op::Op;
use crate::program::graph::builder::Builder;
use crate::program::graph::{Graph, Id, Node};

/// Rewrites that keep the value to the bit, and derivatives but for rounding, for every number: infinite, NaN, −0. A test
/// walks the table with such numbers.
///
/// `?x` stands for any node, `?2` for a constant power of two whose reciprocal is exact.
#[rustfmt::skip]
pub(crate) const EXACT: &[(&str, &str)] = &[
    ("(mul ?x 1)",             "?x"),
    ("(mul 1 ?x)",             "?x"),
    ("(mul ?x -1)",            "(neg ?x)"),
    ("(mul -1 ?x)",            "(neg ?x)"),
    ("(div ?x 1)",             "?x"),
    ("(div ?x -1)",            "(neg ?x)"),
    ("(div 1 ?x)",             "(recip ?x)"),
    ("(div ?x ?2)",            "(mul ?x (recip ?2))"),
    ("(add ?x -0)",            "?x"),
    ("(add -0 ?x)",            "?x"),
    ("(sub ?x 0)",             "?x"),
    ("(sub -0 ?x)",            "(neg ?x)"),
    ("(neg (neg ?x))",         "?x"),
    ("(add ?x (neg ?y))",      "(sub ?x ?y)"),
    ("(add (neg ?x) ?y)",      "(sub ?y ?x)"),
    ("(sub ?x (neg ?y))",      "(add ?x ?y)"),
    ("(mul (neg ?x) (neg ?y))", "(mul ?x ?y)"),
    ("(div (neg ?x) (neg ?y))", "(div ?x ?y)"),
    ("(abs (neg ?x))",         "(abs ?x)"),
    ("(abs (abs ?x))",         "(abs ?x)"),
    ("(floor (floor ?x))",     "(floor ?x)"),
    ("(ceil (ceil ?x))",       "(ceil ?x)"),
    ("(round (round ?x))",     "(round ?x)"),
    ("(trunc (trunc ?x))",     "(trunc ?x)"),
    ("(relu (relu ?x))",       "(relu ?x)"),
    ("(max ?x ?x)",            "?x"),
    ("(min ?x ?x)",            "?x"),
    ("(select ?c ?x ?x)",      "?x"),
    ("(powi ?x 1)",            "?x"),
    ("(powi ?x 2)",            "(mul ?x ?x)"),
    ("(powi ?x -1)",           "(recip ?x)"),
    ("(powf ?x 1)",            "?x"),
    ("(chain ?x 1)",           "?x"),
    ("(chain 1 ?x)",           "?x"),
    ("(chain ?x -1)",          "(neg ?x)"),
    ("(chain -1 ?x)",          "(neg ?x)"),
    ("(cofactor ?x ?x)",       "?x"),
];

/// Rewrites that hold for real numbers, and may differ in rounding, in the sign of 0, or where a number is infinite or
/// NaN.
#[rustfmt::skip]
pub(crate) const RELAXED: &[(&str, &str)] = &[
    ("(add ?x 0)",             "?x"),
    ("(add 0 ?x)",             "?x"),
    ("(sub 0 ?x)",             "(neg ?x)"),
    ("(sub ?x ?x)",            "0"),
    ("(mul ?x 0)",             "0"),
    ("(mul 0 ?x)",             "0"),
    ("(chain ?x 0)",           "0"),
    ("(chain 0 ?x)",           "0"),
    ("(div ?x ?x)",            "1"),
    ("(powf ?x 2)",            "(mul ?x ?x)"),
    ("(powf ?x 0.5)",          "(sqrt ?x)"),
    ("(powf ?x -1)",           "(recip ?x)"),
    ("(exp (ln ?x))",          "?x"),
    ("(ln (exp ?x))",          "?x"),
    ("(mul (sqrt ?x) (sqrt ?x))", "?x"),
    ("(mul (exp ?x) (exp ?y))", "(exp (add ?x ?y))"),
    ("(neg (sub ?x ?y))",      "(sub ?y ?x)"),
];

/// Which rewrites a program may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Rewrites {
    /// Only those that change no value and, but for rounding, no derivative, for any number.
    #[default]
    Exact,
    /// Also those that hold for real numbers, but not for every floating-point number: x + 0 is x, e^(ln x) is x, ….
    Relaxed,
}

/// An operation that is not a node yet.
pub(super) struct Expression {
    pub(super) op: Op,
    pub(super) operands: SmallVec<[Id; 3]>,
}

/// What a rule makes of an expression.
pub(super) enum Rewritten {
    Node(Id),
    Expression(Expression),
}

struct Rule {
    left: Pattern,
    right: Pattern,
}

/// A rule that applies, and what its letters stand for.
pub(super) struct Applying<'a> {
    rule: &'a Rule,
    bound: Bound,
}

impl Applying<'_> {
    /// The right side. What is within it is added to the graph.
    pub(super) fn build(&self, builder: &mut Builder) -> Rewritten {
        match &self.rule.right {
            Pattern::Operation(op, patterns) => {
                let operands = patterns.iter().map(|p| p.build(builder, &self.bound)).collect();
                Rewritten::Expression(Expression { op: *op, operands })
            }
            pattern => Rewritten::Node(pattern.build(builder, &self.bound)),
        }
    }
}

/// The rules for one operation, in the order of the tables.
#[derive(Default)]
struct RulesOfOp {
    rules: Vec<Rule>,
    /// What an operand must be, one of them at least, for any rule to apply; or nothing need be known of them.
    for_any: bool,
    for_some_constants: bool,
    for_powers_of_two: bool,
    for_constants: SmallVec<[f64; 4]>,
    for_ops: Ops,
}

/// A set of operations.
#[derive(Default)]
struct Ops([u64; 2]);

const _: () = assert!((Op::Tip as u8) < 128, "the last operation has a place in the set");

impl Ops {
    fn add(&mut self, op: Op) {
        self.0[op as usize / 64] |= 1 << (op as u8 % 64);
    }

    #[inline]
    fn contains(&self, op: Op) -> bool {
        self.0[op as usize / 64] >> (op as u8 % 64) & 1 != 0
    }
}

impl RulesOfOp {
    /// Whether a rule needs an operand like this.
    #[inline]
    fn know(&self, operand: Node) -> bool {
        match operand {
            Node::Operation { op, .. } => self.for_ops.contains(op),
            Node::Constant(value) => self.for_some_constants && self.know_constant(value),
            Node::Input(_) | Node::Call { .. } | Node::Result { .. } => false,
        }
    }

    fn know_constant(&self, value: f64) -> bool {
        let is_it = |constant: &f64| constant.to_bits() == value.to_bits();
        self.for_constants.iter().any(is_it)
            || self.for_powers_of_two && has_exact_reciprocal(value)
    }

    fn add(&mut self, rule: Rule) {
        let Pattern::Operation(_, operands) = &rule.left else {
            unreachable!("a rule rewrites an operation")
        };
        let mut knows_any = false;
        for operand in operands {
            match operand {
                Pattern::Any('2') => self.for_powers_of_two = true,
                Pattern::Constant(value) if self.know_constant(*value) => {}
                Pattern::Constant(value) => self.for_constants.push(*value),
                Pattern::Operation(op, _) => self.for_ops.add(*op),
                Pattern::Any(_) => continue,
            }
            knows_any = true;
        }
        self.for_any |= !knows_any;
        self.for_some_constants = self.for_powers_of_two || !self.for_constants.is_empty();
        self.rules.push(rule);
    }
}

/// The rules that rewrite each operation.
pub(super) struct Rules(Vec<RulesOfOp>);

impl Rules {
    pub(super) fn of_rewrites(rewrites: Rewrites) -> &'static Self {
        static ONLY_EXACT: LazyLock<Rules> = LazyLock::new(|| Rules::of(&[EXACT]));
        static ALL: LazyLock<Rules> = LazyLock::new(|| Rules::of(&[EXACT, RELAXED]));
        match rewrites {
            Rewrites::Exact => &ONLY_EXACT,
            Rewrites::Relaxed => &ALL,
        }
    }

    fn of(tables: &[&[(&str, &str)]]) -> Self {
        let mut rules = Self(Vec::new());
        for &(left, right) in tables.iter().flat_map(|table| table.iter()) {
            let (left, right) = (parse(left), parse(right));
            let Pattern::Operation(op, _) = left else {
                unreachable!("a rule rewrites an operation")
            };
            let place = op as usize;
            if rules.0.len() <= place {
                rules.0.resize_with(place + 1, RulesOfOp::default);
            }
            rules.0[place].add(Rule { left, right });
        }
        rules
    }

    /// Whether it is worth looking for a rule.
    #[inline]
    pub(super) fn may_apply(&self, graph: &Graph, op: Op, operands: &[Id]) -> bool {
        let Some(rules) = self.0.get(op as usize) else { return false };
        rules.for_any || operands.iter().any(|&operand| rules.know(graph.node(operand)))
    }

    /// The first rule that applies.
    pub(super) fn applying_to(
        &self,
        graph: &Graph,
        expression: &Expression,
    ) -> Option<Applying<'_>> {
        let rules = self.0.get(expression.op as usize)?;
        rules.rules.iter().find_map(|rule| {
            let Pattern::Operation(_, patterns) = &rule.left else { return None };
            let mut pairs = patterns.iter().zip(&expression.operands);
            if !pairs.clone().all(|(pattern, &operand)| pattern.may_match(graph, operand)) {
                return None;
            }
            let mut bound = Bound::default();
            let matches =
                pairs.all(|(pattern, &operand)| pattern.matches(graph, operand, &mut bound));
            matches.then_some(Applying { rule, bound })
        })
    }
}

pub(crate) enum Pattern {
    Any(char),
    Constant(f64),
    Operation(Op, Vec<Pattern>),
}

/// The nodes that the letters of a pattern stand for.
type Bound = SmallVec<[(char, Id); 4]>;

impl Pattern {
    /// Whether it fits as far as a look at the node itself tells.
    #[inline]
    fn may_match(&self, graph: &Graph, id: Id) -> bool {
        match (self, graph.node(id)) {
            (Pattern::Any('2'), Node::Constant(value)) => has_exact_reciprocal(value),
            (Pattern::Any(name), _) => *name != '2',
            (Pattern::Constant(value), Node::Constant(other)) => other.to_bits() == value.to_bits(),
            (Pattern::Operation(op, _), Node::Operation { op: other, .. }) => other == *op,
            _ => false,
        }
    }

    fn matches(&self, graph: &Graph, id: Id, bound: &mut Bound) -> bool {
        match self {
            Pattern::Any(name) => {
                if let Some(&(_, other)) = bound.iter().find(|(letter, _)| letter == name) {
                    same(graph, other, id)
                } else {
                    bound.push((*name, id));
                    *name != '2' || graph.constant_value(id).is_some_and(has_exact_reciprocal)
                }
            }
            Pattern::Constant(value) => graph
                .constant_value(id)
                .is_some_and(|constant| constant.to_bits() == value.to_bits()),
            Pattern::Operation(op, patterns) => {
                let operands = graph.operands(id);
                graph.op(id) == Some(*op)
                    && operands.len() == patterns.len()
                    && patterns
                        .iter()
                        .zip(operands)
                        .all(|(p, &operand)| p.matches(graph, operand, bound))
            }
        }
    }

    fn build(&self, builder: &mut Builder, bound: &Bound) -> Id {
        match self {
            Pattern::Any(name) => {
                let found = bound.iter().find(|(letter, _)| letter == name);
                found.map_or_else(|| unreachable!("?{name} is on the left too"), |&(_, id)| id)
            }
            Pattern::Constant(value) => builder.constant(*value),
            Pattern::Operation(op, patterns) => {
                let operands: SmallVec<[Id; 3]> =
                    patterns.iter().map(|pattern| pattern.build(builder, bound)).collect();
                builder.push_as_it_is(*op, &operands)
            }
        }
    }
}

/// Whether two nodes are one, or equal constants.
fn same(graph: &Graph, a: Id, b: Id) -> bool {
    let bits = |id| graph.constant_value(id).map(f64::to_bits);
    a == b || bits(a).is_some_and(|a| Some(a) == bits(b))
}

fn has_exact_reciprocal(x: f64) -> bool {
    const FRACTION: u64 = (1 << 52) - 1;
    x.is_normal() && x.to_bits() & FRACTION == 0 && x.recip().is_normal()
}

/// A pattern of the table, as an S-expression. The table is part of the program: a mistake in it is found by any test.
pub(crate) fn parse(text: &str) -> Pattern {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open: Vec<(Op, Vec<Pattern>)> = Vec::new();
    let mut words = spaced.split_whitespace();
    while let Some(word) = words.next() {
        let pattern = match word {
            "(" => {
                let op = words.next().and_then(Op::of_program);
                open.push((op.unwrap_or_else(|| panic!("{text}: no such operation")), Vec::new()));
                continue;
            }
            ")" => {
                let (op, patterns) = open.pop().unwrap_or_else(|| panic!("{text}: one ) too many"));
                Pattern::Operation(op, patterns)
            }
            word => match word.strip_prefix('?').and_then(|name| name.chars().next()) {
                Some(name) => Pattern::Any(name),
                None => {
                    Pattern::Constant(word.parse().unwrap_or_else(|_| panic!("{text}: {word}?")))
                }
            },
        };
        match open.last_mut() {
            Some((_, patterns)) => patterns.push(pattern),
            None => return pattern,
        }
    }
    panic!("{text}: a ) is missing");
}
