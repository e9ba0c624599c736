//! Removes executions that are over their time: of each tenant by its own settings, in batches, into the archive first
//! where the tenant asks for it. One loop for all of them, on one node: it looks once an hour.
//!
//! INVARIANT: an execution is removed when a file of the archive that holds it is durable, and before it in no case. A
//! file is named by its first execution, and none of a file goes unless all do: a name that is written again is that of
//! a file of which everything is still there.

mod batch;
mod line;
mod told;

use std::sync::Arc;

use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::tenant::Retention;
use quantum_core::time::Timestamp;
use quantum_core::usage::Day;
use quantum_store::{EndKey, ExecutionRow, TenantScope};

use crate::engine::Shared;
use crate::error::Error;
use batch::{end_key, months};
use line::line;
use told::{Stop, Told};

/// What the node that does this leads.
const LEADS: &str = "retention";
/// Milliseconds that a node which is dead and owns nothing is still shown, and that an answer is kept that nobody reads.
const NODES_KEPT_MS: u64 = 60 * 60 * 1_000;
/// Milliseconds from one round to the next: executions are kept for days, so that an hour does not matter.
const ROUND_EVERY_MS: u64 = 60 * 60 * 1_000;
/// Executions that go together, into one file of the archive: few files for many executions, and little is written again
/// after a crash.
const BATCH_ROWS: u32 = 200;
/// Days that usage is kept beside today: a year and a month, so that a year can be compared with the one before.
const USAGE_DAYS: u32 = 400;
/// Rows of one write: other writers wait that long.
const SWEEP_ROWS: u32 = 500;
/// Batches of one tenant before it is the next one's turn.
const TURN_BATCHES: usize = 10;

/// A tenant in a round.
struct Subject {
    scope: TenantScope,
    /// The last execution that was looked at.
    after: Option<EndKey>,
}

impl Shared {
    /// Until the host stops. A round that is cut off is taken up by the next one, of whichever process.
    pub(crate) async fn run_retention(self: Arc<Self>) {
        loop {
            let ticket = self.retention.last_ticket();
            let now = self.ports.clock.now();
            let leads = self.leads(LEADS).await;
            if leads {
                tokio::select! {
                    () = self.round(now) => {}
                    () = self.closing.cancelled() => return,
                }
            }
            self.retention.answer(ticket);
            let next = if leads { now.plus_millis(ROUND_EVERY_MS) } else { self.next_election() };
            tokio::select! {
                () = self.ports.clock.sleep_until(next) => {}
                () = self.retention.rung() => {}
                () = self.closing.cancelled() => return,
            }
        }
    }

    /// Everything that is over its time `now`, in turn between tenants. What goes wrong is tried again in the next round.
    async fn round(&self, now: Timestamp) {
        let platform = self.ports.store.platform();
        if let Err(error) = platform.purge_idempotency(now).await {
            tracing::warn!(error = %error, "old idempotency keys could not be removed");
        }
        if let Err(error) = self.forget_usage(now).await {
            tracing::warn!(error = %error, "old usage could not be removed");
        }
        if let Err(error) = self.forget_nodes(now).await {
            tracing::warn!(error = %error, "nodes that are gone could not be forgotten");
        }
        let mut subjects = match platform.tenants().await {
            Ok(tenants) => tenants.into_iter().map(|tenant| Subject::new(tenant.id)).collect(),
            Err(error) => {
                tracing::warn!(error = %error, "tenants could not be read; executions are removed later");
                Vec::new()
            }
        };
        let mut told = Told::default();
        while !subjects.is_empty() {
            let mut unfinished = Vec::new();
            for mut subject in subjects {
                match self.turn_of(&mut subject, now, &mut told).await {
                    Ok(true) => unfinished.push(subject),
                    Ok(false) => {}
                    Err(stop) => told.stopped(subject.scope.tenant(), stop),
                }
            }
            subjects = unfinished;
        }
        told.tell();
    }

    /// Sums of days that are over long ago.
    async fn forget_usage(&self, now: Timestamp) -> Result<(), Error> {
        let first = Day::of(now).minus_days(USAGE_DAYS);
        while self.ports.store.platform().purge_usage(first, SWEEP_ROWS).await? > 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Nodes that died long ago, and what they asked others.
    async fn forget_nodes(&self, now: Timestamp) -> Result<(), Error> {
        if self.is_alone() {
            return Ok(());
        }
        self.ports.store.nodes().forget(NODES_KEPT_MS, now).await?;
        self.ports.store.platform().purge_commands(NODES_KEPT_MS, now).await?;
        Ok(())
    }

    /// Some batches of one tenant. True: there may be more.
    async fn turn_of(&self, subject: &mut Subject, now: Timestamp, told: &mut Told) -> Result<bool, Stop> {
        // What a round that was cut off has left.
        self.sweep(&subject.scope, now).await?;
        for _ in 0..TURN_BATCHES {
            let settings = self.ports.store.platform().settings_of(subject.scope.tenant());
            let cut = settings.retention.ended_before(now);
            let executions = self.ports.store.executions(&subject.scope);
            let rows = executions.expired(cut, subject.after, BATCH_ROWS).await.map_err(Error::from)?;
            let Some(last) = rows.last() else { return Ok(false) };
            subject.after = end_key(last);
            let rows = self.noted(&subject.scope, rows).await?;
            for rows in months(&rows) {
                let removed = self.remove(&subject.scope, rows, settings.retention, now).await?;
                told.removed(removed);
            }
        }
        Ok(true)
    }

    /// All of them, or none when one is not to be removed any more: then the others are found in the next round. After a
    /// crash before it returns, they are all there or all removed, and archived then. Gives how many were removed.
    async fn remove(
        &self,
        scope: &TenantScope,
        rows: &[ExecutionRow],
        retention: Retention,
        now: Timestamp,
    ) -> Result<u64, Stop> {
        let Some(first) = rows.first().and_then(end_key) else { return Ok(0) };
        if retention.archive {
            self.archive(scope, first, rows).await.map_err(Stop::Archive)?;
        }
        let ids: Vec<ExecutionId> = rows.iter().map(|row| row.id).collect();
        let executions = self.ports.store.executions(scope);
        let cut = retention.ended_before(now);
        if !executions.purge(&ids, cut, now).await.map_err(Error::from)? {
            if retention.archive {
                self.ports.archive.remove(scope, first).await.map_err(Error::from)?;
            }
            return Ok(0);
        }
        self.sweep(scope, now).await?;
        Ok(ids.len() as u64)
    }

    /// Durable once it returns.
    async fn archive(&self, scope: &TenantScope, first: EndKey, rows: &[ExecutionRow]) -> Result<(), Error> {
        let mut file = self.ports.archive.create(scope, first).await?;
        for row in rows {
            // One at a time: what is in memory is bounded by the largest execution.
            if let Some(stored) = self.ports.store.executions(scope).load(&row.id).await? {
                file.write(line(&stored)?).await?;
            }
        }
        Ok(file.finish().await?)
    }

    /// Removes the rows of what was purged.
    async fn sweep(&self, scope: &TenantScope, now: Timestamp) -> Result<(), Error> {
        while self.ports.store.executions(scope).sweep(now, SWEEP_ROWS).await? > 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

impl Subject {
    const fn new(tenant: TenantId) -> Self {
        Self { scope: TenantScope::engine(tenant), after: None }
    }
}
