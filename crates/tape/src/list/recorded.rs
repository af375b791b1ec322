//! A recorded list evaluated again in another type of number: what Hessians and printing are made from.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::dual::Dual;
use crate::kinks;
use crate::list::stop::{Erased, ListStop, Stop};
use crate::list::{List, Node};
use crate::op::Op;
use crate::partial;
use crate::real::Real;

/// An operation whose value cannot be computed from its arguments: only its partials at one point are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opaque {
    pub(crate) op: Op,
    pub(crate) index: usize,
}

/// The nodes `first..=last` of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a, T> {
    pub(crate) op: Op,
    pub(crate) last: usize,
    nodes: &'a [Node<T>],
}

/// An argument of a recorded operation.
#[derive(Clone, Copy)]
pub(crate) enum Operand<T> {
    Node { index: usize, partial: T },
    Constant(T),
}

impl<T> Operand<T> {
    #[inline]
    fn of(index: usize, partial: T) -> Self {
        match index {
            0 => Self::Constant(partial),
            index => Self::Node { index, partial },
        }
    }
}

impl<'a, T: Real> Group<'a, T> {
    /// All operations of a list in order, the sink left out.
    pub(crate) fn all(list: &'a List<T>) -> impl Iterator<Item = Group<'a, T>> {
        Self::of(0, list.nodes(), list.ops())
    }

    /// The operations of nodes that follow each other, all whole; the first one has this index. The sink is left out.
    pub(crate) fn of(
        first: u32,
        nodes: &'a [Node<T>],
        ops: &'a [Op],
    ) -> impl Iterator<Item = Group<'a, T>> {
        let sink = usize::from(first == 0);
        let mut start = sink;
        (sink..nodes.len()).filter(|&last| ops[last] != Op::Part).map(move |last| {
            let nodes = &nodes[core::mem::replace(&mut start, last + 1)..=last];
            Group { op: ops[last], last: first as usize + last, nodes }
        })
    }

    /// The number that fills the last spare slot.
    pub(crate) fn kept_value(&self) -> T {
        let last = self.nodes[self.nodes.len() - 1];
        if self.op == Op::Input { last.partials[0] } else { last.partials[1] }
    }

    /// The arguments in order. A spare slot is left out.
    pub(crate) fn operands(&self) -> impl Iterator<Item = Operand<T>> + Clone + 'a {
        let slots = 2 * self.nodes.len();
        let last = self.nodes[self.nodes.len() - 1];
        let ends_with = |spare: f64| {
            let filler = last.partials[1];
            let differs = |x: f64, _| x.to_bits() != spare.to_bits();
            // A number that is recorded further out is an operand, though it has the filler's value where it was recorded.
            last.indices()[1] == 0
                && filler.is_the_constant(spare)
                && T::lanes_where(filler, filler, differs) == 0
        };
        let by_slots = || match self.op {
            Op::Input | Op::Result => 0,
            // The last slot keeps the value; the one before is spare where the arguments are even in number.
            Op::Custom | Op::SumOver if last.indices()[0] == 0 => slots - 2,
            Op::Custom | Op::SumOver => slots - 1,
            Op::Sum | Op::WeightedSum if ends_with(-0.0) => slots - 1,
            Op::Norm if ends_with(0.0) => slots - 1,
            Op::LogSumExp | Op::Largest if ends_with(f64::NEG_INFINITY) => slots - 1,
            _ => slots,
        };
        let count = self.op.arity().unwrap_or_else(by_slots);
        let slots = self.nodes.iter().flat_map(|node| {
            let [first, second] = node.indices();
            [(first, node.partials[0]), (second, node.partials[1])]
        });
        slots.take(count).map(|(index, partial)| Operand::of(index, partial))
    }

    /// The arguments of the first node, of which an operation of one argument has a spare one.
    #[inline]
    pub(crate) fn first_operands(&self) -> [Operand<T>; 2] {
        let node = &self.nodes[0];
        let [a, b] = node.indices();
        [Operand::of(a, node.partials[0]), Operand::of(b, node.partials[1])]
    }
}

/// The values of all nodes, starting from `inputs` (which replace the values of the first nodes).
///
/// The value of an operation that cannot be replayed is asked of `opaque`; the results of one of one's own, from its
/// arguments, of `apply`.
pub(crate) fn replay<T: Real, U: Real>(
    list: &List<T>,
    inputs: &[U],
    embed: impl Fn(T) -> U,
    opaque: impl Fn(Opaque, T) -> Result<U, Opaque>,
    mut apply: impl FnMut(&Rc<ListStop<T>>, &mut dyn Iterator<Item = U>) -> Vec<U>,
    mut each: impl FnMut(&Group<'_, T>, &[U], U),
) -> Result<Vec<U>, Opaque> {
    let mut values = vec![U::from_f64(0.0); list.nodes().len()];
    let mut arguments: SmallVec<[U; 8]> = SmallVec::new();
    let stops = list.stops();
    let mut stops = stops.iter().peekable();
    for group in Group::all(list) {
        arguments.clear();
        let weighted = group.op == Op::WeightedSum;
        arguments.extend(group.operands().map(|operand| match operand {
            Operand::Node { index, partial } if weighted => embed(partial) * values[index],
            Operand::Node { index, .. } => values[index],
            Operand::Constant(constant) => embed(constant),
        }));
        let value = match group.op {
            Op::Input => match inputs.get(group.last - 1) {
                Some(&input) => input,
                None => embed(group.kept_value()),
            },
            Op::Sum | Op::WeightedSum => U::sum(&arguments),
            Op::Dot => U::dot_of(pairs(&arguments)),
            Op::Norm => U::norm(&arguments),
            Op::LogSumExp => U::log_sum_exp(&arguments),
            Op::Custom | Op::SumOver => {
                opaque(Opaque { op: group.op, index: group.last }, group.kept_value())?
            }
            Op::Result => {
                if let Some(stop) = stops.next_if(|stop| stop.results().start == group.last) {
                    let arguments = stop.arguments.iter().zip(&*stop.x);
                    let mut arguments = arguments.map(|(argument, &x)| match argument {
                        0 => embed(x),
                        index => values[index as usize],
                    });
                    let results = apply(stop, &mut arguments);
                    values[stop.results()].copy_from_slice(&results);
                }
                values[group.last]
            }
            op => op.evaluate(&arguments),
        };
        values[group.last] = value;
        each(&group, &arguments, value);
    }
    Ok(values)
}

fn pairs<U: Copy>(arguments: &[U]) -> impl Iterator<Item = (U, U)> + Clone + '_ {
    arguments.chunks_exact(2).map(|pair| (pair[0], pair[1]))
}

/// A stop as it would have been recorded on numbers with a tangent.
type StopInDuals<T> = Stop<Dual<T>, dyn Erased<T>>;

/// A list as it would have been recorded on numbers with a tangent.
pub(crate) struct InDuals<T> {
    pub(crate) nodes: Vec<Node<Dual<T>>>,
    stops: Vec<Rc<StopInDuals<T>>>,
}

impl<T: Real> InDuals<T> {
    /// As [`List::stop_before`].
    pub(crate) fn stop_before(&self, index: usize) -> Option<Rc<StopInDuals<T>>> {
        let before = self.stops.partition_point(|stop| stop.results().start < index);
        before.checked_sub(1).map(|last| Rc::clone(&self.stops[last]))
    }
}

/// The list as it would have been recorded on numbers with a tangent.
pub(crate) fn in_duals<T: Real>(list: &List<T>, inputs: &[Dual<T>]) -> Result<InDuals<T>, Opaque> {
    type U<T> = Dual<T>;
    let embed = U::<T>::constant;
    let zero = U::<T>::from_f64(0.0);
    let structure = list.nodes().iter();
    let mut nodes: Vec<Node<U<T>>> =
        structure.map(|node| Node { partials: [zero; 2], arguments: node.arguments }).collect();
    let mut stops = Vec::new();
    replay(
        list,
        inputs,
        embed,
        |opaque, _| Err(opaque),
        |stop, arguments| {
            let x: Rc<[U<T>]> = arguments.collect();
            let mut y = vec![U::<T>::constant(T::from_f64(f64::NAN)); stop.y.len()];
            stop.operation.value(&x, &mut y);
            stops.push(Rc::new(Stop {
                operation: Arc::clone(&stop.operation),
                first: stop.first,
                arguments: stop.arguments.clone(),
                x,
                y: y.clone().into(),
            }));
            y
        },
        |group, arguments, value| {
            let first = group.last + 1 - group.len();
            let mut set =
                |slot: usize, partial: U<T>| nodes[first + slot / 2].partials[slot % 2] = partial;
            match group.op {
                Op::Input | Op::Result | Op::Largest => {}
                Op::Sum => (0..arguments.len()).for_each(|slot| set(slot, U::<T>::from_f64(1.0))),
                Op::WeightedSum => {
                    for (slot, operand) in group.operands().enumerate() {
                        if let Operand::Node { partial, .. } = operand {
                            set(slot, embed(partial));
                        }
                    }
                }
                Op::Dot => {
                    for (pair, (a, b)) in pairs(arguments).enumerate() {
                        set(2 * pair, partial::mul::of_0(a, b, a * b));
                        set(2 * pair + 1, partial::mul::of_1(a, b, a * b));
                    }
                }
                Op::Norm => {
                    let tip = kinks::norm_tip(arguments.iter().copied(), value);
                    for (slot, &argument) in arguments.iter().enumerate() {
                        set(slot, kinks::norm_partial(argument, value, tip));
                    }
                }
                Op::LogSumExp => {
                    let (_, weights) = kinks::log_sum_exp_weights(arguments.iter().copied());
                    weights.into_iter().enumerate().for_each(|(slot, weight)| set(slot, weight));
                }
                op => {
                    let partials = op.partials(arguments, value);
                    (0..arguments.len()).for_each(|slot| set(slot, partials[slot]));
                }
            }
        },
    )?;
    Ok(InDuals { nodes, stops })
}

impl<T> Group<'_, T> {
    /// The number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}
