//! What is taken away while an attempt runs is gone at its next request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quantum_core::manifest::SecretPlace::Header;
use quantum_core::port::{ActionEntry, Failure, FailureKind, Grant, StepSubject};
use quantum_core::vocabulary::Trust;
use serde_json::json;

use crate::recorder::Recorder;
use crate::script::{everything, told};
use crate::world::{World, entry, failure, with};

/// Two requests that carry the secret.
const TWICE: &[&str] =
    &["pTOKEN", "Hx-token", "A", ">", "<", "0", "pTOKEN", "Hx-token", "A", ">", "<", "0", "+1"];
/// The placeholder is asked for once and kept.
const KEPT: &[&str] =
    &["pTOKEN", "sKEY", "GKEY", "Hx-token", "A", ">", "<", "0", "GKEY", "Hx-token", "A", ">", "<", "0", "+1"];

async fn run(
    world: &World,
    server: &Recorder,
    grant: Grant,
    lines: &[&str],
) -> quantum_core::port::AttemptReport {
    let authority = server.authority();
    let lines: Vec<&str> =
        lines.iter().map(|line| if *line == "A" { authority.as_str() } else { line }).collect();
    world.script(grant, &lines).await
}

fn world(hosts: &[&str]) -> World {
    let world = World::new();
    world.secrets.keep("TOKEN", "first-value", hosts);
    world
}

/// Does it when the second request is about to be decided.
fn at_the_second_request(world: &World, change: impl Fn() + Send + 'static) {
    let mut asked = 0;
    *world.gate.decide.lock().unwrap() = Box::new(move |_| {
        asked += 1;
        if asked == 2 {
            change();
        }
        true
    });
}

/// The installation is another one once a request was let through.
fn after_the_first_request(
    world: &World,
    change: impl Fn(&StepSubject) -> Option<Arc<ActionEntry>> + Send + 'static,
) {
    let gate = Arc::downgrade(&world.gate);
    *world.gate.in_force.lock().unwrap() = Box::new(move |subject| {
        let asked = gate.upgrade().unwrap().asked.lock().unwrap().iter().any(|it| it.starts_with("GET "));
        if asked { change(subject) } else { Some(subject.action.clone()) }
    });
}

#[track_caller]
fn denied(failure: &Failure, rule: &str) -> String {
    assert_eq!((failure.kind, failure.problem.code.as_str()), (FailureKind::Denied, "effect-denied"));
    assert_eq!(failure.problem.details.as_ref().unwrap()["rule"], rule, "{}", failure.problem);
    failure.problem.message.clone()
}

#[tokio::test]
async fn a_host_that_the_installer_takes_back_is_denied() {
    let (world, server) = (world(&["*"]), Recorder::start().await);
    after_the_first_request(&world, |subject| {
        let grant = Grant { slots: vec!["a".to_owned()], ..everything(&["https://api.example.com"], &[]) };
        Some(Arc::new(entry(&subject.action.component, grant, Trust::Verified)))
    });
    let failure =
        failure(run(&world, &server, everything(&["*"], &[]), &["A", ">", "<", "A", ">", "<"]).await);
    denied(&failure, "grant.hosts");
    let line = format!(
        "quantum plugin configure test:guest --allow-host https://api.example.com --allow-host {}",
        server.url()
    );
    assert_eq!(failure.problem.details.unwrap()["allow_with"], line);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_plugin_that_is_uninstalled_makes_no_more_requests_and_uses_no_more_secrets() {
    let (world, server) = (world(&["*"]), Recorder::start().await);
    after_the_first_request(&world, |_| None);
    let grant = || everything(&["*"], &[Header]);
    let failed = failure(run(&world, &server, grant(), &["A", ">", "<", "A", ">", "<"]).await);
    let message = denied(&failed, "grant.installation");
    let expected = format!(
        "the request to {} was denied: test:guest is not installed any more; allow it with: quantum plugin install FILE",
        server.url()
    );
    assert_eq!(message, expected);
    let again = told(&run(&world, &server, grant(), &["pTOKEN"]).await);
    assert!(again.starts_with("denied: test:guest is not installed any more"), "{again}");
}

#[tokio::test]
async fn a_plugin_that_is_uninstalled_reaches_nothing_that_is_stored() {
    for line in ["sk", "Gk", "ck", "ak", "dk", "qx", "rx", "wx", "F"] {
        let (world, server) = (world(&["*"]), Recorder::start().await);
        after_the_first_request(&world, |_| None);
        let report = run(&world, &server, everything(&["*"], &[]), &["w", "A", ">", "<", line, "+1"]).await;
        let told = told(&report);
        let expected = "denied: test:guest is not installed any more, and what is stored with it; ";
        assert!(told.starts_with(expected), "{line}: {told}");
        assert!(world.values.kept.lock().unwrap().is_empty(), "{line}");
    }
}

#[tokio::test]
async fn a_secret_that_is_deleted_is_not_sent_again() {
    let (world, server) = (world(&["*"]), Recorder::start().await);
    let secrets = world.secrets.clone();
    at_the_second_request(&world, move || secrets.forget("TOKEN"));
    let failure = failure(run(&world, &server, everything(&["*"], &[Header]), KEPT).await);
    let message = denied(&failure, "secret.missing");
    assert!(message.ends_with("was denied: there is no secret TOKEN"), "{message}");
    assert_eq!(server.only().header("x-token"), Some("first-value"));
}

#[tokio::test]
async fn a_secret_that_is_bound_to_other_hosts_is_not_sent_again() {
    let (world, server) = (world(&["*"]), Recorder::start().await);
    let secrets = world.secrets.clone();
    at_the_second_request(&world, move || {
        secrets.keep("TOKEN", "first-value", &["https://api.example.com"]);
    });
    let failure = failure(run(&world, &server, everything(&["*"], &[Header]), KEPT).await);
    denied(&failure, "secret.hosts");
    let line = format!(
        "quantum secret set TOKEN --environment development --host https://api.example.com --host {}",
        server.url()
    );
    assert_eq!(failure.problem.details.unwrap()["allow_with"], line);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_another_ones_in_the_installation_is_that_one_from_then_on() {
    let (world, server) = (world(&["*"]), Recorder::start().await);
    world.secrets.keep("OTHER", "other-value", &["*"]);
    let changed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&changed);
    at_the_second_request(&world, move || changed.store(true, Ordering::SeqCst));
    *world.gate.in_force.lock().unwrap() = Box::new(move |subject| {
        let action = &subject.action;
        if !seen.load(Ordering::SeqCst) {
            return Some(action.clone());
        }
        let installed = entry(&action.component, action.grant.clone(), action.trust);
        Some(with(installed, json!({ "secrets": { "TOKEN": "OTHER" } })))
    });
    assert_eq!(told(&run(&world, &server, everything(&["*"], &[Header]), KEPT).await), "1");
    let sent: Vec<_> = server.seen().iter().map(|it| it.header("x-token").unwrap().to_owned()).collect();
    assert_eq!(sent, ["first-value", "other-value"]);
}

#[tokio::test]
async fn a_secret_with_a_new_value_is_sent_with_it_and_neither_is_told() {
    for lines in [KEPT, TWICE] {
        let (world, server) = (world(&["*"]), Recorder::start().await);
        let secrets = world.secrets.clone();
        at_the_second_request(&world, move || secrets.keep("TOKEN", "second-value", &["*"]));
        let lines = [lines, &["0", "+\"first-value second-value\""]].concat();
        let report = run(&world, &server, everything(&["*"], &[Header]), &lines).await;
        assert_eq!(told(&report), "\"[secret TOKEN] [secret TOKEN]\"");
        let sent: Vec<_> = server.seen().iter().map(|it| it.header("x-token").unwrap().to_owned()).collect();
        assert_eq!(sent, ["first-value", "second-value"]);
    }
}
