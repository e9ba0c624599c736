//! What is taken away in a running host bites at the next request of a running step: policies, hosts, the plugin,
//! secrets. And the lines of denials, typed as they are told.

use std::fs;
use std::sync::Arc;

use quantum_core::manifest::Manifest;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::guests::{guest, manifest, pack};
use crate::home::{Home, Host, TENANT, poll_again};

/// Looks at a host until it counts as hanging: a minute.
const LOOKS_MAX: u32 = 12_000;

/// A web server that says of each request that it came, and answers when it is let.
struct Server {
    port: u16,
    came: mpsc::UnboundedReceiver<()>,
    answers: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, came) = mpsc::unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let let_go = answers.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (told, let_go) = (told.clone(), let_go.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                        if head.ends_with(b"\r\n\r\n") {
                            head.clear();
                            told.send(()).unwrap();
                            let_go.acquire().await.unwrap().forget();
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                            stream.write_all(answer).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { port, came, answers, task }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Requests that came and were not waited for.
    fn more(&mut self) -> usize {
        std::iter::from_fn(|| self.came.try_recv().ok()).count()
    }
}

/// Sends a secret twice, to this port; a refusal is a trap.
fn twice(port: u16) -> Vec<u8> {
    let authority = format!("127.0.0.1:{port}");
    let imports = format!(
        r#"
        (import "quantum:secrets/secrets@1.0.0" "placeholder" (func $placeholder (param i32 i32 i32)))
        (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
        (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
            (func $authority (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
            (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
            (func $path (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
        (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
            (func $subscribe (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
        (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
        (data (i32.const 1104) "TOKEN")
        (data (i32.const 1120) "x-token")
        (data (i32.const 1136) "{authority}")
        (data (i32.const 1168) "/")
        (func $ask
            (local $headers i32) (local $request i32) (local $future i32)
            (local.set $headers (call $fields))
            (call $append (local.get $headers) (i32.const 1120) (i32.const 7)
                (i32.load (i32.const 2052)) (i32.load (i32.const 2056)) (i32.const 4096))
            (local.set $request (call $request (local.get $headers)))
            (drop (call $scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
            (drop (call $authority (local.get $request) (i32.const 1) (i32.const 1136) (i32.const {length})))
            (drop (call $path (local.get $request) (i32.const 1) (i32.const 1168) (i32.const 1)))
            (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 4096))
            (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
            (local.set $future (i32.load (i32.const 4104)))
            (call $block (call $subscribe (local.get $future)))
            (call $get (local.get $future) (i32.const 4096))
            (if (i32.load8_u (i32.const 4112)) (then (unreachable))))
        "#,
        length = authority.len(),
    );
    let run = "
        (call $placeholder (i32.const 1104) (i32.const 5) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then (unreachable)))
        (call $ask)
        (call $ask)
        (call $ok (i32.const 1040) (i32.const 6))";
    guest(&imports, run)
}

/// A host with the plugin, its secret, and an intent that runs it.
struct World {
    home: Home,
    host: Host,
    client: Client,
    server: Server,
    intent: String,
}

impl World {
    async fn start() -> Self {
        let config = "policies_dir = \"policies.d\"\n[egress]\nallow_cidrs = [\"127.0.0.0/8\"]";
        let home = Home::with_plugins(&[], config);
        fs::create_dir(home.path("policies.d")).unwrap();
        let (host, server) = (home.start(), Server::start().await);
        home.create_tenant(&host, TENANT);
        let client = home.admin(&host);
        let mut world = Self { client, home, host, server, intent: String::new() };
        world.client.upload(&format!("allow_host={}", world.server.url()), world.plugin(true)).await.is(201);
        world.set_secret();
        world.intent = world.client.intent("twice", json!({ "steps": [{ "action": "twice" }] })).await;
        world
    }

    /// The component, with a slot or with hosts of its own.
    fn plugin(&self, slot: bool) -> Vec<u8> {
        let mut says = manifest("twice");
        says["capabilities"] = json!({ "http": {}, "secrets": [{ "name": "TOKEN" }] });
        if slot {
            says["capabilities"]["http"]["slots"] = json!(["target"]);
        }
        pack(&twice(self.server.port), &says)
    }

    fn set_secret(&self) {
        let url = self.server.url();
        let set = ["secret", "set", "TOKEN", "--environment", "development", "--host", &url];
        self.typed(&set, "s3cr3t-value");
    }

    /// A command of the tenant's administrator.
    fn typed(&self, arguments: &[&str], input: &str) {
        self.home.run_with(Some(&self.host), arguments, input).ok();
    }

    /// Runs the step, does this between its two requests, and gives the execution and how many requests came.
    async fn between(&mut self, change: impl AsyncFnOnce(&Self)) -> (Value, usize) {
        let started = self.client.execute(&self.intent, &json!({})).await;
        tokio::select! {
            came = self.server.came.recv() => came.unwrap(),
            events = self.client.events(&started) => panic!("it made no request: {}", events.last().unwrap()),
        }
        change(self).await;
        self.server.answers.add_permits(2);
        let events = self.client.events(&started).await;
        let last = events.last().unwrap().clone();
        // What was not asked for is not answered either.
        self.server.answers.forget_permits(2);
        (last, 1 + self.server.more())
    }

    /// The second request must be denied by this rule; the line that would allow it.
    async fn denied(&mut self, rule: &str, change: impl AsyncFnOnce(&Self)) -> String {
        let (last, requests) = self.between(change).await;
        let error = &last["error"];
        assert_eq!(
            (&last["type"], &error["code"]),
            (&json!("execution_failed"), &json!("effect-denied")),
            "{last}"
        );
        assert_eq!((&error["details"]["rule"], requests), (&json!(rule), 1), "{last}");
        let line = error["details"]["allow_with"].as_str().unwrap_or_default().to_owned();
        assert!(error["message"].as_str().unwrap().contains(&line), "{last}");
        line
    }

    /// Both requests must go through.
    async fn is_well(&mut self) {
        let (last, requests) = self.between(async |_| {}).await;
        assert_eq!((&last["type"], requests), (&json!("execution_completed"), 2), "{last}");
    }

    /// What the host says of its policies, once it is this.
    async fn policies(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let admin = self.client.at(&self.host.admin);
        for _ in 0..LOOKS_MAX {
            let policies = admin.get("/readyz").await.is(200).json()["policies"].clone();
            if wanted(&policies) {
                return policies;
            }
            poll_again();
        }
        panic!("the policies did not become what was wanted: {}", self.home.log());
    }

    /// Writes the file, and waits until its policies are in force.
    async fn put(&self, text: &str) {
        let before = self.policies(|_| true).await;
        fs::write(self.home.path("policies.d/team.cedar"), text).unwrap();
        self.host.signal(Signal::HUP);
        self.policies(|now| now["version"] != before["version"]).await;
    }

    async fn reloads(&self, outcome: &str) -> String {
        let text = self.client.at(&self.host.admin).get("/metrics").await.is(200).text;
        let line = format!("quantum_policy_reloads_total{{outcome=\"{outcome}\"}} ");
        text.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or("0").to_owned()
    }
}

const FORBID: &str = r#"
@id("team.no-calls")
@reason("No calls today.")
forbid (principal, action == Action::"http.request", resource)
when { resource.tls == false }"#;

#[tokio::test]
async fn a_policy_that_is_replaced_in_a_running_host_stops_the_next_request() {
    let mut world = World::start().await;
    world.is_well().await;
    let before = world.policies(|_| true).await;
    let line = world.denied("team.no-calls", async |world| world.put(&format!("{FORBID};")).await).await;
    // The exception, where the line says that it goes.
    let (clause, place) = line.split_once(" at the end of ").unwrap();
    assert_eq!(place, "the policy \"team.no-calls\" in policies_dir");
    world.put(&format!("{FORBID}\n{clause};")).await;
    world.is_well().await;
    // One file less is a change too.
    fs::remove_file(world.home.path("policies.d/team.cedar")).unwrap();
    world.host.signal(Signal::HUP);
    world.policies(|now| *now == before).await;
    assert_eq!((world.reloads("loaded").await, world.reloads("refused").await), ("3".into(), "0".into()));
}

#[tokio::test]
async fn a_policy_against_a_secret_stops_its_next_use() {
    let mut world = World::start().await;
    let forbid =
        "@id(\"team.frozen\")\nforbid (principal, action in Action::\"runtime\", resource is Secret)";
    let line = world.denied("team.frozen", async |world| world.put(&format!("{forbid};")).await).await;
    let (clause, _) = line.split_once(" at the end of ").unwrap();
    world.put(&format!("{forbid}\n{clause};")).await;
    world.is_well().await;
}

#[tokio::test]
async fn policies_with_findings_leave_those_before_in_force_and_are_told() {
    let mut world = World::start().await;
    world.put(&format!("{FORBID}\nunless {{ resource.port > 1 }};")).await;
    let before = world.policies(|_| true).await;
    fs::write(world.home.path("policies.d/zbroken.cedar"), "permit (principal").unwrap();
    world.host.signal(Signal::HUP);
    let now = world.policies(|now| !now["refused"].is_null()).await;
    assert_eq!(now["refused"], "1 findings; see them with: quantum policy check policies.d");
    assert_eq!(now["version"], before["version"]);
    world.is_well().await;
    assert_eq!(world.reloads("refused").await, "1");
    assert!(world.home.log().contains("the changed policies are refused, and those before stay in force"));
    // The folder is mended, and nobody says so.
    fs::remove_file(world.home.path("policies.d/zbroken.cedar")).unwrap();
    assert_eq!(world.policies(|now| now["refused"].is_null()).await, before);
    assert_eq!(world.reloads("unchanged").await, "1");
}

#[tokio::test]
async fn a_change_of_the_folder_is_seen_without_a_signal() {
    let mut world = World::start().await;
    let line = world
        .denied("team.no-calls", async |world| {
            let before = world.policies(|_| true).await;
            fs::write(world.home.path("policies.d/team.cedar"), format!("{FORBID};")).unwrap();
            world.policies(|now| now["version"] != before["version"]).await;
        })
        .await;
    assert!(line.starts_with("unless { "), "{line}");
}

#[tokio::test]
async fn a_host_that_the_installer_takes_back_is_denied_and_the_told_command_gives_it_back() {
    let mut world = World::start().await;
    let elsewhere = ["plugin", "configure", "test:twice", "--allow-host", "https://api.example.com"];
    let line = world.denied("grant.hosts", async |world| world.typed(&elsewhere, "")).await;
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..5], ["quantum", "plugin", "configure", "test:twice", "--allow-host"]);
    world.typed(&words[1..], "");
    world.is_well().await;
    let installed = world.client.get("/api/v1/installations/test:twice").await.is(200).json();
    assert_eq!(installed["hosts"], json!(["https://api.example.com", world.server.url()]));
}

#[tokio::test]
async fn a_plugin_that_is_uninstalled_makes_no_more_requests() {
    let mut world = World::start().await;
    let uninstall = ["plugin", "uninstall", "test:twice"];
    let line = world.denied("grant.installation", async |world| world.typed(&uninstall, "")).await;
    let file = world.home.file("twice.wasm", world.plugin(true));
    let line = line.replace("FILE", &file);
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..4], ["quantum", "plugin", "install", &file]);
    world.typed(&words[1..], "");
    world.is_well().await;
}

#[tokio::test]
async fn a_secret_that_is_deleted_is_not_sent_again() {
    let mut world = World::start().await;
    let delete = ["secret", "delete", "TOKEN"];
    world.denied("secret.missing", async |world| world.typed(&delete, "")).await;
    world.set_secret();
    world.is_well().await;
}

#[tokio::test]
async fn a_secret_for_other_hosts_is_not_sent_again_and_the_told_command_binds_it_to_both() {
    let mut world = World::start().await;
    let elsewhere =
        ["secret", "set", "TOKEN", "--environment", "development", "--host", "https://api.example.com"];
    let line = world.denied("secret.hosts", async |world| world.typed(&elsewhere, "s3cr3t-value")).await;
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..4], ["quantum", "secret", "set", "TOKEN"]);
    world.typed(&words[1..], "s3cr3t-value");
    world.is_well().await;
}

#[tokio::test]
async fn the_line_for_a_plugin_without_a_slot_goes_into_its_manifest() {
    let mut world = World::start().await;
    let mut says = manifest("fixed");
    says["capabilities"] =
        json!({ "http": { "hosts": ["https://api.example.com"] }, "secrets": [{ "name": "TOKEN" }] });
    let install = |says: &Value| pack(&twice(world.server.port), says);
    world.client.upload("", install(&says)).await.is(201);
    world.intent = world.client.intent("fixed", json!({ "steps": [{ "action": "fixed" }] })).await;
    let denied = world.client.run(&world.intent, &json!({})).await;
    let line = denied["error"]["details"]["allow_with"].as_str().unwrap();
    let list = line.strip_prefix("\"hosts\": ").unwrap();
    let list = list.strip_suffix(" under \"capabilities.http\" of the plugin's manifest").unwrap();
    says["capabilities"]["http"]["hosts"] = serde_json::from_str(list).unwrap();
    says["version"] = json!("1.0.1");
    assert!(serde_json::from_value::<Manifest>(says.clone()).is_ok());
    world.client.upload("accept_gains=true", install(&says)).await.is(201);
    world.is_well().await;
}
