//! What one attempt can make the host send, receive and wait for.

use quantum_core::port::{AttemptReport, FailureKind, StepRunner};
use quantum_sandbox::egress_limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use quantum_sandbox::{EgressOptions, SandboxOptions};
use serde_json::json;

use crate::guests::http;
use crate::script::{everything, script, told};
use crate::server::{Server, answer};
use crate::world::{World, attempt, failure, hosts, options};

fn world(egress: EgressOptions) -> World {
    World::with(SandboxOptions { egress, ..options() })
}

async fn ask(world: &World, server: &Server) -> String {
    told(&world.run_granted(&http(), hosts(&["*"]), &format!("0127.0.0.1:{}", server.port)).await)
}

/// Sends bodies of so many bytes, one after the other.
async fn post(world: &World, server: &Server, bodies: &[usize]) -> AttemptReport {
    let ask = format!("A0127.0.0.1:{}", server.port);
    let bodies: Vec<String> = bodies.iter().map(|bytes| format!("+{}", "x".repeat(*bytes))).collect();
    let mut lines = Vec::new();
    for body in &bodies {
        lines.extend([ask.as_str(), "MPOST", "O", ">", body, "C", ".", "<", "0"]);
    }
    world.script(everything(&["*"], &[]), &[&lines[..], &["+true"]].concat()).await
}

#[tokio::test]
async fn an_attempt_makes_so_many_requests_and_no_more() {
    let (world, server) = (
        world(EgressOptions { requests_max: 2, ..Default::default() }),
        Server::start(answer("200 OK", "")).await,
    );
    let ask = format!("A0127.0.0.1:{}", server.port);
    let lines = [ask.as_str(), ">", "<", ask.as_str(), ">", "<", ask.as_str(), ">", "<"];
    let denied = failure(world.script(everything(&["*"], &[]), &lines).await);
    let message = format!(
        "the request to http://127.0.0.1:{} was denied: an attempt makes at most 2 requests",
        server.port
    );
    assert_eq!((denied.kind, denied.problem.message), (FailureKind::Denied, message));
    let details = denied.problem.details.unwrap();
    assert_eq!((&details["rule"], &details["allow_with"]), (&json!("limit.requests"), &json!(null)));
    assert_eq!(server.requests(), 2);
    // The next attempt begins anew.
    assert_eq!(
        told(&world.script(everything(&["*"], &[]), &[&lines[..6], &["0", "+1"]].concat()).await),
        "1"
    );
}

#[tokio::test]
async fn the_body_of_a_request_is_cut_at_its_limit() {
    let world = world(EgressOptions { request_bytes_max: 10, ..Default::default() });
    let server = Server::start(answer("200 OK", "")).await;
    // The server answers the head; what matters is what the host lets out.
    assert_eq!(told(&post(&world, &server, &[10]).await), "true");
    let failed = failure(post(&world, &server, &[11]).await);
    assert!(
        failed.problem.message.ends_with("; the host sends at most 10 bytes of one request's body"),
        "{}",
        failed.problem
    );
    world.is_well().await;
}

#[tokio::test]
async fn what_an_attempt_sends_is_bounded_over_all_of_its_requests() {
    let world = world(EgressOptions { sent_bytes_max: 1_000, ..Default::default() });
    let server = Server::start(answer("200 OK", "")).await;
    assert_eq!(told(&post(&world, &server, &[400, 400]).await), "true");
    let failed = failure(post(&world, &server, &[400, 400, 400]).await);
    let told = "the host sends at most 1000 bytes of one attempt's requests together";
    assert!(failed.problem.message.ends_with(told), "{}", failed.problem);
}

#[tokio::test]
async fn what_an_attempt_receives_is_bounded_over_all_of_its_requests() {
    let world = world(EgressOptions { received_bytes_max: 1_000, ..Default::default() });
    let server = Server::start(answer("200 OK", &"x".repeat(400))).await;
    let (ask, all) = (format!("A0127.0.0.1:{}", server.port), everything(&["*"], &[]));
    let get = [ask.as_str(), ">", "<", "0"];
    let twice = [&get[..], &get, &["+true"]].concat();
    assert_eq!(told(&world.script(all.clone(), &twice).await), "true");
    let failed = failure(world.script(all.clone(), &[&get[..], &get, &get].concat()).await);
    let told = "the host takes at most 1000 bytes of one attempt's answers together";
    assert!(failed.problem.message.ends_with(told), "{}", failed.problem);

    // Heads count too, and over it nothing more is asked.
    let large = Server::start(answer("200 OK", &"x".repeat(900))).await;
    let head = format!("HTTP/1.1 200 OK\r\nx-fill: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(100));
    let empty = Server::start(head.into_bytes()).await;
    let [ask, fill] = [&large, &empty].map(|server| format!("A0127.0.0.1:{}", server.port));
    let lines = [ask.as_str(), ">", "<", "0", fill.as_str(), ">", "<", "0", ask.as_str(), ">", "<"];
    let denied = failure(world.script(all, &lines).await);
    assert_eq!(denied.kind, FailureKind::Denied);
    assert_eq!(denied.problem.details.unwrap()["rule"], json!("limit.received-bytes"));
}

#[tokio::test]
async fn an_answer_has_its_limit_and_not_a_byte_more() {
    let world = world(EgressOptions { response_bytes_max: 10, ..Default::default() });
    let chunked = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    };
    let (ten, eleven) = ("0123456789", "0123456789a");
    assert_eq!(ask(&world, &Server::start(answer("200 OK", ten)).await).await, "200");
    assert_eq!(ask(&world, &Server::start(chunked(ten)).await).await, "200");
    let hint = "the host takes at most 10 bytes of an answer here; a plugin that needs more says so by \
                \"response_bytes_max\" under \"capabilities.http\" of its manifest";
    // HTTP-response-body-size is case 28 of the error codes; 999 is a body that breaks off.
    assert_eq!(
        ask(&world, &Server::start(answer("200 OK", eleven)).await).await,
        format!("http: 028; {hint}")
    );
    assert_eq!(ask(&world, &Server::start(chunked(eleven)).await).await, format!("http: 999; {hint}"));
    world.is_well().await;
}

#[tokio::test]
async fn the_head_of_an_answer_has_its_limits() {
    let world = World::new();
    // One field is the length.
    let fields = |count: usize, value: &str| {
        let more: String = (1..count).map(|n| format!("x-{n}: {value}\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{more}content-length: 0\r\n\r\n").into_bytes()
    };
    let hint = format!(
        "http: 026; the host takes at most {HEADERS_MAX} fields and {HEAD_BYTES_MAX} bytes of an answer's head"
    );
    assert_eq!(ask(&world, &Server::start(fields(HEADERS_MAX, "1")).await).await, "200");
    assert_eq!(ask(&world, &Server::start(fields(HEADERS_MAX + 1, "1")).await).await, hint);
    assert_eq!(ask(&world, &Server::start(fields(2, &"1".repeat(HEAD_BYTES_MAX / 2))).await).await, "200");
    assert_eq!(ask(&world, &Server::start(fields(2, &"1".repeat(HEAD_BYTES_MAX))).await).await, hint);
    world.is_well().await;
}

#[tokio::test]
async fn a_server_that_never_gets_to_talking_ends_with_the_time_for_connecting() {
    let world = world(EgressOptions { connect_ms_max: 50, ..Default::default() });
    // It takes the connection, and waits for a request instead of speaking TLS.
    let silent = Server::start(Vec::new()).await;
    let report = world.run_granted(&http(), hosts(&["*"]), &format!("1127.0.0.1:{}", silent.port)).await;
    assert_eq!(told(&report), "http: 008", "connection-timeout");
    world.is_well().await;
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_the_steps_timeout() {
    let world = World::new();
    let server = Server::drip().await;
    let digest = world.store(&script());
    // Compiled before: that takes some of the time as well.
    world.sandbox.prepare(&digest).await.unwrap();
    let lines = [&format!("A0127.0.0.1:{}", server.port), ">", "<"].join("\n");
    let mut attempt = attempt(&digest, everything(&["*"], &[]), &lines);
    attempt.timeout_ms = 300;
    let report = world.sandbox.run(attempt).await;
    assert!(report.bill.received_bytes > 0);
    let failed = failure(report);
    assert_eq!((failed.kind, failed.problem.code.as_str()), (FailureKind::Timeout, "timeout"));
    world.is_well().await;
}
