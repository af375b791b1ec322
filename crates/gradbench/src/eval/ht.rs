//! `ht`: hand tracking. A hand of bones, posed by 26 parameters, moves the vertices of a mesh; the errors are the distances
//! of points from where the mesh should have them.

use core::ops::Mul;

use serde::Deserialize;
use tape::{Dual, Lanes, Real};

use super::{Module, vectorised};
use crate::failure::{Failure, assert_length, assert_some};
use crate::measure::measure;
use crate::rows::Rows;

pub(super) const MODULE: Module = Module {
    name: "ht",
    functions: &[
        ("objective", |input| measure(input, Hand::new, |hand, room| Ok(hand.errors(room)))),
        ("jacobian", |input| measure(input, Hand::new, |hand, room| Ok(hand.jacobian(room)))),
    ],
};

#[derive(Deserialize)]
struct Input {
    theta: Vec<f64>,
    data: Data,
    us: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Data {
    model: Model,
    correspondences: Vec<i64>,
    points: Rows,
}

#[derive(Deserialize)]
struct Model {
    bone_names: Vec<String>,
    parents: Vec<i64>,
    base_relatives: Vec<Rows>,
    inverse_base_absolutes: Vec<Rows>,
    base_positions: Rows,
    weights: Rows,
    triangles: Vec<[i64; 3]>,
    is_mirrored: bool,
}

/// Global rotation (3), global translation (3), and four angles for each of five fingers.
const THETA: usize = 6 + FINGERS * ANGLES;
const FINGERS: usize = 5;
const ANGLES: usize = 4;
/// The first bone of the first finger that is posed, and how far it is to the next finger's.
const FIRST_POSED: usize = 2;
const BONES_OF_A_FINGER: usize = 4;
/// What a correspondence adds to the variables: two barycentric coordinates.
const COORDINATES: usize = 2;

/// Rotation and translation: the upper three rows of a 4 × 4 matrix.
type Transform<T> = [[T; 4]; 3];

struct Hand {
    theta: Vec<f64>,
    bones: Vec<Bone>,
    is_mirrored: bool,
    /// The vertices that the correspondences need.
    vertices: Vec<Vertex>,
    /// Of every correspondence, the vertices that it lies between: one, or three.
    corners: Vec<[usize; 3]>,
    points: Rows,
    /// Empty where every correspondence is a vertex.
    us: Vec<[f64; 2]>,
}

struct Bone {
    parent: Option<usize>,
    relative: Transform<f64>,
    inverse: Transform<f64>,
}

struct Vertex {
    place: [f64; 4],
    /// How much each bone moves it; most do not.
    weights: Vec<f64>,
}

impl Hand {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { theta, data: Data { model, correspondences, points }, us } = input;
        assert_length("theta", THETA, theta.len())?;
        let count = model.bone_names.len();
        if count < FIRST_POSED + FINGERS * BONES_OF_A_FINGER - 1 {
            let (what, expected) = ("bone_names", "a hand of five fingers");
            return Err(Failure::Value { what, expected, given: count.to_string() });
        }
        assert_length("parents", count, model.parents.len())?;
        assert_length("base_relatives", count, model.base_relatives.len())?;
        assert_length("inverse_base_absolutes", count, model.inverse_base_absolutes.len())?;
        model.base_positions.assert_size("base_positions", model.base_positions.count(), 4)?;
        model.weights.assert_size("weights", model.base_positions.count(), count)?;
        assert_some("correspondences", correspondences.len())?;
        points.assert_size("points", correspondences.len(), 3)?;
        if !us.is_empty() {
            assert_length("us", correspondences.len(), us.len())?;
        }

        let bones = (0..count).map(|i| Bone::new(&model, i)).collect::<Result<_, _>>()?;
        let mut vertices = Vertices::new(&model);
        let mut corners = Vec::with_capacity(correspondences.len());
        for correspondence in correspondences {
            corners.push(if us.is_empty() {
                [vertices.place(correspondence)?; 3]
            } else {
                let triangle = model.triangles
                    [index("correspondences", correspondence, model.triangles.len())?];
                let [a, b, c] = triangle.map(|vertex| vertices.place(vertex));
                [a?, b?, c?]
            });
        }
        let vertices = vertices.used;
        Ok(Self { theta, bones, is_mirrored: model.is_mirrored, vertices, corners, points, us })
    }

    fn errors(&self, room: Vec<f64>) -> Vec<f64> {
        vectorised(
            #[inline(always)]
            || {
                let mut errors = room;
                errors.clear();
                self.each_error(&self.theta, |i| self.us[i], |error| errors.push(error));
                errors
            },
        )
    }

    /// The derivatives of all errors, a row each: with respect to the correspondence's own two coordinates, if it has
    /// any, and to θ.
    ///
    /// There are few columns and many rows: forward mode, eight directions at a time. No error depends on the coordinates
    /// of another correspondence, so that two directions serve for all of them.
    fn jacobian(&self, room: Rows) -> Rows {
        const LANES: usize = 8;
        let own = if self.us.is_empty() { 0 } else { COORDINATES };
        let columns = own + THETA;
        let mut jacobian = room.data;
        jacobian.resize(3 * self.corners.len() * columns, 0.0);
        for first in (0..columns).step_by(LANES) {
            let seeded = |value: f64, column: usize| {
                let lane = column.wrapping_sub(first);
                let tangent = core::array::from_fn(|other| f64::from(u8::from(other == lane)));
                Dual::new(Lanes::<LANES>::splat(value), Lanes(tangent))
            };
            let theta: Vec<_> =
                self.theta.iter().enumerate().map(|(i, &x)| seeded(x, own + i)).collect();
            let us = |i: usize| {
                let [u, v] = self.us[i];
                [seeded(u, 0), seeded(v, 1)]
            };
            let lanes = LANES.min(columns - first);
            let mut rows = jacobian.chunks_exact_mut(columns);
            vectorised(
                #[inline(always)]
                || {
                    self.each_error(&theta, us, |error| {
                        if let Some(row) = rows.next() {
                            row[first..][..lanes].copy_from_slice(&error.tangent.0[..lanes]);
                        }
                    });
                },
            );
        }
        Rows::new(columns, jacobian)
    }

    /// Calls `each` with three errors for every correspondence, whose coordinates `us` gives if it has any.
    #[inline(always)]
    fn each_error<T: Real + Mul<f64, Output = T>>(
        &self,
        theta: &[T],
        us: impl Fn(usize) -> [T; COORDINATES],
        mut each: impl FnMut(T),
    ) {
        let transforms = self.transforms(theta);
        // A loop: an iterator that collects may be compiled apart, without the vector instructions chosen here.
        let mut places: Vec<[T; 3]> = Vec::with_capacity(self.vertices.len());
        for vertex in &self.vertices {
            places.push(vertex.moved(&transforms));
        }
        for (i, (&[a, b, c], point)) in self.corners.iter().zip(self.points.iter()).enumerate() {
            let place = if self.us.is_empty() {
                places[a]
            } else {
                let ([u, v], mut place) = (us(i), places[c]);
                for (axis, place) in place.iter_mut().enumerate() {
                    let (a, b, c) = (places[a][axis], places[b][axis], places[c][axis]);
                    *place = c + u * (a - c) + v * (b - c);
                }
                place
            };
            for (&x, place) in point.iter().zip(place) {
                each(T::from_f64(x) - place);
            }
        }
    }

    /// Where each bone takes the vertices that it moves.
    #[inline(always)]
    fn transforms<T: Real + Mul<f64, Output = T>>(&self, theta: &[T]) -> Vec<Transform<T>> {
        let global = self.global(theta);
        let mut absolutes: Vec<Transform<T>> = Vec::with_capacity(self.bones.len());
        for (i, bone) in self.bones.iter().enumerate() {
            let relative = match self.angles(theta, i) {
                Some([x, z]) => bone.relative_turned(x, z),
                None => constant(&bone.relative),
            };
            absolutes.push(match bone.parent {
                Some(parent) => product(&absolutes[parent], &relative),
                None => relative,
            });
        }
        let mut transforms = Vec::with_capacity(self.bones.len());
        for (absolute, bone) in absolutes.iter().zip(&self.bones) {
            let mut transform = product(absolute, &bone.inverse);
            if self.is_mirrored {
                for x in &mut transform[0] {
                    *x = -*x;
                }
            }
            transforms.push(product(&global, &transform));
        }
        transforms
    }

    /// The angles about the x and z axes by which θ turns a bone, if it does.
    fn angles<T: Real>(&self, theta: &[T], bone: usize) -> Option<[T; 2]> {
        let bone = bone.checked_sub(FIRST_POSED)?;
        let (finger, joint) = (bone / BONES_OF_A_FINGER, bone % BONES_OF_A_FINGER);
        let angles = theta[6..].chunks_exact(ANGLES).nth(finger)?;
        match joint {
            0 => Some([angles[0], angles[1]]),
            1 | 2 => Some([angles[joint + 1], T::from_f64(0.0)]),
            _ => None,
        }
    }

    /// The rotation of the whole hand about an axis, and its translation.
    fn global<T: Real>(&self, theta: &[T]) -> Transform<T> {
        let [zero, one] = [0.0, 1.0].map(T::from_f64);
        let axis = &theta[..3];
        let angle = T::dot(axis, axis).sqrt();
        let rotation = if angle.primal() < 1e-4 {
            [[one, zero, zero], [zero, one, zero], [zero, zero, one]]
        } else {
            let [x, y, z] = [axis[0] / angle, axis[1] / angle, axis[2] / angle];
            let (sine, cosine) = (angle.sin(), angle.cos());
            let rest = one - cosine;
            let diagonal = |x: T| x * x + (one - x * x) * cosine;
            [
                [diagonal(x), x * y * rest - z * sine, x * z * rest + y * sine],
                [x * y * rest + z * sine, diagonal(y), y * z * rest - x * sine],
                [x * z * rest - y * sine, y * z * rest + x * sine, diagonal(z)],
            ]
        };
        [0, 1, 2].map(|i| {
            let [x, y, z] = rotation[i];
            [x, y, z, theta[3 + i]]
        })
    }
}

impl Bone {
    fn new(model: &Model, i: usize) -> Result<Self, Failure> {
        let parent = match model.parents[i] {
            -1 => None,
            // A bone comes after its parent.
            parent => Some(index("parents", parent, i)?),
        };
        let relative = transform("base_relatives", &model.base_relatives[i])?;
        let inverse = transform("inverse_base_absolutes", &model.inverse_base_absolutes[i])?;
        Ok(Self { parent, relative, inverse })
    }

    /// The bone's place relative to its parent's, turned about the x axis, then about the z axis.
    #[inline(always)]
    fn relative_turned<T: Real + Mul<f64, Output = T>>(&self, x: T, z: T) -> Transform<T> {
        let (sx, cx, sz, cz) = (x.sin(), x.cos(), z.sin(), z.cos());
        // The columns of Rz·Rx.
        let turned = [[cz, -(sz * cx), sz * sx], [sz, cz * cx, -(cz * sx)]];
        let mut result = constant(&self.relative);
        for (row, &[a, b, c, _]) in result.iter_mut().zip(&self.relative) {
            row[0] = turned[0][0] * a + turned[1][0] * b;
            row[1] = turned[0][1] * a + turned[1][1] * b + sx * c;
            row[2] = turned[0][2] * a + turned[1][2] * b + cx * c;
        }
        result
    }
}

impl Vertex {
    /// Where the bones take it: the weighted mean of where each would.
    #[inline(always)]
    fn moved<T: Real + Mul<f64, Output = T>>(&self, transforms: &[Transform<T>]) -> [T; 3] {
        let mut moved = [T::from_f64(0.0); 3];
        for (transform, &weight) in transforms.iter().zip(&self.weights) {
            if weight == 0.0 {
                continue;
            }
            for (moved, row) in moved.iter_mut().zip(transform) {
                for (&x, place) in row.iter().zip(&self.place) {
                    *moved += x * (place * weight);
                }
            }
        }
        moved
    }
}

/// The vertices that are used, each once.
struct Vertices<'a> {
    model: &'a Model,
    places: Vec<Option<usize>>,
    used: Vec<Vertex>,
}

impl<'a> Vertices<'a> {
    fn new(model: &'a Model) -> Self {
        Self { model, places: vec![None; model.base_positions.count()], used: Vec::new() }
    }

    /// The place of a vertex among those that are used.
    fn place(&mut self, vertex: i64) -> Result<usize, Failure> {
        let vertex = index("vertices", vertex, self.places.len())?;
        if let Some(place) = self.places[vertex] {
            return Ok(place);
        }
        let base = self.model.base_positions.row(vertex);
        self.used.push(Vertex {
            place: [base[0], base[1], base[2], base[3]],
            weights: self.model.weights.row(vertex).to_vec(),
        });
        Ok(*self.places[vertex].insert(self.used.len() - 1))
    }
}

fn index(what: &'static str, index: i64, count: usize) -> Result<usize, Failure> {
    let found = usize::try_from(index).ok().filter(|&index| index < count);
    found.ok_or(Failure::Index { what, index, count })
}

/// The upper three rows of a 4 × 4 matrix whose last is (0, 0, 0, 1).
fn transform(what: &'static str, matrix: &Rows) -> Result<Transform<f64>, Failure> {
    matrix.assert_size(what, 4, 4)?;
    Ok([0, 1, 2].map(|row| core::array::from_fn(|column| matrix.row(row)[column])))
}

/// A transform of constants.
#[inline(always)]
fn constant<T: Real>(transform: &Transform<f64>) -> Transform<T> {
    let mut result = [[T::from_f64(0.0); 4]; 3];
    for (row, constants) in result.iter_mut().zip(transform) {
        for (x, &constant) in row.iter_mut().zip(constants) {
            *x = T::from_f64(constant);
        }
    }
    result
}

/// a·b, where the last rows are (0, 0, 0, 1).
#[inline(always)]
fn product<T: Real, U: Copy>(a: &Transform<T>, b: &Transform<U>) -> Transform<T>
where
    T: Mul<U, Output = T>,
{
    let mut product = *a;
    for (row, &[x, y, z, w]) in product.iter_mut().zip(a) {
        for (column, sum) in row.iter_mut().enumerate() {
            *sum = x * b[0][column] + y * b[1][column] + z * b[2][column];
        }
        row[3] += w;
    }
    product
}
