//! The sizes that speed depends on.

use tape::{Dual, Var};

#[track_caller]
fn check<T>(bytes: usize) {
    assert_eq!(size_of::<T>(), bytes, "{}", std::any::type_name::<T>());
}

#[test]
fn a_variable_is_a_number_and_its_place() {
    check::<Var>(16);
}

#[test]
fn a_variable_of_f32_is_as_large() {
    check::<Var<f32>>(16);
}

#[test]
fn a_nested_variable_adds_its_place() {
    check::<Var<Var>>(24);
    check::<Var<Var<Var>>>(32);
}

#[test]
fn a_dual_number_is_two_numbers() {
    check::<Dual>(16);
    check::<Dual<Dual>>(32);
    check::<Dual<Var>>(32);
    check::<Var<Dual>>(24);
}

#[test]
fn an_operation_is_a_byte() {
    check::<tape::Op>(1);
}

#[test]
fn a_tape_is_a_pointer() {
    check::<tape::Tape>(size_of::<usize>());
}

/// `Copy`, sent, shared, without lifetime: what element types of matrix libraries must be.
#[test]
fn a_variable_is_a_plain_number() {
    fn check<T: Copy + Send + Sync + 'static>() {}
    check::<Var>();
    check::<Var<Var<Dual<f32>>>>();
}
