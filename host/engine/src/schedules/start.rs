//! Starting the execution of a due time, and cancelling the ones before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use quantum_core::machine::Command;
use quantum_core::problem::Problem;
use quantum_core::schedule::{DUE_LABEL, LastError, LastStart, NAME_LABEL, Outcome, execution_id};
use quantum_core::time::Timestamp;
use serde_json::{Value, json};

use super::look::Subject;
use crate::engine::Shared;
use crate::error::StartError;
use crate::source::{Runnable, SourceRequest};
use crate::start::{StartOptions, StartRequest};

impl Shared {
    /// Decided anew for each due time: whether the intent can be started, and whether its owner may. None: this host
    /// cannot tell or start now, and tries again.
    pub(super) async fn start_due(self: &Arc<Self>, subject: &Subject, due: Timestamp) -> Option<Outcome> {
        let now = self.ports.clock.now();
        let request = SourceRequest {
            scope: subject.scope.clone(),
            intent: subject.document.intent.clone(),
            requested_by: subject.row.owner.clone(),
            now,
        };
        let refused = |problem| Some(refusal(subject, due, now, problem));
        let runnable = match self.ports.intents.runnable(request).await {
            Ok(runnable) => runnable,
            Err(problem) if problem.retryable => return later(subject, &problem.message),
            Err(problem) => return refused(problem),
        };
        let request = start_request(subject, due, runnable);
        let execution = request.id;
        let shared = self.clone();
        // A task of its own, so that the host waits for it when it stops.
        let started = self.attempts.spawn(async move { shared.start(request, None).await }).await;
        match started {
            Ok(Ok(_)) => Some(Outcome::Started(LastStart { due_at: due, started_at: now, execution })),
            Ok(Err(StartError::Unavailable { reason, .. } | StartError::Backlog { reason, .. })) => {
                later(subject, &reason)
            }
            Ok(Err(StartError::Quota { reached, .. })) => later(subject, &reached.to_string()),
            Ok(Err(StartError::Failed(error))) => later(subject, &error.to_string()),
            Ok(Err(error)) => refused(problem_of(error)),
            Err(_) => later(subject, "the host is stopping"),
        }
    }

    /// Asks what runs to stop. What cannot be asked now ends by itself, and the due time waits for it all the same.
    pub(super) async fn cancel_running(self: &Arc<Self>, subject: &Subject) {
        for id in &subject.state.progress.running {
            let reason = Some(format!("the schedule \"{}\" is due again", subject.row.name));
            let command = Command::Cancel { requested_by: subject.row.owner.clone(), reason };
            if let Err(error) = self.operate(&subject.scope, id, command).await {
                tracing::debug!(execution = %id, error = %error, "an execution of a schedule was not cancelled");
            }
        }
    }
}

fn start_request(subject: &Subject, due: Timestamp, runnable: Runnable) -> StartRequest {
    let row = &subject.row;
    let host = [(NAME_LABEL, row.name.to_string()), (DUE_LABEL, due.to_string())];
    let host = host.into_iter().map(|(key, value)| (key.to_owned(), value));
    let labels: BTreeMap<_, _> = subject.document.labels.clone().into_iter().chain(host).collect();
    StartRequest {
        scope: subject.scope.clone(),
        id: execution_id(row.uid, due),
        plan: runnable.plan,
        encoded: runnable.encoded,
        input: Value::Object(subject.document.input.clone()),
        labels,
        requested_by: row.owner.clone(),
        idempotency: None,
        options: StartOptions::default(),
    }
}

fn later(subject: &Subject, reason: &str) -> Option<Outcome> {
    let (tenant, schedule) = (&subject.row.tenant, &subject.row.name);
    tracing::warn!(%tenant, %schedule, reason, "a due execution could not be started yet; this is tried again");
    None
}

fn refusal(subject: &Subject, due: Timestamp, at: Timestamp, problem: Problem) -> Outcome {
    let (tenant, schedule) = (&subject.row.tenant, &subject.row.name);
    tracing::warn!(%tenant, %schedule, due = %due, code = problem.code, message = problem.message, "a due execution was refused");
    Outcome::Refused(LastError { due_at: due, at, problem })
}

fn problem_of(error: StartError) -> Problem {
    match error {
        StartError::Input(findings) => {
            let message = "the schedule's input does not fit the intent's schema";
            let details = Some(json!({ "errors": findings }));
            Problem { details, ..Problem::new("invalid-input", message) }
        }
        StartError::Key(problem) => *problem,
        StartError::Limit { reason } => Problem::new("concurrency-limit", reason),
        other => Problem::new("internal", other.to_string()),
    }
}
