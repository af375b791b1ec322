//! A fit by levenberg-marquardt, whose Jacobian comes from a model written for nalgebra's matrices.

use super::library::{
    Dyn, Matrix, OMatrix, OVector, RealField, U2, Vector2, convert, storage::Owned,
};
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use tape::Var;

const TIMES: [f64; 6] = [0.0, 0.5, 1.0, 2.0, 3.0, 5.0];

/// a·e^(−bt), by nalgebra's numbers.
fn model<T: RealField + Copy>(parameters: &Vector2<T>, t: f64) -> T {
    parameters.x * (-parameters.y * convert::<f64, T>(t)).exp()
}

struct Decay {
    parameters: Vector2<f64>,
    data: Vec<f64>,
}

impl Decay {
    fn residuals_at<T: RealField + Copy>(&self, parameters: &Vector2<T>) -> Vec<T> {
        TIMES
            .iter()
            .zip(&self.data)
            .map(|(&t, &y)| model(parameters, t) - convert::<f64, T>(y))
            .collect()
    }
}

impl LeastSquaresProblem<f64, Dyn, U2> for Decay {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, U2>;
    type ParameterStorage = Owned<f64, U2>;

    fn set_params(&mut self, x: &Vector2<f64>) {
        self.parameters = *x;
    }

    fn params(&self) -> Vector2<f64> {
        self.parameters
    }

    fn residuals(&self) -> Option<OVector<f64, Dyn>> {
        Some(OVector::<f64, Dyn>::from_vec(self.residuals_at(&self.parameters)))
    }

    fn jacobian(&self) -> Option<Matrix<f64, Dyn, U2, Self::JacobianStorage>> {
        let residuals = |x: &[Var]| self.residuals_at(&Vector2::new(x[0], x[1]));
        let jacobian = tape::jacobian(residuals, self.parameters.as_slice()).1;
        Some(OMatrix::<f64, Dyn, U2>::from_row_slice(&jacobian.data))
    }
}

#[test]
fn a_fit_with_the_jacobian_of_a_tape_finds_the_parameters() {
    let truth = Vector2::new(3.0, 0.7);
    let data = TIMES.iter().map(|&t| model(&truth, t)).collect();
    let (fitted, report) =
        LevenbergMarquardt::new().minimize(Decay { parameters: Vector2::new(1.0, 0.1), data });
    assert!(report.termination.was_successful(), "{report:?}");
    assert!((fitted.parameters - truth).norm() < 1e-10, "{}", fitted.parameters);
}
