//! Sparse Jacobians and Hessians of a program: a few sweeps for many columns.

use core::ops::Range;
use std::sync::OnceLock;

use crate::dual::Dual;
use crate::error::Error;
use crate::lanes::Lanes;
use crate::pattern::Pattern;
use crate::program::coloring::{Coloring, Grouping, star_coloring};
use crate::program::graph::sparsity::{hessian_pattern, jacobian_pattern};
use crate::program::machine::optimistic::Optimistic;
use crate::program::machine::{Element, Slots, compute, sweep};
use crate::program::{DualLanes, Kept, LANES, Plain, Program, unit};
use crate::real::Real;
use crate::sparse_matrix::SparseMatrix;

/// The number of several sweeps.
type PlainLanes = Optimistic<Lanes<LANES>>;

/// What sparse derivatives take, found when they are first asked for.
#[derive(Default)]
pub(super) struct Sparse {
    jacobian: OnceLock<Pattern>,
    grouping: OnceLock<Grouping>,
    hessian: OnceLock<Pattern>,
    stars: OnceLock<Coloring>,
    kept_lanes: Kept<PlainLanes>,
    kept_duals: Kept<DualLanes>,
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
    /// Powell and Reid ("On the estimation of sparse Jacobian matrices", 1974). Where there are five or more, eight
    /// products are computed together on [`Lanes`], whose functions like `exp` may differ in the last digits from those
    /// of `f64`; the values are those of [`Program::values`].
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
        let (pattern, grouping) = (self.jacobian_sparsity(), self.grouping());
        let mut data = vec![0.0; pattern.len()];
        let groups = Group::all(grouping.coloring());
        let (singles, others): (Vec<_>, Vec<_>) = groups.partition(Group::is_single);
        let (program, values) = self.replay(x, |program, slots| {
            let values = program.outputs_in(slots);
            if let Grouping::Rows(_) = grouping {
                for group in &singles {
                    program.product_of_rows(slots, group, &mut data);
                }
            }
            (program, values)
        })?;
        match grouping {
            Grouping::Rows(_) if others.is_empty() => {}
            Grouping::Rows(_) => program.sparse.kept_lanes.with(&program.code, |slots| {
                for (slot, &x) in slots.values.iter_mut().zip(x) {
                    *slot = Optimistic(Lanes::splat(x));
                }
                compute(&program.code, &mut slots.values, usize::MAX);
                for group in &others {
                    program.product_of_rows(slots, group, &mut data);
                }
            }),
            Grouping::Columns(_) => {
                for group in &singles {
                    program.product_of_columns(&program.kept_duals, x, group, &mut data);
                }
                for group in &others {
                    program.product_of_columns(&program.sparse.kept_duals, x, group, &mut data);
                }
            }
        }
        Ok((values, SparseMatrix::new(pattern, data)))
    }

    /// The output at `x`, its gradient, and its Hessian in the places of [`Program::hessian_sparsity`], both triangles.
    ///
    /// It takes as many products of the Hessian with a vector as there are [colours](Program::hessian_colors), which
    /// does not depend on its size where every variable meets few others. The groups of columns are those of a star
    /// colouring (Gebremedhin, Manne and Pothen, "What color is your Jacobian?", 2005), and every entry is read from a
    /// product, not computed from several. Where there are five or more, eight products are computed together on
    /// [`Lanes`], whose functions like `exp` may differ in the last digits from those of `f64`; the value and the
    /// gradient are those of [`Program::gradient`].
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
        let (program, value, gradient) = self.with_gradient(x)?;
        let (pattern, coloring) = (self.hessian_sparsity()?, self.stars()?);
        let mut data = vec![0.0; pattern.len()];
        for group in Group::all(coloring) {
            if group.is_single() {
                program.product_of_hessian(&program.kept_duals, x, &group, &mut data);
            } else {
                program.product_of_hessian(&program.sparse.kept_duals, x, &group, &mut data);
            }
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

    /// Finds entries of the Jacobian by a sweep from the sums of some groups of rows, after a replay.
    fn product_of_rows<T: Together + Element>(
        &self,
        slots: &mut Slots<T>,
        group: &Group<'_>,
        data: &mut [f64],
    ) {
        let outputs = (0..self.outputs()).filter_map(|output| Some((output, group.seed(output)?)));
        let seeds: Vec<(usize, T)> = outputs.collect();
        let mut product = vec![T::from_f64(0.0); self.inputs()];
        sweep(&self.code, slots, &seeds, |input, derivative| product[input] = derivative);
        group.read(data, |input| product[input]);
    }

    /// Finds entries of the Jacobian by a replay on dual numbers, in the directions of some groups of columns.
    fn product_of_columns<T: Together>(
        &self,
        kept: &Kept<Dual<T>>,
        x: &[f64],
        group: &Group<'_>,
        data: &mut [f64],
    ) where
        Dual<T>: Element,
    {
        kept.with(&self.code, |slots| {
            let point = group.directions(x);
            slots.values[..x.len()].copy_from_slice(&point);
            compute(&self.code, &mut slots.values, usize::MAX);
            let outputs = self.code.outputs.iter();
            let mut outputs: Vec<Dual<T>> =
                outputs.map(|output| slots.values[output.value as usize]).collect();
            if !outputs.iter().all(|&output| Element::is_finite(output)) {
                outputs = self.outputs_by_the_rules(&point);
            }
            group.read(data, |output| outputs[output].tangent);
        });
    }

    /// Finds entries of the Hessian by a replay on dual numbers, in the directions of some groups of columns, and a sweep.
    fn product_of_hessian<T: Together>(
        &self,
        kept: &Kept<Dual<T>>,
        x: &[f64],
        group: &Group<'_>,
        data: &mut [f64],
    ) where
        Dual<T>: Element,
    {
        kept.with(&self.code, |slots| {
            slots.values[..x.len()].copy_from_slice(&group.directions(x));
            compute(&self.code, &mut slots.values, usize::MAX);
            let mut product = vec![T::from_f64(0.0); x.len()];
            let one = Dual::from_f64(1.0);
            sweep(&self.code, slots, &[(0, one)], |input, derivative: Dual<T>| {
                product[input] = derivative.tangent;
            });
            group.read(data, |input| product[input]);
        });
    }
}

/// The colours that go through the machine together.
struct Group<'a> {
    coloring: &'a Coloring,
    colors: Range<usize>,
}

impl<'a> Group<'a> {
    /// As many colours as a number has lanes. A few that are left over go one by one: that takes less memory, and less
    /// time than lanes that carry nothing.
    fn all(coloring: &'a Coloring) -> impl Iterator<Item = Self> {
        const FEW: usize = 4;
        let (count, rest) = (coloring.colors(), coloring.colors() % LANES);
        let together = if rest <= FEW { count - rest } else { count };
        let several = (0..together).step_by(LANES).map(move |c| c..together.min(c + LANES));
        let single = (together..count).map(|color| color..color + 1);
        several.chain(single).map(move |colors| Self { coloring, colors })
    }

    fn is_single(&self) -> bool {
        self.colors.len() == 1
    }

    /// 1 in the lane of its colour, for a column or row that has one in the group.
    fn seed<T: Together>(&self, position: usize) -> Option<T> {
        let color = self.coloring.color_of[position] as usize;
        let lane = || color - self.colors.start;
        self.colors.contains(&color).then(|| T::unit(lane()))
    }

    /// The point, with a colour's direction in each lane: the sum of its columns' unit vectors.
    fn directions<T: Together>(&self, x: &[f64]) -> Vec<Dual<T>> {
        let tangent = |input| self.seed(input).unwrap_or(T::from_f64(0.0));
        let dual = |(input, &x)| Dual::new(T::from_f64(x), tangent(input));
        x.iter().enumerate().map(dual).collect()
    }

    /// Takes the entries that are found in the products.
    fn read<T: Together>(&self, data: &mut [f64], product: impl Fn(usize) -> T) {
        for (lane, color) in self.colors.clone().enumerate() {
            for read in &self.coloring.reads[color] {
                let entry = product(read.place).lane(lane);
                data[read.entry] = entry;
                data[read.mirror] = entry;
            }
        }
    }
}

/// A number in which one or more plain numbers go through the machine together.
trait Together: Real {
    /// 1 in one lane, 0 in the others.
    fn unit(lane: usize) -> Self;
    fn lane(&self, lane: usize) -> f64;
}

impl Together for Plain {
    fn unit(_: usize) -> Self {
        Optimistic(1.0)
    }

    #[inline]
    fn lane(&self, _: usize) -> f64 {
        self.0
    }
}

impl Together for PlainLanes {
    fn unit(lane: usize) -> Self {
        Optimistic(unit(lane))
    }

    #[inline]
    fn lane(&self, lane: usize) -> f64 {
        self.0.0[lane]
    }
}
