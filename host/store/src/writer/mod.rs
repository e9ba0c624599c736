//! The only writer: one thread that owns the writing connection and makes everything queued durable at once.
//!
//! While one transaction is being flushed, the next batch fills: latency stays one flush, and throughput grows with
//! the number of callers.

mod change;
mod faults;
mod flush;
mod pace;
mod target;
mod task;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use quantum_core::id::TenantId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::journal::PendingCommit;
use crate::logs::PendingLines;
use crate::stats::Counters;
use crate::{Error, Health, Unavailable};
pub(crate) use change::change;
pub use faults::{Fault, Faults};
use flush::{Flow, Flusher};
use pace::{Due, Pace};
pub(crate) use target::{LANES, Target};
pub(crate) use task::Write;
use task::{Job, Task};

/// Items that wait for the writer; a caller beyond them waits for a place.
const QUEUE_MAX: usize = 4_096;

/// Items of one transaction: it must end before its callers lose patience, and its memory is bounded. Commits that are
/// kept together may go beyond it, by what one caller may hand over.
const BATCH_MAX: usize = 1_024;

/// Bytes of one transaction's commits, roughly. A commit that is larger on its own is written alone.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Log batches that wait. They come after commits, at most one to a transaction.
const LOG_QUEUE_MAX: usize = 64;

/// What callers hand over.
pub(crate) enum Work {
    Commit(Box<PendingCommit>),
    /// Kept together: all of them in one transaction, however many the batch has already.
    Commits(Vec<PendingCommit>),
    Task(Box<dyn Task>),
    /// Nothing is taken after it; the sender is told when the database is closed.
    Close(oneshot::Sender<()>),
}

/// Everything of one transaction.
#[derive(Default)]
pub(crate) struct Batch {
    commits: Vec<PendingCommit>,
    tasks: Vec<Box<dyn Task>>,
    lines: Option<PendingLines>,
    close: Option<oneshot::Sender<()>>,
    bytes: usize,
}

/// The way to the writer's thread. The thread ends, after what is queued, when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Writer {
    work: mpsc::Sender<Work>,
    lines: mpsc::Sender<PendingLines>,
    state: Arc<State>,
}

/// What the writer's thread tells everybody.
pub(crate) struct State {
    health: Mutex<Health>,
    /// Items that were taken from the queue and wait for a lane.
    gathered: AtomicUsize,
    pub counters: Arc<Counters>,
}

impl State {
    pub fn health(&self) -> Health {
        self.health.lock().map_or_else(|poisoned| poisoned.into_inner().clone(), |health| health.clone())
    }

    /// Failed is final.
    pub fn set_health(&self, next: Health) {
        let mut health = self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !matches!(*health, Health::Failed { .. }) {
            *health = next;
        }
    }
}

/// Held by the writer's thread. When it panics nothing is written any more, and a host that cannot write and does not
/// know it would refuse everybody for ever: the health says that it has to be started again.
struct Alive(Arc<State>);

impl Drop for Alive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "the thread that writes has panicked; the log says why".to_owned();
            self.0.set_health(Health::Failed { reason });
        }
    }
}

impl Writer {
    /// Opens the database, brings it to this program's schema, and starts the thread.
    pub async fn start(target: Target, counters: Arc<Counters>) -> Result<Self, Error> {
        let (work, work_queue) = mpsc::channel(QUEUE_MAX);
        let (lines, line_queue) = mpsc::channel(LOG_QUEUE_MAX);
        let state =
            Arc::new(State { health: Mutex::new(Health::Ready), gathered: AtomicUsize::new(0), counters });
        let (opened, ready) = oneshot::channel();
        let flusher = Flusher::new(target, Arc::clone(&state));
        let alive = Alive(Arc::clone(&state));
        let run = move || {
            run(flusher, &alive.0, work_queue, line_queue, opened);
        };
        let spawned = std::thread::Builder::new().name("quantum-store".into()).spawn(run);
        spawned.map_err(|error| Error::Query(sqlx::Error::Io(error)))?;
        ready.await.map_err(|_| Error::from(stopped()))??;
        Ok(Self { work, lines, state })
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn queued(&self) -> usize {
        let in_queue = self.work.max_capacity() - self.work.capacity();
        in_queue + self.state.gathered.load(Ordering::Relaxed)
    }

    /// Err: the writer does not run any more.
    pub async fn send(&self, work: Work) -> Result<(), Unavailable> {
        self.work.send(work).await.map_err(|_| stopped())
    }

    pub async fn send_lines(&self, lines: PendingLines) -> Result<(), Unavailable> {
        self.lines.send(lines).await.map_err(|_| stopped())
    }

    /// Runs `write` in the next transaction, inside a savepoint, and waits until it is durable. When it gives an
    /// error nothing of it is kept, and the rest of the transaction is not touched. Once the write is durable, and before
    /// anybody is told of anything, `durable` brings in line what is kept in memory; also when the caller does not wait
    /// any more.
    pub async fn run_then<T: Send + 'static>(
        &self,
        write: impl Write<T>,
        durable: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Work::Task(Box::new(Job::new(write, durable, reply)))).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Writes what is queued and closes the database. Later sends are refused.
    pub async fn close(self) {
        let (closed, done) = oneshot::channel();
        if self.send(Work::Close(closed)).await.is_ok() {
            // An error means that the thread is gone, which is what was asked for.
            drop(done.await);
        }
    }
}

pub(crate) const fn stopped() -> Unavailable {
    Unavailable { reason: "the store is closed", source: None }
}

type Opened = oneshot::Sender<Result<(), Error>>;

fn run(
    mut flusher: Flusher,
    state: &State,
    mut work: mpsc::Receiver<Work>,
    mut lines: mpsc::Receiver<PendingLines>,
    opened: Opened,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(opened.send(Err(sqlx::Error::Io(error).into()))),
    };
    runtime.block_on(async {
        let result = flusher.open().await;
        let usable = result.is_ok();
        let waited_for = opened.send(result).is_ok();
        if usable && waited_for {
            let mut lanes = flusher.lanes();
            let closed = serve(&mut lanes, &state.gathered, &mut work, &mut lines).await;
            refuse_all(work).await;
            refuse_all(lines).await;
            for lane in lanes {
                lane.close().await;
            }
            drop(closed);
        }
    });
}

/// Nothing is taken any more: senders see that the store is closed. A sender that has its place in the queue already,
/// and puts its item there a moment later, is waited for: in a queue that is only dropped the item would stay, and
/// whoever waits for its answer would wait for ever.
async fn refuse_all<T>(mut queue: mpsc::Receiver<T>) {
    queue.close();
    while let Some(refused) = queue.recv().await {
        drop(refused);
    }
}

/// Until all senders are gone, or one asks for the end; then gives whom to tell.
async fn serve(
    lanes: &mut Vec<Flusher>,
    gathered: &AtomicUsize,
    work: &mut mpsc::Receiver<Work>,
    lines: &mut mpsc::Receiver<PendingLines>,
) -> Option<oneshot::Sender<()>> {
    let mut under_way = FuturesUnordered::new();
    let (mut batch, mut close, mut dead) = (Batch::default(), None, false);
    let mut pace = Pace::default();
    loop {
        let (is_open, mut due) = (!dead && close.is_none(), Due::Later);
        if is_open {
            batch.fill(work, lines);
            due = batch.due(&mut pace, under_way.is_empty());
            if due == Due::Now
                && let Some(mut lane) = lanes.pop()
            {
                let mut whole = std::mem::take(&mut batch);
                pace.begun(whole.items());
                close = whole.close.take();
                gathered.store(0, Ordering::Relaxed);
                under_way.push(async move {
                    let flow = lane.flush(whole).await;
                    (lane, flow)
                });
                continue;
            }
        }
        gathered.store(batch.items(), Ordering::Relaxed);
        tokio::select! {
            biased;
            Some((lane, flow)) = under_way.next() => {
                lanes.push(lane);
                dead |= flow == Flow::Dead;
            }
            () = sleep_until(due.at().unwrap_or_else(Instant::now)), if due.at().is_some() => {}
            Some(next) = work.recv(), if is_open && !batch.is_full() => batch.add(next),
            Some(next) = lines.recv(), if is_open && batch.lines.is_none() => batch.lines = Some(next),
            else => return close,
        }
    }
}

impl Batch {
    /// With what is there already.
    fn fill(&mut self, work: &mut mpsc::Receiver<Work>, lines: &mut mpsc::Receiver<PendingLines>) {
        while !self.is_full()
            && let Ok(next) = work.try_recv()
        {
            self.add(next);
        }
        if self.lines.is_none() {
            self.lines = lines.try_recv().ok();
        }
    }

    /// `alone`: no other transaction is under way.
    fn due(&self, pace: &mut Pace, alone: bool) -> Due {
        let only_lines = self.items() == 0 && self.lines.is_some();
        if self.bytes >= BATCH_BYTES_MAX || (alone && (only_lines || self.close.is_some())) {
            return Due::Now;
        }
        pace.due(self.items(), alone, Instant::now())
    }

    fn items(&self) -> usize {
        self.commits.len() + self.tasks.len()
    }

    fn add(&mut self, work: Work) {
        match work {
            Work::Commit(pending) => self.add_commit(*pending),
            Work::Commits(pending) => pending.into_iter().for_each(|one| self.add_commit(one)),
            Work::Task(task) => self.tasks.push(task),
            Work::Close(closed) => self.close = Some(closed),
        }
    }

    fn add_commit(&mut self, pending: PendingCommit) {
        self.bytes += pending.commit.bytes();
        self.commits.push(pending);
    }

    /// Of commits and lines, each once, in order.
    fn tenants(&self) -> Vec<TenantId> {
        let of_commits = self.commits.iter().map(|pending| pending.commit.scope.tenant());
        let of_lines = self.lines.iter().flat_map(|pending| &pending.lines).map(|line| &line.tenant);
        let all: BTreeSet<&TenantId> = of_commits.chain(of_lines).collect();
        all.into_iter().cloned().collect()
    }

    fn is_full(&self) -> bool {
        self.items() >= BATCH_MAX || self.bytes >= BATCH_BYTES_MAX || self.close.is_some()
    }
}

#[cfg(test)]
mod tests {
    use quantum_core::port::BoxFuture;

    use super::task::Job;
    use super::*;
    use crate::database::Conn;

    fn nothing(_: &mut Conn) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    #[tokio::test]
    async fn whoever_is_about_to_queue_when_the_writer_dies_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::new(|_| Box::pin(async { Fault::DiesBefore }));
        let options = crate::StoreOptions::new(folder.path().join("quantum.db"));
        let target = Target::sqlite(crate::StoreOptions { faults: Some(faults), ..options });
        let writer = Writer::start(target, Arc::default()).await.unwrap();
        let place = writer.work.reserve().await.unwrap();
        assert!(writer.run_then(nothing, |_| {}).await.is_err());
        let (reply, answer) = oneshot::channel();
        place.send(Work::Task(Box::new(Job::new(nothing, |_: &()| {}, reply))));
        let told = tokio::time::timeout(std::time::Duration::from_secs(60), answer).await;
        assert!(told.expect("nobody is left waiting").is_err());
    }

    #[test]
    fn a_writer_that_panics_is_told_by_the_health() {
        let state = State {
            health: Mutex::new(Health::Ready),
            gathered: AtomicUsize::new(0),
            counters: Arc::default(),
        };
        let state = Arc::new(state);
        let alive = Alive(Arc::clone(&state));
        let thread = std::thread::spawn(move || {
            let _alive = alive;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(matches!(state.health(), Health::Failed { .. }));
    }
}
