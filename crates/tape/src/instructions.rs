//! The best vector instructions that the processor has, chosen at run time.
//!
//! A loop is written once, and compiled for the processors of every [`Level`]. `std` knows what a processor has; a crate for
//! this would be a third of what a user of the engine compiles.
#![allow(
    unsafe_code,
    reason = "a function for instructions that not every processor has is unsafe to call"
)]

#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{AtomicU8, Ordering};

/// A piece of work. All that is to profit must be inlined into [`Work::run`], and that itself always.
pub(crate) trait Work {
    type Output;

    fn run(self) -> Self::Output;
}

/// Sets of instructions, each of which contains the ones before.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
#[repr(u8)]
enum Level {
    Unknown,
    /// What every processor of the architecture has.
    Basic,
    /// AVX2 and what came with it, "x86-64-v3".
    V3,
    /// AVX-512, "x86-64-v4".
    #[cfg(feature = "avx512")]
    V4,
}

/// Does the work with the best instructions that there are. (On other architectures than x86-64 those are the ones that the
/// crate was compiled for.)
#[inline(always)]
pub(crate) fn dispatch<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[cfg(feature = "avx512")]
        if level() >= Level::V4 {
            // SAFETY: the processor has them, as just seen.
            return unsafe { run_v4(work) };
        }
        if level() >= Level::V3 {
            // SAFETY: the processor has them, as just seen.
            return unsafe { run_v3(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,f16c,fma,lzcnt,movbe,popcnt")]
fn run_v3<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(all(target_arch = "x86_64", feature = "avx512"))]
#[target_feature(
    enable = "avx2,bmi1,bmi2,f16c,fma,lzcnt,movbe,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
)]
fn run_v4<W: Work>(work: W) -> W::Output {
    work.run()
}

/// What this processor has: one load, after the first time.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn level() -> Level {
    static LEVEL: AtomicU8 = AtomicU8::new(Level::Unknown as u8);

    #[cold]
    #[inline(never)]
    fn detect() -> Level {
        let level = detected();
        LEVEL.store(level as u8, Ordering::Relaxed);
        level
    }

    let level = LEVEL.load(Ordering::Relaxed);
    if level == Level::V3 as u8 {
        return Level::V3;
    }
    #[cfg(feature = "avx512")]
    if level == Level::V4 as u8 {
        return Level::V4;
    }
    if level == Level::Basic as u8 { Level::Basic } else { detect() }
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Level {
    macro_rules! has_all {
        ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* };
    }
    if !has_all!("avx2" "bmi1" "bmi2" "f16c" "fma" "lzcnt" "movbe" "popcnt") {
        return Level::Basic;
    }
    #[cfg(feature = "avx512")]
    if has_all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl") {
        return Level::V4;
    }
    Level::V3
}
