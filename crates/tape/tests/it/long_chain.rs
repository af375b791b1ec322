//! Ten million operations on a small stack: nothing recurses over the list.

use tape::Tape;

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
