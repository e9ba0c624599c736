//! Recovery: an execution's state is its plan, its input and the fold of its log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{Digest, ExecutionId};
use quantum_core::machine::{Command, Event, Execution, NewExecution, apply};
use quantum_core::plan::{Plan, PlanDocument};
use quantum_store::{ExecutionKey, SharedPlan, StoredExecution, TenantScope};

use crate::engine::Shared;
use crate::entry::{Entry, Owned};
use crate::error::{CommandError, Error};

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
        let Some(row) = self.ports.store.executions(scope).get(id).await? else { return Ok(None) };
        if row.status.is_terminal() {
            return Ok(None);
        }
        // INVARIANT: an entry starts without state, so that whoever uses it first loads what is durable by then.
        let scope = TenantScope::engine(scope.tenant().clone());
        Ok(Some(self.live.insert(Entry::new(*id, scope, None))))
    }

    /// Takes up every execution that had not ended when the host last stopped.
    pub(crate) async fn recover(self: Arc<Self>) -> Result<usize, Error> {
        let mut after = None;
        let mut recovered = 0;
        loop {
            let page = self.ports.store.platform().open_executions(after, PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(recovered) };
            after = Some(ExecutionKey { tenant: last.row.tenant.clone(), execution: last.row.id });
            recovered += page.len();
            let resumed = page.iter().map(|stored| self.resume(stored));
            futures::future::join_all(resumed).await;
        }
    }

    async fn resume(self: &Arc<Self>, stored: &StoredExecution) {
        let row = &stored.row;
        let entry = self.live.insert(Entry::new(row.id, TenantScope::engine(row.tenant.clone()), None));
        let mut state = entry.state.lock().await;
        if state.is_some() {
            return;
        }
        match self.rebuild(stored) {
            // It ended while the page was read.
            Ok(execution) if execution.status.is_terminal() => self.live.remove(&row.id),
            Ok(execution) => {
                let due = execution.next_due();
                entry
                    .progress
                    .send_replace(crate::entry::Progress { last_seq: execution.last_seq, ended: false });
                *state = Some(Owned { execution, epoch: row.epoch });
                drop(state);
                if let Some(at) = due {
                    self.timers.set(at, &entry);
                }
                self.wake(&entry).await;
            }
            Err(error) => {
                tracing::error!(execution = %row.id, error = %error, "an execution cannot be recovered; it is left as it is");
                drop(state);
                self.live.remove(&row.id);
            }
        }
    }

    async fn wake(self: &Arc<Self>, entry: &Arc<Entry>) {
        if let Err(error) = self.commit(entry, Command::Wake).await {
            tracing::warn!(execution = %entry.id, error = %error, "an execution could not go on yet; a timer tries again");
            self.timers.set(self.ports.clock.now().plus_millis(crate::commit::RETRY_AFTER_MS), entry);
        }
    }
}
