//! This process among the nodes of its store: its lease, and what it does for all of them.
//!
//! INVARIANT: nobody else writes an execution that a node owns while its lease lasts; who lost it is fenced by the epoch.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use quantum_core::time::Timestamp;
use quantum_store::{Announcement, Beat, ExecutionKey, NodeRecord, Store};

use crate::admit::new_execution_id;
use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::Entry;
use crate::error::Error;
use crate::options::EngineOptions;

/// Heartbeats in the time of a lease: one that is late, or refused, does not end it.
const BEATS: u64 = 3;

/// Takes a lease for this process. Gives its record, with an id that no other process has.
pub(crate) async fn join(
    store: &Store,
    options: &EngineOptions,
    now: Timestamp,
) -> Result<NodeRecord, Error> {
    let node = NodeRecord {
        id: format!("{}-{}", options.name, new_execution_id(now)),
        name: options.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: options.url.clone(),
        started_at: now,
    };
    match options.lease_ms {
        Some(lease_ms) => store.nodes().register(&node, lease_ms, now).await?,
        None => store.nodes().register_alone(&node, now).await?,
    }
    Ok(node)
}

impl Shared {
    /// No other node uses the store.
    pub(crate) const fn is_alone(&self) -> bool {
        self.options.lease_ms.is_none()
    }

    /// Extends the lease until everything has ended.
    pub(crate) async fn keep_lease(self: Arc<Self>) {
        let Some(lease_ms) = self.options.lease_ms else { return };
        let (mut next, mut absent) = (lease_ms / BEATS, false);
        let mut last = self.ports.clock.now();
        loop {
            tokio::select! {
                () = self.ports.clock.sleep_until(last.plus_millis(next)) => {}
                () = self.stopped.cancelled() => return,
            }
            last = self.ports.clock.now();
            next = lease_ms / BEATS;
            let late = self.ports.clock.sleep_until(last.plus_millis(next));
            let beat = tokio::select! {
                beat = self.beat(lease_ms, last, &mut absent) => Some(beat),
                () = late => None,
            };
            match beat {
                Some(Ok(())) => drop(self.claims.ring()),
                Some(Err(error)) => {
                    tracing::warn!(error = %error, "a heartbeat was not written; this is tried again");
                    next = next.min(RETRY_AFTER_MS);
                }
                // Its connection may be dead without a word, and another one not. What the answer was is not known.
                None => {
                    tracing::warn!("a heartbeat was not answered; another one is tried");
                    (next, absent) = (0, true);
                }
            }
        }
    }

    /// `absent`: others may have taken executions, and this node has not let go of them yet.
    async fn beat(&self, lease_ms: u64, now: Timestamp, absent: &mut bool) -> Result<(), Error> {
        let beat = self.ports.store.nodes().beat(&self.node, lease_ms, now).await?;
        *absent |= beat == Beat::Lost;
        if *absent {
            self.let_go().await?;
            *absent = false;
        }
        Ok(())
    }

    /// This node was away for longer than its lease: what others took over meanwhile is not its own any more.
    async fn let_go(&self) -> Result<(), Error> {
        let keys: Vec<ExecutionKey> = self.live.entries().iter().map(|entry| entry.key()).collect();
        let moved = self.ports.store.platform().moved(&keys, &self.node.id).await?;
        tracing::warn!(
            executions = moved.len(),
            "the lease of this node was over; others run some of its executions"
        );
        for key in moved {
            if let Some(entry) = self.live.get(&key.execution) {
                self.part_with(&entry);
            }
        }
        self.look_through.store(true, Ordering::Release);
        Ok(())
    }

    /// Another node runs it by now: nothing of it is done here any more, and whoever listens looks there.
    pub(crate) fn part_with(&self, entry: &Arc<Entry>) {
        self.live.remove(entry);
        entry.note_moved();
    }

    /// Whether this node does what has this name for all of them. False also when that cannot be found out.
    pub(crate) async fn leads(&self, name: &str) -> bool {
        if self.is_alone() {
            return true;
        }
        let nodes = self.ports.store.nodes();
        nodes.lead(name, &self.node.id, self.ports.clock.now()).await.unwrap_or_else(|error| {
            tracing::warn!(name, error = %error, "the store does not tell who leads");
            false
        })
    }

    /// When one that does not lead asks again.
    pub(crate) fn next_election(&self) -> Timestamp {
        self.ports.clock.now().plus_millis(self.options.lease_ms.unwrap_or_default() / BEATS)
    }

    /// Tells the other nodes, where there may be some.
    pub(crate) fn announce(&self, announcement: Announcement) {
        if !self.is_alone() {
            self.ports.store.announce(announcement);
        }
    }

    /// It is about to end: what one node does for all falls to another one.
    pub(crate) async fn drain(&self) {
        if self.is_alone() {
            return;
        }
        if let Err(error) = self.ports.store.nodes().drain(&self.node.id).await {
            tracing::warn!(error = %error, "the other nodes were not told that this one is about to end");
        }
    }

    /// Nothing of it is done here any more: others take over at once.
    pub(crate) async fn end_lease(&self) {
        if self.is_alone() {
            return;
        }
        match self.ports.store.nodes().release(&self.node.id).await {
            Ok(()) => self.announce(Announcement::Claimable),
            Err(error) => {
                tracing::warn!(error = %error, "the lease was not given up; others take over when it is over");
            }
        }
    }
}
