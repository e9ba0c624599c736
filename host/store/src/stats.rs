//! Counters of the store, read by the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reading of the counters since start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Commits of executions that were acknowledged.
    pub awaited_commits: u64,
    /// Transactions that were made durable.
    pub flushes: u64,
    /// Commits that were refused (conflict, fenced, key taken, invalid).
    pub refused_commits: u64,
    /// Log lines that were written.
    pub log_lines: u64,
    /// Rows of another tenant that a query returned. Must stay 0.
    pub foreign_rows: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub awaited_commits: AtomicU64,
    pub flushes: AtomicU64,
    pub refused_commits: AtomicU64,
    pub log_lines: AtomicU64,
    pub foreign_rows: AtomicU64,
    /// Transactions that changed more than executions and their logs.
    pub changes: AtomicU64,
}

impl Counters {
    pub fn read(&self) -> Stats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            awaited_commits: of(&self.awaited_commits),
            flushes: of(&self.flushes),
            refused_commits: of(&self.refused_commits),
            log_lines: of(&self.log_lines),
            foreign_rows: of(&self.foreign_rows),
        }
    }
}

/// Adds to a counter that nothing else is ordered by.
pub(crate) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}
