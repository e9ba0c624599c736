//! One run of a plan, as folding its events gives it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::expression::{Scope, StepView};
use crate::id::{ExecutionId, TenantId};
use crate::json::Json;
use crate::plan::Plan;
use crate::port::{Bill, Decision, Requester};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// What an execution is before its first event.
#[derive(Debug, Clone)]
pub struct NewExecution {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub plan: Arc<Plan>,
    pub input: Json,
    pub requested_by: Requester,
    pub created_at: Timestamp,
}

/// Written by `apply` alone.
#[derive(Debug, Clone)]
pub struct Execution {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub plan: Arc<Plan>,
    pub input: Json,
    pub requested_by: Requester,
    pub created_at: Timestamp,
    pub status: ExecutionStatus,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// By position in the plan.
    pub steps: Vec<StepState>,
    /// `seq` of the last event; 0 before the first.
    pub last_seq: u64,
    pub cancel_requested: bool,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    /// Bytes of all results as JSON text.
    pub result_bytes: usize,
    /// What expressions read as `execution`.
    pub(super) context: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    pub status: StepStatus,
    /// Attempts that started.
    pub attempt: u32,
    /// When the next attempt may start, while `retrying`; when the attempt ends at the latest, while `running`.
    pub due_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    pub reason: Option<String>,
    pub decision: Option<Decision>,
    /// Of all attempts together; `memory_bytes_peak` is the largest.
    pub bill: Bill,
}

impl Default for StepState {
    fn default() -> Self {
        Self {
            status: StepStatus::Pending,
            attempt: 0,
            due_at: None,
            started_at: None,
            ended_at: None,
            output: None,
            error: None,
            reason: None,
            decision: None,
            bill: Bill::default(),
        }
    }
}

impl Execution {
    pub fn new(new: NewExecution) -> Self {
        let steps = vec![StepState::default(); new.plan.document.steps.len()];
        let context = json!({ "id": new.id, "started_at": new.created_at });
        Self {
            id: new.id,
            tenant: new.tenant,
            plan: new.plan,
            input: new.input,
            requested_by: new.requested_by,
            created_at: new.created_at,
            status: ExecutionStatus::Queued,
            started_at: None,
            ended_at: None,
            steps,
            last_seq: 0,
            cancel_requested: false,
            output: None,
            error: None,
            result_bytes: 0,
            context,
        }
    }

    pub fn step(&self, at: usize) -> Option<&StepState> {
        self.steps.get(at)
    }

    pub fn has(&self, status: StepStatus) -> bool {
        self.steps.iter().any(|step| step.status == status)
    }

    /// Steps that ended, for progress.
    pub fn steps_done(&self) -> usize {
        self.steps.iter().filter(|step| step.status.is_terminal()).count()
    }

    /// No further step starts: one failed, or somebody asked to cancel.
    pub fn is_stopping(&self) -> bool {
        self.cancel_requested || self.has(StepStatus::Failed)
    }

    /// The first step that may start now: its dependencies succeeded, or its retry is due.
    pub fn next_ready(&self, now: Timestamp) -> Option<usize> {
        if self.status != ExecutionStatus::Running || self.is_stopping() {
            return None;
        }
        (0..self.steps.len()).find(|at| self.is_ready(*at, now))
    }

    fn is_ready(&self, at: usize, now: Timestamp) -> bool {
        let Some(step) = self.steps.get(at) else { return false };
        match step.status {
            StepStatus::Pending => {
                let waits_for =
                    self.plan.step(at).map(|planned| planned.waits_for.as_slice()).unwrap_or_default();
                waits_for
                    .iter()
                    .all(|other| self.step(*other).is_some_and(|s| s.status == StepStatus::Succeeded))
            }
            StepStatus::Retrying => step.due_at.is_none_or(|due| due <= now),
            _ => false,
        }
    }

    /// The earliest time at which a retry is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        let retrying = self.steps.iter().filter(|step| step.status == StepStatus::Retrying);
        retrying.filter_map(|step| step.due_at).min()
    }

    /// Calls `read` with what expressions may see now.
    pub fn with_scope<T>(&self, read: impl FnOnce(&Scope<'_>) -> T) -> T {
        let step = |id: &str| {
            let state = self.step(self.plan.position(id)?)?;
            Some(StepView { status: state.status, output: state.output.as_deref() })
        };
        read(&Scope { input: &self.input, intent: &self.plan.intent, execution: &self.context, step: &step })
    }
}
