//! The table in the feature's documentation, held against numeric derivatives: which of nalgebra's functions give right
//! derivatives, to which order, at ordinary and at special points.

use super::library::{
    DMatrix, DVector, Isometry3, Matrix2, Matrix3, Matrix4, Perspective3, Point3, RealField,
    Rotation2, Rotation3, SMatrix, SVector, Similarity3, Translation3, Unit, UnitComplex,
    UnitQuaternion, Vector2, Vector3, convert,
};
use tape::check::{self, Verdict};
use tape::{Dual, Var};

/// How far derivatives are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Second,
    First,
    Not,
}

/// What numeric derivatives say, with the reason.
struct Found(Right, String);

impl Found {
    fn is(&self, expected: Right, name: &str, at: &str) -> Result<(), String> {
        let Self(right, why) = self;
        (*right == expected)
            .then_some(())
            .ok_or_else(|| format!("{name} at {at}: {right:?}, not {expected:?}: {why}"))
    }
}

/// How far the derivatives of a function at a point are right, by numeric derivatives of its values and of its gradient.
fn judge(
    plain: &dyn Fn(&[f64]) -> f64,
    reverse: &dyn Fn(&[Var]) -> Var,
    forward: &dyn Fn(&[Dual]) -> Dual,
    x: &[f64],
) -> Found {
    let (value, gradient) = tape::gradient(reverse, x);
    let same_value = value.to_bits() == plain(x).to_bits() || value.is_nan() && plain(x).is_nan();
    if !same_value {
        return Found(Right::Not, format!("value {value} instead of {}", plain(x)));
    }
    for (i, component) in gradient.iter().enumerate() {
        let seeded = x.iter().enumerate();
        let x: Vec<Dual> =
            seeded.map(|(j, &x)| Dual::new(x, if i == j { 1.0 } else { 0.0 })).collect();
        let tangent = forward(&x).tangent;
        let close = (tangent - component).abs() <= 1e-10 * (1.0 + tangent.abs());
        if !close {
            return Found(
                Right::Not,
                format!("by Dual component {i} is {tangent}, not {component}"),
            );
        }
    }
    let first = check::gradient_of(plain, &gradient, x);
    if !matches!(first, Verdict::Pass) && !is_close(&first) {
        return Found(Right::Not, first.to_string());
    }
    // Along one direction: of all second derivatives, a sum.
    let along: Vec<f64> = (0..x.len()).map(|i| (i as f64 * 2.1 + 0.7).cos()).collect();
    let product = tape::hessian_vector(reverse, x, &along).2;
    let slope = |x: &[f64]| tape::dot(&tape::gradient(reverse, x).1, &along);
    let second = check::gradient_of(slope, &product, x);
    if !matches!(second, Verdict::Pass) && !is_close(&second) {
        return Found(Right::First, format!("second: {second}"));
    }
    Found(Right::Second, String::new())
}

/// Not seven digits, but no doubt.
fn is_close(verdict: &Verdict) -> bool {
    match *verdict {
        Verdict::Unchecked { why: check::Why::Imprecise { error_estimate, .. } } => {
            error_estimate < 1e-2
        }
        Verdict::Mismatch { exact, numeric, .. } => (exact - numeric).abs() < 1e-7,
        _ => false,
    }
}

/// All entries of a matrix in one number, each with its own weight.
fn entries<'a, T: RealField + Copy>(matrix: impl IntoIterator<Item = &'a T>) -> T {
    matrix
        .into_iter()
        .enumerate()
        .fold(T::zero(), |sum, (i, &entry)| sum + entry * constant((i as f64 * 1.3 + 0.4).sin()))
}

fn constant<T: RealField>(x: f64) -> T {
    convert(x)
}

const A: [f64; 9] = [4.0, 1.0, -0.5, 0.8, 3.0, 0.7, -0.4, 0.6, 2.0];
const DIAGONAL: [f64; 9] = [3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0];
const TRIANGULAR: [f64; 9] = [1.0, 1.0, 1.0, 0.0, 2.0, 1.0, 0.0, 0.0, 4.0];
const IDENTITY: [f64; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
const ZERO: [f64; 9] = [0.0; 9];
const SINGULAR: [f64; 9] = [1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 0.5, 2.0];
const PERMUTATION: [f64; 9] = [0.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.0];
const B: [f64; 3] = [1.0, -2.0, 0.5];
const Y: [f64; 3] = [0.3, 0.9, -1.1];

fn symmetric<T: RealField + Copy>(x: &[T]) -> Matrix3<T> {
    let m = Matrix3::from_row_slice(&x[..9]);
    (m + m.transpose()) * constant::<T>(0.5)
}

fn join(parts: &[&[f64]]) -> Vec<f64> {
    parts.concat()
}

/// Rows: name, special points (each with the order to which derivatives are right there), and the function.
macro_rules! table {
    ($($name:literal [$($at:literal $right:ident $point:expr),* $(,)?] |$x:ident| $body:expr;)*) => {
        /// For each row and point, what is not as the row says.
        fn rows() -> Vec<Result<(), String>> {
            let mut rows = Vec::new();
            $({
                fn f<T: RealField + Copy>($x: &[T]) -> T { $body }
                $(rows.push(judge(&|x| f(x), &|x| f(x), &|x| f(x), &join(&$point)).is(Right::$right, $name, $at));)*
            })*
            rows
        }
    };
}

fn m3<T: RealField + Copy>(x: &[T]) -> Matrix3<T> {
    Matrix3::from_row_slice(&x[..9])
}
fn v3<T: RealField + Copy>(x: &[T]) -> Vector3<T> {
    Vector3::from_column_slice(&x[..3])
}

table! {
"product" ["ordinary" Second [&A, &DIAGONAL], "zero" Second [&ZERO, &A]] |x| entries(&(m3(x) * m3(&x[9..])));
"product (DMatrix)" ["ordinary" Second [&A, &DIAGONAL], "zero" Second [&ZERO, &A]] |x| entries(&(DMatrix::from_row_slice(3, 3, &x[..9]) * DMatrix::from_row_slice(3, 3, &x[9..])));
"gemv" ["ordinary" Second [&A, &B, &Y, &[0.7, 0.3]], "beta 0" Second [&A, &B, &Y, &[0.7, 0.0]], "alpha 0" Second [&A, &B, &Y, &[0.0, 0.5]], "beta 1" Second [&A, &B, &Y, &[1.0, 1.0]]] |x| {
    let mut y = v3(&x[12..]);
    y.gemv(x[15], &m3(x), &v3(&x[9..]), x[16]);
    entries(&y)
};
"gemv_tr" ["beta 0" Second [&A, &B, &Y, &[0.7, 0.0]]] |x| { let mut y = v3(&x[12..]); y.gemv_tr(x[15], &m3(x), &v3(&x[9..]), x[16]); entries(&y) };
"sygemv" ["beta 0" Second [&A, &B, &Y, &[0.7, 0.0]]] |x| { let mut y = v3(&x[12..]); y.sygemv(x[15], &m3(x), &v3(&x[9..]), x[16]); entries(&y) };
"gemm" ["ordinary" Second [&A, &DIAGONAL, &TRIANGULAR, &[0.7, 0.3]], "beta 0" Second [&A, &A, &TRIANGULAR, &[0.7, 0.0]], "alpha 0" Second [&A, &A, &TRIANGULAR, &[0.0, 0.3]]] |x| { let mut y = m3(&x[18..]); y.gemm(x[27], &m3(x), &m3(&x[9..]), x[28]); entries(&y) };
"gemm_tr" ["beta 0" Second [&A, &A, &TRIANGULAR, &[0.7, 0.0]]] |x| { let mut y = m3(&x[18..]); y.gemm_tr(x[27], &m3(x), &m3(&x[9..]), x[28]); entries(&y) };
"ger" ["ordinary" Second [&A, &B, &Y, &[0.7, 0.3]], "beta 0" Second [&A, &B, &Y, &[0.7, 0.0]]] |x| { let mut y = m3(x); y.ger(x[15], &v3(&x[9..]), &v3(&x[12..]), x[16]); entries(&y) };
"syger" ["beta 0" Second [&A, &B, &Y, &[0.7, 0.0]]] |x| { let mut y = m3(x); y.syger(x[15], &v3(&x[9..]), &v3(&x[12..]), x[16]); entries(&y) };
"axpy" ["ordinary" Second [&B, &Y, &[0.7, 0.3]], "beta 0" Second [&B, &Y, &[0.7, 0.0]], "alpha 0" Second [&B, &Y, &[0.0, 0.4]]] |x| { let mut y = v3(x); y.axpy(x[6], &v3(&x[3..]), x[7]); entries(&y) };
"axcpy" ["beta 0" Second [&B, &Y, &[0.7, 0.0, 1.2]]] |x| { let mut y = v3(x); y.axcpy(x[6], &v3(&x[3..]), x[8], x[7]); entries(&y) };
"cmpy" ["beta 0" Second [&B, &Y, &Y, &[0.7, 0.0]]] |x| { let mut y = v3(x); y.cmpy(x[9], &v3(&x[3..]), &v3(&x[6..]), x[10]); entries(&y) };
"quadform" ["beta 0" Second [&A, &DIAGONAL, &IDENTITY, &[0.7, 0.0]]] |x| { let mut y = m3(x); y.quadform(x[27], &m3(&x[9..]), &m3(&x[18..]), x[28]); entries(&y) };
"dot, cross, trace, kronecker" ["ordinary" Second [&A, &B, &Y], "zero" Second [&ZERO, &B, &[0.0; 3]]] |x| { let (a, b) = (v3(&x[9..]), v3(&x[12..])); a.dot(&b) + entries(&a.cross(&b)) + m3(x).trace() + entries(&a.kronecker(&b)) };
"norm" ["ordinary" Second [&B], "axis" Second [&[0.0, 2.0, 0.0]]] |x| v3(x).norm();
"norm_squared" ["ordinary" Second [&B], "zero" Second [&[0.0; 3]]] |x| v3(x).norm_squared();
"normalize" ["ordinary" Second [&B], "axis" Second [&[0.0, 2.0, 0.0]]] |x| entries(&v3(x).normalize());
"angle" ["ordinary" Second [&B, &Y]] |x| v3(x).angle(&v3(&x[3..]));
"determinant (2, 3)" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "singular" Second [&SINGULAR], "zero" Second [&ZERO]] |x| m3(x).determinant() + Matrix2::from_row_slice(&x[..4]).determinant();
"determinant (4)" ["ordinary" Second [&A, &[0.3, -1.0, 0.2, 0.5, 1.0, 0.7, 2.0]], "diagonal" Second [&[2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 0.0, 1.0]], "singular" Second [&[1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 6.0, 8.0, 0.0, 1.0, 0.5, 2.0, 1.0, 0.0, 0.0, 3.0]]] |x| Matrix4::from_row_slice(x).determinant();
"lu.determinant" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "permutation" Second [&PERMUTATION], "singular" Second [&SINGULAR], "zero" Second [&ZERO]] |x| m3(x).lu().determinant();
"lu.solve" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B], "permutation" Second [&PERMUTATION, &B], "right side 0" Second [&A, &[0.0; 3]]] |x| entries(&m3(x).lu().solve(&v3(&x[9..])).unwrap());
"lu.solve (DMatrix)" ["ordinary" Second [&A, &B], "identity" Second [&IDENTITY, &B]] |x| entries(&DMatrix::from_row_slice(3, 3, &x[..9]).lu().solve(&DVector::from_column_slice(&x[9..])).unwrap());
"full_piv_lu.solve" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B]] |x| entries(&m3(x).full_piv_lu().solve(&v3(&x[9..])).unwrap());
"try_inverse (2, 3)" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "identity" Second [&IDENTITY]] |x| entries(&m3(x).try_inverse().unwrap()) + entries(&Matrix2::from_row_slice(&[x[0], x[1], x[3], x[4]]).try_inverse().unwrap());
"try_inverse (4)" ["ordinary" Second [&A, &[0.3, -1.0, 0.2, 0.5, 1.0, 0.7, 2.0]], "diagonal" Second [&[2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 0.0, 1.0]]] |x| entries(&Matrix4::from_row_slice(x).try_inverse().unwrap());
"try_inverse (DMatrix)" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL]] |x| entries(&DMatrix::from_row_slice(3, 3, x).try_inverse().unwrap());
"cholesky.solve" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B], "identity" Second [&IDENTITY, &B]] |x| entries(&symmetric(x).cholesky().unwrap().solve(&v3(&x[9..])));
"cholesky.l" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "identity" Second [&IDENTITY]] |x| entries(&symmetric(x).cholesky().unwrap().l());
"cholesky.determinant, inverse" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL]] |x| { let c = symmetric(x).cholesky().unwrap(); c.determinant() + entries(&c.inverse()) };
"udu" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL]] |x| { let u = symmetric(x).udu().unwrap(); entries(&u.u) + entries(&u.d) };
"qr (q, r)" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "triangular" Second [&TRIANGULAR], "identity" Second [&IDENTITY], "permutation" Second [&PERMUTATION]] |x| { let qr = m3(x).qr(); entries(&qr.q()) + entries(&qr.r()) };
"qr.solve" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B]] |x| entries(&m3(x).qr().solve(&v3(&x[9..])).unwrap());
"col_piv_qr.solve" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B]] |x| entries(&m3(x).col_piv_qr().solve(&v3(&x[9..])).unwrap());
"solve_lower_triangular" ["ordinary" Second [&A, &B], "diagonal" Second [&DIAGONAL, &B]] |x| entries(&m3(x).solve_lower_triangular(&v3(&x[9..])).unwrap());
"least squares by qr" ["ordinary" Second [&A, &B, &Y, &[0.4]], "diagonal" Second [&[1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0], &B, &Y, &[0.4, 0.7]]] |x| {
    let a = SMatrix::<T, 4, 2>::from_row_slice(&x[..8]);
    let b = SVector::<T, 4>::from_column_slice(&x[8..12]);
    let qr = a.qr();
    entries(&qr.r().solve_upper_triangular(&(qr.q().transpose() * b)).unwrap())
};
"symmetric_eigen, sum of squared values" ["ordinary" First [&A], "diagonal" First [&DIAGONAL], "identity" First [&IDENTITY]] |x| symmetric(x).symmetric_eigen().eigenvalues.norm_squared();
"symmetric_eigen, largest value" ["ordinary" First [&A], "diagonal" First [&DIAGONAL]] |x| symmetric(x).symmetric_eigen().eigenvalues.max();
"symmetric_eigen, root by vectors" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL], "identity" Not [&IDENTITY]] |x| {
    let mut e = symmetric(x).symmetric_eigen();
    e.eigenvalues = e.eigenvalues.map(T::sqrt);
    entries(&e.recompose())
};
"symmetric_eigen (2), root by vectors" ["ordinary" Second [&[1.0, 0.5, 4.0]], "diagonal" Not [&[1.0, 0.0, 4.0]]] |x| {
    let mut e = Matrix2::new(x[0], x[1], x[1], x[2]).symmetric_eigen();
    e.eigenvalues = e.eigenvalues.map(T::sqrt);
    entries(&e.recompose())
};
"svd, singular values' sum" ["ordinary" First [&A], "diagonal" First [&DIAGONAL], "identity" Second [&IDENTITY]] |x| m3(x).svd(false, false).singular_values.sum();
"svd, values squared" ["ordinary" First [&A], "diagonal" First [&DIAGONAL]] |x| m3(x).svd(true, true).singular_values.norm_squared();
"svd, polar factor" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL], "identity" Not [&IDENTITY]] |x| { let s = m3(x).svd(true, true); entries(&(s.u.unwrap() * s.v_t.unwrap())) };
"svd (2), polar factor" ["ordinary" Second [&[3.0, 0.5, -0.3, 2.0]], "diagonal" Second [&[3.0, 0.0, 0.0, 2.0]]] |x| { let s = Matrix2::from_row_slice(x).svd(true, true); entries(&(s.u.unwrap() * s.v_t.unwrap())) };
"pseudo_inverse" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL]] |x| entries(&m3(x).pseudo_inverse(constant(1e-12)).unwrap());
"schur, largest eigenvalue" ["ordinary" Second [&A], "triangular" Not [&TRIANGULAR], "diagonal" First [&DIAGONAL]] |x| m3(x).schur().eigenvalues().map_or(constant(f64::NAN), |values| values.max());
"hessenberg" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL]] |x| { let (q, h) = m3(x).hessenberg().unpack(); entries(&(q * h * q.transpose())) + entries(&h) };
"symmetric_tridiagonalize" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL]] |x| { let (q, d, o) = symmetric(x).symmetric_tridiagonalize().unpack(); entries(&q) + entries(&d) + entries(&o) };
"bidiagonalize" ["ordinary" Second [&A], "diagonal" Not [&DIAGONAL]] |x| { let (u, d, v) = m3(x).bidiagonalize().unpack(); entries(&(u * d * v)) };
"exp" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "identity" Second [&IDENTITY], "zero" Second [&ZERO], "small" Second [&[1e-3, 2e-3, 0.0, 0.0, 1e-3, 1e-4, 0.0, 0.0, 0.0]]] |x| entries(&m3(x).exp());
"pow" ["ordinary" Second [&A], "diagonal" Second [&DIAGONAL], "zero" Second [&ZERO]] |x| entries(&m3(x).pow(3));
"mean, variance" ["ordinary" Second [&A], "zero" Second [&ZERO]] |x| m3(x).mean() + m3(x).variance();
"Rotation3::new * v" ["ordinary" Second [&B, &Y], "no turn" Not [&[0.0; 3], &Y], "small" Not [&[1e-9, 2e-9, -1e-9], &Y]] |x| entries(&(Rotation3::new(v3(x)) * v3(&x[3..])));
"Rotation3::from_axis_angle" ["ordinary" Second [&[0.7], &Y], "no turn" Not [&[0.0], &Y]] |x| entries(&(Rotation3::from_axis_angle(&Vector3::z_axis(), x[0]) * v3(&x[1..])));
"Rotation3::from_euler_angles" ["ordinary" Second [&B, &Y], "no turn" Second [&[0.0; 3], &Y]] |x| entries(&(Rotation3::from_euler_angles(x[0], x[1], x[2]) * v3(&x[3..])));
"Rotation3::scaled_axis" ["ordinary" Second [&[0.4, -0.2, 0.3]], "no turn" Second [&[0.0; 3]]] |x| entries(&Rotation3::from_euler_angles(x[0], x[1], x[2]).scaled_axis());
"Rotation3::euler_angles" ["ordinary" Second [&[0.4, -0.2, 0.3]], "no turn" Second [&[0.0; 3]]] |x| { let e = Rotation3::from_euler_angles(x[0], x[1], x[2]).euler_angles(); e.0 + e.1 * e.1 + e.2 * e.0 };
"Rotation3::rotation_between" ["ordinary" Second [&B, &Y]] |x| Rotation3::rotation_between(&v3(x), &v3(&x[3..])).map_or(T::zero(), |r| entries(r.matrix()));
"Rotation2, UnitComplex" ["ordinary" Second [&[0.7, 1.0, 2.0]], "no turn" Second [&[0.0, 1.0, 2.0]]] |x| { let v = Vector2::new(x[1], x[2]); entries(&(Rotation2::new(x[0]) * v)) + entries(&(UnitComplex::new(x[0]) * v)) + UnitComplex::new(x[0]).angle() };
"UnitQuaternion::new * v" ["ordinary" Second [&B, &Y], "no turn" Not [&[0.0; 3], &Y], "small" Second [&[1e-9, 2e-9, -1e-9], &Y]] |x| entries(&(UnitQuaternion::new(v3(x)) * v3(&x[3..])));
"UnitQuaternion::from_scaled_axis" ["ordinary" Second [&B, &Y], "no turn" Not [&[0.0; 3], &Y]] |x| entries(&(UnitQuaternion::from_scaled_axis(v3(x)) * v3(&x[3..])));
"UnitQuaternion::from_axis_angle" ["ordinary" Second [&[0.7], &Y], "no turn" Second [&[0.0], &Y]] |x| entries(&(UnitQuaternion::from_axis_angle(&Vector3::z_axis(), x[0]) * v3(&x[1..])));
"UnitQuaternion::from_euler_angles" ["ordinary" Second [&B, &Y], "no turn" Second [&[0.0; 3], &Y]] |x| entries(&(UnitQuaternion::from_euler_angles(x[0], x[1], x[2]) * v3(&x[3..])));
"UnitQuaternion::scaled_axis" ["ordinary" Second [&[0.4, -0.2, 0.3]], "no turn" Not [&[0.0; 3]]] |x| entries(&UnitQuaternion::from_euler_angles(x[0], x[1], x[2]).scaled_axis());
"UnitQuaternion::angle" ["ordinary" Second [&[0.4, -0.2, 0.3]]] |x| UnitQuaternion::from_euler_angles(x[0], x[1], x[2]).angle();
"UnitQuaternion::slerp" ["ordinary" Second [&[0.4, -0.2, 0.3, 0.6]], "no turn between" Second [&[0.0, 0.0, 0.0, 0.6]], "start" Second [&[0.4, -0.2, 0.3, 0.0]]] |x| { let q = UnitQuaternion::from_euler_angles(x[0], x[1], x[2]); UnitQuaternion::identity().try_slerp(&q, x[3], constant(1e-9)).map_or(T::zero(), |q| entries(q.to_rotation_matrix().matrix())) };
"UnitQuaternion from matrix" ["ordinary" Second [&[0.4, -0.2, 0.3]], "no turn" Second [&[0.0; 3]]] |x| entries(&UnitQuaternion::from_rotation_matrix(&Rotation3::from_euler_angles(x[0], x[1], x[2])).into_inner().coords);
"UnitQuaternion products, inverse" ["ordinary" Second [&B, &Y], "no turn" Second [&[0.0; 3], &[0.0; 3]]] |x| entries(&(UnitQuaternion::from_euler_angles(x[0], x[1], x[2]).inverse() * UnitQuaternion::from_euler_angles(x[3], x[4], x[5])).into_inner().coords);
"Isometry3, Similarity3" ["ordinary" Second [&B, &Y, &[1.5]], "identity" Second [&[0.0; 3], &[0.0; 3], &[1.0]]] |x| {
    let iso = Isometry3::from_parts(Translation3::from(v3(x)), UnitQuaternion::from_euler_angles(x[3], x[4], x[5]));
    let p = Point3::new(constant(0.3), constant(1.0), constant(-0.7));
    entries(&(iso * p).coords) + entries(&(iso.inverse() * p).coords) + entries(&(Similarity3::from_isometry(iso, x[6]) * p).coords)
};
"Isometry3::look_at_rh, Perspective3" ["ordinary" Second [&B, &Y, &[1.5, 0.9]]] |x| {
    let iso = Isometry3::look_at_rh(&Point3::from(v3(x)), &Point3::from(v3(&x[3..])), &Vector3::y());
    let p = Point3::new(constant(0.3), constant(1.0), constant(-0.7));
    let projection = Perspective3::new(x[6], x[7], constant(0.1), constant(100.0));
    entries(&projection.project_point(&(iso * p)).coords)
};
"Unit::new_normalize, face_towards" ["ordinary" Second [&B, &Y]] |x| entries(&Unit::new_normalize(v3(x)).into_inner()) + entries(Rotation3::face_towards(&v3(x), &v3(&x[3..])).matrix());
"convolve_full" ["ordinary" Second [&B, &Y]] |x| entries(&v3(x).convolve_full(SVector::<T, 2>::from_column_slice(&x[3..5])));
}

#[test]
fn functions_of_nalgebra_are_right_to_the_order_that_the_documentation_says() {
    let rows = rows();
    let surprises: Vec<&String> = rows.iter().filter_map(|row| row.as_ref().err()).collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(rows.len() > 130, "{}", rows.len());
}
