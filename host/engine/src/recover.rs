//! Recovery: an execution's state is its plan, its input and the fold of its log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{Digest, ExecutionId};
use quantum_core::machine::{Command, Event, Execution, NewExecution, apply};
use quantum_core::plan::{Plan, PlanDocument};
use quantum_core::vocabulary::ExecutionStatus;
use quantum_store::{ExecutionKey, ExecutionRow, SharedPlan, StoredExecution, TenantScope};

use crate::children::ChildOf;
use crate::engine::Shared;
use crate::entry::{Entry, Owned, Progress};
use crate::error::{CommandError, Error};
use crate::start::FIRST_EPOCH;

/// Executions that are read at a time.
const PAGE_ROWS: u32 = 200;
/// Compiled plans that are kept; over it the cache starts anew.
const PLANS_MAX: usize = 1_000;

/// Plans compiled from their stored form, shared by the executions of a version.
#[derive(Default)]
pub(crate) struct Plans {
    compiled: Mutex<HashMap<Digest, Arc<Plan>>>,
}

impl Plans {
    fn get(&self, id: &ExecutionId, stored: &SharedPlan) -> Result<Arc<Plan>, Error> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = compiled.get(stored.digest()) {
            return Ok(plan.clone());
        }
        let document: PlanDocument = decode(id, "the plan", stored.json())?;
        let plan = Plan::compile(document).map_err(|findings| {
            let first = findings.into_iter().next().map(|finding| finding.message).unwrap_or_default();
            Error::Plan { id: id.to_string(), first }
        })?;
        if compiled.len() >= PLANS_MAX {
            compiled.clear();
        }
        let plan = Arc::new(plan);
        compiled.insert(stored.digest().clone(), plan.clone());
        Ok(plan)
    }
}

fn decode<T: serde::de::DeserializeOwned>(
    id: &ExecutionId,
    what: &'static str,
    json: &str,
) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|source| Error::Decode { id: id.to_string(), what, source })
}

impl Shared {
    /// Folds a stored execution.
    pub(crate) fn rebuild(&self, stored: &StoredExecution) -> Result<Execution, Error> {
        let row = &stored.row;
        let input: serde_json::Value = decode(&row.id, "the input", &stored.input)?;
        let mut execution = Execution::new(NewExecution {
            id: row.id,
            tenant: row.tenant.clone(),
            plan: self.plans.get(&row.id, &stored.plan)?,
            input: input.into(),
            requested_by: row.requested_by.clone(),
            created_at: row.created_at,
            dry_run: row.dry_run,
            origin: row.origin.as_deref().map(|json| decode(&row.id, "the origin", json)).transpose()?,
        });
        for encoded in &stored.events {
            let event: Event = decode(&row.id, "an event", &encoded.json)?;
            apply(&mut execution, &event).map_err(|source| Error::Log { id: row.id.to_string(), source })?;
        }
        Ok(execution)
    }

    pub(crate) async fn reload(&self, entry: &Entry) -> Result<Owned, CommandError> {
        let stored = self.ports.store.executions(&entry.scope).load(&entry.id).await.map_err(Error::from)?;
        let stored = stored.ok_or(CommandError::NotFound)?;
        Ok(Owned { execution: self.rebuild(&stored)?, epoch: stored.row.epoch })
    }

    /// The open execution of this id, loaded when it is not in memory. None: there is none, or it has ended.
    pub(crate) async fn entry(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
    ) -> Result<Option<Arc<Entry>>, Error> {
        if let Some(entry) = self.live.get(id) {
            return Ok((entry.tenant() == scope.tenant()).then_some(entry));
        }
        let executions = self.ports.store.executions(scope);
        let open = |row: Option<ExecutionRow>| row.filter(|row| !row.status.is_terminal());
        let Some(row) = open(executions.get(id).await?) else { return Ok(None) };
        // INVARIANT: an entry starts without state, so that whoever uses it first loads what is durable by then.
        let engine_scope = TenantScope::engine(scope.tenant().clone());
        let entry = self.live.insert(Entry::new(*id, engine_scope, row.priority));
        // It may have ended since it was read; from here on it can only end through this entry.
        if open(executions.get(id).await?).is_some() {
            return Ok(Some(entry));
        }
        self.retire(&entry, 0);
        Ok(None)
    }

    /// Takes an execution out of memory and tells everybody that its log is complete.
    pub(crate) fn retire(&self, entry: &Arc<Entry>, last_seq: u64) {
        self.live.remove(entry);
        entry.progress.send_replace(Progress { last_seq, ended: true });
    }

    /// Takes up every execution that had not ended when the host last stopped.
    pub(crate) async fn recover(self: Arc<Self>) -> Result<usize, Error> {
        let mut after = None;
        let mut recovered = 0;
        loop {
            let page = self.ports.store.platform().open_executions(after, PAGE_ROWS).await?;
            let Some(last) = page.last() else { break };
            after = Some(ExecutionKey { tenant: last.row.tenant.clone(), execution: last.row.id });
            // An execution under the first epoch began after this host claimed what it found, and is in its hands.
            let found: Vec<_> = page.iter().filter(|stored| stored.row.epoch != FIRST_EPOCH).collect();
            recovered += found.len();
            futures::future::join_all(found.into_iter().map(|stored| self.resume(stored))).await;
        }
        for tenant in self.places.tenants_waiting() {
            self.place_freed(&TenantScope::engine(tenant));
        }
        Ok(recovered)
    }

    async fn resume(self: &Arc<Self>, stored: &StoredExecution) {
        let row = &stored.row;
        let entry =
            self.live.insert(Entry::new(row.id, TenantScope::engine(row.tenant.clone()), row.priority));
        let mut state = entry.state.lock().await;
        if state.is_none() {
            match self.latest(&entry, stored).await {
                Ok(owned) => *state = Some(owned),
                Err(error) => {
                    tracing::error!(execution = %row.id, error = %error, "an execution cannot be recovered; it is left as it is");
                    drop(state);
                    self.retire(&entry, row.version);
                    return;
                }
            }
        }
        // Somebody may have been faster and changed nothing: the timer and the wake-up are due all the same.
        let Some(execution) = state.as_ref().map(|owned| &owned.execution) else { return };
        if execution.status.is_terminal() {
            self.retire(&entry, execution.last_seq);
            return;
        }
        let (due, child) = (execution.next_due(), ChildOf::of(execution));
        if execution.status == ExecutionStatus::Queued {
            self.places.note_waiting(entry.tenant());
        }
        entry.progress.send_replace(Progress { last_seq: execution.last_seq, ended: false });
        drop(state);
        if let Some(at) = due {
            self.timers.set(at, &entry);
        }
        self.wake(&entry).await;
        if let Some(child) = child {
            let (shared, entry) = (self.clone(), entry.clone());
            self.attempts.spawn(async move { shared.cancel_orphan(entry, child).await });
        }
    }

    /// What the page gave, unless somebody who was faster has brought the execution further since.
    async fn latest(&self, entry: &Entry, stored: &StoredExecution) -> Result<Owned, CommandError> {
        let row = self.ports.store.executions(&entry.scope).get(&entry.id).await.map_err(Error::from)?;
        if row.is_some_and(|row| row.version == stored.row.version) {
            return Ok(Owned { execution: self.rebuild(stored)?, epoch: stored.row.epoch });
        }
        self.reload(entry).await
    }

    async fn wake(self: &Arc<Self>, entry: &Arc<Entry>) {
        if let Err(error) = self.commit(entry, Command::Wake).await {
            tracing::warn!(execution = %entry.id, error = %error, "an execution could not go on yet; a timer tries again");
            self.timers.set(self.ports.clock.now().plus_millis(crate::commit::RETRY_AFTER_MS), entry);
        }
    }
}
