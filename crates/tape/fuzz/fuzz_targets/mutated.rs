//! Valid programs with a few edits: what is nearly right.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tape::{Op, Program, Real, Var};
use tape_fuzz::{body, exercise, sealed};

/// The bodies that are edited.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let every_row = Op::ALL.iter().map(|&op| {
        let x: Vec<f64> = op.ranges().iter().map(|r| (r.start + r.end) / 2.0).collect();
        traced(move |x| op.apply(x), &x)
    });
    let x: Vec<f64> = (1..=12).map(f64::from).collect();
    let others = [
        traced(|x| tape::log_sum_exp(x) + tape::norm(x), &x),
        traced(|x| tape::dot(&x[..6], &x[6..]) - tape::sum(x) * 3.0, &x),
        traced(|x| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2), &x),
        traced(|x| if x[0] < x[1] && x[2] == 3.0 { x[0] / x[1] } else { x[2] }, &x),
        traced(|x| x.iter().map(|x| (x.sin() * 2.0).exp().polygamma(3)).fold(x[0], Real::max), &x),
    ];
    every_row.chain(others).collect()
});

fn traced(f: impl Fn(&[Var]) -> Var, x: &[f64]) -> Vec<u8> {
    let program = Program::trace(f, x).expect("the function can be traced");
    body(&program.to_bytes()).to_vec()
}

// The first byte is the program's; of every four after it, the first two are a place, the third says what is done there
// and the fourth with what.
fuzz_target!(|bytes: &[u8]| {
    let Some((&seed, edits)) = bytes.split_first() else { return };
    let bodies = &*BODIES;
    let mut edited = bodies[seed as usize % bodies.len()].clone();
    for edit in edits.chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % (edited.len() + 1);
        match edit[2] % 6 {
            0 => edited.insert(place, edit[3]),
            1 if place < edited.len() => edited[place] = edit[3],
            2 if place < edited.len() => edited[place] ^= 1 << (edit[3] % 8),
            3 if place < edited.len() => drop(edited.remove(place)),
            4 => edited.truncate(place),
            _ => {
                // The end of another program.
                let other = &bodies[edit[3] as usize % bodies.len()];
                edited.truncate(place);
                edited.extend(&other[place.min(other.len())..]);
            }
        }
    }
    exercise(&sealed(&edited));
});
