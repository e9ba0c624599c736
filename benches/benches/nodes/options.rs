//! What can be asked of a run, and how large it is.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use quantum_benches::run::RunOptions;

/// Measures what PostgreSQL and several nodes cost, and fails when a figure is over its bound.
#[derive(Debug, Clone, Parser)]
#[command(name = "nodes")]
pub struct Options {
    /// What to measure; everything when nothing is named
    pub parts: Vec<Part>,
    #[command(flatten)]
    pub run: RunOptions,
}

/// Figures that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Throughput,
    Wakeup,
    Takeover,
    Reads,
    Claims,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Before anything is measured: as long as nodes tell each other everything.
    pub warm_up: Duration,
    /// Executions of all clients together, each time that it is measured.
    pub executions: usize,
    /// How often what is compared is measured, in turn; medians are compared.
    pub rounds: usize,
    pub wakeups: usize,
    /// Executions whose node dies in the middle of a step.
    pub taken_over: usize,
    /// Milliseconds.
    pub lease_ms: u64,
    /// Reads of each kind, each time.
    pub reads: usize,
    /// Executions whose owner is dead.
    pub claimed: usize,
}

impl Sizes {
    pub const FULL: Self = Self {
        warm_up: Duration::from_secs(6),
        executions: 1_920,
        rounds: 15,
        wakeups: 500,
        taken_over: 100,
        lease_ms: 3_000,
        reads: 500,
        claimed: 20_000,
    };

    /// Enough to see that everything runs.
    pub const SMALL: Self = Self {
        warm_up: Duration::from_millis(1),
        executions: 64,
        rounds: 1,
        wakeups: 3,
        taken_over: 3,
        lease_ms: 1_000,
        reads: 3,
        claimed: 300,
    };
}
