//! The traits and types of other crates: what makes variables numbers for them, and derivatives data of theirs.

#[cfg(feature = "faer")]
mod faer;
#[cfg(any(
    feature = "faer",
    feature = "nalgebra-034",
    feature = "nalgebra-035",
    feature = "ndarray"
))]
mod matrices;
#[cfg(any(feature = "nalgebra-034", feature = "nalgebra-035"))]
pub mod nalgebra_scalars;
#[cfg(feature = "ndarray")]
mod ndarray;
mod numeric_traits;
#[cfg(feature = "serde")]
pub(crate) mod serde;
#[cfg(feature = "sprs")]
mod sprs;
