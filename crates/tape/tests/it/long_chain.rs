//! Ten million operations on a small stack: nothing recurses over the list. And a trace that is longer than what is kept of a
//! list while it is traced.

use tape::{Error, Program, Real, Tape, Var};

const OPERATIONS: usize = 10_000_000;
/// Far below one byte of stack per operation.
const STACK: usize = 256 * 1024;

#[test]
fn ten_million_operations_are_recorded_swept_shown_and_dropped_on_a_small_stack() {
    let chain = || {
        let tape = Tape::new();
        let x = tape.var(1.0);
        let mut y = x;
        for _ in 0..OPERATIONS / 2 {
            y = y * 0.5 + 0.5;
        }
        assert_eq!(tape.len(), OPERATIONS + 1);
        assert_eq!(y.value(), 1.0);

        let adjoints = tape.sweep(y + x);
        assert_eq!(adjoints[y], 1.0);
        // 0.5 to the power of five million is 0: what remains is the derivative of x itself.
        assert_eq!(adjoints.wrt(x), 1.0);

        let shown = tape.show(y).limit(4).to_string();
        let last = format!("v{} ", OPERATIONS + 1);
        assert_eq!(shown.lines().count(), 6, "{shown}");
        assert!(shown.lines().last().unwrap().starts_with(&last), "{shown}");
        drop(tape);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(chain).unwrap().join().unwrap();
}

/// Some 200,000 nodes: operations of many arguments, comparisons, functions that are differentiated and traced on the way.
fn long<T: Real + PartialOrd>(x: &[T], within: impl Fn(T) -> T) -> T {
    let mut y = x[0];
    let mut all = Vec::new();
    for i in 0..20_000 {
        y = (y * x[1] + T::from_f64(f64::from(i % 7))).sin();
        if y > x[2] {
            y *= x[0];
        }
        if i % 1_000 == 0 {
            y = within(y.clamp(x[3], x[2]));
        }
        all.push(y);
    }
    let weights: Vec<f64> = (0..all.len()).map(|i| 1.0 / (1.0 + i as f64)).collect();
    let (first, last) = all.split_at(all.len() / 2);
    tape::weighted_sum(&weights, &all) * tape::norm(first)
        + tape::dot(first, last)
        + tape::log_sum_exp(&all[..all.len() - 1])
        + y
}

#[test]
fn a_long_trace_gives_what_recording_anew_gives() {
    let within = |y: Var| {
        let (value, derivative) = tape::gradient(|y| y[0].exp() * y[0], &[y]);
        value
            * derivative[0]
            * Program::trace(|y| y[0] * y[0], &[3.0]).unwrap().value(&[3.0]).unwrap()
    };
    let f = |x: &[Var]| long(x, within);
    let program = Program::trace(f, &[0.3, 1.1, 10.0, -8.0]).unwrap();
    for x in [[0.3, 1.1, 10.0, -8.0], [0.31, 1.05, 11.0, -9.0]] {
        let (value, gradient) = program.gradient(&x).unwrap();
        let (expected, derivatives) = tape::gradient(f, &x);
        assert_eq!(value, expected);
        for (found, expected) in gradient.iter().zip(&derivatives) {
            assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} {expected}");
        }
    }
    // A guard in the middle.
    assert!(program.value(&[0.3, 1.1, 0.8, -8.0]).unwrap_err().is_diverged());
}

#[test]
fn an_operation_early_in_a_long_trace_that_cannot_be_replayed_is_named() {
    let f = |x: &[Var]| {
        let opaque = tape::custom(&[x[0]], 1.0, &[2.0]);
        long(x, |y| y) + opaque * 0.0
    };
    let error = Program::trace(f, &[0.3, 1.1, 10.0, -8.0]).unwrap_err();
    assert!(matches!(error, Error::Opaque { index: 5, .. }), "{error}");
    let unused = |x: &[Var]| {
        tape::custom(&[x[0]], 1.0, &[2.0]);
        long(x, |y| y)
    };
    assert!(matches!(Program::trace(unused, &[0.3, 1.1, 10.0, -8.0]), Err(Error::Opaque { .. })));
}

#[test]
fn a_long_trace_that_panics_leaves_the_next_one_right_and_its_variables_stale() {
    let x = [0.3, 1.1, 10.0, -8.0];
    let kept = std::cell::Cell::new(None);
    let failing = |x: &[Var]| -> Var {
        kept.set(Some(long(x, |y| y)));
        panic!("of its own")
    };
    assert!(
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Program::trace(failing, &x)))
            .is_err()
    );
    let whole = |x: &[Var]| {
        let y = long(x, |y| y);
        kept.set(Some(y));
        y
    };
    let value = Program::trace(whole, &x).unwrap().value(&x).unwrap();
    assert_eq!(value, tape::gradient(|x| long(x, |y| y), &x).0);
    let stale = kept.take().unwrap();
    let stale = std::panic::AssertUnwindSafe(|| stale + 1.0);
    assert!(std::panic::catch_unwind(stale).is_err());
}
