//! `sum_over` runs code of others: an iterator, a closure, and the destructors of both.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tape::{Tape, Var};

use crate::panics::{catch, check};

const CLEAR: &str = "clear: tape ";
const REWIND: &str = "rewind: tape ";
const IN_USE: &str = "is in use by a sum_over or a sweep that has called this";
const DROPPED: &str = "has been dropped by the closure or the iterator";
const STALE: &str = "which has been dropped since";

/// Where an iterator over 0 and 1 does something else as well.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    First,
    Second,
    End,
    Drop,
}

/// Iterates over 0 and 1, and does something else at one place.
struct Busy<F: FnMut()> {
    next: u32,
    place: Place,
    action: F,
}

fn busy<F: FnMut()>(place: Place, action: F) -> Busy<F> {
    Busy { next: 0, place, action }
}

impl<F: FnMut()> Iterator for Busy<F> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let place = [Place::First, Place::Second, Place::End][self.next.min(2) as usize];
        if place == self.place {
            (self.action)();
        }
        self.next += 1;
        (self.next <= 2).then(|| self.next - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl<F: FnMut()> Drop for Busy<F> {
    fn drop(&mut self) {
        if self.place == Place::Drop && !std::thread::panicking() {
            (self.action)();
        }
    }
}

/// Its `size_hint` does something else as well, once.
struct BusyHint<F: Fn()>(std::ops::Range<u32>, F, Cell<bool>);

impl<F: Fn()> Iterator for BusyHint<F> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if !self.2.replace(true) {
            (self.1)();
        }
        self.0.size_hint()
    }
}

fn busy_hint<F: Fn()>(action: F) -> BusyHint<F> {
    BusyHint(0..2, action, Cell::new(false))
}

/// A long list, a mark in it, and two of its variables.
struct Long {
    tape: Tape,
    mark: tape::Mark,
    x: Var,
    y: Var,
}

fn long() -> Long {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let mark = tape.mark();
    let y = (0..5000).fold(x, |y, _| y + 1e-3);
    Long { tape, mark, x, y }
}

/// The tape is as good as before: x² + y, with derivatives.
#[track_caller]
fn check_usable(long: &Long) {
    let z = long.x * long.x + long.y;
    assert_eq!(long.tape.sweep(z).wrt(long.x), 5.0);
    long.tape.rewind(long.mark);
    assert_eq!(long.tape.len(), 1);
    long.tape.clear();
    assert!(long.tape.is_empty());
}

#[test]
fn an_iterator_that_rewinds_the_tape_is_refused() {
    for place in [Place::First, Place::Second, Place::End, Place::Drop] {
        let long = long();
        let sum = || {
            let rewind = || long.tape.rewind(long.mark);
            long.tape.sum_over(busy(place, rewind), |_| long.y * long.x)
        };
        check(sum, REWIND);
        check(sum, IN_USE);
        check_usable(&long);
    }
}

#[test]
fn an_iterator_that_clears_the_tape_is_refused() {
    for place in [Place::First, Place::Second, Place::End, Place::Drop] {
        let long = long();
        let sum = || long.tape.sum_over(busy(place, || long.tape.clear()), |_| long.y * long.x);
        check(sum, CLEAR);
        check(sum, IN_USE);
        check_usable(&long);
    }
}

#[test]
fn an_iterator_may_rewind_the_tape_before_the_sum_has_begun() {
    let long = long();
    let rewind = || long.tape.rewind(long.mark);
    let sum = long.tape.sum_over(busy_hint(rewind), |_| long.x * long.x);
    assert_eq!(sum.value(), 8.0);
    assert_eq!(long.tape.sweep(sum).wrt(long.x), 8.0);
    assert_eq!(long.tape.len(), 2);
}

#[test]
fn the_first_term_of_a_sum_may_not_be_rewound_before_the_second() {
    let long = long();
    let rewind = || long.tape.rewind(long.mark);
    check(|| tape::sum_over(busy_hint(rewind), |_| long.x * long.x), "has been rewound to a mark");
}

#[test]
fn a_closure_that_rewinds_or_clears_the_tape_is_refused() {
    let long = long();
    let rewind = || {
        long.tape.sum_over(0..3, |_| {
            long.tape.rewind(long.mark);
            long.x
        })
    };
    check(rewind, IN_USE);
    let clear = || {
        long.tape.sum_over(0..3, |_| {
            long.tape.clear();
            long.tape.var(1.0)
        })
    };
    check(clear, IN_USE);
    check_usable(&long);
}

#[test]
fn a_closure_that_is_refused_may_go_on() {
    let long = long();
    let sum = long.tape.sum_over(0..3, |i| {
        check(|| long.tape.clear(), IN_USE);
        check(|| long.tape.rewind(long.mark), IN_USE);
        long.x * f64::from(i)
    });
    assert_eq!(sum.value(), 6.0);
    assert_eq!(long.tape.sweep(sum).wrt(long.x), 3.0);
    check_usable(&long);
}

#[test]
fn a_closure_may_rewind_to_a_mark_of_its_own_and_sweep() {
    let long = long();
    let sum = long.tape.sum_over(0..3, |i| {
        let term = long.x * f64::from(i);
        let mark = long.tape.mark();
        let cube = term * term * term;
        let derivative = long.tape.sweep(cube).wrt(term);
        long.tape.rewind(mark);
        term * derivative
    });
    // Σ 2i·3(2i)²
    assert_eq!(sum.value(), 6.0 * (1.0 + 8.0) * 4.0);
    assert_eq!(long.tape.sweep(sum).wrt(long.x), 12.0 + 96.0);
    check_usable(&long);
}

#[test]
fn a_sum_in_a_sum_keeps_what_the_outer_one_has_recorded() {
    let long = long();
    let sum = long.tape.sum_over(0..3, |i| {
        let mark = long.tape.mark();
        let term = long.x * f64::from(i);
        let inner = long.tape.sum_over(0..2, |_| {
            check(|| long.tape.rewind(mark), IN_USE);
            term * long.x
        });
        // Only the outer sum is at work.
        check(|| long.tape.rewind(long.mark), IN_USE);
        inner + term
    });
    assert_eq!(sum.value(), 2.0 * 3.0 * 4.0 + 6.0);
    assert_eq!(long.tape.sweep(sum).wrt(long.x), 2.0 * 3.0 * 4.0 + 3.0);
    check_usable(&long);
}

/// A tape that can be dropped from anywhere, and a variable on it.
fn droppable() -> (Rc<RefCell<Option<Tape>>>, Var) {
    let tape = Tape::new();
    let x = (0..5000).fold(tape.var(2.0), |x, _| x + 1e-3);
    (Rc::new(RefCell::new(Some(tape))), x)
}

#[test]
fn an_iterator_that_drops_the_tape_is_detected() {
    for (place, expected) in [
        (Place::First, STALE),
        (Place::Second, DROPPED),
        (Place::End, DROPPED),
        (Place::Drop, DROPPED),
    ] {
        let (tape, x) = droppable();
        check(|| tape::sum_over(busy(place, || drop(tape.take())), |_| x), expected);
        check(|| x * x, STALE);
    }
}

#[test]
fn an_iterator_whose_size_hint_drops_the_tape_is_detected() {
    let (tape, x) = droppable();
    check(|| tape::sum_over(busy_hint(|| drop(tape.take())), |_| x), STALE);
}

#[test]
fn a_closure_that_drops_the_tape_is_detected() {
    for last in 0..4 {
        let (tape, x) = droppable();
        let sum = || {
            tape::sum_over(0..4, |i| {
                let term = x * x;
                if i == last {
                    drop(tape.take());
                }
                term
            })
        };
        check(sum, if last == 0 { STALE } else { DROPPED });
    }
}

#[test]
fn a_closure_that_drops_the_tape_for_another_is_detected() {
    let (tape, x) = droppable();
    let sum = || {
        tape::sum_over(0..4, |i| {
            let term = x * x;
            if i == 2 {
                *tape.borrow_mut() = None;
                *tape.borrow_mut() = Some(Tape::new());
            }
            term
        })
    };
    check(sum, DROPPED);
}

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_closure_that_drops_the_tape_when_it_is_dropped_is_detected() {
    let (tape, x) = droppable();
    let last = OnDrop(|| drop(tape.take()));
    let term = move |_| {
        let _ = &last;
        x * x
    };
    check(|| tape::sum_over(0..4, term), DROPPED);
}

#[test]
fn a_closure_may_panic() {
    let long = long();
    let sum = |i| {
        assert!(i < 2, "of its own");
        long.x * long.x
    };
    check(|| long.tape.sum_over(0..4, sum), "of its own");
    check(|| tape::sum_over(0..4, sum), "of its own");
    let nested = || tape::sum_over(0..4, |_| long.x + tape::sum_over(0..4, sum));
    check(nested, "of its own");
    check_usable(&long);
}

#[test]
fn when_a_closure_has_panicked_the_iterator_may_do_as_it_likes() {
    let (tape, x) = droppable();
    let kept = Rc::clone(&tape);
    let last = OnDrop(move || drop(kept.take()));
    let items = (0..4).inspect(move |_| {
        let _ = &last;
    });
    check(|| tape::sum_over(items, |i| if i < 2 { x } else { panic!("of its own") }), "of its own");
    assert!(tape.borrow().is_none());

    let long = long();
    let last = OnDrop(|| long.tape.clear());
    let items = (0..4).inspect(|_| {
        let _ = &last;
    });
    check(|| long.tape.sum_over(items, |_| panic!("of its own")), "of its own");
}

#[test]
fn an_iterator_may_record_what_it_gives() {
    let long = long();
    let squares = (1..4).map(|i| long.x * f64::from(i));
    let sum = long.tape.sum_over(squares, |term| term * long.x);
    assert_eq!(sum.value(), 24.0);
    assert_eq!(long.tape.sweep(sum).wrt(long.x), 24.0);
}

#[test]
fn a_sum_of_variables_of_variables_survives_that_the_inner_tape_is_dropped() {
    let outer = Tape::<Var>::new();
    let inner = RefCell::new(Some(Tape::new()));
    let x = inner.borrow().as_ref().unwrap().var(2.0);
    let y = outer.var(x);
    let sum = || {
        outer.sum_over(0..4, |i| {
            let term = y * y;
            if i == 2 {
                drop(inner.take());
            }
            term
        })
    };
    check(sum, STALE);
    // The outer tape is as good as before.
    let z = outer.var(Var::constant(3.0));
    assert_eq!(outer.sweep(z * z).wrt(z).value(), 6.0);
    outer.clear();
    assert!(catch(|| y * y).is_err());
}
