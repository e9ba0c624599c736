//! The log lines of an execution that another node runs, as that one writes them.

use std::collections::VecDeque;
use std::time::Duration;

use quantum_core::id::ExecutionId;
use quantum_core::port::LogLine;
use quantum_store::{LogFilter, TenantScope};

use crate::engine::Shared;
use crate::error::Error;
use crate::logs::BATCH_MS;

/// Lines that are read at a time.
const PAGE_LINES: u32 = 500;

/// Gives each line once, from those on that are written after the first look.
#[derive(Default)]
pub(crate) struct StoredLines {
    /// Number of the last one that is known. None: nobody has looked while the execution was open.
    after: Option<u64>,
    read: VecDeque<LogLine>,
    is_complete: bool,
}

impl StoredLines {
    /// None: there is no other one yet.
    pub async fn next(
        &mut self,
        shared: &Shared,
        scope: &TenantScope,
        execution: &ExecutionId,
    ) -> Result<Option<LogLine>, Error> {
        let logs = shared.ports.store.logs();
        let Some(after) = self.after else {
            self.after = Some(logs.last_number(scope, execution).await?);
            return Ok(None);
        };
        if self.read.is_empty() {
            let filter = LogFilter { execution: *execution, step: None, after, limit: PAGE_LINES };
            let rows = logs.list(scope, &filter).await?;
            self.after = rows.last().map_or(self.after, |last| Some(last.number));
            self.read.extend(rows.into_iter().map(|row| row.line));
        }
        Ok(self.read.pop_front())
    }

    /// The execution has ended. False: the last lines may have come meanwhile; they are written a moment after the end.
    pub async fn are_complete(&mut self) -> bool {
        if self.after.is_some() && !self.is_complete {
            tokio::time::sleep(Duration::from_millis(2 * BATCH_MS)).await;
            self.is_complete = true;
            return false;
        }
        true
    }

    pub const fn were_looked_for(&self) -> bool {
        self.after.is_some()
    }
}
