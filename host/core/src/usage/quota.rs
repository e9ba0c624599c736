//! Whether a tenant has used up what it may use in a day. Pure: what is used so far is an argument.

use std::fmt;

use super::{Day, Sums};
use crate::tenant::TenantLimits;
use crate::time::Timestamp;

/// A limit of the day that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaReached {
    /// Its key in the tenant's settings, below `limits`.
    pub limit: &'static str,
    pub used: u64,
    pub max: u64,
    /// When it starts anew.
    pub until: Timestamp,
}

impl fmt::Display for QuotaReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, used, max, until } = self;
        write!(f, "the quota {limit} is used up: {used} of {max}; it starts anew at {until}")
    }
}

/// The first quota that is used up. An attempt that has begun goes on: what it uses is known when it ends, so that a
/// sum may be above its bound.
pub fn quota_reached(limits: &TenantLimits, day: Day, sums: &Sums) -> Option<QuotaReached> {
    let quotas = [
        ("attempts_per_day_max", limits.attempts_per_day_max, sums.attempts),
        ("cpu_ms_per_day_max", limits.cpu_ms_per_day_max, sums.cpu_us / 1_000),
        ("sent_bytes_per_day_max", limits.sent_bytes_per_day_max, sums.sent_bytes),
    ];
    quotas.into_iter().find_map(|(limit, max, used)| {
        let max = max.filter(|max| used >= *max)?;
        Some(QuotaReached { limit, used, max, until: day.end() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_reached_when_all_of_it_is_used() {
        let day = Day::of(Timestamp::parse("2026-03-01T12:00:00Z").unwrap());
        let sums = Sums { attempts: 5, cpu_us: 2_999_999, sent_bytes: 10, ..Sums::default() };
        let reached = |limits: TenantLimits| quota_reached(&limits, day, &sums).map(|it| it.to_string());
        let none = TenantLimits::default;
        assert_eq!(reached(none()), None);
        assert_eq!(reached(TenantLimits { attempts_per_day_max: Some(6), ..none() }), None);
        assert_eq!(reached(TenantLimits { cpu_ms_per_day_max: Some(3_000), ..none() }), None);
        let told = "the quota cpu_ms_per_day_max is used up: 2999 of 2999; it starts anew at 2026-03-02T00:00:00.000Z";
        let cpu = TenantLimits { cpu_ms_per_day_max: Some(2_999), ..none() };
        assert_eq!(reached(cpu.clone()).as_deref(), Some(told));
        let attempts = reached(TenantLimits { attempts_per_day_max: Some(5), ..cpu }).unwrap();
        assert!(attempts.contains("attempts_per_day_max is used up: 5 of 5"), "{attempts}");
        let sent = reached(TenantLimits { sent_bytes_per_day_max: Some(1), ..none() }).unwrap();
        assert!(sent.contains("sent_bytes_per_day_max is used up: 10 of 1"), "{sent}");
    }
}
