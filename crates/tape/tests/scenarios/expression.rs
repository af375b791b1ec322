//! A function as data, written with symbols: `|x| (x[0] * x[1]).tanh()`.
//!
//! One generic function evaluates all expressions, on all types of number. As generic functions themselves, two hundred
//! scenarios on fourteen types took minutes to compile.

use std::cell::RefCell;
use std::fmt::{self, Display};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, Sub, SubAssign};

use tape::{Op, Real};

use crate::function::Function;
use crate::own::Own;

/// Operations in the order in which they are computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expression {
    pub(crate) steps: Vec<Step>,
    /// The step that is the result.
    pub(crate) result: usize,
}

/// A step; arguments are the numbers of earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Variable(usize),
    Constant(f64),
    /// An operation of the table; an integer argument is not among the steps.
    Operation(Op, Vec<usize>, i32),
    Sum(Vec<usize>),
    WeightedSum(Vec<f64>, Vec<usize>),
    Dot(Vec<usize>, Vec<usize>),
    Norm(Vec<usize>),
    LogSumExp(Vec<usize>),
    /// As a constant.
    Stopped(usize),
    /// A result of an operation of one's own.
    Own(Own, Vec<usize>, usize),
}

impl Expression {
    /// What the function does with symbols for its arguments.
    pub(crate) fn of(f: impl FnOnce(&[Symbol]) -> Symbol, variables: usize) -> Self {
        let outer = STEPS.replace((0..variables).map(Step::Variable).collect());
        let x: Vec<Symbol> = (0..variables).map(Symbol).collect();
        let result = f(&x).0;
        Self { steps: STEPS.replace(outer), result }
    }

    /// The values of all steps.
    pub(crate) fn values<T: Real>(&self, x: &[T]) -> Vec<T> {
        let mut values: Vec<T> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            values.push(step.value(x, |step| values[step]));
        }
        values
    }
}

impl Function for Expression {
    fn at<T: Real>(&self, x: &[T]) -> T {
        self.values(x)[self.result]
    }
}

impl Step {
    /// The value from those of the steps before.
    pub(crate) fn value<T: Real>(&self, x: &[T], of_step: impl Fn(usize) -> T) -> T {
        let all = |steps: &[usize]| steps.iter().map(|&step| of_step(step)).collect::<Vec<T>>();
        match self {
            Self::Variable(variable) => x[*variable],
            Self::Constant(constant) => T::from_f64(*constant),
            Self::Operation(Op::Powi, steps, n) => of_step(steps[0]).powi(*n),
            Self::Operation(Op::Polygamma, steps, n) => {
                of_step(steps[0]).polygamma(n.unsigned_abs())
            }
            Self::Operation(op, steps, _) => op.apply(&all(steps)),
            Self::Sum(steps) => T::sum(&all(steps)),
            Self::WeightedSum(weights, steps) => T::weighted_sum(weights, &all(steps)),
            Self::Dot(a, b) => T::dot(&all(a), &all(b)),
            Self::Norm(steps) => T::norm(&all(steps)),
            Self::LogSumExp(steps) => T::log_sum_exp(&all(steps)),
            Self::Stopped(step) => tape::stop_gradient(of_step(*step)),
            Self::Own(operation, steps, output) => operation.apply(&all(steps))[*output],
        }
    }

    /// The steps that it depends on, each once.
    pub(crate) fn arguments(&self) -> Vec<usize> {
        let mut steps = match self {
            Self::Variable(_) | Self::Constant(_) => Vec::new(),
            Self::Operation(_, steps, _) | Self::Sum(steps) | Self::WeightedSum(_, steps) => {
                steps.clone()
            }
            Self::Norm(steps) | Self::LogSumExp(steps) | Self::Own(_, steps, _) => steps.clone(),
            Self::Stopped(step) => vec![*step],
            Self::Dot(a, b) => [a.as_slice(), b].concat(),
        };
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

/// The steps as assignments.
impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Operation(op @ (Op::Powi | Op::Polygamma), steps, n) => {
                    write!(f, "s{number} = {}(s{}, {n}); ", op.name(), steps[0])?;
                }
                Step::Operation(op, steps, _) => {
                    let steps: Vec<String> = steps.iter().map(|step| format!("s{step}")).collect();
                    write!(f, "s{number} = {}({}); ", op.name(), steps.join(", "))?;
                }
                other => write!(f, "s{number} = {other:?}; ")?,
            }
        }
        write!(f, "s{}", self.result)
    }
}

thread_local! {
    /// Of the expression that is being written.
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// A step of the expression that is being written.
#[derive(Clone, Copy)]
pub(crate) struct Symbol(usize);

impl From<f64> for Symbol {
    fn from(constant: f64) -> Self {
        Self::push(Step::Constant(constant))
    }
}

impl Symbol {
    fn push(step: Step) -> Self {
        STEPS.with_borrow_mut(|steps| {
            steps.push(step);
            Self(steps.len() - 1)
        })
    }

    fn operation(op: Op, arguments: &[Self]) -> Self {
        Self::push(Step::Operation(op, places(arguments), 0))
    }

    pub(crate) fn powi(self, n: i32) -> Self {
        Self::push(Step::Operation(Op::Powi, vec![self.0], n))
    }
}

fn places(symbols: &[Symbol]) -> Vec<usize> {
    symbols.iter().map(|symbol| symbol.0).collect()
}

macro_rules! methods {
    ($($name:ident $Op:ident ($($argument:ident),*);)*) => {
        impl Symbol {
            $(pub(crate) fn $name(self $(, $argument: impl Into<Self>)*) -> Self {
                Self::operation(Op::$Op, &[self $(, $argument.into())*])
            })*
        }
    };
}
methods! {
    sin Sin(); cos Cos(); acos Acos(); asin Asin(); atan2 Atan2(other); sinh Sinh(); tanh Tanh(); asinh Asinh(); acosh Acosh();
    exp Exp(); exp2 Exp2(); ln Ln(); ln_1p Ln1p(); log2 Log2(); sqrt Sqrt(); recip Recip(); abs Abs(); signum Signum();
    floor Floor(); round Round(); sigmoid Sigmoid(); softplus Softplus(); relu Relu(); erfc Erfc(); ln_gamma LnGamma();
    powf Powf(exponent); max Max(other); min Min(other); hypot Hypot(other); log_add_exp LogAddExp(other);
    clamp Clamp(lower, upper); mul_add MulAdd(factor, summand);
}

macro_rules! operators {
    ($($Trait:ident $name:ident;)*) => {$(
        impl<S: Into<Symbol>> $Trait<S> for Symbol {
            type Output = Self;

            fn $name(self, other: S) -> Self {
                Self::operation(Op::$Trait, &[self, other.into()])
            }
        }

        impl $Trait<Symbol> for f64 {
            type Output = Symbol;

            fn $name(self, other: Symbol) -> Symbol {
                Symbol::operation(Op::$Trait, &[self.into(), other])
            }
        }
    )*};
}
operators! { Add add; Sub sub; Mul mul; Div div; Rem rem; }

macro_rules! assignments {
    ($($Trait:ident $name:ident $symbol:tt;)*) => {$(
        impl<S: Into<Symbol>> $Trait<S> for Symbol {
            fn $name(&mut self, other: S) {
                *self = *self $symbol other.into();
            }
        }
    )*};
}
assignments! { AddAssign add_assign +; SubAssign sub_assign -; MulAssign mul_assign *; DivAssign div_assign /; }

impl Neg for Symbol {
    type Output = Self;

    fn neg(self) -> Self {
        Self::operation(Op::Neg, &[self])
    }
}

pub(crate) fn select(
    condition: impl Into<Symbol>,
    a: impl Into<Symbol>,
    b: impl Into<Symbol>,
) -> Symbol {
    Symbol::operation(Op::Select, &[condition.into(), a.into(), b.into()])
}

pub(crate) fn sum(terms: &[Symbol]) -> Symbol {
    Symbol::push(Step::Sum(places(terms)))
}

pub(crate) fn weighted_sum(weights: &[f64], terms: &[Symbol]) -> Symbol {
    Symbol::push(Step::WeightedSum(weights.to_vec(), places(terms)))
}

pub(crate) fn dot(a: &[Symbol], b: &[Symbol]) -> Symbol {
    Symbol::push(Step::Dot(places(a), places(b)))
}

pub(crate) fn norm(components: &[Symbol]) -> Symbol {
    Symbol::push(Step::Norm(places(components)))
}

pub(crate) fn log_sum_exp(terms: &[Symbol]) -> Symbol {
    Symbol::push(Step::LogSumExp(places(terms)))
}

pub(crate) fn own(operation: Own, x: &[Symbol], output: usize) -> Symbol {
    Symbol::push(Step::Own(operation, places(x), output))
}

pub(crate) fn stop_gradient(x: Symbol) -> Symbol {
    Symbol::push(Step::Stopped(x.0))
}
