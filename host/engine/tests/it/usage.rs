//! What attempts used is booked once, whatever happens; and what a tenant has used up it waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use quantum_core::machine::Blocker;
use quantum_core::time::Timestamp;
use quantum_core::usage::{Day, Sums};
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{ManualClock, StartError};
use quantum_store::{LogFilter, NewSettings, PageRequest, UsageFilter, UsageGroup};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::bench::{Bench, Script, requester, step};

const NOON: &str = "2026-03-01T12:00:00Z";

fn at(text: &str) -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::parse(text).unwrap()))
}

fn today() -> Day {
    "2026-03-01".parse().unwrap()
}

async fn limit(bench: &Bench, limits: Value) {
    let document = json!({ "limits": limits }).to_string();
    let new =
        NewSettings { document, expected_revision: None, by: requester().id, at: Timestamp::from_millis(0) };
    bench.store.settings(&bench.scope).put(new).await.unwrap();
    bench.engine.limits_changed(&bench.scope);
}

async fn booked(bench: &Bench) -> Sums {
    bench.store.usage(&bench.scope).of_day(today()).await.unwrap()
}

/// Of all bills in the log, and of the attempts that began.
fn billed(log: &[Value]) -> (u64, u64) {
    let cpu_us = log.iter().filter_map(|event| event["bill"]["cpu_us"].as_u64()).sum();
    (log.iter().filter(|event| event["type"] == "step_started").count() as u64, cpu_us)
}

/// Waits until the step is held.
async fn held(bench: &Bench, id: &quantum_core::id::ExecutionId) -> Blocker {
    loop {
        let view = bench.view(id).await;
        if let Some(blocker) = view.waits_for.into_iter().find(|it| matches!(it, Blocker::Quota { .. })) {
            return blocker;
        }
        tokio::task::yield_now().await;
    }
}

fn retried(id: &str) -> Value {
    let mut step = step(id);
    step["retry"] = json!({ "max_attempts": 3, "initial_interval": 0 });
    step
}

#[tokio::test]
async fn the_sums_are_those_of_the_bills_in_the_log() {
    let bench = Bench::with_clock(at(NOON)).await;
    bench.script("a", &[Script::Retryable("busy", None), Script::Retryable("busy", None)]);
    bench.script("c", &[Script::Permanent("no")]);
    let list = json!({ "id": "b", "action": "echo-idempotent", "for_each": { "in": "[1, 2, 3]" } });
    let undone = json!({ "id": "u", "action": "echo", "compensate": { "action": "echo" } });
    let id = bench.start(&json!({ "steps": [retried("a"), list, undone, step("c"), step("d")] })).await;
    let log = bench.log(&id, 0).await;
    let sums = booked(&bench).await;
    assert_eq!((sums.attempts, sums.cpu_us), billed(&log));
    assert_eq!((sums.attempts, sums.failures), (9, 3), "{log:#?}");
    let filter = UsageFilter { from: today(), to: today(), plugin: None, by: UsageGroup::Action };
    let rows = bench.store.usage(&bench.scope).list(&filter, PageRequest::first(9)).await.unwrap().items;
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.action.unwrap(), row.sums.attempts)).collect();
    assert_eq!(rows, [("echo".to_owned(), 6), ("echo-idempotent".to_owned(), 3)].into());
}

#[tokio::test]
async fn an_attempt_that_was_lost_is_counted_once_and_its_step_runs_again() {
    let clock = at(NOON);
    let mut bench = Bench::with_clock(clock.clone()).await;
    bench.script("b", &[Script::Hang]);
    let mut attempts = bench.attempts();
    let id = bench.start(&json!({ "steps": [step("a"), retried("b")] })).await;
    for _ in 0..2 {
        attempts.recv().await.unwrap();
    }
    bench.restart_with(clock).await;
    let log = bench.log(&id, 0).await;
    let sums = booked(&bench).await;
    assert_eq!((sums.attempts, sums.cpu_us), billed(&log));
    assert_eq!((sums.attempts, sums.failures, sums.cpu_us), (3, 1, 14), "{log:#?}");
}

#[tokio::test]
async fn a_used_up_quota_refuses_starts_and_steps_wait_for_the_next_day() {
    let clock = at(NOON);
    let bench = Bench::with_clock(clock.clone()).await;
    limit(&bench, json!({ "attempts_per_day_max": 2 })).await;
    let id = bench.start(&json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    let Blocker::Quota { step: waits, until, reason, .. } = held(&bench, &id).await else { panic!() };
    assert_eq!((waits.as_str(), until.to_string().as_str()), ("c", "2026-03-02T00:00:00.000Z"));
    assert!(reason.contains("attempts_per_day_max is used up: 2 of 2"), "{reason}");
    let refused = bench.engine.start(bench.request(&json!({ "steps": [step("a")] }), json!({}))).await;
    let Err(StartError::Quota { reached, retry_after_ms }) = refused else { panic!("{refused:?}") };
    assert_eq!((reached.used, reached.max, retry_after_ms), (2, 2, 12 * 60 * 60 * 1_000));
    clock.advance(12 * 60 * 60 * 1_000);
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
    assert_eq!(booked(&bench).await.attempts, 2);
    bench.run(&json!({ "steps": [step("a")] })).await;
}

#[tokio::test]
async fn a_raised_limit_lets_go_what_waited_also_over_a_restart() {
    let clock = at(NOON);
    let mut bench = Bench::with_clock(clock.clone()).await;
    limit(&bench, json!({ "cpu_ms_per_day_max": 1 })).await;
    // Until it is used up.
    let mut started = 0;
    while let Ok(started_id) =
        bench.engine.start(bench.request(&json!({ "steps": [step("a")] }), json!({}))).await
    {
        bench.end(&started_id.id).await;
        started += 1;
    }
    assert_eq!(started, 1_000 / 7 + 1, "attempts of 7 microseconds in a millisecond");
    limit(&bench, json!({ "cpu_ms_per_day_max": 2, "attempts_per_day_max": started + 1 })).await;
    let id = bench.start(&json!({ "steps": [step("a"), step("b")] })).await;
    held(&bench, &id).await;
    bench.restart_with(clock).await;
    held(&bench, &id).await;
    bench.engine.claims_settled().await;
    limit(&bench, json!({})).await;
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn what_is_held_says_so_in_its_log_and_can_be_cancelled() {
    let bench = Bench::with_clock(at(NOON)).await;
    limit(&bench, json!({ "attempts_per_day_max": 1 })).await;
    let undone = json!({ "id": "a", "action": "echo", "compensate": { "action": "echo" } });
    let id = bench.start(&json!({ "steps": [undone, step("b")] })).await;
    held(&bench, &id).await;
    bench.engine.cancel(&bench.scope, &id, requester(), None).await.unwrap();
    assert_eq!(bench.end(&id).await.status, ExecutionStatus::Cancelled);
    assert_eq!(booked(&bench).await.attempts, 2, "what undoes a step is not held");
    bench.engine.shutdown().await;
    let filter = LogFilter { execution: id, step: None, after: 0, limit: 9 };
    let lines = bench.store.logs().list(&bench.scope, &filter).await.unwrap();
    let lines: Vec<String> = lines.iter().map(|row| format!("{:?}", row.line.entry)).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("the step waits: the quota attempts_per_day_max is used up"), "{lines:?}");
}

#[tokio::test]
async fn steps_beside_one_that_is_held_end_and_what_other_nodes_use_counts() {
    let clock = at(NOON);
    let a = Bench::node("a", clock.clone(), None).await;
    let b = a.beside("b", clock.clone()).await;
    limit(&a, json!({ "attempts_per_day_max": 2 })).await;
    let told = Arc::new(Notify::new());
    a.script("slow", &[Script::Until(told.clone())]);
    let mut attempts = a.attempts();
    let id = a.start(&json!({ "steps": [step("slow"), step("after")] })).await;
    attempts.recv().await.unwrap();
    b.run(&json!({ "steps": [step("x")] })).await;
    // By then node A reads again what others have used.
    clock.advance(1_000);
    told.notify_one();
    held(&a, &id).await;
    limit(&a, json!({})).await;
    assert_eq!(a.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn old_sums_go() {
    let clock = at(NOON);
    let bench = Bench::with_clock(clock.clone()).await;
    bench.run(&json!({ "steps": [step("a")] })).await;
    clock.advance(400 * 24 * 60 * 60 * 1_000);
    bench.engine.retention_settled().await;
    assert_eq!(booked(&bench).await.attempts, 1, "the first day is kept a year and a month");
    clock.advance(24 * 60 * 60 * 1_000);
    bench.engine.retention_settled().await;
    assert_eq!(booked(&bench).await, Sums::default());
}
