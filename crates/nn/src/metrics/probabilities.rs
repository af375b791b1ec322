//! Scores of probabilities: how right they are, how well they order the rows, and whether they mean what they say.

use tape::Matrix;

use super::ratio;
use crate::data::{Classes, Error, check, same_rows};

/// The mean of −ln p, where p is the probability that was given to the row's class: 0 is perfect, and ln k is a guess among k
/// classes.
///
/// `targets` are one-hot, `probabilities` have a column for each class. A probability below 2⁻⁵² counts as 2⁻⁵².
///
/// # Errors
/// [`Error::Shape`], [`Error::NoNumbers`], [`Error::NotFinite`], [`Error::RowCount`] and [`Error::ColumnCount`].
///
/// ```
/// use nn::metrics::log_loss;
/// use tape::Matrix;
///
/// let targets = Matrix { rows: 2, columns: 2, data: vec![1.0, 0.0, 0.0, 1.0] };
/// let halves = Matrix { rows: 2, columns: 2, data: vec![0.5; 4] };
/// assert_eq!(log_loss(&targets, &halves)?, 2.0_f64.ln());
/// # Ok::<(), nn::data::Error>(())
/// ```
pub fn log_loss(targets: &Matrix<f64>, probabilities: &Matrix<f64>) -> Result<f64, Error> {
    check_pair(targets, probabilities)?;
    let pairs = targets.data.iter().zip(&probabilities.data);
    let terms = pairs.map(|(&target, &p)| -target * p.clamp(f64::EPSILON, 1.0).ln());
    Ok(terms.sum::<f64>() / targets.rows as f64)
}

/// For each class the area under the curve of true against false positives, the class against all others: the share of
/// pairs, of a row of the class and another row, in which the former has the higher score. Equal scores count half.
///
/// 1 is a perfect order, ½ none. None for a class that has no rows, or all. The area is that of Mann and Whitney's U (Hanley
/// and `McNeil` 1982).
///
/// # Errors
/// As [`log_loss`].
///
/// ```
/// use nn::metrics::roc_auc;
/// use tape::Matrix;
///
/// let targets = Matrix { rows: 3, columns: 1, data: vec![0.0, 1.0, 1.0] };
/// let scores = Matrix { rows: 3, columns: 1, data: vec![0.3, 0.1, 0.9] };
/// assert_eq!(roc_auc(&targets, &scores)?, [Some(0.5)]);
/// # Ok::<(), nn::data::Error>(())
/// ```
pub fn roc_auc(targets: &Matrix<f64>, scores: &Matrix<f64>) -> Result<Vec<Option<f64>>, Error> {
    check_pair(targets, scores)?;
    Ok((0..targets.columns).map(|class| roc_auc_of(targets, scores, class)).collect())
}

fn roc_auc_of(targets: &Matrix<f64>, scores: &Matrix<f64>, class: usize) -> Option<f64> {
    let mut rows: Vec<(f64, bool)> =
        (0..targets.rows).map(|row| (scores[(row, class)], targets[(row, class)] > 0.5)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let of_class = rows.iter().filter(|row| row.1).count();
    let others = rows.len() - of_class;
    // Twice the pairs, so that halves are whole numbers.
    let (mut pairs, mut others_below) = (0, 0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let own = tied.iter().filter(|row| row.1).count();
        let others = tied.len() - own;
        pairs += own * (2 * others_below + others);
        others_below += others;
    }
    ratio(pairs, 2 * of_class * others)
}

/// The mean over rows of Σ(p − t)² over the classes: 0 is perfect, 2 is certain and wrong (Brier 1950).
///
/// # Errors
/// As [`log_loss`].
pub fn brier_score(targets: &Matrix<f64>, probabilities: &Matrix<f64>) -> Result<f64, Error> {
    check_pair(targets, probabilities)?;
    let pairs = targets.data.iter().zip(&probabilities.data);
    Ok(pairs.map(|(target, p)| (p - target).powi(2)).sum::<f64>() / targets.rows as f64)
}

/// Rows whose probabilities of something are alike, and how often it was so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationBin {
    /// How many rows there are: at least one.
    pub rows: usize,
    /// The mean of their probabilities.
    pub predicted: f64,
    /// The share of them in which it was so. Where probabilities mean what they say, it is near the mean.
    pub observed: f64,
}

/// Whether the probabilities of a class mean what they say: the rows in bins of equal width by the probability, those that
/// have rows.
///
/// # Errors
/// As [`log_loss`]; [`Error::UnknownClass`].
///
/// # Panics
/// When there are no bins.
///
/// ```
/// use nn::metrics::{CalibrationBin, calibration};
/// use tape::Matrix;
///
/// let targets = Matrix { rows: 4, columns: 1, data: vec![0.0, 0.0, 1.0, 1.0] };
/// let probabilities = Matrix { rows: 4, columns: 1, data: vec![0.25, 0.25, 0.25, 1.0] };
/// let low = CalibrationBin { rows: 3, predicted: 0.25, observed: 1.0 / 3.0 };
/// let high = CalibrationBin { rows: 1, predicted: 1.0, observed: 1.0 };
/// assert_eq!(calibration(&targets, &probabilities, 0, 2)?, [low, high]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[track_caller]
pub fn calibration(
    targets: &Matrix<f64>,
    probabilities: &Matrix<f64>,
    class: usize,
    bins: usize,
) -> Result<Vec<CalibrationBin>, Error> {
    check_pair(targets, probabilities)?;
    let count = targets.columns;
    if class >= count {
        return Err(Error::UnknownClass { index: class, count });
    }
    let of_row = |row| (probabilities[(row, class)], targets[(row, class)] > 0.5);
    Ok(binned((0..targets.rows).map(of_row), bins))
}

/// The expected calibration error: how far the probability of the likeliest class is from the share of rows in which it is
/// right, as a mean over all rows, which lie in bins of equal width by that probability (Guo and others 2017, equation 3).
///
/// # Errors
/// As [`log_loss`].
///
/// # Panics
/// When there are no bins.
#[track_caller]
pub fn calibration_error(
    targets: &Matrix<f64>,
    probabilities: &Matrix<f64>,
    bins: usize,
) -> Result<f64, Error> {
    check_pair(targets, probabilities)?;
    let of_row = |row| {
        let class = Classes::most_likely(probabilities.row(row));
        (probabilities[(row, class)], targets[(row, class)] > 0.5)
    };
    let bins = binned((0..targets.rows).map(of_row), bins);
    let terms = bins.iter().map(|bin| bin.rows as f64 * (bin.predicted - bin.observed).abs());
    Ok(terms.sum::<f64>() / targets.rows as f64)
}

#[track_caller]
#[expect(clippy::cast_sign_loss, reason = "a probability is not negative")]
fn binned(rows: impl Iterator<Item = (f64, bool)>, bins: usize) -> Vec<CalibrationBin> {
    assert!(bins > 0, "a calibration without bins");
    let mut sums = vec![(0_usize, 0.0, 0_usize); bins];
    for (probability, is_so) in rows {
        // What lies on an edge belongs to the bin below it.
        let bin = ((probability * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        let (rows, predicted, observed) = &mut sums[bin];
        *rows += 1;
        *predicted += probability;
        *observed += usize::from(is_so);
    }
    let means = |&(rows, predicted, observed): &(usize, f64, usize)| {
        let count = rows as f64;
        let (predicted, observed) = (predicted / count, observed as f64 / count);
        (rows > 0).then_some(CalibrationBin { rows, predicted, observed })
    };
    sums.iter().filter_map(means).collect()
}

fn check_pair(targets: &Matrix<f64>, predictions: &Matrix<f64>) -> Result<(), Error> {
    check("the targets", targets)?;
    check("the predictions", predictions)?;
    same_rows("targets", targets.rows, "predictions", predictions.rows)?;
    let (expected, given) = (targets.columns, predictions.columns);
    if given == expected { Ok(()) } else { Err(Error::ColumnCount { expected, given }) }
}
