//! What does not run, and how it says so.

use quantum_core::id::PrincipalId;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::{Clock, StartError, SystemClock};
use quantum_store::{IdempotencyKey, IdempotencyRecord};
use serde_json::json;

use crate::bench::{Bench, Script, step};

#[tokio::test]
async fn a_step_that_the_policies_refuse_fails_without_an_attempt() {
    let bench = Bench::new().await;
    bench.gate.refused.lock().unwrap().push("b".to_owned());
    let view = bench.run(&json!({ "steps": [step("a"), step("b")] })).await;
    let error = view.error.unwrap();
    assert_eq!(error.code, "step-denied");
    assert_eq!(error.message, "the policies refuse to start step \"b\": The test refuses this step.");
    assert_eq!((view.steps[1].attempts, view.steps[1].status), (0, StepStatus::Failed));
    assert!(view.steps[1].decision_id.is_some(), "the refusing decision is in the log");
}

#[tokio::test]
async fn a_result_that_does_not_fit_the_schema_fails_the_step() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::Result(json!({ "wrong": 1 }))]);
    let view = bench.run(&json!({ "steps": [step("a")] })).await;
    let error = view.error.unwrap();
    assert_eq!(error.code, "invalid-output");
    assert!(
        error.message.starts_with("the result does not fit the schema of the action \"echo\": at /wrong:"),
        "{error}"
    );
}

#[tokio::test]
async fn parameters_are_held_against_the_schema_again_once_they_are_known() {
    let bench = Bench::new().await;
    let definition =
        json!({ "steps": [{ "id": "a", "action": "echo", "parameters": { "wrong": "${ input }" } }] });
    let view = bench.run(&definition).await;
    assert_eq!(view.error.unwrap().code, "invalid-parameters");
}

#[tokio::test]
async fn an_expression_that_gives_nothing_fails_the_step_and_names_the_place() {
    let bench = Bench::new().await;
    let view = bench.run(&json!({ "steps": [{ "id": "a", "action": "echo", "x": "${ input.tag }" }] })).await;
    let error = view.error.unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("expression-failed", "${ input.tag }: input has no \"tag\"")
    );
}

#[tokio::test]
async fn a_plugin_that_was_uninstalled_meanwhile_is_named() {
    let bench = Bench::new().await;
    let request = bench.request(&json!({ "steps": [step("a")] }), json!({}));
    bench.actions.uninstall();
    let id = bench.engine.start(request).await.unwrap().id;
    let error = bench.end(&id).await.error.unwrap();
    assert_eq!(error.code, "plugin-unavailable");
    assert!(error.message.contains("\"test:echo\" 1.0.0"), "{error}");
}

#[tokio::test]
async fn an_input_that_does_not_fit_starts_nothing() {
    let bench = Bench::new().await;
    let definition = json!({ "input": { "required": ["tag"] }, "steps": [step("a")] });
    let request = bench.request(&definition, json!({}));
    let (id, refused) = (request.id, bench.engine.start(request).await);
    let Err(StartError::Input(findings)) = refused else { panic!("{refused:?}") };
    assert_eq!(findings.iter().map(|f: &Finding| f.pointer.as_str()).collect::<Vec<_>>(), ["/input"]);
    assert!(bench.engine.view(&bench.scope, &id).await.unwrap().is_none());
}

#[tokio::test]
async fn an_idempotency_key_starts_one_execution() {
    let bench = Bench::new().await;
    let key = IdempotencyKey {
        principal: PrincipalId::new("ann").unwrap(),
        route: "execute".into(),
        key: "k".into(),
    };
    let record = |answer: &str| IdempotencyRecord {
        key: key.clone(),
        fingerprint: "f".into(),
        response: answer.into(),
        // Old ones are purged as the engine starts.
        at: SystemClock.now(),
    };
    let definition = json!({ "steps": [step("a")] });
    let first = bench.start_with(&definition, record("first")).await;
    let second = bench.start_with(&definition, record("second")).await;
    let second_id = second.id;
    bench.engine.start(first).await.unwrap();
    let Err(StartError::IdempotencyTaken(stored)) = bench.engine.start(second).await else { panic!("taken") };
    assert_eq!(stored.response, "first");
    assert!(bench.engine.view(&bench.scope, &second_id).await.unwrap().is_none());
}

#[tokio::test]
async fn nothing_starts_while_the_host_stops() {
    let bench = Bench::new().await;
    bench.engine.shutdown().await;
    let refused = bench.engine.start(bench.request(&json!({ "steps": [step("a")] }), json!({}))).await;
    assert!(matches!(refused, Err(StartError::Unavailable { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_ended_execution_shows_the_same_from_memory_and_from_the_store() {
    let bench = Bench::new().await;
    let id = bench.start(&json!({ "steps": [step("a")], "output": "${ steps.a.output }" })).await;
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    assert_eq!(bench.view(&id).await, view);
}
