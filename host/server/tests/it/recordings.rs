//! An attempt that failed on a host is recorded, and made again at home: by the same component, by a mended one, and by
//! one that does something else.

use quantum_core::recording::Recording;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, send};
use crate::guests::{guest, manifest, pack};
use crate::home::{Home, Host, TENANT};

/// Asks for the value of a key, which is as many bytes of `{nope`, and ends so.
fn asks(bytes: u32, end: &str) -> Vec<u8> {
    let import = r#"(import "quantum:kv/kv@1.0.0" "get" (func $get (param i32 i32 i32)))"#;
    let body = format!("(call $get (i32.const 1024) (i32.const {bytes}) (i32.const 4096)) {end}");
    let mut manifest = manifest("asks");
    manifest["capabilities"] = json!({ "kv": true });
    pack(&guest(import, &body), &manifest)
}

struct World {
    home: Home,
    host: Host,
    client: Client,
    intent: String,
}

impl World {
    /// With a plugin that traps, and an intent of one step of it.
    async fn start() -> Self {
        let home = Home::new("");
        let host = home.start();
        home.create_tenant(&host, TENANT);
        let client = home.admin(&host);
        client.upload("", asks(3, "unreachable")).await.is(201);
        let intent = client.intent("asks", json!({ "steps": [{ "id": "ask", "action": "asks" }] })).await;
        Self { home, host, client, intent }
    }

    /// The id of an execution, which has failed.
    async fn fail(&self, body: Value) -> String {
        let path = format!("/api/v1/intents/{}/execute?wait=30s", self.intent);
        let ended = send(self.client.request(Method::POST, &path).json(&body)).await.is(200).json();
        assert_eq!(
            (&ended["status"], &ended["error"]["code"]),
            (&json!("failed"), &json!("trap")),
            "{ended}"
        );
        ended["execution_id"].as_str().unwrap().to_owned()
    }

    async fn recording(&self, client: &Client, execution: &str, query: &str) -> crate::client::Answer {
        let path = format!("/api/v1/executions/{execution}/steps/ask/recording{query}");
        send(client.request(Method::GET, &path)).await
    }
}

#[tokio::test]
async fn an_attempt_that_failed_on_a_host_is_made_again_at_home() {
    let world = World::start().await;
    let execution = world.fail(json!({ "labels": { "quantum/record": "failures" } })).await;
    let replay = |component: &[u8], more: &[&str]| {
        let file = world.home.file("asks.wasm", component);
        let typed = ["plugin", "replay", execution.as_str(), "ask", "--component", file.as_str()];
        world.home.run(Some(&world.host), &[&typed[..], more].concat())
    };
    let same = replay(&asks(3, "unreachable"), &[]);
    assert_eq!(same.code, Some(13), "{}", same.err);
    assert!(same.err.contains("it ended as recorded: failed: trap: "), "{}", same.err);

    let done = "(call $ok (i32.const 1040) (i32.const 6))";
    let cases = world.home.path("cases");
    let case = cases.join("again");
    let mended = replay(&asks(3, done), &["--save-case", case.to_str().unwrap()]);
    assert!(
        mended.err.contains("it ended otherwise than recorded: recorded failed: trap: "),
        "{}",
        mended.err
    );
    assert_eq!(mended.ok(), "\"done\"\n");

    let again = replay(&asks(3, done), &["--save-case", case.to_str().unwrap()]);
    assert!(again.err.contains("it is there already, and nothing is overwritten"), "{}", again.err);

    let other = replay(&asks(4, done), &[]);
    let told = "call 1 differs from the recorded one: expected kv.get \"{no\", got kv.get \"{nop\"; /key: expected \"{no\", \
                got \"{nop\"";
    assert_eq!(other.code, Some(1), "{}", other.err);
    assert!(other.err.replace("\n", " ").contains(told) || other.err.contains(told), "{}", other.err);

    let test = |component: Vec<u8>| {
        let file = world.home.file("asks.wasm", component);
        world.home.run(None, &["plugin", "test", &file, "--cases", cases.to_str().unwrap()])
    };
    assert!(test(asks(3, done)).ok().contains("1 passed, 0 failed"));
    let failed = test(asks(4, done));
    assert!(failed.out.contains("recording.json: call 1 differs"), "{}{}", failed.out, failed.err);
}

#[tokio::test]
async fn what_is_recorded_is_what_was_asked_for_and_the_tenant_allows() {
    let world = World::start().await;
    let (client, home) = (&world.client, &world.home);
    let plain = world.fail(json!({})).await;
    world.recording(client, &plain, "").await.is(404);
    let asked = world.fail(json!({ "labels": { "quantum/record": "all" } })).await;
    let answer = world.recording(client, &asked, "?attempt=1").await.is(200);
    let recording = Recording::read(answer.json().to_string().as_bytes()).unwrap();
    assert_eq!((recording.inputs.execution, recording.inputs.step), (asked.clone(), "ask".to_owned()));
    world.recording(client, &asked, "?attempt=2").await.is(404);
    world.recording(client, &asked, "?element=0").await.is(404);

    // It is no artifact of the execution.
    let artifacts = send(client.request(Method::GET, &format!("/api/v1/artifacts?execution={asked}"))).await;
    assert_eq!(artifacts.is(200).json()["items"], json!([]));
    // Who may view the execution may not read what its step was told.
    let viewer = Client::new(&world.host.url, &home.token(TENANT, "vera", &["viewer"]));
    send(viewer.request(Method::GET, &format!("/api/v1/executions/{asked}"))).await.is(200);
    world.recording(&viewer, &asked, "").await.is(403);

    home.run(Some(&world.host), &["settings", "set", "recordings=off"]).ok();
    let off = world.fail(json!({ "labels": { "quantum/record": "all" } })).await;
    world.recording(client, &off, "").await.is(404);
    let told = home.run(Some(&world.host), &["settings", "set", "recordings=failures"]).ok();
    assert!(
        told.lines().any(|line| line.starts_with("recordings ") && line.ends_with(" failures")),
        "{told}"
    );
    let each = world.fail(json!({})).await;
    world.recording(client, &each, "").await.is(200);
}
