//! `ba`: bundle adjustment. Cameras look at points; every observation gives two reprojection errors and one error of its
//! weight, and the Jacobian of all errors is sparse.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tape::{Batch, Real, Rewrites, Var};

use super::{Module, vectorised};
use crate::descent::Number;
use crate::failure::{Failure, assert_length};
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
        assert_length("cam", CAMERA, cam.len())?;
        assert_length("x", POINT, x.len())?;
        assert_length("feat", FEATURE, feat.len())?;
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
