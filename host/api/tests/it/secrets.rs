//! Secrets over HTTP: in they go, and never out.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

async fn put(world: &World, token: &str, name: &str, body: Value) -> Answer {
    send(world.request("PUT", &format!("/api/v1/secrets/{name}")).bearer_auth(token).json(&body)).await
}

fn body(value: &str) -> Value {
    json!({ "value": value, "environments": ["production", "test"], "hosts": ["https://azurecr.io"] })
}

#[tokio::test]
async fn a_secret_is_listed_without_its_value_and_each_value_is_a_version() {
    let world = World::start().await;
    let token = world.admin(A);
    let stored = put(&world, &token, "REGISTRY_PASSWORD", body("marker-1")).await.is(200);
    let again = put(&world, &token, "REGISTRY_PASSWORD", body("marker-2")).await.is(200);
    let list = world.get(&token, "/api/v1/secrets").await.is(200);
    for answer in [&stored, &again, &list] {
        assert!(!answer.text.contains("marker"), "{}", answer.text);
        assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2);
    }
    let production = &list.json()["items"][0];
    assert_eq!(production["environment"], "production");
    assert_eq!((&production["version"], &production["hosts"]), (&json!(2), &json!(["https://azurecr.io"])));
}

#[tokio::test]
async fn one_environment_or_all_of_them_are_removed() {
    let world = World::start().await;
    let token = world.admin(A);
    put(&world, &token, "KEY", body("x")).await.is(200);
    let delete = async |path: &str| send(world.request("DELETE", path).bearer_auth(&token)).await;
    delete("/api/v1/secrets/KEY?environment=test").await.is(204);
    let again = delete("/api/v1/secrets/KEY?environment=test").await.problem();
    assert_eq!(again, (404, "not-found".into()));
    delete("/api/v1/secrets/KEY").await.is(204);
    assert_eq!(world.get(&token, "/api/v1/secrets").await.is(200).json()["items"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_told_with_its_place_and_without_its_value() {
    let world = World::start().await;
    let token = world.admin(A);
    let with = |key: &str, value: Value| {
        let mut changed = body("marker");
        changed[key] = value;
        changed
    };
    let cases = [
        ("name", body("marker"), "/name"),
        ("KEY", with("environments", json!([])), "/environments"),
        ("KEY", with("environments", json!(["prod"])), "/environments/0"),
        ("KEY", with("hosts", json!(["azurecr.io"])), "/hosts/0"),
        ("KEY", with("hosts", json!([])), "/hosts"),
        ("KEY", with("reveal_only", json!(true)), "/hosts"),
        ("KEY", with("expires_at", json!("tomorrow")), "/expires_at"),
        ("KEY", with("expires_at", json!("2020-01-01T00:00:00Z")), "/expires_at"),
        ("KEY", with("value", json!("")), "/value"),
        ("KEY", with("value", json!("m".repeat(70_000))), "/value"),
    ];
    for (name, request, pointer) in cases {
        let answer = put(&world, &token, name, request.clone()).await;
        assert_eq!(answer.problem(), (422, "invalid-secret".into()), "{request}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
        assert!(!answer.text.contains("marker"), "{}", answer.text);
    }
    let misspelt = put(&world, &token, "KEY", with("vlaue", json!("marker"))).await;
    assert_eq!(misspelt.problem(), (422, "invalid-body".into()));
    assert!(!misspelt.text.contains("marker"), "{}", misspelt.text);
}

#[tokio::test]
async fn only_administrators_write_secrets_and_nobody_sees_another_tenants() {
    let world = World::start().await;
    put(&world, &world.admin(B), "B_ONLY", body("x")).await.is(200);
    for role in [Role::Viewer, Role::Author, Role::Operator] {
        let token = world.token(&format!("{role}-1"), A, &[role]);
        assert_eq!(
            put(&world, &token, "KEY", body("x")).await.problem(),
            (403, "forbidden".into()),
            "{role}"
        );
        assert!(!world.get(&token, "/api/v1/secrets").await.is(200).text.contains("B_ONLY"));
    }
}
