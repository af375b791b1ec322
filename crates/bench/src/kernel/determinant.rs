//! The determinant of a matrix, expanded by minors: cmpad's `det_by_minor`, GradBench's `det`.

use super::{Kernel, uniform};
use crate::number::{Number, Reduce};

/// The determinant of an `ORDER` × `ORDER` matrix, with respect to its elements.
pub struct Determinant {
    elements: Vec<f64>,
}

const ORDER: usize = 9;

impl Determinant {
    /// A matrix of uniform elements.
    pub fn new() -> Self {
        Self { elements: uniform(ORDER * ORDER) }
    }
}

impl Kernel for Determinant {
    fn inputs(&self) -> &[f64] {
        &self.elements
    }

    fn evaluate<N: Number>(&self, _: &impl Reduce<N>, x: &[N]) -> N {
        minor(x, 0, (1 << ORDER) - 1)
    }
}

/// The determinant of the rows from `row` on and of the `columns` whose bits are set, expanded along `row`:
/// m₀·det₀ − m₁·det₁ + m₂·det₂ − …
fn minor<N: Number>(matrix: &[N], row: usize, columns: usize) -> N {
    let elements = &matrix[row * ORDER..][..ORDER];
    let first = columns.trailing_zeros() as usize;
    if row + 1 == ORDER {
        return elements[first];
    }
    let without = |column: usize| minor(matrix, row + 1, columns & !(1 << column));
    let mut determinant = elements[first] * without(first);
    let mut remaining = columns & (columns - 1);
    let mut negative = true;
    while remaining != 0 {
        let column = remaining.trailing_zeros() as usize;
        let term = elements[column] * without(column);
        determinant = if negative { determinant - term } else { determinant + term };
        negative = !negative;
        remaining &= remaining - 1;
    }
    determinant
}
