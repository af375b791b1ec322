//! Marks and variables that a rewind has overtaken.

use tape::{Tape, Var};

use crate::panics::check;

#[test]
fn a_mark_inside_an_operation_is_gone() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let start = tape.mark();
    let _ = x + 1.0;
    let overtaken = tape.mark();
    tape.rewind(start);
    // Three nodes: half of them would pass the adjoint of whatever is recorded next on to x.
    let sum = tape::sum(&[x; 6]);
    check(|| tape.rewind(overtaken), "rewind: the mark lies inside an operation");
    assert_eq!(tape.sweep(sum).wrt(x), 6.0);
    let y = tape.var(3.0);
    assert_eq!(tape.sweep(y).wrt(x), 0.0);
    tape.rewind(start);
    let y = tape.var(3.0);
    assert_eq!(tape.sweep(y * y).wrt(x), 0.0);
}

#[test]
fn a_variable_in_whose_place_is_another_operation_does_no_harm() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let start = tape.mark();
    let gone = x * x * x;
    tape.rewind(start);
    let sum = tape::sum(&[x; 6]);
    // It is taken for a part of the sum: a wrong number, as documented, but one of the list.
    let y = gone * sum;
    assert_eq!(y.value(), 8.0 * 12.0);
    let _ = tape.sweep(y).wrt(x);
    let _ = tape.show(y).to_string();
    let constant = Var::constant(1.0);
    assert_eq!(tape.sweep(constant).wrt(gone), 0.0);
}
