//! Processes that play a scenario one after another on the same folder, until everything has ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quantum_core::id::ExecutionId;
use quantum_core::machine::Command;
use quantum_core::port::{
    Attempt, AttemptOutcome, AttemptReport, Bill, BoxFuture, Failure, FailureKind, PrincipalKind, Requester,
    StepRunner,
};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{Clock, CommandError, Engine, ExecutionView, ManualClock, StartError, StartRequest};
use quantum_store::{Archive, Fault, Faults, Store, StoreOptions, Tenant, TenantScope};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::check;
use super::scenario::{Answer, Scenario};
use crate::bench::{self, Gate, Intents};

/// Rounds after which an execution that has not ended never will.
const ROUNDS_MAX: usize = 4_000;
/// Milliseconds that the clock is moved in a round.
const ROUND_MS: u64 = 500;

/// A point at which the process dies, or the store misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Flushes are counted over all processes.
    BeforeFlush(u64),
    AfterFlush(u64),
    /// Not a death: the store refuses for a moment.
    Refuses(u64),
    /// Not a death: the store is slow.
    Stalls(u64),
    BeforeEffect(u64),
    AfterEffect(u64),
}

impl Death {
    pub fn random(rng: &mut fastrand::Rng) -> Vec<Self> {
        let one = |rng: &mut fastrand::Rng| {
            let at = rng.u64(1..25);
            match rng.u8(0..6) {
                0 => Self::BeforeFlush(at),
                1 => Self::AfterFlush(at),
                2 => Self::Refuses(at),
                3 => Self::Stalls(at),
                4 => Self::BeforeEffect(at.div_ceil(2)),
                _ => Self::AfterEffect(at.div_ceil(2)),
            }
        };
        (0..rng.usize(1..5)).map(|_| one(rng)).collect()
    }

    pub fn each(flushes: u64, effects: u64) -> impl Iterator<Item = Self> {
        let flushes = (1..=flushes).flat_map(|at| [Self::BeforeFlush(at), Self::AfterFlush(at)]);
        flushes.chain((1..=effects).flat_map(|at| [Self::BeforeEffect(at), Self::AfterEffect(at)]))
    }
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub struct End {
    pub view: ExecutionView,
    pub log: Vec<Value>,
}

/// Everything that outlives a process: the folder, the clock, and what happened outside.
pub struct World {
    scenario: Scenario,
    deaths: Vec<Death>,
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    flushes: AtomicU64,
    effects: AtomicU64,
    /// How often each idempotency key had its effect.
    ledger: Mutex<BTreeMap<String, u32>>,
    died: Notify,
    dead: AtomicU64,
    stage: Mutex<&'static str>,
}

impl World {
    pub fn new(scenario: Scenario, deaths: Vec<Death>) -> Self {
        // In memory where there is such a place: what is tested is the order of writes, not the disk.
        let fast = std::path::Path::new("/dev/shm");
        let folder = if fast.is_dir() { tempfile::tempdir_in(fast) } else { tempfile::tempdir() };
        Self {
            scenario,
            deaths,
            folder: folder.unwrap(),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_700_000_000_000))),
            flushes: AtomicU64::new(0),
            effects: AtomicU64::new(0),
            ledger: Mutex::default(),
            died: Notify::new(),
            dead: AtomicU64::new(0),
            stage: Mutex::new("not started"),
        }
    }

    /// What its process does, for a report of one that hangs.
    pub fn stage(&self) -> &'static str {
        *self.stage.lock().unwrap()
    }

    fn enter(&self, stage: &'static str) {
        *self.stage.lock().unwrap() = stage;
    }

    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::SeqCst)
    }

    pub fn effects(&self) -> u64 {
        self.effects.load(Ordering::SeqCst)
    }

    pub fn deaths(&self) -> u64 {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn ledger(&self) -> BTreeMap<String, u32> {
        self.ledger.lock().unwrap().clone()
    }

    fn die(&self) {
        self.dead.fetch_add(1, Ordering::SeqCst);
        self.died.notify_one();
    }

    fn has(&self, death: Death) -> bool {
        self.deaths.contains(&death)
    }

    /// The next flush is counted once the tenant is there.
    fn faults(self: &Arc<Self>) -> Faults {
        let world = self.clone();
        Faults::new(move |_| {
            let world = world.clone();
            Box::pin(async move {
                let at = world.flushes.fetch_add(1, Ordering::SeqCst) + 1;
                if world.has(Death::Stalls(at)) {
                    for _ in 0..200 {
                        tokio::task::yield_now().await;
                    }
                }
                match at {
                    at if world.has(Death::BeforeFlush(at)) => {
                        world.die();
                        Fault::DiesBefore
                    }
                    at if world.has(Death::AfterFlush(at)) => {
                        world.die();
                        Fault::DiesAfter
                    }
                    at if world.has(Death::Refuses(at)) => Fault::Refused,
                    _ => Fault::None,
                }
            })
        })
    }

    /// Process after process, until every execution has ended.
    pub async fn play(self: &Arc<Self>) -> Vec<End> {
        self.prepare().await;
        let mut people = People::new(&self.scenario);
        for _ in 0..=self.deaths.len() {
            let process = Process::start(self).await;
            let ended = tokio::select! {
                ends = people.drive(&process) => Some(ends),
                () = self.died.notified() => None,
            };
            process.stop(self).await;
            if let Some(ends) = ended {
                return ends;
            }
        }
        // The last death came while everything was ending.
        let process = Process::start(self).await;
        let ends = people.drive(&process).await;
        process.stop(self).await;
        self.enter("ended");
        ends
    }

    async fn prepare(&self) {
        let store = Store::open(StoreOptions::new(self.folder.path().join("quantum.db"))).await.unwrap();
        let made = Tenant { id: bench::tenant(), name: "Test".into(), created_at: Timestamp::from_millis(0) };
        store.platform().create_tenant(made).await.unwrap();
        store.close().await;
    }
}

/// Steps as the world's scenario answers them.
struct Steps(Arc<World>);

impl StepRunner for Steps {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        let world = self.0.clone();
        Box::pin(async move {
            let at = world.effects.fetch_add(1, Ordering::SeqCst) + 1;
            if world.has(Death::BeforeEffect(at)) {
                world.die();
                std::future::pending::<()>().await;
            }
            let key = attempt.idempotency_key.clone();
            let seen = {
                let mut ledger = world.ledger.lock().unwrap();
                let seen = ledger.entry(key.clone()).or_default();
                *seen += 1;
                *seen
            };
            if world.has(Death::AfterEffect(at)) {
                world.die();
                std::future::pending::<()>().await;
            }
            AttemptReport {
                outcome: outcome(world.scenario.answer(&key), seen, &attempt),
                bill: Bill { cpu_us: 7, sent_bytes: at, ..Bill::default() },
            }
        })
    }
}

fn outcome(answer: Answer, seen: u32, attempt: &Attempt) -> AttemptOutcome {
    let failed = |kind, code: &str| {
        let problem = Problem::new(code, "as the scenario says");
        AttemptOutcome::Failed(Failure { kind, problem, retry_after_ms: None })
    };
    match answer {
        Answer::Broken => failed(FailureKind::Permanent, "broken"),
        Answer::DoneTheSecondTime if seen == 1 => failed(FailureKind::Retryable, "busy"),
        _ => AttemptOutcome::Completed(serde_json::from_str(&attempt.parameters).unwrap()),
    }
}

/// One life of the host.
struct Process {
    store: Store,
    engine: Engine,
    intents: Arc<Intents>,
    scope: TenantScope,
    clock: Arc<ManualClock>,
}

impl Process {
    async fn start(world: &Arc<World>) -> Self {
        let path = world.folder.path().join("quantum.db");
        let options = StoreOptions { faults: Some(world.faults()), ..StoreOptions::new(path) };
        loop {
            world.enter("opening its store");
            // The process may die while it starts.
            let Ok(store) = Store::open(options.clone()).await else { continue };
            let intents = Arc::<Intents>::default();
            for (name, definition) in &world.scenario.callable {
                intents.definitions.lock().unwrap().insert(name.clone(), definition.clone());
            }
            let runner: Arc<dyn StepRunner> = Arc::new(Steps(world.clone()));
            let clock: Arc<dyn Clock> = world.clock.clone();
            let archive = Archive::new(world.folder.path());
            world.enter("launching its engine");
            match bench::try_launch((&store, &archive), runner, &Arc::<Gate>::default(), &intents, clock)
                .await
            {
                Ok(engine) => {
                    world.enter("driving executions to their ends");
                    let scope = TenantScope::for_tests(bench::tenant());
                    return Self { store, engine, intents, scope, clock: world.clock.clone() };
                }
                Err(_) => store.close().await,
            }
        }
    }

    /// What was under way is dropped.
    async fn stop(self, world: &World) {
        world.enter("stopping its engine");
        self.engine.shutdown().await;
        world.enter("closing its store");
        self.store.close().await;
    }
}

/// Whoever starts executions and answers them. They remember what they were told, and ask again when they were not.
struct People {
    starts: Vec<(ExecutionId, Value)>,
    started: HashMap<ExecutionId, bool>,
}

impl People {
    fn new(scenario: &Scenario) -> Self {
        let id = || ExecutionId::from_uuid(Uuid::now_v7());
        let starts = scenario.starts.iter().map(|definition| (id(), definition.clone())).collect();
        Self { starts, started: HashMap::new() }
    }

    async fn drive(&mut self, process: &Process) -> Vec<End> {
        for _ in 0..ROUNDS_MAX {
            self.start(process).await;
            let mut open = 0;
            for (id, _) in &self.starts {
                open += usize::from(!answer(process, id).await);
            }
            if open == 0 {
                return self.ends(process).await;
            }
            process.clock.advance(ROUND_MS);
            // Gives attempts and commits a moment; nothing depends on how long it is.
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let mut stuck = Vec::new();
        for (id, _) in &self.starts {
            stuck.push(process.engine.view(&process.scope, id).await.unwrap());
        }
        panic!("never ends: {stuck:#?}");
    }

    async fn start(&mut self, process: &Process) {
        for (id, definition) in &self.starts {
            if self.started.contains_key(id) {
                continue;
            }
            // A start whose answer was lost may have happened.
            let known = process.engine.row(&process.scope, id).await.ok().flatten().is_some();
            let request =
                StartRequest { id: *id, ..bench::request(&process.scope, &process.intents, definition) };
            if known || started(process.engine.start(request).await) {
                self.started.insert(*id, true);
            }
        }
    }

    async fn ends(&self, process: &Process) -> Vec<End> {
        let mut ends = Vec::new();
        for (id, _) in &self.starts {
            let view = process.engine.view(&process.scope, id).await.unwrap().unwrap();
            let events = process.store.executions(&process.scope).events(id, 0, 10_000).await.unwrap();
            let log = events.iter().map(|event| serde_json::from_str(&event.json).unwrap()).collect();
            ends.push(End { view, log });
        }
        check::booked(&process.store, &process.scope).await;
        ends
    }
}

fn started(result: Result<quantum_engine::Started, StartError>) -> bool {
    match result {
        Ok(_) => true,
        Err(StartError::Unavailable { .. } | StartError::Failed(_)) => false,
        Err(other) => panic!("a start was refused: {other}"),
    }
}

/// Gives an open execution, and its children, what they wait for. Whether it has ended.
async fn answer(process: &Process, id: &ExecutionId) -> bool {
    let Ok(Some(view)) = process.engine.view(&process.scope, id).await else { return false };
    if view.status.is_terminal() {
        return true;
    }
    for step in view.steps.iter().filter_map(|step| step.waiting.as_ref()) {
        if let quantum_core::builtin::Wait::Child { execution_id, .. } = step {
            Box::pin(answer(process, execution_id)).await;
        }
    }
    let person = |name: &str| Requester {
        id: quantum_core::id::PrincipalId::new(name).unwrap(),
        kind: PrincipalKind::User,
    };
    let signal = Command::Signal { name: "go".to_owned(), payload: json!(1), sent_by: person("bob") };
    tell(process, id, signal).await;
    for step in &view.steps {
        for name in ["bob", "carol"] {
            let approve = Command::Approve {
                step: Some(step.id.clone()),
                element: None,
                approved: true,
                approved_by: person(name),
                comment: None,
            };
            if matches!(step.waiting, Some(quantum_core::builtin::Wait::Approval { .. })) {
                tell(process, id, approve).await;
            }
        }
    }
    assert_ne!(view.status, ExecutionStatus::Parked, "nothing parks here");
    false
}

async fn tell(process: &Process, id: &ExecutionId, command: Command) {
    match process.engine.operate(&process.scope, id, command).await {
        Ok(())
        | Err(CommandError::Refused(_) | CommandError::Unavailable { .. } | CommandError::Failed(_)) => {}
        Err(other) => panic!("{other}"),
    }
}
