//! What may be seen of an execution: durable state only.

use quantum_core::builtin::Wait;
use quantum_core::id::{DecisionId, ExecutionId, StepId};
use quantum_core::json::Json;
use quantum_core::machine::{Blocker, Execution, FanOut, Origin, StepState, blockers};
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
    pub dry_run: bool,
    pub origin: Option<Origin>,
    pub deadline: Option<Timestamp>,
    /// Why it does not move.
    pub waits_for: Vec<Blocker>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    pub id: StepId,
    pub action: String,
    /// `namespace:name` of the plugin and its version.
    pub plugin: Option<String>,
    pub plugin_version: Option<String>,
    pub status: StepStatus,
    pub attempts: u32,
    /// When the next attempt starts, or the wait ends.
    pub due_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
    pub reason: Option<String>,
    pub decision_id: Option<DecisionId>,
    pub bill: Bill,
    pub waiting: Option<Wait>,
    pub elements: Option<ElementsView>,
    /// How undoing it goes.
    pub compensation: Option<ElementView>,
}

/// The elements of a `for_each` in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ElementsView {
    pub total: usize,
    pub started: usize,
    pub open: usize,
    pub failed: usize,
    pub parked: usize,
}

/// One element, or one compensation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ElementView {
    pub status: StepStatus,
    pub attempts: u32,
    pub due_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub output: Option<Json>,
    pub error: Option<Problem>,
}

impl ElementView {
    pub(crate) fn of(state: &StepState) -> Self {
        Self {
            status: state.shown_status(),
            attempts: state.attempt,
            due_at: due_at(state),
            started_at: state.started_at,
            ended_at: state.ended_at,
            output: state.output.clone(),
            error: state.error.clone(),
        }
    }
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
            dry_run: execution.dry_run,
            origin: execution.origin.clone(),
            deadline: execution.deadline,
            waits_for: blockers(execution),
            steps: (0..execution.steps.len()).filter_map(|at| step(execution, at)).collect(),
        }
    }
}

impl StepView {
    pub(crate) fn with_elements(execution: &Execution, id: &str) -> Option<(Self, Vec<ElementView>)> {
        let at = execution.plan.position(id)?;
        let fan_out = execution.step(at)?.fan_out.as_deref();
        let elements = fan_out.into_iter().flat_map(|fan_out| &fan_out.elements).map(ElementView::of);
        Some((step(execution, at)?, elements.collect()))
    }
}

fn step(execution: &Execution, at: usize) -> Option<StepView> {
    let (planned, state) = execution.plan.step(at).zip(execution.step(at))?;
    let component = planned.action.component();
    Some(StepView {
        id: planned.id.clone(),
        action: planned.action.name().to_owned(),
        plugin: component.map(|action| action.plugin.clone()),
        plugin_version: component.map(|action| action.version.clone()),
        status: state.shown_status(),
        attempts: state.attempt,
        due_at: due_at(state),
        started_at: state.started_at,
        ended_at: state.ended_at,
        output: state.output.clone(),
        error: state.error.clone(),
        reason: state.reason.clone(),
        decision_id: state.decision.as_ref().map(|decision| decision.id),
        bill: state.bill,
        waiting: state.waiting.as_ref().map(|waiting| waiting.wait.clone()),
        elements: state.fan_out.as_deref().map(elements),
        compensation: state.undo.as_deref().map(ElementView::of),
    })
}

fn elements(fan_out: &FanOut) -> ElementsView {
    ElementsView {
        total: fan_out.len(),
        started: fan_out.elements.len(),
        open: fan_out.open.len(),
        failed: fan_out.failed,
        parked: fan_out.parked,
    }
}

/// When it goes on by itself.
fn due_at(state: &StepState) -> Option<Timestamp> {
    state.due_at.filter(|_| matches!(state.status, StepStatus::Retrying | StepStatus::Waiting))
}
