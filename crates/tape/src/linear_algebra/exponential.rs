//! The exponential of a matrix.

use super::factors::Lu;
use super::product::product;
use super::{told_by_its_size, transposed};
use crate::matrix::Matrix;
use crate::operation::applied;
use crate::real::Real;
use crate::real::operation::Operation;

/// e to the A.
///
/// Its derivative along E is the block above the diagonal of the exponential of [A E; 0 A] (Higham, "Functions of Matrices",
/// 2008, theorem 3.6), and the adjoint is the derivative at Aᵀ along the adjoint. So both are exponentials again, and have all
/// further derivatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exponential {
    pub(super) n: usize,
}
told_by_its_size!(Exponential { n });

impl Operation for Exponential {
    fn name(&self) -> &'static str {
        "exponential"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.n
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y.copy_from_slice(&exponential(x, self.n));
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let (_, derivative) = along(&transposed(x, self.n, self.n), adjoint, self.n);
        into.copy_from_slice(&derivative);
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let (value, derivative) = along(x, dx, self.n);
        y.copy_from_slice(&value);
        dy.copy_from_slice(&derivative);
    }
}

/// The exponential of A, and its derivative along E.
fn along<T: Real>(a: &[T], e: &[T], n: usize) -> (Vec<T>, Vec<T>) {
    // The derivative is linear in E: with E of the size of A, one does not spoil the other.
    let [of_a, of_e] = [norm(a, n), norm(e, n)];
    let power = (of_e / of_a.max(1.0)).log2().round();
    let scale = if power.is_finite() { power.clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
    let mut block = vec![T::from_f64(0.0); 4 * n * n];
    for row in 0..n {
        let (above, below) = block.split_at_mut(2 * n * n);
        above[row * 2 * n..][..n].copy_from_slice(&a[row * n..][..n]);
        let scaled = e[row * n..][..n].iter().map(|&e| e * T::from_f64(1.0 / scale));
        above[row * 2 * n + n..][..n].iter_mut().zip(scaled).for_each(|(to, e)| *to = e);
        below[row * 2 * n + n..][..n].copy_from_slice(&a[row * n..][..n]);
    }
    let of_block = applied(&Exponential { n: 2 * n }, &block);
    let rows = of_block.chunks_exact(2 * n.max(1)).take(n);
    let value = rows.clone().flat_map(|row| row[..n].iter().copied()).collect();
    let scaled = |&entry: &T| entry * T::from_f64(scale);
    (value, rows.flat_map(|row| row[n..].iter().map(scaled)).collect())
}

/// The largest sum of the sizes in a column.
fn norm<T: Real>(a: &[T], n: usize) -> f64 {
    let size = |column: usize| -> f64 {
        a.iter().skip(column).step_by(n).map(|entry| entry.innermost().abs()).sum()
    };
    (0..n).map(size).fold(0.0, f64::max)
}

/// By a quotient of polynomials of degree 13, after A is halved until the quotient is exact but for rounding; then squared as
/// often (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005, algorithm 2.3).
fn exponential<T: Real>(a: &[T], n: usize) -> Vec<T> {
    const COEFFICIENTS: [f64; 14] = [
        64_764_752_532_480_000.0,
        32_382_376_266_240_000.0,
        7_771_770_303_897_600.0,
        1_187_353_796_428_800.0,
        129_060_195_264_000.0,
        10_559_470_521_600.0,
        670_442_572_800.0,
        33_522_128_640.0,
        1_323_241_920.0,
        40_840_800.0,
        960_960.0,
        16_380.0,
        182.0,
        1.0,
    ];
    /// Up to this norm the quotient is exact to 53 bits.
    const EXACT: f64 = 5.371_920_351_148_152;

    if n == 0 {
        return Vec::new();
    }
    let size = norm(a, n);
    if !a.iter().all(|entry| entry.innermost().is_finite()) || size.is_infinite() {
        return vec![T::from_f64(f64::NAN); n * n];
    }
    let halvings = (size / EXACT).log2().ceil().max(0.0) as i32;
    let half = T::from_f64(f64::from(-halvings).exp2());
    let a: Vec<T> = a.iter().map(|&entry| entry * half).collect();
    let times = |a: &[T], b: &[T]| product(a, b, [n; 3]);
    let a2 = times(&a, &a);
    let a4 = times(&a2, &a2);
    let a6 = times(&a4, &a2);
    // c₀·A⁶ + c₁·A⁴ + c₂·A² + c₃
    let polynomial = |at: [usize; 4]| -> Vec<T> {
        let [c6, c4, c2, c0] = at.map(|power| match power {
            14.. => T::from_f64(0.0),
            _ => T::from_f64(COEFFICIENTS[power]),
        });
        (0..n * n)
            .map(|k| {
                let rest = c6 * a6[k] + c4 * a4[k] + c2 * a2[k];
                if k % (n + 1) == 0 { rest + c0 } else { rest }
            })
            .collect()
    };
    let sum = |a: &[T], b: &[T]| -> Vec<T> { a.iter().zip(b).map(|(&a, &b)| a + b).collect() };
    let high = |at: [usize; 4]| times(&a6, &polynomial(at));
    let odd = times(&a, &sum(&high([13, 11, 9, 14]), &polynomial([7, 5, 3, 1])));
    let even = sum(&high([12, 10, 8, 14]), &polynomial([6, 4, 2, 0]));
    let denominator: Vec<T> = even.iter().zip(&odd).map(|(&even, &odd)| even - odd).collect();
    let mut result = Lu::of(&denominator, n).solve(&sum(&even, &odd), n);
    for _ in 0..halvings {
        result = times(&result, &result);
    }
    result
}

impl<T: Real> Matrix<T> {
    /// e to this square matrix: 1 + A + A²/2 + A³/6 + … (not the exponential of each entry, which is [`Matrix::map`]).
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// // A rotation by the angle, and how its first entry, the cosine, changes with it.
    /// let cosine = |angle: &[Var]| {
    ///     let zero = Var::constant(0.0);
    ///     Matrix::from_rows(2, 2, vec![zero, -angle[0], angle[0], zero]).unwrap().exp()[(0, 0)]
    /// };
    /// let (value, gradient) = tape::gradient(cosine, &[0.5]);
    /// assert!((value - 0.5_f64.cos()).abs() < 1e-15);
    /// assert!((gradient[0] + 0.5_f64.sin()).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Self {
        let n = self.square("exp").unwrap_or_else(|error| panic!("{error}"));
        Self { rows: n, columns: n, data: applied(&Exponential { n }, &self.data) }
    }
}
