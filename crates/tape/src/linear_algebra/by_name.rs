//! Matrix functions by what bytes call them.

use smallvec::SmallVec;

use super::cholesky::{Factor, SolveByFactor};
use super::determinant::{Cofactors, CofactorsAlong, Determinant};
use super::exponential::Exponential;
use super::least_squares::{LeastSquares, Smallest};
use super::product::Product;
use super::solve::{Inverse, LnDeterminant, Solve};
use super::square_root::{SquareRoot, Sylvester};
use super::symmetric_eigen::{Eigen, EigenAdjoint};
use super::triangle::SolveLower;
use crate::operation::Derivatives;
use crate::real::operation::Handle;

/// No size is larger. Inputs and outputs are as many as products of two sizes: neither they nor those of second derivatives
/// are too many to be counted. (That they are not there is found where a call is read.)
const LARGEST: usize = 1 << (usize::BITS / 2 - 2);

/// Makes `by_name` from a row for each operation: its name, its type, and its fields in the order in which they are written.
macro_rules! by_name {
    ($($name:literal => $operation:ident { $($size:ident),* },)*) => {
        /// The operation that writes itself so: its name, and its sizes. Bytes are from anyone; sizes that no program could
        /// have are those of no operation.
        pub(crate) fn by_name(written: &str) -> Option<Box<dyn Derivatives>> {
            let (name, sizes) = parsed(written)?;
            match (name, &*sizes) {
                $(($name, &[$($size),*]) => if_written_so(written, $operation { $($size),* }),)*
                _ => None,
            }
        }
    };
}

by_name! {
    "product"           => Product { rows, inner, columns },
    "solve"             => Solve { n, columns },
    "solve_lower"       => SolveLower { n, columns, transposed },
    "inverse"           => Inverse { n },
    "determinant"       => Determinant { n },
    "cofactors"         => Cofactors { n },
    "cofactors_along"   => CofactorsAlong { n },
    "ln_determinant"    => LnDeterminant { n },
    "cholesky"          => Factor { n },
    "cholesky_solve"    => SolveByFactor { n, columns },
    "least_squares"     => LeastSquares { rows, columns, of_b },
    "smallest_solution" => Smallest { rows, columns, of_b },
    "exponential"       => Exponential { n },
    "square_root"       => SquareRoot { n },
    "sylvester"         => Sylvester { n },
    "symmetric_eigen"   => Eigen { n },
    "symmetric_eigen_adjoint" => EigenAdjoint { n },
}

fn parsed(written: &str) -> Option<(&str, SmallVec<[usize; 4]>)> {
    let mut words = written.split(' ');
    let name = words.next()?;
    let sizes: SmallVec<[usize; 4]> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    sizes.iter().all(|&size| size <= LARGEST).then_some((name, sizes))
}

/// Each operation is written in one way.
fn if_written_so(written: &str, operation: impl Handle) -> Option<Box<dyn Derivatives>> {
    (operation.written() == written).then(|| Box::new(operation) as Box<dyn Derivatives>)
}
