//! From the death of a node until another one runs what it ran.

use std::time::Instant;

use quantum_benches::report::Figure;

use crate::cluster::Cluster;
use crate::fixture::{born, request, runtime, three_steps};
use crate::middle::{Middle, wait_for};
use crate::options::Sizes;

/// Beyond the lease.
const SECONDS_MAX: f64 = 1.0;

pub async fn measure(sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    let database = cluster.database();
    let (runner, mut heard) = Middle::new(true);
    let heir = database.node("heir", runner, sizes.lease_ms).await;
    // All of it, connections included, is gone with its runtime, and nobody is told.
    let mortal = runtime();
    let (runner, mut begun) = Middle::new(false);
    let (options, lease_ms, count) = (database.options(), sizes.lease_ms, sizes.taken_over);
    let mortal_node = mortal.spawn(async move {
        let store = quantum_store::Store::connect(options).await.expect("a store");
        let rig = crate::cluster::node_on(store, "mortal", runner, lease_ms).await;
        let request = request("load", three_steps());
        for _ in 0..count {
            rig.engine.start(born(&request)).await.expect("the store writes");
        }
        rig
    });
    let _rig = mortal_node.await.expect("it starts");
    wait_for(&mut begun, sizes.taken_over).await;
    let died = Instant::now();
    mortal.shutdown_background();
    wait_for(&mut heard, sizes.taken_over).await;
    let took = died.elapsed().as_secs_f64();
    heir.close().await;
    let lease = sizes.lease_ms as f64 / 1_000.0;
    vec![Figure::bounded(
        format!("take-over: {} executions run again, beyond the lease of {lease} s", sizes.taken_over),
        "s",
        took - lease,
        SECONDS_MAX,
    )]
}
