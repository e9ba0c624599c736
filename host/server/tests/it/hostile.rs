//! Plugins that mean harm, installed over the API and run as steps: what is about more than one error and its text.
//! `corpus.rs` has the others.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, send};
use crate::guests::{done, guest, manifest, pack};
use crate::home::{Home, Host, TENANT};

/// A host with a tenant, an administrator, and an intent that always works.
pub struct World {
    pub client: Client,
    pub host: Host,
    pub home: Home,
}

impl World {
    async fn start() -> Self {
        Self::on(Home::new("")).await
    }

    pub async fn on(home: Home) -> Self {
        let host = home.start();
        home.create_tenant(&host, TENANT);
        let client = home.admin(&host);
        client.intent("well", json!({ "steps": [{ "action": "hello", "name": "Ada" }] })).await;
        Self { client, host, home }
    }

    /// Installs the guest as a plugin `test:NAME` and runs its action once.
    async fn run(&self, name: &str, component: &[u8], step: Value) -> Value {
        self.client.upload("", pack(component, &manifest(name))).await.is(201);
        self.step(name, name, step).await
    }

    /// Runs an intent of one step, once.
    pub async fn step(&self, name: &str, action: &str, mut step: Value) -> Value {
        step["id"] = json!("harm");
        step["action"] = json!(action);
        let id = self.client.intent(name, json!({ "steps": [step] })).await;
        self.client.run(&id, &json!({})).await
    }

    /// The execution must have failed with this code and text, at its only step, at its only attempt.
    #[track_caller]
    fn check(execution: &Value, code: &str, message: &str) {
        assert_eq!(execution["status"], "failed", "{execution}");
        let step = &execution["steps"][0];
        assert_eq!((&step["status"], &step["attempts"]), (&json!("failed"), &json!(1)), "{step}");
        for error in [&execution["error"], &step["error"]] {
            assert_eq!((error["code"].as_str(), error["message"].as_str()), (Some(code), Some(message)));
        }
    }

    async fn fails(&self, name: &str, component: &[u8], step: Value, code: &str, message: &str) -> Value {
        let execution = self.run(name, component, step).await;
        Self::check(&execution, code, message);
        let last = self.client.events(execution["execution_id"].as_str().unwrap()).await.pop().unwrap();
        assert_eq!((&last["type"], &last["error"]), (&json!("execution_failed"), &execution["error"]));
        self.is_well().await;
        execution
    }

    pub async fn is_well(&self) {
        let execution = self.client.run("well", &json!({})).await;
        assert_eq!(execution["status"], "succeeded", "{execution}");
        assert_eq!(execution["steps"][0]["output"], json!({ "text": "Hello, Ada!" }));
    }
}

#[tokio::test]
async fn a_trap_ends_the_execution_and_nothing_else() {
    let world = World::start().await;
    let message = "the plugin trapped: wasm `unreachable` instruction executed";
    let execution = world.fails("trap", &guest("", "(unreachable)"), json!({}), "trap", message).await;
    assert_eq!(execution["error"]["details"], json!({ "backtrace": ["run"] }));
    assert_eq!(execution["error"]["retryable"], false);
}

#[tokio::test]
async fn an_import_that_is_not_declared_is_refused_at_the_installation() {
    let world = World::start().await;
    let import = r#"(import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))"#;
    let http = guest(import, "(drop (call $fields)) (call $ok (i32.const 1040) (i32.const 6))");
    let refused = world.client.upload("", pack(&http, &manifest("secret-http"))).await;
    let told = (422, "invalid-plugin".into(), "the plugin cannot be installed as it is".into());
    assert_eq!(refused.problem(), told);
    let finding = json!({
        "pointer": "/capabilities",
        "code": "capability-undeclared",
        "message": "imports wasi:http/types@0.2.12, and http is not declared",
        "hint": "declare it with #[action(http = \"https://api.example.com\" or http = slot(\"name\"))]",
        "severity": "error",
    });
    assert!(refused.json()["errors"].as_array().unwrap().contains(&finding), "{}", refused.text);

    // Nothing of it stayed: its action is unknown.
    let id = world.client.intent("secret-http", json!({ "steps": [{ "action": "secret-http" }] })).await;
    let started = send(world.client.request(Method::POST, &format!("/api/v1/intents/{id}/execute"))).await;
    assert_eq!(started.problem().1, "invalid-document");
    world.is_well().await;
}

#[tokio::test]
async fn bytes_that_are_no_component_are_refused() {
    let world = World::start().await;
    let module = wat::parse_str("(module)").unwrap();
    let mut broken = done();
    broken.truncate(100);
    let cases = [
        (
            b"no component".to_vec(),
            "the file is not WebAssembly; name a component that was made with: quantum plugin build",
        ),
        (module, "the file is a core module, not a component; build it for the target wasm32-wasip2"),
        (broken, "the file is not a valid component: unexpected end-of-file (at byte 59)"),
        (done(), "the component has no manifest; make it with: quantum plugin build"),
    ];
    for (bytes, reason) in cases {
        let (status, code, detail) = world.client.upload("", bytes).await.problem();
        assert_eq!((status, code.as_str(), detail.as_str()), (422, "invalid-plugin", reason));
    }
    world.is_well().await;
}

#[tokio::test]
async fn a_manifest_that_lies_about_the_result_fails_the_step() {
    let world = World::start().await;
    let mut says = manifest("liar");
    says["actions"][0]["result"] = json!({ "type": "object" });
    world.client.upload("", pack(&done(), &says)).await.is(201);
    let execution = world.step("liar", "liar", json!({})).await;
    let message = "the result does not fit the schema of the action \"liar\": at the top: \"done\" is not of type \"object\"";
    World::check(&execution, "invalid-output", message);
    world.is_well().await;
}

#[tokio::test]
async fn a_component_with_two_manifests_is_refused() {
    let world = World::start().await;
    let once = pack(&done(), &manifest("twice"));
    let section = once[done().len()..].to_vec();
    let refused = world.client.upload("", [once, section].concat()).await;
    let told = "the component has more than one manifest; build it again with: quantum plugin build";
    assert_eq!(refused.problem(), (422, "invalid-plugin".into(), told.into()));
    world.is_well().await;
}

#[tokio::test]
async fn a_plugin_under_the_name_of_a_bundled_one_is_its_tenants_alone_and_inherits_no_consent() {
    let world =
        World::on(Home::with_http("[plugins.http]\nallow_hosts = [\"https://api.example.com\"]")).await;
    world.home.create_tenant(&world.host, "tenant-456");
    let other = Client::new(&world.host.url, &world.home.token("tenant-456", "eve", &["admin"]));
    for name in ["hello", "http"] {
        let mut says = manifest(name);
        says["id"] = json!(format!("quantum:{name}"));
        let installed = other.upload("", pack(&done(), &says)).await.is(201).json();
        assert_eq!((&installed["hosts"], &installed["bundled"]), (&json!([]), &json!(false)));
    }
    let steps = json!({ "steps": [{ "action": "hello" }] });
    let id = other.intent("replaced", steps).await;
    assert_eq!(other.run(&id, &json!({})).await["steps"][0]["output"], "done");
    world.is_well().await;
}

#[tokio::test]
async fn a_manifest_cannot_ask_for_more_memory_than_the_host_gives() {
    let world = World::start().await;
    let mut says = manifest("greedy");
    says["memory_bytes_max"] = json!(1_u64 << 40);
    let run = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    world.client.upload("", pack(&guest("", run), &says)).await.is(201);
    let execution = world.step("greedy", "greedy", json!({})).await;
    let message = "the plugin asked for more than its 256 MiB of memory; a plugin that needs more says so by \
                   `memory_bytes_max` in its manifest";
    World::check(&execution, "memory-limit", message);
    world.is_well().await;
}

/// One request of the bundled plugin http.
async fn request(world: &World, name: &str, url: &str) -> Value {
    world.step(name, "http-request", json!({ "url": url })).await
}

/// What `guard.address` says.
const GUARD: &str =
    "The address is loopback, link-local, private or a metadata service, and no operator named its range";

#[tokio::test]
async fn an_address_inside_is_refused_though_its_host_is_allowed() {
    let hosts = r#"["http://169.254.169.254", "http://127.0.0.1:*", "http://localhost:*"]"#;
    let world = World::on(Home::with_http(&format!("[plugins.http]\nallow_hosts = {hosts}"))).await;
    let metadata = request(&world, "metadata", "http://169.254.169.254/latest/meta-data/").await;
    let message = format!(
        "the request to http://169.254.169.254 was denied: {GUARD} (a metadata address, which nothing allows)"
    );
    World::check(&metadata, "effect-denied", &message);
    let details = &metadata["error"]["details"];
    assert_eq!((&details["rule"], &details["address_class"]), (&json!("guard.address"), &json!("metadata")));
    for host in ["127.0.0.1", "localhost"] {
        let name = format!("inside-{}", &host[..1].replace('1', "one"));
        let loopback = request(&world, &name, &format!("http://{host}:9/")).await;
        let message = format!(
            "the request to http://{host}:9 was denied: {GUARD} (a loopback address); allow it in \
                               quantum.toml with: egress.allow_cidrs = [\"127.0.0.0/8\"]"
        );
        World::check(&loopback, "effect-denied", &message);
    }
    world.is_well().await;
}

#[tokio::test]
async fn a_metadata_address_stays_forbidden_in_a_range_that_is_allowed() {
    let config = "[egress]\nallow_cidrs = [\"169.254.0.0/16\"]\n\
                  [plugins.http]\nallow_hosts = [\"http://169.254.169.254\"]";
    let world = World::on(Home::with_http(config)).await;
    let metadata = request(&world, "metadata", "http://169.254.169.254/latest/meta-data/").await;
    let message = format!(
        "the request to http://169.254.169.254 was denied: {GUARD} (a metadata address, which nothing allows)"
    );
    World::check(&metadata, "effect-denied", &message);
    world.is_well().await;
}

#[tokio::test]
async fn a_host_that_nobody_allowed_is_refused_with_the_line_that_allows_it() {
    let world = World::on(Home::with_http("")).await;
    let denied = request(&world, "outside", "https://api.example.com/v1").await;
    let message = "the request to https://api.example.com was denied: the installation does not allow this host; allow \
                   it with: plugins.http.allow_hosts = [\"https://api.example.com\"] in quantum.toml";
    World::check(&denied, "effect-denied", message);
    world.is_well().await;
}
