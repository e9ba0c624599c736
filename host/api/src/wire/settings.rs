//! The settings of a tenant, whole.

use std::collections::BTreeMap;

use quantum_core::tenant::{Retention, TenantLimits, TenantSettings};
use serde::Serialize;
use utoipa::ToSchema;

/// Every key, also those that are not set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsBody {
    /// What documents may name as their target → development, test, staging or production.
    pub targets: BTreeMap<String, &'static str>,
    pub limits: LimitsBody,
    pub retention: RetentionBody,
    /// Which attempts are recorded: off, requested or failures.
    pub recordings: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantLimits)]
pub(crate) struct LimitsBody {
    /// Executions that have begun and not ended. null: not bounded.
    pub executions_running_max: Option<u32>,
    /// Executions that wait.
    pub executions_queued_max: u32,
    /// Attempts that run. null: as the host has it.
    pub attempts_running_max: Option<u32>,
    /// Attempts of one plugin that run, by its id.
    pub plugin_attempts_max: BTreeMap<String, u32>,
    /// Share of the host's attempts beside those of other tenants, 1 to 100.
    pub weight: u32,
    /// The highest priority that a start may ask for, 0 to 9.
    pub priority_max: u8,
    /// Attempts that end in a day of UTC. null, here and below: not bounded.
    pub attempts_per_day_max: Option<u64>,
    /// Milliseconds of processor time in a day.
    pub cpu_ms_per_day_max: Option<u64>,
    /// Bytes sent in a day.
    pub sent_bytes_per_day_max: Option<u64>,
    /// Bytes of memory of one attempt.
    pub attempt_memory_bytes_max: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Retention)]
pub(crate) struct RetentionBody {
    /// Days from the end of an execution to its removal.
    pub executions_days: u32,
    /// Whether executions are written into the archive before they are removed.
    pub archive: bool,
}

impl From<&TenantSettings> for SettingsBody {
    fn from(settings: &TenantSettings) -> Self {
        let targets = settings.targets.iter().map(|(name, class)| (name.clone(), class.as_str()));
        Self {
            targets: targets.collect(),
            limits: (&settings.limits).into(),
            retention: settings.retention.into(),
            recordings: settings.recordings.as_str(),
        }
    }
}

impl From<&TenantLimits> for LimitsBody {
    fn from(limits: &TenantLimits) -> Self {
        Self {
            executions_running_max: limits.executions_running_max,
            executions_queued_max: limits.executions_queued_max,
            attempts_running_max: limits.attempts_running_max,
            plugin_attempts_max: limits.plugin_attempts_max.clone(),
            weight: limits.weight,
            priority_max: limits.priority_max,
            attempts_per_day_max: limits.attempts_per_day_max,
            cpu_ms_per_day_max: limits.cpu_ms_per_day_max,
            sent_bytes_per_day_max: limits.sent_bytes_per_day_max,
            attempt_memory_bytes_max: limits.attempt_memory_bytes_max,
        }
    }
}

impl From<Retention> for RetentionBody {
    fn from(retention: Retention) -> Self {
        Self { executions_days: retention.executions_days, archive: retention.archive }
    }
}
