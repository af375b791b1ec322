//! How a step follows from derivatives: the optimisers, what they remember, and how they are checked.

use core::iter;
use core::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::length;
use crate::setting::{InvalidSetting, not_negative, positive, setting};

/// How a step follows from the derivatives g of the loss, for each parameter p on its own.
///
/// The rules are those of PyTorch's optimisers of the same names, tested against recorded PyTorch steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Optimizer {
    /// p ← p − rate·g (stochastic gradient descent, where g is that of a batch).
    Plain,
    /// v ← decay·v + g, p ← p − rate·v (Polyak's heavy ball)
    Momentum {
        /// Share of the last step's velocity that is kept: in [0, 1).
        decay: f64,
    },
    /// v ← decay·v + g, p ← p − rate·(g + decay·v) (Nesterov's momentum, as in Sutskever and others 2013)
    Nesterov {
        /// Share of the last step's velocity that is kept: in [0, 1).
        decay: f64,
    },
    /// p ← p − rate·g/(√v + epsilon), v the running mean of g² (Tieleman and Hinton 2012)
    RmsProp {
        /// Share of the running mean of g² that is kept: in [0, 1).
        square_decay: f64,
        /// Keeps the quotient finite where g has always been 0. Greater than 0.
        epsilon: f64,
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
    /// Adam, before whose step every parameter shrinks: p ← p − rate·λ·p, λ the decay of the weights (Loshchilov and Hutter 2019).
    AdamW {
        /// As Adam's.
        mean_decay: f64,
        /// As Adam's.
        square_decay: f64,
        /// As Adam's.
        epsilon: f64,
        /// How much of itself a parameter loses in a step of rate 1. At least 0.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Momentum with the usual decay, 0.9.
    pub const MOMENTUM: Self = Self::Momentum { decay: 0.9 };
    /// Nesterov's momentum with the usual decay, 0.9.
    pub const NESTEROV: Self = Self::Nesterov { decay: 0.9 };
    /// RMSProp with PyTorch's constants: 0.99, 10⁻⁸.
    pub const RMS_PROP: Self = Self::RmsProp { square_decay: 0.99, epsilon: 1e-8 };
    /// Adam with the constants of its paper: 0.9, 0.999, 10⁻⁸.
    pub const ADAM: Self = Self::Adam { mean_decay: 0.9, square_decay: 0.999, epsilon: 1e-8 };
    /// AdamW with PyTorch's constants: 0.9, 0.999, 10⁻⁸, and a decay of 0.01.
    pub const ADAM_W: Self =
        Self::AdamW { mean_decay: 0.9, square_decay: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

    pub(crate) fn check(self) -> Result<(), InvalidSetting> {
        let decay = |name, value| {
            setting(name, value, |value| (0.0..1.0).contains(&value), "at least 0 and below 1")
        };
        match self {
            Self::Plain => Ok(()),
            Self::Momentum { decay: value } => decay("the momentum's decay", value),
            Self::Nesterov { decay: value } => decay("the decay of Nesterov's momentum", value),
            Self::RmsProp { square_decay, epsilon: value } => {
                decay("RMSProp's decay of the square", square_decay)?;
                positive("RMSProp's epsilon", value)
            }
            Self::Adam { mean_decay, square_decay, epsilon: value }
            | Self::AdamW { mean_decay, square_decay, epsilon: value, .. } => {
                decay("Adam's decay of the mean", mean_decay)?;
                decay("Adam's decay of the square", square_decay)?;
                positive("Adam's epsilon", value)?;
                let Self::AdamW { weight_decay, .. } = self else { return Ok(()) };
                not_negative("AdamW's decay of the weights", weight_decay)
            }
        }
    }

    /// Whether it remembers running means of g, or a velocity; and whether running means of g².
    fn moments(self) -> [bool; 2] {
        match self {
            Self::Plain => [false, false],
            Self::Momentum { .. } | Self::Nesterov { .. } => [true, false],
            Self::RmsProp { .. } => [false, true],
            Self::Adam { .. } | Self::AdamW { .. } => [true, true],
        }
    }
}

/// An optimiser at work: what it remembers from step to step.
///
/// ```
/// use nn::{Descent, Optimizer};
///
/// // Down the slope of p².
/// let mut p = [1.0];
/// let mut descent = Descent::new(Optimizer::Plain, 1)?;
/// descent.step(0.25, &mut p, &[2.0 * 1.0]);
/// assert_eq!(p, [0.5]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
    optimizer: Optimizer,
    parameters: usize,
    steps: u64,
    /// The velocity of momentum, or the running means of g.
    means: Vec<f64>,
    /// The running means of g².
    squares: Vec<f64>,
}

impl Descent {
    /// An optimiser of this many parameters, before its first step.
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn new(optimizer: Optimizer, parameters: usize) -> Result<Self, InvalidSetting> {
        optimizer.check()?;
        let [means, squares] =
            optimizer.moments().map(|has| if has { vec![0.0; parameters] } else { Vec::new() });
        Ok(Self { optimizer, parameters, steps: 0, means, squares })
    }

    /// An optimiser that goes on from where another stood: what its [`steps`](Self::steps) and
    /// [`moments`](Self::moments) were.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`]; [`Error::Shape`] where there are not as many moments as the optimiser has.
    pub fn restore(
        optimizer: Optimizer,
        parameters: usize,
        steps: u64,
        moments: [Vec<f64>; 2],
    ) -> Result<Self, Error> {
        let fresh = Self::new(optimizer, parameters)?;
        let [means, squares] = moments;
        length("the optimiser's means", fresh.means.len(), means.len())?;
        length("the optimiser's squares", fresh.squares.len(), squares.len())?;
        Ok(Self { steps, means, squares, ..fresh })
    }

    /// How many steps it has made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What it remembers: the velocity or the running means of g, and the running means of g²; empty where it has none.
    pub fn moments(&self) -> [&[f64]; 2] {
        [&self.means, &self.squares]
    }

    /// Changes the parameters by one step of this rate.
    ///
    /// # Panics
    /// When there are not as many parameters or derivatives as the optimiser was made for.
    #[track_caller]
    pub fn step(&mut self, rate: f64, parameters: &mut [f64], derivatives: &[f64]) {
        let count = self.parameters;
        assert_eq!(parameters.len(), count, "parameters of an optimiser that was made for {count}");
        assert_eq!(
            derivatives.len(),
            count,
            "derivatives of an optimiser that was made for {count}"
        );
        self.step_in(rate, parameters, derivatives, iter::once(0..count));
    }

    /// A step of the parameters in these ranges: the others, and what is remembered of them, stay as they are.
    pub(crate) fn step_in(
        &mut self,
        rate: f64,
        parameters: &mut [f64],
        derivatives: &[f64],
        ranges: impl Iterator<Item = Range<usize>>,
    ) {
        // A count from a file may be anything.
        self.steps = self.steps.saturating_add(1);
        for range in ranges {
            let (p, g) = (&mut parameters[range.clone()], &derivatives[range.clone()]);
            self.change(rate, p, g, range.clone());
        }
    }

    /// Changes the parameters of a range. All of what is here is of that range.
    fn change(&mut self, rate: f64, p: &mut [f64], g: &[f64], range: Range<usize>) {
        let count = range.len();
        match self.optimizer {
            Optimizer::Plain => {
                for i in 0..count {
                    p[i] -= rate * g[i];
                }
            }
            Optimizer::Momentum { decay } => {
                let v = &mut self.means[range];
                for i in 0..count {
                    v[i] = decay * v[i] + g[i];
                    p[i] -= rate * v[i];
                }
            }
            Optimizer::Nesterov { decay } => {
                let v = &mut self.means[range];
                for i in 0..count {
                    v[i] = decay * v[i] + g[i];
                    p[i] -= rate * (g[i] + decay * v[i]);
                }
            }
            Optimizer::RmsProp { square_decay, epsilon } => {
                let v = &mut self.squares[range];
                for i in 0..count {
                    v[i] = square_decay * v[i] + (1.0 - square_decay) * g[i] * g[i];
                    p[i] -= rate * g[i] / (v[i].sqrt() + epsilon);
                }
            }
            Optimizer::Adam { mean_decay, square_decay, epsilon } => {
                self.adam(rate, p, g, range, [mean_decay, square_decay], epsilon);
            }
            Optimizer::AdamW { mean_decay, square_decay, epsilon, weight_decay } => {
                let shrink = 1.0 - rate * weight_decay;
                for p in &mut *p {
                    *p *= shrink;
                }
                self.adam(rate, p, g, range, [mean_decay, square_decay], epsilon);
            }
        }
    }

    /// A step of Adam. The running means start at 0, which the divisions by 1 − decayⁿ make good; they are taken out of
    /// the loop.
    fn adam(
        &mut self,
        rate: f64,
        p: &mut [f64],
        g: &[f64],
        range: Range<usize>,
        [mean_decay, square_decay]: [f64; 2],
        epsilon: f64,
    ) {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let unbiased_rate = rate / (1.0 - mean_decay.powi(steps));
        let unbias = 1.0 / (1.0 - square_decay.powi(steps)).sqrt();
        let count = p.len();
        let (g, m, v) = (&g[..count], &mut self.means[range.clone()], &mut self.squares[range]);
        for i in 0..count {
            m[i] = mean_decay * m[i] + (1.0 - mean_decay) * g[i];
            v[i] = square_decay * v[i] + (1.0 - square_decay) * g[i] * g[i];
            p[i] -= unbiased_rate * m[i] / (v[i].sqrt() * unbias + epsilon);
        }
    }
}

/// Adds λ·p to each derivative: that of the penalty λ/2·Σp², which it returns. This is what PyTorch calls `weight_decay`,
/// of every optimiser but AdamW.
///
/// # Panics
/// When there are not as many derivatives as parameters.
///
/// ```
/// let mut derivatives = [1.0, 1.0];
/// assert_eq!(nn::add_l2(0.5, &[2.0, -4.0], &mut derivatives), 5.0);
/// assert_eq!(derivatives, [2.0, -1.0]);
/// ```
#[track_caller]
pub fn add_l2(lambda: f64, parameters: &[f64], derivatives: &mut [f64]) -> f64 {
    assert_eq!(parameters.len(), derivatives.len(), "parameters and derivatives");
    let mut squares = 0.0;
    for (derivative, p) in derivatives.iter_mut().zip(parameters) {
        *derivative += lambda * p;
        squares += p * p;
    }
    0.5 * lambda * squares
}

/// What bounds the derivatives before a step.
///
/// ```
/// use nn::Clip;
///
/// let mut derivatives = [30.0, -40.0];
/// Clip::Norm(5.0).apply(&mut derivatives);
/// assert!((derivatives[0] - 3.0).abs() < 1e-6 && (derivatives[1] + 4.0).abs() < 1e-6);
/// Clip::Value(3.5).apply(&mut derivatives);
/// assert_eq!(derivatives[1], -3.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clip {
    /// All together are shortened to this norm √(Σg²) where theirs is larger, as by PyTorch's `clip_grad_norm_`, which
    /// adds 10⁻⁶ to the norm that it divides by.
    Norm(f64),
    /// Each one is held between minus this and this.
    Value(f64),
}

impl Clip {
    /// Bounds the derivatives, and returns their norm from before.
    ///
    /// # Panics
    /// For what [`check`](Self::check) refuses.
    #[track_caller]
    pub fn apply(self, derivatives: &mut [f64]) -> f64 {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        // Exploding derivatives are what clipping is for: their squares may overflow, their norm does not.
        let norm = tape::norm(derivatives);
        match self {
            Self::Norm(most) => {
                let factor = most / (norm + 1e-6);
                if factor < 1.0 {
                    for g in derivatives {
                        *g *= factor;
                    }
                }
            }
            Self::Value(most) => derivatives.iter_mut().for_each(|g| *g = g.clamp(-most, most)),
        }
        norm
    }

    /// Whether its bound makes sense.
    ///
    /// # Errors
    /// [`InvalidSetting`] for a bound that is not finite and greater than 0.
    pub fn check(self) -> Result<(), InvalidSetting> {
        let (what, most) = match self {
            Self::Norm(most) => ("the norm to clip to", most),
            Self::Value(most) => ("the value to clip to", most),
        };
        positive(what, most)
    }
}
