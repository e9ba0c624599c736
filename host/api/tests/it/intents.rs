//! Versions, conditions, status, validation and plans.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, World, send};

fn document(say: &str) -> Value {
    json!({ "name": "greet", "definition": { "steps": [{ "action": "echo", "say": say }] } })
}

async fn put(world: &World, token: &str, body: &Value, tag: &str) -> Answer {
    let request = world.request("PUT", "/api/v1/intents/greet").bearer_auth(token).json(body);
    send(request.header("If-Match", tag)).await
}

#[tokio::test]
async fn a_change_makes_a_version_that_can_be_compared_and_taken_back() {
    let world = World::start().await;
    let token = world.admin(A);
    let created = world.post(&token, "/api/v1/intents", &document("one")).await.is(201);
    assert_eq!(created.header("etag"), created.json()["etag"].as_str().unwrap());
    let second = put(&world, &token, &document("two"), created.header("etag")).await.is(200);
    assert_eq!(second.json()["id"], "greet-v2");
    assert_eq!(
        put(&world, &token, &document("three"), created.header("etag")).await.problem(),
        (412, "revision-conflict".into())
    );
    let diff = world.get(&token, "/api/v1/intents/greet/diff").await.is(200).json();
    assert_eq!(diff["differences"][0]["pointer"], "/definition/steps/0/say");
    let request = world.request("POST", "/api/v1/intents/greet/rollback").bearer_auth(&token);
    let back = send(request.header("If-Match", "*").json(&json!({ "to": 1 }))).await.is(200).json();
    assert_eq!((&back["id"], &back["definition"]["steps"][0]["say"]), (&json!("greet-v3"), &json!("one")));
    let request = world.request("POST", "/api/v1/intents/greet/versions/2/activate").bearer_auth(&token);
    let active = send(request.header("If-Match", "*")).await.is(200).json();
    assert_eq!((&active["id"], &active["version_status"]), (&json!("greet-v2"), &json!("active")));
    let versions = world.get(&token, "/api/v1/intents/greet/versions").await.json();
    let ids: Vec<&Value> = versions["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["greet-v3", "greet-v2", "greet-v1"]);
    assert_eq!(world.get(&token, "/api/v1/intents/greet").await.json()["id"], "greet-v2");
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names() {
    let world = World::start().await;
    let token = world.admin(A);
    world.post(&token, "/api/v1/intents", &document("one")).await.is(201);
    let request = world.request("PATCH", "/api/v1/intents/greet").bearer_auth(&token).header("If-Match", "*");
    let patch = json!({ "description": "says it", "definition": { "target": "staging" } });
    let changed = send(request.json(&patch)).await.is(200).json();
    assert_eq!((&changed["description"], &changed["environment"]), (&json!("says it"), &json!("staging")));
    assert_eq!(changed["definition"]["steps"][0]["say"], "one");
}

#[tokio::test]
async fn every_change_of_a_document_names_what_it_is_based_on() {
    let world = World::start().await;
    let token = world.admin(A);
    world.post(&token, "/api/v1/intents", &document("one")).await.is(201);
    let changes = [
        ("PUT", "/api/v1/intents/greet"),
        ("PATCH", "/api/v1/intents/greet"),
        ("DELETE", "/api/v1/intents/greet"),
        ("POST", "/api/v1/intents/greet/rollback"),
        ("POST", "/api/v1/intents/greet/versions/1/activate"),
    ];
    for (method, path) in changes {
        let bare = send(world.request(method, path).bearer_auth(&token).json(&json!({ "to": 1 }))).await;
        assert_eq!(bare.problem(), (428, "if-match-required".into()), "{method} {path}");
    }
}

#[tokio::test]
async fn the_identical_document_again_is_the_existing_intent_and_another_one_points_to_put() {
    let world = World::start().await;
    let token = world.admin(A);
    world.post(&token, "/api/v1/intents", &document("one")).await.is(201);
    assert_eq!(
        world.post(&token, "/api/v1/intents", &document("one")).await.is(200).json()["id"],
        "greet-v1"
    );
    let other = world.post(&token, "/api/v1/intents", &document("two")).await;
    assert_eq!(other.problem(), (409, "name-taken".into()));
    assert!(other.json()["hint"].as_str().unwrap().contains("PUT /api/v1/intents/greet"));
}

#[tokio::test]
async fn a_paused_intent_takes_no_executions_and_an_archived_one_nothing() {
    let world = World::start().await;
    let token = world.admin(A);
    world.post(&token, "/api/v1/intents", &document("one")).await.is(201);
    let switch = async |to: &str| {
        send(world.request("POST", &format!("/api/v1/intents/greet/{to}")).bearer_auth(&token)).await
    };
    assert_eq!(switch("pause").await.is(200).json()["status"], "paused");
    assert_eq!(switch("execute").await.problem(), (409, "intent-paused".into()));
    assert_eq!(switch("resume").await.is(200).json()["status"], "active");
    switch("execute").await.is(202);
    assert_eq!(switch("archive").await.is(200).json()["status"], "archived");
    assert_eq!(switch("execute").await.problem(), (403, "forbidden".into()));
    assert_eq!(put(&world, &token, &document("two"), "*").await.problem(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_validation_tells_all_findings_and_stores_nothing() {
    let world = World::start().await;
    let token = world.admin(A);
    let body = json!({ "name": "Greet", "definition": { "steps": [
        { "action": "echo", "sai": "x" }, { "action": "echo", "count": "three", "when": "inptu.x" }
    ] } });
    let found = world.post(&token, "/api/v1/intents/validate", &body).await.is(200).json();
    assert_eq!(found["valid"], false);
    let pointers: Vec<&str> =
        found["findings"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    for pointer in
        ["/name", "/definition/steps/0/sai", "/definition/steps/1/count", "/definition/steps/1/when"]
    {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    assert!(found.to_string().contains("did you mean \\\"say\\\"?"), "{found}");
    assert_eq!(world.get(&token, "/api/v1/intents").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_plan_shows_levels_components_and_the_decision_for_each_step() {
    let world = World::start().await;
    let token = world.admin(A);
    let steps = json!([
        { "id": "a", "action": "echo", "say": "x" },
        { "id": "b", "action": "echo", "say": "y", "timeout": 5 },
        { "id": "c", "action": "talk", "say": "${ steps.a.output.say } ${ steps.b.output.say }" }
    ]);
    let body = json!({ "name": "wide", "definition": { "order": "graph", "steps": steps } });
    world.post(&token, "/api/v1/intents", &body).await.is(201);
    let request = world.request("POST", "/api/v1/intents/wide/plan").bearer_auth(&token);
    let plan = send(request).await.is(200).json();
    assert_eq!(plan["levels"], json!([["a", "b"], ["c"]]));
    let last = &plan["steps"][2];
    assert_eq!((&last["plugin"], &last["waits_for"]), (&json!("test:echo"), &json!(["a", "b"])));
    assert!(last["component"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(last["parameters"]["say"], "${ steps.a.output.say } ${ steps.b.output.say }");
    assert_eq!(
        (&plan["steps"][1]["timeout_ms"], &last["decision"]["allowed"]),
        (&json!(5_000), &json!(true))
    );
    assert_eq!(last["decision"]["policies"], json!(["runtime.default"]));
}

#[tokio::test]
async fn who_may_view_and_not_change_gets_the_reason_and_the_decision() {
    let world = World::start().await;
    world.post(&world.admin(A), "/api/v1/intents", &document("one")).await.is(201);
    let viewer = world.token("vera", A, &[Role::Viewer]);
    world.get(&viewer, "/api/v1/intents/greet").await.is(200);
    let refused = send(world.request("POST", "/api/v1/intents/greet/execute").bearer_auth(&viewer)).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    let body = refused.json();
    assert_eq!(body["detail"], "no policy allows intent.execute for viewer");
    assert!(body["decision_id"].is_string());
    let refused = world.post(&viewer, "/api/v1/intents", &document("two")).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
}

#[tokio::test]
async fn who_may_not_even_view_an_intent_is_told_that_it_does_not_exist() {
    let world = World::start().await;
    world.post(&world.admin(A), "/api/v1/intents", &document("one")).await.is(201);
    let nobody = world.token("nora", A, &[]);
    let hidden = world.get(&nobody, "/api/v1/intents/greet").await.is(404);
    let absent = world.get(&nobody, "/api/v1/intents/not-there").await.is(404);
    assert_eq!(hidden.normal(), absent.normal());
}

/// SQLite keeps it, PostgreSQL cannot: never a failure of the host.
#[tokio::test]
async fn a_description_with_a_zero_is_kept_or_refused() {
    let world = World::start().await;
    let mut body = document("one");
    body["description"] = json!("a\0b");
    let answer = world.post(&world.admin(A), "/api/v1/intents", &body).await;
    if world.is_on_postgres() {
        assert_eq!(answer.problem(), (422, "invalid-body".into()));
    } else {
        assert_eq!(answer.is(201).json()["description"], "a\0b");
    }
}
