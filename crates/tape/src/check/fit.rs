//! A polynomial with a kink, fitted to samples of a function around x: its slope there, and how far it can be trusted.

/// Pairs of samples, one on either side of x, that one fit uses.
pub(super) const PAIRS: usize = 7;
/// Samples that one fit uses: the pairs, and x itself.
pub(super) const SAMPLES: usize = 2 * PAIRS + 1;
/// Up to this many roundings of the largest value, what the function does may be rounding; beyond, it is structure.
pub(super) const ROUGHNESS: f64 = 256.0;
/// The polynomial's degree. Odd, so that its highest power serves the slope and not the curvature.
const DEGREE: i32 = 7;
/// What a fit determines: the polynomial's coefficients, and the kink.
const UNKNOWNS: usize = DEGREE as usize + 2;

/// One number for each sample.
type Column = [f64; SAMPLES];

/// A value of the function, and the offset from x at which it was taken, as floating point realised it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) offset: f64,
    pub(super) value: f64,
}

/// f(x + t) ≈ c₀ + slope·t + kink·|t| + c₂t² + … + c₇t⁷, by least squares.
///
/// There are fewer unknowns than samples, so that the residual tells how much of the function is no such polynomial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    /// The largest offset.
    pub(super) step: f64,
    /// The derivative, where there is no kink.
    pub(super) slope: f64,
    /// Half of what the slope right of x exceeds the slope left of it.
    pub(super) kink: f64,
    /// By how much slope and kink together can change for one unit of error in every value.
    gain: f64,
    /// The largest deviation of a value from the fit, made up for what the fit absorbs.
    pub(super) residual: f64,
    /// The largest value.
    pub(super) magnitude: f64,
    /// The largest change of the value, by the largest offset.
    pub(super) steepness: f64,
}

impl Fit {
    /// The fit to samples of which the first is x itself; `None` when a value is not finite.
    pub(super) fn new(samples: &[Sample; SAMPLES]) -> Option<Self> {
        if !samples.iter().all(|sample| sample.value.is_finite()) {
            return None;
        }
        // Offsets and values are brought to [−1, 1], so that neither overflows or underflows in between.
        let step = largest(&samples.map(|sample| sample.offset));
        let magnitude = largest(&samples.map(|sample| sample.value));
        let unit = if magnitude == 0.0 { 1.0 } else { magnitude };
        let offset = samples.map(|sample| sample.offset / step);
        let change = samples.map(|sample| sample.value / unit - samples[0].value / unit);

        let mut basis = vec![normalised([1.0; SAMPLES])];
        for power in 2..=DEGREE {
            let column = rejected(offset.map(|t| t.powi(power)), &basis);
            basis.push(normalised(column));
        }
        let straight = rejected(offset, &basis);
        let bent = rejected(offset.map(f64::abs), &basis);
        let of_slope = weights(straight, bent);
        let of_kink = weights(bent, straight);
        let slope = dot(&of_slope, &change);
        let kink = dot(&of_kink, &change);
        let gain: f64 = of_slope.iter().chain(&of_kink).map(|weight| weight.abs()).sum();

        let rest = rejected(change, &basis);
        let deviation = core::array::from_fn(|i| rest[i] - slope * straight[i] - kink * bent[i]);
        let absorbed = (SAMPLES as f64 / (SAMPLES - UNKNOWNS) as f64).sqrt();
        let per_step = |number: f64| number * unit / step;
        Some(Self {
            step,
            slope: per_step(slope),
            kink: per_step(kink),
            gain: gain / step,
            residual: largest(&deviation) * absorbed * unit,
            magnitude,
            steepness: per_step(largest(&change)),
        })
    }

    /// What one rounding of the largest value amounts to.
    pub(super) fn rounding(&self) -> f64 {
        f64::EPSILON * self.magnitude + f64::from_bits(1)
    }

    /// Whether the values change so little that it may be all rounding.
    pub(super) fn is_lost_in_rounding(&self) -> bool {
        self.steepness * self.step <= ROUGHNESS * self.rounding()
    }

    /// What the values may be off by, as far as this fit shows: twice the residual, which is that of few samples. Powers
    /// that the polynomial lacks count as noise, too: they change the slope by less than noise of their residual could.
    pub(super) fn noise(&self) -> f64 {
        2.0 * self.residual
    }

    /// A bound of the error of slope and kink, when no value is off by more than `noise` (or by one rounding).
    pub(super) fn error(&self, noise: f64) -> f64 {
        noise.max(self.rounding()) * self.gain
    }
}

/// The weights that make `column`'s coefficient from the values, when `other` has one too.
fn weights(column: Column, other: Column) -> Column {
    let own = rejected(column, &[normalised(other)]);
    let square = dot(&own, &own);
    own.map(|weight| weight / square)
}

/// The part of `column` that is orthogonal to an orthonormal basis.
fn rejected(mut column: Column, basis: &[Column]) -> Column {
    // Twice is enough: the first time leaves rounding errors along the basis when the columns are nearly parallel.
    for unit in basis.iter().chain(basis) {
        let share = dot(&column, unit);
        for (number, unit) in column.iter_mut().zip(unit) {
            *number -= share * unit;
        }
    }
    column
}

fn normalised(column: Column) -> Column {
    let length = dot(&column, &column).sqrt();
    column.map(|number| number / length)
}

fn dot(a: &Column, b: &Column) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(column: &Column) -> f64 {
    column.iter().fold(0.0, |largest, number| largest.max(number.abs()))
}
