//! Steps of one instance in a row are run as links: an accumulator hands a result to the operation that follows it, where that
//! uses it; and in the reverse sweep, the adjoint back.

use core::ops::Range;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::op::Op;
use crate::program::code::schedule::reads;
use crate::program::code::{NONE, Single, Step};

/// The links of a code. Every slot that they name is among those of the code: the machine relies on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    forward: Vec<ForwardLink>,
    /// In the order of the forward sweep.
    reverse: Vec<ReverseLink>,
    values: usize,
    adjoints: usize,
}

/// Where the links of steps that follow each other are.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkRange {
    forward: Range<usize>,
    reverse: Range<usize>,
}

impl Links {
    pub(crate) fn forward(&self, range: &LinkRange) -> &[ForwardLink] {
        &self.forward[range.forward.clone()]
    }

    /// To be run from the last one to the first.
    pub(crate) fn reverse(&self, range: &LinkRange) -> &[ReverseLink] {
        &self.reverse[range.reverse.clone()]
    }

    /// How many slots for values and for adjoints the links take for granted.
    pub(crate) fn slots(&self) -> [usize; 2] {
        [self.values, self.adjoints]
    }

    /// # Panics
    /// When a link names a slot that there is not.
    fn check(&self) {
        let is_value = |slot: u32| (slot as usize) < self.values;
        let is_adjoint = |slot: u32| (slot as usize) < self.adjoints;
        let is_right = self.forward.iter().all(|link| {
            let slots = [link.x, link.y, link.z, link.t];
            let is_by_columns = matches!(link.kind, Forward::Call | Forward::Step);
            is_value(link.value) && (is_by_columns || slots.into_iter().all(is_value))
        }) && self.reverse.iter().all(|link| {
            let reads = match link.kind {
                Reverse::Call | Reverse::Step => [link.z; 3],
                // Where there is no partner, none is read.
                Reverse::Sin | Reverse::Cos if link.y == NONE => [link.x, link.x, link.z],
                _ => [link.x, link.y, link.z],
            };
            let [p, q] = link.to;
            reads.into_iter().all(is_value) && [link.taken, p, q].into_iter().all(is_adjoint)
        });
        assert!(is_right, "a link's slot is none of the code's");
    }
}

/// Writes links.
#[derive(Default)]
pub(super) struct LinkWriter {
    forward: Vec<ForwardLink>,
    reverse: Vec<ReverseLink>,
}

impl LinkWriter {
    /// Makes room for the links of so many steps: most have one in each direction.
    pub(super) fn reserve(&mut self, singles: usize) {
        self.forward.reserve_exact(singles + singles / 4);
        self.reverse.reserve_exact(singles + singles / 4);
    }

    /// Where the next links will begin.
    pub(super) fn place(&self) -> LinkRange {
        let (forward, reverse) = (self.forward.len(), self.reverse.len());
        LinkRange { forward: forward..forward, reverse: reverse..reverse }
    }

    /// Appends the links of a step to those of a range, which are the last ones so far.
    pub(super) fn push(&mut self, single: &Single, operands: &[Operand], range: &mut LinkRange) {
        let terms = terms(single.op, operands);
        let before = self.forward[range.forward.start..].last_mut();
        match before.and_then(|before| Some((before.with_partner(single, operands)?, before))) {
            Some((both, before)) => *before = both,
            None => push_forward(&mut self.forward, single, operands, terms.as_deref()),
        }
        if single.adjoint != NONE {
            push_reverse(&mut self.reverse, single, operands, terms.as_deref());
        }
        range.forward.end = self.forward.len();
        range.reverse.end = self.reverse.len();
    }

    /// The links, for a code of so many slots.
    pub(super) fn finish(mut self, values: usize, adjoints: usize) -> Links {
        self.pair_sines();
        self.forward.shrink_to_fit();
        self.reverse.shrink_to_fit();
        let links = Links { forward: self.forward, reverse: self.reverse, values, adjoints };
        links.check();
        links
    }

    /// Of a sine and a cosine of one number, each is the other's partial, up to a sign: the slots of both, and of the number,
    /// are kept to the end where they are active.
    fn pair_sines(&mut self) {
        let of = |kind: Reverse| {
            let links = self.reverse.iter().filter(move |link| link.kind == kind);
            links.map(|link| (link.x, link.z)).collect()
        };
        let [sines, cosines]: [FxHashMap<u32, u32>; 2] = [of(Reverse::Sin), of(Reverse::Cos)];
        for link in &mut self.reverse {
            let partners = match link.kind {
                Reverse::Sin => &cosines,
                Reverse::Cos => &sines,
                _ => continue,
            };
            link.y = partners.get(&link.x).copied().unwrap_or(NONE);
        }
    }
}

/// What a step of one instance, or a part of it, is in the forward sweep of a machine with an accumulator: the number that it
/// makes stays in the accumulator, and is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardLink {
    pub(crate) kind: Forward,
    /// Of a call or a step, the operation.
    pub(crate) op: Op,
    /// The slot of the result.
    pub(crate) value: u32,
    /// The slots that it reads, as many as its kind has letters.
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) z: u32,
    pub(crate) t: u32,
}

impl ForwardLink {
    /// This link and that of a step after it in one, of a sine and a cosine of one number.
    fn with_partner(&self, single: &Single, operands: &[Operand]) -> Option<Self> {
        let kind = match (self.kind, single.op) {
            (Forward::Cos, Op::Sin) => Forward::SinAfterCos,
            (Forward::Sin, Op::Cos) => Forward::CosAfterSin,
            _ => return None,
        };
        let is_of_one = operands[0].value == self.x;
        is_of_one.then_some(Self {
            kind,
            op: single.op,
            value: single.value,
            y: self.value,
            ..*self
        })
    }

    pub(crate) fn as_step(&self) -> Step {
        let Self { op, value, x: first, y: arity, .. } = *self;
        Single { op, arity, value, adjoint: NONE, first }.as_step()
    }
}

/// What a forward link makes of the values in its slots, and of the number in the accumulator: a.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// x
    Load,
    /// −x
    Negated,
    /// x + y
    Sum,
    /// x − y
    Difference,
    /// x·y
    Product,
    /// x/y
    Quotient,
    /// x + y·z
    SumWithProduct,
    /// x·y + z·t
    SumOfProducts,
    /// −a
    Negate,
    /// a + x
    Plus,
    /// a − x
    Minus,
    /// x − a
    From,
    /// a·x
    Times,
    /// a/x
    Over,
    /// x/a
    Under,
    /// a·a
    Square,
    /// a·x + y
    TimesPlus,
    /// a + x·y
    PlusProduct,
    /// a + x·y + z·t
    PlusProducts,
    /// x·y − a
    ProductMinus,
    /// exp x, and so on
    Exp,
    Ln,
    Sqrt,
    Recip,
    Sin,
    Cos,
    /// The sine of x. Before it, the cosine of x is stored in y.
    SinAfterCos,
    /// The same the other way round.
    CosAfterSin,
    Relu,
    /// A function of y operands, whose columns begin at x.
    Call,
    /// An operation on a slice of y operands, whose columns begin at x: as any other step
    Step,
}

/// The same in the reverse sweep, whose accumulator holds an adjoint: w.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReverseLink {
    pub(crate) kind: Reverse,
    /// Of a call or a step, the operation.
    pub(crate) op: Op,
    /// Whether w is first taken from a slot: the adjoint of the result.
    pub(crate) takes: bool,
    /// That slot, of the link of a step that runs first.
    pub(crate) taken: u32,
    /// The slots of the adjoints that it adds to.
    pub(crate) to: [u32; 2],
    /// The slots of the values that it reads.
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) z: u32,
}

impl ReverseLink {
    pub(crate) fn as_step(&self) -> Step {
        let Self { op, z: value, taken: adjoint, x: first, y: arity, .. } = *self;
        Single { op, arity, value, adjoint, first }.as_step()
    }
}

/// What a reverse link adds to the two adjoints, p and q, and what it leaves in the accumulator (where nothing is said, w
/// stays).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reverse {
    /// Nothing: w is taken
    Pass,
    /// p += w
    Give,
    /// p −= w
    GiveNegated,
    /// p += w·x
    GiveProduct,
    /// p += w, q += w
    GiveTwice,
    /// p += w, q −= w
    GiveDifference,
    /// p += w, q += w·x
    GiveSumWithProduct,
    /// p += w·x, q += w·y
    GiveProducts,
    /// −w stays
    Negate,
    /// w·x stays
    Times,
    /// p += w, −w stays
    GiveNegate,
    /// p += w·y, w·x stays
    GiveProductTimes,
    /// p += w·x, q += w·y, −w stays
    GiveProductsNegate,
    /// 2·w·x stays
    Square,
    /// w/x stays
    Over,
    /// −w·y/x stays
    Under,
    /// p += w/x
    GiveOver,
    /// p −= w·y/x
    GiveUnder,
    /// p += w/x, q −= w·y/x
    GiveQuotient,
    /// p −= w·y/x, w/x stays
    GiveUnderOver,
    /// p += w/x, −w·y/x stays
    GiveOverUnder,
    /// w times the partial of the square root, of the result x, stays
    Sqrt,
    /// The same of 1/x, of the result x
    Recip,
    /// The same of the sine of x, whose cosine is in y, unless that is [`NONE`]
    Sin,
    /// The same of the cosine of x, whose sine is in y, unless that is [`NONE`]
    Cos,
    /// The same of relu, of the argument x
    Relu,
    /// To the y operands of a function, whose columns begin at x, and whose result is in z
    Call,
    /// To the y operands of an operation on a slice, whose columns begin at x, and whose result is in z: as any other step
    Step,
}

/// An operand of a step of one instance.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) value: u32,
    /// Or [`NONE`].
    pub(super) adjoint: u32,
    /// The number that it is, where it is a constant.
    pub(super) constant: Option<f64>,
    /// Whether it is the result of the step before, and nothing else needs its adjoint.
    pub(super) is_at_hand: bool,
}

/// A sum of more operands than this is no links, but a step.
const LONG: usize = 12;

/// Whether the operand at a position can come from the accumulator.
pub(super) fn takes_at_hand(op: Op, arity: usize, position: usize) -> bool {
    match op {
        // The order of the first two terms changes no bit.
        Op::Sum => position < 2 && arity <= LONG,
        Op::Dot => position < 4 - arity % 2 && arity <= LONG,
        Op::Neg | Op::Add | Op::Sub | Op::Mul | Op::Div => true,
        op => function(op).is_some(),
    }
}

/// The functions that have links of their own. In reverse they read their result, or else their operand.
fn function(op: Op) -> Option<(Forward, Reverse)> {
    let links = match op {
        Op::Exp => (Forward::Exp, Reverse::Times),
        Op::Ln => (Forward::Ln, Reverse::Over),
        Op::Sqrt => (Forward::Sqrt, Reverse::Sqrt),
        Op::Recip => (Forward::Recip, Reverse::Recip),
        Op::Sin => (Forward::Sin, Reverse::Sin),
        Op::Cos => (Forward::Cos, Reverse::Cos),
        Op::Relu => (Forward::Relu, Reverse::Relu),
        _ => return None,
    };
    Some(links)
}

/// What runs any other operation.
fn by_columns(op: Op) -> (Forward, Reverse) {
    match op {
        Op::Sum | Op::Dot | Op::Norm | Op::Largest | Op::Weight => (Forward::Step, Reverse::Step),
        _ => (Forward::Call, Reverse::Call),
    }
}

/// A term of a sum.
#[derive(Clone, Copy)]
enum Term {
    Number(Operand),
    Negated(Operand),
    Product(Operand, Operand),
}

impl Term {
    /// A factor of ±1 is a sign; of two factors, the one at hand comes first.
    fn product(x: Operand, y: Operand) -> Self {
        match (x.constant, y.constant) {
            (Some(1.0), _) => Self::Number(y),
            (_, Some(1.0)) => Self::Number(x),
            (Some(-1.0), _) => Self::Negated(y),
            (_, Some(-1.0)) => Self::Negated(x),
            _ if y.is_at_hand => Self::Product(y, x),
            _ => Self::Product(x, y),
        }
    }

    fn is_at_hand(self) -> bool {
        let (Self::Number(x) | Self::Negated(x) | Self::Product(x, _)) = self;
        x.is_at_hand
    }
}

/// The terms of a step that is a sum, the one at hand first.
fn terms(op: Op, operands: &[Operand]) -> Option<SmallVec<[Term; 3]>> {
    if operands.len() > LONG {
        return None;
    }
    let mut terms: SmallVec<[Term; 3]> = SmallVec::new();
    match (op, operands) {
        (Op::Neg, &[x]) => terms.push(Term::Negated(x)),
        (Op::Sub, &[x, y]) => terms.extend([Term::Number(x), Term::Negated(y)]),
        (Op::Mul, &[x, y]) if x.is_at_hand && y.is_at_hand => return None,
        (Op::Mul, &[x, y]) => terms.push(Term::Product(x, y)),
        (Op::Add | Op::Sum, _) => terms.extend(operands.iter().copied().map(Term::Number)),
        (Op::Dot, _) => {
            let (start, pairs) = operands.split_at(operands.len() % 2);
            terms.extend(start.iter().copied().map(Term::Number));
            terms.extend(pairs.chunks_exact(2).map(|pair| Term::product(pair[0], pair[1])));
        }
        _ => return None,
    }
    if let Some(Term::Product(x, y)) = terms.first_mut()
        && y.is_at_hand
    {
        core::mem::swap(x, y);
    }
    if terms.get(1).is_some_and(|term| term.is_at_hand()) {
        terms.swap(0, 1);
    }
    Some(terms)
}

fn push_forward(
    links: &mut Vec<ForwardLink>,
    single: &Single,
    operands: &[Operand],
    terms: Option<&[Term]>,
) {
    let link = |kind: Forward, slots: &[Operand]| {
        let slot = |position: usize| slots.get(position).map_or(0, |operand| operand.value);
        let [x, y, z, t] = [slot(0), slot(1), slot(2), slot(3)];
        ForwardLink { kind, op: single.op, value: single.value, x, y, z, t }
    };
    if let Some(terms) = terms {
        return push_sum(terms, |kind, slots| links.push(link(kind, slots)));
    }
    links.push(match (single.op, operands) {
        (Op::Mul, &[x, y]) => link(Forward::Square, &[x, y]),
        (Op::Div, &[x, y]) if x.is_at_hand => link(Forward::Over, &[y]),
        (Op::Div, &[x, y]) if y.is_at_hand => link(Forward::Under, &[x]),
        (Op::Div, _) => link(Forward::Quotient, operands),
        (op, _) => match function(op) {
            Some((kind, _)) => link(kind, operands),
            None => ForwardLink { x: single.first, y: single.arity, ..link(by_columns(op).0, &[]) },
        },
    });
}

/// The links of a sum: as few as there are kinds for.
fn push_sum(terms: &[Term], mut push: impl FnMut(Forward, &[Operand])) {
    use Term::{Negated, Number, Product};
    let mut rest = match *terms {
        [Number(a), ref rest @ ..] if a.is_at_hand && !rest.is_empty() => rest,
        [Negated(a), Number(x), ref rest @ ..] if a.is_at_hand => {
            push(Forward::From, &[x]);
            rest
        }
        [Negated(a), Product(x, y), ref rest @ ..] if a.is_at_hand => {
            push(Forward::ProductMinus, &[x, y]);
            rest
        }
        [Negated(a), ref rest @ ..] if a.is_at_hand => {
            push(Forward::Negate, &[]);
            rest
        }
        [Product(a, x), Number(y), ref rest @ ..] if a.is_at_hand => {
            push(Forward::TimesPlus, &[x, y]);
            rest
        }
        [Product(a, x), ref rest @ ..] if a.is_at_hand => {
            push(Forward::Times, &[x]);
            rest
        }
        [Number(x), Number(y), ref rest @ ..] => {
            push(Forward::Sum, &[x, y]);
            rest
        }
        [Number(x), Negated(y), ref rest @ ..] | [Negated(y), Number(x), ref rest @ ..] => {
            push(Forward::Difference, &[x, y]);
            rest
        }
        [Number(x), Product(y, z), ref rest @ ..] | [Product(y, z), Number(x), ref rest @ ..] => {
            push(Forward::SumWithProduct, &[x, y, z]);
            rest
        }
        [Product(x, y), Product(z, t), ref rest @ ..] => {
            push(Forward::SumOfProducts, &[x, y, z, t]);
            rest
        }
        [Number(x), ref rest @ ..] => {
            push(Forward::Load, &[x]);
            rest
        }
        [Negated(x), ref rest @ ..] => {
            push(Forward::Negated, &[x]);
            rest
        }
        [Product(x, y), ref rest @ ..] => {
            push(Forward::Product, &[x, y]);
            rest
        }
        [] => &[],
    };
    while let [term, others @ ..] = rest {
        rest = others;
        match *term {
            Number(x) => push(Forward::Plus, &[x]),
            Negated(x) => push(Forward::Minus, &[x]),
            Product(x, y) => match *others {
                [Product(z, t), ref others @ ..] => {
                    push(Forward::PlusProducts, &[x, y, z, t]);
                    rest = others;
                }
                _ => push(Forward::PlusProduct, &[x, y]),
            },
        }
    }
}

/// What goes to an operand: the adjoint w, −w, or w times the value of a slot.
#[derive(Clone, Copy)]
enum Share {
    Plain,
    Negated,
    Times(u32),
}

/// The reverse links of a step that is a sum, in the making.
#[derive(Default)]
struct Shares {
    /// What goes to adjoints.
    given: SmallVec<[(u32, Share); 4]>,
    /// What stays in the accumulator, if anything is to.
    kept: Option<Share>,
}

impl Shares {
    fn of(terms: &[Term]) -> Self {
        let mut shares = Self::default();
        for term in terms {
            match *term {
                Term::Number(x) => shares.add(x, Share::Plain),
                Term::Negated(x) => shares.add(x, Share::Negated),
                Term::Product(x, y) => {
                    shares.add(x, Share::Times(y.value));
                    shares.add(y, Share::Times(x.value));
                }
            }
        }
        // The plain ones first, so that they meet.
        shares.given.sort_by_key(|(_, share)| match share {
            Share::Plain => 0,
            Share::Negated => 1,
            Share::Times(_) => 2,
        });
        shares
    }

    fn add(&mut self, operand: Operand, share: Share) {
        if operand.adjoint == NONE {
            return;
        }
        if operand.is_at_hand {
            self.kept = Some(share);
        } else {
            self.given.push((operand.adjoint, share));
        }
    }

    /// The links in the order in which they run.
    fn push(&self, mut push: impl FnMut(Reverse, [u32; 2], [u32; 2])) {
        use Share::{Negated, Plain, Times};
        let mut given = &*self.given;
        loop {
            given = match (given, self.kept) {
                ([(p, Plain)], Some(Negated)) => return push(Reverse::GiveNegate, [*p; 2], [0; 2]),
                ([(p, Times(y))], Some(Times(x))) => {
                    return push(Reverse::GiveProductTimes, [*p; 2], [x, *y]);
                }
                ([(p, Times(x)), (q, Times(y))], Some(Negated)) => {
                    return push(Reverse::GiveProductsNegate, [*p, *q], [*x, *y]);
                }
                ([(p, Plain), (q, Plain), rest @ ..], _) => {
                    push(Reverse::GiveTwice, [*p, *q], [0; 2]);
                    rest
                }
                ([(p, Plain), (q, Negated), rest @ ..], _) => {
                    push(Reverse::GiveDifference, [*p, *q], [0; 2]);
                    rest
                }
                ([(p, Plain), (q, Times(x)), rest @ ..], _) => {
                    push(Reverse::GiveSumWithProduct, [*p, *q], [*x; 2]);
                    rest
                }
                ([(p, Times(x)), (q, Times(y)), rest @ ..], _) => {
                    push(Reverse::GiveProducts, [*p, *q], [*x, *y]);
                    rest
                }
                ([(p, Plain), rest @ ..], _) => {
                    push(Reverse::Give, [*p; 2], [0; 2]);
                    rest
                }
                ([(p, Negated), rest @ ..], _) => {
                    push(Reverse::GiveNegated, [*p; 2], [0; 2]);
                    rest
                }
                ([(p, Times(x)), rest @ ..], _) => {
                    push(Reverse::GiveProduct, [*p; 2], [*x; 2]);
                    rest
                }
                ([], Some(Times(x))) => return push(Reverse::Times, [0; 2], [x; 2]),
                ([], Some(Negated)) => return push(Reverse::Negate, [0; 2], [0; 2]),
                ([], Some(Plain) | None) => return,
            };
        }
    }
}

/// Appends the reverse links of a step that needs an adjoint, the last one to run first.
fn push_reverse(
    links: &mut Vec<ReverseLink>,
    single: &Single,
    operands: &[Operand],
    terms: Option<&[Term]>,
) {
    let link = |kind: Reverse, to: [u32; 2], [x, y]: [u32; 2]| ReverseLink {
        kind,
        op: single.op,
        takes: false,
        taken: 0,
        to,
        x,
        y,
        z: single.value,
    };
    let is_kept = operands.iter().any(|operand| operand.is_at_hand);
    if is_kept && let Some(last) = links.last_mut() {
        // (The first link of a step to run is the last one in the list.)
        last.takes = false;
        if last.kind == Reverse::Pass {
            links.pop();
        }
    }
    let before = links.len();
    if let Some(terms) = terms {
        Shares::of(terms).push(|kind, to, slots| links.push(link(kind, to, slots)));
    } else if let (Some((_, kind)), &[x]) = (function(single.op), operands) {
        let slot = if reads(single.op).operands { x.value } else { single.value };
        links.push(link(kind, [0; 2], [slot; 2]));
        if !x.is_at_hand {
            links.push(link(Reverse::Give, [x.adjoint; 2], [0; 2]));
        }
    } else {
        links.push(match (single.op, operands) {
            (Op::Mul, &[x, _]) => link(Reverse::Square, [0; 2], [x.value; 2]),
            (Op::Div, &[x, y]) => {
                let (kind, to) = shares_of_quotient(x, y);
                link(kind, to, [y.value, single.value])
            }
            (op, _) => link(by_columns(op).1, [0; 2], [single.first, single.arity]),
        });
    }
    if links.len() == before {
        links.push(link(Reverse::Pass, [0; 2], [0; 2]));
    }
    links[before..].reverse();
    if let Some(first) = links[before..].last_mut() {
        first.takes = true;
        first.taken = single.adjoint;
    }
}

/// What goes to the operands of x/y, and to which adjoints.
fn shares_of_quotient(x: Operand, y: Operand) -> (Reverse, [u32; 2]) {
    let (p, q) = (x.adjoint, y.adjoint);
    match (p != NONE, q != NONE) {
        (true, true) if x.is_at_hand => (Reverse::GiveUnderOver, [q; 2]),
        (true, true) if y.is_at_hand => (Reverse::GiveOverUnder, [p; 2]),
        (true, true) => (Reverse::GiveQuotient, [p, q]),
        (true, false) if x.is_at_hand => (Reverse::Over, [0; 2]),
        (true, false) => (Reverse::GiveOver, [p; 2]),
        (false, _) if y.is_at_hand => (Reverse::Under, [0; 2]),
        (false, _) => (Reverse::GiveUnder, [q; 2]),
    }
}
