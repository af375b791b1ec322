//! A program at a point: the values are computed once, derivatives when they are asked for.

use core::cell::RefCell;
use core::fmt::{self, Debug};

use crate::error::{Error, check_length};
use crate::matrix::Matrix;
use crate::program::derivatives::directions::ONE_OUTPUT;
use crate::program::machine::slots::Slots;
use crate::program::machine::{Broken, Replay};
use crate::program::{Program, gradient_of};
use crate::sparse_matrix::SparseMatrix;

/// A [`Program`] at a point: see [`Program::at`].
///
/// First derivatives are swept from the values that are there; second ones take replays on dual numbers of their own.
pub struct At<'a> {
    /// The program that was asked, whose patterns and groups are used.
    asked: &'a Program,
    /// The program whose values these are: it, or the exact one.
    program: &'a Program,
    x: Vec<f64>,
    /// Between uses its adjoints are 0.
    slots: RefCell<Slots<f64>>,
}

impl Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At").field("x", &self.x).field("values", &self.values()).finish()
    }
}

impl Program {
    /// The program at `x`: one replay, after which values and derivatives are there for the asking. It is for solvers whose
    /// next question depends on the last answer: most points of a line search are asked for their value only.
    ///
    /// # Errors
    /// As [`Program::values`].
    ///
    /// ```
    /// let rosenbrock = |x: &[tape::Var]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
    /// let program = tape::Program::trace(rosenbrock, &[0.0, 0.0])?;
    /// let at = program.at(&[1.0, 2.0])?;
    /// assert_eq!(at.values(), [100.0]);
    /// assert_eq!(at.gradient()?, [-400.0, 200.0]);
    /// assert_eq!(at.hessian()?.data, [402.0, -400.0,
    ///                                 -400.0, 200.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn at(&self, x: &[f64]) -> Result<At<'_>, Error> {
        check_length("the point", self.inputs(), x.len())?;
        let of = |program: &'_ Self| {
            let mut slots = program.slots.take(&program.code);
            let mut replay = Replay::new(&program.code, &mut slots);
            replay.at(x.iter().copied());
            (replay.broken(), slots)
        };
        let (program, (broken, slots)) = match of(self) {
            (Some(Broken::NotFinite), slots) => {
                self.slots.give(slots);
                (&**self.exact(), of(self.exact()))
            }
            found => (self, found),
        };
        match broken {
            None => Ok(At { asked: self, program, x: x.to_vec(), slots: RefCell::new(slots) }),
            Some(Broken::Guard(guard, compared)) => {
                program.slots.give(slots);
                Err(program.diverged(guard, compared))
            }
            Some(Broken::NotFinite) => unreachable!("what is exact holds for every number"),
        }
    }
}

impl At<'_> {
    /// The point.
    pub fn point(&self) -> &[f64] {
        &self.x
    }

    /// The output.
    ///
    /// # Errors
    /// [`Error::Outputs`] where there is not exactly one.
    pub fn value(&self) -> Result<f64, Error> {
        self.asked.check_one_output("value", "call values")?;
        Ok(self.replay(|replay| replay.output(0)))
    }

    /// The outputs.
    pub fn values(&self) -> Vec<f64> {
        self.replay(|replay| replay.outputs().collect())
    }

    /// The gradient of the output: one sweep.
    ///
    /// # Errors
    /// As [`At::value`].
    pub fn gradient(&self) -> Result<Vec<f64>, Error> {
        self.asked.check_one_output("gradient", "call jacobian")?;
        let mut gradient = vec![0.0; self.x.len()];
        self.replay(|replay| gradient_of(replay, &mut gradient));
        Ok(gradient)
    }

    /// The gradient of Σ `w`ᵢ·outputᵢ, a product of a row with the Jacobian: one sweep.
    ///
    /// # Errors
    /// [`Error::Length`] where `w` has not a weight for each output.
    pub fn vector_jacobian(&self, w: &[f64]) -> Result<Vec<f64>, Error> {
        let weights = self.asked.weights(w)?;
        let mut product = vec![0.0; self.x.len()];
        self.replay(|replay| {
            replay.sweep(&weights, |input, derivative| product[input] = derivative);
        });
        Ok(product)
    }

    /// The Jacobian: a row for each output, a column for each input.
    pub fn jacobian(&self) -> Matrix<f64> {
        self.replay(|replay| self.program.dense_jacobian(&self.x, replay))
    }

    /// The Jacobian in the places of [`Program::jacobian_sparsity`].
    pub fn sparse_jacobian(&self) -> SparseMatrix {
        self.replay(|replay| self.asked.jacobian_in_places(self.program, &self.x, replay))
    }

    /// The Hessian of the output: a symmetric matrix.
    ///
    /// # Errors
    /// As [`At::value`].
    pub fn hessian(&self) -> Result<Matrix<f64>, Error> {
        self.asked.check_one_output("hessian", "trace one output at a time")?;
        Ok(self.program.dense_hessian(&self.x, ONE_OUTPUT))
    }

    /// The Hessian of the output in the places of [`Program::hessian_sparsity`].
    ///
    /// # Errors
    /// As [`At::value`].
    pub fn sparse_hessian(&self) -> Result<SparseMatrix, Error> {
        self.asked.check_one_output("sparse_hessian", "trace one output at a time")?;
        Ok(self.asked.hessian_in_places(self.program, &self.x, ONE_OUTPUT))
    }

    /// The Hessian of Σ `w`ᵢ·outputᵢ, such as a Lagrangian.
    ///
    /// # Errors
    /// As [`At::vector_jacobian`].
    pub fn weighted_hessian(&self, w: &[f64]) -> Result<Matrix<f64>, Error> {
        let weights = self.asked.weights(w)?;
        Ok(self.program.dense_hessian(&self.x, &weights))
    }

    /// The same in the places where the Hessian of any output can be other than 0.
    ///
    /// # Errors
    /// As [`At::vector_jacobian`].
    pub fn weighted_sparse_hessian(&self, w: &[f64]) -> Result<SparseMatrix, Error> {
        let weights = self.asked.weights(w)?;
        Ok(self.asked.hessian_in_places(self.program, &self.x, &weights))
    }

    fn replay<R>(&self, use_values: impl FnOnce(&mut Replay<'_, f64>) -> R) -> R {
        let mut slots = self.slots.borrow_mut();
        use_values(&mut Replay::new(&self.program.code, &mut slots))
    }
}

impl Drop for At<'_> {
    fn drop(&mut self) {
        // A panic may have left adjoints that are not 0.
        if std::thread::panicking() {
            return;
        }
        let none = Slots::default();
        self.program.slots.give(self.slots.replace(none));
    }
}
