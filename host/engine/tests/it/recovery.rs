//! What a new engine makes of an old one's log.

use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_store::TenantScope;
use serde_json::json;

use crate::bench::{Bench, Script, requester, step};

#[tokio::test]
async fn an_attempt_that_was_lost_runs_again_and_results_stay() {
    let mut bench = Bench::new().await;
    bench.script("b", &[Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    while attempts.recv().await.unwrap().0 != "b" {}
    bench.restart().await;
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    assert_eq!(view.steps.iter().map(|step| step.attempts).collect::<Vec<_>>(), [1, 2, 1]);
    let completed = bench.lines(&id).await.iter().filter(|line| line.contains("step_completed")).count();
    assert_eq!(completed, 3, "one result a step");
}

#[tokio::test]
async fn a_retry_that_was_due_later_fires_after_the_restart() {
    let mut bench = Bench::new().await;
    bench.script("a", &[Script::Retryable("busy", Some(50))]);
    let id = bench.start(&json!({ "steps": [step("a")] })).await;
    let mut feed = bench.engine.follow(&bench.scope, &id, 2).await.unwrap().unwrap();
    feed.next().await.unwrap();
    bench.restart().await;
    let view = bench.end(&id).await;
    assert_eq!((view.status, view.steps[0].attempts), (ExecutionStatus::Succeeded, 2));
}

#[tokio::test]
async fn a_cancel_survives_the_restart() {
    let mut bench = Bench::new().await;
    bench.script("a", &[Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a"), step("b")] })).await;
    attempts.recv().await.unwrap();
    bench.engine.cancel(&bench.scope, &id, requester(), None).await.unwrap();
    bench.restart().await;
    let view = bench.end(&id).await;
    assert_eq!((view.status, view.steps[1].status), (ExecutionStatus::Cancelled, StepStatus::Skipped));
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_a_live_execution() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a")] })).await;
    attempts.recv().await.unwrap();
    let other = TenantScope::for_tests(quantum_core::id::TenantId::new("other").unwrap());
    assert!(bench.engine.view(&other, &id).await.unwrap().is_none());
    assert!(bench.engine.follow(&other, &id, 0).await.unwrap().is_none());
    assert!(bench.engine.cancel(&other, &id, requester(), None).await.is_err());
    bench.engine.shutdown().await;
}
