//! What a name in front of a parenthesis calls, and the nearest such name for one that calls nothing.

use tape::Op;

/// What is called, with its name as it is written in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// An operation under its own name.
    Op(Op),
    /// `pow`, another way to write `^`.
    Pow,
    /// `log`, which takes one argument too.
    Log,
}

/// The names that are not, or not quite, those of one operation.
const ALIASES: &[(&str, Function)] = &[("pow", Function::Pow), ("log", Function::Log)];

impl Function {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        alias.map(|(_, function)| *function).or_else(|| Op::from_name(name).map(Self::Op))
    }

    /// The least and the largest number of arguments.
    pub(crate) fn arity(self) -> (usize, usize) {
        match self {
            Self::Op(op) => (arity(op), arity(op)),
            Self::Pow => (2, 2),
            Self::Log => (1, 2),
        }
    }
}

/// The number of arguments of an operation that has a name here: a row of the table, which takes no slice.
pub(crate) fn arity(op: Op) -> usize {
    op.arity().expect("a row of the table has a fixed number of arguments")
}

/// The function whose name is nearest to `name`, if any is near enough to be meant.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    // Longer than any function's name by more than a slip; the distance takes time in proportion to its length.
    const LONGEST: usize = 32;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let slips = name.chars().count().max(3) / 3;
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    aliases
        .chain(Op::ALL.iter().map(|op| op.name()))
        .map(|known| (strsim::damerau_levenshtein(&name, known), known))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
