//! Random programs of up to hundreds of operations, in every engine: the oracle is forward mode, which keeps no list.

use proptest::prelude::*;
use tape::{Dual, Op, Real};

use crate::engines::{ENGINES, Engine, Function, agree, same_bits};

/// An operation of the table, or one that takes a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Row(Op),
    Sum,
    Dot,
    Norm,
    LogSumExp,
}

impl Operation {
    const OF_SLICES: [Self; 4] = [Self::Sum, Self::Dot, Self::Norm, Self::LogSumExp];

    fn any() -> impl Strategy<Value = Self> {
        let rows = Op::ALL.iter().map(|&op| Self::Row(op));
        proptest::sample::select(rows.chain(Self::OF_SLICES).collect::<Vec<_>>())
    }

    fn apply<T: Real>(self, arguments: &[T]) -> T {
        let half = arguments.len() / 2;
        match self {
            Self::Row(Op::Clamp) => clamp_between(arguments[0], arguments[1], arguments[2]),
            Self::Row(op) => op.apply(arguments),
            Self::Sum => T::sum(arguments),
            Self::Dot => T::dot(&arguments[..half], &arguments[half..2 * half]),
            Self::Norm => T::norm(arguments),
            Self::LogSumExp => T::log_sum_exp(arguments),
        }
    }
}

/// Numeric derivatives come here with bounds that `clamp` does not accept, and so do the other points of lanes.
fn clamp_between<T: Real>(x: T, a: T, b: T) -> T {
    // Of a number and NaN, `min` and `max` take the number.
    let lowest = T::from_f64(f64::MIN);
    x.clamp(a.min(b).max(lowest), a.max(b).max(lowest))
}

/// An operation as it is drawn at random: what its arguments are is decided when the program is laid out.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    operation: Operation,
    arguments: Vec<Argument>,
}

#[derive(Clone, Copy, Debug)]
enum Argument {
    /// A value this many steps back.
    Back(usize),
    Constant(f64),
}

pub(crate) fn drafts(operations: usize) -> impl Strategy<Value = Vec<Draft>> {
    let argument = || {
        prop_oneof![
            8 => (1_usize..60).prop_map(Argument::Back),
            1 => (-3.0..3.0).prop_map(Argument::Constant),
        ]
    };
    let draft = (Operation::any(), prop::collection::vec(argument(), 3..=9));
    let draft = draft.prop_map(|(operation, arguments)| Draft { operation, arguments });
    prop::collection::vec(draft, 1..operations)
}

/// Operations in order, each with the places of its arguments.
#[derive(Debug)]
pub(crate) struct Program {
    inputs: usize,
    steps: Vec<(Operation, Vec<Place>)>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Step(usize),
    Constant(f64),
}

/// The sum of all values, so that each of them counts.
impl Function for Program {
    fn at<T: Real>(&self, x: &[T]) -> T {
        T::sum(&self.values(x))
    }
}

impl Program {
    /// Lays out drafts. An argument outside the range of its operation is folded into it by a sine, so that values
    /// stay within the ranges on which the table is tested.
    pub(crate) fn lay_out(drafts: &[Draft], x: &[f64]) -> Self {
        let mut program = Self { inputs: x.len(), steps: Vec::new() };
        let mut values = x.to_vec();
        for draft in drafts {
            let (count, ranges) = match draft.operation {
                Operation::Row(op) => (op.arity().unwrap(), op.ranges()),
                _ => (draft.arguments.len(), [].as_slice()),
            };
            let range = |i: usize| ranges.get(i).cloned().unwrap_or(-10.0..10.0);
            let places: Vec<Place> = (0..count)
                .map(|i| match draft.arguments[i] {
                    Argument::Back(back) => {
                        Place::Step(values.len() - 1 - (back - 1) % values.len())
                    }
                    Argument::Constant(constant) => Place::Constant(constant),
                })
                .collect();
            let places = places
                .into_iter()
                .enumerate()
                .map(|(i, place)| program.fit(&mut values, place, &range(i)));
            let mut places: Vec<Place> = places.collect();
            if matches!(draft.operation, Operation::Row(Op::Powi | Op::Polygamma)) {
                // An integer has no derivative, and is the same in all lanes.
                places[1] = Place::Constant(places[1].value(&values));
            }
            program.push(&mut values, draft.operation, places);
        }
        program
    }

    fn push(&mut self, values: &mut Vec<f64>, operation: Operation, places: Vec<Place>) -> Place {
        let arguments: Vec<f64> = places.iter().map(|place| place.value(values)).collect();
        values.push(operation.apply(&arguments));
        self.steps.push((operation, places));
        Place::Step(values.len() - 1)
    }

    fn fit(&mut self, values: &mut Vec<f64>, place: Place, range: &std::ops::Range<f64>) -> Place {
        let value = place.value(values);
        let (half, middle) =
            ((range.end - range.start) / 2.0, f64::midpoint(range.end, range.start));
        match place {
            _ if range.contains(&value) => place,
            Place::Constant(_) => Place::Constant(middle + half * value.sin()),
            Place::Step(_) => {
                let row = |name| Operation::Row(Op::from_name(name).unwrap());
                let sine = self.push(values, row("sin"), vec![place]);
                let scaled = vec![sine, Place::Constant(half), Place::Constant(middle)];
                self.push(values, row("mul_add"), scaled)
            }
        }
    }

    pub(crate) fn values<T: Real>(&self, x: &[T]) -> Vec<T> {
        let mut values = x.to_vec();
        for (operation, places) in &self.steps {
            let arguments: Vec<T> = places.iter().map(|place| place.value(&values)).collect();
            values.push(operation.apply(&arguments));
        }
        values
    }

    /// By convention clamp(x, lower, x) has derivative 0, though it is x.
    fn clamps_at_a_bound(&self, x: &[f64]) -> bool {
        let values = self.values(x);
        self.steps.iter().filter(|(operation, _)| *operation == Operation::Row(Op::Clamp)).any(
            |(_, places)| {
                let [x, lower, upper] = [0, 1, 2].map(|i| places[i].value(&values));
                x == lower || x == upper
            },
        )
    }

    /// The sum of |contribution| over all paths from input `i` to the result: rounding errors are relative to it. With a
    /// direction, the same of the second derivative along input `i` and that direction. NaN where an infinite partial
    /// meets a derivative that is 0.
    pub(crate) fn scales(&self, x: &[f64], i: usize, direction: &[f64]) -> (f64, f64) {
        let values = self.values(x);
        let unit = |j| if j == i { 1.0 } else { 0.0 };
        // Of each value: |derivative| along input i, along the direction, and along both.
        let mut sizes: Vec<[f64; 3]> =
            (0..self.inputs).map(|j| [unit(j), direction[j].abs(), 0.0]).collect();
        for (operation, places) in &self.steps {
            let second = |j: usize, k: usize| {
                let arguments = places.iter().enumerate().map(|(position, place)| {
                    let unit = |other| if position == other { 1.0 } else { 0.0 };
                    Dual::new(Dual::new(place.value(&values), unit(j)), Dual::constant(unit(k)))
                });
                operation.apply(&arguments.collect::<Vec<Dual<Dual>>>())
            };
            let mut size = [0.0; 3];
            for (j, place_j) in places.iter().enumerate() {
                let Place::Step(step_j) = *place_j else { continue };
                let first = second(j, j).tangent.value.abs();
                size.iter_mut().zip(sizes[step_j]).for_each(|(size, of_j)| *size += first * of_j);
                if direction.iter().all(|&component| component == 0.0) {
                    continue;
                }
                for (k, place_k) in places.iter().enumerate() {
                    let Place::Step(step_k) = *place_k else { continue };
                    let both = sizes[step_j][0] * sizes[step_k][1];
                    if both != 0.0 {
                        // Terms as large as the first derivative may have cancelled in the second.
                        size[2] += (second(j, k).tangent.tangent.abs() + 1e-3 * first) * both;
                    }
                }
            }
            sizes.push(size);
        }
        sizes.iter().fold((0.0, 0.0), |(first, second), size| (first + size[0], second + size[2]))
    }
}

impl Place {
    fn value<T: Real>(self, values: &[T]) -> T {
        match self {
            Place::Step(step) => values[step],
            Place::Constant(constant) => T::from_f64(constant),
        }
    }
}

fn points() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-3.0..3.0, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn gradients_are_those_of_dual_numbers(drafts in drafts(300), x in points()) {
        let program = Program::lay_out(&drafts, &x);
        let plain: f64 = program.at(&x);
        let scales: Vec<f64> =
            (0..x.len()).map(|i| program.scales(&x, i, &vec![0.0; x.len()]).0).collect();
        for Engine { name, compute, tolerance, oracle, repeats_oracle } in ENGINES {
            if !repeats_oracle {
                continue;
            }
            let (value, gradient) = compute(&program, &x);
            let (oracle_value, expected) = oracle(&program, &x);
            // An operation that is not exact may send a program another way.
            let plain = if tolerance == 0.0 { plain } else { oracle_value };
            prop_assert!(same_bits(value, plain), "{}: value {:e}, not {:e}", name, value, plain);
            for i in 0..x.len() {
                prop_assert!(
                    !scales[i].is_finite() || agree(gradient[i], expected[i], scales[i], 1e-12),
                    "{}: {:?}, not {:?} (scale {:e})\n{:?}",
                    name, gradient, expected, scales[i], program
                );
            }
        }
    }

    #[test]
    fn hessian_vector_products_are_those_of_nested_dual_numbers(
        drafts in drafts(100),
        point in prop::collection::vec((-3.0..3.0, -1.0..1.0), 1..12),
    ) {
        let (x, v): (Vec<f64>, Vec<f64>) = point.into_iter().unzip();
        let program = Program::lay_out(&drafts, &x);
        let (_, _, product) = tape::hessian_vector(|x| program.at(x), &x, &v);
        let (_, _, hessian) = tape::hessian(|x| program.at(x), &x);
        // Of more than three inputs, eight columns at once.
        let replayed = tape::Program::trace(|x| program.at(x), &x).unwrap().hessian(&x);
        let replayed = replayed.unwrap().2;
        for (i, product) in product.into_iter().enumerate() {
            let seeded = |j| Dual::new(Dual::new(x[j], v[j]), Dual::constant(if i == j { 1.0 } else { 0.0 }));
            let expected = program.at(&(0..x.len()).map(seeded).collect::<Vec<_>>()).tangent.tangent;
            let scale = program.scales(&x, i, &v).1;
            let by_row = |hessian: &tape::Matrix<f64>| {
                hessian.row(i).iter().zip(&v).map(|(entry, v)| entry * v).sum::<f64>()
            };
            for actual in [product, by_row(&hessian), by_row(&replayed)] {
                prop_assert!(
                    !scale.is_finite() || agree(actual, expected, scale, 1e-11),
                    "component {}: {:e}, not {:e} (scale {:e})\n{:?}", i, actual, expected, scale, program
                );
            }
        }
    }

    /// The oracle's own oracle, which knows no formula of ours.
    #[test]
    fn gradients_do_not_contradict_numeric_derivatives(drafts in drafts(20), x in points()) {
        let program = Program::lay_out(&drafts, &x);
        let is_finite = |i| program.scales(&x, i, &vec![0.0; x.len()]).0.is_finite();
        prop_assume!((0..x.len()).all(is_finite) && !program.clamps_at_a_bound(&x));
        let report = tape::check::report(|x| program.at(x), &x);
        prop_assert!(!matches!(report.verdict(), tape::check::Verdict::Mismatch { .. }), "{}\n{:?}", report, program);
    }
}

/// The properties above are not empty: most programs have derivatives that are finite and not 0.
#[test]
fn random_programs_have_derivatives() {
    let telling = std::cell::Cell::new(0);
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let result = proptest::test_runner::TestRunner::new(config).run(
        &(drafts(300), points()),
        |(drafts, x)| {
            let program = Program::lay_out(&drafts, &x);
            let (scale, second) = program.scales(&x, 0, &vec![1.0; x.len()]);
            if scale > 0.0 && scale < 1e100 && second < 1e200 {
                telling.set(telling.get() + 1);
            }
            Ok(())
        },
    );
    assert!(result.is_ok());
    assert!(telling.get() > 100, "{} of 200", telling.get());
}
