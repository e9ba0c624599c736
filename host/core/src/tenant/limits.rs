//! Bounds of one tenant. They come on top of the host's own: the smaller one holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Executions of a tenant that wait where nothing else is set: an hour of a start every third of a second.
pub const EXECUTIONS_QUEUED_DEFAULT: u32 = 10_000;
/// Share of a tenant where nothing else is set.
pub const WEIGHT_DEFAULT: u32 = 1;
/// Largest share: a hundred times that of others is as good as everything. Over it: 422.
pub const WEIGHT_MAX: u32 = 100;
/// Highest priority that a start can ask for, and what a tenant may ask for where nothing else is set. Over it: 422.
pub const PRIORITY_HIGHEST: u8 = 9;
/// Names of targets, and plugins with a bound of their own: people keep them by hand. Over it: 422.
pub const TARGETS_MAX: usize = 200;
/// Largest bound of executions or attempts that can be set. Over it: 422; no bound at all is `null`.
pub(super) const BOUND_MAX: u32 = 1_000_000;
/// Largest quota of a day or of memory that can be set: what every reader of JSON holds exactly. Over it: 422.
pub(super) const QUOTA_MAX: u64 = (1 << 53) - 1;
/// Least memory of an attempt that can be set, in bytes: below it no component can begin. Under it: 422.
pub(super) const MEMORY_BYTES_LEAST: u64 = 1024 * 1024;
/// Characters of the name of a target, as in documents. Over it: 422.
pub(super) const TARGET_CHARS_MAX: usize = 128;

/// How much of the host a tenant may take at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantLimits {
    /// Executions that have begun and not ended. Over it new ones wait. None: not bounded.
    pub executions_running_max: Option<u32>,
    /// Executions that wait. Over it a start is refused with 429.
    pub executions_queued_max: u32,
    /// Attempts that run. Over it they wait. None: as the host has it.
    pub attempts_running_max: Option<u32>,
    /// Attempts that run of one plugin (`namespace:name`). Over it they wait.
    pub plugin_attempts_max: BTreeMap<String, u32>,
    /// Share of the host's attempts beside those of other tenants, from 1: a tenant of weight 2 gets twice the turns of
    /// one of weight 1.
    pub weight: u32,
    /// The highest priority that a start may ask for, 0 to 9.
    pub priority_max: u8,
    /// Attempts that end in a day of UTC. Once they are used up, new starts are refused and steps wait for the next day.
    /// None, here and below: not bounded.
    pub attempts_per_day_max: Option<u64>,
    /// Milliseconds of processor time in a day. As above.
    pub cpu_ms_per_day_max: Option<u64>,
    /// Bytes sent in a day. As above.
    pub sent_bytes_per_day_max: Option<u64>,
    /// Bytes of memory of one attempt. The host's own bound holds as well.
    pub attempt_memory_bytes_max: Option<u64>,
}

impl Default for TenantLimits {
    fn default() -> Self {
        Self {
            executions_running_max: None,
            executions_queued_max: EXECUTIONS_QUEUED_DEFAULT,
            attempts_running_max: None,
            plugin_attempts_max: BTreeMap::new(),
            weight: WEIGHT_DEFAULT,
            priority_max: PRIORITY_HIGHEST,
            attempts_per_day_max: None,
            cpu_ms_per_day_max: None,
            sent_bytes_per_day_max: None,
            attempt_memory_bytes_max: None,
        }
    }
}

impl TenantLimits {
    /// Whether what the tenant uses in a day is bounded at all.
    pub const fn has_quotas(&self) -> bool {
        self.attempts_per_day_max.is_some()
            || self.cpu_ms_per_day_max.is_some()
            || self.sent_bytes_per_day_max.is_some()
    }
}
