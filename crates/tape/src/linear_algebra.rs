//! Linear algebra on matrices of any number: each function is one operation, with its adjoint by formula.
//!
//! They are [`Operation`](crate::Operation)s as users write them. A matrix is given to one row by row. On `f64`, [`kernels`]
//! compute; every other number hands the operation to the numbers that it is made of.

// All operations with all their derivatives take longer to compile than the rest of the crate.
#[cfg(feature = "linear-algebra")]
mod by_name;
mod cholesky;
mod determinant;
mod exponential;
mod factors;
mod kernels;
mod least_squares;
mod product;
mod singular_values;
mod solve;
mod square_root;
mod sums;
mod symmetric_eigen;
mod triangle;

#[cfg(feature = "linear-algebra")]
pub(crate) use by_name::by_name;
pub use cholesky::Cholesky;
pub use singular_values::Svd;
pub use symmetric_eigen::SymmetricEigen;
pub use triangle::Triangle;

use core::cell::{Cell, RefCell};

use crate::error::Error;
use crate::matrix::Matrix;
use crate::real::Real;

/// Makes a small operation, told from others of its kind by a few numbers, its own handle.
macro_rules! told_by_its_size {
    ($operation:ident { $($field:ident),* }) => {
        impl $crate::real::operation::Handle for $operation {
            fn identity(&self) -> $crate::real::operation::Identity {
                let mut which = [0; 4];
                for (slot, number) in which.iter_mut().zip([$(self.$field),*]) {
                    *slot = number;
                }
                $crate::real::operation::Identity { kind: core::any::TypeId::of::<Self>(), which }
            }

            fn written(&self) -> String {
                let mut written = $crate::real::operation::Operation::name(self).to_owned();
                for number in [$(self.$field),*] {
                    written.push_str(&format!(" {number}"));
                }
                written
            }
        }
    };
}
use told_by_its_size;

/// The entries of a matrix of so many rows and columns, column by column.
fn transposed<T: Copy>(data: &[T], rows: usize, columns: usize) -> Vec<T> {
    Matrix::from_fn(columns, rows, |i, j| data[j * columns + i]).data
}

impl<T> Matrix<T> {
    /// The number of rows, which is that of columns.
    fn square(&self, call: &'static str) -> Result<usize, Error> {
        let Self { rows, columns, .. } = *self;
        if rows == columns { Ok(rows) } else { Err(Error::NotSquare { call, rows, columns }) }
    }
}

/// Refuses a right-hand side of another number of rows than the matrix has.
fn check_rows(call: &'static str, expected: usize, given: usize) -> Result<(), Error> {
    if given == expected { Ok(()) } else { Err(Error::Dimensions { call, expected, given }) }
}

/// Whether a pivot is 0 or NaN.
fn is_lost(pivot: f64) -> bool {
    pivot == 0.0 || pivot.is_nan()
}

fn is_lost_in_a_lane<T: Real>(pivot: T) -> bool {
    T::lanes_where(pivot, pivot, |pivot, _| is_lost(pivot)) != 0
}

/// Whether the numbers have 24 bits.
fn is_single<T: Real>() -> bool {
    T::from_f64(1.0 + f64::EPSILON).innermost() == 1.0
}

/// The machine's ε of the numbers.
fn epsilon<T: Real>() -> f64 {
    if is_single::<T>() { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// What is found in the numbers of the first lane in which there is something to find, in the precision in which they are
/// computed with. No guard is noted.
fn in_a_lane<T: Real, R>(
    numbers: &[T],
    find: impl Fn(&[f64]) -> Option<R>,
    find_in_single: impl Fn(&[f32]) -> Option<R>,
) -> Option<R> {
    let lanes = RefCell::new(vec![Vec::with_capacity(numbers.len()); T::LANES]);
    for &number in numbers {
        let lane = Cell::new(0);
        T::lanes_where(number, number, |number, _| {
            lanes.borrow_mut()[lane.get()].push(number);
            lane.set(lane.get() + 1);
            false
        });
    }
    lanes.into_inner().iter().find_map(|lane| {
        if is_single::<T>() {
            find_in_single(&lane.iter().map(|&number| number as f32).collect::<Vec<f32>>())
        } else {
            find(lane)
        }
    })
}
