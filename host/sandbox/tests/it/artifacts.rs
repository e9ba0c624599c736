//! Artifacts that guests write and read, at the limits and beyond them.

use quantum_core::port::{FailureKind, Grant};
use quantum_core::vocabulary::Capability;
use serde_json::json;

use crate::script::told;
use crate::stores::digest_text;
use crate::world::{World, failure};

fn grant() -> Grant {
    Grant { capabilities: vec![Capability::Artifacts], ..Grant::default() }
}

#[tokio::test]
async fn what_is_written_is_read_by_its_name_and_its_digest() {
    let world = World::new();
    let lines = ["wtext/plain", "+12", "W", "+34", "W", "Freport", "0", "rreport", "i3", "I"];
    let report = world.script(grant(), &lines).await;
    assert_eq!(told(&report), "1234");
    // create, write twice, finish, open, read thrice: the last one finds the end.
    assert_eq!((report.bill.host_calls, report.bill.sent_bytes, report.bill.received_bytes), (8, 4, 4));
    let digest = digest_text(b"1234");
    assert_eq!(told(&world.script(grant(), &[&format!("r{digest}"), "I"]).await), "1234");
    assert_eq!(told(&world.script(grant(), &["Rreport", "I"]).await), "34");
    assert_eq!(told(&world.script(grant(), &["+\"", "qreport", "+\""]).await), format!("\"{digest}\""));
    assert_eq!(told(&world.script(grant(), &["+\"", "qnothing", "+\""]).await), "\"none\"");
    assert_eq!(
        told(&world.script(grant(), &["+\"", "w", "F", "+\""]).await),
        format!("\"{}\"", digest_text(b""))
    );
}

#[tokio::test]
async fn the_scope_is_the_executions_with_the_installations_prefixes() {
    let world = World::new();
    world.script(grant(), &["qx"]).await;
    let scope = world.artifacts.scope.lock().unwrap().clone().unwrap();
    assert_eq!((scope.tenant.as_str(), scope.name_prefixes), ("tenant-1", None));
    let settings = json!({ "artifact_prefixes": ["shared/"] });
    for lines in [["qx"], ["rx"], ["wx"]] {
        *world.artifacts.scope.lock().unwrap() = None;
        world.script_with(settings.clone(), grant(), &lines).await;
        let scope = world.artifacts.scope.lock().unwrap().clone().unwrap();
        assert_eq!(scope.name_prefixes, Some(vec!["shared/".to_owned()]), "{lines:?}");
    }
}

#[tokio::test]
async fn the_stores_errors_are_the_guests() {
    let world = World::new();
    assert_eq!(told(&world.script(grant(), &["rx"]).await), "missing: there is no artifact \"x\"");
    let refused = failure(world.script(grant(), &["w", "F../x"]).await);
    assert_eq!(refused.kind, FailureKind::Permanent);
    assert_eq!(refused.problem.to_string(), "invalid-name: a name has no dot segments");
}

#[tokio::test]
async fn names_have_bounds() {
    let world = World::new();
    let (longest, longer) = ("x".repeat(1_024), "x".repeat(1_025));
    let refused = "invalid-name: references, names and media types of artifacts have at most 1024 bytes";
    for op in ["q", "r", "w", "w\nF"] {
        let longer = format!("{op}{longer}");
        assert_eq!(told(&world.script(grant(), &[&longer]).await), refused, "{op}");
        let longest = format!("{op}{longest}");
        assert!(!told(&world.script(grant(), &[&longest]).await).starts_with("invalid-name"), "{op}");
    }
}

#[tokio::test]
async fn a_finished_writer_takes_no_more() {
    let world = World::new();
    let refused = "finished: the artifact was finished before; create another one";
    assert_eq!(told(&world.script(grant(), &["w", "F", "W"]).await), refused);
    assert_eq!(told(&world.script(grant(), &["w", "F", "F"]).await), refused);
}

#[tokio::test]
async fn one_read_gives_at_most_a_mebibyte() {
    let world = World::new();
    world.artifacts.bytes.lock().unwrap().insert("big".to_owned(), vec![b'1'; 3 << 19]);
    let report = world.script(grant(), &["rbig", "i4000000", "0", "+1"]).await;
    assert_eq!((told(&report).as_str(), report.bill.received_bytes), ("1", 1 << 20));
    let report = world.script(grant(), &["rbig", "i0", "+1"]).await;
    assert_eq!((told(&report).as_str(), report.bill.received_bytes), ("1", 0));
}

#[tokio::test]
async fn an_attempt_has_at_most_64_open_at_once() {
    let world = World::new();
    world.artifacts.bytes.lock().unwrap().insert("x".to_owned(), vec![]);
    let mut lines = ["w", "rx"].repeat(32);
    lines.push("+1");
    assert_eq!(told(&world.script(grant(), &lines).await), "1");
    assert_eq!(world.artifacts.open.count(), 0, "all are closed with the attempt");
    for (closing, opening) in [("z", "rx"), ("Z", "w")] {
        let lines = [&lines[..], &[closing, opening]].concat();
        assert_eq!(told(&world.script(grant(), &lines).await), "1");
        let refused = "quota: an attempt has at most 64 readers and writers of artifacts open at once";
        assert_eq!(told(&world.script(grant(), &[&lines[..], &[opening]].concat()).await), refused);
    }
    world.is_well().await;
}

#[tokio::test]
async fn what_is_not_finished_leaves_nothing_behind() {
    let world = World::new();
    assert_eq!(told(&world.script(grant(), &["w", "+1", "W", "+1"]).await), "1");
    assert!(world.artifacts.bytes.lock().unwrap().is_empty());
    assert_eq!(world.artifacts.open.count(), 0);
}

#[tokio::test]
async fn without_a_grant_each_call_is_the_same_trap() {
    let world = World::new();
    for lines in [["w"], ["rx"], ["qx"]] {
        let denied = failure(world.script(Grant::default(), &lines).await);
        assert_eq!(denied.kind, FailureKind::Denied, "{lines:?}");
        let line = "\"artifacts\": true under \"capabilities\" of the plugin's manifest";
        let details =
            json!({ "rule": "capability:artifacts", "capability": "artifacts", "allow_with": line });
        assert_eq!(denied.problem.details, Some(details), "{lines:?}");
    }
    assert_eq!(*world.artifacts.scope.lock().unwrap(), None);
}
