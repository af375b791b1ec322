//! What is printed is written to code of others.

use std::fmt::{self, Write};

use tape::{Tape, Var};

/// Does something at every piece of text that is written to it.
struct Busy<F: FnMut()>(F, String);

impl<F: FnMut()> Write for Busy<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.0)();
        self.1.push_str(text);
        Ok(())
    }
}

#[test]
fn a_tape_may_change_while_it_is_printed() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * x + 1.0;
    let (table, graph) = (tape.show(y).to_string(), tape.dot(y).to_string());
    let (show, dot) = (tape.show(y), tape.dot(y));
    let start = Tape::<f64>::new().mark();
    let mut writer = Busy(
        || {
            for _ in 0..2000 {
                let _ = tape.var(1.0);
            }
            assert!(start != tape.mark());
        },
        String::new(),
    );
    write!(writer, "{show}{dot}").expect("the writer takes all");
    assert_eq!(writer.1, table + &graph);
    // The list is looked at when printing begins; after that it may go.
    let table = tape.show(y).to_string();
    let show = tape.show(y);
    let mut writer = Busy(|| tape.clear(), String::new());
    write!(writer, "{show}").expect("the writer takes all");
    assert_eq!(writer.1, table);
}

#[test]
fn a_tape_may_be_cleared_while_its_number_is_printed() {
    let tape = Tape::<f64>::new();
    let expected = format!("{tape:?}");
    let mut writer = Busy(|| tape.clear(), String::new());
    write!(writer, "{tape:?}").expect("the writer takes all");
    assert!(writer.1.starts_with("Tape { number: "), "{}", writer.1);
    assert_eq!(writer.1.len(), expected.len());
}

#[test]
fn a_variable_may_lose_its_tape_while_it_is_printed() {
    let tape = Tape::<Var>::new();
    let inner = Tape::new();
    let y = tape.var(inner.var(2.0));
    let mut tapes = Some((tape, inner));
    let mut writer = Busy(|| drop(tapes.take()), String::new());
    write!(writer, "{y} {y:?}").expect("the writer takes all");
    assert_eq!(writer.1, "2 2.0 (v1) (v1)");
}
