//! What a tape does: record, sweep, forget, sum, and show itself.

use tape::{Dual, Real, Tape, Var};

/// The derivatives of `y` with respect to `x`.
#[track_caller]
fn check(tape: &Tape, y: Var, x: &[Var], expected: &[f64]) {
    let adjoints = tape.sweep(y);
    let derivatives: Vec<f64> = x.iter().map(|&x| adjoints.wrt(x)).collect();
    assert_eq!(derivatives, expected);
}

#[test]
fn a_sweep_gives_the_derivatives() {
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 3.0]);
    check(&tape, x * y + x.sin(), &[x, y], &[3.0 + 2.0_f64.cos(), 2.0]);
}

#[test]
fn a_sweep_can_be_repeated() {
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 3.0]);
    let z = x * y;
    check(&tape, z, &[x, y], &[3.0, 2.0]);
    check(&tape, z, &[x, y], &[3.0, 2.0]);
}

#[test]
fn recording_goes_on_after_a_sweep() {
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 3.0]);
    let z = x * y;
    check(&tape, z, &[x, y], &[3.0, 2.0]);
    check(&tape, z * z, &[x, y], &[36.0, 24.0]);
    check(&tape, z, &[x, y], &[3.0, 2.0]);
}

#[test]
fn what_was_recorded_after_the_output_does_not_count() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * x;
    let after = y * 5.0;
    check(&tape, y, &[x, after], &[4.0, 0.0]);
}

#[test]
fn what_was_recorded_after_the_sweep_has_adjoint_0() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let adjoints = tape.sweep(x * x);
    let late = x + 1.0;
    assert_eq!(adjoints.wrt(late), 0.0);
}

#[test]
fn intermediates_have_adjoints() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let y = x * x;
    let z = 5.0 * y;
    let adjoints = tape.sweep(z);
    assert_eq!((adjoints[z], adjoints[y], adjoints[x]), (1.0, 5.0, 30.0));
}

#[test]
fn constants_have_adjoint_0() {
    let tape = Tape::new();
    let (x, c) = (tape.var(3.0), Var::constant(4.0));
    check(&tape, x * c, &[c, x], &[0.0, 4.0]);
}

#[test]
fn a_constant_output_has_no_derivatives() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    check(&tape, Var::constant(4.0), &[x], &[0.0]);
}

#[test]
fn adjoints_outlive_the_tape() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let adjoints = tape.sweep(x * x);
    drop(tape);
    assert_eq!(adjoints.wrt(x), 6.0);
}

#[test]
fn seeds_weigh_several_outputs() {
    let tape = Tape::new();
    let [x, y] = tape.vars([2.0, 3.0]);
    let (product, sum) = (x * y, x + y);
    let adjoints = tape.sweep_seeded(&[(sum, 0.5), (product, 2.0), (x, 10.0)]);
    assert_eq!((adjoints[x], adjoints[y]), (16.5, 4.5));
}

#[test]
fn seeds_of_the_same_output_add_up() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * x;
    assert_eq!(tape.sweep_seeded(&[(y, 1.0), (y, 2.0)]).wrt(x), 12.0);
}

#[test]
fn a_seed_on_an_argument_of_another_output_adds_to_its_adjoint() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * x;
    let z = y * y;
    let adjoints = tape.sweep_seeded(&[(z, 1.0), (y, 1.0)]);
    assert_eq!((adjoints[y], adjoints[x]), (9.0, 36.0));
}

#[test]
fn no_seeds_give_zeros() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    assert_eq!(tape.sweep_seeded(&[]).wrt(x), 0.0);
}

#[test]
fn len_counts_nodes() {
    let tape = Tape::new();
    assert!(tape.is_empty());
    let [x, y] = tape.vars([1.0, 2.0]);
    assert_eq!(tape.len(), 2);
    let z = x * y + 1.0;
    assert_eq!(tape.len(), 4);
    let five = [x, y, z, x, y];
    let _ = tape::sum(&five);
    assert_eq!(tape.len(), 7);
    let _ = Var::constant(1.0) + Var::constant(2.0);
    assert_eq!(tape.len(), 7);
}

#[test]
fn clear_forgets_all() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let _ = x * x;
    tape.clear();
    assert_eq!(tape.len(), 0);
    let x = tape.var(5.0);
    check(&tape, x * x, &[x], &[10.0]);
}

#[test]
fn rewind_forgets_what_follows_the_mark() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * x;
    let mark = tape.mark();
    for factor in [1.0, 2.0, 3.0] {
        let z = y * factor;
        check(&tape, z, &[x, y], &[4.0 * factor, factor]);
        tape.rewind(mark);
        assert_eq!(tape.len(), 2);
    }
}

#[test]
fn marks_nest() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let outer = tape.mark();
    let y = x * x;
    let inner = tape.mark();
    let _ = y * y;
    tape.rewind(inner);
    check(&tape, y * 3.0, &[x], &[12.0]);
    tape.rewind(outer);
    check(&tape, x * 3.0, &[x], &[3.0]);
    tape.rewind(outer);
    assert_eq!(tape.len(), 1);
}

#[test]
fn a_list_grows_past_its_first_room() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let mut y = x;
    for _ in 0..5000 {
        y += x;
    }
    check(&tape, y, &[x], &[5001.0]);
}

mod custom {
    use super::*;

    #[test]
    fn takes_the_given_partials() {
        for count in 0..6 {
            let tape = Tape::new();
            let x = tape.vars_from(&vec![1.0; count]);
            let partials: Vec<f64> = (1..=count).map(|i| i as f64).collect();
            let y = tape.custom(&x, 7.0, &partials) * 2.0;
            assert_eq!(y.value(), 14.0);
            let expected: Vec<f64> = partials.iter().map(|partial| 2.0 * partial).collect();
            check(&tape, y, &x, &expected);
        }
    }

    #[test]
    fn adds_up_over_a_repeated_argument() {
        let tape = Tape::new();
        let x = tape.var(1.0);
        check(&tape, tape.custom(&[x, x, x], 0.0, &[1.0, 2.0, 4.0]), &[x], &[7.0]);
    }

    #[test]
    fn takes_constants() {
        let tape = Tape::new();
        let x = tape.var(1.0);
        let c = Var::constant(2.0);
        check(&tape, tape.custom(&[c, x, c], 0.0, &[1.0, 2.0, 4.0]), &[x, c], &[2.0, 0.0]);
    }

    #[test]
    fn is_differentiated_again_through_its_partials_on_a_nested_tape() {
        // x² as a custom operation, whose partial 2x is itself a variable of the outer tape.
        let outer = Tape::new();
        let x = outer.var(3.0);
        let inner = Tape::<Var>::new();
        let y = inner.var(x);
        let derivative = inner.sweep(inner.custom(&[y], x * x, &[2.0 * x])).wrt(y);
        check(&outer, derivative, &[x], &[2.0]);
    }
}

mod sum_over {
    use super::*;

    const DATA: [f64; 4] = [0.5, -1.0, 2.0, 3.5];

    fn residual(a: Var, b: Var, t: f64) -> Var {
        (a * t + b.sin() * t.cos() - 1.0).powi(2)
    }

    /// Summed by `sum_over` and by plain `+`, after this many other nodes.
    #[track_caller]
    fn check_after(nodes: usize) {
        let tape = Tape::new();
        let mut before = tape.var(0.1);
        for _ in 0..nodes {
            before = before * 0.5 + 0.1;
        }
        let [a, b] = tape.vars([2.0, 3.0]);
        let c = a * b * before;
        let len = tape.len();
        let swept = tape.sum_over(DATA, |t| residual(a, c, t));
        assert!(tape.len() <= len + 3, "{} nodes remain", tape.len() - len);
        let plain: Var = DATA.iter().map(|&t| residual(a, c, t)).sum();
        assert_eq!(swept.value().to_bits(), plain.value().to_bits());
        let (of_swept, of_plain) = (tape.sweep(2.0 * swept), tape.sweep(2.0 * plain));
        for x in [a, b, c, before] {
            let (actual, expected) = (of_swept[x], of_plain[x]);
            assert!(
                (actual - expected).abs() <= 1e-14 * expected.abs(),
                "{actual}, not {expected}"
            );
            assert!(expected != 0.0);
        }
    }

    #[test]
    fn is_the_plain_sum() {
        check_after(0);
    }

    #[test]
    fn is_the_plain_sum_after_a_long_list() {
        check_after(10_000);
    }

    #[test]
    fn can_be_repeated() {
        let tape = Tape::new();
        let x = tape.var(2.0);
        for _ in 0..3 {
            let y = tape.sum_over(1..=3, |i| x * f64::from(i));
            check(&tape, y, &[x], &[6.0]);
        }
    }

    #[test]
    fn nests() {
        for nodes in [0, 10_000] {
            let tape = Tape::new();
            let x = tape.var(2.0);
            let mut filler = x;
            (0..nodes).for_each(|_| filler += 1.0);
            // Σᵢ Σⱼ (x·i + j)·x over i, j in 1..=3: value 3·6·x² + 3·6·x, derivative 36x + 18.
            let y = tape.sum_over(1..=3, |i| {
                let scaled = x * f64::from(i);
                x * tape.sum_over(1..=3, |j| scaled + f64::from(j))
            });
            assert_eq!(y.value(), 108.0);
            check(&tape, y, &[x], &[90.0]);
        }
    }

    #[test]
    fn of_nothing_is_the_constant_0() {
        let tape = Tape::<f64>::new();
        let y = tape.sum_over([0.0; 0], |_| unreachable!());
        assert!(y.is_constant());
        assert_eq!(y.value(), 0.0);
    }

    #[test]
    fn of_constants_is_a_constant() {
        let tape = Tape::new();
        tape.var(1.0);
        let y = tape.sum_over(DATA, Var::constant);
        assert!(y.is_constant());
        assert_eq!(y.value(), 5.0);
    }

    #[test]
    fn counts_terms_that_depend_on_nothing() {
        let tape = Tape::new();
        let x = tape.var(2.0);
        let y = tape.sum_over(0..4, |i| if i % 2 == 0 { x } else { Var::constant(1.0) });
        assert_eq!(y.value(), 6.0);
        check(&tape, y, &[x], &[2.0]);
    }

    #[test]
    fn counts_terms_that_are_earlier_variables() {
        for nodes in [0, 10_000] {
            let tape = Tape::new();
            let [x, y] = tape.vars([2.0, 3.0]);
            let z = x * y;
            let mut filler = x;
            (0..nodes).for_each(|_| filler += 1.0);
            let sum = tape.sum_over([x, z, z], |term| term);
            assert_eq!(sum.value(), 14.0);
            check(&tape, sum, &[x, y, z], &[7.0, 4.0, 2.0]);
        }
    }

    #[test]
    fn works_for_terms_that_call_gradient() {
        let tape = Tape::new();
        let x = tape.var(2.0);
        let slope = |t: f64| tape::gradient(|y: &[Var<Var>]| y[0] * y[0] * y[0] * t, &[x]).1[0];
        // Σ 3·t·x²: derivative 6·x·Σt.
        check(&tape, tape.sum_over(DATA, slope), &[x], &[60.0]);
    }

    #[test]
    fn nests_in_variables_of_variables() {
        let outer = Tape::new();
        let x = outer.var(3.0);
        let inner = Tape::<Var>::new();
        let y = inner.var(x);
        let sum = inner.sum_over(1..=2, |i| y * y * y * f64::from(i));
        // 3·3y² at y = x, whose derivative is 18x.
        let derivative = inner.sweep(sum).wrt(y);
        assert_eq!(derivative.value(), 81.0);
        check(&outer, derivative, &[x], &[54.0]);
    }
}

#[allow(clippy::op_ref, reason = "the forms by reference are what is tested")]
mod operators {
    use super::*;

    /// The same by reference, and with a number instead of the constant variable.
    #[test]
    fn have_all_shapes() {
        let tape = Tape::new();
        let [x, y] = tape.vars([7.0, 2.0]);
        let (value, dx, dy) = (|z: Var| z.value(), |z| tape.sweep(z)[x], |z| tape.sweep(z)[y]);
        let all = |z: Var| (value(z), dx(z), dy(z));
        for z in [x + y, &x + y, x + &y, &x + &y] {
            assert_eq!(all(z), (9.0, 1.0, 1.0));
        }
        for z in [x - y, &x - y, x - &y, &x - &y] {
            assert_eq!(all(z), (5.0, 1.0, -1.0));
        }
        for z in [x * y, &x * y, x * &y, &x * &y] {
            assert_eq!(all(z), (14.0, 2.0, 7.0));
        }
        for z in [x / y, &x / y, x / &y, &x / &y] {
            assert_eq!(all(z), (3.5, 0.5, -1.75));
        }
        for z in [x % y, &x % y, x % &y, &x % &y] {
            assert_eq!(all(z), (1.0, 1.0, -3.0));
        }
        for z in [-x, -&x] {
            assert_eq!(all(z), (-7.0, -1.0, 0.0));
        }
    }

    #[test]
    fn take_numbers_on_either_side() {
        let tape = Tape::new();
        let x = tape.var(7.0);
        let both = |z: Var| (z.value(), tape.sweep(z)[x]);
        for z in [x + 2.0, &x + 2.0, x + &2.0, &x + &2.0, 2.0 + x, 2.0 + &x, &2.0 + x, &2.0 + &x] {
            assert_eq!(both(z), (9.0, 1.0));
        }
        for z in [x * 2.0, &x * 2.0, x * &2.0, &x * &2.0, 2.0 * x, 2.0 * &x, &2.0 * x, &2.0 * &x] {
            assert_eq!(both(z), (14.0, 2.0));
        }
        assert_eq!([x - 2.0, &x - &2.0].map(both), [(5.0, 1.0); 2]);
        assert_eq!([2.0 - x, &2.0 - &x].map(both), [(-5.0, -1.0); 2]);
        assert_eq!([x / 2.0, &x / &2.0].map(both), [(3.5, 0.5); 2]);
        assert_eq!([49.0 / x, &49.0 / &x].map(both), [(7.0, -1.0); 2]);
        assert_eq!([x % 2.0, &x % &2.0].map(both), [(1.0, 1.0); 2]);
        assert_eq!([15.0 % x, &15.0 % &x].map(both), [(1.0, -2.0); 2]);
    }

    #[test]
    fn treat_a_constant_variable_as_its_number() {
        let tape = Tape::new();
        let (x, c) = (tape.var(7.0), Var::constant(2.0));
        let both = |z: Var| (z.value(), tape.sweep(z)[x]);
        assert_eq!(both(c - x), both(2.0 - x));
        assert_eq!(both(x - c), both(x - 2.0));
        assert_eq!(both(c / x), both(2.0 / x));
        assert_eq!(both(x.powf(c)), (49.0, 14.0));
        assert_eq!(both(c.powf(x)), (128.0, 128.0 * 2.0_f64.ln()));
    }

    #[test]
    fn assign() {
        let tape = Tape::new();
        let [x, y] = tape.vars([7.0, 2.0]);
        let mut z = x;
        z += y;
        z -= &y;
        z *= y;
        z /= 2.0;
        z += &1.0;
        z %= 5.0;
        assert_eq!(z.value(), 3.0);
        check(&tape, z, &[x, y], &[1.0, 3.5]);
    }

    #[test]
    fn sum_and_multiply_iterators() {
        let tape = Tape::new();
        let x = tape.vars_from(&[2.0, 3.0, 4.0]);
        check(&tape, x.iter().sum(), &x, &[1.0; 3]);
        check(&tape, x.iter().copied().sum(), &x, &[1.0; 3]);
        check(&tape, x.iter().product(), &x, &[12.0, 8.0, 6.0]);
        check(&tape, x.iter().copied().product(), &x, &[12.0, 8.0, 6.0]);
        assert_eq!([0.0; 0].map(Var::<f64>::constant).iter().sum::<Var>(), 0.0);
        assert_eq!([0.0; 0].map(Var::<f64>::constant).iter().product::<Var>(), 1.0);
    }

    #[test]
    fn compare_by_value() {
        let tape = Tape::new();
        let [x, y, z] = tape.vars([1.0, 2.0, 1.0]);
        assert_eq!((x == z, x == y, x < y, x > y, x <= z), (true, false, true, false, true));
        assert_eq!(
            (x == 1.0, x == 2.0, x < 1.5, 1.5 < x, 1.0 == x),
            (true, false, true, false, true)
        );
        assert_eq!(x.partial_cmp(&Var::constant(f64::NAN)), None);
    }

    #[test]
    fn serve_f32_and_nested_numbers() {
        let tape = Tape::<f32>::new();
        let x = tape.var(3.0);
        assert_eq!(tape.sweep(x * 2.0 * x + 1.0).wrt(x), 12.0);
        let tape = Tape::<Dual>::new();
        let x = tape.var(Dual::new(3.0, 1.0));
        let derivative = tape.sweep(2.0 * x * x + 1.0).wrt(x);
        assert_eq!((derivative.value, derivative.tangent), (12.0, 4.0));
    }
}

mod slices {
    use super::*;

    #[test]
    fn may_be_empty() {
        let none: [Var; 0] = [];
        assert_eq!(tape::sum(&none), 0.0);
        assert_eq!(tape::dot(&none, &none), 0.0);
        assert_eq!(tape::norm(&none), 0.0);
        assert_eq!(tape::log_sum_exp(&none), f64::NEG_INFINITY);
    }

    #[test]
    fn have_the_values_of_plain_numbers() {
        let tape = Tape::new();
        let x = tape.vars_from(&[3.0, 4.0]);
        assert_eq!(tape::sum(&x), 7.0);
        assert_eq!(tape::dot(&x, &x), 25.0);
        assert_eq!(tape::norm(&x), 5.0);
        assert_eq!(tape::log_sum_exp(&[x[0], x[0]]), 3.0 + 2.0_f64.ln());
    }

    #[test]
    fn of_constants_are_not_recorded() {
        let c = [1.0, 2.0].map(Var::<f64>::constant);
        for y in [tape::sum(&c), tape::dot(&c, &c), tape::norm(&c), tape::log_sum_exp(&c)] {
            assert!(y.is_constant());
        }
    }

    /// Of every length, so that spare slots are met; beside constants, so that they are told apart.
    #[test]
    fn of_every_length_have_the_partials_of_dual_numbers() {
        fn all<T: Real>(x: &[T]) -> [T; 4] {
            let mixed: Vec<T> = x.iter().copied().chain([T::from_f64(0.3)]).collect();
            [T::sum(&mixed), T::dot(&mixed, &mixed), T::norm(&mixed), T::log_sum_exp(&mixed)]
        }
        for length in 1..10 {
            let x: Vec<f64> = (0..length).map(|i| 0.5 + f64::from(i) * 0.25).collect();
            let (values, jacobian) = tape::jacobian(|x| all(x).to_vec(), &x);
            assert_eq!(values, all(&x));
            for j in 0..x.len() {
                let unit = |i| if i == j { 1.0 } else { 0.0 };
                let seeded = x.iter().enumerate().map(|(i, &x)| Dual::new(x, unit(i)));
                let column = all(&seeded.collect::<Vec<_>>());
                for (i, expected) in column.iter().enumerate() {
                    assert!((jacobian[(i, j)] - expected.tangent).abs() < 1e-14);
                }
            }
        }
    }
}

mod one_shot {
    use super::*;

    #[test]
    fn gradients_of_no_inputs_are_empty() {
        assert_eq!(tape::gradient(|_: &[Var]| Var::constant(2.0), &[]), (2.0, vec![]));
    }

    #[test]
    fn gradients_of_constants_are_0() {
        assert_eq!(tape::gradient(|_| Var::constant(2.0), &[1.0, 2.0]), (2.0, vec![0.0; 2]));
    }

    #[test]
    fn gradients_of_an_input_are_a_unit_vector() {
        assert_eq!(tape::gradient(|x| x[1], &[1.0, 2.0]), (2.0, vec![0.0, 1.0]));
    }

    #[test]
    fn gradients_do_not_remember_the_last_one() {
        for _ in 0..3 {
            assert_eq!(tape::gradient(|x| x[0] * x[1] * x[2], &[1.0, 2.0, 3.0]).1, [6.0, 3.0, 2.0]);
            assert_eq!(tape::gradient(|x| x[0] * 2.0, &[5.0]).1, [2.0]);
            assert_eq!(tape::gradient(|x| x[0], &[5.0, 1.0]).1, [1.0, 0.0]);
        }
    }

    #[test]
    fn gradients_of_the_same_type_nest() {
        let f = |x: &[Var]| {
            let (_, inner) = tape::gradient(|y: &[Var]| y[0] * y[0], &[x[0].value()]);
            x[0] * inner[0]
        };
        // The inner gradient is a plain number: 6.
        assert_eq!(tape::gradient(f, &[3.0]).1, [6.0]);
    }

    #[test]
    fn gradients_take_f32() {
        assert_eq!(tape::gradient(|x: &[Var<f32>]| x[0] * x[0], &[3.0_f32]), (9.0, vec![6.0]));
    }

    #[test]
    fn jacobians_have_a_row_per_output_and_a_column_per_input() {
        let f = |x: &[Var]| vec![x[0] * x[1], x[2], Var::constant(5.0), x[0] + x[2]];
        let (values, jacobian) = tape::jacobian(f, &[2.0, 3.0, 4.0]);
        assert_eq!(values, [6.0, 4.0, 5.0, 6.0]);
        assert_eq!((jacobian.rows, jacobian.columns), (4, 3));
        assert_eq!(jacobian.row(0), [3.0, 2.0, 0.0]);
        assert_eq!(jacobian.row(1), [0.0, 0.0, 1.0]);
        assert_eq!(jacobian.row(2), [0.0; 3]);
        assert_eq!(jacobian.row(3), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn jacobians_may_be_empty() {
        let (values, jacobian) = tape::jacobian(|_: &[Var]| vec![], &[1.0, 2.0]);
        assert_eq!((values.len(), jacobian.rows, jacobian.columns), (0, 0, 2));
        let (values, jacobian) = tape::jacobian(|_: &[Var]| vec![Var::constant(1.0)], &[]);
        assert_eq!((values.len(), jacobian.rows, jacobian.columns), (1, 1, 0));
    }
}

mod show {
    use super::*;

    #[track_caller]
    fn check(shown: &impl ToString, expected: &str) {
        let shown = shown.to_string();
        assert!(shown == expected, "shown:\n{shown}\nexpected:\n{expected}");
    }

    #[test]
    fn prints_a_table() {
        let tape = Tape::new();
        let [x, y] = tape.vars([2.0, 3.0]);
        check(
            &tape.show(x * y + x.sin()),
            "\
node  operation      value  partials           adjoint
v1    input              2                    2.583853
v2    input              3                           2
v3    v1 * v2            6  ∂v1 = 3, ∂v2 = 2         1
v4    sin(v1)    0.9092974  ∂v1 = -0.4161468         1
v5    v3 + v4     6.909297  ∂v3 = 1, ∂v4 = 1         1
",
        );
    }

    /// The line of an operation, without what follows its name and arguments.
    #[track_caller]
    fn check_operation(record: impl Fn(Var, Var) -> Var, expected: &str) {
        let tape = Tape::new();
        let [x, y] = tape.vars([2.0, 3.0]);
        let shown = tape.show(record(x, y)).to_string();
        let line = shown.lines().last().unwrap();
        let operation = line.split_once(' ').unwrap().1.trim_start();
        assert!(operation.starts_with(&format!("{expected}  ")), "{shown}");
    }

    #[test]
    fn prints_every_shape_of_operation() {
        check_operation(|x, _| -x, "-v1");
        check_operation(|x, y| x % y, "v1 % v2");
        check_operation(|x, _| 1.0 - x, "1 - v1");
        check_operation(|x, _| x - 1.0, "v1 - 1");
        check_operation(|x, _| x.powi(-3), "powi(v1, -3)");
        check_operation(|x, y| x.powf(y), "powf(v1, v2)");
        check_operation(|x, _| x.powf(Var::constant(0.5)), "powf(v1, 0.5)");
        check_operation(|x, y| x.mul_add(y, Var::constant(1.0)), "mul_add(v1, v2, 1)");
        check_operation(|x, y| tape::select(y, x, y), "select(v2, v1, v2)");
        check_operation(|x, y| tape::sum(&[x, y, x, y]), "sum(v1, v2, v1, v2)");
        check_operation(
            |x, y| tape::sum(&[x, y, x, y, x, y, x, y]),
            "sum(v1, v2, v1, v2, v1, v2, … 2 more)",
        );
        check_operation(|x, y| tape::dot(&[x, y], &[y, Var::constant(4.0)]), "dot(v1, v2, v2, 4)");
        check_operation(|x, y| tape::norm(&[x, y]), "norm(v1, v2)");
    }

    #[test]
    fn prints_the_value_of_what_cannot_be_computed_again() {
        let tape = Tape::new();
        let [x, y] = tape.vars([2.0, 3.0]);
        let z = tape.custom(&[x, y], 5.5, &[1e-9, 1e15]) + tape.sum_over([1.0, 2.0], |t| x * t);
        let shown = tape.show(z).to_string();
        for expected in ["5.5  ∂v1 = 1e-9, ∂v2 = 1e15", "sum_over(v1)", "6  ∂v1 = 3", "11.5  "]
        {
            assert!(shown.contains(expected), "{expected}:\n{shown}");
        }
    }

    #[test]
    fn prints_a_long_list_in_part() {
        let tape = Tape::new();
        let mut x = tape.var(1.0);
        (0..1000).for_each(|_| x += 1.0);
        check(
            &tape.show(x).limit(4),
            "\
node   operation  value  partials    adjoint
v1     input          1                    1
v2     v1 + 1         2  ∂v1 = 1           1
…     997 nodes more
v1000  v999 + 1    1000  ∂v999 = 1         1
v1001  v1000 + 1   1001  ∂v1000 = 1        1
",
        );
    }

    #[test]
    fn prints_a_graph_of_what_the_output_depends_on() {
        let tape = Tape::new();
        let [x, y] = tape.vars([2.0, 3.0]);
        let _unused = y.exp();
        check(
            &tape.dot(x * x + 1.0),
            r#"digraph list {
    rankdir = BT;
    node [shape = box, fontname = "monospace"];
    v1 [label = "v1 = input\nvalue 2\nadjoint 4", style = rounded];
    v4 [label = "v4 = v1 * v1\nvalue 4\nadjoint 1"];
    v1 -> v4 [label = "2"];
    v1 -> v4 [label = "2"];
    v5 [label = "v5 = v4 + 1\nvalue 5\nadjoint 1"];
    v4 -> v5 [label = "1"];
}
"#,
        );
    }

    #[test]
    fn prints_a_constant_as_an_empty_list() {
        let tape = Tape::new();
        tape.var(2.0);
        check(&tape.show(Var::constant(1.0)), "node  operation  value  partials  adjoint\n");
        check(
            &tape.dot(Var::constant(1.0)),
            "digraph list {\n    rankdir = BT;\n    node [shape = box, fontname = \"monospace\"];\n}\n",
        );
    }

    #[test]
    fn prints_a_variable_as_its_value() {
        let tape = Tape::new();
        let x = tape.var(2.5);
        assert_eq!(format!("{x} {x:?} {:?}", Var::constant(1.0)), "2.5 2.5 (v1) 1.0 (constant)");
    }
}

mod types {
    use tape::Tape;

    /// Nothing says `f64` here: the numbers in front of the operators must.
    #[test]
    fn are_found_without_a_word() {
        let tape = Tape::new();
        let x = tape.var(2.0);
        let [a, b] = tape.vars([1.0, 2.0]);
        let y = (x * a).sin() + 3.0 * b / x - 1.0 / x * 2.0;
        assert_eq!(y.value(), 2.0_f64.sin() + 3.0 - 1.0);
        assert_eq!(tape.sweep(y).wrt(b), 1.5);
    }
}

mod without_the_tape {
    use proptest::prelude::*;
    use tape::{Tape, Var};

    /// A function that is handed variables only: Σ (x₀·t − x₁)², the terms swept one by one or recorded in full.
    fn squares(x: &[Var], points: &[f64], swept: bool) -> Var {
        let term = |&t: &f64| (x[0] * t - x[1]).powi(2);
        if swept { tape::sum_over(points, term) } else { points.iter().map(term).sum() }
    }

    proptest! {
        #[test]
        fn sum_over_is_the_sum(points in prop::collection::vec(-3.0..3.0, 0..20), x in [-2.0..2.0, -2.0..2.0]) {
            let (value, gradient) = tape::gradient(|x| squares(x, &points, true), &x);
            let (expected, by_sum) = tape::gradient(|x| squares(x, &points, false), &x);
            prop_assert_eq!(value, expected);
            for (swept, summed) in gradient.iter().zip(&by_sum) {
                prop_assert!((swept - summed).abs() <= 1e-12 * (1.0 + summed.abs()));
            }
        }
    }

    #[test]
    fn sum_over_has_a_hessian() {
        let points = [1.0, 2.0, 3.0];
        let (_, _, hessian) = tape::hessian(|x| squares(x, &points, true), &[0.5, 1.0]);
        assert_eq!(hessian.data, [28.0, -12.0, -12.0, 6.0]);
    }

    #[test]
    fn sum_over_of_constants_is_a_constant() {
        let sum = tape::sum_over([1.0, 2.0], Var::constant);
        assert!(sum.is_constant() && sum.value() == 3.0);
        let x = Tape::new().var(1.0);
        let none: [f64; 0] = [];
        assert_eq!(tape::sum_over(none, |_| x).value(), 0.0);
    }

    #[test]
    fn sum_over_begins_with_constants_where_it_does() {
        let tape = Tape::new();
        let x = tape.var(2.0);
        let sum =
            tape::sum_over(0..5, |i| if i < 2 { Var::constant(1.0) } else { x * f64::from(i) });
        assert_eq!((sum.value(), tape.sweep(sum).wrt(x)), (20.0, 9.0));
    }

    #[test]
    fn custom_finds_its_tape() {
        let f =
            |x: &[Var]| tape::custom(x, x[0].value() * x[1].value(), &[x[1].value(), x[0].value()]);
        assert_eq!(tape::gradient(f, &[2.0, 3.0]), (6.0, vec![3.0, 2.0]));
        assert!(tape::custom(&[Var::constant(1.0)], 2.0, &[3.0]).is_constant());
    }

    #[test]
    #[should_panic(expected = "second derivatives of the operation v4 = custom(…) are not known")]
    fn custom_has_no_hessian() {
        tape::hessian(|x| tape::custom(x, 6.0, &[3.0, 2.0]), &[2.0, 3.0]);
    }
}

mod long_slices {
    use tape::{Tape, Var};

    #[test]
    fn of_variables_and_constants_mix() {
        let tape = Tape::new();
        let [x, y] = tape.vars([2.0, 3.0]);
        let c = Var::constant(5.0);
        let dot = tape::dot(&[x, c, y], &[y, x, c]);
        assert_eq!(dot.value(), 6.0 + 10.0 + 15.0);
        let adjoints = tape.sweep(dot);
        assert_eq!((adjoints.wrt(x), adjoints.wrt(y)), (8.0, 7.0));
        let sum = tape::sum(&[c, x, x]);
        assert_eq!((sum.value(), tape.sweep(sum).wrt(x)), (9.0, 2.0));
    }

    #[test]
    fn with_an_indeterminate_product_have_no_derivative() {
        let tape = Tape::new();
        let [x, y] = tape.vars([0.0, f64::INFINITY]);
        let adjoints = tape.sweep(tape::dot(&[x, x], &[y, x]));
        assert!(adjoints.wrt(x).is_nan() && adjoints.wrt(y).is_nan());
    }

    /// The list grows in the midst of one operation.
    #[test]
    fn longer_than_the_list_are_recorded() {
        let tape = Tape::new();
        let x = tape.vars_from(&vec![1.5; 5001]);
        let (dot, sum) = (tape::dot(&x, &x), tape::sum(&x));
        assert_eq!((dot.value(), sum.value()), (5001.0 * 2.25, 5001.0 * 1.5));
        let adjoints = tape.sweep_seeded(&[(dot, 1.0), (sum, 1.0)]);
        assert!(x.iter().all(|&x| adjoints.wrt(x) == 4.0));
    }
}

mod weighted_sums {
    use proptest::prelude::*;
    use tape::{Dual, Real, Tape, Var};

    fn f<T: Real>(weights: &[f64], x: &[T]) -> T {
        tape::weighted_sum(weights, x).sin()
    }

    proptest! {
        #[test]
        fn are_sums_of_products_in_every_engine(
            terms in prop::collection::vec((-2.0..2.0, -2.0..2.0, prop::bool::ANY), 1..9),
        ) {
            let weights: Vec<f64> = terms.iter().map(|(weight, ..)| *weight).collect();
            let x: Vec<f64> = terms.iter().map(|(_, x, _)| *x).collect();
            let products = weights.iter().zip(&x).map(|(weight, x)| weight * x);
            let sum = products.reduce(|sum, product| sum + product).unwrap_or(0.0);
            prop_assert_eq!(f(&weights, &x).to_bits(), sum.sin().to_bits());

            // Some terms are constants.
            let tape = Tape::new();
            let mixed: Vec<Var> = terms
                .iter()
                .map(|&(_, x, constant)| if constant { Var::constant(x) } else { tape.var(x) })
                .collect();
            let result = f(&weights, &mixed);
            prop_assert_eq!(result.value().to_bits(), sum.sin().to_bits());
            let adjoints = tape.sweep(result);
            for (i, x) in mixed.iter().enumerate().filter(|(_, x)| !x.is_constant()) {
                prop_assert_eq!(adjoints.wrt(*x), weights[i] * sum.cos());
            }

            let direction: Vec<Dual> = x.iter().map(|&x| Dual::new(x, 1.0)).collect();
            let (_, gradient, product) = tape::hessian_vector(|x| f(&weights, x), &x, &vec![1.0; x.len()]);
            let total: f64 = gradient.iter().sum();
            prop_assert!((f(&weights, &direction).tangent - total).abs() < 1e-12);
            let total_weight: f64 = weights.iter().sum();
            for (product, weight) in product.iter().zip(&weights) {
                prop_assert!((product + weight * total_weight * sum.sin()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn of_two_terms_are_one_node() {
        let tape = Tape::new();
        let x = tape.vars([1.0, 2.0]);
        let sum = tape::weighted_sum(&[3.0, 0.5], &x);
        assert_eq!((sum.value(), tape.len()), (4.0, 3));
        assert_eq!(tape::weighted_sum::<Var>(&[], &[]).value(), 0.0);
    }

    #[test]
    #[should_panic(
        expected = "weighted_sum of 1 numbers with 2: both slices must have the same length"
    )]
    fn take_a_weight_for_each_term() {
        tape::weighted_sum(&[1.0], &[2.0, 3.0]);
    }
}
