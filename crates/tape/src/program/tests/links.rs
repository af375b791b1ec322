//! What steps of one instance are run as.

use crate::program::Program;
use crate::program::code::Run;
use crate::program::code::links::{Forward, Reverse};
use crate::var::Var;

/// The kinds of the links of a function's program in the order in which they run, with whether a reverse link takes its adjoint
/// from a slot.
fn links(f: fn(&[Var]) -> Var, x: &[f64]) -> (Vec<Forward>, Vec<(Reverse, bool)>) {
    let program = Program::trace(f, x).expect("a program");
    let code = &program.code;
    let [Run::Singles { links: Some(links), .. }] = &*code.runs else {
        panic!("more than one run")
    };
    let forward = code.links.forward(links).iter().map(|link| link.kind).collect();
    let reverse = code.links.reverse(links).iter().rev().map(|link| (link.kind, link.takes));
    (forward, reverse.collect())
}

#[test]
fn what_only_the_next_operation_uses_stays_in_the_accumulator() {
    let (forward, reverse) = links(|x| (x[0] * x[1]).sqrt() / x[2], &[1.0, 2.0, 3.0]);
    assert_eq!(forward, [Forward::Product, Forward::Sqrt, Forward::Over]);
    let expected =
        [(Reverse::GiveUnderOver, true), (Reverse::Sqrt, false), (Reverse::GiveProducts, false)];
    assert_eq!(reverse, expected);
}

#[test]
fn what_two_operations_use_has_its_adjoint_in_a_slot() {
    let (_, reverse) = links(
        |x| {
            let root = (x[0] * x[1]).sqrt();
            (root / x[2]).exp() * root
        },
        &[1.0, 2.0, 3.0],
    );
    assert_eq!(reverse.iter().filter(|(_, takes)| *takes).count(), 2, "{reverse:?}");
}

#[test]
fn a_sum_is_few_links() {
    let (forward, _) = links(|x| x[0] * x[1] + x[2] * x[0] + x[1], &[1.0, 2.0, 3.0]);
    assert_eq!(forward, [Forward::SumOfProducts, Forward::Plus]);
    let (forward, reverse) = links(|x| (x[0] * x[1]).sin() * x[2] + x[0], &[1.0, 2.0, 3.0]);
    assert_eq!(forward, [Forward::Product, Forward::Sin, Forward::TimesPlus]);
    assert_eq!(reverse.iter().filter(|(_, takes)| *takes).count(), 1, "{reverse:?}");
}

#[test]
fn what_needs_no_adjoint_has_no_reverse_link() {
    let (forward, reverse) = links(|x| x[0].ceil() * x[1], &[1.5, 2.0]);
    assert_eq!(forward, [Forward::Call, Forward::Product]);
    assert_eq!(reverse, [(Reverse::GiveProduct, true)]);
}

#[test]
fn a_sine_and_a_cosine_of_one_number_are_one_link() {
    let (forward, reverse) =
        links(|x| (x[0] * x[1]).sin() / x[2] + (x[0] * x[1]).cos(), &[1.0, 2.0, 3.0]);
    let expected = [Forward::Product, Forward::SinAfterCos, Forward::Over, Forward::Plus];
    assert_eq!(forward, expected);
    assert_eq!(reverse.iter().filter(|(_, takes)| *takes).count(), 3, "{reverse:?}");
}
