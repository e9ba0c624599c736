//! Taking up what had not ended when its node died, or was stopped: at the start, and while others work on the same store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use quantum_core::machine::Command;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_store::{Announcement, ExecutionKey, ExecutionRow, Loaded, StoredExecution, TenantScope};

use crate::children::ChildOf;
use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::{Entry, Owned, Progress};
use crate::error::{CommandError, Error};

/// Executions that are read at a time, and that one of several nodes takes at a time: the others take some, too.
const PAGE_ROWS: u32 = 200;

impl Shared {
    /// Until the host stops: whenever somebody rings.
    pub(crate) async fn take_over(self: Arc<Self>) {
        loop {
            let ticket = self.claims.last_ticket();
            let taken = tokio::select! {
                taken = self.claim() => taken,
                () = self.closing.cancelled() => return,
            };
            match taken {
                Ok(0) => {}
                Ok(count) => tracing::info!(executions = count, "took up what had not ended"),
                Err(error) => {
                    tracing::warn!(error = %error, "what had not ended could not be taken up; this is tried again");
                    // It may have been written all the same.
                    self.look_through.store(true, Ordering::Release);
                    if self.pause_before_retry().await.is_err() {
                        return;
                    }
                    continue;
                }
            }
            self.claims.answer(ticket);
            tokio::select! {
                () = self.claims.rung() => {}
                () = self.closing.cancelled() => return,
            }
        }
    }

    /// Everything that nobody owns who is alive. Gives how many there were.
    async fn claim(self: &Arc<Self>) -> Result<usize, Error> {
        if self.look_through.swap(false, Ordering::AcqRel) {
            self.resume_owned().await?;
        }
        let limit = if self.is_alone() { u32::MAX } else { PAGE_ROWS };
        let mut claimed = 0;
        loop {
            let now = self.ports.clock.now();
            let keys = self.ports.store.platform().claim(&self.node.id, limit, now).await?;
            if keys.is_empty() {
                break;
            }
            claimed += keys.len();
            for page in keys.chunks(PAGE_ROWS as usize) {
                self.resume_all(page).await?;
            }
        }
        if claimed > 0 {
            // What was asked of whoever had it before is asked of this node now.
            self.commands.ring();
        }
        if !self.is_alone() {
            self.unread.store(self.ports.store.nodes().unread().await?, Ordering::Relaxed);
        }
        for tenant in self.places.tenants_waiting() {
            self.place_freed(&TenantScope::engine(tenant));
        }
        Ok(claimed)
    }

    /// All that this node owns: of some of it, it may not know, or not know how its parents and children are by now.
    async fn resume_owned(self: &Arc<Self>) -> Result<(), Error> {
        let mut after: Option<ExecutionKey> = None;
        loop {
            let page = self.ports.store.platform().owned(&self.node.id, after.as_ref(), PAGE_ROWS).await?;
            self.resume_all(&page).await?;
            let Some(last) = page.into_iter().next_back() else { return Ok(()) };
            after = Some(last);
        }
    }

    pub(crate) async fn resume_all(self: &Arc<Self>, keys: &[ExecutionKey]) -> Result<(), Error> {
        let Loaded { stored, unread } = self.ports.store.platform().load_many(keys).await?;
        let resumed = stored.iter().map(|stored| async {
            match self.resume(stored).await {
                Ok(()) => Ok(()),
                Err(error) if error.is_unreadable() => {
                    self.leave_to_newer(key(&stored.row), chain(&error)).await
                }
                Err(error) => Err(error),
            }
        });
        let left = unread.into_iter().map(|unread| self.leave_to_newer(unread.key, chain(&unread.error)));
        let (resumed, left) =
            tokio::join!(futures::future::join_all(resumed), futures::future::join_all(left));
        resumed.into_iter().chain(left).collect()
    }

    /// This program does not understand it, so that it can neither go on with it nor say that it failed. Others may: of
    /// several nodes one that runs a newer program, else this one once it is replaced.
    async fn leave_to_newer(&self, key: ExecutionKey, error: String) -> Result<(), Error> {
        let id = key.execution;
        if self.is_alone() {
            tracing::error!(execution = %id, error, "an execution cannot be recovered; it is left as it is");
            return Ok(());
        }
        let scope = TenantScope::engine(key.tenant);
        if self.ports.store.executions(&scope).leave(&id, &self.node.id).await? {
            tracing::error!(execution = %id, error, "an execution is left to nodes that run a newer program: this one does not understand it");
            // Whoever does need not wait for its next heartbeat.
            self.announce(Announcement::Claimable);
        }
        Ok(())
    }

    /// Err: it cannot be rebuilt, and nothing of it is in memory.
    async fn resume(self: &Arc<Self>, stored: &StoredExecution) -> Result<(), Error> {
        let row = &stored.row;
        let entry = self.fresh(row).await;
        let mut state = entry.state.lock().await;
        if state.is_none() {
            match self.latest(&entry, stored).await {
                Ok(owned) => *state = Some(owned),
                // Somebody else has taken it meanwhile.
                Err(CommandError::Moved) => return Ok(()),
                Err(CommandError::Failed(error)) => {
                    drop(state);
                    if self.is_alone() {
                        self.retire(&entry, row.version);
                    } else {
                        // Whoever follows it reads what is stored.
                        self.part_with(&entry);
                    }
                    return Err(error);
                }
                // Purged since it was read.
                Err(_) => {
                    drop(state);
                    self.retire(&entry, row.version);
                    return Ok(());
                }
            }
        }
        // Somebody may have been faster and changed nothing: the timer and the wake-up are due all the same.
        let Some(execution) = state.as_ref().map(|owned| &owned.execution) else { return Ok(()) };
        if execution.status.is_terminal() {
            self.retire(&entry, execution.last_seq);
            return Ok(());
        }
        let (due, child) = (execution.next_due(), ChildOf::of(execution));
        if execution.status == ExecutionStatus::Queued {
            self.places.note_waiting(entry.tenant());
        }
        let last_seq = execution.last_seq;
        entry.progress.send_modify(|progress| *progress = Progress { last_seq, ..*progress });
        drop(state);
        if let Some(at) = due {
            self.timers.set(at, &entry);
        }
        self.wake(&entry).await;
        if let Some(child) = child {
            self.look_after_orphan(&entry, child);
        }
        Ok(())
    }

    /// Its entry, without what is left of an earlier time in which this node had it.
    async fn fresh(&self, row: &ExecutionRow) -> Arc<Entry> {
        let made = || Entry::new(row.id, TenantScope::engine(row.tenant.clone()), row.priority, &row.labels);
        let entry = self.live.insert(made());
        let left = entry.state.lock().await.as_ref().is_some_and(|owned| owned.epoch < row.epoch);
        if !left {
            return entry;
        }
        self.part_with(&entry);
        self.live.insert(made())
    }

    /// What was read, unless somebody who was faster has brought the execution further since.
    async fn latest(&self, entry: &Arc<Entry>, stored: &StoredExecution) -> Result<Owned, CommandError> {
        let row = self.ports.store.executions(&entry.scope).get(&entry.id).await.map_err(Error::from)?;
        let as_read = |row: ExecutionRow| (row.version, row.epoch) == (stored.row.version, stored.row.epoch);
        if self.owns(&stored.row) && row.is_some_and(as_read) {
            return Ok(Owned { execution: self.rebuild(stored)?, epoch: stored.row.epoch });
        }
        self.reload(entry).await
    }

    async fn wake(self: &Arc<Self>, entry: &Arc<Entry>) {
        match self.commit(entry, Command::Wake).await {
            Ok(()) | Err(CommandError::Moved) => {}
            Err(error) => {
                tracing::warn!(execution = %entry.id, error = %error, "an execution could not go on yet; a timer tries again");
                self.timers.set(self.ports.clock.now().plus_millis(RETRY_AFTER_MS), entry);
            }
        }
    }
}

fn key(row: &ExecutionRow) -> ExecutionKey {
    ExecutionKey { tenant: row.tenant.clone(), execution: row.id }
}

/// With what caused it: whoever reads the line has to find out what is not understood.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    text
}
