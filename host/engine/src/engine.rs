//! The handle of the engine: cheap to clone, everything that others may ask of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::gauge;
use quantum_core::id::ExecutionId;
use quantum_core::machine::{Command, Execution};
use quantum_core::port::Requester;
use quantum_store::{
    Announcement, ExecutionFilter, ExecutionRow, NodeRecord, NodeRow, Page, PageRequest, TenantScope,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alarm::Alarm;
use crate::attempt::Job;
use crate::commit::RETRY_AFTER_MS;
use crate::dispatch::FairQueue;
use crate::entry::Found;
use crate::error::{CommandError, Error, StartError};
use crate::feed::EventFeed;
use crate::live::Live;
use crate::logs::LogBuffer;
use crate::news::News;
use crate::node;
use crate::operate::ReplayRequest;
use crate::options::{EngineOptions, Ports};
use crate::places::Places;
use crate::quotas::Quotas;
use crate::recover::Plans;
use crate::start::{StartRequest, Started};
use crate::timers::Timers;
use crate::view::{ElementView, ExecutionView, StepView};

/// What the parts of the engine share.
pub(crate) struct Shared {
    pub ports: Ports,
    pub options: EngineOptions,
    /// This process.
    pub node: NodeRecord,
    pub live: Live,
    pub plans: Plans,
    pub timers: Timers,
    pub places: Places,
    pub quotas: Quotas,
    pub schedules: Alarm,
    pub retention: Alarm,
    /// Something may belong to nobody.
    pub claims: Alarm,
    /// All that this node owns is to be looked through, with the next claim.
    pub look_through: AtomicBool,
    /// Executions that wait for a program that reads more than this one, as of the last claim.
    pub unread: AtomicU64,
    /// Another node may have asked something.
    pub commands: Alarm,
    pub news: Arc<News>,
    pub logs: Arc<LogBuffer>,
    queue: Mutex<FairQueue<Job>>,
    /// Attempts, and commits that must not be dropped half-way.
    pub attempts: TaskTracker,
    /// Nothing new starts.
    pub closing: CancellationToken,
    /// Running attempts are dropped.
    pub killed: CancellationToken,
    /// Everything has ended; what is left is to write the last log lines.
    pub stopped: CancellationToken,
}

impl Shared {
    pub(crate) fn lock_queue(&self) -> MutexGuard<'_, FairQueue<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock_queue().waiting()
    }
}

#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    loops: Arc<Mutex<JoinSet<()>>>,
}

impl Engine {
    /// Takes a lease and starts the loops. What nobody runs is taken over in the background; an execution that is asked for
    /// earlier is loaded then.
    pub async fn launch(options: EngineOptions, ports: Ports, logs: Arc<LogBuffer>) -> Result<Self, Error> {
        let node = node::join(&ports.store, &options, ports.clock.now()).await?;
        let announcements = ports.store.announcements();
        let queue = FairQueue::new(options.attempts_max, options.attempts_per_tenant_max);
        let shared = Arc::new(Shared {
            ports,
            options,
            node,
            live: Live::default(),
            plans: Plans::default(),
            timers: Timers::default(),
            places: Places::default(),
            quotas: Quotas::default(),
            schedules: Alarm::default(),
            retention: Alarm::default(),
            claims: Alarm::default(),
            look_through: AtomicBool::new(false),
            unread: AtomicU64::new(0),
            commands: Alarm::default(),
            news: Arc::default(),
            logs,
            queue: Mutex::new(queue),
            attempts: TaskTracker::new(),
            closing: CancellationToken::new(),
            killed: CancellationToken::new(),
            stopped: CancellationToken::new(),
        });
        shared.logs.attach(&shared);
        let mut loops = JoinSet::new();
        loops.spawn(shared.clone().fire_timers());
        loops.spawn(shared.clone().write_logs());
        loops.spawn(shared.clone().run_schedules());
        loops.spawn(shared.clone().run_retention());
        loops.spawn(shared.clone().promote_again());
        loops.spawn(shared.clone().keep_lease());
        loops.spawn(shared.clone().listen(announcements));
        loops.spawn(shared.clone().take_commands());
        loops.spawn(shared.clone().take_over());
        Ok(Self { shared, loops: Arc::new(Mutex::new(loops)) })
    }

    /// After `Ok` the execution survives any crash. Dropping the future does not undo a start that was under way.
    pub async fn start(&self, request: StartRequest) -> Result<Started, StartError> {
        let shared = self.shared.clone();
        let task = self.shared.attempts.spawn(async move { shared.start(request, None).await });
        task.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// As `start`, for many in one transaction: after a crash all that were accepted are there, or none. Each is decided
    /// by itself, and a refused one fails no other. One answer a request, in order.
    pub async fn start_all(&self, requests: Vec<StartRequest>) -> Vec<Result<Started, StartError>> {
        let count = requests.len();
        let shared = self.shared.clone();
        let task = self.shared.attempts.spawn(async move { shared.start_all(requests).await });
        task.await.unwrap_or_else(|_| (0..count).map(|_| Err(stopping())).collect())
    }

    /// Anything but a start and a restart. After `Ok` it is durable. Dropping the future does not undo it.
    pub async fn operate(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
        command: Command,
    ) -> Result<(), CommandError> {
        let (shared, scope, id) = (self.shared.clone(), scope.clone(), *id);
        let task = self.shared.attempts.spawn(async move { shared.operate(&scope, &id, command).await });
        task.await.unwrap_or_else(|_| Err(not_now()))
    }

    /// Runs what failed, was cancelled, or is parked again; completed steps keep their results.
    pub async fn restart(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
        requested_by: Requester,
    ) -> Result<(), CommandError> {
        let (shared, scope, id) = (self.shared.clone(), scope.clone(), *id);
        let task = self.shared.attempts.spawn(async move { shared.restart(&scope, &id, requested_by).await });
        task.await.unwrap_or_else(|_| Err(not_now()))
    }

    /// Starts a new execution that begins with results of an old one.
    pub async fn replay(&self, request: ReplayRequest) -> Result<Started, StartError> {
        let shared = self.shared.clone();
        let task = self.shared.attempts.spawn(async move { shared.replay(request).await });
        task.await.unwrap_or_else(|_| Err(stopping()))
    }

    pub async fn cancel(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
        requested_by: Requester,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        self.operate(scope, id, Command::Cancel { requested_by, reason }).await
    }

    /// None: the tenant has no such execution.
    pub async fn view(&self, scope: &TenantScope, id: &ExecutionId) -> Result<Option<ExecutionView>, Error> {
        if let Some(entry) = self.shared.live.get(id).filter(|entry| entry.tenant() == scope.tenant()) {
            let state = entry.state.lock().await;
            if let Some(owned) = state.as_ref() {
                return Ok(Some(self.seen(scope, &owned.execution).await?));
            }
        }
        let Some(stored) = self.shared.ports.store.executions(scope).load(id).await? else { return Ok(None) };
        Ok(Some(self.seen(scope, &self.shared.rebuild(&stored)?).await?))
    }

    /// With the quota that it waits for, which is not its own state.
    async fn seen(&self, scope: &TenantScope, execution: &Execution) -> Result<ExecutionView, Error> {
        let mut view = ExecutionView::of(execution);
        view.waits_for.extend(self.shared.quota_blocker(scope, execution).await?);
        Ok(view)
    }

    /// One step, and its elements. None: the tenant has no such execution, or it has no such step.
    pub async fn step(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
        step: &str,
    ) -> Result<Option<(StepView, Vec<ElementView>)>, Error> {
        let Some(stored) = self.shared.ports.store.executions(scope).load(id).await? else { return Ok(None) };
        Ok(StepView::with_elements(&self.shared.rebuild(&stored)?, step))
    }

    /// Without its steps, input and output.
    pub async fn row(&self, scope: &TenantScope, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error> {
        Ok(self.shared.ports.store.executions(scope).get(id).await?)
    }

    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Page<ExecutionRow>, Error> {
        Ok(self.shared.ports.store.executions(scope).list(filter, page).await?)
    }

    /// Returns when the execution has ended, at once when it has already, with its last state when that is still in
    /// memory. Dropping the future is safe.
    pub async fn ended(&self, scope: &TenantScope, id: &ExecutionId) -> Result<Option<ExecutionView>, Error> {
        let Some(entry) = self.shared.end_of(scope, id).await? else { return Ok(None) };
        let state = entry.state.lock().await;
        let last = state.as_ref().filter(|owned| owned.execution.status.is_terminal());
        Ok(last.map(|owned| ExecutionView::of(&owned.execution)))
    }

    /// The events after `after`, as they become durable. None: the tenant has no such execution.
    pub async fn follow(
        &self,
        scope: &TenantScope,
        id: &ExecutionId,
        after: u64,
    ) -> Result<Option<EventFeed>, Error> {
        let entry = match self.shared.entry(scope, id).await? {
            Found::Here(entry) => Some(entry),
            Found::Elsewhere(_) => None,
            Found::Nowhere if self.row(scope, id).await?.is_none() => return Ok(None),
            Found::Nowhere => None,
        };
        Ok(Some(EventFeed::new(self.shared.clone(), scope.clone(), *id, after, entry.as_ref())))
    }

    /// Executions that are kept in memory: those that move, and those that somebody follows.
    pub fn in_memory(&self) -> usize {
        self.shared.live.len()
    }

    /// A schedule was made, changed or removed: it is looked at anew, by the node that starts what is due.
    pub fn schedules_changed(&self) {
        self.shared.schedules.ring();
        self.shared.announce(Announcement::Changed { tenants: Vec::new() });
    }

    /// A limit of the tenant may have been raised: what waits for it is looked at.
    pub fn limits_changed(&self, scope: &TenantScope) {
        self.shared.place_freed(scope);
        self.shared.quota_raised(scope);
    }

    /// Returns when everything that schedules were due for has been started, skipped or refused. Dropping the future is
    /// safe.
    pub async fn schedules_settled(&self) {
        let ticket = self.shared.schedules.ring();
        self.shared.schedules.answered(ticket).await;
    }

    /// Returns when everything that is over its time has been removed, or could not be. Dropping the future is safe.
    pub async fn retention_settled(&self) {
        let ticket = self.shared.retention.ring();
        self.shared.retention.answered(ticket).await;
    }

    /// Returns when everything has been taken over that belonged to nobody. Dropping the future is safe.
    pub async fn claims_settled(&self) {
        let ticket = self.shared.claims.ring();
        self.shared.claims.answered(ticket).await;
    }

    /// Executions that wait for a node that runs a newer program than this one: it does not understand what is stored of
    /// them. As of the last heartbeat.
    pub fn unread(&self) -> u64 {
        self.shared.unread.load(Ordering::Relaxed)
    }

    /// The node that this process is.
    pub fn node(&self) -> &NodeRecord {
        &self.shared.node
    }

    /// All nodes of the store, also those that died not long ago.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, Error> {
        Ok(self.shared.ports.store.nodes().list(self.shared.ports.clock.now()).await?)
    }

    /// Whether this node does what has this name for all of them: ask each time before it is done. False also when that
    /// cannot be found out.
    pub async fn leads(&self, name: &str) -> bool {
        self.shared.leads(name).await
    }

    /// Writes gauges of what is in memory.
    #[expect(clippy::cast_precision_loss, reason = "metrics")]
    pub fn observe(&self) {
        let (waiting, running) = {
            let queue = self.shared.lock_queue();
            (queue.waiting(), queue.running())
        };
        gauge!("quantum_executions_live").set(self.shared.live.len() as f64);
        gauge!("quantum_attempts_waiting").set(waiting as f64);
        gauge!("quantum_attempts_running").set(running as f64);
        gauge!("quantum_executions_unread").set(self.unread() as f64);
        gauge!("quantum_timers").set(self.shared.timers.len() as f64);
        let stats = self.shared.ports.store.stats();
        gauge!("quantum_store_commits").set(stats.awaited_commits as f64);
        gauge!("quantum_store_flushes").set(stats.flushes as f64);
        gauge!("quantum_store_foreign_rows").set(stats.foreign_rows as f64);
    }

    /// Stops taking work, lets running attempts end within the grace period, and drops the rest: they run again after
    /// the next start. Returns when nothing of the engine runs any more.
    pub async fn shutdown(&self) {
        let shared = &self.shared;
        shared.closing.cancel();
        shared.drain().await;
        shared.attempts.close();
        let grace = Duration::from_millis(shared.options.shutdown_grace_ms);
        if tokio::time::timeout(grace, shared.attempts.wait()).await.is_err() {
            shared.killed.cancel();
            shared.attempts.wait().await;
        }
        shared.stopped.cancel();
        let mut loops = std::mem::take(&mut *self.loops.lock().unwrap_or_else(PoisonError::into_inner));
        while loops.join_next().await.is_some() {}
        shared.end_lease().await;
    }
}

fn stopping() -> StartError {
    let reason = "the host is stopping".to_owned();
    StartError::Unavailable { reason, retry_after_ms: RETRY_AFTER_MS }
}

fn not_now() -> CommandError {
    CommandError::Unavailable { reason: "the host is stopping".to_owned(), retry_after_ms: RETRY_AFTER_MS }
}
