//! The operators and how tightly they bind, for the parser and the printer alike.

use tape::Op;

use crate::token::Token;

/// How tightly a part of an expression holds together, from the loosest to the tightest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Sum,
    Product,
    Sign,
    Power,
    /// A number, a name, a call or something in parentheses.
    Whole,
}

/// An operator between its two arguments.
#[derive(Debug)]
pub(crate) struct Infix {
    token: Token,
    pub(crate) op: Op,
    /// As the printer writes it.
    pub(crate) symbol: &'static str,
    /// As it is printed in mathematics.
    pub(crate) printed: &'static str,
    pub(crate) level: Level,
    /// What the left argument must bind as tightly as to need no parentheses.
    pub(crate) left: Level,
    /// The same for the right argument.
    pub(crate) right: Level,
}

#[rustfmt::skip]
const INFIX: &[Infix] = &[
    Infix { token: Token::Plus,      op: Op::Add,  symbol: " + ", printed: "+", level: Level::Sum,     left: Level::Sum,     right: Level::Product },
    Infix { token: Token::Minus,     op: Op::Sub,  symbol: " - ", printed: "−", level: Level::Sum,     left: Level::Sum,     right: Level::Product },
    Infix { token: Token::Times,     op: Op::Mul,  symbol: "*",   printed: "·", level: Level::Product, left: Level::Product, right: Level::Sign },
    Infix { token: Token::Divide,    op: Op::Div,  symbol: "/",   printed: "/", level: Level::Product, left: Level::Product, right: Level::Sign },
    Infix { token: Token::Remainder, op: Op::Rem,  symbol: "%",   printed: "%", level: Level::Product, left: Level::Product, right: Level::Sign },
    Infix { token: Token::Power,     op: Op::Powf, symbol: "^",   printed: "^", level: Level::Power,   left: Level::Whole,   right: Level::Sign },
];

impl Infix {
    pub(crate) fn from_token(token: Token) -> Option<&'static Self> {
        INFIX.iter().find(|infix| infix.token == token)
    }

    pub(crate) fn from_op(op: Op) -> Option<&'static Self> {
        INFIX.iter().find(|infix| infix.op == op)
    }
}
