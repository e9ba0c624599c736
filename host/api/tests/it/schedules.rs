//! Schedules over HTTP: made, read, changed, started by, and refused.

use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, send};

const PATH: &str = "/api/v1/schedules";

/// A world with the intent `backup` of tenant A, on Monday 23 November 2026 at 10:00.
async fn world() -> (World, String) {
    let world = World::start().await;
    let token = world.admin(A);
    let input = json!({ "type": "object", "properties": { "keep": { "type": "integer" } } });
    let steps = json!([{ "action": "echo", "say": "hello" }]);
    let backup = json!({ "name": "backup", "definition": { "input": input, "steps": steps } });
    world.post(&token, "/api/v1/intents", &backup).await.is(201);
    (world, token)
}

fn body(changes: Value) -> Value {
    let mut body = json!({
        "name": "nightly", "intent": "backup", "input": { "keep": 7 },
        "cron": "30 2 * * *", "time_zone": "Europe/Berlin",
    });
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

async fn with_tag(
    world: &World,
    token: &str,
    method: &str,
    path: &str,
    tag: &str,
    body: Option<&Value>,
) -> Answer {
    let request = world.request(method, &format!("{PATH}/{path}")).bearer_auth(token).header("If-Match", tag);
    send(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_schedule_is_made_and_read_with_when_it_is_due() {
    let (world, token) = world().await;
    let made = world.post(&token, PATH, &body(json!({ "jitter": "5m" }))).await.is(201);
    assert_eq!((made.header("location"), made.header("etag")), ("/api/v1/schedules/nightly", "\"1\""));
    let read = world.get(&token, &format!("{PATH}/nightly")).await.is(200);
    assert_eq!((read.json(), read.header("etag")), (made.json(), "\"1\""));
    let schedule = read.json();
    assert_eq!(schedule["next"]["due_at"], "2026-11-24T01:30:00.000Z");
    assert_eq!(schedule["next"]["local"], "2026-11-24T02:30:00+01:00[Europe/Berlin]");
    assert_eq!(schedule["owner"], json!({ "id": "admin-tenant-a", "kind": "user" }));
    assert_eq!((&schedule["overlap"], &schedule["catch_up"]), (&json!("skip"), &json!(1)));
    assert_eq!((&schedule["jitter"], &schedule["paused"]), (&json!("5m"), &json!(false)));
    let again = world.post(&token, PATH, &body(json!({}))).await;
    assert_eq!(again.problem(), (409, "schedule-exists".into()));
    let list = world.get(&token, PATH).await.is(200).json();
    assert_eq!(list["items"], json!([schedule]));
    let of = |intent: &str| format!("{PATH}?intent={intent}");
    assert_eq!(world.get(&token, &of("backup")).await.is(200).json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.get(&token, &of("absent")).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_list_goes_on_page_by_page() {
    let (world, token) = world().await;
    for name in ["a", "b", "c"] {
        world.post(&token, PATH, &body(json!({ "name": name }))).await.is(201);
    }
    let first = world.get(&token, &format!("{PATH}?limit=2")).await.is(200).json();
    let next = first["next_page_token"].as_str().unwrap();
    let rest = world.get(&token, &format!("{PATH}?limit=2&page_token={next}")).await.is(200).json();
    let names = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&first), names(&rest)), (vec![json!("a"), json!("b")], vec![json!("c")]));
    assert_eq!(rest["next_page_token"], Value::Null);
}

#[tokio::test]
async fn due_times_are_shown_before_they_come() {
    let (world, token) = world().await;
    world.post(&token, PATH, &body(json!({}))).await.is(201);
    let times = async |query: &str| world.get(&token, &format!("{PATH}/nightly/times?{query}")).await;
    let spring = times("count=2&after=2026-03-28T12:00:00Z").await.is(200).json();
    let local: Vec<_> = spring["items"].as_array().unwrap().iter().map(|it| it["local"].clone()).collect();
    assert_eq!(
        local,
        ["2026-03-29T03:00:00+02:00[Europe/Berlin]", "2026-03-30T02:30:00+02:00[Europe/Berlin]"]
    );
    assert_eq!(times("").await.is(200).json()["items"].as_array().unwrap().len(), 10);
    for query in ["count=0", "count=101", "after=tomorrow", "from=x"] {
        assert_eq!(times(query).await.problem(), (422, "invalid-parameter".into()), "{query}");
    }
}

#[tokio::test]
async fn a_due_time_starts_an_execution_that_one_finds() {
    let (world, token) = world().await;
    world.add_member(A, "admin-tenant-a", &[Role::Admin], true).await;
    world.post(&token, PATH, &body(json!({ "labels": { "team": "web" } }))).await.is(201);
    world.clock.set(quantum_core::time::Timestamp::parse("2026-11-24T01:30:00Z").unwrap());
    world.engine.schedules_settled().await;
    let schedule = world.get(&token, &format!("{PATH}/nightly")).await.is(401);
    drop(schedule);
    let token = world.admin(A);
    let schedule = world.get(&token, &format!("{PATH}/nightly")).await.is(200).json();
    assert_eq!(schedule["counts"]["started"], 1);
    let id = schedule["last_start"]["execution_id"].as_str().unwrap();
    assert_eq!(schedule["next"]["due_at"], "2026-11-25T01:30:00.000Z");
    assert_eq!(schedule["etag"], "\"1\"", "what the host notes is no change of somebody's");
    let list = world.get(&token, "/api/v1/executions?label=quantum.schedule%3Dnightly").await.is(200).json();
    let execution = &list["items"][0];
    assert_eq!((execution["execution_id"].as_str(), list["items"].as_array().unwrap().len()), (Some(id), 1));
    let labels =
        json!({ "quantum.due": "2026-11-24T01:30:00.000Z", "quantum.schedule": "nightly", "team": "web" });
    assert_eq!((&execution["labels"], &execution["requested_by"]["id"]), (&labels, &json!("admin-tenant-a")));
}

#[tokio::test]
async fn what_the_owner_may_not_any_more_is_refused_and_told() {
    let (world, token) = world().await;
    let due = |day: u32| quantum_core::time::Timestamp::parse(&format!("2026-11-{day}T01:30:00Z")).unwrap();
    world.add_member(A, "olga", &[Role::Operator], true).await;
    world.post(&world.token("olga", A, &[Role::Operator]), PATH, &body(json!({}))).await.is(201);
    let error = async |day| {
        world.clock.set(due(day));
        world.engine.schedules_settled().await;
        world.get(&world.admin(A), &format!("{PATH}/nightly")).await.is(200).json()["last_error"]["code"]
            .clone()
    };
    world.add_member(A, "olga", &[Role::Viewer], true).await;
    assert_eq!(error(24).await, "forbidden");
    world.add_member(A, "olga", &[Role::Operator], false).await;
    assert_eq!(error(25).await, "principal-unknown");
    world.add_member(A, "olga", &[Role::Operator], true).await;
    world.post(&world.admin(A), "/api/v1/intents/backup/pause", &json!({})).await.is(200);
    assert_eq!(error(26).await, "intent-paused");
    // Somebody who may takes it over.
    world.post(&world.admin(A), "/api/v1/intents/backup/resume", &json!({})).await.is(200);
    world.add_member(A, "admin-tenant-a", &[Role::Admin], true).await;
    let token_now = world.admin(A);
    let replaced =
        with_tag(&world, &token_now, "PUT", "nightly", "*", Some(&body(json!({})))).await.is(200).json();
    assert_eq!(replaced["owner"]["id"], "admin-tenant-a");
    error(27).await;
    let counts = world.get(&world.admin(A), &format!("{PATH}/nightly")).await.json()["counts"].clone();
    assert_eq!(
        (&counts["refused"], &counts["refused_in_a_row"], &counts["started"]),
        (&json!(3), &json!(0), &json!(1))
    );
    drop(token);
}

#[tokio::test]
async fn changes_name_what_they_are_based_on() {
    let (world, token) = world().await;
    world.post(&token, PATH, &body(json!({}))).await.is(201);
    let hourly = body(json!({ "cron": "@hourly" }));
    let bare = send(world.request("PUT", &format!("{PATH}/nightly")).bearer_auth(&token).json(&hourly)).await;
    assert_eq!(bare.problem(), (428, "if-match-required".into()));
    let replaced = with_tag(&world, &token, "PUT", "nightly", "\"1\"", Some(&hourly)).await.is(200);
    assert_eq!((replaced.header("etag"), &replaced.json()["cron"]), ("\"2\"", &json!("@hourly")));
    let stale = with_tag(&world, &token, "PUT", "nightly", "\"1\"", Some(&hourly)).await;
    assert_eq!(stale.problem(), (412, "revision-conflict".into()));
    let stale = with_tag(&world, &token, "POST", "nightly/pause", "\"1\"", None).await;
    assert_eq!(stale.problem(), (412, "revision-conflict".into()));
    for (wrong, pointer) in [(json!({ "name": "other" }), "/name"), (json!({ "paused": true }), "/paused")] {
        let answer = with_tag(&world, &token, "PUT", "nightly", "*", Some(&body(wrong))).await;
        assert_eq!(
            (answer.problem(), &answer.json()["errors"][0]["pointer"]),
            ((422, "invalid-body".into()), &json!(pointer))
        );
    }
    let stale = with_tag(&world, &token, "DELETE", "nightly", "\"1\"", None).await;
    assert_eq!(stale.problem(), (412, "revision-conflict".into()));
    with_tag(&world, &token, "DELETE", "nightly", "\"2\"", None).await.is(204);
    assert_eq!(world.get(&token, &format!("{PATH}/nightly")).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_paused_schedule_is_due_when_it_is_resumed() {
    let (world, token) = world().await;
    let made = world.post(&token, PATH, &body(json!({ "paused": true }))).await.is(201).json();
    assert_eq!((&made["paused"], &made["next"]), (&json!(true), &Value::Null));
    let resumed = world.post(&token, &format!("{PATH}/nightly/resume"), &json!({})).await.is(200).json();
    assert_eq!(resumed["next"]["due_at"], "2026-11-24T01:30:00.000Z");
    let paused = world.post(&token, &format!("{PATH}/nightly/pause"), &json!({})).await.is(200).json();
    assert_eq!((&paused["paused"], &paused["etag"]), (&json!(true), &json!("\"3\"")));
    let times = world.get(&token, &format!("{PATH}/nightly/times?count=1")).await.is(200).json();
    assert_eq!(times["items"].as_array().unwrap().len(), 1, "when it would be due");
}

#[tokio::test]
async fn what_is_wrong_with_a_schedule_is_told_with_its_place() {
    let (world, token) = world().await;
    let cases = [
        (json!({ "cron": "0 0 30 2 *" }), "invalid-schedule", "/cron", "cron-never"),
        (json!({ "cron": "61 * * * *" }), "invalid-schedule", "/cron", "cron-line"),
        (json!({ "time_zone": "Berlin" }), "invalid-schedule", "/time_zone", "time-zone"),
        (json!({ "catch_up": 101 }), "invalid-schedule", "/catch_up", "schedule-range"),
        (json!({ "jitter": "soon" }), "invalid-schedule", "/jitter", "duration"),
        (json!({ "ends_at": "2026-11-23T11:00:00Z" }), "invalid-schedule", "/ends_at", "cron-never"),
        (
            json!({ "labels": { "quantum.x": "y" } }),
            "invalid-schedule",
            "/labels/quantum.x",
            "schedule-label",
        ),
        (json!({ "name": "Nightly" }), "invalid-schedule", "/name", "schedule-name"),
        (json!({ "intent": "absent" }), "invalid-schedule", "/intent", "intent-unknown"),
        (json!({ "intent": "Not a name" }), "invalid-schedule", "/intent", "intent-name"),
        (json!({ "input": { "keep": "all" } }), "invalid-schedule", "/input/keep", "input"),
        (json!({ "overlap": "wait" }), "invalid-body", "/overlap", "invalid-body"),
        (json!({ "starts_at": "tomorrow" }), "invalid-body", "/starts_at", "invalid-body"),
        (json!({ "name": null }), "invalid-body", "/name", "invalid-body"),
        (json!({ "catch_up": -1 }), "invalid-body", "/catch_up", "invalid-body"),
        (json!({ "input": [] }), "invalid-body", "/input", "invalid-body"),
        (json!({ "crom": "x" }), "invalid-body", "/crom", "invalid-body"),
    ];
    for (change, code, pointer, finding) in cases {
        let answer = world.post(&token, PATH, &body(change.clone())).await;
        assert_eq!(answer.problem(), (422, code.into()), "{change}");
        let first = &answer.json()["errors"][0];
        assert_eq!(
            (&first["pointer"], &first["code"]),
            (&json!(pointer), &json!(finding)),
            "{}",
            answer.text
        );
    }
    let both = world.post(&token, PATH, &body(json!({ "name": "X", "cron": "x" }))).await.json();
    assert_eq!(both["errors"].as_array().unwrap().len(), 2, "{both}");
    assert_eq!(world.get(&token, PATH).await.json()["items"], json!([]));
}

#[tokio::test]
async fn operators_schedule_and_viewers_look() {
    let (world, token) = world().await;
    for (user, role) in [("olga", Role::Operator), ("vera", Role::Viewer), ("arthur", Role::Author)] {
        world.add_member(A, user, &[role], true).await;
    }
    let (olga, vera) = (world.token("olga", A, &[Role::Operator]), world.token("vera", A, &[Role::Viewer]));
    for (user, role) in [("vera", Role::Viewer), ("arthur", Role::Author)] {
        let refused = world.post(&world.token(user, A, &[role]), PATH, &body(json!({}))).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()), "{user}");
    }
    world.post(&olga, PATH, &body(json!({}))).await.is(201);
    assert_eq!(world.get(&vera, PATH).await.is(200).json()["items"].as_array().unwrap().len(), 1);
    for (method, path) in
        [("PUT", "nightly"), ("DELETE", "nightly"), ("POST", "nightly/pause"), ("POST", "nightly/resume")]
    {
        let refused = with_tag(&world, &vera, method, path, "*", Some(&body(json!({})))).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()), "{method} {path}");
    }
    // An archived intent gets no schedules, and can be rid of those it has.
    world.post(&token, "/api/v1/intents/backup/archive", &json!({})).await.is(200);
    let refused = world.post(&token, PATH, &body(json!({ "name": "other" }))).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    with_tag(&world, &olga, "POST", "nightly/pause", "*", None).await.is(200);
    let refused = with_tag(&world, &olga, "POST", "nightly/resume", "*", None).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    with_tag(&world, &olga, "DELETE", "nightly", "*", None).await.is(204);
}

#[tokio::test]
async fn an_intent_of_another_tenant_is_like_one_that_does_not_exist() {
    let (world, _) = world().await;
    let token = world.admin(B);
    let foreign = world.post(&token, PATH, &body(json!({}))).await;
    let absent = world.post(&token, PATH, &body(json!({ "intent": "absent" }))).await;
    assert_eq!(foreign.problem(), (422, "invalid-schedule".into()));
    assert_eq!(foreign.normal().replace("backup", "absent"), absent.normal());
}
