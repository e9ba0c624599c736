//! Where time comes from: the system, or a test.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use quantum_core::port::BoxFuture;
use quantum_core::time::Timestamp;
use tokio::sync::oneshot;

/// Reads the time and waits for a point in time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = std::time::Duration::from_millis(at.millis_since(self.now()));
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The machine's clock, set wrong on purpose: for rehearsals of what a wrong clock does to timers and tokens.
#[derive(Debug, Clone, Copy)]
pub struct ShiftedClock {
    shift_ms: i64,
}

impl ShiftedClock {
    /// Runs ahead of the machine's clock by so much, or behind it when negative.
    pub const fn new(shift_ms: i64) -> Self {
        Self { shift_ms }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis().saturating_add(self.shift_ms))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = std::time::Duration::from_millis(at.millis_since(self.now()));
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A clock that stands still until it is told to go on.
#[derive(Debug, Default)]
pub struct ManualClock {
    state: Mutex<ManualState>,
}

#[derive(Debug, Default)]
struct ManualState {
    now: Timestamp,
    sleepers: BTreeMap<Timestamp, Vec<oneshot::Sender<()>>>,
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new(ManualState { now, sleepers: BTreeMap::new() }) }
    }

    /// Moves on, and wakes everybody whose time has come.
    pub fn advance(&self, millis: u64) {
        self.set(self.now().plus_millis(millis));
    }

    /// Shows this time from now on, which may be an earlier one. Wakes everybody whose time has come.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = now;
        let later = state.now.plus_millis(1);
        let still = state.sleepers.split_off(&later);
        let due = std::mem::replace(&mut state.sleepers, still);
        for sleeper in due.into_values().flatten() {
            // Whoever does not wait any more has dropped its end.
            let _gone = sleeper.send(());
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if at <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (waker, woken) = oneshot::channel();
        state.sleepers.entry(at).or_default().push(waker);
        Box::pin(async move {
            let _closed = woken.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_is_ahead_or_behind_by_its_shift() {
        let before = SystemClock.now();
        let (ahead, behind) = (ShiftedClock::new(3_600_000).now(), ShiftedClock::new(-3_600_000).now());
        let after = SystemClock.now();
        assert!(before.plus_millis(3_600_000) <= ahead && ahead <= after.plus_millis(3_600_000));
        assert!(before <= behind.plus_millis(3_600_000) && behind.plus_millis(3_600_000) <= after);
    }
}
