//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! Eigenvectors of equal eigenvalues could be any of a plane. What does not depend on which they are has derivatives; what does,
//! has none, and gets NaN. Nothing is divided by a difference of equal eigenvalues: where the dividend is 0 by its nature, so is
//! the quotient. What is asked along a direction, A′, knows how the eigenvalues part along it, and needs no quotient.

use core::ops::Range;

use super::product::product;
use super::triangle::{expanded, packed, packed_len};
use super::{factors, told_by_its_size, transposed};
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operation::{applied, applied_to};
use crate::real::Real;
use crate::real::operation::Operation;

/// A = V·Λ·Vᵀ, from the lower triangle of A: the eigenvalues, smallest first, and V.
///
/// The adjoint is V·(diag λ̅ + F∘(Vᵀ·V̅))·Vᵀ with Fᵢⱼ = 1/(λⱼ − λᵢ) (Giles, "Collected matrix derivative results for forward and
/// reverse mode algorithmic differentiation", 2008, section 3.1). Where eigenvalues are equal, it is right for functions that
/// do not depend on their vectors (Kasim, "Derivatives of partial eigendecomposition of a real symmetric matrix for degenerate
/// cases", 2020), whose V̅ is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eigen {
    pub(super) n: usize,
}
told_by_its_size!(Eigen { n });

/// That adjoint, from the lower triangle of A, λ, V, λ̅ and V̅.
///
/// Its own derivatives are those of a function of A, λ̅ and V̅: that λ and V change with A is in those by A. With the symmetric
/// M = diag λ̅ + F∘(Vᵀ·V̅) and B = Vᵀ·A′·V, they are by V′ = V·Ω with Ω = F∘B, λ′ = diag B, and
/// (V·M·Vᵀ)′ = V·(Ω·M − M·Ω + M′)·Vᵀ.
#[derive(Clone, Copy, Debug)]
pub(super) struct EigenAdjoint {
    pub(super) n: usize,
}
told_by_its_size!(EigenAdjoint { n });

/// The adjoint of a lower triangle from that of a matrix whose two triangles it stands for.
pub(super) fn folded<T: Real>(matrix: &[T], n: usize) -> Vec<T> {
    let mut folded = packed(matrix, n);
    for i in 0..n {
        for j in 0..i {
            folded[packed_len(i) + j] += matrix[j * n + i];
        }
    }
    folded
}

/// The lower triangle of the symmetric matrix whose product with a symmetric one is that of two lower triangles: what is beside
/// the diagonal counts once there, and twice here.
pub(super) fn halved<T: Real>(lower: &[T], n: usize) -> Vec<T> {
    let mut halved: Vec<T> = lower.iter().map(|&entry| entry * T::from_f64(0.5)).collect();
    (0..n).for_each(|k| halved[packed_len(k) + k] = lower[packed_len(k) + k]);
    halved
}

/// The eigenvalues and V, from a lower triangle.
#[track_caller]
pub(super) fn eigen<T: Real>(lower: &[T], n: usize) -> (Vec<T>, Vec<T>) {
    let mut values = applied(&Eigen { n }, lower);
    let vectors = values.split_off(n);
    (values, vectors)
}

/// Vᵀ·A·V.
pub(super) fn turned<T: Real>(v: &[T], a: &[T], n: usize) -> Vec<T> {
    product(&product(&transposed(v, n, n), a, [n; 3]), v, [n; 3])
}

/// V·B·Vᵀ.
pub(super) fn turned_back<T: Real>(v: &[T], b: &[T], n: usize) -> Vec<T> {
    product(&product(v, b, [n; 3]), &transposed(v, n, n), [n; 3])
}

/// Equal eigenvalues, and the eigenvalues and eigenvectors of a matrix's block of them.
struct Parting<T> {
    group: Range<usize>,
    values: Vec<T>,
    vectors: Vec<T>,
}

/// The differences of eigenvalues.
struct Gaps<'a, T> {
    values: &'a [T],
    /// Two eigenvalues that differ by no more are equal but for rounding.
    rounding: f64,
}

impl<'a, T: Real> Gaps<'a, T> {
    fn of(values: &'a [T]) -> Self {
        let sizes = values.iter().map(|value| value.innermost().abs());
        let rounding = values.len() as f64 * super::epsilon::<T>() * sizes.fold(0.0, f64::max);
        Self { values, rounding }
    }

    fn are_equal(&self, i: usize, j: usize) -> bool {
        (self.values[i].innermost() - self.values[j].innermost()).abs() <= self.rounding
    }

    /// Eigenvalues in a row of which each is equal to the one before.
    fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let mut first = 0;
        let n = self.values.len();
        (1..=n).filter_map(move |end| {
            let ends = end == n || !self.are_equal(end - 1, end);
            ends.then(|| core::mem::replace(&mut first, end)..end)
        })
    }

    /// The groups of several eigenvalues, with the eigenvalues and eigenvectors of a matrix's block of each.
    ///
    /// They depend on the matrix as equal eigenvalues do, so they are taken of plain numbers alone, which have no derivatives.
    fn parting(&self, b: &[T]) -> Vec<Parting<T>> {
        let n = self.values.len();
        let groups = self.groups().filter(|group| T::DEPTH == 0 && group.len() > 1);
        let of_block = |group: Range<usize>| {
            let block: Vec<T> =
                group.clone().flat_map(|i| b[i * n..][group.clone()].iter().copied()).collect();
            // By rounding it may not be quite symmetric.
            let block = expanded(&packed(&block, group.len()), group.len());
            let (values, vectors) = factors::symmetric_eigen(&block, group.len())?;
            Some(Parting { group, values, vectors })
        };
        groups.filter_map(of_block).collect()
    }

    /// A matrix of quotients by λⱼ − λᵢ, 0 on the diagonal. Where the eigenvalues are equal it is 0 if that says `is_zero`, and
    /// else NaN.
    fn quotients(
        &self,
        dividend: impl Fn(usize, usize) -> T,
        is_zero: impl Fn(usize, usize) -> bool,
    ) -> Vec<T> {
        let n = self.values.len();
        let quotient = |i: usize, j: usize| match (i == j, self.are_equal(i, j)) {
            (true, _) => T::from_f64(0.0),
            (_, true) => T::from_f64(if is_zero(i, j) { 0.0 } else { f64::NAN }),
            _ => dividend(i, j) / (self.values[j] - self.values[i]),
        };
        Matrix::from_fn(n, n, quotient).data
    }
}

/// Whether a function that has these derivatives by the eigenvalues takes equal ones alike.
fn are_alike<T: Real>(derivatives: &[T]) -> impl Fn(usize, usize) -> bool {
    let sizes: Vec<f64> = derivatives.iter().map(|number| number.innermost()).collect();
    let largest = sizes.iter().fold(0.0, |largest: f64, size| largest.max(size.abs()));
    // The eigenvalues differ by rounding, and their function may be steep.
    let rounding = super::epsilon::<T>().sqrt() * largest;
    move |i, j| (sizes[i] - sizes[j]).abs() <= rounding
}

/// Which entries of a matrix are 0 but for rounding, beside its largest.
fn vanishing<T: Real>(matrix: &[T], n: usize) -> impl Fn(usize, usize) -> bool {
    let sizes: Vec<f64> = matrix.iter().map(|entry| entry.innermost().abs()).collect();
    let rounding =
        8.0 * n as f64 * super::epsilon::<T>() * sizes.iter().copied().fold(0.0, f64::max);
    move |i, j| sizes[i * n + j] <= rounding
}

/// Which columns of a matrix are 0.
fn zero_columns<T: Real>(matrix: &[T], n: usize) -> Vec<bool> {
    (0..n).map(|j| matrix.iter().skip(j).step_by(n).all(|entry| entry.vanishes())).collect()
}

/// A·B, where 0 times NaN is 0.
fn product_of_some<T: Real>(a: &[T], b: &[T], n: usize) -> Vec<T> {
    if !a.iter().chain(b).any(|entry| entry.innermost().is_nan()) {
        return product(a, b, [n; 3]);
    }
    let entry = |i: usize, j: usize| {
        let term = |sum: T, k: usize| match (a[i * n + k], b[k * n + j]) {
            (a, b) if a.vanishes() || b.vanishes() => sum,
            (a, b) => sum + a * b,
        };
        (0..n).fold(T::from_f64(0.0), term)
    };
    Matrix::from_fn(n, n, entry).data
}

impl Operation for Eigen {
    fn name(&self) -> &'static str {
        "symmetric_eigen"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n))
    }

    fn outputs(&self, _: usize) -> usize {
        self.n + self.n * self.n
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        if let Some((values, vectors)) = factors::symmetric_eigen(&expanded(x, self.n), self.n) {
            y[..self.n].copy_from_slice(&values);
            y[self.n..].copy_from_slice(&vectors);
        }
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        into.copy_from_slice(&applied_to(&EigenAdjoint { n: self.n }, &[x, y, adjoint]));
    }

    /// V′ = V·Ω and λ′ = diag B. Equal eigenvalues part along A′ with the eigenvalues of B's block of them.
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let n = self.n;
        y.copy_from_slice(&applied(self, x));
        let (values, vectors) = y.split_at(n);
        let b = turned(vectors, &expanded(dx, n), n);
        let gaps = Gaps::of(values);
        let is_still = dx.iter().all(|entry| entry.vanishes());
        let omega = gaps.quotients(|i, j| b[i * n + j], |_, _| is_still);
        let (of_values, of_vectors) = dy.split_at_mut(n);
        of_values.iter_mut().zip(b.iter().step_by(n + 1)).for_each(|(to, &entry)| *to = entry);
        for Parting { group, values, .. } in gaps.parting(&b) {
            of_values[group].copy_from_slice(&values);
        }
        of_vectors.copy_from_slice(&product(vectors, &omega, [n; 3]));
    }
}

impl EigenAdjoint {
    /// The lower triangle of A, λ, V, λ̅ and V̅.
    fn split<T>(self, x: &[T]) -> [&[T]; 5] {
        let n = self.n;
        let (a, x) = x.split_at(packed_len(n));
        let (values, x) = x.split_at(n);
        let (vectors, x) = x.split_at(n * n);
        let (of_values, of_vectors) = x.split_at(n);
        [a, values, vectors, of_values, of_vectors]
    }

    /// N = F∘(Vᵀ·V̅), made symmetric; `None` where V̅ is 0.
    fn beside_the_diagonal<T: Real>(
        self,
        gaps: &Gaps<'_, T>,
        v: &[T],
        of_v: &[T],
    ) -> Option<Vec<T>> {
        let n = self.n;
        let zero = zero_columns(of_v, n);
        if zero.iter().all(|&zero| zero) {
            return None;
        }
        let g = product(&transposed(v, n, n), of_v, [n; 3]);
        let half = T::from_f64(0.5);
        let dividend = |i: usize, j: usize| (g[i * n + j] - g[j * n + i]) * half;
        Some(gaps.quotients(dividend, |i, j| zero[i] && zero[j]))
    }
}

/// M, whose diagonal is this.
fn with_diagonal<T: Real>(beside: Option<&[T]>, diagonal: &[T]) -> Vec<T> {
    let n = diagonal.len();
    let mut m = beside.map_or_else(|| vec![T::from_f64(0.0); n * n], <[T]>::to_vec);
    m.iter_mut().step_by(n + 1).zip(diagonal).for_each(|(to, &entry)| *to = entry);
    m
}

impl Operation for EigenAdjoint {
    fn name(&self) -> &'static str {
        "symmetric_eigen_adjoint"
    }

    fn inputs(&self) -> Option<usize> {
        Some(packed_len(self.n) + 2 * (self.n + self.n * self.n))
    }

    fn outputs(&self, _: usize) -> usize {
        packed_len(self.n)
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let n = self.n;
        let [_, values, v, of_values, of_v] = self.split(x);
        let gaps = Gaps::of(values);
        let beside = self.beside_the_diagonal(&gaps, v, of_v);
        let mut m = with_diagonal(beside.as_deref(), of_values);
        let are_alike = are_alike(of_values);
        for group in gaps.groups() {
            if !group.clone().all(|k| are_alike(group.start, k)) {
                m[group.start * (n + 1)] = T::from_f64(f64::NAN);
            }
        }
        y.copy_from_slice(&folded(&turned_back(v, &m, n), n));
    }

    /// With W for the adjoint, S = Vᵀ·W·V, E = F∘S, G = Vᵀ·V̅ and N what M has beside its diagonal: λ̅ gets diag S, V̅ gets
    /// V·E, and A gets V·B̅·Vᵀ, where B̅ = F∘(S·M − M·S − E·Gᵀ) and, on the diagonal, −2·Σᵢ Eᵢⱼ·Nᵢⱼ.
    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let n = self.n;
        let [a, values, v, of_values, of_v] = self.split(x);
        let gaps = Gaps::of(values);
        let s = turned(v, &expanded(adjoint, n), n);
        let is_zero = vanishing(&s, n);
        let e = gaps.quotients(|i, j| s[i * n + j], &is_zero);
        let mut of_b = match self.beside_the_diagonal(&gaps, v, of_v) {
            None => {
                let turn = |i: usize, j: usize| s[i * n + j] * (of_values[j] - of_values[i]);
                gaps.quotients(turn, &is_zero)
            }
            Some(beside) => {
                let m = with_diagonal(Some(&beside), of_values);
                let g = product(&transposed(v, n, n), of_v, [n; 3]);
                let (sm, ms) = (product_of_some(&s, &m, n), product_of_some(&m, &s, n));
                let eg = product_of_some(&e, &transposed(&g, n, n), n);
                let zero = zero_columns(of_v, n);
                let mut of_b = gaps.quotients(
                    |i, j| sm[i * n + j] - ms[i * n + j] - eg[i * n + j],
                    |i, j| is_zero(i, j) && zero[i] && zero[j],
                );
                for j in 0..n {
                    let terms =
                        (0..n).filter(|&i| i != j).map(|i| (e[i * n + j], beside[i * n + j]));
                    let pairs: Vec<(T, T)> =
                        terms.filter(|(e, n)| !e.vanishes() && !n.vanishes()).collect();
                    let sum = pairs.into_iter().fold(T::from_f64(0.0), |sum, (e, n)| sum + e * n);
                    of_b[j * n + j] = sum * T::from_f64(-2.0);
                }
                of_b
            }
        };
        // Ω takes from B what is above the diagonal and below.
        for i in 0..n {
            for j in 0..i {
                let mean = (of_b[i * n + j] + of_b[j * n + i]) * T::from_f64(0.5);
                (of_b[i * n + j], of_b[j * n + i]) = (mean, mean);
            }
        }
        let (into_a, rest) = into.split_at_mut(a.len());
        into_a.copy_from_slice(&folded(&turned_back(v, &of_b, n), n));
        let (into_values, into_v) = rest[n + n * n..].split_at_mut(n);
        into_values.iter_mut().zip(s.iter().step_by(n + 1)).for_each(|(to, &entry)| *to = entry);
        into_v.copy_from_slice(&product(v, &e, [n; 3]));
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let n = self.n;
        let [_, values, v, of_values, of_v] = self.split(x);
        let [da, _, _, d_of_values, d_of_v] = self.split(dx);
        y.copy_from_slice(&applied(self, x));
        let gaps = Gaps::of(values);
        let b = turned(v, &expanded(da, n), n);
        let is_zero = vanishing(&b, n);
        let omega = gaps.quotients(|i, j| b[i * n + j], &is_zero);
        let zero: Vec<bool> = zero_columns(of_v, n)
            .into_iter()
            .zip(zero_columns(d_of_v, n))
            .map(|(a, b)| a && b)
            .collect();
        let mut middle = if zero.iter().all(|&zero| zero) {
            let turn = |i: usize, j: usize| b[i * n + j] * (of_values[j] - of_values[i]);
            let is_still = da.iter().all(|entry| entry.vanishes());
            let are_alike = are_alike(of_values);
            let has_parted = T::DEPTH == 0;
            gaps.quotients(turn, |i, j| {
                is_still || (are_alike(i, j) && (has_parted || is_zero(i, j)))
            })
        } else {
            let beside = self.beside_the_diagonal(&gaps, v, of_v);
            let m = with_diagonal(beside.as_deref(), of_values);
            let transpose = transposed(v, n, n);
            let (g, h) = (product(&transpose, of_v, [n; 3]), product(&transpose, d_of_v, [n; 3]));
            let (om, mo) = (product_of_some(&omega, &m, n), product_of_some(&m, &omega, n));
            let dg: Vec<T> =
                h.iter().zip(product_of_some(&omega, &g, n)).map(|(&h, moved)| h - moved).collect();
            let half = T::from_f64(0.5);
            let of_beside = gaps.quotients(
                |i, j| {
                    let moved = match &beside {
                        Some(beside) => (b[j * n + j] - b[i * n + i]) * beside[i * n + j],
                        None => T::from_f64(0.0),
                    };
                    (dg[i * n + j] - dg[j * n + i]) * half - moved
                },
                |i, j| zero[i] && zero[j],
            );
            om.iter().zip(&mo).zip(&of_beside).map(|((&om, &mo), &m)| om - mo + m).collect()
        };
        let mut of_values = with_diagonal(None, d_of_values);
        // The derivatives by equal eigenvalues are by those that part along A′, whose vectors are V·Q.
        for Parting { group, vectors: q, .. } in gaps.parting(&b) {
            let m = group.len();
            let block = turned_back(&q, &with_diagonal(None, &d_of_values[group.clone()]), m);
            for (row, block) in group.clone().zip(block.chunks_exact(m)) {
                of_values[row * n..][group.clone()].copy_from_slice(block);
            }
        }
        middle.iter_mut().zip(of_values).for_each(|(middle, entry)| *middle += entry);
        dy.copy_from_slice(&folded(&turned_back(v, &middle, n), n));
    }
}

/// Eigenvalues and eigenvectors of a symmetric matrix, by [`Matrix::symmetric_eigen`].
#[derive(Clone, Debug)]
pub struct SymmetricEigen<T = f64> {
    values: Vec<T>,
    vectors: Matrix<T>,
}

impl<T: Real> SymmetricEigen<T> {
    /// The eigenvalues, smallest first.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The eigenvectors, of length 1: the columns of this matrix, in the order of the eigenvalues. The largest entry of each is
    /// above 0.
    pub fn vectors(&self) -> &Matrix<T> {
        &self.vectors
    }
}

impl<T: Real> Matrix<T> {
    /// The eigenvalues and eigenvectors of this symmetric matrix.
    ///
    /// Only the lower triangle and the diagonal are read; what is above is taken to be the same. So the derivatives go to the
    /// lower triangle.
    ///
    /// Where eigenvalues are equal (but for rounding), first derivatives are right of functions that do not depend on which
    /// vectors are taken for them, such as Σ f(λ); of the vectors themselves they are NaN. Second derivatives of such functions
    /// are right there by [`hessian`](crate::hessian), [`hessian_vector`](crate::hessian_vector), programs and dual numbers; by
    /// reverse mode over reverse mode they are NaN. Of √A, [`Matrix::symmetric_sqrt`] is right there.
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::NotFinite`] where a number is NaN or ∞, in any lane. A program that is replayed at such a
    /// matrix gives NaN.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// let eigen = Matrix::from_rows(2, 2, vec![3.0, 1.0, 1.0, 3.0])?.symmetric_eigen()?;
    /// assert!(eigen.values().iter().zip([2.0_f64, 4.0]).all(|(a, b)| (a - b).abs() < 1e-14));
    /// // Σ ln λ, at a matrix whose eigenvalues are equal: the gradient is that of ln det A.
    /// let f = |a: &[Var]| {
    ///     let a = Matrix::from_rows(2, 2, vec![a[0], a[1], a[1], a[2]]).unwrap();
    ///     let logarithms: Vec<Var> =
    ///         a.symmetric_eigen().unwrap().values().iter().map(|value| value.ln()).collect();
    ///     tape::sum(&logarithms)
    /// };
    /// assert_eq!(tape::gradient(f, &[2.0, 0.0, 2.0]).1, [0.5, 0.0, 0.5]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[track_caller]
    pub fn symmetric_eigen(&self) -> Result<SymmetricEigen<T>, Error> {
        let call = "symmetric_eigen";
        let n = self.square(call)?;
        let lower = packed(&self.data, n);
        let (values, vectors) = eigen(&lower, n);
        if values.first().is_some_and(|value| value.is_nan_in_a_lane()) {
            check_finite(call, &lower)?;
        }
        Ok(SymmetricEigen { values, vectors: Self { rows: n, columns: n, data: vectors } })
    }
}

/// Refuses numbers that are not finite, in any lane.
pub(super) fn check_finite<T: Real>(call: &'static str, numbers: &[T]) -> Result<(), Error> {
    let is_lost = |number: &T| T::lanes_where(*number, *number, |x, _| !x.is_finite()) != 0;
    if numbers.iter().any(is_lost) { Err(Error::NotFinite { call }) } else { Ok(()) }
}
