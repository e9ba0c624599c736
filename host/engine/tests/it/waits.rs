//! Steps that wait: for a time, for a signal, for people. None of them is kept in memory meanwhile.

use std::sync::Arc;

use quantum_core::machine::{Command, Refusal};
use quantum_core::port::{PrincipalKind, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::{CommandError, ManualClock};
use serde_json::{Value, json};

use crate::bench::{Bench, requester, step, step_id};

fn person(name: &str) -> Requester {
    Requester { id: quantum_core::id::PrincipalId::new(name).unwrap(), kind: PrincipalKind::User }
}

fn signal(name: &str, payload: Value) -> Command {
    Command::Signal { name: name.to_owned(), payload, sent_by: person("bob") }
}

fn approve(name: &str) -> Command {
    let approved_by = person(name);
    Command::Approve { step: None, element: None, approved: true, approved_by, comment: None }
}

#[tokio::test]
async fn a_wait_of_a_day_is_a_row_and_a_timer_and_ends_with_its_time() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000)));
    let bench = Bench::with_clock(clock.clone()).await;
    let wait = json!({ "id": "wait", "action": "core/wait", "duration": "24h" });
    let id = bench.start(&json!({ "steps": [wait, step("after")] })).await;
    assert_eq!(bench.engine.in_memory(), 0, "it waits in its row");
    let view = bench.view(&id).await;
    assert_eq!(view.steps[0].status, StepStatus::Waiting);
    assert_eq!(view.steps[0].due_at, Some(Timestamp::from_millis(86_401_000)));
    clock.advance(86_399_999);
    assert_eq!(bench.view(&id).await.steps[0].status, StepStatus::Waiting);
    clock.advance(1);
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    let completed = "3 step_completed wait";
    assert!(bench.lines(&id).await.iter().any(|line| line == completed));
}

#[tokio::test]
async fn a_wait_goes_on_over_a_restart_and_fires_late_when_the_host_was_down() {
    let mut bench = Bench::new().await;
    let wait = json!({ "id": "wait", "action": "core/wait", "duration": "20ms" });
    let id = bench.start(&json!({ "steps": [wait, step("after")] })).await;
    bench.restart().await;
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_signal_reaches_a_step_that_waits_after_a_restart_too() {
    let mut bench = Bench::new().await;
    let wait = json!({ "id": "go", "action": "core/signal", "schema": { "type": "object" } });
    let after = json!({ "id": "after", "action": "echo", "got": "${ steps.go.output.n }" });
    let id = bench.start(&json!({ "steps": [wait, after] })).await;
    bench.restart().await;
    let other = bench.engine.operate(&bench.scope, &id, signal("stop", json!({}))).await.unwrap_err();
    let expected = "no step waits for the signal \"stop\"; it waits: step \"go\" for the signal \"go\"";
    assert_eq!(other.to_string(), expected);
    let invalid = bench.engine.operate(&bench.scope, &id, signal("go", json!(1))).await.unwrap_err();
    assert!(matches!(invalid, CommandError::Refused(Refusal::SignalInvalid { .. })), "{invalid}");
    bench.engine.operate(&bench.scope, &id, signal("go", json!({ "n": 7 }))).await.unwrap();
    let view = bench.end(&id).await;
    assert_eq!(view.steps[1].output.as_deref(), Some(&json!({ "got": 7 })));
    let late = bench.engine.operate(&bench.scope, &id, signal("go", json!({}))).await.unwrap_err();
    assert!(matches!(late, CommandError::Refused(Refusal::AlreadyEnded)), "{late}");
}

#[tokio::test]
async fn approvals_are_given_by_others_and_counted_once_each() {
    let bench = Bench::new().await;
    let ask = json!({ "id": "ask", "action": "core/approve", "approvals": 2 });
    let id = bench.start(&json!({ "steps": [ask] })).await;
    let asked = |command| bench.engine.operate(&bench.scope, &id, command);
    let own = asked(approve(requester().id.as_str())).await.unwrap_err();
    assert!(matches!(own, CommandError::Refused(Refusal::ApprovalByRequester)), "{own}");
    asked(approve("bob")).await.unwrap();
    let twice = asked(approve("bob")).await.unwrap_err();
    assert!(matches!(twice, CommandError::Refused(Refusal::ApprovalTwice(_))), "{twice}");
    asked(approve("carol")).await.unwrap();
    let view = bench.end(&id).await;
    assert_eq!(view.steps[0].output.as_deref(), Some(&json!({ "approved_by": ["bob", "carol"] })));
}

#[tokio::test]
async fn of_two_signals_at_the_same_moment_one_is_taken() {
    let bench = Bench::new().await;
    let id = bench.start(&json!({ "steps": [{ "id": "go", "action": "core/signal" }] })).await;
    let send = |n: u64| bench.engine.operate(&bench.scope, &id, signal("go", json!(n)));
    let (first, second) = tokio::join!(send(1), send(2));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let view = bench.end(&id).await;
    assert_eq!(view.steps[0].id, step_id("go"));
    let received = bench.lines(&id).await.iter().filter(|line| line.contains("signal_received")).count();
    assert_eq!(received, 1);
}
