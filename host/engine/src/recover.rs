//! Where an execution is: in memory, in the store, or with another node. Its state is its plan, its input and the fold of
//! its log.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{Digest, ExecutionId};
use quantum_core::machine::{Event, Execution, NewExecution, Refusal, apply};
use quantum_core::plan::{PLAN_FORMAT, Plan, PlanDocument};
use quantum_store::{ExecutionKey, ExecutionRow, Reader, SharedPlan, StoredExecution, TenantScope};

use crate::engine::Shared;
use crate::entry::{Entry, Found, Owned, Progress};
use crate::error::{CommandError, Error};

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
        let is_newer = document.format > PLAN_FORMAT;
        let plan = Plan::compile(document).map_err(|findings| {
            let first = findings.into_iter().next().map(|finding| finding.message).unwrap_or_default();
            Error::Plan { id: id.to_string(), first, is_newer }
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

    /// As it is in the store. Err `Moved`: another node runs it by now.
    pub(crate) async fn reload(&self, entry: &Arc<Entry>) -> Result<Owned, CommandError> {
        let stored = self.stored(entry).await?;
        if !stored.row.status.is_terminal() && !self.owns(&stored.row) {
            self.part_with(entry);
            return Err(CommandError::Moved);
        }
        Ok(Owned { execution: self.rebuild(&stored)?, epoch: stored.row.epoch })
    }

    /// As `reload`, for one that may have ended and that this node has adopted.
    pub(crate) async fn reopen(&self, entry: &Arc<Entry>) -> Result<Owned, CommandError> {
        let stored = self.stored(entry).await?;
        if !self.owns(&stored.row) {
            self.part_with(entry);
            return Err(CommandError::Moved);
        }
        Ok(Owned { execution: self.rebuild(&stored)?, epoch: stored.row.epoch })
    }

    async fn stored(&self, entry: &Entry) -> Result<StoredExecution, CommandError> {
        let stored = self.ports.store.executions(&entry.scope).load(&entry.id).await.map_err(Error::from)?;
        stored.ok_or(CommandError::NotFound)
    }

    pub(crate) fn owns(&self, row: &ExecutionRow) -> bool {
        row.owner.as_deref() == Some(&self.node.id)
    }

    /// Where the execution is run. One that nobody runs any more is taken over; one that this node runs is loaded when it
    /// is not in memory.
    pub(crate) async fn entry(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
    ) -> Result<Found, Error> {
        if let Some(entry) = self.live.get(id) {
            return Ok(if entry.tenant() == scope.tenant() { Found::Here(entry) } else { Found::Nowhere });
        }
        let executions = self.ports.store.executions(scope);
        let open = |row: Option<ExecutionRow>| row.filter(|row| !row.status.is_terminal());
        let Some(row) = open(executions.get(id).await?) else { return Ok(Found::Nowhere) };
        if let Some(owner) = self.owner_elsewhere(scope, &row).await? {
            return Ok(Found::Elsewhere(owner));
        }
        // INVARIANT: an entry starts without state, so that whoever uses it first loads what is durable by then.
        let engine_scope = TenantScope::engine(scope.tenant().clone());
        let entry = self.live.insert(Entry::new(*id, engine_scope, row.priority, &row.labels));
        // It may have ended since it was read, or been taken over; from here on it can only end through this entry.
        match open(executions.get(id).await?) {
            Some(row) if self.owns(&row) => Ok(Found::Here(entry)),
            Some(row) => {
                self.part_with(&entry);
                Ok(Found::Elsewhere(row.owner.unwrap_or_default()))
            }
            None => {
                self.retire(&entry, 0);
                Ok(Found::Nowhere)
            }
        }
    }

    /// None: this node owns it, if need be from now on.
    async fn owner_elsewhere(
        self: &Arc<Self>,
        scope: &TenantScope,
        row: &ExecutionRow,
    ) -> Result<Option<String>, Error> {
        if self.owns(row) {
            return Ok(None);
        }
        let owner = row.owner.clone().unwrap_or_default();
        // It has been tried, and a command waits for whoever reads it.
        if Reader::of(&owner).is_some_and(|reader| reader >= Reader::this()) {
            return Ok(Some(owner));
        }
        let (store, now) = (&self.ports.store, self.ports.clock.now());
        if self.closing.is_cancelled() || store.nodes().is_alive(&owner, now).await? {
            return Ok(Some(owner));
        }
        if !store.executions(scope).claim(&row.id, &self.node.id, now).await? {
            // Somebody was faster, this node's own loop perhaps. Whether it has ended is asked by the caller.
            let by_now = store.executions(scope).get(&row.id).await?;
            return Ok(by_now.filter(|row| !self.owns(row)).and_then(|row| row.owner));
        }
        self.commands.ring();
        let key = ExecutionKey { tenant: row.tenant.clone(), execution: row.id };
        if let Err(error) = self.resume_all(&[key]).await {
            self.look_through.store(true, Ordering::Release);
            return Err(error);
        }
        Ok(None)
    }

    /// Whether another node runs it. Nothing is taken into memory.
    pub(crate) async fn is_elsewhere(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
    ) -> Result<bool, Error> {
        if self.live.get(id).is_some() {
            return Ok(false);
        }
        let row = self.ports.store.executions(scope).get(id).await?;
        let Some(row) = row.filter(|row| !row.status.is_terminal()) else { return Ok(false) };
        Ok(self.owner_elsewhere(scope, &row).await?.is_some())
    }

    /// Why there is nothing to be commanded.
    pub(crate) async fn absent(&self, scope: &TenantScope, id: &ExecutionId) -> Result<CommandError, Error> {
        let ended = self.ports.store.executions(scope).get(id).await?.is_some();
        Ok(if ended { CommandError::Refused(Refusal::AlreadyEnded) } else { CommandError::NotFound })
    }

    /// Returns when the execution has ended, on whichever node, with its entry when that was in this process. Dropping the
    /// future is safe.
    pub(crate) async fn end_of(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
    ) -> Result<Option<Arc<Entry>>, Error> {
        // Before anything is read, so that no news is missed.
        let mut ear = self.news.of_execution(*id);
        loop {
            match self.entry(scope, id).await? {
                Found::Nowhere => return Ok(None),
                Found::Elsewhere(_) => self.wait_for_news(&mut ear).await,
                Found::Here(entry) => {
                    let mut progress = entry.progress.subscribe();
                    // An error means that the entry is gone, which it is only after its end.
                    let seen = progress.wait_for(|progress| progress.ended || progress.moved).await;
                    let ended = seen.map_or(true, |progress| progress.ended);
                    if ended {
                        return Ok(Some(entry));
                    }
                }
            }
        }
    }

    /// Takes an execution out of memory and tells everybody that its log is complete.
    pub(crate) fn retire(&self, entry: &Arc<Entry>, last_seq: u64) {
        self.live.remove(entry);
        entry.progress.send_modify(|progress| *progress = Progress { last_seq, ended: true, ..*progress });
    }
}
