//! `lstm`: how well a stack of LSTM cells with diagonal weights predicts the next character of a text.

use core::ops::Range;

use serde::Deserialize;
use tape::{Batch, Lanes, Real, Rewrites, Tape, Var};

use super::{Module, vectorised};
use crate::failure::{Failure, check_some};
use crate::measure::measure;
use crate::rows::Rows;

pub(super) const MODULE: Module = Module {
    name: "lstm",
    functions: &[
        ("objective", |input| measure(input, Model::new, |model, _| Ok(model.loss()))),
        ("jacobian", |input| {
            measure(input, Prepared::new, |prepared, _| {
                vectorised(
                    #[inline(always)]
                    || prepared.gradient(),
                )
            })
        }),
    ],
};

#[derive(Deserialize)]
struct Input {
    main_params: Rows,
    extra_params: Rows,
    state: Rows,
    sequence: Rows,
}

struct Model {
    /// How many numbers a character, and everything else, has.
    width: usize,
    /// For every layer, weights and biases of four gates; then the weights of the input, the weights of the output, and
    /// its biases.
    parameters: Rows,
    /// For every layer, what is hidden, and the cell.
    state: Rows,
    text: Rows,
}

/// How many rows of parameters a layer has: as many weights as biases.
const OF_LAYER: usize = 2 * GATES;
const GATES: usize = 4;
/// How many rows come after the layers'.
const AROUND: usize = 3;

impl Model {
    fn new(input: Input) -> Result<Self, Failure> {
        let Input { main_params, extra_params, state, sequence } = input;
        let (layers, width) = (main_params.count() / 2, sequence.columns);
        check_some("sequence", width)?;
        check_some("main_params", layers)?;
        main_params.check_size("main_params", 2 * layers, GATES * width)?;
        extra_params.check_size("extra_params", AROUND, width)?;
        state.check_size("state", 2 * layers, width)?;
        if sequence.count() < 2 {
            let (what, given) = ("sequence", sequence.count().to_string());
            return Err(Failure::Value { what, expected: "at least 2 characters", given });
        }
        let parameters = Rows::new(width, [main_params.data, extra_params.data].concat());
        Ok(Self { width, parameters, state, text: sequence })
    }

    /// How many numbers are predicted.
    fn predictions(&self) -> f64 {
        ((self.text.count() - 1) * self.width) as f64
    }

    /// The mean of the losses of all predictions.
    fn loss(&self) -> f64 {
        let column = |rows: &Rows, i: usize| rows.iter().map(|row| row[i]).collect::<Vec<_>>();
        let mut units: Vec<Unit<f64>> = (0..self.width)
            .map(|i| Unit {
                parameters: column(&self.parameters, i),
                state: column(&self.state, i),
            })
            .collect();
        let mut predicted = vec![0.0; self.width];
        let mut sum = 0.0;
        for (character, next) in self.text.iter().zip(self.text.iter().skip(1)) {
            for ((predicted, unit), &x) in predicted.iter_mut().zip(&mut units).zip(character) {
                *predicted = unit.predict(x);
            }
            sum += loss(&predicted, next);
        }
        sum / self.predictions()
    }
}

type Derivatives = fn(&[Var], &[Var]) -> Vec<Var>;

/// The derivatives of one character's loss, traced.
struct Prepared {
    model: Model,
    /// From what is predicted and the character to the gradient with respect to what is predicted.
    loss: Batch<Derivatives>,
    tape: Tape<Lanes<LANES>>,
}

fn loss_derivatives(_: &[Var], row: &[Var]) -> Vec<Var> {
    let (predicted, character) = row.split_at(row.len() / 2);
    let character: Vec<Var<Var>> = character.iter().map(|&x| Var::constant(x)).collect();
    tape::gradient(|predicted| loss(predicted, &character), predicted).1
}

impl Prepared {
    fn new(input: Input) -> Result<Self, Failure> {
        let model = Model::new(input)?;
        let derivatives: Derivatives = loss_derivatives;
        let row = vec![0.0; 2 * model.width];
        let loss = Batch::trace_with(Rewrites::Relaxed, derivatives, &[], &row)?;
        Ok(Self { model, loss, tape: Tape::new() })
    }

    /// The gradient of the loss with respect to the parameters.
    ///
    /// The weights are diagonal, so that units only meet in the loss: eight of them are computed as one, side by side in
    /// the lanes of one number. A long text is read on plain numbers first, to know in which state each segment begins;
    /// then the segments are recorded and swept, the last one first, so that the list stays short.
    #[inline(always)]
    fn gradient(&mut self) -> Result<Vec<f64>, Failure> {
        let model = &self.model;
        let units: Vec<Unit<Lanes<LANES>>> = model
            .blocks()
            .map(|first| Unit {
                parameters: model.parameters.iter().map(|row| lanes(row, first)).collect(),
                state: model.state.iter().map(|row| lanes(row, first)).collect(),
            })
            .collect();
        let segments = model.segments();
        let starts = model.starts(&segments, units.clone());

        let zero = Lanes::splat(0.0);
        let mut sums = vec![
            Derivative {
                by_parameters: vec![zero; model.parameters.count()],
                by_state: vec![zero; model.state.count()],
            };
            units.len()
        ];
        for (segment, start) in segments.into_iter().zip(starts).rev() {
            self.add_segment(segment, &start, &mut sums)?;
        }

        let model = &self.model;
        let scale = 1.0 / model.predictions();
        let mut gradient = vec![0.0; model.parameters.data.len()];
        for (sum, first) in sums.iter().zip(model.blocks()) {
            let rows = gradient.chunks_exact_mut(model.width);
            for (row, &derivative) in rows.zip(&sum.by_parameters) {
                let lanes = (derivative * scale).0;
                row[first..].iter_mut().zip(lanes).for_each(|(slot, lane)| *slot = lane);
            }
        }
        Ok(gradient)
    }

    /// Adds the derivatives of a segment's losses to those of all later ones: `sums` comes with the derivatives by the
    /// state after the segment, and leaves with those by the state before it.
    #[inline(always)]
    fn add_segment(
        &mut self,
        segment: Range<usize>,
        start: &[Unit<Lanes<LANES>>],
        sums: &mut [Derivative],
    ) -> Result<(), Failure> {
        let Self { model, loss, tape } = self;
        let width = model.width;
        tape.clear();
        let inputs: Vec<Unit<Var<Lanes<LANES>>>> = start
            .iter()
            .map(|unit| Unit {
                parameters: tape.vars_from(&unit.parameters),
                state: tape.vars_from(&unit.state),
            })
            .collect();
        let mut units = inputs.clone();
        let mut outputs = Vec::with_capacity(segment.len() * units.len());
        let mut rows = vec![0.0; segment.len() * 2 * width];
        for (time, row) in segment.zip(rows.chunks_exact_mut(2 * width)) {
            let (predicted, next) = row.split_at_mut(width);
            next.copy_from_slice(model.text.row(time + 1));
            for (unit, first) in units.iter_mut().zip(model.blocks()) {
                let output = unit.predict(Var::constant(lanes(model.text.row(time), first)));
                let predicted = predicted[first..].iter_mut();
                predicted.zip(output.value().0).for_each(|(slot, lane)| *slot = lane);
                outputs.push(output);
            }
        }

        // The losses are seeds of what is predicted.
        let mut partials = vec![0.0; outputs.len() / units.len() * width];
        loss.map_into(&[], &*rows, &mut partials)?;
        let partials = partials
            .chunks_exact(width)
            .flat_map(|row| model.blocks().map(move |first| lanes(row, first)));
        let mut seeds: Vec<_> = outputs.into_iter().zip(partials).collect();
        for (unit, sum) in units.iter().zip(&*sums) {
            seeds.extend(unit.state.iter().copied().zip(sum.by_state.iter().copied()));
        }
        let adjoints = tape.sweep_seeded(&seeds);
        for (unit, sum) in inputs.iter().zip(sums) {
            for (sum, &parameter) in sum.by_parameters.iter_mut().zip(&unit.parameters) {
                *sum += adjoints.wrt(parameter);
            }
            for (by_state, &state) in sum.by_state.iter_mut().zip(&unit.state) {
                *by_state = adjoints.wrt(state);
            }
        }
        Ok(())
    }
}

/// The derivatives of a sum of losses by what belongs to eight units.
#[derive(Clone)]
struct Derivative {
    by_parameters: Vec<Lanes<LANES>>,
    by_state: Vec<Lanes<LANES>>,
}

impl Model {
    /// The first unit of every eight.
    fn blocks(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.width).step_by(LANES)
    }

    /// The characters that are recorded together: so many that the list stays within a few megabytes.
    fn segments(&self) -> Vec<Range<usize>> {
        const NODES: usize = 40_000;
        const OF_A_LAYER: usize = 17;
        let layers = self.state.count() / 2;
        let characters = self.text.count() - 1;
        let length = (NODES / (OF_A_LAYER * layers)).max(1);
        let starts = (0..characters).step_by(length);
        starts.map(|start| start..characters.min(start + length)).collect()
    }

    /// The units as they are at the beginning of every segment.
    #[inline(always)]
    fn starts(
        &self,
        segments: &[Range<usize>],
        mut units: Vec<Unit<Lanes<LANES>>>,
    ) -> Vec<Vec<Unit<Lanes<LANES>>>> {
        let mut starts = vec![units.clone()];
        for segment in &segments[..segments.len() - 1] {
            for time in segment.clone() {
                for (unit, first) in units.iter_mut().zip(self.blocks()) {
                    unit.predict(lanes(self.text.row(time), first));
                }
            }
            starts.push(units.clone());
        }
        starts
    }
}

const LANES: usize = 8;

/// The numbers from `first` on, as many as there are lanes. The last one fills those that are left.
fn lanes(numbers: &[f64], first: usize) -> Lanes<LANES> {
    let numbers = &numbers[first..];
    let mut lanes = [numbers[numbers.len().min(LANES) - 1]; LANES];
    for (lane, &number) in lanes.iter_mut().zip(numbers) {
        *lane = number;
    }
    Lanes(lanes)
}

/// What belongs to one number of a character, through all layers.
#[derive(Clone)]
struct Unit<T> {
    parameters: Vec<T>,
    state: Vec<T>,
}

impl<T: Real> Unit<T> {
    /// One step in time: the prediction of the next character's number from this one's.
    #[inline(always)]
    fn predict(&mut self, x: T) -> T {
        let (layers, around) = self.parameters.split_at(self.parameters.len() - AROUND);
        let mut signal = x * around[0];
        for (layer, state) in layers.chunks_exact(OF_LAYER).zip(self.state.chunks_exact_mut(2)) {
            let (weights, biases) = layer.split_at(GATES);
            let [hidden, cell] = [state[0], state[1]];
            let forget = (signal * weights[0] + biases[0]).sigmoid();
            let ingate = (hidden * weights[1] + biases[1]).sigmoid();
            let outgate = (signal * weights[2] + biases[2]).sigmoid();
            let change = (hidden * weights[3] + biases[3]).tanh();
            let cell = cell * forget + ingate * change;
            signal = outgate * cell.tanh();
            (state[0], state[1]) = (signal, cell);
        }
        signal * around[1] + around[2]
    }
}

/// −Σᵢ cᵢ·(yᵢ − ln(2 + Σⱼ exp yⱼ)), for the predictions y of character c.
#[inline(always)]
fn loss<T: Real>(predicted: &[T], character: &[T]) -> T {
    let mut exponentials = T::from_f64(2.0);
    for y in predicted {
        exponentials += y.exp();
    }
    T::sum(character) * exponentials.ln() - T::dot(character, predicted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tape::Dual;

    use super::*;
    use crate::oracle::{self, assert_close, numbers, rows};

    /// A model with these parameters: rows of the layers', then three rows.
    fn input(parameters: &[Vec<f64>], state: &[Vec<f64>], text: &[Vec<f64>]) -> Input {
        let (layers, around) = parameters.split_at(parameters.len() - AROUND);
        let main: Vec<Vec<f64>> = layers.chunks(GATES).map(<[_]>::concat).collect();
        oracle::read(json!({
            "main_params": main, "extra_params": around, "state": state, "sequence": text,
        }))
    }

    /// One layer of one unit, which reads 1 and then is to predict 1, from this state.
    fn loss_of_a_unit(parameters: [f64; 11], state: [f64; 2]) -> f64 {
        let text = [vec![1.0], vec![1.0]];
        let input = input(&parameters.map(|x| vec![x]), &state.map(|x| vec![x]), &text);
        Model::new(input).unwrap().loss()
    }

    /// The loss of the prediction y of 1.
    fn loss_of(y: f64) -> f64 {
        (2.0 + y.exp()).ln() - y
    }

    #[test]
    fn a_unit_of_zeros_predicts_0() {
        // ln(2 + e⁰) − 0.
        assert_close(&[loss_of_a_unit([0.0; 11], [0.0; 2])], &[3.0_f64.ln()]);
    }

    #[test]
    fn the_loss_is_a_mean_over_numbers_and_characters() {
        // Of two numbers in each of three predictions, the first is 1: 3·ln(2 + 2·e⁰)/6.
        let text = [vec![0.0, 1.0], vec![1.0, 0.0], vec![1.0, 0.0], vec![1.0, 0.0]];
        let zeros = |count: usize| vec![vec![0.0, 0.0]; count];
        let input = input(&zeros(11), &zeros(2), &text);
        assert_close(&[Model::new(input).unwrap().loss()], &[4.0_f64.ln() / 2.0]);
    }

    /// A gate's sigmoid is 1 at 40 and 0 at −800, a tangent hyperbolic is 1 at 40; to all digits.
    const OPEN: f64 = 40.0;
    const SHUT: f64 = -800.0;

    /// The prediction of a unit whose gates have these biases and no weights, in the cell state 3, is tanh of this.
    #[track_caller]
    fn check_cell([forget, ingate, outgate, change]: [f64; 4], expected: f64) {
        let parameters = [0.0, 0.0, 0.0, 0.0, forget, ingate, outgate, change, 1.0, 1.0, 0.0];
        assert_close(&[loss_of_a_unit(parameters, [0.0, 3.0])], &[loss_of(expected)]);
    }

    #[test]
    fn a_cell_that_forgets_nothing_and_lets_nothing_in_is_kept() {
        check_cell([OPEN, SHUT, OPEN, OPEN], 3.0_f64.tanh());
    }

    #[test]
    fn a_cell_that_forgets_and_lets_in_is_changed() {
        check_cell([SHUT, OPEN, OPEN, OPEN], 1.0_f64.tanh());
    }

    #[test]
    fn a_cell_that_does_both_adds_up() {
        check_cell([OPEN, OPEN, OPEN, OPEN], 4.0_f64.tanh());
    }

    #[test]
    fn a_cell_that_lets_nothing_out_is_not_seen() {
        check_cell([OPEN, OPEN, SHUT, OPEN], 0.0);
    }

    #[test]
    fn weights_of_forgetting_and_letting_out_are_of_the_input_and_the_others_of_what_is_hidden() {
        // The input 1·0.5 and the hidden 0.25: σ(0.5·2), σ(0.25·4), σ(0.5·−6), tanh(0.25·8); the prediction 3·h − 1.
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let cell = 3.0 * sigmoid(1.0) + sigmoid(1.0) * 2.0_f64.tanh();
        let hidden = sigmoid(-3.0) * cell.tanh();
        let parameters = [2.0, 4.0, -6.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.5, 3.0, -1.0];
        assert_close(&[loss_of_a_unit(parameters, [0.25, 3.0])], &[loss_of(3.0 * hidden - 1.0)]);
    }

    #[test]
    fn a_layer_reads_what_the_one_before_gives() {
        // The first layer, all open, gives tanh 1. The second forgets none of its cell 0.5 and lets nothing in, and
        // lets out σ(tanh 1·2).
        let first = [0.0, 0.0, 0.0, 0.0, OPEN, OPEN, OPEN, OPEN];
        let second = [0.0, 0.0, 2.0, 0.0, OPEN, SHUT, 0.0, OPEN];
        let parameters = [&first[..], &second, &[1.0, 1.0, 0.0]].concat();
        let column = |numbers: &[f64]| numbers.iter().map(|&x| vec![x]).collect::<Vec<_>>();
        let text = [vec![1.0], vec![1.0]];
        let input = input(&column(&parameters), &column(&[0.0, 0.0, 0.0, 0.5]), &text);
        let outgate = 1.0 / (1.0 + (-2.0 * 1.0_f64.tanh()).exp());
        let expected = loss_of(outgate * 0.5_f64.tanh());
        assert_close(&[Model::new(input).unwrap().loss()], &[expected]);
    }

    /// The mean of the losses as it is written, by the parameters row by row.
    fn objective<T: Real>(model: &Model, parameters: &[T]) -> T {
        let column = |rows: &[T], i: usize| -> Vec<T> {
            rows.iter().skip(i).step_by(model.width).copied().collect()
        };
        let constants = |rows: &[f64]| rows.iter().map(|&x| T::from_f64(x)).collect::<Vec<_>>();
        let state = constants(&model.state.data);
        let mut units: Vec<Unit<T>> = (0..model.width)
            .map(|i| Unit { parameters: column(parameters, i), state: column(&state, i) })
            .collect();
        let mut sum = T::from_f64(0.0);
        for (character, next) in model.text.iter().zip(model.text.iter().skip(1)) {
            let inputs = constants(character);
            let predicted = units.iter_mut().zip(inputs).map(|(unit, x)| unit.predict(x));
            sum += loss(&predicted.collect::<Vec<T>>(), &constants(next));
        }
        sum / T::from_f64(model.predictions())
    }

    fn some_input(layers: usize, width: usize, characters: usize) -> Input {
        let parameters = rows(OF_LAYER * layers + AROUND, width);
        input(&parameters, &rows(2 * layers, width), &rows(characters, width))
    }

    #[test]
    fn the_loss_is_the_objective() {
        let model = Model::new(some_input(2, 3, 6)).unwrap();
        assert_close(&[model.loss()], &[objective(&model, &model.parameters.data)]);
    }

    #[track_caller]
    fn check_gradient(layers: usize, width: usize, characters: usize) {
        let mut prepared = Prepared::new(some_input(layers, width, characters)).unwrap();
        let gradient = prepared.gradient().unwrap();
        let model = &prepared.model;
        let loss = |parameters: &[Dual]| objective(model, parameters);
        assert_close(&gradient, &oracle::gradient(loss, &model.parameters.data));
    }

    #[test]
    fn the_gradient_of_one_layer_is_that_of_duals() {
        check_gradient(1, 3, 6);
    }

    #[test]
    fn the_gradient_of_two_layers_is_that_of_duals() {
        check_gradient(2, 3, 6);
    }

    #[test]
    fn the_gradient_of_as_many_units_as_lanes_is_that_of_duals() {
        check_gradient(1, LANES, 4);
    }

    #[test]
    fn the_gradient_of_more_units_than_lanes_is_that_of_duals() {
        check_gradient(2, LANES + 1, 5);
    }

    #[test]
    fn the_gradient_of_a_single_prediction_is_that_of_duals() {
        check_gradient(2, 3, 2);
    }

    /// So many layers that a segment has few characters.
    const LAYERS: usize = 40;

    #[test]
    fn a_long_text_is_read_in_segments() {
        let model = Model::new(some_input(LAYERS, 1, 150)).unwrap();
        assert_eq!(model.segments(), [0..58, 58..116, 116..149]);
    }

    #[test]
    fn the_gradient_of_a_long_text_is_that_of_duals() {
        check_gradient(LAYERS, 1, 150);
    }

    #[test]
    fn a_gradient_leaves_nothing_behind_for_the_next() {
        let mut prepared = Prepared::new(some_input(2, 3, 6)).unwrap();
        let first = prepared.gradient().unwrap();
        assert_eq!(prepared.gradient().unwrap(), first);
    }

    #[test]
    fn lanes_that_are_left_repeat_the_last_number() {
        assert_eq!(lanes(&numbers(10), 8).0[2..], [numbers(10)[9]; 6]);
    }
}
