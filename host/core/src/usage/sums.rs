//! One attempt's bill, and the sums of many.

use serde::{Deserialize, Serialize};

use super::Day;
use crate::plan::PinnedAction;
use crate::port::Bill;

/// What an attempt is booked to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The one in which the attempt ended.
    pub day: Day,
    /// `namespace:name`.
    pub plugin: String,
    pub version: String,
    pub action: String,
}

/// What attempts used together. They only grow, but for the largest memory, which is that of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Those that ended, however they did.
    pub attempts: u64,
    /// Those of them that failed, also when another one was made after it.
    pub failures: u64,
    /// Microseconds on a processor.
    pub cpu_us: u64,
    /// Microseconds from start to end.
    pub wall_us: u64,
    /// The largest memory of one of them.
    pub memory_bytes_peak: u64,
    /// Each one's largest memory times its seconds: the most that it can have held.
    pub memory_byte_seconds: u64,
    pub host_calls: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// What is added to the sums of a day and an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub account: Account,
    pub sums: Sums,
}

impl Sums {
    /// Of one attempt.
    pub fn of(bill: &Bill, failed: bool) -> Self {
        let byte_us = u128::from(bill.memory_bytes_peak) * u128::from(bill.wall_us);
        Self {
            attempts: 1,
            failures: u64::from(failed),
            cpu_us: bill.cpu_us,
            wall_us: bill.wall_us,
            memory_bytes_peak: bill.memory_bytes_peak,
            memory_byte_seconds: u64::try_from(byte_us / 1_000_000).unwrap_or(u64::MAX),
            host_calls: bill.host_calls,
            sent_bytes: bill.sent_bytes,
            received_bytes: bill.received_bytes,
        }
    }

    pub fn add(&mut self, more: &Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.attempts, more.attempts);
        add(&mut self.failures, more.failures);
        add(&mut self.cpu_us, more.cpu_us);
        add(&mut self.wall_us, more.wall_us);
        self.memory_bytes_peak = self.memory_bytes_peak.max(more.memory_bytes_peak);
        add(&mut self.memory_byte_seconds, more.memory_byte_seconds);
        add(&mut self.host_calls, more.host_calls);
        add(&mut self.sent_bytes, more.sent_bytes);
        add(&mut self.received_bytes, more.received_bytes);
    }
}

impl Used {
    /// By one attempt of the action.
    pub fn by(action: &PinnedAction, day: Day, bill: &Bill, failed: bool) -> Self {
        let account = Account {
            day,
            plugin: action.plugin.clone(),
            version: action.version.clone(),
            action: action.name.clone(),
        };
        Self { account, sums: Sums::of(bill, failed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_add_up_and_keep_the_largest_memory() {
        let bill =
            |memory_bytes_peak, wall_us| Bill { cpu_us: 7, memory_bytes_peak, wall_us, ..Bill::default() };
        let mut sums = Sums::of(&bill(1_000, 2_500_000), false);
        sums.add(&Sums::of(&bill(500, 1_000_000), true));
        assert_eq!((sums.attempts, sums.failures, sums.cpu_us), (2, 1, 14));
        assert_eq!((sums.memory_bytes_peak, sums.memory_byte_seconds), (1_000, 3_000));
    }

    #[test]
    fn a_sum_that_is_too_large_stays_the_largest() {
        let huge =
            Bill { memory_bytes_peak: u64::MAX, wall_us: u64::MAX, sent_bytes: u64::MAX, ..Bill::default() };
        let mut sums = Sums::of(&huge, false);
        sums.add(&Sums::of(&huge, false));
        assert_eq!((sums.memory_byte_seconds, sums.sent_bytes, sums.attempts), (u64::MAX, u64::MAX, 2));
    }
}
