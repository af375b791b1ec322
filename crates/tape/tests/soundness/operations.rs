//! An operation of one's own is code of others, in its value, its reverse and its destructor.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tape::{Operation, Real, Tape, Var};

use crate::panics::check;

/// What it does to the tape.
type Action = fn(&mut Option<Rc<Tape>>);

thread_local! {
    /// What the operation does to the tape: where, and what.
    static MISCHIEF: RefCell<Option<(Place, Action)>> = const { RefCell::new(None) };
    static TAPE: RefCell<Option<Rc<Tape>>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outputs,
    Value,
    Reverse,
    Drop,
}

/// x², and mischief.
struct Square;

fn mischief(place: Place) {
    let action = MISCHIEF.with_borrow_mut(|mischief| mischief.take_if(|(at, _)| *at == place));
    if let Some((_, action)) = action {
        // Nothing is borrowed while it acts.
        let mut tape = TAPE.take();
        action(&mut tape);
        TAPE.set(tape);
    }
}

impl Operation for Square {
    fn name(&self) -> &'static str {
        "square"
    }

    fn outputs(&self, _: usize) -> usize {
        mischief(Place::Outputs);
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        mischief(Place::Value);
        y[0] = x[0] * x[0];
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        mischief(Place::Reverse);
        into[0] = adjoint[0] * (x[0] + x[0]);
    }
}

impl Drop for Square {
    fn drop(&mut self) {
        mischief(Place::Drop);
    }
}

fn plan(place: Place, action: Action) -> Var {
    let tape = Rc::new(Tape::new());
    let x = tape.var(3.0);
    TAPE.set(Some(tape));
    MISCHIEF.set(Some((place, action)));
    x
}

fn square(x: Var) -> Var {
    tape::apply(&Arc::new(Square), &[x])[0]
}

fn with_tape<R>(act: impl FnOnce(&Tape) -> R) -> R {
    let tape = TAPE.with_borrow(|tape| tape.clone().expect("the tape is there"));
    act(&tape)
}

fn drop_it(tape: &mut Option<Rc<Tape>>) {
    *tape = None;
}

fn clear_it(tape: &mut Option<Rc<Tape>>) {
    tape.as_ref().expect("the tape is there").clear();
}

fn record_much(tape: &mut Option<Rc<Tape>>) {
    let tape = tape.as_ref().expect("the tape is there");
    for i in 0..5000 {
        let _ = tape.var(f64::from(i));
    }
}

fn apply_more(tape: &mut Option<Rc<Tape>>) {
    let tape = tape.as_ref().expect("the tape is there");
    let y = square(tape.var(5.0));
    assert_eq!(tape.sweep(square(y)).wrt(y), 50.0);
}

#[test]
fn a_value_and_a_count_of_outputs_may_drop_or_clear_the_tape() {
    for place in [Place::Outputs, Place::Value] {
        let x = plan(place, drop_it);
        check(|| square(x), "which has been dropped since");
        let x = plan(place, clear_it);
        check(|| square(x), "has been cleared since");
    }
}

#[test]
fn a_value_and_a_count_of_outputs_may_record() {
    for place in [Place::Outputs, Place::Value] {
        for action in [record_much, apply_more] {
            let x = plan(place, action);
            let y = square(x);
            assert_eq!(with_tape(|tape| tape.sweep(y).wrt(x)), 6.0);
        }
    }
}

#[test]
fn a_reverse_may_not_make_the_list_grow_that_is_swept() {
    let x = plan(Place::Reverse, record_much);
    let y = square(x);
    check(|| with_tape(|tape| tape.sweep(y)), "cannot grow meanwhile");
}

#[test]
fn a_reverse_may_apply_more() {
    let x = plan(Place::Reverse, apply_more);
    let y = square(x);
    assert_eq!(with_tape(|tape| tape.sweep(y).wrt(x)), 6.0);
    assert_eq!(with_tape(|tape| tape.sweep(y).wrt(x)), 6.0);
}

#[test]
fn a_reverse_may_drop_the_tape_of_a_sum() {
    let x = plan(Place::Reverse, drop_it);
    let sum = || tape::sum_over(0..4, |i| if i == 0 { x * x } else { square(x) * f64::from(i) });
    check(sum, "has been dropped");
}

#[test]
fn a_reverse_may_not_clear_the_list_that_is_swept() {
    let x = plan(Place::Reverse, clear_it);
    let y = square(x);
    check(|| with_tape(|tape| tape.sweep(y)), "in use");
}

#[test]
fn a_destructor_may_do_as_it_likes() {
    for action in [drop_it, clear_it, record_much, apply_more] {
        // It is dropped by the rewinding of a sum, by a clear, by a rewind, with the tape.
        let x = plan(Place::Drop, action);
        let _ = std::panic::catch_unwind(|| {
            tape::sum_over(0..4, |i| if i == 0 { x * x } else { square(x) })
        });
        let x = plan(Place::Drop, action);
        let _ = square(x);
        let _ = std::panic::catch_unwind(|| {
            with_tape(Tape::clear);
            let x = with_tape(|tape| tape.var(2.0));
            square(x)
        });
        let x = plan(Place::Drop, action);
        let mark = with_tape(Tape::mark);
        let _ = square(x);
        let _ = std::panic::catch_unwind(|| {
            with_tape(|tape| tape.rewind(mark));
            square(x)
        });
        let x = plan(Place::Drop, action);
        let _ = square(x);
        let _ = std::panic::catch_unwind(|| TAPE.set(None));
    }
}
