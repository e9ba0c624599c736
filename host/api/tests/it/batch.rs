//! Many starts in one request: one answer each.

use std::collections::HashSet;

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

const PATH: &str = "/api/v1/executions/batch";

async fn batch(world: &World, token: &str, items: Value) -> Answer {
    world.post(token, PATH, &json!({ "items": items })).await
}

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["execution_id"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn count(world: &World, token: &str) -> usize {
    world.get(token, "/api/v1/executions?limit=200").await.json()["items"].as_array().unwrap().len()
}

/// An intent whose input has a number `n`.
async fn typed_intent(world: &World, token: &str, name: &str) {
    let input = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    let body = json!({ "name": name, "definition": { "input": input, "steps": [{ "action": "echo" }] } });
    world.post(token, "/api/v1/intents", &body).await.is(201);
}

#[tokio::test]
async fn starts_that_are_all_taken_are_answered_with_202_in_their_order() {
    let world = World::start().await;
    let token = world.admin(A);
    typed_intent(&world, &token, "one").await;
    typed_intent(&world, &token, "two").await;
    let names = ["one", "two-v1", "one"];
    let items = names.map(|name| json!({ "intent": name, "input": { "n": 1 }, "labels": { "of": name } }));
    let answer = batch(&world, &token, json!(items)).await.is(202);
    let body = answer.json();
    assert_eq!((&body["started"], &body["refused"]), (&json!(3), &json!(0)));
    for (id, name) in ids(&answer).iter().zip(names) {
        let execution = world.get(&token, &format!("/api/v1/executions/{id}")).await.is(200).json();
        let version = format!("{}-v1", name.trim_end_matches("-v1"));
        assert_eq!((&execution["intent"], &execution["labels"]), (&json!(version), &json!({ "of": name })));
        assert_eq!(execution["input"], json!({ "n": 1 }));
    }
}

#[tokio::test]
async fn a_start_that_is_refused_says_where_and_why_and_fails_no_other() {
    let world = World::start().await;
    let token = world.admin(A);
    typed_intent(&world, &token, "typed").await;
    let empty = json!({ "name": "empty", "definition": {} });
    world.post(&token, "/api/v1/intents", &empty).await.is(201);
    let unknown = json!([{ "action": "not-there" }]);
    world.intent(&token, "unplanned", unknown).await;
    let items = json!([
        { "intent": "typed", "input": { "n": 1 } },
        { "intent": "absent" },
        { "intent": "typed", "input": { "n": "x" } },
        { "intent": "typed", "inptu": {} },
        { "intent": "typed", "labels": { "": "x" } },
        { "intent": "empty" },
        { "intent": "typed", "idempotency_key": "two words" },
        { "intent": "unplanned" },
        "typed",
        { "intent": "typed" },
    ]);
    let answer = batch(&world, &token, items).await.is(207);
    let body = answer.json();
    assert_eq!((&body["started"], &body["refused"]), (&json!(2), &json!(8)));
    let told = |item: &Value| {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let problem = &item["problem"];
        format!("{} {} {}", item["status"], word(&problem["code"]), word(&problem["errors"][0]["pointer"]))
    };
    let told: Vec<String> = body["items"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        "202  ",
        "404 not-found ",
        "422 invalid-input /items/2/input/n",
        "422 invalid-body /items/3/inptu",
        "422 invalid-body /items/4/labels",
        "409 no-steps ",
        "400 idempotency-key-malformed ",
        "422 invalid-document /definition/steps/0/action",
        "422 invalid-body /items/8",
        "202  ",
    ];
    assert_eq!(told, expected);
    assert_eq!(body["items"][3]["problem"]["errors"][0]["hint"], "did you mean \"input\"?");
    for item in body["items"].as_array().unwrap().iter().filter(|item| item["status"] != 202) {
        assert_eq!(item["problem"]["request_id"], answer.header("x-request-id"));
    }
    assert_eq!(count(&world, &token).await, 2);
}

#[tokio::test]
async fn the_same_start_again_under_its_key_is_answered_as_before() {
    let world = World::start().await;
    let token = world.admin(A);
    typed_intent(&world, &token, "greet").await;
    let items = json!([
        { "intent": "greet", "idempotency_key": "k1" },
        { "intent": "greet", "idempotency_key": "k1" },
        { "intent": "greet", "input": { "n": 1 }, "idempotency_key": "k1" },
        { "intent": "greet", "idempotency_key": "k2" },
    ]);
    let first = batch(&world, &token, items.clone()).await.is(207);
    let of = ids(&first);
    assert!(of[0] == of[1] && of[0] != of[3] && of[2].is_empty(), "{of:?}");
    let item = |answer: &Answer, at: usize| answer.json()["items"][at].clone();
    assert_eq!(item(&first, 2)["problem"]["code"], "idempotency-mismatch");
    assert_eq!((&item(&first, 0)["replayed"], &item(&first, 1)["replayed"]), (&Value::Null, &json!(true)));
    // Also when the intent takes no executions any more.
    send(world.request("POST", "/api/v1/intents/greet/pause").bearer_auth(&token)).await.is(200);
    let again = batch(&world, &token, items).await.is(207);
    assert_eq!(ids(&again), of);
    assert_eq!(item(&again, 3)["replayed"], json!(true));
    let new = batch(&world, &token, json!([{ "intent": "greet", "idempotency_key": "k3" }])).await.is(207);
    assert_eq!(item(&new, 0)["problem"]["code"], "intent-paused");
    assert_eq!(count(&world, &token).await, 2);
}

#[tokio::test]
async fn each_intent_is_authorized_by_itself() {
    let world = World::start().await;
    let admin = world.admin(A);
    typed_intent(&world, &admin, "theirs").await;
    let author = world.token("arthur", A, &[Role::Author]);
    typed_intent(&world, &author, "mine").await;
    let items = json!([{ "intent": "mine" }, { "intent": "theirs" }, { "intent": "mine" }]);
    let body = batch(&world, &author, items.clone()).await.is(207).json();
    let codes: Vec<_> = body["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(codes, [202, 403, 202]);
    assert_eq!(body["items"][1]["problem"]["code"], "forbidden");
    assert!(body["items"][1]["problem"]["decision_id"].is_string());
    // A key opens nothing for who may not execute the intent.
    let keyed = json!([{ "intent": "theirs", "idempotency_key": "k" }]);
    batch(&world, &admin, keyed.clone()).await.is(202);
    assert_eq!(batch(&world, &author, keyed).await.json()["items"][0]["status"], 403);
    // Nobody learns of another tenant's intents.
    let foreign = batch(&world, &world.admin(B), items).await.is(207).json();
    let told: HashSet<String> = foreign["items"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!((told.len(), &foreign["items"][0]["problem"]["code"]), (1, &json!("not-found")));
}

#[tokio::test]
async fn a_batch_has_one_to_a_thousand_starts_in_one_mebibyte() {
    let world = World::start().await;
    let token = world.admin(A);
    typed_intent(&world, &token, "greet").await;
    let many = |count: usize| json!(vec![json!({ "intent": "greet" }); count]);
    for count in [0, 1_001] {
        let refused = batch(&world, &token, many(count)).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()), "{count}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/items");
    }
    let unknown =
        world.post(&token, PATH, &json!({ "items": [{ "intent": "greet" }], "dry_run": true })).await;
    assert_eq!(unknown.problem(), (422, "invalid-body".into()));
    let large = json!([{ "intent": "greet", "input": "x".repeat(1024 * 1024) }]);
    assert_eq!(batch(&world, &token, large).await.problem(), (413, "body-too-large".into()));
    let all = batch(&world, &token, many(1_000)).await.is(202).json();
    assert_eq!(all["started"], 1_000);
}
