//! What guests keep in the key-value store, at its limits and beyond them.

use quantum_core::id::TenantId;
use quantum_core::port::{FailureKind, Grant, KeyValueSpace, StepRunner};
use quantum_core::vocabulary::Capability;
use serde_json::{Value, json};

use crate::script::{script, told};
use crate::world::{World, attempt, failure};

fn grant() -> Grant {
    Grant { capabilities: vec![Capability::Kv], ..Grant::default() }
}

#[tokio::test]
async fn a_value_is_kept_for_the_plugin_in_the_tenant_and_billed() {
    let world = World::new();
    let report = world.script(grant(), &["+\"one\"", "sk", "Gk"]).await;
    assert_eq!(told(&report), "\"one\"");
    assert_eq!((report.bill.host_calls, report.bill.sent_bytes, report.bill.received_bytes), (2, 5, 5));
    let space = KeyValueSpace { tenant: TenantId::new("tenant-1").unwrap(), plugin: "test:guest".to_owned() };
    let kept = world.values.kept.lock().unwrap().get(&(space, "k".to_owned())).cloned().unwrap();
    assert_eq!((kept.value, kept.revision), (b"\"one\"".to_vec(), 7));

    let lines = ["dk", "+\"", "Gk", "+\""];
    assert_eq!(told(&world.script(grant(), &lines).await), "\"none\"");
}

#[tokio::test]
async fn the_installations_prefix_stands_before_each_key() {
    let world = World::new();
    let settings = json!({ "key_prefix": "all/", "environments": { "test": { "key_prefix": "test/" } } });
    let lines = ["+1", "sk", "+2", "ck", "0", "dk", "+3", "ak", "0", "Gk"];
    assert_eq!(told(&world.script_with(settings, grant(), &lines).await), "3");
    let keys: Vec<String> = world.values.kept.lock().unwrap().keys().map(|(_, key)| key.clone()).collect();
    assert_eq!(keys, ["all/k"]);
}

#[tokio::test]
async fn a_write_can_depend_on_what_is_stored() {
    let world = World::new();
    let told = async |lines: &[&str]| told(&world.script(grant(), lines).await);
    // Only when absent: once. `a` and `c` leave their answer in the buffer.
    assert_eq!(told(&["+1", "ak", "sanswer", "+\"", "Ganswer", "+\""]).await, "\"yes\"");
    assert_eq!(told(&["+2", "ak", "sanswer", "+\"", "Ganswer", "+\""]).await, "\"no\"");
    // With the revision that was read, and once more with the one that the first write gave.
    assert_eq!(told(&["Gk", "0", "+3", "ck", "0", "+4", "ck", "0", "Gk"]).await, "4");
    // With one that is not the stored one: that of another key.
    assert_eq!(told(&["+x", "sother", "Gother", "0", "+5", "ck", "0", "Gk"]).await, "4");
}

#[tokio::test]
async fn a_time_to_live_reaches_the_store() {
    let world = World::new();
    assert_eq!(told(&world.script(grant(), &["+1", "tk", "Gk"]).await), "1");
    assert_eq!(*world.values.ttl_ms.lock().unwrap(), Some(1_000));
}

#[tokio::test]
async fn keys_and_values_have_bounds() {
    let world = World::new();
    let (long, longer) = (format!("s{}", "k".repeat(512)), format!("s{}", "k".repeat(513)));
    assert_eq!(told(&world.script(grant(), &["+1", &long, "+1"]).await), "1");
    let refused = "invalid-key: a key has 1 to 512 bytes, this one 513";
    assert_eq!(told(&world.script(grant(), &["+1", &longer]).await), refused);
    let refused = failure(world.script(grant(), &["+1", "G"]).await);
    assert_eq!(refused.kind, FailureKind::Permanent);
    assert_eq!(refused.problem.to_string(), "invalid-key: a key has 1 to 512 bytes, this one 0");

    let mut lines = vec!["+x"];
    lines.extend(["2"; 20]);
    lines.extend(["sk", "+1"]);
    assert_eq!(told(&world.script(grant(), &lines).await), "1");
    lines.insert(1, "2");
    let refused =
        "too-large: a value has at most 1048576 bytes, this one 2097152; keep large data as artifacts";
    assert_eq!(told(&world.script(grant(), &lines).await), refused);
}

#[tokio::test]
async fn a_store_that_cannot_answer_now_is_a_retryable_failure() {
    let world = World::new();
    let failed = failure(world.script(grant(), &["Gbusy"]).await);
    assert_eq!(
        (failed.kind, failed.problem.to_string()),
        (FailureKind::Retryable, "unavailable: the store is busy".to_owned())
    );
}

#[tokio::test]
async fn without_a_grant_each_call_is_the_same_trap() {
    let world = World::new();
    for lines in [["Gk"], ["sk"], ["tk"], ["ck"], ["ak"], ["dk"]] {
        let denied = failure(world.script(Grant::default(), &lines).await);
        assert_eq!(denied.kind, FailureKind::Denied, "{lines:?}");
        let line = "\"kv\": true under \"capabilities\" of the plugin's manifest";
        let details = json!({ "rule": "capability:kv", "capability": "kv", "allow_with": line });
        assert_eq!(denied.problem.details, Some(details), "{lines:?}");
    }
    assert!(world.values.kept.lock().unwrap().is_empty());
    world.is_well().await;
}

#[tokio::test]
async fn a_call_ends_with_its_attempt() {
    let world = World::new();
    let digest = world.sandbox.install(script()).await.unwrap();
    let mut attempt = attempt(&digest, grant(), "Ghang");
    attempt.timeout_ms = 100;
    assert_eq!(failure(world.sandbox.run(attempt.clone()).await).kind, FailureKind::Timeout);
    assert_eq!(world.values.open.count(), 0);

    attempt.timeout_ms = 60_000;
    let running = tokio::spawn(world.sandbox.run(attempt));
    while world.values.open.count() == 0 {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(world.values.open.count(), 0);
    assert_eq!(told(&world.script_with(Value::Null, grant(), &["+1"]).await), "1");
}
