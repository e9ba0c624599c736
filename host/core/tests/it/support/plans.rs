//! Plans made the way the product makes them, and what two executions are compared by.

use std::sync::Arc;

use quantum_core::id::{ExecutionId, IntentName, IntentUid, PrincipalId};
use quantum_core::intent::{CheckContext, Definition};
use quantum_core::json::Json;
use quantum_core::machine::{Execution, NewExecution, Slot, StepState};
use quantum_core::plan::{self, Plan, PlannedIntent};
use quantum_core::port::{PrincipalKind, Requester};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, ExecutionStatus};
use serde_json::Value;

use super::actions::{Actions, tenant};

const UID: &str = "0198c0de-0000-7000-8000-000000000001";

pub fn alice() -> Requester {
    Requester { id: PrincipalId::new("alice").unwrap(), kind: PrincipalKind::User }
}

pub fn plan(definition: &Value) -> Arc<Plan> {
    let (typed, findings) = Definition::read(definition);
    assert_eq!(findings, []);
    let intent = PlannedIntent {
        uid: IntentUid::parse(UID).unwrap(),
        name: IntentName::new("demo").unwrap(),
        version: 1,
        labels: [("team".to_owned(), "web".to_owned())].into(),
        definition: definition.clone(),
    };
    let actions = Actions::installed();
    let context = CheckContext { tenant: &tenant(), actions: &actions };
    let document = plan::build(intent, Environment::Test, &typed, &context).unwrap();
    Arc::new(Plan::compile(document).unwrap())
}

pub fn new_execution(plan: Arc<Plan>, input: Value) -> Execution {
    Execution::new(NewExecution {
        id: ExecutionId::parse(UID).unwrap(),
        tenant: tenant(),
        plan,
        input: input.into(),
        requested_by: alice(),
        created_at: Timestamp::from_millis(0),
        dry_run: false,
        origin: None,
    })
}

/// Everything of an execution that its events decide.
#[derive(Debug, PartialEq)]
pub struct State {
    status: ExecutionStatus,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    deadline: Option<Timestamp>,
    paused_at: Option<Timestamp>,
    queued_by: Option<String>,
    steps: Vec<StepState>,
    undo: Vec<Slot>,
    timed_out: bool,
    last_seq: u64,
    cancel_requested: bool,
    output: Option<Json>,
    error: Option<Problem>,
    result_bytes: usize,
}

pub fn state_of(execution: &Execution) -> State {
    State {
        status: execution.status,
        started_at: execution.started_at,
        ended_at: execution.ended_at,
        deadline: execution.deadline,
        paused_at: execution.paused_at,
        queued_by: execution.queued_by.clone(),
        steps: execution.steps.clone(),
        undo: execution.undo.clone(),
        timed_out: execution.timed_out,
        last_seq: execution.last_seq,
        cancel_requested: execution.cancel_requested,
        output: execution.output.clone(),
        error: execution.error.clone(),
        result_bytes: execution.result_bytes,
    }
}
