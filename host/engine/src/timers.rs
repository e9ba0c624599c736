//! Timers: one heap for all executions. A timer is a place in a heap and a row in the store, not a task.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::ExecutionId;
use quantum_core::machine::Command;
use quantum_core::time::Timestamp;
use quantum_store::TenantScope;
use tokio::sync::Notify;

use crate::commit::RETRY_AFTER_MS;
use crate::engine::Shared;
use crate::entry::{Entry, Found};
use crate::error::CommandError;

/// One execution to wake.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Timer {
    at: Timestamp,
    id: ExecutionId,
    scope: TenantScope,
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.id).cmp(&(other.at, other.id))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Default)]
pub(crate) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Timer>>>,
    earlier: Notify,
}

impl Timers {
    pub fn set(&self, at: Timestamp, entry: &Entry) {
        self.push(Timer { at, id: entry.id, scope: entry.scope.clone() });
    }

    fn push(&self, timer: Timer) {
        let mut heap = self.lock();
        let first = heap.peek().is_none_or(|Reverse(next)| timer.at < next.at);
        heap.push(Reverse(timer));
        if first {
            self.earlier.notify_one();
        }
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn next_at(&self) -> Option<Timestamp> {
        self.lock().peek().map(|Reverse(timer)| timer.at)
    }

    fn take_due(&self, now: Timestamp) -> Option<Timer> {
        let mut heap = self.lock();
        let due = heap.peek().is_some_and(|Reverse(timer)| timer.at <= now);
        due.then(|| heap.pop().map(|Reverse(timer)| timer)).flatten()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BinaryHeap<Reverse<Timer>>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Fires timers until the host stops.
    pub(crate) async fn fire_timers(self: Arc<Self>) {
        loop {
            while let Some(timer) = self.timers.take_due(self.ports.clock.now()) {
                let shared = self.clone();
                self.attempts.spawn(async move { shared.fire(timer).await });
            }
            let earlier = self.timers.earlier.notified();
            let due = self.until_due();
            tokio::select! {
                () = due => {}
                () = earlier => {}
                () = self.closing.cancelled() => return,
            }
        }
    }

    async fn until_due(&self) {
        match self.timers.next_at() {
            Some(at) => self.ports.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// A timer whose execution has ended, or was woken by something else meanwhile, does nothing.
    async fn fire(self: Arc<Self>, timer: Timer) {
        let woken = match self.entry(&timer.scope, &timer.id).await {
            Ok(Found::Here(entry)) => self.commit(&entry, Command::Wake).await,
            // Whoever runs it has a timer of its own.
            Ok(Found::Elsewhere(_) | Found::Nowhere) => return,
            Err(error) => Err(CommandError::Failed(error)),
        };
        match woken {
            Ok(()) | Err(CommandError::Refused(_) | CommandError::NotFound | CommandError::Moved) => {}
            Err(error) => {
                tracing::warn!(execution = %timer.id, error = %error, "a timer could not fire; it is set again");
                let at = self.ports.clock.now().plus_millis(RETRY_AFTER_MS);
                self.timers.push(Timer { at, ..timer });
            }
        }
    }
}
