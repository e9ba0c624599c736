//! `for_each`: one child of the step for each element, and what is undone of it.

use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use serde_json::json;

use crate::bench::{Bench, Script, step};

#[tokio::test]
async fn a_list_runs_element_by_element_and_keeps_its_order() {
    let bench = Bench::new().await;
    let hosts: Vec<String> = (0..40).map(|n| format!("host-{n}")).collect();
    let each = json!({
        "id": "each", "action": "echo", "for_each": { "in": "intent.definition.hosts", "as": "host" },
        "said": "${ host }"
    });
    let last = json!({ "id": "last", "action": "echo", "third": "${ steps.each.output[2].said }" });
    let id = bench.start(&json!({ "hosts": hosts, "steps": [each, last] })).await;
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    let expected: Vec<_> = hosts.iter().map(|host| json!({ "said": host })).collect();
    assert_eq!(view.steps[0].output.as_deref(), Some(&json!(expected)));
    assert_eq!(view.steps[1].output.as_deref(), Some(&json!({ "third": "host-2" })));
    let mut keys = bench.runner.keys.lock().unwrap().clone();
    keys.retain(|key| key.contains("/each/"));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 40, "each element has an idempotency key of its own");
}

#[tokio::test]
async fn elements_that_were_lost_run_again_and_the_others_keep_their_results() {
    let mut bench = Bench::new().await;
    let each = json!({
        "id": "each", "action": "echo", "for_each": { "in": "[0, 1, 2, 3]", "max_parallel": 1 }, "n": "${ item }"
    });
    bench.script("each", &[Script::Result(json!({ "n": 0 })), Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [each] })).await;
    attempts.recv().await.unwrap();
    attempts.recv().await.unwrap();
    bench.restart().await;
    let view = bench.end(&id).await;
    let expected = json!([{ "n": 0 }, { "n": 1 }, { "n": 2 }, { "n": 3 }]);
    assert_eq!(view.steps[0].output.as_deref(), Some(&expected));
    let (_, elements) = bench.engine.step(&bench.scope, &id, "each").await.unwrap().unwrap();
    assert_eq!(elements.iter().map(|element| element.attempts).collect::<Vec<_>>(), [1, 2, 1, 1]);
}

#[tokio::test]
async fn a_failure_undoes_what_completed_last_first() {
    let bench = Bench::new().await;
    let undoable = |id: &str| {
        json!({ "id": id, "action": "echo", "said": id,
                "compensate": { "action": "echo-idempotent", "undo": format!("${{ steps.{id}.output.said }}") } })
    };
    bench.script("c", &[Script::Permanent("broken")]);
    let id = bench.start(&json!({ "steps": [undoable("a"), undoable("b"), step("c")] })).await;
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Failed);
    let undone: Vec<_> = view.steps.iter().map(|step| step.status).collect();
    assert_eq!(undone, [StepStatus::Compensated, StepStatus::Compensated, StepStatus::Failed]);
    let keys = bench.runner.keys.lock().unwrap().clone();
    let last: Vec<_> = keys.iter().rev().take(2).map(|key| key.split_once('/').unwrap().1).collect();
    assert_eq!(last, ["a/compensate", "b/compensate"]);
}

#[tokio::test]
async fn a_compensation_that_was_lost_with_the_host_is_made_again() {
    let mut bench = Bench::new().await;
    let undoable = json!({ "id": "a", "action": "echo", "compensate": { "action": "echo-idempotent" } });
    bench.script("a", &[Script::Result(json!({})), Script::Hang]);
    bench.script("b", &[Script::Permanent("broken")]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [undoable, step("b")] })).await;
    for _ in 0..3 {
        attempts.recv().await.unwrap();
    }
    bench.restart().await;
    let view = bench.end(&id).await;
    assert_eq!(view.steps[0].status, StepStatus::Compensated);
    assert_eq!(view.steps[0].compensation.as_ref().unwrap().attempts, 2);
}
