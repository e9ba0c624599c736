//! Bad bodies: the status, the code, and a text that says where.

use serde_json::{Value, json};

use crate::world::{A, Answer, World, send};

async fn raw(
    world: &World,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<reqwest::Body>,
) -> Answer {
    let request = world.request("POST", path).bearer_auth(world.admin(A)).body(body);
    send(match content_type {
        Some(kind) => request.header("Content-Type", kind),
        None => request,
    })
    .await
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_its_place() {
    let world = World::start().await;
    let cases = [
        ("{\n  \"name\": greet }", 400, "malformed-json", "expected value at line 2 column 11"),
        ("", 400, "malformed-json", "EOF while parsing a value at line 1 column 0"),
        ("{} {}", 400, "malformed-json", "trailing characters at line 1 column 4"),
        ("\u{feff}{}", 400, "malformed-json", "expected value at line 1 column 1"),
        ("{\"n\": 1e999}", 400, "malformed-json", "number out of range at line 1 column 11"),
        ("{\"a\": 1, \"a\": 2}", 400, "duplicate-key", "the key \"a\" stands here twice at line 1 column 12"),
    ];
    for (body, status, code, detail) in cases {
        let answer = raw(&world, "/api/v1/intents", Some("application/json"), body).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
        assert_eq!(answer.json()["detail"], detail, "{body}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let answer = raw(&world, "/api/v1/intents", Some("application/json"), deep).await;
    assert_eq!(answer.problem(), (422, "json-depth".into()));
}

#[tokio::test]
async fn unknown_fields_are_refused_with_the_near_name() {
    let world = World::start().await;
    let token = world.admin(A);
    let document = json!({ "name": "x", "definition": {}, "lables": {}, "tenant_id": "tenant-b" });
    let answer = world.post(&token, "/api/v1/intents", &document).await;
    assert_eq!(answer.problem(), (422, "invalid-document".into()));
    let body = answer.json();
    let pointers: Vec<&Value> =
        body["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert_eq!(pointers, ["/lables", "/tenant_id"]);
    assert_eq!(body["errors"][0]["hint"], "did you mean \"labels\"?");
    world.intent(&token, "greet", json!([{ "action": "echo" }])).await;
    let answer = world.post(&token, "/api/v1/intents/greet/execute", &json!({ "inputs": {} })).await;
    assert_eq!(answer.problem(), (422, "invalid-body".into()));
    assert_eq!(answer.json()["errors"][0]["hint"], "did you mean \"input\"?");
    assert_eq!(answer.json()["errors"][0]["pointer"], "/inputs");
}

#[tokio::test]
async fn only_json_is_read_as_json() {
    let world = World::start().await;
    let kinds =
        [None, Some("text/plain"), Some("application/json; charset=utf-16"), Some("multipart/form-data")];
    for kind in kinds {
        let answer = raw(&world, "/api/v1/intents", kind, "{}").await;
        assert_eq!(answer.problem(), (415, "media-type".into()), "{kind:?}");
    }
    let answer = raw(&world, "/api/v1/intents", Some("application/json; charset=UTF-8"), "{}").await;
    assert_eq!(answer.problem(), (422, "invalid-document".into()));
    let request = world.request("POST", "/api/v1/intents").bearer_auth(world.admin(A)).json(&json!({}));
    let answer = send(request.header("Content-Encoding", "gzip")).await;
    assert_eq!(answer.problem(), (415, "media-type".into()));
}

#[tokio::test]
async fn a_body_over_the_routes_limit_is_refused_with_the_limit() {
    let world = World::start().await;
    let large = json!({ "name": "x", "definition": { "text": "a".repeat(256 * 1024) } }).to_string();
    let answer = raw(&world, "/api/v1/intents", Some("application/json"), large.clone()).await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
    assert_eq!(answer.json()["detail"], "the body may have 262144 bytes on this route");
    // Without an announced length it is counted.
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    let answer =
        raw(&world, "/api/v1/intents", Some("application/json"), reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
    world.intent(&world.admin(A), "greet", json!([{ "action": "echo" }])).await;
    let input = json!({ "input": "a".repeat(512 * 1024) }).to_string();
    raw(&world, "/api/v1/intents/greet/execute", Some("application/json"), input).await.is(202);
}

#[tokio::test]
async fn query_parameters_are_known_typed_and_given_once() {
    let world = World::start().await;
    let token = world.admin(A);
    let queries = [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=2147483648",
        "limit=1e3",
        "limit=abc",
        "status=gone",
        "environment=prod",
        "label=team",
        "limit=1&limit=2",
        "sort=name",
        "tenant_id=tenant-b",
    ];
    for query in queries {
        let answer = world.get(&token, &format!("/api/v1/intents?{query}")).await;
        assert_eq!(answer.problem(), (422, "invalid-parameter".into()), "{query}");
    }
    let answer = world.get(&token, "/api/v1/intents?stats=active").await;
    assert_eq!(answer.json()["errors"][0]["hint"], "did you mean \"status\"?");
    let many = "a=1&".repeat(10_000);
    let answer = world.get(&token, &format!("/api/v1/intents?{}", &many[..8_000])).await;
    assert_eq!(answer.problem(), (422, "invalid-parameter".into()));
    world.get(&token, "/api/v1/intents?q=%25'%3B--&name=%25_").await.is(200);
}
