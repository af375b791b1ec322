//! Plots as SVG files, for training from a terminal: the loss curve, and the fit.
//!
//! Drawn by the crate `plotters`. Each function returns text; [`write()`] puts it into a file.

use core::ops::Range;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use thiserror::Error;

use crate::chain::explanation::number;
use crate::{Chain, Sample};

/// Why a plot cannot be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file whose name promises another kind of picture.
    #[error("plots are SVG: {} does not end in .svg", .path.display())]
    NotSvg {
        /// The path as given.
        path: PathBuf,
    },
    /// Nothing finite to draw.
    #[error("there is nothing to draw: {what}")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// A file that cannot be written.
    #[error("cannot write {}: {reason}", .path.display())]
    Write {
        /// The path as given.
        path: PathBuf,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// The drawing library refused.
    #[error("cannot draw: {message}")]
    Draw {
        /// In its own words.
        message: String,
    },
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for Error {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw { message: error.to_string() }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// Size of one plot in pixels.
const SIZE: (u32, u32) = (720, 440);
const FONT: (&str, i32) = ("sans-serif", 15);
/// Blue and vermilion: they differ in lightness too.
const LINE: RGBColor = RGBColor(21, 82, 173);
const MARK: RGBColor = RGBColor(168, 54, 8);

/// The loss by epoch as SVG, the loss on a logarithmic axis: `history[0]` is before the first epoch.
///
/// A loss of 0 is drawn as the smallest that is not.
///
/// # Errors
/// [`Error::Empty`] without a finite loss.
///
/// ```
/// let svg = nn::plot::loss(&[100.0, 10.0, 0.1])?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), nn::plot::Error>(())
/// ```
pub fn loss(history: &[f64]) -> Result<String, Error> {
    drawn(SIZE, |area| draw_loss(area, history))
}

/// What the chain predicts as a curve, with the samples' targets and predictions, as SVG.
///
/// # Errors
/// [`Error::Empty`] without a sample of finite numbers.
///
/// ```
/// let svg = nn::plot::fit(&nn::Chain::new(), &[(3.0, 17.0).into(), (10.0, 200.0).into()])?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), nn::plot::Error>(())
/// ```
pub fn fit(chain: &Chain, samples: &[Sample]) -> Result<String, Error> {
    drawn(SIZE, |area| draw_fit(area, chain, samples))
}

/// Predictions by targets as SVG, with the line on which both are equal: for models of several inputs.
///
/// # Errors
/// [`Error::Empty`] without a pair of finite numbers.
///
/// ```
/// let svg = nn::plot::predictions(&[(1.0, 1.1), (2.0, 1.8)])?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), nn::plot::Error>(())
/// ```
pub fn predictions(pairs: &[(f64, f64)]) -> Result<String, Error> {
    drawn(SIZE, |area| draw_predictions(area, pairs))
}

/// Writes the loss curve and the fit of a chain into one file, side by side.
///
/// # Errors
/// Those of [`loss()`], [`fit`] and [`write()`].
pub fn training(
    path: &Path,
    chain: &Chain,
    samples: &[Sample],
    history: &[f64],
) -> Result<(), Error> {
    let svg = drawn((2 * SIZE.0, SIZE.1), |area| {
        let (left, right) = area.split_horizontally(SIZE.0);
        draw_loss(&left, history)?;
        draw_fit(&right, chain, samples)
    });
    write(path, &svg?)
}

/// Checks a path for [`write()`]. Call it before a long training, not after.
///
/// # Errors
/// [`Error::NotSvg`] when it does not end in `.svg`.
pub fn check(path: &Path) -> Result<(), Error> {
    let is_svg = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    if is_svg { Ok(()) } else { Err(Error::NotSvg { path: path.to_owned() }) }
}

/// Writes a plot into a file.
///
/// # Errors
/// [`Error::NotSvg`] when the path does not end in `.svg`; [`Error::Write`].
pub fn write(path: &Path, svg: &str) -> Result<(), Error> {
    check(path)?;
    std::fs::write(path, svg).map_err(|reason| Error::Write { path: path.to_owned(), reason })
}

fn drawn(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Error>,
) -> Result<String, Error> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    area.fill(&WHITE)?;
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(svg)
}

fn draw_loss(area: &Area<'_>, history: &[f64]) -> Result<(), Error> {
    let positive = || history.iter().copied().filter(|loss| *loss > 0.0 && loss.is_finite());
    let (low, high) =
        range(positive()).ok_or(Error::Empty { what: "the loss has no finite numbers above 0" })?;
    let (low, high) = if low == high { (low / 2.0, high * 2.0) } else { (low, high) };
    let epochs = history.len().max(2) - 1;
    let mut chart = frame(area, "loss").build_cartesian_2d(0..epochs, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("loss")
        .y_label_formatter(&|loss| format!("{loss:.0e}"))
        .light_line_style(WHITE)
        .label_style(FONT)
        .axis_desc_style(FONT)
        .draw()?;
    let points = history.iter().enumerate().filter(|(_, loss)| loss.is_finite());
    let points: Vec<_> = points.map(|(epoch, &loss)| (epoch, loss.max(low))).collect();
    chart.draw_series([PathElement::new(points, LINE.stroke_width(2))])?;
    Ok(())
}

fn draw_fit(area: &Area<'_>, chain: &Chain, samples: &[Sample]) -> Result<(), Error> {
    let triples: Vec<[f64; 3]> = samples
        .iter()
        .map(|sample| [sample.input, sample.target, chain.predict(sample.input)])
        .filter(|triple| triple.iter().all(|number| number.is_finite()))
        .collect();
    let empty =
        || Error::Empty { what: "the samples and their predictions have no finite numbers" };
    let (left, right) = range(triples.iter().map(|triple| triple[0])).ok_or_else(empty)?;
    let outputs = triples.iter().flat_map(|triple| [triple[1], triple[2]]);
    let (bottom, top) = range(outputs).ok_or_else(empty)?;
    let (left, right) = with_margin(left, right, 0.08);
    let (bottom, top) = with_margin(bottom, top, 0.15);

    let names: Vec<&str> = chain.nodes().collect();
    let mut chart =
        plane(area, "fit", left..right, bottom..top, [names[0], names[names.len() - 1]])?;
    let inputs = (0..=400).map(|i| left + (right - left) * f64::from(i) / 400.0);
    let curve: Vec<_> = inputs.map(|input| (input, chain.predict(input))).collect();
    // Where the curve leaves the frame it is left out.
    let inside = |point: &(f64, f64)| (bottom..=top).contains(&point.1);
    let parts = curve.split(|point| !inside(point)).filter(|part| part.len() > 1);
    chart
        .draw_series(parts.map(|part| PathElement::new(part, LINE.stroke_width(2))))?
        .label("the chain")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], LINE.stroke_width(2)));
    let targets = triples.iter().map(|t| Circle::new((t[0], t[1]), 6, BLACK.stroke_width(2)));
    chart
        .draw_series(targets)?
        .label("target")
        .legend(|(x, y)| Circle::new((x + 9, y), 5, BLACK.stroke_width(2)));
    let crosses = triples.iter().map(|t| Cross::new((t[0], t[2]), 5, MARK.stroke_width(2)));
    chart
        .draw_series(crosses)?
        .label("prediction")
        .legend(|(x, y)| Cross::new((x + 9, y), 4, MARK.stroke_width(2)));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(FONT)
        .draw()?;
    Ok(())
}

fn draw_predictions(area: &Area<'_>, pairs: &[(f64, f64)]) -> Result<(), Error> {
    let finite = |pair: &&(f64, f64)| pair.0.is_finite() && pair.1.is_finite();
    let pairs: Vec<(f64, f64)> = pairs.iter().filter(finite).copied().collect();
    let ends = range(pairs.iter().flat_map(|&(target, prediction)| [target, prediction]));
    let (low, high) =
        ends.ok_or(Error::Empty { what: "the predictions have no finite numbers" })?;
    let (low, high) = with_margin(low, high, 0.05);
    let mut chart =
        plane(area, "predictions by targets", low..high, low..high, ["target", "prediction"])?;
    chart.draw_series([PathElement::new([(low, low), (high, high)], BLACK.mix(0.5))])?;
    chart.draw_series(pairs.iter().map(|&pair| Circle::new(pair, 3, LINE.mix(0.6).filled())))?;
    Ok(())
}

fn frame<'a, 'b>(area: &'a Area<'b>, title: &str) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(42)
        .y_label_area_size(64);
    builder
}

fn plane<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    x: Range<f64>,
    y: Range<f64>,
    [x_label, y_label]: [&str; 2],
) -> Result<ChartContext<'a, SVGBackend<'b>, Plane>, Error> {
    let mut chart = frame(area, title).build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .light_line_style(WHITE)
        .label_style(FONT)
        .axis_desc_style(FONT)
        .draw()?;
    Ok(chart)
}

/// The least and the greatest of the numbers, if there are some.
fn range(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let widened = |(low, high): (f64, f64), number: f64| (low.min(number), high.max(number));
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), widened);
    (low <= high).then_some((low, high))
}

/// Room around a range, also around a single number.
fn with_margin(low: f64, high: f64, share: f64) -> (f64, f64) {
    let width = if low == high { low.abs().max(1.0) } else { high - low };
    (low - share * width, high + share * width)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Error, fit, loss, predictions, training, write};
    use crate::{Chain, Sample};

    const SAMPLES: [Sample; 2] =
        [Sample { input: 3.0, target: 17.0 }, Sample { input: 10.0, target: 200.0 }];

    #[test]
    fn a_path_that_does_not_end_in_svg_is_refused_and_nothing_is_written() {
        let path = std::env::temp_dir().join("a plot that is not written.png");
        let error = training(&path, &Chain::new(), &SAMPLES, &[2.0, 1.0]).unwrap_err();
        assert!(matches!(error, Error::NotSvg { .. }));
        assert!(error.to_string().ends_with(".png does not end in .svg"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_path_without_a_folder_is_an_error_with_its_name() {
        let path = Path::new("no such folder/plot.SVG");
        let error = write(path, &loss(&[1.0]).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write no such folder/plot.SVG: "), "{error}");
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        for history in [&[][..], &[0.0], &[f64::NAN]] {
            let error = loss(history).unwrap_err();
            assert_eq!(
                error.to_string(),
                "there is nothing to draw: the loss has no finite numbers above 0"
            );
        }
        assert!(matches!(fit(&Chain::new(), &[]), Err(Error::Empty { .. })));
        assert!(matches!(predictions(&[(f64::NAN, 1.0)]), Err(Error::Empty { .. })));
    }

    #[test]
    fn a_single_loss_or_sample_is_drawn() {
        assert!(loss(&[5.0]).unwrap().contains("</svg>"));
        assert!(fit(&Chain::new(), &SAMPLES[..1]).unwrap().contains("</svg>"));
        assert!(predictions(&[(0.0, 0.0)]).unwrap().contains("</svg>"));
    }

    #[test]
    fn the_fit_has_a_circle_for_each_target() {
        let svg = fit(&Chain::new(), &SAMPLES).unwrap();
        assert_eq!(svg.matches("<circle").count(), SAMPLES.len() + 1, "and one in the legend");
    }
}
