//! The determinant, whose derivatives are right at singular matrices, too.
//!
//! By complete pivoting P·A·Q = L·D·U, with ones on the diagonals of L and U, and no entry of theirs larger than 1. The
//! determinant is ± that of D, and all its derivatives are those of D's determinant, in the coordinates L⁻¹·P·_·Q·U⁻¹: products
//! of all pivots but one, or but two, and nothing is divided by a pivot.

use super::factors::{Lu, Triangular, swap_rows};
use super::product::product;
use super::solve::inverse;
use super::{told_by_its_size, transposed};
use crate::matrix::Matrix;
use crate::operation::{applied, applied_to};
use crate::real::Real;
use crate::real::operation::Operation;

/// det A.
///
/// The adjoint is y̅·cof A, which is y̅·det A·A⁻ᵀ (Giles, "Collected matrix derivative results for forward and reverse mode
/// algorithmic differentiation", 2008, section 2.2.4) where there is an inverse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Determinant {
    pub(super) n: usize,
}
told_by_its_size!(Determinant { n });

/// cof A, the matrix of cofactors: the gradient of the determinant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cofactors {
    pub(super) n: usize,
}
told_by_its_size!(Cofactors { n });

/// Of A and E: the derivative of cof A along E, the product of E with the determinant's Hessian. It is linear in E, and
/// symmetric as Hessians are.
#[derive(Clone, Copy, Debug)]
pub(super) struct CofactorsAlong {
    pub(super) n: usize,
}
told_by_its_size!(CofactorsAlong { n });

fn cofactors<T: Real>(a: &[T], n: usize) -> Vec<T> {
    applied(&Cofactors { n }, a)
}

fn cofactors_along<T: Real>(a: &[T], e: &[T], n: usize) -> Vec<T> {
    applied_to(&CofactorsAlong { n }, &[a, e])
}

impl Operation for Determinant {
    fn name(&self) -> &'static str {
        "determinant"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let lu = Lu::of(x, self.n);
        // After a pivot that is 0, those of a loop are NaN.
        let is_zero = |pivot: T| pivot.innermost() == 0.0;
        let is_nan = |pivot: T| pivot.innermost().is_nan();
        let lost = lu.pivots().find(|&pivot| is_zero(pivot) || is_nan(pivot));
        y[0] = match lost {
            Some(pivot) if is_zero(pivot) && x.iter().all(|x| x.innermost().is_finite()) => pivot,
            _ => lu.determinant(),
        };
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let gradient = cofactors(x, self.n);
        into.iter_mut().zip(gradient).for_each(|(into, entry)| *into = adjoint[0] * entry);
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        y.copy_from_slice(&applied(self, x));
        dy[0] = T::dot(&cofactors(x, self.n), dx);
    }
}

impl Operation for Cofactors {
    fn name(&self) -> &'static str {
        "cofactors"
    }

    fn inputs(&self) -> Option<usize> {
        Some(self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.n
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let ldu = Ldu::of(x, self.n);
        let mut diagonal = vec![T::from_f64(0.0); x.len()];
        let pivots = ldu.pivots();
        let (before, after) = (products(&pivots), products_from_the_end(&pivots));
        for k in 0..self.n {
            diagonal[k * self.n + k] = before[k] * after[k + 1];
        }
        ldu.gradient_from(diagonal, y);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        into.copy_from_slice(&cofactors_along(x, adjoint, self.n));
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        y.copy_from_slice(&cofactors(x, self.n));
        dy.copy_from_slice(&cofactors_along(x, dx, self.n));
    }
}

impl Operation for CofactorsAlong {
    fn name(&self) -> &'static str {
        "cofactors_along"
    }

    fn inputs(&self) -> Option<usize> {
        Some(2 * self.n * self.n)
    }

    fn outputs(&self, _: usize) -> usize {
        self.n * self.n
    }

    /// In D's coordinates, with F for E and p for the product of all pivots but two: −F[j, i]·p(i, j) at (i, j), and
    /// Σⱼ F[j, j]·p(i, j) over the others at (i, i).
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let n = self.n;
        let (a, e) = x.split_at(n * n);
        let ldu = Ldu::of(a, n);
        let f = ldu.direction(e);
        let pivots = ldu.pivots();
        let (before, after) = (products(&pivots), products_from_the_end(&pivots));
        let mut along = vec![T::from_f64(0.0); n * n];
        for i in 0..n {
            let mut between = T::from_f64(1.0);
            for j in i + 1..n {
                let others = before[i] * between * after[j + 1];
                between *= pivots[j];
                along[i * n + j] = -f[j * n + i] * others;
                along[j * n + i] = -f[i * n + j] * others;
                along[i * n + i] += f[j * n + j] * others;
                along[j * n + j] += f[i * n + i] * others;
            }
        }
        ldu.gradient_from(along, y);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let n = self.n;
        let (a, e) = x.split_at(n * n);
        let (into_a, into_e) = into.split_at_mut(n * n);
        into_a.copy_from_slice(&third_derivative(a, [e, adjoint], n));
        into_e.copy_from_slice(&cofactors_along(a, adjoint, n));
    }

    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        let n = self.n;
        let ((a, e), (da, de)) = (x.split_at(n * n), dx.split_at(n * n));
        y.copy_from_slice(&cofactors_along(a, e, n));
        let (first, second) = (third_derivative(a, [e, da], n), cofactors_along(a, de, n));
        dy.iter_mut().zip(first.into_iter().zip(second)).for_each(|(dy, (a, b))| *dy = a + b);
    }
}

/// The determinant's third derivative along E and F, by the inverse W: NaN where there is none.
///
/// It is det A times the transpose of (tr WE·tr WF − tr WEWF)·W − tr WE·WFW − tr WF·WEW + WEWFW + WFWEW.
fn third_derivative<T: Real>(a: &[T], [e, f]: [&[T]; 2], n: usize) -> Vec<T> {
    let times = |a: &[T], b: &[T]| product(a, b, [n; 3]);
    let trace = |a: &[T]| T::sum(&a.iter().step_by(n + 1).copied().collect::<Vec<T>>());
    let determinant = applied(&Determinant { n }, a)[0];
    let w = inverse(a, n);
    let (we, wf) = (times(&w, e), times(&w, f));
    let (wewf, wfwe) = (times(&we, &wf), times(&wf, &we));
    let (of_e, of_f) = (trace(&we), trace(&wf));
    let both = of_e * of_f - trace(&wewf);
    let factor: Vec<T> = (0..n * n)
        .map(|at| {
            let once = if at % (n + 1) == 0 { both } else { T::from_f64(0.0) };
            determinant * (once - of_e * wf[at] - of_f * we[at] + wewf[at] + wfwe[at])
        })
        .collect();
    transposed(&times(&factor, &w), n, n)
}

/// The products of the first 0, 1, 2, … numbers.
fn products<T: Real>(numbers: &[T]) -> Vec<T> {
    let mut products = vec![T::from_f64(1.0)];
    for (k, &number) in numbers.iter().enumerate() {
        products.push(products[k] * number);
    }
    products
}

/// The products of the numbers from the first, the second, … on.
fn products_from_the_end<T: Real>(numbers: &[T]) -> Vec<T> {
    let backwards: Vec<T> = numbers.iter().rev().copied().collect();
    let mut products = products(&backwards);
    products.reverse();
    products
}

/// P·A·Q = L·D·U.
struct Ldu<T> {
    n: usize,
    /// L below the diagonal, D on it, U above.
    entries: Vec<T>,
    /// Row i of P·A·Q is of this row of A, and column j of this column.
    rows: Vec<usize>,
    columns: Vec<usize>,
    is_odd: bool,
}

impl<T: Real> Ldu<T> {
    fn of(a: &[T], n: usize) -> Self {
        let [rows, columns] = [(); 2].map(|()| (0..n).collect());
        let mut this = Self { n, entries: a.to_vec(), rows, columns, is_odd: false };
        for k in 0..n {
            if !this.eliminate(k) {
                break;
            }
        }
        this
    }

    /// Whether there is anything left that is not 0.
    fn eliminate(&mut self, k: usize) -> bool {
        let n = self.n;
        let (mut largest, mut place) = (0.0, (k, k));
        for row in k..n {
            for column in k..n {
                let size = self.entries[row * n + column].innermost().abs();
                // NaN is found, and spreads.
                if size > largest || size.is_nan() {
                    (largest, place) = (size, (row, column));
                }
            }
        }
        if largest == 0.0 {
            return false;
        }
        let (row, column) = place;
        swap_rows(&mut self.entries, [k, row], n);
        self.rows.swap(k, row);
        self.entries.chunks_exact_mut(n).for_each(|row| row.swap(k, column));
        self.columns.swap(k, column);
        self.is_odd ^= (row != k) != (column != k);
        let pivot = self.entries[k * n + k];
        for row in k + 1..n {
            let (above, below) = self.entries.split_at_mut(row * n);
            let (of_pivot, entries) = (&above[k * n..][k + 1..n], &mut below[k..n]);
            let factor = entries[0] / pivot;
            entries[0] = factor;
            let pairs = entries[1..].iter_mut().zip(of_pivot);
            pairs.for_each(|(entry, &pivot)| *entry -= factor * pivot);
        }
        self.entries[k * n..][k + 1..n].iter_mut().for_each(|entry| *entry /= pivot);
        true
    }

    fn pivots(&self) -> Vec<T> {
        self.entries.iter().step_by(self.n + 1).copied().collect()
    }

    fn l(&self) -> Triangular<'_, T> {
        Triangular::lower(&self.entries, self.n).with_ones()
    }

    fn u(&self) -> Triangular<'_, T> {
        Triangular::upper(&self.entries, self.n).with_ones()
    }

    /// L⁻¹·P·E·Q·U⁻¹.
    fn direction(&self, e: &[T]) -> Vec<T> {
        let n = self.n;
        let row_of = |&row: &usize| self.columns.iter().map(move |&column| e[row * n + column]);
        let mut f: Vec<T> = self.rows.iter().flat_map(row_of).collect();
        self.l().solve(&mut f, n);
        let mut f = transposed(&f, n, n);
        self.u().transpose().solve(&mut f, n);
        transposed(&f, n, n)
    }

    /// A gradient by A, from that of D's determinant in its coordinates: ± Pᵀ·L⁻ᵀ·G·U⁻ᵀ·Qᵀ.
    fn gradient_from(&self, mut g: Vec<T>, to: &mut [T]) {
        let n = self.n;
        self.l().transpose().solve(&mut g, n);
        let mut g = transposed(&g, n, n);
        self.u().solve(&mut g, n);
        let sign = T::from_f64(if self.is_odd { -1.0 } else { 1.0 });
        for (i, &row) in self.rows.iter().enumerate() {
            for (j, &column) in self.columns.iter().enumerate() {
                to[row * n + column] = sign * g[j * n + i];
            }
        }
    }
}

impl<T: Real> Matrix<T> {
    /// The determinant of this square matrix; 1 for a matrix without rows.
    ///
    /// Its gradient is the matrix of cofactors, at singular matrices too, and its Hessian is right there as well. (Its third
    /// derivatives are NaN there.)
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// ```
    /// use tape::{Matrix, Var};
    ///
    /// let f = |a: &[Var]| Matrix::from_rows(2, 2, a.to_vec()).unwrap().determinant();
    /// assert_eq!(tape::gradient(f, &[1.0, 2.0, 2.0, 4.0]), (0.0, vec![4.0, -2.0, -2.0, 1.0]));
    /// assert_eq!(tape::gradient(f, &[0.0; 4]), (0.0, vec![0.0; 4]));
    /// assert_eq!(tape::hessian(f, &[0.0; 4]).2[(0, 3)], 1.0);
    /// ```
    #[track_caller]
    pub fn determinant(&self) -> T {
        let n = self.square("determinant").unwrap_or_else(|error| panic!("{error}"));
        applied(&Determinant { n }, &self.data)[0]
    }
}
