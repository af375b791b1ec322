//! `det`: the determinant of a matrix, expanded by minors.

use serde::Deserialize;
use tape::{Program, Real, Var, Workspace};

use super::Module;
use crate::failure::{Failure, check_length, check_some};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "det",
    functions: &[
        ("primal", |input| measure(input, checked, |matrix, _| Ok(primal(matrix)))),
        ("gradient", |input| measure(input, Prepared::new, |prepared, _| prepared.gradient())),
    ],
};

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "A")]
    elements: Vec<f64>,
    ell: usize,
}

fn checked(input: Input) -> Result<Input, Failure> {
    check_some("ell", input.ell)?;
    if input.ell > 20 {
        let (what, expected) = ("ell", "at most 20: the expansion has ell! terms");
        return Err(Failure::Value { what, expected, given: input.ell.to_string() });
    }
    check_length("A", input.ell * input.ell, input.elements.len())?;
    Ok(input)
}

fn primal(matrix: &Input) -> f64 {
    determinant(&matrix.elements, Minor::whole(matrix.ell))
}

/// A part of a matrix of the given order: its rows from `row` on, and as many columns, whose bits are set.
#[derive(Clone, Copy)]
struct Minor {
    order: usize,
    row: usize,
    columns: u32,
}

impl Minor {
    fn whole(order: usize) -> Self {
        Self { order, row: 0, columns: (1 << order) - 1 }
    }

    /// How many rows and columns it has.
    fn size(self) -> usize {
        self.order - self.row
    }

    /// Its columns, from the left.
    fn columns(self) -> impl Iterator<Item = usize> {
        let mut columns = self.columns;
        core::iter::from_fn(move || {
            let lowest = columns.trailing_zeros();
            columns &= columns.checked_sub(1)?;
            Some(lowest as usize)
        })
    }

    /// Its elements, row by row.
    fn elements<T: Copy>(self, elements: &[T]) -> impl Iterator<Item = T> {
        let rows = elements.chunks_exact(self.order).skip(self.row);
        rows.flat_map(move |row| self.columns().map(|column| row[column]))
    }
}

/// The determinant, expanded down to the last row.
fn determinant<T: Real>(elements: &[T], minor: Minor) -> T {
    match minor.size() {
        1 => elements[minor.row * minor.order + minor.columns.trailing_zeros() as usize],
        _ => expanded(elements, minor, |minor| determinant(elements, minor)),
    }
}

/// m₀·det₀ − m₁·det₁ + m₂·det₂ − …, where m is the minor's first row and detⱼ the determinant of what is left without it
/// and column j.
#[inline(always)]
fn expanded<T: Real>(elements: &[T], minor: Minor, mut rest: impl FnMut(Minor) -> T) -> T {
    let Minor { order, row, columns } = minor;
    let mut sum = T::from_f64(0.0);
    for (position, column) in minor.columns().enumerate() {
        let rest = rest(Minor { order, row: row + 1, columns: columns & !(1 << column) });
        let term = elements[row * order + column] * rest;
        sum = if position % 2 == 0 { sum + term } else { sum - term };
    }
    sum
}

/// The determinant of a small matrix, traced: all minors of this size share the program.
struct Prepared {
    matrix: Input,
    small: Program,
    workspace: Workspace,
}

/// The size of the minors that are programs: what was recorded for one grows as its factorial.
const SMALL: usize = 7;

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let matrix = checked(input)?;
        let size = SMALL.min(matrix.ell);
        let small = Program::trace(
            |elements: &[Var]| determinant(elements, Minor::whole(size)),
            &vec![0.0; size * size],
        )?;
        Ok(Self { matrix, small, workspace: Workspace::default() })
    }

    fn gradient(&mut self) -> Result<Vec<f64>, Failure> {
        let Self { matrix, small, workspace } = self;
        let mut failure = None;
        let whole = Minor::whole(matrix.ell);
        let (_, gradient) = tape::gradient(
            |elements| {
                by_programs(elements, whole, &mut |elements| {
                    let values: Vec<f64> = elements.iter().map(|x| x.value()).collect();
                    let mut partials = vec![0.0; values.len()];
                    match small.gradient_into(&values, workspace, &mut partials) {
                        Ok(value) => tape::custom(elements, value, &partials),
                        Err(error) => {
                            failure = Some(error);
                            Var::constant(f64::NAN)
                        }
                    }
                })
            },
            &matrix.elements,
        );
        failure.map_or(Ok(gradient), |error| Err(error.into()))
    }
}

/// The determinant, expanded down to the minors that `small` computes from their elements.
fn by_programs(elements: &[Var], minor: Minor, small: &mut impl FnMut(&[Var]) -> Var) -> Var {
    if minor.size() <= SMALL {
        return small(&minor.elements(elements).collect::<Vec<_>>());
    }
    expanded(elements, minor, |minor| by_programs(elements, minor, small))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    #[track_caller]
    fn check_primal(ell: usize, elements: &[f64], expected: f64) {
        assert_eq!(primal(&Input { elements: elements.to_vec(), ell }), expected);
    }

    fn gradient(ell: usize, elements: &[f64]) -> Vec<f64> {
        let input = Input { elements: elements.to_vec(), ell };
        Prepared::new(input).unwrap().gradient().unwrap()
    }

    #[test]
    fn the_determinant_of_one_number_is_itself() {
        check_primal(1, &[5.0], 5.0);
    }

    #[test]
    fn the_determinant_of_two_rows_is_ad_minus_bc() {
        // 1·4 − 2·3.
        check_primal(2, &[1.0, 2.0, 3.0, 4.0], -2.0);
    }

    #[test]
    fn the_determinant_of_a_triangle_is_the_product_of_its_diagonal() {
        // 2·3·7.
        check_primal(3, &[2.0, 1.0, 4.0, 0.0, 3.0, 5.0, 0.0, 0.0, 7.0], 42.0);
    }

    #[test]
    fn a_cycle_of_three_columns_is_even() {
        check_primal(3, &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], 1.0);
    }

    #[test]
    fn the_derivative_by_the_only_number_is_1() {
        assert_eq!(gradient(1, &[5.0]), [1.0]);
    }

    #[test]
    fn derivatives_are_cofactors() {
        // Of a·d − b·c: d, −c, −b, a.
        assert_eq!(gradient(2, &[1.0, 2.0, 3.0, 4.0]), [4.0, -3.0, -2.0, 1.0]);
    }

    #[track_caller]
    fn check_gradient(ell: usize) {
        let elements = numbers(ell * ell);
        let expected = oracle::gradient(|x| determinant(x, Minor::whole(ell)), &elements);
        assert_close(&gradient(ell, &elements), &expected);
    }

    #[test]
    fn the_gradient_of_a_matrix_smaller_than_a_program_is_that_of_duals() {
        check_gradient(SMALL - 2);
    }

    #[test]
    fn the_gradient_of_a_matrix_as_small_as_a_program_is_that_of_duals() {
        check_gradient(SMALL);
    }

    #[test]
    fn the_gradient_of_a_matrix_larger_than_a_program_is_that_of_duals() {
        check_gradient(SMALL + 1);
    }

    /// A row times the cofactors of a row is the determinant where they are the same, and 0 where they are not.
    #[test]
    fn a_row_times_cofactors_is_the_determinant_or_0() {
        let ell = SMALL + 2;
        let elements = numbers(ell * ell);
        let cofactors = gradient(ell, &elements);
        let determinant = primal(&Input { elements: elements.clone(), ell });
        for (i, row) in elements.chunks(ell).enumerate() {
            for (j, cofactors) in cofactors.chunks(ell).enumerate() {
                let expected = if i == j { determinant } else { 0.0 };
                let product = f64::dot(row, cofactors);
                assert!((product - expected).abs() <= 1e-12, "rows {i} and {j}: {product}");
            }
        }
    }
}
