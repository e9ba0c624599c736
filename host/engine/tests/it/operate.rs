//! Pause, resume, restart, replay; places under a limit.

use quantum_core::id::ExecutionId;
use quantum_core::machine::Command;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::{ReplayRequest, StartError, StartRequest};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bench::{Bench, Script, requester, step, step_id};

fn pause() -> Command {
    Command::Pause { requested_by: requester(), reason: None }
}

fn replay(bench: &Bench, of: ExecutionId, from: &str) -> ReplayRequest {
    ReplayRequest {
        scope: bench.scope.clone(),
        id: ExecutionId::from_uuid(Uuid::now_v7()),
        of,
        from: Some(step_id(from)),
        plan: None,
        input: None,
        requested_by: requester(),
        idempotency: None,
    }
}

#[tokio::test]
async fn a_paused_execution_goes_on_after_a_restart_and_a_resume() {
    let mut bench = Bench::new().await;
    let id = bench.start(&json!({ "steps": [{ "id": "go", "action": "core/signal" }, step("b")] })).await;
    bench.engine.operate(&bench.scope, &id, pause()).await.unwrap();
    let signal = Command::Signal { name: "go".to_owned(), payload: json!(1), sent_by: requester() };
    bench.engine.operate(&bench.scope, &id, signal).await.unwrap();
    bench.restart().await;
    let view = bench.view(&id).await;
    assert_eq!((view.status, view.steps[1].status), (ExecutionStatus::Paused, StepStatus::Pending));
    let resume = Command::Resume { requested_by: requester() };
    bench.engine.operate(&bench.scope, &id, resume).await.unwrap();
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_restart_runs_what_failed_and_keeps_what_completed() {
    let bench = Bench::new().await;
    bench.script("b", &[Script::Permanent("broken")]);
    let id = bench.start(&json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Failed);
    bench.engine.restart(&bench.scope, &id, requester()).await.unwrap();
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    assert_eq!(view.steps.iter().map(|step| step.attempts).collect::<Vec<_>>(), [1, 2, 1]);
    let again = bench.engine.restart(&bench.scope, &id, requester()).await.unwrap_err();
    assert!(again.to_string().contains("the execution is succeeded"), "{again}");
    let seq: Vec<u64> = bench.log(&id, 0).await.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seq, (1..=seq.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_replay_is_a_new_execution_with_the_results_before_its_first_step() {
    let bench = Bench::new().await;
    let last = json!({ "id": "c", "action": "echo", "a": "${ steps.a.output.said }" });
    let id = bench.start(&json!({ "steps": [step("a"), step("b"), last] })).await;
    bench.end(&id).await;
    bench.runner.keys.lock().unwrap().clear();
    let new = bench.engine.replay(replay(&bench, id, "b")).await.unwrap().id;
    let view = bench.end(&new).await;
    assert_eq!(view.steps[2].output.as_deref(), Some(&json!({ "a": "a" })));
    assert_eq!(bench.runner.keys.lock().unwrap().len(), 2, "the first step does not run again");
    assert!(bench.lines(&new).await.contains(&"2 step_reused a".to_owned()));
    let unknown = bench.engine.replay(replay(&bench, id, "z")).await.unwrap_err();
    assert!(unknown.to_string().contains("steps are a, b, c"), "{unknown}");
    bench.actions.uninstall();
    let gone = bench.engine.replay(replay(&bench, id, "b")).await.unwrap_err();
    assert!(gone.to_string().contains("is not installed any more"), "{gone}");
}

fn limited(on_limit: &str) -> Value {
    json!({
        "concurrency": { "key": "input.tenant", "limit": 1, "on_limit": on_limit },
        "steps": [{ "id": "go", "action": "core/signal" }]
    })
}

async fn go(bench: &Bench, id: &ExecutionId) {
    let signal = Command::Signal { name: "go".to_owned(), payload: Value::Null, sent_by: requester() };
    bench.engine.operate(&bench.scope, id, signal).await.unwrap();
}

#[tokio::test]
async fn a_start_over_the_limit_of_its_key_waits_for_its_turn_also_over_a_restart() {
    let mut bench = Bench::new().await;
    let request = bench.request(&limited("queue"), json!({ "tenant": "x" }));
    let again =
        |input: Value| StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), input, ..request.clone() };
    let first = bench.engine.start(again(json!({ "tenant": "x" }))).await.unwrap().id;
    let second = bench.engine.start(again(json!({ "tenant": "x" }))).await.unwrap().id;
    let other = bench.engine.start(again(json!({ "tenant": "y" }))).await.unwrap().id;
    assert_eq!(bench.view(&second).await.status, ExecutionStatus::Queued);
    assert_eq!(bench.view(&other).await.status, ExecutionStatus::Running);
    bench.restart().await;
    go(&bench, &first).await;
    bench.end(&first).await;
    let mut feed = bench.engine.follow(&bench.scope, &second, 1).await.unwrap().unwrap();
    feed.next().await.unwrap();
    go(&bench, &second).await;
    assert_eq!(bench.end(&second).await.status, ExecutionStatus::Succeeded);
    assert_eq!(bench.lines(&second).await[..2], ["1 execution_queued", "2 execution_started"]);
}

#[tokio::test]
async fn of_many_starts_at_once_only_as_many_run_as_may() {
    let bench = Bench::new().await;
    let request = bench.request(&limited("queue"), json!({ "tenant": "x" }));
    let starts =
        (0..20).map(|_| StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), ..request.clone() });
    let started = futures::future::join_all(starts.map(|request| bench.engine.start(request))).await;
    let mut running = 0;
    for started in started {
        running += usize::from(bench.view(&started.unwrap().id).await.status == ExecutionStatus::Running);
    }
    assert_eq!(running, 1);
}

#[tokio::test]
async fn a_limit_may_refuse() {
    let bench = Bench::new().await;
    let request = bench.request(&limited("reject"), json!({ "tenant": "x" }));
    let again = |request: &StartRequest| StartRequest {
        id: ExecutionId::from_uuid(Uuid::now_v7()),
        ..request.clone()
    };
    bench.engine.start(again(&request)).await.unwrap();
    let refused = bench.engine.start(again(&request)).await.unwrap_err();
    assert!(matches!(refused, StartError::Limit { .. }), "{refused}");
    assert_eq!(refused.to_string(), "1 executions of the intent with the key \"x\" run, 1 may");
}

/// Round after round: who comes while the place gets free meets whoever waits for it, or the one before that, or nobody.
#[tokio::test]
async fn the_newest_start_replaces_those_that_run_and_those_that_wait() {
    let bench = Bench::new().await;
    let intent = bench.request(&limited("replace"), Value::Null);
    for round in 0..20 {
        let start = || {
            let (id, input) =
                (ExecutionId::from_uuid(Uuid::now_v7()), json!({ "tenant": round.to_string() }));
            bench.engine.start(StartRequest { id, input, ..intent.clone() })
        };
        let first = start().await.unwrap().id;
        let second = start().await.unwrap().id;
        assert_eq!(bench.end(&first).await.status, ExecutionStatus::Cancelled);
        runs(&bench, &second).await;
        let third = start().await.unwrap().id;
        let fourth = start().await.unwrap().id;
        for replaced in [second, third] {
            assert_eq!(bench.end(&replaced).await.status, ExecutionStatus::Cancelled, "the newest wins");
        }
        runs(&bench, &fourth).await;
    }
}

/// What was queued has been started.
async fn runs(bench: &Bench, id: &ExecutionId) {
    let mut feed = bench.engine.follow(&bench.scope, id, 1).await.unwrap().unwrap();
    feed.next().await.unwrap();
    assert_eq!(bench.view(id).await.status, ExecutionStatus::Running);
}

#[tokio::test]
async fn a_restart_takes_a_place_again_or_waits_for_somebody_to_try_later() {
    let bench = Bench::new().await;
    let mut definition = limited("queue");
    definition["steps"] = json!([step("a"), { "id": "go", "action": "core/signal" }]);
    bench.script("a", &[Script::Permanent("broken")]);
    let request = bench.request(&definition, json!({ "tenant": "x" }));
    let first = bench.engine.start(request.clone()).await.unwrap().id;
    bench.end(&first).await;
    let id = ExecutionId::from_uuid(Uuid::now_v7());
    bench.engine.start(StartRequest { id, ..request }).await.unwrap();
    let refused = bench.engine.restart(&bench.scope, &first, requester()).await.unwrap_err();
    assert_eq!(refused.to_string(), "1 executions of the intent with the key \"x\" run, 1 may");
}
