//! The columns of a table as inputs of a network: each with its encoding.

use serde::{Deserialize, Serialize};

use super::{Encoding, Standardizer};
use crate::Embedding;
#[cfg(feature = "csv")]
pub use read::{ColumnSettings, Encoded, Note};

#[cfg(feature = "csv")]
mod read;

/// The columns that a network takes its inputs from, each with its [`Encoding`], in the order of the table that they were
/// learnt from.
///
/// What they are is read off all rows of a table; what they hold (categories, medians) is learnt from the training rows
/// only. A [`Model`](crate::Model) keeps them, so that another table is treated the same.
///
#[cfg_attr(feature = "csv", doc = "```")]
#[cfg_attr(not(feature = "csv"), doc = "```ignore")]
/// use nn::data::{Columns, ColumnSettings, Table};
///
/// let file = "kind,mass,since\nant,\"1,200\",2020-05-01\nbee,,2021-05-01\nant,900,2022-05-01\nbee,NA,2020-06-01\n";
/// let table = Table::from_reader(file.as_bytes())?;
/// let columns = Columns::learn(&table, &[0, 1, 2, 3], &ColumnSettings::default())?;
/// let said: Vec<String> = columns.iter().map(|column| column.to_string()).collect();
/// assert_eq!(said[0], "kind: text, 2 categories: ant, bee");
/// assert_eq!(said[1], "mass: number, commas stand between thousands; gaps are filled with 1050 and marked");
/// assert_eq!(said[2], "since: date, written %Y-%m-%d, with its place in the year, week");
///
/// let wasps = Table::from_reader("since,kind,mass\n2023-01-01,wasp,7\n".as_bytes())?;
/// let encoded = columns.apply(&wasps)?;
/// // Neither ant nor bee, but something else; 7, and no gap.
/// assert_eq!(encoded.inputs.data[..5], [0.0, 0.0, 1.0, 7.0, 0.0]);
/// assert_eq!(encoded.notes[0].to_string(), r#"column "kind": 1 cell is of no category that the training had ("wasp")"#);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    columns: Vec<Column>,
    /// More texts that mean a gap.
    #[serde(default)]
    gaps: Vec<String>,
}

/// A column and what it was taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What it was taken for.
    pub encoding: Encoding,
}

/// `mass: number`.
impl core::fmt::Display for Column {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.name, self.encoding)
    }
}

impl Columns {
    /// Columns of plain numbers without gaps, with these names.
    pub fn numbers<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let encoding = Encoding::Number { comma: None, fill: 0.0, gaps: false };
        let column =
            |name: S| Column { name: name.as_ref().to_owned(), encoding: encoding.clone() };
        Self { columns: names.into_iter().map(column).collect(), gaps: Vec::new() }
    }

    /// Each column, those that are left out among them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter()
    }

    /// How many numbers a row becomes.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.encoding.width()).sum()
    }

    /// The name of each of these numbers.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|column| column.encoding.names(&column.name)).collect()
    }

    /// The layers that look up categories for the inputs that are their indices: the first layers of a network that takes
    /// these columns. Without columns of that kind there is none.
    ///
    #[cfg_attr(feature = "csv", doc = "```")]
    #[cfg_attr(not(feature = "csv"), doc = "```ignore")]
    /// use nn::data::{ColumnSettings, Columns, Table};
    /// use nn::{Dense, Network};
    ///
    /// let file = "city,mass\nRome,1\nOslo,2\nRome,3\nOslo,5\n";
    /// let table = Table::from_reader(file.as_bytes())?;
    /// let embed = vec![("city".to_owned(), Some(3))];
    /// let settings = ColumnSettings { embed, ..ColumnSettings::default() };
    /// let columns = Columns::learn(&table, &[0, 1, 2, 3], &settings)?;
    /// assert_eq!(columns.iter().next().unwrap().to_string(),
    ///            "city: text, 2 categories: Oslo, Rome; each stands for 3 numbers that are learnt");
    /// assert_eq!(columns.apply(&table)?.inputs.data[..4], [1.0, 1.0, 0.0, 2.0]);
    ///
    /// let builder = Network::builder(columns.width());
    /// let embedded = columns.embeddings().into_iter().fold(builder, |builder, layer| builder.layer(layer));
    /// let network = embedded.layer(Dense::linear(1)).build()?;
    /// assert_eq!(network.parameters()["layer1.weight"].shape(), [3, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn embeddings(&self) -> Vec<Embedding> {
        let mut layers = Vec::new();
        let mut first = 0;
        for Column { encoding, .. } in &self.columns {
            if let Encoding::Index { categories, dimensions, .. } = encoding {
                layers.push(Embedding::new(categories.len(), *dimensions).of_input(first));
            }
            first += encoding.width();
        }
        // From the last to the first: those before stay in their places.
        layers.reverse();
        layers
    }

    /// A standardizer that leaves alone what is 0 or 1, lies on a circle or is an index: such numbers have their scale
    /// already, and a rare category would be blown up.
    ///
    /// # Panics
    /// When `standardizer` has not as many columns as a row has numbers.
    #[track_caller]
    pub fn standardizer(&self, standardizer: &Standardizer) -> Standardizer {
        let amounts = self.columns.iter().flat_map(|column| column.encoding.amounts());
        standardizer.only(&amounts.collect::<Vec<bool>>())
    }
}
