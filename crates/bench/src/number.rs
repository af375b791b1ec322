//! What the kernels and the functions ask of an engine: arithmetic on its number, and sums of many terms.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// The number of an engine, with the operations that the kernels use.
pub trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// The constant `value`, on the tape of `beside` where the engine keeps constants on a tape.
    fn constant(beside: Self, value: f64) -> Self;
    /// The plain number.
    fn value(self) -> f64;
    /// This number times a constant.
    fn scale(self, factor: f64) -> Self;
    /// This number plus a constant.
    fn offset(self, constant: f64) -> Self;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
}

/// The number of an engine, with all that [`function`](crate::function) asks of it. A constant stands to the right of an
/// operator as the plain number that it is, which every engine here recommends.
pub trait Elementary:
    Number
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The names of the methods that the engine has no operation for. A call of one panics.
    const LACKS: &'static [&'static str] = &[];

    /// constant − x.
    fn subtract_from(self, constant: f64) -> Self;
    /// max(x, 0).
    fn positive_part(self) -> Self;
    fn recip(self) -> Self;
    fn sqrt(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn atan(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self {
        unreachable!("LACKS names erf, and what is named there is not called")
    }

    /// Whether |x| < bound, as a branch of the function.
    fn is_within(self, bound: f64) -> bool {
        self.value().abs() < bound
    }
}

/// How an engine adds up many terms.
///
/// The default bodies use the operations of [`Number`] only, so every engine records the same nodes. An engine that has
/// an operation of its own for one of these may run the same kernels a second time, with that operation in its place.
pub trait Reduce<N: Number> {
    /// x₀ + x₁ + …, of at least one term.
    fn sum(&self, terms: &[N]) -> N {
        terms.iter().copied().reduce(|sum, term| sum + term).expect("a sum of at least one term")
    }

    /// a₀·b₀ + a₁·b₁ + …, of at least one pair.
    fn dot(&self, a: &[N], b: &[N]) -> N {
        let products = a.iter().zip(b).map(|(&a, &b)| a * b);
        products.reduce(|sum, product| sum + product).expect("a product of at least one pair")
    }

    /// start + w₀·x₀ + w₁·x₁ + …, where the weights are constants.
    fn add_weighted(&self, start: N, weights: &[f64], terms: &[N]) -> N {
        weights.iter().zip(terms).fold(start, |sum, (&weight, term)| sum + term.scale(weight))
    }

    /// ln(e^x₀ + e^x₁ + …), of at least one term, without overflow.
    fn log_sum_exp(&self, terms: &[N]) -> N {
        let largest = largest(terms);
        let exponentials = terms.iter().map(|&term| (term - largest).exp());
        let sum = exponentials.reduce(|sum, term| sum + term).expect("at least one term");
        sum.ln() + largest
    }

    /// term(0) + term(1) + … + term(count − 1), where the terms share nothing but what was recorded before them.
    fn sum_over(&self, count: usize, mut term: impl FnMut(usize) -> N) -> N {
        let first = term(0);
        (1..count).fold(first, |sum, index| sum + term(index))
    }
}

/// Every term by itself: the default bodies of [`Reduce`].
pub struct OneByOne;

impl<N: Number> Reduce<N> for OneByOne {}

/// The term with the largest value, of at least one. Choosing it records nothing.
pub fn largest<N: Number>(terms: &[N]) -> N {
    terms
        .iter()
        .copied()
        .reduce(|largest, term| if term.value() > largest.value() { term } else { largest })
        .expect("at least one term")
}

/// start + w₀·x₀ + w₁·x₁ + … by an engine's own weighted sum.
///
/// A slope of the Runge–Kutta method takes the start in as a fifth term; with many terms, adding it afterwards costs
/// less than copying them.
#[inline]
pub fn add_weighted_by<N: Number>(
    weighted_sum: impl Fn(&[f64], &[N]) -> N,
    start: N,
    weights: &[f64],
    terms: &[N],
) -> N {
    match (weights, terms) {
        (&[w1], &[x1]) => weighted_sum(&[1.0, w1], &[start, x1]),
        (&[w1, w2, w3, w4], &[x1, x2, x3, x4]) => {
            weighted_sum(&[1.0, w1, w2, w3, w4], &[start, x1, x2, x3, x4])
        }
        _ => start + weighted_sum(weights, terms),
    }
}

/// Implements [`Number`] for a type whose operators take `f64` on the right. Its constants may be made on the tape of a number
/// beside them.
macro_rules! implement_number {
    ($number:ty, constant: |$beside:pat_param, $constant:ident| $made:expr, |$x:ident| value: $value:expr, exp: $exp:expr, ln: $ln:expr) => {
        impl crate::number::Number for $number {
            #[inline]
            fn constant($beside: Self, $constant: f64) -> Self {
                $made
            }
            #[inline]
            fn value(self) -> f64 {
                let $x = self;
                $value
            }
            #[inline]
            fn scale(self, factor: f64) -> Self {
                self * factor
            }
            #[inline]
            fn offset(self, constant: f64) -> Self {
                self + constant
            }
            #[inline]
            fn exp(self) -> Self {
                let $x = self;
                $exp
            }
            #[inline]
            fn ln(self) -> Self {
                let $x = self;
                $ln
            }
        }
    };
}
pub(crate) use implement_number;

/// Implements [`Elementary`] for a type whose functions are found under one name, and take it by value or by reference.
macro_rules! implement_elementary {
    (
        $number:ty, $home:ident $(by $reference:tt)?;
        lacks: $lacks:expr,
        |$x:ident| recip: $recip:expr, positive_part: $positive_part:expr $(, erf: $erf:expr)? $(, |$bound:ident| is_within: $is_within:expr)?
    ) => {
        impl crate::number::Elementary for $number {
            const LACKS: &'static [&'static str] = $lacks;

            #[inline]
            fn subtract_from(self, constant: f64) -> Self {
                constant - self
            }
            #[inline]
            fn positive_part(self) -> Self {
                let $x = self;
                $positive_part
            }
            #[inline]
            fn recip(self) -> Self {
                let $x = self;
                $recip
            }
            #[inline]
            fn sqrt(self) -> Self {
                $home::sqrt($($reference)? self)
            }
            #[inline]
            fn sin(self) -> Self {
                $home::sin($($reference)? self)
            }
            #[inline]
            fn cos(self) -> Self {
                $home::cos($($reference)? self)
            }
            #[inline]
            fn atan(self) -> Self {
                $home::atan($($reference)? self)
            }
            #[inline]
            fn tanh(self) -> Self {
                $home::tanh($($reference)? self)
            }
            $(
                #[inline]
                fn erf(self) -> Self {
                    let $x = self;
                    $erf
                }
            )?
            $(
                #[inline]
                fn is_within(self, $bound: f64) -> bool {
                    let $x = self;
                    $is_within
                }
            )?
        }
    };
}
pub(crate) use implement_elementary;
