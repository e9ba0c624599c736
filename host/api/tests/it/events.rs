//! Event streams and pages.

use std::time::Duration;

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, World, send};

fn ids(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect()
}

async fn finished(world: &World, token: &str) -> String {
    let id = world.intent(token, "two-steps", json!([{ "action": "echo" }, { "action": "echo" }])).await;
    let path = format!("/api/v1/intents/{id}/execute?wait=30s");
    let ended = send(world.request("POST", &path).bearer_auth(token)).await.is(200);
    format!("/api/v1/executions/{}/events", ended.json()["execution_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let world = World::start().await;
    let token = world.admin(A);
    let path = finished(&world, &token).await;
    assert_eq!(ids(&world.get(&token, &path).await.text), [1, 2, 3, 4, 5, 6]);
    let back = async |last: &str| {
        send(world.request("GET", &path).bearer_auth(&token).header("Last-Event-ID", last)).await
    };
    assert_eq!(ids(&back("4").await.is(200).text), [5, 6]);
    assert_eq!(back("6").await.is(200).text, "");
    assert_eq!(back("four").await.problem(), (422, "invalid-parameter".into()));
}

#[tokio::test]
async fn a_client_that_asks_for_json_gets_pages() {
    let world = World::start().await;
    let token = world.admin(A);
    let path = finished(&world, &token).await;
    let page = async |query: &str| {
        let request = world.request("GET", &format!("{path}?{query}")).bearer_auth(&token);
        send(request.header("Accept", "application/json")).await.is(200)
    };
    let first = page("limit=4").await;
    let seqs = |page: &Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(&first.json()), [1, 2, 3, 4]);
    let token_of = first.json()["next_page_token"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains(&token_of));
    let second = page(&format!("limit=4&page_token={token_of}")).await.json();
    assert_eq!((seqs(&second), &second["next_page_token"]), (vec![5, 6], &Value::Null));
    let neither = send(world.request("GET", &path).bearer_auth(&token).header("Accept", "image/png")).await;
    assert_eq!(neither.problem(), (406, "not-acceptable".into()));
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_until_the_caller_may_not_follow_any_more() {
    let world = World::with_limits(|limits| limits.heartbeat = Duration::from_millis(20)).await;
    world.add_member(A, "otto", &[Role::Operator, Role::Author], true).await;
    let token = world.token("otto", A, &[]);
    let id = world.intent(&token, "held", json!([{ "action": "hold" }])).await;
    let execution = world.execute(&token, &id).await;
    let request = world.request("GET", &format!("/api/v1/executions/{execution}/events")).bearer_auth(&token);
    let mut response = request.send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains(": still here\n\n") {
        seen.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    world.add_member(A, "otto", &[Role::Operator], false).await;
    world.clock.advance(2_000);
    // It ends by itself: the step still waits.
    while response.chunk().await.unwrap().is_some() {}
    assert_eq!(world.get(&token, "/api/v1/intents").await.problem(), (401, "principal-unknown".into()));
}

#[tokio::test]
async fn streams_end_when_the_host_stops() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "held", json!([{ "action": "hold" }])).await;
    let execution = world.execute(&token, &id).await;
    let request = world.request("GET", &format!("/api/v1/executions/{execution}/events")).bearer_auth(&token);
    let response = request.send().await.unwrap();
    world.stop();
    let text = response.text().await.unwrap();
    assert!(!text.contains("execution_completed"), "{text}");
}
