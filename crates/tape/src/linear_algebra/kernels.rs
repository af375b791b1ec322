//! What is computed on `f64`: with the feature `linear-algebra` by `faer`, on one thread; else by plain loops.

/// A matrix, row by row, or its transpose.
#[derive(Clone, Copy)]
pub(super) struct Factor<'a> {
    pub(super) entries: &'a [f64],
    /// What is multiplied has so many rows and columns.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether `entries` are those of its transpose.
    pub(super) is_transposed: bool,
}

impl<'a> Factor<'a> {
    pub(super) fn new(entries: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { entries, rows, columns, is_transposed: false }
    }

    pub(super) fn transpose(self) -> Self {
        let Self { entries, rows, columns, is_transposed } = self;
        Self { entries, rows: columns, columns: rows, is_transposed: !is_transposed }
    }
}

/// Writes the product of two matrices, row by row; or adds it to what is there.
#[cfg(feature = "linear-algebra")]
pub(super) fn multiply(to: &mut [f64], [a, b]: [Factor<'_>; 2], is_added: bool) {
    use faer::{Accum, MatMut, MatRef, Par};

    fn of(factor: Factor<'_>) -> MatRef<'_, f64> {
        let Factor { entries, rows, columns, is_transposed } = factor;
        if is_transposed {
            MatRef::from_row_major_slice(entries, columns, rows).transpose().as_dyn_stride()
        } else {
            MatRef::from_row_major_slice(entries, rows, columns).as_dyn_stride()
        }
    }

    let to = MatMut::from_row_major_slice_mut(to, a.rows, b.columns);
    let accumulate = if is_added { Accum::Add } else { Accum::Replace };
    faer::linalg::matmul::matmul(to, accumulate, of(a), of(b), 1.0, Par::Seq);
}

/// Writes the product of two matrices, row by row; or adds it to what is there.
#[cfg(not(feature = "linear-algebra"))]
pub(super) fn multiply(to: &mut [f64], [a, b]: [Factor<'_>; 2], is_added: bool) {
    let (inner, columns) = (a.columns, b.columns);
    if !is_added {
        to.fill(0.0);
    }
    for (row, to) in to.chunks_exact_mut(columns.max(1)).enumerate() {
        let of_a = |k: usize| {
            if a.is_transposed { a.entries[k * a.rows + row] } else { a.entries[row * inner + k] }
        };
        if b.is_transposed {
            for (to, b) in to.iter_mut().zip(b.entries.chunks_exact(inner.max(1))) {
                *to += b.iter().enumerate().map(|(k, b)| of_a(k) * b).sum::<f64>();
            }
        } else {
            for k in 0..inner {
                let factor = of_a(k);
                for (to, b) in to.iter_mut().zip(&b.entries[k * columns..][..columns]) {
                    *to += factor * b;
                }
            }
        }
    }
}
