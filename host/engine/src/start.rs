//! Start: an execution is born with the commit that starts it.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::counter;
use quantum_core::id::ExecutionId;
use quantum_core::machine::{Command, Execution, NewExecution, Origin};
use quantum_core::plan::Plan;
use quantum_core::port::Requester;
use quantum_store::{CommitError, IdempotencyRecord, SharedPlan, TenantScope};
use serde_json::Value;

use crate::commit::{Carried, RETRY_AFTER_MS, TurnError};
use crate::engine::Shared;
use crate::entry::{Entry, Owned};
use crate::error::StartError;
use crate::places::PlaceRequest;
use crate::together::Place;

/// The epoch of an execution that was never taken over.
pub(crate) const FIRST_EPOCH: u64 = 1;

/// Everything that an execution starts from.
#[derive(Debug, Clone)]
pub struct StartRequest {
    pub scope: TenantScope,
    /// Made by the caller, so that its answer can be stored with the start.
    pub id: ExecutionId,
    pub plan: Arc<Plan>,
    pub encoded: SharedPlan,
    pub input: Value,
    pub labels: BTreeMap<String, String>,
    pub requested_by: Requester,
    pub idempotency: Option<IdempotencyRecord>,
    pub options: StartOptions,
}

/// What most starts leave as it is.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// Actions with effects are skipped, or rehearse.
    pub dry_run: bool,
    /// Greater ones start first, of those that a limit holds back.
    pub priority: i32,
    pub origin: Option<Origin>,
}

/// The execution is durable and on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    pub id: ExecutionId,
}

impl Shared {
    /// `place`: in a batch of starts that are written together.
    pub(crate) async fn start(
        self: &Arc<Self>,
        request: StartRequest,
        place: Option<Place>,
    ) -> Result<Started, StartError> {
        self.accepting()?;
        let findings = request.plan.check_input(&request.input);
        if !findings.is_empty() {
            return Err(StartError::Input(findings));
        }
        let is_child = matches!(request.options.origin, Some(Origin::Child { .. }));
        // A child is part of what was accepted: its steps wait.
        if !is_child && let Some(reached) = self.quota(&request.scope, &[]).await? {
            let retry_after_ms = reached.until.millis_since(self.ports.clock.now());
            return Err(StartError::Quota { reached, retry_after_ms });
        }
        let key = request.plan.concurrency_key(&request.input).map_err(StartError::Key)?;
        let scope = request.scope.clone();
        let asked = PlaceRequest {
            scope: &scope,
            plan: &request.plan.clone(),
            key: key.as_deref(),
            waits: false,
            is_child,
        };
        // Held until the start is durable: whoever counts next counts it too.
        let granted = self.ask_for_place(&asked, &request.requested_by).await?;
        // Under a limit starts are decided one after another, so none of them waits for others of a batch.
        let place = place.filter(|_| !granted.is_limited());
        let command = match granted.held_by.clone() {
            Some(reason) => Command::Queue { reason },
            None => {
                let reuse = self.reuse(&scope, &request.plan, request.options.origin.as_ref()).await?;
                Command::Start { reuse: reuse.ok_or(StartError::NotFound)? }
            }
        };
        self.bear_execution(request, key, (command, place)).await
    }

    async fn bear_execution(
        self: &Arc<Self>,
        request: StartRequest,
        key: Option<String>,
        (command, place): (Command, Option<Place>),
    ) -> Result<Started, StartError> {
        let id = request.id;
        let mut owned = Owned { execution: self.newborn(&request), epoch: FIRST_EPOCH };
        let mut row = self.row(&request, &owned.execution)?;
        row.concurrency_key = key;
        let carried = Carried { birth: Some(row), idempotency: request.idempotency, place, used: Vec::new() };
        let entry = Entry::new(id, request.scope, request.options.priority, &request.labels);
        let mut state = entry.state.lock().await;
        self.live.insert(entry.clone());
        match self.turn(&entry, &mut owned, command, carried).await {
            Ok(()) => {
                counter!("quantum_executions_started_total").increment(1);
                *state = Some(owned);
                self.rest_locked(&entry, &mut state);
                Ok(Started { id })
            }
            Err(error) => {
                self.retire(&entry, 0);
                Err(start_error(error))
            }
        }
    }

    fn accepting(&self) -> Result<(), StartError> {
        let unavailable = |reason: &str| {
            Err(StartError::Unavailable { reason: reason.to_owned(), retry_after_ms: RETRY_AFTER_MS })
        };
        if self.closing.is_cancelled() {
            return unavailable("the host is stopping");
        }
        if self.waiting() >= self.options.backlog_max {
            return unavailable("too many attempts wait for their turn");
        }
        Ok(())
    }

    fn newborn(&self, request: &StartRequest) -> Execution {
        Execution::new(NewExecution {
            id: request.id,
            tenant: request.scope.tenant().clone(),
            plan: request.plan.clone(),
            input: request.input.clone().into(),
            requested_by: request.requested_by.clone(),
            created_at: self.ports.clock.now(),
            dry_run: request.options.dry_run,
            origin: request.options.origin.clone(),
        })
    }

    fn row(
        &self,
        request: &StartRequest,
        execution: &Execution,
    ) -> Result<Box<quantum_store::NewExecution>, serde_json::Error> {
        let document = &request.plan.document;
        Ok(Box::new(quantum_store::NewExecution {
            intent_uid: document.intent.uid,
            intent_name: document.intent.name.clone(),
            intent_version: document.intent.version,
            environment: document.environment,
            dry_run: request.options.dry_run,
            requested_by: request.requested_by.clone(),
            labels: request.labels.clone(),
            created_at: execution.created_at,
            steps_total: u32::try_from(execution.steps.len()).unwrap_or(u32::MAX),
            owner: Some(self.node.id.clone()),
            lease_until: None,
            plan: request.encoded.clone(),
            input: serde_json::to_string(&request.input)?,
            origin: request.options.origin.as_ref().map(serde_json::to_string).transpose()?,
            priority: request.options.priority,
            concurrency_key: None,
        }))
    }
}

fn start_error(error: TurnError) -> StartError {
    match error {
        TurnError::Encode(source) => StartError::Encode(source),
        TurnError::Quota(error) => StartError::Failed(error),
        TurnError::Commit(CommitError::IdempotencyTaken { stored }) => StartError::IdempotencyTaken(stored),
        TurnError::Commit(source) => {
            tracing::error!(error = %source, "a start could not be written");
            let reason = "the store cannot write now".to_owned();
            StartError::Unavailable { reason, retry_after_ms: RETRY_AFTER_MS }
        }
        TurnError::Refused(refusal) => {
            StartError::Unavailable { reason: refusal.to_string(), retry_after_ms: RETRY_AFTER_MS }
        }
    }
}
