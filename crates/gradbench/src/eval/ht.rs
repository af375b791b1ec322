//! `ht`: hand tracking. A hand of bones, posed by 26 parameters, moves the vertices of a mesh; the errors are the distances
//! of points from where the mesh should have them.

use core::ops::Mul;

use serde::Deserialize;
use tape::{Dual, Lanes, Real};

use super::{Module, vectorised};
use crate::failure::{Failure, check_length, check_some};
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
        check_length("theta", THETA, theta.len())?;
        let count = model.bone_names.len();
        if count < FIRST_POSED + FINGERS * BONES_OF_A_FINGER - 1 {
            let (what, expected) = ("bone_names", "a hand of five fingers");
            return Err(Failure::Value { what, expected, given: count.to_string() });
        }
        check_length("parents", count, model.parents.len())?;
        check_length("base_relatives", count, model.base_relatives.len())?;
        check_length("inverse_base_absolutes", count, model.inverse_base_absolutes.len())?;
        model.base_positions.check_size("base_positions", model.base_positions.count(), 4)?;
        model.weights.check_size("weights", model.base_positions.count(), count)?;
        check_some("correspondences", correspondences.len())?;
        points.check_size("points", correspondences.len(), 3)?;
        if !us.is_empty() {
            check_length("us", correspondences.len(), us.len())?;
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
        let global = Self::global(theta);
        let mut absolutes: Vec<Transform<T>> = Vec::with_capacity(self.bones.len());
        for (i, bone) in self.bones.iter().enumerate() {
            let relative = match Self::angles(theta, i) {
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
    fn angles<T: Real>(theta: &[T], bone: usize) -> Option<[T; 2]> {
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
    fn global<T: Real>(theta: &[T]) -> Transform<T> {
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
    matrix.check_size(what, 4, 4)?;
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
fn product<T: Real + Mul<U, Output = T>, U: Copy>(
    a: &Transform<T>,
    b: &Transform<U>,
) -> Transform<T> {
    let mut product = *a;
    for (row, &[x, y, z, w]) in product.iter_mut().zip(a) {
        for (column, sum) in row.iter_mut().enumerate() {
            *sum = x * b[0][column] + y * b[1][column] + z * b[2][column];
        }
        row[3] += w;
    }
    product
}

#[cfg(test)]
mod tests {
    use core::f64::consts::FRAC_PI_2;

    use serde_json::json;

    use super::*;
    use crate::oracle::{self, assert_close, numbers};

    const BONES: usize = 22;
    const IDENTITY: Transform<f64> =
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    /// A quarter turn about z: x becomes y, and y −x.
    const TURNED: Transform<f64> =
        [[0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

    fn matrix(transform: Transform<f64>) -> Rows {
        let last = [0.0, 0.0, 0.0, 1.0];
        Rows::new(4, [transform.as_flattened(), &last].concat())
    }

    /// Bones without parents, each where the space begins, with a vertex at (1, 2, 3) that belongs to it alone; all points
    /// are at the origin.
    fn resting() -> Input {
        let weights = |i: usize| (0..BONES).map(move |bone| f64::from(u8::from(bone == i)));
        Input {
            theta: vec![0.0; THETA],
            data: Data {
                model: Model {
                    bone_names: vec![String::new(); BONES],
                    parents: vec![-1; BONES],
                    base_relatives: vec![matrix(IDENTITY); BONES],
                    inverse_base_absolutes: vec![matrix(IDENTITY); BONES],
                    base_positions: Rows::new(4, [1.0, 2.0, 3.0, 1.0].repeat(BONES)),
                    weights: Rows::new(BONES, (0..BONES).flat_map(weights).collect()),
                    triangles: Vec::new(),
                    is_mirrored: false,
                },
                correspondences: (0..).take(BONES).collect(),
                points: Rows::new(3, vec![0.0; 3 * BONES]),
            },
            us: Vec::new(),
        }
    }

    fn errors(input: Input) -> Vec<f64> {
        Hand::new(input).unwrap().errors(Vec::new())
    }

    /// The vertex of this bone of a hand that rests but for a change is here.
    #[track_caller]
    fn check(bone: usize, change: impl FnOnce(&mut Input), expected: [f64; 3]) {
        let mut input = resting();
        change(&mut input);
        let place: Vec<f64> = errors(input)[3 * bone..][..3].iter().map(|error| -error).collect();
        assert_close(&place, &expected);
    }

    #[test]
    fn a_resting_hand_leaves_vertices_where_they_are() {
        check(5, |_| {}, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn the_error_is_from_the_vertex_to_the_point() {
        let mut input = resting();
        input.data.points = Rows::new(3, [10.0, 20.0, 30.0].repeat(BONES));
        assert_eq!(errors(input)[..3], [9.0, 18.0, 27.0]);
    }

    #[test]
    fn the_hand_is_translated() {
        check(
            5,
            |input| input.theta[3..6].copy_from_slice(&[10.0, 20.0, 30.0]),
            [11.0, 22.0, 33.0],
        );
    }

    #[test]
    fn the_hand_is_turned_about_x() {
        check(5, |input| input.theta[0] = FRAC_PI_2, [1.0, -3.0, 2.0]);
    }

    #[test]
    fn the_hand_is_turned_about_y() {
        check(5, |input| input.theta[1] = FRAC_PI_2, [3.0, 2.0, -1.0]);
    }

    #[test]
    fn the_hand_is_turned_about_z() {
        check(5, |input| input.theta[2] = FRAC_PI_2, [-2.0, 1.0, 3.0]);
    }

    #[test]
    fn a_third_of_a_turn_about_the_diagonal_moves_the_axes_round() {
        let component = 4.0 * FRAC_PI_2 / 3.0 / 3.0_f64.sqrt();
        check(5, |input| input.theta[..3].fill(component), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn the_hand_is_turned_before_it_is_translated() {
        let change = |input: &mut Input| {
            input.theta[2] = FRAC_PI_2;
            input.theta[3] = 10.0;
        };
        check(5, change, [8.0, 1.0, 3.0]);
    }

    #[test]
    fn a_mirrored_hand_is_turned_after_it_is_mirrored() {
        let change = |input: &mut Input| {
            input.data.model.is_mirrored = true;
            input.theta[2] = FRAC_PI_2;
        };
        // (1, 2, 3), (−1, 2, 3), (−2, −1, 3).
        check(5, change, [-2.0, -1.0, 3.0]);
    }

    /// The first two angles of a finger turn its first bone about x and z, the other two its next bones about x.
    #[test]
    fn every_angle_turns_its_bone_and_no_other() {
        for angle in 0..FINGERS * ANGLES {
            let mut input = resting();
            input.theta[6 + angle] = FRAC_PI_2;
            let (finger, of_finger) = (angle / 4, angle % 4);
            let turned = 2 + 4 * finger + [0, 0, 1, 2][of_finger];
            let place = if of_finger == 1 { [-2.0, 1.0, 3.0] } else { [1.0, -3.0, 2.0] };
            let expected =
                (0..BONES).flat_map(|bone| if bone == turned { place } else { [1.0, 2.0, 3.0] });
            let places: Vec<f64> = errors(input).iter().map(|error| -error).collect();
            assert_close(&places, &expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_bone_is_turned_about_x_before_z() {
        // (1, 2, 3), (1, −3, 2), (3, 1, 2).
        check(2, |input| input.theta[6..8].fill(FRAC_PI_2), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn a_bone_is_turned_before_it_is_put_in_its_place() {
        let change = |input: &mut Input| {
            input.theta[6] = FRAC_PI_2;
            input.data.model.base_relatives[2] = matrix(TURNED);
        };
        // (1, 2, 3), (1, −3, 2), (3, 1, 2).
        check(2, change, [3.0, 1.0, 2.0]);
    }

    #[test]
    fn a_bone_is_put_in_its_place_before_its_parent_is() {
        let change = |input: &mut Input| {
            let mut moved = IDENTITY;
            moved[0][3] = 10.0;
            input.data.model.parents[3] = 2;
            input.data.model.base_relatives[2] = matrix(TURNED);
            input.data.model.base_relatives[3] = matrix(moved);
        };
        // (1, 2, 3), (11, 2, 3), (−2, 11, 3).
        check(3, change, [-2.0, 11.0, 3.0]);
    }

    #[test]
    fn a_vertex_is_taken_to_its_bone_first() {
        let change = |input: &mut Input| {
            let mut moved = IDENTITY;
            moved[0][3] = 10.0;
            input.data.model.base_relatives[4] = matrix(TURNED);
            input.data.model.inverse_base_absolutes[4] = matrix(moved);
        };
        // (1, 2, 3), (11, 2, 3), (−2, 11, 3).
        check(4, change, [-2.0, 11.0, 3.0]);
    }

    #[test]
    fn a_vertex_of_two_bones_is_between_where_they_take_it() {
        let change = |input: &mut Input| {
            input.data.model.base_relatives[1] = matrix(TURNED);
            // Three quarters of (1, 2, 3) and one of (−2, 1, 3).
            input.data.model.weights.data[..2].copy_from_slice(&[0.75, 0.25]);
        };
        check(0, change, [0.25, 1.75, 3.0]);
    }

    #[test]
    fn a_correspondence_is_within_a_triangle() {
        let mut input = resting();
        input.data.model.base_positions.data[..12]
            .copy_from_slice(&[8.0, 0.0, 0.0, 1.0, 0.0, 8.0, 0.0, 1.0, 0.0, 0.0, 8.0, 1.0]);
        input.data.model.triangles = vec![[9, 9, 9], [0, 1, 2]];
        input.data.correspondences = vec![1];
        input.data.points = Rows::new(3, vec![0.0; 3]);
        // ½·a + ¼·b + ¼·c.
        input.us = vec![[0.5, 0.25]];
        assert_eq!(errors(input), [-4.0, -2.0, -2.0]);
    }

    #[test]
    fn a_correspondence_names_a_vertex() {
        let mut input = resting();
        input.data.model.base_positions.data[4 * 7] = 5.0;
        input.data.correspondences = vec![7, 0, 7];
        input.data.points = Rows::new(3, vec![0.0; 9]);
        assert_eq!(errors(input), [-5.0, -2.0, -3.0, -1.0, -2.0, -3.0, -5.0, -2.0, -3.0]);
    }

    /// Fingers of four bones on a wrist, none where another is; six vertices, each between many bones.
    fn posed(rotation: [f64; 3], is_mirrored: bool, has_us: bool) -> Input {
        let parents = (0..).take(BONES).map(|i| match i {
            0 => -1,
            _ if i % 4 == 2 => 1,
            _ => i - 1,
        });
        let spread = numbers(2 * BONES * 12);
        let near_identity = |numbers: &[f64]| {
            let mut transform = IDENTITY;
            for (x, number) in transform.as_flattened_mut().iter_mut().zip(numbers) {
                *x += 0.3 * number;
            }
            matrix(transform)
        };
        let mut transforms = spread.chunks(12).map(near_identity);
        let base_relatives = transforms.by_ref().take(BONES).collect();
        let weights = numbers(6 * BONES).iter().map(|x| x.max(0.0)).collect();
        let correspondences = if has_us { vec![1, 0, 1, 2] } else { vec![5, 0, 2, 5, 3] };
        let points = Rows::new(3, numbers(3 * correspondences.len()));
        let us = numbers(8).chunks(2).map(|us| [us[0], us[1]]).collect();
        Input {
            theta: [&rotation, &numbers(THETA - 3)[..]].concat(),
            data: Data {
                model: Model {
                    bone_names: vec![String::new(); BONES],
                    parents: parents.collect(),
                    base_relatives,
                    inverse_base_absolutes: transforms.collect(),
                    base_positions: Rows::new(4, numbers(24)),
                    weights: Rows::new(BONES, weights),
                    triangles: vec![[0, 1, 2], [2, 4, 5], [3, 0, 5]],
                    is_mirrored,
                },
                correspondences,
                points,
            },
            us: if has_us { us } else { Vec::new() },
        }
    }

    const ROTATION: [f64; 3] = [0.4, -0.7, 0.2];

    /// Of the derivatives by all coordinates, which duals give, the jacobian has the correspondence's own.
    #[track_caller]
    fn check_jacobian(rotation: [f64; 3], is_mirrored: bool, has_us: bool) {
        let hand = Hand::new(posed(rotation, is_mirrored, has_us)).unwrap();
        let jacobian = hand.jacobian(Rows::default());

        let coordinates = COORDINATES * hand.us.len();
        let variables = [hand.us.as_flattened(), &hand.theta].concat();
        let errors = |x: &[Dual]| {
            let (us, theta) = x.split_at(coordinates);
            let mut errors = Vec::new();
            hand.each_error(theta, |i| [us[2 * i], us[2 * i + 1]], |error| errors.push(error));
            errors
        };
        let derivatives = oracle::jacobian(errors, &variables);
        let mut expected = Vec::new();
        for (i, row) in derivatives.chunks(variables.len()).enumerate() {
            let (us, theta) = row.split_at(coordinates);
            expected.extend(us.chunks(2).nth(i / 3).into_iter().flatten().chain(theta));
        }
        assert_close(&jacobian.data, &expected);
    }

    #[test]
    fn the_jacobian_of_vertices_is_that_of_duals() {
        check_jacobian(ROTATION, false, false);
    }

    #[test]
    fn the_jacobian_of_a_mirrored_hand_is_that_of_duals() {
        check_jacobian(ROTATION, true, false);
    }

    #[test]
    fn the_jacobian_of_triangles_is_that_of_duals() {
        check_jacobian(ROTATION, false, true);
    }

    #[test]
    fn the_jacobian_of_a_mirrored_hands_triangles_is_that_of_duals() {
        check_jacobian(ROTATION, true, true);
    }

    #[test]
    fn the_jacobian_of_a_hand_that_is_not_turned_is_that_of_duals() {
        check_jacobian([0.0; 3], false, true);
    }

    #[test]
    fn a_hand_that_is_not_turned_has_no_derivatives_by_its_rotation() {
        let hand = Hand::new(posed([0.0; 3], false, false)).unwrap();
        let jacobian = hand.jacobian(Rows::default());
        assert!(jacobian.iter().all(|row| row[..3] == [0.0; 3]));
    }

    #[test]
    fn the_errors_of_a_posed_hand_are_those_that_duals_carry() {
        let hand = Hand::new(posed(ROTATION, true, true)).unwrap();
        let theta: Vec<Dual> = hand.theta.iter().map(|&x| x.into()).collect();
        let mut expected = Vec::new();
        let us = |i: usize| hand.us[i].map(Dual::constant);
        hand.each_error(&theta, us, |error| expected.push(error.value));
        assert_close(&hand.errors(Vec::new()), &expected);
    }

    #[test]
    fn room_with_other_numbers_in_it_is_overwritten() {
        let hand = Hand::new(posed(ROTATION, false, true)).unwrap();
        let room = Rows::new(1, vec![f64::NAN; 1000]);
        assert_eq!(hand.jacobian(room), hand.jacobian(Rows::default()));
    }

    #[test]
    fn an_input_is_read_from_json() {
        let input: Input = oracle::read(json!({
            "theta": vec![0.0; THETA],
            "data": {
                "model": {
                    "bone_count": 1, "bone_names": ["wrist"], "parents": [-1],
                    "base_relatives": [[[1.0, 0.0, 0.0, 0.0]]],
                    "inverse_base_absolutes": [[[1.0, 0.0, 0.0, 0.0]]],
                    "base_positions": [[1.0, 2.0, 3.0, 1.0]], "weights": [[1.0]],
                    "triangles": [[0, 0, 0]], "is_mirrored": true,
                },
                "correspondences": [0], "points": [[1.0, 2.0, 3.0]],
            },
            "us": [[0.5, 0.25]],
        }));
        assert_eq!(input.us, [[0.5, 0.25]]);
    }
}
