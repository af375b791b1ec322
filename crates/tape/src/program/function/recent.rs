//! The paths that points took last, each with all that a replay takes: a call that takes one of them once more has nothing to
//! look for, and nothing to count together with other threads.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::Error;
use crate::program::Program;
use crate::program::function::points::Points;
use crate::program::machine::slots::Slots;
use crate::program::machine::{Broken, Replay};

/// So many paths are at hand.
pub(super) const PATHS: usize = 8;

/// The paths that were used last.
#[derive(Default)]
pub(super) struct Recent {
    paths: SmallVec<[AtHand; 1]>,
    points: Points,
    replayed: u64,
}

/// A path with slots for its replays.
pub(super) struct AtHand {
    path: Arc<Program>,
    /// Missing until they are needed, and after a panic.
    slots: Option<Slots<f64>>,
    /// By the number of replays up to then.
    used: u64,
}

/// Computes with a program and its values at a point.
pub(super) type Compute<'a, T> =
    dyn FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error> + 'a;

pub(super) enum Attempt<T> {
    Fits(Result<T, Error>),
    Leaves(Divergence),
}

/// Where a point leaves a path: the first guard that does not hold, and what it compares.
#[derive(Clone, Copy)]
pub(super) struct Divergence {
    pub(super) guard: usize,
    pub(super) compared: [f64; 2],
}

impl Recent {
    /// The place of the path that a point seems to take: that of the point nearest to it among the last ones, or else that of the
    /// call before.
    #[inline]
    pub(super) fn guess(&self, x: &[f64]) -> Option<usize> {
        let is_for = |place: &usize| self.paths[*place].path.inputs() == x.len();
        if self.paths.len() > 1 {
            let nearest = self.points.nearest(x).filter(is_for);
            return nearest.or_else(|| self.places(x.len()).first().copied());
        }
        (!self.paths.is_empty()).then_some(0).filter(is_for)
    }

    /// Replays a path, and computes where `x` takes it.
    pub(super) fn replay<T>(
        &mut self,
        place: usize,
        x: &[f64],
        compute: &mut Compute<'_, T>,
    ) -> Attempt<T> {
        self.replayed += 1;
        let attempt = self.paths[place].replay(x, compute);
        if let Attempt::Fits(_) = attempt {
            self.note(place, x);
        }
        attempt
    }

    /// Remembers that a point takes the path in a place.
    pub(super) fn note(&mut self, place: usize, x: &[f64]) {
        self.paths[place].used = self.replayed;
        if self.paths.len() > 1 {
            self.points.push(place, x);
        }
    }

    /// The places of the paths for so many inputs, those used last first.
    pub(super) fn places(&self, inputs: usize) -> SmallVec<[usize; PATHS]> {
        let mut places: SmallVec<[usize; PATHS]> = (0..self.paths.len()).collect();
        places.retain(|place| self.paths[*place].path.inputs() == inputs);
        places.sort_unstable_by_key(|&place| core::cmp::Reverse(self.paths[place].used));
        places
    }

    /// Puts a path to those at hand, in the place of the one that was not used for longest where there are too many.
    pub(super) fn put(&mut self, path: AtHand) -> usize {
        let path = AtHand { used: self.replayed, ..path };
        if self.paths.len() < PATHS {
            self.paths.push(path);
            return self.paths.len() - 1;
        }
        let place = (0..PATHS).min_by_key(|&place| self.paths[place].used).unwrap_or(0);
        self.points.forget(place);
        core::mem::replace(&mut self.paths[place], path).put_down();
        place
    }

    pub(super) fn path(&self, place: usize) -> &Arc<Program> {
        &self.paths[place].path
    }

    pub(super) fn has(&self, path: &Arc<Program>) -> bool {
        self.paths.iter().any(|other| Arc::ptr_eq(&other.path, path))
    }

    pub(super) fn replayed(&self) -> u64 {
        self.replayed
    }

    /// The paths, the one used last at the end.
    pub(super) fn in_order_of_use(&self) -> Vec<Arc<Program>> {
        let mut paths: Vec<&AtHand> = self.paths.iter().collect();
        paths.sort_unstable_by_key(|path| path.used);
        paths.into_iter().map(AtHand::path).collect()
    }

    /// Puts down the paths that are not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Arc<Program>) -> bool) {
        if self.paths.iter().all(|path| is_kept(&path.path)) {
            return;
        }
        self.points = Points::default();
        for path in core::mem::take(&mut self.paths) {
            if is_kept(&path.path) {
                self.paths.push(path);
            } else {
                path.put_down();
            }
        }
    }

    /// Gives the slots back to the paths.
    pub(super) fn put_down(self) {
        for path in self.paths {
            path.put_down();
        }
    }
}

impl AtHand {
    pub(super) fn new(path: Arc<Program>) -> Self {
        Self { path, slots: None, used: 0 }
    }

    pub(super) fn path(&self) -> Arc<Program> {
        Arc::clone(&self.path)
    }

    /// Replays the path, and computes where `x` takes it.
    pub(super) fn replay<T>(&mut self, x: &[f64], compute: &mut Compute<'_, T>) -> Attempt<T> {
        let Self { path, slots, .. } = self;
        let mut taken = slots.take().unwrap_or_else(|| path.slots.take(&path.code));
        let attempt = replay_at(path, &mut taken, x, compute);
        *slots = Some(taken);
        attempt.unwrap_or_else(|| Self::new(Arc::clone(path.exact())).replay(x, compute))
    }

    /// The path, whose slots go back to it.
    pub(super) fn put_down(self) -> Arc<Program> {
        if let Some(slots) = self.slots {
            self.path.slots.give(slots);
        }
        self.path
    }
}

/// Replays a path, and computes where `x` takes it. [`None`] where it has to be replayed by its exact form.
fn replay_at<T>(
    path: &Arc<Program>,
    slots: &mut Slots<f64>,
    x: &[f64],
    compute: &mut Compute<'_, T>,
) -> Option<Attempt<T>> {
    let mut replay = Replay::new(&path.code, slots);
    replay.at(x.iter().copied());
    match replay.broken() {
        None => Some(Attempt::Fits(compute(path, &mut replay))),
        Some(Broken::Guard(guard, compared)) => {
            Some(Attempt::Leaves(Divergence { guard, compared }))
        }
        Some(Broken::NotFinite) => None,
    }
}
