//! Steps of one instance in a row are run as [`Single`]s.

use rustc_hash::FxHashMap;

use crate::op::Op;
use crate::program::code::{Code, NONE, Run, Shape, Single, Step};

impl Code {
    /// Appends a step.
    pub(super) fn push(&mut self, step: Step) {
        if step.shape != Shape::Single {
            let place = self.steps.len();
            self.steps.push(step);
            return match self.runs.last_mut() {
                Some(Run::Steps(run)) => run.end += 1,
                _ => self.runs.push(Run::Steps(place..place + 1)),
            };
        }
        let (place, single) = (self.singles.len(), self.single(&step));
        self.singles.push(single);
        match self.runs.last_mut() {
            Some(Run::Singles(run)) => run.end += 1,
            _ => self.runs.push(Run::Singles(place..place + 1)),
        }
    }

    /// Of a sine and a cosine of one number, each is the other's partial, up to a sign: the slots of both, and of the number,
    /// are kept to the end where they are active.
    pub(super) fn pair_sines(&mut self) {
        let of = |op: Op| {
            let singles = self.singles.iter().filter(move |single| single.op == op);
            let active = singles.filter(|single| single.adjoint != NONE);
            active.map(|single| (single.operands[0], single.value)).collect()
        };
        let [sines, cosines]: [FxHashMap<u32, u32>; 2] = [of(Op::Sin), of(Op::Cos)];
        for single in &mut self.singles {
            let partners = match single.op {
                Op::Sin => &cosines,
                Op::Cos => &sines,
                _ => continue,
            };
            single.operands[1] = partners.get(&single.operands[0]).copied().unwrap_or(NONE);
        }
    }

    fn single(&self, step: &Step) -> Single {
        let sink = self.adjoints as u32 - 1;
        let column = |position: usize| self.columns_of(step).get(position);
        let or_sink = |slot: u32| if slot == NONE { sink } else { slot };
        Single {
            op: step.op,
            arity: step.arity,
            operands: [0, 1].map(|position| column(position).map_or(0, |column| column.value)),
            adjoints: [0, 1].map(|p| column(p).map_or(sink, |column| or_sink(column.adjoint))),
            value: step.value,
            adjoint: step.adjoint,
            first: step.first,
        }
    }
}

impl Single {
    /// The same as any other step.
    pub(crate) fn as_step(&self) -> Step {
        let Self { op, arity, value, adjoint, first, .. } = *self;
        Step { op, shape: Shape::Single, count: 1, value, adjoint, first, arity }
    }
}
