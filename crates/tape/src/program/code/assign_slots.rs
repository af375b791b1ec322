//! Pass: slots are given to what lives at a time, and given again when it is dead (register allocation).
//!
//! A value that the reverse sweep reads lives to the end; any other dies after its last use. An adjoint is born, in the
//! reverse sweep, with its first contribution, which comes from its last use, and dies at its own step.

use std::collections::BTreeMap;

use crate::program::code::NONE;

/// The life of a step's results: how many slots, and the last step that uses them (its own for none).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) width: u32,
    pub(crate) last_use: u32,
    /// Whether the slots stay taken to the end.
    pub(crate) is_kept: bool,
}

/// The first slot of each step's results, and the first slot beyond all.
pub(crate) fn assign_values(first: u32, lives: &[Life]) -> (Vec<u32>, u32) {
    let is_dying = |life: &Life| !life.is_kept && (life.last_use as usize) < lives.len();
    let dying = Lists::new(lives.len(), |step| {
        is_dying(&lives[step]).then_some(lives[step].last_use as usize)
    });
    let mut pool = Pool::new(first);
    let mut slots = Vec::with_capacity(lives.len());
    for (step, life) in lives.iter().enumerate() {
        // Taken before anything dies here: a step's results never lie in the slots that it reads.
        slots.push(pool.take(life.width));
        for dead in dying.of(step) {
            pool.give(slots[dead], lives[dead].width);
        }
    }
    (slots, pool.end)
}

/// The same for adjoints, from the last step to the first. [`NONE`] stands for steps without adjoints.
pub(crate) fn assign_adjoints(first: u32, lives: &[Option<Life>]) -> (Vec<u32>, u32) {
    let born = Lists::new(lives.len() + 1, |step| {
        let life = lives.get(step).copied().flatten()?;
        Some((life.last_use as usize).min(lives.len()))
    });
    let mut pool = Pool::new(first);
    let mut slots: Vec<u32> = vec![NONE; lives.len()];
    for step in (0..=lives.len()).rev() {
        for new in born.of(step) {
            slots[new] = lives[new].map_or(NONE, |life| pool.take(life.width));
        }
        if let Some(Some(life)) = lives.get(step)
            && !life.is_kept
        {
            pool.give(slots[step], life.width);
        }
    }
    (slots, pool.end)
}

/// Lists of steps, each in one of them at most: linked, the first ones first.
struct Lists {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Lists {
    fn new(count: usize, list_of: impl Fn(usize) -> Option<usize>) -> Self {
        let (mut first, mut next) = (vec![NONE; count], vec![NONE; count]);
        for step in (0..count).rev() {
            if let Some(list) = list_of(step) {
                next[step] = core::mem::replace(&mut first[list], step as u32);
            }
        }
        Self { first, next }
    }

    fn of(&self, list: usize) -> impl Iterator<Item = usize> {
        let existing = |step: u32| (step != NONE).then_some(step as usize);
        core::iter::successors(existing(self.first[list]), move |&step| existing(self.next[step]))
    }
}

/// Ranges of slots that are free, by their widths.
struct Pool {
    end: u32,
    /// Those of one slot, which are most of them.
    ones: Vec<u32>,
    wider: BTreeMap<u32, Vec<u32>>,
}

impl Pool {
    fn new(first: u32) -> Self {
        Self { end: first, ones: Vec::new(), wider: BTreeMap::new() }
    }

    /// The narrowest free range that is wide enough, or new slots.
    fn take(&mut self, width: u32) -> u32 {
        if width == 1
            && let Some(slot) = self.ones.pop()
        {
            return slot;
        }
        let found = self.wider.range_mut(width..).next().map(|(&wide, starts)| {
            let start = starts.pop();
            (wide, start, starts.is_empty())
        });
        if let Some((wide, Some(start), is_last)) = found {
            if is_last {
                self.wider.remove(&wide);
            }
            if wide > width {
                self.give(start + width, wide - width);
            }
            return start;
        }
        let start = self.end;
        self.end = self.end.saturating_add(width);
        start
    }

    fn give(&mut self, start: u32, width: u32) {
        if width == 1 {
            self.ones.push(start);
        } else {
            self.wider.entry(width).or_default().push(start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(width: u32, last_use: u32) -> Life {
        Life { width, last_use, is_kept: false }
    }

    #[test]
    fn a_chain_needs_two_values_at_a_time() {
        let chain: Vec<Life> = (0..100).map(|step| life(1, step + 1)).collect();
        assert_eq!(assign_values(0, &chain).1, 2);
        let adjoints: Vec<Option<Life>> = chain.into_iter().map(Some).collect();
        assert_eq!(assign_adjoints(0, &adjoints).1, 2);
    }

    #[test]
    fn what_lives_at_a_time_never_overlaps() {
        let lives: Vec<Life> =
            (0..60).map(|step| life(1 + step * 7 % 5, step + step * 11 % 9)).collect();
        let (slots, _) = assign_values(3, &lives);
        for (b, life_b) in lives.iter().enumerate() {
            for (a, life_a) in lives[..b].iter().enumerate() {
                let apart =
                    slots[a] + life_a.width <= slots[b] || slots[b] + life_b.width <= slots[a];
                assert!(apart || (life_a.last_use as usize) < b, "steps {a} and {b} share slots");
            }
        }
    }
}
