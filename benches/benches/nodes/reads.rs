//! Reads with row-level security, and the same reads of the same rows while it is switched off.

use std::sync::Arc;
use std::time::Instant;

use quantum_benches::report::{Figure, median};
use quantum_core::id::ExecutionId;
use quantum_store::{ExecutionFilter, PageRequest, Store, TenantScope};

use crate::cluster::{Cluster, Database};
use crate::fixture::{Echo, born, request, three_steps};
use crate::options::Sizes;

const OF_OPEN: f64 = 1.1;
const LEASE_MS: u64 = 10_000;
const PAGE: u32 = 50;
/// What the reads look at.
const TABLES: [&str; 2] = ["executions", "journal"];

pub async fn measure(sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    let database = cluster.database();
    let rig = database.node("a", Arc::new(Echo::default()), LEASE_MS).await;
    let request = request("load", three_steps());
    let mut last = request.id;
    for _ in 0..sizes.reads.max(PAGE as usize) {
        last = born(&request).id;
        rig.execute(quantum_engine::StartRequest { id: last, ..request.clone() }).await;
    }
    let (store, scope) = (rig.store.clone(), rig.scope.clone());
    let (mut guarded, mut open) = (Times::default(), Times::default());
    // In turn, and the first time for what is only made once.
    for round in 0..=sizes.rounds * 2 {
        secure(&database, "ENABLE");
        let with = Times::of(&store, &scope, &last, sizes.reads).await;
        secure(&database, "DISABLE");
        let without = Times::of(&store, &scope, &last, sizes.reads).await;
        if round > 0 {
            guarded.add(with);
            open.add(without);
        }
    }
    secure(&database, "ENABLE");
    rig.close().await;
    let ratio = |what: &str, with: &[f64], without: &[f64]| {
        let ratio = median(with.to_vec()) / median(without.to_vec());
        Figure::bounded(format!("row-level security: {what}, over the same without"), "", ratio, OF_OPEN)
    };
    vec![
        Figure::told("row-level security: get", "ms", median(guarded.get.clone())),
        ratio("get", &guarded.get, &open.get),
        ratio("an execution with its events", &guarded.load, &open.load),
        ratio("a page of 50", &guarded.list, &open.list),
    ]
}

/// Milliseconds of a read, each time.
#[derive(Default)]
struct Times {
    get: Vec<f64>,
    load: Vec<f64>,
    list: Vec<f64>,
}

impl Times {
    async fn of(store: &Store, scope: &TenantScope, id: &ExecutionId, count: usize) -> Self {
        let executions = store.executions(scope);
        let filter = ExecutionFilter::default();
        Self {
            get: vec![
                each(count, async || {
                    executions.get(id).await.expect("the store reads").expect("it is there");
                })
                .await,
            ],
            load: vec![
                each(count, async || {
                    executions.load(id).await.expect("the store reads").expect("it is there");
                })
                .await,
            ],
            list: vec![
                each(count.div_ceil(5), async || {
                    let page = executions.list(&filter, PageRequest::first(PAGE)).await;
                    assert_eq!(page.expect("the store reads").items.len(), PAGE as usize);
                })
                .await,
            ],
        }
    }

    fn add(&mut self, more: Self) {
        self.get.extend(more.get);
        self.load.extend(more.load);
        self.list.extend(more.list);
    }
}

async fn each(count: usize, read: impl AsyncFn()) -> f64 {
    let begun = Instant::now();
    for _ in 0..count {
        read().await;
    }
    begun.elapsed().as_secs_f64() * 1_000.0 / count as f64
}

fn secure(database: &Database<'_>, how: &str) {
    for table in TABLES {
        database.query(&format!("ALTER TABLE {table} {how} ROW LEVEL SECURITY"));
    }
}
