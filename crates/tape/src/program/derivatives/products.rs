//! What solvers ask for: values into room that is kept, products of the Jacobian with vectors, and second derivatives of a
//! weighted sum of the outputs, such as a Lagrangian.

use smallvec::SmallVec;

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::program::machine::Replay;
use crate::program::machine::element::Element;
use crate::program::machine::slots::Slots;
use crate::program::machine::tangent::Plain;
use crate::program::{Program, Workspace};
use crate::sparse_matrix::SparseMatrix;

impl Program {
    /// [`Program::values`] into room that the caller keeps: nothing is allocated, but by the workspace's first use.
    ///
    /// # Errors
    /// As [`Program::values`]; also [`Error::Length`] where `values` has not a place for each output. It is unchanged then.
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let program = tape::Program::trace(polar, &[1.0, 1.0])?;
    /// let (mut workspace, mut values) = (tape::Workspace::default(), [0.0; 2]);
    /// program.values_into(&[2.0, 0.0], &mut workspace, &mut values)?;
    /// assert_eq!(values, [2.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn values_into(
        &self,
        x: &[f64],
        workspace: &mut Workspace,
        values: &mut [f64],
    ) -> Result<(), Error> {
        check_length("the values", self.outputs(), values.len())?;
        self.replay_in(x, workspace, |_, replay| read_outputs(replay, values))
    }

    /// The outputs at `x`, and the product of their Jacobian with a direction: how fast the outputs change where the inputs
    /// change by `v`. It takes one replay on dual numbers, whatever the numbers of inputs and outputs.
    ///
    /// # Errors
    /// As [`Program::values`]; also [`Error::Length`] where `v` is not as long as `x`.
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let program = tape::Program::trace(polar, &[1.0, 1.0])?;
    /// let (values, product) = program.jacobian_vector(&[2.0, 0.0], &[1.0, 3.0])?;
    /// assert_eq!((values, product), (vec![2.0, 0.0], vec![1.0, 6.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian_vector(&self, x: &[f64], v: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (mut values, mut product) = (vec![0.0; self.outputs()], vec![0.0; self.outputs()]);
        self.directions.one.with(&self.code, |slots| {
            self.jacobian_vector_in(slots, x, v, &mut values, &mut product)
        })?;
        Ok((values, product))
    }

    /// [`Program::jacobian_vector`] into room that the caller keeps: by the workspace's first use it allocates, later only
    /// where something is not finite.
    ///
    /// # Errors
    /// As [`Program::jacobian_vector`]; also [`Error::Length`] where `values` or `product` has not a place for each output.
    pub fn jacobian_vector_into(
        &self,
        x: &[f64],
        v: &[f64],
        workspace: &mut Workspace,
        values: &mut [f64],
        product: &mut [f64],
    ) -> Result<(), Error> {
        workspace.enter(self.number);
        let slots = workspace.duals.get_or_insert_with(|| Slots::new(&self.code));
        self.jacobian_vector_in(slots, x, v, values, product)
    }

    fn jacobian_vector_in(
        &self,
        slots: &mut Slots<Plain<f64>>,
        x: &[f64],
        v: &[f64],
        values: &mut [f64],
        product: &mut [f64],
    ) -> Result<(), Error> {
        check_length("the point", self.inputs(), x.len())?;
        check_length("the direction", self.inputs(), v.len())?;
        check_length("the values", self.outputs(), values.len())?;
        check_length("the product", self.outputs(), product.len())?;
        self.replay_on_duals(slots, x, v, |program, replay| {
            let mut take = |output: usize, number: Plain<f64>| {
                values[output] = number.value;
                product[output] = number.tangent;
            };
            if replay.outputs().all(Element::is_finite) {
                replay.outputs().enumerate().for_each(|(output, number)| take(output, number));
            } else {
                let point = x.iter().zip(v).map(|(&value, &tangent)| Plain { value, tangent });
                let outputs = program.outputs_by_the_rules(&point.collect::<Vec<_>>());
                outputs.into_iter().enumerate().for_each(|(output, number)| take(output, number));
            }
        })
    }

    /// The outputs at `x`, and the product of a row of weights with their Jacobian: the gradient of Σ `w`ᵢ·outputᵢ. It takes
    /// one replay and one sweep, whatever the numbers of inputs and outputs.
    ///
    /// # Errors
    /// As [`Program::values`]; also [`Error::Length`] where `w` has not a weight for each output.
    ///
    /// ```
    /// let polar = |x: &[tape::Var]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let program = tape::Program::trace(polar, &[1.0, 1.0])?;
    /// let (values, product) = program.vector_jacobian(&[2.0, 0.0], &[1.0, 3.0])?;
    /// assert_eq!((values, product), (vec![2.0, 0.0], vec![1.0, 6.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn vector_jacobian(&self, x: &[f64], w: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (_, values, product) = self.with_weighted_gradient(x, &self.weights(w)?)?;
        Ok((values, product))
    }

    /// [`Program::vector_jacobian`] into room that the caller keeps: after the workspace's first use it allocates only where more
    /// than eight weights are other than 0, or something is not finite.
    ///
    /// # Errors
    /// As [`Program::vector_jacobian`]; also [`Error::Length`] where `values` has not a place for each output, or `product` is
    /// not as long as `x`.
    pub fn vector_jacobian_into(
        &self,
        x: &[f64],
        w: &[f64],
        workspace: &mut Workspace,
        values: &mut [f64],
        product: &mut [f64],
    ) -> Result<(), Error> {
        let weights = self.weights(w)?;
        check_length("the values", self.outputs(), values.len())?;
        check_length("the product", self.inputs(), product.len())?;
        self.replay_in(x, workspace, |_, replay| {
            read_outputs(replay, values);
            replay.sweep(&weights, |input, derivative| product[input] = derivative);
        })
    }

    /// The outputs at `x`, and the gradient and the Hessian of Σ `w`ᵢ·outputᵢ. Of the outputs f, g₁, g₂, … of a constrained
    /// problem and the weights 1, λ₁, λ₂, … that is the Lagrangian, whose multipliers change from step to step while the program
    /// stays.
    ///
    /// # Errors
    /// As [`Program::vector_jacobian`].
    ///
    /// ```
    /// // f = x² + y² and g = x·y − 1, with the multiplier 3.
    /// let outputs = |x: &[tape::Var]| [x[0] * x[0] + x[1] * x[1], x[0] * x[1] - 1.0];
    /// let program = tape::Program::trace(outputs, &[0.0, 0.0])?;
    /// let (values, gradient, hessian) = program.weighted_hessian(&[1.0, 2.0], &[1.0, 3.0])?;
    /// assert_eq!((values, gradient), (vec![5.0, 1.0], vec![8.0, 7.0]));
    /// assert_eq!(hessian.data, [2.0, 3.0,
    ///                           3.0, 2.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    #[allow(clippy::type_complexity, reason = "as of `hessian`: values, gradient, Hessian")]
    pub fn weighted_hessian(
        &self,
        x: &[f64],
        w: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>, Matrix<f64>), Error> {
        let weights = self.weights(w)?;
        let (program, values, gradient) = self.with_weighted_gradient(x, &weights)?;
        Ok((values, gradient, program.dense_hessian(x, &weights)))
    }

    /// [`Program::weighted_hessian`] in the places where the Hessian of any output can be other than 0, both triangles: the
    /// same places whatever the weights, as solvers need them.
    ///
    /// It takes as many products as [`Program::sparse_hessian`] would of a single output with all these places.
    ///
    /// # Errors
    /// As [`Program::vector_jacobian`].
    ///
    /// ```
    /// let outputs = |x: &[tape::Var]| [x[0] * x[0], x[1] * x[2]];
    /// let program = tape::Program::trace(outputs, &[0.0; 3])?;
    /// let (_, _, hessian) = program.weighted_sparse_hessian(&[1.0, 2.0, 3.0], &[0.5, 4.0])?;
    /// assert_eq!(hessian.to_dense().data, [1.0, 0.0, 0.0,
    ///                                      0.0, 0.0, 4.0,
    ///                                      0.0, 4.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn weighted_sparse_hessian(
        &self,
        x: &[f64],
        w: &[f64],
    ) -> Result<(Vec<f64>, Vec<f64>, SparseMatrix), Error> {
        let weights = self.weights(w)?;
        let (program, values, gradient) = self.with_weighted_gradient(x, &weights)?;
        Ok((values, gradient, self.hessian_in_places(program, x, &weights)))
    }

    /// The outputs with a weight. One whose weight is 0 has no part in the sum, whatever its value.
    pub(in crate::program) fn weights(
        &self,
        w: &[f64],
    ) -> Result<SmallVec<[(usize, f64); 8]>, Error> {
        check_length("the weights", self.outputs(), w.len())?;
        Ok(w.iter().copied().enumerate().filter(|&(_, weight)| weight != 0.0).collect())
    }

    /// The outputs at `x`, the gradient of their weighted sum, and the program that computed them.
    fn with_weighted_gradient(
        &self,
        x: &[f64],
        weights: &[(usize, f64)],
    ) -> Result<(&Self, Vec<f64>, Vec<f64>), Error> {
        let mut gradient = vec![0.0; self.inputs()];
        let (program, values) = self.replay(x, |program, replay| {
            let values = replay.outputs().collect();
            replay.sweep(weights, |input, derivative| gradient[input] = derivative);
            (program, values)
        })?;
        Ok((program, values, gradient))
    }
}

pub(super) fn read_outputs(replay: &Replay<'_, f64>, values: &mut [f64]) {
    for (value, output) in values.iter_mut().zip(replay.outputs()) {
        *value = output;
    }
}
