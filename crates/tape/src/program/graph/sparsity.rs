//! Which entries of a Jacobian or a Hessian can be other than 0, found from the operations alone.
//!
//! Inputs are carried through the graph as sets: an output depends on those that reach it through partials that are
//! not 0 everywhere, and two inputs meet in a Hessian where an operation curves in both (Walther, "Computing sparse
//! Hessians with automatic differentiation", 2008). A Hessian needs the sets of what is curved only: that of a sum over
//! all variables, which would be as large as the problem, is never formed.

use std::collections::HashSet;

use indexmap::IndexSet;
use smallvec::SmallVec;

use crate::op::Op;
use crate::pattern::Pattern;
use crate::program::graph::{Graph, Id, Node};

/// Where the Jacobian can be other than 0: a row for each output, a column for each input.
pub(crate) fn jacobian_pattern(graph: &Graph) -> Pattern {
    // A few outputs are quickly searched backwards. Of many, each usually depends on a few inputs; where it does not,
    // the sets grow too large, and searching is again the better way.
    let sets = if graph.outputs.len() > 4 * WORD { rows_by_sets(graph) } else { None };
    sets.unwrap_or_else(|| rows_by_search(graph))
}

/// How many outputs are searched from at a time.
const WORD: usize = u64::BITS as usize;

/// The elements of sets that may be formed, for each node.
const BUDGET: usize = 64;

/// The inputs that each output depends on, as the sets of all nodes. `None` where they get too large.
fn rows_by_sets(graph: &Graph) -> Option<Pattern> {
    let mut sets = Sets::new(graph.inputs());
    let needed = reached_from(graph, &graph.outputs);
    let of_nodes = sets.of_nodes(graph, &needed, BUDGET * graph.len())?;
    let rows = graph.outputs.iter().map(|output| sets.elements(of_nodes[output.index()]));
    Some(Pattern::from_rows(graph.inputs(), rows.map(|row| row.iter().map(|&i| i as usize))))
}

/// The same, from the outputs to the inputs: each node has a bit for each of some outputs that depend on it.
fn rows_by_search(graph: &Graph) -> Pattern {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); graph.outputs.len()];
    for (outputs, rows) in graph.outputs.chunks(WORD).zip(rows.chunks_mut(WORD)) {
        let mut reached = vec![0_u64; graph.len()];
        for (bit, output) in outputs.iter().enumerate() {
            reached[output.index()] |= 1 << bit;
        }
        for id in graph.ids().rev() {
            let bits = reached[id.index()];
            if bits != 0 {
                for operand in graph.varying_operands(id).iter().copied() {
                    reached[operand.index()] |= bits;
                }
            }
        }
        for (input, &bits) in reached[..graph.inputs()].iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                rows[bits.trailing_zeros() as usize].push(input);
                bits &= bits - 1;
            }
        }
    }
    Pattern::from_rows(graph.inputs(), rows)
}

/// Where the Hessian of any output can be other than 0: symmetric, with both triangles.
pub(crate) fn hessian_pattern(graph: &Graph) -> Pattern {
    let varied = graph.varying_with(|_| true);
    let mut active = reached_from(graph, &graph.outputs);
    for (active, varied) in active.iter_mut().zip(&varied) {
        *active &= varied;
    }
    let both_vary = |pair: &[Id]| pair.iter().all(|factor| varied[factor.index()]);

    let mut needed = vec![false; graph.len()];
    for id in graph.ids().rev() {
        let Some(op) = graph.op(id).filter(|_| active[id.index()] || needed[id.index()]) else {
            continue;
        };
        let operands = graph.operands(id);
        if active[id.index()] {
            match Curvature::of(op) {
                Curvature::None => {}
                Curvature::Products => {
                    for factor in factors(op, operands).filter(|pair| both_vary(pair)).flatten() {
                        needed[factor.index()] = true;
                    }
                }
                Curvature::Quotient => {
                    let is_curved = varied[operands[1].index()];
                    needed[operands[0].index()] |= is_curved;
                    needed[operands[1].index()] |= is_curved;
                }
                Curvature::Full => needed[id.index()] = true,
            }
        }
        if needed[id.index()] {
            for operand in graph.varying_operands(id).iter().copied() {
                needed[operand.index()] = true;
            }
        }
    }

    let mut sets = Sets::new(graph.inputs());
    let of_nodes = sets.of_nodes(graph, &needed, usize::MAX).unwrap_or_default();
    let set = |id: Id| of_nodes[id.index()];
    let mut meetings = Meetings::default();
    for id in graph.ids().filter(|id| active[id.index()]) {
        let Some(op) = graph.op(id) else { continue };
        let operands = graph.operands(id);
        match Curvature::of(op) {
            Curvature::None => {}
            Curvature::Products => {
                for pair in factors(op, operands).filter(|pair| both_vary(pair)) {
                    meetings.add(set(pair[0]), set(pair[1]));
                }
            }
            Curvature::Quotient => {
                meetings.add(set(operands[0]), set(operands[1]));
                meetings.add(set(operands[1]), set(operands[1]));
            }
            Curvature::Full => meetings.add(set(id), set(id)),
        }
    }
    meetings.pattern(&sets)
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
fn factors(op: Op, operands: &[Id]) -> impl Iterator<Item = &[Id]> {
    let factors = match op {
        Op::MulAdd => &operands[..2],
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

/// The number of a set of inputs: 0 of the empty one, i + 1 of {i}, and those of larger ones as they were found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Set(u32);

const EMPTY: Set = Set(0);

/// Sets of inputs, each kept once: nodes that depend on the same inputs share theirs.
struct Sets {
    /// 0, 1, 2, …: the elements of the sets of one.
    singles: Vec<u32>,
    larger: IndexSet<SmallVec<[u32; 4]>>,
    /// The number of elements that were put together.
    formed: usize,
    numbers: Vec<Set>,
    elements: Vec<u32>,
}

impl Sets {
    fn new(inputs: usize) -> Self {
        Self {
            singles: (0..inputs as u32).collect(),
            larger: IndexSet::new(),
            formed: 0,
            numbers: Vec::new(),
            elements: Vec::new(),
        }
    }

    /// The elements, ascending.
    fn elements(&self, Set(number): Set) -> &[u32] {
        match (number as usize).checked_sub(1) {
            None => &[],
            Some(single) if single < self.singles.len() => &self.singles[single..=single],
            Some(larger) => &self.larger[larger - self.singles.len()],
        }
    }

    /// The inputs that each needed node varies with. `None` where more than `budget` elements would be put together.
    fn of_nodes(&mut self, graph: &Graph, needed: &[bool], budget: usize) -> Option<Vec<Set>> {
        let mut sets = vec![EMPTY; graph.len()];
        for id in graph.ids().filter(|id| needed[id.index()]) {
            sets[id.index()] = match graph.node(id) {
                Node::Input(position) => Set(position + 1),
                _ => self.union(
                    graph.varying_operands(id).iter().copied().map(|operand| sets[operand.index()]),
                ),
            };
            if self.formed > budget {
                return None;
            }
        }
        Some(sets)
    }

    fn union(&mut self, sets: impl Iterator<Item = Set>) -> Set {
        let mut numbers = core::mem::take(&mut self.numbers);
        numbers.clear();
        numbers.extend(sets.filter(|&set| set != EMPTY));
        numbers.sort_unstable();
        numbers.dedup();
        let union = match numbers[..] {
            [] => EMPTY,
            [set] => set,
            _ => self.join(&numbers),
        };
        self.numbers = numbers;
        union
    }

    /// The union of different sets.
    fn join(&mut self, sets: &[Set]) -> Set {
        let mut elements = core::mem::take(&mut self.elements);
        elements.clear();
        for &set in sets {
            elements.extend_from_slice(self.elements(set));
        }
        self.formed += elements.len();
        elements.sort_unstable();
        elements.dedup();
        let is_all = |&&set: &&Set| self.elements(set).len() == elements.len();
        let union = if let Some(&set) = sets.iter().find(is_all) {
            set
        } else {
            let (number, _) = self.larger.insert_full(SmallVec::from_slice(&elements));
            Set((1 + self.singles.len() + number) as u32)
        };
        self.elements = elements;
        union
    }
}

/// Pairs of sets whose inputs meet in a second derivative.
#[derive(Default)]
struct Meetings(HashSet<(Set, Set)>);

impl Meetings {
    fn add(&mut self, a: Set, b: Set) {
        if a != EMPTY && b != EMPTY {
            self.0.insert((a.min(b), a.max(b)));
        }
    }

    /// A row of the pattern is the union of the sets that its input meets.
    fn pattern(&self, sets: &Sets) -> Pattern {
        let inputs = sets.singles.len();
        let mut met: Vec<SmallVec<[Set; 4]>> = vec![SmallVec::new(); inputs];
        for &(a, b) in &self.0 {
            for &input in sets.elements(a) {
                met[input as usize].push(b);
            }
            if a != b {
                for &input in sets.elements(b) {
                    met[input as usize].push(a);
                }
            }
        }
        let mut last_seen_in = vec![None; inputs];
        let rows = met.into_iter().enumerate().map(|(row, met)| {
            let mut columns = Vec::new();
            for set in met {
                for &column in sets.elements(set) {
                    if last_seen_in[column as usize].replace(row) != Some(row) {
                        columns.push(column as usize);
                    }
                }
            }
            columns.sort_unstable();
            columns
        });
        Pattern::from_rows(inputs, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Program;
    use crate::program::graph::builder::Passes;
    use crate::program::graph::trace::{Extent, trace};
    use crate::var::Var;

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
    fn both_ways_to_a_jacobian_agree() {
        let f = |x: &[Var]| (0..300).map(|i| x[i].sin() * x[(7 * i) % 300]).collect::<Vec<_>>();
        let graph = trace(f, &[0.5; 300], Extent::All, Passes::None).unwrap().graph;
        let sets = rows_by_sets(&graph).unwrap();
        assert_eq!(sets, rows_by_search(&graph));
        assert_eq!(sets.row(1), [1, 7]);
    }

    #[test]
    fn sets_that_grow_too_large_are_given_up() {
        let f = |x: &[Var]| {
            let running = x.iter().scan(Var::constant(0.0), |sum, &x| {
                *sum = (*sum + x).sin();
                Some(*sum)
            });
            running.collect::<Vec<_>>()
        };
        let graph = trace(f, &[0.5; 1000], Extent::All, Passes::None).unwrap().graph;
        assert!(rows_by_sets(&graph).is_none());
        assert_eq!(jacobian_pattern(&graph).len(), 1000 * 1001 / 2);
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
                for pattern in [rows_by_sets(&graph).unwrap(), rows_by_search(&graph)] {
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
