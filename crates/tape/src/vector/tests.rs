//! Every vector function against the scalar one; and, on demand, how fast and how accurate it is.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use super::*;
use crate::real::Real;
use crate::table::for_each_op;

/// How far a vector function may be from the scalar one, in units in the last place of the latter. `std`'s are within
/// one unit of the truth and the vector functions within two; where the scalar function is a formula, it has its share.
fn units(op: Op) -> u64 {
    match op {
        Op::Sigmoid | Op::Silu | Op::Softplus | Op::LogAddExp | Op::LogisticDensity => 5,
        Op::Asinh => 4,
        _ => 3,
    }
}

/// What the scalar function's formula may lose whatever the size of the result.
fn slack(op: Op, arguments: &[f64]) -> f64 {
    match op {
        // It multiplies a subnormal number by one of 700.
        Op::Silu if arguments[0] < -700.0 => 1e3 * 5e-324,
        // The sum of a number and a logarithm may come out close to 0.
        Op::LogAddExp => 2.0 * f64::EPSILON * arguments[0].abs().max(arguments[1].abs()),
        _ => 0.0,
    }
}

#[track_caller]
fn assert_close(op: Op, arguments: &[f64], value: f64) {
    let expected = op.apply(arguments);
    let size = |x: f64| x.abs().to_bits();
    let is_close = (value.is_nan() && expected.is_nan())
        || (value.is_sign_negative() == expected.is_sign_negative()
            && size(value).abs_diff(size(expected)) <= units(op))
        || (value - expected).abs() < slack(op, arguments);
    assert!(is_close, "{}({arguments:?}) = {value:e}, not {expected:e}", op.name());
}

#[test]
fn functions_of_one_number_are_close_to_the_scalar_ones() {
    let x = points(40_000);
    for &op in OF_1 {
        let mut y = vec![0.0; x.len()];
        assert!(map_1(op, &x, &mut y));
        for (&x, &y) in x.iter().zip(&y) {
            assert_close(op, &[x], y);
        }
    }
}

#[test]
fn a_function_with_its_partial_has_the_same_bits_and_the_exact_partial() {
    use crate::partial::{sigmoid, tanh};
    let x = points(40_000);
    for (op, partial) in [
        (Op::Tanh, tanh::of_0 as fn(f64, f64) -> f64),
        (Op::Sigmoid, sigmoid::of_0 as fn(f64, f64) -> f64),
    ] {
        let [mut y, mut with, mut partials] = [(); 3].map(|()| vec![0.0; x.len()]);
        assert!(map_1(op, &x, &mut y));
        assert!(map_with_partial(op, &x, &mut with, &mut partials));
        let mut of_value = vec![0.0; x.len()];
        assert!(map_partial(op, &x, &y, &mut of_value));
        for (i, &x) in x.iter().enumerate() {
            assert!(y[i].to_bits() == with[i].to_bits() || x.is_nan(), "{}({x:e})", op.name());
            let expected = partial(x, op.apply(&[x]));
            for partial in [partials[i], of_value[i]] {
                let error = (partial - expected).abs();
                let is_close = error <= 1e-15 * expected + 1e-323 || (x.is_nan() && error.is_nan());
                assert!(is_close, "{}'({x:e}) = {partial:e}, not {expected:e}", op.name());
            }
        }
    }
}

#[test]
fn functions_of_two_numbers_are_close_to_the_scalar_ones() {
    let (a, b) = pairs(60_000);
    for &op in OF_2 {
        let mut y = vec![0.0; a.len()];
        assert!(map_2(op, &a, &b, &mut y));
        for ((&a, &b), &y) in a.iter().zip(&b).zip(&y) {
            assert_close(op, &[a, b], y);
        }
    }
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

#[test]
fn results_depend_neither_on_the_instructions_nor_on_the_neighbours() {
    let (a, b) = pairs(3_000);
    let mut actual = vec![0.0; a.len()];
    for &op in OF_1 {
        map_1_on::<true>(op, &a, &mut actual);
        let portable = bits(&actual);
        for length in [1, 2, 3, 4, 5, 7, 8, 13, 64] {
            for (x, y) in a.chunks(length).zip(actual.chunks_mut(length)) {
                map_1(op, x, y);
            }
            assert_eq!(bits(&actual), portable, "{} by {length}", op.name());
        }
    }
    for &op in OF_2 {
        map_2_on::<true>(op, &a, &b, &mut actual);
        let portable = bits(&actual);
        for length in [1, 3, 4, 8, 13, 64] {
            for ((a, b), y) in a.chunks(length).zip(b.chunks(length)).zip(actual.chunks_mut(length))
            {
                map_2(op, a, b, y);
            }
            assert_eq!(bits(&actual), portable, "{} by {length}", op.name());
        }
    }
}

#[test]
fn an_operation_without_a_vector_form_is_left_alone() {
    let mut y = [7.0];
    assert!(!map_1(Op::Digamma, &[1.0], &mut y) && !map_2(Op::Rem, &[1.0], &[1.0], &mut y));
    assert_eq!(y, [7.0]);
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From −1 to 1.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A number at most eight steps away.
    fn near(&mut self, x: f64) -> f64 {
        f64::from_bits(x.to_bits().wrapping_add(self.bits() % 17).wrapping_sub(8))
    }
}

/// Where something over- or underflows, or a core changes its way.
const EDGES: [f64; 16] = [
    709.782_712_893_384,
    710.475_860_073_943_9,
    -745.133_219_101_941_1,
    -708.396_418_532_264_1,
    1024.0,
    -1022.0,
    -1075.0,
    0.346_573_590_279_972_64,
    core::f64::consts::FRAC_1_SQRT_2,
    core::f64::consts::SQRT_2,
    0.5,
    2.0,
    1e5,
    36.7,
    -36.7,
    0.414_213_562_373_095,
];

/// Numbers of every size and both signs, of everyday sizes, and close to where functions are hard.
fn points(count: usize) -> Vec<f64> {
    let mut random = Random(1);
    let mut points = vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0];
    while points.len() < count {
        let sign = 1.0_f64.copysign(random.unit());
        let small = 0.5_f64.powi((random.bits() % 60) as i32);
        let quarters = (random.bits() % 4000) as f64;
        let edge = EDGES[(random.bits() % 16) as usize];
        points.extend([
            f64::from_bits(random.bits()),
            750.0 * random.unit(),
            40.0 * random.unit(),
            2.0 * random.unit(),
            1e5 * random.unit(),
            sign * random.near(quarters * core::f64::consts::FRAC_PI_2),
            sign * random.near(1.0),
            sign + small * random.unit(),
            small * random.unit(),
            sign * random.near(edge),
            edge * (1.0 + 0.005 * random.unit()),
        ]);
    }
    points.truncate(count);
    points
}

/// The same in pairs: at random, of similar size, and so that a power stays finite.
fn pairs(count: usize) -> (Vec<f64>, Vec<f64>) {
    let points = points(count);
    let mut random = Random(2);
    let pair = |i: usize| {
        let a = points[i];
        let a = if random.bits().is_multiple_of(2) { a.abs() } else { a };
        let b = match random.bits() % 4 {
            0 => a * random.unit(),
            1 => 750.0 / a.abs().ln() * random.unit(),
            _ => points[random.bits() as usize % count],
        };
        (a, b)
    };
    (0..count).map(pair).unzip()
}

/// Writes arguments and results for `accuracy.py`, which compares them with multiple precision.
#[test]
#[ignore = "a measurement: it writes to the directory VECTOR_POINTS, a million points for each function"]
fn write_points() {
    let Ok(directory) = std::env::var("VECTOR_POINTS") else {
        return println!("VECTOR_POINTS names no directory: no points written");
    };
    let count = 1_000_000;
    let write = |op: Op, columns: &[&[f64]]| {
        let path = Path::new(&directory).join(op.name());
        let mut file = BufWriter::new(File::create(path).unwrap());
        for row in 0..count {
            for column in columns {
                file.write_all(&column[row].to_le_bytes()).unwrap();
            }
        }
    };
    let mut y = vec![0.0; count];
    let x = points(count);
    for &op in OF_1 {
        map_1(op, &x, &mut y);
        write(op, &[&x, &y]);
    }
    let (a, b) = pairs(count);
    for &op in OF_2 {
        map_2(op, &a, &b, &mut y);
        write(op, &[&a, &b, &y]);
    }
}

macro_rules! define_scalar_loops {
    (
        []
        operator_1 { $($_o1:tt)* }
        operator_2 { $($_o2:tt)* }
        function_1 { $($(#[$_d1:meta])* $_h1:ident $name_1:ident $op_1:ident [$_r1:expr] |$_x1:ident, $_y1:ident| $_p1:expr;)* }
        indexed { $($_i:tt)* }
        function_2 { $($(#[$_d2:meta])* $_h2:ident $name_2:ident $op_2:ident($_b2:ident) [$($_r2:expr),*] |$($_x2:ident),*| ($($_p2:expr),*);)* }
        function_3 { $($_f3:tt)* }
    ) => {
        fn scalar(op: Op, a: &[f64], b: &[f64], y: &mut [f64]) {
            match op {
                $(Op::$op_1 => y.iter_mut().zip(a).for_each(|(y, &a)| *y = Real::$name_1(a)),)*
                $(Op::$op_2 => y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = Real::$name_2(a, b)),)*
                _ => {}
            }
        }
    };
}
for_each_op!(define_scalar_loops);

#[test]
#[ignore = "a measurement: run it with --release and --nocapture"]
fn nanoseconds_per_element() {
    println!("{:12} {:>10} {:>10} {:>10}", "", "64 at once", "4 at once", "scalar");
    for &op in [OF_1, OF_2].concat().iter().filter(|&&op| op != Op::Neg) {
        let argument = |place: usize| -> Vec<f64> {
            let range = &op.ranges()[place.min(op.arity().unwrap() - 1)];
            let mut random = Random(place as u64);
            let middle = f64::midpoint(range.start, range.end);
            (0..64).map(|_| middle + 0.5 * (range.end - range.start) * random.unit()).collect()
        };
        let (a, b) = (argument(0), argument(1));
        let mut y = vec![0.0; 64];
        let mut vector = |length: usize| {
            fastest(length, || {
                let (a, b) = (black_box(&a[..length]), black_box(&b[..length]));
                let y = black_box(&mut y[..length]);
                if op.arity() == Some(1) {
                    map_1(op, a, y)
                } else {
                    map_2(op, a, b, y)
                };
            })
        };
        let (sixty_four, four) = (vector(64), vector(4));
        let one_by_one = fastest(64, || {
            scalar(op, black_box(&a), black_box(&b), black_box(&mut y));
        });
        println!("{:12} {sixty_four:10.1} {four:10.1} {one_by_one:10.1}", op.name());
    }
}

/// Nanoseconds for each element.
fn fastest(elements: usize, mut run: impl FnMut()) -> f64 {
    const RUNS: usize = 100;
    let nanoseconds = (0..300).map(|_| {
        let start = Instant::now();
        for _ in 0..RUNS {
            run();
        }
        start.elapsed().as_nanos() as f64 / (RUNS * elements) as f64
    });
    nanoseconds.fold(f64::INFINITY, f64::min)
}
