//! What the store does for an execution of three steps: one commit for the start and one for each step, and few flushes
//! when many executions share them.

use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use quantum_engine::EngineOptions;

use crate::fixture::{Echo, Rig, born, request, three_steps};
use crate::options::Sizes;
use quantum_benches::report::Figure;

/// The start, and the result of each step.
const COMMITS: f64 = 4.0;
const CLIENTS: usize = 64;
const FLUSHES_MAX: f64 = 0.3;

pub async fn measure(sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    let path = folder.join("commits.db");
    let rig = Rig::launch(&path, Arc::new(Echo::default()), EngineOptions::default()).await;
    let request = request("load", three_steps());
    let client = || async {
        for _ in 0..sizes.executions {
            rig.execute(born(&request)).await;
        }
    };
    let before = rig.store.stats();
    client().await;
    let between = rig.store.stats();
    join_all((0..CLIENTS).map(|_| client())).await;
    let after = rig.store.stats();
    rig.close().await;
    let each = |from: u64, to: u64, clients: usize| (to - from) as f64 / (clients * sizes.executions) as f64;
    let commits_alone = each(before.awaited_commits, between.awaited_commits, 1);
    let commits_together = each(between.awaited_commits, after.awaited_commits, CLIENTS);
    let flushes_together = each(between.flushes, after.flushes, CLIENTS);
    vec![
        Figure::bounded(
            "commits: awaited, of an execution of three steps, alone",
            "",
            commits_alone,
            COMMITS,
        ),
        Figure::bounded("commits: awaited, at 64 clients", "", commits_together, COMMITS),
        Figure::bounded("commits: flushes an execution at 64 clients", "", flushes_together, FLUSHES_MAX),
    ]
}
