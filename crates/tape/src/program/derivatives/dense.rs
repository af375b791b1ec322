//! Dense derivatives: Jacobian, Hessian, and the Hessian's product with a vector.
//!
//! A dense matrix is a sparse one of which every column, or row, is a direction by itself: see
//! [`directions`](super::directions).

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::program::derivatives::directions::{Each, FEW, ONE_OUTPUT, Of};
use crate::program::machine::element::Element;
use crate::program::machine::slots::Slots;
use crate::program::machine::tangent::Plain;
use crate::program::machine::{Broken, Replay};
use crate::program::{Program, Workspace};

impl Program {
    /// The outputs at `x`, and their Jacobian: a row for each output, a column for each input.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Diverged`].
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let (values, jacobian) = tape::Program::trace(polar, &[1.0, 1.0])?.jacobian(&[2.0, 0.0])?;
    /// assert_eq!(values, [2.0, 0.0]);
    /// assert_eq!(jacobian.data, [1.0, 0.0,
    ///                            0.0, 2.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian(&self, x: &[f64]) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        self.replay(x, |program, replay| {
            (replay.outputs().collect(), program.dense_jacobian(x, replay))
        })
    }

    /// The Jacobian, after a replay.
    pub(in crate::program) fn dense_jacobian(
        &self,
        x: &[f64],
        replay: &mut Replay<'_, f64>,
    ) -> Matrix<f64> {
        let (rows, columns) = (self.outputs(), self.inputs());
        let mut data = vec![0.0; rows * columns];
        if columns >= rows {
            let by_rows = Each { colors: rows, length: columns, strides: [columns, 1] };
            self.single_rows(replay, &by_rows, &mut data);
            self.groups_of_rows(x, &by_rows, &mut data);
        } else {
            let by_columns = Each { colors: columns, length: rows, strides: [1, columns] };
            self.groups_of_columns(Of::Jacobian, x, &by_columns, &mut data);
        }
        Matrix { rows, columns, data }
    }

    /// The output at `x`, its gradient, and the product of its Hessian with `v`: a replay on dual numbers and a sweep.
    ///
    /// # Errors
    /// As [`Program::value`]; also [`Error::Length`] where `v` is not as long as `x`.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[0] * x[1], &[1.0, 1.0])?;
    /// let (_, _, product) = program.hessian_vector(&[3.0, 2.0], &[1.0, 1.0])?;
    /// assert_eq!(product, [10.0, 6.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_vector(&self, x: &[f64], v: &[f64]) -> Result<(f64, Vec<f64>, Vec<f64>), Error> {
        let (mut gradient, mut product) = (vec![0.0; self.inputs()], vec![0.0; self.inputs()]);
        let value = self.hessian_vector_pooled(x, v, &mut gradient, &mut product)?;
        Ok((value, gradient, product))
    }

    /// [`Program::hessian_vector`] into room that the caller keeps: by the workspace's first use it allocates, later only where
    /// something is not finite.
    ///
    /// # Errors
    /// As [`Program::hessian_vector`]; also [`Error::Length`] where `gradient` or `product` is not as long as `x`.
    pub fn hessian_vector_into(
        &self,
        x: &[f64],
        v: &[f64],
        workspace: &mut Workspace,
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        workspace.enter(self.number);
        let slots = workspace.duals.get_or_insert_with(|| Slots::new(&self.code));
        self.hessian_vector_in(slots, x, v, gradient, product)
    }

    /// In slots that the program keeps.
    fn hessian_vector_pooled(
        &self,
        x: &[f64],
        v: &[f64],
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        self.directions
            .one
            .with(&self.code, |slots| self.hessian_vector_in(slots, x, v, gradient, product))
    }

    fn hessian_vector_in(
        &self,
        slots: &mut Slots<Plain<f64>>,
        x: &[f64],
        v: &[f64],
        gradient: &mut [f64],
        product: &mut [f64],
    ) -> Result<f64, Error> {
        self.check_one_output("hessian_vector", "trace one output at a time")?;
        check_length("the point", self.inputs(), x.len())?;
        check_length("the direction", self.inputs(), v.len())?;
        check_length("the gradient", self.inputs(), gradient.len())?;
        check_length("the product", self.inputs(), product.len())?;
        self.replay_on_duals(slots, x, v, |_, replay| {
            let value = replay.output(0).value;
            replay.sweep(&[(0, Plain::from_f64(1.0))], |input, derivative| {
                gradient[input] = derivative.value;
                product[input] = derivative.tangent;
            });
            value
        })
    }

    /// Computes all values and tangents at `x` in a direction, in slots, and hands them on with the program that they are of;
    /// of a recorded derivative that meets ∞ or NaN, in others.
    pub(super) fn replay_on_duals<R>(
        &self,
        slots: &mut Slots<Plain<f64>>,
        x: &[f64],
        v: &[f64],
        use_values: impl FnOnce(&Self, &mut Replay<'_, Plain<f64>>) -> R,
    ) -> Result<R, Error> {
        let mut replay = Replay::new(&self.code, slots);
        replay.at(x.iter().zip(v).map(|(&value, &tangent)| Plain { value, tangent }));
        match replay.broken() {
            None => Ok(use_values(self, &mut replay)),
            Some(Broken::NotFinite) => {
                let exact = self.exact();
                let pool = &exact.directions.one;
                pool.with(&exact.code, |slots| {
                    // What is exact holds for every number.
                    Program::replay_on_duals(exact, slots, x, v, use_values)
                })
            }
            Some(Broken::Guard(guard, compared)) => Err(self.diverged(guard, compared)),
        }
    }

    /// The output at `x`, its gradient, and its Hessian: a symmetric matrix of `x.len()` rows and columns.
    ///
    /// It takes a replay on dual numbers and a sweep for every input, eight inputs at a time where there are more than a few.
    /// Where the Hessian is sparse, [`Program::sparse_hessian`] takes fewer.
    ///
    /// # Errors
    /// As [`Program::value`].
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[0] * x[1], &[1.0, 1.0])?;
    /// let (_, _, hessian) = program.hessian(&[3.0, 2.0])?;
    /// assert_eq!(hessian.data, [4.0, 6.0,
    ///                           6.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian(&self, x: &[f64]) -> Result<(f64, Vec<f64>, Matrix<f64>), Error> {
        self.check_one_output("hessian", "trace one output at a time")?;
        let n = self.inputs();
        if (1..=FEW).contains(&n) {
            let mut data = vec![0.0; n * n];
            // Column by column: the first gives the gradient too.
            let (mut value, mut gradient, mut v) = (0.0, vec![0.0; n], vec![0.0; n]);
            for (input, column) in data.chunks_exact_mut(n).enumerate() {
                v.fill(0.0);
                v[input] = 1.0;
                value = self.hessian_vector_pooled(x, &v, &mut gradient, column)?;
            }
            return Ok((value, gradient, Matrix { rows: n, columns: n, data }));
        }
        let (program, value, gradient) = self.with_gradient(x)?;
        Ok((value, gradient, program.dense_hessian(x, ONE_OUTPUT)))
    }

    /// The Hessian of the outputs' weighted sum, where a replay has gone before.
    pub(in crate::program) fn dense_hessian(
        &self,
        x: &[f64],
        weights: &[(usize, f64)],
    ) -> Matrix<f64> {
        let n = self.inputs();
        let mut data = vec![0.0; n * n];
        let columns = Each { colors: n, length: n, strides: [n, 1] };
        self.groups_of_columns(Of::Hessian(weights), x, &columns, &mut data);
        Matrix { rows: n, columns: n, data }
    }
}
