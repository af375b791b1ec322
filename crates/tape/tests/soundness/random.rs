//! Random sequences of operations on tapes.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::sequences;

/// `WENGERT_CASES=100000 cargo test --release -p tape --test soundness random::` for a longer run.
fn cases() -> u32 {
    std::env::var("WENGERT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

#[test]
fn sequences_of_operations_give_right_numbers_or_panics() {
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let bytes = prop::collection::vec(any::<u8>(), 0..600);
    TestRunner::new(config)
        .run(&bytes, |bytes| {
            sequences::run(&bytes);
            Ok(())
        })
        .unwrap();
}
