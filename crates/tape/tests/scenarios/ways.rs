//! The columns: all public ways to a derivative. To add one, add a line to [`WAYS`].

mod first;
mod second;
mod third;

use tape::{Dual, Error, Lanes, Real};

use crate::table::Scenario;

/// A way to derivatives.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// The highest derivative that it gives.
    order: usize,
    pub(crate) arithmetic: Arithmetic,
    /// Whether it traces a function anew where it takes another path.
    pub(crate) traces_anew: bool,
    pub(crate) compute: fn(&Scenario) -> Result<Answer, Error>,
}

/// What a way gives; not every way gives everything.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) value: Option<f64>,
    pub(crate) gradient: Option<Vec<f64>>,
    pub(crate) hessian: Option<Vec<f64>>,
    pub(crate) third: Option<Vec<f64>>,
    /// The gradient of ‖∇f‖².
    pub(crate) penalty: Option<Vec<f64>>,
}

/// What a way computes with, and so how close its numbers must be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Arithmetic {
    /// `f64`: its value to the bit.
    Plain,
    /// The vector functions of a replay on many points at once.
    Vector,
    /// Lanes, which cannot branch.
    Lanes,
    /// `f32`: only where the point and what is right are within its range.
    Single,
}

impl Arithmetic {
    /// The distance from 1 to the next number.
    pub(crate) fn unit(self) -> f64 {
        if self == Self::Single { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }
}

const fn way(
    order: usize,
    arithmetic: Arithmetic,
    name: &'static str,
    compute: fn(&Scenario) -> Result<Answer, Error>,
) -> Way {
    Way { name, order, arithmetic, traces_anew: false, compute }
}

const fn plain(
    order: usize,
    name: &'static str,
    compute: fn(&Scenario) -> Result<Answer, Error>,
) -> Way {
    way(order, Arithmetic::Plain, name, compute)
}

const fn vector(
    order: usize,
    name: &'static str,
    compute: fn(&Scenario) -> Result<Answer, Error>,
) -> Way {
    way(order, Arithmetic::Vector, name, compute)
}

const fn lanes(
    order: usize,
    name: &'static str,
    compute: fn(&Scenario) -> Result<Answer, Error>,
) -> Way {
    way(order, Arithmetic::Lanes, name, compute)
}

const fn anew(way: Way) -> Way {
    Way { traces_anew: true, ..way }
}

#[rustfmt::skip]
pub(crate) const WAYS: &[Way] = &[
    plain (1, "Tape::sweep",                              first::sweep),
    plain (1, "tape::gradient",                           first::gradient),
    plain (1, "tape::jacobian",                           first::jacobian),
    plain (1, "Tape::sweep_seeded",                       first::sweep_seeded),
    plain (1, "Dual",                                     first::dual),
    lanes (1, "Var<Lanes>, first among others",           |s| first::var_lanes(s, 0)),
    lanes (1, "Var<Lanes>, third among others",           |s| first::var_lanes(s, 2)),
    lanes (1, "Dual<Lanes>, first among others",          |s| first::dual_lanes(s, 0)),
    lanes (1, "Dual<Lanes>, third among others",          |s| first::dual_lanes(s, 2)),
    plain (1, "tape::sum_over, the term first",           first::sum_over_first),
    plain (1, "tape::sum_over, the term later",           first::sum_over_later),
    plain (1, "Tape::sum_over",                           first::sum_over_of_a_tape),
    way   (1, Arithmetic::Single, "Var<f32>",             first::single),
    plain (1, "Program::gradient",                        first::program_gradient),
    plain (1, "Program::jacobian",                        first::program_jacobian),
    plain (1, "Program::jacobian, eight rows at once",    first::program_of_eight_rows),
    plain (1, "Program::jacobian, eight columns at once", first::program_of_eight_columns),
    plain (1, "Program::jacobian_into",                   first::program_jacobian_into),
    plain (1, "Program::at",                              first::program_at),
    plain (1, "Program::values_into",                     first::program_values_into),
    plain (1, "Program::jacobian_vector",                 first::program_jacobian_vector),
    plain (1, "Program::vector_jacobian",                 first::program_vector_jacobian),
    plain (1, "Program::vector_jacobian_into",            first::program_vector_jacobian_into),
    plain (1, "Program::sparse_jacobian",                 first::program_sparse_jacobian),
    plain (1, "Program::gradient of bytes",               first::program_of_bytes),
    anew(plain (1, "Function::gradient",                  first::function_gradient)),
    anew(plain (1, "Function::jacobian",                  first::function_jacobian)),
    anew(vector(1, "Batch::gradient, by what is shared",  first::batch_shared)),
    anew(vector(1, "Batch::gradient, by shifts of a row", first::batch_row)),
    anew(vector(1, "Batch::value",                        first::batch_value)),
    anew(vector(1, "Batch::jacobian, by shifts of a row", first::batch_jacobian)),
    anew(vector(1, "Batch::jacobian, by what is shared",  first::batch_jacobian_of_shared)),
    anew(vector(1, "Batch::gradients",                    first::batch_gradients)),
    anew(vector(1, "Batch::map",                          first::batch_map)),
    anew(vector(1, "Batch::map of a gradient",            first::batch_map_of_gradient)),
    anew(vector(1, "Batch::map of a Dual",                first::batch_map_of_dual)),
    plain (1, "Program of a gradient",                    first::program_of_gradient),
    plain (1, "Program of a gradient, by bytes",          first::program_of_gradient_by_bytes),
    plain (1, "Program of a Dual",                        first::program_of_dual),
    anew(plain (1, "Function of a gradient",              first::function_of_gradient)),
    plain (2, "tape::hessian",                            second::hessian),
    plain (2, "tape::hessian_vector",                     second::hessian_vector),
    lanes (2, "tape::hessian of Lanes",                   second::hessian_of_lanes),
    plain (2, "Var<Var>",                                 second::var_var),
    plain (2, "Dual<Dual>",                               second::dual_dual),
    plain (2, "Dual<Var>",                                second::dual_var),
    plain (2, "Var<Dual>",                                second::var_dual),
    plain (2, "Program::hessian",                         second::program_hessian),
    plain (2, "Program::hessian, eight columns at once",  second::program_of_eight_columns),
    plain (2, "Program::weighted_hessian",                second::program_weighted_hessian),
    plain (2, "Program::weighted_sparse_hessian",         second::program_weighted_sparse_hessian),
    plain (2, "Program::sparse_hessian",                  second::program_sparse_hessian),
    plain (2, "Program::hessian_into",                    second::program_hessian_into),
    plain (2, "Program::at",                              second::program_at),
    plain (2, "Program::hessian_vector",                  second::program_hessian_vector),
    anew(plain (2, "Function::hessian",                   second::function_hessian)),
    plain (2, "Program::jacobian of a gradient",          second::jacobian_of_gradient),
    plain (2, "Program::sparse_jacobian of a gradient",   second::sparse_jacobian_of_gradient),
    plain (2, "Program::jacobian of a Dual",              second::jacobian_of_dual),
    anew(plain (2, "Function::jacobian of a gradient",    second::function_of_gradient)),
    plain (2, "Program of a Hessian",                     second::program_of_hessian),
    plain (2, "Program of a Jacobian of a gradient",      second::program_of_nested_gradients),
    anew(vector(2, "Batch::hessian, by shifts of a row",  second::batch_hessian)),
    anew(vector(2, "Batch::hessian, by what is shared",   second::batch_hessian_of_shared)),
    anew(vector(2, "Batch::hessian_vector",               second::batch_hessian_vector)),
    anew(vector(2, "Batch::map of a Hessian",             second::batch_map_of_hessian)),
    anew(vector(2, "Batch::map of a Jacobian of a gradient", second::batch_map_of_nested_gradients)),
    plain (2, "Program::gradient of ‖gradient‖²",         second::program_of_penalty),
    anew(vector(2, "Batch::gradient of ‖gradient‖²",      second::batch_of_penalty)),
    plain (3, "Dual<Dual<Dual>>",                         third::dual_dual_dual),
    plain (3, "Var<Var<Var>>",                            third::var_var_var),
    plain (3, "Program::jacobian of a Hessian",           third::jacobian_of_hessian),
    plain (3, "Program::hessian of a gradient",           third::hessian_of_gradient),
];

/// The point, and eight numbers more: with so many inputs, derivatives are found eight directions at a time.
fn with_eight_more(x: &[f64]) -> Vec<f64> {
    x.iter().copied().chain([0.0; 8]).collect()
}

impl Way {
    /// Whether there is such a way for the scenario.
    pub(crate) fn applies_to(&self, scenario: &Scenario) -> bool {
        let is_exception = scenario.exceptions.iter().any(|(way, _)| *way == self.name);
        let is_possible = match self.arithmetic {
            Arithmetic::Lanes => !scenario.branches,
            Arithmetic::Single => first::fits_single(scenario),
            Arithmetic::Plain | Arithmetic::Vector => true,
        };
        let has_order = match self.order {
            1 => true,
            2 => !scenario.only_first,
            _ => scenario.third.is_some(),
        };
        !is_exception && is_possible && has_order
    }
}

/// The point with tangent 1 in this direction.
fn seeded<T: Real>(x: &[T], direction: usize) -> Vec<Dual<T>> {
    let unit = |i| T::from_f64(if i == direction { 1.0 } else { 0.0 });
    x.iter().enumerate().map(|(i, &x)| Dual::new(x, unit(i))).collect()
}

/// The unit vector in this direction.
fn unit(n: usize, direction: usize) -> Vec<f64> {
    (0..n).map(|i| f64::from(u8::from(i == direction))).collect()
}

/// The point in one lane; in the others the other point, twice the point, and the origin.
fn beside_others(scenario: &Scenario, lane: usize) -> Vec<Lanes<4>> {
    let points = scenario.x.iter().zip(&scenario.other);
    let lanes = points.map(|(&x, &other)| {
        let mut lanes = [other, 2.0 * x, 0.0, other];
        lanes[lane] = x;
        Lanes(lanes)
    });
    lanes.collect()
}
