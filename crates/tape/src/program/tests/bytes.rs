//! Programs come back from bytes as they were, and other bytes are errors.

use proptest::prelude::*;

use super::random::{cases, config};
use super::same_bits;
use crate::op::Op;
use crate::program::graph::Graph;
use crate::program::{Program, Recorded};

fn of_graph(graph: &Graph) -> Program {
    Program::from_graph(graph.clone(), Recorded { nodes: 7 }).unwrap()
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn a_program_comes_back_as_it_was(case in cases(30)) {
        let program = of_graph(&case.graph);
        let bytes = program.to_bytes();
        let read = Program::from_bytes(&bytes)?;
        // NaN is not equal to itself, but its bits are written.
        prop_assert_eq!(&read.to_bytes(), &bytes);
        prop_assert_eq!(format!("{read:?}{read}"), format!("{program:?}{program}"));
        let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(&a, &b)| same_bits(a, b));
        let (values, jacobian) = program.jacobian(&case.x)?;
        let (read_values, read_jacobian) = read.jacobian(&case.x)?;
        prop_assert!(same(&values, &read_values) && same(&jacobian.data, &read_jacobian.data));
        if program.outputs() == 1 {
            let (_, _, product) = program.hessian_vector(&case.x, &case.x)?;
            prop_assert!(same(&product, &read.hessian_vector(&case.x, &case.x)?.2));
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Op::of_programs().map(Op::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Op::of_programs().count());
}
