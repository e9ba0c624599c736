//! Following an execution: its events in order from any place, and its log lines as they come.

use std::sync::Arc;

use quantum_core::id::ExecutionId;
use quantum_core::port::LogLine;
use quantum_store::{EncodedEvent, TenantScope};
use tokio::sync::{broadcast, watch};

use crate::engine::Shared;
use crate::entry::{Entry, Progress};
use crate::error::Error;
use crate::news::Ear;
use crate::stored_lines::StoredLines;

/// Events that are read at a time.
const PAGE_EVENTS: u32 = 500;

/// The events of one execution after a place in its log. Ends when the execution has ended and its last event was
/// given.
pub struct EventFeed {
    shared: Arc<Shared>,
    scope: TenantScope,
    id: ExecutionId,
    after: u64,
    source: Source,
    lines: Option<broadcast::Receiver<LogLine>>,
}

/// Who tells that the log has grown.
enum Source {
    /// It is run in this process.
    Here(watch::Receiver<Progress>),
    /// The store, which is looked at when there is news, and from time to time.
    Store(Ear, StoredLines),
}

/// What a feed gives next.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedItem {
    Events(Vec<EncodedEvent>),
    /// Not part of the ordered log.
    Line(LogLine),
}

impl EventFeed {
    /// `entry`: none when the execution has ended, or another node runs it.
    pub(crate) fn new(
        shared: Arc<Shared>,
        scope: TenantScope,
        id: ExecutionId,
        after: u64,
        entry: Option<&Arc<Entry>>,
    ) -> Self {
        // Registered before the log is read, so that no wake-up is lost in between.
        let source = match entry {
            Some(entry) => Source::Here(entry.progress.subscribe()),
            None => Source::Store(shared.news.of_execution(id), StoredLines::default()),
        };
        let lines = entry.map(|entry| entry.listen());
        Self { shared, scope, id, after, source, lines }
    }

    /// None: the log is complete. Safe to drop while it waits.
    pub async fn next(&mut self) -> Result<Option<FeedItem>, Error> {
        loop {
            let ended = self.has_ended().await?;
            // Attempts of this process tell their lines before their end is durable, so none is left once the log is
            // complete.
            if let Some(line) = self.pending_line(ended).await? {
                return Ok(Some(FeedItem::Line(line)));
            }
            let executions = self.shared.ports.store.executions(&self.scope);
            let events = executions.events(&self.id, self.after, PAGE_EVENTS).await?;
            if let Some(last) = events.last() {
                self.after = last.seq;
                return Ok(Some(FeedItem::Events(events)));
            }
            if ended {
                if self.lines_are_complete().await {
                    return Ok(None);
                }
            } else if let Some(line) = self.wait().await {
                return Ok(Some(FeedItem::Line(line)));
            }
        }
    }

    /// Asked before the events are read: what ends later is waited for.
    async fn has_ended(&mut self) -> Result<bool, Error> {
        if let Source::Here(progress) = &mut self.source {
            let Progress { ended, moved, .. } = *progress.borrow_and_update();
            if ended || !moved {
                return Ok(ended);
            }
            self.look_into_store();
        }
        let row = self.shared.ports.store.executions(&self.scope).get(&self.id).await?;
        Ok(row.is_none_or(|row| row.status.is_terminal()))
    }

    /// From now on: its entry is gone.
    fn look_into_store(&mut self) {
        self.source = Source::Store(self.shared.news.of_execution(self.id), StoredLines::default());
        self.lines = None;
    }

    /// A line that has come already. What was too much to keep is skipped.
    async fn pending_line(&mut self, ended: bool) -> Result<Option<LogLine>, Error> {
        if let Source::Store(_, lines) = &mut self.source {
            if ended && !lines.were_looked_for() {
                return Ok(None);
            }
            return lines.next(&self.shared, &self.scope, &self.id).await;
        }
        let Some(lines) = &mut self.lines else { return Ok(None) };
        loop {
            match lines.try_recv() {
                Ok(line) => return Ok(Some(line)),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    async fn lines_are_complete(&mut self) -> bool {
        match &mut self.source {
            Source::Here(_) => true,
            Source::Store(_, lines) => lines.are_complete().await,
        }
    }

    /// Waits until the log has grown (none), or a line comes.
    async fn wait(&mut self) -> Option<LogLine> {
        let progress = match &mut self.source {
            Source::Store(ear, _) => {
                self.shared.wait_for_news(ear).await;
                return None;
            }
            Source::Here(progress) => progress,
        };
        let line = async {
            match &mut self.lines {
                Some(lines) => lines.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = progress.changed() => {
                if changed.is_err() {
                    self.look_into_store();
                }
                None
            }
            line = line => match line {
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
