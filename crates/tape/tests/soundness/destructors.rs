//! Tapes in destructors: of thread-locals, whose thread has hardly anything left, and while a panic unwinds.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tape::{Adjoints, Program, Tape, Var};

use crate::panics::{catch, check};

/// Does something when it is dropped.
struct AtTheEnd(Box<dyn FnMut()>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static FIRST: OnceCell<AtTheEnd> = const { OnceCell::new() };
    static LAST: OnceCell<AtTheEnd> = const { OnceCell::new() };
    static TAPES: RefCell<Vec<Tape>> = const { RefCell::new(Vec::new()) };
    static SWEPT: RefCell<Vec<Adjoints>> = const { RefCell::new(Vec::new()) };
}

/// Does `last` when the thread ends: in the destructors of two thread-locals, one of which was made before the engine has
/// been used on the thread, and one after.
fn when_the_thread_ends<W: 'static, R: Send + 'static>(work: fn() -> W, last: fn() -> R) -> Vec<R> {
    fn at_the_end<R: 'static>(send: &Sender<R>, last: fn() -> R) -> AtTheEnd {
        let send = send.clone();
        AtTheEnd(Box::new(move || drop(send.send(last()))))
    }
    let (send, receive) = channel();
    let thread = thread::spawn(move || {
        FIRST.with(|first| drop(first.set(at_the_end(&send, last))));
        drop(work());
        LAST.with(|other| drop(other.set(at_the_end(&send, last))));
    });
    thread.join().expect("the thread ends well");
    let results: Vec<R> = receive.iter().collect();
    assert_eq!(results.len(), 2);
    results
}

fn derivative() -> f64 {
    tape::gradient(|x| x[0] * x[0], &[3.0]).1[0]
}

#[test]
fn a_gradient_can_be_asked_for_while_the_thread_ends() {
    assert_eq!(when_the_thread_ends(|| (), derivative), [6.0; 2]);
    assert_eq!(when_the_thread_ends(derivative, derivative), [6.0; 2]);
}

#[test]
fn every_call_works_while_the_thread_ends() {
    let all = || {
        let x = [3.0, 2.0];
        let f = |x: &[Var]| x[0] * x[0] * x[1];
        let tape = Tape::new();
        let [a, b] = tape.vars(x);
        let sum = tape::sum_over(0..3, |_| a * b);
        let of_sum = tape.sweep(sum).wrt(b);
        tape.clear();
        check(|| a * b, "which has been cleared since");
        let c = tape.var(1.0);
        drop(tape);
        check(|| c * c, "variable v1 cannot be used here: it belongs to tape ");
        std::mem::forget(Tape::<f64>::new());
        let third = tape::gradient(|x| tape::gradient(|y| y[0] * y[0] * y[0], x).1[0], &[2.0]).1[0];
        [
            tape::hessian(f, &x).2.data[0],
            tape::jacobian(|x| vec![f(x)], &x).1.data[1],
            Program::trace(f, &x).and_then(|program| program.value(&x)).unwrap_or(f64::NAN),
            of_sum,
            third,
        ]
    };
    let expected = [[4.0, 9.0, 18.0, 9.0, 12.0]; 2];
    assert_eq!(when_the_thread_ends(derivative, all), expected);
}

#[test]
fn tapes_and_adjoints_are_dropped_when_their_thread_ends() {
    fn fill() {
        // What is made first is dropped first, or last: both orders occur.
        SWEPT.with(|_| ());
        for _ in 0..10 {
            let tape = Tape::new();
            let x = tape.var(1.0);
            let adjoints = tape.sweep(x * x);
            TAPES.with_borrow_mut(|tapes| tapes.push(tape));
            SWEPT.with_borrow_mut(|swept| swept.push(adjoints));
        }
    }
    fn count() -> usize {
        TAPES.try_with(|tapes| tapes.borrow().len()).unwrap_or(0)
    }
    fill();
    TAPES.with_borrow_mut(Vec::clear);
    for counts in [when_the_thread_ends(fill, count), when_the_thread_ends(|| (), count)] {
        assert!(counts.iter().all(|count| [0, 10].contains(count)));
    }
}

#[test]
fn a_forgotten_tape_outlives_its_thread_as_numbers_only() {
    let forget = || {
        let tape = Tape::new();
        let x = tape.var(2.0);
        std::mem::forget(tape);
        x * x
    };
    let y = thread::spawn(forget).join().expect("the thread ends well");
    assert_eq!(y.value(), 4.0);
    check(|| y * y, "of another thread");
}

#[test]
fn tapes_are_dropped_while_a_panic_unwinds() {
    let kept = Cell::new(None);
    let panics = || {
        let outer = Tape::<Var>::new();
        let inner = Tape::new();
        let x = inner.var(2.0);
        let y = outer.var(x);
        let _adjoints = (inner.sweep(x * x), outer.sweep(y * y));
        kept.set(Some((x, y)));
        // The inner one goes first.
        let _last = AtTheEnd(Box::new(move || assert!((x * x).value() < y.value().value() * 3.0)));
        panic!("of its own");
    };
    check(panics, "of its own");
    let (x, y) = kept.get().expect("it was set");
    check(|| x * x, "which has been dropped since");
    check(|| y * y, "which has been dropped since");
}

#[test]
fn a_gradient_that_has_panicked_leaves_the_next_one_alone() {
    for _ in 0..3 {
        check(|| tape::gradient(|_| panic!("of its own"), &[1.0]), "of its own");
        let nested = |x: &[Var]| {
            let caught = catch(|| tape::gradient(|y: &[Var<Var>]| y[0] * x[0] + panics(), x));
            assert!(caught.is_err());
            x[0] * x[0]
        };
        assert_eq!(tape::gradient(nested, &[3.0]).1, [6.0]);
    }
}

fn panics() -> Var<Var> {
    panic!("of its own")
}
