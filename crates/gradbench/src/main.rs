//! The `tape` crate as a tool of GradBench: answers its messages, one JSON object a line, on standard input and output.

mod descent;
mod eval;
mod failure;
mod measure;
#[cfg(test)]
mod oracle;
mod rows;
mod session;

use std::io::{self, BufRead, Write};

use clap::Parser;

/// Speaks GradBench's protocol on standard input and output.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Use all cores for a single evaluation.
    #[arg(long)]
    multithreaded: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    // 0 stands for as many threads as there are cores.
    let threads = usize::from(!arguments.multithreaded);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .expect("no other part of the program has started threads");
    let mut output = io::stdout().lock();
    // Bytes: a line that is no text is answered too.
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        serde_json::to_writer(&mut output, &session::answer(&line))?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}
