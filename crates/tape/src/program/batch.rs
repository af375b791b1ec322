//! A loss per row of data, its parameters shared by all rows: the program of a row, run on many rows at once.

mod chunks;
mod path;
pub(crate) mod rows;
mod work;

use core::fmt::{self, Debug};
use std::sync::{Arc, Mutex};

use crate::error::{Error, check_length};
use crate::lanes::Lanes;
use crate::matrix::Matrix;
use crate::outputs::Outputs;
use crate::program::Program;
use crate::program::batch::chunks::{Pending, Purpose};
use crate::program::batch::path::Path;
use crate::program::batch::rows::{Input, Rows};
use crate::program::batch::work::{ByRows, Each, Gradient, Products, Value, Work};
use crate::program::function::Known;
use crate::program::graph::simplify::Rewrites;
use crate::program::machine::element::{Element, LANES};
use crate::var::Var;

/// A function of shared inputs and of a row of data, traced once and run on many rows together.
///
/// What depends on the shared inputs only is computed once, and its adjoints, added up over the rows, are swept once. The
/// rest runs on many rows at a time, as many as keep the numbers in the processor's cache, with vector instructions that
/// are chosen at run time; its functions (`exp`, `ln`, …) are vector functions, within 2 units in the last place of the
/// true value.
///
/// Rows that take another path through the function than the traced one are traced anew and run together with their
/// like. (A row for which the last digit of a vector function decides a comparison is computed by itself.)
///
/// Sums over the rows are [`value`](Self::value), [`gradient`](Self::gradient), [`hessian`](Self::hessian) and
/// [`hessian_vector`](Self::hessian_vector), with respect to the shared inputs. Each row by itself: [`map`](Self::map) gives its
/// outputs, [`jacobian`](Self::jacobian) also their derivatives by the shared inputs, [`gradients`](Self::gradients) those by the
/// row's own numbers.
///
/// With the feature `rayon`, rows are shared among threads. The result does not depend on how many there are.
///
/// ```
/// // Σ (a·x + b − y)² over the rows (x, y).
/// let squares = |shared: &[tape::Var], row: &[tape::Var]| {
///     let residual = shared[0] * row[0] + shared[1] - row[1];
///     residual * residual
/// };
/// let rows = [[0.0, 1.5], [1.0, 2.0], [2.0, 6.0]];
/// let batch = tape::Batch::trace(squares, &[2.0, 1.0], &rows[0])?;
/// let (loss, gradient) = batch.gradient(&[2.0, 1.0], &rows)?;
/// assert_eq!((loss, gradient), (2.25, vec![-2.0, -1.0]));
/// # Ok::<(), tape::Error>(())
/// ```
pub struct Batch<F> {
    f: F,
    rewrites: Rewrites,
    shared: usize,
    width: usize,
    outputs: usize,
    is_single: bool,
    paths: Mutex<Vec<Arc<Path>>>,
    /// The paths of rows that take another one with vector functions than with `std`'s, which traced it: a comparison
    /// there is so close that the last digit decides it. These rows are computed one by one, as the trace was.
    odd: Known,
}

impl<F> Debug for Batch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.known_paths();
        f.debug_struct("Batch")
            .field("shared", &self.shared)
            .field("row", &self.width)
            .field("paths", &paths.len())
            .field("rows at a time", &paths.first().map(|path| path.rows_at_a_time()))
            .finish_non_exhaustive()
    }
}

/// The paths that are kept: beyond these, a path is traced for the call that needs it, and forgotten.
const MOST_PATHS: usize = 64;

impl<F, R> Batch<F>
where
    F: Fn(&[Var], &[Var]) -> R,
    R: Outputs,
{
    /// Traces `f` for shared inputs and one row.
    ///
    /// # Errors
    /// As [`Program::trace`](crate::Program::trace).
    ///
    /// # Panics
    /// When `f` panics.
    #[track_caller]
    pub fn trace(f: F, shared: &[f64], row: &[f64]) -> Result<Self, Error> {
        Self::trace_with(Rewrites::Exact, f, shared, row)
    }

    /// [`Batch::trace`] with a choice of the algebraic rewrites.
    ///
    /// # Errors
    /// As [`Batch::trace`].
    ///
    /// # Panics
    /// When `f` panics.
    #[track_caller]
    pub fn trace_with(
        rewrites: Rewrites,
        f: F,
        shared: &[f64],
        row: &[f64],
    ) -> Result<Self, Error> {
        let path = Path::trace(rewrites, &f, shared, row)?;
        let outputs = path.outputs();
        let paths = Mutex::new(vec![Arc::new(path)]);
        let (shared, width, odd) = (shared.len(), row.len(), Known::default());
        Ok(Self { f, rewrites, shared, width, outputs, is_single: false, paths, odd })
    }

    /// The batch with sums over rows in single precision: [`value`](Self::value), [`gradient`](Self::gradient) and
    /// [`gradient_into`](Self::gradient_into) compute the rows on `f32`, in vectors of twice as many numbers. That is faster where
    /// arithmetic takes the time, as in neural networks, and gives some seven digits.
    ///
    /// What depends on the shared inputs only stays in double precision, and is rounded where rows use it; sums over many
    /// rows are in double precision, so that their number costs no digits. Functions (`exp`, `tanh`, …) are rounded once.
    /// The other methods stay in double precision. The result depends neither on the number of threads nor on the
    /// processor.
    ///
    /// A number that leaves the range of `f32` (3·10³⁸) is infinite, also where its square or its exponential does.
    ///
    /// ```
    /// let squares = |shared: &[tape::Var], row: &[tape::Var]| (shared[0] * row[0] - row[1]).powi(2);
    /// let rows = [[1.0, 0.3], [2.0, 0.6]];
    /// let double = tape::Batch::trace(squares, &[0.1], &rows[0])?;
    /// let (loss, gradient) = double.gradient(&[0.1], &rows)?;
    ///
    /// let single = double.in_single_precision();
    /// let (rounded_loss, rounded_gradient) = single.gradient(&[0.1], &rows)?;
    /// assert!((rounded_loss - loss).abs() < 1e-6 * loss);
    /// assert!((rounded_gradient[0] - gradient[0]).abs() < 1e-6 * gradient[0].abs());
    /// assert_ne!(rounded_loss, loss);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn in_single_precision(self) -> Self {
        Self { is_single: true, ..self }
    }

    /// The sum of the output over all rows: the value that [`Batch::gradient`] gives, to the bit where rows take one path.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Outputs`] where there is not exactly one output, and what tracing another path gives.
    ///
    /// ```
    /// let square = |shared: &[tape::Var], row: &[tape::Var]| (shared[0] * row[0] - row[1]).powi(2);
    /// let batch = tape::Batch::trace(square, &[0.0], &[0.0, 0.0])?;
    /// assert_eq!(batch.value(&[2.0], &[[1.0, 1.0], [2.0, 2.0]])?, 5.0);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn value(&self, shared: &[f64], rows: impl Rows + Sync) -> Result<f64, Error> {
        self.check_one_output("Batch::value")?;
        let mut sum = Value { value: 0.0, is_single: self.is_single };
        self.run(shared, &rows, &mut sum)?;
        Ok(sum.value)
    }

    /// The sum of the output over all rows, and its gradient with respect to the shared inputs.
    ///
    /// # Errors
    /// As [`Batch::value`].
    pub fn gradient(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
    ) -> Result<(f64, Vec<f64>), Error> {
        let mut gradient = vec![0.0; self.shared];
        let value = self.gradient_into(shared, rows, &mut gradient)?;
        Ok((value, gradient))
    }

    /// [`Batch::gradient`] into room that the caller keeps.
    ///
    /// # Errors
    /// As [`Batch::value`]; also [`Error::Length`] where `gradient` is not as long as the shared inputs. It is unchanged then.
    pub fn gradient_into(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
        gradient: &mut [f64],
    ) -> Result<f64, Error> {
        self.check_one_output("Batch::gradient")?;
        check_length("the gradient", self.shared, gradient.len())?;
        check_length("the shared inputs", self.shared, shared.len())?;
        rows.count(self.width)?;
        gradient.fill(0.0);
        let mut sum = Gradient { value: 0.0, derivatives: gradient, is_single: self.is_single };
        self.run(shared, &rows, &mut sum)?;
        Ok(sum.value)
    }

    /// The outputs of every row, and their Jacobian with respect to the shared inputs: a row for each row of data. Where a
    /// row has several outputs, theirs follow each other.
    ///
    /// This is what Levenberg and Marquardt's method asks for, whose rows are residuals, and what a Fisher information or
    /// a robust covariance is summed from. It takes one sweep for each output of a row.
    ///
    /// # Errors
    /// [`Error::Length`], and what tracing another path gives.
    ///
    /// ```
    /// // The residuals a·e^(b·x) − y.
    /// let residual = |shared: &[tape::Var], row: &[tape::Var]| {
    ///     shared[0] * (shared[1] * row[0]).exp() - row[1]
    /// };
    /// let batch = tape::Batch::trace(residual, &[1.0, 0.0], &[0.0, 0.0])?;
    /// let (residuals, jacobian) = batch.jacobian(&[2.0, 0.0], &[[1.0, 2.5], [3.0, 1.0]])?;
    /// assert_eq!(residuals, [-0.5, 1.0]);
    /// assert_eq!(jacobian.data, [1.0, 2.0,
    ///                            1.0, 6.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
    ) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        self.by_rows(Purpose::SharedByRow, self.shared, shared, &rows)
    }

    /// The outputs of every row, and of each its gradient with respect to the row's own numbers: the sensitivities of many
    /// prices, the forces on many particles. Otherwise as [`Batch::jacobian`].
    ///
    /// # Errors
    /// As [`Batch::jacobian`].
    ///
    /// ```
    /// let product = |shared: &[tape::Var], row: &[tape::Var]| shared[0] * row[0] * row[1];
    /// let batch = tape::Batch::trace(product, &[1.0], &[0.0, 0.0])?;
    /// let (values, gradients) = batch.gradients(&[10.0], &[[1.0, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(values, [20.0, 120.0]);
    /// assert_eq!(gradients.data, [20.0, 10.0,
    ///                             40.0, 30.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn gradients(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
    ) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        self.by_rows(Purpose::Row, self.width, shared, &rows)
    }

    /// The outputs of every row, and a row of so many derivatives for each.
    fn by_rows(
        &self,
        purpose: Purpose,
        inputs: usize,
        shared: &[f64],
        rows: &(dyn Rows + Sync),
    ) -> Result<(Vec<f64>, Matrix<f64>), Error> {
        let count = rows.count(self.width)? * self.outputs;
        let (mut values, mut data) = (vec![0.0; count], vec![0.0; count * inputs]);
        let (of_values, derivatives) = (&mut values[..], &mut data[..]);
        self.run(shared, rows, &mut ByRows { purpose, values: of_values, derivatives, inputs })?;
        Ok((values, Matrix { rows: count, columns: inputs, data }))
    }

    /// The sum of the output over all rows, its gradient, and the product of its Hessian with `v`, with respect to the shared
    /// inputs.
    ///
    /// Functions are those of `std` here, so that the value may differ from [`Batch::value`] in its last digits.
    ///
    /// # Errors
    /// As [`Batch::value`]; also [`Error::Length`] where `v` is not as long as the shared inputs.
    ///
    /// ```
    /// let square = |shared: &[tape::Var], row: &[tape::Var]| (shared[0] * shared[1] - row[0]).powi(2);
    /// let batch = tape::Batch::trace(square, &[0.0, 0.0], &[0.0])?;
    /// let (value, gradient, product) = batch.hessian_vector(&[1.0, 2.0], &[1.0, 3.0], &[1.0, 0.0])?;
    /// assert_eq!((value, gradient, product), (2.0, vec![0.0, 0.0], vec![16.0, 8.0]));
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_vector(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
        v: &[f64],
    ) -> Result<(f64, Vec<f64>, Vec<f64>), Error> {
        self.check_one_output("Batch::hessian_vector")?;
        check_length("the direction", self.shared, v.len())?;
        let mut gradient = vec![0.0; self.shared];
        let mut work = Products::new(v.to_vec(), &mut gradient);
        self.run(shared, &rows, &mut work)?;
        let (value, product) = (work.value, work.along);
        Ok((value, gradient, product))
    }

    /// The sum of the output over all rows, its gradient, and its Hessian, with respect to the shared inputs: a product for
    /// each, eight computed together.
    ///
    /// # Errors
    /// As [`Batch::value`].
    ///
    /// ```
    /// let square = |shared: &[tape::Var], row: &[tape::Var]| (shared[0] * shared[1] - row[0]).powi(2);
    /// let batch = tape::Batch::trace(square, &[0.0, 0.0], &[0.0])?;
    /// let (value, gradient, hessian) = batch.hessian(&[1.0, 2.0], &[1.0, 3.0])?;
    /// assert_eq!((value, gradient), (2.0, vec![0.0, 0.0]));
    /// assert_eq!(hessian.data, [16.0, 8.0,
    ///                           8.0, 4.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
    ) -> Result<(f64, Vec<f64>, Matrix<f64>), Error> {
        self.check_one_output("Batch::hessian")?;
        let n = self.shared;
        if n == 0 {
            let (value, gradient) = self.gradient(shared, rows)?;
            return Ok((value, gradient, Matrix { rows: 0, columns: 0, data: Vec::new() }));
        }
        let (mut value, mut gradient, mut data) = (0.0, Vec::new(), vec![0.0; n * n]);
        for first in (0..n).step_by(LANES) {
            gradient = vec![0.0; n];
            let unit = |input| Lanes::from_directions(|lane| f64::from(first + lane == input));
            let mut work = Products::new((0..n).map(unit).collect(), &mut gradient);
            self.run(shared, &rows, &mut work)?;
            value = work.value;
            for (input, product) in work.along.iter().enumerate() {
                for (lane, column) in (first..n.min(first + LANES)).enumerate() {
                    data[input * n + column] = product.direction(lane);
                }
            }
        }
        Ok((value, gradient, Matrix { rows: n, columns: n, data }))
    }

    /// The outputs of every row: a matrix with a row for each.
    ///
    /// The outputs may be derivatives: a function that differentiates another by its row, inside `f`, is traced like any
    /// other. So a gradient, a Jacobian or a Hessian of every row is a map too; [`Rewrites::Relaxed`] then leaves out the
    /// zeros that its sweep began with.
    ///
    /// # Errors
    /// [`Error::Length`], and what tracing another path gives.
    ///
    /// ```
    /// let line = |shared: &[tape::Var], row: &[tape::Var]| shared[0] * row[0] + shared[1];
    /// let batch = tape::Batch::trace(line, &[0.0, 0.0], &[0.0])?;
    /// assert_eq!(batch.map(&[2.0, 1.0], &[0.0, 1.0, 2.0])?.data, [1.0, 3.0, 5.0]);
    ///
    /// // The gradient of x·y² in every row (x, y).
    /// let gradient = |_: &[tape::Var], row: &[tape::Var]| tape::gradient(|r| r[0] * r[1] * r[1], row).1;
    /// let batch = tape::Batch::trace(gradient, &[], &[1.0, 1.0])?;
    /// assert_eq!(batch.map(&[], &[[2.0, 3.0], [5.0, 1.0]])?.data, [9.0, 12.0,
    ///                                                              1.0, 10.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn map(&self, shared: &[f64], rows: impl Rows + Sync) -> Result<Matrix<f64>, Error> {
        let count = rows.count(self.width)?;
        let mut data = vec![0.0; count * self.outputs];
        self.run(shared, &rows, &mut Each(&mut data))?;
        Ok(Matrix { rows: count, columns: self.outputs, data })
    }

    /// [`Batch::map`] into room that the caller keeps: the outputs of the first row, of the second, and so on.
    ///
    /// # Errors
    /// As [`Batch::map`]; also [`Error::Length`] where `outputs` has not room for exactly all of them.
    pub fn map_into(
        &self,
        shared: &[f64],
        rows: impl Rows + Sync,
        outputs: &mut [f64],
    ) -> Result<(), Error> {
        let count = rows.count(self.width)?;
        check_length("the outputs", count * self.outputs, outputs.len())?;
        self.run(shared, &rows, &mut Each(outputs))
    }

    /// Offers the rows to one path after the other, each what the ones before have left. What none takes is traced.
    fn run(
        &self,
        shared: &[f64],
        rows: &(dyn Rows + Sync),
        work: &mut dyn Work,
    ) -> Result<(), Error> {
        check_length("the shared inputs", self.shared, shared.len())?;
        let input = Input { shared, rows, width: self.width };
        let mut pending = Pending::All(rows.count(self.width)?);
        for path in self.known_paths() {
            pending = along_both(&path, &input, pending, work)?;
            if pending.is_empty() {
                return Ok(());
            }
        }
        pending = self.along_odd_paths(&input, pending, work)?;
        while let Some(first) = pending.first() {
            let path = Path::trace(self.rewrites, &self.f, shared, input.row(first))?;
            let before = pending.len();
            pending = along_both(&path, &input, pending, work)?;
            if pending.len() < before {
                self.keep(path);
            }
            if pending.first() == Some(first) {
                self.trace_alone(&input, first, work)?;
                pending = pending.without_first();
            }
        }
        Ok(())
    }

    /// Computes a row for which the last digit of a vector function decides a comparison.
    fn trace_alone(&self, input: &Input<'_>, row: usize, work: &mut dyn Work) -> Result<(), Error> {
        let x = input.point(row);
        let trace = || Program::trace(|x| (self.f)(&x[..self.shared], &x[self.shared..]), &x);
        let alone = self.odd.at(&x, trace, |program, _| work.alone(program, row, &x));
        alone.map_err(|error| match error {
            Error::Unsteady { .. } => Error::Unsteady { row: Some(row) },
            error => error,
        })
    }
}

/// Offers the rows to a path; and what it leaves because something is not finite to the path that has rules for that.
fn along_both(
    path: &Path,
    input: &Input<'_>,
    pending: Pending,
    work: &mut dyn Work,
) -> Result<Pending, Error> {
    let left = work.along(path, input, pending)?;
    match path.exact() {
        Some(exact) if !left.is_empty() => work.along(exact, input, left),
        _ => Ok(left),
    }
}

impl<F> Batch<F> {
    /// The number of paths through the function that are known, each traced once. At most 64 are kept.
    pub fn paths(&self) -> usize {
        self.known_paths().len()
    }

    /// The number of shared inputs.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// The number of numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of outputs of a row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    fn check_one_output(&self, call: &'static str) -> Result<(), Error> {
        match self.outputs {
            1 => Ok(()),
            outputs => {
                Err(Error::Outputs { call, outputs, instead: "return one number, or call map" })
            }
        }
    }

    fn known_paths(&self) -> Vec<Arc<Path>> {
        self.paths.lock().map(|paths| paths.clone()).unwrap_or_default()
    }

    fn keep(&self, path: Path) {
        if let Ok(mut paths) = self.paths.lock()
            && paths.len() < MOST_PATHS
        {
            paths.push(Arc::new(path));
        }
    }

    /// Computes the rows that take an odd path which is known, one by one.
    fn along_odd_paths(
        &self,
        input: &Input<'_>,
        pending: Pending,
        work: &mut dyn Work,
    ) -> Result<Pending, Error> {
        if self.odd.paths().is_empty() {
            return Ok(pending);
        }
        let mut left = Vec::new();
        for position in 0..pending.len() {
            let row = pending.index(position);
            let x = input.point(row);
            match self.odd.known_at(&x, &mut |program, _| work.alone(program, row, &x)) {
                Some(result) => result?,
                None => left.push(row),
            }
        }
        Ok(Pending::These(left))
    }
}
