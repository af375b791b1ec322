//! Second derivatives: the recorded list is replayed on dual numbers and swept (forward over reverse).

use crate::derivative::gradient::Kept;
use crate::dual::Dual;
use crate::list::List;
use crate::list::recorded::{Opaque, in_duals};
use crate::matrix::Matrix;
use crate::real::Real;
use crate::sweep::sweep_with_stops;
use crate::var::Var;

/// The value of `f` at `x`, its gradient, and its Hessian: a symmetric matrix of `x.len()` rows and columns.
///
/// `f` is recorded once; each column takes one replay on dual numbers and one sweep.
///
/// # Panics
/// When `f` uses [`Tape::custom`](crate::Tape::custom), whose second derivatives are not known, or returns a variable
/// of another tape, or itself panics.
///
/// ```
/// let (value, gradient, hessian) = tape::hessian(|x| x[0] * x[0] * x[1], &[3.0, 2.0]);
/// assert_eq!((value, gradient), (18.0, vec![12.0, 9.0]));
/// assert_eq!(hessian.data, [4.0, 6.0,
///                           6.0, 0.0]);
/// ```
#[track_caller]
pub fn hessian<T: Real>(f: impl FnOnce(&[Var<T>]) -> Var<T>, x: &[T]) -> (T, Vec<T>, Matrix<T>) {
    recorded(f, x, |list, output| all_rows(list, output, x))
}

#[track_caller]
fn all_rows<T: Real>(list: &List<T>, output: Var<T>, x: &[T]) -> (T, Vec<T>, Matrix<T>) {
    let n = x.len();
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    let mut gradient = vec![zero; n];
    let mut hessian = Matrix { rows: n, columns: n, data: Vec::with_capacity(n * n) };
    let mut direction = vec![zero; n];
    for i in 0..n {
        direction[i] = one;
        let (g, row) = product(list, output, x, &direction);
        direction[i] = zero;
        gradient = g;
        hessian.data.extend(row);
    }
    (output.value, gradient, hessian)
}

/// The value of `f` at `x`, its gradient, and the product of its Hessian with `v`.
///
/// The cost does not depend on the number of inputs: one recording, one replay on dual numbers, one sweep.
///
/// # Panics
/// When `v` has not the length of `x`; otherwise as [`hessian`].
///
/// ```
/// let f = |x: &[tape::Var]| x[0] * x[0] * x[1];
/// let (_, _, product) = tape::hessian_vector(f, &[3.0, 2.0], &[1.0, 1.0]);
/// assert_eq!(product, [10.0, 6.0]);
/// ```
#[track_caller]
pub fn hessian_vector<T: Real>(
    f: impl FnOnce(&[Var<T>]) -> Var<T>,
    x: &[T],
    v: &[T],
) -> (T, Vec<T>, Vec<T>) {
    assert!(
        x.len() == v.len(),
        "hessian_vector: x has {} numbers and v has {}: the direction must be as long as the point",
        x.len(),
        v.len()
    );
    recorded(f, x, |list, output| {
        let (gradient, product) = product(list, output, x, v);
        (output.value, gradient, product)
    })
}

/// Records `f` in full, so that the list can be replayed.
#[track_caller]
fn recorded<T: Real, R>(
    f: impl FnOnce(&[Var<T>]) -> Var<T>,
    x: &[T],
    use_list: impl FnOnce(&List<T>, Var<T>) -> R,
) -> R {
    let kept = Kept::<T>::take();
    kept.tape.clear();
    kept.tape.set_tracing(true);
    let output = f(&kept.tape.vars_from(x));
    kept.tape.set_tracing(false);
    kept.tape.assert_own(output, "the function's result");
    let result = kept.tape.with_list(|list| use_list(list, output));
    kept.put_back();
    result
}

/// The gradient at `x` and the Hessian's product with `v`.
#[track_caller]
fn product<T: Real>(list: &List<T>, output: Var<T>, x: &[T], v: &[T]) -> (Vec<T>, Vec<T>) {
    let inputs: Vec<Dual<T>> = x.iter().zip(v).map(|(&x, &v)| Dual::new(x, v)).collect();
    let replayed = match in_duals(list, &inputs) {
        Ok(replayed) => replayed,
        Err(Opaque { op, index }) => panic!(
            "second derivatives of the operation v{index} = {}(…) are not known, only its partials: \
             write it with the operations of the table, or as a tape::Operation",
            op.name()
        ),
    };
    let mut adjoints = vec![Dual::from_f64(0.0); replayed.nodes.len()];
    let output = output.index() as usize;
    adjoints[output] = Dual::from_f64(1.0);
    let range = x.len() + 1..(output + 1).max(x.len() + 1);
    let stop_before = |index| replayed.stop_before(index);
    sweep_with_stops::<_, _, true>(&replayed.nodes, stop_before, &mut adjoints, range);
    adjoints[0] = Dual::from_f64(0.0);
    let of_inputs = &adjoints[1..=x.len()];
    (of_inputs.iter().map(|a| a.value).collect(), of_inputs.iter().map(|a| a.tangent).collect())
}
