//! What people tell executions under way: signals, approvals, pause, restart, replay; and why one does not move.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, World};

async fn tell(world: &World, token: &str, execution: &str, what: &str, body: Value) -> Answer {
    world.post(token, &format!("/api/v1/executions/{execution}/{what}"), &body).await
}

async fn shown(world: &World, token: &str, execution: &str) -> Value {
    world.get(token, &format!("/api/v1/executions/{execution}")).await.is(200).json()
}

#[tokio::test]
async fn a_signal_is_taken_by_the_step_that_waits_for_it_and_by_no_other() {
    let world = World::start().await;
    let token = world.admin(A);
    let schema = json!({ "type": "object", "required": ["n"] });
    let steps = json!([{ "id": "go", "action": "core/signal", "timeout": "1h", "schema": schema }]);
    let id = world.intent(&token, "waits", steps).await;
    let execution = world.execute(&token, &id).await;
    let waiting = shown(&world, &token, &execution).await;
    assert_eq!(waiting["status"], "waiting");
    let blocker = &waiting["waits_for"][0];
    assert_eq!((&blocker["waits_for"], &blocker["name"]), (&json!("signal"), &json!("go")));
    assert!(blocker["until"].is_string(), "{blocker}");
    let other = tell(&world, &token, &execution, "signals/stop", json!({})).await;
    assert_eq!(other.problem(), (409, "signal-not-expected".into()));
    let detail = other.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.ends_with("it waits: step \"go\" for the signal \"go\""), "{detail}");
    let wrong = tell(&world, &token, &execution, "signals/go", json!({})).await;
    assert_eq!(wrong.problem(), (422, "signal-invalid".into()));
    assert_eq!(wrong.json()["errors"][0]["message"], "\"n\" is a required property");
    let done = tell(&world, &token, &execution, "signals/go", json!({ "n": 1 })).await.is(200).json();
    assert_eq!((&done["status"], &done["steps"][0]["output"]), (&json!("succeeded"), &json!({ "n": 1 })));
    let late = tell(&world, &token, &execution, "signals/go", json!({ "n": 1 })).await;
    assert_eq!(late.problem(), (409, "execution-ended".into()));
}

#[tokio::test]
async fn an_approval_is_given_by_somebody_else_and_once() {
    let world = World::start().await;
    let token = world.admin(A);
    world.add_member(A, "bob", &[Role::Operator], true).await;
    let bob = world.token("bob", A, &[Role::Operator]);
    let viewer = world.token("vera", A, &[Role::Viewer]);
    let steps = json!([{ "id": "ask", "action": "core/approve", "approvals": 2, "message": "Ship it?" }]);
    let id = world.intent(&token, "asks", steps).await;
    let execution = world.execute(&token, &id).await;
    let own = tell(&world, &token, &execution, "approve", json!({})).await;
    assert_eq!(own.problem(), (403, "forbidden".into()));
    assert!(own.text.contains("your own request"), "{}", own.text);
    let forbidden = tell(&world, &viewer, &execution, "approve", json!({})).await;
    assert_eq!(forbidden.problem(), (403, "forbidden".into()));
    let first = tell(&world, &bob, &execution, "approve", json!({ "comment": "fine" })).await.is(200).json();
    assert_eq!((&first["waits_for"][0]["given"], &first["waits_for"][0]["needed"]), (&json!(1), &json!(2)));
    let twice = tell(&world, &bob, &execution, "approve", json!({})).await;
    assert_eq!(twice.problem(), (409, "approval-twice".into()));
    let step = tell(&world, &bob, &execution, "approve", json!({ "step": "other" })).await;
    assert_eq!(step.problem(), (409, "approval-not-expected".into()));
}

#[tokio::test]
async fn an_execution_is_paused_and_goes_on() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "held", json!([{ "action": "hold" }, { "action": "echo" }])).await;
    let execution = world.execute(&token, &id).await;
    let paused = tell(&world, &token, &execution, "pause", json!({ "reason": "lunch" })).await.is(200).json();
    assert_eq!(
        (&paused["status"], &paused["waits_for"][0]["waits_for"]),
        (&json!("paused"), &json!("resume"))
    );
    let again = tell(&world, &token, &execution, "pause", json!({})).await;
    assert_eq!(again.problem(), (409, "execution-not-running".into()));
    tell(&world, &token, &execution, "resume", json!({})).await.is(200);
    let running = tell(&world, &token, &execution, "resume", json!({})).await;
    assert_eq!(running.problem(), (409, "execution-not-paused".into()));
    world.gate.add_permits(1);
    world.get(&token, &format!("/api/v1/executions/{execution}/events")).await.is(200);
    assert_eq!(shown(&world, &token, &execution).await["status"], "succeeded");
}

#[tokio::test]
async fn what_failed_is_restarted_or_replayed_from_any_step() {
    let world = World::start().await;
    let token = world.admin(A);
    let steps = json!([{ "id": "a", "action": "echo" }, { "id": "b", "action": "fail" }]);
    let id = world.intent(&token, "fails", steps).await;
    let path = format!("/api/v1/intents/{id}/execute?wait=30s");
    let failed = world.post(&token, &path, &json!({})).await.is(200).json();
    let execution = failed["execution_id"].as_str().unwrap();
    let restarted = tell(&world, &token, execution, "restart", json!({})).await.is(202).json();
    assert!(restarted["last_seq"].as_u64().unwrap() > failed["last_seq"].as_u64().unwrap());
    world.get(&token, &format!("/api/v1/executions/{execution}/events")).await.is(200);
    let replayed =
        tell(&world, &token, execution, "replay", json!({ "from_step": "b" })).await.is(202).json();
    let new = replayed["execution_id"].as_str().unwrap();
    let events = world.get(&token, &format!("/api/v1/executions/{new}/events")).await.is(200).text;
    assert!(events.contains("event: step_reused") && events.contains("event: execution_failed"), "{events}");
    let origin = &shown(&world, &token, new).await["origin"];
    assert_eq!((&origin["kind"], &origin["from"]), (&json!("replay"), &json!("b")));
    let unknown = tell(&world, &token, execution, "replay", json!({ "from_step": "z" })).await;
    assert_eq!(unknown.problem(), (409, "not-replayable".into()));
    let step = world.get(&token, &format!("/api/v1/executions/{new}/steps/b")).await.is(200).json();
    assert_eq!((&step["status"], &step["element_states"]), (&json!("failed"), &json!([])));
}

#[tokio::test]
async fn a_dry_run_does_nothing_that_has_effects() {
    let world = World::start().await;
    let token = world.admin(A);
    let steps = json!([{ "action": "echo" }, { "action": "core/approve" }]);
    let id = world.intent(&token, "careful", steps).await;
    let path = format!("/api/v1/intents/{id}/execute?wait=30s");
    let done = world.post(&token, &path, &json!({ "dry_run": true })).await.is(200).json();
    assert_eq!((&done["status"], &done["dry_run"]), (&json!("succeeded"), &json!(true)));
    let statuses = (&done["steps"][0]["status"], &done["steps"][1]["status"]);
    assert_eq!(statuses, (&json!("succeeded"), &json!("skipped")), "echo has no effects");
}

#[tokio::test]
async fn a_limit_holds_a_start_back_or_refuses_it() {
    let world = World::start().await;
    let token = world.admin(A);
    for (name, on_limit) in [("queues", "queue"), ("rejects", "reject")] {
        let definition = json!({
            "concurrency": { "limit": 1, "on_limit": on_limit }, "steps": [{ "id": "go", "action": "core/signal" }]
        });
        let body = json!({ "name": name, "definition": definition });
        world.post(&token, "/api/v1/intents", &body).await.is(201);
        world.execute(&token, name).await;
    }
    let second = world.execute(&token, "queues").await;
    let queued = shown(&world, &token, &second).await;
    assert_eq!(
        (&queued["status"], &queued["waits_for"][0]["waits_for"]),
        (&json!("queued"), &json!("limit"))
    );
    let refused = world.post(&token, "/api/v1/intents/rejects/execute", &json!({})).await;
    assert_eq!(refused.problem(), (409, "concurrency-limit".into()));
}
