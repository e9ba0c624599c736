//! How a host starts, ends, and says what is wrong.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, logged, send, types};
use crate::home::{Home, TENANT};
use crate::service::Service;

/// Steps may call the test's service.
const LOOPBACK: &str = "[egress]\nallow_cidrs = [\"127.0.0.0/8\"]\n\
                        [plugins.http]\nallow_hosts = [\"http://127.0.0.1:*\"]\n";

/// An intent whose second step waits until the service lets it go.
async fn held(client: &Client, service: &Service) -> String {
    let url = format!("{}/hold", service.url());
    let steps = json!([
        { "id": "before", "action": "hello", "name": "Ada" },
        { "id": "held", "action": "http-request", "url": url },
        { "id": "after", "action": "hello", "name": "Bob" },
    ]);
    let id = client.intent("held", json!({ "steps": steps })).await;
    client.execute(&id, &json!({})).await
}

fn of_step<'a>(events: &'a [Value], step: &str) -> Vec<(&'a str, u64)> {
    let events = events.iter().filter(|event| event["step"] == step);
    events.map(|event| (event["type"].as_str().unwrap(), event["attempt"].as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_told_to_stop_lets_the_running_step_end_and_the_next_host_goes_on() {
    let home = Home::with_http(LOOPBACK);
    let mut service = Service::start().await;
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let client = home.admin(&host);
    let execution = held(&client, &service).await;
    assert_eq!(service.requests.recv().await.as_deref(), Some("/hold"));
    host.terminate();
    service.let_go(1);
    let status = host.wait();
    assert!(status.success(), "{status}: {}", home.log());

    let host = home.start();
    let events = client.at(&host.url).events(&execution).await;
    assert_eq!(events.last().unwrap()["type"], "execution_completed");
    assert_eq!(of_step(&events, "held"), [("step_started", 1), ("step_completed", 1)]);
    assert!(service.requests.try_recv().is_err(), "the step ran once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_outlasts_the_grace_runs_again_after_the_restart() {
    let home = Home::with_http(&format!("{LOOPBACK}[engine]\nshutdown_grace_ms = 50"));
    let mut service = Service::start().await;
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let client = home.admin(&host);
    let execution = held(&client, &service).await;
    assert_eq!(service.requests.recv().await.as_deref(), Some("/hold"));
    host.stop();

    let host = home.start();
    assert_eq!(service.requests.recv().await.as_deref(), Some("/hold"));
    service.let_go(2);
    let events = client.at(&host.url).events(&execution).await;
    assert_eq!(events.last().unwrap()["type"], "execution_completed", "{:?}", types(&events));
    let of_step = of_step(&events, "held");
    assert_eq!(
        of_step,
        [("step_started", 1), ("step_retrying", 1), ("step_started", 2), ("step_completed", 2)]
    );
    let lost = events.iter().find(|event| event["type"] == "step_retrying").unwrap();
    assert_eq!(lost["error"]["code"], "attempt-lost", "{lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_ends_when_the_host_stops_and_goes_on_at_the_next_one() {
    let home = Home::with_http(LOOPBACK);
    let mut service = Service::start().await;
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let client = home.admin(&host);
    let execution = held(&client, &service).await;
    let path = format!("/api/v1/executions/{execution}/events");
    let mut stream = client.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(service.requests.recv().await.as_deref(), Some("/hold"));
    let mut text = String::new();
    while !text.contains("\"step\":\"held\"") {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    host.terminate();
    // The step still runs: nothing but the stop can end the stream.
    text.push_str(&stream.text().await.unwrap());
    let seen = logged(&text);
    assert_eq!(of_step(&seen, "held"), [("step_started", 1)]);
    service.let_go(1);
    assert!(host.wait().success());

    let host = home.start();
    let rest = client.at(&host.url).request(Method::GET, &path).header("Last-Event-ID", seen.len());
    let rest = logged(&send(rest).await.is(200).text);
    assert_eq!((rest[0]["seq"].as_u64(), rest[0]["type"].as_str()), (Some(5), Some("step_completed")));
    assert_eq!(rest.last().unwrap()["type"], "execution_completed");
}

#[test]
fn the_second_start_compiles_nothing() {
    let home = Home::new("");
    home.start().stop();
    // A new file comes with each compilation.
    let compiled = || {
        let files = fs::read_dir(home.data().join("compiled")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().ino()).collect::<Vec<_>>()
    };
    let first = compiled();
    home.start().stop();
    assert_eq!((first.len(), compiled()), (1, first));
}

#[test]
fn a_second_host_on_the_same_data_folder_is_refused() {
    let home = Home::new("");
    let first = home.start();
    let refused = home.start_fails().fails(1);
    let data = home.data();
    let expected = format!(
        "error: another host uses the data folder {}; stop it, or choose another with --data-dir\n",
        data.display()
    );
    assert_eq!(refused, expected);
    first.stop();
    home.start().stop();
}

#[test]
fn the_first_start_makes_keys_that_only_their_owner_reads() {
    let home = Home::empty();
    home.start().stop();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    assert_eq!(mode(&home.data().join("keys")), 0o700);
    for key in ["host.key", "token.key"] {
        let path = home.data().join("keys").join(key);
        assert_eq!(mode(&path), 0o600, "{key}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = home.start_fails().fails(1);
        let path = path.display();
        let expected =
            format!("error: the key {path} can be read by others (mode 640); type: chmod 600 {path}\n");
        assert_eq!(refused, expected);
        fs::set_permissions(home.data().join("keys").join(key), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_configuration_that_is_not_understood_is_refused_with_its_place() {
    let home = Home::new("[egres]\nallow_cidrs = []");
    let file = home.data().join("quantum.toml");
    let expected = format!(
        "error: understand the configuration {}: TOML parse error at line 2, column 2\n  |\n2 | [egres]\n  |  ^^^^^\n\
         unknown field `egres`, expected one of `listen`, ",
        file.display()
    );
    let refused = home.start_fails().fails(1);
    assert!(refused.starts_with(&expected), "{refused}");
    for (config, told) in [
        (
            "[plugins.htpp]\nallow_hosts = []",
            "the configuration allows hosts to \"htpp\", which is not a bundled plugin; bundled are: hello",
        ),
        (
            "[plugins.hello]\nallow_hosts = [\"https://a.example\"]",
            "the plugin \"hello\" leaves no host to the operator, so plugins.hello.allow_hosts cannot add \
             https://a.example",
        ),
        (
            "[plugins.hello]\nallow_hosts = [\"a.example\"]",
            "understand plugins.hello.allow_hosts in the configuration: \"a.example\" is not a host pattern: it has no \
             scheme (https:// or http://); write for example https://api.example.com or http://127.0.0.1:*",
        ),
        (
            "listen = \"0.0.0.0:7780\"",
            "the API of this version has no TLS of its own, so it listens on this machine only; 0.0.0.0:7780 is not, put \
             a proxy before 127.0.0.1",
        ),
        (
            "[[issuers]]\nsecret_file = \"missing\"",
            "read the secret_file of an issuer missing: No such file or directory (os error 2)",
        ),
    ] {
        home.configure(&format!(
            "{}\n{config}",
            if config.starts_with("listen") { "" } else { "listen = \"127.0.0.1:0\"" }
        ));
        let refused = home.run(None, &["serve"]).fails(1);
        assert_eq!(refused, format!("error: {told}\n"), "{config}");
    }
}

#[test]
fn a_taken_port_is_told_with_what_to_type() {
    let home = Home::new("");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = home.run(None, &["serve", "--listen", &address]).fails(1);
    let expected =
        format!("error: listen at {address}; choose another address with --listen or --admin-listen: ");
    assert!(refused.starts_with(&expected), "{refused}");
}

#[test]
fn a_file_that_is_no_database_is_told_and_not_touched() {
    let home = Home::new("");
    let path = home.data().join("quantum.db");
    let text = "a letter, longer than the head of a database ".repeat(40);
    fs::write(&path, &text).unwrap();
    let expected = format!(
        "error: open the store: open the database \"{}\": the path must be a database of this program or a new file in \
         a writable folder: error returned from database: (code: 26) file is not a database\n",
        path.display()
    );
    assert_eq!(home.start_fails().fails(1), expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn health_and_metrics_are_on_the_administrators_listener_alone() {
    let home = Home::new("");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let client = home.admin(&host);
    let id = client.intent("say", json!({ "steps": [{ "action": "hello", "name": "Ada" }] })).await;
    client.run(&id, &json!({})).await;
    let admin = client.at(&host.admin);
    assert_eq!(admin.get("/livez").await.is(200).json(), json!({ "status": "alive" }));
    let ready = admin.get("/readyz").await.is(200).json();
    assert_eq!((&ready["status"], &ready["policies"]["refused"]), (&json!("ready"), &json!(null)));
    assert_eq!(ready["policies"]["version"].as_str().unwrap().len(), 16);
    let metrics = admin.get("/metrics").await.is(200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for line in
        ["quantum_executions_started_total 1", "quantum_executions_live 0", "quantum_attempts_running 0"]
    {
        assert!(metrics.text.lines().any(|found| found == line), "{line} in {}", metrics.text);
    }
    for name in [
        "quantum_attempt_seconds_count 1",
        "quantum_attempt_memory_bytes_peak_count 1",
        "quantum_attempt_cpu_microseconds_total ",
        "quantum_attempt_host_calls_total ",
        "quantum_attempt_sent_bytes_total 0",
        "quantum_attempt_received_bytes_total 0",
    ] {
        assert!(metrics.text.lines().any(|found| found.starts_with(name)), "{name} in {}", metrics.text);
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(client.get(path).await.is(404).problem().1, "no-such-route");
    }
}

/// Who is alone with a folder removes what his database does not name: a node whose store was forgotten must not start.
#[test]
fn a_shared_folder_is_for_the_nodes_of_one_database() {
    let home = Home::new("shared_dir = \"/srv/quantum\"");
    let refused = home.start_fails().fails(1);
    assert_eq!(
        refused,
        "error: use the shared folder /srv/quantum: it is for the nodes of one PostgreSQL database, and no store is given; \
         name it with --store, QUANTUM_STORE or `store`, or leave the shared folder out\n"
    );
}

#[test]
fn a_log_that_nobody_watches_has_no_colours() {
    let home = Home::new("");
    home.start().stop();
    let log = home.log();
    assert!(
        log.contains(" INFO quantum_server::serve: the host listens api=") && !log.contains('\x1b'),
        "{log}"
    );
}
