//! The factor of a positive definite matrix, and what is solved with it.

use super::factors;
use super::product::product;
use super::triangle::{expanded, packed, packed_len, solve_lower, unpacked};
use super::{told_by_its_size, transposed};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::{applied, applied_to, as_f64};
use crate::real::Real;
use crate::real::operation::Operation;

/// A = L·Lᵀ, both as their lower triangles, row by row.
///
/// The adjoint is by blocks (Murray, "Differentiation of the Cholesky decomposition", 2016, sections 3.2 and 4): of the blocks
/// of two halves, A̅₂₂ is of the same kind, and with L̅₂₁ less (A̅₂₂ + A̅₂₂ᵀ)·L₂₁, A̅₂₁ = L̅₂₁·L₁₁⁻¹ and A̅₁₁ is of L̅₁₁ − A̅₂₁ᵀ·L₂₁.
/// All adjoints are of lower triangles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    pub(super) n: usize,
}
told_by_its_size!(Factor { n });

impl Operation for Factor {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n))
    }

    fn outputs(&self, _: usize) -> usize {
        packed_len(self.n)
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        if let Some(l) = factors::cholesky(&unpacked(x, self.n), self.n) {
            y.copy_from_slice(&packed(&l, self.n));
        }
    }

    fn reverse<T: Real>(&self, _: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let n = self.n;
        let (l, adjoint) = (unpacked(y, n), unpacked(adjoint, n));
        let of_a = if as_f64(y).is_some() {
            factors::cholesky_reverse(&l, &adjoint, n)
        } else {
            reverse_by_blocks(&l, &adjoint, n)
        };
        into.copy_from_slice(&packed(&of_a, n));
    }

    /// L′ = L·Φ(L⁻¹·A′·L⁻ᵀ), where Φ takes the lower triangle and half the diagonal (Murray 2016, section 2).
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let n = self.n;
        y.copy_from_slice(&applied(self, x));
        if as_f64(y).is_some() {
            let dl = factors::cholesky_forward(&unpacked(y, n), &unpacked(dx, n), n);
            dy.copy_from_slice(&packed(&dl, n));
            return;
        }
        let once = solve_lower(y, &expanded(dx, n), [n, n], false);
        let mut twice = solve_lower(y, &transposed(&once, n, n), [n, n], false);
        keep_lower_and_half_the_diagonal(&mut twice, n);
        dy.copy_from_slice(&packed(&product(&unpacked(y, n), &twice, [n; 3]), n));
    }
}

/// Φ.
fn keep_lower_and_half_the_diagonal<T: Real>(matrix: &mut [T], n: usize) {
    for row in 0..n {
        matrix[row * n + row] *= T::from_f64(0.5);
        matrix[row * n..][row + 1..n].fill(T::from_f64(0.0));
    }
}

/// Blocks of no more rows are done at once, by products with the whole factor.
const AT_ONCE: usize = 64;

/// The adjoint of A from that of L, in operations.
fn reverse_by_blocks<T: Real>(l: &[T], adjoint: &[T], n: usize) -> Vec<T> {
    if n <= AT_ONCE {
        return reverse_at_once(l, adjoint, n);
    }
    let half = n / 2;
    let rest = n - half;
    let block = |matrix: &[T], [row, column]: [usize; 2], [rows, columns]: [usize; 2]| -> Vec<T> {
        let row_of = |i: usize| matrix[(row + i) * n + column..][..columns].iter().copied();
        (0..rows).flat_map(row_of).collect()
    };
    let [l11, a11] = [l, adjoint].map(|matrix| block(matrix, [0, 0], [half, half]));
    let [l21, a21] = [l, adjoint].map(|matrix| block(matrix, [half, 0], [rest, half]));
    let [l22, a22] = [l, adjoint].map(|matrix| block(matrix, [half, half], [rest, rest]));
    let less = |a: &[T], b: &[T]| -> Vec<T> { a.iter().zip(b).map(|(&a, &b)| a - b).collect() };

    let a22 = reverse_by_blocks(&l22, &a22, rest);
    let both: Vec<T> = a22.iter().zip(transposed(&a22, rest, rest)).map(|(&a, b)| a + b).collect();
    let a21 = less(&a21, &product(&both, &l21, [rest, rest, half]));
    let a21 = transposed(&a21, rest, half);
    let a21 = solve_lower(&packed(&l11, half), &a21, [half, rest], true);
    let mut a11 = less(&a11, &product(&a21, &l21, [half, rest, half]));
    clear_above_the_diagonal(&mut a11, half);
    let a11 = reverse_by_blocks(&l11, &a11, half);

    let a21 = transposed(&a21, half, rest);
    let mut of_a = vec![T::from_f64(0.0); n * n];
    for (row, entries) in of_a.chunks_exact_mut(n).enumerate() {
        match row.checked_sub(half) {
            None => entries[..half].copy_from_slice(&a11[row * half..][..half]),
            Some(row) => {
                entries[..half].copy_from_slice(&a21[row * half..][..half]);
                entries[half..].copy_from_slice(&a22[row * rest..][..rest]);
            }
        }
    }
    of_a
}

fn clear_above_the_diagonal<T: Real>(matrix: &mut [T], n: usize) {
    for row in 0..n {
        matrix[row * n..][row + 1..n].fill(T::from_f64(0.0));
    }
}

/// L⁻ᵀ·S·L⁻¹ of the symmetric S that has the lower triangle of Lᵀ·L̅: the adjoint of a lower triangle, if its diagonal is
/// halved (Murray 2016, section 3.3).
fn reverse_at_once<T: Real>(l: &[T], adjoint: &[T], n: usize) -> Vec<T> {
    let s = product(&transposed(l, n, n), adjoint, [n; 3]);
    let l = packed(l, n);
    let once = solve_lower(&l, &expanded(&packed(&s, n), n), [n, n], true);
    let mut twice = solve_lower(&l, &transposed(&once, n, n), [n, n], true);
    keep_lower_and_half_the_diagonal(&mut twice, n);
    twice
}

/// L·Lᵀ·X = B, with the lower triangle of L.
///
/// The adjoints are B̅ = (L·Lᵀ)⁻¹·X̅ and L̅ = −(B̅·Xᵀ + X·B̅ᵀ)·L, of which the lower triangle counts: those of a solution
/// (Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008, section 2.3.1)
/// and of L·Lᵀ.
#[derive(Clone, Copy, Debug)]
pub(super) struct SolveByFactor {
    pub(super) n: usize,
    pub(super) columns: usize,
}
told_by_its_size!(SolveByFactor { n, columns });

impl SolveByFactor {
    fn split<'a, T>(&self, x: &'a [T]) -> (&'a [T], &'a [T]) {
        x.split_at(packed_len(self.n))
    }

    fn solve<T: Real>(&self, l: &[T], b: &[T]) -> Vec<T> {
        applied_to(self, &[l, b])
    }
}

impl Operation for SolveByFactor {
    fn name(&self) -> &'static str {
        "cholesky_solve"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n) + self.n * self.columns)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.columns
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let (l, b) = self.split(x);
        let l = unpacked(l, self.n);
        let triangle = factors::Triangular::lower(&l, self.n);
        y.copy_from_slice(b);
        triangle.solve(y, self.columns);
        triangle.transpose().solve(y, self.columns);
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        let Self { n, columns } = *self;
        let (l, _) = self.split(x);
        let of_b = self.solve(l, adjoint);
        let (into_l, into_b) = into.split_at_mut(packed_len(n));
        into_b.copy_from_slice(&of_b);
        // −[B̅ X]·([X B̅]ᵀ·L), whose inner size is small.
        let [of_b, x] = [&*of_b, y].map(|matrix| transposed(matrix, n, columns));
        let minus: Vec<T> = [&*of_b, &*x].concat().into_iter().map(|entry| -entry).collect();
        let second = product(&[x, of_b].concat(), &unpacked(l, n), [2 * columns, n, n]);
        let of_l = product(&transposed(&minus, 2 * columns, n), &second, [n, 2 * columns, n]);
        into_l.copy_from_slice(&packed(&of_l, n));
    }

    /// X′ = (L·Lᵀ)⁻¹·(B′ − L′·(Lᵀ·X) − L·(L′ᵀ·X)).
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let Self { n, columns } = *self;
        let ((l, b), (dl, db)) = (self.split(x), self.split(dx));
        y.copy_from_slice(&self.solve(l, b));
        let [of_l, of_dl] = [unpacked(l, n), unpacked(dl, n)];
        let moved = |first: &[T], second: &[T]| {
            let inner = product(&transposed(second, n, n), y, [n, n, columns]);
            product(first, &inner, [n, n, columns])
        };
        let both = moved(&of_dl, &of_l).into_iter().zip(moved(&of_l, &of_dl));
        let rest: Vec<T> = db.iter().zip(both).map(|(&db, (a, b))| db - a - b).collect();
        dy.copy_from_slice(&self.solve(l, &rest));
    }
}

/// The factor L of a symmetric positive definite matrix A = L·Lᵀ, by [`Matrix::cholesky`], to be used many times.
///
/// ```
/// use tape::{Matrix, Var};
///
/// // The log density of a normal distribution with mean 0, but for a constant, by its covariance.
/// let f = |a: &[Var]| {
///     let covariance = Matrix::from_rows(2, 2, vec![a[0], a[1], a[1], a[2]]).unwrap();
///     let factor = covariance.cholesky().unwrap();
///     let y = Var::constants([1.0, 2.0]);
///     -0.5 * (factor.ln_determinant() + tape::dot(&y, &factor.solve(&y)))
/// };
/// let (value, gradient) = tape::gradient(f, &[1.0, 0.0, 1.0]);
/// assert_eq!(value, -2.5);
/// assert_eq!(gradient, [0.0, 2.0, 1.5]);
/// ```
#[derive(Clone, Debug)]
pub struct Cholesky<T = f64> {
    n: usize,
    /// The lower triangle of L.
    l: Vec<T>,
}

impl<T: Real> Matrix<T> {
    /// The Cholesky factor of this symmetric positive definite matrix: one operation of n·(n+1)/2 arguments and results.
    ///
    /// Only the lower triangle and the diagonal are read; what is above is taken to be the same. So the derivatives go to the
    /// lower triangle.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::NotPositiveDefinite`] where a pivot is not above 0 (or NaN), in any lane. A program that
    /// is replayed where the matrix is not positive definite gives NaN.
    ///
    /// ```
    /// use tape::{Error, Matrix};
    ///
    /// let a = Matrix::from_rows(2, 2, vec![4.0, 2.0, 2.0, 10.0])?;
    /// let cholesky = a.cholesky()?;
    /// assert_eq!(cholesky.factor().data, [2.0, 0.0, 1.0, 3.0]);
    /// assert_eq!(cholesky.solve(&[8.0, 22.0]), [1.0, 2.0]);
    /// let a = Matrix::from_rows(2, 2, vec![1.0, 2.0, 2.0, 1.0])?;
    /// assert!(matches!(a.cholesky(), Err(Error::NotPositiveDefinite { pivot: 1 })));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn cholesky(&self) -> Result<Cholesky<T>, Error> {
        let n = self.square("cholesky")?;
        let lower = packed(&self.data, n);
        let l = applied(&Factor { n }, &lower);
        if l.iter().any(|entry| entry.is_nan_in_a_lane()) {
            let lost =
                super::in_a_lane(&lower, |lane| lost_pivot(lane, n), |lane| lost_pivot(lane, n));
            if let Some(pivot) = lost {
                return Err(Error::NotPositiveDefinite { pivot });
            }
        }
        Ok(Cholesky { n, l })
    }
}

/// The first pivot that is not above 0: the leading block with it has no factor.
fn lost_pivot<T: Real>(lower: &[T], n: usize) -> Option<usize> {
    let has_factor = |size: usize| {
        factors::cholesky(&unpacked(&lower[..packed_len(size)], size), size).is_some()
    };
    if has_factor(n) {
        return None;
    }
    // Blocks up to the pivot have one, those from it on have none.
    let (mut good, mut bad) = (0, n);
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if has_factor(middle) { good = middle } else { bad = middle }
    }
    Some(bad - 1)
}

impl<T: Real> Cholesky<T> {
    /// The number of rows of the matrix.
    pub fn rows(&self) -> usize {
        self.n
    }

    /// L, with zeros above its diagonal.
    pub fn factor(&self) -> Matrix<T> {
        Matrix { rows: self.n, columns: self.n, data: unpacked(&self.l, self.n) }
    }

    /// The solution x of A·x = b.
    ///
    /// # Panics
    /// When `b` has not as many numbers as A has rows.
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Vec<T> {
        self.solved("Cholesky::solve", b, [b.len(), 1])
    }

    /// The solution X of A·X = B.
    ///
    /// # Panics
    /// When B has not as many rows as A.
    ///
    /// ```
    /// let a = tape::Matrix::from_rows(2, 2, vec![4.0, 2.0, 2.0, 10.0])?;
    /// assert_eq!(a.cholesky()?.solve_matrix(&a).data, [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_matrix(&self, b: &Matrix<T>) -> Matrix<T> {
        let size = [b.rows, b.columns];
        Matrix { data: self.solved("Cholesky::solve_matrix", &b.data, size), ..*b }
    }

    #[track_caller]
    fn solved(&self, call: &'static str, b: &[T], [rows, columns]: [usize; 2]) -> Vec<T> {
        super::check_rows(call, self.n, rows).unwrap_or_else(|error| panic!("{error}"));
        SolveByFactor { n: self.n, columns }.solve(&self.l, b)
    }

    /// ln det A = 2·Σ ln Lᵢᵢ; 0 for a matrix without rows.
    ///
    /// ```
    /// let a = tape::Matrix::from_rows(2, 2, vec![4.0, 2.0, 2.0, 10.0])?;
    /// assert_eq!(a.cholesky()?.ln_determinant(), 2.0 * (2.0_f64.ln() + 3.0_f64.ln()));
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn ln_determinant(&self) -> T {
        let logarithms: Vec<T> =
            (0..self.n).map(|row| self.l[packed_len(row) + row].ln()).collect();
        T::sum(&logarithms) * T::from_f64(2.0)
    }
}
