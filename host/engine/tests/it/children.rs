//! `core/execute-intent`: a child lives and ends with its parent, whatever the process does in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quantum_core::builtin::Wait;
use quantum_core::machine::Command;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::SystemClock;
use quantum_store::{Fault, Faults};
use serde_json::{Value, json};

use crate::bench::{Bench, Script, requester, step};

fn parent() -> Value {
    let call =
        json!({ "id": "call", "action": "core/execute-intent", "intent": "other", "input": { "n": 1 } });
    json!({ "steps": [call], "output": "${ steps.call.output.output }" })
}

fn offer(bench: &Bench, name: &str, definition: Value) {
    bench.intents.definitions.lock().unwrap().insert(name.to_owned(), definition);
}

#[tokio::test]
async fn a_parent_goes_on_with_the_output_of_its_child() {
    let bench = Bench::new().await;
    offer(&bench, "other", json!({ "steps": [step("a")], "output": "${ input.n }" }));
    let view = bench.run(&parent()).await;
    assert_eq!((view.status, view.output.as_deref()), (ExecutionStatus::Succeeded, Some(&json!(1))));
}

#[tokio::test]
async fn a_child_that_fails_or_cannot_start_fails_the_step() {
    let bench = Bench::new().await;
    let view = bench.run(&parent()).await;
    assert_eq!(view.error.unwrap().code, "child-not-started");
    offer(&bench, "other", json!({ "steps": [step("b")] }));
    bench.script("b", &[Script::Permanent("broken")]);
    let error = bench.run(&parent()).await.error.unwrap();
    assert_eq!(error.code, "child-failed");
    assert!(error.message.contains("broken: as the script says"), "{}", error.message);
}

#[tokio::test]
async fn a_child_is_found_again_after_a_restart() {
    let mut bench = Bench::new().await;
    offer(&bench, "other", json!({ "steps": [step("slow")] }));
    bench.script("slow", &[Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&parent()).await;
    attempts.recv().await.unwrap();
    bench.restart().await;
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_child_is_cancelled_with_its_parent() {
    let bench = Bench::new().await;
    offer(&bench, "other", json!({ "steps": [step("slow")] }));
    bench.script("slow", &[Script::UntilCancelled]);
    let mut attempts = bench.attempts();
    let id = bench.start(&parent()).await;
    attempts.recv().await.unwrap();
    bench.engine.cancel(&bench.scope, &id, requester(), None).await.unwrap();
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Cancelled);
    let filter = quantum_store::ExecutionFilter::default();
    let page = quantum_store::PageRequest { limit: 10, after: None };
    let rows = bench.engine.list(&bench.scope, &filter, page).await.unwrap().items;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.status == ExecutionStatus::Cancelled), "{rows:?}");
}

#[tokio::test]
async fn intents_that_call_each_other_end_at_the_greatest_depth() {
    let bench = Bench::new().await;
    offer(&bench, "other", parent());
    let view = bench.run(&parent()).await;
    let error = view.error.unwrap();
    assert_eq!(error.code, "child-failed");
    assert!(error.message.contains("8 are allowed"), "{}", error.message);
}

/// Two children ended, and the store does not take that their parent is told: the host ends all the same.
#[tokio::test]
async fn a_host_ends_while_the_ends_of_children_cannot_be_told() {
    // So many flushes are taken from now on.
    let taken = Arc::new(AtomicU64::new(u64::MAX));
    let left = taken.clone();
    let faults = Faults::new(move |_| {
        let one = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        Box::pin(std::future::ready(if one.is_ok() { Fault::None } else { Fault::Refused }))
    });
    let bench = Bench::with(Arc::new(SystemClock), Some(faults)).await;
    offer(&bench, "other", json!({ "steps": [{ "id": "go", "action": "core/signal" }] }));
    let call = |id: &str| json!({ "id": id, "action": "core/execute-intent", "intent": "other" });
    let id = bench.start(&json!({ "order": "graph", "steps": [call("a"), call("b")] })).await;
    let mut children = Vec::new();
    // Both are there before the first write is refused.
    for step in bench.view(&id).await.steps {
        let Some(Wait::Child { execution_id, .. }) = step.waiting else { panic!("it waits for a child") };
        let waits = async || {
            let view = bench.engine.view(&bench.scope, &execution_id).await.unwrap();
            view.is_some_and(|view| view.steps[0].waiting.is_some())
        };
        while !waits().await {
            tokio::task::yield_now().await;
        }
        children.push(execution_id);
    }
    for execution_id in children {
        let (name, payload) = ("go".to_owned(), Value::Null);
        let signal = Command::Signal { name, payload, sent_by: requester() };
        // Its end, and nothing after it; now and then the parent is faster.
        taken.store(1, Ordering::SeqCst);
        while bench.engine.operate(&bench.scope, &execution_id, signal.clone()).await.is_err() {
            taken.store(1, Ordering::SeqCst);
        }
    }
    // Whoever asks for the parent now loads it, and finds two children that nobody looks after.
    let signal = Command::Signal { name: "none".to_owned(), payload: Value::Null, sent_by: requester() };
    let asked = bench.engine.operate(&bench.scope, &id, signal);
    assert!(tokio::join!(asked, bench.engine.shutdown()).0.is_err());
}
