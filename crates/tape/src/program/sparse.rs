//! Sparse Jacobians and Hessians of a program: a few sweeps for many columns.

use core::array;
use std::sync::OnceLock;

use crate::derivative::coloring::{Coloring, Grouping, star_coloring};
use crate::derivative::sparsity::{hessian_pattern, jacobian_pattern};
use crate::dual::Dual;
use crate::error::Error;
use crate::lanes::Lanes;
use crate::pattern::Pattern;
use crate::program::interpret::{Element, Slots};
use crate::program::{Kept, Program, forward, sweep};
use crate::real::Real;
use crate::sparse_matrix::SparseMatrix;

/// What sparse derivatives take, found when they are first asked for.
#[derive(Default)]
pub(super) struct Sparse {
    jacobian: OnceLock<Pattern>,
    grouping: OnceLock<Grouping>,
    hessian: OnceLock<Pattern>,
    stars: OnceLock<Coloring>,
    kept_4: Kept<Dual<Lanes<4>>>,
    kept_8: Kept<Dual<Lanes<8>>>,
}

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
        self.assert_one_output("hessian_sparsity", "trace one output at a time")?;
        Ok(self.sparse.hessian.get_or_init(|| hessian_pattern(&self.graph)))
    }

    /// The number of groups of columns, or of rows, in which [`Program::sparse_jacobian`] finds the entries: what it
    /// costs, in products of the Jacobian with a vector. Columns are in one group where no row meets two of them.
    ///
    /// It is at least the largest number of entries in a row, or in a column where the groups are of rows, and seldom
    /// much more. The groups are formed at the first call, and kept.
    ///
    /// ```
    /// let differences = |x: &[tape::Var]| x.windows(2).map(|x| x[1] - x[0]).collect::<Vec<_>>();
    /// let program = tape::Program::trace(differences, &[0.0; 1000])?;
    /// assert_eq!(program.jacobian_colors(), 2);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn jacobian_colors(&self) -> usize {
        self.grouping().coloring().colors()
    }

    /// The number of groups of columns in which [`Program::sparse_hessian`] finds the entries: what it costs, in
    /// products of the Hessian with a vector. The groups are formed at the first call, and kept.
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
        Ok(self.stars()?.colors())
    }

    /// The outputs at `x`, and their Jacobian in the places of [`Program::jacobian_sparsity`].
    ///
    /// It takes as many products of the Jacobian with a vector as there are [colours](Program::jacobian_colors), which
    /// does not depend on its size where its rows, or its columns, are short. The groups of columns are those of Curtis,
    /// Powell and Reid ("On the estimation of sparse Jacobian matrices", 1974). Where they are groups of columns, eight
    /// products are computed together on [`Lanes`], whose functions like `exp` may differ in the last digits from those
    /// of [`Program::jacobian`].
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
        let pattern = self.jacobian_sparsity();
        let mut data = vec![0.0; pattern.len()];
        let values = self.kept.with(&self.code, |slots| {
            self.replay(slots, x)?;
            let values = (0..self.outputs()).map(|output| self.output(slots, output)).collect();
            if let Grouping::Rows(coloring) = self.grouping() {
                self.row_products(slots, coloring, &mut data);
            }
            Ok(values)
        })?;
        if let Grouping::Columns(coloring) = self.grouping() {
            let mut first = 0;
            while first < coloring.colors() {
                let directions = Directions { x, coloring, first };
                first += match coloring.colors() - first {
                    1 => self.column_products(&self.kept_duals, &directions, &mut data),
                    2..=4 => self.column_products(&self.sparse.kept_4, &directions, &mut data),
                    _ => self.column_products(&self.sparse.kept_8, &directions, &mut data),
                };
            }
        }
        Ok((values, SparseMatrix::new(pattern, data)))
    }

    /// The output at `x`, its gradient, and its Hessian in the places of [`Program::hessian_sparsity`], both triangles.
    ///
    /// It takes as many products of the Hessian with a vector as there are [colours](Program::hessian_colors), which
    /// does not depend on its size where every variable meets few others. The groups of columns are those of a star
    /// colouring (Gebremedhin, Manne and Pothen, "What color is your Jacobian?", 2005), and every entry is read from a
    /// product, not computed from several. Eight products are computed together on [`Lanes`], whose functions like
    /// `exp` may differ in the last digits from those of [`Program::hessian_vector`]; the value and the gradient are
    /// those of [`Program::gradient`].
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
        self.assert_one_output("sparse_hessian", "trace one output at a time")?;
        // It also checks the guards, by the very values that they are made for.
        let (value, gradient) = self.gradient(x)?;
        let (pattern, coloring) = (self.hessian_sparsity()?, self.stars()?);
        let mut data = vec![0.0; pattern.len()];
        let mut first = 0;
        while first < coloring.colors() {
            let directions = Directions { x, coloring, first };
            first += match coloring.colors() - first {
                1 => self.hessian_products(&self.kept_duals, &directions, &mut data),
                2..=4 => self.hessian_products(&self.sparse.kept_4, &directions, &mut data),
                _ => self.hessian_products(&self.sparse.kept_8, &directions, &mut data),
            };
        }
        Ok((value, gradient, SparseMatrix::new(pattern, data)))
    }

    fn grouping(&self) -> &Grouping {
        let group = || Grouping::of_jacobian(self.jacobian_sparsity());
        self.sparse.grouping.get_or_init(group)
    }

    fn stars(&self) -> Result<&Coloring, Error> {
        self.assert_one_output("hessian_colors", "trace one output at a time")?;
        let pattern = self.hessian_sparsity()?;
        Ok(self.sparse.stars.get_or_init(|| star_coloring(pattern)))
    }

    /// Finds the entries of the Jacobian by the sums of some rows, after a replay.
    fn row_products(&self, slots: &mut Slots<f64>, coloring: &Coloring, data: &mut [f64]) {
        let mut seeds: Vec<Vec<(usize, f64)>> = vec![Vec::new(); coloring.colors()];
        for (output, &color) in coloring.color_of.iter().enumerate() {
            if let Some(seeds) = seeds.get_mut(color as usize) {
                seeds.push((output, 1.0));
            }
        }
        let mut product = vec![0.0; self.inputs()];
        for (seeds, reads) in seeds.iter().zip(&coloring.reads) {
            self.sweep(slots, seeds, &mut product);
            for read in reads {
                data[read.entry] = product[read.place];
            }
        }
    }

    /// Finds entries of the Jacobian by its products with directions. Returns how many directions.
    fn column_products<T: Together>(
        &self,
        kept: &Kept<Dual<T>>,
        directions: &Directions<'_>,
        data: &mut [f64],
    ) -> usize
    where
        Dual<T>: Element,
    {
        kept.with(&self.code, |slots| {
            directions.write_to(&mut slots.values);
            forward(&self.code, &mut slots.values);
            let tangent =
                |output: usize| slots.values[self.code.outputs[output].value as usize].tangent;
            directions.read(tangent, data);
        });
        T::LANES
    }

    /// Finds entries of the Hessian by its products with directions. Returns how many directions.
    fn hessian_products<T: Together>(
        &self,
        kept: &Kept<Dual<T>>,
        directions: &Directions<'_>,
        data: &mut [f64],
    ) -> usize
    where
        Dual<T>: Element,
    {
        kept.with(&self.code, |slots| {
            directions.write_to(&mut slots.values);
            forward(&self.code, &mut slots.values);
            let mut products = vec![Dual::from_f64(0.0); self.inputs()];
            sweep(&self.code, slots, &[(0, Dual::from_f64(1.0))], &mut products);
            directions.read(|input| products[input].tangent, data);
        });
        T::LANES
    }
}

/// A point, and the directions of the colours from `first` on, of which as many are taken as a number has lanes.
struct Directions<'a> {
    x: &'a [f64],
    coloring: &'a Coloring,
    first: usize,
}

impl Directions<'_> {
    /// Sets the inputs' slots: a direction is the sum of its colour's unit vectors.
    fn write_to<T: Together>(&self, slots: &mut [Dual<T>]) {
        for ((slot, &x), &color) in slots.iter_mut().zip(self.x).zip(&self.coloring.color_of) {
            let is_in = |lane: usize| color as usize == self.first + lane;
            *slot = Dual::new(T::from_f64(x), T::of_lanes(|lane| f64::from(u8::from(is_in(lane)))));
        }
    }

    /// Takes the entries that are found in the products with these directions.
    fn read<T: Together>(&self, product: impl Fn(usize) -> T, data: &mut [f64]) {
        for (lane, reads) in self.coloring.reads[self.first..].iter().take(T::LANES).enumerate() {
            for read in reads {
                let entry = product(read.place).lane(lane);
                data[read.entry] = entry;
                data[read.mirror] = entry;
            }
        }
    }
}

/// A number in which [`Real::LANES`] plain numbers go through the machine together.
trait Together: Real {
    fn of_lanes(number: impl Fn(usize) -> f64) -> Self;
    fn lane(&self, lane: usize) -> f64;
}

impl Together for f64 {
    fn of_lanes(number: impl Fn(usize) -> f64) -> Self {
        number(0)
    }

    fn lane(&self, _: usize) -> f64 {
        *self
    }
}

impl<const N: usize> Together for Lanes<N> {
    fn of_lanes(number: impl Fn(usize) -> f64) -> Self {
        Self(array::from_fn(number))
    }

    fn lane(&self, lane: usize) -> f64 {
        self.0[lane]
    }
}
