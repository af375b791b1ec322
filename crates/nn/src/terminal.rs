//! Progress for a person to watch: bars or plain lines, and a clean stop on Ctrl-C and SIGTERM.

use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::{Event, Record};

/// Shows where a training stands, on the error output: on a terminal a bar with loss and rate, otherwise a plain line for
/// some of the epochs.
///
/// ```
/// use nn::terminal::{Interrupt, Progress};
/// use nn::{Dense, Loss, Network, Samples, Settings, Trainer};
/// use tape::Matrix;
///
/// let x = Matrix { rows: 2, columns: 1, data: vec![1.0, 2.0] };
/// let samples = Samples { inputs: &x, targets: &x };
/// let network = Network::builder(1).layer(Dense::linear(1)).build()?;
/// let mut trainer = Trainer::new(network, Loss::MeanSquared, Settings::default())?;
///
/// let (progress, interrupt) = (Progress::new(trainer.settings().epochs), Interrupt::listen()?);
/// trainer.train_watched(samples, None, |event| {
///     progress.show(&event);
///     interrupt.flow()
/// })?;
/// progress.finish();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
}

impl Progress {
    /// For a training of at most this many epochs.
    pub fn new(epochs: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::stderr());
        let template = "{wide_bar} epoch {pos} of {len}, {msg}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, epochs }
    }

    /// Takes note of an event.
    pub fn show(&self, event: &Event) {
        if let Event::NotSaved { epoch, reason } = event {
            let line = format!("cannot save after epoch {epoch}: {reason}; goes on");
            if self.bar.is_hidden() { eprintln!("{line}") } else { self.bar.println(line) }
        }
        let Event::Epoch(record) = event else { return };
        let line = describe(record);
        if self.bar.is_hidden() {
            if is_shown(record.epoch, self.epochs) {
                eprintln!("epoch {} of {}: {line}", record.epoch, self.epochs);
            }
        } else {
            self.bar.set_message(line);
            self.bar.set_position(record.epoch as u64);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows which of several trainings is under way: on a terminal a bar on the error output, elsewhere nothing.
///
/// ```
/// use nn::terminal::Trials;
///
/// let mut trials = Trials::new(3);
/// for number in 1..=3 {
///     trials.begin(format!("trial {number} of 3"), 200);
///     // trainer.train_watched(…, |event| { trials.show(&event); … })
/// }
/// trials.finish();
/// ```
#[derive(Debug)]
pub struct Trials {
    bar: ProgressBar,
    /// What is under way.
    name: String,
    epochs: usize,
    begun: u64,
}

impl Trials {
    /// How much of the bar is one training's.
    const PARTS: u64 = 1_000;

    /// For so many trainings, one after the other.
    pub fn new(count: usize) -> Self {
        Self::on(ProgressDrawTarget::stderr(), count)
    }

    fn on(target: ProgressDrawTarget, count: usize) -> Self {
        let length = (count as u64).saturating_mul(Self::PARTS);
        let bar = ProgressBar::with_draw_target(Some(length), target);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, name: String::new(), epochs: 0, begun: 0 }
    }

    /// The next training begins, of at most this many epochs.
    pub fn begin(&mut self, name: impl Into<String>, epochs: usize) {
        (self.name, self.epochs) = (name.into(), epochs);
        self.begun += 1;
        self.show_epoch(0);
    }

    /// Takes note of an event of the training that has begun.
    pub fn show(&self, event: &Event) {
        if let Event::Epoch(record) = event {
            self.show_epoch(record.epoch);
        }
    }

    fn show_epoch(&self, epoch: usize) {
        if self.bar.is_hidden() {
            return;
        }
        let part = Self::PARTS * epoch as u64 / self.epochs.max(1) as u64;
        self.bar.set_message(format!("{}, epoch {epoch} of {}", self.name, self.epochs));
        self.bar.set_position(self.begun.saturating_sub(1) * Self::PARTS + part);
    }

    /// Takes the bar away for something that prints.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `loss 0.123, rate 0.001, validation loss 0.2, accuracy 95.10 %`.
fn describe(record: &Record) -> String {
    let line = format!("loss {:.5}, rate {:.3e}", record.loss, record.rate);
    let Some(score) = record.validation else { return line };
    let line = format!("{line}, validation loss {:.5}", score.loss);
    match score.accuracy {
        Some(accuracy) => format!("{line}, accuracy {:.2} %", 100.0 * accuracy),
        None => line,
    }
}

/// Whether an epoch gets a line where not all do: 1, 2, 5, 10, 20, 50, …, every tenth part of the whole, and the last.
pub fn is_shown(epoch: usize, epochs: usize) -> bool {
    let round = [1, 2, 5].iter().any(|&digit| {
        let powers = (0..).map_while(|power| 10_usize.checked_pow(power)?.checked_mul(digit));
        powers.take_while(|&number| number <= epoch).any(|number| number == epoch)
    });
    round || epoch == epochs || epoch.is_multiple_of((epochs / 10).max(1))
}

/// The exit code of a program that was asked to stop, as shells have it for Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Ctrl-C or SIGTERM as a request to stop, which a training's callback can pass on. A second one ends the process at
/// once.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from here on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Self> {
        let wished = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: it looks whether there was one before, and then notes that there is one.
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&wished))?;
            flag::register(signal, Arc::clone(&wished))?;
        }
        Ok(Self(wished))
    }

    /// Whether there has been a request to stop.
    pub fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What a callback should return.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.is_wished() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::Trials;
    use crate::{Event, Record};

    /// A terminal of one line.
    #[derive(Clone, Debug, Default)]
    struct Line(Arc<Mutex<String>>);

    impl Line {
        fn text(&self) -> String {
            self.0.lock().unwrap().trim().to_owned()
        }
    }

    impl TermLike for Line {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn epoch(epoch: usize) -> Event {
        Event::Epoch(Record { epoch, loss: 1.0, rate: 0.1, training: None, validation: None })
    }

    #[test]
    fn a_terminal_shows_which_training_is_under_way_and_how_far_it_is() {
        let line = Line::default();
        let shows = |expected: &str| {
            let text = line.text();
            assert!(text.contains(expected), "{text:?} has no {expected:?}");
        };
        let target = ProgressDrawTarget::term_like(Box::new(line.clone()));
        let mut trials = Trials::on(target, 2);
        trials.begin("trial 1 of 2", 40);
        shows("trial 1 of 2, epoch 0 of 40, ");
        trials.show(&epoch(20));
        shows("trial 1 of 2, epoch 20 of 40, ");
        assert_eq!(trials.bar.position() * 4, trials.bar.length().unwrap());
        trials.begin("trial 2 of 2", 30);
        shows("trial 2 of 2, epoch 0 of 30, ");
        assert_eq!(trials.bar.position() * 2, trials.bar.length().unwrap());
        assert_eq!(trials.aside(|| line.text()), "");
        shows("trial 2 of 2, epoch 0 of 30, ");
        trials.show(&epoch(30));
        assert_eq!(Some(trials.bar.position()), trials.bar.length());
        trials.finish();
        assert_eq!(line.text(), "");
    }

    #[test]
    fn trainings_that_end_in_an_error_leave_no_bar() {
        let line = Line::default();
        let mut trials = Trials::on(ProgressDrawTarget::term_like(Box::new(line.clone())), 2);
        trials.begin("trial 1 of 2", 40);
        assert_ne!(line.text(), "");
        drop(trials);
        assert_eq!(line.text(), "");
    }
}
