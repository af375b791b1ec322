//! The steps of gradient descent: plain, with momentum, and Adam.

use core::iter::zip;

use super::setting;
use crate::Error;

/// How a step follows from the derivatives g of the loss, for each parameter p on its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// p ← p − rate·g
    Plain,
    /// v ← decay·v + g, p ← p − rate·v (Polyak's heavy ball)
    Momentum {
        /// Share of the last step's velocity that is kept: in [0, 1).
        decay: f64,
    },
    /// Steps of about one rate whatever the scale of g: p ← p − rate·m̂/(√v̂ + epsilon), with m̂ and v̂ the unbiased
    /// running means of g and g² (Kingma and Ba 2015, algorithm 1).
    Adam {
        /// Share of the running mean of g that is kept: in [0, 1).
        mean_decay: f64,
        /// Share of the running mean of g² that is kept: in [0, 1).
        square_decay: f64,
        /// Keeps the quotient finite where g has always been 0. Greater than 0.
        epsilon: f64,
    },
}

impl Optimizer {
    /// Momentum with the usual decay, 0.9.
    pub const MOMENTUM: Self = Self::Momentum { decay: 0.9 };
    /// Adam with the constants of its paper: 0.9, 0.999, 10⁻⁸.
    pub const ADAM: Self = Self::Adam { mean_decay: 0.9, square_decay: 0.999, epsilon: 1e-8 };

    pub(super) fn check(self) -> Result<(), Error> {
        let decay = |name, value| {
            setting(name, value, |value| (0.0..1.0).contains(&value), "at least 0 and below 1")
        };
        match self {
            Self::Plain => Ok(()),
            Self::Momentum { decay: value } => decay("the momentum's decay", value),
            Self::Adam { mean_decay, square_decay, epsilon } => {
                decay("Adam's decay of the mean", mean_decay)?;
                decay("Adam's decay of the square", square_decay)?;
                let positive = |value: f64| value > 0.0 && value.is_finite();
                setting("Adam's epsilon", epsilon, positive, "finite and greater than 0")
            }
        }
    }
}

/// An optimizer at work: what it remembers from step to step.
pub(super) struct Descent {
    optimizer: Optimizer,
    rate: f64,
    /// The velocity of momentum, or Adam's running mean of g.
    means: Vec<f64>,
    /// Adam's running mean of g².
    squares: Vec<f64>,
    /// What of Adam's starting zeros is still in the means: decayⁿ after n steps.
    mean_bias: f64,
    square_bias: f64,
}

impl Descent {
    pub(super) fn new(optimizer: Optimizer, rate: f64, parameters: usize) -> Self {
        Self {
            optimizer,
            rate,
            means: vec![0.0; parameters],
            squares: vec![0.0; parameters],
            mean_bias: 1.0,
            square_bias: 1.0,
        }
    }

    pub(super) fn step(&mut self, parameters: &mut [f64], derivatives: &[f64]) {
        let rate = self.rate;
        match self.optimizer {
            Optimizer::Plain => {
                for (parameter, g) in zip(parameters, derivatives) {
                    *parameter -= rate * g;
                }
            }
            Optimizer::Momentum { decay } => {
                for ((parameter, g), v) in zip(zip(parameters, derivatives), &mut self.means) {
                    *v = decay * *v + g;
                    *parameter -= rate * *v;
                }
            }
            Optimizer::Adam { mean_decay, square_decay, epsilon } => {
                self.mean_bias *= mean_decay;
                self.square_bias *= square_decay;
                let moments = zip(&mut self.means, &mut self.squares);
                for ((parameter, g), (m, v)) in zip(zip(parameters, derivatives), moments) {
                    *m = mean_decay * *m + (1.0 - mean_decay) * g;
                    *v = square_decay * *v + (1.0 - square_decay) * g * g;
                    let mean = *m / (1.0 - self.mean_bias);
                    let square = *v / (1.0 - self.square_bias);
                    *parameter -= rate * mean / (square.sqrt() + epsilon);
                }
            }
        }
    }
}
