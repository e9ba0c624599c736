//! Executions that a step waits for. The parent's log names the child before it exists; whoever finds the name makes
//! sure that the child does, and that its end is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use quantum_core::builtin::Wait;
use quantum_core::id::ExecutionId;
use quantum_core::json::Json;
use quantum_core::machine::{ChildOutcome, Command, Execution, Origin, Slot, Waiting};
use quantum_core::port::Requester;
use quantum_core::problem::Problem;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_store::TenantScope;
use serde_json::json;

use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::Entry;
use crate::error::{CommandError, Error, StartError};
use crate::source::SourceRequest;
use crate::start::{StartOptions, StartRequest};

/// A child as its parent's log names it.
struct Child {
    id: ExecutionId,
    slot: Slot,
    intent: String,
    input: Json,
    requested_by: Requester,
    depth: u32,
}

/// What is to be done about a child.
enum Next {
    /// It runs, and will tell its end itself.
    Nothing,
    Tell(ChildOutcome),
    TryAgain,
}

impl Shared {
    /// Looks after the children that nobody in this process looks after yet: their start, or the news of their end,
    /// may have been lost with the process before.
    pub(crate) fn mind_children(self: &Arc<Self>, entry: &Arc<Entry>, execution: &Execution) {
        // The next process looks after them. In this one, two that cannot be told of because the store is away would
        // wake each other for ever, and the host would not end.
        if self.closing.is_cancelled() {
            return;
        }
        let depth = Origin::depth(execution.origin.as_ref()) + 1;
        for (slot, state) in execution.open_slots() {
            let Some(Waiting { wait: Wait::Child { execution_id, intent, input }, .. }) = &state.waiting
            else {
                continue;
            };
            if !entry.adopt(*execution_id) {
                continue;
            }
            let requested_by = execution.requested_by.clone();
            let (id, intent, input) = (*execution_id, intent.clone(), input.clone());
            let child = Child { id, slot, intent, input, requested_by, depth };
            let (shared, entry) = (self.clone(), entry.clone());
            self.attempts.spawn(async move { shared.mind(entry, child).await });
        }
    }

    async fn mind(self: Arc<Self>, entry: Arc<Entry>, child: Child) {
        // Once the parent has moved, whoever runs it minds the child.
        while !entry.has_moved() {
            match self.next(&entry, &child).await {
                Next::Nothing => {
                    // Whoever stopped the parent before the child was there found nobody to cancel.
                    if matches!(self.wants(&entry, &child).await, Ok(false)) {
                        self.cancel_child(&entry.scope, &child.requested_by, child.id);
                    }
                    // Another node that dies may not tell its end: then it is seen here.
                    if self.ended_elsewhere(&entry.scope, &child.id).await {
                        continue;
                    }
                    break;
                }
                Next::Tell(outcome) => {
                    self.tell(&entry.scope, (entry.id, child.slot), child.id, outcome).await;
                    break;
                }
                Next::TryAgain => {}
            }
            if self.pause_before_retry().await.is_err() {
                break;
            }
        }
        entry.release_child(child.id);
        self.rest(&entry).await;
    }

    async fn next(self: &Arc<Self>, entry: &Arc<Entry>, child: &Child) -> Next {
        match self.outcome(&entry.scope, &child.id).await {
            Ok(Some(Some(outcome))) => Next::Tell(outcome),
            Ok(Some(None)) => Next::Nothing,
            Ok(None) => self.bear(entry, child).await,
            Err(error) => {
                tracing::warn!(execution = %child.id, error = %error, "a child could not be looked at");
                Next::TryAgain
            }
        }
    }

    /// None: there is no such execution. Some(None): it has not ended.
    async fn outcome(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
    ) -> Result<Option<Option<ChildOutcome>>, Error> {
        let executions = self.ports.store.executions(scope);
        let Some(row) = executions.get(id).await? else { return Ok(None) };
        if !row.status.is_terminal() {
            return Ok(Some(None));
        }
        let Some(stored) = executions.load(id).await? else { return Ok(None) };
        Ok(Some(outcome_of(&self.rebuild(&stored)?)))
    }

    async fn bear(self: &Arc<Self>, entry: &Arc<Entry>, child: &Child) -> Next {
        match self.wants(entry, child).await {
            Ok(true) => {}
            Ok(false) => {
                let problem = Problem::new("child-cancelled", "the execution that asked for it is ending");
                return Next::Tell(ChildOutcome::Failed(problem));
            }
            Err(_) => return Next::TryAgain,
        }
        let request = SourceRequest {
            scope: entry.scope.clone(),
            intent: child.intent.clone(),
            requested_by: child.requested_by.clone(),
            now: self.ports.clock.now(),
        };
        let runnable = match self.ports.intents.runnable(request).await {
            Ok(runnable) => runnable,
            Err(problem) if problem.retryable => return Next::TryAgain,
            Err(problem) => return Next::Tell(ChildOutcome::Failed(not_started(&child.intent, &problem))),
        };
        let origin = Origin::Child { parent: entry.id, slot: child.slot, depth: child.depth };
        let request = StartRequest {
            scope: entry.scope.clone(),
            id: child.id,
            plan: runnable.plan,
            encoded: runnable.encoded,
            input: (*child.input).clone(),
            labels: BTreeMap::new(),
            requested_by: child.requested_by.clone(),
            idempotency: None,
            options: StartOptions { origin: Some(origin), ..StartOptions::default() },
        };
        match self.start(request, None).await {
            Ok(_) => Next::Nothing,
            Err(StartError::Unavailable { .. } | StartError::Backlog { .. }) => Next::TryAgain,
            Err(StartError::Encode(_) | StartError::Failed(_)) => Next::TryAgain,
            Err(refused) => {
                let mut problem = Problem::new("child-refused", refused.to_string());
                if let StartError::Input(findings) = &refused {
                    problem.details = serde_json::to_value(findings).ok();
                }
                Next::Tell(ChildOutcome::Failed(not_started(&child.intent, &problem)))
            }
        }
    }

    /// Waits for the end of an execution that another node runs. False: none does, or this host stops.
    async fn ended_elsewhere(self: &Arc<Self>, scope: &TenantScope, id: &ExecutionId) -> bool {
        if !matches!(self.is_elsewhere(scope, id).await, Ok(true)) {
            return false;
        }
        tokio::select! {
            // What went wrong is met again by whoever looks next.
            ended = self.end_of(scope, id) => { drop(ended); true }
            () = self.closing.cancelled() => false,
        }
    }

    /// Tells the parent, on whichever node, however long the store is away.
    async fn tell(
        self: &Arc<Self>,
        scope: &TenantScope,
        (parent, slot): (ExecutionId, Slot),
        child: ExecutionId,
        outcome: ChildOutcome,
    ) {
        loop {
            let command = Command::ChildEnded { slot, child, outcome: outcome.clone() };
            match self.operate(scope, &parent, command).await {
                Err(CommandError::Unavailable { .. } | CommandError::Failed(_)) => {}
                Ok(()) | Err(_) => return,
            }
            if self.pause_before_retry().await.is_err() {
                return;
            }
        }
    }

    /// A child has ended: its parent goes on.
    pub(crate) fn tell_parent(self: &Arc<Self>, scope: &TenantScope, execution: &Execution) {
        let Some(Origin::Child { parent, slot, .. }) = execution.origin else { return };
        let Some(outcome) = outcome_of(execution) else { return };
        let (shared, scope, child) = (self.clone(), scope.clone(), execution.id);
        self.attempts.spawn(async move { shared.tell(&scope, (parent, slot), child, outcome).await });
    }

    pub(crate) fn cancel_child(self: &Arc<Self>, scope: &TenantScope, by: &Requester, child: ExecutionId) {
        self.cancel_soon(scope, by, child, "the execution that waited for it does not any more");
    }

    /// Cancels, however long the store is away.
    pub(crate) fn cancel_soon(
        self: &Arc<Self>,
        scope: &TenantScope,
        by: &Requester,
        child: ExecutionId,
        reason: &'static str,
    ) {
        let (shared, scope, by) = (self.clone(), scope.clone(), by.clone());
        self.attempts.spawn(async move {
            loop {
                let reason = Some(reason.to_owned());
                let command = Command::Cancel { requested_by: by.clone(), reason };
                match shared.operate(&scope, &child, command).await {
                    // It has ended, or has not begun: whoever would start it finds out that nobody waits.
                    Ok(()) | Err(CommandError::Refused(_) | CommandError::NotFound) => return,
                    Err(error) => {
                        tracing::warn!(execution = %child, error = %error, "a child could not be cancelled")
                    }
                }
                if shared.pause_before_retry().await.is_err() {
                    return;
                }
            }
        });
    }

    /// After a start: the process may have died after the parent's end and before the child was told.
    pub(crate) fn look_after_orphan(self: &Arc<Self>, child: &Entry, of: ChildOf) {
        let (shared, scope, id) = (self.clone(), child.scope.clone(), child.id);
        self.attempts.spawn(async move { shared.cancel_orphan(scope, id, of).await });
    }

    async fn cancel_orphan(self: Arc<Self>, scope: TenantScope, id: ExecutionId, of: ChildOf) {
        loop {
            match self.wanted(&scope, &of, id).await {
                Ok(true) => {}
                Ok(false) => return self.cancel_child(&scope, &of.requested_by, id),
                Err(_) => return,
            }
            // A node that dies with the parent may not cancel what it left: then that is seen here.
            if !self.ended_elsewhere(&scope, &of.parent).await {
                return;
            }
        }
    }

    /// Whether the parent still waits for a child, on whichever node.
    async fn wanted(&self, scope: &TenantScope, of: &ChildOf, id: ExecutionId) -> Result<bool, CommandError> {
        if let Some(parent) = self.live.get(&of.parent) {
            return self.waits_for(&parent, of.slot, id).await;
        }
        let stored = self.ports.store.executions(scope).load(&of.parent).await.map_err(Error::from)?;
        let Some(stored) = stored else { return Ok(false) };
        Ok(waits(&self.rebuild(&stored)?, of.slot, id))
    }

    /// Whether the parent still wants the child.
    async fn wants(&self, parent: &Arc<Entry>, child: &Child) -> Result<bool, CommandError> {
        self.waits_for(parent, child.slot, child.id).await
    }

    async fn waits_for(
        &self,
        parent: &Arc<Entry>,
        slot: Slot,
        child: ExecutionId,
    ) -> Result<bool, CommandError> {
        let state = parent.state.lock().await;
        match state.as_ref() {
            Some(owned) => Ok(waits(&owned.execution, slot, child)),
            None => Ok(waits(&self.reload(parent).await?.execution, slot, child)),
        }
    }

    /// Err: the host stops.
    pub(crate) async fn pause_before_retry(&self) -> Result<(), ()> {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(RETRY_AFTER_MS)) => Ok(()),
            () = self.closing.cancelled() => Err(()),
        }
    }
}

/// Whose child an execution is.
pub(crate) struct ChildOf {
    parent: ExecutionId,
    slot: Slot,
    requested_by: Requester,
}

impl ChildOf {
    pub fn of(execution: &Execution) -> Option<Self> {
        match execution.origin {
            Some(Origin::Child { parent, slot, .. }) => {
                Some(Self { parent, slot, requested_by: execution.requested_by.clone() })
            }
            _ => None,
        }
    }
}

fn waits(parent: &Execution, slot: Slot, child: ExecutionId) -> bool {
    let waiting = parent.slot(slot).and_then(|state| state.waiting.as_ref());
    let waits = waiting.is_some_and(
        |waiting| matches!(&waiting.wait, Wait::Child { execution_id, .. } if *execution_id == child),
    );
    waits && !parent.is_stopping() && !parent.status.is_terminal()
}

/// None: it has not ended.
fn outcome_of(execution: &Execution) -> Option<ChildOutcome> {
    let intent = &execution.plan.document.intent.name;
    let failed = |code: &str, what: &str| {
        let message = format!("the execution {} of \"{intent}\" {what}", execution.id);
        let details = json!({ "execution_id": execution.id, "error": execution.error });
        Some(ChildOutcome::Failed(Problem { details: Some(details), ..Problem::new(code, message) }))
    };
    match execution.status {
        ExecutionStatus::Succeeded => {
            Some(ChildOutcome::Succeeded(execution.output.clone().unwrap_or_default()))
        }
        ExecutionStatus::Failed => {
            let why = execution.error.as_ref().map(|error| format!("failed: {error}"));
            failed("child-failed", &why.unwrap_or_else(|| "failed".to_owned()))
        }
        ExecutionStatus::Cancelled => failed("child-cancelled", "was cancelled"),
        _ => None,
    }
}

fn not_started(intent: &str, problem: &Problem) -> Problem {
    let message = format!("an execution of \"{intent}\" could not be started: {}", problem.message);
    let details = json!({ "code": problem.code, "details": problem.details });
    Problem { details: Some(details), ..Problem::new("child-not-started", message) }
}
