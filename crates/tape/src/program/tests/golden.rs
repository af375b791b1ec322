//! What a person sees of a program, before the passes and after, in full.
//!
//! `UPDATE_EXPECT=1 cargo test -p tape --lib golden` writes the texts anew.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates")]

use expect_test::{Expect, expect};

use crate::program::stages::Stage;
use crate::program::{Outputs, Program, Rewrites};
use crate::var::Var;

fn check<R: Outputs>(f: impl Fn(&[Var]) -> R, x: &[f64], recorded: &Expect, optimized: &Expect) {
    let stages = Program::stages(Rewrites::Exact, &f, x).unwrap();
    let text = |stage: Option<&Stage>| stage.map(ToString::to_string).unwrap_or_default();
    recorded.assert_eq(&text(stages.first()));
    optimized.assert_eq(&text(stages.last()));
    // What is shown is what runs.
    assert_eq!(Program::trace(&f, x).unwrap().to_string(), text(stages.last()));
}

#[test]
fn rosenbrock() {
    let f = |x: &[Var]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
    check(
        f,
        &[0.0, 0.0],
        &expect![[r#"
        v0 = 1 - x0
        v1 = powi(v0, 2)
        v2 = x0 * x0
        v3 = x1 - v2
        v4 = powi(v3, 2)
        v5 = 100 * v4
        v6 = v1 + v5
        return v6
    "#]],
        &expect![[r#"
        v0 = 1 - x0
        v1 = x0 * x0
        v2 = x1 - v1
        v3 = v2 * v2
        v4 = v0 * v0 + 100 * v3
        return v4
    "#]],
    );
}

/// A point's log-density under two normal distributions.
#[test]
fn a_mixture() {
    let f = |x: &[Var]| {
        let component = |weight: Var, mean: Var, log_deviation: Var| {
            let z = (0.7 - mean) / log_deviation.exp();
            weight - log_deviation - z * z / 2.0
        };
        crate::log_sum_exp(&[component(x[0], x[1], x[2]), component(x[3], x[4], x[5])])
            - crate::log_sum_exp(&[x[0], x[3]])
    };
    check(
        f,
        &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        &expect![[r#"
        v0 = 0.7 - x1
        v1 = exp(x2)
        v2 = v0 / v1
        v3 = x0 - x2
        v4 = v2 * v2
        v5 = v4 / 2
        v6 = v3 - v5
        v7 = 0.7 - x4
        v8 = exp(x5)
        v9 = v7 / v8
        v10 = x3 - x5
        v11 = v9 * v9
        v12 = v11 / 2
        v13 = v10 - v12
        v14 = largest(v6, v13)
        v15 = weight(v6, v14)
        v16 = weight(v13, v14)
        v17 = v15 + v16
        v18 = ln(v17)
        v19 = v14 + v18
        v20 = largest(x0, x3)
        v21 = weight(x0, v20)
        v22 = weight(x3, v20)
        v23 = v21 + v22
        v24 = ln(v23)
        v25 = v20 + v24
        v26 = v19 - v25
        return v26
    "#]],
        &expect![[r#"
        v0 = 0.7 - x1
        v1 = exp(x2)
        v2 = v0 / v1
        v3 = v2 * v2
        v4 = x0 + -1 * x2 + -0.5 * v3
        v5 = 0.7 - x4
        v6 = exp(x5)
        v7 = v5 / v6
        v8 = v7 * v7
        v9 = x3 + -1 * x5 + -0.5 * v8
        v10 = largest(v4, v9)
        v11 = weight(v4, v10)
        v12 = weight(v9, v10)
        v13 = v11 + v12
        v14 = ln(v13)
        v15 = largest(x0, x3)
        v16 = weight(x0, v15)
        v17 = weight(x3, v15)
        v18 = v16 + v17
        v19 = ln(v18)
        v20 = v15 + v19
        v21 = v10 + 1 * v14 + -1 * v20
        return v21
    "#]],
    );
}

#[test]
fn branches_and_several_outputs() {
    let f = |x: &[Var]| {
        let larger = if x[0] > x[1] { x[0] } else { x[1] };
        [larger.clamp(x[1], 5.0.into()), x[0].max(x[1]), x[0].powf(0.5.into()), 3.0.into()]
    };
    check(
        f,
        &[2.0, 1.0],
        &expect![[r#"
        v0 = clamp(x0, x1, 5)
        v1 = max(x0, x1)
        v2 = powf(x0, 0.5)
        guard x0 > x1
        guard x1 <= 5
        return v0, v1, v2, 3
    "#]],
        &expect![[r#"
        v0 = clamp(x0, x1, 5)
        v1 = max(x0, x1)
        v2 = powf(x0, 0.5)
        guard x0 > x1
        guard x1 <= 5
        return v0, v1, v2, 3
    "#]],
    );
}

#[test]
fn linear_algebra() {
    let f = |x: &[Var]| {
        let (a, b) = x.split_at(3);
        let products = a.iter().zip(b).map(|(&a, &b)| a * b);
        let chain = products.fold(0.0.into(), |sum: Var, product| sum + product);
        chain / (crate::norm(a) * crate::norm(b)) - crate::dot(a, a) + a[0].mul_add(b[0], -b[1])
    };
    check(
        f,
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        &expect![[r#"
        v0 = x0 * x3
        v1 = 0 + v0
        v2 = x1 * x4
        v3 = v1 + v2
        v4 = x2 * x5
        v5 = v3 + v4
        v6 = norm(x0, x1, x2)
        v7 = norm(x3, x4, x5)
        v8 = v6 * v7
        v9 = v5 / v8
        v10 = x0 * x0 + x1 * x1 + x2 * x2
        v11 = v9 - v10
        v12 = -x4
        v13 = mul_add(x0, x3, v12)
        v14 = v11 + v13
        return v14
    "#]],
        &expect![[r#"
        v0 = 0 + x0 * x3 + x1 * x4 + x2 * x5
        v1 = norm(x0, x1, x2)
        v2 = norm(x3, x4, x5)
        v3 = v1 * v2
        v4 = v0 / v3
        v5 = x0 * x0 + x1 * x1 + x2 * x2
        v6 = -x4
        v7 = mul_add(x0, x3, v6)
        v8 = v4 + -1 * v5 + 1 * v7
        return v8
    "#]],
    );
}

#[test]
fn every_stage_has_its_name_and_size() {
    let f =
        |x: &[Var]| x[0] * 2.0 + x[0] * 2.0 - x[1] * Var::constant(4.0).sqrt() + 0.0 * x[0].sin();
    let stages = Program::stages(Rewrites::Relaxed, f, &[1.0, 2.0]).unwrap();
    let lines: Vec<String> =
        stages.iter().map(|stage| format!("{}: {}\n", stage.name(), stage.operations())).collect();
    expect![[r#"
        trace: 8
        fold constants: 8
        simplify: 8
        number values: 7
        drop dead code: 4
        collect sums: 2
        number values: 2
        drop dead code: 2
    "#]]
    .assert_eq(&lines.concat());
}
