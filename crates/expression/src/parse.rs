//! Text to expression: operator precedence parsing (Dijkstra's shunting yard) over the tokens.
//!
//! What waits for its right end stands on a stack of the parser's own, so that the depth of a text costs memory in
//! proportion, and none of the thread's stack.

use core::iter::Peekable;
use core::ops::Range;
use core::str::FromStr;

use indexmap::IndexMap;
use logos::{Logos, SpannedIter};
use tape::Op;

use crate::constant::Constant;
use crate::error::{ParseError, ParseErrorKind, shorten};
use crate::expression::{Expression, Step};
use crate::function::{self, Function};
use crate::operator::{Infix, Level};
use crate::token::Token;

impl Expression {
    /// Reads an expression; the [crate's page](crate) describes the language.
    ///
    /// # Errors
    /// A [`ParseError`] that points at what cannot be read.
    ///
    /// ```
    /// let error = expression::Expression::parse("x + sni(y)").unwrap_err();
    /// assert_eq!((error.line(), error.column()), (1, 5));
    /// assert_eq!(error.to_string(), "\
    /// unknown function `sni` at line 1, column 5
    ///   |
    /// 1 | x + sni(y)
    ///   |     ^^^ did you mean `sin`?");
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse(text)
    }
}

impl FromStr for Expression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
    }
}

fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser {
        text,
        tokens: Token::lexer(text).spanned().peekable(),
        steps: Vec::new(),
        variables: IndexMap::new(),
        waiting: Vec::new(),
    };
    parser.operand()?;
    while parser.operator()? {
        parser.operand()?;
    }
    Ok(Expression { steps: parser.steps, variables: parser.variables })
}

struct Parser<'t> {
    text: &'t str,
    tokens: Peekable<SpannedIter<'t, Token>>,
    /// What is read to the end, in postfix order.
    steps: Vec<Step>,
    variables: IndexMap<String, usize>,
    waiting: Vec<Waiting>,
}

/// What is still to get its right end.
#[derive(Clone, Copy)]
enum Waiting {
    Sign,
    Infix(&'static Infix),
    /// A parenthesis that opens at this byte.
    Group(usize),
    /// The first bar of an absolute value, at this byte.
    Bar(usize),
    /// A call whose name starts at this byte, and how many of its arguments are complete.
    Call(Function, u32, usize),
}

impl Parser<'_> {
    /// Reads a number, a constant or a variable, with the signs, parentheses and calls that open in front of it.
    fn operand(&mut self) -> Result<(), ParseError> {
        loop {
            let (token, span) = self.token()?;
            match token {
                Some(Token::Integer | Token::Number) => return self.number(span),
                Some(Token::Name) if self.opens() => self.call(span)?,
                Some(Token::Name) => return self.name(span),
                Some(Token::Open) => self.waiting.push(Waiting::Group(span.start)),
                Some(Token::Bar) => self.waiting.push(Waiting::Bar(span.start)),
                Some(Token::Minus) => self.waiting.push(Waiting::Sign),
                Some(Token::Plus) => {}
                _ => {
                    let found = token.map(|_| self.text[span.clone()].into());
                    return Err(self.error(span, ParseErrorKind::OperandExpected { found }));
                }
            }
        }
    }

    /// Reads what follows an operand: small exponents, closing parentheses and bars, then an operator or a comma. `false` at the text's end.
    fn operator(&mut self) -> Result<bool, ParseError> {
        loop {
            let (token, span) = self.token()?;
            let Some(token) = token else {
                return self.end().map(|()| false);
            };
            if let Some(infix) = Infix::from_token(token) {
                self.complete(infix.left);
                self.waiting.push(Waiting::Infix(infix));
                return Ok(true);
            }
            match token {
                Token::Close => self.close(span)?,
                Token::Bar => self.close_bar(span)?,
                Token::Superscript => self.superscript(span)?,
                Token::Comma => return self.comma(span).map(|()| true),
                _ => {
                    let found = shorten(&self.text[span.clone()]);
                    return Err(self.error(span, ParseErrorKind::OperatorExpected { found }));
                }
            }
        }
    }

    /// The next token and where it stands; at the end of the text, none.
    fn token(&mut self) -> Result<(Option<Token>, Range<usize>), ParseError> {
        match self.tokens.next() {
            Some((Ok(token), span)) => Ok((Some(token), span)),
            Some((Err(()), span)) => {
                let character = self.text[span.start..].chars().next().unwrap_or_default();
                let span = span.start..span.start + character.len_utf8();
                Err(self.error(span, ParseErrorKind::UnexpectedCharacter { character }))
            }
            None => {
                let end = self.text.trim_end().len();
                Ok((None, end..end))
            }
        }
    }

    /// Whether a parenthesis opens next; if so it is passed.
    fn opens(&mut self) -> bool {
        self.tokens.next_if(|(token, _)| *token == Ok(Token::Open)).is_some()
    }

    fn number(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        let digits = &self.text[span.clone()];
        if let Ok(value) = digits.parse() {
            self.steps.push(Step::Integer(value));
            return Ok(());
        }
        match digits.parse() {
            Ok(value) if f64::is_finite(value) => {
                self.steps.push(Step::Number(value));
                Ok(())
            }
            _ => Err(self.error(span, ParseErrorKind::NumberTooLarge)),
        }
    }

    fn name(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        let name = &self.text[span.clone()];
        // The known variables first: a long text mostly repeats them.
        if let Some((place, _, uses)) = self.variables.get_full_mut(name) {
            *uses += 1;
            self.steps.push(Step::Variable(place));
        } else if let Some(constant) = Constant::from_name(name) {
            self.steps.push(Step::Constant(constant));
        } else if Function::from_name(name).is_some() {
            let name = name.into();
            return Err(self.error(span, ParseErrorKind::MissingArguments { name }));
        } else {
            let (place, _) = self.variables.insert_full(name.into(), 1);
            self.steps.push(Step::Variable(place));
        }
        Ok(())
    }

    fn call(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        let name = &self.text[span.clone()];
        let Some(function) = Function::from_name(name) else {
            let kind = ParseErrorKind::UnknownFunction {
                name: shorten(name),
                nearest: function::nearest(name),
            };
            return Err(self.error(span, kind));
        };
        if self.tokens.next_if(|(token, _)| *token == Ok(Token::Close)).is_some() {
            return Err(self.argument_count(function, 0, span.start));
        }
        self.waiting.push(Waiting::Call(function, 0, span.start));
        Ok(())
    }

    fn comma(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        self.complete(Level::Sum);
        if let Some(Waiting::Call(_, arguments, _)) = self.waiting.last_mut() {
            *arguments = arguments.saturating_add(1);
            Ok(())
        } else {
            Err(self.error(span, ParseErrorKind::MisplacedComma))
        }
    }

    fn close(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        self.complete(Level::Sum);
        match self.waiting.pop() {
            Some(Waiting::Group(_)) => Ok(()),
            Some(Waiting::Call(function, before, start)) => {
                self.apply(function, before as usize + 1, start..span.end)
            }
            _ => Err(self.error(span, ParseErrorKind::UnopenedParenthesis)),
        }
    }

    /// A bar after an operand can only close an absolute value; one where an operand should begin opens one.
    fn close_bar(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        self.complete(Level::Sum);
        match self.waiting.pop() {
            Some(Waiting::Bar(_)) => {
                self.steps.push(Step::Apply(Op::Abs));
                Ok(())
            }
            _ => Err(self.error(span, ParseErrorKind::UnopenedBar)),
        }
    }

    /// A small exponent stands at its base like a part of it: nothing that waits is applied first.
    fn superscript(&mut self, span: Range<usize>) -> Result<(), ParseError> {
        let exponent: String = self.text[span.clone()].chars().map(in_line).collect();
        match exponent.parse() {
            Ok(n) => {
                self.steps.push(Step::Powi(n));
                Ok(())
            }
            Err(_) => Err(self.whole_number_needed(Op::Powi, i32::MIN, i32::MAX, span)),
        }
    }

    fn end(&mut self) -> Result<(), ParseError> {
        self.complete(Level::Sum);
        match self.waiting.last() {
            Some(&Waiting::Bar(start)) => {
                Err(self.error(start..start + 1, ParseErrorKind::UnclosedBar))
            }
            Some(&Waiting::Group(start)) => {
                Err(self.error(start..start + 1, ParseErrorKind::UnclosedParenthesis))
            }
            Some(&Waiting::Call(_, _, start)) => {
                let open = start + self.text[start..].find('(').unwrap_or_default();
                Err(self.error(open..open + 1, ParseErrorKind::UnclosedParenthesis))
            }
            _ => Ok(()),
        }
    }

    /// Applies the waiting operators that bind as tightly as `least`, back to the innermost open parenthesis: both
    /// their arguments are complete.
    fn complete(&mut self, least: Level) {
        let binds = |waiting: &mut Waiting| match waiting {
            Waiting::Sign => Level::Sign >= least,
            Waiting::Infix(infix) => infix.level >= least,
            Waiting::Group(_) | Waiting::Bar(_) | Waiting::Call(..) => false,
        };
        while let Some(waiting) = self.waiting.pop_if(binds) {
            match waiting {
                Waiting::Infix(infix) if infix.op == Op::Powf => self.power(),
                Waiting::Infix(infix) => self.steps.push(Step::Apply(infix.op)),
                _ => self.steps.push(Step::Apply(Op::Neg)),
            }
        }
    }

    /// Applies a function to its arguments, which are complete.
    fn apply(
        &mut self,
        function: Function,
        arguments: usize,
        span: Range<usize>,
    ) -> Result<(), ParseError> {
        let (least, most) = function.arity();
        if arguments < least || arguments > most {
            return Err(self.argument_count(function, arguments, span.start));
        }
        match function {
            Function::Pow => self.power(),
            Function::Log if arguments == 1 => self.steps.push(Step::Apply(Op::Ln)),
            Function::Log => self.steps.push(Step::Apply(Op::Log)),
            Function::Op(Op::Powi) => match self.take_whole_number() {
                Some(n) => self.steps.push(Step::Powi(n)),
                None => return Err(self.whole_number_needed(Op::Powi, i32::MIN, i32::MAX, span)),
            },
            Function::Op(Op::Polygamma) => match self.take_whole_number() {
                Some(n) => self.steps.push(Step::Polygamma(n)),
                None => {
                    return Err(self.whole_number_needed(Op::Polygamma, u32::MIN, u32::MAX, span));
                }
            },
            Function::Op(Op::Powf) => {
                // As a number with a point, the exponent is not taken for that of a `powi`.
                if let Some((place, _)) = self.whole_number()
                    && let Step::Integer(n) = self.steps[place]
                {
                    self.steps[place] = Step::Number(n.into());
                }
                self.steps.push(Step::Apply(Op::Powf));
            }
            Function::Op(op) => self.steps.push(Step::Apply(op)),
        }
        Ok(())
    }

    /// Applies `^`.
    fn power(&mut self) {
        let step = self.take_whole_number().map_or(Step::Apply(Op::Powf), Step::Powi);
        self.steps.push(step);
    }

    /// Takes the last argument away if it is written as a whole number of this type.
    fn take_whole_number<N: TryFrom<i64>>(&mut self) -> Option<N> {
        let (place, value) = self.whole_number()?;
        let value = value.try_into().ok()?;
        self.steps.truncate(place);
        Some(value)
    }

    /// The first step and the value of the last argument, if that is a whole number with or without a sign.
    fn whole_number(&self) -> Option<(usize, i64)> {
        match self.steps[..] {
            [.., Step::Integer(n)] => Some((self.steps.len() - 1, n.into())),
            [.., Step::Integer(n), Step::Apply(Op::Neg)] => {
                Some((self.steps.len() - 2, -i64::from(n)))
            }
            _ => None,
        }
    }

    fn argument_count(&self, function: Function, found: usize, start: usize) -> ParseError {
        let (least, most) = function.arity();
        let span = self.name_at(start);
        let name = self.text[span.clone()].into();
        self.error(span, ParseErrorKind::ArgumentCount { name, least, most, found })
    }

    fn whole_number_needed<N: Into<i64>>(
        &self,
        op: Op,
        least: N,
        most: N,
        span: Range<usize>,
    ) -> ParseError {
        let name = op.name().into();
        let (least, most) = (least.into(), most.into());
        self.error(span, ParseErrorKind::WholeNumberNeeded { name, least, most })
    }

    /// Where the name is that starts here: to keep its end for each open call would cost memory.
    fn name_at(&self, start: usize) -> Range<usize> {
        let rest = &self.text[start..];
        let length = Token::lexer(rest).spanned().next().map_or(0, |(_, span)| span.end);
        start..start + length
    }

    fn error(&self, span: Range<usize>, kind: ParseErrorKind) -> ParseError {
        ParseError::new(self.text, span, kind)
    }
}

/// A small digit or sign as one of normal size.
fn in_line(superscript: char) -> char {
    let mut pairs = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹".chars().zip("-0123456789".chars());
    pairs.find(|(small, _)| *small == superscript).map_or(superscript, |(_, normal)| normal)
}
