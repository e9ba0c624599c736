//! Cancel: running attempts are told, the rest never starts.

use quantum_core::machine::Refusal;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::CommandError;
use serde_json::json;

use crate::bench::{Bench, Script, requester, step};

async fn cancelled_while(script: Script) -> (Bench, quantum_core::id::ExecutionId) {
    let bench = Bench::new().await;
    bench.script("a", &[script]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a"), step("b")] })).await;
    attempts.recv().await.unwrap();
    bench.engine.cancel(&bench.scope, &id, requester(), Some("changed my mind".into())).await.unwrap();
    (bench, id)
}

#[tokio::test]
async fn an_attempt_that_polls_ends_by_itself() {
    let (bench, id) = cancelled_while(Script::UntilCancelled).await;
    let view = bench.end(&id).await;
    assert_eq!((view.status, view.steps[0].status), (ExecutionStatus::Cancelled, StepStatus::Cancelled));
    assert_eq!((view.steps[1].status, view.steps[1].attempts), (StepStatus::Skipped, 0));
}

#[tokio::test]
async fn an_attempt_that_does_not_notice_is_dropped() {
    let (bench, id) = cancelled_while(Script::Hang).await;
    let view = bench.end(&id).await;
    assert_eq!((view.status, view.steps[0].bill.cpu_us), (ExecutionStatus::Cancelled, 5));
    let log = bench.log(&id, 0).await;
    let asked = log.iter().find(|event| event["type"] == "cancel_requested").unwrap();
    assert_eq!(
        (asked["reason"].as_str(), asked["requested_by"]["id"].as_str()),
        (Some("changed my mind"), Some("ann"))
    );
}

#[tokio::test]
async fn a_cancel_of_what_has_ended_or_never_was_is_refused() {
    let bench = Bench::new().await;
    let id = bench.start(&json!({ "steps": [step("a")] })).await;
    bench.end(&id).await;
    let ended = bench.engine.cancel(&bench.scope, &id, requester(), None).await;
    assert!(matches!(ended, Err(CommandError::Refused(Refusal::AlreadyEnded))), "{ended:?}");
    let unknown = quantum_core::id::ExecutionId::from_uuid(uuid::Uuid::now_v7());
    let never = bench.engine.cancel(&bench.scope, &unknown, requester(), None).await;
    assert!(matches!(never, Err(CommandError::NotFound)), "{never:?}");
}
