//! Sums over rows that are computed in single precision.

use core::ops::Range;

use super::{Path, Sum, rows_of_a_task, sum_of_tasks, tasks_of};
use crate::error::Error;
use crate::program::batch::chunks::{Pending, Purpose, RowCode};
use crate::program::batch::rows::Input;
use crate::program::code::Code;
use crate::program::machine::slots::Slots;

/// How many rows are summed in single precision at most, give or take a chunk: their sum goes to one in double precision.
const ROWS: usize = 32;

impl Path {
    /// Whether the shared part computes nothing, as that of a network: rows take the shared inputs as they are.
    pub(in crate::program::batch) fn hands_on_its_inputs(&self, shared: &[f64]) -> bool {
        let Code { inputs, runs, guards, finite, outputs, .. } = &self.shared;
        runs.is_empty()
            && guards.is_empty()
            && outputs.len() == *inputs
            && outputs.iter().zip(0..).all(|(output, input)| output.value == input)
            && finite.iter().all(|&slot| shared.get(slot as usize).is_some_and(|x| x.is_finite()))
    }

    /// [`Path::sum`] of rows that are computed in single precision, or the value alone: the adjoints are 0 then. What comes
    /// from the shared part is rounded; sums over chunks of rows are in double precision.
    pub(in crate::program::batch) fn sum_in_single(
        &self,
        crossing: &[f64],
        input: &Input<'_>,
        pending: &Pending,
        with_derivatives: bool,
    ) -> Result<Sum<f64>, Error> {
        let row = self.row_code(Purpose::Single)?;
        let rounded: Vec<f32> = crossing.iter().map(|&number| number as f32).collect();
        let tasks = tasks_of(rows_of_a_task(row.lanes, self.row.operations()), pending.len());
        Ok(sum_of_tasks(self.crossing, &tasks, |task| {
            self.single.with(&row.code, |slots| {
                row.share(slots, &rounded);
                let mut sweep = |task, how| self.sum_of_task(row, slots, input, pending, task, how);
                if !with_derivatives {
                    return sweep(task, How::ValueAlone);
                }
                let mut sum = sweep(task.clone(), How::Plainly);
                let are_finite = sum.adjoints.iter().all(|adjoint| adjoint.is_finite());
                if !sum.value.is_finite() || !are_finite {
                    sum.adjoints = sweep(task, How::ByTheRules).adjoints;
                }
                sum
            })
        }))
    }

    fn sum_of_task(
        &self,
        row: &RowCode,
        slots: &mut Slots<f32>,
        input: &Input<'_>,
        pending: &Pending,
        task: Range<usize>,
        how: How,
    ) -> Sum<f64> {
        let (mut value, mut adjoints) = (0.0, vec![0.0; self.crossing]);
        let mut rows = 0;
        let left = row.chunks(slots, input, pending, task, |slots, taken| {
            value = row.outputs_of(slots, 0, taken.len()).fold(value, |sum, y| sum + y);
            if how == How::ValueAlone {
                return;
            }
            row.propagate(slots, 0, taken.len(), how == How::ByTheRules);
            rows += taken.len();
            if rows >= ROWS {
                take(&mut slots.adjoints[..self.crossing], &mut adjoints);
                rows = 0;
            }
        });
        take(&mut slots.adjoints[..self.crossing], &mut adjoints);
        slots.clear_adjoints(self.crossing);
        Sum { value, adjoints, left }
    }
}

/// How a task's rows are swept back.
#[derive(Clone, Copy, PartialEq)]
enum How {
    ValueAlone,
    Plainly,
    ByTheRules,
}

/// Adds the adjoints to their sums, and clears them.
fn take(adjoints: &mut [f32], sums: &mut [f64]) {
    for (sum, adjoint) in sums.iter_mut().zip(adjoints) {
        *sum += f64::from(*adjoint);
        *adjoint = 0.0;
    }
}
