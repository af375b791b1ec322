//! Forward mode: a value and its tangent, carried through every operation together.

use core::fmt::{self, Display};

use crate::kinks;
use crate::number::Number;
use crate::op::Op;
use crate::partial;
use crate::real::Real;
use crate::table::for_each_method;

/// A number with its derivative in one direction: value + ε·tangent, with ε² = 0.
///
/// Forward mode costs one evaluation per direction, needs no memory, and is the better choice for functions of few
/// inputs. It is also the simplest check of reverse mode: both use the same table of partials.
///
/// A factor of the chain rule that is exactly 0 wins over ∞ and NaN, as a zero adjoint does in the sweep.
///
/// ```
/// use tape::Dual;
///
/// // d/dx (x² + sin x) at 2, in the direction 1.
/// let x = Dual::new(2.0, 1.0);
/// let y = x * x + x.sin();
/// assert_eq!(y.value, 4.0 + 2.0_f64.sin());
/// assert_eq!(y.tangent, 4.0 + 2.0_f64.cos());
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Dual<T = f64> {
    /// The number itself.
    pub value: T,
    /// Its derivative in the chosen direction.
    pub tangent: T,
}

impl<T: Real> Dual<T> {
    /// A number and its derivative.
    #[inline(always)]
    pub fn new(value: T, tangent: T) -> Self {
        Self { value, tangent }
    }

    /// A number whose derivative is 0.
    #[inline(always)]
    pub fn constant(value: T) -> Self {
        Self { value, tangent: T::from_f64(0.0) }
    }

    /// A number to differentiate by: its tangent is 1.
    ///
    /// It is one number, not a slice of them, because an evaluation has one direction: to seed every input would give the
    /// derivative along (1, …, 1). For a partial derivative, seed one input and leave the others constant.
    ///
    /// ```
    /// use tape::Dual;
    ///
    /// let cube = |x: Dual| x * x * x;
    /// assert_eq!(cube(Dual::seeded(2.0)), Dual::new(8.0, 12.0));
    ///
    /// // ∂(x·y²)/∂y at (5, 3).
    /// let f = |x: Dual, y: Dual| x * y * y;
    /// assert_eq!(f(5.0.into(), Dual::seeded(3.0)).tangent, 30.0);
    /// ```
    pub fn seeded(value: T) -> Self {
        Self { value, tangent: T::from_f64(1.0) }
    }

    fn tangent_of_sum(products: impl Iterator<Item = (T, T)>) -> T {
        let products = products.map(|(partial, tangent)| T::chain(partial, tangent));
        products.fold(T::from_f64(0.0), |sum, product| sum + product)
    }
}

impl<T: Real> From<T> for Dual<T> {
    fn from(value: T) -> Self {
        Self::constant(value)
    }
}

/// `value + tangent ε`.
impl<T: Real> Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        Display::fmt(&self.tangent, f)?;
        f.write_str("ε")
    }
}

macro_rules! define_dual {
    (
        of_1 { $($(#[$doc_1:meta])* $name_1:ident $op_1:ident;)* }
        indexed { $($(#[$doc_i:meta])* $name_i:ident $op_i:ident($index:ty);)* }
        of_2 { $($(#[$doc_2:meta])* $name_2:ident $op_2:ident($b_2:ident);)* }
        of_3 { $($(#[$doc_3:meta])* $name_3:ident $op_3:ident($b_3:ident, $c_3:ident);)* }
    ) => {
        /// The operations of the table, also as inherent methods: no trait need be imported, and importing several that
        /// have methods of the same names is never ambiguous.
        impl<T: Real> Dual<T> {
            $(
                $(#[$doc_1])*
                #[inline]
                pub fn $name_1(self) -> Self {
                    if matches!(Op::$op_1, Op::Recip) {
                        // A square of the value could overflow where its product with the tangent does not.
                        let value = self.value.$name_1();
                        return Self { value, tangent: -T::chain(value, T::chain(value, self.tangent)) };
                    }
                    let (value, partial) =
                        T::with_partial(Op::$op_1, self.value, T::$name_1, partial::$name_1::of_0);
                    Self { value, tangent: T::chain(partial, self.tangent) }
                }
            )*
            $(
                $(#[$doc_i])*
                #[inline]
                pub fn $name_i(self, n: $index) -> Self {
                    let value = self.value.$name_i(n);
                    let tangent = T::chain(partial::$name_i::of_0(self.value, n, value), self.tangent);
                    Self { value, tangent }
                }
            )*
            $(
                $(#[$doc_2])*
                #[inline]
                pub fn $name_2(self, $b_2: Self) -> Self {
                    let (x, y) = (self.value, $b_2.value);
                    let value = x.$name_2(y);
                    let tangent = T::chain(partial::$name_2::of_0(x, y, value), self.tangent)
                        + T::chain(partial::$name_2::of_1(x, y, value), $b_2.tangent);
                    Self { value, tangent }
                }
            )*
            $(
                $(#[$doc_3])*
                #[inline]
                pub fn $name_3(self, $b_3: Self, $c_3: Self) -> Self {
                    let (x, y, z) = (self.value, $b_3.value, $c_3.value);
                    let value = x.$name_3(y, z);
                    let tangent = T::chain(partial::$name_3::of_0(x, y, z, value), self.tangent)
                        + T::chain(partial::$name_3::of_1(x, y, z, value), $b_3.tangent)
                        + T::chain(partial::$name_3::of_2(x, y, z, value), $c_3.tangent);
                    Self { value, tangent }
                }
            )*
        }

        impl<T: Real> Real for Dual<T> {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                Self::constant(T::from_f64(value))
            }

            #[inline(always)]
            fn primal(self) -> f64 {
                self.value.primal()
            }

            $(#[inline(always)] fn $name_1(self) -> Self { Dual::$name_1(self) })*
            $(#[inline(always)] fn $name_i(self, n: $index) -> Self { Dual::$name_i(self, n) })*
            $(#[inline(always)] fn $name_2(self, $b_2: Self) -> Self { Dual::$name_2(self, $b_2) })*
            $(#[inline(always)] fn $name_3(self, $b_3: Self, $c_3: Self) -> Self { Dual::$name_3(self, $b_3, $c_3) })*
        }
    };
}
for_each_method!(define_dual);

impl<T: Real> Number for Dual<T> {
    const DEPTH: usize = T::DEPTH + 1;
    const LANES: usize = T::LANES;
    #[inline(always)]
    fn innermost(self) -> f64 {
        self.value.innermost()
    }

    fn sum_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        terms.reduce(|sum, term| sum + term).unwrap_or(Self::from_f64(0.0))
    }

    fn dot_of<I: Iterator<Item = (Self, Self)> + Clone>(pairs: I) -> Self {
        Self::sum_of(pairs.map(|(a, b)| a * b))
    }

    fn norm_of<I: Iterator<Item = Self> + Clone>(components: I) -> Self {
        let value = T::norm_of(components.clone().map(|x| x.value));
        let tip = kinks::norm_tip(components.clone().map(|x| x.value), value);
        let tangent = Self::tangent_of_sum(
            components.map(|x| (kinks::norm_partial(x.value, value, tip), x.tangent)),
        );
        Self { value, tangent }
    }

    fn log_sum_exp_of<I: Iterator<Item = Self> + Clone>(terms: I) -> Self {
        let (value, weights) = kinks::log_sum_exp_weights(terms.clone().map(|x| x.value));
        let tangents = terms.map(|x| x.tangent);
        let tangent = Self::tangent_of_sum(weights.iter().copied().zip(tangents));
        Self { value, tangent }
    }

    #[inline(always)]
    fn step(op: Op, x: Self, y: Self) -> Self {
        Self::constant(T::step(op, x.value, y.value))
    }

    #[inline]
    fn pick(condition: Self, a: Self, b: Self) -> Self {
        Self {
            value: T::pick(condition.value, a.value, b.value),
            tangent: T::pick(condition.value, a.tangent, b.tangent),
        }
    }

    #[inline(always)]
    fn decided(self) -> Option<bool> {
        self.value.decided()
    }

    #[inline(always)]
    fn chain(partial: Self, derivative: Self) -> Self {
        Self {
            value: T::chain(partial.value, derivative.value),
            tangent: T::chain(partial.tangent, derivative.value)
                + T::chain(partial.value, derivative.tangent),
        }
    }

    #[inline(always)]
    fn cofactor(x: Self, y: Self, product: Self) -> Self {
        Self { value: T::cofactor(x.value, y.value, product.value), tangent: y.tangent }
    }

    #[inline(always)]
    fn recorded_chain(partial: Self, derivative: Self) -> Self {
        let value = T::recorded_chain(partial.value, derivative.value);
        Self { value, ..Self::chain(partial, derivative) }
    }

    #[inline(always)]
    fn recorded_cofactor(x: Self, y: Self) -> Self {
        Self { value: T::recorded_cofactor(x.value, y.value), tangent: y.tangent }
    }

    #[inline(always)]
    fn tip(x: Self, length: Self) -> Self {
        Self {
            value: T::tip(x.value, length.value),
            tangent: T::chain(kinks::tip_partial(length.value), x.tangent),
        }
    }

    fn largest_of<I: Iterator<Item = Self> + Clone>(numbers: I) -> Self {
        Self::constant(T::largest_of(numbers.map(|x| x.value)))
    }

    #[inline(always)]
    fn weight(self, largest: Self) -> Self {
        let value = self.value.weight(largest.value);
        Self { value, tangent: T::chain(value, self.tangent) }
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        Self::constant(self.value.stop_gradient())
    }

    #[inline(always)]
    fn lanes_where(x: Self, y: Self, condition: impl Fn(f64, f64) -> bool) -> u64 {
        T::lanes_where(x.value, y.value, condition)
    }

    #[inline(always)]
    fn vanishing_lanes(self) -> u64 {
        self.value.vanishing_lanes() & self.tangent.vanishing_lanes()
    }

    #[inline(always)]
    fn vanishes(self) -> bool {
        self.value.vanishes() && self.tangent.vanishes()
    }

    #[inline(always)]
    fn is_the_constant(self, value: f64) -> bool {
        self.value.is_the_constant(value) && self.tangent.vanishes()
    }

    #[inline(always)]
    fn is_a_finite_factor(self) -> bool {
        self.value.is_a_finite_factor() && self.tangent.vanishes()
    }

    #[inline(always)]
    fn note_sign(self) {
        self.value.note_sign();
    }

    #[inline(always)]
    fn note_integer(self) {
        self.value.note_integer();
    }

    #[inline(always)]
    fn note_bits(self) {
        self.value.note_bits();
    }
}
