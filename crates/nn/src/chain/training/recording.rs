//! Training with snapshots of the parameters on the way, from which a report shows how the chain learnt.

use core::ops::ControlFlow;

use crate::chain::error::Error;
use crate::chain::{Chain, Sample};
use crate::{Epoch, Parameters, Trained, Training};

/// The parameters as they were after some epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// How many epochs were done.
    pub epoch: usize,
    /// The loss over all samples.
    pub loss: f64,
    /// All weights and biases.
    pub parameters: Parameters,
    /// What they were an epoch later. `None` after the last one.
    pub next: Option<Parameters>,
}

/// What came of a training, with snapshots on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// As [`Chain::train`] returns it.
    pub trained: Trained,
    /// How it was trained.
    pub training: Training,
    /// Before the first epoch, then after epochs about a twelfth of a decade apart, after the last one, and after the
    /// one with the lowest loss; in order.
    pub snapshots: Vec<Snapshot>,
}

impl Chain {
    /// As [`Chain::train_watched`], and keeps snapshots of the parameters for a
    /// [`ChainReport`](crate::report::ChainReport).
    ///
    /// # Errors
    /// As [`Chain::train`].
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use nn::{Chain, Training};
    ///
    /// let samples = [(1.0, 2.0).into(), (3.0, 6.0).into()];
    /// let training = Training { epochs: 100, ..Training::default() };
    /// let recorded = Chain::new().train_recorded(&samples, &training, |_| ControlFlow::Continue(()))?;
    /// assert_eq!(recorded.snapshots[0].epoch, 0);
    /// assert_eq!(recorded.snapshots[0].loss, recorded.trained.history[0]);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn train_recorded(
        &mut self,
        samples: &[Sample],
        training: &Training,
        mut watch: impl FnMut(Epoch) -> ControlFlow<()>,
    ) -> Result<Recorded, Error> {
        let names = self.parameters.clone();
        let snapshot = |Epoch { number, loss }: Epoch, parameters: &[f64]| Snapshot {
            epoch: number,
            loss,
            parameters: names.with_values(parameters),
            next: None,
        };
        let mut snapshots: Vec<Snapshot> = Vec::new();
        let mut next = 0;
        let mut last = (Epoch { number: 0, loss: 0.0 }, self.flat_parameters());
        let mut lowest = Lowest::default();
        let trained = self.descend(samples, training, |epoch, parameters| {
            if let Some(snapshot) = snapshots.last_mut()
                && snapshot.epoch + 1 == epoch.number
            {
                snapshot.next = Some(names.with_values(parameters));
            }
            if epoch.number >= next {
                next = following(epoch.number);
                snapshots.push(snapshot(epoch, parameters));
            }
            lowest.offer(epoch, parameters);
            last.0 = epoch;
            last.1.copy_from_slice(parameters);
            watch(epoch)
        })?;
        if let Some(epoch) = lowest.epoch {
            let next = lowest.next.map(|next| names.with_values(&next));
            snapshots.push(Snapshot { next, ..snapshot(epoch, &lowest.parameters) });
        }
        snapshots.push(snapshot(last.0, &last.1));
        snapshots.sort_by_key(|snapshot| snapshot.epoch);
        snapshots.dedup_by_key(|snapshot| snapshot.epoch);
        Ok(Recorded { trained, training: *training, snapshots })
    }
}

/// The lowest loss so far: no snapshot may be taken there. Of equal ones the first, as a training keeps it.
#[derive(Default)]
struct Lowest {
    epoch: Option<Epoch>,
    parameters: Vec<f64>,
    next: Option<Vec<f64>>,
}

impl Lowest {
    fn offer(&mut self, epoch: Epoch, parameters: &[f64]) {
        if self.epoch.is_none_or(|lowest| epoch.loss < lowest.loss) {
            self.epoch = Some(epoch);
            parameters.clone_into(&mut self.parameters);
            self.next = None;
        } else if self.next.is_none() {
            self.next = Some(parameters.to_vec());
        }
    }
}

/// The epoch of the next snapshot: 0, 1, 2, … and from about 10 on by a factor of the twelfth root of ten.
fn following(epoch: usize) -> usize {
    let factor = 10_f64.powf(1.0 / 12.0);
    let scaled = (epoch as f64 * factor).round();
    // The cast saturates, and an epoch so late is never reached.
    #[allow(clippy::cast_sign_loss)]
    let scaled = scaled as usize;
    scaled.max(epoch.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::following;

    #[test]
    fn snapshots_are_dense_at_first_and_about_fifty_in_twenty_thousand_epochs() {
        let epochs: Vec<usize> = core::iter::successors(Some(0), |&epoch| Some(following(epoch)))
            .take_while(|&epoch| epoch <= 20_000)
            .collect();
        assert_eq!(epochs[..6], [0, 1, 2, 3, 4, 5]);
        assert!((40..60).contains(&epochs.len()), "{epochs:?}");
    }
}
