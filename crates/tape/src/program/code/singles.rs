//! Steps of one instance in a row are run as [`Single`]s.

use rustc_hash::FxHashMap;

use crate::op::Op;
use crate::program::code::{Code, NONE, Run, Shape, Single, Step};

impl Code {
    /// Finds the runs of its steps.
    pub(super) fn find_runs(&mut self) {
        let is_single = |step: &Step| step.shape == Shape::Single;
        let mut first = 0;
        for steps in self.steps.chunk_by(|a, b| is_single(a) == is_single(b)) {
            let (end, before) = (first + steps.len(), self.singles.len());
            let singles = is_single(&steps[0]).then(|| before..before + steps.len());
            if singles.is_some() {
                for step in steps {
                    self.singles.push(self.single(step));
                }
            }
            self.runs.push(Run { steps: first..end, singles });
            first = end;
        }
        self.pair_sines();
    }

    /// Of a sine and a cosine of one number, each is the other's partial, up to a sign: the slots of both, and of the number,
    /// are kept to the end where they are active.
    fn pair_sines(&mut self) {
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
