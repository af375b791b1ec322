//! The table of operations: one row gives an operation's name, value, partials, symbol and sampling range.
//!
//! What follows from the rows is made from them: the enum [`Op`](crate::Op), the formulas as functions
//! ([`partial`](mod@crate::partial)), the methods of [`Real`](crate::Real), [`Var`](crate::Var), [`Dual`](crate::Dual) and
//! [`Lanes`](crate::Lanes), the printer, the replay, and one property test per row. To add an operation, add a row.
//!
//! Beside the rows, these know an operation by its name, and are right without it: the vector functions (`vector.rs`), the
//! loops of the machine (`program/machine`), which values its sweep reads (`program/code/schedule.rs`), the rewrites
//! (`program/graph/simplify.rs`), which operations curve (`program/graph/sparsity.rs`) and hand on what is not finite
//! (`program/graph/lower.rs`).

/// Calls the macro `$then` with the extra words, in brackets, and then the whole table.
///
/// Sections, by shape:
/// - `operator_1`, `operator_2`: Rust's operators; `function_1`, `function_2`, `function_3`: methods of [`Real`] with
///   that many arguments (the receiver counts); `indexed`: methods whose second argument is an integer.
/// - A function's value on `f64` and `f32` is `std`'s method of the same name, or `special`'s.
/// - The closure gives the partials from the arguments *and the result*, in that order.
/// - The ranges say where tests sample each argument.
macro_rules! for_each_op {
    ($then:path $(, $extra:ident)*) => {
        $then! {
[$($extra)*]
operator_1 {
    neg Neg "-" [-10.0 .. 10.0] |x, y| -T::from_f64(1.0);
}
operator_2 {
    add Add + [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (T::from_f64(1.0), T::from_f64(1.0));
    sub Sub - [-10.0 .. 10.0, -10.0 .. 10.0] |x, y, z| (T::from_f64(1.0), -T::from_f64(1.0));
    // `cofactor(x, y, z)` is y, but NaN where the product z came out as 0·∞: see `Number::cofactor`.
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

/// Calls the macro `$then` with the methods of the table by their shape: documentation, name, operation, and what the
/// arguments beside the receiver are called.
macro_rules! for_each_method {
    ($then:ident) => {
        $crate::table::for_each_op!($crate::table::methods, $then);
    };
}
pub(crate) use for_each_method;

/// Leaves of the rows what [`for_each_method`] says.
macro_rules! methods {
    (
        [$then:ident]
        operator_1 { $($_o1:tt)* }
        operator_2 { $($_o2:tt)* }
        function_1 { $($(#[$doc_1:meta])* $_h1:ident $name_1:ident $op_1:ident [$_r1:expr] |$($_x1:ident),*| $_p1:expr;)* }
        indexed { $($(#[$doc_i:meta])* $_hi:ident $name_i:ident $op_i:ident($index:ty) [$_ri:expr] |$($_xi:ident),*| $_pi:expr;)* }
        function_2 { $($(#[$doc_2:meta])* $_h2:ident $name_2:ident $op_2:ident($b_2:ident) [$($_r2:expr),*] |$($_x2:ident),*| ($($_p2:expr),*);)* }
        function_3 { $($(#[$doc_3:meta])* $_h3:ident $name_3:ident $op_3:ident($b_3:ident, $c_3:ident) [$($_r3:expr),*] |$($_x3:ident),*| ($($_p3:expr),*);)* }
    ) => {
        $then! {
            of_1 { $($(#[$doc_1])* $name_1 $op_1;)* }
            indexed { $($(#[$doc_i])* $name_i $op_i($index);)* }
            of_2 { $($(#[$doc_2])* $name_2 $op_2($b_2);)* }
            of_3 { $($(#[$doc_3])* $name_3 $op_3($b_3, $c_3);)* }
        }
    };
}
pub(crate) use methods;
