//! Sparse Jacobians and Hessians of a program: a few sweeps for many columns.

use crate::error::Error;
use crate::pattern::Pattern;
use crate::program::Program;
use crate::program::derivatives::directions::{ONE_OUTPUT, Of, cost_of_columns, cost_of_jacobian};
use crate::program::graph::coloring::hessian::Symmetric;
use crate::program::graph::coloring::jacobian::Grouping;
use crate::program::graph::sparsity::{hessian_pattern, jacobian_pattern};
use crate::program::machine::Replay;
use crate::sparse_matrix::SparseMatrix;

impl Program {
    /// Where the Jacobian can be other than 0: a row for each output, a column for each input.
    ///
    /// The pattern holds for every point that the program can be replayed at. It is found from the operations, not
    /// from numbers: a place may hold a 0, as that of x₀ in x₀·0 does, but no other place ever holds anything else.
    /// It is found at the first call, and kept.
    ///
    /// ```
    /// let differences = |x: &[tape::Var]| [x[1] - x[0], x[2] - x[1], x[3] - x[2]];
    /// let program = tape::Program::trace(differences, &[0.0; 4])?;
    /// assert_eq!(program.jacobian_sparsity().to_string(), "\
    /// ██··
    /// ·██·
    /// ··██");
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian_sparsity(&self) -> &Pattern {
        self.sparse.jacobian.get_or_init(|| jacobian_pattern(&self.graph))
    }

    /// Where the Hessian can be other than 0: a symmetric pattern, a row and a column for each input.
    ///
    /// Two inputs meet where an operation curves in both: in x₀·x₁, but not in x₀ + x₁ nor in max(x₀, x₁). Otherwise as
    /// [`Program::jacobian_sparsity`].
    ///
    /// # Errors
    /// [`Error::Outputs`] where there is not exactly one.
    ///
    /// ```
    /// // x₃ enters linearly, and x₀ and x₁ only together.
    /// let f = |x: &[tape::Var]| x[0] * x[1] + x[2].sin() * x[0] + x[3];
    /// let program = tape::Program::trace(f, &[0.0; 4])?;
    /// assert_eq!(program.hessian_sparsity()?.to_string(), "\
    /// ·██·
    /// █···
    /// █·█·
    /// ····");
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_sparsity(&self) -> Result<&Pattern, Error> {
        self.check_one_output("hessian_sparsity", "trace one output at a time")?;
        Ok(self.hessian_pattern())
    }

    /// The number of groups of columns and of rows in which [`Program::sparse_jacobian`] finds the entries: what it
    /// costs, in products of the Jacobian with a vector. Columns are in one group where no row meets two of them, and rows
    /// where no column does.
    ///
    /// Where all groups are of columns, they are at least as many as the longest row has entries, and seldom much more; of
    /// rows, as the longest column. Dense rows have groups of their own, and so have dense columns, where the rest is found in
    /// few then: of all ways that are tried the cheapest is taken, by what products of columns and of rows take. The groups are
    /// formed at the first call, and kept.
    ///
    /// ```
    /// let differences = |x: &[tape::Var]| x.windows(2).map(|x| x[1] - x[0]).collect::<Vec<_>>();
    /// let program = tape::Program::trace(differences, &[0.0; 1000])?;
    /// assert_eq!(program.jacobian_colors(), 2);
    ///
    /// // An arrow: a product for the sum's row, one for the first column, and one for the diagonal.
    /// let arrow = |x: &[tape::Var]| {
    ///     let products = x[1..].iter().map(|&y| y * x[0]);
    ///     products.chain([tape::sum(x)]).collect::<Vec<_>>()
    /// };
    /// let program = tape::Program::trace(arrow, &[0.0; 1000])?;
    /// assert_eq!(program.jacobian_colors(), 3);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian_colors(&self) -> usize {
        self.grouping().colors()
    }

    /// The number of groups of columns in which [`Program::sparse_hessian`] finds the entries: what it costs, in
    /// products of the Hessian with a vector. They are fewer by substitution, which is described there; a point at which that
    /// would not do takes more. The groups are formed at the first call, and kept.
    ///
    /// # Errors
    /// [`Error::Outputs`] where there is not exactly one.
    ///
    /// ```
    /// // Every variable meets the last one only, which is a group of its own.
    /// let f = |x: &[tape::Var]| {
    ///     let (last, others) = x.split_last().unwrap();
    ///     others.iter().map(|&x| (x * *last).sin()).sum::<tape::Var>()
    /// };
    /// let program = tape::Program::trace(f, &[1.0; 1000])?;
    /// assert_eq!(program.hessian_colors()?, 2);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn hessian_colors(&self) -> Result<usize, Error> {
        self.check_one_output("hessian_colors", "trace one output at a time")?;
        Ok(self.symmetric().colors())
    }

    /// The outputs at `x`, and their Jacobian in the places of [`Program::jacobian_sparsity`].
    ///
    /// It takes as many products of the Jacobian with a vector as there are [colours](Program::jacobian_colors), which
    /// does not depend on its size where its rows, or its columns, are short but for a few. The groups of columns are those
    /// of Curtis, Powell and Reid ("On the estimation of sparse Jacobian matrices", 1974), and rows are found beside them by
    /// star bicolouring (Coleman and Verma, "The efficient computation of sparse Jacobian matrices using automatic
    /// differentiation", 1998; Gebremedhin, Manne and Pothen, "What color is your Jacobian?", 2005): a band with three dense
    /// rows and two dense columns takes the products of the band and five.
    /// Every entry is read from a product, not computed from several. Where there are more than a few, eight products are
    /// computed together. The values are those of [`Program::values`].
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::Diverged`].
    ///
    /// ```
    /// let f = |x: &[tape::Var]| x.windows(2).map(|x| x[0] * x[1]).collect::<Vec<_>>();
    /// let program = tape::Program::trace(f, &[1.0; 4])?;
    /// let (values, jacobian) = program.sparse_jacobian(&[2.0, 3.0, 5.0, 7.0])?;
    /// assert_eq!(values, [6.0, 15.0, 35.0]);
    /// assert_eq!(jacobian.data, [3.0, 2.0,
    ///                                 5.0, 3.0,
    ///                                      7.0, 5.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn sparse_jacobian(&self, x: &[f64]) -> Result<(Vec<f64>, SparseMatrix), Error> {
        self.replay(x, |program, replay| {
            (replay.outputs().collect(), self.jacobian_in_places(program, x, replay))
        })
    }

    /// The Jacobian in this program's places, computed by `program` after a replay: this one, or the exact one.
    pub(in crate::program) fn jacobian_in_places(
        &self,
        program: &Self,
        x: &[f64],
        replay: &mut Replay<'_, f64>,
    ) -> SparseMatrix {
        let pattern = self.jacobian_sparsity();
        let mut data = vec![0.0; pattern.len()];
        let grouping = self.grouping();
        program.groups_of_rows(replay, x, &grouping.rows, &mut data);
        program.groups_of_columns(Of::Jacobian, x, &grouping.columns, &mut data);
        SparseMatrix::new(pattern, data)
    }

    /// The output at `x`, its gradient, and its Hessian in the places of [`Program::hessian_sparsity`], both triangles.
    ///
    /// It takes as many products of the Hessian with a vector as there are [colours](Program::hessian_colors), which
    /// does not depend on its size where every variable meets few others. Where there are more than a few, eight products are
    /// computed together. The value and the gradient are those of [`Program::gradient`].
    ///
    /// **Substitution.** By a star colouring (Gebremedhin, Manne and Pothen, "What color is your Jacobian?", 2005), every
    /// entry is read from a product. By an acyclic colouring (Coleman and Cai, "The cyclic coloring problem and estimation
    /// of sparse Hessian matrices", 1986), some entries are differences: a number of a product, less entries that are known.
    /// That is done where it takes less time: the Hessian of a chain takes two products then, not three. Differences are
    /// rounded. A bound of their errors is computed with them; where it exceeds 2⁻³⁰ of the largest entry in the
    /// entry's row, or in its column, or where something is not finite, which would spread, the products of the star
    /// colouring are computed as well, and all entries are read from these.
    ///
    /// # Errors
    /// As [`Program::value`].
    ///
    /// ```
    /// let f = |x: &[tape::Var]| x.windows(2).map(|x| x[0] * x[0] * x[1]).sum::<tape::Var>();
    /// let program = tape::Program::trace(f, &[1.0; 3])?;
    /// let (value, gradient, hessian) = program.sparse_hessian(&[1.0, 2.0, 3.0])?;
    /// assert_eq!((value, gradient), (14.0, vec![4.0, 13.0, 4.0]));
    /// assert_eq!(hessian.to_dense().data, [4.0, 2.0, 0.0,
    ///                                      2.0, 6.0, 4.0,
    ///                                      0.0, 4.0, 0.0]);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn sparse_hessian(&self, x: &[f64]) -> Result<(f64, Vec<f64>, SparseMatrix), Error> {
        self.check_one_output("sparse_hessian", "trace one output at a time")?;
        // It also checks the guards, by the very values that they are made for.
        let (program, value, gradient) = self.with_gradient(x)?;
        Ok((value, gradient, self.hessian_in_places(program, x, ONE_OUTPUT)))
    }

    /// The Hessian of the outputs' weighted sum in this program's places, computed by `program`: this one, or the exact one.
    pub(in crate::program) fn hessian_in_places(
        &self,
        program: &Self,
        x: &[f64],
        weights: &[(usize, f64)],
    ) -> SparseMatrix {
        let (pattern, symmetric) = (self.hessian_pattern(), self.symmetric());
        let mut data = vec![0.0; pattern.len()];
        if let Some(substituted) = &symmetric.substituted {
            program.groups_of_columns(Of::Hessian(weights), x, &substituted.coloring, &mut data);
            if substituted.substitute(pattern, &mut data) {
                return SparseMatrix::new(pattern, data);
            }
        }
        program.groups_of_columns(Of::Hessian(weights), x, &symmetric.direct, &mut data);
        SparseMatrix::new(pattern, data)
    }

    fn grouping(&self) -> &Grouping {
        let cost = |columns, rows| cost_of_jacobian(columns, rows, &self.code);
        let group = || Grouping::of_jacobian(self.jacobian_sparsity(), cost);
        self.sparse.grouping.get_or_init(group)
    }

    /// Where the Hessian of any output can be other than 0.
    fn hessian_pattern(&self) -> &Pattern {
        self.sparse.hessian.get_or_init(|| hessian_pattern(&self.graph))
    }

    /// Colours for that pattern.
    fn symmetric(&self) -> &Symmetric {
        let cost = |colors| cost_of_columns(colors, &self.code);
        self.sparse.symmetric.get_or_init(|| Symmetric::of_hessian(self.hessian_pattern(), cost))
    }
}
