//! Contents told apart by 128 bits: whether a file, a table or rows of data are those of before.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// 128 bits that stand for a content: the same for the same content on every machine, and others for any other content
/// that comes about by accident. (They are no protection against intent.) It is written as 32 hexadecimal digits.
///
#[cfg_attr(feature = "csv", doc = "```")]
#[cfg_attr(not(feature = "csv"), doc = "```ignore")]
/// use nn::data::Table;
///
/// let fingerprint = |text: &str| Ok::<_, nn::data::Error>(Table::from_reader(text.as_bytes())?.fingerprint());
/// assert_eq!(fingerprint("a,b\n1,2\n")?, fingerprint("a; b\r\n1; 2\r\n")?);
/// assert_ne!(fingerprint("a,b\n1,2\n")?, fingerprint("a,b\n1,20\n")?);
/// # Ok::<(), nn::data::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = core::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// Takes a fingerprint piece by piece. Each piece counts with its length, so that no two ways to cut are mixed up.
#[derive(Default)]
pub(crate) struct Press {
    hash: XxHash3_128,
    /// What comes next. The hash takes many bytes at a time much faster than a few.
    bytes: Vec<u8>,
}

impl Press {
    const ROOM: usize = 1 << 14;

    pub(crate) fn count(&mut self, count: usize) {
        self.write(&(count as u64).to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.write(text.as_bytes());
    }

    /// By their bits.
    pub(crate) fn numbers(&mut self, numbers: &[f64]) {
        self.count(numbers.len());
        for number in numbers {
            self.write(&number.to_le_bytes());
        }
    }

    pub(crate) fn finish(mut self) -> Fingerprint {
        self.hash.write(&self.bytes);
        self.bytes.clear();
        Fingerprint(self.hash.finish_128())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= Self::ROOM {
            self.hash.write(&self.bytes);
            self.bytes.clear();
        }
    }
}
