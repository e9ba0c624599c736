//! What people ask of executions beside starting them.

use std::sync::Arc;

use quantum_core::id::{ExecutionId, StepId};
use quantum_core::machine::{Command, Execution, Origin, Reuse};
use quantum_core::plan::Plan;
use quantum_core::port::Requester;
use quantum_core::problem::Problem;
use quantum_core::vocabulary::StepStatus;
use quantum_store::{IdempotencyRecord, SharedPlan, TenantScope};
use serde_json::Value;

use crate::admit::uninstalled;
use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::{Entry, Found};
use crate::error::{CommandError, Error, StartError};
use crate::places::PlaceRequest;
use crate::start::{StartOptions, StartRequest, Started};

/// Times that an execution may go to another node while it is commanded: more than can happen unless nodes keep losing
/// their leases.
const MOVES_MAX: u32 = 8;

/// A new execution that begins with results of an old one.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    pub scope: TenantScope,
    /// Of the new execution.
    pub id: ExecutionId,
    pub of: ExecutionId,
    /// The first step that runs again, with everything that waits for it; none: all steps.
    pub from: Option<StepId>,
    /// None: the plan of the old execution.
    pub plan: Option<(Arc<Plan>, SharedPlan)>,
    /// None: the input of the old execution.
    pub input: Option<Value>,
    pub requested_by: Requester,
    pub idempotency: Option<IdempotencyRecord>,
}

impl Shared {
    /// On an execution that has not ended, on whichever node.
    pub(crate) async fn operate(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
        command: Command,
    ) -> Result<(), CommandError> {
        for _ in 0..MOVES_MAX {
            match self.entry(scope, id).await? {
                Found::Here(entry) => match self.commit(&entry, command.clone()).await {
                    Err(CommandError::Moved) => {}
                    done => return done,
                },
                Found::Elsewhere(owner) => return self.ask(scope, id, owner, &command).await,
                Found::Nowhere => return Err(self.absent(scope, id).await?),
            }
        }
        Err(moving())
    }

    /// On one that may have ended.
    pub(crate) async fn restart(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
        requested_by: Requester,
    ) -> Result<(), CommandError> {
        for _ in 0..MOVES_MAX {
            let command = Command::Restart { requested_by: requested_by.clone() };
            let done = match self.entry(scope, id).await? {
                Found::Here(entry) => self.commit(&entry, command).await,
                Found::Elsewhere(owner) => return self.ask(scope, id, owner, &command).await,
                Found::Nowhere => self.reopen_and(scope, id, command).await,
            };
            match done {
                Err(CommandError::Moved) => {}
                done => return done,
            }
        }
        Err(moving())
    }

    /// Err `Moved`: somebody else was faster.
    async fn reopen_and(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: &ExecutionId,
        restart: Command,
    ) -> Result<(), CommandError> {
        let executions = self.ports.store.executions(scope);
        let stored = executions.load(id).await.map_err(Error::from)?;
        let stored = stored.ok_or(CommandError::NotFound)?;
        let plan = self.rebuild(&stored)?.plan;
        let key = stored.row.concurrency_key.as_deref();
        let is_child = stored.row.origin.as_deref().is_some_and(is_child);
        // It gave up its place when it ended, and takes one again.
        let asked = PlaceRequest { scope, plan: &plan, key, waits: false, is_child };
        let _turn = self.take_place(&asked).await?;
        if !self.owns(&stored.row) && !executions.adopt(id, &self.node.id).await.map_err(Error::from)? {
            return Err(CommandError::Moved);
        }
        let scope = TenantScope::engine(scope.tenant().clone());
        let entry = self.live.insert(Entry::new(*id, scope, stored.row.priority, &stored.row.labels));
        self.commit(&entry, restart).await
    }

    pub(crate) async fn replay(self: &Arc<Self>, request: ReplayRequest) -> Result<Started, StartError> {
        let ReplayRequest { scope, id, of, from, plan, input, requested_by, idempotency } = request;
        let stored = self.ports.store.executions(&scope).load(&of).await.map_err(Error::from)?;
        let stored = stored.ok_or(StartError::NotFound)?;
        let old = self.rebuild(&stored)?;
        if !old.status.is_terminal() {
            let message = format!("the execution is {}: only one that has ended can be replayed", old.status);
            return Err(StartError::Replay(Box::new(Problem::new("execution-not-ended", message))));
        }
        let (plan, encoded) = plan.unwrap_or_else(|| (old.plan.clone(), stored.plan.clone()));
        let reuse =
            reusable(&old, &plan, from.as_ref()).map_err(|problem| StartError::Replay(Box::new(problem)))?;
        self.check_installed(&old, &plan, &reuse).map_err(|problem| StartError::Replay(Box::new(problem)))?;
        let origin = Origin::Replay { of, from };
        let request = StartRequest {
            scope,
            id,
            plan,
            encoded,
            input: input.unwrap_or_else(|| (*old.input).clone()),
            labels: stored.row.labels,
            requested_by,
            idempotency,
            options: StartOptions { origin: Some(origin), dry_run: old.dry_run, ..StartOptions::default() },
        };
        self.start(request, None).await
    }

    #[expect(clippy::result_large_err, reason = "the problem is shown as it is")]
    fn check_installed(&self, old: &Execution, plan: &Plan, reuse: &[Reuse]) -> Result<(), Problem> {
        let steps = plan.document.steps.iter().enumerate();
        let runs = steps.filter(|(at, _)| !reuse.iter().any(|reused| reused.step == *at));
        let actions = runs.flat_map(|(_, step)| {
            step.action.component().into_iter().chain(step.compensate.as_ref().map(|undo| &undo.action))
        });
        for action in actions {
            if self.pinned(old, action).is_none() {
                return Err(uninstalled(action));
            }
        }
        Ok(())
    }

    /// The results that a new execution of this origin begins with. None: the one that it replays is gone.
    pub(crate) async fn reuse(
        &self,
        scope: &TenantScope,
        plan: &Plan,
        origin: Option<&Origin>,
    ) -> Result<Option<Vec<Reuse>>, Error> {
        let Some(Origin::Replay { of, from }) = origin else { return Ok(Some(Vec::new())) };
        let Some(stored) = self.ports.store.executions(scope).load(of).await? else { return Ok(None) };
        Ok(reusable(&self.rebuild(&stored)?, plan, from.as_ref()).ok())
    }
}

fn moving() -> CommandError {
    let reason = "other nodes are taking the execution over from each other".to_owned();
    CommandError::Unavailable { reason, retry_after_ms: RETRY_AFTER_MS }
}

fn is_child(origin: &str) -> bool {
    matches!(serde_json::from_str(origin), Ok(Origin::Child { .. }))
}

/// Results of steps that neither are the first to run again nor wait for it. A step of another name, or one that did
/// not succeed, runs.
#[expect(clippy::result_large_err, reason = "the problem is shown as it is")]
fn reusable(old: &Execution, plan: &Plan, from: Option<&StepId>) -> Result<Vec<Reuse>, Problem> {
    let Some(from) = from else { return Ok(Vec::new()) };
    let first = plan.position(from.as_str()).ok_or_else(|| {
        let steps: Vec<&str> = plan.document.steps.iter().map(|step| step.id.as_str()).collect();
        let message = format!("there is no step \"{from}\" to replay from; steps are {}", steps.join(", "));
        Problem::new("step-unknown", message)
    })?;
    let again = plan.document.after(first);
    let steps = plan.document.steps.iter().enumerate().filter(|(at, _)| !again.contains(at));
    let reused = steps.filter_map(|(at, step)| {
        let state = old.step(old.plan.position(step.id.as_str())?)?;
        let stands = state.status == StepStatus::Succeeded && !state.is_undone();
        let result = state.output.clone().filter(|_| stands)?;
        Some(Reuse { step: at, from: old.id, result })
    });
    Ok(reused.collect())
}
