//! What may be seen of an execution: durable state only.

use quantum_core::id::{DecisionId, ExecutionId, StepId};
use quantum_core::json::Json;
use quantum_core::machine::Execution;
use quantum_core::port::{Bill, Requester};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, ExecutionStatus, StepStatus};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExecutionView {
    pub id: ExecutionId,
    /// `name-vN`.
    pub intent: String,
    pub intent_uid: quantum_core::id::IntentUid,
    pub environment: Environment,
    pub status: ExecutionStatus,
    pub requested_by: Requester,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub cancel_requested: bool,
    /// `seq` of the last event.
    pub last_seq: u64,
    pub input: Json,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    pub steps: Vec<StepView>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    pub id: StepId,
    pub action: String,
    /// `namespace:name` of the plugin and its version.
    pub plugin: String,
    pub plugin_version: String,
    pub status: StepStatus,
    pub attempts: u32,
    /// When the next attempt starts, while the step is retrying.
    pub due_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    pub reason: Option<String>,
    pub decision_id: Option<DecisionId>,
    pub bill: Bill,
}

impl ExecutionView {
    pub(crate) fn of(execution: &Execution) -> Self {
        let document = &execution.plan.document;
        Self {
            id: execution.id,
            intent: format!("{}-v{}", document.intent.name, document.intent.version),
            intent_uid: document.intent.uid,
            environment: document.environment,
            status: execution.status,
            requested_by: execution.requested_by.clone(),
            created_at: execution.created_at,
            started_at: execution.started_at,
            ended_at: execution.ended_at,
            cancel_requested: execution.cancel_requested,
            last_seq: execution.last_seq,
            input: execution.input.clone(),
            output: execution.output.clone(),
            error: execution.error.clone(),
            steps: (0..execution.steps.len()).filter_map(|at| step(execution, at)).collect(),
        }
    }
}

fn step(execution: &Execution, at: usize) -> Option<StepView> {
    let (planned, state) = execution.plan.step(at).zip(execution.step(at))?;
    Some(StepView {
        id: planned.id.clone(),
        action: planned.action.name.clone(),
        plugin: planned.action.plugin.clone(),
        plugin_version: planned.action.version.clone(),
        status: state.status,
        attempts: state.attempt,
        due_at: state.due_at.filter(|_| state.status == StepStatus::Retrying),
        started_at: state.started_at,
        ended_at: state.ended_at,
        output: state.output.clone(),
        error: state.error.clone(),
        reason: state.reason.clone(),
        decision_id: state.decision.as_ref().map(|decision| decision.id),
        bill: state.bill,
    })
}
