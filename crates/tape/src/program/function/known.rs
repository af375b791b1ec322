//! The programs of the paths that points have taken, and the search for the one that a point takes.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::error::Error;
use crate::program::Program;
use crate::program::function::recent::{AtHand, Attempt, Compute, Divergence, Recent};
use crate::program::machine::Replay;

/// The programs of the paths that points have taken.
pub(crate) struct Known {
    limit: usize,
    /// Those used last come first, but for the order among those that are at hand.
    paths: Mutex<Vec<Arc<Program>>>,
    /// The ones used last. Nobody waits for these while they are replayed.
    recent: Mutex<Recent>,
    traced: AtomicU64,
    /// Not counting what is counted in `recent`.
    replayed: AtomicU64,
}

impl Default for Known {
    fn default() -> Self {
        const LIMIT: usize = 64;
        let (traced, replayed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { limit: LIMIT, paths: Mutex::default(), recent: Mutex::default(), traced, replayed }
    }
}

impl Known {
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.rearranged(|paths| paths.truncate(limit));
    }

    pub(super) fn traced(&self) -> u64 {
        self.traced.load(Ordering::Relaxed)
    }

    pub(super) fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed) + lock(&self.recent).replayed()
    }

    /// The list holds nothing that a panic could leave half done.
    pub(crate) fn paths(&self) -> MutexGuard<'_, Vec<Arc<Program>>> {
        lock(&self.paths)
    }

    /// Computes with the program whose path `x` takes, a new one if need be, and its values there.
    #[track_caller]
    pub(crate) fn at<T>(
        &self,
        x: &[f64],
        trace: impl FnOnce() -> Result<Program, Error>,
        mut compute: impl FnMut(&Arc<Program>, &mut Replay<'_, f64>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(result) = self.known_at(x, &mut compute) {
            return result;
        }
        self.traced.fetch_add(1, Ordering::Relaxed);
        let mut traced = AtHand::new(Arc::new(trace()?));
        self.replayed.fetch_add(1, Ordering::Relaxed);
        match traced.replay(x, &mut compute) {
            Attempt::Fits(result) => {
                self.keep(traced, x);
                result
            }
            Attempt::Leaves(_) => Err(Error::Unsteady { row: None }),
        }
    }

    /// Computes with the known program whose path `x` takes, if there is one.
    pub(crate) fn known_at<T>(
        &self,
        x: &[f64],
        compute: &mut Compute<'_, T>,
    ) -> Option<Result<T, Error>> {
        let mut recent = match self.recent.try_lock() {
            Ok(recent) => recent,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let mut recent = Recent::default();
                let result = self.known_among(&mut recent, x, compute);
                self.replayed.fetch_add(recent.replayed(), Ordering::Relaxed);
                recent.put_down();
                return result;
            }
        };
        self.known_among(&mut recent, x, compute)
    }

    fn known_among<T>(
        &self,
        recent: &mut Recent,
        x: &[f64],
        compute: &mut Compute<'_, T>,
    ) -> Option<Result<T, Error>> {
        let guess = recent.guess(x);
        let guess = guess.or_else(|| Some(recent.put(AtHand::new(self.first(x.len())?))))?;
        match recent.replay(guess, x, compute) {
            Attempt::Fits(result) => Some(result),
            Attempt::Leaves(divergence) => {
                let leaves = Leaves { path: Arc::clone(recent.path(guess)), common: 0, divergence };
                self.search(x, recent, leaves, compute)
            }
        }
    }

    /// Computes with another known path, given where `x` leaves the first: with one at hand, if it can be.
    fn search<T>(
        &self,
        x: &[f64],
        recent: &mut Recent,
        mut leaves: Leaves,
        compute: &mut Compute<'_, T>,
    ) -> Option<Result<T, Error>> {
        let mut places = recent.places(x.len());
        loop {
            places.retain(|&mut place| leaves.may_take(recent.path(place)));
            let Some(&next) = places.first() else { break };
            match recent.replay(next, x, compute) {
                Attempt::Fits(result) => return Some(result),
                Attempt::Leaves(later) => leaves.leave(Arc::clone(recent.path(next)), later),
            }
        }
        let mut candidates: Vec<Arc<Program>> = self.paths().clone();
        candidates.retain(|path| path.inputs() == x.len() && !recent.has(path));
        // None of these has been compared with those above.
        leaves.common = 0;
        loop {
            candidates.retain(|path| leaves.may_take(path));
            let mut next = AtHand::new(Arc::clone(candidates.first()?));
            self.replayed.fetch_add(1, Ordering::Relaxed);
            match next.replay(x, compute) {
                Attempt::Fits(result) => {
                    let place = recent.put(next);
                    recent.note(place, x);
                    return Some(result);
                }
                Attempt::Leaves(later) => leaves.leave(next.put_down(), later),
            }
        }
    }

    /// The path for this many inputs that was used last.
    fn first(&self, inputs: usize) -> Option<Arc<Program>> {
        self.paths().iter().find(|path| path.inputs() == inputs).cloned()
    }

    /// Takes a new path up. Where another thread has traced the same one meanwhile, that is dropped.
    fn keep(&self, new: AtHand, x: &[f64]) {
        let path = new.path();
        self.rearranged(|paths| {
            paths.retain(|other| other.graph != path.graph);
            paths.insert(0, Arc::clone(&path));
            paths.truncate(self.limit);
        });
        if self.limit > 0 {
            let mut recent = lock(&self.recent);
            let place = recent.put(new);
            recent.note(place, x);
        }
    }

    /// Changes the paths, which stand in the order of their last use. Those that are dropped are not at hand any more.
    fn rearranged(&self, change: impl FnOnce(&mut Vec<Arc<Program>>)) {
        let mut recent = lock(&self.recent);
        let mut paths = self.paths();
        for used in recent.in_order_of_use() {
            if let Some(position) = paths.iter().position(|path| Arc::ptr_eq(path, &used)) {
                paths[..=position].rotate_right(1);
            }
        }
        change(&mut paths);
        recent.retain(|path| paths.iter().any(|other| Arc::ptr_eq(other, path)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path, and where a point leaves it.
struct Leaves {
    path: Arc<Program>,
    /// The guards before this one are known to be those of the paths that are left.
    common: usize,
    divergence: Divergence,
}

impl Leaves {
    /// The point leaves another path, which is like this one up to where it left this one.
    fn leave(&mut self, path: Arc<Program>, divergence: Divergence) {
        // A function asks the same questions up to where two paths part, so that this guard is a later one; but what is asked
        // twice is checked once, and that may differ.
        self.common = self.divergence.guard.min(divergence.guard);
        self.divergence = divergence;
        self.path = path;
    }

    /// Whether a path is this one up to where the point leaves it, and goes on as the point does.
    fn may_take(&self, path: &Program) -> bool {
        let Divergence { guard, compared } = self.divergence;
        let (own, others) = (&path.code.guards, &self.path.code.guards);
        let is_like = |at: usize| own[at].comparison == others[at].comparison;
        if own.len() <= guard || !is_like(guard) {
            return false;
        }
        let is_same = |own: Option<f64>, other: Option<f64>| match (own, other) {
            // −0 and 0 compare alike.
            (Some(own), Some(other)) => own == other || own.is_nan() && other.is_nan(),
            (own, other) => own.is_some() == other.is_some(),
        };
        let agrees = |at: usize| {
            let [a, b] = path.compared_constants(at);
            let [other_a, other_b] = self.path.compared_constants(at);
            is_like(at)
                && own[at].outcome == others[at].outcome
                && is_same(a, other_a)
                && is_same(b, other_b)
        };
        // An integer part is compared with the one that it had, another constant on each path.
        let [a, b] = path.compared_constants(guard);
        own[guard].holds(a.unwrap_or(compared[0]), b.unwrap_or(compared[1]))
            && (self.common..guard).all(agrees)
    }
}

impl Program {
    /// The operands of a guard that are constants.
    fn compared_constants(&self, guard: usize) -> [Option<f64>; 2] {
        self.code.guards[guard].operands.map(|slot| {
            let constant = (slot as usize).checked_sub(self.code.inputs)?;
            self.code.constants.get(constant).copied()
        })
    }
}
