//! Processor time of one attempt: measured around each poll of its future, on the thread that polls.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The trap of a guest that used up its processor time.
#[derive(Debug, thiserror::Error)]
#[error("the processor time is used up")]
pub(crate) struct CpuExceeded;

/// Sums the processor time of the polls of one future.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    /// Nanoseconds of the polls that have ended.
    ended_ns: AtomicU64,
    /// The thread's clock when the running poll began.
    began_ns: AtomicU64,
}

impl CpuMeter {
    /// Runs the future, measured.
    pub async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.began_ns.store(thread_ns(), Ordering::Relaxed);
            let polled = future.as_mut().poll(context);
            self.ended_ns.fetch_add(self.running_ns(), Ordering::Relaxed);
            polled
        })
        .await
    }

    /// What the ended polls took.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.ended_ns.load(Ordering::Relaxed))
    }

    /// The same with the running poll; only from inside of it, because threads have their own clocks.
    pub fn spent_now(&self) -> Duration {
        self.spent() + Duration::from_nanos(self.running_ns())
    }

    fn running_ns(&self) -> u64 {
        thread_ns().saturating_sub(self.began_ns.load(Ordering::Relaxed))
    }
}

fn thread_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
