//! Outgoing requests of guests, from the grant to the bytes on the wire.

use std::sync::Arc;

use quantum_core::port::{AttemptOutcome, FailureKind, StepRunner};
use quantum_core::vocabulary::{AddressClass, Trust};
use quantum_sandbox::{EgressOptions, SandboxOptions};
use serde_json::json;

use crate::guests::http;
use crate::server::{Server, answer};
use crate::world::{DECISION, World, attempt, attempt_of, entry, failure, hosts, options, slot};

fn world(egress: EgressOptions) -> World {
    World::with(SandboxOptions { egress, ..options() })
}

#[tokio::test]
async fn a_request_that_is_granted_and_allowed_is_sent_and_billed() {
    let (world, server) = (World::new(), Server::start(answer("201 Created", "hello")).await);
    let url = format!("http://127.0.0.1:{}", server.port);
    let report = world.run_granted(&http(), hosts(&[&url]), &format!("0127.0.0.1:{}", server.port)).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(201)));
    let asked = format!("GET 127.0.0.1:{}/x 127.0.0.1 loopback", server.port);
    assert_eq!(*world.gate.asked.lock().unwrap(), [asked]);
    let host_header = 4 + 4 + format!("127.0.0.1:{}", server.port).len();
    assert_eq!(report.bill.sent_bytes as usize, "GET /x HTTP/1.1\r\n".len() + host_header);
    assert_eq!(
        report.bill.received_bytes as usize,
        "HTTP/1.1 201 C..\r".len() + "content-length: 5\r\n".len() + 5
    );
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied_before_anything_is_resolved() {
    let (world, server) = (World::new(), Server::start(answer("200 OK", "")).await);
    let target = format!("0localhost:{}", server.port);
    let denied = failure(world.run_granted(&http(), slot(&["https://api.example.com"]), &target).await);
    let line = format!(
        "quantum plugin configure test:guest --allow-host https://api.example.com --allow-host http://localhost:{}",
        server.port
    );
    assert_eq!((denied.kind, denied.problem.code.as_str()), (FailureKind::Denied, "effect-denied"));
    let message = format!(
        "the request to http://localhost:{} was denied: the installation does not allow this host; allow it with: \
         {line}",
        server.port
    );
    assert_eq!(denied.problem.message, message);
    let details = json!({ "rule": "grant.hosts", "host": "localhost", "address_class": null, "decision_id": null,
        "allow_with": line });
    assert_eq!(denied.problem.details, Some(details));
    assert!(world.gate.asked.lock().unwrap().is_empty());
    assert_eq!(server.connections(), 0);
    world.is_well().await;
}

#[tokio::test]
async fn a_plugin_of_the_host_itself_is_allowed_hosts_by_the_operator() {
    let world = World::new();
    let digest = world.store(&http());
    let mut attempt = attempt(&digest, slot(&["https://api.example.com"]), "0localhost:1");
    attempt.subject.action = Arc::new(entry(&digest, slot(&["https://api.example.com"]), Trust::Builtin));
    let denied = failure(world.sandbox.run(attempt).await);
    let line =
        "plugins.guest.allow_hosts = [\"https://api.example.com\",\"http://localhost:1\"] in quantum.toml";
    assert_eq!(denied.problem.details.unwrap()["allow_with"], line);
}

/// The gate refuses what is not public; every spelling of an address is refused with the line that would allow it.
#[tokio::test]
async fn an_internal_address_is_denied_in_every_spelling() {
    let (world, server) = (World::new(), Server::start(answer("200 OK", "")).await);
    *world.gate.decide.lock().unwrap() = Box::new(|call| call.address_class == AddressClass::Public);
    let port = server.port;
    for (authority, class, range) in [
        (format!("127.0.0.1:{port}"), "loopback", Some("127.0.0.0/8")),
        (format!("localhost:{port}"), "loopback", Some("")),
        (format!("0x7f.1:{port}"), "loopback", Some("127.0.0.0/8")),
        (format!("2130706433:{port}"), "loopback", Some("127.0.0.0/8")),
        (format!("0.0.0.0:{port}"), "loopback", Some("0.0.0.0/8")),
        (format!("[::1]:{port}"), "loopback", Some("::1/128")),
        (format!("[::ffff:127.0.0.1]:{port}"), "loopback", Some("127.0.0.0/8")),
        ("10.0.0.7".to_owned(), "private", Some("10.0.0.0/8")),
        ("169.254.1.1".to_owned(), "linkLocal", Some("169.254.0.0/16")),
        ("169.254.169.254".to_owned(), "metadata", None),
        ("[fd00:ec2::254]".to_owned(), "metadata", None),
    ] {
        let denied = failure(world.run_granted(&http(), hosts(&["*"]), &format!("0{authority}")).await);
        assert_eq!(
            (denied.kind, denied.problem.code.as_str()),
            (FailureKind::Denied, "effect-denied"),
            "{authority}"
        );
        let details = denied.problem.details.unwrap();
        assert_eq!((&details["rule"], &details["decision_id"]), (&json!("guard.address"), &json!(DECISION)));
        assert_eq!(details["address_class"], class, "{authority}");
        match range {
            Some(range) => {
                let line = details["allow_with"].as_str().unwrap();
                assert!(
                    line.starts_with("egress.allow_cidrs = [\"") && line.contains(range),
                    "{authority}: {line}"
                );
            }
            None => assert!(details["allow_with"].is_null(), "{authority}"),
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_denial_says_what_the_operator_writes() {
    let world = World::new();
    *world.gate.decide.lock().unwrap() = Box::new(|_| false);
    let denied = failure(world.run_granted(&http(), hosts(&["*"]), "0127.0.0.1:1").await);
    let message = "the request to http://127.0.0.1:1 was denied: internal addresses are not reached (a loopback \
                   address); allow it in quantum.toml with: egress.allow_cidrs = [\"127.0.0.0/8\"]";
    assert_eq!(denied.problem.message, message);
    let denied = failure(world.run_granted(&http(), hosts(&["*"]), "0169.254.169.254").await);
    let message = "the request to http://169.254.169.254 was denied: internal addresses are not reached (a metadata \
                   address, which nothing allows)";
    assert_eq!(denied.problem.message, message);
}

#[tokio::test]
async fn the_operators_ranges_reach_the_gate_as_allowed() {
    let world =
        world(EgressOptions { allow_cidrs: vec!["127.0.0.0/8".parse().unwrap()], ..Default::default() });
    *world.gate.decide.lock().unwrap() = Box::new(|call| call.address_class == AddressClass::OperatorAllowed);
    let server = Server::start(answer("200 OK", "")).await;
    let target = format!("0127.0.0.1:{}", server.port);
    let report = world.run_granted(&http(), hosts(&["http://127.0.0.1:*"]), &target).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(200)));
}

#[tokio::test]
async fn a_connection_is_used_again_and_each_request_is_decided() {
    let (world, server) = (World::new(), Server::start(answer("200 OK", "x")).await);
    let authority = format!("0127.0.0.1:{}", server.port);
    for _ in 0..3 {
        let report = world.run_granted(&http(), hosts(&["*"]), &authority).await;
        assert_eq!(report.outcome, AttemptOutcome::Completed(json!(200)));
    }
    assert_eq!((server.connections(), server.requests()), (1, 3));
    *world.gate.decide.lock().unwrap() = Box::new(|_| false);
    let denied = failure(world.run_granted(&http(), hosts(&["*"]), &authority).await);
    assert_eq!(denied.kind, FailureKind::Denied);
    assert_eq!((server.connections(), server.requests()), (1, 3));
    assert_eq!(world.gate.asked.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_connection_is_not_shared_between_tenants() {
    let (world, server) = (World::new(), Server::start(answer("200 OK", "x")).await);
    let digest = world.store(&http());
    for tenant in ["tenant-1", "tenant-2", "tenant-1"] {
        let attempt = attempt_of(tenant, &digest, hosts(&["*"]), &format!("0127.0.0.1:{}", server.port));
        assert_eq!(world.sandbox.run(attempt).await.outcome, AttemptOutcome::Completed(json!(200)));
    }
    assert_eq!((server.connections(), server.requests()), (2, 3));
}

#[tokio::test]
async fn silence_ends_a_request() {
    let world = world(EgressOptions { silence_ms_max: 50, ..Default::default() });
    let silent = Server::start(Vec::new()).await;
    let failed =
        failure(world.run_granted(&http(), hosts(&["*"]), &format!("0127.0.0.1:{}", silent.port)).await);
    assert_eq!(failed.problem.to_string(), "http: 009", "connection-read-timeout");
    let halting = Server::start(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe".to_vec()).await;
    let failed =
        failure(world.run_granted(&http(), hosts(&["*"]), &format!("0127.0.0.1:{}", halting.port)).await);
    assert_eq!(failed.problem.to_string(), "http: 999");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_failures_of_the_plugin() {
    let world = World::new();
    let closed = Server::start(Vec::new()).await.port;
    let failed = failure(world.run_granted(&http(), hosts(&["*"]), &format!("0127.0.0.1:{closed}")).await);
    assert_eq!((failed.kind, failed.problem.to_string()), (FailureKind::Permanent, "http: 006".to_owned()));
    let failed = failure(world.run_granted(&http(), hosts(&["*"]), "0no-such-name.invalid").await);
    assert_eq!((failed.kind, failed.problem.to_string()), (FailureKind::Permanent, "http: 001".to_owned()));
}

#[tokio::test]
async fn tls_is_checked_against_the_name_that_was_asked_for() {
    let authority = include_bytes!("tls/authority.der").to_vec();
    let world = world(EgressOptions { authorities: vec![authority], ..Default::default() });
    let server = Server::start_tls(answer("200 OK", "secret")).await;
    let run = async |world: &World, host: &str| {
        let report = world.run_granted(&http(), hosts(&["*"]), &format!("1{host}:{}", server.port)).await;
        match report.outcome {
            AttemptOutcome::Completed(value) => value.to_string(),
            AttemptOutcome::Failed(failure) => failure.problem.to_string(),
            AttemptOutcome::Cancelled => "cancelled".to_owned(),
        }
    };
    assert_eq!(run(&world, "localhost").await, "200");
    // TLS-certificate-error: the certificate is not for the address, and its authority is not the web's.
    let not_for_it = format!("http: 013; the certificate of 127.0.0.1:{} is not accepted: ", server.port);
    assert!(run(&world, "127.0.0.1").await.starts_with(&not_for_it));
    let name = format!("localhost:{}", server.port);
    let untrusted = format!(
        "http: 013; the certificate of {name} is not trusted; add its authority: endpoints.{name}.ca"
    );
    assert_eq!(run(&World::new(), "localhost").await, untrusted);
}
