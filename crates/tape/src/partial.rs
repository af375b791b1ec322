//! The operations on numbers: values, and the rows' formulas as functions. `partial::mul::of_1(x, y, z)` is ∂z/∂y of
//! z = x·y.

#![allow(unused_variables, reason = "a formula need not use every argument")]

use crate::kinks;
use crate::op::Op;
use crate::real::Real;
use crate::table::for_each_op;

/// What the formulas are written with.
mod formulas {
    pub(super) use crate::formula::Formula;
    pub(super) use crate::{kinks, tails};
}

macro_rules! define_partials {
    (
        []
        operator_1 { $($name_o1:ident $op_o1:ident $symbol_o1:literal [$r_o1:expr] |$x_o1:ident, $y_o1:ident| $p_o1:expr;)* }
        operator_2 { $($name_o2:ident $op_o2:ident $symbol_o2:tt [$($r_o2:expr),*] |$x_o2:ident, $y_o2:ident, $z_o2:ident| ($p_o2:expr, $q_o2:expr);)* }
        function_1 { $($(#[$doc_1:meta])* $home_1:ident $name_1:ident $op_1:ident [$r_1:expr] |$x_1:ident, $y_1:ident| $p_1:expr;)* }
        indexed { $($(#[$doc_i:meta])* $home_i:ident $name_i:ident $op_i:ident($index:ty) [$r_i:expr] |$x_i:ident, $n_i:ident, $y_i:ident| $p_i:expr;)* }
        function_2 { $($(#[$doc_2:meta])* $home_2:ident $name_2:ident $op_2:ident($b_2:ident) [$($r_2:expr),*] |$x_2:ident, $y_2:ident, $z_2:ident| ($p_2:expr, $q_2:expr);)* }
        function_3 { $($(#[$doc_3:meta])* $home_3:ident $name_3:ident $op_3:ident($b_3:ident, $c_3:ident) [$($r_3:expr),*] |$x_3:ident, $y_3:ident, $z_3:ident, $w_3:ident| ($p_3:expr, $q_3:expr, $s_3:expr);)* }
    ) => {
        impl Op {
            /// The operation's value.
            ///
            /// An integer argument (of `powi` and `polygamma`) is given as a number and truncated.
            ///
            /// # Panics
            /// When the number of arguments is not [`Op::arity`], or the operation is not in [`Op::ALL`].
            ///
            /// ```
            /// let power = tape::Op::from_name("powf").unwrap();
            /// assert_eq!(power.apply(&[2.0, 10.0]), 1024.0);
            /// ```
            #[track_caller]
            #[allow(clippy::cast_sign_loss, reason = "an integer argument below 0 becomes 0 where it must not be negative")]
            pub fn apply<T: Real>(self, arguments: &[T]) -> T {
                match (self, arguments) {
                    $((Op::$op_o1, &[x]) => -x,)*
                    $((Op::$op_o2, &[x, y]) => x $symbol_o2 y,)*
                    $((Op::$op_1, &[x]) => T::$name_1(x),)*
                    $((Op::$op_i, &[x, n]) => T::$name_i(x, n.innermost() as $index),)*
                    $((Op::$op_2, &[x, y]) => T::$name_2(x, y),)*
                    $((Op::$op_3, &[x, y, z]) => T::$name_3(x, y, z),)*
                    (Op::Select, &[condition, a, b]) => T::select(condition, a, b),
                    (Op::StopGradient, &[x]) => x.stop_gradient(),
                    (Op::IsGreater | Op::IsEqual | Op::ShareOfLarger, &[x, y]) => T::step(self, x, y),
                    (Op::Chain, &[partial, derivative]) => T::recorded_chain(partial, derivative),
                    (Op::Cofactor, &[x, y]) => T::recorded_cofactor(x, y),
                    (Op::Tip, &[x, length]) => T::tip(x, length),
                    (Op::Weight, &[x, largest]) => x.weight(largest),
                    _ => cannot_apply(self, arguments.len()),
                }
            }

            /// The operation's partials at arguments whose value is `value`.
            #[allow(clippy::cast_sign_loss, reason = "as in `apply`")]
            pub(crate) fn partials<T: Real>(self, arguments: &[T], value: T) -> [T; 3] {
                let zero = T::from_f64(0.0);
                match (self, arguments) {
                    $((Op::$op_o1, &[x]) => [$name_o1::of_0(x, value), zero, zero],)*
                    $((Op::$op_o2, &[x, y]) => [$name_o2::of_0(x, y, value), $name_o2::of_1(x, y, value), zero],)*
                    $((Op::$op_1, &[x]) => [T::partial_of(self, x, value, $name_1::of_0), zero, zero],)*
                    $((Op::$op_i, &[x, n]) => [$name_i::of_0(x, n.innermost() as $index, value), zero, zero],)*
                    $((Op::$op_2, &[x, y]) => [$name_2::of_0(x, y, value), $name_2::of_1(x, y, value), zero],)*
                    $((Op::$op_3, &[x, y, z]) => [
                        $name_3::of_0(x, y, z, value),
                        $name_3::of_1(x, y, z, value),
                        $name_3::of_2(x, y, z, value),
                    ],)*
                    (Op::Select, &[condition, _, _]) => kinks::select_partials(condition),
                    (Op::Weight, _) => [value, zero, zero],
                    (Op::StopGradient | Op::IsGreater | Op::IsEqual | Op::ShareOfLarger, _) => [zero; 3],
                    (Op::Chain, &[partial, derivative]) => [derivative, partial, zero],
                    // Where it is NaN, what depends on it is NaN whatever the partial.
                    (Op::Cofactor, _) => [zero, T::from_f64(1.0), zero],
                    (Op::Tip, &[_, length]) => [kinks::tip_partial(length), zero, zero],
                    _ => unreachable!("{} has no fixed number of arguments", self.name()),
                }
            }
        }

        $(pub(crate) mod $name_o1 {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_o1: T, $y_o1: T) -> T { $p_o1 }
        })*
        $(pub(crate) mod $name_o2 {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_o2: T, $y_o2: T, $z_o2: T) -> T { $p_o2 }
            #[inline(always)] pub(crate) fn of_1<T: Formula>($x_o2: T, $y_o2: T, $z_o2: T) -> T { $q_o2 }
        })*
        $(pub(crate) mod $name_1 {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_1: T, $y_1: T) -> T { $p_1 }
        })*
        $(pub(crate) mod $name_i {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_i: T, $n_i: $index, $y_i: T) -> T { $p_i }
        })*
        $(pub(crate) mod $name_2 {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_2: T, $y_2: T, $z_2: T) -> T { $p_2 }
            #[inline(always)] pub(crate) fn of_1<T: Formula>($x_2: T, $y_2: T, $z_2: T) -> T { $q_2 }
        })*
        $(pub(crate) mod $name_3 {
            use super::formulas::*;
            #[inline(always)] pub(crate) fn of_0<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $p_3 }
            #[inline(always)] pub(crate) fn of_1<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $q_3 }
            #[inline(always)] pub(crate) fn of_2<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $s_3 }
        })*
    };
}
for_each_op!(define_partials);

impl Op {
    /// The value of a program's operation. As [`Op::apply`], also for operations that take a slice; and it never panics:
    /// a clamp between bounds in the wrong order leaves the number as it is (programs have a guard against that).
    ///
    /// A [`Op::Dot`] of an odd number of operands adds its products to the first one.
    pub(crate) fn evaluate<T: Real>(self, operands: &[T]) -> T {
        match (self, operands) {
            (Op::Sum, terms) => T::sum(terms),
            (Op::Norm, components) => T::norm(components),
            (Op::Dot, operands) => {
                let (start, pairs) = operands.split_at(operands.len() % 2);
                let products = pairs.chunks_exact(2).map(|pair| pair[0] * pair[1]);
                let sum =
                    start.iter().copied().chain(products).reduce(|sum, product| sum + product);
                sum.unwrap_or(T::from_f64(0.0))
            }
            (Op::Largest, numbers) => T::largest_of(numbers.iter().copied()),
            (Op::Clamp, &[x, lower, upper]) => {
                let ordered = kinks::is_at_least(upper, lower);
                let lower = T::select(ordered, lower, T::from_f64(f64::NEG_INFINITY));
                x.clamp(lower, T::select(ordered, upper, T::from_f64(f64::INFINITY)))
            }
            (op, operands) => op.apply(operands),
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn cannot_apply(op: Op, arguments: usize) -> ! {
    let name = op.name();
    match op.arity() {
        Some(arity) => panic!("{name} takes {arity} arguments, not {arguments}"),
        None => panic!(
            "{name} is not in Op::ALL: it has no fixed number of arguments, and cannot be applied by name"
        ),
    }
}
