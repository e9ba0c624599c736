//! The tutorial's requests, as they are written there.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{World, send};

#[tokio::test]
async fn the_request_of_the_gateway_section_is_stored_without_steps() {
    let world = World::start().await;
    world.add_tenant("tenant-123").await;
    let token = world.token("dev", "tenant-123", &[Role::Author, Role::Operator]);
    let body = r#"{
  "name": "deploy-application",
  "definition": {
    "target": "production",
    "version": "1.2.3",
    "environment": "azure-westus"
  }
}"#;
    let request = world.request("POST", "/api/v1/intents").bearer_auth(&token);
    let answer = send(request.header("Content-Type", "application/json").body(body)).await.is(201);
    assert_eq!(answer.header("location"), "/api/v1/intents/deploy-application-v1");
    let stored = answer.json();
    assert_eq!(stored["id"], "deploy-application-v1");
    assert_eq!((&stored["version"], &stored["status"]), (&json!(1), &json!("active")));
    assert_eq!((&stored["tenant_id"], &stored["environment"]), (&json!("tenant-123"), &json!("production")));
    assert_eq!(stored["definition"]["environment"], "azure-westus");
    let refused =
        send(world.request("POST", "/api/v1/intents/deploy-application-v1/execute").bearer_auth(&token))
            .await;
    assert_eq!(refused.problem(), (409, "no-steps".into()));
}

#[tokio::test]
async fn the_intent_of_example_1_is_stored_with_a_warning_for_each_action_that_is_not_installed() {
    let world = World::start().await;
    let token = world.admin("tenant-a");
    let body = json!({
        "name": "deploy-web-app",
        "definition": {
            "target": "production",
            "steps": [
                { "action": "build-docker-image", "image": "myapp:latest", "context": "./app" },
                { "action": "push-to-registry", "registry": "azurecr.io", "image": "myapp:latest" },
                { "action": "deploy-to-kubernetes", "namespace": "production", "replicas": 3 }
            ]
        }
    });
    let created = world.post(&token, "/api/v1/intents", &body).await.is(201).json();
    let warned: Vec<&Value> =
        created["findings"].as_array().unwrap().iter().map(|one| &one["severity"]).collect();
    assert_eq!(warned, ["warning", "warning", "warning"]);
    let id = created["id"].as_str().unwrap();
    let refused =
        send(world.request("POST", &format!("/api/v1/intents/{id}/execute")).bearer_auth(&token)).await;
    assert_eq!(refused.problem(), (422, "invalid-document".into()));
    assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn example_2_follows_an_execution_line_by_line() {
    let world = World::start().await;
    let token = world.admin("tenant-a");
    let id = world
        .intent(&token, "say-it", json!([{ "action": "echo", "say": "hi" }, { "action": "talk" }]))
        .await;
    let execution = world.execute(&token, &id).await;
    let stream = world.get(&token, &format!("/api/v1/executions/{execution}/events")).await.is(200);
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let lines = stream.text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let stored: Vec<&Value> = events.iter().filter(|event| event.get("seq").is_some()).collect();
    let types: Vec<&str> = stored.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "execution_started",
        "step_started",
        "step_completed",
        "step_started",
        "step_completed",
        "execution_completed",
    ];
    assert_eq!(types, expected);
    assert_eq!((&stored[2]["step"], &stored[2]["result"]), (&json!("echo"), &json!({ "say": "hi" })));
    assert!(stored.iter().all(|event| event["execution_id"] == execution.as_str()));
}

#[tokio::test]
async fn a_failed_execution_says_why_in_its_last_event() {
    let world = World::start().await;
    let token = world.admin("tenant-a");
    let id = world.intent(&token, "no-luck", json!([{ "action": "fail" }])).await;
    let execution = world.execute(&token, &id).await;
    let stream = world.get(&token, &format!("/api/v1/executions/{execution}/events")).await;
    let last = stream.text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["type"], "execution_failed");
    assert!(last["error"]["message"].as_str().unwrap().contains("never works"), "{last}");
}

#[tokio::test]
async fn x_tenant_id_switches_among_the_callers_tenants() {
    let world = World::start().await;
    for tenant in ["tenant-a", "tenant-b"] {
        world.add_member(tenant, "zoe", &[Role::Author], true).await;
    }
    let token = world.token("zoe", "tenant-a", &[]);
    let list = async |tenant: &str| {
        let request =
            world.request("GET", "/api/v1/intents").bearer_auth(&token).header("X-Tenant-ID", tenant);
        send(request).await.is(200).json()["items"].as_array().unwrap().len()
    };
    world.intent(&token, "mine", json!([])).await;
    assert_eq!((list("tenant-a").await, list("tenant-b").await), (1, 0));
}
