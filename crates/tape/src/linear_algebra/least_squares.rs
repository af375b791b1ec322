//! Least squares by QR.

use super::factors::Qr;
use super::product::product;
use super::{told_by_its_size, transposed};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::applied_to;
use crate::real::Real;
use crate::real::operation::Operation;

/// The X for which A·X is nearest to B: A⁺·B, where A has full column rank.
///
/// With Z = A⁺ᵀ·X̅ the adjoints are B̅ = Z and A̅ = (B − A·X)·(A⁺·Z)ᵀ − Z·Xᵀ (Golub and Pereyra, "The differentiation of
/// pseudo-inverses and nonlinear least squares problems whose variables separate", 1973, formula 4.12). Aᵀ·A is nowhere formed.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeastSquares {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) of_b: usize,
}
told_by_its_size!(LeastSquares { rows, columns, of_b });

/// The smallest Z for which Aᵀ·Z = C: A⁺ᵀ·C.
///
/// With S = A⁺·Z̅ the adjoints are C̅ = S and A̅ = (Z̅ − A·S)·(A⁺·Z)ᵀ − Z·Sᵀ, from the same formula.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smallest {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) of_b: usize,
}
told_by_its_size!(Smallest { rows, columns, of_b });

fn least_squares<T: Real>(a: &[T], b: &[T], [rows, columns, of_b]: [usize; 3]) -> Vec<T> {
    applied_to(&LeastSquares { rows, columns, of_b }, &[a, b])
}

fn smallest<T: Real>(a: &[T], c: &[T], [rows, columns, of_b]: [usize; 3]) -> Vec<T> {
    applied_to(&Smallest { rows, columns, of_b }, &[a, c])
}

/// B − A·X.
fn residual<T: Real>(a: &[T], b: &[T], x: &[T], size: [usize; 3]) -> Vec<T> {
    b.iter().zip(product(a, x, size)).map(|(&b, fitted)| b - fitted).collect()
}

/// R·Wᵀ − Z·Xᵀ, where R and Z have as many rows as A, W and X as many as it has columns.
fn outer_products<T: Real>(
    [r, w, z, x]: [&[T]; 4],
    [rows, columns, of_b]: [usize; 3],
) -> impl Iterator<Item = T> + use<T> {
    let size = [rows, of_b, columns];
    let first = product(r, &transposed(w, columns, of_b), size);
    let second = product(z, &transposed(x, columns, of_b), size);
    first.into_iter().zip(second).map(|(a, b)| a - b)
}

impl Operation for LeastSquares {
    fn name(&self) -> &'static str {
        "least_squares"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.rows * self.columns + self.rows * self.of_b)
    }

    fn outputs(&self, _: usize) -> usize {
        self.columns * self.of_b
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (a, b) = x.split_at(self.rows * self.columns);
        y.copy_from_slice(&Qr::of(a, [self.rows, self.columns]).least_squares(b, self.of_b));
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let size = [self.rows, self.columns, self.of_b];
        let (a, b) = x.split_at(self.rows * self.columns);
        let z = smallest(a, adjoint, size);
        let w = least_squares(a, &z, size);
        let rest = residual(a, b, y, size);
        let (into_a, into_b) = into.split_at_mut(a.len());
        into_b.copy_from_slice(&z);
        into_a.iter_mut().zip(outer_products([&rest, &w, &z, y], size)).for_each(|(to, x)| *to = x);
    }

    /// X′ = A⁺·(B′ − A′·X + A⁺ᵀ·A′ᵀ·(B − A·X)).
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let Self { rows, columns, of_b } = *self;
        let size = [rows, columns, of_b];
        let ((a, b), (da, db)) = (x.split_at(rows * columns), dx.split_at(rows * columns));
        y.copy_from_slice(&least_squares(a, b, size));
        let rest = residual(a, b, y, size);
        let turned = product(&transposed(da, rows, columns), &rest, [columns, rows, of_b]);
        let moved = residual(da, db, y, size);
        let back = smallest(a, &turned, size);
        let both: Vec<T> = moved.iter().zip(back).map(|(&a, b)| a + b).collect();
        dy.copy_from_slice(&least_squares(a, &both, size));
    }
}

impl Operation for Smallest {
    fn name(&self) -> &'static str {
        "smallest_solution"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.rows * self.columns + self.columns * self.of_b)
    }

    fn outputs(&self, _: usize) -> usize {
        self.rows * self.of_b
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (a, c) = x.split_at(self.rows * self.columns);
        y.copy_from_slice(&Qr::of(a, [self.rows, self.columns]).smallest(c, self.of_b));
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let size = [self.rows, self.columns, self.of_b];
        let (a, _) = x.split_at(self.rows * self.columns);
        let s = least_squares(a, adjoint, size);
        let w = least_squares(a, y, size);
        let rest = residual(a, adjoint, &s, size);
        let (into_a, into_c) = into.split_at_mut(a.len());
        into_c.copy_from_slice(&s);
        into_a.iter_mut().zip(outer_products([&rest, &w, y, &s], size)).for_each(|(to, x)| *to = x);
    }

    /// Z′ = A⁺ᵀ·(C′ − A′ᵀ·Z) + (1 − A·A⁺)·A′·A⁺·Z.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let Self { rows, columns, of_b } = *self;
        let size = [rows, columns, of_b];
        let ((a, c), (da, dc)) = (x.split_at(rows * columns), dx.split_at(rows * columns));
        y.copy_from_slice(&smallest(a, c, size));
        let moved = residual(&transposed(da, rows, columns), dc, y, [columns, rows, of_b]);
        let first = smallest(a, &moved, size);
        let pushed = product(da, &least_squares(a, y, size), size);
        let second = residual(a, &pushed, &least_squares(a, &pushed, size), size);
        dy.iter_mut().zip(first.into_iter().zip(second)).for_each(|(dy, (a, b))| *dy = a + b);
    }
}

impl<T: Real> Matrix<T> {
    /// The x for which A·x is nearest to b, by QR: the sum of the squares of b − A·x is smallest. A has no more columns than
    /// rows, and they are independent of each other.
    ///
    /// # Errors
    /// [`Error::Dimensions`] where `b` has not as many numbers as A has rows; [`Error::Singular`] where a column depends on those
    /// before it (what is left of it, less its part along them, is rounding: no more than the number of rows times the
    /// machine's ε of it), where there are more columns than rows, or where a number is NaN; in any lane. A program that is
    /// replayed where a column depends on others gives NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// // The line through (0, 1), (1, 3), (2, 4), and how its slope depends on the three heights.
    /// let a = Matrix::from_rows(3, 2, vec![1.0, 0.0, 1.0, 1.0, 1.0, 2.0])?;
    /// let slope = |y: &[Var]| a.constant().least_squares(y).unwrap()[1];
    /// let (value, gradient) = tape::gradient(slope, &[1.0, 3.0, 4.0]);
    /// assert!((value - 1.5).abs() < 1e-14);
    /// assert!(gradient.iter().zip([-0.5, 0.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-14));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn least_squares(&self, b: &[T]) -> Result<Vec<T>, Error> {
        let call = "least_squares";
        let Self { rows, columns, ref data } = *self;
        super::check_rows(call, rows, b.len())?;
        if columns > rows {
            return Err(Error::Singular { call, pivot: rows });
        }
        let x = least_squares(data, b, [rows, columns, 1]);
        if x.iter().any(|x| x.is_nan_in_a_lane()) {
            let lost = super::in_a_lane(
                data,
                |lane| Qr::of(lane, [rows, columns]).lost_column(),
                |lane| Qr::of(lane, [rows, columns]).lost_column(),
            );
            if let Some(pivot) = lost {
                return Err(Error::Singular { call, pivot });
            }
        }
        Ok(x)
    }
}
