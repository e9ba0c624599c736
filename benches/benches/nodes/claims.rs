//! Executions of a dead node that a node takes in a second.

use std::sync::Arc;
use std::time::Instant;

use quantum_benches::report::Figure;
use quantum_engine::{Clock, SystemClock};
use serde_json::json;

use crate::cluster::Cluster;
use crate::fixture::{Echo, born, request};
use crate::options::Sizes;

const RATE_MIN: f64 = 20_000.0;
const LEASE_MS: u64 = 600_000;
/// As the engine takes them.
const CLAIMED_AT_ONCE: u32 = 200;
/// Starts that are written together.
const BATCH: usize = 1_000;

pub async fn measure(sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    let database = cluster.database();
    let rig = database.node("dead", Arc::new(Echo::default()), LEASE_MS).await;
    let request =
        request("waits", json!({ "steps": [{ "id": "go", "action": "core/signal", "name": "go" }] }));
    let mut left = sizes.claimed;
    while left > 0 {
        let batch = left.min(BATCH);
        let started = rig.engine.start_all((0..batch).map(|_| born(&request)).collect()).await;
        assert!(started.iter().all(Result::is_ok), "the store writes");
        left -= batch;
    }
    rig.close().await;
    let store = database.store().await;
    let heir = record();
    store.nodes().register(&heir, LEASE_MS, SystemClock.now()).await.expect("the store writes");
    let begun = Instant::now();
    let mut taken = 0;
    loop {
        let keys = store.platform().claim(&heir.id, CLAIMED_AT_ONCE, SystemClock.now()).await;
        let keys = keys.expect("the store writes");
        if keys.is_empty() {
            break;
        }
        taken += keys.len();
    }
    let rate = taken as f64 / begun.elapsed().as_secs_f64();
    store.close().await;
    assert_eq!(taken, sizes.claimed, "all of them");
    vec![Figure::at_least(format!("claims: of {taken} executions of a dead node"), "/s", rate, RATE_MIN)]
}

fn record() -> quantum_store::NodeRecord {
    quantum_store::NodeRecord {
        id: "heir".to_owned(),
        name: "heir".to_owned(),
        version: "0".to_owned(),
        url: None,
        started_at: SystemClock.now(),
    }
}
