//! The square root of a symmetric matrix, right where eigenvalues are equal.

use super::factors;
use super::product::product;
use super::symmetric_eigen::{check_finite, folded, halved, turned, turned_back};
use super::told_by_its_size;
use super::triangle::{expanded, packed, packed_len};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::{applied, applied_to};
use crate::real::Real;
use crate::real::operation::Operation;

/// X with X·X = A, both as their lower triangles.
///
/// By the product rule X·X′ + X′·X = A′, and the adjoint solves the same equation (Higham, "Functions of Matrices", 2008,
/// section 6.1). No two eigenvalues are subtracted.
#[derive(Clone, Copy, Debug)]
pub(super) struct SquareRoot {
    pub(super) n: usize,
}
told_by_its_size!(SquareRoot { n });

/// Y with X·Y + Y·X = C, all as their lower triangles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sylvester {
    pub(super) n: usize,
}
told_by_its_size!(Sylvester { n });

/// Y from X and C, as lower triangles.
fn sylvester<T: Real>(x: &[T], c: &[T], n: usize) -> Vec<T> {
    applied_to(&Sylvester { n }, &[x, c])
}

impl Operation for SquareRoot {
    fn name(&self) -> &'static str {
        "square_root"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n))
    }

    fn outputs(&self, _: usize) -> usize {
        packed_len(self.n)
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let n = self.n;
        let Some((values, vectors)) = factors::symmetric_eigen(&expanded(x, n), n) else { return };
        let smallest = rounding(&values);
        let mut diagonal = vec![T::from_f64(0.0); n * n];
        for (k, &value) in values.iter().enumerate() {
            // What is below 0 by rounding alone is 0.
            let is_zero = value.innermost() < 0.0 && -value.innermost() <= smallest;
            diagonal[k * (n + 1)] = if is_zero { T::from_f64(0.0) } else { value.sqrt() };
        }
        y.copy_from_slice(&packed(&turned_back(&vectors, &diagonal, n), n));
    }

    fn reverse<T: Real>(&self, _: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let of_a = sylvester(y, &halved(adjoint, self.n), self.n);
        into.copy_from_slice(&folded(&expanded(&of_a, self.n), self.n));
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        y.copy_from_slice(&applied(self, x));
        dy.copy_from_slice(&sylvester(y, dx, self.n));
    }
}

/// What eigenvalues may be off by.
fn rounding<T: Real>(values: &[T]) -> f64 {
    let largest = values.iter().fold(0.0, |largest: f64, v| largest.max(v.innermost().abs()));
    values.len() as f64 * super::epsilon::<T>() * largest
}

impl Sylvester {
    /// X·Y + Y·X, as a lower triangle, from lower triangles.
    fn anticommutator<T: Real>(self, x: &[T], y: &[T]) -> Vec<T> {
        let n = self.n;
        let once = product(&expanded(x, n), &expanded(y, n), [n; 3]);
        let mut both = folded(&once, n);
        (0..n).for_each(|k| both[packed_len(k) + k] += once[k * n + k]);
        both
    }
}

impl Operation for Sylvester {
    fn name(&self) -> &'static str {
        "sylvester"
    }

    fn inputs(&self) -> Option<usize> {
        Some(2 * packed_len(self.n))
    }

    fn outputs(&self, _: usize) -> usize {
        packed_len(self.n)
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let n = self.n;
        let (x, c) = x.split_at(packed_len(n));
        let Some((values, v)) = factors::symmetric_eigen(&expanded(x, n), n) else { return };
        let mut b = turned(&v, &expanded(c, n), n);
        for (k, b) in b.iter_mut().enumerate() {
            *b /= values[k / n] + values[k % n];
        }
        y.copy_from_slice(&packed(&turned_back(&v, &b, n), n));
    }

    /// With the adjoint C̅, which solves the same equation for Y̅: X̅ = −(C̅·Y + Y·C̅).
    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let n = self.n;
        let (x, _) = x.split_at(packed_len(n));
        let of_c = sylvester(x, &halved(adjoint, n), n);
        let of_x: Vec<T> = self.anticommutator(&of_c, y).into_iter().map(|entry| -entry).collect();
        let (into_x, into_c) = into.split_at_mut(packed_len(n));
        into_x.copy_from_slice(&folded(&expanded(&of_x, n), n));
        into_c.copy_from_slice(&folded(&expanded(&of_c, n), n));
    }

    /// X·Y′ + Y′·X = C′ − X′·Y − Y·X′.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let half = packed_len(self.n);
        let ((x, c), (dx, dc)) = (x.split_at(half), dx.split_at(half));
        y.copy_from_slice(&sylvester(x, c, self.n));
        let moved = self.anticommutator(dx, y);
        let rest: Vec<T> = dc.iter().zip(moved).map(|(&dc, moved)| dc - moved).collect();
        dy.copy_from_slice(&sylvester(x, &rest, self.n));
    }
}

impl<T: Real> Matrix<T> {
    /// The square root of this symmetric matrix without negative eigenvalues: the X without negative eigenvalues for which
    /// X·X = A. Its derivatives are right where eigenvalues are equal, too.
    ///
    /// Only the lower triangle and the diagonal are read.
    ///
    /// With it, the polar factor of a square matrix that has an inverse is A·(√(Aᵀ·A))⁻¹.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::NotFinite`] where a number is NaN or ∞; [`Error::NegativeEigenvalue`] where one is
    /// below 0 by more than rounding; in any lane. A program that is replayed at such a matrix gives NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// let a = Matrix::from_rows(2, 2, vec![4.0, 0.0, 0.0, 4.0])?;
    /// assert_eq!(a.symmetric_sqrt()?.data, [2.0, 0.0, 0.0, 2.0]);
    /// let f = |a: &[Var]| {
    ///     let a = Matrix::from_rows(2, 2, vec![a[0], a[1], a[1], a[2]]).unwrap();
    ///     a.symmetric_sqrt().unwrap()[(0, 1)]
    /// };
    /// assert_eq!(tape::gradient(f, &[4.0, 0.0, 4.0]).1, [0.0, 0.25, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn symmetric_sqrt(&self) -> Result<Self, Error> {
        let call = "symmetric_sqrt";
        let n = self.square(call)?;
        let lower = packed(&self.data, n);
        let root = applied(&SquareRoot { n }, &lower);
        if root.iter().any(|entry| entry.is_nan_in_a_lane()) {
            check_finite(call, &lower)?;
            let negative = |values: &[f64], rounding: f64| {
                values.first().copied().filter(|&value| value < -rounding)
            };
            let lost = super::in_a_lane(
                &lower,
                |lane| {
                    let (values, _) = factors::symmetric_eigen(&expanded(lane, n), n)?;
                    negative(&values, rounding(&values))
                },
                |lane| {
                    let (values, _) = factors::symmetric_eigen(&expanded(lane, n), n)?;
                    let wide: Vec<f64> = values.iter().map(|&value| value.into()).collect();
                    negative(&wide, rounding(&values))
                },
            );
            if let Some(eigenvalue) = lost {
                return Err(Error::NegativeEigenvalue { call, eigenvalue });
            }
        }
        Ok(Self { rows: n, columns: n, data: expanded(&root, n) })
    }
}
