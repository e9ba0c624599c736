//! The same key, the same answer, one effect.

use std::collections::HashSet;

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

async fn execute(world: &World, token: &str, key: &str, body: &Value) -> Answer {
    let request = world.request("POST", "/api/v1/intents/greet/execute").bearer_auth(token);
    send(request.header("Idempotency-Key", key).json(body)).await
}

async fn executions(world: &World, token: &str) -> usize {
    world.get(token, "/api/v1/executions").await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_gets_the_stored_answer_and_another_one_is_refused() {
    let world = World::start().await;
    let token = world.admin(A);
    world.intent(&token, "greet", json!([{ "action": "echo" }])).await;
    let first = execute(&world, &token, "k1", &json!({})).await.is(202);
    let again = execute(&world, &token, "k1", &json!({})).await.is(202);
    assert_eq!(
        (first.text.as_str(), first.header("location")),
        (again.text.as_str(), again.header("location"))
    );
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let other = execute(&world, &token, "k1", &json!({ "input": { "n": 1 } })).await;
    assert_eq!(other.problem(), (422, "idempotency-mismatch".into()));
    assert_ne!(execute(&world, &token, "k2", &json!({})).await.is(202).text, first.text);
    assert_eq!(executions(&world, &token).await, 2);
    let malformed = execute(&world, &token, &"k".repeat(256), &json!({})).await;
    assert_eq!(malformed.problem(), (400, "idempotency-key-malformed".into()));
}

#[tokio::test]
async fn twenty_at_once_under_one_key_start_one_execution() {
    let world = World::start().await;
    let token = world.admin(A);
    world.intent(&token, "greet", json!([{ "action": "echo" }])).await;
    let nothing = json!({});
    let answers = futures::future::join_all((0..20).map(|_| execute(&world, &token, "once", &nothing))).await;
    let texts: HashSet<String> = answers.into_iter().map(|answer| answer.is(202).text).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(executions(&world, &token).await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_caller_in_one_tenant() {
    let world = World::start().await;
    let mut starts = HashSet::new();
    for (user, tenant) in [("ann", A), ("ben", A), ("ann", B)] {
        let token = world.token(user, tenant, &[Role::Admin]);
        world
            .post(
                &token,
                "/api/v1/intents",
                &json!({ "name": "greet", "definition": { "steps": [{ "action": "echo" }] } }),
            )
            .await;
        starts.insert(execute(&world, &token, "k", &json!({})).await.is(202).text);
    }
    assert_eq!(starts.len(), 3);
}

#[tokio::test]
async fn an_answer_is_given_again_only_to_who_may_still_ask() {
    let world = World::start().await;
    let token = world.token("olga", A, &[Role::Author, Role::Operator]);
    world.intent(&token, "greet", json!([{ "action": "echo" }])).await;
    execute(&world, &token, "k", &json!({})).await.is(202);
    let pause = world.request("POST", "/api/v1/intents/greet/pause").bearer_auth(&token);
    send(pause).await.is(200);
    execute(&world, &token, "k", &json!({})).await.is(202);
    world.add_member(A, "olga", &[Role::Viewer], true).await;
    world.clock.advance(1_000);
    // Owners keep control of what they own; somebody who does not own it may not.
    execute(&world, &token, "k", &json!({})).await.is(202);
    world.add_member(A, "olga", &[], false).await;
    world.clock.advance(1_000);
    assert_eq!(execute(&world, &token, "k", &json!({})).await.problem(), (401, "principal-unknown".into()));
}

#[tokio::test]
async fn a_created_intent_is_answered_again_byte_for_byte() {
    let world = World::start().await;
    let token = world.admin(A);
    let body = json!({
        "name": "greet", "description": "says it", "labels": { "team": "web" },
        "definition": { "target": "staging", "steps": [{ "action": "echo" }, { "action": "not-there" }] }
    });
    for (query, key) in [("", "k1"), ("?draft=true", "k2")] {
        let mut body = body.clone();
        body["name"] = json!(format!("greet-{key}"));
        let create = async || {
            let request = world.request("POST", &format!("/api/v1/intents{query}")).bearer_auth(&token);
            send(request.header("Idempotency-Key", key).json(&body)).await.is(201)
        };
        let (first, again) = (create().await, create().await);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(first.text, again.text);
        for header in ["etag", "location"] {
            assert_eq!(first.header(header), again.header(header));
        }
    }
}
