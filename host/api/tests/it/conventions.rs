//! What holds for every answer.

use crate::world::{A, World, send};

#[tokio::test]
async fn every_answer_carries_the_headers_and_none_says_what_serves_it() {
    let world = World::start().await;
    let token = world.admin(A);
    let paths =
        ["/api/v1/intents", "/api/v1/intents/absent", "/nowhere", "/api/v1/openapi.json", "/errors/no-steps"];
    for path in paths {
        let answer = world.get(&token, path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        for absent in ["server", "access-control-allow-origin", "x-powered-by"] {
            assert!(!answer.headers.contains_key(absent), "{path} {absent}");
        }
    }
}

#[tokio::test]
async fn a_request_id_is_taken_over_when_it_is_harmless() {
    let world = World::start().await;
    let long = "a".repeat(65);
    for (given, taken) in
        [("build-7.a_B", true), ("two words", false), ("<script>", false), (long.as_str(), false)]
    {
        let answer = send(world.request("GET", "/nowhere").header("X-Request-Id", given)).await;
        assert_eq!(answer.header("x-request-id") == given, taken, "{given}");
    }
}

#[tokio::test]
async fn routes_that_do_not_exist_are_problems() {
    let world = World::start().await;
    let token = world.admin(A);
    let paths = [
        "/",
        "/api/v1",
        "/api/v1/intents/",
        "/api/v1//intents",
        "/API/v1/intents",
        "/api/v1/intents;x=y",
        "/api/v2/intents",
        "/api/v1/executions/x/steps",
    ];
    for path in paths {
        assert_eq!(world.get(&token, path).await.problem(), (404, "no-such-route".into()), "{path}");
    }
    for id in ["%2e%2e", "a%2Fb", "%00", "%ff", "a%20b", "x%3By"] {
        let answer = world.get(&token, &format!("/api/v1/intents/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
    }
}

#[tokio::test]
async fn a_method_that_the_route_does_not_take_names_those_that_it_takes() {
    let world = World::start().await;
    for method in ["DELETE", "OPTIONS", "TRACE", "FOO"] {
        let answer =
            send(world.request(method, "/api/v1/intents").header("Origin", "https://evil.example")).await;
        assert_eq!(answer.problem(), (405, "method-not-allowed".into()), "{method}");
        assert_eq!(answer.header("allow"), "POST,GET,HEAD", "{method}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn only_json_is_sent_as_an_answer() {
    let world = World::start().await;
    let request = world.request("GET", "/api/v1/intents").bearer_auth(world.admin(A));
    assert_eq!(
        send(request.header("Accept", "application/xml")).await.problem(),
        (406, "not-acceptable".into())
    );
}

#[tokio::test]
async fn a_long_uri_is_refused() {
    let world = World::start().await;
    let answer = world.get(&world.admin(A), &format!("/api/v1/intents?q={}", "a".repeat(9_000))).await;
    assert_eq!(answer.problem(), (414, "uri-too-long".into()));
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_who_reads_it() {
    let world = World::start().await;
    for coding in ["gzip", "zstd"] {
        let answer = world.request("GET", "/api/v1/openapi.json").header("Accept-Encoding", coding);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], coding);
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_a_page() {
    let world = World::start().await;
    let problem = send(world.request("GET", "/api/v1/intents")).await.json();
    let page = send(world.request("GET", problem["type"].as_str().unwrap())).await.is(200);
    assert!(
        page.text.contains("token-missing") && page.text.contains("quantum token create"),
        "{}",
        page.text
    );
    send(world.request("GET", "/errors/never-heard-of")).await.is(404);
}
