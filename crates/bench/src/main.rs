//! Measures this project's crate beside the other Rust crates that differentiate in reverse mode: on six kernels, and on
//! functions whose operations do not repeat.
//!
//! ```text
//! cargo run --release --manifest-path crates/bench/Cargo.toml
//! cargo run --release --manifest-path crates/bench/Cargo.toml -- --bars
//! cargo run --release --manifest-path crates/bench/Cargo.toml -- --functions
//! cargo run --release --manifest-path crates/bench/Cargo.toml -- --asian
//! cargo run --release --manifest-path crates/bench/Cargo.toml --features xad --ignore-rust-version
//! ```

mod bars;
mod contest;
mod engine;
mod function;
mod kernel;
mod number;
mod report;

use clap::{Parser, ValueEnum};

use contest::{Contestant, Results, Role};
use engine::{AdTrait, Echidna, EchidnaReplay, Engine, Plain, Replay, Reverse, Tape, TapeFused};
use kernel::{Determinant, GaussianMixture, Kernel, LeastSquares, LogSumExp, RungeKutta};

/// Time one gradient of each kernel by each engine: recorded anew and swept, unless the engine's name says otherwise.
#[derive(Parser)]
#[command(version)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Options {
    /// Only this kernel; can be given several times.
    #[arg(long, value_enum)]
    kernel: Vec<KernelName>,
    /// Only this engine, beside plain f64; can be given several times.
    #[arg(long, value_enum)]
    engine: Vec<EngineName>,
    /// The number of rounds; in each, every engine has one turn [default: as many as fit 1.5 s per engine and kernel].
    #[arg(long)]
    rounds: Option<usize>,
    /// Measure what programs and batches cost instead, each line as a ratio.
    #[arg(long)]
    bars: bool,
    /// Measure functions whose operations do not repeat instead, in Markdown: one-shot, replay, tracing, by hand, and the peers.
    #[arg(long)]
    functions: bool,
    /// Measure the Asian options of `--functions` alone, in Markdown.
    #[arg(long)]
    asian: bool,
    /// Print one Markdown table of all kernels.
    #[arg(long)]
    markdown: bool,
}

fn main() {
    let options = Options::parse();
    if options.bars {
        return bars::print(options.rounds);
    }
    if options.functions {
        return function::print(options.rounds);
    }
    if options.asian {
        return function::print_asian(options.rounds);
    }
    let kernels =
        if options.kernel.is_empty() { KernelName::value_variants() } else { &options.kernel };
    let results: Vec<Results> = kernels
        .iter()
        .map(|kernel| {
            let results = kernel.measure(&options);
            if !options.markdown {
                println!("{}", report::of_kernel(&results));
            }
            results
        })
        .collect();
    if options.markdown {
        println!("{}", report::markdown(&results));
    } else if results.len() > 1 {
        println!("{}", report::geometric_means(&results));
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum KernelName {
    GmmD10,
    GmmD32,
    RungeKutta,
    LeastSquares,
    Determinant,
    LogSumExp,
}

impl KernelName {
    #[rustfmt::skip]
    fn measure(self, options: &Options) -> Results {
        match self {
            Self::GmmD10       => measure("GMM d10 k10 n500", &GaussianMixture::new(10, 10, 500), options),
            Self::GmmD32       => measure("GMM d32 k10 n500", &GaussianMixture::new(32, 10, 500), options),
            Self::RungeKutta   => measure("RK4 n1000 s100", &RungeKutta::new(1000, 100), options),
            Self::LeastSquares => measure("polynomial least squares n4096 m128", &LeastSquares::new(4096, 128), options),
            Self::Determinant  => measure("determinant by minors, 9", &Determinant::new(), options),
            Self::LogSumExp    => measure("log-sum-exp 100,000", &LogSumExp::new(100_000), options),
        }
    }
}

fn measure(kernel_name: &'static str, kernel: &impl Kernel, options: &Options) -> Results {
    let contestants = EngineName::value_variants()
        .iter()
        .filter(|engine| {
            options.engine.is_empty()
                || **engine == EngineName::Plain
                || options.engine.contains(engine)
        })
        .filter_map(|engine| engine.enter(kernel))
        .collect();
    contest::hold(kernel_name, contestants, options.rounds)
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum EngineName {
    Plain,
    Tape,
    TapeFused,
    TapeReplay,
    TapeBatch,
    Echidna,
    EchidnaReplay,
    AdTrait,
    Reverse,
    #[cfg(feature = "xad")]
    Xad,
    #[cfg(feature = "xad")]
    XadFused,
}

impl EngineName {
    #[rustfmt::skip]
    fn enter<K: Kernel>(self, kernel: &K) -> Option<Contestant<'_>> {
        use contest::Style::{Fused, OneByOne};
        Some(match self {
            Self::Plain         => enter::<Plain, K>("plain f64", Role::Primal, kernel),
            Self::Tape          => enter::<Tape, K>("tape", Role::Ours(OneByOne), kernel),
            Self::TapeFused     => enter::<TapeFused, K>("tape, fused", Role::Ours(Fused), kernel),
            Self::TapeReplay    => enter::<Replay, K>("tape, replay", Role::Replay, kernel),
            Self::TapeBatch     => Contestant { name: "tape, batch", role: Role::Replay, run: engine::batch(kernel)? },
            Self::Echidna       => enter::<Echidna, K>("echidna 0.15 grad", Role::Peer(OneByOne), kernel),
            Self::EchidnaReplay => enter::<EchidnaReplay, K>("echidna 0.15 replay", Role::Replay, kernel),
            Self::AdTrait       => enter::<AdTrait, K>("ad_trait 0.3.1", Role::Peer(OneByOne), kernel),
            Self::Reverse       => enter::<Reverse, K>("reverse 0.2.2", Role::Peer(OneByOne), kernel),
            #[cfg(feature = "xad")]
            Self::Xad           => enter::<engine::Xad, K>("xad-rs 1.0.0", Role::Peer(OneByOne), kernel),
            #[cfg(feature = "xad")]
            Self::XadFused      => enter::<engine::XadFused, K>("xad-rs 1.0.0, fused", Role::Peer(Fused), kernel),
        })
    }
}

fn enter<'a, E: Engine + Default + 'a, K: Kernel>(
    name: &'static str,
    role: Role,
    kernel: &'a K,
) -> Contestant<'a> {
    let mut engine = E::default();
    Contestant { name, role, run: Box::new(move || engine.run(kernel)) }
}
