//! Several starts in one transaction.

use quantum_core::id::PrincipalId;
use quantum_core::time::Timestamp;
use quantum_engine::{StartError, StartRequest};
use quantum_store::{IdempotencyKey, IdempotencyRecord};
use serde_json::{Value, json};

use crate::bench::{Bench, Script, step};

/// An execution of one step that does not end.
fn hanging() -> Value {
    json!({ "input": { "properties": { "tag": { "type": "string" } } }, "steps": [step("a")] })
}

fn under_key(request: StartRequest, answer: &str) -> StartRequest {
    let key = IdempotencyKey {
        principal: PrincipalId::new("ann").unwrap(),
        route: "execute".into(),
        key: "k".into(),
    };
    let (fingerprint, at) = ("f".to_owned(), Timestamp::from_millis(0));
    let record = IdempotencyRecord { key, fingerprint, response: answer.to_owned(), at };
    StartRequest { idempotency: Some(record), ..request }
}

#[tokio::test]
async fn starts_that_are_asked_for_together_are_one_transaction_and_each_has_its_answer() {
    let bench = Bench::new().await;
    // What the engine writes when it is launched is behind us then.
    bench.run(&json!({ "steps": [step("first")] })).await;
    bench.script("a", &vec![Script::Hang; 100]);
    let request = |input: Value| bench.request(&hanging(), input);
    let mut requests: Vec<StartRequest> = (0..50).map(|n| request(json!({ "n": n }))).collect();
    requests.push(request(json!({ "tag": 7 })));
    requests.push(under_key(request(json!({})), "first"));
    requests.push(under_key(request(json!({})), "second"));
    let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
    let before = bench.store.stats();
    let answers = bench.engine.start_all(requests).await;
    let after = bench.store.stats();
    assert_eq!(after.flushes - before.flushes, 1);
    assert_eq!(after.awaited_commits - before.awaited_commits, 51);
    for (at, (id, answer)) in ids.iter().zip(&answers).enumerate() {
        match (at, answer) {
            (50, Err(StartError::Input(findings))) => assert_eq!(findings[0].pointer, "/input/tag"),
            (52, Err(StartError::IdempotencyTaken(stored))) => assert_eq!(stored.response, "first"),
            (50 | 52, other) => panic!("{at}: {other:?}"),
            (_, answer) => assert_eq!(answer.as_ref().unwrap().id, *id),
        }
        let known = bench.engine.view(&bench.scope, id).await.unwrap().is_some();
        assert_eq!(known, answer.is_ok(), "{at}");
    }
    bench.engine.shutdown().await;
}

#[tokio::test]
async fn executions_that_were_started_together_run_to_their_ends() {
    let bench = Bench::new().await;
    let definition = json!({ "steps": [step("a"), step("b")] });
    let requests = (0..20).map(|_| bench.request(&definition, json!({}))).collect();
    for started in bench.engine.start_all(requests).await {
        let view = bench.end(&started.unwrap().id).await;
        assert_eq!(view.status.as_str(), "succeeded");
    }
    assert!(bench.engine.start_all(Vec::new()).await.is_empty());
}

#[tokio::test]
async fn none_of_them_starts_while_the_host_stops() {
    let bench = Bench::new().await;
    let requests = (0..3).map(|_| bench.request(&hanging(), json!({}))).collect();
    bench.engine.shutdown().await;
    let answers = bench.engine.start_all(requests).await;
    let refused = |answer: &Result<_, _>| matches!(answer, Err(StartError::Unavailable { .. }));
    assert!(answers.len() == 3 && answers.iter().all(refused), "{answers:?}");
}
