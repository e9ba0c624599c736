//! Of which attempts the recording is kept.

use std::collections::BTreeMap;

use quantum_core::id::ExecutionId;
use quantum_core::tenant::RECORD_LABEL;
use quantum_core::time::Timestamp;
use quantum_engine::StartRequest;
use quantum_store::NewSettings;
use serde_json::{Value, json};

use crate::bench::{Bench, Script, requester, step};

fn tried_twice(step_id: &str) -> Value {
    let mut step = step(step_id);
    step["retry"] = json!({ "max_attempts": 2, "initial_interval": 0 });
    step
}

async fn start(bench: &Bench, label: Option<&str>, definition: &Value) -> ExecutionId {
    let labels: BTreeMap<_, _> =
        label.map(|word| (RECORD_LABEL.to_owned(), word.to_owned())).into_iter().collect();
    let request = StartRequest { labels, ..bench.request(definition, json!({})) };
    bench.engine.start(request).await.unwrap().id
}

/// Step and attempt of what was kept of it.
fn kept(bench: &Bench, id: &ExecutionId) -> Vec<(String, u32)> {
    let keys = bench.intents.recordings.0.lock().unwrap();
    let of_it = keys.iter().filter(|key| key.execution == *id);
    of_it.map(|key| (key.slot.step.to_string(), key.attempt)).collect()
}

async fn set(bench: &Bench, recordings: &str) {
    let document = json!({ "recordings": recordings }).to_string();
    let new =
        NewSettings { document, expected_revision: None, by: requester().id, at: Timestamp::from_millis(0) };
    bench.store.settings(&bench.scope).put(new).await.unwrap();
}

#[tokio::test]
async fn recordings_are_kept_as_the_execution_asks_and_the_tenant_allows() {
    let bench = Bench::new().await;
    let (first, both): (&[u32], &[u32]) = (&[1], &[1, 2]);
    for (setting, label, expected) in [
        (None, None, &[][..]),
        (None, Some("failures"), first),
        (None, Some("all"), both),
        (Some("off"), Some("all"), &[]),
        (Some("failures"), None, first),
        (Some("failures"), Some("all"), both),
    ] {
        if let Some(setting) = setting {
            set(&bench, setting).await;
        }
        bench.script("a", &[Script::Retryable("busy", None)]);
        let id = start(&bench, label, &json!({ "steps": [tried_twice("a")] })).await;
        bench.end(&id).await;
        let expected: Vec<_> = expected.iter().map(|attempt| ("a".to_owned(), *attempt)).collect();
        assert_eq!(kept(&bench, &id), expected, "{setting:?} {label:?}");
    }
}

#[tokio::test]
async fn an_execution_is_recorded_by_the_host_that_goes_on_with_it_and_after_it_was_restarted() {
    let mut bench = Bench::new().await;
    bench.script("a", &[Script::Hang, Script::Permanent("broken"), Script::Permanent("broken")]);
    let mut attempts = bench.attempts();
    let id = start(&bench, Some("failures"), &json!({ "steps": [step("a")] })).await;
    attempts.recv().await.unwrap();
    bench.restart().await;
    bench.end(&id).await;
    assert_eq!(kept(&bench, &id), [("a".to_owned(), 2)], "nothing is left of the attempt that was lost");
    bench.engine.restart(&bench.scope, &id, requester()).await.unwrap();
    bench.end(&id).await;
    assert_eq!(kept(&bench, &id).len(), 2);
}
