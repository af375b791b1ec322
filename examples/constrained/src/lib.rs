//! Sequential quadratic programming: minimises f(x) where some gᵢ(x) = 0 and others gᵢ(x) ≥ 0.
//!
//! Each iteration replaces the problem by a quadratic one: the constraints by their tangents, f by the second-order expansion of
//! the Lagrangian L = f − Σ λᵢgᵢ. The crate `clarabel` solves that, and its solution is the step. A `Program` gives the first
//! derivatives by `jacobian` and the exact second derivatives of L by `weighted_hessian`, so the method converges as Newton's
//! does. See Nocedal and Wright, Numerical Optimization, 2006, chapter 18.

use anyhow::{Result, bail, ensure};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};
use nalgebra::{DMatrix, DVector};
use tape::Program;

/// A point where the first-order conditions of a minimum hold. Whether it is a minimum is not checked.
#[derive(Debug)]
pub struct Solution {
    /// The point.
    pub x: Vec<f64>,
    /// f(x).
    pub value: f64,
    /// λ, one for each constraint.
    pub multipliers: Vec<f64>,
    /// How many quadratic problems were solved.
    pub iterations: usize,
    /// How far the worst constraint is from holding.
    pub violation: f64,
}

const ITERATIONS: usize = 200;

/// How far the first-order conditions may be from holding.
const TOLERANCE: f64 = 1e-9;

/// How many iterations back the merit is compared. A step along curved constraints can make it worse for a moment (the Maratos
/// effect), and must not be cut for that.
const MEMORY: usize = 5;

/// Minimises the first output of `program`. The next `equalities` outputs shall be 0, the others at least 0.
///
/// # Errors
/// Where a quadratic problem has no solution, no step makes progress, or 200 iterations do not suffice; where `start` is not as
/// long as the program's inputs.
pub fn minimize(program: &Program, equalities: usize, start: &[f64]) -> Result<Solution> {
    ensure!(
        equalities < program.outputs(),
        "a function and {equalities} constraints are more than the program's {} outputs",
        program.outputs()
    );
    let mut x = start.to_vec();
    let mut multipliers = vec![0.0; program.outputs() - 1];
    let mut penalty = 0.0_f64;
    let mut history: Vec<Merit> = Vec::new();
    for iterations in 0..ITERATIONS {
        let local = Local::at(program, equalities, &x, &multipliers)?;
        let merit = local.merit();
        if local.is_solved(&multipliers) {
            let (value, violation) = (merit.value, local.worst_violation());
            return Ok(Solution { x, value, multipliers, iterations, violation });
        }
        let step = local.solve()?;
        multipliers = step.multipliers;
        // With a penalty above the largest multiplier, the step leads to a smaller merit.
        penalty = penalty.max(1.5 * largest(multipliers.iter().copied()));
        history.push(merit);
        let recent = &history[history.len().saturating_sub(MEMORY)..];
        let bound = recent.iter().map(|merit| merit.total(penalty)).fold(f64::MIN, f64::max);
        let slope = local.gradient.dot(&step.direction)
            - penalty * (1.0 - step.remaining) * merit.violation;
        x = search(&x, &step.direction, |length, x| {
            let values = program.values(x)?;
            let merit = Merit::of(&values, equalities);
            Ok(merit.total(penalty) <= bound + 1e-4 * length * slope.min(0.0))
        })?;
    }
    bail!("{ITERATIONS} iterations do not suffice")
}

/// The first of the lengths 1, ½, ¼, … with which a step is acceptable.
fn search(
    x: &[f64],
    direction: &DVector<f64>,
    mut is_acceptable: impl FnMut(f64, &[f64]) -> Result<bool>,
) -> Result<Vec<f64>> {
    let mut length = 1.0;
    while length > 1e-12 {
        let next: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + length * d).collect();
        if is_acceptable(length, &next)? {
            return Ok(next);
        }
        length /= 2.0;
    }
    bail!("no step along the direction makes progress")
}

/// What a step should make smaller: f + penalty · Σ |what constraints lack|.
#[derive(Clone, Copy)]
struct Merit {
    value: f64,
    violation: f64,
}

impl Merit {
    fn of(values: &[f64], equalities: usize) -> Self {
        Self { value: values[0], violation: violations(&values[1..], equalities).sum() }
    }

    fn total(self, penalty: f64) -> f64 {
        self.value + penalty * self.violation
    }
}

fn violations(constraints: &[f64], equalities: usize) -> impl Iterator<Item = f64> + '_ {
    let of = move |(i, &g): (usize, &f64)| if i < equalities { g.abs() } else { (-g).max(0.0) };
    constraints.iter().enumerate().map(of)
}

/// The problem near a point: values and derivatives.
struct Local {
    equalities: usize,
    /// f, then the constraints.
    values: Vec<f64>,
    /// Of f.
    gradient: DVector<f64>,
    /// Of the constraints.
    jacobian: DMatrix<f64>,
    /// Of the Lagrangian.
    gradient_of_lagrangian: Vec<f64>,
    hessian: DMatrix<f64>,
    /// The constraints that hold as equations: the equalities, and inequalities with a multiplier.
    active: Vec<usize>,
}

struct Step {
    direction: DVector<f64>,
    /// The share of the violation that stays.
    remaining: f64,
    multipliers: Vec<f64>,
}

impl Local {
    fn at(program: &Program, equalities: usize, x: &[f64], multipliers: &[f64]) -> Result<Self> {
        let (values, jacobian) = program.jacobian(x)?;
        let weights: Vec<f64> =
            [1.0].into_iter().chain(multipliers.iter().map(|multiplier| -multiplier)).collect();
        let (_, gradient_of_lagrangian, hessian) = program.weighted_hessian(x, &weights)?;
        let (m, n) = (multipliers.len(), x.len());
        let numbers = values.iter().chain(&jacobian.data).chain(&hessian.data);
        ensure!(
            numbers.copied().all(f64::is_finite),
            "values or derivatives are not finite at {x:?}"
        );
        let is_active = |&i: &usize| i < equalities || multipliers[i] > TOLERANCE;
        Ok(Self {
            equalities,
            values,
            gradient: DVector::from_column_slice(jacobian.row(0)),
            jacobian: DMatrix::from_row_slice(m, n, &jacobian.data[n..]),
            gradient_of_lagrangian,
            hessian: DMatrix::from_row_slice(n, n, &hessian.data),
            active: (0..m).filter(is_active).collect(),
        })
    }

    fn constraints(&self) -> &[f64] {
        &self.values[1..]
    }

    fn merit(&self) -> Merit {
        Merit::of(&self.values, self.equalities)
    }

    fn worst_violation(&self) -> f64 {
        largest(violations(self.constraints(), self.equalities))
    }

    /// Karush, Kuhn and Tucker: ∇L = 0, the constraints hold, and a multiplier belongs to a constraint that is 0.
    fn is_solved(&self, multipliers: &[f64]) -> bool {
        let scale = 1.0 + largest(multipliers.iter().copied());
        let products = self.constraints().iter().zip(multipliers).map(|(g, m)| g * m);
        largest(self.gradient_of_lagrangian.iter().copied()) <= TOLERANCE * scale
            && largest(products) <= TOLERANCE * scale
            && self.worst_violation() <= TOLERANCE
    }

    /// min ∇f·d + ½ d·H·d where gᵢ + ∇gᵢ·d = 0 or ≥ 0.
    ///
    /// The tangents may contradict one another. So what the constraints lack may remain to a share t between 0 and 1, at a high
    /// price (Powell, 1978): violated ones become (1 − t)·gᵢ + ∇gᵢ·d.
    fn solve(&self) -> Result<Step> {
        let (n, m) = (self.gradient.len(), self.constraints().len());
        let (hessian, gradient) = self.convex_model();
        let price = 10.0 * (1.0 + self.gradient.amax());
        let cost: Vec<f64> = gradient.iter().copied().chain([price]).collect();
        // clarabel's constraints are A·(d, t) + s = b, with s = 0 for equalities and s ≥ 0 for the rest; the last are 0 ≤ t ≤ 1.
        let sign = |i: usize| if i < self.equalities { 1.0 } else { -1.0 };
        let constraints = self.constraints();
        let row = |i: usize, j: usize| match (i < m, j < n) {
            (true, true) => sign(i) * self.jacobian[(i, j)],
            (true, false) if i < self.equalities || constraints[i] < 0.0 => {
                -sign(i) * constraints[i]
            }
            (false, false) if i == m => -1.0,
            (false, false) => 1.0,
            _ => 0.0,
        };
        let sides: Vec<f64> =
            constraints.iter().enumerate().map(|(i, g)| -sign(i) * g).chain([0.0, 1.0]).collect();
        let curvature = |i: usize, j: usize| if i <= j && j < n { hessian[(i, j)] } else { 0.0 };
        let cones = [ZeroConeT(self.equalities), NonnegativeConeT(m + 2 - self.equalities)];
        let settings = DefaultSettings {
            verbose: false,
            tol_gap_abs: 1e-12,
            tol_gap_rel: 1e-12,
            tol_feas: 1e-12,
            ..DefaultSettings::default()
        };
        let (quadratic, linear) = (sparse(n + 1, n + 1, curvature), sparse(m + 2, n + 1, row));
        let mut solver = DefaultSolver::new(&quadratic, &cost, &linear, &sides, &cones, settings)?;
        solver.solve();
        let solution = &solver.solution;
        ensure!(
            matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved),
            "the quadratic problem has no solution: {}",
            solution.status
        );
        Ok(Step {
            direction: DVector::from_column_slice(&solution.x[..n]),
            remaining: solution.x[n],
            multipliers: (0..m).map(|i| -sign(i) * solution.z[i]).collect(),
        })
    }

    /// The Hessian of the Lagrangian, made positive definite, and the gradient of f to go with it.
    ///
    /// The Lagrangian may well be concave across the constraints. So ½ρ(gᵢ + ∇gᵢ·d)² is added for the active ones: where they
    /// hold it is 0 and so is its derivative, so neither the step nor the multipliers change. Only where that is not enough, the
    /// diagonal is raised, which makes the step shorter.
    fn convex_model(&self) -> (DMatrix<f64>, DVector<f64>) {
        let active = self.jacobian.select_rows(&self.active);
        let lacking = DVector::from_iterator(
            self.active.len(),
            self.active.iter().map(|&i| self.constraints()[i]),
        );
        let size = 1.0 + self.hessian.norm();
        for weight in [0.0, 1.0, 10.0, 100.0].map(|weight| weight * size) {
            let hessian = &self.hessian + weight * active.tr_mul(&active);
            if is_convex(&hessian, size) {
                return (hessian, &self.gradient + weight * active.tr_mul(&lacking));
            }
        }
        let mut raise = 1e-3 * size;
        loop {
            let hessian = &self.hessian
                + DMatrix::from_diagonal_element(self.gradient.len(), self.gradient.len(), raise);
            if is_convex(&hessian, size) || !raise.is_finite() {
                return (hessian, self.gradient.clone());
            }
            raise *= 4.0;
        }
    }
}

/// In magnitude; 0 of none.
fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(f64::abs).fold(0.0, f64::max)
}

/// Whether every curvature is positive, and not by rounding.
fn is_convex(hessian: &DMatrix<f64>, size: f64) -> bool {
    let n = hessian.nrows();
    (hessian - DMatrix::from_diagonal_element(n, n, 1e-9 * size)).cholesky().is_some()
}

fn sparse(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> CscMatrix<f64> {
    let places = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j)));
    let entries: Vec<(usize, usize, f64)> =
        places.map(|(i, j)| (i, j, entry(i, j))).filter(|entry| entry.2 != 0.0).collect();
    CscMatrix::new_from_triplets(
        rows,
        columns,
        entries.iter().map(|entry| entry.0).collect(),
        entries.iter().map(|entry| entry.1).collect(),
        entries.iter().map(|entry| entry.2).collect(),
    )
}

#[cfg(test)]
mod tests {
    use tape::Var;

    use super::*;

    fn solve(
        outputs: impl Fn(&[Var]) -> Vec<Var>,
        equalities: usize,
        start: &[f64],
    ) -> Result<Solution> {
        minimize(&Program::trace(outputs, start)?, equalities, start)
    }

    #[test]
    fn a_quadratic_problem_takes_one_step() {
        let nearest = |x: &[Var]| vec![tape::dot(x, x), x[0] + x[1] - 1.0];
        let solution = solve(nearest, 1, &[3.0, -7.0]).unwrap();
        assert_eq!(solution.iterations, 1);
        assert!((solution.value - 0.5).abs() < 1e-9);
        assert!((solution.multipliers[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_constraints_it_is_newtons_method() {
        let rosenbrock =
            |x: &[Var]| vec![(1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)];
        let solution = solve(rosenbrock, 0, &[-1.2, 1.0]).unwrap();
        assert!(solution.x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{:?}", solution.x);
    }

    #[test]
    fn a_constraint_that_is_not_needed_has_no_multiplier() {
        let solution = solve(|x| vec![x[0] * x[0], x[0] + 1.0], 0, &[5.0]).unwrap();
        assert!(solution.x[0].abs() < 1e-9 && solution.multipliers[0].abs() < 1e-9);
    }

    #[test]
    fn constraints_that_never_hold_are_an_error() {
        assert!(solve(|x| vec![x[0], x[0] * x[0] + 1.0], 1, &[1.0]).is_err());
    }

    #[test]
    fn a_function_without_a_minimum_is_an_error() {
        assert!(solve(|x| vec![x[0]], 0, &[1.0]).is_err());
    }

    #[test]
    fn a_start_outside_the_domain_is_an_error() {
        let error = solve(|x| vec![x[0].ln()], 0, &[-1.0]).unwrap_err();
        assert!(error.to_string().contains("not finite"), "{error}");
    }

    #[test]
    fn more_equalities_than_constraints_are_an_error() {
        assert!(solve(|x| vec![x[0] * x[0]], 1, &[1.0]).is_err());
    }

    #[test]
    fn tangents_that_contradict_one_another_are_passed_by() {
        // The tangent of the first constraint leads to 2.6, beyond the bound 1.5.
        let outputs = |x: &[Var]| vec![-x[0], 1.0 - x[0] * x[0], x[0] - 0.1, 1.5 - x[0]];
        let solution = solve(outputs, 1, &[0.2]).unwrap();
        assert!((solution.x[0] - 1.0).abs() < 1e-9, "{solution:?}");
    }

    #[test]
    fn a_start_of_another_length_is_an_error() {
        let program = Program::trace(|x| vec![x[0] * x[0]], &[1.0]).unwrap();
        assert!(minimize(&program, 0, &[1.0, 2.0]).is_err());
    }
}
