//! Every pair of a state and an event: those that are listed happen, all others are refused and change nothing.

use quantum_core::id::StepId;
use quantum_core::machine::{EVENT_FORMAT, Event, EventKind, apply};
use quantum_core::port::Bill;
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus as E, StepStatus as S};
use serde_json::{Value, json};

use crate::script::decision;
use crate::support::{alice, new_execution, plan, state_of};

const OPEN: &[S] = &[S::Pending, S::Running, S::Retrying];
const ENDED: &[S] = &[S::Succeeded, S::Failed, S::Skipped, S::Cancelled];

/// The states of the execution, and of its only step, in which an event may happen.
fn legal(kind: &EventKind) -> (E, Vec<S>) {
    match kind {
        EventKind::ExecutionStarted { .. } => (E::Queued, S::ALL.to_vec()),
        EventKind::StepStarted { .. } => (E::Running, vec![S::Pending, S::Retrying]),
        EventKind::StepRetrying { .. } | EventKind::StepCompleted { .. } => (E::Running, vec![S::Running]),
        EventKind::StepFailed { .. } => (E::Running, OPEN.to_vec()),
        EventKind::StepSkipped { .. } => (E::Running, vec![S::Pending]),
        EventKind::StepCancelled { .. } => (E::Running, vec![S::Running, S::Retrying]),
        EventKind::CancelRequested { .. } => (E::Running, S::ALL.to_vec()),
        EventKind::ExecutionCompleted { .. }
        | EventKind::ExecutionFailed { .. }
        | EventKind::ExecutionCancelled => (E::Running, ENDED.to_vec()),
    }
}

fn kinds() -> Vec<EventKind> {
    let step = || StepId::new("a").unwrap();
    let error = || Problem::new("broken", "it did not work");
    let (at, bill) = (Timestamp::from_millis(9), Bill::default());
    vec![
        EventKind::ExecutionStarted { intent: "demo-v1".to_owned(), requested_by: alice() },
        EventKind::StepStarted { step: step(), attempt: 1, deadline: at, decision: decision(true) },
        EventKind::StepRetrying { step: step(), attempt: 1, error: error(), due_at: at, bill },
        EventKind::StepCompleted { step: step(), attempt: 1, result: json!(1).into(), bill },
        EventKind::StepFailed { step: step(), attempt: 1, error: error(), bill, decision: None },
        EventKind::StepSkipped { step: step(), reason: "it is late".to_owned() },
        EventKind::StepCancelled { step: step(), attempt: 1, bill },
        EventKind::CancelRequested { requested_by: alice(), reason: None },
        EventKind::ExecutionCompleted { output: json!(1).into() },
        EventKind::ExecutionFailed { error: error(), step: None },
        EventKind::ExecutionCancelled,
    ]
}

fn event(seq: u64, kind: EventKind) -> Event {
    Event { v: EVENT_FORMAT, seq, at: Timestamp::from_millis(5), kind }
}

#[test]
fn an_event_that_its_state_does_not_allow_is_refused_and_changes_nothing() {
    let plan = plan(&json!({ "steps": [{ "id": "a", "action": "plain" }] }));
    let mut happened = 0;
    for kind in kinds() {
        let (in_status, in_step) = legal(&kind);
        for status in E::ALL.iter().copied() {
            for step in S::ALL.iter().copied() {
                let mut execution = new_execution(plan.clone(), Value::Null);
                execution.status = status;
                execution.steps[0].status = step;
                let before = state_of(&execution);
                let applied = apply(&mut execution, &event(1, kind.clone()));
                let pair = format!("{} while {status}/{step}: {applied:?}", kind.name());
                if status == in_status && in_step.contains(&step) {
                    assert!(applied.is_ok(), "{pair}");
                    happened += 1;
                } else {
                    assert!(applied.is_err(), "{pair}");
                    assert_eq!(state_of(&execution), before, "{pair}");
                }
            }
        }
    }
    assert_eq!(happened, 7 + 2 + 1 + 1 + 3 + 1 + 2 + 7 + 4 + 4 + 4);
}

#[test]
fn a_refused_event_says_what_stands_against_it() {
    let plan = plan(&json!({ "steps": [{ "id": "a", "action": "plain" }] }));
    let refuse = |status: E, event: &Event| {
        let mut execution = new_execution(plan.clone(), Value::Null);
        execution.status = status;
        apply(&mut execution, event).unwrap_err().to_string()
    };
    let completed = || EventKind::ExecutionCompleted { output: Value::Null.into() };
    let skipped = EventKind::StepSkipped { step: StepId::new("z").unwrap(), reason: String::new() };
    let cases = [
        (
            E::Queued,
            event(1, completed()),
            "event 1, execution_completed, cannot happen while the execution is queued",
        ),
        (
            E::Running,
            event(1, completed()),
            "event 1, execution_completed, cannot happen while step \"a\" is pending",
        ),
        (E::Running, event(1, skipped), "event 1 names the step \"z\", which the plan does not have"),
        (E::Running, event(0, completed()), "event 0 follows event 0: the log has a gap or a repeat"),
        (E::Running, event(2, completed()), "event 2 follows event 0: the log has a gap or a repeat"),
        (
            E::Running,
            Event { v: 2, ..event(1, completed()) },
            "event 1 has format 2; this host reads up to 1: run a newer host",
        ),
    ];
    for (status, event, message) in cases {
        assert_eq!(refuse(status, &event), message);
    }
}
