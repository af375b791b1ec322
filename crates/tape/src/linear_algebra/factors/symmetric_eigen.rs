//! A = V·Λ·Vᵀ, of a symmetric matrix.

use crate::real::Real;

/// The eigenvalues, smallest first, and V, whose columns are the eigenvectors, row by row. The largest entry of each vector is
/// above 0. `None` where a number is not finite.
pub(crate) fn symmetric_eigen<T: Real>(a: &[T], n: usize) -> Option<(Vec<T>, Vec<T>)> {
    if !a.iter().all(|entry| entry.innermost().is_finite()) {
        return None;
    }
    #[cfg(feature = "linear-algebra")]
    if n >= super::LARGE
        && let Some(a) = crate::operation::as_f64(a)
    {
        let (values, vectors) = by_faer(a, n)?;
        let numbers = |numbers: Vec<f64>| numbers.into_iter().map(T::from_f64).collect::<Vec<T>>();
        let (values, mut vectors) = (numbers(values), numbers(vectors));
        turn(&mut vectors, n);
        return Some((values, vectors));
    }
    let (values, vectors) = by_rotations(a.to_vec(), n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| values[i].innermost().total_cmp(&values[j].innermost()));
    let mut sorted: Vec<T> =
        vectors.chunks_exact(n.max(1)).flat_map(|row| order.iter().map(|&j| row[j])).collect();
    turn(&mut sorted, n);
    Some((order.iter().map(|&j| values[j]).collect(), sorted))
}

/// By Jacobi's rotations, row after row until none changes anything (Golub and Van Loan, "Matrix Computations", section 8.5):
/// small eigenvalues are as accurate as the matrix allows.
fn by_rotations<T: Real>(mut a: Vec<T>, n: usize) -> (Vec<T>, Vec<T>) {
    /// A matrix needs six to ten.
    const SWEEPS: usize = 60;

    // Where a diagonal is 0, nothing is small beside it.
    let epsilon = super::super::epsilon::<T>();
    let largest = a.iter().fold(0.0, |largest: f64, entry| largest.max(entry.innermost().abs()));
    let floor = largest * epsilon * epsilon;
    let mut v = vec![T::from_f64(0.0); n * n];
    v.iter_mut().step_by(n + 1).for_each(|entry| *entry = T::from_f64(1.0));
    for _ in 0..SWEEPS {
        let mut is_done = true;
        for p in 0..n {
            for q in p + 1..n {
                let [x, y] = [p, q].map(|k| a[k * n + k].innermost().abs());
                let small = 0.5 * epsilon * (x * y).sqrt();
                if a[p * n + q].innermost().abs() > small.max(floor) {
                    rotate(&mut a, &mut v, n, [p, q]);
                    is_done = false;
                }
            }
        }
        if is_done {
            break;
        }
    }
    (a.into_iter().step_by(n + 1).collect(), v)
}

/// Makes the entry at (p, q) 0.
fn rotate<T: Real>(a: &mut [T], v: &mut [T], n: usize, [p, q]: [usize; 2]) {
    let one = T::from_f64(1.0);
    let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
    let half = (aqq - app) / (apq + apq);
    let root = (half * half + one).sqrt();
    let tangent = if half.innermost() >= 0.0 { one / (half + root) } else { one / (half - root) };
    // Where its square overflows, the tangent is 1/(2·half).
    let tangent = if root.innermost().is_finite() { tangent } else { one / (half + half) };
    let cosine = one / (tangent * tangent + one).sqrt();
    let sine = tangent * cosine;
    let turned = |x: T, y: T| (cosine * x - sine * y, sine * x + cosine * y);
    for k in 0..n {
        let (first, second) = turned(v[k * n + p], v[k * n + q]);
        (v[k * n + p], v[k * n + q]) = (first, second);
        if k != p && k != q {
            let (first, second) = turned(a[k * n + p], a[k * n + q]);
            (a[k * n + p], a[p * n + k]) = (first, first);
            (a[k * n + q], a[q * n + k]) = (second, second);
        }
    }
    a[p * n + p] = app - tangent * apq;
    a[q * n + q] = aqq + tangent * apq;
    a[p * n + q] = T::from_f64(0.0);
    a[q * n + p] = T::from_f64(0.0);
}

/// Makes the largest entry of every column be above 0.
fn turn<T: Real>(vectors: &mut [T], n: usize) {
    for column in 0..n {
        let entries = vectors.iter().skip(column).step_by(n.max(1));
        let largest = entries.map(|entry| entry.innermost()).fold(0.0, |largest: f64, entry| {
            if entry.abs() > largest.abs() { entry } else { largest }
        });
        if largest < 0.0 {
            vectors.iter_mut().skip(column).step_by(n).for_each(|entry| *entry = -*entry);
        }
    }
}

#[cfg(feature = "linear-algebra")]
fn by_faer(a: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    use faer::diag::Diag;
    use faer::dyn_stack::{MemBuffer, MemStack};
    use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
    use faer::{Mat, MatRef, Par, Spec};

    let (mut values, mut vectors) = (Diag::zeros(n), Mat::zeros(n, n));
    let size =
        self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Spec::default());
    self_adjoint_evd(
        MatRef::from_row_major_slice(a, n, n),
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(size)),
        Spec::default(),
    )
    .ok()?;
    let values = values.column_vector().iter().copied().collect();
    let entry = |i: usize| (0..n).map(move |j| (i, j));
    Some((values, (0..n).flat_map(entry).map(|at| vectors[at]).collect()))
}
