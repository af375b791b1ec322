//! One kernel's contest: first all engines must agree, then they take turns at being timed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::engine::Outcome;

/// What a row of the table stands for.
#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    /// The value without a gradient.
    Primal,
    /// This project's crate.
    Ours(Style),
    /// A crate to be compared with.
    Peer(Style),
    /// Replays what was recorded before the timing began, and so is not compared with those that record.
    Replay,
}

/// How an engine adds up many terms.
#[derive(Clone, Copy, PartialEq)]
pub enum Style {
    /// Term by term: every engine records the same operations.
    OneByOne,
    /// By the engine's own operations on many terms.
    Fused,
}

/// An engine, ready to run one kernel.
pub struct Contestant<'a> {
    pub name: &'static str,
    pub role: Role,
    pub run: Box<dyn FnMut() -> Outcome + 'a>,
}

/// What a kernel's contest gave.
pub struct Results {
    pub kernel: &'static str,
    pub inputs: usize,
    pub rounds: usize,
    pub entries: Vec<Entry>,
}

/// What one engine gave.
pub struct Entry {
    pub name: &'static str,
    pub role: Role,
    pub nodes: Option<usize>,
    /// Seconds per run.
    pub fastest: f64,
    /// Seconds per run.
    pub median: f64,
}

impl Results {
    /// What the engine of this name gave.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The fastest of the crates that an engine is compared with: like with like, the best that we can do with the best
    /// that they can do.
    pub fn best_peer(&self, style: Style) -> Option<&Entry> {
        let peers = self.entries.iter().filter(|entry| match entry.role {
            Role::Peer(Style::OneByOne) => true,
            Role::Peer(Style::Fused) => style == Style::Fused,
            _ => false,
        });
        peers.min_by(|a, b| a.fastest.total_cmp(&b.fastest))
    }
}

/// How long a kernel may take, per contestant, where the number of rounds is not given.
const BUDGET: Duration = Duration::from_millis(1500);
/// A turn lasts until this time has passed, and at least one run: so that a short kernel, too, meets a warm cache.
const TURN: Duration = Duration::from_millis(5);

/// Lets the contestants agree, then times them in rounds, so that a drift of the machine hits all alike.
///
/// Every engine works on one thread, and what is timed is that thread's time: what else runs on the machine is not
/// counted, though it slows all down by the cache and the memory that it takes.
///
/// # Panics
/// When two of them disagree: a wrong gradient has no speed.
pub fn hold(
    kernel: &'static str,
    mut contestants: Vec<Contestant>,
    rounds: Option<usize>,
) -> Results {
    let outcomes: Vec<Outcome> =
        contestants.iter_mut().map(|contestant| (contestant.run)()).collect();
    assert_agreement(kernel, &contestants, &outcomes);

    let mut times: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::new()).collect();
    let budget = BUDGET * u32::try_from(contestants.len()).expect("a few contestants");
    let start = Instant::now();
    let mut done = 0;
    while rounds.map_or(start.elapsed() < budget, |rounds| done < rounds.max(1)) {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            take_turn(contestant, times);
        }
        done += 1;
    }

    let inputs = outcomes.iter().map(|outcome| outcome.gradient.len()).max().unwrap_or(0);
    let entries = contestants
        .iter()
        .zip(outcomes)
        .zip(times)
        .map(|((contestant, outcome), mut times)| {
            times.sort_by(f64::total_cmp);
            Entry {
                name: contestant.name,
                role: contestant.role,
                nodes: outcome.nodes,
                fastest: times[0],
                median: times[times.len() / 2],
            }
        })
        .collect();
    Results { kernel, inputs, rounds: done, entries }
}

fn take_turn(contestant: &mut Contestant, times: &mut Vec<f64>) {
    let turn = Instant::now();
    while {
        let start = ThreadTime::now();
        black_box((contestant.run)());
        times.push(start.elapsed().as_secs_f64());
        turn.elapsed() < TURN
    } {}
}

/// The relative difference up to which two results are equal.
const TOLERANCE: f64 = 1e-9;

fn assert_agreement(kernel: &str, contestants: &[Contestant], outcomes: &[Outcome]) {
    let Some(value) = outcomes.first().map(|outcome| outcome.value) else { return };
    let gradient =
        outcomes.iter().map(|outcome| &outcome.gradient).find(|gradient| !gradient.is_empty());
    for (contestant, outcome) in contestants.iter().zip(outcomes) {
        let name = contestant.name;
        assert!(
            agree(outcome.value, value),
            "{name} at {kernel}: {} instead of {value}",
            outcome.value
        );
        let Some(expected) = gradient.filter(|_| contestant.role != Role::Primal) else { continue };
        assert_eq!(
            outcome.gradient.len(),
            expected.len(),
            "{name} at {kernel}: the gradient's length"
        );
        for (index, (&derivative, &expected)) in outcome.gradient.iter().zip(expected).enumerate() {
            assert!(
                agree(derivative, expected),
                "{name} at {kernel}: derivative {index} is {derivative} instead of {expected}"
            );
        }
    }
}

fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
