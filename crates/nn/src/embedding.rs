//! Embeddings: a category stands for numbers that are learnt. The layer, and how its table is read and learnt.

use core::ops::Range;

use serde::{Deserialize, Serialize};
use tape::Real;

use crate::{Error, Initializer};

/// Takes one of its inputs for the index of a category, and puts in its place the numbers that the category stands for: a
/// row of a table, learnt with the network (Bengio and others 2003; for columns of tables, Guo and Berkhahn 2016).
///
/// Of `inputs` numbers it makes `inputs − 1 + dimensions`: those before the index, the numbers looked up, those after.
/// Its only parameter is `weight`, of shape (categories + 1) × dimensions: the name and shape of PyTorch's `Embedding`. The
/// indices 0, 1, … are the categories, and the last one, [`unknown`](Self::unknown), is for all that is none of them. Its
/// row is 0 at the start, the mean of what others start from, and is learnt where rows to learn from have this index.
///
/// An index is data, so embeddings stand before all other layers. A look-up costs as much as its numbers, however many
/// categories there are: a training step changes the rows of the table that its batch has looked up, and no others (as
/// PyTorch's `SparseAdam` does; momentum and penalty wait until a row is looked up again).
///
/// ```
/// use nn::{Dense, Embedding, Network};
///
/// // Rows of a number, one of 1,000 cities, and another number: 1 + 4 + 1 inputs of the dense layer.
/// let cities = Embedding::new(1000, 4).of_input(1);
/// let mut network = Network::builder(3).layer(cities).layer(Dense::linear(1)).build()?;
/// assert_eq!(network.parameters()["layer1.weight"].shape(), [1001, 4]);
/// assert_eq!(network.parameters()["layer2.weight"].shape(), [1, 6]);
///
/// network.set_parameter("layer2.weight", &[1.0, 10.0, 10.0, 10.0, 10.0, 100.0])?;
/// assert_eq!(network.predict(&[7.0, cities.unknown() as f64, 3.0])?, [307.0]);   // looks up 0, 0, 0, 0
/// assert!(network.predict(&[7.0, 2.5, 3.0]).is_err());
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    input: usize,
    categories: usize,
    dimensions: usize,
    initializer: Initializer,
}

impl Embedding {
    /// A table of so many numbers for each of so many categories, and for what is unknown. It looks up its first input.
    pub fn new(categories: usize, dimensions: usize) -> Self {
        Self { input: 0, categories, dimensions, initializer: Initializer::GlorotUniform }
    }

    /// How many dimensions are usual for so many categories: their fourth root, rounded up, as TensorFlow's guides advise.
    ///
    /// ```
    /// assert_eq!([51, 1_000, 5_000].map(nn::Embedding::usual_dimensions), [3, 6, 9]);
    /// ```
    pub fn usual_dimensions(categories: usize) -> usize {
        let whole = categories.isqrt().isqrt();
        (whole + usize::from(whole.pow(4) < categories)).max(1)
    }

    /// The layer that looks up another of its inputs, counted from 0 among those of this layer: an embedding before it has
    /// put its numbers in the place of one.
    pub fn of_input(self, input: usize) -> Self {
        Self { input, ..self }
    }

    /// The layer with numbers that are drawn another way.
    pub fn initializer(self, initializer: Initializer) -> Self {
        Self { initializer, ..self }
    }

    /// Which of its inputs is looked up, from 0.
    pub fn input(&self) -> usize {
        self.input
    }

    /// How many categories it tells apart.
    pub fn categories(&self) -> usize {
        self.categories
    }

    /// How many numbers a category stands for.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The index of what is no category.
    pub fn unknown(&self) -> usize {
        self.categories
    }

    pub(crate) fn parameter(&self) -> (String, Vec<usize>, Initializer) {
        let shape = vec![self.categories.saturating_add(1), self.dimensions];
        ("weight".to_owned(), shape, self.initializer)
    }

    pub(crate) fn outputs(&self, inputs: usize) -> usize {
        inputs.saturating_sub(1).saturating_add(self.dimensions)
    }
}

/// The row of an embedding's table at an index, for any type of number: `weights` is row-major, a row of `dimensions`
/// numbers for each category.
///
/// # Panics
/// When there is no such row.
///
/// ```
/// assert_eq!(nn::embedding(&[1.0, 2.0, 3.0, 4.0], 2, 1), [3.0, 4.0]);
/// ```
#[track_caller]
pub fn embedding<T: Real>(weights: &[T], dimensions: usize, index: usize) -> Vec<T> {
    let rows = weights.len() / dimensions.max(1);
    assert!(index < rows, "row {index} of a table that has {rows}, counted from 0");
    weights[index * dimensions..][..dimensions].to_vec()
}

/// What the embeddings of a network make of its rows: from the inputs as they are given to those that the other layers
/// take, and with derivatives back to the tables. The tables' numbers are the first of a network's parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookups {
    /// In the order of the inputs.
    each: Vec<Lookup>,
    /// How many inputs the other layers have.
    width: usize,
    /// How many numbers the tables have together.
    size: usize,
}

#[derive(Clone, Copy, Debug)]
struct Lookup {
    /// The input of the network that is the index.
    input: usize,
    /// The place of the first number looked up, among the inputs of the other layers.
    place: usize,
    /// The place of the table in the parameters.
    first: usize,
    embedding: Embedding,
}

impl Lookups {
    /// The embeddings of a network, in the order of its layers, none of them empty.
    ///
    /// # Errors
    /// [`Error::Misplaced`], with the layer's number from 1.
    pub(crate) fn new(
        inputs: usize,
        embeddings: impl IntoIterator<Item = (usize, Embedding)>,
    ) -> Result<Self, Error> {
        let mut lookups = Self { each: Vec::new(), width: inputs, size: 0 };
        for (number, embedding) in embeddings {
            let input = lookups
                .origin(embedding.input)
                .map_err(|why| Error::Misplaced { layer: format!("layer{number}"), why })?;
            let (place, first) = (embedding.input, lookups.size);
            // What stands behind moves: this many numbers take the place of one.
            for behind in lookups.each.iter_mut().filter(|other| other.input > input) {
                behind.place = behind.place + embedding.dimensions - 1;
            }
            lookups.each.push(Lookup { input, place, first, embedding });
            lookups.each.sort_by_key(|lookup| lookup.input);
            lookups.width = lookups.width + embedding.dimensions - 1;
            lookups.size += (embedding.categories + 1) * embedding.dimensions;
        }
        Ok(lookups)
    }

    /// Which input of the network is at a place after the look-ups; or why there is none.
    fn origin(&self, place: usize) -> Result<usize, &'static str> {
        if place >= self.width {
            return Err("there is no such input");
        }
        let Some(before) = self.each.iter().rfind(|lookup| lookup.place <= place) else {
            return Ok(place);
        };
        match (place - before.place).checked_sub(before.embedding.dimensions) {
            Some(behind) => Ok(before.input + 1 + behind),
            None => Err("its input was looked up by another layer"),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// How many categories an input of the network is an index of, if it is looked up.
    pub(crate) fn categories(&self, input: usize) -> Option<usize> {
        let lookup = self.each.iter().find(|lookup| lookup.input == input)?;
        Some(lookup.embedding.categories)
    }

    /// How many inputs the other layers have.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many numbers the tables have together.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Refuses rows with a number that is no index.
    pub(crate) fn check<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        for (row, numbers) in rows.enumerate() {
            for &Lookup { input, embedding, .. } in &self.each {
                let (value, most) = (numbers[input], embedding.unknown());
                if value.fract() != 0.0 || !(0.0..=most as f64).contains(&value) {
                    return Err(Error::NoIndex { row, input, value, most });
                }
            }
        }
        Ok(())
    }

    /// Appends what a row is after the look-ups. It may have more numbers than inputs: they follow as they are.
    pub(crate) fn look_up(&self, tables: &[f64], row: &[f64], into: &mut Vec<f64>) {
        let mut next = 0;
        for lookup in &self.each {
            into.extend_from_slice(&row[next..lookup.input]);
            into.extend_from_slice(&tables[lookup.range(row)]);
            next = lookup.input + 1;
        }
        into.extend_from_slice(&row[next..]);
    }

    /// The parts of the tables that a row looks up.
    pub(crate) fn ranges(&self, row: &[f64]) -> impl Iterator<Item = Range<usize>> {
        self.each.iter().map(|lookup| lookup.range(row))
    }

    /// Adds to the derivatives with respect to the tables what a row's share is: `by_row` are those with respect to what
    /// was looked up, and the inputs beside it.
    pub(crate) fn add(&self, row: &[f64], by_row: &[f64], total: f64, tables: &mut [f64]) {
        for lookup in &self.each {
            let looked_up = &by_row[lookup.place..][..lookup.embedding.dimensions];
            for (sum, derivative) in tables[lookup.range(row)].iter_mut().zip(looked_up) {
                *sum += derivative / total;
            }
        }
    }
}

impl Lookup {
    #[expect(clippy::cast_sign_loss, reason = "what is looked up has been checked")]
    fn range(&self, row: &[f64]) -> Range<usize> {
        let Embedding { dimensions, .. } = self.embedding;
        let first = self.first + row[self.input] as usize * dimensions;
        first..first + dimensions
    }
}
