//! A = L·Lᵀ, from the lower triangle of A; its tangent and its adjoint.

use crate::real::Real;

/// L from A, whose lower triangle is read; above the diagonal of L is 0. `None` where A is not positive definite, or NaN.
pub(crate) fn cholesky<T: Real>(a: &[T], n: usize) -> Option<Vec<T>> {
    #[cfg(feature = "linear-algebra")]
    if n >= super::LARGE
        && let Some(a) = crate::operation::as_f64(a)
    {
        let l = by_faer::cholesky(a, n)?;
        return Some(l.into_iter().map(T::from_f64).collect());
    }
    let mut l = vec![T::from_f64(0.0); n * n];
    for row in 0..n {
        let (above, current) = l.split_at_mut(row * n);
        for column in 0..row {
            let of_column = &above[column * n..][..n];
            let rest = a[row * n + column] - T::dot(&current[..column], &of_column[..column]);
            current[column] = rest / of_column[column];
        }
        let square = a[row * n + row] - T::dot(&current[..row], &current[..row]);
        if square.innermost().is_nan() || square.innermost() <= 0.0 {
            return None;
        }
        current[row] = square.sqrt();
    }
    Some(l)
}

/// The tangent of L from that of A.
///
/// That of the first block is of the same kind; then L₂₁′ = (A₂₁′ − L₂₁·L₁₁′ᵀ)·L₁₁⁻ᵀ, and what is left of A₂₂′ is
/// A₂₂′ − L₂₁′·L₂₁ᵀ − L₂₁·L₂₁′ᵀ. Here the blocks are rows.
pub(crate) fn cholesky_forward<T: Real>(l: &[T], da: &[T], n: usize) -> Vec<T> {
    #[cfg(feature = "linear-algebra")]
    if n >= super::LARGE
        && let (Some(l), Some(da)) = (crate::operation::as_f64(l), crate::operation::as_f64(da))
    {
        return by_faer::forward(l, da, n).into_iter().map(T::from_f64).collect();
    }
    forward_by_loops(l, da, n)
}

fn forward_by_loops<T: Real>(l: &[T], da: &[T], n: usize) -> Vec<T> {
    let mut dl = vec![T::from_f64(0.0); n * n];
    for row in 0..n {
        let (above, current) = dl.split_at_mut(row * n);
        let of_row = &l[row * n..][..n];
        for column in 0..row {
            let (of_column, tangents) = (&l[column * n..][..n], &above[column * n..][..n]);
            let rest = da[row * n + column]
                - T::dot(&current[..column], &of_column[..column])
                - T::dot(&of_row[..=column], &tangents[..=column]);
            current[column] = rest / of_column[column];
        }
        let both = T::dot(&current[..row], &of_row[..row]);
        let half = T::from_f64(0.5);
        current[row] = (half * da[row * n + row] - both) / of_row[row];
    }
    dl
}

/// The adjoint of the lower triangle of A from that of L, whose lower triangle is read.
///
/// Column by column from the last (Murray, "Differentiation of the Cholesky decomposition", 2016, section 3.1; Smith,
/// "Differentiation of the Cholesky algorithm", 1995).
pub(crate) fn cholesky_reverse<T: Real>(l: &[T], adjoint: &[T], n: usize) -> Vec<T> {
    let mut adjoint = adjoint.to_vec();
    #[cfg(feature = "linear-algebra")]
    if n >= super::LARGE
        && let (Some(l), Some(adjoint)) =
            (crate::operation::as_f64(l), crate::operation::as_f64(&adjoint))
    {
        return by_faer::reverse(l, adjoint, n).into_iter().map(T::from_f64).collect();
    }
    reverse_in_place(l, &mut adjoint, n);
    adjoint
}

fn reverse_in_place<T: Real>(l: &[T], adjoint: &mut [T], n: usize) {
    for k in (0..n).rev() {
        let pivot = l[k * n + k];
        let of_k = &l[k * n..][..k];
        let (above, below) = adjoint.split_at_mut((k + 1) * n);
        let adjoint_k = &mut above[k * n..];
        for (step, adjoint_i) in below.chunks_exact_mut(n).enumerate() {
            let of_i = &l[(k + 1 + step) * n..][..n];
            let of_a = adjoint_i[k] / pivot;
            adjoint_i[k] = of_a;
            adjoint_k[k] -= of_a * of_i[k];
            let pairs = adjoint_i.iter_mut().zip(adjoint_k.iter_mut());
            for ((to_i, to_k), (&of_i, &of_k)) in pairs.zip(of_i.iter().zip(of_k)) {
                *to_i -= of_a * of_k;
                *to_k -= of_a * of_i;
            }
        }
        let of_a = adjoint_k[k] / pivot;
        adjoint_k[k] = of_a * T::from_f64(0.5);
        adjoint_k.iter_mut().zip(of_k).for_each(|(to, &of_k)| *to -= of_a * of_k);
    }
}

/// The same by halves: what is done between them are products of matrices.
#[cfg(feature = "linear-algebra")]
mod by_faer {
    use faer::dyn_stack::{MemBuffer, MemStack};
    use faer::linalg::cholesky::llt::factor::{
        LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
    };
    use faer::linalg::matmul::matmul;
    use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
    use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
    use faer::linalg::triangular_solve::solve_upper_triangular_in_place;
    use faer::{Accum, Mat, MatMut, MatRef, Par, Spec};

    use BlockStructure::{Rectangular, TriangularLower};

    /// Blocks of no more rows are done column by column.
    const LEAF: usize = 32;

    pub(super) fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
        let a = MatRef::from_row_major_slice(a, n, n);
        let mut l = Mat::<f64>::zeros(n, n);
        l.copy_from_triangular_lower(a);
        let mut buffer =
            MemBuffer::new(cholesky_in_place_scratch::<f64>(n, Par::Seq, Spec::default()));
        let stack = MemStack::new(&mut buffer);
        let (none, params) = (LltRegularization::default(), Spec::default());
        cholesky_in_place(l.as_mut(), none, Par::Seq, stack, params).ok()?;
        let is_good = |k: usize| l[(k, k)] > 0.0;
        (0..n).all(is_good).then(|| rows(l.as_ref()))
    }

    /// The lower triangle, with 0 above.
    fn rows(matrix: MatRef<'_, f64>) -> Vec<f64> {
        let n = matrix.nrows();
        let mut rows = vec![0.0; n * n];
        MatMut::from_row_major_slice_mut(&mut rows, n, n).copy_from_triangular_lower(matrix);
        rows
    }

    pub(super) fn forward(l: &[f64], da: &[f64], n: usize) -> Vec<f64> {
        let l = MatRef::from_row_major_slice(l, n, n).to_owned();
        let mut tangents = MatRef::from_row_major_slice(da, n, n).to_owned();
        forward_in_place(l.as_ref(), tangents.as_mut());
        rows(tangents.as_ref())
    }

    fn forward_in_place(l: MatRef<'_, f64>, tangents: MatMut<'_, f64>) {
        let n = l.nrows();
        if n <= LEAF {
            let by_loops = |l: &[f64], tangents: &[f64]| super::forward_by_loops(l, tangents, n);
            return on_rows(l, tangents, by_loops);
        }
        let half = n / 2;
        let (l11, _, l21, l22) = l.split_at(half, half);
        let (mut t11, _, mut t21, mut t22) = tangents.split_at_mut(half, half);
        forward_in_place(l11, t11.as_mut());
        // t21 ← (t21 − L21·t11ᵀ)·L11⁻ᵀ
        triangular_matmul(
            t21.as_mut(),
            Rectangular,
            Accum::Add,
            l21,
            Rectangular,
            t11.as_ref().transpose(),
            BlockStructure::TriangularUpper,
            -1.0,
            Par::Seq,
        );
        solve_lower_triangular_in_place(l11, t21.as_mut().transpose_mut(), Par::Seq);
        // t22 ← t22 − t21·L21ᵀ − L21·t21ᵀ
        for (first, second) in [(t21.as_ref(), l21), (l21, t21.as_ref())] {
            triangular_matmul(
                t22.as_mut(),
                TriangularLower,
                Accum::Add,
                first,
                Rectangular,
                second.transpose(),
                Rectangular,
                -1.0,
                Par::Seq,
            );
        }
        forward_in_place(l22, t22);
    }

    pub(super) fn reverse(l: &[f64], adjoint: &[f64], n: usize) -> Vec<f64> {
        let l = MatRef::from_row_major_slice(l, n, n).to_owned();
        let mut adjoint = MatRef::from_row_major_slice(adjoint, n, n).to_owned();
        reverse_in_place(l.as_ref(), adjoint.as_mut());
        rows(adjoint.as_ref())
    }

    /// The steps of [`forward_in_place`], backwards.
    fn reverse_in_place(l: MatRef<'_, f64>, adjoint: MatMut<'_, f64>) {
        let n = l.nrows();
        if n <= LEAF {
            let by_loops = |l: &[f64], adjoint: &[f64]| {
                let mut adjoint = adjoint.to_vec();
                super::reverse_in_place(l, &mut adjoint, n);
                adjoint
            };
            return on_rows(l, adjoint, by_loops);
        }
        let half = n / 2;
        let (l11, _, l21, l22) = l.split_at(half, half);
        let (mut a11, _, mut a21, mut a22) = adjoint.split_at_mut(half, half);
        reverse_in_place(l22, a22.as_mut());
        // a21 ← (a21 − (a22 + a22ᵀ)·L21)·L11⁻¹
        let both = Mat::from_fn(n - half, n - half, |i, j| {
            a22[(i.max(j), i.min(j))] * if i == j { 2.0 } else { 1.0 }
        });
        matmul(a21.as_mut(), Accum::Add, both, l21, -1.0, Par::Seq);
        let transposed = a21.as_mut().transpose_mut();
        solve_upper_triangular_in_place(l11.transpose(), transposed, Par::Seq);
        // a11 ← a11 − a21ᵀ·L21
        triangular_matmul(
            a11.as_mut(),
            TriangularLower,
            Accum::Add,
            a21.as_ref().transpose(),
            Rectangular,
            l21,
            Rectangular,
            -1.0,
            Par::Seq,
        );
        reverse_in_place(l11, a11);
    }

    /// Replaces the lower triangle of a block by what a loop over rows makes of it.
    fn on_rows(
        l: MatRef<'_, f64>,
        mut block: MatMut<'_, f64>,
        by_loops: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    ) {
        let n = l.nrows();
        let result = by_loops(&rows(l), &rows(block.as_ref()));
        block.copy_from_triangular_lower(MatRef::from_row_major_slice(&result, n, n));
    }
}
