//! Page tokens: bound to the caller, the list and the filter, and made by this host.

use serde_json::{Value, json};

use crate::world::{A, B, World};

async fn world_of_five() -> (World, String) {
    let world = World::start().await;
    let token = world.admin(A);
    for name in ["one", "two", "three", "four", "five"] {
        world.intent(&token, name, json!([])).await;
    }
    (world, token)
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let (world, token) = world_of_five().await;
    let mut path = "/api/v1/intents?limit=2".to_owned();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let answer = world.get(&token, &path).await.is(200);
        let page = answer.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_page_token"].as_str() else { break };
        path = format!("/api/v1/intents?limit=2&page_token={next}");
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(seen, ["five", "four", "one", "three", "two"]);
}

#[tokio::test]
async fn a_token_that_was_changed_or_taken_elsewhere_is_refused() {
    let (world, token) = world_of_five().await;
    let page = world.get(&token, "/api/v1/intents?limit=2").await.is(200).json();
    let good = page["next_page_token"].as_str().unwrap().to_owned();
    let flipped = format!("{}{}", if good.starts_with('A') { 'B' } else { 'A' }, &good[1..]);
    let refused = (400, "invalid-page-token".to_owned());
    for bad in [&flipped, &good[..good.len() - 2], "", "x", &"A".repeat(7_000)] {
        let answer = world.get(&token, &format!("/api/v1/intents?limit=2&page_token={bad}")).await;
        assert_eq!(answer.problem(), refused, "{bad}");
    }
    let other_filter = world.get(&token, &format!("/api/v1/intents?status=active&page_token={good}")).await;
    let other_list = world.get(&token, &format!("/api/v1/executions?page_token={good}")).await;
    let other_user = world.token("ben", A, &[quantum_core::vocabulary::Role::Admin]);
    let other_user = world.get(&other_user, &format!("/api/v1/intents?page_token={good}")).await;
    let other_tenant = world.get(&world.admin(B), &format!("/api/v1/intents?page_token={good}")).await;
    for answer in [other_filter, other_list, other_user, other_tenant] {
        assert_eq!(answer.problem(), refused);
    }
    world.get(&token, &format!("/api/v1/intents?limit=3&page_token={good}")).await.is(200);
}
