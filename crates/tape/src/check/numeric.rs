//! The numeric derivative of a function of one number, with an error that can be relied upon, or the reason why not.
//!
//! The function is sampled at x and in pairs at x ± h for h from about |x| (or 1) down to the spacing of floating-point
//! numbers at x, in steps of a constant ratio. Every [`PAIRS`] neighbouring pairs make a [`Fit`]. A fit is believed when
//! its residual looks like rounding, when the same holds for all finer fits, and when none of them contradicts its
//! slope; of the fits that are believed, the one with the least error is taken. Thus truncation, rounding, kinks, jumps
//! and oscillation that only fine steps can see all show up in the error or in the finding.

use std::collections::VecDeque;

use super::Estimate;
use super::fit::{Fit, PAIRS, ROUGHNESS, SAMPLES, Sample};

/// A derivative counts as known up to this error relative to itself.
pub(super) const PRECISION: f64 = 1e-7;
/// A derivative close to 0 counts as known up to this error relative to the slopes seen around x.
const NEAR_ZERO: f64 = 1e-8;
/// From one step to the next. Not ½: steps that are powers of 2 apart see an oscillation at the same phases again, and
/// take it for a slow one.
const RATIO: f64 = 0.53;
/// The widest first step, relative to x. An odd number, so that x ± h has as many digits as it can have: round numbers
/// would hide rounding.
const WIDEST: f64 = 0.731_058_578_630_004_9;
/// Pairs after which a function whose value never changed is taken to be flat.
const PAIRS_IF_FLAT: usize = 48;
/// Pairs after which a known derivative is not looked at more finely: 10⁻²² of the first step.
const PAIRS_IF_KNOWN: usize = 80;
/// Steps wider than the first, taken when the finer ones are lost in rounding: up to 10¹¹ times the first.
const WIDER_STEPS: usize = 40;
/// The finest step at 0, where floating-point numbers have no spacing to speak of.
const FINEST_AT_ZERO: f64 = 1e-100;

/// What sampling a function around x says about its derivative there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric {
    /// NaN ± ∞ when nothing is known.
    pub(super) estimate: Estimate,
    /// The largest offset from x on which the estimate is based.
    pub(super) step: f64,
    pub(super) finding: Finding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    /// The error is within [`PRECISION`], or [`NEAR_ZERO`].
    Known,
    /// As known, but other steps show a different slope: they see something that the believed ones do not.
    Contested,
    /// The value does not change at all.
    Flat,
    /// The slopes left and right of x differ.
    Kink { left: f64, right: f64 },
    /// There is a slope, but with too large an error.
    Imprecise,
    /// With no step does the function look smooth.
    Rough,
    /// The value is finite at x, but not beside it.
    Edge,
    /// The value is not finite at x.
    Undefined,
}

/// Samples `f` around `x`. Its values may be off by `rounding`, if more than the samples show.
pub(super) fn study(f: impl FnMut(f64) -> f64, x: f64, rounding: f64) -> Numeric {
    let mut study =
        Study { f, x, centre: f64::NAN, rounding, pairs: VecDeque::new(), fits: VecDeque::new() };
    study.centre = (study.f)(x);
    if !study.centre.is_finite() {
        return Numeric::unknown(Finding::Undefined);
    }
    if !x.is_finite() {
        return Numeric::unknown(Finding::Edge);
    }
    study.sample();
    study.conclude()
}

impl Numeric {
    fn unknown(finding: Finding) -> Self {
        Self { estimate: Estimate { value: f64::NAN, error: f64::INFINITY }, step: 0.0, finding }
    }
}

struct Study<F> {
    f: F,
    x: f64,
    centre: f64,
    rounding: f64,
    /// From the widest step to the finest.
    pairs: VecDeque<[Sample; 2]>,
    /// `fits[k]` is the fit to `pairs[k..k + PAIRS]`; `None` where a value is not finite.
    fits: VecDeque<Option<Fit>>,
}

/// The fit that is believed, and what follows from it.
#[derive(Clone, Copy)]
struct Believed {
    index: usize,
    fit: Fit,
    /// The error of slope and kink, if the kink is real.
    error: f64,
    /// The slope, with an error that covers the slopes on either side of a kink.
    estimate: Estimate,
}

impl Believed {
    fn is_known(&self) -> bool {
        let relative = PRECISION * self.estimate.value.abs();
        self.estimate.error <= relative.max(NEAR_ZERO * self.fit.steepness)
    }

    fn has_kink(&self) -> bool {
        self.fit.kink.abs() > 4.0 * self.error
    }
}

impl<F: FnMut(f64) -> f64> Study<F> {
    /// Samples inwards until the derivative is settled, and outwards when rounding hides it.
    fn sample(&mut self) {
        let size = self.x.abs();
        let finest = if size == 0.0 { FINEST_AT_ZERO } else { 4.0 * (size.next_up() - size) };
        let first = (WIDEST * size.max(1.0)).min((f64::MAX - size) / 2.0);

        let mut step = first;
        while step >= finest && !(self.pairs.len().is_multiple_of(8) && self.is_settled()) {
            let pair = self.pair(step);
            self.pairs.push_back(pair);
            if self.pairs.len() >= PAIRS {
                self.fits.push_back(self.fit(self.pairs.len() - PAIRS));
            }
            step *= RATIO;
        }

        let mut step = first;
        for _ in 0..WIDER_STEPS {
            step /= RATIO;
            let done =
                self.is_flat() || self.believed().is_some_and(|it| it.is_known() || it.has_kink());
            if done || !(size + step).is_finite() {
                return;
            }
            let pair = self.pair(step);
            if !pair.iter().all(|sample| sample.value.is_finite()) {
                return;
            }
            self.pairs.push_front(pair);
            if self.pairs.len() >= PAIRS {
                self.fits.push_front(self.fit(0));
            }
        }
    }

    fn pair(&mut self, step: f64) -> [Sample; 2] {
        [self.x - step, self.x + step].map(|at| Sample { offset: at - self.x, value: (self.f)(at) })
    }

    fn fit(&self, first: usize) -> Option<Fit> {
        let centre = Sample { offset: 0.0, value: self.centre };
        let mut samples = [centre; SAMPLES];
        for (slot, sample) in samples[1..].iter_mut().zip(self.pairs.range(first..).flatten()) {
            *slot = *sample;
        }
        Fit::new(&samples)
    }

    /// Whether finer steps would add nothing.
    fn is_settled(&self) -> bool {
        if self.is_flat() {
            return self.pairs.len() >= PAIRS_IF_FLAT;
        }
        let (Some(believed), Some(Some(finest))) = (self.believed(), self.fits.back()) else {
            return false;
        };
        let is_lost_in_rounding = finest.error(0.0) > believed.fit.steepness;
        (believed.is_known() || believed.has_kink())
            && (is_lost_in_rounding || self.pairs.len() >= PAIRS_IF_KNOWN)
    }

    fn is_flat(&self) -> bool {
        self.pairs.iter().flatten().all(|sample| sample.value == self.centre)
    }

    /// Of the fits that are believed, the one with the least error.
    fn believed(&self) -> Option<Believed> {
        let mut noise = self.rounding;
        let mut best: Option<Believed> = None;
        for (index, fit) in self.fits.iter().enumerate().rev() {
            let Some(fit) = *fit else { break };
            noise = noise.max(fit.noise());
            let error = fit.error(noise);
            let estimate = Estimate { value: fit.slope, error: error + fit.kink.abs() };
            // x itself may have been rounded on the way through the function.
            let of_x = f64::EPSILON * (fit.slope * self.x).abs();
            let is_believed = self.fits.range(index..).flatten().all(|finer| {
                let is_rounding =
                    finer.residual <= self.rounding.max(ROUGHNESS * (finer.rounding() + of_x));
                let apart = (finer.slope - fit.slope).abs();
                is_rounding && apart <= estimate.error + finer.error(noise) + finer.kink.abs()
            });
            if is_believed && best.is_none_or(|best| estimate.error < best.estimate.error) {
                best = Some(Believed { index, fit, error, estimate });
            }
        }
        best
    }

    /// Whether another fit, by the noise that it sees itself, has a different slope.
    fn is_contested(&self, believed: &Believed) -> bool {
        let mut noise = self.rounding;
        self.fits.iter().enumerate().rev().any(|(index, fit)| {
            let Some(fit) = fit else { return false };
            let is_finer = index > believed.index;
            noise = if is_finer { noise } else { self.rounding }.max(fit.noise());
            let error = 4.0 * (fit.error(noise) + fit.kink.abs());
            // A coarser fit that sees no slope, only a function that is no polynomial at its scale, says nothing.
            let counts = is_finer || error < 0.1 * fit.steepness;
            counts && (fit.slope - believed.estimate.value).abs() > error + believed.estimate.error
        })
    }

    fn conclude(&self) -> Numeric {
        let Some(believed) = self.believed() else {
            let beside = self.pairs.back();
            let is_edge =
                beside.is_none_or(|pair| !pair.iter().all(|sample| sample.value.is_finite()));
            return Numeric::unknown(if is_edge { Finding::Edge } else { Finding::Rough });
        };
        let Believed { fit, estimate, .. } = believed;
        let finding = if fit.steepness == 0.0 {
            Finding::Flat
        } else if believed.is_known() {
            if self.is_contested(&believed) { Finding::Contested } else { Finding::Known }
        } else if believed.has_kink() {
            Finding::Kink { left: fit.slope - fit.kink, right: fit.slope + fit.kink }
        } else if estimate.error > 0.1 * fit.steepness && !fit.is_lost_in_rounding() {
            Finding::Rough
        } else {
            Finding::Imprecise
        };
        Numeric { estimate, step: fit.step, finding }
    }
}
