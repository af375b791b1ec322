//! The words of the language: how logos cuts a text into tokens.
//!
//! Parser libraries that build the tree too (winnow, pest, chumsky) recurse once per parenthesis, so that a deep text
//! overflows the stack or has to be refused. A lexer does not, and leaves the precedence to a loop. logos is built with
//! `state_machine_codegen`: its other form calls a function per character, which only an optimised build turns into
//! jumps.

use logos::Logos;

/// A token. Its text is the source at its span.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"\s+")]
pub(crate) enum Token {
    #[regex(r"[0-9]+")]
    Integer,
    #[regex(r"([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")]
    #[regex(r"[0-9]+[eE][+-]?[0-9]+")]
    Number,
    // Two dots of multiplication count as parts of words in some scripts; below, subscripts as in `b₀`.
    #[regex(r"[\p{XID_Start}_]([\p{XID_Continue}--[\u{B7}\u{387}]]|[₀-₉])*")]
    Name,
    #[token("+")]
    Plus,
    #[regex(r"[-−]")]
    Minus,
    #[regex(r"[*×∙⋅∗\u{B7}\u{387}]")]
    Times,
    #[regex(r"[/÷∕]")]
    Divide,
    #[token("%")]
    Remainder,
    #[token("^")]
    #[token("**")]
    Power,
    /// An exponent written small: `²`, `⁻¹`.
    #[regex(r"⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")]
    Superscript,
    #[token("|")]
    Bar,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token(",")]
    Comma,
}
