//! What is not allowed is detected, in release builds too: with a message that names the case and the line of the mistake.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Once;

use tape::{Dual, Real, Tape, Var};

thread_local! {
    static IS_EXPECTING: Cell<bool> = const { Cell::new(false) };
    static FILE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the place of an expected panic instead of printing it; other panics are printed as always.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IS_EXPECTING.get() {
                let file = info.location().map(Location::file).unwrap_or_default();
                FILE.set(file.to_owned());
            } else {
                print(info);
            }
        }));
    });
}

/// The message of the panic of `misuse`, and the file in which it is said to be.
#[track_caller]
fn panic_of<R>(misuse: impl FnOnce() -> R) -> (String, String) {
    watch_panics();
    IS_EXPECTING.set(true);
    let result = catch_unwind(AssertUnwindSafe(misuse));
    IS_EXPECTING.set(false);
    let Err(payload) = result else { panic!("this is not detected") };
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|message| (*message).to_owned()));
    (message.unwrap(), FILE.take())
}

/// The misuse panics, blames this file, and says this.
#[track_caller]
fn check<R>(misuse: impl FnOnce() -> R, expected: &str) {
    let (message, file) = panic_of(misuse);
    assert!(message.contains(expected), "the message is not {expected:?}:\n{message}");
    assert_eq!(file, file!(), "the place is another:\n{message}");
}

const DROPPED: &str =
    "which has been dropped since: its variables ended with that; make variables anew with var()";
const CLEARED: &str =
    "which has been cleared since: its variables ended with that; make variables anew with var()";
const DIFFERENT: &str = "one operation takes variables of one tape; pass the value of one as a number if its derivative is not wanted";
const REWOUND: &str = "has been rewound to a mark before it was recorded";

fn dropped() -> Var {
    Tape::new().var(2.0)
}

type OfOne = fn(Var) -> Var;
type OfTwo = fn(Var, Var) -> Var;

/// Every shape of call that records an operation of one variable.
#[rustfmt::skip]
#[allow(clippy::op_ref, reason = "the forms by reference are calls of their own")]
const OF_ONE: [(&str, OfOne); 14] = [
    ("-x",        |x| -x),
    ("-&x",       |x| -&x),
    ("x + 1",     |x| x + 1.0),
    ("&x * 2",    |x| &x * 2.0),
    ("x * &2",    |x| x * &2.0),
    ("&x / &2",   |x| &x / &2.0),
    ("1 - x",     |x| 1.0 - x),
    ("1 - &x",    |x| 1.0 - &x),
    ("x /= 2",    |mut x| { x /= 2.0; x }),
    ("x.sin()",   |x| x.sin()),
    ("Real::sin", |x| Real::sin(x)),
    ("x.gelu()",  |x| x.gelu()),
    ("x.powi(3)", |x| x.powi(3)),
    ("Real::powi", |x| Real::powi(x, 3)),
];

/// Every shape of call that records an operation of two variables or more.
#[rustfmt::skip]
#[allow(clippy::op_ref, reason = "the forms by reference are calls of their own")]
const OF_TWO: [(&str, OfTwo); 25] = [
    ("x + y",             |x, y| x + y),
    ("&x - &y",           |x, y| &x - &y),
    ("&x * y",            |x, y| &x * y),
    ("x / &y",            |x, y| x / &y),
    ("x % y",             |x, y| x % y),
    ("x += y",            |mut x, y| { x += y; x }),
    ("x -= &y",           |mut x, y| { x -= &y; x }),
    ("x.powf(y)",         |x, y| x.powf(y)),
    ("Real::powf",        |x, y| Real::powf(x, y)),
    ("x.max(y)",          |x, y| x.max(y)),
    ("x.clamp(y, 9)",     |x, y| x.clamp(y, Var::constant(9.0))),
    ("Real::clamp",       |x, y| Real::clamp(x, y, Var::constant(9.0))),
    ("x.mul_add(y, x)",   |x, y| x.mul_add(y, x)),
    ("select",            |x, y| tape::select(x, y, x)),
    ("Real::select",      |x, y| Var::select(x, x, y)),
    ("sum",               |x, y| tape::sum(&[x, y])),
    ("dot",               |x, y| tape::dot(&[x], &[y])),
    ("norm",              |x, y| tape::norm(&[x, y])),
    ("log_sum_exp",       |x, y| tape::log_sum_exp(&[x, y])),
    ("Real::sum",         |x, y| Real::sum(&[x, y])),
    ("Real::dot",         |x, y| Real::dot(&[x], &[y])),
    ("Real::norm",        |x, y| Real::norm(&[x, y])),
    ("Real::log_sum_exp", |x, y| Real::log_sum_exp(&[x, y])),
    ("x.atan2(y)",        |x, y| x.atan2(y)),
    ("x.log_add_exp(y)",  |x, y| x.log_add_exp(y)),
];

/// As [`check`], for one call of a table.
#[track_caller]
fn check_call(call: &str, misuse: impl FnOnce() -> Var, expected: &str) {
    let (message, file) = panic_of(misuse);
    assert!(message.contains(expected), "{call}: the message is not {expected:?}:\n{message}");
    assert_eq!(file, file!(), "{call}: the place is another");
}

#[test]
fn every_recording_call_detects_a_variable_of_a_dropped_tape() {
    let tape = Tape::new();
    for (call, record) in OF_ONE {
        check_call(call, || record(dropped()), DROPPED);
    }
    for (call, record) in OF_TWO {
        check_call(call, || record(dropped(), tape.var(1.0)), DROPPED);
        check_call(call, || record(tape.var(1.0), dropped()), DROPPED);
        check_call(call, || record(Var::constant(1.0), dropped()), DROPPED);
    }
}

#[test]
fn every_recording_call_detects_a_variable_of_a_cleared_tape() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    tape.clear();
    let y = tape.var(3.0);
    for (call, record) in OF_ONE {
        check_call(call, || record(x), CLEARED);
    }
    for (call, record) in OF_TWO {
        check_call(call, || record(y, x), CLEARED);
        check_call(call, || record(x, y), CLEARED);
    }
}

#[test]
fn every_recording_call_detects_a_variable_that_was_rewound() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let mark = tape.mark();
    let y = tape.var(3.0);
    for (call, record) in OF_ONE {
        tape.rewind(mark);
        check_call(call, || record(y), REWOUND);
    }
    for (call, record) in OF_TWO {
        tape.rewind(mark);
        check_call(call, || record(x, y), REWOUND);
        check_call(call, || record(y, x), REWOUND);
    }
}

#[test]
fn every_recording_call_of_two_variables_detects_that_they_are_on_two_tapes() {
    let (a, b) = (Tape::new(), Tape::new());
    for (call, record) in OF_TWO {
        check_call(call, || record(a.var(1.0), b.var(2.0)), DIFFERENT);
    }
}

#[test]
fn a_variable_of_a_dropped_tape() {
    check(|| dropped() + 1.0, DROPPED);
}

#[test]
fn the_variable_and_its_tape_are_named() {
    check(|| dropped() + 1.0, "variable v1 cannot be used here: it belongs to tape ");
}

#[test]
fn a_variable_of_a_cleared_tape() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    tape.clear();
    check(|| x + 1.0, CLEARED);
}

#[test]
fn a_variable_of_a_cleared_tape_beside_one_recorded_since() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    tape.clear();
    let y = tape.var(3.0);
    check(|| x * y, CLEARED);
    check(|| y * x, CLEARED);
    assert_eq!((y * y).value(), 9.0);
}

#[test]
fn a_variable_of_a_tape_that_was_cleared_and_then_dropped() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    tape.clear();
    let y = tape.var(3.0);
    drop(tape);
    check(|| x + 1.0, CLEARED);
    check(|| y + 1.0, DROPPED);
}

#[test]
fn variables_of_two_tapes() {
    let (a, b) = (Tape::new(), Tape::new());
    let (x, y) = (a.var(1.0), b.var(2.0));
    check(|| x + y, "variables 1.0 (v1) and 2.0 (v1) are on different tapes (");
    check(|| x + y, DIFFERENT);
}

#[test]
fn variables_of_two_tapes_in_a_slice() {
    let (a, b) = (Tape::new(), Tape::new());
    let terms = [a.var(1.0), Var::constant(5.0), b.var(2.0)];
    check(|| tape::sum(&terms), DIFFERENT);
    check(|| tape::norm(&terms), DIFFERENT);
    check(|| tape::log_sum_exp(&terms), DIFFERENT);
    check(|| tape::dot(&terms, &terms), DIFFERENT);
}

#[test]
fn variables_of_two_tapes_in_the_iterator_of_a_sum_or_product() {
    let (a, b) = (Tape::new(), Tape::new());
    let terms = [a.var(1.0), b.var(2.0)];
    assert!(panic_of(|| terms.iter().sum::<Var>()).0.contains(DIFFERENT));
    assert!(panic_of(|| terms.into_iter().product::<Var>()).0.contains(DIFFERENT));
}

#[test]
fn a_variable_on_another_thread() {
    let owner = || {
        let tape = Tape::new();
        let x = tape.var(1.0);
        let misuse = move || {
            check(|| x + 1.0, "it belongs to tape ");
            check(
                || x + 1.0,
                "of another thread (\"owner of the tape\"): a tape records on the thread that made it; pass plain \
                 numbers between threads and make the variables where they are used",
            );
            x.value()
        };
        std::thread::spawn(misuse).join().unwrap()
    };
    let owner = std::thread::Builder::new().name("owner of the tape".to_owned()).spawn(owner);
    assert_eq!(owner.unwrap().join().unwrap(), 1.0);
}

#[test]
fn a_variable_on_another_thread_beside_one_of_its_own() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let misuse = move || {
        let own = Tape::new().var(1.0);
        let tape = Tape::new();
        let y = tape.var(1.0);
        check(|| x * y, "of another thread");
        check(|| y * x, "of another thread");
        check(|| own * y, DROPPED);
    };
    std::thread::spawn(misuse).join().unwrap();
}

#[test]
fn a_variable_of_a_thread_that_has_ended() {
    let x = std::thread::spawn(|| Tape::new().var(1.0)).join().unwrap();
    check(|| x + 1.0, "of another thread");
}

#[test]
fn a_variable_that_was_rewound() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let mark = tape.mark();
    let y = x * x;
    tape.rewind(mark);
    check(|| y + 1.0, REWOUND);
    check(|| x + y, REWOUND);
    check(|| tape::sum(&[x, y]), REWOUND);
    check(|| tape.sweep(y), REWOUND);
    check(|| tape.show(y), REWOUND);
    check(|| tape.custom(&[x, y], 1.0, &[1.0, 1.0]), REWOUND);
    assert_eq!(tape.sweep(x * x).wrt(x), 4.0);
}

#[test]
fn every_call_of_a_tape_detects_a_variable_of_another() {
    let (a, b) = (Tape::new(), Tape::new());
    let x = a.var(2.0);
    check(|| b.sweep(x), "sweep: variable 2.0 (v1) is on tape ");
    check(
        || b.sweep_seeded(&[(b.var(1.0), 1.0), (x, 1.0)]),
        "sweep: variable 2.0 (v1) is on tape ",
    );
    check(|| b.show(x), "is on tape ");
    check(|| b.dot(x), "is on tape ");
    check(|| b.custom(&[x], 1.0, &[1.0]), "custom: variable 2.0 (v1) is on tape ");
    check(|| b.sum_over([0], |_| x), "sum_over: variable 2.0 (v1) is on tape ");
    check(|| b.sweep(b.var(1.0)).wrt(x), "have none for variable 2.0 (v1): it is on tape ");
    check(|| b.sweep(b.var(1.0))[x], "have none for variable 2.0 (v1): it is on tape ");
    check(|| b.sweep(x), ": call it on the tape that recorded the variable");
}

#[test]
fn every_call_of_a_tape_detects_a_stale_variable() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let adjoints = tape.sweep(x);
    tape.clear();
    check(|| tape.sweep(x), CLEARED);
    check(|| tape.sweep_seeded(&[(x, 1.0)]), CLEARED);
    check(|| tape.show(x), CLEARED);
    check(|| tape.dot(x), CLEARED);
    check(|| tape.custom(&[x], 1.0, &[1.0]), CLEARED);
    check(|| tape.sum_over([0], |_| x), CLEARED);
    check(|| tape.sweep(tape.var(1.0)).wrt(x), CLEARED);
    assert_eq!(adjoints.wrt(x), 1.0);
}

#[test]
fn a_result_of_another_tape() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let expected = "the function's result: variable 2.0 (v1) is on tape ";
    check(|| tape::gradient(|_| x, &[1.0]), expected);
    check(|| tape::jacobian(|_| vec![x], &[1.0]), expected);
    check(|| tape::hessian(|_| x, &[1.0]), expected);
    check(|| tape::hessian_vector(|_| x, &[1.0], &[1.0]), expected);
}

#[test]
fn a_variable_kept_from_a_gradient() {
    let mut kept = None;
    tape::gradient(|x| *kept.insert(x[0]), &[1.0]);
    tape::gradient(|x: &[Var]| x[0], &[1.0]);
    check(|| kept.unwrap() + 1.0, CLEARED);
}

#[test]
fn a_mark_of_another_tape_of_before_a_clear_or_behind_the_end() {
    let (a, b) = (Tape::<f64>::new(), Tape::<f64>::new());
    let mark = a.mark();
    check(|| b.rewind(mark), "rewind: the mark was made on tape ");
    let start = b.mark();
    b.var(1.0);
    let end = b.mark();
    b.rewind(start);
    check(
        || b.rewind(end),
        "rewind: the mark lies at node 1, but the list has been rewound to 0 nodes since",
    );
    b.clear();
    check(|| b.rewind(start), "or before it was cleared");
}

#[test]
fn slices_of_different_lengths() {
    let tape = Tape::new();
    let x = tape.vars_from(&[1.0, 2.0]);
    check(
        || tape::dot(&x, &x[..1]),
        "dot of 2 numbers with 1: both slices must have the same length",
    );
    check(|| tape::dot(&[1.0], &[]), "dot of 1 numbers with 0");
    check(
        || tape.custom(&x, 1.0, &[1.0]),
        "custom: 2 arguments, but 1 partials: give one partial for each argument",
    );
    check(
        || tape::hessian_vector(|x| x[0], &[1.0, 2.0], &[1.0]),
        "hessian_vector: x has 2 numbers and v has 1: the direction must be as long as the point",
    );
}

#[test]
fn a_matrix_entry_that_is_not_there() {
    let (_, jacobian) = tape::jacobian(|x: &[Var]| x.to_vec(), &[1.0, 2.0]);
    check(|| jacobian[(2, 0)], "entry (2, 0) of a 2×2 matrix");
    check(|| jacobian.row(2)[0], "row 2 of a matrix of 2 rows");
}

#[test]
fn clamp_between_bounds_in_the_wrong_order() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let (message, _) = panic_of(|| x.clamp(Var::constant(3.0), Var::constant(1.0)));
    assert!(message.contains("min > max"), "{message}");
}

#[test]
fn a_row_given_the_wrong_number_of_arguments() {
    check(|| tape::Op::from_name("powf").unwrap().apply(&[1.0]), "powf takes 2 arguments, not 1");
    check(|| tape::Op::Sum.apply(&[1.0, 2.0]), "sum is not in Op::ALL");
}

/// What follows is allowed, or harmless.
#[test]
fn constants_are_on_every_tape() {
    let (a, b) = (Tape::new(), Tape::new());
    let c = Var::constant(2.0);
    assert_eq!(a.sweep(a.var(3.0) * c).wrt(c), 0.0);
    assert_eq!(b.sweep(c).wrt(c), 0.0);
    assert_eq!((c * c).value(), 4.0);
    assert!((c * c).is_constant());
}

#[test]
fn a_forgotten_tape_still_records() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    std::mem::forget(tape);
    let y = x * x + 1.0;
    assert_eq!(y.value(), 5.0);
    let other = Tape::new();
    let z = other.var(1.0);
    check(|| y * z, DIFFERENT);
    assert_eq!((y * y).value(), 25.0);
}

#[test]
fn tapes_may_be_dropped_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut tapes = [0; 3].map(|_| Some(Tape::new()));
        let variables = [0, 1, 2].map(|i| tapes[i].as_ref().unwrap().var(2.0));
        for (dropped, &next) in order.iter().enumerate() {
            tapes[next] = None;
            check(|| variables[next] * 2.0, DROPPED);
            for &living in &order[dropped + 1..] {
                let (tape, x) = (tapes[living].as_ref().unwrap(), variables[living]);
                assert_eq!(tape.sweep(x * x).wrt(x), 4.0);
            }
        }
    }
}

#[test]
fn nested_tapes_may_be_dropped_outer_first() {
    let outer = Tape::new();
    let x = outer.var(2.0);
    let inner = Tape::<Var>::new();
    let y = inner.var(x);
    drop(outer);
    check(|| y * y, DROPPED);
    check(|| x * x, DROPPED);
}

#[test]
fn a_tape_dropped_during_a_panic_is_dropped() {
    let mut kept = None;
    let (message, _) = panic_of(|| {
        let tape = Tape::new();
        let x = tape.var(2.0);
        kept = Some(x * x);
        panic!("a panic of the user");
    });
    assert_eq!(message, "a panic of the user");
    check(|| kept.unwrap() + 1.0, DROPPED);
    let tape = Tape::new();
    let x = tape.var(3.0);
    assert_eq!(tape.sweep(x * x).wrt(x), 6.0);
}

#[test]
fn a_tape_of_which_a_misuse_panicked_records_on() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    check(|| x * dropped(), DROPPED);
    assert_eq!(tape.sweep(x * x).wrt(x), 6.0);
    assert_eq!(tape.len(), 2);
}

#[test]
fn a_gradient_whose_function_panicked_leaves_the_next_one_right() {
    for _ in 0..3 {
        let (message, _) = panic_of(|| {
            tape::gradient(
                |x: &[Var]| {
                    let y = x[0].exp();
                    assert!(y < 0.0, "a panic of the user");
                    y
                },
                &[1.0],
            )
        });
        assert_eq!(message, "a panic of the user");
        assert_eq!(tape::gradient(|x| x[0] * x[0], &[3.0]), (9.0, vec![6.0]));
        assert!(
            panic_of(|| tape::hessian(|_: &[Var]| panic!("a panic of the user"), &[1.0]))
                .0
                .ends_with("user")
        );
        assert_eq!(tape::hessian(|x| x[0] * x[0], &[3.0]).2.data, [2.0]);
    }
}

#[test]
fn a_sum_over_whose_term_panicked_leaves_the_tape_right() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let term = |i: i32| {
        assert!(i < 2, "a panic of the user");
        x * f64::from(i)
    };
    assert_eq!(panic_of(|| tape.sum_over(0..5, term)).0, "a panic of the user");
    let sum = tape.sum_over(0..2, term);
    assert_eq!((sum.value(), tape.sweep(sum).wrt(x)), (3.0, 1.0));
}

thread_local! {
    static OF_THE_THREAD: Tape = Tape::new();
    static BY_ANOTHER_NAME: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

#[test]
fn a_tape_in_a_thread_local_is_dropped_with_its_thread() {
    let x = std::thread::spawn(|| {
        BY_ANOTHER_NAME.with(|tape| tape.replace(Some(Tape::new())));
        let x = OF_THE_THREAD.with(|tape| tape.var(2.0));
        let y = BY_ANOTHER_NAME.with_borrow(|tape| tape.as_ref().unwrap().var(2.0));
        assert_eq!(OF_THE_THREAD.with(|tape| tape.sweep(x * x).wrt(x)), 4.0);
        check(|| x * y, DIFFERENT);
        assert_eq!(tape::gradient(|x| x[0] * x[0], &[3.0]).1, [6.0]);
        x
    });
    let x = x.join().unwrap();
    check(|| x + 1.0, "of another thread");
}

#[test]
fn a_variable_is_stale_after_a_hundred_thousand_clears() {
    let tape = Tape::new();
    let mut stale = vec![];
    for clear in 0..100_000 {
        let x = tape.var(1.0);
        if clear % 10_000 == 0 {
            stale.push(x);
        }
        tape.clear();
        tape.var(2.0);
    }
    for x in stale {
        check(|| x + 1.0, CLEARED);
    }
}

#[test]
fn a_variable_is_stale_after_ten_thousand_tapes() {
    let first = dropped();
    for _ in 0..10_000 {
        dropped();
    }
    check(|| first + 1.0, DROPPED);
}

#[test]
fn tapes_of_different_types_do_not_displace_each_other() {
    let (a, b, c) = (Tape::<f64>::new(), Tape::<f32>::new(), Tape::<Dual>::new());
    let (x, y, z) = (a.var(2.0), b.var(3.0), c.var(Dual::new(4.0, 1.0)));
    for _ in 0..3 {
        assert_eq!((x * x).value(), 4.0);
        assert_eq!((y * y).value(), 9.0);
        assert_eq!((z * z).value().tangent, 8.0);
    }
    drop(b);
    check(|| y * y, DROPPED);
    assert_eq!(a.sweep(x * x).wrt(x), 4.0);
}
