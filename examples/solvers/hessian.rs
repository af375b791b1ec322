//! Spans a soap film in a wire frame by Newton's method, with the sparse Hessian of a function of many variables.
//!
//! Goal: a Hessian of a million entries for the price of a few gradients, its pattern as a picture, and what it is good
//! for. Prerequisite: the example `your_own_function`. Run it with `cargo run --release --example hessian`; with
//! `--size 100` for a finer film, with `--picture pattern.svg` for a drawing of the pattern.
//!
//! The film's heights above a square grid are the variables, its area is the function: a sum over triangles, each of which
//! knows three heights. So a height meets only its six neighbours in the Hessian, however many there are. The frame is
//! cut from Scherk's surface of 1834, z = ln(cos y / cos x), which is the solution between the points of the grid too.

#[path = "../support/end.rs"]
mod end;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use plotters::prelude::*;
use tape::{Pattern, Program, SparseMatrix, Var, Workspace};

use crate::end::end;

/// A soap film in a wire frame, by Newton's method with sparse Hessians.
#[derive(Parser)]
struct Options {
    /// The number of heights along each side; as many squared are the variables
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=300))]
    size: u16,
    /// Draw the Hessian's pattern into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
}

fn main() -> ExitCode {
    end(run(&Options::parse(), &mut io::stdout().lock()))
}

fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let film = Film { size: options.size.into() };
    let flat = vec![0.0; film.heights()];
    let program = Program::trace(|heights| film.area(heights), &flat)?;

    show_pattern(&film, &program, out)?;
    if let Some(path) = &options.picture {
        draw(program.hessian_sparsity()?, path)
            .with_context(|| format!("cannot draw {}", path.display()))?;
        writeln!(out, "The pattern is drawn in {}.", path.display())?;
    }
    let heights = minimize(&program, flat, out)?;
    let distance = film.distance_to_scherk(&heights);
    writeln!(out, "Largest distance to Scherk's surface: {distance:.6}")?;
    compare_times(&program, &heights, out)
}

/// A film over the square from −1 to 1, of `size` × `size` heights inside a frame.
struct Film {
    size: usize,
}

impl Film {
    fn heights(&self) -> usize {
        self.size * self.size
    }

    /// The distance between neighbours: there are `size` + 1 steps from frame to frame.
    fn step(&self) -> f64 {
        2.0 / (self.size as f64 + 1.0)
    }

    fn scherk(&self, row: usize, column: usize) -> f64 {
        let place = |i: usize| i as f64 * self.step() - 1.0;
        (place(row).cos() / place(column).cos()).ln()
    }

    /// The sum of the areas of two triangles for each cell of the grid.
    fn area(&self, heights: &[Var]) -> Var {
        let (size, step) = (self.size, self.step());
        let height = |row: usize, column: usize| {
            if (1..=size).contains(&row) && (1..=size).contains(&column) {
                heights[(row - 1) * size + column - 1]
            } else {
                Var::constant(self.scherk(row, column))
            }
        };
        let triangle = |corner: Var, along: Var, across: Var| {
            let slopes = [(along - corner) / step, (across - corner) / step];
            (slopes[0] * slopes[0] + slopes[1] * slopes[1] + 1.0).sqrt() * (step * step / 2.0)
        };
        let mut areas = Vec::with_capacity(2 * (size + 1) * (size + 1));
        for row in 0..=size {
            for column in 0..=size {
                let (right, below) = (height(row, column + 1), height(row + 1, column));
                areas.push(triangle(height(row, column), right, below));
                areas.push(triangle(height(row + 1, column + 1), below, right));
            }
        }
        tape::sum(&areas)
    }

    fn distance_to_scherk(&self, heights: &[f64]) -> f64 {
        let distance = |(i, height): (usize, &f64)| {
            (height - self.scherk(i / self.size + 1, i % self.size + 1)).abs()
        };
        heights.iter().enumerate().map(distance).fold(0.0, f64::max)
    }
}

fn show_pattern(film: &Film, program: &Program, out: &mut impl Write) -> Result<()> {
    const LARGEST_PICTURE: usize = 8;
    let n = film.heights();
    let (pattern, colors) = (program.hessian_sparsity()?, program.hessian_colors()?);
    writeln!(out, "The area of a soap film, as a function of n = {n} heights")?;
    writeln!(out, "Entries of the Hessian: {}", n * n)?;
    writeln!(out, "Entries that can be other than 0: {}", pattern.len())?;
    writeln!(out, "Products with a vector that find them (colours): {colors}")?;

    if film.size <= LARGEST_PICTURE {
        return Ok(writeln!(out, "\n{pattern}\n")?);
    }
    let small = Film { size: 5 };
    let program = Program::trace(|heights| small.area(heights), &vec![0.0; small.heights()])?;
    Ok(writeln!(out, "\nOf a film of 5 × 5 heights:\n{}\n", program.hessian_sparsity()?)?)
}

/// Draws a square for each place of a pattern.
fn draw(pattern: &Pattern, path: &Path) -> Result<()> {
    const PIXELS: usize = 800;
    const MANY: usize = 200_000;
    ensure!(
        pattern.len() <= MANY,
        "{} squares are too many for a drawing; choose a smaller --size",
        pattern.len()
    );
    let n = pattern.rows();
    let side = (PIXELS / n).max(2);
    let edge = u32::try_from(n * side)?;
    let area = SVGBackend::new(path, (edge, edge)).into_drawing_area();
    area.fill(&WHITE)?;
    for (row, column) in pattern.iter() {
        let (left, top) = (i32::try_from(column * side)?, i32::try_from(row * side)?);
        let side = i32::try_from(side)?;
        area.draw(&Rectangle::new([(left, top), (left + side, top + side)], BLACK.filled()))?;
    }
    Ok(area.present()?)
}

/// Newton's method: the Hessian's inverse turns the gradient into a step.
fn minimize(program: &Program, mut x: Vec<f64>, out: &mut impl Write) -> Result<Vec<f64>> {
    const STEPS: usize = 20;
    const SMALL: f64 = 1e-10;
    writeln!(out, "step       area  |gradient|")?;
    for step in 0..STEPS {
        let (area, gradient, hessian) = program.sparse_hessian(&x)?;
        let size = norm(&gradient);
        writeln!(out, "{step:4}  {area:.7}  {size:.4e}")?;
        if size < SMALL {
            break;
        }
        let direction = solve(&hessian, &gradient);
        // The area is convex, so that the direction is a descent; far from the minimum the step may be too long.
        let mut scale = 1.0;
        loop {
            let next: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x - scale * d).collect();
            if scale < 1e-3 || program.value(&next)? <= area {
                x = next;
                break;
            }
            scale /= 2.0;
        }
    }
    Ok(x)
}

/// The solution of matrix·x = b for a positive definite matrix, by conjugate gradients (Hestenes and Stiefel, 1952).
///
/// For a system that is solved often, or to the last digit, take a sparse Cholesky decomposition: with the feature `faer`
/// the matrix becomes one of that crate by `into()`.
fn solve(matrix: &SparseMatrix, b: &[f64]) -> Vec<f64> {
    let mut x = vec![0.0; b.len()];
    let mut residual = b.to_vec();
    let mut direction = residual.clone();
    let mut square = dot(&residual, &residual);
    let enough = 1e-20 * square;
    for _ in 0..10 * b.len() {
        if square <= enough {
            break;
        }
        let product = matrix.mul_vector(&direction);
        let length = square / dot(&direction, &product);
        for i in 0..x.len() {
            x[i] += length * direction[i];
            residual[i] -= length * product[i];
        }
        let next = dot(&residual, &residual);
        for i in 0..x.len() {
            direction[i] = residual[i] + next / square * direction[i];
        }
        square = next;
    }
    x
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn compare_times(program: &Program, x: &[f64], out: &mut impl Write) -> Result<()> {
    const LARGEST_DENSE: usize = 1100;
    let (mut workspace, mut gradient) = (Workspace::default(), vec![0.0; x.len()]);
    let of_gradient =
        time(|| Ok(program.gradient_into(x, &mut workspace, &mut gradient).map(drop)?))?;
    let of_sparse = time(|| Ok(program.sparse_hessian(x).map(drop)?))?;
    let ratio = |time: Duration| time.as_secs_f64() / of_gradient.as_secs_f64();
    writeln!(out, "\nA gradient takes {of_gradient:.1?}.")?;
    writeln!(out, "A sparse Hessian takes {of_sparse:.1?}: {:.1} gradients.", ratio(of_sparse))?;
    if x.len() <= LARGEST_DENSE {
        let of_dense = time(|| Ok(program.hessian(x).map(drop)?))?;
        writeln!(out, "A dense Hessian takes {of_dense:.1?}: {:.1} gradients.", ratio(of_dense))?;
    }
    Ok(())
}

/// The shortest time of a few runs.
fn time(mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        work()?;
        shortest = shortest.min(start.elapsed());
    }
    Ok(shortest)
}
