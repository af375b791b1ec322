//! Tapes and threads: a number belongs to one tape, however many threads come and go.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tape::{Tape, Var};

use crate::panics::check;

const ANOTHER: &str = "of another thread";

/// More than there are blocks of numbers; fewer under valgrind, by `WENGERT_THREADS=500`.
fn threads() -> usize {
    std::env::var("WENGERT_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(66_000)
}

#[test]
fn a_variable_is_never_taken_for_one_of_66_000_other_threads() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    for _ in 0..threads() {
        let other = move || {
            let tape = Tape::new();
            let _own = tape.var(2.0);
            check(|| x * x, ANOTHER);
        };
        thread::spawn(other).join().expect("the thread ends well");
    }
    assert_eq!(tape.sweep(x * x).wrt(x), 6.0);
}

#[test]
fn a_variable_of_a_thread_that_has_ended_is_on_no_later_tape() {
    let make = || {
        let tape = Tape::new();
        tape.clear();
        tape.var(3.0)
    };
    let x = thread::spawn(make).join().expect("the thread ends well");
    check(
        || x * x,
        "of another thread, which has ended: a tape records on the thread that made it",
    );
    for _ in 0..100 {
        let other = move || {
            for _ in 0..30 {
                let tape = Tape::new();
                let _own = tape.var(2.0);
                check(|| x * x, ANOTHER);
            }
        };
        thread::spawn(other).join().expect("the thread ends well");
    }
}

#[test]
fn threads_that_live_at_the_same_time_have_different_numbers() {
    let (send, receive) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let work = move |variables: Vec<Var>| {
        let tapes: Vec<Tape> = (0..1500).map(|_| Tape::new()).collect();
        let own: Vec<Var> = tapes.iter().map(|tape| tape.var(1.0)).collect();
        for &foreign in &variables {
            check(|| foreign + 1.0, ANOTHER);
            check(|| foreign + own[0], ANOTHER);
        }
        for (tape, &x) in tapes.iter().zip(&own) {
            assert_eq!(tape.sweep(x * x).wrt(x), 2.0);
        }
        (tapes, own)
    };
    let first = thread::spawn(move || {
        let (_tapes, own) = work(Vec::new());
        send.send(own).expect("it is waited for");
        let _ = ended.recv();
    });
    let others = receive.recv().expect("it is sent");
    work(others);
    drop(end);
    first.join().expect("the thread ends well");
}

/// Seconds for one operation on each of so many tapes, in turn, in the best of a few rounds.
fn seconds_per_operation(tapes: usize) -> f64 {
    let tapes: Vec<Tape> = (0..tapes).map(|_| Tape::new()).collect();
    let mut variables: Vec<Var> = tapes.iter().map(|tape| tape.var(1.0)).collect();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for x in &mut variables {
            *x += 1.0;
        }
        best = best.min(start.elapsed());
    }
    for (tape, &x) in tapes.iter().zip(&variables) {
        assert_eq!((x.value(), tape.len()), (6.0, 6));
    }
    best.as_secs_f64() / tapes.len() as f64
}

#[test]
fn one_of_40_000_tapes_is_found_as_fast_as_one_of_100() {
    // They do not fit the caches, which a factor of 100 allows for. A search through all would take 400 times as long.
    let (few, many) = (seconds_per_operation(100), seconds_per_operation(40_000));
    assert!(many < 100.0 * few, "{many} s with many tapes, {few} s with few");
}

/// 2²⁶ clears use up every number of the type.
#[test]
#[ignore = "it takes seconds, under valgrind minutes"]
fn when_the_numbers_come_round_those_of_living_tapes_are_passed_over() {
    let (living, other) = (Tape::<f32>::new(), Tape::<f32>::new());
    let x = living.var(3.0);
    let (send, receive) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let elsewhere = thread::spawn(move || {
        let tape = Tape::<f32>::new();
        let y = tape.var(4.0);
        ready.send(y).expect("it is waited for");
        let _ = receive.recv();
        assert_eq!(tape.sweep(y * y).wrt(y), 8.0);
    });
    let y: Var<f32> = is_ready.recv().expect("it is sent");
    for _ in 0..(1_u64 << 26) - 5000 {
        other.clear();
    }
    for _ in 0..10_000 {
        other.clear();
        let own = other.var(2.0);
        check(|| own * x, "are on different tapes");
        check(|| own * y, ANOTHER);
    }
    assert_eq!(living.sweep(x * x).wrt(x), 6.0);
    drop(send);
    elsewhere.join().expect("the thread ends well");
}

#[test]
fn variables_and_adjoints_can_be_sent_to_other_threads() {
    fn is_sent_and_shared<T: Send + Sync + Copy>() {}
    is_sent_and_shared::<Var>();
    is_sent_and_shared::<Var<Var<f32>>>();
    let tape = Tape::new();
    let x = tape.var(3.0);
    let adjoints = tape.sweep(x * x);
    let read = thread::spawn(move || {
        let own = Tape::new();
        let y = own.var(1.0);
        let derivative = adjoints.wrt(x);
        drop(adjoints);
        own.sweep(y * y).wrt(y) + derivative + x.value()
    });
    assert_eq!(read.join().expect("the thread ends well"), 2.0 + 6.0 + 3.0);
    assert_eq!(tape.sweep(x * x).wrt(x), 6.0);
}

#[test]
fn a_tape_may_be_used_after_a_panic() {
    fn is_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    is_safe::<Tape>();
    is_safe::<Var>();
}
