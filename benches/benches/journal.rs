//! The journal: what a durable commit costs, alone and together. `synchronous=FULL`, on a real disk.
//!
//! Each round commits one event of `batch` executions at once and waits for all of them, as that many clients do.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use quantum_core::port::BoxFuture;
use quantum_store::conformance::{commit, create, scope, with_tenants};
use quantum_store::{CommitError, CommitOutcome, Error, Store, StoreOptions};

/// Executions that commit at the same time.
const BATCHES: [u64; 3] = [1, 10, 100];

fn journal(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    // In the target folder: the system's temporary one may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let options = StoreOptions::new(folder.path().join("quantum.db"));
    let open = move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(options.clone())) };
    let store = runtime.block_on(with_tenants(&open, &["tenant-1"])).expect("a store");
    let scope = scope("tenant-1");
    let mut group = criterion.benchmark_group("journal");
    let journal = store.journal();
    let mut next_execution = 0;
    for batch in BATCHES {
        // Executions are short: each one is created outside of the measurement and lives one commit in it.
        let mut start = || {
            let first = next_execution;
            next_execution += batch;
            let executions = first..first + batch;
            runtime.block_on(all(executions.clone().map(|number| journal.commit(create(&scope, number)))));
            executions
        };
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::new("commit", batch), |bencher| {
            let step = |number| journal.commit(commit(&scope, number, 1, 1));
            bencher.iter_batched(
                &mut start,
                |run| runtime.block_on(all(run.map(step))),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("create", batch), |bencher| {
            bencher.iter(&mut start);
        });
    }
    group.finish();
}

async fn all(commits: impl Iterator<Item = impl Future<Output = Result<CommitOutcome, CommitError>>>) {
    let results = join_all(commits).await;
    assert!(results.iter().all(Result::is_ok), "a commit on the current version holds");
}

criterion_group!(benches, journal);
criterion_main!(benches);
