//! The records of epochs as rows of numbers, as a checkpoint keeps them.

use crate::{Record, Score};

/// Rate and loss; which of the following there are; loss and accuracy on the training rows, and on the validation rows.
const WIDTH: usize = 7;

/// The shape and the numbers, row by row.
pub(crate) fn pack(history: &[Record]) -> ([usize; 2], Vec<f64>) {
    let row = |record: &Record| {
        let scores = [record.training, record.validation];
        let accuracies = scores.map(|score| score.and_then(|score| score.accuracy));
        let is_there = [
            scores[0].is_some(),
            accuracies[0].is_some(),
            scores[1].is_some(),
            accuracies[1].is_some(),
        ];
        let flags = (0..).zip(is_there).map(|(bit, is)| u32::from(is) << bit).sum::<u32>();
        let losses = scores.map(|score| score.map_or(0.0, |score| score.loss));
        let accuracies = accuracies.map(Option::unwrap_or_default);
        let Record { rate, loss, .. } = *record;
        [rate, loss, flags.into(), losses[0], accuracies[0], losses[1], accuracies[1]]
    };
    ([history.len(), WIDTH], history.iter().flat_map(row).collect())
}

/// The records, or what is wrong with the numbers.
pub(crate) fn unpack(numbers: &[f64]) -> Result<Vec<Record>, String> {
    let (rows, []) = numbers.as_chunks::<WIDTH>() else {
        return Err(format!("the {} numbers of its history are no whole rows", numbers.len()));
    };
    (1..).zip(rows).map(|(epoch, row)| record(epoch, row)).collect()
}

fn record(epoch: usize, row: &[f64; WIDTH]) -> Result<Record, String> {
    let &[rate, loss, flags, training_loss, training_accuracy, validation_loss, accuracy] = row;
    let is_there = |bit: i32| (flags / 2.0_f64.powi(bit)) % 2.0 >= 1.0;
    if !(rate.is_finite() && loss.is_finite() && (0.0..16.0).contains(&flags)) {
        return Err(format!("the record of epoch {epoch} makes no sense"));
    }
    let score = |bit: i32, loss: f64, accuracy: f64| {
        is_there(bit).then(|| Score { loss, accuracy: is_there(bit + 1).then_some(accuracy) })
    };
    Ok(Record {
        epoch,
        rate,
        loss,
        training: score(0, training_loss, training_accuracy),
        validation: score(2, validation_loss, accuracy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_unpacked_as_they_were_packed() {
        let score = |loss, accuracy| Some(Score { loss, accuracy });
        let history: Vec<Record> = [
            (None, None),
            (score(0.5, None), None),
            (None, score(f64::INFINITY, Some(0.25))),
            (score(0.0, Some(0.0)), score(3.0, None)),
        ]
        .into_iter()
        .zip(1..)
        .map(|((training, validation), epoch)| Record {
            epoch,
            rate: 0.1 / epoch as f64,
            loss: 1.0 / epoch as f64,
            training,
            validation,
        })
        .collect();
        let (shape, numbers) = pack(&history);
        assert_eq!(shape, [4, WIDTH]);
        assert_eq!(unpack(&numbers), Ok(history));
    }

    #[test]
    fn numbers_that_are_no_records_are_refused() {
        assert!(unpack(&[0.0; WIDTH + 1]).is_err());
        assert!(unpack(&[0.1, f64::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]).is_err());
        assert!(unpack(&[0.1, 1.0, 16.0, 0.0, 0.0, 0.0, 0.0]).is_err());
    }
}
