//! What a training makes small: one of the known losses, or a function that a user writes.

use core::fmt;
use std::sync::Arc;

use tape::Var;

use crate::Loss;
use crate::data::largest;

/// The loss of one row, from the outputs of a network and the targets.
///
/// Every [`Loss`] is one. Your own is a function; any generic function will do.
///
/// ```
/// use nn::{Dense, Network, Objective};
/// use tape::{Matrix, Real};
///
/// /// Σ (y − t)⁴: outliers weigh even more than in squares.
/// fn fourth_powers<T: Real>(outputs: &[T], targets: &[T]) -> T {
///     let powers: Vec<T> = outputs.iter().zip(targets).map(|(&y, &t)| (y - t).powi(4)).collect();
///     T::sum(&powers)
/// }
///
/// let mut network = Network::builder(1).layer(Dense::linear(1)).build()?;
/// network.set_parameter("layer1.weight", &[2.0])?;
/// let one = |x| Matrix { rows: 1, columns: 1, data: vec![x] };
/// let objective = Objective::new("fourth powers", fourth_powers);
/// let (loss, gradient) = network.gradient(objective, &one(3.0), &one(5.0))?;
/// assert_eq!((loss, gradient["layer1.weight"].values()), (1.0, &[12.0][..]));     // (6 − 5)⁴, 4·(6 − 5)³·3
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Objective {
    name: String,
    kind: Kind,
}

type Function = dyn Fn(&[Var], &[Var]) -> Var + Send + Sync;

#[derive(Clone)]
enum Kind {
    Known(Loss),
    Own(Arc<Function>),
}

impl Objective {
    /// A function of the outputs and the targets of a row as what is made small. The name is for people, and is compared
    /// when a training is resumed.
    pub fn new(
        name: impl Into<String>,
        loss: impl Fn(&[Var], &[Var]) -> Var + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), kind: Kind::Own(Arc::new(loss)) }
    }

    /// Its name: of a [`Loss`] what it prints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The loss, if it is one of those that the crate knows.
    pub fn loss(&self) -> Option<Loss> {
        match self.kind {
            Kind::Known(loss) => Some(loss),
            Kind::Own(_) => None,
        }
    }

    pub(crate) fn apply(&self, outputs: &[Var], targets: &[Var]) -> Var {
        match &self.kind {
            Kind::Known(loss) => loss.apply(outputs, targets),
            Kind::Own(function) => function(outputs, targets),
        }
    }

    /// The loss of plain numbers.
    pub(crate) fn value(&self, outputs: &[f64], targets: &[f64]) -> f64 {
        match &self.kind {
            Kind::Known(loss) => loss.apply(outputs, targets),
            Kind::Own(function) => function(&constants(outputs), &constants(targets)).value(),
        }
    }

    /// Whether the row has its class right, where the outputs are logits: of classes, the largest is the target's; of
    /// outputs that are judged one by one, each is on its target's side of 0. `None` where the loss is about numbers.
    pub(crate) fn is_right(&self, outputs: &[f64], targets: &[f64]) -> Option<bool> {
        match self.loss()? {
            Loss::CrossEntropy => Some(largest(outputs) == largest(targets)),
            Loss::BinaryCrossEntropy => {
                let same = |(&logit, &target): (&f64, &f64)| (logit > 0.0) == (target > 0.5);
                Some(outputs.iter().zip(targets).all(same))
            }
            _ => None,
        }
    }
}

impl From<Loss> for Objective {
    fn from(loss: Loss) -> Self {
        Self { name: loss.to_string(), kind: Kind::Known(loss) }
    }
}

impl fmt::Debug for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objective({})", self.name)
    }
}

/// Numbers that are not recorded.
pub(crate) fn constants(numbers: &[f64]) -> Vec<Var> {
    numbers.iter().map(|&number| Var::constant(number)).collect()
}
