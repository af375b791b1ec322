//! Transcendental functions over slices, compiled for several instruction sets and chosen at run time.
//!
//! A function is a core for one number, without branches and calls, in a plain loop: the compiler makes vectors of it.
//! Every instruction set gives the same bits, because nothing is fused.

mod arithmetic;
mod exponentials;
mod inverses;
mod logarithms;
mod powers;
pub(crate) mod single;
mod trigonometric;

use core::marker::PhantomData;

use crate::instructions::{Work, dispatch};
use crate::op::Op;

/// The functions that have a vector form, each with its core, and the arguments (if any) that are left to the scalar
/// function.
///
/// (`acosh` and `atanh` have none because `std`'s lose digits, near 1 and for negative arguments: a good vector form
/// would give another number than the scalar one.)
macro_rules! for_each_core {
    ($then:ident) => {
        $then! {
            of_1 {
                Neg |x| -x;
                Abs |x| x.abs();
                Recip |x| 1.0 / x;
                Sqrt |x| x.sqrt();
                Floor |x| x.floor();
                Ceil |x| x.ceil();
                Trunc |x| x.trunc();
                Relu |x| if x < 0.0 { 0.0 } else { x };
                Exp |x| exponentials::exp(x);
                Exp2 |x| exponentials::exp2(x);
                ExpM1 |x| exponentials::exp_m1(x);
                Sinh |x| exponentials::sinh(x);
                Cosh |x| exponentials::cosh(x);
                Tanh |x| exponentials::tanh(x);
                Sigmoid |x| exponentials::sigmoid(x);
                Silu |x| exponentials::silu(x);
                Gauss |x| exponentials::gauss(x);
                NormalDensity |x| exponentials::normal_density(x);
                LogisticDensity |x| exponentials::logistic_density(x);
                Softplus |x| exponentials::softplus(x);
                Ln |x| logarithms::ln(x);
                Ln1p |x| logarithms::ln_1p(x);
                Log2 |x| logarithms::log2(x);
                Log10 |x| logarithms::log10(x);
                Sin |x| trigonometric::sin(x), scalar where trigonometric::is_far(x);
                Cos |x| trigonometric::cos(x), scalar where trigonometric::is_far(x);
                Tan |x| trigonometric::tan(x), scalar where trigonometric::is_far(x);
                Asin |x| inverses::asin(x);
                Acos |x| inverses::acos(x);
                Atan |x| inverses::atan(x);
                Asinh |x| inverses::asinh(x), scalar where inverses::is_large(x);
                Cbrt |x| powers::cbrt(x);
            }
            of_2 {
                Powf |a, b| powers::powf(a, b), scalar where powers::powf_is_left_out(a, b);
                Hypot |a, b| powers::hypot(a, b), scalar where powers::hypot_is_left_out(a, b);
                Atan2 |a, b| inverses::atan2(a, b), scalar where inverses::atan2_is_left_out(a, b);
                LogAddExp |a, b| exponentials::log_add_exp(a, b), scalar where !(a - b).is_finite();
            }
        }
    };
}

/// y[i] = op(x[i]); false, and nothing done, where the operation has no vector form.
#[inline]
pub(crate) fn map_1(op: Op, x: &[f64], y: &mut [f64]) -> bool {
    map_1_on::<false>(op, x, y)
}

/// y[i] = op(a[i], b[i]); false, and nothing done, where the operation has no vector form.
#[inline]
pub(crate) fn map_2(op: Op, a: &[f64], b: &[f64], y: &mut [f64]) -> bool {
    map_2_on::<false>(op, a, b, y)
}

/// Whether a loop written in place is better than a call: even the oldest processors have an instruction for it.
pub(crate) const fn is_one_instruction(op: Op) -> bool {
    matches!(op, Op::Neg | Op::Abs | Op::Recip | Op::Sqrt | Op::Relu)
}

trait Core1 {
    const OP: Op;
    fn value(x: f64) -> f64;
    fn is_left_out(x: f64) -> bool;
}

trait Core2 {
    const OP: Op;
    fn value(a: f64, b: f64) -> f64;
    fn is_left_out(a: f64, b: f64) -> bool;
}

macro_rules! define {
    (
        of_1 { $($op_1:ident |$x:ident| $value_1:expr $(, scalar where $left_out_1:expr)?;)* }
        of_2 { $($op_2:ident |$a:ident, $b:ident| $value_2:expr $(, scalar where $left_out_2:expr)?;)* }
    ) => {
        #[inline]
        fn map_1_on<const PORTABLE: bool>(op: Op, x: &[f64], y: &mut [f64]) -> bool {
            match op {
                $(Op::$op_1 => {
                    struct Core;
                    impl Core1 for Core {
                        const OP: Op = Op::$op_1;
                        #[inline(always)]
                        fn value($x: f64) -> f64 { $value_1 }
                        #[inline(always)]
                        #[allow(unused_variables, reason = "most functions serve every argument")]
                        fn is_left_out($x: f64) -> bool { false $(|| $left_out_1)? }
                    }
                    run_1::<Core, PORTABLE>(x, y);
                })*
                _ => return false,
            }
            true
        }

        #[inline]
        fn map_2_on<const PORTABLE: bool>(op: Op, a: &[f64], b: &[f64], y: &mut [f64]) -> bool {
            match op {
                $(Op::$op_2 => {
                    struct Core;
                    impl Core2 for Core {
                        const OP: Op = Op::$op_2;
                        #[inline(always)]
                        fn value($a: f64, $b: f64) -> f64 { $value_2 }
                        #[inline(always)]
                        #[allow(unused_variables, reason = "as above")]
                        fn is_left_out($a: f64, $b: f64) -> bool { false $(|| $left_out_2)? }
                    }
                    run_2::<Core, PORTABLE>(a, b, y);
                })*
                _ => return false,
            }
            true
        }

        /// The operations that [`map_1`] knows.
        #[cfg(test)]
        const OF_1: &[Op] = &[$(Op::$op_1),*];
        /// The operations that [`map_2`] knows.
        #[cfg(test)]
        const OF_2: &[Op] = &[$(Op::$op_2),*];
    };
}
for_each_core!(define);

/// A loop over slices as an object: what [`dispatch`] compiles for each instruction set. It says whether any element was
/// left out.
struct Loop1<'a, C>(&'a [f64], &'a mut [f64], PhantomData<C>);
struct Loop2<'a, C>(&'a [f64], &'a [f64], &'a mut [f64], PhantomData<C>);

impl<C: Core1> Work for Loop1<'_, C> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        loop_1::<C>(self.0, self.1)
    }
}

impl<C: Core2> Work for Loop2<'_, C> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        loop_2::<C>(self.0, self.1, self.2)
    }
}

#[inline(always)]
fn loop_1<C: Core1>(x: &[f64], y: &mut [f64]) -> bool {
    let mut any_left_out = false;
    for (y, &x) in y.iter_mut().zip(x) {
        *y = C::value(x);
    }
    for &x in x {
        any_left_out |= C::is_left_out(x);
    }
    any_left_out
}

#[inline(always)]
fn loop_2<C: Core2>(a: &[f64], b: &[f64], y: &mut [f64]) -> bool {
    let mut any_left_out = false;
    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
        *y = C::value(a, b);
    }
    for (&a, &b) in a.iter().zip(b) {
        any_left_out |= C::is_left_out(a, b);
    }
    any_left_out
}

/// `PORTABLE`, which only tests ask for, leaves the loop as it is compiled for every processor.
#[inline(never)]
fn run_1<C: Core1, const PORTABLE: bool>(x: &[f64], y: &mut [f64]) {
    debug_assert_eq!(x.len(), y.len());
    let any_left_out =
        if PORTABLE { loop_1::<C>(x, y) } else { dispatch(Loop1::<C>(x, y, PhantomData)) };
    if any_left_out {
        for (y, &x) in y.iter_mut().zip(x).filter(|(_, x)| C::is_left_out(**x)) {
            *y = C::OP.apply(&[x]);
        }
    }
}

#[inline(never)]
fn run_2<C: Core2, const PORTABLE: bool>(a: &[f64], b: &[f64], y: &mut [f64]) {
    debug_assert!(a.len() == y.len() && b.len() == y.len());
    let any_left_out =
        if PORTABLE { loop_2::<C>(a, b, y) } else { dispatch(Loop2::<C>(a, b, y, PhantomData)) };
    if any_left_out {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            if C::is_left_out(a, b) {
                *y = C::OP.apply(&[a, b]);
            }
        }
    }
}

/// A function with its derivative, and the derivative where the value is known.
trait CoreWithPartial {
    fn value_and_partial(x: f64) -> (f64, f64);
    fn partial(x: f64, y: f64) -> f64;
}

struct Tanh;
impl CoreWithPartial for Tanh {
    #[inline(always)]
    fn value_and_partial(x: f64) -> (f64, f64) {
        exponentials::tanh_with_partial(x)
    }

    #[inline(always)]
    fn partial(x: f64, y: f64) -> f64 {
        exponentials::tanh_partial(x, y)
    }
}

struct Sigmoid;
impl CoreWithPartial for Sigmoid {
    #[inline(always)]
    fn value_and_partial(x: f64) -> (f64, f64) {
        exponentials::sigmoid_with_partial(x)
    }

    #[inline(always)]
    fn partial(x: f64, y: f64) -> f64 {
        exponentials::sigmoid_partial(x, y)
    }
}

/// y[i] = op(x[i]), and its derivative: where both together cost hardly more than one. False, and nothing done, elsewhere.
#[inline]
pub(crate) fn map_with_partial(op: Op, x: &[f64], y: &mut [f64], partials: &mut [f64]) -> bool {
    match op {
        Op::Tanh => run_with_partial::<Tanh>(x, y, partials),
        Op::Sigmoid => run_with_partial::<Sigmoid>(x, y, partials),
        _ => return false,
    }
    true
}

/// The derivative of op at x[i], where y[i] = op(x[i]); for the same operations.
#[inline]
pub(crate) fn map_partial(op: Op, x: &[f64], y: &[f64], partials: &mut [f64]) -> bool {
    match op {
        Op::Tanh => run_partial::<Tanh>(x, y, partials),
        Op::Sigmoid => run_partial::<Sigmoid>(x, y, partials),
        _ => return false,
    }
    true
}

struct LoopWithPartial<'a, C>(&'a [f64], &'a mut [f64], &'a mut [f64], PhantomData<C>);

impl<C: CoreWithPartial> Work for LoopWithPartial<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((&x, y), partial) in self.0.iter().zip(self.1).zip(self.2) {
            (*y, *partial) = C::value_and_partial(x);
        }
    }
}

#[inline(never)]
fn run_with_partial<C: CoreWithPartial>(x: &[f64], y: &mut [f64], partials: &mut [f64]) {
    dispatch(LoopWithPartial::<C>(x, y, partials, PhantomData));
}

struct LoopPartial<'a, C>(&'a [f64], &'a [f64], &'a mut [f64], PhantomData<C>);

impl<C: CoreWithPartial> Work for LoopPartial<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((&x, &y), partial) in self.0.iter().zip(self.1).zip(self.2) {
            *partial = C::partial(x, y);
        }
    }
}

#[inline(never)]
fn run_partial<C: CoreWithPartial>(x: &[f64], y: &[f64], partials: &mut [f64]) {
    dispatch(LoopPartial::<C>(x, y, partials, PhantomData));
}

#[cfg(test)]
mod tests;
