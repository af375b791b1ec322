//! What can be wrong with a text or with the values given to an expression, and how it is shown.

use core::fmt;
use core::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A text that is no expression: what is wrong, where, and an excerpt that points at it.
///
/// ```
/// use expression::{Expression, ParseErrorKind};
///
/// let error = Expression::parse("(x + 1)*\n  hypot(x)").unwrap_err();
/// assert_eq!(error.to_string(), "\
/// `hypot` takes 2 arguments, but 1 is given at line 2, column 3
///   |
/// 2 |   hypot(x)
///   |   ^^^^^");
/// assert!(matches!(error.kind(), ParseErrorKind::ArgumentCount { least: 2, most: 2, found: 1, .. }));
/// assert_eq!(error.span(), 11..16);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    // In a box, so that a `Result` with a small value stays small.
    inner: Box<Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ParseErrorKind,
    span: Range<usize>,
    line: usize,
    column: usize,
    excerpt: String,
}

impl ParseError {
    pub(crate) fn new(text: &str, span: Range<usize>, kind: ParseErrorKind) -> Self {
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = text[line_start..span.start].chars().count() + 1;
        let excerpt =
            excerpt(&text[line_start..], line, span.start - line_start, span.len(), kind.advice());
        Self { inner: Box::new(Inner { kind, span, line, column, excerpt }) }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ParseErrorKind {
        &self.inner.kind
    }

    /// Where, in bytes of the text. Empty where something is missing at its end.
    pub fn span(&self) -> Range<usize> {
        self.inner.span.clone()
    }

    /// The line where it starts; the first is 1.
    pub fn line(&self) -> usize {
        self.inner.line
    }

    /// The character of the line where it starts; the first is 1.
    pub fn column(&self) -> usize {
        self.inner.column
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, line, column, excerpt, .. } = &*self.inner;
        write!(formatter, "{kind} at line {line}, column {column}\n{excerpt}")
    }
}

impl std::error::Error for ParseError {}

/// What is wrong with a text. Names of more than 40 characters are cut short, with `…`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A character that no part of the language begins with.
    #[error("unexpected character {character:?}")]
    UnexpectedCharacter {
        /// The character.
        character: char,
    },
    /// A number, a name or a parenthesis should stand here.
    #[error("expected a number, a name or `(`, but {}", found.as_ref().map_or("the text ends".into(), |found| format!("found `{found}`")))]
    OperandExpected {
        /// What stands here; none at the end of the text.
        found: Option<String>,
    },
    /// Two operands stand side by side.
    #[error("expected an operator in front of `{found}`")]
    OperatorExpected {
        /// What stands here.
        found: String,
    },
    /// A comma that is not inside a function's parentheses.
    #[error("this comma is not between the arguments of a function")]
    MisplacedComma,
    /// An opening parenthesis without its closing one.
    #[error("this parenthesis is never closed")]
    UnclosedParenthesis,
    /// A closing parenthesis without its opening one.
    #[error("this parenthesis closes nothing")]
    UnopenedParenthesis,
    /// The first bar of an absolute value without its second.
    #[error("this bar is never closed")]
    UnclosedBar,
    /// A bar after a complete operand, where no absolute value is open.
    #[error("this bar closes nothing")]
    UnopenedBar,
    /// A number too large for `f64`.
    #[error("this number is larger than any f64")]
    NumberTooLarge,
    /// A name before a parenthesis that is no function's.
    #[error("unknown function `{name}`")]
    UnknownFunction {
        /// The name.
        name: String,
        /// The nearest name of a function, if one is near.
        nearest: Option<&'static str>,
    },
    /// A function's name without its arguments.
    #[error("`{name}` is a function, and its arguments are missing")]
    MissingArguments {
        /// The function's name.
        name: String,
    },
    /// A function with too few or too many arguments.
    #[error("`{name}` takes {}, but {found} {} given", count(*least, *most), if *found == 1 { "is" } else { "are" })]
    ArgumentCount {
        /// The function's name.
        name: String,
        /// The least number of arguments that it takes.
        least: usize,
        /// The largest number of arguments that it takes.
        most: usize,
        /// The number of arguments given.
        found: usize,
    },
    /// The last argument of `powi` or `polygamma` is not written as a whole number, or does not fit.
    #[error(
        "the last argument of `{name}` must be a whole number, written in digits, from {least} to {most}"
    )]
    WholeNumberNeeded {
        /// The function's name.
        name: String,
        /// The least whole number that it takes.
        least: i64,
        /// The largest whole number that it takes.
        most: i64,
    },
}

impl ParseErrorKind {
    /// What to do about it, where that is more than the error itself says.
    fn advice(&self) -> Option<String> {
        match self {
            Self::UnknownFunction { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::UnknownFunction { name, nearest: None } => {
                Some(format!("to multiply, write `{name}*(`"))
            }
            Self::OperatorExpected { found } => Some(format!("to multiply, write `*{found}`")),
            Self::MissingArguments { name } => Some(format!("write `{name}(…)`")),
            Self::UnclosedBar => Some("an absolute value is `|x|` or `abs(x)`".into()),
            Self::UnopenedBar => Some("to multiply by an absolute value, write `*|`".into()),
            Self::UnexpectedCharacter { character } => instead(*character).map(Into::into),
            _ => None,
        }
    }
}

/// What to write for a character that is used in formulas but not in this language.
fn instead(character: char) -> Option<&'static str> {
    Some(match character {
        '√' => "write `sqrt(…)`",
        '∛' => "write `cbrt(…)`",
        '[' | '{' => "write `(`",
        ']' | '}' => "write `)`",
        '‐' | '‑' | '‒' | '–' | '—' => "write `-`",
        '∞' => "no number is infinite here",
        '!' => "for n! write `exp(ln_gamma(n + 1))`",
        '½' => "write `1/2`",
        '=' => "a formula is one side of an equation",
        '<' | '>' | '≤' | '≥' => "write `min`, `max` or `clamp`",
        _ => return None,
    })
}

/// Values that do not fit an expression.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Not as many values as variables.
    #[error("the expression has {}, but {found} {} given", variables(*expected), if *found == 1 { "value is" } else { "values are" })]
    ValueCount {
        /// The number of variables.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// A variable without a value.
    #[error("no value is given for the variable `{name}`")]
    MissingValue {
        /// The variable's name.
        name: String,
    },
    /// A variable with more than one value.
    #[error("more than one value is given for the variable `{name}`")]
    RepeatedValue {
        /// The variable's name.
        name: String,
    },
    /// A `clamp` between bounds of which the first is not at most the second.
    #[error(
        "clamp needs a lower bound that is at most the upper one, but they are {low} and {high}"
    )]
    EmptyRange {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
}

fn count(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".into(),
        (least, most) if least == most => format!("{most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

fn variables(count: usize) -> String {
    if count == 1 { "1 variable".into() } else { format!("{count} variables") }
}

/// The name as it is, or its beginning if it is so long that a message would be unreadable.
pub(crate) fn shorten(name: &str) -> String {
    const LONGEST: usize = 40;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into(),
    }
}

/// The line that `rest` begins with, and below it carets under `length` bytes from `start`, with the advice.
fn excerpt(
    rest: &str,
    number: usize,
    start: usize,
    length: usize,
    advice: Option<String>,
) -> String {
    // More than the renderer shows of a long line; the whole of a very long one would only slow it down.
    const REACH: usize = 200;
    let first = rest[..start].char_indices().rev().nth(REACH - 1).map_or(0, |(first, _)| first);
    let line_end = rest[start..].find('\n').map_or(rest.len(), |end| start + end);
    let last =
        rest[start..line_end].char_indices().nth(REACH).map_or(line_end, |(last, _)| start + last);
    let end = (start + length).min(last);
    let annotation = AnnotationKind::Primary.span(start - first..end - first).label(advice);
    let snippet = Snippet::source(&rest[first..last]).line_start(number).annotation(annotation);
    Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
}
