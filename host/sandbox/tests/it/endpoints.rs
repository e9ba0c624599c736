//! Endpoints of an installation: where a host really is, and whose certificates are trusted there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quantum_core::manifest::SecretPlace::Header;
use quantum_core::port::{FailureKind, Grant};
use quantum_core::vocabulary::AddressClass;
use quantum_sandbox::{EgressOptions, SandboxOptions};
use serde_json::{Value, json};

use crate::guests::http;
use crate::recorder::Recorder;
use crate::script::{everything, told};
use crate::server::{Server, answer};
use crate::world::{World, failure, hosts, options};

const AUTHORITY: &[u8] = include_bytes!("tls/authority.der");
const OTHER_AUTHORITY: &[u8] = include_bytes!("tls/other-authority.der");
const GET: &[&str] = &["A1registry.example", "+/v2/", "Q", ">", "+\"", "<", "+\""];

fn pem(certificates: &[&[u8]]) -> String {
    let one = |der: &&[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    certificates.iter().map(one).collect()
}

fn endpoint(url: &str, ca: Option<String>) -> Value {
    json!({ "endpoints": { "registry.example": { "url": url, "ca": ca } } })
}

fn grant() -> Grant {
    everything(&["https://registry.example"], &[Header])
}

#[tokio::test]
async fn a_request_goes_where_the_installer_says_and_the_policies_see_where_that_is() {
    let (world, server) = (World::new(), Recorder::start().await);
    let report = world.script_with(endpoint(&server.url(), None), grant(), GET).await;
    assert_eq!(told(&report), "\"200ok\"");
    let seen = server.only();
    let host = format!("127.0.0.1:{}", server.port);
    assert_eq!((seen.uri.as_str(), seen.header("host")), ("/v2/", Some(host.as_str())));
    assert_eq!(*world.gate.asked.lock().unwrap(), [format!("GET {host}/v2/ 127.0.0.1 loopback")]);

    // The grant is for the name in the document, not for where it is.
    let lines = [&server.authority()[..], "+/", "Q", ">", "<"];
    let denied = failure(world.script_with(endpoint(&server.url(), None), grant(), &lines).await);
    assert_eq!(denied.problem.details.unwrap()["rule"], "grant.hosts");
}

#[tokio::test]
async fn a_refused_address_is_told_with_both_names() {
    let (world, server) = (World::new(), Recorder::start().await);
    *world.gate.decide.lock().unwrap() = Box::new(|call| call.address_class == AddressClass::Public);
    let denied = failure(world.script_with(endpoint(&server.url(), None), grant(), GET).await);
    let message = format!(
        "the request to https://registry.example (at {}) was denied: internal addresses are not reached (a loopback \
         address); allow it in quantum.toml with: egress.allow_cidrs = [\"127.0.0.0/8\"]",
        server.url()
    );
    assert_eq!((denied.kind, denied.problem.message), (FailureKind::Denied, message));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn settings_of_one_environment_leave_the_others_alone() {
    let (world, server) = (World::new(), Recorder::start().await);
    let settings = json!({ "environments": { "production": endpoint(&server.url(), None) } });
    *world.gate.decide.lock().unwrap() = Box::new(|_| false);
    world.script_with(settings, grant(), GET).await;
    assert_eq!(server.connections(), 0);
}

/// A secret is bound to the name in the document.
#[tokio::test]
async fn a_secret_follows_its_host_to_where_that_is() {
    let (world, server) = (World::new(), Recorder::start().await);
    world.secrets.keep("TOKEN", "s3cr3t-value", &["https://registry.example"]);
    let lines = [&["pTOKEN", "Hx-token"], GET].concat();
    assert_eq!(told(&world.script_with(endpoint(&server.url(), None), grant(), &lines).await), "\"200ok\"");
    assert_eq!(server.only().header("x-token"), Some("s3cr3t-value"));
}

#[tokio::test]
async fn the_endpoints_authority_is_trusted_there_and_nowhere_else() {
    let (world, server) = (World::new(), Recorder::start_tls().await);
    let url = format!("https://localhost:{}", server.port);
    let run = async |settings: Value| told(&world.script_with(settings, grant(), GET).await);
    assert_eq!(run(endpoint(&url, Some(pem(&[AUTHORITY])))).await, "\"200ok\"");
    assert_eq!(run(endpoint(&url, Some(pem(&[OTHER_AUTHORITY, AUTHORITY])))).await, "\"200ok\"");
    let host = format!("localhost:{}", server.port);
    assert_eq!(server.seen()[0].header("host"), Some(host.as_str()));

    let untrusted = format!(
        "http: 013; the certificate of {host} is not trusted; add its authority: endpoints.registry.example.ca"
    );
    assert_eq!(run(endpoint(&url, None)).await, untrusted);
    assert_eq!(run(endpoint(&url, Some(pem(&[OTHER_AUTHORITY])))).await, untrusted);
    // The certificate is for localhost, and the name of the certificate is the endpoint's.
    let by_address = format!("https://127.0.0.1:{}", server.port);
    let refused = run(endpoint(&by_address, Some(pem(&[AUTHORITY])))).await;
    assert!(
        refused.starts_with(&format!("http: 013; the certificate of 127.0.0.1:{} ", server.port)),
        "{refused}"
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_host_can_have_an_authority_without_being_elsewhere() {
    let (world, server) = (World::new(), Recorder::start_tls().await);
    let name = format!("localhost:{}", server.port);
    let lines = [&format!("A1{name}")[..], "+/", "Q", ">", "+\"", "<", "+\""];
    let settings = |key: &str| json!({ "endpoints": { key: { "ca": pem(&[AUTHORITY]) } } });
    let grant = || everything(&["https://localhost:*"], &[Header]);
    assert_eq!(told(&world.script_with(settings(&name), grant(), &lines).await), "\"200ok\"");
    let untrusted = told(&world.script_with(settings("localhost"), grant(), &lines).await);
    assert_eq!(
        untrusted,
        format!(
            "http: 013; the certificate of {name} is not trusted; add its authority: endpoints.{name}.ca"
        )
    );
}

#[tokio::test]
async fn connections_of_different_endpoints_and_authorities_are_not_mixed() {
    let (world, server) = (World::new(), Recorder::start_tls().await);
    let url = format!("https://localhost:{}", server.port);
    let run = async |settings: Value| told(&world.script_with(settings, grant(), GET).await);
    let trusting = endpoint(&url, Some(pem(&[AUTHORITY])));
    for _ in 0..2 {
        assert_eq!(run(trusting.clone()).await, "\"200ok\"");
    }
    assert_eq!(server.connections(), 1);
    // An idle connection is there, and is not taken by who does not trust the other side.
    assert!(run(endpoint(&url, None)).await.starts_with("http: 013; "));
    assert_eq!(run(endpoint(&url, Some(pem(&[AUTHORITY, OTHER_AUTHORITY])))).await, "\"200ok\"");
    assert_eq!(server.connections(), 3);
    let other = json!({ "endpoints": { "other.example": { "url": url, "ca": pem(&[AUTHORITY]) } } });
    let lines = [&["A1other.example"], &GET[1..]].concat();
    let report = world.script_with(other, everything(&["https://other.example"], &[Header]), &lines).await;
    assert_eq!((told(&report).as_str(), server.connections()), ("\"200ok\"", 4));
    assert_eq!((run(trusting).await.as_str(), server.connections()), ("\"200ok\"", 4));
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_told() {
    let world = World::new();
    for (settings, part, reason) in [
        (endpoint("https://localhost", Some("no".to_owned())), "ca", "it has no certificate"),
        (endpoint("localhost:5000", None), "url", "it is not a scheme, a host and a port"),
        (endpoint("https://localhost/v2", None), "url", "it has a path or a query"),
    ] {
        let denied = failure(world.script_with(settings, grant(), GET).await);
        assert_eq!((denied.kind, denied.problem.code.as_str()), (FailureKind::Denied, "effect-denied"));
        let rule = format!("endpoints.registry.example.{part}");
        let message = format!(
            "the request to https://registry.example was denied: {rule} of the installation cannot be used: {reason}"
        );
        assert!(denied.problem.message.starts_with(&message), "{}", denied.problem.message);
        assert_eq!(denied.problem.details.unwrap()["rule"], rule);
    }
    assert!(world.gate.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_grant_raises_the_bytes_of_an_answer_up_to_the_operators_limit() {
    let server = Server::start(answer("200 OK", &"x".repeat(9 << 20))).await;
    let egress = EgressOptions { response_bytes_ceiling: 16 << 20, ..EgressOptions::default() };
    let world = World::with(SandboxOptions { egress, ..options() });
    let target = format!("0127.0.0.1:{}", server.port);
    for (response_bytes_max, told_so) in
        [(None, "http: 028"), (Some(10 << 20), "200"), (Some(1 << 40), "200"), (Some(1 << 20), "http: 028")]
    {
        let grant = Grant { response_bytes_max, ..hosts(&["*"]) };
        let told = told(&world.run_granted(&http(), grant, &target).await);
        let (told, hint) = told.split_once("; ").unwrap_or((&told, ""));
        assert_eq!(told, told_so, "{response_bytes_max:?}");
        assert!(
            hint.is_empty() == (told_so == "200") && hint.contains("response_bytes_max") != hint.is_empty()
        );
    }
    let egress = EgressOptions { response_bytes_ceiling: 8 << 20, ..EgressOptions::default() };
    let world = World::with(SandboxOptions { egress, ..options() });
    let grant = Grant { response_bytes_max: Some(10 << 20), ..hosts(&["*"]) };
    // No manifest raises the operator's limit, so that none is advised.
    let told = told(&world.run_granted(&http(), grant, &target).await);
    assert_eq!(told, "http: 028; the host takes at most 8388608 bytes of an answer here");
}
