//! Executions: how they are started, and what may be seen of them.

use std::collections::BTreeMap;

use quantum_core::builtin::Wait;
use quantum_core::machine::Blocker;
use quantum_core::port::{Bill, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{ElementView, ElementsView, ExecutionView, StepView};
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
    /// Actions with effects are skipped, or rehearse.
    pub dry_run: bool,
    /// Of those that a limit holds back, greater ones start first: 0 to 9.
    #[schema(maximum = 9)]
    pub priority: u8,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReasonRequest {
    /// For people; part of the event log.
    pub reason: Option<String>,
}

/// All of it is optional, and so is the body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "step": "release", "approved": true, "comment": "checked" }))]
pub(crate) struct ApproveRequest {
    /// Needed only where several steps wait for approval.
    pub step: Option<String>,
    /// Of a step with `for_each`: the position in its list.
    pub element: Option<u32>,
    /// false refuses: the step fails.
    pub approved: bool,
    pub comment: Option<String>,
}

impl Default for ApproveRequest {
    fn default() -> Self {
        Self { step: None, element: None, approved: true, comment: None }
    }
}

/// All of it is optional, and so is the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ReplayRequest, example = json!({ "from_step": "push" }))]
pub(crate) struct ReplayBody {
    /// The first step that runs again, with all that wait for it; the others keep their results. Not given: all run.
    pub from_step: Option<String>,
    /// Of the intent; not given: the plan that the old execution ran.
    pub version: Option<u32>,
    /// Not given: the input of the old execution.
    #[schema(value_type = Object)]
    pub input: Option<Value>,
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
    /// Why it does not move: what it waits for. Empty while an attempt runs.
    #[schema(value_type = Vec<Object>)]
    pub waits_for: Vec<Blocker>,
    /// When its own timeout falls.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deadline: Option<Timestamp>,
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
    /// queued, running, waiting, paused, parked, compensating, succeeded, failed or cancelled.
    pub status: &'static str,
    pub dry_run: bool,
    pub priority: i32,
    /// The execution that it comes from: of a child its parent, of a replay the one that it repeats.
    #[schema(value_type = Option<Object>)]
    pub origin: Option<Value>,
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
    /// None: the host runs the action itself.
    pub plugin: Option<String>,
    pub plugin_version: Option<String>,
    /// pending, running, retrying, waiting, parked, succeeded, failed, skipped, cancelled, compensating, compensated or
    /// compensation_failed.
    pub status: &'static str,
    /// Attempts that started.
    pub attempts: u32,
    /// When the next attempt starts, or the wait ends.
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
    /// What it waits for.
    #[schema(value_type = Option<Object>)]
    pub waiting: Option<Wait>,
    /// Of a step with `for_each`: total, started, open, failed, parked.
    #[schema(value_type = Option<Object>)]
    pub elements: Option<ElementsView>,
    /// How undoing it goes.
    #[schema(value_type = Option<Object>)]
    pub compensation: Option<ElementView>,
}

/// A step with each of its elements.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StepDetail)]
pub(crate) struct StepDetailBody {
    #[serde(flatten)]
    pub step: StepBody,
    /// Those that have started, in the order of the list.
    #[schema(value_type = Vec<Object>)]
    pub element_states: Vec<ElementView>,
}

impl StepDetailBody {
    pub fn new(step: StepView, element_states: Vec<ElementView>) -> Self {
        Self { step: step.into(), element_states }
    }
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
            dry_run: row.dry_run,
            priority: row.priority,
            origin: row.origin.as_deref().and_then(|json| serde_json::from_str(json).ok()),
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
            status: shown_status(&view),
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
            waits_for: view.waits_for,
            deadline: view.deadline,
        }
    }
}

/// `waiting` is no state of its own: nothing runs, and everything that is open waits.
fn shown_status(view: &ExecutionView) -> &'static str {
    let operator = |blocker: &Blocker| matches!(blocker, Blocker::Operator { .. });
    if view.status == ExecutionStatus::Running && view.waits_for.iter().any(|blocker| !operator(blocker)) {
        return "waiting";
    }
    view.status.as_str()
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
            waiting: step.waiting,
            elements: step.elements,
            compensation: step.compensation,
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
