//! Sparse Jacobians and Hessians: the dense ones, in their places.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tape::{Dual, Error, Matrix, Program, Real, SparseMatrix, Var};

use crate::engines::{Function, agree};
use crate::random_programs::{self, drafts};

/// Numbers without a pattern, between ½ and 1½.
fn point(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.5 + (i as f64 * 0.618_034).fract()).collect()
}

/// Equal, or equal to 12 digits of the largest entry.
#[track_caller]
fn check_entries(sparse: &SparseMatrix, dense: &Matrix) {
    let largest = dense.data.iter().fold(1.0, |largest: f64, entry| largest.max(entry.abs()));
    let found = sparse.to_dense();
    assert_eq!((found.rows, found.columns), (dense.rows, dense.columns));
    for (place, (&found, &expected)) in found.data.iter().zip(&dense.data).enumerate() {
        let is_equal = (found - expected).abs() <= 1e-12 * largest;
        let (row, column) = (place / dense.columns, place % dense.columns);
        assert!(is_equal, "entry ({row}, {column}) is {found:e}, not {expected:e}");
    }
}

/// The sparse Hessian is the tape's, and takes so many colours.
#[track_caller]
fn check_hessian(f: impl Fn(&[Var]) -> Var, x: &[f64], colors: usize) -> SparseMatrix {
    let program = Program::trace(&f, x).unwrap();
    let (value, gradient, sparse) = program.sparse_hessian(x).unwrap();
    assert_eq!((value, gradient), program.gradient(x).unwrap());
    check_entries(&sparse, &tape::hessian(f, x).2);
    assert_eq!(sparse.len(), program.hessian_sparsity().unwrap().len());
    for row in 0..x.len() {
        for (column, entry) in sparse.row(row) {
            assert_eq!(entry, sparse.get(column, row), "({row}, {column}) is not symmetric");
        }
    }
    assert_eq!(program.hessian_colors().unwrap(), colors);
    sparse
}

/// The sparse Jacobian is the tape's, and takes so many colours.
#[track_caller]
fn check_jacobian(f: impl Fn(&[Var]) -> Vec<Var>, x: &[f64], colors: usize) -> SparseMatrix {
    let program = Program::trace(&f, x).unwrap();
    let (values, sparse) = program.sparse_jacobian(x).unwrap();
    assert_eq!(values, program.values(x).unwrap());
    check_entries(&sparse, &tape::jacobian(f, x).1);
    assert_eq!(sparse.len(), program.jacobian_sparsity().len());
    assert_eq!(program.jacobian_colors(), colors);
    sparse
}

fn rosenbrock<T: Real>(x: &[T]) -> T {
    let (one, hundred) = (T::from_f64(1.0), T::from_f64(100.0));
    let term = |x: &[T]| (one - x[0]).powi(2) + hundred * (x[1] - x[0] * x[0]).powi(2);
    T::sum(&x.windows(2).map(term).collect::<Vec<T>>())
}

#[test]
fn the_hessian_of_a_chain_takes_2_colors() {
    let hessian = check_hessian(rosenbrock, &point(30), 2);
    assert_eq!(hessian.len(), 30 + 2 * 29);
}

/// Each variable with the next three: by substitution in one product more, where that saves any.
fn band(x: &[Var]) -> Var {
    x.windows(4).map(|x| (x[0] * x[1]).sin() * (x[2] + x[3]).exp()).sum()
}

#[test]
fn the_hessian_of_a_band_takes_a_color_more_than_there_are_entries_on_a_side() {
    // In lanes, 4 colours and 7 take as long: an entry is read then. Of 20,000 variables the slots do not stay in the cache.
    check_hessian(band, &point(30), 7);
    let x = point(20_000);
    let program = Program::trace(band, &x).unwrap();
    let (_, _, hessian) = program.sparse_hessian(&x).unwrap();
    assert_eq!(program.hessian_colors(), Ok(4));
    // The first ones, and the last ones, in the middle of a tree.
    for first in [0, 10_000, 19_970] {
        let of_part = tape::hessian(band, &x[first..first + 30]).2;
        let part = first + 3..first + 27;
        for (i, j) in part.clone().flat_map(|i| part.clone().map(move |j| (i, j))) {
            let (found, expected) = (hessian.get(i, j), of_part[(i - first, j - first)]);
            assert!((found - expected).abs() <= 1e-11, "({i}, {j}) is {found:e}, not {expected:e}");
        }
    }
}

#[test]
fn a_dense_block_beside_a_chain_takes_as_many_colors_as_columns() {
    let f = |x: &[Var]| rosenbrock(x) + x[5..15].iter().copied().product::<Var>();
    check_hessian(f, &point(40), 10);
}

#[test]
fn the_hessian_of_an_arrow_takes_2_colors() {
    let f = |x: &[Var]| x[1..].iter().map(|&y| (y * x[0]).sin()).sum::<Var>();
    check_hessian(f, &point(30), 2);
    let f = |x: &[Var]| x[..29].iter().map(|&y| (y * x[29]).sin()).sum::<Var>();
    check_hessian(f, &point(30), 2);
}

#[test]
fn the_hessian_of_a_separable_sum_takes_1_color() {
    let hessian = check_hessian(|x| x.iter().map(|x| x.exp()).sum(), &point(30), 1);
    assert_eq!(hessian.indices, (0..30).collect::<Vec<_>>());
}

#[test]
fn the_hessian_of_a_linear_function_takes_none() {
    assert!(check_hessian(|x| x[0] - x[1] * 3.0, &point(3), 0).is_empty());
    assert!(check_hessian(|_| Var::constant(3.0), &point(3), 0).is_empty());
    assert!(check_hessian(|x| x[1], &point(3), 0).is_empty());
    assert!(check_hessian(|_| Var::constant(3.0), &[], 0).is_empty());
}

/// As many colours as a block has columns: one by one, together, together and one by one.
#[test]
fn the_hessian_of_blocks_takes_the_colors_of_one() {
    for size in [2, 4, 5, 8, 9, 12, 13, 16] {
        let block = |x: &[Var]| (x.iter().copied().product::<Var>() * x[0]).sin();
        let f = |x: &[Var]| x.chunks_exact(size).map(block).sum::<Var>();
        check_hessian(f, &point(3 * size), size);
    }
}

#[test]
fn variables_that_do_not_count_have_empty_rows() {
    let hessian = check_hessian(|x| x[1] * x[4] + x[2].floor() + x[3], &point(6), 2);
    assert_eq!(hessian.starts, [0, 0, 1, 1, 1, 2, 2]);
    let f = |x: &[Var]| vec![Var::constant(1.0), x[4], x[1] * x[4], x[2].floor()];
    let jacobian = check_jacobian(f, &point(6), 2);
    assert_eq!(jacobian.starts, [0, 0, 1, 3, 3]);
}

#[test]
fn outputs_that_are_inputs_have_a_jacobian() {
    let jacobian = check_jacobian(|x| vec![x[2], x[0], x[2]], &point(3), 1);
    assert_eq!(jacobian.data, [1.0; 3]);
    assert!(check_jacobian(|_| vec![], &point(3), 0).is_empty());
    assert!(check_jacobian(|_| vec![Var::constant(2.0)], &[], 0).is_empty());
}

#[test]
fn the_jacobian_of_a_tall_system_goes_by_columns() {
    // Each measurement is of a line through neighbouring points.
    for width in [2, 4, 5, 8, 9, 13] {
        let residual = |t: usize, x: &[Var]| {
            let term = |(k, &x): (usize, &Var)| (x * ((t + k) as f64 * 0.1)).exp();
            x.iter().enumerate().map(term).sum::<Var>() - t as f64
        };
        let f = |x: &[Var]| {
            (0..3).flat_map(|t| x.windows(width).map(move |x| residual(t, x))).collect::<Vec<_>>()
        };
        check_jacobian(f, &point(20), width);
    }
}

#[test]
fn the_jacobian_of_a_wide_system_goes_by_rows() {
    // Every output has inputs of its own, and as many in common.
    for outputs in [1, 3, 4, 5, 8, 11, 14] {
        let output = |common: &[Var], own: &[Var]| tape::dot(common, own).sin();
        let f = |x: &[Var]| x[15..].chunks_exact(15).map(|own| output(&x[..15], own)).collect();
        check_jacobian(f, &point(15 * (1 + outputs)), outputs);
    }
}

#[test]
fn a_common_input_is_peeled_off() {
    // Every output has inputs of its own, and the first one in common.
    for outputs in [1, 2, 3, 14] {
        let output = |first: Var, x: &[Var]| first * x.iter().map(|x| x.sin()).sum::<Var>();
        let f = |x: &[Var]| x[1..].chunks_exact(15).map(|own| output(x[0], own)).collect();
        check_jacobian(f, &point(1 + 15 * outputs), outputs.min(2));
    }
}

#[test]
fn a_dense_row_and_column_do_no_harm() {
    let f = |x: &[Var]| {
        let mut outputs: Vec<Var> = x.iter().map(|&y| y * x[3]).collect();
        outputs[7] = tape::sum(x);
        outputs
    };
    check_jacobian(f, &point(12), 3);
}

/// Blocks, with rows and columns that are dense, an output twice, and one that is constant.
fn block_arrow(x: &[Var]) -> Vec<Var> {
    let (common, own) = x.split_at(2);
    let in_block = |block: &[Var]| {
        let product = block.iter().copied().product::<Var>() * common[0];
        let output = |k: usize| (block[k] * common[1]).sqrt() + product;
        (0..block.len()).map(output).collect::<Vec<_>>()
    };
    let mut outputs: Vec<Var> = own.chunks_exact(3).flat_map(in_block).collect();
    let sums = (1..=2).map(|k| x.iter().map(|x| (*x * f64::from(k)).sqrt()).sum::<Var>());
    outputs.extend(sums);
    outputs.extend([outputs[0], Var::constant(1.0)]);
    outputs
}

#[test]
fn a_block_arrow_takes_a_product_for_each_dense_line_and_of_a_block() {
    check_jacobian(block_arrow, &point(2 + 3 * 12), 2 + 2 + 3);
}

#[test]
fn an_infinite_derivative_in_a_block_arrow_leaves_the_others_alone() {
    for place in [0, 1, 2, 3, 20, 37] {
        let mut x = point(2 + 3 * 12);
        x[place] = 0.0;
        let program = Program::trace(block_arrow, &x).unwrap();
        assert_eq!(program.jacobian_colors(), 7);
        let (_, jacobian) = program.sparse_jacobian(&x).unwrap();
        let dense = tape::jacobian(block_arrow, &x).1;
        for (i, j) in (0..dense.rows).flat_map(|i| (0..dense.columns).map(move |j| (i, j))) {
            let (found, expected) = (jacobian.get(i, j), dense[(i, j)]);
            let is_equal = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
                || found == expected
                || found.is_nan() && expected.is_nan();
            assert!(is_equal, "{place}: ({i}, {j}) is {found}, not {expected}");
        }
        assert!(jacobian.data.iter().any(|entry| entry.is_infinite()));
    }
}

#[test]
fn a_block_arrow_of_another_path_is_refused() {
    let f = |x: &[Var]| {
        let mut outputs = block_arrow(x);
        if x[5] > x[4] {
            outputs.swap(0, 1);
        }
        outputs
    };
    let mut x = point(2 + 3 * 12);
    let program = Program::trace(f, &x).unwrap();
    x.swap(4, 5);
    assert!(matches!(program.sparse_jacobian(&x), Err(Error::Diverged { .. })));
}

/// Lines of one kind, coloured one after the other so that no two of a colour meet.
fn colors_of_one_kind(lines: &[Vec<usize>]) -> usize {
    let mut colors: Vec<Vec<usize>> = Vec::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let fits = |met: &Vec<usize>| line.iter().all(|across| !met.contains(across));
        match colors.iter_mut().find(|met| fits(met)) {
            Some(met) => met.extend(line),
            None => colors.push(line.clone()),
        }
    }
    colors.len()
}

#[test]
fn an_arrow_of_100_000_rows_takes_3_products() {
    let f = |x: &[Var]| {
        let sum = x.iter().map(|x| x.sin()).sum::<Var>();
        x[1..].iter().map(|&y| y * x[0]).chain([sum]).collect::<Vec<_>>()
    };
    let x = point(100_000);
    let program = Program::trace(f, &x).unwrap();
    let (_, jacobian) = program.sparse_jacobian(&x).unwrap();
    assert_eq!(program.jacobian_colors(), 3);
    for i in [1, 50_000, 99_999] {
        let row = [(0, x[i]), (i, x[0])];
        assert!(jacobian.row(i - 1).eq(row), "row {i}");
        assert_eq!(jacobian.get(99_999, i), x[i].cos());
    }
}

#[test]
fn one_infinite_derivative_leaves_the_others_alone() {
    // The second variable goes in one direction with the first one.
    let f = |x: &[Var]| x[0].sqrt() + x[1] * x[1] + x[1] * x[2].exp();
    let program = Program::trace(f, &[0.0, 3.0, 0.0]).unwrap();
    let (value, gradient, hessian) = program.sparse_hessian(&[0.0, 3.0, 0.0]).unwrap();
    assert_eq!((value, gradient), (12.0, vec![f64::INFINITY, 7.0, 3.0]));
    assert_eq!(hessian.get(0, 0), f64::NEG_INFINITY);
    assert_eq!([hessian.get(1, 1), hessian.get(1, 2), hessian.get(2, 2)], [2.0, 1.0, 3.0]);

    let f = |x: &[Var]| vec![x[0].sqrt(), x[1] * x[2].sqrt()];
    let program = Program::trace(f, &[0.0, 3.0, 4.0]).unwrap();
    let (_, jacobian) = program.sparse_jacobian(&[0.0, 3.0, 4.0]).unwrap();
    assert_eq!(jacobian.data, [f64::INFINITY, 2.0, 0.75]);
}

#[test]
fn an_infinite_derivative_in_lanes_leaves_the_others_alone() {
    let f = |x: &[Var]| x[0].sqrt() + x[1..].iter().copied().product::<Var>();
    let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let program = Program::trace(f, &x).unwrap();
    let (_, _, hessian) = program.sparse_hessian(&x).unwrap();
    assert_eq!(program.hessian_colors().unwrap(), 6);
    assert_eq!(hessian.get(0, 0), f64::NEG_INFINITY);
    for row in 1..7 {
        for column in 1..7 {
            let product = 720.0 / x[row] / x[column];
            assert_eq!(hessian.get(row, column), if row == column { 0.0 } else { product });
        }
    }
    let (_, _, dense) = program.hessian(&x).unwrap();
    assert_eq!(hessian.to_dense(), dense);
    for (row, &entry) in dense.row(1).iter().enumerate() {
        let unit: Vec<f64> = (0..7).map(|i| f64::from(u8::from(i == 1))).collect();
        assert_eq!(program.hessian_vector(&x, &unit).unwrap().2[row], entry);
    }
}

/// A chain takes 2 products, of which all entries beside the diagonal but the outermost are differences: what is infinite
/// would spread from the ends to the middle.
#[test]
fn an_infinite_derivative_does_not_spread_along_a_chain() {
    for place in 0..6 {
        let f = |x: &[Var]| {
            let chain = x.windows(2).map(|x| x[0] * x[1]).sum::<Var>();
            chain + (x[place] * x[place + 1]).sqrt()
        };
        let mut x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        x[place] = 0.0;
        let program = Program::trace(f, &x).unwrap();
        assert_eq!(program.hessian_colors(), Ok(2));
        let (_, _, hessian) = program.sparse_hessian(&x).unwrap();
        let dense = tape::hessian(f, &x).2;
        for (i, j) in (0..7).flat_map(|i| (0..7).map(move |j| (i, j))) {
            let (found, expected) = (hessian.get(i, j), dense[(i, j)]);
            let is_equal = found == expected || found.is_nan() && expected.is_nan();
            assert!(is_equal, "{place}: ({i}, {j}) is {found}, not {expected}");
        }
        assert!(!hessian.get(place, place + 1).is_finite());
    }
}

#[test]
fn an_infinite_derivative_in_a_peeled_row_leaves_the_others_alone() {
    let f = |x: &[Var]| {
        let sum = x.iter().map(|x| x.sqrt()).sum::<Var>();
        x[1..].iter().map(|&y| y * x[0]).chain([sum]).collect::<Vec<_>>()
    };
    let x = [4.0, 1.0, 0.0, 4.0, 4.0, 4.0];
    let program = Program::trace(f, &x).unwrap();
    assert_eq!(program.jacobian_colors(), 3);
    let (_, jacobian) = program.sparse_jacobian(&x).unwrap();
    for (i, &y) in x.iter().enumerate().skip(1) {
        assert!(jacobian.row(i - 1).eq([(0, y), (i, 4.0)]));
    }
    let row: Vec<f64> = jacobian.row(5).map(|(_, entry)| entry).collect();
    assert_eq!(row, [0.25, 0.5, f64::INFINITY, 0.25, 0.25, 0.25]);
}

#[test]
fn a_large_entry_does_not_round_small_ones_away() {
    let scales = [1.0, 1e-3, 1e18, 1e-3, 1.0, 1e-3, 1.0];
    for scales in [scales, scales.map(|scale| if scale == 1e18 { 1e308 } else { scale })] {
        let f = |x: &[Var]| x.windows(2).zip(scales).map(|(x, c)| x[0] * x[1] * c).sum::<Var>();
        let x = [1.0; 8];
        let program = Program::trace(f, &x).unwrap();
        assert_eq!(program.hessian_colors(), Ok(2));
        let (_, _, hessian) = program.sparse_hessian(&x).unwrap();
        for (i, scale) in scales.into_iter().enumerate() {
            assert_eq!([hessian.get(i, i + 1), hessian.get(i + 1, i)], [scale; 2]);
        }
    }
}

#[test]
fn another_path_is_refused() {
    let f = |x: &[Var]| if x[0] > x[1] { x[0] * x[1] } else { x[1].sin() };
    let program = Program::trace(f, &[2.0, 1.0]).unwrap();
    assert!(matches!(program.sparse_hessian(&[1.0, 2.0]), Err(Error::Diverged { .. })));
    assert!(matches!(program.sparse_jacobian(&[1.0, 2.0]), Err(Error::Diverged { .. })));
    assert_eq!(program.sparse_hessian(&[3.0, 2.0]).unwrap().2.data, [1.0, 1.0]);
}

#[test]
fn a_point_of_another_length_is_refused() {
    let program = Program::trace(|x: &[Var]| x[0] * x[1], &[2.0, 1.0]).unwrap();
    assert!(matches!(program.sparse_hessian(&[1.0]), Err(Error::Length { .. })));
    assert!(matches!(program.sparse_jacobian(&[1.0; 3]), Err(Error::Length { .. })));
}

#[test]
fn a_hessian_is_of_one_output() {
    let program = Program::trace(|x: &[Var]| [x[0], x[1]], &[2.0, 1.0]).unwrap();
    let is_refusal = |error: Error| matches!(error, Error::Outputs { outputs: 2, .. });
    assert!(program.sparse_hessian(&[1.0; 2]).is_err_and(is_refusal));
    assert!(program.hessian_sparsity().is_err_and(is_refusal));
    assert!(program.hessian_colors().is_err_and(is_refusal));
}

#[test]
fn a_chain_of_100_000_variables_has_a_hessian() {
    let x = point(100_000);
    let program = Program::trace(rosenbrock, &x).unwrap();
    let (_, _, hessian) = program.sparse_hessian(&x).unwrap();
    assert_eq!((hessian.len(), program.hessian_colors()), (299_998, Ok(2)));
    let (i, entry) = (50_000, |x: f64, next: f64| 1200.0 * x * x - 400.0 * next + 202.0);
    assert!((hessian.get(i, i) - entry(x[i], x[i + 1])).abs() < 1e-9);
    assert!((hessian.get(i, i + 1) + 400.0 * x[i]).abs() < 1e-9);
    assert_eq!(hessian.mul_vector(&vec![0.0; 100_000]), vec![0.0; 100_000]);
}

#[test]
fn a_jacobian_of_100_000_variables_is_found() {
    let x = point(100_000);
    let f = |x: &[Var]| x.windows(3).map(|x| x[0] * x[1] - x[2].sin()).collect::<Vec<_>>();
    let program = Program::trace(f, &x).unwrap();
    let (_, jacobian) = program.sparse_jacobian(&x).unwrap();
    assert_eq!((jacobian.len(), program.jacobian_colors()), (3 * 99_998, 3));
    assert_eq!(jacobian.get(70_000, 70_000), x[70_001]);
}

/// Functions of many variables, whose operations have a few of them each.
const INPUTS: usize = 16;
const OPERATIONS: usize = 40;

/// One of these, to the bit, but for the sign of 0; or, where it may be a difference, up to its rounding.
fn is_one_of(entry: f64, candidates: &[f64], error: f64) -> bool {
    candidates.iter().any(|&other| {
        entry == other || (entry.is_nan() && other.is_nan()) || (entry - other).abs() <= error
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(400) })]

    /// Every entry is, to the bit, one that is found column by column, or its mirror image. Where substitution takes fewer
    /// products, it may be rounded, but never be finite where that one is not, nor the other way round.
    #[test]
    fn sparse_hessians_are_the_dense_ones(
        drafts in drafts(OPERATIONS),
        x in prop::collection::vec(-3.0..3.0_f64, INPUTS),
    ) {
        let function = random_programs::Program::lay_out(&drafts, &x);
        let program = Program::trace(|x| function.at(x), &x).unwrap();
        let sparse = program.sparse_hessian(&x).unwrap().2;
        let in_lanes = program.hessian(&x).unwrap().2;
        let column = |j| {
            let unit: Vec<f64> = (0..INPUTS).map(|i| f64::from(u8::from(i == j))).collect();
            program.hessian_vector(&x, &unit).unwrap().2
        };
        let one_by_one: Vec<Vec<f64>> = (0..INPUTS).map(column).collect();
        let largest = |i: usize| {
            let finite = sparse.row(i).map(|(_, entry)| entry.abs()).filter(|x| x.is_finite());
            finite.fold(0.0, f64::max)
        };
        for i in 0..INPUTS {
            for j in 0..INPUTS {
                let entry = sparse.get(i, j);
                let error = 1e-9 * largest(i).min(largest(j));
                let candidates =
                    [in_lanes[(i, j)], in_lanes[(j, i)], one_by_one[i][j], one_by_one[j][i]];
                prop_assert!(
                    is_one_of(entry, &candidates, error),
                    "entry ({i}, {j}) is {entry:e}, none of {candidates:?}\n{program}"
                );
            }
        }
    }

    /// Every entry is, up to rounding, what forward mode finds. (Which functions are drawn is fixed: in lanes, a function
    /// that differs in its last digit may send what follows another way.)
    #[test]
    fn sparse_jacobians_are_the_dense_ones(
        drafts in drafts(OPERATIONS),
        x in prop::collection::vec(-3.0..3.0_f64, INPUTS),
    ) {
        let function = random_programs::Program::lay_out(&drafts, &x);
        let program = Program::trace(|x| function.values(x), &x).unwrap();
        let sparse = program.sparse_jacobian(&x).unwrap().1;
        for column in 0..INPUTS {
            let scale = function.scales(&x, column, &[0.0; INPUTS]).0;
            let unit = |i| f64::from(u8::from(i == column));
            let seeded: Vec<Dual> =
                x.iter().enumerate().map(|(i, &x)| Dual::new(x, unit(i))).collect();
            for (row, output) in function.values(&seeded).into_iter().enumerate() {
                let (entry, expected) = (sparse.get(row, column), output.tangent);
                let is_equal = !scale.is_finite() || agree(entry, expected, scale, 1e-12);
                prop_assert!(
                    is_equal,
                    "entry ({row}, {column}) is {entry:e}, not {expected:e}\n{program}"
                );
            }
        }
    }

    /// Sums of products, of random variables, with a few dense rows and columns: in no more products than columns alone or rows
    /// alone would take.
    #[test]
    fn jacobians_with_dense_lines_are_the_dense_ones(
        (rows, columns, places) in (4..24_usize, 4..24_usize).prop_flat_map(|(m, n)| {
            (Just(m), Just(n), prop::collection::btree_set((0..m, 0..n), 0..2 * (m + n)))
        }),
        dense in (0..4_usize, 0..4_usize),
        gaps in prop::collection::btree_set((0..24_usize, 0..24_usize), 0..30),
        point in prop::collection::vec(-2.0..2.0_f64, 24),
    ) {
        let is_dense = |i, j| (i < dense.0 || j + dense.1 >= columns) && !gaps.contains(&(i, j));
        let f = |x: &[Var]| {
            let output = |i| {
                let inputs = (0..columns).filter(|&j| places.contains(&(i, j)) || is_dense(i, j));
                inputs.map(|j| x[j] * x[j] * (i + j) as f64 + x[j]).sum::<Var>()
            };
            (0..rows).map(output).collect::<Vec<_>>()
        };
        let x = &point[..columns];
        let program = Program::trace(f, x).unwrap();
        let (values, jacobian) = program.sparse_jacobian(x).unwrap();
        prop_assert_eq!(values, program.values(x).unwrap());
        check_entries(&jacobian, &tape::jacobian(f, x).1);
        let pattern = program.jacobian_sparsity();
        let by_rows: Vec<Vec<usize>> = (0..rows).map(|i| pattern.row(i).to_vec()).collect();
        let column = |j| (0..rows).filter(|&i| pattern.contains(i, j)).collect();
        let by_columns: Vec<Vec<usize>> = (0..columns).map(column).collect();
        let most = colors_of_one_kind(&by_rows).min(colors_of_one_kind(&by_columns));
        prop_assert!(program.jacobian_colors() <= most, "{} > {most}", program.jacobian_colors());
    }
}
