//! The table of operations: one row gives an operation's name, value, partials, symbol and sampling range.
//!
//! Everything that knows an operation by name is made from these rows: the enum [`Op`], the methods of
//! [`Real`](crate::Real), [`Var`](crate::Var) and [`Dual`](crate::Dual), the printer, the replay, and one
//! property test per row. To add an operation, add a row.

use crate::kinks;
use crate::real::Real;

/// Calls the macro `$then` with the extra words, in brackets, and then the whole table.
///
/// Sections, by shape:
/// - `operator_1`, `operator_2`: Rust's operators; `function_1`, `function_2`, `function_3`: methods of [`Real`] with
///   that many arguments (the receiver counts); `indexed`: methods whose second argument is an integer.
/// - A function's value on `f64` and `f32` is `std`'s method of the same name, or `special`'s.
/// - The closure gives the partials from the arguments *and the result*, in that order.
/// - The ranges say where tests sample each argument.
macro_rules! for_each_op {
    ($then:ident $(, $extra:ident)*) => {
        $then! {
[$($extra)*]
operator_1 {
    neg Neg "-" [-10.0 .. 10.0] |x, y| -T::from_f64(1.0);
}
operator_2 {
    add Add + [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (T::from_f64(1.0), T::from_f64(1.0));
    sub Sub - [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (T::from_f64(1.0), -T::from_f64(1.0));
    mul Mul * [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (T::cofactor(x, y, z), T::cofactor(y, x, z));
    div Div / [-10.0 .. 10.0,   0.3 .. 10.0] |x, y, z| (y.recip(), -z / y);
    rem Rem % [-10.0 .. 10.0,   0.7 .. 3.0 ] |x, y, z| (T::from_f64(1.0), -((x - z) / y).round());
}
function_1 {
    /// Sine of an angle in radians.
    std sin Sin [-10.0 .. 10.0] |x, y| x.cos();
    /// Cosine of an angle in radians.
    std cos Cos [-10.0 .. 10.0] |x, y| -x.sin();
    /// Tangent of an angle in radians.
    std tan Tan [-1.4 .. 1.4] |x, y| y * y + T::from_f64(1.0);
    /// Arcsine, in radians.
    std asin Asin [-0.99 .. 0.99] |x, y| tails::one_minus_square(x).sqrt().recip();
    /// Arccosine, in radians.
    std acos Acos [-0.99 .. 0.99] |x, y| -tails::one_minus_square(x).sqrt().recip();
    /// Arctangent, in radians.
    std atan Atan [-10.0 .. 10.0] |x, y| tails::atan(x);
    /// Hyperbolic sine.
    std sinh Sinh [-5.0 .. 5.0] |x, y| x.cosh();
    /// Hyperbolic cosine.
    std cosh Cosh [-5.0 .. 5.0] |x, y| x.sinh();
    /// Hyperbolic tangent.
    std tanh Tanh [-5.0 .. 5.0] |x, y| tails::tanh(x, y);
    /// Inverse hyperbolic sine.
    std asinh Asinh [-10.0 .. 10.0] |x, y| x.hypot(T::from_f64(1.0)).recip();
    /// Inverse hyperbolic cosine.
    std acosh Acosh [1.1 .. 10.0] |x, y| tails::acosh(x);
    /// Inverse hyperbolic tangent.
    std atanh Atanh [-0.99 .. 0.99] |x, y| tails::one_minus_square(x).recip();
    /// eˣ.
    std exp Exp [-5.0 .. 5.0] |x, y| y;
    /// 2ˣ.
    std exp2 Exp2 [-5.0 .. 5.0] |x, y| y * T::from_f64(core::f64::consts::LN_2);
    /// eˣ − 1, accurate near 0.
    std exp_m1 ExpM1 [-5.0 .. 5.0] |x, y| x.exp();
    /// Natural logarithm.
    std ln Ln [0.1 .. 10.0] |x, y| x.recip();
    /// ln(1 + x), accurate near 0.
    std ln_1p Ln1p [-0.9 .. 10.0] |x, y| (x + T::from_f64(1.0)).recip();
    /// Logarithm to base 2.
    std log2 Log2 [0.1 .. 10.0] |x, y| T::from_f64(core::f64::consts::LOG2_E) / x;
    /// Logarithm to base 10.
    std log10 Log10 [0.1 .. 10.0] |x, y| T::from_f64(core::f64::consts::LOG10_E) / x;
    /// Square root. The derivative at 0 is ∞.
    std sqrt Sqrt [0.1 .. 10.0] |x, y| T::from_f64(0.5) / y;
    /// Cube root. The derivative at 0 is ∞.
    std cbrt Cbrt [-10.0 .. 10.0] |x, y| tails::cbrt(y);
    /// 1/x.
    std recip Recip [0.3 .. 10.0] |x, y| -y * y;
    /// |x|. The derivative at 0 is 0.
    std abs Abs [-10.0 .. 10.0] |x, y| kinks::sign(x);
    /// 1 for positive numbers and +0, −1 for negative ones and −0. The derivative is 0 everywhere.
    std signum Signum [-10.0 .. 10.0] |x, y| T::from_f64(0.0);
    /// Largest integer not above x. The derivative is 0 everywhere.
    std floor Floor [-10.0 .. 10.0] |x, y| T::from_f64(0.0);
    /// Smallest integer not below x. The derivative is 0 everywhere.
    std ceil Ceil [-10.0 .. 10.0] |x, y| T::from_f64(0.0);
    /// Nearest integer, halves away from zero. The derivative is 0 everywhere.
    std round Round [-10.0 .. 10.0] |x, y| T::from_f64(0.0);
    /// x without its fraction. The derivative is 0 everywhere.
    std trunc Trunc [-10.0 .. 10.0] |x, y| T::from_f64(0.0);
    /// Logistic function 1/(1 + e⁻ˣ).
    special sigmoid Sigmoid [-6.0 .. 6.0] |x, y| tails::sigmoid(x, y);
    /// ln(1 + eˣ), without overflow.
    special softplus Softplus [-6.0 .. 6.0] |x, y| x.sigmoid();
    /// max(x, 0). The derivative at 0 is 0.
    special relu Relu [-10.0 .. 10.0] |x, y| x.is_greater(T::from_f64(0.0));
    /// x·sigmoid(x), also called swish.
    special silu Silu [-6.0 .. 6.0] |x, y| tails::silu(x, y);
    /// x·Φ(x) with Φ the normal distribution function (the exact form, by the error function).
    special gelu Gelu [-6.0 .. 6.0] |x, y| tails::gelu(x);
    /// Error function.
    special erf Erf [-3.0 .. 3.0] |x, y| T::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * x.gauss();
    /// 1 − erf(x), accurate in the tail.
    special erfc Erfc [-3.0 .. 3.0] |x, y| T::from_f64(-core::f64::consts::FRAC_2_SQRT_PI) * x.gauss();
    /// e^(−x²), accurate in the tail.
    special gauss Gauss [-3.0 .. 3.0] |x, y| tails::within_bell(x, || -(x + x) * y);
    /// Density of the normal distribution, e^(−x²/2)/√(2π), accurate in the tail.
    special normal_density NormalDensity [-6.0 .. 6.0] |x, y| tails::within_bell(x, || -x * y);
    /// Density of the logistic distribution, the derivative of [`sigmoid`](Self::sigmoid), accurate in both tails.
    special logistic_density LogisticDensity [-6.0 .. 6.0] |x, y| -y * (x * T::from_f64(0.5)).tanh();
    /// ln|Γ(x)|.
    special ln_gamma LnGamma [0.1 .. 10.0] |x, y| x.digamma();
    /// Logarithmic derivative of the gamma function, ψ(x) = Γ′(x)/Γ(x).
    special digamma Digamma [0.1 .. 10.0] |x, y| x.polygamma(1);
}
indexed {
    /// xⁿ for an integer n.
    std powi Powi(i32) [0.3 .. 3.0] |x, n, y| tails::powi(x, n);
    /// n-th derivative of the digamma function, ψ⁽ⁿ⁾(x).
    special polygamma Polygamma(u32) [0.3 .. 10.0] |x, n, y| x.polygamma(n.saturating_add(1));
}
function_2 {
    /// x to the power of another number. The derivative with respect to the exponent is NaN for a negative base.
    std powf Powf(exponent) [0.3 .. 3.0, -3.0 .. 3.0] |x, y, z| (tails::powf_base(x, y, z), tails::powf_exponent(x, y, z));
    /// Logarithm to the given base.
    std log Log(base) [0.3 .. 10.0, 1.5 .. 10.0] |x, y, z| (x.recip() / y.ln(), -z / (y * y.ln()));
    /// Angle of the point (other, self), in radians. The derivatives at (0, 0) are 0.
    std atan2 Atan2(other) [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (kinks::over_squared_length(y, x, y), -kinks::over_squared_length(x, x, y));
    /// The larger of two numbers; of a number and NaN, the number. At a tie each has derivative ½.
    std max Max(other) [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (kinks::share_of_larger(x, y), kinks::share_of_larger(y, x));
    /// The smaller of two numbers; of a number and NaN, the number. At a tie each has derivative ½.
    std min Min(other) [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (kinks::share_of_smaller(x, y), kinks::share_of_smaller(y, x));
    /// Length of the hypotenuse, without overflow. The derivatives at (0, 0) are 0.
    std hypot Hypot(other) [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (
        kinks::hypot_partial(x, y, z),
        kinks::hypot_partial(y, x, z)
    );
    /// ln(eˣ + eʸ), without overflow.
    special log_add_exp LogAddExp(other) [-5.0 .. 5.0, -5.0 .. 5.0] |x, y, z| (
        tails::share_of_exponential(x, y),
        tails::share_of_exponential(y, x)
    );
}
function_3 {
    /// The number, or the bound it lies beyond. The derivative at a bound is 0.
    ///
    /// # Panics
    /// As [`f64::clamp`] does: when the lower bound is above the upper one, or a bound is NaN.
    std clamp Clamp(lower, upper) [-5.0 .. 5.0, -3.0 .. -1.0, 1.0 .. 3.0] |x, y, z, w| (
        kinks::clamp_partials(x, y, z)[0],
        kinks::clamp_partials(x, y, z)[1],
        kinks::clamp_partials(x, y, z)[2]
    );
    /// self·factor + summand, rounded once.
    std mul_add MulAdd(factor, summand) [-10.0 .. 10.0, -10.0 .. 10.0, -10.0 .. 10.0] |x, y, z, w| (T::cofactor(x, y, w), T::cofactor(y, x, w), T::from_f64(1.0));
}
        }
    };
}
pub(crate) use for_each_op;

macro_rules! define_op {
    (
        []
        operator_1 { $($name_o1:ident $op_o1:ident $symbol_o1:literal [$r_o1:expr] |$x_o1:ident, $y_o1:ident| $p_o1:expr;)* }
        operator_2 { $($name_o2:ident $op_o2:ident $symbol_o2:tt [$($r_o2:expr),*] |$x_o2:ident, $y_o2:ident, $z_o2:ident| ($p_o2:expr, $q_o2:expr);)* }
        function_1 { $($(#[$doc_1:meta])* $home_1:ident $name_1:ident $op_1:ident [$r_1:expr] |$x_1:ident, $y_1:ident| $p_1:expr;)* }
        indexed { $($(#[$doc_i:meta])* $home_i:ident $name_i:ident $op_i:ident($index:ty) [$r_i:expr] |$x_i:ident, $n_i:ident, $y_i:ident| $p_i:expr;)* }
        function_2 { $($(#[$doc_2:meta])* $home_2:ident $name_2:ident $op_2:ident($b_2:ident) [$($r_2:expr),*] |$x_2:ident, $y_2:ident, $z_2:ident| ($p_2:expr, $q_2:expr);)* }
        function_3 { $($(#[$doc_3:meta])* $home_3:ident $name_3:ident $op_3:ident($b_3:ident, $c_3:ident) [$($r_3:expr),*] |$x_3:ident, $y_3:ident, $z_3:ident, $w_3:ident| ($p_3:expr, $q_3:expr, $s_3:expr);)* }
    ) => {
        /// What a node of the list was recorded as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "a variant is documented by the method of `Real` that has its name")]
        pub enum Op {
            /// An independent variable.
            Input,
            /// Leading part of an operation that has more than two arguments; its last node names it.
            Part,
            $($op_o1,)* $($op_o2,)* $($op_1,)* $($op_i,)* $($op_2,)* $($op_3,)*
            Select,
            Sum,
            WeightedSum,
            Dot,
            Norm,
            LogSumExp,
            /// A user's operation with known partials.
            Custom,
            /// A sum whose terms were swept as soon as they were recorded.
            SumOver,
            /// The largest of several numbers, taken as a constant; NaN where one is. Only in programs, like the next.
            Largest,
            /// e to the difference of a number and [`Op::Largest`]: what `log_sum_exp` adds up.
            Weight,
            /// A number taken as a constant.
            StopGradient,
            /// 1 where the first number is above the second, elsewhere 0. The derivatives of this step and the next two are 0.
            IsGreater,
            /// 1 where two numbers are equal, elsewhere 0.
            IsEqual,
            /// The partial of the larger of two numbers: 1 where the first is, ½ where both are equal, elsewhere 0.
            ShareOfLarger,
            /// A product of the chain rule, in a derivative that was recorded: where a factor is exactly 0, so is the product.
            Chain,
            /// The partial of a product of two numbers with respect to the first: the second, but NaN where the product is
            /// 0·∞. In a derivative that was recorded.
            Cofactor,
            /// 0, whose derivative with respect to the first number does not exist where the second is 0.
            Tip,
        }

        impl Op {
            /// The rows of the table: every operation that has a fixed number of arguments.
            pub const ALL: &'static [Op] = &[
                $(Op::$op_o1,)* $(Op::$op_o2,)* $(Op::$op_1,)* $(Op::$op_i,)* $(Op::$op_2,)* $(Op::$op_3,)* Op::Select,
            ];

            /// The name of the method that records the operation: `"sin"`, `"powf"`, `"add"`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Op::$op_o1 => stringify!($name_o1),)*
                    $(Op::$op_o2 => stringify!($name_o2),)*
                    $(Op::$op_1 => stringify!($name_1),)*
                    $(Op::$op_i => stringify!($name_i),)*
                    $(Op::$op_2 => stringify!($name_2),)*
                    $(Op::$op_3 => stringify!($name_3),)*
                    Op::Select => "select",
                    Op::Sum => "sum",
                    Op::WeightedSum => "weighted_sum",
                    Op::Dot => "dot",
                    Op::Norm => "norm",
                    Op::LogSumExp => "log_sum_exp",
                    Op::Custom => "custom",
                    Op::SumOver => "sum_over",
                    Op::Largest => "largest",
                    Op::Weight => "weight",
                    Op::StopGradient => "stop_gradient",
                    Op::IsGreater => "is_greater",
                    Op::IsEqual => "is_equal",
                    Op::ShareOfLarger => "share_of_larger",
                    Op::Chain => "chain",
                    Op::Cofactor => "cofactor",
                    Op::Tip => "tip",
                    Op::Input => "input",
                    Op::Part => "part",
                }
            }

            /// How the operation is written between or before its arguments, for those that are operators.
            pub const fn symbol(self) -> Option<&'static str> {
                match self {
                    $(Op::$op_o1 => Some($symbol_o1),)*
                    $(Op::$op_o2 => Some(stringify!($symbol_o2)),)*
                    _ => None,
                }
            }

            /// The number of arguments; `None` for operations that take a slice.
            const fn fixed_arity(self) -> Option<usize> {
                match self {
                    $(Op::$op_o1)|* $(| Op::$op_1)* | Op::StopGradient => Some(1),
                    $(Op::$op_o2)|* $(| Op::$op_i)* $(| Op::$op_2)* | Op::Weight | Op::IsGreater | Op::IsEqual
                    | Op::ShareOfLarger | Op::Chain | Op::Cofactor | Op::Tip => Some(2),
                    $(Op::$op_3)|* | Op::Select => Some(3),
                    _ => None,
                }
            }

            /// The interval of each argument on which the row is tested. (An integer argument counts as a number.)
            pub fn ranges(self) -> &'static [core::ops::Range<f64>] {
                match self {
                    $(Op::$op_o1 => const { &[$r_o1] },)*
                    $(Op::$op_o2 => const { &[$($r_o2),*] },)*
                    $(Op::$op_1 => const { &[$r_1] },)*
                    $(Op::$op_i => const { &[$r_i, 0.0..4.0] },)*
                    $(Op::$op_2 => const { &[$($r_2),*] },)*
                    $(Op::$op_3 => const { &[$($r_3),*] },)*
                    Op::Select => const { &[-1.0..1.0, -10.0..10.0, -10.0..10.0] },
                    _ => &[],
                }
            }

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
                    _ => panic!("{} takes {} arguments, not {}", self.name(), self.arity(), arguments.len()),
                }
            }

            /// The operation's partials at arguments whose value is `value`.
            #[allow(clippy::cast_sign_loss, reason = "as in `apply`")]
            pub(crate) fn partials<T: Real>(self, arguments: &[T], value: T) -> [T; 3] {
                let zero = T::from_f64(0.0);
                match (self, arguments) {
                    $((Op::$op_o1, &[x]) => [partial::$name_o1::of_0(x, value), zero, zero],)*
                    $((Op::$op_o2, &[x, y]) => [partial::$name_o2::of_0(x, y, value), partial::$name_o2::of_1(x, y, value), zero],)*
                    $((Op::$op_1, &[x]) => [partial::$name_1::of_0(x, value), zero, zero],)*
                    $((Op::$op_i, &[x, n]) => [partial::$name_i::of_0(x, n.innermost() as $index, value), zero, zero],)*
                    $((Op::$op_2, &[x, y]) => [partial::$name_2::of_0(x, y, value), partial::$name_2::of_1(x, y, value), zero],)*
                    $((Op::$op_3, &[x, y, z]) => [
                        partial::$name_3::of_0(x, y, z, value),
                        partial::$name_3::of_1(x, y, z, value),
                        partial::$name_3::of_2(x, y, z, value),
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

        /// The formulas of the rows as functions: `partial::mul::of_1(x, y, z)` is ∂z/∂y of z = x·y.
        #[allow(unused_variables, reason = "a formula need not use every argument")]
        pub(crate) mod partial {
            use crate::formula::Formula;
            use crate::{kinks, tails};

            $(pub(crate) mod $name_o1 {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_o1: T, $y_o1: T) -> T { $p_o1 }
            })*
            $(pub(crate) mod $name_o2 {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_o2: T, $y_o2: T, $z_o2: T) -> T { $p_o2 }
                #[inline(always)] pub(crate) fn of_1<T: Formula>($x_o2: T, $y_o2: T, $z_o2: T) -> T { $q_o2 }
            })*
            $(pub(crate) mod $name_1 {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_1: T, $y_1: T) -> T { $p_1 }
            })*
            $(pub(crate) mod $name_i {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_i: T, $n_i: $index, $y_i: T) -> T { $p_i }
            })*
            $(pub(crate) mod $name_2 {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_2: T, $y_2: T, $z_2: T) -> T { $p_2 }
                #[inline(always)] pub(crate) fn of_1<T: Formula>($x_2: T, $y_2: T, $z_2: T) -> T { $q_2 }
            })*
            $(pub(crate) mod $name_3 {
                use super::*;
                #[inline(always)] pub(crate) fn of_0<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $p_3 }
                #[inline(always)] pub(crate) fn of_1<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $q_3 }
                #[inline(always)] pub(crate) fn of_2<T: Formula>($x_3: T, $y_3: T, $z_3: T, $w_3: T) -> T { $s_3 }
            })*
        }
    };
}
for_each_op!(define_op);

impl Op {
    /// Whether a program's operation can have this many operands.
    pub(crate) fn takes(self, operands: usize) -> bool {
        match self {
            Op::Sum | Op::Norm | Op::Largest => operands >= 1,
            Op::Dot => operands >= 2,
            op => op.fixed_arity() == Some(operands),
        }
    }

    /// The operations that a program can have.
    pub(crate) fn of_programs() -> impl Iterator<Item = Op> {
        let of_slices = [Op::Sum, Op::Dot, Op::Norm, Op::Largest];
        let of_derivatives = [
            Op::Weight,
            Op::StopGradient,
            Op::IsGreater,
            Op::IsEqual,
            Op::ShareOfLarger,
            Op::Chain,
            Op::Cofactor,
            Op::Tip,
        ];
        Op::ALL.iter().copied().chain(of_slices).chain(of_derivatives)
    }

    /// The operation of programs that has this name.
    pub(crate) fn of_program(name: &str) -> Option<Op> {
        Self::of_programs().find(|op| op.name() == name)
    }

    /// The value of a step: a function that is constant between its jumps.
    #[inline(always)]
    pub(crate) fn step(self, x: f64, y: f64) -> f64 {
        match self {
            Op::IsGreater => f64::from(u8::from(x > y)),
            Op::IsEqual => f64::from(u8::from(x == y)),
            Op::ShareOfLarger if x == y || (x.is_nan() && y.is_nan()) => 0.5,
            Op::ShareOfLarger => f64::from(u8::from(x > y || y.is_nan())),
            _ => unreachable!("{} is no step", self.name()),
        }
    }

    /// Whether the derivative is 0, of every order: the result is a constant as far as derivatives go.
    pub(crate) const fn is_flat(self) -> bool {
        matches!(
            self,
            Op::Signum
                | Op::Floor
                | Op::Ceil
                | Op::Round
                | Op::Trunc
                | Op::Largest
                | Op::StopGradient
                | Op::IsGreater
                | Op::IsEqual
                | Op::ShareOfLarger
        )
    }

    /// Whether the second argument is an integer.
    pub(crate) fn takes_integer(self) -> bool {
        matches!(self, Op::Powi | Op::Polygamma)
    }

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

    /// The number of arguments: 1, 2 or 3 for the rows of [`Op::ALL`], 0 for operations that take a slice.
    pub const fn arity(self) -> usize {
        match self.fixed_arity() {
            Some(arity) => arity,
            None => 0,
        }
    }

    /// The row whose method has this name.
    ///
    /// ```
    /// use tape::Op;
    /// assert_eq!(Op::from_name("tanh").map(Op::arity), Some(1));
    /// assert_eq!(Op::from_name("tan h"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.name() == name)
    }
}
