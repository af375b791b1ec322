//! How many digits a training computes with.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many digits the steps of a training are computed with.
///
/// ```
/// use nn::{Dense, Loss, Network, Precision, Samples, Settings, Trainer};
/// use tape::Matrix;
///
/// // y = 2x − 1
/// let x = [-1.0, 0.0, 1.0, 2.0];
/// let inputs = Matrix { rows: 4, columns: 1, data: x.to_vec() };
/// let targets = Matrix { rows: 4, columns: 1, data: x.map(|x| 2.0 * x - 1.0).to_vec() };
///
/// let network = Network::builder(1).layer(Dense::linear(1)).build()?;
/// let settings = Settings { precision: Precision::Single, rate: 0.05, epochs: 1_000, ..Settings::default() };
/// let mut trainer = Trainer::new(network, Loss::MeanSquared, settings)?;
/// trainer.train(Samples { inputs: &inputs, targets: &targets })?;
/// assert!((trainer.network().predict(&[10.0])?[0] - 19.0).abs() < 1e-4);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Some sixteen digits: `f64`.
    #[default]
    Double,
    /// Some seven digits, in vectors of twice as many numbers: losses and derivatives of rows are computed on `f32`. It is
    /// faster the more a row has to compute.
    ///
    /// The parameters stay `f64`, and are rounded for the rows to use them: small steps are not lost, and models and
    /// checkpoints are the same in both. Sums over the rows of a batch, the steps of the optimiser, scores and predictions
    /// are in double precision, too. A loss or a derivative beyond 3·10³⁸ ends the training with
    /// [`Error::NonFinite`](crate::Error::NonFinite), which it might not in double precision.
    Single,
}

/// `double` or `single`.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Double => "double",
            Self::Single => "single",
        })
    }
}

/// The inverse of `Display`.
impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        match name {
            "double" => Ok(Self::Double),
            "single" => Ok(Self::Single),
            _ => Err(UnknownPrecision { name: name.to_owned() }),
        }
    }
}

/// A name that is no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no precision: there are double and single")]
pub struct UnknownPrecision {
    /// The name as given.
    pub name: String,
}
