//! Executions that go well: order, data, commits.

use quantum_core::vocabulary::ExecutionStatus;
use serde_json::json;

use crate::bench::{Bench, step};

#[tokio::test]
async fn three_steps_run_in_order_and_take_four_commits() {
    let bench = Bench::new().await;
    let before = bench.store.stats().awaited_commits;
    let id = bench.start(&json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    let view = bench.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    assert_eq!(bench.store.stats().awaited_commits - before, 4);
    let expected = [
        "1 execution_started",
        "2 step_started a",
        "3 step_completed a",
        "4 step_started b",
        "5 step_completed b",
        "6 step_started c",
        "7 step_completed c",
        "8 execution_completed",
    ];
    assert_eq!(bench.lines(&id).await, expected);
}

#[tokio::test]
async fn results_flow_through_expressions_into_later_steps_and_the_output() {
    let bench = Bench::new().await;
    let definition = json!({
        "steps": [
            { "id": "first", "action": "echo", "n": "${ input.n + 1 }" },
            { "id": "second", "action": "echo", "text": "got ${ steps.first.output.n } in ${ intent.name }" },
        ],
        "output": { "said": "${ steps['second'].output.text }" },
    });
    let started = bench.engine.start(bench.request(&definition, json!({ "n": 41 }))).await.unwrap();
    let view = bench.end(&started.id).await;
    assert_eq!(view.output.unwrap().as_ref(), &json!({ "said": "got 42 in check" }));
    assert_eq!(view.steps[0].bill.cpu_us, 7);
}

#[tokio::test]
async fn a_graph_runs_what_it_can_beside_each_other() {
    let bench = Bench::new().await;
    let mut attempts = bench.attempts();
    let after = |id: &str, on: &[&str]| json!({ "id": id, "action": "echo", "depends_on": on });
    let steps = json!([step("a"), after("b", &["a"]), after("c", &["a"]), after("d", &["b", "c"])]);
    let id = bench.start(&json!({ "order": "graph", "steps": steps })).await;
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
    let mut order = Vec::new();
    while let Ok((step, _)) = attempts.try_recv() {
        order.push(step);
    }
    let middle = order.get(1..3).map(|pair| [pair[0].clone(), pair[1].clone()]).unwrap();
    assert_eq!((order[0].as_str(), order[3].as_str()), ("a", "d"));
    assert!(middle.contains(&"b".to_owned()) && middle.contains(&"c".to_owned()), "{order:?}");
}

#[tokio::test]
async fn an_intent_without_output_ends_with_null() {
    let bench = Bench::new().await;
    let view = bench.run(&json!({ "steps": [step("a")] })).await;
    assert_eq!(view.output.unwrap().as_ref(), &serde_json::Value::Null);
}
