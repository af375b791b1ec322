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
/// Up to this part of the largest number around, what a function does may be neglected by the way it is computed.
const NEGLECTED: f64 = 1024.0 * f64::EPSILON;
/// The finest step at 0, where floating-point numbers have no spacing to speak of.
const FINEST_AT_ZERO: f64 = 1e-100;

/// What sampling a function around x says about its derivative there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric {
    /// NaN ± ∞ when nothing is known.
    pub(super) estimate: Estimate,
    /// The largest offset from x on which the estimate is based.
    pub(super) step: f64,
    /// Whether the value is the same at x and everywhere up to the first step.
    pub(super) is_flat: bool,
    pub(super) finding: Finding,
}

/// What is known of a function beside its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knowledge {
    /// Its values may be off by this much, if more than the samples show.
    pub(super) rounding: f64,
    /// It may add x to numbers of this size.
    pub(super) scale: f64,
    /// Its derivative is said not to be 0. If it does not change, it is sampled further out: a change may be hidden in
    /// the rounding of numbers that only the function sees.
    pub(super) is_steep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    /// The error is within [`PRECISION`], or [`NEAR_ZERO`].
    Known,
    /// As known, but other steps show a different slope: they see something that the believed ones do not.
    Contested,
    /// The value does not change at all, and would if it had a slope beyond the error.
    Flat,
    /// The value does not change close to x, but steps a little wider show a change as small as rounding: what is left
    /// of a slope may have been rounded away.
    Saturated,
    /// The slopes left and right of x differ.
    Kink { left: f64, right: f64 },
    /// There is a slope, but with too large an error.
    Imprecise,
    /// As imprecise, and other steps show a different slope.
    Confused,
    /// With no step does the function look smooth.
    Rough,
    /// The value is finite at x, but not beside it.
    Edge,
    /// The value is not finite at x.
    Undefined,
}

/// Samples `f` around `x`.
pub(super) fn study(f: impl FnMut(f64) -> f64, x: f64, known: Knowledge) -> Numeric {
    let mut study = Study {
        f,
        x,
        centre: f64::NAN,
        known,
        is_flat_inside: false,
        pairs: VecDeque::new(),
        fits: VecDeque::new(),
    };
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
        let estimate = Estimate { value: f64::NAN, error: f64::INFINITY };
        Self { estimate, step: 0.0, is_flat: false, finding }
    }
}

struct Study<F> {
    f: F,
    x: f64,
    centre: f64,
    known: Knowledge,
    is_flat_inside: bool,
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

        self.is_flat_inside = self.is_flat();
        if self.pairs.is_empty() {
            return;
        }
        let mut step = first;
        for _ in 0..WIDER_STEPS {
            step /= RATIO;
            let done = self.believed().is_some_and(|believed| {
                if believed.fit.steepness == 0.0 {
                    !self.known.is_steep
                } else {
                    believed.is_known() || believed.has_kink()
                }
            });
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
        let mut noise = self.known.rounding;
        let mut best: Option<Believed> = None;
        for (index, fit) in self.fits.iter().enumerate().rev() {
            let Some(fit) = *fit else { break };
            noise = noise.max(fit.noise());
            let error = fit.error(noise);
            let estimate = Estimate { value: fit.slope, error: error + fit.kink.abs() };
            // x itself may have been rounded on the way through the function.
            let of_x = f64::EPSILON * (fit.slope * self.x).abs();
            let is_believed = self.fits.range(index..).flatten().all(|finer| {
                let is_rounding = finer.residual
                    <= self.known.rounding.max(ROUGHNESS * (finer.rounding() + of_x));
                let apart = (finer.slope - fit.slope).abs();
                is_rounding && apart <= estimate.error + finer.error(noise) + finer.kink.abs()
            });
            if is_believed && best.is_none_or(|best| estimate.error < best.estimate.error) {
                best = Some(Believed { index, fit, error, estimate });
            }
        }
        best
    }

    /// The fits that, by the noise that they see themselves, have a slope other than the believed one; each with its
    /// error.
    fn contesting(&self, believed: &Believed) -> Vec<(Fit, f64)> {
        let mut noise = self.known.rounding;
        let mut contesting = Vec::new();
        for (index, fit) in self.fits.iter().enumerate().rev() {
            let Some(fit) = *fit else { continue };
            let is_finer = index > believed.index;
            noise = if is_finer { noise } else { self.known.rounding }.max(fit.noise());
            let error = 4.0 * (fit.error(noise) + fit.kink.abs());
            // A coarser fit that sees no slope, only a function that is no polynomial at its scale, says nothing.
            let counts = is_finer || error < 0.1 * fit.steepness;
            if counts
                && (fit.slope - believed.estimate.value).abs() > error + believed.estimate.error
            {
                contesting.push((fit, error));
            }
        }
        contesting
    }

    /// The fit that contests the believed one best, if that one's part of the function is so small that a computation
    /// with numbers of the size around may have neglected what happens there.
    ///
    /// An iteration that stops at ε, or a turn that counts as none, makes a function flat (or straight) close to x,
    /// which says nothing about the slope that was meant.
    fn beyond_what_is_neglected(
        &self,
        believed: &Believed,
        contesting: &[(Fit, f64)],
    ) -> Option<Believed> {
        let coarser = contesting.iter().filter(|(fit, _)| fit.step > believed.fit.step);
        let &(fit, error) = coarser.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let apart = (fit.slope - believed.fit.slope).abs();
        let rounding = self.known.rounding + ROUGHNESS * f64::EPSILON * self.centre.abs();
        let follows_believed = |sample: &Sample| {
            let straight = self.centre + believed.fit.slope * sample.offset;
            (sample.value - straight).abs() <= 0.1 * apart * sample.offset.abs() + rounding
        };
        // On one side at least: a jump beside x takes the other one away from both.
        let follow = |pair: &&[Sample; 2]| pair.iter().any(follows_believed);
        let reach = self.pairs.iter().rev().take_while(follow).last()?[1].offset;
        let largest = self.centre.abs().max(fit.slope.abs() * self.known.scale);
        (apart * reach <= NEGLECTED * largest).then_some(Believed {
            fit,
            error,
            estimate: Estimate { value: fit.slope, error },
            ..*believed
        })
    }

    /// Whether a function that is flat close to x does change a little further out, by no more than what may be rounding
    /// or neglect.
    fn is_saturated(&self) -> bool {
        let change = |pair: &[Sample; 2]| {
            pair.iter().fold(0.0, |most: f64, it| most.max((it.value - self.centre).abs()))
        };
        let Some(nearest) = self.pairs.iter().rev().find(|&pair| change(pair) > 0.0) else {
            return false;
        };
        let is_rounding = change(nearest) <= ROUGHNESS * f64::EPSILON * self.centre.abs();
        let is_neglect = self.x == 0.0 && nearest[1].offset <= NEGLECTED * self.known.scale;
        is_rounding || is_neglect
    }

    /// Whether a function that is flat close to x would change visibly if it had a slope that matters.
    fn shows_any_slope(&self, believed: &Believed) -> bool {
        let slopes = self.fits.iter().flatten().map(|fit| fit.steepness);
        let fit = &believed.fit;
        let steepest = slopes.fold(fit.magnitude / fit.step, f64::max);
        believed.estimate.error <= NEAR_ZERO * steepest
            || believed.estimate.error < f64::MIN_POSITIVE
    }

    fn conclude(&self) -> Numeric {
        let Some(mut believed) = self.believed() else {
            let beside = self.pairs.back();
            let is_edge =
                beside.is_none_or(|pair| !pair.iter().all(|sample| sample.value.is_finite()));
            return Numeric::unknown(if is_edge { Finding::Edge } else { Finding::Rough });
        };
        let mut contesting = self.contesting(&believed);
        if let Some(beyond) = self.beyond_what_is_neglected(&believed, &contesting) {
            believed = beyond;
            contesting.clear();
        }
        let Believed { fit, estimate, .. } = believed;
        let finding = if fit.steepness == 0.0 {
            if !contesting.is_empty() {
                Finding::Contested
            } else if self.is_saturated() || !self.shows_any_slope(&believed) {
                Finding::Saturated
            } else {
                Finding::Flat
            }
        } else if believed.is_known() {
            if contesting.is_empty() { Finding::Known } else { Finding::Contested }
        } else if believed.has_kink() {
            Finding::Kink { left: fit.slope - fit.kink, right: fit.slope + fit.kink }
        } else if estimate.error > 0.1 * fit.steepness && !fit.is_lost_in_rounding() {
            Finding::Rough
        } else if contesting.is_empty() {
            Finding::Imprecise
        } else {
            Finding::Confused
        };
        Numeric { estimate, step: fit.step, is_flat: self.is_flat_inside, finding }
    }
}
