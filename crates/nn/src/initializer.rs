//! How parameters are initialised.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::Activation;
use crate::setting::{InvalidSetting, setting};

/// How the numbers of a parameter are drawn, so that signals neither die nor explode from layer to layer.
///
/// With n inputs and m outputs of a layer:
///
/// | | drawn from | source |
/// |---|---|---|
/// | Glorot, uniform | [−a, a) with a = √(6/(n + m)) | Glorot and Bengio 2010, equation 16 |
/// | Glorot, normal | variance 2/(n + m) | the same, equation 12 |
/// | He, uniform | [−a, a) with a = √(6/n) | He and others 2015, equation 10 |
/// | He, normal | variance 2/n | the same |
///
/// ```
/// use nn::Initializer;
/// use rand::SeedableRng;
///
/// let mut random = rand::rngs::ChaCha8Rng::seed_from_u64(1);
/// let weights = Initializer::GlorotUniform.draw(&mut random, 4, 2, 8);
/// assert!(weights.len() == 8 && weights.iter().all(|weight| weight.abs() <= 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All this number.
    Constant(f64),
    /// For activations like tanh and sigmoid.
    GlorotUniform,
    /// For activations like tanh and sigmoid.
    GlorotNormal,
    /// For activations that are 0 on one side, like relu.
    HeUniform,
    /// For activations that are 0 on one side, like relu.
    HeNormal,
}

impl Initializer {
    /// What suits an activation: `HeUniform` for relu and the functions shaped like it, `GlorotUniform` otherwise.
    pub fn for_activation(activation: Activation) -> Self {
        match activation.to_string().as_str() {
            "relu" | "softplus" | "silu" | "gelu" => Self::HeUniform,
            _ => Self::GlorotUniform,
        }
    }

    /// Draws `count` numbers for a layer with this many inputs and outputs. The same generator gives the same numbers on
    /// every machine. (Normal ones are drawn by the ziggurat, which now and then compares with an `exp`: where that of two
    /// machines differs in its last place, a draw may, in theory, be refused on one of them only.)
    ///
    /// # Panics
    /// When there are no inputs.
    #[track_caller]
    pub fn draw(
        self,
        random: &mut impl Rng,
        inputs: usize,
        outputs: usize,
        count: usize,
    ) -> Vec<f64> {
        assert!(inputs > 0, "an initialiser for a layer without inputs");
        let (n, m) = (inputs as f64, outputs as f64);
        let mut uniform =
            |bound: f64| (0..count).map(|_| bound * random.random_range(-1.0..1.0)).collect();
        match self {
            Self::Zeros => vec![0.0; count],
            Self::Constant(constant) => vec![constant; count],
            Self::GlorotUniform => uniform((6.0 / (n + m)).sqrt()),
            Self::HeUniform => uniform((6.0 / n).sqrt()),
            Self::GlorotNormal => normal(random, (2.0 / (n + m)).sqrt(), count),
            Self::HeNormal => normal(random, (2.0 / n).sqrt(), count),
        }
    }

    pub(crate) fn check(self) -> Result<(), InvalidSetting> {
        let Self::Constant(constant) = self else { return Ok(()) };
        setting("an initial constant", constant, f64::is_finite, "finite")
    }
}

fn normal(random: &mut impl Rng, deviation: f64, count: usize) -> Vec<f64> {
    let mut next = || -> f64 { StandardNormal.sample(random) };
    (0..count).map(|_| deviation * next()).collect()
}
