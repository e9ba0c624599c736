//! One operation on many executions.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World};

async fn bulk(world: &World, token: &str, body: Value) -> Answer {
    let mut whole = json!({ "operation": "cancel", "filter": {} });
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    world.post(token, "/api/v1/executions/bulk", &whole).await
}

/// Starts executions that wait, and gives their ids, newest first.
async fn held(world: &World, token: &str, name: &str, count: usize) -> Vec<String> {
    world.intent(token, name, json!([{ "action": "hold" }])).await;
    let items = vec![json!({ "intent": name, "labels": { "of": name } }); count];
    let body = world.post(token, "/api/v1/executions/batch", &json!({ "items": items })).await.is(202).json();
    let ids = body["items"].as_array().unwrap().iter().rev();
    let mut ids: Vec<String> = ids.map(|item| item["execution_id"].as_str().unwrap().to_owned()).collect();
    ids.sort_by(|one, other| other.cmp(one));
    ids
}

async fn status(world: &World, token: &str, id: &str) -> (Value, Value) {
    let body = world.get(token, &format!("/api/v1/executions/{id}")).await.is(200).json();
    (body["status"].clone(), body["cancel_requested"].clone())
}

#[tokio::test]
async fn a_dry_run_counts_and_the_same_request_without_it_does_what_was_counted() {
    let world = World::start().await;
    let token = world.admin(A);
    let (mine, others) = (held(&world, &token, "mine", 5).await, held(&world, &token, "others", 2).await);
    let filter = json!({ "filter": { "intent": "mine" } });
    let mut dry = filter.clone();
    dry["dry_run"] = json!(true);
    let counted = bulk(&world, &token, dry).await.is(200).json();
    let expected = json!({
        "operation": "cancel", "dry_run": true, "matched": 5, "done": 5, "refused": 0, "refusals": {},
        "execution_ids": mine, "more": false, "next_page_token": null,
    });
    assert_eq!(counted, expected);
    assert_eq!(status(&world, &token, &mine[0]).await, (json!("running"), json!(false)));
    let mut real = filter.clone();
    real["reason"] = json!("wrong tag");
    let done = bulk(&world, &token, real).await.is(202).json();
    assert_eq!((&done["done"], &done["execution_ids"]), (&json!(5), &json!(mine)));
    for id in &mine {
        let events = world.get(&token, &format!("/api/v1/executions/{id}/events")).await.text;
        assert!(events.contains("wrong tag") && events.contains("event: execution_cancelled"), "{events}");
    }
    assert_eq!(status(&world, &token, &others[0]).await, (json!("running"), json!(false)));
    // Nothing is left that could be cancelled.
    assert_eq!(bulk(&world, &token, filter).await.is(202).json()["matched"], 0);
}

#[tokio::test]
async fn what_is_more_than_one_request_looks_at_is_left_for_the_next() {
    let world = World::start().await;
    let token = world.admin(A);
    let ids = held(&world, &token, "many", 5).await;
    let mut body = json!({ "limit": 2 });
    let mut seen = Vec::new();
    for _ in 0..3 {
        let part = bulk(&world, &token, body.clone()).await.is(202).json();
        seen.extend(part["execution_ids"].as_array().unwrap().clone());
        assert_eq!(part["more"], json!(part["next_page_token"].is_string()));
        body["page_token"] = part["next_page_token"].clone();
    }
    assert_eq!((json!(seen), &body["page_token"]), (json!(ids), &Value::Null));
    // A token holds for the filter that it was made for.
    held(&world, &token, "more", 3).await;
    let part = bulk(&world, &token, json!({ "limit": 1, "dry_run": true })).await.is(200).json();
    let other = json!({ "filter": { "intent": "more" }, "page_token": part["next_page_token"] });
    assert_eq!(bulk(&world, &token, other).await.problem(), (400, "invalid-page-token".into()));
}

#[tokio::test]
async fn conditions_narrow_what_is_changed() {
    let world = World::start().await;
    let token = world.admin(A);
    held(&world, &token, "early", 2).await;
    world.clock.advance(60_000);
    let between = world.clock_now().to_string();
    world.clock.advance(60_000);
    held(&world, &token, "late", 3).await;
    let count = async |filter: Value| {
        let body = json!({ "filter": filter, "dry_run": true });
        bulk(&world, &token, body).await.is(200).json()["matched"].clone()
    };
    assert_eq!(count(json!({})).await, 5);
    assert_eq!(count(json!({ "created_before": between })).await, 2);
    assert_eq!(count(json!({ "created_after": between })).await, 3);
    assert_eq!(count(json!({ "label": "of=late", "status": "running" })).await, 3);
    assert_eq!(count(json!({ "status": "succeeded" })).await, 0);
    assert_eq!(count(json!({ "intent": "absent" })).await, 0);
    for (filter, pointer) in [
        (json!({ "created_before": "yesterday" }), "/filter/created_before"),
        (json!({ "status": "done" }), "/filter/status"),
        (json!({ "label": "late" }), "/filter/label"),
        (json!({ "intnt": "late" }), "/filter/intnt"),
    ] {
        let refused = bulk(&world, &token, json!({ "filter": filter })).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()));
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    for (body, pointer) in [
        (json!({ "operation": "explode" }), "/operation"),
        (json!({ "limit": 0 }), "/limit"),
        (json!({ "limit": 10_001 }), "/limit"),
    ] {
        let refused = bulk(&world, &token, body).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()));
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn each_execution_is_authorized_by_itself() {
    let policy = "@id(\"test.no-cancel\") forbid (principal, action == Action::\"execution.cancel\", resource) \
                  when { resource.hasTag(\"of\") && resource.getTag(\"of\") == \"guarded\" };\n\
                  @id(\"test.hidden\") forbid (principal, action in [Action::\"execution.view\", \
                  Action::\"execution.cancel\"], resource) \
                  when { resource.hasTag(\"of\") && resource.getTag(\"of\") == \"hidden\" };";
    let world = World::with_policies(policy).await;
    let token = world.admin(A);
    let mut ids = Vec::new();
    for name in ["plain", "guarded", "hidden"] {
        ids.extend(held(&world, &token, name, 2).await);
    }
    for dry_run in [true, false] {
        let body = bulk(&world, &token, json!({ "dry_run": dry_run })).await.json();
        let counts = (&body["matched"], &body["done"], &body["refused"], &body["refusals"]);
        assert_eq!(counts, (&json!(4), &json!(2), &json!(2), &json!({ "forbidden": 2 })), "{dry_run}");
        assert_eq!(body["execution_ids"], json!(ids[..2]));
    }
    let viewer = world.token("vera", A, &[Role::Viewer]);
    let body = bulk(&world, &viewer, json!({ "filter": { "intent": "guarded" } })).await.is(202).json();
    assert_eq!((&body["done"], &body["refusals"]), (&json!(0), &json!({ "forbidden": 2 })));
    let foreign = bulk(&world, &world.admin(B), json!({})).await.is(202).json();
    assert_eq!(foreign["matched"], 0);
}
