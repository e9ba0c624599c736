//! Executions: how they are started, and what may be seen of them.

use std::collections::BTreeMap;

use quantum_core::port::{Bill, Requester};
use quantum_core::time::Timestamp;
use quantum_engine::{ExecutionView, StepView};
use quantum_store::ExecutionRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// All of it is optional, and so is the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "input": { "tag": "1.2.3" }, "labels": { "team": "web" } }))]
pub(crate) struct ExecuteRequest {
    /// What the intent's `input` schema asks for. Nothing given: an empty object.
    #[schema(value_type = Object)]
    pub input: Option<Value>,
    pub labels: BTreeMap<String, String>,
    /// Not supported by this version: `true` is refused.
    pub dry_run: bool,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CancelRequest {
    /// For people; part of the event log.
    pub reason: Option<String>,
}

/// The execution is durable and on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Started, example = json!({
    "execution_id": "0198c0de-0000-7000-8000-000000000000", "intent": "deploy-web-app-v1"
}))]
pub(crate) struct StartedBody {
    pub execution_id: String,
    /// `name-vN`.
    pub intent: String,
}

/// An execution, as its durable events make it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Execution)]
pub(crate) struct ExecutionBody {
    #[serde(flatten)]
    pub summary: ExecutionSummaryBody,
    pub cancel_requested: bool,
    /// `seq` of the last event.
    pub last_seq: u64,
    #[schema(value_type = Object)]
    pub input: Value,
    #[schema(value_type = Object)]
    pub output: Option<Value>,
    /// Why it failed: `code`, `message`, `retryable`, `details`.
    #[schema(value_type = Option<Object>)]
    pub error: Option<quantum_core::problem::Problem>,
    pub steps: Vec<StepBody>,
    /// Of all steps together.
    pub bill: BillBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecutionSummary)]
pub(crate) struct ExecutionSummaryBody {
    pub execution_id: String,
    pub tenant_id: String,
    /// `name-vN`.
    pub intent: String,
    pub intent_uid: String,
    pub environment: &'static str,
    /// queued, running, succeeded, failed or cancelled.
    pub status: &'static str,
    pub progress: ProgressBody,
    pub labels: BTreeMap<String, String>,
    #[schema(value_type = Object)]
    pub requested_by: Requester,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressBody {
    /// Steps that ended.
    pub done: u32,
    pub total: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepBody {
    pub id: String,
    pub action: String,
    pub plugin: String,
    pub plugin_version: String,
    /// pending, running, retrying, succeeded, failed, skipped or cancelled.
    pub status: &'static str,
    /// Attempts that started.
    pub attempts: u32,
    /// When the next attempt starts, while the step is retrying.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    #[schema(value_type = Object)]
    pub output: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub error: Option<quantum_core::problem::Problem>,
    /// Why it was skipped or cancelled.
    pub reason: Option<String>,
    pub decision_id: Option<String>,
    pub bill: BillBody,
}

/// What attempts used.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Bill)]
pub(crate) struct BillBody {
    /// Microseconds on a processor.
    pub cpu_us: u64,
    /// Microseconds from start to end.
    pub wall_us: u64,
    /// Largest sum of all memories of one attempt.
    pub memory_bytes_peak: u64,
    pub host_calls: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionPage {
    pub items: Vec<ExecutionSummaryBody>,
    pub next_page_token: Option<String>,
}

impl From<&ExecutionRow> for ExecutionSummaryBody {
    fn from(row: &ExecutionRow) -> Self {
        Self {
            execution_id: row.id.to_string(),
            tenant_id: row.tenant.to_string(),
            intent: format!("{}-v{}", row.intent_name, row.intent_version),
            intent_uid: row.intent_uid.to_string(),
            environment: row.environment.as_str(),
            status: row.status.as_str(),
            progress: ProgressBody { done: row.steps_done, total: row.steps_total },
            labels: row.labels.clone(),
            requested_by: row.requested_by.clone(),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

impl ExecutionBody {
    /// The row says what never changes, the view everything else.
    pub fn new(row: &ExecutionRow, view: ExecutionView) -> Self {
        let done = view.steps.iter().filter(|step| step.status.is_terminal()).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let summary = ExecutionSummaryBody {
            status: view.status.as_str(),
            progress: ProgressBody { done: count(done), total: count(view.steps.len()) },
            started_at: view.started_at,
            ended_at: view.ended_at,
            ..row.into()
        };
        let bill = view.steps.iter().map(|step| step.bill).fold(BillBody::default(), BillBody::plus);
        Self {
            summary,
            cancel_requested: view.cancel_requested,
            last_seq: view.last_seq,
            input: (*view.input).clone(),
            output: view.output.as_deref().cloned(),
            error: view.error,
            steps: view.steps.into_iter().map(Into::into).collect(),
            bill,
        }
    }
}

impl From<StepView> for StepBody {
    fn from(step: StepView) -> Self {
        Self {
            id: step.id.to_string(),
            action: step.action,
            plugin: step.plugin,
            plugin_version: step.plugin_version,
            status: step.status.as_str(),
            attempts: step.attempts,
            due_at: step.due_at,
            started_at: step.started_at,
            ended_at: step.ended_at,
            output: step.output.as_deref().cloned(),
            error: step.error,
            reason: step.reason,
            decision_id: step.decision_id.map(|id| id.to_string()),
            bill: BillBody::default().plus(step.bill),
        }
    }
}

impl BillBody {
    fn plus(self, bill: Bill) -> Self {
        Self {
            cpu_us: self.cpu_us + bill.cpu_us,
            wall_us: self.wall_us + bill.wall_us,
            memory_bytes_peak: self.memory_bytes_peak.max(bill.memory_bytes_peak),
            host_calls: self.host_calls + bill.host_calls,
            sent_bytes: self.sent_bytes + bill.sent_bytes,
            received_bytes: self.received_bytes + bill.received_bytes,
        }
    }
}
