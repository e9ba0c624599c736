//! Starts what schedules are due for. One loop for all of them: it sleeps until the first of them is to be looked at, and
//! is woken when people change one or when an execution ends that one waits for.
//!
//! Of several nodes one does this. What a schedule needs next is decided by `core::schedule`; here it is done and written down. An execution of a due
//! time has one possible id, so that a start that was made and not written down is found and not made again.

mod look;
mod start;
mod waiting;

use std::sync::Arc;

use quantum_core::time::Timestamp;
use quantum_store::{ScheduleKey, ScheduleRow, TenantScope};

use crate::engine::Shared;
use crate::error::Error;
use look::Looked;
use waiting::Waiting;

/// What the node that does this leads.
const LEADS: &str = "schedules";
/// Schedules that are looked at beside each other; their starts share a flush.
const PAGE_ROWS: u32 = 64;
/// Milliseconds of the longest sleep. A sleeping timer does not notice that the clock on the wall was set forward, or that
/// the machine was suspended; what became due meanwhile is late by so much at most.
const SLEEP_MS_MAX: u64 = 60_000;
/// Milliseconds until the next try when the store cannot be read or written, or nothing new may start.
const RETRY_MS: u64 = 5_000;

/// Which schedules a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All: what is due next may follow from another program's database of time zones.
    All,
    Due,
}

impl Shared {
    /// Until the host stops.
    pub(crate) async fn run_schedules(self: Arc<Self>) {
        let mut waiting = Waiting::default();
        let mut extent = Extent::All;
        loop {
            let ticket = self.schedules.last_ticket();
            if !self.leads(LEADS).await {
                // Whoever begins to lead knows nothing of what it had seen as a leader before.
                (waiting, extent) = (Waiting::default(), Extent::All);
                self.schedules.answer(ticket);
                tokio::select! {
                    () = self.ports.clock.sleep_until(self.next_election()) => continue,
                    () = self.schedules.rung() => continue,
                    () = self.closing.cancelled() => return,
                }
            }
            let now = self.ports.clock.now();
            let sleep_until = match self.pass(&mut waiting, extent, now).await {
                Ok(Some(at)) => at.min(now.plus_millis(SLEEP_MS_MAX)),
                Ok(None) => now.plus_millis(SLEEP_MS_MAX),
                Err(error) => {
                    tracing::warn!(error = %error, "schedules could not be looked at; this is tried again");
                    now.plus_millis(RETRY_MS)
                }
            };
            extent = Extent::Due;
            self.schedules.answer(ticket);
            tokio::select! {
                () = self.ports.clock.sleep_until(sleep_until) => {}
                () = self.schedules.rung() => {}
                () = waiting.one_ended() => {}
                () = self.closing.cancelled() => return,
            }
        }
    }

    /// Looks at what is due and at what waits. Gives when it is time for the next pass.
    async fn pass(
        self: &Arc<Self>,
        waiting: &mut Waiting,
        extent: Extent,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let mut failed = false;
        let mut after: Option<ScheduleKey> = None;
        loop {
            let rows = self.page(extent, now, after.as_ref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.into());
            failed |= self.look_at(waiting, rows).await;
        }
        let mut held = Vec::new();
        for (uid, scope) in waiting.due() {
            match self.ports.store.schedules(&scope).by_uid(uid).await? {
                Some(row) if !row.paused => held.push(row),
                _ => waiting.forget(uid),
            }
        }
        failed |= self.look_at(waiting, held).await;
        if failed {
            return Ok(Some(now.plus_millis(RETRY_MS)));
        }
        Ok(self.ports.store.platform().next_schedule_at(now).await?)
    }

    async fn page(
        &self,
        extent: Extent,
        now: Timestamp,
        after: Option<&ScheduleKey>,
    ) -> Result<Vec<ScheduleRow>, Error> {
        let platform = self.ports.store.platform();
        let rows = match extent {
            Extent::All => platform.schedules(after, PAGE_ROWS).await?,
            Extent::Due => platform.due_schedules(now, after, PAGE_ROWS).await?,
        };
        Ok(rows)
    }

    /// True: one of them has to be looked at again soon.
    async fn look_at(self: &Arc<Self>, waiting: &mut Waiting, rows: Vec<ScheduleRow>) -> bool {
        let active = rows.into_iter().filter(|row| !row.paused);
        let looks = active.map(|row| {
            let scope = TenantScope::engine(row.tenant.clone());
            let uid = row.uid;
            async move { (uid, scope.clone(), self.look(scope, row).await) }
        });
        let mut failed = false;
        for (uid, scope, looked) in futures::future::join_all(looks).await {
            match looked {
                Looked::Done => waiting.forget(uid),
                Looked::Waits { running } => waiting.add(self, uid, scope, running),
                Looked::Failed => failed = true,
            }
        }
        failed
    }
}
