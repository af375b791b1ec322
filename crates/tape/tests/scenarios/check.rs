//! Compares what a way gives with what is right, and lists all that is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tape::Error;

use crate::table::Scenario;
use crate::ways::{Answer, Arithmetic, WAYS, Way};

/// A number that is not right.
pub(crate) struct Failure {
    scenario: String,
    way: &'static str,
    /// "value", "gradient", …
    what: &'static str,
    got: String,
    right: String,
    /// How many ways gave such a number for the scenario.
    asked: usize,
}

/// What a way gives, or how it fails; nothing where it does not exist for the scenario.
pub(crate) fn answer(scenario: &Scenario, way: &Way) -> Option<Result<Answer, String>> {
    if !way.applies_to(scenario) {
        return None;
    }
    match catch_unwind(AssertUnwindSafe(|| (way.compute)(scenario))) {
        Ok(Ok(answer)) => Some(Ok(answer)),
        Ok(Err(Error::Diverged { .. })) if scenario.branches && !way.traces_anew => None,
        Ok(Err(error)) => Some(Err(format!("error: {error}"))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            Some(Err(format!("panic: {}", text.unwrap_or_default())))
        }
    }
}

/// Everything that any way gets wrong of a scenario.
pub(crate) fn all_ways(scenario: &Scenario) -> Vec<Failure> {
    let right = Right::of(scenario);
    let mut failures: Vec<Failure> = Vec::new();
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for way in WAYS {
        let mut fail = |what, got, right| {
            let scenario = scenario.name.clone();
            failures.push(Failure { scenario, way: way.name, what, got, right, asked: 0 });
        };
        match answer(scenario, way) {
            None => {}
            Some(Err(message)) => fail("failure", message, "a number".to_owned()),
            Some(Ok(answer)) => {
                let parts = [
                    ("value", answer.value.is_some()),
                    ("gradient", answer.gradient.is_some()),
                    ("hessian", answer.hessian.is_some()),
                    ("third", answer.third.is_some()),
                    ("penalty", answer.penalty.is_some()),
                ];
                parts
                    .iter()
                    .filter(|(_, is_given)| *is_given)
                    .for_each(|(what, _)| *asked.entry(what).or_default() += 1);
                right.compare(way, &answer, fail);
            }
        }
    }
    for failure in &mut failures {
        failure.asked = asked.get(failure.what).copied().unwrap_or_default();
    }
    failures
}

/// The right numbers of a scenario, with what plain `f64` gives.
struct Right<'a> {
    scenario: &'a Scenario,
    plain: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    third: Vec<f64>,
    /// 2·H·∇f: the gradient of ‖∇f‖². Not known where a number is not finite.
    penalty: Option<Vec<f64>>,
    penalty_scale: f64,
}

impl<'a> Right<'a> {
    fn of(scenario: &'a Scenario) -> Self {
        let plain = scenario.f.evaluate(&scenario.x);
        // What is not known by other means is what forward mode gives, which keeps no list.
        let forward = |name: &str| {
            let way = WAYS.iter().find(|way| way.name == name).expect("forward mode is a way");
            (way.compute)(scenario).expect("forward mode knows no errors")
        };
        let gradient = scenario.gradient.clone();
        let gradient = gradient.unwrap_or_else(|| forward("Dual").gradient.unwrap());
        let hessian = scenario.hessian.clone();
        let hessian = hessian.unwrap_or_else(|| forward("Dual<Dual>").hessian.unwrap());
        let third = scenario.third.clone().unwrap_or_default();
        let n = gradient.len();
        let products =
            |i: usize| (0..n).map(|j| 2.0 * hessian[i * n + j] * gradient[j]).collect::<Vec<f64>>();
        let is_known = !scenario.may_be_nan
            && gradient.iter().chain(&hessian).all(|x| x.is_finite())
            // Close to over- and underflow a product on the way may be beyond.
            && (0..n).all(|i| products(i).iter().all(|x| *x == 0.0 || (1e-250..1e250).contains(&x.abs())));
        let penalty = is_known.then(|| (0..n).map(|i| products(i).iter().sum()).collect());
        let sizes = (0..n).map(|i| products(i).iter().map(|x| x.abs()).sum());
        let penalty_scale = sizes.fold(0.0, |largest: f64, size: f64| largest.max(size));
        Self { scenario, plain, gradient, hessian, third, penalty, penalty_scale }
    }

    fn compare(
        &self,
        way: &Way,
        answer: &Answer,
        mut fail: impl FnMut(&'static str, String, String),
    ) {
        let Scenario { tolerance, scale, .. } = *self.scenario;
        let unit = way.arithmetic.unit() / f64::EPSILON;
        if let Some(value) = answer.value {
            let is_right = match way.arithmetic {
                Arithmetic::Plain => same_bits(value, self.plain),
                _ => agree(value, self.plain, scale, tolerance * unit),
            };
            if !is_right {
                fail("value", number(value), number(self.plain));
            }
            // Once, what `f64` gives is compared with what is known: not for its last digits, which are `std`'s.
            if let (Some(known), true) = (self.scenario.value, way.name == "tape::gradient")
                && !agree(self.plain, known, scale, tolerance.max(1e-9))
            {
                fail("plain value", number(self.plain), number(known));
            }
        }
        let mut compare =
            |what, got: &Option<Vec<f64>>, right: &[f64], or_nan: bool, scale: f64| {
                let Some(got) = got else { return };
                let is_right = got.len() == right.len()
                    && got.iter().zip(right).all(|(&got, &right)| {
                        agree(got, right, scale, tolerance * unit) || (or_nan && got.is_nan())
                    });
                if !is_right {
                    fail(what, numbers(got), numbers(right));
                }
            };
        let or_nan = self.scenario.may_be_nan;
        compare("gradient", &answer.gradient, &self.gradient, false, scale);
        compare("hessian", &answer.hessian, &self.hessian, or_nan, scale);
        compare("third", &answer.third, &self.third, or_nan, scale);
        if let Some(right) = &self.penalty {
            let scale = scale.max(self.penalty_scale);
            compare("penalty", &answer.penalty, right, or_nan, scale);
        }
    }
}

fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Equal, both NaN, or within this part of the right number, or of `scale` where that is larger.
fn agree(got: f64, right: f64, scale: f64, tolerance: f64) -> bool {
    got == right
        || (got.is_nan() && right.is_nan())
        || (right.is_finite() && (got - right).abs() <= tolerance * right.abs().max(scale))
}

fn number(x: f64) -> String {
    let plain = x == 0.0 || !x.is_finite() || (1e-3..1e6).contains(&x.abs());
    if plain { format!("{x:?}") } else { format!("{x:e}") }
}

fn numbers(x: &[f64]) -> String {
    format!("[{}]", x.iter().map(|&x| number(x)).collect::<Vec<_>>().join(", "))
}

/// All failures as a table, ways that fail alike on one line; and how often each way fails.
pub(crate) fn report(failures: &[Failure], scenarios: usize) -> String {
    let mut text = String::new();
    let mut of_ways: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = 0;
    for row in failures.chunk_by(|a, b| a.scenario == b.scenario) {
        rows += 1;
        let _ = writeln!(text, "\n{}", row[0].scenario);
        let ways: BTreeSet<&str> = row.iter().map(|failure| failure.way).collect();
        ways.into_iter().for_each(|way| *of_ways.entry(way).or_default() += 1);
        let mut lines: Vec<(&Failure, Vec<&str>)> = Vec::new();
        for failure in row {
            let alike = lines.iter_mut().find(|(first, _)| first.shows_as(failure));
            match alike {
                Some((_, ways)) => ways.push(failure.way),
                None => lines.push((failure, vec![failure.way])),
            }
        }
        for (Failure { what, got, right, asked, .. }, ways) in lines {
            let ways =
                if ways.len() == *asked { format!("all {asked} ways") } else { ways.join("; ") };
            let _ = writeln!(text, "    {what}: got {got}, right {right}\n        by {ways}");
        }
    }
    let _ = writeln!(text, "\nscenarios that each way gets wrong");
    for (way, count) in of_ways {
        let _ = writeln!(text, "{count:>5}  {way}");
    }
    let count = failures.len();
    let _ = writeln!(
        text,
        "\n{count} wrong numbers, in {rows} of {scenarios} scenarios, {} ways",
        WAYS.len()
    );
    text
}

impl Failure {
    fn shows_as(&self, other: &Self) -> bool {
        self.what == other.what && self.got == other.got && self.right == other.right
    }
}
