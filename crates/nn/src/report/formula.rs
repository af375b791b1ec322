//! The page of a formula: its Wengert list to step through, where an adjoint is the sum of all that is handed back to it.

use serde::Serialize;
use tape::{Tape, Var};

use super::markup::{escape, fill, json};
use super::page::{Script, page};
use super::player::{CONTROLS, PLAYER};

const BODY: &str = include_str!("formula.html");
const CODE: &str = include_str!("formula.js");

/// A page on which the Wengert list of any formula is played: the values forward, then the adjoints back, one product at a
/// time. Where a number is used more than once, its adjoint is the sum of what each use hands back. Forward mode stands beside
/// it, with what both cost.
///
/// The formula is recorded operation by operation. The page is one HTML file that loads nothing else.
///
/// ```
/// use nn::report::FormulaReport;
///
/// let mut report = FormulaReport::new("x·y + sin(x)");
/// let x = report.input("x", 2.0);
/// let y = report.input("y", 3.0);
/// let product = report.operation("x · y", &[x, y], |v| v[0] * v[1]);
/// let sine = report.operation("sin(x)", &[x], |v| v[0].sin());
/// report.operation("v3 + v4", &[product, sine], |v| v[0] + v[1]);
/// assert!(report.to_html().contains("sin(x)"));
/// ```
#[derive(Debug, Default)]
pub struct FormulaReport {
    formula: String,
    tape: Tape,
    rows: Vec<Row>,
    variables: Vec<Var>,
    inputs: usize,
}

/// Something that a formula's page has recorded, to be used as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recordable(usize);

#[derive(Clone, Debug, Serialize)]
struct Row {
    /// Its number on the list: `v3`.
    number: String,
    /// An input's name.
    name: String,
    /// What is computed; empty for an input.
    operation: String,
    value: f64,
    /// The row of each argument, and the partial with respect to it.
    partials: Vec<(usize, f64)>,
}

/// One product of the sweep, handed back to an argument.
#[derive(Serialize)]
struct Handed {
    /// From this row …
    from: usize,
    /// … to this one.
    to: usize,
    partial: f64,
    /// The adjoint it comes from, and the product.
    adjoint: f64,
    product: f64,
    /// What the argument's adjoint was before, if a use of it has handed something back already; and is now.
    before: Option<f64>,
    after: f64,
}

/// One pass of forward mode: each row's derivative with respect to an input.
#[derive(Serialize)]
struct Pass {
    input: usize,
    tangents: Vec<f64>,
    multiplications: usize,
}

#[derive(Serialize)]
struct Data<'a> {
    formula: &'a str,
    rows: &'a [Row],
    sweep: Vec<Handed>,
    adjoints: Vec<f64>,
    multiplications: usize,
    passes: Vec<Pass>,
    /// What both modes cost, and which is cheaper.
    costs: String,
    /// Which rows are used more than once, a sentence.
    shared: String,
}

impl FormulaReport {
    /// How many operations a page shows at most.
    pub const MOST: usize = 300;

    /// A page of a formula, with nothing recorded so far.
    pub fn new(formula: impl Into<String>) -> Self {
        Self { formula: formula.into(), ..Self::default() }
    }

    /// Records an input, with respect to which the formula is differentiated. Inputs come before operations.
    ///
    /// # Panics
    /// When an operation has been recorded.
    pub fn input(&mut self, name: &str, value: f64) -> Recordable {
        assert_eq!(self.inputs, self.rows.len(), "inputs are recorded before operations");
        self.inputs += 1;
        let variable = self.tape.var(value);
        self.push(name, "", variable, Vec::new())
    }

    /// Records an operation on what has been recorded before. `text` is how it is written, with [`name`](Self::name) for its
    /// arguments; constants stand in the operation itself.
    pub fn operation(
        &mut self,
        text: &str,
        arguments: &[Recordable],
        operation: impl Fn(&[Var]) -> Var,
    ) -> Recordable {
        let variables: Vec<Var> =
            arguments.iter().map(|&Recordable(row)| self.variables[row]).collect();
        let values: Vec<f64> = variables.iter().map(|variable| variable.value()).collect();
        let (_, partials) = tape::gradient(&operation, &values);
        let partials = arguments.iter().map(|argument| argument.0).zip(partials).collect();
        self.push("", text, operation(&variables), partials)
    }

    /// How later operations call it: an input by its name, an operation by its number on the list.
    pub fn name(&self, Recordable(row): Recordable) -> &str {
        self.rows[row].called()
    }

    /// The page. What was recorded last is the formula's result. Without an operation, or with more than
    /// [`MOST`](Self::MOST), the page says so and shows nothing else.
    pub fn to_html(&self) -> String {
        let title = escape(&self.formula);
        let why_not = match self.rows.len() - self.inputs {
            0 => Some("There is no operation to show.".to_owned()),
            count if count > Self::MOST => Some(format!(
                "The formula has {count} operations. That is too many to step through: a page shows {} at most.",
                Self::MOST
            )),
            _ => None,
        };
        if let Some(why_not) = why_not {
            let body = format!("<main><h1>{title}</h1><p>{why_not}</p></main>");
            return page(&self.formula, &body, None);
        }
        let (sweep, adjoints) = self.sweep();
        let passes: Vec<Pass> = (0..self.inputs).map(|input| self.pass(input)).collect();
        let data = Data {
            formula: &self.formula,
            rows: &self.rows,
            multiplications: self.multiplications(),
            costs: self.costs(&passes),
            shared: self.shared(),
            sweep,
            adjoints,
            passes,
        };
        let body = fill(BODY, &[("title", title.as_str()), ("player", CONTROLS)]);
        let code = format!("{PLAYER}{CODE}");
        page(&self.formula, &body, Some(Script { data: &json(&data), code: &code }))
    }

    fn push(
        &mut self,
        name: &str,
        operation: &str,
        variable: Var,
        partials: Vec<(usize, f64)>,
    ) -> Recordable {
        let row = self.rows.len();
        self.rows.push(Row {
            number: format!("v{}", row + 1),
            name: name.to_owned(),
            operation: operation.to_owned(),
            value: variable.value(),
            partials,
        });
        self.variables.push(variable);
        Recordable(row)
    }

    /// The products of the sweep in order, and the adjoints that they add up to: those of the tape.
    fn sweep(&self) -> (Vec<Handed>, Vec<f64>) {
        let mut sums: Vec<Option<f64>> = vec![None; self.rows.len()];
        let last = self.rows.len() - 1;
        sums[last] = Some(1.0);
        let mut sweep = Vec::new();
        for (from, row) in self.rows.iter().enumerate().rev() {
            // Nothing hands anything back to what the result does not use.
            let Some(adjoint) = sums[from] else { continue };
            for &(to, partial) in &row.partials {
                // As the tape's sweep, which passes over an adjoint that is exactly 0.
                let product = if adjoint == 0.0 { 0.0 } else { adjoint * partial };
                let before = sums[to];
                let after = before.map_or(product, |before| before + product);
                sums[to] = Some(after);
                sweep.push(Handed { from, to, partial, adjoint, product, before, after });
            }
        }
        let adjoints = self.tape.sweep(self.variables[last]);
        let adjoints = self.variables.iter().map(|&variable| adjoints.wrt(variable)).collect();
        (sweep, adjoints)
    }

    /// How many products the sweep takes. Those with the 1 that it starts from are not counted.
    fn multiplications(&self) -> usize {
        let reached = self.reached_from_the_result();
        let last = self.rows.len() - 1;
        let rows = self.rows[..last].iter().zip(&reached).filter(|(_, reached)| **reached);
        rows.map(|(row, _)| row.partials.len()).sum()
    }

    fn reached_from_the_result(&self) -> Vec<bool> {
        let mut reached = vec![false; self.rows.len()];
        reached[self.rows.len() - 1] = true;
        for (index, row) in self.rows.iter().enumerate().rev() {
            if reached[index] {
                row.partials.iter().for_each(|&(to, _)| reached[to] = true);
            }
        }
        reached
    }

    /// Forward mode with respect to an input. Products with the 1 that it starts from are not counted, nor those of what does
    /// not depend on the input.
    fn pass(&self, input: usize) -> Pass {
        let mut tangents: Vec<Option<f64>> = vec![None; self.rows.len()];
        tangents[input] = Some(1.0);
        let mut multiplications = 0;
        for (index, row) in self.rows.iter().enumerate() {
            for &(argument, partial) in &row.partials {
                let Some(tangent) = tangents[argument] else { continue };
                multiplications += usize::from(argument != input);
                let sum = tangents[index].unwrap_or(0.0);
                tangents[index] = Some(sum + partial * tangent);
            }
        }
        let tangents = tangents.into_iter().map(|tangent| tangent.unwrap_or(0.0)).collect();
        Pass { input, tangents, multiplications }
    }

    fn costs(&self, passes: &[Pass]) -> String {
        let plural = |count: usize, word: &str| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        let forward: usize = passes.iter().map(|pass| pass.multiplications).sum();
        format!(
            "Reverse mode: one pass, {}. Forward mode: {}, {}. (Products with the 1 that a pass starts from are not counted.) \
             Each further input costs reverse mode nothing but its own products, and forward mode a whole pass.",
            plural(self.multiplications(), "multiplication"),
            if passes.len() == 1 {
                "1 pass".to_owned()
            } else {
                format!("{} passes", passes.len())
            },
            plural(forward, "multiplication"),
        )
    }

    fn shared(&self) -> String {
        let uses = |row: usize| {
            let arguments = self.rows.iter().flat_map(|r| &r.partials);
            arguments.filter(|(argument, _)| *argument == row).count()
        };
        let shared = (0..self.rows.len()).filter(|&row| uses(row) > 1);
        let shared: Vec<String> = shared
            .map(|row| format!("{} is used {} times", self.rows[row].called(), uses(row)))
            .collect();
        if shared.is_empty() {
            return "Every number is used once here, so no adjoint is a sum. Try a formula that names a variable twice."
                .to_owned();
        }
        format!(
            "{}. A change of it reaches the result along each of these ways, and the effects add up. So each use hands a \
             product back, and the adjoint is their sum.",
            shared.join(", ")
        )
    }
}

impl Row {
    fn called(&self) -> &str {
        if self.name.is_empty() { &self.number } else { &self.name }
    }
}
