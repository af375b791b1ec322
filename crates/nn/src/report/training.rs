//! The page of any training: curves, confusion, predictions and weights, from plain numbers.

use core::fmt::Write;

use super::axis::{Axis, Spacing};
use super::chart::{Plot, numbers};
use super::confusion::Confusion;
use super::heat_map::{HeatMap, Names};
use super::markup::{escape, figure};
use super::page::page;
use crate::Error;

/// How many predictions a page shows.
const PREDICTIONS: usize = 2_000;

/// A page about the training of any network, made from plain numbers.
///
/// ```
/// use nn::report::{Chart, Confusion, Curve, HeatMap, Scale, TrainingReport, Units};
///
/// let html = TrainingReport::new("Digits")
///     .summary("network", "4 → 2")
///     .chart(Chart {
///         title: "Loss".to_owned(),
///         label: "cross-entropy".to_owned(),
///         scale: Scale::Log,
///         curves: vec![Curve { name: "training".to_owned(), first: 1, values: vec![0.7, 0.2, 0.1] }],
///     })
///     .confusion(Confusion {
///         classes: vec!["cat".to_owned(), "dog".to_owned()],
///         counts: vec![9, 1, 0, 10],
///     })?
///     .weights(HeatMap {
///         name: "layer1.weight".to_owned(),
///         rows: 2,
///         columns: 4,
///         values: vec![0.5, -1.0, 0.0, 0.25, 1.0, 0.5, -0.5, 0.0],
///         units: Some(Units::Rows),
///     })?
///     .note("Trained on 20 pictures.")
///     .to_html();
/// assert!(html.contains("layer1.weight"));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrainingReport {
    title: String,
    summary: Vec<(String, String)>,
    charts: Vec<Chart>,
    confusion: Option<Confusion>,
    predictions: Vec<(f64, f64)>,
    weights: Vec<(HeatMap, Names)>,
    notes: Vec<String>,
}

/// Curves over epochs, on common axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its heading.
    pub title: String,
    /// What the values are, with their unit if they have one.
    pub label: String,
    /// How the values are spaced.
    pub scale: Scale,
    /// What is drawn.
    pub curves: Vec<Curve>,
}

/// How the values of a chart are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences.
    Linear,
    /// Equal ratios. A value that is not positive is drawn at the lower end.
    Log,
}

/// A value for each epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Whose curve it is: `training`, `validation`.
    pub name: String,
    /// The epoch of the first value: 0 where there is a value before the first epoch, otherwise 1.
    pub first: usize,
    /// The values, an epoch apart. The curve has a gap where one is not finite.
    pub values: Vec<f64>,
}

impl Curve {
    fn points(&self) -> Vec<(f64, f64)> {
        (self.first..).map(|epoch| epoch as f64).zip(self.values.iter().copied()).collect()
    }
}

impl TrainingReport {
    /// A page with nothing but its title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a fact to those at the top: `("accuracy", "97.2 %")`.
    pub fn summary(mut self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.summary.push((label.into(), text.into()));
        self
    }

    /// Adds a chart.
    pub fn chart(mut self, chart: Chart) -> Self {
        self.charts.push(chart);
        self
    }

    /// Sets the confusion matrix.
    ///
    /// # Errors
    /// [`Error::ReportSize`] unless there is a count for each pair of classes.
    pub fn confusion(mut self, confusion: Confusion) -> Result<Self, Error> {
        confusion.check()?;
        self.confusion = Some(confusion);
        Ok(self)
    }

    /// Sets the predictions of a regression, each as (target, prediction).
    pub fn predictions(mut self, predictions: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.predictions = predictions.into_iter().collect();
        self
    }

    /// Adds weights.
    ///
    /// # Errors
    /// [`Error::ReportSize`] unless there are rows × columns values; [`Error::NotSquare`] where units are to be drawn
    /// whose inputs form no square.
    pub fn weights(self, weights: HeatMap) -> Result<Self, Error> {
        self.named_weights(weights, Names::default())
    }

    /// Adds weights with the names of their rows and columns: of a first layer's weight, the units and the inputs.
    ///
    /// # Errors
    /// As [`weights`](Self::weights); [`Error::ReportSize`] unless there are as many names as rows or columns, or none.
    pub fn named_weights(mut self, weights: HeatMap, names: Names) -> Result<Self, Error> {
        weights.check()?;
        names.check(&weights)?;
        self.weights.push((weights, names));
        Ok(self)
    }

    /// Adds a remark at the end.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        let mut body = format!(
            "<header class=\"top\"><p class=\"kicker\">A training, in pictures</p><h1>{title}</h1></header>\n<main>\n"
        );
        if !self.summary.is_empty() {
            body.push_str(
                r#"<section class="panel"><h2 class="hidden">Summary</h2><dl class="summary">"#,
            );
            for (label, text) in &self.summary {
                let _ =
                    write!(body, "<div><dt>{}</dt><dd>{}</dd></div>", escape(label), escape(text));
            }
            body.push_str("</dl></section>\n");
        }
        body.push_str("<div class=\"grid-2\">\n");
        for (index, chart) in self.charts.iter().enumerate() {
            body.push_str(&chart.section(&format!("chart-{index}")));
        }
        if let Some(confusion) = &self.confusion {
            body.push_str(&confusion.section());
        }
        if !self.predictions.is_empty() {
            body.push_str(&predictions_section(&self.predictions));
        }
        for (weights, names) in &self.weights {
            body.push_str(&weights.section(names));
        }
        body.push_str("</div>\n");
        if !self.notes.is_empty() {
            body.push_str(r#"<section class="panel notes"><h2>Notes</h2><ul>"#);
            for note in &self.notes {
                let _ = write!(body, "<li>{}</li>", escape(note));
            }
            body.push_str("</ul></section>\n");
        }
        body.push_str(
            "</main>\n<footer><p>This page loads nothing and sends nothing.</p></footer>",
        );
        page(&self.title, &body, None)
    }
}

impl Chart {
    fn section(&self, id: &str) -> String {
        let title = escape(&self.title);
        let curves: Vec<_> = self.curves.iter().map(|curve| (curve, curve.points())).collect();
        let points = || curves.iter().flat_map(|(_, points)| points).copied();
        if !points().any(|(_, value)| value.is_finite()) {
            return format!(
                "<section class=\"panel\"><h2>{title}</h2><p>There are no values to draw.</p></section>\n"
            );
        }
        let spacing = match self.scale {
            Scale::Linear => Spacing::Linear,
            Scale::Log => Spacing::Log,
        };
        let described = self.curves.iter().filter_map(|curve| {
            let (first, last) = (curve.values.first()?, curve.values.last()?);
            Some(format!("{}: from {} to {}.", curve.name, figure(*first), figure(*last)))
        });
        let mut plot = Plot {
            title: self.title.clone(),
            description: described.collect::<Vec<_>>().join(" "),
            x: Axis::over("epoch", Spacing::Linear, points().map(|(epoch, _)| epoch)),
            y: Axis::over(self.label.clone(), spacing, points().map(|(_, value)| value)),
            content: String::new(),
        };
        let mut legend = String::new();
        for (style, (curve, points)) in curves.iter().enumerate() {
            plot.curve(style, points);
            let _ = write!(
                legend,
                r#"<li><svg viewBox="0 0 24 12" aria-hidden="true"><path class="curve curve-{}" d="M1 6H23"/></svg>{}</li>"#,
                style % super::chart::STYLES,
                escape(&curve.name)
            );
        }
        format!(
            "<section class=\"panel\"><h2>{title}</h2>{chart}<ul class=\"legend\">{legend}</ul>{table}</section>\n",
            chart = plot.svg(id),
            table = self.table(),
        )
    }

    fn table(&self) -> String {
        let drawn = || self.curves.iter().filter(|curve| !curve.values.is_empty());
        let first = drawn().map(|curve| curve.first).min().unwrap_or(0);
        let end = drawn().map(|curve| curve.first + curve.values.len()).max().unwrap_or(0);
        let value = |curve: &Curve, epoch: usize| {
            let index = epoch.checked_sub(curve.first);
            index.and_then(|index| curve.values.get(index)).copied().unwrap_or(f64::NAN)
        };
        let row = |epoch: usize| {
            let values = self.curves.iter().map(|curve| value(curve, epoch));
            [epoch as f64].into_iter().chain(values).collect()
        };
        let columns: Vec<&str> = ["epoch"]
            .into_iter()
            .chain(self.curves.iter().map(|curve| curve.name.as_str()))
            .collect();
        numbers(&columns, &(first..end).map(row).collect::<Vec<_>>())
    }
}

fn predictions_section(predictions: &[(f64, f64)]) -> String {
    let every = predictions.len().div_ceil(PREDICTIONS);
    let shown: Vec<(f64, f64)> = predictions
        .iter()
        .step_by(every)
        .copied()
        .filter(|(target, prediction)| target.is_finite() && prediction.is_finite())
        .collect();
    let both = || shown.iter().flat_map(|&(target, prediction)| [target, prediction]);
    let axis = |label: &str| Axis::over(label, Spacing::Linear, both()).with_margin(0.04);
    let mut plot = Plot {
        title: "Predictions against targets".to_owned(),
        description:
            "A point for each sample, by target and prediction. On the dashed line both are equal."
                .to_owned(),
        x: axis("target"),
        y: axis("prediction"),
        content: String::new(),
    };
    let [low, high] = plot.x.ends();
    let (x0, y0, x1, y1) = (plot.x(low), plot.y(low), plot.x(high), plot.y(high));
    let _ = write!(plot.content, r#"<path class="diagonal" d="M{x0} {y0}L{x1} {y1}"/>"#);
    for &(target, prediction) in &shown {
        let (x, y) = (plot.x(target), plot.y(prediction));
        let _ = write!(plot.content, r#"<circle class="point-mark" cx="{x}" cy="{y}" r="2.5"/>"#);
    }
    let part = match every {
        1 => String::new(),
        _ => format!("<p class=\"note\">One sample in {every} is shown.</p>"),
    };
    let rows: Vec<Vec<f64>> =
        shown.iter().map(|&(target, prediction)| vec![target, prediction]).collect();
    format!(
        "<section class=\"panel\"><h2>Predictions against targets</h2>{}{part}{}</section>\n",
        plot.svg("predictions"),
        numbers(&["target", "prediction"], &rows)
    )
}
