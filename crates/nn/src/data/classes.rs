//! The classes of a target: their labels in order, and one column for each.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::data::{Error, Table};

/// The different labels of a column, in numeric order if all are numbers, otherwise in alphabetical order. Numbers that
/// are written differently (`1`, `1.0`) are one label, as it was written first.
///
/// ```
/// use nn::data::Classes;
///
/// let classes = Classes::of("size", &["10", "9", "10.0", "9"])?;
/// assert_eq!(classes.labels(), ["9", "10"]);
/// assert_eq!(classes.index("10.0")?, 1);
/// assert_eq!(classes.one_hot(1), [0.0, 1.0]);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Classes {
    labels: Vec<String>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One of several classes.
    Classify,
    /// A number.
    Regress,
}

/// What two labels have in common when they mean the same: their number, or their text.
#[derive(PartialEq, Eq, Hash)]
enum Meaning<'a> {
    /// The bits, which of 0 and −0 are the same here.
    Number(u64),
    Text(&'a str),
}

fn meaning(label: &str) -> Meaning<'_> {
    match label.parse::<f64>() {
        Ok(number) => Meaning::Number((number + 0.0).to_bits()),
        Err(_) => Meaning::Text(label),
    }
}

impl Classes {
    /// The classes of a column's labels. `column` is its name, for errors.
    ///
    /// # Errors
    /// [`Error::OneClass`]; [`Error::TooManyClasses`] where there are more different labels than half of the rows (beyond
    /// ten rows), which are numbers to predict rather than classes; [`Error::NoRows`].
    pub fn of(column: &str, labels: &[&str]) -> Result<Self, Error> {
        let mut known = HashSet::new();
        let mut distinct: Vec<&str> =
            labels.iter().copied().filter(|label| known.insert(meaning(label))).collect();
        let (classes, rows) = (distinct.len(), labels.len());
        match distinct[..] {
            [] => return Err(Error::NoRows),
            [only] => return Err(Error::OneClass { label: only.to_owned() }),
            _ if rows > 10 && 2 * classes > rows => {
                return Err(Error::TooManyClasses { column: column.to_owned(), classes, rows });
            }
            _ => {}
        }
        let number = |label: &str| label.parse::<f64>();
        if distinct.iter().all(|label| number(label).is_ok()) {
            let value = |label: &str| number(label).unwrap_or(f64::NAN);
            distinct.sort_by(|a, b| value(a).total_cmp(&value(b)));
        } else {
            distinct.sort_unstable();
        }
        Ok(Self { labels: distinct.into_iter().map(str::to_owned).collect() })
    }

    /// What the classes are called, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many classes there are.
    #[allow(clippy::len_without_is_empty, reason = "there are at least two")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The place of a class.
    ///
    /// # Errors
    /// [`Error::UnknownClass`].
    pub fn index(&self, label: &str) -> Result<usize, Error> {
        let wanted = meaning(label);
        self.labels.iter().position(|known| meaning(known) == wanted).ok_or_else(|| {
            Error::UnknownClass { label: label.to_owned(), known: self.labels.clone() }
        })
    }

    /// A number for each class: 1 for this one, 0 for the others.
    ///
    /// # Panics
    /// When there is no such class.
    #[track_caller]
    pub fn one_hot(&self, class: usize) -> Vec<f64> {
        assert!(class < self.len(), "class {class} of {}", self.len());
        (0..self.len()).map(|other| if other == class { 1.0 } else { 0.0 }).collect()
    }
}

impl Task {
    /// What a column looks like: classes where a cell is no number, or where there are at most 20 different whole numbers,
    /// each found twice or more on average; otherwise numbers.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`].
    ///
    /// ```
    /// use nn::data::{Table, Task};
    ///
    /// let table = Table::from_reader("a,b\n1,0.5\n2,0.25\n1,3\n2,4\n".as_bytes())?;
    /// assert_eq!(Task::of(&table, "a")?, Task::Classify);
    /// assert_eq!(Task::of(&table, "b")?, Task::Regress);
    /// # Ok::<(), nn::data::Error>(())
    /// ```
    pub fn of(table: &Table, column: &str) -> Result<Self, Error> {
        const MOST: usize = 20;
        let cells = table.texts(column)?;
        let numbers: Result<Vec<f64>, _> = cells.iter().map(|cell| cell.parse::<f64>()).collect();
        let Ok(numbers) = numbers else { return Ok(Self::Classify) };
        let distinct = cells.iter().map(|cell| meaning(cell)).collect::<HashSet<_>>().len();
        let are_few = distinct <= MOST && 2 * distinct <= numbers.len();
        let are_whole = numbers.iter().all(|number| number.fract() == 0.0);
        Ok(if are_few && are_whole { Self::Classify } else { Self::Regress })
    }
}
