//! The classes that a classification tells apart: from label to number and back.

use core::cmp::Ordering;

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use tape::Matrix;

use super::Error;

/// The labels of the classes, each with its number: its place, counted from 0.
///
/// In numeric order where every label is a number, otherwise in the order of their characters. A number is its value,
/// not its spelling: `0`, `0.0` and `-0` are one class, labelled `0`.
///
/// For serde this is the list of labels.
///
/// ```
/// use nn::data::Classes;
///
/// let classes = Classes::of(["10", "9.0", "9"])?;
/// assert_eq!(classes.labels().collect::<Vec<_>>(), ["9", "10"]);
/// assert_eq!(classes.index("10.0"), Some(1));
/// assert_eq!(classes.one_hot(&[1, 0])?.data, [0.0, 1.0, 1.0, 0.0]);
/// assert_eq!(classes.label(Classes::most_likely(&[0.2, 0.8])), "10");
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Classes {
    labels: IndexSet<String>,
}

impl Classes {
    /// The different labels among these.
    ///
    /// # Errors
    /// [`Error::InvalidClasses`] when there is none.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut distinct: IndexSet<String> = labels.into_iter().map(canonical).collect();
        if distinct.is_empty() {
            return Err(Error::InvalidClasses { count: 0, distinct: 0 });
        }
        if distinct.iter().all(|label| number(label).is_some()) {
            distinct.sort_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal));
        } else {
            distinct.sort();
        }
        Ok(Self { labels: distinct })
    }

    /// The labels in order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// How many classes there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always a class")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The label of a class.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn label(&self, index: usize) -> &str {
        let count = self.len();
        self.labels
            .get_index(index)
            .unwrap_or_else(|| panic!("class {index} of {count}, counted from 0"))
    }

    /// The class of a label, if it is one.
    pub fn index(&self, label: &str) -> Option<usize> {
        match number(label) {
            Some(_) => self.labels.get_index_of(&canonical(label)),
            None => self.labels.get_index_of(label.trim()),
        }
    }

    /// A row for each class given, 1 in its column and 0 elsewhere.
    ///
    /// # Errors
    /// [`Error::UnknownClass`].
    pub fn one_hot(&self, indices: &[usize]) -> Result<Matrix<f64>, Error> {
        let count = self.len();
        let mut data = vec![0.0; indices.len() * count];
        for (row, &index) in data.chunks_exact_mut(count).zip(indices) {
            *row.get_mut(index).ok_or(Error::UnknownClass { index, count })? = 1.0;
        }
        Ok(Matrix { rows: indices.len(), columns: count, data })
    }

    /// The class with the largest of these scores or probabilities, one per class; the first of several that are
    /// equal. NaN is never the largest.
    ///
    /// # Panics
    /// When there are no scores.
    #[track_caller]
    pub fn most_likely(scores: &[f64]) -> usize {
        assert!(!scores.is_empty(), "no scores: there is one for each class");
        largest(scores)
    }
}

impl TryFrom<Vec<String>> for Classes {
    type Error = Error;

    fn try_from(labels: Vec<String>) -> Result<Self, Error> {
        let count = labels.len();
        let classes = Self { labels: labels.iter().map(|label| canonical(label)).collect() };
        let distinct = classes.len();
        if distinct == 0 || distinct < count {
            return Err(Error::InvalidClasses { count, distinct });
        }
        Ok(classes)
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Self {
        classes.labels.into_iter().collect()
    }
}

/// The place of the largest number, the first of several. NaN is never it.
pub(crate) fn largest(numbers: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, &number) in numbers.iter().enumerate() {
        if number > best.1 {
            best = (place, number);
        }
    }
    best.0
}

/// One spelling for each number; other text without the spaces around it.
fn canonical(label: &str) -> String {
    // `+ 0.0` makes 0 of −0.
    number(label).map_or_else(|| label.trim().to_owned(), |number| (number + 0.0).to_string())
}

fn number(label: &str) -> Option<f64> {
    label.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
