//! What can be said of the public interface without running much: which types cross threads, and how plain data converts.

use std::panic::{RefUnwindSafe, UnwindSafe};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tape::{
    Adjoints, Batch, Dot, Dual, Error, Function, Lanes, Matrix, Op, Pattern, Program, Show,
    SparseMatrix, Tape, Var, Workspace, jacobian,
};

fn crosses_threads<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}

type F = fn(&[Var]) -> Var;
type G = fn(&[Var], &[Var]) -> Var;

#[test]
fn everything_but_a_tape_crosses_threads() {
    crosses_threads::<Var>();
    crosses_threads::<Var<Dual>>();
    crosses_threads::<Dual>();
    crosses_threads::<Lanes<8>>();
    crosses_threads::<Matrix>();
    crosses_threads::<SparseMatrix>();
    crosses_threads::<Pattern>();
    crosses_threads::<Error>();
    crosses_threads::<Op>();
    crosses_threads::<Workspace>();
    crosses_threads::<Program>();
    crosses_threads::<Function<F>>();
    crosses_threads::<Batch<G>>();
    crosses_threads::<Adjoints>();
}

/// Compiles only if `$Type` is not `$Trait`: else both implementations apply, and the call is ambiguous.
macro_rules! assert_is_not {
    ($Type:ty: $Trait:ident) => {{
        trait Ambiguous<Which> {
            fn only_one() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $Trait> Ambiguous<u8> for T {}
        let _ = <$Type as Ambiguous<_>>::only_one;
    }};
}

#[test]
fn a_tape_stays_on_its_thread() {
    assert_is_not!(Tape: Send);
    assert_is_not!(Tape: Sync);
    assert_is_not!(Tape<f32>: Send);
    assert_is_not!(Tape<Var>: Sync);
    // What borrows one.
    assert_is_not!(Show<'static>: Send);
    assert_is_not!(Dot<'static>: Send);
}

#[test]
fn a_jacobian_is_of_one_variable_of_an_array_or_of_a_vec() {
    let x = [3.0, 4.0];
    let one = jacobian(|x| x[0] * x[1], &x);
    assert_eq!((one.0, one.1.data), (vec![12.0], vec![4.0, 3.0]));
    let array = jacobian(|x| [x[0] * x[1], x[1]], &x);
    let vec = jacobian(|x| vec![x[0] * x[1], x[1]], &x);
    assert_eq!(array, vec);
    // Nested: the Jacobian of a gradient.
    let hessian = jacobian(|x| tape::gradient(|x| x[0] * x[0] * x[1], x).1, &x).1;
    assert_eq!(hessian.data, [8.0, 6.0, 6.0, 0.0]);
}

#[test]
fn a_jacobian_of_lanes_is_one_at_each_point() {
    let x = [Lanes([3.0, 5.0]), Lanes([4.0, 6.0])];
    let (values, jacobian) = jacobian(|x| [x[0] * x[1]], &x);
    assert_eq!(values[0].0, [12.0, 30.0]);
    assert_eq!((jacobian[(0, 0)].0, jacobian[(0, 1)].0), ([4.0, 6.0], [3.0, 5.0]));
}

#[test]
fn derivatives_by_several_variables_are_those_by_each() {
    let tape = Tape::new();
    let x = tape.vars_from(&[2.0, 3.0]);
    let product = x[0] * x[1];
    let adjoints = tape.sweep(product * product);
    // Intermediates and constants too, in any order and more than once.
    let asked = [x[1], product, Var::constant(7.0), x[1]];
    assert_eq!(adjoints.wrt_all(&asked), [24.0, 12.0, 0.0, 24.0]);
    assert!(adjoints.wrt_all(&[]).is_empty());
}

#[test]
fn constants_are_on_no_tape() {
    let tape = Tape::new();
    let x = tape.var(4.0);
    let from_slice = Var::constants_from(&[2.0, 3.0]);
    assert_eq!(Var::constants([2.0, 3.0]).map(Var::value), [2.0, 3.0]);
    assert!(from_slice.iter().all(|constant| constant.is_constant()));
    assert_eq!(tape.sweep(from_slice[0] * x * from_slice[1]).wrt(x), 6.0);
    assert!(Var::<f64>::constants_from(&[]).is_empty());
}

#[test]
fn one_seeded_input_gives_one_column_of_the_jacobian() {
    let f = |x: Dual, y: Dual| [x * y, x + y.powi(2)];
    let by_x = f(Dual::seeded(2.0), Dual::constant(3.0)).map(|output| output.tangent);
    let by_y = f(Dual::constant(2.0), Dual::seeded(3.0)).map(|output| output.tangent);
    assert_eq!((by_x, by_y), ([3.0, 1.0], [2.0, 6.0]));
    // Nested, the second derivative of x³.
    assert_eq!(Dual::seeded(Dual::seeded(2.0)).powi(3).tangent.tangent, 12.0);
}

#[test]
fn a_program_that_is_cloned_is_another_one() -> Result<(), Error> {
    let program = Program::trace(|x| x[0] * x[1], &[1.0, 1.0])?;
    let other = program.clone();
    let mut workspace = Workspace::default();
    let mut gradient = [0.0; 2];
    for program in [&program, &other, &program] {
        let value = program.gradient_into(&[3.0, 4.0], &mut workspace, &mut gradient)?;
        assert_eq!((value, gradient), (12.0, [4.0, 3.0]));
    }
    Ok(())
}

#[test]
fn matrices_are_made_turned_and_printed() -> Result<(), Error> {
    let matrix = Matrix::from_rows(2, 3, vec![1.0, -2.5, 3.0, 4.0, 5.0, 6.0])?;
    assert_eq!(matrix.transpose().transpose(), matrix);
    assert_eq!(matrix.rows_iter().map(|row| row[2]).collect::<Vec<_>>(), [3.0, 6.0]);
    assert_eq!(matrix.column(1).copied().collect::<Vec<_>>(), [-2.5, 5.0]);
    assert_eq!(matrix.mul_vector(&[1.0, 0.0, 2.0]), [7.0, 16.0]);
    assert_eq!(matrix.to_string(), "   1  -2.5     3\n   4     5     6");
    assert_eq!(format!("{matrix:.1}"), " 1.0  -2.5   3.0\n 4.0   5.0   6.0");
    assert_eq!(Matrix::new(2, 3, matrix.data.clone())?, matrix);
    assert_eq!(Matrix::<f64>::from_rows(0, 0, Vec::new())?.to_string(), "");
    Ok(())
}

#[test]
fn entries_that_make_no_matrix_are_refused() {
    let refused = Matrix::new(2, 2, vec![1.0]);
    assert_eq!(refused, Err(Error::Shape { rows: 2, columns: 2, given: 1 }));
    assert_eq!(Matrix::from_rows(2, 2, vec![1.0]), refused);
    // A size beyond what a machine can count.
    assert!(Matrix::new(usize::MAX, 2, vec![(); usize::MAX]).is_err());
    let message = refused.map_err(|error| error.to_string());
    assert_eq!(message, Err("1 entries do not make a matrix of 2 rows and 2 columns".to_owned()));
}

/// What comes back from a text for people and from bytes.
fn round_trips<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
    let text = serde_json::to_string(value).unwrap();
    let bytes = postcard::to_allocvec(value).unwrap();
    [serde_json::from_str(&text).unwrap(), postcard::from_bytes(&bytes).unwrap()]
}

#[test]
fn sparse_matrices_and_patterns_come_back_from_a_file() -> Result<(), Error> {
    // The second row is empty.
    let f = |x: &[Var]| [x[0] * x[2], Var::constant(1.0), x[1] / 3.0];
    let program = Program::trace(f, &[1.0; 3])?;
    let (_, jacobian) = program.sparse_jacobian(&[0.1, 0.2, 0.3])?;
    assert_eq!(round_trips(&jacobian), [jacobian.clone(), jacobian]);
    let pattern = program.jacobian_sparsity();
    assert_eq!(round_trips(pattern), [pattern.clone(), pattern.clone()]);
    let none = Program::trace(|_| Vec::new(), &[1.0])?.jacobian_sparsity().clone();
    assert_eq!(round_trips(&none), [none.clone(), none]);
    Ok(())
}

#[test]
fn what_is_no_sparse_matrix_is_refused() {
    let refusal = |starts: &str, indices: &str, data: &str| {
        let pattern = format!(r#"{{"columns":2,"starts":{starts},"indices":{indices}}}"#);
        let matrix = format!(r#"{{"rows":2,"data":{data},{}"#, &pattern[1..]);
        let of_pattern = serde_json::from_str::<Pattern>(&pattern).err().map(|e| e.to_string());
        let of_matrix = serde_json::from_str::<SparseMatrix>(&matrix).err().map(|e| e.to_string());
        [of_pattern, of_matrix].map(Option::unwrap_or_default)
    };
    assert_eq!(refusal("[0,1,2]", "[1,0]", "[1,2]"), ["", ""]);
    let starts = "the rows' starts do not ascend from 0 to the number of places";
    for wrong in ["[]", "[0]", "[1,1,2]", "[0,2,1]", "[0,3,2]", "[0,1,3]"] {
        assert_eq!(refusal(wrong, "[1,0]", "[1,2]"), [starts, starts], "{wrong}");
    }
    let order = "the columns of a row do not ascend";
    assert_eq!(refusal("[0,2,2]", "[1,0]", "[1,2]"), [order, order]);
    assert_eq!(refusal("[0,2,2]", "[1,1]", "[1,2]"), [order, order]);
    let beyond = "a place lies beyond the last column";
    assert_eq!(refusal("[0,1,2]", "[1,2]", "[1,2]"), [beyond, beyond]);
    assert_eq!(refusal("[0,2]", "[0,1]", "[1,2]"), ["", "there is not one start for each row"]);
    assert_eq!(refusal("[0,1,2]", "[1,0]", "[1]"), ["", "there is not one entry for each place"]);
}

#[test]
fn only_an_operation_of_a_slice_has_no_arity() {
    assert!(Op::ALL.iter().all(|op| op.arity().is_some()));
    assert_eq!([Op::Neg, Op::Powi, Op::Select].map(Op::arity), [Some(1), Some(2), Some(3)]);
    let of_slices = [Op::Sum, Op::WeightedSum, Op::Dot, Op::Norm, Op::LogSumExp];
    assert!(of_slices.iter().all(|op| op.arity().is_none()));
}

#[test]
fn operations_are_read_by_their_names() {
    for op in Op::ALL {
        assert_eq!(op.to_string().parse(), Ok(*op));
    }
    assert_eq!(format!("{:>6}|{:<6}", Op::Tanh, Op::Sin), "  tanh|sin   ");
    assert!("tan h".parse::<Op>().is_err_and(|error| error.to_string().contains("tan h")));
}

#[test]
fn matrices_go_to_other_crates_and_back() -> Result<(), Error> {
    let matrix = Matrix::from_fn(2, 3, |row, column| (3 * row + column) as f64);
    let array = ndarray::Array2::from(matrix.clone());
    assert_eq!(array[(1, 0)], 3.0);
    assert_eq!(Matrix::from(array.reversed_axes()), matrix.transpose());
    let dynamic = nalgebra::DMatrix::from(matrix.clone());
    assert_eq!(dynamic[(1, 0)], 3.0);
    assert_eq!(Matrix::from(dynamic), matrix);
    let dynamic = nalgebra_034::DMatrix::from(matrix.clone());
    assert_eq!(dynamic[(1, 0)], 3.0);
    assert_eq!(Matrix::from(dynamic), matrix);
    // Of variables, and without any entry.
    let variables = Matrix::from_fn(1, 2, |_, column| Var::constant(column as f64));
    assert_eq!(nalgebra::DMatrix::from(variables.clone())[(0, 1)], 1.0);
    assert_eq!(ndarray::Array2::from(variables)[(0, 1)], 1.0);
    let empty = Matrix::<f64>::new(0, 3, Vec::new())?;
    assert_eq!(Matrix::from(ndarray::Array2::from(empty.clone())), empty);
    assert_eq!(Matrix::from(nalgebra::DMatrix::from(empty.clone())), empty);
    Ok(())
}
