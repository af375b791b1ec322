//! Every short function against the one on `f64`, over a dense sample of all numbers.

use super::*;
use crate::partial;

/// Every so many bit patterns, of all sizes and both signs, infinities and NaN among them; and where functions are hard.
fn sample() -> Vec<f32> {
    let edges =
        [0.0, 0.0625, 0.707_106_77, 1.0, 1e-5, 14.2, 15.0, 20.0, 88.722_84, 103.972_08, 200.0];
    let near = edges.iter().flat_map(|&edge: &f32| {
        (0..200_u32).map(move |step| f32::from_bits((edge.to_bits() + step).saturating_sub(100)))
    });
    let all = (0..=u32::MAX).step_by(if cfg!(debug_assertions) { 19_997 } else { 997 });
    all.map(f32::from_bits).chain(near.flat_map(|x| [x, -x])).collect()
}

/// How far a number is from the true one, in units in the last place of the latter.
fn units(value: f32, truth: f64) -> f64 {
    let rounded = truth as f32;
    if value.is_nan() || rounded.is_nan() || rounded.is_infinite() || value.is_infinite() {
        let is_same = value == rounded || (value.is_nan() && rounded.is_nan());
        return if is_same { 0.0 } else { f64::INFINITY };
    }
    if value == 0.0 && value.is_sign_negative() != rounded.is_sign_negative() {
        return f64::INFINITY;
    }
    let exponent = (rounded.abs().to_bits() >> 23).max(1).cast_signed() - 150;
    (f64::from(value) - truth).abs() / 2.0_f64.powi(exponent)
}

#[test]
fn values_are_within_0_52_units_of_the_true_ones() {
    let x = sample();
    let mut y = vec![0.0; x.len()];
    for &op in OPS {
        assert!(map_1(op, &x, &mut y));
        let off = x.iter().zip(&y).map(|(&x, &y)| (units(y, op.apply(&[f64::from(x)])), x, y));
        let (most, x, y) = off.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        println!("{:16} {most:.3} at {x:e}", op.name());
        assert!(most <= 0.52, "{}({x:e}) = {y:e} is {most} units off", op.name());
    }
}

#[test]
fn partials_are_within_two_units_of_the_true_ones() {
    let x = sample();
    let (mut y, mut partials) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for (op, partial) in [
        (Op::Relu, partial::relu::of_0 as fn(f64, f64) -> f64),
        (Op::Tanh, partial::tanh::of_0),
        (Op::Sigmoid, partial::sigmoid::of_0),
        (Op::Softplus, partial::softplus::of_0),
        (Op::Silu, partial::silu::of_0),
        (Op::Gelu, partial::gelu::of_0),
    ] {
        assert!(map_1(op, &x, &mut y) && map_partial(op, &x, &y, &mut partials));
        for (&x, &of_x) in x.iter().zip(&partials) {
            let wide = f64::from(x);
            let truth = partial(wide, op.apply(&[wide]));
            // Where two parts cancel, the larger of them is the measure.
            let off = (f64::from(of_x) - truth).abs() / 2.0_f64.powi(-23);
            let is_close = off <= 0.01 || units(of_x.abs(), truth.abs()) <= 2.0;
            assert!(is_close, "{}'({x:e}) = {of_x:e}, not {truth:e}", op.name());
        }
    }
}

#[test]
fn results_depend_neither_on_the_instructions_nor_on_the_neighbours() {
    let x: Vec<f32> = sample().into_iter().step_by(50).collect();
    let bits = |y: &[f32]| y.iter().map(|y| y.max(-1e38).to_bits()).collect::<Vec<_>>();
    let (mut expected, mut actual) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for &op in OPS {
        map_1_portably(op, &x, &mut expected);
        for length in [1, 2, 3, 4, 5, 7, 8, 13, 64] {
            for (x, y) in x.chunks(length).zip(actual.chunks_mut(length)) {
                map_1(op, x, y);
            }
            assert_eq!(bits(&actual), bits(&expected), "{} by {length}", op.name());
        }
    }
}
