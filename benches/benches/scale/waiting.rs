//! Executions that only wait: what each takes of the memory, and how late a timer is among all the others.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use quantum_benches::process::rss_bytes;
use quantum_core::id::ExecutionId;
use quantum_core::port::{Attempt, AttemptReport, BoxFuture, StepRunner};
use quantum_core::time::Timestamp;
use quantum_engine::{Clock, EngineOptions, StartRequest, SystemClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::allocations;
use crate::fixture::{Echo, Rig, born, request};
use crate::options::Sizes;
use quantum_benches::report::{Figure, quantile};

/// Beyond the row.
const BYTES_MAX: f64 = 200.0;
const LATE_MS_MAX: f64 = 50.0;
/// Starts that are written together.
const BATCH: usize = 1_000;

/// Tells when the step after a wait runs: then the end of the wait is durable, and what follows has begun.
struct Stamps(mpsc::UnboundedSender<(ExecutionId, Timestamp)>, Echo);

impl StepRunner for Stamps {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        self.0.send((attempt.subject.execution, SystemClock.now())).expect("somebody listens");
        self.1.run(attempt)
    }
}

pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let (sender, mut stamps) = mpsc::unbounded_channel();
    let runner = Arc::new(Stamps(sender, Echo::default()));
    let rig = Rig::launch(&folder.join("waiting.db"), runner, EngineOptions::default()).await;
    let timer = request("timer", step(json!({ "action": "core/wait", "duration": "1h" })));
    let signal = request("signal", step(json!({ "action": "core/signal" })));
    // Whatever is made once, such as prepared statements, is made before anything is counted.
    for request in [&timer, &signal] {
        start(&rig, (0..BATCH.min(sizes.waiting)).map(|_| born(request)).collect()).await;
    }
    let half = sizes.waiting / 2;
    let resident = rss_bytes(std::process::id());
    let timers = bytes_each(&rig, &timer, half).await;
    let signals = bytes_each(&rig, &signal, half).await;
    let resident =
        rss_bytes(std::process::id()).zip(resident).map(|(after, before)| after as f64 - before as f64);
    let in_memory = rig.engine.in_memory() as f64;
    let late = lateness(&rig, sizes, &mut stamps).await;
    rig.close().await;
    let each = |bytes: f64| bytes / sizes.waiting as f64;
    let kept = format!("waiting: of {} executions, kept in memory", sizes.waiting);
    let late_at = |part: f64| quantile(&late, part);
    let due = format!("waiting: {} timers among them, from due to the next step", late.len());
    vec![
        Figure::bounded("waiting: memory of an execution that waits for a time", "bytes", timers, BYTES_MAX),
        Figure::bounded(
            "waiting: memory of an execution that waits for a signal",
            "bytes",
            signals,
            BYTES_MAX,
        ),
        Figure::told(
            "waiting: resident memory each, SQLite's caches included",
            "bytes",
            each(resident.unwrap_or(f64::NAN)),
        ),
        Figure::told(kept, "", in_memory),
        Figure::told(format!("{due}, p50"), "ms", late_at(0.5)),
        Figure::bounded(format!("{due}, p99"), "ms", late_at(0.99), LATE_MS_MAX),
        Figure::bounded(format!("{due}, max"), "ms", late_at(1.0), LATE_MS_MAX),
    ]
}

fn step(mut step: Value) -> Value {
    step["id"] = json!("wait");
    json!({ "steps": [step] })
}

async fn start(rig: &Rig, requests: Vec<StartRequest>) {
    let started = rig.engine.start_all(requests).await;
    assert!(started.iter().all(Result::is_ok), "the store writes");
}

/// Bytes that each of so many takes once it waits.
async fn bytes_each(rig: &Rig, request: &StartRequest, count: usize) -> f64 {
    let before = allocations::bytes();
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        start(rig, (0..batch).map(|_| born(request)).collect()).await;
        left -= batch;
    }
    (allocations::bytes() as f64 - before as f64) / count as f64
}

/// Milliseconds from due to the attempt after it, of each.
async fn lateness(
    rig: &Rig,
    sizes: &Sizes,
    stamps: &mut mpsc::UnboundedReceiver<(ExecutionId, Timestamp)>,
) -> Vec<f64> {
    let until = request(
        "until",
        json!({ "steps": [
            { "id": "wait", "action": "core/wait", "until": "${ input.until }" },
            { "id": "then", "action": "echo", "parameters": { "said": "${ steps.wait.status }" } }
        ]}),
    );
    let first = SystemClock.now().plus_millis(sizes.due_after_ms);
    let mut due = HashMap::new();
    let mut requests = Vec::new();
    for number in 0..sizes.due as u64 {
        let at = first.plus_millis(number * sizes.due_every_ms);
        let request = StartRequest { input: json!({ "until": at }), ..born(&until) };
        due.insert(request.id, at);
        requests.push(request);
    }
    while !requests.is_empty() {
        let rest = requests.split_off(requests.len().min(BATCH));
        start(rig, std::mem::replace(&mut requests, rest)).await;
    }
    let mut late = Vec::new();
    while late.len() < sizes.due {
        let (id, at) = stamps.recv().await.expect("the runner is there");
        let due = due.remove(&id).expect("each runs once");
        assert!(due <= at, "a timer does not fire early");
        late.push(at.millis_since(due) as f64);
    }
    late
}
