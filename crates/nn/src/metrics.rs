//! How good predictions are: the confusion matrix of classes, R² of numbers.

use core::fmt;

/// How often which class was taken for which.
///
/// ```
/// use nn::metrics::Confusion;
///
/// let confusion = Confusion::new(&["cat", "dog"], [(0, 0), (0, 1), (1, 1), (1, 1)]);
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.recall(0), Some(0.5));         // of 2 cats, 1 was found
/// assert_eq!(confusion.precision(1), Some(2.0 / 3.0));     // of 3 that were taken for dogs, 2 were
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    labels: Vec<String>,
    /// A row for each true class, a column for each predicted one.
    counts: Vec<usize>,
}

impl Confusion {
    /// Counts pairs of a true class and a predicted one, by their places among the labels.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn new(
        labels: &[impl AsRef<str>],
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> Self {
        let labels: Vec<String> = labels.iter().map(|label| label.as_ref().to_owned()).collect();
        let mut counts = vec![0; labels.len() * labels.len()];
        for (truth, predicted) in pairs {
            assert!(
                truth < labels.len() && predicted < labels.len(),
                "classes {truth} and {predicted} of {}",
                labels.len()
            );
            counts[truth * labels.len() + predicted] += 1;
        }
        Self { labels, counts }
    }

    /// What the classes are called.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The counts, a row for each true class, a column for each predicted one.
    pub fn rows(&self) -> impl Iterator<Item = &[usize]> {
        self.counts.chunks_exact(self.labels.len().max(1))
    }

    /// The share of the pairs whose classes are the same; NaN of none.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..self.labels.len()).map(|class| self.count(class, class)).sum();
        right as f64 / self.counts.iter().sum::<usize>() as f64
    }

    /// Of those that were taken for this class, the share that belongs to it. `None` where there are none.
    pub fn precision(&self, class: usize) -> Option<f64> {
        self.share(class, (0..self.labels.len()).map(|truth| self.count(truth, class)).sum())
    }

    /// Of those that belong to this class, the share that was found. `None` where there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        self.share(class, (0..self.labels.len()).map(|other| self.count(class, other)).sum())
    }

    fn share(&self, class: usize, of: usize) -> Option<f64> {
        (of > 0).then(|| self.count(class, class) as f64 / of as f64)
    }

    fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts[truth * self.labels.len() + predicted]
    }
}

/// A table: a line for each true class, a column for each predicted one, then the recall.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |text: &str| text.chars().count();
        let largest = self.counts.iter().max().map_or(1, |count| count.to_string().len());
        let name = self.labels.iter().map(|label| length(label)).max().unwrap_or(0).max(5);
        let cell =
            self.labels.iter().map(|label| length(label)).max().unwrap_or(0).max(largest) + 2;
        write!(f, "{:name$}", "truth")?;
        for label in &self.labels {
            write!(f, "{label:>cell$}")?;
        }
        write!(f, "{:>10}", "recall")?;
        for (class, (label, row)) in self.labels.iter().zip(self.rows()).enumerate() {
            write!(f, "\n{label:name$}")?;
            for count in row {
                write!(f, "{count:>cell$}")?;
            }
            match self.recall(class) {
                Some(recall) => write!(f, "{:>8.1} %", 100.0 * recall)?,
                None => write!(f, "{:>10}", "-")?,
            }
        }
        Ok(())
    }
}

/// The share of the variance that predictions explain: 1 − Σ(y − ŷ)²/Σ(y − mean)². 1 is perfect, 0 no better than the
/// mean. Where the targets do not vary there is no variance to explain: 1 for perfect predictions, otherwise −∞.
///
/// # Panics
/// When there are not as many predictions as targets, or none.
///
/// ```
/// assert_eq!(nn::metrics::r_squared(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0]), 0.5);
/// ```
#[track_caller]
pub fn r_squared(targets: &[f64], predictions: &[f64]) -> f64 {
    assert_eq!(targets.len(), predictions.len(), "targets and predictions");
    assert!(!targets.is_empty(), "R² of nothing");
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let unexplained: f64 = targets.iter().zip(predictions).map(|(y, p)| (y - p).powi(2)).sum();
    let variance: f64 = targets.iter().map(|y| (y - mean).powi(2)).sum();
    if unexplained == 0.0 { 1.0 } else { 1.0 - unexplained / variance }
}
