//! Random functions with branches and loops, for the engines that retrace: which way a function goes is decided by
//! questions about its numbers.

use num_traits::{Float, ToPrimitive};
use proptest::prelude::*;
use tape::{Dual, Op, Real};

/// How many inputs a random function takes.
pub(crate) const INPUTS: usize = 3;

/// A question about two numbers, or about the first of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Question {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Order,
    IsNan,
    IsFinite,
    IsNegative,
    IsNormal,
    /// The integer part, where it is small.
    Integer,
}

impl Question {
    const ALL: [Self; 12] = [
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Equal,
        Self::NotEqual,
        Self::Order,
        Self::IsNan,
        Self::IsFinite,
        Self::IsNegative,
        Self::IsNormal,
        Self::Integer,
    ];

    fn ask<T: Float + ToPrimitive>(self, a: T, b: T) -> usize {
        match self {
            Self::Less => usize::from(a < b),
            Self::LessOrEqual => usize::from(a <= b),
            Self::Greater => usize::from(a > b),
            Self::GreaterOrEqual => usize::from(a >= b),
            Self::Equal => usize::from(a == b),
            Self::NotEqual => usize::from(a != b),
            Self::Order => a.partial_cmp(&b).map_or(0, |order| 1 + order as usize % 3),
            Self::IsNan => usize::from(a.is_nan()),
            Self::IsFinite => usize::from(a.is_finite()),
            // The sign of a computed NaN is the processor's own affair.
            Self::IsNegative => usize::from(!a.is_nan() && a.is_sign_negative()),
            Self::IsNormal => usize::from(a.is_normal()),
            Self::Integer => a.to_i64().map_or(0, |integer| integer.rem_euclid(3) as usize),
        }
    }
}

/// A part of a function. It works on a stack of numbers, the inputs first, and pushes one.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Compute(Op, [Place; 3]),
    /// Goes one of the ways, by the answer.
    Branch(Question, [Place; 2], Vec<Vec<Statement>>),
    /// Repeats the body on its last result, while the answer is not 0.
    Loop(Question, [Place; 2], Vec<Statement>),
    /// The square root of |x| + 0.1: the number of steps depends on it.
    Newton(Place),
}

/// A number this far below the top of the stack, or a constant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Back(usize),
    Constant(f64),
}

/// What a function is run on.
pub(crate) trait Machine {
    type Number: Copy;
    fn constant(&mut self, value: f64) -> Self::Number;
    fn apply(&mut self, op: Op, arguments: &[Self::Number]) -> Self::Number;
    fn ask(&mut self, question: Question, a: Self::Number, b: Self::Number) -> usize;
}

#[derive(Clone, Debug)]
pub(crate) struct Branching(pub(crate) Vec<Statement>);

impl Branching {
    /// The sum of all numbers.
    pub(crate) fn at<T: Real + Float>(&self, x: &[T]) -> T {
        T::sum(&self.run(&mut Plain(core::marker::PhantomData), x))
    }

    fn run<M: Machine>(&self, machine: &mut M, x: &[M::Number]) -> Vec<M::Number> {
        let mut stack = x.to_vec();
        run_all(&self.0, machine, &mut stack);
        stack
    }

    /// What the gradient's rounding errors are relative to: of each input, the sum of |contribution| over all ways to the
    /// result.
    pub(crate) fn scales(&self, x: &[f64]) -> [f64; INPUTS] {
        let unit = |i: usize| core::array::from_fn(|j| if i == j { 1.0 } else { 0.0 });
        let x: Vec<Sized> =
            x.iter().enumerate().map(|(i, &value)| Sized { value, sizes: unit(i) }).collect();
        let stack = self.run(&mut Sizes, &x);
        let sum = |i: usize| stack.iter().map(|number| number.sizes[i]).sum();
        core::array::from_fn(sum)
    }
}

fn run_all<M: Machine>(statements: &[Statement], machine: &mut M, stack: &mut Vec<M::Number>) {
    for statement in statements {
        let result = run(statement, machine, stack);
        stack.push(result);
    }
}

fn run<M: Machine>(statement: &Statement, machine: &mut M, stack: &[M::Number]) -> M::Number {
    match statement {
        Statement::Compute(op, places) => {
            let arguments: Vec<M::Number> = places[..op.arity().unwrap()]
                .iter()
                .map(|place| place.get(machine, stack))
                .collect();
            machine.apply(*op, &arguments)
        }
        Statement::Branch(question, [a, b], ways) => {
            let (a, b) = (a.get(machine, stack), b.get(machine, stack));
            let way = machine.ask(*question, a, b) % ways.len();
            within(&ways[way], machine, stack)
        }
        Statement::Loop(question, [start, limit], body) => {
            let (mut number, limit) = (start.get(machine, stack), limit.get(machine, stack));
            for _ in 0..6 {
                if machine.ask(*question, number, limit) == 0 {
                    break;
                }
                let mut stack = stack.to_vec();
                stack.push(number);
                number = within(body, machine, &stack);
            }
            number
        }
        Statement::Newton(place) => newton(*place, machine, stack),
    }
}

/// The last number that the statements push.
fn within<M: Machine>(statements: &[Statement], machine: &mut M, stack: &[M::Number]) -> M::Number {
    let mut stack = stack.to_vec();
    run_all(statements, machine, &mut stack);
    *stack.last().unwrap()
}

fn newton<M: Machine>(place: Place, machine: &mut M, stack: &[M::Number]) -> M::Number {
    let [half, tenth, tolerance] = [0.5, 0.1, 1e-9].map(|constant| machine.constant(constant));
    let number = place.get(machine, stack);
    let magnitude = machine.apply(Op::Abs, &[number]);
    let number = machine.apply(Op::Add, &[magnitude, tenth]);
    let tolerance = machine.apply(Op::Mul, &[tolerance, number]);
    let mut root = number;
    for _ in 0..40 {
        let square = machine.apply(Op::Mul, &[root, root]);
        let residual = machine.apply(Op::Sub, &[square, number]);
        let residual = machine.apply(Op::Abs, &[residual]);
        if machine.ask(Question::Greater, residual, tolerance) == 0 {
            break;
        }
        let quotient = machine.apply(Op::Div, &[number, root]);
        let sum = machine.apply(Op::Add, &[root, quotient]);
        root = machine.apply(Op::Mul, &[half, sum]);
    }
    root
}

impl Place {
    fn get<M: Machine>(self, machine: &mut M, stack: &[M::Number]) -> M::Number {
        match self {
            Self::Back(back) => stack[stack.len() - 1 - back % stack.len()],
            Self::Constant(constant) => machine.constant(constant),
        }
    }
}

/// Numbers, variables or duals.
struct Plain<T>(core::marker::PhantomData<T>);

impl<T: Real + Float> Machine for Plain<T> {
    type Number = T;

    fn constant(&mut self, value: f64) -> T {
        <T as Real>::from_f64(value)
    }

    fn apply(&mut self, op: Op, arguments: &[T]) -> T {
        op.apply(arguments)
    }

    fn ask(&mut self, question: Question, a: T, b: T) -> usize {
        question.ask(a, b)
    }
}

/// A number, and the sum of |contribution| of each input to it.
#[derive(Clone, Copy)]
struct Sized {
    value: f64,
    sizes: [f64; INPUTS],
}

struct Sizes;

impl Machine for Sizes {
    type Number = Sized;

    fn constant(&mut self, value: f64) -> Sized {
        Sized { value, sizes: [0.0; INPUTS] }
    }

    fn apply(&mut self, op: Op, arguments: &[Sized]) -> Sized {
        let mut sizes = [0.0; INPUTS];
        for (j, argument) in arguments.iter().enumerate() {
            if argument.sizes == [0.0; INPUTS] {
                continue;
            }
            let duals = arguments
                .iter()
                .enumerate()
                .map(|(k, argument)| Dual::new(argument.value, if j == k { 1.0 } else { 0.0 }));
            let partial = op.apply(&duals.collect::<Vec<Dual>>()).tangent.abs();
            // A dead branch contributes nothing, whatever is in it.
            if partial != 0.0 {
                (0..INPUTS).for_each(|i| sizes[i] += partial * argument.sizes[i]);
            }
        }
        let values: Vec<f64> = arguments.iter().map(|argument| argument.value).collect();
        Sized { value: op.apply(&values), sizes }
    }

    fn ask(&mut self, question: Question, a: Sized, b: Sized) -> usize {
        question.ask(a.value, b.value)
    }
}

/// Operations that every engine computes to the bit.
pub(crate) const EXACT: [Op; 16] = [
    Op::Add,
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Mul,
    Op::Div,
    Op::Neg,
    Op::Recip,
    Op::Abs,
    Op::Sqrt,
    Op::Max,
    Op::Min,
    Op::Relu,
    Op::Floor,
    Op::Select,
    Op::Hypot,
];

const SMOOTH: [Op; 9] =
    [Op::Sin, Op::Cos, Op::Exp, Op::Ln, Op::Tanh, Op::Atan2, Op::Ln1p, Op::Sigmoid, Op::LogAddExp];

/// Random functions of up to this many statements on the outermost level.
pub(crate) fn branching(statements: usize, is_exact: bool) -> impl Strategy<Value = Branching> {
    // A hypotenuse of a vector function is another one.
    let exact = EXACT.iter().copied().filter(move |&op| !is_exact || op != Op::Hypot);
    let ops = exact.chain(SMOOTH.into_iter().filter(move |_| !is_exact));
    let compute =
        (proptest::sample::select(ops.collect::<Vec<_>>()), prop::array::uniform3(place()))
            .prop_map(|(op, places)| Statement::Compute(op, places))
            .boxed();
    let leaf = prop_oneof![8 => compute.clone(), 1 => place().prop_map(Statement::Newton)].boxed();
    let inner = statement(leaf.clone(), leaf.clone());
    let outer = statement(inner, leaf);
    prop::collection::vec(outer, 1..statements).prop_map(Branching)
}

fn statement(
    inner: BoxedStrategy<Statement>,
    leaf: BoxedStrategy<Statement>,
) -> BoxedStrategy<Statement> {
    let question = proptest::sample::select(Question::ALL.to_vec());
    let operands = (place(), place()).prop_map(|(a, b)| [a, b]);
    let body = prop::collection::vec(inner, 1..4).boxed();
    let ways = prop::collection::vec(body.clone(), 2..4);
    prop_oneof![
        4 => leaf,
        3 => (question.clone(), operands.clone(), ways)
            .prop_map(|(question, operands, ways)| Statement::Branch(question, operands, ways)),
        1 => (question, operands, body)
            .prop_map(|(question, operands, body)| Statement::Loop(question, operands, body)),
    ]
    .boxed()
}

fn place() -> impl Strategy<Value = Place> + Clone {
    prop_oneof![
        6 => (0_usize..8).prop_map(Place::Back),
        1 => (-3.0..3.0).prop_map(Place::Constant),
        1 => proptest::sample::select(vec![0.0, 1.0, -0.0]).prop_map(Place::Constant),
    ]
}

/// Inputs on which functions are regular, and now and then one on which they are not.
pub(crate) fn point() -> impl Strategy<Value = [f64; INPUTS]> {
    let special = [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-310, 1e200];
    prop::array::uniform3(prop_oneof![
        8 => -3.0..3.0,
        1 => proptest::sample::select(special.to_vec()),
    ])
}
