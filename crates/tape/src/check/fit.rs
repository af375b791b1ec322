//! A polynomial with a kink, fitted to samples of a function around x: its slope there, and how far it can be trusted.

use core::ops::RangeInclusive;

/// Pairs of samples, one on either side of x, that one fit uses.
pub(super) const PAIRS: usize = 7;
/// Samples that one fit uses: the pairs, and x itself.
pub(super) const SAMPLES: usize = 2 * PAIRS + 1;
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

/// f(x + t) ≈ c + slope·t + kink·|t| + c₂t² + … + c₇t⁷, by least squares.
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
    /// What the two highest powers contribute to slope and kink: more than the powers left out would.
    truncation: f64,
    /// By how much slope and kink together can change for one unit of error in every value.
    gain: f64,
    /// The largest deviation of a value from the fit, made up for what the fit absorbs.
    pub(super) residual: f64,
    /// The largest value.
    magnitude: f64,
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
        extend(&mut basis, &offset, 2..=DEGREE - 2);
        let coarse = Line::new(&basis, &offset, &change);
        extend(&mut basis, &offset, DEGREE - 1..=DEGREE);
        let line = Line::new(&basis, &offset, &change);

        let per_unit = |number: f64| number * unit / step;
        let absorbed = (SAMPLES as f64 / (SAMPLES - UNKNOWNS) as f64).sqrt();
        Some(Self {
            step,
            slope: per_unit(line.slope),
            kink: per_unit(line.kink),
            truncation: per_unit(
                (line.slope - coarse.slope).abs() + (line.kink - coarse.kink).abs(),
            ),
            gain: line.gain / step,
            residual: line.residual * absorbed * unit,
            magnitude,
            steepness: per_unit(largest(&change)),
        })
    }

    /// What one rounding of the largest value amounts to.
    pub(super) fn rounding(&self) -> f64 {
        f64::EPSILON * self.magnitude + f64::from_bits(1)
    }

    /// What the values may be off by, as far as this fit shows: twice the residual, which is that of few samples.
    pub(super) fn noise(&self) -> f64 {
        2.0 * self.residual
    }

    /// A bound of the error of slope and kink, when no value is off by more than `noise` (or by one rounding).
    pub(super) fn error(&self, noise: f64) -> f64 {
        self.truncation + noise.max(self.rounding()) * self.gain
    }
}

/// What is left of a fit when the other powers are projected out: slope·t + kink·|t|.
struct Line {
    slope: f64,
    kink: f64,
    gain: f64,
    residual: f64,
}

impl Line {
    /// `basis` is orthonormal and spans the other powers.
    fn new(basis: &[Column], offset: &Column, change: &Column) -> Self {
        let straight = rejected(*offset, basis);
        let bent = rejected(offset.map(f64::abs), basis);
        let of_slope = weights(straight, bent);
        let of_kink = weights(bent, straight);
        let slope = dot(&of_slope, change);
        let kink = dot(&of_kink, change);
        let rest = rejected(*change, basis);
        let deviation = core::array::from_fn(|i| rest[i] - slope * straight[i] - kink * bent[i]);
        let gain = of_slope.iter().chain(&of_kink).map(|weight| weight.abs()).sum();
        Self { slope, kink, gain, residual: largest(&deviation) }
    }
}

/// The weights that make `column`'s coefficient from the values, when `other` has one too.
fn weights(column: Column, other: Column) -> Column {
    let own = rejected(column, &[normalised(other)]);
    let square = dot(&own, &own);
    own.map(|weight| weight / square)
}

/// Appends the given powers of `offset`, made orthonormal to what is there.
fn extend(basis: &mut Vec<Column>, offset: &Column, powers: RangeInclusive<i32>) {
    for power in powers {
        let column = rejected(offset.map(|t| t.powi(power)), basis);
        basis.push(normalised(column));
    }
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
