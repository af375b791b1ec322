//! `ba`: bundle adjustment. Cameras look at points; every observation gives two reprojection errors and one error of its
//! weight, and the Jacobian of all errors is sparse.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tape::{Batch, Real, Rewrites, Var};

use super::{Module, vectorised};
use crate::descent::Number;
use crate::failure::{Failure, check_length};
use crate::measure::measure;

pub(super) const MODULE: Module = Module {
    name: "ba",
    functions: &[
        ("objective", |input| measure(input, Scene::new, |scene, _| Ok(scene.errors()))),
        ("jacobian", |input| measure(input, Prepared::new, Prepared::jacobian)),
    ],
};

#[derive(Deserialize)]
struct Input {
    n: usize,
    m: usize,
    p: usize,
    cam: Vec<f64>,
    x: Vec<f64>,
    w: f64,
    feat: Vec<f64>,
}

/// Rotation (3), centre (3), focal length, principal point (2), radial distortion (2).
const CAMERA: usize = 11;
const POINT: usize = 3;
const FEATURE: usize = 2;
/// What a reprojection depends on: its camera, its point, its weight.
const VARIABLES: usize = CAMERA + POINT + 1;
/// And the feature, which is data.
const OBSERVATION: usize = VARIABLES + FEATURE;
/// How many cameras, points and observations there may be: the Jacobian's indices have 32 bits.
const MOST: usize = 100_000_000;
const _: () = assert!(MOST * (CAMERA + POINT + 1) <= u32::MAX as usize);
const _: () = assert!(MOST * (2 * VARIABLES + 1) <= u32::MAX as usize);

struct Scene {
    cameras: Vec<f64>,
    points: Vec<f64>,
    weights: Vec<f64>,
    features: Vec<f64>,
    /// The camera and the point of every observation.
    observed: Vec<[usize; 2]>,
}

#[derive(Default, Serialize)]
struct Errors {
    reproj_error: Repeated<[f64; 2]>,
    w_err: RepeatedOne,
}

/// All are alike, since the input was one repeated: the first is written, and how many there are.
#[derive(Default, Serialize)]
struct Repeated<T> {
    elements: T,
    repeated: usize,
}

#[derive(Default, Serialize)]
struct RepeatedOne {
    element: f64,
    repeated: usize,
}

impl Scene {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { n, m, p, cam, x, w, feat } = input;
        for (what, count) in [("n", n), ("m", m), ("p", p)] {
            if !(1..=MOST).contains(&count) {
                let given = count.to_string();
                return Err(Failure::Value { what, expected: "from 1 to 10^8", given });
            }
        }
        check_length("cam", CAMERA, cam.len())?;
        check_length("x", POINT, x.len())?;
        check_length("feat", FEATURE, feat.len())?;
        Ok(Self {
            cameras: cam.repeat(n),
            points: x.repeat(m),
            weights: vec![w; p],
            features: feat.repeat(p),
            observed: (0..p).map(|i| [i % n, i % m]).collect(),
        })
    }

    fn camera(&self, index: usize) -> &[f64] {
        &self.cameras[index * CAMERA..][..CAMERA]
    }

    fn point(&self, index: usize) -> &[f64] {
        &self.points[index * POINT..][..POINT]
    }

    fn feature(&self, index: usize) -> &[f64] {
        &self.features[index * FEATURE..][..FEATURE]
    }

    fn errors(&self) -> Errors {
        let mut reprojections = Vec::with_capacity(self.observed.len());
        let mut weights = Vec::with_capacity(self.observed.len());
        vectorised(
            #[inline(always)]
            || {
                for (i, &[camera, point]) in self.observed.iter().enumerate() {
                    let (camera, point) = (self.camera(camera), self.point(point));
                    let weight = self.weights[i];
                    reprojections.push(reprojection(camera, point, weight, self.feature(i)));
                }
                weights.extend(self.weights.iter().map(|&weight| weight_error(weight)));
            },
        );
        Errors {
            reproj_error: Repeated { elements: reprojections[0], repeated: reprojections.len() },
            w_err: RepeatedOne { element: weights[0], repeated: weights.len() },
        }
    }
}

/// How far the point, seen by the camera, lies from the feature, times the weight.
#[inline(always)]
fn reprojection<T: Number>(camera: &[T], point: &[T], weight: T, feature: &[T]) -> [T; 2] {
    let [r1, r2, r3, c1, c2, c3, focal, u0, v0, k1, k2] = *camera else {
        unreachable!("a camera has {CAMERA} numbers")
    };
    let relative = [point[0] - c1, point[1] - c2, point[2] - c3];
    let [x, y, z] = rotated([r1, r2, r3], relative);
    let (x, y) = (x / z, y / z);
    let square = x * x + y * y;
    let scale = (T::from_f64(1.0) + k1 * square + k2 * square * square) * focal;
    [weight * (x * scale + u0 - feature[0]), weight * (y * scale + v0 - feature[1])]
}

/// `x` turned by the angle ‖axis‖ about the axis, by Rodrigues' formula.
#[inline(always)]
fn rotated<T: Number>(axis: [T; 3], x: [T; 3]) -> [T; 3] {
    let square = inner(axis, axis);
    if square == T::from_f64(0.0) {
        // To first order, which is what a derivative needs.
        let turned = cross(axis, x);
        return [x[0] + turned[0], x[1] + turned[1], x[2] + turned[2]];
    }
    let angle = square.sqrt();
    let (cosine, sine) = (angle.cos(), angle.sin());
    let inverse = T::from_f64(1.0) / angle;
    let unit = axis.map(|component| component * inverse);
    let along = inner(unit, x) * (T::from_f64(1.0) - cosine);
    let turned = cross(unit, x);
    [0, 1, 2].map(|i| x[i] * cosine + turned[i] * sine + unit[i] * along)
}

#[inline(always)]
fn inner<T: Real>(a: [T; 3], b: [T; 3]) -> T {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[inline(always)]
fn cross<T: Real>(a: [T; 3], b: [T; 3]) -> [T; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// How far the weight is from ±1.
#[inline(always)]
fn weight_error<T: Real>(weight: T) -> T {
    T::from_f64(1.0) - weight * weight
}

/// The non-zeros of the Jacobian by rows, as GradBench has them: of the rows' starts and of the rest, the first
/// observation's and the last entry are written.
#[derive(Default)]
struct Jacobian {
    pattern: Rc<Pattern>,
    values: Vec<f64>,
}

/// Where the non-zeros are.
#[derive(Default)]
struct Pattern {
    starts: Vec<u32>,
    columns: Vec<u32>,
}

impl Serialize for Jacobian {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Ends {
            rows: Vec<u32>,
            cols: Vec<u32>,
            vals: Vec<f64>,
        }
        let Pattern { starts, columns } = &*self.pattern;
        Ends { rows: ends(starts), cols: ends(columns), vals: ends(&self.values) }
            .serialize(serializer)
    }
}

fn ends<T: Copy>(items: &[T]) -> Vec<T> {
    let first = &items[..items.len().min(2 * VARIABLES)];
    first.iter().chain(items.last()).copied().collect()
}

type Derivatives = fn(&[Var], &[Var]) -> Vec<Var>;

/// The derivatives of one observation, themselves traced; and where they belong.
struct Prepared {
    scene: Scene,
    /// From an observation to the 2 × 15 derivatives of its reprojection.
    reprojection: Batch<Derivatives>,
    /// From a weight to the derivative of its error.
    weight: Batch<Derivatives>,
    pattern: Rc<Pattern>,
    observations: Vec<f64>,
}

fn reprojection_derivatives(_: &[Var], observation: &[Var]) -> Vec<Var> {
    let (variables, feature) = observation.split_at(VARIABLES);
    let feature: Vec<Var<Var>> = feature.iter().map(|&x| Var::constant(x)).collect();
    let errors = |x: &[Var<Var>]| {
        let (camera, rest) = x.split_at(CAMERA);
        reprojection(camera, &rest[..POINT], rest[POINT], &feature).to_vec()
    };
    tape::jacobian(errors, variables).1.data
}

fn weight_derivative(_: &[Var], weight: &[Var]) -> Vec<Var> {
    tape::gradient(|x| weight_error(x[0]), weight).1
}

impl Pattern {
    /// First come the rows of the reprojections, two for each observation, then those of the weights.
    fn new(scene: &Scene) -> Self {
        let Scene { cameras, points, observed, .. } = scene;
        let count = observed.len();
        let starts = (0..=2 * count).map(|row| row * VARIABLES);
        let after = (1..=count).map(|row| 2 * count * VARIABLES + row);
        let starts = starts.chain(after).map(|start| start as u32).collect();
        let mut columns = Vec::with_capacity(count * (2 * VARIABLES + 1));
        let first_weight = cameras.len() + points.len();
        for (i, &[camera, point]) in observed.iter().enumerate() {
            for _ in 0..2 {
                let camera = camera * CAMERA..(camera + 1) * CAMERA;
                let point = cameras.len() + point * POINT..cameras.len() + (point + 1) * POINT;
                let row = camera.chain(point).chain([first_weight + i]);
                columns.extend(row.map(|column| column as u32));
            }
        }
        columns.extend((0..count).map(|i| (first_weight + i) as u32));
        Self { starts, columns }
    }
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let scene = Scene::new(input)?;
        let [reprojection, weight]: [Derivatives; 2] =
            [reprojection_derivatives, weight_derivative];
        Ok(Self {
            reprojection: Batch::trace_with(
                Rewrites::Relaxed,
                reprojection,
                &[],
                &[1.0; OBSERVATION],
            )?,
            weight: Batch::trace_with(Rewrites::Relaxed, weight, &[], &[1.0])?,
            pattern: Rc::new(Pattern::new(&scene)),
            observations: vec![0.0; scene.observed.len() * OBSERVATION],
            scene,
        })
    }

    fn jacobian(&mut self, room: Jacobian) -> Result<Jacobian, Failure> {
        let Self { scene, observations, .. } = self;
        let rows = observations.chunks_exact_mut(OBSERVATION);
        for (i, (row, &[camera, point])) in rows.zip(&scene.observed).enumerate() {
            row[..CAMERA].copy_from_slice(scene.camera(camera));
            row[CAMERA..][..POINT].copy_from_slice(scene.point(point));
            row[CAMERA + POINT] = scene.weights[i];
            row[VARIABLES..].copy_from_slice(scene.feature(i));
        }
        let mut values = room.values;
        values.resize(self.pattern.columns.len(), 0.0);
        let of_reprojections = 2 * VARIABLES * self.scene.observed.len();
        let (reprojections, weights) = values.split_at_mut(of_reprojections);
        self.reprojection.map_into(&[], &*self.observations, reprojections)?;
        self.weight.map_into(&[], &*self.scene.weights, weights)?;
        Ok(Jacobian { pattern: Rc::clone(&self.pattern), values })
    }
}

#[cfg(test)]
mod tests {
    use core::f64::consts::FRAC_PI_2;

    use serde_json::{json, to_value};
    use tape::Dual;

    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    /// At the origin, looking along z, with the focal length 1 and no distortion.
    const PLAIN: [f64; CAMERA] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];

    fn input([n, m, p]: [usize; 3]) -> Input {
        oracle::read(json!({
            "n": n, "m": m, "p": p, "cam": numbers(CAMERA), "x": [0.3, -0.4, 5.0],
            "w": 0.7, "feat": [0.2, -0.1],
        }))
    }

    /// The reprojection of (1, 2, 4) with the weight 1 from the feature (0, 0), by a camera that is plain but for this.
    #[track_caller]
    fn check(first: usize, numbers: &[f64], expected: [f64; 2]) {
        let mut camera = PLAIN;
        camera[first..first + numbers.len()].copy_from_slice(numbers);
        let errors = reprojection(&camera, &[1.0, 2.0, 4.0], 1.0, &[0.0, 0.0]);
        assert_close(&errors, &expected);
    }

    #[test]
    fn a_plain_camera_divides_by_the_depth() {
        check(0, &[], [0.25, 0.5]);
    }

    #[test]
    fn a_camera_sees_points_relative_to_its_centre() {
        // (1, 2, 4) − (−1, 1, 2) = (2, 1, 2).
        check(3, &[-1.0, 1.0, 2.0], [1.0, 0.5]);
    }

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        // (1, 2, 4) becomes (−2, 1, 4).
        check(2, &[FRAC_PI_2], [-0.5, 0.25]);
    }

    #[test]
    fn a_quarter_turn_about_x_takes_y_to_z() {
        // (1, 2, 4) becomes (1, −4, 2).
        check(0, &[FRAC_PI_2], [0.5, -2.0]);
    }

    #[test]
    fn a_quarter_turn_about_y_takes_z_to_x() {
        // (1, 2, 4) becomes (4, 2, −1).
        check(1, &[FRAC_PI_2], [-4.0, -2.0]);
    }

    #[test]
    fn a_third_of_a_turn_about_the_diagonal_moves_the_axes_round() {
        // (1, 2, 4) becomes (4, 1, 2): the angle is 2π/3, and the axis (1, 1, 1)/√3.
        let component = 4.0 * FRAC_PI_2 / 3.0 / 3.0_f64.sqrt();
        check(0, &[component; 3], [2.0, 0.5]);
    }

    #[test]
    fn the_focal_length_and_the_principal_point_place_the_image() {
        // 3·(¼, ½) + (10, 20).
        check(6, &[3.0, 10.0, 20.0], [10.75, 21.5]);
    }

    #[test]
    fn distortion_grows_with_the_square_and_its_square() {
        // r² = 1/16 + 1/4 = 5/16: the scale is 1 + 16·5/16 + 256·25/256 = 31.
        check(9, &[16.0, 256.0], [31.0 / 4.0, 31.0 / 2.0]);
    }

    #[test]
    fn the_error_is_the_weighted_distance_from_the_feature() {
        // 2·((¼, ½) − (1, 1)).
        let errors = reprojection(&PLAIN, &[1.0, 2.0, 4.0], 2.0, &[1.0, 1.0]);
        assert_eq!(errors, [-1.5, -1.0]);
    }

    #[test]
    fn a_weight_of_3_is_8_too_large() {
        // 1 − 3².
        assert_eq!(weight_error(3.0), -8.0);
    }

    #[test]
    fn no_rotation_is_the_limit_of_small_ones() {
        let small = numbers(3).iter().map(|x| 1e-9 * x).collect::<Vec<_>>();
        let derivatives = |axis: &[f64]| {
            let turned = |r: &[Dual]| {
                rotated([r[0], r[1], r[2]], [1.0, 2.0, 4.0].map(Dual::constant)).to_vec()
            };
            oracle::jacobian(turned, axis)
        };
        for (zero, small) in derivatives(&[0.0; 3]).iter().zip(derivatives(&small)) {
            assert!((zero - small).abs() < 1e-8, "{zero}, not {small}");
        }
    }

    #[test]
    fn the_errors_are_written_once_and_counted() {
        let mut scene = Scene::new(input([1, 1, 5])).unwrap();
        scene.cameras = PLAIN.to_vec();
        scene.points = vec![1.0, 2.0, 4.0];
        scene.features = vec![0.0; 10];
        scene.weights = vec![2.0; 5];
        let expected = json!({
            "reproj_error": { "elements": [0.5, 1.0], "repeated": 5 },
            "w_err": { "element": -3.0, "repeated": 5 },
        });
        assert_eq!(to_value(scene.errors()).unwrap(), expected);
    }

    #[test]
    fn observations_go_round_the_cameras_and_the_points() {
        let observed = Scene::new(input([2, 3, 7])).unwrap().observed;
        assert_eq!(observed, [[0, 0], [1, 1], [0, 2], [1, 0], [0, 1], [1, 2], [0, 0]]);
    }

    /// Two rows of a camera, a point and a weight for each observation, then a row of a weight for each.
    #[test]
    fn rows_start_after_15_entries_and_after_1() {
        let pattern = Pattern::new(&Scene::new(input([2, 1, 2])).unwrap());
        assert_eq!(pattern.starts, [0, 15, 30, 45, 60, 61, 62]);
    }

    #[test]
    fn columns_are_of_the_cameras_then_of_the_points_then_of_the_weights() {
        let pattern = Pattern::new(&Scene::new(input([2, 2, 2])).unwrap());
        // The second observation is of camera 1 from column 11, of point 1 from 2·11 + 3, and of weight 1 at 28 + 1.
        let row = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 25, 26, 27, 29];
        assert_eq!(pattern.columns[30..], [&row[..], &row, &[28, 29]].concat());
    }

    #[test]
    fn of_the_jacobian_the_first_thirty_entries_and_the_last_are_written() {
        let jacobian = Prepared::new(input([2, 2, 2])).unwrap().jacobian(Jacobian::default());
        let written = to_value(jacobian.unwrap()).unwrap();
        assert_eq!(["cols", "vals"].map(|part| written[part].as_array().unwrap().len()), [31, 31]);
    }

    #[test]
    fn of_the_rows_the_last_start_is_written_after_all_where_there_are_few() {
        let jacobian = Prepared::new(input([1, 1, 1])).unwrap().jacobian(Jacobian::default());
        assert_eq!(to_value(jacobian.unwrap()).unwrap()["rows"], json!([0, 15, 30, 31, 31]));
    }

    /// The values of the Jacobian of 13 observations of 3 cameras and 4 points are the derivatives of its errors by
    /// duals, whatever the cameras' numbers are.
    #[track_caller]
    fn check_jacobian(camera: impl Fn(usize) -> Vec<f64>) {
        let mut prepared = Prepared::new(input([3, 4, 13])).unwrap();
        prepared.scene.cameras = (0..3).flat_map(camera).collect();
        prepared.scene.points = numbers(4 * POINT).iter().map(|x| x + 3.0).collect();
        prepared.scene.weights = numbers(13);
        prepared.scene.features = numbers(13 * FEATURE);
        let jacobian = prepared.jacobian(Jacobian::default()).unwrap();

        let scene = &prepared.scene;
        let mut expected = Vec::new();
        for (i, &[camera, point]) in scene.observed.iter().enumerate() {
            let feature: Vec<Dual> = scene.feature(i).iter().map(|&x| x.into()).collect();
            let errors = |x: &[Dual]| {
                let (point, weight) = (&x[CAMERA..CAMERA + POINT], x[CAMERA + POINT]);
                reprojection(&x[..CAMERA], point, weight, &feature).to_vec()
            };
            let variables = [scene.camera(camera), scene.point(point), &[scene.weights[i]]];
            expected.extend(oracle::jacobian(errors, &variables.concat()));
        }
        // By w: −2·w.
        expected.extend(scene.weights.iter().map(|weight| -2.0 * weight));
        assert_close(&jacobian.values, &expected);
    }

    #[test]
    fn the_jacobian_is_that_of_duals() {
        check_jacobian(|camera| numbers(3 * CAMERA)[camera * CAMERA..][..CAMERA].to_vec());
    }

    #[test]
    fn the_jacobian_without_rotation_is_that_of_duals() {
        check_jacobian(|_| [&[0.0; 3], &numbers(CAMERA - 3)[..]].concat());
    }

    #[test]
    fn the_jacobian_of_cameras_with_and_without_rotation_is_that_of_duals() {
        check_jacobian(|camera| {
            let mut camera_numbers = numbers(CAMERA);
            if camera == 1 {
                camera_numbers[..3].fill(0.0);
            }
            camera_numbers
        });
    }

    #[test]
    fn room_with_other_numbers_in_it_is_overwritten() {
        let mut prepared = Prepared::new(input([1, 2, 3])).unwrap();
        let first = prepared.jacobian(Jacobian::default()).unwrap();
        let room = Jacobian { pattern: Rc::default(), values: vec![f64::NAN; 500] };
        assert_eq!(prepared.jacobian(room).unwrap().values, first.values);
    }
}
