//! Executions of three steps a second: on SQLite, on PostgreSQL, and with two nodes on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use quantum_benches::report::{Figure, median};
use quantum_engine::StartRequest;

use crate::cluster::{Cluster, alone};
use crate::fixture::{Echo, Rig, born, request, three_steps};
use crate::options::Sizes;

const OF_SQLITE: f64 = 0.6;
const OF_ONE_NODE: f64 = 1.0;
/// Of 64 clients beside 16: where they hold up each other it is far below.
const OF_FEWER: f64 = 1.0;
const LEASE_MS: u64 = 10_000;

/// Executions a second, each time.
#[derive(Default)]
struct Rates(Vec<f64>);

impl Rates {
    async fn measure(&mut self, nodes: &[&Rig], request: &StartRequest, clients: usize, count: usize) {
        let (left, begun) = (&AtomicUsize::new(count), Instant::now());
        // Each goes on as long as any is left: all of them are at work until the end, also those of the slower node.
        let client = |at: usize| async move {
            while take(left) {
                nodes[at % nodes.len()].execute(born(request)).await;
            }
        };
        join_all((0..clients).map(client)).await;
        self.0.push(count as f64 / begun.elapsed().as_secs_f64());
    }

    fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// Round by round: what a machine does beside this run in one of them slows both.
    fn over(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }
}

fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

pub async fn measure(sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    let database = cluster.database();
    let (sqlite, _folder) = alone(Arc::new(Echo::default())).await;
    let a = database.node("a", Arc::new(Echo::default()), LEASE_MS).await;
    let b = database.node("b", Arc::new(Echo::default()), LEASE_MS).await;
    let request = request("load", three_steps());
    let (count, few) = (sizes.executions, sizes.executions.div_ceil(16));
    let [mut sqlite_1, mut sqlite_64, mut one_1, mut one_16, mut one_64, mut two_64] =
        std::array::from_fn(|_| Rates::default());
    // What is only made once, or in the first moments: plans of statements, and who follows what at which node.
    let begun = Instant::now();
    while begun.elapsed() < sizes.warm_up {
        Rates::default().measure(&[&sqlite, &a, &b], &request, 64, count).await;
    }
    for round in 0..sizes.rounds {
        sqlite_1.measure(&[&sqlite], &request, 1, few).await;
        one_1.measure(&[&a], &request, 1, few).await;
        sqlite_64.measure(&[&sqlite], &request, 64, count).await;
        // Tables grow: neither always comes last.
        if round % 2 == 1 {
            two_64.measure(&[&a, &b], &request, 64, count).await;
        }
        one_64.measure(&[&a], &request, 64, count).await;
        if round % 2 == 0 {
            two_64.measure(&[&a, &b], &request, 64, count).await;
        }
        one_16.measure(&[&a], &request, 16, count).await;
    }
    for rig in [sqlite, a, b] {
        rig.close().await;
    }
    let told = |what: &str, rates: &Rates| Figure::told(format!("executions: {what}"), "/s", rates.median());
    let ratio = |what: &str, rates: &Rates, of: &Rates, least| {
        Figure::at_least(format!("executions: {what}"), "", rates.over(of), least)
    };
    vec![
        told("SQLite, 1 client", &sqlite_1),
        told("PostgreSQL, 1 client", &one_1),
        told("SQLite, 64 clients", &sqlite_64),
        told("PostgreSQL, 64 clients", &one_64),
        told("PostgreSQL, two nodes, 64 clients", &two_64),
        // Each statement of a commit is a message to another process and back: nothing else hides that.
        Figure::told("executions: PostgreSQL over SQLite, 1 client", "", one_1.over(&sqlite_1)),
        ratio("PostgreSQL over SQLite, 64 clients", &one_64, &sqlite_64, OF_SQLITE),
        ratio("two nodes over one, 64 clients", &two_64, &one_64, OF_ONE_NODE),
        ratio("64 clients over 16", &one_64, &one_16, OF_FEWER),
    ]
}
