//! Blueprints over HTTP, and the intents that run them.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, World, send};

const PATH: &str = "/api/v1/blueprints/greet";

fn saying(word: &str) -> Value {
    json!({
        "description": "says it",
        "schema": { "type": "object", "required": ["to"], "properties": { "to": { "type": "string" } } },
        "steps": [{ "action": "echo", "say": format!("{word}, ${{ intent.definition.to }}") }],
        "output": "${ steps.echo.output.say }"
    })
}

async fn put(world: &World, token: &str, body: &Value, if_match: Option<&str>) -> Answer {
    let request = world.request("PUT", PATH).bearer_auth(token).json(body);
    let request = if_match.into_iter().fold(request, |request, tag| request.header("If-Match", tag));
    send(request).await
}

async fn delete(world: &World, token: &str, if_match: Option<&str>) -> Answer {
    let request = world.request("DELETE", PATH).bearer_auth(token);
    send(if_match.into_iter().fold(request, |request, tag| request.header("If-Match", tag))).await
}

async fn run(world: &World, token: &str) -> Answer {
    let path = "/api/v1/intents/greet/execute?wait=30s";
    send(world.request("POST", path).bearer_auth(token)).await
}

#[tokio::test]
async fn a_blueprint_is_stored_changed_and_removed_on_a_condition() {
    let world = World::start().await;
    let token = world.admin(A);
    let created = put(&world, &token, &saying("Hello"), None).await.is(201);
    let body = created.json();
    assert_eq!((created.header("etag"), &body["etag"]), ("\"1\"", &json!("\"1\"")));
    assert_eq!(
        (&body["name"], &body["revision"], &body["tenant_id"]),
        (&json!("greet"), &json!(1), &json!(A))
    );
    // What is shown can be sent again.
    let read = world.get(&token, PATH).await.is(200).json();
    assert_eq!(read, body);
    assert_eq!(put(&world, &token, &read["document"], None).await.is(200).json()["revision"], 1);
    assert_eq!(put(&world, &token, &saying("Hi"), None).await.problem(), (428, "if-match-required".into()));
    assert_eq!(
        put(&world, &token, &saying("Hi"), Some("\"7\"")).await.problem(),
        (412, "revision-conflict".into())
    );
    let changed = put(&world, &token, &saying("Hi"), Some("\"1\"")).await.is(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    let earlier = world.get(&token, &format!("{PATH}?revision=1")).await.is(200);
    assert_eq!(
        (earlier.json()["document"].clone(), earlier.header("etag")),
        (body["document"].clone(), "\"1\"")
    );
    let list = world.get(&token, "/api/v1/blueprints").await.is(200).json();
    assert_eq!((&list["items"][0]["name"], &list["items"][0]["revision"]), (&json!("greet"), &json!(2)));
    assert_eq!(delete(&world, &token, None).await.problem(), (428, "if-match-required".into()));
    assert_eq!(delete(&world, &token, Some("\"1\"")).await.problem(), (412, "revision-conflict".into()));
    assert_eq!(delete(&world, &token, Some("\"2\"")).await.is(204).text, "");
    for answer in [world.get(&token, PATH).await, delete(&world, &token, Some("*")).await] {
        assert_eq!(answer.problem(), (404, "not-found".into()));
    }
    let malformed = world.request("PUT", "/api/v1/blueprints/Not%20a%20name").bearer_auth(&token);
    assert_eq!(send(malformed.json(&saying("x"))).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn an_intent_without_steps_runs_what_the_blueprint_says_now_and_goes_on_with_what_it_began() {
    let world = World::start().await;
    let token = world.admin(A);
    let intent = json!({ "name": "greet", "definition": { "to": "Ada" } });
    world.post(&token, "/api/v1/intents", &intent).await.is(201);
    let refused = run(&world, &token).await;
    assert_eq!(refused.problem(), (409, "no-steps".into()));
    let hint = refused.json()["hint"].clone();
    assert!(hint.as_str().unwrap().contains("quantum blueprint apply FILE"), "{hint}");

    put(&world, &token, &saying("Hello"), None).await.is(201);
    assert_eq!(run(&world, &token).await.is(200).json()["output"], "Hello, Ada");
    let plan = send(world.request("POST", "/api/v1/intents/greet/plan").bearer_auth(&token)).await.is(200);
    assert_eq!(plan.json()["blueprint"], json!({ "name": "greet", "revision": 1 }));
    assert_eq!(plan.json()["steps"][0]["parameters"]["say"], "Hello, ${ intent.definition.to }");

    let mut held = saying("Hi");
    held["steps"].as_array_mut().unwrap().insert(0, json!({ "action": "hold" }));
    put(&world, &token, &held, Some("*")).await.is(200);
    let execution = world.execute(&token, "greet").await;
    put(&world, &token, &saying("Bye"), Some("*")).await.is(200);
    assert_eq!(run(&world, &token).await.is(200).json()["output"], "Bye, Ada");
    delete(&world, &token, Some("*")).await.is(204);
    assert_eq!(run(&world, &token).await.problem(), (409, "no-steps".into()));
    world.gate.add_permits(1);
    let path = format!("/api/v1/executions/{execution}");
    world.get(&token, &format!("{path}/events")).await.is(200);
    let ended = world.get(&token, &path).await.json();
    assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("Hi, Ada")));
}

#[tokio::test]
async fn a_definition_is_held_against_the_schema_when_it_is_stored_and_when_it_runs() {
    let world = World::start().await;
    let token = world.admin(A);
    put(&world, &token, &saying("Hello"), None).await.is(201);
    let intent = json!({ "name": "greet", "definition": { "to": 7 } });
    let told = |findings: &Value| {
        let one = &findings[0];
        (one["severity"].clone(), one["pointer"].clone(), one["code"].clone())
    };
    let expected = |severity: &str| (json!(severity), json!("/definition/to"), json!("blueprint"));
    let valid = world.post(&token, "/api/v1/intents/validate", &intent).await.is(200).json();
    assert_eq!((&valid["valid"], told(&valid["findings"])), (&json!(true), expected("warning")));
    let created = world.post(&token, "/api/v1/intents", &intent).await.is(201).json();
    assert_eq!(told(&created["findings"]), expected("warning"));
    let refused = run(&world, &token).await;
    assert_eq!(refused.problem(), (422, "invalid-document".into()));
    assert_eq!(told(&refused.json()["errors"]), expected("error"));
    let plan = send(world.request("POST", "/api/v1/intents/greet/plan").bearer_auth(&token)).await;
    assert_eq!(plan.problem(), (422, "invalid-document".into()));
}

#[tokio::test]
async fn a_blueprint_with_errors_is_refused_with_every_finding() {
    let world = World::start().await;
    let body = json!({ "steps": [{ "action": "echo", "sya": "x" }], "output": "${ steps.none.output }" });
    let refused = put(&world, &world.admin(A), &body, None).await;
    assert_eq!(refused.problem(), (422, "invalid-document".into()));
    let errors = refused.json()["errors"].clone();
    assert_eq!((&errors[0]["pointer"], &errors[1]["pointer"]), (&json!("/steps/0/sya"), &json!("/output")));
    assert_eq!(errors[0]["hint"], "did you mean \"say\"?");
}

#[tokio::test]
async fn viewing_and_writing_are_decided_apart() {
    let world = World::start().await;
    put(&world, &world.admin(A), &saying("Hello"), None).await.is(201);
    let viewer = world.token("vera", A, &[Role::Viewer]);
    world.get(&viewer, PATH).await.is(200);
    world.get(&viewer, "/api/v1/blueprints").await.is(200);
    for answer in
        [put(&world, &viewer, &saying("Hi"), Some("*")).await, delete(&world, &viewer, Some("*")).await]
    {
        assert_eq!(answer.problem(), (403, "forbidden".into()));
    }
    let nobody = world.token("nora", A, &[]);
    world.add_member(A, "nora", &[], true).await;
    assert_eq!(world.get(&nobody, PATH).await.problem(), (403, "forbidden".into()));
    put(&world, &world.token("arthur", A, &[Role::Author]), &saying("Hi"), Some("*")).await.is(200);
}
