//! The engine without sandbox, policies and HTTP: from the start to the end of executions of three sequential steps, 64
//! at the same time; and starts alone, one by one and in a batch. `synchronous=FULL`, on a real disk.

mod fixture;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use quantum_engine::{EngineOptions, StartRequest};

use fixture::{Echo, Rig, born, folder, request, runtime, three_steps};

/// Executions at the same time.
const CLIENTS: u64 = 64;
/// Starts of a batch: as many as the API takes.
const STARTS: usize = 1_000;

fn executions(criterion: &mut Criterion) {
    let (runtime, folder) = (runtime(), folder());
    let request = request("load", three_steps());
    let path = folder.path().join("quantum.db");
    let rig = runtime.block_on(Rig::launch(&path, Arc::new(Echo::default()), EngineOptions::default()));
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one execution of three steps", |bencher| {
        bencher.iter(|| runtime.block_on(rig.execute(born(&request))));
    });
    group.throughput(Throughput::Elements(CLIENTS));
    group.bench_function("64 executions of three steps", |bencher| {
        bencher.iter(|| runtime.block_on(join_all((0..CLIENTS).map(|_| rig.execute(born(&request))))));
    });
    group.finish();
    runtime.block_on(rig.close());
}

/// From the request for so many starts to the answer that all are durable. The executions end outside of the
/// measurement, but run in it.
async fn starts(rig: &Rig, requests: Vec<StartRequest>, how: How) -> Duration {
    let engine = &rig.engine;
    let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
    let begun = Instant::now();
    let started = match how {
        How::OneByOne => stream::iter(requests).then(|request| engine.start(request)).collect().await,
        How::AtOnce => join_all(requests.into_iter().map(|request| engine.start(request))).await,
        How::Batch => engine.start_all(requests).await,
    };
    let took = begun.elapsed();
    assert!(started.iter().all(Result::is_ok), "the store writes");
    for id in ids {
        engine.ended(&rig.scope, &id).await.expect("it is known");
    }
    took
}

#[derive(Clone, Copy)]
enum How {
    /// One client, which waits for each answer.
    OneByOne,
    /// As many clients as starts.
    AtOnce,
    /// One client, one request.
    Batch,
}

fn batches(criterion: &mut Criterion) {
    let (runtime, folder) = (runtime(), folder());
    let request = request("load", three_steps());
    let path = folder.path().join("quantum.db");
    let rig = runtime.block_on(Rig::launch(&path, Arc::new(Echo::default()), EngineOptions::default()));
    let mut group = criterion.benchmark_group("starts");
    group.sample_size(10).throughput(Throughput::Elements(STARTS as u64));
    let ways = [("one by one", How::OneByOne), ("at once", How::AtOnce), ("in a batch", How::Batch)];
    for (name, how) in ways {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let round = |_| {
                    let requests = (0..STARTS).map(|_| born(&request)).collect();
                    runtime.block_on(starts(&rig, requests, how))
                };
                (0..rounds).map(round).sum()
            });
        });
    }
    group.finish();
    runtime.block_on(rig.close());
}

criterion_group!(benches, executions, batches);
criterion_main!(benches);
