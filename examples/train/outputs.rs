//! Where a training writes: places tried before the first epoch, and what becomes of each after the last.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use nn::{Destination, FileError, Model, plot};

use crate::Options;

/// The places of all that a training leaves behind but its checkpoint.
pub(crate) struct Outputs {
    model: Destination,
    page: Destination,
    plot: Option<Destination>,
    plot_fit: Option<Destination>,
    /// What has become of each so far.
    written: Vec<Result<String, String>>,
}

impl Outputs {
    /// Makes the folder and tries the places in it and elsewhere.
    pub(crate) fn new(options: &Options, file: &Path) -> Result<Self> {
        fs::create_dir_all(&options.out)
            .with_context(|| format!("cannot make the folder {}", options.out.display()))?;
        let page = options.report.clone().unwrap_or_else(|| options.place(file, ".html"));
        let plot_at = |path: &Option<_>| path.as_ref().map(Destination::new).transpose();
        Ok(Self {
            model: Model::destination(options.place(file, ".model"))?,
            page: Destination::new(page)?,
            plot: plot_at(&options.plot)?,
            plot_fit: plot_at(&options.plot_fit)?,
            written: Vec::new(),
        })
    }

    pub(crate) fn write_model(&mut self, model: &Model) {
        let written = model.save_to(&self.model);
        self.written.push(said("Model: ", &self.model, written));
    }

    pub(crate) fn write_page(&mut self, html: &str) {
        let written = self.page.write(html.as_bytes());
        self.written.push(said("Report:", &self.page, written));
    }

    pub(crate) fn write_plot(&mut self, losses: &[f64]) -> Result<()> {
        if let Some(place) = &self.plot {
            let written = place.write(plot::loss(losses)?.as_bytes());
            self.written.push(said("Plot:  ", place, written));
        }
        Ok(())
    }

    pub(crate) fn write_plot_fit(&mut self, pairs: &[(f64, f64)]) -> Result<()> {
        if let Some(place) = &self.plot_fit {
            let written = place.write(plot::predictions(pairs)?.as_bytes());
            self.written.push(said("Plot:  ", place, written));
        }
        Ok(())
    }

    /// Prints what was written.
    ///
    /// # Errors
    /// What was not, this among it; or nothing can be printed.
    pub(crate) fn end(self, unsaved: Option<nn::Error>, out: &mut impl Write) -> Result<()> {
        let mut lines = self.written.iter().flatten();
        let printed: io::Result<()> = lines.try_for_each(|line| writeln!(out, "{line}"));
        let failures = self.written.iter().filter_map(|written| written.clone().err());
        let unsaved = unsaved.map(|error| error.to_string());
        let failures: Vec<String> = unsaved.into_iter().chain(failures).collect();
        if !failures.is_empty() {
            bail!(failures.join("; "));
        }
        Ok(printed?)
    }
}

/// A line for what was written to a place, or its failure.
fn said(what: &str, place: &Destination, written: Result<(), FileError>) -> Result<String, String> {
    match written {
        Ok(()) => Ok(format!("{what} {}", place.path().display())),
        Err(error) => Err(error.to_string()),
    }
}
