//! Columns brought to mean 0 and deviation 1, and back.

use serde::{Deserialize, Serialize};
use tape::Matrix;

use crate::data::Error;

/// The mean and the deviation of each column, learnt from one matrix and applied to others.
///
/// Learn it from the training part only: what the test rows look like is not known beforehand.
///
/// ```
/// use nn::data::Standardizer;
/// use tape::Matrix;
///
/// let mut x = Matrix { rows: 2, columns: 2, data: vec![1.0, 5.0, 3.0, 5.0] };
/// let scales = Standardizer::learn(&x)?;
/// scales.apply(&mut x)?;
/// assert_eq!(x.data, [-1.0, 0.0, 1.0, 0.0]);      // a column that does not vary keeps its scale
/// scales.invert(&mut x)?;
/// assert_eq!(x.data, [1.0, 5.0, 3.0, 5.0]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standardizer {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Standardizer {
    /// Learns from the rows of a matrix. The deviation is that of the population, √(Σ(x − mean)²/n); of a column that does
    /// not vary it is 1.
    ///
    /// # Errors
    /// [`Error::NoRows`].
    pub fn learn(matrix: &Matrix<f64>) -> Result<Self, Error> {
        if matrix.rows == 0 {
            return Err(Error::NoRows);
        }
        let count = matrix.rows as f64;
        let column = |at: usize| (0..matrix.rows).map(move |row| matrix[(row, at)]);
        let means: Vec<f64> =
            (0..matrix.columns).map(|at| column(at).map(|x| x / count).sum()).collect();
        let deviations = means.iter().enumerate().map(|(at, mean)| {
            let first = matrix[(0, at)];
            // The mean is rounded, so that a column without variation would have a tiny one.
            if column(at).all(|x| x == first) {
                return 1.0;
            }
            let deviation = column(at).map(|x| (x - mean).powi(2) / count).sum::<f64>().sqrt();
            if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 }
        });
        let deviations = deviations.collect();
        Ok(Self { means, deviations })
    }

    /// The mean of each column.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The deviation of each column.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// (x − mean)/deviation in each column.
    ///
    /// # Errors
    /// [`Error::Shape`] where the matrix has not as many columns as the one that was learnt from.
    pub fn apply(&self, matrix: &mut Matrix<f64>) -> Result<(), Error> {
        self.fits(matrix)?;
        self.scale(matrix);
        Ok(())
    }

    /// x·deviation + mean in each column: takes [`apply`](Self::apply) back.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn invert(&self, matrix: &mut Matrix<f64>) -> Result<(), Error> {
        self.fits(matrix)?;
        self.scale_back(matrix);
        Ok(())
    }

    /// [`apply`](Self::apply) where the columns are known to match.
    pub(crate) fn scale(&self, matrix: &mut Matrix<f64>) {
        self.each(matrix, |x, mean, deviation| (x - mean) / deviation);
    }

    /// [`invert`](Self::invert) where the columns are known to match.
    pub(crate) fn scale_back(&self, matrix: &mut Matrix<f64>) {
        self.each(matrix, |x, mean, deviation| x * deviation + mean);
    }

    fn fits(&self, matrix: &Matrix<f64>) -> Result<(), Error> {
        let (expected, found) = (self.means.len(), matrix.columns);
        if expected == found {
            Ok(())
        } else {
            Err(Error::Shape { what: "columns to scale", expected, found })
        }
    }

    fn each(&self, matrix: &mut Matrix<f64>, f: impl Fn(f64, f64, f64) -> f64) {
        let scales = || self.means.iter().zip(&self.deviations);
        for row in matrix.data.chunks_exact_mut(self.means.len().max(1)) {
            for (x, (&mean, &deviation)) in row.iter_mut().zip(scales()) {
                *x = f(*x, mean, deviation);
            }
        }
    }
}
