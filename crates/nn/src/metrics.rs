//! Scores of predictions: the confusion matrix of a classification, scores of its probabilities, R² of a regression.

use core::fmt;

use tape::Matrix;

use crate::data::{Classes, Error, check, same_rows};

mod probabilities;

pub use probabilities::{
    CalibrationBin, brier_score, calibration, calibration_error, log_loss, roc_auc,
};

/// How often each class was predicted as each class.
///
/// ```
/// use nn::data::Classes;
/// use nn::metrics::Confusion;
///
/// let classes = Classes::of(["cat", "dog"])?;
/// let confusion = Confusion::new(&classes, &[0, 0, 0, 1], &[0, 0, 1, 1])?;
///
/// assert_eq!(confusion.accuracy(), Some(0.75));
/// assert_eq!(confusion.recall(0), Some(2.0 / 3.0));      // of three cats, two were found
/// assert_eq!(confusion.precision(1), Some(0.5));         // of two that were taken for dogs, one is
/// assert_eq!(confusion.to_string(), "\
/// true \\ predicted     cat    dog  recall
/// cat                    2      1   66.7%
/// dog                    0      1  100.0%
/// precision         100.0%  50.0%   75.0%
/// ");
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    labels: Vec<String>,
    /// A row per true class, a column per predicted one.
    counts: Matrix<usize>,
}

impl Confusion {
    /// Counts the true and the predicted class of each row.
    ///
    /// # Errors
    /// [`Error::RowCount`] and [`Error::UnknownClass`].
    pub fn new(classes: &Classes, truth: &[usize], predicted: &[usize]) -> Result<Self, Error> {
        same_rows("targets", truth.len(), "predictions", predicted.len())?;
        let count = classes.len();
        let mut counts = Matrix { rows: count, columns: count, data: vec![0; count * count] };
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            if let Some(&index) = [truth, predicted].iter().find(|&&index| index >= count) {
                return Err(Error::UnknownClass { index, count });
            }
            counts[(truth, predicted)] += 1;
        }
        Ok(Self { labels: classes.labels().map(str::to_owned).collect(), counts })
    }

    /// Counts the likeliest class in each row of one-hot targets and of scores or probabilities.
    ///
    /// # Errors
    /// [`Error::RowCount`]; [`Error::ColumnCount`] unless there is a column per class.
    pub fn of_scores(
        classes: &Classes,
        targets: &Matrix<f64>,
        scores: &Matrix<f64>,
    ) -> Result<Self, Error> {
        let expected = classes.len();
        let likeliest = |matrix: &Matrix<f64>| match matrix.columns {
            given if given != expected => Err(Error::ColumnCount { expected, given }),
            _ => Ok((0..matrix.rows).map(|row| Classes::most_likely(matrix.row(row))).collect()),
        };
        let (truth, predicted): (Vec<_>, Vec<_>) = (likeliest(targets)?, likeliest(scores)?);
        Self::new(classes, &truth, &predicted)
    }

    /// The labels of the classes, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many rows of the first class were predicted as the second.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts[(truth, predicted)]
    }

    /// How many rows there are.
    pub fn total(&self) -> usize {
        self.counts.data.iter().sum()
    }

    /// How many of them were predicted right.
    pub fn correct(&self) -> usize {
        (0..self.labels.len()).map(|class| self.count(class, class)).sum()
    }

    /// The fraction predicted right; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), self.total())
    }

    /// Of the rows predicted as this class, the fraction that belongs to it; `None` if there are no such rows.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn precision(&self, class: usize) -> Option<f64> {
        let taken = (0..self.labels.len()).map(|truth| self.count(truth, class)).sum();
        ratio(self.count(class, class), taken)
    }

    /// Of the rows of this class, the fraction predicted as it; `None` if there are no such rows.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), self.counts.row(class).iter().sum())
    }

    /// The harmonic mean of a class's precision and recall: 2·right/(rows of it + rows predicted as it); `None` without
    /// any of these.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn f1(&self, class: usize) -> Option<f64> {
        let taken: usize = (0..self.labels.len()).map(|truth| self.count(truth, class)).sum();
        let own: usize = self.counts.row(class).iter().sum();
        ratio(2 * self.count(class, class), own + taken)
    }

    /// The mean of [`f1`](Self::f1) over the classes that have one, each class with the same weight; `None` without rows.
    pub fn macro_f1(&self) -> Option<f64> {
        self.mean(|class| self.f1(class))
    }

    /// The mean recall of the classes that have rows, so that the accuracy of a rare class counts as much as that of any
    /// other; `None` without rows.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        self.mean(|class| self.recall(class))
    }

    fn mean(&self, score: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let scores: Vec<f64> = (0..self.labels.len()).filter_map(score).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

/// A row per true class and a column per predicted one, with recall at the right, precision below, and accuracy in the
/// corner: `-` where there is nothing to divide by.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = 0..self.labels.len();
        let mut lines =
            vec![self.line("true \\ predicted", self.labels.iter().cloned(), "recall".into())];
        for truth in classes.clone() {
            let counts = classes.clone().map(|predicted| self.count(truth, predicted).to_string());
            lines.push(self.line(&self.labels[truth], counts, percent(self.recall(truth))));
        }
        let precision = classes.map(|class| percent(self.precision(class)));
        lines.push(self.line("precision", precision, percent(self.accuracy())));

        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..lines[0].len()).filter_map(width).collect();
        for line in &lines {
            write!(f, "{:<width$}", line[0], width = widths[0])?;
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Confusion {
    fn line(&self, first: &str, cells: impl Iterator<Item = String>, last: String) -> Vec<String> {
        let mut line = Vec::with_capacity(self.labels.len() + 2);
        line.push(first.to_owned());
        line.extend(cells);
        line.push(last);
        line
    }
}

/// R², the coefficient of determination, of each column: 1 − Σ(target − prediction)²/Σ(target − mean)².
///
/// 1 is perfect; 0 is as good as always saying the targets' mean; below 0 is worse than that. None for a column whose
/// targets are all the same: there is nothing to explain, and the formula would divide by 0.
///
/// # Errors
/// [`Error::Shape`], [`Error::NoNumbers`], [`Error::NotFinite`], [`Error::RowCount`] and [`Error::ColumnCount`].
///
/// ```
/// use nn::metrics::r_squared;
/// use tape::Matrix;
///
/// let column = |data: [f64; 4]| Matrix { rows: 4, columns: 1, data: data.to_vec() };
/// let targets = column([1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(r_squared(&targets, &targets)?, [Some(1.0)]);
/// assert_eq!(r_squared(&targets, &column([2.5; 4]))?, [Some(0.0)]);
/// assert_eq!(r_squared(&column([2.5; 4]), &targets)?, [None]);
/// # Ok::<(), nn::data::Error>(())
/// ```
pub fn r_squared(
    targets: &Matrix<f64>,
    predictions: &Matrix<f64>,
) -> Result<Vec<Option<f64>>, Error> {
    check("the targets", targets)?;
    check("the predictions", predictions)?;
    same_rows("targets", targets.rows, "predictions", predictions.rows)?;
    let (expected, given) = (targets.columns, predictions.columns);
    if given != expected {
        return Err(Error::ColumnCount { expected, given });
    }
    Ok((0..expected).map(|column| r_squared_of(targets, predictions, column)).collect())
}

fn r_squared_of(targets: &Matrix<f64>, predictions: &Matrix<f64>, column: usize) -> Option<f64> {
    let entries = |matrix: &Matrix<f64>| -> Vec<f64> {
        matrix.data.iter().skip(column).step_by(matrix.columns).copied().collect()
    };
    let (targets, predictions) = (entries(targets), entries(predictions));
    if targets.iter().all(|&target| target == targets[0]) {
        return None;
    }
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let pairs = targets.iter().zip(&predictions);
    let unexplained: f64 = pairs.map(|(target, prediction)| (target - prediction).powi(2)).sum();
    let variation: f64 = targets.iter().map(|target| (target - mean).powi(2)).sum();
    Some(1.0 - unexplained / variation)
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.1}%", 100.0 * ratio))
}
