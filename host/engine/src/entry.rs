//! One execution in memory: its state behind a lock, what runs of it, and who listens.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::machine::{Execution, Slot};
use quantum_core::port::{CancelFlag, LogLine};
use quantum_core::tenant::{RECORD_LABEL, Recorded};
use quantum_store::{ExecutionKey, TenantScope};
use tokio::sync::{Mutex, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Live log lines that a slow listener may lag behind; older ones are in the store.
const LIVE_LINES_MAX: usize = 256;

/// How far the log is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    pub last_seq: u64,
    pub ended: bool,
    /// Another node runs it: what is new is found in the store.
    pub moved: bool,
}

/// Where an open execution is run.
pub(crate) enum Found {
    /// In this process.
    Here(Arc<Entry>),
    /// By this node, which has a lease.
    Elsewhere(String),
    /// It has ended, or there is none.
    Nowhere,
}

pub(crate) struct Entry {
    pub id: ExecutionId,
    pub scope: TenantScope,
    /// Of its attempts among those of the tenant.
    pub priority: i32,
    /// Which of its attempts are to be recorded.
    pub recorded: Recorded,
    /// None: what is in memory may differ from the store, and is loaded again before it is used.
    /// INVARIANT: whoever holds the lock sees only durable state.
    pub state: Mutex<Option<Owned>>,
    pub progress: watch::Sender<Progress>,
    running: StdMutex<HashMap<Slot, RunningAttempt>>,
    /// Children that somebody in this process looks after.
    children: StdMutex<HashSet<ExecutionId>>,
    lines: StdMutex<Option<broadcast::Sender<LogLine>>>,
}

/// The state with the epoch under which this host may write it.
pub(crate) struct Owned {
    pub execution: Execution,
    pub epoch: u64,
}

/// The attempt of a step that runs, or waits for its turn, in this process.
#[derive(Clone)]
pub(crate) struct RunningAttempt {
    pub attempt: u32,
    /// For the guest, which polls it.
    pub flag: CancelFlag,
    /// For the host, which waits on it.
    pub token: CancellationToken,
}

impl Entry {
    pub fn new(
        id: ExecutionId,
        scope: TenantScope,
        priority: i32,
        labels: &BTreeMap<String, String>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            scope,
            priority,
            recorded: Recorded::asked(labels.get(RECORD_LABEL).map(String::as_str)),
            state: Mutex::new(None),
            progress: watch::Sender::new(Progress::default()),
            running: StdMutex::default(),
            children: StdMutex::default(),
            lines: StdMutex::default(),
        })
    }

    pub fn tenant(&self) -> &TenantId {
        self.scope.tenant()
    }

    pub fn key(&self) -> ExecutionKey {
        ExecutionKey { tenant: self.tenant().clone(), execution: self.id }
    }

    /// Another node runs it by now: its attempts are interrupted, because their results could not be recorded.
    pub fn note_moved(&self) {
        self.progress.send_modify(|progress| progress.moved = true);
        for running in self.lock_running().values() {
            running.flag.raise();
            running.token.cancel();
        }
    }

    pub fn has_moved(&self) -> bool {
        self.progress.borrow().moved
    }

    /// Notes that an attempt is on its way. Gives its two signals.
    pub fn track(&self, slot: Slot, attempt: u32) -> RunningAttempt {
        let made = RunningAttempt { attempt, flag: CancelFlag::default(), token: CancellationToken::new() };
        self.lock_running().insert(slot, made.clone());
        made
    }

    pub fn untrack(&self, slot: Slot, attempt: u32) {
        let mut running = self.lock_running();
        if running.get(&slot).is_some_and(|known| known.attempt == attempt) {
            running.remove(&slot);
        }
    }

    pub fn is_tracked(&self, slot: Slot, attempt: u32) -> bool {
        self.lock_running().get(&slot).is_some_and(|known| known.attempt == attempt)
    }

    pub fn interrupt(&self, slot: Slot) {
        if let Some(running) = self.lock_running().get(&slot) {
            running.flag.raise();
            running.token.cancel();
        }
    }

    fn lock_running(&self) -> std::sync::MutexGuard<'_, HashMap<Slot, RunningAttempt>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody looked after this child yet; from now on somebody does.
    pub fn adopt(&self, child: ExecutionId) -> bool {
        self.children.lock().unwrap_or_else(PoisonError::into_inner).insert(child)
    }

    /// It may have to be looked after again.
    pub fn release_child(&self, child: ExecutionId) {
        self.children.lock().unwrap_or_else(PoisonError::into_inner).remove(&child);
    }

    /// Nothing runs of it here, and nobody listens.
    pub fn is_idle(&self) -> bool {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = lines.as_ref().is_some_and(|lines| lines.receiver_count() > 0);
        !heard && self.progress.receiver_count() == 0 && self.lock_running().is_empty()
    }

    /// Log lines and progress from now on.
    pub fn listen(&self) -> broadcast::Receiver<LogLine> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get_or_insert_with(|| broadcast::Sender::new(LIVE_LINES_MAX)).subscribe()
    }

    pub fn tell(&self, line: &LogLine) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = lines.as_ref() {
            // Nobody listens any more: the line is in the store.
            let _unheard = sender.send(line.clone());
        }
    }
}
