//! Every vector function against the scalar one, and how fast and how accurate it is.

use std::hint::black_box;
use std::time::Instant;

use super::*;

#[test]
#[ignore = "a measurement: run it with --release and --nocapture"]
fn nanoseconds_per_element() {
    for &op in OF_1 {
        let range = &op.ranges()[0];
        let x: Vec<f64> = (0..64)
            .map(|i| range.start + (range.end - range.start) * (f64::from(i) + 0.5) / 64.0)
            .collect();
        let mut y = vec![0.0; 64];
        let vector = fastest(|| {
            map_1(op, black_box(&x), black_box(&mut y));
        });
        let four = fastest(|| {
            map_1(op, black_box(&x[..4]), black_box(&mut y[..4]));
        }) * 16.0;
        let scalar = fastest(|| {
            for (y, &x) in black_box(&mut y).iter_mut().zip(black_box(&x)) {
                *y = op.apply(&[x])
            }
        });
        println!("{:12} {vector:8.2} {four:8.2} {scalar:8.2}", op.name());
    }
    for &op in OF_2 {
        let at = |i: usize, j: usize| {
            let r = &op.ranges()[j];
            r.start + (r.end - r.start) * (((i * (7 + 6 * j)) % 64) as f64 + 0.5) / 64.0
        };
        let a: Vec<f64> = (0..64).map(|i| at(i, 0)).collect();
        let b: Vec<f64> = (0..64).map(|i| at(i, 1)).collect();
        let mut y = vec![0.0; 64];
        let vector = fastest(|| {
            map_2(op, black_box(&a), black_box(&b), black_box(&mut y));
        });
        let four = fastest(|| {
            map_2(op, black_box(&a[..4]), black_box(&b[..4]), black_box(&mut y[..4]));
        }) * 16.0;
        let scalar = fastest(|| {
            for ((y, &a), &b) in black_box(&mut y).iter_mut().zip(black_box(&a)).zip(black_box(&b))
            {
                *y = op.apply(&[a, b])
            }
        });
        println!("{:12} {vector:8.2} {four:8.2} {scalar:8.2}", op.name());
    }
}

fn fastest(mut run: impl FnMut()) -> f64 {
    let nanoseconds = (0..200).map(|_| {
        let start = Instant::now();
        for _ in 0..100 {
            run();
        }
        start.elapsed().as_nanos() as f64 / 6400.0
    });
    nanoseconds.fold(f64::INFINITY, f64::min)
}

/// Numbers of every size and both signs, of everyday sizes, and close to where functions are hard.
fn points(count: usize) -> Vec<f64> {
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut random = move || {
        // SplitMix64 (Steele, Lea and Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut points = vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    while points.len() < count {
        let bits = random();
        let unit = (random() >> 11) as f64 / (1_u64 << 53) as f64;
        let sign = if random() & 1 == 0 { 1.0 } else { -1.0 };
        let near =
            |x: f64, bits: u64| f64::from_bits(x.to_bits().wrapping_add(bits % 17).wrapping_sub(8));
        let quarters = (random() % 4000) as f64;
        let edge = EDGES[(bits % EDGES.len() as u64) as usize];
        points.extend([
            f64::from_bits(bits),
            750.0 * unit * sign,
            40.0 * unit * sign,
            2.0 * unit * sign,
            1e5 * unit * sign,
            sign * near(quarters * core::f64::consts::FRAC_PI_2, bits),
            sign * near(1.0, bits),
            sign + 0.5_f64.powi((bits >> 50) as i32 % 53) * (unit - 0.5),
            sign * unit * 0.5_f64.powi((bits >> 50) as i32 % 60),
            sign * near(edge, bits >> 8),
            edge * (1.0 + (unit - 0.5) * 0.01),
        ]);
    }
    points.truncate(count);
    points
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
