//! A start on a store whose executions were in the middle of a step when the host died.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use quantum_core::port::{Attempt, AttemptReport, BoxFuture, StepRunner};
use quantum_engine::EngineOptions;
use quantum_store::{ExecutionFilter, PageRequest};
use tokio::sync::mpsc;

use crate::fixture::{Echo, Rig, born, request, three_steps};
use crate::options::Sizes;
use quantum_benches::report::Figure;

const SECONDS_MAX: f64 = 5.0;
/// The step of three in whose middle the host dies.
const STEP: &str = "b";

/// Tells of each attempt of the step in the middle. `ends`: whether it ever comes to an end.
struct Middle {
    echo: Echo,
    begun: mpsc::UnboundedSender<()>,
    ends: bool,
}

impl StepRunner for Middle {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        if attempt.subject.step.as_str() != STEP {
            return self.echo.run(attempt);
        }
        self.begun.send(()).expect("somebody listens");
        if self.ends { self.echo.run(attempt) } else { Box::pin(std::future::pending()) }
    }
}

pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let path = folder.join("recovery.db");
    die_in_the_middle(sizes.running, &path).await;
    let (sender, mut begun) = mpsc::unbounded_channel();
    let runner = Arc::new(Middle { echo: Echo::default(), begun: sender, ends: true });
    let launched = Instant::now();
    let rig = Rig::launch(&path, runner, EngineOptions::default()).await;
    wait_for(&mut begun, sizes.running).await;
    let restarted = launched.elapsed().as_secs_f64();
    all_ended(&rig).await;
    let ended = launched.elapsed().as_secs_f64();
    rig.close().await;
    let what = format!("recovery: {} executions in the middle of a step", sizes.running);
    vec![
        Figure::bounded(format!("{what}, until all run again"), "s", restarted, SECONDS_MAX),
        Figure::told(format!("{what}, until all have ended"), "s", ended),
    ]
}

/// Leaves a store as a killed host does: nothing is written about attempts that are dropped.
async fn die_in_the_middle(count: usize, path: &Path) {
    let (sender, mut begun) = mpsc::unbounded_channel();
    let runner = Arc::new(Middle { echo: Echo::default(), begun: sender, ends: false });
    let options = EngineOptions {
        attempts_max: count,
        attempts_per_tenant_max: count,
        shutdown_grace_ms: 0,
        ..EngineOptions::default()
    };
    let rig = Rig::launch(path, runner, options).await;
    let request = request("load", three_steps());
    let started = rig.engine.start_all((0..count).map(|_| born(&request)).collect()).await;
    assert!(started.iter().all(Result::is_ok), "the store writes");
    wait_for(&mut begun, count).await;
    rig.close().await;
}

async fn wait_for(begun: &mut mpsc::UnboundedReceiver<()>, count: usize) {
    for _ in 0..count {
        begun.recv().await.expect("the runner is there");
    }
}

async fn all_ended(rig: &Rig) {
    let open = ExecutionFilter { open_only: true, ..ExecutionFilter::default() };
    loop {
        let page = rig.engine.list(&rig.scope, &open, PageRequest::first(1)).await.expect("the store reads");
        let Some(row) = page.items.first() else { return };
        rig.engine.ended(&rig.scope, &row.id).await.expect("it is known");
    }
}
