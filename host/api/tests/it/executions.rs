//! Starting, waiting, reading, listing, cancelling.

use serde_json::{Value, json};

use crate::world::{A, World, send};

#[tokio::test]
async fn a_client_that_waits_gets_the_execution_when_it_ended() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "quick", json!([{ "action": "echo", "say": "${ input.tag }" }])).await;
    let path = format!("/api/v1/intents/{id}/execute?wait=30s");
    let body = json!({ "input": { "tag": "1.2.3" }, "labels": { "team": "web" } });
    let ended = world.post(&token, &path, &body).await.is(200);
    let execution = ended.json();
    assert_eq!(
        ended.header("location"),
        format!("/api/v1/executions/{}", execution["execution_id"].as_str().unwrap())
    );
    assert_eq!((&execution["status"], &execution["intent"]), (&json!("succeeded"), &json!("quick-v1")));
    assert_eq!(execution["steps"][0]["output"], json!({ "say": "1.2.3" }));
    assert_eq!(
        (&execution["progress"], &execution["bill"]["cpu_us"]),
        (&json!({ "done": 1, "total": 1 }), &json!(7))
    );
    assert_eq!(execution["labels"], json!({ "team": "web" }));
    let read = world.get(&token, ended.header("location")).await.is(200);
    assert_eq!(read.json(), execution);
}

#[tokio::test]
async fn a_wait_that_is_too_short_is_answered_as_if_there_was_none() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "slow", json!([{ "action": "hold" }])).await;
    let path = format!("/api/v1/intents/{id}/execute?wait=1ms");
    send(world.request("POST", &path).bearer_auth(&token)).await.is(202);
    let path = format!("/api/v1/intents/{id}/execute?wait=61s");
    let refused = send(world.request("POST", &path).bearer_auth(&token)).await;
    assert_eq!(refused.problem(), (422, "invalid-parameter".into()));
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_refused_with_every_finding() {
    let world = World::start().await;
    let token = world.admin(A);
    let input =
        json!({ "type": "object", "required": ["tag"], "properties": { "n": { "type": "integer" } } });
    let body = json!({ "name": "typed", "definition": { "input": input, "steps": [{ "action": "echo" }] } });
    world.post(&token, "/api/v1/intents", &body).await.is(201);
    let refused =
        world.post(&token, "/api/v1/intents/typed/execute", &json!({ "input": { "n": "x" } })).await;
    assert_eq!(refused.problem(), (422, "invalid-input".into()));
    assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 2);
    let body = json!({ "input": { "tag": "1" }, "priority": 10 });
    let refused = world.post(&token, "/api/v1/intents/typed/execute", &body).await;
    assert_eq!(refused.problem(), (422, "invalid-body".into()));
}

#[tokio::test]
async fn executions_are_listed_newest_first_by_filter() {
    let world = World::start().await;
    let token = world.admin(A);
    for name in ["one", "two"] {
        let id = world.intent(&token, name, json!([{ "action": "echo" }])).await;
        world.clock.advance(1_000);
        let path = format!("/api/v1/intents/{id}/execute?wait=30s");
        world.post(&token, &path, &json!({ "labels": { "of": name } })).await.is(200);
    }
    let names = async |query: &str| -> Vec<String> {
        let list = world.get(&token, &format!("/api/v1/executions?{query}")).await.is(200).json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["intent"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("").await, ["two-v1", "one-v1"]);
    assert_eq!(names("intent=one").await, ["one-v1"]);
    assert_eq!(names("label=of=two&status=succeeded").await, ["two-v1"]);
    assert!(names("status=failed").await.is_empty());
}

#[tokio::test]
async fn a_cancelled_execution_ends_and_cannot_be_cancelled_again() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "held", json!([{ "action": "hold" }, { "action": "echo" }])).await;
    let execution = world.execute(&token, &id).await;
    let path = format!("/api/v1/executions/{execution}/cancel");
    let cancelled = world.post(&token, &path, &json!({ "reason": "wrong tag" })).await.is(202);
    assert_eq!(cancelled.json()["cancel_requested"], true);
    world.clock.advance(60_000);
    world.gate.add_permits(1);
    let events = world.get(&token, &format!("/api/v1/executions/{execution}/events")).await.is(200).text;
    assert!(
        events.contains("\"reason\":\"wrong tag\"") && events.contains("event: execution_cancelled"),
        "{events}"
    );
    let again = send(world.request("POST", &path).bearer_auth(&token)).await;
    assert_eq!(again.problem(), (409, "execution-ended".into()));
}

#[tokio::test]
async fn log_lines_are_told_live_and_kept() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "chatty", json!([{ "action": "hold" }, { "action": "talk" }])).await;
    let execution = world.execute(&token, &id).await;
    let follow = world.request("GET", &format!("/api/v1/executions/{execution}/events")).bearer_auth(&token);
    let response = follow.send().await.unwrap();
    world.gate.add_permits(1);
    let text = response.text().await.unwrap();
    let line = text.split("\n\n").find(|block| block.contains("step_log")).unwrap();
    assert!(!line.contains("id: ") && line.contains("\"message\":\"hello\""), "{line}");
    let logs = loop {
        let logs =
            world.get(&token, &format!("/api/v1/executions/{execution}/logs?step=talk")).await.is(200).json();
        if !logs["items"].as_array().unwrap().is_empty() {
            break logs;
        }
        tokio::task::yield_now().await;
    };
    let first: &Value = &logs["items"][0];
    assert_eq!(
        (&first["type"], &first["level"], &first["number"]),
        (&json!("step_log"), &json!("info"), &json!(1))
    );
}

#[tokio::test]
async fn an_execution_that_is_over_its_time_is_not_found_as_one_that_never_was() {
    let world = World::start().await;
    let token = world.admin(A);
    let id = world.intent(&token, "quick", json!([{ "action": "echo" }])).await;
    let gone = world.execute(&token, &id).await;
    // Ends with the execution.
    world.get(&token, &format!("/api/v1/executions/{gone}/events")).await.is(200);
    world.clock.advance(30 * 24 * 60 * 60 * 1_000);
    world.engine.retention_settled().await;
    let token = world.admin(A);
    let never = "0198c0de-0000-7000-8000-000000000000";
    for rest in ["", "/events", "/logs", "/steps/echo"] {
        let answer = async |id: &str| {
            let answer = world.get(&token, &format!("/api/v1/executions/{id}{rest}")).await;
            assert_eq!(answer.problem(), (404, "not-found".into()), "{rest}");
            answer.normal().replace(id, "IT")
        };
        assert_eq!(answer(&gone).await, answer(never).await, "{rest}");
    }
    let list = world.get(&token, "/api/v1/executions").await.is(200).json();
    assert_eq!(list["items"], json!([]));
}
