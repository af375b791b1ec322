//! What derivatives are for: the step that training makes by them, and a check that anyone can do.

use core::fmt;

use crate::chain::error::Error;
use crate::chain::explanation::{derivative, in_product, number, weight_symbol};
use crate::chain::parameters::bias_symbol;
use crate::chain::{Chain, Sample, check_samples};
use crate::{Optimizer, Parameters};

/// A step of training in numbers: the derivatives of each sample's loss, their mean, and what it does to the parameters.
/// `Display` prints all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Descended {
    /// The samples, as many as there are derivatives.
    pub samples: Vec<Sample>,
    /// The derivatives of each sample's loss.
    pub derivatives: Vec<Parameters>,
    /// The derivatives of the mean of the losses, which are the means of the derivatives.
    pub mean: Parameters,
    /// How the step follows from them.
    pub optimizer: Optimizer,
    /// The size of the step.
    pub rate: f64,
    /// The parameters before the step.
    pub before: Parameters,
    /// The parameters after the step.
    pub after: Parameters,
    /// The mean of the losses before and after the step.
    pub loss: [f64; 2],
    input: String,
    loss_symbol: &'static str,
}

/// The sizes of the check that are tried.
const SIZES: [f64; 9] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];

/// What a small change of one parameter does to one sample's loss, beside what its derivative says.
#[derive(Clone, Debug, PartialEq)]
pub struct Nudge {
    /// The parameter.
    pub symbol: String,
    /// How much larger it is made.
    pub by: f64,
    /// The loss before and after.
    pub loss: [f64; 2],
    /// The derivative of the loss with respect to the parameter.
    pub derivative: f64,
    loss_symbol: &'static str,
}

impl Chain {
    /// What one step over all samples does from here, with an optimiser that remembers no step before it. The chain stays as
    /// it is.
    ///
    /// # Errors
    /// [`Error::NoSamples`]; [`Error::NonFiniteSample`]; [`Error::InvalidSetting`].
    ///
    /// ```
    /// use nn::{Chain, Optimizer};
    ///
    /// let step = Chain::new().explain_step(&[(3.0, 17.0).into()], Optimizer::Plain, 0.001)?;
    /// assert!(step.to_string().contains("ab ← ab - rate·∂L/∂ab = 1 - 0.001 × (-84) = 1.084"));
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn explain_step(
        &self,
        samples: &[Sample],
        optimizer: Optimizer,
        rate: f64,
    ) -> Result<Descended, Error> {
        let (loss, mean) = self.gradient(samples)?;
        let mut after = self.flat_parameters();
        let mut descent = crate::Descent::new(optimizer, after.len())?;
        descent.step(rate, &mut after, &mean.values().collect::<Vec<_>>());
        let after = self.parameters.with_values(&after);
        let derivatives = samples.iter().map(|&sample| Ok(self.gradient(&[sample])?.1));
        let moved = Self { parameters: after.clone(), ..self.clone() };
        Ok(Descended {
            samples: samples.to_vec(),
            derivatives: derivatives.collect::<Result<_, Error>>()?,
            mean,
            optimizer,
            rate,
            before: self.parameters.clone(),
            loss: [loss, moved.loss(samples)?],
            after,
            input: self.input.clone(),
            loss_symbol: self.loss_symbol(),
        })
    }

    /// Makes the weight of an edge larger `by` so much in a copy, and compares the loss of the sample with what the derivative
    /// says.
    ///
    /// # Errors
    /// [`Error::NonFiniteSample`]; [`Error::UnknownEdge`]; [`Error::NonFiniteParameter`].
    ///
    /// ```
    /// let nudge = nn::Chain::new().nudge((3.0, 17.0).into(), "ab", 0.01)?;
    /// assert_eq!(nudge.to_string(), "\
    /// ab larger by 0.01: L changes by -0.8391, from 196 to 195.161; the derivative says 0.01 × (-84) = -0.84");
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn nudge(&self, sample: Sample, edge: &str, by: f64) -> Result<Nudge, Error> {
        check_samples(&[sample])?;
        let index = self.weights().get_index_of(edge).unwrap_or(usize::MAX);
        self.clone().set_weight(edge, self.weights().get(edge).copied().unwrap_or(0.0) + by)?;
        let (before, gradient) = self.gradient(&[sample])?;
        let derivative = gradient.weights[edge];
        let (symbol, loss_symbol) = (weight_symbol(edge), self.loss_symbol());
        let still = Nudge { symbol, by: 0.0, loss: [before; 2], derivative, loss_symbol };
        Ok(self.nudged(sample, index, &still, by))
    }

    /// As [`Chain::nudge`], by the largest power of ten from 0.01 down to 10⁻¹⁰ for which the change
    /// [agrees](Nudge::agrees) with the derivative. `None` if there is none: where the derivative is 0 and the loss is not
    /// flat, or where the change is lost in the rounding of the loss.
    ///
    /// # Errors
    /// As [`Chain::nudge`].
    ///
    /// ```
    /// let mut chain = nn::Chain::new();
    /// chain.set_weight("ab", 5.667)?;                        // almost 17/3: the loss is small, and bends
    /// let sample = (3.0, 17.0).into();
    /// assert!(!chain.nudge(sample, "ab", 0.01)?.agrees());
    /// assert_eq!(chain.agreeing_nudge(sample, "ab")?.unwrap().by, 0.000001);
    /// # Ok::<(), nn::chain::Error>(())
    /// ```
    pub fn agreeing_nudge(&self, sample: Sample, edge: &str) -> Result<Option<Nudge>, Error> {
        let largest = self.nudge(sample, edge, SIZES[0])?;
        let index = self.weights().get_index_of(edge).unwrap_or(usize::MAX);
        Ok(self.first_agreeing(sample, index, &largest))
    }

    /// For every parameter, weights before biases: the nudge by 0.01, and the largest one that agrees.
    pub(crate) fn nudges(&self, sample: Sample) -> Result<Vec<(Nudge, Option<Nudge>)>, Error> {
        let (before, gradient) = self.gradient(&[sample])?;
        let parameters = self.symbols().into_iter().zip(gradient.values()).enumerate();
        let nudges = parameters.map(|(index, (symbol, derivative))| {
            let (loss, loss_symbol) = ([before; 2], self.loss_symbol());
            let still = Nudge { symbol, by: 0.0, loss, derivative, loss_symbol };
            let nudge = self.nudged(sample, index, &still, SIZES[0]);
            let agreeing = self.first_agreeing(sample, index, &nudge);
            (nudge, agreeing)
        });
        Ok(nudges.collect())
    }

    /// The first that agrees, of the one by the largest size and those by smaller ones.
    fn first_agreeing(&self, sample: Sample, index: usize, largest: &Nudge) -> Option<Nudge> {
        let smaller = SIZES[1..].iter().map(|&by| self.nudged(sample, index, largest, by));
        core::iter::once(largest.clone()).chain(smaller).find(Nudge::agrees)
    }

    /// The nudge of the parameter at `index`, by another size.
    fn nudged(&self, sample: Sample, index: usize, other: &Nudge, by: f64) -> Nudge {
        let mut parameters = self.flat_parameters();
        parameters[index] += by;
        let after = self.loss_at(&parameters, &[sample]);
        Nudge { by, loss: [other.loss[0], after], ..other.clone() }
    }

    /// The parameters as formulas write them, weights before biases.
    pub(crate) fn symbols(&self) -> Vec<String> {
        symbols(&self.parameters)
    }
}

impl Nudge {
    /// How much the loss changes.
    pub fn change(&self) -> f64 {
        self.loss[1] - self.loss[0]
    }

    /// How much it changes if the derivative were the same all the way.
    pub fn predicted(&self) -> f64 {
        self.by * self.derivative
    }

    /// Whether the two differ by less than a hundredth. Where they do not, the loss bends on the way: `by` is too large.
    pub fn agrees(&self) -> bool {
        (self.change() - self.predicted()).abs() <= 0.01 * self.predicted().abs()
    }
}

impl fmt::Display for Nudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { symbol, by, loss: [before, after], derivative, loss_symbol } = self;
        write!(
            f,
            "{symbol} larger by {by}: {loss_symbol} changes by {}, from {} to {}; the derivative says {by} × {} = {}",
            number(self.change()),
            number(*before),
            number(*after),
            in_product(*derivative),
            number(self.predicted())
        )
    }
}

impl Descended {
    /// Whether the samples' derivatives nearly cancel: all means are small beside what they are the means of.
    pub fn cancels(&self) -> bool {
        cancel(&self.derivatives, &self.mean)
    }

    /// Whether they cancel to the last digits of the loss, so that no step makes it smaller: training has come to rest.
    pub fn rests(&self) -> bool {
        rest(&self.derivatives, &self.mean, self.loss)
    }

    /// The derivatives of each sample's loss and their mean, a line for each parameter.
    pub fn means(&self) -> String {
        let mut heading = vec![String::new()];
        heading
            .extend(self.samples.iter().map(|s| format!("{} = {}", self.input, number(s.input))));
        heading.push("mean".to_owned());
        let mut lines = vec![heading];
        for (index, symbol) in symbols(&self.before).into_iter().enumerate() {
            let mut line = vec![derivative(self.loss_symbol, &symbol)];
            let of =
                |parameters: &Parameters| number(parameters.values().nth(index).unwrap_or(0.0));
            line.extend(self.derivatives.iter().map(of));
            line.push(of(&self.mean));
            lines.push(line);
        }
        columns(&lines)
    }

    /// The step, a line for each parameter.
    pub fn moves(&self) -> String {
        let values = self.before.values().zip(self.mean.values()).zip(self.after.values());
        let moves = symbols(&self.before).into_iter().zip(values);
        let lines = moves.map(|(symbol, ((before, mean), after))| {
            let derivative = derivative(self.loss_symbol, &symbol);
            let before_text = number(before);
            if self.optimizer == Optimizer::Plain {
                return format!(
                    "  {symbol} ← {symbol} - rate·{derivative} = {before_text} - {} × {} = {}\n",
                    self.rate,
                    in_product(mean),
                    number(after)
                );
            }
            let change = after - before;
            let sign = if change < 0.0 { '-' } else { '+' };
            let change = number(change.abs());
            format!("  {symbol} ← {before_text} {sign} {change} = {}\n", number(after))
        });
        lines.collect()
    }

    /// How to read [`Descended::moves`].
    fn reading(&self) -> String {
        let symbol = symbols(&self.before).swap_remove(0);
        let mean = match self.optimizer {
            Optimizer::Plain => format!(
                " {} stands for the mean over the samples, in the last column.",
                derivative(self.loss_symbol, &symbol)
            ),
            _ => String::new(),
        };
        format!("← means: becomes.{mean}")
    }

    /// How the step follows from the derivatives, in words.
    pub fn rule(&self) -> String {
        rule(self.optimizer, self.rate)
    }
}

/// Whether all means are small beside the derivatives that they are the means of.
pub(crate) fn cancel(derivatives: &[Parameters], mean: &Parameters) -> bool {
    are_below(1e-3, derivatives, mean)
}

/// Whether training has come to rest, by the losses before and after a step. Near its least value the loss is a parabola:
/// means that are a share of the derivatives leave it about the square of that share to fall. Below the root of ε that is
/// rounding.
pub(crate) fn rest(derivatives: &[Parameters], mean: &Parameters, loss: [f64; 2]) -> bool {
    let falls = loss[1] < loss[0];
    !falls && are_below(f64::EPSILON.sqrt(), derivatives, mean)
}

fn are_below(share: f64, derivatives: &[Parameters], mean: &Parameters) -> bool {
    let size = |index: usize| -> f64 {
        let sizes = derivatives.iter().map(|d| d.values().nth(index).unwrap_or(0.0).abs());
        sizes.sum::<f64>() / derivatives.len() as f64
    };
    mean.values().enumerate().all(|(index, mean)| mean.abs() < share * size(index))
}

/// Which way a parameter goes, and why not far.
const AGAINST: &str = "Where the derivative is positive, a larger parameter makes the loss larger, so the parameter \
                       goes down; where it is negative, up.";
const NEARBY: &str = "a derivative holds only nearby";

/// What the first step of an optimiser is, where that is short to say.
pub(crate) fn first_step(optimizer: Optimizer, rate: f64) -> Option<String> {
    matches!(optimizer, Optimizer::Adam { .. }).then(|| {
        format!(
            "At the first step the running mean is the derivative itself, and its usual size is its own. Divided they give 1 \
             or -1, so every parameter moves by the rate, {rate}, unless its derivative is 0."
        )
    })
}

/// The rule of an optimiser in words.
pub(crate) fn rule(optimizer: Optimizer, rate: f64) -> String {
    let how = match optimizer {
        Optimizer::Plain => {
            return format!(
                "{AGAINST} The step is rate × derivative, with the rate {rate}: small, because {NEARBY}."
            );
        }
        Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => {
            "This training has momentum: a part of each step is kept and added to the next one"
        }
        Optimizer::RmsProp { .. } => {
            "This training divides each derivative by its usual size (RMSProp)"
        }
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } => {
            "This training uses Adam: in place of the derivative it takes a running mean of it, divided by its usual size, \
             so that a step is about as large as the rate"
        }
    };
    format!(
        "{AGAINST} The step of plain gradient descent is rate × derivative. {how}. The rate is {rate}: small, because {NEARBY}."
    )
}

/// [`Descended::means`], [`Descended::rule`] and [`Descended::moves`].
impl fmt::Display for Descended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, loss) = (self.samples.len(), self.loss_symbol);
        writeln!(f, "One step over all samples")?;
        writeln!(
            f,
            "What has to become small is the mean of {loss} over the {count} samples; its derivative is the mean of theirs.\n"
        )?;
        writeln!(f, "{}", self.means())?;
        writeln!(f, "{}\n", self.rule())?;
        if let Some(first) = first_step(self.optimizer, self.rate) {
            writeln!(f, "{first}\n")?;
        }
        writeln!(f, "{}", self.reading())?;
        writeln!(f, "{}", self.moves())?;
        write!(
            f,
            "The mean of {loss} goes from {} to {}.",
            number(self.loss[0]),
            number(self.loss[1])
        )
    }
}

fn symbols(parameters: &Parameters) -> Vec<String> {
    let weights = parameters.weights.keys().map(|edge| weight_symbol(edge));
    weights.chain(parameters.biases.keys().map(|node| bias_symbol(node))).collect()
}

/// Cells in columns: the first from the left, the others from the right.
fn columns(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..lines[0].len()).map(|c| width(c).unwrap_or(0)).collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("   "))
    };
    lines.iter().map(padded).collect()
}
