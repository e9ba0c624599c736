//! What can be asked of a run, and how large it is.

use clap::{Parser, ValueEnum};
use quantum_benches::run::RunOptions;

/// Measures what hostile plugins cost their neighbours, and fails when a figure is over its bound.
#[derive(Debug, Clone, Parser)]
#[command(name = "hostile")]
pub struct Options {
    /// What to measure; everything when nothing is named
    pub parts: Vec<Part>,
    #[command(flatten)]
    pub run: RunOptions,
}

/// Figures that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Beside,
    Growth,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Attempts of the neighbour, each time.
    pub attempts: usize,
    /// How often each attack is measured, each time beside the same without it; the median counts.
    pub rounds: usize,
    /// Attacks before the memory is looked at, and then until it is looked at again.
    pub warm_up: usize,
    pub attacks: usize,
}

impl Sizes {
    pub const FULL: Self = Self { attempts: 3_000, rounds: 5, warm_up: 1_000, attacks: 10_000 };

    /// Enough to see that everything runs.
    pub const SMALL: Self = Self { attempts: 5, rounds: 1, warm_up: 12, attacks: 12 };
}
