//! Linear algebra on matrices of any number: each function is one operation, with its adjoint by formula.
//!
//! They are [`Operation`](crate::Operation)s as users write them. A matrix is given to one row by row. On `f64`, [`kernels`]
//! compute; every other number hands the operation to the numbers that it is made of.

mod kernels;
mod product;
mod sums;

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
    (0..columns).flat_map(|column| (0..rows).map(move |row| data[row * columns + column])).collect()
}
