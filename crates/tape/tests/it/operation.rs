//! Operations of one's own, by every way to a derivative.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tape::{
    Batch, Dual, Error, Function, Lanes, Operation, Operations, Program, Real, Tape, Var, Workspace,
};

/// (x·y, x/y, sin x): dense.
struct Three;

impl Operation for Three {
    fn name(&self) -> &'static str {
        "three"
    }

    fn inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn outputs(&self, _: usize) -> usize {
        3
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y[0] = x[0] * x[1];
        y[1] = x[0] / x[1];
        y[2] = x[0].sin();
    }

    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        into[0] = adjoint[0] * x[1] + adjoint[1] / x[1] + adjoint[2] * x[0].cos();
        into[1] = adjoint[0] * x[0] - adjoint[1] * y[1] / x[1];
    }
}

/// The same without the operation.
fn three<T: Real>(x: T, y: T) -> [T; 3] {
    [x * y, x / y, x.sin()]
}

/// A table that is looked up, with a cubic between its knots: it branches on the number.
struct Table {
    /// Values at 0, 1, 2, …
    values: Vec<f64>,
    calls: AtomicUsize,
}

impl Table {
    fn new() -> Arc<Self> {
        let values = (0..20).map(|i| f64::from(i * i % 7)).collect();
        Arc::new(Self { values, calls: AtomicUsize::new(0) })
    }

    /// The cell of a number, and what is left.
    fn cell<T: Real>(&self, x: T) -> (usize, T) {
        let cell = x.primal().floor().clamp(0.0, (self.values.len() - 2) as f64);
        #[allow(clippy::cast_sign_loss, reason = "clamped to the table")]
        let index = cell as usize;
        (index, x - T::from_f64(cell))
    }

    /// Hermite's cubic with derivatives 0 at the knots.
    fn at<T: Real>(&self, x: T) -> T {
        let (cell, t) = self.cell(x);
        let step = T::from_f64(self.values[cell + 1] - self.values[cell]);
        let smooth = t * t * (T::from_f64(3.0) - T::from_f64(2.0) * t);
        T::from_f64(self.values[cell]) + step * smooth
    }
}

impl Operation for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn inputs(&self) -> Option<usize> {
        Some(1)
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        y[0] = self.at(x[0]);
    }

    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        let (cell, t) = self.cell(x[0]);
        let step = T::from_f64(self.values[cell + 1] - self.values[cell]);
        let slope = T::from_f64(6.0) * t * (T::from_f64(1.0) - t);
        into[0] = adjoint[0] * step * slope;
    }
}

/// One with the name of [`Three`].
struct Other;
impl Operation for Other {
    fn name(&self) -> &'static str {
        "three"
    }
    fn inputs(&self) -> Option<usize> {
        Some(5)
    }
    fn outputs(&self, _: usize) -> usize {
        3
    }
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y[0] = x[4];
    }
    fn reverse<T: Real>(&self, _: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        into[4] = adjoint[0];
    }
}

/// Every square by itself: it names what a result depends on.
struct Squares;
impl Operation for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }
    fn outputs(&self, inputs: usize) -> usize {
        inputs
    }
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * x;
        }
    }
    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        for i in 0..x.len() {
            into[i] = adjoint[i] * T::from_f64(2.0) * x[i];
        }
    }
    fn dependencies(&self, output: usize) -> Option<Vec<usize>> {
        Some(vec![output])
    }
}

/// Whose derivative is NaN.
struct Loud;
impl Operation for Loud {
    fn name(&self) -> &'static str {
        "loud"
    }
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        y[0] = x[0];
    }
    fn reverse<T: Real>(&self, _: &[T], _: &[T], _: &[T], into: &mut [T]) {
        into[0] = T::from_f64(f64::NAN);
    }
}

/// Which panics below 0, and its reverse below 1.
struct Panicking;
impl Operation for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        assert!(x[0].primal() > 0.0, "not below 0");
        y[0] = x[0];
    }
    fn reverse<T: Real>(&self, x: &[T], _: &[T], adjoint: &[T], into: &mut [T]) {
        assert!(x[0].primal() > 1.0, "not below 1");
        into[0] = adjoint[0];
    }
}

fn with<T: Real>(x: &[T]) -> T {
    let r = tape::apply(&Three, &[x[0], x[1]]);
    r[0].exp() * r[1] + r[2] * x[1]
}

fn without<T: Real>(x: &[T]) -> T {
    let r = three(x[0], x[1]);
    r[0].exp() * r[1] + r[2] * x[1]
}

#[track_caller]
fn near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a} instead of {b}");
    }
}

const POINTS: [[f64; 2]; 3] = [[0.7, 1.3], [-0.4, 0.9], [1.1, -0.8]];

#[test]
fn the_sweep_gives_what_the_formula_does() {
    for x in POINTS {
        let (value, gradient) = tape::gradient(with, &x);
        let (expected, right) = tape::gradient(without, &x);
        assert_eq!(value, expected);
        near(&gradient, &right);
    }
}

#[test]
fn second_derivatives_are_right_by_every_way() {
    for x in POINTS {
        let (_, _, right) = tape::hessian(without, &x);
        near(&tape::hessian(with, &x).2.data, &right.data);
        let nested = |i: usize| tape::gradient(|x| tape::gradient(with, x).1[i], &x).1;
        near(&[nested(0), nested(1)].concat(), &right.data);
        for i in 0..2 {
            let mut duals = x.map(Dual::constant);
            duals[i].tangent = 1.0;
            let column = tape::gradient(with, &duals).1;
            near(&column.iter().map(|d| d.tangent).collect::<Vec<_>>(), right.row(i));
            let mut seeded = x.map(|x| Dual::constant(Dual::constant(x)));
            seeded[i].tangent = Dual::constant(1.0);
            for j in 0..2 {
                let mut point = seeded;
                point[j].value.tangent = 1.0;
                near(&[with(&point).tangent.tangent], &[right[(i, j)]]);
            }
            let by_var_in_dual = tape::gradient(
                |x| {
                    let point: Vec<Dual<Var>> =
                        (0..2).map(|j| Dual::new(x[j], Var::constant(f64::from(i == j)))).collect();
                    with(&point).tangent
                },
                &x,
            );
            near(&by_var_in_dual.1, right.row(i));
        }
    }
}

#[test]
fn third_derivatives_are_right() {
    macro_rules! third {
        ($f:ident) => {
            tape::gradient(|x| tape::gradient(|x| tape::gradient($f, x).1[0], x).1[1], &POINTS[0]).1
        };
    }
    near(&third!(with), &third!(without));
}

#[test]
fn a_program_calls_it() {
    let program = Program::trace(with, &[1.0, 1.0]).unwrap();
    assert_eq!(program.len(), 3, "{program}");
    let mut workspace = Workspace::default();
    let mut gradient = [0.0; 2];
    for x in POINTS {
        let (value, right) = tape::gradient(without, &x);
        assert_eq!(program.value(&x).unwrap(), value);
        let by_replay = program.gradient_into(&x, &mut workspace, &mut gradient).unwrap();
        assert_eq!(by_replay, value);
        near(&gradient, &right);
        let hessian = tape::hessian(without, &x).2;
        near(&program.hessian(&x).unwrap().2.data, &hessian.data);
        let sparse = program.sparse_hessian(&x).unwrap().2;
        near(&sparse.to_dense().data, &hessian.data);
        let v = [0.3, -1.2];
        near(&program.hessian_vector(&x, &v).unwrap().2, &tape::hessian_vector(without, &x, &v).2);
    }
}

#[test]
fn a_traced_derivative_is_right_elsewhere() {
    let gradient = |x: &[Var]| tape::gradient(with, x).1;
    let program = Program::trace(gradient, &[1.0, 1.0]).unwrap();
    let by_dual = Program::trace(
        |x| {
            let duals = [Dual::new(x[0], Var::constant(1.0)), Dual::constant(x[1])];
            with(&duals).tangent
        },
        &[1.0, 1.0],
    )
    .unwrap();
    let hessian = Program::trace(|x| tape::hessian(with, x).2.data, &[1.0, 1.0]).unwrap();
    for x in POINTS {
        near(&program.values(&x).unwrap(), &tape::gradient(without, &x).1);
        near(&program.jacobian(&x).unwrap().1.data, &tape::hessian(without, &x).2.data);
        near(&[by_dual.value(&x).unwrap()], &tape::gradient(without, &x).1[..1]);
        near(&by_dual.gradient(&x).unwrap().1, tape::hessian(without, &x).2.row(0));
        near(&hessian.values(&x).unwrap(), &tape::hessian(without, &x).2.data);
        let third = tape::jacobian(|x| tape::hessian(without, x).2.data, &x).1;
        near(&hessian.jacobian(&x).unwrap().1.data, &third.data);
    }
}

#[test]
fn a_decision_inside_is_taken_anew_at_every_point() {
    let table = Table::new();
    let f = |x: &[Var]| tape::apply(&table, &[x[0]])[0] * x[0];
    let program = Program::trace(f, &[0.5]).unwrap();
    assert_eq!(program.guards(), 0);
    let derivative =
        Program::trace(|x| tape::gradient(|x| tape::apply(&table, &[x[0]])[0], x).1, &[0.5]);
    let derivative = derivative.unwrap();
    assert_eq!(derivative.guards(), 0, "{derivative}");
    let function = Function::new(f);
    for step in 1..60 {
        let x = f64::from(step) * 0.3;
        let (value, slope) = tape::gradient(|x| table.at(x[0]) * x[0], &[x]);
        assert_eq!(program.value(&[x]).unwrap(), value);
        near(&program.gradient(&[x]).unwrap().1, &slope);
        near(&function.gradient(&[x]).unwrap().1, &slope);
        near(&derivative.values(&[x]).unwrap(), &tape::gradient(|x| table.at(x[0]), &[x]).1);
        let curvature = tape::hessian(|x| table.at(x[0]), &[x]).2.data;
        near(&derivative.jacobian(&[x]).unwrap().1.data, &curvature);
        near(&tape::hessian(|x| tape::apply(&table, &[x[0]])[0], &[x]).2.data, &curvature);
    }
    assert_eq!(function.paths(), 1);
    // Each lane decides for itself.
    let x = Lanes([0.3, 4.6, 9.9, 17.2]);
    let (values, slopes) = tape::gradient(|x| tape::apply(&table, &[x[0]])[0], &[x]);
    for lane in 0..4 {
        let (value, slope) = tape::gradient(|x| table.at(x[0]), &[x.0[lane]]);
        assert_eq!(values.0[lane], value);
        near(&[slopes[0].0[lane]], &slope);
    }
}

#[test]
fn a_batch_calls_it_for_every_row() {
    let table = Table::new();
    let loss = |p: &[Var], row: &[Var]| {
        let [a, b] =
            [tape::apply(&table, &[row[0] + p[0]])[0], tape::apply(&Three, &[p[1], row[1]])[0]];
        let shared = tape::apply(&Three, p)[2];
        (a - b) * (a - b) + shared
    };
    let plain = |p: &[Var], row: &[f64]| {
        let a = table.at(p[0] + row[0]);
        (a - p[1] * row[1]) * (a - p[1] * row[1]) + p[0].sin()
    };
    let rows: Vec<[f64; 2]> =
        (0..333).map(|i| [f64::from(i) * 0.05, f64::from(i % 13) - 6.5]).collect();
    let batch = Batch::trace(loss, &[0.1, 0.2], &rows[0]).unwrap();
    let p = [0.37, 0.6];
    let flat: Vec<f64> = rows.concat();
    let (value, gradient) = batch.gradient(&p, flat.as_slice()).unwrap();
    let sum = |p: &[Var]| {
        let terms: Vec<Var> = rows.iter().map(|row| plain(p, row)).collect();
        tape::sum(&terms)
    };
    let (expected, right) = tape::gradient(sum, &p);
    near(&[value], &[expected]);
    near(&gradient, &right);
    near(&batch.hessian(&p, flat.as_slice()).unwrap().2.data, &tape::hessian(sum, &p).2.data);
    let single = Batch::trace(loss, &[0.1, 0.2], &rows[0]).unwrap().in_single_precision();
    let (value, _) = single.gradient(&p, flat.as_slice()).unwrap();
    assert!((value - expected).abs() < 1e-4 * expected.abs(), "{value} {expected}");
}

#[test]
fn sums_of_terms_that_are_swept_at_once_may_use_it() {
    let table = Table::new();
    let f = |x: &[Var]| {
        tape::sum_over(0..50, |i| tape::apply(&table, &[x[0] * (0.1 * f64::from(i))])[0] * x[1])
    };
    let g = |x: &[Var]| tape::sum_over(0..50, |i| table.at(x[0] * (0.1 * f64::from(i))) * x[1]);
    near(&tape::gradient(f, &[1.7, 0.4]).1, &tape::gradient(g, &[1.7, 0.4]).1);
    // Where there is much before it, the arguments of terms are collected.
    let tape = Tape::new();
    let x = tape.vars([1.7, 0.4]);
    for _ in 0..5000 {
        let _ = x[0] * x[1];
    }
    let sum =
        tape.sum_over(0..50, |i| tape::apply(&table, &[x[0] * (0.1 * f64::from(i))])[0] * x[1]);
    near(&tape.sweep(sum).wrt_all(&x), &tape::gradient(g, &[1.7, 0.4]).1);
}

#[test]
fn bytes_name_it() {
    let table = Table::new();
    let f = |x: &[Var]| tape::apply(&table, &[x[0]])[0] * tape::apply(&Three, x)[1];
    let program = Program::trace(f, &[0.5, 2.0]).unwrap();
    let bytes = program.to_bytes();
    let error = Program::from_bytes(&bytes).unwrap_err();
    assert!(matches!(&error, Error::UnknownOperation { name } if name == "table"), "{error}");
    let operations = Operations::new().with(&table).with(&Three);
    let read = Program::from_bytes_with(&bytes, &operations).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    for x in [[3.3, 0.9], [7.1, -2.0]] {
        assert_eq!(read.gradient(&x).unwrap(), program.gradient(&x).unwrap());
        assert_eq!(read.hessian(&x).unwrap(), program.hessian(&x).unwrap());
    }
    // Of derivatives that were traced, too.
    let second = Program::trace(|x| tape::hessian(with, x).2.data, &[0.5, 2.0]).unwrap();
    let bytes = second.to_bytes();
    let read = Program::from_bytes_with(&bytes, &operations).unwrap();
    assert_eq!(read.values(&[3.3, 0.9]).unwrap(), second.values(&[3.3, 0.9]).unwrap());
    // An operation of this name that takes another number of inputs.
    let operations = Operations::new().with(&table).with(&Other);
    let error = Program::from_bytes_with(&program.to_bytes(), &operations).unwrap_err();
    assert!(error.to_string().contains("another number of operands"), "{error}");
    // Every byte another: an error or a program, never a panic.
    let operations = Operations::new().with(&table).with(&Three);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let end = damaged.len() - 4;
            let checksum = crc32fast::hash(&damaged[..end]);
            damaged[end..].copy_from_slice(&checksum.to_le_bytes());
            let _ = Program::from_bytes_with(&damaged, &operations);
        }
    }
}

#[test]
fn what_is_computed_twice_is_called_once() {
    let table = Table::new();
    let f = |x: &[Var]| tape::apply(&table, &[x[0]])[0] + tape::apply(&table, &[x[0]])[0].sin();
    let program = Program::trace(f, &[0.5]).unwrap();
    assert_eq!(program.to_string(), "v0 = table(x0)\nv1 = sin(v0)\nv2 = v0 + v1\nreturn v2\n");
    let before = table.calls.load(Ordering::Relaxed);
    program.value(&[0.7]).unwrap();
    assert_eq!(table.calls.load(Ordering::Relaxed), before + 1);
    // Another table of the same name is another operation.
    let other = Arc::new(Table { values: vec![1.0; 20], calls: AtomicUsize::new(0) });
    let g = |x: &[Var]| tape::apply(&table, &[x[0]])[0] - tape::apply(&other, &[x[0]])[0];
    assert_eq!(Program::trace(g, &[0.5]).unwrap().value(&[2.5]).unwrap(), table.at(2.5) - 1.0);
}

#[test]
fn it_is_shown_by_its_name() {
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 4.0]);
    let r = tape::apply(&Three, &[x, y]);
    assert_eq!(
        tape.show(r[0] + r[1]).to_string(),
        "\
node  operation             value  partials                   adjoint
v1    input                     2                                4.25
v2    input                     4                               1.875
v3    three(v1, v2)[0]          8  ∂v1 = 4, ∂v2 = 2                 1
v4    three(v1, v2)[1]        0.5  ∂v1 = 0.25, ∂v2 = -0.125         1
v5    three(v1, v2)[2]  0.9092974  ∂v1 = -0.4161468, ∂v2 = 0        0
v6    v3 + v4                 8.5  ∂v3 = 1, ∂v4 = 1                 1
"
    );
    assert!(tape.dot(r[1]).to_string().contains("v1 -> v4"));
}

#[test]
fn sparse_patterns_are_dense_or_its_own() {
    let f = |x: &[Var]| tape::apply(&Squares, x);
    let program = Program::trace(f, &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(program.jacobian_sparsity().len(), 3);
    let jacobian = program.sparse_jacobian(&[4.0, 5.0, 6.0]).unwrap().1;
    assert_eq!(jacobian.to_dense().data, [8.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 12.0]);
    let sum = Program::trace(|x| tape::sum(&f(x)), &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(sum.hessian_sparsity().unwrap().len(), 3);
    assert_eq!(sum.sparse_hessian(&[4.0, 5.0, 6.0]).unwrap().2.data, [2.0; 3]);
    let dense = Program::trace(|x| tape::apply(&Three, x), &[1.0, 2.0]).unwrap();
    assert_eq!(dense.jacobian_sparsity().len(), 6);
}

#[test]
fn constants_are_not_recorded_and_may_be_among_the_inputs() {
    let tape = Tape::new();
    let r = tape::apply(&Three, &Var::constants([2.0, 4.0]));
    assert!(r.iter().all(|r| r.is_constant()) && tape.is_empty());
    let x = tape.var(2.0);
    let r = tape::apply(&Three, &[x, Var::constant(4.0)]);
    assert_eq!(tape.len(), 4);
    assert_eq!(tape.sweep(r[1]).wrt(x), 0.25);
    let program = Program::trace(|x| tape::apply(&Three, &[x[0], 4.0.into()])[1], &[1.0]).unwrap();
    assert_eq!(program.gradient(&[2.0]).unwrap(), (0.5, vec![0.25]));
}

#[test]
fn one_whose_inputs_are_all_results_of_another_is_right() {
    let f = |x: &[Var]| {
        let squares = tape::apply(&Squares, x);
        let fourth = tape::apply(&Squares, &squares);
        let part = tape::apply(&Squares, &squares[1..]);
        fourth[0] * fourth[2] + part[0]
    };
    let (value, gradient) = tape::gradient(f, &[1.1, 0.9, 1.3]);
    near(&[value], &[(1.1_f64 * 1.3).powi(4) + 0.9_f64.powi(4)]);
    let right = [
        1.3_f64.powi(4) * 4.0 * 1.1_f64.powi(3),
        4.0 * 0.9_f64.powi(3),
        1.1_f64.powi(4) * 4.0 * 1.3_f64.powi(3),
    ];
    near(&gradient, &right);
    assert_eq!(tape::check::assert_gradient(f, &[1.1, 0.9, 1.3]), tape::check::Verdict::Pass);
}

#[test]
#[should_panic(expected = "1 numbers given to the operation \"three\", which takes 2")]
fn the_wrong_number_of_inputs_is_refused() {
    let _ = tape::apply(&Three, &[1.0]);
}

#[test]
fn a_rewound_or_cleared_tape_forgets_it() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let mark = tape.mark();
    for _ in 0..100 {
        let r = tape::apply(&Three, &[x, x]);
        assert_eq!(tape.sweep(r[0]).wrt(x), 4.0);
        tape.rewind(mark);
    }
    assert_eq!(tape.sweep(x * x).wrt(x), 4.0);
    tape.clear();
    let x = tape.var(3.0);
    assert_eq!(tape.sweep(x * x).wrt(x), 6.0);
}

#[test]
fn many_of_them_go_through_pieces_of_a_trace() {
    // More than a piece of a list that is handed on, with dead ones among them.
    let f = |x: &[Var]| {
        let mut y = x[0];
        for i in 0..30_000 {
            let r = tape::apply(&Three, &[y, x[1]]);
            let _dead = tape::apply(&Three, &[r[2], x[1]]);
            y = if i % 3 == 0 { r[2] } else { r[0] * 0.9 };
        }
        y
    };
    let g = |x: &[Var]| {
        let mut y = x[0];
        for i in 0..30_000 {
            let r = three(y, x[1]);
            y = if i % 3 == 0 { r[2] } else { r[0] * 0.9 };
        }
        y
    };
    let program = Program::trace(f, &[1.0, 1.0]).unwrap();
    for x in [[0.9, 1.2], [0.3, 1.1]] {
        let right = tape::gradient(g, &x);
        assert_eq!(program.value(&x).unwrap(), right.0);
        near(&program.gradient(&x).unwrap().1, &right.1);
        near(&tape::gradient(f, &x).1, &right.1);
    }
}

#[test]
fn a_zero_adjoint_asks_for_nothing() {
    let f = |x: &[Var]| tape::select(x[0], x[0], tape::apply(&Loud, &[x[0]])[0]);
    assert_eq!(tape::gradient(f, &[1.0]).1, [1.0]);
    let program = Program::trace(f, &[1.0]).unwrap();
    assert_eq!(program.gradient(&[1.0]).unwrap().1, [1.0]);
    assert!(program.gradient(&[-1.0]).unwrap().1[0].is_nan());
}

/// [`Three`] with a fault.
struct Faulty(Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    NotWritten,
    Reverse,
    Forward,
    Second,
    Pattern,
}

impl Operation for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }
    fn outputs(&self, _: usize) -> usize {
        3
    }
    fn value<T: Real>(&self, x: &[T], y: &mut [T]) {
        let last = y[2];
        Three.value(x, y);
        if self.0 == Fault::NotWritten {
            y[2] = last;
        }
    }
    fn reverse<T: Real>(&self, x: &[T], y: &[T], adjoint: &[T], into: &mut [T]) {
        Three.reverse(x, y, adjoint, into);
        match self.0 {
            Fault::Reverse => into[1] = -into[1],
            // The value of the derivative is right, its own derivative is not.
            Fault::Second => {
                into[0] += adjoint[2] * (T::from_f64(x[0].primal().cos()) - x[0].cos());
            }
            _ => {}
        }
    }
    fn forward<T: Real>(&self, x: &[T], dx: &[T], y: &mut [T], dy: &mut [T]) {
        Three.forward(x, dx, y, dy);
        if self.0 == Fault::Forward {
            dy[1] *= T::from_f64(1.0 + 1e-6);
        }
    }
    fn dependencies(&self, output: usize) -> Option<Vec<usize>> {
        (self.0 == Fault::Pattern && output == 1).then(|| vec![0])
    }
}

#[test]
fn the_check_passes_what_is_right() {
    use tape::check::{Verdict, operation};
    assert_eq!(operation(&Three, &[0.7, 1.3]), Verdict::Pass);
    let table = Table::new();
    assert_eq!(operation(&table, &[4.3]), Verdict::Pass);
    assert!(matches!(operation(&Three, &[0.7, 0.0]), Verdict::Unchecked { .. }));
}

#[test]
fn the_check_sees_every_fault() {
    let message = |fault| {
        let faulty = Arc::new(Faulty(fault));
        let checked = std::panic::catch_unwind(|| tape::check::operation(&faulty, &[0.7, 1.3]));
        *checked.unwrap_err().downcast::<String>().unwrap()
    };
    let expected = [
        (Fault::NotWritten, "value does not write output 2"),
        (Fault::Reverse, "the derivative of output 0 by input 1"),
        (Fault::Forward, "the derivative of output 1 by input 0"),
        (Fault::Second, "the second derivative"),
        (Fault::Pattern, "dependencies leaves out that the derivative of output 1 by input 1"),
    ];
    for (fault, part) in expected {
        let message = message(fault);
        assert!(message.contains("\"faulty\" is wrong") && message.contains(part), "{message}");
    }
}

#[test]
fn one_that_panics_leaves_the_tape_as_it_was() {
    let tape = Tape::new();
    let x = tape.vars([-1.0, 0.5]);
    let panics = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
    assert!(panics(&|| drop(tape::apply(&Panicking, &x[..1]))));
    assert_eq!(tape.len(), 2);
    let y = tape::apply(&Panicking, &x[1..])[0];
    assert!(panics(&|| drop(tape.sweep(y))));
    let z = x[0] * x[1];
    assert_eq!(tape.sweep(z).wrt(x[0]), 0.5);
    // A program that panicked, too.
    let program = Program::trace(|x| tape::apply(&Panicking, x)[0] * x[0], &[2.0]).unwrap();
    assert!(panics(&|| drop(program.gradient(&[-1.0]))));
    assert!(panics(&|| drop(program.gradient(&[0.5]))));
    assert_eq!(program.gradient(&[3.0]).unwrap(), (9.0, vec![6.0]));
}
