//! A store in a temporary folder, an engine on it, and the second implementations of core's ports.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use quantum_core::id::{
    DecisionId, Digest, ExecutionId, IntentName, IntentUid, PrincipalId, StepId, TenantId,
};
use quantum_core::intent::{CheckContext, Definition};
use quantum_core::manifest::{ActionManifest, Effects};
use quantum_core::plan::{Plan, PlannedIntent, build};
use quantum_core::port::{
    ActionDirectory, ActionEntry, Attempt, AttemptOutcome, AttemptReport, Bill, BoxFuture, Decision,
    EffectError, Failure, FailureKind, Grant, PrincipalKind, RecordingKey, RecordingStore, Requester,
    Resolution, StepGate, StepRunner, StepSubject, Verdict,
};
use quantum_core::problem::Problem;
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, Signature, Trust};
use quantum_engine::{
    Clock, Engine, EngineOptions, ExecutionView, FeedItem, IntentSource, LogBuffer, Ports, Runnable,
    SourceRequest, StartOptions, StartRequest, SystemClock,
};
use quantum_store::{
    Archive, Faults, IdempotencyRecord, SharedPlan, Store, StoreOptions, Tenant, TenantScope,
};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

/// What the runner does with the next attempt of a step; when nothing is left it echoes the parameters.
#[derive(Debug, Clone)]
pub enum Script {
    Retryable(&'static str, Option<u64>),
    Permanent(&'static str),
    Trap,
    Panic,
    Result(Value),
    /// Runs until it is dropped.
    Hang,
    /// Runs until it is told to end, and echoes.
    Until(Arc<Notify>),
    /// Runs until the cancel flag is seen, as a guest that polls does.
    UntilCancelled,
}

/// What was kept of attempts: their keys.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<RecordingKey>>);

impl RecordingStore for Kept {
    fn keep(
        &self,
        _: &TenantId,
        key: RecordingKey,
        _: Vec<u8>,
    ) -> BoxFuture<'static, Result<(), EffectError>> {
        self.0.lock().unwrap().push(key);
        Box::pin(async { Ok(()) })
    }
}

#[derive(Default)]
pub struct Runner {
    /// Of a node: where its attempts write.
    pub logs: Arc<LogBuffer>,
    scripts: Mutex<HashMap<String, Vec<Script>>>,
    started: Mutex<Option<mpsc::UnboundedSender<(String, u32)>>>,
    pub keys: Mutex<Vec<String>>,
}

impl StepRunner for Runner {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        let step = attempt.subject.step.as_str().to_owned();
        let script = self
            .scripts
            .lock()
            .unwrap()
            .get_mut(&step)
            .filter(|left| !left.is_empty())
            .map(|left| left.remove(0));
        self.keys.lock().unwrap().push(attempt.idempotency_key.clone());
        if let Some(started) = self.started.lock().unwrap().as_ref() {
            started.send((step, attempt.number)).unwrap();
        }
        Box::pin(play(script, attempt))
    }
}

async fn play(script: Option<Script>, attempt: Attempt) -> AttemptReport {
    let fail = |kind, code: &str, retry_after_ms| {
        AttemptOutcome::Failed(Failure {
            kind,
            problem: Problem::new(code, "as the script says"),
            retry_after_ms,
        })
    };
    attempt.recording.leave(Box::new(|| Some(b"{}".to_vec())));
    // What is left when it is dropped, or panics.
    attempt.bill.write(Bill { cpu_us: 5, ..Bill::default() });
    let outcome = match script {
        None => AttemptOutcome::Completed(serde_json::from_str(&attempt.parameters).unwrap()),
        Some(Script::Result(value)) => AttemptOutcome::Completed(value),
        Some(Script::Retryable(code, after)) => fail(FailureKind::Retryable, code, after),
        Some(Script::Permanent(code)) => fail(FailureKind::Permanent, code, None),
        Some(Script::Trap) => fail(FailureKind::Trap, "trap", None),
        Some(Script::Panic) => panic!("as the script says"),
        Some(Script::Hang) => std::future::pending().await,
        Some(Script::Until(told)) => {
            told.notified().await;
            AttemptOutcome::Completed(serde_json::from_str(&attempt.parameters).unwrap())
        }
        Some(Script::UntilCancelled) => {
            while !attempt.cancel.is_raised() {
                tokio::task::yield_now().await;
            }
            AttemptOutcome::Cancelled
        }
    };
    AttemptReport { outcome, bill: Bill { cpu_us: 7, ..Bill::default() } }
}

/// Permits everything but the steps it is told to refuse.
#[derive(Default)]
pub struct Gate {
    pub refused: Mutex<Vec<String>>,
}

impl StepGate for Gate {
    fn step_start(&self, subject: &StepSubject, _attempt: u32, _now: Timestamp) -> Verdict {
        let allowed = !self.refused.lock().unwrap().iter().any(|step| step == subject.step.as_str());
        let reason = (!allowed).then(|| "The test refuses this step.".to_owned());
        let id = DecisionId::from_uuid(Uuid::now_v7());
        Verdict {
            allowed,
            decision: Decision { id, policies: vec!["test".into()], reason, policy_version: "0".into() },
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self { entries: Mutex::new(vec![echo("echo", false), echo("echo-idempotent", true)]) }
    }
}

/// One action, `echo`, until it is uninstalled; `echo-idempotent` is the same and says so.
pub struct Actions {
    entries: Mutex<Vec<Arc<ActionEntry>>>,
}

impl Actions {
    pub fn uninstall(&self) {
        self.entries.lock().unwrap().clear();
    }
}

fn echo(name: &str, idempotent: bool) -> Arc<ActionEntry> {
    let schema = json!({ "type": "object", "properties": { "wrong": false } });
    let manifest = ActionManifest {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        parameters: schema.clone(),
        result: schema.clone(),
        aliases: Vec::new(),
        idempotent,
        effects: Effects::AtLeastOnce,
        side_effects: true,
        reversible: false,
        dry_run: false,
    };
    Arc::new(ActionEntry {
        plugin: "test:echo".to_owned(),
        version: "1.0.0".to_owned(),
        component: Digest::new(format!("sha256:{}", "a".repeat(64))).unwrap(),
        parameters: Schema::compile(&schema).unwrap(),
        result: Schema::compile(&schema).unwrap(),
        manifest,
        trust: Trust::Builtin,
        signature: Signature::Verified,
        grant: Grant::default(),
        settings: Arc::default(),
    })
}

impl ActionDirectory for Actions {
    fn resolve(&self, _tenant: &TenantId, name: &str) -> Resolution {
        let entries = self.entries.lock().unwrap();
        entries
            .iter()
            .find(|entry| entry.manifest.name == name)
            .map_or(Resolution::Unknown, |e| Resolution::Found(e.clone()))
    }

    fn pinned(&self, _tenant: &TenantId, _component: &Digest, action: &str) -> Option<Arc<ActionEntry>> {
        self.entries.lock().unwrap().iter().find(|entry| entry.manifest.name == action).cloned()
    }

    fn names(&self, _tenant: &TenantId) -> Vec<String> {
        self.entries.lock().unwrap().iter().map(|entry| entry.manifest.name.clone()).collect()
    }
}

/// Intents by name, and what stands in the way of some.
#[derive(Default)]
pub struct Intents {
    actions: Arc<Actions>,
    pub recordings: Arc<Kept>,
    pub definitions: Mutex<HashMap<String, Value>>,
    pub refused: Mutex<HashMap<String, Problem>>,
}

impl IntentSource for Intents {
    fn runnable(&self, request: SourceRequest) -> BoxFuture<'static, Result<Runnable, Problem>> {
        let refused = self.refused.lock().unwrap().get(&request.intent).cloned();
        let known = self.definitions.lock().unwrap().get(&request.intent).cloned();
        let found = match (refused, known) {
            (Some(problem), _) => Err(problem),
            (None, None) => Err(Problem::new("not-found", "there is no such intent")),
            (None, Some(definition)) => {
                let plan = plan(&definition, &self.actions);
                let encoded = SharedPlan::new(serde_json::to_string(&plan.document).unwrap());
                Ok(Runnable { plan: Arc::new(plan), encoded })
            }
        };
        Box::pin(std::future::ready(found))
    }
}

/// Of a node that shares its store.
pub const LEASE_MS: u64 = 10_000;

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub engine: Engine,
    pub runner: Arc<Runner>,
    pub gate: Arc<Gate>,
    pub actions: Arc<Actions>,
    pub intents: Arc<Intents>,
    pub scope: TenantScope,
}

pub fn tenant() -> TenantId {
    TenantId::new("tenant-123").unwrap()
}

pub fn requester() -> Requester {
    Requester { id: PrincipalId::new("ann").unwrap(), kind: PrincipalKind::User }
}

impl Bench {
    pub async fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock)).await
    }

    pub async fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, None).await
    }

    /// `faults`: what goes wrong in the store.
    pub async fn with(clock: Arc<dyn Clock>, faults: Option<Faults>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { faults, ..StoreOptions::new(folder.path().join("quantum.db")) };
        let store = Store::open(options).await.unwrap();
        let made = Tenant { id: tenant(), name: "Test".into(), created_at: Timestamp::from_millis(0) };
        store.platform().create_tenant(made).await.unwrap();
        let (runner, gate) = (Arc::<Runner>::default(), Arc::<Gate>::default());
        let intents = Arc::<Intents>::default();
        let actions = intents.actions.clone();
        let archive = Archive::new(folder.path());
        let engine = launch(&store, &archive, (&runner, &gate, &intents), clock).await;
        Self {
            folder,
            store,
            engine,
            runner,
            gate,
            actions,
            intents,
            scope: TenantScope::for_tests(tenant()),
        }
    }

    /// A node that shares a store with others.
    pub async fn node(name: &str, clock: Arc<dyn Clock>, faults: Option<Faults>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { faults, ..StoreOptions::new(folder.path().join("quantum.db")) };
        let store = Store::open(options).await.unwrap();
        let made = Tenant { id: tenant(), name: "Test".into(), created_at: Timestamp::from_millis(0) };
        store.platform().create_tenant(made).await.unwrap();
        Self::on_store((store, folder), Arc::default(), name, clock).await
    }

    /// Another node on the same store.
    pub async fn beside(&self, name: &str, clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on_store((self.store.clone(), folder), self.intents.clone(), name, clock).await
    }

    async fn on_store(
        (store, folder): (Store, tempfile::TempDir),
        intents: Arc<Intents>,
        name: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (runner, gate) = (Arc::<Runner>::default(), Arc::<Gate>::default());
        let actions = intents.actions.clone();
        let options = EngineOptions {
            name: name.to_owned(),
            lease_ms: Some(LEASE_MS),
            answer_ms: 6 * LEASE_MS,
            ..options()
        };
        let archive = Archive::new(folder.path());
        let ports = ports((&store, &archive), runner.clone(), &gate, &intents, clock);
        let engine = Engine::launch(options, ports, runner.logs.clone()).await.unwrap();
        let scope = TenantScope::for_tests(tenant());
        Self { folder, store, engine, runner, gate, actions, intents, scope }
    }

    /// Ends the engine without letting attempts end, and starts another one on the same store.
    pub async fn restart(&mut self) {
        self.restart_with(Arc::new(SystemClock)).await;
    }

    pub async fn restart_with(&mut self, clock: Arc<dyn Clock>) {
        self.engine.shutdown().await;
        let archive = Archive::new(self.folder.path());
        self.engine = launch(&self.store, &archive, (&self.runner, &self.gate, &self.intents), clock).await;
    }

    pub fn script(&self, step: &str, scripts: &[Script]) {
        self.runner.scripts.lock().unwrap().insert(step.to_owned(), scripts.to_vec());
    }

    /// Tells each attempt that the runner is given from now on.
    pub fn attempts(&self) -> mpsc::UnboundedReceiver<(String, u32)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.runner.started.lock().unwrap() = Some(sender);
        receiver
    }

    pub fn request(&self, definition: &Value, input: Value) -> StartRequest {
        StartRequest { input, ..request(&self.scope, &self.intents, definition) }
    }

    pub async fn start(&self, definition: &Value) -> ExecutionId {
        self.engine.start(self.request(definition, json!({}))).await.unwrap().id
    }

    pub async fn start_with(&self, definition: &Value, idempotency: IdempotencyRecord) -> StartRequest {
        StartRequest { idempotency: Some(idempotency), ..self.request(definition, json!({})) }
    }

    pub async fn run(&self, definition: &Value) -> ExecutionView {
        let id = self.start(definition).await;
        self.end(&id).await
    }

    pub async fn end(&self, id: &ExecutionId) -> ExecutionView {
        self.engine.ended(&self.scope, id).await.unwrap();
        self.view(id).await
    }

    pub async fn view(&self, id: &ExecutionId) -> ExecutionView {
        self.engine.view(&self.scope, id).await.unwrap().unwrap()
    }

    /// The whole log: waits for the end.
    pub async fn log(&self, id: &ExecutionId, after: u64) -> Vec<Value> {
        let mut feed = self.engine.follow(&self.scope, id, after).await.unwrap().unwrap();
        let mut log = Vec::new();
        while let Some(item) = feed.next().await.unwrap() {
            if let FeedItem::Events(events) = item {
                log.extend(events.iter().map(|event| serde_json::from_str::<Value>(&event.json).unwrap()));
            }
        }
        log
    }

    /// `seq type step`, a line an event.
    pub async fn lines(&self, id: &ExecutionId) -> Vec<String> {
        let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let line =
            |event: &Value| format!("{} {} {}", event["seq"], word(event, "type"), word(event, "step"));
        self.log(id, 0).await.iter().map(|event| line(event).trim_end().to_owned()).collect()
    }
}

pub fn request(scope: &TenantScope, intents: &Intents, definition: &Value) -> StartRequest {
    let plan = plan(definition, &intents.actions);
    let encoded = SharedPlan::new(serde_json::to_string(&plan.document).unwrap());
    StartRequest {
        scope: scope.clone(),
        id: ExecutionId::from_uuid(Uuid::now_v7()),
        plan: Arc::new(plan),
        encoded,
        input: json!({}),
        labels: BTreeMap::new(),
        requested_by: requester(),
        idempotency: None,
        options: StartOptions::default(),
    }
}

async fn launch(
    store: &Store,
    archive: &Archive,
    (runner, gate, intents): (&Arc<Runner>, &Arc<Gate>, &Arc<Intents>),
    clock: Arc<dyn Clock>,
) -> Engine {
    try_launch((store, archive), runner.clone(), gate, intents, clock).await.unwrap()
}

/// Err: the store fails as it starts.
pub async fn try_launch(
    (store, archive): (&Store, &Archive),
    runner: Arc<dyn StepRunner>,
    gate: &Arc<Gate>,
    intents: &Arc<Intents>,
    clock: Arc<dyn Clock>,
) -> Result<Engine, quantum_engine::Error> {
    let ports = ports((store, archive), runner, gate, intents, clock);
    Engine::launch(options(), ports, Arc::new(LogBuffer::default())).await
}

fn options() -> EngineOptions {
    EngineOptions { shutdown_grace_ms: 0, cancel_grace_ms: 0, ..EngineOptions::default() }
}

fn ports(
    (store, archive): (&Store, &Archive),
    runner: Arc<dyn StepRunner>,
    gate: &Arc<Gate>,
    intents: &Arc<Intents>,
    clock: Arc<dyn Clock>,
) -> Ports {
    Ports {
        store: store.clone(),
        archive: archive.clone(),
        runner,
        gate: gate.clone(),
        actions: intents.actions.clone(),
        recordings: intents.recordings.clone(),
        intents: intents.clone(),
        clock,
        chance: || 1.0,
    }
}

fn plan(definition: &Value, actions: &Actions) -> Plan {
    let (read, findings) = Definition::read(definition);
    assert!(findings.is_empty(), "{findings:?}");
    let intent = PlannedIntent {
        uid: IntentUid::from_uuid(Uuid::now_v7()),
        name: IntentName::new("check").unwrap(),
        version: 1,
        labels: BTreeMap::new(),
        definition: definition.clone(),
    };
    let (tenant, environment) = (tenant(), Environment::Development);
    let document = build(intent, environment, &read, &CheckContext { tenant: &tenant, actions }).unwrap();
    Plan::compile(document).unwrap()
}

pub fn step(id: &str) -> Value {
    json!({ "id": id, "action": "echo", "said": id })
}

pub fn step_id(id: &str) -> StepId {
    StepId::new(id).unwrap()
}
