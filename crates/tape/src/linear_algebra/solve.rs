//! Systems of linear equations by LU, the inverse, and ln |det|.

use super::factors::Lu;
use super::product::product;
use super::{told_by_its_size, transposed};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::{applied, applied_to};
use crate::real::Real;
use crate::real::operation::Operation;

/// A·X = B.
///
/// The adjoints are B̅ = A⁻ᵀ·X̅ and A̅ = −B̅·Xᵀ (Giles, "Collected matrix derivative results for forward and reverse mode
/// algorithmic differentiation", 2008, section 2.3.1). A is factored again for them: the factor would take twice the memory of
/// A on the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solve {
    pub(super) n: usize,
    pub(super) columns: usize,
}
told_by_its_size!(Solve { n, columns });

fn solve<T: Real>(a: &[T], b: &[T], [n, columns]: [usize; 2]) -> Vec<T> {
    applied_to(&Solve { n, columns }, &[a, b])
}

impl Operation for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n + self.n * self.columns)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.columns
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (a, b) = x.split_at(self.n * self.n);
        y.copy_from_slice(&Lu::of(a, self.n).solve(b, self.columns));
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let Self { n, columns } = *self;
        let a = transposed(&x[..n * n], n, n);
        let of_b = solve(&a, adjoint, [n, columns]);
        let minus: Vec<T> = of_b.iter().map(|&entry| -entry).collect();
        let (into_a, into_b) = into.split_at_mut(n * n);
        into_a.copy_from_slice(&product(&minus, &transposed(y, n, columns), [n, columns, n]));
        into_b.copy_from_slice(&of_b);
    }

    /// X′ = A⁻¹·(B′ − A′·X).
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let Self { n, columns } = *self;
        let ((a, b), (da, db)) = (x.split_at(n * n), dx.split_at(n * n));
        y.copy_from_slice(&solve(a, b, [n, columns]));
        let moved = product(da, y, [n, n, columns]);
        let rest: Vec<T> = db.iter().zip(moved).map(|(&db, moved)| db - moved).collect();
        dy.copy_from_slice(&solve(a, &rest, [n, columns]));
    }
}

/// Y = A⁻¹.
///
/// The adjoint is A̅ = −Yᵀ·Y̅·Yᵀ (Giles 2008, section 2.2.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Inverse {
    pub(super) n: usize,
}
told_by_its_size!(Inverse { n });

/// A⁻¹.
pub(super) fn inverse<T: Real>(a: &[T], n: usize) -> Vec<T> {
    applied(&Inverse { n }, a)
}

impl Inverse {
    /// −A·B·C of square matrices.
    fn minus_product<T: Real>(self, [a, b, c]: [&[T]; 3]) -> impl Iterator<Item = T> + use<T> {
        let size = [self.n; 3];
        product(&product(a, b, size), c, size).into_iter().map(|entry| -entry)
    }
}

impl Operation for Inverse {
    fn name(&self) -> &'static str {
        "inverse"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.n
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let n = self.n;
        let mut identity = vec![T::from_f64(0.0); n * n];
        identity.iter_mut().step_by(n + 1).for_each(|entry| *entry = T::from_f64(1.0));
        y.copy_from_slice(&Lu::of(x, n).solve(&identity, n));
    }

    fn reverse<T: Real>(&self, _: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let y = transposed(y, self.n, self.n);
        into.iter_mut().zip(self.minus_product([&y, adjoint, &y])).for_each(|(into, x)| *into = x);
    }

    /// Y′ = −Y·A′·Y.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        y.copy_from_slice(&inverse(x, self.n));
        dy.iter_mut().zip(self.minus_product([y, dx, y])).for_each(|(dy, x)| *dy = x);
    }
}

/// ln |det A|.
///
/// The adjoint is A̅ = y̅·A⁻ᵀ (Giles 2008, section 2.2.4, by the chain rule).
#[derive(Clone, Copy, Debug)]
pub(super) struct LnDeterminant {
    pub(super) n: usize,
}
told_by_its_size!(LnDeterminant { n });

impl Operation for LnDeterminant {
    fn name(&self) -> &'static str {
        "ln_determinant"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let sum = |sum: T, pivot: T| sum + pivot.abs().ln();
        y[0] = Lu::of(x, self.n).pivots().fold(T::from_f64(0.0), sum);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let inverse = transposed(&inverse(x, self.n), self.n, self.n);
        into.iter_mut().zip(inverse).for_each(|(into, entry)| *into = adjoint[0] * entry);
    }

    /// The trace of A⁻¹·A′.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        y.copy_from_slice(&applied(self, x));
        dy[0] = T::dot(&transposed(&inverse(x, self.n), self.n, self.n), dx);
    }
}

impl<T: Real> Matrix<T> {
    /// The solution x of A·x = b for this square matrix A, by LU with partial pivoting: one operation of n²+n arguments.
    ///
    /// Where one of the two is plain numbers and the other variables, make it constants: [`Matrix::constant`],
    /// [`Var::constants_from`](crate::Var::constants_from).
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::Dimensions`] where `b` has not as many numbers as A has rows; [`Error::Singular`] where
    /// a pivot is 0 or NaN, in any lane. A matrix that is singular but for rounding passes, and the solution is large. A program
    /// that is replayed where A is singular gives NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// let a = Matrix::from_rows(2, 2, vec![2.0, 0.0, 1.0, 4.0])?;
    /// assert_eq!(a.solve(&[2.0, 9.0])?, [1.0, 2.0]);
    /// // The first unknown, by b: the first row of the inverse.
    /// let f = |b: &[Var]| a.constant().solve(b).unwrap()[0];
    /// assert_eq!(tape::gradient(f, &[2.0, 9.0]), (1.0, vec![0.5, 0.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Result<Vec<T>, Error> {
        self.solved("solve", b, [b.len(), 1])
    }

    /// The solution X of A·X = B: [`Matrix::solve`] for every column of B, by one factor.
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// let a = tape::Matrix::from_rows(2, 2, vec![2.0, 0.0, 1.0, 4.0])?;
    /// let b = tape::Matrix::from_rows(2, 2, vec![2.0, 4.0, 9.0, 2.0])?;
    /// assert_eq!(a.solve_matrix(&b)?.data, [1.0, 2.0, 2.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_matrix(&self, b: &Self) -> Result<Self, Error> {
        let data = self.solved("solve_matrix", &b.data, [b.rows, b.columns])?;
        Ok(Self { data, ..*b })
    }

    #[track_caller]
    fn solved(
        &self,
        call: &'static str,
        b: &[T],
        [rows, columns]: [usize; 2],
    ) -> Result<Vec<T>, Error> {
        let n = self.square(call)?;
        super::check_rows(call, n, rows)?;
        self.unless_singular(call, solve(&self.data, b, [n, columns]))
    }

    /// The inverse of this square matrix. To multiply by it, [`Matrix::solve`] is quicker and more accurate.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::Singular`] as of [`Matrix::solve`].
    ///
    /// ```
    /// let a = tape::Matrix::from_rows(2, 2, vec![2.0, 0.0, 1.0, 4.0])?;
    /// assert_eq!(a.inverse()?.data, [0.5, 0.0, -0.125, 0.25]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn inverse(&self) -> Result<Self, Error> {
        let n = self.square("inverse")?;
        let data = self.unless_singular("inverse", inverse(&self.data, n))?;
        Ok(Self { rows: n, columns: n, data })
    }

    /// ln |det A| of this square matrix, where the determinant itself would overflow; 0 for a matrix without rows.
    ///
    /// Of a negative determinant it is the logarithm of its size, and does not tell the sign: where the sign matters, ask
    /// [`Matrix::determinant`]. Of a matrix that is positive definite, [`Cholesky::ln_determinant`](crate::Cholesky::ln_determinant)
    /// is quicker.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::Singular`] as of [`Matrix::solve`]. A program that is replayed where A is singular gives
    /// −∞ or NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// let f = |a: &[Var]| Matrix::from_rows(2, 2, a.to_vec()).unwrap().ln_determinant().unwrap();
    /// // det = −2; the gradient is the transpose of the inverse.
    /// let (value, gradient) = tape::gradient(f, &[0.0, 1.0, 2.0, 3.0]);
    /// assert_eq!(value, 2.0_f64.ln());
    /// assert_eq!(gradient, [-1.5, 1.0, 0.5, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn ln_determinant(&self) -> Result<T, Error> {
        let n = self.square("ln_determinant")?;
        let results = applied(&LnDeterminant { n }, &self.data);
        if results[0].is_zero_or_infinite() {
            self.unless_singular("ln_determinant", vec![T::from_f64(f64::NAN)])?;
        }
        Ok(results[0])
    }

    /// The results, unless one is NaN in a lane in which the matrix has lost a pivot.
    fn unless_singular(&self, call: &'static str, results: Vec<T>) -> Result<Vec<T>, Error> {
        if results.iter().any(|result| result.is_nan_in_a_lane()) {
            let n = self.rows;
            let lost = super::in_a_lane(
                &self.data,
                |lane| Lu::of(lane, n).lost_pivot(),
                |lane| Lu::of(lane, n).lost_pivot(),
            );
            if let Some(pivot) = lost {
                return Err(Error::Singular { call, pivot });
            }
        }
        Ok(results)
    }
}
