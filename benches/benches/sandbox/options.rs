//! What can be asked of a run, and how large it is.

use clap::{Parser, ValueEnum};
use quantum_benches::run::RunOptions;

/// Measures what the sandbox costs, and fails when a figure is over its bound.
#[derive(Debug, Clone, Parser)]
#[command(name = "sandbox")]
pub struct Options {
    /// What to measure; everything when nothing is named
    pub parts: Vec<Part>,
    #[command(flatten)]
    pub run: RunOptions,
}

/// Figures that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Overhead,
    Install,
    Growth,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// How often what is compared is measured, in turn; medians are compared.
    pub rounds: usize,
    /// Calls of a round.
    pub calls: u32,
    /// Attempts before memory is looked at.
    pub warm_up: u32,
    /// Attempts until it is looked at again.
    pub attempts: u32,
    /// Bytes of the large component.
    pub large_bytes: usize,
}

impl Sizes {
    pub const FULL: Self =
        Self { rounds: 21, calls: 500, warm_up: 2_000, attempts: 10_000, large_bytes: 10_000_000 };

    /// Enough to see that everything runs.
    pub const SMALL: Self = Self { rounds: 1, calls: 2, warm_up: 4, attempts: 8, large_bytes: 200_000 };
}
