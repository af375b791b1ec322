//! From a table to what a network takes: the target, the parts of the rows, the inputs as numbers.

use core::ops::ControlFlow;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use nn::data::{
    Classes, ColumnSettings, Columns, Dataset, Error, Format, Standardizer, Table, Task,
    split_rows, split_rows_by_class,
};
use nn::{Embedding, Event, Loss, Model, Settings, Target, Trainer};
use tape::Matrix;

use crate::{Options, TaskName, epochs, network};

/// By how many standard deviations an input may lie outside of what the rows to learn from have.
const MARGIN: f64 = 2.0;

/// What the rows of a table are, before they are parted: inputs as cells, targets as numbers.
pub(crate) struct Source {
    inputs: Table,
    name: String,
    /// One-hot, or the numbers.
    targets: Matrix<f64>,
    classes: Option<Classes>,
    /// Of each row, if there are classes.
    class_of: Vec<usize>,
}

/// The numbers of the rows in each part.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) training: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

/// The table as a network takes it, in its parts.
pub(crate) struct Data {
    pub(crate) target: Target,
    /// In the units of the table.
    pub(crate) training: Dataset,
    pub(crate) test: Option<Dataset>,
    /// Scaled, what the network learns from and what judges each epoch.
    pub(crate) learnt: Dataset,
    pub(crate) judged: Option<Dataset>,
    /// All rows, in the units of the table.
    all: Dataset,
    columns: Columns,
    standardizer: Standardizer,
}

impl Options {
    pub(crate) fn read(&self, file: &Path) -> Result<Table> {
        let in_file = || format!("in {}", file.display());
        let delimiter = match self.delimiter.as_deref() {
            Some("tab" | "\\t") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                &[byte] if byte.is_ascii() => Some(byte),
                _ => bail!("--delimiter {text:?}: give one ASCII character, or tab"),
            },
            None => None,
        };
        let header = self.header.map(|answer| answer == crate::Answer::Yes);
        Table::read_as(file, Format { delimiter, header }).with_context(in_file)
    }

    fn columns(&self, target: &str) -> Result<ColumnSettings> {
        // The target is no input, and may be said to be text all the same.
        let is_input = |name: &&String| name.as_str() != target;
        let embeds_nothing = self.embed == ["none"];
        let said = if embeds_nothing { &[][..] } else { &self.embed };
        Ok(ColumnSettings {
            text: self.text.iter().filter(is_input).cloned().collect(),
            gaps: self.gap.clone(),
            categories: self.categories,
            embed: said.iter().map(|said| embedded(said)).collect::<Result<_>>()?,
            embed_many: !embeds_nothing,
        })
    }

    /// The share of the rows that judge each epoch.
    fn validation(&self, rows: usize) -> f64 {
        self.validation.unwrap_or(if rows <= epochs::SMALL { 0.0 } else { 0.1 })
    }
}

/// A column to embed, and how many numbers a category stands for, if that is said.
fn embedded(said: &str) -> Result<(String, Option<usize>)> {
    let Some((name, Ok(dimensions))) =
        said.rsplit_once(':').map(|(name, count)| (name, count.parse()))
    else {
        return Ok((said.to_owned(), None));
    };
    ensure!(dimensions > 0, "--embed {said:?}: a category stands for at least one number");
    Ok((name.to_owned(), Some(dimensions)))
}

impl Source {
    pub(crate) fn new(options: &Options, table: &Table, out: &mut impl Write) -> Result<Self> {
        let name = table.columns()[table.position(&options.target)?].clone();
        let of_target =
            if options.drop_rows { table.columns().to_vec() } else { vec![name.clone()] };
        let whole = table.whole_rows(&of_target, &options.gap)?;
        let gaps = table.len() - whole.len();
        if gaps > 0 {
            let what = if options.drop_rows { "a gap".to_owned() } else { format!("no {name:?}") };
            writeln!(out, "Left out: {gaps} rows with {what}.")?;
        }
        ensure!(
            !whole.is_empty(),
            "no row is left: every one has a gap in {}",
            if options.drop_rows {
                "some column; try it without --drop-rows"
            } else {
                "the target; name another one by --target"
            }
        );
        let table = table.rows(&whole);
        let task = match options.task {
            Some(TaskName::Classify) => Task::Classify,
            Some(TaskName::Regress) => Task::Regress,
            None if options.log => Task::Regress,
            None if options.text.contains(&name) => Task::Classify,
            None => table.task(&name)?,
        };
        let inputs = table.drop(&[&name])?;
        ensure!(!inputs.columns().is_empty(), Error::NoInputs);
        let (targets, classes, class_of) = match task {
            Task::Classify => {
                ensure!(!options.log, "--log is for numbers, and {name:?} has classes");
                let (classes, class_of) = table.classes(&name).map_err(|error| match error {
                    Error::FractionalClass { .. } | Error::TooManyClasses { .. } => {
                        anyhow!("{error} (--task regress, --target COLUMN)")
                    }
                    error => error.into(),
                })?;
                (classes.one_hot(&class_of)?, Some(classes), class_of)
            }
            Task::Regress => (amounts(options, &table, &name)?, None, Vec::new()),
        };
        Ok(Self { inputs, name, targets, classes, class_of })
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.rows
    }

    pub(crate) fn has_classes(&self) -> bool {
        self.classes.is_some()
    }

    /// A share of the rows for a test.
    pub(crate) fn split(&self, share: f64, seed: u64) -> Result<Parts> {
        let all: Vec<usize> = (0..self.len()).collect();
        let (training, test) =
            if share == 0.0 { (all, Vec::new()) } else { self.split_of(&all, share, seed)? };
        Ok(Parts { training, test })
    }

    /// As many parts as there are folds, each with another part of the rows for its test.
    pub(crate) fn folds(&self, count: usize, seed: u64) -> Result<Vec<Parts>> {
        let rows = self.len();
        ensure!(
            (2..=rows).contains(&count),
            "--folds {count}: give at least 2, and at most one for each of the {rows} rows"
        );
        self.folds_of(&(0..rows).collect::<Vec<_>>(), count, seed)
    }

    /// The same of some of the rows: at least as many as there are folds.
    pub(crate) fn folds_of(&self, rows: &[usize], count: usize, seed: u64) -> Result<Vec<Parts>> {
        let mut rest = rows.to_vec();
        let mut parts = Vec::with_capacity(count);
        for left in (1..=count).rev() {
            let test = if left == 1 {
                core::mem::take(&mut rest)
            } else {
                // A whole number of rows, so that what is left has a row for each fold that comes.
                let share = (rest.len() / left) as f64 / rest.len() as f64;
                let (others, test) = self.split_of(&rest, share, seed.wrapping_add(left as u64))?;
                rest = others;
                test
            };
            let is_other = |row: &usize| test.binary_search(row).is_err();
            parts.push(Parts { training: rows.iter().copied().filter(is_other).collect(), test });
        }
        Ok(parts)
    }

    fn split_of(&self, rows: &[usize], share: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
        let (rest, part) = if self.has_classes() {
            let classes: Vec<usize> = rows.iter().map(|&row| self.class_of[row]).collect();
            split_rows_by_class(&classes, share, seed)?
        } else {
            split_rows(rows.len(), share, seed)?
        };
        let of = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
        Ok((of(rest), of(part)))
    }

    /// The rows of these parts as numbers.
    pub(crate) fn data(&self, options: &Options, parts: &Parts) -> Result<Data> {
        let validation = options.validation(parts.training.len());
        let (learnt, judged) = if validation > 0.0 {
            self.split_of(&parts.training, validation, options.seed)?
        } else {
            (parts.training.clone(), Vec::new())
        };
        let mut data = self.data_judged(options, &learnt, &judged)?;
        if !judged.is_empty() {
            data.training = data.all.rows(&parts.training);
        }
        data.test = (!parts.test.is_empty()).then(|| data.all.rows(&parts.test));
        Ok(data)
    }

    /// Rows to learn from and rows that judge each epoch, as numbers, and no test.
    pub(crate) fn data_judged(
        &self,
        options: &Options,
        learnt: &[usize],
        judged: &[usize],
    ) -> Result<Data> {
        let settings = options.columns(&self.name)?;
        // Everything is learnt from the rows that the network learns from, and from no others.
        let columns =
            Columns::learn(&self.inputs, learnt, &settings).map_err(|error| match error {
                Error::BadCells(_) => {
                    anyhow!(
                        "{error} (--gap TEXT for what means a gap, --text COLUMN, --drop COLUMN)"
                    )
                }
                Error::Nested { .. } => anyhow!("{error} (--drop COLUMN)"),
                Error::NoUsableInputs { .. } => {
                    anyhow!("{error} (--text COLUMN keeps one whose texts do not come again)")
                }
                error => error.into(),
            })?;
        let inputs = columns.apply(&self.inputs)?.inputs;
        let target_names: Vec<String> = match &self.classes {
            Some(classes) => classes.labels().map(str::to_owned).collect(),
            None => vec![self.name.clone()],
        };
        let all =
            Dataset::new(inputs, self.targets.clone())?.named(columns.names(), target_names)?;
        let learnt = all.rows(learnt);
        let standardizer = columns.standardizer(&Standardizer::learn(&learnt.inputs)?);
        let standardizer = standardizer.bounded(&learnt.inputs, MARGIN)?;
        let logarithms = |targets: &Matrix<f64>| -> Matrix<f64> {
            let data = targets.data.iter().map(|number| number.ln()).collect();
            Matrix { rows: targets.rows, columns: targets.columns, data }
        };
        let target = match &self.classes {
            Some(classes) => Target::Classes { name: self.name.clone(), classes: classes.clone() },
            None => Target::Numbers {
                names: vec![self.name.clone()],
                standardizer: Standardizer::learn(&if options.log {
                    logarithms(&learnt.targets)
                } else {
                    learnt.targets.clone()
                })?,
                log: options.log,
            },
        };
        let scaled = |mut data: Dataset| -> Result<Dataset> {
            standardizer.apply(&mut data.inputs)?;
            if let Target::Numbers { standardizer, log, .. } = &target {
                if *log {
                    data.targets = logarithms(&data.targets);
                }
                standardizer.apply(&mut data.targets)?;
            }
            Ok(data)
        };
        let judged = (!judged.is_empty()).then(|| scaled(all.rows(judged))).transpose()?;
        Ok(Data {
            training: learnt.clone(),
            test: None,
            learnt: scaled(learnt)?,
            judged,
            all,
            target,
            columns,
            standardizer,
        })
    }
}

/// The numbers of a target.
fn amounts(options: &Options, table: &Table, name: &str) -> Result<Matrix<f64>> {
    let targets = table.amounts(name).map_err(|error| match error {
        Error::BadCells(_) => {
            anyhow!("{error} (--gap TEXT for what means a gap, --task classify, --target COLUMN)")
        }
        error => error.into(),
    })?;
    if options.log
        && let Some(row) = targets.data.iter().position(|&number| number <= 0.0)
    {
        bail!(
            "--log: {}, column {name:?} is {}, and has no logarithm: numbers must be greater than 0",
            table.place_of(row),
            targets.data[row]
        );
    }
    Ok(targets)
}

impl Data {
    /// Takes the test rows from another table.
    pub(crate) fn test_on(
        &mut self,
        options: &Options,
        file: &Path,
        out: &mut impl Write,
    ) -> Result<()> {
        let table = options.read(file)?;
        let in_file = || format!("in {}", file.display());
        let name = self.target_name().to_owned();
        let whole = table.whole_rows(&[&name], &options.gap).with_context(in_file)?;
        ensure!(
            !whole.is_empty(),
            "no row of {} has a {name:?}: there is nothing to test",
            file.display()
        );
        let gaps = table.len() - whole.len();
        if gaps > 0 {
            writeln!(out, "Left out: {gaps} rows of {} with no {name:?}.", file.display())?;
        }
        let table = table.rows(&whole);
        let targets = match &self.target {
            Target::Classes { classes, .. } => {
                let mut indices = Vec::with_capacity(table.len());
                for (row, label) in table.cells(&name)?.enumerate() {
                    indices.push(classes.index(label).ok_or_else(|| {
                        let place = table.place_of(row);
                        anyhow!("{place}, column {name:?}: there was no class {label:?} in the training")
                    }).with_context(in_file)?);
                }
                classes.one_hot(&indices)?
            }
            Target::Numbers { .. } => amounts(options, &table, &name).with_context(in_file)?,
        };
        let encoded = self.columns.apply(&table).with_context(in_file)?;
        for note in encoded.notes {
            writeln!(out, "In {}: {note}.", file.display())?;
        }
        let names = self.training.target_names.clone();
        self.test =
            Some(Dataset::new(encoded.inputs, targets)?.named(self.columns.names(), names)?);
        Ok(())
    }

    /// The layers that look up categories.
    pub(crate) fn embeddings(&self) -> Vec<Embedding> {
        self.columns.embeddings()
    }

    /// The names of the inputs after the look-ups.
    pub(crate) fn names_looked_up(&self) -> Vec<String> {
        let mut names = self.training.input_names.clone();
        for embedding in self.embeddings() {
            let place = embedding.input();
            let looked_up =
                (1..=embedding.dimensions()).map(|count| format!("{} ({count})", names[place]));
            let looked_up: Vec<String> = looked_up.collect();
            names.splice(place..=place, looked_up);
        }
        names
    }

    pub(crate) fn loss(&self) -> Loss {
        match self.target {
            Target::Classes { .. } => Loss::CrossEntropy,
            Target::Numbers { .. } => Loss::MeanSquared,
        }
    }

    /// A training that nobody stops.
    pub(crate) fn trained(
        &self,
        options: &Options,
        settings: Settings,
        show: impl Fn(&Event),
    ) -> Result<Trainer> {
        let mut trainer = Trainer::new(network(options, self)?, self.loss(), settings)?;
        let judged = self.judged.as_ref().map(Dataset::samples);
        trainer.train_watched(self.learnt.samples(), judged, |event| {
            show(&event);
            ControlFlow::Continue(())
        })?;
        Ok(trainer)
    }

    pub(crate) fn model(&self, trainer: &Trainer) -> Model {
        Model {
            network: trainer.network(),
            inputs: self.training.input_names.clone(),
            columns: self.columns.clone(),
            standardizer: self.standardizer.clone(),
            target: self.target.clone(),
        }
    }

    pub(crate) fn target_name(&self) -> &str {
        match &self.target {
            Target::Classes { name, .. } => name,
            Target::Numbers { names, .. } => &names[0],
        }
    }

    /// A line for each column: what it was taken for. Of many, those that are plain numbers are only counted.
    pub(crate) fn write_columns(&self, out: &mut impl Write) -> Result<()> {
        const MANY: usize = 40;
        let lines: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        let is_plain = |line: &&String| line.ends_with(": number");
        let plain = lines.iter().filter(is_plain).count();
        writeln!(out, "Columns:")?;
        let is_shown = |line: &&String| lines.len() <= MANY || !is_plain(line);
        for line in lines.iter().filter(is_shown) {
            writeln!(out, "  {line}")?;
        }
        if lines.len() > MANY && plain > 0 {
            writeln!(out, "  {plain} columns: number")?;
        }
        Ok(())
    }
}
