//! Functions that people differentiate, whose operations do not repeat much: what a gradient costs recorded anew, by a program,
//! and written by hand, beside the peers.

mod asian;
mod by_hand;
mod complex;
mod dynamics;
mod finance;
mod statistics;
mod table;
mod turns;

use std::hint::black_box;

use tape::{Function, Program, Var, Workspace};
use tpt_math_autodiff_rev::GradientTape;

use crate::engine::echidna::{self, Recording};
#[cfg(feature = "xad")]
use crate::engine::xad;
use crate::engine::{aad, reverse, tpt};
use crate::number::Elementary;
use table::{Cell, Column, Row};
use turns::Turns;

/// Takes the point and room for the gradient, and returns the value.
type ByHand = fn(&[f64], &mut [f64]) -> f64;

/// One case: the same generic function on plain numbers and on everybody's variables.
struct Case {
    name: &'static str,
    point: Vec<f64>,
    /// Whether the path depends on the point, so that a [`Function`] keeps the paths.
    branches: bool,
    /// The method of [`Elementary`] that not every engine has.
    needs: Option<&'static str>,
    by_hand: Option<ByHand>,
    plain: fn(&[f64]) -> f64,
    tape: fn(&[Var]) -> Var,
    echidna: fn(&[echidna::Recorded]) -> echidna::Recorded,
    echidna_replay: fn(&[echidna::Replayed]) -> echidna::Replayed,
    #[cfg(feature = "xad")]
    xad: fn(&[xad::Active]) -> xad::Active,
    aad: for<'t> fn(&[aad::Active<'t>]) -> aad::Active<'t>,
    tpt: for<'t> fn(&[tpt::Active<'t>]) -> tpt::Active<'t>,
    reverse: for<'t> fn(&[reverse::Active<'t>]) -> reverse::Active<'t>,
}

macro_rules! case {
    ($name:literal, $function:path, $point:expr) => {
        Case {
            name: $name,
            point: $point,
            branches: false,
            needs: None,
            by_hand: None,
            plain: $function,
            tape: $function,
            echidna: $function,
            echidna_replay: $function,
            #[cfg(feature = "xad")]
            xad: $function,
            // One function for every lifetime: the closure is what can be that.
            aad: |x| $function(x),
            tpt: |x| $function(x),
            reverse: |x| $function(x),
        }
    };
}

impl Case {
    fn branches(self) -> Self {
        Self { branches: true, ..self }
    }

    fn needs(self, method: &'static str) -> Self {
        Self { needs: Some(method), ..self }
    }

    fn by_hand(self, by_hand: ByHand) -> Self {
        Self { by_hand: Some(by_hand), ..self }
    }
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let option = || vec![100.0, 95.0, 0.03, 0.25, 0.7];
    vec![
        case!("Black–Scholes", finance::black_scholes, option()).by_hand(by_hand::black_scholes),
        case!("Black–Scholes by erf", finance::black_scholes_by_erf, option()).needs("erf").by_hand(by_hand::black_scholes_by_erf),
        case!("Heston path, 252 steps", finance::heston_path, vec![100.0, 0.02, 1.0, 0.04, 0.05, 2.0, 0.4, -0.6]),
        case!("Heston calibration, 16 prices", finance::heston_calibration, vec![1.5, 0.06, 0.5, -0.5, 0.05]),
        case!("SABR calibration, 55 volatilities", finance::sabr_calibration, smiles()),
        case!("XVA, 6 swaps, 20 dates, 4 paths", finance::valuation_adjustments, curves()),
        case!("LIBOR, 15 swaptions, 40 steps", finance::libor_swaptions, [[0.05; 80], [0.2; 80]].concat()).by_hand(by_hand::libor_swaptions),
        case!("arm of 7 joints", dynamics::arm, vec![0.3, -0.5, 0.7, 0.2, -0.9, 0.4, 0.1]),
        case!("Lotka–Volterra, RK4, 100 steps", dynamics::lotka_volterra, vec![1.1, 0.4, 0.1, 0.4, 10.0, 5.0]).by_hand(by_hand::lotka_volterra),
        case!("implicit Euler, 5 × 5 solves, 10 steps", dynamics::implicit_euler, vec![0.5, 1.0, 1.5, 2.0, 2.5]),
        case!("Kepler's equation, Newton (`Function`)", dynamics::kepler, vec![1.2, 0.4]).branches().by_hand(by_hand::kepler),
        case!("Kalman filter, 50 observations", statistics::kalman, vec![-1.0, -2.0, 0.9]),
        case!("eight schools", statistics::eight_schools, (0..10).map(|i| 0.1 * f64::from(i) + 0.2).collect()).by_hand(by_hand::eight_schools),
        case!("logistic regression, 50 rows", statistics::logistic_regression, vec![0.1; 20]).by_hand(by_hand::logistic_regression),
        case!("neural network 10-10-1", statistics::neural_network, (0..121).map(|i| f64::from(i % 7) * 0.1 - 0.3).collect()).by_hand(by_hand::neural_network),
        case!("Rosenbrock of 10", dynamics::rosenbrock, vec![0.5; 10]).by_hand(by_hand::rosenbrock),
        case!("Rosenbrock of 1,000", dynamics::rosenbrock, vec![0.5; 1_000]).by_hand(by_hand::rosenbrock),
        case!("Rosenbrock of 100,000", dynamics::rosenbrock, vec![0.5; 100_000]).by_hand(by_hand::rosenbrock),
    ]
}

/// α, ρ and ν for each time to expiry.
fn smiles() -> Vec<f64> {
    (0..5)
        .map(f64::from)
        .flat_map(|i| [0.036 + 0.001 * i, -0.3 + 0.02 * i, 0.9 - 0.12 * i])
        .collect()
}

/// Zero rates, intensities, own intensities, spreads, and the two parameters of the short rate.
fn curves() -> Vec<f64> {
    let line =
        |count: i32, start: f64, slope: f64| (0..count).map(move |i| start + slope * f64::from(i));
    let (rates, spreads) = (line(10, 0.02, 0.001), line(8, 0.004, 0.0005));
    let (intensities, own) = (line(10, 0.015, 0.002), line(10, 0.01, 0.001));
    rates.chain(intensities).chain(own).chain(spreads).chain([0.05, 0.01]).collect()
}

/// Measures every case and prints the table, then that of the Asian options. All cases are measured in several passes, because
/// a slow moment of the machine can outlast a case.
pub fn print(rounds: Option<usize>) {
    let (passes, rounds) = rounds.map_or((5, 30), |rounds| (1, rounds));
    let cases = cases();
    let mut rows: Vec<Row> = cases.iter().map(|case| measure(case, rounds)).collect();
    for _ in 1..passes {
        for (case, row) in cases.iter().zip(&mut rows) {
            row.keep_faster(&measure(case, rounds));
        }
    }
    println!("{}\n", table::of_functions(&rows));
    println!("{}", asian::table(rounds));
}

/// Measures the Asian options, and prints their table.
pub fn print_asian(rounds: Option<usize>) {
    println!("{}", asian::table(rounds.unwrap_or(30)));
}

/// Lets the engines agree on a case, then times them in turns.
fn measure(case: &Case, rounds: usize) -> Row {
    let x = &case.point[..];
    let program = Program::trace(case.tape, x).expect("it can be traced");
    let mut row = Row::new(case.name, program.len());
    let function = Function::new(case.tape);
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; x.len()]);
    let mut turns = Turns::new(case.name, tape::gradient(case.tape, x));

    turns.check_value((case.plain)(x));
    turns.enter(Column::Plain, || {
        black_box((case.plain)(black_box(x)));
    });
    let mut by_hand = vec![0.0; x.len()];
    if let Some(function) = case.by_hand {
        let value = function(x, &mut by_hand);
        turns.check(&(value, by_hand.clone()));
        turns.enter(Column::ByHand, move || {
            black_box(function(black_box(x), black_box(&mut by_hand)));
        });
    }
    turns.enter_gradient(Column::OneShot, || tape::gradient(case.tape, black_box(x)));
    if case.branches {
        turns.enter_gradient(Column::Replay, || function.gradient(black_box(x)).expect("a path"));
    } else {
        let value = program.gradient_into(x, &mut workspace, &mut gradient);
        turns.check(&(value.expect("the same path"), gradient.clone()));
        turns.enter(Column::Replay, || {
            drop(black_box(program.gradient_into(black_box(x), &mut workspace, &mut gradient)));
        });
    }
    turns.enter(Column::Trace, || drop(black_box(Program::trace(case.tape, black_box(x)))));

    let mut peers = Peers { case, row: &mut row, turns: &mut turns };
    peers.enter::<echidna::Recorded>(Column::Echidna, |x| echidna::gradient(case.echidna, x));
    #[cfg(feature = "xad")]
    {
        let mut tape = xad_rs::Tape::new(true);
        peers.enter::<xad::Active>(Column::Xad, move |x| {
            xad_rs::compute_gradient_rev_with(&mut tape, x, case.xad)
        });
    }
    peers.enter::<aad::Active>(Column::Aad, |x| aad::gradient(case.aad, x));
    let mut tape = GradientTape::new();
    peers.enter::<tpt::Active>(Column::Tpt, move |x| tpt::gradient(&mut tape, case.tpt, x));
    let mut tape = ::reverse::Tape::new();
    peers.enter::<reverse::Active>(Column::Reverse, move |x| {
        reverse::gradient(&mut tape, case.reverse, x)
    });
    if case.branches {
        // The recording would not notice another path.
        row.set(Column::EchidnaReplay, Cell::Missing("no branches".to_owned()));
    } else {
        let mut recording = None;
        peers.enter::<echidna::Replayed>(Column::EchidnaReplay, move |x| {
            let recording = recording.get_or_insert_with(|| Recording::new(case.echidna_replay, x));
            recording.gradient(x)
        });
    }

    for (column, nanoseconds) in turns.hold(rounds) {
        row.set(column, Cell::Time(nanoseconds));
    }
    row
}

/// Where peers enter a case.
struct Peers<'a, 'b> {
    case: &'a Case,
    row: &'b mut Row,
    turns: &'b mut Turns<'a, Column>,
}

impl<'a> Peers<'a, '_> {
    /// Enters a peer whose number is `T`, unless it lacks what the case needs.
    fn enter<T: Elementary>(
        &mut self,
        column: Column,
        mut gradient: impl FnMut(&[f64]) -> (f64, Vec<f64>) + 'a,
    ) {
        let case = self.case;
        match case.needs.filter(|method| T::LACKS.contains(method)) {
            Some(method) => self.row.set(column, Cell::Missing(format!("no {method}"))),
            None => self.turns.enter_gradient(column, move || gradient(black_box(&case.point))),
        }
    }
}

/// The sum of terms, from the left.
///
/// # Panics
/// When there are none.
fn sum<T: Elementary>(terms: impl Iterator<Item = T>) -> T {
    terms.reduce(|sum, term| sum + term).expect("a sum of at least one term")
}
