//! Log lines and progress of attempts: told to live listeners at once, written in batches, never waited for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use metrics::counter;
use quantum_core::id::ExecutionId;
use quantum_core::port::{LogLine, LogSink};
use quantum_store::Announcement;
use tokio::sync::Notify;

use crate::engine::Shared;

/// Lines that wait to be written. Over it the newest are dropped and counted: a log must not take the host's memory.
const LINES_MAX: usize = 20_000;
/// How long lines are gathered before they are written.
pub(crate) const BATCH_MS: u64 = 100;

/// Takes lines from running attempts. Made before the engine, because the sandbox is.
#[derive(Default)]
pub struct LogBuffer {
    lines: Mutex<Vec<LogLine>>,
    filled: Notify,
    shared: OnceLock<Weak<Shared>>,
}

impl LogBuffer {
    pub(crate) fn attach(&self, shared: &Arc<Shared>) {
        // A buffer serves one engine; a second one would not be told.
        let _already = self.shared.set(Arc::downgrade(shared));
    }

    fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogSink for LogBuffer {
    fn write(&self, line: LogLine) {
        let shared = self.shared.get().and_then(Weak::upgrade);
        if let Some(entry) = shared.and_then(|shared| shared.live.get(&line.execution)) {
            entry.tell(&line);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= LINES_MAX {
            counter!("quantum_log_lines_dropped_total").increment(1);
            return;
        }
        lines.push(line);
        if lines.len() == 1 {
            self.filled.notify_one();
        }
    }
}

impl Shared {
    /// Writes lines until the host stops, and then the rest.
    pub(crate) async fn write_logs(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.logs.filled.notified() => {}
                () = self.stopped.cancelled() => break,
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(BATCH_MS)) => {}
                () = self.stopped.cancelled() => break,
            }
            self.flush_logs().await;
        }
        self.flush_logs().await;
    }

    async fn flush_logs(&self) {
        let lines = self.logs.take();
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        let executions: BTreeSet<ExecutionId> = lines.iter().map(|line| line.execution).collect();
        if let Err(error) = self.ports.store.logs().append(lines).await {
            counter!("quantum_log_lines_dropped_total").increment(count as u64);
            tracing::warn!(lines = count, error = %error, "log lines of steps could not be written");
        }
        for execution in executions {
            self.announce(Announcement::Progress { execution });
        }
    }
}
