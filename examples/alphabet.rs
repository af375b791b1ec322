//! Shows what one reverse sweep saves: the chain A…Z, and how the work grows with the length of a chain.
//!
//! Run it with `cargo run --release --example alphabet`.
//!
//! In the chain A→B→…→Z the derivative of the loss with respect to the first edge is a product of 26 factors, of which
//! the sweep has multiplied 25 on its way there. Without that reuse, one product per edge from scratch takes a number
//! of multiplications that grows with the square of the chain's length.

use std::hint::black_box;
use std::time::{Duration, Instant};

use nn::{Chain, Explanation, Sample};
use tape::{Tape, Var};

const SAMPLE: Sample = Sample { input: 3.0, target: 17.0 };

fn main() -> Result<(), nn::Error> {
    let mut chain = Chain::builder().letters(26)?.build()?;
    let edges: Vec<String> = chain.weights().keys().cloned().collect();
    for (edge, weight) in edges.iter().zip(weights(edges.len())) {
        chain.set_weight(edge, weight)?;
    }
    let explanation = chain.explain(SAMPLE)?;
    println!("The derivative of the loss with respect to every edge of A→B→…→Z, by one sweep");
    println!("(weights 2 and ½ by turns, so that every number can be checked by hand)\n");
    println!("{}", explanation.backward());
    print_first_edge(&explanation);

    println!(
        "The multiplications of factors for all edges; the factors themselves are known from the forward pass\n"
    );
    println!(
        "{:>8} | {:^36} | {:^40} | largest",
        "", "one sweep", "one product per edge, from scratch"
    );
    println!(
        "{:>8} | {:>15} {:>6} {:>13} | {:>15} {:>6} {:>17} | difference",
        "nodes", "multiplications", "growth", "time", "multiplications", "growth", "time"
    );
    let mut previous: Option<Work> = None;
    for nodes in [26, 260, 2_600, 26_000] {
        let work = Work::measure(nodes);
        work.print(previous.as_ref());
        previous = Some(work);
    }
    println!(
        "\nFor n edges the sweep multiplies 2n − 1 times, products from scratch n(n + 1)/2 times. Ten times the nodes:\n\
         ten times the work for the sweep, a hundred times without reuse. Forward mode, with a pass for each weight, takes as many\n\
         as products from scratch."
    );
    Ok(())
}

/// Their products stay between ½ and 2, exactly, however long the chain.
fn weights(count: usize) -> Vec<f64> {
    [2.0, 0.5].into_iter().cycle().take(count).collect()
}

fn print_first_edge(explanation: &Explanation) {
    let first = &explanation.terms[explanation.terms.len() - 1];
    let path = &explanation.path[..first.path_factors];
    let symbols: Vec<&str> = path.iter().map(|factor| factor.symbol.as_str()).collect();
    let lines: Vec<String> = symbols.chunks(9).map(|line| line.join("·")).collect();
    println!("In full, {} =", first.symbol);
    println!("  [{}]·{}", lines.join("·\n   "), first.own.symbol);
    println!("  = [{}] × {} = {}", first.adjoint, first.own.value, first.derivative);
    println!(
        "It is a product of {} factors, of which {} are known when the sweep reaches the edge:\n\
         their product in brackets is the adjoint of B. One multiplication is left.\n",
        first.factors(),
        first.reused_factors
    );
}

/// What the derivatives of all edges cost, with and without reuse.
struct Work {
    nodes: usize,
    sweep_multiplications: u64,
    sweep_time: Duration,
    scratch_multiplications: u64,
    scratch_time: Duration,
    /// The largest difference between the two ways' derivatives, relative.
    difference: f64,
}

impl Work {
    fn measure(nodes: usize) -> Self {
        let weights = weights(nodes - 1);
        let tape = Tape::new();
        let variables = tape.vars_from(&weights);
        let mut values = vec![Var::constant(SAMPLE.input)];
        for &weight in &variables {
            values.push(weight * values[values.len() - 1]);
        }
        let output = values[nodes - 1];
        let error = output - Var::constant(SAMPLE.target);
        let loss = error * error;

        let (adjoints, sweep_time) = best_time(|| tape.sweep(black_box(loss)));

        // ∂L/∂Z, ∂Z/∂Y, … from the last node to the first, and what each edge adds: the value of its source.
        let path: Vec<f64> =
            [2.0 * error.value()].into_iter().chain(weights.iter().rev().copied()).collect();
        let sources: Vec<f64> =
            values[..nodes - 1].iter().rev().map(|value| value.value()).collect();
        let ((derivatives, scratch_multiplications), scratch_time) =
            best_time(|| products_from_scratch(black_box(&path), black_box(&sources)));

        let (reusing, sweep_multiplications) = products_with_reuse(&path, &sources);
        let swept: Vec<f64> = variables.iter().rev().map(|&weight| adjoints.wrt(weight)).collect();
        let difference =
            largest_difference(&swept, &derivatives).max(largest_difference(&swept, &reusing));
        Self {
            nodes,
            sweep_multiplications,
            sweep_time,
            scratch_multiplications,
            scratch_time,
            difference,
        }
    }

    fn print(&self, previous: Option<&Self>) {
        let growth = |count: fn(&Self) -> u64| {
            previous.map_or(String::new(), |previous| {
                format!("×{:.1}", count(self) as f64 / count(previous) as f64)
            })
        };
        println!(
            "{:>8} | {:>15} {:>6} {:>10.1} µs | {:>15} {:>6} {:>14.1} µs | {:>10.0e}",
            grouped(self.nodes as u64),
            grouped(self.sweep_multiplications),
            growth(|work| work.sweep_multiplications),
            self.sweep_time.as_secs_f64() * 1e6,
            grouped(self.scratch_multiplications),
            growth(|work| work.scratch_multiplications),
            self.scratch_time.as_secs_f64() * 1e6,
            self.difference,
        );
    }
}

/// The largest difference between two lists of derivatives, relative.
fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs() / a.abs().max(b.abs()));
    differences.fold(0.0, f64::max)
}

/// What the sweep multiplies, written out: each edge's product from the one that the edge behind it has handed on. And
/// how many multiplications that took: 2n − 1 for n edges.
fn products_with_reuse(path: &[f64], sources: &[f64]) -> (Vec<f64>, u64) {
    let mut multiplications = 0;
    let mut handed_on = path[0];
    let derivatives = sources.iter().enumerate().map(|(edge, source)| {
        if edge > 0 {
            handed_on *= path[edge];
            multiplications += 1;
        }
        multiplications += 1;
        handed_on * source
    });
    (derivatives.collect(), multiplications)
}

/// Each edge's product on its own, and how many multiplications that took: n(n + 1)/2 for n edges.
fn products_from_scratch(path: &[f64], sources: &[f64]) -> (Vec<f64>, u64) {
    let mut multiplications = 0;
    let derivatives = sources.iter().enumerate().map(|(edge, source)| {
        let factors = &path[..=edge];
        multiplications += factors.len() as u64;
        factors.iter().product::<f64>() * source
    });
    (derivatives.collect(), multiplications)
}

/// The result, and the shortest time of as many runs as fit into a tenth of a second, at least one.
fn best_time<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let mut best = Duration::MAX;
    loop {
        let start = Instant::now();
        let result = run();
        best = best.min(start.elapsed());
        if begin.elapsed() > Duration::from_millis(100) {
            return (result, best);
        }
    }
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| core::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(",")
}
