//! Processor time of one attempt: measured around each poll of its futures, on the thread that polls. These are the
//! guest itself, and what the host does for it in tasks of their own: decisions, secrets, TLS, bodies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

tokio::task_local! {
    /// The meter of the attempt for which the running task works.
    static METER: Arc<CpuMeter>;
}

/// The trap of a guest that used up its processor time.
#[derive(Debug, thiserror::Error)]
#[error("the processor time is used up")]
pub(crate) struct CpuExceeded;

/// Sums the processor time of all polls for one attempt.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    budget: Duration,
    /// Nanoseconds of the polls that have ended.
    ended_ns: AtomicU64,
    /// The thread's clock when the running poll of the guest began.
    began_ns: AtomicU64,
    over: Notify,
}

impl CpuMeter {
    pub fn new(budget_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            budget: Duration::from_millis(budget_ms),
            ended_ns: AtomicU64::new(0),
            began_ns: AtomicU64::new(0),
            over: Notify::new(),
        })
    }

    /// Runs the guest, measured. There is one such future at a time.
    pub async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let began = thread_ns();
            self.began_ns.store(began, Ordering::Relaxed);
            let polled = future.as_mut().poll(context);
            self.add(began);
            polled
        })
        .await
    }

    /// Runs what the host does for the guest in a task of its own, measured.
    pub async fn measure_beside<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let meter = self.clone();
        let mut future = pin!(METER.scope(self, future));
        poll_fn(|context| {
            let began = thread_ns();
            let polled = future.as_mut().poll(context);
            meter.add(began);
            polled
        })
        .await
    }

    /// Returns when more is spent than may be. One waits.
    pub async fn exceeded(&self) {
        while self.spent() <= self.budget {
            self.over.notified().await;
        }
    }

    /// What the ended polls took.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.ended_ns.load(Ordering::Relaxed))
    }

    /// Whether it is too much, with the running poll of the guest; only from inside of it, because threads have their
    /// own clocks.
    pub fn is_exceeded_now(&self) -> bool {
        let running = thread_ns().saturating_sub(self.began_ns.load(Ordering::Relaxed));
        self.spent() + Duration::from_nanos(running) > self.budget
    }

    fn add(&self, began_ns: u64) {
        self.ended_ns.fetch_add(thread_ns().saturating_sub(began_ns), Ordering::Relaxed);
        if self.spent() > self.budget {
            self.over.notify_one();
        }
    }
}

/// Who is billed for a task that outlasts attempts, such as that of a connection.
#[derive(Debug, Default)]
pub(crate) struct Payer(Mutex<Weak<CpuMeter>>);

impl Payer {
    /// From here on it is the attempt for which the running task works.
    pub fn charge_running(&self) {
        let meter = METER.try_with(Arc::downgrade).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = meter;
    }

    /// Runs the task's future; each poll is billed to who pays when it begins.
    pub async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let meter = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
            let began = thread_ns();
            let polled = future.as_mut().poll(context);
            if let Some(meter) = meter {
                meter.add(began);
            }
            polled
        })
        .await
    }
}

fn thread_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
