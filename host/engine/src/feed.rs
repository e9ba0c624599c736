//! Following an execution: its events in order from any place, and its log lines as they come.

use std::sync::Arc;

use quantum_core::id::ExecutionId;
use quantum_core::port::LogLine;
use quantum_store::{EncodedEvent, Store, TenantScope};
use tokio::sync::{broadcast, watch};

use crate::entry::{Entry, Progress};
use crate::error::Error;

/// Events that are read at a time.
const PAGE_EVENTS: u32 = 500;

/// The events of one execution after a place in its log. Ends when the execution has ended and its last event was
/// given.
pub struct EventFeed {
    store: Store,
    scope: TenantScope,
    id: ExecutionId,
    after: u64,
    progress: Option<watch::Receiver<Progress>>,
    lines: Option<broadcast::Receiver<LogLine>>,
}

/// What a feed gives next.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedItem {
    Events(Vec<EncodedEvent>),
    /// Not part of the ordered log.
    Line(LogLine),
}

impl EventFeed {
    /// `entry`: none when the execution has ended.
    pub(crate) fn new(
        store: Store,
        scope: TenantScope,
        id: ExecutionId,
        after: u64,
        entry: Option<&Arc<Entry>>,
    ) -> Self {
        // Registered before the log is read, so that no wake-up is lost in between.
        let progress = entry.map(|entry| entry.progress.subscribe());
        let lines = entry.map(|entry| entry.listen());
        Self { store, scope, id, after, progress, lines }
    }

    /// None: the log is complete. Safe to drop while it waits.
    pub async fn next(&mut self) -> Result<Option<FeedItem>, Error> {
        loop {
            let ended = match &mut self.progress {
                Some(progress) => progress.borrow_and_update().ended,
                None => true,
            };
            // Attempts write their lines before their end is durable, so none is left once the log is complete.
            if let Some(line) = self.pending_line() {
                return Ok(Some(FeedItem::Line(line)));
            }
            let events = self.store.executions(&self.scope).events(&self.id, self.after, PAGE_EVENTS).await?;
            if let Some(last) = events.last() {
                self.after = last.seq;
                return Ok(Some(FeedItem::Events(events)));
            }
            if ended {
                return Ok(None);
            }
            if let Some(line) = self.wait().await {
                return Ok(Some(FeedItem::Line(line)));
            }
        }
    }

    /// A line that has come already. What was too much to keep is skipped.
    fn pending_line(&mut self) -> Option<LogLine> {
        let lines = self.lines.as_mut()?;
        loop {
            match lines.try_recv() {
                Ok(line) => return Some(line),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return None,
            }
        }
    }

    /// Waits until the log has grown (none), or a line comes.
    async fn wait(&mut self) -> Option<LogLine> {
        let Some(progress) = &mut self.progress else { return None };
        let Some(lines) = &mut self.lines else {
            // The sender lives as long as the execution is open; when it is gone, the log is read once more.
            if progress.changed().await.is_err() {
                self.progress = None;
            }
            return None;
        };
        tokio::select! {
            biased;
            changed = progress.changed() => {
                if changed.is_err() {
                    self.progress = None;
                }
                None
            }
            line = lines.recv() => match line {
                Ok(line) => Some(line),
                Err(broadcast::error::RecvError::Lagged(_)) => None,
                Err(broadcast::error::RecvError::Closed) => {
                    self.lines = None;
                    None
                }
            },
        }
    }
}
