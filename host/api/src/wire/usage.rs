//! Sums of what attempts used.

use quantum_core::usage::Sums;
use quantum_store::UsageRow;
use serde::Serialize;
use utoipa::ToSchema;

/// What attempts used together. It has the keys that it is grouped by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageBody {
    pub tenant_id: String,
    /// In UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-31")]
    pub day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "quantum:http")]
    pub plugin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Attempts that ended, however they did.
    pub attempts: u64,
    /// Those of them that failed, also when another attempt was made.
    pub failures: u64,
    /// Microseconds on a processor.
    pub cpu_us: u64,
    /// Microseconds from start to end.
    pub wall_us: u64,
    /// The largest memory of one attempt.
    pub memory_bytes_peak: u64,
    /// Each attempt's largest memory times its seconds.
    pub memory_byte_seconds: u64,
    /// Calls of functions that the host provides.
    pub host_calls: u64,
    /// Bytes of outgoing requests, and of what was written as values and artifacts.
    pub sent_bytes: u64,
    /// Bytes of answers to them, and of what was read of values and artifacts.
    pub received_bytes: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsagePage {
    pub items: Vec<UsageBody>,
    pub next_page_token: Option<String>,
}

impl From<UsageRow> for UsageBody {
    fn from(row: UsageRow) -> Self {
        let UsageRow { tenant, day, plugin, version, action, sums } = row;
        let Sums { attempts, failures, cpu_us, wall_us, memory_bytes_peak, .. } = sums;
        let Sums { memory_byte_seconds, host_calls, sent_bytes, received_bytes, .. } = sums;
        Self {
            tenant_id: tenant.to_string(),
            day: day.map(|day| day.to_string()),
            plugin,
            version,
            action,
            attempts,
            failures,
            cpu_us,
            wall_us,
            memory_bytes_peak,
            memory_byte_seconds,
            host_calls,
            sent_bytes,
            received_bytes,
        }
    }
}
