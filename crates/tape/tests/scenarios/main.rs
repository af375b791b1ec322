//! Never a wrong number: every scenario by every way to its derivatives, and traces asked away from where they were made.
//!
//! A *scenario* is a row of the table: a function, a point, another point to trace at, and the right numbers (`table.rs`,
//! `table/`). A *way* is a column (`ways.rs`, `ways/`). `check.rs` compares. To add a scenario, add a line to a file of
//! `table/`, or to `figures/figures.py` where the right numbers have to be computed; to add a way, add a line to
//! `ways::WAYS`. `traces.rs` has the same for points and programs drawn at random.

#![allow(
    clippy::unreadable_literal,
    clippy::redundant_closure,
    clippy::eq_op,
    clippy::needless_for_each,
    clippy::too_many_lines,
    clippy::approx_constant,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "figures as they were computed, functions of x as they are written, what cancels on purpose, tables, and ways \
              of one shape"
)]

mod check;
mod expression;
mod function;
mod nested;
mod own;
mod table;
mod traces;
mod ways;

use crate::check::Failure;
use crate::table::Scenario;
use crate::ways::WAYS;

#[test]
fn every_way_gives_the_right_numbers_of_every_scenario() {
    let scenarios = table::all();
    let failures: Vec<Failure> = scenarios.iter().flat_map(check::all_ways).collect();
    assert!(failures.is_empty(), "{}", check::report(&failures, scenarios.len()));
}

#[test]
fn the_table_has_two_hundred_scenarios_and_every_operation() {
    let scenarios = table::all();
    assert!(scenarios.len() >= 200, "{} scenarios", scenarios.len());
    let lists: Vec<String> = scenarios.iter().map(Scenario::recorded).collect();
    for op in tape::Op::ALL {
        let symbol = format!(" {} ", op.symbol().unwrap_or("no symbol"));
        let call = format!("{}(", op.name());
        let is_recorded = |list: &String| list.contains(&call) || list.contains(&symbol);
        // The sign stands before its argument.
        let is_sign = |list: &String| *op == tape::Op::Neg && list.contains(" -v");
        assert!(
            lists.iter().any(|list| is_recorded(list) || is_sign(list)),
            "{op:?} is in no scenario"
        );
    }
}

#[test]
fn no_two_scenarios_have_one_name() {
    let mut names: Vec<String> = table::all().into_iter().map(|scenario| scenario.name).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn every_way_gives_numbers_for_some_scenario() {
    let scenarios = table::all();
    for way in WAYS {
        let gives = |scenario: &Scenario| check::answer(scenario, way).is_some_and(|it| it.is_ok());
        assert!(scenarios.iter().any(gives), "{} gives nothing", way.name);
    }
}
