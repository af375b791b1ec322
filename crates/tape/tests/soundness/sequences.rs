//! Sequences of operations on tapes, made from any bytes, with derivatives that are known otherwise: each variable carries
//! its own by forward mode. What is stale must panic, whatever else is right must have the right numbers.
//!
//! The property test and the fuzz target share it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread;

use tape::{Adjoints, Mark, Tape, Var};

use crate::panics::{catch, expecting_none};

const SHELVES: usize = 3;
const MOST_KNOWN: usize = 48;
const MOST_DEPTH: usize = 3;

/// Runs the sequence.
pub(crate) fn run(bytes: &[u8]) {
    run_beside(bytes, Vec::new(), 0);
}

fn run_beside(bytes: &[u8], foreign: Vec<Var>, depth: usize) -> Vec<Var> {
    let world = World {
        choices: RefCell::new(bytes.iter().rev().copied().collect()),
        state: RefCell::new(State { foreign, ..State::default() }),
        depth: Cell::new(depth),
    };
    while world.step() {}
    world.check_all();
    world.state.into_inner().known.iter().map(|known| known.variable).collect()
}

struct World {
    /// The bytes that are left, last first.
    choices: RefCell<Vec<u8>>,
    state: RefCell<State>,
    /// How many closures, iterators and threads deep this is.
    depth: Cell<usize>,
}

#[derive(Default)]
struct State {
    shelves: [Shelf; SHELVES],
    known: Vec<Known>,
    /// Variables of other threads.
    foreign: Vec<Var>,
    marks: Vec<Marked>,
    adjoints: Vec<Adjoints>,
    outers: Vec<Outer>,
    /// What the sums at work are made of.
    summed: Vec<Known>,
    generations: u64,
}

/// A place for a tape.
#[derive(Clone, Default)]
struct Shelf {
    tape: Option<Rc<Tape>>,
    /// Another one after each clear.
    generation: u64,
    inputs: Vec<Input>,
    /// The lengths that sums at work count on, each with the generation.
    floors: Vec<(u64, usize)>,
}

#[derive(Clone, Copy)]
struct Input {
    variable: Var,
    place: usize,
    is_cut: bool,
}

#[derive(Clone, Copy)]
struct Marked {
    shelf: usize,
    generation: u64,
    mark: Mark,
    len: usize,
    /// Whether the list has been shorter since.
    is_cut: bool,
}

/// A variable, and what is known about it.
#[derive(Clone)]
struct Known {
    variable: Var,
    shelf: usize,
    generation: u64,
    /// The length of the list when it had been recorded.
    place: usize,
    /// Whether the list has been shorter since.
    is_cut: bool,
    value: f64,
    /// By the tape's inputs; 0 for those that are not there.
    derivatives: Vec<f64>,
}

/// A tape of variables, a variable on it, and what that was made of.
struct Outer {
    tape: Tape<Var>,
    variable: Var<Var>,
    inner: Known,
}

#[derive(Clone, Copy, PartialEq)]
enum Condition {
    Good,
    /// Using it must panic.
    Stale,
    /// It has been rewound, and another may be in its place.
    Unknown,
}

/// A value with its derivatives, by forward mode.
#[derive(Clone)]
struct Number(f64, Vec<f64>);

impl Number {
    fn of(&self, value: f64, derivative: f64) -> Self {
        Self(value, self.1.iter().map(|d| d * derivative).collect())
    }

    fn plus(&self, other: &Self) -> Self {
        let at = |v: &[f64], i: usize| v.get(i).copied().unwrap_or(0.0);
        let length = self.1.len().max(other.1.len());
        Self(self.0 + other.0, (0..length).map(|i| at(&self.1, i) + at(&other.1, i)).collect())
    }

    fn times(&self, other: &Self) -> Self {
        let product = self.of(0.0, other.0).plus(&other.of(0.0, self.0));
        Self(self.0 * other.0, product.1)
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs() + b.abs())
}

impl State {
    fn condition(&self, known: &Known) -> Condition {
        let shelf = &self.shelves[known.shelf];
        match &shelf.tape {
            Some(tape) if shelf.generation == known.generation => match known.is_cut {
                false => Condition::Good,
                true if known.place > tape.len() => Condition::Stale,
                true => Condition::Unknown,
            },
            _ => Condition::Stale,
        }
    }

    /// What was recorded on this shelf behind this length may be gone.
    fn cut(&mut self, shelf: usize, len: usize) {
        let generation = self.shelves[shelf].generation;
        let outers = self.outers.iter_mut().map(|outer| &mut outer.inner);
        for known in self.known.iter_mut().chain(outers).chain(&mut self.summed) {
            if known.shelf == shelf && known.generation == generation && known.place > len {
                known.is_cut = true;
            }
        }
        for marked in &mut self.marks {
            marked.is_cut |=
                marked.shelf == shelf && marked.generation == generation && marked.len > len;
        }
        for input in &mut self.shelves[shelf].inputs {
            input.is_cut |= input.place > len;
        }
    }

    fn new_generation(&mut self, shelf: usize, tape: Option<Rc<Tape>>) {
        self.generations += 1;
        let floors = std::mem::take(&mut self.shelves[shelf].floors);
        let generation = self.generations;
        self.shelves[shelf] = Shelf { tape, generation, inputs: Vec::new(), floors };
    }

    fn floor(&self, shelf: usize) -> Option<usize> {
        let shelf = &self.shelves[shelf];
        let mut own = shelf.floors.iter().filter(|floor| floor.0 == shelf.generation);
        own.next_back().map(|floor| floor.1)
    }
}

impl World {
    /// Ends the sequence by 0 without an effect.
    fn choose(&self) -> u8 {
        self.choices.borrow_mut().pop().unwrap_or(0)
    }

    fn choose_below(&self, end: usize) -> usize {
        usize::from(self.choose()) % end.max(1)
    }

    fn number(&self) -> f64 {
        (f64::from(self.choose()) - 127.5) / 64.0
    }

    fn tape(&self, shelf: usize) -> Option<Rc<Tape>> {
        self.state.borrow().shelves[shelf].tape.clone()
    }

    /// One of the known variables.
    fn pick(&self) -> Option<Known> {
        let state = self.state.borrow();
        let count = state.known.len();
        if count == 0 {
            return None;
        }
        // The latest are the likeliest to be good.
        let back = self.choose_below(count.min(12));
        Some(state.known[count - 1 - back].clone())
    }

    fn pick_good(&self) -> Option<Known> {
        let known = self.pick()?;
        (self.state.borrow().condition(&known) == Condition::Good).then_some(known)
    }

    /// One step, unless the bytes are used up.
    fn step(&self) -> bool {
        if self.choices.borrow().is_empty() {
            return false;
        }
        let shelf = self.choose_below(SHELVES);
        match self.choose() % 32 {
            0..=5 => self.input(shelf),
            6..=8 => self.of_one(),
            9..=12 => self.of_two(),
            13..=15 => self.of_many(),
            16..=17 => self.sweep(),
            18 => self.mark(shelf),
            19 => self.rewind(),
            20 => self.clear(shelf),
            21 => self.drop_tape(shelf),
            22..=25 => self.sum_over(),
            26 => self.gradient(),
            27 => self.nest(),
            28 => self.sweep_nested(),
            29 => self.thread(),
            30 => self.use_foreign(),
            _ => self.show(),
        }
        true
    }

    fn deeper(&self, f: impl FnOnce()) {
        if self.depth.get() < MOST_DEPTH {
            self.depth.set(self.depth.get() + 1);
            expecting_none(f);
            self.depth.set(self.depth.get() - 1);
        }
    }

    /// An independent variable, on a tape made for it where there is none.
    fn input(&self, shelf: usize) {
        if self.tape(shelf).is_none() {
            self.state.borrow_mut().new_generation(shelf, Some(Rc::new(Tape::new())));
        }
        let Some(tape) = self.tape(shelf) else { return };
        let value = self.number();
        let variable = tape.var(value);
        let state = &mut *self.state.borrow_mut();
        let inputs = &mut state.shelves[shelf].inputs;
        let mut derivatives = vec![0.0; inputs.len() + 1];
        derivatives[inputs.len()] = 1.0;
        inputs.push(Input { variable, place: tape.len(), is_cut: false });
        self.keep(state, shelf, &tape, variable, Number(value, derivatives));
    }

    #[allow(clippy::unused_self, reason = "it reads like the others")]
    fn keep(&self, state: &mut State, shelf: usize, tape: &Tape, variable: Var, number: Number) {
        let Number(value, derivatives) = number;
        assert!(close(variable.value(), value), "{} is not {value}", variable.value());
        // What grows too large is compared no longer, and a constant (a sum that depends on nothing) is never stale.
        if variable.is_constant() || value.abs() > 1e3 || derivatives.iter().any(|d| d.abs() > 1e5)
        {
            return;
        }
        if state.known.len() == MOST_KNOWN {
            state.known.remove(0);
        }
        let generation = state.shelves[shelf].generation;
        let place = tape.len();
        let is_cut = false;
        state.known.push(Known { variable, shelf, generation, place, is_cut, value, derivatives });
    }

    /// Records an operation: it panics if, and only if, it must.
    fn record(
        &self,
        arguments: &[Known],
        f: impl FnOnce(&[Var]) -> Var,
        number: impl FnOnce(&[Number]) -> Number,
    ) {
        let conditions: Vec<Condition> =
            arguments.iter().map(|known| self.state.borrow().condition(known)).collect();
        if conditions.contains(&Condition::Unknown) || arguments.is_empty() {
            return;
        }
        let shelf = arguments[0].shelf;
        let is_right = arguments.iter().all(|known| known.shelf == shelf)
            && !conditions.contains(&Condition::Stale);
        let variables: Vec<Var> = arguments.iter().map(|known| known.variable).collect();
        match catch(|| f(&variables)) {
            Ok(_) if !is_right => panic!("what is stale or on two tapes was accepted"),
            Ok(result) => {
                let numbers: Vec<Number> = arguments
                    .iter()
                    .map(|known| Number(known.value, known.derivatives.clone()))
                    .collect();
                let Some(tape) = self.tape(shelf) else { panic!("the tape is there") };
                self.keep(&mut self.state.borrow_mut(), shelf, &tape, result, number(&numbers));
            }
            Err(message) if is_right => panic!("what is right was refused: {message}"),
            Err(message) => assert!(
                ["cleared since", "dropped since", "different tapes", "been rewound"]
                    .iter()
                    .any(|reason| message.contains(reason)),
                "{message}"
            ),
        }
    }

    fn of_one(&self) {
        let Some(x) = self.pick() else { return };
        let c = self.number();
        match self.choose() % 4 {
            0 => self.record(&[x], |x| x[0].sin(), |x| x[0].of(x[0].0.sin(), x[0].0.cos())),
            1 => self.record(&[x], |x| x[0] * c, |x| x[0].of(x[0].0 * c, c)),
            2 => self.record(&[x], |x| c - x[0], |x| x[0].of(c - x[0].0, -1.0)),
            _ => self.record(
                &[x],
                |x| tape::custom(&[x[0]], 2.0 * x[0].value(), &[2.0]),
                |x| x[0].of(2.0 * x[0].0, 2.0),
            ),
        }
    }

    fn of_two(&self) {
        let (Some(x), Some(y)) = (self.pick(), self.pick()) else { return };
        match self.choose() % 3 {
            0 => self.record(&[x, y], |x| x[0] + x[1], |x| x[0].plus(&x[1])),
            1 => self.record(&[x, y], |x| x[0] - x[1], |x| x[0].plus(&x[1].of(-x[1].0, -1.0))),
            _ => self.record(&[x, y], |x| x[0] * x[1], |x| x[0].times(&x[1])),
        }
    }

    fn of_many(&self) {
        let count = 1 + self.choose_below(5);
        let arguments: Vec<Known> = (0..count).filter_map(|_| self.pick()).collect();
        let zero = Number(0.0, Vec::new());
        match self.choose() % 4 {
            0 => self.record(&arguments, tape::sum, |x| x.iter().fold(zero, |sum, x| sum.plus(x))),
            1 => self.record(
                &arguments,
                |x| tape::dot(x, x),
                |x| x.iter().fold(zero, |sum, x| sum.plus(&x.times(x))),
            ),
            2 => self.record(
                &arguments,
                |x| {
                    let with_constant: Vec<Var> =
                        x.iter().copied().chain([Var::constant(1.0)]).collect();
                    tape::dot(&with_constant, &with_constant)
                },
                |x| x.iter().fold(Number(1.0, Vec::new()), |sum, x| sum.plus(&x.times(x))),
            ),
            _ => self.record(
                &arguments,
                |x| tape::log_sum_exp(x),
                |x| {
                    let largest = x.iter().fold(f64::NEG_INFINITY, |largest, x| largest.max(x.0));
                    let weights: Vec<f64> = x.iter().map(|x| (x.0 - largest).exp()).collect();
                    let total: f64 = weights.iter().sum();
                    let of = x.iter().zip(&weights).map(|(x, w)| x.of(0.0, w / total));
                    let mut sum = of.fold(zero, |sum, x| sum.plus(&x));
                    sum.0 = largest + total.ln();
                    sum
                },
            ),
        }
    }

    fn sweep(&self) {
        let Some(known) = self.pick_good() else { return };
        self.check(&known);
        if self.choose().is_multiple_of(2)
            && let Some(tape) = self.tape(known.shelf)
        {
            let adjoints = tape.sweep(known.variable);
            let state = &mut *self.state.borrow_mut();
            state.adjoints.push(adjoints);
            if state.adjoints.len() > 6 {
                state.adjoints.remove(0);
            }
        }
    }

    /// The derivatives of a good variable are those that are known.
    fn check(&self, known: &Known) {
        let Some(tape) = self.tape(known.shelf) else { panic!("the tape is there") };
        let adjoints = tape.sweep(known.variable);
        let inputs = self.state.borrow().shelves[known.shelf].inputs.clone();
        for (input, &expected) in inputs.iter().zip(&known.derivatives) {
            let derivative = if input.is_cut { expected } else { adjoints.wrt(input.variable) };
            assert!(close(derivative, expected), "the derivative is {derivative}, not {expected}");
        }
        assert!(close(known.variable.value(), known.value));
    }

    fn check_all(&self) {
        let all = self.state.borrow().known.clone();
        for known in all {
            if self.state.borrow().condition(&known) == Condition::Good {
                self.check(&known);
            }
        }
    }

    fn mark(&self, shelf: usize) {
        let Some(tape) = self.tape(shelf) else { return };
        let state = &mut *self.state.borrow_mut();
        let generation = state.shelves[shelf].generation;
        let (mark, len) = (tape.mark(), tape.len());
        state.marks.push(Marked { shelf, generation, mark, len, is_cut: false });
        if state.marks.len() > 8 {
            state.marks.remove(0);
        }
    }

    fn rewind(&self) {
        let count = self.state.borrow().marks.len();
        let Some(&marked) = self.state.borrow().marks.get(self.choose_below(count)) else { return };
        let Marked { shelf, generation, mark, len, is_cut } = marked;
        let Some(tape) = self.tape(shelf) else { return };
        let is_right = self.state.borrow().shelves[shelf].generation == generation
            && len <= tape.len()
            && self.state.borrow().floor(shelf).is_none_or(|floor| len >= floor);
        let result = catch(|| tape.rewind(mark));
        match &result {
            // Another operation may have taken its place.
            Err(message) if is_cut && message.contains("inside an operation") => return,
            _ => assert_eq!(result.is_ok(), is_right, "{result:?}"),
        }
        if is_right {
            assert_eq!(tape.len(), len);
            self.state.borrow_mut().cut(shelf, len);
        }
    }

    fn clear(&self, shelf: usize) {
        let Some(tape) = self.tape(shelf) else { return };
        let is_right = self.state.borrow().floor(shelf).is_none();
        let result = catch(|| tape.clear());
        assert_eq!(result.is_ok(), is_right, "{result:?}");
        if is_right {
            self.state.borrow_mut().new_generation(shelf, Some(tape));
        }
    }

    fn drop_tape(&self, shelf: usize) {
        let tape = self.state.borrow_mut().shelves[shelf].tape.take();
        match tape {
            // A sum borrows it.
            Some(tape) if Rc::strong_count(&tape) > 1 => {
                self.state.borrow_mut().shelves[shelf].tape = Some(tape);
            }
            Some(tape) => {
                drop(tape);
                self.state.borrow_mut().new_generation(shelf, None);
            }
            None => {}
        }
    }

    /// Σ cᵢ·x·sin x, with steps of their own in the iterator and the closure.
    fn sum_over(&self) {
        let Some(x) = self.pick_good() else { return };
        let (shelf, count) = (x.shelf, 1 + self.choose_below(4));
        let by_method = self.choose().is_multiple_of(2);
        let panics_at = (self.choose().is_multiple_of(8)).then(|| self.choose_below(count));
        let factors: Vec<f64> = (0..count).map(|_| self.number()).collect();
        let generation = self.state.borrow().shelves[shelf].generation;
        let floors = self.state.borrow().shelves[shelf].floors.len();
        let variable = x.variable;
        let base = Rc::new(Cell::new(None));
        let items = Items {
            world: self,
            shelf,
            generation,
            next: 0,
            count,
            base: Rc::clone(&base),
            is_in_panic: thread::panicking(),
        };
        let term = |i: usize| {
            self.deeper(|| {
                for _ in 0..self.choose() % 4 {
                    self.step();
                }
            });
            assert!(panics_at != Some(i), "as it was chosen");
            let term = variable * factors[i] * variable.sin();
            if i == 0 {
                // It may be rewound before the second one.
                let state = &mut *self.state.borrow_mut();
                let shelf = &state.shelves[shelf];
                let place = shelf.tape.as_ref().map_or(0, |tape| tape.len());
                let first = Known { place, generation: shelf.generation, ..x.clone() };
                state.summed.extend((!by_method).then_some(first));
            }
            term
        };
        let depth = self.state.borrow().summed.len();
        self.state.borrow_mut().summed.push(x.clone());
        let result = catch(|| {
            if by_method {
                let Some(tape) = self.tape(shelf) else { panic!("the tape is there") };
                tape.sum_over(items, term)
            } else {
                tape::sum_over(items, term)
            }
        });
        let state = &mut *self.state.borrow_mut();
        state.shelves[shelf].floors.truncate(floors);
        let summed = state.summed.split_off(depth);
        let is_there =
            state.shelves[shelf].generation == generation && state.shelves[shelf].tape.is_some();
        let is_good = summed.iter().all(|known| state.condition(known) == Condition::Good);
        match result {
            Ok(_) if !is_there || panics_at.is_some() => panic!("the sum was made nevertheless"),
            Ok(result) => {
                let Some(tape) = state.shelves[shelf].tape.clone() else { return };
                // What the terms have recorded is gone.
                state.cut(shelf, base.get().unwrap_or(0));
                let factor: f64 = factors.iter().sum();
                let (sin, cos) = x.value.sin_cos();
                let number = Number(x.value, x.derivatives.clone());
                let number = number.of(x.value * sin * factor, factor * (sin + x.value * cos));
                // Where x itself was rewound meanwhile, the numbers may be another's.
                if is_good {
                    self.keep(state, shelf, &tape, result, number);
                }
            }
            Err(message) => {
                // A term of the first step that was rewound since, or cleared with its tape.
                let expected = panics_at.is_some() || !is_there || message.contains("been rewound");
                assert!(expected, "the sum was refused: {message}");
                // Its last term is left.
                if is_there {
                    state.cut(shelf, x.place);
                }
            }
        }
    }

    fn gradient(&self) {
        let x = [self.number(), self.number()];
        let mut sum = 0.0;
        let (value, gradient) = tape::gradient(
            |v| {
                self.deeper(|| {
                    self.step();
                });
                sum = tape::gradient(|w| w[0] * w[1], &x).1.iter().sum();
                v[0] * v[1] + tape::sum_over(0..2, |_| v[0])
            },
            &x,
        );
        assert!(close(value, x[0] * x[1] + 2.0 * x[0]) && close(sum, x[0] + x[1]));
        assert!(close(gradient[0], x[1] + 2.0) && close(gradient[1], x[0]));
        // On the variable's own tape the gradient is a variable.
        if let Some(outer) = self.pick_good() {
            let square = |x: &[Var]| {
                let gradient = tape::gradient(|y: &[Var<Var>]| y[0] * y[0] * y[0], x);
                gradient.1[0] * 0.1
            };
            self.record(&[outer], square, |x| {
                let x = &x[0];
                x.of(0.3 * x.0 * x.0, 0.6 * x.0)
            });
        }
    }

    /// A tape of variables, kept for later.
    fn nest(&self) {
        let Some(inner) = self.pick_good() else { return };
        let tape = Tape::new();
        let variable = tape.var(inner.variable);
        let state = &mut *self.state.borrow_mut();
        state.outers.push(Outer { tape, variable, inner });
        if state.outers.len() > 4 {
            state.outers.remove(0);
        }
    }

    /// The derivative of 0.1·y³ as a variable of the inner tape.
    fn sweep_nested(&self) {
        let count = self.state.borrow().outers.len();
        let chosen = self.choose_below(count);
        if count == 0 {
            return;
        }
        let outer = self.state.borrow_mut().outers.swap_remove(chosen);
        let (tape, y) = (&outer.tape, outer.variable);
        // The product is recorded last.
        let sweep = |_: &[Var]| tape.sweep(tape::sum_over(0..2, |_| y * y * y * 0.05)).wrt(y) * 1.0;
        self.record(std::slice::from_ref(&outer.inner), sweep, |x| {
            let x = &x[0];
            x.of(0.3 * x.0 * x.0, 0.6 * x.0)
        });
        self.state.borrow_mut().outers.push(outer);
    }

    /// Another thread takes a sequence of its own, with our variables as foreign ones; its own come back.
    fn thread(&self) {
        let length = self.choose_below(40);
        let bytes: Vec<u8> = (0..length).map(|_| self.choose()).collect();
        let foreign: Vec<Var> =
            self.state.borrow().known.iter().map(|known| known.variable).collect();
        self.deeper(|| {
            let depth = self.depth.get();
            let work = move || run_beside(&bytes, foreign, depth);
            let returned = thread::spawn(work).join();
            let returned = returned.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            self.state.borrow_mut().foreign.extend(returned.into_iter().take(3));
        });
    }

    fn use_foreign(&self) {
        let (foreign, own) = (self.state.borrow().foreign.clone(), self.pick_good());
        if foreign.is_empty() {
            return;
        }
        let x = foreign[self.choose_below(foreign.len())];
        let uses: [Result<Var, String>; 3] = [
            catch(|| x.sin()),
            catch(|| own.as_ref().map_or(x, |own| own.variable) * x),
            catch(|| tape::sum(&[x, own.as_ref().map_or(x, |own| own.variable)])),
        ];
        for result in uses {
            match result {
                Ok(_) => panic!("a variable of another thread was accepted"),
                Err(message) => assert!(message.contains("of another thread"), "{message}"),
            }
        }
    }

    fn show(&self) {
        let Some(known) = self.pick_good() else { return };
        let Some(tape) = self.tape(known.shelf) else { return };
        if tape.len() < 100 {
            let shown =
                tape.show(known.variable).to_string() + &tape.dot(known.variable).to_string();
            assert!(shown.contains("digraph"));
        }
    }
}

/// The items of a sum. Where it is asked for anything, it takes a step.
struct Items<'a> {
    world: &'a World,
    shelf: usize,
    generation: u64,
    next: usize,
    count: usize,
    /// The length of the list from which the terms are recorded, once they are swept.
    base: Rc<Cell<Option<usize>>>,
    /// Whether a panic was unwinding before.
    is_in_panic: bool,
}

impl Items<'_> {
    fn step(&self) {
        self.world.deeper(|| {
            if self.world.choose().is_multiple_of(3) {
                self.world.step();
            }
        });
    }
}

impl Iterator for Items<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if let Some(base) = self.base.get() {
            // What the last term has recorded is gone.
            let state = &mut *self.world.state.borrow_mut();
            if state.shelves[self.shelf].generation == self.generation {
                state.cut(self.shelf, base);
            }
        }
        self.step();
        self.next += 1;
        (self.next <= self.count).then(|| self.next - 1)
    }

    /// It is asked before the sum begins to sweep its terms. From then on, the list must not get shorter than it is.
    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.base.get().is_none() {
            self.step();
            let state = &mut *self.world.state.borrow_mut();
            let shelf = &mut state.shelves[self.shelf];
            if let Some(tape) = &shelf.tape {
                shelf.floors.push((shelf.generation, tape.len()));
                self.base.set(Some(tape.len()));
            }
        }
        (self.count, None)
    }
}

impl Drop for Items<'_> {
    fn drop(&mut self) {
        if self.is_in_panic {
            // There is no telling whether the sum has panicked too.
            return;
        }
        if thread::panicking() && self.base.get().is_some() {
            // The sum has panicked, and is at work no longer.
            self.world.state.borrow_mut().shelves[self.shelf].floors.pop();
        }
        self.step();
    }
}
