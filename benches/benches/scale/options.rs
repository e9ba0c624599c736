//! What can be asked of a run, and how large it is.

use clap::{Parser, ValueEnum};
use quantum_benches::run::RunOptions;

/// Measures what has to hold as numbers grow, and fails when a figure is over its bound.
#[derive(Debug, Clone, Parser)]
#[command(name = "scale")]
pub struct Options {
    /// What to measure; everything when nothing is named
    pub parts: Vec<Part>,
    /// Executions that wait, half of them for a time and half for a signal
    #[arg(long, default_value_t = Sizes::FULL.waiting)]
    waiting: usize,
    /// Executions that run when the host dies
    #[arg(long, default_value_t = Sizes::FULL.running)]
    running: usize,
    /// Finished executions in the full store
    #[arg(long, default_value_t = Sizes::FULL.finished)]
    finished: u64,
    #[command(flatten)]
    pub run: RunOptions,
}

/// Figures that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Commits,
    Waiting,
    Recovery,
    ForEach,
    History,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Executions one after another, and of each of the clients at the same time.
    pub executions: usize,
    pub waiting: usize,
    /// Timers that come due while the others wait.
    pub due: usize,
    /// Milliseconds from their start until the first of them is due. Over 30 s the executions leave the memory.
    pub due_after_ms: u64,
    /// Milliseconds between one of them and the next.
    pub due_every_ms: u64,
    pub running: usize,
    /// Elements of the long list.
    pub elements: usize,
    pub finished: u64,
    /// How often what is compared is measured; medians of these are compared.
    pub rounds: usize,
}

impl Sizes {
    pub const FULL: Self = Self {
        executions: 100,
        waiting: 100_000,
        due: 2_000,
        due_after_ms: 35_000,
        due_every_ms: 5,
        running: 10_000,
        elements: 1_000,
        finished: 1_000_000,
        rounds: 25,
    };

    /// Enough to see that everything runs.
    pub const SMALL: Self = Self {
        executions: 2,
        waiting: 40,
        due: 10,
        due_after_ms: 100,
        due_every_ms: 1,
        running: 20,
        elements: 20,
        finished: 200,
        rounds: 1,
    };
}

impl Options {
    pub fn sizes(&self) -> Sizes {
        Sizes { waiting: self.waiting, running: self.running, finished: self.finished, ..Sizes::FULL }
    }
}
