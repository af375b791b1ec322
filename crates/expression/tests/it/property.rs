//! Properties of random expressions and of random texts.

use expression::{Expression, ParseError};
use proptest::prelude::*;
use tape::Op;

const VARIABLES: [&str; 3] = ["x", "y_2", "λ"];

#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "(", "(", ")", ")", "+", "-", "*", "/", "%", "^", "**", ",", " ", "\n", "\t", "1", "2.", ".5", "1e9", "1e",
    "4294967295", "x", "y", "é", "_", "pi", "e", "sin", "sin(", "max(", "log(", "pow(", "powi(", "powf(",
    "polygamma(", "clamp(", "sni(", "?", "\0", "\u{202e}", "日",
];

/// A random expression: the simple oracle that parser, evaluator and printer are compared with.
#[derive(Clone, Debug)]
enum Tree {
    Integer(u32),
    Number(f64),
    Pi,
    Variable(usize),
    Powi(Box<Tree>, i32),
    Apply(Op, Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (0_u32..10).prop_map(Tree::Integer),
        any::<u32>().prop_map(Tree::Integer),
        (0.0..10.0).prop_map(Tree::Number),
        prop::num::f64::POSITIVE
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Tree::Number),
        Just(Tree::Pi),
        (0..VARIABLES.len()).prop_map(Tree::Variable),
    ];
    leaf.prop_recursive(12, 200, 3, |tree| {
        let operators = [Op::Neg, Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Rem, Op::Powf];
        let functions: Vec<Op> =
            Op::ALL.iter().copied().filter(|op| !matches!(op, Op::Powi | Op::Polygamma)).collect();
        let apply = |ops: Vec<Op>, tree: BoxedStrategy<Tree>| {
            (prop::sample::select(ops), prop::collection::vec(tree, 3)).prop_map(|(op, mut arguments)| {
                arguments.truncate(op.arity().unwrap());
                Tree::Apply(op, arguments)
            })
        };
        let tree = tree.boxed();
        prop_oneof![
            4 => apply(operators.to_vec(), tree.clone()),
            1 => apply(functions, tree.clone()),
            1 => (tree, prop_oneof![-3..5, any::<i32>()]).prop_map(|(base, n)| Tree::Powi(base.into(), n)),
        ]
    })
}

impl Tree {
    /// The value on plain `f64`; none where `clamp` has no range.
    fn value(&self, variables: &[f64]) -> Option<f64> {
        Some(match self {
            Self::Integer(value) => f64::from(*value),
            Self::Number(value) => *value,
            Self::Pi => core::f64::consts::PI,
            Self::Variable(place) => variables[*place],
            Self::Powi(base, n) => base.value(variables)?.powi(*n),
            Self::Apply(op, arguments) => {
                let values: Vec<f64> = arguments
                    .iter()
                    .map(|argument| argument.value(variables))
                    .collect::<Option<_>>()?;
                match (op, &values[..]) {
                    (Op::Neg, [a]) => -a,
                    (Op::Add, [a, b]) => a + b,
                    (Op::Sub, [a, b]) => a - b,
                    (Op::Mul, [a, b]) => a * b,
                    (Op::Div, [a, b]) => a / b,
                    (Op::Rem, [a, b]) => a % b,
                    (Op::Powf, [a, b]) => a.powf(*b),
                    (Op::Clamp, [_, low, high]) if low.is_nan() || high.is_nan() || low > high => {
                        return None;
                    }
                    (op, values) => op.apply(values),
                }
            }
        })
    }

    /// The text with every pair of parentheses written out, so that it needs no rule of precedence.
    fn text(&self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Number(value) => format!("{value:?}"),
            Self::Pi => "pi".into(),
            Self::Variable(place) => VARIABLES[*place].into(),
            Self::Powi(base, n) => format!("({})^({n})", base.text()),
            Self::Apply(op, arguments) => {
                let texts: Vec<String> = arguments.iter().map(Self::text).collect();
                match (op, &texts[..]) {
                    (Op::Neg, [a]) => format!("(-({a}))"),
                    (Op::Add, [a, b]) => format!("(({a})+({b}))"),
                    (Op::Sub, [a, b]) => format!("(({a})-({b}))"),
                    (Op::Mul, [a, b]) => format!("(({a})*({b}))"),
                    (Op::Div, [a, b]) => format!("(({a})/({b}))"),
                    (Op::Rem, [a, b]) => format!("(({a})%({b}))"),
                    (op, texts) => format!("{}({})", op.name(), texts.join(",")),
                }
            }
        }
    }
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// Any pair of parentheses of the text left out, except those of calls.
fn without_a_pair(text: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut texts = Vec::new();
    for (end, character) in text.char_indices() {
        match character {
            '(' => open.push(end),
            ')' => {
                let start = open.pop().unwrap();
                let is_call = text[..start]
                    .ends_with(|before: char| before.is_alphanumeric() || before == '_');
                if !is_call {
                    texts.push(
                        [&text[..start], " ", &text[start + 1..end], " ", &text[end + 1..]]
                            .concat(),
                    );
                }
            }
            _ => {}
        }
    }
    texts
}

fn check_error(text: &str, error: &ParseError) {
    let span = error.span();
    assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
    let before = &text[..span.start];
    assert_eq!(error.line(), before.split('\n').count());
    assert_eq!(error.column(), before.rsplit('\n').next().unwrap().chars().count() + 1);
    assert!(error.to_string().lines().count() >= 4, "{error}");
}

/// Whatever the text, the outcome is an expression that can be written and read again, or an error that points into it.
fn check_any(text: &str) {
    match Expression::parse(text) {
        Ok(expression) => {
            assert_eq!(Expression::parse(&expression.to_string()).unwrap(), expression);
            let ones = vec![1.0; expression.variables().len()];
            let _ = expression.evaluate(&ones);
        }
        Err(error) => check_error(text, &error),
    }
}

proptest! {
    #[test]
    fn the_value_is_that_of_the_tree(tree in tree(), variables in prop::array::uniform3(-3.0..3.0)) {
        let expression = Expression::parse(&tree.text()).unwrap();
        let values = VARIABLES.into_iter().zip(variables);
        let value = expression.evaluate_named(values).ok();
        prop_assert_eq!(value.map(bits), tree.value(&variables).map(bits), "{}", expression);
    }

    #[test]
    fn what_is_written_back_is_read_as_the_same_expression(tree in tree()) {
        let expression = Expression::parse(&tree.text()).unwrap();
        let written = expression.to_string();
        prop_assert_eq!(&Expression::parse(&written).unwrap(), &expression);
        prop_assert_eq!(Expression::parse(&written).unwrap().to_string(), written);
    }

    #[test]
    fn no_parentheses_that_are_written_back_can_go(tree in tree()) {
        let expression = Expression::parse(&tree.text()).unwrap();
        for text in without_a_pair(&expression.to_string()) {
            prop_assert!(Expression::parse(&text).ok() != Some(expression.clone()), "{}", text);
        }
    }

    #[test]
    fn an_expression_with_a_character_left_out_or_put_in_is_handled(
        tree in tree(),
        place in any::<prop::sample::Index>(),
        put_in in proptest::option::of(any::<char>()),
    ) {
        let mut characters: Vec<char> = tree.text().chars().collect();
        let place = place.index(characters.len());
        characters.splice(place..=place, put_in);
        check_any(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn random_bytes_are_handled(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_any(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_characters_are_handled(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn random_tokens_are_handled(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..30),
    ) {
        check_any(&tokens.concat());
    }
}
