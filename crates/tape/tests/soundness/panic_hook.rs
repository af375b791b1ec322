//! A panic hook is code of others too: it runs where something panics, before anything is taken back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tape::{Tape, Var};

use crate::panics::{check, in_the_hook};

const STALE: &str = "which has been dropped since";

/// A variable on a tape of plain numbers that has been dropped.
fn stale() -> Var {
    Tape::new().var(2.0)
}

#[test]
fn may_record_on_the_tape_whose_sweep_has_panicked() {
    let tape = Rc::new(Tape::<Var>::new());
    let y = tape.var(Var::constant(3.0));
    // Its sweep multiplies by the stale variable.
    let z = tape.custom(&[y], Var::constant(1.0), &[stale()]);
    let square = Rc::new(Cell::new(None));
    let (hook_tape, hook_square) = (Rc::clone(&tape), Rc::clone(&square));
    in_the_hook(move || {
        let square = y * y;
        assert_eq!(hook_tape.sweep(square).wrt(y).value(), 6.0);
        hook_square.set(Some(square));
    });
    check(|| tape.sweep(z), STALE);
    let square = square.get().expect("the hook has run");
    assert_eq!(tape.sweep(square).wrt(y).value(), 6.0);
    tape.clear();
}

#[test]
fn may_drop_the_tape_of_a_sum_whose_sweep_has_panicked() {
    let tape = Tape::<Var>::new();
    let y = tape.var(Var::constant(3.0));
    let tape = Rc::new(RefCell::new(Some(tape)));
    let kept = Rc::clone(&tape);
    let stale = stale();
    let sum = || {
        tape::sum_over(0..4, |i| {
            if i == 2 {
                let kept = Rc::clone(&kept);
                in_the_hook(move || drop(kept.take()));
                return tape::custom(&[y], Var::constant(1.0), &[stale]);
            }
            y * y
        })
    };
    check(sum, STALE);
    assert!(tape.borrow().is_none(), "the hook has run");
    check(|| y * y, STALE);
}

#[test]
fn may_drop_the_tape_of_a_sum_whose_addition_has_panicked() {
    let tape = Tape::<Var>::new();
    let y = tape.var(Var::constant(3.0));
    let tape = Rc::new(RefCell::new(Some(tape)));
    let kept = Rc::clone(&tape);
    let stale = stale();
    let sum = || {
        tape::sum_over(0..4, |i| {
            let kept = Rc::clone(&kept);
            if i == 2 {
                in_the_hook(move || drop(kept.take()));
            }
            tape::custom(
                &[y],
                if i == 2 { stale } else { Var::constant(1.0) },
                &[Var::constant(1.0)],
            )
        })
    };
    check(sum, STALE);
    assert!(tape.borrow().is_none(), "the hook has run");
}

type Operation = fn(&[Var<Var>]) -> Var<Var>;

#[test]
fn may_drop_the_tape_of_an_operation_that_has_panicked() {
    let tape = Tape::<Var>::new();
    let [y, z] = tape.vars([Var::constant(3.0), stale()]);
    let tape = Rc::new(RefCell::new(Some(tape)));
    let operations: [Operation; 5] = [
        |x| tape::sum(x),
        |x| tape::dot(x, x),
        |x| tape::norm(x),
        |x| tape::log_sum_exp(x),
        |x| x[0].mul_add(x[1], x[0]),
    ];
    for operation in operations {
        let kept = Rc::clone(&tape);
        in_the_hook(move || drop(kept.take()));
        check(|| operation(&[y, z]), STALE);
        check(|| operation(&[y, z, Var::constant(Var::constant(1.0))]), STALE);
    }
    assert!(tape.borrow().is_none(), "the hook has run");
}

#[test]
fn may_make_tapes_of_its_own() {
    let results = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&results);
    in_the_hook(move || {
        let tape = Tape::new();
        let x = tape.var(2.0);
        kept.borrow_mut().push(tape.sweep(x * x).wrt(x));
        kept.borrow_mut().push(tape::gradient(|x| x[0] * x[0] * x[0], &[2.0]).1[0]);
    });
    check(|| tape::gradient(|_| stale() * 2.0, &[1.0]), STALE);
    assert_eq!(*results.borrow(), [4.0, 12.0]);
}
