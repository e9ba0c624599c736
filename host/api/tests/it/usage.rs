//! What attempts used over HTTP, and what is answered once a quota is used up.

use quantum_api::auth::embedded::issue;
use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, B, World, send};

/// Returns when it has ended.
async fn run(world: &World, token: &str, intent: &str) {
    let request = world.request("POST", &format!("/api/v1/intents/{intent}/execute?wait=30s"));
    send(request.bearer_auth(token)).await.is(200);
}

#[tokio::test]
async fn usage_is_added_up_by_day_plugin_and_action() {
    let world = World::start().await;
    let token = world.admin(A);
    assert_eq!(world.get(&token, "/api/v1/usage").await.is(200).json()["items"], json!([]));
    let steps = json!([{ "action": "echo", "say": "a" }, { "action": "echo", "say": "b" }]);
    run(&world, &token, &world.intent(&token, "twice", steps.clone()).await).await;
    let other = world.admin(B);
    run(&world, &other, &world.intent(&other, "other", steps).await).await;
    let days = world.get(&token, "/api/v1/usage").await.is(200).json();
    let [day] = days["items"].as_array().unwrap().as_slice() else { panic!("{days}") };
    assert_eq!((&day["attempts"], &day["failures"], &day["tenant_id"]), (&json!(2), &json!(0), &json!(A)));
    let today = world.clock_now().to_string()[..10].to_owned();
    assert_eq!(day["day"], json!(today));
    let actions = world
        .get(&token, &format!("/api/v1/usage?group=action&from={today}&to={today}"))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&actions["items"][0]["action"], &actions["items"][0]["attempts"]),
        (&json!("echo"), &json!(2))
    );
    assert_eq!(actions["items"][0]["day"], Value::Null);
    let plugin = actions["items"][0]["plugin"].as_str().unwrap();
    let plugins =
        world.get(&token, &format!("/api/v1/usage?group=plugin&plugin={plugin}")).await.is(200).json();
    assert_eq!(plugins["items"][0]["attempts"], json!(2));
    for nothing in ["to=2020-01-01", "plugin=no:such"] {
        let empty = world.get(&token, &format!("/api/v1/usage?{nothing}")).await.is(200).json();
        assert_eq!(empty["items"], json!([]), "{nothing}");
    }
}

#[tokio::test]
async fn an_administrator_of_the_host_sees_what_each_tenant_used() {
    let world = World::start().await;
    let root = issue(&world.key, &world.issuer, &world.says("root", None, &[Role::PlatformAdmin])).unwrap();
    let path = "/api/v1/usage/tenants";
    assert_eq!(world.get(&root, path).await.is(200).json()["items"], json!([]));
    for (tenant, steps) in [(A, 2), (B, 1)] {
        let steps: Vec<_> = (0..steps).map(|_| json!({ "action": "echo", "say": "a" })).collect();
        let token = world.admin(tenant);
        run(&world, &token, &world.intent(&token, "some", json!(steps)).await).await;
    }
    let told = world.get(&root, path).await.is(200).json();
    let sums = |item: &Value| (item["tenant_id"].clone(), item["attempts"].clone());
    let items: Vec<_> = told["items"].as_array().unwrap().iter().map(sums).collect();
    assert_eq!(items, [(json!(A), json!(2)), (json!(B), json!(1))]);
    let keys: Vec<_> = told["items"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(!keys.iter().any(|key| ["plugin", "version", "action"].contains(key)), "{keys:?}");
    for nothing in ["to=2020-01-01", "plugin=no:such"] {
        let empty = world.get(&root, &format!("{path}?{nothing}")).await.is(200).json();
        assert_eq!(empty["items"], json!([]), "{nothing}");
    }
    let refused = world.get(&root, &format!("{path}?group=day")).await;
    assert_eq!(refused.problem(), (422, "invalid-parameter".into()));
    assert_eq!(world.get(&world.admin(A), path).await.problem(), (403, "platform-token-needed".into()));
}

#[tokio::test]
async fn what_is_no_day_or_group_is_refused() {
    let world = World::start().await;
    let token = world.token("vera", A, &[Role::Viewer]);
    world.get(&token, "/api/v1/usage").await.is(200);
    for wrong in ["from=2026-02-30", "to=today", "group=week", "tenant=x", "limit=0"] {
        let refused = world.get(&token, &format!("/api/v1/usage?{wrong}")).await;
        assert_eq!(refused.problem(), (422, "invalid-parameter".into()), "{wrong}");
    }
}

#[tokio::test]
async fn a_start_over_a_quota_is_told_which_one_and_until_when() {
    let world = World::start().await;
    let token = world.admin(A);
    let intent = world.intent(&token, "often", json!([{ "action": "echo", "say": "a" }])).await;
    let set = json!({ "limits": { "attempts_per_day_max": 1 } });
    let patch = |body: &Value| {
        let request = world.request("PATCH", "/api/v1/settings").bearer_auth(&token).header("If-Match", "*");
        send(request.json(body))
    };
    assert_eq!(patch(&set).await.is(200).json()["limits"]["attempts_per_day_max"], json!(1));
    run(&world, &token, &intent).await;
    let path = format!("/api/v1/intents/{intent}/execute");
    let refused = world.post(&token, &path, &json!({})).await;
    assert_eq!(refused.problem(), (429, "quota-used-up".into()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("attempts_per_day_max is used up: 1 of 1; it starts anew at 20"), "{detail}");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    patch(&json!({ "limits": { "attempts_per_day_max": 2 } })).await.is(200);
    world.post(&token, &path, &json!({})).await.is(202);
}
