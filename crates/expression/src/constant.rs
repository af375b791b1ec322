//! The named constants.

use core::f64::consts;

/// A name that always stands for the same number.
#[derive(Debug, PartialEq)]
pub(crate) struct Constant {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
}

const ALL: &[Constant] = &[
    Constant { name: "pi", value: consts::PI },
    Constant { name: "e", value: consts::E },
    Constant { name: "tau", value: consts::TAU },
];

impl Constant {
    pub(crate) fn from_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|constant| constant.name == name)
    }
}
