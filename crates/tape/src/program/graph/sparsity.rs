//! Which entries of a Jacobian or a Hessian can be other than 0, found from the operations alone.
//!
//! An output depends on the inputs that reach it through partials that are not 0 everywhere. Two inputs meet in a Hessian
//! where an operation curves in both (Walther, "Computing sparse Hessians with automatic differentiation", 2008): then the
//! derivative by one of them depends on the other. So both patterns are rows of inputs that something depends on: outputs
//! in the function's own graph, derivatives by inputs in the gradient's. See [`rows`].

mod rows;

use crate::op::Op;
use crate::pattern::Pattern;
use crate::program::graph::sparsity::rows::{Dependencies, rows};
use crate::program::graph::{Graph, Id, Node};

/// Where the Jacobian can be other than 0: a row for each output, a column for each input.
pub(crate) fn jacobian_pattern(graph: &Graph) -> Pattern {
    rows(graph, &graph.outputs)
}

/// Where the Hessian of any output can be other than 0: symmetric, with both triangles.
pub(crate) fn hessian_pattern(graph: &Graph) -> Pattern {
    let gradient = Gradient::of(graph);
    rows(&gradient, &gradient.of_inputs())
}

/// A node depends on the operands that it varies with.
impl Dependencies for Graph {
    fn inputs(&self) -> usize {
        self.inputs()
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn sources(&self, vertex: Id) -> &[Id] {
        self.varying_operands(vertex)
    }
}

/// What the adjoints of a graph's nodes depend on. Its vertices are the nodes, in their order, and then their adjoints, in
/// the opposite one. An adjoint depends on those of the operations that use its node, and on what their partials vary with.
///
/// In it, a Hessian's row needs the sets of what is curved only: that of a sum over all variables, which would be as large
/// as the problem, is never formed.
struct Gradient<'a> {
    graph: &'a Graph,
    /// What each adjoint depends on, one after the other, and where each one's begins and the last one's ends.
    sources: Vec<Id>,
    starts: Vec<u32>,
}

impl<'a> Gradient<'a> {
    fn of(graph: &'a Graph) -> Self {
        let curves = Curves::of(graph);
        let mut gradient = Self { graph, sources: Vec::new(), starts: vec![0; graph.len() + 1] };
        let mut depends = vec![false; graph.len()];
        // A list's length stands at first where it begins, then where it ends; filling it takes that down again.
        curves.each_source(&mut depends, |node, _| {
            let position = gradient.position(node);
            gradient.starts[position] += 1;
        });
        let mut end = 0;
        for start in &mut gradient.starts {
            end += *start;
            *start = end;
        }
        gradient.sources = vec![Id(0); end as usize];
        curves.each_source(&mut depends, |node, source| {
            let position = gradient.position(node);
            gradient.starts[position] -= 1;
            gradient.sources[gradient.starts[position] as usize] = match source {
                Source::Node(id) => id,
                Source::Adjoint(id) => gradient.adjoint(id),
            };
        });
        gradient
    }

    /// The adjoints of the inputs.
    fn of_inputs(&self) -> Vec<Id> {
        self.graph.ids().take(self.graph.inputs()).map(|input| self.adjoint(input)).collect()
    }

    /// The place of a node's adjoint among the adjoints.
    fn position(&self, node: Id) -> usize {
        self.graph.len() - 1 - node.index()
    }

    /// The vertex that is a node's adjoint.
    fn adjoint(&self, node: Id) -> Id {
        Id((self.graph.len() + self.position(node)) as u32)
    }
}

impl Dependencies for Gradient<'_> {
    fn inputs(&self) -> usize {
        self.graph.inputs()
    }

    fn len(&self) -> usize {
        2 * self.graph.len()
    }

    fn sources(&self, vertex: Id) -> &[Id] {
        match vertex.index().checked_sub(self.graph.len()) {
            None => self.graph.varying_operands(vertex),
            Some(position) => {
                let [start, end] = [self.starts[position], self.starts[position + 1]];
                &self.sources[start as usize..end as usize]
            }
        }
    }
}

/// What an adjoint depends on.
enum Source {
    /// What a partial varies with.
    Node(Id),
    Adjoint(Id),
}

/// A graph, and the nodes that its outputs vary with and that vary themselves.
struct Curves<'a> {
    graph: &'a Graph,
    varied: Vec<bool>,
    active: Vec<bool>,
}

impl<'a> Curves<'a> {
    fn of(graph: &'a Graph) -> Self {
        let varied = graph.varying_with(|_| true);
        let mut active = reached_from(graph, &graph.outputs);
        for (active, varied) in active.iter_mut().zip(&varied) {
            *active &= varied;
        }
        Self { graph, varied, active }
    }

    /// What the adjoints of nodes depend on, from the outputs to the inputs: pairs of a node and a source. `depends` notes
    /// whose depend on anything at all: the adjoint of a sum's term, say, does not.
    fn each_source(&self, depends: &mut [bool], mut each: impl FnMut(Id, Source)) {
        let varies = |id: &Id| self.varied[id.index()];
        for id in self.graph.ids().rev().filter(|id| self.active[id.index()]) {
            let curvature = match self.graph.node(id) {
                Node::Operation { op, .. } => Curvature::of(op),
                // Where results name what they depend on, nothing depends on the call itself.
                Node::Call { .. } | Node::Result { count: 1.., .. } => Curvature::Full,
                Node::Result { .. } => Curvature::None,
                Node::Input(_) | Node::Constant(_) => continue,
            };
            let mut add = |node: Id, source: Source| {
                depends[node.index()] = true;
                each(node, source);
            };
            let operands = self.graph.operands(id);
            let varying = || self.graph.varying_operands(id).iter().copied().filter(varies);
            match curvature {
                Curvature::None => {}
                Curvature::Products => {
                    for pair in
                        factors(self.graph.op(id), operands).filter(|pair| pair.iter().all(varies))
                    {
                        add(pair[0], Source::Node(pair[1]));
                        add(pair[1], Source::Node(pair[0]));
                    }
                }
                Curvature::Quotient => {
                    let [dividend, divisor] = [operands[0], operands[1]];
                    if varies(&divisor) {
                        add(divisor, Source::Node(divisor));
                        if varies(&dividend) {
                            add(dividend, Source::Node(divisor));
                            add(divisor, Source::Node(dividend));
                        }
                    }
                }
                Curvature::Full => varying().for_each(|operand| add(operand, Source::Node(id))),
            }
            if depends[id.index()] {
                for operand in varying() {
                    depends[operand.index()] = true;
                    each(operand, Source::Adjoint(id));
                }
            }
        }
    }
}

/// How an operation's second derivatives are distributed.
#[derive(Clone, Copy)]
enum Curvature {
    /// They are 0, but at kinks.
    None,
    /// The operation adds up products: factors meet each other. See [`factors`].
    Products,
    /// The divisor meets the dividend and itself.
    Quotient,
    /// Any operand may meet any other, and itself.
    Full,
}

impl Curvature {
    #[rustfmt::skip]
    fn of(op: Op) -> Self {
        match op {
            // Linear; piecewise linear (what a remainder subtracts is the divisor, an integer number of times);
            // piecewise constant.
            Op::Neg | Op::Add | Op::Sub | Op::Sum
            | Op::Abs | Op::Relu | Op::Max | Op::Min | Op::Clamp | Op::Select | Op::Rem
            | Op::Cofactor | Op::Tip => Self::None,
            op if op.is_flat() => Self::None,
            Op::Mul | Op::Dot | Op::MulAdd | Op::Chain => Self::Products,
            Op::Div => Self::Quotient,
            _ => Self::Full,
        }
    }
}

/// The pairs of factors of an operation of [`Curvature::Products`].
fn factors(op: Option<Op>, operands: &[Id]) -> impl Iterator<Item = &[Id]> {
    let factors = match op {
        Some(Op::MulAdd) => &operands[..2],
        _ => &operands[operands.len() % 2..],
    };
    factors.chunks_exact(2)
}

/// Which nodes one of these varies with, themselves included.
fn reached_from(graph: &Graph, outputs: &[Id]) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    for output in outputs {
        reached[output.index()] = true;
    }
    for id in graph.ids().rev() {
        if reached[id.index()] {
            for operand in graph.varying_operands(id).iter().copied() {
                reached[operand.index()] = true;
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use smallvec::SmallVec;

    use super::rows::{Limits, rows_within};
    use super::*;
    use crate::program::Program;
    use crate::program::graph::builder::Passes;
    use crate::program::graph::trace::{Extent, trace};
    use crate::var::Var;

    /// The rows with sets of all vertices, of those alone that are small, and without sets.
    fn by_all_ways(graph: &impl Dependencies, outputs: &[Id]) -> [Pattern; 3] {
        let limits = [(usize::MAX, 0), (2, 1), (0, 0)];
        limits.map(|(small, budget)| rows_within(graph, outputs, Limits { small, budget }))
    }

    fn hessian(inputs: usize, f: impl FnOnce(&[Var]) -> Var) -> String {
        let program = Program::trace(f, &vec![0.5; inputs]).unwrap();
        program.hessian_sparsity().unwrap().to_string()
    }

    fn jacobian(inputs: usize, f: impl FnOnce(&[Var]) -> Vec<Var>) -> String {
        let program = Program::trace(f, &vec![0.5; inputs]).unwrap();
        program.jacobian_sparsity().to_string()
    }

    #[test]
    fn linear_operations_do_not_curve() {
        assert_eq!(hessian(2, |x| -(x[0] - x[1] * 3.0 + 1.0) / 2.0), "··\n··");
    }

    #[test]
    fn piecewise_linear_operations_do_not_curve() {
        let f = |x: &[Var]| {
            let clamped = x[0].clamp(x[1], Var::constant(2.0));
            clamped + x[0].max(x[1]).abs() + x[1].relu().min(x[0]) + x[0] % (x[1] + 1.0)
        };
        assert_eq!(hessian(2, f), "··\n··");
    }

    #[test]
    fn factors_meet_each_other_but_not_themselves() {
        assert_eq!(hessian(2, |x| x[0] * x[1]), "·█\n█·");
        assert_eq!(hessian(3, |x| x[0].mul_add(x[1], x[2])), "·█·\n█··\n···");
        assert_eq!(hessian(3, |x| (x[0] + x[1]) * x[2]), "··█\n··█\n██·");
    }

    #[test]
    fn a_square_meets_itself() {
        assert_eq!(hessian(2, |x| x[0] * x[0] + x[1]), "█·\n··");
        assert_eq!(hessian(3, |x| (x[0] + x[1]) * (x[1] + x[2])), "·██\n███\n██·");
    }

    #[test]
    fn a_dividend_is_linear_and_a_divisor_is_not() {
        assert_eq!(hessian(2, |x| x[0] / x[1]), "·█\n██");
        assert_eq!(hessian(2, |x| x[0] + 2.0 / x[1]), "··\n·█");
    }

    #[test]
    fn a_dot_product_pairs_its_operands() {
        let f = |x: &[Var]| crate::dot(&[x[0], x[1], x[2]], &[x[3], Var::constant(2.0), x[2]]);
        assert_eq!(hessian(4, f), "···█\n····\n··█·\n█···");
    }

    #[test]
    fn a_logarithm_of_a_sum_of_exponentials_meets_all_its_terms() {
        assert_eq!(hessian(3, |x| crate::log_sum_exp(&x[..2]) + x[2]), "██·\n██·\n···");
    }

    #[test]
    fn what_is_curved_and_then_rounded_does_not_count() {
        assert_eq!(hessian(2, |x| x[0].exp().floor() * x[1]), "··\n··");
        assert_eq!(hessian(2, |x| crate::select(x[0].exp(), x[1], x[1].sin())), "··\n·█");
    }

    #[test]
    fn a_rounded_factor_is_a_constant() {
        assert_eq!(hessian(2, |x| x[0].round() * x[1].sin()), "··\n·█");
    }

    #[test]
    fn outputs_depend_on_what_their_partials_reach() {
        let f = |x: &[Var]| {
            let chosen = crate::select(x[0], x[1], x[2]);
            vec![x[1], Var::constant(1.0), x[0].signum() * x[2], chosen, x[0].powi(2) + x[2].ceil()]
        };
        assert_eq!(jacobian(3, f), "·█·\n···\n··█\n·██\n█··");
    }

    #[test]
    fn all_ways_to_a_jacobian_agree() {
        let f = |x: &[Var]| (0..300).map(|i| x[i].sin() * x[(7 * i) % 300]).collect::<Vec<_>>();
        let graph = trace(f, &[0.5; 300], Extent::All, Passes::None).unwrap().graph;
        let [sets, mixed, search] = by_all_ways(&graph, &graph.outputs);
        assert_eq!(sets, search);
        assert_eq!(sets, mixed);
        assert_eq!(sets.row(1), [1, 7]);
    }

    /// The sums of the first 1, 2, 3, … of some variables.
    fn partial_sums(x: &[Var]) -> Vec<Var> {
        let running = x.iter().scan(Var::constant(0.0), |sum, &x| {
            *sum = (*sum + x).sin();
            Some(*sum)
        });
        running.collect()
    }

    #[test]
    fn long_rows_are_found_by_search() {
        let graph = trace(partial_sums, &[0.5; 1000], Extent::All, Passes::None).unwrap().graph;
        assert_eq!(jacobian_pattern(&graph).len(), 1000 * 1001 / 2);
    }

    #[test]
    fn a_long_chain_beside_short_rows_takes_no_time() {
        let n = 100_000;
        let f = |x: &[Var]| {
            let last = partial_sums(x)[n - 1];
            x.iter().map(|&x| x.sin()).chain([last]).collect::<Vec<_>>()
        };
        let graph = trace(f, &vec![0.5; n], Extent::Needed, Passes::None).unwrap().graph;
        assert_eq!(jacobian_pattern(&graph).len(), 2 * n);
    }

    #[test]
    fn the_partial_sums_of_a_sparse_hessian_take_no_time() {
        // The first variable meets all the others, and none of these meets another.
        let n = 100_000;
        let places = |f: &dyn Fn(&[Var]) -> Vec<Var>| {
            let trace =
                trace(|x: &[Var]| crate::sum(&f(x)), &vec![0.5; n], Extent::Needed, Passes::None);
            hessian_pattern(&trace.unwrap().graph).len()
        };
        let sums = |x: &[Var]| {
            let mut sum = x[1];
            let term = |&z: &Var| {
                sum += z;
                sum * x[0]
            };
            x[2..].iter().map(term).collect()
        };
        assert_eq!(places(&sums), 2 * (n - 1));
        let multiples = |x: &[Var]| {
            let mut multiple = x[0];
            let term = |&z: &Var| {
                multiple = -(multiple * 0.5 + 1.0);
                multiple * z
            };
            x[1..].iter().map(term).collect()
        };
        assert_eq!(places(&multiples), 2 * (n - 1));
    }

    /// Every entry that is not 0 is in its place, in random graphs over all operations.
    #[cfg(feature = "proptest")]
    mod random {
        use proptest::collection::vec;
        use proptest::prelude::*;
        use proptest::sample::select;

        use super::*;
        use crate::dual::Dual;

        const INPUTS: usize = 5;

        #[derive(Clone, Debug)]
        struct Step {
            op: Op,
            operands: Vec<usize>,
        }

        fn steps() -> impl Strategy<Value = Vec<Step>> {
            let slices = [Op::Sum, Op::Dot, Op::Norm, Op::Weight];
            let simple = [Op::Add, Op::Sub, Op::Mul, Op::Div];
            let ops = [Op::ALL, &slices, &slices, &simple, &simple, &simple].concat();
            let step = (select(ops), vec(0..1000_usize, 3..7));
            vec(step.prop_map(|(op, operands)| Step { op, operands }), 1..12)
        }

        /// Operands are taken from constants, inputs and earlier nodes, the later ones more often.
        fn graph(steps: &[Step], outputs: usize) -> Graph {
            let mut graph = Graph::new(INPUTS);
            let mut pool: Vec<Id> = [0.5, -2.0].map(|constant| graph.constant(constant)).to_vec();
            pool.extend((0..INPUTS as u32).map(Id));
            for Step { op, operands } in steps {
                let arity = op.arity().unwrap_or(operands.len());
                // Every other operand is one of the last three.
                let among = |place: usize| if place.is_multiple_of(2) { 3 } else { pool.len() };
                let place = |&place: &usize| pool[pool.len() - 1 - place / 2 % among(place)];
                let mut operands: SmallVec<[Id; 8]> = operands[..arity].iter().map(place).collect();
                if op.takes_integer() {
                    operands[1] = graph.constant(2.0);
                }
                if *op == Op::Weight {
                    operands[1] = graph.push(Op::Largest, &operands);
                    operands.truncate(2);
                }
                pool.push(graph.push(*op, &operands));
            }
            graph.outputs = pool[pool.len().saturating_sub(outputs)..].to_vec();
            graph
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(2000))]

            #[test]
            fn jacobians_keep_to_their_pattern(
                steps in steps(),
                x in vec(-2.0..2.0_f64, INPUTS),
            ) {
                let graph = graph(&steps, 4);
                for pattern in by_all_ways(&graph, &graph.outputs) {
                    for column in 0..INPUTS {
                        let unit = |i| f64::from(u8::from(i == column));
                        let x: Vec<Dual> =
                            x.iter().enumerate().map(|(i, &x)| Dual::new(x, unit(i))).collect();
                        let values = graph.evaluate(&x);
                        for (row, output) in graph.outputs.iter().enumerate() {
                            let entry = values[output.index()].tangent;
                            prop_assert!(
                                entry == 0.0 || pattern.contains(row, column),
                                "entry ({row}, {column}) is {entry}: {pattern:?}\n{graph}"
                            );
                        }
                    }
                }
            }

            #[test]
            fn hessians_keep_to_their_pattern(
                steps in steps(),
                x in vec(-2.0..2.0_f64, INPUTS),
            ) {
                let graph = graph(&steps, 1);
                let pattern = hessian_pattern(&graph);
                let gradient = Gradient::of(&graph);
                for way in by_all_ways(&gradient, &gradient.of_inputs()) {
                    prop_assert_eq!(&way, &pattern);
                }
                prop_assert_eq!(&pattern, &pattern.transposed());
                for row in 0..INPUTS {
                    for column in 0..INPUTS {
                        let unit = |i, j| f64::from(u8::from(i == j));
                        let dual = |(i, &x)| {
                            Dual::new(Dual::new(x, unit(i, row)), Dual::new(unit(i, column), 0.0))
                        };
                        let x: Vec<Dual<Dual>> = x.iter().enumerate().map(dual).collect();
                        let entry = graph.evaluate(&x)[graph.outputs[0].index()].tangent.tangent;
                        prop_assert!(
                            entry == 0.0 || pattern.contains(row, column),
                            "entry ({row}, {column}) is {entry}: {pattern:?}\n{graph}"
                        );
                    }
                }
            }
        }
    }
}
