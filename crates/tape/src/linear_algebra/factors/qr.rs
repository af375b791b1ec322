//! A = Q·R by reflections, for a matrix with no more columns than rows.

use super::Triangular;
use crate::real::Real;

/// By Householder's reflections I − τ·v·vᵀ (Golub and Van Loan, "Matrix Computations", algorithm 5.2.1).
pub(crate) struct Qr<T> {
    rows: usize,
    columns: usize,
    /// R: square, its upper triangle.
    r: Vec<T>,
    /// The vectors v, one after the other: each of as many numbers as there are rows, 0 before its column.
    vectors: Vec<T>,
    /// τ
    factors: Vec<T>,
    lost: Option<usize>,
}

impl<T: Real> Qr<T> {
    pub(crate) fn of(a: &[T], [rows, columns]: [usize; 2]) -> Self {
        if columns > rows {
            let [r, vectors, factors] = [const { Vec::new() }; 3];
            return Self { rows, columns, r, vectors, factors, lost: Some(rows) };
        }
        let mut columns_of_a = super::super::transposed(a, rows, columns);
        let norms: Vec<T> = columns_of_a.chunks(rows.max(1)).map(T::norm).collect();
        let mut vectors = vec![T::from_f64(0.0); rows * columns];
        let mut factors = vec![T::from_f64(0.0); columns];
        for k in 0..columns {
            let (current, rest) = columns_of_a[k * rows..].split_at_mut(rows);
            let v = &mut vectors[k * rows..][..rows];
            factors[k] = reflection(current, v, k);
            for column in rest.chunks_exact_mut(rows) {
                reflect(&v[k..], factors[k], &mut column[k..]);
            }
        }
        let r: Vec<T> = (0..columns)
            .flat_map(|i| (0..columns).map(move |j| (i, j)))
            .map(|(i, j)| columns_of_a[j * rows + i])
            .collect();
        // What is left of a column that depends on those before is rounding.
        let tolerance = super::super::epsilon::<T>() * rows as f64;
        let stays = |k: usize| {
            r[k * columns + k].innermost().abs() > tolerance * norms[k].innermost().abs()
        };
        let lost = (0..columns).find(|&k| !stays(k));
        Self { rows, columns, r, vectors, factors, lost }
    }

    /// The first column that depends on those before it, or is NaN.
    pub(crate) fn lost_column(&self) -> Option<usize> {
        self.lost
    }

    fn upper(&self) -> Triangular<'_, T> {
        Triangular::upper(&self.r, self.columns)
    }

    /// Qᵀ·B, or Q·B, in place.
    fn turn(&self, b: &mut [T], of_b: usize, is_transposed: bool) {
        let mut columns = super::super::transposed(b, self.rows, of_b);
        for column in columns.chunks_exact_mut(self.rows.max(1)) {
            for step in 0..self.columns {
                let k = if is_transposed { step } else { self.columns - 1 - step };
                let v = &self.vectors[k * self.rows..][..self.rows];
                reflect(&v[k..], self.factors[k], &mut column[k..]);
            }
        }
        b.copy_from_slice(&super::super::transposed(&columns, of_b, self.rows));
    }

    /// The X for which A·X is nearest to B; NaN where a column is lost.
    pub(crate) fn least_squares(&self, b: &[T], of_b: usize) -> Vec<T> {
        if self.lost.is_some() {
            return vec![T::from_f64(f64::NAN); self.columns * of_b];
        }
        let mut turned = b.to_vec();
        self.turn(&mut turned, of_b, true);
        turned.truncate(self.columns * of_b);
        self.upper().solve(&mut turned, of_b);
        turned
    }

    /// The smallest Z for which Aᵀ·Z is B; NaN where a column is lost.
    pub(crate) fn smallest(&self, b: &[T], of_b: usize) -> Vec<T> {
        if self.lost.is_some() {
            return vec![T::from_f64(f64::NAN); self.rows * of_b];
        }
        let mut z = b.to_vec();
        self.upper().transpose().solve(&mut z, of_b);
        z.resize(self.rows * of_b, T::from_f64(0.0));
        self.turn(&mut z, of_b, false);
        z
    }
}

/// Makes the reflection that leaves of a column, from `k` on, one number at `k`; gives τ.
fn reflection<T: Real>(column: &mut [T], v: &mut [T], k: usize) -> T {
    let length = T::norm(&column[k..]);
    if length.innermost() == 0.0 {
        return length;
    }
    let first = column[k];
    let end = if first.innermost() > 0.0 { -length } else { length };
    v[k..].copy_from_slice(&column[k..]);
    // Scaled so that v's first number is 1.
    let head = first - end;
    v[k..].iter_mut().for_each(|v| *v /= head);
    v[k] = T::from_f64(1.0);
    column[k] = end;
    -head / end
}

fn reflect<T: Real>(v: &[T], factor: T, column: &mut [T]) {
    let along = factor * T::dot(v, column);
    column.iter_mut().zip(v).for_each(|(entry, &v)| *entry -= along * v);
}
