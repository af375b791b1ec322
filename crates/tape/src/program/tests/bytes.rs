//! Programs come back from bytes as they were, and other bytes are errors.

use expect_test::expect_file;
use proptest::prelude::*;

use super::random::{cases, config};
use super::same_bits;
use crate::error::Error;
use crate::guard::{Comparison, Guard, Outcome};
use crate::op::Op;
use crate::program::bytes::{HEADER, sealed};
use crate::program::graph::{Graph, Id};
use crate::program::{Program, Recorded, Rewrites};

fn of_graph(graph: &Graph) -> Program {
    Program::from_graph(graph.clone(), Rewrites::Exact, Recorded { nodes: 7 }).unwrap()
}

/// What stands between header and checksum.
fn body(program: &Program) -> Vec<u8> {
    let bytes = program.to_bytes();
    bytes[HEADER..bytes.len() - 4].to_vec()
}

/// An error, or a program that is valid, runs, and is written and read again.
fn survive(bytes: &[u8]) -> Result<(), TestCaseError> {
    let program = match Program::from_bytes(bytes) {
        Ok(program) => program,
        // A changed byte may make a call of what was an operation.
        Err(Error::Malformed { .. } | Error::TooLarge { .. } | Error::UnknownOperation { .. }) => {
            return Ok(());
        }
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    prop_assert_eq!(program.graph.validate(), Ok(()));
    // Not always the same bytes: an operation may stand in the table that no node has.
    let written = program.to_bytes();
    prop_assert_eq!(Program::from_bytes(&written)?.to_bytes(), written);
    let x = vec![1.0; program.inputs()];
    match program.jacobian(&x) {
        Ok(_) | Err(Error::Diverged { .. }) => {}
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    }
    match program.hessian_vector(&x, &x) {
        Ok(_) | Err(Error::Diverged { .. } | Error::Outputs { .. }) => Ok(()),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

/// A change of a body.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(usize, u8),
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Truncate(usize),
    /// From here on, another program's bytes.
    Splice(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || any::<usize>();
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        at().prop_map(Mutation::Remove),
        at().prop_map(Mutation::Truncate),
        (at(), at()).prop_map(|(at, from)| Mutation::Splice(at, from)),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: &Mutation, other: &[u8]) {
    let within = |at: usize| at % body.len().max(1);
    match *mutation {
        Mutation::Insert(at, byte) => body.insert(at % (body.len() + 1), byte),
        _ if body.is_empty() => {}
        Mutation::Flip(at, bit) => {
            let at = within(at);
            body[at] ^= 1 << bit;
        }
        Mutation::Set(at, byte) => {
            let at = within(at);
            body[at] = byte;
        }
        Mutation::Remove(at) => drop(body.remove(within(at))),
        Mutation::Truncate(at) => body.truncate(within(at)),
        Mutation::Splice(at, from) => {
            body.truncate(within(at));
            body.extend(&other[from % (other.len() + 1)..]);
        }
    }
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn a_program_comes_back_as_it_was(case in cases(30)) {
        let program = of_graph(&case.graph);
        let bytes = program.to_bytes();
        let read = Program::from_bytes(&bytes)?;
        // NaN is not equal to itself, but its bits are written.
        prop_assert_eq!(&read.to_bytes(), &bytes);
        prop_assert_eq!(format!("{read:?}{read}"), format!("{program:?}{program}"));
        let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(&a, &b)| same_bits(a, b));
        // Where a guard asks for the sign of NaN, neither may run.
        let Ok((values, jacobian)) = program.jacobian(&case.x) else { return Ok(()) };
        let (read_values, read_jacobian) = read.jacobian(&case.x)?;
        prop_assert!(same(&values, &read_values) && same(&jacobian.data, &read_jacobian.data));
        if program.outputs() == 1 {
            let (_, _, product) = program.hessian_vector(&case.x, &case.x)?;
            prop_assert!(same(&product, &read.hessian_vector(&case.x, &case.x)?.2));
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&bytes)?;
        survive(&sealed(&bytes))?;
    }

    #[test]
    fn programs_with_random_changes_do_no_harm(
        case in cases(20),
        other in cases(20),
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let program = of_graph(&case.graph);
        let (mut changed, other) = (body(&program), body(&of_graph(&other.graph)));
        for mutation in &mutations {
            mutate(&mut changed, mutation, &other);
        }
        // With the checksum of the changed bytes: behind the old one nothing would be reached.
        survive(&sealed(&changed))?;
        let mut damaged = program.to_bytes();
        mutate(&mut damaged, &mutations[0], &other);
        prop_assert!(damaged == program.to_bytes() || Program::from_bytes(&damaged).is_err());
    }
}

/// A graph with every operation, every comparison and constants that are easily lost.
fn everything() -> Graph {
    let mut graph = Graph::new(3);
    for value in [0.1, -0.0, f64::INFINITY, f64::from_bits(0x7ff8_0000_0000_0001), 5e-324, 3.0] {
        graph.constant(value);
    }
    let three = Id(8);
    for op in Op::of_programs() {
        let fewest = (1..=3).find(|&count| op.takes(count)).unwrap_or(1);
        let mut operands: Vec<Id> = [Id(0), Id(1), Id(2)].into_iter().take(fewest).collect();
        if op.takes_integer() {
            operands[1] = three;
        }
        graph.push(op, &operands);
        if op.takes(5) {
            let last = Id(graph.len() as u32 - 1);
            graph.push(op, &[Id(0), last, Id(2), Id(3), Id(1)]);
        }
    }
    graph.outputs = graph.ids().collect();
    for (comparison, outcome) in [
        (Comparison::Less, 1),
        (Comparison::LessOrEqual, 1),
        (Comparison::Greater, 0),
        (Comparison::GreaterOrEqual, 0),
        (Comparison::Equal, 0),
        (Comparison::Order, -1),
        (Comparison::Order, 2),
        (Comparison::IsNegative, 0),
    ] {
        graph.guards.push(Guard {
            comparison,
            operands: [Id(0), Id(1)],
            outcome: Outcome(outcome),
        });
    }
    graph
}

#[test]
fn everything_comes_back() {
    let program = of_graph(&everything());
    let read = Program::from_bytes(&program.to_bytes()).unwrap();
    assert_eq!(format!("{:?}", read.graph), format!("{:?}", program.graph));
    assert_eq!(read.recorded.nodes, 7);
}

/// These bytes were written when the format was made. Never write them anew: add a file for a new version.
#[test]
fn programs_of_format_version_1_can_be_read_for_ever() {
    let bytes = include_bytes!("version_1.program");
    let program = Program::from_bytes(bytes).unwrap();
    expect_file!["version_1.txt"].assert_eq(&program.to_string());
    assert_eq!(program.to_bytes(), bytes);
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Op::of_programs().map(Op::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Op::of_programs().count());
}

#[track_caller]
fn check(bytes: &[u8], fault: &str) {
    let error = Program::from_bytes(bytes).map(|program| program.to_string()).unwrap_err();
    assert_eq!(error, Error::Malformed { fault: fault.to_owned().into() });
}

/// The number of bytes of 2^60 in this format.
const HUGE: [u8; 9] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];

#[test]
fn what_is_wrong_with_the_envelope_is_said() {
    let good = of_graph(&everything()).to_bytes();
    check(b"", "they do not begin as a program does");
    check(b"\x7fELF", "they do not begin as a program does");
    check(b"TAPEPROG", "they end too early");
    check(&good[..good.len() - 1], "they end too early");
    check(&[&good[..], b"\n"].concat(), "something follows the checksum");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    check(&with(8, 0), "there is no format version 0");
    check(
        &with(8, 2),
        "they are of format version 2, and this version of the crate reads up to 1; update it",
    );
    check(&with(19, 0x80), "they end too early");
    check(&with(50, good[50] ^ 1), "the checksum is another: they have been damaged");
}

#[test]
fn what_is_wrong_with_the_body_is_said() {
    // Nodes recorded, operations, inputs, nodes, outputs, guards.
    let sine = [0, 1, 3, b's', b'i', b'n', 1, 2, 0, 2, 1, 1, 1, 1, 0];
    assert_eq!(
        Program::from_bytes(&sealed(&sine)).unwrap().to_string(),
        "v0 = sin(x0)\nreturn v0\n"
    );
    let of = |parts: &[&[u8]]| sealed(&parts.concat());
    let fewer = "there are fewer bytes left than things announced";
    check(&of(&[]), "they end too early");
    check(&of(&[&sine[..14]]), "they end too early");
    check(&of(&[&sine, &[0]]), "something follows the last guard");
    check(
        &of(&[&[0, 1, 5, b'e', b'r', b'f', b'c', b'x', 0, 0, 0, 0]]),
        "this version of the crate has no operation \"erfcx\"",
    );
    check(&of(&[&[0, 1, 0, 0, 0, 0, 0]]), "this version of the crate has no operation \"\"");
    check(
        &of(&[&[0, 1, 6, b'c', b'u', b's', b't', b'o', b'm', 0, 0, 0, 0]]),
        "this version of the crate has no operation \"custom\"",
    );
    check(
        &of(&[&[0, 1, 3, 0xff, 0xfe, b'\n', 0, 0, 0]]),
        "this version of the crate has no operation \"��\\n\"",
    );
    check(&of(&[&[0], &HUGE]), fewer);
    check(&of(&[&[0, 0], &HUGE]), fewer);
    check(&of(&[&[0, 0, 0], &HUGE]), fewer);
    check(&of(&[&[0, 0, 0, 0], &HUGE]), fewer);
    check(&of(&[&[0, 0, 0, 0, 0], &HUGE]), fewer);
    check(&of(&[&[0, 1], &HUGE]), fewer);
    check(&of(&[&sine[..10], &HUGE]), fewer);
    check(&of(&[&sine[..11], &HUGE, &sine[12..]]), "an operand does not come before its operation");
    check(&of(&[&sine[..11], &[0], &sine[12..]]), "an operand does not come before its operation");
    check(&of(&[&sine[..11], &[2], &sine[12..]]), "an operand does not come before its operation");
    check(
        &of(&[&sine[..10], &[2, 1, 1], &sine[12..]]),
        "an operation has the wrong number of operands",
    );
    check(&of(&[&sine[..10], &[0], &sine[12..]]), "an operation has the wrong number of operands");
    check(&of(&[&sine[..9], &[3], &sine[10..]]), "an operation is not in the table of operations");
    check(&of(&[&sine[..9], &HUGE, &sine[10..]]), "an operation is not in the table of operations");
    check(&of(&[&sine[..13], &[2], &sine[14..]]), "an output or a guard is of no node");
    check(&of(&[&sine[..13], &HUGE, &sine[14..]]), "an output or a guard is of no node");
    check(&of(&[&sine[..14], &[1, 0, 1, 0, 9]]), "an output or a guard is of no node");
    check(
        &of(&[&sine[..14], &[1, 7, 1, 0, 0]]),
        "a guard is none that this version of the crate has",
    );
    check(
        &of(&[&sine[..14], &[1, 0, 3, 0, 0]]),
        "a guard has an outcome that its comparison never has",
    );
    check(
        &of(&[&sine[..14], &[1, 0, 0, 0, 0]]),
        "a guard has an outcome that its comparison never has",
    );
    check(&of(&[&sine[..14], &[1, 0, 0x80, 1, 0, 0]]), "a guard has no such outcome");
    check(&of(&[&[0, 0, 1, 0, 0, 0]]), "an input is missing");
    check(&of(&[&[0, 0, 0, 1, 0, 0, 0]]), "an input is not in its place");
    check(&of(&[&[0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]), "an input is missing");
    check(&of(&[&[0x80, 0, 0, 0, 0, 0, 0]]), "a number is too large, or longer than it need be");
    check(
        &of(&[&[0xff; 9], &[2, 0, 0, 0, 0, 0]]),
        "a number is too large, or longer than it need be",
    );
    check(&of(&[&[0x80; 12]]), "a number is too large, or longer than it need be");
    let power = |exponent: &[u8]| {
        of(&[&[0, 1, 4, b'p', b'o', b'w', b'i', 2, 3, 0, 0, 2, 2, 2], exponent, &[0, 0]])
    };
    check(&power(&[1]), "an integer argument is not a constant");
}

/// An integer argument may be any constant, also one that no integer is like.
#[test]
fn absurd_integer_arguments_are_computed_at_once() {
    for op in [Op::Powi, Op::Polygamma] {
        for n in [4e9, -4e9, 1e300, f64::NAN, f64::INFINITY, 170.0, 171.0, 0.5] {
            let mut graph = Graph::new(1);
            let n = graph.constant(n);
            let result = graph.push(op, &[Id(0), n]);
            graph.outputs = vec![result];
            let read = Program::from_bytes(&of_graph(&graph).to_bytes()).unwrap();
            for x in [1.0, -0.5, 1e-300, f64::INFINITY] {
                assert!(read.hessian_vector(&[x], &[1.0]).is_ok());
            }
        }
    }
}

/// In a thread with little stack: nothing recurses over the graph.
#[test]
fn a_deep_graph_is_read_and_run_without_recursion() {
    let run = || {
        let mut graph = Graph::new(1);
        let mut last = Id(0);
        for _ in 0..200_000 {
            last = graph.push(Op::Sin, &[last]);
        }
        graph.outputs = vec![last];
        let read = Program::from_bytes(&of_graph(&graph).to_bytes()).unwrap();
        assert!(read.gradient(&[1.0]).is_ok());
        drop(read);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}
