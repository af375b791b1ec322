//! What the targets share: header and checksum for any body, and the use of whatever is accepted.

use tape::{Error, Program};

const HEADER: usize = 8 + 4 + 8;
const CHECKSUM: usize = 4;

/// These bytes behind a right header, before a right checksum.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u64).to_le_bytes();
    let mut bytes = [&b"TAPEPROG"[..], &1_u32.to_le_bytes(), &length, body].concat();
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// What stands between header and checksum, if there is room for both.
pub fn body(bytes: &[u8]) -> &[u8] {
    bytes.get(HEADER..bytes.len().saturating_sub(CHECKSUM)).unwrap_or(bytes)
}

/// Reads the bytes and runs what they are, if they are a program.
pub fn exercise(bytes: &[u8]) {
    let program = match Program::from_bytes(bytes) {
        Ok(program) => program,
        Err(Error::Malformed { .. } | Error::TooLarge { .. }) => return,
        Err(error) => panic!("reading bytes gives another error: {error}"),
    };
    let written = program.to_bytes();
    let read = Program::from_bytes(&written).expect("what was written is a program");
    assert_eq!(read.to_bytes(), written);
    let _ = program.to_string();
    if program.inputs() > 1000 {
        return;
    }
    let x = vec![1.0; program.inputs()];
    // A guard that does not hold and a number of outputs other than one are errors.
    let _ = program.values(&x);
    let _ = program.value(&x);
    let _ = program.gradient(&x);
    let _ = program.hessian_vector(&x, &x);
    if program.outputs() * program.inputs() <= 10_000 {
        let _ = program.jacobian(&x);
    }
}
