//! Programs as bytes: to keep a traced function in a file, or to send it to another process.
//!
//! What is written is the graph. Its code is scheduled anew when it is read, so no slot's number ever comes from bytes,
//! and a later version of the crate runs an old program as well as a new one.
//!
//! | field | as |
//! |---|---|
//! | `TAPEPROG` | 8 bytes |
//! | format version | `u32` |
//! | length of the body | `u64` |
//! | body | the table below |
//! | CRC-32 of everything before it | `u32` |
//!
//! | field of the body | as |
//! |---|---|
//! | nodes that were recorded, before the passes | number |
//! | operations that occur | their count; of each its name's length and its name |
//! | inputs | number |
//! | nodes | their count; of each 0 (an input), 1 and the constant's `f64`, or 2 + the operation's place in the table, the count of its operands, and of each operand how many nodes before this one it stands |
//!
//! An operation of a user's own has `@` before its name. Its results follow it, each an operation `result` on it.
//!
//! | field of the body | as |
//! |---|---|
//! | outputs | their count, and the number of each one's node |
//! | guards | their count; of each the comparison's code, the outcome + 1, and the numbers of its two nodes |
//!
//! `u32`, `u64` and `f64` are little endian; the other numbers take seven bits a byte, the lowest first, the top bit set
//! where another byte follows (LEB128). Operations stand by name because rows of the table come and go, and a method's
//! name is kept.
//!
//! **Reading trusts nothing.** Everything that is counted takes at least a byte for each item, inputs too, so a count is
//! believed only up to the number of bytes that are left: memory and time are proportional to the bytes. The layout is
//! the crate's own rather than a library's because of this bound, and because it must stay readable.

use core::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

use crate::error::Error;
use crate::guard::{Comparison, Guard, Outcome};
use crate::leb128;
use crate::list::stop::Erased;
use crate::op::Op;
use crate::operation::Operations;
use crate::program::graph::simplify::Rewrites;
use crate::program::graph::{Call, Graph, Id, Node};
use crate::program::{Program, Recorded};

const MAGIC: &[u8] = b"TAPEPROG";
const VERSION: u32 = 1;
/// Magic, version, and the length of the body.
pub(crate) const HEADER: usize = MAGIC.len() + 4 + 8;
const CHECKSUM: usize = 4;

/// What a node begins with; an operation's place in the table is added to the last.
const INPUT: u64 = 0;
const CONSTANT: u64 = 1;
const OPERATION: u64 = 2;

/// The codes of comparisons are part of the format: a comparison's code is its place here, whatever its discriminant is.
const COMPARISONS: [Comparison; 7] = [
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
    Comparison::Equal,
    Comparison::Order,
    Comparison::IsNegative,
];

impl Program {
    /// The program as bytes, for [`Program::from_bytes`] of this version of the crate and of every later one.
    ///
    /// The operations are written, not the function, and constants by their bits: the program that is read gives the same
    /// numbers to the bit. A program takes three to four bytes for an operation, and nine for a constant.
    ///
    /// ```
    /// use tape::Program;
    ///
    /// let program = Program::trace(|x| (x[0] * x[1]).sin(), &[1.0, 2.0])?;
    /// let bytes = program.to_bytes();
    /// let read = Program::from_bytes(&bytes)?;
    /// assert_eq!(read.gradient(&[0.5, 3.0])?, program.gradient(&[0.5, 3.0])?);
    /// # Ok::<(), tape::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        write(&self.graph, self.recorded.nodes)
    }

    /// The program that [`Program::to_bytes`] wrote.
    ///
    /// The bytes may come from anywhere: what is no program is an error, never a panic, and memory and time are in
    /// proportion to the number of bytes. (What a program then computes is up to those who wrote it.)
    ///
    /// # Errors
    /// [`Error::Malformed`] for bytes that are damaged, incomplete, of a newer format, or name an operation that this
    /// version does not know, and [`Error::TooLarge`].
    ///
    /// ```
    /// let fault = tape::Program::from_bytes(b"a letter").unwrap_err();
    /// assert!(fault.to_string().ends_with("they do not begin as a program does"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, &Operations::new())
    }

    /// [`Program::from_bytes`] of a program that calls operations of one's own, which are found by their names.
    ///
    /// The number of an operation's inputs stands in the bytes. Where not every number is right, the operation must say so
    /// ([`Operation::inputs`](crate::Operation::inputs)).
    ///
    /// # Errors
    /// As [`Program::from_bytes`]; [`Error::UnknownOperation`] for one that is not among `operations`.
    pub fn from_bytes_with(bytes: &[u8], operations: &Operations) -> Result<Self, Error> {
        let (graph, nodes) = read(bytes, operations)?;
        Self::from_graph(graph, Rewrites::Exact, Recorded { nodes })
    }
}

fn write(graph: &Graph, recorded: usize) -> Vec<u8> {
    let op = |id| match graph.node(id) {
        Node::Result { .. } => Some(Op::Result),
        _ => graph.op(id),
    };
    let operations: IndexSet<Op> = graph.ids().filter_map(op).collect();
    let call = |id| match graph.node(id) {
        Node::Call { call, .. } => Some(call),
        _ => None,
    };
    let calls: IndexSet<u32> = graph.ids().filter_map(call).collect();
    let mut body = Vec::new();
    leb128::write(&mut body, recorded as u64);
    leb128::write(&mut body, (operations.len() + calls.len()) as u64);
    let own = calls
        .iter()
        .map(|&call| format!("{OWN}{}", graph.calls()[call as usize].operation.written()));
    for name in operations.iter().map(|op| op.name().to_owned()).chain(own) {
        leb128::write(&mut body, name.len() as u64);
        body.extend(name.bytes());
    }
    leb128::write(&mut body, graph.inputs() as u64);
    leb128::write(&mut body, graph.len() as u64);
    for id in graph.ids() {
        match graph.node(id) {
            Node::Input(_) => leb128::write(&mut body, INPUT),
            Node::Constant(value) => {
                leb128::write(&mut body, CONSTANT);
                body.extend(value.to_bits().to_le_bytes());
            }
            Node::Operation { .. } | Node::Call { .. } | Node::Result { .. } => {
                let of_operation = || operations.get_index_of(&op(id)?);
                let of_call = || Some(operations.len() + calls.get_index_of(&call(id)?)?);
                let place = of_operation().or_else(of_call).unwrap_or(0) as u64;
                leb128::write(&mut body, OPERATION + place);
                leb128::write(&mut body, graph.operands(id).len() as u64);
                for operand in graph.operands(id) {
                    leb128::write(&mut body, u64::from(id.0 - operand.0));
                }
            }
        }
    }
    leb128::write(&mut body, graph.outputs.len() as u64);
    for output in &graph.outputs {
        leb128::write(&mut body, u64::from(output.0));
    }
    leb128::write(&mut body, graph.guards.len() as u64);
    for Guard { comparison, operands, outcome } in &graph.guards {
        let code = COMPARISONS.iter().position(|other| other == comparison);
        leb128::write(&mut body, code.map_or(0, |code| code as u64));
        leb128::write(&mut body, (i64::from(outcome.0) + 1).unsigned_abs());
        for operand in operands {
            leb128::write(&mut body, u64::from(operand.0));
        }
    }
    sealed(&body)
}

/// The body between header and checksum.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + body.len() + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// The graph, and how many nodes were recorded for it.
fn read(bytes: &[u8], known: &Operations) -> Result<(Graph, usize), Error> {
    let mut body = Reader { rest: body_of(bytes)? };
    let recorded = body.number()?;
    let recorded = usize::try_from(recorded).or_else(|_| fault("more was recorded than fits"))?;
    let operations = body.list(|body| body.operation(known))?;
    let inputs = body.count()?;
    let mut reading =
        Reading { operations: &operations, operands: Vec::new(), calls: Vec::new(), due: None };
    let mut place = 0_u32;
    let nodes = body.list(|body| {
        let node = body.node(place, &mut reading)?;
        place = place.checked_add(1).ok_or_else(|| malformed("there are too many nodes"))?;
        Ok(node)
    })?;
    let Reading { operands, calls, due: None, .. } = reading else { return fault(NO_RESULT) };
    let outputs = body.list(Reader::id)?;
    let guards = body.list(Reader::guard)?;
    if !body.rest.is_empty() {
        return fault("something follows the last guard");
    }
    Ok((Graph::assemble(inputs, nodes, operands, calls, outputs, guards)?, recorded))
}

/// What stands between header and checksum, if both are right.
fn body_of(bytes: &[u8]) -> Result<&[u8], Error> {
    let mut reader = Reader { rest: bytes };
    if !bytes.starts_with(MAGIC) {
        return fault("they do not begin as a program does");
    }
    reader.take(MAGIC.len())?;
    // Of another version nothing but the version is known.
    match u32::from_le_bytes(reader.array()?) {
        VERSION => {}
        0 => return fault("there is no format version 0"),
        newer => {
            let reads = format!("this version of the crate reads up to {VERSION}");
            return fault(format!("they are of format version {newer}, and {reads}; update it"));
        }
    }
    let length = u64::from_le_bytes(reader.array()?);
    let expected = (length as usize).checked_add(CHECKSUM);
    if usize::try_from(length).is_err() || expected.is_none_or(|it| it > reader.rest.len()) {
        return fault(ENDS_EARLY);
    }
    let body = reader.take(length as usize)?;
    let checksum = u32::from_le_bytes(reader.array()?);
    if !reader.rest.is_empty() {
        return fault("something follows the checksum");
    }
    if checksum != crc32fast::hash(&bytes[..bytes.len() - CHECKSUM]) {
        return fault("the checksum is another: they have been damaged");
    }
    Ok(body)
}

/// An entry of the table of operations.
enum Entry {
    Op(Op),
    Result,
    Own(Arc<dyn Erased<f64>>),
}

/// What nodes that are read refer to.
struct Reading<'a> {
    operations: &'a [Entry],
    operands: Vec<Id>,
    calls: Vec<Call>,
    /// Until all its results are there: the call that was read last, its operands, and its next result.
    due: Option<Due>,
}

struct Due {
    call: Id,
    kind: usize,
    operands: Range<usize>,
    output: usize,
}

impl Reading<'_> {
    /// A call with the operands from `first` on.
    fn call(
        &mut self,
        place: u32,
        operation: &Arc<dyn Erased<f64>>,
        first: usize,
    ) -> Result<Node, Error> {
        let inputs = self.operands.len() - first;
        if operation.inputs().is_some_and(|takes| takes != inputs) {
            return fault("a call has another number of operands than its operation takes");
        }
        let is_same =
            |call: &Call| Arc::ptr_eq(&call.operation, operation) && call.inputs == inputs;
        let call = self.calls.iter().rposition(is_same).unwrap_or_else(|| {
            let outputs = operation.outputs(inputs);
            self.calls.push(Call { operation: Arc::clone(operation), inputs, outputs });
            self.calls.len() - 1
        });
        if self.calls[call].outputs > 0 {
            let operands = first..first + inputs;
            self.due = Some(Due { call: Id(place), kind: call, operands, output: 0 });
        }
        Ok(Node::Call { call: call as u32, first: first as u32 })
    }

    /// The next result of a call, whose operands begin at `first`.
    fn result(&mut self, place: u32, first: usize) -> Result<Node, Error> {
        let Some(mut due) = self.due.take() else { return fault("a result is of no call") };
        if self.operands[first..] != [due.call] {
            return fault(NO_RESULT);
        }
        debug_assert!(place as usize == due.call.index() + 1 + due.output);
        self.operands.truncate(first);
        let call = &self.calls[due.kind];
        let node = call.result(due.call, due.output, due.operands.clone(), &mut self.operands);
        due.output += 1;
        if due.output < call.outputs {
            self.due = Some(due);
        }
        Ok(node)
    }
}

/// What is still to be read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| malformed(ENDS_EARLY))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| malformed(ENDS_EARLY))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << shift;
            // Every number has one way to be written.
            if shifted >> shift != bits || (byte == 0 && shift > 0) {
                break;
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        fault("a number is too large, or longer than it need be")
    }

    /// How many items follow, each of at least a byte.
    fn count(&mut self) -> Result<usize, Error> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok(count),
            _ => fault("there are fewer bytes left than things announced"),
        }
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        (0..self.count()?).map(|_| item(self)).collect()
    }

    fn operation(&mut self, known: &Operations) -> Result<Entry, Error> {
        let length = self.count()?;
        let name = self.take(length)?;
        if name == Op::Result.name().as_bytes() {
            return Ok(Entry::Result);
        }
        if let Some(own) = name.strip_prefix(OWN.as_bytes()) {
            let name = String::from_utf8_lossy(own);
            let found = known.find(&name).map(Entry::Own);
            return found.ok_or_else(|| Error::UnknownOperation { name: name.into_owned() });
        }
        let op = Op::of_programs().find(|op| op.name().as_bytes() == name).ok_or_else(|| {
            /// A longer name is shown in part.
            const SHOWN: usize = 32;
            let name = String::from_utf8_lossy(&name[..name.len().min(SHOWN)]);
            malformed(format!("this version of the crate has no operation {name:?}"))
        })?;
        Ok(Entry::Op(op))
    }

    /// The node at this place; its operands are appended to the others.
    fn node(&mut self, place: u32, reading: &mut Reading<'_>) -> Result<Node, Error> {
        let code = self.number()?;
        let entry = code.checked_sub(OPERATION).map(|place| {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            reading.operations.get(place)
        });
        if reading.due.is_some() && !matches!(entry, Some(Some(Entry::Result))) {
            return fault(NO_RESULT);
        }
        match code {
            INPUT => Ok(Node::Input(place)),
            CONSTANT => Ok(Node::Constant(f64::from_bits(u64::from_le_bytes(self.array()?)))),
            _ => {
                let Some(Some(entry)) = entry else {
                    return fault("an operation is not in the table of operations");
                };
                let count = self.count()?;
                let operands = &mut reading.operands;
                let first = operands.len();
                for _ in 0..count {
                    let back = self.number()?;
                    let operand = u32::try_from(back).ok().and_then(|back| place.checked_sub(back));
                    match operand {
                        Some(operand) if operand < place => operands.push(Id(operand)),
                        _ => return fault("an operand does not come before its operation"),
                    }
                }
                if u32::try_from(operands.len()).is_err() {
                    return fault("there are too many operands");
                }
                match entry {
                    Entry::Op(op) => {
                        Ok(Node::Operation { op: *op, first: first as u32, count: count as u32 })
                    }
                    Entry::Own(operation) => reading.call(place, operation, first),
                    Entry::Result => reading.result(place, first),
                }
            }
        }
    }

    fn id(&mut self) -> Result<Id, Error> {
        let number = self.number()?;
        u32::try_from(number).map(Id).or_else(|_| fault("an output or a guard is of no node"))
    }

    fn guard(&mut self) -> Result<Guard<Id>, Error> {
        let code = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let Some(&comparison) = COMPARISONS.get(code) else {
            return fault("a guard is none that this version of the crate has");
        };
        let outcome = self.number()?;
        let outcome = i8::try_from(outcome).ok().map(|outcome| Outcome(outcome - 1));
        let Some(outcome) = outcome else { return fault("a guard has no such outcome") };
        Ok(Guard { comparison, operands: [self.id()?, self.id()?], outcome })
    }
}

/// What the name of an operation of one's own begins with.
const OWN: &str = "@";

const NO_RESULT: &str = "the results of a call do not follow it";
const ENDS_EARLY: &str = "they end too early";

fn malformed(fault: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Malformed { fault: fault.into() }
}

fn fault<T>(fault: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, Error> {
    Err(malformed(fault))
}
