//! Failures that are followed by another attempt, and those that are not.

use std::sync::Arc;

use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::ManualClock;
use serde_json::json;

use crate::bench::{Bench, Script, step};

#[tokio::test]
async fn a_retry_waits_for_its_time_and_keeps_the_idempotency_key() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
    let bench = Bench::with_clock(clock.clone()).await;
    bench.script("a", &[Script::Retryable("busy", Some(5_000))]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a")] })).await;
    let mut feed = bench.engine.follow(&bench.scope, &id, 2).await.unwrap().unwrap();
    assert!(feed.next().await.unwrap().is_some(), "step_retrying is durable");
    let retrying = &bench.view(&id).await.steps[0];
    assert_eq!(
        (retrying.status, retrying.due_at),
        (StepStatus::Retrying, Some(Timestamp::from_millis(1_005_000)))
    );
    assert_eq!(attempts.recv().await, Some(("a".to_owned(), 1)));
    clock.advance(4_999);
    assert!(attempts.try_recv().is_err(), "nothing runs before the time that the other side asked for");
    clock.advance(1);
    assert_eq!(attempts.recv().await, Some(("a".to_owned(), 2)));
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
    let keys = bench.runner.keys.lock().unwrap().clone();
    assert_eq!(keys, [format!("{id}/a/run"), format!("{id}/a/run")]);
}

#[tokio::test]
async fn attempts_are_bounded_and_the_last_error_is_the_executions() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::Retryable("busy", None), Script::Retryable("still-busy", None)]);
    let mut with_retry = step("a");
    with_retry["retry"] = json!({ "max_attempts": 2, "initial_interval": 0 });
    let view = bench.run(&json!({ "steps": [with_retry, step("b")] })).await;
    assert_eq!((view.status, view.error.unwrap().code.as_str()), (ExecutionStatus::Failed, "still-busy"));
    assert_eq!((view.steps[0].attempts, view.steps[1].status), (2, StepStatus::Skipped));
}

#[tokio::test]
async fn a_permanent_failure_is_final() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::Permanent("no-such-page")]);
    let view = bench.run(&json!({ "steps": [step("a")] })).await;
    assert_eq!((view.steps[0].attempts, view.error.unwrap().code.as_str()), (1, "no-such-page"));
}

#[tokio::test]
async fn a_trap_is_tried_again_only_where_the_action_is_idempotent() {
    let bench = Bench::new().await;
    for (action, attempts, status) in
        [("echo", 1, ExecutionStatus::Failed), ("echo-idempotent", 2, ExecutionStatus::Succeeded)]
    {
        bench.script("a", &[Script::Trap]);
        let step = json!({ "id": "a", "action": action, "retry": { "initial_interval": 0 } });
        let view = bench.run(&json!({ "steps": [step] })).await;
        assert_eq!((view.steps[0].attempts, view.status), (attempts, status), "{action}");
    }
}

#[tokio::test]
async fn a_panic_in_the_host_is_the_hosts_fault_and_the_step_goes_on() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::Panic]);
    let mut with_retry = step("a");
    with_retry["retry"] = json!({ "initial_interval": 0 });
    let view = bench.run(&json!({ "steps": [with_retry] })).await;
    assert_eq!((view.status, view.steps[0].attempts), (ExecutionStatus::Succeeded, 2));
    assert_eq!(view.steps[0].bill.cpu_us, 5 + 7, "the bill until the panic, and that of the second attempt");
}
