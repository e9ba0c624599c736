//! Recordings of attempts over HTTP: who reads them, and which one is meant.

use quantum_core::vocabulary::Role;
use serde_json::json;

use crate::world::{A, B, World};

/// Where the recordings of a step are whose one attempt was recorded.
async fn recorded(world: &World, token: &str) -> String {
    let step = json!([{ "id": "say", "action": "echo", "say": "marker" }]);
    let intent = world.intent(token, "recorded", step).await;
    let body = json!({ "labels": { "quantum/record": "all" } });
    let path = format!("/api/v1/intents/{intent}/execute?wait=30s");
    let ended = world.post(token, &path, &body).await.is(200).json();
    format!("/api/v1/executions/{}/steps/say/recording", ended["execution_id"].as_str().unwrap())
}

#[tokio::test]
async fn the_recording_of_an_attempt_is_read_by_its_number_or_without() {
    let world = World::start().await;
    let token = world.admin(A);
    let path = recorded(&world, &token).await;
    for query in ["", "?attempt=1", "?attempt=1&compensation=false"] {
        let answer = world.get(&token, &format!("{path}{query}")).await.is(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), json!({ "say": "marker" }), "{query}");
    }
    for (query, status, code) in [
        ("?attempt=2", 404, "not-found"),
        ("?element=0", 404, "not-found"),
        ("?compensation=true", 404, "not-found"),
        ("?attempt=first", 422, "invalid-parameter"),
        ("?element=-1", 422, "invalid-parameter"),
        ("?compensation=1", 422, "invalid-parameter"),
        ("?number=1", 422, "invalid-parameter"),
    ] {
        let refused = world.get(&token, &format!("{path}{query}")).await.problem();
        assert_eq!(refused, (status, code.to_owned()), "{query}");
    }
    let other = path.replace("/say/", "/unsaid/");
    assert_eq!(world.get(&token, &other).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn who_may_read_recordings_is_told_which_ones_there_are() {
    let world = World::start().await;
    let token = world.admin(A);
    let path = recorded(&world, &token).await;
    let steps = json!([{ "id": "say", "action": "echo", "say": "quiet" }]);
    let intent = world.intent(&token, "unrecorded", steps).await;
    let run = world.post(&token, &format!("/api/v1/intents/{intent}/execute?wait=30s"), &json!({})).await;
    let unrecorded = run.is(200).json()["execution_id"].as_str().unwrap().to_owned();
    for (asked, told) in [
        (path.replace("/say/", "/unsaid/"), "the execution has no step \"unsaid\"; its steps: say"),
        (
            format!("{path}?attempt=2"),
            "of the step say there is no recording of attempt=2; there is one of: attempt=1",
        ),
        (
            format!("{path}?attempt=1&element=0&compensation=true"),
            "of the step say there is no recording of attempt=1&element=0&compensation=true; there is one of: attempt=1",
        ),
        (
            format!("/api/v1/executions/{unrecorded}/steps/say/recording"),
            "no attempt of the step say was recorded",
        ),
    ] {
        let refused = world.get(&token, &asked).await.is(404).json();
        assert_eq!(refused["detail"], told, "{asked}");
        let how = refused["hint"].as_str().unwrap().contains("quantum/record=all");
        assert_eq!(how, told.starts_with("no attempt"), "{asked}");
    }
}

#[tokio::test]
async fn a_recording_is_for_those_who_operate_executions_of_their_own_tenant() {
    let world = World::start().await;
    let path = recorded(&world, &world.admin(B)).await;
    let execution = path.split("/steps/").next().unwrap().to_owned();
    for (role, status) in
        [(Role::Viewer, 403), (Role::Author, 403), (Role::Operator, 200), (Role::Admin, 200)]
    {
        let token = world.token(role.as_str(), B, &[role]);
        world.get(&token, &execution).await.is(200);
        world.get(&token, &path).await.is(status);
    }
    let foreign = world.get(&world.admin(A), &path).await;
    assert_eq!(foreign.problem(), (404, "not-found".into()));
    let absent = "/api/v1/executions/00000000-0000-7000-8000-000000000000/steps/say/recording";
    assert_eq!(foreign.normal(), world.get(&world.admin(B), absent).await.normal());
}
