//! Engines take turns at one case: first they must agree, then they are timed.

use std::hint::black_box;

use cpu_time::ThreadTime;

/// What has entered a case, each by its label.
pub struct Turns<'a, L> {
    case: &'a str,
    /// The value and the gradient.
    expected: (f64, Vec<f64>),
    entries: Vec<(L, Box<dyn FnMut() + 'a>)>,
}

/// How long a turn lasts, in seconds: many calls where one is short, so that the clock costs nothing.
const TURN: f64 = 1e-3;
/// An entry of which one call takes longer than this, in seconds, has one turn.
const LONG: f64 = 0.05;

impl<'a, L> Turns<'a, L> {
    pub fn new(case: &'a str, expected: (f64, Vec<f64>)) -> Self {
        Self { case, expected, entries: Vec::new() }
    }

    pub fn enter(&mut self, label: L, run: impl FnMut() + 'a) {
        self.entries.push((label, Box::new(run)));
    }

    /// Enters what gives the value and the gradient.
    ///
    /// # Panics
    /// When they are not the expected ones.
    pub fn enter_gradient(&mut self, label: L, mut run: impl FnMut() -> (f64, Vec<f64>) + 'a) {
        self.check(&run());
        self.enter(label, move || drop(black_box(run())));
    }

    /// # Panics
    /// When the value is not the expected one.
    pub fn check_value(&self, value: f64) {
        let expected = self.expected.0;
        assert!(agree(value, expected, expected), "{}: {value}, not {expected}", self.case);
    }

    /// # Panics
    /// When value and gradient are not the expected ones: a wrong gradient has no speed.
    pub fn check(&self, (value, gradient): &(f64, Vec<f64>)) {
        self.check_value(*value);
        let expected = &self.expected.1;
        assert_eq!(gradient.len(), expected.len(), "{}", self.case);
        let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for (index, (&a, &b)) in gradient.iter().zip(expected).enumerate() {
            assert!(agree(a, b, largest), "{}: derivative {index} is {a}, not {b}", self.case);
        }
    }

    /// The nanoseconds of a call of each entry: the least of all turns. In each round every entry has a turn, so that a drift of
    /// the machine hits all alike.
    pub fn hold(self, rounds: usize) -> Vec<(L, f64)> {
        let mut entries: Vec<_> = self
            .entries
            .into_iter()
            .map(|(label, mut run)| {
                let least = turn(&mut run, 1);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "some calls"
                )]
                let calls = (TURN / least).ceil().max(1.0) as usize;
                (label, run, calls, least)
            })
            .collect();
        for _ in 0..rounds {
            for (_, run, calls, least) in &mut entries {
                if *least < LONG {
                    *least = least.min(turn(run, *calls));
                }
            }
        }
        entries.into_iter().map(|(label, _, _, least)| (label, least * 1e9)).collect()
    }
}

/// Seconds of a call, of one turn. Where a call lasts longer than a turn, the first of three meets the caches that the entry
/// before has left.
fn turn(run: &mut impl FnMut(), calls: usize) -> f64 {
    if calls > 1 {
        return time(run, calls);
    }
    (0..3).map(|_| time(run, 1)).fold(f64::INFINITY, f64::min)
}

/// Seconds of a call. It is the thread's time: what else runs on the machine is not counted.
fn time(run: &mut impl FnMut(), calls: usize) -> f64 {
    let start = ThreadTime::now();
    (0..calls).for_each(|_| run());
    start.elapsed().as_secs_f64() / calls as f64
}

/// Whether two numbers are equal up to rounding, beside one of this size.
fn agree(a: f64, b: f64, size: f64) -> bool {
    (a - b).abs() <= 1e-9 * size.abs()
}
