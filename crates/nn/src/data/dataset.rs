//! Inputs and targets side by side, and how they are split into parts.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use tape::Matrix;

use crate::Samples;
use crate::data::Error;

/// Rows of inputs with rows of targets, all finite, and the names of their columns.
///
/// ```
/// use nn::data::Dataset;
/// use tape::Matrix;
///
/// let matrix = |data: &[f64]| Matrix { rows: 4, columns: 1, data: data.to_vec() };
/// let data = Dataset::new(matrix(&[1.0, 2.0, 3.0, 4.0]), matrix(&[2.0, 4.0, 6.0, 8.0]))?;
/// let (rest, part) = data.split(0.25, 7)?;
/// assert_eq!((rest.len(), part.len()), (3, 1));
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    inputs: Matrix<f64>,
    targets: Matrix<f64>,
    input_names: Vec<String>,
    target_names: Vec<String>,
}

impl Dataset {
    /// Inputs and targets, a row of each for each sample; their columns are called `input1`, … and `target1`, ….
    ///
    /// # Errors
    /// [`Error::NoRows`], [`Error::Shape`], [`Error::NonFinite`].
    pub fn new(inputs: Matrix<f64>, targets: Matrix<f64>) -> Result<Self, Error> {
        if inputs.rows == 0 {
            return Err(Error::NoRows);
        }
        shape("rows of the targets", inputs.rows, targets.rows)?;
        for (what, matrix) in [("the inputs", &inputs), ("the targets", &targets)] {
            shape("numbers of a matrix", matrix.rows * matrix.columns, matrix.data.len())?;
            if let Some(place) = matrix.data.iter().position(|number| !number.is_finite()) {
                let (row, column) = (place / matrix.columns, place % matrix.columns);
                return Err(Error::NonFinite { what, row, column, value: matrix.data[place] });
            }
        }
        let names = |stem: &str, count| (1..=count).map(|n| format!("{stem}{n}")).collect();
        let input_names = names("input", inputs.columns);
        let target_names = names("target", targets.columns);
        Ok(Self { inputs, targets, input_names, target_names })
    }

    pub(crate) fn named(self, input_names: Vec<String>, target_names: Vec<String>) -> Self {
        Self { input_names, target_names, ..self }
    }

    /// What goes in: samples × inputs.
    pub fn inputs(&self) -> &Matrix<f64> {
        &self.inputs
    }

    /// What should come out: samples × targets.
    pub fn targets(&self) -> &Matrix<f64> {
        &self.targets
    }

    /// Both, as a training takes them.
    pub fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, targets: &self.targets }
    }

    /// The names of the inputs' columns.
    pub fn input_names(&self) -> &[String] {
        &self.input_names
    }

    /// The names of the targets' columns; of classes their labels.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// The number of samples: at least one.
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.inputs.rows
    }

    /// The samples with these places, in this order.
    ///
    /// # Panics
    /// When there is no such sample.
    #[track_caller]
    pub fn rows(&self, places: &[usize]) -> Self {
        let of = |matrix: &Matrix<f64>| Matrix {
            rows: places.len(),
            columns: matrix.columns,
            data: places.iter().flat_map(|&place| matrix.row(place)).copied().collect(),
        };
        Self {
            inputs: of(&self.inputs),
            targets: of(&self.targets),
            input_names: self.input_names.clone(),
            target_names: self.target_names.clone(),
        }
    }

    /// Two parts, the second with `fraction` · rows samples, rounded up, drawn by the seed: the same on every machine. Both
    /// keep the order of the samples.
    ///
    /// Where the targets are classes (in each row a single 1 and else 0), of each class the same share is drawn, as nearly
    /// as whole samples allow: what is left over goes to the classes with the largest remainders.
    ///
    /// # Errors
    /// [`Error::Fraction`], [`Error::EmptyPart`].
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        let (rest, part) = self.split_places(fraction, seed)?;
        Ok((self.rows(&rest), self.rows(&part)))
    }

    /// The places of the samples that [`split`](Self::split) puts into its two parts.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_places(
        &self,
        fraction: f64,
        seed: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), Error> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(Error::Fraction { fraction });
        }
        let rows = self.len();
        // A product that should be whole may be a little more.
        let wanted = whole((fraction * rows as f64 - 1e-9).ceil());
        if wanted == 0 || wanted == rows {
            return Err(Error::EmptyPart { fraction, rows });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut is_chosen = vec![false; rows];
        let groups = self.groups();
        for (group, count) in groups.iter().zip(shares(&groups, fraction, wanted)) {
            let mut group = group.clone();
            group.shuffle(&mut random);
            group[..count].iter().for_each(|&place| is_chosen[place] = true);
        }
        Ok((0..rows).partition(|&place| !is_chosen[place]))
    }

    /// The places of each class, or all as one group where the targets are no classes.
    fn groups(&self) -> Vec<Vec<usize>> {
        let width = self.targets.columns;
        let class = |place: usize| {
            let row = self.targets.row(place);
            let is_one_hot = row.iter().all(|&x| x == 0.0 || x == 1.0)
                && row.iter().sum::<f64>() == 1.0
                && width > 1;
            is_one_hot.then(|| row.iter().position(|&x| x == 1.0))?
        };
        let mut groups = vec![Vec::new(); width];
        for place in 0..self.len() {
            match class(place) {
                Some(class) => groups[class].push(place),
                None => return vec![(0..self.len()).collect()],
            }
        }
        groups
    }
}

/// How many of each group make `wanted` in all: its share rounded down, and one more for the largest remainders.
fn shares(groups: &[Vec<usize>], fraction: f64, wanted: usize) -> Vec<usize> {
    let share = |group: &Vec<usize>| fraction * group.len() as f64;
    let mut counts: Vec<usize> = groups.iter().map(|group| whole(share(group))).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    let remainder = |&group: &usize| share(&groups[group]).fract();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let mut missing = wanted.saturating_sub(counts.iter().sum());
    for group in order.into_iter().cycle().take(2 * groups.len()) {
        if missing > 0 && counts[group] < groups[group].len() {
            counts[group] += 1;
            missing -= 1;
        }
    }
    counts
}

/// The whole number in a number that is at least 0.
#[allow(clippy::cast_sign_loss, reason = "it is at least 0")]
fn whole(number: f64) -> usize {
    number as usize
}

fn shape(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}
