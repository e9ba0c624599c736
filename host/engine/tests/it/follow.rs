//! Following the log: complete from any place, without gaps, ending with the execution.

use serde_json::{Value, json};

use crate::bench::{Bench, Script, step, step_id};

#[tokio::test]
async fn a_feed_from_any_place_equals_the_rest_of_the_log() {
    let bench = Bench::new().await;
    let id = bench.start(&json!({ "steps": [step("a"), step("b")] })).await;
    let whole = bench.log(&id, 0).await;
    let sequence: Vec<u64> = whole.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(sequence, (1..=6).collect::<Vec<_>>());
    for after in 0..=6 {
        let rest: Vec<Value> = whole.iter().skip(after).cloned().collect();
        assert_eq!(bench.log(&id, after as u64).await, rest, "after {after}");
    }
}

#[tokio::test]
async fn a_feed_that_was_opened_early_wakes_up_for_each_commit() {
    let bench = Bench::new().await;
    bench.script("a", &[Script::UntilCancelled]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a")] })).await;
    attempts.recv().await.unwrap();
    let feeds: Vec<_> = (0..8).map(|_| bench.log(&id, 0)).collect();
    let ended = async {
        bench.engine.cancel(&bench.scope, &id, crate::bench::requester(), None).await.unwrap();
        bench.end(&id).await
    };
    let (logs, view) = tokio::join!(futures::future::join_all(feeds), ended);
    assert!(logs.iter().all(|log| log.last().unwrap()["type"] == "execution_cancelled"));
    assert_eq!(view.steps[0].id, step_id("a"));
}
