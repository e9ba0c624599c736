//! The engine without sandbox, policies and HTTP: from the start to the end of executions of three sequential steps, 64
//! at the same time; and starts alone, one by one and in a batch. `synchronous=FULL`, on a real disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use quantum_core::id::{DecisionId, Digest, ExecutionId, IntentName, IntentUid, PrincipalId, TenantId};
use quantum_core::intent::{CheckContext, Definition};
use quantum_core::plan::{Plan, PlannedIntent, build};
use quantum_core::port::{
    ActionDirectory, ActionEntry, Attempt, AttemptOutcome, AttemptReport, Bill, BoxFuture, Decision, Grant,
    PrincipalKind, Requester, Resolution, StepGate, StepRunner, StepSubject, Verdict,
};
use quantum_core::problem::Problem;
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, Signature, Trust};
use quantum_engine::{
    Engine, EngineOptions, IntentSource, LogBuffer, Ports, Runnable, SourceRequest, StartOptions,
    StartRequest, SystemClock,
};
use quantum_store::conformance::{scope, with_tenants};
use quantum_store::{Archive, Error, SharedPlan, Store, StoreOptions, TenantScope};
use serde_json::{Value, json};
use uuid::Uuid;

const TENANT: &str = "tenant-1";
/// Executions at the same time.
const CLIENTS: u64 = 64;
/// Starts of a batch: as many as the API takes.
const STARTS: usize = 1_000;

/// All ports of the engine: permits everything; an action gives its parameters back.
#[derive(Clone)]
struct Echo(Arc<ActionEntry>);

impl StepRunner for Echo {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        let result: Value = serde_json::from_str(&attempt.parameters).expect("the engine made it");
        Box::pin(async {
            AttemptReport { outcome: AttemptOutcome::Completed(result), bill: Bill::default() }
        })
    }
}

impl StepGate for Echo {
    fn step_start(&self, _: &StepSubject, _: u32, _: Timestamp) -> Verdict {
        let id = DecisionId::from_uuid(Uuid::now_v7());
        let (policies, policy_version) = (vec!["allow".to_owned()], "0123456789abcdef".to_owned());
        Verdict { allowed: true, decision: Decision { id, policies, reason: None, policy_version } }
    }
}

impl ActionDirectory for Echo {
    fn resolve(&self, _: &TenantId, _: &str) -> Resolution {
        Resolution::Found(self.0.clone())
    }

    fn pinned(&self, _: &TenantId, _: &Digest, _: &str) -> Option<Arc<ActionEntry>> {
        Some(self.0.clone())
    }

    fn names(&self, _: &TenantId) -> Vec<String> {
        vec![self.0.manifest.name.clone()]
    }
}

impl IntentSource for Echo {
    fn runnable(&self, _: SourceRequest) -> BoxFuture<'static, Result<Runnable, Problem>> {
        Box::pin(async { Err(Problem::new("not-found", "nothing starts by itself here")) })
    }
}

fn echo() -> Echo {
    let schema = || Schema::compile(&json!({})).expect("an empty schema compiles");
    let manifest = json!({ "name": "echo", "parameters": {}, "result": {} });
    Echo(Arc::new(ActionEntry {
        plugin: "test:echo".to_owned(),
        version: "1.0.0".to_owned(),
        component: Digest::new(format!("sha256:{}", "0".repeat(64))).expect("a good digest"),
        manifest: serde_json::from_value(manifest).expect("a good manifest"),
        parameters: schema(),
        result: schema(),
        trust: Trust::Builtin,
        signature: Signature::Verified,
        grant: Grant::default(),
        settings: Arc::default(),
    }))
}

fn request(echo: &Echo) -> StartRequest {
    let step = |id: &str| json!({ "id": id, "action": "echo", "parameters": { "said": id } });
    let definition = json!({ "steps": [step("a"), step("b"), step("c")] });
    let (read, findings) = Definition::read(&definition);
    assert!(findings.is_empty(), "{findings:?}");
    let intent = PlannedIntent {
        uid: IntentUid::from_uuid(Uuid::now_v7()),
        name: IntentName::new("load").expect("a good name"),
        version: 1,
        labels: BTreeMap::new(),
        definition,
    };
    let tenant = TenantId::new(TENANT).expect("a good id");
    let context = CheckContext { tenant: &tenant, actions: echo };
    let document = build(intent, Environment::Test, &read, &context).expect("a good intent");
    StartRequest {
        scope: scope(TENANT),
        id: ExecutionId::from_uuid(Uuid::now_v7()),
        encoded: SharedPlan::new(serde_json::to_string(&document).expect("a plan is JSON")),
        plan: Arc::new(Plan::compile(document).expect("a good plan")),
        input: json!({}),
        labels: BTreeMap::new(),
        requested_by: Requester {
            id: PrincipalId::new("olga").expect("a good id"),
            kind: PrincipalKind::User,
        },
        idempotency: None,
        options: StartOptions::default(),
    }
}

async fn launch(folder: &Path, echo: &Echo) -> Engine {
    let (archive, store) = (Archive::new(folder), StoreOptions::new(folder.join("quantum.db")));
    let open = move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(store.clone())) };
    let store = with_tenants(&open, &[TENANT]).await.expect("a store");
    let one = Arc::new(echo.clone());
    let ports = Ports {
        store,
        archive,
        runner: one.clone(),
        gate: one.clone(),
        actions: one.clone(),
        intents: one,
        clock: Arc::new(SystemClock),
        chance: || 0.5,
    };
    Engine::launch(EngineOptions::default(), ports, Arc::new(LogBuffer::default())).await.expect("an engine")
}

async fn execute(engine: &Engine, scope: &TenantScope, request: StartRequest) {
    let started = engine.start(request).await.expect("the store writes");
    engine.ended(scope, &started.id).await.expect("it is known");
}

fn executions(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    // In the target folder: the system's temporary one may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (echo, scope) = (echo(), scope(TENANT));
    let request = request(&echo);
    let engine = runtime.block_on(launch(folder.path(), &echo));
    let born = || StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), ..request.clone() };
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one execution of three steps", |bencher| {
        bencher.iter(|| runtime.block_on(execute(&engine, &scope, born())));
    });
    group.throughput(Throughput::Elements(CLIENTS));
    group.bench_function("64 executions of three steps", |bencher| {
        bencher.iter(|| runtime.block_on(join_all((0..CLIENTS).map(|_| execute(&engine, &scope, born())))));
    });
    group.finish();
    runtime.block_on(engine.shutdown());
}

/// From the request for so many starts to the answer that all are durable. The executions end outside of the
/// measurement, but run in it.
async fn starts(engine: &Engine, scope: &TenantScope, requests: Vec<StartRequest>, how: How) -> Duration {
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
        engine.ended(scope, &id).await.expect("it is known");
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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (echo, scope) = (echo(), scope(TENANT));
    let request = request(&echo);
    let engine = runtime.block_on(launch(folder.path(), &echo));
    let born = || StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), ..request.clone() };
    let mut group = criterion.benchmark_group("starts");
    group.sample_size(10).throughput(Throughput::Elements(STARTS as u64));
    let ways = [("one by one", How::OneByOne), ("at once", How::AtOnce), ("in a batch", How::Batch)];
    for (name, how) in ways {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let round = |_| {
                    let requests = (0..STARTS).map(|_| born()).collect();
                    runtime.block_on(starts(&engine, &scope, requests, how))
                };
                (0..rounds).map(round).sum()
            });
        });
    }
    group.finish();
    runtime.block_on(engine.shutdown());
}

criterion_group!(benches, executions, batches);
criterion_main!(benches);
