//! Dense derivatives: Jacobian, Hessian, and the Hessian's product with a vector.
//!
//! A dense matrix is a sparse one of which every column, or row, is a direction by itself: see
//! [`directions`](super::directions).

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::program::derivatives::directions::{Each, FEW, ONE_OUTPUT, Of};
use crate::program::derivatives::products::read_outputs;
use crate::program::machine::element::Element;
use crate::program::machine::slots::Slots;
use crate::program::machine::tangent::Plain;
use crate::program::machine::{Broken, Replay};
use crate::program::{Program, Workspace, gradient_of};

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

    /// [`Program::jacobian`] into room that the caller keeps: the Jacobian row by row. Nothing is allocated, but by the first
    /// use of workspace and program, and where something is not finite.
    ///
    /// # Errors
    /// As [`Program::jacobian`]; also [`Error::Length`] where `values` has not a place for each output, or `jacobian` one for
    /// each entry. Both are unchanged then.
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let program = tape::Program::trace(polar, &[1.0, 1.0])?;
    /// let (mut workspace, mut values, mut jacobian) = (tape::Workspace::default(), [0.0; 2], [0.0; 4]);
    /// program.jacobian_into(&[2.0, 0.0], &mut workspace, &mut values, &mut jacobian)?;
    /// assert_eq!((values, jacobian), ([2.0, 0.0], [1.0, 0.0, 0.0, 2.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian_into(
        &self,
        x: &[f64],
        workspace: &mut Workspace,
        values: &mut [f64],
        jacobian: &mut [f64],
    ) -> Result<(), Error> {
        check_length("the values", self.outputs(), values.len())?;
        check_length("the Jacobian", self.outputs() * self.inputs(), jacobian.len())?;
        self.replay_in(x, workspace, |program, replay| {
            read_outputs(replay, values);
            program.write_jacobian(x, replay, jacobian);
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
        self.write_jacobian(x, replay, &mut data);
        Matrix { rows, columns, data }
    }

    fn write_jacobian(&self, x: &[f64], replay: &mut Replay<'_, f64>, data: &mut [f64]) {
        let (rows, columns) = (self.outputs(), self.inputs());
        if columns >= rows {
            let by_rows = Each { colors: rows, length: columns, strides: [columns, 1] };
            self.groups_of_rows(replay, x, &by_rows, data);
        } else {
            let by_columns = Each { colors: columns, length: rows, strides: [1, columns] };
            self.groups_of_columns(Of::Jacobian, x, &by_columns, data);
        }
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
        let value = self.directions.one.with(&self.code, |slots| {
            self.hessian_vector_in(slots, x, v, &mut gradient, &mut product)
        })?;
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
            check_length("the point", n, x.len())?;
            let (mut gradient, mut data) = (vec![0.0; n], vec![0.0; n * n]);
            let value = self.directions.one.with(&self.code, |slots| {
                self.hessian_of_few(slots, x, &mut gradient, &mut data)
            })?;
            return Ok((value, gradient, Matrix { rows: n, columns: n, data }));
        }
        let (program, value, gradient) = self.with_gradient(x)?;
        Ok((value, gradient, program.dense_hessian(x, ONE_OUTPUT)))
    }

    /// [`Program::hessian`] into room that the caller keeps: the Hessian row by row. Nothing is allocated, but by the first use
    /// of workspace and program, and where something is not finite.
    ///
    /// # Errors
    /// As [`Program::hessian`]; also [`Error::Length`] where `gradient` is not as long as `x`, or `hessian` has not a place for
    /// each entry. Both are unchanged then.
    ///
    /// ```
    /// let program = tape::Program::trace(|x| x[0] * x[0] * x[1], &[1.0, 1.0])?;
    /// let (mut workspace, mut gradient, mut hessian) = (tape::Workspace::default(), [0.0; 2], [0.0; 4]);
    /// program.hessian_into(&[3.0, 2.0], &mut workspace, &mut gradient, &mut hessian)?;
    /// assert_eq!((gradient, hessian), ([12.0, 9.0], [4.0, 6.0, 6.0, 0.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_into(
        &self,
        x: &[f64],
        workspace: &mut Workspace,
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> Result<f64, Error> {
        self.check_one_output("hessian", "trace one output at a time")?;
        let n = self.inputs();
        check_length("the point", n, x.len())?;
        check_length("the gradient", n, gradient.len())?;
        check_length("the Hessian", n * n, hessian.len())?;
        if (1..=FEW).contains(&n) {
            workspace.enter(self.number);
            let slots = workspace.duals.get_or_insert_with(|| Slots::new(&self.code));
            return self.hessian_of_few(slots, x, gradient, hessian);
        }
        self.replay_in(x, workspace, |program, replay| {
            let value = gradient_of(replay, gradient);
            program.write_hessian(x, ONE_OUTPUT, hessian);
            value
        })
    }

    /// Column by column: the first gives the gradient too.
    fn hessian_of_few(
        &self,
        slots: &mut Slots<Plain<f64>>,
        x: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> Result<f64, Error> {
        let mut value = 0.0;
        for (input, column) in hessian.chunks_exact_mut(x.len()).enumerate() {
            let mut v = [0.0; FEW];
            v[input] = 1.0;
            value = self.hessian_vector_in(slots, x, &v[..x.len()], gradient, column)?;
        }
        Ok(value)
    }

    /// The Hessian of the outputs' weighted sum, where a replay has gone before.
    pub(in crate::program) fn dense_hessian(
        &self,
        x: &[f64],
        weights: &[(usize, f64)],
    ) -> Matrix<f64> {
        let n = self.inputs();
        let mut data = vec![0.0; n * n];
        self.write_hessian(x, weights, &mut data);
        Matrix { rows: n, columns: n, data }
    }

    fn write_hessian(&self, x: &[f64], weights: &[(usize, f64)], data: &mut [f64]) {
        let n = self.inputs();
        let columns = Each { colors: n, length: n, strides: [n, 1] };
        self.groups_of_columns(Of::Hessian(weights), x, &columns, data);
    }
}
