//! What a batch computes of its rows: along a path, or, of a row for which the last digit of a vector function decides a
//! comparison, alone.

use crate::error::Error;
use crate::program::Program;
use crate::program::batch::chunks::{Pending, Purpose};
use crate::program::batch::path::{Path, Summed};
use crate::program::batch::rows::Input;
use crate::program::machine::tangent::{Plain, Tangent};

/// What is computed of the rows.
pub(super) trait Work {
    /// Computes the pending rows that take the path, and returns the others.
    fn along(&mut self, path: &Path, input: &Input<'_>, pending: Pending)
    -> Result<Pending, Error>;

    /// Computes one row by a program of the shared inputs and the row, which is `x`.
    fn alone(&mut self, program: &Program, row: usize, x: &[f64]) -> Result<(), Error>;
}

/// The sum of the output.
pub(super) struct Value {
    pub(super) value: f64,
    /// Whether rows are computed in single precision.
    pub(super) is_single: bool,
}

impl Work for Value {
    fn along(
        &mut self,
        path: &Path,
        input: &Input<'_>,
        pending: Pending,
    ) -> Result<Pending, Error> {
        path.after_shared(input.shared.iter().copied(), pending, |_, crossing, pending| {
            let sum = if self.is_single {
                path.sum_in_single(crossing, input, pending, false)?
            } else {
                path.value(crossing, input, pending)?
            };
            self.value += sum.value;
            Ok(sum.left)
        })
    }

    fn alone(&mut self, program: &Program, _: usize, x: &[f64]) -> Result<(), Error> {
        self.value += program.value(x)?;
        Ok(())
    }
}

/// The sum of the output, and its gradient.
pub(super) struct Gradient<'a> {
    pub(super) value: f64,
    pub(super) derivatives: &'a mut [f64],
    /// Whether rows are computed in single precision.
    pub(super) is_single: bool,
}

impl Gradient<'_> {
    fn add(&mut self, value: f64, derivatives: &[f64]) {
        self.value += value;
        self.derivatives.iter_mut().zip(derivatives).for_each(|(sum, part)| *sum += part);
    }
}

impl Work for Gradient<'_> {
    fn along(
        &mut self,
        path: &Path,
        input: &Input<'_>,
        pending: Pending,
    ) -> Result<Pending, Error> {
        if self.is_single && path.hands_on_its_inputs(input.shared) {
            let sum = path.sum_in_single(input.shared, input, &pending, true)?;
            self.add(sum.value, &sum.adjoints);
            return Ok(Pending::These(sum.left));
        }
        path.after_shared(input.shared.iter().copied(), pending, |replay, crossing, pending| {
            let sum = if self.is_single {
                path.sum_in_single(crossing, input, pending, true)?
            } else {
                path.sum(crossing, input, pending)?
            };
            self.value += sum.value;
            let seeds: Vec<(usize, f64)> = sum.adjoints.into_iter().enumerate().collect();
            replay.sweep(&seeds, |input, derivative| self.derivatives[input] += derivative);
            Ok(sum.left)
        })
    }

    fn alone(&mut self, program: &Program, _: usize, x: &[f64]) -> Result<(), Error> {
        let (value, gradient) = program.gradient(x)?;
        self.add(value, &gradient);
        Ok(())
    }
}

/// The outputs of every row, one row after the other.
pub(super) struct Each<'a>(pub(super) &'a mut [f64]);

impl Work for Each<'_> {
    fn along(
        &mut self,
        path: &Path,
        input: &Input<'_>,
        pending: Pending,
    ) -> Result<Pending, Error> {
        path.after_shared(input.shared.iter().copied(), pending, |_, crossing, pending| {
            path.map(crossing, input, pending, self.0)
        })
    }

    fn alone(&mut self, program: &Program, row: usize, x: &[f64]) -> Result<(), Error> {
        let values = program.values(x)?;
        self.0[row * values.len()..][..values.len()].copy_from_slice(&values);
        Ok(())
    }
}

/// The outputs of every row, and of each a row of derivatives: by the shared inputs, or by the row's own numbers.
pub(super) struct ByRows<'a> {
    /// [`Purpose::SharedByRow`] or [`Purpose::Row`].
    pub(super) purpose: Purpose,
    pub(super) values: &'a mut [f64],
    pub(super) derivatives: &'a mut [f64],
    /// How many there are of each output.
    pub(super) inputs: usize,
}

impl ByRows<'_> {
    /// Takes the derivatives of the output at a place.
    fn take(&mut self, place: usize, value: f64) -> &mut [f64] {
        self.values[place] = value;
        &mut self.derivatives[place * self.inputs..][..self.inputs]
    }
}

impl Work for ByRows<'_> {
    fn along(
        &mut self,
        path: &Path,
        input: &Input<'_>,
        pending: Pending,
    ) -> Result<Pending, Error> {
        let (purpose, outputs) = (self.purpose, path.outputs());
        path.after_shared(input.shared.iter().copied(), pending, |replay, crossing, pending| {
            if purpose == Purpose::Row {
                return path.by_rows(
                    purpose,
                    crossing,
                    input,
                    pending,
                    |row, output, value, by| {
                        self.take(row * outputs + output, value).copy_from_slice(by);
                    },
                );
            }
            // Of each number that crosses, the derivatives by the shared inputs that are not 0.
            let by_shared: Vec<Vec<(usize, f64)>> = (0..crossing.len())
                .map(|number| {
                    let mut by = Vec::new();
                    replay.sweep(&[(number, 1.0)], |input, derivative| {
                        if derivative != 0.0 {
                            by.push((input, derivative));
                        }
                    });
                    by
                })
                .collect();
            path.by_rows(purpose, crossing, input, pending, |row, output, value, by| {
                let to = self.take(row * outputs + output, value);
                // What is 0 stays 0, whatever it is multiplied by.
                for (derivative, by_shared) in
                    by.iter().zip(&by_shared).filter(|(by, _)| **by != 0.0)
                {
                    for &(input, by) in by_shared {
                        to[input] += derivative * by;
                    }
                }
            })
        })
    }

    fn alone(&mut self, program: &Program, row: usize, x: &[f64]) -> Result<(), Error> {
        let (values, jacobian) = program.jacobian(x)?;
        let first = if self.purpose == Purpose::Row { x.len() - self.inputs } else { 0 };
        for (output, &value) in values.iter().enumerate() {
            let by = &jacobian.row(output)[first..][..self.inputs];
            self.take(row * values.len() + output, value).copy_from_slice(by);
        }
        Ok(())
    }
}

/// The sum of the output, its gradient, and products of its Hessian with vectors: as many as numbers have directions.
pub(super) struct Products<'a, T> {
    /// Of each shared input.
    pub(super) directions: Vec<T>,
    pub(super) value: f64,
    pub(super) gradient: &'a mut [f64],
    /// Of each shared input, what the gradient changes by in the directions.
    pub(super) along: Vec<T>,
}

impl<'a, T: Tangent> Products<'a, T> {
    pub(super) fn new(directions: Vec<T>, gradient: &'a mut [f64]) -> Self {
        let along = vec![T::ZERO; directions.len()];
        Self { directions, value: 0.0, gradient, along }
    }
}

impl<T: Tangent> Work for Products<'_, T>
where
    Plain<T>: Summed,
{
    fn along(
        &mut self,
        path: &Path,
        input: &Input<'_>,
        pending: Pending,
    ) -> Result<Pending, Error> {
        let shared = input.shared.iter().zip(&self.directions);
        let shared = shared.map(|(&value, &tangent)| Plain { value, tangent });
        path.after_shared(shared, pending, |replay, crossing, pending| {
            let sum = path.sum(crossing, input, pending)?;
            self.value += sum.value;
            let seeds: Vec<(usize, Plain<T>)> = sum.adjoints.into_iter().enumerate().collect();
            replay.sweep(&seeds, |input, derivative| {
                self.gradient[input] += derivative.value;
                self.along[input] += derivative.tangent;
            });
            Ok(sum.left)
        })
    }

    fn alone(&mut self, program: &Program, _: usize, x: &[f64]) -> Result<(), Error> {
        let mut direction = vec![0.0; x.len()];
        let mut each = Vec::new();
        for of in 0..T::DIRECTIONS {
            for (to, from) in direction.iter_mut().zip(&self.directions) {
                *to = from.direction(of);
            }
            each.push(program.hessian_vector(x, &direction)?);
        }
        let Some((value, gradient, _)) = each.first() else { return Ok(()) };
        self.value += value;
        self.gradient.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += part);
        for (input, product) in self.along.iter_mut().enumerate() {
            *product += T::from_directions(|of| each[of].2[input]);
        }
        Ok(())
    }
}
