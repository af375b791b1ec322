//! Plain data and programs for `serde`.
//!
//! [`Program`] is written as its [bytes](Program::to_bytes), and in formats for people as these in base64; reading it
//! checks them as [`Program::from_bytes`] does. [`Op`] is written by its method's name. What else is public data derives
//! its traits where it is defined.

use core::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::lanes::Lanes;
use crate::op::Op;
use crate::program::Program;

impl Serialize for Program {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.to_bytes();
        if serializer.is_human_readable() {
            serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
        } else {
            serializer.serialize_bytes(&bytes)
        }
    }
}

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(ProgramVisitor)
        } else {
            deserializer.deserialize_bytes(ProgramVisitor)
        }
    }
}

/// Takes whatever a format has for bytes.
struct ProgramVisitor;

impl<'de> Visitor<'de> for ProgramVisitor {
    type Value = Program;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a tape::Program, or these in base64")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Program, E> {
        Program::from_bytes(bytes).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Program, E> {
        let bytes = BASE64_STANDARD.decode(text).map_err(E::custom)?;
        self.visit_bytes(&bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Program, A::Error> {
        // The announced length is not believed: room is made as bytes come.
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

impl Serialize for Op {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Of the rows of [`Op::ALL`].
impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OpVisitor)
    }
}

struct OpVisitor;

impl Visitor<'_> for OpVisitor {
    type Value = Op;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an operation, as in \"tanh\"")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Op, E> {
        Op::from_name(name).ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
    }
}

/// As a tuple of as many numbers.
impl<const N: usize> Serialize for Lanes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        self.0.iter().try_for_each(|number| tuple.serialize_element(number))?;
        tuple.end()
    }
}

impl<'de, const N: usize> Deserialize<'de> for Lanes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(N, LanesVisitor)
    }
}

struct LanesVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for LanesVisitor<N> {
    type Value = Lanes<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lanes<N>, A::Error> {
        let mut lanes = [0.0; N];
        for (position, lane) in lanes.iter_mut().enumerate() {
            let number = items.next_element()?;
            *lane = number.ok_or_else(|| de::Error::invalid_length(position, &self))?;
        }
        Ok(Lanes(lanes))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::matrix::Matrix;
    use crate::{Dual, Rewrites};

    /// What comes back from a format for people and from one for machines.
    fn round_trips<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
        let text = serde_json::to_string(value).unwrap();
        let bytes = postcard::to_allocvec(value).unwrap();
        [serde_json::from_str(&text).unwrap(), postcard::from_bytes(&bytes).unwrap()]
    }

    fn refusal<T: DeserializeOwned>(json: &str) -> String {
        serde_json::from_str::<T>(json).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_program_comes_back_and_computes_the_same() {
        let program = Program::trace(|x| (x[0] * x[1]).sin().powi(3) / 7.0, &[1.0, 2.0]).unwrap();
        for read in round_trips(&program) {
            let x = [0.3, -1.7];
            assert_eq!(
                read.hessian_vector(&x, &[1.0, 2.0]),
                program.hessian_vector(&x, &[1.0, 2.0])
            );
        }
    }

    #[test]
    fn a_sequence_of_bytes_is_a_program_too() {
        let program = Program::trace(|x| x[0].exp(), &[1.0]).unwrap();
        let bytes = program.to_bytes().into_iter();
        let items = de::value::SeqDeserializer::<_, de::value::Error>::new(bytes);
        assert_eq!(ProgramVisitor.visit_seq(items).unwrap().value(&[0.0]), Ok(1.0));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(refusal::<Program>("\"bm8gcHJvZ3JhbQ==\"").contains("do not begin as a program"));
        assert!(refusal::<Program>("\"!\"").contains("Invalid symbol"));
        assert!(refusal::<Program>("1").contains("the bytes of a tape::Program"));
    }

    #[test]
    fn plain_data_comes_back() {
        let matrix = Matrix { rows: 2, columns: 1, data: vec![0.1, -0.0] };
        assert_eq!(round_trips(&matrix), [matrix.clone(), matrix]);
        assert_eq!(round_trips(&Rewrites::Relaxed), [Rewrites::Relaxed; 2]);
        for op in Op::ALL {
            assert_eq!(round_trips(op), [*op; 2]);
        }
        for lanes in round_trips(&Lanes([1.0, f64::MIN_POSITIVE, 0.1])) {
            assert_eq!(lanes.0, [1.0, f64::MIN_POSITIVE, 0.1]);
        }
        for dual in round_trips(&Dual::new(1.5, -2.0)) {
            assert_eq!((dual.value, dual.tangent), (1.5, -2.0));
        }
    }

    #[test]
    fn plain_data_of_the_wrong_size_is_refused() {
        let refused = refusal::<Matrix>(r#"{"rows":2,"columns":2,"data":[1.0]}"#);
        assert_eq!(refused, "1 entries do not make a matrix of 2 rows and 2 columns");
        assert!(refusal::<Lanes<3>>("[1.0, 2.0]").contains("expected 3 numbers"));
        assert!(refusal::<Op>("\"tan h\"").contains("the name of an operation"));
    }
}
