//! The operations by name: what a node was recorded as, and what is known of an operation without a number.

use core::fmt::{self, Display};
use core::str::FromStr;

use crate::table::for_each_op;

macro_rules! define_op {
    (
        []
        operator_1 { $($name_o1:ident $op_o1:ident $symbol_o1:literal [$r_o1:expr] |$($_x_o1:ident),*| $_p_o1:expr;)* }
        operator_2 { $($name_o2:ident $op_o2:ident $symbol_o2:tt [$($r_o2:expr),*] |$($_x_o2:ident),*| ($($_p_o2:expr),*);)* }
        function_1 { $($(#[$_doc_1:meta])* $_home_1:ident $name_1:ident $op_1:ident [$r_1:expr] |$($_x_1:ident),*| $_p_1:expr;)* }
        indexed { $($(#[$_doc_i:meta])* $_home_i:ident $name_i:ident $op_i:ident($_index:ty) [$r_i:expr] |$($_x_i:ident),*| $_p_i:expr;)* }
        function_2 { $($(#[$_doc_2:meta])* $_home_2:ident $name_2:ident $op_2:ident($_b_2:ident) [$($r_2:expr),*] |$($_x_2:ident),*| ($($_p_2:expr),*);)* }
        function_3 { $($(#[$_doc_3:meta])* $_home_3:ident $name_3:ident $op_3:ident($_b_3:ident, $_c_3:ident) [$($r_3:expr),*] |$($_x_3:ident),*| ($($_p_3:expr),*);)* }
    ) => {
        /// What a node of the list was recorded as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "a variant is documented by the method of `Real` that has its name")]
        pub enum Op {
            /// An independent variable.
            Input,
            #[doc(hidden)]
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
            #[doc(hidden)]
            /// A result of an operation of one's own.
            Result,
            #[doc(hidden)]
            /// The largest of several numbers, taken as a constant; NaN where one is. Only in programs, like the next.
            Largest,
            #[doc(hidden)]
            /// e to the difference of a number and [`Op::Largest`]: what `log_sum_exp` adds up.
            Weight,
            #[doc(hidden)]
            /// A number taken as a constant.
            StopGradient,
            #[doc(hidden)]
            /// 1 where the first number is above the second, elsewhere 0. The derivatives of this step and the next two are 0.
            IsGreater,
            #[doc(hidden)]
            /// 1 where two numbers are equal, elsewhere 0.
            IsEqual,
            #[doc(hidden)]
            /// The partial of the larger of two numbers: 1 where the first is, ½ where both are equal, elsewhere 0.
            ShareOfLarger,
            #[doc(hidden)]
            /// A product of the chain rule, in a derivative that was recorded: where a factor is exactly 0, so is the product.
            Chain,
            #[doc(hidden)]
            /// The partial of a product of two numbers with respect to the first: the second, but NaN where the product is
            /// 0·∞. In a derivative that was recorded.
            Cofactor,
            #[doc(hidden)]
            /// 0, whose derivative with respect to the first number does not exist where the second is 0.
            Tip,
        }

        impl Op {
            /// The rows of the table: every operation that has a fixed number of arguments.
            pub const ALL: &'static [Op] = &[
                $(Op::$op_o1,)* $(Op::$op_o2,)* $(Op::$op_1,)* $(Op::$op_i,)* $(Op::$op_2,)* $(Op::$op_3,)* Op::Select,
            ];

            /// Every variant, in order.
            pub(crate) const EVERY: &'static [Op] = &[
                Op::Input, Op::Part,
                $(Op::$op_o1,)* $(Op::$op_o2,)* $(Op::$op_1,)* $(Op::$op_i,)* $(Op::$op_2,)* $(Op::$op_3,)*
                Op::Select, Op::Sum, Op::WeightedSum, Op::Dot, Op::Norm, Op::LogSumExp, Op::Custom, Op::SumOver, Op::Result, Op::Largest,
                Op::Weight, Op::StopGradient, Op::IsGreater, Op::IsEqual, Op::ShareOfLarger, Op::Chain, Op::Cofactor, Op::Tip,
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
                    Op::Result => "result",
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

            /// The number of arguments: of the rows of [`Op::ALL`] 1, 2 or 3; `None` where it is not fixed, as of
            /// operations that take a slice.
            ///
            /// ```
            /// use tape::Op;
            ///
            /// assert_eq!(Op::Atan2.arity(), Some(2));
            /// assert_eq!(Op::Sum.arity(), None);
            /// ```
            pub const fn arity(self) -> Option<usize> {
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
            op => op.arity() == Some(operands),
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

    /// The row whose method has this name.
    ///
    /// ```
    /// use tape::Op;
    /// assert_eq!(Op::from_name("tanh"), Some(Op::Tanh));
    /// assert_eq!(Op::from_name("tan h"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.name() == name)
    }
}

/// The operation's name: `sin`, `powf`, `add`.
impl Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no operation of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOp(String);

impl Display for UnknownOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no operation {:?}: the names are those of the methods of tape::Real",
            self.0
        )
    }
}

impl std::error::Error for UnknownOp {}

/// As [`Op::from_name`].
///
/// ```
/// use tape::Op;
/// assert_eq!("tanh".parse(), Ok(Op::Tanh));
/// assert_eq!(Op::Tanh.to_string(), "tanh");
/// assert!("tan h".parse::<Op>().is_err());
/// ```
impl FromStr for Op {
    type Err = UnknownOp;

    fn from_str(name: &str) -> Result<Self, UnknownOp> {
        Self::from_name(name).ok_or_else(|| UnknownOp(name.to_owned()))
    }
}
