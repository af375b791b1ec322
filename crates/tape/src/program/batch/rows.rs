//! What can be given as rows of data.

use crate::error::{Error, check_length};
use crate::matrix::Matrix;

/// Rows of data: anything that has a slice of numbers for each row.
///
/// Arrays and vectors of arrays, of vectors and of slices are, and a [`Matrix`]; a plain slice of numbers is taken row
/// by row.
pub trait Rows {
    /// The number of rows, when each has `width` numbers.
    ///
    /// # Errors
    /// [`Error::Length`] when the numbers do not make whole rows.
    fn count(&self, width: usize) -> Result<usize, Error>;

    /// The numbers of a row.
    fn row(&self, index: usize, width: usize) -> &[f64];

    /// The numbers of `count` rows from `first` on, one row after the other, if that is how they lie in memory.
    fn block(&self, _first: usize, _count: usize, _width: usize) -> Option<&[f64]> {
        None
    }
}

impl Rows for [f64] {
    fn count(&self, width: usize) -> Result<usize, Error> {
        let whole = self.len().checked_div(width).unwrap_or(0);
        check_length("the rows", whole * width, self.len())?;
        Ok(whole)
    }

    #[inline]
    fn row(&self, index: usize, width: usize) -> &[f64] {
        &self[index * width..][..width]
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        Some(&self[first * width..][..count * width])
    }
}

impl Rows for Matrix<f64> {
    fn count(&self, width: usize) -> Result<usize, Error> {
        check_length("a row", width, self.columns)?;
        let given = self.data.len();
        if self.rows.checked_mul(self.columns) == Some(given) {
            Ok(self.rows)
        } else {
            Err(Error::Shape { rows: self.rows, columns: self.columns, given })
        }
    }

    fn row(&self, index: usize, _: usize) -> &[f64] {
        self.row(index)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        self.data.block(first, count, width)
    }
}

macro_rules! rows_of_slices {
    ($([$($generics:tt)*] $Row:ty $(, $as_block:expr)?;)*) => {$(
        impl<$($generics)*> Rows for [$Row] {
            fn count(&self, width: usize) -> Result<usize, Error> {
                self.iter().try_for_each(|row| check_length("a row", width, row.len()))?;
                Ok(self.len())
            }

            fn row(&self, index: usize, _: usize) -> &[f64] {
                &self[index]
            }

            $(fn block(&self, first: usize, count: usize, _: usize) -> Option<&[f64]> {
                let as_block: fn(&[$Row]) -> &[f64] = $as_block;
                Some(as_block(&self[first..][..count]))
            })?
        }
    )*};
}
rows_of_slices! {
    [const N: usize] [f64; N], <[[f64; N]]>::as_flattened;
    [] Vec<f64>;
    ['a] &'a [f64];
}

impl<R: Rows + ?Sized> Rows for &R {
    fn count(&self, width: usize) -> Result<usize, Error> {
        (**self).count(width)
    }

    fn row(&self, index: usize, width: usize) -> &[f64] {
        (**self).row(index, width)
    }

    fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
        (**self).block(first, count, width)
    }
}

macro_rules! through_a_slice {
    ($([$($generics:tt)*] $Type:ty;)*) => {$(
        impl<$($generics)*> Rows for $Type
        where
            [T]: Rows,
        {
            fn count(&self, width: usize) -> Result<usize, Error> {
                self.as_slice().count(width)
            }

            fn row(&self, index: usize, width: usize) -> &[f64] {
                self.as_slice().row(index, width)
            }

            fn block(&self, first: usize, count: usize, width: usize) -> Option<&[f64]> {
                self.as_slice().block(first, count, width)
            }
        }
    )*};
}
through_a_slice! {
    [T] Vec<T>;
    [T, const N: usize] [T; N];
}

/// What a call is for: the shared inputs and the rows.
pub(super) struct Input<'a> {
    pub(super) shared: &'a [f64],
    pub(super) rows: &'a (dyn Rows + Sync),
    pub(super) width: usize,
}

impl Input<'_> {
    pub(super) fn row(&self, index: usize) -> &[f64] {
        self.rows.row(index, self.width)
    }

    /// The shared inputs and a row's, as a program of both takes them.
    pub(super) fn point(&self, index: usize) -> Vec<f64> {
        [self.shared, self.row(index)].concat()
    }
}
