//! A function of several numbers, written once for all types of number, as an object: the ways are compiled once, not
//! once for each function.

use tape::{Dual, Lanes, Op, Real, Var};

/// A function without branches.
pub(crate) trait Function {
    fn at<T: Real>(&self, x: &[T]) -> T;
}

/// A function that compares its numbers, which lanes cannot.
pub(crate) trait Branching {
    fn at<T: Ordered>(&self, x: &[T]) -> T;
}

pub(crate) trait Ordered: Real + PartialOrd + PartialOrd<f64> {}

impl<T: Real + PartialOrd + PartialOrd<f64>> Ordered for T {}

/// A function as one of a single type of number.
pub(crate) trait Evaluate<T> {
    fn evaluate(&self, x: &[T]) -> T;
}

impl<F: Function, T: Real> Evaluate<T> for F {
    fn evaluate(&self, x: &[T]) -> T {
        self.at(x)
    }
}

/// Makes a [`Branching`] function one of every type of number, where it must not be asked for lanes.
pub(crate) struct Branches<F>(pub(crate) F);

macro_rules! any_function {
    (ordered: $($Ordered:ty),*; lanes: $($Lanes:ty),*;) => {
        /// A function of all types of number that the ways need.
        pub(crate) trait AnyFunction: $(Evaluate<$Ordered> +)* $(Evaluate<$Lanes> +)* {}

        impl<F: $(Evaluate<$Ordered> +)* $(Evaluate<$Lanes> +)*> AnyFunction for F {}

        $(impl<F: Branching> Evaluate<$Ordered> for Branches<F> {
            fn evaluate(&self, x: &[$Ordered]) -> $Ordered {
                self.0.at(x)
            }
        })*

        $(impl<F: Branching> Evaluate<$Lanes> for Branches<F> {
            fn evaluate(&self, _: &[$Lanes]) -> $Lanes {
                unreachable!("ways of lanes pass branches over")
            }
        })*
    };
}
any_function! {
    ordered: f64, Var, Dual, Var<f32>, Var<Var>, Var<Dual>, Dual<Var>, Dual<Dual>, Var<Var<Var>>, Dual<Dual<Dual>>;
    lanes: Var<Lanes<4>>, Dual<Lanes<4>>;
}

/// An operation of the table.
pub(crate) struct OfOp(pub(crate) Op);

impl Function for OfOp {
    fn at<T: Real>(&self, x: &[T]) -> T {
        self.0.apply(x)
    }
}

/// An operation whose second argument is an integer, which is given.
pub(crate) struct OfInteger(pub(crate) Op, pub(crate) i32);

impl Function for OfInteger {
    fn at<T: Real>(&self, x: &[T]) -> T {
        match self.0 {
            Op::Powi => x[0].powi(self.1),
            Op::Polygamma => x[0].polygamma(self.1.unsigned_abs()),
            op => unreachable!("{} takes no integer", op.name()),
        }
    }
}

/// `function!(|x| x[0].sin())`: the function as a [`Function`].
macro_rules! function {
    (|$x:ident| $body:expr) => {{
        struct F;
        impl $crate::function::Function for F {
            fn at<T: tape::Real>(&self, $x: &[T]) -> T {
                $body
            }
        }
        F
    }};
}
pub(crate) use function;

/// `branches!(|x| if x[0] > 0.0 { x[0] } else { -x[0] })`: the function as a [`Branching`] one.
macro_rules! branches {
    (|$x:ident| $body:expr) => {{
        struct F;
        impl $crate::function::Branching for F {
            fn at<T: $crate::function::Ordered>(&self, $x: &[T]) -> T {
                $body
            }
        }
        $crate::function::Branches(F)
    }};
}
pub(crate) use branches;

/// A constant of any type of number.
pub(crate) fn c<T: Real>(constant: f64) -> T {
    T::from_f64(constant)
}
