//! Weights of rows: how much each counts in what a training makes small.

use tape::Matrix;

use crate::Error;
use crate::data::largest;
use crate::error::whole;

/// A weight for each row by its class, so that every class counts the same as a whole: rows/(classes·rows of the class).
/// Their mean is 1. `targets` has a row for each, its class where the largest number is (one-hot).
///
/// ```
/// use tape::Matrix;
///
/// let targets = Matrix { rows: 4, columns: 2, data: vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0] };
/// let weights = nn::balanced_weights(&targets)?;
/// assert_eq!(weights, [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] for a matrix that its numbers do not fill; [`Error::Empty`] for one without columns.
pub fn balanced_weights(targets: &Matrix<f64>) -> Result<Vec<f64>, Error> {
    whole("the targets", targets)?;
    if targets.columns == 0 {
        return Err(Error::Empty { what: "a row of the targets".to_owned() });
    }
    let classes: Vec<usize> = targets.rows_iter().map(largest).collect();
    let mut rows = vec![0_usize; targets.columns];
    for &class in &classes {
        rows[class] += 1;
    }
    let present = rows.iter().filter(|&&rows| rows > 0).count();
    let weight = |&class: &usize| classes.len() as f64 / (present * rows[class]) as f64;
    Ok(classes.iter().map(weight).collect())
}

/// Refuses weights that are not finite and greater than 0.
pub(crate) fn check(weights: &[f64]) -> Result<(), Error> {
    match weights.iter().position(|&weight| !(weight > 0.0 && weight.is_finite())) {
        Some(row) => Err(Error::InvalidWeight { row, value: weights[row] }),
        None => Ok(()),
    }
}
