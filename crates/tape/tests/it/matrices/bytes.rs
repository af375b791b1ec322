//! Programs that call functions of matrices, from bytes: no operation need be given to the reader.

use tape::{Error, Program, Real, Triangle, Var};

use super::square;

/// All functions there are.
fn everything<T: Real>(x: &[T]) -> Vec<T> {
    let (a, b) = (square(2, x), &x[4..6]);
    let factor = a.cholesky().unwrap();
    let product = &a * &a;
    [
        product.data,
        a.solve(b).unwrap(),
        a.inverse().unwrap().data,
        vec![a.determinant(), a.ln_determinant().unwrap(), factor.ln_determinant()],
        factor.solve(b),
        factor.factor().data,
        a.solve_triangular(b, Triangle::Lower).unwrap(),
        a.solve_triangular(b, Triangle::Upper).unwrap(),
        a.least_squares(b).unwrap(),
        a.exp().data,
        a.symmetric_sqrt().unwrap().data,
        a.symmetric_eigen().unwrap().values().to_vec(),
        a.singular_values().unwrap(),
    ]
    .concat()
}

const X: [f64; 6] = [2.0, 0.5, 0.3, 1.5, 1.0, -2.0];
const ELSEWHERE: [f64; 6] = [3.0, 0.1, 0.2, 2.5, 0.4, 0.7];

#[track_caller]
fn comes_back(program: &Program) -> Program {
    let bytes = program.to_bytes();
    let read = Program::from_bytes(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    for x in [X, ELSEWHERE] {
        assert_eq!(read.values(&x).unwrap(), program.values(&x).unwrap());
        assert_eq!(read.jacobian(&x).unwrap(), program.jacobian(&x).unwrap());
    }
    read
}

#[test]
fn every_function_is_found_by_its_name() {
    comes_back(&Program::trace(everything, &X).unwrap());
}

fn sum_of_squares<T: Real>(x: &[T]) -> T {
    let y = everything(x);
    T::dot(&y, &y)
}

#[test]
fn derivatives_are_found_too() {
    let gradient = Program::trace(|x| tape::gradient(sum_of_squares, x).1, &X).unwrap();
    assert!(gradient.to_string().contains("reverse of solve"), "{gradient}");
    comes_back(&gradient);
    comes_back(&Program::trace(|x| tape::hessian(sum_of_squares, x).2.data, &X).unwrap());
    let by_dual = |x: &[Var]| {
        let duals: Vec<_> = x.iter().map(|&x| tape::Dual::new(x, Var::constant(1.0))).collect();
        everything(&duals).iter().map(|y| y.tangent).collect::<Vec<_>>()
    };
    comes_back(&Program::trace(by_dual, &X).unwrap());
}

/// The bytes of a program that calls `name` on so many constants, with `text` in its place.
fn renamed(bytes: &[u8], name: &str, text: &str) -> Vec<u8> {
    assert_eq!(name.len(), text.len(), "lengths are written, too");
    let place = bytes.windows(name.len()).position(|window| window == name.as_bytes());
    let mut renamed = bytes.to_vec();
    renamed[place.expect("the name")..][..name.len()].copy_from_slice(text.as_bytes());
    let end = renamed.len() - 4;
    let checksum = crc32fast::hash(&renamed[..end]);
    renamed[end..].copy_from_slice(&checksum.to_le_bytes());
    renamed
}

#[test]
fn sizes_that_are_not_those_of_the_call_are_refused() {
    let program = Program::trace(|x| square(2, x).solve(&x[4..6]).unwrap(), &X).unwrap();
    let bytes = program.to_bytes();
    assert!(Program::from_bytes(&renamed(&bytes, "solve 2 1", "solve 2 1")).is_ok());
    let fault = |text: &str| Program::from_bytes(&renamed(&bytes, "solve 2 1", text)).unwrap_err();
    assert!(fault("solve 3 1").to_string().contains("another number of operands"));
    for unknown in
        ["solve 2  ", "solve +21", "solve 021", "solve 2.1", "solves 21", "solve 2 x", "solve 211"]
    {
        assert!(matches!(fault(unknown), Error::UnknownOperation { .. }), "{unknown}");
    }
}

#[test]
fn sizes_beyond_all_bounds_are_refused() {
    // Long enough for every size below.
    let program =
        Program::trace(|x| tape::gradient(|x| square(2, x).solve(&x[4..6]).unwrap()[0], x).1, &X);
    let bytes = program.unwrap().to_bytes();
    let name = "reverse 6 of solve 2 1";
    for text in [
        "reverse 7 of solve 2 1",
        "reverse 6 of solve 3 1",
        "solve 1844674407370955",
        "inverse 18446744073709",
        "inverse 42949672960000",
        "product 99999999 9 999",
        "reverse 99999 of a 2 1",
        "reverse 4 of inverse 2",
        "forward of solve 999 9",
    ] {
        assert_eq!(text.len(), name.len(), "{text}");
        let error = Program::from_bytes(&renamed(&bytes, name, text)).unwrap_err();
        let is_right = matches!(error, Error::UnknownOperation { .. } | Error::Malformed { .. });
        assert!(is_right, "{text}: {error}");
    }
}

#[test]
fn damaged_bytes_are_an_error_or_a_program() {
    let gradient = |x: &[Var]| tape::gradient(sum_of_squares, x).1;
    let bytes = Program::trace(gradient, &X).unwrap().to_bytes();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let end = damaged.len() - 4;
            let checksum = crc32fast::hash(&damaged[..end]);
            damaged[end..].copy_from_slice(&checksum.to_le_bytes());
            if let Ok(program) = Program::from_bytes(&damaged) {
                let _ = program.values(&vec![0.5; program.inputs()]);
            }
        }
    }
}
