//! What the demo shows, scene by scene.

use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::host::Host;
use super::service::{STARTING_CHECKS, Service};
use super::{TENANT, events, heading};
use crate::error::{Error, Result};
use crate::http::Answer;

/// How long the held request may take to come; a step starts within milliseconds.
const HELD_MAX: Duration = Duration::from_secs(60);

/// A tenant, and an administrator of it.
pub fn tenant(client: Client) -> Result<Client> {
    heading("A tenant, and a token for its administrator");
    client.quantum(&["tenant", "create", TENANT])?;
    client.user("ada", "admin")
}

/// Real work over HTTP, with a service that fails first and becomes healthy later.
pub fn release(client: &Client, service: &Service) -> Result<()> {
    heading("An intent: fetch a release over HTTP, judge it, wait until the service is healthy");
    client.quantum(&["intent", "apply", "docs/examples/release-check.json"])?;
    let input = input(service);
    let text = client.quantum(&["run", "release-check", "--input", &input, "--follow"])?;
    let execution = events::execution_id(&text)?;

    heading("Its result, and the bill of each step");
    client.quantum(&["execution", "show", &execution])?;
    heading("Its event log");
    let log = client.events(&execution)?;
    events::show(&log);
    events::check(&log, "execution_completed")?;
    expect_retry(&log)?;
    let (fetched, checked) = (service.count("/release"), service.count("/health"));
    println!(
        "The service saw {fetched} requests for the release (the first got a 503) and {checked} health checks."
    );
    if checked > STARTING_CHECKS {
        return Ok(());
    }
    Err(Error::demo("health checks until the service is healthy", format!("it saw {checked}")))
}

fn expect_retry(log: &[events::Event]) -> Result<()> {
    match events::count(log, "step_retrying", "fetch") {
        1 => Ok(()),
        other => Err(Error::demo("one retry of step fetch", format!("the log has {other}"))),
    }
}

/// Two refusals: a person without the role, and a step that reaches for an address nobody allowed.
pub fn refusal(client: &Client, service: &Service) -> Result<()> {
    heading("Refused: a viewer may look at the intent, and not run it");
    let viewer = client.user("vera", "viewer")?;
    let input = input(service);
    let ended = viewer.quantum_ends(&["run", "release-check", "--input", &input, "--follow"])?;
    if ended.status.success() {
        return Err(Error::demo("a refusal for a viewer", "the execution was started"));
    }

    heading("Refused: a step that reaches for the metadata address of a cloud");
    client.quantum(&["intent", "apply", "docs/examples/metadata-read.json"])?;
    let ended = client.quantum_ends(&["run", "metadata-read", "--follow"])?;
    if ended.status.success() {
        return Err(Error::demo("a refused request", "the step got an answer"));
    }
    let log = client.events(&events::execution_id(&ended.text)?)?;
    events::check(&log, "execution_failed")?;
    let error = log.iter().rev().find_map(|event| event.error.as_ref());
    let error = error.ok_or_else(|| Error::demo("the reason of the refusal", "no event has an error"))?;
    println!("The reason, and what would allow it:\n{error:#}");
    Ok(())
}

/// SIGKILL while a step waits for an answer; the next process finishes the execution.
pub fn crash(client: Client, host: &mut Host, service: &Service) -> Result<Client> {
    heading("A crash: the host is killed while a step waits for an answer");
    client.quantum(&["intent", "apply", "docs/examples/survive-crash.json"])?;
    let text = client.quantum(&["run", "survive-crash", "--input", &input(service)])?;
    let execution = events::execution_id(&text)?;
    if !service.wait_held(HELD_MAX) {
        return Err(Error::demo("the second step to call the service", "no request came"));
    }
    let before = client.events(&execution)?;
    events::show(&before);
    println!("SIGKILL: {}", host.kill()?);
    service.let_go();

    heading("The host starts again on the same data directory, and finishes what it had accepted");
    host.start_again()?;
    let client = client.at(&host.url);
    client.quantum(&["execution", "watch", &execution])?;
    let log = client.events(&execution)?;
    events::show(&log);
    events::check(&log, "execution_completed")?;
    println!(
        "One result a step, no gap in the log. The service saw {} requests for the held step.",
        service.count("/hold")
    );
    Ok(client)
}

/// Requests for a shell; each one is tried here before it is printed.
pub fn requests(client: &Client) -> Result<()> {
    client.quantum(&["intent", "apply", "docs/examples/hello.json"])?;
    let text = client.quantum(&["run", "hello", "--input", r#"{"name":"Ada"}"#, "--follow"])?;
    let execution = format!("/api/v1/executions/{}", events::execution_id(&text)?);
    let events = format!("{execution}/events");
    let start = "/api/v1/intents/hello/execute?wait=10s";
    let body = r#"{"input":{"name":"Grace"}}"#;
    for path in ["/api/v1/intents", "/api/v1/executions", &execution, &events] {
        expect_ok(path, &client.get(path)?)?;
    }
    expect_ok(start, &client.send("POST", start, body)?)?;

    println!("\n{}\n", client.exports());
    let curl = "  curl -sS -H \"Authorization: Bearer $QUANTUM_TOKEN\"";
    for path in ["/api/v1/intents", "/api/v1/executions", &execution] {
        println!("{curl} \"$QUANTUM_URL{path}\"");
    }
    println!("{curl} -N \"$QUANTUM_URL{events}\"");
    println!("{curl} -H 'Content-Type: application/json' -d '{body}' \\\n    \"$QUANTUM_URL{start}\"");
    Ok(())
}

fn expect_ok(path: &str, answer: &Answer) -> Result<()> {
    match answer.status {
        200 => Ok(()),
        status => Err(Error::demo(format!("200 for {path}"), format!("it is {status}: {}", answer.text()))),
    }
}

fn input(service: &Service) -> String {
    json!({ "service": service.url() }).to_string()
}
