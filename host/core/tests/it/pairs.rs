//! Every pair of a state and an event: those that are listed happen, all others are refused and change nothing.

use quantum_core::builtin::Wait;
use quantum_core::id::StepId;
use quantum_core::machine::{EVENT_FORMAT, Event, EventKind, Phase, SkipCause, apply};
use quantum_core::port::Bill;
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus as E, StepStatus as S};
use serde_json::{Value, json};

use crate::script::{child, decision};
use crate::support::{alice, new_execution, plan, state_of};

const ENDED: &[S] =
    &[S::Succeeded, S::Failed, S::Skipped, S::Cancelled, S::Compensated, S::CompensationFailed];
const MOVING: &[E] = &[E::Running, E::Paused];

/// The states of the execution, and of its only step, in which an event may happen.
fn legal(kind: &EventKind) -> (Vec<E>, Vec<S>) {
    let (execution, step): (&[E], &[S]) = match kind {
        EventKind::ExecutionQueued { .. } | EventKind::ExecutionStarted { .. } => (&[E::Queued], S::ALL),
        EventKind::StepReused { .. } | EventKind::StepExpanded { .. } => (&[E::Running], &[S::Pending]),
        EventKind::StepStarted { phase: Phase::Run, .. } | EventKind::StepWaiting { .. } => {
            (&[E::Running], &[S::Pending, S::Retrying])
        }
        EventKind::StepStarted { .. } | EventKind::StepCompensationFailed { .. } => {
            (&[E::Compensating], &[S::Succeeded])
        }
        // What undoes the step has not begun.
        EventKind::StepRetrying { phase: Phase::Compensate, .. } | EventKind::StepCompensated { .. } => {
            (&[], &[])
        }
        EventKind::StepRetrying { .. } | EventKind::StepParked { .. } => (MOVING, &[S::Running]),
        EventKind::StepCompleted { .. } => (MOVING, &[S::Running, S::Waiting]),
        EventKind::StepFailed { .. } => (MOVING, &[S::Running, S::Waiting, S::Pending, S::Retrying]),
        EventKind::StepSkipped { .. } => (&[E::Queued, E::Running], &[S::Pending]),
        EventKind::StepCancelled { .. } => (MOVING, &[S::Running, S::Waiting, S::Retrying, S::Parked]),
        EventKind::SignalReceived { .. } | EventKind::ApprovalRecorded { .. } => (MOVING, &[S::Waiting]),
        EventKind::CancelRequested { .. } => (&[E::Queued, E::Running, E::Paused, E::Parked], S::ALL),
        EventKind::ExecutionTimedOut
        | EventKind::ExecutionPaused { .. }
        | EventKind::ExecutionParked
        | EventKind::CompensationStarted => (&[E::Running], S::ALL),
        EventKind::ExecutionResumed { .. } => (&[E::Paused], S::ALL),
        EventKind::ExecutionRestarted { .. } => (&[E::Failed, E::Cancelled, E::Parked, E::Running], S::ALL),
        EventKind::ExecutionCompleted { .. } => (&[E::Running], ENDED),
        EventKind::ExecutionFailed { .. } => (&[E::Running, E::Compensating], ENDED),
        EventKind::ExecutionCancelled => (&[E::Queued, E::Running, E::Compensating], ENDED),
    };
    (execution.to_vec(), step.to_vec())
}

/// One of each, and the two phases of those that have one.
pub fn kinds() -> Vec<EventKind> {
    let step = || StepId::new("a").unwrap();
    let error = || Problem::new("broken", "it did not work");
    let (at, bill, element) = (Timestamp::from_millis(9), Bill::default(), None);
    let result = || json!(1).into();
    let intent = || "demo-v1".to_owned();
    let started = |phase| {
        let (step, decision) = (step(), decision(true));
        EventKind::StepStarted { step, element, phase, attempt: 1, deadline: at, decision }
    };
    let retrying = |phase| {
        let (step, error) = (step(), error());
        EventKind::StepRetrying { step, element, phase, attempt: 1, error, due_at: at, bill }
    };
    vec![
        EventKind::ExecutionQueued { intent: intent(), requested_by: alice(), reason: "a limit".to_owned() },
        EventKind::ExecutionStarted { intent: intent(), requested_by: alice() },
        EventKind::StepReused { step: step(), from: child(), result: result() },
        EventKind::StepExpanded { step: step(), items: json!([1, 2]).into() },
        started(Phase::Run),
        started(Phase::Compensate),
        retrying(Phase::Run),
        retrying(Phase::Compensate),
        EventKind::StepWaiting { step: step(), element, wait: Wait::Timer, due_at: Some(at) },
        EventKind::StepCompleted { step: step(), element, attempt: 1, result: result(), bill },
        EventKind::StepFailed {
            step: step(),
            element,
            attempt: 1,
            error: error(),
            bill,
            decision: None,
            result: None,
        },
        EventKind::StepSkipped { step: step(), reason: "it is late".to_owned(), cause: SkipCause::When },
        EventKind::StepCancelled { step: step(), element, attempt: 1, bill },
        EventKind::StepParked { step: step(), element, attempt: 1, error: error(), bill },
        EventKind::SignalReceived {
            step: step(),
            element,
            name: "go".to_owned(),
            payload: result(),
            sent_by: alice(),
        },
        EventKind::ApprovalRecorded {
            step: step(),
            element,
            approved: true,
            approved_by: alice(),
            comment: None,
        },
        EventKind::CancelRequested { requested_by: alice(), reason: None },
        EventKind::ExecutionTimedOut,
        EventKind::ExecutionPaused { requested_by: alice(), reason: None },
        EventKind::ExecutionResumed { requested_by: alice() },
        EventKind::ExecutionParked,
        EventKind::ExecutionRestarted { requested_by: alice() },
        EventKind::CompensationStarted,
        EventKind::StepCompensated { step: step(), element, attempt: 1, result: result(), bill },
        EventKind::StepCompensationFailed {
            step: step(),
            element,
            attempt: 1,
            error: error(),
            bill,
            decision: None,
        },
        EventKind::ExecutionCompleted { output: result() },
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
                if in_status.contains(&status) && in_step.contains(&step) {
                    assert!(applied.is_ok(), "{pair}");
                    happened += 1;
                } else {
                    assert!(applied.is_err(), "{pair}");
                    assert_eq!(state_of(&execution), before, "{pair}");
                }
            }
        }
    }
    // Counted by hand from the list above, so that one that grew by mistake is seen.
    assert_eq!(happened, 254);
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
    let skipped = EventKind::StepSkipped {
        step: StepId::new("z").unwrap(),
        reason: String::new(),
        cause: SkipCause::Stopped,
    };
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
            Event { v: 3, ..event(1, completed()) },
            "event 1 has format 3; this host reads up to 2: run a newer host",
        ),
    ];
    for (status, event, message) in cases {
        assert_eq!(refuse(status, &event), message);
    }
}
