//! Gradients held against numeric derivatives, with a third verdict for where those cannot tell.

#[cfg(feature = "proptest")]
pub mod arbitrary;
mod fit;
mod numeric;
mod operation;
#[cfg(test)]
mod tests;

use core::fmt::{self, Display};
use std::rc::Rc;

use crate::list::List;
use crate::list::recorded::replay;
use crate::list::stop::ListStop;
use crate::op::Op;
use crate::tape::Tape;
use crate::var::Var;
pub use operation::operation;

use numeric::{Finding, Knowledge, Numeric, PRECISION, study};

/// What comes of holding a gradient against numeric derivatives.
///
/// A gradient that is right never gives a mismatch: where the numbers cannot tell, the verdict says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Every component agrees with its numeric derivative, which is known to about seven digits or better. (A component
    /// close to 0, compared to the function's slopes around x, is known to 10⁻⁸ of those. Where the value does not change
    /// at all around x, 0 passes if a change could not be lost in rounding.)
    Pass,
    /// At least one component is wrong; this is the first.
    Mismatch {
        /// Which component.
        index: usize,
        /// The gradient's component, as given.
        exact: f64,
        /// The numeric derivative.
        numeric: f64,
        /// How far the numeric derivative may be from the true one.
        error_estimate: f64,
    },
    /// No component is known to be wrong, but at least one could not be compared.
    Unchecked {
        /// Why the first such component could not be compared.
        why: Why,
    },
}

/// Why a numeric derivative cannot tell whether a component of a gradient is right.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// The function is infinite or NaN at x.
    ValueNotFinite,
    /// The function is infinite or NaN next to x in the direction of this component, as √x is at 0.
    NeighbourhoodNotFinite {
        /// Which component.
        index: usize,
    },
    /// The slopes on the two sides of x differ, as those of |x| do at 0.
    Kink {
        /// Which component.
        index: usize,
        /// The slope below x.
        left: f64,
        /// The slope above x.
        right: f64,
    },
    /// The function looks smooth with no step: there is a jump at x, or noise, or oscillation too fast for the digits.
    Rough {
        /// Which component.
        index: usize,
    },
    /// There is a numeric derivative, but its error is too large for a pass, and the component is within its reach (eight
    /// times the error). Of a value that has settled, as tanh has at 20, it is 0 with the error of a rounding.
    Imprecise {
        /// Which component.
        index: usize,
        /// The numeric derivative.
        numeric: f64,
        /// How far it may be from the true one.
        error_estimate: f64,
    },
    /// The value does not change around x, but the component is not 0, and the change may be lost in rounding, as that of
    /// (10²⁰ + x) − 10²⁰.
    Flat {
        /// Which component.
        index: usize,
        /// The gradient's component, as given.
        exact: f64,
    },
    /// Steps of different size show different slopes: of a function with steps of its own, or of one that has lost a
    /// term in rounding.
    Contradictory {
        /// Which component.
        index: usize,
        /// The numeric derivative with the least error.
        numeric: f64,
        /// How far it may be from the true one.
        error_estimate: f64,
    },
    /// The gradient itself fluctuates around x, where the function shows no structure: by convention at a tie, because it
    /// has lost its digits, or because f oscillates too fast for the digits of x. Or f jumps (by `floor` and the like) so
    /// often that it looks smooth.
    Unstable {
        /// Which component.
        index: usize,
    },
}

/// A numeric derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The derivative; NaN when it is not known at all.
    pub value: f64,
    /// A bound, not a typical size, of its error; ∞ when it is not known at all.
    pub error: f64,
}

/// One component of a gradient, held against its numeric derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Which component.
    pub index: usize,
    /// The input.
    pub x: f64,
    /// The gradient's component, as given.
    pub exact: f64,
    /// The numeric derivative.
    pub numeric: Estimate,
    /// The verdict on this component.
    pub verdict: Verdict,
}

/// All components of a gradient, held against numeric derivatives. Its `Display` is a table.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a mismatch is seen only by whoever looks at the report"]
pub struct Report {
    /// One for each input.
    pub components: Vec<Component>,
}

/// Holds the gradient of `f` at `x`, as [`gradient`](crate::gradient) computes it, against numeric derivatives.
///
/// The numeric side evaluates `f` on constants, which record nothing: about 100 times for each input, and in awkward
/// places up to 700 times. The other inputs stay the same, and this one is moved by up to |x| or 1, whichever is more,
/// and further where smaller steps are lost in rounding. Where `f` is not defined it must return NaN, not panic, and
/// for the same input it must return the same value.
///
/// Numeric derivatives see a function only at floating-point numbers. What they cannot see is looked up in the recording
/// instead, and makes the verdict more careful: how large the rounding errors of `f` can be (a change may be lost in
/// them), and, before a component is called wrong, whether the gradient itself is smooth around x.
///
/// What a function does closer to x than about 10⁻¹³ of the numbers around (of the largest input, or 1) is not believed
/// against a slope that all wider steps agree on: an iteration that stops at ε, or a rotation by less than ε that counts
/// as none, makes a function flat there, and the derivative 0 wrong.
///
/// ```
/// use tape::check::{self, Verdict};
///
/// assert_eq!(check::gradient(|x| x[0] * x[1] + x[0].sin(), &[2.0, 3.0]), Verdict::Pass);
/// // At a kink there is nothing to compare with.
/// assert!(matches!(check::gradient(|x| x[0].abs(), &[0.0]), Verdict::Unchecked { .. }));
/// ```
///
/// # Panics
/// When `f` panics, or returns a variable of another tape.
#[track_caller]
#[must_use = "a mismatch is seen only by whoever looks at the verdict"]
pub fn gradient(f: impl Fn(&[Var]) -> Var, x: &[f64]) -> Verdict {
    report(f, x).verdict()
}

/// Holds the gradient of `f` at `x` against numeric derivatives, and panics on a mismatch with a table of all components.
///
/// A gradient that could not be checked does not panic, because tests at random points meet such points rightly. The
/// verdict is returned: a test at a chosen point can demand [`Verdict::Pass`].
///
/// # Panics
/// When the verdict is [`Verdict::Mismatch`]; and as [`check::gradient`](gradient) does.
///
/// ```
/// use tape::check::{Verdict, assert_gradient};
///
/// let softmax_loss = |x: &[tape::Var]| tape::log_sum_exp(x) - x[0];
/// let verdict = assert_gradient(softmax_loss, &[1.0, -0.5, 2.0]);
/// assert_eq!(verdict, Verdict::Pass);
/// ```
///
/// The table for a gradient with a wrong component:
///
/// ```text
/// the gradient is wrong:
/// index    x            exact          numeric  error    verdict
///     0  2.0  6.000000000e0  6.000000000e0  8.1e-13  pass
///     1  3.0  1.000000000e0  2.000000000e0  5.5e-13  mismatch
/// ```
#[track_caller]
pub fn assert_gradient(f: impl Fn(&[Var]) -> Var, x: &[f64]) -> Verdict {
    let report = report(f, x);
    let verdict = report.verdict();
    assert!(!verdict.is_mismatch(), "the gradient is wrong:\n{report}");
    verdict
}

/// As [`check::gradient`](gradient), but tells about every component.
///
/// ```
/// let report = tape::check::report(|x| x[0].exp() * x[1], &[0.5, 2.0]);
/// assert!(report.components[0].numeric.error < 1e-10);
/// println!("{report}");
/// ```
///
/// # Panics
/// As [`check::gradient`](gradient).
#[track_caller]
pub fn report(f: impl Fn(&[Var]) -> Var, x: &[f64]) -> Report {
    let value = |x: &[f64]| {
        let constants: Vec<Var> = x.iter().map(|&x| Var::constant(x)).collect();
        f(&constants).value()
    };
    let exact = crate::gradient(&f, x).1;
    let recording = Recording::new(&f, x);
    let spread = |index, step| recording.spread(&f, x, &exact, index, step);
    compare(value, &exact, x, |index| recording.rounding_along(index), spread)
}

/// Holds any gradient, whatever computed it, against numeric derivatives of `value` at `x`.
///
/// Less is known than with [`check::gradient`](gradient), which can look into the recording. A gradient that is right can
/// give a mismatch here if the function loses a whole term in rounding, as x + ((10²⁰ + sin x) − 10²⁰) does, varies
/// between neighbouring floating-point numbers, or has a feature smaller than 10⁻¹³, such as a dead zone.
///
/// ```
/// use tape::check::{Verdict, gradient_of};
///
/// let area = |x: &[f64]| x[0] * x[1];
/// assert_eq!(gradient_of(area, &[3.0, 2.0], &[2.0, 3.0]), Verdict::Pass);
/// let Verdict::Mismatch { index, exact, numeric, .. } = gradient_of(area, &[3.0, 1.0], &[2.0, 3.0]) else {
///     panic!("a wrong gradient went unnoticed");
/// };
/// assert_eq!((index, exact, numeric.round()), (1, 1.0, 2.0));
/// ```
///
/// # Panics
/// When `exact` has not the length of `x`.
#[track_caller]
#[must_use = "a mismatch is seen only by whoever looks at the verdict"]
pub fn gradient_of(value: impl Fn(&[f64]) -> f64, exact: &[f64], x: &[f64]) -> Verdict {
    assert!(
        exact.len() == x.len(),
        "gradient_of: a gradient of {} components at a point of {}: they must have the same length",
        exact.len(),
        x.len()
    );
    compare(value, exact, x, |_| 0.0, |_, _| 0.0).verdict()
}

/// The numeric derivative of `value` at `x`, with a bound of its error.
///
/// At a kink the value is the mean of the slopes on the two sides, and the error covers both. Where nothing is known
/// (x is at the edge of the domain, at a jump) the error is ∞.
///
/// ```
/// let estimate = tape::check::derivative(f64::sin, 1.0);
/// assert!((estimate.value - 1.0_f64.cos()).abs() <= estimate.error);
/// assert!(estimate.error < 1e-11);
/// assert_eq!(tape::check::derivative(f64::sqrt, 0.0).error, f64::INFINITY);
/// ```
pub fn derivative(value: impl Fn(f64) -> f64, x: f64) -> Estimate {
    let known = Knowledge { rounding: 0.0, scale: x.abs().max(1.0), is_steep: false };
    study(value, x, known).estimate
}

/// Holds each component of a gradient against its numeric derivative.
///
/// The values along a component may be off by `rounding(index)`. `spread(index, step)` says by how much a component of the gradient fluctuates
/// around x, at distances far below `step`.
fn compare(
    value: impl Fn(&[f64]) -> f64,
    exact: &[f64],
    x: &[f64],
    rounding: impl Fn(usize) -> f64,
    spread: impl Fn(usize, f64) -> f64,
) -> Report {
    let scale = x.iter().filter(|x| x.is_finite()).fold(1.0, |most: f64, x| most.max(x.abs()));
    let mut point = x.to_vec();
    let components = exact.iter().enumerate().map(|(index, &exact)| {
        let along = |t: f64| {
            point[index] = t;
            value(&point)
        };
        let known = Knowledge { rounding: rounding(index), scale, is_steep: exact != 0.0 };
        let numeric = study(along, x[index], known);
        point[index] = x[index];
        let verdict = judge(index, exact, &numeric, || spread(index, numeric.step));
        Component { index, x: x[index], exact, numeric: numeric.estimate, verdict }
    });
    Report { components: components.collect() }
}

fn judge(index: usize, exact: f64, numeric: &Numeric, spread: impl Fn() -> f64) -> Verdict {
    /// So many times the bound of a numeric derivative's error leaves no doubt, even if it is too large for a pass.
    const BEYOND_DOUBT: f64 = 8.0;
    let Estimate { value, error } = numeric.estimate;
    let deviation = (exact - value).abs();
    let unchecked = |why| Verdict::Unchecked { why };
    let imprecise = if numeric.is_flat && exact != 0.0 {
        Why::Flat { index, exact }
    } else {
        Why::Imprecise { index, numeric: value, error_estimate: error }
    };
    match numeric.finding {
        Finding::Undefined => return unchecked(Why::ValueNotFinite),
        Finding::Edge => return unchecked(Why::NeighbourhoodNotFinite { index }),
        Finding::Kink { left, right } => return unchecked(Why::Kink { index, left, right }),
        Finding::Rough => return unchecked(Why::Rough { index }),
        Finding::Flat if exact == 0.0 => return Verdict::Pass,
        Finding::Known | Finding::Contested
            if deviation <= 2.0 * error + PRECISION * value.abs() =>
        {
            return Verdict::Pass;
        }
        Finding::Confused => return unchecked(imprecise),
        Finding::Contested if !exact.is_nan() => {
            return unchecked(Why::Contradictory { index, numeric: value, error_estimate: error });
        }
        Finding::Flat if deviation <= BEYOND_DOUBT * error => return unchecked(imprecise),
        // NaN, too, says nothing against a derivative that is not known.
        Finding::Imprecise | Finding::Saturated
            if exact.is_nan() || deviation <= BEYOND_DOUBT * error =>
        {
            return unchecked(imprecise);
        }
        Finding::Known
        | Finding::Contested
        | Finding::Flat
        | Finding::Imprecise
        | Finding::Saturated => {}
    }
    let spread = spread();
    // NaN is wrong wherever there is a derivative, unless it stands at that one point only.
    let is_wrong = if exact.is_nan() { spread == 0.0 } else { deviation > 4.0 * spread };
    if is_wrong {
        Verdict::Mismatch { index, exact, numeric: value, error_estimate: error }
    } else {
        unchecked(Why::Unstable { index })
    }
}

/// What the recording of a function at one point tells beyond its value and gradient.
struct Recording {
    /// A bound, to first order, of the value's rounding error: ε·Σ |adjoint·value| over all operations.
    rounding: f64,
    /// Whether the value is computed from each input.
    is_used: Vec<bool>,
    /// Whether an operation jumps so often around its argument that its jumps add up to a slope.
    jumps: bool,
}

impl Recording {
    fn new(f: &impl Fn(&[Var]) -> Var, x: &[f64]) -> Self {
        let tape = Tape::new();
        tape.set_tracing(true);
        let output = f(&tape.vars_from(x));
        let adjoints = tape.sweep(output);
        let mut recording = Self { rounding: 0.0, is_used: Vec::new(), jumps: false };
        tape.with_list(|list| {
            recording.is_used = used_inputs(list, x.len(), output.index() as usize);
            let same = |number| number;
            let kept = |_, value| Ok(value);
            let recorded =
                |stop: &Rc<ListStop<f64>>, _: &mut dyn Iterator<Item = f64>| stop.y.to_vec();
            let values = replay(list, &[], same, kept, recorded, |group, arguments, value| {
                recording.note(group.op, adjoints.at(group.last), arguments, value);
            });
            debug_assert!(values.is_ok(), "values of opaque operations are kept");
        });
        recording
    }

    /// A bound of the rounding error when only this input changes: that of the others' part is always the same.
    fn rounding_along(&self, input: usize) -> f64 {
        if self.is_used[input] { self.rounding } else { 0.0 }
    }

    fn note(&mut self, op: Op, adjoint: f64, arguments: &[f64], value: f64) {
        /// With this many jumps on the way from 0, those that add up to a slope that matters are each too large to be
        /// taken for rounding; with more they need not be.
        const MANY: f64 = 1e6;
        let rounding = (adjoint * value).abs() * f64::EPSILON;
        if op != Op::Input && rounding.is_finite() {
            self.rounding += rounding;
        }
        let passed = match (op, arguments) {
            (Op::Floor | Op::Ceil | Op::Round | Op::Trunc, &[x]) => x,
            (Op::Rem, &[x, y]) => x / y,
            _ => 0.0,
        };
        self.jumps |= adjoint != 0.0 && passed.abs() > MANY;
    }

    /// By how much component `index` of the gradient fluctuates around x, at distances far below `step`: its largest
    /// distance from the mean of its neighbours on either side, which is next to nothing if it changes smoothly.
    ///
    /// It is ∞ if the gradient leaves jumps out of account.
    fn spread(
        &self,
        f: &impl Fn(&[Var]) -> Var,
        x: &[f64],
        exact: &[f64],
        index: usize,
        step: f64,
    ) -> f64 {
        /// Not a power of 2 or 10, as periods and ties may be.
        const RATIO: f64 = 0.217;
        if self.jumps {
            return f64::INFINITY;
        }
        let mut point = x.to_vec();
        let mut at = |t: f64| {
            point[index] = t;
            crate::gradient(f, &point).1[index]
        };
        let mut spread = 0.0_f64;
        let mut distance = 1e-3 * step;
        // The last distance is below the spacing of floating-point numbers, unless x is 0 or close to it.
        for _ in 0..24 {
            if x[index] + distance == x[index] {
                break;
            }
            let mean = f64::midpoint(at(x[index] - distance), at(x[index] + distance));
            spread = spread.max(match (mean.is_nan(), exact[index].is_nan()) {
                (true, true) => 0.0,
                (false, false) => (mean - exact[index]).abs(),
                _ => f64::INFINITY,
            });
            distance *= RATIO;
        }
        spread
    }
}

/// Which of the inputs, the first nodes of a list, a node is computed from.
fn used_inputs(list: &List<f64>, inputs: usize, output: usize) -> Vec<bool> {
    let (nodes, ops) = (list.nodes(), list.ops());
    let mut used = vec![false; nodes.len()];
    used[output] = true;
    let mut is_used = false;
    for index in (1..nodes.len()).rev() {
        // The nodes of one operation follow each other, and the last one stands for it.
        if ops[index] != Op::Part {
            is_used = used[index];
        }
        if is_used {
            for argument in nodes[index].indices() {
                used[argument] = true;
            }
            if ops[index] == Op::Result
                && let Some(stop) = list.stop_before(index + 1)
            {
                stop.arguments.iter().for_each(|argument| used[argument as usize] = true);
            }
        }
    }
    used[1..=inputs].to_vec()
}

impl Verdict {
    /// Whether every component agrees.
    pub fn is_pass(&self) -> bool {
        *self == Self::Pass
    }

    /// Whether a component is wrong.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Self::Mismatch { .. })
    }
}

impl Report {
    /// The first mismatch if there is one, otherwise the first component that could not be checked, otherwise a pass.
    pub fn verdict(&self) -> Verdict {
        let first =
            |wanted: fn(&Verdict) -> bool| self.components.iter().map(|it| it.verdict).find(wanted);
        first(Verdict::is_mismatch).or(first(|verdict| !verdict.is_pass())).unwrap_or(Verdict::Pass)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A gradient of more components is shown without those that pass.
        const SHOWN: usize = 40;
        let is_long = self.components.len() > SHOWN;
        let wanted = self.components.iter().filter(|it| !is_long || !it.verdict.is_pass());
        let rows: Vec<[String; 6]> = wanted.clone().take(SHOWN).map(Component::cells).collect();
        let header = ["index", "x", "exact", "numeric", "error", "verdict"].map(str::to_owned);
        let table = || core::iter::once(&header).chain(&rows);
        let width = |column: usize| table().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: [usize; 5] = core::array::from_fn(width);
        for [cells @ .., verdict] in table() {
            for (cell, width) in cells.iter().zip(widths) {
                write!(f, "{cell:>width$}  ")?;
            }
            writeln!(f, "{verdict}")?;
        }
        let passed = self.components.iter().filter(|it| it.verdict.is_pass()).count();
        let more = wanted.count() - rows.len();
        if is_long { writeln!(f, "{more} more of these; {passed} components pass") } else { Ok(()) }
    }
}

impl Component {
    fn cells(&self) -> [String; 6] {
        let Estimate { value, error } = self.numeric;
        let verdict = match self.verdict {
            Verdict::Pass => "pass".to_owned(),
            Verdict::Mismatch { .. } => "MISMATCH".to_owned(),
            Verdict::Unchecked { why } => format!("unchecked: {}", why.reason()),
        };
        [
            self.index.to_string(),
            self.x.to_string(),
            format!("{:.9e}", self.exact),
            format!("{value:.9e}"),
            format!("{error:.1e}"),
            verdict,
        ]
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => write!(f, "pass"),
            Self::Mismatch { index, exact, numeric, error_estimate } => {
                write!(
                    f,
                    "mismatch: component {index} is {exact}, numerically {numeric} ± {error_estimate:.1e}"
                )
            }
            Self::Unchecked { why } => write!(f, "unchecked: {why}"),
        }
    }
}

impl Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index() {
            Some(index) => write!(f, "component {index}: {}", self.reason()),
            None => f.write_str(&self.reason()),
        }
    }
}

impl Why {
    /// The component that could not be checked; `None` when that holds for all.
    pub fn index(&self) -> Option<usize> {
        match *self {
            Self::ValueNotFinite => None,
            Self::NeighbourhoodNotFinite { index }
            | Self::Kink { index, .. }
            | Self::Rough { index }
            | Self::Imprecise { index, .. }
            | Self::Flat { index, .. }
            | Self::Contradictory { index, .. }
            | Self::Unstable { index } => Some(index),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::ValueNotFinite => "the value is not finite".to_owned(),
            Self::NeighbourhoodNotFinite { .. } => "the value next to x is not finite".to_owned(),
            Self::Kink { left, right, .. } => {
                format!("a kink: slope {left:.6e} below x, {right:.6e} above")
            }
            Self::Rough { .. } => "with no step is the function smooth".to_owned(),
            Self::Imprecise { numeric, error_estimate, .. } => {
                format!(
                    "the numeric derivative {numeric:.6e} ± {error_estimate:.1e} is not precise enough"
                )
            }
            Self::Flat { exact, .. } => {
                format!("the value does not change, but the component is {exact:e}")
            }
            Self::Contradictory { .. } => {
                "steps of different size show different slopes".to_owned()
            }
            Self::Unstable { .. } => "the gradient itself fluctuates around x".to_owned(),
        }
    }
}
