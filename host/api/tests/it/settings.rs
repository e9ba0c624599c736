//! Settings of the tenant over HTTP, and what a map of targets changes.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

const PATH: &str = "/api/v1/settings";

async fn change(world: &World, token: &str, method: &str, based: &str, body: Value) -> Answer {
    send(world.request(method, PATH).bearer_auth(token).header("If-Match", based).json(&body)).await
}

#[tokio::test]
async fn what_is_not_set_has_its_default_and_each_change_is_based_on_the_one_before() {
    let world = World::start().await;
    let token = world.admin(A);
    let defaults = world.get(&token, PATH).await.is(200);
    assert_eq!(defaults.header("etag"), "\"0\"");
    assert_eq!(defaults.json()["retention"], json!({ "executions_days": 30, "archive": false }));
    assert_eq!(defaults.json()["limits"]["executions_running_max"], Value::Null);
    assert_eq!(defaults.json()["recordings"], "requested");
    let put = change(&world, &token, "PUT", "\"0\"", json!({ "limits": { "weight": 5 } })).await.is(200);
    assert_eq!((put.header("etag"), &put.json()["limits"]["weight"]), ("\"1\"", &json!(5)));
    let late = change(&world, &token, "PUT", "\"0\"", json!({})).await;
    assert_eq!(late.problem(), (412, "revision-conflict".into()));
    let patch = json!({ "retention": { "executions_days": 90 }, "limits": { "weight": null } });
    let patched = change(&world, &token, "PATCH", "\"1\"", patch.clone()).await.is(200).json();
    assert_eq!(
        (&patched["retention"]["executions_days"], &patched["limits"]["weight"]),
        (&json!(90), &json!(1))
    );
    let late = change(&world, &token, "PATCH", "\"1\"", patch).await;
    assert_eq!(late.problem(), (412, "revision-conflict".into()));
    let unconditional = send(world.request("PUT", PATH).bearer_auth(&token).json(&json!({}))).await;
    assert_eq!(unconditional.problem(), (428, "if-match-required".into()));
    let shown = world.get(&token, PATH).await.is(200).json();
    let whole = change(&world, &token, "PUT", "*", shown.clone()).await.is(200);
    assert_eq!(whole.json(), shown, "what was read can be written back");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_nothing_changes() {
    let world = World::start().await;
    let token = world.admin(A);
    let wrong = json!({ "limits": { "weight": 0, "wait": 1 }, "targets": { "test": "production" } });
    let refused = change(&world, &token, "PUT", "*", wrong).await;
    assert_eq!(refused.problem(), (422, "invalid-settings".into()));
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let mut places: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/limits/wait", "/limits/weight", "/targets/test"]);
    assert!(errors.iter().all(|error| error["code"] == "tenant-settings"), "{errors:?}");
    assert_eq!(world.get(&token, PATH).await.header("etag"), "\"0\"");
}

#[tokio::test]
async fn only_administrators_change_settings_and_only_of_their_tenant() {
    let world = World::start().await;
    change(&world, &world.admin(B), "PUT", "*", json!({ "limits": { "weight": 77 } })).await.is(200);
    for role in [Role::Viewer, Role::Author, Role::Operator] {
        let token = world.token(&format!("{role}-1"), A, &[role]);
        assert!(!world.get(&token, PATH).await.is(200).text.contains("77"));
        for method in ["PUT", "PATCH"] {
            let refused = change(&world, &token, method, "*", json!({})).await;
            assert_eq!(refused.problem(), (403, "forbidden".into()), "{role} {method}");
        }
    }
}

#[tokio::test]
async fn a_mapped_target_has_its_class_in_documents_lists_plans_and_executions() {
    let world = World::start().await;
    let token = world.admin(A);
    let document = json!({ "name": "ship", "definition": {
        "target": "place-eu", "steps": [{ "action": "echo", "say": "there" }] } });
    let created = world.post(&token, "/api/v1/intents", &document).await.is(201).json();
    assert_eq!(created["environment"], "production", "what is not mapped is the strictest");
    // Stored before or after the change, and planned before it or not: the class is that of the map.
    for (targets, class) in [
        (json!({ "place-eu": "staging" }), "staging"),
        (json!({ "place-eu": "test", "elsewhere": "staging" }), "test"),
        (json!({ "place-eu": null }), "production"),
    ] {
        change(&world, &token, "PATCH", "*", json!({ "targets": targets })).await.is(200);
        let intent = world.get(&token, "/api/v1/intents/ship").await.is(200).json();
        let plan = world.post(&token, "/api/v1/intents/ship/plan", &json!({})).await.is(200).json();
        assert_eq!((&intent["environment"], &plan["environment"]), (&json!(class), &json!(class)));
        let execution = world.execute(&token, "ship").await;
        let execution = world.get(&token, &format!("/api/v1/executions/{execution}")).await.is(200).json();
        assert_eq!(execution["environment"], class);
        let found = world.get(&token, &format!("/api/v1/intents?environment={class}")).await.is(200).json();
        assert_eq!(found["items"][0]["name"], "ship");
    }
    let other = world.post(&world.admin(B), "/api/v1/intents", &document).await.is(201).json();
    assert_eq!(other["environment"], "production", "a map is of its tenant");
}
