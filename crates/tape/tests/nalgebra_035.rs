//! nalgebra 0.35: what `tests/nalgebra/` has for every version.

use nalgebra as library;

#[path = "nalgebra/table.rs"]
mod table;

#[path = "nalgebra/beside.rs"]
mod beside;

#[path = "nalgebra/wrong.rs"]
mod wrong;
