//! Products of `ndarray` at factors that are 0.

use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{Array1, Array2};
use tape::Var;
use tape::check::{self, Verdict};

/// The entries of α·A·B + β·C and of α·A·x + β·y, weighted.
fn products(x: &[Var]) -> Var {
    let matrix = |first: usize| Array2::from_shape_fn((2, 2), |(i, j)| x[first + 2 * i + j]);
    let (mut c, mut y) = (matrix(8), Array1::from(x[12..14].to_vec()));
    general_mat_mul(x[14], &matrix(0), &matrix(4), x[15], &mut c);
    general_mat_vec_mul(x[14], &matrix(0), &Array1::from(x[4..6].to_vec()), x[15], &mut y);
    let weighted = c.iter().chain(&y).enumerate().map(|(i, &x)| x * (i as f64 + 0.3).sin());
    weighted.sum()
}

#[test]
fn a_summand_whose_factor_is_0_keeps_its_derivative() {
    let numbers = |i: usize| (i as f64 * 1.7 + 0.2).cos();
    for (alpha, beta) in [(0.7, 0.0), (0.0, 0.4), (0.0, 0.0), (1.0, 1.0)] {
        let mut x: Vec<f64> = (0..14).map(numbers).collect();
        x.extend([alpha, beta]);
        assert_eq!(check::gradient(products, &x), Verdict::Pass, "α {alpha}, β {beta}");
    }
}
