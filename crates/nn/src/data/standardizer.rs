//! Columns of different units brought to one scale, as descent needs them.

use serde::{Deserialize, Serialize};
use tape::Matrix;

use super::Error;
use super::dataset::check;

/// Takes each column to mean 0 and standard deviation 1, by what it has learnt from the training part.
///
/// Learn from the training part only, and apply the same to the test part and to every row that comes later: otherwise
/// the test would know of rows that it must not know of. The standard deviation is that of the population,
/// √(Σ(x − mean)²/n). A column that is constant is only shifted: its scale is 1.
///
/// Targets of a regression can be standardised too, and predictions be taken back by [`Standardizer::invert`].
///
/// ```
/// use nn::data::Standardizer;
/// use tape::Matrix;
///
/// let mut metres = Matrix { rows: 3, columns: 1, data: vec![1.0, 2.0, 3.0] };
/// let standardizer = Standardizer::learn(&metres)?;
/// assert_eq!(standardizer.means(), [2.0]);
/// assert_eq!(standardizer.scales(), [(2.0_f64 / 3.0).sqrt()]);
///
/// standardizer.apply(&mut metres)?;
/// assert_eq!(metres.data[1], 0.0);
/// standardizer.invert(&mut metres)?;
/// assert_eq!(metres.data, [1.0, 2.0, 3.0]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Standardizer {
    means: Vec<f64>,
    scales: Vec<f64>,
    /// Of each column the least and the largest number that it gives; none where there is no bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bounds: Vec<Option<[f64; 2]>>,
}

impl Standardizer {
    /// The mean and the standard deviation of each column.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NoNumbers`] and [`Error::NotFinite`].
    pub fn learn(matrix: &Matrix<f64>) -> Result<Self, Error> {
        check("the numbers to learn from", matrix)?;
        let (means, scales) =
            (0..matrix.columns).map(|column| mean_and_scale(matrix, column)).unzip();
        Ok(Self { means, scales, bounds: Vec::new() })
    }

    /// With a bound for what lies far outside of these rows, those to learn from: a number that is more than `margin` scales
    /// below the least of its column, or above the largest, is taken as lying just there. A network knows nothing of such
    /// numbers, and a single one would make its answer as large as itself.
    ///
    /// Columns whose mean is 0 and whose scale is 1 have no bound: that is what
    /// [`Columns::standardizer`](super::Columns::standardizer) gives to those that are no amounts.
    ///
    /// # Errors
    /// [`Error::ColumnCount`].
    ///
    /// ```
    /// use nn::data::Standardizer;
    /// use tape::Matrix;
    ///
    /// let matrix = |numbers: &[f64]| Matrix { rows: numbers.len(), columns: 1, data: numbers.to_vec() };
    /// let seen = matrix(&[-2.0, 6.0]);                            // mean 2, scale 4: from −1 to 1
    /// let standardizer = Standardizer::learn(&seen)?.bounded(&seen, 0.5)?;
    /// let mut numbers = matrix(&[2.0, 7.0, 1e9]);
    /// standardizer.apply(&mut numbers)?;
    /// assert_eq!(numbers.data, [0.0, 1.25, 1.5]);
    /// # Ok::<(), nn::data::Error>(())
    /// ```
    pub fn bounded(mut self, rows: &Matrix<f64>, margin: f64) -> Result<Self, Error> {
        self.bounds = Vec::new();
        let mut scaled = rows.clone();
        self.apply(&mut scaled)?;
        let columns = self.means.iter().zip(&self.scales).enumerate();
        let bounds = columns.map(|(column, learnt)| {
            let numbers = || scaled.data.iter().copied().skip(column).step_by(scaled.columns);
            let bounds = || {
                let least = numbers().fold(f64::INFINITY, f64::min) - margin;
                [least, numbers().fold(f64::NEG_INFINITY, f64::max) + margin]
            };
            (learnt != (&0.0, &1.0)).then(bounds)
        });
        let bounds = bounds.collect();
        Ok(Self { bounds, ..self })
    }

    /// With mean 0 and scale 1, which change nothing, in all columns but these.
    #[track_caller]
    pub(super) fn only(&self, columns: &[bool]) -> Self {
        assert_eq!(columns.len(), self.columns(), "which columns of a standardizer to keep");
        let kept = |numbers: &[f64], other: f64| {
            let choose = |(&number, &is_kept)| if is_kept { number } else { other };
            numbers.iter().zip(columns).map(choose).collect()
        };
        Self { means: kept(&self.means, 0.0), scales: kept(&self.scales, 1.0), bounds: Vec::new() }
    }

    /// The mean of each column.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The standard deviation of each column, and 1 for one that is constant.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.means.len()
    }

    /// Every number x becomes (x − mean)/scale.
    ///
    /// # Errors
    /// [`Error::ColumnCount`], after which nothing is changed.
    pub fn apply(&self, matrix: &mut Matrix<f64>) -> Result<(), Error> {
        self.each(matrix, |number, mean, scale| (number - mean) / scale)?;
        if !self.bounds.is_empty() {
            for row in matrix.data.chunks_exact_mut(self.columns()) {
                for (number, bounds) in row.iter_mut().zip(&self.bounds) {
                    if let &Some([least, largest]) = bounds {
                        *number = number.clamp(least, largest);
                    }
                }
            }
        }
        Ok(())
    }

    /// Every number z becomes mean + z·scale: the opposite of [`Standardizer::apply`]. (What was taken to a bound stays there.)
    ///
    /// # Errors
    /// [`Error::ColumnCount`], after which nothing is changed.
    pub fn invert(&self, matrix: &mut Matrix<f64>) -> Result<(), Error> {
        self.each(matrix, |number, mean, scale| number * scale + mean)
    }

    fn each(
        &self,
        matrix: &mut Matrix<f64>,
        change: impl Fn(f64, f64, f64) -> f64,
    ) -> Result<(), Error> {
        let (expected, given) = (self.columns(), matrix.columns);
        if given != expected {
            return Err(Error::ColumnCount { expected, given });
        }
        for row in matrix.data.chunks_exact_mut(expected) {
            for ((number, &mean), &scale) in row.iter_mut().zip(&self.means).zip(&self.scales) {
                *number = change(*number, mean, scale);
            }
        }
        Ok(())
    }
}

/// In two passes: the squares are of deviations from the mean, so that a large offset costs no digits.
fn mean_and_scale(matrix: &Matrix<f64>, column: usize) -> (f64, f64) {
    let numbers = || matrix.data.iter().skip(column).step_by(matrix.columns).copied();
    let unit = unit(numbers().map(f64::abs).fold(0.0, f64::max));
    let average = |term: &dyn Fn(f64) -> f64| {
        numbers().map(|number| term(number / unit)).sum::<f64>() / matrix.rows as f64
    };
    let rough = average(&|number| number);
    // The mean of what the first sum's rounding has left over.
    let mean = rough + average(&|number| number - rough);
    let deviation = average(&|number| (number - mean) * (number - mean)).sqrt();
    // A column whose numbers differ by no more than their last place, or not at all, carries no information.
    let constant = deviation <= f64::EPSILON * mean.abs();
    (mean * unit, if constant || deviation * unit == 0.0 { 1.0 } else { deviation * unit })
}

/// A power of two near the largest number where squares of the numbers could leave the range of `f64`; otherwise 1.
fn unit(largest: f64) -> f64 {
    if (1e-100..1e100).contains(&largest) {
        1.0
    } else {
        largest.log2().floor().clamp(-1000.0, 1000.0).exp2()
    }
}

/// As it comes from a file.
#[derive(Deserialize)]
struct Unchecked {
    means: Vec<f64>,
    scales: Vec<f64>,
    #[serde(default)]
    bounds: Vec<Option<[f64; 2]>>,
}

impl TryFrom<Unchecked> for Standardizer {
    type Error = Error;

    fn try_from(Unchecked { means, scales, bounds }: Unchecked) -> Result<Self, Error> {
        let finite = means.iter().chain(&scales).all(|number| number.is_finite());
        if means.is_empty()
            || means.len() != scales.len()
            || !finite
            || scales.iter().any(|&scale| scale <= 0.0)
            || !(bounds.is_empty() || bounds.len() == means.len())
            // Others, NaN among them, make `clamp` panic.
            || !bounds.iter().flatten().all(|[least, largest]| least <= largest)
        {
            return Err(Error::InvalidStandardizer);
        }
        Ok(Self { means, scales, bounds })
    }
}
