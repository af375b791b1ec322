//! This project's programs: a kernel traced once, replayed at each run; and its batches, over a kernel's rows.

use tape::{Batch, Program, Var, Workspace};

use super::tape::Fused;
use super::{Engine, Outcome};
use crate::kernel::Kernel;

#[derive(Default)]
pub struct Replay {
    program: Option<Program>,
    workspace: Workspace,
    gradient: Vec<f64>,
}

impl Engine for Replay {
    fn run<K: Kernel>(&mut self, kernel: &K) -> Outcome {
        let inputs = kernel.inputs();
        let program = self.program.get_or_insert_with(|| {
            self.gradient = vec![0.0; inputs.len()];
            let program = Program::trace(|x: &[Var]| kernel.evaluate(&Fused, x), inputs);
            program.expect("a kernel can be traced")
        });
        let value = program.gradient_into(inputs, &mut self.workspace, &mut self.gradient);
        let value = value.expect("a kernel takes the same path at the same point");
        Outcome { value, gradient: self.gradient.clone(), nodes: Some(program.len()) }
    }
}

/// A run of a batch.
type Run<'a> = Box<dyn FnMut() -> Outcome + 'a>;

/// A batch over the rows of a kernel, traced before; of a kernel that is no sum over rows, nothing.
pub fn batch<K: Kernel>(kernel: &K) -> Option<Run<'_>> {
    let (rows, width) = kernel.rows()?;
    let term = |x: &[Var], row: &[Var]| kernel.term(&Fused, x, row);
    let batch =
        Batch::trace(term, kernel.inputs(), &rows[..width]).expect("a kernel can be traced");
    Some(Box::new(move || {
        let (value, gradient) =
            batch.gradient(kernel.inputs(), rows).expect("a kernel has one path");
        Outcome { value, gradient, nodes: None }
    }))
}
