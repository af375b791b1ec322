//! Rotations in space by rotation vectors, right at no rotation too.
//!
//! A rotation vector w turns by the angle |w| about its own direction. The usual formulas divide by |w|, and code like
//! nalgebra's takes another way where |w| is below ε: the derivatives at w = 0, where an optimisation over small turns
//! begins every step, come out as 0. The functions here use that the coefficients of Rodrigues' formula are smooth
//! functions of |w|² (see J. Solà, *A micro Lie theory for state estimation in robotics*, 2018, formulas 132 to 134),
//! whose series are used close to 0: first and second derivatives are right everywhere.
//!
//! They take arrays, so that they serve every library of vectors:
//!
//! ```
//! use tape::{Var, rotation};
//!
//! // The derivatives of a turned vector at no turn: −[v]ₓ.
//! let v = [1.0, 2.0, 3.0].map(Var::constant);
//! let (values, jacobian) =
//!     tape::jacobian(|w| rotation::turn([w[0], w[1], w[2]], v).to_vec(), &[0.0, 0.0, 0.0]);
//! assert_eq!(values, [1.0, 2.0, 3.0]);
//! assert_eq!(jacobian.data, [0.0, 3.0, -2.0, -3.0, 0.0, 1.0, 2.0, -1.0, 0.0]);
//! ```

use crate::real::{Real, select};

/// The vector `v`, turned by the rotation vector `w` (by the angle |w| in radians, about w).
///
/// Rodrigues' formula: v + a·w×v + b·w×(w×v) with a = sin θ/θ, b = (1 − cos θ)/θ², θ = |w|.
///
/// ```
/// let quarter = std::f64::consts::FRAC_PI_2;
/// let [x, y, z] = tape::rotation::turn([0.0, 0.0, quarter], [1.0, 0.0, 0.5]);
/// assert!(x.abs() < 1e-15 && (y - 1.0).abs() < 1e-15 && z == 0.5);
/// ```
#[track_caller]
pub fn turn<T: Real>(w: [T; 3], v: [T; 3]) -> [T; 3] {
    let square = dot(w, w);
    let once = cross(w, v);
    let twice = cross(w, once);
    let half = sine_over_angle(square * T::from_f64(0.25));
    let (a, b) = (sine_over_angle(square), half * half * T::from_f64(0.5));
    core::array::from_fn(|i| v[i] + a * once[i] + b * twice[i])
}

/// The unit quaternion `[x, y, z, w]` (the real part last, as nalgebra stores it) of a rotation vector.
///
/// With nalgebra: `UnitQuaternion::new_unchecked(Quaternion::from(tape::rotation::quaternion(w)))`.
///
/// ```
/// assert_eq!(tape::rotation::quaternion([0.0, 0.0, 0.0]), [0.0, 0.0, 0.0, 1.0]);
/// // Its derivative at no turn is ½ in every direction.
/// let imaginary = |w: &[tape::Var]| tape::rotation::quaternion([w[0], w[1], w[2]])[1];
/// assert_eq!(tape::gradient(imaginary, &[0.0, 0.0, 0.0]).1, [0.0, 0.5, 0.0]);
/// ```
#[track_caller]
pub fn quaternion<T: Real>(w: [T; 3]) -> [T; 4] {
    let square = dot(w, w);
    let [half, eighth] = [0.5, 0.125].map(T::from_f64);
    let factor = half * sine_over_angle(square * T::from_f64(0.25));
    // cos(θ/2) = 1 − 2·sin²(θ/4).
    let quarter = sine_over_angle(square * T::from_f64(0.0625));
    let real = T::from_f64(1.0) - eighth * square * quarter * quarter;
    [factor * w[0], factor * w[1], factor * w[2], real]
}

/// The rotation vector of a unit quaternion `[x, y, z, w]`, of an angle up to π: the inverse of [`quaternion`].
///
/// A quaternion and its negative are the same turn; the derivative is that along unit quaternions. At an angle of π,
/// where the direction jumps, it is that of one side.
///
/// ```
/// let w: [f64; 3] = [0.3, -0.2, 0.1];
/// let back = tape::rotation::rotation_vector(tape::rotation::quaternion(w));
/// assert!((0..3).all(|i| (back[i] - w[i]).abs() < 1e-15));
/// ```
#[track_caller]
pub fn rotation_vector<T: Real>(q: [T; 4]) -> [T; 3] {
    /// Up to this square of the half angle's tangent the series is used.
    const NEAR: f64 = 0.01;
    let [zero, one, two] = [0.0, 1.0, 2.0].map(T::from_f64);
    let imaginary = [q[0], q[1], q[2]];
    let square = dot(imaginary, imaginary);
    let sign = select(q[3], one, -one);
    let real = q[3] * sign;
    let beyond = square - real * real * T::from_f64(NEAR);
    // 2·atan(t)/t/real with t² = square/real².
    let near_real = select(beyond, one, real);
    let ratio = select(beyond, zero, square) / (near_real * near_real);
    let series =
        (0..10).rev().fold(zero, |sum, k| T::from_f64(1.0 / f64::from(2 * k + 1)) - ratio * sum);
    let length = select(beyond, square, one).sqrt();
    let factor = sign * two * select(beyond, length.atan2(real) / length, series / near_real);
    imaginary.map(|x| factor * x)
}

/// sin θ/θ as a function of θ².
fn sine_over_angle<T: Real>(square: T) -> T {
    /// Up to this square of the angle the series is used: ten terms of it leave less than 10⁻²⁰.
    const NEAR: f64 = 0.25;
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    let beyond = square - T::from_f64(NEAR);
    let small = select(beyond, zero, square);
    // 1 − s/(2·3)·(1 − s/(4·5)·(1 − …))
    let series = (1..10).rev().fold(one, |tail, k| {
        let factor = T::from_f64(1.0 / f64::from(2 * k * (2 * k + 1)));
        one - small * factor * tail
    });
    let angle = select(beyond, square, one).sqrt();
    select(beyond, angle.sin() / angle, series)
}

fn dot<T: Real>(a: [T; 3], b: [T; 3]) -> T {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross<T: Real>(a: [T; 3], b: [T; 3]) -> [T; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
