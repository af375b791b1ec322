//! nalgebra 0.34: what `tests/nalgebra/` has for every version.

use nalgebra_034 as library;

#[path = "nalgebra/table.rs"]
mod table;

#[path = "nalgebra/beside.rs"]
mod beside;

// The fit is at 0.34.
#[path = "nalgebra/fit.rs"]
mod fit;

#[path = "nalgebra/wrong.rs"]
mod wrong;
