//! Progress for a person to watch: a bar or plain lines, and a clean stop on Ctrl-C and SIGTERM.

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
