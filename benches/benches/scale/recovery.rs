//! A start on a store whose executions were in the middle of a step when the host died.

use std::path::Path;
use std::time::Instant;

use quantum_engine::EngineOptions;
use quantum_store::{ExecutionFilter, PageRequest};

use crate::fixture::{Rig, born, request, three_steps};
use crate::middle::{Middle, wait_for};
use crate::options::Sizes;
use quantum_benches::report::Figure;

const SECONDS_MAX: f64 = 5.0;
pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let path = folder.join("recovery.db");
    die_in_the_middle(sizes.running, &path).await;
    let (runner, mut begun) = Middle::new(true);
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
    let (runner, mut begun) = Middle::new(false);
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

async fn all_ended(rig: &Rig) {
    let open = ExecutionFilter { open_only: true, ..ExecutionFilter::default() };
    loop {
        let page = rig.engine.list(&rig.scope, &open, PageRequest::first(1)).await.expect("the store reads");
        let Some(row) = page.items.first() else { return };
        rig.engine.ended(&rig.scope, &row.id).await.expect("it is known");
    }
}
