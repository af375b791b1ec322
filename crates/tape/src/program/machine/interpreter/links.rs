//! Links: steps of one instance, one after the other, with an accumulator between them.
#![allow(
    unsafe_code,
    reason = "a link reads and writes up to five slots for one or two operations: to check each would cost a fifth of a replay"
)]

use core::cell::Cell;

use super::Machine;
use crate::instructions::{Work, dispatch};
use crate::op::Op;
use crate::partial;
use crate::program::code::NONE;
use crate::program::code::links::{Forward, LinkRange, Reverse, ReverseLink};
use crate::program::machine::element::Element;
use crate::real::Real;

/// Links by themselves: beside the loops of steps, in one function, either would get worse code.
struct Compute<'m, 'a, E: Element>(&'m Machine<'a, E>, &'m LinkRange);

impl<E: Element> Work for Compute<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.compute_each(self.1);
    }
}

struct Propagate<'m, 'a, E: Element>(&'m Machine<'a, E>, &'m LinkRange);

impl<E: Element> Work for Propagate<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.propagate_each(self.1);
    }
}

/// As many slots as links take for granted.
#[derive(Clone, Copy)]
struct Slots<'a, E>(&'a [Cell<E>]);

impl<'a, E> Slots<'a, E> {
    /// # Panics
    /// When there are fewer.
    fn new(slots: &'a [Cell<E>], count: usize) -> Self {
        assert!(slots.len() >= count, "fewer slots than the code has");
        Self(slots)
    }

    /// # Safety
    /// The slot is one that a link names.
    #[inline(always)]
    unsafe fn at(self, slot: u32) -> &'a Cell<E> {
        // SAFETY: `Links` holds no link that names a slot beyond those that it counts, and there are so many.
        unsafe { self.0.get_unchecked(slot as usize) }
    }
}

impl<E: Element> Machine<'_, E> {
    #[inline(always)]
    pub(super) fn compute_links(&self, range: &LinkRange) {
        dispatch(Compute(self, range));
    }

    /// As [`Machine::propagate`].
    #[inline(always)]
    pub(super) fn propagate_links(&self, range: &LinkRange) {
        dispatch(Propagate(self, range));
    }

    #[inline(always)]
    fn compute_each(&self, range: &LinkRange) {
        let values = Slots::new(self.values, self.code.links.slots()[0]);
        let mut a = E::ZERO;
        for link in self.code.links.forward(range) {
            // SAFETY: only slots of the link are read.
            let of = |slot: u32| unsafe { values.at(slot) }.get();
            let x = || of(link.x);
            let y = || of(link.y);
            let z = || of(link.z);
            let t = || of(link.t);
            a = match link.kind {
                Forward::Load => x(),
                Forward::Negated => -x(),
                Forward::Sum => x() + y(),
                Forward::Difference => x() - y(),
                Forward::Product => x() * y(),
                Forward::Quotient => x() / y(),
                Forward::SumWithProduct => x() + y() * z(),
                Forward::SumOfProducts => x() * y() + z() * t(),
                Forward::Negate => -a,
                Forward::Plus => a + x(),
                Forward::Minus => a - x(),
                Forward::From => x() - a,
                Forward::Times => a * x(),
                Forward::Over => a / x(),
                Forward::Under => x() / a,
                Forward::Square => a * a,
                Forward::TimesPlus => a * x() + y(),
                Forward::PlusProduct => a + x() * y(),
                Forward::PlusProducts => a + x() * y() + z() * t(),
                Forward::ProductMinus => x() * y() - a,
                Forward::Exp => x().map_1(f64::exp, partial::exp::of_0),
                Forward::Ln => x().map_1(f64::ln, partial::ln::of_0),
                Forward::Sqrt => x().map_1(f64::sqrt, partial::sqrt::of_0),
                Forward::Recip => x().map_1(f64::recip, partial::recip::of_0),
                Forward::Sin => x().map_1(f64::sin, partial::sin::of_0),
                Forward::Cos => x().map_1(f64::cos, partial::cos::of_0),
                Forward::SinAfterCos => {
                    let [sin, cos] = x().sin_cos();
                    // SAFETY: a slot of the link.
                    unsafe { values.at(link.y) }.set(cos);
                    sin
                }
                Forward::CosAfterSin => {
                    let [sin, cos] = x().sin_cos();
                    // SAFETY: as above.
                    unsafe { values.at(link.y) }.set(sin);
                    cos
                }
                Forward::Relu => x().map_1(Real::relu, partial::relu::of_0),
                Forward::Call => self.call(link.op, link.x, link.y),
                Forward::Step => {
                    self.compute_alone(&link.as_step());
                    of(link.value)
                }
            };
            // SAFETY: a slot of the link.
            unsafe { values.at(link.value) }.set(a);
        }
    }

    #[inline(never)]
    fn call(&self, op: Op, first: u32, arity: u32) -> E {
        let columns = &self.code.columns[first as usize..][..arity as usize];
        E::evaluate(op, columns.len(), |position| self.single(&columns[position]))
    }

    #[inline(always)]
    fn propagate_each(&self, range: &LinkRange) {
        let links = &self.code.links;
        let values = Slots::new(self.values, links.slots()[0]);
        let adjoints = Slots::new(self.adjoints, links.slots()[1]);
        let one = E::from_f64(1.0);
        let mut w = E::ZERO;
        for link in links.reverse(range).iter().rev() {
            // SAFETY: here and below, only slots of the link are read and written.
            let of = |slot: u32| unsafe { values.at(slot) }.get();
            let x = || of(link.x);
            let y = || of(link.y);
            let add = |slot: u32, contribution: E| {
                // SAFETY: as above.
                let adjoint = unsafe { adjoints.at(slot) };
                adjoint.set(adjoint.get() + contribution);
            };
            let partner = |function: fn(f64) -> f64, partial: fn(f64, f64) -> f64| {
                if link.y == NONE { x().map_1(function, partial) } else { y() }
            };
            let p = |contribution: E| add(link.to[0], contribution);
            let q = |contribution: E| add(link.to[1], contribution);
            if link.takes {
                // SAFETY: as above.
                w = unsafe { adjoints.at(link.taken) }.replace(E::ZERO);
            }
            match link.kind {
                Reverse::Pass => {}
                Reverse::Give => p(w),
                Reverse::GiveNegated => p(-w),
                Reverse::GiveProduct => p(w * x()),
                Reverse::GiveTwice => {
                    p(w);
                    q(w);
                }
                Reverse::GiveDifference => {
                    p(w);
                    q(-w);
                }
                Reverse::GiveSumWithProduct => {
                    p(w);
                    q(w * x());
                }
                Reverse::GiveProducts => {
                    p(w * x());
                    q(w * y());
                }
                Reverse::Negate => w = -w,
                Reverse::Times => w = w * x(),
                Reverse::GiveNegate => {
                    p(w);
                    w = -w;
                }
                Reverse::GiveProductTimes => {
                    p(w * y());
                    w = w * x();
                }
                Reverse::GiveProductsNegate => {
                    p(w * x());
                    q(w * y());
                    w = -w;
                }
                Reverse::Square => {
                    let product = w * x();
                    w = product + product;
                }
                Reverse::Over => w = w * (one / x()),
                Reverse::Under => w = w * (-y() / x()),
                Reverse::GiveOver => p(w * (one / x())),
                Reverse::GiveUnder => p(w * (-y() / x())),
                Reverse::GiveQuotient => {
                    let x = x();
                    p(w * (one / x));
                    q(w * (-y() / x));
                }
                Reverse::GiveUnderOver => {
                    let x = x();
                    p(w * (-y() / x));
                    w = w * (one / x);
                }
                Reverse::GiveOverUnder => {
                    let x = x();
                    p(w * (one / x));
                    w = w * (-y() / x);
                }
                Reverse::Sqrt => w = w * (E::from_f64(0.5) / x()),
                Reverse::Recip => {
                    let x = x();
                    w = -(w * x) * x;
                }
                Reverse::Sin => w = w * partner(f64::cos, partial::cos::of_0),
                Reverse::Cos => w = w * -partner(f64::sin, partial::sin::of_0),
                Reverse::Relu => {
                    let x = x().value();
                    w = w * E::from_f64(partial::relu::of_0(x, x));
                }
                Reverse::Call => self.propagate_call(link, w),
                Reverse::Step => {
                    // SAFETY: as above.
                    unsafe { adjoints.at(link.taken) }.set(w);
                    self.propagate_alone(&link.as_step());
                }
            }
        }
    }

    #[inline(never)]
    fn propagate_call(&self, link: &ReverseLink, w: E) {
        let columns = &self.code.columns[link.x as usize..][..link.y as usize];
        let value = self.values[link.z as usize].get();
        let argument = |position: usize| self.single(&columns[position]);
        let partials = E::partials(link.op, columns.len(), argument, value);
        for (column, partial) in columns.iter().zip(partials) {
            if column.adjoint != NONE {
                let adjoint = &self.adjoints[column.adjoint as usize];
                adjoint.set(adjoint.get() + w * partial);
            }
        }
    }
}
